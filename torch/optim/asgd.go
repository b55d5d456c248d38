package optim

import (
	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

// ASGDOptions are the options of [NewASGD].
type ASGDOptions struct {
	LR          Number // the learning rate, which may be a tensor; nil is 0.01
	Lambd       Number // decay; nil is 1e-4
	Alpha       Number // the power by which the learning rate falls; nil is 0.75
	T0          Number // the step at which averaging begins; nil is 1e6
	WeightDecay Number // L2 penalty; nil is 0
	Foreach     *bool  // whether operators take all parameters at once, with other rounding errors; nil is true on GPUs
	Maximize    bool   // maximizes the loss
}

var asgd = &rule{
	name: "ASGD",
	defaults: dict{
		{"lr", 1e-2}, {"lambd", 1e-4}, {"alpha", 0.75}, {"t0", 1e6}, {"weight_decay", 0},
		{"foreach", nil}, {"maximize", false}, {"differentiable", false}, {"capturable", false},
	},
	later:   []string{"foreach", "maximize", "differentiable", "capturable"},
	late:    true,
	scalars: []string{"eta", "mu"},
	check: func(o dict) {
		c := checks{"NewASGD", o}
		c.rates()
		c.atLeast("lambd", "Lambd", 0)
		c.atLeast("alpha", "Alpha", 0)
	},
	parts: always("step", "eta", "mu", "ax"),
	begin: func(key string, o dict, p, _ *torch.Tensor) torch.Value {
		if key == "ax" {
			return nil
		}
		s := newScalar(map[string]float64{"eta": o.float("lr"), "mu": 1}[key])
		s.device = p.Device()
		return s
	},
	step: stepASGD,
}

// NewASGD makes an optimizer by averaged stochastic gradient descent: torch.optim.ASGD(params).
// The averages are the tensors "ax" of [Optimizer.State].
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.ASGD.html
func NewASGD(params Params, options ...ASGDOptions) *Optimizer {
	return newOptimizer(asgd, params, given("NewASGD", torch.Only(options)))
}

func stepASGD(b *batch) {
	o := b.group.options
	lr, lambd, alpha := o.num("lr"), o.float("lambd"), o.float("alpha")
	eta, mu, step := b.scalar("eta").v, b.scalar("mu").v, b.scalar("step")
	grads, means := b.gradients(o.float("weight_decay")), b.state("ax")
	if b.multi {
		if o.float("weight_decay") == 0 {
			grads = b.keep(b.ofBy(opAddList, lambd, grads, b.params))
		} else {
			b.by(opAddList_, lambd, grads, b.params)
		}
		etas := b.tensors(eta)
		b.by(opAddcmul_, -1, b.params, grads, etas)
		diff := b.keep(b.of(opSubList, b.params, means))
		b.by(opAddcmul_, 1, means, diff, b.tensors(mu))
	} else {
		b.by(opMulScalar_, 1-float64(lambd*eta), b.params)
		b.by(opAddList_, -eta, b.params, grads)
		b.average(means, mu)
	}
	if !b.multi { // which computes with tensors here
		step.dtype = 0
	}
	standard := torch.DefaultDType() // of the tensors that PyTorch makes of these numbers first
	b.setScalar("eta", round(standard, nextEta(lr, lambd, alpha, step)))
	b.setScalar("mu", round(standard, 1/max(1, step.v-o.float("t0"))))
}

// average moves the means towards the parameters.
func (b *batch) average(means []*torch.Tensor, mu float64) {
	if mu == 1 {
		for i, m := range means {
			m.CopyInPlace(b.params[i])
		}
		return
	}
	diff := b.keep(b.of(opSubList, b.params, means))
	b.by(opMulScalar_, mu, diff)
	b.by(opAddList_, 1, means, diff)
}

// tensors returns a tensor of no dimensions for each parameter.
func (b *batch) tensors(v float64) []*torch.Tensor {
	x := torch.Options{DType: b.scalar("eta").dtype, Device: b.device}.Full(v)
	b.made = append(b.made, x)
	out := make([]*torch.Tensor, len(b.params))
	for i := range out {
		out[i] = x
	}
	return out
}

// nextEta returns lr / (1 + lambd*lr*step)**alpha.
func nextEta(lr num, lambd, alpha float64, step num) float64 {
	base := float(1).add(float(lambd).mul(lr).mul(step))
	if base.dtype == 0 {
		return lr.v / libm.Pow(base.v, alpha)
	}
	x := torch.Options{DType: base.dtype, Device: torch.CPU}.Full(base.v)
	defer x.Free()
	y := x.PowScalar(alpha)
	defer y.Free()
	return lr.div(tensorNum(y)).v
}
