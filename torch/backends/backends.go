// Package backends sets how the libraries underneath libtorch compute:
// torch.backends. The settings are of the whole process. They can be set without a
// GPU, where those of CUDA have no effect.
//
// https://docs.pytorch.org/docs/stable/backends.html
package backends

import (
	"context"
	"fmt"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
)

// A Flag is a setting that is on or off.
type Flag int

// Flags, and their names in Python.
const (
	CuDNNEnabled            Flag = iota // torch.backends.cudnn.enabled: whether cuDNN is used; default true
	CuDNNBenchmark                      // torch.backends.cudnn.benchmark: whether cuDNN measures the algorithms of a convolution and takes the fastest
	CuDNNDeterministic                  // torch.backends.cudnn.deterministic: whether cuDNN uses deterministic algorithms only
	CuDNNAllowTF32                      // torch.backends.cudnn.allow_tf32: whether convolutions of float32 may use TensorFloat-32; default true
	CUDAMatmulAllowTF32                 // torch.backends.cuda.matmul.allow_tf32: whether products of float32 matrices may use TensorFloat-32
	CUDAMatmulFP16Reduction             // torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction: whether products of float16 matrices may add in float16; default true
	CUDAMatmulBF16Reduction             // torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction: whether products of bfloat16 matrices may add in bfloat16; default true
	CUDAFlashSDP                        // torch.backends.cuda.enable_flash_sdp: whether attention may use flash attention; default true
	CUDAMemEfficientSDP                 // torch.backends.cuda.enable_mem_efficient_sdp: whether attention may use the memory-efficient algorithm; default true
	CUDAMathSDP                         // torch.backends.cuda.enable_math_sdp: whether attention may use plain products; default true
	CUDACuDNNSDP                        // torch.backends.cuda.enable_cudnn_sdp: whether attention may use cuDNN; default true
	MKLDNNEnabled                       // torch.backends.mkldnn.enabled: whether oneDNN is used on the CPU; default true
	MKLDNNDeterministic                 // torch.backends.mkldnn.deterministic: whether oneDNN uses deterministic algorithms only
)

var flags = map[Flag]struct {
	name    string
	setting libtorch.Setting
}{
	CuDNNEnabled:            {"CuDNNEnabled", libtorch.CuDNN},
	CuDNNBenchmark:          {"CuDNNBenchmark", libtorch.CuDNNBenchmark},
	CuDNNDeterministic:      {"CuDNNDeterministic", libtorch.CuDNNDeterministic},
	CuDNNAllowTF32:          {"CuDNNAllowTF32", libtorch.CuDNNTF32},
	CUDAMatmulAllowTF32:     {"CUDAMatmulAllowTF32", libtorch.CuBLASTF32},
	CUDAMatmulFP16Reduction: {"CUDAMatmulFP16Reduction", libtorch.CuBLASFP16Reduction},
	CUDAMatmulBF16Reduction: {"CUDAMatmulBF16Reduction", libtorch.CuBLASBF16Reduction},
	CUDAFlashSDP:            {"CUDAFlashSDP", libtorch.FlashSDP},
	CUDAMemEfficientSDP:     {"CUDAMemEfficientSDP", libtorch.MemEfficientSDP},
	CUDAMathSDP:             {"CUDAMathSDP", libtorch.MathSDP},
	CUDACuDNNSDP:            {"CUDACuDNNSDP", libtorch.CuDNNSDP},
	MKLDNNEnabled:           {"MKLDNNEnabled", libtorch.MKLDNN},
	MKLDNNDeterministic:     {"MKLDNNDeterministic", libtorch.MKLDNNDeterministic},
}

// String returns the flag's name in this package.
func (f Flag) String() string {
	if s, ok := flags[f]; ok {
		return s.name
	}
	return fmt.Sprintf("Flag(%d)", int(f))
}

// Set sets the flag: torch.backends.cudnn.benchmark = on. It panics with a
// *[torch.Error] if there is no such flag.
func (f Flag) Set(on bool) {
	v := 0
	if on {
		v = 1
	}
	f.do(func(s libtorch.Setting) error { return s.Set(v) })
}

// Get returns whether the flag is set. It panics with a *[torch.Error] if there is no
// such flag.
func (f Flag) Get() bool {
	var on int
	f.do(func(s libtorch.Setting) (err error) {
		on, err = s.Get()
		return err
	})
	return on != 0
}

func (f Flag) do(use func(libtorch.Setting) error) {
	s, ok := flags[f]
	err := torch.Init(context.Background())
	switch {
	case !ok:
		err = fmt.Errorf("there is no flag %d", int(f))
	case err == nil:
		err = use(s.setting)
	}
	if err != nil {
		panic(&torch.Error{Op: "backends." + f.String(), Msg: err.Error()})
	}
}
