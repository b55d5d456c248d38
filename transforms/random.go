package transforms

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

// What random transforms draw, by the operators that Python draws by, from the
// generator of the value.

func generator(v Value) torch.RandomOptions { return torch.RandomOptions{Generator: v.Generator} }

var onCPU = torch.Options{Device: torch.CPU}

// uniforms is torch.rand(size).
func uniforms(v Value, size ...int) *torch.Tensor {
	return aten.RandGenerator(size, v.Generator, torch.Float32, nil, torch.CPU, nil)
}

// uniform is torch.empty(1).uniform_(low, high).item().
func uniform(v Value, low, high float64) float64 {
	x := onCPU.Empty(1)
	defer x.Free()
	return x.UniformInPlace(low, high, generator(v)).Item()
}

// between is uniform of a range.
func between(v Value, r []float64) float64 { return uniform(v, r[0], r[1]) }

// randint is torch.randint(low, high, (1,)).item().
func randint(v Value, low, high int) int {
	x := randints(v, low, high, 1)
	defer x.Free()
	return int(x.Item())
}

// randints is torch.randint(low, high, (n,)).
func randints(v Value, low, high, n int) *torch.Tensor {
	return aten.RandintLowGenerator(low, high, []int{n}, v.Generator, torch.Int64, nil, torch.CPU, nil)
}

// randperm is torch.randperm(n).
func randperm(v Value, n int) []int64 {
	x := aten.RandpermGenerator(n, v.Generator, torch.Int64, nil, torch.CPU, nil)
	defer x.Free()
	return torch.Data[int64](x)
}

// happens is torch.rand(1) < p, which compares in float32.
func happens(v Value, p float64) bool {
	var yes bool
	torch.Scope(func() { yes = uniforms(v, 1).LtScalar(p).Item() != 0 })
	return yes
}

// happensExactly is torch.rand(1).item() < p, which compares in float64.
func happensExactly(v Value, p float64) bool {
	x := uniforms(v, 1)
	defer x.Free()
	return x.Item() < p
}

// python returns the generator that takes the place of Python's module random.
func python(v Value) *pyrandom.Random {
	if v.Random != nil {
		return v.Random
	}
	return pyrandom.Default()
}
