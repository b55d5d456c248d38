package pillow

import (
	"encoding/binary"
	"fmt"
	"image"
	"math"
)

// Resize returns the picture in another size: img.resize((w, h), how). The modes 1
// and P always take Nearest; LA and RGBA compute with premultiplied alpha.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.resize
func (p *Image) Resize(w, h int, how Interpolation) (*Image, error) {
	return p.ResizeCrop(w, h, how, image.Rect(0, 0, w, h))
}

// ResizeCrop returns the part r of the picture in another size, without computing
// the rest: img.resize((w, h), how).crop(r). Pixels outside w×h are zero.
func (p *Image) ResizeCrop(w, h int, how Interpolation, r image.Rectangle) (*Image, error) {
	return p.resize(w, h, how, [4]float64{0, 0, float64(p.W), float64(p.H)}, r)
}

// ResizeBox returns a part of the picture, given by its left, upper, right and
// lower edge, in another size: img.resize((w, h), how, box). The box may lie
// between pixels, but not outside the picture.
func (p *Image) ResizeBox(w, h int, how Interpolation, box [4]float64) (*Image, error) {
	return p.resize(w, h, how, box, image.Rect(0, 0, w, h))
}

func (p *Image) resize(w, h int, how Interpolation, edges [4]float64, r image.Rectangle) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if !how.Valid() {
		return nil, fmt.Errorf("no interpolation is called %q; want nearest, box, bilinear, hamming, bicubic, lanczos, mks2013 or mks2021", how)
	}
	if w == p.W && h == p.H && edges == [4]float64{0, 0, float64(w), float64(h)} {
		return p.Crop(r)
	}
	if w < 1 || h < 1 {
		return nil, fmt.Errorf("the size is %d×%d (width × height); want 1 pixel or more each", w, h)
	}
	var box [4]float32
	for i, e := range edges {
		box[i] = float32(e)
	}
	if !(box[0] >= 0 && box[1] >= 0 && box[2] <= float32(p.W) && box[3] <= float32(p.H) && box[0] <= box[2] && box[1] <= box[3]) {
		return nil, fmt.Errorf("the box %v does not lie in %d×%d pixels", edges, p.W, p.H)
	}
	if p.Mode == Mode1 || p.Mode == ModeP {
		how = Nearest
	}
	window := r.Intersect(image.Rect(0, 0, w, h))
	if err := checkSize(window.Dx(), window.Dy()); err != nil {
		return nil, err
	}
	if max(window.Dx(), window.Dy()) > maxSide {
		return nil, fmt.Errorf("sides of %d and %d pixels would not fit in memory; want %d at most", window.Dx(), window.Dy(), maxSide)
	}
	var q *Image
	switch flat := premultiplied[p.Mode]; {
	case window.Empty():
		q = p.like(0, 0)
		if p.Mode == ModePA && how != Nearest {
			q.Palette = nil
		}
	case flat != "" && how != Nearest:
		c, err := p.Convert(flat)
		if err != nil {
			return nil, err
		}
		if q, err = c.resample(w, h, how, box, window).Convert(p.Mode); err != nil {
			return nil, err
		}
	default:
		q = p.resample(w, h, how, box, window)
	}
	return q.Crop(r.Sub(window.Min))
}

// Resample is [Image.ResizeCrop] for the picture's own type. r must lie within w×h and not be empty.
func Resample(src *RGB, w, h int, how Interpolation, r image.Rectangle) *RGB {
	q := src.Image().resample(w, h, how, [4]float32{0, 0, float32(src.W), float32(src.H)}, r)
	return &RGB{Pix: q.Pix, W: q.W, H: q.H}
}

// resample returns the part r, not empty, of the box resized to w×h.
func (p *Image) resample(w, h int, how Interpolation, box [4]float32, r image.Rectangle) *Image {
	if left, top := int(box[0]), int(box[1]); float32(left) == box[0] && box[2]-box[0] == float32(w) &&
		float32(top) == box[1] && box[3]-box[1] == float32(h) {
		q := p.like(r.Dx(), r.Dy())
		q.paste(p, -left-r.Min.X, -top-r.Min.Y)
		return q
	}
	if how == Nearest {
		q := p.like(r.Dx(), r.Dy())
		xs := p.nearest(float64(box[0]), float64(box[2]-box[0])/float64(w), r.Min.X, r.Max.X, p.W)
		ys := p.nearest(float64(box[1]), float64(box[3]-box[1])/float64(h), r.Min.Y, r.Max.Y, p.H)
		q.pick(p, xs, ys)
		return q
	}
	if p.Mode == ModePA { // Pillow forgets the colors here
		c := *p
		c.Palette = nil
		p = &c
	}
	f := filters[how]
	cols := newAxis(p.W, w, r.Min.X, r.Max.X, box[0], box[2], f, p.Mode.kind())
	rows := newAxis(p.H, h, r.Min.Y, r.Max.Y, box[1], box[3], f, p.Mode.kind())
	left, right := cols.span()
	top, bottom := rows.span()
	if verticalFirst(p.W, p.H, w, h) {
		return p.vertical(rows, 0, left, right).horizontal(cols, left, 0, r.Dy())
	}
	return p.horizontal(cols, 0, top, bottom).vertical(rows, top, 0, r.Dx())
}

// nearest returns the sources, among in pixels, of the outputs lo to hi, or -1
// for none. The mode I;16 uses the products of the steps, the others the sums.
func (p *Image) nearest(begin, step float64, lo, hi, in int) []int {
	if p.Mode != ModeI16 {
		return steps(begin+float64(step*0.5), step, lo, hi, in)
	}
	index := make([]int, hi-lo)
	for i := range index {
		index[i] = -1
		if at := float64(step*(float64(lo+i)+0.5)) + begin; at >= 0 && at < float64(in) {
			index[i] = int(at)
		}
	}
	return index
}

// horizontal returns the rows top to bottom of p with a's columns, counted from origin.
func (p *Image) horizontal(a *axis, origin, top, bottom int) *Image {
	q := p.like(len(a.first), bottom-top)
	if a.same {
		q.paste(p, -(a.first[0] - origin), -top)
		return q
	}
	if p.Mode.kind() == bytes8 {
		p.plane().from(0, top).horizontal(p.Mode.Bands(), a, origin, q.H, q.plane().put)
		return q
	}
	e := elements[p.Mode]
	Parallel(q.H, q.W*a.size*p.Mode.Bands()/2, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			in, out := p.row(top+y), q.row(y)
			for i, first := range a.first {
				sum := 0.0
				for j, k := range a.weights[i*a.size:][:a.count[i]] {
					sum += float64(e.get(in[e.size*(first-origin+j):]) * k)
				}
				e.put(out[e.size*i:], sum)
			}
		}
	})
	return q
}

// vertical returns the columns left to right of p with a's rows, counted from origin.
func (p *Image) vertical(a *axis, origin, left, right int) *Image {
	q := p.like(right-left, len(a.first))
	if a.same {
		q.paste(p, -left, -(a.first[0] - origin))
		return q
	}
	n := p.Mode.BytesPerPixel()
	if p.Mode.kind() == bytes8 {
		p.plane().from(n*left, 0).vertical(p.Mode.Bands(), a, origin, n*q.W, q.plane().put)
		return q
	}
	e := elements[p.Mode]
	Parallel(q.H, q.W*a.size*p.Mode.Bands()/2, func(lo, hi int) {
		sums := make([]float64, q.W)
		for y := lo; y < hi; y++ {
			clear(sums)
			for j, k := range a.weights[y*a.size:][:a.count[y]] {
				in := p.row(a.first[y] - origin + j)[n*left:]
				for i := range sums {
					sums[i] += float64(e.get(in[n*i:]) * k)
				}
			}
			out := q.row(y)
			for i, s := range sums {
				e.put(out[n*i:], s)
			}
		}
	})
	return q
}

// elements reads and writes the pixels of the modes whose elements are not bytes.
var elements = map[Mode]struct {
	size int
	get  func(b []uint8) float64
	put  func(b []uint8, v float64)
}{
	ModeI16: {2, func(b []uint8) float64 { return float64(binary.LittleEndian.Uint16(b)) }, func(b []uint8, v float64) {
		binary.LittleEndian.PutUint16(b, uint16(min(max(round32(v), 0), 65535)))
	}},
	ModeI: {4, func(b []uint8) float64 { return float64(int32(binary.LittleEndian.Uint32(b))) }, func(b []uint8, v float64) {
		binary.LittleEndian.PutUint32(b, uint32(round32(v)))
	}},
	ModeF: {4, func(b []uint8) float64 { return float64(getFloat(b)) }, func(b []uint8, v float64) { putFloat(b, float32(v)) }},
}

// round32 rounds to the nearest integer, halves away from zero.
func round32(v float64) int32 { return toInt32(v + math.Copysign(0.5, v)) }
