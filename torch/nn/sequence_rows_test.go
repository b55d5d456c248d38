package nn_test

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// stateful calls an LSTM or an LSTMCell.
func stateful(m any, x []*torch.Tensor) []*torch.Tensor {
	if m, ok := m.(*nn.LSTMCell); ok {
		s := m.Forward(x[0], nn.LSTMState{H: x[1], C: x[2]})
		return only(s.H, s.C)
	}
	y, s := m.(*nn.LSTM).Forward(x[0])
	return only(y, s.H, s.C)
}

func init() {
	const lstm = "(lambda y, s: (y, *s))(*m(*x))"
	rows = append(rows, []row{
		{python: "nn.RNN(3, 4, 2, nonlinearity='relu', bidirectional=True)", g: func() any {
			return nn.NewRNN(3, 4, nn.RNNOptions{NumLayers: 2, Nonlinearity: "relu", Bidirectional: true})
		}, in: []input{f(5, 2, 3)}},
		{python: "nn.GRU(3, 4, 2, dropout=0.25, bias=False)", g: func() any { return nn.NewGRU(3, 4, nn.GRUOptions{NumLayers: 2, Dropout: 0.25, NoBias: true}) }, in: []input{f(5, 2, 3), f(2, 2, 4)}},
		{python: "nn.LSTM(3, 4, 2, batch_first=True, dropout=0.5, proj_size=2)", g: func() any {
			return nn.NewLSTM(3, 4, nn.LSTMOptions{NumLayers: 2, BatchFirst: true, Dropout: 0.5, ProjSize: 2})
		}, in: []input{f(2, 5, 3)}, call: lstm, forward: stateful},
		{python: "nn.LSTM(3, 4)", g: func() any { return nn.NewLSTM(3, 4) }, in: []input{f(5, 3)}, call: lstm, forward: stateful},
		{python: "nn.RNNCell(3, 4, nonlinearity='relu')", g: func() any { return nn.NewRNNCell(3, 4, nn.RNNCellOptions{Nonlinearity: "relu"}) }, in: []input{f(2, 3), f(2, 4)}},
		{python: "nn.GRUCell(3, 4)", g: func() any { return nn.NewGRUCell(3, 4) }, in: []input{f(3)}},
		{python: "nn.LSTMCell(3, 4, bias=False)", g: func() any { return nn.NewLSTMCell(3, 4, nn.LSTMCellOptions{NoBias: true}) }, in: []input{f(2, 3), f(2, 4), f(2, 4)},
			call: "m(x[0], (x[1], x[2]))", forward: stateful},

		{python: "nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU()])", g: func() any { return nn.ModuleList{nn.NewLinear(3, 3), nn.NewLinear(3, 3), &nn.ReLU{}} }, state: true},
		{python: "nn.ModuleList([])", g: func() any { return nn.ModuleList{} }, state: true},
		{python: "nn.ModuleDict(dict(b=nn.Linear(3, 3), a=nn.ModuleList([nn.PReLU()]), c=nn.ModuleDict()))", g: func() any {
			return nn.ModuleDict{{Name: "b", Module: nn.NewLinear(3, 3)}, {Name: "a", Module: []*nn.PReLU{nn.NewPReLU()}}, {Name: "c", Module: nn.ModuleDict{}}}
		}, state: true},
		{python: "nn.ParameterList([torch.ones(2, 3), torch.zeros(())])", g: func() any {
			return nn.ParameterList{torch.Ones(2, 3).RequireGrad(true), torch.Zeros().RequireGrad(true)}
		}, state: true},
		{python: "nn.ParameterDict(OrderedDict(b=torch.ones(2, dtype=torch.float64), a=torch.zeros(1)))", g: func() any {
			return nn.ParameterDict{{Name: "b", Tensor: torch.Options{DType: torch.Float64, RequiresGrad: true}.Ones(2)}, {Name: "a", Tensor: torch.Zeros(1).RequireGrad(true)}}
		}, state: true},
		{python: "nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)), nn.utils.parametrizations.spectral_norm(nn.utils.parametrizations.orthogonal(nn.Conv2d(1, 2, 2))))", g: func() any {
			return nn.Sequential{nn.WeightNorm(nn.NewLinear(3, 4)), nn.SpectralNorm(nn.Orthogonal(nn.NewConv2d(1, 2, 2)))}
		}, state: true},
	}...)
}

// decoded calls a module with options.
func decoded[O any](options O) func(m any, x []*torch.Tensor) []*torch.Tensor {
	return method("Forward", options)
}

// masks of the tests of transformers.
var (
	causal = func(n int) *torch.Tensor { return nn.GenerateSquareSubsequentMask(n) }
	padded = func() *torch.Tensor {
		return torch.FromSlice([]bool{false, false, false, true, true, false, false, false, false, true}, 2, 5)
	}
	scattered = func() *torch.Tensor {
		return torch.FromSlice([]bool{false, true, false, false, true, false, false, false, false, false}, 2, 5)
	}
)

const (
	pythonPadded    = "torch.tensor([[False, False, False, True, True], [False, False, False, False, True]])"
	pythonScattered = "torch.tensor([[False, True, False, False, True], [False, False, False, False, False]])"
	pythonCausal    = "nn.Transformer.generate_square_subsequent_mask(5)"
)

func init() {
	type layer = nn.TransformerEncoderLayerOptions
	type forward = nn.TransformerEncoderLayerForwardOptions
	type encoder = nn.TransformerEncoderForwardOptions
	small := layer{DimFeedforward: 12, BatchFirst: true}
	const small1 = "dim_feedforward=12, batch_first=True"
	encoders := func(o layer, e nn.TransformerEncoderOptions) func() any {
		return func() any { return nn.NewTransformerEncoder(nn.NewTransformerEncoderLayer(8, 2, o), 2, e) }
	}
	rows = append(rows, []row{
		{python: "nn.TransformerEncoderLayer(8, 2)", g: func() any { return nn.NewTransformerEncoderLayer(8, 2) }, in: []input{f(5, 2, 8)}},
		{python: "nn.TransformerEncoderLayer(8, 2, " + small1 + ")", g: func() any { return nn.NewTransformerEncoderLayer(8, 2, small) }, in: []input{f(2, 5, 8)}},
		{python: "nn.TransformerEncoderLayer(8, 2, " + small1 + ", activation='gelu', norm_first=True, layer_norm_eps=1e-3)", g: func() any {
			return nn.NewTransformerEncoderLayer(8, 2, layer{DimFeedforward: 12, BatchFirst: true, Activation: "gelu", NormFirst: true, LayerNormEps: new(1e-3)})
		}, in: []input{f(2, 5, 8)}, call: "m(x[0], src_mask=" + pythonCausal + ", is_causal=True)", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return decoded(forward{SrcMask: causal(5), IsCausal: true})(m, x)
		}},
		{python: "nn.TransformerEncoderLayer(8, 2, " + small1 + ", activation=F.gelu, dropout=0.0)", g: func() any {
			return nn.NewTransformerEncoderLayer(8, 2, layer{DimFeedforward: 12, BatchFirst: true, Activation: F.GELU, Dropout: new(0.0)})
		}, in: []input{f(2, 5, 8)}, call: "m(x[0], src_mask=" + pythonCausal + ", src_key_padding_mask=" + pythonScattered + ")", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return decoded(forward{SrcMask: causal(5), SrcKeyPaddingMask: scattered()})(m, x)
		}},
		{python: "nn.TransformerEncoderLayer(9, 3, 12, activation=nn.PReLU(), bias=False)", g: func() any {
			return nn.NewTransformerEncoderLayer(9, 3, layer{DimFeedforward: 12, Activation: nn.NewPReLU(), NoBias: true})
		}, in: []input{f(5, 9)}, call: "m(x[0], src_key_padding_mask=" + pythonPadded + "[0])", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return decoded(forward{SrcKeyPaddingMask: padded().Select(0, 0)})(m, x)
		}},
		{python: "nn.TransformerEncoderLayer(8, 2, " + small1 + ", activation=torch.tanh)", g: func() any {
			return nn.NewTransformerEncoderLayer(8, 2, layer{DimFeedforward: 12, BatchFirst: true, Activation: (*torch.Tensor).Tanh})
		}, in: []input{f(2, 5, 8)}},
		{python: "nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, " + small1 + "), 2, nn.LayerNorm(8))", g: func() any {
			return nn.NewTransformerEncoder(nn.NewTransformerEncoderLayer(8, 2, small), 2, nn.TransformerEncoderOptions{Norm: nn.NewLayerNorm(8)})
		}, in: []input{f(2, 5, 8)}, call: "m(x[0], src_key_padding_mask=" + pythonPadded + ")", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return decoded(encoder{SrcKeyPaddingMask: padded()})(m, x)
		}},
		{python: "nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, " + small1 + "), 2)", g: encoders(small, nn.TransformerEncoderOptions{}), in: []input{f(2, 5, 8)},
			call: "m(x[0], src_key_padding_mask=" + pythonScattered + ")", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
				return decoded(encoder{SrcKeyPaddingMask: scattered()})(m, x)
			}},
		{python: "nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, " + small1 + "), 2, enable_nested_tensor=False)", g: encoders(small, nn.TransformerEncoderOptions{NoNestedTensor: true}), in: []input{f(2, 5, 8)},
			call: "m(x[0], src_key_padding_mask=" + pythonPadded + ")", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
				return decoded(encoder{SrcKeyPaddingMask: padded()})(m, x)
			}},
		{python: "nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12), 2, mask_check=False)", g: encoders(layer{DimFeedforward: 12}, nn.TransformerEncoderOptions{NoMaskCheck: true}), in: []input{f(5, 2, 8)},
			call: "m(x[0], mask=" + pythonCausal + ")", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
				return decoded(encoder{Mask: causal(5)})(m, x)
			}},
		{python: "nn.TransformerDecoderLayer(8, 2, 12)", g: func() any {
			return nn.NewTransformerDecoderLayer(8, 2, nn.TransformerDecoderLayerOptions{DimFeedforward: 12})
		}, in: []input{f(5, 2, 8), f(4, 2, 8)}},
		{python: "nn.TransformerDecoderLayer(8, 4, " + small1 + ", activation='gelu', norm_first=True, bias=False)", g: func() any {
			return nn.NewTransformerDecoderLayer(8, 4, nn.TransformerDecoderLayerOptions{DimFeedforward: 12, BatchFirst: true, Activation: "gelu", NormFirst: true, NoBias: true})
		}, in: []input{f(2, 5, 8), f(2, 5, 8)}, call: "m(x[0], x[1], tgt_mask=" + pythonCausal + ", tgt_is_causal=True, memory_key_padding_mask=" + pythonPadded + ")", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return decoded(nn.TransformerDecoderLayerForwardOptions{TgtMask: causal(5), TgtIsCausal: true, MemoryKeyPaddingMask: padded()})(m, x)
		}},
		{python: "nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 12), 2, nn.LayerNorm(8))", g: func() any {
			return nn.NewTransformerDecoder(nn.NewTransformerDecoderLayer(8, 2, nn.TransformerDecoderLayerOptions{DimFeedforward: 12}), 2, nn.TransformerDecoderOptions{Norm: nn.NewLayerNorm(8)})
		}, in: []input{f(5, 2, 8), f(4, 2, 8)}, call: "m(x[0], x[1], tgt_mask=" + pythonCausal + ".bool(), tgt_key_padding_mask=" + pythonPadded + ")", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return decoded(nn.TransformerDecoderForwardOptions{TgtMask: causal(5).ToDType(torch.Bool), TgtKeyPaddingMask: padded()})(m, x)
		}},
		{python: "nn.Transformer(8, 2, 1, 2, 12, batch_first=True)", g: func() any {
			return nn.NewTransformer(nn.TransformerOptions{DModel: 8, NHead: 2, NumEncoderLayers: 1, NumDecoderLayers: 2, DimFeedforward: 12, BatchFirst: true})
		}, in: []input{f(2, 5, 8), f(2, 5, 8)}, call: "m(x[0], x[1], tgt_mask=" + pythonCausal + ", src_key_padding_mask=" + pythonPadded + ", memory_key_padding_mask=" + pythonPadded + ")", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return decoded(nn.TransformerForwardOptions{TgtMask: causal(5), SrcKeyPaddingMask: padded(), MemoryKeyPaddingMask: padded()})(m, x)
		}},
		{python: "nn.Transformer(8, 2, 2, 1, 12, dropout=0.3, norm_first=True)", g: func() any {
			return nn.NewTransformer(nn.TransformerOptions{DModel: 8, NHead: 2, NumEncoderLayers: 2, NumDecoderLayers: 1, DimFeedforward: 12, Dropout: new(0.3), NormFirst: true})
		}, in: []input{f(5, 8), f(4, 8)}},
	}...)

	// Attention: which of the tensors are the same, masks, and the fast path.
	type attention = nn.MultiheadAttentionOptions
	type attend = nn.MultiheadAttentionForwardOptions
	mha := func(python, call string, heads int, o attention, in []input, pick func(x []*torch.Tensor) (q, k, v *torch.Tensor), a func() attend) {
		rows = append(rows, row{python: "nn.MultiheadAttention(8, " + python + ")", g: func() any { return nn.NewMultiheadAttention(8, heads, o) }, in: in,
			call: "m(" + call + ")", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
				q, k, v := pick(x)
				y, w := m.(*nn.MultiheadAttention).Forward(q, k, v, a())
				if w == nil {
					return only(y)
				}
				return only(y, w)
			}})
	}
	self := func(x []*torch.Tensor) (q, k, v *torch.Tensor) { return x[0], x[0], x[0] }
	memory := func(x []*torch.Tensor) (q, k, v *torch.Tensor) { return x[0], x[1], x[1] }
	three := func(x []*torch.Tensor) (q, k, v *torch.Tensor) { return x[0], x[1], x[2] }
	plain := func() attend { return attend{} }
	mha("2, batch_first=True", "x[0], x[0], x[0]", 2, attention{BatchFirst: true}, []input{f(2, 5, 8)}, self, plain)
	mha("2, batch_first=True, dropout=0.2", "x[0], x[0], x[0], need_weights=False, key_padding_mask="+pythonPadded, 2, attention{BatchFirst: true, Dropout: 0.2}, []input{f(2, 5, 8)}, self,
		func() attend { return attend{NoWeights: true, KeyPaddingMask: padded()} })
	mha("4, batch_first=True", "x[0], x[0], x[0], average_attn_weights=False, attn_mask="+pythonCausal+".bool(), key_padding_mask="+pythonScattered, 4, attention{BatchFirst: true}, []input{f(2, 5, 8)}, self,
		func() attend {
			return attend{PerHead: true, AttnMask: causal(5).ToDType(torch.Bool), KeyPaddingMask: scattered()}
		})
	mha("1, batch_first=True", "x[0], x[0], x[0], attn_mask="+pythonCausal+", is_causal=True, need_weights=False", 1, attention{BatchFirst: true}, []input{f(2, 5, 8)}, self,
		func() attend { return attend{AttnMask: causal(5), IsCausal: true, NoWeights: true} })
	mha("2, add_bias_kv=True, add_zero_attn=True", "x[0], x[1], x[1], key_padding_mask="+pythonPadded, 2, attention{AddBiasKV: true, AddZeroAttn: true}, []input{f(4, 2, 8), f(5, 2, 8)}, memory,
		func() attend { return attend{KeyPaddingMask: padded()} })
	mha("2, kdim=3, vdim=4, bias=False, dropout=0.3", "x[0], x[1], x[2], need_weights=False", 2, attention{KDim: 3, VDim: 4, NoBias: true, Dropout: 0.3}, []input{f(4, 2, 8), f(5, 2, 3), f(5, 2, 4)}, three,
		func() attend { return attend{NoWeights: true} })
	mha("2, kdim=8, batch_first=True", "x[0], x[0], x[1]", 2, attention{KDim: 8, BatchFirst: true}, []input{f(2, 5, 8), f(2, 5, 8)}, func(x []*torch.Tensor) (q, k, v *torch.Tensor) { return x[0], x[0], x[1] }, plain)
	mha("2, vdim=5", "x[0], x[0], x[1], attn_mask=torch.arange(100.).view(4, 5, 5).cos()", 2, attention{VDim: 5}, []input{f(5, 2, 8), f(5, 2, 5)}, func(x []*torch.Tensor) (q, k, v *torch.Tensor) { return x[0], x[0], x[1] },
		func() attend { return attend{AttnMask: torch.Arange(100.0).View(4, 5, 5).Cos()} })
	mha("2, add_zero_attn=True", "x[0], x[0], x[0], key_padding_mask="+pythonPadded+"[0], need_weights=False", 2, attention{AddZeroAttn: true}, []input{f(5, 8)}, self,
		func() attend { return attend{KeyPaddingMask: padded().Select(0, 0), NoWeights: true} })
}
