package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Categorical is the distribution of the integers from 0 to n-1 by their probabilities:
// torch.distributions.Categorical. NewCategorical makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#categorical
type Categorical struct {
	core
	odds
	events int
}

// CategoricalOptions are the options of [NewCategorical].
type CategoricalOptions struct {
	Logits       *torch.Tensor // [..., n], logarithms of probabilities that need not be normalized, instead of probs
	ValidateArgs *bool         // as in [Options]
}

// NewCategorical returns a distribution of the indices of the last dimension of probs,
// [..., n], non-negative numbers that need not have the sum 1: Categorical(probs).
//
//	m := distributions.NewCategorical(nil, distributions.CategoricalOptions{Logits: x}) // Categorical(logits=x)
//
// https://docs.pytorch.org/docs/stable/distributions.html#categorical
func NewCategorical(probs *torch.Tensor, options ...CategoricalOptions) *Categorical {
	o := torch.Only(options)
	d := new(Categorical)
	switch {
	case (probs == nil) == (o.Logits == nil):
		fail("Categorical", "give either probs or Logits, and not both")
	case probs != nil:
		vector("Categorical", "probs", probs)
		d.setProbs(probs.Div(sumLast(probs)))
	default:
		vector("Categorical", "Logits", o.Logits)
		d.setLogits(o.Logits.Sub(logsumexpLast(o.Logits)))
	}
	d.setup().check(o.ValidateArgs)
	return d
}

// vector requires that a tensor has a dimension.
func vector(op, name string, x *torch.Tensor) {
	if x.Dim() < 1 {
		fail(op, "%s has no dimensions; it must have one or more", name)
	}
}

func (d *Categorical) setup() *Categorical {
	n := d.param.Dim() - 1
	d.events = d.param.Size(n)
	d.set(d, "Categorical", d.param.Shape()[:n], nil, d.categoricalParameters()...)
	return d
}

func (d *Categorical) expand(batchShape []int) *Categorical {
	n := new(Categorical)
	n.expandFrom(&d.odds, append(batchShape[:len(batchShape):len(batchShape)], d.events)...)
	n.setup().validate = d.validate
	return n
}

// Expand implements [Distribution].
func (d *Categorical) Expand(batchShape ...int) Distribution { return d.expand(batchShape) }

// Support implements [Distribution].
func (d *Categorical) Support() constraints.Constraint {
	return constraints.IntegerInterval(0, d.events-1)
}

// Sample implements [Distribution]. Samples are int64.
func (d *Categorical) Sample(sampleShape ...int) *torch.Tensor {
	n := 1
	for _, size := range sampleShape {
		n *= size
	}
	rows := d.Probs().Reshape(-1, d.events)
	return rows.Multinomial(n, torch.MultinomialOptions{Replacement: true}).T().Reshape(d.extended(sampleShape...)...)
}

// LogProb implements [Distribution].
func (d *Categorical) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	x := torch.BroadcastTensors([]*torch.Tensor{value.ToDType(torch.Int64).Unsqueeze(-1), d.Logits()})
	return x[1].Gather(-1, x[0].Narrow(-1, 0, 1)).Squeeze(-1)
}

// Entropy implements [Distribution].
func (d *Categorical) Entropy() *torch.Tensor {
	logits := d.Logits()
	return logits.ClampMin(lowest(logits)).Mul(d.Probs()).Sum(-1).Neg()
}

// Mean implements [Distribution]. It is NaN.
func (d *Categorical) Mean() *torch.Tensor {
	return like(d.Probs()).Full(math.NaN(), d.extended()...)
}

// Mode implements [Distribution].
func (d *Categorical) Mode() *torch.Tensor { return d.Probs().ArgMax(-1) }

// Variance implements [Distribution]. It is NaN.
func (d *Categorical) Variance() *torch.Tensor { return d.Mean() }

// EnumerateSupport returns the integers in a new first dimension: enumerate_support(expand).
func (d *Categorical) EnumerateSupport(options ...EnumerateSupportOptions) *torch.Tensor {
	values := torch.Options{DType: torch.Int64, Device: d.param.Device()}.Arange(d.events)
	return enumerate(values, d.batchShape, torch.Only(options))
}
