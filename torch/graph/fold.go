package graph

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// maxFolded limits the size of constants that are computed beforehand, in elements.
const maxFolded = 1 << 24

// fold computes what depends on constants only.
func (e *editor) fold() {
	e.rewrite(func(n *Node) []*Node {
		size := 0
		for _, v := range tensors(n.Args) {
			if v.Tensor == nil {
				return []*Node{n}
			}
			size += product(v.Shape...)
		}
		made := 0
		for _, v := range n.Results {
			if v != nil {
				made += product(v.Shape...)
			}
		}
		if made > max(maxFolded, size) {
			return []*Node{n}
		}
		results := lasting(func() []any { return n.run(func(v *Value) any { return v.Tensor }) })
		for i, v := range n.Results {
			if v != nil {
				c := e.constant(results[i].(*torch.Tensor), v.Name)
				e.become[v] = c
			}
		}
		return nil
	})
}

// lasting returns what f returns, which stays when a scope around it ends.
func lasting[T any](f func() T) (out T) {
	engine.Unscoped(func() { torch.NoGrad(func() { out = f() }) })
	return out
}
