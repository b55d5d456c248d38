package graph

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/opschema"
)

// New returns the graph of these parts, which belong to it from then on: torch.fx.Graph, made node by node. The error
// says which value has no name or that of another one, or is used before it is computed, which constant has no tensor,
// and which operator there is not.
//
// https://docs.pytorch.org/docs/stable/fx.html#torch.fx.Graph
func New(inputs, constants []*Value, nodes []*Node, outputs []*Value) (*Graph, error) {
	g := &Graph{Inputs: inputs, Constants: constants, Nodes: nodes, Outputs: outputs}
	if err := g.link(); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return g, nil
}

// link gives each value a slot, and finds where a value is used last.
func (g *Graph) link() error {
	l := linker{names: map[string]bool{}, defined: map[*Value]bool{}, last: map[*Value]*Node{}}
	for _, v := range g.Inputs {
		if err := l.define(v); err != nil {
			return err
		}
	}
	for _, v := range g.Constants {
		if err := l.define(v); err != nil {
			return err
		}
		if v.Tensor == nil {
			return fmt.Errorf("the constant %s has no tensor", v.Name)
		}
	}
	for _, n := range g.Nodes {
		if err := l.node(n); err != nil {
			return fmt.Errorf("%s: %w", n.Op, err)
		}
	}
	for _, v := range g.Outputs {
		if !l.defined[v] {
			return fmt.Errorf("the output %s is never computed", v)
		}
		delete(l.last, v)
	}
	for v, n := range l.last {
		n.dead = append(n.dead, v.slot)
	}
	g.slots = l.slots
	return nil
}

type linker struct {
	names   map[string]bool
	defined map[*Value]bool
	last    map[*Value]*Node // of values that nodes compute
	slots   int
}

// define gives a value its slot.
func (l *linker) define(v *Value) error {
	switch {
	case v == nil || v.Name == "":
		return fmt.Errorf("a value has no name")
	case l.names[v.Name]:
		return fmt.Errorf("two values are named %s", v.Name)
	}
	l.names[v.Name], l.defined[v] = true, true
	v.slot = l.slots
	l.slots++
	return nil
}

func (l *linker) node(n *Node) error {
	if err := find(n.Op); err != nil {
		return err
	}
	n.dead = nil
	for _, v := range tensors(n.Args) {
		if !l.defined[v] {
			return fmt.Errorf("the value %s is used before it is computed", v)
		}
		if l.last[v] != nil {
			l.last[v] = n
		}
	}
	for _, v := range n.Results {
		if v == nil {
			continue
		}
		if err := l.define(v); err != nil {
			return err
		}
		l.last[v] = n
	}
	return nil
}

// HasOperator reports whether graphs have a function of numbers or a higher-order operator of this name, or libtorch has
// an operator of this name, such as "aten::add.Tensor".
func HasOperator(name string) bool { return find(name) == nil }

// find returns an error if there is nothing that computes a node of this operator.
func find(op string) error {
	switch {
	case strings.HasPrefix(op, "higher_order::"):
		if higherOrder[op] == nil {
			return errors.New("there is no such higher-order operator")
		}
	case strings.Contains(op, "::"):
		return torch.Try(func() { sizeArgument(op) })
	default:
		if numberFunctions[op].f == nil {
			return errors.New("there is no such function of numbers")
		}
	}
	return nil
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

// sizes are the numbers of arguments that are sizes of new tensors, by the names of operators.
var sizes sync.Map

// sizeArgument returns the number of the argument that is the size of a new tensor, or -1 if there is none.
func sizeArgument(op string) int {
	if i, ok := sizes.Load(op); ok {
		return i.(int)
	}
	schema, err := opschema.Parse(operator(op).Schema())
	if err != nil {
		panic(&torch.Error{Op: op, Msg: err.Error()})
	}
	i := schema.Index("size")
	if i >= 0 && (schema.Args[i].Type.Base != "int" || !schema.Args[i].Type.List()) {
		i = -1
	}
	sizes.Store(op, i)
	return i
}
