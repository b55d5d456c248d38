package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// BijectTo returns a bijective transform of real numbers to the values that satisfy a
// constraint: torch.distributions.biject_to(constraint). It panics with an [*torch.Error]
// that is a [torch.ErrNotImplemented] if PyTorch has none.
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraint_registry
func BijectTo(c constraints.Constraint) Transform {
	switch c := c.(type) {
	case *constraints.IndependentConstraint:
		return IndependentTransform{BijectTo(c.Base), c.ReinterpretedBatchNdims}
	case *constraints.CatConstraint:
		return CatTransform{Parts: transformsTo(c.Parts, BijectTo), Dim: c.Dim, Lengths: c.Lengths}
	case *constraints.StackConstraint:
		return StackTransform{Parts: transformsTo(c.Parts, BijectTo), Dim: c.Dim}
	}
	switch c {
	case constraints.Simplex:
		return StickBreakingTransform{}
	case constraints.LowerCholesky, constraints.PositiveDefinite, constraints.PositiveSemidefinite:
		notImplemented("BijectTo", "PyTorch has no bijective transform to %v", c)
	}
	return TransformTo(c)
}

// TransformTo returns a transform of real numbers, which need not be bijective, to the values
// that satisfy a constraint: torch.distributions.transform_to(constraint). It panics with an
// [*torch.Error] that is a [torch.ErrNotImplemented] if PyTorch has none.
//
//	scale := distributions.TransformTo(constraints.Positive).Forward(x)
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraint_registry
func TransformTo(c constraints.Constraint) Transform {
	switch c := c.(type) {
	case *constraints.IndependentConstraint:
		return IndependentTransform{TransformTo(c.Base), c.ReinterpretedBatchNdims}
	case *constraints.CatConstraint:
		return CatTransform{Parts: transformsTo(c.Parts, TransformTo), Dim: c.Dim, Lengths: c.Lengths}
	case *constraints.StackConstraint:
		return StackTransform{Parts: transformsTo(c.Parts, TransformTo), Dim: c.Dim}
	case *constraints.GreaterThanConstraint:
		return ComposeTransform{ExpTransform{}, AffineTransform{Loc: c.LowerBound, Scale: 1}}
	case *constraints.GreaterThanEqConstraint:
		return ComposeTransform{ExpTransform{}, AffineTransform{Loc: c.LowerBound, Scale: 1}}
	case *constraints.LessThanConstraint:
		return ComposeTransform{ExpTransform{}, AffineTransform{Loc: c.UpperBound, Scale: -1}}
	case *constraints.IntervalConstraint:
		if !c.IsDiscrete() {
			return toInterval(c)
		}
	}
	switch c {
	case constraints.Real:
		return ComposeTransform{}
	case constraints.Simplex:
		return SoftmaxTransform{}
	case constraints.LowerCholesky:
		return LowerCholeskyTransform{}
	case constraints.PositiveDefinite, constraints.PositiveSemidefinite:
		return PositiveDefiniteTransform{}
	case constraints.CorrCholesky:
		return CorrCholeskyTransform{}
	}
	notImplemented("TransformTo", "PyTorch has no transform to %v", c)
	return nil
}

func transformsTo(cs []constraints.Constraint, to func(constraints.Constraint) Transform) []Transform {
	ts := make([]Transform, len(cs))
	for i, c := range cs {
		ts[i] = to(c)
	}
	return ts
}

func toInterval(c *constraints.IntervalConstraint) Transform {
	lower, isTensor := c.LowerBound.(*torch.Tensor)
	upper, alsoTensor := c.UpperBound.(*torch.Tensor)
	var scale TensorOrNumber
	switch {
	case alsoTensor:
		scale = sub(upper, c.LowerBound)
	case isTensor:
		scale = lower.RSubScalar(c.UpperBound)
	case float(c.LowerBound) == 0 && float(c.UpperBound) == 1:
		return SigmoidTransform{}
	default:
		scale = float(c.UpperBound) - float(c.LowerBound)
	}
	return ComposeTransform{SigmoidTransform{}, AffineTransform{Loc: c.LowerBound, Scale: scale}}
}
