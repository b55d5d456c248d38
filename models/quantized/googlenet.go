package quantized

import (
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	Q "github.com/torchhub/torchhub/torch/nn/quantized"
)

// QuantizedGoogLeNet is torchvision's QuantizableGoogLeNet after its quantization, without auxiliary heads.
type QuantizedGoogLeNet struct {
	nn.SequentialDict // the convolutions, the inception modules, and the poolings between them
	FC                *Q.Linear
	Quant             *Q.Quantize
}

func newGoogLeNet(classes int) *QuantizedGoogLeNet {
	pool := func(name string, kernel int) nn.Child {
		return nn.Child{Name: name, Module: nn.NewMaxPool2d(kernel, nn.MaxPool2dOptions{Stride: 2, CeilMode: true})}
	}
	return &QuantizedGoogLeNet{
		SequentialDict: nn.SequentialDict{
			{Name: "conv1", Module: basicConv(3, 64, 7, 2)},
			pool("maxpool1", 3),
			{Name: "conv2", Module: basicConv(64, 64, 1, 1)},
			{Name: "conv3", Module: basicConv(64, 192, 3, 1)},
			pool("maxpool2", 3),
			newInception("3a", 192, 64, 96, 128, 16, 32, 32),
			newInception("3b", 256, 128, 128, 192, 32, 96, 64),
			pool("maxpool3", 3),
			newInception("4a", 480, 192, 96, 208, 16, 48, 64),
			newInception("4b", 512, 160, 112, 224, 24, 64, 64),
			newInception("4c", 512, 128, 128, 256, 24, 64, 64),
			newInception("4d", 512, 112, 144, 288, 32, 64, 64),
			newInception("4e", 528, 256, 160, 320, 32, 128, 128),
			pool("maxpool4", 2),
			newInception("5a", 832, 256, 160, 320, 32, 128, 128),
			newInception("5b", 832, 384, 192, 384, 48, 128, 128),
			{Name: "avgpool", Module: nn.NewAdaptiveAvgPool2d(1)},
			{Name: "flatten", Module: &nn.Flatten{}},
		},
		FC:    Q.NewLinear(1024, classes),
		Quant: Q.NewQuantize(),
	}
}

// Forward maps pictures x [N, 3, H, W], normalized by ImageNet's mean and std, to logits [N, classes].
func (m *QuantizedGoogLeNet) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("the quantized GoogLeNet", x, 15)
	x = models.FromImageNet(x).Then(m.Quant.Forward)
	return x.Then(m.SequentialDict.Forward).Then(m.FC.Forward).Then(Q.Dequantize)
}

// UpgradeState removes the auxiliary heads' tensors, and converts the state dict of quantization-aware training.
func (m *QuantizedGoogLeNet) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	models.DropState(s, prefix+"aux1.", prefix+"aux2.")
	Q.ConvertState(m, s, prefix, Q.ConvertStateOptions{Eps: 0.001})
}

// basicConv returns a convolution with ReLU as the module conv of another.
func basicConv(in, out, kernel, stride int) nn.SequentialDict {
	return nn.SequentialDict{{Name: "conv", Module: Q.NewConv2d(in, out, kernel, true, nn.Conv2dOptions{Stride: stride, Padding: kernel / 2})}}
}

// mixed joins the channels of four branches.
type mixed struct {
	Branch1                   nn.Module
	Branch2, Branch3, Branch4 nn.Sequential
	Cat                       *Q.Functional
}

func newInception(name string, in, one, three0, three, five0, five, pool int) nn.Child {
	return nn.Child{Name: "inception" + name, Module: &mixed{
		basicConv(in, one, 1, 1),
		nn.Sequential{basicConv(in, three0, 1, 1), basicConv(three0, three, 3, 1)},
		nn.Sequential{basicConv(in, five0, 1, 1), basicConv(five0, five, 3, 1)},
		nn.Sequential{nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 1, Padding: 1, CeilMode: true}), basicConv(in, pool, 1, 1)},
		Q.NewFunctional(),
	}}
}

// Forward maps [N, in, H, W] to the channels of all branches.
func (m *mixed) Forward(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		y = torch.Keep(m.Cat.Cat([]*torch.Tensor{m.Branch1.Forward(x), m.Branch2.Forward(x), m.Branch3.Forward(x), m.Branch4.Forward(x)}, 1))
	})
	return y
}
