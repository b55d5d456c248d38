package nn

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
)

// Repr returns a module and its submodules as Python prints them: repr(m). The text of a
// layer of this package is PyTorch's, to the byte. Another struct has its Go name, and the
// text of its method ExtraRepr() string, if it has one, in parentheses: m.extra_repr().
// Submodules have the names of the state dict, and a slice of modules is a ModuleList.
//
//	fmt.Println(nn.Repr(nn.Sequential{nn.NewLinear(4, 3), &nn.ReLU{}}))
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.extra_repr
func Repr(m any) string { return represent(reflect.ValueOf(m)) }

func represent(v reflect.Value) string {
	v, m := moduleOf(v)
	if !v.IsValid() {
		return "None"
	}
	name := className(v.Type())
	if IsParametrized(m, "") {
		name = "Parametrized" + name
	}
	var lines []string
	extra := extraRepr(m)
	if extra != "" {
		lines = strings.Split(extra, "\n")
	}
	kids := submodules(v)
	if len(kids) == 0 && len(lines) <= 1 {
		return name + "(" + extra + ")"
	}
	texts := make([]string, len(kids))
	isList := name == moduleList || v.Type() == reflect.TypeFor[ParametrizationList]()
	for i, c := range kids {
		texts[i] = represent(c.value)
		if _, ok := m.(*MultiheadAttention); ok { // PyTorch's class is one of a Linear that is not quantized
			texts[i] = "NonDynamicallyQuantizable" + texts[i]
		}
	}
	for i := 0; i < len(kids); i++ {
		label, text, first := kids[i].name, texts[i], i
		for isList && i+1 < len(kids) && texts[i+1] == text { // equal modules share a line
			i++
		}
		if i > first {
			label, text = fmt.Sprintf("%d-%d", first, i), fmt.Sprintf("%d x %s", i-first+1, text)
		}
		lines = append(lines, "("+label+"): "+indent(text))
	}
	return name + "(\n  " + strings.Join(lines, "\n  ") + "\n)"
}

const moduleList = "ModuleList"

// className returns the name of PyTorch's class.
func className(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[") // without the types of a generic one
	switch {
	case t == reflect.TypeFor[SequentialDict]():
		return "Sequential"
	case t == reflect.TypeFor[weightNorm]():
		return "_WeightNorm"
	case t == reflect.TypeFor[spectralNorm]():
		return "_SpectralNorm"
	case t == reflect.TypeFor[orthogonal]():
		return "_Orthogonal"
	case name != "":
		return name
	case t.Kind() == reflect.Struct:
		return "Module"
	}
	return moduleList
}

// indent indents all lines but the first, and leaves empty ones empty.
func indent(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines[1:] {
		if lines[i+1] = ""; strings.TrimSpace(line) != "" {
			lines[i+1] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}

// extraRepr returns what describes a module itself.
func extraRepr(m any) string {
	switch m := m.(type) {
	case ParameterList:
		return m.text()
	case ParameterDict:
		return m.text()
	case interface{ ExtraRepr() string }:
		return m.ExtraRepr()
	case interface{ extraRepr() string }:
		return m.extraRepr()
	}
	return ""
}

// moduleOf returns the struct or list that v is or points to, and the module: a pointer to
// the struct, or the list.
func moduleOf(v reflect.Value) (reflect.Value, any) {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch {
	case !v.IsValid():
		return v, nil
	case v.Kind() != reflect.Struct:
		return v, v.Interface()
	case v.CanAddr():
		return v, v.Addr().Interface()
	}
	c := reflect.New(v.Type())
	c.Elem().Set(v)
	return c.Elem(), c.Interface()
}

// A child is a module directly in another one.
type child struct {
	name  string
	value reflect.Value
}

// submodules lists the modules directly in a struct or list, in PyTorch's order.
func submodules(v reflect.Value) (kids []child) {
	add := func(name string, v reflect.Value) {
		if isChild(v) {
			kids = append(kids, child{name, v})
		}
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		if fs, ok := namedFields(v); ok {
			for _, f := range fs {
				add(f.name, f.value)
			}
			break
		}
		for i := range v.Len() {
			add(strconv.Itoa(i), v.Index(i))
		}
	case reflect.Struct:
		for _, f := range fields(v, nil) {
			add(f.name, f.value)
		}
	}
	return kids
}

// isChild reports whether v is a module, a list of modules, or a struct that has some.
func isChild(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		return v.Type() != tensorType && !v.IsNil() && isChild(v.Elem())
	case reflect.Slice, reflect.Array:
		if isContainer(v) {
			return true
		}
		if v.Len() == 0 {
			return isModuleType(v.Type()) || isModuleType(v.Type().Elem())
		}
		for i := range v.Len() {
			if isChild(v.Index(i)) {
				return true
			}
		}
	case reflect.Struct:
		if isModuleType(v.Type()) {
			return true
		}
		for _, f := range fields(v, nil) {
			if f.value.Type() == tensorType && !f.value.IsNil() || isChild(f.value) {
				return true
			}
		}
	}
	return false
}

// isModuleType reports whether a type, or a pointer to it, has a method Forward.
func isModuleType(t reflect.Type) bool {
	if _, ok := t.MethodByName("Forward"); ok {
		return true
	}
	_, ok := reflect.PointerTo(t).MethodByName("Forward")
	return ok
}

// tuple writes sizes as Python writes a tuple.
func tuple(sizes ...int) string {
	parts := make([]string, len(sizes))
	for i, n := range sizes {
		if parts[i] = strconv.Itoa(n); n == KeepSize {
			parts[i] = "None"
		}
	}
	if len(parts) == 1 {
		return "(" + parts[0] + ",)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// ints writes an int or a tuple as Python does; nil is the default.
func ints(v torch.Ints, standard string) string {
	switch v := v.(type) {
	case nil:
		return standard
	case int:
		if v == KeepSize {
			return "None"
		}
	case []int:
		return tuple(v...)
	}
	return fmt.Sprint(v)
}

// number writes a number as Python does; nil is the default.
func number(v torch.Number, standard string) string {
	switch v := v.(type) {
	case nil:
		return standard
	case float64:
		return pyrepr.Float(v)
	case bool:
		return boolean(v)
	}
	return fmt.Sprint(v)
}

// float writes a float as Python does; nil is the default.
func float(v *float64, standard float64) string { return pyrepr.Float(or(v, standard)) }

func boolean(v bool) string {
	if v {
		return "True"
	}
	return "False"
}

// inPlaceOnly is the text of a layer that can only be in place or not.
func inPlaceOnly(on bool) string {
	if on {
		return "inplace=True"
	}
	return ""
}

// andInPlace is the text that follows other options.
func andInPlace(on bool) string {
	if on {
		return ", inplace=True"
	}
	return ""
}
