package torch

import (
	"fmt"
	"math"
	"slices"
)

var (
	opAlias        = NewOp("aten::alias", "")
	opIndex        = NewOp("aten::index", "Tensor")
	opIndexPutIn   = NewOp("aten::index_put_", "")
	opScalarTensor = NewOp("aten::scalar_tensor", "")
)

// A Range is a part of a dimension: Python's slice. Make one with [Slice].
type Range struct{ start, stop, step int }

// Slice is the index start:stop, or start:stop:step where a step is given: the
// elements from start up to and without stop. Negative bounds count from the end
// and bounds beyond the ends are cut, as in Python; [End] as stop is the end. A
// step must be at least 1, as in PyTorch.
func Slice(start, stop int, step ...int) Range {
	r := Range{start, stop, 1}
	if len(step) > 1 {
		fail("Slice", fmt.Sprintf("%d steps are given; give at most one", len(step)))
	}
	if len(step) > 0 {
		r.step = step[0]
	}
	return r
}

// End as the bound of a [Slice] is the end of the dimension.
const End = math.MaxInt

// All is the index ":", which keeps a dimension whole.
var All = Slice(0, End)

// A Mark is one of the indices [Ellipsis] and [NewAxis].
type Mark int

// Marks among indices.
const (
	Ellipsis Mark = iota // "...": All for the dimensions that no other index takes
	NewAxis              // None: a new dimension of size 1
)

// Index reads a part of x: x[indices]. An index is
//
//	an int                  one element of the dimension, which goes away
//	a [Range], as of [Slice]    a part of it; [All] is all of it
//	[Ellipsis], [NewAxis]
//	a *Tensor of integers   those elements
//	a *Tensor of bool       the elements where it is true; it takes as many dimensions as it has
//	[]int, []bool           the same as such a tensor of one dimension
//	a bool                  a new dimension, of size 1 for true and 0 for false
//
// As in Python the result is a view of x where there is no tensor, list or bool
// among the indices, and a copy otherwise. A mistake is an [*Error], an index out
// of range one of the kind [ErrIndex].
//
// https://docs.pytorch.org/docs/stable/tensor_view.html
func (x *Tensor) Index(indices ...any) *Tensor {
	p := x.part("Index", indices)
	defer p.free()
	if p.tensors == nil {
		return p.take()
	}
	var c Call
	c.Tensor(p.view)
	c.OptTensors(p.tensors)
	return c.One(opIndex)
}

// SetIndex writes to a part of x and returns x: x[indices] = v. The indices are
// those of [Tensor.Index]. A v is a *Tensor, which is broadcast to the part, or a
// [Number].
func (x *Tensor) SetIndex(v any, indices ...any) *Tensor {
	p := x.part("SetIndex", indices)
	defer p.free()
	value, isTensor := v.(*Tensor)
	if !isTensor {
		var c Call
		c.Number(v)
		c.DType(x.DType())
		c.None()
		c.Device(x.Device())
		value = c.One(opScalarTensor)
		defer value.Free()
	}
	size := value.Shape()
	shape := size
	for len(shape) > 0 && shape[0] == 1 {
		shape = shape[1:] // they do not count, as in NumPy
	}
	if len(shape) < len(size) && (p.tensors != nil || !slices.Equal(size, p.view.Shape())) {
		value = value.View(shape...)
		defer value.Free()
	}
	if p.tensors == nil {
		p.view.CopyInPlace(value)
		return x
	}
	var c Call
	c.Tensor(p.view)
	c.OptTensors(p.tensors)
	c.Tensor(value)
	c.Do(opIndexPutIn)
	return x
}

// A part is what indices name: the elements of a view that tensors pick.
type part struct {
	view    *Tensor
	tensors []*Tensor // by dimension of the view, nil where there is none; nil where there is none at all
	made    []*Tensor // those of them that are ours
}

func (p *part) free() {
	p.view.Free()
	for _, t := range p.made {
		t.Free()
	}
}

// take gives the view away.
func (p *part) take() *Tensor {
	v := p.view
	p.view = nil
	return v
}

// part applies ints, ranges and marks one after the other and collects tensors.
func (x *Tensor) part(op string, indices []any) *part {
	indices = append([]any(nil), indices...)
	p := &part{view: x.alias()}
	ok := false
	defer func() {
		if !ok {
			p.free()
		}
	}()
	mistake := func(kind error, format string, args ...any) {
		panic(&Error{Op: op, Args: x.describe(), Msg: fmt.Sprintf(format, args...), kind: kind})
	}

	taken := 0 // dimensions of x that indices other than Ellipsis take
	for i, index := range indices {
		switch v := index.(type) {
		case int, Range:
			taken++
		case bool, Mark:
		case []int:
			indices[i] = p.own(FromSlice(v))
			taken++
		case []bool:
			indices[i] = p.own(FromSlice(v))
			taken++
		case *Tensor:
			if v == nil {
				mistake(ErrNil, "index %d is a nil tensor", i)
			}
			if d := v.DType(); d == Bool || d == Uint8 {
				taken += v.Dim()
			} else {
				taken++
			}
		default:
			mistake(nil, "index %d is a %T; it must be an int, a Slice, All, Ellipsis, NewAxis, a bool, a tensor, []int or []bool", i, index)
		}
	}
	dims := x.Dim()
	if taken > dims {
		mistake(ErrIndex, "%d indices are too many for a tensor of %d dimensions", taken, dims)
	}

	// A mask takes one place among the tensors and as many dimensions as it has.
	dim, slot, ellipsis := 0, 0, false
	pass := func(n int) { dim, slot = dim+n, slot+n }
	pick := func(t *Tensor, n int) {
		for len(p.tensors) <= slot {
			p.tensors = append(p.tensors, nil)
		}
		p.tensors[slot] = t
		dim, slot = dim+n, slot+1
	}
	step := func(f func(*Tensor) *Tensor) { p.view = p.view.Then(f) }
	truth := func(v bool) { // a dimension that is there or not
		step(func(y *Tensor) *Tensor { return y.Unsqueeze(dim) })
		picked := []int64{}
		if v {
			picked = append(picked, 0)
		}
		pick(p.own(FromSlice(picked).Then(func(t *Tensor) *Tensor { return t.To(x.Device()) })), 1)
	}
	for _, index := range indices {
		switch v := index.(type) {
		case int:
			step(func(y *Tensor) *Tensor { return y.Select(dim, v) })
		case Range:
			if v.step < 1 {
				mistake(nil, "the step of a slice is %d and must be at least 1", v.step)
			}
			if v != All {
				step(func(y *Tensor) *Tensor { return y.SliceDim(dim, v.start, v.stop, v.step) })
			}
			pass(1)
		case bool:
			truth(v)
		case Mark:
			if v == NewAxis {
				step(func(y *Tensor) *Tensor { return y.Unsqueeze(dim) })
				pass(1)
				continue
			}
			if ellipsis {
				mistake(ErrIndex, "Ellipsis stands twice among the indices")
			}
			ellipsis = true
			pass(dims - taken)
		case *Tensor:
			switch d := v.DType(); {
			case v.Dim() > 0 && (d == Bool || d == Uint8):
				pick(v, v.Dim())
			case v.Dim() > 0:
				pick(v, 1)
			case d == Bool || d == Uint8:
				truth(v.Item() != 0)
			case d.IsFloatingPoint() || d.IsComplex():
				mistake(ErrIndex, "a tensor among the indices is %v; it must hold integers or bools", d)
			default:
				step(func(y *Tensor) *Tensor { return y.Select(dim, Item[int](v)) })
			}
		}
	}
	ok = true
	return p
}

func (p *part) own(t *Tensor) *Tensor {
	p.made = append(p.made, t)
	return t
}

// alias returns another tensor over the same memory.
func (x *Tensor) alias() *Tensor {
	var c Call
	c.Tensor(x)
	return c.One(opAlias)
}
