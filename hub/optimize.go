package hub

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"slices"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/transforms"
)

// WithOptimizeOptions are the options of [WithOptimize].
type WithOptimizeOptions struct {
	DType torch.DType // as in [OptimizeOptions]
}

// WithOptimize optimizes the model for the sizes of pictures and batches that it is given more than twice, as
// [Model.Optimize] does beforehand: torch.compile(model). It is for classification and segmentation on the CPU and on CUDA devices;
// other models run as they do without it.
//
// https://docs.pytorch.org/docs/stable/generated/torch.compile.html
func WithOptimize(option ...WithOptimizeOptions) Option {
	w := torch.Only(option)
	return func(o *options) { o.optimize, o.dtype = true, w.DType }
}

// start starts a model, with the options.
func (l *loader) start(m *Model) (*Model, error) {
	m, err := m.start(l.device)
	if err == nil && l.optimize {
		m.compile(OptimizeOptions{DType: l.dtype})
	}
	return m, err
}

// OptimizeOptions are the options of [Model.Optimize].
type OptimizeOptions struct {
	BatchSize int // the number of pictures in a forward pass, 0 means 1

	// Size is the width and height of the pictures before they are prepared, which counts where the model takes pictures of
	// any size; zero means 256×256.
	Size image.Point

	// Release frees the parameters of the model once kernels have their copies of them, so that memory holds the weights once
	// and not twice. What is faster is not timed then, and large linear layers run some 10% slower, by an algorithm that needs less memory. Afterward the model only takes pictures that are of the size that it was
	// optimized for when they are prepared, any number of them: other pictures, Forward, Call, and To another device are
	// errors. Optimize then waits for forward passes in progress. If it fails, the model may be lost and should be closed.
	Release bool

	// DType is what most of the model computes in; 0 means Float32. BFloat16 needs a processor with the instructions AVX512_BF16, or
	// a GPU, and Float16 a GPU; see [graph.OptimizeOptions]. The report says what that changes in the outputs.
	DType torch.DType
}

// Optimize makes what computes outputs from pictures run faster: it is traced, simplified, and runs on kernels of this module
// where there are some, see [graph.Optimize]. What is faster is found by timing, which takes as long as some ten forward
// passes, and the outputs are compared with those of the model as it was. The report says what came of it.
// The parameters must not change afterward. The model keeps a second copy of them, or only that with the option Release. It is for
// the methods that take pictures: Forward, Call and Module run the model as it was. For a model for another task than
// classification or segmentation, for one that is neither on the CPU nor on a CUDA device, and for native code there is an error.
// [Model.To] undoes it.
func (m *Model) Optimize(ctx context.Context, options ...OptimizeOptions) (graph.Report, error) {
	r, err := m.optimize(ctx, torch.Only(options))
	if err != nil {
		return graph.Report{}, newError("optimize model", m.name, err)
	}
	return r, nil
}

func (m *Model) optimize(ctx context.Context, o OptimizeOptions) (r graph.Report, err error) {
	if err := m.compile(o); err != nil {
		return r, err
	}
	if o.Size == (image.Point{}) {
		o.Size = image.Pt(256, 256)
	}
	x, err := m.prepare(ctx, m.Task(), transforms.Value{Image: speckled(o.Size)})
	if err != nil {
		return r, err
	}
	defer func() { <-m.turns }()
	defer free(x)
	if o.Release {
		m.mu.Lock()
		defer m.mu.Unlock()
	} else {
		m.mu.RLock()
		defer m.mu.RUnlock()
	}
	switch {
	case m.closed:
		return r, torch.ErrClosed
	case m.compiled == nil:
		return r, errors.New("it was moved meanwhile")
	}
	terr := torch.Try(func() {
		torch.InferenceMode(func() {
			batch := x[0].Repeat(append([]int{max(1, o.BatchSize)}, slices.Repeat([]int{1}, x[0].Dim()-1)...)...)
			defer batch.Free()
			r, err = m.compiled.Prepare(ctx, batch)
		})
	})
	if terr != nil {
		return r, terr
	}
	return r, err
}

// speckled returns a picture of random pixels, the same each time.
func speckled(size image.Point) image.Image {
	r := rand.New(rand.NewPCG(0, 0))
	img := image.NewNRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			img.SetNRGBA(x, y, color.NRGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255})
		}
	}
	return img
}

// compile makes forward passes of pictures go through package graph, which, with Release, frees the parameters when it optimizes
// them.
func (m *Model) compile(options OptimizeOptions) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, isModule := m.module.(nn.Module)
	_, isSegmenter := m.module.(models.Segmenter)
	_, isScript := m.program.(*jit.Module)
	switch t := m.Task(); {
	case m.closed:
		return torch.ErrClosed
	case t != models.Classification && t != models.Segmentation:
		return fmt.Errorf("optimization is for classification and segmentation, and the model is for %s", t)
	case m.device.Type() != "cpu" && m.device.Type() != "cuda":
		return fmt.Errorf("optimization is for the CPU and CUDA devices, and the model is on %v", m.device)
	case options.DType == torch.Float16 && m.device.Type() != "cuda":
		return errors.New("optimization in Float16 is for CUDA devices, and the model is on the CPU")
	case !isModule && !isSegmenter && !isScript:
		return errors.New("it is native code already")
	case m.compiled != nil && (m.released || !options.Release && m.dtype == options.DType):
		return nil
	}
	o := graph.CompileOptions{Batch: true}
	o.DType, m.dtype = options.DType, options.DType
	if options.Release {
		o.Release = func() {
			m.released = true
			m.free()
		}
	}
	if m.module != nil {
		o.Names = nn.StateDict(m.module)
	}
	m.compiled = graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor {
		y, err := m.call([]torch.Value{x[0]})
		if err != nil {
			panic(&torch.Error{Op: m.name, Msg: err.Error()})
		}
		switch y := y.(type) {
		case *torch.Tensor:
			return []*torch.Tensor{y}
		case *models.SegmentationOutput:
			if y.Aux != nil {
				return []*torch.Tensor{y.Out, y.Aux}
			}
			return []*torch.Tensor{y.Out}
		}
		panic(&torch.Error{Op: m.name, Msg: fmt.Sprintf("it gives %s", torch.Describe(y))})
	}, o)
	return nil
}

// output returns the output for inputs on the model's device.
func (m *Model) output(ctx context.Context, inputs []torch.Value) (torch.Value, error) {
	if m.compiled == nil || len(inputs) != 1 {
		return m.call(inputs)
	}
	y, err := m.compiled.Run(ctx, inputs[0].(*torch.Tensor))
	if err != nil {
		return nil, err
	}
	if _, ok := m.module.(models.Segmenter); ok {
		out := &models.SegmentationOutput{Out: y[0]}
		if len(y) > 1 {
			out.Aux = y[1]
		}
		return out, nil
	}
	return y[0], nil
}
