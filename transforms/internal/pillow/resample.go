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
// the rest: img.resize((w, h), how).crop(r). What lies outside w×h is zeros.
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
		xs := p.nearest(float64(box[0]), float64(box[2]-box[0])/float64(w), w, p.W)
		ys := p.nearest(float64(box[1]), float64(box[3]-box[1])/float64(h), h, p.H)
		q.pick(p, xs[r.Min.X:r.Max.X], ys[r.Min.Y:r.Max.Y])
		return q
	}
	if p.Mode == ModePA { // Pillow forgets the colours here
		c := *p
		c.Palette = nil
		p = &c
	}
	f := filters[how]
	cols := newAxis(p.W, w, r.Min.X, r.Max.X, box[0], box[2], f, p.Mode.kind())
	rows := newAxis(p.H, h, r.Min.Y, r.Max.Y, box[1], box[3], f, p.Mode.kind())
	left, right := cols.span()
	top, bottom := rows.span()
	// Pillow rounds between the passes, so their order shows. Since 13.0 the
	// vertical one comes first where it shrinks the picture by much more.
	if h < p.H && p.H-h > 2*(p.W-w) {
		return p.vertical(rows, 0, left, right).horizontal(cols, left, 0, r.Dy())
	}
	return p.horizontal(cols, 0, top, bottom).vertical(rows, top, 0, r.Dx())
}

// nearest returns which of in pixels each of out comes from, -1 for none. The mode
// I;16 goes by the products, the others by the sums of the steps.
func (p *Image) nearest(begin, step float64, out, in int) []int {
	if p.Mode != ModeI16 {
		return steps(begin+float64(step*0.5), step, out, in)
	}
	index := make([]int, out)
	for i := range index {
		index[i] = -1
		if at := float64(step*(float64(i)+0.5)) + begin; at >= 0 && at < float64(in) {
			index[i] = int(at)
		}
	}
	return index
}

// half is what rounds a sum of taps.
const half = 1 << (precision - 1)

// clip returns the pixel of a sum of taps.
func clip(sum int32) uint8 {
	return uint8(min(max(sum>>precision, 0), 255))
}

// horizontal returns the rows top to bottom of p with a's columns, counted from origin.
func (p *Image) horizontal(a *axis, origin, top, bottom int) *Image {
	q := p.like(len(a.first), bottom-top)
	if a.same {
		q.paste(p, -(a.first[0] - origin), -top)
		return q
	}
	Parallel(q.H, q.W*a.size*p.Mode.Bands()/2, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			in, out := p.row(top+y), q.row(y)
			switch p.Mode.kind() {
			case bytes8:
				switch p.Mode.Bands() {
				case 1:
					horizontal1(out, in, a, origin)
				case 2:
					horizontal2(out, in, a, origin)
				case 3:
					horizontal3(out, in, a, origin)
				default:
					horizontal4(out, in, a, origin)
				}
			default:
				e := elements[p.Mode]
				for i, first := range a.first {
					sum := 0.0
					for j, k := range a.weights[i*a.size:][:a.count[i]] {
						sum += float64(e.get(in[e.size*(first-origin+j):]) * k)
					}
					e.put(out[e.size*i:], sum)
				}
			}
		}
	})
	return q
}

func horizontal1(out, in []uint8, a *axis, origin int) {
	for i, first := range a.first {
		taps := a.taps[i*a.size:][:a.count[i]]
		p := in[first-origin:][:len(taps)]
		var s int32 = half
		for j, k := range taps {
			s += k * int32(p[j])
		}
		out[i] = clip(s)
	}
}

func horizontal2(out, in []uint8, a *axis, origin int) {
	for i, first := range a.first {
		p := in[2*(first-origin):]
		var s, t int32 = half, half
		for _, k := range a.taps[i*a.size:][:a.count[i]] {
			s += k * int32(p[0])
			t += k * int32(p[1])
			p = p[2:]
		}
		q := out[2*i:][:2]
		q[0], q[1] = clip(s), clip(t)
	}
}

func horizontal3(out, in []uint8, a *axis, origin int) {
	for i, first := range a.first {
		taps := a.taps[i*a.size:][:a.count[i]]
		p := in[3*(first-origin):][:3*len(taps)]
		var r, g, b int32 = half, half, half
		for len(taps) >= 2 && len(p) >= 6 { // two at a time take a fifth off the time
			k, l := taps[0], taps[1]
			r += k*int32(p[0]) + l*int32(p[3])
			g += k*int32(p[1]) + l*int32(p[4])
			b += k*int32(p[2]) + l*int32(p[5])
			taps, p = taps[2:], p[6:]
		}
		if len(taps) > 0 && len(p) >= 3 {
			r += taps[0] * int32(p[0])
			g += taps[0] * int32(p[1])
			b += taps[0] * int32(p[2])
		}
		q := out[3*i:][:3]
		q[0], q[1], q[2] = clip(r), clip(g), clip(b)
	}
}

func horizontal4(out, in []uint8, a *axis, origin int) {
	for i, first := range a.first {
		p := in[4*(first-origin):]
		var s, t, u, v int32 = half, half, half, half
		for _, k := range a.taps[i*a.size:][:a.count[i]] {
			f := p[:4]
			s += k * int32(f[0])
			t += k * int32(f[1])
			u += k * int32(f[2])
			v += k * int32(f[3])
			p = p[4:]
		}
		q := out[4*i:][:4]
		q[0], q[1], q[2], q[3] = clip(s), clip(t), clip(u), clip(v)
	}
}

// vertical returns the columns left to right of p with a's rows, counted from origin.
func (p *Image) vertical(a *axis, origin, left, right int) *Image {
	q := p.like(right-left, len(a.first))
	if a.same {
		q.paste(p, -left, -(a.first[0] - origin))
		return q
	}
	n := p.Mode.BytesPerPixel()
	Parallel(q.H, q.W*a.size*p.Mode.Bands()/2, func(lo, hi int) {
		if p.Mode.kind() != bytes8 {
			e := elements[p.Mode]
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
			return
		}
		sums := make([]int32, n*q.W)
		for y := lo; y < hi; y++ {
			for i := range sums {
				sums[i] = half
			}
			for j, k := range a.taps[y*a.size:][:a.count[y]] {
				in := p.row(a.first[y] - origin + j)[n*left:][:len(sums)]
				for i, v := range in {
					sums[i] += k * int32(v)
				}
			}
			out := q.row(y)[:len(sums)]
			for i, v := range sums {
				out[i] = clip(v)
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
