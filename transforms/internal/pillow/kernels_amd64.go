package pillow

import "golang.org/x/sys/cpu"

// simd reports whether the kernels below can be called. Their numbers are those
// of the loops in resample.go, which other processors use, to the last bit.
var simd = cpu.X86.HasAVX2

// rows4 computes n pixels of four rows. Pixel i is made of 4*groups pixels from byte
// first[i] of a row on; taps has 8 numbers for each group, as packed returns
// them. It reads 4 bytes beyond the last pixel, and writes one.
//
//go:noescape
func rows4(dst *uint8, dstStride int, src *uint8, srcStride int, first *int32, taps *int16, groups, n int)

// columns32 computes n bytes of a row, 32 or more, of count bytes each, which lie stride apart.
//
//go:noescape
func columns32(dst, src *uint8, stride int, taps *int32, count, n int)
