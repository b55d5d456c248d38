package graph

import (
	"slices"
	"strings"
)

// clean replaces the many operators that make views by few: aten::reshape, aten::permute, aten::slice.Tensor and
// aten::expand, and removes what computes nothing: dropout in eval mode, copies, and views that are their argument.
func (e *editor) clean() {
	makers := map[*Value]*Node{}
	e.rewrite(func(n *Node) []*Node {
		nodes := e.cleaned(n, makers)
		for _, n := range nodes {
			for _, v := range n.Results {
				makers[v] = n
			}
		}
		return nodes
	})
}

// cleaned returns what computes the results of n.
func (e *editor) cleaned(n *Node, makers map[*Value]*Node) []*Node {
	x := n.tensor(0)
	if x == nil || len(n.Results) == 0 || slices.Contains(n.Results, nil) {
		return []*Node{n}
	}
	y := n.Results[0]
	base, _, _ := strings.Cut(n.Op, ".")
	rank := len(x.Shape)
	dim := func(i int) int { return from(n.integer(i, 0), rank) }
	switch base {
	case "aten::dropout", "aten::feature_dropout", "aten::alpha_dropout", "aten::feature_alpha_dropout":
		if n.Args[2] == false {
			return e.same(n, x)
		}
	case "aten::contiguous", "aten::clone", "aten::detach", "aten::alias", "aten::lift_fresh", "aten::positive":
		return e.same(n, x)
	case "aten::to", "aten::type_as":
		if y.DType == x.DType && y.Device == x.Device {
			return e.same(n, x)
		}
	case "aten::adaptive_avg_pool2d":
		if slices.Equal(x.Shape, y.Shape) {
			return e.same(n, x)
		}
	case "aten::view", "aten::_unsafe_view", "aten::reshape", "aten::flatten", "aten::unflatten", "aten::unsqueeze", "aten::squeeze", "aten::view_as", "aten::reshape_as", "aten::ravel":
		if n.Op != "aten::view.dtype" && n.Op != "aten::flatten.named_out_dim" {
			return e.reshaped(x, y, makers)
		}
	case "aten::permute":
		var order []int
		for _, d := range n.integers(1) {
			order = append(order, from(d, rank))
		}
		return e.permuted(x, y, order, makers)
	case "aten::transpose", "aten::swapaxes", "aten::swapdims":
		order := count(rank)
		order[dim(1)], order[dim(2)] = order[dim(2)], order[dim(1)]
		return e.permuted(x, y, order, makers)
	case "aten::t":
		order := count(rank)
		slices.Reverse(order)
		return e.permuted(x, y, order, makers)
	case "aten::expand", "aten::expand_as", "aten::broadcast_to":
		if slices.Equal(x.Shape, y.Shape) {
			return e.same(n, x)
		}
		return []*Node{{Op: "aten::expand", Args: []any{x, anys(y.Shape...), false}, Results: n.Results}}
	case "aten::slice":
		return e.sliced(n, dim(1), n.integer(2, 0), n.integer(4, 1))
	case "aten::narrow":
		if n.Op == "aten::narrow" {
			return e.sliced(n, dim(1), n.integer(2, 0), 1)
		}
	case "aten::chunk", "aten::split", "aten::split_with_sizes", "aten::unsafe_chunk", "aten::unsafe_split":
		return e.sliced(n, dim(2), 0, 1)
	case "aten::unbind":
		return e.selected(n, dim(1), 0)
	case "aten::select":
		if n.Op == "aten::select.int" {
			return e.selected(n, dim(1), from(n.integer(2, 0), x.Shape[dim(1)]))
		}
	}
	return []*Node{n}
}

// same makes the result of n be x.
func (e *editor) same(n *Node, x *Value) []*Node {
	e.become[n.Results[0]] = x
	return nil
}

// reshaped makes y of x by a reshape, or of what x is a reshape of.
func (e *editor) reshaped(x, y *Value, makers map[*Value]*Node) []*Node {
	if m := makers[x]; m != nil && m.Op == "aten::reshape" {
		x = m.tensor(0)
	}
	if slices.Equal(x.Shape, y.Shape) {
		e.become[y] = x
		return nil
	}
	return []*Node{{Op: "aten::reshape", Args: []any{x, anys(y.Shape...)}, Results: []*Value{y}}}
}

// permuted makes y of x by a permutation, or of what x is a permutation of. One that only moves dimensions of one element
// is a reshape.
func (e *editor) permuted(x, y *Value, order []int, makers map[*Value]*Node) []*Node {
	if m := makers[x]; m != nil && m.Op == "aten::permute" {
		x = m.tensor(0)
		first := m.integers(1)
		order = slices.Clone(order)
		for i, d := range order {
			order[i] = first[d]
		}
	}
	large := slices.DeleteFunc(slices.Clone(order), func(d int) bool { return x.Shape[d] == 1 })
	if slices.IsSorted(large) {
		return e.reshaped(x, y, makers)
	}
	return []*Node{{Op: "aten::permute", Args: []any{x, anys(order...)}, Results: []*Value{y}}}
}

// sliced makes each result of n by a slice of its argument along a dimension, one behind the other.
func (e *editor) sliced(n *Node, dim, start, step int) (nodes []*Node) {
	x := n.tensor(0)
	size := x.Shape[dim]
	start = min(max(from(start, size), 0), size)
	for _, y := range n.Results {
		length := y.Shape[dim]
		if length == size {
			e.become[y] = x
			continue
		}
		end := min(start+length*step, size)
		nodes = append(nodes, &Node{Op: "aten::slice.Tensor", Args: []any{x, dim, start, end, step}, Results: []*Value{y}})
		start = end
	}
	return nodes
}

// selected makes each result of n by a slice of its argument, of one index, and a reshape.
func (e *editor) selected(n *Node, dim, index int) (nodes []*Node) {
	x := n.tensor(0)
	for i, y := range n.Results {
		part := x
		if x.Shape[dim] > 1 {
			shape := slices.Clone(x.Shape)
			shape[dim] = 1
			part = e.value(x, y.Name, shape...)
			nodes = append(nodes, &Node{Op: "aten::slice.Tensor", Args: []any{x, dim, index + i, index + i + 1, 1}, Results: []*Value{part}})
		}
		nodes = append(nodes, &Node{Op: "aten::reshape", Args: []any{part, anys(y.Shape...)}, Results: []*Value{y}})
	}
	return nodes
}

// count returns 0, 1, … n-1.
func count(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
