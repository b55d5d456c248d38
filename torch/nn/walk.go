package nn

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/snake"
	"github.com/torchhub/torchhub/torch"
)

// entry is a tensor field of a module.
type entry struct {
	name     string // "layer1.0.conv1.weight"
	at       **torch.Tensor
	buffer   bool
	optional bool
}

var tensorType = reflect.TypeFor[*torch.Tensor]()

// walk lists the tensors of a module and calls mode, unless it is nil, with
// each field Training. The order is PyTorch's: a module's parameters, its
// buffers, then its submodules.
func walk(m any, mode func(training *bool)) []entry { return walkAll(m, mode).entries }

func walkAll(m any, mode func(training *bool)) *walker {
	w := &walker{mode: mode}
	v := reflect.ValueOf(m)
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice:
		w.visit(v, "")
	default:
		fail("%T is no module; pass a pointer to a struct", m)
	}
	return w
}

func fail(format string, args ...any) {
	panic(&torch.Error{Op: "nn", Msg: fmt.Sprintf(format, args...)})
}

type walker struct {
	mode    func(*bool)
	entries []entry
	modules []versionOf // in PyTorch's order: a module before its submodules
	upgrade []upgrade
	path    []any // the pointers on the way to here
}

// A versionOf is a module, its name and the version of its part of a state dict: Module._version.
type versionOf struct {
	module  any
	name    string
	version int
}

// versioned is a module whose version is not 1.
type versioned interface{ StateVersion() int }

// A StateUpgrader is a module that also loads the state dicts of older versions of its
// kind. [LoadStateDict] calls the method UpgradeState, of a module before those of
// its submodules, with a copy of the state dict, whose entries it may rename, remove or
// add, and the prefix of the module's names in it: Module._load_from_state_dict. The
// method may also replace submodules.
type StateUpgrader interface {
	UpgradeState(s map[string]*torch.Tensor, prefix string)
}

// An upgrade is a StateUpgrader with the prefix of its names.
type upgrade struct {
	StateUpgrader
	prefix string
}

// note adds a module to the list, unless the value is a struct of options.
func (w *walker) note(v reflect.Value, prefix string) {
	if v.Kind() == reflect.Struct && v.CanAddr() {
		v = v.Addr()
	}
	list := v.Kind() == reflect.Slice || v.Kind() == reflect.Array
	if prefix != "" && !list && !v.MethodByName("Forward").IsValid() {
		return
	}
	m := versionOf{name: strings.TrimSuffix(prefix, "."), version: 1}
	if v.CanInterface() {
		m.module = v.Interface()
		if own, ok := v.Interface().(versioned); ok {
			m.version = own.StateVersion()
		}
		if u := derivedOf(v.Interface()).upgrader(); u != nil {
			w.upgrade = append(w.upgrade, upgrade{u, prefix})
		}
		if u, ok := v.Interface().(StateUpgrader); ok {
			w.upgrade = append(w.upgrade, upgrade{u, prefix})
		}
	}
	w.modules = append(w.modules, m)
}

// visit walks a value that may hold modules. Its prefix ends in a dot or is empty.
func (w *walker) visit(v reflect.Value, prefix string) {
	switch v.Kind() {
	case reflect.Interface:
		w.visit(v.Elem(), prefix)
	case reflect.Pointer:
		if v.IsNil() || v.Type().Elem().Kind() != reflect.Struct {
			return
		}
		p := v.Interface()
		for _, outer := range w.path {
			if outer == p {
				fail("the module at %q contains itself", strings.TrimSuffix(prefix, "."))
			}
		}
		w.path = append(w.path, p)
		w.module(v.Elem(), prefix)
		w.path = w.path[:len(w.path)-1]
	case reflect.Slice, reflect.Array:
		if fs, ok := namedFields(v); ok {
			w.note(v, prefix)
			for _, f := range fs {
				if f.value.Type() == tensorType {
					w.tensor(f.value, entry{name: prefix + f.name})
				} else {
					w.visit(f.value, prefix+f.name+".")
				}
			}
			return
		}
		switch v.Type().Elem().Kind() {
		case reflect.Interface, reflect.Pointer, reflect.Struct, reflect.Slice:
		default:
			return
		}
		w.note(v, prefix)
		for i := range v.Len() {
			e := v.Index(i)
			if e.Type() == tensorType {
				w.tensor(e, entry{name: prefix + strconv.Itoa(i)})
				continue
			}
			w.visit(e, prefix+strconv.Itoa(i)+".")
		}
	case reflect.Struct:
		w.module(v, prefix)
	}
}

func (w *walker) module(v reflect.Value, prefix string) {
	w.note(v, prefix)
	fs := fields(v, nil)
	if l, ok := addr(v).(*ParametrizationList); ok && l.buffer {
		for i := range fs {
			fs[i].buffer = true
		}
	}
	for _, buffers := range []bool{false, true} {
		for _, f := range fs {
			if f.value.Type() == tensorType && f.buffer == buffers {
				w.tensor(f.value, entry{name: prefix + f.name, buffer: f.buffer, optional: f.optional})
			}
		}
	}
	for _, f := range fs {
		if on, ok := addr(f.value).(*bool); ok && f.goName == "Training" && w.mode != nil {
			w.mode(on)
		}
		if f.value.Type() != tensorType {
			w.visit(f.value, prefix+f.name+".")
		}
	}
}

func (w *walker) tensor(v reflect.Value, e entry) {
	if v.IsNil() {
		return
	}
	at, ok := addr(v).(**torch.Tensor)
	if !ok {
		fail("%q cannot be set; let the module hold a pointer to its struct", e.name)
	}
	e.at = at
	w.entries = append(w.entries, e)
}

func addr(v reflect.Value) any {
	if !v.CanAddr() {
		return nil
	}
	return v.Addr().Interface()
}

type field struct {
	value            reflect.Value
	goName, name     string
	buffer, optional bool
}

// namedFields returns the modules or parameters of a container that names them, as fields.
func namedFields(v reflect.Value) (fs []field, ok bool) {
	switch s := v.Interface().(type) {
	case SequentialDict:
		return namedFields(reflect.ValueOf(ModuleDict(s)))
	case ModuleDict:
		for _, c := range s {
			if c.Module != nil {
				fs = append(fs, field{value: reflect.ValueOf(c.Module), name: c.Name})
			}
		}
	case ParameterDict:
		for i := range s {
			fs = append(fs, field{value: reflect.ValueOf(&s[i].Tensor).Elem(), name: s[i].Name})
		}
	default:
		return nil, false
	}
	return fs, true
}

// embedded returns the modules or parameters of an embedded container, as fields of the
// outer module.
func embedded(v reflect.Value) (fs []field, ok bool) {
	switch v.Interface().(type) {
	case Sequential, ModuleList:
		for i := range v.Len() {
			if m := v.Index(i).Elem(); m.IsValid() {
				fs = append(fs, field{value: m, name: strconv.Itoa(i)})
			}
		}
		return fs, true
	}
	return namedFields(v)
}

// fields lists the tensors and modules of a struct: those of [structFields], with what
// parametrizations and pruning put in the place of tensors.
func fields(v reflect.Value, fs []field) []field {
	fs = structFields(v, fs)
	if d := derivedAt(v); d != nil {
		fs = d.arrange(fs)
	}
	return fs
}

// structFields lists the exported fields of a struct, those of embedded structs among them.
func structFields(v reflect.Value, fs []field) []field {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("nn"), ",")
		hidden := !f.IsExported() && !(f.Anonymous && f.Type.Kind() == reflect.Struct)
		if name == "-" || hidden {
			continue
		}
		value := v.Field(i)
		if f.Anonymous && name == "" {
			if value.Kind() == reflect.Pointer && !value.IsNil() {
				value = value.Elem()
			}
			if value.Kind() == reflect.Struct {
				fs = structFields(value, fs)
				continue
			}
		}
		if f.Anonymous && name == "" {
			if inner, ok := embedded(value); ok {
				fs = append(fs, inner...)
				continue
			}
		}
		out := field{value: value, goName: f.Name, name: name}
		if name == "" {
			out.name = snake.Case(f.Name)
		}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "":
			case "buffer":
				out.buffer = true
			case "optional":
				out.optional = true
			default:
				fail("field %s of %v has the unknown tag option %q", f.Name, t, option)
			}
		}
		fs = append(fs, out)
	}
	return fs
}
