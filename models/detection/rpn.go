package detection

import (
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// An RPNHead predicts for each anchor whether it holds an object, and where.
type RPNHead struct {
	Conv      nn.Sequential
	ClsLogits *nn.Conv2d
	BBoxPred  *nn.Conv2d `nn:"bbox_pred"`
}

func newRPNHead(anchors, depth int) *RPNHead {
	m := &RPNHead{}
	var convs []*nn.Conv2d
	for range depth {
		block := ops.NewConv2dNormActivation(features, features, ops.ConvNormActivationOptions{NoNorm: true})
		m.Conv = append(m.Conv, block)
		convs = append(convs, block[0].(*nn.Conv2d))
	}
	m.ClsLogits, m.BBoxPred = nn.NewConv2d(features, anchors, 1), nn.NewConv2d(features, 4*anchors, 1)
	normalInit(0.01, append(convs, m.ClsLogits, m.BBoxPred)...)
	return m
}

// normalInit draws the weights of convolutions.
func normalInit(std float64, convs ...*nn.Conv2d) {
	for _, c := range convs {
		nn.InitNormal(c.Weight, 0, std)
		if c.Bias != nil {
			nn.InitZeros(c.Bias)
		}
	}
}

// StateVersion is the version of the module's part of a state dict.
func (m *RPNHead) StateVersion() int { return 2 }

// UpgradeState renames the weights of older versions, which had one convolution.
func (m *RPNHead) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	rename(s, prefix+"conv.", prefix+"conv.0.0.")
}

// rename renames the weight and the bias of a convolution.
func rename(s map[string]*torch.Tensor, from, to string) {
	for _, name := range []string{"weight", "bias"} {
		if x, ok := s[from+name]; ok {
			delete(s, from+name)
			s[to+name] = x
		}
	}
}

// Forward maps each map [N, 256, H, W] to logits [N, A, H, W] and boxes [N, 4·A, H, W].
func (m *RPNHead) Forward(x []*torch.Tensor) (logits, boxes []*torch.Tensor) {
	for _, x := range x {
		t := m.Conv.Forward(x)
		logits, boxes = append(logits, m.ClsLogits.Forward(t)), append(boxes, m.BBoxPred.Forward(t))
		t.Free()
	}
	return logits, boxes
}

// An RPN proposes regions that may hold objects: RegionProposalNetwork.
type RPN struct {
	Head     *RPNHead
	anchors  anchors
	matcher  matcher
	sampler  sampler
	coder    coder
	pre      [2]int // proposals of each map before suppression, in evaluation and while training
	post     [2]int // proposals of a picture after it
	overlap  float64
	minScore float64
}

// Forward returns the proposals [K_i, 4] of each picture and, with targets, the losses.
func (m *RPN) Forward(b batch, maps []*torch.Tensor, targets []models.DetectionTarget) (proposals []*torch.Tensor, losses []models.Loss) {
	n := len(b.sizes)
	logits, deltas := m.Head.Forward(maps)
	var perLevel []int
	var levels []*torch.Tensor
	device := maps[0].Device()
	for i := range logits {
		logits[i], deltas[i] = rows(logits[i], 1).Squeeze(2), rows(deltas[i], 4)
		perLevel = append(perLevel, logits[i].Size(1))
		levels = append(levels, torch.Options{DType: torch.Int64, Device: device}.Full(i, perLevel[i]))
	}
	objectness, delta, level := torch.Cat(logits, 1), torch.Cat(deltas, 1), torch.Cat(levels, 0) // [N, R], [N, R, 4], [R]
	all := torch.Cat(m.anchors.forward(b, maps), 0)                                              // [R, 4]
	mode := 0
	if targets != nil {
		mode = 1
	}
	for i := range n {
		boxes := m.coder.decode(delta.Select(0, i).Detach(), all)
		proposals = append(proposals, m.filter(boxes, objectness.Select(0, i).Detach(), level, perLevel, b.sizes[i], mode))
	}
	if targets != nil {
		losses = m.losses(objectness, delta, all, targets)
	}
	return proposals, losses
}

// filter returns the best proposals of a picture.
func (m *RPN) filter(boxes, objectness, level *torch.Tensor, perLevel []int, size ops.Size, mode int) *torch.Tensor {
	var top []*torch.Tensor
	offset := 0
	for _, n := range perLevel {
		_, index := objectness.Narrow(0, offset, n).TopK(min(n, m.pre[mode]), 0)
		top = append(top, index.AddScalar(offset))
		offset += n
	}
	f := found{boxes, objectness, level}.at(torch.Cat(top, 0))
	f.boxes, f.scores = ops.ClipBoxesToImage(f.boxes, size.Height, size.Width), f.scores.Sigmoid()
	f = f.at(ops.RemoveSmallBoxes(f.boxes, 1e-3))
	f = f.at(where(f.scores.GeScalar(m.minScore)))
	return f.suppress(m.overlap, m.post[mode]).boxes
}

func (m *RPN) losses(objectness, delta, all *torch.Tensor, targets []models.DetectionTarget) []models.Loss {
	var positives, sampled, labels, regression []*torch.Tensor
	var negatives []*torch.Tensor
	for i, t := range targets {
		label, boxes := torch.Options{DType: torch.Float32, Device: all.Device()}.Zeros(all.Size(0)), torch.ZerosLike(all)
		if t.Boxes.Numel() > 0 {
			matches := m.matcher.match(ops.BoxIoU(t.Boxes, all))
			boxes = t.Boxes.Index(matches.ClampMin(0))
			label = matches.GeScalar(0).ToDType(torch.Float32).MaskedFill(matches.EqScalar(between), -1)
		}
		labels, regression = append(labels, label), append(regression, m.coder.encode(boxes, all))
		p, n := m.sampler.sample(label)
		positives, negatives = append(positives, p.AddScalar(i*all.Size(0))), append(negatives, n.AddScalar(i*all.Size(0)))
	}
	positive := torch.Cat(positives, 0)
	sampled = append(positives, negatives...)
	index := torch.Cat(sampled, 0)
	box := F.SmoothL1Loss(delta.Reshape(-1, 4).Index(positive), torch.Cat(regression, 0).Index(positive), F.SmoothL1LossOptions{Beta: new(1. / 9), Reduction: "sum"})
	return []models.Loss{
		{Name: "loss_objectness", Value: F.BinaryCrossEntropyWithLogits(objectness.Flatten(0).Index(index), torch.Cat(labels, 0).Index(index))},
		{Name: "loss_rpn_box_reg", Value: box.DivScalar(index.Numel())},
	}
}
