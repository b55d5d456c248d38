package distributions

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/linalg"
)

// The divergences of Gaussian distributions of vectors.
func init() {
	RegisterKL(func(p, q *MultivariateNormal) *torch.Tensor {
		n := sameEvents(p, q)
		t1 := q.halfLogDet().Sub(p.halfLogDet())
		t2 := traceOf(solve(q.factor, p.factor))
		t3 := mahalanobis(q.factor, q.Loc.Sub(p.Loc))
		return t1.Add(t2.Add(t3).SubScalar(n).MulScalar(0.5))
	})
	RegisterKL(func(p, q *LowRankMultivariateNormal) *torch.Tensor {
		n := sameEvents(p, q)
		t1 := q.logDet().Sub(p.logDet())
		t3 := q.distance(q.Loc.Sub(p.Loc))
		a := linalg.SolveTriangular(q.capacitance, q.scaled(), false)
		t21 := p.diag.Div(q.diag).Sum(-1)
		t22 := traceOf(p.factor.Mul(q.diag.Rsqrt().Unsqueeze(-1)))
		t23 := traceOf(a.Mul(p.diag.Sqrt().Unsqueeze(-2)))
		t24 := traceOf(a.MatMul(p.factor))
		t2 := t21.Add(t22).Sub(t23).Sub(t24)
		return t1.Add(t2).Add(t3).SubScalar(n).MulScalar(0.5)
	})
	RegisterKL(func(p *MultivariateNormal, q *LowRankMultivariateNormal) *torch.Tensor {
		n := sameEvents(p, q)
		t1 := q.logDet().Sub(p.halfLogDet().MulScalar(2))
		t3 := q.distance(q.Loc.Sub(p.Loc))
		a := linalg.SolveTriangular(q.capacitance, q.scaled(), false)
		t2 := traceOf(p.factor.Mul(q.diag.Rsqrt().Unsqueeze(-1))).Sub(traceOf(a.MatMul(p.factor)))
		return t1.Add(t2).Add(t3).SubScalar(n).MulScalar(0.5)
	})
	RegisterKL(func(p *LowRankMultivariateNormal, q *MultivariateNormal) *torch.Tensor {
		n := sameEvents(p, q)
		t1 := q.halfLogDet().MulScalar(2).Sub(p.logDet())
		t3 := mahalanobis(q.factor, q.Loc.Sub(p.Loc))
		t2 := traceOf(solve(q.factor, p.factor)).Add(traceOf(solve(q.factor, p.diag.Sqrt().DiagEmbed())))
		return t1.Add(t2).Add(t3).SubScalar(n).MulScalar(0.5)
	})
}

// sameEvents returns the number of elements of the vectors, which must be the same.
func sameEvents(p, q Distribution) int {
	a, b := p.EventShape(), q.EventShape()
	if !slices.Equal(a, b) {
		fail("KL", "the distributions have events of the shapes %v and %v, which must be equal", a, b)
	}
	return a[0]
}

// traceOf returns the traces of products of matrices with their transposes.
func traceOf(x *torch.Tensor) *torch.Tensor {
	n := x.Dim() - 2
	return x.Reshape(-1, x.Size(-1)*x.Size(-2)).PowScalar(2).Sum(-1).Reshape(x.Shape()[:n]...)
}

// solve solves systems of lower-triangular matrices, which are broadcast with x.
func solve(factor, x *torch.Tensor) *torch.Tensor {
	batch := broadcastShapes("KL", factor.Shape()[:factor.Dim()-2], x.Shape()[:x.Dim()-2])
	wide := func(x *torch.Tensor) *torch.Tensor {
		return x.Expand(append(slices.Clone(batch), x.Size(-2), x.Size(-1))...)
	}
	return linalg.SolveTriangular(wide(factor), wide(x), false)
}
