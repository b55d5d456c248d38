package codec

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A bmpHeader is the header of a BMP of any of its versions.
type bmpHeader struct {
	w, h        int
	upsideDown  bool // the first row is the lowest
	bits        int
	compression uint32
	layout      string  // of the bytes of a pixel of 24 or 32 bits; "15" and "16" are numbers of 16
	palette     []uint8 // blue, green, red and, where entry is 4, nothing
	entry       int
	colors      int
	at          int // where the pixels begin
}

// The ways of compression.
const (
	bmpRaw, bmpRLE8, bmpRLE4, bmpMasks = 0, 1, 2, 3
)

// bmpLayouts are the masks of red, green, blue and alpha that Pillow knows.
var bmpLayouts = map[int]map[[4]uint32]string{
	32: {
		{0xff0000, 0xff00, 0xff, 0}:          "BGRX",
		{0xff000000, 0xff0000, 0xff00, 0}:    "XBGR",
		{0xff000000, 0xff00, 0xff, 0}:        "BGXR",
		{0xff000000, 0xff0000, 0xff00, 0xff}: "ABGR",
		{0xff, 0xff00, 0xff0000, 0xff000000}: "RGBA",
		{0xff0000, 0xff00, 0xff, 0xff000000}: "BGRA",
		{0xff000000, 0xff00, 0xff, 0xff0000}: "BGAR",
		{0, 0, 0, 0}:                         "BGRA",
	},
	24: {{0xff0000, 0xff00, 0xff}: "BGR"},
	16: {{0xf800, 0x7e0, 0x1f}: "16", {0x7c00, 0x3e0, 0x1f}: "15"},
}

// bmpSizes are the sizes of the headers of all versions.
var bmpSizes = []int{12, 40, 52, 56, 64, 108, 124}

// isDIB reports whether a file is a BMP without the header of the file.
func isDIB(data []byte) bool {
	return len(data) >= 4 && slices.Contains(bmpSizes, int(binary.LittleEndian.Uint32(data)))
}

func readBMPHeader(data []byte) (bmpHeader, error) {
	const file = 14
	switch {
	case isDIB(data):
		return readDIBHeader(data, 0, 0)
	case len(data) < file:
		return bmpHeader{}, io.ErrUnexpectedEOF
	}
	return readDIBHeader(data, file, int(binary.LittleEndian.Uint32(data[10:])))
}

// readDIBHeader reads the part of a header that begins at start. The pixels are at a place in data, or, where that is 0, after it.
func readDIBHeader(data []byte, start, pixels int) (h bmpHeader, err error) {
	if len(data)-start < 4 {
		return h, io.ErrUnexpectedEOF
	}
	d := data[start:]
	size := int(binary.LittleEndian.Uint32(d))
	if !slices.Contains(bmpSizes, size) {
		return h, fmt.Errorf("its header has %d bytes, which no version has", size)
	}
	if len(d) < size {
		return h, io.ErrUnexpectedEOF
	}
	if err := h.readFields(d[:size]); err != nil {
		return h, err
	}
	if err := h.readLayout(d, size); err != nil {
		return h, err
	}
	next := start + size
	if h.compression == bmpMasks && size < 52 {
		next += 12 // the masks are between the header and the palette
	}
	if next, err = h.readPalette(data, next); err != nil {
		return h, err
	}
	switch h.at = pixels; {
	case h.at == 0:
		h.at = next
	case h.at == start+size && h.bits <= 8:
		h.at += h.entry * h.colors
	}
	return h, nil
}

// readFields reads the numbers that every version of the header has.
func (h *bmpHeader) readFields(d []byte) error {
	le := binary.LittleEndian
	h.upsideDown = true
	if len(d) == 12 {
		h.w, h.h, h.bits, h.entry = int(le.Uint16(d[4:])), int(le.Uint16(d[6:])), int(le.Uint16(d[10:])), 3
	} else {
		h.w, h.h, h.bits, h.entry = int(le.Uint32(d[4:])), int(le.Uint32(d[8:])), int(le.Uint16(d[14:])), 4
		h.compression = le.Uint32(d[16:])
		if d[11] == 0xff {
			h.upsideDown, h.h = false, 1<<32-h.h
		}
		h.colors = int(le.Uint32(d[32:]))
	}
	switch h.bits {
	case 1, 4, 8, 16, 24, 32:
	default:
		return fmt.Errorf("its pixels have %d bits; want 1, 4, 8, 16, 24 or 32", h.bits)
	}
	if h.colors == 0 {
		h.colors = 1 << h.bits
	}
	return nil
}

// readLayout checks the compression, and finds the layout of the pixels: the
// usual one, or that of the masks, which are in or behind a header of this size.
func (h *bmpHeader) readLayout(d []byte, size int) error {
	h.layout = map[int]string{16: "15", 24: "BGR", 32: "BGRX"}[h.bits]
	switch h.compression {
	case bmpRaw:
		return nil
	case bmpRLE8, bmpRLE4:
		if h.bits > 8 {
			return fmt.Errorf("its pixels have %d bits, and run lengths", h.bits)
		}
		return nil
	case bmpMasks:
	default:
		return fmt.Errorf("its compression is %d; want none, run lengths or masks", h.compression)
	}
	var masks [4]uint32
	n, from := 3, d[40:]
	if size >= 56 {
		n = 4
	}
	if len(from) < 4*n {
		return io.ErrUnexpectedEOF
	}
	for i := range n {
		masks[i] = binary.LittleEndian.Uint32(from[4*i:])
	}
	if h.bits != 32 {
		masks[3] = 0
	}
	if h.layout = bmpLayouts[h.bits][masks]; h.layout == "" {
		return fmt.Errorf("its masks %#x of %d bits are not among those that Pillow reads", masks, h.bits)
	}
	return nil
}

// readPalette reads the palette of pixels of 8 bits or less, which begins at start, and returns where it ends.
func (h *bmpHeader) readPalette(data []byte, start int) (end int, err error) {
	if h.bits > 8 {
		return start, nil
	}
	if h.colors > 1<<16 {
		return 0, fmt.Errorf("its palette has %d colors", h.colors)
	}
	if start < len(data) { // what a palette lacks is black
		h.palette = data[start:min(start+h.entry*h.colors, len(data))]
	}
	return start + len(h.palette), nil
}

func bmpSize(data []byte) (int, int, error) {
	h, err := readBMPHeader(data)
	return h.w, h.h, err
}

func decodeBMP(data []byte, _ Options) (*pillow.Image, error) {
	h, err := readBMPHeader(data)
	if err != nil {
		return nil, err
	}
	return h.decode(data)
}

// decode decodes the pixels.
func (h *bmpHeader) decode(data []byte) (_ *pillow.Image, err error) {
	if h.at > len(data) {
		return nil, io.ErrUnexpectedEOF
	}
	p := h.picture()
	if p.Mode == pillow.ModeP && len(h.palette)/h.entry > 256 {
		return nil, fmt.Errorf("its palette has %d colors; want 256 at most", len(h.palette)/h.entry)
	}
	rle := h.compression == bmpRLE8 || h.compression == bmpRLE4
	stride := (h.w*h.bits + 31) / 32 * 4
	switch p.Mode { // With a gray palette, Pillow takes the number of bits from the mode.
	case pillow.Mode1:
		h.bits = 1
	case pillow.ModeL:
		h.bits = 8
	}
	pix := data[h.at:]
	used := (h.w*h.bits + 7) / 8
	switch {
	case rle:
		if pix, err = bmpRuns(data, *h); err != nil {
			return nil, err
		}
		stride = h.w
	case used > stride:
		return nil, fmt.Errorf("its palette has %d grays, but its pixels have less than 8 bits", h.colors)
	case len(pix) < stride*(h.h-1)+used:
		return nil, io.ErrUnexpectedEOF
	}
	n := p.Mode.BytesPerPixel()
	for y := range h.h {
		from := pix[stride*y:]
		row := y
		if h.upsideDown {
			row = h.h - 1 - y
		}
		to := p.Pix[n*h.w*row:][:n*h.w]
		switch {
		case rle:
			copy(to, from)
		case h.bits <= 8:
			copy(to, unpack(from, h.bits, h.w))
		default:
			h.pixels(to, from, n)
		}
		if p.Mode == pillow.Mode1 {
			for i, v := range to {
				if v != 0 {
					to[i] = 255
				}
			}
		}
	}
	return p, nil
}

// mode returns the mode of the picture.
func (h *bmpHeader) mode() pillow.Mode {
	if h.bits > 8 {
		if strings.Contains(h.layout, "A") {
			return pillow.ModeRGBA
		}
		return pillow.ModeRGB
	}
	// A palette of grays in order is none.
	gray := len(h.palette) == h.entry*h.colors
	for i := range len(h.palette) / h.entry {
		want := i
		if h.colors == 2 {
			want = 255 * i
		}
		for _, v := range h.palette[h.entry*i:][:3] {
			gray = gray && int(v) == want
		}
	}
	switch {
	case gray && h.colors <= 2:
		return pillow.Mode1
	case gray:
		return pillow.ModeL
	}
	return pillow.ModeP
}

// picture returns the picture without its pixels.
func (h *bmpHeader) picture() *pillow.Image {
	p := pillow.New(h.mode(), h.w, h.h)
	if p.Mode != pillow.ModeP {
		return p
	}
	p.Palette = &pillow.Palette{Mode: pillow.ModeRGB}
	for c := h.palette; len(c) >= h.entry && len(p.Palette.Colors) < 3*256; c = c[h.entry:] {
		p.Palette.Colors = append(p.Palette.Colors, c[2], c[1], c[0])
	}
	return p
}

// pixels converts a row of pixels of 16 bits or more.
func (h *bmpHeader) pixels(to, from []uint8, n int) {
	if h.bits == 16 {
		green, red := 31, 10
		if h.layout == "16" {
			green, red = 63, 11
		}
		for i := 0; i < len(to); i += 3 {
			v := int(binary.LittleEndian.Uint16(from[i/3*2:]))
			to[i] = uint8(v >> red & 31 * 255 / 31)
			to[i+1] = uint8(v >> 5 & green * 255 / green)
			to[i+2] = uint8(v & 31 * 255 / 31)
		}
		return
	}
	var place [4]int
	for i, c := range "RGBA"[:n] {
		place[i] = strings.IndexRune(h.layout, c)
	}
	for len(to) > 0 {
		for i := range n {
			to[i] = from[place[i]]
		}
		to, from = to[n:], from[h.bits/8:]
	}
}

// bmpRuns expands run lengths into a byte a pixel.
func bmpRuns(data []byte, h bmpHeader) ([]uint8, error) {
	n := h.w * h.h
	// Two bytes of the file make 255 pixels at most, and four bytes skip 255 rows.
	out := make([]uint8, 0, n)
	fill := func(k int) { out = append(out, make([]uint8, k)...) }
	at, x := h.at, 0
	for len(out) < n && len(data)-at >= 2 {
		count, v := int(data[at]), data[at+1]
		at += 2
		if count > 0 {
			count = min(count, max(h.w-x, 0), n-len(out))
			for i := range count {
				w := v
				if h.compression == bmpRLE4 {
					w = v >> 4
					if i%2 == 1 {
						w = v & 15
					}
				}
				out = append(out, w)
			}
			x += count
			continue
		}
		switch v {
		case 0: // end of the row
			if r := len(out) % h.w; r > 0 {
				fill(h.w - r)
			}
			x = 0
		case 1: // end of the picture
			return nil, io.ErrUnexpectedEOF
		case 2: // go right and up
			if len(data)-at < 2 {
				return nil, io.ErrUnexpectedEOF
			}
			fill(min(int(data[at])+int(data[at+1])*h.w, n-len(out)))
			at += 2
			x = len(out) % h.w
		default: // as they are
			count := min(int(v), n-len(out))
			used := count
			if h.compression == bmpRLE4 {
				used = (count + 1) / 2
			}
			if len(data)-at < used {
				return nil, io.ErrUnexpectedEOF
			}
			if h.compression == bmpRLE4 {
				out = append(out, unpack(data[at:], 4, count)...)
			} else {
				out = append(out, data[at:at+used]...)
			}
			at += used
			x += int(v)
			at += at & 1 // to a whole 16-bit word of the file
		}
	}
	if len(out) < n {
		return nil, io.ErrUnexpectedEOF
	}
	return out, nil
}
