package graph

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/torchhub/torchhub/torch"
)

// A numberFunction is a function of Python that computes numbers of a graph. Its arguments are ints, float64s and bools,
// as many as arity says.
type numberFunction struct {
	arity int
	f     func(x []any) (any, error)
}

// numberFunctions are those that torch.export writes: its _SYM_OPS.
var numberFunctions = map[string]numberFunction{
	"operator.add":      arithmetic(addInts, func(a, b float64) float64 { return a + b }),
	"operator.sub":      arithmetic(subInts, func(a, b float64) float64 { return a - b }),
	"operator.mul":      arithmetic(mulInts, func(a, b float64) float64 { return a * b }),
	"operator.floordiv": arithmetic(floorDiv, func(a, b float64) float64 { return math.Floor(a / b) }),
	"operator.mod":      arithmetic(modInts, modFloats),
	"operator.pow":      arithmetic(powInts, math.Pow),
	"operator.truediv":  {2, trueDiv},
	"operator.neg":      {1, func(x []any) (any, error) { return negate(x[0]) }},
	"operator.pos":      {1, func(x []any) (any, error) { return plain(x[0]), nil }},
	"operator.eq":       comparison(func(c int) bool { return c == 0 }),
	"operator.ne":       comparison(func(c int) bool { return c != 0 }),
	"operator.lt":       comparison(func(c int) bool { return c == -1 }),
	"operator.le":       comparison(func(c int) bool { return c == -1 || c == 0 }),
	"operator.gt":       comparison(func(c int) bool { return c == 1 }),
	"operator.ge":       comparison(func(c int) bool { return c == 1 || c == 0 }),
	"operator.and_":     bitwise(func(a, b int) int { return a & b }),
	"operator.or_":      bitwise(func(a, b int) int { return a | b }),
	"operator.lshift":   integers(shiftLeft),
	"operator.rshift":   integers(shiftRight),
	"math.trunc":        {1, func(x []any) (any, error) { return toInt(x[0]) }},
	"torch.sym_int":     {1, func(x []any) (any, error) { return toInt(x[0]) }},
	"torch.sym_float":   {1, func(x []any) (any, error) { return float(x[0]), nil }},
	"torch.sym_not":     {1, func(x []any) (any, error) { return !truth(x[0]), nil }},
	"torch.sym_max":     extreme(1),
	"torch.sym_min":     extreme(-1),
	"torch._sym_sqrt":   {1, func(x []any) (any, error) { return math.Sqrt(float(x[0])), nil }},
	"torch.sym_ite": {3, func(x []any) (any, error) {
		if truth(x[0]) {
			return x[1], nil
		}
		return x[2], nil
	}},
}

// of computes a node, with what value returns for values.
func (f numberFunction) of(n *Node, value func(*Value) any) any {
	if len(n.Args) != f.arity {
		fail("%s has %d arguments, and takes %d", n.Op, len(n.Args), f.arity)
	}
	x := make([]any, len(n.Args))
	for i, a := range n.Args {
		switch v := valueOf(a, value).(type) {
		case int, float64, bool:
			x[i] = v
		default:
			fail("argument %d of %s is a %T, and must be a number", i, n.Op, v)
		}
	}
	v, err := f.f(x)
	if err != nil {
		panic(&torch.Error{Op: n.Op, Msg: fmt.Sprintf("of %v: %v", x, err)})
	}
	return v
}

var (
	errOverflow = fmt.Errorf("the result does not fit into 64 bits")
	errZero     = fmt.Errorf("division by zero")
)

// plain returns a number of which a bool is 0 or 1.
func plain(v any) any {
	if b, ok := v.(bool); ok {
		if b {
			return 1
		}
		return 0
	}
	return v
}

func float(v any) float64 {
	switch v := plain(v).(type) {
	case int:
		return float64(v)
	case float64:
		return v
	}
	return math.NaN()
}

func truth(v any) bool { return float(v) != 0 }

// toInt rounds toward zero: int(v).
func toInt(v any) (any, error) {
	switch v := plain(v).(type) {
	case float64:
		if t := math.Trunc(v); t >= -0x1p63 && t < 0x1p63 {
			return int(t), nil
		}
		return nil, errOverflow
	default:
		return v, nil
	}
}

func negate(v any) (any, error) {
	switch v := plain(v).(type) {
	case int:
		return subInts(0, v)
	default:
		return -float(v), nil
	}
}

// arithmetic is a function of two numbers: of ints if both are, and of float64s otherwise.
func arithmetic(i func(a, b int) (any, error), f func(a, b float64) float64) numberFunction {
	return numberFunction{2, func(x []any) (any, error) {
		a, ok1 := plain(x[0]).(int)
		b, ok2 := plain(x[1]).(int)
		if ok1 && ok2 {
			return i(a, b)
		}
		return f(float(x[0]), float(x[1])), nil
	}}
}

// integers is a function of two ints.
func integers(f func(a, b int) (any, error)) numberFunction {
	return numberFunction{2, func(x []any) (any, error) {
		a, ok1 := plain(x[0]).(int)
		b, ok2 := plain(x[1]).(int)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("it takes integers only")
		}
		return f(a, b)
	}}
}

// bitwise is a function of two ints, which of two bools is a bool.
func bitwise(f func(a, b int) int) numberFunction {
	return numberFunction{2, func(x []any) (any, error) {
		_, bool1 := x[0].(bool)
		_, bool2 := x[1].(bool)
		a, ok1 := plain(x[0]).(int)
		b, ok2 := plain(x[1]).(int)
		switch {
		case !ok1 || !ok2:
			return nil, fmt.Errorf("it takes integers only")
		case bool1 && bool2:
			return f(a, b) != 0, nil
		}
		return f(a, b), nil
	}}
}

// compare returns -1, 0 or 1, and 2 where there is no order.
func compare(x, y any) int {
	a, ok1 := plain(x).(int)
	b, ok2 := plain(y).(int)
	if ok1 && ok2 {
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	}
	switch f, g := float(x), float(y); {
	case f < g:
		return -1
	case f > g:
		return 1
	case f == g:
		return 0
	}
	return 2
}

func comparison(holds func(c int) bool) numberFunction {
	return numberFunction{2, func(x []any) (any, error) { return holds(compare(x[0], x[1])), nil }}
}

// extreme is the number of two that compares to the other one as sign says.
func extreme(sign int) numberFunction {
	return numberFunction{2, func(x []any) (any, error) {
		_, float1 := x[0].(float64)
		_, float2 := x[1].(float64)
		v := plain(x[0])
		if compare(x[1], x[0]) == sign {
			v = plain(x[1])
		}
		if float1 || float2 {
			return float(v), nil
		}
		return v, nil
	}}
}

func addInts(a, b int) (any, error) {
	if c := a + b; (c > a) == (b > 0) {
		return c, nil
	}
	return nil, errOverflow
}

func subInts(a, b int) (any, error) {
	if c := a - b; (c < a) == (b > 0) {
		return c, nil
	}
	return nil, errOverflow
}

func mulInts(a, b int) (any, error) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	c := a * b
	if hi != 0 || lo > 1<<63 || magnitude(c) != lo || c != 0 && (c < 0) != ((a < 0) != (b < 0)) {
		return nil, errOverflow
	}
	return c, nil
}

func magnitude(a int) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func floorDiv(a, b int) (any, error) {
	switch {
	case b == 0:
		return nil, errZero
	case b == -1:
		return subInts(0, a)
	}
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q, nil
}

// modInts has the sign of b, as in Python.
func modInts(a, b int) (any, error) {
	switch b {
	case 0:
		return nil, errZero
	case -1:
		return 0, nil
	}
	r := a % b
	if r != 0 && (r < 0) != (b < 0) {
		r += b
	}
	return r, nil
}

func modFloats(a, b float64) float64 {
	r := math.Mod(a, b)
	if r != 0 && (r < 0) != (b < 0) {
		r += b
	}
	return r
}

func trueDiv(x []any) (any, error) {
	b := float(x[1])
	if b == 0 {
		return nil, errZero
	}
	return float(x[0]) / b, nil
}

// powInts is a float64 where b is negative.
func powInts(a, b int) (any, error) {
	if b < 0 {
		if a == 0 {
			return nil, errZero
		}
		return math.Pow(float64(a), float64(b)), nil
	}
	var v any = 1
	for b > 0 {
		var err error
		if b&1 == 1 {
			if v, err = mulInts(v.(int), a); err != nil {
				return nil, err
			}
		}
		if b >>= 1; b > 0 {
			square, err := mulInts(a, a)
			if err != nil {
				return nil, err
			}
			a = square.(int)
		}
	}
	return v, nil
}

func shiftLeft(a, b int) (any, error) {
	switch {
	case b < 0:
		return nil, fmt.Errorf("a shift by a negative number")
	case a == 0:
		return 0, nil
	case b > 62:
		return nil, errOverflow
	}
	return mulInts(a, 1<<b)
}

func shiftRight(a, b int) (any, error) {
	if b < 0 {
		return nil, fmt.Errorf("a shift by a negative number")
	}
	return a >> min(b, 63), nil
}
