package graph

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// blocks returns a network with what a graph for a GPU treats apart: convolutions with normalizations, activations and residuals,
// layers of other kinds, and an operator that is given a dtype.
func blocks(d torch.Device) function {
	torch.ManualSeed(0)
	m := struct {
		Conv1, Conv2, Conv3 *nn.Conv2d
		Norm1, Norm2        *nn.BatchNorm2d
		Head                *nn.Linear
	}{
		nn.NewConv2d(3, 8, 3, nn.Conv2dOptions{Padding: 1}), nn.NewConv2d(8, 8, 3, nn.Conv2dOptions{Padding: 1, Groups: 4}), nn.NewConv2d(8, 8, 1),
		nn.NewBatchNorm2d(8), nn.NewBatchNorm2d(8), nn.NewLinear(8, 5),
	}
	nn.Eval(&m)
	nn.To(&m, d)
	return func(x *torch.Tensor) *torch.Tensor {
		x = F.ReLU(m.Norm1.Forward(m.Conv1.Forward(x)))
		y := F.ReLU(m.Norm2.Forward(m.Conv2.Forward(x)))
		x = F.ReLU(x.Add(m.Conv3.Forward(y)))
		x = F.Sigmoid(m.Conv3.Forward(x))
		return F.Softmax(m.Head.Forward(x.Mean(2, 3)), -1, F.SoftmaxOptions{DType: torch.Float32})
	}
}

// TestForGPU looks at a graph for a GPU, whose fused operators only run on one.
func TestForGPU(t *testing.T) {
	g := traced(t, blocks(torch.CPU), 2, 3, 10, 9)
	e, err := g.pure()
	require.NoError(t, err)
	_, err = e.simplified(0)
	require.NoError(t, err)
	e.forGPU(0)
	require.Equal(t, "cudnn_convolution_relu cudnn_convolution_relu cudnn_convolution_add_relu conv2d sigmoid mean.dim linear softmax.int", e.done().ops())
	for _, n := range e.Nodes[:4] {
		w := n.tensor(1).Tensor
		require.Equal(t, w.ToMemoryFormat(torch.ChannelsLast).Strides(), w.Strides(), "%v", n)
	}
	require.Equal(t, []any{e.Nodes[1].Results[0], e.Nodes[2].tensor(1), e.Nodes[0].Results[0], nil, e.Nodes[2].tensor(4), anys(1, 1), anys(0, 0), anys(1, 1), 1}, e.Nodes[2].Args)
	require.Equal(t, 4, e.Nodes[1].Args[6])
}

// TestCompute computes in other dtypes.
func TestCompute(t *testing.T) {
	g := traced(t, blocks(torch.CPU), 2, 3, 10, 9)
	for d, within := range map[torch.DType]float64{torch.BFloat16: 3e-2, torch.Float16: 4e-3, torch.Float64: 1e-6} {
		e, err := g.pure()
		require.NoError(t, err)
		_, err = e.simplified(0)
		require.NoError(t, err)
		e.channelsLast()
		e.compute(d)
		lean := e.done()
		for _, n := range lean.Nodes[:len(lean.Nodes)-1] {
			require.Equal(t, d, n.Results[0].DType, "%v", n)
		}
		same(t, g, lean, within)
		x := torch.Randn(2, 3, 10, 9)
		require.Equal(t, torch.Float32, lean.Run(x)[0].DType())
		require.NotZero(t, difference(g.Run(x)[0], lean.Run(x)[0]), "it is in float32")
	}
}

// TestGPUOptimize captures a graph, and runs it from many goroutines.
func TestGPUOptimize(t *testing.T) {
	if _, err := torch.CUDACount(t.Context()); err != nil {
		t.Skip(err)
	}
	onCPU, onGPU := blocks(torch.CPU), blocks(torch.CUDA)
	for d, within := range map[torch.DType]float64{0: 2e-3, torch.Float16: 1e-2, torch.BFloat16: 5e-2} { // cuDNN may compute in TF32
		var xs, ys []*torch.Tensor
		for range 8 {
			xs = append(xs, torch.Randn(2, 3, 10, 9))
			ys = append(ys, onCPU(xs[len(xs)-1]))
		}
		g, err := Trace(func(x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{onGPU(x[0])} }, []*torch.Tensor{xs[0].To(torch.CUDA)})
		require.NoError(t, err)
		o, err := Optimize(t.Context(), g, OptimizeOptions{DType: d, Untimed: true, Tolerance: within})
		require.NoError(t, err)
		require.Empty(t, o.Report().Reason)
		require.Positive(t, o.Report().Captured)
		var wg sync.WaitGroup
		for i, x := range xs {
			wg.Go(func() {
				for range 10 {
					y, err := o.Run(t.Context(), x.To(torch.CUDA))
					if assert.NoError(t, err) {
						assert.Less(t, difference(ys[i], y[0].To(torch.CPU)), within)
					}
				}
			})
		}
		wg.Wait()
	}
}
