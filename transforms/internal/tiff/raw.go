package tiff

import (
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"slices"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A part is a strip or tile that is not compressed, of one plane or all.
type part struct {
	area   image.Rectangle
	plane  int
	stride int // bytes from a row to the next; 0 where they have no padding
	offset int
}

// decodeRaw reads pixels that are not compressed, as Pillow's decoder "raw" does. What no
// part covers is 0.
func (p *Page) decodeRaw(img *pillow.Image) error {
	parts, planes, err := p.parts()
	if err != nil {
		return err
	}
	samples := p.kind.samples
	unpackRow := p.kind.unpack
	*img = *newLike(img)
	if planes > 1 {
		samples = 1
	}
	n := img.Mode.BytesPerPixel()
	var whole []uint8 // the planes' pixels, each with all its samples
	size := p.kind.bits / 8
	if planes > 1 {
		whole = make([]uint8, planes*size*p.W*p.H)
	}
	// Pillow reads the parts in the order of the file.
	slices.SortStableFunc(parts, func(a, b part) int { return a.offset - b.offset })
	for _, t := range parts {
		bytes := (t.area.Dx()*samples*p.kind.bits + 7) / 8
		stride := max(t.stride, bytes)
		if t.stride != 0 && t.stride < bytes {
			return fmt.Errorf("its tiles have rows of %d bytes; want %d", t.stride, bytes)
		}
		if t.offset > len(p.file.data) || t.area.Dy() > 1 && stride > len(p.file.data) || (t.area.Dy()-1)*stride+bytes > len(p.file.data)-t.offset {
			return io.ErrUnexpectedEOF
		}
		src := p.file.data[t.offset:]
		for y := t.area.Min.Y; y < t.area.Max.Y; y++ {
			row := src[:bytes]
			if p.fill == 2 {
				row = reversed(row)
			}
			if planes == 1 {
				unpackRow(img.Pix[n*(y*p.W+t.area.Min.X):][:n*t.area.Dx()], row, p.order)
			} else {
				for x := range t.area.Dx() {
					copy(whole[((y*p.W+t.area.Min.X+x)*planes+t.plane)*size:][:size], row[x*size:])
				}
			}
			src = src[min(stride, len(src)):]
		}
	}
	if planes > 1 {
		unpackRow(img.Pix, whole, p.order)
	}
	return nil
}

// newLike returns the picture with pixels, which are 0.
func newLike(img *pillow.Image) *pillow.Image {
	out := pillow.New(img.Mode, img.W, img.H)
	out.Palette = img.Palette
	return out
}

// parts returns the strips or tiles of a picture in the order of their tag, and how many planes they make.
func (p *Page) parts() (parts []part, planes int, err error) {
	offsets, err := p.numbers(tagStripOffsets)
	if err != nil {
		return nil, 0, err
	}
	w, h := p.W, p.H
	if offsets != nil {
		h, err = p.number(tagRowsPerStrip, p.H)
	} else {
		if offsets, err = p.numbers(tagTileOffsets); err != nil {
			return nil, 0, err
		}
		if offsets == nil {
			return nil, 0, errors.New("it does not say where its pixels are")
		}
		if w, err = p.number(tagTileWidth, 0); err == nil {
			h, err = p.number(tagTileLength, 0)
		}
	}
	if err != nil {
		return nil, 0, err
	}
	if w < 1 || h < 1 || w > math.MaxUint32 || h > math.MaxUint32 || slices.Min(offsets) < 0 {
		return nil, 0, fmt.Errorf("its strips or tiles have %d×%d pixels and begin at %d", w, h, slices.Min(offsets))
	}
	planes = 1
	if p.planar == 2 {
		planes = p.kind.samples
	}
	if planes > 1 && p.kind.bits%8 != 0 {
		return nil, 0, fmt.Errorf("its %d planes have %d bits a pixel, which is not supported", planes, p.kind.bits)
	}
	if w == p.W && h == p.H && p.planar != 2 {
		offsets = offsets[len(offsets)-1:] // each is the whole picture
	}
	samples := p.kind.samples / planes
	x, y, plane, area := 0, 0, 0, 0
	for _, offset := range offsets {
		if p.planar == 2 && plane == planes {
			return nil, 0, fmt.Errorf("it has %d strips or tiles, more than its %d planes have", len(offsets), planes)
		}
		// Parts may cover each other. Each costs time, and all may be the same few bytes.
		if area > 1<<22 && area/4 > p.W*p.H*planes {
			return nil, 0, errors.New("its strips or tiles cover each other many times")
		}
		t := part{image.Rect(x, y, min(x+w, p.W), min(y+h, p.H)), plane, 0, offset}
		if x+w > p.W {
			t.stride = w * samples * p.kind.bits / 8
		}
		parts = append(parts, t)
		area += t.area.Dx()*t.area.Dy() + 16
		if x += w; x >= p.W {
			if x, y = 0, y+h; y >= p.H {
				y = 0
				plane++
			}
		}
	}
	return parts, planes, nil
}
