package torch

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// Kinds of [Error], for errors.Is.
var (
	ErrOutOfMemory    = errors.New("out of memory")           // a tensor could not be allocated, on the CPU or a GPU
	ErrIndex          = errors.New("index out of range")      // Python's IndexError
	ErrNotImplemented = errors.New("not implemented")         // there is no such op, or not for this device or dtype
	ErrFreed          = errors.New("tensor used after Free")  // Free was called before, or the Scope in which it was made has ended
	ErrNil            = errors.New("nil tensor")              // a nil *Tensor where one is needed
	ErrClosed         = errors.New("module used after Close") // a module of torch/jit, or a model of torch/aoti or hub
)

// An Error is a mistake in the use of an op, for which PyTorch raises a
// RuntimeError, IndexError or TypeError. Ops panic with it; see [Try].
type Error struct {
	Op       string // the op's name in the schema, such as "aten::add", or the Go function's
	Overload string // the op's overload, such as "Tensor"; may be empty
	Args     string // its tensors, such as "[2, 3] float32, [4] float32"
	Msg      string // the description of the mistake
	Trace    string // the place in the code of a TorchScript method; not part of the error's text

	kind error
}

// Error returns the op, its tensors and the description of the mistake.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("torch: ")
	b.WriteString(e.Op)
	if e.Overload != "" {
		b.WriteString("." + e.Overload)
	}
	if e.Args != "" {
		b.WriteString("(" + e.Args + ")")
	}
	b.WriteString(": " + e.Msg)
	return b.String()
}

// Unwrap returns the kind, one of the Err… variables, the error with which a function of
// the caller's failed that libtorch called, such as a hook, or nil.
func (e *Error) Unwrap() error { return e.kind }

// Try calls f and returns the [*Error] that f panicked with, or nil. Other panics pass.
func Try(f func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *Error:
			err = p
		default:
			panic(p)
		}
	}()
	f()
	return nil
}

// fail panics with an Error about a Go function's own arguments.
func fail(op, msg string) { panic(&Error{Op: op, Msg: msg}) }

// Parts of libtorch's texts about a device that the machine or the libtorch in use lacks.
var (
	aboutCUDA = []string{
		"from the 'CUDA' backend", "support for cuda devices", "CUDA error:", "CUDA driver", "CUDA GPUs", "NVIDIA driver", "cudaGetDeviceCount()",
		"accelerator device when none is available",
	}
	aboutMPS = []string{"from the 'MPS' backend", "support for mps devices", "without MPS backend"}
)

// messageOf returns the text of libtorch's error, or the reason why there is no GPU if
// the text is about one that is not there.
func messageOf(err error) string {
	msg := err.Error()
	about := func(part string) bool { return strings.Contains(msg, part) }
	if slices.ContainsFunc(aboutCUDA, about) {
		if _, why := CUDACount(context.Background()); why != nil {
			return strings.TrimPrefix(why.Error(), "torch: ")
		}
	}
	if slices.ContainsFunc(aboutMPS, about) {
		if ok, err := libtorch.MPSAvailable(); err == nil && !ok {
			return "there is no MPS device"
		}
	}
	return msg
}

func kindOf(err error) error {
	var e *libtorch.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case libtorch.ErrCallback:
		err, _ := e.Failure.Panic.(error)
		return err
	case libtorch.ErrMemory:
		return ErrOutOfMemory
	case libtorch.ErrIndex:
		return ErrIndex
	case libtorch.ErrNotImplemented:
		return ErrNotImplemented
	}
	if strings.Contains(e.Msg, "out of memory") {
		return ErrOutOfMemory
	}
	return nil
}
