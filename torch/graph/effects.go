package graph

import (
	"fmt"
	"slices"
	"strings"
)

// Some operators return a view of an argument, as their schema says, others may do so, and have a copy else.
var mayCopy = []string{"aten::reshape", "aten::reshape_as", "aten::flatten", "aten::ravel", "aten::contiguous", "aten::to", "aten::type_as", "aten::dropout", "aten::feature_dropout", "aten::alpha_dropout", "aten::feature_alpha_dropout"}

func (n *Node) mayCopy() bool {
	base, _, _ := strings.Cut(n.Op, ".")
	return slices.Contains(mayCopy, base)
}

// writes returns the numbers of the arguments that a node writes to.
func (n *Node) writes() (to []int) { return n.arguments("!)") }

// isView reports whether results share the memory of the first argument.
func (n *Node) isView() bool {
	return n.mayCopy() || slices.Contains(n.arguments("Tensor(a)"), 0) || slices.Contains(n.arguments("Tensor(a -> *)"), 0)
}

// arguments returns the numbers of the arguments in whose type is text.
func (n *Node) arguments(text string) (is []int) {
	schema := operator(n.Op).Schema()
	schema = schema[strings.Index(schema, "(")+1 : strings.LastIndex(schema, " -> ")]
	for i, a := range strings.Split(strings.ReplaceAll(schema, "*, ", ""), ", ") {
		if strings.Contains(a, text) {
			is = append(is, i)
		}
	}
	return is
}

// A memory says of the values of a graph, which share memory, what they are after writes.
type memory struct {
	e       *editor
	nodes   []*Node
	of      map[*Value]view
	now     map[*Value]*Value // the value without effects that a value is
	seen    map[*Value]int    // how many writes to its root that one has
	written map[*Value]int    // the number of writes to a root
	last    map[*Value]int    // the last node that uses a value
	outside map[*Value]bool   // inputs and constants
}

// A view is how a value is made of another one, whose memory it has.
type view struct {
	parent *Value
	node   *Node // nil if it is the parent itself
	result int
}

// withoutEffects replaces operators that write to a tensor by those that return a new one. Where it cannot, its error
// says why.
func (e *editor) withoutEffects() error {
	m := &memory{e, nil, map[*Value]view{}, map[*Value]*Value{}, map[*Value]int{}, map[*Value]int{}, map[*Value]int{}, map[*Value]bool{}}
	for _, v := range slices.Concat(e.Inputs, e.Constants) {
		m.outside[v] = true
	}
	for i, n := range e.Nodes {
		for _, v := range tensors(n.Args) {
			m.last[v] = i
		}
	}
	for _, v := range e.Outputs {
		m.last[v] = len(e.Nodes)
	}
	for i, n := range e.Nodes {
		if err := m.add(i, n); err != nil {
			return err
		}
	}
	for i, v := range e.Outputs {
		w, err := m.use(v)
		if err != nil {
			return err
		}
		e.Outputs[i] = w
	}
	e.Nodes = m.nodes
	e.sweep()
	return nil
}

func (m *memory) add(i int, n *Node) error {
	to := n.writes()
	original := n.tensor(0)
	var err error
	args := mapped(n.Args, func(v *Value) *Value {
		w, e := m.use(v)
		if e != nil {
			err = e
		}
		return w
	}).([]any)
	if err != nil {
		return err
	}
	if len(to) > 0 {
		new, err := m.pure(n, args, to)
		if err != nil {
			return err
		}
		if len(n.Results) == 1 && n.Results[0] != nil {
			m.of[n.Results[0]] = view{parent: original}
		}
		return m.write(i, n, original, new)
	}
	m.nodes = append(m.nodes, &Node{Op: n.Op, Args: args, Results: n.Results})
	if original != nil && n.isView() {
		for j, v := range n.Results {
			m.of[v] = view{original, n, j}
			m.seen[v] = m.written[m.root(original)]
		}
	}
	return nil
}

func (m *memory) root(v *Value) *Value {
	for m.of[v].parent != nil {
		v = m.of[v].parent
	}
	return v
}

// use returns the value without effects that v is now.
func (m *memory) use(v *Value) (*Value, error) {
	from := m.of[v]
	switch {
	case from.parent != nil && from.node == nil:
		return m.use(from.parent)
	case from.parent != nil && m.seen[v] != m.written[m.root(v)]:
		if from.node.mayCopy() {
			return nil, fmt.Errorf("the result of %s may or may not share memory that is written to", from.node.Op)
		}
		parent, err := m.use(from.parent)
		if err != nil {
			return nil, err
		}
		again := &Node{Op: from.node.Op, Args: slices.Clone(from.node.Args)}
		for j, a := range again.Args {
			if j == 0 {
				again.Args[j] = parent
			} else if len(tensors(a)) > 0 { // as of expand_as: only their shape counts
				again.Args[j] = mapped(a, func(v *Value) *Value { return m.current(v) })
			}
		}
		for _, r := range from.node.Results {
			again.Results = append(again.Results, m.e.value(r, r.Name, r.Shape...))
		}
		m.nodes = append(m.nodes, again)
		m.now[v], m.seen[v] = again.Results[from.result], m.written[m.root(v)]
	}
	return m.current(v), nil
}

func (m *memory) current(v *Value) *Value {
	if w := m.now[v]; w != nil {
		return w
	}
	return v
}

// write makes new the value of v after node i, and of the values that v is a view of.
func (m *memory) write(i int, n *Node, v, new *Value) error {
	from := m.of[v]
	switch {
	case from.parent == nil && m.outside[v]:
		return fmt.Errorf("%s writes to %s, which is from outside of the graph", n.Op, v.Name)
	case from.parent == nil:
		m.now[v] = new
		m.written[v]++
		return nil
	case from.node == nil:
		return m.write(i, n, from.parent, new)
	case from.node.mayCopy():
		for w, last := range m.last {
			if last > i && m.root(w) == m.root(v) && !m.below(w, v) {
				return fmt.Errorf("%s writes to the result of %s, which may share the memory of %s", n.Op, from.node.Op, w.Name)
			}
		}
		m.of[v] = view{}
		m.written[v] = 0
		return m.write(i, n, v, new)
	}
	parent, err := m.use(from.parent)
	if err != nil {
		return err
	}
	whole, err := m.scattered(from, parent, new)
	if err != nil {
		return fmt.Errorf("%s writes to %w", n.Op, err)
	}
	if err := m.write(i, n, from.parent, whole); err != nil {
		return err
	}
	m.now[v], m.seen[v] = new, m.written[m.root(v)]
	return nil
}

// below reports whether w is v or a view of it.
func (m *memory) below(w, v *Value) bool {
	for w != v && w != nil {
		w = m.of[w].parent
	}
	return w == v
}

// call appends a call of an operator, whose result has the dtype and the shape of like.
func (m *memory) call(op string, like *Value, args ...any) *Value {
	short := op[strings.LastIndex(op, ":")+1:]
	short, _, _ = strings.Cut(short, ".")
	out := m.e.value(like, short, like.Shape...)
	m.nodes = append(m.nodes, &Node{Op: op, Args: args, Results: []*Value{out}})
	return out
}

// scattered returns a value whose view is new, and that is otherwise parent.
func (m *memory) scattered(by view, parent, new *Value) (*Value, error) {
	n := by.node
	switch n.Op {
	case "aten::slice.Tensor":
		return m.call("aten::slice_scatter", parent, append([]any{parent, new}, n.Args[1:]...)...), nil
	case "aten::narrow":
		dim := from(n.integer(1, 0), len(parent.Shape))
		start := from(n.integer(2, 0), parent.Shape[dim])
		return m.call("aten::slice_scatter", parent, parent, new, dim, start, start+n.integer(3, 0), 1), nil
	case "aten::select.int":
		return m.call("aten::select_scatter", parent, parent, new, n.Args[1], n.Args[2]), nil
	case "aten::unbind.int":
		return m.call("aten::select_scatter", parent, parent, new, n.Args[1], by.result), nil
	case "aten::chunk", "aten::split.Tensor", "aten::split_with_sizes":
		dim := from(n.integer(2, 0), len(parent.Shape))
		start := 0
		for _, r := range n.Results[:by.result] {
			start += r.Shape[dim]
		}
		return m.call("aten::slice_scatter", parent, parent, new, dim, start, start+new.Shape[dim], 1), nil
	case "aten::view", "aten::unsqueeze", "aten::squeeze", "aten::squeeze.dim", "aten::squeeze.dims", "aten::unflatten.int", "aten::view_as":
		return m.call("aten::reshape", parent, new, anys(parent.Shape...)), nil
	case "aten::detach", "aten::alias":
		return new, nil
	case "aten::transpose.int":
		return m.call("aten::transpose.int", parent, new, n.Args[1], n.Args[2]), nil
	case "aten::t":
		return m.call("aten::t", parent, new), nil
	case "aten::permute":
		back := make([]int, len(parent.Shape))
		for i, d := range n.integers(1) {
			back[from(d, len(back))] = i
		}
		return m.call("aten::permute", parent, new, anys(back...)), nil
	}
	return nil, fmt.Errorf("a view that %s made", n.Op)
}

// pure returns the result of an operator that writes, as a new value.
func (m *memory) pure(n *Node, args []any, to []int) (*Value, error) {
	x, _ := args[0].(*Value)
	cannot := fmt.Errorf("%s writes to an argument", n.Op)
	if x == nil || len(to) != 1 || to[0] != 0 {
		return nil, cannot
	}
	base, overload, _ := strings.Cut(n.Op, ".")
	switch base {
	case "aten::copy_":
		src, ok := args[1].(*Value)
		switch {
		case !ok || src.DType != x.DType || src.Device != x.Device:
			return nil, cannot
		case slices.Equal(src.Shape, x.Shape):
			return src, nil
		}
		return m.call("aten::expand", x, src, anys(x.Shape...), false), nil
	case "aten::zero_":
		return m.call("aten::full", x, anys(x.Shape...), 0, int(x.DType)-1, nil, x.Device, nil), nil
	case "aten::fill_":
		if overload != "Scalar" {
			return nil, cannot
		}
		return m.call("aten::full", x, anys(x.Shape...), args[1], int(x.DType)-1, nil, x.Device, nil), nil
	}
	op, ok := strings.CutSuffix(base, "_")
	if overload != "" {
		op += "." + overload
	}
	if !ok || !HasOperator(op) {
		return nil, cannot
	}
	for _, v := range tensors(args) {
		if v.DType != x.DType { // the result of op could have another dtype
			return nil, cannot
		}
	}
	if strings.Contains(operator(op).Schema(), "(a)") || !slices.Equal(n.Results[0].Shape, x.Shape) { // such as t_
		return nil, cannot
	}
	return m.call(op, x, args...), nil
}
