package optim

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// A batch is parameters of a group that are changed together. They are at the same
// step, so that all numbers of the rule are the same for them.
type batch struct {
	lists
	multi   bool // the operators are those of PyTorch's multi-tensor implementation, where they differ
	fused   bool
	late    bool // an L2 penalty is added to complex gradients after they are taken as pairs of real numbers, which rounds otherwise
	complex bool // the tensors are complex, and taken as pairs of real numbers
	group   *ParamGroup
	whole   [2][]*torch.Tensor // the complex parameters and gradients of which params and grads are views
	params  []*torch.Tensor
	grads   []*torch.Tensor
	states  []*dict
	made    []*torch.Tensor // freed at the end
	numel   int
	device  torch.Device // with dtype, of a batch for kernels that take lists of one kind
	dtype   torch.DType
}

// bundle is the number of elements up to which parameters on the CPU are changed
// together: one call of a foreach operator costs less than a call for each tensor, and has
// the same bits there. Their intermediate results then fit into the processor's cache.
const bundle = 1 << 15

// stepGroup changes the parameters of a group.
func (o *Optimizer) stepGroup(g *ParamGroup) {
	b := &batch{group: g, late: o.rule.late}
	bundles := false
	begun := false
	defer func() { b.free() }()
	for i, p := range g.params {
		grad := p.Grad()
		if grad == nil {
			continue
		}
		if !begun {
			begun = true
			bundles = b.choose(o, g)
		}
		s := g.states[i]
		if s == nil {
			s = o.begin(g, p, grad)
			g.states[i] = s
		}
		b.advance(s, p)
		if !b.accepts(p, s, g.numel[i], g.complex[i] && !o.rule.complex, bundles) {
			b.run(o.rule, bundles)
		}
		b.add(p, grad, s, g.numel[i], g.complex[i] && !o.rule.complex)
	}
	b.run(o.rule, bundles)
}

// choose chooses the implementation as PyTorch does, and reports whether small parameters
// may be changed together without that.
func (b *batch) choose(o *Optimizer, g *ParamGroup) (bundles bool) {
	foreach, foreachGiven := g.options.get("foreach").(bool)
	fused, fusedGiven := g.options.get("fused").(bool)
	d := g.params[0].Device()
	b.fused, b.multi = fused, foreach && !fused
	if !foreachGiven && !fusedGiven && d.Type() == "cuda" && o.rule.byDefault(g) {
		b.multi = true
		for _, p := range g.params {
			b.multi = b.multi && p.Device().Type() == "cuda"
		}
	}
	b.foreach = b.multi
	return !b.multi && !b.fused && d == torch.CPU
}

// byDefault reports whether the multi-tensor implementation is the default on a GPU.
func (r *rule) byDefault(g *ParamGroup) bool {
	if r.defaults.find("foreach") < 0 || r.name == "Adafactor" {
		return false
	}
	_, tensorLR := g.options.get("lr").(*torch.Tensor)
	return !tensorLR || r.name != "Adam" && r.name != "AdamW"
}

// advance counts a step of a state.
func (b *batch) advance(s *dict, p *torch.Tensor) {
	if len(*s) == 0 || (*s)[0].key != "step" {
		return
	}
	switch step := (*s)[0].value.(type) {
	case *scalar:
		if b.fused {
			(*s)[0].value = onDevice(p, step.v)
			return
		}
		step.set(step.v + 1)
	case *torch.Tensor:
		if !b.fused {
			(*s)[0].value = &scalar{num: num{round(step.DType(), step.Item()+1), step.DType()}}
		}
	}
}

// accepts reports whether a parameter can be changed together with those of the batch.
func (b *batch) accepts(p *torch.Tensor, s *dict, numel int, complex, bundles bool) bool {
	switch {
	case len(b.params) == 0:
		return true
	case complex != b.complex || !sameScalars(s, b.states[0]):
		return false
	case bundles:
		return b.numel+numel <= bundle
	case b.multi || b.fused:
		return p.Device() == b.device && p.DType() == b.dtype
	}
	return true
}

// sameScalars reports whether two states are at the same step.
func sameScalars(a, b *dict) bool {
	if len(*a) != len(*b) {
		return false
	}
	for i, e := range *a {
		if x, ok := e.value.(*scalar); ok {
			y, ok := (*b)[i].value.(*scalar)
			if !ok || x.num != y.num {
				return false
			}
		}
	}
	return true
}

func (b *batch) add(p, grad *torch.Tensor, s *dict, numel int, complex bool) {
	if len(b.params) == 0 {
		b.complex = complex
		if b.multi || b.fused {
			b.device, b.dtype = p.Device(), p.DType()
		}
	}
	b.made = append(b.made, grad)
	if complex {
		b.whole[0], b.whole[1] = append(b.whole[0], p), append(b.whole[1], grad)
	}
	b.params, b.grads, b.states = append(b.params, b.real(p)), append(b.grads, b.real(grad)), append(b.states, s)
	b.numel += numel
}

// run changes the parameters of the batch, and empties it.
func (b *batch) run(r *rule, bundles bool) {
	if len(b.params) == 0 {
		return
	}
	if bundles {
		b.foreach = len(b.params) > 1
	}
	r.step(b)
	b.free()
	b.params, b.grads, b.states, b.numel = b.params[:0], b.grads[:0], b.states[:0], 0
	b.whole = [2][]*torch.Tensor{}
}

func (b *batch) free() {
	free(b.made)
	b.made = b.made[:0]
}

// real returns x, or a view of a complex x as real numbers.
func (b *batch) real(x *torch.Tensor) *torch.Tensor {
	if !b.complex {
		return x
	}
	x = x.ViewAsReal()
	b.made = append(b.made, x)
	return x
}

// keep has the batch free tensors at its end.
func (b *batch) keep(xs []*torch.Tensor) []*torch.Tensor {
	b.made = append(b.made, xs...)
	return xs
}

// gradients returns the gradients, negated to maximize, and with an L2 penalty.
func (b *batch) gradients(weightDecay float64) []*torch.Tensor {
	grads := b.grads
	maximize := b.group.options.bool("maximize")
	if maximize {
		grads = b.keep(b.of(opNeg, grads))
	}
	switch {
	case weightDecay == 0:
	case b.complex && !b.multi && !b.late:
		return b.decayedComplex(weightDecay, maximize)
	case maximize:
		b.by(opAddList_, weightDecay, grads, b.params)
	default:
		grads = b.keep(b.ofBy(opAddList, weightDecay, grads, b.params))
	}
	return grads
}

// decayedComplex returns the gradients with an L2 penalty, as pairs of real numbers.
func (b *batch) decayedComplex(weightDecay float64, maximize bool) []*torch.Tensor {
	grads := b.whole[1]
	if maximize {
		grads = b.keep(b.of(opNeg, grads))
	}
	grads = b.keep(b.ofBy(opAddList, weightDecay, grads, b.whole[0]))
	views := make([]*torch.Tensor, len(grads))
	for i, g := range grads {
		views[i] = b.real(g)
	}
	return views
}

// state returns the tensors of one name of all states.
func (b *batch) state(key string) []*torch.Tensor {
	out := make([]*torch.Tensor, len(b.states))
	for i, s := range b.states {
		x, _ := s.get(key).(*torch.Tensor)
		if x == nil {
			fail("Step", "the state of a parameter has no tensor %q; an option that adds it must not be turned on after the first step", key)
		}
		out[i] = b.real(x)
	}
	return out
}

// scalar returns the number of one name, which is the same in all states.
func (b *batch) scalar(key string) num {
	s, ok := b.states[0].get(key).(*scalar)
	if !ok {
		fail("Step", "the state of a parameter has no number %q", key)
	}
	return s.num
}

// setScalar sets the number of one name in all states.
func (b *batch) setScalar(key string, v float64) {
	for _, s := range b.states {
		s.get(key).(*scalar).set(v)
	}
}

// onDevice returns a float32 tensor of no dimensions on the device of p.
func onDevice(p *torch.Tensor, v float64) *torch.Tensor {
	var x *torch.Tensor
	engine.Unscoped(func() { x = torch.Options{DType: torch.Float32, Device: p.Device()}.Full(v) })
	return x
}
