package nn_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// TestClipLive compares the clipping of gradients, vectors of parameters and fused layers with PyTorch's bit for bit.
func TestClipLive(t *testing.T) { live(t, clipLive) }

func clipLive(t *testing.T, p *torchtest.Interpreter) {
	var gs []*torch.Tensor
	for _, shape := range [][]int{{3, 4}, {}, {40, 30}, {7}, {0}} {
		gs = append(gs, torch.Randn(shape...))
	}
	mixed := []*torch.Tensor{torch.Randn(5), torch.Options{DType: torch.Float64}.Randn(4), torch.Randn(6), torch.Options{DType: torch.BFloat16}.Randn(9), torch.Options{DType: torch.Float64}.Randn(300)}
	for _, list := range [][]*torch.Tensor{gs, mixed, nil} {
		for _, order := range []float64{2, 1, 3.5, math.Inf(1), 0} {
			if order == math.Inf(1) && len(list) == 5 && list[4].Numel() == 0 {
				list = list[:4]
			}
			var ps []*torch.Tensor
			for _, g := range list {
				x := torch.ZerosLike(g).RequireGrad(true)
				x.SetGrad(g.Clone())
				ps = append(ps, x)
			}
			want := p.Call("clip", list, 1.5, order)
			ps = append(ps, torch.Zeros(2).RequireGrad(true)) // without a gradient
			total := nn.ClipGradNorm(ps, 1.5, nn.ClipGradNormOptions{NormType: &order})
			var got []*torch.Tensor
			for _, x := range ps[:len(list)] {
				got = append(got, x.Grad().Clone())
			}
			nn.ClipGradValue(ps, 0.01)
			var limited []*torch.Tensor
			for _, x := range ps[:len(list)] {
				limited = append(limited, x.Grad())
			}
			require.NoError(t, torchtest.CheckClose([]any{total, got, limited}, want, exactly), "%v %v", list, order)
		}
	}

	m := nn.Sequential{nn.NewLinear(4, 3), nn.NewLinear(3, 2)}
	v := nn.ParametersToVector(nn.Parameters(m))
	require.NoError(t, torchtest.CheckClose(v.Detach(), p.Call("lambda d: torch.cat([x.view(-1) for x in d.values()])", nn.StateDict(m))))
	vector := torch.Arange(30.0)
	nn.VectorToParameters(vector, nn.Parameters(m))
	require.Equal(t, 12.0, m[0].(*nn.Linear).Bias.Select(0, 0).Item())
	vector.FillInPlace(5)
	require.Equal(t, 5.0, m[0].(*nn.Linear).Bias.Select(0, 0).Item(), "they share memory")
	require.True(t, m[0].(*nn.Linear).Weight.RequiresGrad())

	for _, c := range []struct {
		python string
		g      func() any
	}{
		{"fuse_conv_bn_eval(nn.Conv2d(3, 4, 2), norm(nn.BatchNorm2d(4)))", func() any { return nn.FuseConvBNEval(nn.NewConv2d(3, 4, 2), norm(nn.NewBatchNorm2d(4))) }},
		{"fuse_conv_bn_eval(nn.Conv1d(3, 4, 2, bias=False), norm(nn.BatchNorm1d(4, affine=False, eps=0.1)))", func() any {
			return nn.FuseConvBNEval(nn.NewConv1d(3, 4, 2, nn.Conv1dOptions{NoBias: true}), norm(nn.NewBatchNorm1d(4, nn.BatchNorm1dOptions{NoAffine: true, Eps: new(0.1)})))
		}},
		{"fuse_conv_bn_eval(nn.ConvTranspose3d(3, 4, 2), norm(nn.BatchNorm3d(4)), transpose=True)", func() any {
			return nn.FuseConvBNEval(nn.NewConvTranspose3d(3, 4, 2), norm(nn.NewBatchNorm3d(4)), nn.FuseConvBNEvalOptions{Transpose: true})
		}},
		{"fuse_linear_bn_eval(nn.Linear(3, 4), norm(nn.BatchNorm1d(4)))", func() any { return nn.FuseLinearBNEval(nn.NewLinear(3, 4), norm(nn.NewBatchNorm1d(4))) }},
		{"fuse_linear_bn_eval(nn.Linear(3, 4, bias=False), norm(nn.BatchNorm1d(1)))", func() any {
			return nn.FuseLinearBNEval(nn.NewLinear(3, 4, nn.LinearOptions{NoBias: true}), norm(nn.NewBatchNorm1d(1)))
		}},
	} {
		want := p.Call("fused", c.python)
		torch.ManualSeed(7)
		sameState(t, c.g(), want, c.python)
	}
}

// norm draws the tensors of a normalization.
func norm[B any](m B) B {
	for _, e := range nn.StateDict(m) {
		if e.Tensor.DType() == torch.Float32 {
			nn.InitUniform(e.Tensor, 0.5, 2)
		}
	}
	nn.Eval(m)
	return m
}

func TestClipMistakes(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	x := torch.Zeros(2).RequireGrad(true)
	x.SetGrad(torch.Full(math.NaN(), 2))
	for want, f := range map[string]func(){
		"the total norm of order 2 is NaN, so gradients cannot be clipped": func() { nn.ClipGradNorm([]*torch.Tensor{x}, 1, nn.ClipGradNormOptions{ErrorIfNonfinite: true}) },
		"ClipGradNorm: parameter 1 is nil":                                 func() { nn.ClipGradNorm([]*torch.Tensor{x, nil}, 1) },
		"GetTotalNorm: tensor 0 is nil":                                    func() { nn.GetTotalNorm([]*torch.Tensor{nil}) },
		"there are no parameters":                                          func() { nn.ParametersToVector(nil) },
		"the vector is [1]; it must have one dimension and the 2 elements": func() { nn.VectorToParameters(torch.Zeros(1), []*torch.Tensor{x}) },
		"the normalization is in training mode; call Eval first":           func() { nn.FuseConvBNEval(nn.NewConv2d(1, 1, 1), nn.NewBatchNorm2d(1)) },
		"the linear layer has 3 outputs and the normalization 2 features":  func() { nn.FuseLinearBNEval(nn.NewLinear(2, 3), norm(nn.NewBatchNorm1d(2))) },
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
	require.True(t, math.IsNaN(nn.ClipGradNorm([]*torch.Tensor{x}, 1).Item()))
}
