package optim

import "github.com/torchhub/torchhub/torch"

// AdadeltaOptions are the options of [NewAdadelta].
type AdadeltaOptions struct {
	LR          Number // the learning rate, which may be a tensor; nil is 1
	Rho         Number // of the running means of squares; nil is 0.9
	Eps         Number // added to squares before roots are taken; nil is 1e-6
	WeightDecay Number // L2 penalty; nil is 0
	Foreach     *bool  // whether operators take all parameters at once; nil is true on GPUs
	Maximize    bool   // maximizes the loss
}

var adadelta = &rule{
	name: "Adadelta",
	defaults: dict{
		{"lr", 1.0}, {"rho", 0.9}, {"eps", 1e-6}, {"weight_decay", 0}, {"maximize", false},
		{"capturable", false}, {"foreach", nil}, {"differentiable", false},
	},
	later: []string{"foreach", "maximize", "differentiable", "capturable"},
	check: func(o dict) {
		c := checks{"NewAdadelta", o}
		c.rates()
		if rho := o.float("rho"); !(rho >= 0 && rho <= 1) {
			fail(c.op, "Rho is %v; it must be between 0 and 1", rho)
		}
	},
	parts: always("step", "square_avg", "acc_delta"),
	step:  stepAdadelta,
}

// NewAdadelta makes an optimizer with adaptive learning rates: torch.optim.Adadelta(params).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Adadelta.html
func NewAdadelta(params Params, options ...AdadeltaOptions) *Optimizer {
	return newOptimizer(adadelta, params, given("NewAdadelta", torch.Only(options)))
}

func stepAdadelta(b *batch) {
	o := b.group.options
	rho, eps := o.float("rho"), o.float("eps")
	grads, square, acc := b.gradients(o.float("weight_decay")), b.state("square_avg"), b.state("acc_delta")
	b.by(opMulScalar_, rho, square)
	b.by(opAddcmul_, 1-rho, square, grads, grads)
	std := b.keep(b.ofBy(opAddScalar, eps, square))
	b.do(opSqrt_, std)
	delta := b.keep(b.ofBy(opAddScalar, eps, acc))
	b.do(opSqrt_, delta)
	b.do(opDivList_, delta, std)
	b.do(opMulList_, delta, grads)
	b.by(opMulScalar_, rho, acc)
	b.by(opAddcmul_, 1-rho, acc, delta, delta)
	params := b.params
	if b.complex && !b.multi { // which rounds otherwise
		params = b.whole[0]
		for i, d := range delta {
			delta[i] = d.ViewAsComplex()
		}
		b.keep(delta)
	}
	b.by(opAddList_, -o.float("lr"), params, delta)
}
