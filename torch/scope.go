package torch

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// A thread's scope word holds the number of the innermost Scope and these bits.
const (
	workerBit = 1 << 63 // on the pool's own threads
	lentBit   = 1 << 62 // the Scope belongs to another thread, which waits for this one
)

// scope lists the tensors that a Scope frees at its end.
type scope struct {
	id    uint64
	outer uint64
	made  []*Tensor // tensors made on its own thread
	mu    sync.Mutex
	lent  []*Tensor // tensors made on other threads, or kept from scopes inside it
	ended bool      // guarded by mu
}

var (
	scopes  sync.Map                  // id → *scope
	recent  [64]atomic.Pointer[scope] // a cache of scopes by the low bits of their ids
	scopeID atomic.Uint64
	lists   sync.Pool // of *[]*Tensor: empty lists of scopes that have ended
)

// scopeOf returns the scope of a scope word, or nil if there is none or it has ended.
func scopeOf(word uint64) *scope {
	id := word &^ (workerBit | lentBit)
	if id == 0 {
		return nil
	}
	if s := recent[id%uint64(len(recent))].Load(); s != nil && s.id == id {
		return s
	}
	if s, ok := scopes.Load(id); ok {
		return s.(*scope)
	}
	return nil
}

// add adds a tensor that the calling thread made.
func (s *scope) add(x *Tensor, word uint64) {
	if word&lentBit != 0 {
		s.share(x)
		return
	}
	x.scope = s
	s.made = append(s.made, x)
}

// share adds a tensor that another thread made. It is safe for concurrent use.
func (s *scope) share(x *Tensor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		x.leave()
		return
	}
	x.scope = s
	s.lent = append(s.lent, x)
}

// leave leaves x, which no scope frees, to the collector.
func (x *Tensor) leave() {
	x.scope = nil
	if x.refs == nil {
		x.collect()
	}
}

// Scope calls f, then frees the tensors that were made inside it and not kept
// with [Keep], as [Tensor.Free] does, even if f panics. Scopes nest.
//
//	var y *torch.Tensor
//	torch.Scope(func() { y = torch.Keep(x.MatMul(w).Add(b)) })
func Scope(f func()) {
	mustInit()
	s := &scope{id: scopeID.Add(1)}
	if made, ok := lists.Get().(*[]*Tensor); ok {
		s.made = *made
	}
	enter := func(state *libtorch.State) {
		s.outer = state.Scope
		state.Scope = s.id | s.outer&workerBit
	}
	scopes.Store(s.id, s)
	recent[s.id%uint64(len(recent))].Store(s)
	defer s.end()
	within(enter, f)
}

// end frees the scope's tensors.
func (s *scope) end() {
	scopes.Delete(s.id)
	recent[s.id%uint64(len(recent))].CompareAndSwap(s, nil)
	s.mu.Lock()
	made := append(s.made, s.lent...)
	s.made, s.lent, s.ended = nil, nil, true
	s.mu.Unlock()
	var hs, small [blockTensors]uint64
	n, m, bytes := 0, 0, 0
	var last *Tensor // the last of run consecutive tensors of one block
	run := int32(0)
	for _, x := range made {
		if x.scope != s { // kept
			continue
		}
		if x.refs == nil {
			wrapped.Add(-tensorWeight)
		}
		if !x.end() { // in use, or freed before
			continue
		}
		if x.refs != nil {
			small[m] = x.take()
			bytes += x.holds()
			m++
			if last != nil && last.refs != x.refs {
				last.countFreed(run)
				run = 0
			}
			last = x
			run++
		} else {
			hs[n] = takeRef(x.ref)
			n++
		}
		if n == len(hs) {
			libtorch.FreeTensors(hs[:n])
			n = 0
		}
		if m == len(small) {
			libtorch.FreeTensors(small[:m])
			m = 0
		}
	}
	if last != nil {
		last.countFreed(run)
	}
	libtorch.FreeTensors(hs[:n])
	unreachable.enqueue(small[:m])
	countYoung(-bytes)
	clear(made)
	made = made[:0]
	lists.Put(&made)
}

// Keep removes x from the [Scope] in which it was made and returns x, which
// then belongs to the enclosing scope, if there is one.
func Keep(x *Tensor) *Tensor {
	if x == nil || x.scope == nil {
		return x
	}
	if outer := scopeOf(x.scope.outer); outer != nil {
		outer.share(x)
	} else {
		x.leave()
	}
	return x
}

// within calls f with other modes. libtorch keeps them by thread, so the
// goroutine is locked to its thread meanwhile, except while it waits in [Run].
func within(change func(*libtorch.State), f func()) {
	runtime.LockOSThread()
	was := libtorch.ThreadState()
	s := was
	s.Locks++
	change(&s)
	libtorch.SetThreadState(s)
	defer func() { // perhaps on another thread
		libtorch.SetThreadState(was)
		runtime.UnlockOSThread()
	}()
	f()
}

// NoGrad calls f without recording for autograd: with torch.no_grad().
//
// https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html
func NoGrad(f func()) { withGrad(false, f) }

// EnableGrad calls f with recording for autograd: with torch.enable_grad().
//
// https://docs.pytorch.org/docs/stable/generated/torch.enable_grad.html
func EnableGrad(f func()) { withGrad(true, f) }

// SetGradEnabled calls f with recording for autograd if on is set, and without otherwise: with torch.set_grad_enabled(on).
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad_mode.set_grad_enabled.html
func SetGradEnabled(on bool, f func()) { withGrad(on, f) }

func withGrad(on bool, f func()) {
	mustInit()
	within(func(s *libtorch.State) { s.Grad = on }, f)
}

// IsGradEnabled reports whether autograd records here: torch.is_grad_enabled().
func IsGradEnabled() bool {
	mustInit()
	return libtorch.ThreadState().Grad
}

// InferenceMode calls f in inference mode: with torch.inference_mode(). Tensors
// made in it cannot be used for autograd later.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad_mode.inference_mode.html
func InferenceMode(f func()) {
	mustInit()
	within(func(s *libtorch.State) { s.Inference, s.Grad = true, false }, f)
}
