package torch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// ErrClosed says that a module was used after Close.
var ErrClosed = errors.New("module used after Close")

// A ScriptModule is a TorchScript module: torch.jit.ScriptModule. The package
// torch/jit loads them. Any number of goroutines may call one at once.
//
// https://docs.pytorch.org/docs/stable/generated/torch.jit.ScriptModule.html
type ScriptModule struct {
	mu      sync.RWMutex // held for reading by calls, for writing by Close and To
	m       libtorch.Module
	closed  bool
	cleanup runtime.Cleanup
}

// LoadScript reads a TorchScript archive from a file onto the CPU: torch.jit.load(path, "cpu").
func LoadScript(path string) (*ScriptModule, error) {
	return newScript(path, func() (libtorch.Module, error) { return libtorch.LoadModule(path) })
}

// LoadScriptBytes reads a TorchScript archive that lies in memory onto the CPU.
func LoadScriptBytes(data []byte) (*ScriptModule, error) {
	return newScript("archive in memory", func() (libtorch.Module, error) { return libtorch.LoadModuleBytes(data) })
}

func newScript(name string, load func() (libtorch.Module, error)) (*ScriptModule, error) {
	if err := Init(context.Background()); err != nil {
		return nil, err
	}
	m, err := load()
	if err != nil {
		return nil, fmt.Errorf("jit: load %s: %w", name, err)
	}
	s := &ScriptModule{m: m}
	s.cleanup = runtime.AddCleanup(s, libtorch.Module.Free, m)
	return s, nil
}

// Forward calls the method forward.
func (s *ScriptModule) Forward(args ...Value) (Value, error) { return s.Call("forward", args...) }

// Call runs a method on the threads of [Run] and returns what it gave. What is
// left out at the end of args takes the method's defaults.
func (s *ScriptModule) Call(method string, args ...Value) (v Value, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, fmt.Errorf("jit: %s: %w", method, ErrClosed)
	}
	Run(func() { v, err = s.call(method, args) })
	return v, err
}

func (s *ScriptModule) call(method string, args []Value) (Value, error) {
	var c Call
	defer c.release()
	for _, a := range args {
		c.Value(a)
	}
	if c.err != nil {
		c.err.Op, c.err.Args = method, c.tensors()
		return nil, c.err
	}
	var rets [libtorch.RetsHead + 16]uint64
	relieve()
	if err := s.m.Call(method, c.words(), rets[:]); err != nil {
		return nil, &Error{Op: method, Args: c.tensors(), Msg: err.Error(), kind: kindOf(err)}
	}
	r := returned(rets[:], new(maker))
	defer r.done()
	v := r.next()
	if e, bad := v.(error); bad {
		return nil, e
	}
	return v, nil
}

// To moves the parameters and buffers to a device: module.to(device). It waits for calls under way.
func (s *ScriptModule) To(d Device) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("jit: To: %w", ErrClosed)
	}
	i := d.Index
	if d.Type == CPUType {
		i = -1
	}
	if err := s.m.To(int(d.Type), i); err != nil {
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
