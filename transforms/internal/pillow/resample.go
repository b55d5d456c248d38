package pillow

import (
	"image"
	"sync"
)

// Resample returns the part r of src resized to w×h, without computing the rest:
// src.resize((w, h), how).crop(r) in Pillow 13, to the last bit. r must lie
// within w×h and not be empty.
func Resample(src *RGB, w, h int, how Interpolation, r image.Rectangle) *RGB {
	dst := NewRGB(r.Dx(), r.Dy())
	ResampleRows(src, w, h, how, r, func(y int, row []uint8) { copy(dst.Pix[3*dst.W*y:], row) })
	return dst
}

// ResampleRows is [Resample] that hands over row by row, each once, in any order
// and from several goroutines at once. done must not keep a row.
func ResampleRows(src *RGB, w, h int, how Interpolation, r image.Rectangle, done func(y int, row []uint8)) {
	in := plane{src.Pix, 3 * src.W}
	if how == Nearest {
		pick(in, nearest(src.W, w, r.Min.X, r.Max.X), nearest(src.H, h, r.Min.Y, r.Max.Y), done)
		return
	}
	f := filters[how]
	cols := newAxis(src.W, w, r.Min.X, r.Max.X, f)
	rows := newAxis(src.H, h, r.Min.Y, r.Max.Y, f)
	left, right := cols.span()
	top, bottom := rows.span()
	// Pillow rounds to bytes between the passes, so their order shows. Since 13.0
	// the vertical one comes first where it shrinks the picture by much more.
	if h < src.H && src.H-h > 2*(src.W-w) {
		mid, free := newPlane(3*(right-left), r.Dy())
		defer free()
		vertical(in.from(3*left, 0), rows, 0, 3*(right-left), mid.put)
		horizontal(mid, cols, left, r.Dy(), done)
		return
	}
	mid, free := newPlane(3*r.Dx(), bottom-top)
	defer free()
	horizontal(in.from(0, top), cols, 0, bottom-top, mid.put)
	vertical(mid, rows, top, 3*r.Dx(), done)
}

// A plane is rows of bytes, stride apart.
type plane struct {
	pix    []uint8
	stride int
}

// from returns the plane from a byte of a row on.
func (p plane) from(x, y int) plane { return plane{p.pix[min(y*p.stride+x, len(p.pix)):], p.stride} }

func (p plane) put(y int, row []uint8) { copy(p.pix[y*p.stride:], row) }

// buffers keeps the memory between the passes, which for photographs is a megabyte or so.
var buffers = sync.Pool{New: func() any { return new([]uint8) }}

// buffer returns n bytes of any content, and what gives them back.
func buffer(n int) (pix []uint8, free func()) {
	b := buffers.Get().(*[]uint8)
	if cap(*b) < n {
		*b = make([]uint8, n)
	}
	return (*b)[:n], func() { buffers.Put(b) }
}

// slack is how many bytes the kernels may touch beyond a plane.
const slack = 16

func newPlane(width, height int) (plane, func()) {
	pix, free := buffer(width*height + slack)
	return plane{pix, width}, free
}

// half is what rounds a sum of taps.
const half = 1 << (precision - 1)

// clip returns the pixel of a sum of taps.
func clip(sum int32) uint8 {
	return uint8(min(max(sum>>precision, 0), 255))
}

// strip is how many rows horizontal computes together.
const strip = 4

// horizontal makes n rows of in of a's columns, counted from origin.
func horizontal(in plane, a *axis, origin, n int, done func(y int, row []uint8)) {
	width := 3 * len(a.first)
	if a.same {
		in = in.from(3*(a.first[0]-origin), 0)
		for y := range n {
			done(y, in.pix[y*in.stride:][:width])
		}
		return
	}
	first, taps, groups := a.packed(origin)
	// How far into a row, or beyond it, the kernel reads.
	reach := 3*(a.first[len(a.first)-1]-origin) + 12*groups + 4
	Parallel(n, len(a.first)*a.size, func(lo, hi int) {
		stride := width + slack
		out, free := buffer(strip * stride)
		defer free()
		for y := lo; y < hi; y += strip {
			rows := min(strip, hi-y)
			if simd && rows == strip && (y+strip-1)*in.stride+reach <= len(in.pix) {
				horizontal4(&out[0], stride, &in.pix[y*in.stride], in.stride, &first[0], &taps[0], groups, len(first))
			} else {
				for i := range rows {
					horizontalRow(out[i*stride:][:width], in.pix[(y+i)*in.stride:], a, origin)
				}
			}
			for i := range rows {
				done(y+i, out[i*stride:][:width])
			}
		}
	})
}

func horizontalRow(out, in []uint8, a *axis, origin int) {
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

// vertical makes a's rows, counted from origin, of the first width bytes of those of in.
func vertical(in plane, a *axis, origin, width int, done func(y int, row []uint8)) {
	if a.same {
		for y, first := range a.first {
			done(y, in.pix[(first-origin)*in.stride:][:width])
		}
		return
	}
	Parallel(len(a.first), width/3*a.size, func(lo, hi int) {
		out, free := buffer(width)
		defer free()
		var sums []int32
		for y := lo; y < hi; y++ {
			from, taps := in.from(0, a.first[y]-origin), a.taps[y*a.size:][:a.count[y]]
			if simd && width >= 32 {
				vertical32(&out[0], &from.pix[0], in.stride, &taps[0], len(taps), width)
			} else {
				if sums == nil {
					sums = make([]int32, width)
				}
				verticalRow(out, from, taps, sums)
			}
			done(y, out)
		}
	})
}

func verticalRow(out []uint8, in plane, taps, sums []int32) {
	for i := range sums {
		sums[i] = half
	}
	for j, k := range taps {
		for i, v := range in.pix[j*in.stride:][:len(sums)] {
			sums[i] += k * int32(v)
		}
	}
	for i, v := range sums {
		out[i] = clip(v)
	}
}

// pick makes rows of the columns xs and rows ys, black for the index -1.
func pick(in plane, xs, ys []int, done func(y int, row []uint8)) {
	out, free := buffer(3 * len(xs))
	defer free()
	for y, v := range ys {
		clear(out)
		if v >= 0 {
			from := in.pix[in.stride*v:][:in.stride]
			for x, u := range xs {
				if u >= 0 {
					copy(out[3*x:3*x+3], from[3*u:])
				}
			}
		}
		done(y, out)
	}
}

// lowBits are split off the taps, so that each part of one fits in 16 bits.
const lowBits = 11

// packed returns the columns of a as horizontal4 takes them: the byte where each
// begins, counted from the pixel origin, and the taps in groups of four, the upper parts before the lower ones.
func (a *axis) packed(origin int) (first []int32, taps []int16, groups int) {
	if !simd {
		return nil, nil, 0
	}
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

// cut copies src into dst, moved by x and y; what falls outside is lost.
func cut(dst, src *RGB, x, y int) {
	r := image.Rect(x, y, x+src.W, y+src.H).Intersect(image.Rect(0, 0, dst.W, dst.H))
	for v := r.Min.Y; v < r.Max.Y; v++ {
		copy(dst.Pix[3*(dst.W*v+r.Min.X):][:3*r.Dx()], src.Pix[3*(src.W*(v-y)+r.Min.X-x):])
	}
}
