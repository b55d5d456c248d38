package nn

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
)

// RegisterFullBackwardHook has f called each time that the gradient of the input of a module
// is computed: m.register_full_backward_hook(f). The hooks of a module are called in the
// order in which they were registered. The function that RegisterFullBackwardHook returns
// removes the hook for later calls of the module.
//
// If the input requires no gradient, f is called once the gradient of the output is
// computed. As in PyTorch the input and the output of the module become views, which must
// not be modified in place.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_hook
func RegisterFullBackwardHook(m Module, f BackwardHook) (remove func()) {
	return register(m, &f, func(h *hooks) *[]*BackwardHook { return &h.backward })
}

// RegisterFullBackwardPreHook has f called each time that the gradient of the output of a
// module is computed: m.register_full_backward_pre_hook(f). See [RegisterFullBackwardHook].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_pre_hook
func RegisterFullBackwardPreHook(m Module, f BackwardPreHook) (remove func()) {
	return register(m, &f, func(h *hooks) *[]*BackwardPreHook { return &h.backwardBefore })
}

// A backwardCall calls the backward hooks of one call of a module: BackwardHook in
// torch.utils.hooks. It puts a function that changes nothing before and after the module.
type backwardCall struct {
	m          Module
	hooks      *hooks
	recorded   bool          // the input requires a gradient
	gradOutput *torch.Tensor // nil until it is computed
}

// input returns x as an output of a function whose derivative calls the hooks.
func (b *backwardCall) input(x *torch.Tensor) *torch.Tensor {
	b.recorded = x.RequiresGrad() && torch.IsGradEnabled()
	return passing(x, func(grad *torch.Tensor) *torch.Tensor {
		if b.gradOutput == nil { // the gradient has not come through the module's output
			return grad
		}
		for _, f := range b.hooks.backward {
			if other := (*f)(b.m, grad, b.gradOutput); other != nil {
				grad = other
			}
		}
		b.gradOutput = nil
		return grad
	})
}

// output returns y as an output of a function whose derivative notes the gradient.
func (b *backwardCall) output(y *torch.Tensor) *torch.Tensor {
	return passing(y, func(grad *torch.Tensor) *torch.Tensor {
		for _, f := range b.hooks.backwardBefore {
			if other := (*f)(b.m, grad); other != nil {
				grad = other
			}
		}
		b.gradOutput = grad
		if !b.recorded {
			for _, f := range b.hooks.backward {
				if (*f)(b.m, nil, grad) != nil {
					fail("a backward hook of a %T returned a gradient of its input, which requires none; it must return nil", b.m)
				}
			}
			b.gradOutput = nil
		}
		return grad
	})
}

// passing returns x as the output of a function whose derivative is f, unless x has none.
func passing(x *torch.Tensor, f func(grad *torch.Tensor) *torch.Tensor) *torch.Tensor {
	if !x.RequiresGrad() || !torch.IsGradEnabled() {
		return x
	}
	return autograd.Function{
		Name:    "BackwardHookFunction",
		Forward: func(_ *autograd.Context, in ...*torch.Tensor) []*torch.Tensor { return in },
		Backward: func(_ *autograd.Context, grads ...*torch.Tensor) []*torch.Tensor {
			return []*torch.Tensor{f(grads[0])}
		},
	}.Apply(x)[0]
}
