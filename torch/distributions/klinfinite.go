package distributions

import "github.com/torchhub/torchhub/torch"

// The divergences that are infinite, as p has values that q cannot have.
func init() {
	RegisterKL(infinite[*Beta, *Pareto]((*Beta).Concentration1))
	RegisterKL(infinite[*ContinuousBernoulli, *Pareto]((*ContinuousBernoulli).Probs))

	rate := func(p *Exponential) *torch.Tensor { return p.Rate }
	RegisterKL(infinite[*Exponential, *Beta](rate))
	RegisterKL(infinite[*Exponential, *ContinuousBernoulli](rate))
	RegisterKL(infinite[*Exponential, *Pareto](rate))
	RegisterKL(infinite[*Exponential, *Uniform](rate))

	concentration := func(p *Gamma) *torch.Tensor { return p.Concentration }
	RegisterKL(infinite[*Gamma, *Beta](concentration))
	RegisterKL(infinite[*Gamma, *ContinuousBernoulli](concentration))
	RegisterKL(infinite[*Gamma, *Pareto](concentration))
	RegisterKL(infinite[*Gamma, *Uniform](concentration))

	gumbel := func(p *Gumbel) *torch.Tensor { return p.Loc }
	RegisterKL(infinite[*Gumbel, *Beta](gumbel))
	RegisterKL(infinite[*Gumbel, *ContinuousBernoulli](gumbel))
	RegisterKL(infinite[*Gumbel, *Exponential](gumbel))
	RegisterKL(infinite[*Gumbel, *Gamma](gumbel))
	RegisterKL(infinite[*Gumbel, *Pareto](gumbel))
	RegisterKL(infinite[*Gumbel, *Uniform](gumbel))

	laplace := func(p *Laplace) *torch.Tensor { return p.Loc }
	RegisterKL(infinite[*Laplace, *Beta](laplace))
	RegisterKL(infinite[*Laplace, *ContinuousBernoulli](laplace))
	RegisterKL(infinite[*Laplace, *Exponential](laplace))
	RegisterKL(infinite[*Laplace, *Gamma](laplace))
	RegisterKL(infinite[*Laplace, *Pareto](laplace))
	RegisterKL(infinite[*Laplace, *Uniform](laplace))

	normal := func(p *Normal) *torch.Tensor { return p.Loc }
	RegisterKL(infinite[*Normal, *Beta](normal))
	RegisterKL(infinite[*Normal, *ContinuousBernoulli](normal))
	RegisterKL(infinite[*Normal, *Exponential](normal))
	RegisterKL(infinite[*Normal, *Gamma](normal))
	RegisterKL(infinite[*Normal, *Pareto](normal))
	RegisterKL(infinite[*Normal, *Uniform](normal))

	pareto := func(p *Pareto) *torch.Tensor { return p.Scale }
	RegisterKL(infinite[*Pareto, *Beta](pareto))
	RegisterKL(infinite[*Pareto, *ContinuousBernoulli](pareto))
	RegisterKL(infinite[*Pareto, *Uniform](pareto))

	poisson := func(p *Poisson) *torch.Tensor { return p.Rate }
	RegisterKL(infinite[*Poisson, *Bernoulli](poisson))
	RegisterKL(infinite[*Poisson, *Binomial](poisson))
}

// infinite returns a divergence of the shape and dtype of a parameter of p.
func infinite[P, Q Distribution](parameter func(P) *torch.Tensor) func(P, Q) *torch.Tensor {
	return func(p P, _ Q) *torch.Tensor { return torch.FullLike(parameter(p), inf) }
}
