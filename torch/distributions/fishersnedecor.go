package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// FisherSnedecor is the F distribution: torch.distributions.FisherSnedecor.
// NewFisherSnedecor makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#fishersnedecor
type FisherSnedecor struct {
	core
	DF1, DF2       *torch.Tensor // the degrees of freedom
	gamma1, gamma2 *Gamma
}

// NewFisherSnedecor returns an F distribution of degrees of freedom: FisherSnedecor(df1, df2).
//
// https://docs.pytorch.org/docs/stable/distributions.html#fishersnedecor
func NewFisherSnedecor(df1, df2 TensorOrNumber, options ...Options) *FisherSnedecor {
	x := broadcast("FisherSnedecor", named{"df1", df1}, named{"df2", df2})
	d := &FisherSnedecor{DF1: x[0], DF2: x[1]}
	d.setup().check(torch.Only(options).ValidateArgs)
	d.gamma1, d.gamma2 = NewGamma(d.DF1.MulScalar(0.5), d.DF1), NewGamma(d.DF2.MulScalar(0.5), d.DF2)
	return d
}

func (d *FisherSnedecor) setup() *FisherSnedecor {
	d.set(d, "FisherSnedecor", d.DF1.Shape(), nil, given("df1", constraints.Positive, d.DF1), given("df2", constraints.Positive, d.DF2))
	return d
}

// Expand implements [Distribution].
func (d *FisherSnedecor) Expand(batchShape ...int) Distribution {
	n := &FisherSnedecor{
		DF1: d.DF1.Expand(batchShape...), DF2: d.DF2.Expand(batchShape...),
		gamma1: d.gamma1.expand(batchShape), gamma2: d.gamma2.expand(batchShape),
	}
	n.setup().validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *FisherSnedecor) Support() constraints.Constraint { return constraints.Positive }

// HasRSample implements [Distribution].
func (d *FisherSnedecor) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *FisherSnedecor) RSample(sampleShape ...int) *torch.Tensor {
	x1, x2 := d.gamma1.RSample(sampleShape...), d.gamma2.RSample(sampleShape...)
	least := tiny(x2)
	return x1.Div(x2.ClampMin(least)).ClampMin(least)
}

// LogProb implements [Distribution].
func (d *FisherSnedecor) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	half1, half2, ratio := d.DF1.MulScalar(0.5), d.DF2.MulScalar(0.5), d.DF1.Div(d.DF2)
	t1 := half1.Add(half2).Lgamma().Sub(half1.Lgamma()).Sub(half2.Lgamma())
	t2 := half1.Mul(ratio.Log()).Add(half1.SubScalar(1).Mul(value.Log()))
	t3 := half1.Add(half2).Mul(ratio.Mul(value).Log1p())
	return t1.Add(t2).Sub(t3)
}

// Mean implements [Distribution]. It is NaN where DF2 is 2 or less.
func (d *FisherSnedecor) Mean() *torch.Tensor {
	df2 := d.DF2.MaskedFill(d.DF2.LeScalar(2), math.NaN())
	return df2.Div(df2.SubScalar(2))
}

// Mode implements [Distribution]. It is NaN where DF1 is 2 or less.
func (d *FisherSnedecor) Mode() *torch.Tensor {
	mode := d.DF1.SubScalar(2).Div(d.DF1).Mul(d.DF2).Div(d.DF2.AddScalar(2))
	return mode.MaskedFill(d.DF1.LeScalar(2), math.NaN())
}

// Variance implements [Distribution]. It is NaN where DF2 is 4 or less.
func (d *FisherSnedecor) Variance() *torch.Tensor {
	df2 := d.DF2.MaskedFill(d.DF2.LeScalar(4), math.NaN())
	above := df2.PowScalar(2).MulScalar(2).Mul(d.DF1.Add(df2).SubScalar(2))
	return above.Div(d.DF1.Mul(df2.SubScalar(2).PowScalar(2)).Mul(df2.SubScalar(4)))
}
