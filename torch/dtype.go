package torch

import "fmt"

// A DType is the type of a tensor's elements: torch.dtype.
//
// https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.dtype
type DType uint8

// PyTorch's dtypes. The numbers are those of c10::ScalarType plus one, so that
// the zero value is no dtype, or the default if a dtype is optional.
const (
	Uint8          DType = 1
	Int8           DType = 2
	Int16          DType = 3
	Int32          DType = 4
	Int64          DType = 5
	Float16        DType = 6
	Float32        DType = 7
	Float64        DType = 8
	Complex32      DType = 9
	Complex64      DType = 10
	Complex128     DType = 11
	Bool           DType = 12
	QInt8          DType = 13 // of quantized tensors, see [Load]
	QUint8         DType = 14
	QInt32         DType = 15
	BFloat16       DType = 16
	QUint4x2       DType = 17 // a byte holds two elements
	QUint2x4       DType = 18 // a byte holds four elements
	Bits1x8        DType = 19 // of bits without a meaning
	Bits2x4        DType = 20
	Bits4x2        DType = 21
	Bits8          DType = 22
	Bits16         DType = 23
	Float8E5M2     DType = 24
	Float8E4M3FN   DType = 25
	Float8E5M2FNUZ DType = 26
	Float8E4M3FNUZ DType = 27
	Uint16         DType = 28
	Uint32         DType = 29
	Uint64         DType = 30
	Float8E8M0FNU  DType = 45
	Float4E2M1FNX2 DType = 46 // an element is two numbers

	lastDType DType = 46 // libtorch has some that no tensor can be saved with: integers of less than a byte
)

var dtypes = map[DType]struct {
	name string
	size int // bytes of one element
}{
	Uint8: {"uint8", 1}, Int8: {"int8", 1}, Int16: {"int16", 2}, Int32: {"int32", 4}, Int64: {"int64", 8},
	Float16: {"float16", 2}, Float32: {"float32", 4}, Float64: {"float64", 8},
	Complex32: {"complex32", 4}, Complex64: {"complex64", 8}, Complex128: {"complex128", 16},
	Bool: {"bool", 1}, BFloat16: {"bfloat16", 2},
	Float8E5M2: {"float8_e5m2", 1}, Float8E4M3FN: {"float8_e4m3fn", 1},
	Float8E5M2FNUZ: {"float8_e5m2fnuz", 1}, Float8E4M3FNUZ: {"float8_e4m3fnuz", 1}, Float8E8M0FNU: {"float8_e8m0fnu", 1},
	QInt8: {"qint8", 1}, QUint8: {"quint8", 1}, QInt32: {"qint32", 4}, QUint4x2: {"quint4x2", 1}, QUint2x4: {"quint2x4", 1},
	Bits1x8: {"bits1x8", 1}, Bits2x4: {"bits2x4", 1}, Bits4x2: {"bits4x2", 1}, Bits8: {"bits8", 1}, Bits16: {"bits16", 2},
	Float4E2M1FNX2: {"float4_e2m1fn_x2", 1},
	Uint16:         {"uint16", 2}, Uint32: {"uint32", 4}, Uint64: {"uint64", 8},
}

var dtypeNames = func() map[string]DType {
	m := make(map[string]DType, len(dtypes))
	for d, v := range dtypes {
		m[v.name] = d
	}
	return m
}()

// scalarType returns c10's number.
func (d DType) scalarType() int { return int(d) - 1 }

// FromScalarType returns the dtype of a c10::ScalarType, as which ops return dtypes.
func FromScalarType(n int) DType { return DType(n + 1) }

// String returns PyTorch's name without the module: "float32".
func (d DType) String() string {
	if v, ok := dtypes[d]; ok {
		return v.name
	}
	return fmt.Sprintf("dtype(%d)", uint8(d))
}

// Size returns the bytes of one element: torch.dtype.itemsize. It is 0 for a dtype that this package does not name.
func (d DType) Size() int { return dtypes[d].size }

// IsFloatingPoint reports whether the dtype is one of the float types: torch.dtype.is_floating_point.
func (d DType) IsFloatingPoint() bool {
	switch d {
	case Float16, Float32, Float64, BFloat16, Float8E5M2, Float8E4M3FN, Float8E5M2FNUZ, Float8E4M3FNUZ, Float8E8M0FNU, Float4E2M1FNX2:
		return true
	}
	return false
}

// IsComplex reports whether the dtype is one of the complex types: torch.dtype.is_complex.
func (d DType) IsComplex() bool { return d == Complex32 || d == Complex64 || d == Complex128 }

// IsQuantized reports whether the dtype is one of quantized tensors, whose elements have a scale.
func (d DType) IsQuantized() bool {
	switch d {
	case QInt8, QUint8, QInt32, QUint4x2, QUint2x4:
		return true
	}
	return false
}

// ParseDType returns the dtype of PyTorch's name, such as "float32".
func ParseDType(name string) (DType, error) {
	if d, ok := dtypeNames[name]; ok {
		return d, nil
	}
	return 0, fmt.Errorf("torch: unknown dtype %q; use one such as float32 or int64", name)
}

// Element is a Go type in which a tensor's elements can be read and written. An
// int is an element of an [Int64] tensor.
type Element interface {
	bool | int | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64 | complex64 | complex128 |
		F16 | BF16 | F8E5M2 | F8E4M3FN | F8E5M2FNUZ | F8E4M3FNUZ | F8E8M0FNU
}

// dtypeOf returns the dtype with E's memory layout.
func dtypeOf[E Element]() DType {
	var z E
	switch any(z).(type) {
	case bool:
		return Bool
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64, int:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	case float32:
		return Float32
	case float64:
		return Float64
	case complex64:
		return Complex64
	case F16:
		return Float16
	case BF16:
		return BFloat16
	case F8E5M2:
		return Float8E5M2
	case F8E4M3FN:
		return Float8E4M3FN
	case F8E5M2FNUZ:
		return Float8E5M2FNUZ
	case F8E4M3FNUZ:
		return Float8E4M3FNUZ
	case F8E8M0FNU:
		return Float8E8M0FNU
	default:
		return Complex128
	}
}
