package models

import (
	"cmp"

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
		Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x8-c38310e5.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 82.2, Acc5: 96.4, Params: 88791336, GFLOPs: 16, MiB: 339.5, Licence: nonCommercial},
	),
	wsl.entry("resnext101_32x16d_wsl", WSLImages, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 16},
		Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x16-c6f796b0.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 84.2, Acc5: 97.2, Params: 194026792, GFLOPs: 36, MiB: 741.4, Licence: nonCommercial},
	),
	wsl.entry("resnext101_32x32d_wsl", WSLImages, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 32},
		Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x32-e4b90b00.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 85.1, Acc5: 97.5, Params: 468530472, GFLOPs: 87, MiB: 1789.6, Licence: nonCommercial},
	),
	wsl.entry("resnext101_32x48d_wsl", WSLImages, ResNetConfig{Block: Bottlenecks, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 48},
		Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x48-3e41cc8a.pth", Preset: imageNetPreset(256), Classes: ImageNet, Acc1: 85.4, Acc5: 97.6, Params: 828411176, GFLOPs: 153, MiB: 3163.4, Licence: nonCommercial},
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

// ResNetConfig describes a ResNet: the arguments of torchvision.models.resnet.ResNet.
type ResNetConfig struct {
	Block         Block
	Layers        [4]int // blocks of each stage
	NumClasses    int    // 0 means 1000
	Groups        int    // of the 3×3 convolutions in Bottlenecks, 0 means 1
	WidthPerGroup int    // channels of a group in the first stage, 0 means 64
}

// ResNet is torchvision.models.resnet.ResNet.
//
// https://docs.pytorch.org/vision/stable/models/resnet.html
type ResNet struct {
	Conv1                          *nn.Conv2d
	BN1                            *nn.BatchNorm2d
	Layer1, Layer2, Layer3, Layer4 nn.Sequential
	FC                             *nn.Linear
}

// NewResNet builds a ResNet, initialised as torchvision's. As there, groups and
// widths with BasicBlocks are an [*torch.Error].
func NewResNet(c ResNetConfig) *ResNet {
	c.Groups, c.WidthPerGroup = cmp.Or(c.Groups, 1), cmp.Or(c.WidthPerGroup, 64)
	if c.Block == BasicBlocks && (c.Groups != 1 || c.WidthPerGroup != 64) {
		panic(&torch.Error{Op: "NewResNet", Msg: "BasicBlocks have one group of width 64; use Bottlenecks"})
	}
	in := 64
	stage := func(i, planes, stride int) nn.Sequential {
		s := make(nn.Sequential, c.Layers[i])
		for j := range s {
			s[j] = c.block(in, planes, stride)
			in, stride = planes*c.Block.expansion(), 1
		}
		return s
	}
	m := &ResNet{
		Conv1:  nn.NewConv2d(3, in, 7, nn.Conv2dOptions{Stride: 2, Padding: 3, NoBias: true}),
		BN1:    nn.NewBatchNorm2d(in),
		Layer1: stage(0, 64, 1),
		Layer2: stage(1, 128, 2),
		Layer3: stage(2, 256, 2),
		Layer4: stage(3, 512, 2),
		FC:     nn.NewLinear(512*c.Block.expansion(), cmp.Or(c.NumClasses, 1000)),
	}
	for _, p := range nn.Parameters(m) {
		if p.Dim() == 4 { // a convolution's weight
			nn.InitKaimingNormal(p)
		}
	}
	return m
}

func (c ResNetConfig) block(in, planes, stride int) nn.Module {
	// The shortcut comes first, as in torchvision, so that random numbers fall alike.
	var downsample nn.Sequential
	if out := planes * c.Block.expansion(); stride != 1 || in != out {
		downsample = nn.Sequential{
			nn.NewConv2d(in, out, 1, nn.Conv2dOptions{Stride: stride, NoBias: true}),
			nn.NewBatchNorm2d(out),
		}
	}
	if c.Block == Bottlenecks {
		return newBottleneck(in, planes, stride, c.Groups, c.WidthPerGroup, downsample)
	}
	return newBasicBlock(in, planes, stride, downsample)
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *ResNet) Forward(x *torch.Tensor) *torch.Tensor {
	x = m.Conv1.Forward(x).Then(m.BN1.Forward).ReLUInPlace() // [N, 64, H/2, W/2]
	x = x.Then(func(x *torch.Tensor) *torch.Tensor {
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
	Conv2      *nn.Conv2d
	BN2        *nn.BatchNorm2d
	Downsample nn.Sequential
}

func newBasicBlock(in, planes, stride int, downsample nn.Sequential) *basicBlock {
	return &basicBlock{
		Conv1:      conv3x3(in, planes, stride, 1),
		BN1:        nn.NewBatchNorm2d(planes),
		Conv2:      conv3x3(planes, planes, 1, 1),
		BN2:        nn.NewBatchNorm2d(planes),
		Downsample: downsample,
	}
}

// Forward maps [N, in, H, W] to [N, planes, H/stride, W/stride].
func (m *basicBlock) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Conv1.Forward(x).Then(m.BN1.Forward).ReLUInPlace()
	y = y.Then(m.Conv2.Forward).Then(m.BN2.Forward)
	return addShortcut(y, x, m.Downsample)
}

type bottleneck struct {
	Conv1      *nn.Conv2d
	BN1        *nn.BatchNorm2d
	Conv2      *nn.Conv2d
	BN2        *nn.BatchNorm2d
	Conv3      *nn.Conv2d
	BN3        *nn.BatchNorm2d
	Downsample nn.Sequential
}

// newBottleneck puts the stride in the 3×3 convolution, ResNet v1.5 as torchvision calls it.
func newBottleneck(in, planes, stride, groups, widthPerGroup int, downsample nn.Sequential) *bottleneck {
	width, out := planes*widthPerGroup/64*groups, planes*Bottlenecks.expansion()
	return &bottleneck{
		Conv1:      conv1x1(in, width),
		BN1:        nn.NewBatchNorm2d(width),
		Conv2:      conv3x3(width, width, stride, groups),
		BN2:        nn.NewBatchNorm2d(width),
		Conv3:      conv1x1(width, out),
		BN3:        nn.NewBatchNorm2d(out),
		Downsample: downsample,
	}
}

// Forward maps [N, in, H, W] to [N, 4·planes, H/stride, W/stride].
func (m *bottleneck) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Conv1.Forward(x).Then(m.BN1.Forward).ReLUInPlace()
	y = y.Then(m.Conv2.Forward).Then(m.BN2.Forward).ReLUInPlace()
	y = y.Then(m.Conv3.Forward).Then(m.BN3.Forward)
	return addShortcut(y, x, m.Downsample)
}

// addShortcut returns relu(y + downsample(x)), in place of y.
func addShortcut(y, x *torch.Tensor, downsample nn.Sequential) *torch.Tensor {
	if len(downsample) == 0 {
		return y.AddInPlace(x).ReLUInPlace()
	}
	x = downsample.Forward(x)
	defer x.Free()
	return y.AddInPlace(x).ReLUInPlace()
}

func conv3x3(in, out, stride, groups int) *nn.Conv2d {
	return nn.NewConv2d(in, out, 3, nn.Conv2dOptions{Stride: stride, Padding: 1, Groups: groups, NoBias: true})
}

func conv1x1(in, out int) *nn.Conv2d {
	return nn.NewConv2d(in, out, 1, nn.Conv2dOptions{NoBias: true})
}
