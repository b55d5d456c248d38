package tiff

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// The photometric interpretations that Pillow reads.
const (
	whiteIsZero = 0
	blackIsZero = 1
	photoRGB    = 2
	photoIndex  = 3
	photoCMYK   = 5
	photoYCbCr  = 6
	photoLab    = 8
)

// The formats of a sample.
const (
	unsigned = 1
	signed   = 2
	float    = 3
)

// The meanings of an extra sample.
const (
	unspecified   = 0
	premultiplied = 1
	alpha         = 2
	corelAlpha    = 999
)

// An unpack turns a row of pixels as they are in a file into a mode's. Numbers of
// several bytes are in the order given.
type unpack func(to, from []uint8, order binary.ByteOrder)

// A kind is one of the kinds of pixels that Pillow reads.
type kind struct {
	photometric, format, bits, samples int
	extra                              []int
	orders                             orders
	mode                               pillow.Mode
	unpack                             unpack
}

// orders lists the orders of bytes and bits in a file in which a kind is read.
type orders uint8

const (
	forward      orders = iota // both orders of bytes
	both                       // and with the bits of each byte reversed
	littleEndian               // little-endian only
	littleBoth                 // big-endian not with the bits reversed
)

// kinds are the rows of Pillow's table of TIFFs, without the mode LAB.
var kinds = []kind{
	{whiteIsZero, unsigned, 1, 1, nil, both, pillow.Mode1, gray(1, 255, 255)},
	{blackIsZero, unsigned, 1, 1, nil, both, pillow.Mode1, gray(1, 255, 0)},
	{whiteIsZero, unsigned, 2, 1, nil, both, pillow.ModeL, gray(2, 85, 255)},
	{blackIsZero, unsigned, 2, 1, nil, both, pillow.ModeL, gray(2, 85, 0)},
	{whiteIsZero, unsigned, 4, 1, nil, both, pillow.ModeL, gray(4, 17, 255)},
	{blackIsZero, unsigned, 4, 1, nil, both, pillow.ModeL, gray(4, 17, 0)},
	{whiteIsZero, unsigned, 8, 1, nil, both, pillow.ModeL, gray(8, 1, 255)},
	{blackIsZero, unsigned, 8, 1, nil, both, pillow.ModeL, gray(8, 1, 0)},
	{blackIsZero, signed, 8, 1, nil, forward, pillow.ModeL, gray(8, 1, 0)},
	{blackIsZero, unsigned, 12, 1, nil, littleEndian, pillow.ModeI16, gray12},
	{whiteIsZero, unsigned, 16, 1, nil, littleEndian, pillow.ModeI16, words},
	{blackIsZero, unsigned, 16, 1, nil, littleBoth, pillow.ModeI16, words},
	{blackIsZero, signed, 16, 1, nil, forward, pillow.ModeI, signedWords},
	{blackIsZero, unsigned, 32, 1, nil, littleEndian, pillow.ModeI, longs},
	{blackIsZero, signed, 32, 1, nil, forward, pillow.ModeI, longs},
	{whiteIsZero, float, 32, 1, nil, forward, pillow.ModeF, longs},
	{blackIsZero, float, 32, 1, nil, forward, pillow.ModeF, longs},
	{blackIsZero, unsigned, 8, 2, []int{unspecified}, forward, pillow.ModeL, pick(1, 2, 1)},
	{blackIsZero, unsigned, 8, 2, []int{premultiplied}, forward, pillow.ModeLa, pick(2, 2, 1)},
	{blackIsZero, unsigned, 8, 2, []int{alpha}, forward, pillow.ModeLA, pick(2, 2, 1)},
	{photoRGB, unsigned, 8, 3, nil, both, pillow.ModeRGB, pick(3, 3, 1)},
	{photoRGB, unsigned, 8, 4, nil, forward, pillow.ModeRGBA, pick(4, 4, 1)},
	{photoRGB, unsigned, 8, 4, []int{unspecified}, forward, pillow.ModeRGB, pick(3, 4, 1)},
	{photoRGB, unsigned, 8, 5, []int{unspecified, 0}, forward, pillow.ModeRGB, pick(3, 5, 1)},
	{photoRGB, unsigned, 8, 6, []int{unspecified, 0, 0}, forward, pillow.ModeRGB, pick(3, 6, 1)},
	{photoRGB, unsigned, 8, 4, []int{premultiplied}, forward, pillow.ModeRGBA, divided(4, 1)},
	{photoRGB, unsigned, 8, 5, []int{premultiplied, 0}, forward, pillow.ModeRGBA, divided(5, 1)},
	{photoRGB, unsigned, 8, 6, []int{premultiplied, 0, 0}, forward, pillow.ModeRGBA, divided(6, 1)},
	{photoRGB, unsigned, 8, 4, []int{alpha}, forward, pillow.ModeRGBA, pick(4, 4, 1)},
	{photoRGB, unsigned, 8, 5, []int{alpha, 0}, forward, pillow.ModeRGBA, pick(4, 5, 1)},
	{photoRGB, unsigned, 8, 6, []int{alpha, 0, 0}, forward, pillow.ModeRGBA, pick(4, 6, 1)},
	{photoRGB, unsigned, 8, 4, []int{corelAlpha}, forward, pillow.ModeRGBA, pick(4, 4, 1)},
	{photoRGB, unsigned, 16, 3, nil, forward, pillow.ModeRGB, pick(3, 3, 2)},
	{photoRGB, unsigned, 16, 4, nil, forward, pillow.ModeRGBA, pick(4, 4, 2)},
	{photoRGB, unsigned, 16, 4, []int{unspecified}, forward, pillow.ModeRGB, pick(3, 4, 2)},
	{photoRGB, unsigned, 16, 4, []int{premultiplied}, forward, pillow.ModeRGBA, divided(4, 2)},
	{photoRGB, unsigned, 16, 4, []int{alpha}, forward, pillow.ModeRGBA, pick(4, 4, 2)},
	{photoIndex, unsigned, 1, 1, nil, both, pillow.ModeP, gray(1, 1, 0)},
	{photoIndex, unsigned, 2, 1, nil, both, pillow.ModeP, gray(2, 1, 0)},
	{photoIndex, unsigned, 4, 1, nil, both, pillow.ModeP, gray(4, 1, 0)},
	{photoIndex, unsigned, 8, 1, nil, both, pillow.ModeP, gray(8, 1, 0)},
	{photoIndex, unsigned, 8, 2, []int{unspecified}, forward, pillow.ModeP, pick(1, 2, 1)},
	{photoIndex, unsigned, 8, 2, []int{alpha}, forward, pillow.ModePA, pick(2, 2, 1)},
	{photoCMYK, unsigned, 8, 4, nil, forward, pillow.ModeCMYK, pick(4, 4, 1)},
	{photoCMYK, unsigned, 8, 5, []int{unspecified}, forward, pillow.ModeCMYK, pick(4, 5, 1)},
	{photoCMYK, unsigned, 8, 6, []int{unspecified, 0}, forward, pillow.ModeCMYK, pick(4, 6, 1)},
	{photoCMYK, unsigned, 16, 4, nil, forward, pillow.ModeCMYK, pick(4, 4, 2)},
	{photoYCbCr, unsigned, 8, 1, nil, forward, pillow.ModeL, gray(8, 1, 0)},
	{photoYCbCr, unsigned, 8, 3, nil, forward, pillow.ModeYCbCr, pick(3, 3, 1)},
}

// maxSamples is the number of samples a pixel has at most in kinds.
const maxSamples = 6

// kindOf finds the kind of pixels for match, or nil if there is none.
func kindOf(want kind, order binary.ByteOrder, fill int) *kind {
	for i := range kinds {
		k := &kinds[i]
		if k.photometric != want.photometric || k.format != want.format || k.bits != want.bits || k.samples != want.samples || !slices.Equal(k.extra, want.extra) {
			continue
		}
		switch {
		case fill == 1:
		case fill == 2 && (k.orders == both || k.orders == littleBoth):
		default:
			return nil
		}
		if order == binary.BigEndian && (k.orders == littleEndian || k.orders == littleBoth && fill == 2) {
			return nil
		}
		return k
	}
	return nil
}

// gray unpacks one sample a pixel, the first in a byte's upper bits.
func gray(depth int, scale, flip uint8) unpack {
	return func(to, from []uint8, _ binary.ByteOrder) {
		mask := uint8(1<<depth - 1)
		for i := range to {
			at := i * depth
			to[i] = from[at/8]>>(8-depth-at%8)&mask*scale ^ flip
		}
	}
}

// gray12 unpacks two pixels of three bytes, which are big-endian in any file.
func gray12(to, from []uint8, _ binary.ByteOrder) {
	for i := 0; i < len(to); i += 4 {
		binary.LittleEndian.PutUint16(to[i:], uint16(from[0])<<4|uint16(from[1])>>4)
		if i+4 > len(to) {
			break
		}
		binary.LittleEndian.PutUint16(to[i+2:], uint16(from[1]&15)<<8|uint16(from[2]))
		from = from[3:]
	}
}

func words(to, from []uint8, order binary.ByteOrder) {
	for i := 0; i < len(to); i += 2 {
		binary.LittleEndian.PutUint16(to[i:], order.Uint16(from[i:]))
	}
}

func signedWords(to, from []uint8, order binary.ByteOrder) {
	for i := 0; i < len(to); i += 4 {
		binary.LittleEndian.PutUint32(to[i:], uint32(int32(int16(order.Uint16(from[i/2:])))))
	}
}

func longs(to, from []uint8, order binary.ByteOrder) {
	for i := 0; i < len(to); i += 4 {
		binary.LittleEndian.PutUint32(to[i:], order.Uint32(from[i:]))
	}
}

// pick takes the first n of the samples of a pixel, which have size bytes each. Of 16 bits the upper 8 count.
func pick(n, samples, size int) unpack {
	return func(to, from []uint8, order binary.ByteOrder) {
		if n == samples && size == 1 {
			copy(to, from)
			return
		}
		at := 0
		if size == 2 && order == binary.LittleEndian {
			at = 1
		}
		for ; len(to) > 0; to = to[n:] {
			for i := range n {
				to[i] = from[i*size+at]
			}
			from = from[min(samples*size, len(from)):]
		}
	}
}

// divided is pick for RGBA whose colors are multiplied by the alpha.
func divided(samples, size int) unpack {
	four := pick(4, samples, size)
	return func(to, from []uint8, order binary.ByteOrder) {
		four(to, from, order)
		divide(to)
	}
}

// divide divides the colors of RGBA by the alpha.
func divide(pix []uint8) {
	for ; len(pix) > 0; pix = pix[4:] {
		a := int(pix[3])
		for i, v := range pix[:3] {
			if a == 0 {
				pix[i] = 0
			} else {
				pix[i] = uint8(min(int(v)*255/a, 255))
			}
		}
	}
}

// reversed returns the bytes with the bits of each in reverse.
func reversed(b []byte) []byte {
	out := make([]byte, len(b))
	for i, v := range b {
		out[i] = bits.Reverse8(v)
	}
	return out
}
