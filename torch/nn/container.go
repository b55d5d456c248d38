package nn

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

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

func (s ParameterList) text() string {
	lines := make([]string, len(s))
	for i, p := range s {
		lines[i] = parameterText(strconv.Itoa(i), "torch."+p.DType().String(), p)
	}
	return strings.Join(lines, "\n")
}

func (d ParameterDict) text() string {
	lines := make([]string, len(d))
	for i, e := range d {
		lines[i] = parameterText(e.Name, typeText(e.Tensor), e.Tensor)
	}
	return strings.Join(lines, "\n")
}

// parameterText is the line of a parameter in a list.
func parameterText(name, kind string, p *torch.Tensor) string {
	sizes := make([]string, p.Dim())
	for i, n := range p.Shape() {
		sizes[i] = strconv.Itoa(n)
	}
	device := ""
	if p.Device().Type() == "cuda" {
		device = fmt.Sprintf(" (%v)", p.Device())
	}
	return fmt.Sprintf("  (%s): Parameter containing: [%s of size %s%s]", name, kind, strings.Join(sizes, "x"), device)
}

// typeText is the name that the old classes of tensors had: x.type().
func typeText(x *torch.Tensor) string {
	names := map[torch.DType]string{
		torch.Float32: "Float", torch.Float64: "Double", torch.Float16: "Half", torch.BFloat16: "BFloat16",
		torch.Int64: "Long", torch.Int32: "Int", torch.Int16: "Short", torch.Int8: "Char", torch.Uint8: "Byte", torch.Bool: "Bool",
		torch.Complex64: "ComplexFloat", torch.Complex128: "ComplexDouble",
	}
	prefix := "torch."
	if x.Device().Type() == "cuda" {
		prefix = "torch.cuda."
	}
	return prefix + names[x.DType()] + "Tensor"
}

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
