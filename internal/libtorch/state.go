package libtorch

/*
#include "table.h"

#cgo noescape t_get_state
#cgo nocallback t_get_state
#cgo noescape t_set_state
#cgo nocallback t_set_state
*/
import "C"

import "unsafe"

// State is the modes of a thread.
type State struct {
	Grad          bool // autograd records
	Inference     bool // libtorch's inference mode
	Device, Index int  // on which new tensors are made
	Scope         uint64
	Hooks         uint64 // the callback that packs the tensors that autograd saves
	Dual          bool   // in a level of forward-mode differentiation
	Locks         int    // how often package torch has locked the goroutine to the thread

	Autocast      [C.THUB_AUTOCAST_DEVICES]Autocast // see AutocastIndex
	AutocastCache bool                              // casts of weights are kept until the outermost region ends
	AutocastDepth int                               // regions of autocast around

	CUDADevice int                   // the current one
	Streams    [MaxCUDADevices]int64 // the current stream of each CUDA device; 0 is the default stream
}

// An Autocast is the state of autocast for a type of device: twice the
// c10::ScalarType to which it casts, plus 1 if it is on.
type Autocast int32

// MakeAutocast returns the state of a dtype.
func MakeAutocast(on bool, scalarType int) Autocast {
	return Autocast(2*scalarType) | Autocast(cbool(on))
}

// On reports whether autocast is on.
func (a Autocast) On() bool { return a&1 != 0 }

// ScalarType returns the c10::ScalarType to which autocast casts.
func (a Autocast) ScalarType() int { return int(a >> 1) }

// AutocastIndex returns the index in State.Autocast of a c10::DeviceType; ok is false
// of one without autocast.
func AutocastIndex(deviceType int) (i int, ok bool) {
	switch deviceType {
	case 0: // CPU
		return 0, true
	case 1: // CUDA
		return 1, true
	case 13: // MPS
		return 2, true
	}
	return 0, false
}

// NewState is the state of a new thread, with libtorch's default dtypes of autocast:
// bfloat16 for the CPU and float16 for GPUs.
var NewState = State{Grad: true, Index: -1, Autocast: [...]Autocast{2 * 15, 2 * 5, 2 * 5}, AutocastCache: true}

// ThreadState returns the calling thread's modes.
func ThreadState() State {
	var s C.thub_state
	C.t_get_state(&s)
	return State{
		Grad: s.grad != 0, Inference: s.inference != 0, Device: int(s.device), Index: int(s.index),
		Scope: uint64(s.scope), Hooks: uint64(s.hooks), Dual: s.dual != 0, Locks: int(s.locks),
		Autocast:      *(*[C.THUB_AUTOCAST_DEVICES]Autocast)(unsafe.Pointer(&s.autocast)),
		AutocastCache: s.autocast_cache != 0, AutocastDepth: int(s.autocast_depth),
		CUDADevice: int(s.cuda_device), Streams: *(*[MaxCUDADevices]int64)(unsafe.Pointer(&s.streams)),
	}
}

// SetThreadState sets the calling thread's modes.
func SetThreadState(s State) {
	c := C.thub_state{
		grad: cbool(s.Grad), inference: cbool(s.Inference), device: C.int32_t(s.Device), index: C.int32_t(s.Index),
		scope: C.uint64_t(s.Scope), hooks: C.uint64_t(s.Hooks), dual: cbool(s.Dual), locks: C.int64_t(s.Locks),
		autocast_cache: cbool(s.AutocastCache), autocast_depth: C.int32_t(s.AutocastDepth), cuda_device: C.int32_t(s.CUDADevice),
	}
	*(*[C.THUB_AUTOCAST_DEVICES]Autocast)(unsafe.Pointer(&c.autocast)) = s.Autocast
	*(*[MaxCUDADevices]int64)(unsafe.Pointer(&c.streams)) = s.Streams
	C.t_set_state(&c)
}

// ClearAutocastCache drops the casts of weights that autocast keeps, of all threads.
func ClearAutocastCache() { C.t_autocast_clear() }
