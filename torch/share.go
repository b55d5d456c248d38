package torch

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// FromBuffer makes a CPU tensor that uses data, without a copy: torch.frombuffer.
// Writes to either are visible in both, so neither may be written while another
// goroutine uses them. The slice is pinned until the tensor and all views of it
// are freed; for a tensor that a program keeps for long, a copy by [FromSlice] is
// better. It panics with an [*Error] if the shape has another number of elements.
//
// https://docs.pytorch.org/docs/stable/generated/torch.frombuffer.html
func FromBuffer[E Element](data []E, shape ...int) *Tensor {
	sizes := sizesOf("FromBuffer", len(data), shape)
	if len(data) == 0 {
		return FromSlice(data, shape...)
	}
	var pin runtime.Pinner
	pin.Pin(unsafe.SliceData(data))
	var z E
	return share("FromBuffer", unsafe.Pointer(unsafe.SliceData(data)), len(data)*int(unsafe.Sizeof(z)), dtypeOf[E](), sizes, pin.Unpin)
}

// FromBlob makes a CPU tensor that uses memory that Go does not manage, such as
// C's, without a copy: torch::from_blob. The elements are stored in the order
// of the indices. The memory must remain valid until release is called, on a
// goroutine of its own, after the tensor and all views of it are freed; release
// may be nil. It panics with an [*Error] if data is nil or a size is negative.
//
// https://docs.pytorch.org/cppdocs/notes/tensor_creation.html
func FromBlob(data unsafe.Pointer, d DType, shape []int, release func()) *Tensor {
	if data == nil {
		fail("FromBlob", "data is nil")
	}
	if d.Size() == 0 {
		fail("FromBlob", fmt.Sprintf("there is no %v", d))
	}
	n := d.Size()
	sizes := make([]int64, len(shape))
	for i, s := range shape {
		if s < 0 {
			fail("FromBlob", fmt.Sprintf("the shape %v has a negative size", shape))
		}
		n *= s
		sizes[i] = int64(s)
	}
	if release == nil {
		release = func() {}
	}
	return share("FromBlob", data, n, d, sizes, release)
}

func share(op string, data unsafe.Pointer, bytes int, d DType, sizes []int64, release func()) *Tensor {
	mustInit()
	collectIfDue()
	h, res, err := libtorch.ShareTensor(data, d.scalarType(), sizes, release)
	if err != nil {
		release()
		panic(&Error{Op: op, Msg: err.Error(), kind: kindOf(err)})
	}
	return wrap(h, bytes, res.Scope)
}

// WithData calls f with x's elements, in the order of the indices, without a copy:
// x.numpy(). What f writes is written to x. The slice is valid only until f
// returns. It panics with an [*Error] if E is not x's dtype, or if x is not dense,
// contiguous and on the CPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numpy.html
func WithData[E Element](x *Tensor, f func(data []E)) {
	wantElements[E]("WithData", x)
	x.use("WithData", func(h uint64) {
		p, err := libtorch.TensorData(h)
		if err != nil {
			panic(&Error{Op: "WithData", Args: x.describe(), Msg: err.Error(), kind: kindOf(err)})
		}
		f(unsafe.Slice((*E)(p), x.Numel()))
	})
}

var opResolveNeg = NewOp("aten::resolve_neg", "")

// WithBytes calls f with the bytes of x's elements, in the order of the indices:
// x.detach().cpu().contiguous().numpy().tobytes(), but without a copy if x is stored
// in that form. The slice is read-only and valid only until f returns. It panics with
// an [*Error] if x is sparse or has no values.
func WithBytes(x *Tensor, f func(data []byte)) {
	info := x.sizes("WithBytes")
	if info[libtorch.InfoNumel] == 0 {
		f(nil)
		return
	}
	Scope(func() {
		NoGrad(func() {
			y := x.Detach()
			if info[libtorch.InfoFlags]&libtorch.FlagZero != 0 {
				y = y.Clone()
			}
			var c Call
			c.Tensor(y.To(CPU).ResolveConj())
			y = c.One(opResolveNeg).Contiguous()
			// one element counts as contiguous whatever its stride is, and then has no bytes to view
			y = y.AsStrided([]int{y.Numel()}, []int{1})
			WithData(y.ViewDType(Uint8), f)
		})
	})
}

// wantElements panics unless x is of E's dtype.
func wantElements[E Element](op string, x *Tensor) {
	if d := x.DType(); d != dtypeOf[E]() {
		var z E
		panic(&Error{Op: op, Args: x.describe(), Msg: fmt.Sprintf("%v elements cannot be read as %T; convert with ToDType first", d, z)})
	}
}
