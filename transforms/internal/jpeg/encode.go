package jpeg

import (
	"encoding/binary"
	"math/bits"
)

// A Subsampling is the ratio of the resolutions of color and brightness.
type Subsampling int

// The subsamplings of Pillow's save.
const (
	S420 Subsampling = iota
	S422
	S444
)

// EncodeOptions are the options of encoding.
type EncodeOptions struct {
	Quality     int         // 1 to 100
	YCbCr       bool        // three channels are brightness and color, and not RGB
	Subsampling Subsampling // of one channel it is written into the file, and means nothing
	Progressive bool
}

// Encode encodes w×h pixels of 1, 3 or 4 channels with the accurate integer DCT: the bytes
// of libjpeg-turbo, and of Pillow's save. Four channels are inks as they are to be in the file, which is
// inverted in Adobe's; all but the first are subsampled. The sides are 1 to MaxSide, and pix has all pixels.
func Encode(pix []uint8, w, h, channels int, o EncodeOptions) []byte {
	e := newEncoder(pix, w, h, channels, o)
	if o.Progressive {
		for _, p := range script(channels) {
			e.progressiveScan(p)
		}
	} else {
		e.sequentialScan(e.comps)
	}
	return append(e.out, 0xff, eoi)
}

// newEncoder returns an encoder that is to write scans.
func newEncoder(pix []uint8, w, h, channels int, o EncodeOptions) *encoder {
	e := &encoder{pix: pix, w: w, h: h, channels: channels, progressive: o.Progressive, raw: channels != 3 || o.YCbCr, maxH: 1, maxV: 1}
	e.factors = [...]byte{S420: 0x22, S422: 0x21, S444: 0x11}[o.Subsampling]
	if channels > 1 {
		e.maxH, e.maxV = int(e.factors>>4), int(e.factors&15)
	}
	e.quantTables(o.Quality)
	e.mw, e.mh = ceil(w, 8*e.maxH), ceil(h, 8*e.maxV)
	e.frame()
	e.begin()
	return e
}

// An encoder writes one JPEG.
type encoder struct {
	pix            []uint8
	w, h, channels int
	progressive    bool
	raw            bool // the pixels are samples
	factors        byte // of the first component, as the frame has them
	maxH, maxV     int
	mw, mh         int // in MCUs
	comps          []*plan
	quants         [2][64]uint16 // in zigzag order
	divisors       [2]divisors

	lines [][4][]uint8 // rows of each component, at the picture's size
	top   int          // the row of MCUs that the blocks begin with

	out []byte
	acc uint64 // bits that wait to be written, the last being the lowest
	n   uint
}

// A plan is a component and its coefficients.
type plan struct {
	id      int
	table   int     // of quantization, and Huffman's
	h, v    int     // blocks in an MCU
	bw, bh  int     // in blocks, without what fills up the last MCU
	pw, ph  int     // in blocks, with it
	samples []uint8 // of a row of MCUs
	blocks  [][64]int16
	masks   []uint64 // of each block, which coefficients are not 0, the first being the lowest bit
	dc      int
}

func (e *encoder) quantTables(quality int) {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	for i, base := range standardQuants {
		for k, at := range natural {
			e.quants[i][k] = uint16(min(max((int(base[at])*scale+50)/100, 1), 255))
		}
		e.divisors[i] = newDivisors(&e.quants[i])
	}
}

// marker writes a marker and its segment.
func (e *encoder) marker(m byte, segment ...byte) {
	n := len(segment) + 2
	e.out = append(append(e.out, 0xff, m, byte(n>>8), byte(n)), segment...)
}

// frame writes everything before the scans.
func (e *encoder) frame() {
	e.out = append(make([]byte, 0, 1<<10+e.w*e.h*e.channels/8), 0xff, soi)
	if e.channels == 4 {
		e.marker(app14, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...)
	} else {
		e.marker(app0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")...)
	}
	sof := byte(sof0)
	if e.progressive {
		sof = sof2
	}
	segment := []byte{8, byte(e.h >> 8), byte(e.h), byte(e.w >> 8), byte(e.w), byte(e.channels)}
	for i := range e.channels {
		c := &plan{id: i + 1, h: 1, v: 1}
		if i == 0 {
			c.h, c.v = e.maxH, e.maxV
		}
		if e.channels == 4 {
			c.id = int("CMYK"[i])
		} else if i > 0 {
			c.table = 1
		}
		c.bw, c.bh = ceil(e.w*c.h, 8*e.maxH), ceil(e.h*c.v, 8*e.maxV)
		c.pw, c.ph = e.mw*c.h, e.mh*c.v
		e.comps = append(e.comps, c)
		factors := byte(0x11)
		if i == 0 {
			factors = e.factors
		}
		segment = append(segment, byte(c.id), factors, byte(c.table))
		if i == c.table {
			table := []byte{byte(c.table)}
			for _, q := range e.quants[c.table] {
				table = append(table, byte(q))
			}
			e.marker(dqt, table...)
		}
	}
	e.marker(sof, segment...)
}

// begin makes room for the coefficients: of the whole picture for several scans, or of a row of MCUs.
func (e *encoder) begin() {
	rows := 1
	if e.progressive {
		rows = e.mh
	}
	for _, c := range e.comps {
		c.samples = make([]uint8, c.stride()*8*c.v+2*margin)
		c.blocks, c.masks = make([][64]int16, c.pw*c.v*rows), make([]uint64, c.pw*c.v*rows)
	}
	e.lines = make([][4][]uint8, e.maxV)
	for i := range e.lines {
		for j := range e.channels {
			e.lines[i][j] = make([]uint8, 8*e.maxH*e.mw+2*margin)
		}
	}
	if e.progressive {
		for my := range e.mh {
			e.row(my)
		}
	}
}

// row transforms and quantizes a row of MCUs.
func (e *encoder) row(my int) {
	if !e.progressive {
		e.top = my
	}
	last := ceil(e.h, e.maxV) - 1 // the last row of coarse samples, which is repeated below
	for y := range 8 {
		for i := range e.lines {
			row := min((8*my+y)*e.maxV+i, e.h-1)
			e.convert(&e.lines[i], e.pix[e.channels*e.w*row:][:e.channels*e.w])
		}
		for i, c := range e.comps {
			if 8*my+y > last && c.v < e.maxV {
				copy(c.samples[y*c.stride():], c.samples[(y-1)*c.stride():][:c.stride()])
				continue
			}
			c.downsample(y, e.lines, i, e.maxH, e.maxV)
		}
	}
	for _, c := range e.comps {
		for v := range c.v {
			at := e.at(c, 0, my*c.v+v)
			row := c.blocks[at : at+c.pw]
			made := 0
			if my*c.v+v < c.bh {
				made = c.bw
				c.forward(row[:made], c.samples[8*v*c.stride():], &e.divisors[c.table])
				for x := range row[:made] {
					c.masks[at+x] = zigzagged(nonzero(&row[x]))
				}
			}
			for x := made; x < c.pw; x++ { // what fills up MCUs is as dark as what is beside or above it
				from := at + x - 1
				if made == 0 {
					from = at - c.pw + x/c.h*c.h + c.h - 1
				}
				row[x], c.masks[at+x] = [64]int16{c.blocks[from][0]}, 0
			}
		}
	}
}

// at returns which of a component's blocks one is.
func (e *encoder) at(c *plan, x, y int) int { return (y-e.top*c.v)*c.pw + x }

// stride is how far the rows of samples are apart.
func (c *plan) stride() int { return 8*c.bw + 8 }

// convert makes the components of a row of pixels, the last of which is repeated.
func (e *encoder) convert(line *[4][]uint8, pix []uint8) {
	switch {
	case e.channels == 1:
		copy(line[0], pix)
	case e.raw:
		for i, l := range line[:e.channels] {
			for x := range e.w {
				l[x] = pix[e.channels*x+i]
			}
		}
	default:
		convert(line[0][:e.w], line[1], line[2], pix)
	}
	for _, l := range line[:e.channels] {
		edge := l[e.w : len(l)-2*margin]
		for x := range edge {
			edge[x] = l[e.w-1]
		}
	}
}

// downsample makes row y, or rows, of a component's samples.
func (c *plan) downsample(y int, lines [][4][]uint8, i, maxH, maxV int) {
	out := c.samples[y*c.stride():]
	switch {
	case c.h == maxH && c.v == maxV:
		for v := range c.v {
			copy(c.samples[(y*c.v+v)*c.stride():][:8*c.bw], lines[v][i])
		}
	case c.v == maxV:
		halve(out, lines[0][i], 8*c.bw)
	default:
		quarter(out, lines[0][i], lines[1][i], 8*c.bw)
	}
}

// forward makes a row of blocks.
func (c *plan) forward(blocks [][64]int16, samples []uint8, q *divisors) {
	x := 0
	if simd {
		_ = samples[7*c.stride()+8*c.bw-1]
		for ; x+1 < c.bw; x += 2 {
			forward2(&blocks[x], &blocks[x+1], &samples[8*x], c.stride(), q)
		}
	}
	for ; x < c.bw; x++ {
		forwardGo(&blocks[x], samples[8*x:], c.stride(), q)
	}
}

// divisors divide the transform's results, each by eight times its quantization factor. A number's
// size plus half is multiplied by mul and by shift, and of either product the upper 16 bits are kept.
type divisors struct{ mul, half, shift [64]uint16 }

func newDivisors(quants *[64]uint16) (d divisors) {
	for k, at := range natural {
		q := 8 * uint32(quants[k])
		shift := 15 + bits.Len32(q)
		mul, rest, half := uint32(1<<shift)/q, uint32(1<<shift)%q, q/2
		switch {
		case rest == 0:
			mul, shift = mul/2, shift-1
		case rest <= q/2:
			half++
		default:
			mul++
		}
		d.mul[at], d.half[at], d.shift[at] = uint16(mul), uint16(half), uint16(1<<(32-shift))
	}
	return d
}

// put appends bits, at most 31, to the scan.
func (e *encoder) put(v uint32, n uint) {
	e.acc = e.acc<<(n&31) | uint64(v&(1<<(n&31)-1))
	if e.n += n; e.n >= 32 {
		e.drain()
	}
}

// drain writes all whole bytes that wait.
func (e *encoder) drain() {
	for e.n >= 8 {
		e.n -= 8
		b := byte(e.acc >> (e.n & 63))
		e.out = append(e.out, b)
		if b == 0xff {
			e.out = append(e.out, 0)
		}
	}
}

// flush fills up the last byte of a scan.
func (e *encoder) flush() {
	e.put(0x7f, 7)
	e.drain()
	e.acc, e.n = 0, 0
}

// A code is a Huffman code to write with.
type code struct {
	counts  [17]uint8
	symbols []uint8
	words   [256]uint32 // of each symbol the code and, in the lowest five bits, its length
}

func newCode(counts [17]uint8, symbols []uint8) *code {
	c := &code{counts: counts, symbols: symbols}
	next, i := uint32(0), 0
	for l := 1; l <= 16; l++ {
		for range counts[l] {
			c.words[symbols[i]] = next<<5 | uint32(l)
			next++
			i++
		}
		next <<= 1
	}
	return c
}

// define writes the code for decoders. The class is 0 for DC and 1 for AC.
func (e *encoder) define(c *code, class, id int) {
	e.marker(dht, append(append([]byte{byte(class<<4 | id)}, c.counts[1:]...), c.symbols...)...)
}

func (e *encoder) symbol(c *code, s uint8) { e.put(c.words[s]>>5, uint(c.words[s]&31)) }

// size returns how many bits a number needs, and the bits.
func size(v int) (uint, uint32) {
	s := v >> 63 // -1 below 0; a branch would be guessed wrong half of the time
	return uint(bits.Len(uint(v ^ s - s))), uint32(v + s)
}

// sequentialScan writes all coefficients of components with the standard's codes.
func (e *encoder) sequentialScan(comps []*plan) {
	var dc, ac [2]*code
	for _, c := range comps {
		i := c.table
		if dc[i] != nil {
			continue
		}
		t := standard(uint8(i), true)
		dc[i] = newCode(t.counts, t.symbols[:12])
		t = standard(uint8(i), false)
		ac[i] = newCode(t.counts, t.symbols[:162])
		e.define(dc[i], 0, i)
		e.define(ac[i], 1, i)
	}
	e.scanHeader(comps, pass{last: 63})
	e.interleaved(comps, func(c *plan, b *[64]int16, mask uint64) {
		e.block(b, mask, c.dc, dc[c.table], ac[c.table])
		c.dc = int(b[0])
	})
	e.flush()
}

// block writes all coefficients of a block, the DC one as the difference to the last.
func (e *encoder) block(b *[64]int16, mask uint64, last int, dc, ac *code) {
	out, acc, n := e.out, e.acc, e.n
	l, v := size(int(b[0]) - last)
	word := dc.words[l]
	for at := 0; ; {
		c := uint(word&31) + l
		acc = acc<<(c&63) | uint64(word>>5)<<(l&63) | uint64(v&(1<<(l&31)-1))
		if n += c; n >= 32 {
			n -= 32
			w := uint32(acc >> (n & 63))
			if w&(w&0x7f7f7f7f+0x01010101)&0x80808080 == 0 { // it has no byte 0xff
				out = binary.BigEndian.AppendUint32(out, w)
			} else {
				for shift := 24; shift >= 0; shift -= 8 {
					if out = append(out, byte(w>>shift)); byte(w>>shift) == 0xff {
						out = append(out, 0)
					}
				}
			}
		}
		mask &^= 1 << (at & 63)
		if mask == 0 {
			if at == 63 || at == 64 {
				break
			}
			at, word, l, v = 64, ac.words[0], 0, 0
			continue
		}
		k := bits.TrailingZeros64(mask) & 63
		if k-at > 16 {
			at, word, l, v = at+16, ac.words[0xf0], 0, 0
			continue
		}
		l, v = size(int(b[natural[k]&63]))
		word = ac.words[uint8(k-at-1)<<4|uint8(l)]
		at = k
	}
	e.out, e.acc, e.n = out, acc, n
}

// interleaved hands over the blocks of a scan of several components, or of one.
func (e *encoder) interleaved(comps []*plan, f func(c *plan, b *[64]int16, mask uint64)) {
	for _, c := range comps {
		c.dc = 0
	}
	if len(comps) == 1 {
		c := comps[0]
		for y := range c.bh {
			if !e.progressive && y%c.v == 0 {
				e.row(y / c.v)
			}
			for x := range c.bw {
				at := e.at(c, x, y)
				f(c, &c.blocks[at], c.masks[at])
			}
		}
		return
	}
	for my := range e.mh {
		if !e.progressive {
			e.row(my)
		}
		for mx := range e.mw {
			for _, c := range comps {
				for y := range c.v {
					for x := range c.h {
						at := e.at(c, mx*c.h+x, my*c.v+y)
						f(c, &c.blocks[at], c.masks[at])
					}
				}
			}
		}
	}
}

// A pass is a scan of a progressive JPEG: some coefficients of a component, or the DC ones of
// all, and their bits from low on, of which those from high on are known.
type pass struct{ component, first, last, high, low int }

// script is libjpeg's jpeg_simple_progression.
func script(channels int) []pass {
	if channels == 3 {
		return []pass{
			{0, 0, 0, 0, 1},
			{0, 1, 5, 0, 2}, {2, 1, 63, 0, 1}, {1, 1, 63, 0, 1}, {0, 6, 63, 0, 2}, {0, 1, 63, 2, 1},
			{0, 0, 0, 1, 0},
			{2, 1, 63, 1, 0}, {1, 1, 63, 1, 0}, {0, 1, 63, 1, 0},
		}
	}
	var s []pass
	for _, p := range []pass{{0, 0, 0, 0, 1}, {0, 1, 5, 0, 2}, {0, 6, 63, 0, 2}, {0, 1, 63, 2, 1}, {0, 0, 0, 1, 0}, {0, 1, 63, 1, 0}} {
		for p.component = range channels {
			s = append(s, p)
			if p.first == 0 {
				break // it is of all of them
			}
		}
	}
	return s
}

func (e *encoder) scanHeader(comps []*plan, p pass) {
	segment := []byte{byte(len(comps))}
	for _, c := range comps {
		tables := c.table<<4 | c.table
		switch {
		case !e.progressive:
		case p.first > 0:
			tables &= 15
		case p.high == 0:
			tables &= 0xf0
		default:
			tables = 0
		}
		segment = append(segment, byte(c.id), byte(tables))
	}
	e.marker(sos, append(segment, byte(p.first), byte(p.last), byte(p.high<<4|p.low))...)
}

// progressiveScan writes one scan, with the codes that are best for it.
func (e *encoder) progressiveScan(p pass) {
	comps, write := e.comps, e.dcPass
	if p.first > 0 {
		comps, write = e.comps[p.component:p.component+1], e.acPass
		if p.high > 0 {
			write = e.acRefinement
		}
	}
	var t tally
	var codes [2]*code
	if p.first > 0 || p.high == 0 {
		write(comps, p, t.writer())
		for i := range codes {
			if codes[i] = t.code(i); codes[i] != nil {
				e.define(codes[i], min(p.first, 1), i)
			}
		}
	}
	e.scanHeader(comps, p)
	write(comps, p, writer{
		symbol: func(table int, s uint8) { e.symbol(codes[table], s) },
		put:    e.put,
	})
	e.flush()
}

// A writer takes the parts of a scan.
type writer struct {
	symbol func(table int, s uint8)
	put    func(v uint32, n uint)
}

func (e *encoder) dcPass(comps []*plan, p pass, w writer) {
	e.interleaved(comps, func(c *plan, b *[64]int16, _ uint64) {
		if p.high > 0 {
			w.put(uint32(b[0]>>p.low), 1)
			return
		}
		v := int(b[0] >> p.low)
		n, diff := size(v - c.dc)
		c.dc = v
		w.symbol(c.table, uint8(n))
		w.put(diff, n)
	})
}

// A blockRun is the number of blocks that end together, and the bits of known coefficients in them.
type blockRun struct {
	w     writer
	table int
	n     int
	known []byte
}

// end writes the run.
func (r *blockRun) end() {
	if r.n > 0 {
		l := uint(bits.Len(uint(r.n)) - 1)
		r.w.symbol(r.table, uint8(l<<4))
		r.w.put(uint32(r.n), l)
		r.n = 0
	}
	r.bits()
}

// bits writes those of known coefficients.
func (r *blockRun) bits() {
	for _, b := range r.known {
		r.w.put(uint32(b), 1)
	}
	r.known = r.known[:0]
}

const longestRun = 0x7fff

func (e *encoder) acPass(comps []*plan, p pass, w writer) {
	r := blockRun{w: w, table: comps[0].table}
	band := uint64(1)<<(p.last+1) - 1<<p.first
	e.interleaved(comps, func(c *plan, b *[64]int16, mask uint64) {
		last := p.first - 1
		for m := mask & band; m != 0; m &= m - 1 {
			k := bits.TrailingZeros64(m)
			v := int(b[natural[k]])
			if v < 0 {
				v = -(-v >> p.low)
			} else {
				v >>= p.low
			}
			if v == 0 {
				continue
			}
			r.end()
			run := k - last - 1
			last = k
			for ; run > 15; run -= 16 {
				w.symbol(c.table, 0xf0)
			}
			n, v1 := size(v)
			w.symbol(c.table, uint8(run<<4)|uint8(n))
			w.put(v1, n)
		}
		if last < p.last {
			if r.n++; r.n == longestRun {
				r.end()
			}
		}
	})
	r.end()
}

func (e *encoder) acRefinement(comps []*plan, p pass, w writer) {
	const most = 1000 - 64 + 1 // bits that wait, as in libjpeg
	r := blockRun{w: w, table: comps[0].table}
	band := uint64(1)<<(p.last+1) - 1<<p.first
	e.interleaved(comps, func(c *plan, b *[64]int16, mask uint64) {
		end := 0 // the last coefficient that becomes known
		for m := mask & band; m != 0; m &= m - 1 {
			k := bits.TrailingZeros64(m)
			if v := int(b[natural[k]]); max(v, -v)>>p.low == 1 {
				end = k
			}
		}
		last, run, own := p.first-1, 0, 0 // the last one that is not 0, zeros, and bits of this block's that wait
		for m := mask & band; m != 0; m &= m - 1 {
			k := bits.TrailingZeros64(m)
			v := int(b[natural[k]])
			if v = max(v, -v) >> p.low; v == 0 {
				continue
			}
			run += k - last - 1
			last = k
			for run > 15 && k <= end {
				r.endBefore(own)
				w.symbol(c.table, 0xf0)
				r.bits()
				run, own = run-16, 0
			}
			if v > 1 {
				r.known = append(r.known, byte(v&1))
				own++
				continue
			}
			r.endBefore(own)
			w.symbol(c.table, uint8(run<<4)|1)
			if b[natural[k]] < 0 {
				w.put(0, 1)
			} else {
				w.put(1, 1)
			}
			r.bits()
			run, own = 0, 0
		}
		if last < p.last || run > 0 || own > 0 {
			if r.n++; r.n == longestRun || len(r.known) > most {
				r.end()
			}
		}
	})
	r.end()
}

// endBefore writes the run but for the last bits, which are kept.
func (r *blockRun) endBefore(own int) {
	all, at := r.known, len(r.known)-own
	r.known = all[:at]
	r.end()
	r.known = append(r.known, all[at:]...)
}

// A tally counts the symbols of a scan.
type tally [2][257]int

func (t *tally) writer() writer {
	return writer{func(table int, s uint8) { t[table][s]++ }, func(uint32, uint) {}}
}

// code returns the best code for the counts, or nil if they are all 0: libjpeg's jpeg_gen_optimal_table.
func (t *tally) code(table int) *code {
	freq := t[table]
	if freq == ([257]int{}) {
		return nil
	}
	freq[256] = 1 // so that no code is all ones
	var length [257]int
	var chain [257]int // the next symbol below the same node, less 1
	for {
		a, b := -1, -1 // the rarest two, the last ones among equals
		for i, n := range freq {
			if n > 0 && (a < 0 || n <= freq[a]) {
				a = i
			}
		}
		for i, n := range freq {
			if n > 0 && i != a && (b < 0 || n <= freq[b]) {
				b = i
			}
		}
		if b < 0 {
			break
		}
		freq[a] += freq[b]
		freq[b] = 0
		last := a
		for i := a; ; i = chain[i] - 1 {
			length[i]++
			last = i
			if chain[i] == 0 {
				break
			}
		}
		chain[last] = b + 1
		for i := b; ; i = chain[i] - 1 {
			length[i]++
			if chain[i] == 0 {
				break
			}
		}
	}
	var counts [258]int
	longest := 0
	for _, l := range length {
		if l > 0 {
			counts[l]++
			longest = max(longest, l)
		}
	}
	for l := longest; l > 16; l-- { // a pair of codes too long moves below a shorter one
		for counts[l] > 0 {
			j := l - 2
			for counts[j] == 0 {
				j--
			}
			counts[l] -= 2
			counts[l-1]++
			counts[j+1] += 2
			counts[j]--
		}
	}
	l := 16
	for counts[l] == 0 {
		l--
	}
	counts[l]-- // the one that is all ones
	var short [17]uint8
	for l := 1; l <= 16; l++ {
		short[l] = uint8(counts[l])
	}
	var symbols []uint8
	for l := 1; l <= longest; l++ {
		for s, n := range length[:256] {
			if n == l {
				symbols = append(symbols, uint8(s))
			}
		}
	}
	return newCode(short, symbols)
}
