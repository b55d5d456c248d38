package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"slices"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A pngFile reads a PNG chunk by chunk as Pillow's plugin does: it is strict
// about what comes before the pixels, checksums included, and lenient about the rest. Checksums
// of the chunks with pixels and of the chunks after them are not verified.
type pngFile struct {
	data []byte
	at   int // the next chunk

	w, h         int
	layout       pngLayout
	interlaced   bool
	palette      []uint8
	colors       []uint8 // the palette that the pixels have
	transparency []int
	alphas       []uint8
	meta         metadata
	texts        int // bytes of text
	inflated     int // bytes of text and color profiles that were decompressed

	// The first chunk with pixels, and their place on the canvas.
	tile    pngChunk
	hasTile bool
	loaded  bool // the first pixels are decoded
	box     image.Rectangle

	animation pngAnimation
	count     int // of frames
}

// A pngChunk is a chunk's kind, and where its content is.
type pngChunk struct {
	kind    string
	at, len int
}

// A pngLayout is the representation of pixels in a PNG, and the mode in which Pillow
// reads them.
type pngLayout struct {
	depth, colors uint8
	mode          pillow.Mode
	bits          int // of a pixel
}

// The kinds of colors.
const (
	pngGray, pngRGB, pngPalette, pngGrayAlpha, pngRGBA = 0, 2, 3, 4, 6
)

// pngLayouts lists all layouts. Samples of 16 bits are reduced to 8, except for gray.
var pngLayouts = []pngLayout{
	{1, pngGray, pillow.Mode1, 1}, {2, pngGray, pillow.ModeL, 2}, {4, pngGray, pillow.ModeL, 4}, {8, pngGray, pillow.ModeL, 8}, {16, pngGray, pillow.ModeI16, 16},
	{8, pngRGB, pillow.ModeRGB, 24}, {16, pngRGB, pillow.ModeRGB, 48},
	{1, pngPalette, pillow.ModeP, 1}, {2, pngPalette, pillow.ModeP, 2}, {4, pngPalette, pillow.ModeP, 4}, {8, pngPalette, pillow.ModeP, 8},
	{8, pngGrayAlpha, pillow.ModeLA, 16}, {16, pngGrayAlpha, pillow.ModeRGBA, 32},
	{8, pngRGBA, pillow.ModeRGBA, 32}, {16, pngRGBA, pillow.ModeRGBA, 64},
}

// pngSize returns the size in the header, which is all that is checked of it.
func pngSize(data []byte) (w, h int, err error) {
	f := &pngFile{data: data, at: 8}
	c, err := f.next()
	if err != nil {
		return 0, 0, err
	}
	if c.kind != "IHDR" { // odd files are read to their header
		f, err = openPNG(data)
		return f.w, f.h, err
	}
	body, err := f.body(c)
	if err == nil {
		err = f.header(body)
	}
	return f.w, f.h, err
}

func decodePNG(data []byte, o Options) (*pillow.Image, error) {
	f, err := openPNG(data)
	if err == nil {
		err = fits(f.w, f.h, o) // there may be a second header
	}
	if err != nil {
		return nil, err
	}
	p := pillow.New(f.layout.mode, f.w, f.h)
	if err := f.load(p); err != nil {
		return nil, err
	}
	f.describe(p)
	return p, nil
}

// openPNG reads the chunks up to the first one with pixels.
func openPNG(data []byte) (*pngFile, error) {
	f := &pngFile{data: data, at: 8, animation: pngAnimation{sequence: -1}}
	for !f.hasTile {
		c, err := f.next()
		if err != nil {
			return f, err
		}
		if c.kind == "IEND" {
			return f, fmt.Errorf("it has no pixels, or none behind a header that is read: %d bits, colors of kind %d", f.layout.depth, f.layout.colors)
		}
		if err := f.handle(c); err != nil {
			return f, err
		}
		if !f.hasTile {
			end := c.at + c.len
			if end+4 > len(data) {
				return f, io.ErrUnexpectedEOF
			}
			if crc32.ChecksumIEEE(data[c.at-4:end]) != binary.BigEndian.Uint32(data[end:]) {
				return f, fmt.Errorf("the checksum of its chunk %s is wrong", c.kind)
			}
			f.at = end + 4
		}
	}
	if f.layout.mode == pillow.ModeP && len(f.palette)/3 > 256 {
		return f, fmt.Errorf("its palette has %d colors; want 256 at most", len(f.palette)/3)
	}
	f.colors = f.palette // a palette after the pixels is ignored
	f.count = max(f.animation.frames, 1)
	if f.animation.frames > 0 && f.animation.defaultImage {
		f.count++
	}
	return f, nil
}

// next reads the beginning of the next chunk.
func (f *pngFile) next() (c pngChunk, err error) {
	if f.at+8 > len(f.data) {
		return c, io.ErrUnexpectedEOF
	}
	c = pngChunk{string(f.data[f.at+4 : f.at+8]), f.at + 8, int(binary.BigEndian.Uint32(f.data[f.at:]))}
	for _, b := range []byte(c.kind) {
		if !(b == '_' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z') {
			return c, fmt.Errorf("a chunk is called %q", c.kind)
		}
	}
	return c, nil
}

// body returns the contents of a chunk.
func (f *pngFile) body(c pngChunk) ([]byte, error) {
	if c.len > len(f.data)-c.at {
		return nil, io.ErrUnexpectedEOF
	}
	return f.data[c.at : c.at+c.len], nil
}

// pngLeast holds the minimum lengths of chunks.
var pngLeast = map[string]int{"IHDR": 13, "gAMA": 4, "cHRM": 32, "sRGB": 1, "pHYs": 9, "acTL": 8, "fcTL": 26, "fdAT": 4}

// handle processes a chunk.
func (f *pngFile) handle(c pngChunk) error {
	switch c.kind {
	case "IDAT":
		f.pixels(c)
		if f.hasTile {
			return nil // Otherwise the chunk is handled like one of an unknown kind.
		}
	case "fdAT":
		c, err := f.animation.data(f, c)
		if err == nil {
			f.pixels(c)
		}
		return err
	}
	body, err := f.body(c)
	if err != nil {
		return err
	}
	if len(body) < pngLeast[c.kind] {
		return fmt.Errorf("its chunk %s has %d bytes; want %d or more", c.kind, len(body), pngLeast[c.kind])
	}
	switch c.kind {
	case "IHDR":
		return f.header(body)
	case "PLTE":
		if f.layout.mode == pillow.ModeP {
			f.palette = body
		}
	case "tRNS":
		return f.transparent(body)
	case "iCCP":
		return f.profile(body)
	case "eXIf":
		f.meta.exif = slices.Concat(exifHeader, body)
	case "tEXt", "zTXt", "iTXt":
		return f.text(c.kind, body)
	case "acTL":
		f.animation.control(body)
	case "fcTL":
		return f.animation.frame(f, body)
	}
	return nil
}

func (f *pngFile) header(body []byte) error {
	if len(body) < pngLeast["IHDR"] {
		return fmt.Errorf("its header has %d bytes", len(body))
	}
	f.w, f.h = int(binary.BigEndian.Uint32(body)), int(binary.BigEndian.Uint32(body[4:]))
	for _, l := range pngLayouts {
		if l.depth == body[8] && l.colors == body[9] {
			f.layout = l
		}
	}
	if f.layout.mode == "" {
		f.layout.depth, f.layout.colors = body[8], body[9]
	}
	f.interlaced = f.interlaced || body[12] != 0
	if body[11] != 0 {
		return fmt.Errorf("its filters are of the kind %d", body[11])
	}
	return nil
}

// transparent reads the transparent color, or the alphas of the palette.
func (f *pngFile) transparent(t []byte) error {
	n := 1
	switch f.layout.mode {
	case pillow.ModeP:
		// A single fully transparent color is stored by its index. Pillow's regular expression ignores a final newline.
		line := bytes.TrimSuffix(t, []byte("\n"))
		if at := bytes.IndexByte(line, 0); at >= 0 && bytes.Count(line, []byte{255}) == len(line)-1 {
			f.transparency, f.alphas = []int{at}, nil
		} else {
			f.transparency, f.alphas = nil, t
		}
		return nil
	case pillow.ModeRGB:
		n = 3
	case pillow.Mode1, pillow.ModeL, pillow.ModeI16:
	default:
		return nil
	}
	if len(t) < 2*n {
		return errors.New("its transparent color is cut off")
	}
	f.transparency, f.alphas = nil, nil
	for i := range n {
		f.transparency = append(f.transparency, int(binary.BigEndian.Uint16(t[2*i:])))
	}
	if f.layout.mode == pillow.Mode1 && f.transparency[0] != 0 {
		f.transparency[0] = 255
	}
	return nil
}

// pixels records that the pixels begin in chunk c.
func (f *pngFile) pixels(c pngChunk) {
	f.tile, f.hasTile = c, f.layout.mode != "" // pixels before the header are ignored
	f.box = image.Rect(0, 0, f.w, f.h)
	if a := &f.animation; a.hasBox {
		f.box = a.box
	} else if a.frames > 0 {
		a.defaultImage = true // these pixels belong to no frame
	}
}

// describe sets the picture's transparency and palette.
func (f *pngFile) describe(p *pillow.Image) {
	p.Transparency, p.Alphas = f.transparency, f.alphas
	if p.Mode == pillow.ModeP && f.colors != nil {
		p.Palette = &pillow.Palette{Mode: pillow.ModeRGB, Colors: f.colors[:len(f.colors)/3*3]}
	}
}

// load decodes the pixels into p, and reads the chunks that follow them.
func (f *pngFile) load(p *pillow.Image) error {
	last, err := f.decode(p)
	if err != nil {
		return err
	}
	f.loaded = true
	return f.finish(last)
}

// finish reads the chunks after last, up to the end of the file or the next frame of an animation.
func (f *pngFile) finish(last pngChunk) error {
	first := f.tile
	for f.at = last.at + last.len + 4; ; {
		c, err := f.next()
		if err != nil {
			f.at = len(f.data) // Pillow ignores damage here.
			return nil
		}
		if c.kind == "IEND" {
			f.at = c.at + first.len + 4 // Pillow skips as many bytes before it looks for a missing frame
			return nil
		}
		if c.kind == "fcTL" && f.count > 1 {
			return nil
		}
		if err := f.handle(c); err != nil {
			return err
		}
		if c.len > len(f.data)-c.at {
			return io.ErrUnexpectedEOF
		}
		f.at = c.at + c.len + 4
	}
}
