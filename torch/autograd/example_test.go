package autograd_test

import (
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
)

func Example() {
	x := torch.FromSlice([]float64{1, 2, 3}).RequireGrad(true)
	y := x.Mul(x).Sum()
	fmt.Println(autograd.Grad([]*torch.Tensor{y}, []*torch.Tensor{x})[0])
	// Output: tensor([2., 4., 6.], dtype=torch.float64)
}

// Clip is max(x, 0) whose gradient is that of x everywhere: a straight-through estimator.
func clip(x *torch.Tensor) *torch.Tensor {
	return autograd.Function{
		Name: "Clip",
		Forward: func(ctx *autograd.Context, in ...*torch.Tensor) []*torch.Tensor {
			return []*torch.Tensor{in[0].ClampMin(0)}
		},
		Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) []*torch.Tensor { return grads },
	}.Apply(x)[0]
}

func ExampleFunction() {
	x := torch.FromSlice([]float64{-1, 2}).RequireGrad(true)
	y := clip(x)
	y.Sum().Backward()
	fmt.Println(y)
	fmt.Println(x.Grad())
	// Output:
	// tensor([0., 2.], dtype=torch.float64, grad_fn=<ClipBackward>)
	// tensor([1., 1.], dtype=torch.float64)
}

func ExampleGradcheck() {
	x := torch.FromSlice([]float64{-1, 2}).RequireGrad(true)
	fmt.Println(autograd.Gradcheck(autograd.Unary((*torch.Tensor).Exp), []*torch.Tensor{x}))
	err := autograd.Gradcheck(autograd.Unary(clip), []*torch.Tensor{x})
	text, matrices, _ := strings.Cut(err.Error(), ",")
	fmt.Println(text)
	_ = matrices // by finite differences, and by the gradient
	// Output:
	// <nil>
	// autograd: the Jacobian of output 0 with respect to input 0 is wrong
}

func ExampleVmap() {
	dot := autograd.Vmap(func(x ...*torch.Tensor) []*torch.Tensor {
		return []*torch.Tensor{x[0].Dot(x[1])}
	})
	a := torch.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	fmt.Println(dot(a, a)[0])
	// Output: tensor([ 5., 25.])
}

func ExampleCheckpoint() {
	x := torch.Options{RequiresGrad: true}.Ones(2)
	block := autograd.Unary(func(x *torch.Tensor) *torch.Tensor { return x.Exp().Log() })
	y := autograd.Checkpoint(block, []*torch.Tensor{x})[0]
	y.Sum().Backward()
	fmt.Println(x.Grad())
	// Output: tensor([1., 1.])
}
