package pyrandom

import (
	"fmt"
	"math/big"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

func ExampleNew() {
	r := New(42)
	fmt.Println(r.Float64(), r.Bits(10))
	order := []string{"resize", "flip", "jitter", "erase"}
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	fmt.Println(order, r.Choice(3, []float64{1, 1, 2}))
	// Output:
	// 0.6394267984578837 25
	// [flip erase resize jitter] 0
}

const script = `
import random

def draws(seed, n):
    r = random.Random(int(seed))
    out = []
    for i in range(n):
        order = list(range(i % 9 + 1))
        r.shuffle(order)
        out.append([repr(r.random()), str(r.getrandbits(i % 65)), str(r.randrange(3 ** (i % 40))), order,
                    r.choices(range(i % 5 + 1))[0], r.choices(range(4), weights=[.5, 0, i % 3, 2])[0]])
    return out
`

// TestPython compares a thousand draws of every kind, after small, large,
// negative and very large seeds.
func TestPython(t *testing.T) {
	p := reference.Start(t, script)
	for _, text := range []string{"0", "1", "-7", "4294967295", "4294967296", "18446744073709551615", "-123456789012345678901234567890", "1" + fmt.Sprintf("%04000d", 3)} {
		seed, _ := new(big.Int).SetString(text, 10)
		r := new(Random)
		r.SeedInt(seed)
		var want [][]any
		p.Call(&want, "draws", text, 1000)
		for i, w := range want {
			order := make([]any, i%9+1)
			for k := range order {
				order[k] = float64(k)
			}
			r.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
			n := 1
			for range i % 40 {
				n *= 3
			}
			got := []any{fmt.Sprint(r.Float64()), fmt.Sprint(r.Bits(i % 65)), fmt.Sprint(r.IntN(n)), order,
				float64(r.Choice(i%5+1, nil)), float64(r.Choice(4, []float64{.5, 0, float64(i % 3), 2}))}
			var f float64
			_, err := fmt.Sscan(w[0].(string), &f)
			require.NoError(t, err)
			w[0] = fmt.Sprint(f)
			require.Equal(t, w, got, "seed %.20s…, draw %d", text, i)
		}
	}
}

func TestGoroutines(t *testing.T) {
	Seed(1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				require.Less(t, Default().Float64(), 1.0)
			}
		})
	}
	wg.Wait()
	alone := New(1)
	for range 8000 {
		alone.Float64()
	}
	require.Equal(t, alone.Float64(), Default().Float64(), "no draw was lost or made twice")
}

func TestMistakes(t *testing.T) {
	r := New(0)
	require.Panics(t, func() { r.Bits(65) })
	require.Panics(t, func() { r.Bits(-1) })
	require.Panics(t, func() { r.IntN(0) })
}
