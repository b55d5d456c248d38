package optim

import "github.com/torchhub/torchhub/torch"

// RpropOptions are the options of [NewRprop].
type RpropOptions struct {
	LR        Number    // the first step size, which may be a tensor; nil is 0.01
	Etas      []float64 // by which a step size is multiplied where the gradient changes its sign, and where it does not; nil is 0.5, 1.2
	StepSizes []float64 // the smallest and the largest; nil is 1e-6, 50
	Foreach   *bool     // whether operators take all parameters at once; nil is true on GPUs
	Maximize  bool      // maximizes the loss
}

var rprop = &rule{
	name: "Rprop",
	defaults: dict{
		{"lr", 1e-2}, {"etas", torch.Tuple{0.5, 1.2}}, {"step_sizes", torch.Tuple{1e-6, 50}},
		{"foreach", nil}, {"maximize", false}, {"differentiable", false}, {"capturable", false},
	},
	later: []string{"foreach", "maximize", "differentiable", "capturable"},
	check: func(o dict) {
		c := checks{"NewRprop", o}
		c.atLeast("lr", "the learning rate", 0)
		if minus, plus := c.two("etas", "Etas"); !(minus > 0 && minus < 1 && plus > 1) {
			fail(c.op, "Etas are %v and %v; the first must be between 0 and 1 and the second above 1", minus, plus)
		}
		c.two("step_sizes", "StepSizes")
	},
	parts: always("step", "prev", "step_size"),
	begin: func(key string, o dict, p, grad *torch.Tensor) torch.Value {
		if key == "step_size" {
			return filled(grad, p, o.float("lr"))
		}
		return nil
	},
	step: stepRprop,
}

// NewRprop makes an optimizer by resilient backpropagation: torch.optim.Rprop(params).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Rprop.html
func NewRprop(params Params, options ...RpropOptions) *Optimizer {
	return newOptimizer(rprop, params, given("NewRprop", torch.Only(options)))
}

func stepRprop(b *batch) {
	o := b.group.options
	minus, plus := o.pair("etas")
	smallest, largest := o.pair("step_sizes")
	grads, prev, size := b.gradients(0), b.state("prev"), b.state("step_size")
	for i, p := range b.params {
		sign := grads[i].Mul(prev[i]).Then((*torch.Tensor).Sign)
		fill := func(x, mask *torch.Tensor, v float64) {
			x.MaskedFillInPlace(mask, v)
			mask.Free()
		}
		fill(sign, sign.GtScalar(0), plus)
		fill(sign, sign.LtScalar(0), minus)
		fill(sign, sign.EqScalar(0), 1)
		size[i].MulInPlace(sign).ClampInPlace(smallest, largest)
		prev[i].CopyInPlace(grads[i])
		fill(prev[i], sign.EqScalar(minus), 0)
		direction := prev[i].Sign()
		p.AddcmulInPlace(direction, size[i], torch.AddcmulOptions{Value: -1})
		free([]*torch.Tensor{sign, direction})
	}
}
