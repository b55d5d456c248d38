// Package aten holds every public operator of libtorch that can be called
// through its dispatcher, with all its arguments in the order of its schema:
// torch.ops.aten. Package torch has the ones that programs use, under shorter
// names. The operators whose name begins with an underscore are in package
// unchecked, since libtorch trusts their arguments.
//
// A function is named after the operator and its overload, in camel case. A
// trailing underscore, the mark of operators in place, is InPlace:
//
//	add.Tensor       AddTensor
//	add_.Tensor      AddInPlaceTensor
//
// Types are by schema: SymInt is int, Scalar is [torch.Number], and a value that may be None is a pointer, such as
// new(3), or nil: for tensors, numbers, lists and generators; of a dtype or device it is the zero value. A required
// list may be empty but is never None. Operators in place, and out variants, return their argument.
//
// A mistake in the arguments panics with a [*torch.Error], and so does an
// operator that the libtorch in use lacks, when it is called.
//
// https://docs.pytorch.org/docs/stable/torch.compiler_ir.html
package aten
