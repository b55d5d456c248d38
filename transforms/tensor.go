package transforms

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// levels holds, for each channel, what its 256 bytes become.
type levels [3][256]float32

// unit maps bytes to [0, 1], each quotient correctly rounded.
var unit = func() (l levels) {
	for c := range l {
		for i := range l[c] {
			l[c][i] = float32(i) / 255
		}
	}
	return l
}()

// tensor returns the picture as a contiguous float32 tensor [3, H, W].
func (l *levels) tensor(p *RGB) *torch.Tensor {
	return torch.FromSlice(l.planes(p), 3, p.H, p.W)
}

func (l *levels) planes(p *RGB) []float32 {
	n := p.W * p.H
	out := make([]float32, 3*n)
	pillow.Parallel(n, 4, func(lo, hi int) {
		r, g, b := out[lo:hi], out[n+lo:n+hi], out[2*n+lo:2*n+hi]
		pix := p.Pix[3*lo : 3*hi]
		for i := range r {
			q := pix[3*i:][:3]
			r[i], g[i], b[i] = l[0][q[0]], l[1][q[1]], l[2][q[2]]
		}
	})
	return out
}

type toTensor struct{}

// ToTensor turns a picture into a contiguous float32 tensor [3, H, W] with values
// in [0, 1]: torchvision.transforms.ToTensor(). The channels are red, green and
// blue, of grey pictures too.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html
func ToTensor() Transform { return toTensor{} }

// String returns the transform as Python writes it.
func (toTensor) String() string { return "ToTensor()" }

// Transform makes a tensor of the picture.
func (t toTensor) Transform(v Value) Value { return v.WithTensor(unit.tensor(picture(t, v))) }

type normalize struct{ mean, std []float64 }

// Normalize subtracts each channel's mean and divides by its std:
// torchvision.transforms.Normalize(mean, std). It takes a floating-point tensor
// [..., C, H, W] and computes in its dtype. One number does for all channels.
//
// It panics with a [*torch.Error] where there are no numbers, the lengths
// differ, or a std is zero in float32.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html
func Normalize(mean, std []float64) Transform {
	if len(mean) == 0 || len(std) == 0 || len(mean) != len(std) && len(mean) != 1 && len(std) != 1 {
		refuse("Normalize", "there are %d means and %d stds; want one of each for every channel", len(mean), len(std))
	}
	for i, s := range std {
		if float32(s) == 0 {
			refuse("Normalize", "std[%d] is %v, which nothing can be divided by", i, s)
		}
	}
	return &normalize{append([]float64{}, mean...), append([]float64{}, std...)}
}

// String returns the transform as Python writes it.
func (t *normalize) String() string {
	return fmt.Sprintf("Normalize(mean=%s, std=%s)", list(t.mean), list(t.std))
}

// Transform normalises the tensor.
func (t *normalize) Transform(v Value) Value {
	x := tensor(t, v)
	if !x.DType().IsFloatingPoint() {
		fail(t, v, "a floating-point tensor is needed here; put ToTensor() before it or convert with ToDType")
	}
	t.check(v, x.Size(-3))
	column := func(numbers []float64) *torch.Tensor {
		return torch.FromSlice(numbers, len(numbers), 1, 1).ToDType(x.DType()).To(x.Device())
	}
	mean, std := column(t.mean), column(t.std)
	defer mean.Free()
	defer std.Free()
	return v.WithTensor(x.Sub(mean).Then(func(x *torch.Tensor) *torch.Tensor { return x.Div(std) }))
}

// check panics unless the numbers fit the channels.
func (t *normalize) check(v Value, channels int) {
	if n := max(len(t.mean), len(t.std)); n != 1 && n != channels {
		fail(t, v, "there are numbers for %d channels, but the value has %d", n, channels)
	}
}

// A toNormalized is a toTensor followed by a normalize, as one table of 3×256 numbers.
type toNormalized struct {
	toTensor
	normalize *normalize
	levels    levels
}

func newToNormalized(t *normalize) *toNormalized {
	f := &toNormalized{normalize: t, levels: unit}
	for c := range f.levels {
		mean, std := float32(t.mean[c%len(t.mean)]), float32(t.std[c%len(t.std)])
		for i, x := range f.levels[c] {
			f.levels[c][i] = (x - mean) / std
		}
	}
	return f
}

// Transform makes a normalised tensor of the picture.
func (t *toNormalized) Transform(v Value) Value {
	p := picture(t, v)
	t.normalize.check(v, 3)
	return v.WithTensor(t.levels.tensor(p))
}
