package nn

import "github.com/torchhub/torchhub/torch"

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

// A Child is a module of a [SequentialDict].
type Child struct {
	Name   string
	Module any
}

// SequentialDict has modules by name, in order: torch.nn.Sequential of an OrderedDict,
// or torch.nn.ModuleDict. Its keys are the names.
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
