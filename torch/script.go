package torch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/strictzip"
)

// ErrClosed says that a module was used after Close.
var ErrClosed = errors.New("module used after Close")

// A ScriptObject is an object of a TorchScript class. Any number of goroutines
// may use one at once, as far as its methods change nothing.
//
// https://docs.pytorch.org/docs/stable/jit_language_reference.html
type ScriptObject struct {
	mu      sync.RWMutex // held for reading by calls, for writing by Close and To
	m       libtorch.Module
	closed  bool
	cleanup runtime.Cleanup
}

// A ScriptModule is a TorchScript module: torch.jit.ScriptModule. The package
// torch/jit loads them. Any number of goroutines may call one at once.
//
// https://docs.pytorch.org/docs/stable/generated/torch.jit.ScriptModule.html
type ScriptModule struct{ ScriptObject }

// A ScriptOption is an option of [LoadScript].
type ScriptOption func(*scriptOptions)

type scriptOptions struct {
	extra  map[string][]byte
	limits Limits
}

// WithExtraFiles reads files that lie in the archive beside the module: for each
// name that is a key of files, and in the archive, it sets the value to the
// contents. It is the argument _extra_files of torch.jit.load.
func WithExtraFiles(files map[string][]byte) ScriptOption {
	return func(o *scriptOptions) { o.extra = files }
}

// WithScriptLimits bounds what the archive may ask for while it is loaded. Of
// the limits, Depth also bounds how deep the code's expressions are nested;
// there the default is 4096.
func WithScriptLimits(l Limits) ScriptOption { return func(o *scriptOptions) { o.limits = l } }

// LoadScript reads a TorchScript archive from a file onto the CPU: torch.jit.load(path, "cpu").
func LoadScript(path string, options ...ScriptOption) (*ScriptModule, error) {
	s, err := loadScript(path, options)
	if err != nil {
		return nil, fmt.Errorf("jit: load %s: %w", path, err)
	}
	return s, nil
}

func loadScript(path string, options []ScriptOption) (*ScriptModule, error) {
	if err := isScript(path); err != nil {
		return nil, err
	}
	z, done, err := strictzip.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer done()
	return newScript(z, options, func() (libtorch.Module, error) { return libtorch.LoadModule(path) })
}

// isScript refuses a file that is plainly of another kind, and says of which.
func isScript(path string) error {
	k, err := filekind.OfFile(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err // the caller names the path
		}
		return err
	}
	switch k.Class {
	case filekind.Unknown, filekind.Script, filekind.Archive:
		return nil
	case filekind.Checkpoint, filekind.Safetensors:
		k.Advice = "load it with torch.Load or torch.LoadStateDict"
	case filekind.Compiled:
		k.Advice = "load it with the package torch/aoti"
	}
	return &filekind.MismatchError{Kind: k, Want: "a TorchScript archive"}
}

// LoadScriptBytes reads a TorchScript archive that lies in memory onto the CPU.
func LoadScriptBytes(data []byte, options ...ScriptOption) (*ScriptModule, error) {
	z, err := strictzip.Open(data)
	var s *ScriptModule
	if err == nil {
		s, err = newScript(z, options, func() (libtorch.Module, error) { return libtorch.LoadModuleBytes(data) })
	}
	if err != nil {
		return nil, fmt.Errorf("jit: load archive in memory: %w", err)
	}
	return s, nil
}

func newScript(z *strictzip.Archive, options []ScriptOption, load func() (libtorch.Module, error)) (*ScriptModule, error) {
	var o scriptOptions
	for _, f := range options {
		f(&o)
	}
	if err := o.check(z); err != nil {
		return nil, err
	}
	if err := Init(context.Background()); err != nil {
		return nil, err
	}
	m, err := load()
	if err != nil {
		return nil, scriptError("load", err)
	}
	return newScriptModule(m), nil
}

func newScriptModule(m libtorch.Module) *ScriptModule {
	s := &ScriptModule{ScriptObject{m: m}}
	s.own(&s.ScriptObject)
	return s
}

// own has the collector free the object.
func (s *ScriptObject) own(self *ScriptObject) {
	s.cleanup = runtime.AddCleanup(self, libtorch.Module.Free, s.m)
}

// Kwargs are keyword arguments: as the last argument of [ScriptObject.Call] it
// gives arguments by their names.
type Kwargs map[string]Value

// Forward calls the method forward.
func (s *ScriptModule) Forward(args ...Value) (Value, error) { return s.Call("forward", args...) }

// Call runs a method on the threads of [Run] and returns what it gave. Arguments
// by name come last, as [Kwargs]; what is left out takes the method's defaults.
// A failure in the method is an [*Error] whose Trace says where.
//
// A method that runs for ever cannot be interrupted.
func (s *ScriptObject) Call(method string, args ...Value) (v Value, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, fmt.Errorf("jit: %s: %w", method, ErrClosed)
	}
	Run(func() { v, err = s.call(method, args) })
	return v, err
}

func (s *ScriptObject) call(method string, args []Value) (Value, error) {
	var c Call
	defer c.release()
	defer runtime.KeepAlive(args)
	for i, a := range args {
		if named, ok := a.(Kwargs); ok && i == len(args)-1 {
			for _, name := range slices.Sorted(maps.Keys(named)) {
				c.put(libtorch.Named)
				c.text(name)
				c.Value(named[name])
			}
			break
		}
		c.Value(a)
	}
	if c.err != nil {
		c.err.Op, c.err.Args = method, c.tensors()
		return nil, c.err
	}
	relieve()
	return s.read(func(rets []uint64) error {
		err := s.m.Call(method, c.words(), rets)
		if err != nil {
			e := scriptError(method, err)
			e.Args = c.tensors()
			return e
		}
		return nil
	})
}

// read returns the value that f writes.
func (s *ScriptObject) read(f func(rets []uint64) error) (Value, error) {
	var rets [libtorch.RetsHead + 16]uint64
	if err := f(rets[:]); err != nil {
		return nil, err
	}
	r := returned(rets[:], new(maker))
	defer r.done()
	v := r.next()
	if e, bad := v.(error); bad {
		return nil, e
	}
	return v, nil
}

// object adds an object, which must outlive the call.
func (c *Call) object(s *ScriptObject) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.m == (libtorch.Module{}) || s.closed {
		c.mistake("the object was made by no script, or its module was closed")
		c.None()
		return
	}
	c.put(libtorch.Object)
	c.put(s.m.Word())
}

// TypeName returns the qualified name of the object's class, such as "__torch__.Net".
func (s *ScriptObject) TypeName() string {
	name, _ := s.list("TypeName", libtorch.ModuleType).(string)
	return name
}

// Methods returns the names of the methods that [ScriptObject.Call] takes.
func (s *ScriptObject) Methods() []string { return s.names("Methods", libtorch.ModuleMethods) }

// Attributes returns the names of the attributes: parameters, buffers, submodules, constants and others.
func (s *ScriptObject) Attributes() []string { return s.names("Attributes", libtorch.ModuleAttributes) }

// Attribute returns the value of an attribute: getattr(object, name). That of a submodule is a *ScriptModule, and that of a tensor shares its memory.
func (s *ScriptObject) Attribute(name string) (v Value, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, fmt.Errorf("jit: Attribute: %w", ErrClosed)
	}
	return s.read(func(rets []uint64) error {
		if err := s.m.Attribute(name, rets); err != nil {
			return scriptError("Attribute", err)
		}
		return nil
	})
}

// NamedParameters returns the parameters of the module and its submodules, each
// once: dict(module.named_parameters()). They share the module's memory.
func (s *ScriptModule) NamedParameters() StateDict {
	return s.tensors("NamedParameters", libtorch.ModuleParameters)
}

// Parameters returns the parameters of the module and its submodules, each once: list(module.parameters()).
func (s *ScriptModule) Parameters() []*Tensor {
	var ps []*Tensor
	for _, e := range s.NamedParameters() {
		ps = append(ps, e.Tensor)
	}
	return ps
}

// NamedBuffers returns the buffers of the module and its submodules, each once: dict(module.named_buffers()).
func (s *ScriptModule) NamedBuffers() StateDict {
	return s.tensors("NamedBuffers", libtorch.ModuleBuffers)
}

// StateDict returns the parameters and buffers of the module and its submodules, under all their names: module.state_dict(keep_vars=True).
func (s *ScriptModule) StateDict() StateDict {
	return s.tensors("StateDict", libtorch.ModuleState)
}

func (s *ScriptModule) tensors(method string, what int) StateDict {
	d, _ := s.list(method, what).(*Dict)
	var out StateDict
	for _, e := range d.Entries {
		out = append(out, Named{e.Key.(string), e.Value.(*Tensor)})
	}
	return out
}

func (s *ScriptObject) names(method string, what int) []string {
	var out []string
	for _, n := range s.list(method, what).([]Value) {
		out = append(out, n.(string))
	}
	return out
}

// list returns what the object consists of. It panics with an [*Error] after Close.
func (s *ScriptObject) list(method string, what int) Value {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		panic(&Error{Op: method, Msg: "module used after Close", kind: ErrClosed})
	}
	v, err := s.read(func(rets []uint64) error { return s.m.List(what, rets) })
	if err != nil {
		panic(scriptError(method, err))
	}
	return v
}

// scriptError puts the cause of an error of TorchScript before the traceback.
func scriptError(op string, err error) *Error {
	e := &Error{Op: op, Msg: err.Error(), kind: kindOf(err)}
	const here = "<--- HERE"
	at := strings.LastIndex(e.Msg, here)
	if at < 0 || !strings.Contains(e.Msg[:at], "Traceback of TorchScript") {
		if at < 0 {
			return e
		}
		// An error of the compiler: the cause, a colon, and the place.
		cause, _, ok := strings.Cut(e.Msg, ":\n")
		if ok {
			e.Trace, e.Msg = strings.TrimSpace(e.Msg[len(cause)+2:]), strings.TrimSpace(cause)
		}
		return e
	}
	end := at + len(here)
	for end+1 < len(e.Msg) { // lines of the program's source, which are indented, may follow
		line, _, _ := strings.Cut(e.Msg[end+1:], "\n")
		if strings.TrimSpace(line) != "" && line[0] != ' ' {
			break
		}
		end = min(end+1+len(line), len(e.Msg))
	}
	e.Trace = strings.TrimSpace(strings.TrimPrefix(e.Msg[:end], "The following operation failed in the TorchScript interpreter.\n"))
	e.Msg = strings.TrimPrefix(strings.TrimSpace(e.Msg[end:]), "builtins.")
	for _, plain := range []string{"RuntimeError: ", "torch.jit.Error: "} {
		e.Msg = strings.TrimPrefix(e.Msg, plain)
	}
	return e
}

// To moves the parameters and buffers to a device: module.to(device). The zero
// Device is the default device. To waits for calls under way.
func (s *ScriptModule) To(d Device) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("jit: To: %w", ErrClosed)
	}
	typ, index, err := d.c10()
	if err == nil {
		err = s.m.To(typ, index)
	}
	if err != nil {
		return fmt.Errorf("jit: move the module to %v: %w", d, err)
	}
	return nil
}

// Train sets training mode, or evaluation mode: module.train(on). It waits for calls under way.
func (s *ScriptModule) Train(on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("jit: Train: %w", ErrClosed)
	}
	return s.m.Train(on)
}

// Close frees the module now. It waits for calls under way; later ones fail with [ErrClosed].
func (s *ScriptModule) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.cleanup.Stop()
		s.m.Free()
	}
	return nil
}
