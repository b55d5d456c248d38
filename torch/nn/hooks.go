package nn

import (
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/torchhub/torchhub/torch"
)

// A ForwardHook is called with a module, its input x and its output y. It may return
// another output; nil keeps y. A container frees y when the next module has used it and
// no gradient needs it, so a hook that keeps it keeps y.Detach() or another view.
type ForwardHook func(m Module, x, y *torch.Tensor) *torch.Tensor

// A ForwardPreHook is called with a module and its input x. It may return another input;
// nil keeps x.
type ForwardPreHook func(m Module, x *torch.Tensor) *torch.Tensor

// A BackwardHook is called with a module and the gradients of its input and its output. It
// may return another gradient of the input; nil keeps it. The gradient of an input that
// requires none is nil, and must remain so.
type BackwardHook func(m Module, gradInput, gradOutput *torch.Tensor) *torch.Tensor

// A BackwardPreHook is called with a module and the gradient of its output, before the
// gradient of its input is computed. It may return another gradient of the output; nil
// keeps it.
type BackwardPreHook func(m Module, gradOutput *torch.Tensor) *torch.Tensor

// hooks are those of one module.
type hooks struct {
	before         []*ForwardPreHook
	after          []*ForwardHook
	backward       []*BackwardHook
	backwardBefore []*BackwardPreHook
}

func (h *hooks) none() bool {
	return len(h.before)+len(h.after)+len(h.backward)+len(h.backwardBefore) == 0
}

var (
	specialModules atomic.Int64 // the number of modules that have hooks or derived tensors
	allHooks       = struct {
		sync.RWMutex
		of map[any]*hooks // by identity
	}{of: map[any]*hooks{}}
)

// A list is the identity of a container, which is a slice: two with the same elements are the same.
type list struct {
	first unsafe.Pointer
	n     int
}

func identity(m any) any {
	v := reflect.ValueOf(m)
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 {
			fail("a container without modules has no hooks")
		}
		return list{v.UnsafePointer(), v.Len()}
	case reflect.Pointer:
		return m
	}
	fail("a %T has no hooks; pass a pointer to a module, or a container", m)
	return nil
}

// hooksOf returns the hooks of a module, or nil if there are none.
func hooksOf(m Module) *hooks {
	if v := reflect.ValueOf(m); v.Kind() == reflect.Slice && v.Len() == 0 {
		return nil
	}
	allHooks.RLock()
	defer allHooks.RUnlock()
	return allHooks.of[identity(m)]
}

// RegisterForwardHook makes f follow each call of a module: m.register_forward_hook(f).
// The hooks of a module are called in the order in which they were registered, on the
// goroutine that calls it. The function that RegisterForwardHook returns removes the
// hook; until then the module is in use.
//
// Hooks are called by the layers of this package, by its containers for each module in
// them, and by [Call]. A struct whose method Forward is called directly calls none.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_hook
func RegisterForwardHook(m Module, f ForwardHook) (remove func()) {
	return register(m, &f, func(h *hooks) *[]*ForwardHook { return &h.after })
}

// RegisterForwardPreHook makes f precede each call of a module:
// m.register_forward_pre_hook(f). See [RegisterForwardHook].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_pre_hook
func RegisterForwardPreHook(m Module, f ForwardPreHook) (remove func()) {
	return register(m, &f, func(h *hooks) *[]*ForwardPreHook { return &h.before })
}

func register[F any](m Module, f *F, of func(*hooks) *[]*F) (remove func()) {
	id := identity(m)
	change := func(f func(*hooks)) {
		allHooks.Lock()
		defer allHooks.Unlock()
		h := hooks{}
		if old := allHooks.of[id]; old != nil {
			h = *old
		}
		f(&h) // of a copy, since a call may be going through the old one
		was := len(allHooks.of)
		if h.none() {
			delete(allHooks.of, id)
		} else {
			allHooks.of[id] = &h
		}
		specialModules.Add(int64(len(allHooks.of) - was))
	}
	change(func(h *hooks) { *of(h) = append(slices.Clone(*of(h)), f) })
	return func() {
		change(func(h *hooks) {
			*of(h) = slices.DeleteFunc(slices.Clone(*of(h)), func(g *F) bool { return g == f })
		})
	}
}

// here is the path of this package, whose modules call their hooks themselves.
var here = reflect.TypeFor[Conv2d]().PkgPath()

// Call calls a module with its hooks: m(x). Structs that hold modules other than the
// layers and the containers of this package call them so.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
func Call(m Module, x *torch.Tensor) *torch.Tensor {
	if specialModules.Load() == 0 || m == nil {
		return m.Forward(x)
	}
	t := reflect.TypeOf(m)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	} else if t.Kind() != reflect.Slice {
		return m.Forward(x) // a value, which has no identity
	}
	if t.PkgPath() == here {
		return m.Forward(x)
	}
	return hooked(m, x, Module.Forward)
}

// hooked calls a module by forward, and its hooks.
func hooked[M Module](m M, x *torch.Tensor, forward func(M, *torch.Tensor) *torch.Tensor) *torch.Tensor {
	if specialModules.Load() == 0 {
		return forward(m, x)
	}
	h := hooksOf(m)
	if h == nil {
		defer ready(m)()
		return forward(m, x)
	}
	for _, f := range h.before {
		if other := (*f)(m, x); other != nil {
			x = other
		}
	}
	var b *backwardCall
	if len(h.backward)+len(h.backwardBefore) > 0 {
		b = &backwardCall{m: m, hooks: h}
		x = b.input(x)
	}
	y := func() *torch.Tensor {
		defer ready(m)()
		return forward(m, x)
	}()
	for _, f := range h.after {
		if other := (*f)(m, x, y); other != nil {
			y = other
		}
	}
	if b != nil {
		y = b.output(y)
	}
	return y
}
