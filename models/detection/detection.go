// Package detection holds torchvision.models.detection: models that find objects, their boxes and
// classes, and with some their masks or keypoints.
//
//   - Faster R-CNN: "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks", https://arxiv.org/abs/1506.01497
//   - Mask R-CNN and Keypoint R-CNN: "Mask R-CNN", https://arxiv.org/abs/1703.06870
//   - the second versions: "Benchmarking Detection Transfer Learning with Vision Transformers", https://arxiv.org/abs/2111.11429
//   - RetinaNet: "Focal Loss for Dense Object Detection", https://arxiv.org/abs/1708.02002
//   - its second version: "Bridging the Gap Between Anchor-based and Anchor-free Detection via Adaptive Training Sample Selection", https://arxiv.org/abs/1912.02424
//   - SSD: "SSD: Single Shot MultiBox Detector", https://arxiv.org/abs/1512.02325
//   - SSDlite: "Searching for MobileNetV3", https://arxiv.org/abs/1905.02244
//   - FCOS: "FCOS: Fully Convolutional One-Stage Object Detection", https://arxiv.org/abs/1904.01355
package detection

import (
	"fmt"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func fail(format string, args ...any) {
	panic(&torch.Error{Op: "detection", Msg: fmt.Sprintf(format, args...)})
}

// or returns what p points at, or the default.
func or[T any](p *T, standard T) T {
	if p == nil {
		return standard
	}
	return *p
}

// where returns the indices of what is true in x [N].
func where(x *torch.Tensor) *torch.Tensor { return x.Nonzero().Select(1, 0) }

// first returns the first n elements of x, or all.
func first(x *torch.Tensor, n int) *torch.Tensor { return x.Narrow(0, 0, min(n, x.Size(0))) }

// found is one picture's detections before they are selected.
type found struct{ boxes, scores, labels *torch.Tensor }

func (f found) at(i *torch.Tensor) found {
	return found{f.boxes.Index(i), f.scores.Index(i), f.labels.Index(i)}
}

// suppress returns the best n detections, without those that overlap better ones of their class.
func (f found) suppress(threshold float64, n int) found {
	return f.at(first(ops.BatchedNMS(f.boxes, f.scores, f.labels, threshold), n))
}

func (f found) output() models.DetectionOutput {
	return models.DetectionOutput{Boxes: f.boxes, Scores: f.scores, Labels: f.labels}
}

// rows permutes a head's output [N, A·columns, H, W] to [N, H·W·A, columns].
func rows(x *torch.Tensor, columns int) *torch.Tensor {
	n, h, w := x.Size(0), x.Size(2), x.Size(3)
	return x.View(n, -1, columns, h, w).Permute(0, 3, 4, 1, 2).Reshape(n, -1, columns)
}

// check refuses pictures and targets that a model cannot take.
func check(images []*torch.Tensor, targets []models.DetectionTarget, training bool) {
	if len(images) == 0 {
		fail("there are no pictures")
	}
	for i, x := range images {
		if x.Dim() != 3 || x.Size(0) != 3 || x.Numel() == 0 {
			fail("picture %d has the shape %v; give [3, H, W]", i, x.Shape())
		}
		if !x.DType().IsFloatingPoint() {
			fail("picture %d is %v; give floating-point values from 0 to 1", i, x.DType())
		}
	}
	if !training {
		return
	}
	if len(targets) != len(images) {
		fail("there are %d targets for %d pictures; training needs one for each", len(targets), len(images))
	}
	for i, t := range targets {
		switch {
		case t.Boxes == nil || t.Labels == nil:
			fail("target %d lacks boxes or labels", i)
		case t.Boxes.Dim() != 2 || t.Boxes.Size(1) != 4 || !t.Boxes.DType().IsFloatingPoint():
			fail("the boxes of target %d are %v %v; give floating-point numbers [N, 4]", i, t.Boxes.DType(), t.Boxes.Shape())
		case t.Labels.Dim() != 1 || t.Labels.DType() != torch.Int64 || t.Labels.Size(0) != t.Boxes.Size(0):
			fail("the labels of target %d are %v %v; give int64 numbers, one for each of %d boxes", i, t.Labels.DType(), t.Labels.Shape(), t.Boxes.Size(0))
		}
	}
}

// checkBoxes refuses boxes that are empty or not a number, after the pictures were resized.
func checkBoxes(targets []models.DetectionTarget) {
	for i, t := range targets {
		corners := t.Boxes.ToDType(torch.Float64).To(torch.CPU)
		good := corners.Narrow(1, 2, 2).Gt(corners.Narrow(1, 0, 2)).AllDim(1)
		if bad := where(good.LogicalNot()); bad.Numel() > 0 {
			box := torch.Data[float64](corners.Select(0, int(torch.Data[int64](bad.Contiguous())[0])).Contiguous())
			fail("all bounding boxes should have positive height and width; found the invalid box %v for target %d", box, i)
		}
	}
}

// network is a module that finds objects in a batch of resized pictures.
type network interface {
	detect(b batch) []models.DetectionOutput
	losses(b batch, targets []models.DetectionTarget) []models.Loss
}

func detect(m network, t *transform, images []*torch.Tensor) (out []models.DetectionOutput) {
	check(images, nil, false)
	torch.Scope(func() {
		b, _ := t.forward(images, nil, false)
		out = m.detect(b)
		for i := range out {
			t.restore(&out[i], b.sizes[i], ops.Size{Height: images[i].Size(1), Width: images[i].Size(2)})
			for _, x := range []*torch.Tensor{out[i].Boxes, out[i].Labels, out[i].Scores, out[i].Masks, out[i].Keypoints, out[i].KeypointScores} {
				torch.Keep(x)
			}
		}
	})
	return out
}

func losses(m network, t *transform, images []*torch.Tensor, targets []models.DetectionTarget) (out []models.Loss) {
	check(images, targets, true)
	torch.Scope(func() {
		b, targets := t.forward(images, targets, true)
		checkBoxes(targets)
		out = m.losses(b, targets)
		for _, l := range out {
			torch.Keep(l.Value)
		}
	})
	return out
}

// freeze makes the parameters of modules constant.
func freeze(modules ...any) {
	for _, m := range modules {
		for _, p := range nn.Parameters(m) {
			p.RequireGrad(false)
		}
	}
}
