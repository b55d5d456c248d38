package torch

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// The settings in this file are of the whole process, as in Python. Set them before
// other goroutines compute.

func getSetting(op string, s libtorch.Setting) int {
	mustInit()
	v, err := s.Get()
	must(op, err)
	return v
}

func setSetting(op string, s libtorch.Setting, v int) {
	mustInit()
	must(op, s.Set(v))
}

// The values of libtorch.Deterministic.
const (
	nondeterministic    = 0
	deterministicOrWarn = 1
	deterministic       = 2
)

// DeterministicOptions are the options of [UseDeterministicAlgorithms].
type DeterministicOptions struct {
	WarnOnly bool // whether an op without a deterministic algorithm only writes a warning to stderr
}

// UseDeterministicAlgorithms sets whether ops use deterministic algorithms only:
// torch.use_deterministic_algorithms(on, warn_only=…). An op that has none then
// panics with an [*Error]. On CUDA, matrix products also need the environment
// variable CUBLAS_WORKSPACE_CONFIG.
//
// https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html
func UseDeterministicAlgorithms(on bool, options ...DeterministicOptions) {
	mode := nondeterministic
	switch {
	case on && Only(options).WarnOnly:
		mode = deterministicOrWarn
	case on:
		mode = deterministic
	}
	setSetting("UseDeterministicAlgorithms", libtorch.Deterministic, mode)
}

// AreDeterministicAlgorithmsEnabled reports whether ops use deterministic algorithms
// only: torch.are_deterministic_algorithms_enabled().
//
// https://docs.pytorch.org/docs/stable/generated/torch.are_deterministic_algorithms_enabled.html
func AreDeterministicAlgorithmsEnabled() bool {
	return getSetting("AreDeterministicAlgorithmsEnabled", libtorch.Deterministic) != nondeterministic
}

// IsDeterministicAlgorithmsWarnOnlyEnabled reports whether an op without a
// deterministic algorithm only writes a warning:
// torch.is_deterministic_algorithms_warn_only_enabled().
//
// https://docs.pytorch.org/docs/stable/generated/torch.is_deterministic_algorithms_warn_only_enabled.html
func IsDeterministicAlgorithmsWarnOnlyEnabled() bool {
	return getSetting("IsDeterministicAlgorithmsWarnOnlyEnabled", libtorch.Deterministic) == deterministicOrWarn
}

// SetFillUninitializedMemory sets whether functions such as [Empty] fill their tensors
// with NaN or the largest integer while [UseDeterministicAlgorithms] is on:
// torch.utils.deterministic.fill_uninitialized_memory = on. The default is true.
//
// https://docs.pytorch.org/docs/stable/deterministic.html
func SetFillUninitializedMemory(on bool) {
	setSetting("SetFillUninitializedMemory", libtorch.FillUninitialized, int(word(on)))
}

// FillUninitializedMemory returns what [SetFillUninitializedMemory] set.
func FillUninitializedMemory() bool {
	return getSetting("FillUninitializedMemory", libtorch.FillUninitialized) != 0
}

// matmulPrecisions are the precisions by at::Float32MatmulPrecision.
var matmulPrecisions = []string{"highest", "high", "medium"}

// SetFloat32MatmulPrecision sets the precision inside products of float32 matrices:
// torch.set_float32_matmul_precision. It is "highest", which is float32 and the
// default, "high", or "medium". Another one panics with an [*Error].
//
// https://docs.pytorch.org/docs/stable/generated/torch.set_float32_matmul_precision.html
func SetFloat32MatmulPrecision(precision string) {
	const op = "SetFloat32MatmulPrecision"
	i := slices.Index(matmulPrecisions, precision)
	if i < 0 {
		fail(op, fmt.Sprintf(`the precision is %q; it can be "highest", "high" or "medium"`, precision))
	}
	setSetting(op, libtorch.MatmulPrecision, i)
}

// Float32MatmulPrecision returns the precision inside products of float32 matrices:
// torch.get_float32_matmul_precision().
//
// https://docs.pytorch.org/docs/stable/generated/torch.get_float32_matmul_precision.html
func Float32MatmulPrecision() string {
	return matmulPrecisions[getSetting("Float32MatmulPrecision", libtorch.MatmulPrecision)]
}

// SetDefaultDType sets the floating-point dtype of new tensors that have no other one:
// torch.set_default_dtype. It is also the dtype of integers divided, or combined with a
// floating-point number. Tensors that are made of Go values, as by [NewTensor], have
// the dtype of their Go type as before, and pictures become float32. A dtype that is not floating-point panics with
// an [*Error].
//
// https://docs.pytorch.org/docs/stable/generated/torch.set_default_dtype.html
func SetDefaultDType(d DType) {
	const op = "SetDefaultDType"
	if !d.IsFloatingPoint() {
		fail(op, fmt.Sprintf("the dtype is %v; it must be a floating-point one", d))
	}
	setSetting(op, libtorch.DefaultDType, d.scalarType())
}

// DefaultDType returns the floating-point dtype of new tensors that have no other one:
// torch.get_default_dtype(). It is float32 unless [SetDefaultDType] was called.
//
// https://docs.pytorch.org/docs/stable/generated/torch.get_default_dtype.html
func DefaultDType() DType { return FromScalarType(getSetting("DefaultDType", libtorch.DefaultDType)) }

// SetNumInteropThreads sets how many threads run the forks of TorchScript modules:
// torch.set_num_interop_threads. Other work does not use these threads: that of
// goroutines is controlled by [SetWorkers]. It panics with an [*Error] if n is below 1,
// after the first fork, and if it was called before.
//
// https://docs.pytorch.org/docs/stable/generated/torch.set_num_interop_threads.html
func SetNumInteropThreads(n int) {
	const op = "SetNumInteropThreads"
	if n < 1 || n > 1<<15 {
		fail(op, fmt.Sprintf("the number of threads is %d and must be between 1 and %d", n, 1<<15))
	}
	setSetting(op, libtorch.InteropThreads, n)
}

// NumInteropThreads returns how many threads run the forks of TorchScript modules:
// torch.get_num_interop_threads().
//
// https://docs.pytorch.org/docs/stable/generated/torch.get_num_interop_threads.html
func NumInteropThreads() int { return getSetting("NumInteropThreads", libtorch.InteropThreads) }
