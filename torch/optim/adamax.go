package optim

import (
	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

// AdamaxOptions are the options of [NewAdamax].
type AdamaxOptions struct {
	LR          Number    // the learning rate, which may be a tensor; nil is 0.002
	Betas       []float64 // of the running mean of the gradient and of its infinity norm; nil is 0.9, 0.999
	Eps         Number    // added to the absolute gradient; nil is 1e-8
	WeightDecay Number    // L2 penalty; nil is 0
	Foreach     *bool     // whether operators take all parameters at once; nil is true on GPUs
	Maximize    bool      // maximizes the loss
}

var adamax = &rule{
	name: "Adamax",
	defaults: dict{
		{"lr", 2e-3}, {"betas", torch.Tuple{0.9, 0.999}}, {"eps", 1e-8}, {"weight_decay", 0},
		{"foreach", nil}, {"maximize", false}, {"differentiable", false}, {"capturable", false},
	},
	later: []string{"foreach", "maximize", "differentiable", "capturable"},
	check: func(o dict) {
		c := checks{"NewAdamax", o}
		c.rates()
		c.betas()
	},
	parts: always("step", "exp_avg", "exp_inf"),
	step:  stepAdamax,
}

// NewAdamax makes an optimizer by Adam with the infinity norm: torch.optim.Adamax(params).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Adamax.html
func NewAdamax(params Params, options ...AdamaxOptions) *Optimizer {
	return newOptimizer(adamax, params, given("NewAdamax", torch.Only(options)))
}

func stepAdamax(b *batch) {
	o := b.group.options
	beta1, beta2 := o.pair("betas")
	grads, avg, norm := b.gradients(o.float("weight_decay")), b.state("exp_avg"), b.state("exp_inf")
	b.by(opLerp_, 1-beta1, avg, grads)
	b.by(opMulScalar_, beta2, norm)
	abs := b.keep(b.of(opAbs, grads))
	b.by(opAddScalar_, o.float("eps"), abs)
	b.maximum(norm, abs)
	lr := o.num("lr")
	if b.multi {
		lr = float(lr.v)
	}
	rate := lr.div(float(1 - libm.Pow(beta1, b.scalar("step").v)))
	b.by(opAddcdiv_, rate.neg().v, b.params, avg, norm)
}
