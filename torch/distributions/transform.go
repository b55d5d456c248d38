package distributions

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// A Transform is a function of tensors with an inverse, and the derivative that the density
// of a [TransformedDistribution] needs: torch.distributions.transforms.Transform. It is a
// value such as ExpTransform{} or AffineTransform{Loc: 1, Scale: 2}.
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.Transform
type Transform interface {
	Forward(x *torch.Tensor) *torch.Tensor // y = t(x)
	Inverse(y *torch.Tensor) *torch.Tensor // x = t.inv(y)
	Inv() Transform                        // the inverse as a transform: t.inv

	// LogAbsDetJacobian returns log |dy/dx| of an input and its output:
	// t.log_abs_det_jacobian(x, y).
	LogAbsDetJacobian(x, y *torch.Tensor) *torch.Tensor

	Domain() constraints.Constraint   // the set of inputs
	Codomain() constraints.Constraint // the set of outputs
	Bijective() bool                  // whether Inverse undoes Forward for all inputs, and the reverse

	// Sign is 1 or -1 where the function of one number is increasing or decreasing: an
	// int, or a tensor.
	Sign() TensorOrNumber

	ForwardShape(shape []int) []int // the shape of outputs, given that of inputs: forward_shape
	InverseShape(shape []int) []int // the shape of inputs, given that of outputs: inverse_shape

	// Equal reports whether two transforms have the same type and parameters: ==. In Python
	// some are equal only to themselves.
	Equal(other Transform) bool
	String() string // Python's repr
}

// An increasing transform is an increasing function of one number.
type increasing struct{}

// Bijective implements [Transform].
func (increasing) Bijective() bool { return true }

// Sign implements [Transform].
func (increasing) Sign() TensorOrNumber { return 1 }

// ForwardShape implements [Transform].
func (increasing) ForwardShape(shape []int) []int { return shape }

// InverseShape implements [Transform].
func (increasing) InverseShape(shape []int) []int { return shape }

// A joint transform has no sign, as it is one of several numbers together or has no inverse.
type joint struct{}

// Sign implements [Transform].
func (joint) Sign() TensorOrNumber {
	notImplemented("Transform.Sign", "PyTorch has no sign for this transform")
	return nil
}

// ForwardShape implements [Transform].
func (joint) ForwardShape(shape []int) []int { return shape }

// InverseShape implements [Transform].
func (joint) InverseShape(shape []int) []int { return shape }

func noJacobian(name string) *torch.Tensor {
	notImplemented(name+".LogAbsDetJacobian", "the transform is not bijective")
	return nil
}

// inverse is the inverse of a transform.
type inverse struct{ of Transform }

func (t inverse) Forward(x *torch.Tensor) *torch.Tensor { return t.of.Inverse(x) }
func (t inverse) Inverse(y *torch.Tensor) *torch.Tensor { return t.of.Forward(y) }
func (t inverse) Inv() Transform                        { return t.of }
func (t inverse) LogAbsDetJacobian(x, y *torch.Tensor) *torch.Tensor {
	return t.of.LogAbsDetJacobian(y, x).Neg()
}
func (t inverse) Domain() constraints.Constraint   { return t.of.Codomain() }
func (t inverse) Codomain() constraints.Constraint { return t.of.Domain() }
func (t inverse) Bijective() bool                  { return t.of.Bijective() }
func (t inverse) Sign() TensorOrNumber             { return t.of.Sign() }
func (t inverse) ForwardShape(shape []int) []int   { return t.of.InverseShape(shape) }
func (t inverse) InverseShape(shape []int) []int   { return t.of.ForwardShape(shape) }
func (t inverse) Equal(other Transform) bool {
	o, ok := other.(inverse)
	return ok && t.of.Equal(o.of)
}
func (t inverse) String() string { return "_InverseTransform(" + t.of.String() + ")" }

// same reports whether other is a transform of type T, of which all are equal.
func same[T Transform](other Transform) bool {
	_, ok := other.(T)
	return ok
}

func equalAll(a, b []Transform) bool { return slices.EqualFunc(a, b, Transform.Equal) }

// equalBounds compares parameters of transforms.
func equalBounds(a, b TensorOrNumber) bool {
	x, isTensor := a.(*torch.Tensor)
	y, alsoTensor := b.(*torch.Tensor)
	switch {
	case isTensor && alsoTensor:
		return torch.Item[bool](x.Eq(y).All())
	case isTensor:
		return torch.Item[bool](x.EqScalar(b).All())
	case alsoTensor:
		return torch.Item[bool](y.EqScalar(a).All())
	}
	return float(a) == float(b)
}
