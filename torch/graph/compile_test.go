package graph_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/flat"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/nn"
)

func ExampleCompile() {
	model := nn.Sequential{nn.NewConv2d(3, 8, 3), nn.NewBatchNorm2d(8), &nn.ReLU{}}
	nn.Eval(model)
	compiled := graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor {
		return []*torch.Tensor{model.Forward(x[0])}
	}, graph.CompileOptions{Batch: true})
	y, err := compiled.Run(context.Background(), torch.Ones(1, 3, 32, 32))
	if err != nil {
		panic(err)
	}
	_ = y[0].Shape() // [1, 8, 30, 30]
}

// untimed leaves the choice to the test, not to the machine.
var untimed = graph.OptimizeOptions{Untimed: true}

func near(t *testing.T, want, got *torch.Tensor) {
	t.Helper()
	require.Equal(t, want.Shape(), got.Shape())
	require.Less(t, want.Sub(got).Abs().Max().Item(), 1e-5*max(1, want.Abs().Max().Item())) // another order of sums
}

// TestCompileBatches runs batches of several sizes by the graph of one.
func TestCompileBatches(t *testing.T) {
	model := nn.Sequential{nn.NewConv2d(3, 16, 3), &nn.ReLU{}, nn.NewConv2d(16, 16, 3)}
	calls := 0
	c := graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor {
		calls++
		y := model.Forward(x[0])
		return []*torch.Tensor{y, y.Mean(2, 3)}
	}, graph.CompileOptions{Batch: true, OptimizeOptions: untimed})
	r, err := c.Prepare(t.Context(), torch.Randn(2, 3, 20, 20))
	require.NoError(t, err)
	require.Empty(t, r.Reason)
	require.Equal(t, 1, calls)
	for _, n := range []int{2, 5, 4, 2} {
		x := torch.Randn(n, 3, 20, 20)
		y, err := c.Run(t.Context(), x)
		require.NoError(t, err)
		want := model.Forward(x)
		near(t, want, y[0])
		near(t, want.Mean(2, 3), y[1])
	}
	require.Equal(t, 1, calls)
	_, err = c.Run(t.Context(), torch.Randn(1, 3, 20, 20)) // half of the batch would not be needed
	require.NoError(t, err)
	require.Equal(t, 2, calls)
}

// TestCompileDependent compiles a function whose samples depend on each other, though it says that they do not.
func TestCompileDependent(t *testing.T) {
	defer torch.SetNumThreads(torch.NumThreads())
	torch.SetNumThreads(2)
	c := graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{x[0].Sub(x[0].Mean(0))} }, graph.CompileOptions{Batch: true, OptimizeOptions: untimed})
	x := torch.Randn(4, 8)
	_, err := c.Prepare(t.Context(), x)
	require.NoError(t, err)
	y, err := c.Run(t.Context(), x)
	require.NoError(t, err)
	near(t, x.Sub(x.Mean(0)), y[0])
}

// TestCompileShapes counts calls of the function: two for a shape, and one to trace it, until it is dropped for others.
func TestCompileShapes(t *testing.T) {
	var calls atomic.Int32
	c := graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor { calls.Add(1); return []*torch.Tensor{x[0].MatMul(x[1])} }, graph.CompileOptions{Shapes: 2, OptimizeOptions: untimed})
	run := func(n int) {
		x, w := torch.Randn(3, n), torch.Randn(n, 2)
		y, err := c.Run(t.Context(), x, w)
		require.NoError(t, err)
		near(t, x.MatMul(w), y[0])
	}
	for i, n := range []int{4, 4, 4, 4, 5, 4, 5, 5, 5, 6, 4} {
		run(n)
		require.EqualValues(t, []int{1, 2, 3, 3, 4, 4, 5, 6, 6, 7, 8}[i], calls.Load(), i)
	}
	var wg sync.WaitGroup
	for range 8 { // of which one optimizes
		wg.Go(func() {
			_, err := c.Prepare(t.Context(), torch.Randn(3, 9), torch.Randn(9, 2))
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	require.EqualValues(t, 9, calls.Load())
	for range 8 {
		wg.Go(func() {
			for range 4 {
				_, err := c.Run(t.Context(), torch.Randn(3, 8), torch.Randn(8, 2))
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
}

// TestCompileNotTraced calls a function that depends on values, and one that fails.
func TestCompileNotTraced(t *testing.T) {
	c := graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor {
		return []*torch.Tensor{x[0].MulScalar(x[0].Sum().Item())}
	})
	r, err := c.Prepare(t.Context(), torch.Ones(3))
	require.NoError(t, err)
	require.Contains(t, r.Reason, "aten::item reads values that depend on the inputs")
	y, err := c.Run(t.Context(), torch.Ones(3))
	require.NoError(t, err)
	require.Equal(t, 9.0, y[0].Sum().Item())

	c = graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{x[0].MatMul(x[0])} })
	require.ErrorContains(t, torch.Try(func() { c.Run(t.Context(), torch.Ones(2, 3)) }), "aten::matmul")
	require.ErrorContains(t, torch.Try(func() { c.Run(t.Context(), nil) }), "input 0 is nil")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Run(ctx, torch.Ones(2, 2))
	require.ErrorIs(t, err, context.Canceled)
	_, err = c.Prepare(ctx, torch.Ones(2, 2))
	require.ErrorIs(t, err, context.Canceled)
	_, err = c.Prepare(t.Context(), torch.Ones(2, 2))
	require.NoError(t, err)
}

// TestCompiledMemory runs what was compiled many times, whole batches and parts of them.
func TestCompiledMemory(t *testing.T) {
	first, second := nn.NewConv2d(8, 64, 3), nn.NewConv2d(64, 64, 3)
	c := graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor {
		return []*torch.Tensor{second.Forward(first.Forward(x[0]).Erf())}
	}, graph.CompileOptions{Batch: true, OptimizeOptions: untimed})
	one, three := torch.Randn(1, 8, 16, 16), torch.Randn(3, 8, 16, 16)
	r, err := c.Prepare(t.Context(), one)
	require.NoError(t, err)
	require.Empty(t, r.Reason)
	step := func() {
		for _, x := range []*torch.Tensor{one, three} {
			_, err := c.Run(t.Context(), x)
			require.NoError(t, err)
		}
	}
	const steps = 300
	flat.Warm(t, steps, step)
	flat.Check(t, steps, step)
}

// TestCompileRelease frees the parameters of a model, of which then one shape remains.
func TestCompileRelease(t *testing.T) {
	model := nn.Sequential{nn.NewConv2d(3, 64, 3), nn.NewBatchNorm2d(64), &nn.ReLU{}, nn.NewConv2d(64, 64, 3), nn.NewBatchNorm2d(64)}
	nn.Eval(model)
	calls := 0
	parameters := nn.StateDict(model)
	c := graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor {
		calls++
		return []*torch.Tensor{model.Forward(x[0])}
	}, graph.CompileOptions{Batch: true, Names: parameters, OptimizeOptions: graph.OptimizeOptions{Release: parameters.Free}})
	x := torch.Randn(5, 3, 20, 20)
	want := torch.Keep(model.Forward(x).Detach())
	for range 4 { // which do not optimize it
		_, err := c.Run(t.Context(), x)
		require.NoError(t, err)
	}
	require.Equal(t, 4, calls)
	runtime.GC()
	before := torch.LiveBytes()
	r, err := c.Prepare(t.Context(), x.Narrow(0, 0, 2))
	require.NoError(t, err)
	require.Empty(t, r.Reason)
	require.Empty(t, r.Islands)
	require.Equal(t, 5, calls)
	require.Eventually(t, func() bool { runtime.GC(); return torch.LiveBytes() < before-64*64*9*4 }, time.Minute, 10*time.Millisecond)
	for _, n := range []int{2, 5, 1} {
		y, err := c.Run(t.Context(), x.Narrow(0, 0, n))
		require.NoError(t, err)
		near(t, want.Narrow(0, 0, n), y[0])
	}
	again, err := c.Prepare(t.Context(), x)
	require.NoError(t, err)
	require.Equal(t, r, again)
	_, err = c.Run(t.Context(), torch.Randn(2, 3, 21, 20))
	const lost = "graph: the inputs are float32[2, 3, 21, 20], and the parameters were released when it was optimized for float32[2, 3, 20, 20]; make and compile it again"
	require.EqualError(t, err, lost)
	_, err = c.Prepare(t.Context(), torch.Randn(2, 3, 21, 20))
	require.EqualError(t, err, lost)
	require.Equal(t, 5, calls)
	require.ErrorIs(t, torch.Try(func() { model.Forward(x) }), torch.ErrFreed)
}

// TestCompileReleaseNotTraced keeps the parameters of what cannot be traced.
func TestCompileReleaseNotTraced(t *testing.T) {
	w := torch.Ones(3)
	c := graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor {
		return []*torch.Tensor{w.MulScalar(x[0].Sum().Item())}
	}, graph.CompileOptions{OptimizeOptions: graph.OptimizeOptions{Release: w.Free}})
	r, err := c.Prepare(t.Context(), torch.Ones(3))
	require.NoError(t, err)
	require.NotEmpty(t, r.Reason)
	y, err := c.Run(t.Context(), torch.Ones(3))
	require.NoError(t, err)
	require.Equal(t, 9.0, y[0].Sum().Item())
}
