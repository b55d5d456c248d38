package libtorch

/*
#include <stdlib.h>
#include "table.h"

// Calls that take Go memory, or none, and never call back into Go.
#cgo noescape t_grad_get
#cgo nocallback t_grad_get
#cgo noescape t_grad_set
#cgo nocallback t_grad_set
*/
import "C"

import (
	"sync/atomic"
	"unsafe"
)

// callbackWords is the room for the arguments of a callback.
const callbackWords = C.THUB_CALLBACK_WORDS

// calling counts the modes in which operators call callbacks: hooks of saved tensors,
// and the detection of anomalies.
var calling atomic.Int64

// Calling adds n to the number of modes in which operators call callbacks.
func Calling(n int64) { calling.Add(n) }

// callBack is Call for an operator that may call callbacks. The words must not be on the
// goroutine's stack then, which may be moved. They are copied without slices.Clone, since
// its result may share memory with its argument as far as the compiler knows, so that the
// words of all calls would be on the heap.
func (op Op) callBack(args, buf []uint64, room, nfree int) error {
	words, rets := make([]uint64, len(args)), make([]uint64, len(buf))
	copy(words, args)
	copy(rets, buf)
	defer func() { copy(buf, rets) }()
	return callback(func() error {
		rets[C.THUB_RETS_N] = uint64(nfree)
		C.t_op_call_back(op.h, first(words), C.size_t(len(words)), first(rets), C.size_t(room))
		return answer(*(**C.char)(unsafe.Pointer(&rets[C.THUB_RETS_ERROR])))
	})
}

// Grad writes a tensor's gradient.
func Grad(t uint64, buf []uint64) error {
	return failure(C.t_grad_get(C.thub_tensor(t), first(buf), C.size_t(len(buf))))
}

// SetGrad sets a tensor's gradient; 0 is none.
func SetGrad(t, grad uint64) error {
	return failure(C.t_grad_set(C.thub_tensor(t), C.thub_tensor(grad)))
}

// RunEngine runs the engine of autograd; see functions.def for the arguments. It writes
// the gradients of the inputs unless they are accumulated.
func RunEngine(args, buf []uint64) error {
	return callback(func() error {
		return failure(C.t_engine_run(first(args), C.size_t(len(args)), first(buf), C.size_t(len(buf))))
	})
}

// AddHook registers a callback for the gradient of a tensor, or for a leaf after its
// gradient is accumulated. It then owns the callback.
func AddHook(t, callback uint64, post bool) error {
	return failure(C.t_hook_add(C.thub_tensor(t), C.uint64_t(callback), cbool(post)))
}

// RemoveHook removes a hook.
func RemoveHook(callback uint64) { C.t_hook_remove(C.uint64_t(callback)) }

// ApplyFunction records a function whose derivative is a callback, which it owns, and
// writes the list of the outputs.
func ApplyFunction(id uint64, name string, args, buf []uint64) error {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	return callback(func() error {
		return failure(C.t_function_apply(C.uint64_t(id), n, first(args), C.size_t(len(args)), first(buf), C.size_t(len(buf))))
	})
}

// Running is the node whose callback runs.
type Running struct{ p unsafe.Pointer }

// Saved writes the list of the tensors that were saved.
func (n Running) Saved(buf []uint64) error {
	return callback(func() error {
		return failure(C.t_function_saved(n.p, first(buf), C.size_t(len(buf))))
	})
}

// Needs reports whether the gradient of input i is needed.
func (n Running) Needs(i int) bool { return C.t_function_needs(n.p, C.size_t(i)) != 0 }

// A Node is a function that autograd recorded.
type Node struct{ h C.thub_node }

// NodeOf returns the function that made a tensor; ok is false without one.
func NodeOf(t uint64) (n Node, ok bool, err error) {
	err = failure(C.t_node_of(C.thub_tensor(t), &n.h))
	return n, n.h != nil, err
}

// Next returns the node that gets the gradient of input i, and the number of the
// gradient there; more is false behind the last.
func (n Node) Next(i int) (next Node, ok bool, input int, more bool, err error) {
	var nr C.int64_t
	err = failure(C.t_node_next(n.h, C.size_t(i), &next.h, &nr))
	return next, next.h != nil, int(nr), nr >= 0, err
}

// Valid reports whether n is a reference.
func (n Node) Valid() bool { return n.h != nil }

// Name returns the node's name, such as "AddBackward0".
func (n Node) Name() string { return takeString(C.t_node_name(n.h)) }

// Free drops the reference.
func (n Node) Free() { C.t_node_free(n.h) }

// SetAnomalyMode sets whether anomalies are detected, in the whole process.
func SetAnomalyMode(on, checkNaN bool) { C.t_set_anomaly(cbool(on), cbool(checkNaN)) }

// AnomalyMode reports whether anomalies are detected.
func AnomalyMode() bool { return C.t_get_anomaly() != 0 }

// SetOrigin sets the stack of the nodes that the calling thread records.
func SetOrigin(stack string) {
	s := C.CString(stack)
	defer C.free(unsafe.Pointer(s))
	C.t_set_origin(s)
}

// EnterDualLevel begins a level of forward-mode differentiation.
func EnterDualLevel() (uint64, error) {
	var l C.uint64_t
	err := failure(C.t_dual_enter(&l))
	return uint64(l), err
}

// ExitDualLevel ends it.
func ExitDualLevel(level uint64) error { return failure(C.t_dual_exit(C.uint64_t(level))) }

// EnterVmap begins a level of vmap on the calling thread, and returns its number.
func EnterVmap(size, randomness int) (level int, err error) {
	var l C.int64_t
	err = failure(C.t_vmap_enter(C.int64_t(size), C.int32_t(randomness), &l))
	return int(l), err
}

// ExitVmap ends it.
func ExitVmap() error { return failure(C.t_vmap_exit()) }

// MapTensor writes the mapped tensor of a tensor; see functions.def for the arguments.
func MapTensor(args, buf []uint64) error {
	return callback(func() error {
		return failure(C.t_vmap_map(first(args), C.size_t(len(args)), first(buf), C.size_t(len(buf))))
	})
}

// UnmapTensor does the reverse.
func UnmapTensor(args, buf []uint64) error {
	return callback(func() error {
		return failure(C.t_vmap_unmap(first(args), C.size_t(len(args)), first(buf), C.size_t(len(buf))))
	})
}
