package jpeg

// A careful reads a sequential scan as libjpeg does, to the bit that it has in its buffer. That takes longer, and matters only
// where the data end without a marker, since then it depends on the buffer whether they are enough,
// and where a byte 0xff of the data is written as ff ff 00.
type careful struct {
	*scan
	buffer
	marker bool // one has been met
	at     int  // where
	end    int  // of the part of the file that Pillow has handed over
	quick  bool // the buffer is filled in the way that does not look for the end of the data
	hit    bool // and a marker was met in that way
}

// A buffer is the state that is restored if a block must be read again.
type buffer struct {
	pos int // of the next byte to read, in the file
	acc uint64
	n   int // bits in acc
	dc  [4]int32
}

// A place is where the coefficients of a block of a component go.
type place struct {
	i     int // the component
	block *[128]int16
}

const (
	handed     = 1 << 16 // how much of a file Pillow hands over at once
	fullBuffer = 57
	quickBlock = 512 // bytes that must be there for a block that is read quickly
)

// delicate reports whether the scan is to be read carefully.
func (s *scan) delicate() bool {
	return !s.progressive && s.arithmetic == nil && (s.padded && s.restart == 0 || !s.ended())
}

// carefully reads the scan into the components' coefficients.
func (s *scan) carefully() {
	c := &careful{scan: s, buffer: buffer{pos: s.from}}
	var places []place
	if len(s.comps) == 1 {
		k := s.comps[0]
		for y := range k.bh {
			for x := range k.bw {
				if !c.next(append(places[:0], place{0, k.block(x, y)})) {
					return
				}
			}
		}
	} else {
		for my := range s.mh {
			for mx := range s.mw {
				places = places[:0]
				for i, k := range s.comps {
					for y := range k.v {
						for x := range k.h {
							places = append(places, place{i, k.block(mx*k.h+x, my*k.v+y)})
						}
					}
				}
				if !c.next(places) {
					return
				}
			}
		}
	}
	s.decoder.pos = c.pos
	if c.marker {
		s.decoder.pos = c.at
	}
}

// next reads an MCU. It reports whether there are data, or a marker after which there need not be any.
func (c *careful) next(places []place) bool {
	if c.restart > 0 {
		if c.left == 0 {
			c.left = c.restart
			if !c.restarted() {
				return false
			}
		}
		c.left--
	}
	c.end = max(c.end, min(ceil(max(c.pos, 1), handed)*handed, len(c.data)))
	for was := c.buffer; !c.dry; {
		c.quick, c.hit = c.restart == 0 && !c.marker && c.end-c.pos >= quickBlock*len(places), false
		if c.quick {
			if c.mcu(places); !c.hit {
				break
			}
			c.quick, c.buffer = false, was // but the coefficients stay
		}
		if c.mcu(places) {
			break
		}
		if c.end == len(c.data) {
			c.short = true
			return false
		}
		c.end = min(c.end+handed, len(c.data))
		c.buffer = was
		if len(c.comps) < c.Channels {
			continue // coefficients that are kept are not cleared
		}
		for _, p := range places {
			for _, at := range zigzag[:64] {
				p.block[at] = 0
			}
		}
	}
	return true
}

// restarted goes to the data after the next restart marker, and reports whether there is a marker.
func (c *careful) restarted() bool {
	c.decoder.pos = c.pos
	if c.marker {
		c.decoder.pos = c.at
	}
	found := c.seek()
	c.buffer = buffer{pos: c.decoder.pos}
	c.marker, c.at = !found, c.pos
	return !c.short
}

// mcu decodes an MCU, and reports whether the bytes provided so far were enough.
func (c *careful) mcu(places []place) bool {
	for _, p := range places {
		k := c.comps[p.i]
		size, ok := c.symbol(k.dcTable)
		if !ok {
			return false
		}
		v, ok := c.value(uint(size))
		if !ok {
			return false
		}
		c.dc[p.i] += v
		p.block[0] = int16(c.dc[p.i])
		for at := 1; at < 64; at++ {
			s, ok := c.symbol(k.acTable)
			if !ok {
				return false
			}
			run, size := int(s>>4), uint(s&15)
			if size == 0 {
				if run < 15 {
					break
				}
				at += run
				continue
			}
			if v, ok = c.value(size); !ok {
				return false
			}
			at += run
			p.block[zigzag[at]] = int16(v)
		}
	}
	return true
}

// value decodes a number of some bits.
func (c *careful) value(size uint) (int32, bool) {
	if size == 0 {
		return 0, true
	}
	if !c.fill(int(size), int(size)) {
		return 0, false
	}
	return extend(c.take(size), size), true
}

// symbol decodes a symbol.
func (c *careful) symbol(t *table) (uint8, bool) {
	const look = 8 // bits that libjpeg looks at first
	if !c.fill(look, 0) {
		return 0, false
	}
	l := uint(1)
	if c.n >= look {
		if code := t.codes[c.acc>>(c.n-look)&(1<<look-1)<<(peek-look)]; 0 < code&63 && code&63 <= look {
			c.n -= int(code & 63)
			return uint8(code >> 8), true
		}
		l = look + 1
	}
	if !c.fill(int(l), int(l)) {
		return 0, false
	}
	code := c.take(l)
	for ; l <= 16 && code >= t.limit[l]; l++ {
		if !c.fill(1, 1) {
			return 0, false
		}
		code = code<<1 | c.take(1)
	}
	if l > 16 {
		return 0, true
	}
	return t.symbols[(code+t.first[l])&255], true
}

// take returns bits that are in the buffer.
func (c *careful) take(n uint) int32 {
	c.n -= int(n)
	return int32(c.acc>>c.n) & (1<<n - 1)
}

// fill fills the buffer if it has less than some bits. It reports whether what is handed over of the file fills it, or a
// marker ends the data, after which zeros make up for the bits that are needed.
func (c *careful) fill(less, need int) bool {
	if c.quick {
		c.fillQuick()
		return true
	}
	if c.n >= less {
		return true
	}
	for c.n < fullBuffer && !c.marker {
		b, ok := c.read()
		if b == 0xff {
			for ok && b == 0xff {
				b, ok = c.read()
			}
			if ok && b != 0 {
				c.marker, c.at = true, c.pos-2
				break
			}
			b = 0xff
		}
		if !ok {
			return false
		}
		c.acc = c.acc<<8 | uint64(b)
		c.n += 8
	}
	if c.n < need {
		c.dry = true
		c.acc <<= fullBuffer - c.n
		c.n = fullBuffer
	}
	return true
}

// read returns the next byte of what is handed over.
func (c *careful) read() (byte, bool) {
	if c.pos == c.end {
		return 0, false
	}
	c.pos++
	return c.data[c.pos-1], true
}

// fillQuick fills the buffer by six bytes. Any byte but 0 after 0xff is a marker, and zeros come after it.
func (c *careful) fillQuick() {
	if c.n > 16 {
		return
	}
	for range 6 {
		b := c.data[c.pos]
		c.pos++
		c.acc = c.acc<<8 | uint64(b)
		c.n += 8
		if b != 0xff {
			continue
		}
		if c.pos++; c.data[c.pos-1] != 0 {
			c.hit = true
			c.pos -= 2
			c.acc &^= 0xff
		}
	}
}
