// Package torch is PyTorch's torch for Go: tensors on libtorch, on CPU and CUDA.
//
// libtorch is loaded at the first use, and installed if none is found; the
// command "torchhub doctor" shows where it is. [Init] does this early and returns
// an error. Using libtorch affects the rest of the process, such as malloc:
// docs/rationale.md describes how, why, and how to turn it off.
//
// # Three contracts
//
// Errors. Whatever depends on the outside world (files, devices, bytes) returns
// an error. A programmer's mistake in an op (shapes, dtypes, an index out of
// range, a tensor used after it was freed) panics with an [*Error], as gonum's
// mat does; [Try] turns the panic into an error. A C++ exception never ends the
// process.
//
// Lifetime. Tensors are freed by the garbage collector. Calling Free is optional but faster.
// Since the collector does not see the memory of tensors, the package tracks the bytes of live
// CPU tensors and triggers collections accordingly. Small tensors share their cleanups: up to
// 32 of them, 16 KiB together, are freed when all of them are unreachable. [Tensor.Free] frees
// at once, [Scope] frees the tensors made inside it, and [Tensor.Then] frees an intermediate
// as soon as the next value exists. Freeing releases one reference: views, and tensors that
// autograd saved, keep the memory alive as long as they need it. A program built with -tags
// torchleak has the profile "torch.tensors" of runtime/pprof: the live tensors, by the stacks
// that made them.
//
// Goroutines. Tensors may be read from any number of goroutines at once. Ops that
// write (their names end in InPlace) need synchronization by the caller. libtorch
// keeps caches and a team of threads for each OS thread that calls it, so work in
// many goroutines should go through [Run], which executes it on a few OS threads;
// models and TorchScript modules do so by themselves. [NoGrad], [InferenceMode],
// [Scope] and [WithDevice] apply to the closure that they call, on its goroutine.
// They lock the goroutine to its OS thread meanwhile, except while it waits in
// [Run]. [Run] applies the same modes to its closure, whichever way they nest.
// Goroutines that a closure starts do not inherit its modes.
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
// function that makes a tensor is also a method of [Options], which sets the dtype,
// device and requires_grad. The packages linalg, fft, special and nn/functional are
// Python's modules of these names. [Tensor.String] returns Python's repr.
//
// Gradients: operations on tensors that require a gradient ([Options], [Tensor.RequireGrad])
// are recorded outside of [NoGrad]. [Tensor.Backward] adds the gradients of a loss to the
// [Tensor.Grad] of each leaf, and [Tensor.ZeroGrad] removes it before the next step:
//
//	loss := F.MSELoss(F.Linear(x, w, b), y)
//	loss.Backward()
//	torch.NoGrad(func() { w.SubInPlace(w.Grad(), torch.SubOptions{Alpha: 0.01}) })
//	w.ZeroGrad()
//
// Package torch/autograd has gradients as values, functions whose derivative is written in
// Go, checkpoints and more.
//
// Go's values and tensors: [NewTensor], [FromSlice], [Scalar], [Data], [Item]; without
// a copy [FromBuffer], [FromBlob], [WithData]. The formats without a Go type are
// [F16], [BF16], [F8E4M3FN] and similar types. Indexing: [Tensor.Index] is x[…],
// [Tensor.SetIndex] is x[…] = y, with integers, [Slice], [All], [Ellipsis], [NewAxis],
// masks and index tensors.
package torch
