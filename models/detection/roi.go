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

// RoIHeads classify proposals and refine their boxes, and with the other heads find masks or keypoints.
type RoIHeads struct {
	BoxHead           nn.Module // maps [K, 256, 7, 7] to [K, 1024]
	BoxPredictor      *BoxPredictor
	MaskHead          nn.Module // nil without
	MaskPredictor     nn.Module
	KeypointHead      nn.Module // nil without
	KeypointPredictor nn.Module

	boxPool, otherPool *ops.MultiScaleRoIAlign
	matcher            matcher
	sampler            sampler
	coder              coder
	minScore, overlap  float64
	perPicture         int
}

func newPool(size int) *ops.MultiScaleRoIAlign {
	return ops.NewMultiScaleRoIAlign([]string{"0", "1", "2", "3"}, size, 2)
}

// twoMLPHead is two linear layers: TwoMLPHead.
type twoMLPHead struct{ FC6, FC7 *nn.Linear }

func newTwoMLPHead() *twoMLPHead {
	return &twoMLPHead{nn.NewLinear(features*7*7, 1024), nn.NewLinear(1024, 1024)}
}

// Forward maps [K, 256, 7, 7] to [K, 1024].
func (m *twoMLPHead) Forward(x *torch.Tensor) *torch.Tensor {
	relu := func(x *torch.Tensor) *torch.Tensor { return x.ReLU() }
	return x.Flatten(1).Then(m.FC6.Forward).Then(relu).Then(m.FC7.Forward).Then(relu)
}

// newConvHead returns convolutions, and a linear layer if there is a size: FastRCNNConvFCHead.
func newConvHead(norm func(int) nn.Module, size int) nn.Sequential {
	var s nn.Sequential
	var convs []*nn.Conv2d
	for range 4 {
		block := ops.NewConv2dNormActivation(features, features, ops.ConvNormActivationOptions{Norm: norm, NoNorm: norm == nil})
		convs = append(convs, block[0].(*nn.Conv2d))
		s = append(s, block)
	}
	if size > 0 {
		s = append(s, &nn.Flatten{}, nn.NewLinear(features*size*size, 1024), &nn.ReLU{InPlace: true})
	}
	for _, c := range convs {
		heInit(c.Weight, c.Bias)
	}
	return s
}

func heInit(weight, bias *torch.Tensor) {
	nn.InitKaimingNormal(weight, nn.InitKaimingOptions{Mode: "fan_out", Nonlinearity: "relu"})
	if bias != nil {
		nn.InitZeros(bias)
	}
}

// A BoxPredictor maps [K, 1024] to logits [K, classes] and boxes [K, 4·classes]: FastRCNNPredictor.
type BoxPredictor struct {
	ClsScore *nn.Linear
	BBoxPred *nn.Linear `nn:"bbox_pred"`
}

// Forward returns logits and boxes relative to the proposals.
func (m *BoxPredictor) Forward(x *torch.Tensor) (logits, boxes *torch.Tensor) {
	return m.ClsScore.Forward(x), m.BBoxPred.Forward(x)
}

// maskHead is MaskRCNNHeads, whose older versions had other names.
type maskHead struct{ nn.Sequential }

func (m *maskHead) StateVersion() int { return 2 }

// UpgradeState renames the weights of older versions.
func (m *maskHead) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	for i := range m.Sequential {
		rename(s, prefix+"mask_fcn"+strconv.Itoa(i+1)+".", prefix+strconv.Itoa(i)+".0.")
	}
}

func newMaskPredictor(classes int) nn.Module {
	up := nn.NewConvTranspose2d(features, features, 2, nn.ConvTranspose2dOptions{Stride: 2})
	logits := nn.NewConv2d(features, classes, 1)
	heInit(up.Weight, nil)
	heInit(logits.Weight, nil)
	return nn.SequentialDict{{Name: "conv5_mask", Module: up}, {Name: "relu", Module: &nn.ReLU{InPlace: true}}, {Name: "mask_fcn_logits", Module: logits}}
}

func newKeypointHead() nn.Module {
	var s nn.Sequential
	in := features
	for range 8 {
		s = append(s, nn.NewConv2d(in, 512, 3, nn.Conv2dOptions{Padding: 1}), &nn.ReLU{InPlace: true})
		in = 512
	}
	for i := 0; i < len(s); i += 2 {
		c := s[i].(*nn.Conv2d)
		heInit(c.Weight, c.Bias)
	}
	return s
}

// keypointPredictor maps [K, 512, 14, 14] to heat maps [K, points, 56, 56]: KeypointRCNNPredictor.
type keypointPredictor struct {
	KpsScoreLowres *nn.ConvTranspose2d
}

func newKeypointPredictor(points int) *keypointPredictor {
	m := &keypointPredictor{nn.NewConvTranspose2d(512, points, 4, nn.ConvTranspose2dOptions{Stride: 2, Padding: 1})}
	heInit(m.KpsScoreLowres.Weight, m.KpsScoreLowres.Bias)
	return m
}

func (m *keypointPredictor) Forward(x *torch.Tensor) *torch.Tensor {
	return m.KpsScoreLowres.Forward(x).Then(func(x *torch.Tensor) *torch.Tensor {
		return F.Interpolate(x, F.InterpolateOptions{Mode: "bilinear", ScaleFactor: 2.})
	})
}

// Forward is here for the walk of modules; RoIHeads are called by their models.
func (m *RoIHeads) Forward(maps []ops.Feature, proposals []*torch.Tensor, sizes []ops.Size) []models.DetectionOutput {
	logits, boxes := m.classify(maps, proposals, sizes)
	scores, out := logits.Softmax(1), make([]models.DetectionOutput, len(sizes))
	classes, start := logits.Size(1), 0
	for i, p := range proposals {
		n := p.Size(0)
		decoded := m.coder.decode(boxes.Narrow(0, start, n), p).View(n, classes, 4).Narrow(1, 1, classes-1)
		labels := torch.Options{DType: torch.Int64, Device: p.Device()}.ArangeStep(1, classes, 1).View(1, -1).Expand(n, classes-1)
		f := found{ops.ClipBoxesToImage(decoded.Reshape(-1, 4), sizes[i].Height, sizes[i].Width), scores.Narrow(0, start, n).Narrow(1, 1, classes-1).Reshape(-1), labels.Reshape(-1)}
		f = f.at(where(f.scores.GtScalar(m.minScore)))
		f = f.at(ops.RemoveSmallBoxes(f.boxes, 1e-2))
		out[i] = f.suppress(m.overlap, m.perPicture).output()
		start += n
	}
	m.others(maps, sizes, out)
	return out
}

func (m *RoIHeads) classify(maps []ops.Feature, proposals []*torch.Tensor, sizes []ops.Size) (logits, boxes *torch.Tensor) {
	return m.BoxPredictor.Forward(m.boxPool.Forward(maps, proposals, sizes).Then(m.BoxHead.Forward))
}

// others adds masks or keypoints.
func (m *RoIHeads) others(maps []ops.Feature, sizes []ops.Size, out []models.DetectionOutput) {
	var boxes, labels []*torch.Tensor
	for _, o := range out {
		boxes, labels = append(boxes, o.Boxes), append(labels, o.Labels)
	}
	if m.MaskHead != nil {
		x := m.pooled(maps, boxes, sizes, m.MaskHead, m.MaskPredictor).Sigmoid() // [K, classes, 28, 28]
		label := torch.Cat(labels, 0)
		masks := x.Index(torch.Options{DType: torch.Int64, Device: x.Device()}.Arange(label.Size(0)), label).Unsqueeze(1)
		for i, start := 0, 0; i < len(out); i++ {
			out[i].Masks = masks.Narrow(0, start, labels[i].Size(0))
			start += labels[i].Size(0)
		}
	}
	if m.KeypointHead != nil {
		x := m.pooled(maps, boxes, sizes, m.KeypointHead, m.KeypointPredictor) // [K, points, 56, 56]
		for i, start := 0, 0; i < len(out); i++ {
			out[i].Keypoints, out[i].KeypointScores = keypoints(x.Narrow(0, start, boxes[i].Size(0)), boxes[i])
			start += boxes[i].Size(0)
		}
	}
}

func (m *RoIHeads) pooled(maps []ops.Feature, boxes []*torch.Tensor, sizes []ops.Size, head, predictor nn.Module) *torch.Tensor {
	return m.otherPool.Forward(maps, boxes, sizes).Then(head.Forward).Then(predictor.Forward)
}

// keypoints returns the peaks [N, points, 3] of heat maps [N, points, M, M] over boxes [N, 4], and their logits.
func keypoints(maps, boxes *torch.Tensor) (points, scores *torch.Tensor) {
	n, k := maps.Size(0), maps.Size(1)
	o := torch.Options{DType: torch.Float32, Device: maps.Device()}
	points, scores = o.Ones(n, k, 3), o.Zeros(n, k)
	sides := torch.Data[float32](boxes.ToDType(torch.Float32).To(torch.CPU).Contiguous())
	for i := range n {
		torch.Scope(func() {
			b := sides[4*i : 4*i+4]
			w, h := max(b[2]-b[0], 1), max(b[3]-b[1], 1)
			width, height := math.Ceil(float64(w)), math.Ceil(float64(h))
			m := F.Interpolate(maps.Select(0, i).Unsqueeze(1), F.InterpolateOptions{Size: []int{int(height), int(width)}, Mode: "bicubic"}).Reshape(k, -1)
			at := m.ArgMax(1)
			x, y := at.RemainderScalar(int(width)), at.DivModeScalar(int(width), "floor")
			place := func(v *torch.Tensor, correction float32, offset float32) *torch.Tensor {
				return v.ToDType(torch.Float32).AddScalar(0.5).MulScalar(float64(correction)).AddScalar(float64(offset))
			}
			points.Select(0, i).Select(1, 0).CopyInPlace(place(x, w/float32(width), b[0]))
			points.Select(0, i).Select(1, 1).CopyInPlace(place(y, h/float32(height), b[1]))
			scores.Select(0, i).CopyInPlace(m.Gather(1, at.Unsqueeze(1)).Squeeze(1))
		})
	}
	return points, scores
}

// losses returns the losses for proposals, some of which it draws.
func (m *RoIHeads) losses(maps []ops.Feature, proposals []*torch.Tensor, sizes []ops.Size, targets []models.DetectionTarget) []models.Loss {
	var all, matched, labels, regression []*torch.Tensor
	for i, t := range targets {
		p := torch.Cat([]*torch.Tensor{proposals[i], t.Boxes.ToDType(proposals[i].DType())}, 0)
		label := torch.Options{DType: torch.Int64, Device: p.Device()}.Zeros(p.Size(0))
		index := label
		if t.Boxes.Numel() > 0 {
			matches := m.matcher.match(ops.BoxIoU(t.Boxes.ToDType(p.DType()), p))
			index = matches.ClampMin(0)
			label = t.Labels.Index(index).MaskedFill(matches.EqScalar(background), 0).MaskedFill(matches.EqScalar(between), -1)
		}
		positive, negative := m.sampler.sample(label)
		sampled, _ := torch.Cat([]*torch.Tensor{positive, negative}, 0).Sort()
		p, label, index = p.Index(sampled), label.Index(sampled), index.Index(sampled)
		boxes := t.Boxes.ToDType(p.DType())
		if boxes.Numel() == 0 {
			boxes = torch.Options{DType: p.DType(), Device: p.Device()}.Zeros(1, 4)
		}
		all, matched, labels = append(all, p), append(matched, index), append(labels, label)
		regression = append(regression, m.coder.encode(boxes.Index(index), p))
	}
	logits, boxes := m.classify(maps, all, sizes)
	label, target := torch.Cat(labels, 0), torch.Cat(regression, 0)
	positive := where(label.GtScalar(0))
	chosen := boxes.Reshape(label.Size(0), -1, 4).Index(positive, label.Index(positive))
	box := F.SmoothL1Loss(chosen, target.Index(positive), F.SmoothL1LossOptions{Beta: new(1. / 9), Reduction: "sum"})
	out := []models.Loss{{Name: "loss_classifier", Value: F.CrossEntropy(logits, label)}, {Name: "loss_box_reg", Value: box.DivScalar(label.Numel())}}
	if m.MaskHead == nil && m.KeypointHead == nil {
		return out
	}
	for i := range all { // the others learn from objects alone
		positive := where(labels[i].GtScalar(0))
		all[i], matched[i] = all[i].Index(positive), matched[i].Index(positive)
	}
	if m.MaskHead != nil {
		out = append(out, models.Loss{Name: "loss_mask", Value: maskLoss(m.pooled(maps, all, sizes, m.MaskHead, m.MaskPredictor), all, matched, targets)})
	}
	if m.KeypointHead != nil {
		out = append(out, models.Loss{Name: "loss_keypoint", Value: keypointLoss(m.pooled(maps, all, sizes, m.KeypointHead, m.KeypointPredictor), all, matched, targets)})
	}
	return out
}

// maskLoss compares masks [K, classes, M, M] with those of the targets, within the proposals.
func maskLoss(logits *torch.Tensor, proposals, matched []*torch.Tensor, targets []models.DetectionTarget) *torch.Tensor {
	var labels, masks []*torch.Tensor
	for i, t := range targets {
		labels = append(labels, t.Labels.Index(matched[i]))
		p := proposals[i]
		rois := torch.Cat([]*torch.Tensor{matched[i].ToDType(p.DType()).Unsqueeze(1), p}, 1)
		masks = append(masks, ops.RoIAlign(t.Masks.Unsqueeze(1).ToDType(p.DType()), rois, logits.Size(-1)).Select(1, 0))
	}
	label, mask := torch.Cat(labels, 0), torch.Cat(masks, 0)
	if mask.Numel() == 0 {
		return logits.Sum().MulScalar(0)
	}
	all := torch.Options{DType: torch.Int64, Device: label.Device()}.Arange(label.Size(0))
	return F.BinaryCrossEntropyWithLogits(logits.Index(all, label), mask)
}

// keypointLoss compares heat maps [K, points, M, M] with the pixels of the targets' visible points.
func keypointLoss(logits *torch.Tensor, proposals, matched []*torch.Tensor, targets []models.DetectionTarget) *torch.Tensor {
	size := logits.Size(-1)
	var pixels, valid []*torch.Tensor
	for i, t := range targets {
		c, p := t.Keypoints.Index(matched[i]).Unbind(2), proposals[i].Unbind(1)
		seen := c[2].GtScalar(0)
		place := func(j int) *torch.Tensor {
			low, high := p[j].Unsqueeze(1), p[j+2].Unsqueeze(1)
			v := c[j].Sub(low).Mul(high.Sub(low).Reciprocal().MulScalar(size)).Floor().ToDType(torch.Int64)
			v = v.MaskedFill(c[j].Eq(high), size-1)
			seen = seen.LogicalAnd(v.GeScalar(0)).LogicalAnd(v.LtScalar(size))
			return v
		}
		x, y := place(0), place(1)
		pixels, valid = append(pixels, y.MulScalar(size).Add(x).Mul(seen.ToDType(torch.Int64)).Reshape(-1)), append(valid, seen.Reshape(-1))
	}
	index := where(torch.Cat(valid, 0))
	if index.Numel() == 0 {
		return logits.Sum().MulScalar(0)
	}
	return F.CrossEntropy(logits.View(-1, size*size).Index(index), torch.Cat(pixels, 0).Index(index))
}
