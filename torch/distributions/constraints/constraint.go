// Package constraints describes sets of values: torch.distributions.constraints. The
// parameters of a distribution must satisfy one, and its support is another.
//
//	constraints.Positive.Check(torch.NewTensor([]float32{1, -1})) // tensor([ True, False])
//
// https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.constraints
package constraints

import (
	"fmt"
	"strconv"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
)

// A Constraint is a set of values, over the last EventDim dimensions of a tensor.
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.constraints.Constraint
type Constraint interface {
	// Check returns a bool for each element of value, or for each group of elements in
	// the last EventDim dimensions: whether it is in the set.
	Check(value *torch.Tensor) *torch.Tensor

	IsDiscrete() bool // whether the set is discrete
	EventDim() int    // the number of dimensions that are checked together
	String() string   // Python's repr
}

// A Bound is a *torch.Tensor or a number, an int or a float64. A function that gets
// another type panics with a [*torch.Error].
type Bound = any

func fail(op, format string, args ...any) {
	panic(&torch.Error{Op: "constraints." + op, Msg: fmt.Sprintf(format, args...)})
}

// A simple constraint has no parameters.
type simple struct {
	name     string
	discrete bool
	eventDim int
	check    func(value *torch.Tensor) *torch.Tensor
}

func (c *simple) Check(value *torch.Tensor) *torch.Tensor { return c.check(value) }
func (c *simple) IsDiscrete() bool                        { return c.discrete }
func (c *simple) EventDim() int                           { return c.eventDim }
func (c *simple) String() string                          { return c.name + "()" }

// text formats a bound as an f-string does.
func text(v Bound) string {
	switch v := v.(type) {
	case int:
		return strconv.Itoa(v)
	case float64:
		return pyrepr.Float(v)
	case *torch.Tensor:
		if v.Dim() > 0 {
			return v.String()
		}
		if v.DType().IsFloatingPoint() {
			return pyrepr.Float(v.Item())
		}
		return strconv.Itoa(torch.Item[int](v))
	}
	return fmt.Sprint(v)
}

// checked returns a bound, which must be of a type that one can have.
func checked(op, name string, v Bound) Bound {
	switch v := v.(type) {
	case int, float64:
		return v
	case *torch.Tensor:
		if v != nil {
			return v
		}
	}
	fail(op, "%s is a %T; it must be a *torch.Tensor, an int or a float64", name, v)
	return nil
}
