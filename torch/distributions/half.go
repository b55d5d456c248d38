package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// HalfNormal is the distribution of the absolute values of Gaussian numbers:
// torch.distributions.HalfNormal. NewHalfNormal makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#halfnormal
type HalfNormal struct{ TransformedDistribution }

// NewHalfNormal returns the distribution of |x| of a Gaussian x with the mean 0 and the
// standard deviation scale: HalfNormal(scale).
//
// https://docs.pytorch.org/docs/stable/distributions.html#halfnormal
func NewHalfNormal(scale TensorOrNumber, options ...Options) *HalfNormal {
	d := new(HalfNormal)
	base := NewNormal(0, scale, Options{ValidateArgs: new(false)})
	d.transform(d, "HalfNormal", base, []Transform{AbsTransform{}}, property("scale", constraints.Positive, base.Scale))
	d.check(torch.Only(options).ValidateArgs)
	return d
}

// Expand implements [Distribution].
func (d *HalfNormal) Expand(batchShape ...int) Distribution {
	n := new(HalfNormal)
	d.expandTo(&n.TransformedDistribution, n, batchShape)
	return n
}

func (d *HalfNormal) normal() *Normal { return d.Base.(*Normal) }

// Scale returns the standard deviation of x: scale.
func (d *HalfNormal) Scale() *torch.Tensor { return d.normal().Scale }

// Support implements [Distribution].
func (d *HalfNormal) Support() constraints.Constraint { return constraints.Nonnegative }

// LogProb implements [Distribution].
func (d *HalfNormal) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	return halved(d.Base.LogProb(value), value)
}

// halved returns the logarithm of the density of absolute values.
func halved(logProb, value *torch.Tensor) *torch.Tensor {
	return torch.Where(value.GeScalar(0), logProb.AddScalar(log2), math.Inf(-1))
}

// CDF implements [Distribution].
func (d *HalfNormal) CDF(value *torch.Tensor) *torch.Tensor {
	d.checkValue("CDF", value)
	return d.Base.CDF(value).MulScalar(2).SubScalar(1)
}

// ICDF implements [Distribution].
func (d *HalfNormal) ICDF(value *torch.Tensor) *torch.Tensor {
	return d.Base.ICDF(value.AddScalar(1).DivScalar(2))
}

// Entropy implements [Distribution].
func (d *HalfNormal) Entropy() *torch.Tensor { return d.Base.Entropy().SubScalar(log2) }

// Mean implements [Distribution].
func (d *HalfNormal) Mean() *torch.Tensor { return d.Scale().MulScalar(0.7978845608028654) } // √(2/π)

// Mode implements [Distribution].
func (d *HalfNormal) Mode() *torch.Tensor { return torch.ZerosLike(d.Scale()) }

// Variance implements [Distribution].
func (d *HalfNormal) Variance() *torch.Tensor {
	return d.Scale().PowScalar(2).MulScalar(0.3633802276324186) // 1 - 2/π
}

// HalfCauchy is the distribution of the absolute values of numbers of a Cauchy distribution:
// torch.distributions.HalfCauchy. NewHalfCauchy makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#halfcauchy
type HalfCauchy struct{ TransformedDistribution }

// NewHalfCauchy returns the distribution of |x| of an x that has the distribution
// NewCauchy(0, scale): HalfCauchy(scale).
//
// https://docs.pytorch.org/docs/stable/distributions.html#halfcauchy
func NewHalfCauchy(scale TensorOrNumber, options ...Options) *HalfCauchy {
	d := new(HalfCauchy)
	base := NewCauchy(0, scale, Options{ValidateArgs: new(false)})
	d.transform(d, "HalfCauchy", base, []Transform{AbsTransform{}}, property("scale", constraints.Positive, base.Scale))
	d.check(torch.Only(options).ValidateArgs)
	return d
}

// Expand implements [Distribution].
func (d *HalfCauchy) Expand(batchShape ...int) Distribution {
	n := new(HalfCauchy)
	d.expandTo(&n.TransformedDistribution, n, batchShape)
	return n
}

// Scale returns the parameter of the distribution of x: scale.
func (d *HalfCauchy) Scale() *torch.Tensor { return d.Base.(*Cauchy).Scale }

// Support implements [Distribution].
func (d *HalfCauchy) Support() constraints.Constraint { return constraints.Nonnegative }

// LogProb implements [Distribution].
func (d *HalfCauchy) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	value = value.To(d.Scale().Device(), torch.ToOptions{DType: d.Scale().DType()})
	return halved(d.Base.LogProb(value), value)
}

// CDF implements [Distribution].
func (d *HalfCauchy) CDF(value *torch.Tensor) *torch.Tensor {
	d.checkValue("CDF", value)
	return d.Base.CDF(value).MulScalar(2).SubScalar(1)
}

// ICDF implements [Distribution].
func (d *HalfCauchy) ICDF(value *torch.Tensor) *torch.Tensor {
	return d.Base.ICDF(value.AddScalar(1).DivScalar(2))
}

// Entropy implements [Distribution].
func (d *HalfCauchy) Entropy() *torch.Tensor { return d.Base.Entropy().SubScalar(log2) }

// Mean implements [Distribution]. It is infinite.
func (d *HalfCauchy) Mean() *torch.Tensor {
	return like(d.Scale()).Full(math.Inf(1), d.extended()...)
}

// Mode implements [Distribution].
func (d *HalfCauchy) Mode() *torch.Tensor { return torch.ZerosLike(d.Scale()) }

// Variance implements [Distribution]. It is infinite.
func (d *HalfCauchy) Variance() *torch.Tensor { return d.Base.Variance() }
