package distributions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// ComposeTransform applies transforms one after the other:
// torch.distributions.transforms.ComposeTransform(parts). Without any it is the identity,
// identity_transform.
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.ComposeTransform
type ComposeTransform []Transform

// Forward implements [Transform].
func (t ComposeTransform) Forward(x *torch.Tensor) *torch.Tensor {
	for _, part := range t {
		x = part.Forward(x)
	}
	return x
}

// Inverse implements [Transform].
func (t ComposeTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	for _, part := range slices.Backward(t) {
		y = part.Inverse(y)
	}
	return y
}

// Inv implements [Transform].
func (t ComposeTransform) Inv() Transform {
	inv := make(ComposeTransform, 0, len(t))
	for _, part := range slices.Backward(t) {
		inv = append(inv, part.Inv())
	}
	return inv
}

// LogAbsDetJacobian implements [Transform].
func (t ComposeTransform) LogAbsDetJacobian(x, y *torch.Tensor) *torch.Tensor {
	if len(t) == 0 {
		return torch.ZerosLike(x)
	}
	var sum *torch.Tensor
	eventDim := t.Domain().EventDim()
	for i, part := range t {
		out := y
		if i < len(t)-1 {
			out = part.Forward(x)
		}
		term := sumRightmost(part.LogAbsDetJacobian(x, out), eventDim-part.Domain().EventDim())
		eventDim += part.Codomain().EventDim() - part.Domain().EventDim()
		if sum == nil {
			sum = term
		} else {
			sum = sum.Add(term)
		}
		x = out
	}
	return sum
}

// Domain implements [Transform].
func (t ComposeTransform) Domain() constraints.Constraint {
	if len(t) == 0 {
		return constraints.Real
	}
	n := t[len(t)-1].Codomain().EventDim()
	for _, part := range slices.Backward(t) {
		in, out := part.Domain().EventDim(), part.Codomain().EventDim()
		n = max(n+in-out, in)
	}
	return atLeast(t[0].Domain(), n)
}

// Codomain implements [Transform].
func (t ComposeTransform) Codomain() constraints.Constraint {
	if len(t) == 0 {
		return constraints.Real
	}
	n := t[0].Domain().EventDim()
	for _, part := range t {
		in, out := part.Domain().EventDim(), part.Codomain().EventDim()
		n = max(n+out-in, out)
	}
	return atLeast(t[len(t)-1].Codomain(), n)
}

// atLeast returns a constraint over n dimensions.
func atLeast(c constraints.Constraint, n int) constraints.Constraint {
	if m := n - c.EventDim(); m > 0 {
		return constraints.Independent(c, m)
	}
	return c
}

// Bijective implements [Transform].
func (t ComposeTransform) Bijective() bool {
	return !slices.ContainsFunc(t, func(part Transform) bool { return !part.Bijective() })
}

// Sign implements [Transform].
func (t ComposeTransform) Sign() TensorOrNumber { return signOf(t) }

// signOf returns the product of signs.
func signOf(parts []Transform) TensorOrNumber {
	var sign TensorOrNumber = 1
	for _, part := range parts {
		s := part.Sign()
		switch x, isTensor := s.(*torch.Tensor); {
		case isTensor:
			sign = mul(x, sign)
		default:
			if y, ok := sign.(*torch.Tensor); ok {
				sign = mul(y, s)
			} else {
				sign = sign.(int) * s.(int)
			}
		}
	}
	return sign
}

// ForwardShape implements [Transform].
func (t ComposeTransform) ForwardShape(shape []int) []int {
	for _, part := range t {
		shape = part.ForwardShape(shape)
	}
	return shape
}

// InverseShape implements [Transform].
func (t ComposeTransform) InverseShape(shape []int) []int {
	for _, part := range slices.Backward(t) {
		shape = part.InverseShape(shape)
	}
	return shape
}

// Equal implements [Transform].
func (t ComposeTransform) Equal(other Transform) bool {
	o, ok := other.(ComposeTransform)
	return ok && equalAll(t, o)
}

func (t ComposeTransform) String() string {
	parts := make([]string, len(t))
	for i, part := range t {
		parts[i] = part.String()
	}
	return "ComposeTransform(\n    " + strings.Join(parts, ",\n    ") + "\n)"
}

// IndependentTransform is Base, of which the last dimensions are one event:
// torch.distributions.transforms.IndependentTransform(base_transform, reinterpreted_batch_ndims).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.IndependentTransform
type IndependentTransform struct {
	Base                    Transform
	ReinterpretedBatchNdims int
}

// Forward implements [Transform].
func (t IndependentTransform) Forward(x *torch.Tensor) *torch.Tensor {
	t.check(x, t.Domain())
	return t.Base.Forward(x)
}

// Inverse implements [Transform].
func (t IndependentTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	t.check(y, t.Codomain())
	return t.Base.Inverse(y)
}

func (t IndependentTransform) check(x *torch.Tensor, c constraints.Constraint) {
	if x.Dim() < c.EventDim() {
		fail("IndependentTransform", "the input has %d dimensions; it must have %d or more", x.Dim(), c.EventDim())
	}
}

// Inv implements [Transform].
func (t IndependentTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (t IndependentTransform) LogAbsDetJacobian(x, y *torch.Tensor) *torch.Tensor {
	return sumRightmost(t.Base.LogAbsDetJacobian(x, y), t.ReinterpretedBatchNdims)
}

// Domain implements [Transform].
func (t IndependentTransform) Domain() constraints.Constraint {
	return constraints.Independent(t.Base.Domain(), t.ReinterpretedBatchNdims)
}

// Codomain implements [Transform].
func (t IndependentTransform) Codomain() constraints.Constraint {
	return constraints.Independent(t.Base.Codomain(), t.ReinterpretedBatchNdims)
}

// Bijective implements [Transform].
func (t IndependentTransform) Bijective() bool { return t.Base.Bijective() }

// Sign implements [Transform].
func (t IndependentTransform) Sign() TensorOrNumber { return t.Base.Sign() }

// ForwardShape implements [Transform].
func (t IndependentTransform) ForwardShape(shape []int) []int { return t.Base.ForwardShape(shape) }

// InverseShape implements [Transform].
func (t IndependentTransform) InverseShape(shape []int) []int { return t.Base.InverseShape(shape) }

// Equal implements [Transform].
func (t IndependentTransform) Equal(other Transform) bool {
	o, ok := other.(IndependentTransform)
	return ok && t.ReinterpretedBatchNdims == o.ReinterpretedBatchNdims && t.Base.Equal(o.Base)
}

func (t IndependentTransform) String() string {
	return fmt.Sprintf("IndependentTransform(%v, %d)", t.Base, t.ReinterpretedBatchNdims)
}

// ReshapeTransform gives the last dimensions another shape:
// torch.distributions.transforms.ReshapeTransform(in_shape, out_shape).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.ReshapeTransform
type ReshapeTransform struct {
	joint
	InShape, OutShape []int // of the same number of elements
}

// Forward implements [Transform].
func (t ReshapeTransform) Forward(x *torch.Tensor) *torch.Tensor {
	return x.Reshape(t.ForwardShape(x.Shape())...)
}

// Inverse implements [Transform].
func (t ReshapeTransform) Inverse(y *torch.Tensor) *torch.Tensor {
	return y.Reshape(t.InverseShape(y.Shape())...)
}

// Inv implements [Transform].
func (t ReshapeTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (t ReshapeTransform) LogAbsDetJacobian(x, _ *torch.Tensor) *torch.Tensor {
	return like(x).Zeros(x.Shape()[:x.Dim()-len(t.InShape)]...)
}

// Domain implements [Transform].
func (t ReshapeTransform) Domain() constraints.Constraint {
	return constraints.Independent(constraints.Real, len(t.InShape))
}

// Codomain implements [Transform].
func (t ReshapeTransform) Codomain() constraints.Constraint {
	return constraints.Independent(constraints.Real, len(t.OutShape))
}

// Bijective implements [Transform].
func (ReshapeTransform) Bijective() bool { return true }

// ForwardShape implements [Transform].
func (t ReshapeTransform) ForwardShape(shape []int) []int {
	return replaced(shape, t.InShape, t.OutShape)
}

// InverseShape implements [Transform].
func (t ReshapeTransform) InverseShape(shape []int) []int {
	return replaced(shape, t.OutShape, t.InShape)
}

// replaced returns a shape with other last sizes.
func replaced(shape, from, to []int) []int {
	cut := len(shape) - len(from)
	if cut < 0 || !slices.Equal(shape[cut:], from) {
		fail("ReshapeTransform", "the shape is %v; its last sizes must be %v", shape, from)
	}
	return slices.Concat(shape[:cut], to)
}

// Equal implements [Transform].
func (t ReshapeTransform) Equal(other Transform) bool {
	o, ok := other.(ReshapeTransform)
	return ok && slices.Equal(t.InShape, o.InShape) && slices.Equal(t.OutShape, o.OutShape)
}

func (ReshapeTransform) String() string { return "ReshapeTransform()" }
