package models

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385,
// and what followed in the same frame: ResNeXt, Wide ResNet and the WSL models.

type paper struct{ title, url string }

var (
	resNet  = paper{"Deep Residual Learning for Image Recognition", "https://arxiv.org/abs/1512.03385"}
	resNeXt = paper{"Aggregated Residual Transformations for Deep Neural Networks", "https://arxiv.org/abs/1611.05431"}
	wide    = paper{"Wide Residual Networks", "https://arxiv.org/abs/1605.07146"}
	wsl     = paper{"Exploring the Limits of Weakly Supervised Pretraining", "https://arxiv.org/abs/1805.00932"}
)

func (p paper) entry(name, repo string, c ResNetConfig, w ...Weights) Entry {
	return Entry{Name: name, Repo: repo, Title: p.title, Paper: p.url, Weights: w,
		Build: func() nn.Module { return NewResNet(c) }, configure: c.configure}
}

const (
	torchvision   = "https://download.pytorch.org/models/"
	nonCommercial = "CC-BY-NC 4.0"
)

func imageNetPreset(resize int) Preset {
	return Preset{Resize: resize, Crop: 224, Interpolation: "bilinear",
		Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}
}

var resNets = []Entry{
	resNet.entry("resnet18", Vision, ResNetConfig{Block: BasicBlocks, Layers: [4]int{2, 2, 2, 2}},
		Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnet18-f37072fd.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 69.758, Acc5: 89.078, Params: 11689512, GFLOPs: 1.814, MiB: 44.661},
	),
	resNet.entry("resnet34", Vision, ResNetConfig{Block: BasicBlocks, Layers: [4]int{3, 4, 6, 3}},
		Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnet34-b627a593.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 73.314, Acc5: 91.42, Params: 21797672, GFLOPs: 3.664, MiB: 83.275},
	),
	resNet.entry("resnet50", Vision, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 6, 3}},
		Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnet50-0676ba61.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 76.13, Acc5: 92.862, Params: 25557032, GFLOPs: 4.089, MiB: 97.781},
		Weights{Name: "IMAGENET1K_V2", URL: torchvision + "resnet50-11ad3fa6.pth", Preset: imageNetPreset(232), Classes: ImageNet, Acc1: 80.858, Acc5: 95.434, Params: 25557032, GFLOPs: 4.089, MiB: 97.79},
	),
	resNet.entry("resnet101", Vision, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}},
		Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnet101-63fe2227.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 77.374, Acc5: 93.546, Params: 44549160, GFLOPs: 7.801, MiB: 170.511},
		Weights{Name: "IMAGENET1K_V2", URL: torchvision + "resnet101-cd907fc2.pth", Preset: imageNetPreset(232), Classes: ImageNet, Acc1: 81.886, Acc5: 95.78, Params: 44549160, GFLOPs: 7.801, MiB: 170.53},
	),
	resNet.entry("resnet152", Vision, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 8, 36, 3}},
		Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnet152-394f9c45.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 78.312, Acc5: 94.046, Params: 60192808, GFLOPs: 11.514, MiB: 230.434},
		Weights{Name: "IMAGENET1K_V2", URL: torchvision + "resnet152-f82ba261.pth", Preset: imageNetPreset(232), Classes: ImageNet, Acc1: 82.284, Acc5: 96.002, Params: 60192808, GFLOPs: 11.514, MiB: 230.474},
	),
	resNeXt.entry("resnext50_32x4d", Vision, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 6, 3}, Groups: 32, WidthPerGroup: 4},
		Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnext50_32x4d-7cdf4587.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 77.618, Acc5: 93.698, Params: 25028904, GFLOPs: 4.23, MiB: 95.789},
		Weights{Name: "IMAGENET1K_V2", URL: torchvision + "resnext50_32x4d-1a0047aa.pth", Preset: imageNetPreset(232), Classes: ImageNet, Acc1: 81.198, Acc5: 95.34, Params: 25028904, GFLOPs: 4.23, MiB: 95.833},
	),
	resNeXt.entry("resnext101_32x8d", Vision, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 8},
		Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnext101_32x8d-8ba56ff5.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 79.312, Acc5: 94.526, Params: 88791336, GFLOPs: 16.414, MiB: 339.586},
		Weights{Name: "IMAGENET1K_V2", URL: torchvision + "resnext101_32x8d-110c445d.pth", Preset: imageNetPreset(232), Classes: ImageNet, Acc1: 82.834, Acc5: 96.228, Params: 88791336, GFLOPs: 16.414, MiB: 339.673},
	),
	resNeXt.entry("resnext101_64x4d", Vision, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}, Groups: 64, WidthPerGroup: 4},
		Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnext101_64x4d-173b62eb.pth", Preset: imageNetPreset(232), Classes: ImageNet, Acc1: 83.246, Acc5: 96.454, Params: 83455272, GFLOPs: 15.46, MiB: 319.318},
	),
	wide.entry("wide_resnet50_2", Vision, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 6, 3}, WidthPerGroup: 128},
		Weights{Name: "IMAGENET1K_V1", URL: torchvision + "wide_resnet50_2-95faca4d.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 78.468, Acc5: 94.086, Params: 68883240, GFLOPs: 11.398, MiB: 131.82},
		Weights{Name: "IMAGENET1K_V2", URL: torchvision + "wide_resnet50_2-9ba9bcbe.pth", Preset: imageNetPreset(232), Classes: ImageNet, Acc1: 81.602, Acc5: 95.758, Params: 68883240, GFLOPs: 11.398, MiB: 263.124},
	),
	wide.entry("wide_resnet101_2", Vision, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}, WidthPerGroup: 128},
		Weights{Name: "IMAGENET1K_V1", URL: torchvision + "wide_resnet101_2-32ee1156.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 78.848, Acc5: 94.284, Params: 126886696, GFLOPs: 22.753, MiB: 242.896},
		Weights{Name: "IMAGENET1K_V2", URL: torchvision + "wide_resnet101_2-d733dc28.pth", Preset: imageNetPreset(232), Classes: ImageNet, Acc1: 82.51, Acc5: 96.02, Params: 126886696, GFLOPs: 22.753, MiB: 484.747},
	),
	wsl.entry("resnext101_32x8d_wsl", WSLImages, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 8},
		Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x8-c38310e5.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 82.2, Acc5: 96.4, Params: 88791336, GFLOPs: 16, MiB: 339.5, License: nonCommercial},
	),
	wsl.entry("resnext101_32x16d_wsl", WSLImages, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 16},
		Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x16-c6f796b0.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 84.2, Acc5: 97.2, Params: 194026792, GFLOPs: 36, MiB: 741.4, License: nonCommercial},
	),
	wsl.entry("resnext101_32x32d_wsl", WSLImages, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 32},
		Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x32-e4b90b00.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 85.1, Acc5: 97.5, Params: 468530472, GFLOPs: 87, MiB: 1789.6, License: nonCommercial},
	),
	wsl.entry("resnext101_32x48d_wsl", WSLImages, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 48},
		Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x48-3e41cc8a.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 85.4, Acc5: 97.6, Params: 828411176, GFLOPs: 153, MiB: 3163.4, License: nonCommercial},
	),
}

// Block is the kind of a ResNet's residual blocks.
type Block int

// Kinds of blocks.
const (
	BasicBlocks Block = iota // two 3×3 convolutions
	Bottlenecks              // 1×1, 3×3, 1×1, with four times the channels at the end
)

// expansion is the ratio of a block's output channels to its planes.
func (b Block) expansion() int {
	if b == Bottlenecks {
		return 4
	}
	return 1
}

// Stem is the kind of a ResNet's first convolutions.
type Stem int

// Kinds of stems.
const (
	PlainStem  Stem = iota // one 7×7 convolution
	DeepStem               // three 3×3 convolutions, of StemWidth, StemWidth and 2·StemWidth channels
	TieredStem             // three 3×3 convolutions, of ¾·StemWidth, StemWidth and 2·StemWidth channels
)

// Attention is what weighs the channels at the end of each residual block.
type Attention int

// Kinds of attention.
const (
	NoAttention Attention = iota
	SE                    // Squeeze-and-Excitation, https://arxiv.org/abs/1709.01507
	ECA                   // Efficient Channel Attention, https://arxiv.org/abs/1910.03151
)

// AntiAlias is what smooths before each stride of 2.
type AntiAlias int

// Kinds of smoothing.
const (
	NoAntiAlias AntiAlias = iota
	Blur                  // a binomial filter, https://arxiv.org/abs/1904.11486
	Average               // the mean of 2×2
)

// ResNetConfig describes a ResNet: the arguments of torchvision.models.resnet.ResNet,
// and after them those of timm.models.resnet.ResNet, whose zero values are
// torchvision's model.
type ResNetConfig struct {
	Block         Block
	Layers        [4]int // blocks of each stage
	NumClasses    int    // 0 means 1000
	Groups        int    // of the 3×3 convolutions in Bottlenecks, 0 means 1: timm's cardinality
	WidthPerGroup int    // channels of a group in the first stage, 0 means 64: timm's base_width

	Stem        Stem      // stem_type
	StemWidth   int       // stem_width, 0 means 64; of a PlainStem, its channels
	StemConv    bool      // replace_stem_pool: a 3×3 convolution in place of the max pooling
	Channels    [4]int    // channels: planes of each stage, 0 means 64, 128, 256, 512
	AvgDown     bool      // avg_down: shortcuts are pooled, not strided
	DownKernel  int       // down_kernel_size, 0 means 1
	ReduceFirst int       // block_reduce_first: divides the width of a block's first convolution, 0 means 1
	StrideFirst bool      // Bottlenecks stride in their first convolution, as in the paper, and not in their 3×3 one
	AntiAlias   AntiAlias // aa_layer
	Attention   Attention // attn_layer
	SERatio     float64   // rd_ratio of SE, 0 means 1/16
}

// TimmResNet returns the configuration of one of timm's ResNets by the name of
// its architecture, such as "resnet50d" or "seresnext26t_32x4d", and whether there is one.
//
// https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/resnet.py
func TimmResNet(architecture string) (ResNetConfig, bool) {
	c, ok := timmResNets[architecture]
	return c, ok
}

// ResNet is torchvision.models.resnet.ResNet, and timm.models.resnet.ResNet with
// batch normalization and ReLU.
//
// https://docs.pytorch.org/vision/stable/models/resnet.html
type ResNet struct {
	Conv1                          nn.Module // a Conv2d or, for a deep stem, a Sequential
	BN1                            *nn.BatchNorm2d
	MaxPool                        nn.Module `nn:"maxpool"` // nil where it is torchvision's, without parameters
	Layer1, Layer2, Layer3, Layer4 nn.Sequential
	FC                             *nn.Linear
}

// NewResNet builds a ResNet, initialized as torchvision's. As there, groups and
// widths with BasicBlocks are an [*torch.Error], and so is a number that is negative.
func NewResNet(c ResNetConfig) *ResNet {
	c.Groups, c.WidthPerGroup = cmp.Or(c.Groups, 1), cmp.Or(c.WidthPerGroup, 64)
	c.StemWidth, c.DownKernel, c.ReduceFirst = cmp.Or(c.StemWidth, 64), cmp.Or(c.DownKernel, 1), cmp.Or(c.ReduceFirst, 1)
	c.SERatio = cmp.Or(c.SERatio, 1./16)
	if c.Channels == [4]int{} {
		c.Channels = [4]int{64, 128, 256, 512}
	}
	c.check()
	in := c.StemWidth
	if c.Stem != PlainStem {
		in *= 2
	}
	m := &ResNet{Conv1: c.stem(in), BN1: nn.NewBatchNorm2d(in), MaxPool: c.stemPool(in)}
	stage := func(i, stride int) nn.Sequential {
		s := make(nn.Sequential, c.Layers[i])
		for j := range s {
			s[j] = c.block(in, c.Channels[i], stride)
			in, stride = c.Channels[i]*c.Block.expansion(), 1
		}
		return s
	}
	m.Layer1, m.Layer2, m.Layer3, m.Layer4 = stage(0, 1), stage(1, 2), stage(2, 2), stage(3, 2)
	m.FC = nn.NewLinear(in, cmp.Or(c.NumClasses, 1000))
	for _, p := range nn.Parameters(m) {
		if p.Dim() == 4 { // a convolution's weight
			nn.InitKaimingNormal(p)
		}
	}
	return m
}

// check refuses a configuration, whose defaults are filled in, that cannot be built.
func (c ResNetConfig) check() {
	refuse := func(format string, args ...any) {
		panic(&torch.Error{Op: "NewResNet", Msg: fmt.Sprintf(format, args...)})
	}
	if c.Block == BasicBlocks && (c.Groups != 1 || c.WidthPerGroup != 64) {
		refuse("BasicBlocks have one group of width 64; use Bottlenecks")
	}
	if least := min(c.NumClasses, c.Groups-1, c.WidthPerGroup-1, c.StemWidth-1, c.DownKernel-1, c.ReduceFirst-1, slices.Min(c.Layers[:])-1, slices.Min(c.Channels[:])-1); least < 0 || !(c.SERatio > 0) {
		refuse("a number of %+v is too small", c)
	}
	if c.DownKernel%2 == 0 {
		refuse("DownKernel is %d and must be odd", c.DownKernel)
	}
}

func (c ResNetConfig) stem(out int) nn.Module {
	if c.Stem == PlainStem {
		return nn.NewConv2d(3, out, 7, nn.Conv2dOptions{Stride: 2, Padding: 3, NoBias: true})
	}
	first := c.StemWidth
	if c.Stem == TieredStem {
		first = 3 * (c.StemWidth / 4)
	}
	return nn.Sequential{
		conv3x3(3, first, 2, 1), nn.NewBatchNorm2d(first), &nn.ReLU{InPlace: true},
		conv3x3(first, c.StemWidth, 1, 1), nn.NewBatchNorm2d(c.StemWidth), &nn.ReLU{InPlace: true},
		conv3x3(c.StemWidth, out, 1, 1),
	}
}

// stemPool halves the sides of what comes out of the stem; nil where that is torchvision's max pooling.
func (c ResNetConfig) stemPool(channels int) nn.Module {
	switch {
	case c.StemConv && c.AntiAlias == NoAntiAlias:
		return nn.Sequential{conv3x3(channels, channels, 2, 1), nn.NewBatchNorm2d(channels), &nn.ReLU{InPlace: true}}
	case c.StemConv:
		return nn.Sequential{conv3x3(channels, channels, 1, 1), c.smooth(), nn.NewBatchNorm2d(channels), &nn.ReLU{InPlace: true}}
	case c.AntiAlias == Average:
		return c.smooth()
	case c.AntiAlias == Blur:
		return nn.Sequential{nn.NewMaxPool2d(3, F.MaxPool2dOptions{Stride: 1, Padding: 1}), c.smooth()}
	}
	return nil
}

func (c ResNetConfig) smooth() nn.Module {
	if c.AntiAlias == Blur {
		return blurPool{}
	}
	return avgPool{}
}

func (c ResNetConfig) block(in, planes, stride int) nn.Module {
	// The shortcut comes first, as in torchvision, so that random numbers fall alike.
	var downsample nn.Module
	out := planes * c.Block.expansion()
	if stride != 1 || in != out {
		downsample = c.shortcut(in, out, stride)
	}
	var aa nn.Module
	convStride := stride
	if c.AntiAlias != NoAntiAlias && stride == 2 {
		aa, convStride = c.smooth(), 1
	}
	if c.Block == Bottlenecks {
		return c.bottleneck(in, planes, convStride, aa, downsample)
	}
	first := planes / c.ReduceFirst
	return &basicBlock{
		Conv1:      conv3x3(in, first, convStride, 1),
		BN1:        nn.NewBatchNorm2d(first),
		AA:         aa,
		Conv2:      conv3x3(first, planes, 1, 1),
		BN2:        nn.NewBatchNorm2d(planes),
		SE:         c.attention(out),
		Downsample: downsample,
	}
}

// shortcut fits a block's input to its output.
func (c ResNetConfig) shortcut(in, out, stride int) nn.Module {
	if c.AvgDown {
		return &avgShortcut{stride: stride, Conv: conv1x1(in, out, 1), BN: nn.NewBatchNorm2d(out)}
	}
	k := c.DownKernel
	if stride == 1 {
		k = 1
	}
	return nn.Sequential{
		nn.NewConv2d(in, out, k, nn.Conv2dOptions{Stride: stride, Padding: k / 2, NoBias: true}),
		nn.NewBatchNorm2d(out),
	}
}

// avgShortcut pools, where it strides, and convolves. Its pool is module 0, which has no parameters.
type avgShortcut struct {
	stride int
	Conv   *nn.Conv2d      `nn:"1"`
	BN     *nn.BatchNorm2d `nn:"2"`
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *avgShortcut) Forward(x *torch.Tensor) *torch.Tensor {
	if m.stride == 1 {
		return m.Conv.Forward(x).Then(m.BN.Forward)
	}
	return avgPool{ceil: true}.Forward(x).Then(m.Conv.Forward).Then(m.BN.Forward)
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *ResNet) Forward(x *torch.Tensor) *torch.Tensor {
	x = m.Conv1.Forward(x).Then(m.BN1.Forward).ReLUInPlace() // [N, 64, H/2, W/2]
	x = x.Then(func(x *torch.Tensor) *torch.Tensor {
		if m.MaxPool != nil {
			return m.MaxPool.Forward(x)
		}
		return F.MaxPool2d(x, 3, F.MaxPool2dOptions{Stride: 2, Padding: 1}) // [N, 64, H/4, W/4]
	})
	x = x.Then(m.Layer1.Forward).Then(m.Layer2.Forward).Then(m.Layer3.Forward).Then(m.Layer4.Forward) // [N, C, H/32, W/32]
	return x.Then(func(x *torch.Tensor) *torch.Tensor {
		return F.AdaptiveAvgPool2d(x, 1, 1) // [N, C, 1, 1]
	}).Then(func(x *torch.Tensor) *torch.Tensor {
		return x.Flatten(1) // [N, C]
	}).Then(m.FC.Forward)
}

type basicBlock struct {
	Conv1      *nn.Conv2d
	BN1        *nn.BatchNorm2d
	AA         nn.Module // nil without
	Conv2      *nn.Conv2d
	BN2        *nn.BatchNorm2d
	SE         nn.Module // nil without
	Downsample nn.Module // nil without
}

// Forward maps [N, in, H, W] to [N, planes, H/stride, W/stride].
func (m *basicBlock) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Conv1.Forward(x).Then(m.BN1.Forward).ReLUInPlace()
	y = maybe(y, m.AA).Then(m.Conv2.Forward).Then(m.BN2.Forward)
	return addShortcut(maybe(y, m.SE), x, m.Downsample)
}

type bottleneck struct {
	Conv1      *nn.Conv2d
	BN1        *nn.BatchNorm2d
	Conv2      *nn.Conv2d
	BN2        *nn.BatchNorm2d
	AA         nn.Module // nil without
	Conv3      *nn.Conv2d
	BN3        *nn.BatchNorm2d
	SE         nn.Module // nil without
	Downsample nn.Module // nil without
}

// bottleneck puts the stride in the 3×3 convolution, ResNet v1.5 as torchvision calls it, unless told otherwise.
func (c ResNetConfig) bottleneck(in, planes, stride int, aa nn.Module, downsample nn.Module) *bottleneck {
	width, out := planes*c.WidthPerGroup/64*c.Groups, planes*Bottlenecks.expansion()
	first := width / c.ReduceFirst
	stride1, stride2 := 1, stride
	if c.StrideFirst {
		stride1, stride2 = stride, 1
	}
	return &bottleneck{
		Conv1:      conv1x1(in, first, stride1),
		BN1:        nn.NewBatchNorm2d(first),
		Conv2:      conv3x3(first, width, stride2, c.Groups),
		BN2:        nn.NewBatchNorm2d(width),
		AA:         aa,
		Conv3:      conv1x1(width, out, 1),
		BN3:        nn.NewBatchNorm2d(out),
		SE:         c.attention(out),
		Downsample: downsample,
	}
}

// Forward maps [N, in, H, W] to [N, 4·planes, H/stride, W/stride].
func (m *bottleneck) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Conv1.Forward(x).Then(m.BN1.Forward).ReLUInPlace()
	y = y.Then(m.Conv2.Forward).Then(m.BN2.Forward).ReLUInPlace()
	y = maybe(y, m.AA).Then(m.Conv3.Forward).Then(m.BN3.Forward)
	return addShortcut(maybe(y, m.SE), x, m.Downsample)
}

// maybe passes y through a module that may be nil.
func maybe(y *torch.Tensor, m nn.Module) *torch.Tensor {
	if m == nil {
		return y
	}
	return y.Then(m.Forward)
}

// addShortcut returns relu(y + downsample(x)), in place of y.
func addShortcut(y, x *torch.Tensor, downsample nn.Module) *torch.Tensor {
	if downsample == nil {
		return y.AddInPlace(x).ReLUInPlace()
	}
	x = downsample.Forward(x)
	defer x.Free()
	return y.AddInPlace(x).ReLUInPlace()
}

func conv3x3(in, out, stride, groups int) *nn.Conv2d {
	return nn.NewConv2d(in, out, 3, nn.Conv2dOptions{Stride: stride, Padding: 1, Groups: groups, NoBias: true})
}

func conv1x1(in, out, stride int) *nn.Conv2d {
	return nn.NewConv2d(in, out, 1, nn.Conv2dOptions{Stride: stride, NoBias: true})
}

// attention returns what weighs channels, nil for nothing.
func (c ResNetConfig) attention(channels int) nn.Module {
	switch c.Attention {
	case SE:
		// To the nearest multiple of 8, at least 8: timm's make_divisible.
		reduced := max(8, int(float64(channels)*c.SERatio+4)/8*8)
		return &squeezeExcite{FC1: nn.NewConv2d(channels, reduced, 1), FC2: nn.NewConv2d(reduced, channels, 1)}
	case ECA:
		k := int((math.Log2(float64(channels)) + 1) / 2)
		k = max(k+1-k%2, 3)
		w := torch.Empty(1, 1, k)
		if w.Device() != torch.Meta {
			bound := 1 / math.Sqrt(float64(k)) // as torch.nn.Conv1d
			w.UniformInPlace(-bound, bound)
		}
		return &channelAttention{Conv: &conv1d{Weight: w.RequireGrad(true)}}
	}
	return nil
}

type squeezeExcite struct{ FC1, FC2 *nn.Conv2d }

// Forward maps [N, C, H, W] to the same shape.
func (m *squeezeExcite) Forward(x *torch.Tensor) *torch.Tensor {
	s := x.MeanDims([]int{2, 3}, torch.MeanOptions{KeepDim: true}) // [N, C, 1, 1]
	s = s.Then(m.FC1.Forward).ReLUInPlace().Then(m.FC2.Forward)
	return weigh(x, s)
}

// weigh returns x times the sigmoid of s, which it frees.
func weigh(x, s *torch.Tensor) *torch.Tensor {
	return s.Then(func(s *torch.Tensor) *torch.Tensor { return s.Sigmoid() }).Then(func(s *torch.Tensor) *torch.Tensor { return x.Mul(s) })
}

// channelAttention convolves over the channels, each with its neighbors.
type channelAttention struct{ Conv *conv1d }

type conv1d struct{ Weight *torch.Tensor } // [1, 1, k]

// Forward maps [N, C, H, W] to the same shape.
func (m *channelAttention) Forward(x *torch.Tensor) *torch.Tensor {
	n, c := x.Size(0), x.Size(1)
	s := x.MeanDims([]int{2, 3}).Then(func(s *torch.Tensor) *torch.Tensor { return s.Reshape(n, 1, c) })
	s = s.Then(func(s *torch.Tensor) *torch.Tensor {
		return F.Conv1d(s, m.Conv.Weight, nil, F.Conv1dOptions{Padding: m.Conv.Weight.Size(2) / 2})
	}).Then(func(s *torch.Tensor) *torch.Tensor { return s.Reshape(n, c, 1, 1) })
	return weigh(x, s)
}

// avgPool averages 2×2, of the pixels that are there: ceil keeps the last of an odd number.
type avgPool struct{ ceil bool }

// Forward maps [N, C, H, W] to [N, C, H/2, W/2].
func (m avgPool) Forward(x *torch.Tensor) *torch.Tensor {
	return F.AvgPool2d(x, 2, F.AvgPool2dOptions{CeilMode: m.ceil, ExcludePad: m.ceil})
}

// blurPool smooths with 1 2 1 both ways, mirrored at the edges: timm's BlurPool2d.
type blurPool struct{}

// Forward maps [N, C, H, W] to [N, C, ⌈H/2⌉, ⌈W/2⌉].
func (blurPool) Forward(x *torch.Tensor) *torch.Tensor {
	c := x.Size(1)
	filter := torch.FromSlice([]float32{1. / 16, 2. / 16, 1. / 16, 2. / 16, 4. / 16, 2. / 16, 1. / 16, 2. / 16, 1. / 16}, 1, 1, 3, 3)
	for _, f := range []func(*torch.Tensor) *torch.Tensor{
		func(f *torch.Tensor) *torch.Tensor { return f.ToDType(x.DType()) },
		func(f *torch.Tensor) *torch.Tensor { return f.To(x.Device()) },
		func(f *torch.Tensor) *torch.Tensor { return f.Expand(c, 1, 3, 3) },
	} {
		filter = filter.Then(f)
	}
	defer filter.Free()
	return F.Pad(x, []int{1, 1, 1, 1}, F.PadOptions{Mode: "reflect"}).Then(func(x *torch.Tensor) *torch.Tensor {
		return F.Conv2d(x, filter, nil, F.Conv2dOptions{Stride: 2, Groups: c})
	})
}
