// Package densenet holds DenseNet: "Densely Connected Convolutional Networks",
// https://arxiv.org/abs/1608.06993.
package densenet

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Config has the arguments of torchvision.models.DenseNet.
type Config struct {
	GrowthRate      int     // channels that each layer adds, 0 means 32
	BlockConfig     []int   // layers of each block; nil means 6, 12, 24 and 16
	NumInitFeatures int     // channels of the first convolution, 0 means 64
	BNSize          int     `json:"bn_size"`     // the bottleneck's channels, in growth rates, 0 means 4
	DropRate        float64 `json:"drop_rate"`   // of the dropout after each layer
	NumClasses      int     `json:"num_classes"` // 0 means 1000
}

func init() {
	models.RegisterVariants("Densely Connected Convolutional Networks", "https://arxiv.org/abs/1608.06993", New, map[string]Config{
		"densenet121": {},
		"densenet161": {GrowthRate: 48, BlockConfig: []int{6, 12, 36, 24}, NumInitFeatures: 96},
		"densenet169": {BlockConfig: []int{6, 12, 32, 32}},
		"densenet201": {BlockConfig: []int{6, 12, 48, 32}},
	})
}

// DenseNet is torchvision.models.DenseNet.
//
// https://docs.pytorch.org/vision/stable/models/densenet.html
type DenseNet struct {
	Features   nn.SequentialDict
	Classifier *nn.Linear
}

// New builds a DenseNet, initialized as torchvision's is.
func New(c Config) *DenseNet {
	c.GrowthRate, c.BNSize = cmp.Or(c.GrowthRate, 32), cmp.Or(c.BNSize, 4)
	if c.BlockConfig == nil {
		c.BlockConfig = []int{6, 12, 24, 16}
	}
	n := cmp.Or(c.NumInitFeatures, 64)
	m := &DenseNet{Features: nn.SequentialDict{
		{Name: "conv0", Module: nn.NewConv2d(3, n, 7, nn.Conv2dOptions{Stride: 2, Padding: 3, NoBias: true})},
		{Name: "norm0", Module: nn.NewBatchNorm2d(n)},
		{Name: "relu0", Module: &nn.ReLU{InPlace: true}},
		{Name: "pool0", Module: nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 2, Padding: 1})},
	}}
	add := func(module any, format string, args ...any) {
		m.Features = append(m.Features, nn.Child{Name: fmt.Sprintf(format, args...), Module: module})
	}
	for i, layers := range c.BlockConfig {
		block := &denseBlock{}
		for j := range layers {
			block.SequentialDict = append(block.SequentialDict, nn.Child{Name: fmt.Sprint("denselayer", j+1), Module: c.layer(n)})
			n += c.GrowthRate
		}
		add(block, "denseblock%d", i+1)
		if i < len(c.BlockConfig)-1 {
			add(nn.SequentialDict{
				{Name: "norm", Module: nn.NewBatchNorm2d(n)},
				{Name: "relu", Module: &nn.ReLU{InPlace: true}},
				{Name: "conv", Module: nn.NewConv2d(n, n/2, 1, nn.Conv2dOptions{NoBias: true})},
				{Name: "pool", Module: nn.NewAvgPool2d(2, nn.AvgPool2dOptions{Stride: 2})},
			}, "transition%d", i+1)
			n /= 2
		}
	}
	add(nn.NewBatchNorm2d(n), "norm5")
	m.Classifier = nn.NewLinear(n, cmp.Or(c.NumClasses, 1000))
	for _, m := range nn.Modules(m) {
		if m, ok := m.(*nn.Conv2d); ok {
			nn.InitKaimingNormal(m.Weight)
		}
	}
	nn.InitZeros(m.Classifier.Bias)
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *DenseNet) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("DenseNet", x, 29)
	x = m.Features.Forward(x).ReLUInPlace().Then(nn.NewAdaptiveAvgPool2d(1).Forward) // [N, C, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Classifier.Forward)
}

// denseBlock gives each layer the outputs of all layers before it.
type denseBlock struct{ nn.SequentialDict }

// StateVersion returns the version of the block's part of a state dict.
func (*denseBlock) StateVersion() int { return 2 }

// Forward maps [N, C, H, W] to [N, C + layers·growth, H, W].
func (m *denseBlock) Forward(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		if x.Size(0) == 1 && x.IsContiguous() && !torch.IsGradEnabled() {
			y = torch.Keep(m.fill(x))
			return
		}
		features := []*torch.Tensor{x}
		for _, c := range m.SequentialDict {
			all := torch.Cat(features, 1)
			features = append(features, nn.Call(c.Module.(*denseLayer), all))
			all.Free()
		}
		y = torch.Keep(torch.Cat(features, 1))
	})
	return y
}

// fill computes the output for one picture in place, which saves a copy of all features for each layer.
func (m *denseBlock) fill(x *torch.Tensor) *torch.Tensor {
	n, growth := x.Size(1), 0
	for _, c := range m.SequentialDict {
		growth += c.Module.(*denseLayer).Conv2.Weight.Size(0)
	}
	y := F.Pad(x, []int{0, 0, 0, 0, 0, growth})
	for _, c := range m.SequentialDict {
		more := nn.Call(c.Module.(*denseLayer), y.Narrow(1, 0, n)) // contiguous, as there is one picture
		y.Narrow(1, n, more.Size(1)).CopyInPlace(more)
		n += more.Size(1)
		more.Free()
	}
	return y
}

type denseLayer struct {
	Norm1    *nn.BatchNorm2d
	ReLU1    *nn.ReLU `nn:"relu1"`
	Conv1    *nn.Conv2d
	Norm2    *nn.BatchNorm2d
	ReLU2    *nn.ReLU `nn:"relu2"`
	Conv2    *nn.Conv2d
	dropRate float64
	Training bool
}

func (c Config) layer(in int) *denseLayer {
	bottleneck := c.BNSize * c.GrowthRate
	return &denseLayer{
		Norm1: nn.NewBatchNorm2d(in), ReLU1: &nn.ReLU{InPlace: true},
		Conv1: nn.NewConv2d(in, bottleneck, 1, nn.Conv2dOptions{NoBias: true}),
		Norm2: nn.NewBatchNorm2d(bottleneck), ReLU2: &nn.ReLU{InPlace: true},
		Conv2:    nn.NewConv2d(bottleneck, c.GrowthRate, 3, nn.Conv2dOptions{Padding: 1, NoBias: true}),
		dropRate: c.DropRate, Training: true,
	}
}

// UpgradeState renames the tensors of old checkpoints, such as "norm.1.weight".
func (m *denseLayer) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	for _, of := range []string{"norm", "relu", "conv"} {
		for _, n := range []string{"1", "2"} {
			for _, name := range []string{"weight", "bias", "running_mean", "running_var"} {
				old := prefix + strings.Join([]string{of, n, name}, ".")
				if x := s[old]; x != nil {
					s[prefix+of+n+"."+name] = x
					delete(s, old)
				}
			}
		}
	}
}

// Forward maps [N, in, H, W] to [N, growth, H, W].
func (m *denseLayer) Forward(x *torch.Tensor) *torch.Tensor {
	x = m.Norm1.Forward(x).Then(m.ReLU1.Forward).Then(m.Conv1.Forward)
	x = x.Then(m.Norm2.Forward).Then(m.ReLU2.Forward).Then(m.Conv2.Forward)
	if m.dropRate == 0 {
		return x
	}
	return x.Then(func(x *torch.Tensor) *torch.Tensor { return F.Dropout(x, m.dropRate, m.Training) })
}
