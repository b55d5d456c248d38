package autograd_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
	"github.com/torchhub/torchhub/torch/autograd"
)

// engines are the two ways in which a graph is run: by the shim, or by libtorch's engine, as
// it is with the inputs named.
var engines = map[string]func(leaves tensors) torch.BackwardOptions{
	"sweep":    func(tensors) torch.BackwardOptions { return torch.BackwardOptions{} },
	"libtorch": func(leaves tensors) torch.BackwardOptions { return torch.BackwardOptions{Inputs: leaves} },
}

// A randomGraph is a graph made from a seed: its leaves, its nodes whose gradients are
// watched, and its root. log gets the name of each hook and function when it runs.
func randomGraph(seed uint64, log func(string)) (leaves, watched tensors, root *torch.Tensor) {
	r := rand.New(rand.NewPCG(seed, 0))
	torch.ManualSeed(int64(seed))
	for range 1 + r.IntN(4) {
		leaves = append(leaves, torch.Randn(3, 3).RequireGrad(true))
	}
	all := append(tensors{}, leaves...)
	pick := func() *torch.Tensor { return all[r.IntN(len(all))] }
	for i := range 4 + r.IntN(20) {
		var y *torch.Tensor
		switch x := pick(); r.IntN(9) {
		case 0:
			y = x.Mul(pick())
		case 1:
			y = x.Add(pick(), torch.AddOptions{Alpha: 0.5})
		case 2:
			y = x.MatMul(pick()).Tanh()
		case 3:
			y = x.T()
		case 4:
			y = torch.Stack(x.Unbind(1), 0) // a node with three outputs
		case 5:
			y = x.Sum(0).Add(pick().Select(0, 1)) // gradients that are expanded
		case 6:
			y = x.Clone()
			y.Select(0, r.IntN(3)).MulInPlace(pick().Select(1, 0)) // a copy of slices
		case 7:
			y = exp(func() { log(fmt.Sprint("function ", i)) }).Apply(x.Sin())[0]
		case 8: // a function without one of its gradients
			y = autograd.Function{
				Forward:  func(_ *autograd.Context, in ...*torch.Tensor) tensors { return tensors{in[0].Sub(in[1])} },
				Backward: func(_ *autograd.Context, grads ...*torch.Tensor) tensors { return tensors{grads[0], nil} },
			}.Apply(x, pick())[0]
		}
		if y.Dim() < 2 {
			y = y.Expand(3, 3)
		}
		switch r.IntN(6) {
		case 0:
			y.RegisterHook(func(g *torch.Tensor) *torch.Tensor { log(fmt.Sprint("hook ", i)); return nil })
		case 1:
			y.RegisterHook(func(g *torch.Tensor) *torch.Tensor {
				if g == nil { // of a function without a gradient
					return nil
				}
				return g.MulScalar(0.7)
			})
		case 2:
			watched = append(watched, y.RetainGrad())
		}
		all = append(all, y)
	}
	for i, x := range leaves {
		if i%2 == 0 { // others may be given a gradient without a copy
			x.RegisterPostAccumulateGradHook(func(*torch.Tensor) { log(fmt.Sprint("leaf ", i)) })
		}
		all[len(all)-1] = all[len(all)-1].Add(x) // each leaf is part of the graph
	}
	return leaves, watched, all[len(all)-1].Sum()
}

// TestEnginesAgree runs random graphs, twice each and then for a second derivative. Hooks
// and functions must run in the same order, and gradients have the same bits, whichever
// engine runs the graph.
func TestEnginesAgree(t *testing.T) {
	for seed := range uint64(30) {
		var want []string
		for _, name := range []string{"libtorch", "sweep"} {
			var got []string
			leaves, watched, root := randomGraph(seed, func(s string) { got = append(got, s) })
			gradients := func() {
				for _, x := range append(append(tensors{}, leaves...), watched...) {
					if g := x.Grad(); g != nil {
						got = append(got, fmt.Sprint(torch.Data[float32](g.Contiguous()), g.Strides(), g.RequiresGrad(), g.IsLeaf()))
					}
				}
			}
			o := engines[name](leaves)
			o.RetainGraph = true
			root.Backward(o)
			gradients()
			o.RetainGraph, o.CreateGraph = false, seed%3 == 0
			root.Backward(o)
			gradients()
			if !o.CreateGraph {
				var e *torch.Error // the graph is freed, unless it saved nothing
				if err := torch.Try(func() { root.Backward(engines[name](leaves)) }); errors.As(err, &e) {
					got = append(got, e.Msg)
				}
			} else if g := leaves[0].Grad(); g.RequiresGrad() {
				for _, x := range leaves {
					x.SetGrad(x.Grad().Detach())
				}
				g.Mul(g).Sum().Backward(engines[name](leaves))
				gradients()
			}
			for _, x := range append(leaves, watched...) {
				x.ZeroGrad() // a gradient with a graph refers to its leaf
			}
			if name == "libtorch" {
				want = got
			} else {
				require.Equal(t, want, got, "seed %d", seed)
			}
		}
	}
	callbacksEnd(t)
}

// TestEngineState checks the modes of the thread that the functions and hooks of a graph
// see: those of the call that runs it, except that it records only for derivatives of
// higher order, also after a hook that changed them. Afterwards they are as before.
func TestEngineState(t *testing.T) {
	boom := errors.New("boom")
	around := map[string]func(f func()){
		"plain":     func(f func()) { f() },
		"no grad":   torch.NoGrad,
		"autocast":  func(f func()) { amp.Autocast(torch.CPU, f) },
		"inference": torch.InferenceMode,
	}
	for name, backward := range engines {
		for within, enter := range around {
			for _, create := range []bool{false, true} {
				for _, fails := range []bool{false, true} {
					var seen []libtorch.State
					see := func() { seen = append(seen, libtorch.ThreadState()) }
					x := torch.Options{RequiresGrad: true}.Full(0.5, 2)
					y := exp(see).Apply(x)[0]
					y = exp(func() {
						for _, enter := range around {
							enter(func() { _ = torch.Try(func() { torch.Ones(2).Add(torch.Ones(3)) }) })
						}
						if within != "inference" { // where nothing can be recorded
							torch.EnableGrad(func() { x.Mul(x).Sum().Backward(backward(tensors{x})) })
						}
					}).Apply(y)[0]
					y.RegisterHook(func(g *torch.Tensor) *torch.Tensor { see(); return nil })
					x.RegisterPostAccumulateGradHook(func(*torch.Tensor) {
						see()
						if fails && len(seen) > 2 {
							panic(boom)
						}
					})
					root := y.Sum()
					enter(func() {
						before := libtorch.ThreadState()
						o := backward(tensors{x})
						o.CreateGraph = create
						err := torch.Try(func() { root.Backward(o) })
						require.Equal(t, before, libtorch.ThreadState())
						if fails {
							require.ErrorIs(t, err, boom)
						} else {
							require.NoError(t, err)
						}
						require.Len(t, seen, map[bool]int{false: 4, true: 3}[within == "inference"]) // the hook of y, the leaf of the nested graph, the first function, the leaf
						for i, s := range seen {
							want := before
							want.Grad = create && (i != 1 || within == "inference")
							want.Locks, s.Locks = 0, 0
							require.Equal(t, want, s, "%s, %s, create graph: %v, call %d", name, within, create, i)
						}
					})
					x.ZeroGrad()
				}
			}
		}
	}
	callbacksEnd(t)
}
