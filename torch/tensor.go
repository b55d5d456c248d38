package torch

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// A Tensor is a multi-dimensional array of one dtype on one device: torch.Tensor.
//
// https://docs.pytorch.org/docs/stable/tensors.html
type Tensor struct {
	_     [0]atomic.Int32 // not to be copied
	h     uint64          // one reference to a c10::TensorImpl
	ref   *uint64         // of a standalone tensor: the same as h until it is freed, then 0
	refs  *refs           // of a tensor in a block: those of the block
	scope *scope          // the scope that frees it; nil if the collector does
	state int32           // atomic: the number of calls that use h, plus freed or refFreed
	index uint16          // of ref in refs
	bytes uint16          // the bytes that a tensor in a block keeps alive
}

// use calls f with the reference, or panics with an Error in the name of op.
func (x *Tensor) use(op string, f func(h uint64)) {
	if x == nil {
		panic(&Error{Op: op, Msg: ErrNil.Error(), kind: ErrNil})
	}
	if !x.acquire() {
		panic(&Error{Op: op, Msg: ErrFreed.Error(), kind: ErrFreed})
	}
	defer x.release()
	f(x.h)
}

// info describes x. The buffer holds eight dimensions; more are allocated.
func (x *Tensor) info(op string) (info []int64) {
	x.use(op, func(h uint64) {
		var err error
		if info, err = libtorch.TensorInfo(h, make([]int64, libtorch.InfoSizes+16)); err != nil {
			panic(&Error{Op: op, Msg: err.Error(), kind: kindOf(err)})
		}
	})
	return info
}

// sizes is info for an op that needs the sizes: it panics on a nested tensor.
func (x *Tensor) sizes(op string) []int64 {
	info := x.info(op)
	if info[libtorch.InfoFlags]&libtorch.FlagNested != 0 {
		panic(&Error{Op: op, Args: x.describe(), Msg: "the tensors in a nested tensor have sizes of their own; call aten.UnbindInt and ask each"})
	}
	return info
}

// Shape returns the sizes: tuple(x.shape). It panics with an [*Error] if x is a
// nested tensor.
func (x *Tensor) Shape() []int {
	info := x.sizes("Shape")
	return ints(info[libtorch.InfoSizes:][:info[libtorch.InfoDim]])
}

// Strides returns the steps between elements, in elements: x.stride(). They are 0
// if x is sparse. It panics with an [*Error] if x is a nested tensor.
func (x *Tensor) Strides() []int {
	info := x.sizes("Strides")
	d := info[libtorch.InfoDim]
	return ints(info[libtorch.InfoSizes+d:][:d])
}

func ints(v []int64) []int {
	s := make([]int, len(v))
	for i, n := range v {
		s[i] = int(n)
	}
	return s
}

// Dim returns the number of dimensions: x.dim().
func (x *Tensor) Dim() int { return int(x.info("Dim")[libtorch.InfoDim]) }

// Size returns the size of one dimension: x.size(dim). A negative dim counts from the end.
func (x *Tensor) Size(dim int) int {
	s := x.Shape()
	if dim < -len(s) || dim >= len(s) {
		panic(&Error{Op: "Size", Args: x.describe(), Msg: fmt.Sprintf("dimension %d is out of range for %d dimensions", dim, len(s)), kind: ErrIndex})
	}
	if dim < 0 {
		dim += len(s)
	}
	return s[dim]
}

// Numel returns the number of elements: x.numel().
func (x *Tensor) Numel() int { return int(x.info("Numel")[libtorch.InfoNumel]) }

// DType returns the elements' type: x.dtype.
func (x *Tensor) DType() DType { return FromScalarType(int(x.info("DType")[libtorch.InfoDType])) }

// Device returns the device of x: x.device.
func (x *Tensor) Device() Device {
	info := x.info("Device")
	return deviceOf(int(info[libtorch.InfoDevice]), int(info[libtorch.InfoIndex]))
}

// RequiresGrad reports whether autograd records operations on x: x.requires_grad.
func (x *Tensor) RequiresGrad() bool { return x.flag("RequiresGrad", libtorch.FlagRequiresGrad) }

// Layout returns how x is stored: x.layout.
func (x *Tensor) Layout() Layout { return Layout(x.info("Layout")[libtorch.InfoLayout]) }

// IsNested reports whether x is a nested tensor, whose tensors have sizes of their own:
// x.is_nested.
func (x *Tensor) IsNested() bool { return x.flag("IsNested", libtorch.FlagNested) }

var (
	opIsLeaf        = NewOp("aten::is_leaf", "")
	opStorageOffset = NewOp("aten::sym_storage_offset", "")
)

// IsLeaf reports whether x is not the result of an operation that autograd recorded:
// x.is_leaf.
func (x *Tensor) IsLeaf() bool {
	var c Call
	c.Tensor(x)
	return Result[bool](&c, opIsLeaf)
}

// StorageOffset returns the offset of x, in elements, in the memory that it may
// share with other tensors: x.storage_offset(). It is 0 if x is sparse.
func (x *Tensor) StorageOffset() int {
	var c Call
	c.Tensor(x)
	return Result[int](&c, opStorageOffset)
}

// IsContiguous reports whether the elements are in memory in the order of their
// indices, or in that of a memory format: x.is_contiguous(memory_format=…).
func (x *Tensor) IsContiguous(options ...ContiguousOptions) bool {
	switch f := Only(options).MemoryFormat; f {
	case ContiguousFormat:
	case ChannelsLast:
		return x.ordered(1, 3, 2, 0)
	case ChannelsLast3d:
		return x.ordered(1, 4, 3, 2, 0)
	default:
		panic(&Error{Op: "IsContiguous", Args: x.describe(), Msg: fmt.Sprintf("the memory format %v does not say how elements are ordered", f)})
	}
	return x.flag("IsContiguous", libtorch.FlagContiguous)
}

// ordered reports whether the elements are in memory without gaps, the first of dims
// changing fastest. The oldest supported libtorch has no operator for that.
func (x *Tensor) ordered(dims ...int) bool {
	size, stride := x.Shape(), x.Strides()
	if len(size) != len(dims) {
		return false
	}
	next := 1
	for _, d := range dims {
		if size[d] == 1 {
			continue
		}
		if stride[d] != next {
			return false
		}
		next *= size[d]
	}
	return true
}

// IsInference reports whether x was made in inference mode: x.is_inference().
func (x *Tensor) IsInference() bool { return x.flag("IsInference", libtorch.FlagInference) }

func (x *Tensor) flag(op string, bit int64) bool { return x.info(op)[libtorch.InfoFlags]&bit != 0 }

// describe returns shape and dtype for an error text: "[2, 3] float32".
func (x *Tensor) describe() string {
	if x == nil || !x.acquire() {
		return "freed"
	}
	defer x.release()
	info, err := libtorch.TensorInfo(x.h, nil)
	if err != nil {
		return "a tensor that cannot be described"
	}
	s := strings.ReplaceAll(fmt.Sprint(info[libtorch.InfoSizes:][:info[libtorch.InfoDim]]), " ", ", ")
	if info[libtorch.InfoFlags]&libtorch.FlagNested != 0 {
		s = fmt.Sprintf("nested of %d dimensions", info[libtorch.InfoDim])
	}
	s += " " + FromScalarType(int(info[libtorch.InfoDType])).String()
	if d := deviceOf(int(info[libtorch.InfoDevice]), -1); d != CPU {
		s += " " + d.String()
	}
	return s
}

// SameShape reports whether x and y have equal sizes.
func (x *Tensor) SameShape(y *Tensor) bool { return slices.Equal(x.Shape(), y.Shape()) }
