//go:build torchleak

package autograd_test

import (
	"runtime/pprof"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
)

// TestLeakOfGraphs trains, with hooks, functions in Go and checkpoints, in scopes. No tensor
// may be alive afterwards but the parameters and their gradients.
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
	require.Equal(t, before, p.Count())
}
