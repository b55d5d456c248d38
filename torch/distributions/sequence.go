package distributions

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// CatTransform applies each transform to a part of a tensor, along a dimension:
// torch.distributions.transforms.CatTransform(tseq, dim, lengths).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.CatTransform
type CatTransform struct {
	joint
	Parts   []Transform
	Dim     int
	Lengths []int // of the parts; nil is 1 for each
}

// lengths returns the lengths of the parts, which a tensor must have.
func (t CatTransform) lengths(x *torch.Tensor) []int {
	lengths, sum := t.Lengths, 0
	if lengths == nil {
		lengths = slices.Repeat([]int{1}, len(t.Parts))
	}
	for _, n := range lengths {
		sum += n
	}
	if len(lengths) != len(t.Parts) {
		fail("CatTransform", "there are %d lengths for %d parts; give one for each", len(lengths), len(t.Parts))
	}
	if n := x.Size(t.Dim); n != sum {
		fail("CatTransform", "the input has the size %d in dimension %d; it must have %d", n, t.Dim, sum)
	}
	return lengths
}

// each joins what f returns for each part.
func (t CatTransform) each(x *torch.Tensor, f func(part Transform, x *torch.Tensor) *torch.Tensor) *torch.Tensor {
	out := make([]*torch.Tensor, len(t.Parts))
	start := 0
	for i, n := range t.lengths(x) {
		out[i] = f(t.Parts[i], x.Narrow(t.Dim, start, n))
		start += n
	}
	return torch.Cat(out, t.Dim)
}

// Forward implements [Transform].
func (t CatTransform) Forward(x *torch.Tensor) *torch.Tensor { return t.each(x, Transform.Forward) }

// Inverse implements [Transform].
func (t CatTransform) Inverse(y *torch.Tensor) *torch.Tensor { return t.each(y, Transform.Inverse) }

// Inv implements [Transform].
func (t CatTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (t CatTransform) LogAbsDetJacobian(x, y *torch.Tensor) *torch.Tensor {
	t.lengths(y)
	eventDim := t.Domain().EventDim()
	terms := make([]*torch.Tensor, len(t.Parts))
	start := 0
	for i, n := range t.lengths(x) {
		part := t.Parts[i]
		term := part.LogAbsDetJacobian(x.Narrow(t.Dim, start, n), y.Narrow(t.Dim, start, n))
		terms[i] = sumRightmost(term, eventDim-part.Domain().EventDim())
		start += n
	}
	dim := t.Dim
	if dim >= 0 {
		dim -= x.Dim()
	}
	if dim += eventDim; dim < 0 {
		return torch.Cat(terms, dim)
	}
	sum := terms[0].AddScalar(0)
	for _, term := range terms[1:] {
		sum = sum.Add(term)
	}
	return sum
}

// Domain implements [Transform].
func (t CatTransform) Domain() constraints.Constraint {
	return constraints.Cat(domains(t.Parts), t.Dim, t.Lengths)
}

// Codomain implements [Transform].
func (t CatTransform) Codomain() constraints.Constraint {
	return constraints.Cat(codomains(t.Parts), t.Dim, t.Lengths)
}

func domains(parts []Transform) (cs []constraints.Constraint) {
	for _, t := range parts {
		cs = append(cs, t.Domain())
	}
	return cs
}

func codomains(parts []Transform) (cs []constraints.Constraint) {
	for _, t := range parts {
		cs = append(cs, t.Codomain())
	}
	return cs
}

// Bijective implements [Transform].
func (t CatTransform) Bijective() bool { return ComposeTransform(t.Parts).Bijective() }

// Equal implements [Transform].
func (t CatTransform) Equal(other Transform) bool {
	o, ok := other.(CatTransform)
	return ok && t.Dim == o.Dim && slices.Equal(t.Lengths, o.Lengths) && equalAll(t.Parts, o.Parts)
}

func (CatTransform) String() string { return "CatTransform()" }

// StackTransform applies each transform to an index of a dimension:
// torch.distributions.transforms.StackTransform(tseq, dim).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.StackTransform
type StackTransform struct {
	joint
	Parts []Transform
	Dim   int
}

func (t StackTransform) check(x *torch.Tensor) {
	if n := x.Size(t.Dim); n != len(t.Parts) {
		fail("StackTransform", "the input has the size %d in dimension %d; it must have %d", n, t.Dim, len(t.Parts))
	}
}

// each stacks what f returns for each part.
func (t StackTransform) each(x *torch.Tensor, f func(part Transform, x *torch.Tensor) *torch.Tensor) *torch.Tensor {
	t.check(x)
	out := make([]*torch.Tensor, len(t.Parts))
	for i, part := range t.Parts {
		out[i] = f(part, x.Select(t.Dim, i))
	}
	return torch.Stack(out, t.Dim)
}

// Forward implements [Transform].
func (t StackTransform) Forward(x *torch.Tensor) *torch.Tensor { return t.each(x, Transform.Forward) }

// Inverse implements [Transform].
func (t StackTransform) Inverse(y *torch.Tensor) *torch.Tensor { return t.each(y, Transform.Inverse) }

// Inv implements [Transform].
func (t StackTransform) Inv() Transform { return inverse{t} }

// LogAbsDetJacobian implements [Transform].
func (t StackTransform) LogAbsDetJacobian(x, y *torch.Tensor) *torch.Tensor {
	t.check(x)
	t.check(y)
	terms := make([]*torch.Tensor, len(t.Parts))
	for i, part := range t.Parts {
		terms[i] = part.LogAbsDetJacobian(x.Select(t.Dim, i), y.Select(t.Dim, i))
	}
	return torch.Stack(terms, t.Dim)
}

// Domain implements [Transform].
func (t StackTransform) Domain() constraints.Constraint {
	return constraints.Stack(domains(t.Parts), t.Dim)
}

// Codomain implements [Transform].
func (t StackTransform) Codomain() constraints.Constraint {
	return constraints.Stack(codomains(t.Parts), t.Dim)
}

// Bijective implements [Transform].
func (t StackTransform) Bijective() bool { return ComposeTransform(t.Parts).Bijective() }

// Equal implements [Transform].
func (t StackTransform) Equal(other Transform) bool {
	o, ok := other.(StackTransform)
	return ok && t.Dim == o.Dim && equalAll(t.Parts, o.Parts)
}

func (StackTransform) String() string { return "StackTransform()" }
