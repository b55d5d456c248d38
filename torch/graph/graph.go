// Package graph holds the calls of operators that a function makes as a graph: it is traced, printed, drawn and run.
//
//	nn.Eval(model)
//	g, err := graph.Trace(func(x ...*torch.Tensor) []*torch.Tensor {
//		return []*torch.Tensor{model.Forward(x[0])}
//	}, []*torch.Tensor{torch.Randn(1, 3, 224, 224)})
//	if err != nil {
//		log.Fatal(err)
//	}
//	fmt.Println(g)
//	y := g.Run(x)[0]
//
// It is what torch.fx.Graph is in Python, with the operators of torch.export.
//
// https://docs.pytorch.org/docs/stable/fx.html
// https://docs.pytorch.org/docs/stable/export.html
package graph

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/torch"
)

// A Graph is a list of calls of operators, which compute outputs from inputs and constants. It does not change, and any
// number of goroutines may run it.
type Graph struct {
	Inputs    []*Value
	Constants []*Value // parameters, buffers and other tensors, in the order of their first use
	Nodes     []*Node  // in the order of the calls
	Outputs   []*Value
	slots     int
}

// A Value is a tensor of a graph. The arguments of a [Node] are nil, bool, int, float64, complex128, string,
// torch.Device, a *Value, or a []any of these; dtypes, layouts and memory formats are libtorch's numbers of them.
type Value struct {
	Name   string // unique in the graph
	DType  torch.DType
	Device torch.Device
	Shape  []int
	Tensor *torch.Tensor // of a constant; nil of others
	slot   int           // its place in a run
}

// A Node is a call of an operator.
type Node struct {
	Op      string   // its name with the overload: "aten::add.Tensor"
	Args    []any    // in the order of the schema, see [Value]
	Results []*Value // all tensors of the results, those of lists too; nil where one is no tensor

	dead []int // slots that no later node uses
}

// String returns the graph in a form for reading, a line for each call:
//
//	graph(x0: float32[2, 3]):
//	  linear: float32[2, 4] = aten::linear(x0, weight, bias)
//	  relu: float32[2, 4] = aten::relu(linear)
//	  return relu
func (g *Graph) String() string {
	var b strings.Builder
	inputs := make([]string, len(g.Inputs))
	for i, v := range g.Inputs {
		inputs[i] = v.declaration()
	}
	fmt.Fprintf(&b, "graph(%s):\n", strings.Join(inputs, ", "))
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "  %s\n", n)
	}
	fmt.Fprintf(&b, "  return %s", names(g.Outputs))
	return b.String()
}

// declaration returns the name, dtype and shape.
func (v *Value) declaration() string { return v.Name + ": " + v.kind() }

func (v *Value) kind() string {
	shape := strings.ReplaceAll(fmt.Sprint(v.Shape), " ", ", ")
	if v.Device != torch.CPU {
		shape += " " + string(v.Device)
	}
	return v.DType.String() + shape
}

// String returns the name.
func (v *Value) String() string { return v.Name }

func names(vs []*Value) string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = v.Name
	}
	return strings.Join(out, ", ")
}

// String returns the line of a call.
func (n *Node) String() string {
	results := make([]string, len(n.Results))
	for i, v := range n.Results {
		results[i] = "_"
		if v != nil {
			results[i] = v.declaration()
		}
	}
	args := make([]string, len(n.Args))
	for i, a := range n.Args {
		args[i] = argument(a)
	}
	text := n.Op + "(" + strings.Join(args, ", ") + ")"
	if len(results) > 0 {
		text = strings.Join(results, ", ") + " = " + text
	}
	return text
}

// argument returns an argument as Python writes it.
func argument(a any) string {
	switch a := a.(type) {
	case nil:
		return "None"
	case bool:
		if a {
			return "True"
		}
		return "False"
	case string, torch.Device:
		return fmt.Sprintf("%q", a)
	case float64:
		s := strconv.FormatFloat(a, 'g', -1, 64)
		if !strings.ContainsAny(s, ".eInN") {
			s += ".0"
		}
		return s
	case []any:
		out := make([]string, len(a))
		for i, e := range a {
			out[i] = argument(e)
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	return fmt.Sprint(a)
}

// tensors returns the tensors in an argument, in order.
func tensors(a any) (vs []*Value) {
	switch a := a.(type) {
	case *Value:
		return []*Value{a}
	case []any:
		for _, e := range a {
			vs = append(vs, tensors(e)...)
		}
	}
	return vs
}

// link gives each value a slot, and finds where a value is used last.
func (g *Graph) link() {
	last := map[*Value]*Node{}
	slots := 0
	add := func(v *Value) {
		v.slot = slots
		slots++
	}
	for _, v := range slices.Concat(g.Inputs, g.Constants) {
		add(v)
	}
	for _, n := range g.Nodes {
		n.dead = nil
		for _, v := range n.Results {
			if v != nil {
				add(v)
				last[v] = n
			}
		}
		for _, v := range tensors(n.Args) {
			if last[v] != nil {
				last[v] = n
			}
		}
	}
	for _, v := range g.Outputs {
		delete(last, v)
	}
	for v, n := range last {
		n.dead = append(n.dead, v.slot)
	}
	g.slots = slots
}

// operators are the operators of all graphs, by name: libtorch's part of one is never freed.
var operators sync.Map

func operator(name string) *torch.Op {
	if op, ok := operators.Load(name); ok {
		return op.(*torch.Op)
	}
	base, overload, _ := strings.Cut(name, ".")
	op, _ := operators.LoadOrStore(name, torch.NewOp(base, overload))
	return op.(*torch.Op)
}
