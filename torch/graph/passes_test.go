package graph

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

type function = func(x *torch.Tensor) *torch.Tensor

// traced returns the graph of f.
func traced(t *testing.T, f function, shape ...int) *Graph {
	t.Helper()
	g, err := Trace(func(x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{f(x[0])} }, []*torch.Tensor{torch.Randn(shape...)})
	require.NoError(t, err)
	return g
}

// done returns the graph that an editor made.
func (e *editor) done() *Graph {
	if err := e.link(); err != nil {
		panic(err)
	}
	return e.Graph
}

// same requires that two graphs compute the same, within a part of the largest number.
func same(t *testing.T, want, got *Graph, within float64) {
	t.Helper()
	var inputs []*torch.Tensor
	for _, v := range want.Inputs {
		inputs = append(inputs, torch.Randn(v.Shape...))
	}
	before := inputs[0].Clone()
	a, b := want.Run(inputs...), got.Run(inputs...)
	for i := range a {
		require.Equal(t, a[i].Shape(), b[i].Shape())
		if d := difference(a[i], b[i]); d > within {
			t.Fatalf("the outputs %d differ by %g:\n%v\n%v", i, d, want, got)
		}
	}
	require.True(t, before.Equal(inputs[0]), "the input was written to")
}

// difference returns the largest difference of two tensors, relative to the largest number of the first.
func difference(a, b *torch.Tensor) float64 {
	return a.Sub(b).Abs().Max().Item() / max(a.Abs().Max().Item(), 1e-30)
}

// ops returns the names of the operators of a graph, without aten::.
func (g *Graph) ops() string {
	var names []string
	for _, n := range g.Nodes {
		names = append(names, strings.TrimPrefix(n.Op, "aten::"))
	}
	return strings.Join(names, " ")
}

func TestWithoutEffects(t *testing.T) {
	for name, c := range map[string]struct {
		f    function
		want string // the operators, or the error
	}{
		"whole":  {func(x *torch.Tensor) *torch.Tensor { y := x.Exp(); y.AddInPlace(x).ReLUInPlace(); return y.Sub(x) }, "exp add.Tensor relu sub.Tensor"},
		"a part": {func(x *torch.Tensor) *torch.Tensor { y := x.Exp(); y.Select(0, 1).ZeroInPlace(); return y }, "exp full select_scatter"},
		"part of a part": {func(x *torch.Tensor) *torch.Tensor {
			y := x.Exp()
			y.Select(0, 1).Narrow(0, 1, 2).NegInPlace()
			return y
		}, "exp select.int narrow neg slice_scatter select_scatter"},
		"copy": {func(x *torch.Tensor) *torch.Tensor {
			y := x.Exp()
			y.Narrow(1, 1, 2).CopyInPlace(x.Narrow(1, 0, 2))
			return y.Narrow(1, 0, 3)
		}, "exp narrow slice_scatter narrow"},
		"copy of a row": {func(x *torch.Tensor) *torch.Tensor { y := x.Exp(); y.CopyInPlace(x.Select(0, 0)); return y }, "select.int expand"},
		"a view is read": {func(x *torch.Tensor) *torch.Tensor {
			y := x.Exp()
			v := y.Select(0, 1)
			y.MulScalarInPlace(2)
			return v
		}, "exp mul.Tensor select.int"},
		"both are read": {func(x *torch.Tensor) *torch.Tensor {
			y := x.Exp()
			v := y.T()
			z := v.Abs()
			v.NegInPlace()
			return z.T().Add(y)
		}, "exp t abs neg t t add.Tensor"},
		"permuted":        {func(x *torch.Tensor) *torch.Tensor { y := x.Exp(); y.Permute(1, 0).NegInPlace(); return y }, "exp permute neg permute"},
		"chunk":           {func(x *torch.Tensor) *torch.Tensor { y := x.Exp(); y.Chunk(2)[1].ZeroInPlace(); return y }, "exp full slice_scatter"},
		"a view, written": {func(x *torch.Tensor) *torch.Tensor { y := x.Exp(); v := y.Reshape(-1); y.NegInPlace(); return v }, "the result of aten::reshape may or may not share memory that is written to"},
		"perhaps a view":  {func(x *torch.Tensor) *torch.Tensor { y := x.Exp(); y.Reshape(-1).NegInPlace(); return y }, "aten::neg_ writes to the result of aten::reshape, which may share the memory of exp"},
		"alone":           {func(x *torch.Tensor) *torch.Tensor { return x.Exp().Reshape(-1).NegInPlace() }, "exp reshape neg"},
		"diagonal":        {func(x *torch.Tensor) *torch.Tensor { y := x.Exp(); y.Diagonal().ZeroInPlace(); return y }, "aten::zero_ writes to a view that aten::diagonal made"},
		"transposed":      {func(x *torch.Tensor) *torch.Tensor { y := x.Exp(); y.TInPlace(); return y }, "aten::t_ writes to an argument"},
		"another dtype": {func(x *torch.Tensor) *torch.Tensor {
			y := x.Exp()
			return y.AddInPlace(x.ToDType(torch.Float64))
		}, "aten::add_.Tensor writes to an argument"},
	} {
		t.Run(name, func(t *testing.T) {
			g := traced(t, c.f, 4, 4)
			e := g.edit()
			if err := e.withoutEffects(); err != nil {
				require.EqualError(t, err, c.want)
				return
			}
			require.Equal(t, c.want, e.ops())
			same(t, g, e.done(), 0)
		})
	}
}

func TestClean(t *testing.T) {
	for name, c := range map[string]struct {
		f    function
		want string
	}{
		"nothing":                    {func(x *torch.Tensor) *torch.Tensor { return F.Dropout(x.Clone().Detach().Contiguous(), 0.5, false) }, ""},
		"reshapes":                   {func(x *torch.Tensor) *torch.Tensor { return x.Flatten(0).Unsqueeze(0).Unflatten(1, 2, 8).View(4, 4) }, ""},
		"a reshape of a permutation": {func(x *torch.Tensor) *torch.Tensor { return x.T().Contiguous().View(2, 8) }, "permute reshape"},
		"permutations":               {func(x *torch.Tensor) *torch.Tensor { return x.Reshape(2, 2, 4).Permute(1, 2, 0).Transpose(0, 2) }, "reshape permute"},
		"none of them":               {func(x *torch.Tensor) *torch.Tensor { return x.T().Transpose(0, 1) }, ""},
		"of one element":             {func(x *torch.Tensor) *torch.Tensor { return x.Unsqueeze(1).Transpose(0, 1).Exp() }, "reshape exp"},
		"parts": {func(x *torch.Tensor) *torch.Tensor {
			c := x.Chunk(2, torch.ChunkOptions{Dim: 1})
			return c[0].Sub(c[1])
		}, "slice.Tensor slice.Tensor sub.Tensor"},
		"rows":      {func(x *torch.Tensor) *torch.Tensor { return x.Select(0, -1).Add(x.Unbind(0)[0]) }, "slice.Tensor reshape slice.Tensor reshape add.Tensor"},
		"all of it": {func(x *torch.Tensor) *torch.Tensor { return x.Narrow(0, 0, 4).Index(torch.All, torch.Slice(0, 10)) }, ""},
		"steps":     {func(x *torch.Tensor) *torch.Tensor { return x.Index(torch.Slice(-3, 4, 2)).Neg() }, "slice.Tensor neg"},
		"expand":    {func(x *torch.Tensor) *torch.Tensor { return x.Expand(2, 4, 4).ExpandAs(torch.Ones(2, 4, 4)) }, "expand"},
		"pool":      {func(x *torch.Tensor) *torch.Tensor { return F.AdaptiveAvgPool2d(x.Unsqueeze(0), 4) }, "reshape"},
		"dead":      {func(x *torch.Tensor) *torch.Tensor { x.Exp(); return x.Neg() }, "neg"},
	} {
		t.Run(name, func(t *testing.T) {
			g := traced(t, c.f, 4, 4)
			e := g.edit()
			require.NoError(t, e.withoutEffects())
			e.clean()
			require.Equal(t, c.want, e.ops())
			same(t, g, e.done(), 0)
		})
	}
}

func TestFold(t *testing.T) {
	w := torch.Randn(4, 4)
	g := traced(t, func(x *torch.Tensor) *torch.Tensor { return x.MatMul(w.T().Exp()).Add(torch.Arange(4)) }, 2, 4)
	e := g.edit()
	e.fold()
	require.Equal(t, "matmul add.Tensor", e.ops())
	require.Len(t, e.Constants, 2)
	same(t, g, e.done(), 0)
}

func TestFoldBatchNorm(t *testing.T) {
	norm := func(n nn.Module) nn.Module {
		torch.NoGrad(func() {
			for _, s := range nn.StateDict(n) {
				if s.Tensor.DType() == torch.Float32 {
					s.Tensor.UniformInPlace(0.5, 1.5)
				}
			}
		})
		nn.Eval(n)
		return n
	}
	for name, c := range map[string]struct {
		m     nn.Sequential
		shape []int
		want  string
	}{
		"conv1d":           {nn.Sequential{nn.NewConv1d(4, 6, 3), norm(nn.NewBatchNorm1d(6))}, []int{2, 4, 8}, "conv1d"},
		"conv2d":           {nn.Sequential{nn.NewConv2d(4, 6, 3, nn.Conv2dOptions{Groups: 2, NoBias: true}), norm(nn.NewBatchNorm2d(6)), &nn.ReLU{}}, []int{2, 4, 8, 8}, "conv2d relu"},
		"not affine":       {nn.Sequential{nn.NewConv2d(4, 6, 3), norm(nn.NewBatchNorm2d(6, nn.BatchNorm2dOptions{NoAffine: true}))}, []int{2, 4, 8, 8}, "conv2d"},
		"conv3d":           {nn.Sequential{nn.NewConv3d(2, 3, 2), norm(nn.NewBatchNorm3d(3))}, []int{1, 2, 4, 4, 4}, "conv3d"},
		"transposed":       {nn.Sequential{nn.NewConvTranspose2d(4, 6, 2, nn.ConvTranspose2dOptions{Groups: 2, Stride: 2}), norm(nn.NewBatchNorm2d(6))}, []int{1, 4, 3, 3}, "conv_transpose2d.input"},
		"linear":           {nn.Sequential{nn.NewLinear(4, 6), norm(nn.NewBatchNorm1d(6))}, []int{3, 4}, "linear"},
		"linear of tokens": {nn.Sequential{nn.NewLinear(4, 6), norm(nn.NewBatchNorm1d(5))}, []int{3, 5, 4}, "linear batch_norm"},
		"alone":            {nn.Sequential{&nn.ReLU{}, norm(nn.NewBatchNorm2d(4))}, []int{1, 4, 3, 3}, "relu batch_norm"},
		"while training":   {nn.Sequential{nn.NewConv2d(4, 6, 3), nn.NewBatchNorm2d(6, nn.BatchNorm2dOptions{NoRunningStats: true})}, []int{2, 4, 8, 8}, "conv2d batch_norm"},
	} {
		t.Run(name, func(t *testing.T) {
			g := traced(t, c.m.Forward, c.shape...)
			e := g.edit()
			e.foldBatchNorm()
			require.Equal(t, c.want, e.ops())
			same(t, g, e.done(), 1e-5) // products of other numbers are rounded
		})
	}
	t.Run("used twice", func(t *testing.T) {
		conv, n := nn.NewConv2d(4, 4, 1), norm(nn.NewBatchNorm2d(4))
		g := traced(t, func(x *torch.Tensor) *torch.Tensor { y := conv.Forward(x); return n.Forward(y).Add(y) }, 1, 4, 3, 3)
		e := g.edit()
		e.foldBatchNorm()
		require.Equal(t, "conv2d batch_norm add.Tensor", e.ops())
	})
}
