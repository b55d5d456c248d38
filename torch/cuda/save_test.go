package cuda_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// Tensors of a GPU are saved in pieces, with their device, and loaded on the CPU or on the GPU.
func TestGPUSave(t *testing.T) {
	needGPU(t)
	const n = 20 << 20 // 80 MiB
	x := torch.Options{DType: torch.Float32, Device: torch.CUDA}.Arange(n).Reshape(4, n/4)
	path := filepath.Join(t.TempDir(), "x.pt")
	require.NoError(t, torch.Save(path, torch.Tuple{x, x.T(), x.Narrow(1, 7, 2)}))
	for _, device := range []torch.Device{torch.CPU, torch.CUDA} {
		v, err := torch.Load(path, torch.WithMapLocation(device))
		require.NoError(t, err)
		all, err := torch.Get[[]*torch.Tensor](v)
		require.NoError(t, err)
		for i, want := range []*torch.Tensor{x, x.T(), x.Narrow(1, 7, 2)} {
			require.Equal(t, device.Type(), all[i].Device().Type())
			require.True(t, all[i].To(torch.CPU).Equal(want.To(torch.CPU)))
		}
		all[0].FillInPlace(1)
		require.Equal(t, 1.0, all[2].Max().Item(), "memory is shared")
	}
	seq := filepath.Join(t.TempDir(), "seq.pt")
	require.NoError(t, torch.SaveSeq(seq, func(yield func(torch.Named, error) bool) { yield(torch.Named{Name: "t", Tensor: x.T()}, nil) }))
	s, err := torch.LoadStateDict(seq)
	require.NoError(t, err)
	require.True(t, s.Get("t").Equal(x.T().To(torch.CPU)))

	p := reference.Start(t, "import torch")
	var device string
	p.Call(&device, `lambda path: str(torch.load(path, weights_only=True)[1].device)`, path)
	require.Equal(t, "cuda:0", device)
}
