package graph

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
)

// higherOrder are the operators that run a part of a graph, with the arguments that they have in torch.export.
//
// https://docs.pytorch.org/docs/stable/higher_order_ops/index.html
var higherOrder map[string]func(n *Node, f func(*Value) any) []any

func init() {
	higherOrder = map[string]func(n *Node, f func(*Value) any) []any{ // not above, since they run nodes
		"higher_order::wrap_with_set_grad_enabled": withGrad,
		"higher_order::wrap_with_autocast":         withAutocast,
		"higher_order::cond":                       cond,
	}
}

// withGrad is with torch.set_grad_enabled(enabled): enabled, graph, inputs.
func withGrad(n *Node, f func(*Value) any) (out []any) {
	on := argumentAs[bool](n, 0, f)
	part, inputs := partOf(n, 1, f), inputsOf(n, 2, f)
	torch.SetGradEnabled(on, func() { out = part.within(n, inputs) })
	return out
}

// withAutocast is with torch.autocast(device, dtype, enabled, cache_enabled): these, graph, inputs.
func withAutocast(n *Node, f func(*Value) any) (out []any) {
	o := amp.AutocastOptions{Disabled: !argumentAs[bool](n, 2, f)}
	if dtype := argumentAt(n, 1, f); dtype != nil {
		o.DType = torch.FromScalarType(argumentAs[int](n, 1, f))
	}
	if cached := argumentAt(n, 3, f); cached != nil {
		on := argumentAs[bool](n, 3, f)
		o.CacheEnabled = &on
	}
	part, inputs := partOf(n, 4, f), inputsOf(n, 5, f)
	amp.Autocast(torch.Device(argumentAs[string](n, 0, f)), func() { out = part.within(n, inputs) }, o)
	return out
}

// cond is torch.cond(pred, true_fn, false_fn, operands).
func cond(n *Node, f func(*Value) any) []any {
	part := 2
	switch pred := argumentAt(n, 0, f).(type) {
	case bool:
		if pred {
			part = 1
		}
	case *torch.Tensor:
		if pred.DType() != torch.Bool || pred.Numel() != 1 {
			fail("the condition of %s is %v%v, and must be one bool", n.Op, pred.DType(), pred.Shape())
		}
		if pred.Item() != 0 {
			part = 1
		}
	default:
		fail("the condition of %s is a %T", n.Op, pred)
	}
	operands := argumentAs[[]any](n, 3, f)
	inputs := make([]any, len(operands))
	for i, a := range operands {
		inputs[i] = valueOf(a, f)
	}
	return partOf(n, part, f).within(n, inputs)
}

func argumentAt(n *Node, i int, f func(*Value) any) any {
	if i >= len(n.Args) {
		fail("%s has no argument %d", n.Op, i)
	}
	return valueOf(n.Args[i], f)
}

func argumentAs[T any](n *Node, i int, f func(*Value) any) T {
	v, ok := argumentAt(n, i, f).(T)
	if !ok {
		fail("argument %d of %s is a %T, and must be a %T", i, n.Op, argumentAt(n, i, f), v)
	}
	return v
}

func partOf(n *Node, i int, f func(*Value) any) *Graph { return argumentAs[*Graph](n, i, f) }

func inputsOf(n *Node, from int, f func(*Value) any) []any {
	var inputs []any
	for i := from; i < len(n.Args); i++ {
		inputs = append(inputs, argumentAt(n, i, f))
	}
	return inputs
}

// within runs a part of another graph. The results are tensors of their own, since those of the two graphs are freed on
// their own.
func (g *Graph) within(n *Node, inputs []any) []any {
	if len(inputs) != len(g.Inputs) {
		fail("%s has %d inputs for a graph of %d", n.Op, len(inputs), len(g.Inputs))
	}
	for i, v := range g.Inputs {
		v.take(inputs[i], n.Op)
	}
	seen := map[*torch.Tensor]bool{}
	for _, in := range inputs {
		if x, ok := in.(*torch.Tensor); ok {
			seen[x] = true
		}
	}
	for _, c := range g.Constants {
		seen[c.Tensor] = true
	}
	outputs := g.run(inputs)
	for i, y := range outputs {
		x, ok := y.(*torch.Tensor)
		if ok && x != nil && seen[x] {
			var c torch.Call
			c.Tensor(x)
			outputs[i] = c.One(opAlias)
		} else if ok {
			seen[x] = true
		}
	}
	return outputs
}

var opAlias = torch.NewOp("aten::alias", "")
