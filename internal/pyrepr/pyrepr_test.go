package pyrepr_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/internal/reference"
)

func Example() {
	fmt.Println(pyrepr.Float(1), pyrepr.Float(1e-5), pyrepr.Complex(1i), pyrepr.String("it's"))
	// Output:
	// 1.0 1e-05 1j "it's"
}

func TestPython(t *testing.T) {
	p := reference.Start(t, `
import struct
def number(bits): return struct.unpack("d", struct.pack("Q", int(bits)))[0]
def floats(bits): return [repr(number(b)) for b in bits]
def complexes(pairs): return [repr(complex(number(a), number(b))) for a, b in pairs]
def strings(texts): return [repr(s) for s in texts]
`)
	r := rand.New(rand.NewPCG(1, 2))
	special := []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 1e15, 1e16, 9999999999999998, 1e-4, 9.9e-5, 1e22, 5e-324, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN()}
	fs := append([]float64{}, special...)
	for range 3000 {
		fs = append(fs, r.NormFloat64()*math.Pow(10, float64(r.IntN(40)-20)), math.Float64frombits(r.Uint64()))
	}
	bits := func(f float64) string { return fmt.Sprint(math.Float64bits(f)) }
	var texts []string
	for _, f := range fs {
		texts = append(texts, bits(f))
	}
	var want []string
	p.Call(&want, "floats", texts)
	for i, f := range fs {
		require.Equal(t, want[i], pyrepr.Float(f))
	}
	var pairs [][2]string
	for _, a := range special {
		for _, b := range special {
			pairs = append(pairs, [2]string{bits(a), bits(b)})
		}
	}
	p.Call(&want, "complexes", pairs)
	for i, c := range pairs {
		a, b := special[i/len(special)], special[i%len(special)]
		require.Equal(t, want[i], pyrepr.Complex(complex(a, b)), "%v", c)
	}
	ss := []string{"", "a", "it's", `"`, `'"`, "\\", "a\nb\tc\r", "\x00\x1f\x7f", "é", "日本", "\u200b", "😀", "\u00a0", "\ufeff", "\U000e0001", "\u0301"}
	p.Call(&want, "strings", ss)
	for i, s := range ss {
		require.Equal(t, want[i], pyrepr.String(s))
	}
}
