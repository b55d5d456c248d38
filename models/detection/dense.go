package detection

import (
	"math"
	"strconv"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// A DenseHead predicts classes, or boxes and perhaps how central each pixel is in its object, by convolutions that all
// maps share.
type DenseHead struct {
	Conv        nn.Sequential
	ClsLogits   *nn.Conv2d // nil in the head for boxes
	BBoxReg     *nn.Conv2d `nn:"bbox_reg"` // nil in the head for classes
	BBoxCtrness *nn.Conv2d `nn:"bbox_ctrness"`
	classes     int
	retina      bool
}

// DenseHeads are the heads for classes and for boxes: RetinaNetHead and FCOSHead.
type DenseHeads struct {
	ClassificationHead, RegressionHead *DenseHead
}

// Forward returns logits [N, R, classes], boxes [N, R, 4], and centerness [N, R, 1] or nil, of R anchors.
func (m *DenseHeads) Forward(maps []*torch.Tensor) (logits, boxes, center *torch.Tensor) {
	var l, b, c []*torch.Tensor
	for _, x := range maps {
		l = append(l, rows(m.ClassificationHead.Conv.Forward(x).Then(m.ClassificationHead.ClsLogits.Forward), m.ClassificationHead.classes))
		h := m.RegressionHead
		x = h.Conv.Forward(x)
		box := h.BBoxReg.Forward(x)
		if h.BBoxCtrness != nil {
			c = append(c, rows(h.BBoxCtrness.Forward(x), 1))
			box = box.ReLU()
		}
		b = append(b, rows(box, 4))
	}
	if c != nil {
		center = torch.Cat(c, 1)
	}
	return torch.Cat(l, 1), torch.Cat(b, 1), center
}

// newDenseHeads draws in torchvision's order. The function block makes one of four convolutions with what follows.
func newDenseHeads(anchors, classes int, retina bool, block func() (nn.Sequential, *nn.Conv2d)) *DenseHeads {
	conv := func(out int) *nn.Conv2d { return nn.NewConv2d(features, out, 3, nn.Conv2dOptions{Padding: 1}) }
	tower := func() (s nn.Sequential, convs []*nn.Conv2d) {
		for range 4 {
			b, c := block()
			if retina {
				s = append(s, b)
			} else {
				s = append(s, b...)
			}
			convs = append(convs, c)
		}
		return s, convs
	}
	cls, reg := &DenseHead{classes: classes, retina: retina}, &DenseHead{retina: retina}
	var convs []*nn.Conv2d
	cls.Conv, convs = tower()
	normalInit(0.01, convs...)
	cls.ClsLogits = conv(anchors * classes)
	normalInit(0.01, cls.ClsLogits)
	const prior = 0.01 // of an object
	nn.InitConstant(cls.ClsLogits.Bias, -math.Log((1-prior)/prior))
	reg.Conv, convs = tower()
	reg.BBoxReg = conv(4 * anchors)
	last := []*nn.Conv2d{reg.BBoxReg}
	if !retina {
		reg.BBoxCtrness = conv(anchors)
		last = append(last, reg.BBoxCtrness)
	}
	normalInit(0.01, append(last, convs...)...)
	return &DenseHeads{cls, reg}
}

// Forward is here for the walk of modules; heads are called by [DenseHeads].
func (m *DenseHead) Forward(x *torch.Tensor) *torch.Tensor { return m.Conv.Forward(x) }

// StateVersion is the version of the module's part of a state dict.
func (m *DenseHead) StateVersion() int {
	if m.retina {
		return 2
	}
	return 1
}

// UpgradeState renames the weights of older versions of RetinaNet, whose blocks were convolutions.
func (m *DenseHead) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	for i := range m.Conv {
		if m.retina {
			rename(s, prefix+"conv."+strconv.Itoa(2*i)+".", prefix+"conv."+strconv.Itoa(i)+".0.")
		}
	}
}

// join returns the detections of several levels or classes.
func join(all []found) found {
	var b, s, l []*torch.Tensor
	for _, f := range all {
		b, s, l = append(b, f.boxes), append(s, f.scores), append(l, f.labels)
	}
	return found{torch.Cat(b, 0), torch.Cat(s, 0), torch.Cat(l, 0)}
}

// A selection says which detections of a dense model are kept.
type selection struct {
	minScore, overlap float64
	perPicture, top   int // top is of each map
}

// pictures returns the detections of each picture, of scores [N, R, classes], and of boxes for a picture, by the indices of
// their anchors within a map from first on.
func (s selection) pictures(scores *torch.Tensor, perLevel []int, sizes []ops.Size, boxes func(picture, first, n int, index *torch.Tensor) *torch.Tensor) []models.DetectionOutput {
	out := make([]models.DetectionOutput, len(sizes))
	classes := scores.Size(2)
	for i, size := range sizes {
		var all []found
		start := 0
		for _, n := range perLevel {
			flat := scores.Select(0, i).Narrow(0, start, n).Flatten(0)
			kept := where(flat.GtScalar(s.minScore))
			best, order := flat.Index(kept).TopK(min(s.top, kept.Numel()), 0)
			kept = kept.Index(order)
			box := boxes(i, start, n, kept.DivModeScalar(classes, "floor"))
			all = append(all, found{ops.ClipBoxesToImage(box, size.Height, size.Width), best, kept.RemainderScalar(classes)})
			start += n
		}
		out[i] = join(all).suppress(s.overlap, s.perPicture).output()
	}
	return out
}

// counts returns the number of anchors of each map.
func counts(all []*torch.Tensor) (n []int) {
	for _, a := range all {
		n = append(n, a.Size(0))
	}
	return n
}

// RetinaNetConfig has the arguments of torchvision's functions for RetinaNet.
type RetinaNetConfig struct {
	V2              bool     // the second version, with group normalization in the heads and another loss
	Pretrained      bool     // for trained weights: batch normalization is frozen in the first version, and some layers are
	TrainableLayers *int     `json:"trainable_backbone_layers" limits:"0,5"` // of the backbone, if it is Pretrained; default 3
	NumClasses      int      `json:"num_classes"`                            // with the background; 0 means 91
	MinSize         MinSizes `json:"min_size"`                               // nil means 800
	MaxSize         int      `json:"max_size"`                               // of the longer side; 0 means 1333
	ScoreThresh     *float64 `json:"score_thresh"`                           // default 0.05
	NMSThresh       *float64 `json:"nms_thresh"`                             // default 0.5
	Detections      int      `json:"detections_per_img"`                     // 0 means 300
	FGIoUThresh     *float64 `json:"fg_iou_thresh"`                          // default 0.5
	BGIoUThresh     *float64 `json:"bg_iou_thresh"`                          // default 0.4
	TopKCandidates  int      `json:"topk_candidates"`                        // of each map; 0 means 1000

	WeightsBackbone torch.StateDict // of the ResNet-50, in which the backbone starts, as if it were Pretrained: weights_backbone; nil means at random

	frozenEps float64
}

// RetinaNet is torchvision.models.detection.RetinaNet. It is a [models.Detector].
//
// https://docs.pytorch.org/vision/stable/models/retinanet.html
type RetinaNet struct {
	Backbone *Backbone
	Head     *DenseHeads

	v2        bool
	anchors   anchors
	matcher   matcher
	coder     coder
	selection selection
	transform *transform
}

// NewRetinaNet builds a RetinaNet: torchvision.models.detection.retinanet_resnet50_fpn(weights_backbone=None), and its
// second version.
func NewRetinaNet(c RetinaNetConfig) *RetinaNet {
	p := newPretrained(c.Pretrained, c.TrainableLayers, c.frozenEps, c.WeightsBackbone)
	norm, in, group := p.norm(), features, (func(int) nn.Module)(nil)
	if c.V2 {
		norm, in, group = nil, 2048, groupNorm
	}
	m := &RetinaNet{Backbone: newResNet50(p, norm, 2, func() ops.ExtraFPNBlock { return ops.NewLastLevelP6P7(in, features) }, nil), v2: c.V2}
	m.anchors.ratios = []float32{0.5, 1, 2}
	for size := 32.; size <= 512; size *= 2 {
		m.anchors.sizes = append(m.anchors.sizes, []float32{float32(size), float32(int(size * math.Pow(2, 1./3))), float32(int(size * math.Pow(2, 2./3)))})
	}
	m.Head = newDenseHeads(m.anchors.perPixel(), orInt(c.NumClasses, 91), true, func() (nn.Sequential, *nn.Conv2d) {
		s := ops.NewConv2dNormActivation(features, features, ops.ConvNormActivationOptions{Norm: group, NoNorm: group == nil})
		return s, s[0].(*nn.Conv2d)
	})
	m.matcher, m.coder = newMatcher(or(c.FGIoUThresh, 0.5), or(c.BGIoUThresh, 0.4), true), coder{1, 1, 1, 1}
	m.selection = selection{or(c.ScoreThresh, 0.05), or(c.NMSThresh, 0.5), orInt(c.Detections, 300), orInt(c.TopKCandidates, 1000)}
	m.transform = newTransform(c.MinSize, c.MaxSize)
	return m
}

func groupNorm(channels int) nn.Module { return nn.NewGroupNorm(32, channels) }

// Detect returns what the model finds in each picture [3, H, W].
func (m *RetinaNet) Detect(images []*torch.Tensor) []models.DetectionOutput {
	return detect(m, m.transform, images)
}

// Losses returns classification and bbox_regression.
func (m *RetinaNet) Losses(images []*torch.Tensor, targets []models.DetectionTarget) []models.Loss {
	return losses(m, m.transform, images, targets)
}

func (m *RetinaNet) detect(b batch) []models.DetectionOutput {
	f := maps(m.Backbone.Forward(b.x))
	logits, deltas, _ := m.Head.Forward(f)
	all := m.anchors.forward(b, f)
	joined := torch.Cat(all, 0)
	return m.selection.pictures(logits.Sigmoid(), counts(all), b.sizes, func(i, first, n int, index *torch.Tensor) *torch.Tensor {
		return m.coder.decode(deltas.Select(0, i).Narrow(0, first, n).Index(index), joined.Narrow(0, first, n).Index(index))
	})
}

func (m *RetinaNet) losses(b batch, targets []models.DetectionTarget) []models.Loss {
	f := maps(m.Backbone.Forward(b.x))
	logits, deltas, _ := m.Head.Forward(f)
	all := torch.Cat(m.anchors.forward(b, f), 0)
	var classification, regression *torch.Tensor
	for i, t := range targets {
		matches := matchAll(m.matcher.match, t, all)
		objects := where(matches.GeScalar(0))
		index, n := matches.Index(objects), float64(max(1, objects.Numel()))
		logit, delta, box := logits.Select(0, i), deltas.Select(0, i).Index(objects), t.Boxes.Index(index)
		target := torch.ZerosLike(logit)
		target.SetIndex(1., objects, t.Labels.Index(index))
		valid := where(matches.NeScalar(between))
		cls := ops.SigmoidFocalLoss(logit.Index(valid), target.Index(valid), ops.SigmoidFocalLossOptions{Reduction: "sum"})
		var reg *torch.Tensor
		if near := all.Index(objects); m.v2 {
			reg = ops.GeneralizedBoxIoULoss(m.coder.decode(delta, near), box, ops.BoxLossOptions{Reduction: "sum"})
		} else {
			reg = F.L1Loss(delta, m.coder.encode(box, near), F.L1LossOptions{Reduction: "sum"})
		}
		classification, regression = plus(classification, cls.DivScalar(n)), plus(regression, reg.DivScalar(n))
	}
	n := len(targets)
	return []models.Loss{{Name: "classification", Value: classification.DivScalar(n)}, {Name: "bbox_regression", Value: regression.DivScalar(n)}}
}

func plus(sum, x *torch.Tensor) *torch.Tensor {
	if sum == nil {
		return x
	}
	return sum.Add(x)
}

// matchAll matches anchors [R, 4] with a target; none if it is empty.
func matchAll(match func(iou *torch.Tensor) *torch.Tensor, t models.DetectionTarget, all *torch.Tensor) *torch.Tensor {
	if t.Boxes.Numel() == 0 {
		return torch.Options{DType: torch.Int64, Device: all.Device()}.Full(background, all.Size(0))
	}
	return match(ops.BoxIoU(t.Boxes, all))
}

func init() {
	const title, v2 = "Focal Loss for Dense Object Detection", "Bridging the Gap Between Anchor-based and Anchor-free Detection via Adaptive Training Sample Selection"
	for name, e := range map[string]struct {
		title, paper string
		c            RetinaNetConfig
	}{
		"retinanet_resnet50_fpn":    {title, "https://arxiv.org/abs/1708.02002", RetinaNetConfig{}},
		"retinanet_resnet50_fpn_v2": {v2, "https://arxiv.org/abs/1912.02424", RetinaNetConfig{V2: true}},
	} {
		trained := func(w *models.Weights) RetinaNetConfig {
			c := e.c
			c.Pretrained, c.frozenEps = true, frozenEps(w)
			return c
		}
		models.Register(models.Entry{
			Name: name, Repo: models.Vision, Title: e.title, Paper: e.paper,
			Build: func() any { return NewRetinaNet(e.c) }, Configure: models.Configurer(e.c, NewRetinaNet),
			BuildFor: func(w *models.Weights) any { return NewRetinaNet(trained(w)) },
			ConfigureFor: func(w *models.Weights, arguments []byte) (func() any, error) {
				return models.Configurer(trained(w), NewRetinaNet)(arguments)
			},
			Backbone: models.NewBackbone("resnet50", "IMAGENET1K_V1", func(s torch.StateDict) func([]byte) (func() any, error) {
				c := e.c
				c.WeightsBackbone = s
				return models.Configurer(c, NewRetinaNet)
			}),
		})
	}
}
