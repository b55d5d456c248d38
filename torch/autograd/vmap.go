package autograd

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// Unmapped is the dimension of an input of [Vmap] that is the same for all calls: None in
// in_dims.
const Unmapped = math.MinInt

// VmapOptions are the options of [Vmap].
type VmapOptions struct {
	InDims     torch.Ints // the dimension of each input that is mapped, or [Unmapped]; nil is 0
	OutDims    torch.Ints // the place of the mapped dimension in each output; nil is 0
	Randomness string     // "error", "same" or "different": what random functions do; "" is "error"
	ChunkSize  int        // how many calls are made at once; 0 is all
}

// Vmap returns a function that maps f over a dimension of its inputs: torch.vmap. f is
// called once, with tensors that lack this dimension, and each operation in it computes the
// results of all calls. As in Python f cannot read elements, nor modify in place a tensor
// that is not mapped by one that is; a [Function] and a [Checkpoint] have no place in it,
// and it must return tensors. The function panics with an [*torch.Error] otherwise. f is
// called on one thread of the operating system, on which [torch.Run] in it calls directly.
//
//	dot := autograd.Vmap(func(x ...*torch.Tensor) []*torch.Tensor {
//		return []*torch.Tensor{x[0].Dot(x[1])}
//	})
//	y := dot(torch.Randn(4, 3), torch.Randn(4, 3))[0] // [4]
//
// https://docs.pytorch.org/docs/stable/generated/torch.vmap.html
func Vmap(f func(x ...*torch.Tensor) []*torch.Tensor, options ...VmapOptions) func(x ...*torch.Tensor) []*torch.Tensor {
	o := torch.Only(options)
	randomness := slices.Index([]string{"error", "same", "different"}, o.Randomness)
	if o.Randomness == "" {
		randomness = 0
	}
	if randomness < 0 {
		fail("Vmap", fmt.Sprintf(`the randomness is %q; it can be "error", "same" or "different"`, o.Randomness))
	}
	if o.ChunkSize < 0 {
		fail("Vmap", fmt.Sprintf("the chunk size is %d; it must be at least 1, or 0 for all at once", o.ChunkSize))
	}
	return func(x ...*torch.Tensor) []*torch.Tensor {
		f := func(x ...*torch.Tensor) []*torch.Tensor {
			out := f(x...)
			if i := slices.Index(out, nil); i >= 0 {
				fail("Vmap", fmt.Sprintf("output %d of the function is nil", i))
			}
			return out
		}
		dims, size := mapped(x, o.InDims)
		if o.ChunkSize == 0 || o.ChunkSize >= size {
			return vmap(f, x, dims, size, o.OutDims, randomness)
		}
		return chunked(f, x, dims, size, o.ChunkSize, o.OutDims, randomness)
	}
}

// mapped returns the mapped dimension of each input, not negative or Unmapped, and its
// size.
func mapped(x []*torch.Tensor, in torch.Ints) (dims []int, size int) {
	dims = perTensor("input", in, len(x))
	size = -1
	for i, d := range dims {
		if d == Unmapped || x[i] == nil {
			dims[i] = Unmapped
			continue
		}
		n := x[i].Dim()
		if d < -n || d >= n {
			fail("Vmap", fmt.Sprintf("input %d has %d dimensions; its dimension %d cannot be mapped", i, n, d))
		}
		dims[i] = (d + n) % n
		if s := x[i].Size(d); size >= 0 && s != size {
			fail("Vmap", fmt.Sprintf("the mapped dimensions have different sizes: %d, and %d of input %d", size, s, i))
		} else {
			size = s
		}
	}
	if size < 0 {
		fail("Vmap", "at least one input must be mapped")
	}
	if size == 0 {
		fail("Vmap", "the mapped dimension has the size 0; it must be at least 1")
	}
	return dims, size
}

// perTensor returns a number for each of n tensors.
func perTensor(what string, dims torch.Ints, n int) []int {
	switch v := dims.(type) {
	case nil:
		return make([]int, n)
	case int:
		return slices.Repeat([]int{v}, n)
	case []int:
		if len(v) != n {
			fail("Vmap", fmt.Sprintf("%d dimensions are given for %d %ss", len(v), n, what))
		}
		return slices.Clone(v)
	}
	fail("Vmap", fmt.Sprintf("the dimensions of the %ss are a %T; give an int or a []int", what, dims))
	return nil
}

func vmap(f func(x ...*torch.Tensor) []*torch.Tensor, x []*torch.Tensor, dims []int, size int, outDims torch.Ints, randomness int) (out []*torch.Tensor) {
	if err := torch.Init(context.Background()); err != nil {
		fail("Vmap", err.Error())
	}
	engine.Pinned(func() {
		level, err := libtorch.EnterVmap(size, randomness)
		if err != nil {
			fail("Vmap", err.Error())
		}
		defer func() { _ = libtorch.ExitVmap() }()
		in := slices.Clone(x)
		for i, d := range dims {
			if d == Unmapped {
				continue
			}
			var c torch.Call
			c.Tensor(x[i])
			c.Int(d)
			c.Int(level)
			in[i] = one(engine.Invoke(&c, "Vmap", libtorch.MapTensor))
		}
		out = f(in...)
		for i, d := range perTensor("output", outDims, len(out)) {
			if out[i] == nil {
				continue
			}
			n := out[i].Dim() + 1
			if d < -n || d >= n {
				fail("Vmap", fmt.Sprintf("output %d has %d dimensions without the mapped one; that cannot be at %d", i, n-1, d))
			}
			var c torch.Call
			c.Tensor(out[i])
			c.Int(level)
			c.Int(size)
			c.Int((d + n) % n)
			out[i] = one(engine.Invoke(&c, "Vmap", libtorch.UnmapTensor))
		}
	})
	return out
}

// chunked maps parts of the dimension, one after another.
func chunked(f func(x ...*torch.Tensor) []*torch.Tensor, x []*torch.Tensor, dims []int, size, chunk int, outDims torch.Ints, randomness int) []*torch.Tensor {
	var parts [][]*torch.Tensor // of each output
	for at := 0; at < size; at += chunk {
		n := min(chunk, size-at)
		in := slices.Clone(x)
		for i, d := range dims {
			if d != Unmapped {
				in[i] = x[i].Narrow(d, at, n)
			}
		}
		out := vmap(f, in, dims, n, outDims, randomness)
		if parts == nil {
			parts = make([][]*torch.Tensor, len(out))
		}
		for i, y := range out {
			parts[i] = append(parts[i], y)
		}
	}
	out := make([]*torch.Tensor, len(parts))
	for i, d := range perTensor("output", outDims, len(parts)) {
		out[i] = torch.Cat(parts[i], d)
	}
	return out
}

// batched is Grad with batched gradients.
func batched(outputs, inputs []*torch.Tensor, o GradOptions, keep bool) []*torch.Tensor {
	if len(o.GradOutputs) != len(outputs) {
		fail("autograd.Grad", fmt.Sprintf("%d batched gradients are given for %d outputs", len(o.GradOutputs), len(outputs)))
	}
	for i, g := range o.GradOutputs {
		if want := outputs[i].Shape(); g == nil || g.Dim() == 0 || !slices.Equal(g.Shape()[1:], want) {
			fail("autograd.Grad", fmt.Sprintf("batched gradient %d must have a leading dimension and then the shape %v of the output", i, want))
		}
	}
	dims, size := mapped(o.GradOutputs, nil)
	return vmap(func(g ...*torch.Tensor) []*torch.Tensor {
		return run("autograd.Grad", outputs, roots("autograd.Grad", outputs, g), inputs, keep, o.CreateGraph, false, true)
	}, o.GradOutputs, dims, size, nil, 0)
}
