package hub

import (
	"fmt"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// keepRatio resizes a picture until both sides, or with longest the longer one,
// fit h and w: timm.data.transforms.ResizeKeepRatio((h, w), longest=0 or 1).
type keepRatio struct {
	h, w    int
	longest bool
	how     transforms.Interpolation
}

// String returns the transform as Python writes it.
func (t keepRatio) String() string {
	longest := 0.
	if t.longest {
		longest = 1
	}
	return fmt.Sprintf("ResizeKeepRatio(size=(%d, %d), interpolation=%s, longest=%.3f)", t.h, t.w, t.how, longest)
}

// Transform resizes the picture.
func (t keepRatio) Transform(v transforms.Value) transforms.Value {
	p := picture(t, v)
	rh, rw := float64(p.H)/float64(t.h), float64(p.W)/float64(t.w)
	ratio := min(rh, rw)
	if t.longest {
		ratio = max(rh, rw)
	}
	side := func(n int) int { return int(math.RoundToEven(float64(n) / ratio)) }
	h, w := side(p.H), side(p.W)
	if min(h, w) < 1 {
		panic(&torch.Error{Op: t.String(), Msg: fmt.Sprintf("a picture of %d×%d pixels would lose a side; crop it first", p.W, p.H)})
	}
	return transforms.ResizeTo(h, w, transforms.ResizeOptions{Interpolation: t.how}).Transform(transforms.Value{Image: p})
}

// cropOrPad cuts the center out of a picture, which it first pads with a color if
// it is too small: timm.data.transforms.CenterCropOrPad((h, w), fill). With floor,
// half a pixel is rounded down, and up in the surroundings, as in
// transformers.image_transforms.center_crop.
type cropOrPad struct {
	h, w  int
	fill  [3]uint8
	floor bool
}

// String returns the transform as Python writes it.
func (t cropOrPad) String() string { return fmt.Sprintf("CenterCropOrPad(size=(%d, %d))", t.h, t.w) }

// Transform crops or pads the picture.
func (t cropOrPad) Transform(v transforms.Value) transforms.Value {
	p := picture(t, v)
	left, top := t.start(p.W, t.w), t.start(p.H, t.h)
	out := &transforms.RGB{W: t.w, H: t.h, Pix: make([]byte, 3*t.w*t.h)}
	for y := range t.h {
		for x := range t.w {
			to := out.Pix[3*(y*t.w+x):][:3]
			if sx, sy := x+left, y+top; sx >= 0 && sx < p.W && sy >= 0 && sy < p.H {
				copy(to, p.Pix[3*(sy*p.W+sx):][:3])
			} else {
				copy(to, t.fill[:])
			}
		}
	}
	return transforms.Value{Image: out}
}

// start returns the index of the first of n pixels to keep, negative if pixels are added before
// it.
func (t cropOrPad) start(n, crop int) int {
	d := n - crop
	switch {
	case d < 0 && t.floor:
		return -((1 - d) / 2)
	case d < 0:
		return -(-d / 2)
	case t.floor:
		return d / 2
	}
	return int(math.RoundToEven(float64(d) / 2))
}

// picture returns the pixels of v.
func picture(t fmt.Stringer, v transforms.Value) *transforms.RGB {
	if v.Image == nil {
		panic(&torch.Error{Op: t.String(), Msg: "a picture is needed here"})
	}
	p := transforms.ToRGB(v.Image)
	if p.W < 1 || p.H < 1 {
		panic(&torch.Error{Op: t.String(), Msg: "the picture has no pixels"})
	}
	return p
}
