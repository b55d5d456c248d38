package pillow

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/libm"
)

// TestSincos compares with the C library, which rounds a few arguments in thousands the other way.
func TestSincos(t *testing.T) {
	const n = 20000
	r := rand.New(rand.NewPCG(1, 2))
	other := 0
	for range n {
		x := r.Float64()*8 - 4
		s, c := sincos(x)
		if s != libm.Sin(x) || c != libm.Cos(x) {
			other++
		}
	}
	require.Less(t, other, n/100)
}
