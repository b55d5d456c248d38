package transforms

import (
	"image"

	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/args"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A view is a picture made of another one: a part of it, in another size, of which a part is kept.
type view struct {
	box    image.Rectangle // the part of the picture
	w, h   int             // the size to which it is resized
	how    Interpolation   // by Pillow's name
	crop   image.Rectangle // the part of the w×h pixels that is kept; outside of them it is black
	mirror bool            // left to right, in the end
	turn   bool            // upside down, in the end
}

// A viewer is a transform that makes a view of a picture of mode RGB. Which one it is can be drawn when only the size of
// the picture is known, so that only the pixels that are needed have to be decoded.
type viewer interface {
	Transform

	// draw returns the view of a picture of w×h pixels, for which it draws random numbers.
	draw(v Value, w, h int) view

	// see returns what Transform does where it draws d. The result shares no memory with the picture if that is an RGB.
	see(v Value, d view) Value
}

// visible returns the part of the result that is not black because it lies outside of the resized picture.
func (d view) visible() image.Rectangle { return d.crop.Intersect(image.Rect(0, 0, d.w, d.h)) }

// source returns the part of the picture that the view is made of.
func (d view) source() image.Rectangle {
	window := d.visible()
	if window.Empty() {
		return window
	}
	return pillow.Source(d.box.Dx(), d.box.Dy(), d.w, d.h, d.how, window).Add(d.box.Min)
}

// rows passes on the rows of the view that are not black, each once, in any order and from several goroutines at once, with the
// column and the row at which each begins in the view. Their pixels are in the order before mirroring.
func (d view) rows(p *RGB, done func(x, y int, row []uint8)) {
	window := d.visible()
	if window.Empty() {
		return
	}
	at := window.Min.Sub(d.crop.Min)
	if d.mirror {
		at.X = d.crop.Dx() - at.X - window.Dx()
	}
	pillow.ResampleRows(p, d.box, d.w, d.h, d.how, window, func(y int, row []uint8) {
		y += at.Y
		if d.turn {
			y = d.crop.Dy() - 1 - y
		}
		done(at.X, y, row)
	})
}

// picture returns the view of a picture.
func (d view) picture(p *RGB) *RGB {
	out := pillow.NewRGB(d.crop.Dx(), d.crop.Dy())
	d.rows(p, func(x, y int, row []uint8) {
		to := out.Pix[3*(y*out.W+x):][:len(row)]
		if d.mirror {
			pillow.Mirror(to, row)
		} else {
			copy(to, row)
		}
	})
	return out
}

// fill writes the view of a picture as three planes of numbers.
func (d view) fill(out []float32, l *levels, p *RGB) {
	w, n := d.crop.Dx(), d.crop.Dx()*d.crop.Dy()
	if d.visible() != d.crop {
		for c := range 3 {
			black := l[c][0]
			for i := range out[c*n : (c+1)*n] {
				out[c*n+i] = black
			}
		}
	}
	put := l.row
	if d.mirror {
		put = l.mirroredRow
	}
	d.rows(p, func(x, y int, row []uint8) {
		i := y*w + x
		put(out[i:], out[n+i:], out[2*n+i:], row)
	})
}

// seen returns the view of a picture of mode RGB, and what other returns for all else.
func seen(t Transform, v Value, d view, other func() Value) Value {
	p := rgb(t, v)
	if p == nil || args.CheckMemory(d.crop.Dy(), d.crop.Dx()) != "" { // which other reports
		return other()
	}
	return v.WithImage(d.picture(p))
}

// A flipped is a viewer followed by a flip.
type flipped struct {
	viewer
	flip *randomFlip
}

func (t *flipped) draw(v Value, w, h int) view {
	d := t.viewer.draw(v, w, h)
	flip := happens(v, t.flip.p)
	d.turn = d.turn != (flip && t.flip.vertical)
	d.mirror = d.mirror != (flip && !t.flip.vertical)
	return d
}

func (t *flipped) see(v Value, d view) Value {
	return seen(t.viewer, v, d, func() Value {
		upright := d
		upright.mirror, upright.turn = false, false
		out := t.viewer.see(v, upright)
		return named(t.flip, out, func() Value {
			if d.mirror {
				out = functional.HFlip(out)
			}
			if d.turn {
				out = functional.VFlip(out)
			}
			return out
		})
	})
}

// Transform makes the view of the picture, and flips a tensor.
func (t *flipped) Transform(v Value) Value {
	if p := rgb(t.viewer, v); p != nil {
		return t.see(v.WithImage(p), t.draw(v, p.W, p.H))
	}
	return t.flip.Transform(t.viewer.Transform(v))
}

// A randomFlip is RandomHorizontalFlip or RandomVerticalFlip.
type randomFlip struct {
	p        float64
	vertical bool
}

// String returns the transform as Python writes it.
func (t *randomFlip) String() string {
	if t.vertical {
		return "RandomVerticalFlip(p=" + float(t.p) + ")"
	}
	return "RandomHorizontalFlip(p=" + float(t.p) + ")"
}

// Transform flips the picture or tensor, or not.
func (t *randomFlip) Transform(v Value) Value {
	return named(t, v, func() Value {
		if !happens(v, t.p) {
			return v
		}
		if t.vertical {
			return functional.VFlip(v)
		}
		return functional.HFlip(v)
	})
}
