package torch

import (
	"math"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// A cleanup of Go's collector costs as much as a small op, so small tensors
// share one: their wrappers are allocated in blocks, each of which is one object
// for the collector. A wrapper in use thus keeps at most a block alive, which has
// up to blockTensors tensors and blockBytes. A tensor that holds more than
// smallBytes, or a graph of autograd, is standalone: it has a cleanup of its own,
// unless a scope frees it.
const (
	blockTensors = 32
	blockBytes   = 16 << 10
	smallBytes   = 2 << 10
)

// tensorWeight is the estimated number of bytes that libtorch uses for a tensor besides its elements.
const tensorWeight = 512

// A block is a group of tensors that share a cleanup. A block taken from the pool
// is owned exclusively by the caller.
type block struct {
	tensors [blockTensors]Tensor
	refs    *refs
	n       int               // tensors in use
	bytes   int               // the bytes that they hold
	own     int32             // how many of them were freed through this block's queue
	freed   int               // bytes freed through this block's queue, of this and other blocks' tensors
	queued  [queueCap]*Tensor // the deferred-free queue; their references are in refs.queued
}

// refs are the references of a block's tensors. They are not part of the block, so
// that its cleanup can reach them.
type refs struct {
	h       [blockTensors]uint64 // 0 once the reference is freed or in a block's queue
	queued  [queueCap]uint64     // the deferred-free queue
	nqueued int
	weight  int64        // their part of wrapped
	alive   atomic.Int32 // references not freed, once the block is full; negative before
	cleanup runtime.Cleanup
	pending uint32 // once the block is unreachable: a bit for each reference to free
	backlog *refs  // a linked list of unreachable blocks, which ops with this block drain
}

// A call into C costs as much as freeing a small tensor, so small tensors are
// freed by the next op, which can reuse their memory, or in batches. A batch is no
// larger than what malloc keeps for reuse.
const queueCap = 6

// deferFree adds the reference of a tensor in a block to a deferred-free queue. It
// drains the queue if it is full, or if a program waits for the release of memory
// that it shares with tensors.
func (x *Tensor) deferFree() {
	h := x.take()
	var m maker
	b := m.room()
	rs := b.refs
	rs.queued[rs.nqueued], b.queued[rs.nqueued] = h, x
	rs.nqueued++
	if rs.nqueued < queueCap && libtorch.Shared() == 0 {
		m.done()
		return
	}
	var hs [queueCap]uint64
	n := b.drain(hs[:])
	countYoung(-b.freed) // here, since a block does not become full while tensors are only freed
	b.freed = 0
	m.done()
	libtorch.FreeTensors(hs[:n])
}

// drain moves the block's deferred-free queue to hs, for the caller to free, and
// returns how many references these are.
func (b *block) drain(hs []uint64) int {
	rs := b.refs
	n := rs.nqueued
	for i, x := range b.queued[:n] {
		hs[i] = rs.queued[i]
		b.queued[i] = nil
		b.freed += x.holds()
		if x.refs == rs {
			b.own++
		} else {
			x.countFreed(1)
		}
	}
	rs.nqueued = 0
	return n
}

// take transfers the reference of a tensor in a block to the caller.
func (x *Tensor) take() uint64 {
	x.refs.h[x.index] = 0
	return x.h
}

// holds returns the estimated number of bytes that x, a tensor in a block, retains.
func (x *Tensor) holds() int { return int(x.bytes) + tensorWeight }

// countFreed records that n tensors of x's block, x among them, are freed. After
// the last one the block needs no cleanup.
func (x *Tensor) countFreed(n int32) {
	if x.refs.alive.Add(-n) == 0 {
		x.refs.retire()
	}
	runtime.KeepAlive(x) // or the cleanup may run
}

// retire recycles the refs of a block whose tensors are all freed. The block must
// be in use.
func (rs *refs) retire() {
	rs.cleanup.Stop()
	rs.recycle()
}

// abandon frees the queue of an unreachable block and marks its other references as pending.
func (rs *refs) abandon() {
	libtorch.FreeTensors(rs.queued[:rs.nqueued])
	for i, h := range rs.h {
		if h != 0 {
			rs.pending |= 1 << i
		}
	}
}

// drain moves pending references of an unreachable block to hs, as many as fit,
// for the caller to free.
func (rs *refs) drain(hs []uint64) (n int) {
	for ; rs.pending != 0 && n < len(hs); rs.pending &= rs.pending - 1 {
		hs[n] = rs.h[bits.TrailingZeros32(rs.pending)]
		n++
	}
	return n
}

// drainBacklog drains unreachable blocks, by one reference for each op, or by two
// if the backlog exceeds backlogLimit.
func (rs *refs) drainBacklog(hs []uint64) int {
	if rs.backlog == nil {
		n := unreachable.n.Load()
		if n == 0 {
			return 0
		}
		if rs.backlog = unreachable.pop(1 + int(n/backlogLimit)); rs.backlog == nil {
			return 0
		}
	}
	if rs.backlog.backlog == nil {
		hs = hs[:1]
	}
	n := rs.backlog.drain(hs)
	if rs.backlog.pending == 0 {
		next := rs.backlog.backlog
		rs.backlog.recycle()
		rs.backlog = next
	}
	return n
}

// recycle makes refs without references available to new blocks.
func (rs *refs) recycle() {
	rs.weigh(0)
	*rs = refs{}
	spare.Put(rs)
}

var (
	blocks  sync.Pool    // of *block that are not full, one for each processor
	spare   sync.Pool    // of *refs, zero
	wrapped atomic.Int64 // tensorWeight for each tensor of a block and each standalone tensor
	made    atomic.Int64 // the total bytes of all tensors made so far
)

// A maker makes Tensors of new references, in a block that it owns until done.
type maker struct{ b *block }

// room returns the maker's block, which has room for a tensor.
func (m *maker) room() *block {
	if m.b == nil {
		m.b, _ = blocks.Get().(*block)
		if m.b == nil {
			m.b = newBlock()
		}
	}
	return m.b
}

// done returns the block to the pool.
func (m *maker) done() {
	if m.b != nil {
		blocks.Put(m.b)
		m.b = nil
	}
}

// wrap makes a Tensor of a new reference, or nil of 0, which is libtorch's undefined
// tensor. The weight is the number of bytes that the reference keeps alive.
func wrap(h uint64, weight int, scopeWord uint64) *Tensor {
	var m maker
	x := m.wrap(h, weight, scopeWord)
	m.done()
	return x
}

func (m *maker) wrap(h uint64, weight int, scopeWord uint64) *Tensor {
	if h == 0 {
		return nil
	}
	var x *Tensor
	s := scopeOf(scopeWord)
	if leaking || weight > smallBytes {
		x = standalone(h)
		if s == nil {
			x.collect()
		}
		if weight < libtorch.Heavy {
			made.Add(int64(weight))
		}
		made.Add(tensorWeight)
	} else {
		b := m.room()
		x = &b.tensors[b.n]
		x.h, x.refs, x.index, x.bytes = h, b.refs, uint16(b.n), uint16(weight)
		b.refs.h[b.n] = h
		b.n++
		b.bytes += weight
		if b.n == blockTensors || b.bytes >= blockBytes {
			b.full()
			m.b = nil
		}
	}
	if s != nil {
		s.add(x, scopeWord)
	}
	return x
}

// full accounts for a block that has become full and drains its queues.
func (b *block) full() {
	var hs [queueCap]uint64
	libtorch.FreeTensors(hs[:b.drain(hs[:])])
	made.Add(int64(b.bytes + blockTensors*tensorWeight))
	b.refs.weigh(int64(b.n-int(b.own)) * tensorWeight)
	countYoung(b.bytes + b.n*tensorWeight - b.freed)
	unreachable.returnBacklog(b.refs)
	if b.refs.alive.Add(int32(b.n)-b.own) == 0 {
		b.refs.retire()
	}
	runtime.KeepAlive(b)
}

func newBlock() *block {
	b := &block{refs: newRefs()}
	b.refs.cleanup = runtime.AddCleanup(b, unreachable.add, b.refs)
	return b
}

func newRefs() *refs {
	rs, ok := spare.Get().(*refs)
	if !ok {
		rs = new(refs)
	}
	rs.weigh(blockTensors * tensorWeight)
	return rs
}

// weigh sets the weight of the references to n and updates wrapped.
func (rs *refs) weigh(n int64) {
	wrapped.Add(n - rs.weight)
	rs.weight = n
}

// unreachable is the deferred-free queue of the blocks that the collector found to
// be unreachable. Ops that make new tensors drain it: they can reuse the memory on
// their thread, whereas freeing on the collector's thread would make both threads
// contend for malloc's lock. A timer drains the rest.
var unreachable freeQueue

// A freeQueue is a deferred-free queue of blocks.
type freeQueue struct {
	mu    sync.Mutex
	refs  []*refs
	n     atomic.Int32 // len(refs)
	used  bool         // pop has returned a block since the timer last fired
	timed bool         // the timer is running
}

// backlogLimit is the number of unreachable blocks beyond which ops free more tensors than they make.
const backlogLimit = youngLimit / (blockTensors * tensorWeight) * 5 / 4

const queueIdle = 100 * time.Millisecond // longer than the usual pause between ops of a burst

// add queues the references of an unreachable block.
func (q *freeQueue) add(rs *refs) {
	q.returnBacklog(rs)
	rs.abandon()
	if rs.pending == 0 { // all are freed
		rs.recycle()
		return
	}
	q.push(rs)
}

// returnBacklog moves the backlog of a block back to the queue.
func (q *freeQueue) returnBacklog(rs *refs) {
	for rs.backlog != nil {
		first := rs.backlog
		rs.backlog, first.backlog = first.backlog, nil
		q.push(first)
	}
}

// enqueue defers freeing hs. It frees them at once if a program waits for the
// release of memory that it shares with tensors.
func (q *freeQueue) enqueue(hs []uint64) {
	if len(hs) == 0 || libtorch.Shared() != 0 {
		libtorch.FreeTensors(hs)
		return
	}
	rs := newRefs()
	rs.pending = 1<<len(hs) - 1
	copy(rs.h[:], hs)
	q.push(rs)
}

func (q *freeQueue) push(rs *refs) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refs = append(q.refs, rs)
	q.n.Add(1)
	if !q.timed {
		q.timed = true
		time.AfterFunc(queueIdle, q.drainIfIdle)
	}
}

// drainIfIdle frees the queued references, unless ops have drained blocks since the
// timer last fired.
func (q *freeQueue) drainIfIdle() {
	q.mu.Lock()
	again := q.used
	q.used, q.timed = false, again
	q.mu.Unlock()
	if again {
		time.AfterFunc(queueIdle, q.drainIfIdle)
	} else {
		q.drain()
	}
}

// pop removes up to n blocks and returns them as a linked list.
func (q *freeQueue) pop(n int) (list *refs) {
	if q.n.Load() == 0 {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for ; n > 0 && len(q.refs) > 0; n-- {
		last := len(q.refs) - 1
		q.refs[last].backlog = list
		list = q.refs[last]
		q.refs[last] = nil
		q.refs = q.refs[:last]
		q.n.Add(-1)
		q.used = true
	}
	return list
}

// drain frees the references of all queued blocks.
func (q *freeQueue) drain() {
	list := q.pop(math.MaxInt)
	for list != nil {
		var hs [blockTensors]uint64
		libtorch.FreeTensors(hs[:list.drain(hs[:])])
		next := list.backlog
		list.recycle()
		list = next
	}
}

// standalone makes a Tensor that belongs to no block. Either a scope frees it, or collect
// is called.
func standalone(h uint64) *Tensor {
	x := new(Tensor)
	x.adopt(h)
	return x
}

// adopt makes x, a zero Tensor, a standalone one.
func (x *Tensor) adopt(h uint64) {
	x.h, x.ref = h, &h
	wrapped.Add(tensorWeight)
	leakBegin(x.ref)
}

// collect has the collector free x, a standalone tensor that no scope frees.
func (x *Tensor) collect() {
	runtime.AddCleanup(x, func(ref *uint64) {
		wrapped.Add(-tensorWeight)
		freeRef(ref)
	}, x.ref)
}

// freeRef frees the reference of a standalone tensor. Later calls do nothing.
func freeRef(ref *uint64) {
	if h := takeRef(ref); h != 0 {
		libtorch.FreeTensors([]uint64{h})
	}
}

// takeRef transfers the reference of a standalone tensor to the caller, who must
// free it. Later calls return 0.
func takeRef(ref *uint64) uint64 {
	h := atomic.SwapUint64(ref, 0)
	if h != 0 {
		leakEnd(ref)
	}
	return h
}

// Bits of a tensor's state: freed is set by Free, and refFreed once the reference
// is freed too, which is when no call uses it any more.
const (
	freed    = 1 << 30
	refFreed = freed + 1<<29
)

// acquire keeps the reference from being freed until release. It fails after Free,
// and for the zero Tensor. Every op calls acquire and release, so they are small
// enough to be inlined.
func (x *Tensor) acquire() bool {
	return x.h != 0 && (atomic.AddInt32(&x.state, 1) < freed || x.late())
}

func (x *Tensor) release() {
	if atomic.AddInt32(&x.state, -1) >= freed {
		x.released()
	}
}

// late undoes an acquire after Free.
func (x *Tensor) late() bool {
	x.release()
	return false
}

// released is called by each release after Free. The last one frees the reference.
func (x *Tensor) released() {
	if atomic.CompareAndSwapInt32(&x.state, freed, refFreed) {
		x.free()
	}
}

// end marks the tensor as freed and reports whether the caller must free its
// reference now. It reports false if a call uses the reference, since that call
// then frees it, and if the tensor was freed before.
func (x *Tensor) end() bool {
	for {
		s := atomic.LoadInt32(&x.state)
		if s >= freed {
			return false
		}
		if s == 0 && atomic.CompareAndSwapInt32(&x.state, 0, refFreed) {
			return true
		}
		if s > 0 && atomic.CompareAndSwapInt32(&x.state, s, s+freed) {
			return false
		}
	}
}

// Free frees the tensor's memory unless views of it or autograd still need it: at
// once or, for a tensor of 2 KiB or less, together with the next few such tensors.
// Using x afterwards is an [*Error] with [ErrFreed]. Freeing a tensor twice, or
// nil, does nothing.
func (x *Tensor) Free() {
	if x != nil && x.h != 0 && x.end() {
		x.free()
	}
}

// free frees the reference of a tensor that no call uses.
func (x *Tensor) free() {
	if x.refs != nil {
		x.deferFree()
	} else {
		freeRef(x.ref)
	}
}

// Then returns f(x), and frees x if f returned another tensor. A chain of layers
// then holds no more than one intermediate at a time.
//
//	x = m.Conv1.Forward(x).Then(m.BN1.Forward).Then(F.ReLU)
func (x *Tensor) Then(f func(*Tensor) *Tensor) *Tensor {
	y := f(x)
	if y != x {
		x.Free()
	}
	return y
}
