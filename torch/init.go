package torch

import (
	"context"
	"errors"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// Init makes libtorch ready: it finds or installs one, builds the shim for it
// and loads both. Its error is one sentence. The other functions of this
// package do the same at their first use, and panic if Init would return an
// error.
//
// The options change how libtorch affects the rest of the process;
// docs/rationale.md has the reasons and the numbers.
func Init(ctx context.Context, options ...InitOptions) error {
	o := Only(options)
	if o.KeepMallocArenas {
		if err := libtorch.KeepArenas(); err != nil {
			return err
		}
	}
	if o.NoCollections {
		noCollections.Store(true)
	}
	return libtorch.Load(ctx)
}

// InitOptions are the options of [Init].
type InitOptions struct {
	// KeepMallocArenas does not limit the arenas of glibc's malloc. Otherwise the
	// first use of libtorch limits their number to one for the whole process,
	// unless $MALLOC_ARENA_MAX is set. Setting it after the first use is an error.
	KeepMallocArenas bool

	// NoCollections leaves garbage collections to Go's own schedule, which does not
	// take the memory of tensors into account: the program should free them, with
	// Free or in a Scope. Otherwise an op triggers a collection when unreachable
	// tensors may hold too much memory. An op that is out of memory still collects
	// once before it fails.
	NoCollections bool
}

func mustInit() {
	if libtorch.Loaded() != nil {
		return
	}
	if err := libtorch.Load(context.Background()); err != nil {
		panic(&Error{Op: "Init", Msg: err.Error(), kind: err})
	}
}

// Version returns the version of the libtorch in use: torch.__version__.
func Version() string {
	mustInit()
	return libtorch.Loaded().Version
}

// CPUCapability names the instruction set that the CPU kernels use, such as "AVX512": torch.backends.cpu.get_cpu_capability().
func CPUCapability() string {
	mustInit()
	return libtorch.CPUCapability()
}

// CUDACount returns the number of CUDA devices, or an error that gives the reason why
// there is none.
func CUDACount(ctx context.Context) (int, error) {
	if err := Init(ctx); err != nil {
		return 0, err
	}
	n, err := libtorch.CUDACount()
	switch {
	case err != nil:
		return 0, err
	case n > 0:
		return n, nil
	case !libtorch.Loaded().CUDA:
		return 0, errors.New("torch: this libtorch was built without CUDA; \"torchhub setup --variant cuda\" installs one with it")
	case libtorch.CUDAError() != "":
		return 0, errors.New("torch: CUDA cannot be used: " + libtorch.CUDAError())
	default:
		return 0, errors.New("torch: no CUDA device was found")
	}
}
