package distributions

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// Independent takes some dimensions of the batch of a distribution as dimensions of its
// events: torch.distributions.Independent. NewIndependent makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#independent
type Independent struct {
	core
	Base                    Distribution // base_dist
	ReinterpretedBatchNdims int
}

// NewIndependent returns base with the last dimensions of its batch taken as dimensions of
// its events, over which [Distribution.LogProb] sums: Independent(base, reinterpreted_batch_ndims).
//
// https://docs.pytorch.org/docs/stable/distributions.html#independent
func NewIndependent(base Distribution, reinterpretedBatchNdims int, options ...Options) *Independent {
	if n := len(base.BatchShape()); reinterpretedBatchNdims < 0 || reinterpretedBatchNdims > n {
		fail("Independent", "reinterpretedBatchNdims is %d; it must be from 0 to %d, the number of dimensions of the batch of the base", reinterpretedBatchNdims, n)
	}
	d := (&Independent{Base: base, ReinterpretedBatchNdims: reinterpretedBatchNdims}).setup()
	d.check(torch.Only(options).ValidateArgs)
	return d
}

func (d *Independent) setup() *Independent {
	shape := slices.Concat(d.Base.BatchShape(), d.Base.EventShape())
	n := len(d.Base.BatchShape()) - d.ReinterpretedBatchNdims
	d.set(d, "Independent", shape[:n:n], shape[n:])
	return d
}

// Expand implements [Distribution].
func (d *Independent) Expand(batchShape ...int) Distribution {
	base := d.Base.Expand(slices.Concat(batchShape, d.eventShape[:d.ReinterpretedBatchNdims])...)
	n := (&Independent{Base: base, ReinterpretedBatchNdims: d.ReinterpretedBatchNdims}).setup()
	n.validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *Independent) Support() constraints.Constraint {
	if d.ReinterpretedBatchNdims == 0 {
		return d.Base.Support()
	}
	return constraints.Independent(d.Base.Support(), d.ReinterpretedBatchNdims)
}

// HasRSample implements [Distribution].
func (d *Independent) HasRSample() bool { return d.Base.HasRSample() }

// Sample implements [Distribution].
func (d *Independent) Sample(sampleShape ...int) *torch.Tensor { return d.Base.Sample(sampleShape...) }

// RSample implements [Distribution].
func (d *Independent) RSample(sampleShape ...int) *torch.Tensor {
	return d.Base.RSample(sampleShape...)
}

// LogProb implements [Distribution].
func (d *Independent) LogProb(value *torch.Tensor) *torch.Tensor {
	return sumRightmost(d.Base.LogProb(value), d.ReinterpretedBatchNdims)
}

// Entropy implements [Distribution].
func (d *Independent) Entropy() *torch.Tensor {
	return sumRightmost(d.Base.Entropy(), d.ReinterpretedBatchNdims)
}

// Mean implements [Distribution].
func (d *Independent) Mean() *torch.Tensor { return d.Base.Mean() }

// Mode implements [Distribution].
func (d *Independent) Mode() *torch.Tensor { return d.Base.Mode() }

// Variance implements [Distribution].
func (d *Independent) Variance() *torch.Tensor { return d.Base.Variance() }

// String returns Python's repr.
func (d *Independent) String() string {
	return fmt.Sprintf("Independent(%v, %d)", d.Base, d.ReinterpretedBatchNdims)
}
