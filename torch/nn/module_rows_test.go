package nn_test

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// indexed calls a method that also returns indices.
var indexed = method("ForwardWithIndices")

// rows are modules in Python and in Go, several for each class.
var rows = []row{
	// Linear maps.
	{python: "nn.Identity()", g: func() any { return &nn.Identity{} }, in: []input{f(2, 3)}},
	{python: "nn.Linear(5, 7)", g: func() any { return nn.NewLinear(5, 7) }, in: []input{f(2, 3, 5)}},
	{python: "nn.Linear(40, 33, bias=False)", g: func() any { return nn.NewLinear(40, 33, nn.LinearOptions{NoBias: true}) }, in: []input{f(40)}},
	{python: "nn.Linear(0, 3)", g: func() any { return nn.NewLinear(0, 3) }, in: []input{f(2, 0)}},
	{python: "nn.Bilinear(3, 4, 5)", g: func() any { return nn.NewBilinear(3, 4, 5) }, in: []input{f(2, 3), f(2, 4)}},
	{python: "nn.Bilinear(1, 4, 2, bias=False)", g: func() any { return nn.NewBilinear(1, 4, 2, nn.BilinearOptions{NoBias: true}) }, in: []input{f(2, 3, 1), f(2, 3, 4)}},
	{python: "nn.Flatten()", g: func() any { return &nn.Flatten{} }, in: []input{f(2, 3, 4, 5)}},
	{python: "nn.Flatten(2, 3)", g: func() any { return &nn.Flatten{StartDim: new(2), EndDim: new(3)} }, in: []input{f(2, 3, 4, 5, 2)}},
	{python: "nn.Flatten(start_dim=0)", g: func() any { return &nn.Flatten{StartDim: new(0)} }, in: []input{f(2, 3)}},
	{python: "nn.Unflatten(1, (2, 5))", g: func() any { return nn.NewUnflatten(1, 2, 5) }, in: []input{f(2, 10, 3)}},
	{python: "nn.Unflatten(-1, (3, -1))", g: func() any { return nn.NewUnflatten(-1, 3, -1) }, in: []input{f(2, 12)}},

	// Convolutions.
	{python: "nn.Conv1d(4, 6, 3, stride=2, padding=1)", g: func() any { return nn.NewConv1d(4, 6, 3, nn.Conv1dOptions{Stride: 2, Padding: 1}) }, in: []input{f(2, 4, 9)}},
	{python: "nn.Conv1d(2, 3, 4, padding='same')", g: func() any { return nn.NewConv1d(2, 3, 4, nn.Conv1dOptions{Padding: "same"}) }, in: []input{f(2, 2, 9)}},
	{python: "nn.Conv1d(2, 4, 3, padding=2, padding_mode='reflect', groups=2)", g: func() any {
		return nn.NewConv1d(2, 4, 3, nn.Conv1dOptions{Padding: 2, PaddingMode: "reflect", Groups: 2})
	}, in: []input{f(2, 9)}},
	{python: "nn.Conv2d(4, 6, (3, 1), groups=2)", g: func() any { return nn.NewConv2d(4, 6, []int{3, 1}, nn.Conv2dOptions{Groups: 2}) }, in: []input{f(2, 4, 8, 8)}},
	{python: "nn.Conv2d(4, 8, (3, 5), stride=(2, 1), padding=(4, 2), dilation=(3, 1))", g: func() any {
		return nn.NewConv2d(4, 8, []int{3, 5}, nn.Conv2dOptions{Stride: []int{2, 1}, Padding: []int{4, 2}, Dilation: []int{3, 1}})
	}, in: []input{f(2, 4, 8, 12)}},
	{python: "nn.Conv2d(3, 5, 3, padding=(1, 2), padding_mode='circular', bias=False)", g: func() any {
		return nn.NewConv2d(3, 5, 3, nn.Conv2dOptions{Padding: []int{1, 2}, PaddingMode: "circular", NoBias: true})
	}, in: []input{f(2, 3, 7, 8)}},
	{python: "nn.Conv2d(3, 5, (2, 4), padding='same', dilation=2, padding_mode='replicate')", g: func() any {
		return nn.NewConv2d(3, 5, []int{2, 4}, nn.Conv2dOptions{Padding: "same", Dilation: 2, PaddingMode: "replicate"})
	}, in: []input{f(3, 7, 8)}},
	{python: "nn.Conv2d(3, 6, 3, stride=2, padding='valid', padding_mode='reflect')", g: func() any {
		return nn.NewConv2d(3, 6, 3, nn.Conv2dOptions{Stride: 2, Padding: "valid", PaddingMode: "reflect"})
	}, in: []input{f(2, 3, 7, 8)}},
	{python: "nn.Conv2d(0, 4, 3)", g: func() any { return nn.NewConv2d(0, 4, 3) }, state: true},
	{python: "nn.Conv3d(4, 6, (1, 3, 3), padding=(0, 1, 1), dilation=(1, 2, 1), bias=False)", g: func() any {
		return nn.NewConv3d(4, 6, []int{1, 3, 3}, nn.Conv3dOptions{Padding: []int{0, 1, 1}, Dilation: []int{1, 2, 1}, NoBias: true})
	}, in: []input{f(2, 4, 3, 6, 6)}},
	{python: "nn.Conv3d(2, 2, 2, stride=(1, 2, 1), groups=2, padding=1, padding_mode='circular')", g: func() any {
		return nn.NewConv3d(2, 2, 2, nn.Conv3dOptions{Stride: []int{1, 2, 1}, Groups: 2, Padding: 1, PaddingMode: "circular"})
	}, in: []input{f(2, 3, 6, 6)}},
	{python: "nn.Conv3d(2, 3, (2, 3, 1), padding='same', padding_mode='replicate')", g: func() any {
		return nn.NewConv3d(2, 3, []int{2, 3, 1}, nn.Conv3dOptions{Padding: "same", PaddingMode: "replicate"})
	}, in: []input{f(1, 2, 3, 4, 5)}},
	{python: "nn.ConvTranspose1d(4, 6, 3, 2)", g: func() any { return nn.NewConvTranspose1d(4, 6, 3, nn.ConvTranspose1dOptions{Stride: 2}) }, in: []input{f(2, 4, 5)}},
	{python: "nn.ConvTranspose1d(4, 2, 3, stride=3, padding=1, output_padding=2, groups=2, bias=False, dilation=2)", g: func() any {
		return nn.NewConvTranspose1d(4, 2, 3, nn.ConvTranspose1dOptions{Stride: 3, Padding: 1, OutputPadding: 2, Groups: 2, NoBias: true, Dilation: 2})
	}, in: []input{f(4, 5)}},
	{python: "nn.ConvTranspose2d(4, 6, 2, 2, groups=2)", g: func() any {
		return nn.NewConvTranspose2d(4, 6, 2, nn.ConvTranspose2dOptions{Stride: 2, Groups: 2})
	}, in: []input{f(2, 4, 5, 5)}},
	{python: "nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, dilation=2, bias=False)", g: func() any {
		return nn.NewConvTranspose2d(4, 6, 3, nn.ConvTranspose2dOptions{Stride: 2, Padding: 1, OutputPadding: 1, Dilation: 2, NoBias: true})
	}, in: []input{f(2, 4, 5, 5)}},
	{python: "nn.ConvTranspose2d(4, 6, (3, 4), stride=(2, 3), padding=(0, 1))", g: func() any {
		return nn.NewConvTranspose2d(4, 6, []int{3, 4}, nn.ConvTranspose2dOptions{Stride: []int{2, 3}, Padding: []int{0, 1}})
	}, in: []input{f(2, 4, 5, 5)}, call: "m(x[0], output_size=[12, 15])", forward: method("ForwardTo", []int{12, 15})},
	{python: "nn.ConvTranspose2d(4, 6, 2, stride=2)", g: func() any {
		return nn.NewConvTranspose2d(4, 6, 2, nn.ConvTranspose2dOptions{Stride: 2})
	}, in: []input{f(2, 4, 5, 5)}, call: "m(x[0], output_size=torch.Size([2, 6, 11, 10]))", forward: method("ForwardTo", []int{2, 6, 11, 10})},
	{python: "nn.ConvTranspose3d(2, 3, (1, 2, 3), stride=2)", g: func() any {
		return nn.NewConvTranspose3d(2, 3, []int{1, 2, 3}, nn.ConvTranspose3dOptions{Stride: 2})
	}, in: []input{f(2, 2, 3, 4, 3)}},
	{python: "nn.ConvTranspose3d(2, 4, 2, stride=(2, 1, 3), groups=2, padding=1)", g: func() any {
		return nn.NewConvTranspose3d(2, 4, 2, nn.ConvTranspose3dOptions{Stride: []int{2, 1, 3}, Groups: 2, Padding: 1})
	}, in: []input{f(2, 3, 4, 3)}, call: "m(x[0], output_size=[5, 3, 8])", forward: method("ForwardTo", []int{5, 3, 8})},

	// Pooling.
	{python: "nn.MaxPool1d(3)", g: func() any { return nn.NewMaxPool1d(3) }, in: []input{f(2, 3, 10)}},
	{python: "nn.MaxPool1d(2, stride=1, dilation=2, return_indices=True)", g: func() any { return nn.NewMaxPool1d(2, nn.MaxPool1dOptions{Stride: 1, Dilation: 2}) }, in: []input{f(3, 10)}, forward: indexed},
	{python: "nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)", g: func() any {
		return nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 2, Padding: 1, CeilMode: true})
	}, in: []input{f(2, 3, 8, 8)}},
	{python: "nn.MaxPool2d((1, 2), stride=(2, 1), return_indices=True)", g: func() any {
		return nn.NewMaxPool2d([]int{1, 2}, nn.MaxPool2dOptions{Stride: []int{2, 1}})
	}, in: []input{f(3, 8, 8)}, forward: indexed},
	{python: "nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))", g: func() any {
		return nn.NewMaxPool3d([]int{1, 3, 3}, nn.MaxPool3dOptions{Stride: []int{1, 2, 2}, Padding: []int{0, 1, 1}})
	}, in: []input{f(2, 3, 4, 8, 8)}},
	{python: "nn.MaxPool3d(2, return_indices=True)", g: func() any { return nn.NewMaxPool3d(2) }, in: []input{f(3, 4, 6, 6)}, forward: indexed},
	{python: "nn.MaxUnpool1d(2)", g: func() any { return nn.NewMaxUnpool1d(2) }, in: []input{f(2, 3, 8)},
		call: "m(*F.max_pool1d(x[0], 2, return_indices=True))", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			y, i := F.MaxPool1dWithIndices(x[0], 2)
			return only(m.(*nn.MaxUnpool1d).Forward(y, i))
		}},
	{python: "nn.MaxUnpool2d((2, 3), stride=2, padding=(0, 1))", g: func() any {
		return nn.NewMaxUnpool2d([]int{2, 3}, nn.MaxUnpoolOptions{Stride: 2, Padding: []int{0, 1}})
	}, in: []input{f(2, 3, 8, 9)},
		call: "m(*F.max_pool2d(x[0], (2, 3), 2, (0, 1), return_indices=True), output_size=[8, 9])", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			y, i := F.MaxPool2dWithIndices(x[0], []int{2, 3}, F.MaxPool2dWithIndicesOptions{Stride: 2, Padding: []int{0, 1}})
			return only(m.(*nn.MaxUnpool2d).Forward(y, i, nn.MaxUnpoolForwardOptions{OutputSize: []int{8, 9}}))
		}},
	{python: "nn.MaxUnpool3d(2)", g: func() any { return nn.NewMaxUnpool3d(2) }, in: []input{f(2, 3, 4, 6, 4)},
		call: "m(*F.max_pool3d(x[0], 2, return_indices=True))", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			y, i := F.MaxPool3dWithIndices(x[0], 2)
			return only(m.(*nn.MaxUnpool3d).Forward(y, i))
		}},
	{python: "nn.AvgPool1d(3, 2, 1)", g: func() any { return nn.NewAvgPool1d(3, nn.AvgPool1dOptions{Stride: 2, Padding: 1}) }, in: []input{f(2, 3, 8)}},
	{python: "nn.AvgPool1d((4,), ceil_mode=True)", g: func() any { return nn.NewAvgPool1d([]int{4}, nn.AvgPool1dOptions{CeilMode: true}) }, in: []input{f(3, 9)}},
	{python: "nn.AvgPool2d(3, 2, ceil_mode=True, count_include_pad=False)", g: func() any {
		return nn.NewAvgPool2d(3, nn.AvgPool2dOptions{Stride: 2, CeilMode: true, ExcludePad: true})
	}, in: []input{f(2, 3, 8, 8)}},
	{python: "nn.AvgPool2d((3, 2), divisor_override=5)", g: func() any { return nn.NewAvgPool2d([]int{3, 2}, nn.AvgPool2dOptions{DivisorOverride: new(5)}) }, in: []input{f(3, 8, 8)}},
	{python: "nn.AvgPool3d((2, 7, 7), stride=1)", g: func() any { return nn.NewAvgPool3d([]int{2, 7, 7}, nn.AvgPool3dOptions{Stride: 1}) }, in: []input{f(2, 3, 4, 8, 8)}},
	{python: "nn.LPPool1d(2, 3, stride=2)", g: func() any { return nn.NewLPPool1d(2, 3, nn.LPPoolOptions{Stride: 2}) }, in: []input{u(2, 3, 10)}},
	{python: "nn.LPPool1d(float('inf'), 3)", g: func() any { return nn.NewLPPool1d(math.Inf(1), 3) }, in: []input{f(2, 3, 10)}},
	{python: "nn.LPPool2d(1.2, (3, 2), stride=(2, 1), ceil_mode=True)", g: func() any {
		return nn.NewLPPool2d(1.2, []int{3, 2}, nn.LPPoolOptions{Stride: []int{2, 1}, CeilMode: true})
	}, in: []input{u(2, 3, 8, 8)}},
	{python: "nn.LPPool3d(3.0, 2)", g: func() any { return nn.NewLPPool3d(3.0, 2) }, in: []input{u(2, 3, 4, 4, 4)}},
	{python: "nn.FractionalMaxPool2d(2, output_size=(3, 4))", g: func() any {
		return nn.NewFractionalMaxPool2d(2, nn.FractionalMaxPoolOptions{OutputSize: []int{3, 4}})
	}, in: []input{f(2, 3, 8, 8)}},
	{python: "nn.FractionalMaxPool2d((2, 3), output_ratio=(0.5, 0.6), return_indices=True)", g: func() any {
		return nn.NewFractionalMaxPool2d([]int{2, 3}, nn.FractionalMaxPoolOptions{OutputRatio: []float64{0.5, 0.6}})
	}, in: []input{f(3, 8, 8)}, forward: indexed},
	{python: "nn.FractionalMaxPool2d(2, 4, _random_samples=torch.ones(2, 3, 2) / 2)", g: func() any {
		return nn.NewFractionalMaxPool2d(2, nn.FractionalMaxPoolOptions{OutputSize: 4, RandomSamples: torch.Full(0.5, 2, 3, 2)})
	}, in: []input{f(2, 3, 9, 9)}},
	{python: "nn.FractionalMaxPool3d(2, output_ratio=0.7)", g: func() any {
		return nn.NewFractionalMaxPool3d(2, nn.FractionalMaxPoolOptions{OutputRatio: 0.7})
	}, in: []input{f(2, 3, 5, 6, 7)}},
	{python: "nn.FractionalMaxPool3d((1, 2, 3), output_size=3, return_indices=True)", g: func() any {
		return nn.NewFractionalMaxPool3d([]int{1, 2, 3}, nn.FractionalMaxPoolOptions{OutputSize: 3})
	}, in: []input{f(3, 5, 6, 7)}, forward: indexed},
	{python: "nn.AdaptiveAvgPool1d(3)", g: func() any { return nn.NewAdaptiveAvgPool1d(3) }, in: []input{f(2, 3, 8)}},
	{python: "nn.AdaptiveAvgPool2d((2, 3))", g: func() any { return nn.NewAdaptiveAvgPool2d([]int{2, 3}) }, in: []input{f(2, 3, 8, 8)}},
	{python: "nn.AdaptiveAvgPool2d((None, 3))", g: func() any { return nn.NewAdaptiveAvgPool2d([]int{nn.KeepSize, 3}) }, in: []input{f(3, 8, 8)}},
	{python: "nn.AdaptiveAvgPool3d(1)", g: func() any { return nn.NewAdaptiveAvgPool3d(1) }, in: []input{f(2, 3, 4, 8, 8)}},
	{python: "nn.AdaptiveAvgPool3d((2, None, None))", g: func() any { return nn.NewAdaptiveAvgPool3d([]int{2, nn.KeepSize, nn.KeepSize}) }, in: []input{f(2, 3, 4, 5, 6)}},
	{python: "nn.AdaptiveMaxPool1d(3)", g: func() any { return nn.NewAdaptiveMaxPool1d(3) }, in: []input{f(2, 3, 8)}},
	{python: "nn.AdaptiveMaxPool1d(3, return_indices=True)", g: func() any { return nn.NewAdaptiveMaxPool1d(3) }, in: []input{f(3, 8)}, forward: indexed},
	{python: "nn.AdaptiveMaxPool2d((2, None), return_indices=True)", g: func() any { return nn.NewAdaptiveMaxPool2d([]int{2, nn.KeepSize}) }, in: []input{f(2, 3, 8, 8)}, forward: indexed},
	{python: "nn.AdaptiveMaxPool3d((1, 2, 3))", g: func() any { return nn.NewAdaptiveMaxPool3d([]int{1, 2, 3}) }, in: []input{f(2, 3, 4, 8, 8)}},

	// Normalization.
	{python: "nn.BatchNorm1d(4)", g: func() any { return nn.NewBatchNorm1d(4) }, in: []input{f(3, 4)}},
	{python: "nn.BatchNorm1d(4, affine=False)", g: func() any { return nn.NewBatchNorm1d(4, nn.BatchNorm1dOptions{NoAffine: true}) }, in: []input{f(3, 4, 5)}},
	{python: "nn.BatchNorm2d(4, eps=1e-3, momentum=0.01)", g: func() any {
		return nn.NewBatchNorm2d(4, nn.BatchNorm2dOptions{Eps: new(1e-3), Momentum: new(0.01)})
	}, in: []input{f(3, 4, 5, 5)}},
	{python: "nn.BatchNorm2d(4, track_running_stats=False, bias=False)", g: func() any {
		return nn.NewBatchNorm2d(4, nn.BatchNorm2dOptions{NoRunningStats: true, NoBias: true})
	}, in: []input{f(3, 4, 5, 5)}},
	{python: "nn.BatchNorm3d(4, momentum=None)", g: func() any { return nn.NewBatchNorm3d(4, nn.BatchNorm3dOptions{Cumulative: true}) }, in: []input{f(3, 4, 2, 5, 5)}},
	{python: "nn.SyncBatchNorm(4)", g: func() any { return nn.NewSyncBatchNorm(4) }, in: []input{f(3, 4)}},
	{python: "nn.SyncBatchNorm(4, 1e-2, None)", g: func() any {
		return nn.NewSyncBatchNorm(4, nn.SyncBatchNormOptions{Eps: new(1e-2), Cumulative: true})
	}, in: []input{f(3, 4, 2, 5)}},
	{python: "nn.InstanceNorm1d(4)", g: func() any { return nn.NewInstanceNorm1d(4) }, in: []input{f(3, 4, 6)}},
	{python: "nn.InstanceNorm1d(4, affine=True, bias=False)", g: func() any {
		return nn.NewInstanceNorm1d(4, nn.InstanceNorm1dOptions{Affine: true, NoBias: true})
	}, in: []input{f(4, 6)}},
	{python: "nn.InstanceNorm2d(4)", g: func() any { return nn.NewInstanceNorm2d(4) }, in: []input{f(4, 5, 5)}},
	{python: "nn.InstanceNorm2d(4, 0.1, 0.2, True, True)", g: func() any {
		return nn.NewInstanceNorm2d(4, nn.InstanceNorm2dOptions{Eps: new(0.1), Momentum: new(0.2), Affine: true, TrackRunningStats: true})
	}, in: []input{f(3, 4, 5, 5)}},
	{python: "nn.InstanceNorm3d(4, track_running_stats=True)", g: func() any { return nn.NewInstanceNorm3d(4, nn.InstanceNorm3dOptions{TrackRunningStats: true}) }, in: []input{f(3, 4, 2, 3, 4)}},
	{python: "nn.LayerNorm(5, eps=1e-6)", g: func() any { return nn.NewLayerNorm(5, nn.LayerNormOptions{Eps: new(1e-6)}) }, in: []input{f(3, 4, 5)}},
	{python: "nn.LayerNorm((4, 5), bias=False)", g: func() any { return nn.NewLayerNorm([]int{4, 5}, nn.LayerNormOptions{NoBias: true}) }, in: []input{f(3, 4, 5)}},
	{python: "nn.LayerNorm(5, elementwise_affine=False)", g: func() any { return nn.NewLayerNorm(5, nn.LayerNormOptions{NoAffine: true}) }, in: []input{f(3, 4, 5)}},
	{python: "nn.RMSNorm(5)", g: func() any { return nn.NewRMSNorm(5) }, in: []input{f(3, 4, 5)}},
	{python: "nn.RMSNorm([4, 5], eps=0.1, elementwise_affine=False)", g: func() any { return nn.NewRMSNorm([]int{4, 5}, nn.RMSNormOptions{Eps: new(0.1), NoAffine: true}) }, in: []input{f(3, 4, 5)}},
	{python: "nn.GroupNorm(2, 4)", g: func() any { return nn.NewGroupNorm(2, 4) }, in: []input{f(3, 4, 5, 5)}},
	{python: "nn.GroupNorm(2, 4, eps=0.1, affine=False)", g: func() any {
		return nn.NewGroupNorm(2, 4, nn.GroupNormOptions{Eps: new(0.1), NoAffine: true})
	}, in: []input{f(3, 4, 5)}},
	{python: "nn.GroupNorm(4, 4, bias=False)", g: func() any { return nn.NewGroupNorm(4, 4, nn.GroupNormOptions{NoBias: true}) }, in: []input{f(3, 4, 5)}},
	{python: "nn.LocalResponseNorm(2)", g: func() any { return nn.NewLocalResponseNorm(2) }, in: []input{f(3, 4, 5, 5)}},
	{python: "nn.LocalResponseNorm(5, alpha=0.1, beta=0.5, k=2)", g: func() any {
		return nn.NewLocalResponseNorm(5, nn.LocalResponseNormOptions{Alpha: 0.1, Beta: 0.5, K: 2})
	}, in: []input{f(3, 4, 5)}},
	{python: "nn.CrossMapLRN2d(3)", g: func() any { return nn.NewCrossMapLRN2d(3) }, in: []input{f(2, 6, 3, 4)}},
	{python: "nn.CrossMapLRN2d(4, 0.2, 0.6, 1.5)", g: func() any {
		return nn.NewCrossMapLRN2d(4, nn.CrossMapLRN2dOptions{Alpha: 0.2, Beta: 0.6, K: 1.5})
	}, in: []input{f(2, 2, 3, 4)}},

	// Activations.
	{python: "nn.Threshold(0.1, 20)", g: func() any { return nn.NewThreshold(0.1, 20) }, in: []input{f(3, 40)}},
	{python: "nn.Threshold(-1, -1.5, inplace=True)", g: func() any { return nn.NewThreshold(-1, -1.5, nn.ThresholdOptions{InPlace: true}) }, in: []input{f(3, 40)}},
	{python: "nn.ReLU()", g: func() any { return &nn.ReLU{} }, in: []input{f(3, 40)}},
	{python: "nn.ReLU(inplace=True)", g: func() any { return &nn.ReLU{InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.RReLU()", g: func() any { return nn.NewRReLU() }, in: []input{f(3, 40)}},
	{python: "nn.RReLU(0.1, 1, inplace=True)", g: func() any { return nn.NewRReLU(nn.RReLUOptions{Lower: 0.1, Upper: 1, InPlace: true}) }, in: []input{f(3, 40)}},
	{python: "nn.Hardtanh()", g: func() any { return &nn.Hardtanh{} }, in: []input{f(3, 40)}},
	{python: "nn.Hardtanh(-2, 0.5, inplace=True)", g: func() any { return &nn.Hardtanh{MinVal: -2, MaxVal: 0.5, InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.ReLU6()", g: func() any { return &nn.ReLU6{} }, in: []input{f(3, 40)}},
	{python: "nn.ReLU6(inplace=True)", g: func() any { return &nn.ReLU6{InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.Sigmoid()", g: func() any { return &nn.Sigmoid{} }, in: []input{f(3, 40)}},
	{python: "nn.Hardsigmoid()", g: func() any { return &nn.Hardsigmoid{} }, in: []input{f(3, 40)}},
	{python: "nn.Hardsigmoid(inplace=True)", g: func() any { return &nn.Hardsigmoid{InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.Tanh()", g: func() any { return &nn.Tanh{} }, in: []input{f(3, 40)}},
	{python: "nn.SiLU()", g: func() any { return &nn.SiLU{} }, in: []input{f(3, 40)}},
	{python: "nn.SiLU(inplace=True)", g: func() any { return &nn.SiLU{InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.Mish()", g: func() any { return &nn.Mish{} }, in: []input{f(3, 40)}},
	{python: "nn.Mish(inplace=True)", g: func() any { return &nn.Mish{InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.Hardswish()", g: func() any { return &nn.Hardswish{} }, in: []input{f(3, 40)}},
	{python: "nn.Hardswish(inplace=True)", g: func() any { return &nn.Hardswish{InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.ELU()", g: func() any { return &nn.ELU{} }, in: []input{f(3, 40)}},
	{python: "nn.ELU(0.7, inplace=True)", g: func() any { return &nn.ELU{Alpha: 0.7, InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.CELU(2)", g: func() any { return &nn.CELU{Alpha: 2} }, in: []input{f(3, 40)}},
	{python: "nn.CELU(0.7, inplace=True)", g: func() any { return &nn.CELU{Alpha: 0.7, InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.SELU()", g: func() any { return &nn.SELU{} }, in: []input{f(3, 40)}},
	{python: "nn.SELU(inplace=True)", g: func() any { return &nn.SELU{InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.GLU()", g: func() any { return &nn.GLU{} }, in: []input{f(3, 40)}},
	{python: "nn.GLU(0)", g: func() any { return &nn.GLU{Dim: new(0)} }, in: []input{f(4, 40)}},
	{python: "nn.GELU()", g: func() any { return &nn.GELU{} }, in: []input{f(3, 40)}},
	{python: "nn.GELU('tanh')", g: func() any { return &nn.GELU{Approximate: "tanh"} }, in: []input{f(3, 40)}},
	{python: "nn.Hardshrink()", g: func() any { return &nn.Hardshrink{} }, in: []input{f(3, 40)}},
	{python: "nn.Hardshrink(1)", g: func() any { return &nn.Hardshrink{Lambd: 1} }, in: []input{f(3, 40)}},
	{python: "nn.LeakyReLU()", g: func() any { return &nn.LeakyReLU{} }, in: []input{f(3, 40)}},
	{python: "nn.LeakyReLU(0.3, inplace=True)", g: func() any { return &nn.LeakyReLU{NegativeSlope: new(0.3), InPlace: true} }, in: []input{f(3, 40)}},
	{python: "nn.LogSigmoid()", g: func() any { return &nn.LogSigmoid{} }, in: []input{f(3, 40)}},
	{python: "nn.Softplus()", g: func() any { return &nn.Softplus{} }, in: []input{f(3, 40)}},
	{python: "nn.Softplus(2, threshold=1.5)", g: func() any { return &nn.Softplus{Beta: 2, Threshold: 1.5} }, in: []input{f(3, 40)}},
	{python: "nn.Softshrink()", g: func() any { return &nn.Softshrink{} }, in: []input{f(3, 40)}},
	{python: "nn.Softshrink(0.25)", g: func() any { return &nn.Softshrink{Lambd: 0.25} }, in: []input{f(3, 40)}},
	{python: "nn.PReLU()", g: func() any { return nn.NewPReLU() }, in: []input{f(3, 40)}},
	{python: "nn.PReLU(4, init=0.1)", g: func() any { return nn.NewPReLU(nn.PReLUOptions{NumParameters: 4, Init: new(0.1)}) }, in: []input{f(3, 4, 5)}},
	{python: "nn.Softsign()", g: func() any { return &nn.Softsign{} }, in: []input{f(3, 40)}},
	{python: "nn.Tanhshrink()", g: func() any { return &nn.Tanhshrink{} }, in: []input{f(3, 40)}},
	{python: "nn.Softmin(dim=1)", g: func() any { return nn.NewSoftmin(1) }, in: []input{f(3, 40)}},
	{python: "nn.Softmax(1)", g: func() any { return nn.NewSoftmax(1) }, in: []input{f(3, 40)}},
	{python: "nn.Softmax(-2)", g: func() any { return nn.NewSoftmax(-2) }, in: []input{f(3, 7, 9)}},
	{python: "nn.Softmax2d()", g: func() any { return &nn.Softmax2d{} }, in: []input{f(3, 4, 5, 6)}},
	{python: "nn.LogSoftmax(dim=0)", g: func() any { return nn.NewLogSoftmax(0) }, in: []input{f(3, 40)}},
	{python: "nn.MultiheadAttention(8, 2)", g: func() any { return nn.NewMultiheadAttention(8, 2) }, state: true},
	{python: "nn.MultiheadAttention(8, 2, bias=False, kdim=6, vdim=5, add_bias_kv=True)", g: func() any {
		return nn.NewMultiheadAttention(8, 2, nn.MultiheadAttentionOptions{NoBias: true, KDim: 6, VDim: 5, AddBiasKV: true})
	}, state: true},

	// Dropout.
	{python: "nn.Dropout(0.3)", g: func() any { return nn.NewDropout(0.3) }, in: []input{f(3, 40)}},
	{python: "nn.Dropout(0.5, inplace=True)", g: func() any { return nn.NewDropout(0.5, nn.DropoutOptions{InPlace: true}) }, in: []input{f(3, 40)}},
	{python: "nn.Dropout(1.0)", g: func() any { return nn.NewDropout(1) }, in: []input{f(3, 4)}},
	{python: "nn.Dropout1d(0.4)", g: func() any { return nn.NewDropout1d(0.4) }, in: []input{f(3, 40, 2)}},
	{python: "nn.Dropout1d(0.4, inplace=True)", g: func() any { return nn.NewDropout1d(0.4, nn.DropoutOptions{InPlace: true}) }, in: []input{f(40, 3)}},
	{python: "nn.Dropout2d(0.3)", g: func() any { return nn.NewDropout2d(0.3) }, in: []input{f(3, 40, 2, 2)}},
	{python: "nn.Dropout2d(0.3, True)", g: func() any { return nn.NewDropout2d(0.3, nn.DropoutOptions{InPlace: true}) }, in: []input{f(3, 40, 2, 2)}},
	{python: "nn.Dropout3d(0.3)", g: func() any { return nn.NewDropout3d(0.3) }, in: []input{f(3, 10, 2, 2, 2)}},
	{python: "nn.Dropout3d(0.3, inplace=True)", g: func() any { return nn.NewDropout3d(0.3, nn.DropoutOptions{InPlace: true}) }, in: []input{f(10, 2, 2, 2)}},
	{python: "nn.AlphaDropout(0.2)", g: func() any { return nn.NewAlphaDropout(0.2) }, in: []input{f(3, 40)}},
	{python: "nn.AlphaDropout(0.5, inplace=True)", g: func() any { return nn.NewAlphaDropout(0.5, nn.DropoutOptions{InPlace: true}) }, in: []input{f(3, 40)}},
	{python: "nn.FeatureAlphaDropout(0.5)", g: func() any { return nn.NewFeatureAlphaDropout(0.5) }, in: []input{f(3, 10, 2, 2)}},

	// Embeddings.
	{python: "nn.Embedding(10, 3)", g: func() any { return nn.NewEmbedding(10, 3) }, in: []input{k(10, 2, 4)}},
	{python: "nn.Embedding(10, 3, padding_idx=-2, scale_grad_by_freq=True)", g: func() any {
		return nn.NewEmbedding(10, 3, nn.EmbeddingOptions{PaddingIdx: new(-2), ScaleGradByFreq: true})
	}, in: []input{k(10, 4, 8)}},
	{python: "nn.Embedding(10, 3, max_norm=1, norm_type=1.5)", g: func() any {
		return nn.NewEmbedding(10, 3, nn.EmbeddingOptions{MaxNorm: 1, NormType: 1.5})
	}, in: []input{k(10, 4)}},
	{python: "nn.Embedding(10, 3, padding_idx=0, sparse=True)", g: func() any {
		return nn.NewEmbedding(10, 3, nn.EmbeddingOptions{PaddingIdx: new(0), Sparse: true})
	}, in: []input{k(10, 4, 3)}},
	{python: "nn.Embedding.from_pretrained(torch.ones(4, 3))", g: func() any { return nn.EmbeddingFromPretrained(torch.Ones(4, 3)) }, in: []input{k(4, 4, 3)}},
	{python: "nn.Embedding.from_pretrained(torch.ones(4, 3), freeze=False, padding_idx=1, max_norm=2.0)", g: func() any {
		return nn.EmbeddingFromPretrained(torch.Ones(4, 3), nn.EmbeddingFromPretrainedOptions{NoFreeze: true, PaddingIdx: new(1), MaxNorm: 2.0})
	}, in: []input{k(4, 4, 3)}},
	{python: "nn.EmbeddingBag(10, 3)", g: func() any { return nn.NewEmbeddingBag(10, 3) }, in: []input{k(10, 4, 5)}},
	{python: "nn.EmbeddingBag(10, 3, mode='max', padding_idx=2)", g: func() any {
		return nn.NewEmbeddingBag(10, 3, nn.EmbeddingBagOptions{Mode: "max", PaddingIdx: new(2)})
	}, in: []input{k(10, 4, 5)}},
	{python: "nn.EmbeddingBag(10, 3, mode='sum', include_last_offset=True, max_norm=1.5)", g: func() any {
		return nn.NewEmbeddingBag(10, 3, nn.EmbeddingBagOptions{Mode: "sum", IncludeLastOffset: true, MaxNorm: 1.5})
	}, in: []input{k(10, 8), f(8)}, call: "m(x[0], torch.tensor([0, 3, 3, 8]), per_sample_weights=x[1])", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
		return only(m.(*nn.EmbeddingBag).Forward(x[0], nn.EmbeddingBagForwardOptions{Offsets: torch.FromSlice([]int64{0, 3, 3, 8}), PerSampleWeights: x[1]}))
	}},
	{python: "nn.EmbeddingBag(10, 3, sparse=True, mode='sum')", g: func() any {
		return nn.NewEmbeddingBag(10, 3, nn.EmbeddingBagOptions{Mode: "sum", Sparse: true})
	}, in: []input{k(10, 4, 5)}},
	{python: "nn.EmbeddingBag.from_pretrained(torch.ones(4, 3), mode='sum', padding_idx=-1)", g: func() any {
		return nn.EmbeddingBagFromPretrained(torch.Ones(4, 3), nn.EmbeddingBagFromPretrainedOptions{Mode: "sum", PaddingIdx: new(-1)})
	}, in: []input{k(4, 4, 3)}},

	// Sizes.
	{python: "nn.Fold((8, 12), (2, 4), stride=(2, 4))", g: func() any {
		return nn.NewFold([]int{8, 12}, []int{2, 4}, nn.UnfoldOptions{Stride: []int{2, 4}})
	}, in: []input{f(2, 16, 12)}},
	{python: "nn.Fold(output_size=5, kernel_size=3, padding=1, dilation=2)", g: func() any { return nn.NewFold(5, 3, nn.UnfoldOptions{Padding: 1, Dilation: 2}) }, in: []input{f(18, 9)}},
	{python: "nn.Unfold(3, padding=1)", g: func() any { return nn.NewUnfold(3, nn.UnfoldOptions{Padding: 1}) }, in: []input{f(2, 3, 6, 7)}},
	{python: "nn.Unfold((2, 3), dilation=2, stride=(1, 2))", g: func() any { return nn.NewUnfold([]int{2, 3}, nn.UnfoldOptions{Dilation: 2, Stride: []int{1, 2}}) }, in: []input{f(3, 6, 7)}},
	{python: "nn.Upsample(scale_factor=2)", g: func() any { return &nn.Upsample{ScaleFactor: 2} }, in: []input{f(2, 3, 4, 5)}},
	{python: "nn.Upsample(size=(7, 9), mode='bilinear', align_corners=True)", g: func() any {
		return &nn.Upsample{Size: []int{7, 9}, Mode: "bilinear", AlignCorners: true}
	}, in: []input{f(2, 3, 4, 5)}},
	{python: "nn.Upsample(scale_factor=(1.5, 2), mode='bicubic', recompute_scale_factor=True)", g: func() any {
		return &nn.Upsample{ScaleFactor: []float64{1.5, 2}, Mode: "bicubic", RecomputeScaleFactor: true}
	}, in: []input{f(2, 3, 5, 5)}},
	{python: "nn.Upsample(9, mode='linear')", g: func() any { return &nn.Upsample{Size: 9, Mode: "linear"} }, in: []input{f(2, 3, 5)}},
	{python: "nn.Upsample(scale_factor=1.7, mode='trilinear')", g: func() any { return &nn.Upsample{ScaleFactor: 1.7, Mode: "trilinear"} }, in: []input{f(2, 3, 3, 4, 5)}},
	{python: "nn.Upsample(scale_factor=1.5, mode='nearest-exact')", g: func() any { return &nn.Upsample{ScaleFactor: 1.5, Mode: "nearest-exact"} }, in: []input{f(2, 3, 5)}},
	{python: "nn.UpsamplingNearest2d(scale_factor=3)", g: func() any { return &nn.UpsamplingNearest2d{ScaleFactor: 3} }, in: []input{f(2, 3, 4, 5)}},
	{python: "nn.UpsamplingBilinear2d((6, 5))", g: func() any { return &nn.UpsamplingBilinear2d{Size: []int{6, 5}} }, in: []input{f(2, 3, 4, 5)}},
	{python: "nn.UpsamplingBilinear2d(scale_factor=2)", g: func() any { return &nn.UpsamplingBilinear2d{ScaleFactor: 2} }, in: []input{f(2, 3, 4, 5)}},
	{python: "nn.PixelShuffle(2)", g: func() any { return nn.NewPixelShuffle(2) }, in: []input{f(2, 8, 3, 4)}},
	{python: "nn.PixelUnshuffle(3)", g: func() any { return nn.NewPixelUnshuffle(3) }, in: []input{f(2, 2, 3, 6)}},
	{python: "nn.ChannelShuffle(2)", g: func() any { return nn.NewChannelShuffle(2) }, in: []input{f(2, 6, 3, 4)}},
	{python: "nn.CircularPad1d(2)", g: func() any { return nn.NewCircularPad1d(2) }, in: []input{f(2, 3, 5)}},
	{python: "nn.CircularPad2d((1, 2, 0, 3))", g: func() any { return nn.NewCircularPad2d([]int{1, 2, 0, 3}) }, in: []input{f(3, 5, 6)}},
	{python: "nn.CircularPad3d(1)", g: func() any { return nn.NewCircularPad3d(1) }, in: []input{f(2, 3, 2, 3, 4)}},
	{python: "nn.ConstantPad1d((3, 1), 3.5)", g: func() any { return nn.NewConstantPad1d([]int{3, 1}, 3.5) }, in: []input{f(2, 3, 5)}},
	{python: "nn.ConstantPad2d((-1, 2, 1, -2), 2)", g: func() any { return nn.NewConstantPad2d([]int{-1, 2, 1, -2}, 2) }, in: []input{f(2, 3, 5, 6)}},
	{python: "nn.ConstantPad3d(1, -0.5)", g: func() any { return nn.NewConstantPad3d(1, -0.5) }, in: []input{f(2, 3, 2, 3, 4)}},
	{python: "nn.ReflectionPad1d((3, 1))", g: func() any { return nn.NewReflectionPad1d([]int{3, 1}) }, in: []input{f(2, 3, 5)}},
	{python: "nn.ReflectionPad2d(2)", g: func() any { return nn.NewReflectionPad2d(2) }, in: []input{f(3, 5, 6)}},
	{python: "nn.ReflectionPad3d((1, 0, 2, 1, 1, 1))", g: func() any { return nn.NewReflectionPad3d([]int{1, 0, 2, 1, 1, 1}) }, in: []input{f(2, 3, 3, 4, 5)}},
	{python: "nn.ReplicationPad1d(4)", g: func() any { return nn.NewReplicationPad1d(4) }, in: []input{f(3, 5)}},
	{python: "nn.ReplicationPad2d((3, 1, 0, 2))", g: func() any { return nn.NewReplicationPad2d([]int{3, 1, 0, 2}) }, in: []input{f(2, 3, 5, 6)}},
	{python: "nn.ReplicationPad3d(2)", g: func() any { return nn.NewReplicationPad3d(2) }, in: []input{f(2, 3, 2, 3, 4)}},
	{python: "nn.ZeroPad1d(2)", g: func() any { return nn.NewZeroPad1d(2) }, in: []input{f(2, 3, 5)}},
	{python: "nn.ZeroPad2d((1, 1, 2, 0))", g: func() any { return nn.NewZeroPad2d([]int{1, 1, 2, 0}) }, in: []input{f(2, 3, 5, 6)}},
	{python: "nn.ZeroPad3d((1, 2, 3, 1, -1, 0))", g: func() any { return nn.NewZeroPad3d([]int{1, 2, 3, 1, -1, 0}) }, in: []input{f(2, 3, 2, 3, 4)}},
	{python: "nn.CosineSimilarity()", g: func() any { return &nn.CosineSimilarity{} }, in: []input{f(4, 5), f(4, 5)}},
	{python: "nn.CosineSimilarity(dim=-1, eps=1e-3)", g: func() any { return &nn.CosineSimilarity{Dim: new(-1), Eps: new(1e-3)} }, in: []input{f(3, 4, 5), f(5)}},
	{python: "nn.PairwiseDistance()", g: func() any { return &nn.PairwiseDistance{} }, in: []input{f(4, 5), f(4, 5)}},
	{python: "nn.PairwiseDistance(1.5, eps=1e-2, keepdim=True)", g: func() any {
		return &nn.PairwiseDistance{P: new(1.5), Eps: new(1e-2), KeepDim: true}
	}, in: []input{f(4, 5), f(5)}},

	// Losses.
	{python: "nn.L1Loss()", g: func() any { return &nn.L1Loss{} }, in: []input{f(3, 4), f(3, 4)}},
	{python: "nn.L1Loss(reduction='none')", g: func() any { return &nn.L1Loss{Reduction: "none"} }, in: []input{f(3, 4), c(4)}},
	{python: "nn.MSELoss()", g: func() any { return &nn.MSELoss{} }, in: []input{f(3, 4), f(3, 4)}},
	{python: "nn.MSELoss(reduction='sum')", g: func() any { return &nn.MSELoss{Reduction: "sum"} }, in: []input{f(3, 4), f(3, 4)}},
	{python: "nn.SmoothL1Loss(beta=0.5)", g: func() any { return &nn.SmoothL1Loss{Beta: new(0.5)} }, in: []input{f(3, 4), f(3, 4)}},
	{python: "nn.SmoothL1Loss(reduction='none', beta=0.0)", g: func() any { return &nn.SmoothL1Loss{Reduction: "none", Beta: new(0.0)} }, in: []input{f(3, 4), f(3, 4)}},
	{python: "nn.HuberLoss()", g: func() any { return &nn.HuberLoss{} }, in: []input{f(3, 4), f(3, 4)}},
	{python: "nn.HuberLoss(reduction='sum', delta=0.3)", g: func() any { return &nn.HuberLoss{Reduction: "sum", Delta: new(0.3)} }, in: []input{f(3, 4), f(3, 4)}},
	{python: "nn.NLLLoss()", g: func() any { return &nn.NLLLoss{} }, in: []input{ls(3, 4), k(4, 3)}},
	{python: "nn.NLLLoss(weight=torch.arange(4.), ignore_index=1, reduction='sum')", g: func() any {
		return &nn.NLLLoss{Weight: torch.Arange(4).ToDType(torch.Float32), IgnoreIndex: new(1), Reduction: "sum"}
	}, in: []input{f(3, 4, 5), k(4, 3, 5)}},
	{python: "nn.CrossEntropyLoss()", g: func() any { return &nn.CrossEntropyLoss{} }, in: []input{f(3, 4), k(4, 3)}},
	{python: "nn.CrossEntropyLoss(weight=torch.arange(4.), ignore_index=2, label_smoothing=0.1)", g: func() any {
		return &nn.CrossEntropyLoss{Weight: torch.Arange(4).ToDType(torch.Float32), IgnoreIndex: new(2), LabelSmoothing: 0.1}
	}, in: []input{f(3, 4, 5, 5), k(4, 3, 5, 5)}},
	{python: "nn.CrossEntropyLoss(reduction='none', label_smoothing=0.2)", g: func() any {
		return &nn.CrossEntropyLoss{Reduction: "none", LabelSmoothing: 0.2}
	}, in: []input{f(3, 4), cu(3, 4)}},
	{python: "nn.LinearCrossEntropyLoss(5, 4)", g: func() any { return nn.NewLinearCrossEntropyLoss(5, 4) }, in: []input{f(3, 5), k(4, 3)}},
	{python: "nn.LinearCrossEntropyLoss(5, 4, out_features=(2,), bias=True, reduction='sum', weight=torch.arange(4.), ignore_index=1, label_smoothing=0.1)", g: func() any {
		return nn.NewLinearCrossEntropyLoss(5, 4, nn.LinearCrossEntropyLossOptions{
			OutFeatures: []int{2}, Bias: true, Reduction: "sum", Weight: torch.Arange(4).ToDType(torch.Float32), IgnoreIndex: new(1), LabelSmoothing: 0.1,
		})
	}, in: []input{f(3, 5), k(4, 3, 2)}},
	{python: "nn.BCELoss()", g: func() any { return &nn.BCELoss{} }, in: []input{u(3, 4), cu(3, 4)}},
	{python: "nn.BCELoss(weight=torch.arange(4.), reduction='sum')", g: func() any {
		return &nn.BCELoss{Weight: torch.Arange(4).ToDType(torch.Float32), Reduction: "sum"}
	}, in: []input{u(3, 4), cu(3, 4)}},
	{python: "nn.BCEWithLogitsLoss()", g: func() any { return &nn.BCEWithLogitsLoss{} }, in: []input{f(3, 4), cu(3, 4)}},
	{python: "nn.BCEWithLogitsLoss(weight=torch.ones(4) / 3, pos_weight=torch.arange(4.), reduction='none')", g: func() any {
		return &nn.BCEWithLogitsLoss{Weight: torch.Ones(4).DivScalar(3), PosWeight: torch.Arange(4).ToDType(torch.Float32), Reduction: "none"}
	}, in: []input{f(3, 4), cu(3, 4)}},
	{python: "nn.KLDivLoss(reduction='batchmean')", g: func() any { return &nn.KLDivLoss{Reduction: "batchmean"} }, in: []input{ls(3, 4), u(3, 4)}},
	{python: "nn.KLDivLoss(log_target=True)", g: func() any { return &nn.KLDivLoss{LogTarget: true} }, in: []input{ls(3, 4), ls(3, 4)}},
	{python: "nn.PoissonNLLLoss()", g: func() any { return &nn.PoissonNLLLoss{} }, in: []input{f(3, 4), cu(3, 4)}},
	{python: "nn.PoissonNLLLoss(log_input=False, full=True, eps=1e-3, reduction='sum')", g: func() any {
		return &nn.PoissonNLLLoss{NoLogInput: true, Full: true, Eps: new(1e-3), Reduction: "sum"}
	}, in: []input{u(3, 4), cu(3, 4)}},
	{python: "nn.GaussianNLLLoss()", g: func() any { return &nn.GaussianNLLLoss{} }, in: []input{f(3, 4), f(3, 4), u(3, 4)}},
	{python: "nn.GaussianNLLLoss(full=True, eps=0.2, reduction='none')", g: func() any {
		return &nn.GaussianNLLLoss{Full: true, Eps: new(0.2), Reduction: "none"}
	}, in: []input{f(3, 4), f(3, 4), u(3, 1)}},
	{python: "nn.HingeEmbeddingLoss()", g: func() any { return &nn.HingeEmbeddingLoss{} }, in: []input{f(3, 4), pm(3, 4)}},
	{python: "nn.HingeEmbeddingLoss(margin=0.4, reduction='none')", g: func() any { return &nn.HingeEmbeddingLoss{Margin: new(0.4), Reduction: "none"} }, in: []input{f(3, 4), pm(3, 4)}},
	{python: "nn.SoftMarginLoss(reduction='sum')", g: func() any { return &nn.SoftMarginLoss{Reduction: "sum"} }, in: []input{f(3, 4), pm(3, 4)}},
	{python: "nn.MultiLabelMarginLoss()", g: func() any { return &nn.MultiLabelMarginLoss{} }, in: []input{f(2, 4), {make: func() *torch.Tensor {
		return torch.FromSlice([]int64{3, 0, -1, 1, 2, -1, 0, 0}, 2, 4)
	}}}},
	{python: "nn.MultiLabelSoftMarginLoss()", g: func() any { return &nn.MultiLabelSoftMarginLoss{} }, in: []input{f(3, 4), cu(3, 4)}},
	{python: "nn.MultiLabelSoftMarginLoss(weight=torch.arange(4.), reduction='none')", g: func() any {
		return &nn.MultiLabelSoftMarginLoss{Weight: torch.Arange(4).ToDType(torch.Float32), Reduction: "none"}
	}, in: []input{f(3, 4), cu(3, 4)}},
	{python: "nn.MultiMarginLoss()", g: func() any { return &nn.MultiMarginLoss{} }, in: []input{f(3, 4), k(4, 3)}},
	{python: "nn.MultiMarginLoss(p=2, margin=0.7, weight=torch.arange(4.), reduction='sum')", g: func() any {
		return &nn.MultiMarginLoss{P: 2, Margin: 0.7, Weight: torch.Arange(4).ToDType(torch.Float32), Reduction: "sum"}
	}, in: []input{f(3, 4), k(4, 3)}},
	{python: "nn.CosineEmbeddingLoss()", g: func() any { return &nn.CosineEmbeddingLoss{} }, in: []input{f(3, 4), f(3, 4), pm(3)}},
	{python: "nn.CosineEmbeddingLoss(margin=0.2, reduction='none')", g: func() any { return &nn.CosineEmbeddingLoss{Margin: 0.2, Reduction: "none"} }, in: []input{f(3, 4), f(3, 4), pm(3)}},
	{python: "nn.MarginRankingLoss()", g: func() any { return &nn.MarginRankingLoss{} }, in: []input{f(3, 4), f(3, 4), pm(3, 4)}},
	{python: "nn.MarginRankingLoss(margin=0.5, reduction='sum')", g: func() any { return &nn.MarginRankingLoss{Margin: 0.5, Reduction: "sum"} }, in: []input{f(3), f(3), pm(3)}},
	{python: "nn.TripletMarginLoss()", g: func() any { return &nn.TripletMarginLoss{} }, in: []input{f(3, 4), f(3, 4), f(3, 4)}},
	{python: "nn.TripletMarginLoss(margin=2.0, p=1, eps=1e-2, swap=True, reduction='none')", g: func() any {
		return &nn.TripletMarginLoss{Margin: new(2.0), P: new(1.0), Eps: new(1e-2), Swap: true, Reduction: "none"}
	}, in: []input{f(3, 4), f(3, 4), f(3, 4)}},
	{python: "nn.TripletMarginWithDistanceLoss()", g: func() any { return nn.NewTripletMarginWithDistanceLoss() }, in: []input{f(3, 4), f(3, 4), f(3, 4)}},
	{python: "nn.TripletMarginWithDistanceLoss(distance_function=nn.CosineSimilarity(), swap=True)", g: func() any {
		return nn.NewTripletMarginWithDistanceLoss(nn.TripletMarginWithDistanceLossOptions{DistanceFunction: &nn.CosineSimilarity{}, Swap: true})
	}, in: []input{f(3, 4), f(3, 4), f(3, 4)}},
	{python: "nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs().amax(1), margin=0.3, reduction='sum')", g: func() any {
		return nn.NewTripletMarginWithDistanceLoss(nn.TripletMarginWithDistanceLossOptions{
			DistanceFunction: func(a, b *torch.Tensor) *torch.Tensor { return a.Sub(b).Abs().Amax(1) }, Margin: new(0.3), Reduction: "sum",
		})
	}, in: []input{f(3, 4), f(3, 4), f(3, 4)}},
	{python: "nn.CTCLoss()", g: func() any { return &nn.CTCLoss{} }, in: []input{ls(9, 3, 5), k(4, 3, 4)},
		call: "m(x[0], x[1] + 1, torch.tensor([9, 8, 7]), torch.tensor([4, 3, 1]))", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return only(m.(*nn.CTCLoss).Forward(x[0], x[1].AddScalar(1), []int{9, 8, 7}, []int{4, 3, 1}))
		}},
	{python: "nn.CTCLoss(blank=4, reduction='none', zero_infinity=True)", g: func() any {
		return &nn.CTCLoss{Blank: 4, Reduction: "none", ZeroInfinity: true}
	}, in: []input{ls(6, 2, 5), k(4, 8)},
		call: "m(x[0], x[1], (6, 3), (3, 5))", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return only(m.(*nn.CTCLoss).Forward(x[0], x[1], []int{6, 3}, []int{3, 5}))
		}},
	{python: "nn.AdaptiveLogSoftmaxWithLoss(8, 12, [4, 8], div_value=2.0)", g: func() any {
		return nn.NewAdaptiveLogSoftmaxWithLoss(8, 12, []int{4, 8}, nn.AdaptiveLogSoftmaxWithLossOptions{DivValue: new(2.0)})
	}, in: []input{f(9, 8), k(12, 9)}},
	{python: "nn.AdaptiveLogSoftmaxWithLoss(20, 12, [3, 4], head_bias=True)", g: func() any {
		return nn.NewAdaptiveLogSoftmaxWithLoss(20, 12, []int{3, 4}, nn.AdaptiveLogSoftmaxWithLossOptions{HeadBias: true})
	}, in: []input{f(20), k(12)}},
	{python: "nn.AdaptiveLogSoftmaxWithLoss(16, 30, [10, 20])", g: func() any { return nn.NewAdaptiveLogSoftmaxWithLoss(16, 30, []int{10, 20}) }, in: []input{f(9, 16)},
		call: "(m.log_prob(x[0]), m.predict(x[0]))", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			a := m.(*nn.AdaptiveLogSoftmaxWithLoss)
			return only(a.LogProb(x[0]), a.Predict(x[0]))
		}},

	// Containers.
	{python: "nn.Sequential(OrderedDict(b=nn.Linear(4, 3), a=nn.Sequential(nn.ReLU(), nn.Linear(3, 2))))", g: func() any {
		return nn.SequentialDict{{Name: "b", Module: nn.NewLinear(4, 3)}, {Name: "a", Module: nn.Sequential{&nn.ReLU{}, nn.NewLinear(3, 2)}}}
	}, in: []input{f(3, 4)}},
	{python: "nn.Sequential()", g: func() any { return nn.Sequential{} }, in: []input{f(3, 4)}},
	{python: "nn.Sequential(nn.ReLU(), nn.ReLU())", g: func() any { return nn.Sequential{&nn.ReLU{}, &nn.ReLU{}} }, in: []input{f(3, 4)}},
}
