package constraints

import "github.com/torchhub/torchhub/torch"

// GreaterThanConstraint is what [GreaterThan] returns.
type GreaterThanConstraint struct{ LowerBound Bound }

// GreaterThan is the numbers above a bound: constraints.greater_than(lower).
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
func GreaterThan(lower Bound) *GreaterThanConstraint {
	return &GreaterThanConstraint{checked("GreaterThan", "lower", lower)}
}

// Check implements [Constraint].
func (c *GreaterThanConstraint) Check(value *torch.Tensor) *torch.Tensor {
	return above(value, c.LowerBound)
}

// IsDiscrete implements [Constraint].
func (c *GreaterThanConstraint) IsDiscrete() bool { return false }

// EventDim implements [Constraint].
func (c *GreaterThanConstraint) EventDim() int { return 0 }

func (c *GreaterThanConstraint) String() string {
	return "GreaterThan(lower_bound=" + text(c.LowerBound) + ")"
}

// GreaterThanEqConstraint is what [GreaterThanEq] returns.
type GreaterThanEqConstraint struct{ LowerBound Bound }

// GreaterThanEq is the numbers from a bound on: constraints.greater_than_eq(lower).
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
func GreaterThanEq(lower Bound) *GreaterThanEqConstraint {
	return &GreaterThanEqConstraint{checked("GreaterThanEq", "lower", lower)}
}

// Check implements [Constraint].
func (c *GreaterThanEqConstraint) Check(value *torch.Tensor) *torch.Tensor {
	return from(value, c.LowerBound)
}

// IsDiscrete implements [Constraint].
func (c *GreaterThanEqConstraint) IsDiscrete() bool { return false }

// EventDim implements [Constraint].
func (c *GreaterThanEqConstraint) EventDim() int { return 0 }

func (c *GreaterThanEqConstraint) String() string {
	return "GreaterThanEq(lower_bound=" + text(c.LowerBound) + ")"
}

// LessThanConstraint is what [LessThan] returns.
type LessThanConstraint struct{ UpperBound Bound }

// LessThan is the numbers below a bound: constraints.less_than(upper).
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
func LessThan(upper Bound) *LessThanConstraint {
	return &LessThanConstraint{checked("LessThan", "upper", upper)}
}

// Check implements [Constraint].
func (c *LessThanConstraint) Check(value *torch.Tensor) *torch.Tensor {
	return below(value, c.UpperBound)
}

// IsDiscrete implements [Constraint].
func (c *LessThanConstraint) IsDiscrete() bool { return false }

// EventDim implements [Constraint].
func (c *LessThanConstraint) EventDim() int { return 0 }

func (c *LessThanConstraint) String() string {
	return "LessThan(upper_bound=" + text(c.UpperBound) + ")"
}

// IntervalConstraint is what [Interval], [HalfOpenInterval] and [IntegerInterval] return.
type IntervalConstraint struct {
	LowerBound, UpperBound Bound

	name              string
	halfOpen, integer bool
}

// Interval is the numbers from lower to upper, both included: constraints.interval(lower, upper).
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
func Interval(lower, upper Bound) *IntervalConstraint {
	return &IntervalConstraint{LowerBound: checked("Interval", "lower", lower), UpperBound: checked("Interval", "upper", upper), name: "Interval"}
}

// HalfOpenInterval is the numbers from lower to upper, which is not included:
// constraints.half_open_interval(lower, upper).
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
func HalfOpenInterval(lower, upper Bound) *IntervalConstraint {
	c := Interval(lower, upper)
	c.name, c.halfOpen = "HalfOpenInterval", true
	return c
}

// IntegerInterval is the integers from lower to upper, both included:
// constraints.integer_interval(lower, upper).
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
func IntegerInterval(lower, upper Bound) *IntervalConstraint {
	c := Interval(lower, upper)
	c.name, c.integer = "IntegerInterval", true
	return c
}

// Check implements [Constraint].
func (c *IntervalConstraint) Check(value *torch.Tensor) *torch.Tensor {
	ok := from(value, c.LowerBound)
	if c.halfOpen {
		ok = ok.LogicalAnd(below(value, c.UpperBound))
	} else {
		ok = ok.LogicalAnd(upTo(value, c.UpperBound))
	}
	if c.integer {
		ok = ok.LogicalAnd(isInteger(value))
	}
	return ok
}

// IsDiscrete implements [Constraint].
func (c *IntervalConstraint) IsDiscrete() bool { return c.integer }

// EventDim implements [Constraint].
func (c *IntervalConstraint) EventDim() int { return 0 }

func (c *IntervalConstraint) String() string {
	return c.name + "(lower_bound=" + text(c.LowerBound) + ", upper_bound=" + text(c.UpperBound) + ")"
}

// integerFrom is the integers from a bound on.
type integerFrom struct{ lower int }

func (c integerFrom) Check(value *torch.Tensor) *torch.Tensor {
	return isInteger(value).LogicalAnd(value.GeScalar(c.lower))
}
func (integerFrom) IsDiscrete() bool { return true }
func (integerFrom) EventDim() int    { return 0 }
func (c integerFrom) String() string { return "IntegerGreaterThan(lower_bound=" + text(c.lower) + ")" }

// MultinomialConstraint is what [Multinomial] returns.
type MultinomialConstraint struct{ UpperBound Bound }

// Multinomial is the vectors of counts whose sum is at most upper: constraints.multinomial(upper).
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
func Multinomial(upper Bound) *MultinomialConstraint {
	return &MultinomialConstraint{checked("Multinomial", "upper", upper)}
}

// Check implements [Constraint].
func (c *MultinomialConstraint) Check(value *torch.Tensor) *torch.Tensor {
	return value.GeScalar(0).All(-1).LogicalAnd(upTo(value.Sum(-1), c.UpperBound))
}

// IsDiscrete implements [Constraint].
func (c *MultinomialConstraint) IsDiscrete() bool { return true }

// EventDim implements [Constraint].
func (c *MultinomialConstraint) EventDim() int { return 1 }

func (c *MultinomialConstraint) String() string { return "Multinomial()" }

func isInteger(x *torch.Tensor) *torch.Tensor { return x.RemainderScalar(1).EqScalar(0) }

func above(x *torch.Tensor, lower Bound) *torch.Tensor {
	if b, ok := lower.(*torch.Tensor); ok {
		return x.Gt(b)
	}
	return x.GtScalar(lower)
}

func from(x *torch.Tensor, lower Bound) *torch.Tensor {
	if b, ok := lower.(*torch.Tensor); ok {
		return x.Ge(b)
	}
	return x.GeScalar(lower)
}

func below(x *torch.Tensor, upper Bound) *torch.Tensor {
	if b, ok := upper.(*torch.Tensor); ok {
		return x.Lt(b)
	}
	return x.LtScalar(upper)
}

func upTo(x *torch.Tensor, upper Bound) *torch.Tensor {
	if b, ok := upper.(*torch.Tensor); ok {
		return x.Le(b)
	}
	return x.LeScalar(upper)
}
