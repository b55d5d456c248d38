package functional

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
)

var (
	opEmbedding              = torch.NewOp("aten::embedding", "")
	opEmbeddingBag           = torch.NewOp("aten::embedding_bag", "padding_idx")
	opEmbeddingRenormInPlace = torch.NewOp("aten::embedding_renorm_", "")
)

// renorm brings the rows of weight at the indices down to a norm, if one is given.
func renorm(weight, indices *torch.Tensor, maxNorm, normType *float64) {
	if maxNorm == nil {
		return
	}
	torch.NoGrad(func() {
		var c torch.Call
		c.Tensor(weight)
		c.Tensor(indices)
		c.Float(*maxNorm)
		c.Float(or(normType, 2))
		c.Do(opEmbeddingRenormInPlace)
	})
}

// EmbeddingOptions are the options of [Embedding].
type EmbeddingOptions struct {
	PaddingIdx      *int     // a row of weight without gradient
	MaxNorm         *float64 // rows of a larger norm are brought down to it, in place
	NormType        *float64 // of MaxNorm, default 2
	ScaleGradByFreq bool
	Sparse          bool // the weight's gradient is sparse
}

// Embedding returns the rows of weight [n, d] at int64 indices [*]: [*, d]:
// F.embedding(indices, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
func Embedding(indices, weight *torch.Tensor, options ...EmbeddingOptions) *torch.Tensor {
	o := torch.Only(options)
	padding := -1
	if o.PaddingIdx != nil {
		padding = *o.PaddingIdx
		n := weight.Size(0)
		if padding > 0 && padding >= n || padding < -n {
			fail("Embedding", "PaddingIdx is %d; weight has %d rows", padding, n)
		}
		if padding < 0 {
			padding += n
		}
	}
	if o.MaxNorm != nil {
		indices = indices.Contiguous()
	}
	renorm(weight, indices, o.MaxNorm, o.NormType)
	var c torch.Call
	c.Tensor(weight)
	c.Tensor(indices)
	c.Int(padding)
	c.Bool(o.ScaleGradByFreq)
	c.Bool(o.Sparse)
	return c.One(opEmbedding)
}

// EmbeddingBagOptions are the options of [EmbeddingBag].
type EmbeddingBagOptions struct {
	Offsets           *torch.Tensor // where each bag begins in indices [n]
	Mode              string        // "mean", the default, "sum" or "max"
	PerSampleWeights  *torch.Tensor // like indices; for "sum"
	IncludeLastOffset bool          // Offsets ends with the end of the last bag
	PaddingIdx        *int          // an index that is left out
	MaxNorm           *float64      // rows of a larger norm are brought down to it, in place
	NormType          *float64      // of MaxNorm, default 2
	ScaleGradByFreq   bool
	Sparse            bool // the weight's gradient is sparse
}

// EmbeddingBag returns the means, sums or maxima of bags of rows of weight [n, d]:
// of each row of indices [B, m], or of indices [m] from each of the offsets [B] on:
// [B, d]: F.embedding_bag(indices, weight, offsets, max_norm, norm_type,
// scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, padding_idx).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
func EmbeddingBag(indices, weight *torch.Tensor, options ...EmbeddingBagOptions) *torch.Tensor {
	o := torch.Only(options)
	// The operator counts from "sum".
	mode := [...]int{1, 0, 2}[choice("EmbeddingBag", "Mode", o.Mode, "mean", "sum", "max")]
	samples, offsets, last := o.PerSampleWeights, o.Offsets, o.IncludeLastOffset
	switch {
	case weight.Dim() != 2:
		fail("EmbeddingBag", "weight must have 2 dimensions, not %d", weight.Dim())
	case samples != nil && !slices.Equal(samples.Shape(), indices.Shape()):
		fail("EmbeddingBag", "PerSampleWeights %v must have the shape of indices %v", samples.Shape(), indices.Shape())
	case samples != nil && mode != 0:
		fail("EmbeddingBag", `PerSampleWeights are for Mode "sum"`)
	case mode == 2 && (o.ScaleGradByFreq || o.Sparse):
		fail("EmbeddingBag", `Mode "max" has no ScaleGradByFreq and no Sparse`)
	case indices.Dim() == 2 && offsets != nil:
		fail("EmbeddingBag", "indices of 2 dimensions are bags already; Offsets must be nil")
	case indices.Dim() == 2:
		if indices.Size(1) == 0 {
			fail("EmbeddingBag", "the bags of indices %v are empty", indices.Shape())
		}
		offsets = torch.Options{DType: indices.DType(), Device: indices.Device()}.ArangeStep(0, indices.Numel(), indices.Size(1))
		last = false
		indices = indices.Reshape(-1)
		if samples != nil {
			samples = samples.Reshape(-1)
		}
	case indices.Dim() != 1 || offsets == nil || offsets.Dim() != 1:
		fail("EmbeddingBag", "indices must have 2 dimensions, or 1 and Offsets as well")
	}
	renorm(weight, indices, o.MaxNorm, o.NormType)
	bags := offsets.Size(0)
	if last {
		bags--
	}
	if bags == 0 { // libtorch would read beyond them, as it does in Python
		indices = indices.Narrow(0, 0, 0)
		if samples != nil {
			samples = samples.Narrow(0, 0, 0)
		}
	}
	var c torch.Call
	c.Tensor(weight)
	c.Tensor(indices)
	c.Tensor(offsets)
	c.Bool(o.ScaleGradByFreq)
	c.Int(mode)
	c.Bool(o.Sparse)
	c.OptTensor(samples)
	c.Bool(last)
	if o.PaddingIdx != nil {
		c.Int(*o.PaddingIdx)
	} else {
		c.None()
	}
	y, _, _, _ := c.Four(opEmbeddingBag)
	return y
}
