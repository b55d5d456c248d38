package export_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/modeltest"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	_ "github.com/torchhub/torchhub/models/all"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/export"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

type function = func(x ...*torch.Tensor) []*torch.Tensor

// saved traces a function, saves the graph, and loads it again, which must compute the same.
func saved(t *testing.T, path string, f function, state torch.StateDict, inputs ...*torch.Tensor) (want []*torch.Tensor) {
	t.Helper()
	g, err := graph.Trace(f, inputs, graph.TraceOptions{Names: state})
	require.NoError(t, err)
	require.NoError(t, export.Save(path, g, export.SaveOptions{State: state}))
	p, err := export.Load(path, export.LoadOptions{Trusted: true}) // nn.MultiheadAttention calls _native_multi_head_attention
	require.NoError(t, err)
	torch.Run(func() { torch.NoGrad(func() { want = f(inputs...) }) }) // where the program runs, with as many threads
	var got []*torch.Tensor
	torch.NoGrad(func() { got, err = p.Run(inputs...) })
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i := range want {
		require.True(t, want[i].Equal(got[i]), "output %d", i)
	}
	again := p.StateDict()
	require.Len(t, again, len(state))
	for _, e := range state {
		x := again.Get(e.Name)
		require.NotNil(t, x, e.Name)
		require.True(t, e.Tensor.Equal(x), e.Name)
		require.Equal(t, e.Tensor.RequiresGrad(), x.RequiresGrad(), e.Name)
	}
	return want
}

// written are functions with arguments of every kind.
func written() map[string]struct {
	f      function
	state  torch.StateDict
	inputs []*torch.Tensor
} {
	net := nn.Sequential{nn.NewConv2d(3, 4, 3, nn.Conv2dOptions{Padding: 1}), nn.NewBatchNorm2d(4), &nn.ReLU{}, nn.NewMaxPool2d(2), &nn.Flatten{}, nn.NewLinear(64, 5)}
	nn.Eval(net)
	w := torch.Randn(6, 4)
	shared := torch.Randn(10)
	return map[string]struct {
		f      function
		state  torch.StateDict
		inputs []*torch.Tensor
	}{
		"net": {func(x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{net.Forward(x[0])} }, nn.StateDict(net), []*torch.Tensor{torch.Randn(2, 3, 8, 8)}},
		"arguments": {func(x ...*torch.Tensor) []*torch.Tensor {
			y := x[0].MatMul(w.T()).Add(torch.FromSlice([]float64{1, 2, 3, 4, 5, 6}).ToDType(torch.Float32))
			p := y.Chunk(2, torch.ChunkOptions{Dim: 1})
			values, indices := torch.Cat([]*torch.Tensor{p[1], p[0], y}, 1).MaxDim(1)
			picked := y.Index(torch.FromSlice([]int64{1, 0, 1}), torch.Slice(0, 3))
			masked := y.Index(torch.All, torch.FromSlice([]int64{3, 1})).PowScalar(2).ClampMin(0.25)
			return []*torch.Tensor{values, indices, picked, masked.ToDType(torch.Float64), torch.Full(0.5, 2, 3).Mul(x[1]), F.Pad(y, []int{1, 1}), F.Softmax(y, 1)}
		}, nil, []*torch.Tensor{torch.Randn(3, 4), torch.Randn(2, 3)}},
		"shared": {func(x ...*torch.Tensor) []*torch.Tensor {
			return []*torch.Tensor{x[0].Mul(shared.Narrow(0, 2, 5)).Add(shared.Narrow(0, 0, 5))}
		}, torch.StateDict{{Name: "part", Tensor: shared.Narrow(0, 2, 5)}, {Name: "a-b.0", Tensor: shared.Narrow(0, 0, 5)}, {Name: "unused", Tensor: torch.Ones(2)}}, []*torch.Tensor{torch.Randn(5)}},
		"in place": {func(x ...*torch.Tensor) []*torch.Tensor {
			y := x[0].MulScalar(2)
			y.Select(0, 0).ZeroInPlace()
			return []*torch.Tensor{y, y.AddInPlace(x[0]).ReLUInPlace()}
		}, nil, []*torch.Tensor{torch.Randn(3, 4)}},
		"attention": {func(x ...*torch.Tensor) []*torch.Tensor {
			q := x[0].Reshape(1, 2, 4)
			return []*torch.Tensor{F.ScaledDotProductAttention(q, q, q), F.Dropout(q, 0.5, false), F.Interpolate(x[0].Unsqueeze(0), F.InterpolateOptions{Size: 7})}
		}, nil, []*torch.Tensor{torch.Randn(2, 4)}},
	}
}

// TestSave saves graphs and runs them again in Go.
func TestSave(t *testing.T) {
	for name, c := range written() {
		t.Run(name, func(t *testing.T) { saved(t, filepath.Join(t.TempDir(), "p.pt2"), c.f, c.state, c.inputs...) })
	}
}

const savedScript = `
import torch
torch.set_num_threads(1)

def flat(x):
	return [x] if isinstance(x, torch.Tensor) else list(x)

def run(path, inputs, decomposed=False):
	program = torch.export.load(path)
	if decomposed:
		program = program.run_decompositions()
	with torch.no_grad():
		torch.save(flat(program.module()(*torch.load(inputs))), path + ".out")
	s = program.graph_signature
	return [list(s.parameters), list(s.buffers), sorted(program.state_dict), type(program.state_dict[list(s.parameters)[0]]).__name__ if s.parameters else ""]
`

// runInPython compares what Python computes of a saved program.
func runInPython(t *testing.T, p *reference.Process, path string, want []*torch.Tensor, inputs ...*torch.Tensor) []any {
	t.Helper()
	require.NoError(t, torch.Save(path+".in", inputs))
	var signature []any
	p.Call(&signature, "run", path, path+".in")
	out, err := torch.Load(path + ".out")
	require.NoError(t, err)
	all := make([]torch.Value, len(want))
	for i, x := range want {
		all[i] = x
	}
	same(t, "Python", all, out)
	return signature
}

// TestSaveLive runs saved graphs in Python.
func TestSaveLive(t *testing.T) {
	p := reference.Start(t, savedScript)
	for name, c := range written() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "p.pt2")
			want := saved(t, path, c.f, c.state, c.inputs...)
			signature := runInPython(t, p, path, want, c.inputs...)
			if name == "net" {
				require.Equal(t, []any{"0.weight", "0.bias", "1.weight", "1.bias", "5.weight", "5.bias"}, signature[0])
				require.Equal(t, []any{"1.running_mean", "1.running_var", "1.num_batches_tracked"}, signature[1])
				require.Len(t, signature[2], 9)
				require.Equal(t, "Parameter", signature[3])
			}
		})
	}
}

// TestSaveModelsLive runs models of Go in Python: one, and 20 with TORCHHUB_TEST_LARGE=1.
func TestSaveModelsLive(t *testing.T) {
	p := reference.Start(t, savedScript)
	names := []string{"squeezenet1_1"}
	if os.Getenv("TORCHHUB_TEST_LARGE") == "1" {
		names = []string{
			"alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "maxvit_t", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small",
			"regnet_x_400mf", "regnet_y_400mf", "resnet18", "resnet50", "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "swin_v2_t", "vgg11_bn", "vit_b_16",
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			torch.Scope(func() {
				e, err := models.Lookup(name)
				require.NoError(t, err)
				torch.ManualSeed(0)
				m := e.Build()
				nn.Eval(m)
				x := torch.Randn(append([]int{2}, torchvision[name]...)...)
				f := func(x ...*torch.Tensor) []*torch.Tensor { return modeltest.Outputs(t, m, x) }
				path := filepath.Join(t.TempDir(), "p.pt2")
				want := saved(t, path, f, nn.StateDict(m), x)
				runInPython(t, p, path, want, x)
			})
		})
	}
}

// TestSaveRefused saves what has no form in a file.
func TestSaveRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.pt2")
	x := torch.Ones(2)
	g, err := graph.Trace(func(x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{x[0].Exp()} }, []*torch.Tensor{x})
	require.NoError(t, err)
	require.ErrorContains(t, export.Save(path, g, export.SaveOptions{State: torch.StateDict{{Name: "a.lambda", Tensor: x}}}), `"a.lambda"`)
	require.ErrorContains(t, export.Save(path, g, export.SaveOptions{State: torch.StateDict{{Name: "a", Tensor: x}, {Name: "a", Tensor: x}}}), `named "a"`)
	require.ErrorContains(t, export.Save(path, g, export.SaveOptions{State: torch.StateDict{{Name: "a"}}}), `"a" of State is nil`)
	require.ErrorContains(t, export.Save(path, g, export.SaveOptions{State: torch.StateDict{{Name: "a", Tensor: x.ToSparse()}}}), "not dense")
	p, err := export.Load("testdata/net.pt2")
	require.NoError(t, err)
	require.ErrorIs(t, export.Save(path, p.Graph()), torch.ErrUnsupported)
	require.NoFileExists(t, path)
}
