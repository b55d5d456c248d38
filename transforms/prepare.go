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
	x, err := prepare(ctx, t, picture)
	if err != nil {
		return nil, fmt.Errorf("transforms: prepare: %w", err)
	}
	return x, nil
}

// PrepareFile is [Prepare] for a file, which it reads as [Open] does, but for the pixels that t does not need.
func PrepareFile(ctx context.Context, t Transform, path string, opts ...OpenOption) (*torch.Tensor, error) {
	f := fusedOf(t)
	if f == nil {
		img, err := Open(path, opts...)
		if err != nil {
			return nil, err
		}
		x, err := prepare(ctx, t, img)
		if err != nil {
			return nil, fmt.Errorf("transforms: prepare %s: %w", path, err)
		}
		return x, nil
	}
	pix, _ := pixels.Get().(*[]uint8)
	if pix == nil {
		pix = new([]uint8)
	}
	img, err := Open(path, append(slices.Clip(opts), within(f.region, *pix))...)
	if err != nil {
		return nil, err
	}
	x, err := prepare(ctx, f, img)
	if err != nil {
		return nil, fmt.Errorf("transforms: prepare %s: %w", path, err)
	}
	if p, ok := img.(*RGB); ok { // no other code refers to the picture
		*pix = p.Pix
		pixels.Put(pix)
	}
	return x, nil
}

// pixels holds the memory of pictures that are done with.
var pixels sync.Pool

// fusedOf returns the fused form of a whole transform, or nil if there is none.
func fusedOf(t Transform) *fused {
	plan := []Transform{t}
	if p, ok := t.(*Pipeline); ok {
		plan = p.plan
	} else if f, ok := t.(*fused); ok {
		return f
	} else {
		plan = merge(plan)
	}
	if len(plan) != 1 {
		return nil
	}
	f, _ := plan[0].(*fused)
	return f
}

// prepare returns the tensor that t makes of a picture.
func prepare(ctx context.Context, t Transform, picture image.Image) (x *torch.Tensor, err error) {
	w := data.GetWorkerInfo(ctx)
	v := Value{Image: picture, Generator: w.Generator(), Random: w.Random()}
	run := func() {
		out := t.Transform(v)
		if out.Tensor == nil {
			panic(&torch.Error{Op: "transforms.Prepare", Args: out.String(), Msg: "the transform ends in no tensor; add ToTensor()"})
		}
		x = out.Tensor
	}
	return x, torch.Try(func() {
		if _, ok := t.(*fused); ok { // a loop of Go
			run()
			return
		}
		torch.Run(run)
	})
}
