// Package googlenet holds GoogLeNet: "Going Deeper with Convolutions",
// https://arxiv.org/abs/1409.4842.
package googlenet

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Config has the arguments of torchvision.models.GoogLeNet.
type Config struct {
	NumClasses     int      `json:"num_classes"`     // 0 means 1000
	AuxLogits      *bool    `json:"aux_logits"`      // with two auxiliary heads for training, default true
	TransformInput bool     `json:"transform_input"` // pictures are normalized by ImageNet's mean and std, which the model undoes
	InitWeights    *bool    `json:"init_weights"`    // truncated normal weights, default true
	Dropout        *float64 `json:"dropout"`         // default 0.2
	DropoutAux     *float64 `json:"dropout_aux"`     // of the auxiliary heads, default 0.7
}

func init() {
	published := Config{TransformInput: true, AuxLogits: new(false)}
	models.Register(models.Entry{
		Name: "googlenet", Repo: models.Vision, Title: "Going Deeper with Convolutions", Paper: "https://arxiv.org/abs/1409.4842",
		Build:     func() any { return New(Config{}) },
		BuildFor:  func(*models.Weights) any { return New(published) },
		Configure: models.Configurer(Config{}, New),
		ConfigureFor: func(_ *models.Weights, arguments []byte) (func() any, error) {
			return models.Configurer(published, New)(arguments)
		},
	})
}

// GoogLeNet is torchvision.models.GoogLeNet.
//
// https://docs.pytorch.org/vision/stable/models/googlenet.html
type GoogLeNet struct {
	Conv1          *basicConv
	MaxPool1       *nn.MaxPool2d `nn:"maxpool1"`
	Conv2, Conv3   *basicConv
	MaxPool2       *nn.MaxPool2d         `nn:"maxpool2"`
	Inception3a    *inception            `nn:"inception3a"`
	Inception3b    *inception            `nn:"inception3b"`
	MaxPool3       *nn.MaxPool2d         `nn:"maxpool3"`
	Inception4a    *inception            `nn:"inception4a"`
	Inception4b    *inception            `nn:"inception4b"`
	Inception4c    *inception            `nn:"inception4c"`
	Inception4d    *inception            `nn:"inception4d"`
	Inception4e    *inception            `nn:"inception4e"`
	MaxPool4       *nn.MaxPool2d         `nn:"maxpool4"`
	Inception5a    *inception            `nn:"inception5a"`
	Inception5b    *inception            `nn:"inception5b"`
	Aux1, Aux2     *auxHead              // nil without
	AvgPool        *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	Dropout        *nn.Dropout
	FC             *nn.Linear
	TransformInput bool // pictures are normalized by ImageNet's mean and std, which the model undoes
	Training       bool
}

// New builds a GoogLeNet, initialized as torchvision's is.
func New(c Config) *GoogLeNet {
	pool := func(kernel int) *nn.MaxPool2d {
		return nn.NewMaxPool2d(kernel, nn.MaxPool2dOptions{Stride: 2, CeilMode: true})
	}
	classes := cmp.Or(c.NumClasses, 1000)
	m := &GoogLeNet{
		Conv1:          newBasicConv(3, 64, 7, 2),
		MaxPool1:       pool(3),
		Conv2:          newBasicConv(64, 64, 1, 1),
		Conv3:          newBasicConv(64, 192, 3, 1),
		MaxPool2:       pool(3),
		Inception3a:    newInception(192, 64, 96, 128, 16, 32, 32),
		Inception3b:    newInception(256, 128, 128, 192, 32, 96, 64),
		MaxPool3:       pool(3),
		Inception4a:    newInception(480, 192, 96, 208, 16, 48, 64),
		Inception4b:    newInception(512, 160, 112, 224, 24, 64, 64),
		Inception4c:    newInception(512, 128, 128, 256, 24, 64, 64),
		Inception4d:    newInception(512, 112, 144, 288, 32, 64, 64),
		Inception4e:    newInception(528, 256, 160, 320, 32, 128, 128),
		MaxPool4:       pool(2),
		Inception5a:    newInception(832, 256, 160, 320, 32, 128, 128),
		Inception5b:    newInception(832, 384, 192, 384, 48, 128, 128),
		TransformInput: c.TransformInput, Training: true,
	}
	if *cmp.Or(c.AuxLogits, new(true)) {
		dropout := *cmp.Or(c.DropoutAux, new(0.7))
		m.Aux1, m.Aux2 = newAuxHead(512, classes, dropout), newAuxHead(528, classes, dropout)
	}
	m.AvgPool, m.Dropout, m.FC = nn.NewAdaptiveAvgPool2d(1), nn.NewDropout(*cmp.Or(c.Dropout, new(0.2))), nn.NewLinear(1024, classes)
	if *cmp.Or(c.InitWeights, new(true)) {
		for _, m := range nn.Modules(m) {
			switch m := m.(type) {
			case *nn.Conv2d:
				nn.InitTruncNormal(m.Weight, nn.InitTruncNormalOptions{Std: new(0.01)})
			case *nn.Linear:
				nn.InitTruncNormal(m.Weight, nn.InitTruncNormalOptions{Std: new(0.01)})
			}
		}
	}
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *GoogLeNet) Forward(x *torch.Tensor) *torch.Tensor {
	y, aux := m.ForwardAux(x)
	for _, a := range aux {
		a.Free()
	}
	return y
}

// ForwardAux is [GoogLeNet.Forward], and returns also the logits of Aux2 and Aux1, in this
// order, while training, if there are these heads: GoogLeNetOutputs.
func (m *GoogLeNet) ForwardAux(x *torch.Tensor) (logits *torch.Tensor, aux []*torch.Tensor) {
	models.CheckPictures("GoogLeNet", x, 15)
	if m.TransformInput {
		y := models.FromImageNet(x)
		defer y.Free()
		x = y
	}
	x = nn.Sequential{m.Conv1, m.MaxPool1}.Forward(x)                           // [N, 64, 56, 56] of pictures of 224×224
	x = x.Then(nn.Sequential{m.Conv2, m.Conv3, m.MaxPool2}.Forward)             // [N, 192, 28, 28]
	x = x.Then(nn.Sequential{m.Inception3a, m.Inception3b, m.MaxPool3}.Forward) // [N, 480, 14, 14]
	x = x.Then(nn.Sequential{m.Inception4a}.Forward)                            // [N, 512, 14, 14]
	heads := m.Training && m.Aux1 != nil
	var aux1 *torch.Tensor
	if heads {
		aux1 = nn.Call(m.Aux1, x)
	}
	x = x.Then(nn.Sequential{m.Inception4b, m.Inception4c, m.Inception4d}.Forward) // [N, 528, 14, 14]
	if heads {
		aux = []*torch.Tensor{nn.Call(m.Aux2, x), aux1}
	}
	x = x.Then(nn.Sequential{m.Inception4e, m.MaxPool4}.Forward)               // [N, 832, 7, 7]
	x = x.Then(nn.Sequential{m.Inception5a, m.Inception5b, m.AvgPool}.Forward) // [N, 1024, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Dropout.Forward).Then(m.FC.Forward), aux
}

// UpgradeState removes the auxiliary heads' tensors from a checkpoint of a model with them if this one has none.
func (m *GoogLeNet) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	if m.Aux1 == nil {
		models.DropState(s, prefix+"aux1.", prefix+"aux2.")
	}
}

// inception joins the channels of four branches.
type inception struct {
	Branch1                   *basicConv
	Branch2, Branch3, Branch4 nn.Sequential
}

func newInception(in, one, three0, three, five0, five, pool int) *inception {
	return &inception{
		newBasicConv(in, one, 1, 1),
		nn.Sequential{newBasicConv(in, three0, 1, 1), newBasicConv(three0, three, 3, 1)},
		nn.Sequential{newBasicConv(in, five0, 1, 1), newBasicConv(five0, five, 3, 1)}, // 5×5 in the paper, 3×3 in torchvision
		nn.Sequential{nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 1, Padding: 1, CeilMode: true}), newBasicConv(in, pool, 1, 1)},
	}
}

// Forward maps [N, in, H, W] to the channels of all branches.
func (m *inception) Forward(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		y = torch.Keep(torch.Cat([]*torch.Tensor{nn.Call(m.Branch1, x), m.Branch2.Forward(x), m.Branch3.Forward(x), m.Branch4.Forward(x)}, 1))
	})
	return y
}

// auxHead classifies by the features in the middle of the network.
type auxHead struct {
	Conv     *basicConv
	FC1, FC2 *nn.Linear
	Dropout  *nn.Dropout
}

func newAuxHead(in, classes int, dropout float64) *auxHead {
	return &auxHead{newBasicConv(in, 128, 1, 1), nn.NewLinear(2048, 1024), nn.NewLinear(1024, classes), nn.NewDropout(dropout)}
}

// Forward maps [N, in, H, W] to logits [N, classes].
func (m *auxHead) Forward(x *torch.Tensor) *torch.Tensor {
	x = F.AdaptiveAvgPool2d(x, 4).Then(m.Conv.Forward)                    // [N, 128, 4, 4]
	x = x.Then((&nn.Flatten{}).Forward).Then(m.FC1.Forward).ReLUInPlace() // [N, 1024]
	return x.Then(m.Dropout.Forward).Then(m.FC2.Forward)
}

// basicConv is a convolution with normalization and ReLU.
type basicConv struct {
	Conv *nn.Conv2d
	BN   *nn.BatchNorm2d
}

func newBasicConv(in, out, kernel, stride int) *basicConv {
	return &basicConv{
		nn.NewConv2d(in, out, kernel, nn.Conv2dOptions{Stride: stride, Padding: kernel / 2, NoBias: true}),
		nn.NewBatchNorm2d(out, nn.BatchNorm2dOptions{Eps: new(0.001)}),
	}
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *basicConv) Forward(x *torch.Tensor) *torch.Tensor {
	return m.Conv.Forward(x).Then(m.BN.Forward).ReLUInPlace()
}
