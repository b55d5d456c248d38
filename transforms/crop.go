package transforms

import (
	"fmt"
	"image"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

type centerCrop struct{ h, w int }

// CenterCrop cuts the central square of size×size pixels out of a picture or a
// tensor [..., C, H, W]: torchvision.transforms.CenterCrop(size). Where the picture is
// smaller, it is surrounded by zeros (black). Where an odd number of pixels is
// cut away, the half pixel is rounded to even, as in Python.
//
// It panics with a [*torch.Error] where size is less than 1.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.CenterCrop.html
func CenterCrop(size int) Transform { return CenterCropTo(size, size) }

// CenterCropTo cuts out a central part of a height and a width in pixels:
// torchvision.transforms.CenterCrop((h, w)). See [CenterCrop].
func CenterCropTo(h, w int) Transform {
	if min(h, w) < 1 || h > math.MaxInt32/w {
		refuse("CenterCrop", "the size is %d×%d (height × width); want 1 pixel or more each, and not more than %d together", h, w, math.MaxInt32)
	}
	return &centerCrop{h, w}
}

// String returns the transform as Python writes it.
func (t *centerCrop) String() string { return fmt.Sprintf("CenterCrop(size=(%d, %d))", t.h, t.w) }

// Transform crops the picture or tensor.
func (t *centerCrop) Transform(v Value) Value {
	if v.Image == nil {
		return v.WithTensor(t.tensor(v))
	}
	p := picture(t, v)
	x, y := cropStart(p.W, t.w), cropStart(p.H, t.h)
	return v.WithImage(p.Crop(image.Rect(x, y, x+t.w, y+t.h)))
}

// cropStart returns where a crop of a dimension begins. It is negative where the crop is longer.
func cropStart(in, crop int) int {
	d := in - crop
	if d < 0 {
		return -(-d / 2) // the padding rounds down
	}
	if d%4 == 3 { // d/2 = …1.5, which rounds to the even number above it
		d++
	}
	return d / 2
}

var opPad = torch.NewOp("aten::constant_pad_nd", "")

func (t *centerCrop) tensor(v Value) *torch.Tensor {
	x := tensor(t, v)
	for _, d := range []struct{ dim, crop int }{{-2, t.h}, {-1, t.w}} {
		in := x.Size(d.dim)
		if d.crop <= in {
			x = x.Narrow(d.dim, cropStart(in, d.crop), d.crop)
			continue
		}
		before := (d.crop - in) / 2
		pad := []int{before, d.crop - in - before} // of the last dimension first
		if d.dim == -2 {
			pad = append([]int{0, 0}, pad...)
		}
		var c torch.Call
		c.Tensor(x)
		c.Ints(pad...)
		c.Float(0)
		x = c.One(opPad)
	}
	return x
}

// A resizeCrop is a resize followed by a centerCrop, which computes only what the crop keeps.
type resizeCrop struct {
	resize *resize
	crop   *centerCrop
}

// Transform resizes and crops the picture or tensor.
func (t *resizeCrop) Transform(v Value) Value {
	if v.Image == nil {
		return t.crop.Transform(t.resize.Transform(v))
	}
	p := picture(t.resize, v)
	w, h := t.resize.size(v, p.W, p.H)
	x, y := cropStart(w, t.crop.w), cropStart(h, t.crop.h)
	crop := image.Rect(x, y, x+t.crop.w, y+t.crop.h)
	if w == p.W && h == p.H {
		return v.WithImage(p.Crop(crop))
	}
	window := crop.Intersect(image.Rect(0, 0, w, h))
	part := pillow.Resample(p, w, h, t.resize.Interpolation, window)
	if window != crop {
		part = part.Crop(crop.Sub(window.Min))
	}
	return v.WithImage(part)
}
