package torch

import (
	"fmt"
	"reflect"
	"runtime"
)

// elementTypes are the dtypes of the types of [Element].
var elementTypes = map[reflect.Type]DType{
	reflect.TypeFor[bool](): Bool, reflect.TypeFor[int](): Int64,
	reflect.TypeFor[int8](): Int8, reflect.TypeFor[int16](): Int16, reflect.TypeFor[int32](): Int32, reflect.TypeFor[int64](): Int64,
	reflect.TypeFor[uint8](): Uint8, reflect.TypeFor[uint16](): Uint16, reflect.TypeFor[uint32](): Uint32, reflect.TypeFor[uint64](): Uint64,
	reflect.TypeFor[float32](): Float32, reflect.TypeFor[float64](): Float64,
	reflect.TypeFor[complex64](): Complex64, reflect.TypeFor[complex128](): Complex128,
	reflect.TypeFor[F16](): Float16, reflect.TypeFor[BF16](): BFloat16,
	reflect.TypeFor[F8E5M2](): Float8E5M2, reflect.TypeFor[F8E4M3FN](): Float8E4M3FN,
	reflect.TypeFor[F8E5M2FNUZ](): Float8E5M2FNUZ, reflect.TypeFor[F8E4M3FNUZ](): Float8E4M3FNUZ,
	reflect.TypeFor[F8E8M0FNU](): Float8E8M0FNU,
}

// nested returns a CPU tensor of a number, or of nested slices or arrays of numbers.
func nested(data any) *Tensor {
	if data == nil {
		fail("NewTensor", "the data are nil")
	}
	v := reflect.ValueOf(data)
	leaf := v.Type()
	dims := 0
	for leaf.Kind() == reflect.Slice || leaf.Kind() == reflect.Array {
		leaf = leaf.Elem()
		dims++
	}
	dtype, ok := elementTypes[leaf]
	if !ok {
		fail("NewTensor", fmt.Sprintf("a %T holds no numbers of a type of torch.Element", data))
	}
	sizes := make([]int64, dims)
	if row := v; dims > 0 {
		for d := range sizes {
			sizes[d] = int64(row.Len())
			if row.Len() == 0 || d == dims-1 {
				break // below an empty slice the sizes are 0
			}
			row = row.Index(0)
		}
	}
	n := 1
	for _, s := range sizes {
		n *= int(s)
	}
	flat := reflect.MakeSlice(reflect.SliceOf(leaf), 0, n)
	flat = appendNested(flat, v, sizes)
	x := copied("NewTensor", flat.UnsafePointer(), n*int(leaf.Size()), dtype, sizes)
	runtime.KeepAlive(flat)
	return x
}

// appendNested appends the numbers in v, of the sizes, to flat.
func appendNested(flat, v reflect.Value, sizes []int64) reflect.Value {
	if len(sizes) == 0 {
		return reflect.Append(flat, v)
	}
	if int64(v.Len()) != sizes[0] {
		fail("NewTensor", fmt.Sprintf("slices of one dimension have %d and %d elements; they must have the same number", sizes[0], v.Len()))
	}
	if len(sizes) == 1 && v.Kind() == reflect.Slice {
		return reflect.AppendSlice(flat, v)
	}
	for i := range v.Len() {
		flat = appendNested(flat, v.Index(i), sizes[1:])
	}
	return flat
}
