package quantized

import (
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	Q "github.com/torchhub/torchhub/torch/nn/quantized"
)

// ResNet is torchvision's QuantizableResNet after its quantization.
type ResNet struct {
	Conv1                          *Q.Conv2d
	Layer1, Layer2, Layer3, Layer4 nn.Sequential
	FC                             *Q.Linear
	Quant                          *Q.Quantize
}

func newResNet(bottleneck bool, layers [4]int, groups, widthPerGroup, classes int) *ResNet {
	m := &ResNet{Conv1: Q.NewConv2d(3, 64, 7, true, nn.Conv2dOptions{Stride: 2, Padding: 3}), Quant: Q.NewQuantize()}
	in := 64
	for i, layer := range []*nn.Sequential{&m.Layer1, &m.Layer2, &m.Layer3, &m.Layer4} {
		planes, stride := 64<<i, 1
		if i > 0 {
			stride = 2
		}
		for range layers[i] {
			b := &residual{}
			out, width := planes, planes*widthPerGroup/64*groups
			if bottleneck {
				out = 4 * planes
				b.Conv1 = Q.NewConv2d(in, width, 1, true)
				b.Conv2 = Q.NewConv2d(width, width, 3, true, nn.Conv2dOptions{Stride: stride, Padding: 1, Groups: groups})
				b.Conv3, b.SkipAddReLU = Q.NewConv2d(width, out, 1, false), Q.NewFunctional()
			} else {
				b.Conv1 = Q.NewConv2d(in, out, 3, true, nn.Conv2dOptions{Stride: stride, Padding: 1})
				b.Conv2, b.AddReLU = Q.NewConv2d(out, out, 3, false, nn.Conv2dOptions{Padding: 1}), Q.NewFunctional()
			}
			if stride != 1 || in != out {
				b.Downsample = nn.Sequential{Q.NewConv2d(in, out, 1, false, nn.Conv2dOptions{Stride: stride})}
			}
			*layer = append(*layer, b)
			in, stride = out, 1
		}
	}
	m.FC = Q.NewLinear(in, classes)
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *ResNet) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("the quantized ResNet", x, 1)
	x = m.Quant.Forward(x).Then(m.Conv1.Forward).Then(func(x *torch.Tensor) *torch.Tensor {
		return F.MaxPool2d(x, 3, F.MaxPool2dOptions{Stride: 2, Padding: 1}) // [N, 64, H/4, W/4]
	})
	x = x.Then(m.Layer1.Forward).Then(m.Layer2.Forward).Then(m.Layer3.Forward).Then(m.Layer4.Forward) // [N, C, H/32, W/32]
	return x.Then(nn.NewAdaptiveAvgPool2d(1).Forward).Then((&nn.Flatten{}).Forward).Then(m.FC.Forward).Then(Q.Dequantize)
}

// UpgradeState converts the state dict of quantization-aware training.
func (m *ResNet) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	Q.ConvertState(m, s, prefix)
}

// residual is a BasicBlock, or with Conv3 a Bottleneck.
type residual struct {
	Conv1, Conv2 *Q.Conv2d
	Conv3        *Q.Conv2d
	Downsample   nn.Sequential
	AddReLU      *Q.Functional `nn:"add_relu"`
	SkipAddReLU  *Q.Functional `nn:"skip_add_relu"`
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *residual) Forward(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		y = m.Conv2.Forward(m.Conv1.Forward(x))
		add := m.AddReLU
		if m.Conv3 != nil {
			y, add = m.Conv3.Forward(y), m.SkipAddReLU
		}
		y = torch.Keep(add.AddReLU(y, m.Downsample.Forward(x)))
	})
	return y
}
