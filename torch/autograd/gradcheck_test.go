package autograd_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
)

type tensors = []*torch.Tensor

var double = torch.Options{DType: torch.Float64, RequiresGrad: true}

// custom returns a function whose gradient is scaled by a factor, so that it is right for
// the factor 1 only.
func custom(forward func(*torch.Tensor) *torch.Tensor, backward func(x, grad *torch.Tensor) *torch.Tensor) func(x ...*torch.Tensor) tensors {
	return func(x ...*torch.Tensor) tensors {
		return autograd.Function{
			Name: "Custom",
			Forward: func(ctx *autograd.Context, in ...*torch.Tensor) tensors {
				ctx.SaveForBackward(in[0])
				return tensors{forward(in[0])}
			},
			Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) tensors {
				return tensors{backward(ctx.SavedTensors()[0], grads[0])}
			},
		}.Apply(x...)
	}
}

const gradcheckScript = `
import torch
from torch.autograd import gradcheck, gradgradcheck

def custom(forward, backward):
    class Custom(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)
        @staticmethod
        def backward(ctx, g):
            return backward(ctx.saved_tensors[0], g)
    return Custom.apply

def x(*shape, dtype=torch.float64):
    torch.manual_seed(1)
    return torch.randn(shape, dtype=dtype).requires_grad_()

def positive(*shape):
    torch.manual_seed(1)
    return (torch.rand(shape, dtype=torch.float64) + 0.5).requires_grad_()

c128 = torch.complex128
cases = {
    "exp": (lambda a: a.exp(), [x(2, 3)]),
    "mul": (lambda a, b: a * b, [x(2, 3), x(3)]),
    "matmul": (lambda a, b: a @ b, [x(2, 3), x(3, 2)]),
    "two outputs": (lambda a: (a.sin(), a.cos() * 2), [x(3)]),
    "sum": (lambda a: a.sum(), [x(2, 2)]),
    "empty": (lambda a: a.exp(), [x(0)]),
    "scalar": (lambda a: a * a, [x()]),
    "transposed": (lambda a: a.t().exp(), [x(2, 3)]),
    "constant": (lambda a, b: a * b, [x(2), x(2).detach()]),
    "linear": (lambda a: 3 * a, [x(3)]),
    "relu at 0": (lambda a: (a - a.detach()).relu(), [x(3)]),
    "abs": (lambda a: a.abs(), [x(3)]),
    "round": (lambda a: a.round(), [x(3)]),
    "detached": (lambda a: a.detach() * 2, [x(3)]),
    "detached and not": (lambda a: a.detach() * a, [x(3)]),
    "integer output": (lambda a: (a.exp(), a.argmax()), [x(3)]),
    "float32": (lambda a: a.exp(), [x(3, dtype=torch.float32)]),
    "complex exp": (lambda a: a.exp(), [x(2, dtype=c128)]),
    "complex abs": (lambda a: a.abs(), [x(2, dtype=c128)]),
    "complex mul": (lambda a, b: a * b, [x(2, dtype=c128), x(2)]),
    "complex conj": (lambda a: a.conj(), [x(2, dtype=c128)]),
    "to complex": (lambda a: torch.complex(a, a * 2), [x(2)]),
    "right": (custom(lambda x: x.exp(), lambda x, g: g * x.exp()), [x(2, 3)]),
    "factor 2": (custom(lambda x: x.exp(), lambda x, g: g * x.exp() * 2), [x(2, 3)]),
    "factor 1.0005": (custom(lambda x: x.exp(), lambda x, g: g * x.exp() * 1.0005), [x(2, 3)]),
    "factor 1.002": (custom(lambda x: x.exp(), lambda x, g: g * x.exp() * 1.002), [x(2, 3)]),
    "sign": (custom(lambda x: x.sin(), lambda x, g: -g * x.cos()), [x(3)]),
    "transposed gradient": (custom(lambda x: x.sin(), lambda x, g: (g * x.cos()).t().contiguous().t()), [x(2, 2)]),
    "swapped": (custom(lambda x: x.sin(), lambda x, g: (g * x.cos()).flip(0)), [x(3)]),
    "no use of the gradient": (custom(lambda x: x.sum(), lambda x, g: torch.ones_like(x)), [x(3)]),
    "zero": (custom(lambda x: x.sin(), lambda x, g: torch.zeros_like(g)), [x(3)]),
    "random": (custom(lambda x: x * 1, lambda x, g: g + torch.rand_like(g) * 1e-6), [x(3)]),
    "missing gradient": (custom(lambda x: x * 1, lambda x, g: None), [x(3)]),
    "wrong conj": (custom(lambda x: x * x, lambda x, g: g * 2 * x), [x(2, dtype=c128)]),
    "right conj": (custom(lambda x: x * x, lambda x, g: g * 2 * x.conj()), [x(2, dtype=c128)]),
    "pow": (lambda a: a ** 3, [x(3)]),
    "sqrt": (lambda a: a.sqrt(), [positive(3)]),
    "log_softmax": (lambda a: a.log_softmax(1), [x(2, 3)]),
    "cumprod": (lambda a: a.cumprod(0), [x(4)]),
    "norm": (lambda a: a.norm(), [x(4)]),
}

def verdict(f):
    try:
        return "yes" if f() else "no"
    except Exception as e:
        return "error"

def verdicts():
    return {name: [
        verdict(lambda: gradcheck(f, inputs, raise_exception=False)),
        verdict(lambda: gradgradcheck(f, inputs, raise_exception=False)) if name != "random" else "no",
        verdict(lambda: gradcheck(f, inputs, raise_exception=False, check_batched_grad=True)) if name != "random" else "no",
        verdict(lambda: gradcheck(f, inputs, raise_exception=False, check_forward_ad=True)) if not any(i.is_complex() for i in inputs) and name != "random" else "no",
        verdict(lambda: gradcheck(f, inputs, raise_exception=False, eps=1e-4, atol=1e-2, rtol=1e-1)),
    ] for name, (f, inputs) in cases.items()}
`

type gradCase struct {
	f  func(x ...*torch.Tensor) tensors
	in tensors
}

func drawn(shape ...int) *torch.Tensor {
	torch.ManualSeed(1)
	return torch.Options{DType: torch.Float64}.Randn(shape...).RequireGrad(true)
}

func drawnOf(d torch.DType, shape ...int) *torch.Tensor {
	torch.ManualSeed(1)
	return torch.Options{DType: d}.Randn(shape...).RequireGrad(true)
}

func gradCases() map[string]gradCase {
	unary := func(f func(*torch.Tensor) *torch.Tensor, x *torch.Tensor) gradCase {
		return gradCase{autograd.Unary(f), tensors{x}}
	}
	wrong := func(forward func(*torch.Tensor) *torch.Tensor, backward func(x, g *torch.Tensor) *torch.Tensor, x *torch.Tensor) gradCase {
		return gradCase{custom(forward, backward), tensors{x}}
	}
	binary := func(f func(a, b *torch.Tensor) *torch.Tensor, a, b *torch.Tensor) gradCase {
		return gradCase{func(x ...*torch.Tensor) tensors { return tensors{f(x[0], x[1])} }, tensors{a, b}}
	}
	scaled := func(by float64) gradCase {
		return wrong((*torch.Tensor).Exp, func(x, g *torch.Tensor) *torch.Tensor { return g.Mul(x.Exp()).MulScalar(by) }, drawn(2, 3))
	}
	square := func(x *torch.Tensor) *torch.Tensor { return x.Mul(x) }
	times1 := func(x *torch.Tensor) *torch.Tensor { return x.MulScalar(1) }
	c128 := torch.Complex128
	torch.ManualSeed(1)
	positive := torch.Options{DType: torch.Float64}.Rand(3).AddScalar(0.5).RequireGrad(true)
	return map[string]gradCase{
		"exp":                    unary((*torch.Tensor).Exp, drawn(2, 3)),
		"mul":                    binary((*torch.Tensor).Mul, drawn(2, 3), drawn(3)),
		"matmul":                 binary((*torch.Tensor).MatMul, drawn(2, 3), drawn(3, 2)),
		"two outputs":            {func(x ...*torch.Tensor) tensors { return tensors{x[0].Sin(), x[0].Cos().MulScalar(2)} }, tensors{drawn(3)}},
		"sum":                    unary(func(x *torch.Tensor) *torch.Tensor { return x.Sum() }, drawn(2, 2)),
		"empty":                  unary((*torch.Tensor).Exp, drawn(0)),
		"scalar":                 unary(square, drawn()),
		"transposed":             unary(func(x *torch.Tensor) *torch.Tensor { return x.T().Exp() }, drawn(2, 3)),
		"constant":               binary((*torch.Tensor).Mul, drawn(2), drawn(2).Detach()),
		"linear":                 unary(func(x *torch.Tensor) *torch.Tensor { return x.MulScalar(3) }, drawn(3)),
		"relu at 0":              unary(func(x *torch.Tensor) *torch.Tensor { return x.Sub(x.Detach()).ReLU() }, drawn(3)),
		"abs":                    unary((*torch.Tensor).Abs, drawn(3)),
		"round":                  unary(func(x *torch.Tensor) *torch.Tensor { return x.Round() }, drawn(3)),
		"detached":               unary(func(x *torch.Tensor) *torch.Tensor { return x.Detach().MulScalar(2) }, drawn(3)),
		"detached and not":       unary(func(x *torch.Tensor) *torch.Tensor { return x.Detach().Mul(x) }, drawn(3)),
		"integer output":         {func(x ...*torch.Tensor) tensors { return tensors{x[0].Exp(), x[0].ArgMax()} }, tensors{drawn(3)}},
		"float32":                unary((*torch.Tensor).Exp, drawnOf(torch.Float32, 3)),
		"complex exp":            unary((*torch.Tensor).Exp, drawnOf(c128, 2)),
		"complex abs":            unary((*torch.Tensor).Abs, drawnOf(c128, 2)),
		"complex mul":            binary((*torch.Tensor).Mul, drawnOf(c128, 2), drawn(2)),
		"complex conj":           unary((*torch.Tensor).Conj, drawnOf(c128, 2)),
		"to complex":             unary(func(x *torch.Tensor) *torch.Tensor { return torch.Complex(x, x.MulScalar(2)) }, drawn(2)),
		"right":                  scaled(1),
		"factor 2":               scaled(2),
		"factor 1.0005":          scaled(1.0005),
		"factor 1.002":           scaled(1.002),
		"sign":                   wrong((*torch.Tensor).Sin, func(x, g *torch.Tensor) *torch.Tensor { return g.Neg().Mul(x.Cos()) }, drawn(3)),
		"transposed gradient":    wrong((*torch.Tensor).Sin, func(x, g *torch.Tensor) *torch.Tensor { return g.Mul(x.Cos()).T().Contiguous().T() }, drawn(2, 2)),
		"swapped":                wrong((*torch.Tensor).Sin, func(x, g *torch.Tensor) *torch.Tensor { return g.Mul(x.Cos()).Flip(0) }, drawn(3)),
		"no use of the gradient": wrong(func(x *torch.Tensor) *torch.Tensor { return x.Sum() }, func(x, g *torch.Tensor) *torch.Tensor { return torch.OnesLike(x) }, drawn(3)),
		"zero":                   wrong((*torch.Tensor).Sin, func(x, g *torch.Tensor) *torch.Tensor { return torch.ZerosLike(g) }, drawn(3)),
		"random":                 wrong(times1, func(x, g *torch.Tensor) *torch.Tensor { return g.Add(torch.RandLike(g).MulScalar(1e-6)) }, drawn(3)),
		"missing gradient":       wrong(times1, func(x, g *torch.Tensor) *torch.Tensor { return nil }, drawn(3)),
		"wrong conj":             wrong(square, func(x, g *torch.Tensor) *torch.Tensor { return g.Mul(x).MulScalar(2) }, drawnOf(c128, 2)),
		"right conj":             wrong(square, func(x, g *torch.Tensor) *torch.Tensor { return g.Mul(x.Conj()).MulScalar(2) }, drawnOf(c128, 2)),
		"pow":                    unary(func(x *torch.Tensor) *torch.Tensor { return x.PowScalar(3) }, drawn(3)),
		"sqrt":                   unary((*torch.Tensor).Sqrt, positive),
		"log_softmax":            unary(func(x *torch.Tensor) *torch.Tensor { return x.LogSoftmax(1) }, drawn(2, 3)),
		"cumprod":                unary(func(x *torch.Tensor) *torch.Tensor { return x.Cumprod(0) }, drawn(4)),
		"norm":                   unary(func(x *torch.Tensor) *torch.Tensor { return x.Norm(2) }, drawn(4)),
	}
}

func verdict(f func() error) string {
	var err error
	if torch.Try(func() { err = f() }) != nil {
		return "error"
	}
	if err != nil {
		return "no"
	}
	return "yes"
}

// TestGradcheck compares the verdicts with Python's, of right and wrong gradients.
func TestGradcheck(t *testing.T) {
	python := reference.Start(t, gradcheckScript)
	var want map[string][]string
	python.Call(&want, "verdicts")
	cases := gradCases()
	require.Len(t, cases, len(want))
	count := map[string]int{}
	for name, c := range cases {
		real := true
		for _, x := range c.in {
			real = real && !x.DType().IsComplex()
		}
		check := func(o autograd.GradcheckOptions) string {
			return verdict(func() error { return autograd.Gradcheck(c.f, c.in, o) })
		}
		got := []string{
			check(autograd.GradcheckOptions{}), "no", "no", "no",
			check(autograd.GradcheckOptions{Eps: new(1e-4), ATol: new(1e-2), RTol: new(1e-1)}),
		}
		if name != "random" {
			got[1] = verdict(func() error { return autograd.Gradgradcheck(c.f, c.in, nil) })
			got[2] = check(autograd.GradcheckOptions{CheckBatchedGrad: true})
			if real {
				got[3] = check(autograd.GradcheckOptions{CheckForwardAD: true})
			}
		}
		require.Equal(t, want[name], got, name)
		for _, v := range got {
			count[v]++
		}
	}
	t.Log(count)
	require.Greater(t, count["yes"], 60)
	require.Greater(t, count["no"], 40)
}

// TestGradcheckError checks that a wrong gradient is shown beside the right one.
func TestGradcheckError(t *testing.T) {
	c := gradCases()["factor 2"]
	err := autograd.Gradcheck(c.f, c.in)
	var e *autograd.GradcheckError
	require.ErrorAs(t, err, &e)
	require.Contains(t, err.Error(), "the Jacobian of output 0 with respect to input 0 is wrong")
	require.Contains(t, fmt.Sprint(torch.Try(func() { _ = autograd.Gradcheck(c.f, tensors{torch.Ones(2)}) })), "no input requires a gradient")
	require.Contains(t, fmt.Sprint(torch.Try(func() {
		_ = autograd.Gradcheck(c.f, tensors{double.Ones(1).Expand(3).Detach().RequireGrad(true)})
	})), "stride 0")
}
