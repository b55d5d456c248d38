package autograd_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// exp is Exp with a derivative in Go, which calls also first.
func exp(also func()) autograd.Function {
	return autograd.Function{
		Name: "Exp",
		Forward: func(ctx *autograd.Context, in ...*torch.Tensor) tensors {
			y := in[0].Exp()
			ctx.SaveForBackward(y)
			return tensors{y}
		},
		Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) tensors {
			if also != nil {
				also()
			}
			return tensors{grads[0].Mul(ctx.SavedTensors()[0])}
		},
	}
}

// callbacksEnd waits until libtorch owns no function of Go.
func callbacksEnd(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		runtime.GC()
		return libtorch.Callbacks() == 0
	}, 30*time.Second, 10*time.Millisecond, "functions are kept alive")
}

// TestFailureKeepsNoGraph fails in a graph of which other nodes are ready to run then. They
// must not stay in a queue of the thread, which keeps the graph alive.
func TestFailureKeepsNoGraph(t *testing.T) {
	boom := errors.New("boom")
	for name, backward := range engines {
		func() {
			x := torch.Options{RequiresGrad: true}.Full(0.5, 2)
			y := exp(nil).Apply(x)[0]
			z := exp(func() { panic(boom) }).Apply(x)[0]
			err := torch.Try(func() { y.Add(z).Sum().Backward(backward(tensors{x})) })
			require.ErrorIs(t, err, boom, name)
		}()
		callbacksEnd(t)
	}
}

// TestFunctionsFromGoroutines runs functions with a derivative in Go from 64 goroutines,
// of which some return, some fail, some panic with values that are no errors, and some end
// their goroutine. Nothing may be left of them.
func TestFunctionsFromGoroutines(t *testing.T) {
	callbacksEnd(t)
	boom := errors.New("boom")
	var ok, failed, panicked, exited atomic.Int64
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for k := range 20 {
				done := make(chan bool)
				go func() {
					ended := false
					defer func() {
						if !ended {
							exited.Add(1)
						}
						close(done)
					}()
					var also func()
					switch (i + k) % 4 {
					case 1:
						also = func() { panic(boom) }
					case 2:
						also = func() { panic("no error") }
					case 3:
						also = runtime.Goexit
					}
					x := torch.Options{RequiresGrad: true}.Full(1.0, 3)
					err := torch.Try(func() { exp(also).Apply(x.MulScalar(2))[0].Sum().Backward() })
					ended = true
					switch {
					case err == nil && x.Grad() != nil && math.Abs(torch.Item[float64](x.Grad().Select(0, 0).ToDType(torch.Float64))-2*math.Exp(2)) < 1e-4:
						ok.Add(1)
					case errors.Is(err, boom):
						failed.Add(1)
					case err != nil:
						panicked.Add(1)
					}
				}()
				<-done
			}
		})
	}
	wg.Wait()
	for _, n := range []*atomic.Int64{&ok, &failed, &panicked, &exited} {
		require.EqualValues(t, 64*20/4, n.Load())
	}
	callbacksEnd(t)
}

// TestNestedCalls runs graphs within derivatives, 100 deep, the innermost of which returns,
// panics, or ends its goroutine.
func TestNestedCalls(t *testing.T) {
	callbacksEnd(t)
	boom := errors.New("boom")
	var run func(depth int, last func()) *torch.Tensor
	run = func(depth int, last func()) *torch.Tensor {
		x := torch.Options{RequiresGrad: true}.Ones(1)
		f := last
		if depth > 0 {
			f = func() { torch.EnableGrad(func() { run(depth-1, last) }) }
		}
		exp(f).Apply(x)[0].Backward()
		return x.Grad()
	}
	require.InDelta(t, math.E, run(100, nil).Item(), 1e-6)
	err := torch.Try(func() { run(100, func() { panic(boom) }) })
	require.ErrorIs(t, err, boom)
	for _, depth := range []int{20, 100} { // the engine has threads of its own beyond 60
		order := []int{}
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() { order = append(order, 1) }()
			run(depth, func() {
				defer func() { order = append(order, 0) }()
				runtime.Goexit()
			})
			order = append(order, 2)
		}()
		<-done
		require.Equal(t, []int{0, 1}, order)
	}
	callbacksEnd(t)
}

// TestHooks compares the order and the effect of hooks with Python's.
func TestHooks(t *testing.T) {
	python := reference.Start(t, `
import torch
def run():
    log = []
    x = torch.ones(2, requires_grad=True)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: log.append(["y1"] + g.tolist()) or g * 2)
    y.register_hook(lambda g: log.append(["y2"] + g.tolist()) or g * 5)
    removed = y.register_hook(lambda g: g * 100)
    x.register_hook(lambda g: log.append(["x1"] + g.tolist()))
    x.register_hook(lambda g: log.append(["x2"] + g.tolist()) or g + 1)
    x.register_post_accumulate_grad_hook(lambda p: log.append(["post"] + p.grad.tolist()))
    removed.remove()
    z = (y * y).sum() + x.sum()
    z.backward()
    return [log, y.grad.tolist(), x.grad.tolist(), y.retains_grad, x.retains_grad, y.grad_fn.name(), [n.name() if n else "" for n, _ in z.grad_fn.next_functions]]
`)
	var want []any
	python.Call(&want, "run")
	log := []any{}
	note := func(name string, g *torch.Tensor) {
		line := []any{name}
		for _, v := range torch.Data[float32](g) {
			line = append(line, float64(v))
		}
		log = append(log, line)
	}
	numbers := func(x *torch.Tensor) (out []any) {
		for _, v := range torch.Data[float32](x) {
			out = append(out, float64(v))
		}
		return out
	}
	x := torch.Options{RequiresGrad: true}.Ones(2)
	y := x.MulScalar(3)
	y.RetainGrad()
	y.RegisterHook(func(g *torch.Tensor) *torch.Tensor { note("y1", g); return g.MulScalar(2) })
	y.RegisterHook(func(g *torch.Tensor) *torch.Tensor { note("y2", g); return g.MulScalar(5) })
	removed := y.RegisterHook(func(g *torch.Tensor) *torch.Tensor { return g.MulScalar(100) })
	x.RegisterHook(func(g *torch.Tensor) *torch.Tensor { note("x1", g); return nil })
	x.RegisterHook(func(g *torch.Tensor) *torch.Tensor { note("x2", g); return g.AddScalar(1) })
	x.RegisterPostAccumulateGradHook(func(p *torch.Tensor) { note("post", p.Grad()) })
	removed.Remove()
	removed.Remove()
	z := y.Mul(y).Sum().Add(x.Sum())
	z.Backward()
	next := []any{}
	for _, e := range z.GradFn().Next() {
		next = append(next, e.Node.Name())
	}
	require.Equal(t, want, []any{log, numbers(y.Grad()), numbers(x.Grad()), y.RetainsGrad(), x.RetainsGrad(), y.GradFn().Name(), next})
	require.Nil(t, x.GradFn())
	require.Equal(t, "torch::autograd::AccumulateGrad", y.GradFn().Next()[0].Node.Name())

	for text, call := range map[string]func(){
		"doesn't require gradient": func() { torch.Ones(1).RegisterHook(func(g *torch.Tensor) *torch.Tensor { return g }) },
		"non-leaf":                 func() { y.RegisterPostAccumulateGradHook(func(*torch.Tensor) {}) },
		"changed the size":         func() { hooked(func(g *torch.Tensor) *torch.Tensor { return g.View(1, 2) }).Sum().Backward() },
		"changed the type": func() {
			hooked(func(g *torch.Tensor) *torch.Tensor { return g.ToDType(torch.Float64) }).Sum().Backward()
		},
		"used after Free": func() { hooked(func(g *torch.Tensor) *torch.Tensor { g.Free(); return g }).Sum().Backward() },
	} {
		require.ErrorContains(t, torch.Try(call), text)
	}
}

func hooked(hook func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
	x := torch.Options{RequiresGrad: true}.Ones(2)
	x.RegisterHook(hook)
	return x.MulScalar(1)
}

// TestHooksEnd registers and removes hooks of one tensor again and again, and drops tensors
// with hooks.
func TestHooksEnd(t *testing.T) {
	callbacksEnd(t)
	x := torch.Options{RequiresGrad: true}.Ones(2)
	for range 100 {
		h := x.RegisterHook(func(g *torch.Tensor) *torch.Tensor { return nil })
		x.Sum().Backward()
		h.Remove()
		hooked(func(g *torch.Tensor) *torch.Tensor { return nil }).Sum().Backward()
	}
	callbacksEnd(t)
}

// TestCycle shows what doc.go says of cycles: a hook that uses its tensor keeps it alive
// until it is removed.
func TestCycle(t *testing.T) {
	callbacksEnd(t)
	h := func() *torch.Hook {
		y := torch.Options{RequiresGrad: true}.Ones(2).MulScalar(2)
		return y.RegisterHook(func(g *torch.Tensor) *torch.Tensor { return g.Mul(y) })
	}()
	for range 5 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	require.Equal(t, 1, libtorch.Callbacks())
	h.Remove()
	callbacksEnd(t)
}

// TestOrder records three branches of one leaf on three OS threads, as a goroutine does
// that changes its thread. The sum of their gradients must be that of one thread: of
// 1e8, 1 and -1e8 it depends on the order.
func TestOrder(t *testing.T) {
	gradient := func(on func(f func())) float64 {
		x := torch.Options{RequiresGrad: true}.Ones(1)
		var parts tensors
		for _, k := range []float64{1e8, 1, -1e8} {
			on(func() {
				for range 50 { // numbers that only this thread counts
					x.MulScalar(1)
				}
				parts = append(parts, x.MulScalar(k))
			})
		}
		parts[0].Add(parts[1]).Add(parts[2]).Sum().Backward()
		return x.Grad().Item()
	}
	elsewhere := func(f func()) {
		done := make(chan bool)
		go func() {
			runtime.LockOSThread() // never unlocked: each call has a thread of its own
			f()
			close(done)
		}()
		<-done
	}
	want := gradient(func(f func()) { f() })
	for range 20 {
		require.Equal(t, want, gradient(elsewhere))
	}
}

// TestDeepGraph runs and frees graphs of 100,000 nodes, of libtorch's and of functions in
// Go, also without running them.
func TestDeepGraph(t *testing.T) {
	callbacksEnd(t)
	n := 100_000
	if raceEnabled {
		n /= 10
	}
	x := torch.Options{RequiresGrad: true}.Ones(1)
	y := x
	for range n {
		y = y.AddScalar(0)
	}
	y.Backward()
	require.EqualValues(t, 1, x.Grad().Item())
	same := autograd.Function{
		Forward:  func(ctx *autograd.Context, in ...*torch.Tensor) tensors { return tensors{in[0].Clone()} },
		Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) tensors { return grads },
	}
	for _, run := range []bool{true, false} {
		y = x
		for range n / 5 {
			y = same.Apply(y)[0]
		}
		if run {
			y.Backward()
			require.EqualValues(t, 2, x.Grad().Item())
		}
	}
	y = nil
	callbacksEnd(t)
}

// TestGraphsFreedWhileRun frees tensors of graphs that other goroutines run.
func TestGraphsFreedWhileRun(t *testing.T) {
	x := torch.Options{RequiresGrad: true}.Ones(10)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				h := exp(nil).Apply(x.MulScalar(0.5))[0]
				y := h.Mul(h).Sum()
				var inner sync.WaitGroup
				inner.Go(h.Free)
				inner.Go(func() { _ = torch.Try(func() { y.Backward() }) })
				inner.Go(y.Free)
				inner.Wait()
			}
		})
	}
	wg.Wait()
}

// TestFunction checks what a Context can say, beside Python.
func TestFunction(t *testing.T) {
	x := torch.Options{RequiresGrad: true}.Ones(2)
	w := torch.Ones(2)
	var needs [2]bool
	var given tensors
	two := autograd.Function{
		Name: "Two",
		Forward: func(ctx *autograd.Context, in ...*torch.Tensor) tensors {
			require.Equal(t, []bool{true, false}, []bool{ctx.NeedsInputGrad(0), ctx.NeedsInputGrad(1)})
			require.False(t, torch.IsGradEnabled())
			a, b := in[0].MulScalar(2), in[0].MulScalar(3)
			ctx.MarkNonDifferentiable(b)
			ctx.SaveForBackward(in[0], nil, a)
			return tensors{a, b, in[0].MulScalar(5)}
		},
		Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) tensors {
			needs = [2]bool{ctx.NeedsInputGrad(0), ctx.NeedsInputGrad(1)}
			given = grads
			saved := ctx.SavedTensors()
			require.Len(t, saved, 3)
			require.Nil(t, saved[1])
			return tensors{grads[0].MulScalar(2), nil, nil, nil}
		},
	}
	out := two.Apply(x, w)
	require.Equal(t, []bool{true, false, true}, []bool{out[0].RequiresGrad(), out[1].RequiresGrad(), out[2].RequiresGrad()})
	out[0].Sum().Backward()
	require.Equal(t, [2]bool{true, false}, needs)
	require.Equal(t, []float32{2, 2}, torch.Data[float32](x.Grad()))
	require.Equal(t, []float32{0, 0}, torch.Data[float32](given[2]))

	lazy := two
	lazy.Forward = func(ctx *autograd.Context, in ...*torch.Tensor) tensors {
		ctx.SetMaterializeGrads(false)
		return tensors{in[0].MulScalar(2), in[0].MulScalar(3)}
	}
	lazy.Backward = func(ctx *autograd.Context, grads ...*torch.Tensor) tensors {
		given = grads
		return tensors{grads[0], nil}
	}
	lazy.Apply(x, w)[0].Sum().Backward()
	require.Nil(t, given[1])

	dirty := autograd.Function{
		Forward: func(ctx *autograd.Context, in ...*torch.Tensor) tensors {
			in[0].MulScalarInPlace(2)
			ctx.MarkDirty(in[0])
			return tensors{in[0]}
		},
		Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) tensors { return tensors{grads[0].MulScalar(2)} },
	}
	x.ZeroGrad()
	y := x.MulScalar(1)
	z := dirty.Apply(y)[0]
	z.Sum().Backward()
	require.Equal(t, []float32{2, 2}, torch.Data[float32](x.Grad()))
	require.Equal(t, "FunctionBackward", y.GradFn().Name())

	// An input that is returned is a view of it, with the gradient of the function.
	id := autograd.Function{
		Forward:  func(ctx *autograd.Context, in ...*torch.Tensor) tensors { return tensors{in[0]} },
		Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) tensors { return tensors{grads[0].MulScalar(7)} },
	}
	x.ZeroGrad()
	id.Apply(x)[0].Sum().Backward()
	require.Equal(t, []float32{7, 7}, torch.Data[float32](x.Grad()))
	require.Nil(t, id.Apply(w)[0].GradFn(), "no input requires a gradient")

	count := func(n int) autograd.Function {
		f := exp(nil)
		f.Backward = func(*autograd.Context, ...*torch.Tensor) tensors { return make(tensors, n) }
		return f
	}
	count(3)
	bad := exp(nil)
	bad.Backward = func(ctx *autograd.Context, grads ...*torch.Tensor) tensors { return tensors{torch.Ones(5)} }
	stale := exp(nil)
	for text, call := range map[string]func(){
		"incorrect number of gradients (expected 1, got 0)":  func() { count(0).Apply(x)[0].Sum().Backward() },
		"invalid gradient at index 0":                        func() { bad.Apply(x)[0].Sum().Backward() },
		"needs both Forward and Backward":                    func() { autograd.Function{}.Apply(x) },
		"available in Backward only":                         func() { new(autograd.Context).SavedTensors() },
		"Trying to backward through the graph a second time": func() { y := stale.Apply(x)[0].Sum(); y.Backward(); y.Backward() },
		"modified by an inplace operation": func() {
			y := stale.Apply(x)[0]
			s := y.Sum()
			torch.NoGrad(func() { y.MulScalarInPlace(2) })
			s.Backward()
		},
		"Forward returned nil as output 0": func() {
			f := exp(nil)
			f.Forward = func(*autograd.Context, ...*torch.Tensor) tensors { return tensors{nil} }
			f.Apply(x)
		},
		"a leaf Variable that requires grad": func() { x.MulScalarInPlace(2) },
		"while it runs": func() {
			var kept *autograd.Context
			f := exp(nil)
			f.Backward = func(ctx *autograd.Context, grads ...*torch.Tensor) tensors { kept = ctx; return grads }
			f.Apply(x)[0].Sum().Backward()
			require.False(t, kept.NeedsInputGrad(0))
			kept.SavedTensors()
		},
		"can be called in Forward only": func() {
			f := exp(nil)
			f.Backward = func(ctx *autograd.Context, grads ...*torch.Tensor) tensors { ctx.SaveForBackward(); return grads }
			f.Apply(x)[0].Sum().Backward()
		},
	} {
		require.ErrorContains(t, torch.Try(call), text)
	}
}

// TestFunctionOutputs returns a tensor twice, of which the second gets all of the gradient,
// and marks tensors that are not inputs, or nil.
func TestFunctionOutputs(t *testing.T) {
	x := torch.Options{RequiresGrad: true}.Ones(2)
	var given tensors
	twice := autograd.Function{
		Forward: func(ctx *autograd.Context, in ...*torch.Tensor) tensors {
			y := in[0].MulScalar(2)
			return tensors{y, y}
		},
		Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) tensors {
			given = grads
			return tensors{grads[1]}
		},
	}
	out := twice.Apply(x)
	out[0].Add(out[1].MulScalar(3)).Sum().Backward()
	require.Equal(t, []float32{0, 0}, torch.Data[float32](given[0]))
	require.Equal(t, []float32{4, 4}, torch.Data[float32](given[1]))
	mark := func(f func(ctx *autograd.Context, y *torch.Tensor)) error {
		forward := exp(nil)
		forward.Forward = func(ctx *autograd.Context, in ...*torch.Tensor) tensors {
			y := in[0].Exp()
			f(ctx, y)
			return tensors{y}
		}
		return torch.Try(func() { forward.Apply(x) })
	}
	require.NoError(t, mark(func(ctx *autograd.Context, y *torch.Tensor) { ctx.MarkDirty(y) }), "as in Python, which warns")
	require.ErrorContains(t, mark(func(ctx *autograd.Context, y *torch.Tensor) { ctx.MarkDirty(y, nil) }), "MarkDirty: tensor 1 is nil")
	require.ErrorContains(t, mark(func(ctx *autograd.Context, y *torch.Tensor) { ctx.MarkNonDifferentiable(nil) }), "tensor 0 is nil")
}

// TestBadHooks registers hooks where that is a mistake. Nothing may be left of them.
func TestBadHooks(t *testing.T) {
	callbacksEnd(t)
	none := func(*torch.Tensor) *torch.Tensor { return nil }
	freed := torch.Options{RequiresGrad: true}.Ones(1)
	freed.Free()
	x := torch.Options{RequiresGrad: true}.Ones(1)
	for text, call := range map[string]func(){
		"RegisterHook: nil tensor":                        func() { (*torch.Tensor)(nil).RegisterHook(none) },
		"RegisterHook: tensor used after Free":            func() { freed.RegisterHook(none) },
		"RegisterHook: the hook is nil":                   func() { x.RegisterHook(nil) },
		"RegisterPostAccumulateGradHook: the hook is nil": func() { x.RegisterPostAccumulateGradHook(nil) },
		"in a hook: the tensor that it returned: tensor used after Free": func() {
			hooked(func(g *torch.Tensor) *torch.Tensor { y := g.Clone(); y.Free(); return y }).Sum().Backward()
		},
	} {
		require.ErrorContains(t, torch.Try(call), text)
	}
	callbacksEnd(t)
}

// TestGraphsOutliveScopes runs graphs after the scope in which they were recorded, or after
// what they were recorded from is freed.
func TestGraphsOutliveScopes(t *testing.T) {
	same := func(x *torch.Tensor) *torch.Tensor { return x }
	f := func(in ...*torch.Tensor) tensors { return tensors{F.Dropout(in[0].Mul(in[1]).Exp(), 0.5, true).Sum()} }
	for name, call := range map[string]func(x, w *torch.Tensor) *torch.Tensor{
		"Checkpoint": func(x, w *torch.Tensor) *torch.Tensor { return autograd.Checkpoint(f, tensors{x, w})[0] },
		"SaveOnCPU": func(x, w *torch.Tensor) (y *torch.Tensor) {
			autograd.SaveOnCPU(func() { y = f(x, w)[0] })
			return y
		},
		"SavedTensorsHooks": func(x, w *torch.Tensor) (y *torch.Tensor) {
			autograd.SavedTensorsHooks(same, same, func() { y = f(x, w)[0] })
			return y
		},
	} {
		x, w := torch.Options{RequiresGrad: true}.Rand(8), torch.Options{RequiresGrad: true}.Rand(8)
		gradients := func(call func(x, w *torch.Tensor) *torch.Tensor) []float32 {
			torch.ManualSeed(1)
			var y *torch.Tensor
			torch.Scope(func() {
				h := x.MulScalar(2)
				y = torch.Keep(call(h, w))
				h.Free()
			})
			x.ZeroGrad()
			torch.Scope(func() { autograd.Grad(tensors{y}, tensors{w}, autograd.GradOptions{RetainGraph: true}) })
			torch.Scope(func() { y.Backward() })
			return torch.Data[float32](x.Grad())
		}
		require.Equal(t, gradients(func(x, w *torch.Tensor) *torch.Tensor { return f(x, w)[0] }), gradients(call), name)
	}
}

// TestSavedTensorsHooks keeps saved tensors elsewhere, in operators, functions in Go and
// nested, and lets hooks fail.
func TestSavedTensorsHooks(t *testing.T) {
	callbacksEnd(t)
	x := torch.Options{RequiresGrad: true}.Full(3.0, 2)
	packs, unpacks := 0, 0
	var y *torch.Tensor
	within := func(f func()) {
		autograd.SavedTensorsHooks(
			func(x *torch.Tensor) []float32 { packs++; return torch.Data[float32](x) },
			func(v []float32) *torch.Tensor { unpacks++; return torch.FromSlice(v) }, f)
	}
	within(func() { y = exp(nil).Apply(x.Mul(x))[0].Log().Sum() })
	y.Backward()
	require.Equal(t, []int{4, 4}, []int{packs, unpacks})
	require.InDeltaSlice(t, []float32{6, 6}, torch.Data[float32](x.Grad()), 1e-4)
	inner := 0
	within(func() {
		autograd.SavedTensorsHooks(func(x *torch.Tensor) *torch.Tensor { inner++; return x }, func(x *torch.Tensor) *torch.Tensor { return x }, func() { x.Mul(x) })
		torch.Run(func() { x.Mul(x) })
	})
	require.Equal(t, []int{6, 2}, []int{packs, inner}, "the innermost hooks are used, and inside Run")
	x.Mul(x)
	require.Equal(t, 6, packs)

	x = torch.Options{RequiresGrad: true}.Full(3.0, 2)
	autograd.SavedTensorsHooks(func(x *torch.Tensor) *torch.Tensor { return x }, func(x *torch.Tensor) (y *torch.Tensor) {
		torch.EnableGrad(func() { // while the derivative of Log is evaluated
			z := x.Detach().RequireGrad(true)
			z.Mul(z).Sum().Backward()
			y = z.Grad()
		})
		return y
	}, func() { y = x.Log().Sum() })
	y.Backward()
	require.InDeltaSlice(t, []float32{1. / 6, 1. / 6}, torch.Data[float32](x.Grad()), 1e-6)

	boom := errors.New("boom")
	keep := func(x *torch.Tensor) *torch.Tensor { return x }
	err := torch.Try(func() {
		autograd.SavedTensorsHooks(func(*torch.Tensor) int { panic(boom) }, func(int) *torch.Tensor { return nil }, func() { x.Mul(x) })
	})
	require.ErrorIs(t, err, boom)
	require.ErrorContains(t, err, "in a pack hook")
	for text, unpack := range map[string]func(*torch.Tensor) *torch.Tensor{
		"boom": func(*torch.Tensor) *torch.Tensor { panic(boom) },
		"nil":  func(*torch.Tensor) *torch.Tensor { return nil },
	} {
		autograd.SavedTensorsHooks(keep, unpack, func() { y = x.Mul(x).Sum() })
		require.ErrorContains(t, torch.Try(func() { y.Backward() }), text)
	}
	err = torch.Try(func() {
		autograd.SavedTensorsHooks(func(x *torch.Tensor) int { x.MulScalarInPlace(2); return 0 }, func(int) *torch.Tensor { return nil }, func() { y := x.MulScalar(1); y.Mul(y) })
	})
	require.ErrorContains(t, err, "in place")
	done := make(chan bool)
	go func() {
		defer close(done)
		autograd.SavedTensorsHooks(func(*torch.Tensor) int { runtime.Goexit(); return 0 }, func(int) *torch.Tensor { return nil }, func() { x.Mul(x) })
	}()
	<-done
	autograd.SaveOnCPU(func() { y = x.Mul(x).Sum() })
	y.Backward()
	y = nil
	callbacksEnd(t)
}

// TestCheckpoint compares the gradients of a checkpoint with those of the function itself,
// with random numbers, and counts the calls.
func TestCheckpoint(t *testing.T) {
	callbacksEnd(t)
	w := torch.Options{RequiresGrad: true}.Randn(4, 4)
	x := torch.Options{RequiresGrad: true}.Randn(3, 4)
	calls := 0
	f := func(in ...*torch.Tensor) tensors {
		calls++
		h := F.Dropout(in[0].MatMul(w).Tanh(), 0.5, true)
		return tensors{h.MatMul(w).Sigmoid()}
	}
	gradients := func(call func() *torch.Tensor) (g [3][]float32) {
		torch.ManualSeed(0)
		x.ZeroGrad()
		w.ZeroGrad()
		y := call()
		g[2] = torch.Data[float32](torch.Rand(3)) // drawn after the first call
		y.Sum().Backward()
		g[0], g[1] = torch.Data[float32](x.Grad()), torch.Data[float32](w.Grad())
		return g
	}
	want := gradients(func() *torch.Tensor { return f(x)[0] })
	require.Equal(t, want, gradients(func() *torch.Tensor { return autograd.Checkpoint(f, tensors{x})[0] }))
	require.Equal(t, 3, calls)
	require.NotEqual(t, want, gradients(func() *torch.Tensor {
		return autograd.Checkpoint(f, tensors{x}, autograd.CheckpointOptions{NoPreserveRNGState: true})[0]
	}))
	nested := func(in ...*torch.Tensor) tensors { return autograd.Checkpoint(f, in) }
	require.Equal(t, want, gradients(func() *torch.Tensor { return autograd.Checkpoint(nested, tensors{x})[0] }))
	require.Equal(t, want, gradients(func() *torch.Tensor {
		return autograd.CheckpointSequential([]func(*torch.Tensor) *torch.Tensor{
			func(x *torch.Tensor) *torch.Tensor { return x.MatMul(w).Tanh() },
			func(x *torch.Tensor) *torch.Tensor { return F.Dropout(x, 0.5, true) },
			func(x *torch.Tensor) *torch.Tensor { return x.MatMul(w).Sigmoid() },
		}, 2, x)
	}))

	n := 0
	changes := func(in ...*torch.Tensor) tensors {
		if n++; n%2 == 0 {
			return tensors{in[0].MulScalar(2)}
		}
		return tensors{in[0].Exp()}
	}
	require.ErrorContains(t, torch.Try(func() { autograd.Checkpoint(changes, tensors{x})[0].Sum().Backward() }), "saved 1 tensors the first time and 0 the second")
	shapes := func(in ...*torch.Tensor) tensors {
		n++
		return tensors{in[0].Narrow(0, 0, 1+n%2).Exp()}
	}
	require.ErrorContains(t, torch.Try(func() { autograd.Checkpoint(shapes, tensors{x})[0].Sum().Backward() }), "other tensors the second time: tensor 0 is [")
	require.ErrorContains(t, torch.Try(func() { autograd.CheckpointSequential(nil, 1, x) }), "1 segments for 0 functions")
	inPlace := func(in ...*torch.Tensor) tensors { return tensors{in[0].MulScalarInPlace(2).Exp()} }
	err := torch.Try(func() { autograd.Checkpoint(inPlace, tensors{x.MulScalar(1)})[0].Sum().Backward() })
	require.ErrorContains(t, err, "input 0 has been modified by an inplace operation")
	callbacksEnd(t)
}

// TestAnomaly checks the text of an error while anomalies are detected: the stack of the
// goroutine that recorded the node, and of a panic.
func TestAnomaly(t *testing.T) {
	require.False(t, autograd.IsAnomalyEnabled())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				autograd.DetectAnomaly(func() { assert.True(t, autograd.IsAnomalyEnabled()) })
			}
		})
	}
	wg.Wait()
	require.False(t, autograd.IsAnomalyEnabled(), "calls that overlap")
	autograd.DetectAnomaly(func() {
		require.True(t, autograd.IsAnomalyEnabled())
		x := torch.Options{RequiresGrad: true}.Zeros(1)
		err := torch.Try(func() { recordsNaN(x).Backward() })
		require.ErrorContains(t, err, "Function 'SqrtBackward0' returned nan values in its 0th output.")
		require.ErrorContains(t, err, "autograd_test.recordsNaN\n")
		require.NotContains(t, err.Error(), "internal/libtorch")
		err = torch.Try(func() { exp(panics).Apply(x)[0].Backward() })
		require.ErrorContains(t, err, "in Exp.Backward: no reason")
		require.ErrorContains(t, err, "autograd_test.panics\n")
		autograd.DetectAnomaly(func() { require.NoError(t, torch.Try(func() { recordsNaN(x).Backward() })) }, autograd.AnomalyOptions{NoCheckNaN: true})
		require.Error(t, torch.Try(func() { recordsNaN(x).Backward() }))
	})
	require.False(t, autograd.IsAnomalyEnabled())
	x := torch.Options{RequiresGrad: true}.Zeros(1)
	recordsNaN(x).Backward()
	require.NotContains(t, fmt.Sprint(torch.Try(func() { exp(panics).Apply(x)[0].Backward() })), "panics")
}

func recordsNaN(x *torch.Tensor) *torch.Tensor { return x.Sqrt().MulScalar(0) }

func panics() { panic("no reason") }

// TestBackward checks arguments and texts of Backward and Grad, beside Python's.
func TestBackward(t *testing.T) {
	x := torch.Options{RequiresGrad: true}.Ones(2)
	y := x.Mul(x)
	y.Backward(torch.BackwardOptions{Gradient: torch.FromSlice([]float32{1, 2}), RetainGraph: true})
	require.Equal(t, []float32{2, 4}, torch.Data[float32](x.Grad()))
	y.Backward(torch.BackwardOptions{Gradient: torch.FromSlice([]float32{1, 2})})
	require.Equal(t, []float32{4, 8}, torch.Data[float32](x.Grad()))
	w := torch.Options{RequiresGrad: true}.Ones(2)
	x.ZeroGrad()
	require.Nil(t, x.Grad())
	x.Mul(w).Sum().Backward(torch.BackwardOptions{Inputs: tensors{w}})
	require.Nil(t, x.Grad())
	require.NotNil(t, w.Grad())
	x.SetGrad(torch.Ones(2))
	autograd.Backward(tensors{x.Sum(), x.Mul(x)}, autograd.BackwardOptions{GradTensors: tensors{nil, torch.Ones(2)}})
	require.Equal(t, []float32{4, 4}, torch.Data[float32](x.Grad()))

	g := autograd.Grad(tensors{x.PowScalar(3).Sum()}, tensors{x}, autograd.GradOptions{CreateGraph: true})[0]
	g.Sum().Backward(torch.BackwardOptions{Inputs: tensors{w, x}, Gradient: torch.Scalar[float32](1)})
	require.Equal(t, []float32{10, 10}, torch.Data[float32](x.Grad()))
	zero := autograd.Grad(tensors{x.Sum()}, tensors{x, w}, autograd.GradOptions{MaterializeGrads: true})
	require.Equal(t, []float32{0, 0}, torch.Data[float32](zero[1]))
	require.Nil(t, autograd.Grad(tensors{x.Sum()}, tensors{x, w}, autograd.GradOptions{AllowUnused: true})[1])

	c := torch.Options{DType: torch.Complex64, RequiresGrad: true}.Ones(1)
	for text, call := range map[string]func(){
		"grad can be implicitly created only for scalar outputs":      func() { x.Mul(x).Backward() },
		"grad can be implicitly created only for real scalar outputs": func() { c.Mul(c).Backward() },
		"Mismatch in shape":                          func() { x.Mul(x).Backward(torch.BackwardOptions{Gradient: torch.Ones(3)}) },
		"both must be complex":                       func() { c.Mul(c).Backward(torch.BackwardOptions{Gradient: torch.Ones(1)}) },
		"does not require grad":                      func() { torch.Ones(1).Backward() },
		"Trying to backward":                         func() { y := x.Mul(x).Sum(); y.Backward(); y.Backward() },
		"the list of inputs is empty":                func() { x.Sum().Backward(torch.BackwardOptions{Inputs: tensors{}}) },
		"appears to not have been used in the graph": func() { autograd.Grad(tensors{x.Sum()}, tensors{x, w}) },
		"can't assign Variable as its own grad":      func() { x.SetGrad(x) },
		"a gradient of size":                         func() { x.SetGrad(torch.Ones(3)) },
		"a gradient of type":                         func() { x.SetGrad(torch.Options{DType: torch.Float64}.Ones(2)) },
		"nil tensor":                                 func() { (*torch.Tensor)(nil).Backward() },
		"used after Free":                            func() { z := x.Sum(); z.Free(); z.Backward() },
		"Only Tensors of floating point":             func() { torch.Arange(3).RequireGrad(true) },
		"inference mode": func() {
			var v *torch.Tensor
			torch.InferenceMode(func() { v = torch.Ones(1) })
			v.RequireGrad(true).Mul(v)
		},
	} {
		err := torch.Try(call)
		if text == "inference mode" {
			require.Error(t, err)
			continue
		}
		require.ErrorContains(t, err, text)
	}
}
