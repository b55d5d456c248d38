package tiff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

var errXZ = errors.New("its LZMA data are damaged, or packed in a way that is not supported")

// The filters of an xz block.
const (
	filterDelta = 3
	filterLZMA2 = 0x21
)

// unxz decodes an xz stream until dst is full. It reads the container here because libtiff writes blocks
// with a delta filter, which the module for LZMA2 does not have. As liblzma does, it compares the check
// of a block only if another block is needed.
func unxz(dst, src []byte) error {
	const header = 12
	if len(src) < header {
		return io.ErrUnexpectedEOF
	}
	if string(src[:7]) != "\xfd7zXZ\x00\x00" || binary.LittleEndian.Uint32(src[8:]) != crc32.ChecksumIEEE(src[6:8]) {
		return errXZ
	}
	checkSize, ok := map[byte]int{0: 0, 1: 4, 4: 8, 10: 32}[src[7]]
	if !ok {
		return errXZ
	}
	r := bytes.NewReader(src[header:])
	for {
		delta, err := xzBlockHeader(r)
		if err != nil {
			return err
		}
		// A distance reaches no further back than the pixels do.
		z, err := lzma.Reader2Config{DictCap: max(len(dst), lzma.MinDictCap)}.NewReader2(r)
		if err != nil {
			return err
		}
		before := r.Len()
		n, err := io.ReadFull(z, dst)
		block := dst[:n]
		for i := delta; delta > 0 && i < n; i++ {
			block[i] += block[i-delta]
		}
		if dst = dst[n:]; len(dst) == 0 {
			return nil
		}
		if err != io.EOF && err != io.ErrUnexpectedEOF || r.Len() == 0 {
			return err
		}
		padded := make([]byte, -(before-r.Len())&3+checkSize)
		if _, err := io.ReadFull(r, padded); err != nil {
			return err
		}
		check := padded[len(padded)-checkSize:]
		switch {
		case checkSize == 4 && binary.LittleEndian.Uint32(check) != crc32.ChecksumIEEE(block),
			checkSize == 8 && binary.LittleEndian.Uint64(check) != crc64.Checksum(block, crc64.MakeTable(crc64.ECMA)):
			return errXZ
		}
	}
}

// xzBlockHeader reads the header of a block and returns the distance of its delta filter, 0 if it has none.
func xzBlockHeader(r *bytes.Reader) (delta int, err error) {
	size, err := r.ReadByte()
	if err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	if size == 0 { // the index, after the last block
		return 0, errShort
	}
	h := make([]byte, 4*(int(size)+1))
	h[0] = size
	if _, err := io.ReadFull(r, h[1:]); err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	body := h[:len(h)-4]
	if binary.LittleEndian.Uint32(h[len(body):]) != crc32.ChecksumIEEE(body) {
		return 0, errXZ
	}
	flags, body := body[1], body[2:]
	next := func() uint64 {
		v, n := binary.Uvarint(body)
		body = body[max(n, 0):]
		return v
	}
	for _, bit := range []byte{0x40, 0x80} { // the sizes of the block
		if flags&bit != 0 {
			next()
		}
	}
	for range flags&3 + 1 {
		filter, n := next(), next()
		if n > uint64(len(body)) {
			return 0, errXZ
		}
		properties := body[:n]
		body = body[n:]
		switch {
		case filter == filterDelta && n == 1 && delta == 0:
			delta = int(properties[0]) + 1
		case filter == filterLZMA2 && n == 1:
			return delta, nil
		default:
			return 0, errXZ
		}
	}
	return 0, errXZ
}
