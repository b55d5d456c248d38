// Package args checks the arguments that functionals and transforms share, and
// names the operation in its errors.
package args

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// What begins the Op of the errors of packages functional and v2.
const (
	Functional = "functional."
	V2         = "transforms.v2."
)

// Refuse panics: an argument of op is wrong, whatever the value.
func Refuse(op, format string, a ...any) {
	panic(&torch.Error{Op: op, Msg: fmt.Sprintf(format, a...)})
}

// Named calls f and puts the name op and a description of the value into the
// [*torch.Error] that it panics with, before what the error says already.
func Named(op string, value fmt.Stringer, f func()) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *torch.Error:
			rename(p, op, value)
			panic(p)
		default:
			panic(p)
		}
	}()
	f()
}

func rename(e *torch.Error, op string, value fmt.Stringer) {
	text := ""
	if value != nil {
		text = value.String()
	}
	if strings.HasPrefix(e.Op, Functional) && (e.Args == "" || e.Args == text) {
		e.Op, e.Args = op, text // the functional adds no information to the transform's
		return
	}
	inner := e.Op
	if e.Overload != "" {
		inner += "." + e.Overload
	}
	if e.Args != "" && e.Args != text {
		inner += "(" + e.Args + ")"
	}
	e.Op, e.Overload, e.Args = op, "", text
	if inner != op {
		e.Msg = inner + ": " + e.Msg
	}
}

// Ints returns a copy of an int or a []int as a list.
func Ints(op, what string, v torch.Ints) []int {
	switch v := v.(type) {
	case int:
		return []int{v}
	case []int:
		return append([]int{}, v...)
	}
	Refuse(op, "%s is a %T; want an int or a []int", what, v)
	return nil
}

// Guard panics again with e, which a deferred function has recovered, unless it is nil. A [*torch.Error] gets the
// name op and, if describe is not nil, its description of the value.
func Guard(e any, op string, describe func() string) {
	switch e := e.(type) {
	case nil:
	case *torch.Error:
		if e.Op == op {
			panic(e)
		}
		named := *e // with its kind
		named.Op, named.Overload = op, ""
		if describe != nil {
			named.Args = describe()
		}
		if !strings.HasPrefix(e.Op, V2) {
			named.Msg = e.Op + ": " + e.Msg
		}
		panic(&named)
	default:
		panic(e)
	}
}

// Size returns a size of one or two ints.
func Size(op string, size torch.Ints) []int {
	s := Ints(op, "the size", size)
	if len(s) != 1 && len(s) != 2 {
		Refuse(op, "the size has %d elements; want the height and the width", len(s))
	}
	return s
}

// Sides returns the height and width that a size names: one int stands for both.
func Sides(op string, size torch.Ints) (h, w int) {
	s := Size(op, size)
	return s[0], s[len(s)-1]
}

// ResizedSize returns the size to which a picture of h×w pixels is resized, for a
// size of one or two numbers and the longest side, 0 for none: torchvision's
// _compute_resized_output_size.
func ResizedSize(h, w int, size []int, longest int) (int, int) {
	if len(size) == 2 {
		return size[0], size[1]
	}
	short, long := size[0], scaled(size[0], max(w, h), min(w, h))
	if longest > 0 && long > longest {
		short, long = scaled(longest, short, long), longest
	}
	if w <= h {
		return long, short
	}
	return short, long
}

// scaled is Python's int(a * b / c): the product is of integers, the quotient correctly rounded.
func scaled(a, b, c int) int {
	if c == 0 {
		return math.MaxInt
	}
	if n := float64(a) * float64(b); math.Abs(n) < 1<<53 {
		return int(n / float64(c))
	}
	r := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(int64(b))), big.NewInt(int64(c)))
	f, _ := r.Float64()
	if f >= math.MaxInt || f <= math.MinInt {
		return math.MaxInt
	}
	return int(f)
}

// CheckSides returns an error text for the sides of a picture of h×w pixels, or
// "".
func CheckSides(h, w int) string {
	if min(h, w) < 1 || max(h, w) > math.MaxInt32 {
		return fmt.Sprintf("the sides would become %d and %d pixels long; want 1 to %d", min(h, w), max(h, w), math.MaxInt32)
	}
	return ""
}

// CheckMemory returns an error text for the memory of a picture of h×w pixels,
// or "".
func CheckMemory(h, w int) string {
	const limit = 1 << 30 // 3 GB
	if w > limit/h {
		return fmt.Sprintf("the result of %d×%d pixels would not fit in memory; crop the picture first or set MaxSize", w, h)
	}
	return ""
}

// MaxSize panics where a limit of the long side does not go with the size.
func MaxSize(op string, longest int, size []int) {
	switch {
	case longest != 0 && len(size) == 2:
		Refuse(op, "MaxSize is %d, but both sides are given already; leave one out", longest)
	case longest < 0 || longest != 0 && longest <= size[0]:
		Refuse(op, "MaxSize is %d; want more than the size of the short side, %d", longest, size[0])
	}
}

// Borders returns the left, top, right and bottom padding that an int, or a list
// of 1, 2 (left and right, top and bottom) or 4 ints names.
func Borders(op string, padding torch.Ints) (left, top, right, bottom int) {
	p := Ints(op, "the padding", padding)
	switch len(p) {
	case 1, 2:
		left, top = p[0], p[len(p)-1]
		right, bottom = left, top
	case 4:
		left, top, right, bottom = p[0], p[1], p[2], p[3]
	default:
		Refuse(op, "the padding has %d elements; want 1, 2 or 4", len(p))
	}
	for _, n := range []int{left, top, right, bottom} {
		if n > math.MaxInt32 || n < -math.MaxInt32 {
			Refuse(op, "the padding is %d; want at most %d", n, math.MaxInt32)
		}
	}
	return left, top, right, bottom
}

// PaddingMode panics if there is no such mode. "" is the default, constant.
func PaddingMode(op, mode string) {
	switch mode {
	case "", "constant", "edge", "reflect", "symmetric":
	default:
		Refuse(op, "no padding mode is called %q; want constant, edge, reflect or symmetric", mode)
	}
}

// Kernel returns a kernel's size in x and y: an int or a list of both, odd and above 0.
func Kernel(op string, size torch.Ints) (k [2]int) {
	switch s := Ints(op, "the kernel size", size); {
	case len(s) == 2:
		k = [2]int(s)
	default:
		if _, list := size.([]int); list {
			Refuse(op, "the kernel size has %d elements; want those of x and y", len(s))
		}
		k = [2]int{s[0], s[0]}
	}
	for _, n := range k {
		if n < 1 || n%2 == 0 || n > math.MaxInt32 {
			Refuse(op, "the kernel size is %d; want an odd number above 0", n)
		}
	}
	return k
}

// Floats returns the numbers of f, a float64, an int or a []float64, which must be finite; nil for nil.
// What is how an error begins, such as "the fill" or the name of an option.
func Floats(op, what string, f any) []float64 {
	var out []float64
	switch f := f.(type) {
	case nil:
	case int:
		out = []float64{float64(f)}
	case float64:
		out = []float64{f}
	case []float64:
		if f != nil { // an empty list is not nil
			out = append([]float64{}, f...)
		}
	default:
		Refuse(op, "%s is a %T; want a float64, an int or a []float64", what, f)
	}
	Finite(op, what, out...)
	return out
}

// Around returns the range of a number, -x to x, or a []float64 of as many numbers as one of lengths.
func Around(op, what string, f any, lengths ...int) []float64 {
	x := Floats(op, what, f)
	if _, list := f.([]float64); !list && len(x) == 1 {
		if x[0] < 0 {
			Refuse(op, "%s is %v; want 0 or more, or a []float64 of the least and the greatest", what, x[0])
		}
		return []float64{-x[0], x[0]}
	}
	if !slices.Contains(lengths, len(x)) {
		Refuse(op, "%s has %d numbers; want %v", what, len(x), lengths)
	}
	return x
}

// Jitter returns the range that a factor of ColorJitter is drawn from, nil where it changes nothing. A number x
// stands for neutral-x to neutral+x, and not below 0 where 1 is neutral.
func Jitter(op, what string, f any, neutral, low, high float64) []float64 {
	r := Floats(op, what, f)
	if r == nil {
		return nil
	}
	if _, list := f.([]float64); !list {
		if r[0] < 0 {
			Refuse(op, "%s is %v; want 0 or more", what, f)
		}
		r = []float64{neutral - r[0], neutral + r[0]}
		if neutral == 1 {
			r[0] = max(r[0], 0)
		}
	}
	if len(r) != 2 || !(low <= r[0] && r[0] <= r[1] && r[1] <= high) {
		Refuse(op, "%s is %v; want a number, or the least and the greatest, within %v and %v", what, f, low, high)
	}
	if r[0] == neutral && r[1] == neutral {
		return nil
	}
	return r
}

// Number returns n, an int or a finite float64, as a float64.
func Number(op, what string, n torch.Number) float64 {
	switch n := n.(type) {
	case int:
		return float64(n)
	case float64:
		Finite(op, what, n)
		return n
	}
	Refuse(op, "%s is a %T; want an int or a float64", what, n)
	return 0
}

// Above reports whether n, an int or a float64, is greater than limit.
func Above(n torch.Number, limit int) bool {
	if i, ok := n.(int); ok {
		return i > limit
	}
	f := n.(float64)
	return f > float64(limit) || limit == math.MaxInt && f == float64(limit) // float64(limit) is limit+1
}

// Finite panics unless the values are finite numbers: what comes
// of NaN or infinity as a pixel is undefined in Python.
func Finite(op, what string, values ...float64) {
	for _, x := range values {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			Refuse(op, "%s is %v; want a finite number", what, x)
		}
	}
}
