package optim

import (
	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

// NAdamOptions are the options of [NewNAdam].
type NAdamOptions struct {
	LR                   Number    // the learning rate, which may be a tensor; nil is 0.002
	Betas                []float64 // of the running means of the gradient and of its square; nil is 0.9, 0.999
	Eps                  Number    // added to the denominator; nil is 1e-8
	WeightDecay          Number    // nil is 0
	MomentumDecay        Number    // nil is 0.004
	DecoupledWeightDecay bool      // as AdamW does it, in place of an L2 penalty
	Foreach              *bool     // whether operators take all parameters at once, with other rounding errors; nil is true on GPUs
	Maximize             bool      // maximizes the loss
}

var nadam = &rule{
	name: "NAdam",
	defaults: dict{
		{"lr", 2e-3}, {"betas", torch.Tuple{0.9, 0.999}}, {"eps", 1e-8}, {"weight_decay", 0}, {"momentum_decay", 4e-3}, {"decoupled_weight_decay", false},
		{"maximize", false}, {"foreach", nil}, {"capturable", false}, {"differentiable", false},
	},
	later:   []string{"maximize", "foreach", "capturable", "differentiable", "decoupled_weight_decay"},
	late:    true,
	scalars: []string{"mu_product"},
	check: func(o dict) {
		c := checks{"NewNAdam", o}
		c.rates()
		c.betas()
		c.atLeast("momentum_decay", "the decay of the momentum", 0)
	},
	parts: always("step", "mu_product", "exp_avg", "exp_avg_sq"),
	begin: func(key string, _ dict, p, _ *torch.Tensor) torch.Value {
		if key == "mu_product" {
			return newScalar(1)
		}
		return nil
	},
	step: stepNAdam,
}

// NewNAdam makes an optimizer by Adam with Nesterov momentum: torch.optim.NAdam(params).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.NAdam.html
func NewNAdam(params Params, options ...NAdamOptions) *Optimizer {
	return newOptimizer(nadam, params, given("NewNAdam", torch.Only(options)))
}

func stepNAdam(b *batch) {
	o := b.group.options
	lr, weightDecay := o.num("lr"), o.float("weight_decay")
	beta1, beta2 := o.pair("betas")
	step, decay := b.scalar("step").v, o.float("momentum_decay")
	if o.bool("decoupled_weight_decay") {
		b.decay(lr, weightDecay)
		weightDecay = 0
	}
	grads, avg, square := b.gradients(weightDecay), b.state("exp_avg"), b.state("exp_avg_sq")

	mu := float64(beta1 * (1 - 0.5*libm.Pow(0.96, step*decay))) // the conversions forbid fused multiply-adds, whose last bits differ
	next := beta1 * (1 - 0.5*libm.Pow(0.96, (step+1)*decay))
	product := float64(b.scalar("mu_product").mul(float(mu)).v)
	b.setScalar("mu_product", product)

	b.by(opLerp_, 1-beta1, avg, grads)
	b.by(opMulScalar_, beta2, square)
	b.by(opAddcmul_, 1-beta2, square, grads, grads)
	correction := 1 - libm.Pow(beta2, step)
	var denom []*torch.Tensor
	if b.multi {
		denom = b.keep(b.of(opSqrt, square))
		b.by(opDivScalar_, libm.Pow(correction, 0.5), denom)
		lr = float(lr.v)
	} else {
		denom = b.keep(b.ofBy(opDivScalar, correction, square))
		b.do(opSqrt_, denom)
	}
	b.by(opAddScalar_, o.float("eps"), denom)
	b.by(opAddcdiv_, lr.neg().mul(float(1-mu)).div(float(1-product)).v, b.params, grads, denom)
	b.by(opAddcdiv_, lr.neg().mul(float(next)).div(float(1-float64(product*next))).v, b.params, avg, denom)
}
