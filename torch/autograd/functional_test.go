package autograd_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

const functionalScript = `
import torch
from torch.autograd import functional as F

def x(*shape):
    return (torch.arange(torch.Size(shape).numel(), dtype=torch.float64).reshape(shape) * 0.7 + 0.3).cos()

fs = {
    "exp": (lambda a: a.exp(), [x(3)]),
    "two": (lambda a, b: (a.exp() @ b, a.sum() * b), [x(2, 3), x(3)]),
    "cubed": (lambda a: (a ** 3).sum(), [x(3)]),
    "product": (lambda a, b: (a.exp() * b).sum(), [x(3), x(3)]),
    "unused": (lambda a, b: (a ** 2).sum(), [x(2), x(3)]),
    "linear": (lambda a: (3 * a).sum(), [x(2)]),
    "one": (lambda a: a.sin(), [x(1)]),
}

def flat(v):
    return [t for e in v for t in flat(e)] if isinstance(v, (list, tuple)) else [v.detach().contiguous()]

def ask(f):
    try:
        return [t.numpy() for t in flat(f())]
    except Exception as e:
        return []

def results(name):
    f, inputs = fs[name]
    inputs = tuple(inputs)
    with torch.no_grad():
        outputs = f(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    v = tuple(torch.ones_like(o) * 0.5 for o in outputs)
    u = tuple(torch.ones_like(i) * 0.25 for i in inputs)
    scalar = len(outputs) == 1 and outputs[0].numel() == 1
    one = lambda t: t if len(t) > 1 else t[0]
    r = {
        "vjp": ask(lambda: F.vjp(f, inputs, one(v))),
        "jvp": ask(lambda: F.jvp(f, inputs, one(u)) if len(u) == 1 else F.jvp(f, inputs, u)),
        "jacobian": ask(lambda: F.jacobian(f, inputs)),
        "jacobian vectorized": ask(lambda: F.jacobian(f, inputs, vectorize=True)),
        "jacobian strict": ask(lambda: F.jacobian(f, inputs, strict=True)),
    }
    if scalar:
        r["hessian"] = ask(lambda: F.hessian(f, inputs))
        r["hessian vectorized"] = ask(lambda: F.hessian(f, inputs, vectorize=True))
        r["hessian strict"] = ask(lambda: F.hessian(f, inputs, strict=True))
        r["vhp"] = ask(lambda: F.vhp(f, inputs, u if len(u) > 1 else u[0]))
        r["hvp"] = ask(lambda: F.hvp(f, inputs, u if len(u) > 1 else u[0]))
    return r
`

// TestFunctional compares products and matrices of derivatives with Python's.
func TestFunctional(t *testing.T) {
	python := reference.Start(t, functionalScript)
	x := func(shape ...int) *torch.Tensor {
		n := 1
		for _, s := range shape {
			n *= s
		}
		return torch.Options{DType: torch.Float64}.Arange(float64(n)).View(shape...).MulScalar(0.7).AddScalar(0.3).Cos()
	}
	for name, c := range map[string]gradCase{
		"exp":     {autograd.Unary((*torch.Tensor).Exp), tensors{x(3)}},
		"two":     {func(x ...*torch.Tensor) tensors { return tensors{x[0].Exp().MatMul(x[1]), x[0].Sum().Mul(x[1])} }, tensors{x(2, 3), x(3)}},
		"cubed":   {autograd.Unary(func(x *torch.Tensor) *torch.Tensor { return x.PowScalar(3).Sum() }), tensors{x(3)}},
		"product": {func(x ...*torch.Tensor) tensors { return tensors{x[0].Exp().Mul(x[1]).Sum()} }, tensors{x(3), x(3)}},
		"unused":  {func(x ...*torch.Tensor) tensors { return tensors{x[0].PowScalar(2).Sum()} }, tensors{x(2), x(3)}},
		"linear":  {autograd.Unary(func(x *torch.Tensor) *torch.Tensor { return x.MulScalar(3).Sum() }), tensors{x(2)}},
		"one":     {autograd.Unary((*torch.Tensor).Sin), tensors{x(1)}},
	} {
		var want map[string][]reference.Array
		python.Call(&want, "results", name)
		outputs := c.f(c.in...)
		var v, u tensors
		for _, y := range outputs {
			v = append(v, torch.OnesLike(y).MulScalar(0.5))
		}
		for _, x := range c.in {
			u = append(u, torch.OnesLike(x).MulScalar(0.25))
		}
		pair := func(a, b tensors) tensors { return append(append(tensors{}, a...), b...) }
		flat := func(m [][]*torch.Tensor) (out tensors) {
			for _, row := range m {
				out = append(out, row...)
			}
			return out
		}
		got := map[string]func() tensors{
			"vjp":                 func() tensors { return pair(autograd.VJP(c.f, c.in, v)) },
			"jvp":                 func() tensors { return pair(autograd.JVP(c.f, c.in, u)) },
			"jacobian":            func() tensors { return flat(autograd.Jacobian(c.f, c.in)) },
			"jacobian vectorized": func() tensors { return flat(autograd.Jacobian(c.f, c.in, autograd.JacobianOptions{Vectorize: true})) },
			"jacobian strict":     func() tensors { return flat(autograd.Jacobian(c.f, c.in, autograd.JacobianOptions{Strict: true})) },
			"hessian":             func() tensors { return flat(autograd.Hessian(c.f, c.in)) },
			"hessian vectorized":  func() tensors { return flat(autograd.Hessian(c.f, c.in, autograd.JacobianOptions{Vectorize: true})) },
			"hessian strict":      func() tensors { return flat(autograd.Hessian(c.f, c.in, autograd.JacobianOptions{Strict: true})) },
			"vhp":                 func() tensors { return pair(autograd.VHP(c.f, c.in, u)) },
			"hvp":                 func() tensors { return pair(autograd.HVP(c.f, c.in, u)) },
		}
		for what, w := range want {
			label := name + ", " + what
			var g tensors
			err := torch.Try(func() { g = got[what]() })
			if len(w) == 0 {
				require.Error(t, err, label)
				continue
			}
			require.NoError(t, err, label)
			require.Len(t, g, len(w), label)
			for i := range w {
				require.Equal(t, append([]int{}, w[i].Shape...), append([]int{}, g[i].Shape()...), label)
				require.InDeltaSlice(t, reference.Data[float64](w[i]), torch.Data[float64](g[i]), 1e-12, label)
			}
		}
		forward := flat(autograd.Jacobian(c.f, c.in, autograd.JacobianOptions{Strategy: "forward-mode"}))
		for i, w := range want["jacobian"] {
			require.InDeltaSlice(t, reference.Data[float64](w), torch.Data[float64](forward[i]), 1e-12, name)
		}
		if w, ok := want["hessian"]; ok {
			forward := flat(autograd.Hessian(c.f, c.in, autograd.JacobianOptions{Strategy: "forward-mode"}))
			for i := range w {
				require.InDeltaSlice(t, reference.Data[float64](w[i]), torch.Data[float64](forward[i]), 1e-12, name)
			}
		}
	}
}

// TestFunctionalErrors checks the messages about arguments that do not fit.
func TestFunctionalErrors(t *testing.T) {
	x := torch.Ones(2)
	f := autograd.Unary((*torch.Tensor).Exp)
	for text, call := range map[string]func(){
		"v may be nil only if the function has one output, of one element": func() { autograd.VJP(f, tensors{x}, nil) },
		"v has 2 tensors; the function has 1 outputs":                      func() { autograd.VJP(f, tensors{x}, tensors{x, x}) },
		"tensor 0 of v has the shape [3]":                                  func() { autograd.JVP(f, tensors{x}, tensors{torch.Ones(3)}) },
		"input 0 is nil":                                                   func() { autograd.Jacobian(f, tensors{nil}) },
		"the function must have one output":                                func() { autograd.Hessian(f, tensors{x}) },
		`the strategy is "sideways"`:                                       func() { autograd.Jacobian(f, tensors{x}, autograd.JacobianOptions{Strategy: "sideways"}) },
		"Strict and Vectorize":                                             func() { autograd.Jacobian(f, tensors{x}, autograd.JacobianOptions{Strict: true, Vectorize: true}) },
		"there are no inputs":                                              func() { autograd.Grad(tensors{x}, nil) },
		"tensor 0 is nil":                                                  func() { autograd.Grad(tensors{nil}, tensors{x}) },
		"2 gradients are given for 1 tensors":                              func() { autograd.Grad(tensors{x}, tensors{x}, autograd.GradOptions{GradOutputs: tensors{x, x}}) },
		"the list of inputs is empty":                                      func() { autograd.Backward(tensors{x}, autograd.BackwardOptions{Inputs: tensors{}}) },
		"does not require grad":                                            func() { autograd.Grad(tensors{x.Sum()}, tensors{x}) },
	} {
		require.ErrorContains(t, torch.Try(call), text)
	}
}

const vmapScript = `
import torch
from torch import vmap

a, b = torch.arange(12.0).reshape(3, 4), torch.arange(12.0).reshape(3, 4).cos()
cases = [
    lambda: vmap(torch.dot)(a, b),
    lambda: vmap(torch.mul, in_dims=(1, None))(a, b[:, 0]),
    lambda: vmap(torch.mul, in_dims=(0, 0), out_dims=1)(a, b),
    lambda: vmap(lambda x: (x.sum(), x.exp()), out_dims=(0, -1))(a),
    lambda: vmap(vmap(torch.mul, in_dims=(0, None)), in_dims=(0, 0))(a, b),
    lambda: vmap(lambda x: x.sort().values, chunk_size=2)(b),
    lambda: vmap(lambda x: x @ x.t())(torch.stack([a, b])),
    lambda: vmap(lambda x: torch.nn.functional.softmax(x, -1))(a),
]

def results():
    return [[t.contiguous().numpy() for t in (r if isinstance(r, tuple) else (r,))] for r in (f() for f in cases)]
`

// TestVmap compares mapped functions with Python's.
func TestVmap(t *testing.T) {
	python := reference.Start(t, vmapScript)
	var want [][]reference.Array
	python.Call(&want, "results")
	a := torch.Arange(12.0).View(3, 4)
	b := a.Cos()
	mul := func(x ...*torch.Tensor) tensors { return tensors{x[0].Mul(x[1])} }
	type O = autograd.VmapOptions
	for i, got := range []tensors{
		autograd.Vmap(func(x ...*torch.Tensor) tensors { return tensors{x[0].Dot(x[1])} })(a, b),
		autograd.Vmap(mul, O{InDims: []int{1, autograd.Unmapped}})(a, b.Select(1, 0)),
		autograd.Vmap(mul, O{OutDims: 1})(a, b),
		autograd.Vmap(func(x ...*torch.Tensor) tensors { return tensors{x[0].Sum(), x[0].Exp()} }, O{OutDims: []int{0, -1}})(a),
		autograd.Vmap(func(x ...*torch.Tensor) tensors {
			return autograd.Vmap(mul, O{InDims: []int{0, autograd.Unmapped}})(x...)
		})(a, b),
		autograd.Vmap(func(x ...*torch.Tensor) tensors { y, _ := x[0].Sort(); return tensors{y} }, O{ChunkSize: 2})(b),
		autograd.Vmap(autograd.Unary(func(x *torch.Tensor) *torch.Tensor { return x.MatMul(x.T()) }))(torch.Stack(tensors{a, b}, 0)),
		autograd.Vmap(autograd.Unary(func(x *torch.Tensor) *torch.Tensor { return x.Softmax(-1) }))(a),
	} {
		require.Len(t, got, len(want[i]))
		for k, w := range want[i] {
			require.Equal(t, w.Shape, got[k].Shape(), "case %d", i)
			require.Equal(t, reference.Data[float32](w), torch.Data[float32](got[k].Contiguous()), "case %d", i)
		}
	}
}

const vmapDrawScript = `
import torch
import torch.nn.functional as F

def draw(outer, inner):
    def f(x):
        y = x + torch.rand(3)
        y = y + torch.randn_like(x).detach()
        y = y + F.dropout(torch.ones_like(x), 0.5, True)
        return y, torch.vmap(lambda x: (x + torch.rand(())) + torch.rand_like(x), randomness=inner)(x)
    torch.manual_seed(1)
    return [t.numpy() for t in torch.vmap(f, randomness=outer)(torch.zeros(2, 3))]
`

// TestVmapDraws compares random numbers in mapped functions with Python's.
func TestVmapDraws(t *testing.T) {
	python := reference.Start(t, vmapDrawScript)
	a := torch.Zeros(2, 3)
	type O = autograd.VmapOptions
	for _, outer := range []string{"same", "different"} {
		for _, inner := range []string{"same", "different"} {
			draw := autograd.Unary(func(x *torch.Tensor) *torch.Tensor {
				y := x.Add(torch.Rand(3)).Add(torch.RandnLike(x).Detach())
				return y.Add(F.Dropout(torch.OnesLike(x), 0.5, true))
			})
			nested := autograd.Unary(func(x *torch.Tensor) *torch.Tensor {
				return autograd.Vmap(autograd.Unary(func(x *torch.Tensor) *torch.Tensor { return x.Add(torch.Rand()).Add(torch.RandLike(x)) }), O{Randomness: inner})(x)[0]
			})
			torch.ManualSeed(1)
			got := autograd.Vmap(func(x ...*torch.Tensor) tensors { return append(draw(x...), nested(x...)...) }, O{Randomness: outer})(a)
			var want []reference.Array
			python.Call(&want, "draw", outer, inner)
			for i, w := range want {
				require.Equal(t, reference.Data[float32](w), torch.Data[float32](got[i]), "%s, %s", outer, inner)
			}
		}
	}
	// A tensor of a mapped function is of no use outside.
	var kept *torch.Tensor
	autograd.Vmap(autograd.Unary(func(x *torch.Tensor) *torch.Tensor { kept = x; return x }))(a)
	require.ErrorContains(t, torch.Try(func() { kept.Exp() }), "escaped")
	constant := autograd.Vmap(autograd.Unary(func(*torch.Tensor) *torch.Tensor { return torch.Arange(3.0) }), O{OutDims: 1})(a)[0]
	require.Equal(t, []float32{0, 0, 1, 1, 2, 2}, torch.Data[float32](constant.Contiguous()))
}

// TestThroughVmap differentiates what was mapped, with respect to a tensor that was not.
func TestThroughVmap(t *testing.T) {
	w := torch.Options{RequiresGrad: true}.Ones(3)
	x := torch.Arange(6.0).View(2, 3)
	y := autograd.Vmap(autograd.Unary(func(x *torch.Tensor) *torch.Tensor { return x.Mul(w).Sum() }))(x)[0]
	require.Equal(t, []float32{3, 5, 7}, torch.Data[float32](autograd.Grad(tensors{y.Sum()}, tensors{w})[0]))
}

func TestVmapErrors(t *testing.T) {
	id := autograd.Unary(func(x *torch.Tensor) *torch.Tensor { return x })
	a := torch.Ones(2, 3)
	type O = autograd.VmapOptions
	for text, call := range map[string]func(){
		"output 0 of the function is nil":              func() { autograd.Vmap(func(...*torch.Tensor) tensors { return tensors{nil} })(a) },
		"different sizes: 2, and 4 of input 1":         func() { autograd.Vmap(id)(a, torch.Ones(4)) },
		"at least one input must be mapped":            func() { autograd.Vmap(id, O{InDims: autograd.Unmapped})(a) },
		"its dimension 2 cannot be mapped":             func() { autograd.Vmap(id, O{InDims: 2})(a) },
		"1 dimensions are given for 2 inputs":          func() { autograd.Vmap(id, O{InDims: []int{0}})(a, a) },
		`the randomness is "some"`:                     func() { autograd.Vmap(id, O{Randomness: "some"}) },
		"has the size 0":                               func() { autograd.Vmap(id)(torch.Ones(0, 2)) },
		"randomness":                                   func() { autograd.Vmap(autograd.Unary(func(x *torch.Tensor) *torch.Tensor { return x.Bernoulli() }))(a) },
		"that cannot be at 5":                          func() { autograd.Vmap(id, O{OutDims: 5})(a) },
		"the dimensions of the inputs are a string":    func() { autograd.Vmap(id, O{InDims: "0"})(a) },
		"derivative is written in Go cannot be mapped": func() { autograd.Vmap(exp(nil).Apply)(a) },
		"in which there are no checkpoints":            func() { autograd.Vmap(func(x ...*torch.Tensor) tensors { return autograd.Checkpoint(id, x) })(a) },
	} {
		require.ErrorContains(t, torch.Try(call), text)
	}
	// The elements of a mapped tensor cannot be read, and the thread is as before after a panic.
	require.Error(t, torch.Try(func() {
		autograd.Vmap(autograd.Unary(func(x *torch.Tensor) *torch.Tensor { return torch.Scalar(torch.Data[float32](x)[0]) }))(a)
	}))
	require.Equal(t, fmt.Sprint(torch.Ones(2)), fmt.Sprint(autograd.Vmap(id)(torch.Ones(2))[0]))
}
