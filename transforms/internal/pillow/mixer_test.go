package pillow

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMixer compares the tables with the formula they stand for, over all pairs of bytes.
func TestMixer(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	factors := []float32{-1, -0.1, 1e-9, 1. / 3, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99999994, 1.0000001, 1.1, 1.3, 1.9, 2, 19.1, 1e4, 1e30, float32(math.NaN()), float32(math.Inf(1))}
	for range 40 {
		factors = append(factors, rng.Float32()*3-0.5)
	}
	tables := 0
	for _, f := range factors {
		m := newMixer(f)
		if m.steps != nil {
			tables++
		}
		for a := range 256 {
			for b := range 256 {
				got := [1]uint8{}
				m.blend(got[:], []uint8{uint8(a)}, []uint8{uint8(b)})
				if want := m.one(uint8(a), uint8(b)); got[0] != want {
					t.Fatalf("%v: %d and %d: %d, not %d", f, a, b, got[0], want)
				}
			}
		}
	}
	require.GreaterOrEqual(t, tables, len(factors)-2) // NaN and infinity have none
}
