package raft

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// small has two levels, so that pictures of 32 pixels are enough.
var small = Config{
	FeatureLayers: [5]int{8, 8, 8, 8, 8}, ContextLayers: [5]int{8, 8, 8, 8, 16}, Bottleneck: true, Levels: 2, Radius: 1,
	CorrLayers: []int{8}, FlowLayers: [2]int{8, 8}, MotionChannels: 8, Hidden: 8, Kernels: [][2]int{{3, 3}}, FlowHidden: 8,
}

func TestBadInput(t *testing.T) {
	m := New(small)
	for _, shapes := range [][2][]int{{{1, 3, 32, 40}, {1, 3, 40, 32}}, {{1, 1, 32, 32}, {1, 1, 32, 32}}, {{3, 32, 32}, {3, 32, 32}}} {
		err := torch.Try(func() { m.Forward(torch.Zeros(shapes[0]...), torch.Zeros(shapes[1]...)) })
		require.ErrorContains(t, err, "give two batches of pictures [N, 3, H, W] of the same shape")
	}
	for _, shape := range [][]int{{1, 3, 32, 36}, {1, 3, 24, 40}} {
		x := torch.Zeros(shape...)
		err := torch.Try(func() { m.Forward(x, x) })
		require.ErrorContains(t, err, "give pictures whose sides are multiples of 8 and at least 32")
	}
	require.ErrorContains(t, torch.Try(func() { New(Config{Kernels: [][2]int{}}) }), "there are 2 CorrLayers and 0 Kernels; give one or two")
	require.ErrorContains(t, torch.Try(func() { New(Config{Hidden: 256}) }), "the 256 channels of the context are not more than the 256 of the hidden state")
	_, err := models.Configure("raft_small", []byte(`{"num_classes": 2}`))
	require.ErrorContains(t, err, `there is no argument "num_classes"`)
}

// TestGradients shows that the last flow has gradients of all parameters, which Free of intermediate results does not harm.
func TestGradients(t *testing.T) {
	m := New(small)
	flows := m.Forward(torch.Randn(2, 3, 32, 40), torch.Randn(2, 3, 32, 40), models.FlowOptions{Updates: 3})
	require.Len(t, flows, 3)
	flows[2].Sum().Backward()
	for _, e := range nn.StateDict(m) {
		if e.Tensor.RequiresGrad() {
			require.NotNil(t, e.Tensor.Grad(), e.Name)
		}
	}
}
