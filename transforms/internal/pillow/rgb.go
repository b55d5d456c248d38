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

// Crop returns the part r of the picture: img.crop(r). Pixels outside of the
// picture are black.
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
// channel the upper 8 count, but 16-bit gray above 255 is white, as in Pillow's
// mode I;16. A picture that is an *RGB already is returned itself.
func ToRGB(img image.Image) *RGB {
	if p, ok := img.(*RGB); ok {
		return p
	}
	switch img.(type) {
	case *Image, *image.Gray, *image.Gray16, *image.Paletted, *image.CMYK, *image.NRGBA:
	default:
		if opaque(img) {
			return opaqueRGB(img)
		}
	}
	q, err := From(img).Convert(ModeRGB)
	if err != nil { // a mode that Pillow does not convert either
		return opaqueRGB(img)
	}
	return &RGB{Pix: q.Pix, W: q.W, H: q.H}
}

// opaque reports whether the picture's Opaque method returns true.
func opaque(img image.Image) bool {
	o, ok := img.(interface{ Opaque() bool })
	return ok && o.Opaque()
}

// opaqueRGB returns the pixels of a picture without alpha.
func opaqueRGB(img image.Image) *RGB {
	b := img.Bounds()
	p := NewRGB(b.Dx(), b.Dy())
	var row func(to []uint8, y int)
	switch m := img.(type) {
	case *image.RGBA:
		row = func(to []uint8, y int) {
			for from := m.Pix[y*m.Stride:]; len(to) >= 3; to, from = to[3:], from[4:] {
				to[0], to[1], to[2] = from[0], from[1], from[2]
			}
		}
	case *image.RGBA64:
		row = upperBytes(m.Pix, m.Stride)
	case *image.NRGBA64:
		row = upperBytes(m.Pix, m.Stride)
	case *image.YCbCr:
		row = func(to []uint8, y int) {
			for x := b.Min.X; x < b.Max.X; x++ {
				c := m.YCbCrAt(x, y+b.Min.Y)
				to[0], to[1], to[2] = color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
				to = to[3:]
			}
		}
	default:
		row = func(to []uint8, y int) {
			for x := b.Min.X; x < b.Max.X; x++ {
				c := color.NRGBAModel.Convert(img.At(x, y+b.Min.Y)).(color.NRGBA)
				to[0], to[1], to[2] = c.R, c.G, c.B
				to = to[3:]
			}
		}
	}
	for y := range p.H {
		row(p.Pix[3*p.W*y:][:3*p.W], y)
	}
	return p
}

func upperBytes(pix []uint8, stride int) func(to []uint8, y int) {
	return func(to []uint8, y int) {
		for from := pix[y*stride:]; len(to) >= 3; to, from = to[3:], from[8:] {
			to[0], to[1], to[2] = from[0], from[2], from[4]
		}
	}
}
