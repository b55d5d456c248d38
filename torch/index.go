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

	op       string
	x        *Tensor
	dim      int  // of the view, which the next index applies to
	slot     int  // among tensors, where it goes
	rest     int  // the dimensions that Ellipsis takes
	ellipsis bool // was among the indices
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
	indices = slices.Clone(indices)
	p := &part{op: op, x: x, view: x.alias()}
	ok := false
	defer func() {
		if !ok {
			p.free()
		}
	}()
	taken := p.prepare(indices)
	p.rest = x.Dim() - taken
	if p.rest < 0 {
		p.mistake(ErrIndex, "%d indices are too many for a tensor of %d dimensions", taken, x.Dim())
	}
	for _, index := range indices {
		p.apply(index)
	}
	ok = true
	return p
}

// prepare checks the types of the indices, replaces lists by tensors, and
// returns how many dimensions of x those other than Ellipsis take.
func (p *part) prepare(indices []any) (taken int) {
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
				p.mistake(ErrNil, "index %d is a nil tensor", i)
			}
			if d := v.DType(); d == Bool || d == Uint8 {
				taken += v.Dim()
			} else {
				taken++
			}
		default:
			p.mistake(nil, "index %d is a %T; it must be an int, a Slice, All, Ellipsis, NewAxis, a bool, a tensor, []int or []bool", i, index)
		}
	}
	return taken
}

// apply applies an index to the view or collects it.
func (p *part) apply(index any) {
	switch v := index.(type) {
	case int:
		p.step(func(y *Tensor) *Tensor { return y.Select(p.dim, v) })
	case Range:
		if v.step < 1 {
			p.mistake(nil, "the step of a slice is %d and must be at least 1", v.step)
		}
		if v != All {
			p.step(func(y *Tensor) *Tensor { return y.SliceDim(p.dim, v.start, v.stop, v.step) })
		}
		p.pass(1)
	case bool:
		p.truth(v)
	case Mark:
		switch {
		case v == NewAxis:
			p.newAxis()
			p.pass(1)
		case p.ellipsis:
			p.mistake(ErrIndex, "Ellipsis stands twice among the indices")
		default:
			p.ellipsis = true
			p.pass(p.rest)
		}
	case *Tensor:
		p.applyTensor(v)
	}
}

// applyTensor collects a tensor. One of no dimensions is an int or a bool.
func (p *part) applyTensor(t *Tensor) {
	switch d := t.DType(); {
	case t.Dim() > 0 && (d == Bool || d == Uint8):
		p.pick(t, t.Dim())
	case t.Dim() > 0:
		p.pick(t, 1)
	case d == Bool || d == Uint8:
		p.truth(t.Item() != 0)
	case d.IsFloatingPoint() || d.IsComplex():
		p.mistake(ErrIndex, "a tensor among the indices is %v; it must hold integers or bools", d)
	default:
		p.step(func(y *Tensor) *Tensor { return y.Select(p.dim, Item[int](t)) })
	}
}

// step replaces the view.
func (p *part) step(f func(*Tensor) *Tensor) { p.view = p.view.Then(f) }

// pass leaves n dimensions of the view as they are.
func (p *part) pass(n int) { p.dim, p.slot = p.dim+n, p.slot+n }

// pick collects a tensor. A mask takes one place among the tensors and as many dimensions as it has.
func (p *part) pick(t *Tensor, dims int) {
	for len(p.tensors) <= p.slot {
		p.tensors = append(p.tensors, nil)
	}
	p.tensors[p.slot] = t
	p.dim, p.slot = p.dim+dims, p.slot+1
}

// truth applies a bool: a new dimension, of which all or nothing is picked.
func (p *part) truth(v bool) {
	p.newAxis()
	picked := []int64{}
	if v {
		picked = append(picked, 0)
	}
	p.pick(p.own(FromSlice(picked).Then(func(t *Tensor) *Tensor { return t.To(p.x.Device()) })), 1)
}

func (p *part) newAxis() {
	p.step(func(y *Tensor) *Tensor { return y.Unsqueeze(p.dim) })
}

func (p *part) mistake(kind error, format string, args ...any) {
	panic(&Error{Op: p.op, Args: p.x.describe(), Msg: fmt.Sprintf(format, args...), kind: kind})
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
