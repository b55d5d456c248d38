package optim

import (
	"fmt"
	"testing"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

const benchScript = `
import time, torch
torch.set_num_threads(1)
O = torch.optim
made = {}

def timed(name, options, sizes, n):
    key = f"{name} {options} {sizes}"
    if key not in made:
        p = [torch.nn.Parameter(torch.randn(s)) for s in sizes]
        for q in p: q.grad = torch.randn_like(q)
        made[key] = getattr(O, name)(p, lr=1e-6, **options)
    opt = made[key]
    start = time.perf_counter()
    for _ in range(n): opt.step()
    return (time.perf_counter() - start) / n
`

// BenchmarkStep takes turns with Python in steps of an optimizer, of the parameters of a
// small MLP and of large matrices, and prints the ratio of the medians.
//
//	TORCHHUB_REFERENCE=path/to/python go test -run - -bench Step ./torch/optim
func BenchmarkStep(b *testing.B) {
	python := reference.Start(b, benchScript)
	small := [][]int{{16, 8}, {16}, {16, 16}, {16}, {1, 16}, {1}}
	large := [][]int{{1024, 1024}, {1024}, {1024, 1024}, {1024}}
	lr := Number(1e-6)
	for _, c := range []struct {
		name    string
		make    func(p Params) *Optimizer
		options map[string]any
	}{
		{"SGD", func(p Params) *Optimizer { return NewSGD(p, SGDOptions{LR: lr}) }, map[string]any{}},
		{"SGD", func(p Params) *Optimizer { return NewSGD(p, SGDOptions{LR: lr, Momentum: 0.9}) }, map[string]any{"momentum": 0.9}},
		{"Adam", func(p Params) *Optimizer { return NewAdam(p, AdamOptions{LR: lr}) }, map[string]any{}},
		{"AdamW", func(p Params) *Optimizer { return NewAdamW(p, AdamWOptions{LR: lr}) }, map[string]any{}},
		{"AdamW", func(p Params) *Optimizer { return NewAdamW(p, AdamWOptions{LR: lr, Foreach: new(true)}) }, map[string]any{"foreach": true}},
		{"AdamW", func(p Params) *Optimizer { return NewAdamW(p, AdamWOptions{LR: lr, Fused: new(true)}) }, map[string]any{"fused": true}},
		{"RMSprop", func(p Params) *Optimizer { return NewRMSprop(p, RMSpropOptions{LR: lr}) }, map[string]any{}},
		{"NAdam", func(p Params) *Optimizer { return NewNAdam(p, NAdamOptions{LR: lr}) }, map[string]any{}},
	} {
		for _, sizes := range [][][]int{small, large} {
			what, n := "small", 400
			if len(sizes) == len(large) {
				what, n = "large", 4
			}
			b.Run(fmt.Sprint(c.name, c.options, "/", what), func(b *testing.B) {
				var p []*torch.Tensor
				for _, s := range sizes {
					q := torch.Randn(s...).RequireGrad(true)
					q.SetGrad(torch.Randn(s...))
					p = append(p, q)
				}
				opt := c.make(p)
				torch.Run(func() {
					libtorch.SetThreadWidth(1)
					python.CompareSteps(b, n, func() { opt.Step() }, "timed", c.name, c.options, sizes)
				})
			})
		}
	}
}
