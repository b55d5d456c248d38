// Package segmentation holds torchvision.models.segmentation: models that give each pixel of a
// picture a class.
//
//   - FCN: "Fully Convolutional Networks for Semantic Segmentation", https://arxiv.org/abs/1411.4038
//   - DeepLab v3: "Rethinking Atrous Convolution for Semantic Image Segmentation", https://arxiv.org/abs/1706.05587
//   - LR-ASPP: "Searching for MobileNetV3", https://arxiv.org/abs/1905.02244
package segmentation

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Config has the arguments of torchvision's functions for FCN and DeepLab v3.
type Config struct {
	Backbone   BackboneName // "" means ResNet50
	NumClasses int          `json:"num_classes"` // with the background, 0 means 21
	AuxLoss    bool         `json:"aux_loss"`    // has an auxiliary classifier, as all published weights

	WeightsBackbone torch.StateDict // of the network that the backbone is a part of, in which it starts: weights_backbone; nil means at random
}

// Model is torchvision.models.segmentation.FCN or DeepLabV3.
//
// https://docs.pytorch.org/vision/stable/models/fcn.html
type Model struct {
	Backbone      Backbone
	Classifier    nn.Module // maps the last features to logits of a smaller height and width
	AuxClassifier nn.Module // maps the features before them; nil without
	name          string    // of the kind of model, for errors
}

func init() {
	for _, kind := range []struct {
		prefix, title, paper string
		build                func(Config) *Model
		backbones            []BackboneName
	}{
		{"fcn_", "Fully Convolutional Networks for Semantic Segmentation", "https://arxiv.org/abs/1411.4038", NewFCN, []BackboneName{ResNet50, ResNet101}},
		{"deeplabv3_", "Rethinking Atrous Convolution for Semantic Image Segmentation", "https://arxiv.org/abs/1706.05587", NewDeepLabV3,
			[]BackboneName{ResNet50, ResNet101, MobileNetV3Large}},
	} {
		for _, b := range kind.backbones {
			c, trained := Config{Backbone: b}, Config{Backbone: b, AuxLoss: true}
			models.Register(models.Entry{
				Name: kind.prefix + string(b), Repo: models.Vision, Title: kind.title, Paper: kind.paper,
				Build:     func() any { return kind.build(c) },
				Configure: models.Configurer(c, kind.build),
				BuildFor:  func(*models.Weights) any { return kind.build(trained) },
				ConfigureFor: func(_ *models.Weights, arguments []byte) (func() any, error) {
					return models.Configurer(trained, kind.build)(arguments)
				},
				Backbone: models.NewBackbone(string(b), "IMAGENET1K_V1", func(s torch.StateDict) func([]byte) (func() any, error) {
					return models.Configurer(Config{Backbone: b, WeightsBackbone: s}, kind.build)
				}),
			})
		}
	}
	models.Register(models.Entry{
		Name: "lraspp_mobilenet_v3_large", Repo: models.Vision, Title: "Searching for MobileNetV3", Paper: "https://arxiv.org/abs/1905.02244",
		Build:     func() any { return NewLRASPP(LRASPPConfig{}) },
		Configure: models.Configurer(LRASPPConfig{}, NewLRASPP),
		Backbone: models.NewBackbone(string(MobileNetV3Large), "IMAGENET1K_V1", func(s torch.StateDict) func([]byte) (func() any, error) {
			return models.Configurer(LRASPPConfig{WeightsBackbone: s}, NewLRASPP)
		}),
	})
}

// NewFCN builds an FCN: torchvision.models.segmentation.fcn_resnet50(weights_backbone=None), and its like.
func NewFCN(c Config) *Model {
	return c.build("FCN", func(in, classes int) nn.Module { return fcnHead(in, classes) })
}

// NewDeepLabV3 builds a DeepLab v3: torchvision.models.segmentation.deeplabv3_resnet50(weights_backbone=None), and its like.
func NewDeepLabV3(c Config) *Model {
	return c.build("DeepLab v3", func(in, classes int) nn.Module { return deepLabHead(in, classes) })
}

func (c Config) build(name string, head func(in, classes int) nn.Module) *Model {
	m := &Model{name: name}
	var low, last int
	m.Backbone, low, last = backbone(c.Backbone, c.WeightsBackbone)
	classes := cmp.Or(c.NumClasses, 21)
	if c.AuxLoss { // before the other classifier, as in torchvision, so that the random numbers are the same
		m.AuxClassifier = fcnHead(low, classes)
	}
	m.Classifier = head(last, classes)
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes, H, W].
func (m *Model) Forward(x *torch.Tensor) *models.SegmentationOutput {
	models.CheckPictures(m.name, x, 1)
	low, last := m.Backbone.Features(x)
	out := &models.SegmentationOutput{Out: enlarge(last.Then(m.Classifier.Forward), x)}
	if m.AuxClassifier != nil {
		out.Aux = enlarge(m.AuxClassifier.Forward(low), x)
	}
	low.Free()
	return out
}

// enlarge resizes y, which it frees, to the height and width of x.
func enlarge(y, x *torch.Tensor) *torch.Tensor {
	return y.Then(func(y *torch.Tensor) *torch.Tensor {
		return F.Interpolate(y, F.InterpolateOptions{Size: x.Shape()[2:], Mode: "bilinear"})
	})
}

func fcnHead(in, classes int) nn.Sequential {
	return nn.Sequential{
		nn.NewConv2d(in, in/4, 3, nn.Conv2dOptions{Padding: 1, NoBias: true}),
		nn.NewBatchNorm2d(in / 4), &nn.ReLU{InPlace: true}, nn.NewDropout(0.1),
		nn.NewConv2d(in/4, classes, 1),
	}
}
