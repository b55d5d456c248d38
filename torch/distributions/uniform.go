package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Uniform is the uniform distribution on an interval: torch.distributions.Uniform.
// NewUniform makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#uniform
type Uniform struct {
	core
	Low, High *torch.Tensor
}

// NewUniform returns a uniform distribution from low up to but not including high:
// Uniform(low, high).
//
// https://docs.pytorch.org/docs/stable/distributions.html#uniform
func NewUniform(low, high TensorOrNumber, options ...Options) *Uniform {
	x := broadcast("Uniform", named{"low", low}, named{"high", high})
	d := (&Uniform{Low: x[0], High: x[1]}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Uniform) setup() *Uniform {
	d.set(d, "Uniform", d.Low.Shape(), nil, given("low", constraints.LessThan(d.High), d.Low), given("high", constraints.GreaterThan(d.Low), d.High))
	return d
}

// Expand implements [Distribution].
func (d *Uniform) Expand(batchShape ...int) Distribution {
	n := (&Uniform{Low: d.Low.Expand(batchShape...), High: d.High.Expand(batchShape...)}).setup()
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Uniform) Support() constraints.Constraint { return constraints.Interval(d.Low, d.High) }

// HasRSample implements [Distribution].
func (d *Uniform) HasRSample() bool { return true }

func (d *Uniform) width() *torch.Tensor { return d.High.Sub(d.Low) }

// RSample implements [Distribution].
func (d *Uniform) RSample(sampleShape ...int) *torch.Tensor {
	u := like(d.Low).Rand(d.extended(sampleShape...)...)
	return d.Low.Add(u.Mul(d.width()))
}

// LogProb implements [Distribution].
func (d *Uniform) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	inside := d.Low.Le(value).TypeAs(d.Low).Mul(d.High.Gt(value).TypeAs(d.Low))
	return inside.Log().Sub(d.width().Log())
}

// CDF implements [Distribution].
func (d *Uniform) CDF(value *torch.Tensor) *torch.Tensor {
	d.checkValue("CDF", value)
	return value.Sub(d.Low).Div(d.width()).Clamp(0, 1)
}

// ICDF implements [Distribution].
func (d *Uniform) ICDF(value *torch.Tensor) *torch.Tensor { return value.Mul(d.width()).Add(d.Low) }

// Entropy implements [Distribution].
func (d *Uniform) Entropy() *torch.Tensor { return d.width().Log() }

// Mean implements [Distribution].
func (d *Uniform) Mean() *torch.Tensor { return d.High.Add(d.Low).DivScalar(2) }

// Mode implements [Distribution]. It is NaN.
func (d *Uniform) Mode() *torch.Tensor { return d.High.MulScalar(math.NaN()) }

// StdDev implements [Distribution].
func (d *Uniform) StdDev() *torch.Tensor { return d.width().DivScalar(3.4641016151377544) } // √12

// Variance implements [Distribution].
func (d *Uniform) Variance() *torch.Tensor { return d.width().PowScalar(2).DivScalar(12) }
