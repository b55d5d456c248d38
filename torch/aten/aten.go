// Package aten holds every operator of libtorch that can be called through its
// dispatcher, with all its arguments in the order of its schema: torch.ops.aten.
// Package torch has the ones that programs use, under shorter names.
//
// A function is named after the operator and its overload, in camel case. A
// leading underscore, libtorch's mark of internal operators, is Internal; double
// ones are Dunder; a trailing one, the mark of operators in place, is InPlace:
//
//	add.Tensor       AddTensor
//	add_.Tensor      AddInPlaceTensor
//	_softmax         InternalSoftmax
//	__and__.Scalar   DunderAndScalar
//
// Types are by schema: SymInt is int, Scalar is [torch.Number], and what may be
// None is a pointer, where new(3) is handy, or nil: for tensors, numbers, lists
// and generators; of a dtype or device it is the zero value. A list that must be there may be empty but is never None.
// Operators in place, and out variants, return their argument.
//
// A mistake in the arguments panics with a [*torch.Error], and so does an
// operator that the libtorch in use lacks, when it is called.
//
// https://docs.pytorch.org/docs/stable/torch.compiler_ir.html
package aten

import "github.com/torchhub/torchhub/torch"

// optional adds what v points to, or None.
func optional[T any](c *torch.Call, v *T, put func(*torch.Call, T)) {
	if v == nil {
		c.None()
		return
	}
	put(c, *v)
}

// tensor takes a tensor out of a result; an undefined one is nil.
func tensor(v torch.Value) *torch.Tensor {
	x, _ := v.(*torch.Tensor)
	return x
}

func tensors(v torch.Value) []*torch.Tensor {
	vs := v.([]torch.Value)
	out := make([]*torch.Tensor, len(vs))
	for i, v := range vs {
		out[i] = tensor(v)
	}
	return out
}
