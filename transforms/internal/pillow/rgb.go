package pillow

import (
	"image"
	"image/color"
)

// An RGB is a picture of three bytes a pixel, red, green and blue, row by row
// without padding: what Pillow calls the mode RGB. It implements image.Image and
// is opaque.
type RGB struct {
	Pix  []uint8 // 3*W*H bytes
	W, H int     // in pixels
}

// NewRGB returns a black picture.
func NewRGB(w, h int) *RGB { return &RGB{Pix: make([]uint8, 3*w*h), W: w, H: h} }

// Image returns the picture as an [Image], which shares its pixels.
func (p *RGB) Image() *Image { return &Image{Mode: ModeRGB, W: p.W, H: p.H, Pix: p.Pix} }

// Crop returns the part r of the picture: img.crop(r). What lies outside the
// picture is black.
func (p *RGB) Crop(r image.Rectangle) *RGB {
	dst := NewRGB(r.Dx(), r.Dy())
	dst.Image().paste(p.Image(), -r.Min.X, -r.Min.Y)
	return dst
}

// ColorModel returns color.RGBAModel.
func (p *RGB) ColorModel() color.Model { return color.RGBAModel }

// Bounds returns the rectangle from (0, 0) to (W, H).
func (p *RGB) Bounds() image.Rectangle { return image.Rect(0, 0, p.W, p.H) }

// At returns the pixel in column x and row y, and black outside the picture.
func (p *RGB) At(x, y int) color.Color {
	if !image.Pt(x, y).In(p.Bounds()) {
		return color.RGBA{}
	}
	q := p.Pix[3*(p.W*y+x):][:3]
	return color.RGBA{q[0], q[1], q[2], 255}
}

// Opaque returns true.
func (p *RGB) Opaque() bool { return true }

// ToRGB returns the pixels of a picture as Pillow's convert("RGB") does. Alpha
// is dropped, not blended; premultiplied alpha is divided out first. Of 16 bits a
// channel the upper 8 count, but 16-bit grey above 255 is white, as in Pillow's
// mode I;16. A picture that is an *RGB already is returned itself.
func ToRGB(img image.Image) *RGB {
	if p, ok := img.(*RGB); ok {
		return p
	}
	b := img.Bounds()
	p := NewRGB(b.Dx(), b.Dy())
	row := rowOf(img)
	for y := range p.H {
		row(p.Pix[3*p.W*y:][:3*p.W], y)
	}
	return p
}

// rowOf returns what converts row y, counted from the top, to RGB.
func rowOf(img image.Image) func(to []uint8, y int) {
	b := img.Bounds()
	// each calls f with the pixels of row y, of n bytes each.
	each := func(pix []uint8, stride, n int, f func(to, from []uint8)) func([]uint8, int) {
		return func(to []uint8, y int) {
			from := pix[y*stride:]
			for ; len(to) > 0; to, from = to[3:], from[n:] {
				f(to[:3:3], from[:n:n])
			}
		}
	}
	switch m := img.(type) {
	case *image.Gray:
		return each(m.Pix, m.Stride, 1, func(to, from []uint8) { to[0], to[1], to[2] = from[0], from[0], from[0] })
	case *image.Gray16:
		return each(m.Pix, m.Stride, 2, func(to, from []uint8) {
			v := clip16(from)
			to[0], to[1], to[2] = v, v, v
		})
	case *image.NRGBA:
		return each(m.Pix, m.Stride, 4, func(to, from []uint8) { copy(to, from) })
	case *image.RGBA:
		return each(m.Pix, m.Stride, 4, func(to, from []uint8) {
			copy(to, from)
			if a := int(from[3]); a != 255 {
				for i := range to {
					to[i] = divided(int(from[i]), a)
				}
			}
		})
	case *image.NRGBA64:
		return each(m.Pix, m.Stride, 8, func(to, from []uint8) { to[0], to[1], to[2] = from[0], from[2], from[4] })
	case *image.RGBA64:
		return each(m.Pix, m.Stride, 8, func(to, from []uint8) {
			to[0], to[1], to[2] = from[0], from[2], from[4]
			if a := int(from[6]); a != 255 {
				for i := range to {
					to[i] = divided(int(from[2*i]), a)
				}
			}
		})
	case *image.CMYK:
		return each(m.Pix, m.Stride, 4, fromCMYK)
	case *image.Paletted:
		var table [256][3]uint8
		for i, c := range m.Palette[:min(256, len(m.Palette))] {
			n := color.NRGBAModel.Convert(c).(color.NRGBA)
			table[i] = [3]uint8{n.R, n.G, n.B}
		}
		return each(m.Pix, m.Stride, 1, func(to, from []uint8) { copy(to, table[from[0]][:]) })
	case *image.YCbCr:
		return func(to []uint8, y int) {
			for x := b.Min.X; x < b.Max.X; x++ {
				c := m.YCbCrAt(x, y+b.Min.Y)
				to[0], to[1], to[2] = color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
				to = to[3:]
			}
		}
	default:
		return func(to []uint8, y int) {
			for x := b.Min.X; x < b.Max.X; x++ {
				c := color.NRGBAModel.Convert(img.At(x, y+b.Min.Y)).(color.NRGBA)
				to[0], to[1], to[2] = c.R, c.G, c.B
				to = to[3:]
			}
		}
	}
}

// clip16 is Pillow's way from a big-endian I;16 to L.
func clip16(v []uint8) uint8 {
	if v[0] != 0 {
		return 255
	}
	return v[1]
}

// divided takes a premultiplied alpha out, as Pillow does for its mode RGBa.
func divided(v, a int) uint8 {
	if a == 0 {
		return uint8(v)
	}
	return uint8(min(v*255/a, 255))
}
