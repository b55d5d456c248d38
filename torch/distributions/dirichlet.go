package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten/unchecked"
	"github.com/torchhub/torchhub/torch/autograd"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Dirichlet is a distribution of vectors of probabilities: torch.distributions.Dirichlet.
// NewDirichlet makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#dirichlet
type Dirichlet struct {
	core
	Concentration *torch.Tensor // [..., n]
}

// NewDirichlet returns a Dirichlet distribution of vectors of n numbers, by a tensor
// [..., n]: Dirichlet(concentration).
//
// https://docs.pytorch.org/docs/stable/distributions.html#dirichlet
func NewDirichlet(concentration *torch.Tensor, options ...Options) *Dirichlet {
	vector("Dirichlet", "concentration", concentration)
	d := (&Dirichlet{Concentration: concentration}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Dirichlet) setup() *Dirichlet {
	shape := d.Concentration.Shape()
	n := len(shape) - 1
	d.set(d, "Dirichlet", shape[:n:n], shape[n:], given("concentration", constraints.Independent(constraints.Positive, 1), d.Concentration))
	return d
}

func (d *Dirichlet) expand(batchShape []int) *Dirichlet {
	n := (&Dirichlet{Concentration: d.Concentration.Expand(append(batchShape[:len(batchShape):len(batchShape)], d.eventShape...)...)}).setup()
	n.validate = d.validate
	return n
}

// Expand implements [Distribution].
func (d *Dirichlet) Expand(batchShape ...int) Distribution { return d.expand(batchShape) }

// Support implements [Distribution].
func (d *Dirichlet) Support() constraints.Constraint { return constraints.Simplex }

// HasRSample implements [Distribution].
func (d *Dirichlet) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *Dirichlet) RSample(sampleShape ...int) *torch.Tensor {
	return autograd.Function{
		Name: "Dirichlet",
		Forward: func(ctx *autograd.Context, in ...*torch.Tensor) []*torch.Tensor {
			x := unchecked.SampleDirichlet(in[0], nil)
			ctx.SaveForBackward(x, in[0])
			return []*torch.Tensor{x}
		},
		Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) []*torch.Tensor {
			saved := ctx.SavedTensors()
			x, concentration := saved[0], saved[1]
			total := sumLast(concentration).ExpandAs(concentration)
			g := unchecked.DirichletGrad(x, concentration, total)
			return []*torch.Tensor{g.Mul(grads[0].Sub(sumLast(x.Mul(grads[0]))))}
		},
	}.Apply(d.Concentration.Expand(d.extended(sampleShape...)...))[0]
}

// LogProb implements [Distribution].
func (d *Dirichlet) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	return d.Concentration.SubScalar(1.0).Xlogy(value).Sum(-1).
		Add(d.Concentration.Sum(-1).Lgamma()).
		Sub(d.Concentration.Lgamma().Sum(-1))
}

// Entropy implements [Distribution].
func (d *Dirichlet) Entropy() *torch.Tensor {
	k := d.Concentration.Size(-1)
	total := d.Concentration.Sum(-1)
	return d.Concentration.Lgamma().Sum(-1).Sub(total.Lgamma()).
		Sub(total.RSubScalar(k).Mul(total.Digamma())).
		Sub(d.Concentration.SubScalar(1.0).Mul(d.Concentration.Digamma()).Sum(-1))
}

// Mean implements [Distribution].
func (d *Dirichlet) Mean() *torch.Tensor { return d.Concentration.Div(sumLast(d.Concentration)) }

// Mode implements [Distribution].
func (d *Dirichlet) Mode() *torch.Tensor {
	above := d.Concentration.SubScalar(1).ClampMin(0.0)
	mode := above.Div(sumLast(above))
	corner := d.Concentration.LtScalar(1).All(-1)
	vertex := F.OneHot(mode.ArgMax(-1), above.Size(-1)).TypeAs(mode)
	return torch.Where(corner.Unsqueeze(-1), vertex, mode)
}

// Variance implements [Distribution].
func (d *Dirichlet) Variance() *torch.Tensor {
	total := sumLast(d.Concentration)
	return d.Concentration.Mul(total.Sub(d.Concentration)).Div(total.PowScalar(2).Mul(total.AddScalar(1)))
}

// Beta is the beta distribution: torch.distributions.Beta. NewBeta makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#beta
type Beta struct {
	core
	dirichlet *Dirichlet
}

// NewBeta returns a beta distribution: Beta(concentration1, concentration0).
//
// https://docs.pytorch.org/docs/stable/distributions.html#beta
func NewBeta(concentration1, concentration0 TensorOrNumber, options ...Options) *Beta {
	x := broadcast("Beta", named{"concentration1", concentration1}, named{"concentration0", concentration0})
	d := (&Beta{dirichlet: NewDirichlet(torch.Stack(x, -1), options...)}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Beta) setup() *Beta {
	d.set(d, "Beta", d.dirichlet.batchShape, nil,
		property("concentration1", constraints.Positive, d.Concentration1()), property("concentration0", constraints.Positive, d.Concentration0()))
	return d
}

// Expand implements [Distribution].
func (d *Beta) Expand(batchShape ...int) Distribution {
	n := (&Beta{dirichlet: d.dirichlet.expand(batchShape)}).setup()
	n.validate = d.validate
	return n
}

// Concentration1 returns the parameter α: concentration1.
func (d *Beta) Concentration1() *torch.Tensor { return d.dirichlet.Concentration.Select(-1, 0) }

// Concentration0 returns the parameter β: concentration0.
func (d *Beta) Concentration0() *torch.Tensor { return d.dirichlet.Concentration.Select(-1, 1) }

// Support implements [Distribution].
func (d *Beta) Support() constraints.Constraint { return constraints.UnitInterval }

// HasRSample implements [Distribution].
func (d *Beta) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *Beta) RSample(sampleShape ...int) *torch.Tensor {
	return d.dirichlet.RSample(sampleShape...).Select(-1, 0)
}

// LogProb implements [Distribution].
func (d *Beta) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	return d.dirichlet.LogProb(torch.Stack([]*torch.Tensor{value, value.RSubScalar(1.0)}, -1))
}

// Entropy implements [Distribution].
func (d *Beta) Entropy() *torch.Tensor { return d.dirichlet.Entropy() }

// Mean implements [Distribution].
func (d *Beta) Mean() *torch.Tensor {
	return d.Concentration1().Div(d.Concentration1().Add(d.Concentration0()))
}

// Mode implements [Distribution].
func (d *Beta) Mode() *torch.Tensor { return d.dirichlet.Mode().Select(-1, 0) }

// Variance implements [Distribution].
func (d *Beta) Variance() *torch.Tensor {
	total := d.Concentration1().Add(d.Concentration0())
	return d.Concentration1().Mul(d.Concentration0()).Div(total.PowScalar(2).Mul(total.AddScalar(1)))
}
