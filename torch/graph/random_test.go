package graph

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// TestRandom lowers graphs of random calls.
func TestRandom(t *testing.T) {
	n, seed := 300, uint64(1)
	if s, err := strconv.ParseUint(os.Getenv("TORCHHUB_SEED"), 10, 64); err == nil {
		seed = s
	}
	for i := range n {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		torch.ManualSeed(int64(i))
		shape := []int{1 + r.IntN(3), 4 * (1 + r.IntN(3)), 2 * (1 + r.IntN(4)), 2 * (1 + r.IntN(4))}
		torch.Scope(func() {
			torch.NoGrad(func() {
				f := randomFunction(r)
				f(torch.Zeros(shape...))
				g := traced(t, f, shape...)
				defer func() {
					if t.Failed() {
						t.Logf("graph %d of seed %d: %v", i, seed, g)
					}
				}()
				check(t, g, 1e-4) // errors of rounding grow over a dozen layers with random weights
			})
		})
		if t.Failed() {
			return
		}
	}
}

// randomFunction returns a function of 4 to 16 calls, of which each takes a result of one of the last calls. It makes its
// constants when it is called first.
func randomFunction(r *rand.Rand) function {
	a, b := r.Uint64(), r.Uint64()
	var constants []*torch.Tensor
	return func(x *torch.Tensor) *torch.Tensor {
		c := &caller{rand.New(rand.NewPCG(a, b)), []*torch.Tensor{x}, &constants, 0}
		for range 4 + c.r.IntN(12) {
			x := c.made[max(0, len(c.made)-1-c.r.IntN(3))]
			if y := c.call(x); y != nil {
				c.made = append(c.made, y)
			}
		}
		return c.made[len(c.made)-1]
	}
}

// A caller makes random calls.
type caller struct {
	r         *rand.Rand
	made      []*torch.Tensor
	constants *[]*torch.Tensor
	used      int
}

// constant returns the next constant.
func (c *caller) constant(shape ...int) *torch.Tensor {
	if c.used == len(*c.constants) {
		*c.constants = append(*c.constants, torch.Randn(shape...))
	}
	c.used++
	return (*c.constants)[c.used-1]
}

// other returns another tensor of the shape of x, or x.
func (c *caller) other(x *torch.Tensor) *torch.Tensor {
	for _, y := range c.made {
		if y != x && slices.Equal(y.Shape(), x.Shape()) {
			return y
		}
	}
	return x
}

func (c *caller) call(x *torch.Tensor) *torch.Tensor {
	r := c.r
	dim := r.IntN(x.Dim())
	switch k := r.IntN(24); {
	case k < 5 && x.Dim() == 4:
		in, kernel := x.Size(1), 1+2*r.IntN(2)
		groups := 1
		if r.IntN(3) == 0 {
			groups = in
		}
		out := in * (1 + r.IntN(2))
		y := F.Conv2d(x, c.constant(out, in/groups, kernel, kernel).MulScalar(0.3), nil, F.Conv2dOptions{Padding: kernel / 2, Stride: 1 + r.IntN(2), Groups: groups})
		if r.IntN(2) == 0 {
			return F.BatchNorm(y, F.BatchNormOptions{RunningMean: c.constant(out), RunningVar: c.constant(out).Square().AddScalar(0.5), Weight: c.constant(out), Bias: c.constant(out)})
		}
		return y
	case k < 5:
		return F.Linear(x, c.constant(4*(1+r.IntN(3)), x.Size(-1)), c.constant(1))
	case k < 8:
		return []function{(*torch.Tensor).ReLU, F.Hardswish, F.SiLU, (*torch.Tensor).Sigmoid, (*torch.Tensor).Erf}[r.IntN(5)](x)
	case k < 10:
		return x.Add(c.other(x))
	case k == 10:
		return x.Mul(c.other(x).Sigmoid())
	case k == 11 && x.Size(dim) < 16:
		return torch.Cat([]*torch.Tensor{x, c.other(x)}, dim)
	case k == 12 && x.Size(dim) > 1:
		n := 1 + r.IntN(x.Size(dim)-1)
		return x.Narrow(dim, r.IntN(x.Size(dim)-n+1), n)
	case k == 13:
		return x.Permute(r.Perm(x.Dim())...)
	case k == 14 && x.Dim() == 4:
		return x.Flatten(2).Transpose(1, 2)
	case k == 14 && x.Dim() == 3 && x.Size(1)%2 == 0:
		return x.Reshape(x.Size(0), 2, -1, x.Size(2)).Permute(0, 3, 1, 2)
	case k == 15:
		return F.LayerNorm(x, []int{x.Size(-1)}, F.LayerNormOptions{Weight: c.constant(x.Size(-1)), Bias: c.constant(x.Size(-1)), Eps: new(0.1)})
	case k == 16:
		return x.Roll(1+r.IntN(3), dim)
	case k == 17 && x.Dim() == 4 && x.Size(2) > 1 && x.Size(3) > 1:
		return F.MaxPool2d(x, 2, F.MaxPool2dOptions{Stride: 1 + r.IntN(2), CeilMode: r.IntN(2) == 0})
	case k == 18 && x.Dim() == 4:
		return x.Mul(F.AdaptiveAvgPool2d(x, 1).Sigmoid())
	case k == 19:
		y := x.MulScalar(0.5)
		y.Narrow(dim, 0, 1).ZeroInPlace()
		return y
	case k == 20:
		return x.Mul(c.constant(x.Shape()...)).AddScalarInPlace(1)
	case k == 21:
		return x.Add(c.constant(x.Size(-1)))
	case k == 22 && x.Dim() == 3 && x.Size(2)%4 == 0:
		y := x.Reshape(x.Size(0), x.Size(1), x.Size(2)/4, 4).Transpose(1, 2).Tanh()
		return y.MatMul(y.Transpose(-1, -2)).Softmax(-1).MatMul(y).Transpose(1, 2).Flatten(2)
	case k == 23:
		return F.Pad(x, []int{r.IntN(2), r.IntN(2)})
	}
	return nil
}
