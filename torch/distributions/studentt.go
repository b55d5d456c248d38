package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// StudentT is Student's t distribution: torch.distributions.StudentT. NewStudentT makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#studentt
type StudentT struct {
	core
	DF, Loc, Scale *torch.Tensor // the degrees of freedom, the mode and the scale
	chi2           *Chi2
}

// StudentTOptions are the options of [NewStudentT].
type StudentTOptions struct {
	Loc          TensorOrNumber // nil is 0
	Scale        TensorOrNumber // nil is 1
	ValidateArgs *bool          // as in [Options]
}

// NewStudentT returns Student's distribution of df degrees of freedom: StudentT(df, loc, scale).
//
// https://docs.pytorch.org/docs/stable/distributions.html#studentt
func NewStudentT(df TensorOrNumber, options ...StudentTOptions) *StudentT {
	o := torch.Only(options)
	if isNil(o.Loc) {
		o.Loc = 0.0
	}
	if isNil(o.Scale) {
		o.Scale = 1.0
	}
	x := broadcast("StudentT", named{"df", df}, named{"Loc", o.Loc}, named{"Scale", o.Scale})
	d := &StudentT{DF: x[0], Loc: x[1], Scale: x[2]}
	d.setup().check(o.ValidateArgs)
	d.chi2 = NewChi2(d.DF)
	return d
}

func (d *StudentT) setup() *StudentT {
	d.set(d, "StudentT", d.DF.Shape(), nil,
		given("df", constraints.Positive, d.DF), given("loc", constraints.Real, d.Loc), given("scale", constraints.Positive, d.Scale))
	return d
}

// Expand implements [Distribution].
func (d *StudentT) Expand(batchShape ...int) Distribution {
	n := &StudentT{
		DF: d.DF.Expand(batchShape...), Loc: d.Loc.Expand(batchShape...), Scale: d.Scale.Expand(batchShape...),
		chi2: d.chi2.expand(batchShape),
	}
	n.setup().validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *StudentT) Support() constraints.Constraint { return constraints.Real }

// HasRSample implements [Distribution].
func (d *StudentT) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *StudentT) RSample(sampleShape ...int) *torch.Tensor {
	x := standardNormal(d.DF, d.extended(sampleShape...))
	z := d.chi2.RSample(sampleShape...)
	return d.Loc.Add(d.Scale.Mul(x.Mul(z.Div(d.DF).Rsqrt())))
}

// LogProb implements [Distribution].
func (d *StudentT) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	y := value.Sub(d.Loc).Div(d.Scale)
	z := d.Scale.Log().Add(d.DF.Log().MulScalar(0.5)).AddScalar(0.5 * logPi).
		Add(d.DF.MulScalar(0.5).Lgamma()).Sub(d.DF.AddScalar(1.0).MulScalar(0.5).Lgamma())
	return d.DF.AddScalar(1.0).MulScalar(-0.5).Mul(y.PowScalar(2.0).Div(d.DF).Log1p()).Sub(z)
}

// Entropy implements [Distribution].
func (d *StudentT) Entropy() *torch.Tensor {
	half := func() *torch.Tensor { return d.DF.MulScalar(0.5) } // anew each time, for the order in which gradients are added
	more := func() *torch.Tensor { return d.DF.AddScalar(1).MulScalar(0.5) }
	logBeta := half().Lgamma().AddScalar(0.5723649429247004).Sub(more().Lgamma()) // log Γ(1/2)
	return d.Scale.Log().Add(more().Mul(more().Digamma().Sub(half().Digamma()))).
		Add(d.DF.Log().MulScalar(0.5)).Add(logBeta)
}

// Mean implements [Distribution]. It is NaN where DF is 1 or less.
func (d *StudentT) Mean() *torch.Tensor { return d.Loc.MaskedFill(d.DF.LeScalar(1), math.NaN()) }

// Mode implements [Distribution].
func (d *StudentT) Mode() *torch.Tensor { return d.Loc }

// Variance implements [Distribution]. It is infinite where DF is 2 or less, and NaN where
// it is 1 or less.
func (d *StudentT) Variance() *torch.Tensor {
	finite := d.DF.GtScalar(2)
	df := func() *torch.Tensor { return d.DF.MaskedSelect(finite) }
	v := d.Scale.MaskedSelect(finite).PowScalar(2).Mul(df()).Div(df().SubScalar(2))
	return d.DF.Clone().SetIndex(v, finite).
		MaskedFill(d.DF.LeScalar(2), math.Inf(1)).
		MaskedFill(d.DF.LeScalar(1), math.NaN())
}
