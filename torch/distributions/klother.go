package distributions

import (
	"math"

	"github.com/torchhub/torchhub/torch"
)

// The divergences of distributions of two kinds.
func init() {
	RegisterKL(klBernoulliPoisson)
	RegisterKL(klBetaContinuousBernoulli)
	RegisterKL(klBetaExponential)
	RegisterKL(klBetaGamma)
	RegisterKL(klBetaNormal)
	RegisterKL(klBetaUniform)
	RegisterKL(klContinuousBernoulliExponential)
	RegisterKL(klContinuousBernoulliNormal)
	RegisterKL(klContinuousBernoulliUniform)
	RegisterKL(klExponentialGamma)
	RegisterKL(klExponentialGumbel)
	RegisterKL(klExponentialNormal)
	RegisterKL(klGammaExponential)
	RegisterKL(klGammaGumbel)
	RegisterKL(klGammaNormal)
	RegisterKL(klGumbelNormal)
	RegisterKL(klLaplaceNormal)
	RegisterKL(klNormalGumbel)
	RegisterKL(klNormalLaplace)
	RegisterKL(klParetoExponential)
	RegisterKL(klParetoGamma)
	RegisterKL(klParetoNormal)
	RegisterKL(klUniformBeta)
	RegisterKL(klUniformContinuousBernoulli)
	RegisterKL(klUniformExponential)
	RegisterKL(klUniformGamma)
	RegisterKL(klUniformGumbel)
	RegisterKL(klUniformNormal)
	RegisterKL(klUniformPareto)
}

// xlogx returns x log x, which is 0 at 0.
func xlogx(x *torch.Tensor) *torch.Tensor { return x.Xlogy(x) }

func klBernoulliPoisson(p *Bernoulli, q *Poisson) *torch.Tensor {
	return p.Entropy().Neg().Sub(p.Probs().Mul(q.Rate.Log()).Sub(q.Rate))
}

func klBetaContinuousBernoulli(p *Beta, q *ContinuousBernoulli) *torch.Tensor {
	return p.Entropy().Neg().Sub(p.Mean().Mul(q.Logits())).Sub(q.Probs().Neg().Log1p()).Sub(q.logNorm())
}

func klBetaExponential(p *Beta, q *Exponential) *torch.Tensor {
	return p.Entropy().Neg().Sub(q.Rate.Log()).Add(q.Rate.Mul(p.Mean()))
}

func klBetaGamma(p *Beta, q *Gamma) *torch.Tensor {
	sum := func() *torch.Tensor { return p.Concentration1().Add(p.Concentration0()) }
	t1 := p.Entropy().Neg()
	t2 := q.Concentration.Lgamma().Sub(q.Concentration.Mul(q.Rate.Log()))
	t3 := q.Concentration.SubScalar(1).Mul(p.Concentration1().Digamma().Sub(sum().Digamma()))
	t4 := q.Rate.Mul(p.Concentration1()).Div(sum())
	return t1.Add(t2).Sub(t3).Add(t4)
}

func klBetaNormal(p *Beta, q *Normal) *torch.Tensor {
	mean, v := p.Mean(), q.Scale.PowScalar(2)
	t1 := p.Entropy().Neg()
	t2 := v.MulScalar(2).MulScalar(math.Pi).Log().MulScalar(0.5)
	sum := p.Concentration1().Add(p.Concentration0()).AddScalar(1)
	t3 := mean.Mul(mean.RSubScalar(1)).Div(sum).Add(mean.PowScalar(2)).MulScalar(0.5)
	t4, t5 := q.Loc.Mul(mean), q.Loc.PowScalar(2).MulScalar(0.5)
	return t1.Add(t2).Add(t3.Sub(t4).Add(t5).Div(v))
}

func klBetaUniform(p *Beta, q *Uniform) *torch.Tensor {
	kl := p.Entropy().Neg().Add(q.width().Log())
	return kl.MaskedFill(q.Low.GtScalar(0.0).LogicalOr(q.High.LtScalar(1.0)), inf)
}

func klContinuousBernoulliExponential(p *ContinuousBernoulli, q *Exponential) *torch.Tensor {
	return p.Entropy().Neg().Sub(q.Rate.Log()).Add(q.Rate.Mul(p.Mean()))
}

func klContinuousBernoulliNormal(p *ContinuousBernoulli, q *Normal) *torch.Tensor {
	t1 := p.Entropy().Neg()
	t2 := q.Loc.Div(q.Scale).Square().AddScalar(log2Pi).MulScalar(0.5).Add(q.Scale.Log())
	t3 := p.Variance().Add(p.Mean().Square()).Sub(q.Loc.MulScalar(2.0).Mul(p.Mean())).Div(q.Scale.Square().MulScalar(2.0))
	return t1.Add(t2).Add(t3)
}

// klContinuousBernoulliUniform is infinite for intervals that begin at 0 or above, or end at
// 1 or below, as in PyTorch.
func klContinuousBernoulliUniform(p *ContinuousBernoulli, q *Uniform) *torch.Tensor {
	kl := p.Entropy().Neg().Add(q.width().Log())
	return kl.MaskedFill(q.Low.GeScalar(0.0).Maximum(q.High.LeScalar(1.0)), inf)
}

func klExponentialGamma(p *Exponential, q *Gamma) *torch.Tensor {
	ratio := q.Rate.Div(p.Rate)
	t1 := q.Concentration.Neg().Mul(ratio.Log())
	return t1.Add(ratio).Add(q.Concentration.Lgamma()).Add(q.Concentration.MulScalar(eulerGamma)).SubScalar(1 + eulerGamma)
}

func klExponentialGumbel(p *Exponential, q *Gumbel) *torch.Tensor {
	product, ratio := p.Rate.Mul(q.Scale), q.Loc.Div(q.Scale)
	t1 := product.Log().SubScalar(1)
	t2 := ratio.Exp().Mul(product).Div(product.AddScalar(1))
	return t1.Sub(ratio).Add(t2).Add(product.Reciprocal())
}

func klExponentialNormal(p *Exponential, q *Normal) *torch.Tensor {
	v, rates := q.Scale.PowScalar(2), p.Rate.PowScalar(2)
	t1 := rates.Mul(v).MulScalar(2).MulScalar(math.Pi).Log().MulScalar(0.5)
	t3, t4 := q.Loc.Div(p.Rate), q.Loc.PowScalar(2).MulScalar(0.5)
	return t1.SubScalar(1).Add(rates.Reciprocal().Sub(t3).Add(t4).Div(v))
}

func klGammaExponential(p *Gamma, q *Exponential) *torch.Tensor {
	return p.Entropy().Neg().Sub(q.Rate.Log()).Add(q.Rate.Mul(p.Concentration).Div(p.Rate))
}

func klGammaGumbel(p *Gamma, q *Gumbel) *torch.Tensor {
	a := p.Concentration
	product, ratio := p.Rate.Mul(q.Scale), q.Loc.Div(q.Scale)
	t1 := a.SubScalar(1).Mul(a.Digamma()).Sub(a.Lgamma()).Sub(a)
	t2 := product.Log().Add(a.Div(product))
	t3 := ratio.Exp().Mul(product.Reciprocal().AddScalar(1).Pow(a.Neg())).Sub(ratio)
	return t1.Add(t2).Add(t3)
}

func klGammaNormal(p *Gamma, q *Normal) *torch.Tensor {
	a, v, rates := p.Concentration, q.Scale.PowScalar(2), p.Rate.PowScalar(2)
	t1 := rates.Mul(v).MulScalar(2).MulScalar(math.Pi).Log().MulScalar(0.5).Sub(a).Sub(a.Lgamma())
	t2 := a.PowScalar(2).Add(a).MulScalar(0.5).Div(rates)
	t3, t4 := q.Loc.Mul(a).Div(p.Rate), q.Loc.PowScalar(2).MulScalar(0.5)
	return t1.Add(a.SubScalar(1).Mul(a.Digamma())).Add(t2.Sub(t3).Add(t4).Div(v))
}

func klGumbelNormal(p *Gumbel, q *Normal) *torch.Tensor {
	ratio := p.Scale.Div(q.Scale)
	t1 := ratio.DivScalar(2.5066282746310002).Log() // √(2π)
	t2 := ratio.MulScalar(math.Pi).MulScalar(0.5).PowScalar(2).DivScalar(3)
	t3 := p.Loc.Add(p.Scale.MulScalar(eulerGamma)).Sub(q.Loc).Div(q.Scale).PowScalar(2).MulScalar(0.5)
	return t1.Neg().Add(t2).Add(t3).SubScalar(eulerGamma + 1)
}

func klLaplaceNormal(p *Laplace, q *Normal) *torch.Tensor {
	v := q.Scale.PowScalar(2)
	ratio := p.Scale.PowScalar(2).Div(v)
	t1 := ratio.MulScalar(2).DivScalar(math.Pi).Log().MulScalar(0.5)
	t2, t3, t4 := p.Loc.PowScalar(2).MulScalar(0.5), p.Loc.Mul(q.Loc), q.Loc.PowScalar(2).MulScalar(0.5)
	return t1.Neg().Add(ratio).Add(t2.Sub(t3).Add(t4).Div(v)).SubScalar(1)
}

func klNormalGumbel(p *Normal, q *Gumbel) *torch.Tensor {
	mean, v, loc := p.Loc.Div(q.Scale), p.Scale.Div(q.Scale).PowScalar(2), q.Loc.Div(q.Scale)
	t3 := mean.Neg().Add(v.MulScalar(0.5)).Add(loc).Exp()
	return v.Log().MulScalar(0.5).Neg().Add(mean.Sub(loc)).Add(t3).SubScalar(1.4189385332046727) // (1 + log(2π)) / 2
}

func klNormalLaplace(p *Normal, q *Laplace) *torch.Tensor {
	distance, ratio := p.Loc.Sub(q.Loc), p.Scale.Div(q.Scale)
	z := distance.Div(p.Scale)
	t1 := ratio.Log()
	t2 := p.Scale.MulScalar(0.7978845608028654).Mul(z.PowScalar(2).MulScalar(-0.5).Exp()) // √(2/π)
	t3 := distance.Mul(z.MulScalar(0.7071067811865476).Erf())                             // √(1/2)
	return t1.Neg().Add(t2.Add(t3).Div(q.Scale)).SubScalar(0.7257913526447274)            // (1 + log(π/2)) / 2
}

func klParetoExponential(p *Pareto, q *Exponential) *torch.Tensor {
	product := p.Scale.Mul(q.Rate)
	t1, t2 := p.Alpha.Div(product).Log(), p.Alpha.Reciprocal()
	t3 := p.Alpha.Mul(product).Div(p.Alpha.SubScalar(1))
	kl := t1.Sub(t2).Add(t3).SubScalar(1)
	return kl.MaskedFill(p.Alpha.LeScalar(1), inf)
}

func klParetoGamma(p *Pareto, q *Gamma) *torch.Tensor {
	term := p.Scale.Log().Add(p.Alpha.Reciprocal())
	t1 := p.Alpha.Log().Sub(term)
	t2 := q.Concentration.Lgamma().Sub(q.Concentration.Mul(q.Rate.Log()))
	t3 := q.Concentration.RSubScalar(1).Mul(term)
	t4 := q.Rate.Mul(p.Alpha).Mul(p.Scale).Div(p.Alpha.SubScalar(1))
	kl := t1.Add(t2).Add(t3).Add(t4).SubScalar(1)
	return kl.MaskedFill(p.Alpha.LeScalar(1), inf)
}

func klParetoNormal(p *Pareto, q *Normal) *torch.Tensor {
	v := q.Scale.PowScalar(2).MulScalar(2)
	term := p.Scale.Div(p.Alpha.SubScalar(1))
	t1 := q.Scale.MulScalar(2.5066282746310002).Mul(p.Alpha).Div(p.Scale).Log() // √(2π)
	t2 := p.Alpha.Reciprocal()
	t3 := p.Alpha.Mul(term.PowScalar(2)).Div(p.Alpha.SubScalar(2))
	t4 := p.Alpha.Mul(term).Sub(q.Loc).PowScalar(2)
	kl := t1.Sub(t2).Add(t3.Add(t4).Div(v)).SubScalar(1)
	return kl.MaskedFill(p.Alpha.LeScalar(2), inf)
}

func klUniformBeta(p *Uniform, q *Beta) *torch.Tensor {
	width, q1, q0 := p.width(), q.Concentration1(), q.Concentration0()
	t1 := width.Log()
	t2 := q1.SubScalar(1).Mul(xlogx(p.High).Sub(xlogx(p.Low)).Sub(width)).Div(width)
	t3 := q0.SubScalar(1).Mul(xlogx(p.High.RSubScalar(1)).Sub(xlogx(p.Low.RSubScalar(1))).Add(width)).Div(width)
	t4 := q1.Lgamma().Add(q0.Lgamma()).Sub(q1.Add(q0).Lgamma())
	kl := t3.Add(t4).Sub(t1).Sub(t2)
	return kl.MaskedFill(p.High.GtScalar(1.0).LogicalOr(p.Low.LtScalar(0.0)), inf)
}

// klUniformContinuousBernoulli is infinite for intervals that begin at 0 or below, or end at
// 1 or above, as in PyTorch.
func klUniformContinuousBernoulli(p *Uniform, q *ContinuousBernoulli) *torch.Tensor {
	kl := p.Entropy().Neg().Sub(p.Mean().Mul(q.Logits())).Sub(q.Probs().Neg().Log1p()).Sub(q.logNorm())
	return kl.MaskedFill(p.High.GeScalar(1.0).Maximum(p.Low.LeScalar(0.0)), inf)
}

func klUniformExponential(p *Uniform, q *Exponential) *torch.Tensor {
	kl := q.Rate.Mul(p.High.Add(p.Low)).DivScalar(2).Sub(p.width().Mul(q.Rate).Log())
	return kl.MaskedFill(p.Low.LtScalar(0.0), inf)
}

func klUniformGamma(p *Uniform, q *Gamma) *torch.Tensor {
	width := p.width()
	t1 := width.Log()
	t2 := q.Concentration.Lgamma().Sub(q.Concentration.Mul(q.Rate.Log()))
	t3 := q.Concentration.RSubScalar(1).Mul(xlogx(p.High).Sub(xlogx(p.Low)).Sub(width)).Div(width)
	t4 := q.Rate.Mul(p.High.Add(p.Low)).DivScalar(2)
	kl := t1.Neg().Add(t2).Add(t3).Add(t4)
	return kl.MaskedFill(p.Low.LtScalar(0.0), inf)
}

func klUniformGumbel(p *Uniform, q *Gumbel) *torch.Tensor {
	ratio := q.Scale.Div(p.width())
	high, low := p.High.Sub(q.Loc).Div(q.Scale), p.Low.Sub(q.Loc).Div(q.Scale)
	t1 := ratio.Log().Add(high.Add(low).MulScalar(0.5))
	t2 := ratio.Mul(high.Neg().Exp().Sub(low.Neg().Exp()))
	return t1.Sub(t2)
}

func klUniformNormal(p *Uniform, q *Normal) *torch.Tensor {
	width := p.width()
	t1 := q.Scale.MulScalar(2.5066282746310002).Div(width).Log() // √(2π)
	t2 := width.PowScalar(2).DivScalar(12)
	t3 := p.High.Add(p.Low).Sub(q.Loc.MulScalar(2)).DivScalar(2).PowScalar(2)
	return t1.Add(t2.Add(t3).MulScalar(0.5).Div(q.Scale.PowScalar(2)))
}

func klUniformPareto(p *Uniform, q *Pareto) *torch.Tensor {
	width := p.width()
	t1 := q.Alpha.Mul(q.Scale.Pow(q.Alpha)).Mul(width).Log()
	t2 := xlogx(p.High).Sub(xlogx(p.Low)).Sub(width).Div(width)
	kl := t2.Mul(q.Alpha.AddScalar(1)).Sub(t1)
	return kl.MaskedFill(p.Low.Lt(q.Scale), inf)
}
