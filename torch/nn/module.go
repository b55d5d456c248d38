package nn

import (
	"reflect"

	"github.com/torchhub/torchhub/torch"
)

// A Module maps one tensor to another: the part of torch.nn.Module that layers share.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
type Module interface {
	Forward(x *torch.Tensor) *torch.Tensor
}

// Parameters returns the parameters of a module, each once: list(m.parameters()).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.parameters
func Parameters(m any) []*torch.Tensor { return tensorsOf(NamedParameters(m)) }

// NamedParameters returns the parameters of a module by name: list(m.named_parameters()).
// A parameter that the module has more than once has its first name.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.named_parameters
func NamedParameters(m any) []torch.Named { return named(m, false) }

// Buffers returns the buffers of a module, each once: list(m.buffers()).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.buffers
func Buffers(m any) []*torch.Tensor { return tensorsOf(NamedBuffers(m)) }

// NamedBuffers returns the buffers of a module by name: list(m.named_buffers()). A buffer
// that the module has more than once has its first name.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.named_buffers
func NamedBuffers(m any) []torch.Named { return named(m, true) }

func named(m any, buffers bool) (all []torch.Named) {
	seen := map[*torch.Tensor]bool{}
	for _, e := range walk(m, nil) {
		if e.buffer == buffers && !seen[*e.at] {
			seen[*e.at] = true
			all = append(all, torch.Named{Name: e.name, Tensor: *e.at})
		}
	}
	return all
}

func tensorsOf(all []torch.Named) (tensors []*torch.Tensor) {
	for _, e := range all {
		tensors = append(tensors, e.Tensor)
	}
	return tensors
}

// ZeroGrad removes the gradients of a module's parameters: m.zero_grad().
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.zero_grad
func ZeroGrad(m any) {
	for _, p := range Parameters(m) {
		p.ZeroGrad()
	}
}

// Children returns the modules directly in a module, each once: list(m.children()). They
// are pointers to structs, or slices such as a [Sequential].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.children
func Children(m any) []any {
	v, _ := moduleOf(reflect.ValueOf(m))
	if !v.IsValid() {
		fail("%T is no module; pass a pointer to a struct", m)
	}
	var all []any
	seen := map[any]bool{}
	for _, c := range submodules(v) {
		_, kid := moduleOf(c.value)
		if reflect.TypeOf(kid).Kind() == reflect.Pointer {
			if seen[kid] {
				continue
			}
			seen[kid] = true
		}
		all = append(all, kid)
	}
	return all
}

// Apply calls a function of all submodules, those of a module before itself, and then of m:
// m.apply(f). A module that two others have is visited twice.
//
//	nn.Apply(model, func(m any) {
//		if m, ok := m.(*nn.Linear); ok {
//			nn.InitXavierUniform(m.Weight)
//		}
//	})
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.apply
func Apply(m any, f func(m any)) {
	for _, c := range Children(m) {
		Apply(c, f)
	}
	f(m)
}

// Modules returns a module and all its submodules, each once, in PyTorch's order:
// list(m.modules()). They are pointers to structs, or slices such as a [Sequential].
//
//	for _, m := range nn.Modules(model) {
//		if m, ok := m.(*nn.Conv2d); ok {
//			nn.InitKaimingNormal(m.Weight)
//		}
//	}
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.modules
func Modules(m any) []any {
	var all []any
	seen := map[any]bool{}
	for _, m := range walkAll(m, nil).modules {
		if reflect.TypeOf(m.module).Kind() == reflect.Pointer {
			if seen[m.module] {
				continue
			}
			seen[m.module] = true
		}
		all = append(all, m.module)
	}
	return all
}

// StateDict returns the parameters and buffers of a module by name, in
// PyTorch's order: m.state_dict(). The tensors are the module's own.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict
func StateDict(m any) torch.StateDict {
	entries := walk(m, nil)
	s := make(torch.StateDict, len(entries))
	for i, e := range entries {
		s[i] = torch.Named{Name: e.name, Tensor: *e.at}
	}
	return s
}

// RequireGrad turns the gradients of a module's parameters on or off: m.requires_grad_(on).
// Without them the module is frozen: an optimizer leaves it as it is. Buffers have none.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.requires_grad_
func RequireGrad(m any, on bool) {
	for _, p := range Parameters(m) {
		p.RequireGrad(on)
	}
}

var opSetData = torch.NewOp("aten::set_data", "")

// To moves the parameters and buffers of a module to a device: m.to(device).
// The tensors stay the same objects, so an optimizer's references remain valid.
// No other goroutine may use the module meanwhile. To panics with an
// *torch.Error if the device does not exist or the module is on the meta
// device.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.to
func To(m any, d torch.Device) {
	convert(m, func(x *torch.Tensor) *torch.Tensor { return x.To(d) })
}

// ToDType converts the floating-point and complex parameters and buffers of a module to a
// dtype: m.to(dtype). Others, such as the number of batches that a [BatchNorm] has seen,
// stay as they are. The tensors stay the same objects.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.to
func ToDType(m any, d torch.DType) {
	if !d.IsFloatingPoint() && !d.IsComplex() {
		fail("ToDType: the dtype is %v; it must be floating-point or complex", d)
	}
	convert(m, func(x *torch.Tensor) *torch.Tensor {
		if old := x.DType(); old.IsFloatingPoint() || old.IsComplex() {
			return x.ToDType(d)
		}
		return x
	})
}

// ToMemoryFormat sets the memory format of the parameters and buffers of a module and
// its submodules that have 4 or 5 dimensions: m.to(memory_format=torch.channels_last).
// It panics with a *torch.Error if one has more or less dimensions than the format.
func ToMemoryFormat(m any, f torch.MemoryFormat) {
	convert(m, func(x *torch.Tensor) *torch.Tensor {
		if n := x.Dim(); n == 4 || n == 5 {
			return x.ToMemoryFormat(f)
		}
		return x
	})
}

// convert replaces the data of all parameters and buffers by the results of f, which
// may be their arguments.
func convert(m any, f func(x *torch.Tensor) *torch.Tensor) {
	torch.NoGrad(func() {
		for _, e := range walk(m, nil) {
			x := *e.at
			y := f(x)
			if y == x {
				continue
			}
			var c torch.Call
			c.Tensor(x)
			c.Tensor(y)
			c.Do(opSetData)
			y.Free()
		}
	})
}

// Train sets training mode in a module and all its submodules: m.train().
func Train(m any) { setTraining(m, true) }

// Eval sets evaluation mode in a module and all its submodules: m.eval().
func Eval(m any) { setTraining(m, false) }

func setTraining(m any, on bool) { walk(m, func(training *bool) { *training = on }) }
