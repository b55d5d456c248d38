package graph

import (
	"fmt"
	"math/bits"

	"github.com/torchhub/torchhub/torch"
)

// Run computes the outputs of the graph, by a call of each of its operators. Autograd records it where it records other
// calls. It panics with a *torch.Error if the inputs have another number, dtype or shape than those of the graph, since
// the graph's arguments depend on them, and if an operator fails. A graph with inputs or outputs that are numbers is
// called by [Graph.Call].
func (g *Graph) Run(inputs ...*torch.Tensor) []*torch.Tensor {
	in := make([]torch.Value, len(inputs))
	for i, x := range inputs {
		in[i] = x
	}
	out := g.Call(in...)
	outputs := make([]*torch.Tensor, len(out))
	for i, y := range out {
		x, ok := y.(*torch.Tensor)
		if !ok {
			fail("output %d is a number; use Call", i)
		}
		outputs[i] = x
	}
	return outputs
}

// Call is [Graph.Run] where inputs and outputs may be numbers: an int, a float64 or a bool.
func (g *Graph) Call(inputs ...torch.Value) []torch.Value {
	g.check(inputs)
	return g.run(inputs)
}

func (g *Graph) run(inputs []any) []any {
	slots := make([]any, g.slots)
	for i, v := range g.Inputs {
		slots[v.slot] = inputs[i]
	}
	for _, v := range g.Constants {
		slots[v.slot] = v.Tensor
	}
	value := func(v *Value) any { return slots[v.slot] }
	for _, n := range g.Nodes {
		results := n.run(value)
		for i, v := range n.Results {
			if v != nil {
				v.take(results[i], n.Op)
				slots[v.slot] = results[i]
			}
		}
		for _, i := range n.dead {
			if x, ok := slots[i].(*torch.Tensor); ok {
				x.Free()
			}
		}
	}
	outputs := make([]any, len(g.Outputs))
	for i, v := range g.Outputs {
		outputs[i] = slots[v.slot]
	}
	return outputs
}

func fail(format string, args ...any) {
	panic(&torch.Error{Op: "graph.Run", Msg: fmt.Sprintf(format, args...)})
}

// take checks that a result is of the kind that the value is.
func (v *Value) take(result any, op string) {
	ok := false
	switch result.(type) {
	case *torch.Tensor:
		ok = v.Number == ""
	case int:
		ok = v.Number == "int" || v.Number == "float"
	case float64:
		ok = v.Number == "float"
	case bool:
		ok = v.Number == "bool"
	case nil: // a tensor that is not defined
		ok = v.Number == ""
	}
	if !ok {
		fail("%s returned a %T, and %s is a %s", op, result, v.Name, v.kind())
	}
}

func (g *Graph) check(inputs []any) {
	if len(inputs) != len(g.Inputs) {
		fail("%d inputs are given, and the graph has %d", len(inputs), len(g.Inputs))
	}
	for i, in := range inputs {
		v := g.Inputs[i]
		if v.Number != "" {
			v.take(in, fmt.Sprintf("the caller's input %d", i))
			continue
		}
		x, ok := in.(*torch.Tensor)
		switch {
		case in == nil || ok && x == nil:
			fail("input %d is nil", i)
		case !ok:
			fail("input %d is a %T, and the graph was made for a tensor", i, in)
		case x.DType() != v.DType || !v.fits(x.Shape()):
			given := Value{DType: x.DType(), Device: x.Device(), Shape: x.Shape()}
			fail("input %d is %v, and the graph was made for %v; make one for these inputs", i, given.kind(), v.kind())
		}
	}
}

// fits reports whether a shape is one of the value's.
func (v *Value) fits(shape []int) bool {
	if len(shape) != len(v.Shape) {
		return false
	}
	for i, n := range v.Shape {
		if n != -1 && n != shape[i] {
			return false
		}
	}
	return true
}

// run calls the operator with what f returns for values, and returns its tensors and numbers.
func (n *Node) run(f func(*Value) any) (results []any) {
	if h := higherOrder[n.Op]; h != nil {
		results = h(n, f)
	} else if number, ok := numberFunctions[n.Op]; ok {
		results = []any{number.of(n, f)}
	} else {
		results = n.dispatch(f)
	}
	if len(results) != len(n.Results) {
		fail("%s returned %d values, and %d when the graph was made", n.Op, len(results), len(n.Results))
	}
	return results
}

// dispatch calls an operator of libtorch.
func (n *Node) dispatch(f func(*Value) any) []any {
	var c torch.Call
	size := sizeArgument(n.Op)
	for i, a := range n.Args {
		if i == size {
			checkSize(a, f)
		}
		put(&c, a, f)
	}
	return flat(c.All(operator(n.Op)))
}

// checkSize refuses the size of a tensor whose number of elements overflows.
func checkSize(a any, f func(*Value) any) {
	list, _ := a.([]any)
	numel := uint64(1)
	for _, e := range list {
		n, _ := valueOf(e, f).(int)
		hi, lo := bits.Mul64(numel, uint64(max(n, 1)))
		if hi > 0 || lo >= 1<<58 { // libtorch multiplies by the bytes of an element, at most 16, without a check
			fail("a tensor of so many elements is too large for any memory")
		}
		numel = lo
	}
}

// valueOf returns an argument, or what a value is in a run.
func valueOf(a any, f func(*Value) any) any {
	if v, ok := a.(*Value); ok {
		return f(v)
	}
	return a
}

// put adds an argument to a call.
func put(c *torch.Call, a any, f func(*Value) any) {
	switch a := valueOf(a, f).(type) {
	case *torch.Tensor:
		c.Tensor(a)
	case nil:
		c.None()
	case string:
		c.String(a)
	case torch.Device:
		c.Device(a)
	case []any:
		putList(c, a, f)
	case *Graph:
		fail("a graph is an argument of an operator that takes none")
	default:
		c.Number(a)
	}
}

// putList adds a list, of one of the forms that operators take.
func putList(c *torch.Call, list []any, f func(*Value) any) {
	values := make([]any, len(list))
	tensors := 0
	for i, e := range list {
		values[i] = valueOf(e, f)
		if _, ok := values[i].(*torch.Tensor); ok {
			tensors++
		}
	}
	if vs, ok := all[int](values); ok {
		c.Ints(vs...)
	} else if vs, ok := all[float64](values); ok {
		c.Floats(vs...)
	} else if vs, ok := all[bool](values); ok {
		c.Bools(vs...)
	} else if tensors > 0 {
		xs := make([]*torch.Tensor, len(list))
		for i, v := range values {
			xs[i], _ = v.(*torch.Tensor)
		}
		c.OptTensors(xs)
	} else {
		c.List(len(list))
		for _, v := range values {
			put(c, v, f)
		}
	}
}

// all returns the elements of a list that is not empty, if all have the type.
func all[T any](list []any) ([]T, bool) {
	out := make([]T, 0, len(list))
	for _, a := range list {
		v, ok := a.(T)
		if !ok {
			return nil, false
		}
		out = append(out, v)
	}
	return out, len(list) > 0
}

// flat returns the tensors and numbers of results, and nil for what is neither.
func flat(results []torch.Value) (out []any) {
	for _, r := range results {
		switch r := r.(type) {
		case []torch.Value:
			out = append(out, flat(r)...)
		case torch.Tuple:
			out = append(out, flat(r)...)
		case *torch.Tensor, int, float64, bool:
			out = append(out, r)
		default:
			out = append(out, nil)
		}
	}
	return out
}
