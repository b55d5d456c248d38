package export

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/pt2"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/internal/opschema"
)

const (
	maxNested = 16 // graphs in graphs
	maxRank   = 64 // dimensions of a tensor
)

// A builder makes the graph of a file.
type builder struct {
	record  string
	device  torch.Device          // in place of the file's; "" for these
	devices map[torch.Device]bool // those that the graph names
	trusted bool                  // whether the file may call any operator
	writes  bool                  // whether an operator changes a constant
}

func (b *builder) malformed(format string, args ...any) error {
	return &badfile.MalformedError{Record: b.record, Msg: fmt.Sprintf(format, args...)}
}

// place returns where a tensor of a device of the file is.
func (b *builder) place(d pt2.Device) (torch.Device, error) {
	device, err := deviceOf(d, b.device)
	b.devices[device] = true
	return device, err
}

// A scope has the values of one graph, by their names in the file.
type scope struct {
	*builder
	file   *pt2.Graph
	values map[string]*graph.Value
	shared map[*graph.Value]bool // those that may share memory with a constant
	depth  int
}

func (b *builder) scope(file *pt2.Graph, depth int) *scope {
	return &scope{b, file, map[string]*graph.Value{}, map[*graph.Value]bool{}, depth}
}

// define makes the value of a name, of a tensor or a number.
func (s *scope) define(name, number string) (*graph.Value, error) {
	if name == "" || len(name) > 1024 {
		return nil, s.malformed("a value is named %q", badfile.Clip(name))
	}
	if s.values[name] != nil {
		return nil, s.malformed("two values are named %q", badfile.Clip(name))
	}
	v := &graph.Value{Name: name, Number: number}
	if number == "" {
		if err := s.describe(v); err != nil {
			return nil, err
		}
	}
	s.values[name] = v
	return v, nil
}

// describe gives a tensor the shape that the file says.
func (s *scope) describe(v *graph.Value) error {
	m, ok := s.file.TensorValues[v.Name]
	if !ok {
		return s.malformed("the tensor %q has no description", badfile.Clip(v.Name))
	}
	dtype, err := dtypeOf(m.DType)
	if err != nil {
		return err
	}
	if v.DType = dtype; len(m.Sizes) > maxRank {
		return s.malformed("the tensor %q has %d dimensions", badfile.Clip(v.Name), len(m.Sizes))
	}
	if v.Device, err = s.place(m.Device); err != nil {
		return err
	}
	v.Shape = make([]int, len(m.Sizes))
	for i, u := range m.Sizes {
		n, e, err := s.size(u)
		if err != nil {
			return err
		}
		if v.Shape[i] = n; e != nil {
			v.Shape[i] = -1
			if v.Symbols == nil {
				v.Symbols = make([]string, len(m.Sizes))
			}
			v.Symbols[i] = e.String()
		}
	}
	return nil
}

// size reads a size: a number or an expression.
func (s *scope) size(u pt2.Union) (int, *expr, error) {
	switch u.Kind {
	case "as_int":
		n, err := pt2.As[int](u)
		if err != nil || n < 0 {
			return 0, nil, s.malformed("a size is %.40s", u.Raw)
		}
		return n, nil, nil
	case "as_expr":
		text, err := pt2.As[pt2.SymExpr](u)
		if err != nil {
			return 0, nil, s.malformed("a size: %v", err)
		}
		e, err := parseExpr(text.ExprStr)
		if err != nil {
			return 0, nil, s.malformed("a size: %v", err)
		}
		return 0, e, nil
	}
	return 0, nil, unsupported("a size of the kind %q", badfile.Clip(u.Kind))
}

func dtypeOf(n int) (torch.DType, error) {
	name, ok := pt2.DTypes[n]
	if !ok {
		return 0, unsupported("the dtype %d", n)
	}
	return torch.ParseDType(name)
}

// lookup returns the value of a name.
func (s *scope) lookup(name string) (*graph.Value, error) {
	v := s.values[name]
	if v == nil {
		return nil, s.malformed("the value %q is used before it is computed", badfile.Clip(name))
	}
	return v, nil
}

// nodes makes the nodes of a graph.
func (s *scope) nodes() ([]*graph.Node, error) {
	nodes := make([]*graph.Node, 0, len(s.file.Nodes))
	for i := range s.file.Nodes {
		n, err := s.node(&s.file.Nodes[i])
		if err != nil {
			return nil, fmt.Errorf("node %q: %w", badfile.Clip(s.file.Nodes[i].Name), err)
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func (s *scope) node(f *pt2.Node) (*graph.Node, error) {
	n := &graph.Node{}
	var err error
	var schema *opschema.Schema
	switch name, higher := strings.CutPrefix(f.Target, "torch.ops.higher_order."); {
	case higher:
		n.Op = "higher_order::" + name
		if !graph.HasOperator(n.Op) {
			return nil, unsupported("the higher-order operator %q", badfile.Clip(name))
		}
		n.Args, err = s.positional(f)
		if name == "wrap_with_autocast" && s.device != "" && len(n.Args) > 0 {
			n.Args[0] = s.device.Type()
		}
	case strings.HasPrefix(f.Target, "torch.ops."):
		if !s.trusted {
			f = checked(f)
		}
		var o *operator
		if o, err = operatorOf(f.Target, s.trusted); err == nil {
			n.Op, schema = o.name, o.schema
			n.Args, err = s.arguments(f, o)
		}
	default:
		n.Op = strings.TrimPrefix(f.Target, "_")
		if strings.Contains(n.Op, "::") || !graph.HasOperator(n.Op) {
			return nil, unsupported("the function %q", badfile.Clip(f.Target))
		}
		n.Args, err = s.positional(f)
	}
	if err != nil {
		return nil, err
	}
	for _, u := range f.Outputs {
		if n.Results, err = s.results(n.Results, u); err != nil {
			return nil, err
		}
	}
	s.share(n, schema)
	return n, nil
}

// positional reads the arguments of a call without a schema.
func (s *scope) positional(f *pt2.Node) ([]any, error) {
	var args []any
	for _, in := range f.Inputs {
		if in.Kind == pt2.Keyword {
			return nil, unsupported("the keyword argument %q of %q", badfile.Clip(in.Name), badfile.Clip(f.Target))
		}
		a, err := s.argument(in.Arg, nil)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	return args, nil
}

// arguments reads the arguments of an operator, in the order of its schema, with the defaults between them.
func (s *scope) arguments(f *pt2.Node, o *operator) ([]any, error) {
	given := map[string]pt2.Union{}
	last := -1
	for _, in := range f.Inputs {
		i := o.schema.Index(in.Name)
		if i < 0 {
			return nil, unsupported("the argument %q of %s, which it has not in this libtorch", badfile.Clip(in.Name), o.name)
		}
		if _, twice := given[in.Name]; twice {
			return nil, s.malformed("the argument %q of %s is given twice", in.Name, o.name)
		}
		given[in.Name] = in.Arg
		last = max(last, i)
	}
	args := []any{}
	for i, a := range o.schema.Args {
		u, ok := given[a.Name]
		switch {
		case ok:
			v, err := s.argument(u, &a)
			if err != nil {
				return nil, fmt.Errorf("argument %q of %s: %w", a.Name, o.name, err)
			}
			if err := s.checkScale(v, o); err != nil {
				return nil, err
			}
			args = append(args, v)
		case !a.HasDefault:
			return nil, s.malformed("the argument %q of %s is missing", a.Name, o.name)
		case i < last:
			args = append(args, a.Default)
		}
	}
	return args, nil
}

// checkScale refuses factors of which operators compute sizes without a check.
func (s *scope) checkScale(v any, o *operator) error {
	if s.trusted || !strings.HasPrefix(o.name, "aten::_upsample") {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, e := range list {
		if f, ok := e.(float64); ok && !(f >= 1e-3 && f <= 1e3) {
			return unsupported("the scale factor %v of %s", f, o.name)
		}
	}
	return nil
}

// argument reads an argument; a is nil without a schema.
func (s *scope) argument(u pt2.Union, a *opschema.Arg) (any, error) {
	v, err := s.read(u)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return v, nil
	}
	if _, ok := v.(*graph.Graph); ok {
		return nil, s.malformed("it is a graph")
	}
	if list, ok := v.([]any); ok {
		if !a.Type.List() {
			return nil, s.malformed("it is a list, and takes a %s", a.Type.Base)
		}
		for _, e := range list {
			if e == nil && !strings.HasPrefix(a.Type.Suffix, "?") {
				return nil, s.malformed("its list holds None")
			}
		}
	}
	if v == nil && !a.Type.Optional() {
		return nil, s.malformed("it is None")
	}
	return v, nil
}

// read reads an argument of any kind.
func (s *scope) read(u pt2.Union) (any, error) {
	switch u.Kind {
	case "as_none":
		return nil, nil
	case "as_tensor":
		return s.name(u.Raw)
	case "as_tensors":
		return list(s, u, s.name)
	case "as_optional_tensor":
		return s.optional(u.Raw)
	case "as_optional_tensors":
		return list(s, u, s.optional)
	case "as_int":
		return scalar[int](s, u)
	case "as_ints":
		return list(s, u, plain[int](s))
	case "as_float":
		f, err := scalar[pt2.Float](s, u)
		if err != nil {
			return nil, err
		}
		return float64(f.(pt2.Float)), nil
	case "as_floats":
		return list(s, u, s.float)
	case "as_bool":
		return scalar[bool](s, u)
	case "as_bools":
		return list(s, u, plain[bool](s))
	case "as_string":
		return scalar[string](s, u)
	case "as_strings":
		return list(s, u, plain[string](s))
	case "as_complex":
		c, err := pt2.As[struct{ Real, Imag pt2.Float }](u)
		if err != nil {
			return nil, s.malformed("%v", err)
		}
		return complex(float64(c.Real), float64(c.Imag)), nil
	case "as_sym_int", "as_sym_float", "as_sym_bool":
		return s.symbol(u.Raw)
	case "as_sym_ints", "as_sym_floats", "as_sym_bools":
		return list(s, u, s.symbol)
	}
	return s.readOther(u)
}

// readOther reads the arguments that are not data.
func (s *scope) readOther(u pt2.Union) (any, error) {
	switch u.Kind {
	case "as_scalar_type":
		n, err := pt2.As[int](u)
		if err != nil {
			return nil, s.malformed("%v", err)
		}
		d, err := dtypeOf(n)
		return int(d) - 1, err
	case "as_memory_format":
		return numbered(s, u, pt2.MemoryFormats, "memory format")
	case "as_layout":
		return numbered(s, u, pt2.Layouts, "layout")
	case "as_device":
		d, err := pt2.As[pt2.Device](u)
		if err != nil {
			return nil, s.malformed("%v", err)
		}
		return s.place(d)
	case "as_graph":
		return s.graph(u)
	}
	return nil, unsupported("an argument of the kind %q", badfile.Clip(u.Kind))
}

// graph reads a graph in this one.
func (s *scope) graph(u pt2.Union) (any, error) {
	if s.depth == maxNested {
		return nil, unsupported("graphs that are nested deeper than %d", maxNested)
	}
	a, err := pt2.As[pt2.GraphArgument](u)
	if err != nil {
		return nil, s.malformed("%v", err)
	}
	in := s.scope(&a.Graph, s.depth+1)
	var inputs, outputs []*graph.Value
	for _, u := range a.Graph.Inputs {
		if inputs, err = in.results(inputs, u); err != nil {
			return nil, err
		}
	}
	for _, v := range inputs {
		in.shared[v] = true // it may
	}
	nodes, err := in.nodes()
	if err != nil {
		return nil, err
	}
	for _, u := range a.Graph.Outputs {
		v, err := in.read(u)
		if err != nil {
			return nil, err
		}
		value, ok := v.(*graph.Value)
		if !ok {
			return nil, unsupported("an output of the kind %q of a graph in the graph", badfile.Clip(u.Kind))
		}
		outputs = append(outputs, value)
	}
	g, err := graph.New(inputs, nil, nodes, outputs)
	if err != nil {
		return nil, s.malformed("%v", err)
	}
	return g, nil
}

// results adds the values that an output of a node defines.
func (s *scope) results(to []*graph.Value, u pt2.Union) ([]*graph.Value, error) {
	number := ""
	switch u.Kind {
	case "as_none":
		return append(to, nil), nil
	case "as_int", "as_float", "as_bool": // known before
		return append(to, nil), nil
	case "as_tensors":
		names, err := pt2.As[[]pt2.Name](u)
		if err != nil {
			return nil, s.malformed("%v", err)
		}
		for _, n := range names {
			v, err := s.define(n.Name, "")
			if err != nil {
				return nil, err
			}
			to = append(to, v)
		}
		return to, nil
	case "as_sym_int":
		number = "int"
	case "as_sym_float":
		number = "float"
	case "as_sym_bool":
		number = "bool"
	case "as_tensor":
		n, err := pt2.As[pt2.Name](u)
		if err != nil {
			return nil, s.malformed("%v", err)
		}
		v, err := s.define(n.Name, "")
		return append(to, v), err
	default:
		return nil, unsupported("a value of the kind %q", badfile.Clip(u.Kind))
	}
	inner, err := pt2.As[pt2.Union](u)
	if err != nil {
		return nil, s.malformed("%v", err)
	}
	name, err := pt2.As[string](inner)
	if err != nil || inner.Kind != "as_name" {
		return append(to, nil), nil // known before
	}
	v, err := s.define(name, number)
	return append(to, v), err
}

// share notes which results may share memory with a constant, and whether the node writes to one.
func (s *scope) share(n *graph.Node, schema *opschema.Schema) {
	shares := schema == nil || n.Op == "aten::dropout" || n.Op == "aten::feature_dropout" || n.Op == "aten::alpha_dropout"
	if schema != nil {
		for _, t := range schema.Returns {
			shares = shares || t.Alias != ""
		}
	}
	any := false
	for i, a := range n.Args {
		for _, v := range valuesIn(a) {
			if !s.shared[v] {
				continue
			}
			any = true
			// batch_norm in training changes its running statistics, which its schema does not say
			s.writes = s.writes || schema != nil && schema.Args[i].Type.Writes() || strings.Contains(n.Op, "_norm") && trains(n, schema)
		}
	}
	if any && shares {
		for _, v := range n.Results {
			s.shared[v] = true
		}
	}
	base, _, _ := strings.Cut(strings.TrimPrefix(n.Op, "aten::"), ".")
	s.writes = s.writes || reshaping[base]
}

// valuesIn returns the values in an argument.
func valuesIn(a any) (vs []*graph.Value) {
	switch a := a.(type) {
	case *graph.Value:
		return []*graph.Value{a}
	case []any:
		for _, e := range a {
			vs = append(vs, valuesIn(e)...)
		}
	}
	return vs
}

// reshaping are the operators that change the shape of a tensor in place, which no other goroutine may use meanwhile.
var reshaping = map[string]bool{
	"as_strided_": true, "detach_": true, "squeeze_": true, "swapaxes_": true, "swapdims_": true, "t_": true, "transpose_": true, "unsqueeze_": true,
}

// trains reports whether an argument named training or use_input_stats is not false.
func trains(n *graph.Node, schema *opschema.Schema) bool {
	if schema == nil {
		return false
	}
	for _, name := range []string{"training", "train", "use_input_stats"} {
		if i := schema.Index(name); i >= 0 && i < len(n.Args) && n.Args[i] != false {
			return true
		}
	}
	return false
}

// name reads a TensorArgument.
func (s *scope) name(raw json.RawMessage) (any, error) {
	var n pt2.Name
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, s.malformed("%v", err)
	}
	return s.lookup(n.Name)
}

// symbol reads a number that may be computed.
func (s *scope) symbol(raw json.RawMessage) (any, error) {
	var u pt2.Union
	if err := json.Unmarshal(raw, &u); err != nil {
		return nil, s.malformed("%v", err)
	}
	if u.Kind == "as_name" {
		name, err := pt2.As[string](u)
		if err != nil {
			return nil, s.malformed("%v", err)
		}
		return s.lookup(name)
	}
	if u.Kind == "as_int" || u.Kind == "as_float" || u.Kind == "as_bool" {
		return s.read(u)
	}
	return nil, unsupported("a number of the kind %q", badfile.Clip(u.Kind))
}

func (s *scope) optional(raw json.RawMessage) (any, error) {
	var u pt2.Union
	if err := json.Unmarshal(raw, &u); err != nil {
		return nil, s.malformed("%v", err)
	}
	if u.Kind != "as_tensor" && u.Kind != "as_none" {
		return nil, unsupported("a tensor of the kind %q", badfile.Clip(u.Kind))
	}
	return s.read(u)
}

func (s *scope) float(raw json.RawMessage) (any, error) {
	var f pt2.Float
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, s.malformed("%v", err)
	}
	return float64(f), nil
}

func scalar[T any](s *scope, u pt2.Union) (any, error) {
	v, err := pt2.As[T](u)
	if err != nil {
		return nil, s.malformed("%v", err)
	}
	return v, nil
}

func plain[T any](s *scope) func(raw json.RawMessage) (any, error) {
	return func(raw json.RawMessage) (any, error) {
		var v *T
		if err := json.Unmarshal(raw, &v); err != nil || v == nil {
			return nil, s.malformed("an element is %.40s", raw)
		}
		return *v, nil
	}
}

func list(s *scope, u pt2.Union, element func(raw json.RawMessage) (any, error)) (any, error) {
	raws, err := pt2.As[[]json.RawMessage](u)
	if err != nil {
		return nil, s.malformed("%v", err)
	}
	out := make([]any, len(raws))
	for i, raw := range raws {
		if out[i], err = element(raw); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func numbered(s *scope, u pt2.Union, numbers map[int]int, what string) (any, error) {
	n, err := pt2.As[int](u)
	if err != nil {
		return nil, s.malformed("%v", err)
	}
	v, ok := numbers[n]
	if !ok {
		return nil, unsupported("the %s %d", what, n)
	}
	return v, nil
}
