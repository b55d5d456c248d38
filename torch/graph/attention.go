package graph

import (
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// attention is the operator that chains of others become.
const attention = "aten::scaled_dot_product_attention"

// recognizeAttention replaces what computes softmax(q·kᵀ·scale + mask)·v by one operator, and multi-head attention by it and
// linear layers. The graph must be clean.
func (e *editor) recognizeAttention() {
	uses, makers := e.uses(), e.makers()
	e.rewrite(func(n *Node) []*Node {
		nodes := []*Node{n}
		switch n.Op {
		case "aten::_native_multi_head_attention":
			nodes = e.multiHead(n, uses)
		case "aten::matmul", "aten::bmm":
			c := &chain{maker{e: e}, uses, makers}
			nodes = c.replace(n)
		}
		return nodes
	})
}

// A maker appends nodes for values.
type maker struct {
	e     *editor
	nodes []*Node
}

func (m *maker) call(op, name string, like *Value, shape []int, args ...any) *Value {
	y := m.e.value(like, name, shape...)
	m.nodes = append(m.nodes, &Node{Op: op, Args: args, Results: []*Value{y}})
	return y
}

// multiHead returns what computes self-attention of torch.nn.MultiheadAttention.
func (e *editor) multiHead(n *Node, uses map[*Value]int) []*Node {
	x := n.tensor(0)
	if n.tensor(1) != x || n.tensor(2) != x || n.tensor(9) != nil || used(n.Results[1:], uses) {
		return []*Node{n}
	}
	m := &maker{e: e}
	batch, length, width, heads := x.Shape[0], x.Shape[1], n.integer(3, 0), n.integer(4, 0)
	qkv := m.call("aten::linear", "linear", x, []int{batch, length, 3 * width}, x, n.Args[5], n.Args[6])
	var parts []any
	for i := range 3 {
		part := m.call("aten::slice.Tensor", "slice", x, x.Shape, qkv, 2, i*width, (i+1)*width, 1)
		split := []int{batch, length, heads, width / heads}
		part = m.call("aten::reshape", "reshape", x, split, part, anys(split...))
		parts = append(parts, m.call("aten::permute", "permute", x, []int{batch, heads, length, width / heads}, part, anys(0, 2, 1, 3)))
	}
	y := m.call(attention, "scaled_dot_product_attention", x, []int{batch, heads, length, width / heads}, append(parts, nil, 0.0, false, nil, false)...)
	y = m.call("aten::permute", "permute", x, []int{batch, length, heads, width / heads}, y, anys(0, 2, 1, 3))
	y = m.call("aten::reshape", "reshape", x, x.Shape, y, anys(x.Shape...))
	return append(m.nodes, &Node{Op: "aten::linear", Args: []any{y, n.Args[7], n.Args[8]}, Results: n.Results[:1]})
}

// A chain is what leads to a node.
type chain struct {
	maker
	uses   map[*Value]int
	makers map[*Value]*Node
}

// add appends nodes.
func (c *chain) add(nodes []*Node) {
	c.nodes = append(c.nodes, nodes...)
	for _, n := range nodes {
		c.makers[n.Results[0]] = n
	}
}

// before returns the node that makes v, if only one node uses v.
func (c *chain) before(v *Value) *Node {
	if v == nil || c.uses[v] != 1 {
		return nil
	}
	return c.makers[v]
}

// replace returns attention if n is its last product, and n otherwise.
func (c *chain) replace(n *Node) []*Node {
	no := []*Node{n}
	softmax := c.before(n.tensor(0))
	if softmax == nil || softmax.Op != "aten::softmax.int" && softmax.Op != "aten::_softmax" || len(n.Results[0].Shape) < 3 {
		return no
	}
	weights := softmax.Results[0]
	if d := from(softmax.integer(1, 0), len(weights.Shape)); d != len(weights.Shape)-1 || softmax.Args[2] != nil && softmax.Args[2] != false {
		return no
	}
	var steps []*Node // between the products, the last one first
	scores := c.before(softmax.tensor(0))
	for scores != nil && scores.Op != "aten::matmul" && scores.Op != "aten::bmm" && scores.Op != "aten::baddbmm" {
		steps = append(steps, scores)
		scores = c.before(c.dynamic(scores))
	}
	if scores == nil || scores.Op == "aten::baddbmm" || !slices.Equal(scores.Results[0].Shape, weights.Shape) {
		return no
	}
	a, ok := c.added(steps, scores.Results[0].Shape)
	if !ok {
		return no
	}
	q, s := c.unscaled(scores.tensor(0))
	kt, r := c.unscaled(scores.tensor(1))
	a.scale *= s * r
	v := n.tensor(1)
	rank := len(weights.Shape)
	if len(q.Shape) != rank || len(kt.Shape) != rank || len(v.Shape) != rank {
		return no
	}
	swap := count(rank)
	swap[rank-1], swap[rank-2] = rank-2, rank-1
	shape := slices.Clone(kt.Shape)
	shape[rank-1], shape[rank-2] = shape[rank-2], shape[rank-1]
	k := c.e.value(kt, "key", shape...)
	c.add(c.e.permuted(kt, k, swap, c.makers))
	var m any
	if a.mask != nil {
		m = c.e.constant(a.mask, "mask")
	}
	if a.heads != nil {
		q = c.call("aten::mul.Tensor", "query", q, q.Shape, q, c.e.constant(a.heads, "scale"))
	}
	return append(c.nodes, &Node{Op: attention, Args: []any{q, c.e.latest(k), v, m, 0.0, false, a.scale, false}, Results: n.Results})
}

// dynamic returns the one argument of a step that is no constant, or nil.
func (c *chain) dynamic(n *Node) (v *Value) {
	for _, a := range tensors(n.Args) {
		if a.Tensor == nil {
			if v != nil {
				return nil
			}
			v = a
		}
	}
	return v
}

// added is what becomes of products of queries and keys: they are multiplied by scale, and those of each head by heads, and the
// mask is added. heads and mask are nil without.
type added struct {
	scale       float64
	heads, mask *torch.Tensor
	reshaped    bool // heads may be another dimension now
}

// added returns what becomes of products of a shape in steps, of which the last comes first.
func (c *chain) added(steps []*Node, shape []int) (a added, ok bool) {
	a.scale = 1
	lasting(func() (none struct{}) {
		for _, n := range slices.Backward(steps) {
			if n.Op == "aten::reshape" {
				a.reshaped = true
				if a.mask != nil {
					a.mask = a.mask.Expand(shape...).Reshape(n.Results[0].Shape...)
				}
				shape = n.Results[0].Shape
			} else if !slices.Equal(n.Results[0].Shape, shape) || !a.step(n, len(shape)) {
				return
			}
		}
		ok = true
		return
	})
	return a, ok
}

// step adds a step on products of some dimensions, and reports whether it is one of those that attention has.
func (a *added) step(n *Node, rank int) bool {
	base, _, _ := strings.Cut(n.Op, ".")
	x, y := n.tensor(0), n.tensor(1)
	switch base {
	case "aten::mul", "aten::div":
		if f, ok := number(n.Args[1]); ok && x.Tensor == nil {
			if base == "aten::div" {
				f = 1 / f
			}
			a.scale *= f
			if a.mask != nil {
				a.mask = a.mask.MulScalar(f)
			}
			return true
		}
		if y == nil || y.Tensor == nil { // it is symmetric
			x, y = y, x
		}
		if base == "aten::div" || a.reshaped || y == nil || y.Tensor == nil || y.DType != torch.Float32 || len(y.Shape) < 2 || product(y.Shape[len(y.Shape)-2:]...) != 1 {
			return false
		}
		if a.heads == nil {
			a.heads = torch.OnesLike(y.Tensor)
		}
		a.heads = a.heads.Mul(y.Tensor)
		if a.mask != nil {
			a.mask = a.mask.Mul(y.Tensor)
		}
		return true
	case "aten::add":
		if x.Tensor != nil {
			y = x
		}
		if y == nil || y.Tensor == nil || y.DType != torch.Float32 || n.Args[2] != 1 {
			return false
		}
		if a.mask == nil {
			a.mask = y.Tensor.Reshape(append(ones(max(rank-len(y.Shape), 0)), y.Shape...)...)
		} else {
			a.mask = a.mask.Add(y.Tensor)
		}
		return true
	}
	return false
}

// unscaled returns what v is a multiple of, and the factor.
func (c *chain) unscaled(v *Value) (*Value, float64) {
	n := c.makers[v]
	if n == nil {
		return v, 1
	}
	switch n.Op {
	case "aten::mul.Tensor", "aten::mul.Scalar", "aten::div.Tensor", "aten::div.Scalar":
		f, ok := number(n.Args[1])
		if !ok || n.tensor(0) == nil || n.tensor(0).Tensor != nil {
			return v, 1
		}
		if n.Op[6:9] == "div" {
			f = 1 / f
		}
		x, g := c.unscaled(n.tensor(0))
		return x, f * g
	case "aten::permute":
		if x, f := c.unscaled(n.tensor(0)); f != 1 {
			y := c.e.value(v, n.Results[0].Name, v.Shape...)
			c.add(c.e.permuted(x, y, n.integers(1), c.makers))
			return c.e.latest(y), f
		}
	}
	return v, 1
}

// number returns a number, or the one element of a constant.
func number(a any) (float64, bool) {
	switch a := a.(type) {
	case int:
		return float64(a), true
	case float64:
		return a, true
	case *Value:
		if a.Tensor != nil && len(a.Shape) == 0 {
			return a.Tensor.Item(), true
		}
	}
	return 0, false
}
