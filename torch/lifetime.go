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

// A block is what the collector frees at once.
type block struct {
	tensors [blockTensors]Tensor
	refs    *refs
	n       int // tensors taken
	bytes   int // they hold
	freed   int // of them, by the ops that took the block
}

// refs are the references of a block's tensors. They lie apart from it, so that
// its cleanup can reach them.
type refs struct {
	h     [blockTensors]uint64
	marks atomic.Uint64 // a bit for each that Free has left to be given back with others, and gone times that once it is
}

const gone = 1 << blockTensors

// A call into C costs as much as to free a small tensor, so they are freed by the
// next op, which then finds their memory at hand, or in bunches: of no more than
// malloc keeps so.
const bunch = 6

// bury leaves a reference to be given back with the next ones of its block; not
// while a program waits for memory that it lent to tensors.
func (rs *refs) bury(i int32) {
	if bits.OnesCount32(uint32(rs.marks.Add(1<<i))) < bunch && libtorch.Shared() == 0 {
		return
	}
	var hs [blockTensors]uint64
	n := rs.exhume(hs[:])
	libtorch.FreeTensors(hs[:n])
	born(-n)
}

// exhume takes what bury has left, as far as it fits into hs.
func (rs *refs) exhume(hs []uint64) (n int) {
	for {
		marks := rs.marks.Load()
		var took uint64
		n = 0
		for dead := uint32(marks); dead != 0 && n < len(hs); dead &= dead - 1 {
			i := bits.TrailingZeros32(dead)
			hs[n] = rs.h[i]
			took |= 1 << i
			n++
		}
		if n == 0 || rs.marks.CompareAndSwap(marks, marks-took+took*gone) {
			return n
		}
	}
}

// take takes a reference that nobody else gives back.
func (rs *refs) take(i int32) uint64 {
	rs.marks.Add(gone << i)
	return rs.h[i]
}

// rest takes what was not given back when the collector found the block.
func (rs *refs) rest(hs []uint64) (n int) {
	left := ^uint32(rs.marks.Load() / gone)
	for ; left != 0; left &= left - 1 {
		if h := rs.h[bits.TrailingZeros32(left)]; h != 0 {
			hs[n] = h
			n++
		}
	}
	return n
}

var (
	blocks  sync.Pool    // of *block with room, one for each processor
	wrapped atomic.Int64 // blocks there are, and tensors that stand alone, each by its tensorWeight
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
func wrap(h uint64, weight int, scopeID uint64) *Tensor {
	var m maker
	x := m.wrap(h, weight, scopeID)
	m.done()
	return x
}

func (m *maker) wrap(h uint64, weight int, scopeID uint64) *Tensor {
	if h == 0 {
		return nil
	}
	var x *Tensor
	if leaking || weight > smallBytes {
		x = alone(h)
		if weight < math.MaxInt { // else unknown
			made.Add(int64(weight))
		}
		made.Add(tensorWeight)
	} else {
		b := m.room()
		x = &b.tensors[b.n]
		x.h, x.refs, x.index = h, b.refs, int32(b.n)
		b.refs.h[b.n] = h
		b.n++
		b.bytes += weight
		if b.n == blockTensors || b.bytes >= blockBytes {
			made.Add(int64(b.bytes + blockTensors*tensorWeight))
			born(b.n - b.freed)
			m.b = nil
		}
	}
	if s := scopeOf(scopeID); s != nil {
		s.add(x)
	}
	return x
}

func newBlock() *block {
	dead.bury(2)
	b := &block{refs: new(refs)}
	wrapped.Add(blockTensors * tensorWeight)
	runtime.AddCleanup(b, dead.add, b.refs)
	return b
}

// dead are blocks that the collector found. Who makes new blocks frees them: the
// memory is then at hand in that thread, where to free it in the collector's
// would have both threads wait for malloc's lock. A timer sees to what is left.
var dead graveyard

type graveyard struct {
	mu     sync.Mutex
	refs   []*refs
	n      atomic.Int32 // len(refs)
	buried atomic.Bool  // any since the timer looked
}

const graveyardRest = 10 * time.Millisecond

func (g *graveyard) add(rs *refs) {
	var hs [blockTensors]uint64
	if rs.rest(hs[:]) == 0 { // all freed already
		wrapped.Add(-blockTensors * tensorWeight)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refs = append(g.refs, rs)
	g.n.Add(1)
	if len(g.refs) == 1 {
		time.AfterFunc(graveyardRest, g.visit)
	}
}

func (g *graveyard) visit() {
	if g.buried.Swap(false) {
		time.AfterFunc(graveyardRest, g.visit)
		return
	}
	g.bury(math.MaxInt)
}

// bury frees up to n blocks.
func (g *graveyard) bury(n int) {
	if g.n.Load() == 0 {
		return
	}
	g.mu.Lock()
	n = min(n, len(g.refs))
	rest := len(g.refs) - n
	list := append(make([]*refs, 0, 2), g.refs[rest:]...)
	clear(g.refs[rest:])
	g.refs = g.refs[:rest]
	g.n.Store(int32(rest))
	g.mu.Unlock()
	g.buried.Store(true)
	for _, rs := range list {
		var hs [blockTensors]uint64
		libtorch.FreeTensors(hs[:rs.rest(hs[:])])
	}
	wrapped.Add(int64(-n * blockTensors * tensorWeight))
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

// freed is set in a tensor's state by Free. The reference goes back when no call uses it any more.
const freed = 1 << 30

// acquire keeps the reference from being given back until release. It fails after
// Free, and for a Tensor that nobody made.
func (x *Tensor) acquire() bool {
	if x.h == 0 {
		return false
	}
	if x.state.Add(1) < freed {
		return true
	}
	x.release()
	return false
}

func (x *Tensor) release() {
	if x.state.Add(-1) == freed {
		x.giveBack()
	}
}

// end marks the tensor as freed and reports whether its reference is to be
// given back now: not where a call still uses it, which then does so, nor where
// it was freed before.
func (x *Tensor) end() bool {
	for {
		s := x.state.Load()
		if s >= freed {
			return false
		}
		if x.state.CompareAndSwap(s, s+freed) {
			return s == 0
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
		x.refs.bury(x.index)
	} else {
		giveBack(x.ref)
	}
}

// Then returns f(x) and frees x, if f gave another tensor: a chain of layers
// that holds no more than one intermediate at a time.
//
//	x = m.Conv1.Forward(x).Then(m.BN1.Forward).Then(torch.ReLU)
func (x *Tensor) Then(f func(*Tensor) *Tensor) *Tensor {
	y := f(x)
	if y != x {
		x.Free()
	}
	return y
}
