package pillow

import (
	"image"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKernels compares the assembly with the loops that other processors use.
func TestKernels(t *testing.T) {
	if !simd {
		t.Skip("this processor has no AVX2")
	}
	rng := rand.New(rand.NewPCG(7, 7))
	hows := slices.Sorted(maps.Keys(filters))
	for i := range 250 {
		w, h := 1+rng.IntN(400), 1+rng.IntN(300)
		nw, nh := 1+rng.IntN(200), 1+rng.IntN(200)
		switch i % 20 {
		case 0:
			nw = w
		case 1:
			nh = h
		case 2:
			h = 1 + rng.IntN(3000)
		case 3:
			w = 1 + rng.IntN(3000)
		}
		src := NewRGB(w, h)
		for j := range src.Pix {
			src.Pix[j] = []uint8{0, 255, uint8(rng.Uint32())}[rng.IntN(3)]
		}
		x, y := rng.IntN(nw), rng.IntN(nh)
		r := image.Rect(x, y, x+1+rng.IntN(nw-x), y+1+rng.IntN(nh-y))
		how := hows[rng.IntN(len(hows))]
		got := Resample(src, nw, nh, how, r)
		// The same picture as a part of a larger one.
		box := src.Bounds().Add(image.Pt(rng.IntN(20), rng.IntN(20)))
		around := src.Crop(image.Rectangle{Max: box.Max.Add(image.Pt(rng.IntN(20), rng.IntN(20)))}.Sub(box.Min))
		rows := NewRGB(r.Dx(), r.Dy())
		ResampleRows(around, box, nw, nh, how, r, func(y int, row []uint8) { copy(rows.Pix[3*rows.W*y:], row) })
		simd = false
		want := Resample(src, nw, nh, how, r)
		simd = true
		require.True(t, slices.Equal(want.Pix, got.Pix), "%d×%d to %d×%d %v %v", w, h, nw, nh, r, how)
		require.True(t, slices.Equal(want.Pix, rows.Pix), "rows: %d×%d to %d×%d %v %v", w, h, nw, nh, r, how)
	}
}
