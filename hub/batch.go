package hub

import (
	"context"
	"image"
	"iter"
	"runtime"
	"slices"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// ClassifyBatch returns the k most probable labels of each picture, the best one first, as [Model.Classify]
// does. The pictures are prepared on all processors and run through the model at once. An error about a
// picture names it by its number, from 0, and there are no results then. For many pictures use [Model.ClassifyAll].
func (m *Model) ClassifyBatch(ctx context.Context, pictures []image.Image, k int) ([][]Label, error) {
	if len(pictures) == 0 {
		return nil, nil
	}
	var out [][]Label
	err := m.isFor(models.Classification)
	if err == nil {
		var x *torch.Tensor
		if x, err = transforms.Batch(ctx, m.pre, pictures); err == nil {
			defer x.Free()
			var logits [][]float32
			logits, err = m.logitsOf(ctx, x)
			for _, l := range logits {
				out = append(out, Top(l, m.labels, k))
			}
		}
	}
	if err != nil {
		return nil, newError("model", m.name, err)
	}
	return out, nil
}

// logitsOf returns the logits for a batch [N, 3, H, W].
func (m *Model) logitsOf(ctx context.Context, x *torch.Tensor) (logits [][]float32, err error) {
	err = m.onInputs(ctx, []*torch.Tensor{x}, func(y torch.Value) (err error) {
		if logits, err = m.classify(y, x.Size(0)); err == nil {
			err = m.checkLabels(logits)
		}
		return err
	})
	return logits, err
}

// A Picture opens a picture.
type Picture func() (image.Image, error)

// Files returns pictures that are in files, see [transforms.Open].
func Files(names ...string) iter.Seq[Picture] {
	return func(yield func(Picture) bool) {
		for _, name := range names {
			if !yield(func() (image.Image, error) { return transforms.Open(name) }) {
				return
			}
		}
	}
}

// AllOptions are the options of [Model.ClassifyAll] and [Model.LogitsAll].
type AllOptions struct {
	BatchSize int // the number of pictures in a forward pass, 0 means 8 on a CPU and 32 on another device
}

// ClassifyAll returns the k most probable labels of many pictures, in their order, each with the error of that
// picture:
//
//	for labels, err := range model.ClassifyAll(ctx, hub.Files(names...), 5) {
//
// Pictures are opened and prepared in goroutines, on all processors, while the model runs on those before them.
// At most three batches and one picture for each processor are in memory at a time. The sequence is read in
// another goroutine than the caller's. The iterator ends early with the error of ctx when ctx ends.
func (m *Model) ClassifyAll(ctx context.Context, pictures iter.Seq[Picture], k int, options ...AllOptions) iter.Seq2[[]Label, error] {
	return func(yield func([]Label, error) bool) {
		for logits, err := range m.LogitsAll(ctx, pictures, options...) {
			var top []Label
			if err == nil {
				top = Top(logits, m.labels, k)
			}
			if !yield(top, err) {
				return
			}
		}
	}
}

// LogitsAll returns the outputs of a model for classification on many pictures, as [Model.ClassifyAll] does.
func (m *Model) LogitsAll(ctx context.Context, pictures iter.Seq[Picture], options ...AllOptions) iter.Seq2[[]float32, error] {
	o := torch.Only(options)
	if o.BatchSize < 0 {
		panic(&torch.Error{Op: "hub.Model.LogitsAll", Msg: "BatchSize is negative"})
	}
	if o.BatchSize == 0 {
		o.BatchSize = 32
		if m.Device().Type() == "cpu" {
			o.BatchSize = 8
		}
	}
	return func(yield func([]float32, error) bool) {
		within, cancel := context.WithCancel(ctx)
		defer cancel()
		batches := m.batches(within, m.inputs(within, pictures, o.BatchSize), o.BatchSize)
		for {
			var batch []result
			more := false
			select {
			case batch, more = <-batches:
			case <-ctx.Done(): // a picture may be blocked
			}
			for _, r := range batch {
				if ctx.Err() != nil {
					break
				}
				if r.err != nil {
					r.err = newError("model", m.name, r.err)
				}
				if !yield(r.logits, r.err) {
					return
				}
			}
			if err := ctx.Err(); err != nil {
				yield(nil, newError("model", m.name, err))
				return
			}
			if !more {
				return
			}
		}
	}
}

// A result is what becomes of a picture: an input of the model, then its logits, or an error.
type result struct {
	input  *torch.Tensor // [1, 3, H, W]
	logits []float32
	err    error
}

// inputs returns the inputs of pictures, in their order, each in a channel of its own. It ends when ctx does.
func (m *Model) inputs(ctx context.Context, pictures iter.Seq[Picture], batch int) <-chan chan result {
	queue := make(chan chan result, batch)
	workers := make(chan struct{}, runtime.GOMAXPROCS(0))
	go func() {
		defer close(queue)
		for open := range pictures {
			r := make(chan result, 1) // so that nobody need wait for it
			select {
			case queue <- r:
			case <-ctx.Done():
				return
			}
			select {
			case workers <- struct{}{}:
			case <-ctx.Done():
				r <- result{err: ctx.Err()}
				return
			}
			go func() {
				defer func() { <-workers }()
				r <- m.input(open)
			}()
		}
	}()
	return queue
}

func (m *Model) input(open Picture) (r result) {
	if r.err = m.isFor(models.Classification); r.err != nil {
		return r
	}
	img, err := open()
	if err != nil {
		return result{err: err}
	}
	r.err = torch.Try(func() {
		r.input = m.pre.Apply(img).Then(func(x *torch.Tensor) *torch.Tensor { return x.Unsqueeze(0) })
	})
	return r
}

// batches runs the model on batches of inputs, while the caller works on the one before.
func (m *Model) batches(ctx context.Context, queue <-chan chan result, size int) <-chan []result {
	out := make(chan []result, 1)
	go func() {
		defer close(out)
		for first := range queue {
			batch := []result{<-first}
			for len(batch) < size {
				next, more := <-queue
				if !more {
					break
				}
				batch = append(batch, <-next)
			}
			m.runBatch(ctx, batch)
			select {
			case out <- batch:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// runBatch runs the model on the inputs of a batch, on those of one shape at a time, and frees them.
func (m *Model) runBatch(ctx context.Context, batch []result) {
	for i := range batch {
		if batch[i].input == nil {
			continue
		}
		var same []int
		var inputs []*torch.Tensor
		for j := i; j < len(batch); j++ {
			if x := batch[j].input; x != nil && slices.Equal(x.Shape(), batch[i].input.Shape()) {
				same, inputs = append(same, j), append(inputs, x)
			}
		}
		var logits [][]float32
		err := torch.Try(func() { inputs = append(inputs, torch.Cat(inputs, 0)) })
		if err == nil {
			logits, err = m.logitsOf(ctx, inputs[len(inputs)-1])
		}
		free(inputs)
		for n, j := range same {
			batch[j].input, batch[j].err = nil, err
			if err == nil {
				batch[j].logits = logits[n]
			}
		}
	}
}
