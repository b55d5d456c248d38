package constraints

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/torch/linalg"
)

// The constraints without parameters: constraints.boolean and so on.
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
var (
	Boolean Constraint = &simple{name: "Boolean", discrete: true, check: isBoolean}                           // 0 and 1
	OneHot  Constraint = &simple{name: "OneHot", discrete: true, eventDim: 1, check: isOneHot}                // vectors of zeros and one 1
	Real    Constraint = &simple{name: "Real", check: func(x *torch.Tensor) *torch.Tensor { return x.Eq(x) }} // all numbers but NaN
	Simplex Constraint = &simple{name: "Simplex", eventDim: 1, check: isSimplex}                              // vectors of non-negative numbers with the sum 1

	Positive           Constraint = GreaterThan(0.0)     // above 0
	Nonnegative        Constraint = GreaterThanEq(0.0)   // 0 and above
	UnitInterval       Constraint = Interval(0.0, 1.0)   // from 0 to 1
	NonnegativeInteger Constraint = integerFrom{0}       // 0, 1, 2, …
	PositiveInteger    Constraint = integerFrom{1}       // 1, 2, 3, …
	RealVector         Constraint = Independent(Real, 1) // vectors without NaN

	LowerTriangular      Constraint = &simple{name: "LowerTriangular", eventDim: 2, check: isLowerTriangular}           // lower-triangular square matrices
	LowerCholesky        Constraint = &simple{name: "LowerCholesky", eventDim: 2, check: isLowerCholesky}               // those with positive diagonals
	CorrCholesky         Constraint = &simple{name: "CorrCholesky", eventDim: 2, check: isCorrCholesky}                 // those whose rows have the length 1
	Square               Constraint = &simple{name: "Square", eventDim: 2, check: isSquare}                             // square matrices
	Symmetric            Constraint = &simple{name: "Symmetric", eventDim: 2, check: isSymmetric}                       // symmetric ones
	PositiveSemidefinite Constraint = &simple{name: "PositiveSemidefinite", eventDim: 2, check: isPositiveSemidefinite} // those without negative eigenvalues
	PositiveDefinite     Constraint = &simple{name: "PositiveDefinite", eventDim: 2, check: isPositiveDefinite}         // those with positive eigenvalues
)

func isBoolean(x *torch.Tensor) *torch.Tensor { return x.EqScalar(0).LogicalOr(x.EqScalar(1)) }

func isOneHot(x *torch.Tensor) *torch.Tensor {
	return isBoolean(x).All(-1).LogicalAnd(x.Sum(-1).EqScalar(1))
}

func isSimplex(x *torch.Tensor) *torch.Tensor {
	return x.GeScalar(0).All(-1).LogicalAnd(x.Sum(-1).SubScalar(1).Abs().LtScalar(1e-6))
}

func isLowerTriangular(x *torch.Tensor) *torch.Tensor {
	return x.Tril().Eq(x).Flatten(-2).All(-1)
}

func isLowerCholesky(x *torch.Tensor) *torch.Tensor {
	diagonal := x.Diagonal(torch.DiagonalOptions{Dim1: -2, Dim2: new(-1)})
	return isLowerTriangular(x).LogicalAnd(diagonal.GtScalar(0).All(-1))
}

func isCorrCholesky(x *torch.Tensor) *torch.Tensor {
	eps := 0x1p-23
	if x.DType() == torch.Float64 {
		eps = 0x1p-52
	}
	norm := linalg.VectorNorm(x.Detach(), 2, -1)
	unit := norm.SubScalar(1.0).Abs().LeScalar(eps * float64(x.Size(-1)) * 10).All(-1)
	return isLowerCholesky(x).LogicalAnd(unit)
}

// isSquare returns one bool for each matrix, which are all of one size.
func isSquare(x *torch.Tensor) *torch.Tensor {
	n := x.Dim()
	o := torch.Options{DType: torch.Bool, Device: x.Device()}
	return o.Full(x.Size(-2) == x.Size(-1), x.Shape()[:n-2]...)
}

func isSymmetric(x *torch.Tensor) *torch.Tensor {
	if x.Size(-2) != x.Size(-1) {
		return isSquare(x)
	}
	return x.IsClose(x.MT(), 1e-5, 1e-6).All(-2).All(-1)
}

func isPositiveSemidefinite(x *torch.Tensor) *torch.Tensor {
	symmetric := isSymmetric(x)
	if !torch.Item[bool](symmetric.All()) {
		return symmetric
	}
	return linalg.Eigvalsh(x).GeScalar(0).All(-1)
}

func isPositiveDefinite(x *torch.Tensor) *torch.Tensor {
	symmetric := isSymmetric(x)
	if !torch.Item[bool](symmetric.All()) {
		return symmetric
	}
	_, info := aten.LinalgCholeskyEx(x, false, false)
	return info.EqScalar(0)
}
