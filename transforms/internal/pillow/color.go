package pillow

import (
	"encoding/binary"
	"fmt"
	"math"
)

// ink returns the bytes of one pixel of the color fill, as torchvision hands
// colors to Pillow: nil is zeros; one number stands for every channel; else there
// is one for each. Numbers are cut off to integers, except in the mode F, and
// then to the range of a byte; I;16 keeps the lower 16 bits.
func (m Mode) ink(fill []float64) ([]uint8, error) {
	n := m.Bands()
	switch {
	case len(fill) == 0:
		return make([]uint8, m.BytesPerPixel()), nil
	case len(fill) != 1 && len(fill) != n:
		return nil, fmt.Errorf("the fill has %d numbers, but the mode %s has %d channels; want one number, or one for each", len(fill), m, n)
	}
	out := make([]uint8, m.BytesPerPixel())
	if m.kind() == floats32 {
		binary.LittleEndian.PutUint32(out, math.Float32bits(float32(fill[0])))
		return out, nil
	}
	for i := range n {
		f := fill[i%len(fill)]
		// Pillow takes the first number as 64 bits and the others as 32.
		if limit := [2]float64{1 << 63, 1 << 31}[min(i, 1)]; !(f >= -limit && f < limit) {
			return nil, fmt.Errorf("the fill %v is out of range", f)
		}
		switch v := int64(f); m.kind() {
		case ints32:
			binary.LittleEndian.PutUint32(out, uint32(v))
		case ints16:
			binary.LittleEndian.PutUint16(out, uint16(v))
		default:
			out[i] = uint8(min(max(v, 0), 255))
		}
	}
	return out, nil
}

// flood makes every pixel of p that of the ink.
func (p *Image) flood(ink []uint8) {
	zero := true
	for _, v := range ink {
		zero = zero && v == 0
	}
	if zero || len(p.Pix) == 0 {
		clear(p.Pix)
		return
	}
	copy(p.Pix, ink)
	for n := len(ink); n < len(p.Pix); n *= 2 {
		copy(p.Pix[n:], p.Pix[:n])
	}
}

// Filled returns a picture of one color: Image.new(mode, (w, h), fill) with the
// fill as torchvision passes it; see [Image.Pad].
func Filled(mode Mode, w, h int, fill []float64) (*Image, error) {
	if mode.Bands() == 0 {
		return nil, fmt.Errorf("no mode is called %q", mode)
	}
	if err := checkSize(w, h); err != nil {
		return nil, err
	}
	ink, err := mode.ink(fill)
	if err != nil {
		return nil, err
	}
	p := New(mode, w, h)
	p.flood(ink)
	return p, nil
}
