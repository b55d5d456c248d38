package distributions_test

import (
	"github.com/torchhub/torchhub/torch"
	D "github.com/torchhub/torchhub/torch/distributions"
)

// A row is a constructor in Python and Go, with the values of tensors that it is called with.
type row struct {
	python string // of x, a list of tensors
	make   func(x []*torch.Tensor) D.Distribution
	args   [][]any // the tensors of each call
}

type (
	vec = []float32
	mat = [][]float32
)

// rows has each class at least once. The first two calls of the first row of a class have one
// shape, for divergences of two distributions.
var rows = []row{
	{"D.Normal(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewNormal(x[0], x[1]) },
		[][]any{{vec{0.5, -1}, vec{1.5, 0.25}}, {vec{-0.5, 2}, vec{0.5, 3}}, {mat{{1}, {2}}, vec{1, 2, 3}}}},
	{"D.Normal(0, 1.5)", func([]*torch.Tensor) D.Distribution { return D.NewNormal(0, 1.5) }, [][]any{{}}},
	{"D.Normal(x[0], 2)", func(x []*torch.Tensor) D.Distribution { return D.NewNormal(x[0], 2) }, [][]any{{vec{3}}}},
	{"D.Bernoulli(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewBernoulli(x[0]) },
		[][]any{{vec{0.3, 0.7}}, {vec{0.6, 0.2}}, {vec{0.5, 1}}, {vec{0, 0.5}}}},
	{"D.Bernoulli(logits=x[0])", func(x []*torch.Tensor) D.Distribution {
		return D.NewBernoulli(nil, D.BernoulliOptions{Logits: x[0]})
	}, [][]any{{mat{{0.5, -1, 2}}}}},
	{"D.Bernoulli(0.25)", func([]*torch.Tensor) D.Distribution { return D.NewBernoulli(0.25) }, [][]any{{}}},
	{"D.Categorical(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewCategorical(x[0]) },
		[][]any{{vec{0.2, 0.3, 0.5}}, {vec{1, 3, 4}}, {mat{{0.1, 0.9}, {1, 0}}}}},
	{"D.Categorical(logits=x[0])", func(x []*torch.Tensor) D.Distribution {
		return D.NewCategorical(nil, D.CategoricalOptions{Logits: x[0]})
	}, [][]any{{mat{{0.5, -1, 2}, {1, 1, 0}}}}},
	{"D.Uniform(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewUniform(x[0], x[1]) },
		[][]any{{vec{0.25, 0.5}, vec{0.75, 0.875}}, {vec{-1, 0}, vec{2, 1}}}},
	{"D.Uniform(-1, 1)", func([]*torch.Tensor) D.Distribution { return D.NewUniform(-1, 1) }, [][]any{{}}},
	{"D.Exponential(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewExponential(x[0]) },
		[][]any{{vec{0.5, 2}}, {vec{1.5, 0.75}}}},
	{"D.Gamma(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewGamma(x[0], x[1]) },
		[][]any{{vec{0.5, 3}, vec{1, 2}}, {vec{2, 1.5}, vec{0.5, 1}}, {mat{{0.5}, {3}}, vec{1, 2}}}},
	{"D.Chi2(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewChi2(x[0]) }, [][]any{{vec{1, 3}}, {vec{2, 5}}}},
	{"D.Chi2(3)", func([]*torch.Tensor) D.Distribution { return D.NewChi2(3) }, [][]any{{}}},
	{"D.Beta(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewBeta(x[0], x[1]) },
		[][]any{{vec{0.5, 2}, vec{0.75, 3}}, {vec{1.5, 2}, vec{2.5, 1}}}},
	{"D.Beta(2, 3.5)", func([]*torch.Tensor) D.Distribution { return D.NewBeta(2, 3.5) }, [][]any{{}}},
	{"D.Dirichlet(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewDirichlet(x[0]) },
		[][]any{{vec{0.5, 2, 3}}, {vec{1, 1.5, 2}}, {mat{{0.5, 0.25}, {2, 3}}}}},
	{"D.MultivariateNormal(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewMultivariateNormal(x[0], x[1]) },
		[][]any{{vec{0.5, -1}, mat{{2, 0.5}, {0.5, 1}}}, {vec{1, 0}, mat{{1, 0.25}, {0.25, 3}}}, {mat{{1, 2}, {3, 4}, {5, 6}}, mat{{2, 0.5}, {0.5, 1}}}}},
	{"D.MultivariateNormal(x[0], scale_tril=x[1])", func(x []*torch.Tensor) D.Distribution {
		return D.NewMultivariateNormal(x[0], nil, D.MultivariateNormalOptions{ScaleTril: x[1]})
	}, [][]any{{vec{0.5, -1}, [][][]float32{{{2, 0}, {0.5, 1}}, {{1, 0}, {-0.5, 2}}}}}},
	{"D.MultivariateNormal(x[0], precision_matrix=x[1])", func(x []*torch.Tensor) D.Distribution {
		return D.NewMultivariateNormal(x[0], nil, D.MultivariateNormalOptions{PrecisionMatrix: x[1]})
	}, [][]any{{vec{0.5, -1}, mat{{2, 0.5}, {0.5, 1}}}}},
	{"D.Laplace(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewLaplace(x[0], x[1]) },
		[][]any{{vec{0.5, -1}, vec{1.5, 0.25}}, {vec{-0.5, 2}, vec{0.5, 3}}}},
	{"D.Poisson(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewPoisson(x[0]) }, [][]any{{vec{0.5, 4}}, {vec{2, 30}}}},
	{"D.Poisson(3)", func([]*torch.Tensor) D.Distribution { return D.NewPoisson(3) }, [][]any{{}}},
	{"D.Binomial(10, x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewBinomial(10, x[0]) },
		[][]any{{vec{0.3, 0.7}}, {vec{0.5, 0.1}}}},
	{"D.Binomial(x[0], logits=x[1])", func(x []*torch.Tensor) D.Distribution {
		return D.NewBinomial(x[0], nil, D.BinomialOptions{Logits: x[1]})
	}, [][]any{{vec{3, 12}, vec{0, -1}}}},
	{"D.Cauchy(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewCauchy(x[0], x[1]) },
		[][]any{{vec{0.5, -1}, vec{1.5, 0.25}}, {vec{-0.5, 2}, vec{0.5, 3}}}},
	{"D.ContinuousBernoulli(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewContinuousBernoulli(x[0]) },
		[][]any{{vec{0.3, 0.5}}, {vec{0.6, 0.2}}}},
	{"D.ContinuousBernoulli(logits=x[0], lims=(0.4, 0.6))", func(x []*torch.Tensor) D.Distribution {
		return D.NewContinuousBernoulli(nil, D.ContinuousBernoulliOptions{Logits: x[0], Lims: &[2]float64{0.4, 0.6}})
	}, [][]any{{vec{0.25, -1}}}},
	{"D.FisherSnedecor(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewFisherSnedecor(x[0], x[1]) },
		[][]any{{vec{1, 6}, vec{2, 5}}, {vec{3, 3}, vec{4, 4.5}}}},
	{"D.GeneralizedPareto(x[0], x[1], x[2])", func(x []*torch.Tensor) D.Distribution {
		return D.NewGeneralizedPareto(x[0], x[1], x[2])
	}, [][]any{{vec{0.5, 1, 0}, vec{1, 2, 3}, vec{0.25, 0, -0.5}}, {vec{0, 1}, vec{2, 1}, vec{0.75, 1}}}},
	{"D.Geometric(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewGeometric(x[0]) }, [][]any{{vec{0.3, 0.7}}, {vec{0.5, 0.2}}}},
	{"D.Geometric(logits=x[0])", func(x []*torch.Tensor) D.Distribution {
		return D.NewGeometric(nil, D.GeometricOptions{Logits: x[0]})
	}, [][]any{{vec{0.5, -2}}}},
	{"D.Gumbel(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewGumbel(x[0], x[1]) },
		[][]any{{vec{0.5, -1}, vec{1.5, 0.25}}, {vec{-0.5, 2}, vec{0.5, 3}}}},
	{"D.Gumbel(0.1, 2)", func([]*torch.Tensor) D.Distribution { return D.NewGumbel(0.1, 2) }, [][]any{{}}},
	{"D.HalfCauchy(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewHalfCauchy(x[0]) }, [][]any{{vec{0.5, 2}}, {vec{1.5, 0.75}}}},
	{"D.HalfNormal(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewHalfNormal(x[0]) }, [][]any{{vec{0.5, 2}}, {vec{1.5, 0.75}}}},
	{"D.Independent(D.Normal(x[0], x[1]), 1)", func(x []*torch.Tensor) D.Distribution {
		return D.NewIndependent(D.NewNormal(x[0], x[1]), 1)
	}, [][]any{{vec{0.5, -1}, vec{1.5, 0.25}}, {vec{-0.5, 2}, vec{0.5, 3}}, {mat{{1}, {2}}, vec{1, 2, 3}}}},
	{"D.Independent(D.Bernoulli(x[0]), 0)", func(x []*torch.Tensor) D.Distribution {
		return D.NewIndependent(D.NewBernoulli(x[0]), 0)
	}, [][]any{{vec{0.5, 0.25}}}},
	{"D.InverseGamma(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewInverseGamma(x[0], x[1]) },
		[][]any{{vec{0.5, 3}, vec{1, 2}}, {vec{2, 1.5}, vec{0.5, 1}}}},
	{"D.Kumaraswamy(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewKumaraswamy(x[0], x[1]) },
		[][]any{{vec{0.5, 2}, vec{0.75, 3}}, {vec{1.5, 2}, vec{2.5, 1}}}},
	{"D.LKJCholesky(3, x[0])", func(x []*torch.Tensor) D.Distribution {
		return D.NewLKJCholesky(3, D.LKJCholeskyOptions{Concentration: x[0]})
	}, [][]any{{vec{0.5, 2}}, {vec{1, 3}}}},
	{"D.LKJCholesky(4)", func([]*torch.Tensor) D.Distribution { return D.NewLKJCholesky(4) }, [][]any{{}}},
	{"D.LogNormal(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewLogNormal(x[0], x[1]) },
		[][]any{{vec{0.5, -1}, vec{1.5, 0.25}}, {vec{-0.5, 2}, vec{0.5, 3}}}},
	{"D.LogisticNormal(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewLogisticNormal(x[0], x[1]) },
		[][]any{{vec{0.5, -1}, vec{1.5, 0.25}}, {vec{-0.5, 2}, vec{0.5, 3}}}},
	{"D.LogisticNormal(0., 1.)", func([]*torch.Tensor) D.Distribution { return D.NewLogisticNormal(0.0, 1.0) }, [][]any{{}}},
	{"D.LowRankMultivariateNormal(x[0], x[1], x[2])", func(x []*torch.Tensor) D.Distribution {
		return D.NewLowRankMultivariateNormal(x[0], x[1], x[2])
	}, [][]any{{vec{0.5, -1}, mat{{1}, {0.5}}, vec{1, 2}}, {vec{1, 0}, mat{{0.25}, {-2}}, vec{0.5, 3}}, {mat{{1, 2}, {3, 4}}, mat{{1, 0}, {0.5, 1}}, vec{1, 2}}}},
	{"D.MixtureSameFamily(D.Categorical(x[0]), D.Normal(x[1], x[2]))", func(x []*torch.Tensor) D.Distribution {
		return D.NewMixtureSameFamily(D.NewCategorical(x[0]), D.NewNormal(x[1], x[2]))
	}, [][]any{{vec{0.25, 0.75}, vec{-1, 1}, vec{0.5, 2}}, {mat{{0.25, 0.75}, {1, 2}}, vec{-1, 1}, mat{{0.5, 2}, {1, 3}}}}},
	{"D.MixtureSameFamily(D.Categorical(x[0]), D.Independent(D.Normal(x[1], x[2]), 1))", func(x []*torch.Tensor) D.Distribution {
		return D.NewMixtureSameFamily(D.NewCategorical(x[0]), D.NewIndependent(D.NewNormal(x[1], x[2]), 1))
	}, [][]any{{vec{0.25, 0.75}, mat{{-1, 1, 3}, {0, 2, 1}}, vec{0.5, 2, 1}}}},
	{"D.Multinomial(5, x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewMultinomial(5, x[0]) },
		[][]any{{vec{0.2, 0.3, 0.5}}, {vec{1, 3, 4}}, {mat{{0.1, 0.9}, {1, 0}}}}},
	{"D.Multinomial(3, logits=x[0])", func(x []*torch.Tensor) D.Distribution {
		return D.NewMultinomial(3, nil, D.MultinomialOptions{Logits: x[0]})
	}, [][]any{{vec{0.5, -1, 2}}}},
	{"D.NegativeBinomial(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewNegativeBinomial(x[0], x[1]) },
		[][]any{{vec{3, 2.5}, vec{0.3, 0.7}}, {vec{5, 1}, vec{0.5, 0.25}}}},
	{"D.NegativeBinomial(4, logits=x[0])", func(x []*torch.Tensor) D.Distribution {
		return D.NewNegativeBinomial(4, nil, D.NegativeBinomialOptions{Logits: x[0]})
	}, [][]any{{vec{0.5, -1}}}},
	{"D.OneHotCategorical(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewOneHotCategorical(x[0]) },
		[][]any{{vec{0.2, 0.3, 0.5}}, {vec{1, 3, 4}}, {mat{{0.1, 0.9}, {1, 0}}}}},
	{"D.OneHotCategoricalStraightThrough(x[0])", func(x []*torch.Tensor) D.Distribution {
		return D.NewOneHotCategoricalStraightThrough(x[0])
	}, [][]any{{vec{0.2, 0.3, 0.5}}, {vec{1, 3, 4}}}},
	{"D.OneHotCategoricalStraightThrough(logits=x[0])", func(x []*torch.Tensor) D.Distribution {
		return D.NewOneHotCategoricalStraightThrough(nil, D.OneHotCategoricalOptions{Logits: x[0]})
	}, [][]any{{mat{{0.5, -1}, {2, 1}}}}},
	{"D.Pareto(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewPareto(x[0], x[1]) },
		[][]any{{vec{0.5, 1}, vec{1, 2.5}}, {vec{0.25, 2}, vec{3, 1.5}}}},
	{"D.RelaxedBernoulli(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewRelaxedBernoulli(x[0], x[1]) },
		[][]any{{float32(0.5), vec{0.3, 0.7}}, {float32(2), vec{0.5, 0.2}}}},
	{"D.RelaxedBernoulli(x[0], logits=x[1])", func(x []*torch.Tensor) D.Distribution {
		return D.NewRelaxedBernoulli(x[0], nil, D.RelaxedBernoulliOptions{Logits: x[1]})
	}, [][]any{{float32(0.5), vec{0.5, -1}}}},
	{"D.relaxed_bernoulli.LogitRelaxedBernoulli(x[0], x[1])", func(x []*torch.Tensor) D.Distribution {
		return D.NewLogitRelaxedBernoulli(x[0], x[1])
	}, [][]any{{float32(0.5), vec{0.3, 0.7}}}},
	{"D.RelaxedOneHotCategorical(x[0], x[1])", func(x []*torch.Tensor) D.Distribution {
		return D.NewRelaxedOneHotCategorical(x[0], x[1])
	}, [][]any{{float32(0.5), vec{0.2, 0.3, 0.5}}, {float32(2), vec{1, 3, 4}}, {float32(1), mat{{1, 3}, {2, 2}}}}},
	{"D.RelaxedOneHotCategorical(x[0], logits=x[1])", func(x []*torch.Tensor) D.Distribution {
		return D.NewRelaxedOneHotCategorical(x[0], nil, D.RelaxedOneHotCategoricalOptions{Logits: x[1]})
	}, [][]any{{float32(0.5), vec{0.5, -1, 2}}}},
	{"D.relaxed_categorical.ExpRelaxedCategorical(x[0], x[1])", func(x []*torch.Tensor) D.Distribution {
		return D.NewExpRelaxedCategorical(x[0], x[1])
	}, [][]any{{float32(0.5), vec{0.2, 0.3, 0.5}}}},
	{"D.StudentT(x[0])", func(x []*torch.Tensor) D.Distribution { return D.NewStudentT(x[0]) }, [][]any{{vec{0.5, 3}}, {vec{1.5, 2}}}},
	{"D.StudentT(x[0], x[1], x[2])", func(x []*torch.Tensor) D.Distribution {
		return D.NewStudentT(x[0], D.StudentTOptions{Loc: x[1], Scale: x[2]})
	}, [][]any{{vec{1.5, 4}, vec{0.5, -1}, vec{2, 3}}}},
	{"D.StudentT(3, loc=1, scale=0.5)", func([]*torch.Tensor) D.Distribution {
		return D.NewStudentT(3, D.StudentTOptions{Loc: 1, Scale: 0.5})
	}, [][]any{{}}},
	{"D.TransformedDistribution(D.Uniform(torch.zeros_like(x[0]), 1), [D.SigmoidTransform().inv, D.AffineTransform(x[0], x[1])])", func(x []*torch.Tensor) D.Distribution {
		return D.NewTransformedDistribution(D.NewUniform(torch.ZerosLike(x[0]), 1), []D.Transform{D.SigmoidTransform{}.Inv(), D.AffineTransform{Loc: x[0], Scale: x[1]}})
	}, [][]any{{vec{0.5, -1}, vec{1.5, 0.25}}, {vec{0.5, -1}, vec{1.5, 0.25}}}},
	{"D.TransformedDistribution(D.Normal(x[0], x[1]), [D.AffineTransform(1, -2.), D.ExpTransform()])", func(x []*torch.Tensor) D.Distribution {
		return D.NewTransformedDistribution(D.NewNormal(x[0], x[1]), []D.Transform{D.AffineTransform{Loc: 1, Scale: -2.0}, D.ExpTransform{}})
	}, [][]any{{vec{0.5, -1}, vec{1.5, 0.25}}}},
	{"D.TransformedDistribution(D.Normal(x[0], x[1]), [D.StickBreakingTransform()])", func(x []*torch.Tensor) D.Distribution {
		return D.NewTransformedDistribution(D.NewNormal(x[0], x[1]), []D.Transform{D.StickBreakingTransform{}})
	}, [][]any{{mat{{0.5, -1}, {1, 2}, {0, 0}}, vec{1.5, 0.25}}}},
	{"D.TransformedDistribution(D.Normal(x[0], 1), [])", func(x []*torch.Tensor) D.Distribution {
		return D.NewTransformedDistribution(D.NewNormal(x[0], 1), nil)
	}, [][]any{{vec{0.5, -1}}}},
	{"D.VonMises(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewVonMises(x[0], x[1]) },
		[][]any{{vec{0.5, -1}, vec{1.5, 5}}, {vec{-0.5, 2}, vec{0.5, 1e-6}}}},
	{"D.Weibull(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewWeibull(x[0], x[1]) },
		[][]any{{vec{0.5, 1}, vec{1, 2.5}}, {vec{0.25, 2}, vec{3, 1.5}}}},
	{"D.Wishart(x[0], x[1])", func(x []*torch.Tensor) D.Distribution { return D.NewWishart(x[0], x[1]) },
		[][]any{{vec{3, 5}, mat{{2, 0.5}, {0.5, 1}}}, {vec{4, 2.5}, mat{{1, 0.25}, {0.25, 3}}}}},
	{"D.Wishart(4, scale_tril=x[0])", func(x []*torch.Tensor) D.Distribution {
		return D.NewWishart(4, nil, D.WishartOptions{ScaleTril: x[0]})
	}, [][]any{{mat{{2, 0, 0}, {0.5, 1, 0}, {1, -1, 3}}}}},
	{"D.Wishart(x[0], precision_matrix=x[1])", func(x []*torch.Tensor) D.Distribution {
		return D.NewWishart(x[0], nil, D.WishartOptions{PrecisionMatrix: x[1]})
	}, [][]any{{float32(3), mat{{2, 0.5}, {0.5, 1}}}}},
}
