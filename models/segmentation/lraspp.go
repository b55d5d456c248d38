package segmentation

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// LRASPPConfig has the arguments of torchvision.models.segmentation.lraspp_mobilenet_v3_large, and of the class LRASPP.
type LRASPPConfig struct {
	Backbone      BackboneName // "" means MobileNetV3Large
	NumClasses    int          `json:"num_classes"` // with the background, 0 means 21
	InterChannels int          // inter_channels of the classifier, 0 means 128

	WeightsBackbone torch.StateDict // of the network that the backbone is a part of, in which it starts: weights_backbone; nil means at random
}

// LRASPP is torchvision.models.segmentation.LRASPP.
//
// https://docs.pytorch.org/vision/stable/models/lraspp.html
type LRASPP struct {
	Backbone   Backbone
	Classifier *lrasppHead
}

type lrasppHead struct {
	CBR                           nn.Sequential `nn:"cbr"`
	Scale                         nn.Sequential
	LowClassifier, HighClassifier *nn.Conv2d
}

// NewLRASPP builds an LR-ASPP: torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights_backbone=None).
func NewLRASPP(c LRASPPConfig) *LRASPP {
	b, low, last := backbone(cmp.Or(c.Backbone, MobileNetV3Large), c.WeightsBackbone)
	inter, classes := cmp.Or(c.InterChannels, 128), cmp.Or(c.NumClasses, 21)
	conv := func() *nn.Conv2d { return nn.NewConv2d(last, inter, 1, nn.Conv2dOptions{NoBias: true}) }
	return &LRASPP{b, &lrasppHead{
		CBR:            nn.Sequential{conv(), nn.NewBatchNorm2d(inter), &nn.ReLU{InPlace: true}},
		Scale:          nn.Sequential{nn.NewAdaptiveAvgPool2d(1), conv(), &nn.Sigmoid{}},
		LowClassifier:  nn.NewConv2d(low, classes, 1),
		HighClassifier: nn.NewConv2d(inter, classes, 1),
	}}
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes, H, W].
func (m *LRASPP) Forward(x *torch.Tensor) *models.SegmentationOutput {
	models.CheckPictures("LR-ASPP", x, 1)
	low, last := m.Backbone.Features(x)
	defer low.Free()
	return &models.SegmentationOutput{Out: enlarge(m.Classifier.forward(low, last), x)}
}

// forward maps the features, of which it frees last, to logits of the height and width of low.
func (m *lrasppHead) forward(low, last *torch.Tensor) *torch.Tensor {
	y := m.CBR.Forward(last)
	scale := last.Then(m.Scale.Forward) // [N, inter, 1, 1]
	y = y.Then(func(y *torch.Tensor) *torch.Tensor { return y.Mul(scale) })
	scale.Free()
	y = enlarge(y, low).Then(m.HighClassifier.Forward)
	defer y.Free()
	return m.LowClassifier.Forward(low).AddInPlace(y)
}
