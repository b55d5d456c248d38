package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// LogNormal is the distribution of numbers whose logarithms are Gaussian:
// torch.distributions.LogNormal. NewLogNormal makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#lognormal
type LogNormal struct{ TransformedDistribution }

// NewLogNormal returns the distribution of exp(x) of an x that has the distribution
// NewNormal(loc, scale): LogNormal(loc, scale).
//
// https://docs.pytorch.org/docs/stable/distributions.html#lognormal
func NewLogNormal(loc, scale TensorOrNumber, options ...Options) *LogNormal {
	d := new(LogNormal)
	base := NewNormal(loc, scale, options...)
	d.transform(d, "LogNormal", base, []Transform{ExpTransform{}},
		property("loc", constraints.Real, base.Loc), property("scale", constraints.Positive, base.Scale))
	d.check(torch.Only(options).ValidateArgs)
	return d
}

// Expand implements [Distribution].
func (d *LogNormal) Expand(batchShape ...int) Distribution {
	n := new(LogNormal)
	d.expandTo(&n.TransformedDistribution, n, batchShape)
	return n
}

// Loc returns the mean of x: loc.
func (d *LogNormal) Loc() *torch.Tensor { return d.Base.(*Normal).Loc }

// Scale returns the standard deviation of x: scale.
func (d *LogNormal) Scale() *torch.Tensor { return d.Base.(*Normal).Scale }

// Support implements [Distribution].
func (d *LogNormal) Support() constraints.Constraint { return constraints.Positive }

// Entropy implements [Distribution].
func (d *LogNormal) Entropy() *torch.Tensor { return d.Base.Entropy().Add(d.Loc()) }

// Mean implements [Distribution].
func (d *LogNormal) Mean() *torch.Tensor {
	return d.Loc().Add(d.Scale().PowScalar(2).DivScalar(2)).Exp()
}

// Mode implements [Distribution].
func (d *LogNormal) Mode() *torch.Tensor { return d.Loc().Sub(d.Scale().Square()).Exp() }

// Variance implements [Distribution].
func (d *LogNormal) Variance() *torch.Tensor {
	s := d.Scale().PowScalar(2)
	return s.Expm1().Mul(d.Loc().MulScalar(2).Add(s).Exp())
}

// LogisticNormal is the distribution of vectors of probabilities whose log-odds are
// Gaussian: torch.distributions.LogisticNormal. NewLogisticNormal makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#logisticnormal
type LogisticNormal struct{ TransformedDistribution }

// NewLogisticNormal returns the distribution of vectors of n+1 probabilities of Gaussian
// vectors of n numbers, of the mean loc and the standard deviation scale:
// LogisticNormal(loc, scale).
//
// https://docs.pytorch.org/docs/stable/distributions.html#logisticnormal
func NewLogisticNormal(loc, scale TensorOrNumber, options ...Options) *LogisticNormal {
	d := new(LogisticNormal)
	base := NewNormal(loc, scale, options...)
	if len(base.batchShape) == 0 {
		base = base.Expand(1).(*Normal)
	}
	d.transform(d, "LogisticNormal", base, []Transform{StickBreakingTransform{}},
		property("loc", constraints.Real, base.Loc), property("scale", constraints.Positive, base.Scale))
	d.check(torch.Only(options).ValidateArgs)
	return d
}

// Expand implements [Distribution].
func (d *LogisticNormal) Expand(batchShape ...int) Distribution {
	n := new(LogisticNormal)
	d.expandTo(&n.TransformedDistribution, n, batchShape)
	return n
}

func (d *LogisticNormal) normal() *Normal { return d.Base.(*Independent).Base.(*Normal) }

// Loc returns the mean of the Gaussian vectors: loc.
func (d *LogisticNormal) Loc() *torch.Tensor { return d.normal().Loc }

// Scale returns the standard deviation of the Gaussian vectors: scale.
func (d *LogisticNormal) Scale() *torch.Tensor { return d.normal().Scale }

// Support implements [Distribution].
func (d *LogisticNormal) Support() constraints.Constraint { return constraints.Simplex }
