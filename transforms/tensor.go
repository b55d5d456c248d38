package transforms

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// levels holds, for each channel, the results for the 256 bytes.
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
		l.row(out[lo:], out[n+lo:], out[2*n+lo:], p.Pix[3*lo:3*hi])
	})
	return out
}

// A toTensor is ToTensor, and where preset is true what torchvision's presets
// have in its place, which takes tensors too.
type toTensor struct{ preset bool }

// ToTensor converts a picture to a contiguous tensor [C, H, W] with the channels of its
// mode: torchvision.transforms.ToTensor(). Bytes become float32 from 0 to 1; the modes
// I, I;16 and F keep their numbers, as int32, int16 and float32.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html
func ToTensor() Transform { return toTensor{} }

// String returns the transform as Python writes it.
func (t toTensor) String() string {
	if t.preset {
		return "ConvertImageDtype()"
	}
	return "ToTensor()"
}

// Transform makes a tensor of the picture.
func (t toTensor) Transform(v Value) Value {
	if p := rgb(t, v); p != nil {
		return v.WithTensor(unit.tensor(p))
	}
	return named(t, v, func() Value {
		switch {
		case !t.preset:
			return v.WithTensor(functional.ToTensor(pictureOf(v)))
		case v.Tensor == nil:
			v = v.WithTensor(functional.PILToTensor(pictureOf(v)))
		}
		return functional.ConvertImageDtype(v, torch.Float32)
	})
}

// NormalizeOptions are the options of [Normalize]. The zero value is torchvision's default.
type NormalizeOptions = functional.NormalizeOptions

type normalize struct {
	mean, std []float64
	NormalizeOptions
}

// Normalize subtracts each channel's mean and divides by its std:
// torchvision.transforms.Normalize(mean, std, inplace). It takes a floating-point tensor
// [..., C, H, W] and computes in its dtype. A single number applies to all channels.
//
// It panics with a *torch.Error if there are no numbers, the lengths differ, or
// a std is zero.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html
func Normalize(mean, std []float64, options ...NormalizeOptions) Transform {
	if len(mean) == 0 || len(std) == 0 || len(mean) != len(std) && len(mean) != 1 && len(std) != 1 {
		refuse("Normalize", "there are %d means and %d stds; want one of each for every channel", len(mean), len(std))
	}
	for i, s := range std {
		if s == 0 {
			refuse("Normalize", "std[%d] is %v, which nothing can be divided by", i, s)
		}
	}
	return &normalize{append([]float64{}, mean...), append([]float64{}, std...), torch.Only(options)}
}

// String returns the transform as Python writes it.
func (t *normalize) String() string {
	return fmt.Sprintf("Normalize(mean=%s, std=%s)", list(t.mean), list(t.std))
}

// Transform normalizes the tensor.
func (t *normalize) Transform(v Value) Value {
	return named(t, v, func() Value { return functional.Normalize(v, t.mean, t.std, t.NormalizeOptions) })
}

// A toNormalized is a toTensor followed by a normalize, as one table of 3×256
// numbers for pictures of mode RGB.
type toNormalized struct {
	toTensor
	normalize *normalize
	levels    levels
}

// newToNormalized returns nil where the numbers do not fit such pictures.
func newToNormalized(to toTensor, t *normalize) *toNormalized {
	if n := max(len(t.mean), len(t.std)); n != 1 && n != 3 {
		return nil
	}
	f := &toNormalized{to, t, unit}
	for c := range f.levels {
		mean, std := float32(t.mean[c%len(t.mean)]), float32(t.std[c%len(t.std)])
		if std == 0 {
			return nil
		}
		for i, x := range f.levels[c] {
			f.levels[c][i] = (x - mean) / std
		}
	}
	return f
}

// Transform makes a normalized tensor of the picture.
func (t *toNormalized) Transform(v Value) Value {
	if p := rgb(t, v); p != nil {
		return v.WithTensor(t.levels.tensor(p))
	}
	return t.normalize.Transform(t.toTensor.Transform(v))
}
