package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Gumbel is the Gumbel distribution, of the greatest of many numbers:
// torch.distributions.Gumbel. NewGumbel makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#gumbel
type Gumbel struct {
	TransformedDistribution
	Loc, Scale *torch.Tensor
}

// NewGumbel returns a Gumbel distribution of the mode loc: Gumbel(loc, scale).
//
// https://docs.pytorch.org/docs/stable/distributions.html#gumbel
func NewGumbel(loc, scale TensorOrNumber, options ...Options) *Gumbel {
	x := broadcast("Gumbel", named{"loc", loc}, named{"scale", scale})
	d := &Gumbel{Loc: x[0], Scale: x[1]}
	base := NewUniform(torch.FullLike(d.Loc, tiny(d.Loc)), torch.FullLike(d.Loc, 1-eps(d.Loc)), options...)
	d.transform(d, "Gumbel", base, []Transform{
		ExpTransform{}.Inv(),
		AffineTransform{Loc: 0, Scale: torch.OnesLike(d.Scale).Neg()},
		ExpTransform{}.Inv(),
		AffineTransform{Loc: loc, Scale: d.Scale.Neg()},
	}, d.args()...)
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Gumbel) args() []parameter {
	return []parameter{given("loc", constraints.Real, d.Loc), given("scale", constraints.Positive, d.Scale)}
}

// Expand implements [Distribution].
func (d *Gumbel) Expand(batchShape ...int) Distribution {
	n := &Gumbel{Loc: d.Loc.Expand(batchShape...), Scale: d.Scale.Expand(batchShape...)}
	d.expandTo(&n.TransformedDistribution, n, batchShape, n.args()...)
	return n
}

// Support implements [Distribution].
func (d *Gumbel) Support() constraints.Constraint { return constraints.Real }

// LogProb implements [Distribution].
func (d *Gumbel) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	y := d.Loc.Sub(value).Div(d.Scale)
	return y.Sub(y.Exp()).Sub(d.Scale.Log())
}

// Entropy implements [Distribution].
func (d *Gumbel) Entropy() *torch.Tensor { return d.Scale.Log().AddScalar(1 + eulerGamma) }

// Mean implements [Distribution].
func (d *Gumbel) Mean() *torch.Tensor { return d.Loc.Add(d.Scale.MulScalar(eulerGamma)) }

// Mode implements [Distribution].
func (d *Gumbel) Mode() *torch.Tensor { return d.Loc }

// StdDev implements [Distribution].
func (d *Gumbel) StdDev() *torch.Tensor { return d.Scale.MulScalar(1.282549830161864) } // π/√6

// Variance implements [Distribution].
func (d *Gumbel) Variance() *torch.Tensor { return d.StdDev().PowScalar(2) }
