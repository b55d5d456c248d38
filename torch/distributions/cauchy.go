package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Cauchy is the Cauchy or Lorentz distribution: torch.distributions.Cauchy. NewCauchy makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#cauchy
type Cauchy struct {
	core
	Loc, Scale *torch.Tensor // the median, and half the width at half of the maximum
}

// NewCauchy returns a Cauchy distribution of the median loc: Cauchy(loc, scale).
//
// https://docs.pytorch.org/docs/stable/distributions.html#cauchy
func NewCauchy(loc, scale TensorOrNumber, options ...Options) *Cauchy {
	x := broadcast("Cauchy", named{"loc", loc}, named{"scale", scale})
	d := (&Cauchy{Loc: x[0], Scale: x[1]}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Cauchy) setup() *Cauchy {
	d.set(d, "Cauchy", d.Loc.Shape(), nil, given("loc", constraints.Real, d.Loc), given("scale", constraints.Positive, d.Scale))
	return d
}

// Expand implements [Distribution].
func (d *Cauchy) Expand(batchShape ...int) Distribution {
	n := (&Cauchy{Loc: d.Loc.Expand(batchShape...), Scale: d.Scale.Expand(batchShape...)}).setup()
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Cauchy) Support() constraints.Constraint { return constraints.Real }

// HasRSample implements [Distribution].
func (d *Cauchy) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *Cauchy) RSample(sampleShape ...int) *torch.Tensor {
	eps := like(d.Loc).Empty(d.extended(sampleShape...)...).CauchyInPlace(0, 1)
	return d.Loc.Add(eps.Mul(d.Scale))
}

// LogProb implements [Distribution].
func (d *Cauchy) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	z := value.Sub(d.Loc).Div(d.Scale)
	return d.Scale.Log().RSubScalar(-logPi).Sub(z.PowScalar(2).Log1p())
}

// CDF implements [Distribution].
func (d *Cauchy) CDF(value *torch.Tensor) *torch.Tensor {
	d.checkValue("CDF", value)
	return value.Sub(d.Loc).Div(d.Scale).Atan().DivScalar(math.Pi).AddScalar(0.5)
}

// ICDF implements [Distribution].
func (d *Cauchy) ICDF(value *torch.Tensor) *torch.Tensor {
	return value.SubScalar(0.5).MulScalar(math.Pi).Tan().Mul(d.Scale).Add(d.Loc)
}

// Entropy implements [Distribution].
func (d *Cauchy) Entropy() *torch.Tensor { return d.Scale.Log().AddScalar(2.5310242469692907) } // log(4π)

// Mean implements [Distribution]. It is NaN.
func (d *Cauchy) Mean() *torch.Tensor { return like(d.Loc).Full(math.NaN(), d.extended()...) }

// Mode implements [Distribution].
func (d *Cauchy) Mode() *torch.Tensor { return d.Loc }

// Variance implements [Distribution]. It is infinite.
func (d *Cauchy) Variance() *torch.Tensor { return like(d.Loc).Full(math.Inf(1), d.extended()...) }
