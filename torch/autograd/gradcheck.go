package autograd

import (
	"errors"
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// GradcheckOptions are the options of [Gradcheck] and [Gradgradcheck].
type GradcheckOptions struct {
	Eps              *float64 // the change of an element for finite differences; nil is 1e-6
	ATol             *float64 // the absolute tolerance; nil is 1e-5
	RTol             *float64 // the relative tolerance; nil is 1e-3
	NondetTol        float64  // by how much two runs backward may differ
	NoUndefinedGrad  bool     // does not check that missing gradients of outputs are taken as zero
	CheckGradDTypes  bool     // checks that gradients have the dtypes of their inputs
	CheckBatchedGrad bool     // checks gradients computed by [Vmap] too
	CheckForwardAD   bool     // checks forward-mode derivatives too, of real inputs
	NoBackwardAD     bool     // does not check gradients
}

// A GradcheckError says where a derivative is wrong:
// torch.autograd.gradcheck.GradcheckError.
type GradcheckError struct{ Msg string }

// Error returns the place of the wrong derivative, and both values.
func (e *GradcheckError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return "autograd: " + e.Msg
}

func wrong(format string, args ...any) error {
	return &GradcheckError{fmt.Sprintf(format, args...)}
}

// Gradcheck compares the gradients of f at inputs with finite differences:
// torch.autograd.gradcheck. It returns nil if they agree, and a [*GradcheckError]
// otherwise. Inputs that require a gradient should be float64 or complex128; others are
// constants. Outputs may be complex. It panics with an [*torch.Error] if no input requires
// a gradient, or if an input overlaps itself.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
func Gradcheck(f func(x ...*torch.Tensor) []*torch.Tensor, inputs []*torch.Tensor, options ...GradcheckOptions) error {
	g := gradcheck{o: torch.Only(options), f: f, in: inputs}
	value := func(p *float64, otherwise float64) float64 {
		if p == nil {
			return otherwise
		}
		return *p
	}
	g.eps, g.atol, g.rtol = value(g.o.Eps, 1e-6), value(g.o.ATol, 1e-5), value(g.o.RTol, 1e-3)
	g.prepare()
	var err error
	torch.EnableGrad(func() { err = g.check() })
	return err
}

// Gradgradcheck compares the second derivatives of f at inputs with finite differences of
// the gradients: torch.autograd.gradgradcheck. The gradients of the outputs are drawn
// between -1 and 1 if gradOutputs is nil.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradgradcheck.html
func Gradgradcheck(f func(x ...*torch.Tensor) []*torch.Tensor, inputs, gradOutputs []*torch.Tensor, options ...GradcheckOptions) error {
	if gradOutputs == nil {
		torch.EnableGrad(func() {
			for _, y := range differentiable(f(inputs...)) {
				v := torch.RandLike(y.Detach()).MulScalar(2).SubScalar(1)
				if y.DType().IsComplex() {
					v = torch.Complex(torch.RandLike(y.Detach().Real()), torch.RandLike(y.Detach().Real())).MulScalar(2).SubScalar(complex(1, 1))
				}
				gradOutputs = append(gradOutputs, v.Detach().RequireGrad(true))
			}
		})
	}
	n := len(inputs)
	return Gradcheck(func(x ...*torch.Tensor) (out []*torch.Tensor) {
		var in []*torch.Tensor
		for _, x := range x[:n] {
			if x != nil && x.RequiresGrad() {
				in = append(in, x)
			}
		}
		outputs := differentiable(f(x[:n]...))
		if len(outputs) == 0 {
			fail("Gradgradcheck", "no output requires a gradient")
		}
		for _, g := range Grad(outputs, in, GradOptions{GradOutputs: x[n:], CreateGraph: true, AllowUnused: true}) {
			if g != nil {
				out = append(out, g)
			}
		}
		return out
	}, slices.Concat(inputs, gradOutputs), options...)
}

// gradcheck is one check.
type gradcheck struct {
	o               GradcheckOptions
	f               func(x ...*torch.Tensor) []*torch.Tensor
	in              []*torch.Tensor
	wanted          []int // the inputs that require a gradient
	eps, atol, rtol float64
}

func (g *gradcheck) prepare() {
	if g.o.NoBackwardAD && !g.o.CheckForwardAD {
		fail("Gradcheck", "neither gradients nor forward-mode derivatives are to be checked")
	}
	for i, x := range g.in {
		if x == nil || !x.RequiresGrad() {
			continue
		}
		g.wanted = append(g.wanted, i)
		for d, stride := range x.Strides() {
			if stride == 0 && x.Size(d) > 1 {
				fail("Gradcheck", fmt.Sprintf("input %d has stride 0 in dimension %d, so that its elements share memory; call Contiguous first", i, d))
			}
		}
	}
	if len(g.wanted) == 0 {
		fail("Gradcheck", "no input requires a gradient")
	}
}

// differentiable returns the outputs that require a gradient.
func differentiable(outputs []*torch.Tensor) (out []*torch.Tensor) {
	for _, y := range outputs {
		if y != nil && y.RequiresGrad() {
			out = append(out, y)
		}
	}
	return out
}

func (g *gradcheck) diffInputs() (out []*torch.Tensor) {
	for _, i := range g.wanted {
		out = append(out, g.in[i])
	}
	return out
}

func (g *gradcheck) check() error {
	outputs := g.f(g.in...)
	for i, y := range differentiable(outputs) {
		if y.Layout() != torch.Strided {
			fail("Gradcheck", fmt.Sprintf("output %d is sparse; let the function return it as dense", i))
		}
	}
	if !g.o.NoBackwardAD {
		parts := map[string]func(*torch.Tensor) *torch.Tensor{"": func(y *torch.Tensor) *torch.Tensor { return y }}
		if slices.ContainsFunc(outputs, func(y *torch.Tensor) bool { return y.DType().IsComplex() }) {
			parts = map[string]func(*torch.Tensor) *torch.Tensor{"the real part of ": part((*torch.Tensor).Real), "the imaginary part of ": part((*torch.Tensor).Imag)}
		}
		for name, of := range parts {
			if err := g.backward(name, of); err != nil {
				return err
			}
		}
	}
	if g.o.CheckForwardAD {
		if err := g.forward(); err != nil {
			return err
		}
	}
	if g.o.NoBackwardAD {
		return nil
	}
	if g.o.CheckBatchedGrad {
		if err := g.batched(differentiable(outputs)); err != nil {
			return err
		}
	}
	if err := g.zeros(differentiable(g.f(g.in...))); err != nil {
		return err
	}
	if g.o.NoUndefinedGrad {
		return nil
	}
	return g.undefined()
}

// part returns f for complex tensors, and a function that changes nothing for others.
func part(f func(*torch.Tensor) *torch.Tensor) func(*torch.Tensor) *torch.Tensor {
	return func(y *torch.Tensor) *torch.Tensor {
		if y.DType().IsComplex() {
			return f(y)
		}
		return y
	}
}

// backward compares the gradients of a part of each output.
func (g *gradcheck) backward(name string, of func(*torch.Tensor) *torch.Tensor) error {
	f := func() (out []*torch.Tensor) {
		for _, y := range g.f(g.in...) {
			out = append(out, of(y))
		}
		return out
	}
	outputs := f()
	numerical, err := g.numerical(f, outputs)
	if err != nil {
		return err
	}
	if len(differentiable(outputs)) == 0 {
		for _, n := range numerical {
			for _, j := range n {
				if j != nil && j.Ne(torch.ZerosLike(j)).Any().Item() != 0 {
					return wrong("the function has no output that requires a gradient, so its derivative should be 0, but finite differences are not")
				}
			}
		}
		return nil
	}
	for i, y := range outputs {
		if !y.RequiresGrad() {
			continue
		}
		analytical, err := g.analytical(y)
		if err != nil {
			return err
		}
		for k, a := range analytical {
			if n := numerical[k][i]; !near(a, n, g.rtol, g.atol) {
				return wrong("the Jacobian of %soutput %d with respect to input %d is wrong,\nby finite differences:\n%v\nby the gradient:\n%v", name, i, g.wanted[k], n, a)
			}
		}
	}
	return nil
}

// near is AllClose of tensors of two dtypes.
func near(a, b *torch.Tensor, rtol, atol float64) bool {
	if a.DType() != b.DType() {
		d := torch.Complex128 // which represents the elements of both
		a, b = a.ToDType(d), b.ToDType(d)
	}
	return a.AllClose(b, rtol, atol)
}

var opData = torch.NewOp("aten::data", "")

// elements calls f for each element of x, as a tensor that shares its memory but not its
// version, which derivatives check.
func elements(x *torch.Tensor, f func(k int, e *torch.Tensor)) {
	var c torch.Call
	c.Tensor(x)
	data := c.One(opData)
	shape := x.Shape()
	for k := range x.Numel() {
		e, rest := data, k
		for d := len(shape) - 1; d >= 0; d-- {
			e = e.Select(d, rest%shape[d])
			rest /= shape[d]
		}
		f(k, e)
	}
}

// numerical returns the Jacobian [input, output] of each input and output by finite
// differences; nil for outputs that are not numbers with derivatives.
func (g *gradcheck) numerical(f func() []*torch.Tensor, outputs []*torch.Tensor) (out [][]*torch.Tensor, err error) {
	for _, i := range g.wanted {
		x := g.in[i]
		rows := make([][]*torch.Tensor, len(outputs)) // for each output one for each element of x
		elements(x, func(k int, e *torch.Tensor) {
			re, fault := g.difference(f, outputs, e, g.eps)
			if fault == nil && x.DType().IsComplex() {
				var im []*torch.Tensor
				if im, fault = g.difference(f, outputs, e, complex(0, g.eps)); fault == nil {
					for j := range re {
						if re[j] != nil {
							re[j] = torch.Complex(re[j], im[j])
						}
					}
				}
			}
			if fault != nil {
				err = fault
				return
			}
			for j, r := range re {
				rows[j] = append(rows[j], r)
			}
		})
		if err != nil {
			return nil, err
		}
		jacobians := make([]*torch.Tensor, len(outputs))
		for j, y := range outputs {
			switch {
			case !number(y):
			case len(rows[j]) == 0:
				jacobians[j] = torch.Options{DType: y.DType(), Device: y.Device()}.Zeros(0, y.Numel())
			default:
				jacobians[j] = torch.Stack(rows[j], 0)
			}
		}
		out = append(out, jacobians)
	}
	return out, nil
}

func number(x *torch.Tensor) bool { return x.DType().IsFloatingPoint() || x.DType().IsComplex() }

// difference returns the derivative of each output with respect to an element.
func (g *gradcheck) difference(f func() []*torch.Tensor, outputs []*torch.Tensor, e *torch.Tensor, eps torch.Number) (out []*torch.Tensor, err error) {
	torch.NoGrad(func() {
		before := e.Clone()
		defer e.CopyInPlace(before)
		at := func(x *torch.Tensor) (out []*torch.Tensor) {
			e.CopyInPlace(x)
			torch.EnableGrad(func() { // functions may differentiate
				for _, y := range f() {
					out = append(out, y.Detach().Clone())
				}
			})
			return out
		}
		step := torch.Options{DType: e.DType(), Device: e.Device()}.Zeros().AddScalar(eps)
		below := at(before.Sub(step))
		above := at(before.Add(step))
		for j, y := range outputs {
			a, b := below[j], above[j]
			if !a.SameShape(y) || a.DType() != y.DType() {
				err = wrong("output %d has another shape or dtype where an input changes by %v", j, eps)
				return
			}
			if !number(y) {
				out = append(out, nil)
				continue
			}
			out = append(out, b.Sub(a).DivScalar(2*g.eps).Reshape(-1))
		}
	})
	return out, err
}

// analytical returns the Jacobian [input, output] of one output for each input by its
// gradients, which are computed twice.
func (g *gradcheck) analytical(y *torch.Tensor) ([]*torch.Tensor, error) {
	first, sizes, dtypes := g.rows(y)
	again, _, _ := g.rows(y)
	if g.o.CheckGradDTypes && !dtypes {
		return nil, wrong("a gradient has another dtype than its input")
	}
	if !sizes {
		return nil, wrong("a gradient has another size than its input")
	}
	for i := range first {
		if first[i].Numel() > 0 && first[i].Sub(again[i]).Abs().Max().Item() > g.o.NondetTol {
			return nil, wrong("two runs backward gave different gradients of input %d, by more than %v", g.wanted[i], g.o.NondetTol)
		}
	}
	return first, nil
}

func (g *gradcheck) rows(y *torch.Tensor) (out []*torch.Tensor, sizes, dtypes bool) {
	inputs := g.diffInputs()
	sizes, dtypes = true, true
	columns := make([][]*torch.Tensor, len(inputs))
	y = y.Clone()
	n := y.Numel()
	basis := torch.Options{DType: y.DType(), Device: y.Device()}.Eye(n)
	for k := range n {
		grads := Grad([]*torch.Tensor{y}, inputs, GradOptions{GradOutputs: []*torch.Tensor{basis.Select(0, k).View(y.Shape()...)}, RetainGraph: true, AllowUnused: true})
		for i, d := range grads {
			switch {
			case d == nil:
				d = torch.ZerosLike(inputs[i])
			case !d.SameShape(inputs[i]):
				sizes = false
				return nil, sizes, dtypes
			case d.DType() != inputs[i].DType():
				dtypes = false
			}
			if d.Layout() != torch.Strided {
				d = d.ToDense()
			}
			columns[i] = append(columns[i], d.Detach().ToDType(inputs[i].DType()).Reshape(-1))
		}
	}
	for i, c := range columns {
		if n == 0 {
			out = append(out, torch.Options{DType: inputs[i].DType()}.Zeros(inputs[i].Numel(), 0))
		} else {
			out = append(out, torch.Stack(c, 1))
		}
	}
	return out, sizes, dtypes
}

// forward compares forward-mode derivatives.
func (g *gradcheck) forward() (err error) {
	for _, i := range g.wanted {
		if g.in[i].DType().IsComplex() {
			fail("Gradcheck", "forward-mode derivatives can be checked with respect to real inputs only")
		}
	}
	outputs := g.f(g.in...)
	numerical, err := g.numerical(func() []*torch.Tensor { return g.f(g.in...) }, outputs)
	if err != nil {
		return err
	}
	DualLevel(func() {
		for k, i := range g.wanted {
			x := g.in[i].Detach()
			n := x.Numel()
			basis := torch.Options{DType: x.DType(), Device: x.Device()}.Eye(n)
			for e := range n {
				in := slices.Clone(g.in)
				in[i] = MakeDual(x, basis.Select(0, e).View(x.Shape()...))
				for j, y := range g.f(in...) {
					want := numerical[k][j]
					if want == nil || !outputs[j].RequiresGrad() {
						continue
					}
					primal, tangent := UnpackDual(y)
					if tangent == nil {
						tangent = torch.ZerosLike(primal)
					}
					if g.o.CheckGradDTypes && tangent.DType().IsComplex() != primal.DType().IsComplex() {
						err = wrong("a forward-mode derivative has another dtype than its output")
						return
					}
					if got, want := tangent.Detach().Reshape(-1), want.Select(0, e); !near(got, want, g.rtol, g.atol) {
						err = wrong("the forward-mode derivative of output %d with respect to element %d of input %d is wrong,\nby finite differences:\n%v\nby the derivative:\n%v", j, e, i, want, got)
						return
					}
				}
			}
		}
	})
	return err
}

// batched compares gradients computed at once with those computed one by one.
func (g *gradcheck) batched(outputs []*torch.Tensor) error {
	inputs := g.diffInputs()
	for j, y := range outputs {
		vs := []*torch.Tensor{torch.RandnLike(y.Detach()), torch.RandnLike(y.Detach())}
		o := GradOptions{RetainGraph: true, AllowUnused: true, MaterializeGrads: true}
		var one [2][]*torch.Tensor
		for k, v := range vs {
			o.GradOutputs = []*torch.Tensor{v}
			one[k] = Grad([]*torch.Tensor{y}, inputs, o)
		}
		o.GradOutputs, o.IsGradsBatched, o.MaterializeGrads = []*torch.Tensor{torch.Stack(vs, 0)}, true, false
		var all []*torch.Tensor
		if err := torch.Try(func() { all = Grad([]*torch.Tensor{y}, inputs, o) }); err != nil {
			return wrong("the gradients cannot be computed in a batch: %v", err)
		}
		for i, got := range all {
			want := torch.Stack([]*torch.Tensor{one[0][i], one[1][i]}, 0)
			if got == nil {
				got = torch.ZerosLike(want)
			}
			if !got.AllClose(want, 1e-5, 1e-8) {
				return wrong("the gradient of output %d with respect to input %d differs where it is computed in a batch,\nin the batch:\n%v\none by one:\n%v", j, g.wanted[i], got, want)
			}
		}
	}
	return nil
}

// zeros checks that gradients of 0 give gradients of 0.
func (g *gradcheck) zeros(outputs []*torch.Tensor) error {
	if len(outputs) == 0 {
		return nil
	}
	inputs := g.diffInputs()
	vs := make([]*torch.Tensor, len(outputs))
	for i, y := range outputs {
		vs[i] = torch.ZerosLike(y)
	}
	for i, d := range Grad(outputs, inputs, GradOptions{GradOutputs: vs, AllowUnused: true}) {
		switch x := inputs[i]; {
		case d == nil:
		case !isZero(d):
			return wrong("the gradient of input %d is not multiplied by that of the output", g.wanted[i])
		case d.DType() != x.DType():
			return wrong("the gradient of input %d has the dtype %v, not %v", g.wanted[i], d.DType(), x.DType())
		case d.Device() != x.Device():
			return wrong("the gradient of input %d is on %v, not %v", g.wanted[i], d.Device(), x.Device())
		case !d.SameShape(x):
			return wrong("the gradient of input %d has the shape %v, not %v", g.wanted[i], d.Shape(), x.Shape())
		}
	}
	return nil
}

func isZero(x *torch.Tensor) bool {
	if x.Layout() != torch.Strided {
		x = x.ToDense()
	}
	return x.Detach().EqScalar(0).All().Item() == 1
}

// withoutGrad returns y, which passes no gradient on.
func withoutGrad(y *torch.Tensor) *torch.Tensor {
	return Function{
		Name:     "UndefinedGrad",
		Forward:  func(ctx *Context, in ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{in[0].ViewAs(in[0])} },
		Backward: func(ctx *Context, grads ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{nil} },
	}.Apply(y)[0]
}

// undefined checks that gradients of outputs that are missing are taken as 0: all of them,
// and each alone.
func (g *gradcheck) undefined() error {
	inputs := g.diffInputs()
	n := len(differentiable(g.f(g.in...)))
	for missing := -1; missing < n; missing++ {
		if missing >= 0 && n < 2 || n == 0 {
			break
		}
		outputs := differentiable(g.f(g.in...))
		vs := make([]*torch.Tensor, n)
		for i, y := range outputs {
			if missing < 0 || i == missing {
				outputs[i] = withoutGrad(y)
			}
			vs[i] = torch.ZerosLike(y)
		}
		var grads []*torch.Tensor
		err := torch.Try(func() { grads = Grad(outputs, inputs, GradOptions{GradOutputs: vs, AllowUnused: true}) })
		if err != nil {
			if e := (*torch.Error)(nil); errors.As(err, &e) {
				return wrong("the function does not take missing gradients of its outputs: %s", e.Msg)
			}
			return err
		}
		for i, d := range grads {
			if d != nil && !isZero(d) {
				return wrong("the gradient of input %d is not 0 where those of the outputs are 0 or missing", g.wanted[i])
			}
		}
	}
	return nil
}
