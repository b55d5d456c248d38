package aoti

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/cpu"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/pickle"
	"github.com/torchhub/torchhub/internal/pt2"
	"github.com/torchhub/torchhub/internal/strictzip"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
	"github.com/torchhub/torchhub/torch/internal/pytree"
)

// A Model is a model that AOTInductor compiled to native code:
// torch._inductor.aoti_load_package's result. Its inputs are tensors on its device
// in the memory format, dtype and shape that it was compiled for, except that
// dimensions in Python's dynamic_shapes may vary. Any number of goroutines may call
// one at once.
//
// https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html
type Model struct {
	name   string
	device torch.Device
	meta   map[string]string
	inputs []*pt2.Input
	out    *pytree.Spec
	outErr error // why there is none

	mu      sync.RWMutex // held for reading by calls, for writing by Close and LoadConstants
	p       libtorch.Package
	lacks   bool
	closed  bool
	cleanup runtime.Cleanup
}

func load(path string, o Options) (*Model, error) {
	z, done, err := strictzip.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer done()
	p, err := pt2.Read(z)
	if err != nil {
		return nil, err
	}
	model, err := choose(p, o.ModelName)
	if err != nil {
		return nil, err
	}
	m := &Model{name: o.ModelName, meta: model.Metadata, inputs: model.Inputs}
	if m.device, err = runsOn(model, o.Device); err != nil {
		return nil, err
	}
	if err := model.Verify(z); err != nil { // before any of it is run
		return nil, err
	}
	if err := torch.Init(context.Background()); err != nil {
		return nil, err
	}
	index := -1
	if m.device.Type() == "cuda" {
		n, err := torch.CUDACount(context.Background())
		if err != nil {
			return nil, err
		}
		if m.device.Index() >= n {
			return nil, fmt.Errorf("it is to run on %v, and there are %d torch.CUDA devices", m.device, n)
		}
		index = m.device.Index()
	}
	if m.p, err = libtorch.LoadPackage(path, o.ModelName, max(o.Runners, 1), index); err != nil {
		return nil, err
	}
	m.cleanup = runtime.AddCleanup(m, libtorch.Package.Free, m.p)
	if m.lacks, err = m.p.LacksConstants(); err == nil && len(model.Weights) > 0 {
		err = m.readWeights(z, model)
	}
	if err == nil {
		err = m.readSpec()
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// choose finds a model that can be loaded.
func choose(p *pt2.Package, name string) (*pt2.Model, error) {
	var names []string
	for _, m := range p.Models {
		if m.Name != name {
			names = append(names, m.Name)
			continue
		}
		if m.Problem != "" {
			return nil, &badfile.UnsupportedError{Feature: fmt.Sprintf("the model %q cannot be loaded: %s", badfile.Clip(name), m.Problem)}
		}
		return m, nil
	}
	if len(names) == 0 {
		return nil, &badfile.UnsupportedError{Feature: "this is a package of torch.export.save, which holds a graph and no code; load it with the package torch/export, or compile it with torch._inductor.aoti_compile_and_package"}
	}
	return nil, fmt.Errorf("there is no model %q; there are %.200q", badfile.Clip(name), names)
}

// runsOn returns where a model runs, and an error where this machine cannot run it: wrong code ends the process.
func runsOn(m *pt2.Model, want torch.Device) (torch.Device, error) {
	d, err := torch.ParseDevice(m.Device())
	if err != nil || d.Type() != "cpu" && d.Type() != "cuda" {
		return d, &badfile.UnsupportedError{Feature: fmt.Sprintf("it was compiled for the device %q", badfile.Clip(m.Device()))}
	}
	if want != "" {
		if want, err = torch.ParseDevice(string(want)); err != nil {
			return d, err
		}
		if want.Type() != d.Type() {
			return d, fmt.Errorf("it was compiled for %v, not for %v: compiled models do not move", d.Type(), want.Type())
		}
		d = want
	}
	if d == torch.CUDA {
		d = torch.CUDADevice(0)
	}
	platform := map[string]string{"linux": "linux", "darwin": "darwin"}[runtime.GOOS]
	machines := map[string][]string{"amd64": {"x86_64", "AMD64"}, "arm64": {"aarch64", "arm64"}}[runtime.GOARCH]
	if p := m.Metadata["AOTI_PLATFORM"]; p != "" && p != platform {
		return d, &badfile.UnsupportedError{Feature: fmt.Sprintf("it was compiled for the platform %q, and this is %q", badfile.Clip(p), platform)}
	}
	if a := m.Metadata["AOTI_MACHINE"]; a != "" && !slices.Contains(machines, a) {
		return d, &badfile.UnsupportedError{Feature: fmt.Sprintf("it was compiled for a machine %q, and this is %q", badfile.Clip(a), runtime.GOARCH)}
	}
	if runtime.GOARCH == "amd64" && d == torch.CPU {
		for _, isa := range strings.Fields(m.Metadata["AOTI_CPU_ISA"]) {
			if has, known := instructions[isa]; known && !has() {
				return d, &badfile.UnsupportedError{Feature: fmt.Sprintf("it was compiled for a processor with %s, which this one has not", isa)}
			}
		}
	}
	return d, nil
}

// instructions says of what AOTInductor calls a processor's instruction set whether this processor has it.
var instructions = map[string]func() bool{
	"AVX2": func() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA },
	"AVX512": func() bool {
		return cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasFMA
	},
	"AVX512_VNNI": func() bool { return cpu.X86.HasAVX512VNNI },
	"AMX_TILE":    func() bool { return cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && cpu.X86.HasAMXInt8 },
}

// readWeights gives the model the weights in files beside its library, as Python's loader does and libtorch's does not.
func (m *Model) readWeights(z *strictzip.Archive, model *pt2.Model) error {
	var names []string
	var views []*pickle.Tensor
	files := map[string]*pickle.Tensor{}
	for name, w := range model.Weights {
		t := files[w.File]
		if t == nil {
			b, err := model.Weight(z, w.File)
			if err != nil {
				return err
			}
			v, err := pickle.Read(b, pickle.Options{VerifyCRC: true})
			if err != nil {
				return fmt.Errorf("weight %q: %w", w.File, err)
			}
			var ok bool
			if t, ok = v.(*pickle.Tensor); !ok {
				return &badfile.MalformedError{Msg: fmt.Sprintf("the weight %q is not a tensor", w.File)}
			}
			files[w.File] = t
		}
		view, err := t.View(w.Offset, w.Size, w.Stride)
		if err != nil {
			return fmt.Errorf("weight %q: %w", name, err)
		}
		names, views = append(names, name), append(views, view)
	}
	xs, err := engine.Tensors(nil, views, string(torch.CPU))
	if err != nil {
		return err
	}
	var state torch.StateDict
	defer func() { state.Free() }()
	for i, x := range xs {
		state = append(state, torch.Named{Name: names[i], Tensor: x.(*torch.Tensor)})
	}
	return m.loadConstants(state)
}

// Constants returns the names of the model's weights, sorted: get_constant_fqns().
// Weights that the compiler folded into the code are not included.
func (m *Model) Constants() ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, fmt.Errorf("aoti: model %q: %w", m.name, torch.ErrClosed)
	}
	names, err := stringList(m.p.Constants)
	if err != nil {
		return nil, fmt.Errorf("aoti: model %q: %w", m.name, err)
	}
	slices.Sort(names)
	return names, nil
}

// stringList returns the list of strings that a call gives.
func stringList(call func(buf []uint64) error) ([]string, error) {
	v, err := engine.Read(call)
	if err != nil {
		return nil, err
	}
	list := v.([]torch.Value)
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = v.(string)
	}
	return all, nil
}

// LoadConstants gives the model copies of all its weights, by the names that
// [Model.Constants] lists, which replace its own: load_constants(state,
// check_full_update=True). A model that was packaged without weights needs it before
// the first call. Missing and unknown names are an error. It waits for calls in
// progress.
func (m *Model) LoadConstants(state torch.StateDict) error {
	if err := m.loadConstants(state); err != nil {
		return fmt.Errorf("aoti: load the constants of model %q: %w", m.name, err)
	}
	return nil
}

func (m *Model) loadConstants(state torch.StateDict) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return torch.ErrClosed
	}
	var c torch.Call
	c.Dict(len(state))
	for _, e := range state {
		c.String(e.Name)
		c.Tensor(e.Tensor)
	}
	var failed error
	_, err := engine.Invoke(&c, m.name, func(words, _ []uint64) error {
		failed = m.p.LoadConstants(words)
		return nil
	})
	if err = cmp.Or(err, failed); err != nil {
		return err
	}
	m.lacks = false
	return nil
}

// Device returns the device of the model.
func (m *Model) Device() torch.Device { return m.device }

// Metadata returns the properties for which the model was compiled, by keys such as AOTI_DEVICE_KEY: get_metadata().
func (m *Model) Metadata() map[string]string { return m.meta }

// Run calls the model with its inputs in order, on the model's device, and returns its
// outputs in order, on the threads of [torch.Run]. An output that is None is nil.
// Autograd records nothing. If the number, dtype, shape, memory format or device of
// the inputs differs from that for which the model was compiled, Run returns an
// *torch.Error, as Python does with AOTI_RUNTIME_CHECK_INPUTS, except that the bounds
// of a variable size are not checked: compiled code uses the memory as it is.
func (m *Model) Run(inputs ...*torch.Tensor) (outputs []*torch.Tensor, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	switch {
	case m.closed:
		return nil, fmt.Errorf("aoti: model %q: %w", m.name, torch.ErrClosed)
	case m.lacks:
		return nil, fmt.Errorf("aoti: model %q: it was packaged without its weights; call LoadConstants first", m.name)
	}
	torch.Run(func() { outputs, err = m.run(inputs) })
	return outputs, err
}

func (m *Model) run(inputs []*torch.Tensor) ([]*torch.Tensor, error) {
	var c torch.Call
	for _, x := range inputs {
		c.Tensor(x)
	}
	v, err := engine.Invoke(&c, m.name, func(words, rets []uint64) error {
		if err := m.check(inputs); err != nil {
			return err
		}
		tensors := make([]uint64, len(inputs))
		for i := range tensors {
			tensors[i] = words[2*i+1] // behind its tag
		}
		return m.p.Run(tensors, rets)
	})
	if err != nil {
		return nil, err
	}
	list := v.([]torch.Value)
	outputs := make([]*torch.Tensor, len(list))
	for i, v := range list {
		outputs[i], _ = v.(*torch.Tensor)
	}
	return outputs, nil
}

// check compares inputs with what the model was compiled for.
func (m *Model) check(inputs []*torch.Tensor) error {
	sizes, strides := make([][]int, len(inputs)), make([][]int, len(inputs))
	for i, x := range inputs {
		sizes[i], strides[i] = x.Shape(), x.Strides()
	}
	if err := pt2.Check(m.inputs, sizes, strides); err != nil {
		return err
	}
	for i, x := range inputs {
		want := m.device // some inputs of a model for GPUs may be on the CPU
		if m.inputs[i].Device == 0 {
			want = torch.CPU
		}
		if d := x.Device(); d != want {
			return fmt.Errorf("input %d is on %v, and must be on %v", i, d, want)
		}
		if d := x.DType().String(); d != m.inputs[i].DType {
			return fmt.Errorf("input %d is of the dtype %s, and must be of %s", i, d, m.inputs[i].DType)
		}
	}
	return nil
}

// Forward calls the model as in Python: the inputs are the tensors in the
// arguments, in order, and the outputs are returned in the tuples, lists and dicts
// that the model returned before it was compiled. Other arguments, such as numbers,
// are fixed when the model is compiled. A model with keyword arguments is called by
// [Model.Run].
func (m *Model) Forward(args ...torch.Value) (torch.Value, error) {
	if m.outErr != nil {
		return nil, fmt.Errorf("aoti: model %q: its outputs cannot be represented in Go: %w; call Run", m.name, m.outErr)
	}
	var inputs []*torch.Tensor
	for _, a := range args {
		inputs = pytree.Tensors(inputs, a)
	}
	outputs, err := m.Run(inputs...)
	if err != nil {
		return nil, err
	}
	leaves := make([]torch.Value, len(outputs))
	for i, y := range outputs {
		if y != nil {
			leaves[i] = y
		}
	}
	v, rest, err := m.out.Build(leaves)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d outputs are left over", len(rest))
	}
	if err != nil {
		return nil, fmt.Errorf("aoti: model %q: %w", m.name, err)
	}
	return v, nil
}

func (m *Model) readSpec() error {
	spec, err := stringList(m.p.CallSpec)
	if err != nil {
		return err
	}
	if len(spec) != 2 {
		return fmt.Errorf("the model says how it is called in %d texts, not 2", len(spec))
	}
	m.out, m.outErr = pytree.Parse(spec[1])
	return nil
}

// Close unloads the model. It waits for calls in progress; later ones fail with torch.ErrClosed.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		m.cleanup.Stop()
		m.p.Free()
	}
	return nil
}
