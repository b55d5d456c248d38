// Package cuda says what NVIDIA GPUs can be used: torch.cuda.
//
// https://docs.pytorch.org/docs/stable/cuda.html
package cuda

import (
	"context"

	"github.com/torchhub/torchhub/torch"
)

// IsAvailable reports whether tensors can be put on [torch.CUDA]:
// torch.cuda.is_available(). It is also false if libtorch cannot be installed;
// torch.CUDACount returns the reason.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.is_available.html
func IsAvailable() bool { return DeviceCount() > 0 }

// DeviceCount returns the number of GPUs: torch.cuda.device_count().
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.device_count.html
func DeviceCount() int {
	n, err := torch.CUDACount(context.Background())
	if err != nil {
		return 0
	}
	return n
}
