package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
)

func TestIsAvailable(t *testing.T) {
	err := torch.Try(func() { torch.Ones(1).To(torch.CUDA).Free() })
	require.Equal(t, err == nil, cuda.IsAvailable(), "%v", err)
	require.Equal(t, cuda.IsAvailable(), cuda.DeviceCount() > 0)
}

func Example() {
	device := torch.CPU
	if cuda.IsAvailable() {
		device = torch.CUDA
	}
	torch.Zeros(2, 3).To(device)
	// Output:
}
