package libtorch

// #include "table.h"
import "C"

import (
	"encoding/binary"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"
)

// shared are the memories that tensors use and do not own. The shim writes the
// number of one to a pipe when no tensor uses it any more: that happens in the
// middle of calls, and calls that are short cannot call back into Go.
var shared = struct {
	once    sync.Once
	err     error
	w       *os.File
	fd      C.int32_t
	mu      sync.Mutex
	next    uint64
	release map[uint64]func()
	n       atomic.Int64 // not yet released
}{release: map[uint64]func(){}}

func openShared() {
	r, w, err := os.Pipe()
	if err != nil {
		shared.err = err
		return
	}
	shared.w, shared.fd = w, C.int32_t(w.Fd())
	go func() {
		var id [8]byte
		for {
			if _, err := io.ReadFull(r, id[:]); err != nil {
				return
			}
			shared.mu.Lock()
			n := binary.NativeEndian.Uint64(id[:])
			f := shared.release[n]
			delete(shared.release, n)
			shared.mu.Unlock()
			shared.n.Add(-1)
			f()
		}
	}()
}

// Shared returns how many memories tensors still use and do not own.
func Shared() int { return int(shared.n.Load()) }

// ShareTensor makes a CPU tensor over memory that stays where it is until
// release is called, some time after the last tensor over it is gone.
func ShareTensor(data unsafe.Pointer, dtype int, sizes []int64, release func()) (uint64, Result, error) {
	shared.once.Do(openShared)
	if shared.err != nil {
		return 0, Result{}, shared.err
	}
	shared.mu.Lock()
	shared.next++
	id := shared.next
	shared.release[id] = release
	shared.mu.Unlock()
	shared.n.Add(1)
	var t C.thub_tensor
	res, err := result(C.t_tensor_share(data, C.int32_t(dtype), (*C.int64_t)(unsafe.SliceData(sizes)), C.size_t(len(sizes)), shared.fd, C.uint64_t(id), &t))
	if err != nil {
		shared.mu.Lock()
		delete(shared.release, id)
		shared.mu.Unlock()
		shared.n.Add(-1)
	}
	return uint64(t), res, err
}
