package torch

import (
	"context"
	"fmt"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// LoadLibrary loads a shared library that registers operators, which [NewOp], TorchScript and compiled models then
// find by name: torch.ops.load_library(path). The library is native code, which runs at once: load only what you
// trust. It must have been built for the libtorch in use. One that was built for CUDA loads without a GPU too, if that
// libtorch supports CUDA. A library that registers an operator a second time ends the process, as in Python.
//
// The operators of torchvision need no library: package models/ops registers its own. torchvision's library, whose
// kernels for CUDA are faster, must be loaded before the first use of any of them, of TorchScript, and of compiled
// models; later it is refused, and so is a second one. On the CPU its poolings of regions and its deformable
// convolution, which may crash where a number is NaN, are not used. Gradients and autocast work with either.
//
// https://docs.pytorch.org/docs/stable/library.html#torch.ops.load_library
func LoadLibrary(ctx context.Context, path string) error {
	if err := Init(ctx); err != nil {
		return err
	}
	if err := libtorch.LoadOperators(path); err != nil {
		return fmt.Errorf("torch: load the library %s: %w", path, err)
	}
	return nil
}
