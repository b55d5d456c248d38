package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Poisson is the Poisson distribution: torch.distributions.Poisson. NewPoisson makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#poisson
type Poisson struct {
	core
	Rate *torch.Tensor // the mean
}

// NewPoisson returns a Poisson distribution: Poisson(rate).
//
// https://docs.pytorch.org/docs/stable/distributions.html#poisson
func NewPoisson(rate TensorOrNumber, options ...Options) *Poisson {
	x := broadcast("Poisson", named{"rate", rate})
	d := (&Poisson{Rate: x[0]}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Poisson) setup() *Poisson {
	d.set(d, "Poisson", d.Rate.Shape(), nil, given("rate", constraints.Nonnegative, d.Rate))
	return d
}

// Expand implements [Distribution].
func (d *Poisson) Expand(batchShape ...int) Distribution {
	n := (&Poisson{Rate: d.Rate.Expand(batchShape...)}).setup()
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Poisson) Support() constraints.Constraint { return constraints.NonnegativeInteger }

// Sample implements [Distribution].
func (d *Poisson) Sample(sampleShape ...int) *torch.Tensor {
	return noGrad(func() *torch.Tensor { return d.Rate.Expand(d.extended(sampleShape...)...).Poisson() })
}

// LogProb implements [Distribution].
func (d *Poisson) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	x := torch.BroadcastTensors([]*torch.Tensor{d.Rate, value})
	rate, value := x[0], x[1]
	return value.Xlogy(rate).Sub(rate).Sub(value.AddScalar(1).Lgamma())
}

// Mean implements [Distribution].
func (d *Poisson) Mean() *torch.Tensor { return d.Rate }

// Mode implements [Distribution].
func (d *Poisson) Mode() *torch.Tensor { return d.Rate.Floor() }

// Variance implements [Distribution].
func (d *Poisson) Variance() *torch.Tensor { return d.Rate }
