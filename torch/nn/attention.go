package nn

import (
	"cmp"
	"math"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// MultiheadAttentionOptions are the options of [NewMultiheadAttention].
type MultiheadAttentionOptions struct {
	Dropout     float64 // probability, of the attention weights
	NoBias      bool    // bias=False
	AddBiasKV   bool    // appends a learned position to the keys and the values
	AddZeroAttn bool    // appends a position of zeros to the keys and the values
	KDim, VDim  int     // features of the keys and the values, 0 means the embedding's
	BatchFirst  bool    // tensors are [N, L, E] in place of [L, N, E]
}

// MultiheadAttention attends to values by the similarity of keys to queries, in
// several heads: torch.nn.MultiheadAttention.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
type MultiheadAttention struct {
	QProjWeight, KProjWeight, VProjWeight *torch.Tensor // [E, E], [E, KDim] and [E, VDim]; nil where InProjWeight is used
	InProjWeight                          *torch.Tensor // [3E, E], of queries, keys and values; nil if KDim or VDim differs from E
	InProjBias                            *torch.Tensor // [3E], nil without bias
	BiasK, BiasV                          *torch.Tensor // [1, 1, E], nil without AddBiasKV
	OutProj                               *Linear
	Heads                                 int
	Options                               MultiheadAttentionOptions
	Training                              bool // true in a new layer
}

// NewMultiheadAttention makes an attention of embeddings of a number of features in
// a number of heads: nn.MultiheadAttention(embedding, heads). It panics with a
// *torch.Error if heads does not divide the embedding.
func NewMultiheadAttention(embedding, heads int, options ...MultiheadAttentionOptions) *MultiheadAttention {
	o := torch.Only(options)
	if embedding < 1 || heads < 1 || embedding%heads != 0 {
		fail("MultiheadAttention: %d heads do not divide the embedding of %d features", heads, embedding)
	}
	checkProbability("MultiheadAttention", o.Dropout)
	m := &MultiheadAttention{Heads: heads, Options: o, Training: true}
	m.OutProj = NewLinear(embedding, embedding, LinearOptions{NoBias: o.NoBias})
	xavier := func(x *torch.Tensor) { InitXavierUniform(x) }
	k, v := cmp.Or(o.KDim, embedding), cmp.Or(o.VDim, embedding)
	if k == embedding && v == embedding {
		m.InProjWeight = parameter([]int{3 * embedding, embedding}, xavier)
	} else {
		m.QProjWeight = parameter([]int{embedding, embedding}, xavier)
		m.KProjWeight = parameter([]int{embedding, k}, xavier)
		m.VProjWeight = parameter([]int{embedding, v}, xavier)
	}
	if !o.NoBias {
		m.InProjBias = parameter([]int{3 * embedding}, InitZeros)
		InitZeros(m.OutProj.Bias)
	}
	if o.AddBiasKV {
		normal := func(x *torch.Tensor) { InitXavierNormal(x) }
		m.BiasK = parameter([]int{1, 1, embedding}, normal)
		m.BiasV = parameter([]int{1, 1, embedding}, normal)
	}
	return m
}

// MultiheadAttentionForwardOptions are the options of [MultiheadAttention.Forward].
// Masks are boolean, true where there must be no attention, or floating-point, added
// to the logits of the attention.
type MultiheadAttentionForwardOptions struct {
	KeyPaddingMask *torch.Tensor // [N, S], of keys
	AttnMask       *torch.Tensor // [L, S] or [N·heads, L, S]
	NoWeights      bool          // do not return the weights, which is faster: need_weights=False
	PerHead        bool          // return the weights of each head: average_attn_weights=False
	IsCausal       bool          // says that AttnMask, which must be given, is the causal mask
}

// Forward maps a query [L, N, E] with keys [S, N, KDim] and values [S, N, VDim] to an
// output [L, N, E], and returns the weights of the attention, averaged over the heads,
// [N, L, S], or [N, heads, L, S] with PerHead, or nil with NoWeights. The tensors are
// [N, L, E] and so on with BatchFirst, and may lack N.
//
//	y, _ := nn.NewMultiheadAttention(512, 8).Forward(x, x, x, nn.MultiheadAttentionForwardOptions{NoWeights: true})
func (m *MultiheadAttention) Forward(query, key, value *torch.Tensor, options ...MultiheadAttentionForwardOptions) (output, weights *torch.Tensor) {
	o := torch.Only(options)
	dims := query.Dim()
	if dims != 2 && dims != 3 || key.Dim() != dims || value.Dim() != dims {
		fail("MultiheadAttention: the query is %v, the key %v and the value %v; all must have 3 dimensions, or 2 without a batch", query.Shape(), key.Shape(), value.Shape())
	}
	if o.IsCausal && o.AttnMask == nil {
		fail("MultiheadAttention: IsCausal is given without an AttnMask")
	}
	torch.Scope(func() {
		batchFirst := func(x *torch.Tensor) *torch.Tensor {
			switch {
			case dims == 2:
				return x.Unsqueeze(0)
			case m.Options.BatchFirst:
				return x
			}
			return x.Transpose(0, 1)
		}
		q, k, v := m.project(query, key, value, batchFirst)
		if dims == 2 && o.KeyPaddingMask != nil {
			o.KeyPaddingMask = o.KeyPaddingMask.Unsqueeze(0)
		}
		output, weights = m.attend(q, k, v, o)
		switch {
		case dims == 2:
			output = output.Squeeze(1)
		case m.Options.BatchFirst:
			output = output.Transpose(0, 1)
		}
		torch.Keep(output)
		if weights != nil {
			if dims == 2 {
				weights = weights.Squeeze(0)
			}
			torch.Keep(weights)
		}
	})
	return output, weights
}

// project returns the projected queries, keys and values [N, L, E].
func (m *MultiheadAttention) project(query, key, value *torch.Tensor, batchFirst func(*torch.Tensor) *torch.Tensor) (q, k, v *torch.Tensor) {
	if query == key && key == value && m.InProjWeight != nil {
		all := F.Linear(batchFirst(query), m.InProjWeight, m.InProjBias).Chunk(3, torch.ChunkOptions{Dim: -1})
		return all[0], all[1], all[2]
	}
	w := []*torch.Tensor{m.QProjWeight, m.KProjWeight, m.VProjWeight}
	if m.InProjWeight != nil {
		w = m.InProjWeight.Chunk(3)
	}
	b := make([]*torch.Tensor, 3)
	if m.InProjBias != nil {
		b = m.InProjBias.Chunk(3)
	}
	return F.Linear(batchFirst(query), w[0], b[0]), F.Linear(batchFirst(key), w[1], b[1]), F.Linear(batchFirst(value), w[2], b[2])
}

// attend returns the output [L, N, E] and the weights of projected queries, keys and values. The
// order of the output in memory is PyTorch's, since a dropout draws in that order.
func (m *MultiheadAttention) attend(q, k, v *torch.Tensor, o MultiheadAttentionForwardOptions) (output, weights *torch.Tensor) {
	n, l, e := q.Size(0), q.Size(1), q.Size(2)
	mask := additive(o.AttnMask, q.DType())
	padding := additive(o.KeyPaddingMask, q.DType())
	if o.IsCausal && padding == nil && o.NoWeights {
		mask = nil
	} else {
		o.IsCausal = false
	}
	pad := func(x *torch.Tensor) *torch.Tensor {
		if x == nil {
			return nil
		}
		return F.Pad(x, []int{0, 1})
	}
	if m.BiasK != nil {
		k, v = torch.Cat([]*torch.Tensor{k, m.BiasK.Repeat(n, 1, 1)}, 1), torch.Cat([]*torch.Tensor{v, m.BiasV.Repeat(n, 1, 1)}, 1)
		mask, padding = pad(mask), pad(padding)
	}
	if m.Options.AddZeroAttn {
		zeros := torch.Options{DType: k.DType(), Device: k.Device()}.Zeros(n, 1, e)
		k, v = torch.Cat([]*torch.Tensor{k, zeros}, 1), torch.Cat([]*torch.Tensor{v, zeros}, 1)
		mask, padding = pad(mask), pad(padding)
	}
	s := k.Size(1)
	if mask != nil && mask.Dim() == 3 {
		mask = mask.View(n, m.Heads, l, s)
	}
	if padding != nil {
		padding = padding.View(n, 1, 1, s)
		if mask != nil {
			padding = mask.Add(padding)
		}
		mask = padding
	}
	heads := func(x *torch.Tensor) *torch.Tensor { return x.Unflatten(2, m.Heads, e/m.Heads).Transpose(1, 2) }
	q, k, v = heads(q), heads(k), heads(v) // [N, heads, L or S, E/heads]
	dropout := 0.0
	if m.Training {
		dropout = m.Options.Dropout
	}
	if o.NoWeights {
		output = F.ScaledDotProductAttention(q, k, v, F.ScaledDotProductAttentionOptions{AttnMask: mask, DropoutP: dropout, IsCausal: o.IsCausal})
	} else {
		logits := q.MulScalar(math.Sqrt(1 / float64(e/m.Heads))).MatMul(k.Transpose(2, 3)) // [N, heads, L, S]
		if mask != nil {
			logits = logits.Add(mask)
		}
		weights = logits.Softmax(-1)
		if dropout > 0 {
			weights = F.Dropout(weights, dropout, true)
		}
		output = weights.MatMul(v)
		if !o.PerHead {
			weights = weights.Mean(1)
		}
	}
	return m.OutProj.forward(output.Permute(2, 0, 1, 3).Reshape(l, n, e)), weights // without hooks, as in PyTorch
}

// additive returns a mask that is added to logits.
func additive(mask *torch.Tensor, d torch.DType) *torch.Tensor {
	switch {
	case mask == nil || mask.DType().IsFloatingPoint():
		return mask
	case mask.DType() != torch.Bool:
		fail("MultiheadAttention: a mask is %v; it must be bool or floating-point", mask.DType())
	}
	return torch.Options{DType: d, Device: mask.Device()}.Zeros(mask.Shape()...).MaskedFill(mask, math.Inf(-1))
}
