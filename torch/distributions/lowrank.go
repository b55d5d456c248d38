package distributions

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	"github.com/torchhub/torchhub/torch/linalg"
)

// LowRankMultivariateNormal is the Gaussian distribution of vectors whose covariance matrix
// is W·Wᵀ + D of a factor W with few columns and a diagonal D:
// torch.distributions.LowRankMultivariateNormal. NewLowRankMultivariateNormal makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#lowrankmultivariatenormal
type LowRankMultivariateNormal struct {
	core
	Loc, CovFactor, CovDiag *torch.Tensor // the mean [..., n], W [..., n, m] and D [..., n]

	factor, diag                     *torch.Tensor // W and D, not broadcast
	capacitance                      *torch.Tensor // the lower-triangular factor of I + Wᵀ·D⁻¹·W
	variance, tril, covariance, prec lazy
}

// NewLowRankMultivariateNormal returns a Gaussian distribution of vectors of n numbers by
// their mean [..., n] and W [..., n, m] and D [..., n]:
// LowRankMultivariateNormal(loc, cov_factor, cov_diag).
//
// https://docs.pytorch.org/docs/stable/distributions.html#lowrankmultivariatenormal
func NewLowRankMultivariateNormal(loc, covFactor, covDiag *torch.Tensor, options ...Options) *LowRankMultivariateNormal {
	const op = "LowRankMultivariateNormal"
	vector(op, "loc", loc)
	n := loc.Size(-1)
	if covFactor.Dim() < 2 || covFactor.Size(-2) != n {
		fail(op, "covFactor has the shape %v; it must be matrices of %d rows", covFactor.Shape(), n)
	}
	if covDiag.Dim() < 1 || covDiag.Size(-1) != n {
		fail(op, "covDiag has the shape %v; it must be vectors of %d numbers", covDiag.Shape(), n)
	}
	x := torch.BroadcastTensors([]*torch.Tensor{loc.Unsqueeze(-1), covFactor, covDiag.Unsqueeze(-1)})
	d := &LowRankMultivariateNormal{
		Loc: x[0].Select(-1, 0), CovFactor: x[1], CovDiag: x[2].Select(-1, 0),
		factor: covFactor, diag: covDiag,
	}
	d.setup().check(torch.Only(options).ValidateArgs)
	scaled := d.scaled()
	d.capacitance = linalg.Cholesky(plusIdentity(scaled.MatMul(covFactor)))
	return d
}

// plusIdentity adds 1 to the diagonals of matrices.
func plusIdentity(x *torch.Tensor) *torch.Tensor {
	x = x.Contiguous()
	n := x.Size(-1)
	x.View(-1, n*n).SliceDim(1, 0, n*n, n+1).AddScalarInPlace(1)
	return x
}

func (d *LowRankMultivariateNormal) setup() *LowRankMultivariateNormal {
	shape := d.Loc.Shape()
	n := len(shape) - 1
	d.set(d, "LowRankMultivariateNormal", shape[:n:n], shape[n:],
		given("loc", constraints.RealVector, d.Loc),
		given("cov_factor", constraints.Independent(constraints.Real, 2), d.CovFactor),
		given("cov_diag", constraints.Independent(constraints.Positive, 1), d.CovDiag))
	return d
}

// Expand implements [Distribution].
func (d *LowRankMultivariateNormal) Expand(batchShape ...int) Distribution {
	shape := slices.Concat(batchShape, d.eventShape)
	n := &LowRankMultivariateNormal{
		Loc: d.Loc.Expand(shape...), CovDiag: d.CovDiag.Expand(shape...),
		CovFactor: d.CovFactor.Expand(append(shape, d.CovFactor.Size(-1))...),
		factor:    d.factor, diag: d.diag, capacitance: d.capacitance,
	}
	n.setup().validate = d.validate
	return n
}

// scaled returns Wᵀ·D⁻¹.
func (d *LowRankMultivariateNormal) scaled() *torch.Tensor {
	return d.factor.MT().Div(d.diag.Unsqueeze(-2))
}

func (d *LowRankMultivariateNormal) logDet() *torch.Tensor {
	return diagonal(d.capacitance).Log().Sum(-1).MulScalar(2).Add(d.diag.Log().Sum(-1))
}

// distance returns the squares of the Mahalanobis distances of vectors.
func (d *LowRankMultivariateNormal) distance(x *torch.Tensor) *torch.Tensor {
	y := times(d.scaled(), x)
	return x.PowScalar(2).Div(d.diag).Sum(-1).Sub(mahalanobis(d.capacitance, y))
}

func (d *LowRankMultivariateNormal) square() []int { return slices.Concat(d.extended(), d.eventShape) }

// ScaleTril returns a lower-triangular factor of the covariance matrix: scale_tril.
func (d *LowRankMultivariateNormal) ScaleTril() *torch.Tensor {
	return d.tril.get(func() *torch.Tensor {
		root := d.diag.Sqrt().Unsqueeze(-1)
		w := d.factor.Div(root)
		return root.Mul(linalg.Cholesky(plusIdentity(w.MatMul(w.MT())))).Expand(d.square()...)
	})
}

// CovarianceMatrix returns the covariance matrix: covariance_matrix.
func (d *LowRankMultivariateNormal) CovarianceMatrix() *torch.Tensor {
	return d.covariance.get(func() *torch.Tensor {
		return d.factor.MatMul(d.factor.MT()).Add(d.diag.DiagEmbed()).Expand(d.square()...)
	})
}

// PrecisionMatrix returns the inverse of the covariance matrix: precision_matrix.
func (d *LowRankMultivariateNormal) PrecisionMatrix() *torch.Tensor {
	return d.prec.get(func() *torch.Tensor {
		a := linalg.SolveTriangular(d.capacitance, d.scaled(), false)
		return d.diag.Reciprocal().DiagEmbed().Sub(a.MT().MatMul(a)).Expand(d.square()...)
	})
}

// Support implements [Distribution].
func (d *LowRankMultivariateNormal) Support() constraints.Constraint { return constraints.RealVector }

// HasRSample implements [Distribution].
func (d *LowRankMultivariateNormal) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *LowRankMultivariateNormal) RSample(sampleShape ...int) *torch.Tensor {
	shape := d.extended(sampleShape...)
	small := append(slices.Clone(shape[:len(shape)-1]), d.CovFactor.Size(-1))
	w, e := standardNormal(d.Loc, small), standardNormal(d.Loc, shape)
	return d.Loc.Add(times(d.factor, w)).Add(d.diag.Sqrt().Mul(e))
}

// LogProb implements [Distribution].
func (d *LowRankMultivariateNormal) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	m := d.distance(value.Sub(d.Loc))
	return d.logDet().AddScalar(float64(d.eventShape[0]) * log2Pi).Add(m).MulScalar(-0.5)
}

// Entropy implements [Distribution].
func (d *LowRankMultivariateNormal) Entropy() *torch.Tensor {
	h := d.logDet().AddScalar(float64(d.eventShape[0]) * (1.0 + log2Pi)).MulScalar(0.5)
	return h.Expand(d.batchShape...)
}

// Mean implements [Distribution].
func (d *LowRankMultivariateNormal) Mean() *torch.Tensor { return d.Loc }

// Mode implements [Distribution].
func (d *LowRankMultivariateNormal) Mode() *torch.Tensor { return d.Loc }

// Variance implements [Distribution].
func (d *LowRankMultivariateNormal) Variance() *torch.Tensor {
	return d.variance.get(func() *torch.Tensor {
		return d.factor.PowScalar(2).Sum(-1).Add(d.diag).Expand(d.extended()...)
	})
}
