package libm

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

func Example() {
	fmt.Println(Cos(0), Atan(0), Pow(2, 0.5))
	// Output:
	// 1 0 1.4142135623730951
}

func TestPython(t *testing.T) {
	p := reference.Start(t, `
import math
def results(xs):
	xs = [float(x) for x in xs]
	return [[repr(f(x)) for x in xs] for f in (math.sin, math.cos, math.tan, math.atan, lambda x: pow(abs(x), .7), lambda x: math.log(abs(x)), lambda x: math.atan2(x, 4 - x * x), lambda x: abs(complex(x, 4 - x * x)))]
`)
	r := rand.New(rand.NewPCG(1, 2))
	var xs []float64
	var texts []string
	for range 3000 {
		x := r.NormFloat64() * 3
		xs, texts = append(xs, x), append(texts, strconv.FormatFloat(x, 'g', -1, 64))
	}
	var want [][]string
	p.Call(&want, "results", texts)
	for i, f := range []func(float64) float64{Sin, Cos, Tan, Atan, func(x float64) float64 { return Pow(max(x, -x), .7) }, func(x float64) float64 { return Log(max(x, -x)) }, func(x float64) float64 { return Atan2(x, 4-float64(x*x)) }, func(x float64) float64 { return Hypot(x, 4-float64(x*x)) }} {
		for j, x := range xs {
			w, err := strconv.ParseFloat(want[i][j], 64)
			require.NoError(t, err)
			require.Equal(t, w, f(x), "function %d of %v", i, x)
		}
	}
}
