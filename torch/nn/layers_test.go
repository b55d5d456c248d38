package nn_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// TestInitLive compares the numbers of initializers bit for bit, and the random numbers that follow.
func TestInitLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, tensorScript)
	type x = *torch.Tensor
	for _, c := range []struct {
		python string
		g      func(x *torch.Tensor)
		shape  []int
	}{
		{"nn.init.zeros_(x)", nn.InitZeros, []int{3, 4}},
		{"nn.init.ones_(x)", nn.InitOnes, []int{3}},
		{"nn.init.constant_(x, 0.3)", func(x x) { nn.InitConstant(x, 0.3) }, []int{3}},
		{"nn.init.normal_(x, 1, 0.01)", func(x x) { nn.InitNormal(x, 1, 0.01) }, []int{30, 4}},
		{"nn.init.uniform_(x, -0.1, 0.3)", func(x x) { nn.InitUniform(x, -0.1, 0.3) }, []int{30, 4}},
		{"nn.init.trunc_normal_(x)", func(x x) { nn.InitTruncNormal(x) }, []int{300, 40}},
		{"nn.init.trunc_normal_(x, std=0.02)", func(x x) { nn.InitTruncNormal(x, nn.InitTruncNormalOptions{Std: new(0.02)}) }, []int{300, 40}},
		{"nn.init.trunc_normal_(x, 0.5, 1.5, -0.3, 1.7)", func(x x) {
			nn.InitTruncNormal(x, nn.InitTruncNormalOptions{Mean: 0.5, Std: new(1.5), A: new(-0.3), B: new(1.7)})
		}, []int{50, 40}},
		{"nn.init.trunc_normal_(x, 0.0, 1.0, 1.0, 4.0)", func(x x) {
			nn.InitTruncNormal(x, nn.InitTruncNormalOptions{A: new(1.0), B: new(4.0)})
		}, []int{50, 40}},
		{"nn.init.trunc_normal_(x, 0.1, 3.0, -0.2, 0.5)", func(x x) {
			nn.InitTruncNormal(x, nn.InitTruncNormalOptions{Mean: 0.1, Std: new(3.0), A: new(-0.2), B: new(0.5)})
		}, []int{50, 40}},
		{"nn.init.xavier_uniform_(x)", func(x x) { nn.InitXavierUniform(x) }, []int{30, 4, 3, 3}},
		{"nn.init.xavier_uniform_(x, gain=0.7)", func(x x) { nn.InitXavierUniform(x, nn.InitXavierOptions{Gain: new(0.7)}) }, []int{30, 4}},
		{"nn.init.xavier_normal_(x, gain=0.7)", func(x x) { nn.InitXavierNormal(x, nn.InitXavierOptions{Gain: new(0.7)}) }, []int{30, 4}},
		{"nn.init.kaiming_uniform_(x, a=math.sqrt(5))", func(x x) { nn.InitKaimingUniform(x, nn.InitKaimingOptions{A: math.Sqrt(5)}) }, []int{30, 4, 3}},
		{"nn.init.kaiming_normal_(x)", func(x x) { nn.InitKaimingNormal(x) }, []int{30, 4, 3}},
		{"nn.init.kaiming_normal_(x, mode='fan_out', nonlinearity='relu')", func(x x) {
			nn.InitKaimingNormal(x, nn.InitKaimingOptions{Mode: "fan_out", Nonlinearity: "relu"})
		}, []int{30, 4, 3, 3}},
		{"nn.init.kaiming_uniform_(x, mode='fan_out', nonlinearity='sigmoid')", func(x x) {
			nn.InitKaimingUniform(x, nn.InitKaimingOptions{Mode: "fan_out", Nonlinearity: "sigmoid"})
		}, []int{30, 4, 3, 3}},
		{"nn.init.kaiming_uniform_(x, nonlinearity='tanh')", func(x x) { nn.InitKaimingUniform(x, nn.InitKaimingOptions{Nonlinearity: "tanh"}) }, []int{30, 4}},
		{"nn.init.kaiming_uniform_(x, nonlinearity='selu')", func(x x) { nn.InitKaimingUniform(x, nn.InitKaimingOptions{Nonlinearity: "selu"}) }, []int{30, 4}},
		{"nn.init.kaiming_normal_(x)", func(x x) { nn.InitKaimingNormal(x) }, []int{3, 0}},
		{"nn.init.kaiming_uniform_(x, a=0.3, mode='FAN_OUT')", func(x x) { nn.InitKaimingUniform(x, nn.InitKaimingOptions{A: 0.3, Mode: "FAN_OUT"}) }, []int{3, 4}},
		{"nn.init.kaiming_normal_(x, nonlinearity='conv_transpose2d')", func(x x) { nn.InitKaimingNormal(x, nn.InitKaimingOptions{Nonlinearity: "conv_transpose2d"}) }, []int{3, 4}},
		{"nn.init.eye_(x)", nn.InitEye, []int{3, 5}},
		{"nn.init.dirac_(x)", func(x x) { nn.InitDirac(x) }, []int{4, 3, 5}},
		{"nn.init.dirac_(x, groups=2)", func(x x) { nn.InitDirac(x, nn.InitDiracOptions{Groups: 2}) }, []int{6, 2, 3, 4}},
		{"nn.init.dirac_(x)", func(x x) { nn.InitDirac(x) }, []int{2, 3, 1, 2, 3}},
		{"nn.init.orthogonal_(x)", func(x x) { nn.InitOrthogonal(x) }, []int{5, 3}},
		{"nn.init.orthogonal_(x, gain=0.3)", func(x x) { nn.InitOrthogonal(x, nn.InitOrthogonalOptions{Gain: new(0.3)}) }, []int{3, 4, 2}},
		{"nn.init.orthogonal_(x)", func(x x) { nn.InitOrthogonal(x) }, []int{3, 0}},
		{"nn.init.sparse_(x, 0.3)", func(x x) { nn.InitSparse(x, 0.3) }, []int{10, 7}},
		{"nn.init.sparse_(x, 0.05, std=2)", func(x x) { nn.InitSparse(x, 0.05, nn.InitSparseOptions{Std: new(2.0)}) }, []int{10, 3}},
		{"x.fill_(nn.init.calculate_gain('leaky_relu', 0.2) + nn.init.calculate_gain('leaky_relu') + nn.init.calculate_gain('tanh'))", func(x x) {
			nn.InitConstant(x, nn.CalculateGain("leaky_relu", nn.CalculateGainOptions{Param: 0.2})+nn.CalculateGain("leaky_relu")+nn.CalculateGain("tanh"))
		}, []int{1}},
	} {
		want := p.Call("filled", c.python, c.shape)
		torch.ManualSeed(4)
		got := torch.Empty(c.shape...)
		c.g(got)
		require.NoError(t, torchtest.CheckClose([]any{got, torch.Rand(3)}, want, torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0)}), c.python)
	}
}

const attentionScript = `
def attention(layer, forward, shape, kv):
    torch.manual_seed(5)
    m = eval(layer)
    state = copies(m)
    q, k, v = (torch.randn(s) for s in (shape, [*shape[:-1], kv[0]], [*shape[:-1], kv[1]]))
    if kv == [shape[-1], shape[-1]]:
        k = v = q
    causal = torch.ones(4, 4).triu(1).bool()
    added = torch.randn(4, 4)
    padding = torch.tensor([[False, False, True, False], [False, False, False, True]])
    out = [state]
    for train in (True, False):
        m.train(train)
        with torch.set_grad_enabled(train):
            torch.manual_seed(6)
            y, w = eval("m(q, k, v, " + forward + ")", globals(), locals())
            out += [y.detach().contiguous(), None if w is None else w.detach().contiguous()]
    return out
`

// TestAttentionLive compares MultiheadAttention with PyTorch's: parameters, outputs and weights, with masks of both kinds.
func TestAttentionLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, tensorScript)
	type layer = nn.MultiheadAttentionOptions
	type forward = nn.MultiheadAttentionForwardOptions
	causal := torch.Ones(4, 4).Triu(torch.TriuOptions{Diagonal: 1}).ToDType(torch.Bool)
	padding := torch.FromSlice([]bool{false, false, true, false, false, false, false, true}, 2, 4)
	added := new(torch.Tensor) // the random one
	for _, c := range []struct {
		layer, forward string
		l              layer
		f              forward
		shape          []int
		kv             [2]int
	}{
		{"", "", layer{}, forward{}, []int{4, 2, 8}, [2]int{8, 8}},
		{", batch_first=True", "need_weights=False", layer{BatchFirst: true}, forward{NoWeights: true}, []int{2, 4, 8}, [2]int{8, 8}},
		{", batch_first=True, dropout=0.3", "average_attn_weights=False", layer{BatchFirst: true, Dropout: 0.3}, forward{PerHead: true}, []int{2, 4, 8}, [2]int{8, 8}},
		{", dropout=0.3", "need_weights=False, attn_mask=causal, is_causal=True", layer{Dropout: 0.3}, forward{NoWeights: true, AttnMask: causal, IsCausal: true}, []int{4, 2, 8}, [2]int{8, 8}},
		{", bias=False, kdim=6, vdim=5", "key_padding_mask=padding, attn_mask=causal", layer{NoBias: true, KDim: 6, VDim: 5}, forward{KeyPaddingMask: padding, AttnMask: causal}, []int{4, 2, 8}, [2]int{6, 5}},
		{", add_bias_kv=True, add_zero_attn=True", "key_padding_mask=padding, attn_mask=added", layer{AddBiasKV: true, AddZeroAttn: true}, forward{KeyPaddingMask: padding, AttnMask: added}, []int{4, 2, 8}, [2]int{8, 8}},
		{", kdim=6", "need_weights=False, attn_mask=added", layer{KDim: 6}, forward{NoWeights: true, AttnMask: added}, []int{4, 8}, [2]int{6, 8}},
	} {
		name := c.layer + c.forward
		want := p.Call("attention", "nn.MultiheadAttention(8, 2"+c.layer+")", c.forward, c.shape, []int{c.kv[0], c.kv[1]}).([]torch.Value)
		torch.ManualSeed(5)
		m := nn.NewMultiheadAttention(8, 2, c.l)
		state := want[0].(*torch.Dict)
		require.Len(t, nn.StateDict(m), len(state.Entries), name)
		for i, e := range nn.StateDict(m) {
			require.Equal(t, state.Entries[i].Key, e.Name, name)
			require.NoError(t, torchtest.CheckClose(e.Tensor.Detach(), state.Entries[i].Value, torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0)}), name)
		}
		q, k, v := torch.Randn(c.shape...), torch.Randn(append(c.shape[:len(c.shape)-1:len(c.shape)-1], c.kv[0])...), torch.Randn(append(c.shape[:len(c.shape)-1:len(c.shape)-1], c.kv[1])...)
		if c.kv == [2]int{8, 8} {
			k, v = q, q
		}
		if random := torch.Randn(4, 4); c.f.AttnMask == added {
			c.f.AttnMask = random
		}
		for i, set := range []func(any){nn.Train, nn.Eval} {
			set(m)
			torch.ManualSeed(6)
			y, w := m.Forward(q, k, v, c.f)
			require.NoError(t, torchtest.CheckClose(y.Detach().Contiguous(), want[1+2*i]), name)
			if w == nil {
				require.Nil(t, want[2+2*i], name)
			} else {
				require.NoError(t, torchtest.CheckClose(w.Detach().Contiguous(), want[2+2*i]), name)
			}
		}
	}
}

func TestLayerChecks(t *testing.T) {
	x := torch.Ones(2, 3, 4, 4)
	for want, f := range map[string]func(){
		"BatchNorm1d: x is [2 3 4 4] and must be [N, C] or [N, C, L]": func() { nn.NewBatchNorm1d(3).Forward(x) },
		"BatchNorm3d: x is [2 3 4 4] and must be [N, C, D, H, W]":     func() { nn.NewBatchNorm3d(3).Forward(x) },
		"InstanceNorm2d: x is [3] and must be [N, C, H, W]":           func() { nn.NewInstanceNorm2d(3).Forward(torch.Ones(3)) },
		"GroupNorm: 2 groups do not divide 3 channels":                func() { nn.NewGroupNorm(2, 3) },
		"ConvTranspose2d: 2 groups do not divide 3 input":             func() { nn.NewConvTranspose2d(3, 4, 1, nn.ConvTranspose2dOptions{Groups: 2}) },
		"MultiheadAttention: 3 heads do not divide":                   func() { nn.NewMultiheadAttention(8, 3) },
		"IsCausal is given without an AttnMask": func() {
			nn.NewMultiheadAttention(4, 1).Forward(torch.Ones(2, 4), torch.Ones(2, 4), torch.Ones(2, 4), nn.MultiheadAttentionForwardOptions{IsCausal: true})
		},
		"all must have 3, or 2 without a batch":            func() { nn.NewMultiheadAttention(4, 1).Forward(x, x, x) },
		"Dropout2d: the probability is NaN":                func() { nn.NewDropout2d(math.NaN()) },
		`SequentialDict: "a" is a int, which is no Module`: func() { nn.SequentialDict{{Name: "a", Module: 3}}.Forward(x) },
		`the mode is "fan"; it can be`:                     func() { nn.InitKaimingNormal(x, nn.InitKaimingOptions{Mode: "fan"}) },
		`the nonlinearity is "gelu"; it can be`:            func() { nn.InitKaimingNormal(x, nn.InitKaimingOptions{Nonlinearity: "gelu"}) },
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
}
