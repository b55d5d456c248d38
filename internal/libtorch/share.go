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

// shared is the memory that tensors use but do not own. When no tensor uses a
// block of it any more, the shim writes its number to a pipe: this happens
// inside calls, and short calls cannot call back into Go.
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

// Shared returns the number of memory blocks that tensors use but do not own.
func Shared() int { return int(shared.n.Load()) }

// ShareTensor makes a CPU tensor that uses memory which must remain valid until
// release is called, some time after the last tensor that uses it is freed.
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
