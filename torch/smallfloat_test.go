package torch_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

func ExampleNewF16() {
	x := torch.FromSlice([]torch.F16{torch.NewF16(1), torch.NewF16(0.1)})
	fmt.Println(x)
	fmt.Println(torch.Data[torch.F16](x))
	// Output:
	// tensor([1.0000, 0.1000], dtype=torch.float16)
	// [1 0.099975586]
}

// TestSmallFloats converts all numbers of each format to float32, and numbers of
// all sizes, those between neighbors included, to each, as libtorch does.
func TestSmallFloats(t *testing.T) {
	check[torch.F16](t, 1<<16, torch.NewF16)
	check[torch.BF16](t, 1<<16, torch.NewBF16)
	check[torch.F8E5M2](t, 1<<8, torch.NewF8E5M2)
	check[torch.F8E4M3FN](t, 1<<8, torch.NewF8E4M3FN)
	check[torch.F8E5M2FNUZ](t, 1<<8, torch.NewF8E5M2FNUZ)
	check[torch.F8E4M3FNUZ](t, 1<<8, torch.NewF8E4M3FNUZ)
	check[torch.F8E8M0FNU](t, 1<<8, torch.NewF8E8M0FNU)
}

type small interface {
	torch.Element
	~uint8 | ~uint16
	Float32() float32
}

func check[E small](t *testing.T, n int, narrow func(float32) E) {
	all := make([]E, n)
	for i := range all {
		all[i] = E(i)
	}
	wide := torch.Data[float32](torch.FromSlice(all).ToDType(torch.Float32))
	var fs []float32
	for i, e := range all {
		f := e.Float32()
		if want := wide[i]; math.IsNaN(float64(want)) {
			require.True(t, math.IsNaN(float64(f)), "%T of bits %#x is %v, want NaN", e, i, f)
		} else {
			require.Equal(t, math.Float32bits(want), math.Float32bits(f), "%T of bits %#x is %v, want %v", e, i, f, want)
		}
		fs = append(fs, wide[i])
		if i > 0 { // half-way to the neighbor, and a little less and more
			half := float32((float64(wide[i]) + float64(wide[i-1])) / 2)
			fs = append(fs, half, math.Nextafter32(half, 0), math.Nextafter32(half, float32(math.Inf(1))))
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200000 {
		fs = append(fs, math.Float32frombits(r.Uint32()))
	}
	want := torch.Data[E](torch.FromSlice(fs).ToDType(torch.FromSlice(all[:1]).DType()))
	_, e4m3fn := any(all).([]torch.F8E4M3FN)
	for i, f := range fs {
		if e4m3fn && math.Abs(float64(f)) > 448 && torch.Version() < "2.15" {
			continue // was NaN before numbers too large became the largest one
		}
		got := narrow(f)
		if got != want[i] && !(math.IsNaN(float64(f)) && math.IsNaN(float64(want[i].Float32())) && math.IsNaN(float64(got.Float32()))) {
			require.Equal(t, want[i], got, "%T of %v (%#x)", got, f, math.Float32bits(f))
		}
	}
}
