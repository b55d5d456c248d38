package transforms

import (
	"fmt"
	"image"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// ResizeOptions say more about [Resize] and [ResizeTo]. The zero value is torchvision's default.
type ResizeOptions struct {
	Interpolation Interpolation // "" is Bilinear
	MaxSize       int           // limit of the long side in pixels, more than the short side's size; 0 is none; not for ResizeTo
}

type resize struct {
	h, w int // w is 0 where h is the size of the short side
	ResizeOptions
}

// Resize scales a picture so that its short side has size pixels and the long
// one keeps the aspect, rounded down: torchvision.transforms.Resize(size). Where
// a MaxSize is given and the long side would be longer, the long side has
// MaxSize pixels. A picture of that size already passes as it is.
//
// The pixels are those of Pillow 13's Image.resize, to the last bit. A tensor
// [..., C, H, W] is resized as torchvision does it, with antialias, by Bilinear,
// Bicubic or Nearest.
//
// It panics with a [*torch.Error] where size is less than 1, or the options are not as they say.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Resize.html
func Resize(size int, o ...ResizeOptions) Transform {
	t := newResize("Resize", size, 0, o)
	switch {
	case size < 1 || size > math.MaxInt32:
		refuse("Resize", "the size is %d; want 1 pixel or more", size)
	case t.MaxSize != 0 && t.MaxSize <= size:
		refuse("Resize", "MaxSize is %d; want more than the size of the short side, %d", t.MaxSize, size)
	}
	return t
}

// ResizeTo scales a picture to a height and a width in pixels, whatever its
// aspect: torchvision.transforms.Resize((h, w)). See [Resize].
func ResizeTo(h, w int, o ...ResizeOptions) Transform {
	t := newResize("ResizeTo", h, w, o)
	switch {
	case min(h, w) < 1 || max(h, w) > math.MaxInt32:
		refuse("ResizeTo", "the size is %d×%d (height × width); want 1 pixel or more each", h, w)
	case t.MaxSize != 0:
		refuse("ResizeTo", "MaxSize is %d, but both sides are given already; leave it out or use Resize", t.MaxSize)
	}
	return t
}

func newResize(op string, h, w int, o []ResizeOptions) *resize {
	t := &resize{h: h, w: w}
	if len(o) > 0 {
		t.ResizeOptions = o[0]
	}
	if t.Interpolation == "" {
		t.Interpolation = Bilinear
	}
	if !t.Interpolation.Valid() {
		refuse(op, "no interpolation is called %q; want nearest, box, bilinear, hamming, bicubic, lanczos, mks2013 or mks2021", t.Interpolation)
	}
	return t
}

// String returns the transform as Python writes it.
func (t *resize) String() string {
	size, limit := fmt.Sprint(t.h), "None"
	if t.w > 0 {
		size = fmt.Sprintf("(%d, %d)", t.h, t.w)
	}
	if t.MaxSize > 0 {
		limit = fmt.Sprint(t.MaxSize)
	}
	return fmt.Sprintf("Resize(size=%s, interpolation=%s, max_size=%s, antialias=True)", size, t.Interpolation, limit)
}

// Transform resizes the picture or tensor.
func (t *resize) Transform(v Value) Value {
	if v.Image == nil {
		return v.WithTensor(t.tensor(v))
	}
	p := picture(t, v)
	w, h := t.size(v, p.W, p.H)
	if w == p.W && h == p.H {
		return v.WithImage(p)
	}
	const limit = 1 << 30 // 3 GB
	if w > limit/h {
		fail(t, v, "the result of %d×%d pixels would not fit in memory; crop the picture first or set MaxSize", w, h)
	}
	return v.WithImage(pillow.Resample(p, w, h, t.Interpolation, image.Rect(0, 0, w, h)))
}

// size returns what a picture of w×h pixels is resized to.
func (t *resize) size(v Value, w, h int) (int, int) {
	if t.w > 0 {
		return t.w, t.h
	}
	// As Python: int(a * b / c), where the division is of integers and correctly rounded.
	scale := func(a, b, c int) int { return int(float64(a) * float64(b) / float64(c)) }
	short, long := t.h, scale(t.h, max(w, h), min(w, h))
	if t.MaxSize > 0 && long > t.MaxSize {
		short, long = scale(t.MaxSize, short, long), t.MaxSize
	}
	if short < 1 || long > math.MaxInt32 {
		fail(t, v, "the sides would become %d and %d pixels long; want 1 to %d", short, long, math.MaxInt32)
	}
	if w <= h {
		return short, long
	}
	return long, short
}

// upsample holds the ops that resize tensors, and whether they take align_corners.
var upsample = map[Interpolation]struct {
	op      *torch.Op
	corners bool
}{
	Nearest:  {torch.NewOp("aten::upsample_nearest2d", ""), false},
	Bilinear: {torch.NewOp("aten::_upsample_bilinear2d_aa", ""), true},
	Bicubic:  {torch.NewOp("aten::_upsample_bicubic2d_aa", ""), true},
}

var (
	opClamp = torch.NewOp("aten::clamp", "")
	opRound = torch.NewOp("aten::round", "")
)

func (t *resize) tensor(v Value) *torch.Tensor {
	x := tensor(t, v)
	up, ok := upsample[t.Interpolation]
	if !ok {
		fail(t, v, "tensors are resized by bilinear, bicubic or nearest only")
	}
	h, w := x.Size(-2), x.Size(-1)
	if x.Numel() == 0 {
		fail(t, v, "the tensor has no elements")
	}
	nw, nh := t.size(v, w, h)
	if nw == w && nh == h {
		return x
	}
	dtype, dims := x.DType(), x.Dim()
	if dims == 3 {
		x = x.Unsqueeze(0)
	}
	floating := dtype == torch.Float32 || dtype == torch.Float64
	if !floating {
		x = x.ToDType(torch.Float32)
	}
	var c torch.Call
	c.Tensor(x)
	c.Ints(nh, nw)
	if up.corners {
		c.Bool(false)
	}
	x = c.One(up.op)
	if dtype == torch.Uint8 && t.Interpolation == Bicubic { // which overshoots
		var c torch.Call
		c.Tensor(x)
		c.Int(0)
		c.Int(255)
		x = c.One(opClamp)
	}
	if dims == 3 {
		x = x.Squeeze(0)
	}
	switch dtype {
	case torch.Uint8, torch.Int8, torch.Int16, torch.Int32, torch.Int64:
		var c torch.Call
		c.Tensor(x)
		x = c.One(opRound)
	}
	return x.ToDType(dtype)
}
