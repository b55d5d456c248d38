// Package inflate decompresses zlib streams as the C library's inflate does, call by call.
//
// A program in C passes a stream in pieces, and meets only the errors that inflate finds
// by the time its output is full. compress/zlib decompresses ahead, and so does not tell
// the place of an error in the input.
package inflate

import (
	"encoding/binary"
	"errors"
	"hash"
	"hash/adler32"
	"io"
)

// ErrCorrupt is the error of a stream that breaks the rules of its format.
var ErrCorrupt = errors.New("the compressed data is corrupt")

// ErrChecksum is the error of a stream whose Adler-32 checksum does not match its content.
var ErrChecksum = errors.New("the compressed data has a wrong checksum")

// Errors of a step that needs more input than the call has, or more room.
var (
	errInput = errors.New("more input is needed")
	errFull  = errors.New("more room is needed")
)

// window is the maximum distance of a match, and size the capacity of the output buffer.
const (
	window = 1 << 15
	size   = 4 * window
)

// longest is the length of the longest match.
const longest = 258

// A Reader decompresses a stream. [NewReader] makes one.
type Reader struct {
	src   []byte
	at    int    // the next byte of src
	limit int    // of src in this call
	bits  uint64 // read but not used; the next bit is the lowest
	n     uint   // the number of these bits

	step   func(z *Reader, room int) error
	last   bool // the block is the stream's last
	stored int  // bytes left of a block that is not compressed
	lit    int  // a literal that is yet to be written, or -1
	length int  // the rest of a match, and its distance
	back   int

	out []byte // the last bytes of the output
	w   int    // their number
	sum hash.Hash32

	lengths, distances *table
	dynamic            [2]table
}

// NewReader returns a Reader of a stream that begins with src.
func NewReader(src []byte) *Reader {
	return &Reader{src: src, step: header, lit: -1, out: make([]byte, min(size, max(8*len(src), 4*longest)+window)), sum: adler32.New()}
}

// Offset returns the number of bytes of src consumed.
func (z *Reader) Offset() int { return z.at - int(z.n/8) }

// Read decompresses into dst, like a call of inflate whose input is src up to limit. When dst is
// full, it processes the following data until they need room, as inflate does. It returns nil if
// dst is full or the input is used up, io.EOF if the stream ended with the right checksum, and
// another error if the stream is broken. limit must not decrease from call to call.
func (z *Reader) Read(dst []byte, limit int) (n int, err error) {
	z.limit = min(limit, len(z.src))
	for err == nil {
		if len(z.out)-z.w < 2*longest {
			z.slide()
		}
		from := z.w
		err = z.step(z, len(dst)-n)
		made := z.out[from:z.w]
		n += copy(dst[n:], made)
		z.sum.Write(made)
	}
	if err == errInput || err == errFull {
		err = nil
	}
	return n, err
}

// slide makes room in out.
func (z *Reader) slide() {
	gone := z.w - window
	copy(z.out, z.out[gone:z.w])
	z.w = window
}

// fill reads bytes until there are at least 56 bits, or the input ends.
func (z *Reader) fill() {
	if z.limit-z.at >= 8 {
		z.bits |= binary.LittleEndian.Uint64(z.src[z.at:]) << z.n
		z.at += int(63-z.n) >> 3
		z.n |= 56
		return
	}
	for z.n < 56 && z.at < z.limit {
		z.bits |= uint64(z.src[z.at]) << z.n
		z.at++
		z.n += 8
	}
}

// take returns the next n bits, 32 at most.
func (z *Reader) take(n uint) (uint32, error) {
	if z.n < n {
		if z.fill(); z.n < n {
			return 0, errInput
		}
	}
	v := uint32(z.bits & (1<<n - 1))
	z.bits >>= n
	z.n -= n
	return v, nil
}

// whole calls read, and restores the input if it does not suffice.
func (z *Reader) whole(read func() error) error {
	at, bits, n := z.at, z.bits, z.n
	err := read()
	if err == errInput {
		z.at, z.bits, z.n = at, bits, n
	}
	return err
}

func header(z *Reader, _ int) error {
	return z.whole(func() error {
		v, err := z.take(16)
		const deflate = 8
		switch {
		case err != nil:
			return err
		case (v&0xff<<8|v>>8)%31 != 0, v&15 != deflate, v>>4&15 > 7, v>>13&1 != 0:
			return ErrCorrupt
		}
		z.step = block
		return nil
	})
}

func block(z *Reader, _ int) error {
	if z.last {
		z.step = trailer
		return nil
	}
	return z.whole(func() error {
		v, err := z.take(3)
		if err != nil {
			return err
		}
		next := symbols
		switch v >> 1 {
		case 0:
			next, err = stored, z.storedHeader()
		case 1:
			z.lengths, z.distances = &fixed[0], &fixed[1]
		case 2:
			err = z.tables()
		default:
			err = ErrCorrupt
		}
		if err == nil {
			z.last, z.step = v&1 != 0, next
		}
		return err
	})
}

func trailer(z *Reader, _ int) error {
	return z.whole(func() error {
		if _, err := z.take(z.n % 8); err != nil {
			return err
		}
		v, err := z.take(32)
		if err != nil {
			return err
		}
		if v != binary.BigEndian.Uint32(binary.LittleEndian.AppendUint32(nil, z.sum.Sum32())) {
			return ErrChecksum
		}
		z.step = done
		return io.EOF
	})
}

func done(*Reader, int) error { return io.EOF }

func (z *Reader) storedHeader() error {
	if _, err := z.take(z.n % 8); err != nil {
		return err
	}
	v, err := z.take(32)
	if err == nil && v>>16 != ^v&0xffff {
		err = ErrCorrupt
	}
	z.stored = int(v & 0xffff)
	return err
}

// stored copies bytes that are not compressed.
func stored(z *Reader, room int) error {
	for z.stored > 0 {
		switch {
		case z.n >= 8 && room > 0 && z.w < len(z.out): // bytes already in bits
			z.out[z.w] = byte(z.bits)
			z.bits >>= 8
			z.n -= 8
			z.w, room, z.stored = z.w+1, room-1, z.stored-1
			continue
		case z.n == 0 && z.at == z.limit:
			return errInput
		case room == 0:
			return errFull
		case z.w == len(z.out):
			return nil
		}
		z.bits = 0 // fill also sets bits that it does not count
		k := copy(z.out[z.w:min(z.w+min(room, z.stored), len(z.out))], z.src[z.at:z.limit])
		z.at, z.w, room, z.stored = z.at+k, z.w+k, room-k, z.stored-k
	}
	z.step = block
	return nil
}
