package optim

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// SGDOptions are the options of [NewSGD].
type SGDOptions struct {
	LR          Number // the learning rate, which may be a tensor; nil is 0.001
	Momentum    Number // nil is 0
	Dampening   Number // of the momentum; nil is 0
	WeightDecay Number // L2 penalty; nil is 0
	Nesterov    bool   // Nesterov momentum
	Maximize    bool   // maximizes the loss
	Foreach     *bool  // whether operators take all parameters at once; nil is true on GPUs
	Fused       *bool  // whether one operator makes the whole step, with other rounding errors; nil is false
}

var sgd = &rule{
	name: "SGD",
	defaults: dict{
		{"lr", 1e-3}, {"momentum", 0}, {"dampening", 0}, {"weight_decay", 0}, {"nesterov", false},
		{"maximize", false}, {"foreach", nil}, {"differentiable", false}, {"fused", nil},
	},
	later:   []string{"nesterov", "maximize", "foreach", "differentiable", "fused"},
	complex: true,
	sparse:  true,
	check: func(o dict) {
		c := checks{"NewSGD", o}
		c.atLeast("lr", "the learning rate", 0)
		c.atLeast("momentum", "the momentum", 0)
		c.atLeast("weight_decay", "the weight decay", 0)
		if o.bool("nesterov") && (o.float("momentum") <= 0 || o.float("dampening") != 0) {
			fail("NewSGD", "Nesterov momentum requires a momentum and no dampening; the momentum is %v and the dampening %v", o.float("momentum"), o.float("dampening"))
		}
		c.paths()
	},
	step: stepSGD,
}

// NewSGD makes an optimizer of stochastic gradient descent, with momentum:
// torch.optim.SGD(params, lr=…). It takes sparse gradients. It panics with a
// *[torch.Error] if an option is out of its range.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
func NewSGD(params Params, options ...SGDOptions) *Optimizer {
	return newOptimizer(sgd, params, given("NewSGD", torch.Only(options)))
}

const momentumBuffer = "momentum_buffer"

func stepSGD(b *batch) {
	o := b.group.options
	if b.fused {
		fusedSGD(b, o)
		return
	}
	momentum := o.float("momentum")
	grads := b.gradients(o.float("weight_decay"))
	if momentum != 0 {
		bufs := b.momentum(grads, momentum, o.float("dampening"))
		switch {
		case !o.bool("nesterov"):
			grads = bufs
		case b.multi && (len(b.made) > len(b.grads)): // the gradients are copies
			b.by(opAddList_, momentum, grads, bufs)
		default:
			grads = b.keep(b.ofBy(opAddList, momentum, grads, bufs))
		}
	}
	b.by(opAddList_, -o.float("lr"), b.params, grads)
}

// momentum updates the buffers of momentum, of which the first is the gradient.
func (b *batch) momentum(grads []*torch.Tensor, momentum, dampening float64) []*torch.Tensor {
	bufs := make([]*torch.Tensor, len(grads))
	var old, with []*torch.Tensor
	for i, s := range b.states {
		if bufs[i], _ = s.get(momentumBuffer).(*torch.Tensor); bufs[i] != nil {
			old, with = append(old, bufs[i]), append(with, grads[i])
			continue
		}
		engine.Unscoped(func() { bufs[i] = grads[i].Clone() })
		s.set(momentumBuffer, bufs[i])
	}
	if len(old) > 0 {
		b.by(opMulScalar_, momentum, old)
		b.by(opAddList_, 1-dampening, old, with)
	}
	return bufs
}

var (
	opFusedSGD         = torch.NewOp("aten::_fused_sgd_", "")
	opFusedSGDTensorLR = torch.NewOp("aten::_fused_sgd_", "tensor_lr")
)

func fusedSGD(b *batch, o dict) {
	b.dense()
	momentum := o.float("momentum")
	var bufs []*torch.Tensor
	first := false
	if momentum != 0 {
		first = b.states[0].get(momentumBuffer) == nil
		for i, s := range b.states {
			if (s.get(momentumBuffer) == nil) != first {
				fail("Step", "some parameters of the group have a momentum buffer and others have none, which the fused implementation does not take; turn off Fused")
			}
			if first {
				engine.Unscoped(func() { s.set(momentumBuffer, torch.EmptyLike(b.grads[i])) })
			}
		}
		bufs = b.state(momentumBuffer)
	}
	var c torch.Call
	c.Tensors(b.params)
	c.Tensors(b.grads)
	c.Tensors(bufs)
	c.Float(o.float("weight_decay"))
	c.Float(momentum)
	op := addRate(&c, o, opFusedSGD, opFusedSGDTensorLR)
	c.Float(o.float("dampening"))
	c.Bool(o.bool("nesterov"))
	c.Bool(o.bool("maximize"))
	c.Bool(first)
	c.Do(op)
}
