package graph

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// An editor changes a copy of a graph. Until it is done, values may be made and dropped at will.
type editor struct {
	*Graph
	names  namer
	become map[*Value]*Value // what is used in place of a value
}

// edit returns an editor of a copy of the graph, whose values are new.
func (g *Graph) edit() *editor {
	e := &editor{&Graph{}, namer{taken: map[string]bool{}}, map[*Value]*Value{}}
	copies := map[*Value]*Value{}
	each := func(vs []*Value) []*Value {
		out := make([]*Value, len(vs))
		for i, v := range vs {
			if v == nil {
				continue
			}
			if copies[v] == nil {
				c := *v
				copies[v] = &c
				e.names.taken[v.Name] = true
			}
			out[i] = copies[v]
		}
		return out
	}
	e.Inputs, e.Constants = each(g.Inputs), each(g.Constants)
	for _, n := range g.Nodes {
		args := mapped(n.Args, func(v *Value) *Value { return copies[v] }).([]any)
		e.Nodes = append(e.Nodes, &Node{Op: n.Op, Args: args, Results: each(n.Results)})
	}
	e.Outputs = each(g.Outputs)
	return e
}

// mapped returns an argument with other values.
func mapped(a any, f func(*Value) *Value) any {
	switch a := a.(type) {
	case *Value:
		return f(a)
	case []any:
		out := make([]any, len(a))
		for i, e := range a {
			out[i] = mapped(e, f)
		}
		return out
	}
	return a
}

// value returns a new value like another, with a shape.
func (e *editor) value(like *Value, name string, shape ...int) *Value {
	return &Value{Name: e.names.name(name), DType: like.DType, Device: like.Device, Shape: shape}
}

// constant returns a new constant. The tensor belongs to the graph from now on.
func (e *editor) constant(x *torch.Tensor, name string) *Value {
	v := &Value{Name: e.names.name(name), DType: x.DType(), Device: x.Device(), Shape: x.Shape(), Tensor: x, own: true}
	e.Constants = append(e.Constants, v)
	return v
}

// latest returns what is used in place of v.
func (e *editor) latest(v *Value) *Value {
	for e.become[v] != nil {
		v = e.become[v]
	}
	return v
}

// rewrite replaces each node by those that f returns. f sees arguments as they are after what it did to the nodes before,
// and may set what becomes of a value.
func (e *editor) rewrite(f func(n *Node) []*Node) {
	var nodes []*Node
	for _, n := range e.Nodes {
		n.Args = mapped(n.Args, e.latest).([]any)
		nodes = append(nodes, f(n)...)
	}
	e.Nodes = nodes
	for i, v := range e.Outputs {
		e.Outputs[i] = e.latest(v)
	}
	clear(e.become)
	e.sweep()
}

// sweep removes nodes and constants that no output depends on. All nodes must be without effects.
func (e *editor) sweep() {
	used := map[*Value]bool{}
	for _, v := range e.Outputs {
		used[v] = true
	}
	var nodes []*Node
	for _, n := range slices.Backward(e.Nodes) {
		if !slices.ContainsFunc(n.Results, func(v *Value) bool { return used[v] }) {
			continue
		}
		nodes = append(nodes, n)
		for _, v := range tensors(n.Args) {
			used[v] = true
		}
	}
	slices.Reverse(nodes)
	e.Nodes = nodes
	e.keep(func(v *Value) bool { return used[v] })
}

// keep removes the constants for which f is false, and frees those of them that are the graph's own.
func (g *Graph) keep(f func(v *Value) bool) {
	kept := map[*torch.Tensor]bool{}
	var gone []*torch.Tensor
	var constants []*Value
	for _, v := range g.Constants {
		if f(v) {
			kept[v.Tensor] = true
			constants = append(constants, v)
		} else if v.own {
			gone = append(gone, v.Tensor)
		}
	}
	g.Constants = constants
	for _, x := range gone {
		if !kept[x] {
			x.Free()
		}
	}
}

// uses returns how often each value is used, by nodes and as an output.
func (g *Graph) uses() map[*Value]int {
	uses := map[*Value]int{}
	for _, n := range g.Nodes {
		for _, v := range tensors(n.Args) {
			uses[v]++
		}
	}
	for _, v := range g.Outputs {
		uses[v]++
	}
	return uses
}

// makers returns the node that makes each value.
func (g *Graph) makers() map[*Value]*Node {
	of := map[*Value]*Node{}
	for _, n := range g.Nodes {
		for _, v := range n.Results {
			if v != nil {
				of[v] = n
			}
		}
	}
	return of
}

// tensor returns argument i if it is a tensor, or nil.
func (n *Node) tensor(i int) *Value {
	if i >= len(n.Args) {
		return nil
	}
	v, _ := n.Args[i].(*Value)
	return v
}

// integer returns argument i if it is an int, or a default if it is None.
func (n *Node) integer(i, otherwise int) int {
	if v, ok := n.Args[i].(int); ok {
		return v
	}
	return otherwise
}

// integers returns argument i if it is a list of ints.
func (n *Node) integers(i int) []int {
	list, _ := n.Args[i].([]any)
	vs, _ := all[int](list)
	return vs
}

// anys returns a list as an argument.
func anys(vs ...int) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = v
	}
	return out
}

// from returns a dimension or an index, which may count from the end.
func from(i, n int) int {
	if i < 0 {
		return i + n
	}
	return i
}

func product(vs ...int) int {
	p := 1
	for _, v := range vs {
		p *= v
	}
	return p
}
