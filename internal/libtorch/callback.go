package libtorch

/*
#include "table.h"

// In callback.c.
uint64_t t_callback(uint64_t id, uint64_t *args, void *node, void *ret_tensors, uint64_t *ret_word);
void t_finish_exit(uint64_t failure);
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
	thread uint64
	finish func() // ends the goroutine that called runtime.Goexit
}

var (
	failures  sync.Map // number → *Failure
	failureID atomic.Uint64
)

// torchhubCallback calls a callback. No panic may pass through the frames of C++, nor
// may runtime.Goexit end the goroutine there: so the callback runs as a coroutine on
// the same thread. One that calls runtime.Goexit is suspended in its last deferred
// function; its goroutine ends once the frames of C++ are gone.
//
//export torchhubCallback
func torchhubCallback(id C.uint64_t, args *C.uint64_t, node, ret unsafe.Pointer, word *C.uint64_t) C.uint64_t {
	c, ok := callbacks.Load(uint64(id))
	f, _ := c.(named)
	if !ok {
		return C.uint64_t(failed(&Failure{Panic: "the callback is not there any more"}))
	}
	r := &Returning{Buf: unsafe.Slice((*uint64)(args), RetsHead+callbackWords), Node: Running{node}, ret: ret, word: word}
	var failure *Failure
	next, stop := iter.Pull(func(suspend func(struct{}) bool) {
		ended := false
		defer func() {
			p := recover()
			if ended {
				return
			}
			failure = &Failure{name: f.name, Panic: p}
			if AnomalyMode() {
				failure.Stack = stack()
			}
			if p == nil {
				suspend(struct{}{})
			}
		}()
		f.f(r)
		ended = true
	})
	if _, suspended := next(); suspended {
		failure.finish, failure.thread = exiting(stop), threadID()
	}
	if failure == nil {
		return 0
	}
	return C.uint64_t(failed(failure))
}

// exiting ends a suspended coroutine, and returns a function that calls runtime.Goexit. The
// rest of the coroutine, which is suspended until then, refers to nothing: on a thread of
// libtorch's own it is never finished.
func exiting(stop func()) (finish func()) {
	next, finish := iter.Pull(func(suspend func(struct{}) bool) {
		defer suspend(struct{}{})
		end := stop
		stop = nil
		end()
	})
	next()
	return finish
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
	err := call()
	if e, ok := err.(*Error); ok && e.Failure != nil && e.Failure.Panic == nil {
		if e.Failure.thread == threadID() {
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
