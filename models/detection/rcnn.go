package detection

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// MinSizes are the lengths to which the shorter side of a picture is resized: one of them, drawn, while training, and
// otherwise the last. In JSON, one may be without brackets.
type MinSizes []int

// UnmarshalJSON reads a number or a list of numbers.
func (m *MinSizes) UnmarshalJSON(b []byte) error {
	var one int
	if json.Unmarshal(b, &one) == nil {
		*m = MinSizes{one}
		return nil
	}
	var all []int
	if err := json.Unmarshal(b, &all); err != nil || len(all) == 0 {
		return fmt.Errorf("no number and no list of numbers")
	}
	*m = all
	return nil
}

// RCNNConfig has the arguments of torchvision's functions for Faster, Mask and Keypoint R-CNN.
type RCNNConfig struct {
	MobileNet           bool     // a MobileNet V3 as the backbone, in place of a ResNet-50
	V2                  bool     // the second version, with batch normalization in all parts
	Pretrained          bool     // for trained weights: batch normalization is frozen in the first version, and some layers are
	TrainableLayers     *int     `json:"trainable_backbone_layers" limits:"0,6"` // of the backbone, which has 5, or 6 with MobileNet, if it is Pretrained; default 3
	NumClasses          int      `json:"num_classes"`                            // with the background; 0 means 91, and 2 for Keypoint R-CNN
	NumKeypoints        int      // of Keypoint R-CNN: num_keypoints; 0 means 17
	MinSize             MinSizes `json:"min_size"`                 // nil means 800, and 640 to 800 for Keypoint R-CNN
	MaxSize             int      `json:"max_size"`                 // of the longer side; 0 means 1333
	RPNPreNMSTopNTrain  int      `json:"rpn_pre_nms_top_n_train"`  // 0 means 2000
	RPNPreNMSTopNTest   int      `json:"rpn_pre_nms_top_n_test"`   // 0 means 1000
	RPNPostNMSTopNTrain int      `json:"rpn_post_nms_top_n_train"` // 0 means 2000
	RPNPostNMSTopNTest  int      `json:"rpn_post_nms_top_n_test"`  // 0 means 1000
	RPNNMSThresh        *float64 `json:"rpn_nms_thresh"`           // default 0.7
	RPNFGIoUThresh      *float64 `json:"rpn_fg_iou_thresh"`        // default 0.7
	RPNBGIoUThresh      *float64 `json:"rpn_bg_iou_thresh"`        // default 0.3
	RPNBatchSize        int      `json:"rpn_batch_size_per_image"` // 0 means 256
	RPNPositive         *float64 `json:"rpn_positive_fraction"`    // default 0.5
	RPNScoreThresh      *float64 `json:"rpn_score_thresh"`         // default 0
	BoxScoreThresh      *float64 `json:"box_score_thresh"`         // default 0.05
	BoxNMSThresh        *float64 `json:"box_nms_thresh"`           // default 0.5
	BoxDetections       int      `json:"box_detections_per_img"`   // 0 means 100
	BoxFGIoUThresh      *float64 `json:"box_fg_iou_thresh"`        // default 0.5
	BoxBGIoUThresh      *float64 `json:"box_bg_iou_thresh"`        // default 0.5
	BoxBatchSize        int      `json:"box_batch_size_per_image"` // 0 means 512
	BoxPositive         *float64 `json:"box_positive_fraction"`    // default 0.25

	WeightsBackbone torch.StateDict // of the ResNet-50 or MobileNet V3, in which the backbone starts, as if it were Pretrained: weights_backbone; nil means at random

	frozenEps float64 // of frozen batch normalization
}

// RCNN is torchvision.models.detection.FasterRCNN, MaskRCNN or KeypointRCNN. It is a [models.Detector].
//
// https://docs.pytorch.org/vision/stable/models/faster_rcnn.html
type RCNN struct {
	Backbone *Backbone
	RPN      *RPN      `nn:"rpn"`
	RoIHeads *RoIHeads `nn:"roi_heads"`

	transform *transform
}

// NewFasterRCNN builds a Faster R-CNN: torchvision.models.detection.fasterrcnn_resnet50_fpn(weights_backbone=None), and
// its second version.
func NewFasterRCNN(c RCNNConfig) *RCNN { return c.build(91, func(*RoIHeads, int) {}) }

// NewMaskRCNN builds a Mask R-CNN: torchvision.models.detection.maskrcnn_resnet50_fpn(weights_backbone=None), and its
// second version.
func NewMaskRCNN(c RCNNConfig) *RCNN {
	return c.build(91, func(h *RoIHeads, classes int) {
		h.MaskHead, h.otherPool = &maskHead{newConvHead(c.headNorm(), 0)}, newPool(14)
		h.MaskPredictor = newMaskPredictor(classes)
	})
}

// NewKeypointRCNN builds a Keypoint R-CNN: torchvision.models.detection.keypointrcnn_resnet50_fpn(weights_backbone=None).
func NewKeypointRCNN(c RCNNConfig) *RCNN {
	if c.MinSize == nil {
		c.MinSize = MinSizes{640, 672, 704, 736, 768, 800}
	}
	return c.build(2, func(h *RoIHeads, _ int) {
		h.KeypointHead, h.otherPool = newKeypointHead(), newPool(14)
		h.KeypointPredictor = newKeypointPredictor(orInt(c.NumKeypoints, 17))
	})
}

func orInt(v, standard int) int {
	if v == 0 {
		return standard
	}
	return v
}

func batchNorm(channels int) nn.Module { return nn.NewBatchNorm2d(channels) }

// headNorm is the normalization in the heads and the pyramid.
func (c RCNNConfig) headNorm() func(int) nn.Module {
	if c.V2 {
		return batchNorm
	}
	return nil
}

// build makes the parts in torchvision's order, so that the random numbers are the same; others adds heads.
func (c RCNNConfig) build(classes int, others func(h *RoIHeads, classes int)) *RCNN {
	classes = orInt(c.NumClasses, classes)
	p := newPretrained(c.Pretrained, c.TrainableLayers, c.frozenEps, c.WeightsBackbone)
	norm := p.norm()
	if c.V2 {
		norm = nil
	}
	m := &RCNN{RoIHeads: &RoIHeads{}}
	a := anchors{[][]float32{{32}, {64}, {128}, {256}, {512}}, []float32{0.5, 1, 2}}
	if c.MobileNet {
		m.Backbone = newMobileNet(p, norm)
		each := []float32{32, 64, 128, 256, 512}
		a.sizes = [][]float32{each, each, each}
	} else {
		m.Backbone = newResNet50(p, norm, 1, maxPool, c.headNorm())
	}
	if c.V2 {
		m.RPN = c.rpn(a, 2)
		m.RoIHeads.BoxHead = newConvHead(batchNorm, 7)
		others(m.RoIHeads, classes)
	} else {
		others(m.RoIHeads, classes)
		m.RPN = c.rpn(a, 1)
		m.RoIHeads.BoxHead = newTwoMLPHead()
	}
	h := m.RoIHeads
	h.BoxPredictor = &BoxPredictor{nn.NewLinear(1024, classes), nn.NewLinear(1024, 4*classes)}
	h.boxPool, h.coder = newPool(7), coder{10, 10, 5, 5}
	h.matcher = newMatcher(or(c.BoxFGIoUThresh, 0.5), or(c.BoxBGIoUThresh, 0.5), false)
	h.sampler = sampler{orInt(c.BoxBatchSize, 512), or(c.BoxPositive, 0.25)}
	h.minScore, h.overlap, h.perPicture = or(c.BoxScoreThresh, 0.05), or(c.BoxNMSThresh, 0.5), orInt(c.BoxDetections, 100)
	m.transform = newTransform(c.MinSize, c.MaxSize)
	return m
}

func newMatcher(high, low float64, all bool) matcher {
	if low > high {
		fail("the threshold of background, %v, is above that of objects, %v", low, high)
	}
	return matcher{high, low, all}
}

func newTransform(minSize MinSizes, maxSize int) *transform {
	if minSize == nil {
		minSize = MinSizes{800}
	}
	return &transform{minSize: minSize, maxSize: orInt(maxSize, 1333), divisor: 32, mean: []float64{0.485, 0.456, 0.406}, std: []float64{0.229, 0.224, 0.225}}
}

func (c RCNNConfig) rpn(a anchors, depth int) *RPN {
	return &RPN{
		Head: newRPNHead(a.perPixel(), depth), anchors: a, coder: coder{1, 1, 1, 1},
		matcher: newMatcher(or(c.RPNFGIoUThresh, 0.7), or(c.RPNBGIoUThresh, 0.3), true),
		sampler: sampler{orInt(c.RPNBatchSize, 256), or(c.RPNPositive, 0.5)},
		pre:     [2]int{orInt(c.RPNPreNMSTopNTest, 1000), orInt(c.RPNPreNMSTopNTrain, 2000)},
		post:    [2]int{orInt(c.RPNPostNMSTopNTest, 1000), orInt(c.RPNPostNMSTopNTrain, 2000)},
		overlap: or(c.RPNNMSThresh, 0.7), minScore: or(c.RPNScoreThresh, 0),
	}
}

// Detect returns what the model finds in each picture [3, H, W].
func (m *RCNN) Detect(images []*torch.Tensor) []models.DetectionOutput {
	return detect(m, m.transform, images)
}

// Losses returns loss_classifier, loss_box_reg, loss_mask or loss_keypoint, loss_objectness and loss_rpn_box_reg.
func (m *RCNN) Losses(images []*torch.Tensor, targets []models.DetectionTarget) []models.Loss {
	for i, t := range targets {
		switch {
		case m.RoIHeads.MaskHead != nil && t.Masks == nil:
			fail("target %d lacks masks", i)
		case m.RoIHeads.KeypointHead != nil && (t.Keypoints == nil || t.Keypoints.DType() != torch.Float32):
			fail("target %d lacks float32 keypoints", i)
		}
	}
	return losses(m, m.transform, images, targets)
}

func (m *RCNN) detect(b batch) []models.DetectionOutput {
	f := m.Backbone.Forward(b.x)
	proposals, _ := m.RPN.Forward(b, maps(f), nil)
	return m.RoIHeads.Forward(f, proposals, b.sizes)
}

func (m *RCNN) losses(b batch, targets []models.DetectionTarget) []models.Loss {
	f := m.Backbone.Forward(b.x)
	proposals, rpn := m.RPN.Forward(b, maps(f), targets)
	return append(m.RoIHeads.losses(f, proposals, b.sizes, targets), rpn...)
}

// An rcnnEntry is one of torchvision's functions.
type rcnnEntry struct {
	name, title, paper string
	c                  RCNNConfig
	build              func(RCNNConfig) *RCNN
}

// configurer returns what builds c with other arguments; num_keypoints is one of Keypoint R-CNN alone.
func (e rcnnEntry) configurer(c RCNNConfig) func(arguments []byte) (func() any, error) {
	if !strings.HasPrefix(e.name, "keypointrcnn") {
		return models.Configurer(c, e.build)
	}
	type withKeypoints struct {
		RCNNConfig
		Keypoints int `json:"num_keypoints"`
	}
	return models.Configurer(withKeypoints{RCNNConfig: c}, func(c withKeypoints) *RCNN {
		c.NumKeypoints = c.Keypoints
		return e.build(c.RCNNConfig)
	})
}

// backbone returns the name of the model that the backbone is a part of.
func (c RCNNConfig) backbone() string {
	if c.MobileNet {
		return "mobilenet_v3_large"
	}
	return "resnet50"
}

func init() {
	const faster, paper = "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks", "https://arxiv.org/abs/1506.01497"
	const mask, v2 = "https://arxiv.org/abs/1703.06870", "https://arxiv.org/abs/2111.11429"
	for _, e := range []rcnnEntry{
		{"fasterrcnn_resnet50_fpn", faster, paper, RCNNConfig{}, NewFasterRCNN},
		{"fasterrcnn_resnet50_fpn_v2", "Benchmarking Detection Transfer Learning with Vision Transformers", v2, RCNNConfig{V2: true}, NewFasterRCNN},
		{"fasterrcnn_mobilenet_v3_large_fpn", faster, paper, RCNNConfig{MobileNet: true, RPNScoreThresh: new(0.05)}, NewFasterRCNN},
		{"fasterrcnn_mobilenet_v3_large_320_fpn", faster, paper, RCNNConfig{
			MobileNet: true, MinSize: MinSizes{320}, MaxSize: 640, RPNPreNMSTopNTest: 150, RPNPostNMSTopNTest: 150, RPNScoreThresh: new(0.05),
		}, NewFasterRCNN},
		{"maskrcnn_resnet50_fpn", "Mask R-CNN", mask, RCNNConfig{}, NewMaskRCNN},
		{"maskrcnn_resnet50_fpn_v2", "Benchmarking Detection Transfer Learning with Vision Transformers", v2, RCNNConfig{V2: true}, NewMaskRCNN},
		{"keypointrcnn_resnet50_fpn", "Mask R-CNN", mask, RCNNConfig{}, NewKeypointRCNN},
	} {
		trained := func(w *models.Weights) RCNNConfig {
			c := e.c
			c.Pretrained, c.frozenEps = true, frozenEps(w)
			return c
		}
		on := func(s torch.StateDict) RCNNConfig {
			c := e.c
			c.WeightsBackbone = s
			return c
		}
		models.Register(models.Entry{
			Name: e.name, Repo: models.Vision, Title: e.title, Paper: e.paper,
			Build: func() any { return e.build(e.c) }, Configure: e.configurer(e.c),
			BuildFor: func(w *models.Weights) any { return e.build(trained(w)) },
			ConfigureFor: func(w *models.Weights, arguments []byte) (func() any, error) {
				return e.configurer(trained(w))(arguments)
			},
			Backbone: models.NewBackbone(e.c.backbone(), "IMAGENET1K_V1", func(s torch.StateDict) func([]byte) (func() any, error) { return e.configurer(on(s)) }),
		})
	}
}

// frozenEps returns the epsilon of frozen batch normalization, which is 0 in ResNets for the weights COCO_V1.
func frozenEps(w *models.Weights) float64 {
	if w.Name == "COCO_V1" && !strings.Contains(w.Enum, "MobileNet") {
		return 0
	}
	return 1e-5
}
