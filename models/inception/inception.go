// Package inception holds Inception V3: "Rethinking the Inception Architecture for Computer
// Vision", https://arxiv.org/abs/1512.00567.
package inception

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Config has the arguments of torchvision.models.Inception3.
type Config struct {
	NumClasses     int      `json:"num_classes"`     // 0 means 1000
	AuxLogits      *bool    `json:"aux_logits"`      // with an auxiliary head for training, default true
	TransformInput bool     `json:"transform_input"` // pictures are normalized by ImageNet's mean and std, which the model undoes
	InitWeights    *bool    `json:"init_weights"`    // truncated normal weights, default true
	Dropout        *float64 `json:"dropout"`         // default 0.5
	Layers         *Layers  // nil means torchvision's
}

// Layers are the layers that an [Inception3] is made of, for those of other kinds.
type Layers struct {
	Conv func(in, out int, kernel torch.Ints, o nn.Conv2dOptions) nn.Module // a convolution with what follows it
	Join func() Join
}

// A Join joins tensors along a dimension.
type Join interface {
	Cat(xs []*torch.Tensor, dim int) *torch.Tensor
}

// cat is torch.cat.
type cat struct{}

// Cat joins tensors along a dimension.
func (cat) Cat(xs []*torch.Tensor, dim int) *torch.Tensor { return torch.Cat(xs, dim) }

func init() {
	published := Config{TransformInput: true}
	models.Register(models.Entry{
		Name: "inception_v3", Repo: models.Vision,
		Title: "Rethinking the Inception Architecture for Computer Vision", Paper: "https://arxiv.org/abs/1512.00567",
		Build:     func() any { return New(Config{}) },
		BuildFor:  func(*models.Weights) any { return New(published) },
		Configure: models.Configurer(Config{}, New),
		ConfigureFor: func(_ *models.Weights, arguments []byte) (func() any, error) {
			return models.Configurer(published, New)(arguments)
		},
	})
}

// Inception3 is torchvision.models.Inception3.
//
// https://docs.pytorch.org/vision/stable/models/inception.html
type Inception3 struct {
	Conv2d1a3x3    nn.Module             `nn:"Conv2d_1a_3x3"`
	Conv2d2a3x3    nn.Module             `nn:"Conv2d_2a_3x3"`
	Conv2d2b3x3    nn.Module             `nn:"Conv2d_2b_3x3"`
	MaxPool1       *nn.MaxPool2d         `nn:"maxpool1"`
	Conv2d3b1x1    nn.Module             `nn:"Conv2d_3b_1x1"`
	Conv2d4a3x3    nn.Module             `nn:"Conv2d_4a_3x3"`
	MaxPool2       *nn.MaxPool2d         `nn:"maxpool2"`
	Mixed5b        *mixed                `nn:"Mixed_5b"`
	Mixed5c        *mixed                `nn:"Mixed_5c"`
	Mixed5d        *mixed                `nn:"Mixed_5d"`
	Mixed6a        *mixed                `nn:"Mixed_6a"`
	Mixed6b        *mixed                `nn:"Mixed_6b"`
	Mixed6c        *mixed                `nn:"Mixed_6c"`
	Mixed6d        *mixed                `nn:"Mixed_6d"`
	Mixed6e        *mixed                `nn:"Mixed_6e"`
	AuxLogits      *auxHead              `nn:"AuxLogits"` // nil without
	Mixed7a        *mixed                `nn:"Mixed_7a"`
	Mixed7b        *mixed                `nn:"Mixed_7b"`
	Mixed7c        *mixed                `nn:"Mixed_7c"`
	AvgPool        *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	Dropout        *nn.Dropout
	FC             *nn.Linear
	TransformInput bool // pictures are normalized by ImageNet's mean and std, which the model undoes
	Training       bool
}

// New builds an Inception V3, initialized as torchvision's is.
func New(c Config) *Inception3 {
	classes, l := cmp.Or(c.NumClasses, 1000), cmp.Or(c.Layers, &Layers{newBasicConv, func() Join { return cat{} }})
	m := &Inception3{
		Conv2d1a3x3: l.Conv(3, 32, 3, nn.Conv2dOptions{Stride: 2}),
		Conv2d2a3x3: l.Conv(32, 32, 3, nn.Conv2dOptions{}),
		Conv2d2b3x3: l.Conv(32, 64, 3, nn.Conv2dOptions{Padding: 1}),
		MaxPool1:    nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 2}),
		Conv2d3b1x1: l.Conv(64, 80, 1, nn.Conv2dOptions{}),
		Conv2d4a3x3: l.Conv(80, 192, 3, nn.Conv2dOptions{}),
		MaxPool2:    nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 2}),
		Mixed5b:     l.newA(192, 32), Mixed5c: l.newA(256, 64), Mixed5d: l.newA(288, 64),
		Mixed6a: l.newB(288),
		Mixed6b: l.newC(768, 128), Mixed6c: l.newC(768, 160), Mixed6d: l.newC(768, 160), Mixed6e: l.newC(768, 192),
		TransformInput: c.TransformInput, Training: true,
	}
	if *cmp.Or(c.AuxLogits, new(true)) {
		m.AuxLogits = &auxHead{
			Conv0: l.Conv(768, 128, 1, nn.Conv2dOptions{}), Conv1: l.Conv(128, 768, 5, nn.Conv2dOptions{}), FC: nn.NewLinear(768, classes),
		}
	}
	m.Mixed7a, m.Mixed7b, m.Mixed7c = l.newD(768), l.newE(1280), l.newE(2048)
	m.AvgPool, m.Dropout, m.FC = nn.NewAdaptiveAvgPool2d(1), nn.NewDropout(*cmp.Or(c.Dropout, new(0.5))), nn.NewLinear(2048, classes)
	if *cmp.Or(c.InitWeights, new(true)) {
		m.initialize()
	}
	return m
}

func (m *Inception3) initialize() {
	for _, x := range nn.Modules(m) {
		switch x := x.(type) {
		case *nn.Conv2d:
			nn.InitTruncNormal(x.Weight, nn.InitTruncNormalOptions{Std: new(0.1)})
		case *nn.Linear:
			std := 0.1
			if m.AuxLogits != nil && x == m.AuxLogits.FC {
				std = 0.001
			}
			nn.InitTruncNormal(x.Weight, nn.InitTruncNormalOptions{Std: &std})
		}
	}
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *Inception3) Forward(x *torch.Tensor) *torch.Tensor {
	y, aux := m.ForwardAux(x)
	for _, a := range aux {
		a.Free()
	}
	return y
}

// ForwardAux is [Inception3.Forward], and returns also the logits of the auxiliary head while
// training, if there is one: InceptionOutputs.
func (m *Inception3) ForwardAux(x *torch.Tensor) (logits *torch.Tensor, aux []*torch.Tensor) {
	x, aux = m.Features(x)
	return x.Then(m.FC.Forward), aux
}

// Features maps pictures x [N, 3, H, W] to the features [N, 2048] that FC classifies, and returns
// also the logits of the auxiliary head while training, if there is one.
func (m *Inception3) Features(x *torch.Tensor) (features *torch.Tensor, aux []*torch.Tensor) {
	models.CheckPictures("Inception V3", x, 75)
	heads := m.AuxLogits != nil && m.Training
	if heads {
		models.CheckPictures("Inception V3 in training mode with its auxiliary head", x, 299)
	}
	if m.TransformInput {
		y := models.FromImageNet(x)
		defer y.Free()
		x = y
	}
	x = nn.Sequential{m.Conv2d1a3x3, m.Conv2d2a3x3, m.Conv2d2b3x3, m.MaxPool1}.Forward(x)    // [N, 64, 73, 73] of pictures of 299×299
	x = x.Then(nn.Sequential{m.Conv2d3b1x1, m.Conv2d4a3x3, m.MaxPool2}.Forward)              // [N, 192, 35, 35]
	x = x.Then(nn.Sequential{m.Mixed5b, m.Mixed5c, m.Mixed5d}.Forward)                       // [N, 288, 35, 35]
	x = x.Then(nn.Sequential{m.Mixed6a, m.Mixed6b, m.Mixed6c, m.Mixed6d, m.Mixed6e}.Forward) // [N, 768, 17, 17]
	if heads {
		aux = []*torch.Tensor{nn.Call(m.AuxLogits, x)}
	}
	x = x.Then(nn.Sequential{m.Mixed7a, m.Mixed7b, m.Mixed7c}.Forward)                  // [N, 2048, 8, 8]
	x = x.Then(m.AvgPool.Forward).Then(m.Dropout.Forward).Then((&nn.Flatten{}).Forward) // [N, 2048]
	return x, aux
}

// UpgradeState removes the auxiliary head's tensors from a checkpoint of a model with it if this one has none.
func (m *Inception3) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	if m.AuxLogits == nil {
		models.DropState(s, prefix+"AuxLogits.")
	}
}

// auxHead classifies by the features in the middle of the network.
type auxHead struct {
	Conv0, Conv1 nn.Module
	FC           *nn.Linear
}

// Forward maps [N, 768, 17, 17] to logits [N, classes].
func (m *auxHead) Forward(x *torch.Tensor) *torch.Tensor {
	x = F.AvgPool2d(x, 5, F.AvgPool2dOptions{Stride: 3})                                       // [N, 768, 5, 5]
	x = x.Then(m.Conv0.Forward).Then(m.Conv1.Forward).Then(nn.NewAdaptiveAvgPool2d(1).Forward) // [N, 768, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.FC.Forward)
}

// basicConv is a convolution with normalization and ReLU.
type basicConv struct {
	Conv *nn.Conv2d
	BN   *nn.BatchNorm2d
}

func newBasicConv(in, out int, kernel torch.Ints, o nn.Conv2dOptions) nn.Module {
	o.NoBias = true
	return &basicConv{nn.NewConv2d(in, out, kernel, o), nn.NewBatchNorm2d(out, nn.BatchNorm2dOptions{Eps: new(0.001)})}
}

// Forward maps [N, in, H, W] to [N, out, H', W'].
func (m *basicConv) Forward(x *torch.Tensor) *torch.Tensor {
	return m.Conv.Forward(x).Then(m.BN.Forward).ReLUInPlace()
}
