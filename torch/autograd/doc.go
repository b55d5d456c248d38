// Package autograd differentiates: torch.autograd, with torch.utils.checkpoint and
// torch.vmap. Most programs need only [torch.Tensor.Backward] and [torch.Tensor.Grad];
// this package has gradients as values, functions whose derivative is written in Go,
// derivatives of higher order, forward-mode derivatives, and checks.
//
//	x := torch.Options{RequiresGrad: true}.Randn(3)
//	g := autograd.Grad([]*torch.Tensor{x.Exp().Sum()}, []*torch.Tensor{x})[0]
//
// Functions that this package or package torch calls for autograd, such as hooks and the
// derivatives of a [Function], may panic: the call that runs the graph then panics with an
// [*torch.Error] that wraps the panic's value if that is an error. With [DetectAnomaly] its
// text has the stack of the goroutine at the panic. They may also call runtime.Goexit, as
// testing's FailNow does, which ends the goroutine that runs the graph. They must undo their
// calls of runtime.LockOSThread before they return: Go ends the process otherwise.
//
// The tensors that they get and make belong to the [torch.Scope] around the call that runs
// the graph; [torch.Keep] those that are used after it.
//
// A graph in libtorch keeps such functions alive, and the tensors that they refer to. The
// collector does not see into libtorch, so a tensor's own graph must not refer back to it:
// a Function saves its output with [Context.SaveForBackward] and not in a closure, and a
// hook on x that uses x is removed when it is not needed any more.
//
// https://docs.pytorch.org/docs/stable/autograd.html
package autograd
