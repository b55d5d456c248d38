//go:build torchleak

package autograd_test

import (
	"bytes"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
)

// TestLeakOfGraphs trains, with hooks, functions in Go and checkpoints, in scopes. No tensor
// may be alive afterwards but the parameters, once the collector has freed what a
// checkpoint and hooks of saved tensors have kept beyond the scope.
func TestLeakOfGraphs(t *testing.T) {
	p := pprof.Lookup("torch.tensors")
	m := newMLP()
	before := p.Count()
	for range 10 {
		torch.Scope(func() {
			h := m.p[0].RegisterHook(func(g *torch.Tensor) *torch.Tensor { return g.MulScalar(2) })
			defer h.Remove()
			m.step()
			x := torch.Options{RequiresGrad: true}.Ones(3)
			autograd.Checkpoint(exp(nil).Apply, tensors{x})[0].Sum().Backward()
			autograd.SaveOnCPU(func() { x.Mul(x).Sum().Backward() })
			_ = torch.Try(func() { exp(panics).Apply(x)[0].Sum().Backward() })
		})
	}
	require.Eventually(t, func() bool { runtime.GC(); return p.Count() <= before }, 10*time.Second, 10*time.Millisecond)
}

// TestLeakOfCycle shows a cycle between a hook and the graph of its tensor, which the
// collector does not see: the profile names the place where the tensor was made.
func TestLeakOfCycle(t *testing.T) {
	text := func() string {
		for range 3 {
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
		}
		var b bytes.Buffer
		require.NoError(t, pprof.Lookup("torch.tensors").WriteTo(&b, 1))
		return b.String()
	}
	h := cyclic()
	require.Contains(t, text(), "autograd_test.cyclic")
	h.Remove()
	require.Eventually(t, func() bool { return !strings.Contains(text(), "autograd_test.cyclic") }, 10*time.Second, 10*time.Millisecond)
}

//go:noinline
func cyclic() *torch.Hook {
	y := torch.Options{RequiresGrad: true}.Ones(2).MulScalar(2)
	return y.RegisterHook(func(g *torch.Tensor) *torch.Tensor { return g.Mul(y) })
}
