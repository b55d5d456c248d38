package optim

import (
	"math"
	"slices"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
)

// AdafactorOptions are the options of [NewAdafactor].
type AdafactorOptions struct {
	LR          Number // the largest learning rate, which may be a tensor; nil is 0.01
	Beta2Decay  Number `torch:"beta2_decay"` // the power by which the second moment decays, at most 0; nil is -0.8
	Eps1        Number // eps[0], the least root of a mean of squares; nil is the distance from 1 to the next number of the parameter's dtype
	Eps2        Number // eps[1], the least scale of a parameter; nil is 0.001
	D           Number // the root mean square to which steps are clipped, at least 1; nil is 1
	WeightDecay Number // nil is 0
	Foreach     *bool  // whether operators take all parameters at once, with other rounding errors; nil is false
	Maximize    bool   // maximizes the loss
}

var adafactor = &rule{
	name: "Adafactor",
	defaults: dict{
		{"lr", 1e-2}, {"beta2_decay", -0.8}, {"eps", torch.Tuple{nil, 1e-3}}, {"d", 1.0}, {"weight_decay", 0.0}, {"foreach", nil}, {"maximize", false},
	},
	later: []string{"foreach"},
	join:  joinEps,
	check: func(o dict) {
		c := checks{"NewAdafactor", o}
		c.atLeast("lr", "the learning rate", 0)
		if v := o.float("beta2_decay"); !(v <= 0) {
			fail(c.op, "Beta2Decay is %v; it must be at most 0", v)
		}
		for i, v := range o.get("eps").(torch.Tuple) {
			if n, ok := numOf(v); ok && !(n.v >= 0) {
				fail(c.op, "Eps%d is %v; it must be at least 0", i+1, n.v)
			}
		}
		c.atLeast("d", "the clipping threshold D", 1)
		c.atLeast("weight_decay", "the weight decay", 0)
	},
	parts: func(_ dict, p *torch.Tensor) []string {
		if p.Dim() > 1 {
			return []string{"step", "row_var", "col_var"}
		}
		return []string{"step", "variance"}
	},
	begin: func(key string, _ dict, _, grad *torch.Tensor) torch.Value {
		shape := grad.Shape()
		switch key {
		case "row_var":
			shape[len(shape)-1] = 1
		case "col_var":
			shape[len(shape)-2] = 1
		default:
			return nil
		}
		return torch.Options{DType: grad.DType(), Device: grad.Device()}.Zeros(shape...)
	},
	param: func(p *torch.Tensor) { needsReal("Adafactor", p) },
	step:  stepAdafactor,
}

// NewAdafactor makes an optimizer whose state is smaller than the parameters:
// torch.optim.Adafactor(params).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Adafactor.html
func NewAdafactor(params Params, options ...AdafactorOptions) *Optimizer {
	return newOptimizer(adafactor, params, given("NewAdafactor", torch.Only(options)))
}

// joinEps joins the two parts of the option eps that are set.
func joinEps(options, defaults dict) (joined dict) {
	eps := slices.Clone(defaults.get("eps").(torch.Tuple))
	for _, e := range options {
		switch e.key {
		case "eps1":
			eps[0] = e.value
		case "eps2":
			eps[1] = e.value
		default:
			joined = append(joined, e)
			continue
		}
		joined.set("eps", eps)
	}
	return joined
}

func stepAdafactor(b *batch) {
	o := b.group.options
	lr, d, weightDecay, step := o.num("lr"), o.float("d"), o.float("weight_decay"), b.scalar("step").v
	eps := o.get("eps").(torch.Tuple)
	eps1, given := numOf(eps[0])
	if !given { // that of the first parameter holds for all
		eps1 = float(machineEpsilon(b.first().DType()))
	}
	eps2, _ := numOf(eps[1])
	weight := libm.Pow(step, o.float("beta2_decay"))
	rho := minNum(lr, float(1/libm.Pow(step, 0.5)))
	decay := float(1).sub(lr.mul(float(weightDecay))).v
	grads := b.gradients(0)
	for i, p := range b.params {
		g := grads[i]
		alpha := maxNum(eps2, float(rms(p))).mul(rho)
		if weightDecay != 0 {
			p.MulScalarInPlace(decay)
		}
		update := b.only(i).estimate(g, weight, eps1.v)
		update.ClampMinInPlace(eps1.v * eps1.v).RsqrtInPlace().MulInPlace(g)
		denom := max(1, norm(update)/(libm.Pow(float64(update.Numel()), 0.5)*d))
		rate := alpha.neg().div(float(denom)).v
		if b.multi {
			p.AddInPlace(update.MulScalarInPlace(rate))
		} else {
			p.AddInPlace(update, torch.AddOptions{Alpha: rate})
		}
		update.Free()
	}
}

// first returns the first parameter of the group that has a state.
func (b *batch) first() *torch.Tensor {
	for i, s := range b.group.states {
		if s != nil {
			return b.group.params[i]
		}
	}
	return b.params[0]
}

// estimate updates the moments of the only parameter and returns an estimate of its
// gradient's variance.
func (b *batch) estimate(g *torch.Tensor, weight, eps float64) *torch.Tensor {
	s := b.states[0]
	if v, ok := s.get("variance").(*torch.Tensor); ok {
		square := g.Mul(g)
		v.LerpInPlace(square, weight)
		square.Free()
		return v.Clone()
	}
	row, col := b.state("row_var")[0], b.state("col_var")[0]
	for i, v := range []*torch.Tensor{row, col} {
		dim := -1 - i
		mean := aten.LinalgVectorNorm(g, 2, []int{dim}, true, 0)
		mean.SquareInPlace().DivScalarInPlace(float64(g.Size(dim)))
		v.LerpInPlace(mean, weight)
		mean.Free()
	}
	mean := row.MeanDim(-2, torch.MeanOptions{KeepDim: true}).ClampMinInPlace(eps)
	defer mean.Free()
	return row.MatMul(col).DivInPlace(mean)
}

// norm returns x.norm(2).item().
func norm(x *torch.Tensor) float64 {
	n := vectorNorm(x)
	defer n.Free()
	return n.Item()
}

func vectorNorm(x *torch.Tensor) *torch.Tensor {
	dims := make([]int, x.Dim())
	for i := range dims {
		dims[i] = i
	}
	return aten.LinalgVectorNorm(x, 2, dims, false, 0)
}

// rms returns the root mean square of x.
func rms(x *torch.Tensor) float64 { return norm(x) / libm.Pow(float64(x.Numel()), 0.5) }

// machineEpsilon returns torch.finfo(d).eps.
func machineEpsilon(d torch.DType) float64 {
	switch d {
	case torch.Float64:
		return math.Nextafter(1, 2) - 1
	case torch.Float16:
		return 1.0 / (1 << 10)
	case torch.BFloat16:
		return 1.0 / (1 << 7)
	}
	return 1.0 / (1 << 23)
}
