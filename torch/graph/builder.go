package graph

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
)

// A builder makes a program of nodes.
type builder struct {
	program *kernels.Program
	forms   map[*Value]*form
	inputs  []*Value // of the graph or of other nodes; constants are in the program
	made    map[string]int
	seed    maphash.Seed
}

func newBuilder() *builder {
	return &builder{&kernels.Program{}, map[*Value]*form{}, nil, map[string]int{}, maphash.MakeSeed()}
}

// value returns a new value.
func (b *builder) value(size [3]int, channels int) int {
	b.program.Values = append(b.program.Values, kernels.Value{N: size[0], C: channels, H: size[1], W: size[2]})
	return len(b.program.Values) - 1
}

// emit appends an instruction, whose result is a new value.
func (b *builder) emit(in kernels.Instruction, size [3]int, channels int) int {
	in.Out = b.value(size, channels)
	b.program.Instructions = append(b.program.Instructions, in)
	return in.Out
}

// once returns what make returned for the same key before.
func (b *builder) once(key string, make func() int) int {
	if v, ok := b.made[key]; ok {
		return v
	}
	v := make()
	b.made[key] = v
	return v
}

// result returns the form of a tensor of which an image has all elements, in order.
func (b *builder) result(value int, shape []int, deep []bool) *form {
	v := b.program.Values[value]
	return &form{shape: shape, deep: deep, size: [3]int{v.N, v.H, v.W}, channels: ofValue(value, v.C)}
}

// form returns the form of a value. That of an input, which has none yet, has the given dimension of channels.
func (b *builder) form(v *Value, dim int) (*form, error) {
	switch {
	case b.forms[v] != nil && b.forms[v].lengthsOf != nil:
		return nil, errLengths
	case b.forms[v] != nil:
		return b.forms[v], nil
	case v.DType != torch.Float32 || v.Device != torch.CPU:
		return nil, fmt.Errorf("%s is %v on %s", v.Name, v.DType, v.Device)
	case product(v.Shape...) == 0 || len(v.Shape) == 0:
		return nil, fmt.Errorf("%s is %v", v.Name, v.Shape)
	}
	deep := make([]bool, len(v.Shape))
	deep[dim] = true
	if v.Tensor != nil {
		return b.constant(v.Tensor, deep), nil
	}
	f := &form{shape: v.Shape, deep: deep}
	f.size = natural(f.sizes(false))
	strides, ok := f.strides(f.size)
	if !ok {
		return nil, errMixed
	}
	f.channels = ofValue(b.value(f.size, v.Shape[dim]), v.Shape[dim])
	b.program.Inputs = append(b.program.Inputs, kernels.Port{Value: f.channels[0].value, Strides: strides})
	b.inputs = append(b.inputs, v)
	b.forms[v] = f
	return f, nil
}

// constant returns the form of a constant, which is an image of its own.
func (b *builder) constant(x *torch.Tensor, deep []bool) *form {
	f := &form{shape: x.Shape(), deep: deep}
	f.size = natural(f.sizes(false))
	image := lasting(func() *torch.Tensor { return f.imageOf(x, f.size) })
	c := image.Size(1)
	f.channels = ofValue(b.emit(kernels.Instruction{Kind: kernels.Const, Weight: image}, f.size, c), c)
	return f
}

// imageOf returns a tensor with the dimensions of f as an image.
func (f *form) imageOf(x *torch.Tensor, size [3]int) *torch.Tensor {
	return x.Permute(f.order()...).Reshape(size[0], size[1], size[2], -1).Permute(0, 3, 1, 2).Contiguous()
}

// order returns the dimensions of pixels, and behind them those of channels.
func (f *form) order() (dims []int) {
	for _, deep := range []bool{false, true} {
		for d := range f.shape {
			if f.deep[d] == deep {
				dims = append(dims, d)
			}
		}
	}
	return dims
}

// strides returns the strides, by N, C, H and W of an image of a size with all elements in order, of a dense tensor. It
// is not ok if there are none.
func (f *form) strides(size [3]int) (s [4]int, ok bool) {
	channels, after, stage := 1, 1, 0 // pixels, channels, pixels
	for i, n := range f.shape {
		switch {
		case n == 1:
		case f.deep[i] && stage > 1:
			return s, false
		case f.deep[i]:
			stage = 1
			channels *= n
		case stage > 0:
			stage = 2
			after *= n
		}
	}
	n, h, w := size[0], size[1], size[2]
	if f.flat { // as of [N, C, H, W]
		channels, after = len(f.channels), h*w
	}
	switch after {
	case 1:
		return [4]int{h * w * channels, 1, w * channels, channels}, true
	case h * w:
		return [4]int{h * w * channels, h * w, w, 1}, true
	case w:
		return [4]int{h * w * channels, w, w * channels, 1}, true
	case n * h * w:
		return [4]int{h * w, n * h * w, w, 1}, true
	}
	return s, false
}

// together returns the image that has the channels, in order, of images of a size.
func (b *builder) together(channels []channel, size [3]int) (int, error) {
	var parts []int
	key := fmt.Sprint("channels", size)
	for i := 0; i < len(channels); {
		first := channels[i]
		n := 1
		for i+n < len(channels) && channels[i+n].value == first.value && (first.value < 0 || channels[i+n].index == first.index+n) {
			n++
		}
		i += n
		if len(parts) > 64 {
			return 0, errors.New("its channels are moved in many parts")
		}
		parts = append(parts, b.part(first, n, size))
		key += fmt.Sprint(" ", parts[len(parts)-1])
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return b.once(key, func() int { return b.emit(kernels.Instruction{Kind: kernels.Concat, In: parts}, size, len(channels)) }), nil
}

// part returns an image of n consecutive channels.
func (b *builder) part(first channel, n int, size [3]int) int {
	switch {
	case first.value < 0:
		return b.once(fmt.Sprint("zeros", n, size), func() int {
			zeros := lasting(func() *torch.Tensor { return torch.Zeros(size[0], n, size[1], size[2]) })
			return b.emit(kernels.Instruction{Kind: kernels.Const, Weight: zeros}, size, n)
		})
	case n == b.program.Values[first.value].C:
		return first.value
	}
	return b.once(fmt.Sprint("slice", first, n), func() int {
		return b.emit(kernels.Instruction{Kind: kernels.Slice, In: []int{first.value}, Offset: first.index}, size, n)
	})
}

// image returns an image of a size that has the elements of a tensor, all in order.
func (b *builder) image(f *form, size [3]int) (int, error) {
	v, err := b.together(f.channels, f.size)
	if err != nil {
		return 0, err
	}
	return b.gather(v, f.pixels, f.size, size), nil
}

// gather returns an image of a size that has the given pixels of another image.
func (b *builder) gather(value int, pixels []int32, from, to [3]int) int {
	if pixels == nil && from == to {
		return value
	}
	table := (&form{size: from, pixels: pixels}).table()
	var h maphash.Hash
	h.SetSeed(b.seed)
	for _, p := range table {
		maphash.WriteComparable(&h, p)
	}
	return b.once(fmt.Sprint("gather", value, to, h.Sum64()), func() int {
		in := kernels.Instruction{Kind: kernels.Gather, In: []int{value}, Table: sample(table, from[0], to[0], product(from[:]...))}
		return b.emit(in, to, b.program.Values[value].C)
	})
}

// sample returns the part of a table for as few of the samples as all are made alike. from and to are N of the images, and
// pixels the number of pixels of the first.
func sample(table []int32, from, to, pixels int) []int32 {
	for n := min(from, to); n > 1; n-- {
		if from%n != 0 || to%n != 0 {
			continue
		}
		size := len(table) / n
		alike := true
		for i, p := range table {
			base := i / size * (pixels / n)
			q := table[i%size]
			if alike = q < 0 && p < 0 || q >= 0 && int(q) < pixels/n && int(p) == base+int(q); !alike {
				break
			}
		}
		if alike {
			return table[:size]
		}
	}
	return table
}

// each returns an image of which a function of each pixel is to be computed for a tensor, and the form of the result
// without its channels.
func (b *builder) each(f *form) (int, *form, error) {
	out := *f
	v, err := b.together(f.channels, f.size)
	if err == nil && !f.complete() {
		out.size = natural(f.sizes(false))
		out.pixels = nil
		v = b.gather(v, f.pixels, f.size, out.size)
	}
	return v, &out, err
}

// settled returns the form with its elements in an image, all in order.
func (b *builder) settled(f *form) (*form, error) {
	if f.pixels == nil {
		return f, nil
	}
	out := *f
	out.size = natural(f.sizes(false))
	v, err := b.image(f, out.size)
	out.pixels, out.channels = nil, ofValue(v, len(f.channels))
	return &out, err
}

// An output is how a tensor leaves a program.
type output struct {
	shape []int // of a dense tensor
	order []int // of its dimensions, which the result has; nil if it is the tensor
}

// output appends an output of the program.
func (b *builder) output(f *form) (output, error) {
	if f.lengthsOf != nil {
		return output{}, errLengths
	}
	dense := *f
	var o output
	if !f.adjacent() {
		order := f.order()
		dense.shape, dense.deep = pick(f.shape, order, 0), pick(f.deep, order, false)
		o.order = make([]int, len(order))
		for i, d := range order {
			o.order[d] = i
		}
	}
	o.shape = dense.shape
	size := dense.size
	strides, ok := dense.strides(size)
	if !ok || dense.pixels != nil {
		size = natural(dense.sizes(false))
		if strides, ok = dense.strides(size); !ok {
			before, after := dense.around()
			size = [3]int{before, 1, after}
			strides, _ = dense.strides(size)
		}
	}
	v, err := b.image(f, size)
	b.program.Outputs = append(b.program.Outputs, kernels.Port{Value: v, Strides: strides})
	return o, err
}

// around returns the number of pixels by the dimensions before those of channels, and by those after.
func (f *form) around() (before, after int) {
	before, after = 1, 1
	seen := false
	for i, n := range f.shape {
		switch {
		case n == 1:
		case f.deep[i]:
			seen = true
		case seen:
			after *= n
		default:
			before *= n
		}
	}
	return before, after
}

// adjacent reports whether all dimensions of channels are side by side.
func (f *form) adjacent() bool {
	stage := 0
	for i, n := range f.shape {
		switch {
		case n == 1:
		case f.deep[i] && stage == 2:
			return false
		case f.deep[i]:
			stage = 1
		case stage == 1:
			stage = 2
		}
	}
	return true
}

// equalPixels reports whether two forms have the same pixels of images of one size.
func equalPixels(f, g *form) bool { return f.size == g.size && slices.Equal(f.pixels, g.pixels) }
