package optim

import "github.com/torchhub/torchhub/torch"

// RMSpropOptions are the options of [NewRMSprop].
type RMSpropOptions struct {
	LR          Number // the learning rate, which may be a tensor; nil is 0.01
	Alpha       Number // of the running mean of squares; nil is 0.99
	Eps         Number // added to the denominator; nil is 1e-8
	WeightDecay Number // L2 penalty; nil is 0
	Momentum    Number // nil is 0
	Centered    bool   // divides by an estimate of the gradient's standard deviation
	Foreach     *bool  // whether operators take all parameters at once; nil is true on GPUs
	Maximize    bool   // maximizes the loss
}

var rmsprop = &rule{
	name: "RMSprop",
	defaults: dict{
		{"lr", 1e-2}, {"momentum", 0}, {"alpha", 0.99}, {"eps", 1e-8}, {"centered", false}, {"weight_decay", 0},
		{"capturable", false}, {"foreach", nil}, {"maximize", false}, {"differentiable", false},
	},
	later: []string{"momentum", "centered", "foreach", "maximize", "differentiable", "capturable"},
	check: func(o dict) {
		c := checks{"NewRMSprop", o}
		c.rates()
		c.atLeast("momentum", "the momentum", 0)
		c.atLeast("alpha", "Alpha", 0)
	},
	parts: func(o dict, _ *torch.Tensor) []string {
		parts := []string{"step", "square_avg"}
		if o.float("momentum") > 0 {
			parts = append(parts, momentumBuffer)
		}
		if o.bool("centered") {
			parts = append(parts, "grad_avg")
		}
		return parts
	},
	step: stepRMSprop,
}

// NewRMSprop makes an optimizer by root mean squares of gradients: torch.optim.RMSprop(params).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
func NewRMSprop(params Params, options ...RMSpropOptions) *Optimizer {
	return newOptimizer(rmsprop, params, given("NewRMSprop", torch.Only(options)))
}

func stepRMSprop(b *batch) {
	o := b.group.options
	alpha, momentum, rate := o.float("alpha"), o.float("momentum"), -o.float("lr")
	grads, square := b.gradients(o.float("weight_decay")), b.state("square_avg")
	b.by(opMulScalar_, alpha, square)
	b.by(opAddcmul_, 1-alpha, square, grads, grads)
	var root []*torch.Tensor
	if o.bool("centered") {
		mean := b.state("grad_avg")
		b.by(opLerp_, 1-alpha, mean, grads)
		root = b.keep(b.ofBy(opAddcmul, -1, square, mean, mean))
		b.do(opSqrt_, root)
	} else {
		root = b.keep(b.of(opSqrt, square))
	}
	b.by(opAddScalar_, o.float("eps"), root)
	if momentum > 0 {
		bufs := b.state(momentumBuffer)
		b.by(opMulScalar_, momentum, bufs)
		b.by(opAddcdiv_, 1, bufs, grads, root)
		b.by(opAddList_, rate, b.params, bufs)
	} else {
		b.by(opAddcdiv_, rate, b.params, grads, root)
	}
}
