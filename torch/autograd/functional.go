package autograd

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// Unary returns f in the form that the functions of this package take.
func Unary(f func(x *torch.Tensor) *torch.Tensor) func(x ...*torch.Tensor) []*torch.Tensor {
	return func(x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{f(x[0])} }
}

// FunctionalOptions are the options of [VJP], [JVP], [VHP] and [HVP].
type FunctionalOptions struct {
	CreateGraph bool // records the computation of the results, so that they can be differentiated
	Strict      bool // an output that does not depend on an input is a mistake; otherwise its derivative is 0
}

// JacobianOptions are the options of [Jacobian] and [Hessian].
type JacobianOptions struct {
	CreateGraph bool   // records the computation of the results, so that they can be differentiated
	Strict      bool   // an output that does not depend on an input is a mistake; otherwise its derivative is 0
	Vectorize   bool   // computes all rows at once by [Vmap]
	Strategy    string // "reverse-mode" or "forward-mode"; "" is "reverse-mode". Of Hessian: that of the outer derivative
}

// differential computes derivatives of one function.
type differential struct {
	op             string
	create, strict bool
}

func (d differential) fail(format string, args ...any) { fail(d.op, fmt.Sprintf(format, args...)) }

// prepared returns inputs that are tensors of their own, since the function may use the
// caller's too.
func (d differential) prepared(inputs []*torch.Tensor, need bool) []*torch.Tensor {
	out := make([]*torch.Tensor, len(inputs))
	for i, x := range inputs {
		switch {
		case x == nil:
			d.fail("input %d is nil", i)
		case d.create && x.RequiresGrad() && x.Layout() == torch.Strided:
			out[i] = x.ViewAs(x)
		case d.create && x.RequiresGrad():
			out[i] = x.Clone()
		default:
			out[i] = x.Detach().RequireGrad(need)
		}
	}
	return out
}

// finished returns results without a graph, unless one was asked for.
func (d differential) finished(list []*torch.Tensor) []*torch.Tensor {
	if d.create {
		return list
	}
	out := make([]*torch.Tensor, len(list))
	for i, x := range list {
		out[i] = x.Detach()
	}
	return out
}

// call calls the function.
func (d differential) call(f func(x ...*torch.Tensor) []*torch.Tensor, inputs []*torch.Tensor) []*torch.Tensor {
	out := f(inputs...)
	for i, y := range out {
		if y == nil {
			d.fail("output %d of the function is nil", i)
		}
		if d.strict && !y.RequiresGrad() {
			d.fail("output %d of the function does not require a gradient; in strict mode it must be computed from the inputs by operations that have derivatives", i)
		}
	}
	return out
}

// direction returns v as constants; nil stands for 1 if like is one tensor of one element.
func (d differential) direction(v, like []*torch.Tensor, what string) []*torch.Tensor {
	if v == nil {
		if len(like) != 1 || like[0].Numel() != 1 {
			d.fail("v may be nil only if the function has one %s, of one element", what)
		}
		return nil
	}
	if len(v) != len(like) {
		d.fail("v has %d tensors; the function has %d %ss", len(v), len(like), what)
	}
	v = d.prepared(v, false)
	for i, x := range v {
		if !x.SameShape(like[i]) {
			d.fail("tensor %d of v has the shape %v; it must be that of the %s, %v", i, x.Shape(), what, like[i].Shape())
		}
	}
	return v
}

// grad is Grad of the outputs that require a gradient. It is nil for other inputs.
func (d differential) grad(outputs, inputs, v []*torch.Tensor, o GradOptions) []*torch.Tensor {
	var ys, vs []*torch.Tensor
	for i, y := range outputs {
		if y != nil && y.RequiresGrad() {
			ys = append(ys, y)
			if v != nil {
				vs = append(vs, v[i])
			}
		}
	}
	if len(ys) == 0 {
		return make([]*torch.Tensor, len(inputs))
	}
	o.GradOutputs, o.AllowUnused = vs, true
	return Grad(ys, inputs, o)
}

// filled replaces gradients that do not exist by zeros. In strict mode they are mistakes.
func (d differential) filled(grads, like []*torch.Tensor, missing, constant string) []*torch.Tensor {
	out := slices.Clone(grads)
	for i, g := range grads {
		switch {
		case g == nil && d.strict:
			d.fail(missing+", which strict mode does not allow", i)
		case g == nil:
			out[i] = torch.ZerosLike(like[i])
		case d.strict && d.create && !g.RequiresGrad():
			d.fail(constant+", which strict mode does not allow", i)
		}
	}
	return out
}

const (
	independent = "the output of the function is independent of input %d"
	linear      = "the Jacobian of the function is independent of input %d"
	quadratic   = "the Hessian of the function is independent of input %d"
)

// VJP returns f's outputs and the product of v, one tensor for each output, with the
// Jacobian of f: torch.autograd.functional.vjp. v may be nil for one output of one
// element.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.vjp.html
func VJP(f func(x ...*torch.Tensor) []*torch.Tensor, inputs, v []*torch.Tensor, options ...FunctionalOptions) (outputs, vjp []*torch.Tensor) {
	o := torch.Only(options)
	d := differential{"VJP", o.CreateGraph, o.Strict}
	torch.EnableGrad(func() {
		inputs = d.prepared(inputs, true)
		outputs = d.call(f, inputs)
		v = d.direction(v, outputs, "output")
		vjp = d.filled(d.grad(outputs, inputs, v, GradOptions{CreateGraph: d.create}), inputs, independent, linear)
	})
	return d.finished(outputs), d.finished(vjp)
}

// JVP returns f's outputs and the product of the Jacobian of f with v, one tensor for each
// input: torch.autograd.functional.jvp. It differentiates twice backward, so f needs
// second derivatives; in a [DualLevel] it takes one pass. v may be nil for one input of one
// element.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.jvp.html
func JVP(f func(x ...*torch.Tensor) []*torch.Tensor, inputs, v []*torch.Tensor, options ...FunctionalOptions) (outputs, jvp []*torch.Tensor) {
	o := torch.Only(options)
	d := differential{"JVP", o.CreateGraph, o.Strict}
	torch.EnableGrad(func() {
		inputs = d.prepared(inputs, true)
		v = d.direction(v, inputs, "input")
		outputs = d.call(f, inputs)
		// The gradient is linear in these, so that their values have no effect.
		gs := make([]*torch.Tensor, len(outputs))
		for i, y := range outputs {
			gs[i] = torch.Options{RequiresGrad: true}.ZerosLike(y)
		}
		grads := d.grad(outputs, inputs, gs, GradOptions{CreateGraph: true})
		if d.strict {
			for i, g := range grads {
				if g == nil {
					d.fail(independent+", which strict mode does not allow", i)
				}
				if !g.RequiresGrad() {
					d.fail("the gradient with respect to input %d is independent of the inputs, which strict mode does not allow", i)
				}
			}
		}
		if v == nil && grads[0] != nil {
			v = []*torch.Tensor{torch.OnesLike(grads[0])}
		}
		jvp = d.filled(d.grad(grads, gs, v, GradOptions{CreateGraph: d.create}), outputs,
			"the gradients of the inputs are independent of that of output %d", "the Jacobian of the function is independent of the inputs in output %d")
	})
	return d.finished(outputs), d.finished(jvp)
}

// Jacobian returns the derivatives of each output of f with respect to each input:
// torch.autograd.functional.jacobian. Element [i][j] has the shape of output i followed by
// that of input j.
//
//	j := autograd.Jacobian(autograd.Unary((*torch.Tensor).Exp), []*torch.Tensor{x})[0][0]
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.jacobian.html
func Jacobian(f func(x ...*torch.Tensor) []*torch.Tensor, inputs []*torch.Tensor, options ...JacobianOptions) [][]*torch.Tensor {
	o := torch.Only(options)
	d := differential{"Jacobian", o.CreateGraph, o.Strict}
	switch o.Strategy {
	case "", "reverse-mode":
	case "forward-mode":
		if o.CreateGraph || o.Strict {
			d.fail("the forward mode supports neither CreateGraph nor Strict")
		}
		return d.forward(f, inputs)
	default:
		d.fail(`the strategy is %q; it can be "reverse-mode" or "forward-mode"`, o.Strategy)
	}
	if o.Strict && o.Vectorize {
		d.fail("Strict and Vectorize are not supported together")
	}
	var out [][]*torch.Tensor
	torch.EnableGrad(func() {
		inputs = d.prepared(inputs, true)
		outputs := d.call(f, inputs)
		rows := d.rows
		if o.Vectorize {
			rows = d.vectorized
		}
		for _, y := range outputs {
			out = append(out, d.finished(rows(y, inputs)))
		}
	})
	return out
}

// rows returns the Jacobian of one output, computed row by row.
func (d differential) rows(y *torch.Tensor, inputs []*torch.Tensor) []*torch.Tensor {
	n := y.Numel()
	flat := y.Reshape(-1)
	rows := make([][]*torch.Tensor, len(inputs))
	for k := range n {
		grads := d.grad([]*torch.Tensor{flat.Select(0, k)}, inputs, nil, GradOptions{RetainGraph: true, CreateGraph: d.create})
		for i, g := range d.filled(grads, inputs, independent, linear) {
			rows[i] = append(rows[i], g)
		}
	}
	out := make([]*torch.Tensor, len(inputs))
	for i, x := range inputs {
		shape := slices.Concat(y.Shape(), x.Shape())
		if n == 0 {
			out[i] = torch.Options{DType: x.DType(), Device: x.Device()}.Zeros(shape...)
			continue
		}
		out[i] = torch.Stack(rows[i], 0).View(shape...)
	}
	return out
}

// vectorized returns the Jacobian of one output, computed at once.
func (d differential) vectorized(y *torch.Tensor, inputs []*torch.Tensor) []*torch.Tensor {
	n := y.Numel()
	grads := make([]*torch.Tensor, len(inputs))
	if y.RequiresGrad() && n > 0 {
		basis := torch.Options{DType: y.DType(), Device: y.Device()}.Eye(n)
		grads = Grad([]*torch.Tensor{y.Reshape(-1)}, inputs, GradOptions{
			GradOutputs: []*torch.Tensor{basis}, RetainGraph: true, CreateGraph: d.create, AllowUnused: true, IsGradsBatched: true,
		})
	}
	for i, x := range inputs {
		shape := slices.Concat(y.Shape(), x.Shape())
		if grads[i] == nil {
			grads[i] = torch.Options{DType: x.DType(), Device: x.Device()}.Zeros(shape...)
		} else {
			grads[i] = grads[i].Reshape(shape...)
		}
	}
	return grads
}

// forward returns the Jacobian, computed column by column with dual numbers.
func (d differential) forward(f func(x ...*torch.Tensor) []*torch.Tensor, inputs []*torch.Tensor) (out [][]*torch.Tensor) {
	DualLevel(func() {
		for j, x := range inputs {
			n := x.Numel()
			basis := torch.Options{DType: x.DType(), Device: x.Device()}.Eye(n)
			var columns [][]*torch.Tensor // by output
			for k := range max(n, 1) {
				in := slices.Clone(inputs)
				if n > 0 {
					in[j] = MakeDual(x, basis.Select(0, k).View(x.Shape()...))
				}
				outputs := d.call(f, in)
				if columns == nil {
					columns = make([][]*torch.Tensor, len(outputs))
				}
				for i, y := range outputs {
					primal, tangent := UnpackDual(y)
					if tangent == nil {
						tangent = torch.ZerosLike(primal)
					}
					columns[i] = append(columns[i], tangent.Detach())
				}
			}
			for i, c := range columns {
				if j == 0 {
					out = append(out, nil)
				}
				shape := slices.Concat(c[0].Shape(), x.Shape())
				if n == 0 {
					out[i] = append(out[i], torch.Options{DType: c[0].DType(), Device: c[0].Device()}.Zeros(shape...))
					continue
				}
				out[i] = append(out[i], torch.Stack(c, c[0].Dim()).View(shape...))
			}
		}
	})
	return out
}

// Hessian returns the second derivatives of f, which has one output of one element, with
// respect to each pair of inputs: torch.autograd.functional.hessian. Element [i][j] has the
// shape of input i followed by that of input j.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.hessian.html
func Hessian(f func(x ...*torch.Tensor) []*torch.Tensor, inputs []*torch.Tensor, options ...JacobianOptions) [][]*torch.Tensor {
	o := torch.Only(options)
	d := differential{"Hessian", o.CreateGraph, o.Strict}
	gradient := func(x ...*torch.Tensor) []*torch.Tensor {
		y := d.call(f, x)
		d.scalar(y)
		grads := d.filled(d.grad(y, x, nil, GradOptions{CreateGraph: true}), x, independent, linear)
		if d.strict {
			for i, g := range grads {
				if !g.RequiresGrad() {
					d.fail(linear+", which strict mode does not allow", i)
				}
			}
		}
		return grads
	}
	if o.Strategy == "forward-mode" {
		inner := gradient
		inputs = d.prepared(inputs, true)
		gradient = func(x ...*torch.Tensor) (g []*torch.Tensor) {
			torch.EnableGrad(func() {
				in := slices.Clone(x)
				for i := range in {
					if !in[i].RequiresGrad() {
						in[i].RequireGrad(true)
					}
				}
				g = inner(in...)
			})
			return g
		}
	}
	return Jacobian(gradient, inputs, o)
}

func (d differential) scalar(outputs []*torch.Tensor) {
	if len(outputs) != 1 || outputs[0].Numel() != 1 {
		d.fail("the function must have one output, of one element")
	}
}

// VHP returns f's output and the product of v, one tensor for each input, with the Hessian
// of f: torch.autograd.functional.vhp. v may be nil for one input of one element.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.vhp.html
func VHP(f func(x ...*torch.Tensor) []*torch.Tensor, inputs, v []*torch.Tensor, options ...FunctionalOptions) (outputs, vhp []*torch.Tensor) {
	o := torch.Only(options)
	d := differential{"VHP", o.CreateGraph, o.Strict}
	torch.EnableGrad(func() {
		inputs = d.prepared(inputs, true)
		v = d.direction(v, inputs, "input")
		outputs = d.call(f, inputs)
		d.scalar(outputs)
		grads := d.filled(d.grad(outputs, inputs, nil, GradOptions{CreateGraph: true}), inputs, independent, linear)
		vhp = d.filled(d.grad(grads, inputs, v, GradOptions{RetainGraph: true, CreateGraph: d.create}), inputs, linear, quadratic)
	})
	return d.finished(outputs), d.finished(vhp)
}

// HVP returns f's output and the product of the Hessian of f with v, one tensor for each
// input: torch.autograd.functional.hvp. [VHP] has the same result for functions that are
// twice continuously differentiable, and is faster.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.hvp.html
func HVP(f func(x ...*torch.Tensor) []*torch.Tensor, inputs, v []*torch.Tensor, options ...FunctionalOptions) (outputs, hvp []*torch.Tensor) {
	o := torch.Only(options)
	d := differential{"HVP", o.CreateGraph, o.Strict}
	torch.EnableGrad(func() {
		inputs = d.prepared(inputs, true)
		v = d.direction(v, inputs, "input")
		outputs = d.call(f, inputs)
		d.scalar(outputs)
		grads := d.filled(d.grad(outputs, inputs, nil, GradOptions{CreateGraph: true}), inputs, independent, linear)
		gs := make([]*torch.Tensor, len(inputs))
		for i, x := range inputs {
			gs[i] = torch.Options{RequiresGrad: true}.ZerosLike(x)
		}
		double := d.filled(d.grad(grads, inputs, gs, GradOptions{RetainGraph: true, CreateGraph: true}), inputs, linear, quadratic)
		if v == nil {
			v = []*torch.Tensor{torch.OnesLike(inputs[0])}
		}
		hvp = d.filled(d.grad(double, gs, v, GradOptions{RetainGraph: true, CreateGraph: d.create}), inputs,
			"the Hessian of the function is independent of the gradient of input %d", quadratic)
	})
	return d.finished(outputs), d.finished(hvp)
}
