package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Normal is the Gaussian distribution: torch.distributions.Normal. NewNormal makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#normal
type Normal struct {
	core
	Loc, Scale *torch.Tensor // the mean and the standard deviation
}

// NewNormal returns a Gaussian distribution of the mean loc and the standard deviation
// scale: Normal(loc, scale).
//
// https://docs.pytorch.org/docs/stable/distributions.html#normal
func NewNormal(loc, scale TensorOrNumber, options ...Options) *Normal {
	x := broadcast("Normal", named{"loc", loc}, named{"scale", scale})
	d := (&Normal{Loc: x[0], Scale: x[1]}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Normal) setup() *Normal {
	d.set(d, "Normal", d.Loc.Shape(), nil, given("loc", constraints.Real, d.Loc), given("scale", constraints.Positive, d.Scale))
	return d
}

// Expand implements [Distribution].
func (d *Normal) Expand(batchShape ...int) Distribution {
	n := (&Normal{Loc: d.Loc.Expand(batchShape...), Scale: d.Scale.Expand(batchShape...)}).setup()
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Normal) Support() constraints.Constraint { return constraints.Real }

// HasRSample implements [Distribution].
func (d *Normal) HasRSample() bool { return true }

// Sample implements [Distribution].
func (d *Normal) Sample(sampleShape ...int) *torch.Tensor {
	shape := d.extended(sampleShape...)
	return noGrad(func() *torch.Tensor { return torch.Normal(d.Loc.Expand(shape...), d.Scale.Expand(shape...)) })
}

// RSample implements [Distribution].
func (d *Normal) RSample(sampleShape ...int) *torch.Tensor {
	eps := standardNormal(d.Loc, d.extended(sampleShape...))
	return d.Loc.Add(eps.Mul(d.Scale))
}

// LogProb implements [Distribution].
func (d *Normal) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	const logSqrt2Pi = 0.9189385332046727
	squares := value.Sub(d.Loc).PowScalar(2).Neg()
	return squares.Div(d.Scale.PowScalar(2).MulScalar(2)).Sub(d.Scale.Log()).SubScalar(logSqrt2Pi)
}

// CDF implements [Distribution].
func (d *Normal) CDF(value *torch.Tensor) *torch.Tensor {
	d.checkValue("CDF", value)
	return value.Sub(d.Loc).Mul(d.Scale.Reciprocal()).DivScalar(math.Sqrt2).Erf().AddScalar(1).MulScalar(0.5)
}

// ICDF implements [Distribution].
func (d *Normal) ICDF(value *torch.Tensor) *torch.Tensor {
	z := value.MulScalar(2).SubScalar(1).Erfinv()
	return d.Loc.Add(d.Scale.Mul(z).MulScalar(math.Sqrt2))
}

// Entropy implements [Distribution].
func (d *Normal) Entropy() *torch.Tensor { return d.Scale.Log().AddScalar(1.4189385332046727) } // (1 + log(2π)) / 2

// Mean implements [Distribution].
func (d *Normal) Mean() *torch.Tensor { return d.Loc }

// Mode implements [Distribution].
func (d *Normal) Mode() *torch.Tensor { return d.Loc }

// StdDev implements [Distribution].
func (d *Normal) StdDev() *torch.Tensor { return d.Scale }

// Variance implements [Distribution].
func (d *Normal) Variance() *torch.Tensor { return d.Scale.PowScalar(2) }

// standardNormal draws numbers of x's dtype, of the mean 0 and the standard deviation 1.
func standardNormal(x *torch.Tensor, shape []int) *torch.Tensor {
	return like(x).Empty(shape...).NormalInPlace(0, 1)
}
