// Package inflate decompresses zlib streams as the C library's inflate does, call by call.
//
// Programs in C see a stream in pieces: what inflate has consumed when its output is
// full decides which errors they meet. compress/zlib decompresses ahead, and so cannot
// say whether an error comes before or behind a byte of the input.
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

// window is how far back a match reaches, and size how much of the output is kept.
const (
	window = 1 << 15
	size   = 4 * window
)

// longest is the longest match.
const longest = 258

// A Reader decompresses a stream. [NewReader] makes one.
type Reader struct {
	src   []byte
	at    int    // the next byte of src
	limit int    // of src in this call
	bits  uint64 // what is read of src and not used; the next bit is the lowest
	n     uint   // how many bits these are

	step   func(z *Reader, room int) error
	last   bool // the block is the stream's last
	stored int  // bytes left of a block that is not compressed
	lit    int  // a literal that found no room, or -1
	length int  // what is left of a match, and how far back it begins
	back   int

	out []byte // the end of the output
	w   int    // where it goes on
	sum hash.Hash32

	lengths, distances *table
	dynamic            [2]table
}

// NewReader returns a Reader of a stream that begins with src.
func NewReader(src []byte) *Reader {
	return &Reader{src: src, step: header, lit: -1, out: make([]byte, min(size, max(8*len(src), 4*longest)+window)), sum: adler32.New()}
}

// Offset returns how many bytes of src are used up.
func (z *Reader) Offset() int { return z.at - int(z.n/8) }

// Read decompresses into dst with the bytes of src up to limit, like a call of inflate that
// has these as its input. When dst is full, it goes on with what follows until that
// needs room, as inflate does. It returns nil where dst is full or the input used up,
// io.EOF where the stream ended and its checksum is right, and an error where the stream is
// broken. limit must not decrease from call to call.
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

// whole calls read, which is undone where the input does not suffice for all of it.
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
		case z.n >= 8 && room > 0 && z.w < len(z.out): // bytes that were read as bits
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
		z.bits = 0 // fill leaves the beginnings of bytes that it has not counted
		k := copy(z.out[z.w:min(z.w+min(room, z.stored), len(z.out))], z.src[z.at:z.limit])
		z.at, z.w, room, z.stored = z.at+k, z.w+k, room-k, z.stored-k
	}
	z.step = block
	return nil
}
