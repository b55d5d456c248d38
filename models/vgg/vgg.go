// Package vgg holds VGG: "Very Deep Convolutional Networks for Large-Scale Image
// Recognition", https://arxiv.org/abs/1409.1556.
package vgg

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision.models.VGG and of its layers.
type Config struct {
	Stages      [][]int  // channels of the 3×3 convolutions, which a max pooling follows in each stage; nil means VGG-11's
	BatchNorm   bool     // batch normalization after each convolution
	NumClasses  int      `json:"num_classes"`  // 0 means 1000
	Dropout     *float64 `json:"dropout"`      // default 0.5
	InitWeights *bool    `json:"init_weights"` // initialize as in the paper, default true
}

func init() {
	variants := map[string]Config{}
	for name, repeats := range map[string][]int{"vgg11": {1, 1, 2, 2, 2}, "vgg13": {2, 2, 2, 2, 2}, "vgg16": {2, 2, 3, 3, 3}, "vgg19": {2, 2, 4, 4, 4}} {
		stages := make([][]int, len(repeats))
		for i, channels := range []int{64, 128, 256, 512, 512} {
			for range repeats[i] {
				stages[i] = append(stages[i], channels)
			}
		}
		variants[name] = Config{Stages: stages}
		variants[name+"_bn"] = Config{Stages: stages, BatchNorm: true}
	}
	models.RegisterVariants("Very Deep Convolutional Networks for Large-Scale Image Recognition", "https://arxiv.org/abs/1409.1556", New, variants)
}

// VGG is torchvision.models.VGG.
//
// https://docs.pytorch.org/vision/stable/models/vgg.html
type VGG struct {
	Features   nn.Sequential
	AvgPool    *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	Classifier nn.Sequential
}

// New builds a VGG, initialized as torchvision's is.
func New(c Config) *VGG {
	if c.Stages == nil {
		c.Stages = [][]int{{64}, {128}, {256, 256}, {512, 512}, {512, 512}}
	}
	m := &VGG{AvgPool: nn.NewAdaptiveAvgPool2d(7)}
	in := 3
	for _, stage := range c.Stages {
		for _, out := range stage {
			m.Features = append(m.Features, nn.NewConv2d(in, out, 3, nn.Conv2dOptions{Padding: 1}))
			if c.BatchNorm {
				m.Features = append(m.Features, nn.NewBatchNorm2d(out))
			}
			m.Features = append(m.Features, &nn.ReLU{InPlace: true})
			in = out
		}
		m.Features = append(m.Features, nn.NewMaxPool2d(2, nn.MaxPool2dOptions{Stride: 2}))
	}
	dropout := *cmp.Or(c.Dropout, new(0.5))
	m.Classifier = nn.Sequential{
		nn.NewLinear(512*7*7, 4096), &nn.ReLU{InPlace: true}, nn.NewDropout(dropout),
		nn.NewLinear(4096, 4096), &nn.ReLU{InPlace: true}, nn.NewDropout(dropout),
		nn.NewLinear(4096, cmp.Or(c.NumClasses, 1000)),
	}
	if *cmp.Or(c.InitWeights, new(true)) {
		m.initialize()
	}
	return m
}

func (m *VGG) initialize() {
	for _, m := range nn.Modules(m) {
		switch m := m.(type) {
		case *nn.Conv2d:
			nn.InitKaimingNormal(m.Weight, nn.InitKaimingOptions{Mode: "fan_out", Nonlinearity: "relu"})
			nn.InitZeros(m.Bias)
		case *nn.Linear:
			nn.InitNormal(m.Weight, 0, 0.01)
			nn.InitZeros(m.Bias)
		}
	}
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *VGG) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("VGG", x, 32)
	x = m.Features.Forward(x).Then(m.AvgPool.Forward)                 // [N, 512, 7, 7]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Classifier.Forward) // [N, classes]
}
