package ops

import "github.com/torchhub/torchhub/torch"

// Residual returns x + f(x), where f calls the functions one after the other. It frees
// what they return in between. The functions may return their argument.
func Residual(x *torch.Tensor, branch ...func(x *torch.Tensor) *torch.Tensor) *torch.Tensor {
	y := x
	for _, f := range branch {
		was := y
		if y = f(was); was != x && y != was {
			was.Free()
		}
	}
	sum := x.Add(y)
	if y != x {
		y.Free()
	}
	return sum
}
