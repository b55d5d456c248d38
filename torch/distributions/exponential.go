package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Exponential is the exponential distribution: torch.distributions.Exponential.
// NewExponential makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#exponential
type Exponential struct {
	core
	Rate *torch.Tensor // the inverse of the mean
}

// NewExponential returns an exponential distribution: Exponential(rate).
//
// https://docs.pytorch.org/docs/stable/distributions.html#exponential
func NewExponential(rate TensorOrNumber, options ...Options) *Exponential {
	x := broadcast("Exponential", named{"rate", rate})
	d := (&Exponential{Rate: x[0]}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Exponential) setup() *Exponential {
	d.set(d, "Exponential", d.Rate.Shape(), nil, given("rate", constraints.Positive, d.Rate))
	return d
}

// Expand implements [Distribution].
func (d *Exponential) Expand(batchShape ...int) Distribution {
	n := (&Exponential{Rate: d.Rate.Expand(batchShape...)}).setup()
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Exponential) Support() constraints.Constraint { return constraints.Nonnegative }

// HasRSample implements [Distribution].
func (d *Exponential) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *Exponential) RSample(sampleShape ...int) *torch.Tensor {
	return like(d.Rate).Empty(d.extended(sampleShape...)...).ExponentialInPlace(1).Div(d.Rate)
}

// LogProb implements [Distribution].
func (d *Exponential) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	return d.Rate.Log().Sub(d.Rate.Mul(value))
}

// CDF implements [Distribution].
func (d *Exponential) CDF(value *torch.Tensor) *torch.Tensor {
	d.checkValue("CDF", value)
	return d.Rate.Neg().Mul(value).Exp().RSubScalar(1)
}

// ICDF implements [Distribution].
func (d *Exponential) ICDF(value *torch.Tensor) *torch.Tensor {
	return value.Neg().Log1p().Neg().Div(d.Rate)
}

// Entropy implements [Distribution].
func (d *Exponential) Entropy() *torch.Tensor { return d.Rate.Log().RSubScalar(1.0) }

// Mean implements [Distribution].
func (d *Exponential) Mean() *torch.Tensor { return d.Rate.Reciprocal() }

// Mode implements [Distribution].
func (d *Exponential) Mode() *torch.Tensor { return torch.ZerosLike(d.Rate) }

// StdDev implements [Distribution].
func (d *Exponential) StdDev() *torch.Tensor { return d.Rate.Reciprocal() }

// Variance implements [Distribution].
func (d *Exponential) Variance() *torch.Tensor { return d.Rate.PowScalar(-2) }
