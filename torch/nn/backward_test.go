package nn_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// TestBackwardHooksLive compares the order of backward hooks and what they get with Python's.
func TestBackwardHooksLive(t *testing.T) { live(t, backwardHooksLive) }

func backwardHooksLive(t *testing.T, p *torchtest.Interpreter) {
	for _, needs := range []bool{true, false} {
		m := nn.Sequential{nn.NewLinear(4, 3), &nn.Tanh{}, nn.Sequential{nn.NewLinear(3, 3), &nn.Sigmoid{}}}
		x := torch.Randn(2, 4)
		want := p.Call("backward_hooks", nn.StateDict(m), x, needs).([]torch.Value)
		var names, seen []any
		note := func(what string, grads ...*torch.Tensor) {
			names, seen = append(names, what), append(seen, detached(grads...))
		}
		type x1 = *torch.Tensor
		for _, c := range nn.NamedModules(m) {
			defer nn.RegisterFullBackwardPreHook(c.Module.(nn.Module), func(_ nn.Module, g x1) x1 { note("pre "+c.Name, g); return nil })()
			defer nn.RegisterFullBackwardHook(c.Module.(nn.Module), func(_ nn.Module, in, out x1) x1 { note("hook "+c.Name, in, out); return nil })()
		}
		defer nn.RegisterFullBackwardHook(m[1], func(_ nn.Module, in, out x1) x1 { return in.MulScalar(2) })()
		defer nn.RegisterFullBackwardHook(m[1], func(_ nn.Module, in, out x1) x1 { note("last 1", in, out); return nil })()
		defer nn.RegisterFullBackwardPreHook(m[2], func(_ nn.Module, out x1) x1 { return out.MulScalar(3) })()
		x.RequireGrad(needs)
		m.Forward(x).Sum().Backward()
		var grad any
		if needs {
			grad = x.Grad()
		}
		require.Equal(t, want[0], names)
		require.NoError(t, torchtest.CheckClose([]any{seen, grad, gradients(m)}, want[1:], exactly))
	}
}

func TestBackwardHookMistakes(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	m := nn.NewLinear(2, 2)
	defer nn.RegisterFullBackwardHook(m, func(_ nn.Module, in, out *torch.Tensor) *torch.Tensor { return out })()
	require.ErrorContains(t, torch.Try(func() { m.Forward(torch.Ones(1, 2)).Sum().Backward() }), "a backward hook of a *nn.Linear returned a gradient of its input, which requires none")
	torch.NoGrad(func() { m.Forward(torch.Ones(1, 2)) }) // nothing is recorded
}
