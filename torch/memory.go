package torch

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// The collector sees a Tensor as a few words. What makes it run often enough is
// this: when live CPU tensors hold more than was left by the last collection
// and half of that again, but at least slack, or as much as Go's own heap, which
// is what a collection costs, collect.
const slack = 12 << 20

var (
	pressure  sync.Mutex
	collectAt atomic.Int64
	stayed    atomic.Int64 // what the last collection left
	due       atomic.Bool  // held was at collectAt after some call
)

func init() { collectAt.Store(slack) }

var collectNothing atomic.Bool // see InitOptions.NoCollections

// press is told the live bytes after each call that may have made a tensor.
func press(live int64) {
	if live+wrapped.Load() >= collectAt.Load() && !due.Load() && !collectNothing.Load() {
		due.Store(true)
	}
}

// relieve collects where that is due. It is called before a call rather than
// after one: a loop has then dropped what its last round made, so that a big
// tensor need not lie beside the next one.
func relieve() {
	if due.Load() {
		collect()
	}
}

// held is what tensors hold: their elements, and what libtorch needs around them.
func held() int64 { return libtorch.LiveBytes() + wrapped.Load() }

// collect sweeps, if that is due, and says when it is the next time.
func collect() {
	// One goroutine collects. The others go on, until they are a good deal ahead.
	if !pressure.TryLock() {
		at := collectAt.Load()
		if held() < at+(at-stayed.Load())/4 {
			return
		}
		pressure.Lock()
	}
	defer pressure.Unlock()
	due.Store(false)
	if held() < collectAt.Load() {
		return
	}
	before := made.Load()
	sweep()
	// What the others made meanwhile is no sign of what will stay.
	left := held()
	stays := max(left-(made.Load()-before), min(left, stayed.Load()))
	stayed.Store(stays)
	metrics.Read(goHeap[:])
	room := max(slack, stays/2, int64(goHeap[0].Value.Uint64()))
	collectAt.Store(max(stays+room, left+room/8))
}

var goHeap = [1]metrics.Sample{{Name: "/gc/heap/live:bytes"}}

// sweep runs the collector and waits until the tensors that it found are freed:
// by cleanups, which run beside the goroutines that go on.
func sweep() {
	runtime.GC()
	c := [2]metrics.Sample{{Name: "/gc/cleanups/queued:cleanups"}, {Name: "/gc/cleanups/executed:cleanups"}}
	metrics.Read(c[:])
	queued := c[0].Value.Uint64()
	for start := time.Now(); c[1].Value.Uint64() < queued && time.Since(start) < sweepRest; metrics.Read(c[1:]) {
		dead.bury()
		time.Sleep(50 * time.Microsecond)
	}
	dead.bury()
}

const sweepRest = 500 * time.Millisecond // at most, for cleanups that are not ours may take long

// The processor's caches hold some thousands of small tensors. Where the
// collector has left more than that many to lie about, to collect them early is
// quicker than to fetch new memory for each; it may take a tenth of the time,
// besides what a collection of a small heap takes. It is less than slack, whose
// collections everybody waits for.
const (
	nursery      = 4 << 20 // bytes that they hold
	nurseryShare = 10
	nurseryGrace = time.Millisecond
	nurseryWait  = 5 * time.Millisecond // longer collections nobody waits for
)

var (
	young      atomic.Int64 // what small tensors hold that were made since the last collection for their sake, less those freed
	collecting atomic.Bool
	slow       atomic.Bool // the last collection was
)

// born counts what small tensors hold. Whoever makes one too many collects: a collection
// beside it would wait for a processor, while it goes on to make thousands more.
func born(n int) {
	if young.Add(int64(n)) < nursery || collectNothing.Load() || !collecting.CompareAndSwap(false, true) {
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
	slow.Store(took > nurseryWait)
	if took <= nurseryGrace {
		collecting.Store(false)
	} else {
		time.AfterFunc((nurseryShare-1)*(took-nurseryGrace), func() { collecting.Store(false) })
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
