package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Laplace is the Laplace distribution: torch.distributions.Laplace. NewLaplace makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#laplace
type Laplace struct {
	core
	Loc, Scale *torch.Tensor
}

// NewLaplace returns a Laplace distribution of the mean loc: Laplace(loc, scale).
//
// https://docs.pytorch.org/docs/stable/distributions.html#laplace
func NewLaplace(loc, scale TensorOrNumber, options ...Options) *Laplace {
	x := broadcast("Laplace", named{"loc", loc}, named{"scale", scale})
	d := (&Laplace{Loc: x[0], Scale: x[1]}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Laplace) setup() *Laplace {
	d.set(d, "Laplace", d.Loc.Shape(), nil, given("loc", constraints.Real, d.Loc), given("scale", constraints.Positive, d.Scale))
	return d
}

// Expand implements [Distribution].
func (d *Laplace) Expand(batchShape ...int) Distribution {
	n := (&Laplace{Loc: d.Loc.Expand(batchShape...), Scale: d.Scale.Expand(batchShape...)}).setup()
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Laplace) Support() constraints.Constraint { return constraints.Real }

// HasRSample implements [Distribution].
func (d *Laplace) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *Laplace) RSample(sampleShape ...int) *torch.Tensor {
	u := like(d.Loc).Empty(d.extended(sampleShape...)...).UniformInPlace(eps(d.Loc)-1, 1)
	return d.Loc.Sub(d.Scale.Mul(u.Sign()).Mul(u.Abs().Neg().Log1p()))
}

// LogProb implements [Distribution].
func (d *Laplace) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	return d.Scale.MulScalar(2).Log().Neg().Sub(value.Sub(d.Loc).Abs().Div(d.Scale))
}

// CDF implements [Distribution].
func (d *Laplace) CDF(value *torch.Tensor) *torch.Tensor {
	d.checkValue("CDF", value)
	distance := value.Sub(d.Loc)
	tail := distance.Abs().Neg().Div(d.Scale).Expm1()
	return distance.Sign().MulScalar(0.5).Mul(tail).RSubScalar(0.5)
}

// ICDF implements [Distribution].
func (d *Laplace) ICDF(value *torch.Tensor) *torch.Tensor {
	term := value.SubScalar(0.5)
	return d.Loc.Sub(d.Scale.Mul(term.Sign()).Mul(term.Abs().MulScalar(-2).Log1p()))
}

// Entropy implements [Distribution].
func (d *Laplace) Entropy() *torch.Tensor { return d.Scale.MulScalar(2).Log().AddScalar(1) }

// Mean implements [Distribution].
func (d *Laplace) Mean() *torch.Tensor { return d.Loc }

// Mode implements [Distribution].
func (d *Laplace) Mode() *torch.Tensor { return d.Loc }

// StdDev implements [Distribution].
func (d *Laplace) StdDev() *torch.Tensor { return d.Scale.MulScalar(math.Sqrt2) }

// Variance implements [Distribution].
func (d *Laplace) Variance() *torch.Tensor { return d.Scale.PowScalar(2).MulScalar(2) }
