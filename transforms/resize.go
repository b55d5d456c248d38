package transforms

import (
	"fmt"
	"image"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/args"
)

// ResizeOptions are the options of [Resize]. The zero value is torchvision's
// default.
type ResizeOptions = functional.ResizeOptions

type resize struct {
	size []int // of the short side, or height and width
	ResizeOptions
}

// Resize scales a picture or a tensor [..., C, H, W] of 3 or 4 dimensions:
// torchvision.transforms.Resize(size, interpolation, max_size, antialias). The
// size is a []int of height and width, or an int for the short side; then the
// long side keeps the aspect, rounded down, and if it would exceed MaxSize, it
// has MaxSize pixels. A picture or tensor that already has the size is returned
// unchanged.
//
// The pixels of a picture are those of Pillow 13's Image.resize, to the last bit;
// see [functional.Resize] for tensors.
//
// It panics with a *torch.Error if a size is less than 1 or an option is invalid.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Resize.html
func Resize(size torch.Ints, o ...ResizeOptions) Transform {
	const op = "Resize"
	t := &resize{args.Size("transforms."+op, size), torch.Only(o)}
	for _, n := range t.size {
		if n < 1 || n > math.MaxInt32 {
			refuse(op, "the size is %v; want 1 pixel or more", size)
		}
	}
	interpolation(op, &t.Interpolation, Bilinear)
	args.MaxSize("transforms."+op, t.MaxSize, t.size)
	return t
}

// ResizeTo is [Resize] to a height and a width in pixels, whatever the aspect:
// torchvision.transforms.Resize((h, w)).
func ResizeTo(h, w int, o ...ResizeOptions) Transform { return Resize([]int{h, w}, o...) }

// String returns the transform as Python writes it.
func (t *resize) String() string {
	size, limit := fmt.Sprint(t.size[0]), "None"
	if len(t.size) == 2 {
		size = integers(t.size)
	}
	if t.MaxSize > 0 {
		limit = fmt.Sprint(t.MaxSize)
	}
	return fmt.Sprintf("Resize(size=%s, interpolation=%s, max_size=%s, antialias=%s)", size, t.Interpolation, limit, boolean(!t.NoAntialias))
}

// Transform resizes the picture or tensor.
func (t *resize) Transform(v Value) Value {
	return named(t, v, func() Value { return functional.Resize(v, t.size, t.ResizeOptions) })
}

func (t *resize) draw(v Value, w, h int) view {
	nh, nw := t.result(v, h, w)
	return view{box: image.Rect(0, 0, w, h), w: nw, h: nh, how: filter(t.Interpolation), crop: image.Rect(0, 0, nw, nh)}
}

func (t *resize) see(v Value, d view) Value {
	return seen(t, v, d, func() Value { return t.Transform(v) })
}

// filter returns Pillow's name of an interpolation.
func filter(how Interpolation) Interpolation {
	if how == NearestExact {
		return Nearest
	}
	return how
}

// result returns the size to which a picture of h×w pixels is resized.
func (t *resize) result(v Value, h, w int) (int, int) {
	h, w = args.ResizedSize(h, w, t.size, t.MaxSize)
	if err := args.CheckSides(h, w); err != "" {
		fail(t, v, "%s", err)
	}
	return h, w
}

// interpolation panics if there is no such interpolation, and fills in the default.
func interpolation(op string, how *Interpolation, standard Interpolation) {
	if *how == "" {
		*how = standard
	}
	if *how != NearestExact && !how.Valid() {
		refuse(op, "no interpolation is called %q; want nearest, nearest-exact, box, bilinear, hamming, bicubic or lanczos", *how)
	}
}
