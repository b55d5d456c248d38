package export

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/atomicfile"
	"github.com/torchhub/torchhub/internal/pickle"
	"github.com/torchhub/torchhub/internal/pt2"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// SaveOptions are the options of [Save].
type SaveOptions struct {
	State   torch.StateDict // parameters and persistent buffers by name: nn.StateDict(model)
	Buffers []string        // the names of those that are buffers; nil means those that require no gradient
}

// Save writes a graph as a program, which torch.export.load reads in Python and [Load] here: torch.export.save(ep, path).
//
//	state := nn.StateDict(model)
//	g, err := graph.Trace(func(x ...*torch.Tensor) []*torch.Tensor {
//		return []*torch.Tensor{model.Forward(x[0])}
//	}, []*torch.Tensor{torch.Randn(1, 3, 224, 224)}, graph.TraceOptions{Names: state})
//	if err != nil {
//		log.Fatal(err)
//	}
//	err = export.Save("model.pt2", g, export.SaveOptions{State: state})
//
// Constants of the graph with a name in State become parameters and buffers, and others constant tensors. All of State
// is written, and tensors that share memory share it again. The arguments of the program are the inputs of the graph, by
// their names, and the result is its output, or a tuple of several. A graph with numbers or sizes that depend on the
// inputs is an error. The file is created, or replaced, atomically.
//
// https://docs.pytorch.org/docs/stable/export.html#torch.export.save
func Save(path string, g *graph.Graph, options ...SaveOptions) error {
	s, err := newSaver(g, torch.Only(options))
	if err == nil {
		err = atomicfile.Write(path, func(w io.Writer) error { return s.write(w, pickle.RootOf(path)) })
	}
	if err != nil {
		return fmt.Errorf("export: save %s: %w", path, err)
	}
	return nil
}

// A saver makes the parts of a file.
type saver struct {
	names     map[*graph.Value]string
	taken     map[string]bool
	program   pt2.ExportedProgram
	weights   torch.StateDict
	constants torch.StateDict
	buffers   map[string]bool
}

func newSaver(g *graph.Graph, o SaveOptions) (*saver, error) {
	s := &saver{names: map[*graph.Value]string{}, taken: map[string]bool{}, buffers: map[string]bool{}}
	for _, word := range reserved {
		s.taken[word] = true
	}
	for _, e := range o.State {
		for part := range strings.SplitSeq(e.Name, ".") {
			if part == "" || slices.Contains(reserved, part) {
				return nil, fmt.Errorf("the tensor %q of State has a name that Python does not allow: %q", e.Name, part)
			}
		}
		if e.Tensor == nil {
			return nil, fmt.Errorf("the tensor %q of State is nil", e.Name)
		}
		if s.weights.Get(e.Name) != nil {
			return nil, fmt.Errorf("two tensors of State are named %q", e.Name)
		}
		s.weights = append(s.weights, e)
		s.buffers[e.Name] = o.Buffers == nil && !e.Tensor.RequiresGrad() || slices.Contains(o.Buffers, e.Name)
	}
	s.program = pt2.ExportedProgram{
		OpsetVersion: map[string]int{"aten": 10}, RangeConstraints: map[string]pt2.RangeConstraint{}, SchemaVersion: pt2.Written,
		Verifiers: []string{"TRAINING"}, TorchVersion: torch.Version(), GuardsCode: []string{},
	}
	m := &s.program.GraphModule
	m.Metadata, m.NamedTuples = map[string]string{}, map[string]any{}
	m.Graph = pt2.Graph{
		Nodes: []pt2.Node{}, TensorValues: map[string]pt2.TensorMeta{}, SymIntValues: map[string]pt2.Union{}, SymBoolValues: map[string]pt2.Union{},
		CustomObjValues: map[string]any{}, SymFloatValues: map[string]pt2.Union{},
	}
	if err := s.inputs(g); err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		if err := s.node(n); err != nil {
			return nil, err
		}
	}
	for _, v := range g.Outputs {
		arg := pt2.Of("as_tensor", pt2.Name{Name: s.names[v]})
		m.Graph.Outputs = append(m.Graph.Outputs, arg)
		m.Signature.OutputSpecs = append(m.Signature.OutputSpecs, pt2.Of("user_output", map[string]any{"arg": arg}))
	}
	return s, s.signature(g)
}

// inputs writes the inputs of the graph: parameters, buffers, constants, and those of the caller.
func (s *saver) inputs(g *graph.Graph) error {
	lifted := map[string]*graph.Value{}
	var others []*graph.Value
	for _, v := range g.Constants {
		if x := s.weights.Get(v.Name); x != nil && slices.Equal(x.Shape(), v.Shape) && x.DType() == v.DType {
			lifted[v.Name] = v
		} else {
			others = append(others, v)
		}
	}
	for _, buffers := range []bool{false, true} {
		for _, e := range s.weights {
			if s.buffers[e.Name] != buffers {
				continue
			}
			v := lifted[e.Name]
			if v == nil { // the graph does not use it
				v = &graph.Value{DType: e.Tensor.DType(), Device: e.Tensor.Device(), Shape: e.Tensor.Shape(), Tensor: e.Tensor}
			}
			prefix, kind, spec := "p_", "parameter", map[string]any{"parameter_name": e.Name}
			if buffers {
				prefix, kind, spec = "b_", "buffer", map[string]any{"buffer_name": e.Name, "persistent": true}
			}
			if err := s.input(v, prefix+e.Name, kind, spec); err != nil {
				return err
			}
		}
	}
	for _, v := range others {
		if s.weights.Get(v.Name) != nil {
			return fmt.Errorf("the constant %s of the graph is another tensor than that of State", v.Name)
		}
		s.constants = append(s.constants, torch.Named{Name: v.Name, Tensor: v.Tensor})
		if err := s.input(v, "c_"+v.Name, "tensor_constant", map[string]any{"tensor_constant_name": v.Name}); err != nil {
			return err
		}
	}
	for _, v := range g.Inputs {
		if err := s.input(v, v.Name, "user_input", map[string]any{}); err != nil {
			return err
		}
	}
	return nil
}

func (s *saver) input(v *graph.Value, name, kind string, spec map[string]any) error {
	if err := s.define(v, name); err != nil {
		return err
	}
	m := &s.program.GraphModule
	arg := pt2.Of("as_tensor", pt2.Name{Name: s.names[v]})
	m.Graph.Inputs = append(m.Graph.Inputs, arg)
	if spec["arg"] = arg; kind != "user_input" {
		spec["arg"] = pt2.Name{Name: s.names[v]}
	}
	m.Signature.InputSpecs = append(m.Signature.InputSpecs, pt2.Of(kind, spec))
	return nil
}

// reserved are names that mean something in the code that Python makes of a graph.
var reserved = strings.Fields("False None True and as assert async await break class continue def del device elif else except finally for from global if import in inf is lambda math nan nonlocal not operator or pass raise return self torch try while with yield")

// define gives a value a name that is one in Python, and describes it.
func (s *saver) define(v *graph.Value, name string) error {
	if v.Number != "" || slices.Contains(v.Shape, -1) {
		return unsupported("the graph has %s, which depends on the inputs", v.Name)
	}
	base := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' {
			return r
		}
		return '_'
	}, name)
	if base == "" || base[0] >= '0' && base[0] <= '9' {
		base = "_" + base
	}
	unique := base
	for i := 1; s.taken[unique]; i++ {
		unique = fmt.Sprintf("%s_%d", base, i)
	}
	s.taken[unique], s.names[v] = true, unique
	stride, offset, grad := contiguous(v.Shape), 0, false
	if v.Tensor != nil {
		stride, offset, grad = v.Tensor.Strides(), v.Tensor.StorageOffset(), v.Tensor.RequiresGrad()
	}
	meta, err := describeTensor(v.DType, v.Device, v.Shape, stride, offset, grad)
	s.program.GraphModule.Graph.TensorValues[unique] = meta
	return err
}

func contiguous(shape []int) []int {
	stride := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		stride[i] = n
		n *= max(shape[i], 1)
	}
	return stride
}

func describeTensor(dtype torch.DType, device torch.Device, size, stride []int, offset int, grad bool) (pt2.TensorMeta, error) {
	n, ok := numberOf(dtype)
	if !ok {
		return pt2.TensorMeta{}, unsupported("a tensor of the dtype %v", dtype)
	}
	return pt2.TensorMeta{
		DType: n, Sizes: sizes(size), RequiresGrad: grad, Device: placeOf(device), Strides: sizes(stride),
		StorageOffset: pt2.Of("as_int", offset), Layout: pt2.Strided,
	}, nil
}

// numberOf returns the number of a dtype in files.
func numberOf(dtype torch.DType) (int, bool) {
	for n, name := range pt2.DTypes {
		if name == dtype.String() {
			return n, true
		}
	}
	return 0, false
}

func placeOf(d torch.Device) pt2.Device {
	place := pt2.Device{Type: d.Type()}
	if strings.Contains(string(d), ":") {
		i := d.Index()
		place.Index = &i
	}
	return place
}

func sizes(ns []int) []pt2.Union {
	out := make([]pt2.Union, len(ns))
	for i, n := range ns {
		out[i] = pt2.Of("as_int", n)
	}
	return out
}

// signature says how the program is called.
func (s *saver) signature(g *graph.Graph) error {
	leaf := func() map[string]any { return map[string]any{"type": nil, "context": nil, "children_spec": []any{}} }
	tuple := func(n int) map[string]any {
		children := make([]any, n)
		for i := range children {
			children[i] = leaf()
		}
		return map[string]any{"type": "builtins.tuple", "context": "null", "children_spec": children}
	}
	in := tuple(0)
	in["children_spec"] = []any{tuple(len(g.Inputs)), map[string]any{"type": "builtins.dict", "context": "[]", "children_spec": []any{}}}
	out := leaf()
	if len(g.Outputs) != 1 {
		out = tuple(len(g.Outputs))
	}
	inText, err := json.Marshal([]any{1, in})
	if err != nil {
		return err
	}
	outText, err := json.Marshal([]any{1, out})
	if err != nil {
		return err
	}
	sig := &pt2.ModuleCallSignature{Inputs: []pt2.Union{}, Outputs: []pt2.Union{}, InSpec: string(inText), OutSpec: string(outText)}
	for _, v := range g.Inputs {
		sig.ForwardArgNames = append(sig.ForwardArgNames, s.names[v])
	}
	s.program.GraphModule.ModuleCallGraph = []pt2.ModuleCallEntry{{Signature: sig}}
	return nil
}

func (s *saver) write(to io.Writer, root string) error {
	w := pickle.NewWriter(to, root)
	if err := s.payloads(w, s.weights, "data/weights/", "weight_", "data/weights/model_weights_config.json"); err != nil {
		return err
	}
	if err := s.payloads(w, s.constants, "data/constants/", "tensor_", "data/constants/model_constants_config.json"); err != nil {
		return err
	}
	text, err := json.Marshal(s.program)
	if err != nil {
		return err
	}
	for _, r := range [][2]string{
		{"models/model.json", string(text)}, {"data/sample_inputs/model.pt", ""}, {"archive_format", "pt2"}, {"archive_version", "0"}, {".data/version", "6\n"},
	} {
		if err := w.Record(r[0], r[1]); err != nil {
			return err
		}
	}
	return w.End()
}

// payloads writes tensors, each storage once, and where they are.
func (s *saver) payloads(w *pickle.Writer, state torch.StateDict, dir, prefix, config string) error {
	xs := make([]any, len(state))
	for i, e := range state {
		xs[i] = e.Tensor
	}
	ts, done, err := engine.Describe(xs)
	if err != nil {
		return err
	}
	defer done()
	c := pt2.PayloadConfig{Config: map[string]pt2.Payload{}}
	files := map[*pickle.Storage]string{}
	for i, t := range ts {
		x := state[i].Tensor
		if t.Conj || t.Neg || t.Quantizer != nil {
			return unsupported("the tensor %q, which is quantized, conjugated or negated", state[i].Name)
		}
		file := files[t.Storage]
		if file == "" {
			file = fmt.Sprint(prefix, len(files))
			files[t.Storage] = file
			if err := w.RecordStorage(dir+file, t.Storage); err != nil {
				return err
			}
		}
		meta, err := describeTensor(x.DType(), x.Device(), t.Size, t.Stride, t.Offset, x.RequiresGrad())
		if err != nil {
			return err
		}
		buffer, isState := s.buffers[state[i].Name]
		c.Config[state[i].Name] = pt2.Payload{PathName: file, IsParam: isState && !buffer, TensorMeta: &meta}
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return w.Record(config, string(text))
}
