package ops

import (
	"fmt"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

var (
	opNMS           = torch.NewOp("torchvision::nms", "")
	opBoxIoURotated = torch.NewOp("torchvision::box_iou_rotated", "")
)

// check panics with the error of an operation, unless ok.
func check(ok bool, op, format string, args ...any) {
	if !ok {
		fail(op, format, args...)
	}
}

// scope returns the tensor that f makes, and frees the others.
func scope(f func() *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() { y = torch.Keep(f()) })
	return y
}

// NMS returns the indices of the boxes that are left when, from the highest score down, each
// box removes those of lower scores whose IoU with it is greater than the threshold:
// torchvision.ops.nms(boxes, scores, threshold). The boxes are [N, 4] as x1, y1, x2, y2, the
// scores [N], the result int64 [K] by falling score. With equal scores the
// first comes first.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.nms.html
func NMS(boxes, scores *torch.Tensor, threshold float64) *torch.Tensor {
	var c torch.Call
	c.Tensor(boxes)
	c.Tensor(scores)
	c.Float(threshold)
	return c.One(opNMS)
}

// BatchedNMS is [NMS] among the boxes of each class, which are int64 [N]:
// torchvision.ops.batched_nms(boxes, scores, classes, threshold).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.batched_nms.html
func BatchedNMS(boxes, scores, classes *torch.Tensor, threshold float64) *torch.Tensor {
	limit := 100_000
	if boxes.Device() == torch.CPU {
		limit = 4000
	}
	if boxes.Numel() > limit {
		return scope(func() *torch.Tensor { return nmsByClass(boxes, scores, classes, threshold) })
	}
	if boxes.Numel() == 0 {
		return torch.Options{DType: torch.Int64, Device: boxes.Device()}.Empty(0)
	}
	return scope(func() *torch.Tensor { // boxes of different classes are moved apart
		offsets := classes.To(boxes.Device()).ToDType(boxes.DType()).Mul(boxes.Max().AddScalar(1))
		return NMS(boxes.Add(offsets.Unsqueeze(1)), scores, threshold)
	})
}

func nmsByClass(boxes, scores, classes *torch.Tensor, threshold float64) *torch.Tensor {
	keep := torch.Options{DType: torch.Bool}.ZerosLike(scores)
	all, _, _ := classes.Unique()
	for _, class := range torch.Data[int64](all.ToDType(torch.Int64).To(torch.CPU)) {
		of := where(classes.EqScalar(int(class)))
		keep.SetIndex(true, of.Index(NMS(boxes.Index(of), scores.Index(of), threshold)))
	}
	kept := where(keep)
	_, order := scores.Index(kept).Sort(torch.SortOptions{Descending: true})
	return kept.Index(order)
}

// where returns the indices of what is true in x [N]: torch.where(x)[0].
func where(x *torch.Tensor) *torch.Tensor {
	return x.Nonzero().Then(func(x *torch.Tensor) *torch.Tensor { return x.Squeeze(1) })
}

// RemoveSmallBoxes returns the indices of the boxes [N, 4] of which both sides are at least
// minSize: torchvision.ops.remove_small_boxes(boxes, minSize).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.remove_small_boxes.html
func RemoveSmallBoxes(boxes *torch.Tensor, minSize float64) *torch.Tensor {
	return scope(func() *torch.Tensor {
		c := columns("RemoveSmallBoxes", boxes, 4)
		large := c[2].Sub(c[0]).GeScalar(minSize).LogicalAnd(c[3].Sub(c[1]).GeScalar(minSize))
		return large.Nonzero().Select(1, 0).Clone()
	})
}

// columns returns the n coordinates of boxes [..., n].
func columns(op string, boxes *torch.Tensor, n int) []*torch.Tensor {
	check(boxes.Dim() > 0 && boxes.Size(-1) == n, op, "the boxes have the shape %v; the last dimension must be %d", boxes.Shape(), n)
	return boxes.Unbind(-1)
}

// ClipBoxesToImage moves the corners of boxes [..., 4] into a picture:
// torchvision.ops.clip_boxes_to_image(boxes, (height, width)).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.clip_boxes_to_image.html
func ClipBoxesToImage(boxes *torch.Tensor, height, width int) *torch.Tensor {
	return scope(func() *torch.Tensor {
		c := columns("ClipBoxesToImage", boxes, 4)
		return torch.Stack([]*torch.Tensor{c[0].Clamp(0, width), c[1].Clamp(0, height), c[2].Clamp(0, width), c[3].Clamp(0, height)}, -1)
	})
}

// conversions are the steps between formats of boxes.
var conversions = map[[2]string]func(c []*torch.Tensor) []*torch.Tensor{
	{"xywh", "xyxy"}: func(c []*torch.Tensor) []*torch.Tensor {
		return []*torch.Tensor{c[0], c[1], c[0].Add(c[2]), c[1].Add(c[3])}
	},
	{"xyxy", "xywh"}: func(c []*torch.Tensor) []*torch.Tensor {
		return []*torch.Tensor{c[0], c[1], c[2].Sub(c[0]), c[3].Sub(c[1])}
	},
	{"cxcywh", "xyxy"}: func(c []*torch.Tensor) []*torch.Tensor {
		w, h := c[2].MulScalar(0.5), c[3].MulScalar(0.5)
		return []*torch.Tensor{c[0].Sub(w), c[1].Sub(h), c[0].Add(w), c[1].Add(h)}
	},
	{"xyxy", "cxcywh"}: func(c []*torch.Tensor) []*torch.Tensor {
		return []*torch.Tensor{c[0].Add(c[2]).DivScalar(2), c[1].Add(c[3]).DivScalar(2), c[2].Sub(c[0]), c[3].Sub(c[1])}
	},
	{"cxcywhr", "xywhr"}: func(c []*torch.Tensor) []*torch.Tensor {
		cos, sin := direction(c[4])
		w, h := c[2].DivScalar(2), c[3].DivScalar(2)
		return []*torch.Tensor{c[0].Sub(w.Mul(cos)).Sub(h.Mul(sin)), c[1].Sub(h.Mul(cos)).Add(w.Mul(sin)), c[2], c[3], c[4]}
	},
	{"xywhr", "cxcywhr"}: func(c []*torch.Tensor) []*torch.Tensor {
		cos, sin := direction(c[4])
		w, h := c[2].DivScalar(2), c[3].DivScalar(2)
		return []*torch.Tensor{c[0].Add(w.Mul(cos)).Add(h.Mul(sin)), c[1].Sub(w.Mul(sin)).Add(h.Mul(cos)), c[2], c[3], c[4]}
	},
	{"xywhr", "xyxyxyxy"}: func(c []*torch.Tensor) []*torch.Tensor {
		cos, sin := direction(c[4])
		x2, y2 := c[0].Add(c[2].Mul(cos)), c[1].Sub(c[2].Mul(sin))
		dx, dy := c[3].Mul(sin), c[3].Mul(cos)
		return []*torch.Tensor{c[0], c[1], x2, y2, x2.Add(dx), y2.Add(dy), c[0].Add(dx), c[1].Add(dy)}
	},
	{"xyxyxyxy", "xywhr"}: func(c []*torch.Tensor) []*torch.Tensor {
		length := func(dx, dy *torch.Tensor) *torch.Tensor { return dx.PowScalar(2).Add(dy.PowScalar(2)).Sqrt() }
		r := c[1].Sub(c[3]).Atan2(c[2].Sub(c[0])).MulScalar(180).DivScalar(math.Pi)
		return []*torch.Tensor{c[0], c[1], length(c[2].Sub(c[0]), c[1].Sub(c[3])), length(c[4].Sub(c[2]), c[5].Sub(c[3])), r}
	},
}

// direction returns the cosine and the sine of angles in degrees.
func direction(degrees *torch.Tensor) (cos, sin *torch.Tensor) {
	r := degrees.MulScalar(math.Pi).DivScalar(180.)
	return r.Cos(), r.Sin()
}

// BoxConvert returns boxes [..., K] in another format: torchvision.ops.box_convert(boxes, from,
// to). Formats of 4 numbers are "xyxy", "xywh" and "cxcywh"; of rotated boxes "xywhr" and
// "cxcywhr" with 5 and "xyxyxyxy" with 8, whose angles are in degrees against the clock.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.box_convert.html
func BoxConvert(boxes *torch.Tensor, from, to string) *torch.Tensor {
	sizes := map[string]int{"xyxy": 4, "xywh": 4, "cxcywh": 4, "xywhr": 5, "cxcywhr": 5, "xyxyxyxy": 8}
	check(sizes[from] > 0 && sizes[to] > 0 && (sizes[from] == 4) == (sizes[to] == 4), "BoxConvert", "there is no conversion of %.100q to %.100q", from, to)
	steps := []string{from, to}
	for _, between := range []string{"xyxy", "xywhr"} { // where there is no direct one
		if from != to && conversions[[2]string{from, to}] == nil && conversions[[2]string{from, between}] != nil {
			steps = []string{from, between, to}
		}
	}
	return scope(func() *torch.Tensor {
		if from == to {
			return boxes.Clone()
		}
		x := boxes
		for i, next := range steps[1:] {
			x = torch.Stack(conversions[[2]string{steps[i], next}](columns("BoxConvert", x, sizes[steps[i]])), -1)
			if sizes[from] != 4 && !boxes.DType().IsFloatingPoint() {
				x = x.Round().ToDType(boxes.DType())
			}
		}
		return x
	})
}

// BoxOptions are the options of [BoxArea] and [BoxIoU].
type BoxOptions struct {
	Format string // "xyxy", the default, "xywh" or "cxcywh"; for BoxIoU also those of rotated boxes
}

func (o BoxOptions) format(op string) string {
	if o.Format == "" {
		return "xyxy"
	}
	check(slices.Contains([]string{"xyxy", "xywh", "cxcywh"}, o.Format), op, `the format is %.100q; it can be "xyxy", "xywh" or "cxcywh"`, o.Format)
	return o.Format
}

// upcast returns x in a dtype in which products do not overflow.
func upcast(x *torch.Tensor) *torch.Tensor {
	switch d := x.DType(); {
	case d == torch.Float32 || d == torch.Float64 || d == torch.Int32 || d == torch.Int64:
		return x
	case d.IsFloatingPoint():
		return x.ToDType(torch.Float32)
	}
	return x.ToDType(torch.Int32)
}

// BoxArea returns the areas [...] of boxes [..., 4]: torchvision.ops.box_area(boxes, fmt).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.box_area.html
func BoxArea(boxes *torch.Tensor, options ...BoxOptions) *torch.Tensor {
	format := torch.Only(options).format("BoxArea")
	return scope(func() *torch.Tensor { return area("BoxArea", boxes, format) })
}

func area(op string, boxes *torch.Tensor, format string) *torch.Tensor {
	c := columns(op, upcast(boxes), 4)
	if format == "xyxy" {
		return c[2].Sub(c[0]).Mul(c[3].Sub(c[1]))
	}
	return c[2].Mul(c[3])
}

// pairs returns the corners of the boxes [..., N, 1, 2] of one set, and [..., 1, M, 2] of the other.
func pairs(boxes1, boxes2 *torch.Tensor, format string) (lt1, rb1, lt2, rb2 *torch.Tensor) {
	corners := func(x *torch.Tensor, dim int) (lt, rb *torch.Tensor) {
		x = x.Unsqueeze(dim)
		lt, rb = x.Narrow(-1, 0, 2), x.Narrow(-1, 2, 2)
		switch format {
		case "xywh":
			return lt, lt.Add(rb)
		case "cxcywh":
			half := rb.DivScalar(2)
			return lt.Sub(half), lt.Add(half)
		}
		return lt, rb
	}
	lt1, rb1 = corners(boxes1, -2)
	lt2, rb2 = corners(boxes2, -3)
	return lt1, rb1, lt2, rb2
}

// extent returns the product of both sides of a rectangle, which are 0 if they are negative.
func extent(lt, rb *torch.Tensor) *torch.Tensor {
	c := upcast(rb.Sub(lt)).ClampMin(0).Unbind(-1)
	return c[0].Mul(c[1])
}

// overlap returns the intersection and the union of each pair of boxes, [..., N, M].
func overlap(op string, boxes1, boxes2 *torch.Tensor, format string) (inter, union *torch.Tensor) {
	area1, area2 := area(op, boxes1, format), area(op, boxes2, format)
	check(boxes1.Dim() > 1 && boxes2.Dim() > 1, op, "the boxes have the shapes %v and %v; they must be [..., N, 4]", boxes1.Shape(), boxes2.Shape())
	lt1, rb1, lt2, rb2 := pairs(boxes1, boxes2, format)
	inter = extent(lt1.Maximum(lt2), rb1.Minimum(rb2))
	return inter, area1.Unsqueeze(-1).Add(area2.Unsqueeze(-2)).Sub(inter)
}

// BoxIoU returns the intersection over union [..., N, M] of boxes [..., N, 4] with boxes
// [..., M, 4]: torchvision.ops.box_iou(boxes1, boxes2, fmt). It also takes rotated boxes, [N, 5]
// or [N, 8], in the formats of [BoxConvert]; their result has no gradient.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.box_iou.html
func BoxIoU(boxes1, boxes2 *torch.Tensor, options ...BoxOptions) *torch.Tensor {
	if f := torch.Only(options).Format; f == "xywhr" || f == "cxcywhr" || f == "xyxyxyxy" {
		return scope(func() *torch.Tensor {
			var c torch.Call
			c.Tensor(BoxConvert(boxes1, f, "cxcywhr"))
			c.Tensor(BoxConvert(boxes2, f, "cxcywhr"))
			return c.One(opBoxIoURotated)
		})
	}
	format := torch.Only(options).format("BoxIoU")
	return scope(func() *torch.Tensor {
		inter, union := overlap("BoxIoU", boxes1, boxes2, format)
		return inter.Div(union)
	})
}

// GeneralizedBoxIoU returns the generalized IoU [..., N, M] of boxes [..., N, 4] with boxes
// [..., M, 4], as x1, y1, x2, y2, https://arxiv.org/abs/1902.09630:
// torchvision.ops.generalized_box_iou(boxes1, boxes2).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.generalized_box_iou.html
func GeneralizedBoxIoU(boxes1, boxes2 *torch.Tensor) *torch.Tensor {
	return scope(func() *torch.Tensor {
		inter, union := overlap("GeneralizedBoxIoU", boxes1, boxes2, "xyxy")
		lt1, rb1, lt2, rb2 := pairs(boxes1, boxes2, "xyxy")
		whole := extent(lt1.Minimum(lt2), rb1.Maximum(rb2))
		return inter.Div(union).Sub(whole.Sub(union).Div(whole))
	})
}

// EpsOptions are the options of [DistanceBoxIoU] and [CompleteBoxIoU].
type EpsOptions struct {
	Eps *float64 // keeps divisors from 0; default 1e-7
}

func (o EpsOptions) eps() float64 {
	if o.Eps == nil {
		return 1e-7
	}
	return *o.Eps
}

// DistanceBoxIoU returns the distance IoU [..., N, M] of boxes [..., N, 4] with boxes [..., M, 4],
// as x1, y1, x2, y2, https://arxiv.org/abs/1911.08287: torchvision.ops.distance_box_iou(boxes1,
// boxes2, eps).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.distance_box_iou.html
func DistanceBoxIoU(boxes1, boxes2 *torch.Tensor, options ...EpsOptions) *torch.Tensor {
	eps := torch.Only(options).eps()
	return scope(func() *torch.Tensor {
		distance, _ := distanceIoU("DistanceBoxIoU", upcast(boxes1), upcast(boxes2), eps)
		return distance
	})
}

func distanceIoU(op string, boxes1, boxes2 *torch.Tensor, eps float64) (distance, iou *torch.Tensor) {
	inter, union := overlap(op, boxes1, boxes2, "xyxy")
	iou = inter.Div(union)
	lt1, rb1, lt2, rb2 := pairs(boxes1, boxes2, "xyxy")
	squares := func(x *torch.Tensor) *torch.Tensor {
		c := x.PowScalar(2).Unbind(-1)
		return c[0].Add(c[1])
	}
	diagonal := squares(rb1.Maximum(rb2).Sub(lt1.Minimum(lt2)).ClampMin(0)).AddScalar(eps)
	centers := squares(upcast(lt1.Add(rb1).DivScalar(2).Sub(lt2.Add(rb2).DivScalar(2))))
	return iou.Sub(centers.Div(diagonal)), iou
}

// CompleteBoxIoU returns the complete IoU [..., N, M] of boxes [..., N, 4] with boxes [..., M, 4],
// as x1, y1, x2, y2, https://arxiv.org/abs/1911.08287: torchvision.ops.complete_box_iou(boxes1,
// boxes2, eps).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.complete_box_iou.html
func CompleteBoxIoU(boxes1, boxes2 *torch.Tensor, options ...EpsOptions) *torch.Tensor {
	eps := torch.Only(options).eps()
	return scope(func() *torch.Tensor {
		boxes1, boxes2 := upcast(boxes1), upcast(boxes2)
		distance, iou := distanceIoU("CompleteBoxIoU", boxes1, boxes2, eps)
		angle := func(x *torch.Tensor, dim int) *torch.Tensor {
			c := x.Unbind(-1)
			return c[2].Sub(c[0]).Div(c[3].Sub(c[1])).Unsqueeze(dim).Atan()
		}
		return distance.Sub(aspect(angle(boxes1, -1).Sub(angle(boxes2, -2)), iou, eps))
	})
}

// aspect returns the penalty for a difference of the angles of diagonals.
func aspect(difference, iou *torch.Tensor, eps float64) *torch.Tensor {
	v := difference.PowScalar(2).MulScalar(4 / (math.Pi * math.Pi))
	var alpha *torch.Tensor
	torch.NoGrad(func() { alpha = v.Div(iou.RSubScalar(1).Add(v).AddScalar(eps)) })
	return alpha.Mul(v)
}

// MasksToBoxes returns the bounding boxes [N, 4] of masks [N, H, W], as float32 x1, y1, x2, y2,
// which are 0 for an empty mask: torchvision.ops.masks_to_boxes(masks).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.masks_to_boxes.html
func MasksToBoxes(masks *torch.Tensor) *torch.Tensor {
	if masks.Numel() == 0 {
		return torch.Options{DType: torch.Float32, Device: masks.Device()}.Zeros(0, 4)
	}
	check(masks.Dim() == 3, "MasksToBoxes", "the masks have the shape %v; they must be [N, H, W]", masks.Shape())
	return scope(func() *torch.Tensor {
		set := masks.ToDType(torch.Bool)
		rows, cols := set.Any(2).ToDType(torch.Float32), set.Any(1).ToDType(torch.Float32)
		last := func(x *torch.Tensor) *torch.Tensor { return x.Flip(1).ArgMax(1).RSubScalar(x.Size(1) - 1) }
		boxes := torch.Stack([]*torch.Tensor{cols.ArgMax(1), rows.ArgMax(1), last(cols), last(rows)}, 1).ToDType(torch.Float32)
		return boxes.MaskedFillInPlace(rows.Any(1).LogicalNot().Unsqueeze(1), 0)
	})
}

// A Size is the height and the width of a picture.
type Size struct{ Height, Width int }

// String returns the size as height×width.
func (s Size) String() string { return fmt.Sprintf("%d×%d", s.Height, s.Width) }
