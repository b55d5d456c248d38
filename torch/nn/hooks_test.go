package nn_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// net has a block in a container, a block in a field, and a layer twice.
type net struct {
	Stem  nn.Sequential
	Body  nn.SequentialDict
	Side  *hookBlock
	Twice *nn.Linear
	Again *nn.Linear `nn:"-"`
}

type hookBlock struct {
	FC  *nn.Linear
	Act nn.Module
}

func (b *hookBlock) Forward(x *torch.Tensor) *torch.Tensor {
	return b.FC.Forward(x).Then(b.Act.Forward)
}

func newNet() *net {
	twice := nn.NewLinear(3, 3)
	return &net{
		Stem:  nn.Sequential{nn.NewLinear(4, 3), &nn.ReLU{InPlace: true}},
		Body:  nn.SequentialDict{{"a", &hookBlock{nn.NewLinear(3, 3), &nn.Tanh{}}}, {"b", &nn.Tanh{}}},
		Side:  &hookBlock{nn.NewLinear(3, 3), &nn.Sigmoid{}},
		Twice: twice, Again: twice,
	}
}

func (n *net) Forward(x *torch.Tensor) *torch.Tensor {
	x = n.Stem.Forward(x).Then(n.Body.Forward)
	x = nn.Call(n.Side, x)
	return x.Then(n.Twice.Forward).Then(n.Again.Forward)
}

const netScript = `
import torch
from torch import nn
from collections import OrderedDict

class Block(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.fc, self.act = nn.Linear(3, 3), act
    def forward(self, x): return self.act(self.fc(x))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(4, 3), nn.ReLU(inplace=True))
        self.body = nn.Sequential(OrderedDict(a=Block(nn.Tanh()), b=nn.Tanh()))
        self.side = Block(nn.Sigmoid())
        self.twice = nn.Linear(3, 3)
    def forward(self, x):
        return self.twice(self.twice(self.side(self.body(self.stem(x)))))

def calls(file, x):
    m = Net()
    m.load_state_dict(torch.load(file))
    seen = []
    for name, c in m.named_modules():
        c.register_forward_hook(lambda c, x, y, name=name: seen.append((name, y.detach())))
    y = m(torch.from_numpy(x))
    return {"named": [n for n, _ in m.named_modules()], "order": [n for n, _ in seen], "outputs": [t for _, t in seen]}
`

// TestForwardHooks compares the hooks of all modules with Python's: order and outputs.
func TestForwardHooks(t *testing.T) {
	p := reference.Start(t, arrayScript)
	require.NoError(t, torch.Init(t.Context()))
	torch.ManualSeed(3)
	m := newNet()
	file := t.TempDir() + "/net.pth"
	require.NoError(t, nn.SaveStateDict(file, m))
	x := torch.Randn(2, 4)
	var want struct {
		Named, Order []string
		Outputs      []reference.Array
	}
	p.Call(&want, "calls", file, reference.NewArray(torch.Data[float32](x), 2, 4))
	var gotNamed, gotOrder []string
	var got []*torch.Tensor
	for _, c := range nn.NamedModules(m) {
		gotNamed = append(gotNamed, c.Name)
		defer nn.RegisterForwardHook(c.Module.(nn.Module), func(_ nn.Module, _, y *torch.Tensor) *torch.Tensor {
			gotOrder, got = append(gotOrder, c.Name), append(got, y.Detach())
			return nil
		})()
	}
	nn.Call(m, x)
	require.Equal(t, want.Named, gotNamed)
	require.Equal(t, want.Order, gotOrder)
	for i, out := range want.Outputs {
		require.InDeltaSlice(t, reference.Data[float32](out), torch.Data[float32](got[i]), 1e-6, gotOrder[i])
	}
}

func TestHooksReplace(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	m := nn.Sequential{&nn.Identity{}, &nn.Identity{}}
	x := torch.Ones(2)
	first := nn.RegisterForwardHook(m[0], func(_ nn.Module, x, y *torch.Tensor) *torch.Tensor { return y.AddScalar(1) })
	second := nn.RegisterForwardHook(m[0], func(_ nn.Module, x, y *torch.Tensor) *torch.Tensor { return y.MulScalar(3) })
	pre := nn.RegisterForwardPreHook(m, func(_ nn.Module, x *torch.Tensor) *torch.Tensor { return x.MulScalar(10) })
	require.Equal(t, []float32{33, 33}, torch.Data[float32](m.Forward(x)))
	second()
	second() // twice does nothing
	require.Equal(t, []float32{11, 11}, torch.Data[float32](m.Forward(x)))
	pre()
	first()
	require.Same(t, x, m.Forward(x))
	err := torch.Try(func() { nn.RegisterForwardHook(value{}, nil) })
	require.ErrorContains(t, err, "nn_test.value has no hooks")
	require.Same(t, x, nn.Call(value{}, x))
}

type value struct{}

func (value) Forward(x *torch.Tensor) *torch.Tensor { return x }

func TestFeatureExtractor(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	m := newNet()
	x := torch.Randn(2, 4)
	e, err := nn.NewFeatureExtractor(m, "stem", "body.a", "side", "side.fc", "")
	require.NoError(t, err)
	called := 0
	defer nn.RegisterForwardHook(m.Stem, func(nn.Module, *torch.Tensor, *torch.Tensor) *torch.Tensor { called++; return nil })()

	want := map[string]*torch.Tensor{"stem": m.Stem.Forward(x), "": m.Forward(x)}
	want["body.a"] = m.Body[0].Module.(nn.Module).Forward(want["stem"])
	want["side.fc"] = m.Side.FC.Forward(m.Body.Forward(want["stem"]))
	want["side"] = want["side.fc"].Sigmoid()
	before := called
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				torch.NoGrad(func() {
					got := e.Forward(x)
					require.Len(t, got, len(want))
					for name, w := range want {
						require.Equal(t, torch.Data[float32](w.Detach()), torch.Data[float32](got[name]), name)
					}
				})
			}
		})
	}
	wg.Wait()
	require.Equal(t, before, called, "the model's own hooks")
	require.True(t, e.Forward(x)["stem"].RequiresGrad())
	e.Forward(x)["side"].Sum().Backward()
	require.NotNil(t, m.Stem[0].(*nn.Linear).Weight.Grad(), "the tensors are the model's own")

	for name, want := range map[string]string{
		"layer":    `has no module "layer"; there are stem, body, side, twice`,
		"body.c":   `has no module "body.c"; there are body.a, body.b`,
		"side.x.y": `has no module "side.x.y"; there are side.fc, side.act`,
	} {
		_, err := nn.NewFeatureExtractor(m, name)
		require.ErrorContains(t, err, want)
	}
	e, err = nn.NewFeatureExtractor(&direct{newNet().Side}, "inner")
	require.NoError(t, err)
	require.ErrorContains(t, torch.Try(func() { e.Forward(torch.Ones(1, 3)) }), `did not call "inner" with hooks`)
}

// direct calls its block without hooks.
type direct struct{ Inner *hookBlock }

func (d *direct) Forward(x *torch.Tensor) *torch.Tensor { return d.Inner.Forward(x) }

func TestRequireGrad(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	m := newNet()
	nn.RequireGrad(m, false)
	nn.RequireGrad(m.Side, true)
	m.Forward(torch.Ones(1, 4)).Sum().Backward()
	for _, e := range nn.StateDict(m) {
		require.Equal(t, strings.HasPrefix(e.Name, "side."), e.Tensor.Grad() != nil, e.Name)
	}
}
