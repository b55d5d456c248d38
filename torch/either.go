package torch

// The functions of this file take arguments of several types, as in Python.

var (
	opWhere            = NewOp("aten::where", "self")
	opWhereScalarSelf  = NewOp("aten::where", "ScalarSelf")
	opWhereScalarOther = NewOp("aten::where", "ScalarOther")
	opWhereScalar      = NewOp("aten::where", "Scalar")
	opSplit            = NewOp("aten::split", "Tensor")
	opSplitWithSizes   = NewOp("aten::split_with_sizes", "")
	opTensorSplit      = NewOp("aten::tensor_split", "sections")
	opTensorSplitAt    = NewOp("aten::tensor_split", "indices")
	opTensorSplitBy    = NewOp("aten::tensor_split", "tensor_indices_or_sections")
	opRPowScalar       = NewOp("aten::pow", "Scalar")
)

// Where returns elements of x where the bool tensor condition is true, and of other
// elsewhere, broadcast: torch.where(condition, x, other). Each of the two is a
// *Tensor or a [Number]. [Tensor.Argwhere] is torch.where of one argument.
//
// https://docs.pytorch.org/docs/stable/generated/torch.where.html
func Where(condition *Tensor, x, other any) *Tensor {
	var c Call
	c.Tensor(condition)
	xIsTensor, otherIsTensor := c.tensorOrNumber(x), c.tensorOrNumber(other)
	switch {
	case xIsTensor && otherIsTensor:
		return c.One(opWhere)
	case xIsTensor:
		return c.One(opWhereScalarOther)
	case otherIsTensor:
		return c.One(opWhereScalarSelf)
	}
	return c.One(opWhereScalar)
}

// tensorOrNumber adds a *Tensor or a Number, and reports which.
func (c *Call) tensorOrNumber(v any) (isTensor bool) {
	x, isTensor := v.(*Tensor)
	if isTensor {
		c.Tensor(x)
		return true
	}
	switch v.(type) {
	case int, int64, float64, bool, complex128:
		c.Number(v)
	default:
		c.mistake("a %T is neither a *Tensor nor a number that libtorch takes; give an int, float64, bool or complex128", v)
	}
	return false
}

// SplitOptions are the options of [Tensor.Split].
type SplitOptions struct {
	Dim int
}

// Split returns x in pieces along dim, as views: x.split(size, dim). An int is the
// size of each piece, of which the last may be smaller, and a []int has the size of
// each.
//
// https://docs.pytorch.org/docs/stable/generated/torch.split.html
func (x *Tensor) Split(size Ints, options ...SplitOptions) []*Tensor {
	o := Only(options)
	return x.pieces(size, o.Dim, opSplit, opSplitWithSizes)
}

// TensorSplitOptions are the options of [Tensor.TensorSplit].
type TensorSplitOptions struct {
	Dim int
}

// TensorSplit returns x in pieces along dim, as views:
// x.tensor_split(indicesOrSections, dim). An int is the number of pieces, which are
// nearly equal, and a []int has the indices at which x is split.
//
// https://docs.pytorch.org/docs/stable/generated/torch.tensor_split.html
func (x *Tensor) TensorSplit(indicesOrSections Ints, options ...TensorSplitOptions) []*Tensor {
	o := Only(options)
	return x.pieces(indicesOrSections, o.Dim, opTensorSplit, opTensorSplitAt)
}

// TensorSplitTensor is [Tensor.TensorSplit] with the number or the indices in an
// int64 tensor on the CPU, [] or [n]: x.tensor_split(indicesOrSections, dim).
//
// https://docs.pytorch.org/docs/stable/generated/torch.tensor_split.html
func (x *Tensor) TensorSplitTensor(indicesOrSections *Tensor, options ...TensorSplitOptions) []*Tensor {
	o := Only(options)
	var c Call
	c.Tensor(x)
	c.Tensor(indicesOrSections)
	c.Int(o.Dim)
	return c.Several(opTensorSplitBy)
}

func (x *Tensor) pieces(where Ints, dim int, byInt, byInts *Op) []*Tensor {
	var c Call
	c.Tensor(x)
	op := byInts
	if n, ok := where.(int); ok {
		op = byInt
		c.Int(n)
	} else {
		c.IntsOf(where, 1)
	}
	c.Int(dim)
	return c.Several(op)
}

// RPowScalar returns base to the power of x: torch.pow(base, x), base ** x.
//
// https://docs.pytorch.org/docs/stable/generated/torch.pow.html
func (x *Tensor) RPowScalar(base Number) *Tensor {
	var c Call
	c.Number(base)
	c.Tensor(x)
	return c.One(opRPowScalar)
}
