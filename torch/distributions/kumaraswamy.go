package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Kumaraswamy is the Kumaraswamy distribution: torch.distributions.Kumaraswamy.
// NewKumaraswamy makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#kumaraswamy
type Kumaraswamy struct {
	TransformedDistribution
	Concentration1, Concentration0 *torch.Tensor // the parameters a and b
}

// NewKumaraswamy returns a Kumaraswamy distribution: Kumaraswamy(concentration1, concentration0).
//
// https://docs.pytorch.org/docs/stable/distributions.html#kumaraswamy
func NewKumaraswamy(concentration1, concentration0 TensorOrNumber, options ...Options) *Kumaraswamy {
	x := broadcast("Kumaraswamy", named{"concentration1", concentration1}, named{"concentration0", concentration0})
	d := &Kumaraswamy{Concentration1: x[0], Concentration0: x[1]}
	base := NewUniform(torch.FullLike(x[1], 0), torch.FullLike(x[1], 1), options...)
	d.transform(d, "Kumaraswamy", base, []Transform{
		PowerTransform{d.Concentration0.Reciprocal()},
		AffineTransform{Loc: 1.0, Scale: -1.0},
		PowerTransform{d.Concentration1.Reciprocal()},
	}, d.args()...)
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Kumaraswamy) args() []parameter {
	return []parameter{given("concentration1", constraints.Positive, d.Concentration1), given("concentration0", constraints.Positive, d.Concentration0)}
}

// Expand implements [Distribution].
func (d *Kumaraswamy) Expand(batchShape ...int) Distribution {
	n := &Kumaraswamy{Concentration1: d.Concentration1.Expand(batchShape...), Concentration0: d.Concentration0.Expand(batchShape...)}
	d.expandTo(&n.TransformedDistribution, n, batchShape, n.args()...)
	return n
}

// Support implements [Distribution].
func (d *Kumaraswamy) Support() constraints.Constraint { return constraints.UnitInterval }

// Entropy implements [Distribution].
func (d *Kumaraswamy) Entropy() *torch.Tensor {
	t1, t0 := d.Concentration1.Reciprocal().RSubScalar(1), d.Concentration0.Reciprocal().RSubScalar(1)
	h := d.Concentration0.AddScalar(1).Digamma().AddScalar(eulerGamma)
	return t0.Add(t1.Mul(h)).Sub(d.Concentration1.Log()).Sub(d.Concentration0.Log())
}

// moment returns the mean of the samples to the power n.
func (d *Kumaraswamy) moment(n int) *torch.Tensor {
	a, b := d.Concentration1, d.Concentration0
	x := a.Reciprocal().MulScalar(n).AddScalar(1)
	return b.Mul(x.Lgamma().Add(b.Lgamma()).Sub(x.Add(b).Lgamma()).Exp())
}

// Mean implements [Distribution].
func (d *Kumaraswamy) Mean() *torch.Tensor { return d.moment(1) }

// Mode implements [Distribution]. It is NaN where a parameter is less than 1.
func (d *Kumaraswamy) Mode() *torch.Tensor {
	a, b := d.Concentration1, d.Concentration0
	mode := b.Reciprocal().Mul(b.Neg().Log1p()).Sub(b.Neg().Mul(a).Log1p())
	return mode.MaskedFill(b.LtScalar(1).LogicalOr(a.LtScalar(1)), math.NaN()).Exp()
}

// Variance implements [Distribution].
func (d *Kumaraswamy) Variance() *torch.Tensor { return d.moment(2).Sub(d.Mean().PowScalar(2)) }
