package transforms

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

// ToRGB returns the pixels of a picture as Pillow's convert("RGB") does: alpha is
// dropped, not blended. A picture that is an *RGB already is returned itself.
func ToRGB(img image.Image) *RGB {
	if p, ok := img.(*RGB); ok {
		return p
	}
	b := img.Bounds()
	p := &RGB{Pix: make([]uint8, 3*b.Dx()*b.Dy()), W: b.Dx(), H: b.Dy()}
	q := p.Pix
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			q[0], q[1], q[2] = c.R, c.G, c.B
			q = q[3:]
		}
	}
	return p
}
