package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
)

func reshape(b *builder, n *Node) (*form, error) {
	f, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	if err != nil {
		return nil, err
	}
	shape := n.Results[0].Shape
	out, err := f.reshape(shape)
	if err != nil || !out.flat || f.flat {
		return out, err
	}
	size := natural(f.sizes(false))
	v, err := b.image(f, size)
	if err != nil {
		return nil, err
	}
	return b.result(v, f.shape, f.deep).reshape(shape)
}

func permute(b *builder, n *Node) (*form, error) {
	f, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	if err != nil {
		return nil, err
	}
	out, channels, err := f.permute(n.integers(1))
	if err != nil || channels == nil {
		return out, err
	}
	groups := 0 // [groups, channels of each] is transposed
	for i, c := range channels {
		if c == 1 {
			groups = i
		}
	}
	if groups == 0 || !slices.Equal(channels, transposed([]int{groups, len(channels) / groups}, []int{1, 0})) {
		return nil, errors.New("it moves channels in another way than channel_shuffle")
	}
	v, err := b.together(f.channels, f.size)
	if err != nil {
		return nil, err
	}
	out.channels = ofValue(b.shuffled(v, groups, f.size), len(channels))
	return out, nil
}

// shuffled returns an image with its channels shuffled.
func (b *builder) shuffled(value, groups int, size [3]int) int {
	return b.once(fmt.Sprint("shuffle", value, groups), func() int {
		return b.emit(kernels.Instruction{Kind: kernels.Shuffle, In: []int{value}, Groups: groups}, size, b.program.Values[value].C)
	})
}

func shuffle(b *builder, n *Node) (*form, error) {
	v, size, err := b.picture(n)
	if err != nil {
		return nil, err
	}
	shape := n.Results[0].Shape
	return b.result(b.shuffled(v, n.integer(1, 1), size), shape, []bool{false, true, false, false}), nil
}

// taken returns the form of argument 0, with other indices of a dimension.
func (b *builder) taken(n *Node, dim int, indices []int) (*form, error) {
	f, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	if err != nil {
		return nil, err
	}
	return f.take(dim, indices)
}

func slice(b *builder, n *Node) (*form, error) {
	start, end, step := n.integer(2, 0), n.integer(3, 0), n.integer(4, 1)
	var indices []int
	for i := start; i < end; i += step {
		indices = append(indices, i)
	}
	return b.taken(n, n.integer(1, 0), indices)
}

func roll(b *builder, n *Node) (*form, error) {
	shifts, dims := n.integers(1), n.integers(2)
	if len(shifts) != len(dims) {
		return nil, errors.New("it is of the whole tensor")
	}
	f, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	for i, d := range dims {
		if err != nil {
			return nil, err
		}
		d = from(d, len(f.shape))
		size := f.shape[d]
		indices := make([]int, size)
		for j := range indices {
			indices[j] = ((j-shifts[i])%size + size) % size
		}
		f, err = f.take(d, indices)
	}
	return f, err
}

func flip(b *builder, n *Node) (*form, error) {
	f, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	for _, d := range n.integers(1) {
		if err != nil {
			return nil, err
		}
		d = from(d, len(f.shape))
		indices := count(f.shape[d])
		slices.Reverse(indices)
		f, err = f.take(d, indices)
	}
	return f, err
}

func pad(b *builder, n *Node) (*form, error) {
	value := n.Args[2]
	if n.Op == "aten::pad" {
		if n.Args[2] != "constant" {
			return nil, fmt.Errorf("its mode is %v", n.Args[2])
		}
		value = n.Args[3]
	}
	if v, ok := number(value); value != nil && (!ok || v != 0) {
		return nil, errors.New("it does not pad with zeros")
	}
	f, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	for i, by := 0, n.integers(1); i < len(by); i += 2 {
		if err != nil {
			return nil, err
		}
		d := len(f.shape) - 1 - i/2
		var indices []int
		for j := -by[i]; j < f.shape[d]+by[i+1]; j++ {
			if j < 0 || j >= f.shape[d] {
				indices = append(indices, -1)
			} else {
				indices = append(indices, j)
			}
		}
		if by[i] != 0 || by[i+1] != 0 {
			f, err = f.take(d, indices)
		}
	}
	return f, err
}

// expanded returns the form of a tensor in a shape that it is broadcast to.
func (f *form) expanded(shape []int) (*form, error) {
	g, err := f.reshape(append(ones(len(shape)-len(f.shape)), f.shape...))
	for d, n := range shape {
		if err != nil {
			return nil, err
		}
		if g.shape[d] != n {
			g, err = g.take(d, make([]int, n))
		}
	}
	return g, err
}

func expand(b *builder, n *Node) (*form, error) {
	if f := b.lengths(n.tensor(0)); f != nil && slices.Equal(n.Results[0].Shape, f.lengthsOf.shape) {
		return f, nil
	}
	f, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	if err != nil {
		return nil, err
	}
	return f.expanded(n.Results[0].Shape)
}

func repeat(b *builder, n *Node) (*form, error) {
	f, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	if err != nil {
		return nil, err
	}
	times := n.integers(1)
	f, err = f.reshape(append(ones(len(times)-len(f.shape)), f.shape...))
	for d, k := range times {
		if err != nil {
			return nil, err
		}
		var indices []int
		for range k {
			indices = append(indices, count(f.shape[d])...)
		}
		if k > 1 {
			f, err = f.take(d, indices)
		}
	}
	return f, err
}

func indexSelect(b *builder, n *Node) (*form, error) {
	index := n.tensor(2)
	if index.Tensor == nil {
		return nil, errors.New("its indices depend on the inputs")
	}
	dim := from(n.integer(1, 0), len(n.tensor(0).Shape))
	var indices []int
	for _, i := range torch.Data[int64](index.Tensor.ToDType(torch.Int64).Reshape(-1)) {
		indices = append(indices, from(int(i), n.tensor(0).Shape[dim]))
	}
	return b.taken(n, dim, indices)
}

func upsample(b *builder, n *Node) (*form, error) {
	x, y := n.tensor(0), n.Results[0]
	if n.Op != "aten::upsample_nearest2d.vec" {
		return nil, errors.New("it has other arguments than upsample_nearest2d.vec")
	}
	f, err := b.tensorForm(n, 0, 1)
	for d := 2; d < 4; d++ {
		if err != nil {
			return nil, err
		}
		from, to := x.Shape[d], y.Shape[d]
		if to%from != 0 { // where the rounding of the scale counts
			return nil, errors.New("it does not repeat each pixel as often")
		}
		var indices []int
		for i := range to {
			indices = append(indices, i/(to/from))
		}
		f, err = f.take(d, indices)
	}
	return f, err
}

func cat(b *builder, n *Node) (*form, error) {
	list, _ := n.Args[0].([]any)
	var parts []*Value
	for _, a := range list {
		if v, ok := a.(*Value); ok && product(v.Shape...) > 0 {
			parts = append(parts, v)
		}
	}
	if len(parts) == 0 {
		return nil, errors.New("it has no parts")
	}
	return b.joined(parts, from(n.integer(1, 0), len(n.Results[0].Shape)))
}

// joined returns the form of tensors one behind the other along a dimension. Those that have no form yet get the channels of
// the first that has one.
func (b *builder) joined(parts []*Value, dim int) (*form, error) {
	channels := usual(parts[0])
	for _, v := range parts {
		if f := b.forms[v]; f != nil {
			if f.flat {
				return nil, errMixed
			}
			for d, deep := range f.deep {
				if deep && f.shape[d] > 1 {
					channels = d
				}
			}
			break
		}
	}
	var forms []*form
	for _, v := range parts {
		f, err := b.form(v, channels)
		if err != nil {
			return nil, err
		}
		forms = append(forms, f)
	}
	return b.catForms(forms, dim)
}

// catForms joins tensors by their channels or pixels.
func (b *builder) catForms(forms []*form, dim int) (*form, error) {
	if len(forms) == 1 {
		return forms[0], nil
	}
	forms, err := alike(forms)
	if err != nil {
		return nil, err
	}
	first := forms[0]
	shape := slices.Clone(first.shape)
	shape[dim] = 0
	pixels, channels := true, true // whether all have the same ones
	for _, f := range forms {
		shape[dim] += f.shape[dim]
		pixels = pixels && equalPixels(f, first)
		channels = channels && f.size == first.size && slices.Equal(f.channels, first.channels)
	}
	out := *first
	out.shape = shape
	switch {
	case !first.deep[dim] && channels:
		var lists [][]int32
		for _, f := range forms {
			lists = append(lists, f.table())
		}
		out.with(interleaved(forms, lists, dim))
		return &out, nil
	case !first.deep[dim]:
		return b.catPixels(forms, dim, shape)
	case !pixels:
		out.size, out.pixels = natural(first.sizes(false)), nil
		for i, f := range forms {
			v, err := b.image(f, out.size)
			if err != nil {
				return nil, err
			}
			forms[i] = b.result(v, f.shape, f.deep)
		}
	}
	var lists [][]channel
	for _, f := range forms {
		lists = append(lists, f.channels)
	}
	out.channels = interleaved(forms, lists, dim)
	return &out, nil
}

// alike returns forms whose dimensions are of the same kinds; those of one element are as others are.
func alike(forms []*form) ([]*form, error) {
	deep := slices.Clone(forms[0].deep)
	for d := range deep {
		for _, f := range forms {
			if f.shape[d] > 1 {
				deep[d] = f.deep[d]
			}
		}
	}
	var out []*form
	for _, f := range forms {
		if !f.is(deep...) {
			return nil, errForm
		}
		g := *f
		g.deep = deep
		out = append(out, &g)
	}
	return out, nil
}

// split returns the number of indices of the dimensions before dim, and of dim and those behind it, of its kind.
func (f *form) split(dim int) (before, rest int) {
	before, rest = 1, 1
	for d, n := range f.shape {
		switch {
		case f.deep[d] != f.deep[dim]:
		case d < dim:
			before *= n
		default:
			rest *= n
		}
	}
	return before, rest
}

// interleaved returns the elements of lists in the order of tensors that are joined along a dimension.
func interleaved[T any](forms []*form, lists [][]T, dim int) (out []T) {
	before, _ := forms[0].split(dim)
	for i := range before {
		for k, f := range forms {
			_, rest := f.split(dim)
			out = append(out, lists[k][i*rest:(i+1)*rest]...)
		}
	}
	return out
}

// catPixels joins images, of one row for each index of the dimensions before.
func (b *builder) catPixels(forms []*form, dim int, shape []int) (*form, error) {
	in := kernels.Instruction{Kind: kernels.ConcatPixels}
	before, width := 0, 0
	for _, f := range forms {
		rows, rest := f.split(dim)
		v, err := b.image(f, [3]int{rows, 1, rest})
		if err != nil {
			return nil, err
		}
		in.In = append(in.In, v)
		before = rows
		width += rest
	}
	return b.result(b.emit(in, [3]int{before, 1, width}, len(forms[0].channels)), shape, forms[0].deep), nil
}

func stack(b *builder, n *Node) (*form, error) {
	list, _ := n.Args[0].([]any)
	dim := from(n.integer(1, 0), len(n.Results[0].Shape))
	var forms []*form
	for i := range list {
		v, ok := list[i].(*Value)
		if !ok {
			return nil, errors.New("a part is no tensor")
		}
		f, err := b.form(v, usual(v))
		if err == nil {
			f, err = f.reshape(slices.Insert(slices.Clone(v.Shape), dim, 1))
		}
		if err != nil {
			return nil, err
		}
		forms = append(forms, f)
	}
	return b.catForms(forms, dim)
}

// sliceScatter joins what is before, the new part, and what is behind.
func sliceScatter(b *builder, n *Node) (*form, error) {
	if n.integer(5, 1) != 1 {
		return nil, errors.New("its step is not 1")
	}
	size := 0
	if d := n.integer(2, 0); n.tensor(0) != nil {
		size = n.tensor(0).Shape[from(d, len(n.tensor(0).Shape))]
	}
	start := min(max(from(n.integer(3, 0), size), 0), size)
	end := min(max(from(n.integer(4, size), size), 0), size)
	part := n.tensor(1)
	return b.scattered(n, n.integer(2, 0), start, end, part.Shape)
}

func selectScatter(b *builder, n *Node) (*form, error) {
	dim := from(n.integer(2, 0), len(n.tensor(0).Shape))
	index := from(n.integer(3, 0), n.tensor(0).Shape[dim])
	return b.scattered(n, dim, index, index+1, slices.Insert(slices.Clone(n.tensor(1).Shape), dim, 1))
}

// scattered returns argument 0 with argument 1, in a shape, in place of the indices from start to end.
func (b *builder) scattered(n *Node, dim, start, end int, shape []int) (*form, error) {
	whole, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	if err != nil {
		return nil, err
	}
	part, err := b.tensorForm(n, 1, usual(n.tensor(1)))
	if err == nil {
		part, err = part.reshape(shape)
	}
	if err != nil {
		return nil, err
	}
	dim = from(dim, len(whole.shape))
	var forms []*form
	add := func(start, end int) error {
		if start == end {
			return nil
		}
		indices := make([]int, end-start)
		for i := range indices {
			indices[i] = start + i
		}
		f, err := whole.take(dim, indices)
		forms = append(forms, f)
		return err
	}
	if err := add(0, start); err != nil {
		return nil, err
	}
	forms = append(forms, part)
	if err := add(end, whole.shape[dim]); err != nil {
		return nil, err
	}
	return b.catForms(forms, dim)
}
