package optim

import (
	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

// AdamOptions are the options of [NewAdam].
type AdamOptions struct {
	LR                   Number    // the learning rate, which may be a tensor; nil is 0.001
	Betas                []float64 // of the running means of the gradient and of its square; nil is 0.9, 0.999
	Eps                  Number    // added to the denominator; nil is 1e-8
	WeightDecay          Number    // nil is 0
	AMSGrad              bool      `torch:"amsgrad"` // the variant of "On the Convergence of Adam and Beyond"
	Foreach              *bool     // whether operators take all parameters at once; nil is true on GPUs
	Maximize             bool      // maximizes the loss
	Fused                *bool     // whether one operator makes the whole step, with other rounding errors; nil is false
	DecoupledWeightDecay bool      // as AdamW does it, in place of an L2 penalty
}

// AdamWOptions are the options of [NewAdamW].
type AdamWOptions struct {
	LR          Number    // the learning rate, which may be a tensor; nil is 0.001
	Betas       []float64 // of the running means of the gradient and of its square; nil is 0.9, 0.999
	Eps         Number    // added to the denominator; nil is 1e-8
	WeightDecay Number    // nil is 0.01
	AMSGrad     bool      `torch:"amsgrad"` // the variant of "On the Convergence of Adam and Beyond"
	Maximize    bool      // maximizes the loss
	Foreach     *bool     // whether operators take all parameters at once; nil is true on GPUs
	Fused       *bool     // whether one operator makes the whole step, with other rounding errors; nil is false
}

// NewAdam makes an optimizer by adaptive moment estimation: torch.optim.Adam(params).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html
func NewAdam(params Params, options ...AdamOptions) *Optimizer {
	return newOptimizer(adam, params, given("NewAdam", torch.Only(options)))
}

// NewAdamW makes an optimizer by Adam with decoupled weight decay: torch.optim.AdamW(params).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
func NewAdamW(params Params, options ...AdamWOptions) *Optimizer {
	return newOptimizer(adamW, params, given("NewAdamW", torch.Only(options)))
}

var (
	adam  = adamRule("Adam", 0, false)
	adamW = adamRule("AdamW", 1e-2, true)
)

func adamRule(name string, weightDecay Number, decoupled bool) *rule {
	return &rule{
		name: name,
		defaults: dict{
			{"lr", 1e-3}, {"betas", torch.Tuple{0.9, 0.999}}, {"eps", 1e-8}, {"weight_decay", weightDecay}, {"amsgrad", false}, {"maximize", false},
			{"foreach", nil}, {"capturable", false}, {"differentiable", false}, {"fused", nil}, {"decoupled_weight_decay", decoupled},
		},
		later: []string{"amsgrad", "maximize", "foreach", "capturable", "differentiable", "decoupled_weight_decay", "fused"},
		check: func(o dict) {
			c := checks{"New" + name, o}
			c.rates()
			c.betas()
			c.paths()
			if _, ok := o.get("lr").(*torch.Tensor); ok && o.bool("foreach") {
				fail(c.op, "the learning rate is a tensor, which the foreach implementation does not take; turn off Foreach")
			}
		},
		dense: "; SparseAdam does",
		parts: func(o dict, _ *torch.Tensor) []string {
			if o.bool("amsgrad") {
				return []string{"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}
			}
			return []string{"step", "exp_avg", "exp_avg_sq"}
		},
		step: stepAdam,
	}
}

func stepAdam(b *batch) {
	o := b.group.options
	if b.fused {
		fusedAdam(b, o)
		return
	}
	lr, weightDecay := o.num("lr"), o.float("weight_decay")
	beta1, beta2 := o.pair("betas")
	if o.bool("decoupled_weight_decay") {
		b.decay(lr, weightDecay)
		weightDecay = 0
	}
	grads := b.gradients(weightDecay)
	avg, square := b.state("exp_avg"), b.state("exp_avg_sq")
	b.by(opLerp_, 1-beta1, avg, grads)
	b.by(opMulScalar_, beta2, square)
	b.by(opAddcmul_, 1-beta2, square, grads, grads)
	step := b.scalar("step").v
	correction1, correction2 := 1-libm.Pow(beta1, step), 1-libm.Pow(beta2, step)
	if o.bool("amsgrad") {
		most := b.state("max_exp_avg_sq")
		b.maximum(most, square)
		square = most
	}
	denom := b.keep(b.of(opSqrt, square))
	b.by(opDivScalar_, libm.Pow(correction2, 0.5), denom)
	b.by(opAddScalar_, o.float("eps"), denom)
	b.by(opAddcdiv_, lr.div(float(correction1)).neg().v, b.params, avg, denom)
}

// decay multiplies the parameters by 1 - lr * weightDecay, unless there is no decay.
func (b *batch) decay(lr num, weightDecay float64) {
	if weightDecay != 0 {
		b.by(opMulScalar_, float(1).sub(lr.mul(float(weightDecay))).v, b.params)
	}
}

var (
	opFusedAdam          = torch.NewOp("aten::_fused_adam_", "")
	opFusedAdamTensorLR  = torch.NewOp("aten::_fused_adam_", "tensor_lr")
	opFusedAdamW         = torch.NewOp("aten::_fused_adamw_", "")
	opFusedAdamWTensorLR = torch.NewOp("aten::_fused_adamw_", "tensor_lr")
)

func fusedAdam(b *batch, o dict) {
	b.dense()
	beta1, beta2 := o.pair("betas")
	steps := b.state("step")
	lists{true}.by(opAddScalar_, 1, steps)
	var most []*torch.Tensor
	if o.bool("amsgrad") {
		most = b.state("max_exp_avg_sq")
	}
	number, tensor := opFusedAdam, opFusedAdamTensorLR
	if o.bool("decoupled_weight_decay") {
		number, tensor = opFusedAdamW, opFusedAdamWTensorLR
	}
	var c torch.Call
	c.Tensors(b.params)
	c.Tensors(b.grads)
	c.Tensors(b.state("exp_avg"))
	c.Tensors(b.state("exp_avg_sq"))
	c.Tensors(most)
	c.Tensors(steps)
	op := addRate(&c, o, number, tensor)
	c.Float(beta1)
	c.Float(beta2)
	c.Float(o.float("weight_decay"))
	c.Float(o.float("eps"))
	c.Bool(o.bool("amsgrad"))
	c.Bool(o.bool("maximize"))
	c.Do(op)
}
