package pillow

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A Warp is the way in which [Image.Transform] finds the source of a pixel.
type Warp int

// The warps, and their numbers.
const (
	Affine      Warp = iota // (a, b, c, d, e, f): (x, y) comes from (a x + b y + c, d x + e y + f)
	Perspective             // two more, (g, h): both divided by g x + h y + 1
)

// Transform returns a picture of w×h pixels, whose sources the warp defines:
// img.transform((w, h), warp, data, how, fillcolor=fill). Pixels with a source outside of
// the picture get the fill, see [Image.Pad]. The interpolation is Nearest, Bilinear or
// Bicubic; the modes 1 and P always take Nearest, and in the modes LA and RGBA the others
// compute, and fill, with premultiplied alpha. In the mode I;16 they compute nonsense, the
// same as in Pillow.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.transform
func (p *Image) Transform(w, h int, warp Warp, data []float64, how Interpolation, fill []float64) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	want := 6
	switch warp {
	case Affine:
	case Perspective:
		want = 8
	default:
		return nil, fmt.Errorf("no warp has the number %d", warp)
	}
	if len(data) != want {
		return nil, fmt.Errorf("there are %d numbers; want %d", len(data), want)
	}
	switch how {
	case Nearest, Bilinear, Bicubic:
	default:
		return nil, fmt.Errorf("the interpolation %q cannot be used here; want nearest, bilinear or bicubic", how)
	}
	if err := checkSize(w, h); err != nil {
		return nil, err
	}
	if flat := premultiplied[p.Mode]; flat != "" && how != Nearest {
		if _, err := p.Mode.ink(fill); err != nil {
			return nil, err
		}
		q, err := p.Convert(flat)
		if err != nil {
			return nil, err
		}
		if q, err = q.Transform(w, h, warp, data, how, fill); err != nil {
			return nil, err
		}
		return q.Convert(p.Mode)
	}
	if p.Mode == Mode1 || p.Mode == ModeP {
		how = Nearest
	}
	ink, err := p.Mode.ink(fill)
	if err != nil {
		return nil, err
	}
	q := p.like(w, h)
	q.flood(ink)
	if p.W > 0 && p.H > 0 && w > 0 && h > 0 {
		q.warp(p, warp, data, how)
	}
	return q, nil
}

// premultiplied holds the modes that are resized and warped in another.
var premultiplied = map[Mode]Mode{ModeLA: ModeLa, ModeRGBA: ModeRGBa}

func (q *Image) warp(p *Image, warp Warp, a []float64, how Interpolation) {
	n := p.Mode.BytesPerPixel()
	if warp == Affine && how == Nearest && p.Mode.kind() != ints16 {
		switch {
		case a[1] == 0 && a[3] == 0:
			q.pick(p, steps(a[2]+float64(a[0]*0.5), a[0], 0, q.W, p.W), steps(a[5]+float64(a[4]*0.5), a[4], 0, q.H, p.H))
		case fitsFixed(a, 0, 0) && fitsFixed(a, q.W, q.H) && fitsFixed(a, 0, q.H) && fitsFixed(a, q.W, 0):
			q.warpFixed(p, a)
		default:
			q.warpSteps(p, a)
		}
		return
	}
	s := newSampler(p)
	cost := map[Interpolation]int{Nearest: 8, Bilinear: 20 * n, Bicubic: 80 * n}[how]
	Parallel(q.H, q.W*cost, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			row := q.row(y)
			yin := float64(y) + 0.5
			for x := range q.W {
				xin := float64(x) + 0.5
				u := float64(a[0]*xin) + float64(a[1]*yin) + a[2]
				v := float64(a[3]*xin) + float64(a[4]*yin) + a[5]
				if warp == Perspective {
					d := float64(a[6]*xin) + float64(a[7]*yin) + 1
					u, v = u/d, v/d
				}
				// NaN is outside too.
				if !(u >= 0 && u < float64(p.W) && v >= 0 && v < float64(p.H)) {
					continue
				}
				to := row[n*x : n*x+n : n*x+n]
				switch how {
				case Nearest:
					copy(to, p.Pix[n*(int(v)*p.W+int(u)):][:n])
				case Bilinear:
					s.bilinear(to, u, v)
				default:
					s.bicubic(to, u, v)
				}
			}
		}
	})
}

// steps returns the pixels at at+i*step of in, for i from lo to hi, or -1 where
// there are none. Pillow adds up the steps, and their rounding errors.
func steps(at, step float64, lo, hi, in int) []int {
	index := make([]int, hi-lo)
	for i := range hi {
		if i >= lo {
			index[i-lo] = -1
			if at >= 0 && at < float64(in) {
				index[i-lo] = int(at)
			}
		}
		at += step
	}
	return index
}

// pick copies the pixels of the columns xs and rows ys of src, none for the index -1.
func (q *Image) pick(src *Image, xs, ys []int) {
	n := src.Mode.BytesPerPixel()
	Parallel(q.H, q.W*n, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			if ys[y] < 0 {
				continue
			}
			from, to := src.row(ys[y]), q.row(y)
			switch n {
			case 1:
				for x, u := range xs {
					if u >= 0 {
						to[x] = from[u]
					}
				}
			case 3:
				for x, u := range xs {
					if u >= 0 {
						f, t := from[3*u:][:3], to[3*x:][:3]
						t[0], t[1], t[2] = f[0], f[1], f[2]
					}
				}
			default:
				for x, u := range xs {
					if u >= 0 {
						copy(to[n*x:n*x+n], from[n*u:])
					}
				}
			}
		}
	})
}

// fitsFixed reports whether the source of (x, y) can be represented in fixed
// point.
func fitsFixed(a []float64, x, y int) bool {
	at := func(a []float64) float64 {
		return math.Abs(float64(float64(x)*a[0]) + float64(float64(y)*a[1]) + a[2])
	}
	return at(a) < 32768 && at(a[3:]) < 32768
}

// warpFixed is Pillow's affine warp to the nearest pixel in 16.16 fixed point.
func (q *Image) warpFixed(p *Image, a []float64) {
	fix := func(v float64) int32 { return toInt32(math.Floor(float64(v*65536) + 0.5)) }
	dxx, dxy := fix(a[0]), fix(a[1])
	dyx, dyy := fix(a[3]), fix(a[4])
	x0 := fix(a[2] + float64(a[0]*0.5) + float64(a[1]*0.5))
	y0 := fix(a[5] + float64(a[3]*0.5) + float64(a[4]*0.5))
	n := p.Mode.BytesPerPixel()
	w, h := uint32(p.W), uint32(p.H)
	Parallel(q.H, 4*q.W, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			// Sums of 32 bits may wrap around, as in Pillow.
			xx, yy := x0+int32(y)*dxy, y0+int32(y)*dyy
			row := q.row(y)
			for x := range q.W {
				u, v := xx>>16, yy>>16
				xx += dxx
				yy += dyx
				if uint32(u) >= w || uint32(v) >= h {
					continue
				}
				at := n * (int(v)*p.W + int(u))
				switch n {
				case 1:
					row[x] = p.Pix[at]
				case 3:
					from, to := p.Pix[at:at+3:at+3], row[3*x:3*x+3:3*x+3]
					to[0], to[1], to[2] = from[0], from[1], from[2]
				default:
					copy(row[n*x:n*x+n], p.Pix[at:])
				}
			}
		}
	})
}

// warpSteps is the same for sources too far away for fixed point.
func (q *Image) warpSteps(p *Image, a []float64) {
	n := p.Mode.BytesPerPixel()
	xo := a[2] + float64(a[1]*0.5) + float64(a[0]*0.5)
	yo := a[5] + float64(a[4]*0.5) + float64(a[3]*0.5)
	w, h := float64(p.W), float64(p.H)
	for y := range q.H {
		xx, yy := xo, yo
		row := q.row(y)
		for x := range q.W {
			if xx >= 0 && xx < w && yy >= 0 && yy < h {
				copy(row[n*x:n*x+n], p.Pix[n*(int(yy)*p.W+int(xx)):])
			}
			xx += a[0]
			yy += a[3]
		}
		xo += a[1]
		yo += a[4]
	}
}

// A sampler reads between pixels.
type sampler struct {
	pix          []uint8
	w, h         int
	kind         kind
	step, stride int // bytes from pixel to pixel and from row to row
	n            int // bytes to write
}

func newSampler(p *Image) *sampler {
	n := p.Mode.BytesPerPixel()
	s := &sampler{p.Pix, p.W, p.H, p.Mode.kind(), n, n * p.W, n}
	if p.Mode == ModeI16 {
		// Pillow takes the rows for bytes here, as many as there are pixels, and
		// writes the lower byte of a pixel.
		s.kind, s.step, s.n = bytes8, 1, 1
	}
	return s
}

// split returns the integer and the fractional part of a sample's position, which is -0.5 or
// more.
func split(v float64) (int, float64) {
	i := int(v)
	if v < 0 {
		i = -1
	}
	return i, v - float64(i)
}

// clamp keeps a column or row inside the picture.
func clamp(i, n int) int { return min(max(i, 0), n-1) }

// lerp is a + (b-a)*d, without a fused multiply-add.
func lerp(a, b, d float64) float64 { return a + float64((b-a)*d) }

// cubic is Pillow's interpolation between b and c, in its order of operations.
func cubic(a, b, c, d, at float64) float64 {
	return polynomial(b, -a+c, float64(2*(a-b))+c-d, -a+b-c+d, at)
}

func polynomial(p1, p2, p3, p4, at float64) float64 {
	return p1 + float64(at*(p2+float64(at*(p3+float64(at*p4)))))
}

func (s *sampler) int32At(i int) int32     { return int32(binary.LittleEndian.Uint32(s.pix[i:])) }
func (s *sampler) float32At(i int) float32 { return getFloat(s.pix[i:]) }

func (s *sampler) bilinear(to []uint8, u, v float64) {
	x, dx := split(u - 0.5)
	y, dy := split(v - 0.5)
	x0, x1 := s.step*clamp(x, s.w), s.step*clamp(x+1, s.w)
	top, bottom := s.stride*clamp(y, s.h), s.stride*clamp(y+1, s.h)
	// Differences of neighbors in a row are of the mode's own type.
	switch s.kind {
	case ints32:
		row := func(at int) float64 {
			a, b := s.int32At(at+x0), s.int32At(at+x1)
			return float64(a) + float64(float64(b-a)*dx)
		}
		binary.LittleEndian.PutUint32(to, uint32(toInt32(lerp(row(top), row(bottom), dy))))
		return
	case floats32:
		row := func(at int) float64 {
			a, b := s.float32At(at+x0), s.float32At(at+x1)
			return float64(a) + float64(float64(b-a)*dx)
		}
		putFloat(to, float32(lerp(row(top), row(bottom), dy)))
		return
	}
	if s.step == 3 {
		a, b := (*[3]uint8)(s.pix[top+x0:]), (*[3]uint8)(s.pix[top+x1:])
		c, d := (*[3]uint8)(s.pix[bottom+x0:]), (*[3]uint8)(s.pix[bottom+x1:])
		to := (*[3]uint8)(to)
		for i := range to {
			v1 := float64(a[i]) + float64(float64(int32(b[i])-int32(a[i]))*dx)
			v2 := float64(c[i]) + float64(float64(int32(d[i])-int32(c[i]))*dx)
			to[i] = uint8(int32(lerp(v1, v2, dy)))
		}
		return
	}
	n := s.n
	a, b := s.pix[top+x0:][:n], s.pix[top+x1:][:n]
	c, d := s.pix[bottom+x0:][:n], s.pix[bottom+x1:][:n]
	to = to[:n]
	for i := range to {
		v1 := lerp(float64(a[i]), float64(b[i]), dx)
		v2 := lerp(float64(c[i]), float64(d[i]), dx)
		to[i] = uint8(int32(lerp(v1, v2, dy)))
	}
}

func (s *sampler) bicubic(to []uint8, u, v float64) {
	x, dx := split(u - 0.5)
	y, dy := split(v - 0.5)
	var xs, ys [4]int
	for i := range xs {
		xs[i] = s.step * clamp(x-1+i, s.w)
		ys[i] = s.stride * clamp(y-1+i, s.h)
	}
	var rows [4]float64
	switch s.kind {
	case ints32:
		for i, at := range ys {
			a, b, c, d := s.int32At(at+xs[0]), s.int32At(at+xs[1]), s.int32At(at+xs[2]), s.int32At(at+xs[3])
			rows[i] = polynomial(float64(b), float64(-a+c), float64(2*(a-b)+c-d), float64(-a+b-c+d), dx)
		}
		binary.LittleEndian.PutUint32(to, uint32(toInt32(cubic(rows[0], rows[1], rows[2], rows[3], dy))))
		return
	case floats32:
		for i, at := range ys {
			a, b, c, d := s.float32At(at+xs[0]), s.float32At(at+xs[1]), s.float32At(at+xs[2]), s.float32At(at+xs[3])
			rows[i] = polynomial(float64(b), float64(-a+c), float64(float32(2*(a-b))+c-d), float64(-a+b-c+d), dx)
		}
		putFloat(to, float32(cubic(rows[0], rows[1], rows[2], rows[3], dy)))
		return
	}
	n := s.n
	// Inside the picture the four pixels of a row are adjacent.
	if s.step == 3 && x >= 1 && x+2 < s.w {
		var r [4]*[12]uint8
		for i, at := range ys {
			r[i] = (*[12]uint8)(s.pix[at+xs[0]:])
		}
		for c := range 3 {
			v1 := cubicBytes(r[0][c], r[0][c+3], r[0][c+6], r[0][c+9], dx)
			v2 := cubicBytes(r[1][c], r[1][c+3], r[1][c+6], r[1][c+9], dx)
			v3 := cubicBytes(r[2][c], r[2][c+3], r[2][c+6], r[2][c+9], dx)
			v4 := cubicBytes(r[3][c], r[3][c+3], r[3][c+6], r[3][c+9], dx)
			to[c] = byteOf(cubic(v1, v2, v3, v4, dy))
		}
		return
	}
	for c := range to[:n] {
		for i, at := range ys {
			pix := s.pix[at+c:]
			rows[i] = cubicBytes(pix[xs[0]], pix[xs[1]], pix[xs[2]], pix[xs[3]], dx)
		}
		to[c] = byteOf(cubic(rows[0], rows[1], rows[2], rows[3], dy))
	}
}

// cubicBytes is cubic for bytes, whose differences are exact.
func cubicBytes(a, b, c, d uint8, at float64) float64 {
	v1, v2, v3, v4 := int32(a), int32(b), int32(c), int32(d)
	return polynomial(float64(v2), float64(v3-v1), float64(2*(v1-v2)+v3-v4), float64(v2-v1-v3+v4), at)
}

// byteOf cuts off a number to a byte.
func byteOf(v float64) uint8 {
	switch {
	case v >= 255:
		return 255
	case v > 0:
		return uint8(int32(v))
	}
	return 0
}

// RotateOptions are the options of [Image.Rotate]. The zero value is torchvision's default.
type RotateOptions struct {
	Interpolation Interpolation // "" is Nearest
	Expand        bool          // make the result large enough for the whole picture
	Center        *[2]float64   // x and y of the point that stays; nil is the middle
	Fill          []float64     // see Image.Pad
}

// Rotate turns the picture counterclockwise by an angle in degrees: img.rotate.
// Quarter turns about the middle keep every pixel where the size allows.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.rotate
func (p *Image) Rotate(angle float64, o RotateOptions) (*Image, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if math.IsNaN(angle) || math.IsInf(angle, 0) {
		return nil, fmt.Errorf("the angle is %v; want a number of degrees", angle)
	}
	if o.Interpolation == "" {
		o.Interpolation = Nearest
	}
	if _, err := p.Mode.ink(o.Fill); err != nil { // quarter turns do not look at it
		return nil, err
	}
	// Python's remainder, which has the sign of the divisor.
	if angle = math.Mod(angle, 360); angle < 0 {
		angle += 360
	}
	if o.Center == nil {
		switch {
		case angle == 0:
			return p, nil
		case angle == 180:
			return p.Transpose(Rotate180)
		case (o.Expand || p.W == p.H) && angle == 90:
			return p.Transpose(Rotate90)
		case (o.Expand || p.W == p.H) && angle == 270:
			return p.Transpose(Rotate270)
		}
	}
	w, h := p.W, p.H
	cx, cy := float64(w)/2, float64(h)/2
	if o.Center != nil {
		cx, cy = o.Center[0], o.Center[1]
	}
	sin, cos := sincos(-angle * (math.Pi / 180))
	m := []float64{round15(cos), round15(sin), 0, round15(-sin), round15(cos), 0}
	apply := func(x, y float64) (float64, float64) {
		return float64(m[0]*x) + float64(m[1]*y) + m[2], float64(m[3]*x) + float64(m[4]*y) + m[5]
	}
	m[2], m[5] = apply(-cx, -cy)
	m[2] += cx
	m[5] += cy
	if o.Expand {
		var left, top, right, bottom float64
		for i, c := range [][2]float64{{0, 0}, {float64(w), 0}, {float64(w), float64(h)}, {0, float64(h)}} {
			x, y := apply(c[0], c[1])
			if i == 0 {
				left, top, right, bottom = x, y, x, y
			}
			left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
		}
		nw, nh := math.Ceil(right)-math.Floor(left), math.Ceil(bottom)-math.Floor(top)
		if !(nw <= maxPixels && nh <= maxPixels) {
			return nil, fmt.Errorf("the picture would have %v×%v pixels", nw, nh)
		}
		m[2], m[5] = apply(-(nw-float64(w))/2, -(nh-float64(h))/2)
		w, h = int(nw), int(nh)
	}
	return p.Transform(w, h, Affine, m, o.Interpolation, o.Fill)
}
