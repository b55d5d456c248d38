package autograd

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// A Function is a function of tensors whose derivative is written in Go:
// torch.autograd.Function. Other arguments are variables of its closures.
//
//	func scaledExp(x *torch.Tensor, a float64) *torch.Tensor {
//		return autograd.Function{
//			Name: "ScaledExp",
//			Forward: func(ctx *autograd.Context, in ...*torch.Tensor) []*torch.Tensor {
//				y := in[0].Exp()
//				ctx.SaveForBackward(y)
//				return []*torch.Tensor{y.MulScalar(a)}
//			},
//			Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) []*torch.Tensor {
//				y := ctx.SavedTensors()[0]
//				return []*torch.Tensor{grads[0].Mul(y).MulScalar(a)}
//			},
//		}.Apply(x)[0]
//	}
//
// https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.Function
type Function struct {
	Name string // the name of the node is Name + "Backward"; "" is "Function"

	// Forward computes the outputs. Nothing is recorded meanwhile.
	Forward func(ctx *Context, inputs ...*torch.Tensor) []*torch.Tensor

	// Backward returns the gradient of each input, given that of each output; nil is
	// none. It may be called more than once, and by several goroutines at once. What it
	// computes is recorded if the caller asks for a derivative of higher order.
	Backward func(ctx *Context, grads ...*torch.Tensor) []*torch.Tensor
}

// A Context connects the functions of one [Function.Apply]: the parameter ctx of
// torch.autograd.Function.
//
// https://docs.pytorch.org/docs/stable/autograd.html#context-method-mixins
type Context struct {
	saved, plain, dirty []*torch.Tensor
	noZeros             bool
	needs               []bool            // in Forward
	node                *libtorch.Running // while Backward runs
	over                bool              // the function that got the context has returned
}

// SaveForBackward keeps tensors for [Context.SavedTensors]: ctx.save_for_backward. Inputs,
// outputs and other tensors can be saved, and nil. Forward calls it once.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.function.FunctionCtx.save_for_backward.html
func (ctx *Context) SaveForBackward(tensors ...*torch.Tensor) {
	ctx.inForward("SaveForBackward")
	ctx.saved = tensors
}

// SavedTensors returns what [Context.SaveForBackward] kept: ctx.saved_tensors. It panics
// with an [*torch.Error] if the graph is freed, or if one of the tensors was modified in
// place. It belongs in Backward.
func (ctx *Context) SavedTensors() []*torch.Tensor {
	if ctx == nil || ctx.node == nil {
		fail("Context.SavedTensors", "saved tensors are available in Backward only, while it runs")
	}
	return tensors(engine.Read(ctx.node.Saved))
}

// MarkNonDifferentiable says that outputs have no derivative: ctx.mark_non_differentiable.
// Backward gets zeros as their gradients. Forward calls it once.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.function.FunctionCtx.mark_non_differentiable.html
func (ctx *Context) MarkNonDifferentiable(outputs ...*torch.Tensor) {
	ctx.inForward("MarkNonDifferentiable")
	notNil("Context.MarkNonDifferentiable", outputs)
	ctx.plain = outputs
}

// MarkDirty says that Forward modified inputs in place: ctx.mark_dirty. It must return
// them too. Forward calls it once.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.function.FunctionCtx.mark_dirty.html
func (ctx *Context) MarkDirty(inputs ...*torch.Tensor) {
	ctx.inForward("MarkDirty")
	notNil("Context.MarkDirty", inputs)
	ctx.dirty = inputs
}

// SetMaterializeGrads sets whether Backward gets zeros for gradients that do not exist,
// which is the default, or nil: ctx.set_materialize_grads.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.function.FunctionCtx.set_materialize_grads.html
func (ctx *Context) SetMaterializeGrads(on bool) {
	ctx.inForward("SetMaterializeGrads")
	ctx.noZeros = !on
}

// NeedsInputGrad reports whether the gradient of an input is needed:
// ctx.needs_input_grad[i].
func (ctx *Context) NeedsInputGrad(i int) bool {
	if ctx == nil {
		fail("Context.NeedsInputGrad", "the context is nil")
	}
	if ctx.node != nil {
		return i >= 0 && ctx.node.Needs(i)
	}
	return i >= 0 && i < len(ctx.needs) && ctx.needs[i]
}

func (ctx *Context) inForward(method string) {
	if ctx == nil || ctx.node != nil || ctx.over {
		fail("Context."+method, "it can be called in Forward only, while it runs")
	}
}

func notNil(op string, tensors []*torch.Tensor) {
	if i := slices.Index(tensors, nil); i >= 0 {
		fail(op, fmt.Sprintf("tensor %d is nil", i))
	}
}

// Apply calls Forward, and records Backward if an input requires a gradient:
// Function.apply. Inputs may be nil. An output that is an input becomes a view of it,
// unless it was marked as modified. Apply panics with an [*torch.Error] if an output does
// not fit what the context says.
func (f Function) Apply(inputs ...*torch.Tensor) []*torch.Tensor {
	name := f.Name
	if name == "" {
		name = "Function"
	}
	if f.Forward == nil || f.Backward == nil {
		fail(name, "a Function needs both Forward and Backward")
	}
	ctx := &Context{needs: make([]bool, len(inputs))}
	for i, x := range inputs {
		ctx.needs[i] = x != nil && x.RequiresGrad()
	}
	var outputs []*torch.Tensor
	torch.NoGrad(func() { outputs = f.Forward(ctx, inputs...) })
	ctx.over = true
	for i, y := range outputs {
		if y == nil {
			fail(name, fmt.Sprintf("Forward returned nil as output %d", i))
		}
	}
	backward := f.Backward
	id, err := engine.Callback(name+".Backward", func(grads []any, r *libtorch.Returning) []any {
		in := make([]*torch.Tensor, len(grads))
		for i, g := range grads {
			in[i] = g.(*torch.Tensor)
		}
		ctx := &Context{node: &r.Node}
		defer func() { ctx.node, ctx.over = nil, true }() // the node may be freed then
		out := backward(ctx, in...)
		grads = make([]any, len(out))
		for i, g := range out {
			grads[i] = g
		}
		return grads
	})
	if err != nil {
		fail(name, err.Error())
	}
	var c torch.Call
	for _, list := range [][]*torch.Tensor{inputs, outputs, ctx.saved, ctx.plain, ctx.dirty} {
		c.OptTensors(list)
	}
	c.Bool(!ctx.noZeros)
	called := false
	v, err := engine.Invoke(&c, name, func(words, rets []uint64) error {
		called = true
		return libtorch.ApplyFunction(id, name+"Backward", words, rets)
	})
	if !called {
		libtorch.DropCallback(id)
	}
	return tensors(v, err)
}
