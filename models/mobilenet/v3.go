package mobilenet

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// ConfigV3 has the arguments of torchvision.models.mobilenet_v3_large and mobilenet_v3_small.
type ConfigV3 struct {
	Small       bool                         // mobilenet_v3_small in place of mobilenet_v3_large
	WidthMult   float64                      `json:"width_mult" limits:"0.01,64"` // scales all numbers of channels, 0 means 1
	ReducedTail bool                         `json:"reduced_tail"`                // half the channels in the last stage
	Dilated     bool                         `json:"dilated"`                     // the last stage has dilation in place of stride
	NumClasses  int                          `json:"num_classes"`                 // 0 means 1000
	Norm        func(channels int) nn.Module // nil means batch normalization with eps 0.001 and momentum 0.01
	Dropout     *float64                     `json:"dropout"` // default 0.2
}

func init() {
	models.RegisterVariants("Searching for MobileNetV3", "https://arxiv.org/abs/1905.02244", NewV3,
		map[string]ConfigV3{"mobilenet_v3_large": {}, "mobilenet_v3_small": {Small: true}})
}

// A blockV3 is a row of Table 1 or 2 of the paper.
type blockV3 struct {
	kernel, expanded, out int
	se, hardswish         bool
	stride                int
}

var (
	largeV3 = []blockV3{
		{3, 16, 16, false, false, 1},
		{3, 64, 24, false, false, 2},
		{3, 72, 24, false, false, 1},
		{5, 72, 40, true, false, 2},
		{5, 120, 40, true, false, 1},
		{5, 120, 40, true, false, 1},
		{3, 240, 80, false, true, 2},
		{3, 200, 80, false, true, 1},
		{3, 184, 80, false, true, 1},
		{3, 184, 80, false, true, 1},
		{3, 480, 112, true, true, 1},
		{3, 672, 112, true, true, 1},
		{5, 672, 160, true, true, 2},
		{5, 960, 160, true, true, 1},
		{5, 960, 160, true, true, 1},
	}
	smallV3 = []blockV3{
		{3, 16, 16, true, false, 2},
		{3, 72, 24, false, false, 2},
		{3, 88, 24, false, false, 1},
		{5, 96, 40, true, true, 2},
		{5, 240, 40, true, true, 1},
		{5, 240, 40, true, true, 1},
		{5, 120, 48, true, true, 1},
		{5, 144, 48, true, true, 1},
		{5, 288, 96, true, true, 2},
		{5, 576, 96, true, true, 1},
		{5, 576, 96, true, true, 1},
	}
)

// V3 is torchvision.models.MobileNetV3.
//
// https://docs.pytorch.org/vision/stable/models/mobilenetv3.html
type V3 struct {
	Features   nn.Sequential         // the first and the last module are convolutions, the others are *InvertedResidual
	AvgPool    *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	Classifier nn.Sequential
}

// NewV3 builds a MobileNet V3, initialized as torchvision's is.
func NewV3(c ConfigV3) *V3 {
	c.WidthMult = cmp.Or(c.WidthMult, 1)
	if c.Norm == nil {
		c.Norm = func(channels int) nn.Module {
			return nn.NewBatchNorm2d(channels, nn.BatchNorm2dOptions{Eps: new(0.001), Momentum: new(0.01)})
		}
	}
	blocks, last, divider, dilation := largeV3, 1280, 1, 1
	if c.Small {
		blocks, last = smallV3, 1024
	}
	if c.ReducedTail {
		divider = 2
	}
	if c.Dilated {
		dilation = 2
	}
	width := func(channels int) int { return ops.MakeDivisible(float64(channels)*c.WidthMult, 8) }
	hardswish := func() nn.Module { return &nn.Hardswish{InPlace: true} }
	in := width(16)
	m := &V3{
		Features: nn.Sequential{ops.NewConv2dNormActivation(3, in, ops.ConvNormActivationOptions{Stride: 2, Norm: c.Norm, Activation: hardswish})},
		AvgPool:  nn.NewAdaptiveAvgPool2d(1),
	}
	for i, b := range blocks {
		dilate := 1
		switch i - len(blocks) { // the last stage, C4 in the paper
		case -3:
			b.out, dilate = b.out/divider, dilation
		case -2, -1:
			b.expanded, b.out, dilate = b.expanded/divider, b.out/divider, dilation
		}
		b.expanded, b.out = width(b.expanded), width(b.out)
		m.Features = append(m.Features, c.block(in, b, dilate))
		in = b.out
	}
	features := 6 * in
	m.Features = append(m.Features, ops.NewConv2dNormActivation(in, features, ops.ConvNormActivationOptions{Kernel: 1, Norm: c.Norm, Activation: hardswish}))
	last = width(last / divider)
	m.Classifier = nn.Sequential{
		nn.NewLinear(features, last), hardswish(),
		nn.NewDropout(*cmp.Or(c.Dropout, new(0.2))), nn.NewLinear(last, cmp.Or(c.NumClasses, 1000)),
	}
	initialize(m)
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *V3) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("MobileNet V3", x, 1)
	x = m.Features.Forward(x).Then(m.AvgPool.Forward) // [N, C, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Classifier.Forward)
}

// InvertedResidual is a block of [V3].
type InvertedResidual struct {
	Block       nn.Sequential
	OutChannels int
	Strided     bool // has a stride of 2, or a dilation in place of it
	residual    bool // adds the input
}

func (c ConfigV3) block(in int, b blockV3, dilation int) *InvertedResidual {
	o := ops.ConvNormActivationOptions{Kernel: 1, Norm: c.Norm}
	if b.hardswish {
		o.Activation = func() nn.Module { return &nn.Hardswish{InPlace: true} }
	}
	m := &InvertedResidual{OutChannels: b.out, Strided: b.stride > 1, residual: b.stride == 1 && in == b.out}
	if b.expanded != in {
		m.Block = append(m.Block, ops.NewConv2dNormActivation(in, b.expanded, o))
	}
	o.Kernel, o.Stride, o.Dilation, o.Groups = b.kernel, b.stride, dilation, b.expanded
	if dilation > 1 {
		o.Stride = 1
	}
	m.Block = append(m.Block, ops.NewConv2dNormActivation(b.expanded, b.expanded, o))
	if b.se {
		m.Block = append(m.Block, ops.NewSqueezeExcitation(b.expanded, ops.MakeDivisible(float64(b.expanded/4), 8), ops.SqueezeExcitationOptions{
			ScaleActivation: func() nn.Module { return &nn.Hardsigmoid{} },
		}))
	}
	m.Block = append(m.Block, ops.NewConv2dNormActivation(b.expanded, b.out, ops.ConvNormActivationOptions{Kernel: 1, Norm: c.Norm, NoActivation: true}))
	return m
}

// Forward maps [N, in, H, W] to [N, OutChannels, H/stride, W/stride].
func (m *InvertedResidual) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Block.Forward(x)
	if m.residual {
		y.AddInPlace(x)
	}
	return y
}
