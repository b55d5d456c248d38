package tiff

import (
	"encoding/binary"
	"fmt"
)

// undo returns a function that restores the pixels that a predictor has replaced by differences, or nil if
// there is none.
func (l *layout) undo() (func([]byte), error) {
	samples := l.samples
	if l.planar == 2 {
		samples = 1
	}
	size, width := l.bits/8, l.rowBytes()
	var row func([]byte)
	switch {
	case l.predictor == 1:
		return nil, nil
	case l.predictor == 2 && (l.bits == 8 || l.bits == 16 || l.bits == 32 || l.bits == 64):
		row = func(b []byte) { sum(b, size, samples, l.order) }
	case l.predictor == 3 && l.format == float && (l.bits == 16 || l.bits == 24 || l.bits == 32 || l.bits == 64):
		row = func(b []byte) { sumFloats(b, size, samples, l.order) }
	default:
		return nil, fmt.Errorf("its predictor %d for %d bits of format %d is not supported", l.predictor, l.bits, l.format)
	}
	return func(b []byte) {
		// libtiff neither makes nor restores differences of YCbCr blocks that are no whole pixels.
		if len(b)%width != 0 || width%(size*samples) != 0 {
			return
		}
		for ; len(b) > 0; b = b[width:] {
			row(b[:width])
		}
	}, nil
}

// sum adds to each number of a row the one of the pixel before, of size bytes each.
func sum(row []byte, size, samples int, order binary.ByteOrder) {
	for i := size * samples; i < len(row); i += size {
		a, b := row[i-size*samples:], row[i:]
		switch size {
		case 1:
			b[0] += a[0]
		case 2:
			order.PutUint16(b, order.Uint16(b)+order.Uint16(a))
		case 4:
			order.PutUint32(b, order.Uint32(b)+order.Uint32(a))
		case 8:
			order.PutUint64(b, order.Uint64(b)+order.Uint64(a))
		}
	}
}

// sumFloats restores floating-point numbers, whose bytes are sorted by significance.
func sumFloats(row []byte, size, samples int, order binary.ByteOrder) {
	sum(row, 1, samples, order)
	bytes := append([]byte(nil), row...)
	n := len(row) / size
	for i := range n {
		for j := range size {
			at := j
			if order == binary.LittleEndian {
				at = size - 1 - j
			}
			row[i*size+at] = bytes[j*n+i]
		}
	}
}
