package draw

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// A Font writes labels. It may be used by any number of goroutines at once.
type Font struct {
	mu   sync.Mutex // a face keeps a buffer
	face font.Face
}

// DefaultFont returns the font of labels that name none: Go Regular, 10 pixels high.
func DefaultFont() *Font { return defaultFont() }

var defaultFont = sync.OnceValue(func() *Font {
	f, err := newFont(goregular.TTF, 10)
	if err != nil {
		panic(err) // it is part of this program
	}
	return f
})

// OpenFont reads a TrueType or OpenType font from a file and scales it to a size
// in pixels: ImageFont.truetype(path, size).
func OpenFont(path string, size float64) (*Font, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("draw: open a font: %w", err)
	}
	f, err := newFont(data, size)
	if err != nil {
		return nil, fmt.Errorf("draw: open the font %s: %w", path, err)
	}
	return f, nil
}

func newFont(data []byte, size float64) (*Font, error) {
	const largest = 10000
	if !(0 < size && size <= largest) {
		return nil, fmt.Errorf("the size is %v; want more than 0 and at most %d", size, largest)
	}
	parsed, err := opentype.Parse(data)
	if err != nil {
		return nil, err
	}
	const pixels = 72 // points an inch, so that a point is a pixel
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: pixels, Hinting: font.HintingFull})
	if err != nil {
		return nil, err
	}
	return &Font{face: face}, nil
}

// lines calls f with each line of a text and the place of its baseline's
// beginning; at is the top left corner.
func (f *Font) lines(at point, text string, draw func(line string, dot fixed.Point26_6)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.face.Metrics()
	dot := fixed.P(at.x, at.y)
	dot.Y += m.Ascent
	for line := range strings.SplitSeq(text, "\n") {
		draw(line, dot)
		dot.Y += m.Height
	}
}

// bounds returns the pixels that a text covers.
func (f *Font) bounds(at point, text string) image.Rectangle {
	var r image.Rectangle
	f.lines(at, text, func(line string, dot fixed.Point26_6) {
		b, _ := font.BoundString(f.face, line)
		b = b.Add(dot)
		r = r.Union(image.Rect(b.Min.X.Floor(), b.Min.Y.Floor(), b.Max.X.Ceil(), b.Max.Y.Ceil()))
	})
	return r
}

// write draws a text whose top left corner is at a place.
func (f *Font) write(c *canvas, at point, text string, ink color.NRGBA) {
	r := f.bounds(at, text).Intersect(image.Rect(0, 0, c.w, c.h))
	if r.Empty() {
		return
	}
	mask := image.NewAlpha(r)
	f.lines(at, text, func(line string, dot fixed.Point26_6) {
		d := font.Drawer{Dst: mask, Src: image.Opaque, Face: f.face, Dot: dot}
		d.DrawString(line)
	})
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x, a := range mask.Pix[mask.PixOffset(r.Min.X, y):][:r.Dx()] {
			if a > 0 {
				c.mix(c.pix[3*(y*c.w+r.Min.X+x):][:3], ink, a)
			}
		}
	}
}
