package optim

import (
	"math"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

// SparseAdamOptions are the options of [NewSparseAdam].
type SparseAdamOptions struct {
	LR       Number    // the learning rate, which may be a tensor, above 0; nil is 0.001
	Betas    []float64 // of the running means of the gradient and of its square; nil is 0.9, 0.999
	Eps      Number    // added to the denominator, above 0; nil is 1e-8
	Maximize bool      // maximizes the loss
}

var sparseAdam = &rule{
	name:     "SparseAdam",
	defaults: dict{{"lr", 1e-3}, {"betas", torch.Tuple{0.9, 0.999}}, {"eps", 1e-8}, {"maximize", false}},
	later:    []string{"maximize"},
	check: func(o dict) {
		c := checks{"NewSparseAdam", o}
		c.above("lr", "the learning rate", 0)
		c.above("eps", "the term eps, which is added to the denominator,", 0)
		c.betas()
	},
	param: func(p *torch.Tensor) {
		needsReal("SparseAdam", p)
		if p.Layout() != torch.Strided {
			fail("NewSparseAdam", "a parameter is sparse; only gradients can be")
		}
	},
	sparse: true,
	parts:  always("step", "exp_avg", "exp_avg_sq"),
	begin: func(key string, _ dict, _, _ *torch.Tensor) torch.Value {
		if key == "step" {
			return new(scalar) // a Python int
		}
		return nil
	},
	step: stepSparseAdam,
}

// NewSparseAdam makes an optimizer by Adam of the elements that sparse gradients have:
// torch.optim.SparseAdam(params). It takes no others.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.SparseAdam.html
func NewSparseAdam(params Params, options ...SparseAdamOptions) *Optimizer {
	return newOptimizer(sparseAdam, params, given("NewSparseAdam", torch.Only(options)))
}

func stepSparseAdam(b *batch) {
	o := b.group.options
	beta1, beta2 := o.pair("betas")
	eps, step := o.float("eps"), b.scalar("step").v
	rate := o.num("lr").mul(float(math.Sqrt(1 - libm.Pow(beta2, step)))).div(float(1 - libm.Pow(beta1, step))).neg().v
	for _, g := range b.grads {
		if g.Layout() != torch.Sparse {
			fail("Step", "a gradient is dense, which SparseAdam does not support; Adam does")
		}
	}
	grads, avg, square := b.gradients(0), b.state("exp_avg"), b.state("exp_avg_sq")
	for i, p := range b.params {
		torch.Scope(func() {
			s := newSparse(grads[i])
			if s.values.Numel() == 0 {
				return
			}
			oldAvg := s.valuesOf(avg[i])
			change := s.values.Sub(oldAvg).MulScalarInPlace(1 - beta1)
			avg[i].AddInPlace(s.with(change))
			oldSquare := s.valuesOf(square[i])
			squareChange := s.values.PowScalar(2).SubInPlace(oldSquare).MulScalarInPlace(1 - beta2)
			square[i].AddInPlace(s.with(squareChange))
			numer := change.AddInPlace(oldAvg)
			denom := squareChange.AddInPlace(oldSquare).SqrtInPlace().AddScalarInPlace(eps)
			p.AddInPlace(s.with(numer.DivInPlace(denom).MulScalar(rate)))
		})
	}
}
