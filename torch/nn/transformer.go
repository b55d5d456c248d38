package nn

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// TransformerEncoderLayerOptions are the options of [NewTransformerEncoderLayer].
type TransformerEncoderLayerOptions struct {
	DimFeedforward int      // features between the two linear layers; 0 means 2048
	Dropout        *float64 // probability, default 0.1
	Activation     any      // "relu", "gelu", a [Module], or a func(*torch.Tensor) *torch.Tensor; nil is "relu"
	LayerNormEps   *float64 // default 1e-5
	BatchFirst     bool     // tensors are [N, L, E] in place of [L, N, E]
	NormFirst      bool     // normalizes before the attention and the linear layers, in place of after them
	NoBias         bool     // bias=False
}

// TransformerDecoderLayerOptions are the options of [NewTransformerDecoderLayer].
type TransformerDecoderLayerOptions TransformerEncoderLayerOptions

// activation returns the function of an option, and 1 for ReLU, 2 for GELU, 0 for others.
func activation(op string, a any) (f any, kind int) {
	relu := reflect.ValueOf(F.ReLU).Pointer()
	method := reflect.ValueOf((*torch.Tensor).ReLU).Pointer()
	switch a := a.(type) {
	case nil:
		return F.ReLU, 1
	case string:
		switch a {
		case "relu":
			return F.ReLU, 1
		case "gelu":
			return gelu, 2
		}
	case func(*torch.Tensor) *torch.Tensor:
		if p := reflect.ValueOf(a).Pointer(); p == relu || p == method {
			return a, 1
		}
		return a, 0
	case func(*torch.Tensor, ...F.GELUOptions) *torch.Tensor:
		return gelu, 2
	case *ReLU:
		return a, 1
	case *GELU:
		return a, 2
	case Module:
		return a, 0
	}
	fail("%s: the activation is %s; it can be \"relu\", \"gelu\", a Module or a func(*torch.Tensor) *torch.Tensor", op, text(a))
	return nil, 0
}

func text(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("a %T", v)
}

func gelu(x *torch.Tensor) *torch.Tensor { return F.GELU(x) }

// activate calls an activation.
func activate(f any, x *torch.Tensor) *torch.Tensor {
	if m, ok := f.(Module); ok {
		return Call(m, x)
	}
	return f.(func(*torch.Tensor) *torch.Tensor)(x)
}

// TransformerEncoderLayer is self-attention and a feedforward network:
// torch.nn.TransformerEncoderLayer.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html
type TransformerEncoderLayer struct {
	SelfAttn           *MultiheadAttention
	Linear1            *Linear
	Dropout            *Dropout
	Linear2            *Linear
	Norm1, Norm2       *LayerNorm
	Dropout1, Dropout2 *Dropout
	Activation         any // a Module or a func(*torch.Tensor) *torch.Tensor
	NormFirst          bool
	Training           bool // true in a new layer

	kind int // of the activation: 1 ReLU, 2 GELU, 0 others
}

// NewTransformerEncoderLayer makes a layer for an embedding of a number of features, with
// an attention in a number of heads: nn.TransformerEncoderLayer(embedding, heads). It panics
// with a *torch.Error if heads does not divide the embedding, or if an option has no such
// value.
func NewTransformerEncoderLayer(embedding, heads int, options ...TransformerEncoderLayerOptions) *TransformerEncoderLayer {
	const op = "TransformerEncoderLayer"
	o := torch.Only(options)
	p, width := or(o.Dropout, 0.1), cmp.Or(o.DimFeedforward, 2048)
	f, kind := activation(op, o.Activation)
	checkProbability(op, p)
	norm := func() *LayerNorm {
		return NewLayerNorm(embedding, LayerNormOptions{Eps: o.LayerNormEps, NoBias: o.NoBias})
	}
	return &TransformerEncoderLayer{
		SelfAttn: NewMultiheadAttention(embedding, heads, MultiheadAttentionOptions{Dropout: p, NoBias: o.NoBias, BatchFirst: o.BatchFirst}),
		Linear1:  NewLinear(embedding, width, LinearOptions{NoBias: o.NoBias}), Dropout: NewDropout(p),
		Linear2: NewLinear(width, embedding, LinearOptions{NoBias: o.NoBias}),
		Norm1:   norm(), Norm2: norm(), Dropout1: NewDropout(p), Dropout2: NewDropout(p),
		Activation: f, NormFirst: o.NormFirst, Training: true, kind: kind,
	}
}

// TransformerEncoderLayerForwardOptions are the options of [TransformerEncoderLayer.Forward].
// Masks are as in [MultiheadAttentionForwardOptions].
type TransformerEncoderLayerForwardOptions struct {
	SrcMask           *torch.Tensor // [S, S] or [N·heads, S, S]
	SrcKeyPaddingMask *torch.Tensor // [N, S], or [S] without a batch
	IsCausal          bool          // says that SrcMask is the causal mask
}

// Forward maps src [S, N, E], [N, S, E] with BatchFirst, or [S, E], to the same shape. In
// evaluation without gradients it uses one operator where PyTorch does, whose last bits
// differ.
func (m *TransformerEncoderLayer) Forward(src *torch.Tensor, options ...TransformerEncoderLayerForwardOptions) *torch.Tensor {
	o := torch.Only(options)
	out := run(func() []*torch.Tensor {
		mask, padding := additive(o.SrcMask, src.DType()), additive(o.SrcKeyPaddingMask, src.DType())
		if m.fast(src, mask != nil || padding != nil) {
			m.SelfAttn.check(src, src, src, MultiheadAttentionForwardOptions{KeyPaddingMask: padding, AttnMask: mask})
			return []*torch.Tensor{m.native(src, mask, padding)}
		}
		attend := func(x *torch.Tensor) *torch.Tensor {
			return attendTo(m.SelfAttn, x, x, mask, padding, o.IsCausal, m.Dropout1)
		}
		feed := func(x *torch.Tensor) *torch.Tensor {
			x = m.Dropout.Forward(activate(m.Activation, m.Linear1.Forward(x)))
			return m.Dropout2.Forward(m.Linear2.Forward(x))
		}
		x := residual(src, m.NormFirst, m.Norm1, attend)
		return []*torch.Tensor{residual(x, m.NormFirst, m.Norm2, feed)}
	})
	return out[0]
}

// residual adds f(x) to x, and normalizes the sum, or before f.
func residual(x *torch.Tensor, normFirst bool, norm *LayerNorm, f func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
	if normFirst {
		return x.Add(f(norm.Forward(x)))
	}
	return norm.Forward(x.Add(f(x)))
}

// attendTo is the attention of x to memory, with a dropout.
func attendTo(m *MultiheadAttention, x, memory, mask, padding *torch.Tensor, causal bool, dropout *Dropout) *torch.Tensor {
	y, _ := m.Forward(x, memory, memory, MultiheadAttentionForwardOptions{
		KeyPaddingMask: padding, AttnMask: mask, IsCausal: causal, NoWeights: true,
	})
	return dropout.Forward(y)
}

// weights are the tensors that the operator of the layer takes.
func (m *TransformerEncoderLayer) weights() []*torch.Tensor {
	a := m.SelfAttn
	return []*torch.Tensor{
		a.InProjWeight, a.InProjBias, a.OutProj.Weight, a.OutProj.Bias,
		m.Norm1.Weight, m.Norm1.Bias, m.Norm2.Weight, m.Norm2.Bias,
		m.Linear1.Weight, m.Linear1.Bias, m.Linear2.Weight, m.Linear2.Bias,
	}
}

// fast reports whether PyTorch would use the operator of the layer.
func (m *TransformerEncoderLayer) fast(src *torch.Tensor, masked bool) bool {
	a := m.SelfAttn
	switch {
	case src.Dim() != 3 || m.Training || src.IsNested() && masked:
		return false
	case !a.Options.BatchFirst || a.InProjBias == nil || a.InProjWeight == nil || a.Heads%2 != 0:
		return false
	case m.kind == 0 || !m.oneEps() || amp.IsAutocastEnabled(torch.CUDA) || anyForwardHooks(m):
		return false
	}
	return withoutGraph(append(m.weights(), src)...)
}

func (m *TransformerEncoderLayer) oneEps() bool {
	return or(m.Norm1.Options.Eps, 1e-5) == or(m.Norm2.Options.Eps, 1e-5)
}

// anyForwardHooks reports whether a module or one inside it has hooks of its calls.
func anyForwardHooks(m any) bool {
	if specialModules.Load() == 0 {
		return false
	}
	return IsPruned(m) || slices.ContainsFunc(Modules(m), func(m any) bool {
		allHooks.RLock()
		defer allHooks.RUnlock()
		h := allHooks.of[identity(m)]
		return h != nil && len(h.before)+len(h.after) > 0
	})
}

var opEncoderLayer = torch.NewOp("aten::_transformer_encoder_layer_fwd", "")

func (m *TransformerEncoderLayer) native(src, attn, padding *torch.Tensor) *torch.Tensor {
	for _, part := range []any{m.SelfAttn, m.SelfAttn.OutProj, m.Norm1, m.Norm2, m.Linear1, m.Linear2} {
		defer ready(part)()
	}
	mask, kind := m.SelfAttn.merged(attn, padding, src)
	w := m.weights()
	var c torch.Call
	c.Tensor(src)
	c.Int(m.SelfAttn.embedding())
	c.Int(m.SelfAttn.Heads)
	for _, x := range w[:4] {
		c.Tensor(x)
	}
	c.Bool(m.kind == 2)
	c.Bool(m.NormFirst)
	c.Float(or(m.Norm1.Options.Eps, 1e-5))
	for _, x := range w[4:] {
		c.Tensor(x)
	}
	c.OptTensor(mask)
	maskArgument(&c, kind)
	return c.One(opEncoderLayer)
}

// TransformerEncoderOptions are the options of [NewTransformerEncoder].
type TransformerEncoderOptions struct {
	Norm           Module // follows the last layer, or nil
	NoNestedTensor bool   // padded positions are always computed: enable_nested_tensor=False
	NoMaskCheck    bool   // the padding of a mask is at the end of each sequence, which is not checked: mask_check=False
}

// TransformerEncoder is a stack of encoder layers: torch.nn.TransformerEncoder.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html
type TransformerEncoder struct {
	Layers []*TransformerEncoderLayer
	Norm   Module // follows the last layer, or nil

	nested, maskCheck bool
}

// NewTransformerEncoder makes a stack of a number of copies of a layer:
// nn.TransformerEncoder(layer, n). All start with the weights of the layer, which is not
// part of the stack.
//
//	layer := nn.NewTransformerEncoderLayer(512, 8)
//	encoder := nn.NewTransformerEncoder(layer, 6)
func NewTransformerEncoder(layer *TransformerEncoderLayer, n int, options ...TransformerEncoderOptions) *TransformerEncoder {
	o := torch.Only(options)
	checkPositive("TransformerEncoder", "number of layers", n)
	m := &TransformerEncoder{Layers: clones(layer, n), Norm: o.Norm, maskCheck: !o.NoMaskCheck}
	a := layer.SelfAttn
	m.nested = !o.NoNestedTensor && !layer.NormFirst && a.Options.BatchFirst && a.InProjWeight != nil && a.InProjBias != nil &&
		layer.kind != 0 && layer.oneEps() && a.Heads%2 == 0
	return m
}

func clones[M any](m M, n int) []M {
	out := make([]M, n)
	for i := range out {
		out[i] = Clone(m)
	}
	return out
}

// TransformerEncoderForwardOptions are the options of [TransformerEncoder.Forward]. Masks are
// as in [MultiheadAttentionForwardOptions].
type TransformerEncoderForwardOptions struct {
	Mask              *torch.Tensor // [S, S] or [N·heads, S, S]
	SrcKeyPaddingMask *torch.Tensor // [N, S], or [S] without a batch
	IsCausal          *bool         // says whether Mask is the causal mask; nil compares it with that
}

var (
	opLeftAligned    = torch.NewOp("aten::_nested_tensor_from_mask_left_aligned", "")
	opNestedFromMask = torch.NewOp("aten::_nested_tensor_from_mask", "")
	opToPadded       = torch.NewOp("aten::to_padded_tensor", "")
)

// Forward maps src [S, N, E], [N, S, E] with BatchFirst, or [S, E], to the same shape. In
// evaluation without gradients, padded positions at the end of sequences are left out where
// PyTorch does so, and are 0 in the result.
func (m *TransformerEncoder) Forward(src *torch.Tensor, options ...TransformerEncoderForwardOptions) *torch.Tensor {
	o := torch.Only(options)
	out := run(func() []*torch.Tensor {
		mask, padding := additive(o.Mask, src.DType()), additive(o.SrcKeyPaddingMask, src.DType())
		x, first := src, m.Layers[0]
		nested := m.nested && !first.Training && src.Dim() == 3 && !src.IsNested() && padding != nil && mask == nil &&
			!amp.IsAutocastEnabled(torch.CUDA) && withoutGraph(append(first.weights(), src)...)
		if nested {
			first.SelfAttn.check(src, src, src, MultiheadAttentionForwardOptions{KeyPaddingMask: padding})
			x = m.withoutPadding(src, padding)
		}
		layer := TransformerEncoderLayerForwardOptions{SrcMask: mask, SrcKeyPaddingMask: padding}
		if nested = x != src; nested {
			layer.SrcKeyPaddingMask = nil
		}
		layer.IsCausal = isCausal(mask, o.IsCausal, src, first.SelfAttn.Options.BatchFirst)
		for _, l := range m.Layers {
			x = l.Forward(x, layer)
		}
		if nested {
			var c torch.Call
			c.Tensor(x)
			c.Float(0)
			c.OptInts(src.Shape())
			x = c.One(opToPadded)
		}
		if m.Norm != nil {
			x = Call(m.Norm, x)
		}
		return []*torch.Tensor{x}
	})
	return out[0]
}

// withoutPadding returns src as a nested tensor, or src itself if its padding is not at the end.
func (m *TransformerEncoder) withoutPadding(src, padding *torch.Tensor) *torch.Tensor {
	kept := padding.LogicalNot()
	var check, c torch.Call
	check.Tensor(src)
	check.Tensor(kept)
	if m.maskCheck && !torch.Result[bool](&check, opLeftAligned) {
		return src
	}
	c.Tensor(src)
	c.Tensor(kept)
	c.Bool(false)
	return c.One(opNestedFromMask)
}

// isCausal reports whether a mask is to be taken for the causal one: what the caller says,
// or whether it equals that one.
func isCausal(mask *torch.Tensor, given *bool, x *torch.Tensor, batchFirst bool) bool {
	if given != nil || mask == nil {
		return given != nil && *given
	}
	length := 0
	if x.Dim() == 3 && batchFirst {
		length = 1
	}
	causal := GenerateSquareSubsequentMask(x.Size(length), torch.Options{DType: mask.DType(), Device: mask.Device()})
	return mask.SameShape(causal) && mask.Equal(causal)
}

// GenerateSquareSubsequentMask returns the causal mask [n, n], which is -Inf above the
// diagonal and 0 elsewhere: nn.Transformer.generate_square_subsequent_mask(n).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Transformer.html#torch.nn.Transformer.generate_square_subsequent_mask
func GenerateSquareSubsequentMask(n int, options ...torch.Options) *torch.Tensor {
	o := torch.Only(options)
	return o.Full(math.Inf(-1), n, n).Then(func(x *torch.Tensor) *torch.Tensor { return x.Triu(torch.TriuOptions{Diagonal: 1}) })
}

// TransformerDecoderLayer is self-attention, attention to the output of an encoder, and a
// feedforward network: torch.nn.TransformerDecoderLayer.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html
type TransformerDecoderLayer struct {
	SelfAttn, MultiheadAttn      *MultiheadAttention
	Linear1                      *Linear
	Dropout                      *Dropout
	Linear2                      *Linear
	Norm1, Norm2, Norm3          *LayerNorm
	Dropout1, Dropout2, Dropout3 *Dropout
	Activation                   any // a Module or a func(*torch.Tensor) *torch.Tensor
	NormFirst                    bool
}

// NewTransformerDecoderLayer makes a layer for an embedding of a number of features, with
// attentions in a number of heads: nn.TransformerDecoderLayer(embedding, heads). It panics
// with a *torch.Error if heads does not divide the embedding, or if an option has no such
// value.
func NewTransformerDecoderLayer(embedding, heads int, options ...TransformerDecoderLayerOptions) *TransformerDecoderLayer {
	const op = "TransformerDecoderLayer"
	o := torch.Only(options)
	p, width := or(o.Dropout, 0.1), cmp.Or(o.DimFeedforward, 2048)
	f, _ := activation(op, o.Activation)
	checkProbability(op, p)
	norm := func() *LayerNorm {
		return NewLayerNorm(embedding, LayerNormOptions{Eps: o.LayerNormEps, NoBias: o.NoBias})
	}
	attention := func() *MultiheadAttention {
		return NewMultiheadAttention(embedding, heads, MultiheadAttentionOptions{Dropout: p, NoBias: o.NoBias, BatchFirst: o.BatchFirst})
	}
	return &TransformerDecoderLayer{
		SelfAttn: attention(), MultiheadAttn: attention(),
		Linear1: NewLinear(embedding, width, LinearOptions{NoBias: o.NoBias}), Dropout: NewDropout(p),
		Linear2: NewLinear(width, embedding, LinearOptions{NoBias: o.NoBias}),
		Norm1:   norm(), Norm2: norm(), Norm3: norm(),
		Dropout1: NewDropout(p), Dropout2: NewDropout(p), Dropout3: NewDropout(p),
		Activation: f, NormFirst: o.NormFirst,
	}
}

// TransformerDecoderLayerForwardOptions are the options of [TransformerDecoderLayer.Forward].
// Masks are as in [MultiheadAttentionForwardOptions].
type TransformerDecoderLayerForwardOptions struct {
	TgtMask              *torch.Tensor // [T, T] or [N·heads, T, T]
	MemoryMask           *torch.Tensor // [T, S] or [N·heads, T, S]
	TgtKeyPaddingMask    *torch.Tensor // [N, T], or [T] without a batch
	MemoryKeyPaddingMask *torch.Tensor // [N, S], or [S] without a batch
	TgtIsCausal          bool          // says that TgtMask is the causal mask
	MemoryIsCausal       bool          // says that MemoryMask is the causal mask
}

// Forward maps tgt [T, N, E] and memory [S, N, E], the output of an encoder, to the shape of
// tgt. Both are [N, T, E] and [N, S, E] with BatchFirst, or lack N.
func (m *TransformerDecoderLayer) Forward(tgt, memory *torch.Tensor, options ...TransformerDecoderLayerForwardOptions) *torch.Tensor {
	o := torch.Only(options)
	out := run(func() []*torch.Tensor {
		x := residual(tgt, m.NormFirst, m.Norm1, func(x *torch.Tensor) *torch.Tensor {
			return attendTo(m.SelfAttn, x, x, o.TgtMask, o.TgtKeyPaddingMask, o.TgtIsCausal, m.Dropout1)
		})
		x = residual(x, m.NormFirst, m.Norm2, func(x *torch.Tensor) *torch.Tensor {
			return attendTo(m.MultiheadAttn, x, memory, o.MemoryMask, o.MemoryKeyPaddingMask, o.MemoryIsCausal, m.Dropout2)
		})
		return []*torch.Tensor{residual(x, m.NormFirst, m.Norm3, func(x *torch.Tensor) *torch.Tensor {
			x = m.Dropout.Forward(activate(m.Activation, m.Linear1.Forward(x)))
			return m.Dropout3.Forward(m.Linear2.Forward(x))
		})}
	})
	return out[0]
}

// TransformerDecoderOptions are the options of [NewTransformerDecoder].
type TransformerDecoderOptions struct {
	Norm Module // follows the last layer, or nil
}

// TransformerDecoder is a stack of decoder layers: torch.nn.TransformerDecoder.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html
type TransformerDecoder struct {
	Layers []*TransformerDecoderLayer
	Norm   Module // follows the last layer, or nil
}

// NewTransformerDecoder makes a stack of a number of copies of a layer:
// nn.TransformerDecoder(layer, n). All start with the weights of the layer, which is not
// part of the stack.
func NewTransformerDecoder(layer *TransformerDecoderLayer, n int, options ...TransformerDecoderOptions) *TransformerDecoder {
	checkPositive("TransformerDecoder", "number of layers", n)
	return &TransformerDecoder{clones(layer, n), torch.Only(options).Norm}
}

// TransformerDecoderForwardOptions are the options of [TransformerDecoder.Forward]. Masks are
// as in [MultiheadAttentionForwardOptions].
type TransformerDecoderForwardOptions struct {
	TgtMask              *torch.Tensor // [T, T] or [N·heads, T, T]
	MemoryMask           *torch.Tensor // [T, S] or [N·heads, T, S]
	TgtKeyPaddingMask    *torch.Tensor // [N, T], or [T] without a batch
	MemoryKeyPaddingMask *torch.Tensor // [N, S], or [S] without a batch
	TgtIsCausal          *bool         // says whether TgtMask is the causal mask; nil compares it with that
	MemoryIsCausal       bool          // says that MemoryMask is the causal mask
}

// Forward maps tgt and memory as [TransformerDecoderLayer.Forward] does.
func (m *TransformerDecoder) Forward(tgt, memory *torch.Tensor, options ...TransformerDecoderForwardOptions) *torch.Tensor {
	o := torch.Only(options)
	out := run(func() []*torch.Tensor {
		layer := TransformerDecoderLayerForwardOptions{
			TgtMask: o.TgtMask, MemoryMask: o.MemoryMask, TgtKeyPaddingMask: o.TgtKeyPaddingMask, MemoryKeyPaddingMask: o.MemoryKeyPaddingMask,
			TgtIsCausal:    isCausal(o.TgtMask, o.TgtIsCausal, tgt, m.Layers[0].SelfAttn.Options.BatchFirst),
			MemoryIsCausal: o.MemoryIsCausal,
		}
		x := tgt
		for _, l := range m.Layers {
			x = l.Forward(x, memory, layer)
		}
		if m.Norm != nil {
			x = Call(m.Norm, x)
		}
		return []*torch.Tensor{x}
	})
	return out[0]
}

// TransformerOptions are the options of [NewTransformer].
type TransformerOptions struct {
	DModel           int                 // features of the embedding; 0 means 512
	NHead            int                 // heads of the attentions; 0 means 8
	NumEncoderLayers int                 // 0 means 6
	NumDecoderLayers int                 // 0 means 6
	DimFeedforward   int                 // features between the two linear layers of a layer; 0 means 2048
	Dropout          *float64            // probability, default 0.1
	Activation       any                 // "relu", "gelu", a [Module], or a func(*torch.Tensor) *torch.Tensor; nil is "relu"
	CustomEncoder    *TransformerEncoder // in place of the default one
	CustomDecoder    *TransformerDecoder // in place of the default one
	LayerNormEps     *float64            // default 1e-5
	BatchFirst       bool                // tensors are [N, L, E] in place of [L, N, E]
	NormFirst        bool                // normalizes before the attentions and the linear layers, in place of after them
	NoBias           bool                // bias=False
}

// Transformer is an encoder and a decoder: torch.nn.Transformer.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Transformer.html
type Transformer struct {
	Encoder *TransformerEncoder
	Decoder *TransformerDecoder

	DModel, NHead int
	BatchFirst    bool
}

// NewTransformer makes a transformer: nn.Transformer(). Unlike those of a
// [TransformerEncoder], its layers start with weights of their own. It panics with a
// *torch.Error if NHead does not divide DModel, or if an option has no such value.
func NewTransformer(options ...TransformerOptions) *Transformer {
	o := torch.Only(options)
	e, h := cmp.Or(o.DModel, 512), cmp.Or(o.NHead, 8)
	layer := TransformerEncoderLayerOptions{o.DimFeedforward, o.Dropout, o.Activation, o.LayerNormEps, o.BatchFirst, o.NormFirst, o.NoBias}
	norm := func() Module { return NewLayerNorm(e, LayerNormOptions{Eps: o.LayerNormEps, NoBias: o.NoBias}) }
	m := &Transformer{Encoder: o.CustomEncoder, Decoder: o.CustomDecoder, DModel: e, NHead: h, BatchFirst: o.BatchFirst}
	if m.Encoder == nil {
		m.Encoder = NewTransformerEncoder(NewTransformerEncoderLayer(e, h, layer), cmp.Or(o.NumEncoderLayers, 6), TransformerEncoderOptions{Norm: norm()})
	}
	if m.Decoder == nil {
		l := NewTransformerDecoderLayer(e, h, TransformerDecoderLayerOptions(layer))
		m.Decoder = NewTransformerDecoder(l, cmp.Or(o.NumDecoderLayers, 6), TransformerDecoderOptions{Norm: norm()})
	}
	for _, p := range Parameters(m) {
		if p.Dim() > 1 {
			InitXavierUniform(p)
		}
	}
	return m
}

// TransformerForwardOptions are the options of [Transformer.Forward]. Masks are as in
// [MultiheadAttentionForwardOptions].
type TransformerForwardOptions struct {
	SrcMask              *torch.Tensor // [S, S] or [N·heads, S, S]
	TgtMask              *torch.Tensor // [T, T] or [N·heads, T, T]
	MemoryMask           *torch.Tensor // [T, S] or [N·heads, T, S]
	SrcKeyPaddingMask    *torch.Tensor // [N, S], or [S] without a batch
	TgtKeyPaddingMask    *torch.Tensor // [N, T], or [T] without a batch
	MemoryKeyPaddingMask *torch.Tensor // [N, S], or [S] without a batch
	SrcIsCausal          *bool         // says whether SrcMask is the causal mask; nil compares it with that
	TgtIsCausal          *bool         // says whether TgtMask is the causal mask; nil compares it with that
	MemoryIsCausal       bool          // says that MemoryMask is the causal mask
}

// Forward maps src [S, N, E] and tgt [T, N, E] to the shape of tgt. Both are [N, S, E] and
// [N, T, E] with BatchFirst, or lack N.
func (m *Transformer) Forward(src, tgt *torch.Tensor, options ...TransformerForwardOptions) *torch.Tensor {
	o := torch.Only(options)
	batch := 1
	if m.BatchFirst {
		batch = 0
	}
	if src.Dim() != tgt.Dim() || src.Dim() != 2 && src.Dim() != 3 || src.Dim() == 3 && src.Size(batch) != tgt.Size(batch) {
		fail("Transformer: src is %v and tgt %v; both must have 3 dimensions and batches of one size, or 2 dimensions", src.Shape(), tgt.Shape())
	}
	if src.Size(-1) != m.DModel || tgt.Size(-1) != m.DModel {
		fail("Transformer: src is %v and tgt %v; both must have %d features", src.Shape(), tgt.Shape(), m.DModel)
	}
	memory := m.Encoder.Forward(src, TransformerEncoderForwardOptions{o.SrcMask, o.SrcKeyPaddingMask, o.SrcIsCausal})
	return memory.Then(func(memory *torch.Tensor) *torch.Tensor {
		return m.Decoder.Forward(tgt, memory, TransformerDecoderForwardOptions{
			o.TgtMask, o.MemoryMask, o.TgtKeyPaddingMask, o.MemoryKeyPaddingMask, o.TgtIsCausal, o.MemoryIsCausal,
		})
	})
}
