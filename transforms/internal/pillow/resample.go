package pillow

import "image"

// Resample returns the part r of src resized to w×h, without computing the rest:
// src.resize((w, h), how).crop(r) in Pillow 13, to the last bit. r must lie
// within w×h and not be empty.
func Resample(src *RGB, w, h int, how Interpolation, r image.Rectangle) *RGB {
	if how == Nearest {
		return pick(src, nearest(src.W, w, r.Min.X, r.Max.X), nearest(src.H, h, r.Min.Y, r.Max.Y))
	}
	f := filters[how]
	cols := newAxis(src.W, w, r.Min.X, r.Max.X, f)
	rows := newAxis(src.H, h, r.Min.Y, r.Max.Y, f)
	left, right := cols.span()
	top, bottom := rows.span()
	// Pillow rounds to bytes between the passes, so their order shows. Since 13.0
	// the vertical one comes first where it shrinks the picture by much more.
	if h < src.H && src.H-h > 2*(src.W-w) {
		return horizontal(vertical(src, rows, 0, left, right), cols, left, 0, r.Dy())
	}
	return vertical(horizontal(src, cols, 0, top, bottom), rows, top, 0, r.Dx())
}

// half is what rounds a sum of taps.
const half = 1 << (precision - 1)

// clip returns the pixel of a sum of taps.
func clip(sum int32) uint8 {
	return uint8(min(max(sum>>precision, 0), 255))
}

// horizontal returns the rows top to bottom of src with a's columns, counted from origin.
func horizontal(src *RGB, a *axis, origin, top, bottom int) *RGB {
	dst := NewRGB(len(a.first), bottom-top)
	if a.same {
		cut(dst, src, -(a.first[0] - origin), -top)
		return dst
	}
	Parallel(dst.H, dst.W*a.size, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			in := src.Pix[3*src.W*(top+y):][:3*src.W]
			out := dst.Pix[3*dst.W*y:][:3*dst.W]
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
	})
	return dst
}

// vertical returns the columns left to right of src with a's rows, counted from origin.
func vertical(src *RGB, a *axis, origin, left, right int) *RGB {
	dst := NewRGB(right-left, len(a.first))
	if a.same {
		cut(dst, src, -left, -(a.first[0] - origin))
		return dst
	}
	Parallel(dst.H, dst.W*a.size, func(lo, hi int) {
		sums := make([]int32, 3*dst.W)
		for y := lo; y < hi; y++ {
			for i := range sums {
				sums[i] = half
			}
			for j, k := range a.taps[y*a.size:][:a.count[y]] {
				in := src.Pix[3*(src.W*(a.first[y]-origin+j)+left):][:len(sums)]
				for i, v := range in {
					sums[i] += k * int32(v)
				}
			}
			out := dst.Pix[3*dst.W*y:][:len(sums)]
			for i, v := range sums {
				out[i] = clip(v)
			}
		}
	})
	return dst
}

// pick returns the pixels of the columns xs and rows ys, black for the index -1.
func pick(src *RGB, xs, ys []int) *RGB {
	dst := NewRGB(len(xs), len(ys))
	for y, v := range ys {
		if v < 0 {
			continue
		}
		in := src.Pix[3*src.W*v:][:3*src.W]
		out := dst.Pix[3*dst.W*y:][:3*dst.W]
		for x, u := range xs {
			if u >= 0 {
				copy(out[3*x:3*x+3], in[3*u:])
			}
		}
	}
	return dst
}

// cut copies src into dst, moved by x and y; what falls outside is lost.
func cut(dst, src *RGB, x, y int) {
	r := image.Rect(x, y, x+src.W, y+src.H).Intersect(image.Rect(0, 0, dst.W, dst.H))
	for v := r.Min.Y; v < r.Max.Y; v++ {
		copy(dst.Pix[3*(dst.W*v+r.Min.X):][:3*r.Dx()], src.Pix[3*(src.W*(v-y)+r.Min.X-x):])
	}
}
