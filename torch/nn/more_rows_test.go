package nn_test

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// of is an input with another dtype, or otherwise changed.
func of(in input, change func(x *torch.Tensor) *torch.Tensor) input {
	return input{func() *torch.Tensor { return change(in.make()) }, in.grad}
}

func last(x *torch.Tensor) *torch.Tensor   { return x.ToMemoryFormat(torch.ChannelsLast) }
func double(x *torch.Tensor) *torch.Tensor { return x.ToDType(torch.Float64) }
func half(x *torch.Tensor) *torch.Tensor   { return x.ToDType(torch.BFloat16) }
func i32(x *torch.Tensor) *torch.Tensor    { return x.ToDType(torch.Int32) }
func i64(x *torch.Tensor) *torch.Tensor    { return x.ToDType(torch.Int64) }
func turned(x *torch.Tensor) *torch.Tensor { return x.Transpose(0, 1) }

// cast makes a module of another dtype: m.to(d).
func cast(m any, d torch.DType) any {
	nn.ToDType(m, d)
	return m
}

// moreRows are modules with other inputs: without elements or a batch, of other dtypes and memory formats.
var moreRows = []row{
	{python: "nn.Linear(5, 7).double()", g: func() any { return cast(nn.NewLinear(5, 7), torch.Float64) }, in: []input{of(f(2, 5), double)}},
	{python: "nn.Linear(5, 7).bfloat16()", g: func() any { return cast(nn.NewLinear(5, 7), torch.BFloat16) }, in: []input{of(f(2, 5), half)}},
	{python: "nn.Linear(5, 7)", g: func() any { return nn.NewLinear(5, 7) }, in: []input{f(0, 5)}},
	{python: "nn.Linear(3, 0)", g: func() any { return nn.NewLinear(3, 0) }, in: []input{f(2, 3)}},
	{python: "nn.Bilinear(3, 4, 5)", g: func() any { return nn.NewBilinear(3, 4, 5) }, in: []input{f(3), f(4)}},
	{python: "nn.Conv2d(3, 8, 3, padding=1)", g: func() any { return nn.NewConv2d(3, 8, 3, nn.Conv2dOptions{Padding: 1}) }, in: []input{of(f(2, 3, 9, 9), last)}},
	{python: "nn.Conv2d(3, 8, 3, padding=1, padding_mode='reflect')", g: func() any { return nn.NewConv2d(3, 8, 3, nn.Conv2dOptions{Padding: 1, PaddingMode: "reflect"}) }, in: []input{of(f(2, 3, 9, 9), last)}},
	{python: "nn.Conv2d(3, 8, 3)", g: func() any { return nn.NewConv2d(3, 8, 3) }, in: []input{f(0, 3, 9, 9)}},
	{python: "nn.Conv2d(3, 8, 3, padding='valid', stride=2).double()", g: func() any {
		return cast(nn.NewConv2d(3, 8, 3, nn.Conv2dOptions{Padding: "valid", Stride: 2}), torch.Float64)
	}, in: []input{of(f(2, 3, 9, 9), double)}},
	{python: "nn.Conv2d(6, 6, (5, 1), padding=(2, 0), groups=6, stride=(3, 1), padding_mode='zeros')", g: func() any {
		return nn.NewConv2d(6, 6, []int{5, 1}, nn.Conv2dOptions{Padding: []int{2, 0}, Groups: 6, Stride: []int{3, 1}, PaddingMode: "zeros"})
	}, in: []input{f(2, 6, 9, 9)}},
	{python: "nn.Conv1d(2, 3, 1, padding=0, padding_mode='circular')", g: func() any { return nn.NewConv1d(2, 3, 1, nn.Conv1dOptions{PaddingMode: "circular"}) }, in: []input{f(2, 2, 9)}},
	{python: "nn.Conv1d(2, 3, 6, padding='same', dilation=3)", g: func() any { return nn.NewConv1d(2, 3, 6, nn.Conv1dOptions{Padding: "same", Dilation: 3}) }, in: []input{f(2, 2, 20)}},
	{python: "nn.Conv3d(2, 3, 3, padding=(0, 1, 2), padding_mode='reflect')", g: func() any {
		return nn.NewConv3d(2, 3, 3, nn.Conv3dOptions{Padding: []int{0, 1, 2}, PaddingMode: "reflect"})
	}, in: []input{f(2, 2, 4, 4, 4)}},
	{python: "nn.ConvTranspose2d(3, 4, 3, 1, 2, dilation=(2, 1))", g: func() any {
		return nn.NewConvTranspose2d(3, 4, 3, nn.ConvTranspose2dOptions{Padding: 2, Dilation: []int{2, 1}})
	}, in: []input{of(f(2, 3, 5, 5), last)}},
	{python: "nn.ConvTranspose3d(2, 2, 3, stride=2)", g: func() any { return nn.NewConvTranspose3d(2, 2, 3, nn.ConvTranspose3dOptions{Stride: 2}) }, in: []input{f(2, 3, 3, 3)},
		call: "m(x[0], output_size=[2, 8, 7, 8])", forward: method("ForwardTo", []int{2, 8, 7, 8})},
	{python: "nn.MaxPool2d(3, ceil_mode=True, dilation=(1, 2), padding=1, return_indices=True)", g: func() any {
		return nn.NewMaxPool2d(3, nn.MaxPool2dOptions{CeilMode: true, Dilation: []int{1, 2}, Padding: 1})
	}, in: []input{of(f(2, 3, 9, 9), last)}, forward: indexed},
	{python: "nn.MaxPool2d(2)", g: func() any { return nn.NewMaxPool2d(2) }, in: []input{f(0, 3, 4, 4)}},
	{python: "nn.AvgPool2d(3, 1, 1, False, True, 2)", g: func() any {
		return nn.NewAvgPool2d(3, nn.AvgPool2dOptions{Stride: 1, Padding: 1, DivisorOverride: new(2)})
	}, in: []input{of(f(2, 3, 9, 9), last)}},
	{python: "nn.AvgPool3d(2, count_include_pad=False, padding=1, ceil_mode=True)", g: func() any {
		return nn.NewAvgPool3d(2, nn.AvgPool3dOptions{ExcludePad: true, Padding: 1, CeilMode: true})
	}, in: []input{f(3, 5, 5, 5)}},
	{python: "nn.LPPool2d(float('-inf'), 2)", g: func() any { return nn.NewLPPool2d(math.Inf(-1), 2) }, in: []input{f(2, 3, 6, 6)}},
	{python: "nn.LPPool1d(-2, 2)", g: func() any { return nn.NewLPPool1d(-2, 2) }, in: []input{u(2, 3, 6)}},
	{python: "nn.LPPool3d(1, (1, 2, 3), stride=1)", g: func() any { return nn.NewLPPool3d(1, []int{1, 2, 3}, nn.LPPoolOptions{Stride: 1}) }, in: []input{f(3, 4, 5, 6)}},
	{python: "nn.AdaptiveMaxPool3d((None, 2, None), return_indices=True)", g: func() any { return nn.NewAdaptiveMaxPool3d([]int{nn.KeepSize, 2, nn.KeepSize}) }, in: []input{f(3, 4, 5, 6)}, forward: indexed},
	{python: "nn.AdaptiveAvgPool2d(0)", g: func() any { return nn.NewAdaptiveAvgPool2d(0) }, in: []input{c(3, 4, 5)}},
	{python: "nn.AdaptiveAvgPool1d((5,))", g: func() any { return nn.NewAdaptiveAvgPool1d([]int{5}) }, in: []input{f(3, 3)}},
	{python: "nn.MaxUnpool1d(3, stride=2, padding=1)", g: func() any { return nn.NewMaxUnpool1d(3, nn.MaxUnpoolOptions{Stride: 2, Padding: 1}) }, in: []input{f(2, 3), {make: func() *torch.Tensor {
		return torch.FromSlice([]int64{0, 2, 4, 1, 3, 4}, 2, 3)
	}}}},
	{python: "nn.BatchNorm2d(4, momentum=0.0, eps=0.0)", g: func() any { return nn.NewBatchNorm2d(4, nn.BatchNorm2dOptions{Momentum: new(0.0), Eps: new(0.0)}) }, state: true},
	{python: "nn.BatchNorm2d(3)", g: func() any { return nn.NewBatchNorm2d(3) }, in: []input{of(f(4, 3, 5, 5), last)}},
	{python: "nn.BatchNorm1d(3, track_running_stats=False, momentum=None)", g: func() any { return nn.NewBatchNorm1d(3, nn.BatchNorm1dOptions{NoRunningStats: true, Cumulative: true}) }, in: []input{f(4, 3)}},
	{python: "nn.BatchNorm1d(3).bfloat16()", g: func() any { return cast(nn.NewBatchNorm1d(3), torch.BFloat16) }, in: []input{of(f(4, 3), half)}},
	{python: "nn.BatchNorm3d(3, affine=False, track_running_stats=False)", g: func() any { return nn.NewBatchNorm3d(3, nn.BatchNorm3dOptions{NoAffine: true, NoRunningStats: true}) }, in: []input{f(4, 3, 2, 2, 2)}},
	{python: "nn.InstanceNorm3d(3, momentum=0.3, track_running_stats=True, affine=True)", g: func() any {
		return nn.NewInstanceNorm3d(3, nn.InstanceNorm3dOptions{Momentum: new(0.3), TrackRunningStats: true, Affine: true})
	}, in: []input{f(3, 2, 3, 4)}},
	{python: "nn.InstanceNorm2d(7)", g: func() any { return nn.NewInstanceNorm2d(7) }, in: []input{f(2, 3, 3, 4)}},
	{python: "nn.LayerNorm([2, 3, 4])", g: func() any { return nn.NewLayerNorm([]int{2, 3, 4}) }, in: []input{f(2, 3, 4)}},
	{python: "nn.LayerNorm(4).bfloat16()", g: func() any { return cast(nn.NewLayerNorm(4), torch.BFloat16) }, in: []input{of(f(2, 4), half)}},
	{python: "nn.RMSNorm(4, eps=1e-05).double()", g: func() any { return cast(nn.NewRMSNorm(4, nn.RMSNormOptions{Eps: new(1e-5)}), torch.Float64) }, in: []input{of(f(2, 4), double)}},
	{python: "nn.GroupNorm(1, 6)", g: func() any { return nn.NewGroupNorm(1, 6) }, in: []input{of(f(2, 6, 4, 4), last)}},
	{python: "nn.GroupNorm(3, 6)", g: func() any { return nn.NewGroupNorm(3, 6) }, in: []input{f(2, 6)}},
	{python: "nn.LocalResponseNorm(9)", g: func() any { return nn.NewLocalResponseNorm(9) }, in: []input{f(2, 3, 4, 5, 2)}},
	{python: "nn.CrossMapLRN2d(5, k=2)", g: func() any { return nn.NewCrossMapLRN2d(5, nn.CrossMapLRN2dOptions{K: 2}) }, in: []input{f(1, 3, 2, 2)}},
	{python: "nn.ReLU()", g: func() any { return &nn.ReLU{} }, in: []input{of(c(3, 4), i32)}},
	{python: "nn.Threshold(1, 2)", g: func() any { return nn.NewThreshold(1, 2) }, in: []input{of(c(3, 4), i64)}},
	{python: "nn.ReLU6()", g: func() any { return &nn.ReLU6{} }, in: []input{of(f(3, 4), turned)}},
	{python: "nn.Hardtanh(-1.5, 2)", g: func() any { return &nn.Hardtanh{MinVal: -1.5, MaxVal: 2} }, in: []input{of(f(3, 4), half)}},
	{python: "nn.ELU(-0.5)", g: func() any { return &nn.ELU{Alpha: -0.5} }, in: []input{f(3, 4)}},
	{python: "nn.CELU(-0.5)", g: func() any { return &nn.CELU{Alpha: -0.5} }, in: []input{f(3, 4)}},
	{python: "nn.LeakyReLU(-0.1)", g: func() any { return &nn.LeakyReLU{NegativeSlope: new(-0.1)} }, in: []input{f(3, 4)}},
	{python: "nn.Softplus(beta=0.5, threshold=3)", g: func() any { return &nn.Softplus{Beta: 0.5, Threshold: 3} }, in: []input{of(f(3, 4), half)}},
	{python: "nn.PReLU(init=-1)", g: func() any { return nn.NewPReLU(nn.PReLUOptions{Init: new(-1.0)}) }, in: []input{f(5)}},
	{python: "nn.PReLU(5)", g: func() any { return nn.NewPReLU(nn.PReLUOptions{NumParameters: 5}) }, in: []input{of(f(2, 5, 3, 3), last)}},
	{python: "nn.RReLU(0, 0)", g: func() any { return nn.NewRReLU(nn.RReLUOptions{Lower: 0, Upper: 0}) }, in: []input{f(5)}},
	{python: "nn.Softmax(0)", g: func() any { return nn.NewSoftmax(0) }, in: []input{f()}},
	{python: "nn.Softmin(-1)", g: func() any { return nn.NewSoftmin(-1) }, in: []input{of(f(3, 4), half)}},
	{python: "nn.Softmax2d()", g: func() any { return &nn.Softmax2d{} }, in: []input{f(4, 5, 6)}},
	{python: "nn.GLU(-2)", g: func() any { return &nn.GLU{Dim: new(-2)} }, in: []input{f(2, 4, 6)}},
	{python: "nn.Dropout(0.0)", g: func() any { return nn.NewDropout(0) }, in: []input{f(3, 4)}},
	{python: "nn.Dropout(1.0, inplace=True)", g: func() any { return nn.NewDropout(1, nn.DropoutOptions{InPlace: true}) }, in: []input{f(3, 4)}},
	{python: "nn.Dropout(0.4)", g: func() any { return nn.NewDropout(0.4) }, in: []input{of(f(2, 3, 4, 4), last)}},
	{python: "nn.Dropout2d(1.0)", g: func() any { return nn.NewDropout2d(1) }, in: []input{f(3, 4, 2)}},
	{python: "nn.Dropout3d(0.2)", g: func() any { return nn.NewDropout3d(0.2) }, in: []input{f(10, 2, 2, 2)}},
	{python: "nn.AlphaDropout(1.0)", g: func() any { return nn.NewAlphaDropout(1) }, in: []input{f(3, 4)}},
	{python: "nn.FeatureAlphaDropout(0.0)", g: func() any { return nn.NewFeatureAlphaDropout(0) }, in: []input{f(3, 4)}},
	{python: "nn.Embedding(10, 3)", g: func() any { return nn.NewEmbedding(10, 3) }, in: []input{of(k(10, 2, 4), i32)}},
	{python: "nn.Embedding(10, 3, max_norm=0.5, norm_type=float('inf'), padding_idx=1, scale_grad_by_freq=True)", g: func() any {
		return nn.NewEmbedding(10, 3, nn.EmbeddingOptions{MaxNorm: 0.5, NormType: math.Inf(1), PaddingIdx: new(1), ScaleGradByFreq: true})
	}, in: []input{k(10)}},
	{python: "nn.Embedding(10, 3)", g: func() any { return nn.NewEmbedding(10, 3) }, in: []input{k(10, 0)}},
	{python: "nn.Embedding(20, 3, padding_idx=5).double()", g: func() any {
		return cast(nn.NewEmbedding(20, 3, nn.EmbeddingOptions{PaddingIdx: new(5)}), torch.Float64)
	}, in: []input{k(20, 9, 9)}},
	{python: "nn.EmbeddingBag(10, 3, mode='sum', scale_grad_by_freq=True)", g: func() any {
		return nn.NewEmbeddingBag(10, 3, nn.EmbeddingBagOptions{Mode: "sum", ScaleGradByFreq: true})
	}, in: []input{k(10, 4, 5)}},
	{python: "nn.EmbeddingBag(10, 3, mode='sum', padding_idx=-10)", g: func() any {
		return nn.NewEmbeddingBag(10, 3, nn.EmbeddingBagOptions{Mode: "sum", PaddingIdx: new(-10)})
	}, in: []input{k(10, 4, 5), f(4, 5)}, call: "m(x[0], None, x[1])", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
		return only(m.(*nn.EmbeddingBag).Forward(x[0], nn.EmbeddingBagForwardOptions{PerSampleWeights: x[1]}))
	}},
	{python: "nn.EmbeddingBag(10, 3, max_norm=1.0, norm_type=1)", g: func() any {
		return nn.NewEmbeddingBag(10, 3, nn.EmbeddingBagOptions{MaxNorm: 1.0, NormType: 1})
	}, in: []input{of(k(10, 6), i32)}, call: "m(x[0], torch.tensor([0, 2, 2, 6], dtype=torch.int32))", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
		return only(m.(*nn.EmbeddingBag).Forward(x[0], nn.EmbeddingBagForwardOptions{Offsets: torch.FromSlice([]int32{0, 2, 2, 6})}))
	}},
	{python: "nn.Unfold((1, 3), padding=(0, 1), stride=2)", g: func() any { return nn.NewUnfold([]int{1, 3}, nn.UnfoldOptions{Padding: []int{0, 1}, Stride: 2}) }, in: []input{of(f(2, 3, 6, 7), last)}},
	{python: "nn.Upsample(scale_factor=0.5, mode='bilinear')", g: func() any { return &nn.Upsample{ScaleFactor: 0.5, Mode: "bilinear"} }, in: []input{of(f(2, 3, 8, 8), last)}},
	{python: "nn.Upsample((3, 5), mode='bicubic', align_corners=True)", g: func() any { return &nn.Upsample{Size: []int{3, 5}, Mode: "bicubic", AlignCorners: true} }, in: []input{f(2, 3, 8, 8)}},
	{python: "nn.Upsample(scale_factor=(2.5,), mode='linear', align_corners=True)", g: func() any {
		return &nn.Upsample{ScaleFactor: []float64{2.5}, Mode: "linear", AlignCorners: true}
	}, in: []input{f(2, 3, 8)}},
	{python: "nn.Upsample(size=4, mode='area')", g: func() any { return &nn.Upsample{Size: 4, Mode: "area"} }, in: []input{f(2, 3, 8, 8)}},
	{python: "nn.Upsample(scale_factor=1.3)", g: func() any { return &nn.Upsample{ScaleFactor: 1.3} }, in: []input{of(f(2, 3, 8, 8), half)}},
	{python: "nn.PixelShuffle(3)", g: func() any { return nn.NewPixelShuffle(3) }, in: []input{f(9, 2, 2)}},
	{python: "nn.PixelUnshuffle(2)", g: func() any { return nn.NewPixelUnshuffle(2) }, in: []input{f(2, 1, 3, 4, 4)}},
	{python: "nn.ChannelShuffle(3)", g: func() any { return nn.NewChannelShuffle(3) }, in: []input{of(f(2, 6, 3, 3), last)}},
	{python: "nn.ConstantPad1d(1, 2)", g: func() any { return nn.NewConstantPad1d(1, 2) }, in: []input{of(c(2, 4), i64)}},
	{python: "nn.ConstantPad2d((1, 2), 0.5)", g: func() any { return nn.NewConstantPad2d([]int{1, 2}, 0.5) }, in: []input{f(2, 3, 4)}},
	{python: "nn.CircularPad2d((2, -1, 1, 0))", g: func() any { return nn.NewCircularPad2d([]int{2, -1, 1, 0}) }, in: []input{f(2, 3, 4)}},
	{python: "nn.ReplicationPad3d((0, 0, 1, 1, 2, 0))", g: func() any { return nn.NewReplicationPad3d([]int{0, 0, 1, 1, 2, 0}) }, in: []input{f(2, 2, 3, 4)}},
	{python: "nn.ReflectionPad2d((0, 0, 0, 0))", g: func() any { return nn.NewReflectionPad2d([]int{0, 0, 0, 0}) }, in: []input{f(2, 3, 4)}},
	{python: "nn.PairwiseDistance(p=float('inf'))", g: func() any { return &nn.PairwiseDistance{P: new(math.Inf(1))} }, in: []input{f(5), f(5)}},
	{python: "nn.CosineSimilarity(0)", g: func() any { return &nn.CosineSimilarity{Dim: new(0)} }, in: []input{of(f(4, 3), half), of(f(4, 3), half)}},
	{python: "nn.MSELoss()", g: func() any { return &nn.MSELoss{} }, in: []input{f(3, 4), of(c(3, 4), double)}},
	{python: "nn.L1Loss(reduction='sum')", g: func() any { return &nn.L1Loss{Reduction: "sum"} }, in: []input{f(0, 4), c(0, 4)}},
	{python: "nn.HuberLoss(delta=2, reduction='none')", g: func() any { return &nn.HuberLoss{Delta: new(2.0), Reduction: "none"} }, in: []input{f(3, 1), f(1, 4)}},
	{python: "nn.NLLLoss()", g: func() any { return &nn.NLLLoss{} }, in: []input{ls(4), k(4)}},
	{python: "nn.NLLLoss(ignore_index=0)", g: func() any { return &nn.NLLLoss{IgnoreIndex: new(0)} }, in: []input{ls(2, 4), k(1, 2)}},
	{python: "nn.CrossEntropyLoss(label_smoothing=1.0, reduction='sum')", g: func() any { return &nn.CrossEntropyLoss{LabelSmoothing: 1, Reduction: "sum"} }, in: []input{f(4), k(4)}},
	{python: "nn.CrossEntropyLoss(weight=torch.arange(4.), label_smoothing=0.3)", g: func() any {
		return &nn.CrossEntropyLoss{Weight: torch.Arange(4).ToDType(torch.Float32), LabelSmoothing: 0.3}
	}, in: []input{f(2, 4, 3), u(2, 4, 3)}},
	{python: "nn.CrossEntropyLoss()", g: func() any { return &nn.CrossEntropyLoss{} }, in: []input{of(f(3, 4), half), k(4, 3)}},
	{python: "nn.LinearCrossEntropyLoss(5, 4, bias=True, reduction='none')", g: func() any {
		return nn.NewLinearCrossEntropyLoss(5, 4, nn.LinearCrossEntropyLossOptions{Bias: true, Reduction: "none"})
	}, in: []input{f(5), cu(4)}},
	{python: "nn.BCELoss(reduction='none')", g: func() any { return &nn.BCELoss{Reduction: "none"} }, in: []input{u(3, 4), u(3, 4)}},
	{python: "nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0))", g: func() any { return &nn.BCEWithLogitsLoss{PosWeight: torch.Full(2.0)} }, in: []input{f(3), u(3)}},
	{python: "nn.KLDivLoss(reduction='none')", g: func() any { return &nn.KLDivLoss{Reduction: "none"} }, in: []input{ls(3, 4), cu(1, 4)}},
	{python: "nn.KLDivLoss(reduction='batchmean', log_target=True)", g: func() any { return &nn.KLDivLoss{Reduction: "batchmean", LogTarget: true} }, in: []input{ls(4), ls(4)}},
	{python: "nn.GaussianNLLLoss()", g: func() any { return &nn.GaussianNLLLoss{} }, in: []input{f(3, 4), c(3, 4), u(3)}},
	{python: "nn.MultiMarginLoss(margin=-1, reduction='none')", g: func() any { return &nn.MultiMarginLoss{Margin: -1, Reduction: "none"} }, in: []input{f(4), k(4)}},
	{python: "nn.MultiLabelMarginLoss(reduction='none')", g: func() any { return &nn.MultiLabelMarginLoss{Reduction: "none"} }, in: []input{f(3), {make: func() *torch.Tensor { return torch.FromSlice([]int64{2, -1, 0}) }}}},
	{python: "nn.CosineEmbeddingLoss(margin=-0.5, reduction='sum')", g: func() any { return &nn.CosineEmbeddingLoss{Margin: -0.5, Reduction: "sum"} }, in: []input{f(4), f(4), pm()}},
	{python: "nn.TripletMarginLoss(p=float('inf'))", g: func() any { return &nn.TripletMarginLoss{P: new(math.Inf(1))} }, in: []input{f(4), f(4), f(4)}},
	{python: "nn.TripletMarginLoss(swap=True)", g: func() any { return &nn.TripletMarginLoss{Swap: true} }, in: []input{f(3, 4), f(1, 4), f(3, 4)}},
	{python: "nn.CTCLoss(reduction='sum')", g: func() any { return &nn.CTCLoss{Reduction: "sum"} }, in: []input{ls(6, 5), of(k(4, 3), func(x *torch.Tensor) *torch.Tensor { return x.AddScalar(1) })},
		call: "m(x[0], x[1], torch.tensor(6), torch.tensor(3))", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return only(m.(*nn.CTCLoss).Forward(x[0], x[1], []int{6}, []int{3}))
		}},
	{python: "nn.CTCLoss()", g: func() any { return &nn.CTCLoss{} }, in: []input{ls(4, 2, 5), of(k(4, 2, 3), func(x *torch.Tensor) *torch.Tensor { return x.AddScalar(1).ToDType(torch.Int32) })},
		call: "m(x[0], x[1], torch.tensor([4, 1]), torch.tensor([0, 3]))", forward: func(m any, x []*torch.Tensor) []*torch.Tensor {
			return only(m.(*nn.CTCLoss).Forward(x[0], x[1], []int{4, 1}, []int{0, 3}))
		}},
	{python: "nn.AdaptiveLogSoftmaxWithLoss(8, 12, [4, 8])", g: func() any { return nn.NewAdaptiveLogSoftmaxWithLoss(8, 12, []int{4, 8}) }, in: []input{f(3, 8), k(4, 3)}},
	{python: "nn.AdaptiveLogSoftmaxWithLoss(3, 12, [4, 8], div_value=7.3)", g: func() any {
		return nn.NewAdaptiveLogSoftmaxWithLoss(3, 12, []int{4, 8}, nn.AdaptiveLogSoftmaxWithLossOptions{DivValue: new(7.3)})
	}, in: []input{f(1, 3), k(12, 1)}},
}
