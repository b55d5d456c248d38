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
	if live+wrapped.Load() < collectAt.Load() {
		return
	}
	collect()
}

// held is what tensors hold: their elements, and what libtorch needs around them.
func held() int64 { return libtorch.LiveBytes() + wrapped.Load() }

// collect runs the collector and waits until the tensors that it found are freed.
func collect() {
	// One goroutine collects. The others go on, until they are a good deal ahead.
	if !pressure.TryLock() {
		if held() < collectAt.Load()+collectAt.Load()/2 {
			return
		}
		pressure.Lock()
	}
	defer pressure.Unlock()
	if held() < collectAt.Load() {
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
	live := held()
	for range 50 { // until enough is freed, or they have gone quiet
		if live < collectAt.Load()/2 {
			break
		}
		time.Sleep(100 * time.Microsecond)
		now := held()
		if now >= live {
			break
		}
		live = now
	}
	collectAt.Store(live + max(slack, live/2))
}

// The processor's caches hold some thousands of small tensors. Where the
// collector has left more than that many to lie about, to collect them early is
// quicker than to fetch new memory for each; it may take a tenth of the time.
const (
	nursery      = 8192 // tensors
	nurseryShare = 10
)

var (
	young      atomic.Int64 // small tensors made since the last collection for their sake, less those freed
	collecting atomic.Bool
)

// born counts small tensors.
func born(n int) {
	if young.Add(int64(n)) < nursery || !collecting.CompareAndSwap(false, true) {
		return
	}
	go func() {
		start := time.Now()
		runtime.GC()
		young.Store(0)
		time.Sleep((nurseryShare - 1) * time.Since(start))
		collecting.Store(false)
	}()
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
