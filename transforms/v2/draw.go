package v2

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
)

// A draw is one call of an operator that draws, the one that Python calls, so
// that a generator gives the same numbers in the same order.

// rand returns torch.rand(n).
func rand(g *torch.Generator, n int) (out []float32) {
	torch.Scope(func() {
		out = torch.Data[float32](torch.Options{DType: torch.Float32}.Empty(n).UniformInPlace(0, 1, torch.RandomOptions{Generator: g}))
	})
	return out
}

// uniform32 returns torch.rand(1).
func uniform32(g *torch.Generator) float32 { return rand(g, 1)[0] }

// uniform returns torch.empty(1).uniform_(low, high).item().
func uniform(g *torch.Generator, low, high float64) (v float64) {
	torch.Scope(func() {
		v = torch.Options{DType: torch.Float32}.Empty(1).UniformInPlace(low, high, torch.RandomOptions{Generator: g}).Item()
	})
	return v
}

// expUniform returns torch.exp(torch.empty(1).uniform_(log(low), log(high))).item(), with logarithms in float32.
func expUniform(g *torch.Generator, ratio [2]float64) (v float64) {
	torch.Scope(func() {
		logs := torch.Data[float32](torch.FromSlice(ratio[:]).ToDType(torch.Float32).Log())
		v = torch.Options{DType: torch.Float32}.Empty(1).UniformInPlace(float64(logs[0]), float64(logs[1]), torch.RandomOptions{Generator: g}).Exp().Item()
	})
	return v
}

// randint returns torch.randint(low, high, (1,)).
func randint(g *torch.Generator, low, high int) (v int) {
	torch.Scope(func() {
		v = int(torch.Options{DType: torch.Int64}.Empty(1).RandomInPlace(low, high, torch.RandomOptions{Generator: g}).Item())
	})
	return v
}

// randperm returns torch.randperm(n).
func randperm(g *torch.Generator, n int) []int {
	out := make([]int, n)
	torch.Scope(func() {
		for i, v := range torch.Data[int64](aten.RandpermGenerator(n, g, torch.Int64, nil, "", nil)) {
			out[i] = int(v)
		}
	})
	return out
}
