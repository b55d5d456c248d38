package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Pareto is the Pareto distribution of type 1: torch.distributions.Pareto. NewPareto makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#pareto
type Pareto struct {
	TransformedDistribution
	Scale, Alpha *torch.Tensor // the least value, and the shape
}

// NewPareto returns a Pareto distribution of numbers from scale on: Pareto(scale, alpha).
//
// https://docs.pytorch.org/docs/stable/distributions.html#pareto
func NewPareto(scale, alpha TensorOrNumber, options ...Options) *Pareto {
	x := broadcast("Pareto", named{"scale", scale}, named{"alpha", alpha})
	d := &Pareto{Scale: x[0], Alpha: x[1]}
	base := NewExponential(d.Alpha, options...)
	d.transform(d, "Pareto", base, []Transform{ExpTransform{}, AffineTransform{Loc: 0, Scale: d.Scale}}, d.args()...)
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Pareto) args() []parameter {
	return []parameter{given("alpha", constraints.Positive, d.Alpha), given("scale", constraints.Positive, d.Scale)}
}

// Expand implements [Distribution].
func (d *Pareto) Expand(batchShape ...int) Distribution {
	n := &Pareto{Scale: d.Scale.Expand(batchShape...), Alpha: d.Alpha.Expand(batchShape...)}
	d.expandTo(&n.TransformedDistribution, n, batchShape, n.args()...)
	return n
}

// Support implements [Distribution].
func (d *Pareto) Support() constraints.Constraint { return constraints.GreaterThanEq(d.Scale) }

// Entropy implements [Distribution].
func (d *Pareto) Entropy() *torch.Tensor {
	return d.Scale.Div(d.Alpha).Log().Add(d.Alpha.Reciprocal().AddScalar(1))
}

// Mean implements [Distribution].
func (d *Pareto) Mean() *torch.Tensor {
	a := d.Alpha.ClampMin(1)
	return a.Mul(d.Scale).Div(a.SubScalar(1))
}

// Mode implements [Distribution].
func (d *Pareto) Mode() *torch.Tensor { return d.Scale }

// Variance implements [Distribution].
func (d *Pareto) Variance() *torch.Tensor {
	a := d.Alpha.ClampMin(2)
	return d.Scale.PowScalar(2).Mul(a).Div(a.SubScalar(1).PowScalar(2).Mul(a.SubScalar(2)))
}

// GeneralizedPareto is the generalized Pareto distribution:
// torch.distributions.GeneralizedPareto. NewGeneralizedPareto makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#generalizedpareto
type GeneralizedPareto struct {
	core
	Loc, Scale, Concentration *torch.Tensor
}

// NewGeneralizedPareto returns a generalized Pareto distribution of numbers from loc on:
// GeneralizedPareto(loc, scale, concentration).
//
// https://docs.pytorch.org/docs/stable/distributions.html#generalizedpareto
func NewGeneralizedPareto(loc, scale, concentration TensorOrNumber, options ...Options) *GeneralizedPareto {
	x := broadcast("GeneralizedPareto", named{"loc", loc}, named{"scale", scale}, named{"concentration", concentration})
	d := (&GeneralizedPareto{Loc: x[0], Scale: x[1], Concentration: x[2]}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *GeneralizedPareto) setup() *GeneralizedPareto {
	d.set(d, "GeneralizedPareto", d.Loc.Shape(), nil,
		given("loc", constraints.Real, d.Loc), given("scale", constraints.Positive, d.Scale), given("concentration", constraints.Real, d.Concentration))
	return d
}

// Expand implements [Distribution].
func (d *GeneralizedPareto) Expand(batchShape ...int) Distribution {
	n := (&GeneralizedPareto{
		Loc: d.Loc.Expand(batchShape...), Scale: d.Scale.Expand(batchShape...), Concentration: d.Concentration.Expand(batchShape...),
	}).setup()
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *GeneralizedPareto) Support() constraints.Constraint {
	end := d.Loc.Sub(d.Scale.Div(d.Concentration))
	return constraints.Interval(d.Loc, torch.Where(d.Concentration.LtScalar(0), end, math.Inf(1)))
}

// HasRSample implements [Distribution].
func (d *GeneralizedPareto) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *GeneralizedPareto) RSample(sampleShape ...int) *torch.Tensor {
	return d.ICDF(like(d.Loc).Rand(d.extended(sampleShape...)...))
}

// safe returns where the concentration is 0, and the concentration with 1 there.
func (d *GeneralizedPareto) safe() (isZero, concentration *torch.Tensor) {
	c := d.Concentration
	isZero = c.IsClose(torch.ZerosLike(c), 1e-5, 1e-8)
	return isZero, torch.Where(isZero, torch.OnesLike(c), c)
}

// LogProb implements [Distribution].
func (d *GeneralizedPareto) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	z := value.Sub(d.Loc).Div(d.Scale)
	isZero, c := d.safe()
	y := c.Reciprocal().MulScalar(1).Add(torch.OnesLike(z))
	nonzero := torch.Where(y.EqScalar(0), y, y.Mul(c.Mul(z).Log1p()))
	return d.Scale.Log().Neg().Sub(torch.Where(isZero, z, nonzero))
}

// LogSurvivalFunction returns the logarithm of the probability of more than value:
// log_survival_function(value).
func (d *GeneralizedPareto) LogSurvivalFunction(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogSurvivalFunction", value)
	z := value.Sub(d.Loc).Div(d.Scale)
	isZero, c := d.safe()
	nonzero := c.Mul(z).Log1p().Neg().Div(c)
	return torch.Where(isZero, z.Neg(), nonzero)
}

// LogCDF returns the logarithm of the probability of at most value: log_cdf(value).
func (d *GeneralizedPareto) LogCDF(value *torch.Tensor) *torch.Tensor {
	return d.LogSurvivalFunction(value).Exp().Neg().Log1p()
}

// CDF implements [Distribution].
func (d *GeneralizedPareto) CDF(value *torch.Tensor) *torch.Tensor { return d.LogCDF(value).Exp() }

// ICDF implements [Distribution].
func (d *GeneralizedPareto) ICDF(value *torch.Tensor) *torch.Tensor {
	isZero, c := d.safe()
	logu := value.Neg().Log1p()
	nonzero := d.Loc.Add(d.Scale.Div(c).Mul(c.Neg().Mul(logu).Expm1()))
	return torch.Where(isZero, d.Loc.Sub(d.Scale.Mul(logu)), nonzero)
}

// Entropy implements [Distribution].
func (d *GeneralizedPareto) Entropy() *torch.Tensor {
	return d.Scale.Log().Add(d.Concentration).AddScalar(1).BroadcastTo(d.batchShape...)
}

// Mean implements [Distribution]. It is NaN where the concentration is 1 or more.
func (d *GeneralizedPareto) Mean() *torch.Tensor {
	ok := d.Concentration.LtScalar(1)
	c := torch.Where(ok, d.Concentration, 0.5)
	return torch.Where(ok, d.Loc.Add(d.Scale.Div(c.RSubScalar(1))), math.NaN())
}

// Mode implements [Distribution].
func (d *GeneralizedPareto) Mode() *torch.Tensor { return d.Loc }

// Variance implements [Distribution]. It is NaN where the concentration is 0.5 or more.
func (d *GeneralizedPareto) Variance() *torch.Tensor {
	ok := d.Concentration.LtScalar(0.5)
	c := torch.Where(ok, d.Concentration, 0.25)
	v := d.Scale.PowScalar(2).Div(c.RSubScalar(1).PowScalar(2).Mul(c.MulScalar(2).RSubScalar(1)))
	return torch.Where(ok, v, math.NaN())
}
