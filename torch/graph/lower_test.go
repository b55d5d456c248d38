package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
	"github.com/torchhub/torchhub/torch/internal/kernels/oracle"
	"github.com/torchhub/torchhub/torch/linalg"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// A slow plan runs a program by libtorch's operators.
type slow struct{ p *kernels.Program }

func (s slow) Run(_ context.Context, inputs, outputs []*torch.Tensor) error {
	return torch.Try(func() { oracle.Run(s.p, inputs, outputs) })
}

func (slow) Pack() error { return nil }

func slowly(p *kernels.Program) (plan, error) { return slowPlan(p), nil }

// slowPlan copies the weights, as a plan does.
func slowPlan(p *kernels.Program) slow {
	q := *p
	q.Instructions = slices.Clone(p.Instructions)
	for i := range q.Instructions {
		for _, x := range []**torch.Tensor{&q.Instructions[i].Weight, &q.Instructions[i].Bias} {
			if *x != nil {
				*x = lasting((*x).Clone)
			}
		}
	}
	return slow{&q}
}

// kinds are the names of the kinds of instructions.
var kinds = []string{"Conv", "MaxPool", "AvgPool", "Mean", "Add", "Mul", "Scale", "LayerNorm", "Concat", "ConcatPixels", "Slice", "Shuffle", "Gather", "Attention", "Const", "Normalize"}

// described returns the instructions of regions, with their activations, and the operators that remain.
func described(steps []step) string {
	var out []string
	for _, s := range steps {
		if s.region == nil {
			out = append(out, strings.TrimPrefix(s.node.Op, "aten::"))
			continue
		}
		for _, in := range s.region.program.Instructions {
			name := kinds[in.Kind]
			if in.Kind == kernels.Conv && len(in.In) > 1 {
				name += "+"
			}
			if in.Act != kernels.None {
				name += fmt.Sprint(":", in.Act)
			}
			out = append(out, name)
		}
	}
	return strings.Join(out, " ")
}

// check lowers a graph, however small its regions are, and compares it with the graph.
func check(t *testing.T, g *Graph, within float64) []step {
	t.Helper()
	e, err := g.pure()
	require.NoError(t, err)
	lean, err := e.simplified(0)
	require.NoError(t, err)
	p := &partition{lean, slowly, 0, false, map[*Node]string{}, false}
	steps, err := p.regions(t.Context())
	require.NoError(t, err)
	var inputs []*torch.Tensor
	for _, v := range g.Inputs {
		inputs = append(inputs, torch.Randn(v.Shape...))
	}
	want := g.Run(inputs...)
	got, err := (&Optimized{graph: g, lean: lean, steps: steps}).run(t.Context(), inputs)
	require.NoError(t, err, "%v\n%s", lean, described(steps))
	for i := range want {
		if d := relative(want[i], got[i]); !(d <= within) {
			t.Fatalf("the outputs %d differ by %g:\n%v\n%s", i, d, lean, described(steps))
		}
	}
	return steps
}

// TestLower lowers small functions of an input [2, 8, 6, 6].
func TestLower(t *testing.T) {
	torch.ManualSeed(1)
	w, square, b := torch.Randn(8, 8, 3, 3), torch.Randn(8, 8, 1, 1), torch.Randn(8)
	conv := func(x *torch.Tensor) *torch.Tensor { return F.Conv2d(x, square, b) }
	last := func(x *torch.Tensor) *torch.Tensor { return x.Permute(0, 2, 3, 1) }
	relu := int(kernels.ReLU)
	for name, c := range map[string]struct {
		f    function
		want string
	}{
		"conv": {func(x *torch.Tensor) *torch.Tensor {
			return F.Conv2d(x, w, b, F.Conv2dOptions{Padding: 1, Stride: 2}).ReLU()
		}, fmt.Sprint("Conv:", relu)},
		"same":   {func(x *torch.Tensor) *torch.Tensor { return F.Conv2d(x, w, nil, F.Conv2dOptions{Padding: "same"}) }, "Conv"},
		"conv1d": {func(x *torch.Tensor) *torch.Tensor { return F.Conv1d(x.Reshape(2, 8, 36), torch.Ones(4, 8, 3), nil) }, "Gather Conv"},
		"depthwise": {func(x *torch.Tensor) *torch.Tensor {
			return F.Conv2d(x, w.Narrow(1, 0, 1), nil, F.Conv2dOptions{Groups: 8})
		}, "Conv"},
		"residual":     {func(x *torch.Tensor) *torch.Tensor { return conv(x).Add(x).ReLU() }, fmt.Sprint("Conv+:", relu)},
		"two convs":    {func(x *torch.Tensor) *torch.Tensor { return conv(x).Add(conv(x.ReLU())) }, fmt.Sprint("Conv Scale:", relu, " Conv+")},
		"used twice":   {func(x *torch.Tensor) *torch.Tensor { y := conv(x); return y.ReLU().Add(y) }, fmt.Sprint("Conv Scale:", relu, " Add")},
		"scale behind": {func(x *torch.Tensor) *torch.Tensor { return conv(x).MulScalar(3).Sub(torch.Ones(8, 1, 1)).DivScalar(2) }, "Conv"},
		"scale before": {func(x *torch.Tensor) *torch.Tensor { return conv(x.Mul(b.Reshape(8, 1, 1)).AddScalar(1)) }, "Conv"},
		"not at borders": {func(x *torch.Tensor) *torch.Tensor {
			return F.Conv2d(x.AddScalar(1), w, nil, F.Conv2dOptions{Padding: 1})
		}, "Scale Conv"},
		"layer scale": {func(x *torch.Tensor) *torch.Tensor { return b.Reshape(8, 1, 1).Mul(conv(x)).Add(x) }, "Conv+"},
		"squeeze": {func(x *torch.Tensor) *torch.Tensor {
			return x.Mul(conv(F.AdaptiveAvgPool2d(x, 1)).Sigmoid())
		}, fmt.Sprint("Mean Conv:", int(kernels.Sigmoid), " Mul")},
		"rsub":  {func(x *torch.Tensor) *torch.Tensor { return x.RSubScalar(1).Neg() }, "Scale"},
		"minus": {func(x *torch.Tensor) *torch.Tensor { return x.Sub(x.ReLU()) }, fmt.Sprint("Scale:", relu, " Scale Add")},
		"positions": {func(x *torch.Tensor) *torch.Tensor {
			return x.Add(torch.Arange(36).ToDType(torch.Float32).Reshape(6, 6))
		}, "Const Add"},
		"each sample": {func(x *torch.Tensor) *torch.Tensor {
			return x.Mul(torch.Arange(2).ToDType(torch.Float32).Reshape(2, 1, 1, 1))
		}, "Const Mul"},
		"pools": {func(x *torch.Tensor) *torch.Tensor {
			return F.AvgPool2d(F.MaxPool2d(x, 3, F.MaxPool2dOptions{Stride: 2, CeilMode: true}), 2)
		}, "MaxPool AvgPool"},
		"pool to 3":    {func(x *torch.Tensor) *torch.Tensor { return F.AdaptiveAvgPool2d(x, 3) }, "AvgPool"},
		"pool to 4":    {func(x *torch.Tensor) *torch.Tensor { return F.AdaptiveAvgPool2d(x, 4) }, "adaptive_avg_pool2d"},
		"mean":         {func(x *torch.Tensor) *torch.Tensor { return x.Mean(2, 3) }, "Mean"},
		"mean of rows": {func(x *torch.Tensor) *torch.Tensor { return last(x).Mean(2) }, "Gather Mean"},
		"not a mean":   {func(x *torch.Tensor) *torch.Tensor { return x.Mean(1) }, "mean.dim"},
		"layer norm": {func(x *torch.Tensor) *torch.Tensor {
			return F.LayerNorm(last(x), []int{8}, F.LayerNormOptions{Weight: b})
		}, "LayerNorm"},
		"linear": {func(x *torch.Tensor) *torch.Tensor {
			return F.GELU(F.Linear(last(x), square.Reshape(8, 8), b)).Permute(0, 3, 1, 2)
		}, fmt.Sprint("Conv:", int(kernels.GELU))},
		"head":           {func(x *torch.Tensor) *torch.Tensor { return F.Linear(x.ReLU().Flatten(1), torch.Ones(3, 288), nil) }, fmt.Sprint("Scale:", relu, " Conv")},
		"relu of a flat": {func(x *torch.Tensor) *torch.Tensor { return x.Flatten(1).ReLU() }, fmt.Sprint("Scale:", relu)},
		"matmul":         {func(x *torch.Tensor) *torch.Tensor { return last(x).MatMul(square.Reshape(8, 8)) }, "Conv"},
		"concat": {func(x *torch.Tensor) *torch.Tensor {
			return conv(torch.Cat([]*torch.Tensor{x, x.Neg()}, 1).Narrow(1, 4, 8))
		}, "Scale Slice Slice Concat Conv"},
		"shuffle": {func(x *torch.Tensor) *torch.Tensor {
			return conv(x.Unflatten(1, 2, 4).Transpose(1, 2).Flatten(1, torch.FlattenOptions{EndDim: new(2)}))
		}, "Shuffle Conv"},
		"channels": {func(x *torch.Tensor) *torch.Tensor {
			c := x.Chunk(4, torch.ChunkOptions{Dim: 1})
			return conv(torch.Cat([]*torch.Tensor{c[2], c[3], c[0], c[1]}, 1))
		}, "Slice Slice Concat Conv"},
		"crop":          {func(x *torch.Tensor) *torch.Tensor { return conv(x.Narrow(2, 1, 4).Narrow(3, 2, 3)) }, "Gather Conv"},
		"padded":        {func(x *torch.Tensor) *torch.Tensor { return conv(F.Pad(x, []int{0, 1, 2, 0})) }, "Gather Conv"},
		"more channels": {func(x *torch.Tensor) *torch.Tensor { return F.Pad(x, []int{0, 0, 0, 0, 1, 2}).ReLU() }, fmt.Sprint("Const Const Concat Scale:", relu)},
		"roll and back": {func(x *torch.Tensor) *torch.Tensor { return conv(x.Roll([]int{1, 2}, 2, 3).Roll([]int{-1, -2}, 2, 3)) }, "Conv"},
		"flip":          {func(x *torch.Tensor) *torch.Tensor { return x.Flip(3).ReLU().Add(x) }, fmt.Sprint("Scale:", relu, " Gather Add")},
		"pixels":        {func(x *torch.Tensor) *torch.Tensor { return conv(torch.Cat([]*torch.Tensor{x, x.ReLU()}, 2)) }, fmt.Sprint("Scale:", relu, " Gather Gather ConcatPixels Gather Conv")},
		"own pixels": {func(x *torch.Tensor) *torch.Tensor {
			return conv(torch.Cat([]*torch.Tensor{x.Narrow(2, 3, 3), x.Narrow(2, 0, 3)}, 2))
		}, "Gather Conv"},
		"stack": {func(x *torch.Tensor) *torch.Tensor { return torch.Stack([]*torch.Tensor{x, x}, 0).ReLU() }, fmt.Sprint("Scale:", relu, " Gather")},
		"nearest": {func(x *torch.Tensor) *torch.Tensor {
			return conv(F.Interpolate(x, F.InterpolateOptions{ScaleFactor: 2.0}))
		}, "Gather Conv"},
		"scatter": {func(x *torch.Tensor) *torch.Tensor {
			y := conv(x)
			y.Narrow(2, 1, 2).CopyInPlace(x.Narrow(2, 0, 2))
			return y
		}, "Conv Gather Gather Gather ConcatPixels"},
		"scatter deep": {func(x *torch.Tensor) *torch.Tensor {
			y := conv(x)
			y.Narrow(1, 1, 2).CopyInPlace(x.Narrow(1, 0, 2))
			return y
		}, "Conv Slice Slice Slice Concat"},
		"an island":      {func(x *torch.Tensor) *torch.Tensor { return conv(conv(x).Erf()) }, "Conv erf Conv"},
		"around it":      {func(x *torch.Tensor) *torch.Tensor { y := conv(x); return y.Erf().Add(y) }, "Conv erf Add"},
		"mixed":          {func(x *torch.Tensor) *torch.Tensor { return conv(x).Reshape(2, 4, 72) }, "Conv reshape"},
		"mixed and more": {func(x *torch.Tensor) *torch.Tensor { return conv(conv(x).Reshape(2, 36, 8).Reshape(2, 8, 6, 6)) }, "Conv Conv"},
		"outputs":        {func(x *torch.Tensor) *torch.Tensor { return conv(x).Reshape(2, 2, 4, 36).Permute(0, 1, 3, 2) }, "Conv"},
		"windows": {func(x *torch.Tensor) *torch.Tensor {
			return F.Linear(last(x).Reshape(2, 2, 3, 2, 3, 8).Permute(0, 1, 3, 2, 4, 5).Reshape(8, 9, 8), square.Reshape(8, 8), nil)
		}, "Conv Gather"},
		"one pixel": {func(x *torch.Tensor) *torch.Tensor {
			return F.Linear(last(x).Select(1, 3).Select(1, 2), square.Reshape(8, 8), nil)
		}, "Gather Conv"},
		"int":     {func(x *torch.Tensor) *torch.Tensor { return x.ToDType(torch.Int64).Abs().ToDType(torch.Float32).ReLU() }, fmt.Sprint("to.dtype abs to.dtype Scale:", relu)},
		"doubles": {func(x *torch.Tensor) *torch.Tensor { return x.ToDType(torch.Float64).ReLU() }, "to.dtype relu"},
	} {
		t.Run(name, func(t *testing.T) {
			torch.NoGrad(func() {
				steps := check(t, traced(t, c.f, 2, 8, 6, 6), 1e-5)
				require.Equal(t, c.want, described(steps))
			})
		})
	}
}

// TestAttention lowers attention, in the ways that models compute it.
func TestAttention(t *testing.T) {
	const n, l, heads, e = 2, 5, 2, 4
	qkv := nn.NewLinear(heads*e, 3*heads*e)
	mask := torch.Randn(heads, l, l)
	parts := func(x *torch.Tensor) []*torch.Tensor {
		return qkv.Forward(x).Reshape(n, l, 3, heads, e).Permute(2, 0, 3, 1, 4).Unbind(0)
	}
	back := func(y *torch.Tensor) *torch.Tensor { return y.Transpose(1, 2).Reshape(n, l, heads*e) }
	module := nn.NewMultiheadAttention(heads*e, heads, nn.MultiheadAttentionOptions{BatchFirst: true})
	nn.Eval(module)
	for name, c := range map[string]struct {
		f    function
		want string
	}{
		"fused": {func(x *torch.Tensor) *torch.Tensor {
			p := parts(x)
			return back(F.ScaledDotProductAttention(p[0], p[1], p[2]))
		}, "Conv Attention"},
		"by steps": {func(x *torch.Tensor) *torch.Tensor {
			p := parts(x)
			return back(p[0].MulScalar(0.3).MatMul(p[1].Transpose(-2, -1)).Softmax(-1).MatMul(p[2]))
		}, "Conv Attention"},
		"scaled keys": {func(x *torch.Tensor) *torch.Tensor {
			p := parts(x)
			return back(p[0].MatMul(p[1].MulScalar(0.3).Transpose(-2, -1)).DivScalar(2).Softmax(-1).MatMul(p[2]))
		}, "Conv Attention"},
		"with a mask": {func(x *torch.Tensor) *torch.Tensor {
			p := parts(x)
			return back(p[0].MatMul(p[1].Transpose(-2, -1)).Add(mask).MulScalar(0.5).Softmax(-1).MatMul(p[2]))
		}, "Conv Attention"},
		"with masks of samples": {func(x *torch.Tensor) *torch.Tensor {
			p := parts(x)
			s := p[0].MatMul(p[1].Transpose(-2, -1)).Add(mask).Reshape(1, n, heads, l, l).Add(torch.Arange(2).ToDType(torch.Float32).Reshape(2, 1, 1, 1).Expand(2, 1, l, l).Triu())
			return back(s.Reshape(n, heads, l, l).Softmax(-1).MatMul(p[2]))
		}, "Conv Attention"},
		"of other queries": {func(x *torch.Tensor) *torch.Tensor {
			p := parts(x)
			return F.ScaledDotProductAttention(p[0].Narrow(2, 0, 2), p[1], p[2])
		}, "Conv Gather Attention"},
		"scores are used": {func(x *torch.Tensor) *torch.Tensor {
			p := parts(x)
			s := p[0].MatMul(p[1].Transpose(-2, -1))
			return back(s.Softmax(-1).MatMul(p[2])).Add(s.Sum())
		}, ""},
		"of rows": {func(x *torch.Tensor) *torch.Tensor {
			p := parts(x)
			return back(p[0].MatMul(p[1].Transpose(-2, -1)).Softmax(-2).MatMul(p[2]))
		}, ""},
		"by cosines": {func(x *torch.Tensor) *torch.Tensor {
			p := parts(x)
			unit := func(x *torch.Tensor) *torch.Tensor { return F.Normalize(x, F.NormalizeOptions{Dim: new(-1)}) }
			s := unit(p[0]).MatMul(unit(p[1]).Transpose(-2, -1)).Mul(torch.Arange(2).ToDType(torch.Float32).AddScalar(1).Reshape(2, 1, 1))
			return back(s.Add(mask).Softmax(-1).MatMul(p[2]))
		}, "Conv Slice Slice Normalize Normalize Attention"},
		"lengths": {func(x *torch.Tensor) *torch.Tensor {
			p := parts(x)
			return back(p[0].Div(linalg.VectorNorm(p[1], 2, -1, linalg.VectorNormOptions{KeepDim: true})))
		}, "Conv Slice Slice linalg_vector_norm div.Tensor reshape"},
		"module": {func(x *torch.Tensor) *torch.Tensor { y, _ := module.Forward(x, x, x); return y }, "Conv Attention Conv"},
	} {
		t.Run(name, func(t *testing.T) {
			torch.NoGrad(func() {
				steps := check(t, traced(t, c.f, n, l, heads*e), 1e-5)
				if c.want == "" {
					require.True(t, slices.ContainsFunc(steps, func(s step) bool { return s.node != nil && s.node.Op == "aten::matmul" }))
				} else {
					require.Equal(t, c.want, described(steps))
				}
			})
		})
	}
}
