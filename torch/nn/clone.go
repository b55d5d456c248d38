package nn

import (
	"reflect"

	"github.com/torchhub/torchhub/torch"
)

// Clone returns a copy of a module that shares no memory with it: copy.deepcopy(m). What a
// module has more than once, such as a tied weight, is one thing in the copy too. The
// gradients and the hooks are not copied.
//
//	best := nn.Clone(model)
func Clone[M any](m M) M {
	return copied(m, func(x *torch.Tensor) *torch.Tensor { return x.Detach().Then((*torch.Tensor).Clone) })
}

// Share returns a copy of a module whose parameters and buffers are in the same memory, but which
// has a mode and gradients of its own, and no hooks: what another process has of a module after
// m.share_memory(). Goroutines that train one model at the same time, without waiting for each
// other, have such a copy each.
//
// https://docs.pytorch.org/docs/stable/notes/multiprocessing.html#hogwild
func Share[M any](m M) M { return copied(m, (*torch.Tensor).Data) }

func copied[M any](m M, tensor func(x *torch.Tensor) *torch.Tensor) M {
	c := copier{done: map[any]reflect.Value{}, copy: tensor}
	var d M
	torch.NoGrad(func() { d = c.copied(reflect.ValueOf(&m).Elem()).Interface().(M) })
	return d
}

// A copier copies modules.
type copier struct {
	done map[any]reflect.Value               // the copies, by what they are copies of
	copy func(x *torch.Tensor) *torch.Tensor // copies a tensor; nil keeps tensors as they are
}

// copied returns a copy of the structs and lists of modules in v. What a module has more
// than once stays one.
func (c *copier) copied(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		return c.copied(v.Elem())
	case reflect.Pointer:
		if v.IsNil() || v.Type() == tensorType {
			return c.tensor(v)
		}
		if t := v.Type().Elem(); t.Kind() != reflect.Struct || t.PkgPath() == tensorType.Elem().PkgPath() { // such as a generator
			return v
		}
		if d, ok := c.done[v.Interface()]; ok {
			return d
		}
		d := reflect.New(v.Type().Elem())
		c.done[v.Interface()] = d
		d.Elem().Set(v.Elem())
		c.copyFields(d.Elem())
		c.copyDerived(v.Interface(), d.Interface())
		return d
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		id := list{v.UnsafePointer(), v.Len()}
		if d, ok := c.done[id]; ok && d.Type() == v.Type() {
			return d
		}
		d := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		if v.Len() > 0 {
			c.done[id] = d
		}
		for i := range v.Len() {
			d.Index(i).Set(c.copied(v.Index(i)))
		}
		return d
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		d := reflect.MakeMapWithSize(v.Type(), v.Len())
		for _, k := range v.MapKeys() {
			d.SetMapIndex(k, c.copied(v.MapIndex(k)))
		}
		return d
	case reflect.Struct:
		d := reflect.New(v.Type()).Elem()
		d.Set(v)
		c.copyFields(d)
		return d
	}
	return v
}

// tensor returns a copy of a tensor, or the tensor itself if only modules are copied.
func (c *copier) tensor(v reflect.Value) reflect.Value {
	x, _ := v.Interface().(*torch.Tensor)
	if x == nil || c.copy == nil {
		return v
	}
	if d, ok := c.done[x]; ok {
		return d
	}
	d := reflect.ValueOf(c.copy(x).RequireGrad(x.RequiresGrad()))
	c.done[x] = d
	return d
}

// copyFields replaces the modules in the fields of a struct by copies.
func (c *copier) copyFields(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		f = reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem() // also if it is not exported, since it may hold the same modules
		switch f.Kind() {
		case reflect.Struct:
			c.copyFields(f)
		case reflect.Array:
			for i := range f.Len() {
				f.Index(i).Set(c.copied(f.Index(i)))
			}
		default:
			f.Set(c.copied(f))
		}
	}
}
