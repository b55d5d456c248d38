package distributions

import (
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Bernoulli is the distribution of 0 and 1: torch.distributions.Bernoulli. NewBernoulli
// makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#bernoulli
type Bernoulli struct {
	core
	odds
}

// BernoulliOptions are the options of [NewBernoulli].
type BernoulliOptions struct {
	Logits       TensorOrNumber // the logarithms of the odds of 1, instead of probs
	ValidateArgs *bool          // as in [Options]
}

// NewBernoulli returns a distribution of 1 with the probability probs, and else of 0:
// Bernoulli(probs).
//
//	m := distributions.NewBernoulli(nil, distributions.BernoulliOptions{Logits: x}) // Bernoulli(logits=x)
//
// https://docs.pytorch.org/docs/stable/distributions.html#bernoulli
func NewBernoulli(probs TensorOrNumber, options ...BernoulliOptions) *Bernoulli {
	o := torch.Only(options)
	d := new(Bernoulli)
	d.setBinary("Bernoulli", probs, o.Logits)
	d.setup().check(o.ValidateArgs)
	return d
}

func (d *Bernoulli) setup() *Bernoulli {
	d.set(d, "Bernoulli", d.param.Shape(), nil, d.binaryParameters()...)
	return d
}

// Expand implements [Distribution].
func (d *Bernoulli) Expand(batchShape ...int) Distribution {
	n := new(Bernoulli)
	n.expandFrom(&d.odds, batchShape...)
	n.setup().validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Bernoulli) Support() constraints.Constraint { return constraints.Boolean }

// Sample implements [Distribution].
func (d *Bernoulli) Sample(sampleShape ...int) *torch.Tensor {
	return noGrad(func() *torch.Tensor { return d.Probs().Expand(d.extended(sampleShape...)...).Bernoulli() })
}

// LogProb implements [Distribution].
func (d *Bernoulli) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	return crossEntropy(d.Logits(), value).Neg()
}

// Entropy implements [Distribution].
func (d *Bernoulli) Entropy() *torch.Tensor { return crossEntropy(d.Logits(), d.Probs()) }

// Mean implements [Distribution].
func (d *Bernoulli) Mean() *torch.Tensor { return d.Probs() }

// Mode implements [Distribution]. It is NaN where both events are equally probable.
func (d *Bernoulli) Mode() *torch.Tensor {
	p := d.Probs()
	return p.GeScalar(0.5).TypeAs(p).MaskedFill(p.EqScalar(0.5), math.NaN())
}

// Variance implements [Distribution].
func (d *Bernoulli) Variance() *torch.Tensor { return d.Probs().Mul(d.Probs().RSubScalar(1)) }

// EnumerateSupport returns 0 and 1 in a new first dimension: enumerate_support(expand).
func (d *Bernoulli) EnumerateSupport(options ...EnumerateSupportOptions) *torch.Tensor {
	return enumerate(like(d.param).Arange(2), d.batchShape, torch.Only(options))
}

// EnumerateSupportOptions are the options of the methods EnumerateSupport.
type EnumerateSupportOptions struct {
	NoExpand bool // the batch has the size 1 in each dimension: expand=False
}

// enumerate returns values in a first dimension before those of a batch.
func enumerate(values *torch.Tensor, batchShape []int, o EnumerateSupportOptions) *torch.Tensor {
	values = values.View(append([]int{-1}, slices.Repeat([]int{1}, len(batchShape))...)...)
	if o.NoExpand {
		return values
	}
	return values.Expand(append([]int{-1}, batchShape...)...)
}

// crossEntropy returns the cross entropy of each element, of tensors that are broadcast.
func crossEntropy(logits, target *torch.Tensor) *torch.Tensor {
	x := torch.BroadcastTensors([]*torch.Tensor{logits, target})
	return F.BinaryCrossEntropyWithLogits(x[0], x[1], F.BinaryCrossEntropyWithLogitsOptions{Reduction: "none"})
}
