package optim

import "github.com/torchhub/torchhub/torch"

// A listOp is an operator on each tensor of a list: one that takes lists, and one that
// takes tensors. In their schemas a number comes after the tensors.
type listOp struct{ all, one *torch.Op }

func op(name, listOverload, overload string) *listOp {
	return &listOp{torch.NewOp("aten::_foreach_"+name, listOverload), torch.NewOp("aten::"+name, overload)}
}

var (
	opAddList_    = op("add_", "List", "Tensor")
	opAddList     = op("add", "List", "Tensor")
	opAddScalar_  = op("add_", "Scalar", "Scalar")
	opAddScalar   = op("add", "Scalar", "Scalar")
	opSubList     = op("sub", "List", "Tensor")
	opMulList_    = op("mul_", "List", "Tensor")
	opMulScalar_  = op("mul_", "Scalar", "Scalar")
	opDivList_    = op("div_", "List", "Tensor")
	opDivScalar_  = op("div_", "Scalar", "Scalar")
	opDivScalar   = op("div", "Scalar", "Scalar")
	opLerp_       = op("lerp_", "Scalar", "Scalar")
	opAddcmul_    = op("addcmul_", "Scalar", "")
	opAddcmul     = op("addcmul", "Scalar", "")
	opAddcdiv_    = op("addcdiv_", "Scalar", "")
	opNeg         = op("neg", "", "")
	opAbs         = op("abs", "", "")
	opSqrt        = op("sqrt", "", "")
	opSqrt_       = op("sqrt_", "", "")
	opReciprocal_ = op("reciprocal_", "", "")
	opMaximum_    = listOp{torch.NewOp("aten::_foreach_maximum_", "List"), torch.NewOp("aten::maximum", "out")}
)

// lists applies operators to lists of equal lengths: by one call of a foreach operator,
// or by a call for each tensor.
type lists struct{ foreach bool }

// do changes the tensors of the first list.
func (l lists) do(op *listOp, xs ...[]*torch.Tensor) {
	if l.foreach {
		var c torch.Call
		for _, x := range xs {
			c.Tensors(x)
		}
		c.Do(op.all)
		return
	}
	for i := range xs[0] {
		var c torch.Call
		for _, x := range xs {
			c.Tensor(x[i])
		}
		c.Do(op.one)
	}
}

// by is do with a number.
func (l lists) by(op *listOp, v float64, xs ...[]*torch.Tensor) {
	if l.foreach {
		var c torch.Call
		for _, x := range xs {
			c.Tensors(x)
		}
		c.Float(v)
		c.Do(op.all)
		return
	}
	for i := range xs[0] {
		var c torch.Call
		for _, x := range xs {
			c.Tensor(x[i])
		}
		c.Float(v)
		c.Do(op.one)
	}
}

// of returns new tensors.
func (l lists) of(op *listOp, xs ...[]*torch.Tensor) []*torch.Tensor {
	if l.foreach {
		var c torch.Call
		for _, x := range xs {
			c.Tensors(x)
		}
		return c.Several(op.all)
	}
	out := make([]*torch.Tensor, len(xs[0]))
	for i := range out {
		var c torch.Call
		for _, x := range xs {
			c.Tensor(x[i])
		}
		out[i] = c.One(op.one)
	}
	return out
}

// ofBy is of with a number.
func (l lists) ofBy(op *listOp, v float64, xs ...[]*torch.Tensor) []*torch.Tensor {
	if l.foreach {
		var c torch.Call
		for _, x := range xs {
			c.Tensors(x)
		}
		c.Float(v)
		return c.Several(op.all)
	}
	out := make([]*torch.Tensor, len(xs[0]))
	for i := range out {
		var c torch.Call
		for _, x := range xs {
			c.Tensor(x[i])
		}
		c.Float(v)
		out[i] = c.One(op.one)
	}
	return out
}

// maximum sets xs to the larger of xs and ys.
func (l lists) maximum(xs, ys []*torch.Tensor) {
	if l.foreach {
		l.do(&opMaximum_, xs, ys)
	} else {
		l.do(&opMaximum_, xs, ys, xs)
	}
}

func free(xs []*torch.Tensor) {
	for _, x := range xs {
		x.Free()
	}
}
