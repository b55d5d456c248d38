package graph

import (
	"errors"
	"slices"
)

// A form says where a tensor's elements are among the images of a program, so that views need no copies: some dimensions of
// the tensor are of pixels, others of channels. An index of the dimensions of pixels, in their order, has an element of
// pixels, and an index of those of channels one of channels.
type form struct {
	shape    []int
	deep     []bool    // of each dimension: whether it is of channels; of those of one element it means nothing
	size     [3]int    // N, H and W of the images
	pixels   []int32   // numbers of pixels in the images, -1 for zeros; nil means all, in order
	channels []channel // in the images

	flat bool // the tensor is [N, C·H·W], and all but that are those of [N, C, H, W]

	// The tensor has the lengths of the vectors along the last dimension of another one, or the least where that is more. They
	// are in no image: only a division of that tensor by them is known.
	lengthsOf *form
	least     float64
}

// A channel is one of an image.
type channel struct {
	value int // the image, -1 for zeros
	index int
}

var errMixed = errors.New("its dimensions mix pixels and channels")

// ofValue returns the channels of a whole image.
func ofValue(value, n int) []channel {
	out := make([]channel, n)
	for i := range out {
		out[i] = channel{value, i}
	}
	return out
}

// is reports whether the dimensions are of the given kinds; those of one element are of both.
func (f *form) is(deep ...bool) bool {
	if f.flat || len(deep) != len(f.shape) {
		return false
	}
	for i, d := range deep {
		if f.shape[i] != 1 && f.deep[i] != d {
			return false
		}
	}
	return true
}

// last reports whether the last dimension alone is of channels.
func (f *form) last() bool {
	deep := make([]bool, len(f.shape))
	if len(deep) > 0 {
		deep[len(deep)-1] = true
	}
	return f.is(deep...)
}

// sizes returns the dimensions of pixels, or those of channels.
func (f *form) sizes(deep bool) (out []int) {
	for i, n := range f.shape {
		if f.deep[i] == deep {
			out = append(out, n)
		}
	}
	return out
}

// table returns pixels, of which none are nil.
func (f *form) table() []int32 {
	if f.pixels != nil {
		return f.pixels
	}
	out := make([]int32, product(f.size[:]...))
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// with returns the form with other pixels, which are nil if they are all in order.
func (f *form) with(pixels []int32) {
	f.pixels = pixels
	if len(pixels) != product(f.size[:]...) {
		return
	}
	for i, p := range pixels {
		if int(p) != i {
			return
		}
	}
	f.pixels = nil
}

// reshape returns the form of a reshape. It is an error if a new dimension has parts of those of pixels and of channels,
// but for a picture [N, C, H, W] that becomes [N, C·H·W].
func (f *form) reshape(shape []int) (*form, error) {
	if f.flat {
		if slices.Equal(shape, f.shape) {
			return f, nil
		}
		return nil, errMixed
	}
	out := *f
	out.shape, out.deep = shape, make([]bool, len(shape))
	i, j := 0, 0
	for i < len(f.shape) || j < len(shape) {
		a, b, i0, j0 := 1, 1, i, j
		for first := true; first || a != b; first = false {
			switch {
			case i < len(f.shape) && (a <= b || j == len(shape)):
				a *= f.shape[i]
				i++
			case j < len(shape):
				b *= shape[j]
				j++
			}
		}
		var pixels, channels bool
		for k := i0; k < i; k++ {
			if f.shape[k] > 1 {
				pixels, channels = pixels || !f.deep[k], channels || f.deep[k]
			}
		}
		switch {
		case pixels && channels && len(shape) == 2 && f.is(false, true, false, false) && shape[0] == f.shape[0]:
			out = *f
			out.shape, out.deep, out.flat = shape, []bool{false, true}, true
			return &out, nil
		case pixels && channels:
			return nil, errMixed
		}
		for k := j0; k < j; k++ {
			out.deep[k] = channels
		}
	}
	return &out, nil
}

// permute returns the form of a permutation, and how the channels of f are to be moved before, if they are.
func (f *form) permute(order []int) (out *form, channels []int, err error) {
	if f.flat {
		return nil, nil, errMixed
	}
	g := *f
	g.shape, g.deep = nil, nil
	for _, d := range order {
		g.shape, g.deep = append(g.shape, f.shape[d]), append(g.deep, f.deep[d])
	}
	moved := func(deep bool) []int { // indices among those of a kind, in their new order
		var dims []int
		at := map[int]int{}
		for d := range f.shape {
			if f.deep[d] == deep {
				at[d] = len(at)
			}
		}
		for _, d := range order {
			if f.deep[d] == deep {
				dims = append(dims, at[d])
			}
		}
		return transposed(f.sizes(deep), dims)
	}
	if m := moved(false); m != nil {
		g.with(pick(f.table(), m, -1))
	}
	return &g, moved(true), nil
}

// transposed returns the old place of each element of an array whose dimensions change their order, or nil if none moves.
func transposed(sizes, order []int) []int {
	strides := make([]int, len(sizes))
	stride := 1
	for d := len(sizes) - 1; d >= 0; d-- {
		strides[d] = stride
		stride *= sizes[d]
	}
	large := slices.DeleteFunc(slices.Clone(order), func(d int) bool { return sizes[d] == 1 })
	if slices.IsSorted(large) {
		return nil
	}
	out := []int{0}
	for _, d := range order {
		next := make([]int, 0, len(out)*sizes[d])
		for _, o := range out {
			for i := range sizes[d] {
				next = append(next, o+i*strides[d])
			}
		}
		out = next
	}
	return out
}

// pick returns the elements of given numbers, and none for -1.
func pick[T any](list []T, indices []int, none T) []T {
	out := make([]T, len(indices))
	for i, j := range indices {
		out[i] = none
		if j >= 0 {
			out[i] = list[j]
		}
	}
	return out
}

// take returns the form of a tensor whose indices along a dimension are others of f; -1 stands for zeros.
func (f *form) take(dim int, indices []int) (*form, error) {
	if f.flat {
		return nil, errMixed
	}
	out := *f
	out.shape = slices.Clone(f.shape)
	out.shape[dim] = len(indices)
	inner, outer := 1, 1
	for d, n := range f.shape {
		if f.deep[d] == f.deep[dim] {
			if d < dim {
				outer *= n
			} else if d > dim {
				inner *= n
			}
		}
	}
	var all []int
	for o := range outer {
		for _, i := range indices {
			for k := range inner {
				if i < 0 {
					all = append(all, -1)
				} else {
					all = append(all, (o*f.shape[dim]+i)*inner+k)
				}
			}
		}
	}
	if f.deep[dim] {
		out.channels = pick(f.channels, all, channel{value: -1})
	} else {
		out.with(pick(f.table(), all, -1))
	}
	return &out, nil
}

// natural returns the size of an image for dimensions of pixels.
func natural(sizes []int) [3]int {
	switch k := len(sizes); k {
	case 0:
		return [3]int{1, 1, 1}
	case 1:
		return [3]int{sizes[0], 1, 1}
	case 2:
		return [3]int{sizes[0], 1, sizes[1]}
	default:
		return [3]int{product(sizes[:k-2]...), sizes[k-2], sizes[k-1]}
	}
}

// complete reports whether each pixel of the images is in the tensor, and no zeros are, so that a function of each pixel may be
// computed of the images.
func (f *form) complete() bool {
	if f.pixels == nil {
		return true
	}
	seen := make([]bool, product(f.size[:]...))
	left := len(seen)
	for _, p := range f.pixels {
		if p < 0 {
			return false
		}
		if !seen[p] {
			seen[p] = true
			left--
		}
	}
	return left == 0
}
