package transforms

import (
	"context"
	"fmt"
	"image"
	"slices"
	"sync"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
)

// Prepare returns the tensor that t makes of a picture. If ctx is that of a worker of a [data.Loader], random transforms
// draw from the worker's generators, and otherwise from the default ones: it is what a dataset calls in its method At, as
// __getitem__ calls self.transform in Python.
func Prepare(ctx context.Context, t Transform, picture image.Image) (*torch.Tensor, error) {
	if picture == nil {
		return nil, fmt.Errorf("transforms: prepare: the picture is nil")
	}
	x, err := newReading(ctx, t).tensor(picture)
	if err != nil {
		return nil, fmt.Errorf("transforms: prepare: %w", err)
	}
	return x, nil
}

// PrepareFile is [Prepare] for a file, which it reads as [Open] does, but for the pixels that t does not need.
func PrepareFile(ctx context.Context, t Transform, path string, opts ...OpenOption) (*torch.Tensor, error) {
	r := newReading(ctx, t)
	pix := new([]uint8)
	if r.head != nil {
		pix = pixels.Get().(*[]uint8)
	}
	img, err := Open(path, append(slices.Clip(opts), r.within(*pix))...)
	if err != nil {
		return nil, err
	}
	x, err := r.tensor(img)
	if err != nil {
		return nil, fmt.Errorf("transforms: prepare %s: %w", path, err)
	}
	if p, ok := img.(*RGB); ok && r.head != nil { // no other code refers to the picture
		*pix = p.Pix
		pixels.Put(pix)
	}
	return x, nil
}

// pixels holds the memory of pictures that are done with.
var pixels = sync.Pool{New: func() any { return new([]uint8) }}

// A program is a transform in steps.
type program struct {
	head viewer // the first of them, if it makes a view
	rest []Transform
}

// programOf returns the steps of a transform.
func programOf(t Transform) program {
	plan := []Transform{t}
	if p, ok := t.(*Pipeline); ok {
		plan = p.plan
	}
	if len(plan) > 0 {
		if head, ok := plan[0].(viewer); ok {
			return program{head, plan[1:]}
		}
	}
	return program{nil, plan}
}

// fused returns the whole program, if it is one that makes tensors of bytes.
func (p program) fused() *fused {
	if len(p.rest) > 0 {
		return nil
	}
	f, _ := p.head.(*fused)
	return f
}

// A reading is a program for one picture, which may have to be read first.
type reading struct {
	program
	value Value // the generators
	drawn *view // what the head drew when the size was known, before the picture was decoded
	err   error // of that
}

// newReading returns a reading that draws from the generators of ctx's worker.
func newReading(ctx context.Context, t Transform) *reading {
	w := data.GetWorkerInfo(ctx)
	return &reading{program: programOf(t), value: Value{Generator: w.Generator(), Random: w.Random()}}
}

// within limits decoding to the pixels that the head needs, and provides memory for them.
func (r *reading) within(pix []uint8) OpenOption {
	if r.head == nil {
		return func(*openOptions) {}
	}
	return within(func(w, h int) image.Rectangle {
		if r.err = torch.Try(func() { r.drawn = new(r.head.draw(r.value, w, h)) }); r.err != nil {
			return image.Rectangle{} // tensor returns the error
		}
		return r.drawn.source()
	}, pix)
}

// view returns the view of a picture of mode RGB.
func (r *reading) view(p *RGB) view {
	if r.drawn == nil {
		r.drawn = new(r.head.draw(r.value, p.W, p.H))
	}
	return *r.drawn
}

// result returns what the program makes of a picture.
func (r *reading) result(img image.Image) Value {
	v := r.value
	v.Image = img
	if r.head != nil && r.drawn == nil {
		if p := rgb(r.head, v); p != nil {
			r.view(p)
			v.Image = p // so that it is converted once
		}
	}
	switch {
	case r.drawn != nil:
		v = r.head.see(v, *r.drawn)
	case r.head != nil:
		v = r.head.Transform(v)
	}
	for _, t := range r.rest {
		v = t.Transform(v)
	}
	return v
}

// tensor returns the tensor that the program makes of a picture.
func (r *reading) tensor(img image.Image) (x *torch.Tensor, err error) {
	if r.err != nil {
		return nil, r.err
	}
	run := func() {
		out := r.result(img)
		if out.Tensor == nil {
			panic(&torch.Error{Op: "transforms.Prepare", Args: out.String(), Msg: "the transform ends in no tensor; add ToTensor()"})
		}
		x = out.Tensor
	}
	return x, torch.Try(func() {
		if r.fused() != nil { // nearly all of it is a loop of Go
			run()
			return
		}
		torch.Run(run)
	})
}
