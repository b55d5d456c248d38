package graph_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

func ExampleTrace() {
	model := nn.Sequential{nn.NewLinear(3, 4), &nn.ReLU{}}
	g, err := graph.Trace(func(x ...*torch.Tensor) []*torch.Tensor {
		return []*torch.Tensor{model.Forward(x[0]).AddScalar(1)}
	}, []*torch.Tensor{torch.Ones(2, 3)}, graph.TraceOptions{Names: nn.StateDict(model)})
	if err != nil {
		panic(err)
	}
	fmt.Println(g)
	// Output:
	// graph(x0: float32[2, 3]):
	//   linear: float32[2, 4] = aten::linear(x0, 0.weight, 0.bias)
	//   relu: float32[2, 4] = aten::relu(linear)
	//   add: float32[2, 4] = aten::add.Tensor(relu, 1, 1)
	//   return add
}

type function = func(x ...*torch.Tensor) []*torch.Tensor

func one(f func(x *torch.Tensor) *torch.Tensor) function {
	return func(x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{f(x[0])} }
}

// TestRun compares graphs with the functions that they are of, on other inputs, bit for bit.
func TestRun(t *testing.T) {
	w := torch.Randn(5, 4)
	for name, f := range map[string]function{
		"in place": one(func(x *torch.Tensor) *torch.Tensor {
			y := x.MulScalar(2)
			y.AddInPlace(x).ReLUInPlace()
			return y.Sub(x)
		}),
		"write to a part": one(func(x *torch.Tensor) *torch.Tensor { y := x.Clone(); y.Select(0, 0).ZeroInPlace(); return y }),
		"lists": one(func(x *torch.Tensor) *torch.Tensor {
			p := x.Chunk(2, torch.ChunkOptions{Dim: 1})
			return torch.Cat([]*torch.Tensor{p[1], p[0], x}, 1)
		}),
		"two results":    func(x ...*torch.Tensor) []*torch.Tensor { v, i := x[0].MaxDim(1); return []*torch.Tensor{i, v} },
		"a tensor in it": one(func(x *torch.Tensor) *torch.Tensor { return x.Add(torch.FromSlice([]float32{1, 2, 3, 4})) }),
		"made in it":     one(func(x *torch.Tensor) *torch.Tensor { return x.Add(torch.Arange(4)).Mul(torch.Full(0.5, 1)) }),
		"indices": one(func(x *torch.Tensor) *torch.Tensor {
			return x.Index(torch.FromSlice([]int64{1, 0, 1}), torch.Slice(0, 3))
		}),
		"None in a list":   one(func(x *torch.Tensor) *torch.Tensor { return x.Index(torch.All, torch.FromSlice([]int64{3, 1})) }),
		"numbers":          one(func(x *torch.Tensor) *torch.Tensor { return x.RSubScalar(1).DivScalar(3).PowScalar(2).ClampMin(0.1) }),
		"an input":         one(func(x *torch.Tensor) *torch.Tensor { return x }),
		"a constant":       one(func(x *torch.Tensor) *torch.Tensor { return w }),
		"a view":           one(func(x *torch.Tensor) *torch.Tensor { return x.T().Reshape(2, 4) }),
		"known values":     one(func(x *torch.Tensor) *torch.Tensor { return x.MulScalar(torch.Arange(3).Sum().Item()) }),
		"no random number": one(func(x *torch.Tensor) *torch.Tensor { return F.Dropout(x, 0.5, false) }),
		"attention": one(func(x *torch.Tensor) *torch.Tensor {
			q := x.Reshape(1, 2, 4)
			return F.ScaledDotProductAttention(q, q, q)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			g, err := graph.Trace(f, []*torch.Tensor{torch.Randn(2, 4)})
			require.NoError(t, err)
			x := torch.Randn(2, 4)
			want := f(x.Clone())
			got := g.Run(x)
			require.Len(t, got, len(want))
			for i := range want {
				require.True(t, want[i].Equal(got[i]), "%v\n%v\n%v", g, want[i], got[i])
			}
			g.Run(x) // once more: nothing that the graph owns is freed
		})
	}
}

// TestGradients runs a graph where autograd records.
func TestGradients(t *testing.T) {
	w := torch.Options{RequiresGrad: true}.Randn(4, 4)
	f := one(func(x *torch.Tensor) *torch.Tensor { return x.MatMul(w).Tanh().Sum() })
	g, err := graph.Trace(f, []*torch.Tensor{torch.Randn(2, 4)}, graph.TraceOptions{Names: torch.StateDict{{Name: "w", Tensor: w}}})
	require.NoError(t, err)
	require.Len(t, g.Constants, 1)
	require.Equal(t, "w", g.Constants[0].Name)
	x := torch.Randn(2, 4)
	f(x)[0].Backward()
	want := w.Grad().Clone()
	w.SetGrad(nil)
	g.Run(x)[0].Backward()
	require.True(t, want.Equal(w.Grad()))
}

// TestScript traces a TorchScript program as it traces functions of Go.
func TestScript(t *testing.T) {
	m, err := jit.LoadBytes(builtin.Model())
	require.NoError(t, err)
	defer m.Close()
	f := one(func(x *torch.Tensor) *torch.Tensor {
		y, err := m.Forward(x)
		require.NoError(t, err)
		return y.(*torch.Tensor)
	})
	state := m.StateDict()
	g, err := graph.Trace(f, []*torch.Tensor{torch.Randn(1, 3, 40, 40)}, graph.TraceOptions{Names: state})
	require.NoError(t, err)
	require.NotEmpty(t, g.Constants)
	for _, c := range g.Constants {
		require.NotNil(t, state.Get(c.Name), c.Name)
	}
	x := torch.Randn(1, 3, 40, 40)
	require.True(t, f(x)[0].Equal(g.Run(x)[0]))
}

// TestRefused has what a graph cannot be of: the error names the operator.
func TestRefused(t *testing.T) {
	buffer := torch.Zeros(4)
	norm := nn.NewBatchNorm1d(4)
	for name, c := range map[string]struct {
		f    function
		want string
	}{
		"an element":     {one(func(x *torch.Tensor) *torch.Tensor { return x.MulScalar(x.Sum().Item()) }), "aten::item reads values that depend on the inputs"},
		"all elements":   {one(func(x *torch.Tensor) *torch.Tensor { return torch.FromSlice(torch.Data[float32](x.Exp())) }), "its values depend on the inputs"},
		"a comparison":   {one(func(x *torch.Tensor) *torch.Tensor { x.Equal(x.AddScalar(1)); return x }), "aten::equal reads values"},
		"a shape":        {one(func(x *torch.Tensor) *torch.Tensor { return x.Nonzero() }), "the shape of the result of aten::nonzero depends on"},
		"a mask":         {one(func(x *torch.Tensor) *torch.Tensor { return x.Index(x.GtScalar(0)) }), "the shape of the result of aten::index depends on"},
		"an input":       {one(func(x *torch.Tensor) *torch.Tensor { return x.AddInPlace(x) }), "aten::add_ writes to an input of the graph"},
		"part of one":    {one(func(x *torch.Tensor) *torch.Tensor { x.Select(0, 1).ZeroInPlace(); return x }), "aten::zero_ writes to an input of the graph"},
		"a parameter":    {one(func(x *torch.Tensor) *torch.Tensor { x = x.Add(buffer); buffer.AddInPlace(x.SumDim(0)); return x }), "aten::add_ writes to a parameter or another tensor from outside"},
		"another tensor": {one(func(x *torch.Tensor) *torch.Tensor { return buffer.AddInPlace(x.SumDim(0)) }), "aten::add_ writes to a tensor from outside"},
		"dropout":        {one(func(x *torch.Tensor) *torch.Tensor { return F.Dropout(x, 0.5, true) }), "aten::dropout draws random numbers"},
		"random numbers": {one(func(x *torch.Tensor) *torch.Tensor { return x.Add(torch.Randn(4)) }), "aten::randn draws random numbers"},
		"a generator": {one(func(x *torch.Tensor) *torch.Tensor {
			return x.Clone().NormalInPlace(0, 1, torch.RandomOptions{Generator: torch.NewGenerator(torch.CPU)})
		}), "draws random numbers"},
		"a norm":    {one(norm.Forward), "writes to a"},
		"a sparse":  {one(func(x *torch.Tensor) *torch.Tensor { return x.ToSparse() }), "a graph has dense tensors only"},
		"a mistake": {one(func(x *torch.Tensor) *torch.Tensor { return x.MatMul(x) }), "aten::matmul"},
	} {
		t.Run(name, func(t *testing.T) {
			x := torch.Ones(2, 4)
			g, err := graph.Trace(c.f, []*torch.Tensor{x})
			require.ErrorContains(t, err, c.want)
			require.Nil(t, g)
			_, err = graph.Trace(one((*torch.Tensor).ReLU), []*torch.Tensor{x})
			require.NoError(t, err, "the next one")
		})
	}
}

// TestHandled traces a function that handles the error of an operator: the failed call is not in the graph.
func TestHandled(t *testing.T) {
	g, err := graph.Trace(one(func(x *torch.Tensor) *torch.Tensor {
		y := x.Exp()
		if torch.Try(func() { y = x.MatMul(x) }) == nil {
			panic("a product of these shapes")
		}
		return y.Neg()
	}), []*torch.Tensor{torch.Ones(2, 4)})
	require.NoError(t, err)
	require.Len(t, g.Nodes, 2)
}

func TestOtherInputs(t *testing.T) {
	g, err := graph.Trace(one((*torch.Tensor).ReLU), []*torch.Tensor{torch.Ones(2, 4)})
	require.NoError(t, err)
	for want, x := range map[string][]*torch.Tensor{
		"0 inputs are given, and the graph has 1": nil,
		"input 0 is nil": {nil},
		"input 0 is float32[3, 4], and the graph was made for float32[2, 4]": {torch.Ones(3, 4)},
		"input 0 is float64[2, 4]": {torch.Options{DType: torch.Float64}.Ones(2, 4)},
	} {
		require.ErrorContains(t, torch.Try(func() { g.Run(x...) }), want)
	}
}

// TestGoroutines runs one graph in many goroutines, and traces in others.
func TestGoroutines(t *testing.T) {
	model := nn.Sequential{nn.NewLinear(8, 8), &nn.Tanh{}, nn.NewLinear(8, 2)}
	f := one(model.Forward)
	g, err := graph.Trace(f, []*torch.Tensor{torch.Randn(3, 8)})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for range 20 {
				x := torch.Randn(3, 8)
				assert.True(t, f(x)[0].Equal(g.Run(x)[0]))
			}
			if i%8 == 0 {
				h, err := graph.Trace(f, []*torch.Tensor{torch.Randn(5, 8)})
				assert.NoError(t, err)
				assert.Len(t, h.Nodes, len(g.Nodes))
			}
		})
	}
	wg.Wait()
}

func ExampleGraph_DOT() {
	bias := torch.Ones(3)
	g, err := graph.Trace(one(func(x *torch.Tensor) *torch.Tensor { return x.Add(bias).Exp() }), []*torch.Tensor{torch.Ones(3)}, graph.TraceOptions{Names: torch.StateDict{{Name: "bias", Tensor: bias}}})
	if err != nil {
		panic(err)
	}
	fmt.Print(g.DOT())
	// Output:
	// digraph {
	//   node [shape=box, fontname=Helvetica]
	//   edge [fontname=Helvetica, fontsize=10]
	//   i0 [label="x0: float32[3]", style=rounded]
	//   n0 [label="aten::add.Tensor\nbias: float32[3]"]
	//   i0 -> n0 [label="float32[3]"]
	//   n1 [label="aten::exp"]
	//   n0 -> n1 [label="float32[3]"]
	//   o0 [label="exp", style=rounded]
	//   n1 -> o0 [label="float32[3]"]
	// }
}
