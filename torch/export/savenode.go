package export

import (
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/pt2"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/internal/opschema"
)

// node writes a call of an operator.
func (s *saver) node(n *graph.Node) error {
	space, name, ok := strings.Cut(n.Op, "::")
	if !ok || space == "higher_order" {
		return unsupported("the graph calls %s", n.Op)
	}
	base, overload, _ := strings.Cut(name, ".")
	if overload == "" {
		overload = "default"
	}
	target := "torch.ops." + space + "." + base + "." + overload
	var text string
	if err := torch.Try(func() { text = torch.NewOp(space+"::"+base, strings.TrimSuffix(overload, "default")).Schema() }); err != nil {
		return err
	}
	schema, err := opschema.Parse(text)
	if err != nil {
		return err
	}
	if len(n.Args) > len(schema.Args) {
		return fmt.Errorf("%s has %d arguments, and takes %d", n.Op, len(n.Args), len(schema.Args))
	}
	node := pt2.Node{Target: target, Inputs: []pt2.NamedArgument{}, Outputs: []pt2.Union{}, Metadata: map[string]string{}}
	for i, a := range n.Args {
		arg := schema.Args[i]
		u, err := s.argument(a, arg.Type)
		if err != nil {
			return fmt.Errorf("argument %q of %s: %w", arg.Name, n.Op, err)
		}
		kind := pt2.Positional
		if arg.KwargOnly {
			kind = pt2.Keyword
		}
		node.Inputs = append(node.Inputs, pt2.NamedArgument{Name: arg.Name, Arg: u, Kind: kind})
	}
	if node.Outputs, err = s.outputs(n, schema); err != nil {
		return fmt.Errorf("%s: %w", n.Op, err)
	}
	for _, v := range n.Results {
		if v != nil {
			node.Name = s.names[v]
			break
		}
	}
	if node.Name == "" || len(n.Results) > 1 {
		node.Name = s.unused(base)
	}
	g := &s.program.GraphModule.Graph
	g.Nodes = append(g.Nodes, node)
	return nil
}

// unused returns a name for a node without one.
func (s *saver) unused(base string) string {
	name := base
	for i := 1; s.taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	s.taken[name] = true
	return name
}

// outputs writes the results of a call, as the returns of its schema are.
func (s *saver) outputs(n *graph.Node, schema *opschema.Schema) ([]pt2.Union, error) {
	rest := n.Results
	out := []pt2.Union{}
	one := func(v *graph.Value) (pt2.Name, error) {
		err := s.define(v, v.Name)
		return pt2.Name{Name: s.names[v]}, err
	}
	for i, t := range schema.Returns {
		length := 1
		if t.List() { // those that the other returns leave
			if length = len(rest) - (len(schema.Returns) - i - 1); length < 0 {
				return nil, fmt.Errorf("it has fewer results than its schema")
			}
		}
		if length > len(rest) {
			return nil, fmt.Errorf("it has fewer results than its schema")
		}
		mine := rest[:length]
		rest = rest[length:]
		if t.List() {
			names := []pt2.Name{}
			for _, v := range mine {
				if v == nil {
					return nil, unsupported("a list of results with None")
				}
				name, err := one(v)
				if err != nil {
					return nil, err
				}
				names = append(names, name)
			}
			out = append(out, pt2.Of("as_tensors", names))
			continue
		}
		if mine[0] == nil {
			out = append(out, pt2.Of("as_none", true))
			continue
		}
		name, err := one(mine[0])
		if err != nil {
			return nil, err
		}
		out = append(out, pt2.Of("as_tensor", name))
	}
	return out, nil
}

// argument writes an argument of a type.
func (s *saver) argument(a any, t opschema.Type) (pt2.Union, error) {
	if list, ok := a.([]any); ok {
		return s.list(list, t)
	}
	switch a := a.(type) {
	case nil:
		return pt2.Of("as_none", true), nil
	case *graph.Value:
		return pt2.Of("as_tensor", pt2.Name{Name: s.names[a]}), nil
	case bool:
		return pt2.Of("as_bool", a), nil
	case string:
		return pt2.Of("as_string", a), nil
	case float64:
		return pt2.Of("as_float", pt2.Float(a)), nil
	case complex128:
		return pt2.Of("as_complex", map[string]pt2.Float{"real": pt2.Float(real(a)), "imag": pt2.Float(imag(a))}), nil
	case torch.Device:
		return pt2.Of("as_device", placeOf(a)), nil
	case int:
		return number(a, t)
	}
	return pt2.Union{}, unsupported("a %T", a)
}

// number writes an int, which may stand for something else.
func number(n int, t opschema.Type) (pt2.Union, error) {
	numbered := func(kind string, numbers map[int]int) (pt2.Union, error) {
		for file, c10 := range numbers {
			if c10 == n {
				return pt2.Of(kind, file), nil
			}
		}
		return pt2.Union{}, unsupported("the %s %d", t.Base, n)
	}
	switch t.Base {
	case "ScalarType":
		file, ok := numberOf(torch.FromScalarType(n))
		if !ok {
			return pt2.Union{}, unsupported("the dtype %v", torch.FromScalarType(n))
		}
		return pt2.Of("as_scalar_type", file), nil
	case "Layout":
		return numbered("as_layout", pt2.Layouts)
	case "MemoryFormat":
		return numbered("as_memory_format", pt2.MemoryFormats)
	case "float":
		return pt2.Of("as_float", pt2.Float(n)), nil
	}
	return pt2.Of("as_int", n), nil
}

func (s *saver) list(list []any, t opschema.Type) (pt2.Union, error) {
	kinds := map[string]bool{}
	for _, e := range list {
		switch e.(type) {
		case nil:
			kinds["none"] = true
		case *graph.Value:
			kinds["tensor"] = true
		case int:
			kinds["int"] = true
		case float64:
			kinds["float"] = true
		case bool:
			kinds["bool"] = true
		case string:
			kinds["string"] = true
		default:
			return pt2.Union{}, unsupported("a list of %T", e)
		}
	}
	only := func(kind string) bool { return len(kinds) == 1 && kinds[kind] }
	switch {
	case t.Base == "Tensor" && (len(list) == 0 || only("tensor")):
		names := []pt2.Name{}
		for _, e := range list {
			names = append(names, pt2.Name{Name: s.names[e.(*graph.Value)]})
		}
		return pt2.Of("as_tensors", names), nil
	case t.Base == "Tensor":
		var out []pt2.Union
		for _, e := range list {
			u, err := s.argument(e, t)
			if err != nil {
				return pt2.Union{}, err
			}
			out = append(out, u)
		}
		return pt2.Of("as_optional_tensors", out), nil
	case t.Base == "float" || len(list) > 0 && (only("float") || kinds["float"] && kinds["int"] && len(kinds) == 2):
		floats := []pt2.Float{}
		for _, e := range list {
			switch e := e.(type) {
			case int:
				floats = append(floats, pt2.Float(e))
			case float64:
				floats = append(floats, pt2.Float(e))
			}
		}
		return pt2.Of("as_floats", floats), nil
	case len(list) == 0 || only("int"):
		return pt2.Of("as_ints", list), nil
	case only("bool"):
		return pt2.Of("as_bools", list), nil
	case only("string"):
		return pt2.Of("as_strings", list), nil
	}
	return pt2.Union{}, unsupported("a list of several kinds")
}
