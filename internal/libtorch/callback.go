package libtorch

/*
#include "table.h"

// In callback.c.
uint64_t t_callback(uint64_t id, uint64_t *args, void *node, void *ret_tensors, uint64_t *ret_word);
void t_finish_exit(uint64_t failure);
int t_entered(int n); // adds n to the calls of this thread in which callbacks may be called
*/
import "C"

import (
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A Callback is a function of Go that libtorch calls, on the thread of the call that
// needs it or on a thread of its own.
type Callback func(c *Returning)

// Returning is one call of a [Callback].
type Returning struct {
	Buf  []uint64 // the arguments, as the results of a call: see [Values]
	Node Running
	ret  unsafe.Pointer
	word *C.uint64_t
}

// Tensors returns tensors, which the caller keeps alive until its callback ends.
func (r *Returning) Tensors(ts []uint64) { C.t_callback_return(r.ret, first(ts), C.size_t(len(ts))) }

// Word returns a number.
func (r *Returning) Word(w uint64) { *r.word = C.uint64_t(w) }

// named is a callback with a name for errors, such as "a hook".
type named struct {
	name string
	f    Callback
}

var callbacks sync.Map // number → named

// NewCallback returns a number of f for a function of libtorch, which owns it. The
// number of a function that was not called is dropped with [DropCallback]. The name is
// used in errors.
func NewCallback(name string, f Callback) (uint64, error) {
	id, err := onRelease(func(id uint64) { callbacks.Delete(id) })
	if err == nil {
		callbacks.Store(id, named{name, f})
	}
	return id, err
}

// DropCallback drops a number.
func DropCallback(id uint64) { release(id) }

// Callbacks returns how many numbers libtorch owns.
func Callbacks() (n int) {
	callbacks.Range(func(any, any) bool { n++; return true })
	return n
}

// connect lets the shim call callbacks.
func connect() error {
	releases.once.Do(openReleases)
	if releases.err != nil {
		return fmt.Errorf("libtorch: %w", releases.err)
	}
	C.t_set_callback(C.thub_callback(C.t_callback), releases.fd)
	return nil
}

// A Failure is the reason why a callback did not return.
type Failure struct {
	name   string
	Panic  any    // nil if it called runtime.Goexit
	Stack  string // of the goroutine, if anomalies are detected
	finish func() // ends the coroutine that called runtime.Goexit; nil if it has ended
}

var (
	failures  sync.Map // number → *Failure
	failureID atomic.Uint64
)

// torchhubCallback calls a callback.
//
//export torchhubCallback
func torchhubCallback(id C.uint64_t, args *C.uint64_t, node, ret unsafe.Pointer, word *C.uint64_t) C.uint64_t {
	c, ok := callbacks.Load(uint64(id))
	f, _ := c.(named)
	if !ok {
		return C.uint64_t(failed(&Failure{Panic: "the callback is not there any more"}))
	}
	r := &Returning{Buf: unsafe.Slice((*uint64)(args), RetsHead+callbackWords), Node: Running{node}, ret: ret, word: word}
	run := f.here
	if C.t_entered(0) == 0 {
		run = f.elsewhere
	}
	if failure := run(r); failure != nil {
		return C.uint64_t(failed(failure))
	}
	return 0
}

// here runs a callback on the thread of the call that needs it. No panic may pass through
// the frames of C++, nor may runtime.Goexit end the goroutine there: so the callback runs
// as a coroutine. One that calls runtime.Goexit is suspended in its last deferred
// function, and finished once the frames of C++ are gone.
func (f named) here(r *Returning) (failure *Failure) {
	next, stop := iter.Pull(func(suspend func(struct{}) bool) {
		failure = f.try(r, func() { suspend(struct{}{}) })
	})
	if _, suspended := next(); suspended {
		failure = &Failure{name: f.name, finish: stop}
	}
	return failure
}

// elsewhere runs a callback that libtorch calls on a thread of its own: in a goroutine with
// the modes of that thread, so that runtime.Goexit ends that goroutine.
func (f named) elsewhere(r *Returning) (failure *Failure) {
	modes := ThreadState()
	modes.Locks = 1
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		SetThreadState(modes)
		defer SetThreadState(NewState)
		failure = f.try(r, func() { failure = &Failure{name: f.name} })
	}()
	<-done
	return failure
}

// try calls the callback and returns the reason if it panics. If it calls runtime.Goexit,
// try calls exiting and does not return.
func (f named) try(r *Returning, exiting func()) (failure *Failure) {
	ended := false
	defer func() {
		p := recover()
		switch {
		case ended:
		case p == nil:
			exiting()
		default:
			failure = &Failure{name: f.name, Panic: p}
			if AnomalyMode() {
				failure.Stack = stack()
			}
		}
	}()
	f.f(r)
	ended = true
	return nil
}

func failed(f *Failure) uint64 {
	id := failureID.Add(1)
	failures.Store(id, f)
	return id
}

// callback makes a call during which callbacks may be called, and nodes may be recorded. If
// a callback called runtime.Goexit, so does callback.
func callback(call func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if AnomalyMode() {
		SetOrigin(stack())
	}
	C.t_entered(1)
	err := call()
	C.t_entered(-1)
	if e, ok := err.(*Error); ok && e.Failure != nil && e.Failure.Panic == nil {
		if e.Failure.finish != nil {
			id := failed(e.Failure)
			C.t_finish_exit(C.uint64_t(id))
		}
		runtime.Goexit()
	}
	return err
}

// torchhubFinishExit ends the goroutine of a suspended callback, which ends the calling
// goroutine too. It is called from C since the coroutine can be resumed only as deep in
// calls from C as it was made.
//
//export torchhubFinishExit
func torchhubFinishExit(id C.uint64_t) {
	f, _ := failures.LoadAndDelete(uint64(id))
	f.(*Failure).finish()
}

// text describes the failure in an error.
func (f *Failure) text() string {
	s := strings.TrimPrefix(fmt.Sprint(f.Panic), "torch: ")
	if f.name != "" {
		s = "in " + f.name + ": " + s
	}
	if f.Stack != "" {
		s += "\n\n" + f.Stack
	}
	return s
}

// failureOf returns the failure of an error's text.
func failureOf(text string) *Failure {
	id, _ := strconv.ParseUint(text, 10, 64)
	f, ok := failures.LoadAndDelete(id)
	if !ok {
		return &Failure{Panic: "a callback failed"}
	}
	return f.(*Failure)
}

// stack returns the stack of the goroutine, without the functions of this package.
func stack() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var b strings.Builder
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.Contains(f.Function, "/internal/libtorch.") {
			fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
		}
		if !more {
			return b.String()
		}
	}
}
