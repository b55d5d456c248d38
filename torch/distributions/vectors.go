package distributions

import (
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	"github.com/torchhub/torchhub/torch/linalg"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// SoftmaxTransform is y = softmax(x) over the last dimension, which has no true inverse:
// torch.distributions.transforms.SoftmaxTransform().
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.SoftmaxTransform
type SoftmaxTransform struct{ joint }

// Forward implements [Transform].
func (SoftmaxTransform) Forward(x *torch.Tensor) *torch.Tensor {
	greatest, _ := x.MaxDim(-1, torch.MaxOptions{KeepDim: true})
	p := x.Sub(greatest).Exp()
	return p.Div(sumLast(p))
}

// Inverse implements [Transform].
func (SoftmaxTransform) Inverse(y *torch.Tensor) *torch.Tensor { return y.Log() }

// Inv implements [Transform].
func (t SoftmaxTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian panics, as the transform is not bijective.
func (SoftmaxTransform) LogAbsDetJacobian(_, _ *torch.Tensor) *torch.Tensor {
	return noJacobian("SoftmaxTransform")
}

// Domain implements [Transform].
func (SoftmaxTransform) Domain() constraints.Constraint { return constraints.RealVector }

// Codomain implements [Transform].
func (SoftmaxTransform) Codomain() constraints.Constraint { return constraints.Simplex }

// Bijective implements [Transform].
func (SoftmaxTransform) Bijective() bool { return false }

// ForwardShape implements [Transform].
func (SoftmaxTransform) ForwardShape(shape []int) []int {
	return ofDims("SoftmaxTransform", shape, 1)
}

// InverseShape implements [Transform].
func (SoftmaxTransform) InverseShape(shape []int) []int {
	return ofDims("SoftmaxTransform", shape, 1)
}

// ofDims requires a number of dimensions.
func ofDims(name string, shape []int, n int) []int {
	if len(shape) < n {
		fail(name, "the shape is %v; it must have %d dimensions or more", shape, n)
	}
	return shape
}

// Equal implements [Transform].
func (SoftmaxTransform) Equal(other Transform) bool { return same[SoftmaxTransform](other) }

func (SoftmaxTransform) String() string { return "SoftmaxTransform()" }

// StickBreakingTransform makes vectors of n+1 probabilities of vectors of n numbers:
// torch.distributions.transforms.StickBreakingTransform().
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.StickBreakingTransform
type StickBreakingTransform struct{ joint }

// offsets returns the logarithms of the numbers from n down to n minus the count of x, plus 1.
func offsets(x *torch.Tensor, n int) *torch.Tensor {
	return like(x).Ones(x.Size(-1)).Cumsum(-1).RSubScalar(n).Log()
}

// Forward implements [Transform].
func (StickBreakingTransform) Forward(x *torch.Tensor) *torch.Tensor {
	z := clippedSigmoid(x.Sub(offsets(x, x.Size(-1)+1)))
	rest := z.RSubScalar(1).Cumprod(-1)
	one := F.PadOptions{Value: new(1.0)}
	return F.Pad(z, []int{0, 1}, one).Mul(F.Pad(rest, []int{1, 0}, one))
}

// Inverse implements [Transform].
func (StickBreakingTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	cropped := y.Index(torch.Ellipsis, torch.Slice(0, -1))
	rest := cropped.Cumsum(-1).RSubScalar(1).ClampMin(tiny(y))
	return cropped.Log().Sub(rest.Log()).Add(offsets(cropped, y.Size(-1)))
}

// Inv implements [Transform].
func (t StickBreakingTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (StickBreakingTransform) LogAbsDetJacobian(x, y *torch.Tensor) *torch.Tensor {
	x = x.Sub(offsets(x, x.Size(-1)+1))
	return x.Neg().Add(F.LogSigmoid(x)).Add(y.Index(torch.Ellipsis, torch.Slice(0, -1)).Log()).Sum(-1)
}

// Domain implements [Transform].
func (StickBreakingTransform) Domain() constraints.Constraint { return constraints.RealVector }

// Codomain implements [Transform].
func (StickBreakingTransform) Codomain() constraints.Constraint { return constraints.Simplex }

// Bijective implements [Transform].
func (StickBreakingTransform) Bijective() bool { return true }

// ForwardShape implements [Transform].
func (StickBreakingTransform) ForwardShape(shape []int) []int {
	shape = slices.Clone(ofDims("StickBreakingTransform", shape, 1))
	shape[len(shape)-1]++
	return shape
}

// InverseShape implements [Transform].
func (StickBreakingTransform) InverseShape(shape []int) []int {
	shape = slices.Clone(ofDims("StickBreakingTransform", shape, 1))
	shape[len(shape)-1]--
	return shape
}

// Equal implements [Transform].
func (StickBreakingTransform) Equal(other Transform) bool { return same[StickBreakingTransform](other) }

func (StickBreakingTransform) String() string { return "StickBreakingTransform()" }

// LowerCholeskyTransform makes lower-triangular matrices with positive diagonals of square
// matrices: torch.distributions.transforms.LowerCholeskyTransform().
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.LowerCholeskyTransform
type LowerCholeskyTransform struct{ joint }

// Forward implements [Transform].
func (LowerCholeskyTransform) Forward(x *torch.Tensor) *torch.Tensor {
	return x.Tril(torch.TrilOptions{Diagonal: -1}).Add(diagonal(x).Exp().DiagEmbed())
}

// Inverse implements [Transform].
func (LowerCholeskyTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	return y.Tril(torch.TrilOptions{Diagonal: -1}).Add(diagonal(y).Log().DiagEmbed())
}

// Inv implements [Transform].
func (t LowerCholeskyTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian panics, as in PyTorch, which has none.
func (LowerCholeskyTransform) LogAbsDetJacobian(_, _ *torch.Tensor) *torch.Tensor {
	return noJacobian("LowerCholeskyTransform")
}

// Domain implements [Transform].
func (LowerCholeskyTransform) Domain() constraints.Constraint {
	return constraints.Independent(constraints.Real, 2)
}

// Codomain implements [Transform].
func (LowerCholeskyTransform) Codomain() constraints.Constraint { return constraints.LowerCholesky }

// Bijective implements [Transform]. PyTorch says that it is not.
func (LowerCholeskyTransform) Bijective() bool { return false }

// Equal implements [Transform].
func (LowerCholeskyTransform) Equal(other Transform) bool { return same[LowerCholeskyTransform](other) }

func (LowerCholeskyTransform) String() string { return "LowerCholeskyTransform()" }

// PositiveDefiniteTransform makes positive-definite matrices of square matrices:
// torch.distributions.transforms.PositiveDefiniteTransform().
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.PositiveDefiniteTransform
type PositiveDefiniteTransform struct{ joint }

// Forward implements [Transform].
func (PositiveDefiniteTransform) Forward(x *torch.Tensor) *torch.Tensor {
	l := LowerCholeskyTransform{}.Forward(x)
	return l.MatMul(l.MT())
}

// Inverse implements [Transform].
func (PositiveDefiniteTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	return LowerCholeskyTransform{}.Inverse(linalg.Cholesky(y))
}

// Inv implements [Transform].
func (t PositiveDefiniteTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian panics, as in PyTorch, which has none.
func (PositiveDefiniteTransform) LogAbsDetJacobian(_, _ *torch.Tensor) *torch.Tensor {
	return noJacobian("PositiveDefiniteTransform")
}

// Domain implements [Transform].
func (PositiveDefiniteTransform) Domain() constraints.Constraint {
	return constraints.Independent(constraints.Real, 2)
}

// Codomain implements [Transform].
func (PositiveDefiniteTransform) Codomain() constraints.Constraint {
	return constraints.PositiveDefinite
}

// Bijective implements [Transform]. PyTorch says that it is not.
func (PositiveDefiniteTransform) Bijective() bool { return false }

// Equal implements [Transform].
func (PositiveDefiniteTransform) Equal(other Transform) bool {
	return same[PositiveDefiniteTransform](other)
}

func (PositiveDefiniteTransform) String() string { return "PositiveDefiniteTransform()" }

// CorrCholeskyTransform makes Cholesky factors of correlation matrices of vectors:
// torch.distributions.transforms.CorrCholeskyTransform().
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.CorrCholeskyTransform
type CorrCholeskyTransform struct{ joint }

// Forward implements [Transform].
func (t CorrCholeskyTransform) Forward(x *torch.Tensor) *torch.Tensor {
	n := t.ForwardShape(x.Shape()[x.Dim()-1:])[0]
	x = x.Tanh()
	x = x.Clamp(-1+eps(x), 1-eps(x))
	r := like(x).Zeros(append(x.Shape()[:x.Dim()-1], n, n)...)
	r.SetIndex(x, torch.Ellipsis, trilMask(x, n, -1))
	rest := r.PowScalar(2).RSubScalar(1).Sqrt().Cumprod(-1)
	r = r.Add(like(r).Eye(n))
	return r.Mul(shifted(rest))
}

// shifted moves the columns of matrices by one, after a column of ones.
func shifted(x *torch.Tensor) *torch.Tensor {
	return F.Pad(x.Index(torch.Ellipsis, torch.Slice(0, -1)), []int{1, 0}, F.PadOptions{Value: new(1.0)})
}

// trilMask is true at and below a diagonal of a square matrix of n rows.
func trilMask(x *torch.Tensor, n, diag int) *torch.Tensor {
	at := torch.Options{DType: torch.Int64, Device: x.Device()}.Arange(n)
	return at.Lt(at.View(-1, 1).AddScalar(diag + 1))
}

// trilVector returns the elements at and below a diagonal of matrices.
func trilVector(x *torch.Tensor, diag int) *torch.Tensor {
	return x.Index(torch.Ellipsis, trilMask(x, x.Size(-1), diag))
}

// Inverse implements [Transform].
func (CorrCholeskyTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	rest := shifted(y.Mul(y).Cumsum(-1).RSubScalar(1))
	t := trilVector(y, -1).Div(trilVector(rest, -1).Sqrt())
	return t.Log1p().Sub(t.Neg().Log1p()).DivScalar(2)
}

// Inv implements [Transform].
func (t CorrCholeskyTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (CorrCholeskyTransform) LogAbsDetJacobian(x, y *torch.Tensor) *torch.Tensor {
	rest := trilVector(y.Mul(y).Cumsum(-1).RSubScalar(1), -2)
	tanh := x.Add(F.Softplus(x.MulScalar(-2))).SubScalar(log2).Sum(-1).MulScalar(-2)
	return rest.Log().Sum(-1).MulScalar(0.5).Add(tanh)
}

// Domain implements [Transform].
func (CorrCholeskyTransform) Domain() constraints.Constraint { return constraints.RealVector }

// Codomain implements [Transform].
func (CorrCholeskyTransform) Codomain() constraints.Constraint { return constraints.CorrCholesky }

// Bijective implements [Transform].
func (CorrCholeskyTransform) Bijective() bool { return true }

// ForwardShape implements [Transform].
func (CorrCholeskyTransform) ForwardShape(shape []int) []int {
	end := len(ofDims("CorrCholeskyTransform", shape, 1)) - 1
	n := int(math.RoundToEven(math.Sqrt(0.25+2*float64(shape[end])) + 0.5))
	if n*(n-1)/2 != shape[end] {
		fail("CorrCholeskyTransform", "the last size is %d; it must be n(n-1)/2 of an n", shape[end])
	}
	return append(slices.Clip(shape[:end]), n, n)
}

// InverseShape implements [Transform].
func (CorrCholeskyTransform) InverseShape(shape []int) []int {
	end := len(ofDims("CorrCholeskyTransform", shape, 2)) - 2
	n := shape[end]
	if n != shape[end+1] {
		fail("CorrCholeskyTransform", "the shape is %v; its last two sizes must be equal", shape)
	}
	return append(slices.Clip(shape[:end]), n*(n-1)/2)
}

// Equal implements [Transform].
func (CorrCholeskyTransform) Equal(other Transform) bool { return same[CorrCholeskyTransform](other) }

func (CorrCholeskyTransform) String() string { return "CorrCholeskyTransform()" }

// CumulativeDistributionTransform is y = Distribution.CDF(x):
// torch.distributions.transforms.CumulativeDistributionTransform(distribution).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.CumulativeDistributionTransform
type CumulativeDistributionTransform struct {
	increasing
	Distribution Distribution
}

// Forward implements [Transform].
func (t CumulativeDistributionTransform) Forward(x *torch.Tensor) *torch.Tensor {
	return t.Distribution.CDF(x)
}

// Inverse implements [Transform].
func (t CumulativeDistributionTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	return t.Distribution.ICDF(y)
}

// Inv implements [Transform].
func (t CumulativeDistributionTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (t CumulativeDistributionTransform) LogAbsDetJacobian(x, _ *torch.Tensor) *torch.Tensor {
	return t.Distribution.LogProb(x)
}

// Domain implements [Transform].
func (t CumulativeDistributionTransform) Domain() constraints.Constraint {
	return t.Distribution.Support()
}

// Codomain implements [Transform].
func (CumulativeDistributionTransform) Codomain() constraints.Constraint {
	return constraints.UnitInterval
}

// Equal implements [Transform].
func (t CumulativeDistributionTransform) Equal(other Transform) bool {
	o, ok := other.(CumulativeDistributionTransform)
	return ok && t.Distribution == o.Distribution
}

func (CumulativeDistributionTransform) String() string {
	return "CumulativeDistributionTransform()"
}
