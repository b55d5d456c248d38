//go:build torchleak

package torch_test

import (
	"bytes"
	"runtime/pprof"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

func TestLeakProfile(t *testing.T) {
	p := pprof.Lookup("torch.tensors")
	before := p.Count()
	x := torch.Ones(3)
	y := leaky(x)
	x.Add(x).Free()
	torch.Scope(func() { x.Mul(x) })
	require.Equal(t, before+2, p.Count()) // x and y

	var text bytes.Buffer
	require.NoError(t, p.WriteTo(&text, 1))
	require.Contains(t, text.String(), "leaky")
	y.Free()
	text.Reset()
	require.NoError(t, p.WriteTo(&text, 1))
	require.NotContains(t, text.String(), "leaky")
	x.Free()
	require.Equal(t, before, p.Count())
}

//go:noinline
func leaky(x *torch.Tensor) *torch.Tensor { return x.Add(x) }
