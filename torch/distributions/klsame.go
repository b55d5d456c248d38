package distributions

import (
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// The divergences of two distributions of one kind.
func init() {
	RegisterKL(klBernoulli)
	RegisterKL(klBeta)
	RegisterKL(klBinomial)
	RegisterKL(klCategorical)
	RegisterKL(klCauchy)
	RegisterKL(klContinuousBernoulli)
	RegisterKL(klDirichlet)
	RegisterKL(klExponential)
	RegisterKL(klGamma)
	RegisterKL(klGeometric)
	RegisterKL(klGumbel)
	RegisterKL(func(p, q *HalfNormal) *torch.Tensor { return klNormal(p.normal(), q.normal()) })
	RegisterKL(klIndependent)
	RegisterKL(klLaplace)
	RegisterKL(klNormal)
	RegisterKL(func(p, q *OneHotCategorical) *torch.Tensor { return klCategorical(p.categorical, q.categorical) })
	RegisterKL(klPareto)
	RegisterKL(klPoisson)
	RegisterKL(klTransformed)
	RegisterKL(klUniform)
	RegisterKL(func(p, q *Wishart) *torch.Tensor { return familyKL(p, q) })
}

var inf = math.Inf(1)

func klBernoulli(p, q *Bernoulli) *torch.Tensor {
	a, b := p.Probs(), q.Probs()
	t1 := a.Mul(F.Softplus(q.Logits().Neg()).Sub(F.Softplus(p.Logits().Neg())))
	t1 = t1.MaskedFill(b.EqScalar(0), inf).MaskedFill(a.EqScalar(0), 0)
	t2 := a.RSubScalar(1).Mul(F.Softplus(q.Logits()).Sub(F.Softplus(p.Logits())))
	t2 = t2.MaskedFill(b.EqScalar(1), inf).MaskedFill(a.EqScalar(1), 0)
	return t1.Add(t2)
}

func klBeta(p, q *Beta) *torch.Tensor {
	p1, p0, q1, q0 := p.Concentration1(), p.Concentration0(), q.Concentration1(), q.Concentration0()
	ps, qs := p1.Add(p0), q1.Add(q0)
	t1 := q1.Lgamma().Add(q0.Lgamma()).Add(ps.Lgamma())
	t2 := p1.Lgamma().Add(p0.Lgamma()).Add(qs.Lgamma())
	t3 := p1.Sub(q1).Mul(p1.Digamma())
	t4 := p0.Sub(q0).Mul(p0.Digamma())
	t5 := qs.Sub(ps).Mul(ps.Digamma())
	return t1.Sub(t2).Add(t3).Add(t4).Add(t5)
}

func klBinomial(p, q *Binomial) *torch.Tensor {
	if torch.Item[bool](p.TotalCount.Lt(q.TotalCount).Any()) {
		notImplemented("KL", "of binomial distributions the total count of q must not be greater than that of p")
	}
	kl := p.TotalCount.Mul(p.Probs().Mul(p.Logits().Sub(q.Logits())).Add(p.Probs().Neg().Log1p()).Sub(q.Probs().Neg().Log1p()))
	return kl.MaskedFill(p.TotalCount.Gt(q.TotalCount), inf)
}

func klCategorical(p, q *Categorical) *torch.Tensor {
	t := p.Probs().Mul(p.Logits().Sub(q.Logits()))
	return t.MaskedFill(q.Probs().EqScalar(0), inf).MaskedFill(p.Probs().EqScalar(0), 0).Sum(-1)
}

func klCauchy(p, q *Cauchy) *torch.Tensor {
	t1 := p.Scale.Add(q.Scale).PowScalar(2).Add(p.Loc.Sub(q.Loc).PowScalar(2)).Log()
	return t1.Sub(p.Scale.MulScalar(4).Mul(q.Scale).Log())
}

func klContinuousBernoulli(p, q *ContinuousBernoulli) *torch.Tensor {
	t1 := p.Mean().Mul(p.Logits().Sub(q.Logits()))
	t2 := p.logNorm().Add(p.Probs().Neg().Log1p())
	t3 := q.logNorm().Neg().Sub(q.Probs().Neg().Log1p())
	return t1.Add(t2).Add(t3)
}

func klDirichlet(p, q *Dirichlet) *torch.Tensor {
	ps, qs := p.Concentration.Sum(-1), q.Concentration.Sum(-1)
	t1 := ps.Lgamma().Sub(qs.Lgamma())
	t2 := p.Concentration.Lgamma().Sub(q.Concentration.Lgamma()).Sum(-1)
	t3 := p.Concentration.Sub(q.Concentration)
	t4 := p.Concentration.Digamma().Sub(ps.Digamma().Unsqueeze(-1))
	return t1.Sub(t2).Add(t3.Mul(t4).Sum(-1))
}

func klExponential(p, q *Exponential) *torch.Tensor {
	ratio := q.Rate.Div(p.Rate)
	return ratio.Log().Neg().Add(ratio).SubScalar(1)
}

func klGamma(p, q *Gamma) *torch.Tensor {
	t1 := q.Concentration.Mul(p.Rate.Div(q.Rate).Log())
	t2 := q.Concentration.Lgamma().Sub(p.Concentration.Lgamma())
	t3 := p.Concentration.Sub(q.Concentration).Mul(p.Concentration.Digamma())
	t4 := q.Rate.Sub(p.Rate).Mul(p.Concentration.Div(p.Rate))
	return t1.Add(t2).Add(t3).Add(t4)
}

func klGeometric(p, q *Geometric) *torch.Tensor {
	return p.Entropy().Neg().Sub(q.Probs().Neg().Log1p().Div(p.Probs())).Sub(q.Logits())
}

func klGumbel(p, q *Gumbel) *torch.Tensor {
	ratio, a, b := p.Scale.Div(q.Scale), q.Loc.Div(q.Scale), p.Loc.Div(q.Scale)
	t1 := ratio.Log().Neg().Sub(a).Add(b)
	t3 := a.Add(ratio.AddScalar(1).Lgamma()).Sub(b).Exp()
	return t1.Add(ratio.MulScalar(eulerGamma)).Add(t3).SubScalar(1 + eulerGamma)
}

func klIndependent(p, q *Independent) *torch.Tensor {
	if p.ReinterpretedBatchNdims != q.ReinterpretedBatchNdims {
		notImplemented("KL", "the two Independent have different ReinterpretedBatchNdims")
	}
	return sumRightmost(KL(p.Base, q.Base), p.ReinterpretedBatchNdims)
}

func klLaplace(p, q *Laplace) *torch.Tensor {
	ratio, distance := p.Scale.Div(q.Scale), p.Loc.Sub(q.Loc).Abs()
	t3 := ratio.Mul(distance.Neg().Div(p.Scale).Exp())
	return ratio.Log().Neg().Add(distance.Div(q.Scale)).Add(t3).SubScalar(1)
}

func klNormal(p, q *Normal) *torch.Tensor {
	ratio := p.Scale.Div(q.Scale).PowScalar(2)
	t1 := p.Loc.Sub(q.Loc).Div(q.Scale).PowScalar(2)
	return ratio.Add(t1).SubScalar(1).Sub(ratio.Log()).MulScalar(0.5)
}

func klPareto(p, q *Pareto) *torch.Tensor {
	ratio := q.Alpha.Div(p.Alpha)
	t1 := q.Alpha.Mul(p.Scale.Div(q.Scale).Log())
	kl := t1.Add(ratio.Log().Neg()).Add(ratio).SubScalar(1)
	return kl.MaskedFill(p.Scale.Lt(q.Scale), inf)
}

func klPoisson(p, q *Poisson) *torch.Tensor {
	return p.Rate.Mul(p.Rate.Log().Sub(q.Rate.Log())).Sub(p.Rate.Sub(q.Rate))
}

func klTransformed(p, q *TransformedDistribution) *torch.Tensor {
	if !equalAll(p.Transforms, q.Transforms) || !slices.Equal(p.eventShape, q.eventShape) {
		notImplemented("KL", "the two distributions have different transforms or shapes of events")
	}
	return KL(p.Base, q.Base)
}

func klUniform(p, q *Uniform) *torch.Tensor {
	kl := q.width().Div(p.width()).Log()
	return kl.MaskedFill(q.Low.Gt(p.Low).LogicalOr(q.High.Lt(p.High)), inf)
}
