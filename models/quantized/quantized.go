// Package quantized holds the models of torchvision.models.quantization, which compute with
// 8-bit integers. As in torchvision, a model that is built without weights is the one before quantization
// (quantize=False): that of the same name without quantized_, with ReLU in place of ReLU6. The
// published weights fill a quantized one, for the CPU. So do state dicts of quantization-aware training,
// which are converted, as those of quantized_mobilenet_v3_large are published.
package quantized

import (
	"slices"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/googlenet"
	_ "github.com/torchhub/torchhub/models/mobilenet" // registers what is looked up
	_ "github.com/torchhub/torchhub/models/resnet"
	_ "github.com/torchhub/torchhub/models/shufflenet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// quantize makes the models that published weights fill.
var quantize = map[string]func(classes int) any{
	"googlenet":          func(n int) any { return newGoogLeNet(n) },
	"inception_v3":       func(n int) any { return newInception3(n) },
	"mobilenet_v2":       func(n int) any { return newMobileNetV2(n) },
	"mobilenet_v3_large": func(n int) any { return newMobileNetV3(n) },
	"resnet18":           func(n int) any { return newResNet(false, [4]int{2, 2, 2, 2}, 1, 64, n) },
	"resnet50":           func(n int) any { return newResNet(true, [4]int{3, 4, 6, 3}, 1, 64, n) },
	"resnext101_32x8d":   func(n int) any { return newResNet(true, [4]int{3, 4, 23, 3}, 32, 8, n) },
	"resnext101_64x4d":   func(n int) any { return newResNet(true, [4]int{3, 4, 23, 3}, 64, 4, n) },
	"shufflenet_v2_x0_5": func(n int) any { return newShuffleNetV2([5]int{24, 48, 96, 192, 1024}, n) },
	"shufflenet_v2_x1_0": func(n int) any { return newShuffleNetV2([5]int{24, 116, 232, 464, 1024}, n) },
	"shufflenet_v2_x1_5": func(n int) any { return newShuffleNetV2([5]int{24, 176, 352, 704, 1024}, n) },
	"shufflenet_v2_x2_0": func(n int) any { return newShuffleNetV2([5]int{24, 244, 488, 976, 2048}, n) },
}

// arguments are those of a quantized model.
type arguments struct {
	NumClasses int `json:"num_classes"`
}

func init() {
	for name, build := range quantize {
		base, err := models.Lookup(name)
		if err != nil {
			panic(err)
		}
		configure := models.Configurer(arguments{1000}, func(a arguments) any { return build(a.NumClasses) })
		models.Register(models.Entry{
			Name: "quantized_" + name, Repo: models.Vision, Title: base.Title, Paper: base.Paper,
			Build:        func() any { return quantizable(base.Build()) },
			BuildFor:     func(*models.Weights) any { return build(1000) },
			ConfigureFor: func(_ *models.Weights, arguments []byte) (func() any, error) { return configure(arguments) },
			Configure: func(arguments []byte) (func() any, error) {
				build, err := base.Configure(arguments)
				if err != nil {
					return nil, err
				}
				return func() any { return quantizable(build()) }, nil
			},
		})
	}
}

// quantizable replaces what torchvision replaces in models before they are quantized.
func quantizable(m any) any {
	for _, m := range nn.Modules(m) {
		s, _ := m.(nn.Sequential)
		for i := range s {
			if _, ok := s[i].(*nn.ReLU6); ok {
				s[i] = &nn.ReLU{}
			}
		}
	}
	if m, ok := m.(*googlenet.GoogLeNet); ok {
		return &GoogLeNet{m}
	}
	return m
}

// GoogLeNet is torchvision's QuantizableGoogLeNet, which exchanges the outputs of the auxiliary heads.
type GoogLeNet struct{ *googlenet.GoogLeNet }

// ForwardAux is that of [googlenet.GoogLeNet], with the logits of Aux1 before those of Aux2.
func (m *GoogLeNet) ForwardAux(x *torch.Tensor) (logits *torch.Tensor, aux []*torch.Tensor) {
	logits, aux = m.GoogLeNet.ForwardAux(x)
	slices.Reverse(aux)
	return logits, aux
}
