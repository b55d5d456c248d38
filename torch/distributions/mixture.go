package distributions

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// MixtureSameFamily is a mixture of distributions that are one batch:
// torch.distributions.MixtureSameFamily. NewMixtureSameFamily makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#mixturesamefamily
type MixtureSameFamily struct {
	core
	Mixture   *Categorical // mixture_distribution
	Component Distribution // component_distribution
}

// NewMixtureSameFamily returns a mixture of the distributions along the last dimension of
// the batch of component, which mixture chooses:
// MixtureSameFamily(mixture_distribution, component_distribution).
//
// https://docs.pytorch.org/docs/stable/distributions.html#mixturesamefamily
func NewMixtureSameFamily(mixture *Categorical, component Distribution, options ...Options) *MixtureSameFamily {
	batch := component.BatchShape()
	n := len(batch) - 1
	if n < 0 || batch[n] != mixture.events {
		fail("MixtureSameFamily", "the batch of the components has the shape %v; its last size must be %d, the number of events of the mixture", batch, mixture.events)
	}
	mixture.Logits() // computed here, as the repr shows
	broadcastShapes("MixtureSameFamily", mixture.batchShape, batch[:n])
	d := &MixtureSameFamily{Mixture: mixture, Component: component}
	d.set(d, "MixtureSameFamily", batch[:n:n], component.EventShape())
	d.check(torch.Only(options).ValidateArgs)
	return d
}

// Expand implements [Distribution].
func (d *MixtureSameFamily) Expand(batchShape ...int) Distribution {
	n := &MixtureSameFamily{
		Mixture:   d.Mixture.expand(batchShape),
		Component: d.Component.Expand(append(batchShape[:len(batchShape):len(batchShape)], d.Mixture.events)...),
	}
	n.set(n, "MixtureSameFamily", slices.Clone(batchShape), d.eventShape)
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *MixtureSameFamily) Support() constraints.Constraint {
	return &constraints.MixtureSameFamilyConstraint{Base: d.Component.Support()}
}

// dim is the dimension of the components, from the end.
func (d *MixtureSameFamily) dim() int { return -1 - len(d.eventShape) }

// Sample implements [Distribution].
func (d *MixtureSameFamily) Sample(sampleShape ...int) *torch.Tensor {
	return noGrad(func() *torch.Tensor {
		chosen := d.Mixture.Sample(sampleShape...)
		components := d.Component.Sample(sampleShape...)
		ones := make([]int, len(d.eventShape)+1)
		for i := range ones {
			ones[i] = 1
		}
		repeats := slices.Concat(slices.Repeat([]int{1}, chosen.Dim()+1), d.eventShape)
		chosen = chosen.Reshape(append(chosen.Shape(), ones...)...).Repeat(repeats...)
		at := len(sampleShape) + len(d.batchShape)
		return components.Gather(at, chosen).Squeeze(at)
	})
}

// LogProb implements [Distribution].
func (d *MixtureSameFamily) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	p := d.Component.LogProb(value.Unsqueeze(d.dim()))
	return p.Add(d.Mixture.Logits().LogSoftmax(-1)).Logsumexp(-1)
}

// CDF implements [Distribution].
func (d *MixtureSameFamily) CDF(value *torch.Tensor) *torch.Tensor {
	return d.Component.CDF(value.Unsqueeze(d.dim())).Mul(d.Mixture.Probs()).Sum(-1)
}

// weights returns the probabilities of the components, for products with their moments.
func (d *MixtureSameFamily) weights() *torch.Tensor {
	p := d.Mixture.Probs()
	shape := p.Shape()
	end := len(shape) - 1
	n := 0
	if len(d.Mixture.batchShape) != 1 {
		n = len(d.batchShape) - len(d.Mixture.batchShape)
	}
	return p.Reshape(slices.Concat(shape[:end], slices.Repeat([]int{1}, n), shape[end:], slices.Repeat([]int{1}, len(d.eventShape)))...)
}

// Mean implements [Distribution].
func (d *MixtureSameFamily) Mean() *torch.Tensor {
	return d.weights().Mul(d.Component.Mean()).Sum(d.dim())
}

// Variance implements [Distribution].
func (d *MixtureSameFamily) Variance() *torch.Tensor {
	p := d.weights()
	within := p.Mul(d.Component.Variance()).Sum(d.dim())
	between := p.Mul(d.Component.Mean().Sub(d.Mean().Unsqueeze(d.dim())).PowScalar(2.0)).Sum(d.dim())
	return within.Add(between)
}

// String returns Python's repr.
func (d *MixtureSameFamily) String() string {
	return fmt.Sprintf("MixtureSameFamily(\n  %v,\n  %v)", d.Mixture, d.Component)
}
