package distributions_test

import (
	"errors"
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// A policy chooses actions, and its loss makes those probable that had a reward.
func Example() {
	torch.ManualSeed(0)
	logits := torch.Options{RequiresGrad: true}.Zeros(4, 3) // what a network returns for 4 states

	m := distributions.NewCategorical(nil, distributions.CategoricalOptions{Logits: logits})
	action := m.Sample()
	reward := torch.Ones(4)
	loss := m.LogProb(action).Neg().Mul(reward).Mean()
	loss.Backward()

	fmt.Println(m)
	fmt.Println(action.Shape(), action.DType())
	fmt.Printf("%.4f\n", loss)
	fmt.Println(logits.Grad().Shape())
	// Output:
	// Categorical(probs: torch.Size([4, 3]), logits: torch.Size([4, 3]))
	// [4] int64
	// 1.0986
	// [4 3]
}

// Gradients flow through RSample to the parameters, as in a variational autoencoder.
func ExampleNormal() {
	mean := torch.Options{RequiresGrad: true}.Zeros(2)
	q := distributions.NewNormal(mean, 1)
	z := q.RSample(10)
	z.Mean().Backward()
	fmt.Println(z.Shape(), mean.Grad())

	kl := distributions.KL(q, distributions.NewNormal(torch.Ones(2), 2))
	fmt.Println(kl.Detach())
	// Output:
	// [10 2] tensor([0.5000, 0.5000])
	// tensor([0.4431, 0.4431])
}

// The distribution of transformed numbers: the logistic distribution.
func ExampleTransformedDistribution() {
	logistic := distributions.NewTransformedDistribution(distributions.NewUniform(0, 1), []distributions.Transform{
		distributions.SigmoidTransform{}.Inv(),
		distributions.AffineTransform{Loc: 1, Scale: 2},
	})
	fmt.Printf("%.4f\n", logistic.CDF(torch.Scalar(float32(1))))
	fmt.Printf("%.4f\n", logistic.LogProb(torch.Scalar(float32(1))).Exp())
	// Output:
	// 0.5000
	// 0.1250
}

// A number that is to be optimized without bounds becomes a positive parameter.
func ExampleTransformTo() {
	unconstrained := torch.Options{RequiresGrad: true}.Zeros(3)
	scale := distributions.TransformTo(constraints.Positive).Forward(unconstrained)
	data := torch.Ones(3)
	distributions.NewNormal(0, scale).LogProb(data).Sum().Neg().Backward()
	fmt.Println(scale.Detach(), unconstrained.Grad())
	// Output: tensor([1., 1., 1.]) tensor([0., 0., 0.])
}

// Parameters and values are checked.
func ExampleOptions() {
	err := torch.Try(func() { distributions.NewNormal(0, -1) })
	fmt.Println(err)

	n := distributions.NewNormal(0, -1, distributions.Options{ValidateArgs: new(false)})
	fmt.Println(n)

	err = torch.Try(func() { distributions.NewBernoulli(0.5).LogProb(torch.Scalar(float32(2))) })
	fmt.Println(err)

	err = torch.Try(func() { n.RSample(); distributions.NewBernoulli(0.5).RSample() })
	fmt.Println(errors.Is(err, torch.ErrNotImplemented), err)
	// Output:
	// torch: distributions.Normal: scale, of shape [], must satisfy GreaterThan(lower_bound=0.0), which -1.0 does not
	// Normal(loc: 0.0, scale: -1.0)
	// torch: distributions.Bernoulli.LogProb: value, of shape [], must satisfy Boolean(), which 2.0 does not
	// true torch: distributions.Bernoulli: PyTorch has no RSample for this distribution
}
