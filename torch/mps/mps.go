// Package mps uses the GPU of a Mac: torch.mps. Where there is none, [IsAvailable]
// says so, and the other functions panic with a *[torch.Error].
//
// https://docs.pytorch.org/docs/stable/mps.html
package mps

import (
	"context"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// IsAvailable reports whether tensors can be put on [torch.MPS]:
// torch.mps.is_available(). It is also false if libtorch cannot be installed.
//
// https://docs.pytorch.org/docs/stable/mps.html
func IsAvailable() bool {
	if torch.Init(context.Background()) != nil {
		return false
	}
	ok, err := libtorch.MPSAvailable()
	return ok && err == nil
}

// Synchronize waits until the GPU has done all its work: torch.mps.synchronize().
//
// https://docs.pytorch.org/docs/stable/generated/torch.mps.synchronize.html
func Synchronize() { do("mps.Synchronize", libtorch.MPSSynchronize) }

// EmptyCache gives the memory back that libtorch holds for new tensors on the GPU:
// torch.mps.empty_cache().
//
// https://docs.pytorch.org/docs/stable/generated/torch.mps.empty_cache.html
func EmptyCache() { do("mps.EmptyCache", libtorch.MPSEmptyCache) }

// CurrentAllocatedMemory returns the bytes of the tensors on the GPU:
// torch.mps.current_allocated_memory().
//
// https://docs.pytorch.org/docs/stable/generated/torch.mps.current_allocated_memory.html
func CurrentAllocatedMemory() int {
	allocated, _, _ := memory("mps.CurrentAllocatedMemory")
	return allocated
}

// DriverAllocatedMemory returns the bytes of the GPU that Metal's driver has allocated
// for the process: torch.mps.driver_allocated_memory().
//
// https://docs.pytorch.org/docs/stable/generated/torch.mps.driver_allocated_memory.html
func DriverAllocatedMemory() int {
	_, driver, _ := memory("mps.DriverAllocatedMemory")
	return driver
}

// RecommendedMaxMemory returns the bytes of the GPU that Metal recommends to use at
// most: torch.mps.recommended_max_memory().
//
// https://docs.pytorch.org/docs/stable/generated/torch.mps.recommended_max_memory.html
func RecommendedMaxMemory() int {
	_, _, recommended := memory("mps.RecommendedMaxMemory")
	return recommended
}

func memory(op string) (allocated, driver, recommended int) {
	do(op, func() error {
		a, d, r, err := libtorch.MPSMemory()
		allocated, driver, recommended = int(a), int(d), int(r)
		return err
	})
	return allocated, driver, recommended
}

// do calls f and panics with the error that it returns.
func do(op string, f func() error) {
	torch.Version() // loads libtorch, or panics
	if err := f(); err != nil {
		panic(engine.Error(op, err))
	}
}
