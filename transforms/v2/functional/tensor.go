package functional

import (
	"fmt"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
)

// maxValue returns the largest value of an integer dtype, and 1 for the others:
// torchvision.transforms._functional_tensor._max_value.
func maxValue(d torch.DType) int {
	switch d {
	case torch.Uint8:
		return math.MaxUint8
	case torch.Int8:
		return math.MaxInt8
	case torch.Int16:
		return math.MaxInt16
	case torch.Uint16:
		return math.MaxUint16
	case torch.Int32:
		return math.MaxInt32
	case torch.Int64:
		return math.MaxInt64
	}
	return 1
}

// valueBits returns how many bits of an integer dtype hold its values.
func valueBits(op string, x *torch.Tensor, d torch.DType) int {
	switch d {
	case torch.Uint8:
		return 8
	case torch.Int8:
		return 7
	case torch.Int16:
		return 15
	case torch.Uint16:
		return 16
	case torch.Int32:
		return 31
	case torch.Int64:
		return 63
	}
	fail(op, x, "%v has no bits to count; want uint8, int8, int16, uint16, int32 or int64", d)
	return 0
}

// chw returns the channels, height and width of an image, [..., C, H, W].
func chw(op string, x *torch.Tensor) (c, h, w int) {
	s := x.Shape()
	n := len(s)
	if n < 3 {
		fail(op, x, "an image has three dimensions or more, [..., C, H, W]")
	}
	return s[n-3], s[n-2], s[n-1]
}

// hw returns the height and width of an image or mask, [..., H, W].
func hw(op string, x *torch.Tensor) (h, w int) {
	s := x.Shape()
	n := len(s)
	if n < 2 {
		fail(op, x, "the tensor has two dimensions or more, [..., H, W]")
	}
	return s[n-2], s[n-1]
}

// colors returns the channels of an image and panics if they are not 1 or 3.
func colors(op string, x *torch.Tensor) int {
	c, _, _ := chw(op, x)
	if c != 1 && c != 3 {
		fail(op, x, "the image has %d channels; want 1 or 3", c)
	}
	return c
}

// floats returns numbers as a tensor of a dtype on the device of like: torch.tensor(numbers, dtype=dtype, device=like.device).
func floats(numbers []float64, dtype torch.DType, like *torch.Tensor, shape ...int) *torch.Tensor {
	return torch.FromSlice(numbers, append(shape, len(numbers))...).ToDType(dtype).To(like.Device())
}

// ints returns whole numbers in the dtype and on the device of like.
func ints(like *torch.Tensor, numbers ...int) *torch.Tensor {
	long := make([]int64, len(numbers))
	for i, n := range numbers {
		long[i] = int64(n)
	}
	return torch.FromSlice(long).ToDType(like.DType()).To(like.Device())
}

// reshaped returns the leading dimensions of a shape with others in place of its last n.
func reshaped(shape []int, n int, last ...int) []int {
	wantDims(shape, n)
	return append(append([]int{}, shape[:len(shape)-n]...), last...)
}

// wantDims panics where a shape has fewer than n dimensions.
func wantDims(shape []int, n int) {
	if len(shape) < n {
		panic(&torch.Error{Op: "transforms.v2.functional", Msg: fmt.Sprintf("the tensor has the shape %v; want %d dimensions or more", shape, n)})
	}
}

// squash returns x with its leading dimensions as one, [N, C, H, W]: x.reshape(-1, C, H, W).
func squash(x *torch.Tensor) *torch.Tensor {
	s := x.Shape()
	wantDims(s, 3)
	return x.Reshape(reshaped(append([]int{-1}, s[len(s)-3:]...), 0)...)
}

// asImage calls f with a mask as an image: with a dimension C if it has none.
func asImage(mask *torch.Tensor, f func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
	if mask.Dim() >= 3 {
		return f(mask)
	}
	return f(mask.Unsqueeze(0)).Squeeze(0)
}

// rsub returns v - x.
func rsub(v torch.Number, x *torch.Tensor) *torch.Tensor { return aten.RsubScalar(x, v, 1) }

// scalarOf returns a number as a tensor without dimensions. Python's x.mul_(number)
// is the operator of two tensors, and the one of a number rounds it to x's dtype first.
func scalarOf(v float64) *torch.Tensor { return torch.Scalar(v) }

// compute returns x itself if it is floating-point and x as float32 otherwise.
func compute(x *torch.Tensor) *torch.Tensor {
	if x.DType().IsFloatingPoint() {
		return x
	}
	return x.ToDType(torch.Float32)
}

// computeDType is the dtype of compute(x).
func computeDType(x *torch.Tensor) torch.DType {
	if d := x.DType(); d.IsFloatingPoint() {
		return d
	}
	return torch.Float32
}

// cut returns a part of the last two dimensions: x[..., top:bottom, left:right].
func cut(x *torch.Tensor, top, bottom, left, right int) *torch.Tensor {
	return x.Index(torch.Ellipsis, torch.Slice(top, bottom), torch.Slice(left, right))
}

// column returns x[..., i].
func column(x *torch.Tensor, i int) *torch.Tensor { return x.Select(-1, i) }

// columns returns x[..., start:stop:step].
func columns(x *torch.Tensor, start, stop, step int) *torch.Tensor {
	return x.SliceDim(-1, start, stop, step)
}

// roundEven is Python's round().
func roundEven(x float64) int { return int(math.RoundToEven(x)) }

// floorMod is Python's a % b for b > 0.
func floorMod(a, b float64) float64 {
	m := math.Mod(a, b)
	if m != 0 && (m < 0) != (b < 0) {
		m += b
	}
	if m == 0 {
		m = math.Copysign(0, b)
	}
	return m
}

// MaxValue returns the value of white in an image of a dtype: the largest value
// of an integer dtype, and 1 for other dtypes.
func MaxValue(d torch.DType) float64 { return float64(maxValue(d)) }
