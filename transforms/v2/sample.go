package v2

import (
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// A Sample is a decomposed sample, on which a [Transform] works. [Apply]
// decomposes any Go value into one, and composes the result.
type Sample struct {
	Generator *torch.Generator // the generator of random transforms; nil is libtorch's default generator
	parts     []*part
}

// A part is one value of a sample, or several where a transform has made them of one.
type part struct {
	value   any
	names   []string // the fields and keys on the way to it
	label   bool     // it was tagged as a label
	changed bool
}

// Flat returns the values of the sample in order, depth first: tree_flatten(sample).
func (s *Sample) Flat() []any {
	var flat []any
	for _, at := range s.leaves() {
		flat = append(flat, *at.value)
	}
	return flat
}

// Map replaces each value by the result of f for it.
func (s *Sample) Map(f func(value any) any) {
	for _, at := range s.leaves() {
		at.set(f(*at.value))
	}
}

// A leaf is a place that holds one value.
type leaf struct {
	value *any
	part  *part
}

func (l leaf) set(v any) {
	*l.value = v
	l.part.changed = true
}

func (s *Sample) leaves() []leaf {
	var out []leaf
	var walk func(at *any, p *part)
	walk = func(at *any, p *part) {
		if several, ok := (*at).(several); ok {
			for i := range several {
				walk(&several[i], p)
			}
			return
		}
		out = append(out, leaf{at, p})
	}
	for _, p := range s.parts {
		walk(&p.value, p)
	}
	return out
}

// several is the result of FiveCrop for one value: a tuple in Python.
type several []any

// A node is a value of the caller's: one with parts of its own, or a part.
type node struct {
	value reflect.Value
	kids  []*node
	keys  []reflect.Value // of a map, in the order of kids
	index []int           // of a struct's fields, in the order of kids
	part  *part           // of one without kids
}

type flattener struct {
	sample *Sample
	path   []any // the pointers on the way to here
	names  []string
	label  bool
}

const tagName = "v2"

// flatten takes a value apart.
func flatten(v any) (*Sample, *node) {
	f := flattener{sample: &Sample{}}
	return f.sample, f.walk(reflect.ValueOf(v))
}

func (f *flattener) leaf(v reflect.Value) *node {
	p := &part{names: slices.Clone(f.names), label: f.label}
	if v.IsValid() {
		p.value = v.Interface()
	}
	f.sample.parts = append(f.sample.parts, p)
	return &node{value: v, part: p}
}

func (f *flattener) named(name string, v reflect.Value) *node {
	f.names = append(f.names, name)
	n := f.walk(v)
	f.names = f.names[:len(f.names)-1]
	return n
}

func (f *flattener) walk(v reflect.Value) *node {
	if !v.IsValid() {
		return f.leaf(v)
	}
	if v.Kind() == reflect.Interface {
		if v.IsNil() {
			return f.leaf(v)
		}
		n := f.walk(v.Elem())
		return &node{value: v, kids: []*node{n}}
	}
	if tv.KindOf(v.Interface()) != tv.Other || v.Type() == tensorType {
		return f.leaf(v)
	}
	n := &node{value: v}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || !holds(v.Type().Elem()) {
			return f.leaf(v)
		}
		p := v.Interface()
		if slices.Contains(f.path, p) {
			panic(&torch.Error{Op: "transforms.v2.Apply", Msg: fmt.Sprintf("the %v at %q contains itself", v.Type(), strings.Join(f.names, "."))})
		}
		f.path = append(f.path, p)
		n.kids = []*node{f.walk(v.Elem())}
		f.path = f.path[:len(f.path)-1]
	case reflect.Struct:
		t := v.Type()
		for i := range t.NumField() {
			field := t.Field(i)
			tag := field.Tag.Get(tagName)
			if !field.IsExported() || tag == "-" {
				continue
			}
			outer := f.label
			switch tag {
			case "labels":
				f.label = true
			case "":
			default:
				panic(&torch.Error{Op: "transforms.v2.Apply", Msg: fmt.Sprintf("field %s of %v has the unknown tag %s:%q", field.Name, t, tagName, tag)})
			}
			n.kids = append(n.kids, f.named(field.Name, v.Field(i)))
			n.index = append(n.index, i)
			f.label = outer
		}
		if n.kids == nil {
			return f.leaf(v)
		}
	case reflect.Slice, reflect.Array:
		if !holds(v.Type().Elem()) || v.Len() == 0 {
			return f.leaf(v)
		}
		for i := range v.Len() {
			n.kids = append(n.kids, f.named(fmt.Sprint(i), v.Index(i)))
		}
	case reflect.Map:
		if !holds(v.Type().Elem()) || v.Len() == 0 {
			return f.leaf(v)
		}
		n.keys = v.MapKeys() // in no order, so that one is made
		sort.Slice(n.keys, func(i, j int) bool { return less(n.keys[i], n.keys[j]) })
		for _, k := range n.keys {
			n.kids = append(n.kids, f.named(fmt.Sprint(k), v.MapIndex(k)))
		}
	default:
		return f.leaf(v)
	}
	return n
}

var tensorType = reflect.TypeFor[*torch.Tensor]()

// holds reports whether values of a type may hold parts that a transform could change.
func holds(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Struct, reflect.Map:
		return true
	case reflect.Slice, reflect.Array:
		return holds(t.Elem())
	}
	return false
}

// less orders the keys of a map.
func less(a, b reflect.Value) bool {
	switch {
	case a.CanInt() && b.CanInt():
		return a.Int() < b.Int()
	case a.CanUint() && b.CanUint():
		return a.Uint() < b.Uint()
	case a.CanFloat() && b.CanFloat():
		return a.Float() < b.Float()
	}
	return fmt.Sprint(a) < fmt.Sprint(b)
}

// changed reports whether a transform has replaced a part of n.
func (n *node) changed() bool {
	if n.part != nil {
		return n.part.changed
	}
	return slices.ContainsFunc(n.kids, (*node).changed)
}

// build puts a value of type t together.
func (n *node) build(t reflect.Type, path string) reflect.Value {
	if n.value.IsValid() && !n.changed() && n.value.Type().AssignableTo(t) {
		return n.value
	}
	if n.part != nil {
		return fit(n.part.value, t, path)
	}
	v := n.value
	out := reflect.New(t).Elem()
	if v.Kind() == reflect.Interface {
		if t.Kind() == reflect.Interface {
			kid := n.kids[0]
			switch {
			case kid.part != nil:
				out.Set(fit(kid.part.value, t, path))
			default:
				out.Set(kid.build(kid.value.Type(), path))
			}
			return out
		}
		return n.kids[0].build(t, path)
	}
	if t.Kind() == reflect.Interface {
		inner := n.build(v.Type(), path)
		if !inner.Type().AssignableTo(t) {
			misfit(inner.Type().String(), t, path)
		}
		out.Set(inner)
		return out
	}
	if t.Kind() != v.Kind() {
		misfit(v.Type().String(), t, path)
	}
	below := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(t.Elem())
		p.Elem().Set(n.kids[0].build(t.Elem(), path))
		return p.Convert(t)
	case reflect.Struct:
		if t == v.Type() {
			out.Set(v)
		}
		for i, kid := range n.kids {
			name := v.Type().Field(n.index[i]).Name
			field, ok := t.FieldByName(name)
			if !ok || !field.IsExported() {
				panic(&torch.Error{Op: "transforms.v2.Convert", Msg: fmt.Sprintf("%v has no field %s for that of %v", t, below(name), v.Type())})
			}
			out.FieldByIndex(field.Index).Set(kid.build(field.Type, below(name)))
		}
	case reflect.Slice:
		out.Set(reflect.MakeSlice(t, len(n.kids), len(n.kids)))
		fallthrough
	case reflect.Array:
		if out.Len() != len(n.kids) {
			misfit(v.Type().String(), t, path)
		}
		for i, kid := range n.kids {
			out.Index(i).Set(kid.build(t.Elem(), below(fmt.Sprint(i))))
		}
	case reflect.Map:
		out.Set(reflect.MakeMapWithSize(t, len(n.kids)))
		for i, kid := range n.kids {
			if !n.keys[i].Type().AssignableTo(t.Key()) {
				misfit(v.Type().String(), t, path)
			}
			out.SetMapIndex(n.keys[i], kid.build(t.Elem(), below(fmt.Sprint(n.keys[i]))))
		}
	}
	return out
}

// fit returns a part as a value of type t.
func fit(part any, t reflect.Type, path string) reflect.Value {
	out := reflect.New(t).Elem()
	if part == nil {
		return out
	}
	if parts, ok := part.(several); ok {
		switch t.Kind() {
		case reflect.Slice:
			out.Set(reflect.MakeSlice(t, len(parts), len(parts)))
			for i, p := range parts {
				out.Index(i).Set(fit(p, t.Elem(), path))
			}
			return out
		case reflect.Interface:
			plain := make([]any, len(parts))
			for i, p := range parts {
				plain[i] = fit(p, reflect.TypeFor[any](), path).Interface()
			}
			part = plain
		}
	}
	v := reflect.ValueOf(part)
	if !v.Type().AssignableTo(t) {
		misfit(v.Type().String(), t, path)
	}
	out.Set(v)
	return out
}

func misfit(have string, want reflect.Type, path string) {
	where := "the sample"
	if path != "" {
		where = "the sample's " + path
	}
	panic(&torch.Error{Op: "transforms.v2.Apply", Msg: fmt.Sprintf("%s is now a %s, which a %v cannot hold; call Convert with a type that can, or declare it any", where, have, want)})
}
