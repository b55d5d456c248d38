package graph

import (
	"context"
	"errors"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	_ "github.com/torchhub/torchhub/models/all"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
	"github.com/torchhub/torchhub/torch/nn"
)

// model returns a function of a model with random weights, all of which count: the model, or the backbone of one for
// detection.
func model(t *testing.T, name string) func(x ...*torch.Tensor) []*torch.Tensor {
	torch.ManualSeed(0)
	m, err := models.New[any](name)
	require.NoError(t, err)
	torch.NoGrad(func() {
		for _, e := range nn.StateDict(m) {
			switch {
			case strings.HasSuffix(e.Name, "running_var"):
				e.Tensor.UniformInPlace(0.5, 1.5)
			case e.Tensor.DType().IsFloatingPoint() && e.Tensor.Any().Item() == 0:
				e.Tensor.NormalInPlace(0, 0.1)
			}
		}
	})
	nn.Eval(m)
	return func(x ...*torch.Tensor) (out []*torch.Tensor) {
		switch m := m.(type) {
		case nn.Module:
			return []*torch.Tensor{m.Forward(x[0])}
		case models.Segmenter:
			y := m.Forward(x[0])
			return slices.DeleteFunc([]*torch.Tensor{y.Out, y.Aux}, func(y *torch.Tensor) bool { return y == nil })
		}
		backbone := reflect.ValueOf(m).Elem().FieldByName("Backbone").Interface().(interface {
			Forward(x *torch.Tensor) []ops.Feature
		})
		for _, f := range backbone.Forward(x[0]) {
			out = append(out, f.X)
		}
		return out
	}
}

// compiler returns what runs programs: kernels, or libtorch's operators where there are none.
func compiler() func(*kernels.Program) (plan, error) {
	if _, _, err := kernels.Available(); err != nil {
		return slowly
	}
	return func(p *kernels.Program) (plan, error) { return kernels.Compile(p) }
}

// TestModels optimizes models: each becomes one program, which computes the same. With TORCHHUB_TEST_LARGE=1 it does all models
// for classification and segmentation, and the backbones of those for detection, or the models that it names.
func TestModels(t *testing.T) {
	names, size := []string{"resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5"}, 64
	if large := os.Getenv("TORCHHUB_TEST_LARGE"); large != "" {
		names, size = strings.Split(large, ","), 224
		if large == "1" {
			names = []string{"retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2", "fcos_resnet50_fpn", "fasterrcnn_resnet50_fpn", "fasterrcnn_mobilenet_v3_large_fpn"}
			for _, name := range models.Names() {
				e, err := models.Lookup(name)
				require.NoError(t, err)
				if (e.Task() == models.Classification || e.Task() == models.Segmentation) && !strings.HasPrefix(name, "quantized_") {
					names = append(names, name)
				}
			}
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			torch.Scope(func() {
				size := size
				if name == "inception_v3" {
					size = 299
				}
				f := model(t, name)
				g, err := Trace(f, []*torch.Tensor{torch.Randn(2, 3, size, size)})
				require.NoError(t, err)
				o, err := optimize(t.Context(), g, OptimizeOptions{Untimed: true}, compiler())
				require.NoError(t, err)
				r := o.Report()
				t.Log(r)
				require.Empty(t, r.Reason)
				require.Less(t, r.Difference, 1e-5, r)
				e, err := models.Lookup(name)
				require.NoError(t, err)
				if e.Task() == models.Classification {
					require.Empty(t, r.Islands, r)
					require.Len(t, r.Regions, 1, r)
				}
			})
		})
	}
}

// network returns a graph of two convolutions of [1, 8, 16, 16] around an operator without a kernel.
func network(t *testing.T) *Graph {
	first, second := nn.NewConv2d(8, 64, 3), nn.NewConv2d(64, 64, 3)
	return traced(t, func(x *torch.Tensor) *torch.Tensor { return second.Forward(first.Forward(x).Erf()) }, 1, 8, 16, 16)
}

// A changed plan is a slow plan whose results are changed.
type changed struct {
	slow
	change func(y *torch.Tensor)
}

func (c changed) Run(ctx context.Context, inputs, outputs []*torch.Tensor) error {
	err := c.slow.Run(ctx, inputs, outputs)
	c.change(outputs[0])
	return err
}

func TestOptimize(t *testing.T) {
	always := func(change func(*torch.Tensor)) func(*kernels.Program) (plan, error) {
		return func(p *kernels.Program) (plan, error) { return changed{slowPlan(p), change}, nil }
	}
	for name, c := range map[string]struct {
		compile func(*kernels.Program) (plan, error)
		options OptimizeOptions
		regions int
		want    string // part of the report
	}{
		"regions":     {slowly, OptimizeOptions{Untimed: true}, 1, "1 × aten::erf: there is no kernel for it\n"},
		"too small":   {slowly, OptimizeOptions{Untimed: true}, 1, "1 × aten::conv2d: it is one of 1 nodes with 1.8 million operations, too few to pay for copies"},
		"no kernels":  {func(*kernels.Program) (plan, error) { return nil, errors.New("no AVX2") }, OptimizeOptions{Untimed: true}, 0, "1 × aten::conv2d: no AVX2"},
		"wrong":       {always(func(y *torch.Tensor) { y.Select(0, 0).AddScalarInPlace(1) }), OptimizeOptions{Untimed: true}, 0, "the kernels for conv2d_1 … conv2d_1 differ from it by "},
		"not numbers": {always(func(y *torch.Tensor) { y.DivScalarInPlace(0) }), OptimizeOptions{Untimed: true}, 0, "differ from it by +Inf"},
		"accepted":    {always(func(y *torch.Tensor) { y.MulScalarInPlace(1.001) }), OptimizeOptions{Untimed: true, Tolerance: 0.01}, 1, "difference 1.0e-03"},
		"no faster":   {always(func(y *torch.Tensor) { time.Sleep(50 * time.Millisecond) }), OptimizeOptions{}, 1, "not optimized: it would take "},
		"timed":       {slowly, OptimizeOptions{}, 1, " of the time"},
	} {
		t.Run(name, func(t *testing.T) {
			g := network(t)
			o, err := optimize(t.Context(), g, c.options, c.compile)
			require.NoError(t, err)
			require.Contains(t, o.Report().String(), c.want)
			require.Len(t, o.Report().Regions, c.regions)
			x := torch.Randn(1, 8, 16, 16)
			got, err := o.Run(t.Context(), x)
			require.NoError(t, err)
			require.Less(t, relative(g.Run(x)[0], got[0]), max(1e-5, c.options.Tolerance))
		})
	}
}

// TestNotStatic has graphs that are run as they are.
func TestNotStatic(t *testing.T) {
	x := &Value{Name: "x", DType: torch.Float32, Device: torch.CPU, Shape: []int{2, -1}}
	y := &Value{Name: "y", DType: torch.Float32, Device: torch.CPU, Shape: []int{2, 3}}
	z := &Value{Name: "z", DType: torch.Float32, Device: torch.CPU, Shape: []int{2, 3}}
	c := &Value{Name: "c", DType: torch.Float32, Device: torch.CPU, Shape: []int{2, 3}, Tensor: torch.Zeros(2, 3)}
	for want, g := range map[string]*Graph{
		"x is float32[2, -1], which depends on the inputs":            {Inputs: []*Value{x}},
		"aten::randn_like draws random numbers":                       {Inputs: []*Value{y}, Nodes: []*Node{{Op: "aten::randn_like", Args: []any{y, nil, nil, nil, nil, nil}, Results: []*Value{z}}}, Outputs: []*Value{z}},
		"aten::dropout draws random numbers":                          {Inputs: []*Value{y}, Nodes: []*Node{{Op: "aten::dropout", Args: []any{y, 0.5, true}, Results: []*Value{z}}}, Outputs: []*Value{z}},
		"aten::zero_ writes to c, which is from outside of the graph": {Inputs: []*Value{y}, Constants: []*Value{c}, Nodes: []*Node{{Op: "aten::zero_", Args: []any{c}, Results: []*Value{z}}}, Outputs: []*Value{z}},
	} {
		_, err := g.pure()
		require.EqualError(t, err, want)
	}
}

// TestOptimizedGoroutines runs an optimized graph in many goroutines.
func TestOptimizedGoroutines(t *testing.T) {
	g := network(t)
	o, err := optimize(t.Context(), g, OptimizeOptions{Untimed: true}, compiler())
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 10 {
				x := torch.Randn(1, 8, 16, 16)
				y, err := o.Run(t.Context(), x)
				if assert.NoError(t, err) {
					assert.Less(t, relative(g.Run(x)[0], y[0]), 1e-5)
				}
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = o.Run(ctx, torch.Ones(1, 8, 16, 16))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, torch.Try(func() { o.Run(t.Context(), torch.Ones(1, 8, 16, 15)) }), "the graph was made for float32[1, 8, 16, 16]")
}

// A called plan is a slow plan that calls a function first.
type called struct {
	slow
	before func()
}

func (c called) Run(ctx context.Context, inputs, outputs []*torch.Tensor) error {
	c.before()
	return c.slow.Run(ctx, inputs, outputs)
}

// TestOptimizeCanceled ends the context at each event of an optimization: after it there is none. The events are the making of
// two plans, and runs of them: one of each to prove it, one of both to compare the outputs, and those that are timed.
func TestOptimizeCanceled(t *testing.T) {
	first, second := nn.NewConv2d(8, 64, 3), nn.NewConv2d(64, 64, 3)
	g := traced(t, func(x *torch.Tensor) *torch.Tensor { return second.Forward(first.Forward(x).Erf()) }, 1, 8, 40, 40)
	for last := 1; last <= 9; last++ {
		ctx, cancel := context.WithCancel(t.Context())
		events := 0
		event := func() {
			if events++; events == last {
				cancel()
			}
		}
		_, err := optimize(ctx, g, OptimizeOptions{}, func(p *kernels.Program) (plan, error) {
			event()
			return called{slowPlan(p), event}, nil
		})
		require.ErrorIs(t, err, context.Canceled, last)
		require.Equal(t, last, events)
	}
}

// TestCanceledWait ends the context while 1,000 goroutines run an optimized graph, of which all but those on the threads of
// torch.Run wait for one: these return at once, and never run it.
func TestCanceledWait(t *testing.T) {
	var running, ended, canceled atomic.Int32
	release := make(chan struct{})
	close(release)
	o, err := optimize(t.Context(), network(t), OptimizeOptions{Untimed: true}, func(p *kernels.Program) (plan, error) {
		return called{slowPlan(p), func() { running.Add(1); <-release }}, nil
	})
	require.NoError(t, err)
	running.Store(0)
	release = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	x := torch.Randn(1, 8, 16, 16)
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if _, err := o.Run(ctx, x); err == nil {
				ended.Add(1)
			} else if assert.ErrorIs(t, err, context.Canceled) {
				canceled.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return running.Load() > 0 }, 10*time.Second, time.Millisecond)
	cancel()
	require.Eventually(t, func() bool { return canceled.Load() >= int32(1000-runtime.GOMAXPROCS(0)) }, 10*time.Second, time.Millisecond)
	close(release)
	wg.Wait()
	require.LessOrEqual(t, int(running.Load()), runtime.GOMAXPROCS(0))
	require.LessOrEqual(t, ended.Load(), running.Load()) // a slow plan does not stop
}

// TestRelease frees the constants of a graph whose kernels are wrong: in the proof, later, both of which are errors, or never.
func TestRelease(t *testing.T) {
	x := torch.Randn(1, 8, 16, 16)
	for _, from := range []int{1, 2, 9} { // the number of the first wrong run
		first, norm, second := nn.NewConv2d(8, 64, 3), nn.NewBatchNorm2d(64), nn.NewConv2d(64, 64, 3)
		nn.Eval(norm)
		net := nn.Sequential{first, norm, second}
		g := traced(t, net.Forward, 1, 8, 16, 16)
		want := lasting(func() *torch.Tensor { return net.Forward(x) })
		runs, released := 0, 0
		options := OptimizeOptions{Inputs: []*torch.Tensor{x}, Release: func() { released++; nn.StateDict(net).Free() }}
		o, err := optimize(t.Context(), g, options, func(p *kernels.Program) (plan, error) {
			return changed{slowPlan(p), func(y *torch.Tensor) {
				if runs++; runs >= from {
					y.AddScalarInPlace(100)
				}
			}}, nil
		})
		require.Equal(t, 1, released)
		require.ErrorIs(t, torch.Try(func() { g.Run(x) }), torch.ErrFreed)
		if wrong := map[int]string{1: "graph: the kernels for conv2d … conv2d_1 differ from it by ", 2: "graph: output conv2d_1 differs by "}[from]; wrong != "" {
			require.ErrorContains(t, err, wrong)
			require.ErrorContains(t, err, ", and the constants were released")
			continue
		}
		require.NoError(t, err)
		require.Empty(t, o.Report().Islands)
		got, err := o.Run(t.Context(), x)
		require.NoError(t, err)
		require.Less(t, relative(want, got[0]), 1e-5)
	}
}

// TestBFloat16 optimizes in bfloat16: more may differ, and the report says what does.
func TestBFloat16(t *testing.T) {
	has, err := kernels.BFloat16()
	require.NoError(t, err)
	for _, name := range []string{"resnet18", "mobilenet_v3_small"} {
		torch.Scope(func() {
			x := torch.Randn(2, 3, 64, 64)
			g, err := Trace(model(t, name), []*torch.Tensor{x})
			require.NoError(t, err)
			o, err := optimize(t.Context(), g, OptimizeOptions{Untimed: true, DType: torch.BFloat16, Inputs: []*torch.Tensor{x}}, compiler())
			require.NoError(t, err)
			r := o.Report()
			require.Empty(t, r.Reason)
			require.Len(t, r.Regions, 1)
			if !has {
				require.Less(t, r.Difference, 1e-5)
				require.Contains(t, r.String(), "in float32 and not bfloat16: the processor or the C++ compiler does not have AVX512_BF16\n")
				return
			}
			t.Log(r)
			require.Greater(t, r.Difference, 1e-4) // it is in bfloat16
			require.Less(t, r.Difference, 5e-2)
			want, got := g.Run(x)[0].ArgMaxDim(1), r.Rounding.Same
			y, err := o.Run(t.Context(), x)
			require.NoError(t, err)
			require.Equal(t, int(y[0].ArgMaxDim(1).Eq(want).Sum().Item()), got)
			require.Equal(t, 2, r.Rounding.Rows)
			require.Regexp(t, `(?m)^in bfloat16: outputs differ by \d\.\de-0\d of the largest number, which is in the same place in \d of 2 rows$`, r.String())
		})
	}
	if !has {
		return
	}
	// Results that differ too much in bfloat16, in the proof of a region or in the outputs, are computed in float32.
	for _, c := range []struct {
		from   int // the number of the first run that is changed
		factor float64
		want   string
	}{
		{1, 1.02, "in bfloat16: outputs differ by 2.0e-02 of the largest number\n"}, // without rows: its output has 4 dimensions
		{1, 1.1, "in float32 and not bfloat16: the kernels for conv2d_1 … conv2d_1 differ from it by 1.0e-01 of the largest number\n"},
		{2, 1.1, "in float32 and not bfloat16: output conv2d_1 differs by 1.0e-01 of its largest number\n"},
	} {
		runs := 0
		o, err := optimize(t.Context(), network(t), OptimizeOptions{Untimed: true, DType: torch.BFloat16}, func(p *kernels.Program) (plan, error) {
			exact := *p
			exact.BFloat16 = false
			return changed{slowPlan(&exact), func(y *torch.Tensor) {
				if runs++; runs >= c.from && p.BFloat16 {
					y.MulScalarInPlace(c.factor)
				}
			}}, nil
		})
		require.NoError(t, err)
		r := o.Report()
		require.Empty(t, r.Reason)
		require.Len(t, r.Regions, 1)
		require.Contains(t, r.String(), c.want)
		require.Equal(t, strings.HasPrefix(c.want, "in float32"), r.Difference < 1e-5, r)
	}
}
