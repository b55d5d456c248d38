package torch

import (
	"fmt"
	"math"
	"math/cmplx"
	"reflect"
	"runtime"
	"slices"
	"unsafe"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// Options are the properties of a new tensor; the functions that make tensors are
// its methods too. The zero value is PyTorch's default: no gradient, and the
// default device or, for functions such as ZerosLike, the device of their
// argument.
//
//	x := torch.Options{DType: torch.Int64}.Zeros(2, 3)
type Options struct {
	DType        DType  // 0 is the default: DefaultDType, unless the values have another type
	Device       Device // "" is the default device or, for functions such as ZerosLike, their argument's
	RequiresGrad bool
}

var opRequires = NewOp("aten::requires_grad_", "")

// made sets the options that libtorch does not set.
func (o Options) made(x *Tensor) *Tensor {
	if o.RequiresGrad {
		x.RequireGrad(true)
	}
	return x
}

// RequireGrad sets whether autograd records operations on x, and returns x: x.requires_grad_(on).
func (x *Tensor) RequireGrad(on bool) *Tensor {
	var c Call
	c.Tensor(x)
	c.Bool(on)
	c.Do(opRequires)
	return x
}

// NewTensor copies a number, or a slice or array of numbers, nested once for each
// dimension, to a new tensor: torch.tensor(data, dtype=…, device=…,
// requires_grad=…). Unless the options have a dtype, it is the one that matches
// Go's type of the numbers, as for [FromSlice]. It panics with an [*Error] if
// slices of one dimension have different lengths.
//
//	torch.NewTensor([][]int{{1, 2}, {3, 4}})
//	torch.NewTensor([]float32{1, 2}, torch.Options{Device: torch.CUDA})
//
// https://docs.pytorch.org/docs/stable/generated/torch.tensor.html
func NewTensor(data any, options ...Options) *Tensor {
	o := Only(options)
	x := nested(data)
	if o.Device == "" {
		o.Device = DefaultDevice()
	}
	if o.DType != 0 && o.DType != x.DType() {
		x = x.Then(func(x *Tensor) *Tensor { return x.ToDType(o.DType) })
	}
	if o.Device != CPU {
		x = x.Then(func(x *Tensor) *Tensor { return x.To(o.Device) })
	}
	return o.made(x)
}

// NewZeros returns zeros in x's dtype, on its device: x.new_zeros(size).
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_zeros.html
func (x *Tensor) NewZeros(size ...int) *Tensor { return x.options().Zeros(size...) }

// NewOnes returns ones in x's dtype, on its device: x.new_ones(size).
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_ones.html
func (x *Tensor) NewOnes(size ...int) *Tensor { return x.options().Ones(size...) }

// NewFull returns a tensor of one value in x's dtype, on its device: x.new_full(size, fillValue).
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_full.html
func (x *Tensor) NewFull(fillValue Number, size ...int) *Tensor {
	return x.options().Full(fillValue, size...)
}

// NewEmpty returns a tensor in x's dtype, on its device, whose elements are not set: x.new_empty(size).
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_empty.html
func (x *Tensor) NewEmpty(size ...int) *Tensor { return x.options().Empty(size...) }

func (x *Tensor) options() Options { return Options{DType: x.DType(), Device: x.Device()} }

// FromSlice copies data into a new CPU tensor of the shape, of the dtype that
// matches E: torch.tensor(data).reshape(shape). Without a shape it is 1-d. It
// panics with an [*Error] if the shape has another number of elements.
func FromSlice[E Element](data []E, shape ...int) *Tensor {
	sizes := sizesOf("FromSlice", len(data), shape)
	var z E
	x := copied("FromSlice", unsafe.Pointer(unsafe.SliceData(data)), len(data)*int(unsafe.Sizeof(z)), dtypeOf[E](), sizes)
	runtime.KeepAlive(data)
	return x
}

// copied returns a CPU tensor of a copy of the bytes at p.
func copied(op string, p unsafe.Pointer, bytes int, d DType, sizes []int64) *Tensor {
	mustInit()
	collectIfDue()
	h, res, err := libtorch.NewTensor(p, bytes, d.scalarType(), sizes)
	if err != nil {
		panic(&Error{Op: op, Msg: err.Error(), kind: kindOf(err)})
	}
	noteLive(res.Live)
	return wrap(h, bytes, res.Scope)
}

// sizesOf returns a shape for libtorch, by default the shape of one dimension.
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

// Data returns a copy of x's elements, in the order of the indices, from any
// device: x.flatten().tolist(). It panics with an [*Error] if E is not x's
// dtype.
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

// Item returns the one element of x as a float64: float(x.item()). It panics with
// an [*Error] if x does not have exactly one element, is complex, or holds an
// integer that no float64 equals; [Item] returns elements of every type.
func (x *Tensor) Item() float64 {
	var c Call
	c.Tensor(x)
	v := c.All(opItem)[0]
	if f, ok := v.(float64); ok { // the common case
		return f
	}
	return element[float64](x, v)
}

// Item returns the one element of x: x.item(). An integer can be taken as any
// number that equals it, a bool as 0 or 1, and a float as a float64 or complex
// number. It panics with an [*Error] if E cannot hold the element, or if x does
// not have exactly one element.
//
//	n := torch.Item[int](mask.Sum())
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.item.html
func Item[E Element](x *Tensor) (e E) {
	var c Call
	c.Tensor(x)
	v := c.All(opItem)[0]
	if e, ok := v.(E); ok {
		return e
	}
	return element[E](x, v)
}

// element returns the element of x, of which libtorch's item is v.
func element[E Element](x *Tensor, v any) (e E) {
	switch d := x.DType(); d {
	case dtypeOf[E](): // including those that are not Python numbers
		return Data[E](x)[0]
	case Uint64: // which may exceed an int64
		v = Data[uint64](x)[0]
	}
	if !setNumber(reflect.ValueOf(&e).Elem(), v) {
		panic(&Error{Op: "Item", Args: x.describe(), Msg: fmt.Sprintf("the element %v cannot be represented as %T", v, e)})
	}
	return e
}

// setNumber sets to, a variable of an [Element], to a number that equals v. It
// reports whether such a number exists.
func setNumber(to reflect.Value, v any) bool {
	if _, ok := v.(bool); !ok && to.Kind() == reflect.Bool || to.NumMethod() > 0 {
		return false // the small floats are stored as integers of another meaning
	}
	switch n := v.(type) {
	case bool:
		if to.Kind() == reflect.Bool {
			to.SetBool(n)
			return true
		}
		return setNumber(to, int(word(n)))
	case int:
		return setInteger(to, uint64(max(n, -n)), n < 0)
	case uint64:
		return setInteger(to, n, false)
	case float64:
		switch {
		case to.CanComplex():
			return setNumber(to, complex(n, 0))
		case to.Kind() == reflect.Float64:
			to.SetFloat(n)
			return true
		case to.Kind() == reflect.Float32:
			to.SetFloat(n)
			return to.Float() == n || math.IsNaN(n)
		}
	case complex128:
		if to.CanComplex() {
			to.SetComplex(n)
			return to.Kind() == reflect.Complex128 || to.Complex() == n || cmplx.IsNaN(n)
		}
	}
	return false
}

// setInteger is setNumber of an integer, of its absolute value and sign.
func setInteger(to reflect.Value, abs uint64, negative bool) bool {
	switch {
	case to.CanInt():
		n := int64(abs)
		if negative {
			n = -n
		}
		to.SetInt(n)
		return (n < 0) == (negative && n != 0) && to.Int() == n
	case to.CanUint():
		to.SetUint(abs)
		return !negative && to.Uint() == abs
	}
	f := float64(abs)
	if to.Kind() == reflect.Float32 || to.Kind() == reflect.Complex64 {
		f = float64(float32(abs))
	}
	exact := f < 1<<64 && uint64(f) == abs
	if negative {
		f = -f
	}
	return exact && setNumber(to, f)
}
