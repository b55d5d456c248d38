package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/pt2"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/internal/pytree"
)

// A Program is a graph with its weights, and how it is called: torch.export.ExportedProgram. Any number of goroutines
// may call one at once; calls of one whose graph changes its buffers take turns.
//
// https://docs.pytorch.org/docs/stable/export/api_reference.html#torch.export.ExportedProgram
type Program struct {
	file    *pt2.Program
	trusted bool

	mu sync.RWMutex // held for writing by To, and by calls that change constants
	*built
}

// built is what is made of a file for one device.
type built struct {
	graph       *graph.Graph
	weights     map[string]*torch.Tensor
	constants   map[string]*torch.Tensor
	order       []string // of weights
	inputs      []*input
	outputs     []output
	changes     []change
	writes      bool // a run changes constants
	devices     map[torch.Device]bool
	constraints map[string]pt2.RangeConstraint
	guards      []*guard

	in, kwargs *pytree.Spec // of positional arguments, and of keyword arguments
	out        *pytree.Spec
	inErr      error // why the arguments have no form in Go
	outErr     error
	names      []string // of arguments
}

// An input is a leaf of the arguments.
type input struct {
	path   string       // as Python names it: x, or d['a'][0]
	value  *graph.Value // nil if it is fixed
	fixed  any          // the value that it must have: a number, a string or nil
	symbol *expr        // of a number
	sizes  []*expr      // of a tensor: nil where a size is fixed
}

// An output is a leaf of the result: an output of the graph, or a value.
type output struct {
	index int // -1 if it is fixed
	fixed any
}

// A change is a tensor that gets the value of an output of the graph.
type change struct {
	index int
	to    *torch.Tensor // a constant; nil for an input
	input int
}

func build(file *pt2.Program, weights, constants map[string]*torch.Tensor, o LoadOptions) (*built, error) {
	e := file.Exported
	b := &builder{record: file.Record, device: o.Device, trusted: o.Trusted, devices: map[torch.Device]bool{}}
	s := b.scope(&e.GraphModule.Graph, 0)
	p := &built{devices: b.devices, weights: weights, constants: constants, constraints: e.RangeConstraints}
	inputs, lifted, err := p.readInputs(s, e.GraphModule.Signature.InputSpecs)
	if err != nil {
		return nil, err
	}
	nodes, err := s.nodes()
	if err != nil {
		return nil, err
	}
	outputs, err := p.readOutputs(s, e.GraphModule.Signature.OutputSpecs)
	if err != nil {
		return nil, err
	}
	if p.graph, err = graph.New(inputs, lifted, nodes, outputs); err != nil {
		return nil, b.malformed("%v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		if !slices.Contains(p.order, name) {
			p.order = append(p.order, name)
		}
	}
	p.writes = b.writes
	for _, c := range p.changes {
		p.writes = p.writes || c.to != nil
	}
	if err := p.readCall(s, e.GraphModule.ModuleCallGraph); err != nil {
		return nil, err
	}
	for _, code := range e.GuardsCode {
		g, err := parseGuard(code, p.inputs)
		if err != nil {
			return nil, err
		}
		p.guards = append(p.guards, g)
	}
	return p, nil
}

// readInputs reads what the inputs of the graph are, which are the user's or constants.
func (p *built) readInputs(s *scope, specs []pt2.Union) (inputs, constants []*graph.Value, err error) {
	if len(specs) != len(s.file.Inputs) {
		return nil, nil, s.malformed("the signature has %d inputs, and the graph %d", len(specs), len(s.file.Inputs))
	}
	for i, u := range specs {
		spec, err := pt2.As[pt2.Spec](u)
		if err != nil {
			return nil, nil, s.malformed("input %d: %v", i, err)
		}
		switch u.Kind {
		case "user_input", "constant_input":
			in, err := s.userInput(s.file.Inputs[i], u.Kind, &spec)
			if err != nil {
				return nil, nil, err
			}
			if p.inputs = append(p.inputs, in); in.value != nil {
				inputs = append(inputs, in.value)
			}
		case "parameter", "buffer", "tensor_constant":
			v, err := p.constant(s, u.Kind, &spec)
			if err != nil {
				return nil, nil, err
			}
			constants = append(constants, v)
		default:
			return nil, nil, unsupported("an input of the kind %q", badfile.Clip(u.Kind))
		}
	}
	return inputs, constants, nil
}

// userInput reads an argument of the program.
func (s *scope) userInput(in pt2.Union, kind string, spec *pt2.Spec) (*input, error) {
	var arg pt2.Union
	raw := spec.Arg
	if kind == "constant_input" {
		raw = spec.Value
	}
	if err := json.Unmarshal(raw, &arg); err != nil {
		return nil, s.malformed("%v", err)
	}
	if kind == "user_input" && (arg.Kind == "as_tensor" || arg.Kind == "as_sym_int" || arg.Kind == "as_sym_float") {
		if in.Kind != arg.Kind || nameIn(in) != nameIn(arg) {
			return nil, s.malformed("the signature names the input %q, and the graph %q", badfile.Clip(nameIn(arg)), badfile.Clip(nameIn(in)))
		}
		vs, err := s.results(nil, in)
		if err != nil {
			return nil, err
		}
		v := vs[0]
		if v == nil {
			return nil, s.malformed("an input has no name")
		}
		i := &input{value: v}
		return i, s.expressions(i)
	}
	v, err := s.read(arg)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case nil, int, float64, bool, string:
		return &input{fixed: v}, nil
	}
	return nil, unsupported("an input of the kind %q", badfile.Clip(arg.Kind))
}

// nameIn returns the name in a tensor or number.
func nameIn(u pt2.Union) string {
	var names struct {
		Name   string `json:"name"`
		AsName string `json:"as_name"`
	}
	_ = json.Unmarshal(u.Raw, &names)
	return names.Name + names.AsName
}

// expressions reads what the sizes of an input are.
func (s *scope) expressions(in *input) error {
	if in.value.Number != "" {
		u, ok := s.file.SymIntValues[in.value.Name]
		if !ok {
			return nil
		}
		_, e, err := s.size(u)
		in.symbol = e
		return err
	}
	in.sizes = make([]*expr, len(in.value.Shape))
	for i, u := range s.file.TensorValues[in.value.Name].Sizes {
		var err error
		if _, in.sizes[i], err = s.size(u); err != nil {
			return err
		}
	}
	return nil
}

// constant reads a parameter, buffer or other tensor of the program, whose name in the graph is its own where it can be.
func (p *built) constant(s *scope, kind string, spec *pt2.Spec) (*graph.Value, error) {
	var arg pt2.Name
	if err := json.Unmarshal(spec.Arg, &arg); err != nil {
		return nil, s.malformed("%v", err)
	}
	from, name := p.weights, spec.ParameterName
	switch {
	case kind == "tensor_constant":
		from, name = p.constants, spec.TensorConstantName
	case kind == "buffer":
		if name = spec.BufferName; spec.Persistent != nil && !*spec.Persistent {
			from = p.constants
		}
	}
	x := from[name]
	if x == nil {
		return nil, s.malformed("there is no tensor of the %s %q", kind, badfile.Clip(name))
	}
	v, err := s.define(arg.Name, "")
	if err != nil {
		return nil, err
	}
	if _, taken := s.file.TensorValues[name]; !taken && name != "" && !slices.Contains(p.order, name) {
		v.Name = name
	}
	if from := x.Shape(); x.DType() != v.DType || !slices.Equal(from, v.Shape) {
		return nil, s.malformed("the %s %q is %v%v, and its input %v%v", kind, badfile.Clip(name), x.DType(), from, v.DType, v.Shape)
	}
	if kind != "tensor_constant" && (spec.Persistent == nil || *spec.Persistent) {
		p.order = append(p.order, name)
	}
	v.Tensor = x
	s.shared[v] = true
	return v, nil
}

// readOutputs reads what the outputs of the graph are.
func (p *built) readOutputs(s *scope, specs []pt2.Union) (outputs []*graph.Value, err error) {
	if len(specs) != len(s.file.Outputs) {
		return nil, s.malformed("the signature has %d outputs, and the graph %d", len(specs), len(s.file.Outputs))
	}
	for i, u := range specs {
		v, err := s.read(s.file.Outputs[i])
		if err != nil {
			return nil, err
		}
		value, isValue := v.(*graph.Value)
		if isValue {
			outputs = append(outputs, value)
		}
		spec, err := pt2.As[pt2.Spec](u)
		if err != nil {
			return nil, s.malformed("output %d: %v", i, err)
		}
		switch u.Kind {
		case "user_output", "loss_output":
			if isValue {
				p.outputs = append(p.outputs, output{index: len(outputs) - 1})
				continue
			}
			switch v.(type) {
			case nil, int, float64, bool, string:
			default:
				return nil, unsupported("an output of the kind %q", badfile.Clip(s.file.Outputs[i].Kind))
			}
			p.outputs = append(p.outputs, output{-1, v})
		case "buffer_mutation", "parameter_mutation", "user_input_mutation":
			if !isValue || value.Number != "" {
				return nil, s.malformed("output %d changes a tensor, and is none", i)
			}
			c, err := p.change(s, u.Kind, &spec)
			if err != nil {
				return nil, err
			}
			c.index = len(outputs) - 1
			p.changes = append(p.changes, c)
		default:
			return nil, unsupported("an output of the kind %q", badfile.Clip(u.Kind))
		}
	}
	return outputs, nil
}

func (p *built) change(s *scope, kind string, spec *pt2.Spec) (change, error) {
	switch kind {
	case "user_input_mutation":
		for i, in := range p.inputs {
			if in.value != nil && in.value.Number == "" && in.value.Name == spec.UserInputName {
				return change{input: i}, nil
			}
		}
		return change{}, s.malformed("there is no input %q, which an output is to change", badfile.Clip(spec.UserInputName))
	case "parameter_mutation":
		if x := p.weights[spec.ParameterName]; x != nil {
			return change{to: x}, nil
		}
		return change{}, s.malformed("there is no parameter %q, which an output is to change", badfile.Clip(spec.ParameterName))
	}
	x := p.weights[spec.BufferName]
	if x == nil {
		x = p.constants[spec.BufferName]
	}
	if x == nil {
		return change{}, s.malformed("there is no buffer %q, which an output is to change", badfile.Clip(spec.BufferName))
	}
	return change{to: x}, nil
}

// Graph returns the graph, whose inputs are the tensors and numbers of the arguments, in order, and whose outputs are
// what [Program.Forward] returns and what it changes. Parameters, buffers and other tensors are constants by their names.
func (p *Program) Graph() *graph.Graph {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.graph
}

// StateDict returns the parameters and the persistent buffers: state_dict. The tensors are the program's own.
func (p *Program) StateDict() torch.StateDict {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var state torch.StateDict
	for _, name := range p.order {
		state = append(state, torch.Named{Name: name, Tensor: p.weights[name]})
	}
	return state
}

// A Range bounds a size; nil is no bound.
type Range struct{ Min, Max *int }

// RangeConstraints returns the bounds of sizes that depend on the inputs, by the symbols of graph.Value: range_constraints.
func (p *Program) RangeConstraints() map[string]Range {
	all := map[string]Range{}
	for k, c := range p.constraints {
		all[k] = Range{c.MinVal, c.MaxVal}
	}
	return all
}

// To moves the program to a device, with the operators that make tensors: move_to_device_pass(ep, d). It waits for calls
// in progress.
//
// https://docs.pytorch.org/docs/stable/export/api_reference.html#torch.export.passes.move_to_device_pass
func (p *Program) To(d torch.Device) error {
	d, err := torch.ParseDevice(string(d))
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.devices) == 1 && p.devices[d] {
		return nil
	}
	move := func(from map[string]*torch.Tensor) map[string]*torch.Tensor {
		to := map[string]*torch.Tensor{}
		for k, x := range from {
			torch.NoGrad(func() { to[k] = x.To(d) })
			if to[k] != x {
				to[k].RequireGrad(x.RequiresGrad())
			}
		}
		return to
	}
	err = torch.Try(func() {
		var b *built
		if b, err = build(p.file, move(p.weights), move(p.constants), LoadOptions{Device: d, Trusted: p.trusted}); err == nil {
			p.built = b
		}
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}
