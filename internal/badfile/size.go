package badfile

import (
	"math"
	"math/bits"
)

// Bytes returns the number of bytes of a dense tensor. It returns false if that, or the product of the nonzero
// dimensions, overflows an int. No number is negative.
func Bytes(shape []int, element int) (int, bool) {
	n, empty := uint64(element), false
	for _, d := range shape {
		if d == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > math.MaxInt {
			return 0, false
		}
		n = lo
	}
	if empty {
		n = 0
	}
	return int(n), true
}
