package functional

import (
	"image"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

// The comparison with Python, of every functional, is in package transforms.

// TestMistakes lists arguments and values that no functional takes.
func TestMistakes(t *testing.T) {
	gray := Value{Image: image.NewGray(image.Rect(0, 0, 6, 4))}
	x := Value{Tensor: torch.Zeros(3, 4, 6)}
	corners := [4]image.Point{{}, {X: 3}, {X: 3, Y: 3}, {Y: 3}}
	line := Value{Tensor: torch.Zeros(5)}
	for want, f := range map[string]func(){
		"AdjustBrightness: the factor is NaN; want a finite number":                                   func() { AdjustBrightness(gray, math.NaN()) },
		"AdjustContrast([3, 4, 6] float32): the factor is -1; want 0 or more":                         func() { AdjustContrast(x, -1) },
		"AdjustHue: the factor is 0.7; want -0.5 to 0.5":                                              func() { AdjustHue(gray, 0.7) },
		"AdjustGamma: gamma is -1; want 0 or more":                                                    func() { AdjustGamma(gray, -1, 1) },
		"AdjustGamma: the gain is +Inf; want a finite number":                                         func() { AdjustGamma(gray, 1, math.Inf(1)) },
		"Affine: the scale is 0; want more than 0":                                                    func() { Affine(gray, 0, [2]float64{}, 0, [2]float64{}) },
		"Affine: the shear is NaN; want a finite number":                                              func() { Affine(x, 0, [2]float64{}, 1, [2]float64{math.NaN(), 0}) },
		"CenterCrop(picture of 6×4 pixels): the size is -1×-1":                                        func() { CenterCrop(gray, -1) },
		"CenterCrop: the size is a string; want an int":                                               func() { CenterCrop(gray, "1") },
		"Crop([3, 4, 6] float32): a part of -1×2 pixels (height × width) at (0, 0) cannot be cut out": func() { Crop(x, 0, 0, -1, 2) },
		"ConvertImageDtype(picture of 6×4 pixels): a tensor is needed here":                           func() { ConvertImageDtype(gray, torch.Uint8) },
		"ElasticTransform([3, 4, 6] float32): the displacement's shape is [1 4 5 2]; want [1 4 6 2]":  func() { ElasticTransform(x, torch.Zeros(1, 4, 5, 2)) },
		"ElasticTransform(picture of 6×4 pixels): there is no displacement":                           func() { ElasticTransform(gray, nil) },
		"Equalize([3, 4, 6] float32): the tensor is of float32; only uint8 can be equalized":          func() { Equalize(x) },
		"Erase(picture of 6×4 pixels): a tensor is needed here":                                       func() { Erase(gray, 0, 0, 1, 1, torch.Zeros(1)) },
		"FiveCrop(picture of 6×4 pixels): a crop of 5×5 pixels (height × width) does not fit in 4×6":  func() { FiveCrop(gray, 5) },
		"GaussianBlur: the kernel size is 2; want an odd number above 0":                              func() { GaussianBlur(x, 2) },
		"GaussianBlur: sigma is [0]; want more than 0":                                                func() { GaussianBlur(x, 3, 0) },
		"GaussianBlur(picture of 6×4 pixels): aten::pad([1, 1, 4, 6] float32): ":                      func() { GaussianBlur(gray, 9) },
		"GetDimensions([5] float32): the tensor's shape is not [..., H, W]":                           func() { GetDimensions(line) },
		"GetDimensions(nothing): a picture or a tensor is needed here":                                func() { GetDimensions(Value{}) },
		"HFlip([5] float32): the tensor's shape is not [..., H, W]":                                   func() { HFlip(line) },
		"Normalize([3, 4, 6] float32): there are 2 numbers for 3 channels":                            func() { Normalize(x, []float64{0, 0}, []float64{1, 1}) },
		"Normalize([3, 4, 6] float32): std is [0], of which one is zero in float32":                   func() { Normalize(x, []float64{0}, []float64{0}) },
		"Pad([3, 4, 6] float32): the fill is a list; a tensor takes a number":                         func() { Pad(x, 1, PadOptions{Fill: []float64{1}}) },
		"Pad: the padding is 99999999999; want at most 2147483647":                                    func() { Pad(x, 99999999999) },
		"Perspective([3, 4, 6] float32): tensors are warped by nearest or bilinear, not by lanczos": func() {
			Perspective(x, corners, corners, PerspectiveOptions{Interpolation: Lanczos})
		},
		"Perspective([3, 4, 6] float32): aten::linalg_lstsq([8, 8] float64, [8] float64): ":                  func() { Perspective(x, corners, [4]image.Point{}) },
		"Posterize: -1 bits are to be kept; want 0 to 8":                                                     func() { Posterize(gray, -1) },
		"Resize([3, 4, 6] float32): tensors are resized by bilinear, bicubic, nearest or nearest-exact, not": func() { Resize(x, 3, ResizeOptions{Interpolation: Box}) },
		"Resize(picture of 6×4 pixels): the sides would become 0 and 0 pixels long":                          func() { Resize(gray, 0) },
		"Resize(picture of 6×4 pixels): the result of 1500000×1000000 pixels would not fit in memory":        func() { Resize(gray, 1000000) },
		"Resize: MaxSize is 3, but both sides are given already; leave one out":                              func() { Resize(gray, []int{1, 2}, ResizeOptions{MaxSize: 3}) },
		"ResizedCrop: MaxSize is 3; it has no meaning here":                                                  func() { ResizedCrop(gray, 0, 0, 1, 1, 1, ResizeOptions{MaxSize: 3}) },
		"RGBToGrayscale: there are to be 2 channels; want 1 or 3":                                            func() { RGBToGrayscale(gray, 2) },
		"Rotate: the angle is +Inf; want a finite number":                                                    func() { Rotate(x, math.Inf(1)) },
		"Rotate: the center has 1 numbers; want x and y":                                                     func() { Rotate(x, 1, RotateOptions{Center: []float64{1}}) },
		`Rotate: no interpolation is called "best"`:                                                          func() { Rotate(x, 1, RotateOptions{Interpolation: "best"}) },
		"Solarize([3, 4, 6] float32): the threshold is 2; a tensor of float32 goes to 1":                     func() { Solarize(x, 2) },
		"ToGrayscale([3, 4, 6] float32): a picture is needed here":                                           func() { ToGrayscale(x, 1) },
		"ToPILImage(nothing): a tensor is needed here":                                                       func() { ToPILImage(nil) },
		"ToPILImage([2, 4] complex64): no mode of one channel holds complex64":                               func() { ToPILImage(torch.Zeros(2, 4).ToDType(torch.Complex64)) },
		"ToTensor(picture of 0×3 pixels): the picture has no pixels":                                         func() { ToTensor(image.NewGray(image.Rect(0, 0, 0, 3))) },
		"PILToTensor(nothing): a picture or a tensor is needed here":                                         func() { PILToTensor(nil) },
		`VFlip(picture of 1×1 pixels): no mode is called "BGR"`:                                              func() { VFlip(Value{Image: &pillow.Image{Mode: "BGR", W: 1, H: 1}}) },
	} {
		err := torch.Try(f)
		var e *torch.Error
		require.ErrorAs(t, err, &e, want)
		require.ErrorContains(t, e, "torch: functional."+want)
	}
}

// TestGeneratorsTravel checks that results carry the generators of what they were made of.
func TestGeneratorsTravel(t *testing.T) {
	v := Value{Image: image.NewGray(image.Rect(0, 0, 6, 4)), Generator: torch.NewGenerator(torch.CPU), Random: pyrandom.New(1)}
	for _, w := range append(TenCrop(v, 2, true).Parts, GaussianBlur(v, 3), Pad(v, 2), Resize(v, 4), FiveCrop(v, 2).Map(HFlip)) {
		require.Same(t, v.Generator, w.Generator)
		require.Same(t, v.Random, w.Random)
	}
}

// TestNothingIsLeft checks that a functional frees what it makes on the way.
func TestNothingIsLeft(t *testing.T) {
	x := Value{Tensor: torch.Zeros(3, 200, 200)}
	hold := func(f func(Value) Value) {
		before := torch.LiveBytes()
		y := f(x)
		size := int64(y.Tensor.Numel() * y.Tensor.DType().Size())
		require.LessOrEqual(t, torch.LiveBytes()-before, size+size/3+4096) // a fill adds a channel
		y.Tensor.Free()
	}
	hold(func(v Value) Value { return AdjustHue(v, 0.2) })
	hold(func(v Value) Value { return Rotate(v, 20, RotateOptions{Fill: []float64{1}}) })
	hold(func(v Value) Value { return GaussianBlur(v, 5) })
	hold(func(v Value) Value { return Normalize(v, []float64{1}, []float64{2}) })
}

// TestResizeOfNothing checks that a picture without pixels is resized to zeros, as in Pillow.
func TestResizeOfNothing(t *testing.T) {
	for _, mode := range []Mode{"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F", "I;16"} {
		for _, how := range []Interpolation{Nearest, Box, Bilinear, Bicubic, Lanczos} {
			for _, size := range [][2]int{{0, 3}, {1, 0}, {0, 0}} {
				v := Value{Image: pillow.New(mode, size[0], size[1])}
				p := pillow.From(Resize(v, []int{4, 3}, ResizeOptions{Interpolation: how}).Image)
				require.Equal(t, []any{mode, 3, 4}, []any{p.Mode, p.W, p.H})
				require.Equal(t, make([]uint8, len(p.Pix)), p.Pix, "%s %s %v", mode, how, size)
				require.Error(t, torch.Try(func() { Resize(v, 4) }))
			}
		}
	}
}

// TestFilledBits checks that what a fill left of a picture of mode "1", such as 7, is white in a tensor too.
func TestFilledBits(t *testing.T) {
	p := &pillow.Image{Mode: pillow.Mode1, W: 3, H: 1, Pix: []uint8{0, 7, 255}}
	require.Equal(t, []float32{0, 1, 1}, torch.Data[float32](ToTensor(p)))
}
