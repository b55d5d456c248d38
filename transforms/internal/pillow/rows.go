package pillow

import (
	"image"
	"sync"
)

// ResampleRows is [Resample] of a part of a picture, cut out before, that passes on row by row, each once, in any order
// and from several goroutines at once. done must not keep a row.
func ResampleRows(src *RGB, box image.Rectangle, w, h int, how Interpolation, r image.Rectangle, done func(y int, row []uint8)) {
	const bands = 3
	in := src.Image().plane().from(bands*box.Min.X, box.Min.Y)
	switch {
	case w == box.Dx() && h == box.Dy():
		in = in.from(bands*r.Min.X, r.Min.Y)
		for y := range r.Dy() {
			done(y, in.pix[y*in.stride:][:bands*r.Dx()])
		}
		return
	case how == Nearest:
		if box != src.Bounds() {
			src = src.Crop(box)
		}
		q := Resample(src, w, h, how, r)
		for y := range q.H {
			done(y, q.Pix[bands*q.W*y:][:bands*q.W])
		}
		return
	}
	cols, rows := axes(box.Dx(), box.Dy(), w, h, how, r)
	left, right := cols.span()
	top, bottom := rows.span()
	if verticalFirst(box.Dx(), box.Dy(), w, h) {
		mid, free := newPlane(bands*(right-left), r.Dy())
		defer free()
		in.from(bands*left, 0).vertical(bands, rows, 0, bands*(right-left), mid.put)
		mid.horizontal(bands, cols, left, r.Dy(), done)
		return
	}
	mid, free := newPlane(bands*r.Dx(), bottom-top)
	defer free()
	in.from(0, top).horizontal(bands, cols, 0, bottom-top, mid.put)
	mid.vertical(bands, rows, top, bands*r.Dx(), done)
}

// Source returns the part of w×h pixels that [ResampleRows] reads to make the part r of nw×nh ones.
func Source(w, h, nw, nh int, how Interpolation, r image.Rectangle) image.Rectangle {
	switch {
	case w == nw && h == nh:
		return r
	case how == Nearest:
		return image.Rect(0, 0, w, h)
	}
	cols, rows := axes(w, h, nw, nh, how, r)
	left, right := cols.span()
	top, bottom := rows.span()
	return image.Rect(left, top, right, bottom)
}

// axes returns the axes of the columns and rows of the part r of nw×nh pixels.
func axes(w, h, nw, nh int, how Interpolation, r image.Rectangle) (cols, rows *axis) {
	return newAxis(w, nw, r.Min.X, r.Max.X, 0, float32(w), filters[how], bytes8),
		newAxis(h, nh, r.Min.Y, r.Max.Y, 0, float32(h), filters[how], bytes8)
}

// verticalFirst reports which pass of a resize from w×h to nw×nh comes first.
// Pillow rounds between them, so it shows. Since 13.0 it is the vertical one where
// that shrinks the picture by much more.
func verticalFirst(w, h, nw, nh int) bool { return nh < h && h-nh > 2*(w-nw) }

// A plane is rows of bytes, stride apart.
type plane struct {
	pix    []uint8
	stride int
}

func (p *Image) plane() plane { return plane{p.Pix, p.W * p.Mode.BytesPerPixel()} }

// from returns the plane from a byte of a row on.
func (p plane) from(x, y int) plane { return plane{p.pix[min(y*p.stride+x, len(p.pix)):], p.stride} }

func (p plane) put(y int, row []uint8) { copy(p.pix[y*p.stride:], row) }

// buffers keeps the memory between the passes, which for photographs is a megabyte or so.
var buffers = sync.Pool{New: func() any { return new([]uint8) }}

// buffer returns n uninitialized bytes, and a function that releases them.
func buffer(n int) (pix []uint8, free func()) {
	b := buffers.Get().(*[]uint8)
	if cap(*b) < n {
		*b = make([]uint8, n)
	}
	return (*b)[:n], func() { buffers.Put(b) }
}

// slack is the number of bytes that a kernel may touch beyond its results.
const slack = 16

func newPlane(width, height int) (plane, func()) {
	pix, free := buffer(width*height + slack)
	return plane{pix, width}, free
}

// half is added to round a sum of taps.
const half = 1 << (precision - 1)

// clip returns the pixel of a sum of taps.
func clip(sum int32) uint8 {
	return uint8(min(max(sum>>precision, 0), 255))
}

// strip is how many rows are computed together.
const strip = 4

// horizontal makes n rows of a's columns, counted from origin, of pixels of so many bytes.
func (p plane) horizontal(bands int, a *axis, origin, n int, done func(y int, row []uint8)) {
	width := bands * len(a.first)
	if a.same {
		p = p.from(bands*(a.first[0]-origin), 0)
		for y := range n {
			done(y, p.pix[y*p.stride:][:width])
		}
		return
	}
	one := [...]func(out, in []uint8, a *axis, origin int){1: horizontal1, 2: horizontal2, 3: horizontal3, 4: horizontal4}[bands]
	var first []int32
	var taps []int16
	var groups int
	kernel := simd && bands == 3
	if kernel {
		first, taps, groups = a.packed(origin)
	}
	// How far into a row, or beyond it, the kernel reads.
	reach := bands*(a.first[len(a.first)-1]-origin) + 12*groups + 4
	Parallel(n, len(a.first)*a.size*bands/2, func(lo, hi int) {
		stride := width + slack
		out, free := buffer(strip * stride)
		defer free()
		for y := lo; y < hi; y += strip {
			rows := min(strip, hi-y)
			if kernel && rows == strip && (y+strip-1)*p.stride+reach <= len(p.pix) {
				rows4(&out[0], stride, &p.pix[y*p.stride], p.stride, &first[0], &taps[0], groups, len(first))
			} else {
				for i := range rows {
					one(out[i*stride:][:width], p.pix[(y+i)*p.stride:], a, origin)
				}
			}
			for i := range rows {
				done(y+i, out[i*stride:][:width])
			}
		}
	})
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

// vertical makes a's rows, counted from origin, of the first width bytes of each.
func (p plane) vertical(bands int, a *axis, origin, width int, done func(y int, row []uint8)) {
	if a.same {
		for y, first := range a.first {
			done(y, p.pix[(first-origin)*p.stride:][:width])
		}
		return
	}
	Parallel(len(a.first), width*a.size/2, func(lo, hi int) {
		out, free := buffer(width)
		defer free()
		var sums []int32
		for y := lo; y < hi; y++ {
			from, taps := p.from(0, a.first[y]-origin), a.taps[y*a.size:][:a.count[y]]
			if simd && width >= 32 && len(taps) > 0 {
				columns32(&out[0], &from.pix[0], p.stride, &taps[0], len(taps), width)
			} else {
				if sums == nil {
					sums = make([]int32, width)
				}
				from.sum(out, taps, sums)
			}
			done(y, out)
		}
	})
}

// sum makes a row of as many rows as there are taps.
func (p plane) sum(out []uint8, taps, sums []int32) {
	for i := range sums {
		sums[i] = half
	}
	for j, k := range taps {
		for i, v := range p.pix[j*p.stride:][:len(sums)] {
			sums[i] += k * int32(v)
		}
	}
	for i, v := range sums {
		out[i] = clip(v)
	}
}

// lowBits are split off the taps, so that each part of one fits in 16 bits.
const lowBits = 11

// packed returns the columns of a as rows4 takes them: the byte where each
// begins, counted from the pixel origin, and the taps in groups of four, the upper
// parts before the lower ones.
func (a *axis) packed(origin int) (first []int32, taps []int16, groups int) {
	groups = (a.size + 3) / 4
	first, taps = make([]int32, len(a.first)), make([]int16, 8*groups*len(a.first))
	for i, f := range a.first {
		first[i] = int32(3 * (f - origin))
		to := taps[8*groups*i:][:8*groups]
		for j, k := range a.taps[i*a.size:][:a.count[i]] {
			at := j/4*8 + j%4
			to[at], to[at+4] = int16(k>>lowBits), int16(k&(1<<lowBits-1))
		}
	}
	return first, taps, groups
}
