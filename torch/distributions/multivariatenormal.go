package distributions

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	"github.com/torchhub/torchhub/torch/linalg"
)

// matrix is the parameter of a distribution that is a covariance matrix, given in one of
// three forms, of which the others are computed.
type matrix struct {
	covariance, precision, tril lazy
	factor                      *torch.Tensor // the lower-triangular factor, not broadcast
	shape                       []int         // to which the forms are broadcast
}

// forms are what one of must be given, by the names in Go.
type forms struct {
	op                          string
	covariance, precision, tril *torch.Tensor
}

// given returns the form that is given.
func (f forms) given() *torch.Tensor {
	var x *torch.Tensor
	for _, y := range []*torch.Tensor{f.covariance, f.precision, f.tril} {
		if y != nil && x != nil {
			fail(f.op, "two of covarianceMatrix, PrecisionMatrix and ScaleTril are given; give one")
		}
		if y != nil {
			x = y
		}
	}
	switch {
	case x == nil:
		fail(f.op, "give one of covarianceMatrix, PrecisionMatrix and ScaleTril")
	case x.Dim() < 2:
		fail(f.op, "the matrix has the shape %v; it must have two dimensions or more", x.Shape())
	}
	return x
}

// expandTo broadcasts the form that is given, whose factor is computed after the check.
func (m *matrix) expandTo(f forms, batchShape []int) {
	x := f.given()
	m.shape = slices.Concat(batchShape, x.Shape()[x.Dim()-2:])
	x = x.Expand(m.shape...)
	switch {
	case f.covariance != nil:
		m.covariance.x = x
	case f.precision != nil:
		m.precision.x = x
	default:
		m.tril.x = x
	}
}

// factorize computes the factor.
func (m *matrix) factorize(f forms) {
	switch {
	case f.covariance != nil:
		m.factor = linalg.Cholesky(f.covariance)
	case f.precision != nil:
		inverse := linalg.Cholesky(f.precision.Flip(-2, -1)).Flip(-2, -1).Transpose(-2, -1)
		m.factor = linalg.SolveTriangular(inverse, like(inverse).Eye(inverse.Size(-1)), false)
	default:
		m.factor = f.tril
	}
}

// expandFrom expands what another matrix has, and takes its factor.
func (m *matrix) expandFrom(from *matrix, batchShape []int) {
	m.shape = slices.Concat(batchShape, from.shape[len(from.shape)-2:])
	m.factor = from.factor
	for to, l := range map[*lazy]*lazy{&m.covariance: &from.covariance, &m.precision: &from.precision, &m.tril: &from.tril} {
		if x := l.value(); x != nil {
			to.x = x.Expand(m.shape...)
		}
	}
}

// ScaleTril returns the lower-triangular factor of the covariance matrix: scale_tril.
func (m *matrix) ScaleTril() *torch.Tensor {
	return m.tril.get(func() *torch.Tensor { return m.factor.Expand(m.shape...) })
}

// CovarianceMatrix returns the covariance matrix: covariance_matrix.
func (m *matrix) CovarianceMatrix() *torch.Tensor {
	return m.covariance.get(func() *torch.Tensor { return m.factor.MatMul(m.factor.MT()).Expand(m.shape...) })
}

// halfLogDet returns half the logarithm of the determinant.
func (m *matrix) halfLogDet() *torch.Tensor { return diagonal(m.factor).Log().Sum(-1) }

func (m *matrix) parameters() []parameter {
	return []parameter{
		{name: "covariance_matrix", constraint: constraints.PositiveDefinite, lazy: &m.covariance},
		{name: "precision_matrix", constraint: constraints.PositiveDefinite, lazy: &m.precision},
		{name: "scale_tril", constraint: constraints.LowerCholesky, lazy: &m.tril},
	}
}

// MultivariateNormal is the Gaussian distribution of vectors:
// torch.distributions.MultivariateNormal. NewMultivariateNormal makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#multivariatenormal
type MultivariateNormal struct {
	core
	matrix
	Loc *torch.Tensor // the mean, [..., n]
}

// MultivariateNormalOptions are the options of [NewMultivariateNormal].
type MultivariateNormalOptions struct {
	PrecisionMatrix *torch.Tensor // the inverse of the covariance matrix, instead of it
	ScaleTril       *torch.Tensor // a lower-triangular factor of the covariance matrix, instead of it; the fastest
	ValidateArgs    *bool         // as in [Options]
}

// NewMultivariateNormal returns a Gaussian distribution of vectors by their mean [..., n]
// and covariance matrix [..., n, n]: MultivariateNormal(loc, covariance_matrix).
//
//	m := distributions.NewMultivariateNormal(x, nil, distributions.MultivariateNormalOptions{ScaleTril: y}) // MultivariateNormal(x, scale_tril=y)
//
// https://docs.pytorch.org/docs/stable/distributions.html#multivariatenormal
func NewMultivariateNormal(loc, covarianceMatrix *torch.Tensor, options ...MultivariateNormalOptions) *MultivariateNormal {
	o := torch.Only(options)
	vector("MultivariateNormal", "loc", loc)
	f := forms{"MultivariateNormal", covarianceMatrix, o.PrecisionMatrix, o.ScaleTril}
	x := f.given()
	shape := loc.Shape()
	n := len(shape) - 1
	batch := broadcastShapes(f.op, x.Shape()[:x.Dim()-2], shape[:n])
	d := &MultivariateNormal{Loc: loc.Expand(append(batch[:len(batch):len(batch)], shape[n])...)}
	d.expandTo(f, batch)
	d.setup().check(o.ValidateArgs)
	d.factorize(f)
	return d
}

func (d *MultivariateNormal) setup() *MultivariateNormal {
	shape := d.Loc.Shape()
	n := len(shape) - 1
	loc := given("loc", constraints.RealVector, d.Loc)
	d.set(d, "MultivariateNormal", shape[:n:n], shape[n:], append([]parameter{loc}, d.matrix.parameters()...)...)
	return d
}

// Expand implements [Distribution].
func (d *MultivariateNormal) Expand(batchShape ...int) Distribution {
	n := &MultivariateNormal{Loc: d.Loc.Expand(append(batchShape[:len(batchShape):len(batchShape)], d.eventShape...)...)}
	n.expandFrom(&d.matrix, batchShape)
	n.setup().validate = d.validate
	return n
}

// PrecisionMatrix returns the inverse of the covariance matrix: precision_matrix.
func (d *MultivariateNormal) PrecisionMatrix() *torch.Tensor {
	return d.precision.get(func() *torch.Tensor { return d.factor.CholeskyInverse().Expand(d.shape...) })
}

// Support implements [Distribution].
func (d *MultivariateNormal) Support() constraints.Constraint { return constraints.RealVector }

// HasRSample implements [Distribution].
func (d *MultivariateNormal) HasRSample() bool { return true }

// RSample implements [Distribution].
func (d *MultivariateNormal) RSample(sampleShape ...int) *torch.Tensor {
	return d.Loc.Add(times(d.factor, standardNormal(d.Loc, d.extended(sampleShape...))))
}

// times returns products of matrices and vectors.
func times(m, v *torch.Tensor) *torch.Tensor { return m.MatMul(v.Unsqueeze(-1)).Squeeze(-1) }

// LogProb implements [Distribution].
func (d *MultivariateNormal) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	m := mahalanobis(d.factor, value.Sub(d.Loc))
	return m.AddScalar(float64(d.eventShape[0]) * log2Pi).MulScalar(-0.5).Sub(d.halfLogDet())
}

// Entropy implements [Distribution].
func (d *MultivariateNormal) Entropy() *torch.Tensor {
	return d.halfLogDet().AddScalar(0.5 * float64(d.eventShape[0]) * (1.0 + log2Pi)).Expand(d.batchShape...)
}

// Mean implements [Distribution].
func (d *MultivariateNormal) Mean() *torch.Tensor { return d.Loc }

// Mode implements [Distribution].
func (d *MultivariateNormal) Mode() *torch.Tensor { return d.Loc }

// Variance implements [Distribution].
func (d *MultivariateNormal) Variance() *torch.Tensor {
	return d.factor.PowScalar(2).Sum(-1).Expand(d.extended()...)
}

// mahalanobis returns the squares of the Mahalanobis distances of vectors [..., n], by
// lower-triangular factors [..., n, n] of fewer dimensions: it solves one system for each
// factor, with all vectors of it.
func mahalanobis(factor, x *torch.Tensor) *torch.Tensor {
	n := x.Size(-1)
	shape := x.Shape()[:x.Dim()-1]
	factorDims := factor.Dim() - 2
	outer := len(shape) - factorDims
	split := slices.Clone(shape[:outer]) // each size as a multiple of the factors'
	for i, size := range factor.Shape()[:factorDims] {
		split = append(split, shape[outer+i]/size, size)
	}
	order := make([]int, 0, len(split)+1) // the multiples before the factors' sizes
	for i := range outer {
		order = append(order, i)
	}
	for _, first := range []int{outer, outer + 1} {
		for i := first; i < len(split); i += 2 {
			order = append(order, i)
		}
	}
	back := slices.Clone(order[:outer])
	for i := range factorDims {
		back = append(back, outer+i, outer+factorDims+i)
	}
	x = x.Reshape(append(split, n)...).Permute(append(order, len(split))...)
	factors := factor.Reshape(-1, n, n)
	vectors := x.Reshape(-1, factors.Size(0), n).Permute(1, 2, 0)
	m := linalg.SolveTriangular(factors, vectors, false).PowScalar(2).Sum(-2).T()
	return m.Reshape(x.Shape()[:x.Dim()-1]...).Permute(back...).Reshape(shape...)
}
