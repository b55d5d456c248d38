package functional

import (
	"runtime"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/torch"
	v1 "github.com/torchhub/torchhub/transforms/functional"
)

// An Interpolation is the way in which a pixel is computed from its neighbors,
// by the name of torchvision's InterpolationMode.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.InterpolationMode.html
type Interpolation = v1.Interpolation

// The interpolations. Box and Hamming are for pictures only.
const (
	Nearest      = v1.Nearest
	NearestExact = v1.NearestExact // for pictures the same as Nearest
	Bilinear     = v1.Bilinear
	Bicubic      = v1.Bicubic
	Box          = v1.Box
	Hamming      = v1.Hamming
	Lanczos      = v1.Lanczos
)

// nativeUint8 reports whether libtorch resizes bytes as bytes, which for Bilinear depends on the
// processor; torchvision uses the same rule, so that the numbers are Python's on each.
func nativeUint8(how Interpolation) bool {
	return how == Bicubic || how == Lanczos || how == Bilinear && vectors()
}

// vectors is torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512"), or an arm64 processor.
var vectors = sync.OnceValue(func() bool {
	kind := torch.CPUCapability()
	return runtime.GOARCH == "arm64" || kind == "AVX2" || kind == "AVX512"
})

// check panics where the name is none of torchvision's.
func checked(how Interpolation, op string, x any) Interpolation {
	switch how {
	case Nearest, NearestExact, Bilinear, Bicubic, Box, Hamming, Lanczos:
		return how
	}
	names := []string{string(Nearest), string(NearestExact), string(Bilinear), string(Bicubic), string(Box), string(Hamming), string(Lanczos)}
	fail(op, x, "no interpolation is called %q; want one of %s", string(how), strings.Join(names, ", "))
	return ""
}
