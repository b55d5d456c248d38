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
// Package torch/export reads graphs of torch.export. It is what torch.fx.Graph is in Python, with the operators of torch.export.
//
// https://docs.pytorch.org/docs/stable/fx.html
// https://docs.pytorch.org/docs/stable/export.html
package graph

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// A Graph is a list of calls of operators, which compute outputs from inputs and constants. It does not change, and any
// number of goroutines may run it, unless its operators write to constants.
type Graph struct {
	Inputs    []*Value
	Constants []*Value // parameters, buffers and other tensors, in the order of their first use
	Nodes     []*Node  // in the order of the calls
	Outputs   []*Value
	slots     int
}

// A Value is a tensor or a number of a graph. The arguments of a [Node] are nil, bool, int, float64, complex128, string,
// torch.Device, a *Value, a *Graph, or a []any of these; dtypes, layouts and memory formats are libtorch's numbers of them.
type Value struct {
	Name    string // unique in the graph
	Number  string // "int", "float" or "bool" of a number: torch.SymInt, SymFloat and SymBool; "" of a tensor
	DType   torch.DType
	Device  torch.Device
	Shape   []int         // -1 where a size depends on the inputs
	Symbols []string      // of each size that is -1, what it is: "s77", "2*s77"; nil where no size is
	Tensor  *torch.Tensor // of a constant; nil of others
	slot    int           // its place in a run
	own     bool          // of a constant: the tensor is this graph's alone
}

// A Node is a call of an operator.
type Node struct {
	// Op is the name with the overload: "aten::add.Tensor". Numbers are computed by Python's functions, such as
	// "operator.add" and "torch.sym_max", and a part of the graph is run by "higher_order::cond" and the like.
	Op      string
	Args    []any    // in the order of the schema, see [Value]
	Results []*Value // all tensors of the results, those of lists too, and numbers; nil where one is neither

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
	if v.Number != "" {
		return v.Number
	}
	sizes := make([]string, len(v.Shape))
	for i, n := range v.Shape {
		if sizes[i] = strconv.Itoa(n); n == -1 && i < len(v.Symbols) {
			sizes[i] = v.Symbols[i]
		}
	}
	shape := "[" + strings.Join(sizes, ", ") + "]"
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
	case *Graph:
		return "{" + strings.ReplaceAll(a.String(), "\n", "\n    ") + "\n  }"
	}
	return fmt.Sprint(a)
}

// tensors returns the tensors and numbers in an argument, in order.
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
