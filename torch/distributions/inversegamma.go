package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// InverseGamma is the distribution of the reciprocals of numbers of a [Gamma] distribution:
// torch.distributions.InverseGamma. NewInverseGamma makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#inversegamma
type InverseGamma struct{ TransformedDistribution }

// NewInverseGamma returns the distribution of 1/x of an x that has the distribution
// NewGamma(concentration, rate): InverseGamma(concentration, rate).
//
// https://docs.pytorch.org/docs/stable/distributions.html#inversegamma
func NewInverseGamma(concentration, rate TensorOrNumber, options ...Options) *InverseGamma {
	d := new(InverseGamma)
	base := NewGamma(concentration, rate, options...)
	power := PowerTransform{like(base.Rate).Full(-1)}
	d.transform(d, "InverseGamma", base, []Transform{power},
		property("concentration", constraints.Positive, base.Concentration), property("rate", constraints.Positive, base.Rate))
	d.check(torch.Only(options).ValidateArgs)
	return d
}

// Expand implements [Distribution].
func (d *InverseGamma) Expand(batchShape ...int) Distribution {
	n := new(InverseGamma)
	d.expandTo(&n.TransformedDistribution, n, batchShape)
	return n
}

// Concentration returns the shape α: concentration.
func (d *InverseGamma) Concentration() *torch.Tensor { return d.Base.(*Gamma).Concentration }

// Rate returns the scale β, which is the rate of x: rate.
func (d *InverseGamma) Rate() *torch.Tensor { return d.Base.(*Gamma).Rate }

// Support implements [Distribution].
func (d *InverseGamma) Support() constraints.Constraint { return constraints.Positive }

// Entropy implements [Distribution].
func (d *InverseGamma) Entropy() *torch.Tensor {
	a := d.Concentration()
	return a.Add(d.Rate().Log()).Add(a.Lgamma()).Sub(a.AddScalar(1).Mul(a.Digamma()))
}

// Mean implements [Distribution].
func (d *InverseGamma) Mean() *torch.Tensor {
	a := d.Concentration()
	return torch.Where(a.GtScalar(1), d.Rate().Div(a.SubScalar(1)), math.Inf(1))
}

// Mode implements [Distribution].
func (d *InverseGamma) Mode() *torch.Tensor { return d.Rate().Div(d.Concentration().AddScalar(1)) }

// Variance implements [Distribution].
func (d *InverseGamma) Variance() *torch.Tensor {
	a := d.Concentration()
	v := d.Rate().Square().Div(a.SubScalar(1).Square().Mul(a.SubScalar(2)))
	return torch.Where(a.GtScalar(2), v, math.Inf(1))
}
