// Package efficientnet holds EfficientNet, "EfficientNet: Rethinking Model Scaling for
// Convolutional Neural Networks", https://arxiv.org/abs/1905.11946, and EfficientNetV2,
// "EfficientNetV2: Smaller Models and Faster Training", https://arxiv.org/abs/2104.00298.
package efficientnet

import (
	"cmp"
	"fmt"
	"math"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// A Stage is a row of Table 1 of the first paper or Table 4 of the second one.
type Stage struct {
	Fused          bool    // one convolution in place of two that expand and convolve each channel: FusedMBConvConfig
	Expand         float64 // ratio of the inner channels to In
	Kernel, Stride int
	In, Out        int // channels
	Layers         int
}

// Config has the arguments of torchvision.models.EfficientNet.
type Config struct {
	Stages              []Stage                      // nil means those of efficientnet_b0, see [Scaled]
	Dropout             *float64                     `json:"dropout"`               // default 0.2
	StochasticDepthProb *float64                     `json:"stochastic_depth_prob"` // of the last layer, default 0.2
	NumClasses          int                          `json:"num_classes"`           // 0 means 1000
	Norm                func(channels int) nn.Module // nil means batch normalization
	LastChannel         int                          // of the last convolution, 0 means 4 times those of the last stage
}

// Scaled returns the stages of the first paper, with the numbers of channels and layers
// multiplied.
func Scaled(width, depth float64) []Stage {
	stages := []Stage{
		{false, 1, 3, 1, 32, 16, 1},
		{false, 6, 3, 2, 16, 24, 2},
		{false, 6, 5, 2, 24, 40, 2},
		{false, 6, 3, 2, 40, 80, 3},
		{false, 6, 5, 1, 80, 112, 3},
		{false, 6, 5, 2, 112, 192, 4},
		{false, 6, 3, 1, 192, 320, 1},
	}
	for i := range stages {
		s := &stages[i]
		s.In, s.Out = ops.MakeDivisible(float64(s.In)*width, 8), ops.MakeDivisible(float64(s.Out)*width, 8)
		s.Layers = int(math.Ceil(float64(s.Layers) * depth))
	}
	return stages
}

// norm returns batch normalization as TensorFlow has it.
func norm(momentum *float64) func(int) nn.Module {
	return func(channels int) nn.Module {
		return nn.NewBatchNorm2d(channels, nn.BatchNorm2dOptions{Eps: new(0.001), Momentum: momentum})
	}
}

func init() {
	variants := map[string]Config{}
	for i, b := range []struct{ width, depth, dropout float64 }{
		{1, 1, 0.2}, {1, 1.1, 0.2}, {1.1, 1.2, 0.3}, {1.2, 1.4, 0.3}, {1.4, 1.8, 0.4}, {1.6, 2.2, 0.4}, {1.8, 2.6, 0.5}, {2, 3.1, 0.5},
	} {
		c := Config{Stages: Scaled(b.width, b.depth), Dropout: new(b.dropout)}
		if i >= 5 {
			c.Norm = norm(new(0.01))
		}
		variants[fmt.Sprint("efficientnet_b", i)] = c
	}
	models.RegisterVariants("EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", "https://arxiv.org/abs/1905.11946", New, variants)
	models.RegisterVariants("EfficientNetV2: Smaller Models and Faster Training", "https://arxiv.org/abs/2104.00298", New, map[string]Config{
		"efficientnet_v2_s": {LastChannel: 1280, Norm: norm(nil), Dropout: new(0.2), Stages: []Stage{
			{true, 1, 3, 1, 24, 24, 2},
			{true, 4, 3, 2, 24, 48, 4},
			{true, 4, 3, 2, 48, 64, 4},
			{false, 4, 3, 2, 64, 128, 6},
			{false, 6, 3, 1, 128, 160, 9},
			{false, 6, 3, 2, 160, 256, 15},
		}},
		"efficientnet_v2_m": {LastChannel: 1280, Norm: norm(nil), Dropout: new(0.3), Stages: []Stage{
			{true, 1, 3, 1, 24, 24, 3},
			{true, 4, 3, 2, 24, 48, 5},
			{true, 4, 3, 2, 48, 80, 5},
			{false, 4, 3, 2, 80, 160, 7},
			{false, 6, 3, 1, 160, 176, 14},
			{false, 6, 3, 2, 176, 304, 18},
			{false, 6, 3, 1, 304, 512, 5},
		}},
		"efficientnet_v2_l": {LastChannel: 1280, Norm: norm(nil), Dropout: new(0.4), Stages: []Stage{
			{true, 1, 3, 1, 32, 32, 4},
			{true, 4, 3, 2, 32, 64, 7},
			{true, 4, 3, 2, 64, 96, 7},
			{false, 4, 3, 2, 96, 192, 10},
			{false, 6, 3, 1, 192, 224, 19},
			{false, 6, 3, 2, 224, 384, 25},
			{false, 6, 3, 1, 384, 640, 7},
		}},
	})
}

// EfficientNet is torchvision.models.EfficientNet.
//
// https://docs.pytorch.org/vision/stable/models/efficientnet.html
type EfficientNet struct {
	Features   nn.Sequential
	AvgPool    *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	Classifier nn.Sequential
}

func silu() nn.Module { return &nn.SiLU{InPlace: true} }

// New builds an EfficientNet, initialized as torchvision's is.
func New(c Config) *EfficientNet {
	if c.Stages == nil {
		c.Stages = Scaled(1, 1)
	}
	total, done := 0, 0
	for _, s := range c.Stages {
		total += s.Layers
	}
	in := c.Stages[0].In
	m := &EfficientNet{
		Features: nn.Sequential{ops.NewConv2dNormActivation(3, in, ops.ConvNormActivationOptions{Stride: 2, Norm: c.Norm, Activation: silu})},
		AvgPool:  nn.NewAdaptiveAvgPool2d(1),
	}
	for _, s := range c.Stages {
		var stage nn.Sequential
		for range s.Layers {
			stage = append(stage, c.block(s, *cmp.Or(c.StochasticDepthProb, new(0.2))*float64(done)/float64(total)))
			s.In, s.Stride = s.Out, 1
			done++
		}
		m.Features, in = append(m.Features, stage), s.Out
	}
	last, classes := cmp.Or(c.LastChannel, 4*in), cmp.Or(c.NumClasses, 1000)
	m.Features = append(m.Features, ops.NewConv2dNormActivation(in, last, ops.ConvNormActivationOptions{Kernel: 1, Norm: c.Norm, Activation: silu}))
	m.Classifier = nn.Sequential{nn.NewDropout(*cmp.Or(c.Dropout, new(0.2))), nn.NewLinear(last, classes)}
	for _, m := range nn.Modules(m) {
		switch m := m.(type) {
		case *nn.Conv2d:
			nn.InitKaimingNormal(m.Weight, nn.InitKaimingOptions{Mode: "fan_out"})
			if m.Bias != nil {
				nn.InitZeros(m.Bias)
			}
		case *nn.Linear:
			bound := 1 / math.Sqrt(float64(classes))
			nn.InitUniform(m.Weight, -bound, bound)
			nn.InitZeros(m.Bias)
		}
	}
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *EfficientNet) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("EfficientNet", x, 1)
	x = m.Features.Forward(x).Then(m.AvgPool.Forward) // [N, C, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Classifier.Forward)
}

// mbConv expands the channels, convolves and weights them, and reduces them.
type mbConv struct {
	Block           nn.Sequential
	StochasticDepth *ops.StochasticDepth
	residual        bool // adds the input
}

func (c Config) block(s Stage, drop float64) *mbConv {
	m := &mbConv{StochasticDepth: ops.NewStochasticDepth(drop, "row"), residual: s.Stride == 1 && s.In == s.Out}
	add := func(in, out int, o ops.ConvNormActivationOptions) {
		o.Norm, o.Activation = c.Norm, silu
		m.Block = append(m.Block, ops.NewConv2dNormActivation(in, out, o))
	}
	expanded := ops.MakeDivisible(float64(s.In)*s.Expand, 8)
	switch {
	case s.Fused && expanded == s.In:
		add(s.In, s.Out, ops.ConvNormActivationOptions{Kernel: s.Kernel, Stride: s.Stride})
		return m
	case s.Fused:
		add(s.In, expanded, ops.ConvNormActivationOptions{Kernel: s.Kernel, Stride: s.Stride})
	default:
		if expanded != s.In {
			add(s.In, expanded, ops.ConvNormActivationOptions{Kernel: 1})
		}
		add(expanded, expanded, ops.ConvNormActivationOptions{Kernel: s.Kernel, Stride: s.Stride, Groups: expanded})
		m.Block = append(m.Block, ops.NewSqueezeExcitation(expanded, max(1, s.In/4), ops.SqueezeExcitationOptions{Activation: silu}))
	}
	add(expanded, s.Out, ops.ConvNormActivationOptions{Kernel: 1, NoActivation: true})
	return m
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *mbConv) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Block.Forward(x)
	if m.residual {
		y = y.Then(nn.Sequential{m.StochasticDepth}.Forward).AddInPlace(x)
	}
	return y
}
