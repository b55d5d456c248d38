package inflate

import "encoding/binary"

// symbols decodes a block. A symbol for which there is no room is kept.
func symbols(z *Reader, room int) error {
	for {
		switch {
		case z.lit >= 0 || z.length > 0:
			if room == 0 {
				return errFull
			}
			if z.length > 0 && z.back > z.w { // inflate checks this only when there is room
				return ErrCorrupt
			}
			if z.w == len(z.out) {
				return nil
			}
			room -= z.put(min(room, len(z.out)-z.w))
			continue
		case len(z.out)-z.w < longest:
			return nil // Read makes room
		}
		if room >= longest+3 && z.limit-z.at >= 16 {
			w := z.w
			z.fast(min(len(z.out)-z.w, room))
			room -= z.w - w
		}
		if ended, err := z.symbol(); ended || err != nil {
			return err
		}
	}
}

// put writes a literal or a match as far as there is room.
func (z *Reader) put(room int) int {
	if z.lit >= 0 {
		z.out[z.w] = byte(z.lit)
		z.w, z.lit = z.w+1, -1
		return 1
	}
	n := min(z.length, room)
	z.match(z.back, n)
	z.length -= n
	return n
}

// match repeats n bytes that begin back bytes before the end of the output.
func (z *Reader) match(back, n int) {
	from, to := z.w-back, z.w+n
	for w := z.w; w < to; { // a match may overlap itself
		w += copy(z.out[w:to], z.out[from:w])
	}
	z.w = to
}

// lookup finds a code in bits that begin with it.
func (t *table) lookup(bits uint64) (e entry, length uint) {
	e = t.entries[bits&t.mask]
	if e.kind() != link {
		return e, e.length()
	}
	first := e.length()
	e = t.entries[e.value()+int(bits>>first&(1<<e.extra()-1))]
	return e, first + e.length()
}

// symbol reads the next symbol, and reports whether it ended the block.
func (z *Reader) symbol() (ended bool, err error) {
	z.fill()
	bits, n := z.bits, z.n
	use := func(k uint) bool {
		if k > n {
			return false
		}
		bits >>= k
		n -= k
		return true
	}
	e, length := z.lengths.lookup(bits)
	if !use(length) {
		return false, errInput
	}
	switch e.kind() {
	case literal:
		z.lit = e.value()
	case end:
		z.step, ended = block, true
	case base:
		extra := e.extra()
		more := int(bits & (1<<extra - 1))
		if !use(extra) {
			return false, errInput
		}
		d, length := z.distances.lookup(bits)
		if !use(length) {
			return false, errInput
		}
		if d.kind() != base {
			return false, ErrCorrupt
		}
		extra = d.extra()
		back := d.value() + int(bits&(1<<extra-1))
		if !use(extra) {
			return false, errInput
		}
		z.length, z.back = e.value()+more, back
	default:
		return false, ErrCorrupt
	}
	z.bits, z.n = bits, n
	return ended, nil
}

// fast decodes symbols while there is room for the longest match, and input for the longest symbol. It
// stops at errors and at the end of the block, which symbol handles.
func (z *Reader) fast(room int) {
	out, w := z.out, z.w
	stop := w + room - longest
	src, at, bits, n := z.src[:z.limit], z.at, z.bits, z.n
	lengths, distances := z.lengths.entries, z.distances.entries
	lmask, dmask := z.lengths.mask, z.distances.mask
	for w < stop && len(src)-at >= 8 {
		bits |= binary.LittleEndian.Uint64(src[at:]) << n
		at += int(63-n) >> 3
		n |= 56
		e := lengths[bits&lmask]
		if e.kind() == literal {
			bits >>= e & 15
			n -= uint(e & 15)
			out[w] = byte(e >> 16)
			w++
			e = lengths[bits&lmask]
			if e.kind() == literal {
				bits >>= e & 15
				n -= uint(e & 15)
				out[w] = byte(e >> 16)
				w++
				continue
			}
			if n < 48 { // a match may need more
				continue
			}
		}
		b, k := bits, n
		length := e.length()
		if e.kind() == link {
			e = lengths[e.value()+int(b>>length&(1<<e.extra()-1))]
			b >>= length
			k -= length
			length = e.length()
		}
		b >>= length
		k -= length
		if e.kind() == literal {
			out[w] = byte(e >> 16)
			w++
			bits, n = b, k
			continue
		}
		if e.kind() != base {
			break
		}
		extra := e.extra()
		count := e.value() + int(b&(1<<extra-1))
		b >>= extra
		k -= extra
		d := distances[b&dmask]
		if d.kind() == link {
			length := d.length()
			d = distances[d.value()+int(b>>length&(1<<d.extra()-1))]
			b >>= length
			k -= length
		}
		if d.kind() != base {
			break
		}
		b >>= d.length()
		k -= d.length()
		extra = d.extra()
		back := d.value() + int(b&(1<<extra-1))
		if back > w {
			break
		}
		bits, n = b>>extra, k-extra
		from, to := w-back, w+count
		for w < to {
			w += copy(out[w:to], out[from:w])
		}
	}
	z.w, z.at, z.bits, z.n = w, at, bits, n
}
