package torch

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"reflect"
	"strings"

	"github.com/torchhub/torchhub/internal/snake"
)

// ErrMissing is the error of [Get] about a key or an index that does not exist, for errors.Is.
var ErrMissing = errors.New("torch: missing key")

// A PathError is the error of [Get] about a value that is missing or of another type.
type PathError struct {
	Path    string // as in Python: ["optimizer"]["param_groups"][0]; empty for the value itself
	Msg     string
	missing bool
}

// Error returns the path and a description.
func (e *PathError) Error() string {
	if e.Path == "" {
		return "torch: the value " + e.Msg
	}
	return fmt.Sprintf("torch: the value at %s %s", e.Path, e.Msg)
}

// Is reports whether target is [ErrMissing] and the value does not exist.
func (e *PathError) Is(target error) bool { return target == ErrMissing && e.missing }

// Get returns the value at a path in a result of [Load]: checkpoint["optimizer"]["param_groups"][0]["lr"] is
//
//	lr, err := torch.Get[float64](checkpoint, "optimizer", "param_groups", 0, "lr")
//
// An element of the path is a key of a dict, or an index of a list or tuple, which
// counts from the end if it is negative. Without a path, it is the value itself.
//
// T may be a type that Load returns, such as *Tensor, *Dict or [Value]; a [StateDict];
// a number, bool or string; or a slice, an array, a map or a struct of these. An int is
// read as a float if that is asked for, and a tensor of one element as a number. None
// is nil if T is a pointer. Lists, tuples and sets are slices, or arrays of their
// length; dicts are maps or structs:
//
//	type Checkpoint struct {
//		Epoch     int             // checkpoint["epoch"]
//		StateDict torch.StateDict // checkpoint["state_dict"]
//		Best      float64         `torch:"best_acc1"`
//		Scaler    *torch.Dict     `torch:",optional"` // left as it is if there is no such key
//	}
//
// The key of an exported field is its name in snake case or the name in its tag, and
// the tag "-" leaves the field out. Other keys of the dict are ignored. [Save] writes
// such a struct.
//
// The error is a [*PathError], which names the path of what is missing or of another
// type; it is an [ErrMissing] if there is no such key or index:
//
//	ema, err := torch.Get[torch.StateDict](checkpoint, "model_ema")
//	if errors.Is(err, torch.ErrMissing) {
//		ema, err = torch.Get[torch.StateDict](checkpoint, "model")
//	}
func Get[T any](v Value, path ...any) (T, error) {
	var to T
	at, err := walkPath(v, path)
	if err != nil {
		return to, err
	}
	if err := readValue(reflect.ValueOf(&to).Elem(), at); err != nil {
		var zero T
		err.Path = pathText(path) + err.Path
		return zero, err
	}
	return to, nil
}

// pathText writes a path as in Python.
func pathText(path []any) string {
	var b strings.Builder
	for _, p := range path {
		if name, ok := p.(string); ok {
			fmt.Fprintf(&b, "[%.100q]", name)
		} else {
			fmt.Fprintf(&b, "[%.100s]", fmt.Sprint(p))
		}
	}
	return b.String()
}

// walkPath returns the value at a path.
func walkPath(v Value, path []any) (Value, error) {
	for i, p := range path {
		fail := func(missing bool, format string, args ...any) (Value, error) {
			return nil, &PathError{Path: pathText(path[:i]), Msg: fmt.Sprintf(format, args...), missing: missing}
		}
		var list []Value
		switch w := v.(type) {
		case *Dict:
			e, ok := w.Get(p)
			if !ok {
				return fail(true, "%s", noKey(w, p))
			}
			v = e
			continue
		case StateDict:
			name, _ := p.(string)
			if x := w.Get(name); x != nil {
				v = x
				continue
			}
			return fail(true, "has no key %s", strings.Trim(pathText([]any{p}), "[]"))
		case []Value:
			list = w
		case Tuple:
			list = w
		default:
			return fail(false, "is %s, without the key or index %s", Describe(v), strings.Trim(pathText([]any{p}), "[]"))
		}
		n, ok := p.(int)
		if !ok {
			return fail(false, "is %s, whose index is an int and not %.100q", Describe(v), fmt.Sprint(p))
		}
		if n < -len(list) || n >= len(list) {
			return fail(true, "has %d elements and no index %d", len(list), n)
		}
		if n < 0 {
			n += len(list)
		}
		v = list[n]
	}
	return v, nil
}

// noKey says that a dict lacks a key, and which it has.
func noKey(d *Dict, key any) string {
	text := "has no key " + strings.Trim(pathText([]any{key}), "[]")
	if len(d.Entries) == 0 {
		return text + "; it is empty"
	}
	var keys []string
	for _, e := range d.Entries {
		keys = append(keys, fmt.Sprint(e.Key))
	}
	return text + "; its keys are " + quotedList(keys, " and ")
}

// readValue sets a variable to a value.
func readValue(to reflect.Value, v Value) *PathError {
	t := to.Type()
	switch {
	case t.Kind() == reflect.Interface:
		if v == nil || reflect.TypeOf(v).Implements(t) {
			if v != nil {
				to.Set(reflect.ValueOf(v))
			}
			return nil
		}
	case reflect.TypeOf(v) == t:
		to.Set(reflect.ValueOf(v))
		return nil
	case t == reflect.TypeFor[StateDict]():
		s, err := stateDict(v)
		if err != nil {
			return &PathError{Msg: "is not a state dict: " + err.Error()}
		}
		to.Set(reflect.ValueOf(s))
		return nil
	case t.Kind() == reflect.Pointer && v == nil:
		return nil
	case t == reflect.TypeFor[*big.Int]():
		if n, ok := v.(int); ok {
			to.Set(reflect.ValueOf(big.NewInt(int64(n))))
			return nil
		}
	case t.Kind() == reflect.Pointer && (t.Elem().Kind() != reflect.Struct || hasKeys(t.Elem())):
		to.Set(reflect.New(t.Elem()))
		return readValue(to.Elem(), v)
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		return readList(to, v)
	case t.Kind() == reflect.Map:
		return readMap(to, v)
	case t.Kind() == reflect.Struct:
		return readStruct(to, v)
	default:
		return readNumber(to, v)
	}
	return wrongType(t, v)
}

// hasKeys reports whether a struct is read field by field, unlike a [Tensor].
func hasKeys(t reflect.Type) bool {
	for range keyedFields(reflect.Zero(t)) {
		return true
	}
	return false
}

func wrongType(t reflect.Type, v Value) *PathError {
	return &PathError{Msg: fmt.Sprintf("is %s, not %s", Describe(v), typeName(t))}
}

// typeName returns the name of a Go type with its article.
func typeName(t reflect.Type) string {
	name := t.String()
	if strings.HasPrefix(name, "int") {
		return "an " + name
	}
	return "a " + name
}

// elementsOf returns the elements of a list, tuple, set or torch.Size.
func elementsOf(v Value) ([]Value, bool) {
	switch v := v.(type) {
	case []Value:
		return v, true
	case Tuple:
		return v, true
	case Set:
		return v, true
	case Size:
		list := make([]Value, len(v))
		for i, n := range v {
			list[i] = n
		}
		return list, true
	}
	return nil, false
}

func readList(to reflect.Value, v Value) *PathError {
	list, ok := elementsOf(v)
	if !ok {
		return wrongType(to.Type(), v)
	}
	switch {
	case to.Kind() == reflect.Slice:
		to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
	case len(list) != to.Len():
		return &PathError{Msg: fmt.Sprintf("has %d elements, not %d", len(list), to.Len())}
	}
	for i, e := range list {
		if err := readValue(to.Index(i), e); err != nil {
			err.Path = pathText([]any{i}) + err.Path
			return err
		}
	}
	return nil
}

func readMap(to reflect.Value, v Value) *PathError {
	d, ok := v.(*Dict)
	if !ok {
		return wrongType(to.Type(), v)
	}
	to.Set(reflect.MakeMapWithSize(to.Type(), len(d.Entries)))
	for _, e := range d.Entries {
		key, element := reflect.New(to.Type().Key()).Elem(), reflect.New(to.Type().Elem()).Elem()
		if err := readValue(key, e.Key); err != nil {
			return &PathError{Msg: fmt.Sprintf("has the key %.100q, which is %s, not %s", fmt.Sprint(e.Key), Describe(e.Key), typeName(key.Type()))}
		}
		if err := readValue(element, e.Value); err != nil {
			err.Path = pathText([]any{e.Key}) + err.Path
			return err
		}
		to.SetMapIndex(key, element)
	}
	return nil
}

func readStruct(to reflect.Value, v Value) *PathError {
	d, ok := v.(*Dict)
	if !ok {
		return wrongType(to.Type(), v)
	}
	for key, field := range keyedFields(to) {
		e, ok := d.Get(key.name)
		switch {
		case !ok && key.optional:
			continue
		case !ok:
			return &PathError{Msg: noKey(d, key.name), missing: true}
		}
		if err := readValue(field, e); err != nil {
			err.Path = pathText([]any{key.name}) + err.Path
			return err
		}
	}
	return nil
}

// A fieldKey is the key of a field of a struct in a dict.
type fieldKey struct {
	name     string
	optional bool
}

// keyedFields returns the fields of a struct that have a key.
func keyedFields(r reflect.Value) iter.Seq2[fieldKey, reflect.Value] {
	return func(yield func(fieldKey, reflect.Value) bool) {
		for f, v := range r.Fields() {
			key, option, _ := strings.Cut(f.Tag.Get("torch"), ",")
			if key == "-" || !f.IsExported() {
				continue
			}
			if !yield(fieldKey{cmp.Or(key, snake.Case(f.Name)), option == "optional"}, v) {
				return
			}
		}
	}
}

// readNumber sets a number, bool or string.
func readNumber(to reflect.Value, v Value) *PathError {
	if x, ok := v.(*Tensor); ok {
		var err error
		if v, err = itemOf(x); err != nil {
			return wrongType(to.Type(), x)
		}
	}
	switch kind := to.Kind(); {
	case kind == reflect.Bool:
		if b, ok := v.(bool); ok {
			to.SetBool(b)
			return nil
		}
	case kind == reflect.String:
		if s, ok := v.(string); ok {
			to.SetString(s)
			return nil
		}
	case to.CanFloat():
		if f, ok := floatOf(v); ok {
			to.SetFloat(f)
			return nil
		}
	case to.CanComplex():
		if c, ok := v.(complex128); ok {
			to.SetComplex(c)
			return nil
		}
		if f, ok := floatOf(v); ok {
			to.SetComplex(complex(f, 0))
			return nil
		}
	case to.CanInt() || to.CanUint():
		n, ok := v.(*big.Int)
		if i, isInt := v.(int); isInt {
			n, ok = big.NewInt(int64(i)), true
		}
		if !ok {
			break
		}
		if abs := new(big.Int).Abs(n); !abs.IsUint64() || !setInteger(to, abs.Uint64(), n.Sign() < 0) {
			return &PathError{Msg: fmt.Sprintf("is %v, which %s cannot hold", n, typeName(to.Type()))}
		}
		return nil
	}
	return wrongType(to.Type(), v)
}

// floatOf returns the float of a Python int or float.
func floatOf(v Value) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	case *big.Int:
		f, _ := new(big.Float).SetInt(n).Float64()
		return f, true
	}
	return 0, false
}

// itemOf returns the one element of a tensor.
func itemOf(x *Tensor) (v Value, err error) {
	err = Try(func() {
		var c Call
		c.Tensor(x)
		v = c.All(opItem)[0]
	})
	return v, err
}
