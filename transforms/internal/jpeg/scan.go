package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// A scan is a part of the picture's data: some components, and in progressive
// pictures some of their coefficients.
type scan struct {
	*decoder
	r           reader
	comps       []*component
	first, last int  // the coefficients
	high, low   uint // bits known before, and bits left for later scans

	next byte  // number of the next restart marker
	left int   // MCUs until then
	dry  bool  // the data have ended; blocks stay as they are until the next restart
	over bool  // and there is none
	ends int32 // blocks that hold no more coefficients of this scan

	from   int  // where its data begin in the file
	padded bool // a byte of them is written with more than one byte 0xff

	arithmetic *arithmetic // nil if it has Huffman codes
}

// maxScans limits the work that a small file can cause, as TurboJPEG's TJFLAG_LIMITSCANS does.
const maxScans = 500

var errProgression = errors.New("a scan's progression is damaged")

// newScan reads a scan's header.
func (d *decoder) newScan(h []byte) (*scan, error) {
	if d.scans++; d.scans > maxScans {
		return nil, fmt.Errorf("it has more than %d scans", maxScans)
	}
	n := int(h[0])
	s := &scan{decoder: d, left: d.restart, from: d.pos}
	p := h[1+2*n:]
	s.first, s.last, s.high, s.low = int(p[0]), int(p[1]), uint(p[2]>>4), uint(p[2]&15)
	if d.progressive {
		dc := s.first == 0
		if dc && s.last != 0 || !dc && (s.first > s.last || s.last > 63 || n != 1) || s.high != 0 && s.high != s.low+1 || s.low > 13 {
			return nil, errProgression
		}
	}
	blocks := 0
	for i := range n {
		id, tables := int(h[1+2*i]), h[2+2*i]
		var c *component
		for _, k := range d.comps {
			if k.id == id && !slices.Contains(s.comps, k) {
				c = k
				break
			}
		}
		if c == nil {
			return nil, fmt.Errorf("a scan is of component %d, which is not there", id)
		}
		if err := s.prepare(c, tables>>4, tables&15); err != nil {
			return nil, err
		}
		s.comps = append(s.comps, c)
		blocks += c.h * c.v
	}
	if n > 1 && blocks > 10 {
		return nil, errors.New("a scan has too many blocks in an MCU")
	}
	if d.arithmetic {
		s.arithmetic = &arithmetic{scan: s}
		s.arithmetic.reset()
	}
	return s, nil
}

// prepare looks up a component's tables.
func (s *scan) prepare(c *component, dc, ac uint8) error {
	if !c.scanned {
		if c.table > 3 || s.quants[c.table] == nil {
			return errors.New("a quantization table is missing")
		}
		c.scanned = true
		for k, q := range s.quants[c.table] {
			at := zigzag[k]
			c.quant[at], c.quant[at+8] = q, q
		}
	}
	c.dc = 0
	if s.progressive {
		if s.scans > 1 {
			c.before = c.bits
		}
		for k := s.first; k <= s.last; k++ {
			c.bits[k] = int8(s.low)
		}
	}
	if c.dcNumber, c.acNumber = dc, ac; s.decoder.arithmetic {
		return nil
	}
	var err error
	if !s.progressive || s.first == 0 && s.high == 0 {
		c.dcTable, err = s.lookUp(&s.dcTables, dc, true)
	}
	if err == nil && (!s.progressive || s.first > 0) {
		c.acTable, err = s.lookUp(&s.acTables, ac, false)
	}
	return err
}

// lookUp returns a Huffman table, ready to use.
func (d *decoder) lookUp(tables *[4]*table, id uint8, dc bool) (*table, error) {
	if id > 3 {
		return nil, errHuffman
	}
	if tables[id] == nil {
		if d.progressive || id > 1 {
			return nil, errors.New("a Huffman table is missing")
		}
		tables[id] = standard(id, dc) // which Motion JPEG leaves out
	}
	return tables[id], tables[id].prepare()
}

// fill takes the data up to the next marker.
func (s *scan) fill() {
	d := s.decoder
	data := d.data
	buf := slices.Grow(d.clean[:0], len(data)-d.pos+slack)
	for {
		rest := data[d.pos:]
		i := bytes.IndexByte(rest, 0xff)
		if i < 0 {
			buf = append(buf, rest...)
			d.pos = len(d.data)
			break
		}
		j := i + 1
		for j < len(rest) && rest[j] == 0xff {
			j++
		}
		if j == len(rest) {
			data = data[:d.pos+i]
			continue
		}
		if rest[j] != 0 {
			buf = append(buf, rest[:i]...)
			d.pos += i
			break
		}
		s.padded = s.padded || j > i+1
		buf = append(buf, rest[:i+1]...)
		d.pos += j + 1
	}
	d.clean = append(buf, make([]byte, slack)...)
	s.r = reader{data: d.clean}
}

// mcu is called before each MCU. It sees to restarts, and reports whether there are data.
func (s *scan) mcu() bool {
	if s.restart > 0 && !s.over {
		if s.left == 0 {
			s.left = s.restart
			s.resync()
		}
		s.left--
	}
	return !s.dry
}

// advance is called before mcu, with the row of MCUs that is next.
func (s *scan) advance(my int) {
	if !s.dry {
		s.good = my
	}
}

// check is called after each MCU.
func (s *scan) check() {
	if s.arithmetic == nil && s.r.exhausted() {
		s.dry, s.over = true, s.restart == 0
		s.short = s.short || s.decoder.pos == len(s.decoder.data) // and no marker ended them
	}
}

// seek moves beyond the next restart marker. At another marker, it guesses as jpeg_resync_to_restart does, and may
// stay before that. It reports whether data are next.
func (s *scan) seek() (found bool) {
	d := s.decoder
	for {
		m, err := d.next()
		if err != nil {
			s.short, s.over, s.dry = true, true, true
			break
		}
		known := m >= rst0 && m < rst0+8
		off := (m - rst0 - s.next) & 7
		switch {
		case known && off != 1 && off != 2 && off != 6 && off != 7:
			found = true // the one that is due, or one so far off that it may as well be
		case m < sof0 || known && off >= 6: // nonsense, or one that has been
			continue
		default: // one to come, or of something else
			d.pos -= 2
			s.over = s.dry && !known
		}
		break
	}
	s.next = (s.next + 1) & 7
	if found {
		s.dry = false
	}
	return found
}

// resync goes to the data after the next restart marker.
func (s *scan) resync() {
	s.seek()
	for _, c := range s.comps {
		c.dc = 0
	}
	s.ends = 0
	s.fill()
	if s.arithmetic != nil {
		s.arithmetic.reset()
	}
}

// skip skips the scan's last MCUs.
func (s *scan) skip(mcus int) {
	for s.restart > 0 && mcus > s.left && !s.over {
		mcus -= s.left
		s.left, s.dry = s.restart, true
		s.resync()
	}
}

// pair returns where the coefficients of a block and the one beside it are kept.
func (c *component) pair(x, y int) []int16 {
	return c.coefs[pairSize*(y*((c.pw+1)/2)+x/2):][:pairSize]
}

// block returns where the coefficients of a block are kept: every second place of eight, see pair.
func (c *component) block(x, y int) *[128]int16 {
	return (*[128]int16)(c.pair(x, y)[x%2*8:])
}

// all reads the scan, whose data are taken, into the components' coefficients.
func (s *scan) all() {
	if s.delicate() {
		s.carefully()
		return
	}
	decode := s.sequential
	if s.arithmetic != nil {
		decode = s.arithmetic.block
	} else if s.progressive {
		switch {
		case s.first == 0 && s.high == 0:
			decode = s.dcFirst
		case s.first == 0:
			decode = s.dcRefine
		case s.high == 0:
			decode = s.acFirst
		default:
			decode = s.acRefine
		}
	}
	if len(s.comps) == 1 {
		c := s.comps[0]
		for y := range c.bh {
			for x := range c.bw {
				s.advance(y / c.tall)
				switch {
				case s.mcu():
					decode(c, x, y)
					s.check()
				case s.over:
					return
				}
			}
		}
		return
	}
	for my := range s.mh {
		for mx := range s.mw {
			s.advance(my)
			if !s.mcu() {
				if s.over {
					return
				}
				continue
			}
			for _, c := range s.comps {
				for y := range c.v {
					for x := range c.h {
						decode(c, mx*c.h+x, my*c.v+y)
					}
				}
			}
			s.check()
		}
	}
}

func (s *scan) sequential(c *component, x, y int) {
	block := c.block(x, y)
	c.dc += s.r.dc(c.dcTable)
	block[0] = int16(c.dc)
	s.r.ac(c.acTable, block)
}

func (s *scan) dcFirst(c *component, x, y int) {
	c.dc += s.r.dc(c.dcTable)
	c.block(x, y)[0] = int16(c.dc << s.low)
}

func (s *scan) dcRefine(c *component, x, y int) {
	if s.r.bit() {
		c.block(x, y)[0] |= 1 << s.low
	}
}

func (s *scan) acFirst(c *component, x, y int) {
	if s.ends > 0 {
		s.ends--
		return
	}
	block, mask := c.block(x, y), &c.masks[y*c.pw+x]
	data, pos, acc, n := s.r.data, s.r.pos, s.r.acc, s.r.n
	low := s.low & 15
	for k := s.first; k <= s.last; k++ {
		if n < 32 {
			pos, acc, n = refill(data, pos, acc, n)
		}
		e := c.acTable.lookup[acc>>(64-peek)]
		l, run, size, value := e.bits(), e.run(), e.size(), int32(e.value())
		if l == 0 {
			var v uint8
			v, l = c.acTable.long(acc, peek+1)
			run, size = int(v>>4), uint(v&15)
		}
		acc <<= l & 63
		n -= l
		switch {
		case value != 0:
		case size != 0:
			value = extend(int32(acc>>1>>(63-size)), size)
			acc <<= size
			n -= size
		case run == 15:
			k += 15
			continue
		default:
			s.ends = 1<<run + int32(acc>>1>>(63-run)) - 1
			acc <<= run
			n -= uint(run)
			k = s.last
			continue
		}
		k += run
		put(block, mask, k, int16(value<<low))
	}
	s.r.pos, s.r.acc, s.r.n = pos, acc, n
}

// put sets a coefficient.
func put(block *[128]int16, mask *uint64, k int, v int16) {
	k = min(k, 63) // libjpeg's place for coefficients beyond the block
	block[zigzag[k]&127] = v
	*mask &^= 1 << k
	if v != 0 {
		*mask |= 1 << k
	}
}

// acRefine goes over the coefficients in steps: those that are known get a bit more, up to the place of a new one.
func (s *scan) acRefine(c *component, x, y int) {
	block, mask := c.block(x, y), &c.masks[y*c.pw+x]
	data, pos, acc, n := s.r.data, s.r.pos, s.r.acc, s.r.n
	low := s.low & 15
	for k := s.first; k <= s.last; {
		end, value := s.last+1, int16(0)
		if s.ends == 0 {
			if n < 32 {
				pos, acc, n = refill(data, pos, acc, n)
			}
			code := c.acTable.codes[acc>>(64-peek)]
			v, l := uint8(code>>8), uint(code&63)
			if l == 0 {
				v, l = c.acTable.long(acc, peek+1)
			}
			acc <<= l
			n -= l
			run := uint(v >> 4)
			switch {
			case v&15 != 0: // a new one, of this sign
				value = (int16(acc>>63)*2 - 1) << low
				acc <<= 1
				n--
			case run < 15: // none in this and some more blocks
				s.ends = 1<<run + int32(acc>>1>>(63-run))
				acc <<= run
				n -= run
			}
			if s.ends == 0 {
				zeros := ^*mask >> (k & 63) << (k & 63)
				for ; run > 0; run-- {
					zeros &= zeros - 1
				}
				end = min(bits.TrailingZeros64(zeros), end)
			}
		}
		m := *mask >> (k & 63) << (k & 63)
		if end < 64 {
			m &= 1<<(end&63) - 1
		}
		for ; m != 0; m &= m - 1 {
			if n == 0 {
				pos, acc, n = refill(data, pos, acc, n)
			}
			at := bits.TrailingZeros64(m) & 63
			p := &block[zigzag[at]&127]
			// A branch on the bit would be guessed wrong half of the time.
			sign, bit := *p>>15, int16(acc>>63)<<low
			acc <<= 1
			n--
			bit &^= *p // which would be there already
			if *p += bit ^ sign - sign; *p == 0 {
				*mask &^= 1 << at
			}
		}
		if value != 0 {
			put(block, mask, end, value)
		}
		k = end + 1
	}
	if s.ends > 0 {
		s.ends--
	}
	s.r.pos, s.r.acc, s.r.n = pos, acc, n
}
