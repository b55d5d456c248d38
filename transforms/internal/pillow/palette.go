package pillow

// fromPalette maps indices to colors.
func (p *Image) fromPalette(mode Mode) (*Image, error) {
	t := p.Palette.table()
	n := p.Mode.BytesPerPixel()
	if p.Mode == ModeP && mode == ModePA || p.Mode == ModePA && mode == ModeP {
		q := p.withMode(mode)
		q.Palette = p.Palette.rgb()
		m := mode.BytesPerPixel()
		for i := range p.W * p.H {
			q.Pix[m*i] = p.Pix[n*i]
			if mode == ModePA {
				q.Pix[m*i+1] = t[p.Pix[i]][3]
			}
		}
		return q, nil
	}
	// The palette is converted as a picture of its own is, and then looked up.
	colors := &Image{Mode: ModeRGBA, W: 256, H: 1, Pix: make([]uint8, 4*256)}
	for i, c := range t {
		copy(colors.Pix[4*i:], c[:])
	}
	var out *Image
	var err error
	alpha := 0 // where PA's own goes
	switch mode {
	case ModeRGBX, ModeRGBA:
		out, alpha = colors, 3
	case ModeLA:
		out, err = colors.direct(ModeLA)
		alpha = 1
	case Mode1:
		out = &Image{Mode: Mode1, W: 256, H: 1, Pix: make([]uint8, 256)}
		for i, c := range t {
			if luma1000(c[:]) >= 128000 {
				out.Pix[i] = 255
			}
		}
	case ModeL, ModeI, ModeF, ModeRGB, ModeCMYK, ModeYCbCr, ModeHSV:
		out, err = colors.direct(mode)
	default:
		err = errConversion
	}
	if err != nil {
		return nil, err
	}
	q := p.withMode(mode)
	m := mode.BytesPerPixel()
	Parallel(p.H, 4*p.W, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			from, to := p.row(y), q.row(y)
			for ; len(to) >= m && len(from) >= n; to, from = to[m:], from[n:] {
				c := out.Pix[m*int(from[0]):][:m]
				copy(to, c)
				if n == 2 && alpha > 0 {
					to[alpha] = from[1]
				}
			}
		}
	})
	return q, nil
}

// web is Pillow's palette of a cube of 6×6×6 colors, behind ten blacks.
var web = func() *Palette {
	p := &Palette{Mode: ModeRGB, Colors: make([]uint8, 30)}
	for b := 0; b < 256; b += 51 {
		for g := 0; g < 256; g += 51 {
			for r := 0; r < 256; r += 51 {
				p.Colors = append(p.Colors, uint8(r), uint8(g), uint8(b))
			}
		}
	}
	return p
}()

// grays is the palette of gray pictures.
var grays = func() *Palette {
	p := &Palette{Mode: ModeRGB}
	for i := range 256 {
		p.Colors = append(p.Colors, uint8(i), uint8(i), uint8(i))
	}
	return p
}()

// nearestWeb holds each level's place on a side of the cube. Pillow compares
// levels without their lowest two bits.
var nearestWeb = func() (t [256]int) {
	for i := range t {
		t[i] = (i&^3*2 + 51) / 102
	}
	return t
}()

// toPalette maps colors to the web palette with Floyd-Steinberg dithering, and grays to themselves.
func (p *Image) toPalette(mode Mode) (*Image, error) {
	switch p.Mode {
	case ModeL, ModeRGB, ModeRGBX, ModeRGBa:
	default:
		return nil, errConversion
	}
	q := p.withMode(mode)
	n, m := p.Mode.BytesPerPixel(), mode.BytesPerPixel()
	put := func(i int, v uint8) {
		q.Pix[m*i] = v
		if m == 2 {
			q.Pix[2*i+1] = 255
		}
	}
	if n == 1 {
		q.Palette = grays
		for i, v := range p.Pix[:p.W*p.H] {
			put(i, v)
		}
		return q, nil
	}
	q.Palette = web
	errors := make([]int, 3*(p.W+1))
	for y := range p.H {
		// Of each channel: the error handed on, and those of the row below.
		var v, below, corner [3]int
		row := p.row(y)
		for x := range p.W {
			index := 0
			for c, step := range [3]int{1, 6, 36} {
				v[c] = min(max(int(row[n*x+c])+(v[c]+errors[3*(x+1)+c])/16, 0), 255)
				index += step * nearestWeb[v[c]]
			}
			if index > 0 { // else black, which comes first in the palette
				index += 10
			}
			put(p.W*y+x, uint8(index))
			for c := range v {
				e := v[c] - int(web.Colors[3*index+c])
				errors[3*x+c] = 3*e + below[c]
				below[c], corner[c] = 5*e+corner[c], e
				v[c] = 7 * e
			}
		}
		// Pillow leaves blue's three errors where those of the three channels belong.
		errors[3*p.W], errors[3*p.W+1], errors[3*p.W+2] = below[2], corner[2], corner[2]
	}
	return q, nil
}

// toBilevel maps grays and colors to black and white with Floyd-Steinberg dithering.
func (p *Image) toBilevel() (*Image, error) {
	if p.Mode != ModeL && p.Mode != ModeRGB {
		return nil, errConversion
	}
	q := p.withMode(Mode1)
	errors := make([]int, p.W+1)
	for y := range p.H {
		var v, below, corner int
		from, to := p.row(y), q.row(y)
		for x := range to {
			var l int
			if p.Mode == ModeL {
				l = int(from[x])
			} else {
				l = luma1000(from[3*x:]) / 1000
			}
			v = min(max(l+(v+errors[x+1])/16, 0), 255)
			e := v
			if v > 128 {
				to[x] = 255
				e -= 255
			}
			errors[x] = 3*e + below
			below, corner = 5*e+corner, e
			v = 7 * e
		}
		errors[p.W] = below
	}
	return q, nil
}
