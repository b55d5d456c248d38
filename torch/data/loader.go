package data

import (
	"context"
	"fmt"
	"io"
	"iter"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"github.com/torchhub/torchhub/torch"
)

// A Loader reads a dataset in batches: torch.utils.data.DataLoader.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
type Loader[B any] struct {
	o       LoaderOptions
	dataset Sized                                                        // nil if it has no length
	sampler BatchSampler                                                 // nil for an iterable dataset
	fetch   func(ctx context.Context, indices []int, at *int) (B, error) // of a dataset with indices; at is the one that is being read
	stream  func(ctx context.Context) iter.Seq2[B, error]                // of an iterable dataset
	length  func() int                                                   // the number of batches

	mu      sync.Mutex
	kept    *crew        // the workers of the epoch before, with persistent workers
	resumed *LoaderState // where the next epoch goes on
	now     LoaderState  // see State
}

// LoaderOptions are the options of [NewLoader] and the other functions that make a [Loader].
type LoaderOptions struct {
	BatchSize    int              // samples of a batch; 0 is 1
	Shuffle      bool             // take the samples in random order
	Sampler      Sampler          // chooses the samples, in place of Shuffle
	BatchSampler BatchSampler     // chooses the samples of each batch, in place of BatchSize, Shuffle, Sampler and DropLast
	Workers      int              // num_workers: goroutines that read batches ahead; 0 reads each when the loop reaches it
	Prefetch     int              // prefetch_factor: batches of each worker that are read ahead; 0 is 2
	DropLast     bool             // leave out a last batch that is not full
	PinMemory    bool             // put the batches' tensors into pinned memory, where there is CUDA
	Timeout      time.Duration    // how long the loop waits for a batch of a worker; 0 is any time
	Generator    *torch.Generator // draws the order and the seed of the workers; nil is the default generator
	Persistent   bool             // persistent_workers: the workers' generators go on in the next epoch
	OutOfOrder   bool             // in_order=False: the batches come as workers finish them; without workers it has no effect

	// WorkerInit is called by each worker before its first sample, with a ctx for [GetWorkerInfo]: worker_init_fn.
	WorkerInit func(ctx context.Context) error
}

// A BatchError is the failure of one batch.
type BatchError struct {
	Batch  int    // its number in the epoch, from 0
	Index  int    // that of the sample in the dataset, or -1 if no single sample is to blame
	Worker int    // that read it, or -1
	Err    error  // the dataset's error, or what it panicked with
	Stack  string // of the panic, if it was one
}

// Error names the batch and the sample.
func (e *BatchError) Error() string {
	text := fmt.Sprintf("data: batch %d: ", e.Batch)
	if e.Index >= 0 {
		text += fmt.Sprintf("sample %d: ", e.Index)
	}
	if e.Stack != "" {
		text += "panic: "
	}
	return text + e.Err.Error()
}

// Unwrap returns the dataset's error.
func (e *BatchError) Unwrap() error { return e.Err }

// NewLoader returns a loader of a dataset whose batches [Collate] makes: DataLoader(dataset, batch_size, …). B, the type
// of the batches, is named by the caller; for a [Sample] of a tensor and a number it is [Batch].
//
//	loader := data.NewLoader[data.Batch](samples, data.LoaderOptions{BatchSize: 64, Shuffle: true})
//
// It panics with a *torch.Error if the options exclude each other, or the types do not agree.
func NewLoader[B, T any](dataset Dataset[T], options ...LoaderOptions) *Loader[B] {
	return newLoader("NewLoader", dataset, collateFunc[B, T]("NewLoader"), options...)
}

// NewLoaderFunc is [NewLoader] with a function that makes a batch of samples: DataLoader(…, collate_fn=collate). Workers
// call it, several at once.
func NewLoaderFunc[B, T any](dataset Dataset[T], collate func(samples []T) (B, error), options ...LoaderOptions) *Loader[B] {
	return newLoader("NewLoaderFunc", dataset, collate, options...)
}

func newLoader[B, T any](op string, dataset Dataset[T], collate func([]T) (B, error), options ...LoaderOptions) *Loader[B] {
	l := &Loader[B]{o: torch.Only(options), dataset: dataset}
	l.o.check(op)
	l.choose(op, dataset)
	several, _ := dataset.(BatchDataset[T])
	l.fetch = func(ctx context.Context, indices []int, at *int) (batch B, err error) {
		var samples []T
		if several != nil {
			samples, err = several.Items(ctx, indices)
			if err == nil && len(samples) != len(indices) {
				err = fmt.Errorf("the dataset's Items returned %d samples for %d indices", len(samples), len(indices))
			}
		} else {
			samples = make([]T, 0, len(indices))
			for _, i := range indices {
				var x T
				*at = i
				if err = context.Cause(ctx); err == nil {
					x, err = dataset.At(ctx, i)
				}
				if err != nil {
					return batch, err
				}
				samples = append(samples, x)
			}
			*at = -1
		}
		if err != nil {
			return batch, err
		}
		return collate(samples)
	}
	return l
}

// NewUnbatched returns a loader of single samples: DataLoader(dataset, batch_size=None).
func NewUnbatched[T any](dataset Dataset[T], options ...LoaderOptions) *Loader[T] {
	const op = "NewUnbatched"
	l := &Loader[T]{o: torch.Only(options), dataset: dataset}
	l.o.check(op)
	if l.o.BatchSize != 0 || l.o.BatchSampler != nil || l.o.DropLast {
		fail(op, "BatchSize, BatchSampler and DropLast are for batches; leave them out, or use NewLoader")
	}
	l.choose(op, dataset)
	l.fetch = func(ctx context.Context, indices []int, at *int) (x T, err error) {
		*at = indices[0]
		return dataset.At(ctx, *at)
	}
	return l
}

// NewIterableLoader returns a loader of an iterable dataset whose batches [Collate] makes. The workers' batches come by
// turns. It panics with a *torch.Error if the options have a sampler or Shuffle.
func NewIterableLoader[B, T any](dataset IterableDataset[T], options ...LoaderOptions) *Loader[B] {
	const op = "NewIterableLoader"
	l := &Loader[B]{o: torch.Only(options)}
	l.o.check(op)
	if l.o.Shuffle || l.o.Sampler != nil || l.o.BatchSampler != nil {
		fail(op, "an iterable dataset has an order of its own; leave out Shuffle, Sampler and BatchSampler")
	}
	size, collate := max(1, l.o.BatchSize), collateFunc[B, T](op)
	l.stream = func(ctx context.Context) iter.Seq2[B, error] {
		return func(yield func(B, error) bool) {
			var samples []T
			for x, err := range dataset.All(ctx) {
				if err != nil {
					var none B
					if !yield(none, err) {
						return
					}
					continue
				}
				if samples = append(samples, x); len(samples) == size {
					if !yield(collate(samples)) {
						return
					}
					samples = nil
				}
			}
			if len(samples) > 0 && !l.o.DropLast {
				yield(collate(samples))
			}
		}
	}
	if sized, ok := dataset.(Sized); ok {
		l.dataset = sized
		l.length = func() int { return batches(sized.Len(), size, l.o.DropLast) }
	}
	return l
}

func batches(n, size int, dropLast bool) int {
	if dropLast {
		return n / size
	}
	return (n + size - 1) / size
}

// check panics if the options exclude each other.
func (o *LoaderOptions) check(op string) {
	switch {
	case o.BatchSize < 0:
		fail(op, "BatchSize is %d; want 1 or more, or 0 for 1", o.BatchSize)
	case o.Workers < 0:
		fail(op, "Workers is %d; want 1 or more, or 0 to read each batch when the loop reaches it", o.Workers)
	case o.Prefetch < 0:
		fail(op, "Prefetch is %d; want 1 or more, or 0 for 2", o.Prefetch)
	case o.Timeout < 0:
		fail(op, "Timeout is %v; want more than 0, or 0 to wait any time", o.Timeout)
	case o.Workers == 0 && (o.Prefetch != 0 || o.Persistent || o.Timeout != 0):
		fail(op, "Prefetch, Persistent and Timeout are for workers, but Workers is 0")
	case o.Sampler != nil && o.Shuffle:
		fail(op, "Sampler and Shuffle both choose the order; give one of them")
	case o.BatchSampler != nil && (o.BatchSize != 0 || o.Shuffle || o.Sampler != nil || o.DropLast):
		fail(op, "BatchSampler chooses the batches; leave out BatchSize, Shuffle, Sampler and DropLast")
	}
}

// choose sets the sampler.
func (l *Loader[B]) choose(op string, dataset Sized) {
	s := l.o.Sampler
	switch {
	case dataset == nil:
		fail(op, "the dataset is nil")
	case l.o.BatchSampler != nil:
		l.sampler = l.o.BatchSampler
	case s == nil && l.o.Shuffle:
		if dataset.Len() == 0 {
			fail(op, "the dataset has no samples, so that they cannot be shuffled")
		}
		s = NewRandomSampler(dataset, RandomSamplerOptions{Generator: l.o.Generator})
	case s == nil:
		s = NewSequentialSampler(dataset)
	}
	if l.sampler == nil {
		l.sampler = NewBatchSampler(s, max(1, l.o.BatchSize), l.o.DropLast)
	}
	l.length = l.sampler.Len
}

// First returns the first batch of a new epoch: next(iter(loader)). Its error is io.EOF if there are no batches.
func (l *Loader[B]) First(ctx context.Context) (batch B, err error) {
	for batch, err := range l.Batches(ctx) {
		return batch, err
	}
	return batch, io.EOF
}

// Dataset returns the dataset, for its number of samples: loader.dataset. It is nil for an iterable dataset that has no
// method Len.
func (l *Loader[B]) Dataset() Sized { return l.dataset }

// Len returns the number of batches of an epoch: len(loader). It panics with a *torch.Error for an iterable dataset that
// has no method Len.
func (l *Loader[B]) Len() int {
	if l.length == nil {
		fail("Loader.Len", "the dataset has no method Len")
	}
	return l.length()
}

// Batches returns the batches of an epoch: iter(loader).
//
// Workers begin with the loop and end with it, also where it ends early; none is left when the loop is over. An error of
// the dataset, or a panic in it, is a [*BatchError] in the place of its batch, after which the loop may go on to the next
// batch. If ctx ends, or a batch takes longer than the timeout, that error is the last.
//
// With OutOfOrder a batch that takes long does not hold up those of other workers: each comes once, as soon as it has been
// read, and a worker that is faster reads more of them.
//
// Several loops over one loader may run at a time, except with persistent workers.
func (l *Loader[B]) Batches(ctx context.Context) iter.Seq2[B, error] {
	return func(yield func(B, error) bool) {
		var none B
		if err := torch.Init(ctx); err != nil {
			yield(none, err)
			return
		}
		e, err := l.begin(ctx)
		if err != nil {
			yield(none, err)
			return
		}
		defer e.end()
		if len(e.workers) == 0 {
			e.alone(yield)
		} else {
			e.together(yield)
		}
	}
}

// read reads a batch with the calling goroutine. The error is a *BatchError, or that of ctx.
func (l *Loader[B]) read(ctx context.Context, t *task[B], worker int) (batch B, err error) {
	t.at = -1
	var stack string
	err = guard(&stack, func() (err error) {
		batch, err = l.fetch(ctx, t.indices, &t.at)
		if err == nil {
			l.pin(&batch)
		}
		return err
	})
	return batch, l.failure(ctx, err, &BatchError{Batch: t.n, Index: t.at, Worker: worker, Stack: stack})
}

// failure returns e with the error err, or the error of ctx where that is the cause.
func (l *Loader[B]) failure(ctx context.Context, err error, e *BatchError) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && e.Stack == "":
		return context.Cause(ctx)
	}
	e.Err = err
	return e
}

// pin puts the tensors of a batch into pinned memory, if that is wanted and there is CUDA.
func (l *Loader[B]) pin(batch *B) {
	if !l.o.PinMemory {
		return
	}
	if n, err := torch.CUDACount(context.Background()); err == nil && n > 0 {
		pin(reflect.ValueOf(batch).Elem())
	}
}

// guard calls f and returns its panic as an error, with the stack unless it is a *torch.Error.
func guard(stack *string, f func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *torch.Error:
			err = p
		case error:
			err, *stack = p, string(debug.Stack())
		default:
			err, *stack = fmt.Errorf("%v", p), string(debug.Stack())
		}
	}()
	return f()
}
