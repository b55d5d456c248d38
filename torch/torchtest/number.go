package torchtest

import (
	"fmt"
	"math"
	"math/big"
	"math/cmplx"
	"reflect"
	"strings"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
)

// A number is a Go number, or an element of a tensor, as a number of Python.
type number struct {
	int   *big.Int   // of an integer or bool, otherwise nil
	c     complex128 // of others
	dtype torch.DType
	name  string // of its type in Go
}

var kindDTypes = map[reflect.Kind]torch.DType{
	reflect.Int: torch.Int64, reflect.Int64: torch.Int64, reflect.Int32: torch.Int32, reflect.Int16: torch.Int16, reflect.Int8: torch.Int8,
	reflect.Uint: torch.Uint64, reflect.Uint64: torch.Uint64, reflect.Uint32: torch.Uint32, reflect.Uint16: torch.Uint16, reflect.Uint8: torch.Uint8,
	reflect.Float64: torch.Float64, reflect.Float32: torch.Float32, reflect.Complex128: torch.Complex128, reflect.Complex64: torch.Complex64,
}

// numberOf returns the number of a value of the kind numeric.
func numberOf(v reflect.Value) number {
	n := number{dtype: kindDTypes[v.Kind()], name: v.Type().String()}
	switch {
	case v.Kind() == reflect.Pointer:
		n.int, n.dtype = v.Interface().(*big.Int), torch.Int64
	case v.NumMethod() > 0 && smallFloat(v, &n):
	case v.CanInt():
		n.int = big.NewInt(v.Int())
	case v.CanUint():
		n.int = new(big.Int).SetUint64(v.Uint())
	case v.CanFloat():
		n.c = complex(v.Float(), 0)
	default:
		n.c = v.Complex()
	}
	return n
}

// smallFloat sets n to a value of one of the types whose bits are an integer in Go.
func smallFloat(v reflect.Value, n *number) bool {
	var x interface{ Float32() float32 }
	switch f := v.Interface().(type) {
	case torch.F16:
		n.dtype, x = torch.Float16, f
	case torch.BF16:
		n.dtype, x = torch.BFloat16, f
	case torch.F8E5M2:
		n.dtype, x = torch.Float8E5M2, f
	case torch.F8E4M3FN:
		n.dtype, x = torch.Float8E4M3FN, f
	case torch.F8E5M2FNUZ:
		n.dtype, x = torch.Float8E5M2FNUZ, f
	case torch.F8E4M3FNUZ:
		n.dtype, x = torch.Float8E4M3FNUZ, f
	case torch.F8E8M0FNU:
		n.dtype, x = torch.Float8E8M0FNU, f
	default:
		return false
	}
	n.c = complex(float64(x.Float32()), 0)
	return true
}

// element returns the element of a tensor that has only one: x.item().
func element(x *torch.Tensor) number {
	d := x.DType()
	switch {
	case d == torch.Bool:
		n := number{int: new(big.Int), dtype: d}
		if torch.Item[bool](x) {
			n.int.SetInt64(1)
		}
		return n
	case d.IsComplex():
		return number{c: torch.Item[complex128](x), dtype: d}
	case d.IsFloatingPoint():
		return number{c: complex(x.Item(), 0), dtype: d}
	case d == torch.Uint64:
		return number{int: new(big.Int).SetUint64(torch.Item[uint64](x)), dtype: d}
	}
	return number{int: big.NewInt(torch.Item[int64](x)), dtype: d}
}

func float(f float64) number { return number{c: complex(f, 0), dtype: torch.Float64} }

func (n number) isComplex() bool { return n.dtype.IsComplex() }

// float returns a number that is not complex as float(n).
func (n number) float() float64 { return real(n.complex()) }

// complex returns complex(n).
func (n number) complex() complex128 {
	if n.int == nil {
		return n.c
	}
	f, _ := new(big.Float).SetInt(n.int).Float64() // rounded to even, as in Python
	return complex(f, 0)
}

// exact returns the real part without rounding, and false if it is not finite.
func (n number) exact() (*big.Float, bool) {
	if n.int != nil {
		return new(big.Float).SetInt(n.int), true
	}
	f := real(n.c)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, false
	}
	return big.NewFloat(f), true
}

// equals reports whether n == m.
func (n number) equals(m number) bool {
	if n.int == nil && m.int == nil {
		return n.c == m.c
	}
	x, ok := n.exact()
	y, also := m.exact()
	return ok && also && x.Cmp(y) == 0 && imag(n.c) == imag(m.c)
}

func (n number) isNaN() bool {
	return math.IsNaN(real(n.c)) || math.IsNaN(imag(n.c))
}

// abs returns abs(n).
func (n number) abs() number {
	switch {
	case n.int != nil:
		return number{int: new(big.Int).Abs(n.int), dtype: torch.Int64}
	case n.isComplex():
		return float(hypot(n.c))
	}
	return float(math.Abs(real(n.c)))
}

func hypot(c complex128) float64 {
	if cmplx.IsInf(c) {
		return math.Inf(1)
	}
	return libm.Hypot(real(c), imag(c))
}

// minus returns n - m.
func (n number) minus(m number) number {
	switch {
	case n.int != nil && m.int != nil:
		return number{int: new(big.Int).Sub(n.int, m.int), dtype: torch.Int64}
	case n.isComplex() || m.isComplex():
		return number{c: n.complex() - m.complex(), dtype: torch.Complex128}
	}
	return float(n.float() - m.float())
}

// over returns n / m of numbers that are not complex, where m is not 0.
func (n number) over(m number) float64 {
	if n.int == nil || m.int == nil {
		return n.float() / m.float()
	}
	q, _ := new(big.Rat).SetFrac(n.int, m.int).Float64()
	return q
}

// atMost reports whether n is finite and n <= limit, of a number that is not complex.
func (n number) atMost(limit float64) bool {
	x, ok := n.exact()
	if !ok || math.IsNaN(limit) {
		return false
	}
	return x.Cmp(new(big.Float).SetFloat64(limit)) <= 0
}

// String returns Python's repr.
func (n number) String() string {
	switch {
	case n.dtype == torch.Bool:
		return repr(n.int.Sign() != 0)
	case n.int != nil:
		return n.int.String()
	case n.isComplex():
		return pyrepr.Complex(n.c)
	}
	return pyrepr.Float(real(n.c))
}

// A numberPair is two Go numbers.
type numberPair struct {
	actual, expected number
	rtol, atol       float64
	at               *item
}

func (p numberPair) item() *item { return p.at }

func (p numberPair) compare(o *CloseOptions) error {
	a, e := p.actual, p.expected
	if !o.NoCheckDType && a.dtype != e.dtype {
		return p.at.failed(fmt.Sprintf("The (d)types do not match: %s != %s.", a.name, e.name))
	}
	if a.equals(e) || o.EqualNan && a.isNaN() && e.isNaN() {
		return nil
	}
	tolerance := p.atol + float64(p.rtol*e.abs().float())
	if a.minus(e).abs().atMost(tolerance) {
		return nil
	}
	return p.at.failed(scalarMessage("Scalars", a, e, p.rtol, p.atol))
}

// scalarMessage returns the message about two numbers that are not close.
func scalarMessage(name string, a, e number, rtol, atol float64) string {
	diff := a.minus(e).abs()
	relative := math.Inf(1)
	if !e.equals(float(0)) {
		relative = diff.over(e.abs())
	}
	return closeMessage(name, fmt.Sprintf("Expected %v but got %v.", e, a), difference{diff, nil}, difference{float(relative), nil}, rtol, atol)
}

// A difference is one of two numbers, or the greatest of two tensors and its index.
type difference struct {
	number
	at []int // nil for numbers
}

// line returns the line of a message about the difference, which may be up to limit, or nil if it has to be 0.
func (d difference) line(word string, limit *float64) string {
	line := strings.ToUpper(word[:1]) + word[1:] + " difference: " + d.String()
	if d.at != nil {
		line = "Greatest " + word + " difference: " + d.String() + " at index " + tupleText(d.at)
	}
	if limit != nil {
		line += " (up to " + pyrepr.Float(*limit) + " allowed)"
	}
	return line
}

// closeMessage returns the message about values that are not close.
func closeMessage(name, extra string, absolute, relative difference, rtol, atol float64) string {
	if rtol == 0 && atol == 0 {
		return name + " are not equal!\n\n" + extra + "\n" + absolute.line("absolute", nil) + "\n" + relative.line("relative", nil)
	}
	return name + " are not close!\n\n" + extra + "\n" + absolute.line("absolute", &atol) + "\n" + relative.line("relative", &rtol)
}
