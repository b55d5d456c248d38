package transforms

import "github.com/torchhub/torchhub/torch"

// A fused is a transform that makes a view, followed by the way from bytes to a tensor: of a picture of mode RGB only the
// pixels that are kept are computed, a row at a time, and each byte is looked up once.
type fused struct {
	viewer
	tail   Transform
	levels *levels
}

// newFused returns nil where the two do not go together.
func newFused(head, tail Transform) *fused {
	f := &fused{tail: tail}
	switch h := head.(type) {
	case *fused: // a Normalize that joins the ToTensor
		f.viewer = h.viewer
	case viewer:
		f.viewer = h
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
	if p := rgb(t.viewer, v); p != nil {
		return t.see(v.WithImage(p), t.draw(v, p.W, p.H))
	}
	return t.tail.Transform(t.viewer.Transform(v))
}

func (t *fused) see(v Value, d view) Value {
	p := rgb(t.viewer, v)
	if p == nil {
		return t.tail.Transform(t.viewer.see(v, d))
	}
	x := torch.Options{DType: torch.Float32, Device: torch.CPU}.Empty(3, d.crop.Dy(), d.crop.Dx())
	torch.WithData(x, func(out []float32) { d.fill(out, t.levels, p) })
	return v.WithTensor(x)
}

// shape returns the shape of the result for every picture, or nil if they differ.
func (t *fused) shape() []int {
	head := t.viewer
	for {
		switch h := head.(type) {
		case *flipped:
			head = h.viewer
			continue
		case *resizeCrop:
			return []int{3, h.crop.h, h.crop.w}
		case *randomResizedCrop:
			return []int{3, h.h, h.w}
		}
		return nil
	}
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

// mirroredRow is row from right to left.
func (l *levels) mirroredRow(r, g, b []float32, pix []uint8) {
	n := len(pix) / 3
	r, g, b = r[:n], g[:n], b[:n]
	for i := range r {
		q := pix[3*(n-1-i):][:3]
		r[i], g[i], b[i] = l[0][q[0]], l[1][q[1]], l[2][q[2]]
	}
}
