// Package alexnet holds AlexNet: "One weird trick for parallelizing convolutional neural
// networks", https://arxiv.org/abs/1404.5997.
package alexnet

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision.models.AlexNet.
type Config struct {
	NumClasses int      `json:"num_classes"` // 0 means 1000
	Dropout    *float64 `json:"dropout"`     // default 0.5
}

func init() {
	models.RegisterVariants("One weird trick for parallelizing convolutional neural networks", "https://arxiv.org/abs/1404.5997", New,
		map[string]Config{"alexnet": {}})
}

// AlexNet is torchvision.models.AlexNet.
//
// https://docs.pytorch.org/vision/stable/models/alexnet.html
type AlexNet struct {
	Features   nn.Sequential
	AvgPool    *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	Classifier nn.Sequential
}

// New builds an AlexNet, initialized as torchvision's is.
func New(c Config) *AlexNet {
	relu := func() nn.Module { return &nn.ReLU{InPlace: true} }
	pool := func() nn.Module { return nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 2}) }
	dropout := *cmp.Or(c.Dropout, new(0.5))
	return &AlexNet{
		Features: nn.Sequential{
			nn.NewConv2d(3, 64, 11, nn.Conv2dOptions{Stride: 4, Padding: 2}), relu(), pool(),
			nn.NewConv2d(64, 192, 5, nn.Conv2dOptions{Padding: 2}), relu(), pool(),
			nn.NewConv2d(192, 384, 3, nn.Conv2dOptions{Padding: 1}), relu(),
			nn.NewConv2d(384, 256, 3, nn.Conv2dOptions{Padding: 1}), relu(),
			nn.NewConv2d(256, 256, 3, nn.Conv2dOptions{Padding: 1}), relu(), pool(),
		},
		AvgPool: nn.NewAdaptiveAvgPool2d(6),
		Classifier: nn.Sequential{
			nn.NewDropout(dropout), nn.NewLinear(256*6*6, 4096), relu(),
			nn.NewDropout(dropout), nn.NewLinear(4096, 4096), relu(),
			nn.NewLinear(4096, cmp.Or(c.NumClasses, 1000)),
		},
	}
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *AlexNet) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("AlexNet", x, 63)
	x = m.Features.Forward(x).Then(m.AvgPool.Forward)                 // [N, 256, 6, 6]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Classifier.Forward) // [N, classes]
}
