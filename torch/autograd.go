package torch

import (
	"fmt"
	"runtime"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// BackwardOptions are the options of [Tensor.Backward].
type BackwardOptions struct {
	Gradient    *Tensor   // the gradient of x; nil is 1, for an x of one element
	RetainGraph bool      // keeps the graph, so that it can be used again
	CreateGraph bool      // records the computation of the gradients, for derivatives of higher order, and keeps the graph
	Inputs      []*Tensor // the only tensors to accumulate gradients into; nil is all leaves
}

// Backward adds the gradient of x with respect to each leaf of its graph to the leaf's
// [Tensor.Grad], and frees the graph: x.backward(). It panics with an [*Error] if x does
// not require a gradient, and if a hook or another function that it calls panics; that
// panic's value is in the error's chain if it is an error.
//
// The graph is run on the calling thread. Gradients are summed in an order that depends
// only on the order in which the operations were recorded, so they have the same bits in
// each run. To compute on all cores within [Run], call Backward there.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html
func (x *Tensor) Backward(options ...BackwardOptions) {
	o := Only(options)
	if o.Inputs != nil && len(o.Inputs) == 0 {
		fail("Backward", "the list of inputs is empty; leave it nil to accumulate into all leaves")
	}
	x.use("Backward", func(uint64) {})
	var c Call
	c.Tensors([]*Tensor{x})
	c.OptTensors([]*Tensor{rootGradient("Backward", x, o.Gradient)})
	c.Tensors(o.Inputs)
	c.Bool(o.RetainGraph || o.CreateGraph)
	c.Bool(o.CreateGraph)
	c.Bool(true)
	c.Bool(true)
	if _, err := c.invoke("Backward", libtorch.RunEngine); err != nil {
		panic(err)
	}
}

// rootGradient returns the gradient of x at the root of a graph: grad, or 1 if it is nil
// and x has one element. It panics with an [*Error] in the name of op if grad does not
// fit x.
func rootGradient(op string, x, grad *Tensor) *Tensor {
	if grad == nil {
		info := x.info(op)
		if info[libtorch.InfoFlags]&libtorch.FlagRequiresGrad == 0 {
			return nil // which is an error of the engine
		}
		if n := info[libtorch.InfoNumel]; n != 1 {
			fail(op, fmt.Sprintf("grad can be implicitly created only for scalar outputs; the tensor %s has %d elements, so give its gradient", x.describe(), n))
		}
		if d := FromScalarType(int(info[libtorch.InfoDType])); !d.IsFloatingPoint() {
			fail(op, fmt.Sprintf("grad can be implicitly created only for real scalar outputs but got %v", d))
		}
		return OnesLike(x)
	}
	if x.Layout() != Jagged && !x.IsNested() && !grad.IsNested() && !x.SameShape(grad) {
		fail(op, fmt.Sprintf("Mismatch in shape: the gradient has the shape %v and the tensor %v", grad.Shape(), x.Shape()))
	}
	if x.DType().IsComplex() != grad.DType().IsComplex() {
		fail(op, fmt.Sprintf("the gradient has the dtype %v and the tensor %v; both must be complex, or neither", grad.DType(), x.DType()))
	}
	return grad
}

// Grad returns the gradient that [Tensor.Backward] has accumulated in x, or nil if there
// is none: x.grad. Of a tensor that is not a leaf, it is kept only after
// [Tensor.RetainGrad]. Later calls of Backward add to the same tensor.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.grad.html
func (x *Tensor) Grad() (grad *Tensor) {
	x.use("Grad", func(h uint64) {
		var rets [libtorch.RetsHead + 8]uint64 // not on the heap, as those of read: each step of an optimizer gets all gradients
		if err := libtorch.Grad(h, rets[:]); err != nil {
			panic(&Error{Op: "Grad", Args: x.describe(), Msg: err.Error(), kind: kindOf(err)})
		}
		var m maker
		r := returned(rets[:], &m)
		grad = r.tensor()
		r.done()
	})
	return grad
}

// SetGrad sets the gradient of x, which must have the shape, dtype and device of x; nil
// removes it: x.grad = grad. It panics with an [*Error] otherwise.
func (x *Tensor) SetGrad(grad *Tensor) {
	x.use("SetGrad", func(h uint64) {
		set := func(g uint64) {
			if err := libtorch.SetGrad(h, g); err != nil {
				panic(&Error{Op: "SetGrad", Args: x.describe(), Msg: err.Error(), kind: kindOf(err)})
			}
		}
		if grad == nil {
			set(0)
		} else {
			grad.use("SetGrad", set)
		}
	})
}

// ZeroGrad removes the gradient of x, as optimizers do before a step:
// optimizer.zero_grad(), of one tensor. To keep the memory, call x.Grad().ZeroInPlace().
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html
func (x *Tensor) ZeroGrad() { x.SetGrad(nil) }

var opData = NewOp("aten::data", "")

// Data returns a tensor on the memory of x that has no history, and whose changes autograd does
// not notice: x.data. In place of changing it, change x inside of [NoGrad], or a
// [Tensor.Detach] of it, so that Backward can tell that a value which it needs is gone.
// The function [Data] returns the elements.
//
// https://docs.pytorch.org/docs/stable/notes/autograd.html
func (x *Tensor) Data() *Tensor {
	var c Call
	c.Tensor(x)
	return c.One(opData)
}

var (
	opRetainGrad  = NewOp("aten::retain_grad", "")
	opRetainsGrad = NewOp("aten::retains_grad", "")
)

// RetainGrad makes [Tensor.Backward] keep the gradient of x although x is not a leaf, and
// returns x: x.retain_grad().
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.retain_grad.html
func (x *Tensor) RetainGrad() *Tensor {
	var c Call
	c.Tensor(x)
	c.Do(opRetainGrad)
	return x
}

// RetainsGrad reports whether x is no leaf and keeps its gradient: x.retains_grad.
func (x *Tensor) RetainsGrad() bool {
	var c Call
	c.Tensor(x)
	return Result[bool](&c, opRetainsGrad)
}

// A Hook is a function that autograd calls, registered with
// [Tensor.RegisterHook] or a similar function: torch.utils.hooks.RemovableHandle.
type Hook struct{ id uint64 }

// Remove removes the hook: handle.remove(). It does nothing the second time.
func (h *Hook) Remove() {
	if h != nil && h.id != 0 {
		libtorch.RemoveHook(h.id)
	}
}

// RegisterHook has hook called with each gradient that is computed for x, before it is
// accumulated: x.register_hook(hook). If the hook returns a tensor, that replaces the
// gradient; nil keeps it. Hooks run in the order of their registration.
//
// The hook runs on a thread of the engine, and must not modify the gradient. It may panic;
// the call that runs the graph then panics with an [*Error]. A hook that refers to x,
// whose graph refers to the hook, keeps both alive until it is removed: the collector
// sees no such cycle, since a part of it is in libtorch. RegisterHook panics with an
// [*Error] if x does not require a gradient.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.register_hook.html
func (x *Tensor) RegisterHook(hook func(grad *Tensor) *Tensor) *Hook {
	if hook == nil {
		fail("RegisterHook", "the hook is nil")
	}
	return x.addHook("RegisterHook", false, func(in []*Tensor, _ *libtorch.Returning) []*Tensor {
		return []*Tensor{hook(in[0])}
	})
}

// RegisterPostAccumulateGradHook has hook called with the leaf x once a gradient is
// accumulated in it: x.register_post_accumulate_grad_hook(hook). Otherwise it is as
// [Tensor.RegisterHook].
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.register_post_accumulate_grad_hook.html
func (x *Tensor) RegisterPostAccumulateGradHook(hook func(x *Tensor)) *Hook {
	if hook == nil {
		fail("RegisterPostAccumulateGradHook", "the hook is nil")
	}
	return x.addHook("RegisterPostAccumulateGradHook", true, func(in []*Tensor, _ *libtorch.Returning) []*Tensor {
		hook(in[0])
		return nil
	})
}

func (x *Tensor) addHook(op string, post bool, f func([]*Tensor, *libtorch.Returning) []*Tensor) *Hook {
	h := new(Hook)
	x.use(op, func(t uint64) {
		id, err := newCallback("a hook", f)
		if err != nil {
			fail(op, err.Error())
		}
		if err := libtorch.AddHook(t, id, post); err != nil {
			libtorch.DropCallback(id)
			panic(&Error{Op: op, Args: x.describe(), Msg: err.Error(), kind: kindOf(err)})
		}
		h.id = id
	})
	return h
}

// newCallback returns a number for f, which libtorch calls.
func newCallback(name string, f func(in []*Tensor, r *libtorch.Returning) []*Tensor) (uint64, error) {
	mustInit()
	return libtorch.NewCallback(name, func(r *libtorch.Returning) {
		m := new(maker)
		vs := returned(r.Buf, m)
		var in []*Tensor
		for vs.more() {
			in = append(in, vs.tensor())
		}
		vs.done()
		var c Call // holds what is returned
		defer c.release()
		hs := []uint64{}
		for _, x := range f(in, r) {
			hs = append(hs, c.hold(x))
		}
		if c.err != nil {
			c.err.Op = "the tensor that it returned"
			panic(c.err)
		}
		r.Tensors(hs)
	})
}

// A Node is a function that autograd recorded: torch.autograd.graph.Node.
//
// https://docs.pytorch.org/docs/stable/autograd.html#autograd-graph
type Node struct{ n libtorch.Node }

// GradFn returns the function that autograd recorded for x, or nil if x is a leaf:
// x.grad_fn.
func (x *Tensor) GradFn() (fn *Node) {
	x.use("GradFn", func(h uint64) {
		n, ok, err := libtorch.NodeOf(h)
		if err != nil {
			panic(&Error{Op: "GradFn", Args: x.describe(), Msg: err.Error(), kind: kindOf(err)})
		}
		if ok {
			fn = newNode(n)
		}
	})
	return fn
}

func newNode(n libtorch.Node) *Node {
	out := &Node{n}
	runtime.AddCleanup(out, libtorch.Node.Free, n)
	return out
}

// Name returns the name of the function, such as "AddBackward0": grad_fn.name().
func (n *Node) Name() string {
	n.check("Node.Name")
	defer runtime.KeepAlive(n)
	return n.n.Name()
}

func (n *Node) check(op string) {
	if n == nil || !n.n.Valid() {
		fail(op, "the node is not one of a graph; Tensor.GradFn returns nil for a leaf")
	}
}

// An Edge leads from an input of a function to the node that gets its gradient.
type Edge struct {
	Node  *Node // nil if the input needs no gradient
	Input int   // the number of the gradient among those that the node gets
}

// Next returns an edge for each input of the function: grad_fn.next_functions. The node of
// a leaf is "torch::autograd::AccumulateGrad".
func (n *Node) Next() (edges []Edge) {
	n.check("Node.Next")
	defer runtime.KeepAlive(n)
	for i := 0; ; i++ {
		next, ok, input, more, err := n.n.Next(i)
		if err != nil {
			panic(&Error{Op: "Node.Next", Msg: err.Error(), kind: kindOf(err)})
		}
		if !more {
			return edges
		}
		e := Edge{Input: input}
		if ok {
			e.Node = newNode(next)
		}
		edges = append(edges, e)
	}
}
