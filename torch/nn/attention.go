package nn

import (
	"cmp"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
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
	KeyPaddingMask *torch.Tensor // [N, S], or [S] without a batch, of keys
	AttnMask       *torch.Tensor // [L, S] or [N·heads, L, S]
	NoWeights      bool          // do not return the weights, which is faster: need_weights=False
	PerHead        bool          // return the weights of each head: average_attn_weights=False
	IsCausal       bool          // says that AttnMask, which must be given, is the causal mask
}

// Forward maps a query [L, N, E] with keys [S, N, KDim] and values [S, N, VDim] to an
// output [L, N, E], and returns the weights of the attention, averaged over the heads,
// [N, L, S], or [N, heads, L, S] with PerHead, or nil with NoWeights. The tensors are
// [N, L, E] and so on with BatchFirst, and may lack N. As in PyTorch, the operators, and so
// the last bits, depend on which of the three are the same tensor.
//
//	y, _ := nn.NewMultiheadAttention(512, 8).Forward(x, x, x, nn.MultiheadAttentionForwardOptions{NoWeights: true})
func (m *MultiheadAttention) Forward(query, key, value *torch.Tensor, options ...MultiheadAttentionForwardOptions) (output, weights *torch.Tensor) {
	o := torch.Only(options)
	m.check(query, key, value, o)
	defer ready(m)()
	defer ready(m.OutProj)()
	out := run(func() []*torch.Tensor {
		attn, padding := additive(o.AttnMask, query.DType()), additive(o.KeyPaddingMask, query.DType())
		floating := isFloating(o.AttnMask) || isFloating(o.KeyPaddingMask)
		if !floating && query == key && key == value && m.fast(query, attn != nil || padding != nil) {
			output, weights = m.native(query, attn, padding, o)
		} else {
			output, weights = m.ordinary(query, key, value, attn, padding, o)
		}
		return []*torch.Tensor{output, weights}
	})
	return out[0], out[1]
}

func (m *MultiheadAttention) embedding() int { return m.OutProj.Weight.Size(0) }

// check panics with an Error unless the tensors fit each other and the layer.
func (m *MultiheadAttention) check(query, key, value *torch.Tensor, o MultiheadAttentionForwardOptions) {
	dims := query.Dim()
	if dims != 2 && dims != 3 || key.Dim() != dims || value.Dim() != dims {
		fail("MultiheadAttention: the query has %d dimensions, the key %d and the value %d; all must have 3, or 2 without a batch", dims, key.Dim(), value.Dim())
	}
	if query.IsNested() || key.IsNested() || value.IsNested() {
		return
	}
	e := m.embedding()
	for _, c := range []struct {
		name string
		x    *torch.Tensor
		want int
	}{{"query", query, e}, {"key", key, cmp.Or(m.Options.KDim, e)}, {"value", value, cmp.Or(m.Options.VDim, e)}} {
		if n := c.x.Size(-1); n != c.want {
			fail("MultiheadAttention: the %s has %d features; the layer takes %d", c.name, n, c.want)
		}
	}
	length, batch, n := 0, 1, 1
	if dims == 3 {
		if m.Options.BatchFirst {
			length, batch = 1, 0
		}
		n = query.Size(batch)
		if key.Size(batch) != n || value.Size(batch) != n {
			fail("MultiheadAttention: the query is %v, the key %v and the value %v; their batches must be of one size", query.Shape(), key.Shape(), value.Shape())
		}
	}
	l, s := query.Size(length), key.Size(length)
	if value.Size(length) != s {
		fail("MultiheadAttention: the key is %v and the value %v; they must have one length", key.Shape(), value.Shape())
	}
	if mask := o.AttnMask; mask != nil {
		got := mask.Shape()
		if !slices.Equal(got, []int{l, s}) && !slices.Equal(got, []int{n * m.Heads, l, s}) {
			fail("MultiheadAttention: the attention mask is %v; it must be %v or %v", got, []int{l, s}, []int{n * m.Heads, l, s})
		}
	}
	if mask := o.KeyPaddingMask; mask != nil {
		want := []int{n, s}[3-dims:]
		if got := mask.Shape(); !slices.Equal(got, want) {
			fail("MultiheadAttention: the key padding mask is %v; it must be %v", got, want)
		}
	}
}

func isFloating(x *torch.Tensor) bool { return x != nil && x.DType().IsFloatingPoint() }

// additive returns a mask that is added to logits.
func additive(mask *torch.Tensor, d torch.DType) *torch.Tensor {
	switch {
	case mask == nil || isFloating(mask):
		return mask
	case mask.DType() != torch.Bool:
		fail("MultiheadAttention: a mask is %v; it must be bool or floating-point", mask.DType())
	}
	return torch.Options{DType: d}.ZerosLike(mask).MaskedFillInPlace(mask, math.Inf(-1))
}

// fast reports whether PyTorch would attend to x itself by one operator.
func (m *MultiheadAttention) fast(x *torch.Tensor, masked bool) bool {
	w, b := m.InProjWeight, m.InProjBias
	switch {
	case m.Training || !m.Options.BatchFirst || m.Heads%2 != 0 || x.Dim() != 3 || x.IsNested() && masked:
		return false
	case w == nil || b == nil || m.BiasK != nil || m.BiasV != nil || m.Options.AddZeroAttn:
		return false
	case x.DType() != w.DType() || x.DType() != b.DType() || amp.IsAutocastEnabled(torch.CUDA):
		return false
	}
	return withoutGraph(x, w, b, m.OutProj.Weight, m.OutProj.Bias)
}

// withoutGraph reports whether the operators without a derivative can take the tensors.
func withoutGraph(xs ...*torch.Tensor) bool {
	grad := torch.IsGradEnabled()
	for _, x := range xs {
		if x == nil || grad && x.RequiresGrad() || x.Device() == torch.Meta || x.Device().Type() == "mps" {
			return false
		}
	}
	return true
}

// merged returns the masks as one, and its type: 1 for padding, and 2 for a mask of each
// position, or 0 without masks.
func (m *MultiheadAttention) merged(attn, padding, query *torch.Tensor) (mask *torch.Tensor, kind int) {
	if attn == nil {
		if padding != nil {
			kind = 1
		}
		return padding, kind
	}
	n, l := query.Size(0), query.Size(1)
	if attn.Dim() == 3 {
		mask = attn.View(n, -1, l, l)
	} else {
		mask = attn.View(1, 1, l, l).Expand(n, m.Heads, -1, -1)
	}
	if padding != nil {
		mask = mask.Add(padding.View(n, 1, 1, l).Expand(-1, m.Heads, -1, -1))
	}
	return mask, 2
}

// maskArgument adds the type of a mask to a call.
func maskArgument(c *torch.Call, kind int) {
	if kind == 0 {
		c.None()
	} else {
		c.Int(kind)
	}
}

var opNativeAttention = torch.NewOp("aten::_native_multi_head_attention", "")

func (m *MultiheadAttention) native(x, attn, padding *torch.Tensor, o MultiheadAttentionForwardOptions) (output, weights *torch.Tensor) {
	mask, kind := m.merged(attn, padding, x)
	var c torch.Call
	for range 3 {
		c.Tensor(x)
	}
	c.Int(m.embedding())
	c.Int(m.Heads)
	c.Tensor(m.InProjWeight)
	c.Tensor(m.InProjBias)
	c.Tensor(m.OutProj.Weight)
	c.Tensor(m.OutProj.Bias)
	c.OptTensor(mask)
	c.Bool(!o.NoWeights)
	c.Bool(!o.PerHead)
	maskArgument(&c, kind)
	output, weights = c.Two(opNativeAttention)
	if o.NoWeights {
		weights = nil
	}
	return output, weights
}

// ordinary is F.multi_head_attention_forward.
func (m *MultiheadAttention) ordinary(query, key, value, attn, padding *torch.Tensor, o MultiheadAttentionForwardOptions) (output, weights *torch.Tensor) {
	if query.IsNested() || key.IsNested() || value.IsNested() {
		fail("MultiheadAttention: nested tensors are supported only as the query, key and value at once, in evaluation, without gradients and masks, and with BatchFirst")
	}
	if o.IsCausal && attn == nil {
		fail("MultiheadAttention: IsCausal is given without an AttnMask; give the mask too")
	}
	batched, batchFirst := query.Dim() == 3, m.Options.BatchFirst
	one := func(x *torch.Tensor) *torch.Tensor { // as [L, N, features]
		switch {
		case !batched:
			return x.Unsqueeze(1)
		case batchFirst:
			return x.Transpose(1, 0)
		}
		return x
	}
	q := one(query)
	k, v := q, q
	if !batched || query != key || key != value { // without a batch they are different tensors then
		k = one(key)
		if v = k; !batched || key != value {
			v = one(value)
		}
	}
	if !batched && padding != nil {
		padding = padding.Unsqueeze(0)
	}
	if o.IsCausal && padding == nil && o.NoWeights {
		attn = nil
	} else if padding != nil {
		o.IsCausal = false
	}
	q, k, v = m.project(q, k, v)
	output, weights = m.attend(q, k, v, attn, padding, o)
	switch {
	case !batched:
		output = output.Squeeze(1)
		if weights != nil {
			weights = weights.Squeeze(0)
		}
	case batchFirst:
		output = output.Transpose(1, 0)
	}
	return output, weights
}

// project returns the projected queries, keys and values [L, N, E].
func (m *MultiheadAttention) project(q, k, v *torch.Tensor) (_, _, _ *torch.Tensor) {
	e := m.embedding()
	// parts returns the n parts of x [L, N, n·e], each contiguous.
	parts := func(x *torch.Tensor, n int) *torch.Tensor {
		return x.Unflatten(-1, n, e).Unsqueeze(0).Transpose(0, -2).Squeeze(-2).Contiguous()
	}
	b := make([]*torch.Tensor, 3)
	switch {
	case m.InProjWeight != nil && k == v && q == k:
		all := parts(F.Linear(q, m.InProjWeight, m.InProjBias), 3)
		return all.Select(0, 0), all.Select(0, 1), all.Select(0, 2)
	case m.InProjWeight != nil && k == v:
		w := m.InProjWeight.Split([]int{e, 2 * e})
		if m.InProjBias != nil {
			b = m.InProjBias.Split([]int{e, 2 * e})
		}
		q = F.Linear(q, w[0], b[0])
		both := parts(F.Linear(k, w[1], b[1]), 2)
		return q, both.Select(0, 0), both.Select(0, 1)
	}
	w := []*torch.Tensor{m.QProjWeight, m.KProjWeight, m.VProjWeight}
	if m.InProjWeight != nil {
		w = m.InProjWeight.Chunk(3)
	}
	if m.InProjBias != nil {
		b = m.InProjBias.Chunk(3)
	}
	return F.Linear(q, w[0], b[0]), F.Linear(k, w[1], b[1]), F.Linear(v, w[2], b[2])
}

// attend returns the output [L, N, E] and the weights of projected queries, keys and values.
func (m *MultiheadAttention) attend(q, k, v, attn, padding *torch.Tensor, o MultiheadAttentionForwardOptions) (output, weights *torch.Tensor) {
	l, n, e := q.Size(0), q.Size(1), q.Size(2)
	h, d := m.Heads, e/m.Heads
	if attn != nil && attn.Dim() == 2 {
		attn = attn.Unsqueeze(0)
	}
	pad := func() {
		if attn != nil {
			attn = F.Pad(attn, []int{0, 1})
		}
		if padding != nil {
			padding = F.Pad(padding, []int{0, 1})
		}
	}
	if m.BiasK != nil {
		k, v = torch.Cat([]*torch.Tensor{k, m.BiasK.Repeat(1, n, 1)}, 0), torch.Cat([]*torch.Tensor{v, m.BiasV.Repeat(1, n, 1)}, 0)
		pad()
	}
	heads := func(x *torch.Tensor) *torch.Tensor { return x.View(x.Size(0), n*h, d).Transpose(0, 1) }
	q, k, v = heads(q), heads(k), heads(v) // [N·heads, L or S, E/heads]
	if m.Options.AddZeroAttn {
		zeros := func(x *torch.Tensor) *torch.Tensor {
			return torch.Cat([]*torch.Tensor{x, torch.Options{DType: x.DType(), Device: x.Device()}.Zeros(n*h, 1, d)}, 1)
		}
		k, v = zeros(k), zeros(v)
		pad()
	}
	s := k.Size(1)
	if padding != nil {
		padding = padding.View(n, 1, 1, s).Expand(-1, h, -1, -1).Reshape(n*h, 1, s)
		if attn == nil {
			attn = padding
		} else {
			attn = attn.Add(padding)
		}
	}
	dropout := 0.0
	if m.Training {
		dropout = m.Options.Dropout
	}
	if o.NoWeights {
		switch {
		case attn != nil && attn.Size(0) == 1:
			attn = attn.Unsqueeze(0)
		case attn != nil:
			attn = attn.View(n, h, -1, s)
		}
		output = F.ScaledDotProductAttention(q.View(n, h, l, d), k.View(n, h, s, d), v.View(n, h, s, d),
			F.ScaledDotProductAttentionOptions{AttnMask: attn, DropoutP: dropout, IsCausal: o.IsCausal})
		output = output.Permute(2, 0, 1, 3)
	} else {
		q = q.MulScalar(math.Sqrt(1 / float64(d)))
		if attn != nil {
			weights = attn.Baddbmm(q, k.Transpose(-2, -1))
		} else {
			weights = q.BMM(k.Transpose(-2, -1))
		}
		weights = weights.Softmax(-1)
		if dropout > 0 {
			weights = F.Dropout(weights, dropout, true)
		}
		output = weights.BMM(v).Transpose(0, 1)
		weights = weights.View(n, h, l, s)
		if !o.PerHead {
			weights = weights.Mean(1)
		}
	}
	output = F.Linear(output.Reshape(l*n, e), m.OutProj.Weight, m.OutProj.Bias) // without the hooks of OutProj, as in PyTorch
	return output.View(l, n, e), weights
}
