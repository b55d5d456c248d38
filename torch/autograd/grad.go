package autograd

import (
	"fmt"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// BackwardOptions are the options of [Backward].
type BackwardOptions struct {
	GradTensors []*torch.Tensor // the gradient of each tensor; nil is 1, for a tensor of one element
	RetainGraph bool            // keeps the graph, so that it can be used again
	CreateGraph bool            // records the computation of the gradients, and keeps the graph
	Inputs      []*torch.Tensor // the only tensors to accumulate gradients into; nil is all leaves
}

// Backward adds the sum of the gradients of tensors with respect to each leaf of their
// graph to the leaf's [torch.Tensor.Grad]: torch.autograd.backward. It panics with an
// [*torch.Error] as [torch.Tensor.Backward] does.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.backward.html
func Backward(tensors []*torch.Tensor, options ...BackwardOptions) {
	o := torch.Only(options)
	if o.Inputs != nil && len(o.Inputs) == 0 {
		fail("autograd.Backward", "the list of inputs is empty; leave it nil to accumulate into all leaves")
	}
	run("autograd.Backward", tensors, roots("autograd.Backward", tensors, o.GradTensors), o.Inputs, o.RetainGraph || o.CreateGraph, o.CreateGraph, true, true)
}

// GradOptions are the options of [Grad].
type GradOptions struct {
	GradOutputs      []*torch.Tensor // the gradient of each output; nil is 1, for an output of one element
	RetainGraph      bool            // keeps the graph, so that it can be used again
	CreateGraph      bool            // records the computation of the gradients, for derivatives of higher order, and keeps the graph
	AllowUnused      bool            // gives nil for an input that the outputs do not depend on, which is a mistake otherwise
	IsGradsBatched   bool            // GradOutputs have one more dimension in front, and so have the results: each row is a call, and [Vmap] makes all at once
	MaterializeGrads bool            // gives zeros, instead of nil, for an input that the outputs do not depend on
}

// Grad returns the sum of the gradients of outputs with respect to each input:
// torch.autograd.grad. It panics with an [*torch.Error] as [torch.Tensor.Backward] does.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html
func Grad(outputs, inputs []*torch.Tensor, options ...GradOptions) []*torch.Tensor {
	o := torch.Only(options)
	if len(inputs) == 0 {
		fail("autograd.Grad", "there are no inputs")
	}
	keep := o.RetainGraph || o.CreateGraph
	var grads []*torch.Tensor
	if o.IsGradsBatched {
		grads = batched(outputs, inputs, o, keep)
	} else {
		grads = run("autograd.Grad", outputs, roots("autograd.Grad", outputs, o.GradOutputs), inputs, keep, o.CreateGraph, false, true)
	}
	for i, g := range grads {
		if g == nil && o.MaterializeGrads {
			grads[i] = torch.Options{RequiresGrad: o.CreateGraph}.ZerosLike(inputs[i])
		} else if g == nil && !o.AllowUnused {
			fail("autograd.Grad", fmt.Sprintf("input %d appears to not have been used in the graph of the outputs; set AllowUnused to get nil for such an input", i))
		}
	}
	return grads
}

// roots returns the gradients at the roots of a graph.
func roots(op string, tensors, grads []*torch.Tensor) []*torch.Tensor {
	if grads != nil && len(grads) != len(tensors) {
		fail(op, fmt.Sprintf("%d gradients are given for %d tensors", len(grads), len(tensors)))
	}
	out := make([]*torch.Tensor, len(tensors))
	for i, x := range tensors {
		var g *torch.Tensor
		if grads != nil {
			g = grads[i]
		}
		if x == nil {
			fail(op, fmt.Sprintf("tensor %d is nil", i))
		}
		out[i] = engine.RootGradient(op, x, g).(*torch.Tensor)
	}
	return out
}

// run runs the engine. It returns the gradients of the inputs unless they are accumulated.
func run(op string, roots, grads, inputs []*torch.Tensor, keep, create, accumulate, unused bool) []*torch.Tensor {
	var c torch.Call
	c.Tensors(roots)
	c.OptTensors(grads)
	c.Tensors(inputs)
	c.Bool(keep)
	c.Bool(create)
	c.Bool(accumulate)
	c.Bool(unused)
	return tensors(engine.Invoke(&c, op, libtorch.RunEngine))
}

// tensors returns the list of tensors of a call's result, and panics with its error.
func tensors(v any, err error) []*torch.Tensor {
	if err != nil {
		panic(err)
	}
	vs, _ := v.([]torch.Value)
	out := make([]*torch.Tensor, len(vs))
	for i, v := range vs {
		out[i], _ = v.(*torch.Tensor)
	}
	return out
}

// one returns the tensor of a call's result, and panics with its error.
func one(v any, err error) *torch.Tensor {
	if err != nil {
		panic(err)
	}
	return v.(*torch.Tensor)
}

func fail(op, msg string) { panic(&torch.Error{Op: op, Msg: msg}) }
