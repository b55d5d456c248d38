// Package quantized holds the models of torchvision.models.quantization, which compute with
// 8-bit integers. As in torchvision, a model that is built without weights is the one before quantization
// (quantize=False): that of the same name without quantized_, with ReLU in place of ReLU6. The
// published weights fill a quantized one, for the CPU, except for those of
// quantized_mobilenet_v3_large, which are not supported.
package quantized

import (
	"fmt"
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
var quantize = map[string]func() any{
	"googlenet":          func() any { return newGoogLeNet() },
	"inception_v3":       func() any { return newInception3() },
	"mobilenet_v2":       func() any { return newMobileNetV2() },
	"resnet18":           func() any { return newResNet(false, [4]int{2, 2, 2, 2}, 1, 64) },
	"resnet50":           func() any { return newResNet(true, [4]int{3, 4, 6, 3}, 1, 64) },
	"resnext101_32x8d":   func() any { return newResNet(true, [4]int{3, 4, 23, 3}, 32, 8) },
	"resnext101_64x4d":   func() any { return newResNet(true, [4]int{3, 4, 23, 3}, 64, 4) },
	"shufflenet_v2_x0_5": func() any { return newShuffleNetV2([5]int{24, 48, 96, 192, 1024}) },
	"shufflenet_v2_x1_0": func() any { return newShuffleNetV2([5]int{24, 116, 232, 464, 1024}) },
	"shufflenet_v2_x1_5": func() any { return newShuffleNetV2([5]int{24, 176, 352, 704, 1024}) },
	"shufflenet_v2_x2_0": func() any { return newShuffleNetV2([5]int{24, 244, 488, 976, 2048}) },
}

func init() {
	for _, name := range []string{
		"googlenet", "inception_v3", "mobilenet_v2", "mobilenet_v3_large", "resnet18", "resnet50", "resnext101_32x8d", "resnext101_64x4d",
		"shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0",
	} {
		base, err := models.Lookup(name)
		if err != nil {
			panic(err)
		}
		models.Register(models.Entry{
			Name: "quantized_" + name, Repo: models.Vision, Title: base.Title, Paper: base.Paper,
			Build: func() any { return quantizable(base.Build()) },
			BuildFor: func(w *models.Weights) any {
				if build := quantize[name]; build != nil {
					return build()
				}
				panic(&torch.Error{Op: "quantized_" + name, Msg: fmt.Sprintf("the quantized weights %s are not supported; load %s instead", w.Name, name)})
			},
			ConfigureFor: func(w *models.Weights, _ []byte) (func() any, error) {
				return nil, fmt.Errorf("a model with the quantized weights %s takes no arguments", w.Name)
			},
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
