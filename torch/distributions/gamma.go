package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten/unchecked"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	"github.com/torchhub/torchhub/torch/special"
)

// Gamma is the gamma distribution: torch.distributions.Gamma. NewGamma makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#gamma
type Gamma struct {
	core
	Concentration, Rate *torch.Tensor // the shape α, and β, the inverse of the scale
}

// NewGamma returns a gamma distribution: Gamma(concentration, rate).
//
// https://docs.pytorch.org/docs/stable/distributions.html#gamma
func NewGamma(concentration, rate TensorOrNumber, options ...Options) *Gamma {
	x := broadcast("Gamma", named{"concentration", concentration}, named{"rate", rate})
	d := (&Gamma{Concentration: x[0], Rate: x[1]}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Gamma) setup() *Gamma {
	d.set(d, "Gamma", d.Concentration.Shape(), nil, given("concentration", constraints.Positive, d.Concentration), given("rate", constraints.Positive, d.Rate))
	return d
}

func (d *Gamma) expand(batchShape []int) *Gamma {
	n := (&Gamma{Concentration: d.Concentration.Expand(batchShape...), Rate: d.Rate.Expand(batchShape...)}).setup()
	n.validate = d.validate
	return n
}

// Expand implements [Distribution].
func (d *Gamma) Expand(batchShape ...int) Distribution { return d.expand(batchShape) }

// Support implements [Distribution].
func (d *Gamma) Support() constraints.Constraint { return constraints.Nonnegative }

// HasRSample implements [Distribution].
func (d *Gamma) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *Gamma) RSample(sampleShape ...int) *torch.Tensor {
	shape := d.extended(sampleShape...)
	value := unchecked.StandardGamma(d.Concentration.Expand(shape...), nil).Div(d.Rate.Expand(shape...))
	value.Detach().ClampMinInPlace(tiny(value)) // not recorded, as in Python
	return value
}

// LogProb implements [Distribution].
func (d *Gamma) LogProb(value *torch.Tensor) *torch.Tensor {
	value = value.To(d.Rate.Device(), torch.ToOptions{DType: d.Rate.DType()})
	d.checkValue("LogProb", value)
	return d.Concentration.Xlogy(d.Rate).
		Add(d.Concentration.SubScalar(1).Xlogy(value)).
		Sub(d.Rate.Mul(value)).
		Sub(d.Concentration.Lgamma())
}

// CDF implements [Distribution].
func (d *Gamma) CDF(value *torch.Tensor) *torch.Tensor {
	d.checkValue("CDF", value)
	return special.Gammainc(d.Concentration, d.Rate.Mul(value))
}

// Entropy implements [Distribution].
func (d *Gamma) Entropy() *torch.Tensor {
	return d.Concentration.Sub(d.Rate.Log()).Add(d.Concentration.Lgamma()).
		Add(d.Concentration.RSubScalar(1.0).Mul(d.Concentration.Digamma()))
}

// Mean implements [Distribution].
func (d *Gamma) Mean() *torch.Tensor { return d.Concentration.Div(d.Rate) }

// Mode implements [Distribution].
func (d *Gamma) Mode() *torch.Tensor {
	return d.Concentration.SubScalar(1).Div(d.Rate).ClampMin(0)
}

// Variance implements [Distribution].
func (d *Gamma) Variance() *torch.Tensor { return d.Concentration.Div(d.Rate.PowScalar(2)) }

// Chi2 is the χ² distribution, a [Gamma] distribution: torch.distributions.Chi2. NewChi2
// makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#chi2
type Chi2 struct{ Gamma }

// NewChi2 returns a χ² distribution of df degrees of freedom: Chi2(df).
//
// https://docs.pytorch.org/docs/stable/distributions.html#chi2
func NewChi2(df TensorOrNumber, options ...Options) *Chi2 {
	x := broadcast("Chi2", named{"df", df})[0].MulScalar(0.5)
	d := (&Chi2{Gamma{Concentration: x, Rate: like(x).Full(0.5).ExpandAs(x)}}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Chi2) setup() *Chi2 {
	d.set(d, "Chi2", d.Concentration.Shape(), nil, property("df", constraints.Positive, d.DF()))
	return d
}

// Expand implements [Distribution].
func (d *Chi2) Expand(batchShape ...int) Distribution { return d.expand(batchShape) }

func (d *Chi2) expand(batchShape []int) *Chi2 {
	n := (&Chi2{Gamma{Concentration: d.Concentration.Expand(batchShape...), Rate: d.Rate.Expand(batchShape...)}}).setup()
	n.validate = d.validate
	return n
}

// DF returns the degrees of freedom: df.
func (d *Chi2) DF() *torch.Tensor { return d.Concentration.MulScalar(2) }
