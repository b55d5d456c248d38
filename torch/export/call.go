package export

import (
	"errors"
	"fmt"
	"math"

	"github.com/torchhub/torchhub/internal/pt2"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/pytree"
)

// Kwargs are keyword arguments: as the last argument of [Program.Forward] it gives arguments by their names.
type Kwargs map[string]torch.Value

// readCall reads the structure of arguments and results.
func (p *built) readCall(s *scope, calls []pt2.ModuleCallEntry) error {
	var in, out string
	found := false
	// FQN "" is the program as a whole
	for _, m := range calls {
		if m.FQN == "" && m.Signature != nil {
			in, out, p.names, found = m.Signature.InSpec, m.Signature.OutSpec, m.Signature.ForwardArgNames, true
			break
		}
	}
	if !found {
		return s.malformed("it does not say how it is called")
	}
	p.readIn(in)
	spec, err := pytree.Parse(out)
	if err == nil && spec.Leaves() != len(p.outputs) {
		return s.malformed("its results have %d parts, and the graph gives %d", spec.Leaves(), len(p.outputs))
	}
	p.out, p.outErr = spec, err
	return nil
}

// readIn reads the structure of the arguments: a tuple of those by position, and a dict of those by name.
func (p *built) readIn(text string) {
	paths := make([]string, 0, len(p.inputs))
	spec, err := pytree.Parse(text)
	if err == nil {
		if spec.Type == nil || len(spec.Children) != 2 || spec.Children[0].Type == nil || spec.Children[1].Type == nil ||
			len(spec.Children[1].Keys()) != len(spec.Children[1].Children) || spec.Leaves() != len(p.inputs) {
			err = errors.New("they are not positional and keyword arguments")
		}
	}
	if err == nil {
		p.in, p.kwargs = spec.Children[0], spec.Children[1]
		for i, c := range p.in.Children {
			paths = c.Paths(paths, p.name(i))
		}
		for i, c := range p.kwargs.Children {
			paths = c.Paths(paths, fmt.Sprint(p.kwargs.Keys()[i]))
		}
	}
	p.inErr = err
	for i, in := range p.inputs {
		switch {
		case i < len(paths):
			in.path = paths[i]
		case in.value != nil:
			in.path = in.value.Name
		default:
			in.path = fmt.Sprintf("input %d", i)
		}
	}
}

// name returns the name of a positional argument.
func (p *built) name(i int) string {
	if i < len(p.names) {
		return p.names[i]
	}
	return fmt.Sprintf("args[%d]", i)
}

// Forward calls the program as in Python: program.module()(*args, **kwargs). Arguments and results are tensors, numbers,
// strings and nil, in the lists, tuples and dicts that they were in when the program was exported; a Go slice stands for
// a list or a tuple, and a map[string]torch.Value or *torch.Dict for a dict. Keyword arguments come last, as [Kwargs].
// Numbers and strings must be those of the export, unless they were dynamic there.
//
// It runs on the threads of [torch.Run], and autograd records it where it records other calls. An argument of another
// dtype or shape than the program takes, and an operator that fails, are an *torch.Error.
func (p *Program) Forward(args ...torch.Value) (torch.Value, error) {
	b, done := p.begin()
	defer done()
	leaves, err := b.flatten(args)
	if err == nil {
		err = b.outErr
	}
	if err != nil {
		return nil, &torch.Error{Op: "export.Forward", Msg: err.Error()}
	}
	results, err := b.run("export.Forward", leaves)
	if err != nil {
		return nil, err
	}
	v, _, err := b.out.Build(results)
	if err != nil {
		return nil, &torch.Error{Op: "export.Forward", Msg: err.Error()}
	}
	return v, nil
}

// Run calls the program with the tensors of its arguments, in order, and returns those of its result, in order: it is
// [Program.Forward] without containers. Arguments that are not tensors are as they were when the program was exported.
func (p *Program) Run(inputs ...*torch.Tensor) ([]*torch.Tensor, error) {
	const op = "export.Run"
	b, done := p.begin()
	defer done()
	leaves := make([]torch.Value, len(b.inputs))
	n := 0
	for i, in := range b.inputs {
		if in.value == nil {
			leaves[i] = in.fixed
			continue
		}
		if in.value.Number != "" {
			return nil, &torch.Error{Op: op, Msg: fmt.Sprintf("the argument %s is a number; use Forward", in.path)}
		}
		if n < len(inputs) {
			leaves[i] = inputs[n]
		}
		n++
	}
	if n != len(inputs) {
		return nil, &torch.Error{Op: op, Msg: fmt.Sprintf("the program takes %d tensors, and %d are given", n, len(inputs))}
	}
	results, err := b.run(op, leaves)
	if err != nil {
		return nil, err
	}
	var outputs []*torch.Tensor
	for _, r := range results {
		if x, ok := r.(*torch.Tensor); ok {
			outputs = append(outputs, x)
		}
	}
	return outputs, nil
}

// begin waits for other calls where they may not be at once.
func (p *Program) begin() (b *built, done func()) {
	p.mu.RLock()
	if !p.writes {
		return p.built, p.mu.RUnlock
	}
	p.mu.RUnlock()
	p.mu.Lock()
	return p.built, p.mu.Unlock
}

// flatten returns the leaves of arguments.
func (p *built) flatten(args []torch.Value) ([]torch.Value, error) {
	if p.inErr != nil {
		return nil, fmt.Errorf("the arguments have no form in Go: %w; use Run", p.inErr)
	}
	named := Kwargs{}
	if len(args) > 0 {
		if k, ok := args[len(args)-1].(Kwargs); ok {
			named, args = k, args[:len(args)-1]
		}
	}
	if len(args) != len(p.in.Children) {
		return nil, fmt.Errorf("%d positional arguments are given, and the program takes %d", len(args), len(p.in.Children))
	}
	var leaves []torch.Value
	for i, a := range args {
		var err error
		if leaves, err = p.in.Children[i].Flatten(leaves, a, p.name(i)); err != nil {
			return nil, err
		}
	}
	known := 0
	for i, k := range p.kwargs.Keys() {
		name := fmt.Sprint(k)
		a, ok := named[name]
		if !ok {
			return nil, fmt.Errorf("the keyword argument %s is missing", name)
		}
		known++
		var err error
		if leaves, err = p.kwargs.Children[i].Flatten(leaves, a, name); err != nil {
			return nil, err
		}
	}
	if known != len(named) {
		return nil, fmt.Errorf("%d keyword arguments are given, and the program takes %v", len(named), p.kwargs.Keys())
	}
	return leaves, nil
}

// run checks the leaves of the arguments, and returns those of the result.
func (p *built) run(op string, leaves []torch.Value) (results []torch.Value, err error) {
	err = p.check(leaves)
	if err == nil {
		err = p.checkGuards(leaves)
	}
	if err != nil {
		return nil, &torch.Error{Op: op, Msg: err.Error()}
	}
	var inputs []torch.Value
	for i, in := range p.inputs {
		if in.value != nil {
			inputs = append(inputs, leaves[i])
		}
	}
	err = torch.Try(func() {
		torch.Run(func() {
			outputs := p.graph.Call(inputs...)
			for _, c := range p.changes {
				to := c.to
				if to == nil {
					to = leaves[c.input].(*torch.Tensor)
				}
				from, _ := outputs[c.index].(*torch.Tensor)
				torch.NoGrad(func() { to.CopyInPlace(from) })
			}
			for _, o := range p.outputs {
				if o.index < 0 {
					results = append(results, o.fixed)
				} else {
					results = append(results, outputs[o.index])
				}
			}
		})
	})
	return results, err
}

// check compares arguments with those that the program was exported for.
func (p *built) check(leaves []torch.Value) error {
	symbols := map[string]int{}
	for i, in := range p.inputs {
		if err := in.check(leaves[i]); err != nil {
			return err
		}
	}
	each := func(f func(where string, e *expr, n int) error) error {
		for i, in := range p.inputs {
			if n, ok := leaves[i].(int); ok && in.symbol != nil {
				if err := f(in.path, in.symbol, n); err != nil {
					return err
				}
			}
			x, _ := leaves[i].(*torch.Tensor)
			for d, e := range in.sizes {
				if e == nil {
					continue
				}
				if err := f(fmt.Sprintf("the size of %s in dimension %d", in.path, d), e, x.Size(d)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	_ = each(func(_ string, e *expr, n int) error { // of symbols that stand alone
		if _, known := symbols[e.name]; e.op == "Symbol" && !known {
			symbols[e.name] = n
		}
		return nil
	})
	return each(func(where string, e *expr, n int) error {
		if err := p.within(where, e, n); err != nil {
			return err
		}
		if want, ok := e.eval(symbols); ok {
			if want != n {
				return fmt.Errorf("%s is %d, and must be %d: it is %s", where, n, want, e)
			}
			return nil
		}
		free := map[string]bool{}
		e.symbols(free)
		for s := range free {
			if len(free) > 1 {
				break
			}
			v, ok := e.solve(s, n)
			if !ok {
				return fmt.Errorf("%s is %d, and must be %s", where, n, e)
			}
			symbols[s] = v
		}
		return nil
	})
}

// within compares a size with its bounds. As in Python, a bound below 3 is none: sizes of 0 and 1 are allowed where any
// number is.
func (p *built) within(where string, e *expr, n int) error {
	c, ok := p.constraints[e.String()]
	if !ok {
		return nil
	}
	low, high := c.MinVal != nil && *c.MinVal > 2, c.MaxVal != nil && *c.MaxVal != math.MaxInt
	below, above := low && n < *c.MinVal, high && n > *c.MaxVal
	switch {
	case !below && !above:
		return nil
	case low && high:
		return fmt.Errorf("%s is %d, and must be from %d to %d", where, n, *c.MinVal, *c.MaxVal)
	case low:
		return fmt.Errorf("%s is %d, and must be at least %d", where, n, *c.MinVal)
	}
	return fmt.Errorf("%s is %d, and must be at most %d", where, n, *c.MaxVal)
}

func (in *input) check(leaf torch.Value) error {
	if in.value == nil {
		if !equal(leaf, in.fixed) {
			return fmt.Errorf("%s is %v, and must be %v, as it was when the program was exported", in.path, describe(leaf), describe(in.fixed))
		}
		return nil
	}
	if in.value.Number != "" {
		switch leaf.(type) {
		case int:
			return nil
		case float64:
			if in.value.Number == "float" {
				return nil
			}
		}
		return fmt.Errorf("%s is %s, and must be a number", in.path, describe(leaf))
	}
	x, ok := leaf.(*torch.Tensor)
	if !ok || x == nil {
		return fmt.Errorf("%s is %s, and must be a tensor", in.path, describe(leaf))
	}
	if x.DType() != in.value.DType {
		return fmt.Errorf("%s is of the dtype %v, and must be of %v", in.path, x.DType(), in.value.DType)
	}
	shape := x.Shape()
	if len(shape) != len(in.value.Shape) {
		return fmt.Errorf("%s has %d dimensions, and must have %d", in.path, len(shape), len(in.value.Shape))
	}
	for d, n := range in.value.Shape {
		if n != -1 && n != shape[d] {
			return fmt.Errorf("the size of %s in dimension %d is %d, and must be %d", in.path, d, shape[d], n)
		}
	}
	return nil
}

// equal compares an argument with a fixed one.
func equal(leaf, fixed any) bool {
	switch f := fixed.(type) {
	case float64:
		if n, ok := leaf.(int); ok {
			leaf = float64(n)
		}
		v, ok := leaf.(float64)
		return ok && (v == f || math.IsNaN(v) && math.IsNaN(f))
	case nil:
		x, isTensor := leaf.(*torch.Tensor)
		return leaf == nil || isTensor && x == nil
	case int, bool, string:
		switch leaf.(type) {
		case int, bool, string:
			return leaf == fixed
		}
	}
	return false
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return fmt.Sprintf("%q", v)
	case int, float64, bool:
		return fmt.Sprint(v)
	case *torch.Tensor:
		if v == nil {
			return "nil"
		}
	}
	return fmt.Sprintf("a %T", v)
}
