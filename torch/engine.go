package torch

import (
	"fmt"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/pickle"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

func init() {
	engine.Invoke = func(call any, name string, f func(words, rets []uint64) error) (any, error) {
		return call.(*Call).invoke(name, f)
	}
	engine.Named = func(call any, name string) {
		c := call.(*Call)
		c.put(libtorch.Named)
		c.text(name)
	}
	engine.Read = read
	engine.Callback = func(name string, f func(in []any, r *libtorch.Returning) []any) (uint64, error) {
		return newCallback(name, func(in []*Tensor, r *libtorch.Returning) []*Tensor {
			args := make([]any, len(in))
			for i, x := range in {
				args[i] = x
			}
			results := f(args, r)
			out := make([]*Tensor, len(results))
			for i, x := range results {
				out[i] = x.(*Tensor)
			}
			return out
		})
	}
	engine.RootGradient = func(op string, x, grad any) any { return rootGradient(op, x.(*Tensor), grad.(*Tensor)) }
	engine.RunUntil = runUntil
	engine.Pinned = func(f func()) { within(func(s *libtorch.State) { s.Scope |= workerBit }, f) }
	engine.Error = func(op string, err error) error { return &Error{Op: op, Msg: messageOf(err), kind: kindOf(err)} }
	engine.NotImplemented = func(op, msg string) error { return &Error{Op: op, Msg: msg, kind: ErrNotImplemented} }
	engine.Device = func(d string) (typ, index int, err error) { return Device(d).c10() }
	engine.Within = func(change func(*libtorch.State), f func()) {
		mustInit()
		within(change, f)
	}
	engine.Unscoped = func(f func()) { within(func(s *libtorch.State) { s.Scope &= workerBit }, f) }
	engine.Unscope = func(x any) {
		if x := x.(*Tensor); x.scope != nil {
			x.leave()
		}
	}
	engine.Tensors = tensorsOf
	engine.Describe = describeAll
}

// invoke makes a call by f, of something other than an operator.
func (c *Call) invoke(name string, f func(words, rets []uint64) error) (Value, error) {
	defer c.release()
	if c.err != nil {
		c.err.Op, c.err.Args = name, c.tensors()
		return nil, c.err
	}
	collectIfDue()
	return read(func(rets []uint64) error {
		if err := f(c.words(), rets); err != nil {
			return &Error{Op: name, Args: c.tensors(), Msg: messageOf(err), kind: kindOf(err)}
		}
		return nil
	})
}

// read returns the first value that f writes, or nil if it writes none.
func read(f func(rets []uint64) error) (Value, error) {
	var rets [libtorch.RetsHead + 16]uint64
	if err := f(rets[:]); err != nil {
		return nil, err
	}
	r := returned(rets[:], new(maker))
	defer r.done()
	if !r.more() {
		return nil, nil
	}
	v := r.next()
	if e, bad := v.(error); bad {
		return nil, e
	}
	return v, nil
}

// object returns the value of an object of a TorchScript class.
func object(m libtorch.Module, isModule bool) Value {
	if engine.NewObject == nil {
		m.Free()
		return fmt.Errorf("torch: an object of a TorchScript class has a form in Go only where the program imports torch/jit")
	}
	return engine.NewObject(m, isModule)
}

// tensorsOf returns the tensors that a checkpoint describes, in memory of their own without a mapping.
func tensorsOf(m *libtorch.Map, ts []*pickle.Tensor, d string) ([]any, error) {
	l := loader{m: m, device: Device(d), bases: map[base]*Tensor{}}
	defer l.close()
	list := &pickle.List{}
	for _, t := range ts {
		list.Items = append(list.Items, t)
	}
	if err := l.readAhead(list); err != nil {
		return nil, err
	}
	xs := make([]any, len(ts))
	for i, t := range ts {
		x, err := l.tensor(t)
		if err != nil {
			return nil, err
		}
		xs[i] = x
	}
	return xs, nil
}

// describeAll returns what stands for tensors in a file.
func describeAll(xs []any) (ts []*pickle.Tensor, done func(), err error) {
	s := newSaver()
	for _, x := range xs {
		v, err := s.tensor(x.(*Tensor), false)
		if err != nil {
			s.close()
			return nil, nil, err
		}
		t, ok := v.(*pickle.Tensor)
		if !ok {
			s.close()
			return nil, nil, fmt.Errorf("a tensor that is not dense")
		}
		ts = append(ts, t)
	}
	return ts, s.close, nil
}
