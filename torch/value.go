package torch

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"unsafe"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// A Value is an argument or a result of an op or a TorchScript method, by Python
// type:
//
//	None           nil
//	bool           bool
//	int            int (Go's other integers are taken too)
//	float          float64 (float32 is taken too)
//	complex        complex128
//	str            string
//	torch.Tensor   *Tensor
//	torch.device   Device
//	torch.dtype    int, its c10::ScalarType (DType is taken too)
//	torch.Generator *Generator
//	list           []Value (slices of all that is listed here are taken too)
//	tuple          Tuple
//	dict           *Dict (maps are taken too, in the order of their keys)
//	an object of a TorchScript class   *jit.Object
//	a submodule    *jit.Module, which is not taken
//
// Named types whose underlying type is one of these are taken too.
type Value = any

// A Number is a Python number: an int, float64, bool or complex128. In schemas
// it is a Scalar.
type Number = any

// Ints are sizes, strides, paddings or dimensions where PyTorch takes an int or a
// tuple: an int stands for all dimensions, and a []int has one for each. A
// function that takes another type panics with an [*Error].
//
//	F.MaxPool2d(x, 2)
//	F.MaxPool2d(x, []int{3, 2}, F.MaxPool2dOptions{Stride: 2})
type Ints = any

// Floats are numbers where PyTorch takes a float or a tuple: a float64 or an int
// stands for all dimensions, and a []float64 has one for each. A function that
// takes another type panics with an [*Error].
type Floats = any

// Value adds any [Value]; a value of another type is a mistake.
func (c *Call) Value(v Value) {
	switch v := v.(type) {
	case nil:
		c.None()
	case bool:
		c.Bool(v)
	case int:
		c.Int(v)
	case int64:
		c.Int(int(v))
	case float64:
		c.Float(v)
	case complex128:
		c.Complex(v)
	case string:
		c.String(v)
	case *Tensor:
		c.Tensor(v)
	case Device:
		c.Device(v)
	case DType:
		c.DType(v)
	case []int:
		c.Ints(v...)
	case Size:
		c.Ints(v...)
	case []float64:
		c.Floats(v...)
	case []bool:
		c.Bools(v...)
	case []*Tensor:
		c.Tensors(v)
	case []string:
		c.List(len(v))
		for _, s := range v {
			c.String(s)
		}
	case []Value:
		c.List(len(v))
		for _, e := range v {
			c.Value(e)
		}
	case Tuple:
		c.Tuple(len(v))
		for _, e := range v {
			c.Value(e)
		}
	case *Dict:
		if v == nil {
			v = &Dict{}
		}
		c.Dict(len(v.Entries))
		for _, e := range v.Entries {
			c.Value(e.Key)
			c.Value(e.Value)
		}
	case *Generator:
		c.Generator(v)
	default:
		if engine.Object != nil {
			if m, ok, err := engine.Object(v); ok {
				c.object(m, err)
				return
			}
		}
		c.reflected(v)
	}
}

// object adds an object, which must stay alive during the call.
func (c *Call) object(m libtorch.Module, err error) {
	if err != nil {
		c.mistake("%v", err)
		c.None()
		return
	}
	c.put(libtorch.Object)
	c.put(m.Word())
}

// reflected adds a value by the kind of its type.
func (c *Call) reflected(v Value) {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Bool:
		c.Bool(r.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.Int(int(r.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if r.Uint() > math.MaxInt64 {
			c.mistake("%d is no 64-bit integer with a sign", r.Uint())
		}
		c.Int(int(r.Uint()))
	case reflect.Float32, reflect.Float64:
		c.Float(r.Float())
	case reflect.Complex64, reflect.Complex128:
		c.Complex(r.Complex())
	case reflect.String:
		c.String(r.String())
	case reflect.Slice, reflect.Array:
		c.List(r.Len())
		for i := range r.Len() {
			c.Value(r.Index(i).Interface())
		}
	case reflect.Map:
		c.Dict(r.Len())
		for _, k := range sortedKeys(r) {
			c.Value(k.Interface())
			c.Value(r.MapIndex(k).Interface())
		}
	default:
		c.mistake("a %T is not a value that libtorch accepts", v)
		c.None()
	}
}

// sortedKeys returns the keys of a map in order: numbers by size, and the others by their text.
func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		switch {
		case a.CanInt():
			return cmp.Compare(a.Int(), b.Int())
		case a.CanUint():
			return cmp.Compare(a.Uint(), b.Uint())
		case a.CanFloat():
			return cmp.Compare(a.Float(), b.Float())
		}
		return cmp.Compare(fmt.Sprint(a.Interface()), fmt.Sprint(b.Interface()))
	})
	return keys
}

// values reads the values that libtorch wrote. Their tensors are freed by the scope or
// by the collector.
type values struct {
	words  []uint64
	scope  uint64
	*maker // no part of values, or all that they point to would have to be on the heap
}

// returned returns the values that a call wrote to rets.
func returned(rets []uint64, m *maker) values {
	noteLive(int64(rets[libtorch.RetsLive]))
	return values{libtorch.Values(rets), rets[libtorch.RetsScope], m}
}

func (r *values) more() bool { return len(r.words) > 0 }

func (r *values) word() uint64 {
	w := r.words[0]
	r.words = r.words[1:]
	return w
}

func (r *values) tensor() *Tensor {
	if r.words[0] != libtorch.Tensor {
		fail("call", fmt.Sprintf("the op gave a value of tag %d where a tensor was expected", r.words[0]))
	}
	r.words = r.words[1:]
	return r.wrap()
}

func (r *values) wrap() *Tensor {
	h, weight := r.words[0], r.words[1]
	r.words = r.words[2:]
	return r.maker.wrap(h, int(weight), r.scope)
}

func (r *values) string() string {
	n := int(r.word())
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(r.words))), len(r.words)*8)
	s := string(b[:n])
	r.words = r.words[(n+7)/8:]
	return s
}

func (r *values) next() Value {
	switch tag := r.word(); tag {
	case libtorch.None:
		return nil
	case libtorch.Bool:
		return r.word() != 0
	case libtorch.Int:
		return int(r.word())
	case libtorch.Double:
		return math.Float64frombits(r.word())
	case libtorch.Complex:
		re := math.Float64frombits(r.word())
		return complex(re, math.Float64frombits(r.word()))
	case libtorch.String:
		return r.string()
	case libtorch.Tensor:
		return r.wrap()
	case libtorch.Device:
		typ := int(int64(r.word()))
		return deviceOf(typ, int(int64(r.word())))
	case libtorch.List:
		return r.many()
	case libtorch.Tuple:
		return Tuple(r.many())
	case libtorch.Dict:
		n := r.word()
		d := &Dict{Entries: make([]Entry, n)}
		for i := range d.Entries {
			d.Entries[i].Key = r.next()
			d.Entries[i].Value = r.next()
		}
		return d
	case libtorch.Object:
		m := libtorch.ModuleOf(r.word())
		return object(m, r.word() != 0)
	case libtorch.Other:
		return fmt.Errorf("torch: a value of the type %s cannot be represented in Go", r.string())
	default:
		panic(fmt.Sprintf("torch: unknown tag %d in a result", tag))
	}
}

func (r *values) many() []Value {
	vs := make([]Value, r.word())
	for i := range vs {
		vs[i] = r.next()
	}
	return vs
}
