package torchtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// TestGPU compares tensors of a GPU, and makes those that Python makes there.
func TestGPU(t *testing.T) {
	if _, err := torch.CUDACount(t.Context()); err != nil {
		t.Skip(err)
	}
	onCPU := torch.NewTensor([]float32{1, 2, 3})
	x := onCPU.To(torch.CUDA)
	torchtest.AssertClose(t, x, x.AddScalar(1e-7))
	require.EqualError(t, torchtest.CheckClose(x, onCPU), "The values for attribute 'device' do not match: cuda:0 != cpu.")
	require.NoError(t, torchtest.CheckClose(x, onCPU, torchtest.CloseOptions{NoCheckDevice: true}))
	require.Equal(t, torchtest.CheckClose(onCPU, onCPU.AddScalar(1)), torchtest.CheckClose(x, x.AddScalar(1)))

	p := torchtest.Python(t, "from torch.testing import make_tensor")
	for _, d := range []torch.DType{torch.Float32, torch.Float16, torch.Complex64, torch.Int32, torch.Bool} {
		torch.ManualSeed(0)
		p.Run("torch.manual_seed(0)")
		made := torchtest.MakeTensor([]int{40, 3}, d, torchtest.MakeTensorOptions{Device: torch.CUDA, NonContiguous: true})
		want := p.Call("lambda d: make_tensor(40, 3, dtype=d, device='cuda', noncontiguous=True)", d)
		require.NoError(t, torchtest.CheckClose(made, want, torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0), NoCheckDevice: true}))
	}
	require.Equal(t, "cuda:0", p.Call("lambda x: str(x.device)", x))
}
