package nn

import (
	"reflect"

	"github.com/torchhub/torchhub/torch"
)

// Sequential calls modules one after the other: torch.nn.Sequential. Its keys
// are 0, 1, …. Intermediate results are freed at once.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html
type Sequential []Module

// Forward returns the output of the last module, or x itself if there are no
// modules.
func (s Sequential) Forward(x *torch.Tensor) *torch.Tensor { return hooked(s, x, Sequential.forward) }

func (s Sequential) forward(x *torch.Tensor) *torch.Tensor {
	for i, m := range s {
		x = next(x, i, m)
	}
	return x
}

// next passes x through module i of a container, and frees it unless it is the caller's.
func next(x *torch.Tensor, i int, m Module) *torch.Tensor {
	if i == 0 {
		return Call(m, x)
	}
	return x.Then(func(x *torch.Tensor) *torch.Tensor { return Call(m, x) })
}

// ModuleList is a list of modules of several kinds, which are not called one after the other:
// torch.nn.ModuleList. Any other slice of modules is one too, so modules of one kind are
// kept as in []*Linear. Its keys are 0, 1, ….
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
type ModuleList []any

// ModuleDict has modules by name, in order, which are not called one after the other:
// torch.nn.ModuleDict. Its keys are the names. A Go map has no order, so it holds no
// modules.
//
//	nn.ModuleDict{{"conv", nn.NewConv2d(10, 10, 3)}, {"pool", nn.NewMaxPool2d(3)}}
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
type ModuleDict []Child

// Get returns the module of a name, or nil if there is none.
func (s ModuleDict) Get(name string) any { return SequentialDict(s).Get(name) }

// ParameterList is a list of parameters: torch.nn.ParameterList. Any other slice or array of
// tensors is one too. Its keys are 0, 1, …. Tensors become parameters by
// [torch.Tensor.RequireGrad].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
type ParameterList []*torch.Tensor

// ParameterDict has parameters by name, in order: torch.nn.ParameterDict of an OrderedDict.
// Its keys are the names. Embedded in a struct, it adds its parameters to those of the
// struct. Tensors become parameters by [torch.Tensor.RequireGrad].
//
//	nn.ParameterDict{{"scale", torch.Ones(3).RequireGrad(true)}}
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html
type ParameterDict []torch.Named

// Get returns the parameter of a name, or nil if there is none.
func (d ParameterDict) Get(name string) *torch.Tensor { return torch.StateDict(d).Get(name) }

// isContainer reports whether v is of a type of this file whatever it holds.
func isContainer(v reflect.Value) bool {
	switch v.Interface().(type) {
	case SequentialDict, ModuleList, ModuleDict, ParameterList, ParameterDict:
		return true
	}
	return false
}

// A Child is a module of a [SequentialDict] or [ModuleDict].
type Child struct {
	Name   string
	Module any
}

// SequentialDict calls modules one after the other, which have names: torch.nn.Sequential of
// an OrderedDict. Its keys are the names.
//
//	nn.SequentialDict{{"conv0", nn.NewConv2d(3, 64, 7)}, {"relu0", &nn.ReLU{}}}
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html
type SequentialDict []Child

// Get returns the module of a name, or nil if there is none.
func (s SequentialDict) Get(name string) any {
	for _, c := range s {
		if c.Name == name {
			return c.Module
		}
	}
	return nil
}

// Forward calls the modules one after the other, as [Sequential.Forward] does. It
// panics with a *torch.Error if one is not a [Module].
func (s SequentialDict) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(s, x, SequentialDict.forward)
}

func (s SequentialDict) forward(x *torch.Tensor) *torch.Tensor {
	for i, c := range s {
		m, ok := c.Module.(Module)
		if !ok {
			fail("SequentialDict: %q is a %T, which is no Module", c.Name, c.Module)
		}
		x = next(x, i, m)
	}
	return x
}
