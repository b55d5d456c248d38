package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/torchhub/torchhub/torch"
)

// An epoch is one loop over a loader.
type epoch[B any] struct {
	l       *Loader[B]
	ctx     context.Context
	cancel  context.CancelFunc
	crew    *crew
	workers []*worker[B]
	wg      sync.WaitGroup
	stuck   bool           // a worker may never end
	shared  chan result[B] // of all tasks, out of order; nil in order

	skip    int    // batches of which the loop has been given before a resumption
	restore func() // sets the default generator to where it was before the resumption
}

// A crew are the generators of workers.
type crew struct {
	base  int64
	infos []*WorkerInfo
}

func newCrew(base int64, n int) *crew {
	c := &crew{base: base}
	for id := range n {
		c.infos = append(c.infos, newWorkerInfo(base, id, n))
	}
	return c
}

// A task is a batch that a worker is asked for.
type task[B any] struct {
	n       int // the number of the batch
	indices []int
	at      int // the sample that is being read, or -1
	worker  int
	done    chan result[B] // has room for the result
}

// answer gives the result of the task.
func (t *task[B]) answer(r result[B]) {
	r.task = t
	t.done <- r
}

type result[B any] struct {
	task  *task[B] // nil if the loop ends before a result
	batch B
	err   error
	end   bool        // the worker's part of an iterable dataset has ended
	state WorkerState // after the batch
}

// begin draws the base seed and starts the workers.
func (l *Loader[B]) begin(ctx context.Context) (e *epoch[B], err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e = &epoch[B]{l: l}
	err = torch.Try(func() {
		if l.resumed != nil {
			e.crew = l.resume(e)
		} else {
			l.now = LoaderState{Generators: states(l.generators())}
			if e.crew = l.kept; e.crew == nil {
				l.now.Drawn = true
				e.crew = newCrew(BaseSeed(l.o.Generator), l.o.Workers)
			}
			l.now.BaseSeed, l.now.Workers = e.crew.base, e.crew.states()
		}
		l.resumed = nil
		if l.o.Persistent {
			l.kept = e.crew
		}
	})
	if err != nil {
		return nil, err
	}
	e.ctx, e.cancel = context.WithCancel(ctx)
	if l.o.OutOfOrder {
		e.shared = make(chan result[B], e.limit())
	}
	for _, info := range e.crew.infos {
		w := &worker[B]{e: e, info: info, ctx: context.WithValue(e.ctx, workerKey{}, info), tasks: make(chan *task[B], e.limit())}
		e.workers = append(e.workers, w)
		w.start()
	}
	return e, nil
}

// prefetch returns how many batches each worker reads ahead.
func (e *epoch[B]) prefetch() int {
	if e.l.o.Prefetch == 0 {
		return 2
	}
	return e.l.o.Prefetch
}

// limit returns how many batches all workers read ahead.
func (e *epoch[B]) limit() int { return e.prefetch() * len(e.crew.infos) }

// end stops the workers. Persistent ones read what they have been asked for, as in Python, which their generators show.
func (e *epoch[B]) end() {
	if !e.l.o.Persistent {
		e.cancel()
	}
	for _, w := range e.workers {
		close(w.tasks)
	}
	if e.stuck {
		e.cancel()
		return
	}
	e.wg.Wait()
	e.cancel()
	e.replayed()
}

// replayed sets the default generator to where it was before a resumption.
func (e *epoch[B]) replayed() {
	if e.restore != nil {
		e.restore()
		e.restore = nil
	}
}

// alone reads the batches when the loop reaches them.
func (e *epoch[B]) alone(yield func(B, error) bool) {
	if e.l.stream != nil {
		e.aloneStream(yield)
		return
	}
	n := 0
	for indices := range e.l.sampler.All() {
		if n++; n <= e.skip {
			continue
		}
		e.replayed()
		batch, err := e.l.read(e.ctx, &task[B]{n: n - 1, indices: indices}, -1)
		if !e.give(n, -1, result[B]{batch: batch, err: err}, yield) {
			return
		}
	}
	e.l.finish()
}

// aloneStream is alone for an iterable dataset.
func (e *epoch[B]) aloneStream(yield func(B, error) bool) {
	n := 0
	for batch, err := range e.l.stream(e.ctx) {
		if n++; n <= e.skip {
			if n == e.skip {
				e.replayed() // before the next batch is read
			}
			continue
		}
		if err == nil {
			e.l.pin(&batch)
		}
		err = e.l.failure(e.ctx, err, &BatchError{Batch: n - 1, Index: -1, Worker: -1})
		if !e.give(n, -1, result[B]{batch: batch, err: err}, yield) {
			return
		}
	}
	e.l.finish()
}

// give hands batch n-1 to the loop and reports whether the loop goes on.
func (e *epoch[B]) give(n, worker int, r result[B], yield func(B, error) bool) bool {
	e.l.mu.Lock()
	e.l.now.Batches = n
	if worker >= 0 && e.l.stream == nil {
		e.l.now.Workers[worker] = r.state
	}
	e.l.mu.Unlock()
	if !yield(r.batch, r.err) {
		return false
	}
	return r.err == nil || errors.As(r.err, new(*BatchError)) // the end of ctx is the last error
}

// finish notes that the epoch is complete.
func (l *Loader[B]) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = LoaderState{}
}

// together has the workers read the batches ahead: batch n is read by worker n modulo their number, or the next one whose
// part of an iterable dataset has not ended. Out of order it is read by the worker that has been asked for the fewest.
func (e *epoch[B]) together(yield func(B, error) bool) {
	var queue []*task[B]
	given, asked, turn, active := 0, 0, 0, len(e.workers)
	ended := make([]bool, len(e.workers))
	waiting := make([]int, len(e.workers)) // the tasks of each worker in the queue
	// next waits for the first batch of the queue that is one; out of order, for the first that has been read.
	next := func() (t *task[B], r result[B], ok bool) {
		for len(queue) > 0 {
			r = e.receive(queue[0])
			t = cmp.Or(r.task, queue[0])
			queue = slices.DeleteFunc(queue, func(x *task[B]) bool { return x == t })
			waiting[t.worker]--
			if !r.end {
				given++
				return t, r, true
			}
			if !ended[t.worker] {
				ended[t.worker] = true
				active--
			}
		}
		return nil, r, false
	}
	hand := func(t *task[B], r result[B]) bool {
		if e.l.stream != nil && given <= e.skip {
			return true
		}
		e.replayed()
		return e.give(given, t.worker, r, yield)
	}
	for indices := range e.indices() {
		if e.l.stream == nil && asked < e.skip {
			asked++
			given++
			turn = (turn + 1) % len(e.workers)
			continue
		}
		e.replayed()
		var t *task[B]
		var r result[B]
		if len(queue) == e.limit() || active == 0 {
			var ok bool
			if t, r, ok = next(); !ok {
				break
			}
		}
		if active > 0 {
			for ended[turn] {
				turn = (turn + 1) % len(e.workers)
			}
			worker := turn
			if e.shared != nil {
				worker = least(turn, waiting, ended)
			}
			queue = append(queue, e.ask(&task[B]{n: asked, indices: indices, worker: worker, at: -1}))
			waiting[worker]++
			asked++
			turn = (turn + 1) % len(e.workers)
		}
		if t != nil && !hand(t, r) {
			return
		}
	}
	for {
		t, r, ok := next()
		if !ok {
			break
		}
		if !hand(t, r) {
			return
		}
	}
	e.l.finish()
}

// least returns the worker with the fewest tasks that wait, of those that have not ended; among equals the first from turn.
func least(turn int, waiting []int, ended []bool) int {
	worker := turn
	for i := range waiting {
		if w := (turn + i) % len(waiting); !ended[w] && waiting[w] < waiting[worker] {
			worker = w
		}
	}
	return worker
}

// ask gives a task to its worker.
func (e *epoch[B]) ask(t *task[B]) *task[B] {
	if t.done = e.shared; t.done == nil {
		t.done = make(chan result[B], 1)
	}
	e.workers[t.worker].tasks <- t
	return t
}

// indices returns the indices of the batches; for an iterable dataset, nil without end.
func (e *epoch[B]) indices() iter.Seq[[]int] {
	if e.l.stream == nil {
		return e.l.sampler.All()
	}
	return func(yield func([]int) bool) {
		for yield(nil) {
		}
	}
}

// receive waits for a batch.
func (e *epoch[B]) receive(t *task[B]) result[B] {
	var late <-chan time.Time
	if e.l.o.Timeout > 0 {
		timer := time.NewTimer(e.l.o.Timeout)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case r := <-t.done:
		return r
	case <-e.ctx.Done():
		return result[B]{err: context.Cause(e.ctx)}
	case <-late:
		e.stuck = true
		return result[B]{err: fmt.Errorf("data: worker %d has not read batch %d in %v; raise the timeout, or look for what the dataset waits for", t.worker, t.n, e.l.o.Timeout)}
	}
}

// A worker reads batches on a goroutine of its own.
type worker[B any] struct {
	e     *epoch[B]
	info  *WorkerInfo
	ctx   context.Context
	tasks chan *task[B]
	begun bool
	ended bool  // its part of an iterable dataset has ended
	bad   error // of WorkerInit
}

// start starts a goroutine that does the tasks until the channel is closed. If the dataset ends it by runtime.Goexit,
// that is the failure of its batch, and another goroutine takes its place.
func (w *worker[B]) start() {
	w.e.wg.Go(func() {
		var t *task[B] // that is being done
		defer func() {
			if t != nil {
				w.ended = true
				w.fail(t, t.at, errors.New("the dataset called runtime.Goexit"), "")
				w.start()
			}
		}()
		if w.e.l.stream != nil {
			w.streams(&t)
			return
		}
		for t = range w.tasks {
			if w.init(); w.bad != nil {
				w.fail(t, -1, w.bad, "")
			} else {
				batch, err := w.e.l.read(w.ctx, t, w.info.ID)
				t.answer(result[B]{batch: batch, err: err, state: w.state()})
			}
			t = nil
		}
	})
}

// init calls the loader's function once.
func (w *worker[B]) init() {
	if f := w.e.l.o.WorkerInit; !w.begun && f != nil {
		w.bad = guard(new(string), func() error { return f(w.ctx) })
	}
	w.begun = true
}

func (w *worker[B]) fail(t *task[B], index int, err error, stack string) {
	t.answer(result[B]{err: w.e.l.failure(w.ctx, err, &BatchError{Batch: t.n, Index: index, Worker: w.info.ID, Stack: stack}), state: w.state()})
}

// streams answers the tasks with the batches of an iterable dataset. t is the task that waits.
func (w *worker[B]) streams(t **task[B]) {
	*t = <-w.tasks // nil when the channel is closed
	if *t == nil {
		return
	}
	if w.init(); !w.ended && w.bad == nil {
		var stack string
		err := guard(&stack, func() error {
			for batch, err := range w.e.l.stream(w.ctx) {
				if err == nil {
					err = context.Cause(w.ctx)
				}
				if err != nil {
					w.fail(*t, -1, err, "")
				} else {
					w.e.l.pin(&batch)
					(*t).answer(result[B]{batch: batch})
				}
				if *t = <-w.tasks; *t == nil {
					return nil
				}
			}
			return nil
		})
		w.ended = true
		if err != nil && *t != nil {
			w.fail(*t, -1, err, stack)
			*t = <-w.tasks
		}
	}
	if w.bad != nil && *t != nil {
		w.fail(*t, -1, w.bad, "")
		*t = <-w.tasks
	}
	for *t != nil {
		(*t).answer(result[B]{end: true})
		*t = <-w.tasks
	}
}
