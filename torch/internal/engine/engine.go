// Package engine connects package torch with the packages beneath it, so that each
// of them owns its types and package torch exports nothing for their sake. Package
// torch sets the first group of functions when it is initialized, and torch/jit sets
// the second. Values of types of package torch, which cannot be imported here, are
// passed as any.
package engine

import (
	"context"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/pickle"
)

// Set by package torch.
var (
	// Invoke makes a call, a *torch.Call, by f, to which it gives the words of the
	// arguments and a buffer for the results. It returns the first result.
	Invoke func(call any, name string, f func(words, rets []uint64) error) (any, error)
	// Named says that the next value of a call is the argument of this name.
	Named func(call any, name string)
	// Read returns the first value that f writes to a buffer.
	Read func(f func(rets []uint64) error) (any, error)
	// Callback returns a number for f, a function that libtorch calls with tensors and
	// that returns tensors, each a *torch.Tensor. The name is used in errors.
	Callback func(name string, f func(in []any, r *libtorch.Returning) []any) (uint64, error)
	// RootGradient returns the gradient at the root x of a graph, given one or nil.
	RootGradient func(op string, x, grad any) any
	// RunUntil is torch.Run, or returns the error of the context if this ends before f is called.
	RunUntil func(ctx context.Context, f func()) error
	// Pinned calls f on this thread, where torch.Run calls directly.
	Pinned func(f func())
	// Error returns a *torch.Error for an error of libtorch.
	Error func(op string, err error) error
	// NotImplemented returns a *torch.Error that is a torch.ErrNotImplemented.
	NotImplemented func(op, msg string) error
	// Device returns libtorch's numbers for a torch.Device.
	Device func(d string) (typ, index int, err error)
	// Describe returns what stands for *torch.Tensors in a file; done frees what it holds.
	Describe func(xs []any) (ts []*pickle.Tensor, done func(), err error)
	// Within calls a function with other modes of the thread.
	Within func(change func(*libtorch.State), f func())
	// Unscoped calls f outside of any torch.Scope.
	Unscoped func(f func())
	// Unscope removes a *torch.Tensor from its torch.Scope, and from those around it.
	Unscope func(x any)
	// Tensors returns the *torch.Tensors that a checkpoint describes, on a torch.Device.
	// Those that share a storage share memory. They use the mapping m of the file, unless
	// it is nil.
	Tensors func(m *libtorch.Map, ts []*pickle.Tensor, d string) ([]any, error)
)

// Set by package torch/jit.
var (
	// NewObject returns a value for an object of a TorchScript class, and takes it over.
	NewObject func(m libtorch.Module, isModule bool) any
	// Object returns the object of a value that NewObject made; ok is false of another value.
	Object func(v any) (m libtorch.Module, ok bool, err error)
)
