package ops_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func Example() {
	block := ops.NewConv2dNormActivation(3, 8, ops.ConvNormActivationOptions{Stride: 2, Activation: func() nn.Module { return &nn.Hardswish{} }})
	se := ops.NewSqueezeExcitation(8, 2)
	fmt.Println(se.Forward(block.Forward(torch.Rand(2, 3, 32, 32))).Shape())
	// Output: [2 8 16 16]
}

// misc are modules in Python and in Go, with the shape of an input.
var misc = []struct {
	python string
	g      func() nn.Module
	shape  []int
}{
	{"ops.Conv2dNormActivation(4, 6)", func() nn.Module { return ops.NewConv2dNormActivation(4, 6) }, []int{2, 4, 8, 8}},
	{"ops.Conv2dNormActivation(4, 6, (3, 5), stride=2, groups=2, dilation=2, activation_layer=nn.Hardswish)", func() nn.Module {
		return ops.NewConv2dNormActivation(4, 6, ops.ConvNormActivationOptions{
			Kernel: []int{3, 5}, Stride: 2, Groups: 2, Dilation: 2, Activation: func() nn.Module { return &nn.Hardswish{InPlace: true} },
		})
	}, []int{2, 4, 18, 18}},
	{"ops.Conv2dNormActivation(4, 6, norm_layer=None, activation_layer=None)", func() nn.Module {
		return ops.NewConv2dNormActivation(4, 6, ops.ConvNormActivationOptions{NoNorm: true, NoActivation: true})
	}, []int{2, 4, 8, 8}},
	{"ops.Conv2dNormActivation(4, 6, 1, padding=2, bias=True, norm_layer=lambda c: nn.GroupNorm(2, c))", func() nn.Module {
		return ops.NewConv2dNormActivation(4, 6, ops.ConvNormActivationOptions{
			Kernel: 1, Padding: 2, Bias: new(true), Norm: func(c int) nn.Module { return nn.NewGroupNorm(2, c) },
		})
	}, []int{2, 4, 8, 8}},
	{"ops.Conv3dNormActivation(4, 6, (1, 3, 3), stride=(1, 2, 2))", func() nn.Module {
		return ops.NewConv3dNormActivation(4, 6, ops.ConvNormActivationOptions{Kernel: []int{1, 3, 3}, Stride: []int{1, 2, 2}})
	}, []int{2, 4, 3, 8, 8}},
	{"ops.SqueezeExcitation(8, 3)", func() nn.Module { return ops.NewSqueezeExcitation(8, 3) }, []int{2, 8, 5, 5}},
	{"ops.SqueezeExcitation(8, 3, nn.SiLU, nn.Hardsigmoid)", func() nn.Module {
		return ops.NewSqueezeExcitation(8, 3, ops.SqueezeExcitationOptions{
			Activation: func() nn.Module { return &nn.SiLU{} }, ScaleActivation: func() nn.Module { return &nn.Hardsigmoid{} },
		})
	}, []int{2, 8, 5, 5}},
	{"ops.MLP(8, [6, 4])", func() nn.Module { return ops.NewMLP(8, []int{6, 4}) }, []int{3, 8}},
	{"ops.MLP(8, [6, 5, 4], nn.LayerNorm, nn.GELU, bias=False, dropout=0.2)", func() nn.Module {
		return ops.NewMLP(8, []int{6, 5, 4}, ops.MLPOptions{
			Norm: func(n int) nn.Module { return nn.NewLayerNorm(n) }, Activation: func() nn.Module { return &nn.GELU{} }, NoBias: true, Dropout: 0.2,
		})
	}, []int{3, 8}},
	{"ops.Permute([0, 2, 3, 1])", func() nn.Module { return ops.NewPermute(0, 2, 3, 1) }, []int{3, 8, 2, 2}},
	{"ops.StochasticDepth(0.4, 'row')", func() nn.Module { return ops.NewStochasticDepth(0.4, "row") }, []int{9, 2, 2}},
	{"ops.StochasticDepth(0.4, 'batch')", func() nn.Module { return ops.NewStochasticDepth(0.4, "batch") }, []int{9, 2, 2}},
	{"ops.StochasticDepth(1.0, 'row')", func() nn.Module { return ops.NewStochasticDepth(1, "row") }, []int{9, 2, 2}},
	{"ops.FrozenBatchNorm2d(3, eps=0.5)", func() nn.Module {
		return ops.NewFrozenBatchNorm2d(3, ops.FrozenBatchNorm2dOptions{Eps: new(0.5)})
	}, []int{2, 3, 4, 4}},
}

// TestMiscLive compares modules with torchvision's after the same seed: parameters bit for bit and in order, and outputs.
func TestMiscLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, `
import torch
from torch import nn
from torchvision import ops

torch.set_num_threads(1)

def module(expression, shape):
    torch.manual_seed(3)
    m = eval(expression)
    state, x = [[k, v.detach().clone()] for k, v in m.state_dict().items()], torch.randn(shape)
    with torch.no_grad():
        train = m(x.clone()).contiguous()
        return [state, train, m.eval()(x.clone()).contiguous()]
`)
	exact := torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0)}
	for _, c := range misc {
		want := p.Call("module", c.python, c.shape).([]torch.Value)
		torch.ManualSeed(3)
		m := c.g()
		var state []any
		for _, e := range nn.StateDict(m) {
			state = append(state, []any{e.Name, e.Tensor.Detach()})
		}
		pairs := want[0].([]torch.Value)
		require.Len(t, state, len(pairs), c.python)
		for i, e := range state {
			require.NoError(t, torchtest.CheckClose(e.([]any)[1], pairs[i].([]torch.Value)[1], exact), c.python)
			require.Equal(t, pairs[i].([]torch.Value)[0], e.([]any)[0])
		}
		x := torch.Randn(c.shape...)
		torch.NoGrad(func() {
			require.NoError(t, torchtest.CheckClose(m.Forward(x.Clone()).Contiguous(), want[1]), c.python)
			nn.Eval(m)
			require.NoError(t, torchtest.CheckClose(m.Forward(x.Clone()).Contiguous(), want[2]), c.python)
		})
	}
}

func TestFrozenBatchNormLoadsBatchNorm(t *testing.T) {
	from := nn.NewBatchNorm2d(3)
	from.Forward(torch.Randn(2, 3, 4, 4))
	nn.Eval(from)
	to := nn.Sequential{ops.NewFrozenBatchNorm2d(3)}
	require.NoError(t, nn.LoadStateDict(to, nn.StateDict(nn.Sequential{from})))
	x := torch.Randn(2, 3, 4, 4)
	torchtest.AssertClose(t, to.Forward(x), from.Forward(x))
	require.Empty(t, nn.Parameters(to))
}

func TestMiscMistakes(t *testing.T) {
	for want, f := range map[string]func(){
		"the probability is 1.5":              func() { ops.NewStochasticDepth(1.5, "row") },
		`the mode is "rows"`:                  func() { ops.NewStochasticDepth(0.5, "rows") },
		"hidden is empty":                     func() { ops.NewMLP(3, nil) },
		"Kernel has 3 elements":               func() { ops.NewConv2dNormActivation(1, 1, ops.ConvNormActivationOptions{Kernel: []int{1, 2, 3}}) },
		"Conv3dNormActivation: Dilation is a": func() { ops.NewConv3dNormActivation(1, 1, ops.ConvNormActivationOptions{Dilation: "x"}) },
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
}
