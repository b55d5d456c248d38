package quantized

import (
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/mobilenet"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	Q "github.com/torchhub/torchhub/torch/nn/quantized"
)

// MobileNetV3 is torchvision's QuantizableMobileNetV3 after its quantization. Its published weights are those of
// quantization-aware training, which are converted when they are loaded.
type MobileNetV3 struct {
	Features   nn.Sequential
	Classifier nn.Sequential
	Quant      *Q.Quantize
}

// newMobileNetV3 has the layers of the model before quantization.
func newMobileNetV3(classes int) *MobileNetV3 {
	var base *mobilenet.V3
	torch.WithDevice(torch.Meta, func() { base = mobilenet.NewV3(mobilenet.ConfigV3{NumClasses: classes}) })
	m := &MobileNetV3{Quant: Q.NewQuantize()}
	for _, layer := range base.Features {
		if b, ok := layer.(*mobilenet.InvertedResidual); ok {
			layer = newInvertedResidualV3(b)
		} else {
			layer = convNormActivation(layer)
		}
		m.Features = append(m.Features, layer)
	}
	linear := func(i int) *Q.Linear {
		w := base.Classifier[i].(*nn.Linear).Weight
		return Q.NewLinear(w.Size(1), w.Size(0))
	}
	m.Classifier = nn.Sequential{linear(0), Q.NewHardswish(), &nn.Identity{}, linear(3)}
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *MobileNetV3) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("the quantized MobileNet V3", x, 1)
	x = m.Quant.Forward(x).Then(m.Features.Forward).Then(nn.NewAdaptiveAvgPool2d(1).Forward) // [N, 960, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Classifier.Forward).Then(Q.Dequantize)
}

// UpgradeState converts the state dict of quantization-aware training.
func (m *MobileNetV3) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	Q.ConvertState(m, s, prefix, Q.ConvertStateOptions{Eps: 0.001})
}

// convNormActivation quantizes a convolution with normalization and an activation or none.
func convNormActivation(layer nn.Module) nn.Module {
	parts := layer.(nn.Sequential)
	if len(parts) < 3 {
		return nn.Sequential{quantizedConv(parts[0], false)}
	}
	if _, ok := parts[2].(*nn.Hardswish); ok {
		return nn.Sequential{quantizedConv(parts[0], false), &nn.Identity{}, Q.NewHardswish()}
	}
	return nn.Sequential{quantizedConv(parts[0], true)}
}

func quantizedConv(layer nn.Module, relu bool) *Q.Conv2d {
	c := layer.(*nn.Conv2d)
	w := c.Weight
	return Q.NewConv2d(w.Size(1)*max(c.Options.Groups, 1), w.Size(0), w.Shape()[2:], relu, c.Options)
}

// invertedResidualV3 is a block of convolutions and perhaps a squeezeExcitation.
type invertedResidualV3 struct {
	Block    nn.Sequential
	SkipAdd  *Q.Functional
	residual bool // adds the input
}

func newInvertedResidualV3(b *mobilenet.InvertedResidual) *invertedResidualV3 {
	m := &invertedResidualV3{SkipAdd: Q.NewFunctional()}
	for _, layer := range b.Block {
		if se, ok := layer.(*ops.SqueezeExcitation); ok {
			layer = &squeezeExcitation{quantizedConv(se.FC1, true), quantizedConv(se.FC2, false), Q.NewFunctional()}
		} else {
			layer = convNormActivation(layer)
		}
		m.Block = append(m.Block, layer)
	}
	in := b.Block[0].(nn.Sequential)[0].(*nn.Conv2d)
	m.residual = !b.Strided && in.Weight.Size(1)*max(in.Options.Groups, 1) == b.OutChannels
	return m
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *invertedResidualV3) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Block.Forward(x)
	if !m.residual {
		return y
	}
	return y.Then(func(y *torch.Tensor) *torch.Tensor { return m.SkipAdd.Add(x, y) })
}

// squeezeExcitation weights each channel by all channels' means.
type squeezeExcitation struct {
	FC1, FC2 *Q.Conv2d
	SkipMul  *Q.Functional
}

// Forward maps [N, C, H, W] to the same shape.
func (m *squeezeExcitation) Forward(x *torch.Tensor) *torch.Tensor {
	s := nn.NewAdaptiveAvgPool2d(1).Forward(x).Then(m.FC1.Forward).Then(m.FC2.Forward).Then((&nn.Hardsigmoid{}).Forward) // [N, C, 1, 1]
	return s.Then(func(s *torch.Tensor) *torch.Tensor { return m.SkipMul.Mul(s, x) })
}
