package torch

import (
	"math"
	"strconv"
)

// The bits of elements without a Go type. Each converts to and from float32. A number
// between two of its numbers is rounded to the nearer one, ties to even; a number
// beyond its range becomes an infinity, or NaN if the format has no infinity.
//
// https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.dtype
type (
	F16        uint16 // an element of Float16
	BF16       uint16 // of BFloat16
	F8E5M2     uint8  // of Float8E5M2
	F8E4M3FN   uint8  // of Float8E4M3FN
	F8E5M2FNUZ uint8  // of Float8E5M2FNUZ
	F8E4M3FNUZ uint8  // of Float8E4M3FNUZ
	F8E8M0FNU  uint8  // of Float8E8M0FNU: a power of two
)

// NewF16 returns the float16 nearest to f.
func NewF16(f float32) F16 { return F16(formatF16.encode(f)) }

// NewBF16 returns the bfloat16 nearest to f.
func NewBF16(f float32) BF16 { return BF16(formatBF16.encode(f)) }

// NewF8E5M2 returns the float8_e5m2 nearest to f.
func NewF8E5M2(f float32) F8E5M2 { return F8E5M2(formatE5M2.encode(f)) }

// NewF8E4M3FN returns the float8_e4m3fn nearest to f, and ±448 for numbers beyond these, as
// torch 2.15 does; earlier versions return NaN.
func NewF8E4M3FN(f float32) F8E4M3FN { return F8E4M3FN(formatE4M3FN.encode(f)) }

// NewF8E5M2FNUZ returns the float8_e5m2fnuz nearest to f, NaN beyond ±57344.
func NewF8E5M2FNUZ(f float32) F8E5M2FNUZ { return F8E5M2FNUZ(formatE5M2FNUZ.encode(f)) }

// NewF8E4M3FNUZ returns the float8_e4m3fnuz nearest to f, NaN beyond ±240.
func NewF8E4M3FNUZ(f float32) F8E4M3FNUZ { return F8E4M3FNUZ(formatE4M3FNUZ.encode(f)) }

// NewF8E8M0FNU returns the float8_e8m0fnu nearest to |f|.
func NewF8E8M0FNU(f float32) F8E8M0FNU {
	bits := math.Float32bits(f) &^ (1 << 31)
	exponent, mantissa := bits>>23, bits&(1<<23-1)
	if exponent == 255 {
		return 255
	}
	// Half-way goes up, and so does what is above a half; half of the lowest
	// power is subnormal in float32, where only the bits after the first count.
	if half := uint32(1 << 22); mantissa > half || mantissa == half && exponent > 0 {
		exponent++
	}
	return F8E8M0FNU(exponent)
}

// Float32 returns the number as a float32, which holds it exactly.
func (v F16) Float32() float32 { return formatF16.decode(uint16(v)) }

// Float32 returns the number as a float32, which holds it exactly.
func (v BF16) Float32() float32 { return math.Float32frombits(uint32(v) << 16) }

// Float32 returns the number as a float32, which holds it exactly.
func (v F8E5M2) Float32() float32 { return formatE5M2.decode(uint16(v)) }

// Float32 returns the number as a float32, which holds it exactly.
func (v F8E4M3FN) Float32() float32 { return formatE4M3FN.decode(uint16(v)) }

// Float32 returns the number as a float32, which holds it exactly.
func (v F8E5M2FNUZ) Float32() float32 { return formatE5M2FNUZ.decode(uint16(v)) }

// Float32 returns the number as a float32, which holds it exactly.
func (v F8E4M3FNUZ) Float32() float32 { return formatE4M3FNUZ.decode(uint16(v)) }

// Float32 returns the number as a float32, which holds it exactly.
func (v F8E8M0FNU) Float32() float32 {
	if v == 255 {
		return float32(math.NaN())
	}
	return float32(math.Ldexp(1, int(v)-127))
}

// String writes the number.
func (v F16) String() string { return short(v.Float32()) }

// String writes the number.
func (v BF16) String() string { return short(v.Float32()) }

// String writes the number.
func (v F8E5M2) String() string { return short(v.Float32()) }

// String writes the number.
func (v F8E4M3FN) String() string { return short(v.Float32()) }

// String writes the number.
func (v F8E5M2FNUZ) String() string { return short(v.Float32()) }

// String writes the number.
func (v F8E4M3FNUZ) String() string { return short(v.Float32()) }

// String writes the number.
func (v F8E8M0FNU) String() string { return short(v.Float32()) }

func short(f float32) string { return strconv.FormatFloat(float64(f), 'g', -1, 32) }

// A smallFloat is a format of sign, exponent and mantissa.
type smallFloat struct {
	width, mantissa, bias int
	most                  uint16 // the bits of the largest finite number
	beyond                uint16 // of what is larger
	nan                   uint16
	unsigned              bool // zero and NaN have no sign
}

var (
	formatF16      = smallFloat{16, 10, 15, 0x7bff, 0x7c00, 0x7e00, false}
	formatBF16     = smallFloat{16, 7, 127, 0x7f7f, 0x7f80, 0x7fc0, false}
	formatE5M2     = smallFloat{8, 2, 15, 0x7b, 0x7c, 0x7f, false}
	formatE4M3FN   = smallFloat{8, 3, 7, 0x7e, 0x7e, 0x7f, false}
	formatE5M2FNUZ = smallFloat{8, 2, 16, 0x7f, 0x80, 0x80, true}
	formatE4M3FNUZ = smallFloat{8, 3, 8, 0x7f, 0x80, 0x80, true}
)

func (s *smallFloat) encode(f float32) uint16 {
	v := math.Abs(float64(f))
	var sign uint16
	if math.Signbit(float64(f)) {
		sign = 1 << (s.width - 1)
	}
	if v != v {
		if s.unsigned {
			sign = 0
		}
		return sign | s.nan
	}
	bits := s.beyond
	if !math.IsInf(v, 0) {
		e := max(math.Ilogb(v), 1-s.bias) // v is 1.… · 2^e, or subnormal
		steps := math.RoundToEven(math.Ldexp(v, s.mantissa-e))
		// Numbers are counted through: the first of the next power follows the last of this.
		if n := steps + float64((e+s.bias-1)<<s.mantissa); n <= float64(s.most) {
			bits = uint16(n)
		}
	}
	if s.unsigned && (bits == 0 || bits == s.nan) {
		sign = 0
	}
	return sign | bits
}

func (s *smallFloat) decode(bits uint16) float32 {
	sign := bits >> (s.width - 1)
	magnitude := int(bits &^ (1 << (s.width - 1)))
	exponent, mantissa := magnitude>>s.mantissa, magnitude&(1<<s.mantissa-1)
	var v float64
	switch {
	case s.unsigned && bits == s.nan || magnitude > int(s.most) && magnitude != int(s.beyond):
		return float32(math.NaN())
	case magnitude > int(s.most):
		v = math.Inf(1)
	case exponent == 0:
		v = math.Ldexp(float64(mantissa), 1-s.bias-s.mantissa)
	default:
		v = math.Ldexp(float64(mantissa+1<<s.mantissa), exponent-s.bias-s.mantissa)
	}
	if sign == 1 {
		v = -v
	}
	return float32(v)
}
