package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Multinomial is the distribution of the counts of several events:
// torch.distributions.Multinomial. NewMultinomial makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#multinomial
type Multinomial struct {
	core
	TotalCount int

	categorical *Categorical
	binomial    *Binomial
}

// MultinomialOptions are the options of [NewMultinomial].
type MultinomialOptions struct {
	Logits       *torch.Tensor // [..., n], logarithms of probabilities that need not be normalized, instead of probs
	ValidateArgs *bool         // as in [Options]
}

// NewMultinomial returns the distribution of the counts of n events in totalCount draws, by
// their probabilities [..., n], which need not have the sum 1: Multinomial(total_count, probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#multinomial
func NewMultinomial(totalCount int, probs *torch.Tensor, options ...MultinomialOptions) *Multinomial {
	o := torch.Only(options)
	d := &Multinomial{TotalCount: totalCount, categorical: NewCategorical(probs, CategoricalOptions{Logits: o.Logits})}
	d.binomial = NewBinomial(totalCount, d.Probs())
	d.setup().check(o.ValidateArgs)
	return d
}

// setup leaves the parameters to be checked to the categorical distribution.
func (d *Multinomial) setup() *Multinomial {
	d.set(d, "Multinomial", d.categorical.batchShape, []int{d.categorical.events})
	return d
}

// Expand implements [Distribution].
func (d *Multinomial) Expand(batchShape ...int) Distribution {
	n := &Multinomial{TotalCount: d.TotalCount, categorical: d.categorical.expand(batchShape)}
	n.binomial = d.binomial.expand(append(batchShape[:len(batchShape):len(batchShape)], d.eventShape...))
	n.setup().validate = d.validate
	return n
}

// Probs returns the probabilities: probs.
func (d *Multinomial) Probs() *torch.Tensor { return d.categorical.Probs() }

// Logits returns the logarithms of the probabilities: logits.
func (d *Multinomial) Logits() *torch.Tensor { return d.categorical.Logits() }

// Support implements [Distribution].
func (d *Multinomial) Support() constraints.Constraint { return constraints.Multinomial(d.TotalCount) }

// Sample implements [Distribution].
func (d *Multinomial) Sample(sampleShape ...int) *torch.Tensor {
	draws := d.categorical.Sample(append([]int{d.TotalCount}, sampleShape...)...)
	draws = draws.Movedim(0, -1)
	counts := like(draws).Zeros(d.extended(sampleShape...)...)
	return counts.ScatterAddInPlace(-1, draws, torch.OnesLike(draws)).TypeAs(d.Probs())
}

// LogProb implements [Distribution].
func (d *Multinomial) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	x := torch.BroadcastTensors([]*torch.Tensor{d.Logits(), value})
	logits, value := x[0], x[1]
	ofN, ofKs := value.Sum(-1).AddScalar(1).Lgamma(), value.AddScalar(1).Lgamma().Sum(-1)
	logits = logits.MaskedFill(value.EqScalar(0).LogicalAnd(logits.EqScalar(math.Inf(-1))), 0)
	return ofN.Sub(ofKs).Add(logits.Mul(value).Sum(-1))
}

// Entropy implements [Distribution].
func (d *Multinomial) Entropy() *torch.Tensor {
	n := like(d.Probs()).Full(d.TotalCount)
	t1 := n.Mul(d.categorical.Entropy()).Sub(n.AddScalar(1).Lgamma())
	counts := d.binomial.EnumerateSupport(EnumerateSupportOptions{NoExpand: true})
	counts = counts.Narrow(0, 1, counts.Size(0)-1)
	weights := counts.AddScalar(1).Lgamma()
	return t1.Add(d.binomial.LogProb(counts).Exp().Mul(weights).Sum(0, -1))
}

// Mean implements [Distribution].
func (d *Multinomial) Mean() *torch.Tensor { return d.Probs().MulScalar(d.TotalCount) }

// Variance implements [Distribution].
func (d *Multinomial) Variance() *torch.Tensor { return d.Mean().Mul(d.Probs().RSubScalar(1)) }

// OneHotCategorical is [Categorical] of vectors with a 1 at the index, and else zeros:
// torch.distributions.OneHotCategorical. NewOneHotCategorical makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#onehotcategorical
type OneHotCategorical struct {
	core
	categorical *Categorical
}

// OneHotCategoricalOptions are the options of [NewOneHotCategorical] and [NewOneHotCategoricalStraightThrough].
type OneHotCategoricalOptions struct {
	Logits       *torch.Tensor // [..., n], logarithms of probabilities that need not be normalized, instead of probs
	ValidateArgs *bool         // as in [Options]
}

// NewOneHotCategorical returns a distribution of vectors with a 1 at an index of the last
// dimension of probs: OneHotCategorical(probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#onehotcategorical
func NewOneHotCategorical(probs *torch.Tensor, options ...OneHotCategoricalOptions) *OneHotCategorical {
	o := torch.Only(options)
	d := &OneHotCategorical{categorical: NewCategorical(probs, CategoricalOptions{Logits: o.Logits})}
	d.setup(d, "OneHotCategorical").check(o.ValidateArgs)
	return d
}

// setup leaves the parameters to be checked to the categorical distribution.
func (d *OneHotCategorical) setup(self Distribution, name string) *OneHotCategorical {
	d.set(self, name, d.categorical.batchShape, []int{d.categorical.events})
	return d
}

// Expand implements [Distribution].
func (d *OneHotCategorical) Expand(batchShape ...int) Distribution {
	n := &OneHotCategorical{categorical: d.categorical.expand(batchShape)}
	n.setup(n, d.name).validate = d.validate
	return n
}

// Probs returns the probabilities: probs.
func (d *OneHotCategorical) Probs() *torch.Tensor { return d.categorical.Probs() }

// Logits returns the logarithms of the probabilities: logits.
func (d *OneHotCategorical) Logits() *torch.Tensor { return d.categorical.Logits() }

// Support implements [Distribution].
func (d *OneHotCategorical) Support() constraints.Constraint { return constraints.OneHot }

// Sample implements [Distribution].
func (d *OneHotCategorical) Sample(sampleShape ...int) *torch.Tensor {
	return F.OneHot(d.categorical.Sample(sampleShape...), d.categorical.events).TypeAs(d.Probs())
}

// LogProb implements [Distribution].
func (d *OneHotCategorical) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	_, indices := value.MaxDim(-1)
	return d.categorical.LogProb(indices)
}

// Entropy implements [Distribution].
func (d *OneHotCategorical) Entropy() *torch.Tensor { return d.categorical.Entropy() }

// Mean implements [Distribution].
func (d *OneHotCategorical) Mean() *torch.Tensor { return d.Probs() }

// Mode implements [Distribution].
func (d *OneHotCategorical) Mode() *torch.Tensor {
	return F.OneHot(d.Probs().ArgMax(-1), d.categorical.events).TypeAs(d.Probs())
}

// Variance implements [Distribution].
func (d *OneHotCategorical) Variance() *torch.Tensor { return d.Probs().Mul(d.Probs().RSubScalar(1)) }

// EnumerateSupport returns the vectors in a new first dimension: enumerate_support(expand).
func (d *OneHotCategorical) EnumerateSupport(options ...EnumerateSupportOptions) *torch.Tensor {
	n := d.categorical.events
	shape := []int{n}
	for range d.batchShape {
		shape = append(shape, 1)
	}
	values := like(d.categorical.param).Eye(n).View(append(shape, n)...)
	if !torch.Only(options).NoExpand {
		values = values.Expand(append([]int{n}, d.extended()...)...)
	}
	return values
}

// OneHotCategoricalStraightThrough is [OneHotCategorical] with samples through which
// gradients flow as if they were the probabilities:
// torch.distributions.OneHotCategoricalStraightThrough. NewOneHotCategoricalStraightThrough
// makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.one_hot_categorical.OneHotCategoricalStraightThrough
type OneHotCategoricalStraightThrough struct{ OneHotCategorical }

// NewOneHotCategoricalStraightThrough is like [NewOneHotCategorical]:
// OneHotCategoricalStraightThrough(probs).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.one_hot_categorical.OneHotCategoricalStraightThrough
func NewOneHotCategoricalStraightThrough(probs *torch.Tensor, options ...OneHotCategoricalOptions) *OneHotCategoricalStraightThrough {
	o := torch.Only(options)
	d := &OneHotCategoricalStraightThrough{OneHotCategorical{categorical: NewCategorical(probs, CategoricalOptions{Logits: o.Logits})}}
	d.setup(d, "OneHotCategoricalStraightThrough").check(o.ValidateArgs)
	return d
}

// Expand implements [Distribution].
func (d *OneHotCategoricalStraightThrough) Expand(batchShape ...int) Distribution {
	n := &OneHotCategoricalStraightThrough{OneHotCategorical{categorical: d.categorical.expand(batchShape)}}
	n.setup(n, d.name).validate = d.validate
	return n
}

// HasRSample implements [Distribution].
func (d *OneHotCategoricalStraightThrough) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *OneHotCategoricalStraightThrough) RSample(sampleShape ...int) *torch.Tensor {
	p := d.Probs()
	return d.Sample(sampleShape...).Add(p.Sub(p.Detach()))
}
