package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// ContinuousBernoulli is a distribution on the interval from 0 to 1:
// torch.distributions.ContinuousBernoulli. NewContinuousBernoulli makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#continuousbernoulli
type ContinuousBernoulli struct {
	core
	odds
	lims [2]float64
}

// ContinuousBernoulliOptions are the options of [NewContinuousBernoulli].
type ContinuousBernoulliOptions struct {
	Logits TensorOrNumber // the logarithms of the odds, instead of probs

	// Lims are the ends of the interval of probabilities in which a Taylor series is used,
	// as the formulas are not stable there. The default is 0.499 and 0.501.
	Lims *[2]float64

	ValidateArgs *bool // as in [Options]
}

// NewContinuousBernoulli returns a continuous Bernoulli distribution:
// ContinuousBernoulli(probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#continuousbernoulli
func NewContinuousBernoulli(probs TensorOrNumber, options ...ContinuousBernoulliOptions) *ContinuousBernoulli {
	o := torch.Only(options)
	d := &ContinuousBernoulli{lims: [2]float64{0.499, 0.501}}
	if o.Lims != nil {
		d.lims = *o.Lims
	}
	d.setBinary("ContinuousBernoulli", probs, o.Logits)
	d.isClamped = true
	if p := d.probs.value(); p != nil {
		if o.ValidateArgs != nil { // otherwise the probabilities are clamped without a check, as in Python
			d.setup().check(o.ValidateArgs)
		}
		d.setProbs(clampProbs(p))
	}
	d.setup().check(o.ValidateArgs)
	return d
}

func (d *ContinuousBernoulli) setup() *ContinuousBernoulli {
	d.set(d, "ContinuousBernoulli", d.param.Shape(), nil, d.binaryParameters()...)
	return d
}

// Expand implements [Distribution].
func (d *ContinuousBernoulli) Expand(batchShape ...int) Distribution {
	n := &ContinuousBernoulli{lims: d.lims}
	n.expandFrom(&d.odds, batchShape...)
	n.setup().validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *ContinuousBernoulli) Support() constraints.Constraint { return constraints.UnitInterval }

// HasRSample implements [Distribution].
func (d *ContinuousBernoulli) HasRSample() bool { return true }

// stable returns where the formulas are stable.
func (d *ContinuousBernoulli) stable() *torch.Tensor {
	p := d.Probs()
	return p.LeScalar(d.lims[0]).Maximum(p.GtScalar(d.lims[1]))
}

// cut returns the probabilities, and a stable one where they are not.
func (d *ContinuousBernoulli) cut() *torch.Tensor {
	p := d.Probs()
	return torch.Where(d.stable(), p, torch.OnesLike(p).MulScalar(d.lims[0]))
}

// logNorm returns the logarithm of the constant of normalization.
func (d *ContinuousBernoulli) logNorm() *torch.Tensor {
	p := d.cut()
	below := torch.Where(p.LeScalar(0.5), p, torch.ZerosLike(p))
	above := torch.Where(p.GeScalar(0.5), p, torch.OnesLike(p))
	norm := p.Neg().Log1p().Sub(p.Log()).Abs().Log().
		Sub(torch.Where(p.LeScalar(0.5), below.MulScalar(-2.0).Log1p(), above.MulScalar(2.0).SubScalar(1.0).Log()))
	x := d.Probs().SubScalar(0.5).PowScalar(2)
	taylor := x.MulScalar(104.0 / 45.0).AddScalar(4.0 / 3.0).Mul(x).AddScalar(log2)
	return torch.Where(d.stable(), norm, taylor)
}

// RSample implements [Distribution].
func (d *ContinuousBernoulli) RSample(sampleShape ...int) *torch.Tensor {
	return d.ICDF(like(d.Probs()).Rand(d.extended(sampleShape...)...))
}

// LogProb implements [Distribution].
func (d *ContinuousBernoulli) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	return crossEntropy(d.Logits(), value).Neg().Add(d.logNorm())
}

// CDF implements [Distribution].
func (d *ContinuousBernoulli) CDF(value *torch.Tensor) *torch.Tensor {
	d.checkValue("CDF", value)
	p := d.cut()
	formula := p.Pow(value).Mul(p.RSubScalar(1.0).Pow(value.RSubScalar(1.0))).
		Add(p).SubScalar(1.0).Div(p.MulScalar(2.0).SubScalar(1.0))
	inside := torch.Where(d.stable(), formula, value)
	return torch.Where(value.LeScalar(0.0), torch.ZerosLike(value),
		torch.Where(value.GeScalar(1.0), torch.OnesLike(value), inside))
}

// ICDF implements [Distribution].
func (d *ContinuousBernoulli) ICDF(value *torch.Tensor) *torch.Tensor {
	p := d.cut()
	formula := p.Neg().Add(value.Mul(p.MulScalar(2.0).SubScalar(1.0))).Log1p().Sub(p.Neg().Log1p()).
		Div(p.Log().Sub(p.Neg().Log1p()))
	return torch.Where(d.stable(), formula, value)
}

// Entropy implements [Distribution].
func (d *ContinuousBernoulli) Entropy() *torch.Tensor {
	log0, log1 := d.Probs().Neg().Log1p(), d.Probs().Log()
	return d.Mean().Mul(log0.Sub(log1)).Sub(d.logNorm()).Sub(log0)
}

// Mean implements [Distribution].
func (d *ContinuousBernoulli) Mean() *torch.Tensor {
	p := d.cut()
	formula := p.Div(p.MulScalar(2.0).SubScalar(1.0)).Add(p.Neg().Log1p().Sub(p.Log()).Reciprocal())
	x := d.Probs().SubScalar(0.5)
	taylor := x.PowScalar(2).MulScalar(16.0 / 45.0).AddScalar(1.0 / 3.0).Mul(x).AddScalar(0.5)
	return torch.Where(d.stable(), formula, taylor)
}

// Variance implements [Distribution].
func (d *ContinuousBernoulli) Variance() *torch.Tensor {
	p := d.cut()
	formula := p.Mul(p.SubScalar(1.0)).Div(p.MulScalar(2.0).RSubScalar(1.0).PowScalar(2)).
		Add(p.Neg().Log1p().Sub(p.Log()).PowScalar(2).Reciprocal())
	x := d.Probs().SubScalar(0.5).PowScalar(2)
	taylor := x.MulScalar(128.0 / 945.0).RSubScalar(1.0 / 15.0).Mul(x).RSubScalar(1.0 / 12.0)
	return torch.Where(d.stable(), formula, taylor)
}
