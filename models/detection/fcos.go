package detection

import (
	"math"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// FCOSConfig has the arguments of torchvision.models.detection.fcos_resnet50_fpn.
type FCOSConfig struct {
	Pretrained      bool     // for trained weights: batch normalization is frozen, and some layers are
	TrainableLayers *int     `json:"trainable_backbone_layers" limits:"0,5"` // of the backbone, if it is Pretrained; default 3
	NumClasses      int      `json:"num_classes"`                            // with the background; 0 means 91
	MinSize         MinSizes `json:"min_size"`                               // nil means 800
	MaxSize         int      `json:"max_size"`                               // of the longer side; 0 means 1333
	CenterRadius    *float64 `json:"center_sampling_radius" limits:"0,1000"` // objects are learned within so many strides of their centers; default 1.5
	ScoreThresh     *float64 `json:"score_thresh"`                           // default 0.2
	NMSThresh       *float64 `json:"nms_thresh"`                             // default 0.6
	Detections      int      `json:"detections_per_img"`                     // 0 means 100
	TopKCandidates  int      `json:"topk_candidates"`                        // of each map; 0 means 1000

	WeightsBackbone torch.StateDict // of the ResNet-50, in which the backbone starts, as if it were Pretrained: weights_backbone; nil means at random
}

// FCOS is torchvision.models.detection.FCOS. It is a [models.Detector].
//
// https://docs.pytorch.org/vision/stable/models/fcos.html
type FCOS struct {
	Backbone *Backbone
	Head     *DenseHeads

	anchors   anchors // the pixels, with their strides as sizes
	radius    float64
	selection selection
	transform *transform
}

// NewFCOS builds an FCOS: torchvision.models.detection.fcos_resnet50_fpn(weights_backbone=None).
func NewFCOS(c FCOSConfig) *FCOS {
	p := newPretrained(c.Pretrained, c.TrainableLayers, 1e-5, c.WeightsBackbone)
	m := &FCOS{
		Backbone:  newResNet50(p, p.norm(), 2, func() ops.ExtraFPNBlock { return ops.NewLastLevelP6P7(features, features) }, nil),
		anchors:   anchors{[][]float32{{8}, {16}, {32}, {64}, {128}}, []float32{1}},
		radius:    or(c.CenterRadius, 1.5),
		selection: selection{or(c.ScoreThresh, 0.2), or(c.NMSThresh, 0.6), orInt(c.Detections, 100), orInt(c.TopKCandidates, 1000)},
		transform: newTransform(c.MinSize, c.MaxSize),
	}
	m.Head = newDenseHeads(1, orInt(c.NumClasses, 91), false, func() (nn.Sequential, *nn.Conv2d) {
		conv := nn.NewConv2d(features, features, 3, nn.Conv2dOptions{Padding: 1})
		return nn.Sequential{conv, groupNorm(features), &nn.ReLU{}}, conv
	})
	return m
}

// Detect returns what the model finds in each picture [3, H, W].
func (m *FCOS) Detect(images []*torch.Tensor) []models.DetectionOutput {
	return detect(m, m.transform, images)
}

// Losses returns classification, bbox_regression and bbox_ctrness.
func (m *FCOS) Losses(images []*torch.Tensor, targets []models.DetectionTarget) []models.Loss {
	return losses(m, m.transform, images, targets)
}

// distances returns the distances l, t, r, b from the centers of anchors [N, 4] to the sides of boxes, by the anchors'
// sizes: BoxLinearCoder.
func distances(anchors, boxes *torch.Tensor) []*torch.Tensor {
	w, h, x, y := centered(anchors)
	c := boxes.Unbind(1)
	return []*torch.Tensor{x.Sub(c[0]).Div(w), y.Sub(c[1]).Div(h), c[2].Sub(x).Div(w), c[3].Sub(y).Div(h)}
}

// within returns the boxes at distances [N, 4] from the centers of anchors.
func within(d, anchors *torch.Tensor) *torch.Tensor {
	w, h, x, y := centered(anchors.ToDType(d.DType()))
	c := d.Unbind(1)
	return torch.Stack([]*torch.Tensor{x.Sub(c[0].Mul(w)), y.Sub(c[1].Mul(h)), x.Add(c[2].Mul(w)), y.Add(c[3].Mul(h))}, 1)
}

func centered(boxes *torch.Tensor) (w, h, x, y *torch.Tensor) {
	c := boxes.Unbind(1)
	return c[2].Sub(c[0]), c[3].Sub(c[1]), c[0].Add(c[2]).MulScalar(0.5), c[1].Add(c[3]).MulScalar(0.5)
}

func (m *FCOS) detect(b batch) []models.DetectionOutput {
	f := maps(m.Backbone.Forward(b.x))
	logits, d, center := m.Head.Forward(f)
	all := m.anchors.forward(b, f)
	joined := torch.Cat(all, 0)
	scores := logits.Sigmoid().Mul(center.Sigmoid()).Sqrt()
	return m.selection.pictures(scores, counts(all), b.sizes, func(i, first, n int, index *torch.Tensor) *torch.Tensor {
		return within(d.Select(0, i).Narrow(0, first, n).Index(index), joined.Narrow(0, first, n).Index(index))
	})
}

func (m *FCOS) losses(b batch, targets []models.DetectionTarget) []models.Loss {
	f := maps(m.Backbone.Forward(b.x))
	logits, d, center := m.Head.Forward(f)
	levels := m.anchors.forward(b, f)
	all := torch.Cat(levels, 0)
	var objects, labels, boxes, near []*torch.Tensor
	for i, t := range targets {
		matches := m.match(t, all, levels)
		in := where(matches.GeScalar(0))
		index := matches.Index(in)
		objects, near = append(objects, in.AddScalar(i*all.Size(0))), append(near, all.Index(in))
		labels, boxes = append(labels, t.Labels.Index(index)), append(boxes, t.Boxes.Index(index))
	}
	object, box, anchor := torch.Cat(objects, 0), torch.Cat(boxes, 0), torch.Cat(near, 0)
	flat := logits.Flatten(0, torch.FlattenOptions{EndDim: new(1)})
	target := torch.ZerosLike(flat)
	target.SetIndex(1., object, torch.Cat(labels, 0))
	sides := distances(anchor, box)
	share := func(a, b *torch.Tensor) *torch.Tensor { return a.Minimum(b).Div(a.Maximum(b)) }
	central := share(sides[0], sides[2]).Mul(share(sides[1], sides[3])).Sqrt()
	n := max(1, object.Numel())
	predicted := within(d.Reshape(-1, 4).Index(object), anchor)
	return []models.Loss{
		{Name: "classification", Value: ops.SigmoidFocalLoss(flat, target, ops.SigmoidFocalLossOptions{Reduction: "sum"}).DivScalar(n)},
		{Name: "bbox_regression", Value: ops.GeneralizedBoxIoULoss(predicted, box, ops.BoxLossOptions{Reduction: "sum"}).DivScalar(n)},
		{Name: "bbox_ctrness", Value: F.BinaryCrossEntropyWithLogits(center.Reshape(-1).Index(object), central, F.BinaryCrossEntropyWithLogitsOptions{Reduction: "sum"}).DivScalar(n)},
	}
}

// match returns the index of the smallest box that each pixel [R, 4] is to find, or background: one that it is near the
// center of, and that fits the size of its map.
func (m *FCOS) match(t models.DetectionTarget, all *torch.Tensor, levels []*torch.Tensor) *torch.Tensor {
	if t.Boxes.Numel() == 0 {
		return torch.Options{DType: torch.Int64, Device: all.Device()}.Full(background, all.Size(0))
	}
	center := func(x *torch.Tensor) *torch.Tensor { return x.Narrow(1, 0, 2).Add(x.Narrow(1, 2, 2)).DivScalar(2) }
	centers := center(all)
	sizes := all.Select(1, 2).Sub(all.Select(1, 0))
	far, _ := centers.Unsqueeze(1).Sub(center(t.Boxes).Unsqueeze(0)).Abs().MaxDim(2) // [R, M]
	good := far.Lt(sizes.MulScalar(m.radius).Unsqueeze(1))
	x, y, c := centers.Narrow(1, 0, 1), centers.Narrow(1, 1, 1), t.Boxes.Unsqueeze(0).Unbind(2)
	d := torch.Stack([]*torch.Tensor{x.Sub(c[0]), y.Sub(c[1]), c[2].Sub(x), c[3].Sub(y)}, 2) // [R, M, 4]
	nearest, _ := d.MinDim(2)
	farthest, _ := d.MaxDim(2)
	lower, upper := sizes.MulScalar(4), sizes.MulScalar(8)
	lower.Narrow(0, 0, levels[0].Size(0)).ZeroInPlace()
	last := levels[len(levels)-1].Size(0)
	upper.Narrow(0, all.Size(0)-last, last).FillInPlace(math.Inf(1))
	good = good.LogicalAnd(nearest.GtScalar(0)).LogicalAnd(farthest.Gt(lower.Unsqueeze(1))).LogicalAnd(farthest.Lt(upper.Unsqueeze(1)))
	areas := ops.BoxArea(t.Boxes).RSubScalar(1e8).Unsqueeze(0)
	best, index := good.ToDType(torch.Float32).Mul(areas).MaxDim(1)
	return index.MaskedFill(best.LtScalar(1e-5), background)
}

func init() {
	models.Register(models.Entry{
		Name: "fcos_resnet50_fpn", Repo: models.Vision, Title: "FCOS: Fully Convolutional One-Stage Object Detection", Paper: "https://arxiv.org/abs/1904.01355",
		Build:     func() any { return NewFCOS(FCOSConfig{}) },
		Configure: models.Configurer(FCOSConfig{}, NewFCOS),
		BuildFor:  func(*models.Weights) any { return NewFCOS(FCOSConfig{Pretrained: true}) },
		ConfigureFor: func(_ *models.Weights, arguments []byte) (func() any, error) {
			return models.Configurer(FCOSConfig{Pretrained: true}, NewFCOS)(arguments)
		},
		Backbone: models.NewBackbone("resnet50", "IMAGENET1K_V1", func(s torch.StateDict) func([]byte) (func() any, error) {
			return models.Configurer(FCOSConfig{WeightsBackbone: s}, NewFCOS)
		}),
	})
}
