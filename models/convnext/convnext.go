// Package convnext holds ConvNeXt: "A ConvNet for the 2020s",
// https://arxiv.org/abs/2201.03545.
package convnext

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision.models.ConvNeXt.
type Config struct {
	Channels            []int    // of each stage; nil means 96, 192, 384 and 768
	Layers              []int    // of each stage; nil means 3, 3, 9 and 3
	StochasticDepthProb float64  `json:"stochastic_depth_prob"` // of the last layer
	LayerScale          *float64 `json:"layer_scale"`           // the first value of the layers' weights, default 1e-6
	NumClasses          int      `json:"num_classes"`           // 0 means 1000
}

func init() {
	models.RegisterVariants("A ConvNet for the 2020s", "https://arxiv.org/abs/2201.03545", New, map[string]Config{
		"convnext_tiny":  {StochasticDepthProb: 0.1},
		"convnext_small": {Layers: []int{3, 3, 27, 3}, StochasticDepthProb: 0.4},
		"convnext_base":  {Channels: []int{128, 256, 512, 1024}, Layers: []int{3, 3, 27, 3}, StochasticDepthProb: 0.5},
		"convnext_large": {Channels: []int{192, 384, 768, 1536}, Layers: []int{3, 3, 27, 3}, StochasticDepthProb: 0.5},
	})
}

// ConvNeXt is torchvision.models.ConvNeXt.
//
// https://docs.pytorch.org/vision/stable/models/convnext.html
type ConvNeXt struct {
	Features   nn.Sequential
	AvgPool    *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	Classifier nn.Sequential
	least      int // side of pictures
}

// New builds a ConvNeXt, initialized as torchvision's is. It panics with a *torch.Error if
// there are not as many Channels as Layers.
func New(c Config) *ConvNeXt {
	if c.Channels == nil {
		c.Channels = []int{96, 192, 384, 768}
	}
	if c.Layers == nil {
		c.Layers = []int{3, 3, 9, 3}
	}
	if len(c.Channels) != len(c.Layers) || len(c.Layers) == 0 {
		panic(&torch.Error{Op: "convnext.New", Msg: "Channels and Layers must have an element for each stage"})
	}
	total, done, in := 0, 0, 0
	for _, n := range c.Layers {
		total += n
	}
	m := &ConvNeXt{AvgPool: nn.NewAdaptiveAvgPool2d(1), least: 2 << len(c.Layers)}
	for i, channels := range c.Channels {
		if i == 0 {
			m.Features = nn.Sequential{ops.NewConv2dNormActivation(3, channels, ops.ConvNormActivationOptions{
				Kernel: 4, Stride: 4, Padding: 0, Norm: func(n int) nn.Module { return newLayerNorm2d(n) }, NoActivation: true, Bias: new(true),
			})}
		} else {
			m.Features = append(m.Features, nn.Sequential{newLayerNorm2d(in), nn.NewConv2d(in, channels, 2, nn.Conv2dOptions{Stride: 2})})
		}
		in = channels
		var stage nn.Sequential
		for range c.Layers[i] {
			stage = append(stage, newBlock(in, *cmp.Or(c.LayerScale, new(1e-6)), c.StochasticDepthProb*float64(done)/(float64(total)-1)))
			done++
		}
		m.Features = append(m.Features, stage)
	}
	m.Classifier = nn.Sequential{newLayerNorm2d(in), &nn.Flatten{}, nn.NewLinear(in, cmp.Or(c.NumClasses, 1000))}
	initialize := func(weight, bias *torch.Tensor) {
		nn.InitTruncNormal(weight, nn.InitTruncNormalOptions{Std: new(0.02)})
		nn.InitZeros(bias)
	}
	for _, m := range nn.Modules(m) {
		switch m := m.(type) {
		case *nn.Conv2d:
			initialize(m.Weight, m.Bias)
		case *nn.Linear:
			initialize(m.Weight, m.Bias)
		}
	}
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *ConvNeXt) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("ConvNeXt", x, m.least)
	return m.Features.Forward(x).Then(m.AvgPool.Forward).Then(m.Classifier.Forward)
}

// layerNorm2d normalizes each pixel over its channels.
type layerNorm2d struct{ *nn.LayerNorm }

func newLayerNorm2d(channels int) *layerNorm2d {
	return &layerNorm2d{nn.NewLayerNorm(channels, nn.LayerNormOptions{Eps: new(1e-6)})}
}

// Forward maps [N, C, H, W] to the same shape.
func (m *layerNorm2d) Forward(x *torch.Tensor) *torch.Tensor {
	return x.Permute(0, 2, 3, 1).Then(m.LayerNorm.Forward).Then(ops.NewPermute(0, 3, 1, 2).Forward)
}

// block convolves each channel and expands and reduces the channels of each pixel.
type block struct {
	LayerScale      *torch.Tensor // [C, 1, 1]
	Block           nn.Sequential
	StochasticDepth *ops.StochasticDepth
}

func newBlock(channels int, layerScale, drop float64) *block {
	return &block{
		LayerScale: torch.Full(layerScale, channels, 1, 1).RequireGrad(true),
		Block: nn.Sequential{
			nn.NewConv2d(channels, channels, 7, nn.Conv2dOptions{Padding: 3, Groups: channels}),
			ops.NewPermute(0, 2, 3, 1),
			nn.NewLayerNorm(channels, nn.LayerNormOptions{Eps: new(1e-6)}),
			nn.NewLinear(channels, 4*channels),
			&nn.GELU{},
			nn.NewLinear(4*channels, channels),
			ops.NewPermute(0, 3, 1, 2),
		},
		StochasticDepth: ops.NewStochasticDepth(drop, "row"),
	}
}

// Forward maps [N, C, H, W] to the same shape.
func (m *block) Forward(x *torch.Tensor) *torch.Tensor {
	return m.Block.Forward(x).Then(m.LayerScale.Mul).Then(nn.Sequential{m.StochasticDepth}.Forward).AddInPlace(x)
}
