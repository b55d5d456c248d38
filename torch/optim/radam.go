package optim

import (
	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

// RAdamOptions are the options of [NewRAdam].
type RAdamOptions struct {
	LR                   Number    // the learning rate, which may be a tensor; nil is 0.001
	Betas                []float64 // of the running means of the gradient and of its square; nil is 0.9, 0.999
	Eps                  Number    // added to the denominator; nil is 1e-8
	WeightDecay          Number    // nil is 0
	DecoupledWeightDecay bool      // as AdamW does it, in place of an L2 penalty
	Foreach              *bool     // whether operators take all parameters at once, with other rounding errors; nil is true on GPUs
	Maximize             bool      // maximizes the loss
}

var radam = &rule{
	name: "RAdam",
	defaults: dict{
		{"lr", 1e-3}, {"betas", torch.Tuple{0.9, 0.999}}, {"eps", 1e-8}, {"weight_decay", 0}, {"maximize", false},
		{"foreach", nil}, {"capturable", false}, {"decoupled_weight_decay", false}, {"differentiable", false},
	},
	late:  true,
	later: []string{"foreach", "maximize", "differentiable", "decoupled_weight_decay", "capturable"},
	check: func(o dict) {
		c := checks{"NewRAdam", o}
		c.rates()
		c.betas()
	},
	parts: always("step", "exp_avg", "exp_avg_sq"),
	step:  stepRAdam,
}

// NewRAdam makes an optimizer by rectified Adam: torch.optim.RAdam(params).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.RAdam.html
func NewRAdam(params Params, options ...RAdamOptions) *Optimizer {
	return newOptimizer(radam, params, given("NewRAdam", torch.Only(options)))
}

func stepRAdam(b *batch) {
	o := b.group.options
	lr, weightDecay := o.num("lr"), o.float("weight_decay")
	beta1, beta2 := o.pair("betas")
	if o.bool("decoupled_weight_decay") {
		b.decay(lr, weightDecay)
		weightDecay = 0
	}
	grads, avg, square := b.gradients(weightDecay), b.state("exp_avg"), b.state("exp_avg_sq")
	b.by(opLerp_, 1-beta1, avg, grads)
	b.by(opMulScalar_, beta2, square)
	b.by(opAddcmul_, 1-beta2, square, grads, grads)

	step := b.scalar("step").v
	power := libm.Pow(beta2, step)
	correction1, correction2 := 1-libm.Pow(beta1, step), 1-power
	longest := 2/(1-beta2) - 1 // the length of the approximated moving mean
	length := longest - float64(2*step*power/correction2)
	rect := 0.0
	if length > 5 {
		rect = libm.Pow((length-4)*(length-2)*longest/((longest-4)*(longest-2)*length), 0.5)
	}
	eps := o.float("eps")
	if b.multi {
		b.rectified(lr, rect, correction1, correction2, eps, avg, square)
		return
	}
	update := b.keep(b.ofBy(opDivScalar, correction1, avg))
	b.by(opMulScalar_, lr.v, update)
	if length > 5 {
		adaptive := b.keep(b.of(opSqrt, square))
		b.by(opAddScalar_, eps, adaptive)
		b.do(opReciprocal_, adaptive)
		b.by(opMulScalar_, libm.Pow(correction2, 0.5), adaptive)
		b.do(opMulList_, update, adaptive)
		b.by(opMulScalar_, rect, update)
	}
	b.by(opAddList_, -1, b.params, update)
}

// rectified is the rest of the multi-tensor implementation of RAdam.
func (b *batch) rectified(lr num, rect, correction1, correction2, eps float64, avg, square []*torch.Tensor) {
	plain := float(1)
	if rect > 0 {
		plain = float(0)
	}
	rate := func(r num) num { return lr.mul(r).div(float(correction1)) }
	scale := float(libm.Pow(correction2, 0.5)).mul(rate(float(rect))).neg()
	buffer := b.keep(b.of(opSqrt, square))
	b.by(opAddScalar_, eps, buffer)
	b.by(opDivScalar_, scale.v, buffer)
	b.do(opReciprocal_, buffer)
	b.by(opAddScalar_, rate(plain).neg().v, buffer)
	b.by(opAddcmul_, 1, b.params, avg, buffer)
}
