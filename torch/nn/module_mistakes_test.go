package nn_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// mistakes are statements that raise in Python, what they are in Go, and the error there.
// Where the error is empty, neither is a mistake.
var mistakes = []struct {
	python string
	g      func()
	want   string
}{
	{"nn.Linear(-1, 2)", func() { nn.NewLinear(-1, 2) }, "Linear: there are -1 input and 2 output features; their numbers must not be negative"},
	{"nn.Linear(3, 2)(torch.ones(2, 4))", func() { nn.NewLinear(3, 2).Forward(torch.Ones(2, 4)) }, "mat1 and mat2 shapes cannot be multiplied"},
	{"nn.Linear(3, 2)(torch.ones(2, 3).long())", func() { nn.NewLinear(3, 2).Forward(torch.Ones(2, 3).ToDType(torch.Int64)) }, "same dtype"},
	{"nn.Bilinear(0, 2, 3)", func() { nn.NewBilinear(0, 2, 3) }, "Bilinear: there are 0 and 2 input and 3 output features"},
	{"nn.Bilinear(2, 3, 1)(torch.ones(4, 2), torch.ones(4, 2))", func() { nn.NewBilinear(2, 3, 1).Forward(torch.Ones(4, 2), torch.Ones(4, 2)) }, "input2 size does not match weight size"},
	{"nn.Unflatten(1, (2, 3))(torch.ones(2, 5))", func() { nn.NewUnflatten(1, 2, 3).Forward(torch.Ones(2, 5)) }, "unflatten"},
	{"nn.Flatten(2)(torch.ones(2, 5))", func() { (&nn.Flatten{StartDim: new(2)}).Forward(torch.Ones(2, 5)) }, "out of range"},
	{"nn.Conv1d(4, 6, 3, groups=4)", func() { nn.NewConv1d(4, 6, 3, nn.Conv1dOptions{Groups: 4}) }, "Conv1d: 4 groups do not divide 4 input and 6 output channels"},
	{"nn.Conv2d(4, 6, 3, groups=-2)", func() { nn.NewConv2d(4, 6, 3, nn.Conv2dOptions{Groups: -2}) }, "Conv2d: -2 groups do not divide"},
	{"nn.Conv2d(4, 6, 3, padding='some')", func() { nn.NewConv2d(4, 6, 3, nn.Conv2dOptions{Padding: "some"}) }, `Conv2d: Padding is "some"; it must be "same", "valid" or sizes`},
	{"nn.Conv2d(4, 6, 3, stride=(1, 2), padding='same')", func() { nn.NewConv2d(4, 6, 3, nn.Conv2dOptions{Stride: []int{1, 2}, Padding: "same"}) }, `Conv2d: Padding "same" is given with the stride [1 2]; it needs the stride 1`},
	{"nn.Conv3d(4, 6, 3, padding_mode='mirror')", func() { nn.NewConv3d(4, 6, 3, nn.Conv3dOptions{PaddingMode: "mirror"}) }, `Conv3d: PaddingMode is "mirror"; it must be "zeros", "reflect", "replicate" or "circular"`},
	{"nn.Conv2d(3, 6, 3)(torch.ones(2, 4, 8, 8))", func() { nn.NewConv2d(3, 6, 3).Forward(torch.Ones(2, 4, 8, 8)) }, "expected input[2, 4, 8, 8] to have 3 channels"},
	{"nn.Conv2d(3, 6, 3)(torch.ones(3, 3))", func() { nn.NewConv2d(3, 6, 3).Forward(torch.Ones(3, 3)) }, "Expected 3D (unbatched) or 4D (batched) input"},
	{"nn.Conv2d(3, 6, 9)(torch.ones(3, 4, 4))", func() { nn.NewConv2d(3, 6, 9).Forward(torch.Ones(3, 4, 4)) }, "Kernel size can't be greater than actual input size"},
	{"nn.Conv1d(3, 6, 3, padding=5, padding_mode='reflect')(torch.ones(1, 3, 4))", func() {
		nn.NewConv1d(3, 6, 3, nn.Conv1dOptions{Padding: 5, PaddingMode: "reflect"}).Forward(torch.Ones(1, 3, 4))
	}, "Padding size should be less than"},
	{"nn.Conv1d(3, 6, 3, padding=5, padding_mode='circular')(torch.ones(1, 3, 4))", func() {
		nn.NewConv1d(3, 6, 3, nn.Conv1dOptions{Padding: 5, PaddingMode: "circular"}).Forward(torch.Ones(1, 3, 4))
	}, "Padding value causes wrapping around more than once"},
	{"nn.Conv2d(3, 6, 3, stride=0)(torch.ones(3, 4, 4))", func() { nn.NewConv2d(3, 6, 3, nn.Conv2dOptions{Stride: 0}).Forward(torch.Ones(3, 4, 4)) }, "non-positive stride is not supported"},
	{"nn.Conv2d(3, 6, 3, padding=-1)(torch.ones(3, 4, 4))", func() { nn.NewConv2d(3, 6, 3, nn.Conv2dOptions{Padding: -1}).Forward(torch.Ones(3, 4, 4)) }, "negative padding is not supported"},
	{"nn.ConvTranspose2d(3, 4, 3, groups=2)", func() { nn.NewConvTranspose2d(3, 4, 3, nn.ConvTranspose2dOptions{Groups: 2}) }, "ConvTranspose2d: 2 groups do not divide 3 input and 4 output channels"},
	{"nn.ConvTranspose2d(3, 4, 3, stride=2)(torch.ones(1, 3, 4, 4), output_size=[11, 9])", func() {
		nn.NewConvTranspose2d(3, 4, 3, nn.ConvTranspose2dOptions{Stride: 2}).ForwardTo(torch.Ones(1, 3, 4, 4), []int{11, 9})
	}, "ConvTranspose2d: the output size is [11 9]; for x [1 3 4 4] it must be between [9 9] and [10 10]"},
	{"nn.ConvTranspose1d(3, 4, 3)(torch.ones(1, 3, 4), output_size=[1, 2])", func() { nn.NewConvTranspose1d(3, 4, 3).ForwardTo(torch.Ones(1, 3, 4), []int{1, 2}) }, "ConvTranspose1d: the output size [1 2] has 2 elements; for x [1 3 4] it must have 1 or 3"},
	{"nn.ConvTranspose1d(3, 4, 3, output_padding=1)(torch.ones(1, 3, 4))", func() {
		nn.NewConvTranspose1d(3, 4, 3, nn.ConvTranspose1dOptions{OutputPadding: 1}).Forward(torch.Ones(1, 3, 4))
	}, "output padding must be smaller than either stride or dilation"},
	{"nn.MaxPool2d(2, padding=2)(torch.ones(1, 4, 4))", func() { nn.NewMaxPool2d(2, nn.MaxPool2dOptions{Padding: 2}).Forward(torch.Ones(1, 4, 4)) }, "pad should be at most half of effective kernel size"},
	{"nn.MaxPool2d(5)(torch.ones(1, 4, 4))", func() { nn.NewMaxPool2d(5).Forward(torch.Ones(1, 4, 4)) }, "Output size is too small"},
	{"nn.MaxPool1d(2)(torch.ones(4))", func() { nn.NewMaxPool1d(2).Forward(torch.Ones(4)) }, "max_pool1d: Expected 2D or 3D"},
	{"nn.AvgPool2d(2, divisor_override=0)(torch.ones(1, 4, 4))", func() { nn.NewAvgPool2d(2, nn.AvgPool2dOptions{DivisorOverride: new(0)}).Forward(torch.Ones(1, 4, 4)) }, "divisor must be not zero"},
	{"nn.MaxUnpool2d(2)(torch.ones(1, 2, 2), torch.ones(1, 2, 2).long() * 99)", func() {
		nn.NewMaxUnpool2d(2).Forward(torch.Ones(1, 2, 2), torch.Full(99, 1, 2, 2).ToDType(torch.Int64))
	}, "invalid max index: 99"},
	{"nn.MaxUnpool2d(2)(torch.ones(1, 2, 2), torch.zeros(1, 2, 2).long(), output_size=[9, 4])", func() {
		nn.NewMaxUnpool2d(2).Forward(torch.Ones(1, 2, 2), torch.Zeros(1, 2, 2).ToDType(torch.Int64), nn.MaxUnpoolForwardOptions{OutputSize: []int{9, 4}})
	}, "OutputSize is [9 4]; its element 0 must be between 2 and 6"},
	{"nn.LPPool2d(0, 2)", func() { nn.NewLPPool2d(0, 2) }, "LPPool2d: normType is 0; it must be a number other than 0"},
	{"nn.FractionalMaxPool2d(2)", func() { nn.NewFractionalMaxPool2d(2) }, "FractionalMaxPool2d: either OutputSize or OutputRatio must be given"},
	{"nn.FractionalMaxPool2d(2, output_size=2, output_ratio=0.5)", func() {
		nn.NewFractionalMaxPool2d(2, nn.FractionalMaxPoolOptions{OutputSize: 2, OutputRatio: 0.5})
	}, "FractionalMaxPool2d: either OutputSize or OutputRatio must be given"},
	{"nn.FractionalMaxPool3d(2, output_ratio=1.5)", func() { nn.NewFractionalMaxPool3d(2, nn.FractionalMaxPoolOptions{OutputRatio: 1.5}) }, "FractionalMaxPool3d: OutputRatio is 1.5; it must be between 0 and 1"},
	{"nn.FractionalMaxPool3d(0, output_ratio=0.5)", func() { nn.NewFractionalMaxPool3d(0, nn.FractionalMaxPoolOptions{OutputRatio: 0.5}) }, "FractionalMaxPool3d: the kernel is 0; its sizes must be at least 1"},
	{"nn.FractionalMaxPool2d(2, output_size=9)(torch.ones(1, 4, 4))", func() {
		nn.NewFractionalMaxPool2d(2, nn.FractionalMaxPoolOptions{OutputSize: 9}).Forward(torch.Ones(1, 4, 4))
	}, "too large relative to input"},
	{"nn.AdaptiveAvgPool2d((-1, 1))(torch.ones(1, 4, 4))", func() { nn.NewAdaptiveAvgPool2d([]int{-1, 1}).Forward(torch.Ones(1, 4, 4)) }, "elements of output_size must be greater than or equal to 0"},
	{"nn.AdaptiveAvgPool2d((None, 2))(torch.ones(4, 4))", func() { nn.NewAdaptiveAvgPool2d([]int{nn.KeepSize, 2}).Forward(torch.Ones(4, 4)) }, "AdaptiveAvgPool2d: x is [4 4]; it must have at least 3 dimensions"},
	{"nn.AdaptiveMaxPool1d(2)(torch.ones(4))", func() { nn.NewAdaptiveMaxPool1d(2).Forward(torch.Ones(4)) }, "Expected 2 to 3 dimensions"},
	{"nn.BatchNorm1d(3)(torch.ones(2, 3, 4, 4))", func() { nn.NewBatchNorm1d(3).Forward(torch.Ones(2, 3, 4, 4)) }, "BatchNorm1d: x is [2 3 4 4] and must be [N, C] or [N, C, L]"},
	{"nn.BatchNorm2d(3)(torch.ones(2, 4, 4, 4))", func() { nn.NewBatchNorm2d(3).Forward(torch.Ones(2, 4, 4, 4)) }, "running_mean should contain 4 elements not 3"},
	{"nn.BatchNorm1d(3)(torch.ones(1, 3))", func() { nn.NewBatchNorm1d(3).Forward(torch.Ones(1, 3)) }, "there is 1 value for each channel of [1 3]; training needs more"},
	{"nn.SyncBatchNorm(3)(torch.ones(3))", func() { nn.NewSyncBatchNorm(3).Forward(torch.Ones(3)) }, "SyncBatchNorm: x is [3] and must be [N, C, *]"},
	{"nn.SyncBatchNorm(3)(torch.ones(3, 0))", func() { nn.NewSyncBatchNorm(3).Forward(torch.Ones(3, 0)) }, "SyncBatchNorm: x is [3 0]; it must have channels"},
	{"nn.InstanceNorm1d(3)(torch.ones(3))", func() { nn.NewInstanceNorm1d(3).Forward(torch.Ones(3)) }, "InstanceNorm1d: x is [3] and must be [N, C, L] or [C, L]"},
	{"nn.InstanceNorm2d(3, affine=True)(torch.ones(2, 4, 5, 5))", func() {
		nn.NewInstanceNorm2d(3, nn.InstanceNorm2dOptions{Affine: true}).Forward(torch.Ones(2, 4, 5, 5))
	}, "InstanceNorm2d: x is [2 4 5 5] and must have 3 channels"},
	{"nn.InstanceNorm2d(3)(torch.ones(2, 4, 5, 5))", func() { nn.NewInstanceNorm2d(3).Forward(torch.Ones(2, 4, 5, 5)) }, ""},
	{"nn.InstanceNorm1d(3)(torch.ones(2, 3, 1))", func() { nn.NewInstanceNorm1d(3).Forward(torch.Ones(2, 3, 1)) }, "x [2 3 1] has one element for each channel; it must have more"},
	{"nn.LayerNorm(3)(torch.ones(2, 4))", func() { nn.NewLayerNorm(3).Forward(torch.Ones(2, 4)) }, "but got input of size[2, 4]"},
	{"nn.LayerNorm(())(torch.ones(2, 4))", func() { nn.NewLayerNorm([]int{}).Forward(torch.Ones(2, 4)) }, "Expected normalized_shape to be at least 1-dimensional"},
	{"nn.RMSNorm(3)(torch.ones(2, 4))", func() { nn.NewRMSNorm(3).Forward(torch.Ones(2, 4)) }, "but got input of size[2, 4]"},
	{"nn.GroupNorm(2, 3)", func() { nn.NewGroupNorm(2, 3) }, "GroupNorm: 2 groups do not divide 3 channels"},
	{"nn.GroupNorm(2, 4)(torch.ones(2, 6))", func() { nn.NewGroupNorm(2, 4).Forward(torch.Ones(2, 6)) }, "weight to be a vector of size equal to the number of channels"},
	{"nn.LocalResponseNorm(2)(torch.ones(2, 6))", func() { nn.NewLocalResponseNorm(2).Forward(torch.Ones(2, 6)) }, "x must have at least 3 dimensions, not 2"},
	{"nn.CrossMapLRN2d(2)(torch.ones(2, 6, 2))", func() { nn.NewCrossMapLRN2d(2).Forward(torch.Ones(2, 6, 2)) }, "CrossMapLRN2d: x is [2 6 2] and must be [N, C, H, W]"},
	{"nn.CrossMapLRN2d(0)(torch.ones(2, 6, 2, 2))", func() { nn.NewCrossMapLRN2d(0).Forward(torch.Ones(2, 6, 2, 2)) }, "CrossMapLRN2d: the size is 0; it must be at least 1"},
	{"nn.Hardtanh(1, 1)(torch.ones(2))", func() { (&nn.Hardtanh{MinVal: 1, MaxVal: 1}).Forward(torch.Ones(2)) }, "Hardtanh: MaxVal is 1 and MinVal 1; MaxVal must be above MinVal"},
	{"nn.GLU()(torch.ones(3))", func() { (&nn.GLU{}).Forward(torch.Ones(3)) }, "Halving dimension must be even"},
	{"nn.GELU('erf')(torch.ones(3))", func() { (&nn.GELU{Approximate: "erf"}).Forward(torch.Ones(3)) }, "approximate argument must be either none or tanh"},
	{"nn.Softshrink(-1)(torch.ones(3))", func() { (&nn.Softshrink{Lambd: -1}).Forward(torch.Ones(3)) }, "lambda must be in range"},
	{"nn.CELU(0)(torch.ones(3))", func() { (&nn.CELU{Alpha: 0}).Forward(torch.Ones(3)) }, "ZeroDivisionError: alpha cannot be 0 for CELU"},
	{"nn.RReLU(0.5, 0.1)(torch.ones(3))", func() { nn.NewRReLU(nn.RReLUOptions{Lower: 0.5, Upper: 0.1}).Forward(torch.Ones(3)) }, "Lower bound should be less than or equal to the upper bound"},
	{"nn.PReLU(3)(torch.ones(2, 4))", func() { nn.NewPReLU(nn.PReLUOptions{NumParameters: 3}).Forward(torch.Ones(2, 4)) }, "Mismatch of parameter numbers and input channel size"},
	{"nn.Softmax2d()(torch.ones(2, 4))", func() { (&nn.Softmax2d{}).Forward(torch.Ones(2, 4)) }, "Softmax2d: x is [2 4] and must be [N, C, H, W] or [C, H, W]"},
	{"nn.LogSoftmax(2)(torch.ones(2, 4))", func() { nn.NewLogSoftmax(2).Forward(torch.Ones(2, 4)) }, "Dimension out of range"},
	{"nn.Dropout(1.5)", func() { nn.NewDropout(1.5) }, "Dropout: the probability is 1.5; it must be between 0 and 1"},
	{"nn.FeatureAlphaDropout(-0.5)", func() { nn.NewFeatureAlphaDropout(-0.5) }, "FeatureAlphaDropout: the probability is -0.5; it must be between 0 and 1"},
	{"nn.Dropout1d(0.5)(torch.ones(2))", func() { nn.NewDropout1d(0.5).Forward(torch.Ones(2)) }, "x is [2]; it must be [N, C, L] or [C, L]"},
	{"nn.Dropout1d(0.5, inplace=True)(torch.ones(2))", func() { nn.NewDropout1d(0.5, nn.DropoutOptions{InPlace: true}).Forward(torch.Ones(2)) }, "Dropout1d: x is [2] and must be [N, C, L] or [C, L]"},
	{"nn.Dropout2d(0.5)(torch.ones(2, 3))", func() { nn.NewDropout2d(0.5).Forward(torch.Ones(2, 3)) }, ""},
	{"nn.Embedding(4, 3, padding_idx=4)", func() { nn.NewEmbedding(4, 3, nn.EmbeddingOptions{PaddingIdx: new(4)}) }, "Embedding: PaddingIdx is 4; there are 4 embeddings"},
	{"nn.Embedding(4, 3)(torch.tensor([4]))", func() { nn.NewEmbedding(4, 3).Forward(torch.FromSlice([]int64{4})) }, "index out of range"},
	{"nn.Embedding(4, 3)(torch.ones(2))", func() { nn.NewEmbedding(4, 3).Forward(torch.Ones(2)) }, "Expected tensor for argument #1 'indices' to have one of the following scalar types"},
	{"nn.Embedding.from_pretrained(torch.ones(2))", func() { nn.EmbeddingFromPretrained(torch.Ones(2)) }, "Embedding: the embeddings are [2]; they must be [n, d]"},
	{"nn.EmbeddingBag(4, 3, mode='min')(torch.zeros(2, 2).long())", func() {
		nn.NewEmbeddingBag(4, 3, nn.EmbeddingBagOptions{Mode: "min"}).Forward(torch.Zeros(2, 2).ToDType(torch.Int64))
	}, `Mode is "min"; it must be one of`},
	{"nn.EmbeddingBag(4, 3)(torch.zeros(2).long())", func() { nn.NewEmbeddingBag(4, 3).Forward(torch.Zeros(2).ToDType(torch.Int64)) }, "indices must have 2 dimensions, or 1 and Offsets as well"},
	{"nn.Fold(4, 2)(torch.ones(1, 5, 9))", func() { nn.NewFold(4, 2).Forward(torch.Ones(1, 5, 9)) }, "divisible by the product of kernel_size"},
	{"nn.Unfold(9)(torch.ones(1, 1, 4, 4))", func() { nn.NewUnfold(9).Forward(torch.Ones(1, 1, 4, 4)) }, "but its components must be at least one"},
	{"nn.Upsample()(torch.ones(1, 1, 4))", func() { (&nn.Upsample{}).Forward(torch.Ones(1, 1, 4)) }, "one of Size and ScaleFactor must be given"},
	{"nn.Upsample(2, 2)(torch.ones(1, 1, 4))", func() { (&nn.Upsample{Size: 2, ScaleFactor: 2}).Forward(torch.Ones(1, 1, 4)) }, "one of Size and ScaleFactor must be given"},
	{"nn.Upsample(2, mode='cubic')(torch.ones(1, 1, 4))", func() { (&nn.Upsample{Size: 2, Mode: "cubic"}).Forward(torch.Ones(1, 1, 4)) }, `there is no mode "cubic" for 3 dimensions`},
	{"nn.Upsample(2, mode='nearest', align_corners=True)(torch.ones(1, 1, 4))", func() {
		(&nn.Upsample{Size: 2, Mode: "nearest", AlignCorners: true}).Forward(torch.Ones(1, 1, 4))
	}, `mode "nearest" has no AlignCorners`},
	{"nn.UpsamplingNearest2d(2)(torch.ones(1, 4))", func() { (&nn.UpsamplingNearest2d{Size: 2}).Forward(torch.Ones(1, 4)) }, "x must have 3, 4 or 5 dimensions, not 2"},
	{"nn.PixelShuffle(2)(torch.ones(1, 3, 4, 4))", func() { nn.NewPixelShuffle(2).Forward(torch.Ones(1, 3, 4, 4)) }, "divisible by the square of upscale_factor"},
	{"nn.PixelUnshuffle(2)(torch.ones(1, 3, 3, 4))", func() { nn.NewPixelUnshuffle(2).Forward(torch.Ones(1, 3, 3, 4)) }, "height to be divisible by downscale_factor"},
	{"nn.ChannelShuffle(2)(torch.ones(1, 3, 4))", func() { nn.NewChannelShuffle(2).Forward(torch.Ones(1, 3, 4)) }, "Number of channels must be divisible by groups"},
	{"nn.CircularPad1d(1)(torch.ones(4))", func() { nn.NewCircularPad1d(1).Forward(torch.Ones(4)) }, "CircularPad1d: x is [4] and must be [N, C, L] or [C, L]"},
	{"nn.ReflectionPad1d(4)(torch.ones(1, 4))", func() { nn.NewReflectionPad1d(4).Forward(torch.Ones(1, 4)) }, "Padding size should be less than the corresponding input dimension"},
	{"nn.ReplicationPad2d(1)(torch.ones(4))", func() { nn.NewReplicationPad2d(1).Forward(torch.Ones(4)) }, "Padding length should be less than or equal to two times the input dimension"},
	{"nn.ConstantPad1d((1, 2, 3), 0.)(torch.ones(1, 4))", func() { nn.NewConstantPad1d([]int{1, 2, 3}, 0.).Forward(torch.Ones(1, 4)) }, "ConstantPad1d: padding has 3 elements; it must have 2, two for each dimension"},
	{"nn.ZeroPad2d((1, 2))(torch.ones(1, 2, 4))", func() { nn.NewZeroPad2d([]int{1, 2}).Forward(torch.Ones(1, 2, 4)) }, ""},
	{"nn.CosineSimilarity()(torch.ones(2, 3), torch.ones(2, 4))", func() { (&nn.CosineSimilarity{}).Forward(torch.Ones(2, 3), torch.Ones(2, 4)) }, "must match the size"},
	{"nn.PairwiseDistance()(torch.ones(2, 3), torch.ones(2, 4))", func() { (&nn.PairwiseDistance{}).Forward(torch.Ones(2, 3), torch.Ones(2, 4)) }, "must match the size"},
	{"nn.MSELoss(reduction='avg')(torch.ones(2), torch.ones(2))", func() { (&nn.MSELoss{Reduction: "avg"}).Forward(torch.Ones(2), torch.Ones(2)) }, `the reduction is "avg"; it can be "mean", "sum" or "none"`},
	{"nn.L1Loss()(torch.ones(2), torch.ones(3))", func() { (&nn.L1Loss{}).Forward(torch.Ones(2), torch.Ones(3)) }, "must match the size"},
	{"nn.HuberLoss(delta=-1.)(torch.ones(2), torch.ones(2))", func() { (&nn.HuberLoss{Delta: new(-1.0)}).Forward(torch.Ones(2), torch.Ones(2)) }, "does not support non-positive values for delta"},
	{"nn.SmoothL1Loss(beta=-1.)(torch.ones(2), torch.ones(2))", func() { (&nn.SmoothL1Loss{Beta: new(-1.0)}).Forward(torch.Ones(2), torch.Ones(2)) }, "does not support negative values for beta"},
	{"nn.NLLLoss()(torch.ones(2, 3), torch.tensor([0, 3]))", func() { (&nn.NLLLoss{}).Forward(torch.Ones(2, 3), torch.FromSlice([]int64{0, 3})) }, "Target 3 is out of bounds"},
	{"nn.CrossEntropyLoss()(torch.ones(2, 3), torch.tensor([0]))", func() { (&nn.CrossEntropyLoss{}).Forward(torch.Ones(2, 3), torch.FromSlice([]int64{0})) }, "Expected input batch_size (2) to match target batch_size (1)"},
	{"nn.CrossEntropyLoss(label_smoothing=2)(torch.ones(1, 3), torch.tensor([0]))", func() {
		(&nn.CrossEntropyLoss{LabelSmoothing: 2}).Forward(torch.Ones(1, 3), torch.FromSlice([]int64{0}))
	}, "label_smoothing must be between 0.0 and 1.0"},
	{"nn.CrossEntropyLoss(torch.ones(2))(torch.ones(1, 3), torch.tensor([0]))", func() {
		(&nn.CrossEntropyLoss{Weight: torch.Ones(2)}).Forward(torch.Ones(1, 3), torch.FromSlice([]int64{0}))
	}, "weight tensor should be defined either for all 3 classes or no classes"},
	{"nn.LinearCrossEntropyLoss(5, 4, weight=torch.ones(3))", func() { nn.NewLinearCrossEntropyLoss(5, 4, nn.LinearCrossEntropyLossOptions{Weight: torch.Ones(3)}) }, "LinearCrossEntropyLoss: the weight is [3]; it must be [4]"},
	{"nn.LinearCrossEntropyLoss(5, 4, label_smoothing=1.5)", func() { nn.NewLinearCrossEntropyLoss(5, 4, nn.LinearCrossEntropyLossOptions{LabelSmoothing: 1.5}) }, "LinearCrossEntropyLoss: LabelSmoothing is 1.5; it must be between 0 and 1"},
	{"nn.BCELoss()(torch.ones(2), torch.ones(3))", func() { (&nn.BCELoss{}).Forward(torch.Ones(2), torch.Ones(3)) }, "x is [2] and target [3]; they must have the same shape"},
	{"nn.BCELoss()(torch.ones(2) * 2, torch.ones(2))", func() { (&nn.BCELoss{}).Forward(torch.Full(2.0, 2), torch.Ones(2)) }, "all elements of input should be between 0 and 1"},
	{"nn.BCEWithLogitsLoss()(torch.ones(2, 1), torch.ones(2))", func() { (&nn.BCEWithLogitsLoss{}).Forward(torch.Ones(2, 1), torch.Ones(2)) }, "x is [2 1] and target [2]; they must have the same shape"},
	{"nn.KLDivLoss(reduction='batch')(torch.ones(2), torch.ones(2))", func() { (&nn.KLDivLoss{Reduction: "batch"}).Forward(torch.Ones(2), torch.Ones(2)) }, `the reduction is "batch"`},
	{"nn.GaussianNLLLoss()(torch.ones(2), torch.ones(2), -torch.ones(2))", func() { (&nn.GaussianNLLLoss{}).Forward(torch.Ones(2), torch.Ones(2), torch.Ones(2).Neg()) }, "the variance has negative elements"},
	{"nn.GaussianNLLLoss()(torch.ones(2, 3), torch.ones(2, 3), torch.ones(3, 2))", func() { (&nn.GaussianNLLLoss{}).Forward(torch.Ones(2, 3), torch.Ones(2, 3), torch.Ones(3, 2)) }, "the variance [3 2] does not fit x [2 3]"},
	{"nn.MultiLabelMarginLoss()(torch.ones(2, 3), torch.ones(2, 4).long())", func() { (&nn.MultiLabelMarginLoss{}).Forward(torch.Ones(2, 3), torch.Ones(2, 4).ToDType(torch.Int64)) }, "inconsistent target size"},
	{"nn.MultiMarginLoss(p=3)(torch.ones(2, 3), torch.tensor([0, 1]))", func() { (&nn.MultiMarginLoss{P: 3}).Forward(torch.Ones(2, 3), torch.FromSlice([]int64{0, 1})) }, "P is 3; it must be 1 or 2"},
	{"nn.MultiMarginLoss(weight=torch.ones(3, 1))(torch.ones(2, 3), torch.tensor([0, 1]))", func() {
		(&nn.MultiMarginLoss{Weight: torch.Ones(3, 1)}).Forward(torch.Ones(2, 3), torch.FromSlice([]int64{0, 1}))
	}, "the weight has 2 dimensions; it must have 1"},
	{"nn.CosineEmbeddingLoss()(torch.ones(2, 3), torch.ones(2, 3), torch.ones(2, 1))", func() {
		(&nn.CosineEmbeddingLoss{}).Forward(torch.Ones(2, 3), torch.Ones(2, 3), torch.Ones(2, 1))
	}, "0D or 1D target tensor expected"},
	{"nn.MarginRankingLoss()(torch.ones(2), torch.ones(2), torch.ones(2, 1))", func() {
		(&nn.MarginRankingLoss{}).Forward(torch.Ones(2), torch.Ones(2), torch.Ones(2, 1))
	}, "they must have the same number of dimensions"},
	{"nn.TripletMarginLoss(margin=0.)(torch.ones(2), torch.ones(2), torch.ones(2))", func() {
		(&nn.TripletMarginLoss{Margin: new(0.0)}).Forward(torch.Ones(2), torch.Ones(2), torch.Ones(2))
	}, "the margin is 0; it must be above 0"},
	{"nn.TripletMarginWithDistanceLoss(margin=-1.)", func() {
		nn.NewTripletMarginWithDistanceLoss(nn.TripletMarginWithDistanceLossOptions{Margin: new(-1.0)})
	}, "TripletMarginWithDistanceLoss: Margin is -1; it must be above 0"},
	{"nn.TripletMarginWithDistanceLoss(distance_function=3)(*[torch.ones(2)] * 3)", func() {
		nn.NewTripletMarginWithDistanceLoss(nn.TripletMarginWithDistanceLossOptions{DistanceFunction: 3})
	}, "DistanceFunction is a int; it must be a func"},
	{"nn.CTCLoss()(torch.ones(3, 1, 4), torch.ones(1, 2).long(), (4,), (2,))", func() {
		(&nn.CTCLoss{}).Forward(torch.Ones(3, 1, 4), torch.Ones(1, 2).ToDType(torch.Int64), []int{4}, []int{2})
	}, "an input length is 4 and must lie from 0 to 3"},
	{"nn.CTCLoss(blank=9)(torch.ones(3, 1, 4), torch.ones(1, 2).long(), (3,), (2,))", func() {
		(&nn.CTCLoss{Blank: 9}).Forward(torch.Ones(3, 1, 4), torch.Ones(1, 2).ToDType(torch.Int64), []int{3}, []int{2})
	}, "blank is 9 and must lie from 0 to 3"},
	{"nn.AdaptiveLogSoftmaxWithLoss(4, 9, [])", func() { nn.NewAdaptiveLogSoftmaxWithLoss(4, 9, nil) }, "there are no cutoffs"},
	{"nn.AdaptiveLogSoftmaxWithLoss(4, 9, [5, 3])", func() { nn.NewAdaptiveLogSoftmaxWithLoss(4, 9, []int{5, 3}) }, "the cutoffs are [5 3]; they must be between 1 and 8, in increasing order"},
	{"nn.AdaptiveLogSoftmaxWithLoss(4, 9, [9])", func() { nn.NewAdaptiveLogSoftmaxWithLoss(4, 9, []int{9}) }, "the cutoffs are [9]"},
	{"nn.AdaptiveLogSoftmaxWithLoss(4, 9, [3])(torch.ones(2, 4), torch.tensor([3, 9]))", func() {
		nn.NewAdaptiveLogSoftmaxWithLoss(4, 9, []int{3}).Forward(torch.Ones(2, 4), torch.FromSlice([]int64{3, 9}))
	}, "the target has values from 3 to 9; they must be from 0 to 8"},
	{"nn.AdaptiveLogSoftmaxWithLoss(4, 9, [3])(torch.ones(3, 4), torch.tensor([3, 4]))", func() {
		nn.NewAdaptiveLogSoftmaxWithLoss(4, 9, []int{3}).Forward(torch.Ones(3, 4), torch.FromSlice([]int64{3, 4}))
	}, "x is [3 4] and the target [2]"},
	{"nn.init.eye_(torch.ones(3))", func() { nn.InitEye(torch.Ones(3)) }, "InitEye: x is [3]; it must have 2 dimensions"},
	{"nn.init.dirac_(torch.ones(3, 3))", func() { nn.InitDirac(torch.Ones(3, 3)) }, "InitDirac: x is [3 3]; it must have 3, 4 or 5 dimensions"},
	{"nn.init.dirac_(torch.ones(3, 3, 3), groups=2)", func() { nn.InitDirac(torch.Ones(3, 3, 3), nn.InitDiracOptions{Groups: 2}) }, "InitDirac: 2 groups do not divide the first size of x [3 3 3]"},
	{"nn.init.orthogonal_(torch.ones(3))", func() { nn.InitOrthogonal(torch.Ones(3)) }, "InitOrthogonal: x is [3]; it must have at least 2 dimensions"},
	{"nn.init.sparse_(torch.ones(3), 0.5)", func() { nn.InitSparse(torch.Ones(3), 0.5) }, "InitSparse: x is [3]; it must have 2 dimensions"},
	{"nn.init.xavier_uniform_(torch.ones(3))", func() { nn.InitXavierUniform(torch.Ones(3)) }, "a weight of shape [3] has no fan; it needs two dimensions"},
	{"nn.init.calculate_gain('gelu')", func() { nn.CalculateGain("gelu") }, `the nonlinearity is "gelu"; it can be`},
}

// lines are what no error of one sentence has.
var lines = regexp.MustCompile(`\n`)

// TestModuleMistakes requires errors of one sentence.
func TestModuleMistakes(t *testing.T) {
	for _, c := range mistakes {
		err := torch.Try(c.g)
		if c.want == "" {
			require.NoError(t, err, c.python)
			continue
		}
		var e *torch.Error
		require.ErrorAs(t, err, &e, c.python)
		require.ErrorContains(t, err, c.want, c.python)
		require.False(t, lines.MatchString(err.Error()), err.Error())
	}
}

// TestModuleMistakesLive requires that Python raises in the same cases.
func TestModuleMistakesLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, tensorScript)
	var statements []torch.Value
	for _, c := range mistakes {
		statements = append(statements, c.python)
	}
	for i, raised := range p.Call("raises", statements).([]torch.Value) {
		require.Equal(t, mistakes[i].want != "", raised != "", "%s: %s", mistakes[i].python, raised)
	}
}
