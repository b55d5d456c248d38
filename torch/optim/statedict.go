package optim

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// StateDict returns the state of the optimizer, as Python's torch.save and [torch.Save]
// write it: optimizer.state_dict(). Its tensors are the optimizer's own, apart from those
// of no dimensions, so that later steps change them.
//
//	err := torch.Save("checkpoint.pt", map[string]any{"model": nn.StateDict(model), "optimizer": opt.StateDict()})
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.state_dict.html
func (o *Optimizer) StateDict() *torch.Dict {
	states, groups := &torch.Dict{}, []torch.Value{}
	id := 0
	for _, g := range o.groups {
		options := slices.Clone(g.options)
		if g.names != nil {
			options = slices.Insert(options, 0, entry{"param_names", namesOf(g)})
		}
		ids := make([]torch.Value, len(g.params))
		for i := range g.params {
			ids[i] = id
			if s := o.stateOf(g, i); s != nil {
				states.Entries = append(states.Entries, torch.Entry{Key: id, Value: s})
			}
			id++
		}
		options.set("params", ids)
		groups = append(groups, options.plain())
	}
	return &torch.Dict{Entries: []torch.Entry{{Key: "state", Value: states}, {Key: "param_groups", Value: groups}}}
}

func namesOf(g *ParamGroup) []torch.Value {
	names := make([]torch.Value, len(g.names))
	for i, name := range g.names {
		names[i] = name
	}
	return names
}

// stateOf returns the state of a parameter, or nil if it has none.
func (o *Optimizer) stateOf(g *ParamGroup, i int) *torch.Dict {
	if o.lbfgs != nil {
		if i == 0 {
			return o.lbfgs.save(g.options.int("history_size"))
		}
		return nil
	}
	if s := g.states[i]; s != nil && len(*s) > 0 {
		return s.plain()
	}
	return nil
}

// LoadStateDict sets the state and the options of all groups, learning rates among them:
// optimizer.load_state_dict(state). The state is that of an optimizer of the same kind,
// with groups of the same sizes, of Go or of Python. Its tensors are copied.
//
//	state, err := torch.Get[*torch.Dict](checkpoint, "optimizer")
//	if err != nil {
//		log.Fatal(err)
//	}
//	if err := opt.LoadStateDict(state); err != nil {
//		log.Fatal(err)
//	}
//
// The error says how the state differs. The optimizer is then unchanged.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.load_state_dict.html
func (o *Optimizer) LoadStateDict(state *torch.Dict) error {
	l := &stateLoader{o: o}
	var err error
	failed := torch.Try(func() {
		torch.NoGrad(func() { engine.Unscoped(func() { err = l.load(state) }) })
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("optim: load the state of %s: %w", o.rule.name, err)
	}
	for i, g := range o.groups {
		g.options, g.states, g.names = l.groups[i].options, l.groups[i].states, l.groups[i].names
	}
	o.lbfgs = l.lbfgs
	o.stepped = o.stepped || l.stepped
	return nil
}

// A stateLoader reads a state dict.
type stateLoader struct {
	o      *Optimizer
	groups []*ParamGroup // options, states and names of the groups
	lbfgs  *lbfgs

	stepped bool // the optimizer that was saved has made a step
}

func (l *stateLoader) load(state *torch.Dict) error {
	groups, err := torch.Get[[]torch.Value](state, "param_groups")
	if err != nil {
		return err
	}
	states, err := torch.Get[*torch.Dict](state, "state")
	if err != nil {
		return err
	}
	l.stepped = len(states.Entries) > 0
	if len(groups) != len(l.o.groups) {
		return fmt.Errorf("the state has %s and the optimizer %s; the groups must be those of the optimizer that was saved",
			count(len(groups), "parameter group"), count(len(l.o.groups), "parameter group"))
	}
	for i, v := range groups {
		if err := l.group(i, v, states); err != nil {
			return fmt.Errorf("parameter group %d %w", i, err)
		}
	}
	return nil
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprint(n, " ", what)
}

// group reads a group and the states of its parameters.
func (l *stateLoader) group(i int, v torch.Value, states *torch.Dict) error {
	live := l.o.groups[i]
	options, err := dictOf(v)
	if err != nil {
		return err
	}
	ids, ok := options.get("params").([]torch.Value)
	if !ok {
		return fmt.Errorf("has no list of parameters")
	}
	if len(ids) != len(live.params) {
		return fmt.Errorf("has %s in the state and %d in the optimizer", count(len(ids), "parameter"), len(live.params))
	}
	g := &ParamGroup{names: live.names, states: make([]*dict, len(ids))}
	if names, ok := options.get("param_names").([]torch.Value); ok && len(names) == len(ids) {
		g.names = make([]string, len(names))
		for i, name := range names {
			if g.names[i], ok = name.(string); !ok {
				return fmt.Errorf("has a name of a parameter that is %s", torch.Describe(name))
			}
		}
	}
	if g.options, err = l.options(options); err != nil {
		return err
	}
	l.groups = append(l.groups, g)
	if l.o.lbfgs != nil {
		l.lbfgs = new(lbfgs)
		if len(ids) == 0 {
			return nil
		}
		s, _ := states.Get(ids[0])
		return l.lbfgs.load(live.params[0], s)
	}
	for j, id := range ids {
		s, ok := states.Get(id)
		if !ok {
			continue
		}
		if g.states[j], err = l.state(g, live.params[j], s); err != nil {
			return fmt.Errorf("has the parameter %d, whose state %w", j, err)
		}
	}
	return nil
}

// options returns the options of a group, in the order of the rule.
func (l *stateLoader) options(from dict) (dict, error) {
	var d dict
	for _, e := range l.o.rule.defaults {
		v := e.value
		if i := from.find(e.key); i >= 0 {
			v = from[i].value
		} else if !slices.Contains(l.o.rule.later, e.key) {
			return nil, fmt.Errorf("has no option %q in the state, which is perhaps that of another optimizer", e.key)
		}
		if on, _ := v.(bool); on && (e.key == "capturable" || e.key == "differentiable") {
			return nil, fmt.Errorf("has the option %q in the state, which Go does not have; turn it off before saving", e.key)
		}
		d = append(d, entry{e.key, v})
	}
	if l.o.rule == adamW {
		d.set("decoupled_weight_decay", true)
	}
	for _, e := range from {
		if e.key != "params" && e.key != "param_names" {
			d.set(e.key, e.value)
		}
	}
	for i, e := range d {
		if x, ok := e.value.(*torch.Tensor); ok && x != nil {
			d[i].value = x.Clone()
		}
	}
	for i, e := range l.o.rule.defaults {
		if !sameKind(d[i].value, e.value) {
			return nil, fmt.Errorf("has the option %q, which is %s and not %s", e.key, torch.Describe(d[i].value), torch.Describe(e.value))
		}
	}
	return d, nil
}

// sameKind reports whether an option can have a value, given its default.
func sameKind(v, standard torch.Value) bool {
	switch standard := standard.(type) {
	case nil:
		return true
	case bool:
		_, ok := v.(bool)
		return ok
	case torch.Tuple:
		list, err := torch.Get[[]torch.Value](v)
		return err == nil && len(list) == len(standard)
	}
	_, ok := numOf(v)
	return ok
}

// state returns the state of a parameter.
func (l *stateLoader) state(g *ParamGroup, p *torch.Tensor, v torch.Value) (*dict, error) {
	from, err := dictOf(v)
	if err != nil {
		return nil, err
	}
	if len(from) == 0 {
		return nil, nil
	}
	var d dict
	for _, e := range from {
		value, err := l.part(p, e)
		if err != nil {
			return nil, fmt.Errorf("has %q, which %w", e.key, err)
		}
		if value != nil { // old checkpoints have None for a buffer that is not used
			d.set(e.key, value)
		}
	}
	if l.o.rule.parts == nil {
		return &d, nil
	}
	for i, key := range l.o.rule.parts(g.options, p) {
		at := d.find(key)
		if at < 0 {
			return nil, fmt.Errorf("has no %q; it is perhaps that of another optimizer", key)
		}
		part := d[at]
		d = slices.Insert(slices.Delete(d, at, at+1), i, part)
	}
	return &d, nil
}

// part returns a part of a state.
func (l *stateLoader) part(p *torch.Tensor, e entry) (torch.Value, error) {
	isScalar := e.key == "step" || slices.Contains(l.o.rule.scalars, e.key)
	x, ok := e.value.(*torch.Tensor)
	if !ok {
		n, isNumber := numOf(e.value)
		switch {
		case isScalar && isNumber && l.o.rule == sparseAdam:
			return &scalar{num: float(n.v)}, nil
		case isScalar && isNumber:
			return newScalar(n.v), nil
		case isScalar:
			return nil, fmt.Errorf("is %s and not a number", torch.Describe(e.value))
		}
		return e.value, nil
	}
	d := x.DType()
	if e.key != "step" && p.DType().IsFloatingPoint() {
		d = p.DType()
	}
	if isScalar {
		if x.Numel() != 1 {
			return nil, fmt.Errorf("has %d elements; it must have 1", x.Numel())
		}
		s := &scalar{num: num{round(d, x.Item()), d}}
		if l.o.rule == asgd {
			s.device = p.Device()
		}
		return s, nil
	}
	if l.o.rule != adafactor && !x.SameShape(p) {
		return nil, fmt.Errorf("has the shape %v for a parameter of the shape %v", x.Shape(), p.Shape())
	}
	return x.To(p.Device(), torch.ToOptions{DType: d, Copy: true}), nil
}
