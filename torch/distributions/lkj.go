package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	"github.com/torchhub/torchhub/torch/linalg"
)

// LKJCholesky is the distribution of the lower-triangular factors of correlation matrices:
// torch.distributions.LKJCholesky. NewLKJCholesky makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#lkjcholesky
type LKJCholesky struct {
	core
	N             int           // of the N×N matrices: dim
	Concentration *torch.Tensor // the shape η
	beta          *Beta
}

// LKJCholeskyOptions are the options of [NewLKJCholesky].
type LKJCholeskyOptions struct {
	Concentration TensorOrNumber // nil is 1, the uniform distribution of correlation matrices
	ValidateArgs  *bool          // as in [Options]
}

// NewLKJCholesky returns a distribution of factors of dim×dim correlation matrices:
// LKJCholesky(dim, concentration).
//
// https://docs.pytorch.org/docs/stable/distributions.html#lkjcholesky
func NewLKJCholesky(dim int, options ...LKJCholeskyOptions) *LKJCholesky {
	o := torch.Only(options)
	if dim < 2 {
		fail("LKJCholesky", "dim is %d; it must be 2 or more", dim)
	}
	if isNil(o.Concentration) {
		o.Concentration = 1.0
	}
	c := broadcast("LKJCholesky", named{"Concentration", o.Concentration})[0]
	d := &LKJCholesky{N: dim, Concentration: c}
	d.setup().check(o.ValidateArgs)
	marginal := c.AddScalar(0.5 * float64(dim-2))
	offset := torch.Cat([]*torch.Tensor{like(c).Zeros(1), like(c).Arange(dim - 1)}, 0)
	d.beta = NewBeta(offset.AddScalar(0.5), marginal.Unsqueeze(-1).Sub(offset.MulScalar(0.5)))
	return d
}

func (d *LKJCholesky) setup() *LKJCholesky {
	d.set(d, "LKJCholesky", d.Concentration.Shape(), []int{d.N, d.N}, given("concentration", constraints.Positive, d.Concentration))
	return d
}

// Expand implements [Distribution].
func (d *LKJCholesky) Expand(batchShape ...int) Distribution {
	n := &LKJCholesky{N: d.N, Concentration: d.Concentration.Expand(batchShape...)}
	n.beta = d.beta.Expand(append(batchShape[:len(batchShape):len(batchShape)], d.N)...).(*Beta)
	n.setup().validate = d.validate
	return n
}

// Support implements [Distribution].
func (d *LKJCholesky) Support() constraints.Constraint { return constraints.CorrCholesky }

// Sample implements [Distribution], by the onion method (Lewandowski, Kurowicka and Joe,
// Generating random correlation matrices, 2009).
func (d *LKJCholesky) Sample(sampleShape ...int) *torch.Tensor {
	return noGrad(func() *torch.Tensor {
		y := d.beta.Sample(sampleShape...).Unsqueeze(-1)
		u := like(y).Randn(d.extended(sampleShape...)...).Tril(torch.TrilOptions{Diagonal: -1})
		sphere := u.Div(linalg.VectorNorm(u, 2, -1, linalg.VectorNormOptions{KeepDim: true}))
		sphere.Select(-2, 0).FillInPlace(0.0)
		w := y.Sqrt().Mul(sphere)
		rest := w.PowScalar(2).Sum(-1).RSubScalar(1).ClampMin(tiny(w)).Sqrt()
		return w.AddInPlace(rest.DiagEmbed())
	})
}

// LogProb implements [Distribution].
func (d *LKJCholesky) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	diag := value.Diagonal(torch.DiagonalOptions{Dim1: -1, Dim2: new(-2)})
	diag = diag.Narrow(-1, 1, d.N-1)
	order := torch.Options{Device: d.Concentration.Device()}.ArangeStep(2, d.N+1, 1)
	order = d.Concentration.SubScalar(1).Unsqueeze(-1).MulScalar(2).AddScalar(d.N).Sub(order)
	density := order.Mul(diag.Log()).Sum(-1)
	m := d.N - 1
	alpha := d.Concentration.AddScalar(0.5 * float64(m))
	numerator, denominator := alpha.SubScalar(0.5).Mvlgamma(m), alpha.Lgamma().MulScalar(m)
	return density.Sub(numerator.AddScalar(0.5 * float64(m) * logPi).Sub(denominator))
}
