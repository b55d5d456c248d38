package pt2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// The types of models/NAME.json, by the names that torch/_export/serde/schema.py has for them. What a reader does not
// need is left out, and parts that it does not know are ignored, as in Python.

// An ExportedProgram is a graph with its signature.
type ExportedProgram struct {
	GraphModule      GraphModule                `json:"graph_module"`
	OpsetVersion     map[string]int             `json:"opset_version"`
	RangeConstraints map[string]RangeConstraint `json:"range_constraints"`
	SchemaVersion    SchemaVersion              `json:"schema_version"`
	Verifiers        []string                   `json:"verifiers"`
	TorchVersion     string                     `json:"torch_version"`
	GuardsCode       []string                   `json:"guards_code"`
}

// A SchemaVersion is the version of these types.
type SchemaVersion struct {
	Major int `json:"major"`
	Minor int `json:"minor"`
}

// SchemaMajor is the version that is read. A new minor version adds parts that may be ignored.
const (
	SchemaMajor = 8
	schemaMinor = 20 // of PyTorch 2.15
)

// A RangeConstraint bounds a size; nil is no bound.
type RangeConstraint struct {
	MinVal *int `json:"min_val"`
	MaxVal *int `json:"max_val"`
}

// A GraphModule is a graph and how it is called.
type GraphModule struct {
	Graph           Graph             `json:"graph"`
	Signature       GraphSignature    `json:"signature"`
	ModuleCallGraph []ModuleCallEntry `json:"module_call_graph"`
	Metadata        map[string]string `json:"metadata"`
	NamedTuples     map[string]any    `json:"treespec_namedtuple_fields"`
}

// A Graph lists calls.
type Graph struct {
	Inputs               []Union               `json:"inputs"`
	Outputs              []Union               `json:"outputs"`
	Nodes                []Node                `json:"nodes"`
	TensorValues         map[string]TensorMeta `json:"tensor_values"`
	SymIntValues         map[string]Union      `json:"sym_int_values"`
	SymBoolValues        map[string]Union      `json:"sym_bool_values"`
	IsSingleTensorReturn bool                  `json:"is_single_tensor_return"`
	CustomObjValues      map[string]any        `json:"custom_obj_values"`
	SymFloatValues       map[string]Union      `json:"sym_float_values"`
}

// A Node is a call.
type Node struct {
	Target   string            `json:"target"`
	Inputs   []NamedArgument   `json:"inputs"`
	Outputs  []Union           `json:"outputs"`
	Metadata map[string]string `json:"metadata"`
	Single   *bool             `json:"is_hop_single_tensor_return"`
	Name     string            `json:"name"`
}

// A NamedArgument is an argument by its name in the operator's schema.
type NamedArgument struct {
	Name string `json:"name"`
	Arg  Union  `json:"arg"`
	Kind int    `json:"kind"` // Positional or Keyword
}

// Kinds of arguments.
const (
	Positional = 1
	Keyword    = 2
)

// A TensorMeta describes a tensor.
type TensorMeta struct {
	DType         int     `json:"dtype"`
	Sizes         []Union `json:"sizes"`
	RequiresGrad  bool    `json:"requires_grad"`
	Device        Device  `json:"device"`
	Strides       []Union `json:"strides"`
	StorageOffset Union   `json:"storage_offset"`
	Layout        int     `json:"layout"`
}

// A Device is a device by type and index.
type Device struct {
	Type  string `json:"type"`
	Index *int   `json:"index"`
}

// A SymExpr is an expression of sympy.
type SymExpr struct {
	ExprStr string          `json:"expr_str"`
	Hint    json.RawMessage `json:"hint"`
}

// A Name is a part that is a name, such as a TensorArgument.
type Name struct {
	Name string `json:"name"`
}

// A GraphArgument is a graph in a graph.
type GraphArgument struct {
	Name  string `json:"name"`
	Graph Graph  `json:"graph"`
}

// A GraphSignature says what the inputs and outputs of a graph are.
type GraphSignature struct {
	InputSpecs  []Union `json:"input_specs"`
	OutputSpecs []Union `json:"output_specs"`
}

// A Spec is what an input or output is, whose kind is that of the union around it.
type Spec struct {
	Arg                json.RawMessage `json:"arg,omitempty"`
	ParameterName      string          `json:"parameter_name,omitempty"`
	BufferName         string          `json:"buffer_name,omitempty"`
	Persistent         *bool           `json:"persistent,omitempty"`
	TensorConstantName string          `json:"tensor_constant_name,omitempty"`
	UserInputName      string          `json:"user_input_name,omitempty"`
	Name               string          `json:"name,omitempty"` // of a constant input
	Value              json.RawMessage `json:"value,omitempty"`
}

// A ModuleCallEntry is how a module is called; the first one is the whole.
type ModuleCallEntry struct {
	FQN       string               `json:"fqn"`
	Signature *ModuleCallSignature `json:"signature"`
}

// A ModuleCallSignature describes the nested arguments and results.
type ModuleCallSignature struct {
	Inputs          []Union  `json:"inputs"`
	Outputs         []Union  `json:"outputs"`
	InSpec          string   `json:"in_spec"`
	OutSpec         string   `json:"out_spec"`
	ForwardArgNames []string `json:"forward_arg_names"`
}

// A PayloadConfig says where tensors are.
type PayloadConfig struct {
	Config map[string]Payload `json:"config"`
}

// A Payload is the place of a tensor: the record PathName has its whole storage.
type Payload struct {
	PathName   string      `json:"path_name"`
	IsParam    bool        `json:"is_param"`
	UsePickle  bool        `json:"use_pickle"`
	TensorMeta *TensorMeta `json:"tensor_meta"`
}

// A Union is one of several parts, which Kind names: "as_tensor".
type Union struct {
	Kind string
	Raw  json.RawMessage
}

// UnmarshalJSON reads an object of one entry.
func (u *Union) UnmarshalJSON(b []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if len(m) != 1 {
		return fmt.Errorf("a part has %d kinds, not 1", len(m))
	}
	for k, v := range m {
		u.Kind, u.Raw = k, v
	}
	return nil
}

// MarshalJSON writes an object of one entry.
func (u Union) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]json.RawMessage{u.Kind: u.Raw})
}

// Of returns the union of a kind and a value.
func Of(kind string, value any) Union {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err) // values that this module makes
	}
	return Union{kind, b}
}

// As reads the part of a union.
func As[T any](u Union) (T, error) {
	var v T
	if bytes.Equal(u.Raw, []byte("null")) {
		return v, fmt.Errorf("%s is null", u.Kind)
	}
	err := json.Unmarshal(u.Raw, &v)
	return v, err
}

// Float is a float64, which may be infinite or NaN.
type Float float64

// UnmarshalJSON reads a number or one of Python's words.
func (f *Float) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"Infinity"`:
		*f = Float(math.Inf(1))
	case `"-Infinity"`:
		*f = Float(math.Inf(-1))
	case `"NaN"`:
		*f = Float(math.NaN())
	default:
		var v *float64
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		if v == nil {
			return errors.New("a number is null")
		}
		*f = Float(*v)
	}
	return nil
}

// MarshalJSON writes a number, or one of Python's words.
func (f Float) MarshalJSON() ([]byte, error) {
	switch v := float64(f); {
	case math.IsInf(v, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-Infinity"`), nil
	case math.IsNaN(v):
		return []byte(`"NaN"`), nil
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return fmt.Appendf(nil, "%.1f", v), nil // a float in Python
	default:
		return json.Marshal(v)
	}
}

// Written is the version of what this module writes.
var Written = SchemaVersion{SchemaMajor, schemaMinor}
