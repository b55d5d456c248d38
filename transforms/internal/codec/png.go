package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

var pngSize = sizeBy(png.DecodeConfig)

// A pngHeader is what of a PNG the decoder of the standard library does not tell.
type pngHeader struct {
	depth, colours uint8
	palette, tRNS  []uint8
}

// The kinds of colours.
const (
	pngGrey, pngRGB, pngPalette, pngGreyAlpha, pngRGBA = 0, 2, 3, 4, 6
)

func readPNGHeader(data []byte) (h pngHeader) {
	for d := data[8:]; len(d) >= 12; {
		n := int(binary.BigEndian.Uint32(d))
		if n > len(d)-12 {
			break
		}
		switch body := d[8 : 8+n]; string(d[4:8]) {
		case "IHDR":
			if n >= 10 {
				h.depth, h.colours = body[8], body[9]
			}
		case "PLTE":
			h.palette = body
		case "tRNS":
			h.tRNS = body
		case "IDAT":
			return h
		}
		d = d[12+n:]
	}
	return h
}

func decodePNG(data []byte, _ Options) (*pillow.Image, error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	h := readPNGHeader(data)
	b := img.Bounds()
	var p *pillow.Image
	// pick takes bytes of each pixel, which are the upper halves of 16-bit numbers.
	pick := func(mode pillow.Mode, offsets ...int) error {
		pix, stride, n := raw(img)
		if pix == nil {
			return fmt.Errorf("its pixels are %T", img)
		}
		if h.depth == 16 && mode != pillow.ModeI16 {
			for i := range offsets {
				offsets[i] *= 2
			}
		}
		p = bands(mode, b.Dx(), b.Dy(), pix, stride, n, offsets...)
		return nil
	}
	switch {
	case h.colours == pngGrey && h.depth == 1:
		err = pick(pillow.Mode1, 0)
	case h.colours == pngGrey && h.depth == 16:
		err = pick(pillow.ModeI16, 1, 0)
	case h.colours == pngGrey:
		err = pick(pillow.ModeL, 0)
	case h.colours == pngRGB:
		err = pick(pillow.ModeRGB, 0, 1, 2)
	case h.colours == pngPalette:
		if err = pick(pillow.ModeP, 0); err == nil {
			p.Palette = &pillow.Palette{Mode: pillow.ModeRGB, Colors: h.palette[:len(h.palette)/3*3]}
		}
	case h.colours == pngGreyAlpha && h.depth == 8:
		err = pick(pillow.ModeLA, 0, 3)
	default: // grey of 16 bits too
		err = pick(pillow.ModeRGBA, 0, 1, 2, 3)
	}
	if err == nil && h.tRNS != nil {
		err = seeThrough(p, h.tRNS)
	}
	return p, err
}

// raw returns the bytes of a picture, and how many a row and a pixel have.
func raw(img image.Image) (pix []uint8, stride, n int) {
	switch m := img.(type) {
	case *image.Gray:
		return m.Pix, m.Stride, 1
	case *image.Gray16:
		return m.Pix, m.Stride, 2
	case *image.Paletted:
		return m.Pix, m.Stride, 1
	case *image.RGBA:
		return m.Pix, m.Stride, 4
	case *image.NRGBA:
		return m.Pix, m.Stride, 4
	case *image.RGBA64:
		return m.Pix, m.Stride, 8
	case *image.NRGBA64:
		return m.Pix, m.Stride, 8
	}
	return nil, 0, 0
}

// seeThrough sets the picture's transparency from a chunk tRNS.
func seeThrough(p *pillow.Image, t []uint8) error {
	n := 1
	switch p.Mode {
	case pillow.ModeP:
		opaque := bytes.Count(t, []byte{255})
		if at := bytes.IndexByte(t, 0); at >= 0 && opaque == len(t)-1 {
			p.Transparency = []int{at} // one colour, and all of it
		} else {
			p.Alphas = t
		}
		return nil
	case pillow.ModeRGB:
		n = 3
	case pillow.Mode1, pillow.ModeL, pillow.ModeI16:
	default:
		return nil
	}
	if len(t) < 2*n {
		return errors.New("its transparent colour is cut off")
	}
	for i := range n {
		p.Transparency = append(p.Transparency, int(binary.BigEndian.Uint16(t[2*i:])))
	}
	if p.Mode == pillow.Mode1 && p.Transparency[0] != 0 {
		p.Transparency[0] = 255
	}
	return nil
}
