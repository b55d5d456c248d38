package torch

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// The collector sees a Tensor as a few words. What makes it run often enough is
// this: when live CPU tensors hold more than was left by the last collection
// and half of that again, but at least slack, collect.
const slack = 64 << 20

var (
	pressure  sync.Mutex
	collectAt atomic.Int64
)

func init() { collectAt.Store(slack) }

// press is told the live bytes after each call that may have made a tensor.
func press(live int64) {
	if live < collectAt.Load() {
		return
	}
	// One goroutine collects. The others go on, until they are a good deal ahead.
	if !pressure.TryLock() {
		if live < collectAt.Load()+collectAt.Load()/2 {
			return
		}
		pressure.Lock()
	}
	defer pressure.Unlock()
	if libtorch.LiveBytes() < collectAt.Load() {
		return
	}
	done := make(chan struct{})
	runtime.AddCleanup(new([64]byte), func(c chan struct{}) { close(c) }, done)
	runtime.GC()
	// The cleanups that free tensors run after the collection, beside this one.
	select {
	case <-done:
	case <-time.After(100 * time.Millisecond):
	}
	live = libtorch.LiveBytes()
	for range 50 { // until they have gone quiet
		time.Sleep(100 * time.Microsecond)
		now := libtorch.LiveBytes()
		if now >= live {
			break
		}
		live = now
	}
	collectAt.Store(live + max(slack, live/2))
}

// LiveBytes returns the bytes that CPU tensors hold in the whole process,
// without what the allocator keeps for the next ones.
func LiveBytes() int64 {
	mustInit()
	return libtorch.LiveBytes()
}

// EmptyCache gives the blocks that the CPU allocator keeps for the next tensors back to the system.
func EmptyCache() {
	mustInit()
	libtorch.Trim()
}
