package jpeg

import (
	"encoding/binary"
	"errors"
)

// zigzag maps a coefficient's number in the file to its place in a pair of blocks (see pair). The
// places after the 64th are for runs that lead beyond the block, which libjpeg
// takes for the last coefficient.
var zigzag = func() (z [128]uint8) {
	x, y, d := 0, 0, 1
	for k := range 64 {
		z[k] = uint8(16*y + x)
		switch x, y = x+d, y-d; { // along a diagonal, turning at the block's edges
		case x == 8:
			x, y, d = 7, y+2, -1
		case y == 8:
			x, y, d = x+2, 7, 1
		case y == -1:
			y, d = 0, -1
		case x == -1:
			x, d = 0, 1
		}
	}
	for k := 64; k < len(z); k++ {
		z[k] = z[63]
	}
	return z
}()

// natural maps a coefficient's number in the file to its place in a block.
var natural = func() (n [64]uint8) {
	for k := range n {
		n[k] = zigzag[k]>>4*8 + zigzag[k]&7
	}
	return n
}()

// peek is the number of bits that are looked up in a table at once.
const peek = 10

// An entry is the meaning of the next bits. From the lowest bit on: 8 bits with the number of bits
// used, 4 with the zeros before the coefficient, 4 with the number of bits of the coefficient that
// follow, and 16 with the coefficient if it is within the bits looked at. An entry of no bits is a
// code of more bits than were looked at.
type entry uint32

func (e entry) bits() uint   { return uint(e & 0xff) }
func (e entry) run() int     { return int(e >> 8 & 15) }
func (e entry) size() uint   { return uint(e >> 12 & 15) }
func (e entry) value() int16 { return int16(e >> 16) }

// A table is a Huffman code.
type table struct {
	counts  [17]uint8 // codes of each length
	symbols [256]uint8
	dc      bool // the symbols are sizes alone

	ready  bool      // the rest is made
	first  [17]int32 // the difference between a symbol's index and its code of this length
	limit  [18]int32 // the codes of this length are less
	lookup [1 << peek]entry
	codes  [1 << peek]uint16    // the symbol that the bits begin with, and in the lower byte its bits; 0 is a code of more bits
	skips  *[1 << skipPeek]skip // nil where little is skipped
}

var errHuffman = errors.New("a Huffman table is damaged")

// prepare makes the decoding tables. A table that no scan uses may be damaged.
func (t *table) prepare() error {
	if t.ready {
		return nil
	}
	code, n := int32(0), int32(0)
	for l := 1; l <= 16; l++ {
		t.first[l] = n - code
		for range t.counts[l] {
			s := t.symbols[n]
			if code >= 1<<l || t.dc && s > 15 {
				return errHuffman
			}
			if l <= peek {
				t.enter(code<<(peek-l), l, s)
			}
			code++
			n++
		}
		t.limit[l] = code
		code <<= 1
	}
	t.ready = true
	return nil
}

// enter fills in all that begins with a code of l bits, which is left-aligned.
func (t *table) enter(code int32, l int, s uint8) {
	run, size := entry(s>>4), int(s&15)
	for i := range int32(1) << (peek - l) {
		t.codes[code+i] = uint16(s)<<8 | uint16(l)
		e := entry(l) | run<<8
		switch rest := peek - l - size; {
		case size == 0:
		case rest >= 0:
			v := extend(int32(i>>rest), uint(size))
			e = entry(l+size) | run<<8 | entry(uint16(v))<<16
		default:
			e |= entry(size) << 12
		}
		t.lookup[code+i] = e
	}
}

// extend returns the number that its lower bits and their count stand for.
func extend(v int32, size uint) int32 {
	if size > 0 && v < 1<<(size-1) {
		v += 1 - 1<<size
	}
	return v
}

// skipPeek is the number of bits that are looked up at once to skip
// coefficients.
const skipPeek = 12

// A skip is the effect of bits with coefficients that are not needed. From the lowest bit on: 4 bits with
// their number, 7 with the number of coefficients skipped, and one that is set at the block's end. A skip
// of no bits means that the bits looked at do not contain a whole coefficient.
type skip uint16

func (s skip) bits() uint { return uint(s & 15) }
func (s skip) over() int  { return int(s >> 4 & 0x7f) }

const blockEnd skip = 1 << 11

// prepareSkips makes skipping fast.
func (t *table) prepareSkips() {
	if t.skips != nil {
		return
	}
	t.skips = new([1 << skipPeek]skip)
	for i := range t.skips {
		used, over, end := uint(0), 0, skip(0)
		for n := uint(1); end == 0 && n > 0; used += n {
			e := t.lookup[i<<used>>(skipPeek-peek)&(1<<peek-1)]
			switch n = e.bits() + e.size(); {
			case e.bits() == 0 || used+n > skipPeek: // what i tells is used up
				n = 0
			case e.size() == 0 && e.value() == 0 && e.run() != 15:
				end = blockEnd
			case over+e.run()+1 > 63:
				n = 0
			default:
				over += e.run() + 1
			}
		}
		t.skips[i] = skip(used) | skip(over)<<4 | end
	}
}

// A reader hands out the bits of a part of a scan.
type reader struct {
	data []byte // without stuffing, and slack zeros after it
	pos  int    // of the next byte to take into acc
	acc  uint64 // bits, the next being the highest
	n    uint   // how many of them are taken from data
}

const slack = 16

// exhausted reports whether more bits were read than there are.
func (r *reader) exhausted() bool { return 8*r.pos-int(r.n) > 8*(len(r.data)-slack) }

// refill returns its arguments with 56 bits or more; after the end of the data they are zeros.
func refill(data []byte, pos int, acc uint64, n uint) (int, uint64, uint) {
	if uint(pos) < uint(len(data)) && len(data)-pos >= 8 {
		acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
	}
	return pos + int((63-n)>>3), acc, n | 56
}

// bits takes n bits, at most 16.
func (r *reader) bits(n uint) int32 {
	if r.n < n {
		r.pos, r.acc, r.n = refill(r.data, r.pos, r.acc, r.n)
	}
	v := int32(r.acc >> 1 >> (63 - n))
	r.acc <<= n
	r.n -= n
	return v
}

func (r *reader) bit() bool { return r.bits(1) != 0 }

// symbol decodes one symbol.
func (r *reader) symbol(t *table) uint8 {
	if r.n < 32 {
		r.pos, r.acc, r.n = refill(r.data, r.pos, r.acc, r.n)
	}
	c := t.codes[r.acc>>(64-peek)]
	s, l := uint8(c>>8), uint(c&63)
	if l == 0 {
		s, l = t.long(r.acc, peek+1)
	}
	r.acc <<= l
	r.n -= l
	return s
}

// long returns the symbol whose code acc begins with, if it is of l bits or more, and its length. Bits
// that are no code are 17 of the symbol 0, as in libjpeg.
func (t *table) long(acc uint64, l uint) (uint8, uint) {
	for ; l <= 16; l++ {
		if code := int32(acc >> (64 - l)); code < t.limit[l] {
			return t.symbols[(code+t.first[l])&255], l
		}
	}
	return 0, 17
}

// dc decodes a DC coefficient's difference.
func (r *reader) dc(t *table) int32 {
	if r.n < 48 {
		r.pos, r.acc, r.n = refill(r.data, r.pos, r.acc, r.n)
	}
	e := t.lookup[r.acc>>(64-peek)]
	if e.bits() != 0 && e.size() == 0 {
		r.acc <<= e.bits() & 63
		r.n -= e.bits()
		return int32(e.value())
	}
	size := uint(r.symbol(t))
	return extend(r.bits(size), size)
}

// ac decodes the AC coefficients of a block, and reports whether there are any.
func (r *reader) ac(t *table, block *[128]int16) bool {
	k := 1
	if simd {
		var done bool
		if k, done = acs(r, &t.lookup, block); done {
			return k > 1
		}
	}
	data, pos, acc, n := r.data, r.pos, r.acc, r.n
loop:
	for {
		pos, acc, n = refill(data, pos, acc, n)
		var e entry
		for range 3 { // of at most peek bits each, which leave enough for any code and its coefficient
			e = t.lookup[acc>>(64-peek)]
			if e.value() == 0 {
				goto other
			}
			acc <<= e.bits() & 63
			n -= e.bits()
			k += e.run()
			block[zigzag[k&127]&127] = e.value()
			k++
			if k >= 64 {
				break loop
			}
		}
		continue
	other:
		l, run, size := e.bits(), e.run(), e.size()
		if l == 0 {
			var s uint8
			s, l = t.long(acc, peek+1)
			run, size = int(s>>4), uint(s&15)
		}
		acc <<= l & 63
		n -= l + size
		if size > 0 {
			k += run
			block[zigzag[k&127]&127] = int16(extend(int32(acc>>1>>((63-size)&63)), size))
			acc <<= size & 63
		} else if run < 15 {
			break // the block's end
		} else {
			k += 15
		}
		k++
		if k >= 64 {
			break
		}
	}
	r.pos, r.acc, r.n = pos, acc, n
	return k > 1
}

// skip skips the AC coefficients of a block.
func (r *reader) skip(t *table) {
	k := 1
	if simd && t.skips != nil {
		var done bool
		if k, done = skips(r, t.skips); done {
			return
		}
	}
	data, pos, acc, n := r.data, r.pos, r.acc, r.n
	for k < 64 {
		if n < 32 {
			pos, acc, n = refill(data, pos, acc, n)
		}
		// What fills the block to its end may be followed by the next block's.
		if t.skips != nil {
			if s := t.skips[acc>>(64-skipPeek)]; s.bits() != 0 && k+s.over() < 64 {
				acc <<= s.bits()
				n -= s.bits()
				k += s.over()
				if s&blockEnd != 0 {
					break
				}
				continue
			}
		}
		e := t.lookup[acc>>(64-peek)]
		l, run := e.bits()+e.size(), e.run()
		end := e.value() == 0 && e.size() == 0 && run != 15
		if l == 0 {
			var s uint8
			s, l = t.long(acc, peek+1)
			l += uint(s & 15)
			run, end = int(s>>4), s&15 == 0 && s != 0xf0
		}
		acc <<= l & 63
		n -= l
		if end {
			break
		}
		k += run + 1
	}
	r.pos, r.acc, r.n = pos, acc, n
}
