package pillow

import (
	"image"
	"image/color"
)

// From returns a picture of the standard library, or of any type, as Pillow's.
//
//	*Image          itself
//	*RGB            RGB
//	*image.Gray     L
//	*image.Gray16   I;16
//	*image.Paletted P, its palette RGB, or RGBA where a color is not opaque
//	*image.CMYK     CMYK
//	*image.NRGBA    RGBA
//	*image.YCbCr    RGB, with the numbers of image/color
//	all others      RGBA; RGB where the picture says that it is opaque
//
// The premultiplied alpha of *image.RGBA is divided out. An *image.RGBA that is
// opaque, which is what image/png makes of a PNG without alpha, is RGB. Of 16
// bits a channel the upper 8 count. Rectangles that do not start at (0, 0) and
// rows with padding are fine; if there is neither, the pixels may be shared.
func From(img image.Image) *Image {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	// packed returns the bytes of n a pixel, rows without padding.
	packed := func(pix []uint8, stride, n int) []uint8 {
		if stride == n*w && len(pix) >= n*w*h {
			return pix[: n*w*h : n*w*h]
		}
		out := make([]uint8, n*w*h)
		for y := range h {
			copy(out[n*w*y:][:n*w], pix[stride*y:])
		}
		return out
	}
	switch m := img.(type) {
	case *Image:
		return m
	case *RGB:
		return m.Image()
	case *image.Gray:
		return &Image{Mode: ModeL, W: w, H: h, Pix: packed(m.Pix, m.Stride, 1)}
	case *image.Gray16:
		p := &Image{Mode: ModeI16, W: w, H: h, Pix: make([]uint8, 2*w*h)}
		for y := range h {
			from, to := m.Pix[m.Stride*y:], p.row(y)
			for i := 0; i < len(to); i += 2 {
				to[i], to[i+1] = from[i+1], from[i]
			}
		}
		return p
	case *image.Paletted:
		return &Image{Mode: ModeP, W: w, H: h, Pix: packed(m.Pix, m.Stride, 1), Palette: paletteOf(m.Palette)}
	case *image.CMYK:
		return &Image{Mode: ModeCMYK, W: w, H: h, Pix: packed(m.Pix, m.Stride, 4)}
	case *image.NRGBA:
		return &Image{Mode: ModeRGBA, W: w, H: h, Pix: packed(m.Pix, m.Stride, 4)}
	case *image.YCbCr:
		return opaqueRGB(m).Image()
	}
	if opaque(img) {
		return opaqueRGB(img).Image()
	}
	p := New(ModeRGBA, w, h)
	switch m := img.(type) {
	case *image.RGBA:
		for y := range h {
			from, to := m.Pix[m.Stride*y:], p.row(y)
			for i := 0; i < len(to); i += 4 {
				unmultiply(to[i:i+4], from[i:i+4])
			}
		}
	case *image.NRGBA64:
		for y := range h {
			from, to := m.Pix[m.Stride*y:], p.row(y)
			for i := range to {
				to[i] = from[2*i]
			}
		}
	default:
		for y := range h {
			to := p.row(y)
			for x := range w {
				c := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
				to[4*x], to[4*x+1], to[4*x+2], to[4*x+3] = c.R, c.G, c.B, c.A
			}
		}
	}
	return p
}

func paletteOf(colors color.Palette) *Palette {
	p := &Palette{Mode: ModeRGB}
	var rgba []uint8
	for _, c := range colors[:min(len(colors), 256)] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		if n.A != 255 {
			p.Mode = ModeRGBA
		}
		p.Colors = append(p.Colors, n.R, n.G, n.B)
		rgba = append(rgba, n.R, n.G, n.B, n.A)
	}
	if p.Mode == ModeRGBA {
		p.Colors = rgba
	}
	return p
}

// Go returns the picture as the type of the standard library that holds its mode
// without loss: L as *image.Gray, RGB as [*RGB], RGBA as *image.NRGBA, CMYK as
// *image.CMYK, I;16 as *image.Gray16, and P as *image.Paletted, with as many
// black colors added as the pixels need. Other modes, and pictures with
// Transparency or Alphas, are returned as they are. Pixels are shared where they can be.
func (p *Image) Go() image.Image {
	if p.Transparency != nil || p.Alphas != nil {
		return p
	}
	r := p.Bounds()
	switch p.Mode {
	case ModeL:
		return &image.Gray{Pix: p.Pix, Stride: p.W, Rect: r}
	case ModeRGB:
		return &RGB{Pix: p.Pix, W: p.W, H: p.H}
	case ModeRGBA:
		return &image.NRGBA{Pix: p.Pix, Stride: 4 * p.W, Rect: r}
	case ModeCMYK:
		return &image.CMYK{Pix: p.Pix, Stride: 4 * p.W, Rect: r}
	case ModeI16:
		g := image.NewGray16(r)
		for i := 0; i+1 < len(g.Pix); i += 2 {
			g.Pix[i], g.Pix[i+1] = p.Pix[i+1], p.Pix[i]
		}
		return g
	case ModeP:
		n := 0
		if p.Palette != nil {
			n = len(p.Palette.Colors) / p.Palette.Mode.Bands()
		}
		for _, v := range p.Pix {
			n = max(n, int(v)+1)
		}
		t := p.Palette.table()
		colors := make(color.Palette, n)
		for i := range colors {
			colors[i] = color.NRGBA{t[i][0], t[i][1], t[i][2], t[i][3]}
		}
		return &image.Paletted{Pix: p.Pix, Stride: p.W, Rect: r, Palette: colors}
	}
	return p
}

// unmultiply takes a pixel's premultiplied alpha out, as Pillow does from RGBa to RGBA.
func unmultiply(to, from []uint8) {
	a := int(from[3])
	to[3] = from[3]
	if a == 255 || a == 0 {
		copy(to[:3], from)
		return
	}
	for i := range 3 {
		to[i] = uint8(min(int(from[i])*255/a, 255))
	}
}
