package torch

import (
	"fmt"
	"slices"
)

// Only returns the options in a variadic parameter. Without any it returns the
// zero value, which stands for the defaults. It panics with an [*Error] if there
// are two or more, because all but one would be ignored. Functions of other
// packages with such options can use it too.
//
//	func Blur(x *torch.Tensor, options ...BlurOptions) *torch.Tensor {
//		o := torch.Only(options)
func Only[O any](options []O) (o O) {
	switch len(options) {
	case 0:
	case 1:
		o = options[0]
	default:
		fail(fmt.Sprintf("%T", o), fmt.Sprintf("%d values are given; give at most one", len(options)))
	}
	return o
}

// SizesOf returns v as n sizes: an int n times, and a []int of n elements as it is.
// For a nil v it returns the defaults, if there are any. For anything else it
// panics with an [*Error] that names op and field. Functions of other packages that
// take [Ints] can use it.
func SizesOf(op, field string, v Ints, n int, defaults ...int) []int {
	switch v := v.(type) {
	case nil:
		if defaults != nil {
			return defaults
		}
		fail(op, field+" is not given")
	case int:
		return slices.Repeat([]int{v}, n)
	case []int:
		if len(v) != n {
			fail(op, fmt.Sprintf("%s has %d elements; it must have %d", field, len(v), n))
		}
		return v
	}
	fail(op, fmt.Sprintf("%s is a %T; it must be an int or a []int", field, v))
	return nil
}

// DimsOf returns v as dimensions: an int as one, a []int as it is, and nil as none.
// For anything else it panics with an [*Error] that names op.
func DimsOf(op string, v Ints) []int {
	switch v := v.(type) {
	case nil:
		return nil
	case int:
		return []int{v}
	case []int:
		return v
	}
	fail(op, fmt.Sprintf("dim is a %T; it must be an int, a []int or nil", v))
	return nil
}
