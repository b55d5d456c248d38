package torch

import (
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// Options says more about a tensor that is to be made, by the functions that are
// its methods too. The zero value is PyTorch's default: on the default device, or
// that of the tensor it is made like, without gradient.
//
//	x := torch.Options{DType: torch.Int64}.Zeros(2, 3)
type Options struct {
	DType        DType  // 0 is the default: float32, where the values do not say otherwise
	Device       Device // "" is the default device, or that of the tensor that the new one is made like
	RequiresGrad bool
}

var opRequires = NewOp("aten::requires_grad_", "")

// made sets what libtorch does not.
func (o Options) made(x *Tensor) *Tensor {
	if o.RequiresGrad {
		x.RequireGrad(true)
	}
	return x
}

// RequireGrad sets whether autograd records what is done with x, and returns x: x.requires_grad_(on).
func (x *Tensor) RequireGrad(on bool) *Tensor {
	var c Call
	c.Tensor(x)
	c.Bool(on)
	c.Do(opRequires)
	return x
}

// FromSlice copies data into a new CPU tensor of the shape, of the dtype that
// matches E: torch.tensor(data).reshape(shape). Without a shape it is 1-d. It
// panics with an [*Error] where the shape holds another number of elements.
func FromSlice[E Element](data []E, shape ...int) *Tensor {
	sizes := sizesOf("FromSlice", len(data), shape)
	mustInit()
	relieve()
	var z E
	h, res, err := libtorch.NewTensor(unsafe.Pointer(unsafe.SliceData(data)), len(data)*int(unsafe.Sizeof(z)), dtypeOf[E]().scalarType(), sizes)
	runtime.KeepAlive(data)
	if err != nil {
		panic(&Error{Op: "FromSlice", Msg: err.Error(), kind: kindOf(err)})
	}
	press(res.Live)
	return wrap(h, len(data)*int(unsafe.Sizeof(z)), res.Scope)
}

// sizesOf returns a shape for libtorch, that of one dimension where none is given.
func sizesOf(op string, elements int, shape []int) []int64 {
	if len(shape) == 0 {
		return []int64{int64(elements)}
	}
	n := 1
	if slices.Contains(shape, 0) {
		n = 0
	}
	sizes := make([]int64, len(shape))
	for i, s := range shape {
		if s < 0 || (s > 0 && n > elements/s) {
			n = -1
			break
		}
		n *= s
		sizes[i] = int64(s)
	}
	if n != elements {
		fail(op, fmt.Sprintf("%d elements cannot have the shape %v", elements, shape))
	}
	return sizes
}

// Scalar returns a tensor of no dimensions: torch.tensor(v).
func Scalar[E Element](v E) *Tensor { return FromSlice([]E{v}).thenView() }

// thenView turns one element of one dimension into none.
func (x *Tensor) thenView() *Tensor { return x.Then(func(x *Tensor) *Tensor { return x.View() }) }

// Data copies x's elements out, in the order of the indices, from any device:
// x.flatten().tolist(). It panics with an [*Error] where E is not x's dtype.
func Data[E Element](x *Tensor) []E {
	wantElements[E]("Data", x)
	out := make([]E, x.Numel())
	var z E
	x.use("Data", func(h uint64) {
		if err := libtorch.ReadTensor(h, unsafe.Pointer(unsafe.SliceData(out)), len(out)*int(unsafe.Sizeof(z))); err != nil {
			panic(&Error{Op: "Data", Args: x.describe(), Msg: err.Error(), kind: kindOf(err)})
		}
	})
	return out
}

var opItem = NewOp("aten::item", "")

// Item returns the one element of x as a float64: float(x.item()). It panics
// with an [*Error] where x has another number of elements or is complex.
func (x *Tensor) Item() float64 {
	var c Call
	c.Tensor(x)
	switch v := c.All(opItem)[0].(type) {
	case float64:
		return v
	case int:
		return float64(v)
	case bool:
		return float64(word(v))
	}
	panic(&Error{Op: "Item", Args: x.describe(), Msg: "a complex number is no float64"})
}
