package jpeg

// A state is an estimate of how probable a decision is, of the standard's table D.2.
type state struct {
	size uint16 // of the less probable one's part of the interval
	less uint8  // the next state after that one; with its highest bit the decisions change places
	more uint8  // the next state after the more probable one
}

var states = [...]state{
	{0x5a1d, 1 | 0x80, 1}, {0x2586, 14, 2}, {0x1114, 16, 3}, {0x080b, 18, 4}, {0x03d8, 20, 5}, {0x01da, 23, 6},
	{0x00e5, 25, 7}, {0x006f, 28, 8}, {0x0036, 30, 9}, {0x001a, 33, 10}, {0x000d, 35, 11}, {0x0006, 9, 12},
	{0x0003, 10, 13}, {0x0001, 12, 13}, {0x5a7f, 15 | 0x80, 15}, {0x3f25, 36, 16}, {0x2cf2, 38, 17}, {0x207c, 39, 18},
	{0x17b9, 40, 19}, {0x1182, 42, 20}, {0x0cef, 43, 21}, {0x09a1, 45, 22}, {0x072f, 46, 23}, {0x055c, 48, 24},
	{0x0406, 49, 25}, {0x0303, 51, 26}, {0x0240, 52, 27}, {0x01b1, 54, 28}, {0x0144, 56, 29}, {0x00f5, 57, 30},
	{0x00b7, 59, 31}, {0x008a, 60, 32}, {0x0068, 62, 33}, {0x004e, 63, 34}, {0x003b, 32, 35}, {0x002c, 33, 9},
	{0x5ae1, 37 | 0x80, 37}, {0x484c, 64, 38}, {0x3a0d, 65, 39}, {0x2ef1, 67, 40}, {0x261f, 68, 41}, {0x1f33, 69, 42},
	{0x19a8, 70, 43}, {0x1518, 72, 44}, {0x1177, 73, 45}, {0x0e74, 74, 46}, {0x0bfb, 75, 47}, {0x09f8, 77, 48},
	{0x0861, 78, 49}, {0x0706, 79, 50}, {0x05cd, 48, 51}, {0x04de, 50, 52}, {0x040f, 50, 53}, {0x0363, 51, 54},
	{0x02d4, 52, 55}, {0x025c, 53, 56}, {0x01f8, 54, 57}, {0x01a4, 55, 58}, {0x0160, 56, 59}, {0x0125, 57, 60},
	{0x00f6, 58, 61}, {0x00cb, 59, 62}, {0x00ab, 61, 63}, {0x008f, 61, 32}, {0x5b12, 65 | 0x80, 65}, {0x4d04, 80, 66},
	{0x412c, 81, 67}, {0x37d8, 82, 68}, {0x2fe8, 83, 69}, {0x293c, 84, 70}, {0x2379, 86, 71}, {0x1edf, 87, 72},
	{0x1aa9, 87, 73}, {0x174e, 72, 74}, {0x1424, 72, 75}, {0x119c, 74, 76}, {0x0f6b, 74, 77}, {0x0d51, 75, 78},
	{0x0bb6, 77, 79}, {0x0a40, 77, 48}, {0x5832, 80 | 0x80, 81}, {0x4d1c, 88, 82}, {0x438e, 89, 83}, {0x3bdd, 90, 84},
	{0x34ee, 91, 85}, {0x2eae, 92, 86}, {0x299a, 93, 87}, {0x2516, 86, 71}, {0x5570, 88 | 0x80, 89}, {0x4ca9, 95, 90},
	{0x44d9, 96, 91}, {0x3e22, 97, 92}, {0x3824, 99, 93}, {0x32b4, 99, 94}, {0x2e17, 93, 86}, {0x56a8, 95 | 0x80, 96},
	{0x4f46, 101, 97}, {0x47e5, 102, 98}, {0x41cf, 103, 99}, {0x3c3d, 104, 100}, {0x375e, 99, 93}, {0x5231, 105, 102},
	{0x4c0f, 106, 103}, {0x4639, 107, 104}, {0x415e, 103, 99}, {0x5627, 105 | 0x80, 106}, {0x50e7, 108, 107}, {0x4b85, 109, 103},
	{0x5597, 110, 109}, {0x504f, 111, 107}, {0x5a10, 110 | 0x80, 111}, {0x5522, 112, 109}, {0x59eb, 112 | 0x80, 111}, {0x5a1d, 113, 113},
}

// even is the state in which both decisions are always equally probable.
const even = 113

// An arithmetic decodes the decisions that a scan with arithmetic coding is made of.
type arithmetic struct {
	*scan
	code   int64 // where it is in the interval, and bits to come
	size   int64 // of the interval
	shift  int   // how many bits are to come; less than 0 before the first two bytes
	broken bool  // the data are invalid; blocks do not change until the next restart

	// A byte is a state and, in the highest bit, the more probable decision.
	dc [16][64]uint8
	ac [16][256]uint8
}

// reset resets the statistics of a part of the scan.
func (a *arithmetic) reset() {
	a.code, a.size, a.shift, a.broken = 0, 0, -16, false
	for _, c := range a.comps {
		if !a.progressive || a.first == 0 && a.high == 0 {
			a.dc[c.dcNumber] = [64]uint8{}
			c.dc, c.context = 0, 0
		}
		if !a.progressive || a.first > 0 {
			a.ac[c.acNumber] = [256]uint8{}
		}
	}
}

// maxFree bounds the blocks that are decoded of no data.
const maxFree = 1 << 23

// input returns the next byte. After a marker it returns zeros; data without a marker at the end must be long enough.
func (a *arithmetic) input() int64 {
	r := &a.r
	if r.pos < len(r.data)-slack {
		r.pos++
		return int64(r.data[r.pos-1])
	}
	a.short = a.short || a.decoder.pos == len(a.decoder.data)
	return 0
}

// decide decodes a decision.
func (a *arithmetic) decide(s *uint8) bool {
	for a.size < 0x8000 {
		if a.shift--; a.shift < 0 {
			a.code = a.code<<8 | a.input()
			if a.shift += 8; a.shift < 0 {
				if a.shift++; a.shift == 0 {
					a.size = 0x8000
				}
			}
		}
		a.size <<= 1
	}
	more, is := *s&0x80, &states[*s&0x7f]
	less := int64(is.size)
	a.size -= less
	lower := a.code < a.size<<a.shift // the decision of the lower part of the interval, the more probable one unless it is small
	switch {
	case lower && a.size >= 0x8000:
		return more != 0
	case lower == (a.size >= less):
		*s = more ^ is.more
	default:
		*s = more ^ is.less
		more ^= 0x80
	}
	if !lower {
		a.code -= a.size << a.shift
		a.size = less
	}
	return more != 0
}

// even decodes a decision that is as probable as its opposite.
func (a *arithmetic) even() bool {
	s := uint8(even)
	return a.decide(&s)
}

// magnitude decodes the bits of a number less 1 below its highest one, m, whose decisions are at bins[0] on.
func (a *arithmetic) magnitude(m int32, bins *uint8, negative bool) int32 {
	v := m
	for m >>= 1; m != 0; m >>= 1 {
		if a.decide(bins) {
			v |= m
		}
	}
	if v++; negative {
		return -v
	}
	return v
}

// category decodes how many bits a number has, beginning with m, and returns its highest bit and the last of the bins.
func (a *arithmetic) category(m int32, bins []uint8, at int) (int32, int) {
	for a.decide(&bins[at]) {
		if m <<= 1; m == 0x8000 {
			a.broken = true
			break
		}
		at++
	}
	return m, at
}

// level decodes the DC coefficient of a block, except for its lower bits.
func (a *arithmetic) level(c *component, block *[128]int16, low uint) {
	bins := a.dc[c.dcNumber][:]
	at := c.context
	if !a.decide(&bins[at]) {
		c.context = 0
	} else {
		sign, m := 0, int32(0)
		if a.decide(&bins[at+1]) {
			sign = 1
		}
		if at += 2 + sign; a.decide(&bins[at]) {
			if m, at = a.category(1, bins, 20); a.broken {
				return
			}
		}
		switch {
		case m < 1<<a.dcLow[c.dcNumber]>>1:
			c.context = 0
		case m > 1<<a.dcHigh[c.dcNumber]>>1:
			c.context = 12 + 4*sign
		default:
			c.context = 4 + 4*sign
		}
		c.dc = (c.dc + a.magnitude(m, &bins[at+14], sign == 1)) & 0xffff
	}
	block[0] = int16(c.dc << low)
}

// waves decodes the AC coefficients from first to last, except for their lower
// bits.
func (a *arithmetic) waves(c *component, block *[128]int16, first, last int, low uint) {
	bins := a.ac[c.acNumber][:]
	for k := first; k <= last; k++ {
		at := 3 * (k - 1)
		if a.decide(&bins[at]) {
			return
		}
		for !a.decide(&bins[at+1]) {
			at += 3
			if k++; k > last {
				a.broken = true
				return
			}
		}
		negative, m := a.even(), int32(0)
		if at += 2; a.decide(&bins[at]) {
			if m = 1; a.decide(&bins[at]) {
				at = 217
				if k <= int(a.acLow[c.acNumber]) {
					at = 189
				}
				if m, at = a.category(2, bins, at); a.broken {
					return
				}
			}
		}
		block[zigzag[k]] = int16(a.magnitude(m, &bins[at+14], negative) << low)
	}
}

// refine decodes one more bit of the AC coefficients.
func (a *arithmetic) refine(c *component, block *[128]int16) {
	bins := a.ac[c.acNumber][:]
	known := a.last
	for known > 0 && block[zigzag[known]] == 0 {
		known--
	}
	bit := int16(1) << a.low
	for k := a.first; k <= a.last; k++ {
		at := 3 * (k - 1)
		if k > known && a.decide(&bins[at]) {
			return
		}
		for {
			v := &block[zigzag[k]]
			if *v != 0 {
				if a.decide(&bins[at+2]) {
					if *v < 0 {
						*v -= bit
					} else {
						*v += bit
					}
				}
				break
			}
			if a.decide(&bins[at+1]) {
				if *v = bit; a.even() {
					*v = -bit
				}
				break
			}
			at += 3
			if k++; k > a.last {
				a.broken = true
				return
			}
		}
	}
}

// block decodes a scan's part of a block.
func (a *arithmetic) block(c *component, x, y int) {
	if a.broken {
		return
	}
	if a.r.pos >= len(a.r.data)-slack {
		if a.free++; a.free > maxFree {
			a.short, a.over, a.dry = true, true, true
		}
	}
	block := c.block(x, y)
	switch {
	case !a.progressive:
		if a.level(c, block, 0); !a.broken {
			a.waves(c, block, 1, 63, 0)
		}
	case a.first > 0 && a.high == 0:
		a.waves(c, block, a.first, a.last, a.low)
	case a.first > 0:
		a.refine(c, block)
	case a.high == 0:
		a.level(c, block, a.low)
	default:
		if a.even() {
			block[0] |= 1 << a.low
		}
	}
}
