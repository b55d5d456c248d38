// Package torch is PyTorch's torch for Go: tensors on libtorch, on CPU and CUDA.
//
// libtorch is loaded at the first use, found or installed as the command
// "torchhub doctor" shows; [Init] does that early and returns what went wrong.
// What the use of libtorch does to the rest of the process, such as to malloc, is
// in docs/rationale.md, with the reasons and how to turn it off.
//
// # Three contracts
//
// Errors. Whatever depends on the outside world (files, devices, bytes) returns
// an error. A programmer's mistake in an op (shapes, dtypes, an index out of
// range, a tensor used after it was freed) panics with an [*Error], as gonum's
// mat does; [Try] turns the panic into an error. A C++ exception never ends the
// process.
//
// Lifetime. Nobody has to free a tensor, and who does is faster. Tensors that
// cannot be reached are freed by the collector; since it cannot see their
// memory, the bytes that live CPU tensors hold are counted and press it. Small
// tensors share their cleanups: up to 32 of them, 16 KiB together, are freed
// when none can be reached. [Tensor.Free] frees now, [Scope] frees what was made inside it, and
// [Tensor.Then] frees an intermediate as soon as the next value is there.
// Freeing gives back one reference: views, and what autograd saved, keep the
// memory alive as long as they need it. Built with -tags torchleak, a program
// has the profile "torch.tensors" of runtime/pprof: the tensors alive, by the
// stacks that made them.
//
// Goroutines. Tensors may be read from any number of goroutines at once. Ops
// that write (the names that end in InPlace) need the caller's own exclusion.
// libtorch keeps caches and a team of threads for each OS thread that calls it,
// so work in many goroutines should go through [Run], which executes it on a
// few OS threads; models and TorchScript modules do so by themselves.
// [NoGrad], [InferenceMode], [Scope] and [WithDevice] hold for the closure they
// are given, on its goroutine, which they lock to its OS thread meanwhile, except
// while it waits in Run; Run takes the modes along, whichever way they nest.
// Goroutines that the closure starts are not inside it.
//
// # Names
//
// Python's x.add(y) is x.Add(y), x.add_(y) is x.AddInPlace(y), and x.add(2) is
// x.AddScalar(2). Where the plain name takes a number, the form for a tensor ends in
// Tensor: x.Lerp(end, 0.5) and x.LerpTensor(end, weights). Keyword arguments are the
// fields of an options struct, which may be left out, and whose zero value is
// Python's defaults. Where Python takes an int or a tuple the type is [Ints]: an
// int, or a []int such as []int{1, 2}. A reduction is x.Sum() over everything and
// x.Sum(0, 1) over dimensions; with keyword arguments it is [Tensor.SumDim]. A
// function that makes a tensor has a twin with the dtype, device and requires_grad
// of [Options]. The rooms linalg, fft, special and nn/functional are Python's
// modules of these names. [Tensor.String] prints what Python's repr does.
//
// Go's values and tensors: [NewTensor], [FromSlice], [Scalar], [Data], [Item]; without
// a copy [FromBuffer], [FromBlob], [WithData]. The formats that Go has no type
// for are [F16], [BF16], [F8E4M3FN] and their kin. Indexing: [Tensor.Index] is
// x[…], [Tensor.SetIndex] is x[…] = y, with integers, [Slice], [All], [Ellipsis],
// [NewAxis], masks and index tensors.
package torch
