package nn

import (
	"cmp"
	"fmt"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// EmbeddingOptions are the options of [NewEmbedding].
type EmbeddingOptions struct {
	PaddingIdx      *int         // a row of zeros that is not trained; negative numbers count from the end
	MaxNorm         torch.Number // rows of a larger norm are brought down to it in each call; nil is none
	NormType        torch.Number // of MaxNorm, default 2
	ScaleGradByFreq bool         // gradients are divided by the number of uses of their row in the call
	Sparse          bool         // the gradient of the weight is sparse
}

// Embedding maps indices to rows of a table: torch.nn.Embedding.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
type Embedding struct {
	Weight  *torch.Tensor // [n, d]
	Options EmbeddingOptions
}

// paddingRow returns the number of the row at an index, which may count from the end.
func paddingRow(op string, i *int, n int) *int {
	switch {
	case i == nil:
		return nil
	case *i > 0 && *i >= n || *i < -n:
		fail("%s: PaddingIdx is %d; there are %d embeddings", op, *i, n)
	case *i < 0:
		return new(*i + n)
	}
	return i
}

// newTable makes a weight [n, d] whose row at the index of padding is 0.
func newTable(op string, n, d int, padding *int) *torch.Tensor {
	if n < 0 || d < 0 {
		fail("%s: there are %d embeddings of %d features; their numbers must not be negative", op, n, d)
	}
	return parameter([]int{n, d}, func(x *torch.Tensor) {
		x.NormalInPlace(0, 1)
		if padding != nil {
			x.Select(0, *padding).FillInPlace(0)
		}
	})
}

// tableOf returns a parameter on the memory of x.
func tableOf(op string, x *torch.Tensor, frozen bool) *torch.Tensor {
	if x.Dim() != 2 {
		fail("%s: the embeddings are %v; they must be [n, d]", op, x.Shape())
	}
	return x.Detach().RequireGrad(!frozen)
}

// NewEmbedding makes a table of n rows of d features: nn.Embedding(n, d). It panics with a
// *torch.Error if there is no row PaddingIdx.
func NewEmbedding(n, d int, options ...EmbeddingOptions) *Embedding {
	o := torch.Only(options)
	o.PaddingIdx = paddingRow("Embedding", o.PaddingIdx, n)
	return &Embedding{newTable("Embedding", n, d, o.PaddingIdx), o}
}

// EmbeddingFromPretrainedOptions are the options of [EmbeddingFromPretrained].
type EmbeddingFromPretrainedOptions struct {
	NoFreeze        bool         // the table is trained: freeze=False
	PaddingIdx      *int         // a row that is not trained; negative numbers count from the end
	MaxNorm         torch.Number // rows of a larger norm are brought down to it in each call; nil is none
	NormType        torch.Number // of MaxNorm, default 2
	ScaleGradByFreq bool         // gradients are divided by the number of uses of their row in the call
	Sparse          bool         // the gradient of the weight is sparse
}

// EmbeddingFromPretrained makes a table of embeddings [n, d], whose memory it shares:
// nn.Embedding.from_pretrained(embeddings).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html#torch.nn.Embedding.from_pretrained
func EmbeddingFromPretrained(embeddings *torch.Tensor, options ...EmbeddingFromPretrainedOptions) *Embedding {
	o := torch.Only(options)
	weight := tableOf("Embedding", embeddings, !o.NoFreeze)
	return &Embedding{weight, EmbeddingOptions{
		PaddingIdx: paddingRow("Embedding", o.PaddingIdx, weight.Size(0)), MaxNorm: o.MaxNorm, NormType: o.NormType, ScaleGradByFreq: o.ScaleGradByFreq, Sparse: o.Sparse,
	}}
}

// Forward maps int64 indices [*] to [*, d]. With MaxNorm it changes the rows of the weight,
// in evaluation too.
func (m *Embedding) Forward(indices *torch.Tensor) *torch.Tensor {
	return hooked(m, indices, (*Embedding).forward)
}

func (m *Embedding) forward(indices *torch.Tensor) *torch.Tensor {
	o := m.Options
	return F.Embedding(indices, m.Weight, F.EmbeddingOptions{
		PaddingIdx: o.PaddingIdx, MaxNorm: optional("Embedding", "MaxNorm", o.MaxNorm), NormType: optional("Embedding", "NormType", o.NormType), ScaleGradByFreq: o.ScaleGradByFreq, Sparse: o.Sparse,
	})
}

// optional returns a Number as a *float64; nil is nil.
func optional(op, field string, v torch.Number) *float64 {
	if v == nil {
		return nil
	}
	return new(real64(op, field, v, 0))
}

func tableRepr(maxNorm, normType torch.Number, scale bool) string {
	s := ""
	if maxNorm != nil {
		s += ", max_norm=" + number(maxNorm, "")
	}
	if normType != nil && real64("", "NormType", normType, 2) != 2 {
		s += ", norm_type=" + number(normType, "")
	}
	if scale {
		s += ", scale_grad_by_freq=True"
	}
	return s
}

func (m *Embedding) extraRepr() string {
	o := m.Options
	s := fmt.Sprintf("%d, %d", m.Weight.Size(0), m.Weight.Size(1))
	if o.PaddingIdx != nil {
		s += fmt.Sprintf(", padding_idx=%d", *o.PaddingIdx)
	}
	s += tableRepr(o.MaxNorm, o.NormType, o.ScaleGradByFreq)
	if o.Sparse {
		s += ", sparse=True"
	}
	return s
}

// EmbeddingBagOptions are the options of [NewEmbeddingBag].
type EmbeddingBagOptions struct {
	MaxNorm           torch.Number // rows of a larger norm are brought down to it in each call; nil is none
	NormType          torch.Number // of MaxNorm, default 2
	ScaleGradByFreq   bool         // gradients are divided by the number of uses of their row in the call
	Mode              string       // "mean", the default, "sum" or "max"
	Sparse            bool         // the gradient of the weight is sparse
	IncludeLastOffset bool         // the offsets end with the end of the last bag
	PaddingIdx        *int         // a row of zeros that bags leave out; negative numbers count from the end
}

// EmbeddingBag maps bags of indices to the means, sums or maxima of rows of a table: torch.nn.EmbeddingBag.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html
type EmbeddingBag struct {
	Weight  *torch.Tensor // [n, d]
	Options EmbeddingBagOptions
}

// NewEmbeddingBag makes a table of n rows of d features: nn.EmbeddingBag(n, d). It panics
// with a *torch.Error if there is no row PaddingIdx.
func NewEmbeddingBag(n, d int, options ...EmbeddingBagOptions) *EmbeddingBag {
	o := torch.Only(options)
	o.PaddingIdx = paddingRow("EmbeddingBag", o.PaddingIdx, n)
	return &EmbeddingBag{newTable("EmbeddingBag", n, d, o.PaddingIdx), o}
}

// EmbeddingBagFromPretrainedOptions are the options of [EmbeddingBagFromPretrained].
type EmbeddingBagFromPretrainedOptions struct {
	NoFreeze          bool         // the table is trained: freeze=False
	MaxNorm           torch.Number // rows of a larger norm are brought down to it in each call; nil is none
	NormType          torch.Number // of MaxNorm, default 2
	ScaleGradByFreq   bool         // gradients are divided by the number of uses of their row in the call
	Mode              string       // "mean", the default, "sum" or "max"
	Sparse            bool         // the gradient of the weight is sparse
	IncludeLastOffset bool         // the offsets end with the end of the last bag
	PaddingIdx        *int         // a row that bags leave out; negative numbers count from the end
}

// EmbeddingBagFromPretrained makes a table of embeddings [n, d], whose memory it shares:
// nn.EmbeddingBag.from_pretrained(embeddings).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html#torch.nn.EmbeddingBag.from_pretrained
func EmbeddingBagFromPretrained(embeddings *torch.Tensor, options ...EmbeddingBagFromPretrainedOptions) *EmbeddingBag {
	o := torch.Only(options)
	weight := tableOf("EmbeddingBag", embeddings, !o.NoFreeze)
	return &EmbeddingBag{weight, EmbeddingBagOptions{
		MaxNorm: o.MaxNorm, NormType: o.NormType, ScaleGradByFreq: o.ScaleGradByFreq, Mode: o.Mode, Sparse: o.Sparse,
		IncludeLastOffset: o.IncludeLastOffset, PaddingIdx: paddingRow("EmbeddingBag", o.PaddingIdx, weight.Size(0)),
	}}
}

// EmbeddingBagForwardOptions are the options of [EmbeddingBag.Forward].
type EmbeddingBagForwardOptions struct {
	Offsets          *torch.Tensor // where each bag begins in indices [n]
	PerSampleWeights *torch.Tensor // like indices; for "sum"
}

// Forward maps int64 indices [B, n] of B bags, or [n] with Offsets [B], to [B, d]. With
// MaxNorm it changes the rows of the weight, in evaluation too.
func (m *EmbeddingBag) Forward(indices *torch.Tensor, options ...EmbeddingBagForwardOptions) *torch.Tensor {
	o, f := m.Options, torch.Only(options)
	return F.EmbeddingBag(indices, m.Weight, F.EmbeddingBagOptions{
		Offsets: f.Offsets, Mode: o.Mode, PerSampleWeights: f.PerSampleWeights, IncludeLastOffset: o.IncludeLastOffset, PaddingIdx: o.PaddingIdx,
		MaxNorm: optional("EmbeddingBag", "MaxNorm", o.MaxNorm), NormType: optional("EmbeddingBag", "NormType", o.NormType), ScaleGradByFreq: o.ScaleGradByFreq, Sparse: o.Sparse,
	})
}

func (m *EmbeddingBag) extraRepr() string {
	o := m.Options
	s := fmt.Sprintf("%d, %d", m.Weight.Size(0), m.Weight.Size(1)) + tableRepr(o.MaxNorm, o.NormType, o.ScaleGradByFreq) + ", mode=" + pyrepr.String(cmp.Or(o.Mode, "mean"))
	if o.PaddingIdx != nil {
		s += fmt.Sprintf(", padding_idx=%d", *o.PaddingIdx)
	}
	return s
}
