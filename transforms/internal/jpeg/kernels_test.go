package jpeg

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestColors has every color: the assembly splits the factors in two.
func TestColors(t *testing.T) {
	if !simd {
		t.Skip("this processor has no AVX2")
	}
	const n = 256
	var y, cb, cr [n]uint8
	var got, want [3 * n]uint8
	for u := range 256 {
		for v := range 256 {
			for i := range n {
				y[i], cb[i], cr[i] = uint8(i), uint8(u), uint8(v)
			}
			yccToRGB(got[:], y[:], cb[:], cr[:])
			yccToRGBGo(want[:], y[:], cb[:], cr[:])
			if got != want {
				require.Equal(t, want, got)
			}
		}
	}
}

// TestKernels compares the assembly with the loops that other processors use, on numbers of
// all sizes, overflowing ones among them.
func TestKernels(t *testing.T) {
	if !simd {
		t.Skip("this processor has no AVX2")
	}
	rng := rand.New(rand.NewPCG(6, 6))
	for range 20000 {
		var pair, pair2 [128]int16
		var quant [128]uint16
		bits := rng.IntN(17)
		for k := range 1 + rng.IntN(64) {
			for b := range uint8(2) {
				pair[zigzag[k]+8*b] = int16(rng.Uint32() >> (32 - bits))
			}
		}
		for i := range quant {
			quant[i] = uint16(rng.Uint32() >> (16 + rng.IntN(16)))
		}
		pair2 = pair
		const stride = 24
		got, want := make([]uint8, 8*stride), make([]uint8, 8*stride)
		idct(got, stride, &pair, &quant)
		idctGo(want, stride, &pair2, &quant)
		require.Equal(t, want, got)
		require.Equal(t, [128]int16{}, pair)
		require.Equal(t, [128]int16{}, pair2)
	}
	for n := 1; n < 120; n++ {
		src, near := make([]uint8, n+2*margin), make([]uint8, n+2*margin)
		for i := range src {
			src[i], near[i] = uint8(rng.Uint32()), uint8(rng.Uint32())
		}
		got, want := make([]uint8, 2*n+2*margin), make([]uint8, 2*n+2*margin)
		double(got, src[margin:], n)
		doubleGo(want, src[margin:], n)
		require.Equal(t, want[:2*n], got[:2*n])
		doubleBetween(got, src[margin:], near[margin:], n)
		doubleBetweenGo(want, src[margin:], near[margin:], n)
		require.Equal(t, want[:2*n], got[:2*n])
		cr := append(src[1:], 0)
		yccToRGB(got[:3*(n/2)], src, near, cr)
		yccToRGBGo(want[:3*(n/2)], src, near, cr)
		require.Equal(t, want[:3*(n/2)], got[:3*(n/2)])
	}
}
