package distributions_test

import (
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	D "github.com/torchhub/torchhub/torch/distributions"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// mistakes are calls that must panic, with the text of the error.
var mistakes = []struct {
	call func()
	text string
}{
	{func() { D.NewNormal("0", 1) }, "distributions.Normal: loc is a string; it must be a *torch.Tensor, an int or a float64"},
	{func() { D.NewNormal((*torch.Tensor)(nil), 1) }, "distributions.Normal: loc is a nil *torch.Tensor"},
	{func() { D.NewNormal(nil, 1) }, "distributions.Normal: loc is a <nil>; it must be a *torch.Tensor, an int or a float64"},
	{func() { D.NewNormal(torch.Zeros(2), torch.NewTensor(vec{1, -2})) },
		"distributions.Normal: scale, of shape [2], must satisfy GreaterThan(lower_bound=0.0), which -2.0 does not"},
	{func() { D.NewNormal(math.NaN(), 1) }, "distributions.Normal: loc, of shape [], must satisfy Real(), which nan does not"},
	{func() { D.NewBernoulli(nil) }, "distributions.Bernoulli: give either probs or Logits, and not both"},
	{func() { D.NewBernoulli(0.5, D.BernoulliOptions{Logits: 1}) }, "distributions.Bernoulli: give either probs or Logits, and not both"},
	{func() { D.NewBernoulli(1.5) }, "distributions.Bernoulli: probs, of shape [], must satisfy Interval(lower_bound=0.0, upper_bound=1.0), which 1.5 does not"},
	{func() { D.NewCategorical(nil) }, "distributions.Categorical: give either probs or Logits, and not both"},
	{func() { D.NewCategorical(torch.Ones()) }, "distributions.Categorical: probs has no dimensions; it must have one or more"},
	{func() { D.NewCategorical(torch.NewTensor(vec{1, -1, 1})) }, "distributions.Categorical: probs, of shape [3], must satisfy Simplex()"},
	{func() { D.NewCategorical(torch.Ones(3)).LogProb(torch.Scalar(3)) },
		"distributions.Categorical.LogProb: value, of shape [], must satisfy IntegerInterval(lower_bound=0, upper_bound=2), which 3 does not"},
	{func() { D.NewNormal(torch.Zeros(2), 1).LogProb(torch.Zeros(3)) }, "distributions.Normal.LogProb: value has the shape [3], which cannot be broadcast with [2]"},
	{func() { D.NewDirichlet(torch.Ones(2)).LogProb(torch.Ones(3)) }, "distributions.Dirichlet.LogProb: value has the shape [3]; its last sizes must be [2]"},
	{func() { D.NewGeometric(0) }, "distributions.Geometric: probs, of shape [], must satisfy GreaterThan(lower_bound=0.0), which 0.0 does not"},
	{func() { D.NewIndependent(D.NewNormal(0, 1), 1) },
		"distributions.Independent: reinterpretedBatchNdims is 1; it must be from 0 to 0, the number of dimensions of the batch of the base"},
	{func() { D.NewMultivariateNormal(torch.Zeros(2), nil) }, "distributions.MultivariateNormal: give one of covarianceMatrix, PrecisionMatrix and ScaleTril"},
	{func() {
		D.NewMultivariateNormal(torch.Zeros(2), torch.Eye(2), D.MultivariateNormalOptions{ScaleTril: torch.Eye(2)})
	}, "distributions.MultivariateNormal: two of covarianceMatrix, PrecisionMatrix and ScaleTril are given; give one"},
	{func() { D.NewMultivariateNormal(torch.Zeros(2), torch.NewTensor(mat{{1, 2}, {2, 1}})) },
		"distributions.MultivariateNormal: covariance_matrix, of shape [2 2], must satisfy PositiveDefinite()"},
	{func() { D.NewLKJCholesky(1) }, "distributions.LKJCholesky: dim is 1; it must be 2 or more"},
	{func() { D.NewWishart(1, torch.Eye(2)) }, "distributions.Wishart: df must be greater than 1, one less than the number of rows"},
	{func() { D.NewMixtureSameFamily(D.NewCategorical(torch.Ones(2)), D.NewNormal(torch.Zeros(3), 1)) },
		"distributions.MixtureSameFamily: the batch of the components has the shape [3]; its last size must be 2, the number of events of the mixture"},
	{func() { D.NewUniform(1, 0) }, "distributions.Uniform: low, of shape [], must satisfy LessThan(upper_bound=0.0), which 1.0 does not"},
	{func() { D.NewNormal(0, 1, D.Options{}, D.Options{}) }, "distributions.Options: 2 values are given; give at most one"},
	{func() { D.AffineTransform{Loc: 1}.Forward(torch.Ones(2)) }, "distributions.AffineTransform: Scale is a <nil>; it must be a *torch.Tensor, an int or a float64"},
	{func() { constraints.Interval("0", 1) }, "constraints.Interval: lower is a string; it must be a *torch.Tensor, an int or a float64"},
	{func() { D.KL(D.NewNormal(0, 1), D.NewBernoulli(0.5)) }, "distributions.KL: no divergence is registered for Normal and Bernoulli"},
	{func() { D.NewCauchy(0, 1).RSample(); D.NewPoisson(1).Entropy() }, "distributions.Poisson: PyTorch has no Entropy for this distribution"},
	{func() { D.BijectTo(constraints.LowerCholesky) }, "distributions.BijectTo: PyTorch has no bijective transform to LowerCholesky()"},
}

func TestMistakes(t *testing.T) {
	for _, m := range mistakes {
		require.EqualError(t, torch.Try(m.call), "torch: "+m.text)
	}
	require.ErrorIs(t, torch.Try(func() { D.KL(D.NewNormal(0, 1), D.NewBernoulli(0.5)) }), torch.ErrNotImplemented)
	require.False(t, errors.Is(torch.Try(func() { D.NewNormal(0, -1) }), torch.ErrNotImplemented))
}

func TestSetDefaultValidateArgs(t *testing.T) {
	D.SetDefaultValidateArgs(false)
	defer D.SetDefaultValidateArgs(true)
	require.NoError(t, torch.Try(func() { D.NewNormal(0, -1).LogProb(torch.Ones()) }))
	require.Error(t, torch.Try(func() { D.NewNormal(0, -1, D.Options{ValidateArgs: new(true)}) }))
}

// What is computed once lives as long as the distribution, not as the scope of the first call,
// and has a gradient although the first call needed none.
func TestLazyParameters(t *testing.T) {
	logits := torch.Options{RequiresGrad: true}.Zeros(2)
	m := D.NewBernoulli(nil, D.BernoulliOptions{Logits: logits})
	torch.Scope(func() {
		torch.Scope(func() { m.Sample() })
	})
	m.Probs().Sum().Backward()
	require.Equal(t, []float32{0.25, 0.25}, torch.Data[float32](logits.Grad()))
}

// Goroutines can use one distribution.
func TestGoroutines(t *testing.T) {
	m := D.NewBernoulli(nil, D.BernoulliOptions{Logits: torch.Zeros(2)})
	n := D.NewMultivariateNormal(torch.Zeros(2), torch.Eye(2))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				_ = m.LogProb(m.Sample(3))
				_ = n.LogProb(n.Sample(3))
				_ = n.PrecisionMatrix()
				_, _ = m.String(), n.String()
			}
		})
	}
	wait.Wait()
}

// A type outside of the package can embed a distribution, and register its own divergence.
type shifted struct {
	*D.Normal
	by float64
}

func (d *shifted) Mean() *torch.Tensor { return d.Normal.Mean().AddScalar(d.by) }

func TestRegisterKL(t *testing.T) {
	p, q := &shifted{D.NewNormal(0, 1), 1}, D.NewNormal(0, 2)
	torchtest.AssertClose(t, D.KL(p, q), D.KL(p.Normal, q)) // as that of the embedded one
	D.RegisterKL(func(p *shifted, q *D.Normal) *torch.Tensor { return torch.Full(p.by) })
	require.Equal(t, 1.0, D.KL(p, q).Item())
	torchtest.AssertClose(t, D.KL(q, p), D.KL(q, p.Normal))
}
