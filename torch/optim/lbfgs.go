package optim

import (
	"fmt"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// LBFGSOptions are the options of [NewLBFGS].
type LBFGSOptions struct {
	LR              Number // the learning rate, which may be a tensor; nil is 1
	MaxIter         *int   // iterations in a step; nil is 20
	MaxEval         *int   // evaluations of the loss in a step; nil is MaxIter*5/4
	ToleranceGrad   Number // the largest element of the gradient at which a step ends; nil is 1e-7
	ToleranceChange Number // the change of the loss or of the parameters at which a step ends; nil is 1e-9
	HistorySize     *int   // updates that are kept; nil is 100
	LineSearchFn    string // "strong_wolfe", or "" for steps of the length LR
	Maximize        bool   // maximizes the loss
}

var lbfgsRule = &rule{
	name: "LBFGS",
	defaults: dict{
		{"lr", 1}, {"max_iter", 20}, {"max_eval", nil}, {"tolerance_grad", 1e-7}, {"tolerance_change", 1e-9}, {"history_size", 100},
		{"line_search_fn", nil}, {"maximize", false},
	},
	later: []string{"maximize"},
	join: func(options, _ dict) dict {
		if options.find("max_eval") < 0 {
			iter := 20
			if n, ok := options.get("max_iter").(int); ok {
				iter = n
			}
			options.set("max_eval", iter*5/4)
		}
		return options
	},
	check: func(o dict) {
		checks{"NewLBFGS", o}.atLeast("lr", "the learning rate", 0)
		if search := o.get("line_search_fn"); search != nil && search != "strong_wolfe" {
			fail("NewLBFGS", `LineSearchFn is %q; it can be "strong_wolfe" or ""`, search)
		}
	},
}

// NewLBFGS makes an optimizer by the limited-memory method of Broyden, Fletcher, Goldfarb
// and Shanno: torch.optim.LBFGS(params). It needs [Optimizer.StepClosure], which returns the
// loss before the step. It has one group, with the same options for all parameters.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html
func NewLBFGS(params Params, options ...LBFGSOptions) *Optimizer {
	if groups, ok := params.([]Group); ok && len(groups) > 1 {
		fail("NewLBFGS", "%d parameter groups are given; LBFGS has one, for which all options hold", len(groups))
	}
	o := newOptimizer(lbfgsRule, params, given("NewLBFGS", torch.Only(options)))
	o.lbfgs = new(lbfgs)
	return o
}

// lbfgs is the state of LBFGS.
type lbfgs struct {
	funcEvals, iterations int
	direction             *torch.Tensor   // nil before the first iteration
	length                num             // of the last step along direction
	dirs, steps           []*torch.Tensor // the history: changes of the gradient, and of the parameters
	ro                    []num
	diagonal              num
	prevGrad              *torch.Tensor
	prevLoss              float64
	al                    []num // of the last iteration, one for each update of the history; nil before the second

	params   []*torch.Tensor // of the step that runs
	maximize bool
	closure  func() *torch.Tensor
}

// step is a step of LBFGS.
func (l *lbfgs) step(g *ParamGroup, closure func() *torch.Tensor) *torch.Tensor {
	l.params, l.maximize = g.params, g.options.bool("maximize")
	l.closure = func() (loss *torch.Tensor) {
		torch.EnableGrad(func() { loss = closure() })
		if loss == nil {
			fail("Optimizer.StepClosure", "the function that computes the loss returned nil")
		}
		return loss
	}
	defer func() { l.params, l.closure = nil, nil }()
	original := l.closure()
	if len(l.params) == 0 {
		return original
	}
	loss := l.signed(original)
	l.funcEvals++
	grad := l.gradient()
	if largest(grad).lessEqual(float(g.options.float("tolerance_grad"))) {
		return original
	}
	l.iterate(g.options, loss, grad)
	for _, x := range append(append([]*torch.Tensor{l.direction, l.prevGrad}, l.dirs...), l.steps...) {
		engine.Unscope(x)
	}
	return original
}

// iterate runs the iterations of a step, given the loss and its gradient.
func (l *lbfgs) iterate(o dict, loss float64, grad *torch.Tensor) {
	lr, maxIter, maxEval := o.num("lr"), o.int("max_iter"), o.int("max_eval")
	tolerance, least := float(o.float("tolerance_change")), float(o.float("tolerance_grad"))
	search := o.get("line_search_fn") == "strong_wolfe"
	evals := 1
	for n := 1; n <= maxIter; n++ {
		l.iterations++
		l.turn(grad, o.int("history_size"))
		l.prevGrad, l.prevLoss = grad, loss
		l.length = lr
		if l.iterations == 1 {
			l.length = minNum(float(1), float(1).div(sumOfAbs(grad))).mul(lr)
		}
		slope := dot(grad, l.direction)
		if tolerance.neg().less(slope) {
			return
		}
		more := 0
		switch {
		case search:
			w := wolfe{l: l, loss: loss, grad: grad, slope: slope, tolerance: tolerance, most: maxEval - evals}
			loss, grad, l.length, more = w.search(l.length)
			l.move(l.length)
		case n < maxIter: // the last iteration does not evaluate
			l.move(l.length)
			loss = l.signed(l.closure())
			grad = l.gradient()
			more = 1
		default:
			l.move(l.length)
		}
		evals += more
		l.funcEvals += more
		if n == maxIter || evals >= maxEval || largest(grad).lessEqual(least) {
			return
		}
		moved := l.direction.MulScalar(l.length.v)
		still := largest(moved).lessEqual(tolerance)
		moved.Free()
		if still || math.Abs(loss-l.prevLoss) < tolerance.v {
			return
		}
	}
}

// turn sets the direction of the next step.
func (l *lbfgs) turn(grad *torch.Tensor, history int) {
	if l.iterations == 1 || l.prevGrad == nil {
		l.direction = grad.Neg()
		l.diagonal = float(1)
		return
	}
	change, step := grad.Sub(l.prevGrad), l.direction.MulScalar(l.length.v)
	if product := dot(change, step); float(1e-10).less(product) {
		if len(l.dirs) == history && history > 0 {
			l.dirs, l.steps, l.ro = l.dirs[1:], l.steps[1:], l.ro[1:]
		}
		l.dirs, l.steps, l.ro = append(l.dirs, change), append(l.steps, step), append(l.ro, float(1).div(product))
		l.diagonal = product.div(dot(change, change))
	} else {
		free([]*torch.Tensor{change, step})
	}
	q := grad.Neg()
	l.al = make([]num, len(l.dirs))
	for i := len(l.dirs) - 1; i >= 0; i-- {
		l.al[i] = dot(l.steps[i], q).mul(l.ro[i])
		q.AddInPlace(l.dirs[i], torch.AddOptions{Alpha: l.al[i].neg().v})
	}
	l.direction = q.MulScalar(l.diagonal.v)
	q.Free()
	for i := range l.dirs {
		be := dot(l.dirs[i], l.direction).mul(l.ro[i])
		l.direction.AddInPlace(l.steps[i], torch.AddOptions{Alpha: l.al[i].sub(be).v})
	}
}

// signed returns the loss that is minimized.
func (l *lbfgs) signed(loss *torch.Tensor) float64 {
	if l.maximize {
		return -loss.Item()
	}
	return loss.Item()
}

// gradient returns the gradients of all parameters as one vector.
func (l *lbfgs) gradient() *torch.Tensor {
	var views, made []*torch.Tensor
	keep := func(x *torch.Tensor) *torch.Tensor {
		made = append(made, x)
		return x
	}
	for _, p := range l.params {
		g := p.Grad()
		switch {
		case g == nil:
			g = torch.ZerosLike(p).Flatten(0)
		case g.Layout() == torch.Sparse:
			g = keep(keep(g).ToDense()).View(-1)
		default:
			g = keep(g).View(-1)
		}
		if g.DType().IsComplex() {
			g = keep(keep(g).ViewAsReal()).View(-1)
		}
		views = append(views, keep(g))
	}
	flat := torch.Cat(views, 0)
	free(made)
	if l.maximize {
		flat.NegInPlace()
	}
	return flat
}

// move moves the parameters along the direction.
func (l *lbfgs) move(length num) {
	at := 0
	for _, p := range l.params {
		if p.DType().IsComplex() {
			p = p.ViewAsReal()
		}
		n := p.Numel()
		part := l.direction.Narrow(0, at, n)
		view := part.View(p.Shape()...)
		p.AddInPlace(view, torch.AddOptions{Alpha: length.v})
		free([]*torch.Tensor{view, part})
		at += n
	}
}

func dot(x, y *torch.Tensor) num { return elementOf(x.Dot(y)) }

// elementOf returns the element of x, which it frees.
func elementOf(x *torch.Tensor) num {
	defer x.Free()
	return tensorNum(x)
}

// largest returns x.abs().max().
func largest(x *torch.Tensor) num {
	abs := x.Abs()
	defer abs.Free()
	return elementOf(abs.Max())
}

func sumOfAbs(x *torch.Tensor) num {
	abs := x.Abs()
	defer abs.Free()
	return elementOf(abs.Sum())
}

// save returns the state for a state dict, or nil before the first step,
// given the option history_size.
func (l *lbfgs) save(history int) *torch.Dict {
	if l.funcEvals == 0 {
		return nil
	}
	d := dict{{"func_evals", l.funcEvals}, {"n_iter", l.iterations}}
	if l.direction == nil {
		return d.plain()
	}
	number := func(n num) torch.Value {
		if n.dtype == 0 {
			return n.v
		}
		return (&scalar{num: n, device: l.direction.Device()}).value()
	}
	list := func(ns []num) []torch.Value {
		vs := make([]torch.Value, len(ns))
		for i, n := range ns {
			vs[i] = number(n)
		}
		return vs
	}
	tensors := func(xs []*torch.Tensor) []torch.Value {
		vs := make([]torch.Value, len(xs))
		for i, x := range xs {
			vs[i] = x
		}
		return vs
	}
	if l.al != nil { // Python needs room for as many as the history can have
		al := list(l.al)
		for len(al) < history {
			al = append(al, nil)
		}
		d.set("al", al)
	}
	d = append(d, entry{"d", l.direction}, entry{"t", number(l.length)}, entry{"old_dirs", tensors(l.dirs)}, entry{"old_stps", tensors(l.steps)},
		entry{"ro", list(l.ro)}, entry{"H_diag", number(l.diagonal)}, entry{"prev_flat_grad", l.prevGrad}, entry{"prev_loss", l.prevLoss})
	return d.plain()
}

// load sets what save or Python returned; nil is the state before the first step.
func (l *lbfgs) load(p *torch.Tensor, v torch.Value) error {
	if v == nil {
		return nil
	}
	from, err := dictOf(v)
	if err != nil {
		return fmt.Errorf("has a state of the first parameter that %w", err)
	}
	for _, part := range []struct {
		key  string
		load func(torch.Value) bool
	}{
		{"func_evals", l.setInt(&l.funcEvals)},
		{"n_iter", l.setInt(&l.iterations)},
		{"d", l.setTensor(&l.direction, p)},
		{"t", l.setNum(&l.length, p)},
		{"old_dirs", setList(&l.dirs, func(x **torch.Tensor) func(torch.Value) bool { return l.setTensor(x, p) })},
		{"old_stps", setList(&l.steps, func(x **torch.Tensor) func(torch.Value) bool { return l.setTensor(x, p) })},
		{"ro", setList(&l.ro, func(n *num) func(torch.Value) bool { return l.setNum(n, p) })},
		{"H_diag", l.setNum(&l.diagonal, p)},
		{"prev_flat_grad", l.setTensor(&l.prevGrad, p)},
		{"prev_loss", func(v torch.Value) bool {
			n, ok := numOf(v)
			l.prevLoss = n.v
			return ok
		}},
	} {
		value := from.get(part.key)
		if value == nil && part.key != "func_evals" && part.key != "n_iter" && from.find("d") < 0 {
			continue // the first step ended before its first iteration
		}
		if !part.load(value) {
			return fmt.Errorf("has a state of the first parameter in which %q is %s; it is perhaps that of another optimizer", part.key, torch.Describe(value))
		}
	}
	if len(l.dirs) != len(l.steps) || len(l.dirs) != len(l.ro) {
		return fmt.Errorf("has histories of %d, %d and %d updates, which must be equal", len(l.dirs), len(l.steps), len(l.ro))
	}
	return nil
}

func (l *lbfgs) setInt(n *int) func(torch.Value) bool {
	return func(v torch.Value) (ok bool) {
		*n, ok = v.(int)
		return ok
	}
}

func (l *lbfgs) setTensor(x **torch.Tensor, p *torch.Tensor) func(torch.Value) bool {
	return func(v torch.Value) bool {
		from, ok := v.(*torch.Tensor)
		if !ok || from == nil {
			return false
		}
		*x = from.To(p.Device(), torch.ToOptions{DType: realDType(from, p), Copy: true})
		return true
	}
}

func (l *lbfgs) setNum(n *num, p *torch.Tensor) func(torch.Value) bool {
	return func(v torch.Value) bool {
		from, ok := numOf(v)
		if from.dtype != 0 {
			d := realDType(v.(*torch.Tensor), p)
			from = num{round(d, from.v), d}
		}
		*n = from
		return ok
	}
}

// realDType returns the dtype that a loaded tensor gets.
func realDType(x, p *torch.Tensor) torch.DType {
	if p.DType().IsFloatingPoint() {
		return p.DType()
	}
	return x.DType()
}

func setList[T any](to *[]T, set func(*T) func(torch.Value) bool) func(torch.Value) bool {
	return func(v torch.Value) bool {
		list, ok := v.([]torch.Value)
		*to = make([]T, len(list))
		for i, e := range list {
			ok = ok && set(&(*to)[i])(e)
		}
		return ok
	}
}
