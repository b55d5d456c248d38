package data

import (
	"fmt"
	"reflect"

	"github.com/torchhub/torchhub/torch"
)

// Collate makes a batch of samples: torch.utils.data.default_collate(samples). The type of the batch, which the caller
// names, follows from that of a sample:
//
//   - a *torch.Tensor becomes one with a first dimension more, by [torch.Stack];
//   - an int, float64, bool or other number becomes a tensor of the matching dtype, as for [torch.FromSlice], which for a
//     float64 is float64, as in Python;
//   - a slice or array of numbers becomes a tensor of two or more dimensions, as an array of NumPy does;
//   - a string or a []byte stays as it is, in a []string or [][]byte; a T of other kinds becomes a []T where the batch has one;
//   - a slice or array, which is a tuple or list in Python, becomes a slice of what becomes of its elements, place by place;
//   - a map becomes a map of what becomes of its values;
//   - a struct becomes a struct whose fields have the same names; those that it has not are left out. See [Sample] and [Batch].
//
// Where a type is any, the values decide: a B of any becomes a *torch.Tensor, []string, []any or map. The error names
// the sample that does not agree with the first. Collate panics with a *torch.Error if the types cannot agree.
//
// https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
func Collate[B, T any](samples []T) (batch B, err error) {
	return collateFunc[B, T]("Collate")(samples)
}

// collateFunc returns Collate for the types, and panics in the name of op if they do not agree.
func collateFunc[B, T any](op string) func(samples []T) (B, error) {
	c, err := collatorOf(reflect.TypeFor[T](), reflect.TypeFor[B]())
	if err != nil {
		fail(op, "%s", err)
	}
	return func(samples []T) (batch B, err error) {
		if len(samples) == 0 {
			return batch, fmt.Errorf("data: there are no samples to collate")
		}
		values := make([]reflect.Value, len(samples))
		for i := range samples {
			values[i] = reflect.ValueOf(&samples[i]).Elem()
		}
		torchErr := torch.Try(func() { err = c(reflect.ValueOf(&batch).Elem(), values) })
		if err == nil {
			err = torchErr
		}
		if err != nil {
			var none B
			return none, fmt.Errorf("data: cannot make a batch of the samples: %w", err)
		}
		return batch, nil
	}
}

// A collator sets batch to what becomes of the samples, of which there is one at least.
type collator func(batch reflect.Value, samples []reflect.Value) error

var (
	tensorType = reflect.TypeFor[*torch.Tensor]()
	anyType    = reflect.TypeFor[any]()
	bytesType  = reflect.TypeFor[[]byte]()
)

// numberTypes are the types of numbers by their kinds, for types that have names of their own.
var numberTypes = map[reflect.Kind]reflect.Type{
	reflect.Bool: reflect.TypeFor[bool](), reflect.Int: reflect.TypeFor[int](), reflect.Int8: reflect.TypeFor[int8](),
	reflect.Int16: reflect.TypeFor[int16](), reflect.Int32: reflect.TypeFor[int32](), reflect.Int64: reflect.TypeFor[int64](),
	reflect.Uint: reflect.TypeFor[uint64](), reflect.Uint8: reflect.TypeFor[uint8](), reflect.Uint16: reflect.TypeFor[uint16](),
	reflect.Uint32: reflect.TypeFor[uint32](), reflect.Uint64: reflect.TypeFor[uint64](), reflect.Float32: reflect.TypeFor[float32](),
	reflect.Float64: reflect.TypeFor[float64](), reflect.Complex64: reflect.TypeFor[complex64](), reflect.Complex128: reflect.TypeFor[complex128](),
}

// collatorOf returns what makes a b of samples of type t.
func collatorOf(t, b reflect.Type) (collator, error) {
	list := t.Kind() == reflect.Slice && t != bytesType || t.Kind() == reflect.Array
	switch {
	case t == anyType:
		return dynamic, nil
	case b.Kind() == reflect.Slice && b.Elem() == t && !list, b == anyType && (t.Kind() == reflect.String || t == bytesType):
		return keep(t), nil
	case t == tensorType && (b == tensorType || b == anyType):
		return stack, nil
	case numberTypes[t.Kind()] != nil && (b == tensorType || b == anyType):
		return numbers(t), nil
	case list && b == tensorType:
		return numbers(t), checkNumbers(t)
	case list && (b.Kind() == reflect.Slice || b.Kind() == reflect.Array && t.Kind() == reflect.Array && b.Len() == t.Len()):
		return columns(t, b)
	case list && b == anyType:
		return columns(t, reflect.TypeFor[[]any]())
	case t.Kind() == reflect.Map && b.Kind() == reflect.Map && t.Key() == b.Key():
		return mapCollator(t, b)
	case t.Kind() == reflect.Map && b == anyType:
		return mapCollator(t, reflect.MapOf(t.Key(), anyType))
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t != tensorType:
		return pointers(t, b)
	case t.Kind() == reflect.Struct && b.Kind() == reflect.Struct:
		return structCollator(t, b)
	}
	return nil, fmt.Errorf("samples of type %s do not make a batch of type %s; see Collate for the types that do, or give a function of your own to NewLoaderFunc", t, b)
}

// dynamic collates values of interfaces, by the type of the first.
func dynamic(batch reflect.Value, samples []reflect.Value) error {
	inner := make([]reflect.Value, len(samples))
	floats := false
	mixed := false
	for i, s := range samples {
		if inner[i] = s.Elem(); !inner[i].IsValid() {
			return fmt.Errorf("sample %d is nil", i)
		}
		k := inner[i].Kind()
		floats = floats || k == reflect.Float64
		mixed = mixed || inner[i].Type() != inner[0].Type()
	}
	if mixed {
		to := reflect.TypeFor[int]() // of bools and ints, as in torch.tensor(list)
		if inner[0].Kind() == reflect.Float64 {
			to = reflect.TypeFor[float64]()
		} else if floats {
			to = reflect.TypeFor[float32]()
		}
		for i, v := range inner {
			switch {
			case v.Kind() == reflect.Bool:
				n := 0
				if v.Bool() {
					n = 1
				}
				inner[i] = reflect.ValueOf(n).Convert(to)
			case v.Kind() == reflect.Int, v.Kind() == reflect.Float64:
				inner[i] = v.Convert(to)
			default:
				return fmt.Errorf("sample %d is a %s, but sample 0 a %s", i, samples[i].Elem().Type(), samples[0].Elem().Type())
			}
		}
	}
	c, err := collatorOf(inner[0].Type(), batch.Type())
	if err != nil {
		return err
	}
	return c(batch, inner)
}

// keep returns the samples in a slice.
func keep(t reflect.Type) collator {
	return func(batch reflect.Value, samples []reflect.Value) error {
		out := reflect.MakeSlice(reflect.SliceOf(t), 0, len(samples))
		batch.Set(reflect.Append(out, samples...))
		return nil
	}
}

// stack stacks tensors.
func stack(batch reflect.Value, samples []reflect.Value) error {
	tensors := make([]*torch.Tensor, len(samples))
	for i, s := range samples {
		x := s.Interface().(*torch.Tensor)
		switch {
		case x == nil:
			return fmt.Errorf("the tensor of sample %d is nil", i)
		case i > 0 && fmt.Sprint(x.Shape()) != fmt.Sprint(tensors[0].Shape()):
			return fmt.Errorf("the tensor of sample %d has the shape %v, but that of sample 0 %v; tensors of one batch must have one shape", i, x.Shape(), tensors[0].Shape())
		}
		tensors[i] = x
	}
	batch.Set(reflect.ValueOf(torch.Stack(tensors, 0)))
	return nil
}

// checkNumbers returns an error if t is not a number, or slices of numbers.
func checkNumbers(t reflect.Type) error {
	leaf := t
	for leaf.Kind() == reflect.Slice || leaf.Kind() == reflect.Array {
		leaf = leaf.Elem()
	}
	if numberTypes[leaf.Kind()] != leaf {
		return fmt.Errorf("samples of type %s do not make a tensor; give the batch a slice in its place", t)
	}
	return nil
}

// numbers makes a tensor of numbers, or of slices of numbers, which must have the same lengths.
func numbers(t reflect.Type) collator {
	base := t
	if n := numberTypes[t.Kind()]; n != nil {
		base = n
	}
	return func(batch reflect.Value, samples []reflect.Value) error {
		all := reflect.MakeSlice(reflect.SliceOf(base), len(samples), len(samples))
		for i, s := range samples {
			all.Index(i).Set(s.Convert(base))
		}
		batch.Set(reflect.ValueOf(torch.NewTensor(all.Interface(), torch.Options{Device: torch.CPU})))
		return nil
	}
}

// columns collates the elements of slices place by place.
func columns(t, b reflect.Type) (collator, error) {
	c, err := collatorOf(t.Elem(), b.Elem())
	return func(batch reflect.Value, samples []reflect.Value) error {
		n := samples[0].Len()
		for i, s := range samples {
			if s.Len() != n {
				return fmt.Errorf("sample %d has %d elements, but sample 0 %d; all must have as many", i, s.Len(), n)
			}
		}
		out := reflect.New(b).Elem()
		if b.Kind() == reflect.Slice {
			out.Set(reflect.MakeSlice(b, n, n))
		}
		column := make([]reflect.Value, len(samples))
		for k := range n {
			for i, s := range samples {
				column[i] = s.Index(k)
			}
			if err := c(out.Index(k), column); err != nil {
				return fmt.Errorf("element %d: %w", k, err)
			}
		}
		batch.Set(out)
		return nil
	}, err
}

// mapCollator collates the values of each key of the first sample, which all must have.
func mapCollator(t, b reflect.Type) (collator, error) {
	c, err := collatorOf(t.Elem(), b.Elem())
	return func(batch reflect.Value, samples []reflect.Value) error {
		out := reflect.MakeMap(b)
		column := make([]reflect.Value, len(samples))
		for _, key := range samples[0].MapKeys() {
			for i, s := range samples {
				if column[i] = s.MapIndex(key); !column[i].IsValid() {
					return fmt.Errorf("sample %d has no key %v, which sample 0 has", i, key)
				}
			}
			v := reflect.New(b.Elem()).Elem()
			if err := c(v, column); err != nil {
				return fmt.Errorf("key %v: %w", key, err)
			}
			out.SetMapIndex(key, v)
		}
		batch.Set(out)
		return nil
	}, err
}

// pointers collates the structs that samples point to.
func pointers(t, b reflect.Type) (collator, error) {
	to := b
	if b.Kind() == reflect.Pointer {
		to = b.Elem()
	}
	c, err := collatorOf(t.Elem(), to)
	return func(batch reflect.Value, samples []reflect.Value) error {
		structs := make([]reflect.Value, len(samples))
		for i, s := range samples {
			if s.IsNil() {
				return fmt.Errorf("sample %d is nil", i)
			}
			structs[i] = s.Elem()
		}
		if b.Kind() == reflect.Pointer {
			batch.Set(reflect.New(to))
			batch = batch.Elem()
		}
		return c(batch, structs)
	}, err
}

// structCollator collates the fields that b has.
func structCollator(t, b reflect.Type) (collator, error) {
	type field struct {
		name     string
		from, to []int
		collate  collator
	}
	var fields []field
	for _, to := range reflect.VisibleFields(b) {
		if !to.IsExported() || to.Anonymous && to.Type.Kind() == reflect.Struct {
			continue
		}
		from, ok := t.FieldByName(to.Name)
		if !ok {
			return nil, fmt.Errorf("the batch %s has the field %s, which samples of type %s have not", b, to.Name, t)
		}
		c, err := collatorOf(from.Type, to.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", to.Name, err)
		}
		fields = append(fields, field{to.Name, from.Index, to.Index, c})
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("the batch %s has no fields that are exported", b)
	}
	return func(batch reflect.Value, samples []reflect.Value) error {
		column := make([]reflect.Value, len(samples))
		for _, f := range fields {
			for i, s := range samples {
				column[i] = s.FieldByIndex(f.from)
			}
			if err := f.collate(batch.FieldByIndex(f.to), column); err != nil {
				return fmt.Errorf("field %s: %w", f.name, err)
			}
		}
		return nil
	}, nil
}

// pin puts the tensors in v into pinned memory.
func pin(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type() == tensorType {
			if x := v.Interface().(*torch.Tensor); x != nil && v.CanSet() {
				v.Set(reflect.ValueOf(x.PinMemory()))
			}
		} else if !v.IsNil() {
			pin(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				pin(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		if numberTypes[v.Type().Elem().Kind()] == nil {
			for i := range v.Len() {
				pin(v.Index(i))
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(key))
			pin(e)
			v.SetMapIndex(key, e)
		}
	case reflect.Interface:
		if !v.IsNil() {
			e := reflect.New(v.Elem().Type()).Elem()
			e.Set(v.Elem())
			pin(e)
			v.Set(e)
		}
	}
}
