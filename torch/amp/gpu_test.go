package amp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/amp"
	"github.com/torchhub/torchhub/torch/nn/functional"
)

// TestGPUAutocast trains on a GPU with autocast and a GradScaler.
func TestGPUAutocast(t *testing.T) {
	if _, err := torch.CUDACount(t.Context()); err != nil {
		t.Skip(err)
	}
	o := torch.Options{Device: torch.CUDA}
	torch.ManualSeed(0)
	w1, w2 := o.Randn(8, 32).MulScalar(0.3).RequireGrad(true), o.Randn(32, 1).MulScalar(0.3).RequireGrad(true)
	opt := &sgd{parameters: []*torch.Tensor{w1, w2}, lr: 0.05}
	s := amp.NewGradScaler(torch.CUDA, amp.GradScalerOptions{InitScale: new(float64(1 << 20)), GrowthInterval: new(50)})
	require.True(t, s.IsEnabled())
	x := o.Randn(64, 8)
	y := x.Sum(1).Unsqueeze(1)
	var first, last float64
	for step := range 100 {
		w1.ZeroGrad()
		w2.ZeroGrad()
		var loss *torch.Tensor
		amp.Autocast(torch.CUDA, func() {
			torch.Run(func() {
				h := x.MatMul(w1)
				require.Equal(t, torch.Float16, h.DType())
				require.Equal(t, torch.Float32, h.Softmax(1).DType())
				loss = functional.MSELoss(h.ReLU().MatMul(w2), y)
				require.Equal(t, torch.Float32, loss.DType())
			})
		})
		s.Scale(loss).Backward()
		require.Equal(t, torch.Float32, w1.Grad().DType())
		s.Step(opt)
		s.Update()
		if last = loss.Item(); step == 0 {
			first = last
		}
	}
	require.Less(t, last, first/5)
	require.Less(t, s.ScaleFactor(), float64(1<<20)) // it overflowed
	require.Less(t, 50, opt.steps)
	amp.Autocast(torch.CUDA, func() { require.Equal(t, torch.BFloat16, x.MatMul(w1).DType()) }, amp.AutocastOptions{DType: torch.BFloat16})
	require.Equal(t, torch.Float32, x.MatMul(w1).DType())
}
