package tiff

import (
	"errors"
	"fmt"
	"math/bits"
)

// A fax decodes the facsimile compressions: Modified Huffman, T.4 (group 3) of one or two dimensions and T.6
// (group 4). Damaged lines are repaired as libtiff does, whose decoder is Frank Cringle's viewfax: a
// line that does not fit is cut or filled with white, and the next one is looked for.
type fax struct {
	*layout
	width, rowSize int
	lsb            bool // the first bit of a byte is its least significant
	twoD           bool
	noEOL          bool // no end of line has been found; stays for the strips that follow

	// Runs of white and black pixels in turn, of the line that is decoded and the one above. Damaged data may refer
	// to runs of lines before, which the two still have.
	runs, above []uint32
	memory      [2][]uint32
	n           int // of runs
	faxLine
	faxBits
}

// faxLine is the state within a line.
type faxLine struct {
	a0        int // pixels decoded
	run       int // pixels of the run that is not complete
	b1, next  int // the next change in the line above, and which run of it follows
	endOfLine bool
}

// Errors within a line.
var (
	errFaxEnd  = errors.New("its fax data end too early")
	errFaxRuns = errors.New("its fax data are damaged: a line has too many runs")
)

// newFax returns the decoder of a page.
func newFax(l *layout) (*fax, error) {
	f := &fax{layout: l, width: l.w, rowSize: l.rowBytes(), lsb: l.fill == 2}
	if l.tiled {
		f.width = l.tileW
	}
	if l.bits != 1 || l.samples != 1 && l.planar != 2 {
		return nil, fmt.Errorf("it is a fax of %d samples of %d bits", l.samples, l.bits)
	}
	f.twoD = l.compression == ccittG4 || l.compression == ccittG3 && l.t4&1 != 0
	f.noEOL = l.compression != ccittG3
	n := (f.width + 1 + 31) / 32 * 32
	if f.twoD {
		n *= 2
	}
	f.memory = [2][]uint32{make([]uint32, n), make([]uint32, n)}
	return f, nil
}

// decode decodes a strip or tile.
func (f *fax) decode(dst, src []byte) error {
	if len(dst)%f.rowSize != 0 {
		return errors.New("its fax data have no whole lines")
	}
	f.faxBits = faxBits{src: src, lsb: f.lsb}
	f.endOfLine = false
	f.runs, f.above = f.memory[0], f.memory[1]
	f.above[0], f.above[1] = uint32(f.width), 0
	var err error
	switch f.compression {
	case ccittG3:
		start := f.faxBits
		again := true
		for again {
			dst, again, err = f.group3(dst)
			if again { // without ends of lines
				f.faxBits, f.noEOL, f.endOfLine = start, true, false
			}
		}
	case ccittG4:
		err = f.group4(dst)
	default:
		err = f.modifiedHuffman(dst)
	}
	if f.tiled { // libtiff takes any end of a tile for a good one
		return nil
	}
	return err
}

// group3 decodes lines that an end-of-line code precedes. It returns what is
// left of dst, and again if it has found no such code.
func (f *fax) group3(dst []byte) (rest []byte, again bool, err error) {
	for ; len(dst) > 0; dst = dst[f.rowSize:] {
		f.begin()
		if !f.noEOL {
			found, ended := f.sync()
			if !found && !ended {
				return dst, true, nil
			}
			if ended {
				return dst, false, f.cut(dst)
			}
		}
		oneD := true
		if f.twoD {
			if !f.need(1) {
				return dst, false, f.cut(dst)
			}
			oneD = f.get(1) == 1
			f.drop(1)
		}
		if oneD {
			err = f.oneDimension()
		} else {
			err = f.twoDimensions()
		}
		if err == errFaxRuns {
			return dst, false, err
		}
		f.fill(dst)
		if err != nil {
			return dst, false, err
		}
		if f.twoD {
			if f.n < len(f.runs) {
				if err := f.set(0); err != nil { // a change for the next line to refer to
					return dst, false, err
				}
			}
			f.runs, f.above = f.above, f.runs
		}
	}
	return nil, false, nil
}

// cut completes a line where the data end.
func (f *fax) cut(dst []byte) error {
	if err := f.complete(); err != nil {
		return err
	}
	f.fill(dst)
	return errFaxEnd
}

// group4 decodes lines that refer to the one above. Data that end early are taken for
// good ones if there is a line.
func (f *fax) group4(dst []byte) error {
	for whole := dst; len(dst) > 0; dst = dst[f.rowSize:] {
		f.begin()
		err := f.twoDimensions()
		if err == errFaxRuns {
			return err
		}
		f.fill(dst)
		if err != nil || f.endOfLine {
			if len(dst) == len(whole) {
				return errFaxEnd
			}
			return nil
		}
		if err := f.set(0); err != nil {
			return err
		}
		f.runs, f.above = f.above, f.runs
	}
	return nil
}

// modifiedHuffman decodes lines of one dimension that begin at a byte or at two.
func (f *fax) modifiedHuffman(dst []byte) error {
	for ; len(dst) > 0; dst = dst[f.rowSize:] {
		f.begin()
		err := f.oneDimension()
		if err == errFaxRuns {
			return err
		}
		f.fill(dst)
		if err != nil {
			return err
		}
		if f.compression == ccittRLE {
			f.drop(f.avail & 7)
		} else {
			f.drop(f.avail & 15)
			if f.avail == 0 && (f.at+f.pos)&1 != 0 { // even in the file
				f.pos++
			}
		}
	}
	return nil
}

// begin begins a line.
func (f *fax) begin() {
	f.n = 0
	f.faxLine = faxLine{b1: int(f.above[0]), next: 1, endOfLine: f.endOfLine}
}

// sync moves after the next end-of-line code: 11 zeros or more, and a one. Of the
// code, a line may have ended with the zeros.
func (f *fax) sync() (found, ended bool) {
	if !f.endOfLine {
		for {
			if !f.need(11) {
				return false, true
			}
			if f.get(11) == 0 {
				break
			}
			f.drop(1)
		}
	}
	for {
		if !f.need(8) {
			return false, false
		}
		if f.get(8) != 0 {
			break
		}
		f.drop(8)
	}
	f.drop(bits.TrailingZeros32(f.acc) + 1)
	f.endOfLine = false
	return true, false
}

// set adds a run that ends after n more pixels.
func (f *fax) set(n int) error {
	if f.n >= len(f.runs) {
		return errFaxRuns
	}
	f.runs[f.n] = uint32(f.run + n)
	f.n++
	f.a0 += n
	f.run = 0
	return nil
}

// complete makes a line as wide as the picture.
func (f *fax) complete() error {
	if f.run != 0 {
		if err := f.set(0); err != nil {
			return err
		}
	}
	for f.a0 > f.width && f.n > 0 {
		f.n--
		f.a0 -= int(int32(f.runs[f.n]))
	}
	switch {
	case f.a0 < f.width:
		f.a0 = max(f.a0, 0)
		if f.n&1 != 0 {
			if err := f.set(0); err != nil {
				return err
			}
		}
		return f.set(f.width - f.a0)
	case f.a0 > f.width:
		if err := f.set(f.width); err != nil {
			return err
		}
		return f.set(0)
	}
	return nil
}

// A color of runs.
type color int

const (
	white color = iota
	black
)

// span decodes the codes of a run. It returns false if they are not codes of a run, with
// the state that ended it.
func (f *fax) span(c color) (ok bool, state faxState, err error) {
	table, width := whiteCodes, 12
	if c == black {
		table, width = blackCodes, 13
	}
	for {
		if !f.need(width) {
			return false, 0, errFaxEnd
		}
		code := table[f.get(width)]
		f.drop(int(code.width))
		switch code.state {
		case faxTerminating:
			return true, 0, f.set(int(code.run))
		case faxMakeUp:
			f.a0 += int(code.run)
			f.run += int(code.run)
		default:
			return false, code.state, nil
		}
	}
}

// oneDimension decodes a line of runs.
func (f *fax) oneDimension() error {
	for c := white; ; c = 1 - c {
		ok, state, err := f.span(c)
		if err == errFaxEnd {
			if err := f.complete(); err != nil {
				return err
			}
			return errFaxEnd
		}
		if err != nil {
			return err
		}
		if !ok {
			f.endOfLine = f.endOfLine || state == faxEOL
			return f.complete()
		}
		if f.a0 >= f.width {
			return f.complete()
		}
		if c == black && f.runs[f.n-1] == 0 && f.runs[f.n-2] == 0 {
			f.n -= 2
		}
	}
}

// reference moves b1 to the first change of the line above that is after a0.
func (f *fax) reference() error {
	for f.n > 0 && f.b1 <= f.a0 && f.b1 < f.width {
		if f.next+1 >= len(f.above) {
			return errFaxRuns
		}
		f.b1 += int(int32(f.above[f.next] + f.above[f.next+1]))
		f.next += 2
	}
	return nil
}

// advance moves b1 to the next change.
func (f *fax) advance() error {
	if f.next >= len(f.above) {
		return errFaxRuns
	}
	f.b1 += int(int32(f.above[f.next]))
	f.next++
	return nil
}

// twoDimensions decodes a line that refers to the one above.
func (f *fax) twoDimensions() error {
	done, err := f.changes()
	if err == nil && !done && f.run != 0 {
		if f.run+f.a0 < f.width { // a last vertical code is expected
			if !f.need(1) {
				err = errFaxEnd
			} else if f.get(1) == 1 {
				f.drop(1)
			} else {
				done = true
			}
		}
		if err == nil && !done {
			err = f.set(0)
		}
	}
	if err != nil && err != errFaxEnd {
		return err
	}
	if err := f.complete(); err != nil {
		return err
	}
	return err
}

// changes decodes the codes of a line of two dimensions. done reports that they ended in something else
// than a whole line.
func (f *fax) changes() (done bool, err error) {
	for f.a0 < f.width {
		if f.n >= len(f.runs) {
			return false, errFaxRuns
		}
		if !f.need(7) {
			return false, errFaxEnd
		}
		code := mainCodes[f.get(7)]
		f.drop(int(code.width))
		switch code.state {
		case faxPass:
			if err := f.reference(); err != nil {
				return false, err
			}
			if f.next+1 >= len(f.above) {
				return false, errFaxRuns
			}
			f.b1 += int(int32(f.above[f.next]))
			f.run += f.b1 - f.a0
			f.a0 = f.b1
			f.b1 += int(int32(f.above[f.next+1]))
			f.next += 2
		case faxHorizontal:
			c := color(f.n & 1)
			for _, c := range []color{c, 1 - c} {
				ok, _, err := f.span(c)
				if err != nil || !ok {
					return true, err
				}
			}
			if err := f.reference(); err != nil {
				return false, err
			}
		case faxVertical:
			if ok, err := f.vertical(int(code.run)); !ok {
				return true, err
			}
		case faxExtension, faxEOL:
			f.runs[f.n] = uint32(f.width - f.a0)
			f.n++
			if code.state == faxEOL {
				if !f.need(4) {
					return false, errFaxEnd
				}
				f.drop(4)
				f.endOfLine = true
			}
			return true, nil
		default:
			return true, nil
		}
	}
	return false, nil
}

// vertical ends a run n pixels right of the change above. ok is false if that is left of its beginning.
func (f *fax) vertical(n int) (ok bool, err error) {
	if err := f.reference(); err != nil {
		return false, err
	}
	if n >= 0 {
		if err := f.set(f.b1 - f.a0 + n); err != nil {
			return false, err
		}
		if err := f.advance(); err != nil {
			return false, err
		}
		return true, nil
	}
	if f.b1 < f.a0-n || f.next == 0 {
		return false, nil
	}
	if err := f.set(f.b1 - f.a0 + n); err != nil {
		return false, err
	}
	f.next--
	f.b1 -= int(int32(f.above[f.next]))
	return true, nil
}

// fill draws the runs of a line. White is 0.
func (f *fax) fill(dst []byte) {
	n := f.n
	if n&1 != 0 && n < len(f.runs) {
		f.runs[n] = 0
		n++
	}
	x, width := uint32(0), uint32(f.width)
	for i, run := range f.runs[:n] {
		if x+run > width || run > width {
			run = width - x
			f.runs[i] = run
		}
		drawRun(dst, int(x), int(x+run), i&1 != 0)
		x += run
	}
}

// drawRun sets or clears the bits from one to another.
func drawRun(dst []byte, from, to int, set bool) {
	for from < to {
		mask := uint8(0xff) >> (from & 7)
		end := from&^7 + 8
		if end > to {
			mask &= 0xff << (end - to)
			end = to
		}
		if set {
			dst[from/8] |= mask
		} else {
			dst[from/8] &^= mask
		}
		from = end
	}
}

// faxBits reads bits, the first of them in the least significant place.
type faxBits struct {
	src   []byte
	pos   int
	acc   uint32
	avail int
	lsb   bool
}

// need makes n bits available, which are 0 after the end of the data. It returns false if the data have ended.
func (b *faxBits) need(n int) bool {
	for b.avail < n {
		if b.pos >= len(b.src) {
			if b.avail == 0 {
				return false
			}
			b.avail = n
			break
		}
		v := b.src[b.pos]
		if !b.lsb {
			v = bits.Reverse8(v)
		}
		b.acc |= uint32(v) << b.avail
		b.pos++
		b.avail += 8
	}
	return true
}

func (b *faxBits) get(n int) uint32 { return b.acc & (1<<n - 1) }

func (b *faxBits) drop(n int) {
	b.avail -= n
	b.acc >>= n
}
