package inflate

// A table decodes a Huffman code. Its first entries are found by the next primary
// bits, and those of longer codes in tables that follow them.
type table struct {
	entries []entry
	mask    uint64 // of the bits that find the first entries
}

// An entry is the meaning of a code:
//
//	bits 0-3    the length of the code, or of its part in a following table
//	bits 4-7    the number of extra bits, or of bits that find an entry in the table at value
//	bits 8-10   the kind
//	bits 16-31  the value
type entry uint32

const (
	literal entry = iota << 8
	base          // of a match's length or distance
	end           // of the block
	link          // to another table
	invalid
	kinds entry = 7 << 8
)

func (e entry) length() uint { return uint(e & 15) }
func (e entry) extra() uint  { return uint(e >> 4 & 15) }
func (e entry) kind() entry  { return e & kinds }
func (e entry) value() int   { return int(e >> 16) }

// primary is the maximum number of bits that find a first entry.
const primary = 10

// longestCode is the length of the longest code.
const longestCode = 15

// build makes the table of a code from the lengths of its symbols' codes. Like zlib, it accepts an
// incomplete set of codes only if it is empty, or a single code of one bit and complete is false.
func (t *table) build(lengths []uint8, symbol func(int) entry, complete bool) error {
	var count [longestCode + 1]int
	for _, n := range lengths {
		count[n]++
	}
	most := longestCode
	for most > 0 && count[most] == 0 {
		most--
	}
	if most == 0 { // decoding anything with it is an error
		t.entries, t.mask = append(t.entries[:0], invalid|1, invalid|1), 1
		return nil
	}
	left := 1
	var next [longestCode + 2]int // the next code of each length
	for n := 1; n <= longestCode; n++ {
		left = left<<1 - count[n]
		if left < 0 {
			return ErrCorrupt
		}
		next[n+1] = (next[n] + count[n]) << 1
	}
	if left > 0 && (complete || most != 1) {
		return ErrCorrupt
	}
	first := min(most, primary)
	t.mask = 1<<first - 1
	t.entries = append(t.entries[:0], make([]entry, 1<<first)...)
	for i := range t.entries {
		t.entries[i] = invalid | 1
	}
	rest := most - first // bits of the following tables
	for s, n := range lengths {
		if n == 0 {
			continue
		}
		code := reversed(next[n], int(n))
		next[n]++
		e := symbol(s)
		if int(n) <= first {
			for i := code; i < 1<<first; i += 1 << n {
				t.entries[i] = e | entry(n)
			}
			continue
		}
		at := code & (1<<first - 1)
		if t.entries[at].kind() != link {
			t.entries[at] = link | entry(len(t.entries))<<16 | entry(rest)<<4 | entry(first)
			t.entries = append(t.entries, make([]entry, 1<<rest)...)
		}
		behind := t.entries[t.entries[at].value():][:1<<rest]
		for i := code >> first; i < 1<<rest; i += 1 << (int(n) - first) {
			behind[i] = e | entry(int(n)-first)
		}
	}
	return nil
}

// reversed returns the lowest n bits of v in the other order.
func reversed(v, n int) int {
	r := 0
	for range n {
		r, v = r<<1|v&1, v>>1
	}
	return r
}

// lengthBases and distanceBases are the meanings of the symbols of matches.
var lengthBases, distanceBases = func() (lengths [29]entry, distances [30]entry) {
	at := 3
	for i := range 28 {
		extra := max(i/4-1, 0)
		lengths[i] = base | entry(at)<<16 | entry(extra)<<4
		at += 1 << extra
	}
	lengths[28] = base | longest<<16
	at = 1
	for i := range distances {
		extra := max(i/2-1, 0)
		distances[i] = base | entry(at)<<16 | entry(extra)<<4
		at += 1 << extra
	}
	return
}()

// lengthSymbol and distanceSymbol return what the symbols of the two codes mean.
func lengthSymbol(s int) entry {
	switch {
	case s < 256:
		return literal | entry(s)<<16
	case s == 256:
		return end
	case s-257 < len(lengthBases):
		return lengthBases[s-257]
	}
	return invalid
}

func distanceSymbol(s int) entry {
	if s < len(distanceBases) {
		return distanceBases[s]
	}
	return invalid
}

// fixed holds the tables of blocks without their own.
var fixed = func() (t [2]table) {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	distances := make([]uint8, 32)
	for i := range distances {
		distances[i] = 5
	}
	for _, err := range []error{t[0].build(lengths[:], lengthSymbol, true), t[1].build(distances, distanceSymbol, true)} {
		if err != nil {
			panic(err)
		}
	}
	return t
}()

// codeOrder is the order of the lengths of the code that the other codes' lengths are in.
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// tables reads the tables of a block.
func (z *Reader) tables() error {
	v, err := z.take(14)
	if err != nil {
		return err
	}
	nlen, ndist := int(v&31)+257, int(v>>5&31)+1
	if nlen > 286 || ndist > 30 {
		return ErrCorrupt
	}
	var codes [19]uint8
	for _, i := range codeOrder[:v>>10+4] {
		n, err := z.take(3)
		if err != nil {
			return err
		}
		codes[i] = uint8(n)
	}
	var t table
	if err := t.build(codes[:], func(s int) entry { return entry(s) << 16 }, true); err != nil {
		return err
	}
	var lengths [286 + 30]uint8
	for i := 0; i < nlen+ndist; {
		if z.n < 7+7 {
			z.fill()
		}
		e := t.entries[z.bits&t.mask]
		if e.length() > z.n {
			return errInput
		}
		if e.kind() == invalid { // zlib reads zeros, and then misses the code that ends a block
			return ErrCorrupt
		}
		s := e.value()
		repeat, extra, value := 1, uint(0), uint8(s)
		switch s {
		case 16:
			repeat, extra = 3, 2
		case 17:
			repeat, extra, value = 3, 3, 0
		case 18:
			repeat, extra, value = 11, 7, 0
		}
		if e.length()+extra > z.n {
			return errInput
		}
		if s == 16 {
			if i == 0 {
				return ErrCorrupt
			}
			value = lengths[i-1]
		}
		repeat += int(z.bits >> e.length() & (1<<extra - 1))
		z.bits >>= e.length() + extra
		z.n -= e.length() + extra
		if i+repeat > nlen+ndist {
			return ErrCorrupt
		}
		for range repeat {
			lengths[i] = value
			i++
		}
	}
	if lengths[256] == 0 {
		return ErrCorrupt
	}
	if err := z.dynamic[0].build(lengths[:nlen], lengthSymbol, false); err != nil {
		return err
	}
	if err := z.dynamic[1].build(lengths[nlen:nlen+ndist], distanceSymbol, false); err != nil {
		return err
	}
	z.lengths, z.distances = &z.dynamic[0], &z.dynamic[1]
	return nil
}
