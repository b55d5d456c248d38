package backends_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/backends"
)

// all holds each flag, and what reads it in Python.
var all = map[backends.Flag]string{
	backends.CuDNNEnabled: "cudnn.enabled", backends.CuDNNBenchmark: "cudnn.benchmark", backends.CuDNNDeterministic: "cudnn.deterministic", backends.CuDNNAllowTF32: "cudnn.allow_tf32",
	backends.CUDAMatmulAllowTF32: "cuda.matmul.allow_tf32", backends.CUDAMatmulFP16Reduction: "cuda.matmul.allow_fp16_reduced_precision_reduction",
	backends.CUDAMatmulBF16Reduction: "cuda.matmul.allow_bf16_reduced_precision_reduction",
	backends.CUDAFlashSDP:            "cuda.flash_sdp_enabled()", backends.CUDAMemEfficientSDP: "cuda.mem_efficient_sdp_enabled()", backends.CUDAMathSDP: "cuda.math_sdp_enabled()",
	backends.CUDACuDNNSDP: "cuda.cudnn_sdp_enabled()", backends.MKLDNNEnabled: "mkldnn.enabled", backends.MKLDNNDeterministic: "mkldnn.deterministic",
}

func TestFlags(t *testing.T) {
	for f := range all {
		was := f.Get()
		f.Set(!was)
		require.Equal(t, !was, f.Get(), f)
		f.Set(was)
		require.Equal(t, was, f.Get(), f)
	}
	require.NotContains(t, all, backends.Flag(len(all)))
	require.EqualError(t, torch.Try(func() { backends.Flag(99).Set(true) }), "torch: backends.Flag(99): there is no flag 99")
	require.Error(t, torch.Try(func() { backends.Flag(-1).Get() }))
	require.True(t, strings.HasPrefix(backends.Flag(-1).String(), "Flag("))
}

func TestDefaultsArePythons(t *testing.T) {
	p := reference.Start(t, "import torch")
	for f, name := range all {
		var want bool
		p.Call(&want, fmt.Sprintf("lambda: bool(torch.backends.%s)", name))
		require.Equal(t, want, f.Get(), name)
	}
}

// TestDoesNothingToNumbers checks that a convolution without oneDNN has the same result.
func TestDoesNothingToNumbers(t *testing.T) {
	x, w := torch.Ones(1, 2, 4, 4), torch.Ones(3, 2, 3, 3)
	conv := func() []float32 {
		var c torch.Call
		c.Tensor(x)
		c.Tensor(w)
		return torch.Data[float32](c.One(torch.NewOp("aten::conv2d", "")))
	}
	want := conv()
	backends.MKLDNNEnabled.Set(false)
	defer backends.MKLDNNEnabled.Set(true)
	require.Equal(t, want, conv())
}

func Example() {
	backends.CuDNNBenchmark.Set(true) // torch.backends.cudnn.benchmark = True
	fmt.Println(backends.CuDNNBenchmark, backends.CuDNNBenchmark.Get())
	backends.CuDNNBenchmark.Set(false)
	// Output: CuDNNBenchmark true
}
