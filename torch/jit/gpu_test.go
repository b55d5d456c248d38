package jit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
)

// TestGPUModule runs a TorchScript module on a GPU, and moves it back.
func TestGPUModule(t *testing.T) {
	if _, err := torch.CUDACount(t.Context()); err != nil {
		t.Skip(err)
	}
	m, err := jit.Load(archive)
	require.NoError(t, err)
	defer m.Close()
	require.NoError(t, m.To(torch.CUDA))
	for range 5 { // the first calls record what kernels are made of later
		y, err := m.Forward(torch.FromSlice([]float32{1, 2, 3}).To(torch.CUDA))
		require.NoError(t, err)
		require.Equal(t, "cuda", y.(*torch.Tensor).Device().Type())
		require.Equal(t, []float32{2, 4, 6}, torch.Data[float32](y.(*torch.Tensor)))
	}
	require.NoError(t, m.To(torch.CPU))
	y, err := m.Forward(torch.FromSlice([]float32{1}))
	require.NoError(t, err)
	require.Equal(t, []float32{2}, torch.Data[float32](y.(*torch.Tensor)))
}
