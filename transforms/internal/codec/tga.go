package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A tgaHeader is the header of a TGA.
type tgaHeader struct {
	w, h          int
	kind, bits    int // kind is 1 with a palette, 2 of colors or 3 of grays
	runs          bool
	topDown       bool
	mirrored      bool
	palette       *pillow.Palette
	paletteTooBig bool
	pixels        []uint8 // what comes after the header
}

// tgaMapped has the bytes of a color of a palette, by its bits.
var tgaMapped = map[uint8]int{16: 2, 24: 3, 32: 4}

// isTGA reports whether the header may be a TGA's, which has no magic number. Pillow takes some of them for PCXs, too.
func isTGA(data []byte) bool {
	if filekind.OfHead(data[:min(len(data), filekind.HeadSize)]).Class == filekind.Picture {
		return false
	}
	if len(data) < 18 || data[1] > 1 || data[12]|data[13] == 0 || data[14]|data[15] == 0 {
		return false
	}
	switch data[2] {
	case 1, 2, 3, 9, 10, 11:
	default:
		return false
	}
	switch data[16] {
	case 1, 8, 16, 24, 32:
	default:
		return false
	}
	return tgaMapped[data[7]] > 0 || data[1] == 0
}

func readTGAHeader(data []byte) (h tgaHeader) {
	le := binary.LittleEndian
	h.w, h.h = int(le.Uint16(data[12:])), int(le.Uint16(data[14:]))
	h.kind, h.runs, h.bits = int(data[2]&7), data[2]&8 != 0, int(data[16])
	h.mirrored, h.topDown = data[17]&0x10 != 0, data[17]&0x20 != 0
	mapped, start, count, size := data[1] == 1, int(le.Uint16(data[3:])), int(le.Uint16(data[5:])), tgaMapped[data[7]]
	data = data[min(18+int(data[0]), len(data)):]
	if mapped {
		n := min(size*count, len(data)) / size * size
		colors := append(make([]uint8, size*start), data[:n]...)
		h.paletteTooBig = len(colors) > 256*size
		h.palette = tgaColors(colors[:min(len(colors), 256*size)], size)
		data = data[min(size*count, len(data)):]
	}
	h.pixels = data
	return h
}

// tgaColors returns a palette of colors of some bytes each.
func tgaColors(from []uint8, size int) *pillow.Palette {
	p := &pillow.Palette{Mode: pillow.ModeRGBA}
	for ; len(from) > 0; from = from[size:] {
		switch size {
		case 2:
			c := tgaColor15(from)
			p.Colors = append(p.Colors, c[:]...)
		case 3:
			p.Mode = pillow.ModeRGB
			p.Colors = append(p.Colors, from[2], from[1], from[0])
		case 4:
			p.Colors = append(p.Colors, from[2], from[1], from[0], from[3])
		}
	}
	return p
}

// tgaColor15 returns a color of 5 bits for each channel, whose highest bit marks it as
// transparent.
func tgaColor15(from []uint8) [4]uint8 {
	v := int(binary.LittleEndian.Uint16(from))
	return [4]uint8{uint8(v >> 10 & 31 * 255 / 31), uint8(v >> 5 & 31 * 255 / 31), uint8(v & 31 * 255 / 31), uint8(v>>15) - 1}
}

func tgaSize(data []byte) (int, int, error) {
	h := readTGAHeader(data)
	return h.w, h.h, nil
}

// tgaModes are the modes by kind and bits.
var tgaModes = map[[2]int]pillow.Mode{
	{1, 8}: pillow.ModeP, {3, 1}: pillow.Mode1, {3, 8}: pillow.ModeL, {3, 16}: pillow.ModeLA,
	{2, 16}: pillow.ModeRGBA, {2, 24}: pillow.ModeRGB, {2, 32}: pillow.ModeRGBA,
}

func decodeTGA(data []byte, _ Options) (*pillow.Image, error) {
	h := readTGAHeader(data)
	mode := tgaModes[[2]int{h.kind, h.bits}]
	switch {
	case mode == "":
		return nil, fmt.Errorf("its kind %d has no pixels of %d bits", h.kind, h.bits)
	case mode == pillow.ModeP && h.palette == nil:
		return nil, errors.New("it has no palette")
	case h.palette != nil && (mode.Bands() > 2 || mode == pillow.Mode1):
		return nil, fmt.Errorf("it has a palette, which pictures of mode %s have not", mode)
	case h.paletteTooBig:
		return nil, errors.New("its palette has more than 256 colors")
	}
	stride := (h.w*h.bits + 7) / 8
	rows := h.pixels
	if h.runs {
		var err error
		if rows, err = tgaRuns(rows, stride, h.h, h.bits/8); err != nil {
			return nil, err
		}
	}
	if len(rows) < stride*h.h {
		return nil, io.ErrUnexpectedEOF
	}
	if h.palette != nil { // Pillow reports a gray one as gray, and converts it by its palette
		mode = [...]pillow.Mode{1: pillow.ModeP, 2: pillow.ModePA}[mode.Bands()]
	}
	p := pillow.New(mode, h.w, h.h)
	p.Palette = h.palette
	opaque := mode == pillow.ModeRGBA && tgaOpaque(data)
	n := mode.BytesPerPixel()
	for y := range h.h {
		row := y
		if !h.topDown {
			row = h.h - 1 - y
		}
		to := p.Pix[n*h.w*row:][:n*h.w]
		h.unpack(to, rows[stride*y:])
		for x := 3; opaque && x < len(to); x += 4 {
			to[x] = 255
		}
	}
	if h.mirrored {
		return p.Transpose(pillow.FlipLeftRight)
	}
	return p, nil
}

// unpack converts a row of pixels.
func (h *tgaHeader) unpack(to, from []uint8) {
	switch {
	case h.bits == 1:
		for x, bit := range unpack(from, 1, h.w) {
			to[x] = -bit
		}
	case h.kind != 2:
		copy(to, from)
	case h.bits == 16:
		for x := range h.w {
			c := tgaColor15(from[2*x:])
			copy(to[4*x:], c[:])
		}
	default:
		copy(to, from[:len(to)])
		for n := h.bits / 8; len(to) > 0; to = to[n:] {
			to[0], to[2] = to[2], to[0]
		}
	}
}

// tgaRuns expands runs of pixels of some bytes. A run ends in its row; pixels that are not a run may continue in the
// next row.
func tgaRuns(data []uint8, stride, rows, size int) ([]uint8, error) {
	// A byte of the file makes 128 pixels at the most.
	if size == 0 || stride*rows > 128*size*len(data) {
		return nil, io.ErrUnexpectedEOF
	}
	out := make([]uint8, 0, stride*rows)
	for len(out) < stride*rows && len(data) > 0 {
		n := int(data[0]&0x7f) + 1
		run := data[0]&0x80 != 0
		data = data[1:]
		switch {
		case run && len(data) < size, !run && len(data) < n*size:
			return nil, io.ErrUnexpectedEOF
		case run && len(out)%stride+n*size > stride:
			return nil, errors.New("a run of pixels is longer than its row")
		case run:
			out = append(out, bytes.Repeat(data[:size], n)...)
			data = data[size:]
		default:
			out = append(out, data[:min(n*size, stride*rows-len(out))]...)
			data = data[n*size:]
		}
	}
	return out, nil
}

// tgaOpaque reports whether the extension at the file's end states that there is no
// alpha.
func tgaOpaque(data []byte) bool {
	footer := data[max(len(data)-26, 0):]
	if !bytes.HasSuffix(footer, []byte("TRUEVISION-XFILE.\x00")) {
		return false
	}
	at := int(binary.LittleEndian.Uint32(footer))
	return at > 0 && at+494 < len(data) && data[at+494] == 0
}
