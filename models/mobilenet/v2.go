// Package mobilenet holds MobileNet V2, "MobileNetV2: Inverted Residuals and Linear
// Bottlenecks", https://arxiv.org/abs/1801.04381, and V3, "Searching for MobileNetV3",
// https://arxiv.org/abs/1905.02244.
package mobilenet

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// ConfigV2 has the arguments of torchvision.models.MobileNetV2.
type ConfigV2 struct {
	NumClasses       int                          `json:"num_classes"`                               // 0 means 1000
	WidthMult        float64                      `json:"width_mult" limits:"0.01,64"`               // scales all numbers of channels, 0 means 1
	InvertedResidual [][4]int                     `json:"inverted_residual_setting" limits:"1,4096"` // expansion, channels, repeats and stride of each stage; nil means the paper's
	RoundNearest     int                          `json:"round_nearest" limits:"1,1024"`             // numbers of channels are multiples of it, 0 means 8
	Norm             func(channels int) nn.Module // nil means batch normalization
	Dropout          *float64                     `json:"dropout"` // default 0.2
}

func init() {
	models.RegisterVariants("MobileNetV2: Inverted Residuals and Linear Bottlenecks", "https://arxiv.org/abs/1801.04381", NewV2,
		map[string]ConfigV2{"mobilenet_v2": {}})
}

// V2 is torchvision.models.MobileNetV2.
//
// https://docs.pytorch.org/vision/stable/models/mobilenetv2.html
type V2 struct {
	Features   nn.Sequential
	Classifier nn.Sequential
}

// NewV2 builds a MobileNet V2, initialized as torchvision's is.
func NewV2(c ConfigV2) *V2 {
	c.WidthMult, c.RoundNearest = cmp.Or(c.WidthMult, 1), cmp.Or(c.RoundNearest, 8)
	if c.InvertedResidual == nil {
		c.InvertedResidual = [][4]int{{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}
	}
	in := ops.MakeDivisible(32*c.WidthMult, c.RoundNearest)
	last := ops.MakeDivisible(1280*max(1, c.WidthMult), c.RoundNearest)
	relu6 := func() nn.Module { return &nn.ReLU6{InPlace: true} }
	conv := func(in, out, kernel, stride, groups int) nn.Sequential {
		return ops.NewConv2dNormActivation(in, out, ops.ConvNormActivationOptions{Kernel: kernel, Stride: stride, Groups: groups, Norm: c.Norm, Activation: relu6})
	}
	m := &V2{Features: nn.Sequential{conv(3, in, 3, 2, 1)}}
	for _, s := range c.InvertedResidual {
		out, stride := ops.MakeDivisible(float64(s[1])*c.WidthMult, c.RoundNearest), s[3]
		for range s[2] {
			b := &residualV2{residual: stride == 1 && in == out}
			hidden := in * s[0]
			if s[0] != 1 {
				b.Conv = append(b.Conv, conv(in, hidden, 1, 1, 1))
			}
			project := ops.NewConv2dNormActivation(hidden, out, ops.ConvNormActivationOptions{Kernel: 1, Norm: c.Norm, NoActivation: true})
			b.Conv = append(append(b.Conv, conv(hidden, hidden, 3, stride, hidden)), project...)
			m.Features = append(m.Features, b)
			in, stride = out, 1
		}
	}
	m.Features = append(m.Features, conv(in, last, 1, 1, 1))
	m.Classifier = nn.Sequential{nn.NewDropout(*cmp.Or(c.Dropout, new(0.2))), nn.NewLinear(last, cmp.Or(c.NumClasses, 1000))}
	initialize(m)
	return m
}

// initialize sets the parameters of all modules, as torchvision does for both versions.
func initialize(m any) {
	for _, m := range nn.Modules(m) {
		switch m := m.(type) {
		case *nn.Conv2d:
			nn.InitKaimingNormal(m.Weight, nn.InitKaimingOptions{Mode: "fan_out"})
			if m.Bias != nil {
				nn.InitZeros(m.Bias)
			}
		case *nn.Linear:
			nn.InitNormal(m.Weight, 0, 0.01)
			nn.InitZeros(m.Bias)
		}
	}
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *V2) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("MobileNet V2", x, 1)
	x = m.Features.Forward(x).Then(nn.NewAdaptiveAvgPool2d(1).Forward) // [N, 1280, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Classifier.Forward)
}

// residualV2 expands the channels, convolves each, and reduces them.
type residualV2 struct {
	Conv     nn.Sequential
	residual bool // adds the input
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *residualV2) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Conv.Forward(x)
	if m.residual {
		y.AddInPlace(x)
	}
	return y
}
