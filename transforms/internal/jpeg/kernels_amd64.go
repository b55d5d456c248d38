package jpeg

import "golang.org/x/sys/cpu"

// simd says that the assembly can be called. Its numbers are those of the loops in
// kernels.go, which other processors use, to the last bit.
var simd = cpu.X86.HasAVX2 && cpu.X86.HasBMI2

// idct2 is idctGo. It returns false, and has done nothing, where the first row could overflow in the
// way that is the loop's.
//
//go:noescape
func idct2(dst *uint8, stride int, pair *[128]int16, quant *[128]uint16) bool

// double16 is doubleGo but for the first and the last sample it writes, and counts in sixteens. It reads
// a sample before src, and up to 16 after it.
//
//go:noescape
func double16(dst, src *uint8, n int)

// doubleBetween16 is doubleBetweenGo with double16's limits.
//
//go:noescape
func doubleBetween16(dst, src, near *uint8, n int)

// rgb16 is yccToRGBGo of n pixels, a multiple of 16.
//
//go:noescape
func rgb16(dst, y, cb, cr *uint8, n int)

// acs is the beginning of reader.ac, and returns the next coefficient and whether it is done. The last 8
// bytes, and long codes, are left to the loop.
//
//go:noescape
func acs(r *reader, lookup *[1 << peek]entry, block *[128]int16) (k int, done bool)

// skips begins with reader.skip in the same way.
//
//go:noescape
func skips(r *reader, table *[1 << skipPeek]skip) (k int, done bool)

// forward2 is forwardGo of two blocks, the samples of which lie beside each other.
//
//go:noescape
func forward2(a, b *[64]int16, samples *uint8, stride int, quants *divisors)

// convert16 is convertGo of n pixels, a multiple of 16.
//
//go:noescape
func convert16(y, u, v, pix *uint8, n int)

// halve16 is halveGo, and counts in sixteens.
//
//go:noescape
func halve16(dst, a *uint8, n int)

// quarter16 is quarterGo, and counts in sixteens.
//
//go:noescape
func quarter16(dst, a, b *uint8, n int)

// nonzero64 is nonzero.
//
//go:noescape
func nonzero64(block *[64]int16) uint64
