package torch

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// Go's collector does not see the memory of tensors, so this file tracks the
// allocation pressure and triggers collections. One is due when live tensors
// hold more than the last collection left, by the largest of slack, half of what
// it left, and Go's own heap, which is a measure of the cost of a collection.
const slack = 12 << 20

var (
	collectMu sync.Mutex
	collectAt atomic.Int64 // the value of held at which a collection is due
	survived  atomic.Int64 // the bytes that the last collection left
	due       atomic.Bool  // held has reached collectAt
)

func init() { collectAt.Store(slack) }

var noCollections atomic.Bool // see InitOptions.NoCollections

// noteLive marks a collection as due if the live bytes have reached the limit. It
// is called after each call that may have made a tensor.
func noteLive(live int64) {
	if live+wrapped.Load() >= collectAt.Load() && !due.Load() && !noCollections.Load() {
		due.Store(true)
	}
}

// collectIfDue collects if that is due. It is called before a call rather than
// after one: by then a loop has dropped the tensors of its last iteration, so that
// two of its large tensors need not exist at once.
func collectIfDue() {
	if due.Load() {
		collect()
	}
}

// held returns the number of bytes of all live tensors, libtorch's overhead included, of
// which those on CUDA devices count a sixteenth.
func held() int64 { return libtorch.HeldBytes() + wrapped.Load() }

// collect sweeps if that is due, and computes when the next collection is due.
func collect() {
	// One goroutine collects. The others continue until they have made a quarter more.
	if !collectMu.TryLock() {
		at := collectAt.Load()
		if held() < at+(at-survived.Load())/4 {
			return
		}
		collectMu.Lock()
	}
	defer collectMu.Unlock()
	due.Store(false)
	if held() < collectAt.Load() {
		return
	}
	before := made.Load()
	sweep()
	// Tensors that other goroutines made meanwhile do not count as survivors.
	left := held()
	stays := max(left-(made.Load()-before), min(left, survived.Load()))
	survived.Store(stays)
	metrics.Read(goHeap[:])
	room := max(slack, stays/2, int64(goHeap[0].Value.Uint64()))
	collectAt.Store(max(stays+room, left+room/8))
}

var goHeap = [1]metrics.Sample{{Name: "/gc/heap/live:bytes"}}

// sweep runs the collector and waits until the tensors that it found to be
// unreachable are freed by their cleanups, which run concurrently.
func sweep() {
	runtime.GC()
	c := [2]metrics.Sample{{Name: "/gc/cleanups/queued:cleanups"}, {Name: "/gc/cleanups/executed:cleanups"}}
	metrics.Read(c[:])
	queued := c[0].Value.Uint64()
	for start := time.Now(); c[1].Value.Uint64() < queued && time.Since(start) < sweepMax; metrics.Read(c[1:]) {
		unreachable.drain()
		time.Sleep(50 * time.Microsecond)
	}
	unreachable.drain()
}

const sweepMax = 500 * time.Millisecond // since cleanups of other packages may take long

// The young generation is the small tensors made since the last early collection.
// The processor's caches hold some thousands of them. If more are unreachable, to
// collect them early is faster than to allocate new memory for each. Early
// collections may take a tenth of the time, not counting youngFree for each.
// youngLimit is less than slack, since all goroutines that make tensors wait for a
// collection for slack.
const (
	youngLimit = 4 << 20 // bytes
	youngShare = 10
	youngFree  = time.Millisecond     // about what a collection of a small heap takes
	youngSlow  = 5 * time.Millisecond // after a collection that took longer, the next one runs in the background
)

var (
	young      atomic.Int64 // bytes of small tensors made since the last early collection, minus bytes freed
	collecting atomic.Bool
	slow       atomic.Bool // the last early collection was slow
)

// countYoung adds n bytes to the young generation. The goroutine that exceeds the
// limit collects: a collection in another goroutine would wait for a processor
// while this one makes thousands more.
func countYoung(n int) {
	if young.Add(int64(n)) < youngLimit || noCollections.Load() || !collecting.CompareAndSwap(false, true) {
		return
	}
	if slow.Load() {
		go collectYoung()
	} else {
		collectYoung()
	}
}

func collectYoung() {
	start := time.Now()
	runtime.GC()
	took := time.Since(start)
	young.Store(0)
	slow.Store(took > youngSlow)
	if took <= youngFree {
		collecting.Store(false)
	} else {
		time.AfterFunc((youngShare-1)*(took-youngFree), func() { collecting.Store(false) })
	}
}

// LiveBytes returns the number of bytes of all live CPU tensors in the process.
// A mapped file counts with its whole size while any of its tensors is alive;
// freed blocks that the allocator keeps for the next tensors do not count.
func LiveBytes() int64 {
	mustInit()
	return libtorch.LiveBytes()
}

// EmptyCache returns the freed blocks that the CPU allocator keeps for the next tensors to the
// system.
func EmptyCache() {
	mustInit()
	libtorch.Trim()
}
