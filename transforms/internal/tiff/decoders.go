package tiff

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// decoder returns the decoder of the page's compression. It decodes one strip or tile after the other.
func (l *layout) decoder() (func(dst, src []byte) error, error) {
	decode := map[int]func(dst, src []byte) error{
		packBits: unpackBits, deflate: inflate, oldDeflate: inflate, xz: unxz, zstandard: unzstd, lzw: new(lzwDecoder).decode,
	}[l.compression]
	switch l.compression {
	case ccittRLE, ccittRLEW, ccittG3, ccittG4:
		f, err := newFax(l)
		if err != nil {
			return nil, err
		}
		return f.decode, nil
	case newJPEG:
		return l.decodeJPEG, nil
	case packBits:
		return decode, nil // without predictor
	}
	if decode == nil {
		return nil, fmt.Errorf("its compression %d is not supported", l.compression)
	}
	undo, err := l.undo()
	if err != nil || undo == nil {
		return decode, err
	}
	return func(dst, src []byte) error {
		if err := decode(dst, src); err != nil {
			return err
		}
		undo(dst)
		return nil
	}, nil
}

// errShort means that a strip or tile has fewer pixels than it should have.
var errShort = fmt.Errorf("a strip or tile has too few pixels: %w", io.ErrUnexpectedEOF)

// fill reads dst from r.
func fill(dst []byte, r io.Reader) error {
	_, err := io.ReadFull(r, dst)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// inflate decodes zlib data.
func inflate(dst, src []byte) error {
	z, err := zlib.NewReader(bytes.NewReader(src))
	if err != nil {
		return err
	}
	if err := fill(dst, z); err != nil {
		return err
	}
	return finish(z)
}

// finish returns an error if data are damaged after the pixels, in the part that their decoder reads before it
// needs room for more: a checksum. The data may also have more rows than requested, or lack the checksum.
func finish(r io.Reader) error {
	var more [1]byte
	if n, err := r.Read(more[:]); n == 0 && err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return nil
}

// unzstd decodes a Zstandard frame.
func unzstd(dst, src []byte) error {
	const window = 128 << 20 // as libzstd allows by default
	z, err := zstd.NewReader(bytes.NewReader(src), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer z.Close()
	if err := fill(dst, z); err != nil {
		return err
	}
	return finish(z)
}

// unpackBits decodes PackBits.
func unpackBits(dst, src []byte) error {
	for len(dst) > 0 && len(src) > 0 {
		n := int(int8(src[0]))
		src = src[1:]
		switch {
		case n >= 0:
			n = min(n+1, len(dst))
			if n > len(src) {
				src = nil
				break
			}
			copy(dst, src[:n])
			src, dst = src[n:], dst[n:]
		case n != -128 && len(src) > 0:
			n = min(1-n, len(dst))
			for i := range n {
				dst[i] = src[0]
			}
			src, dst = src[1:], dst[n:]
		}
	}
	if len(dst) > 0 {
		return errShort
	}
	return nil
}
