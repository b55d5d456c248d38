package quantized

import (
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/inception"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	Q "github.com/torchhub/torchhub/torch/nn/quantized"
)

// Inception3 is torchvision's QuantizableInception3 after its quantization, without the auxiliary head.
type Inception3 struct {
	*inception.Inception3           // without FC
	QuantizedFC           *Q.Linear `nn:"fc"`
	Quant                 *Q.Quantize
}

func newInception3(classes int) *Inception3 {
	m := &Inception3{QuantizedFC: Q.NewLinear(2048, classes), Quant: Q.NewQuantize()}
	m.Inception3 = inception.New(inception.Config{AuxLogits: new(false), InitWeights: new(false), Layers: &inception.Layers{
		Conv: func(in, out int, kernel torch.Ints, o nn.Conv2dOptions) nn.Module {
			return nn.SequentialDict{{Name: "conv", Module: Q.NewConv2d(in, out, kernel, true, o)}}
		},
		Join: func() inception.Join { return Q.NewFunctional() },
	}})
	m.FC = nil
	nn.Eval(m)
	return m
}

// Forward maps pictures x [N, 3, H, W], normalized by ImageNet's mean and std, to logits [N, classes].
func (m *Inception3) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("the quantized Inception V3", x, 75)
	x = models.FromImageNet(x).Then(m.Quant.Forward)
	defer x.Free()
	y, _ := m.Features(x)
	return y.Then(m.QuantizedFC.Forward).Then(Q.Dequantize)
}

// ForwardAux is Forward: there is no auxiliary head.
func (m *Inception3) ForwardAux(x *torch.Tensor) (logits *torch.Tensor, aux []*torch.Tensor) {
	return m.Forward(x), nil
}

// UpgradeState removes the auxiliary head's tensors, and converts the state dict of quantization-aware training.
func (m *Inception3) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	m.Inception3.UpgradeState(s, prefix)
	Q.ConvertState(m, s, prefix, Q.ConvertStateOptions{Eps: 0.001})
}
