package transforms

import (
	"image"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/args"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A fused is a resize, a center crop after it unless there is none, and the way
// from bytes to a tensor: of a picture of mode RGB only the pixels that the crop keeps are computed, a
// row at a time, and each byte is looked up once.
type fused struct {
	head   Transform // the first two of them
	resize *resize
	crop   *centerCrop
	tail   Transform // the rest
	levels *levels
}

// newFused returns nil where the two do not go together.
func newFused(head, tail Transform) *fused {
	f := &fused{head: head, tail: tail}
	switch h := head.(type) {
	case *resize:
		f.resize = h
	case *resizeCrop:
		f.resize, f.crop = h.resize, h.crop
	case *fused: // a Normalize that joins the ToTensor
		return newFused(h.head, tail)
	default:
		return nil
	}
	switch t := tail.(type) {
	case toTensor:
		f.levels = &unit
	case *toNormalized:
		f.levels = &t.levels
	default:
		return nil
	}
	return f
}

// Transform makes a tensor of the picture.
func (t *fused) Transform(v Value) Value {
	p := rgb(t.resize, v)
	if p == nil {
		return t.tail.Transform(t.head.Transform(v))
	}
	w, h, crop := t.geometry(v, p.W, p.H)
	x := torch.Options{DType: torch.Float32, Device: torch.CPU}.Empty(3, crop.Dy(), crop.Dx())
	torch.WithData(x, func(out []float32) { t.fill(out, p, w, h, crop) })
	return v.WithTensor(x)
}

// geometry returns the size that w×h pixels are resized to and the part of that which is kept.
func (t *fused) geometry(v Value, width, height int) (w, h int, crop image.Rectangle) {
	h, w = t.resize.result(v, height, width)
	return w, h, t.kept(w, h)
}

// kept returns the part of the resized picture that the crop keeps.
func (t *fused) kept(w, h int) image.Rectangle {
	if t.crop == nil {
		return image.Rect(0, 0, w, h)
	}
	x, y := cropStart(w, t.crop.w), cropStart(h, t.crop.h)
	return image.Rect(x, y, x+t.crop.w, y+t.crop.h)
}

// region returns the part of w×h pixels that the result is made of.
func (t *fused) region(width, height int) image.Rectangle {
	h, w := args.ResizedSize(height, width, t.resize.size, t.resize.MaxSize)
	if args.CheckSides(h, w) != "" {
		return image.Rect(0, 0, width, height) // geometry reports it
	}
	window := t.kept(w, h).Intersect(image.Rect(0, 0, w, h))
	if window.Empty() {
		return window
	}
	return pillow.Source(width, height, w, h, t.resize.filter(), window)
}

// shape returns the shape of the result of every picture, or nil if they differ.
func (t *fused) shape() []int {
	if t.crop == nil {
		return nil
	}
	return []int{3, t.crop.h, t.crop.w}
}

// fill writes three planes of numbers.
func (t *fused) fill(out []float32, p *RGB, w, h int, crop image.Rectangle) {
	window := crop.Intersect(image.Rect(0, 0, w, h))
	n := crop.Dx() * crop.Dy()
	if window != crop { // the picture is smaller than the crop, which is black around it
		for c := range 3 {
			black := t.levels[c][0]
			for i := range out[c*n : (c+1)*n] {
				out[c*n+i] = black
			}
		}
	}
	if window.Empty() {
		return
	}
	at := window.Min.Sub(crop.Min)
	pillow.ResampleRows(p, w, h, t.resize.filter(), window, func(y int, row []uint8) {
		i := (y+at.Y)*crop.Dx() + at.X
		t.levels.row(out[i:], out[n+i:], out[2*n+i:], row)
	})
}

// row looks up a row of pixels.
func (l *levels) row(r, g, b []float32, pix []uint8) {
	n := len(pix) / 3
	r, g, b = r[:n], g[:n], b[:n]
	for i := range r {
		q := pix[3*i:][:3]
		r[i], g[i], b[i] = l[0][q[0]], l[1][q[1]], l[2][q[2]]
	}
}
