package functional

import (
	"image"
	"math"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/transforms/internal/args"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// HFlip mirrors a picture or a tensor [..., H, W] left to right: F.hflip(img).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.hflip.html
func HFlip(v Value) Value { return flip("HFlip", v, pillow.FlipLeftRight, -1) }

// VFlip turns a picture or a tensor [..., H, W] upside down: F.vflip(img).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.vflip.html
func VFlip(v Value) Value { return flip("VFlip", v, pillow.FlipTopBottom, -2) }

func flip(op string, v Value, how pillow.Transpose, dim int) Value {
	return either(op, v,
		func(p *pillow.Image) (*pillow.Image, error) { return p.Transpose(how) },
		func(x *torch.Tensor) *torch.Tensor { return x.Flip(dim) })
}

// Crop cuts height×width pixels out of a picture or a tensor [..., H, W], of which
// top and left are the first: F.crop(img, top, left, height, width). Pixels
// outside of it are zero.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.crop.html
func Crop(v Value, top, left, height, width int) Value {
	const op = "Crop"
	if height < 0 || width < 0 || max(height, width) > math.MaxInt32 || max(top, left) > math.MaxInt32 || min(top, left) < math.MinInt32 {
		fail(op, v, "a part of %d×%d pixels (height × width) at (%d, %d) cannot be cut out", height, width, top, left)
	}
	return either(op, v,
		func(p *pillow.Image) (*pillow.Image, error) {
			return p.Crop(image.Rect(left, top, left+width, top+height))
		},
		func(x *torch.Tensor) *torch.Tensor { return cropTensor(x, top, left, height, width) })
}

// cropTensor follows torchvision even if the part is completely outside of x: a
// negative end counts from x's own end.
func cropTensor(x *torch.Tensor, top, left, height, width int) *torch.Tensor {
	h, w := x.Size(-2), x.Size(-1)
	right, bottom := left+width, top+height
	part := x.Index(torch.Ellipsis, torch.Slice(max(top, 0), bottom), torch.Slice(max(left, 0), right))
	if left >= 0 && top >= 0 && right <= w && bottom <= h {
		return part
	}
	return padConstant(part,
		max(-left+min(0, right), 0), max(-top+min(0, bottom), 0),
		max(right-max(w, left), 0), max(bottom-max(h, top), 0), 0)
}

// CenterCrop cuts out the central part of a picture or a tensor [..., H, W]:
// F.center_crop(img, size). The size is an int for a square or a []int of height
// and width. Where the picture is smaller, it is surrounded by zeros. Where an
// odd number of pixels is cut away, the half pixel is rounded to even, as in Python.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.center_crop.html
func CenterCrop(v Value, size torch.Ints) Value {
	const op = "CenterCrop"
	th, tw := args.Sides(args.Functional+op, size)
	if min(th, tw) < 0 || max(th, tw) > math.MaxInt32 {
		fail(op, v, "the size is %d×%d (height × width); want 0 pixels or more each", th, tw)
	}
	return named(op, v, func() Value {
		_, h, w := GetDimensions(v)
		if tw > w || th > h {
			dw, dh := max(tw-w, 0), max(th-h, 0)
			v = Pad(v, []int{dw / 2, dh / 2, (dw + 1) / 2, (dh + 1) / 2})
			_, h, w = GetDimensions(v)
			if tw == w && th == h {
				return v
			}
		}
		return Crop(v, middle(h, th), middle(w, tw), th, tw)
	})
}

// middle returns where the central part of a dimension begins.
func middle(in, part int) int { return int(math.RoundToEven(float64(in-part) / 2)) }

// FiveCrop cuts out the four corners and the center: F.five_crop(img, size). The
// result has five parts: top left, top right, bottom left, bottom right, center.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.five_crop.html
func FiveCrop(v Value, size torch.Ints) Value {
	const op = "FiveCrop"
	th, tw := args.Sides(args.Functional+op, size)
	return named(op, v, func() Value {
		_, h, w := GetDimensions(v)
		if th > h || tw > w || min(th, tw) < 0 {
			fail(op, v, "a crop of %d×%d pixels (height × width) does not fit in %d×%d", th, tw, h, w)
		}
		return v.WithParts(
			Crop(v, 0, 0, th, tw), Crop(v, 0, w-tw, th, tw),
			Crop(v, h-th, 0, th, tw), Crop(v, h-th, w-tw, th, tw),
			CenterCrop(v, []int{th, tw}))
	})
}

// TenCrop is [FiveCrop] of a picture or tensor, then of its mirror image, left to
// right, or upside down where vertical is true: F.ten_crop(img, size, vertical_flip).
// The result has ten parts.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.ten_crop.html
func TenCrop(v Value, size torch.Ints, vertical bool) Value {
	const op = "TenCrop"
	return named(op, v, func() Value {
		mirror := HFlip
		if vertical {
			mirror = VFlip
		}
		return v.WithParts(append(FiveCrop(v, size).Parts, FiveCrop(mirror(v), size).Parts...)...)
	})
}

// PadOptions are the options of [Pad]. The zero value is torchvision's default.
type PadOptions struct {
	Fill        Floats // of the mode constant: a number, or for a picture a []float64 of one for each channel; nil is 0
	PaddingMode string // "constant", the default, "edge", "reflect" or "symmetric"
}

// Pad surrounds a picture or a tensor with pixels: F.pad(img, padding, fill,
// padding_mode). The padding is an int for all borders or a []int, of left and
// right, top and bottom, or of left, top, right, bottom. A negative one cuts off.
// A tensor is [..., H, W]; [..., C, H, W] with one more dimension at most for edge
// and reflect, and [C, H, W] or [N, C, H, W] for symmetric. A tensor is filled with a number; as in
// Python a list is refused, also one of a single number.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.pad.html
func Pad(v Value, padding torch.Ints, options ...PadOptions) Value {
	const op = "Pad"
	l, t, r, b := args.Borders(args.Functional+op, padding)
	o := torch.Only(options)
	fill := args.Floats(args.Functional+op, "the fill", o.Fill)
	args.PaddingMode(args.Functional+op, o.PaddingMode)
	return either(op, v,
		func(p *pillow.Image) (*pillow.Image, error) {
			mode := pillow.PadConstant
			if o.PaddingMode != "" {
				mode = pillow.PadMode(o.PaddingMode)
			}
			return p.Pad(l, t, r, b, fill, mode)
		},
		func(x *torch.Tensor) *torch.Tensor {
			if _, several := o.Fill.([]float64); several && fill != nil {
				fail(op, v, "the fill is a list; a tensor takes a number")
			}
			switch o.PaddingMode {
			case "edge":
				return padFloat(x, l, t, r, b, "replicate")
			case "reflect":
				return padFloat(x, l, t, r, b, "reflect")
			case "symmetric":
				return padSymmetric(v, l, t, r, b)
			}
			if fill == nil {
				fill = []float64{0}
			}
			return padConstant(x, l, t, r, b, fill[0])
		})
}

func padConstant(x *torch.Tensor, l, t, r, b int, fill float64) *torch.Tensor {
	return batched(x, func(x *torch.Tensor) *torch.Tensor {
		return F.Pad(x, []int{l, r, t, b}, F.PadOptions{Mode: "constant", Value: &fill})
	})
}

// padFloat pads in floating point, as torchvision does it in these modes.
func padFloat(x *torch.Tensor, l, t, r, b int, mode string) *torch.Tensor {
	return batched(x, func(x *torch.Tensor) *torch.Tensor {
		dtype := x.DType()
		if dtype != torch.Float32 && dtype != torch.Float64 {
			x = x.ToDType(torch.Float32)
		}
		return F.Pad(x, []int{l, r, t, b}, F.PadOptions{Mode: mode})
	}).ToDType(x.DType())
}

// batched calls f with at least four dimensions.
func batched(x *torch.Tensor, f func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
	if x.Dim() < 4 {
		return f(x.Unsqueeze(0)).Squeeze(0)
	}
	return f(x)
}

func padSymmetric(v Value, l, t, r, b int) *torch.Tensor {
	x := v.Tensor
	if n := x.Dim(); n != 3 && n != 4 {
		fail("Pad", v, "the tensor has %d dimensions; want [C, H, W] or [N, C, H, W] for the mode symmetric", n)
	}
	if min(l, t, r, b) < 0 {
		h, w := x.Size(-2), x.Size(-1)
		x = x.Index(torch.Ellipsis, torch.Slice(-min(t, 0), h+min(b, 0)), torch.Slice(-min(l, 0), w+min(r, 0)))
		l, t, r, b = max(l, 0), max(t, 0), max(r, 0), max(b, 0)
	}
	index := func(n, before, after int) *torch.Tensor {
		at := make([]int64, 0, before+n+after)
		for i := before - 1; i >= 0; i-- {
			at = append(at, int64(i))
		}
		for i := range n {
			at = append(at, int64(i))
		}
		for i := range after {
			at = append(at, int64(-(i + 1)))
		}
		if len(at) == 0 {
			fail("Pad", v, "nothing is left of the tensor to mirror")
		}
		return torch.FromSlice(at).To(x.Device())
	}
	return x.Index(torch.Ellipsis, index(x.Size(-2), t, b).Unsqueeze(1), index(x.Size(-1), l, r).Unsqueeze(0))
}

// ResizeOptions are the options of [Resize]. The zero value is torchvision's default.
type ResizeOptions struct {
	Interpolation Interpolation // "" is Bilinear
	MaxSize       int           // limit of the long side in pixels, if the size is that of the short one; it must exceed the size; 0 is none
	NoAntialias   bool          // tensors alone are resized without, as antialias=False; pictures always have it
}

// Resize scales a picture or a tensor [..., C, H, W] of 3 or 4 dimensions: F.resize(img,
// size, interpolation, max_size, antialias). The size is an int, to which the
// short side is scaled while the long one keeps the aspect, rounded down, or a
// []int of height and width. What has that size already is returned as it is.
//
// A tensor is resized by [Nearest], [NearestExact], [Bilinear] or [Bicubic]; of
// another dtype than float32 and float64 it goes through float32.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.resize.html
func Resize(v Value, size torch.Ints, options ...ResizeOptions) Value {
	const op = "Resize"
	o, s := torch.Only(options), args.Size(args.Functional+op, size)
	if o.Interpolation == "" {
		o.Interpolation = Bilinear
	}
	checkInterpolation(op, o.Interpolation)
	args.MaxSize(args.Functional+op, o.MaxSize, s)
	return named(op, v, func() Value {
		_, h, w := GetDimensions(v)
		if (h == 0 || w == 0) && len(s) == 1 {
			fail(op, v, "there are no pixels, and so no aspect to keep")
		}
		th, tw := args.ResizedSize(h, w, s, o.MaxSize)
		if err := args.CheckSides(th, tw); err != "" {
			fail(op, v, "%s", err)
		}
		if err := args.CheckMemory(th, tw); err != "" {
			fail(op, v, "%s", err)
		}
		if th == h && tw == w {
			return v
		}
		return either(op, v,
			func(p *pillow.Image) (*pillow.Image, error) {
				return p.Resize(tw, th, onPictures(o.Interpolation))
			},
			func(x *torch.Tensor) *torch.Tensor { return resizeTensor(v, th, tw, o) })
	})
}

func resizeTensor(v Value, h, w int, o ResizeOptions) *torch.Tensor {
	how := o.Interpolation
	filtered := how == Bilinear || how == Bicubic
	if !filtered && how != Nearest && how != NearestExact {
		fail("Resize", v, "tensors are resized by bilinear, bicubic, nearest or nearest-exact, not by %s", how)
	}
	dtype := v.Tensor.DType()
	x, undo := castIn(v.Tensor, torch.Float32, torch.Float64)
	x = F.Interpolate(x, F.InterpolateOptions{Size: []int{h, w}, Mode: string(how), Antialias: filtered && !o.NoAntialias})
	if how == Bicubic && dtype == torch.Uint8 {
		x = x.Clamp(0, 255) // it overshoots
	}
	return undo(x)
}

// ResizedCrop is [Resize] of a [Crop]: F.resized_crop(img, top, left, height, width,
// size, interpolation, antialias). MaxSize must be 0.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.resized_crop.html
func ResizedCrop(v Value, top, left, height, width int, size torch.Ints, options ...ResizeOptions) Value {
	const op = "ResizedCrop"
	o := torch.Only(options)
	if o.MaxSize != 0 {
		refuse(op, "MaxSize is %d; it has no meaning here", o.MaxSize)
	}
	return named(op, v, func() Value { return Resize(Crop(v, top, left, height, width), size, o) })
}
