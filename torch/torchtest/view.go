package torchtest

import (
	"cmp"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/torchhub/torchhub/torch"
)

// A kind is what a value is in Python.
type kind int

const (
	other    kind = iota
	none          // nil
	boolean       // a bool
	numeric       // a Go number
	tensor        // a *torch.Tensor
	sequence      // a slice or array
	mapping       // a map, *torch.Dict or torch.StateDict
	record        // a struct
)

// A view is a value by its kind.
type view struct {
	kind  kind
	given any           // the value itself
	v     reflect.Value // without a pointer; not valid for tensor and none
}

// viewOf returns a value by its kind.
func viewOf(given any) view {
	switch x := given.(type) {
	case nil:
		return view{kind: none}
	case *torch.Tensor:
		if x == nil {
			return view{kind: none}
		}
		return view{kind: tensor, given: given}
	case torch.Parameter:
		return viewOf(x.Tensor)
	case *big.Int:
		if x == nil {
			return view{kind: none}
		}
		return view{kind: numeric, given: given, v: reflect.ValueOf(x)}
	case torch.DType, torch.Layout, torch.MemoryFormat, torch.Set: // numbers and a slice only in Go
		return view{kind: other, given: given}
	}
	v := reflect.ValueOf(given)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return view{kind: none}
		}
		v = v.Elem()
	}
	w := view{given: given, v: v}
	switch v.Kind() {
	case reflect.Bool:
		w.kind = boolean
	case reflect.Slice, reflect.Array:
		w.kind = sequence
		if v.Type() == reflect.TypeFor[torch.StateDict]() {
			w.kind = mapping
		}
	case reflect.Map:
		w.kind = mapping
	case reflect.Struct:
		switch {
		case v.Type() == reflect.TypeFor[torch.Dict]():
			w.kind = mapping
		case len(fields(v.Type())) > 0:
			w.kind = record
		}
	default:
		if v.CanInt() || v.CanUint() && v.Kind() != reflect.Uintptr || v.CanFloat() || v.CanComplex() {
			w.kind = numeric
		}
	}
	return w
}

func isNone(v any) bool { return viewOf(v).kind == none }

// fields returns the exported fields of a struct.
func fields(t reflect.Type) (out []reflect.StructField) {
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			out = append(out, f)
		}
	}
	return out
}

// address returns where a container is that may contain itself, or nil.
func (w view) address() unsafe.Pointer {
	switch given := reflect.ValueOf(w.given); given.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		return given.UnsafePointer()
	}
	return nil
}

func (w view) len() int { return w.v.Len() }

func (w view) index(i int) any { return w.v.Index(i).Interface() }

// An entry is one of a mapping, with the repr of its key.
type entry struct {
	key   any
	text  string
	value any
}

// entries returns the entries of a mapping, in order; those of a map are sorted.
func (w view) entries() (out []entry) {
	add := func(key, value any) { out = append(out, entry{key, repr(key), value}) }
	switch v := w.v.Interface().(type) {
	case torch.StateDict:
		for _, e := range v {
			add(e.Name, e.Tensor)
		}
	case torch.Dict:
		for _, e := range v.Entries {
			add(e.Key, e.Value)
		}
	default:
		for k, e := range w.v.Seq2() {
			add(k.Interface(), e.Interface())
		}
		slices.SortFunc(out, compareKeys)
	}
	return out
}

// compareKeys compares numbers and strings as Python does. Python cannot order other
// keys, nor these beside each other; they are in the order of their repr.
func compareKeys(a, b entry) int {
	x, y := viewOf(a.key), viewOf(b.key)
	if x.kind == numeric && y.kind == numeric {
		m, n := numberOf(x.v), numberOf(y.v)
		if m.int != nil && n.int != nil {
			return m.int.Cmp(n.int)
		}
		return cmp.Compare(real(m.complex()), real(n.complex()))
	}
	s, ok := a.key.(string)
	if t, also := b.key.(string); ok && also {
		return cmp.Compare(s, t)
	}
	return cmp.Compare(a.text, b.text)
}

// typeName returns the type of a value as in Go's source.
func typeName(v any) string {
	if v == nil {
		return "nil"
	}
	return strings.ReplaceAll(fmt.Sprintf("%T", v), "interface {}", "any")
}
