package graph

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// Run computes the outputs of the graph, by a call of each of its operators. Autograd records it where it records other
// calls. It panics with a *torch.Error if the inputs have another number, dtype or shape than those of the graph, since
// the graph's arguments depend on them, and if an operator fails.
func (g *Graph) Run(inputs ...*torch.Tensor) []*torch.Tensor {
	g.check(inputs)
	slots := make([]*torch.Tensor, g.slots)
	for i, v := range g.Inputs {
		slots[v.slot] = inputs[i]
	}
	for _, v := range g.Constants {
		slots[v.slot] = v.Tensor
	}
	value := func(v *Value) *torch.Tensor { return slots[v.slot] }
	for _, n := range g.Nodes {
		results := n.run(value)
		for i, v := range n.Results {
			if v != nil {
				slots[v.slot] = results[i]
			}
		}
		for _, i := range n.dead {
			slots[i].Free()
		}
	}
	outputs := make([]*torch.Tensor, len(g.Outputs))
	for i, v := range g.Outputs {
		outputs[i] = slots[v.slot]
	}
	return outputs
}

// run calls the operator with the tensors that f returns, and returns its tensors.
func (n *Node) run(f func(*Value) *torch.Tensor) []*torch.Tensor {
	var c torch.Call
	for _, a := range n.Args {
		put(&c, a, f)
	}
	results := flat(c.All(operator(n.Op)))
	if len(results) != len(n.Results) {
		fail("%s returned %d tensors, and %d when the graph was made", n.Op, len(results), len(n.Results))
	}
	return results
}

func fail(format string, args ...any) {
	panic(&torch.Error{Op: "graph.Run", Msg: fmt.Sprintf(format, args...)})
}

func (g *Graph) check(inputs []*torch.Tensor) {
	if len(inputs) != len(g.Inputs) {
		fail("%d inputs are given, and the graph has %d", len(inputs), len(g.Inputs))
	}
	for i, x := range inputs {
		v := g.Inputs[i]
		switch {
		case x == nil:
			fail("input %d is nil", i)
		case x.DType() != v.DType || !slices.Equal(x.Shape(), v.Shape):
			fail("input %d is %v%v, and the graph was made for %v%v; make one for these inputs", i, x.DType(), x.Shape(), v.DType, v.Shape)
		}
	}
}

// put adds an argument to a call.
func put(c *torch.Call, a any, f func(*Value) *torch.Tensor) {
	switch a := a.(type) {
	case *Value:
		c.Tensor(f(a))
	case nil:
		c.None()
	case string:
		c.String(a)
	case torch.Device:
		c.Device(a)
	case []any:
		putList(c, a, f)
	default:
		c.Number(a)
	}
}

// putList adds a list, of one of the forms that operators take.
func putList(c *torch.Call, list []any, f func(*Value) *torch.Tensor) {
	if vs, ok := all[int](list); ok {
		c.Ints(vs...)
	} else if vs, ok := all[float64](list); ok {
		c.Floats(vs...)
	} else if vs, ok := all[bool](list); ok {
		c.Bools(vs...)
	} else if len(tensors(list)) > 0 {
		xs := make([]*torch.Tensor, len(list))
		for i, a := range list {
			if v, ok := a.(*Value); ok {
				xs[i] = f(v)
			}
		}
		c.OptTensors(xs)
	} else {
		c.List(len(list))
		for _, a := range list {
			put(c, a, f)
		}
	}
}

// all returns the elements of a list that is not empty, if all have the type.
func all[T any](list []any) ([]T, bool) {
	out := make([]T, len(list))
	for i, a := range list {
		v, ok := a.(T)
		if !ok {
			return nil, false
		}
		out[i] = v
	}
	return out, len(list) > 0
}

// flat returns the tensors of results, and nil for what is none.
func flat(results []torch.Value) (xs []*torch.Tensor) {
	for _, r := range results {
		switch r := r.(type) {
		case []torch.Value:
			xs = append(xs, flat(r)...)
		case *torch.Tensor:
			xs = append(xs, r)
		default:
			xs = append(xs, nil)
		}
	}
	return xs
}
