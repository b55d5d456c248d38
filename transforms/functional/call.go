package functional

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/transforms/internal/args"
)

// fail panics: the functional op does not take the value v.
func fail(op string, v Value, format string, a ...any) {
	panic(&torch.Error{Op: args.Functional + op, Args: v.String(), Msg: fmt.Sprintf(format, a...)})
}

// refuse panics: an argument of the functional op is wrong, whatever the value.
func refuse(op, format string, a ...any) { args.Refuse(args.Functional+op, format, a...) }

// named calls f, and adds the functional's name and v to a panic of f.
func named(op string, v Value, f func() Value) (out Value) {
	args.Named(args.Functional+op, v, func() { out = f() })
	return out
}

// finite panics unless the parameter of that name is of finite numbers.
func finite(op, name string, values ...float64) {
	args.Finite(args.Functional+op, "the "+name, values...)
}

// onTensor returns v with the result of f for its tensor, and frees the other
// tensors that f made.
func onTensor(op string, v Value, f func(x *torch.Tensor) *torch.Tensor) Value {
	return named(op, v, func() Value {
		if v.Tensor.Dim() < 2 {
			fail(op, v, "the tensor's shape is not [..., H, W]")
		}
		var y *torch.Tensor
		torch.Scope(func() {
			if y = f(v.Tensor); y != v.Tensor {
				torch.Keep(y)
			}
		})
		return v.WithTensor(y)
	})
}

// noPicture panics if v is not a tensor, for a functional that takes nothing else.
func noPicture(op string, v Value) {
	if v.Tensor == nil {
		fail(op, v, "a tensor is needed here; put it behind ToTensor() or PILToTensor()")
	}
}

// channels returns the size of x's dimension -3, and 1 if it has none.
func channels(x *torch.Tensor) int {
	if x.Dim() == 2 {
		return 1
	}
	return x.Size(-3)
}

// want13 panics unless x has 1 or 3 channels.
func want13(op string, x *torch.Tensor) {
	if c := channels(x); c != 1 && c != 3 {
		fail(op, Value{Tensor: x}, "the tensor has %d channels; want 1 or 3", c)
	}
}

// want3D panics unless x has a dimension of channels.
func want3D(op string, x *torch.Tensor) {
	if x.Dim() < 3 {
		fail(op, Value{Tensor: x}, "the tensor's shape is not [..., C, H, W]")
	}
}

// floating returns x's dtype if it is a floating-point one, else float32.
func floating(x *torch.Tensor) torch.DType {
	if d := x.DType(); d.IsFloatingPoint() {
		return d
	}
	return torch.Float32
}

// maxValue is torchvision's value of white in a tensor of the dtype.
func maxValue(d torch.DType) int {
	switch d {
	case torch.Uint8:
		return 255
	case torch.Int8:
		return 127
	case torch.Int16:
		return 32767
	case torch.Uint16:
		return 65535
	case torch.Int32:
		return 2147483647
	case torch.Int64:
		return 9223372036854775807
	}
	return 1
}

// numbers returns a tensor of the numbers with x's device: torch.tensor(numbers, dtype=dtype, device=x.device).
func numbers(x *torch.Tensor, dtype torch.DType, n []float64, shape ...int) *torch.Tensor {
	return torch.FromSlice(n, shape...).ToDType(dtype).To(x.Device())
}

// minus is number - x.
func minus(number torch.Number, x *torch.Tensor) *torch.Tensor { return aten.RsubScalar(x, number, 1) }

// castIn makes x a [N, C, H, W] of dtype, as torchvision does it before an
// operator that takes no other; the function it returns undoes both.
func castIn(x *torch.Tensor, allowed ...torch.DType) (*torch.Tensor, func(*torch.Tensor) *torch.Tensor) {
	squeeze := x.Dim() < 4
	if squeeze {
		x = x.Unsqueeze(0)
	}
	dtype := x.DType()
	cast := true
	for _, d := range allowed {
		cast = cast && d != dtype
	}
	if cast {
		x = x.ToDType(allowed[0])
	}
	return x, func(y *torch.Tensor) *torch.Tensor {
		if squeeze {
			y = y.Squeeze(0)
		}
		if !cast {
			return y
		}
		switch dtype {
		case torch.Uint8, torch.Int8, torch.Int16, torch.Int32, torch.Int64:
			y = y.Round()
		}
		return y.ToDType(dtype)
	}
}

// blend mixes x with y as ratio*x + (1-ratio)*y, in x's dtype and range.
func blend(x, y *torch.Tensor, ratio float64) *torch.Tensor {
	return x.MulScalar(ratio).Add(y.MulScalar(1-ratio)).Clamp(0, maxValue(x.DType())).ToDType(x.DType())
}
