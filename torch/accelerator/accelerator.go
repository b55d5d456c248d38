// Package accelerator names the GPU of the machine, of whichever kind it is: torch.accelerator.
//
// https://docs.pytorch.org/docs/stable/accelerator.html
package accelerator

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/mps"
)

// IsAvailable reports whether there is a GPU that tensors can be put on: torch.accelerator.is_available().
//
// https://docs.pytorch.org/docs/stable/generated/torch.accelerator.is_available.html
func IsAvailable() bool { return DeviceCount() > 0 }

// CurrentAccelerator returns [torch.CUDA] or [torch.MPS], whichever the machine has: torch.accelerator.current_accelerator().
// It returns the zero Device, which is the default device, where Python returns None.
//
// https://docs.pytorch.org/docs/stable/generated/torch.accelerator.current_accelerator.html
func CurrentAccelerator() torch.Device {
	switch {
	case cuda.IsAvailable():
		return torch.CUDA
	case mps.IsAvailable():
		return torch.MPS
	}
	return ""
}

// DeviceCount returns the number of GPUs: torch.accelerator.device_count().
//
// https://docs.pytorch.org/docs/stable/generated/torch.accelerator.device_count.html
func DeviceCount() int {
	if n := cuda.DeviceCount(); n > 0 {
		return n
	}
	if mps.IsAvailable() {
		return 1
	}
	return 0
}
