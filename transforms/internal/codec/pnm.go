package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A pnmKind is the meaning of the first word of a PBM, PGM, PPM or PFM, or of one of Pillow's own
// extensions.
type pnmKind struct {
	mode  pillow.Mode
	plain bool // the pixels are decimal numbers
}

var pnmKinds = map[string]pnmKind{
	"P1": {pillow.Mode1, true}, "P2": {pillow.ModeL, true}, "P3": {pillow.ModeRGB, true},
	"P4": {pillow.Mode1, false}, "P5": {pillow.ModeL, false}, "P6": {pillow.ModeRGB, false},
	"Pf": {pillow.ModeF, false}, "P0CMYK": {pillow.ModeCMYK, false},
	"PyP": {pillow.ModeP, false}, "PyRGBA": {pillow.ModeRGBA, false}, "PyCMYK": {pillow.ModeCMYK, false},
}

// A pnmHeader is the header of a PNM.
type pnmHeader struct {
	pnmKind
	w, h   int
	most   int // the number of white; 0 of bits and floats
	little bool
	pixels []uint8 // what comes after the header
}

// space reports whether b is one of ASCII's white spaces.
func space(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }

// pnmMagic returns the first word, of six bytes at most.
func pnmMagic(data []byte) string {
	n := 0
	for n < min(len(data), 6) && !space(data[n]) {
		n++
	}
	return string(data[:n])
}

func isPNM(data []byte) bool {
	_, ok := pnmKinds[pnmMagic(data)]
	return ok
}

var (
	errPNMHeader = errors.New("its header ends too early")
	errPNMNumber = errors.New("a number in it is too long")
)

// pnmWord takes a word from data, without comments.
func pnmWord(data *[]byte) (string, error) {
	var word []byte
	d := *data
	for len(word) <= 10 && len(d) > 0 {
		b := d[0]
		d = d[1:]
		if b == '#' {
			end := bytes.IndexAny(d, "\r\n")
			d = d[min(uint(end), uint(len(d)-1))+1:]
			continue
		}
		if !space(b) {
			word = append(word, b)
		} else if word != nil {
			break
		}
	}
	*data = d
	switch {
	case len(word) == 0:
		return "", errPNMHeader
	case len(word) > 10:
		return "", errPNMNumber
	}
	return string(word), nil
}

// pythonDigits removes the single underscores between digits that Python allows in numbers.
func pythonDigits(s string) string {
	digit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	var out strings.Builder
	for i := range len(s) {
		if s[i] != '_' || !digit(i-1) || !digit(i+1) {
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// pythonInt returns int(s) of Python.
func pythonInt(s string) (int, error) {
	v, err := strconv.Atoi(pythonDigits(s))
	if err != nil {
		return 0, fmt.Errorf("%.20q is not a number", s)
	}
	return v, nil
}

func readPNMHeader(data []byte) (h pnmHeader, err error) {
	magic := pnmMagic(data)
	h.pnmKind = pnmKinds[magic]
	data = data[min(len(magic)+1, 6, len(data)):]
	for _, v := range []*int{&h.w, &h.h, &h.most} {
		if v == &h.most && (h.mode == pillow.Mode1 || h.mode == pillow.ModeF) {
			break
		}
		word, err := pnmWord(&data)
		if err != nil {
			return h, err
		}
		if *v, err = pythonInt(word); err != nil {
			return h, err
		}
	}
	switch h.mode {
	case pillow.Mode1:
	case pillow.ModeF:
		word, err := pnmWord(&data)
		if err != nil {
			return h, err
		}
		scale, err := strconv.ParseFloat(pythonDigits(word), 64)
		if err != nil || scale == 0 || math.IsInf(scale, 0) || math.IsNaN(scale) || strings.ContainsAny(word, "xXpP") {
			return h, fmt.Errorf("its scale is %q; want a number that is not 0", word)
		}
		h.little = scale < 0
	default:
		if h.most < 1 || h.most > 65535 {
			return h, fmt.Errorf("its largest number is %d; want 1 to 65535", h.most)
		}
		if h.most > 255 && h.mode == pillow.ModeL {
			h.mode = pillow.ModeI
		}
	}
	h.pixels = data
	return h, nil
}

func pnmSize(data []byte) (int, int, error) {
	h, err := readPNMHeader(data)
	return h.w, h.h, err
}

func decodePNM(data []byte, _ Options) (*pillow.Image, error) {
	h, err := readPNMHeader(data)
	if err != nil {
		return nil, err
	}
	n := h.w * h.h * h.mode.Bands()
	size := n // in bytes of the file
	switch {
	case h.plain:
		size = n // a digit each, at the least
	case h.mode == pillow.Mode1:
		size = (h.w + 7) / 8 * h.h
	case h.mode == pillow.ModeF:
		size = 4 * n
	case h.most > 255:
		size = 2 * n
	}
	if len(h.pixels) < size {
		return nil, io.ErrUnexpectedEOF
	}
	p := pillow.New(h.mode, h.w, h.h)
	switch {
	case h.plain && h.mode == pillow.Mode1:
		return p, h.bits(p.Pix)
	case h.plain:
		return p, h.numbers(p.Pix)
	case h.mode == pillow.Mode1:
		for y := range h.h {
			for x, bit := range unpack(h.pixels[(h.w+7)/8*y:], 1, h.w) {
				p.Pix[h.w*y+x] = bit - 1
			}
		}
	case h.mode == pillow.ModeF:
		h.floats(p.Pix)
	case h.most == 255:
		copy(p.Pix, h.pixels)
	case h.most < 256:
		table := h.table()
		for i, v := range h.pixels[:n] {
			p.Pix[i] = uint8(table[v])
		}
	default:
		table := h.table()
		for i := range n {
			h.put(p.Pix, i, table[binary.BigEndian.Uint16(h.pixels[2*i:])])
		}
	}
	if h.mode == pillow.ModeP {
		p.Palette = grays()
	}
	return p, nil
}

// grays returns the palette of a picture that has none in its file.
func grays() *pillow.Palette {
	p := &pillow.Palette{Mode: pillow.ModeRGB}
	for i := range 256 {
		p.Colors = append(p.Colors, uint8(i), uint8(i), uint8(i))
	}
	return p
}

// put sets number i of the pixels.
func (h *pnmHeader) put(pix []uint8, i int, v uint16) {
	if h.mode == pillow.ModeI {
		binary.LittleEndian.PutUint32(pix[4*i:], uint32(v))
	} else {
		pix[i] = uint8(v)
	}
}

// table returns the pixels for the numbers of the file.
func (h *pnmHeader) table() []uint16 {
	white := 255.0
	if h.mode == pillow.ModeI {
		white = 65535
	}
	n := 256
	if h.most > 255 {
		n = 1 << 16
	}
	t := make([]uint16, n)
	for i := range t {
		t[i] = uint16(min(white, math.RoundToEven(float64(i)/float64(h.most)*white)))
	}
	return t
}

// floats takes rows of 32-bit floats, the lowest one first.
func (h *pnmHeader) floats(pix []uint8) {
	for y := range h.h {
		from, to := h.pixels[4*h.w*y:][:4*h.w], pix[4*h.w*(h.h-1-y):]
		copy(to, from)
		if !h.little {
			for i := 0; i < len(from); i += 4 {
				binary.LittleEndian.PutUint32(to[i:], binary.BigEndian.Uint32(from[i:]))
			}
		}
	}
}

// plainBlock is how many bytes Pillow reads of a plain picture at once. What is after the last pixel matters to the end of such
// a block.
const plainBlock = 1 << 20

// blocks calls f for each block of the pixels, without its comments, and for an empty last one, until f is done.
func (h *pnmHeader) blocks(f func(block []byte, last bool) (done bool, err error)) error {
	inside := false // a comment
	// end returns where the line that a comment is in ends. A line end at 0 does not count beside another one, as in Pillow.
	end := func(b []byte, from int) int {
		lf, cr := bytes.IndexByte(b[from:], '\n'), bytes.IndexByte(b[from:], '\r')
		if lf >= 0 {
			lf += from
		}
		if cr >= 0 {
			cr += from
		}
		if lf*cr > 0 {
			return min(lf, cr)
		}
		return max(lf, cr)
	}
	for rest := h.pixels; ; {
		block := rest[:min(plainBlock, len(rest))]
		rest = rest[len(block):]
		last := len(block) == 0
		if inside {
			at := -1
			for at < 0 && len(block) > 0 {
				if at = end(block, 0); at < 0 {
					block = rest[:min(plainBlock, len(rest))]
					rest = rest[len(block):]
				}
			}
			block = block[at+1:]
		}
		inside = false
		var out []byte
		for from := 0; ; {
			at := bytes.IndexByte(block[from:], '#')
			if at < 0 {
				out = append(out, block[from:]...)
				break
			}
			at += from
			out = append(out, block[from:at]...)
			to := end(block, at)
			if to < 0 {
				inside = true
				break
			}
			from = to + 1
		}
		if done, err := f(out, last); done || err != nil {
			return err
		}
		if last {
			return io.ErrUnexpectedEOF
		}
	}
}

// bits reads digits that are pixels; they need no space between them.
func (h *pnmHeader) bits(pix []uint8) error {
	n := 0
	return h.blocks(func(block []byte, last bool) (bool, error) {
		for _, b := range block {
			switch {
			case space(b):
			case b != '0' && b != '1':
				return false, fmt.Errorf("%q is not a pixel; want 0 or 1", b)
			case n < len(pix):
				pix[n] = b - '0' - 1
				n++
			}
		}
		return n == len(pix), nil
	})
}

// numbers reads decimal numbers.
func (h *pnmHeader) numbers(pix []uint8) error {
	table := h.table()
	n, count := 0, h.w*h.h*h.mode.Bands()
	var half []byte // of a number that may go on in the next block
	return h.blocks(func(block []byte, last bool) (bool, error) {
		if last {
			block = []byte(" ")
		}
		block = append(half, block...)
		half = nil
		words := bytes.FieldsFunc(block, func(r rune) bool { return r < 128 && space(byte(r)) })
		if len(block) > 0 && !space(block[len(block)-1]) {
			half = bytes.Clone(words[len(words)-1])
			words = words[:len(words)-1]
			if len(half) > 10 {
				return false, errPNMNumber
			}
		}
		for _, word := range words {
			if len(word) > 10 {
				return false, errPNMNumber
			}
			v, err := pythonInt(string(word))
			switch {
			case err != nil:
				return false, err
			case v < 0 || v > h.most:
				return false, fmt.Errorf("a pixel is %d; want 0 to %d", v, h.most)
			}
			h.put(pix, n, table[v])
			if n++; n == count {
				return true, nil
			}
		}
		return false, nil
	})
}
