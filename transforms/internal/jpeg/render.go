package jpeg

import "image"

// A pair is two blocks beside each other, since the kernels transform two at once: eight rows of 2×8
// coefficients. A block of it is the array from its first coefficient on, of which it has every
// second eight.
const pairSize = 128 + 8 // so that it includes the array of the second block

// A plane holds the samples of a component's last two rows of MCUs.
type plane struct {
	buf          []uint8
	stride, rows int
	size         int // samples in a row and a column of a block: 8, and less of pictures decoded smaller
	x0, x1       int // the columns of blocks that it has, both even
	y0, y1       int // the requested rows of blocks
}

// margin is the number of bytes before and after a plane's samples, and rows of other buffers
// that kernels read in steps.
const margin = 64

// row returns samples from x on.
func (p *plane) row(x, y int) []uint8 { return p.buf[margin+y%p.rows*p.stride+x-p.size*p.x0:] }

// A renderer makes pixels of coefficients.
type renderer struct {
	*decoder
	pix    []uint8
	w, h   int
	size   int // pixels in a row of a block at full resolution: 8, or less in pictures decoded smaller
	region image.Rectangle
	y      int // the next row of pixels
	behind int // rows of pixels that need the next row of MCUs
	up     []upsampling
	lines  [][]uint8 // a row of samples of each component, if it had to be upsampled
	mix    func(dst []uint8, rows [][]uint8)
}

// An upsampling brings a component to the picture's size.
type upsampling struct {
	*component
	w, h   int  // in samples
	fx, fy int  // how much coarser it is
	fancy  bool // interpolates, and does not repeat
	x0, x1 int  // the samples of a row that are needed
}

// needs returns the samples [a, b) of n in a row or column from which pixels are
// computed.
func (u *upsampling) needs(p0, p1, f, n int) (a, b int) {
	return max(p0/f-1, 0), min((p1-1)/f+2, n)
}

// newRenderer makes a renderer of the part region of a picture of w×h, at size/8 of
// its size.
func newRenderer(d *decoder, pix []uint8, w, h, size int, region image.Rectangle) (*renderer, error) {
	r := &renderer{decoder: d, pix: pix, w: w, h: h, size: size, region: region, y: region.Min.Y}
	for _, c := range d.comps {
		// Coarse components are decoded less small, and need no upsampling then.
		p := plane{size: size}
		for p.size < 8 && d.maxH*size%(c.h*p.size*2) == 0 && d.maxV*size%(c.v*p.size*2) == 0 {
			p.size *= 2
		}
		u := upsampling{component: c, fx: d.maxH * size / (c.h * p.size), fy: d.maxV * size / (c.v * p.size)}
		if u.fx*c.h*p.size != d.maxH*size || u.fy*c.v*p.size != d.maxV*size {
			return nil, unsupported("a component is subsampled by %d/%d×%d/%d", d.maxH, c.h, d.maxV, c.v)
		}
		u.w, u.h = ceil(d.W*c.h*p.size, 8*d.maxH), ceil(d.H*c.v*p.size, 8*d.maxV)
		switch {
		case size == 1 || d.components:
		case u.fx == 1 && u.fy == 2:
			u.fancy = true
		case u.fx == 2 && u.fy <= 2:
			u.fancy = u.w > 2
		}
		if u.fancy && u.fy == 2 {
			r.behind = 2
		}
		u.x0, u.x1 = u.needs(region.Min.X, region.Max.X, u.fx, u.w)
		y0, y1 := u.needs(region.Min.Y, region.Max.Y, u.fy, u.h)
		p.x0, p.x1, p.y0, p.y1 = u.x0/p.size&^1, (ceil(u.x1, p.size)+1)&^1, y0/p.size, ceil(y1, p.size)
		p.rows, p.stride = 2*p.size*c.v, p.size*(p.x1-p.x0)
		p.buf = make([]uint8, p.rows*p.stride+2*margin)
		c.plane = p
		r.up = append(r.up, u)
		var line []uint8
		if u.fx > 1 || u.fy > 1 {
			line = make([]uint8, u.fx*(u.x1-u.x0)+2*margin)
		}
		r.lines = append(r.lines, line)
	}
	switch {
	case d.Channels == 1:
		r.mix = func(dst []uint8, rows [][]uint8) { copy(dst, rows[0]) }
	case d.components:
		r.mix = interleave
	case d.Channels == 3 && d.ycc():
		r.mix = func(dst []uint8, rows [][]uint8) { yccToRGB(dst, rows[0], rows[1], rows[2]) }
	case d.Channels == 4 && d.ycck():
		r.mix = yccKToCMYK
	default:
		r.mix = interleave
	}
	return r, nil
}

// ycc reports whether three components are brightness and color.
func (d *decoder) ycc() bool {
	switch {
	case d.jfif:
		return true
	case d.adobe >= 0:
		return d.adobe != 0
	}
	return !(d.comps[0].id == 'R' && d.comps[1].id == 'G' && d.comps[2].id == 'B')
}

// ycck reports whether four components are brightness, color and black.
func (d *decoder) ycck() bool { return d.adobe > 0 }

// wanted reports whether a block's samples are needed.
func (p *plane) wanted(x, y int) bool { return x >= p.x0 && x < p.x1 && y >= p.y0 && y < p.y1 }

// transform makes the samples of a pair of blocks, the first of which is block x, and
// clears its coefficients. Without ac they have none but DC.
func (c *component) transform(x, y int, pair []int16, ac bool) {
	p := &c.plane
	dst := p.row(p.size*x, p.size*y)
	switch {
	case p.size < 8:
		reduce(dst, p.stride, p.size, (*[128]int16)(pair), &c.quant)
	case ac:
		idct(dst, p.stride, (*[128]int16)(pair), &c.quant)
	default:
		flat(dst, p.stride, c.quant[0], pair)
	}
}

// rows makes the pixels that row my of the MCUs completes.
func (r *renderer) rows(my int) {
	ready := r.h
	if my < r.mh-1 {
		ready = min(r.size*r.maxV*(my+1)-r.behind, r.h)
	}
	var parts [4][]uint8
	for ; r.y < min(ready, r.region.Max.Y); r.y++ {
		for i := range r.up {
			parts[i] = r.up[i].line(r.region.Min.X, r.y, r.lines[i])
		}
		at := r.Channels * (r.y*r.w + r.region.Min.X)
		r.mix(r.pix[at:at+r.Channels*r.region.Dx()], parts[:len(r.up)])
	}
}

// line returns a row of samples at the picture's size, from x on. It may lie in buf.
func (u *upsampling) line(x, y int, buf []uint8) []uint8 {
	row := y / u.fy
	src := u.plane.row(u.x0, row)
	n := u.x1 - u.x0
	if u.fx == 1 && u.fy == 1 {
		return src[x-u.x0:]
	}
	switch {
	case u.fancy && u.fy == 1:
		double(buf, src, n)
	case u.fancy:
		near, odd := row-1, y%2
		if odd == 1 {
			near = row + 1
		}
		near = min(max(near, 0), u.h-1)
		if u.fx == 1 {
			between(buf[:n], src, u.plane.row(u.x0, near), 1+odd)
		} else {
			doubleBetween(buf, src, u.plane.row(u.x0, near), n)
		}
	default:
		repeat(buf, src[:n], u.fx)
	}
	return buf[x-u.fx*u.x0:]
}

// coefficients makes the picture of the coefficients that are there.
func (r *renderer) coefficients() {
	smooth := r.smooth()
	var estimated [pairSize]int16
	for my := range r.mh {
		for _, c := range r.comps {
			p := &c.plane
			for y := my * c.v; y < (my+1)*c.v; y++ {
				if y < p.y0 || y >= p.y1 {
					continue
				}
				for x := p.x0; x < p.x1; x += 2 {
					pair := c.pair(x, y)
					if smooth {
						copy(estimated[:], pair)
						pair = estimated[:]
						for i := x; i < min(x+2, c.bw); i++ {
							r.estimate(c, i, y, (*[128]int16)(pair[i%2*8:]))
						}
					}
					c.transform(x, y, pair, true)
				}
			}
		}
		r.rows(my)
	}
}

// stream makes the picture of one scan, whose data are taken, while it is read.
func (r *renderer) stream(s *scan) {
	if r.region != image.Rect(0, 0, r.w, r.h) {
		for _, c := range s.comps {
			c.acTable.prepareSkips()
		}
	}
	for my := range r.mh {
		if r.y >= r.region.Max.Y {
			s.skip(r.mw * (r.mh - my))
			return
		}
		for mx := range r.mw {
			ok := s.mcu()
			for _, c := range s.comps {
				for v := range c.v {
					y := my*c.v + v
					for h := range c.h {
						x := mx*c.h + h
						wanted := c.plane.wanted(x, y)
						pair := &c.pairs[v]
						if ok {
							c.dc += s.r.dc(c.dcTable)
							switch {
							case !wanted:
								s.r.skip(c.acTable)
							case s.r.ac(c.acTable, (*[128]int16)(pair[x%2*8:])):
								c.full[v] = true
							}
						}
						if !wanted {
							continue
						}
						if ok {
							pair[x%2*8] = int16(c.dc)
						}
						if x%2 == 1 || x == c.pw-1 {
							c.transform(x&^1, y, pair[:], c.full[v])
							c.full[v] = false
						}
					}
				}
			}
			if ok {
				s.check()
			}
		}
		r.rows(my)
	}
}
