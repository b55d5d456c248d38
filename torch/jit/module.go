package jit

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// An Object is an object of a TorchScript class. Any number of goroutines may
// use one at once if its methods do not modify it.
//
// https://docs.pytorch.org/docs/stable/jit_language_reference.html
type Object struct {
	mu      sync.RWMutex // held for reading by calls, for writing by Close and To
	m       libtorch.Module
	closed  bool
	cleanup runtime.Cleanup
}

// A Module is a TorchScript module: torch.jit.ScriptModule. Arguments and
// results are [torch.Value]: tensors, numbers, strings, lists, tuples and dicts. Any
// number of goroutines may call one at once.
//
// https://docs.pytorch.org/docs/stable/generated/torch.jit.ScriptModule.html
type Module struct{ Object }

func newModule(m libtorch.Module) *Module {
	s := &Module{Object{m: m}}
	s.own(&s.Object)
	return s
}

// own has the collector free the object.
func (s *Object) own(self *Object) {
	s.cleanup = runtime.AddCleanup(self, libtorch.Module.Free, s.m)
}

// Kwargs are keyword arguments: as the last argument of [Object.Call] it
// gives arguments by their names.
type Kwargs map[string]torch.Value

// Forward calls the method forward.
func (s *Module) Forward(args ...torch.Value) (torch.Value, error) { return s.Call("forward", args...) }

// Call runs a method on the threads of torch.Run and returns its result. Keyword
// arguments come last, as [Kwargs]; missing arguments take the method's defaults. A
// failure in the method is an *torch.Error whose Trace gives the place.
//
// A method that runs forever cannot be interrupted.
func (s *Object) Call(method string, args ...torch.Value) (v torch.Value, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, fmt.Errorf("jit: %s: %w", method, torch.ErrClosed)
	}
	torch.Run(func() { v, err = s.call(method, args) })
	return v, err
}

func (s *Object) call(method string, args []torch.Value) (torch.Value, error) {
	var c torch.Call
	defer runtime.KeepAlive(args)
	for i, a := range args {
		if named, ok := a.(Kwargs); ok && i == len(args)-1 {
			for _, name := range slices.Sorted(maps.Keys(named)) {
				engine.Named(&c, name)
				c.Value(named[name])
			}
			break
		}
		c.Value(a)
	}
	v, err := engine.Invoke(&c, method, func(words, rets []uint64) error { return s.m.Call(method, words, rets) })
	return v, traced(err)
}

func init() {
	engine.NewObject = func(m libtorch.Module, isModule bool) any {
		if isModule {
			return newModule(m)
		}
		o := &Object{m: m}
		o.own(o)
		return o
	}
	engine.Object = func(v any) (libtorch.Module, bool, error) {
		o, ok := v.(*Object)
		if !ok {
			return libtorch.Module{}, false, nil
		}
		o.mu.RLock()
		defer o.mu.RUnlock()
		if o.m == (libtorch.Module{}) || o.closed {
			return libtorch.Module{}, true, errors.New("the object was made by no script, or its module was closed")
		}
		return o.m, true, nil
	}
}

// TypeName returns the qualified name of the object's class, such as "__torch__.Net".
func (s *Object) TypeName() string {
	name, _ := s.list("TypeName", libtorch.ModuleType).(string)
	return name
}

// Methods returns the names of the methods that [Object.Call] takes.
func (s *Object) Methods() []string { return s.names("Methods", libtorch.ModuleMethods) }

// Attributes returns the names of the attributes: parameters, buffers, submodules, constants and others.
func (s *Object) Attributes() []string { return s.names("Attributes", libtorch.ModuleAttributes) }

// Attribute returns the value of an attribute: getattr(object, name). A submodule is returned as a *Module, and a
// tensor shares the attribute's memory.
func (s *Object) Attribute(name string) (v torch.Value, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, fmt.Errorf("jit: Attribute: %w", torch.ErrClosed)
	}
	return engine.Read(func(rets []uint64) error {
		if err := s.m.Attribute(name, rets); err != nil {
			return scriptError("Attribute", err)
		}
		return nil
	})
}

// NamedParameters returns the parameters of the module and its submodules, each
// once: dict(module.named_parameters()). They share the module's memory.
func (s *Module) NamedParameters() torch.StateDict {
	return s.tensors("NamedParameters", libtorch.ModuleParameters)
}

// Parameters returns the parameters of the module and its submodules, each once: list(module.parameters()).
func (s *Module) Parameters() []*torch.Tensor {
	var ps []*torch.Tensor
	for _, e := range s.NamedParameters() {
		ps = append(ps, e.Tensor)
	}
	return ps
}

// NamedBuffers returns the buffers of the module and its submodules, each once: dict(module.named_buffers()).
func (s *Module) NamedBuffers() torch.StateDict {
	return s.tensors("NamedBuffers", libtorch.ModuleBuffers)
}

// StateDict returns the parameters and buffers of the module and its submodules, under all their names: module.state_dict(keep_vars=True).
func (s *Module) StateDict() torch.StateDict {
	return s.tensors("StateDict", libtorch.ModuleState)
}

func (s *Module) tensors(method string, what int) torch.StateDict {
	d, _ := s.list(method, what).(*torch.Dict)
	var out torch.StateDict
	for _, e := range d.Entries {
		out = append(out, torch.Named{Name: e.Key.(string), Tensor: e.Value.(*torch.Tensor)})
	}
	return out
}

func (s *Object) names(method string, what int) []string {
	var out []string
	for _, n := range s.list(method, what).([]torch.Value) {
		out = append(out, n.(string))
	}
	return out
}

// list returns what the object consists of. It panics with an [*torch.Error] after Close.
func (s *Object) list(method string, what int) torch.Value {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		panic(engine.Error(method, torch.ErrClosed))
	}
	v, err := engine.Read(func(rets []uint64) error { return s.m.List(what, rets) })
	if err != nil {
		panic(scriptError(method, err))
	}
	return v
}

// scriptError returns a *torch.Error for an error of libtorch.
func scriptError(op string, err error) error { return traced(engine.Error(op, err)) }

// traced puts the cause of an error of TorchScript before the traceback.
func traced(err error) error {
	var e *torch.Error
	if !errors.As(err, &e) {
		return err
	}
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
// Device is the default device. To waits for calls in progress.
func (s *Module) To(d torch.Device) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("jit: To: %w", torch.ErrClosed)
	}
	typ, index, err := engine.Device(string(d))
	if err == nil {
		err = s.m.To(typ, index)
	}
	if err != nil {
		return fmt.Errorf("jit: move the module to %v: %w", d, err)
	}
	return nil
}

// Train sets training mode, or evaluation mode: module.train(on). It waits for calls in
// progress.
func (s *Module) Train(on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("jit: Train: %w", torch.ErrClosed)
	}
	return s.m.Train(on)
}

// Close frees the module now. It waits for calls in progress; later ones fail with torch.ErrClosed.
func (s *Module) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.cleanup.Stop()
		s.m.Free()
	}
	return nil
}
