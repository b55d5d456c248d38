package distributions

import (
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// A TensorOrNumber is a *torch.Tensor, or a number: an int or a float64. A function that
// gets another type panics with a [*torch.Error].
type TensorOrNumber = any

const (
	eulerGamma = 0.57721566490153286060
	log2       = math.Ln2
	logPi      = 1.1447298858494002
	log2Pi     = 1.8378770664093453 // log(2π)
)

// A named value is an argument of a function.
type named struct {
	name  string
	value TensorOrNumber
}

// isNil reports whether no value is given.
func isNil(v TensorOrNumber) bool {
	x, ok := v.(*torch.Tensor)
	return v == nil || ok && x == nil
}

// broadcast returns the values as tensors of one shape. Numbers get the dtype and device of
// the first tensor, or the default dtype.
func broadcast(op string, values ...named) []*torch.Tensor {
	o := torch.Options{DType: torch.DefaultDType()}
	for _, v := range values {
		if x, ok := v.value.(*torch.Tensor); ok && x != nil {
			o = torch.Options{DType: x.DType(), Device: x.Device()}
			break
		}
	}
	out := make([]*torch.Tensor, len(values))
	for i, v := range values {
		switch n := v.value.(type) {
		case *torch.Tensor:
			if n == nil {
				fail(op, "%s is a nil *torch.Tensor", v.name)
			}
			out[i] = n
		case int, float64:
			out[i] = o.Full(n)
		default:
			fail(op, "%s is a %T; it must be a *torch.Tensor, an int or a float64", v.name, v.value)
		}
	}
	if len(out) == 1 {
		return out
	}
	return torch.BroadcastTensors(out)
}

// mul, add and the like compute with a TensorOrNumber that broadcast has accepted.
func mul(x *torch.Tensor, v TensorOrNumber) *torch.Tensor {
	if y, ok := v.(*torch.Tensor); ok {
		return y.Mul(x)
	}
	return x.MulScalar(v)
}

func add(x *torch.Tensor, v TensorOrNumber) *torch.Tensor {
	if y, ok := v.(*torch.Tensor); ok {
		return y.Add(x)
	}
	return x.AddScalar(v)
}

func sub(x *torch.Tensor, v TensorOrNumber) *torch.Tensor {
	if y, ok := v.(*torch.Tensor); ok {
		return x.Sub(y)
	}
	return x.SubScalar(v)
}

func div(x *torch.Tensor, v TensorOrNumber) *torch.Tensor {
	if y, ok := v.(*torch.Tensor); ok {
		return x.Div(y)
	}
	return x.DivScalar(v)
}

// float returns a number as a float64.
func float(v TensorOrNumber) float64 {
	if n, ok := v.(int); ok {
		return float64(n)
	}
	return v.(float64)
}

// eps returns the distance from 1 to the next number of x's dtype: torch.finfo(x.dtype).eps.
func eps(x *torch.Tensor) float64 {
	switch x.DType() {
	case torch.Float64:
		return 0x1p-52
	case torch.Float16:
		return 0x1p-10
	case torch.BFloat16:
		return 0x1p-7
	}
	return 0x1p-23
}

// tiny returns the smallest positive normal number of x's dtype: torch.finfo(x.dtype).tiny.
func tiny(x *torch.Tensor) float64 {
	switch x.DType() {
	case torch.Float64:
		return 0x1p-1022
	case torch.Float16:
		return 0x1p-14
	}
	return 0x1p-126
}

// lowest returns the smallest number of x's dtype: torch.finfo(x.dtype).min.
func lowest(x *torch.Tensor) float64 {
	switch x.DType() {
	case torch.Float64:
		return -math.MaxFloat64
	case torch.Float16:
		return -65504
	case torch.BFloat16:
		return -0x1.fep127
	}
	return -math.MaxFloat32
}

// like are the options of tensors of x's dtype and device.
func like(x *torch.Tensor) torch.Options {
	return torch.Options{DType: x.DType(), Device: x.Device()}
}

// sumRightmost sums over the last n dimensions, or over all if there are fewer, as PyTorch.
func sumRightmost(x *torch.Tensor, n int) *torch.Tensor {
	if n == 0 {
		return x
	}
	shape := x.Shape()
	return x.Reshape(append(slices.Clip(shape[:max(0, len(shape)-n)]), -1)...).Sum(-1)
}

// sumLast sums over the last dimension, which stays with the size 1.
func sumLast(x *torch.Tensor) *torch.Tensor { return x.SumDim(-1, torch.SumOptions{KeepDim: true}) }

// logsumexpLast is the like for the logarithm of the sum of exponentials.
func logsumexpLast(x *torch.Tensor) *torch.Tensor {
	return x.LogsumexpDim(-1, torch.LogsumexpOptions{KeepDim: true})
}

// diagonal returns the diagonals of matrices.
func diagonal(x *torch.Tensor) *torch.Tensor {
	return x.Diagonal(torch.DiagonalOptions{Dim1: -2, Dim2: new(-1)})
}

// broadcastShapes returns the shape to which all can be broadcast: torch.broadcast_shapes.
func broadcastShapes(op string, shapes ...[]int) []int {
	n := 0
	for _, s := range shapes {
		n = max(n, len(s))
	}
	out := slices.Repeat([]int{1}, n)
	for _, s := range shapes {
		for i, size := range s {
			switch at := &out[n-len(s)+i]; {
			case *at == 1:
				*at = size
			case size != 1 && size != *at:
				fail(op, "the shapes %v cannot be broadcast to one", shapes)
			}
		}
	}
	return out
}

// shapeOf returns the shape of a tensor, or none for a number.
func shapeOf(v TensorOrNumber) []int {
	if x, ok := v.(*torch.Tensor); ok {
		return x.Shape()
	}
	return nil
}
