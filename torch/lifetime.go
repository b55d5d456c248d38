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
}

// refs are the references of a block's tensors, 0 when they were given back.
// They lie apart from it, so that its cleanup can reach them.
type refs struct {
	h    [blockTensors]uint64
	dead atomic.Uint32 // a bit for each that Free has left to be given back with others
}

// A call into C costs as much as to free a small tensor, so they are freed in
// bunches: of no more than malloc keeps at hand for the next ones.
const bunch = 6

// bury leaves a reference to be given back with the next ones of its block; not
// while a program waits for memory that it lent to tensors.
func (rs *refs) bury(i int32) {
	if bits.OnesCount32(rs.dead.Add(1<<i)) < bunch && libtorch.Shared() == 0 {
		return
	}
	var hs [blockTensors]uint64
	n := 0
	for dead := rs.dead.Swap(0); dead != 0; dead &= dead - 1 {
		if h := take(&rs.h[bits.TrailingZeros32(dead)]); h != 0 {
			hs[n] = h
			n++
		}
	}
	libtorch.FreeTensors(hs[:n])
	born(-n)
}

var (
	blocks  sync.Pool    // of *block with room, one for each processor
	wrapped atomic.Int64 // blocks there are, and tensors that stand alone, each by its tensorWeight
	made    atomic.Int64 // the bytes of all tensors ever made
)

// wrap makes a Tensor of a new reference; 0, libtorch's undefined tensor, is
// nil. The weight is the bytes that it keeps alive.
func wrap(h uint64, weight int, scopeID uint64) *Tensor {
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
		b, _ := blocks.Get().(*block)
		if b == nil {
			b = newBlock()
		}
		x = &b.tensors[b.n]
		x.h, x.ref, x.refs, x.index = h, &b.refs.h[b.n], b.refs, int32(b.n)
		b.n++
		b.bytes += weight
		if b.n < blockTensors && b.bytes < blockBytes {
			blocks.Put(b)
		} else {
			made.Add(int64(b.bytes + blockTensors*tensorWeight))
		}
	}
	*x.ref = h
	leakBegin(x.ref)
	if s := scopeOf(scopeID); s != nil {
		s.add(x)
	}
	return x
}

func newBlock() *block {
	dead.bury(2)
	born(blockTensors)
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
	buried atomic.Bool // any since the timer looked
}

const graveyardRest = 10 * time.Millisecond

func (g *graveyard) add(rs *refs) {
	left := false
	for i := range rs.h {
		left = left || atomic.LoadUint64(&rs.h[i]) != 0
	}
	if !left { // all freed already
		wrapped.Add(-blockTensors * tensorWeight)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refs = append(g.refs, rs)
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
	g.mu.Lock()
	n = min(n, len(g.refs))
	rest := len(g.refs) - n
	list := append(make([]*refs, 0, 2), g.refs[rest:]...)
	clear(g.refs[rest:])
	g.refs = g.refs[:rest]
	g.mu.Unlock()
	if n == 0 {
		return
	}
	g.buried.Store(true)
	for _, rs := range list {
		var hs [blockTensors]uint64
		n := 0
		for i := range rs.h {
			if h := take(&rs.h[i]); h != 0 {
				hs[n] = h
				n++
			}
		}
		libtorch.FreeTensors(hs[:n])
	}
	wrapped.Add(int64(-n * blockTensors * tensorWeight))
}

// alone makes a Tensor with a cleanup of its own.
func alone(h uint64) *Tensor {
	x := &Tensor{h: h, ref: new(uint64)}
	wrapped.Add(tensorWeight)
	runtime.AddCleanup(x, func(ref *uint64) {
		wrapped.Add(-tensorWeight)
		giveBack(ref)
	}, x.ref)
	return x
}

// take returns a reference that is to be given back now, once; 0 the next times.
func take(ref *uint64) uint64 {
	h := atomic.SwapUint64(ref, 0)
	if h != 0 {
		leakEnd(ref)
	}
	return h
}

// giveBack frees a reference, once.
func giveBack(ref *uint64) {
	if h := take(ref); h != 0 {
		libtorch.FreeTensors([]uint64{h})
	}
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
		giveBack(x.ref)
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
	switch {
	case x == nil || x.h == 0 || !x.end():
	case x.refs != nil:
		x.refs.bury(x.index)
	default:
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
