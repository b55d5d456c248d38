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
// share one: their wrappers come in blocks, which the collector sees as one
// object each. What a wrapper still in use can pin is a block, and so at most
// blockTensors tensors that hold blockBytes together. A tensor that holds more
// than smallBytes, or a graph of autograd, stands alone.
const (
	blockTensors = 32
	blockBytes   = 16 << 10
	smallBytes   = 2 << 10
)

// tensorWeight is about what libtorch spends on a tensor besides its elements.
const tensorWeight = 512

// A block is what the collector frees at once. Who takes it out of the pool has
// it alone.
type block struct {
	tensors [blockTensors]Tensor
	refs    *refs
	n       int            // tensors taken
	bytes   int            // they hold
	own     int32          // of them freed, as far as ops with this block gave them back
	freed   int            // what the tensors held that these ops gave back, whosever
	dead    [bunch]*Tensor // freed, and left to be given back by the next op: whose references are in refs.dead
}

// refs are the references of a block's tensors. They lie apart from it, so that
// its cleanup can reach them.
type refs struct {
	h       [blockTensors]uint64 // 0 once it is given back, or is in some block's dead
	dead    [bunch]uint64
	ndead   int
	weight  int64        // in wrapped
	alive   atomic.Int32 // tensors not given back, once the block is full; before, less than 0
	cleanup runtime.Cleanup
	left    uint32 // once the block is dead: those to be given back
	grave   *refs  // a dead block that the ops with this one empty, and so on
}

// A call into C costs as much as to free a small tensor, so they are freed by the
// next op, which then finds their memory at hand, or in bunches: of no more than
// malloc keeps so.
const bunch = 6

// bury leaves the reference of a tensor in a block to be given back with the next
// ones; not while a program waits for memory that it lent to tensors.
func (x *Tensor) bury() {
	h := x.take()
	var m maker
	b := m.room()
	rs := b.refs
	rs.dead[rs.ndead], b.dead[rs.ndead] = h, x
	rs.ndead++
	if rs.ndead < bunch && libtorch.Shared() == 0 {
		m.done()
		return
	}
	var hs [bunch]uint64
	n := b.exhume(hs[:])
	born(-b.freed) // now, for where tensors are but freed the block does not get full
	b.freed = 0
	m.done()
	libtorch.FreeTensors(hs[:n])
}

// exhume takes what bury has left.
func (b *block) exhume(hs []uint64) int {
	rs := b.refs
	n := rs.ndead
	for i, x := range b.dead[:n] {
		hs[i] = rs.dead[i]
		b.dead[i] = nil
		b.freed += x.holds()
		if x.refs == rs {
			b.own++
		} else {
			x.gone(1)
		}
	}
	rs.ndead = 0
	return n
}

// take takes the reference of a tensor in a block that nobody else gives back.
func (x *Tensor) take() uint64 {
	x.refs.h[x.index] = 0
	return x.h
}

// holds is what a tensor in a block takes.
func (x *Tensor) holds() int { return int(x.bytes) + tensorWeight }

// gone counts n tensors of x's block, x among them, that are given back. After the
// last one the block needs no cleanup.
func (x *Tensor) gone(n int32) {
	if x.refs.alive.Add(-n) == 0 {
		x.refs.retire()
	}
	runtime.KeepAlive(x) // or the cleanup may run
}

// retire makes the refs of a block all of whose tensors were given back those of
// another. The block must be in use.
func (rs *refs) retire() {
	rs.cleanup.Stop()
	rs.recycle()
}

// die is called when the collector has found the block.
func (rs *refs) die() {
	libtorch.FreeTensors(rs.dead[:rs.ndead])
	for i, h := range rs.h {
		if h != 0 {
			rs.left |= 1 << i
		}
	}
}

// empty takes references of a dead block, as far as they fit into hs.
func (rs *refs) empty(hs []uint64) (n int) {
	for ; rs.left != 0 && n < len(hs); rs.left &= rs.left - 1 {
		hs[n] = rs.h[bits.TrailingZeros32(rs.left)]
		n++
	}
	return n
}

// dig is empty for dead blocks, one tensor for an op, or two where there is a crowd.
func (rs *refs) dig(hs []uint64) int {
	if rs.grave == nil {
		n := dead.n.Load()
		if n == 0 {
			return 0
		}
		if rs.grave = dead.open(1 + int(n/crowd)); rs.grave == nil {
			return 0
		}
	}
	if rs.grave.grave == nil {
		hs = hs[:1]
	}
	n := rs.grave.empty(hs)
	if rs.grave.left == 0 {
		next := rs.grave.grave
		rs.grave.recycle()
		rs.grave = next
	}
	return n
}

// recycle makes an empty dead block's refs those of a new one.
func (rs *refs) recycle() {
	rs.weigh(0)
	*rs = refs{}
	spare.Put(rs)
}

var (
	blocks  sync.Pool    // of *block with room, one for each processor
	spare   sync.Pool    // of *refs, zero
	wrapped atomic.Int64 // the tensors of the blocks that there are, and those that stand alone, each by its tensorWeight
	made    atomic.Int64 // the bytes of all tensors ever made
)

// A maker makes Tensors of new references, in a block that is its own meanwhile.
type maker struct{ b *block }

// room takes a block with room.
func (m *maker) room() *block {
	if m.b == nil {
		m.b, _ = blocks.Get().(*block)
		if m.b == nil {
			m.b = newBlock()
		}
	}
	return m.b
}

// done leaves the block to the next maker.
func (m *maker) done() {
	if m.b != nil {
		blocks.Put(m.b)
		m.b = nil
	}
}

// wrap makes a Tensor of a new reference; 0, libtorch's undefined tensor, is
// nil. The weight is the bytes that it keeps alive.
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
	if leaking || weight > smallBytes {
		x = alone(h)
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
	if s := scopeOf(scopeWord); s != nil {
		s.add(x, scopeWord)
	}
	return x
}

// full is called when a block takes no more tensors.
func (b *block) full() {
	var hs [bunch]uint64
	libtorch.FreeTensors(hs[:b.exhume(hs[:])])
	made.Add(int64(b.bytes + blockTensors*tensorWeight))
	b.refs.weigh(int64(b.n-int(b.own)) * tensorWeight)
	born(b.bytes + b.n*tensorWeight - b.freed)
	dead.leave(b.refs)
	if b.refs.alive.Add(int32(b.n)-b.own) == 0 {
		b.refs.retire()
	}
	runtime.KeepAlive(b)
}

func newBlock() *block {
	b := &block{refs: newRefs()}
	b.refs.cleanup = runtime.AddCleanup(b, dead.add, b.refs)
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

// weigh counts what libtorch spends on the references.
func (rs *refs) weigh(n int64) {
	wrapped.Add(n - rs.weight)
	rs.weight = n
}

// dead are blocks that the collector found. Who makes new tensors frees them: the
// memory is then at hand in that thread, where to free it in the collector's
// would have both threads wait for malloc's lock. A timer sees to what is left.
var dead graveyard

type graveyard struct {
	mu     sync.Mutex
	refs   []*refs
	n      atomic.Int32 // len(refs)
	opened bool         // any since the timer looked
	timed  bool         // the timer runs
}

// crowd is how many dead blocks may lie about before the ops free more tensors than they make.
const crowd = nursery / (blockTensors * tensorWeight) * 5 / 4

const graveyardRest = 100 * time.Millisecond // longer than a burst of ops commonly waits for the next

func (g *graveyard) add(rs *refs) {
	g.leave(rs)
	rs.die()
	if rs.left == 0 { // all freed already
		rs.recycle()
		return
	}
	g.put(rs)
}

// leave takes back the dead blocks that the ops with a block have not emptied.
func (g *graveyard) leave(rs *refs) {
	for rs.grave != nil {
		grave := rs.grave
		rs.grave, grave.grave = grave.grave, nil
		g.put(grave)
	}
}

// lay leaves references to be given back as those of a block are; not while a
// program waits for memory that it lent to tensors.
func (g *graveyard) lay(hs []uint64) {
	if len(hs) == 0 || libtorch.Shared() != 0 {
		libtorch.FreeTensors(hs)
		return
	}
	rs := newRefs()
	rs.left = 1<<len(hs) - 1
	copy(rs.h[:], hs)
	g.put(rs)
}

func (g *graveyard) put(rs *refs) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refs = append(g.refs, rs)
	g.n.Add(1)
	if !g.timed {
		g.timed = true
		time.AfterFunc(graveyardRest, g.visit)
	}
}

func (g *graveyard) visit() {
	g.mu.Lock()
	again := g.opened
	g.opened, g.timed = false, again
	g.mu.Unlock()
	if again {
		time.AfterFunc(graveyardRest, g.visit)
	} else {
		g.bury()
	}
}

// open takes up to n blocks out, as a list.
func (g *graveyard) open(n int) (list *refs) {
	if g.n.Load() == 0 {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for ; n > 0 && len(g.refs) > 0; n-- {
		last := len(g.refs) - 1
		g.refs[last].grave = list
		list = g.refs[last]
		g.refs[last] = nil
		g.refs = g.refs[:last]
		g.n.Add(-1)
		g.opened = true
	}
	return list
}

// bury frees all blocks.
func (g *graveyard) bury() {
	list := g.open(math.MaxInt)
	for list != nil {
		var hs [blockTensors]uint64
		libtorch.FreeTensors(hs[:list.empty(hs[:])])
		next := list.grave
		list.recycle()
		list = next
	}
}

// alone makes a Tensor with a cleanup of its own.
func alone(h uint64) *Tensor {
	x := &Tensor{h: h, ref: &h}
	wrapped.Add(tensorWeight)
	runtime.AddCleanup(x, func(ref *uint64) {
		wrapped.Add(-tensorWeight)
		giveBack(ref)
	}, x.ref)
	leakBegin(x.ref)
	return x
}

// giveBack frees the reference of a tensor that stands alone, once.
func giveBack(ref *uint64) {
	if h := take(ref); h != 0 {
		libtorch.FreeTensors([]uint64{h})
	}
}

// take returns such a reference that is to be given back now, once; 0 the next times.
func take(ref *uint64) uint64 {
	h := atomic.SwapUint64(ref, 0)
	if h != 0 {
		leakEnd(ref)
	}
	return h
}

// freed is in a tensor's state from Free on, and given once its reference was
// given back, which is when no call uses it any more.
const (
	freed = 1 << 30
	given = freed + 1<<29
)

// acquire keeps the reference from being given back until release. It fails after
// Free, and for a Tensor that nobody made. It and release are in every op's way,
// and so small enough to be inlined.
func (x *Tensor) acquire() bool {
	return x.h != 0 && (atomic.AddInt32(&x.state, 1) < freed || x.late())
}

func (x *Tensor) release() {
	if atomic.AddInt32(&x.state, -1) >= freed {
		x.released()
	}
}

// late takes back what acquire did after Free.
func (x *Tensor) late() bool {
	x.release()
	return false
}

// released is called after Free: who was the last one to use x gives it back.
func (x *Tensor) released() {
	if atomic.CompareAndSwapInt32(&x.state, freed, given) {
		x.giveBack()
	}
}

// end marks the tensor as freed and reports whether its reference is to be
// given back now: not where a call still uses it, which then does so, nor where
// it was freed before.
func (x *Tensor) end() bool {
	for {
		s := atomic.LoadInt32(&x.state)
		if s >= freed {
			return false
		}
		if s == 0 && atomic.CompareAndSwapInt32(&x.state, 0, given) {
			return true
		}
		if s > 0 && atomic.CompareAndSwapInt32(&x.state, s, s+freed) {
			return false
		}
	}
}

// Free gives the tensor's memory back, unless views of it or autograd still need
// it: now, or if it is 2 KiB or less with the next few such tensors. Using x
// afterwards is an [*Error] with [ErrFreed]. Freeing twice, and freeing nil, do
// nothing.
func (x *Tensor) Free() {
	if x != nil && x.h != 0 && x.end() {
		x.giveBack()
	}
}

func (x *Tensor) giveBack() {
	if x.refs != nil {
		x.bury()
	} else {
		giveBack(x.ref)
	}
}

// Then returns f(x) and frees x, if f gave another tensor: a chain of layers
// that holds no more than one intermediate at a time.
//
//	x = m.Conv1.Forward(x).Then(m.BN1.Forward).Then(F.ReLU)
func (x *Tensor) Then(f func(*Tensor) *Tensor) *Tensor {
	y := f(x)
	if y != x {
		x.Free()
	}
	return y
}
