package libtorch

// #include "table.h"
import "C"

import (
	"sync/atomic"
	"unsafe"
)

var shared atomic.Int64 // memory blocks not yet released

// Shared returns the number of memory blocks that tensors use but do not own.
func Shared() int { return int(shared.Load()) }

// ShareTensor makes a CPU tensor that uses memory which must remain valid until
// done is called, some time after the last tensor that uses it is freed.
func ShareTensor(data unsafe.Pointer, dtype int, sizes []int64, done func()) (uint64, Result, error) {
	shared.Add(1)
	id, err := onRelease(func(uint64) {
		shared.Add(-1)
		done()
	})
	if err != nil {
		shared.Add(-1)
		return 0, Result{}, err
	}
	var t C.thub_tensor
	res, err := result(C.t_tensor_share(data, C.int32_t(dtype), (*C.int64_t)(unsafe.SliceData(sizes)), C.size_t(len(sizes)), releases.fd, C.uint64_t(id), &t))
	if err != nil {
		shared.Add(-1)
		releases.mu.Lock()
		delete(releases.f, id)
		releases.mu.Unlock()
	}
	return uint64(t), res, err
}
