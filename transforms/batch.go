package transforms

import (
	"context"
	"fmt"
	"image"
	"runtime"
	"slices"
	"sync"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

// BatchOptions are the options of [Batch] and [BatchFiles].
type BatchOptions struct {
	Workers   int              // pictures prepared at a time; 0 is one for each processor
	BatchSize int              // pictures in a batch of the DataLoader whose random draws these equal; 0 is 1, the DataLoader's default
	Generator *torch.Generator // draws the seed of the workers; nil is libtorch's default generator, which torch.ManualSeed seeds
	Open      []OpenOption     // how BatchFiles reads the files

	opens bool // BatchFiles it is
}

// Batch prepares pictures on all processors and returns their tensors stacked, [N, C, H,
// W] if the transform returns [C, H, W]: torch.stack([t(p) for p in pictures]). The result
// is on the CPU, in pinned memory if CUDA is available.
//
// Random transforms draw the same numbers as in a DataLoader(pictures, batch_size=BatchSize, num_workers=Workers):
// picture i is prepared by worker i / BatchSize modulo Workers. Each worker prepares its pictures in order, with a
// generator and a Python random of its own, seeded with a base seed plus its number. The base seed is drawn from the
// Generator, once for each call. The result is that of all batches, torch.cat(list(loader)). To draw as a DataLoader
// with num_workers=0 does, call [data.BaseSeed], whose result it does not use, and then the transform for each
// picture.
//
// An error names the picture. If ctx ends, Batch returns its error. At most two pictures for each worker are in memory
// at a time.
//
// https://docs.pytorch.org/docs/stable/data.html#multi-process-data-loading
func Batch(ctx context.Context, t Transform, pictures []image.Image, options ...BatchOptions) (*torch.Tensor, error) {
	return batch(ctx, t, len(pictures), torch.Only(options), func(i int, _ OpenOption) (image.Image, error) {
		if pictures[i] == nil {
			return nil, fmt.Errorf("transforms: batch: picture %d is nil", i)
		}
		return pictures[i], nil
	}, func(i int) string { return fmt.Sprintf("picture %d", i) })
}

// BatchFiles is [Batch] for files, which it reads as [Open] does.
func BatchFiles(ctx context.Context, t Transform, paths []string, options ...BatchOptions) (*torch.Tensor, error) {
	o := torch.Only(options)
	o.opens = true
	return batch(ctx, t, len(paths), o, func(i int, within OpenOption) (image.Image, error) {
		return Open(paths[i], slices.Concat(o.Open, []OpenOption{within})...)
	},
		func(i int) string { return paths[i] })
}

// A batching is a batch that is being made.
type batching struct {
	program program
	fused   *fused // the program, if it is one that can write into the batch
	picture func(i int, within OpenOption) (image.Image, error)
	name    func(i int) string
	opens   bool // picture makes the pictures
	seed    int64
	workers int
	size    int // pictures that a worker prepares in a row

	out   *torch.Tensor
	shape []int     // of one picture
	data  []float32 // of out, where the pictures are fused
}

func batch(ctx context.Context, t Transform, n int, o BatchOptions, picture func(int, OpenOption) (image.Image, error), name func(int) string) (_ *torch.Tensor, err error) {
	switch {
	case t == nil:
		refuse("Batch", "the transform is nil")
	case o.Workers < 0:
		refuse("Batch", "Workers is %d; want 1 or more, or 0 for one each processor", o.Workers)
	case o.BatchSize < 0:
		refuse("Batch", "BatchSize is %d; want 1 or more, or 0 for 1", o.BatchSize)
	case n == 0:
		return nil, fmt.Errorf("transforms: batch: there are no pictures")
	}
	if err := torch.Init(ctx); err != nil {
		return nil, err
	}
	b := &batching{program: programOf(t), picture: picture, name: name, opens: o.opens, workers: o.Workers, size: max(1, o.BatchSize)}
	if b.workers == 0 {
		b.workers = runtime.GOMAXPROCS(0)
	}
	b.workers = min(b.workers, (n-1)/b.size+1) // the others would have nothing to do
	b.fused = b.program.fused()
	if err := torch.Try(func() { b.seed = data.BaseSeed(o.Generator) }); err != nil {
		return nil, err
	}
	workers := make([]*worker, b.workers)
	for w := range workers {
		if workers[w], err = b.worker(w); err != nil {
			return nil, err
		}
	}
	begin := 0
	if b.fused != nil && b.fused.shape() != nil {
		b.shape = b.fused.shape()
		err = b.allocate(n, torch.Float32)
	} else { // the first picture determines the shape of all
		begin, err = 1, b.first(ctx, workers[0], n)
	}
	if err == nil {
		err = b.all(ctx, workers, begin, n)
	}
	if err != nil {
		b.out.Free()
		return nil, err
	}
	return b.out, nil
}

// allocate makes the tensor for n pictures.
func (b *batching) allocate(n int, dtype torch.DType) error {
	return torch.Try(func() {
		pinned := false
		if count, err := torch.CUDACount(context.Background()); err == nil && count > 0 {
			pinned = true
		}
		b.out = aten.EmptyMemoryFormat(append([]int{n}, b.shape...), dtype, nil, torch.CPU, &pinned, nil)
	})
}

// first prepares picture 0 and allocates the batch after its shape.
func (b *batching) first(ctx context.Context, w *worker, n int) error {
	r, img, err := w.read(ctx, 0)
	if err != nil {
		return err
	}
	x, err := w.tensor(0, r, img)
	if err != nil {
		return err
	}
	w.release(img)
	b.shape = x.Shape()
	if err := b.allocate(n, x.DType()); err != nil {
		return err
	}
	return w.put(0, x)
}

// all prepares the pictures from begin on.
func (b *batching) all(ctx context.Context, workers []*worker, begin, n int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	run := func() {
		var wg sync.WaitGroup
		var mu sync.Mutex
		var panicked any
		for i, w := range workers {
			wg.Go(func() {
				defer func() {
					if p := recover(); p != nil {
						mu.Lock()
						panicked = p
						mu.Unlock()
						cancel(context.Canceled)
					}
				}()
				for p := range n {
					if p < begin || p/b.size%len(workers) != i {
						continue
					}
					if err := w.prepare(ctx, p); err != nil {
						cancel(err) // the first one stands
						return
					}
				}
			})
		}
		wg.Wait()
		if panicked != nil { // on the caller's goroutine, which can recover from it
			panic(panicked)
		}
	}
	if b.fused != nil {
		torch.WithData(b.out, func(data []float32) {
			b.data = data
			run()
		})
	} else {
		run()
	}
	return context.Cause(ctx)
}

// A worker prepares pictures, one at a time.
type worker struct {
	*batching
	generator *torch.Generator
	random    *pyrandom.Random
	buf       []uint8 // the pixels of the last picture, whose memory the next one may have
}

func (b *batching) worker(w int) (*worker, error) {
	k := &worker{batching: b}
	return k, torch.Try(func() { k.generator, k.random = data.WorkerGenerators(b.seed, w) })
}

// read reads picture i.
func (w *worker) read(ctx context.Context, i int) (*reading, image.Image, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	r := &reading{program: w.program, value: Value{Generator: w.generator, Random: w.random}}
	img, err := w.picture(i, r.within(w.buf))
	w.buf = nil
	return r, img, err
}

// release keeps the memory of a picture that is done with.
func (w *worker) release(img image.Image) {
	if p, ok := img.(*RGB); ok && w.opens && w.program.head != nil { // no other code refers to the picture
		w.buf = p.Pix
	}
}

// prepare prepares picture i and puts it into the batch.
func (w *worker) prepare(ctx context.Context, i int) error {
	r, img, err := w.read(ctx, i)
	if err != nil {
		return err
	}
	done := false
	if w.fused != nil && r.err == nil {
		err = w.named(i, func() {
			v := Value{Image: img}
			p := rgb(w.fused, v)
			if p == nil {
				return
			}
			d := r.view(p)
			size := 3 * d.crop.Dx() * d.crop.Dy()
			if len(w.data)/size*size != len(w.data) || d.crop.Dy() != w.shape[1] || d.crop.Dx() != w.shape[2] {
				w.mismatch(v, []int{3, d.crop.Dy(), d.crop.Dx()})
			}
			d.fill(w.data[i*size:(i+1)*size], w.fused.levels, p)
			done = true
		})
	}
	if err == nil && !done {
		var x *torch.Tensor
		if x, err = w.tensor(i, r, img); err == nil {
			err = w.put(i, x)
		}
	}
	w.release(img)
	return err
}

// tensor returns the tensor of picture i.
func (w *worker) tensor(i int, r *reading, img image.Image) (*torch.Tensor, error) {
	x, err := r.tensor(img)
	if err != nil {
		return nil, w.wrap(i, err)
	}
	return x, nil
}

// put copies the tensor of picture i into the batch.
func (w *worker) put(i int, x *torch.Tensor) error {
	return w.named(i, func() {
		torch.Run(func() {
			torch.NoGrad(func() {
				shape := x.Shape()
				if len(shape) != len(w.shape) || x.DType() != w.out.DType() {
					w.mismatch(Value{Tensor: x}, shape)
				}
				for d, s := range shape {
					if s != w.shape[d] {
						w.mismatch(Value{Tensor: x}, shape)
					}
				}
				slot := w.out.Select(0, i)
				slot.CopyInPlace(x)
				slot.Free()
			})
		})
	})
}

// mismatch panics: a picture is not of the shape of the first.
func (w *worker) mismatch(v Value, shape []int) {
	panic(&torch.Error{Op: "transforms.Batch", Args: v.String(), Msg: fmt.Sprintf("it becomes %v, but the batch is made of %v %v; resize and crop to one size", shape, w.shape, w.out.DType())})
}

// named calls f and returns its panic as an error that names picture i.
func (w *worker) named(i int, f func()) error {
	if err := torch.Try(f); err != nil {
		return w.wrap(i, err)
	}
	return nil
}

func (w *worker) wrap(i int, err error) error {
	return fmt.Errorf("transforms: batch: %s: %w", w.name(i), err)
}
