package nn_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// TestTransformerPaths tests which path an encoder takes: padded positions are 0 only without gradients and hooks, as in PyTorch.
func TestTransformerPaths(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	layer := nn.NewTransformerEncoderLayer(8, 2, nn.TransformerEncoderLayerOptions{DimFeedforward: 12, BatchFirst: true})
	m := nn.NewTransformerEncoder(layer, 2)
	nn.Eval(m)
	require.NotSame(t, layer, m.Layers[0])
	require.NoError(t, torchtest.CheckClose(m.Layers[1].Linear1.Weight.Detach(), layer.Linear1.Weight.Detach(), exactly))
	x, o := torch.Randn(2, 5, 8), nn.TransformerEncoderForwardOptions{SrcKeyPaddingMask: padded()}
	slow := m.Forward(x, o).Detach()
	torch.NoGrad(func() {
		fast := m.Forward(x, o)
		require.Zero(t, fast.Select(1, 4).Abs().Max().Item())
		require.NotZero(t, slow.Select(1, 4).Abs().Max().Item())
		require.NoError(t, torchtest.CheckClose(fast.Narrow(1, 0, 3), slow.Narrow(1, 0, 3)))
		called := 0
		remove := nn.RegisterForwardHook(m.Layers[0].Linear1, func(nn.Module, *torch.Tensor, *torch.Tensor) *torch.Tensor { called++; return nil })
		defer remove()
		m.Layers[0].Forward(x)
		require.Equal(t, 1, called)
	})
}

func TestTransformerMistakes(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	type layer = nn.TransformerEncoderLayerOptions
	type attend = nn.MultiheadAttentionForwardOptions
	x := torch.Zeros(5, 2, 8)
	mha := nn.NewMultiheadAttention(8, 2)
	small := nn.NewTransformer(nn.TransformerOptions{DModel: 8, NHead: 2, NumEncoderLayers: 1, NumDecoderLayers: 1, DimFeedforward: 4})
	for want, f := range map[string]func(){
		"3 heads do not divide the embedding of 8 features":                       func() { nn.NewTransformerEncoderLayer(8, 3) },
		`the activation is "tanh"; it can be "relu", "gelu", a Module or`:         func() { nn.NewTransformerDecoderLayer(8, 2, nn.TransformerDecoderLayerOptions{Activation: "tanh"}) },
		"the activation is a int":                                                 func() { nn.NewTransformerEncoderLayer(8, 2, layer{Activation: 3}) },
		"the probability is 2; it must be between 0 and 1":                        func() { nn.NewTransformerEncoderLayer(8, 2, layer{Dropout: new(2.0)}) },
		"TransformerEncoder: the number of layers is 0; it must be positive":      func() { nn.NewTransformerEncoder(nn.NewTransformerEncoderLayer(8, 2), 0) },
		"the query has 1 dimensions, the key 1 and the value 1; all must have 3":  func() { mha.Forward(torch.Zeros(8), torch.Zeros(8), torch.Zeros(8)) },
		"the query has 3 dimensions, the key 2":                                   func() { mha.Forward(x, torch.Zeros(5, 8), torch.Zeros(5, 8)) },
		"the key has 7 features; the layer takes 8":                               func() { mha.Forward(x, torch.Zeros(5, 2, 7), x) },
		"their batches must be of one size":                                       func() { mha.Forward(x, torch.Zeros(5, 3, 8), torch.Zeros(5, 3, 8)) },
		"the key is [5 2 8] and the value [4 2 8]; they must have one length":     func() { mha.Forward(x, x, torch.Zeros(4, 2, 8)) },
		"the attention mask is [5 4]; it must be [5 5] or [4 5 5]":                func() { mha.Forward(x, x, x, attend{AttnMask: torch.Zeros(5, 4)}) },
		"the key padding mask is [5 2]; it must be [2 5]":                         func() { mha.Forward(x, x, x, attend{KeyPaddingMask: torch.Zeros(5, 2)}) },
		"a mask is int64; it must be bool or floating-point":                      func() { mha.Forward(x, x, x, attend{AttnMask: torch.RandInt(0, 2, 5, 5)}) },
		"IsCausal is given without an AttnMask; give the mask too":                func() { mha.Forward(x, x, x, attend{IsCausal: true}) },
		"src is [5 2 8] and tgt [5 3 8]; both must have 3 dimensions and batches": func() { small.Forward(x, torch.Zeros(5, 3, 8)) },
		"src is [5 2 8] and tgt [5 2 7]; both must have 8 features":               func() { small.Forward(x, torch.Zeros(5, 2, 7)) },
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
}
