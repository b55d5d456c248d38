package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// An iconEntry is the place of a picture in an ICO or CUR.
type iconEntry struct {
	w, h, depth, bits int // depth is bits, or a guess where they are 0
	size, at          int // of the data, in the file
}

var errNoIcon = errors.New("there is no picture in it")

// icons returns the entries, and where the list of them ends.
func icons(data []byte) ([]iconEntry, int, error) {
	const header, entry = 6, 16
	if len(data) < header {
		return nil, 0, io.ErrUnexpectedEOF
	}
	n := int(binary.LittleEndian.Uint16(data[4:]))
	end := header + entry*n
	switch {
	case n == 0:
		return nil, 0, errNoIcon
	case len(data) < end:
		return nil, 0, io.ErrUnexpectedEOF
	}
	list := make([]iconEntry, n)
	for i := range list {
		d := data[header+entry*i:]
		list[i] = iconEntry{
			w: int(d[0]), h: int(d[1]), bits: int(binary.LittleEndian.Uint16(d[6:])),
			size: int(binary.LittleEndian.Uint32(d[8:])), at: int(binary.LittleEndian.Uint32(d[12:])),
		}
		list[i].depth = list[i].bits
		if list[i].depth == 0 && d[2] > 1 {
			list[i].depth = bits.Len8(d[2] - 1)
		}
		if list[i].depth == 0 {
			list[i].depth = 256
		}
	}
	return list, end, nil
}

// largestIcon returns the largest picture of an ICO, and of several the first one of those with the fewest bits.
func largestIcon(data []byte) (best iconEntry, err error) {
	list, _, err := icons(data)
	for i := range list {
		e := &list[i]
		for _, side := range []*int{&e.w, &e.h} {
			if *side == 0 {
				*side = 256
			}
		}
		if area, most := e.w*e.h, best.w*best.h; area > most || area == most && e.depth < best.depth {
			best = *e
		}
	}
	return best, err
}

// iconBitmap returns the header of the picture of an icon that is no PNG, without the mask below it.
func iconBitmap(data []byte, at int) (bmpHeader, error) {
	if at > len(data) {
		return bmpHeader{}, io.ErrUnexpectedEOF
	}
	h, err := readDIBHeader(data, at, 0)
	if err == nil && h.h < 2 {
		err = errNoIcon
	}
	h.h /= 2
	return h, err
}

// iconPNG returns the PNG that begins at a place.
func iconPNG(data []byte, at int) ([]byte, bool) {
	data = data[min(at, len(data)):]
	return data, prefix("\x89PNG\r\n\x1a\n")(data)
}

func icoSize(data []byte) (int, int, error) {
	e, err := largestIcon(data)
	if err != nil {
		return 0, 0, err
	}
	if png, ok := iconPNG(data, e.at); ok {
		return pngSize(png)
	}
	h, err := iconBitmap(data, e.at)
	return h.w, h.h, err
}

func decodeICO(data []byte, o Options) (*pillow.Image, error) {
	e, err := largestIcon(data)
	if err != nil {
		return nil, err
	}
	if png, ok := iconPNG(data, e.at); ok {
		p, err := decodePNG(png, o)
		if err == nil { // Pillow does not hand it on
			p.Transparency, p.Alphas = nil, nil
		}
		return p, err
	}
	h, err := iconBitmap(data, e.at)
	if err != nil {
		return nil, err
	}
	p, err := h.decode(data)
	if err != nil {
		return nil, err
	}
	if p, err = p.Convert(pillow.ModeRGBA); err != nil {
		return nil, err
	}
	if e.bits == 32 { // the fourth bytes of the pixels, whatever the bitmap's header says of them
		n := 4 * h.w * h.h
		if len(data)-h.at < n {
			return nil, io.ErrUnexpectedEOF
		}
		for i := range h.w * h.h {
			x, y := i%h.w, h.h-1-i/h.w
			p.Pix[4*(y*h.w+x)+3] = data[h.at+4*i+3]
		}
		return p, nil
	}
	stride := (h.w + 31) / 32 * 4
	at := e.at + e.size - stride*h.h
	if at < 0 || at > len(data)-stride*h.h {
		return nil, io.ErrUnexpectedEOF
	}
	for i := range h.h {
		for x, bit := range unpack(data[at+stride*i:], 1, h.w) {
			p.Pix[4*((h.h-1-i)*h.w+x)+3] = bit - 1
		}
	}
	return p, nil
}

// largestCursor returns the header of the picture of a CUR, and whether it is gray: the first one that is higher and wider than those before it.
func largestCursor(data []byte) (h bmpHeader, gray bool, err error) {
	list, end, err := icons(data)
	if err != nil {
		return h, false, err
	}
	best := list[0]
	for _, e := range list[1:] {
		if e.w > best.w && e.h > best.h {
			best = e
		}
	}
	if best.at == 0 {
		best.at = end
	}
	if h, err = iconBitmap(data, best.at); err != nil {
		return h, false, err
	}
	const alone = 22 // where the only picture of a file begins
	if best.at == alone && h.bits == 32 && h.compression == bmpRaw {
		h.layout = "BGRA"
	}
	mode := h.mode()
	return h, mode == pillow.Mode1 || mode == pillow.ModeL, nil
}

func curSize(data []byte) (int, int, error) {
	h, _, err := largestCursor(data)
	return h.w, h.h, err
}

func decodeCUR(data []byte, _ Options) (*pillow.Image, error) {
	h, gray, err := largestCursor(data)
	if err != nil || !gray {
		if err != nil {
			return nil, err
		}
		return h.decode(data)
	}
	// The upper half is a mask of as many bits as the picture.
	w, half := h.w, h.h
	h.h *= 2
	both, err := h.decode(data)
	if err != nil {
		return nil, err
	}
	p := pillow.New(pillow.ModeLA, w, half)
	for i := range w * half {
		mask := 255 - both.Pix[i]
		p.Pix[2*i], p.Pix[2*i+1] = scaled(both.Pix[w*half+i], mask), mask
	}
	return p, nil
}

// scaled returns v times by in 255ths.
func scaled(v, by uint8) uint8 {
	t := int(v)*int(by) + 128
	return uint8((t>>8 + t) >> 8)
}

// icoPrefix and curPrefix begin ICOs and CURs.
const icoPrefix, curPrefix = "\x00\x00\x01\x00", "\x00\x00\x02\x00"

// hasIcons reports whether a file that begins like an icon has a list of pictures. One without may be
// a TGA.
func hasIcons(magic string) func([]byte) bool {
	return func(data []byte) bool {
		if !bytes.HasPrefix(data, []byte(magic)) {
			return false
		}
		_, _, err := icons(data)
		return err == nil
	}
}
