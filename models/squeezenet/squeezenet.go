// Package squeezenet holds SqueezeNet: "SqueezeNet: AlexNet-level accuracy with 50x fewer
// parameters and <0.5MB model size", https://arxiv.org/abs/1602.07360.
package squeezenet

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision.models.SqueezeNet.
type Config struct {
	Version1_1 bool     // version "1_1", with 2.4 times less computation, in place of "1_0"
	NumClasses int      `json:"num_classes"` // 0 means 1000
	Dropout    *float64 `json:"dropout"`     // default 0.5
}

func init() {
	models.RegisterVariants("SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", "https://arxiv.org/abs/1602.07360", New,
		map[string]Config{"squeezenet1_0": {}, "squeezenet1_1": {Version1_1: true}})
}

// SqueezeNet is torchvision.models.SqueezeNet.
//
// https://docs.pytorch.org/vision/stable/models/squeezenet.html
type SqueezeNet struct {
	Features   nn.Sequential
	Classifier nn.Sequential
	least      int // side of pictures
}

// New builds a SqueezeNet, initialized as torchvision's is.
func New(c Config) *SqueezeNet {
	channels, kernel, pools := 96, 7, []int{0, 3, 7} // the fire modules that a pooling precedes
	m := &SqueezeNet{least: 21}
	if c.Version1_1 {
		channels, kernel, pools, m.least = 64, 3, []int{0, 2, 4}, 17
	}
	m.Features = nn.Sequential{nn.NewConv2d(3, channels, kernel, nn.Conv2dOptions{Stride: 2}), &nn.ReLU{InPlace: true}}
	for i, squeeze := range []int{16, 16, 32, 32, 48, 48, 64, 64} {
		if len(pools) > 0 && i == pools[0] {
			m.Features = append(m.Features, nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 2, CeilMode: true}))
			pools = pools[1:]
		}
		m.Features = append(m.Features, newFire(channels, squeeze, 4*squeeze))
		channels = 8 * squeeze
	}
	final := nn.NewConv2d(channels, cmp.Or(c.NumClasses, 1000), 1)
	m.Classifier = nn.Sequential{nn.NewDropout(*cmp.Or(c.Dropout, new(0.5))), final, &nn.ReLU{InPlace: true}, nn.NewAdaptiveAvgPool2d(1)}
	for _, m := range nn.Modules(m) {
		if m, ok := m.(*nn.Conv2d); ok {
			if m == final {
				nn.InitNormal(m.Weight, 0, 0.01)
			} else {
				nn.InitKaimingUniform(m.Weight)
			}
			nn.InitZeros(m.Bias)
		}
	}
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *SqueezeNet) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("SqueezeNet", x, m.least)
	x = m.Features.Forward(x).Then(m.Classifier.Forward) // [N, classes, 1, 1]
	return x.Then((&nn.Flatten{}).Forward)               // [N, classes]
}

// fire reduces the channels and expands them by filters of two sizes.
type fire struct {
	Squeeze             *nn.Conv2d
	SqueezeActivation   *nn.ReLU
	Expand1x1           *nn.Conv2d
	Expand1x1Activation *nn.ReLU `nn:"expand1x1_activation"`
	Expand3x3           *nn.Conv2d
	Expand3x3Activation *nn.ReLU `nn:"expand3x3_activation"`
}

func newFire(in, squeeze, expand int) *fire {
	return &fire{
		nn.NewConv2d(in, squeeze, 1), &nn.ReLU{InPlace: true},
		nn.NewConv2d(squeeze, expand, 1), &nn.ReLU{InPlace: true},
		nn.NewConv2d(squeeze, expand, 3, nn.Conv2dOptions{Padding: 1}), &nn.ReLU{InPlace: true},
	}
}

// Forward maps [N, in, H, W] to [N, 2·expand, H, W].
func (m *fire) Forward(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		x := m.SqueezeActivation.Forward(m.Squeeze.Forward(x))
		one, three := m.Expand1x1.Forward(x), m.Expand3x3.Forward(x)
		y = torch.Keep(torch.Cat([]*torch.Tensor{m.Expand1x1Activation.Forward(one), m.Expand3x3Activation.Forward(three)}, 1))
	})
	return y
}
