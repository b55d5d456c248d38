package detection

import (
	"math"
	"slices"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// A batch is resized pictures, padded to one size.
type batch struct {
	x     *torch.Tensor // [N, 3, H, W]
	sizes []ops.Size    // without padding
}

// transform normalizes and resizes pictures: GeneralizedRCNNTransform.
type transform struct {
	minSize   []int // of the shorter side; drawn from these while training, and otherwise the last
	maxSize   int   // of the longer side
	fixed     int   // both sides, if it is not 0
	divisor   int   // of the batch's sides
	mean, std []float64
}

func (t *transform) forward(images []*torch.Tensor, targets []models.DetectionTarget, training bool) (batch, []models.DetectionTarget) {
	targets = slices.Clone(targets)
	b := batch{}
	resized := make([]*torch.Tensor, len(images))
	side := [3]int{3}
	for i, x := range images {
		y := x.Sub(t.channels(t.mean, x)).Div(t.channels(t.std, x))
		size := t.minSize[len(t.minSize)-1]
		if training {
			size = t.minSize[int(torch.Empty(1).UniformInPlace(0, float64(len(t.minSize))).Item())]
		}
		resize := F.InterpolateOptions{Mode: "bilinear", Size: []int{t.fixed, t.fixed}}
		if t.fixed == 0 {
			h, w := float64(x.Size(1)), float64(x.Size(2))
			scale := min(float64(size)/min(h, w), float64(t.maxSize)/max(h, w))
			if math.Floor(min(h, w)*scale) < 1 {
				fail("picture %d of %d×%d pixels is too narrow to be resized", i, x.Size(1), x.Size(2))
			}
			resize = F.InterpolateOptions{Mode: "bilinear", ScaleFactor: scale, RecomputeScaleFactor: true}
		}
		resized[i] = F.Interpolate(y.Unsqueeze(0), resize).Squeeze(0)
		b.sizes = append(b.sizes, ops.Size{Height: resized[i].Size(1), Width: resized[i].Size(2)})
		side[1], side[2] = max(side[1], resized[i].Size(1)), max(side[2], resized[i].Size(2))
		if targets != nil {
			resizeTarget(&targets[i], resize, ops.Size{Height: x.Size(1), Width: x.Size(2)}, b.sizes[i])
		}
	}
	up := func(n int) int { return (n + t.divisor - 1) / t.divisor * t.divisor }
	b.x = torch.Options{DType: images[0].DType(), Device: images[0].Device()}.Zeros(len(images), 3, up(side[1]), up(side[2]))
	for i, x := range resized {
		b.x.Select(0, i).Narrow(1, 0, x.Size(1)).Narrow(2, 0, x.Size(2)).CopyInPlace(x)
	}
	return b, targets
}

// channels returns a number for each channel of x.
func (t *transform) channels(v []float64, x *torch.Tensor) *torch.Tensor {
	return torch.FromSlice(v, 3, 1, 1).ToDType(x.DType()).To(x.Device())
}

func resizeTarget(t *models.DetectionTarget, resize F.InterpolateOptions, from, to ops.Size) {
	if t.Masks != nil {
		resize.Mode = "nearest"
		t.Masks = F.Interpolate(t.Masks.Unsqueeze(1).ToDType(torch.Float32), resize).Squeeze(1).ToDType(torch.Uint8)
	}
	t.Boxes = resizeBoxes(t.Boxes, from, to)
	if t.Keypoints != nil {
		t.Keypoints = resizeKeypoints(t.Keypoints, from, to)
	}
}

func ratios(from, to ops.Size) (y, x float64) {
	return float64(float32(to.Height) / float32(from.Height)), float64(float32(to.Width) / float32(from.Width))
}

func resizeBoxes(boxes *torch.Tensor, from, to ops.Size) *torch.Tensor {
	y, x := ratios(from, to)
	c := boxes.Unbind(1)
	return torch.Stack([]*torch.Tensor{c[0].MulScalar(x), c[1].MulScalar(y), c[2].MulScalar(x), c[3].MulScalar(y)}, 1)
}

func resizeKeypoints(points *torch.Tensor, from, to ops.Size) *torch.Tensor {
	y, x := ratios(from, to)
	c := points.Unbind(-1)
	return torch.Stack([]*torch.Tensor{c[0].MulScalar(x), c[1].MulScalar(y), c[2]}, -1)
}

// restore gives what was found in a resized picture the scale of the original one.
func (t *transform) restore(o *models.DetectionOutput, from, to ops.Size) {
	o.Boxes = resizeBoxes(o.Boxes, from, to)
	if o.Masks != nil {
		o.Masks = pasteMasks(o.Masks, o.Boxes, to)
	}
	if o.Keypoints != nil {
		o.Keypoints = resizeKeypoints(o.Keypoints, from, to)
	}
}

// pasteMasks resizes the masks [N, 1, M, M] of boxes to the boxes' sizes, in pictures [N, 1, H, W].
func pasteMasks(masks, boxes *torch.Tensor, size ops.Size) *torch.Tensor {
	m := masks.Size(-1)
	padded := F.Pad(masks, []int{1, 1, 1, 1})
	scale := float64(m+2) / float64(m)
	c := boxes.Unbind(1)
	half := func(i int) *torch.Tensor { return c[i+2].Sub(c[i]).MulScalar(0.5).MulScalar(scale) }
	center := func(i int) *torch.Tensor { return c[i+2].Add(c[i]).MulScalar(0.5) }
	expanded := torch.Stack([]*torch.Tensor{center(0).Sub(half(0)), center(1).Sub(half(1)), center(0).Add(half(0)), center(1).Add(half(1))}, 1)
	at := torch.Data[int64](expanded.ToDType(torch.Int64).To(torch.CPU))
	out := torch.Options{DType: masks.DType(), Device: masks.Device()}.Zeros(masks.Size(0), 1, size.Height, size.Width)
	for i := range masks.Size(0) {
		x0, y0, x1, y1 := int(at[4*i]), int(at[4*i+1]), int(at[4*i+2]), int(at[4*i+3])
		torch.Scope(func() {
			mask := F.Interpolate(padded.Narrow(0, i, 1), F.InterpolateOptions{Mode: "bilinear", Size: []int{max(y1-y0+1, 1), max(x1-x0+1, 1)}})
			left, right, top, bottom := max(x0, 0), min(x1+1, size.Width), max(y0, 0), min(y1+1, size.Height)
			if left < right && top < bottom {
				in := mask.Narrow(2, top-y0, bottom-top).Narrow(3, left-x0, right-left)
				out.Narrow(0, i, 1).Narrow(2, top, bottom-top).Narrow(3, left, right-left).CopyInPlace(in)
			}
		})
	}
	return out
}
