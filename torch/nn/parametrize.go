package nn

import (
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// A ParametrizationList computes a tensor of a module from others, its originals, by one
// parametrization after the other: torch.nn.utils.parametrize.ParametrizationList.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.ParametrizationList.html
type ParametrizationList struct {
	ParameterDict      // original, or original0, original1, …
	ModuleList         // the parametrizations, as given to [RegisterParametrization]
	Unsafe        bool // the results were not checked

	buffer bool // the tensor is a buffer
	cached *torch.Tensor
	cache  int64 // the number of the cache that has it
}

// A parametrization has one of these methods Forward, and may have one of these RightInverse.
type (
	oneForward interface {
		Forward(x *torch.Tensor) *torch.Tensor
	}
	severalForward interface {
		Forward(originals ...*torch.Tensor) *torch.Tensor
	}
	oneInverse interface {
		RightInverse(x *torch.Tensor) *torch.Tensor
	}
	severalInverse interface {
		RightInverse(x *torch.Tensor) []*torch.Tensor
	}
)

// apply calls a parametrization.
func apply(p any, x ...*torch.Tensor) *torch.Tensor {
	switch p := p.(type) {
	case oneForward:
		if len(x) != 1 {
			fail("a parametrization %T takes one tensor; it is given %d", p, len(x))
		}
		return Call(p, x[0])
	case severalForward:
		return p.Forward(x...)
	}
	fail("a %T is no parametrization; it needs a method Forward(x *torch.Tensor) *torch.Tensor, or Forward(originals ...*torch.Tensor) *torch.Tensor", p)
	return nil
}

// inverse returns the originals of a tensor, and ok is false if p has no inverse.
func inverse(p any, x *torch.Tensor) (originals []*torch.Tensor, ok bool) {
	switch p := p.(type) {
	case oneInverse:
		y := p.RightInverse(x)
		return []*torch.Tensor{y}, y != nil
	case severalInverse:
		return p.RightInverse(x), true
	}
	return nil, false
}

// Forward computes the tensor: module.parametrizations.weight(). It is what the module's
// tensor is in Python at each access, so a spectral norm makes its iterations in each call
// while training.
func (l *ParametrizationList) Forward() *torch.Tensor {
	originals := make([]*torch.Tensor, len(l.ParameterDict))
	for i, p := range l.ParameterDict {
		originals[i] = p.Tensor
	}
	x := apply(l.ModuleList[0], originals...)
	for _, p := range l.ModuleList[1:] {
		x = apply(p, x)
	}
	return x
}

// one reports whether there is one original, which is the module's former tensor.
func (l *ParametrizationList) one() bool { return l.ParameterDict[0].Name == "original" }

var opSetSource = torch.NewOp("aten::set_", "source_Tensor")

// setTo makes x use the memory of y: x.set_(y).
func setTo(x, y *torch.Tensor) {
	torch.NoGrad(func() {
		var c torch.Call
		c.Tensor(x)
		c.Tensor(y)
		c.Do(opSetSource)
	})
}

// Assign sets the originals so that the tensor is x: module.weight = x. It panics with a
// *torch.Error if a parametrization has no RightInverse.
func (l *ParametrizationList) Assign(x *torch.Tensor) {
	values := []*torch.Tensor{x}
	torch.NoGrad(func() {
		for _, p := range slices.Backward(l.ModuleList) {
			var ok bool
			if values, ok = inverse(p, values[0]); !ok {
				fail("the parametrization %T has no inverse, so the tensor cannot be set", p)
			}
		}
	})
	if len(values) != len(l.ParameterDict) {
		fail("RightInverse returned %d tensors; there are %d originals", len(values), len(l.ParameterDict))
	}
	for i, o := range l.ParameterDict {
		if o.Tensor.DType() != values[i].DType() {
			fail("RightInverse returned a %v tensor for %s, which is %v", values[i].DType(), o.Name, o.Tensor.DType())
		}
		setTo(o.Tensor, values[i])
	}
}

var (
	cacheDepth  atomic.Int64
	cacheNumber atomic.Int64
)

// CacheParametrizations calls f with a cache of parametrized tensors: each is computed once,
// and not in each call of its module: with torch.nn.utils.parametrize.cached(). The cache
// is that of the whole process. Calls nest.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.cached.html
func CacheParametrizations(f func()) {
	cacheDepth.Add(1)
	defer func() {
		if cacheDepth.Add(-1) == 0 {
			cacheNumber.Add(1)
		}
	}()
	f()
}

func (l *ParametrizationList) value() *torch.Tensor {
	if cacheDepth.Load() == 0 {
		l.cached = nil
		return l.Forward()
	}
	if n := cacheNumber.Load(); l.cached == nil || l.cache != n {
		l.cached, l.cache = l.Forward(), n
	}
	return l.cached
}

func (l *ParametrizationList) fields(string) []field { return nil } // it is a module of its own

func (l *ParametrizationList) copied(c *copier) source {
	d := *l
	d.cached = nil
	d.ParameterDict = c.copied(reflect.ValueOf(l.ParameterDict)).Interface().(ParameterDict)
	d.ModuleList = c.copied(reflect.ValueOf(l.ModuleList)).Interface().(ModuleList)
	return &d
}

// weightNorm reports whether the list is that of [WeightNorm].
func (l *ParametrizationList) weightNorm() bool {
	_, ok := l.ModuleList[0].(*weightNorm)
	return ok
}

// RegisterParametrizationOptions are the options of [RegisterParametrization].
type RegisterParametrizationOptions struct {
	Unsafe bool // does not check that the tensor keeps its shape and dtype
}

// RegisterParametrization has a tensor of a module computed by p before each call of the
// module: torch.nn.utils.parametrize.register_parametrization(m, name, p). The name is that
// in the state dict, such as "weight", and the tensor a parameter or a buffer. The original
// is then trained in its place: it has the key parametrizations.weight.original, and is
// what [Parameters] returns. A second call for the same tensor adds p to the
// parametrizations that there are.
//
// A parametrization is a module, a pointer to a struct that may have tensors of its own. It
// has a method Forward(x *torch.Tensor) *torch.Tensor, or, to compute the tensor from
// several originals, Forward(originals ...*torch.Tensor) *torch.Tensor. The original is the
// tensor itself, or what a method RightInverse(x *torch.Tensor) returns for it, which may be
// a *torch.Tensor, where nil stands for x, or a []*torch.Tensor.
//
//	type symmetric struct{}
//
//	func (*symmetric) Forward(x *torch.Tensor) *torch.Tensor {
//		return x.Triu().Add(x.Triu(torch.TriuOptions{Diagonal: 1}).T())
//	}
//
// The module's field holds the value of the last call, and is set by the next one, so code
// that needs the value in between calls [Parametrizations]. Calls are those of the layers of
// this package and of [Call]. Calls of one parametrized module from several goroutines take
// turns. RegisterParametrization panics with a *torch.Error if the module has no such tensor,
// or if p changes its shape or dtype.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.register_parametrization.html
func RegisterParametrization(m any, name string, p any, options ...RegisterParametrizationOptions) {
	o := torch.Only(options)
	if reflect.ValueOf(p).Kind() != reflect.Pointer {
		fail("RegisterParametrization: the parametrization is a %T; it must be a pointer to a struct", p)
	}
	setTraining(p, inTraining(m))
	at, buffer := tensorField(m, name)
	if at == nil {
		fail("RegisterParametrization: a %T has no parameter or buffer %q", m, name)
	}
	d := makeDerived(m)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch s := d.find(name).(type) {
	case nil:
		l := newParametrizationList(p, *at, buffer, o.Unsafe)
		engine.Unscoped(func() {
			x := l.Forward()
			if !o.Unsafe {
				checkParametrization(name, p, *at, x)
			}
			*at = x
		})
		d.set(name, l)
	case *ParametrizationList:
		if !o.Unsafe {
			y := s.Forward()
			x := apply(p, y)
			checkParametrization(name, p, y, x)
			if z, ok := inverse(p, x); ok {
				if len(z) != 1 {
					fail("RegisterParametrization: RightInverse of %T returned %d tensors; of a second parametrization of %q it must return one", p, len(z), name)
				}
				checkParametrization(name, p, y, z[0])
			}
		}
		s.ModuleList = append(s.ModuleList, p)
		s.Unsafe = s.Unsafe || o.Unsafe
	default:
		fail("RegisterParametrization: %q of the %T is pruned", name, m)
	}
}

// checkParametrization panics with an Error unless x is like the tensor that it replaces.
func checkParametrization(name string, p any, was, x *torch.Tensor) {
	if x.DType() != was.DType() || !x.SameShape(was) {
		fail("the parametrization %T turns %q, %v %v, into %v %v; to change a shape or dtype, give the option Unsafe",
			p, name, was.Shape(), was.DType(), x.Shape(), x.DType())
	}
}

// newParametrizationList makes the originals of x.
func newParametrizationList(p any, x *torch.Tensor, buffer, unsafe bool) *ParametrizationList {
	l := &ParametrizationList{ModuleList: ModuleList{p}, Unsafe: unsafe, buffer: buffer}
	var values []*torch.Tensor
	several := false
	torch.NoGrad(func() {
		var ok bool
		if values, ok = inverse(p, x); !ok {
			values = []*torch.Tensor{x}
			return
		}
		_, several = p.(severalInverse)
	})
	if several {
		for i, v := range values {
			original := v.Detach().RequireGrad(x.RequiresGrad())
			l.ParameterDict = append(l.ParameterDict, torch.Named{Name: fmt.Sprintf("original%d", i), Tensor: original})
		}
		return l
	}
	if v := values[0]; v != x {
		if v.DType() != x.DType() || v.Device() != x.Device() {
			fail("RightInverse of %T returned a tensor that is %v on %v, for one that is %v on %v", p, v.DType(), v.Device(), x.DType(), x.Device())
		}
		setTo(x, v)
	}
	l.ParameterDict = ParameterDict{{Name: "original", Tensor: x}}
	return l
}

// inTraining returns the field Training of a module, and true for one that has none.
func inTraining(m any) bool {
	v := reflect.ValueOf(m)
	if v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct {
		if f := v.Elem().FieldByName("Training"); f.IsValid() && f.Kind() == reflect.Bool {
			return f.Bool()
		}
	}
	return true
}

// Parametrizations returns the parametrizations of a tensor of a module, or nil if there are
// none: m.parametrizations[name].
func Parametrizations(m any, name string) *ParametrizationList {
	l, _ := derivedOf(m).find(name).(*ParametrizationList)
	return l
}

// IsParametrized reports whether a tensor of a module has parametrizations:
// torch.nn.utils.parametrize.is_parametrized(m, name). The name "" stands for any tensor.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.is_parametrized.html
func IsParametrized(m any, name string) bool {
	if name != "" {
		return Parametrizations(m, name) != nil
	}
	d := derivedOf(m)
	return d != nil && slices.ContainsFunc(d.items, func(it derivation) bool {
		_, ok := it.source.(*ParametrizationList)
		return ok
	})
}

// RemoveParametrizationsOptions are the options of [RemoveParametrizations].
type RemoveParametrizationsOptions struct {
	LeaveOriginal bool // the tensor becomes the original instead of the value that is computed from it: leave_parametrized=False
}

// RemoveParametrizations makes a tensor of a module a plain one again, with the value that
// its parametrizations compute: torch.nn.utils.parametrize.remove_parametrizations(m, name).
// A tensor with one original remains the same parameter, and one with several becomes a new
// parameter. It panics with a *torch.Error if the tensor has no parametrizations, or if
// LeaveOriginal is given and there are several originals.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.remove_parametrizations.html
func RemoveParametrizations(m any, name string, options ...RemoveParametrizationsOptions) {
	o := torch.Only(options)
	l := Parametrizations(m, name)
	if l == nil {
		fail("RemoveParametrizations: a %T has no parametrization of %q", m, name)
	}
	d := derivedOf(m)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !l.one() && o.LeaveOriginal {
		fail("RemoveParametrizations: %q has %d originals, of which none can be left as the tensor", name, len(l.ParameterDict))
	}
	at, _ := tensorField(m, name)
	engine.Unscoped(func() {
		x := l.ParameterDict[0].Tensor
		switch {
		case !l.one():
			y := l.value()
			x = y.Detach().RequireGrad(y.RequiresGrad())
		case !o.LeaveOriginal:
			torch.NoGrad(func() { setTo(x, l.value()) })
		}
		*at = x
	})
	d.set(name, nil)
}
