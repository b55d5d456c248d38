package distributions

import (
	"math"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// ExpTransform is y = exp(x): torch.distributions.transforms.ExpTransform().
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.ExpTransform
type ExpTransform struct{ increasing }

// Forward implements [Transform].
func (ExpTransform) Forward(x *torch.Tensor) *torch.Tensor { return x.Exp() }

// Inverse implements [Transform].
func (ExpTransform) Inverse(y *torch.Tensor) *torch.Tensor { return y.Log() }

// Inv implements [Transform].
func (t ExpTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (ExpTransform) LogAbsDetJacobian(x, _ *torch.Tensor) *torch.Tensor { return x }

// Domain implements [Transform].
func (ExpTransform) Domain() constraints.Constraint { return constraints.Real }

// Codomain implements [Transform].
func (ExpTransform) Codomain() constraints.Constraint { return constraints.Positive }

// Equal implements [Transform].
func (ExpTransform) Equal(other Transform) bool { return same[ExpTransform](other) }

func (ExpTransform) String() string { return "ExpTransform()" }

// PowerTransform is y = x to the power Exponent: torch.distributions.transforms.PowerTransform(exponent).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.PowerTransform
type PowerTransform struct{ Exponent TensorOrNumber }

func (t PowerTransform) exponent() *torch.Tensor {
	return broadcast("PowerTransform", named{"Exponent", t.Exponent})[0]
}

// Forward implements [Transform].
func (t PowerTransform) Forward(x *torch.Tensor) *torch.Tensor { return x.Pow(t.exponent()) }

// Inverse implements [Transform].
func (t PowerTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	return y.Pow(t.exponent().Reciprocal().MulScalar(1))
}

// Inv implements [Transform].
func (t PowerTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (t PowerTransform) LogAbsDetJacobian(x, y *torch.Tensor) *torch.Tensor {
	return t.exponent().Mul(y).Div(x).Abs().Log()
}

// Domain implements [Transform].
func (PowerTransform) Domain() constraints.Constraint { return constraints.Positive }

// Codomain implements [Transform].
func (PowerTransform) Codomain() constraints.Constraint { return constraints.Positive }

// Bijective implements [Transform].
func (PowerTransform) Bijective() bool { return true }

// Sign implements [Transform].
func (t PowerTransform) Sign() TensorOrNumber { return t.exponent().Sign() }

// ForwardShape implements [Transform].
func (t PowerTransform) ForwardShape(shape []int) []int {
	return broadcastShapes("PowerTransform", shape, shapeOf(t.Exponent))
}

// InverseShape implements [Transform].
func (t PowerTransform) InverseShape(shape []int) []int { return t.ForwardShape(shape) }

// Equal implements [Transform].
func (t PowerTransform) Equal(other Transform) bool {
	o, ok := other.(PowerTransform)
	return ok && equalBounds(t.Exponent, o.Exponent)
}

func (PowerTransform) String() string { return "PowerTransform()" }

// SigmoidTransform is y = 1 / (1 + exp(-x)): torch.distributions.transforms.SigmoidTransform().
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.SigmoidTransform
type SigmoidTransform struct{ increasing }

// clippedSigmoid is the sigmoid function without 0 and 1.
func clippedSigmoid(x *torch.Tensor) *torch.Tensor { return x.Sigmoid().Clamp(tiny(x), 1.0-eps(x)) }

// Forward implements [Transform].
func (SigmoidTransform) Forward(x *torch.Tensor) *torch.Tensor { return clippedSigmoid(x) }

// Inverse implements [Transform].
func (SigmoidTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	y = y.Clamp(tiny(y), 1.0-eps(y))
	return y.Log().Sub(y.Neg().Log1p())
}

// Inv implements [Transform].
func (t SigmoidTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (SigmoidTransform) LogAbsDetJacobian(x, _ *torch.Tensor) *torch.Tensor {
	return F.Softplus(x.Neg()).Neg().Sub(F.Softplus(x))
}

// Domain implements [Transform].
func (SigmoidTransform) Domain() constraints.Constraint { return constraints.Real }

// Codomain implements [Transform].
func (SigmoidTransform) Codomain() constraints.Constraint { return constraints.UnitInterval }

// Equal implements [Transform].
func (SigmoidTransform) Equal(other Transform) bool { return same[SigmoidTransform](other) }

func (SigmoidTransform) String() string { return "SigmoidTransform()" }

// SoftplusTransform is y = log(1 + exp(x)): torch.distributions.transforms.SoftplusTransform().
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.SoftplusTransform
type SoftplusTransform struct{ increasing }

// Forward implements [Transform].
func (SoftplusTransform) Forward(x *torch.Tensor) *torch.Tensor { return F.Softplus(x) }

// Inverse implements [Transform].
func (SoftplusTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	return y.Neg().Expm1().Neg().Log().Add(y)
}

// Inv implements [Transform].
func (t SoftplusTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (SoftplusTransform) LogAbsDetJacobian(x, _ *torch.Tensor) *torch.Tensor {
	return F.Softplus(x.Neg()).Neg()
}

// Domain implements [Transform].
func (SoftplusTransform) Domain() constraints.Constraint { return constraints.Real }

// Codomain implements [Transform].
func (SoftplusTransform) Codomain() constraints.Constraint { return constraints.Positive }

// Equal implements [Transform].
func (SoftplusTransform) Equal(other Transform) bool { return same[SoftplusTransform](other) }

func (SoftplusTransform) String() string { return "SoftplusTransform()" }

// TanhTransform is y = tanh(x): torch.distributions.transforms.TanhTransform().
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.TanhTransform
type TanhTransform struct{ increasing }

// Forward implements [Transform].
func (TanhTransform) Forward(x *torch.Tensor) *torch.Tensor { return x.Tanh() }

// Inverse implements [Transform].
func (TanhTransform) Inverse(y *torch.Tensor) *torch.Tensor { return y.Atanh() }

// Inv implements [Transform].
func (t TanhTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (TanhTransform) LogAbsDetJacobian(x, _ *torch.Tensor) *torch.Tensor {
	return x.RSubScalar(log2).Sub(F.Softplus(x.MulScalar(-2.0))).MulScalar(2.0)
}

// Domain implements [Transform].
func (TanhTransform) Domain() constraints.Constraint { return constraints.Real }

// Codomain implements [Transform].
func (TanhTransform) Codomain() constraints.Constraint { return constraints.Interval(-1.0, 1.0) }

// Equal implements [Transform].
func (TanhTransform) Equal(other Transform) bool { return same[TanhTransform](other) }

func (TanhTransform) String() string { return "TanhTransform()" }

// AbsTransform is y = |x|, whose inverse is y: torch.distributions.transforms.AbsTransform().
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.AbsTransform
type AbsTransform struct{ joint }

// Forward implements [Transform].
func (AbsTransform) Forward(x *torch.Tensor) *torch.Tensor { return x.Abs() }

// Inverse implements [Transform].
func (AbsTransform) Inverse(y *torch.Tensor) *torch.Tensor { return y }

// Inv implements [Transform].
func (t AbsTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian panics, as the transform is not bijective.
func (AbsTransform) LogAbsDetJacobian(_, _ *torch.Tensor) *torch.Tensor {
	return noJacobian("AbsTransform")
}

// Domain implements [Transform].
func (AbsTransform) Domain() constraints.Constraint { return constraints.Real }

// Codomain implements [Transform].
func (AbsTransform) Codomain() constraints.Constraint { return constraints.Positive }

// Bijective implements [Transform].
func (AbsTransform) Bijective() bool { return false }

// Equal implements [Transform].
func (AbsTransform) Equal(other Transform) bool { return same[AbsTransform](other) }

func (AbsTransform) String() string { return "AbsTransform()" }

// AffineTransform is y = Loc + Scale * x:
// torch.distributions.transforms.AffineTransform(loc, scale, event_dim).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.AffineTransform
type AffineTransform struct {
	Loc, Scale TensorOrNumber // both are needed
	EventDim   int            // how many of the last dimensions are one event
}

// Forward implements [Transform].
func (t AffineTransform) Forward(x *torch.Tensor) *torch.Tensor {
	t.check()
	return add(mul(x, t.Scale), t.Loc)
}

// Inverse implements [Transform].
func (t AffineTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	t.check()
	return div(sub(y, t.Loc), t.Scale)
}

// check requires that the parameters have the right types.
func (t AffineTransform) check() {
	for _, v := range []named{{"Loc", t.Loc}, {"Scale", t.Scale}} {
		switch x := v.value.(type) {
		case int, float64:
			continue
		case *torch.Tensor:
			if x != nil {
				continue
			}
		}
		fail("AffineTransform", "%s is a %T; it must be a *torch.Tensor, an int or a float64", v.name, v.value)
	}
}

// Inv implements [Transform].
func (t AffineTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (t AffineTransform) LogAbsDetJacobian(x, _ *torch.Tensor) *torch.Tensor {
	t.check()
	shape := x.Shape()
	var result *torch.Tensor
	if scale, ok := t.Scale.(*torch.Tensor); ok {
		result = scale.Abs().Log()
	} else {
		result = torch.FullLike(x, libm.Log(math.Abs(float(t.Scale))))
	}
	if t.EventDim > 0 {
		result = sumRightmost(result, t.EventDim)
		shape = shape[:len(shape)-t.EventDim]
	}
	return result.Expand(shape...)
}

// Domain implements [Transform].
func (t AffineTransform) Domain() constraints.Constraint {
	if t.EventDim == 0 {
		return constraints.Real
	}
	return constraints.Independent(constraints.Real, t.EventDim)
}

// Codomain implements [Transform].
func (t AffineTransform) Codomain() constraints.Constraint { return t.Domain() }

// Bijective implements [Transform].
func (AffineTransform) Bijective() bool { return true }

// Sign implements [Transform].
func (t AffineTransform) Sign() TensorOrNumber {
	t.check()
	if scale, ok := t.Scale.(*torch.Tensor); ok {
		return scale.Sign()
	}
	switch s := float(t.Scale); {
	case s > 0:
		return 1
	case s < 0:
		return -1
	}
	return 0
}

// ForwardShape implements [Transform].
func (t AffineTransform) ForwardShape(shape []int) []int {
	return broadcastShapes("AffineTransform", shape, shapeOf(t.Loc), shapeOf(t.Scale))
}

// InverseShape implements [Transform].
func (t AffineTransform) InverseShape(shape []int) []int { return t.ForwardShape(shape) }

// Equal implements [Transform].
func (t AffineTransform) Equal(other Transform) bool {
	o, ok := other.(AffineTransform)
	return ok && equalBounds(t.Loc, o.Loc) && equalBounds(t.Scale, o.Scale)
}

func (AffineTransform) String() string { return "AffineTransform()" }
