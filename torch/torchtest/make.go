package torchtest

import (
	"fmt"
	"math"
	"math/big"
	"reflect"

	"github.com/torchhub/torchhub/torch"
)

var clone = torch.NewOp("aten::clone", "")

// MakeTensorOptions are the options of [MakeTensor].
type MakeTensorOptions struct {
	Device        torch.Device       // "" is the default device
	Low           torch.Number       // inclusive; an int or a float64; nil is 0 for bool and unsigned integers, and -9 for others
	High          torch.Number       // exclusive; an int or a float64; nil is 2 for bool, 10 for integers, and 9 for others
	RequiresGrad  bool               // not for bool and integers
	NonContiguous bool               // every second element of a tensor whose last dimension is twice as long; not for a single element
	ExcludeZero   bool               // replaces zeros by 1, or by the smallest normal number of a float or complex dtype
	MemoryFormat  torch.MemoryFormat // not together with NonContiguous
}

// MakeTensor returns a tensor of the shape and dtype, of random numbers from Low
// up to but not including High: torch.testing.make_tensor(shape, dtype=dtype).
// After the same torch.ManualSeed they are Python's. A Low or High beyond the
// dtype's range is replaced by the end of the range. MakeTensor panics with a
// *torch.Error if no number is between them, or if the dtype is quantized or of
// another kind that PyTorch has no random numbers for.
//
//	x := torchtest.MakeTensor([]int{2, 3}, torch.Float32, torchtest.MakeTensorOptions{Low: -1, High: 1})
//
// https://docs.pytorch.org/docs/stable/testing.html#torch.testing.make_tensor
func MakeTensor(shape []int, dtype torch.DType, options ...MakeTensorOptions) *torch.Tensor {
	o := torch.Only(options)
	r, ok := ranges[dtype]
	switch {
	case !ok:
		mistake("there are no random numbers of the dtype %v", dtype)
	case o.NonContiguous && o.MemoryFormat != torch.ContiguousFormat:
		mistake("NonContiguous and MemoryFormat are mutually exclusive")
	case o.RequiresGrad && r.integral:
		mistake("a tensor of the dtype %v cannot require a gradient", dtype)
	}
	elements := 1
	for _, n := range shape {
		elements *= n
	}
	nonContiguous := o.NonContiguous && elements > 1
	if nonContiguous {
		last := len(shape) - 1
		shape = append(append([]int{}, shape[:last]...), 2*shape[last])
	}
	low, high := r.interval(dtype, o.Low, o.High)
	to := torch.Options{DType: dtype, Device: o.Device}
	var x *torch.Tensor
	switch {
	case r.integral:
		x = to.RandInt(ceil(low), ceil(high), shape...)
	case dtype.Size() == 1:
		x = torch.Options{DType: torch.Float32, Device: o.Device}.Empty(shape...)
		uniform(x, low.float(), high.float(), math.MaxFloat32)
		x = x.Then(func(x *torch.Tensor) *torch.Tensor { return x.ToDType(dtype) })
	default:
		x = to.Empty(shape...)
		numbers := x
		if dtype.IsComplex() {
			numbers = x.ViewAsReal()
		}
		uniform(numbers, low.float(), high.float(), r.highest.float())
	}
	if nonContiguous {
		x = x.Index(torch.Ellipsis, torch.Slice(1, torch.End, 2)) // begins at 1 to make offsets other than 0 too
	} else if o.MemoryFormat != torch.ContiguousFormat {
		var c torch.Call
		c.Tensor(x)
		c.MemoryFormat(o.MemoryFormat)
		x = c.One(clone)
	}
	if o.ExcludeZero {
		x.SetIndex(r.nonzero, x.EqScalar(0))
	}
	if o.RequiresGrad && dtype.Size() > 1 { // as in Python, not for floats of 8 bits
		x.RequireGrad(true)
	}
	return x
}

func mistake(format string, args ...any) {
	panic(&torch.Error{Op: "torchtest.MakeTensor", Msg: fmt.Sprintf(format, args...)})
}

// A numberRange is the range of a dtype and the defaults of a part of it.
type numberRange struct {
	integral                      bool
	lowest, highest               number // highest is exclusive
	defaultLowest, defaultHighest number
	nonzero                       torch.Number // replaces 0
}

// ranges are those of the dtypes of random numbers.
var ranges = func() map[torch.DType]numberRange {
	out := map[torch.DType]numberRange{torch.Bool: {true, integer(0), integer(2), integer(0), integer(2), 1}}
	for d, bits := range map[torch.DType]uint{torch.Int8: 7, torch.Int16: 15, torch.Int32: 31, torch.Int64: 63, torch.Uint8: 8, torch.Uint16: 16, torch.Uint32: 32, torch.Uint64: 64} {
		r := numberRange{true, integer(0), number{int: new(big.Int).Lsh(big.NewInt(1), bits), dtype: torch.Int64}, integer(-9), integer(10), 1}
		if bits%8 == 7 {
			r.lowest.int = new(big.Int).Neg(r.highest.int)
		}
		if d == torch.Int64 {
			r.highest.int = big.NewInt(math.MaxInt64) // randint takes no higher bound
		}
		out[d] = r
	}
	for d, f := range map[torch.DType]struct{ highest, tiny float64 }{
		torch.Float16: {65504, 0x1p-14}, torch.BFloat16: {0x1.fep127, 0x1p-126}, torch.Float32: {math.MaxFloat32, 0x1p-126}, torch.Float64: {math.MaxFloat64, 0x1p-1022},
		torch.Complex32: {65504, 0x1p-14}, torch.Complex64: {math.MaxFloat32, 0x1p-126}, torch.Complex128: {math.MaxFloat64, 0x1p-1022},
		torch.Float8E4M3FN: {448, 0x1p-6}, torch.Float8E5M2: {57344, 0x1p-14}, torch.Float8E4M3FNUZ: {240, 0x1p-7}, torch.Float8E5M2FNUZ: {57344, 0x1p-15},
	} {
		out[d] = numberRange{false, float(-f.highest), float(f.highest), integer(-9), integer(9), f.tiny}
	}
	return out
}()

func integer(n int64) number { return number{int: big.NewInt(n), dtype: torch.Int64} }

// interval returns the part of the range that is between the bounds of the options.
func (r numberRange) interval(d torch.DType, optionLow, optionHigh torch.Number) (low, high number) {
	low, high = bound("Low", optionLow, r.defaultLowest), bound("High", optionHigh, r.defaultHighest)
	order := low.cmp(high)
	switch {
	case order == 0 && !r.integral && d.Size() > 1: // deprecated, but constant
	case order >= 0:
		mistake("Low must be less than High, but got %v >= %v", low, high)
	case high.cmp(r.lowest) < 0 || low.cmp(r.highest) >= 0:
		mistake("the interval from Low to High is [%v, %v), but %v only supports [%v, %v)", low, high, d, r.lowest, r.highest)
	}
	clamp := func(n number) number {
		if n.cmp(r.lowest) < 0 {
			n = r.lowest
		}
		if n.cmp(r.highest) > 0 {
			n = r.highest
		}
		return n
	}
	return clamp(low), clamp(high)
}

// bound returns the number in an option, or a default.
func bound(name string, v torch.Number, standard number) number {
	switch v.(type) {
	case nil:
		return standard
	case int, int64, float64:
		n := numberOf(reflect.ValueOf(v))
		if n.isNaN() {
			mistake("%s cannot be NaN", name)
		}
		return n
	}
	mistake("%s is a %T; it must be an int or a float64", name, v)
	return number{}
}

// cmp compares real numbers other than NaN.
func (n number) cmp(m number) int {
	of := func(n number) *big.Float {
		if n.int != nil {
			return new(big.Float).SetInt(n.int)
		}
		return big.NewFloat(real(n.c))
	}
	return of(n).Cmp(of(m))
}

// ceil returns the least integer that is not below n.
func ceil(n number) int {
	i := n.int
	if i == nil {
		i, _ = big.NewFloat(math.Ceil(real(n.c))).Int(nil)
	}
	if !i.IsInt64() {
		mistake("the bound %v is greater than the largest int64", n)
	}
	return int(i.Int64())
}

// uniform fills x, whose largest number is highest, with numbers of the interval.
func uniform(x *torch.Tensor, low, high, highest float64) {
	if high-low >= highest { // the width must be a number of the dtype
		x.UniformInPlace(low/2, high/2).MulScalarInPlace(2)
		return
	}
	x.UniformInPlace(low, high)
}
