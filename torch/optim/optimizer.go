package optim

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/snake"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// Params are what an optimizer changes: a []*[torch.Tensor], as nn.Parameters returns; a
// [torch.StateDict] or a [][torch.Named], whose names state dicts then hold as param_names; or
// a []Group, where groups have options of their own. A value of another type panics
// with a *[torch.Error].
//
//	optim.NewSGD([]optim.Group{
//		{Params: nn.Parameters(model)},
//		{Params: []*torch.Tensor{w, b}, Options: optim.SGDOptions{LR: 0.1, WeightDecay: 0}},
//	}, optim.SGDOptions{LR: 0.01, WeightDecay: 1e-4})
type Params = any

// A Group is parameters with options of their own.
type Group struct {
	Params Params // other than groups
	// Options is a value of the optimizer's struct of options, such as SGDOptions. Fields that
	// are nil or false are as for the whole optimizer. nil sets none.
	Options any
}

// A ParamGroup is a group of an optimizer: an element of optimizer.param_groups.
type ParamGroup struct {
	params  []*torch.Tensor
	numel   []int
	complex []bool
	states  []*dict // nil before a parameter's first step
	names   []string
	options dict
}

// Params returns the parameters: group["params"].
func (g *ParamGroup) Params() []*torch.Tensor { return slices.Clone(g.params) }

// Names returns the names of the parameters, or nil if they have none: group["param_names"].
func (g *ParamGroup) Names() []string { return slices.Clone(g.names) }

// LR returns the learning rate: float(group["lr"]).
func (g *ParamGroup) LR() float64 { return g.options.float("lr") }

// SetLR sets the learning rate: group["lr"] = lr. If it is a tensor, that is filled.
func (g *ParamGroup) SetLR(lr float64) { g.update("lr", lr) }

// Get returns an option by Python's name, or nil: group.get(key). Numbers are an int, a
// float64 or a *[torch.Tensor], and tuples a [torch.Tuple].
func (g *ParamGroup) Get(key string) torch.Value { return g.options.get(key) }

// Set sets an option by Python's name: group[key] = value. State dicts hold values of
// other names too.
func (g *ParamGroup) Set(key string, value torch.Value) {
	switch key {
	case "params", "param_names":
		fail("ParamGroup.Set", "the option %q cannot be set; call AddParamGroup for other parameters", key)
	}
	g.options.set(key, value)
}

// update sets an option, in place if it is a tensor.
func (g *ParamGroup) update(key string, v torch.Value) {
	if x, ok := g.options.get(key).(*torch.Tensor); ok && x != nil {
		n, _ := numOf(v)
		torch.NoGrad(func() { x.FillInPlace(n.v) })
		return
	}
	g.options.set(key, v)
}

// An Optimizer changes parameters by their gradients: torch.optim.Optimizer. It is not
// safe for concurrent use.
//
// https://docs.pytorch.org/docs/stable/optim.html#torch.optim.Optimizer
type Optimizer struct {
	rule      *rule
	defaults  dict
	groups    []*ParamGroup
	pre, post []*func(*Optimizer)
	watched   bool // by a scheduler
	stepped   bool // Step was called since then
	lbfgs     *lbfgs
}

// A rule is how one kind of optimizer differs from the others.
type rule struct {
	name     string
	defaults dict                              // all options with Python's defaults, in the order of state dicts
	later    []string                          // options that came after others, which old state dicts lack
	scalars  []string                          // parts of a parameter's state that have no dimensions
	join     func(options, defaults dict) dict // joins options that are one in Python
	complex  bool                              // complex parameters are not taken as pairs of real numbers
	late     bool                              // an L2 penalty of complex gradients is added to these pairs
	sparse   bool                              // gradients may be sparse
	dense    string                            // what is added to the error about a sparse gradient
	check    func(o dict)
	param    func(p *torch.Tensor)                                       // checks a parameter
	parts    func(o dict, p *torch.Tensor) []string                      // the names of a parameter's state, in order; nil if there are none before the first step
	begin    func(key string, o dict, p, grad *torch.Tensor) torch.Value // returns a part of the state before the first step; nil is 0
	step     func(b *batch)
}

// newOptimizer makes an optimizer of a rule, given its options.
func newOptimizer(r *rule, params Params, options dict) *Optimizer {
	o := &Optimizer{rule: r, defaults: slices.Clone(r.defaults)}
	if r.join != nil {
		options = r.join(options, r.defaults)
	}
	for _, e := range options {
		o.defaults.set(e.key, e.value)
	}
	r.check(o.defaults)
	if groups, ok := params.([]Group); ok {
		if len(groups) == 0 {
			fail(r.op(), "the list of parameter groups is empty")
		}
		for _, g := range groups {
			o.addParamGroup(r.op(), g)
		}
		return o
	}
	if tensors, _ := r.tensors(r.op(), params); len(tensors) == 0 {
		fail(r.op(), "the list of parameters is empty; a model without parameters cannot be trained")
	}
	o.addParamGroup(r.op(), Group{Params: params})
	return o
}

func (r *rule) op() string { return "New" + r.name }

// tensors returns the tensors and names of parameters.
func (r *rule) tensors(op string, params Params) (tensors []*torch.Tensor, names []string) {
	var named []torch.Named
	switch p := params.(type) {
	case []*torch.Tensor:
		tensors = slices.Clone(p)
	case torch.StateDict:
		named = p
	case []torch.Named:
		named = p
	default:
		fail(op, "the parameters are a %T; give a []*torch.Tensor, a torch.StateDict, or an []optim.Group", params)
	}
	for _, e := range named {
		tensors, names = append(tensors, e.Tensor), append(names, e.Name)
	}
	return tensors, names
}

// AddParamGroup adds a group: optimizer.add_param_group(group). The optimizer must have no
// scheduler whose options are given by group.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.add_param_group.html
func (o *Optimizer) AddParamGroup(g Group) {
	if o.lbfgs != nil {
		fail("Optimizer.AddParamGroup", "LBFGS has one group, for which all options hold")
	}
	o.addParamGroup("Optimizer.AddParamGroup", g)
}

func (o *Optimizer) addParamGroup(op string, from Group) {
	g := &ParamGroup{}
	g.params, g.names = o.rule.tensors(op, from.Params)
	name := func(i int) string {
		if g.names != nil {
			return fmt.Sprintf("%d (%.100q)", i, g.names[i])
		}
		return fmt.Sprint(i)
	}
	known := map[*torch.Tensor]bool{}
	for _, other := range o.groups {
		for _, p := range other.params {
			known[p] = true
		}
		if (other.names == nil) != (g.names == nil) && len(g.params) > 0 && len(other.params) > 0 {
			fail(op, "the parameters of some groups have names and those of others have none; give names in all groups or in none")
		}
	}
	mine := map[*torch.Tensor]bool{}
	for i, p := range g.params {
		switch {
		case p == nil:
			fail(op, "parameter %s is nil", name(i))
		case known[p]:
			fail(op, "parameter %s is in another group too; a parameter can be in one group only", name(i))
		case mine[p]:
			fail(op, "parameter %s is given twice; it would be changed twice in each step", name(i))
		case !p.IsLeaf() && !p.RetainsGrad():
			fail(op, "parameter %s is the result of an operation that autograd recorded; only leaf tensors can be optimized, so call Detach and then RequireGrad, or RetainGrad", name(i))
		}
		mine[p] = true
		if o.rule.param != nil {
			o.rule.param(p)
		}
	}
	g.options = o.ownOptions(op, from.Options)
	for _, e := range o.defaults {
		if g.options.find(e.key) < 0 {
			g.options = append(g.options, e)
		}
	}
	g.describe()
	o.groups = append(o.groups, g)
	if o.rule.name == "Adagrad" { // whose states exist before the first step
		torch.NoGrad(func() {
			for i, p := range g.params {
				g.states[i] = o.begin(g, p, p)
			}
		})
	}
}

// ownOptions returns the options that a group sets for itself.
func (o *Optimizer) ownOptions(op string, options any) dict {
	if options == nil {
		return nil
	}
	if want := o.rule.name + "Options"; reflect.TypeOf(options).Name() != want {
		fail(op, "the options of the group are a %T; give an optim.%s", options, want)
	}
	d := given(op, options)
	if o.rule.join != nil {
		d = o.rule.join(d, o.defaults)
	}
	return d
}

// describe sets what is known of the parameters of a group.
func (g *ParamGroup) describe() {
	g.numel, g.complex, g.states = make([]int, len(g.params)), make([]bool, len(g.params)), make([]*dict, len(g.params))
	for i, p := range g.params {
		g.numel[i], g.complex[i] = p.Numel(), p.DType().IsComplex()
	}
}

// given returns the fields of a struct of options that are set, by Python's names.
func given(op string, options any) (d dict) {
	r := reflect.ValueOf(options)
	for i := range r.NumField() {
		f, v := r.Type().Field(i), r.Field(i)
		key := f.Tag.Get("torch")
		if key == "" {
			key = snake.Case(f.Name)
		}
		if v.IsZero() {
			continue
		}
		if not, ok := strings.CutPrefix(key, "!"); ok {
			d.set(not, false)
			continue
		}
		if v.Kind() == reflect.Interface {
			d.set(key, numberOf(op, f.Name, v.Interface()))
			continue
		}
		switch v := v.Interface().(type) {
		case bool, int, string:
			d.set(key, v)
		case *bool:
			d.set(key, *v)
		case *int:
			d.set(key, *v)
		case []float64:
			t := make(torch.Tuple, len(v))
			for i, e := range v {
				t[i] = e
			}
			d.set(key, t)
		}
	}
	return d
}

// numberOf returns the number of an option: an int, a float64, or, of LR, a tensor.
func numberOf(op, name string, v any) torch.Value {
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		return int(r.Int())
	case r.CanUint():
		return int(r.Uint())
	case r.CanFloat():
		return r.Float()
	}
	x, ok := v.(*torch.Tensor)
	switch {
	case !ok:
		fail(op, "the option %s is a %T; it must be a number", name, v)
	case name != "LR":
		fail(op, "the option %s is a tensor, which only LR can be", name)
	case x.Numel() != 1:
		fail(op, "the learning rate is a tensor of %d elements; it must have 1", x.Numel())
	}
	return x
}

// Name returns the kind of the optimizer, such as "SGD".
func (o *Optimizer) Name() string { return o.rule.name }

// ParamGroups returns the groups: optimizer.param_groups.
func (o *Optimizer) ParamGroups() []*ParamGroup { return slices.Clone(o.groups) }

// Parameters returns the parameters of all groups, in order.
func (o *Optimizer) Parameters() []*torch.Tensor {
	var all []*torch.Tensor
	for _, g := range o.groups {
		all = append(all, g.params...)
	}
	return all
}

// State returns the state of a parameter by Python's names: optimizer.state[p]. Its
// tensors are the optimizer's own, apart from those of no dimensions. It is empty before
// the first step of the parameter.
func (o *Optimizer) State(p *torch.Tensor) *torch.Dict {
	for _, g := range o.groups {
		if i := slices.Index(g.params, p); i >= 0 {
			if s := o.stateOf(g, i); s != nil {
				return s
			}
		}
	}
	return new(torch.Dict)
}

// LR returns the learning rate of each group.
func (o *Optimizer) LR() []float64 {
	rates := make([]float64, len(o.groups))
	for i, g := range o.groups {
		rates[i] = g.LR()
	}
	return rates
}

// SetLR sets the learning rate of all groups.
func (o *Optimizer) SetLR(lr float64) {
	for _, g := range o.groups {
		g.SetLR(lr)
	}
}

// String returns the name and the options of each group: repr(optimizer).
func (o *Optimizer) String() string {
	var b strings.Builder
	b.WriteString(o.rule.name + " (")
	for i, g := range o.groups {
		fmt.Fprintf(&b, "\nParameter Group %d\n", i)
		options := slices.Clone(g.options)
		if g.names != nil {
			options.set("param_names", namesOf(g))
		}
		slices.SortFunc(options, func(a, b entry) int { return strings.Compare(a.key, b.key) })
		for _, e := range options {
			fmt.Fprintf(&b, "    %s: %s\n", e.key, text(e.value, false))
		}
	}
	b.WriteString(")")
	return b.String()
}

// RegisterStepPreHook has hook called before each step:
// optimizer.register_step_pre_hook(hook). The function that it returns removes the hook.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.register_step_pre_hook.html
func (o *Optimizer) RegisterStepPreHook(hook func(*Optimizer)) (remove func()) {
	return register(&o.pre, hook)
}

// RegisterStepPostHook has hook called after each step:
// optimizer.register_step_post_hook(hook). The function that it returns removes the hook.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.register_step_post_hook.html
func (o *Optimizer) RegisterStepPostHook(hook func(*Optimizer)) (remove func()) {
	return register(&o.post, hook)
}

func register(hooks *[]*func(*Optimizer), hook func(*Optimizer)) (remove func()) {
	h := &hook
	*hooks = append(slices.Clone(*hooks), h)
	return func() {
		*hooks = slices.DeleteFunc(slices.Clone(*hooks), func(g *func(*Optimizer)) bool { return g == h })
	}
}

var opDetach_ = torch.NewOp("aten::detach_", "")

// ZeroGradOptions are the options of [Optimizer.ZeroGrad].
type ZeroGradOptions struct {
	Keep bool // gradients are filled with zeros in place of being removed: set_to_none=False
}

// ZeroGrad removes the gradients of all parameters: optimizer.zero_grad().
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html
func (o *Optimizer) ZeroGrad(options ...ZeroGradOptions) {
	keep := torch.Only(options).Keep
	for _, g := range o.groups {
		for _, p := range g.params {
			if !keep {
				p.ZeroGrad()
				continue
			}
			if grad := p.Grad(); grad != nil {
				torch.NoGrad(func() {
					if !grad.IsLeaf() {
						var c torch.Call
						c.Tensor(grad)
						c.Do(opDetach_)
					}
					grad.RequireGrad(false).ZeroInPlace()
				})
				grad.Free()
			}
		}
	}
}

// Step changes the parameters that have a gradient: optimizer.step(). It panics with a
// *[torch.Error] if a gradient is sparse and the optimizer takes none such, and for LBFGS,
// which needs [Optimizer.StepClosure].
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.step.html
func (o *Optimizer) Step() {
	if o.lbfgs != nil {
		fail("Optimizer.Step", "LBFGS evaluates the loss several times in a step; call StepClosure with a function that does so")
	}
	o.run(nil)
}

// StepClosure is [Optimizer.Step] with a function that computes the loss and calls
// Backward, and returns what that returned: optimizer.step(closure). LBFGS calls it several times.
//
//	opt.StepClosure(func() *torch.Tensor {
//		opt.ZeroGrad()
//		loss := F.MSELoss(model.Forward(x), y)
//		loss.Backward()
//		return loss
//	})
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.step.html
func (o *Optimizer) StepClosure(closure func() *torch.Tensor) *torch.Tensor {
	if closure == nil {
		fail("Optimizer.StepClosure", "the function that computes the loss is nil")
	}
	return o.run(closure)
}

// run is a step, with its hooks.
func (o *Optimizer) run(closure func() *torch.Tensor) (loss *torch.Tensor) {
	o.stepped = o.stepped || o.watched
	for _, h := range o.pre {
		(*h)(o)
	}
	torch.NoGrad(func() {
		if o.lbfgs != nil {
			loss = o.lbfgs.step(o.groups[0], closure)
			return
		}
		if closure != nil {
			torch.EnableGrad(func() { loss = closure() })
		}
		for _, g := range o.groups {
			o.stepGroup(g)
		}
	})
	for _, h := range o.post {
		(*h)(o)
	}
	return loss
}

// begin makes the state of a parameter, which no torch.Scope frees.
func (o *Optimizer) begin(g *ParamGroup, p, grad *torch.Tensor) *dict {
	var d dict
	if !o.rule.sparse {
		needsDense(o.rule.name, o.rule.dense, grad)
	}
	if o.rule.parts == nil {
		return &d
	}
	engine.Unscoped(func() {
		for _, key := range o.rule.parts(g.options, p) {
			var v torch.Value
			if o.rule.begin != nil {
				v = o.rule.begin(key, o.beginOptions(g), p, grad)
			}
			switch {
			case v != nil:
			case key == "step":
				v = newScalar(0)
			default:
				v = torch.ZerosLike(p)
			}
			d = append(d, entry{key, v})
		}
	})
	return &d
}

// beginOptions returns the options with which the state of a parameter begins: as in
// Python, Adagrad takes those of all groups.
func (o *Optimizer) beginOptions(g *ParamGroup) dict {
	if o.rule == adagrad {
		return o.defaults
	}
	return g.options
}

// always returns the parts of a state that does not depend on options.
func always(parts ...string) func(dict, *torch.Tensor) []string {
	return func(dict, *torch.Tensor) []string { return parts }
}

// filled returns a tensor like x filled with v, in both parts of complex numbers if p is complex.
func filled(x, p *torch.Tensor, v float64) *torch.Tensor {
	y := torch.EmptyLike(x)
	if p.DType().IsComplex() {
		return y.FillInPlace(complex(v, v))
	}
	return y.FillInPlace(v)
}
