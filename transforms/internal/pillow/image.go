package pillow

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
)

// An Image is a picture of any of Pillow's modes. It implements image.Image, so
// that pictures of modes without a type of their own in Go can be passed on too.
type Image struct {
	Mode Mode
	W, H int     // in pixels
	Pix  []uint8 // the rows without padding; see the modes for a pixel's bytes

	// Palette has the colors of the modes P and PA; nil is one without colors.
	Palette *Palette

	// Transparency is what Pillow keeps as info["transparency"]: the one color
	// that is see-through. It has one number in the modes 1, L, I, I;16 and P (an
	// index), three in RGB. Nil if there is none. Convert acts on it.
	Transparency []int

	// Alphas is info["transparency"] if it is bytes: the alphas of the first colors of the palette.
	Alphas []uint8
}

// A Palette holds the colors of a picture of mode P or PA. An index from its
// length on is black. It is not to be changed once a picture has it.
type Palette struct {
	Mode   Mode    // RGB or RGBA: how many of Colors make one
	Colors []uint8 // at most 256 colors
}

// table returns the palette as 256 colors of four bytes, as Pillow keeps it.
func (p *Palette) table() *[256][4]uint8 {
	t := new([256][4]uint8)
	for i := range t {
		t[i][3] = 255
	}
	if p == nil {
		return t
	}
	n := p.Mode.Bands()
	for i := range min(len(p.Colors)/n, 256) {
		copy(t[i][:n], p.Colors[n*i:])
	}
	return t
}

// rgb returns the palette without its alphas: img.getpalette(), put back.
func (p *Palette) rgb() *Palette {
	if p == nil || p.Mode == ModeRGB {
		return p
	}
	q := &Palette{Mode: ModeRGB}
	for i := 0; i+4 <= len(p.Colors); i += 4 {
		q.Colors = append(q.Colors, p.Colors[i:i+3]...)
	}
	return q
}

// with returns a palette of mode RGB that has the color, and its place.
func (p *Palette) with(c []uint8) (*Palette, int) {
	for i := 0; i+3 <= len(p.Colors); i += 3 {
		if slices.Equal(p.Colors[i:i+3], c) {
			return p, i / 3
		}
	}
	return &Palette{Mode: ModeRGB, Colors: slices.Concat(p.Colors, c)}, len(p.Colors) / 3
}

// maxPixels bounds the pictures that are made here; more would not fit in memory.
const maxPixels = 1 << 30

// maxSide bounds the sides that a resize computes the filters of.
const maxSide = 1 << 26

// New returns a picture of zeros: Image.new(mode, (w, h)). It panics where the
// mode is unknown, a side is negative or there are more than 2³⁰ pixels.
func New(mode Mode, w, h int) *Image {
	if mode.Bands() == 0 {
		panic(fmt.Sprintf("pillow: no mode is called %q", mode))
	}
	if err := checkSize(w, h); err != nil {
		panic("pillow: " + err.Error())
	}
	return &Image{Mode: mode, W: w, H: h, Pix: make([]uint8, w*h*mode.BytesPerPixel())}
}

// checkSize returns an error where a picture of w×h pixels cannot be made.
func checkSize(w, h int) error {
	switch {
	case w < 0 || h < 0:
		return fmt.Errorf("a picture of %d×%d pixels cannot be; want sides of 0 or more", w, h)
	case h > 0 && w > maxPixels/h:
		return fmt.Errorf("a picture of %d×%d pixels would not fit in memory; want %d pixels at most", w, h, maxPixels)
	}
	return nil
}

// like returns a picture of zeros with p's mode and, as Pillow's _new, all that is not pixels.
func (p *Image) like(w, h int) *Image {
	q := *p
	q.W, q.H = w, h
	q.Pix = make([]uint8, w*h*p.Mode.BytesPerPixel())
	return &q
}

// withMode is like for another mode and the same size.
func (p *Image) withMode(m Mode) *Image {
	q := &Image{Mode: m, W: p.W, H: p.H, Pix: make([]uint8, p.W*p.H*m.BytesPerPixel()), Transparency: p.Transparency, Alphas: p.Alphas}
	if m == ModeP || m == ModePA {
		q.Palette = p.Palette
	}
	return q
}

// Check returns an error where the picture is not one: an unknown mode, a
// negative side, a palette of another mode, too few bytes. The
// functions of this package check the pictures they are given.
func (p *Image) Check() error {
	if p.Mode.Bands() == 0 {
		return fmt.Errorf("no mode is called %q", p.Mode)
	}
	if err := checkSize(p.W, p.H); err != nil {
		return err
	}
	if want := p.W * p.H * p.Mode.BytesPerPixel(); len(p.Pix) < want {
		return fmt.Errorf("the picture's Pix holds %d bytes; want %d", len(p.Pix), want)
	}
	if p.Palette != nil && p.Palette.Mode != ModeRGB && p.Palette.Mode != ModeRGBA {
		return fmt.Errorf("the palette's mode is %q; want RGB or RGBA", p.Palette.Mode)
	}
	if n := len(p.Transparency); p.Transparency != nil && n != 1 && n != 3 || len(p.Alphas) > 256 {
		return fmt.Errorf("the transparency has %d numbers or %d alphas; want 1 or 3, or 256 at most", n, len(p.Alphas))
	}
	return nil
}

// only returns an error unless p is a sound picture of one of the modes.
func (p *Image) only(modes ...Mode) error {
	if err := p.Check(); err != nil {
		return err
	}
	if slices.Contains(modes, p.Mode) {
		return nil
	}
	text := string(modes[0])
	for i, m := range modes[1:] {
		if i == len(modes)-2 {
			text += " or " + string(m)
		} else {
			text += ", " + string(m)
		}
	}
	return fmt.Errorf("the mode %s is not supported; want %s", p.Mode, text)
}

// row returns the bytes of row y.
func (p *Image) row(y int) []uint8 {
	n := p.W * p.Mode.BytesPerPixel()
	return p.Pix[n*y:][:n:n]
}

// Copy returns a copy that shares no pixels: img.copy().
func (p *Image) Copy() *Image {
	q := *p
	q.Pix = slices.Clone(p.Pix)
	return &q
}

// Int32s returns the pixels of the mode I.
func (p *Image) Int32s() []int32 {
	out := make([]int32, p.W*p.H)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(p.Pix[4*i:]))
	}
	return out
}

// Float32s returns the pixels of the mode F.
func (p *Image) Float32s() []float32 {
	out := make([]float32, p.W*p.H)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(p.Pix[4*i:]))
	}
	return out
}

// Uint16s returns the pixels of the mode I;16.
func (p *Image) Uint16s() []uint16 {
	out := make([]uint16, p.W*p.H)
	for i := range out {
		out[i] = binary.LittleEndian.Uint16(p.Pix[2*i:])
	}
	return out
}

// FromInt32s returns a picture of mode I.
func FromInt32s(v []int32, w, h int) *Image {
	p := New(ModeI, w, h)
	for i, x := range v[:w*h] {
		binary.LittleEndian.PutUint32(p.Pix[4*i:], uint32(x))
	}
	return p
}

// FromFloat32s returns a picture of mode F.
func FromFloat32s(v []float32, w, h int) *Image {
	p := New(ModeF, w, h)
	for i, x := range v[:w*h] {
		binary.LittleEndian.PutUint32(p.Pix[4*i:], math.Float32bits(x))
	}
	return p
}

// FromUint16s returns a picture of mode I;16.
func FromUint16s(v []uint16, w, h int) *Image {
	p := New(ModeI16, w, h)
	for i, x := range v[:w*h] {
		binary.LittleEndian.PutUint16(p.Pix[2*i:], x)
	}
	return p
}

// Bounds returns the rectangle from (0, 0) to (W, H).
func (p *Image) Bounds() image.Rectangle { return image.Rect(0, 0, p.W, p.H) }

// ColorModel returns the model of the colors that At returns.
func (p *Image) ColorModel() color.Model {
	switch p.Mode {
	case ModeI16:
		return color.Gray16Model
	case Mode1, ModeL, ModeI, ModeF:
		return color.GrayModel
	case ModeCMYK:
		return color.CMYKModel
	}
	return color.NRGBAModel
}

// At returns the pixel in column x and row y as Pillow converts it, and nothing,
// transparent, outside the picture. The modes I and F are gray, cut off at 0 and 255.
func (p *Image) At(x, y int) color.Color {
	if !image.Pt(x, y).In(p.Bounds()) {
		return p.ColorModel().Convert(color.NRGBA{})
	}
	n := p.Mode.BytesPerPixel()
	one := *p
	one.W, one.H, one.Pix = 1, 1, p.Pix[n*(p.W*y+x):][:n]
	switch p.Mode {
	case ModeI16:
		return color.Gray16{Y: binary.LittleEndian.Uint16(one.Pix)}
	case ModeCMYK:
		return color.CMYK{C: one.Pix[0], M: one.Pix[1], Y: one.Pix[2], K: one.Pix[3]}
	case ModeLa:
		return color.NRGBAModel.Convert(color.RGBA{R: one.Pix[0], G: one.Pix[0], B: one.Pix[0], A: one.Pix[1]})
	case Mode1, ModeL, ModeI, ModeF:
		one.Transparency = nil
		q, _ := one.Convert(ModeL)
		return color.Gray{Y: q.Pix[0]}
	}
	q, err := one.Convert(ModeRGBA)
	if err != nil {
		return color.NRGBA{}
	}
	return color.NRGBA{R: q.Pix[0], G: q.Pix[1], B: q.Pix[2], A: q.Pix[3]}
}

// Opaque reports whether the mode has no alpha and no color is see-through.
func (p *Image) Opaque() bool {
	switch p.Mode {
	case ModeLA, ModeLa, ModePA, ModeRGBA, ModeRGBa:
		return false
	}
	return p.Transparency == nil && p.Alphas == nil && (p.Palette == nil || p.Palette.Mode == ModeRGB)
}

func (p *Image) String() string {
	return fmt.Sprintf("picture of %d×%d pixels, mode %s", p.W, p.H, p.Mode)
}
