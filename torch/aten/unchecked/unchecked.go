// Package unchecked holds the operators of libtorch whose name begins with an
// underscore: torch.ops.aten._softmax and the like, which libtorch keeps for its
// own use.
//
// libtorch trusts their arguments. If a shape, a dtype, a size, an index or a
// layout differs from those of the operator's callers in libtorch, the operator
// may read or write beyond the memory of a tensor, return garbage, never return,
// or end the process. Package aten has the operators whose arguments are checked,
// by libtorch or before it is called, and many operators here are called by one
// there: Softmax by aten.SoftmaxInt. libtorch changes those here without notice
// from one version to the next.
//
// A function is named as in package aten, without the leading underscore:
//
//	_softmax         Softmax
//	_softmax.out     SoftmaxOut
//	__and__.Scalar   DunderAndScalar
//
// Those with two underscores are Python's operators, such as &. They are here
// because the rule is by name, but they check their arguments:
// aten.BitwiseAndTensor is the same.
//
// Nil tensors, freed tensors and arguments that libtorch does check panic with
// a *torch.Error, as everywhere.
package unchecked
