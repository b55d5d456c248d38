package tiff

import "errors"

const (
	lzwClear = 256
	lzwEnd   = 257
	lzwFirst = 258 // the first code of a string
	lzwBits  = 12  // of a code, at most
	lzwSize  = 1<<lzwBits - 1 + 1024
)

// An lzwDecoder decodes the LZW of TIFF, also the one of the first writers.
type lzwDecoder struct {
	chosen, old bool // how the first strip or tile is coded; the others are, too

	next   [lzwSize]int16 // the string without its last byte
	length [lzwSize]uint16
	first  [lzwSize]uint8
	last   [lzwSize]uint8
}

var errLZW = errors.New("its LZW data are damaged")

// decode decodes a strip or tile.
func (d *lzwDecoder) decode(dst, src []byte) error {
	if !d.chosen {
		// The first writers put the bits of a code the other way round, so that the first
		// code, which clears the table, begins with a zero byte.
		d.chosen, d.old = true, len(src) >= 2 && src[0] == 0 && src[1]&1 != 0
		for i := range 256 {
			d.next[i], d.length[i], d.first[i], d.last[i] = -1, 1, uint8(i), uint8(i)
		}
	}
	r := lzwReader{src: src, old: d.old}
	early := 1 // how many codes before the table is full the codes become longer
	if d.old {
		early = 0
	}
	free, before, width := -1, 0, 9
	clear(d.length[lzwClear:])
	for done := 0; done < len(dst); {
		code, ok := r.read(width)
		switch {
		case !ok || code == lzwEnd:
			return errShort
		case code == lzwClear:
			for ok && code == lzwClear {
				code, ok = r.read(9)
			}
			if !ok || code == lzwEnd {
				return errShort
			}
			if code > lzwEnd {
				return errLZW
			}
			clear(d.length[lzwClear:])
			free, before, width = lzwFirst, code, 9
			dst[done] = uint8(code)
			done++
			continue
		case free < 0 || free >= lzwSize || !d.old && code > free:
			return errLZW
		}
		d.next[free], d.length[free], d.first[free] = int16(before), d.length[before]+1, d.first[before]
		d.last[free] = d.first[before]
		if code < free {
			d.last[free] = d.first[code]
		}
		if free++; free > 1<<width-1-early {
			width = min(width+1, lzwBits)
			if free >= lzwSize && !d.old {
				free = -1 // the next code must clear the table
			}
		}
		before = code
		n := int(d.length[code])
		if n == 0 {
			return errLZW
		}
		s := code
		for ; n > len(dst)-done; n-- {
			s = int(d.next[s])
		}
		for i := done + n - 1; i >= done; i-- {
			dst[i] = d.last[s]
			s = int(d.next[s])
		}
		done += n
	}
	return nil
}

// An lzwReader reads codes.
type lzwReader struct {
	src  []byte
	acc  uint32
	bits int
	old  bool // the first bit of a code is its least significant
}

// read returns the next code. ok is false where the data end before it does.
func (r *lzwReader) read(width int) (code int, ok bool) {
	for r.bits < width {
		if len(r.src) == 0 {
			return 0, false
		}
		if r.old {
			r.acc |= uint32(r.src[0]) << r.bits
		} else {
			r.acc = r.acc<<8 | uint32(r.src[0])
		}
		r.src = r.src[1:]
		r.bits += 8
	}
	r.bits -= width
	if r.old {
		code = int(r.acc & (1<<width - 1))
		r.acc >>= width
		return code, true
	}
	return int(r.acc >> r.bits & (1<<width - 1)), true
}
