package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Weibull is the Weibull distribution with two parameters: torch.distributions.Weibull.
// NewWeibull makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#weibull
type Weibull struct {
	TransformedDistribution
	Scale, Concentration    *torch.Tensor // λ and the shape k
	ConcentrationReciprocal *torch.Tensor // 1 / Concentration
}

// NewWeibull returns a Weibull distribution: Weibull(scale, concentration).
//
// https://docs.pytorch.org/docs/stable/distributions.html#weibull
func NewWeibull(scale, concentration TensorOrNumber, options ...Options) *Weibull {
	x := broadcast("Weibull", named{"scale", scale}, named{"concentration", concentration})
	d := &Weibull{Scale: x[0], Concentration: x[1], ConcentrationReciprocal: x[1].Reciprocal()}
	d.setup(NewExponential(torch.OnesLike(d.Scale), options...))
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Weibull) setup(base Distribution) {
	d.transform(d, "Weibull", base, []Transform{PowerTransform{d.ConcentrationReciprocal}, AffineTransform{Loc: 0, Scale: d.Scale}},
		given("scale", constraints.Positive, d.Scale), given("concentration", constraints.Positive, d.Concentration))
}

// Expand implements [Distribution].
func (d *Weibull) Expand(batchShape ...int) Distribution {
	n := &Weibull{Scale: d.Scale.Expand(batchShape...), Concentration: d.Concentration.Expand(batchShape...)}
	n.ConcentrationReciprocal = n.Concentration.Reciprocal()
	n.setup(d.Base.Expand(batchShape...))
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Weibull) Support() constraints.Constraint { return constraints.Positive }

// Entropy implements [Distribution].
func (d *Weibull) Entropy() *torch.Tensor {
	r := d.ConcentrationReciprocal
	return r.RSubScalar(1).MulScalar(eulerGamma).Add(d.Scale.Mul(r).Log()).AddScalar(1)
}

// Mean implements [Distribution].
func (d *Weibull) Mean() *torch.Tensor {
	return d.Scale.Mul(d.ConcentrationReciprocal.AddScalar(1).Lgamma().Exp())
}

// Mode implements [Distribution].
func (d *Weibull) Mode() *torch.Tensor {
	k := d.Concentration
	return d.Scale.Mul(k.SubScalar(1).Div(k).Pow(k.Reciprocal()))
}

// Variance implements [Distribution].
func (d *Weibull) Variance() *torch.Tensor {
	r := d.ConcentrationReciprocal
	return d.Scale.PowScalar(2).Mul(
		r.MulScalar(2).AddScalar(1).Lgamma().Exp().
			Sub(r.AddScalar(1).Lgamma().MulScalar(2).Exp()))
}
