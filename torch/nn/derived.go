package nn

import (
	"reflect"
	"runtime"
	"slices"
	"sync"
	"unsafe"
	"weak"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// A derived tensor of a module is computed from others before each call: by
// parametrizations, or from a masked tensor by pruning. The module's field holds the last
// value, and the walk of the module finds what it is computed from in its place.
//
// Modules are plain structs, so this is kept beside them, by their address. It does not
// keep a module alive.
type derived struct {
	module weak.Pointer[byte]
	mu     sync.Mutex // held while the module is called, since calls set its fields
	items  []derivation
}

// A derivation is one tensor of a module. Without a source it is a plain tensor that had
// one before, and comes after the others, as in PyTorch.
type derivation struct {
	name   string // the field's name in the state dict
	source source
}

// A source computes a derived tensor.
type source interface {
	value() *torch.Tensor
	// fields lists what belongs to the module's own tensors: of a field's name.
	fields(name string) []field
	copied(c *copier) source
}

// A place is where a module is: a struct and its first field have the same address.
type place struct {
	at uintptr
	t  reflect.Type
}

var allDerived = struct {
	sync.RWMutex
	of map[place]*derived
}{of: map[place]*derived{}}

// derivedAt returns the derived tensors of the module that is the struct v, or nil.
func derivedAt(v reflect.Value) *derived {
	if specialModules.Load() == 0 || !v.CanAddr() {
		return nil
	}
	allDerived.RLock()
	d := allDerived.of[place{v.UnsafeAddr(), v.Type()}]
	allDerived.RUnlock()
	if d != nil && d.module.Value() == nil { // another module was there before
		return nil
	}
	return d
}

// derivedOf is derivedAt of a pointer to a struct. Other values have no derived tensors.
func derivedOf(m any) *derived {
	if specialModules.Load() == 0 {
		return nil
	}
	v := reflect.ValueOf(m)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	return derivedAt(v.Elem())
}

// makeDerived returns the derived tensors of a module, a pointer to a struct, and makes
// room for some if there are none.
func makeDerived(m any) *derived {
	if d := derivedOf(m); d != nil {
		return d
	}
	v := reflect.ValueOf(m).Elem()
	p := (*byte)(unsafe.Pointer(v.UnsafeAddr()))
	at := place{v.UnsafeAddr(), v.Type()}
	d := &derived{module: weak.Make(p)}
	allDerived.Lock()
	defer allDerived.Unlock()
	was := len(allDerived.of)
	allDerived.of[at] = d
	specialModules.Add(int64(len(allDerived.of) - was))
	runtime.AddCleanup(p, func(at place) {
		allDerived.Lock()
		defer allDerived.Unlock()
		if d := allDerived.of[at]; d != nil && d.module.Value() == nil {
			delete(allDerived.of, at)
			specialModules.Add(-1)
		}
	}, at)
	return d
}

// find returns the source of a tensor, or nil if it is not derived.
func (d *derived) find(name string) source {
	if d == nil {
		return nil
	}
	for _, it := range d.items {
		if it.name == name {
			return it.source
		}
	}
	return nil
}

// set makes a tensor the last of those with a source, or of the plain ones if it has none.
func (d *derived) set(name string, s source) {
	d.items = slices.DeleteFunc(d.items, func(it derivation) bool { return it.name == name })
	d.items = append(d.items, derivation{name, s})
}

// arrange puts what tensors are computed from in the place of their fields.
func (d *derived) arrange(fs []field) []field {
	var out, lists []field
	for _, f := range fs {
		if !slices.ContainsFunc(d.items, func(it derivation) bool { return it.name == f.name }) {
			out = append(out, f)
		}
	}
	var parametrizations ModuleDict
	for _, it := range d.items {
		switch s := it.source.(type) {
		case nil:
			for _, f := range fs {
				if f.name == it.name {
					out = append(out, f)
				}
			}
		case *ParametrizationList:
			parametrizations = append(parametrizations, Child{it.name, s})
		default:
			out = append(out, s.fields(it.name)...)
		}
	}
	if parametrizations != nil {
		lists = append(lists, field{value: reflect.ValueOf(parametrizations), name: "parametrizations"})
	}
	return append(out, lists...)
}

// compute sets the fields of the module to the values of their sources. The values belong
// to no scope, since the fields keep them.
func (d *derived) compute(m any) {
	for _, it := range d.items {
		if it.source == nil {
			continue
		}
		at, _ := tensorField(m, it.name)
		engine.Unscoped(func() { *at = it.source.value() })
	}
}

func nothing() {}

// ready computes the derived tensors of a module before a call. The function that it
// returns ends the call.
func ready(m any) (done func()) {
	d := derivedOf(m)
	if d == nil {
		return nothing
	}
	d.mu.Lock()
	ok := false
	defer func() {
		if !ok {
			d.mu.Unlock()
		}
	}()
	d.compute(m)
	ok = true
	return d.mu.Unlock
}

// tensorField returns the place of a module's own tensor by its name in the state dict, and
// whether it is a buffer; nil if there is none.
func tensorField(m any, name string) (at **torch.Tensor, buffer bool) {
	if at, buffer = optionalField(m, name); at == nil || *at == nil {
		return nil, false
	}
	return at, buffer
}

// optionalField is tensorField also of a tensor that is nil.
func optionalField(m any, name string) (at **torch.Tensor, buffer bool) {
	v := reflect.ValueOf(m)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		fail("%T is no module; pass a pointer to a struct", m)
	}
	for _, f := range structFields(v.Elem(), nil) {
		if f.name == name && f.value.Type() == tensorType {
			return addr(f.value).(**torch.Tensor), f.buffer
		}
	}
	return nil, false
}

// copyDerived gives the copy of a module copies of the sources of its tensors.
func (c *copier) copyDerived(from, to any) {
	d := derivedOf(from)
	if d == nil {
		return
	}
	dst := makeDerived(to)
	for _, it := range d.items {
		s := it.source
		if s != nil {
			s = s.copied(c)
		}
		dst.items = append(dst.items, derivation{it.name, s})
	}
}

// upgrader returns what loads older state dicts of the module, or nil.
func (d *derived) upgrader() StateUpgrader {
	if d == nil {
		return nil
	}
	var names weightNorms
	for _, it := range d.items {
		if l, ok := it.source.(*ParametrizationList); ok && l.weightNorm() {
			names = append(names, it.name)
		}
	}
	if names == nil {
		return nil
	}
	return names
}
