package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	"io"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A gifFrame is what a GIF's blocks say of its first picture.
type gifFrame struct {
	canvas      image.Point
	at          image.Rectangle
	palette     []uint8 // nil where the pixels are levels of grey
	transparent int     // -1 is none
}

var errNoFrame = errors.New("there is no picture in it")

func readGIFFrame(data []byte) (f gifFrame, err error) {
	f.transparent = -1
	const header = 13
	if len(data) < header {
		return f, io.ErrUnexpectedEOF
	}
	short := func(at int) int { return int(binary.LittleEndian.Uint16(data[at:])) }
	f.canvas = image.Pt(short(6), short(8))
	at := header
	table := func(flags uint8) ([]uint8, error) {
		if flags&0x80 == 0 {
			return f.palette, nil
		}
		n := 3 << (flags&7 + 1)
		if n > len(data)-at {
			return nil, io.ErrUnexpectedEOF
		}
		colours := data[at : at+n]
		at += n
		for i, v := range colours {
			if int(v) != i/3 {
				return colours, nil
			}
		}
		return nil, nil // greys in order; Pillow needs no palette for them
	}
	if f.palette, err = table(data[10]); err != nil {
		return f, err
	}
	for at < len(data) {
		switch data[at] {
		case ',':
			if len(data)-at < 10 {
				return f, io.ErrUnexpectedEOF
			}
			x, y := short(at+1), short(at+3)
			f.at = image.Rect(x, y, x+short(at+5), y+short(at+7))
			f.canvas.X, f.canvas.Y = max(f.canvas.X, f.at.Max.X), max(f.canvas.Y, f.at.Max.Y)
			flags := data[at+9]
			at += 10
			f.palette, err = table(flags)
			return f, err
		case '!':
			if len(data)-at < 3 {
				return f, io.ErrUnexpectedEOF
			}
			if data[at+1] == 0xf9 && data[at+2] >= 4 && len(data)-at >= 7 && data[at+3]&1 != 0 {
				f.transparent = int(data[at+6])
			}
			for at += 2; at < len(data) && data[at] != 0; at += 1 + int(data[at]) { // sub-blocks
			}
			at++
		case ';':
			return f, errNoFrame
		default:
			at++
		}
	}
	return f, io.ErrUnexpectedEOF
}

func gifSize(data []byte) (int, int, error) {
	f, err := readGIFFrame(data)
	return f.canvas.X, f.canvas.Y, err
}

// decodeGIF puts the first picture on the canvas, whose other pixels are
// transparent, or of colour 0 where nothing is.
func decodeGIF(data []byte, _ Options) (*pillow.Image, error) {
	f, err := readGIFFrame(data)
	if err != nil {
		return nil, err
	}
	if short := data[6:10]; !f.at.In(image.Rect(0, 0, int(binary.LittleEndian.Uint16(short)), int(binary.LittleEndian.Uint16(short[2:])))) {
		// The canvas grows with the picture, but the decoder does not know that.
		data = bytes.Clone(data)
		binary.LittleEndian.PutUint16(data[6:], uint16(min(f.canvas.X, 0xffff)))
		binary.LittleEndian.PutUint16(data[8:], uint16(min(f.canvas.Y, 0xffff)))
	}
	img, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	frame, ok := img.(*image.Paletted)
	if !ok {
		return nil, errNoFrame
	}
	mode := pillow.ModeP
	if f.palette == nil {
		mode = pillow.ModeL
	}
	p := pillow.New(mode, f.canvas.X, f.canvas.Y)
	if f.palette != nil {
		p.Palette = &pillow.Palette{Mode: pillow.ModeRGB, Colors: f.palette}
	}
	if f.transparent >= 0 {
		p.Transparency = []int{f.transparent}
		for i := range p.Pix {
			p.Pix[i] = uint8(f.transparent)
		}
	}
	part := frame.Rect.Intersect(p.Bounds())
	for y := part.Min.Y; y < part.Max.Y; y++ {
		copy(p.Pix[y*p.W+part.Min.X:][:part.Dx()], frame.Pix[frame.PixOffset(part.Min.X, y):])
	}
	return p, nil
}
