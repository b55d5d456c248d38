package torch

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// pool is a few goroutines, each locked to an OS thread of its own, which run
// whole forward passes. libtorch keeps caches and a team of threads for every
// OS thread that calls it, so 200 goroutines without the pool would create
// hundreds of threads.
var pool struct {
	mu      sync.Mutex
	jobs    chan *job
	size    int // workers wanted
	running int // workers started
	threads int // divided among the busy workers
	busy    atomic.Int32
}

// job is a closure with the modes of the caller's thread.
type job struct {
	f     func()
	modes libtorch.State
	done  chan struct{}
	ended bool // f returned
	panic any  // the value with which f panicked; if nil, f called runtime.Goexit
}

func init() {
	n := runtime.GOMAXPROCS(0) // which follows the limits of a container
	pool.jobs = make(chan *job)
	pool.threads = defaultThreads(os.Getenv, n)
	pool.size = min(n, 8)
}

// defaultThreads returns the number of threads that the environment asks for, as PyTorch reads it, or n.
func defaultThreads(getenv func(string) string, n int) int {
	for _, name := range []string{"OMP_NUM_THREADS", "MKL_NUM_THREADS"} {
		first, _, _ := strings.Cut(getenv(name), ",") // the others are for nested regions
		if v, err := strconv.Atoi(strings.TrimSpace(first)); err == nil && v > 0 {
			return v
		}
	}
	return n
}

// SetNumThreads sets how many threads compute, in total over all running
// closures of [Run]: torch.set_num_threads. The default is OMP_NUM_THREADS or
// MKL_NUM_THREADS of the environment, as in PyTorch, or else [runtime.GOMAXPROCS].
func SetNumThreads(n int) {
	if n < 1 {
		fail("SetNumThreads", fmt.Sprintf("the number of threads is %d and must be at least 1", n))
	}
	pool.mu.Lock()
	defer pool.mu.Unlock()
	pool.threads = n
}

// NumThreads returns what [SetNumThreads] set: torch.get_num_threads.
func NumThreads() int {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	return pool.threads
}

// SetWorkers sets how many closures of [Run] run at a time; the others wait.
// The default is [runtime.GOMAXPROCS], at most 8. With fewer workers each has
// more threads.
func SetWorkers(n int) {
	if n < 1 {
		fail("SetWorkers", fmt.Sprintf("the number of workers is %d and must be at least 1", n))
	}
	pool.mu.Lock()
	defer pool.mu.Unlock()
	pool.size = n
}

// Run calls f on one of a few OS threads that are reserved for libtorch, and
// returns when f has returned. The threads of [SetNumThreads] are divided among
// the running closures. NoGrad, Scope and WithDevice around Run apply inside
// it; a panic in f passes to the caller. Inside f, Run calls directly.
//
// f must not wait for another goroutine that calls Run.
func Run(f func()) { runUntil(context.Background(), f) }

// runUntil is Run, or returns the error of the context if this ends while f waits for a thread; f is not called then.
func runUntil(ctx context.Context, f func()) error {
	mustInit()
	runtime.LockOSThread() // the modes belong to the thread
	j := &job{f: f, modes: libtorch.ThreadState(), done: make(chan struct{})}
	if j.modes.Scope&workerBit != 0 {
		runtime.UnlockOSThread()
		if err := ctx.Err(); err != nil {
			return err
		}
		f()
		return nil
	}
	// A goroutine in a mode such as NoGrad would keep a thread of its own while
	// it waits, so its modes are removed from the thread, and set again
	// afterwards, perhaps on another thread.
	locks := j.modes.Locks
	if locks > 0 {
		libtorch.SetThreadState(libtorch.NewState)
	}
	for range locks + 1 {
		runtime.UnlockOSThread()
	}
	submitted := submit(ctx, j)
	if submitted {
		<-j.done
	}
	for range locks {
		runtime.LockOSThread()
	}
	if locks > 0 {
		libtorch.SetThreadState(j.modes)
	}
	switch {
	case !submitted:
		return ctx.Err()
	case j.panic != nil:
		panic(j.panic)
	case !j.ended:
		runtime.Goexit()
	}
	return nil
}

// submit gives a job to a worker, unless the context ends before one is idle.
func submit(ctx context.Context, j *job) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case pool.jobs <- j: // a worker is idle
		return true
	default:
	}
	pool.mu.Lock()
	if pool.running < pool.size {
		pool.running++
		go work()
	}
	pool.mu.Unlock()
	select {
	case pool.jobs <- j:
		return true
	case <-ctx.Done():
		return false
	}
}

// work runs jobs. Its thread is never given back to other goroutines: libtorch's modes and caches are on it.
func work() {
	runtime.LockOSThread()
	setWorker(libtorch.NewState)
	width := 0
	for j := range pool.jobs {
		busy := int(pool.busy.Add(1))
		pool.mu.Lock()
		w := max(1, pool.threads/busy)
		stop := pool.running > pool.size
		if stop {
			pool.running--
		}
		pool.mu.Unlock()
		if w != width {
			libtorch.SetThreadWidth(w)
			width = w
		}
		j.run()
		if stop {
			return
		}
	}
}

// run calls the closure in the caller's modes.
func (j *job) run() {
	defer func() {
		j.panic = recover()
		if !j.ended && j.panic == nil { // runtime.Goexit, as by testing's FailNow, ends this goroutine: another one replaces it
			go work()
		}
		setWorker(libtorch.NewState)
		pool.busy.Add(-1)
		close(j.done)
	}()
	modes := j.modes
	modes.Locks = 0
	if modes.Scope != 0 {
		modes.Scope |= lentBit
	}
	setWorker(modes)
	j.f()
	j.ended = true
}

// setWorker sets the modes of one of the pool's threads.
func setWorker(s libtorch.State) {
	s.Scope |= workerBit
	libtorch.SetThreadState(s)
}
