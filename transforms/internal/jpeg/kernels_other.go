//go:build !amd64

package jpeg

// simd is false: there is assembly for amd64 alone. It is no constant, as tests set it.
var simd bool

func idct2(dst *uint8, stride int, pair *[128]int16, quant *[128]uint16) bool { panic("unreachable") }
func double16(dst, src *uint8, n int)                                         { panic("unreachable") }
func doubleBetween16(dst, src, near *uint8, n int)                            { panic("unreachable") }
func rgb16(dst, y, cb, cr *uint8, n int)                                      { panic("unreachable") }

func acs(r *reader, lookup *[1 << peek]entry, block *[128]int16) (k int, done bool) {
	panic("unreachable")
}
func skips(r *reader, table *[1 << skipPeek]skip) (k int, done bool) { panic("unreachable") }

func forward2(a, b *[64]int16, samples *uint8, stride int, quants *divisors) { panic("unreachable") }
func convert16(y, u, v, pix *uint8, n int)                                   { panic("unreachable") }
func halve16(dst, a *uint8, n int)                                           { panic("unreachable") }
func quarter16(dst, a, b *uint8, n int)                                      { panic("unreachable") }
func nonzero64(block *[64]int16) uint64                                      { panic("unreachable") }
