package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Binomial is the distribution of the number of successes: torch.distributions.Binomial.
// NewBinomial makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#binomial
type Binomial struct {
	core
	odds
	TotalCount *torch.Tensor
}

// BinomialOptions are the options of [NewBinomial].
type BinomialOptions struct {
	Logits       TensorOrNumber // the logarithms of the odds of a success, instead of probs
	ValidateArgs *bool          // as in [Options]
}

// NewBinomial returns the distribution of the number of successes among totalCount trials
// with the probability probs: Binomial(total_count, probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#binomial
func NewBinomial(totalCount, probs TensorOrNumber, options ...BinomialOptions) *Binomial {
	o := torch.Only(options)
	d := new(Binomial)
	d.TotalCount = d.setBinary("Binomial", probs, o.Logits, named{"totalCount", totalCount})[0].TypeAs(d.param)
	d.setup().check(o.ValidateArgs)
	return d
}

func (d *Binomial) setup() *Binomial {
	count := given("total_count", constraints.NonnegativeInteger, d.TotalCount)
	d.set(d, "Binomial", d.param.Shape(), nil, append([]parameter{count}, d.binaryParameters()...)...)
	return d
}

// Expand implements [Distribution].
func (d *Binomial) Expand(batchShape ...int) Distribution { return d.expand(batchShape) }

func (d *Binomial) expand(batchShape []int) *Binomial {
	n := &Binomial{TotalCount: d.TotalCount.Expand(batchShape...)}
	n.expandFrom(&d.odds, batchShape...)
	n.setup().validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Binomial) Support() constraints.Constraint {
	return constraints.IntegerInterval(0, d.TotalCount)
}

// Sample implements [Distribution].
func (d *Binomial) Sample(sampleShape ...int) *torch.Tensor {
	shape := d.extended(sampleShape...)
	return noGrad(func() *torch.Tensor {
		return aten.Binomial(d.TotalCount.Expand(shape...), d.Probs().Expand(shape...), nil)
	})
}

// LogProb implements [Distribution].
func (d *Binomial) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	n, logits := d.TotalCount, d.Logits()
	ofN, ofK, ofRest := n.AddScalar(1).Lgamma(), value.AddScalar(1).Lgamma(), n.Sub(value).AddScalar(1).Lgamma()
	positive := logits.ClampMin(0).Add(logits).Sub(logits.ClampMax(0)).DivScalar(2) // with a gradient at 0
	normalizer := n.Mul(positive).Add(n.Mul(logits.Abs().Neg().Exp().Log1p())).Sub(ofN)
	return value.Mul(logits).Sub(ofK).Sub(ofRest).Sub(normalizer)
}

// Entropy implements [Distribution]. All total counts must be equal.
func (d *Binomial) Entropy() *torch.Tensor {
	d.oneCount("Entropy")
	p := d.LogProb(d.EnumerateSupport(EnumerateSupportOptions{NoExpand: true}))
	return p.Exp().Mul(p).Sum(0).Neg()
}

// Mean implements [Distribution].
func (d *Binomial) Mean() *torch.Tensor { return d.TotalCount.Mul(d.Probs()) }

// Mode implements [Distribution].
func (d *Binomial) Mode() *torch.Tensor {
	return d.TotalCount.AddScalar(1).Mul(d.Probs()).Floor().ClampMaxTensor(d.TotalCount)
}

// Variance implements [Distribution].
func (d *Binomial) Variance() *torch.Tensor { return d.Mean().Mul(d.Probs().RSubScalar(1)) }

// EnumerateSupport returns the possible numbers in a new first dimension:
// enumerate_support(expand). All total counts must be equal.
func (d *Binomial) EnumerateSupport(options ...EnumerateSupportOptions) *torch.Tensor {
	n := d.oneCount("EnumerateSupport")
	return enumerate(like(d.param).Arange(1+n), d.batchShape, torch.Only(options))
}

// oneCount returns the total count, which must be the same everywhere.
func (d *Binomial) oneCount(method string) int {
	n := d.TotalCount.Max().Item()
	if d.TotalCount.Min().Item() != n {
		notImplemented("Binomial."+method, "total counts that differ are not supported")
	}
	return int(n)
}

// NegativeBinomial is the distribution of the number of successes before a number of
// failures: torch.distributions.NegativeBinomial. NewNegativeBinomial makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#negativebinomial
type NegativeBinomial struct {
	core
	odds
	TotalCount *torch.Tensor
}

// NegativeBinomialOptions are the options of [NewNegativeBinomial].
type NegativeBinomialOptions struct {
	Logits       TensorOrNumber // the logarithms of the odds of a success, instead of probs
	ValidateArgs *bool          // as in [Options]
}

// NewNegativeBinomial returns the distribution of the number of successes, which have the
// probability probs, before totalCount failures: NegativeBinomial(total_count, probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#negativebinomial
func NewNegativeBinomial(totalCount, probs TensorOrNumber, options ...NegativeBinomialOptions) *NegativeBinomial {
	o := torch.Only(options)
	d := new(NegativeBinomial)
	d.TotalCount = d.setBinary("NegativeBinomial", probs, o.Logits, named{"totalCount", totalCount})[0].TypeAs(d.param)
	d.setup().check(o.ValidateArgs)
	return d
}

func (d *NegativeBinomial) setup() *NegativeBinomial {
	d.set(d, "NegativeBinomial", d.param.Shape(), nil,
		given("total_count", constraints.GreaterThanEq(0), d.TotalCount),
		parameter{name: "probs", constraint: constraints.HalfOpenInterval(0.0, 1.0), lazy: &d.probs},
		parameter{name: "logits", constraint: constraints.Real, lazy: &d.logits})
	return d
}

// Expand implements [Distribution].
func (d *NegativeBinomial) Expand(batchShape ...int) Distribution {
	n := &NegativeBinomial{TotalCount: d.TotalCount.Expand(batchShape...)}
	n.expandFrom(&d.odds, batchShape...)
	n.setup().validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *NegativeBinomial) Support() constraints.Constraint { return constraints.NonnegativeInteger }

// Sample implements [Distribution].
func (d *NegativeBinomial) Sample(sampleShape ...int) *torch.Tensor {
	return noGrad(func() *torch.Tensor {
		rates := NewGamma(d.TotalCount, d.Logits().Neg().Exp(), Options{ValidateArgs: new(false)})
		return rates.Sample(sampleShape...).Poisson()
	})
}

// LogProb implements [Distribution].
func (d *NegativeBinomial) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	n, logits := d.TotalCount, d.Logits()
	unnormalized := n.Mul(F.LogSigmoid(logits.Neg())).Add(value.Mul(F.LogSigmoid(logits)))
	sum := n.Add(value)
	normalizer := sum.Lgamma().Neg().Add(value.AddScalar(1.0).Lgamma()).Add(n.Lgamma())
	return unnormalized.Sub(normalizer.MaskedFill(sum.EqScalar(0.0), 0.0))
}

// Mean implements [Distribution].
func (d *NegativeBinomial) Mean() *torch.Tensor { return d.TotalCount.Mul(d.Logits().Exp()) }

// Mode implements [Distribution].
func (d *NegativeBinomial) Mode() *torch.Tensor {
	return d.TotalCount.SubScalar(1).Mul(d.Logits().Exp()).Floor().ClampMin(0.0)
}

// Variance implements [Distribution].
func (d *NegativeBinomial) Variance() *torch.Tensor { return d.Mean().Div(d.Logits().Neg().Sigmoid()) }

// Geometric is the distribution of the number of failures before a success:
// torch.distributions.Geometric. NewGeometric makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#geometric
type Geometric struct {
	core
	odds
}

// GeometricOptions are the options of [NewGeometric].
type GeometricOptions struct {
	Logits       TensorOrNumber // the logarithms of the odds of a success, instead of probs
	ValidateArgs *bool          // as in [Options]
}

// NewGeometric returns the distribution of the number of failures before a success, which
// has the probability probs: Geometric(probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#geometric
func NewGeometric(probs TensorOrNumber, options ...GeometricOptions) *Geometric {
	o := torch.Only(options)
	d := new(Geometric)
	d.setBinary("Geometric", probs, o.Logits)
	d.setup().check(o.ValidateArgs)
	if p := d.probs.value(); d.validate && p != nil {
		if why := violation(constraints.Positive, p); why != "" {
			fail("Geometric", "probs, of shape %v, %s", p.Shape(), why)
		}
	}
	return d
}

func (d *Geometric) setup() *Geometric {
	d.set(d, "Geometric", d.param.Shape(), nil, d.binaryParameters()...)
	return d
}

// Expand implements [Distribution].
func (d *Geometric) Expand(batchShape ...int) Distribution {
	n := new(Geometric)
	n.expandFrom(&d.odds, batchShape...)
	n.setup().validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Geometric) Support() constraints.Constraint { return constraints.NonnegativeInteger }

// Sample implements [Distribution].
func (d *Geometric) Sample(sampleShape ...int) *torch.Tensor {
	return noGrad(func() *torch.Tensor {
		p := d.Probs()
		u := like(p).Empty(d.extended(sampleShape...)...).UniformInPlace(tiny(p), 1)
		return u.Log().Div(p.Neg().Log1p()).Floor()
	})
}

// LogProb implements [Distribution].
func (d *Geometric) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	x := torch.BroadcastTensors([]*torch.Tensor{value, d.Probs()})
	value, p := x[0], x[1]
	p = p.MaskedFill(p.EqScalar(1).LogicalAnd(value.EqScalar(0)), 0)
	return value.Mul(p.Neg().Log1p()).Add(d.Probs().Log())
}

// Entropy implements [Distribution].
func (d *Geometric) Entropy() *torch.Tensor {
	return crossEntropy(d.Logits(), d.Probs()).Div(d.Probs())
}

// Mean implements [Distribution].
func (d *Geometric) Mean() *torch.Tensor { return d.Probs().Reciprocal().SubScalar(1.0) }

// Mode implements [Distribution].
func (d *Geometric) Mode() *torch.Tensor { return torch.ZerosLike(d.Probs()) }

// Variance implements [Distribution].
func (d *Geometric) Variance() *torch.Tensor { return d.Mean().Div(d.Probs()) }
