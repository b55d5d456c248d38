package torch

// The ops that the rooms of this module need, by hand. Each is one PyTorch call.

var (
	opAdd        = NewOp("aten::add", "Tensor")
	opAddScalar  = NewOp("aten::add", "Scalar")
	opAddIn      = NewOp("aten::add_", "Tensor")
	opSub        = NewOp("aten::sub", "Tensor")
	opMul        = NewOp("aten::mul", "Tensor")
	opMulScalar  = NewOp("aten::mul", "Scalar")
	opDiv        = NewOp("aten::div", "Tensor")
	opDivScalar  = NewOp("aten::div", "Scalar")
	opMatMul     = NewOp("aten::matmul", "")
	opReLU       = NewOp("aten::relu", "")
	opReLUIn     = NewOp("aten::relu_", "")
	opSoftmax    = NewOp("aten::softmax", "int")
	opLogSoftmax = NewOp("aten::log_softmax", "int")
	opView       = NewOp("aten::view", "")
	opReshape    = NewOp("aten::reshape", "")
	opFlatten    = NewOp("aten::flatten", "using_ints")
	opUnsqueeze  = NewOp("aten::unsqueeze", "")
	opSqueeze    = NewOp("aten::squeeze", "dim")
	opSelect     = NewOp("aten::select", "int")
	opNarrow     = NewOp("aten::narrow", "")
	opTranspose  = NewOp("aten::transpose", "int")
	opPermute    = NewOp("aten::permute", "")
	opContiguous = NewOp("aten::contiguous", "")
	opClone      = NewOp("aten::clone", "")
	opDetach     = NewOp("aten::detach", "")
	opTo         = NewOp("aten::to", "dtype_layout")
	opToDType    = NewOp("aten::to", "dtype")
	opSum        = NewOp("aten::sum", "")
	opMean       = NewOp("aten::mean", "")
	opMax        = NewOp("aten::max", "")
	opAbs        = NewOp("aten::abs", "")
	opArgMax     = NewOp("aten::argmax", "")
	opTopK       = NewOp("aten::topk", "")
	opEqual      = NewOp("aten::equal", "")
	opAllClose   = NewOp("aten::allclose", "")
	opCat        = NewOp("aten::cat", "")
	opStack      = NewOp("aten::stack", "")
	opCopyIn     = NewOp("aten::copy_", "")
	opUniformIn  = NewOp("aten::uniform_", "")
	opNormalIn   = NewOp("aten::normal_", "")
	opFillIn     = NewOp("aten::fill_", "Scalar")
)

func unary(op *Op, x *Tensor) *Tensor {
	var c Call
	c.Tensor(x)
	return c.One(op)
}

func binary(op *Op, x, y *Tensor) *Tensor {
	var c Call
	c.Tensor(x)
	c.Tensor(y)
	return c.One(op)
}

func withScalar(op *Op, x *Tensor, v float64) *Tensor {
	var c Call
	c.Tensor(x)
	c.Float(v)
	return c.One(op)
}

func withInts(op *Op, x *Tensor, vs ...int) *Tensor {
	var c Call
	c.Tensor(x)
	for _, v := range vs {
		c.Int(v)
	}
	return c.One(op)
}

func withSizes(op *Op, x *Tensor, sizes []int) *Tensor {
	var c Call
	c.Tensor(x)
	c.Ints(sizes...)
	return c.One(op)
}

// Add returns x + y, broadcast.
func (x *Tensor) Add(y *Tensor) *Tensor { return binary(opAdd, x, y) }

// AddScalar returns x + v.
func (x *Tensor) AddScalar(v float64) *Tensor { return withScalar(opAddScalar, x, v) }

// AddInPlace adds y to x and returns x: x.add_(y).
func (x *Tensor) AddInPlace(y *Tensor) *Tensor {
	var c Call
	c.Tensor(x)
	c.Tensor(y)
	c.Do(opAddIn)
	return x
}

// Sub returns x - y, broadcast.
func (x *Tensor) Sub(y *Tensor) *Tensor { return binary(opSub, x, y) }

// Mul returns x * y by element, broadcast.
func (x *Tensor) Mul(y *Tensor) *Tensor { return binary(opMul, x, y) }

// MulScalar returns x * v.
func (x *Tensor) MulScalar(v float64) *Tensor { return withScalar(opMulScalar, x, v) }

// Div returns x / y by element, broadcast.
func (x *Tensor) Div(y *Tensor) *Tensor { return binary(opDiv, x, y) }

// DivScalar returns x / v.
func (x *Tensor) DivScalar(v float64) *Tensor { return withScalar(opDivScalar, x, v) }

// MatMul returns x @ y: torch.matmul(x, y).
//
// https://docs.pytorch.org/docs/stable/generated/torch.matmul.html
func (x *Tensor) MatMul(y *Tensor) *Tensor { return binary(opMatMul, x, y) }

// ReLU returns max(x, 0) by element: x.relu().
func (x *Tensor) ReLU() *Tensor { return unary(opReLU, x) }

// ReLUInPlace sets negative elements to 0 and returns x: x.relu_().
func (x *Tensor) ReLUInPlace() *Tensor {
	var c Call
	c.Tensor(x)
	c.Do(opReLUIn)
	return x
}

// Abs returns the absolute values: x.abs().
func (x *Tensor) Abs() *Tensor { return unary(opAbs, x) }

// Softmax returns exp(x) over its sum along dim: x.softmax(dim).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
func (x *Tensor) Softmax(dim int) *Tensor { return withInts(opSoftmax, x, dim) }

// LogSoftmax returns the logarithm of [Tensor.Softmax]: x.log_softmax(dim).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
func (x *Tensor) LogSoftmax(dim int) *Tensor { return withInts(opLogSoftmax, x, dim) }

// View returns the same memory under another shape: x.view(*shape). One size may be -1.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.view.html
func (x *Tensor) View(shape ...int) *Tensor { return withSizes(opView, x, shape) }

// Reshape is View where that is possible, and a copy elsewhere: x.reshape(*shape).
//
// https://docs.pytorch.org/docs/stable/generated/torch.reshape.html
func (x *Tensor) Reshape(shape ...int) *Tensor { return withSizes(opReshape, x, shape) }

// Flatten makes one dimension of those from start to the last: x.flatten(start).
//
// https://docs.pytorch.org/docs/stable/generated/torch.flatten.html
func (x *Tensor) Flatten(start int) *Tensor { return withInts(opFlatten, x, start) }

// Unsqueeze inserts a dimension of size 1: x.unsqueeze(dim).
//
// https://docs.pytorch.org/docs/stable/generated/torch.unsqueeze.html
func (x *Tensor) Unsqueeze(dim int) *Tensor { return withInts(opUnsqueeze, x, dim) }

// Squeeze removes a dimension of size 1: x.squeeze(dim).
//
// https://docs.pytorch.org/docs/stable/generated/torch.squeeze.html
func (x *Tensor) Squeeze(dim int) *Tensor { return withInts(opSqueeze, x, dim) }

// Select returns the view at an index of a dimension, which goes: x.select(dim, index), x[index] for dim 0.
//
// https://docs.pytorch.org/docs/stable/generated/torch.select.html
func (x *Tensor) Select(dim, index int) *Tensor { return withInts(opSelect, x, dim, index) }

// Narrow returns the view of n indices from start of a dimension: x.narrow(dim, start, n).
//
// https://docs.pytorch.org/docs/stable/generated/torch.narrow.html
func (x *Tensor) Narrow(dim, start, n int) *Tensor { return withInts(opNarrow, x, dim, start, n) }

// Transpose swaps two dimensions: x.transpose(a, b).
//
// https://docs.pytorch.org/docs/stable/generated/torch.transpose.html
func (x *Tensor) Transpose(a, b int) *Tensor { return withInts(opTranspose, x, a, b) }

// Permute puts the dimensions in another order: x.permute(*dims).
//
// https://docs.pytorch.org/docs/stable/generated/torch.permute.html
func (x *Tensor) Permute(dims ...int) *Tensor { return withSizes(opPermute, x, dims) }

// Contiguous returns x's elements in the order of their indices, a view where they lie so already: x.contiguous().
func (x *Tensor) Contiguous() *Tensor { return unary(opContiguous, x) }

// Clone returns a copy: x.clone().
func (x *Tensor) Clone() *Tensor { return unary(opClone, x) }

// Detach returns a view that autograd does not follow: x.detach().
func (x *Tensor) Detach() *Tensor { return unary(opDetach, x) }

// To returns x on a device, a view where it lies there already: x.to(device).
// It panics with an [*Error] where there is no such device.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html
func (x *Tensor) To(d Device) *Tensor {
	var c Call
	c.Tensor(x)
	c.None() // dtype
	c.None() // layout
	c.Device(d)
	return c.One(opTo)
}

// ToDType returns x converted: x.to(dtype).
func (x *Tensor) ToDType(d DType) *Tensor {
	var c Call
	c.Tensor(x)
	c.DType(d)
	return c.One(opToDType)
}

// Sum returns the sum of all elements, of no dimensions: x.sum().
func (x *Tensor) Sum() *Tensor { return unary(opSum, x) }

// Mean returns the mean of all elements, of no dimensions: x.mean().
func (x *Tensor) Mean() *Tensor { return unary(opMean, x) }

// Max returns the largest element, of no dimensions: x.max().
func (x *Tensor) Max() *Tensor { return unary(opMax, x) }

// ArgMax returns the int64 indices of the largest elements along dim: x.argmax(dim).
func (x *Tensor) ArgMax(dim int) *Tensor { return withInts(opArgMax, x, dim) }

// TopK returns the k largest elements along dim, largest first, and their int64 indices: x.topk(k, dim).
//
// https://docs.pytorch.org/docs/stable/generated/torch.topk.html
func (x *Tensor) TopK(k, dim int) (values, indices *Tensor) {
	var c Call
	c.Tensor(x)
	c.Int(k)
	c.Int(dim)
	return c.Two(opTopK)
}

// Equal reports whether x and y have the same shape and elements: torch.equal(x, y).
func (x *Tensor) Equal(y *Tensor) bool {
	var c Call
	c.Tensor(x)
	c.Tensor(y)
	return c.All(opEqual)[0].(bool)
}

// AllClose reports whether |x - y| ≤ atol + rtol·|y| everywhere: torch.allclose(x, y, rtol, atol).
func (x *Tensor) AllClose(y *Tensor, rtol, atol float64) bool {
	var c Call
	c.Tensor(x)
	c.Tensor(y)
	c.Float(rtol)
	c.Float(atol)
	return c.All(opAllClose)[0].(bool)
}

// Cat joins tensors along a dimension: torch.cat(xs, dim).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cat.html
func Cat(xs []*Tensor, dim int) *Tensor { return joined(opCat, xs, dim) }

// Stack joins tensors of one shape along a new dimension: torch.stack(xs, dim).
//
// https://docs.pytorch.org/docs/stable/generated/torch.stack.html
func Stack(xs []*Tensor, dim int) *Tensor { return joined(opStack, xs, dim) }

func joined(op *Op, xs []*Tensor, dim int) *Tensor {
	var c Call
	c.Tensors(xs)
	c.Int(dim)
	return c.One(op)
}

// CopyInPlace writes y's elements over x's, converted and broadcast, and returns x: x.copy_(y).
func (x *Tensor) CopyInPlace(y *Tensor) *Tensor {
	var c Call
	c.Tensor(x)
	c.Tensor(y)
	c.Do(opCopyIn)
	return x
}

// UniformInPlace draws every element from [from, to) and returns x: x.uniform_(from, to).
func (x *Tensor) UniformInPlace(from, to float64) *Tensor { return draw(opUniformIn, x, from, to) }

// NormalInPlace draws every element from the normal distribution and returns x: x.normal_(mean, std).
func (x *Tensor) NormalInPlace(mean, std float64) *Tensor { return draw(opNormalIn, x, mean, std) }

// FillInPlace sets every element and returns x: x.fill_(v).
func (x *Tensor) FillInPlace(v float64) *Tensor { return draw(opFillIn, x, v) }

func draw(op *Op, x *Tensor, vs ...float64) *Tensor {
	var c Call
	c.Tensor(x)
	for _, v := range vs {
		c.Float(v)
	}
	c.Do(op)
	return x
}
