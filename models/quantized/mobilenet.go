package quantized

import (
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	Q "github.com/torchhub/torchhub/torch/nn/quantized"
)

// MobileNetV2 is torchvision's QuantizableMobileNetV2 after its quantization.
type MobileNetV2 struct {
	Features   nn.Sequential
	Classifier nn.Sequential
	Quant      *Q.Quantize
}

func newMobileNetV2(classes int) *MobileNetV2 {
	conv := func(in, out, kernel, stride, groups int) nn.Module {
		return nn.Sequential{Q.NewConv2d(in, out, kernel, true, nn.Conv2dOptions{Stride: stride, Padding: kernel / 2, Groups: groups})}
	}
	m := &MobileNetV2{Features: nn.Sequential{conv(3, 32, 3, 2, 1)}, Quant: Q.NewQuantize()}
	in := 32
	for _, s := range [][4]int{{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}} {
		hidden, out, stride := 0, s[1], s[3]
		for range s[2] {
			b := &invertedResidual{SkipAdd: Q.NewFunctional(), residual: stride == 1 && in == out}
			if hidden = in * s[0]; s[0] != 1 {
				b.Conv = append(b.Conv, conv(in, hidden, 1, 1, 1))
			}
			b.Conv = append(b.Conv, conv(hidden, hidden, 3, stride, hidden), Q.NewConv2d(hidden, out, 1, false))
			m.Features = append(m.Features, b)
			in, stride = out, 1
		}
	}
	m.Features = append(m.Features, conv(in, 1280, 1, 1, 1))
	m.Classifier = nn.Sequential{&nn.Identity{}, Q.NewLinear(1280, classes)}
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *MobileNetV2) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("the quantized MobileNet V2", x, 1)
	x = m.Quant.Forward(x).Then(m.Features.Forward).Then(nn.NewAdaptiveAvgPool2d(1).Forward) // [N, 1280, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Classifier.Forward).Then(Q.Dequantize)
}

// UpgradeState converts the state dict of quantization-aware training.
func (m *MobileNetV2) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	Q.ConvertState(m, s, prefix)
}

// invertedResidual expands the channels, convolves each, and reduces them.
type invertedResidual struct {
	Conv     nn.Sequential
	SkipAdd  *Q.Functional
	residual bool // adds the input
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *invertedResidual) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Conv.Forward(x)
	if !m.residual {
		return y
	}
	return y.Then(func(y *torch.Tensor) *torch.Tensor { return m.SkipAdd.Add(x, y) })
}
