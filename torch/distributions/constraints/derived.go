package constraints

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// IndependentConstraint is what [Independent] returns.
type IndependentConstraint struct {
	Base                    Constraint
	ReinterpretedBatchNdims int
}

// Independent is base, with n more dimensions that are checked together:
// constraints.independent(base, n).
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
func Independent(base Constraint, n int) *IndependentConstraint {
	if n < 0 {
		fail("Independent", "n is %d; it must be 0 or more", n)
	}
	return &IndependentConstraint{base, n}
}

// Check implements [Constraint].
func (c *IndependentConstraint) Check(value *torch.Tensor) *torch.Tensor {
	ok := c.Base.Check(value)
	if ok.Dim() < c.ReinterpretedBatchNdims {
		fail("Independent", "value has %d dimensions; it must have %d or more", value.Dim(), c.EventDim())
	}
	shape := ok.Shape()
	return ok.Reshape(append(slices.Clip(shape[:len(shape)-c.ReinterpretedBatchNdims]), -1)...).All(-1)
}

// IsDiscrete implements [Constraint].
func (c *IndependentConstraint) IsDiscrete() bool { return c.Base.IsDiscrete() }

// EventDim implements [Constraint].
func (c *IndependentConstraint) EventDim() int { return c.Base.EventDim() + c.ReinterpretedBatchNdims }

func (c *IndependentConstraint) String() string {
	return fmt.Sprintf("IndependentConstraint(%v, %d)", c.Base, c.ReinterpretedBatchNdims)
}

// MixtureSameFamilyConstraint is the support of a mixture of distributions with one
// support: constraints.MixtureSameFamilyConstraint(base).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.MixtureSameFamilyConstraint
type MixtureSameFamilyConstraint struct{ Base Constraint }

// Check implements [Constraint].
func (c *MixtureSameFamilyConstraint) Check(value *torch.Tensor) *torch.Tensor {
	n := value.Dim() - c.EventDim()
	if n < 0 {
		fail("MixtureSameFamilyConstraint", "value has %d dimensions; it must have %d or more", value.Dim(), c.EventDim())
	}
	ok := c.Base.Check(value.Unsqueeze(-1 - c.EventDim()))
	return ok.Reshape(append(slices.Clip(ok.Shape()[:n]), -1)...).All(-1)
}

// IsDiscrete implements [Constraint].
func (c *MixtureSameFamilyConstraint) IsDiscrete() bool { return c.Base.IsDiscrete() }

// EventDim implements [Constraint].
func (c *MixtureSameFamilyConstraint) EventDim() int { return c.Base.EventDim() }

func (c *MixtureSameFamilyConstraint) String() string {
	return fmt.Sprintf("MixtureSameFamilyConstraint(%v)", c.Base)
}

// CatConstraint is what [Cat] returns.
type CatConstraint struct {
	Parts   []Constraint
	Dim     int
	Lengths []int
}

// Cat is tensors joined along dim of parts that each satisfy a constraint, with the
// lengths of the parts, nil for 1 each: constraints.cat(parts, dim, lengths).
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
func Cat(parts []Constraint, dim int, lengths []int) *CatConstraint {
	if lengths == nil {
		lengths = slices.Repeat([]int{1}, len(parts))
	}
	if len(lengths) != len(parts) {
		fail("Cat", "there are %d lengths for %d parts; give one for each", len(lengths), len(parts))
	}
	return &CatConstraint{parts, dim, lengths}
}

// Check implements [Constraint].
func (c *CatConstraint) Check(value *torch.Tensor) *torch.Tensor {
	checks, start := make([]*torch.Tensor, len(c.Parts)), 0
	for i, p := range c.Parts {
		checks[i] = p.Check(value.Narrow(c.Dim, start, c.Lengths[i]))
		start += c.Lengths[i]
	}
	return torch.Cat(checks, c.Dim)
}

// IsDiscrete implements [Constraint].
func (c *CatConstraint) IsDiscrete() bool { return slices.ContainsFunc(c.Parts, Constraint.IsDiscrete) }

// EventDim implements [Constraint].
func (c *CatConstraint) EventDim() int { return maxEventDim(c.Parts) }

func (c *CatConstraint) String() string { return "Cat()" }

// StackConstraint is what [Stack] returns.
type StackConstraint struct {
	Parts []Constraint
	Dim   int
}

// Stack is tensors stacked along dim of parts that each satisfy a constraint:
// constraints.stack(parts, dim).
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
func Stack(parts []Constraint, dim int) *StackConstraint { return &StackConstraint{parts, dim} }

// Check implements [Constraint].
func (c *StackConstraint) Check(value *torch.Tensor) *torch.Tensor {
	if value.Size(c.Dim) != len(c.Parts) {
		fail("Stack", "value has %d parts along dimension %d; it must have %d", value.Size(c.Dim), c.Dim, len(c.Parts))
	}
	checks := make([]*torch.Tensor, len(c.Parts))
	for i, p := range c.Parts {
		checks[i] = p.Check(value.Select(c.Dim, i))
	}
	return torch.Stack(checks, c.Dim)
}

// IsDiscrete implements [Constraint].
func (c *StackConstraint) IsDiscrete() bool {
	return slices.ContainsFunc(c.Parts, Constraint.IsDiscrete)
}

// EventDim implements [Constraint].
func (c *StackConstraint) EventDim() int {
	n := maxEventDim(c.Parts)
	if c.Dim+n < 0 {
		n++
	}
	return n
}

func (c *StackConstraint) String() string { return "Stack()" }

func maxEventDim(parts []Constraint) (n int) {
	for _, p := range parts {
		n = max(n, p.EventDim())
	}
	return n
}
