package ops

import (
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// reduce returns a loss reduced by "none", which "" means, "mean" or "sum". The mean of nothing is 0 where zero is set.
func reduce(op string, loss *torch.Tensor, how string, zero bool) *torch.Tensor {
	switch how {
	case "", "none":
		return loss
	case "mean":
		if zero && loss.Numel() == 0 {
			return loss.Sum().MulScalar(0.)
		}
		return loss.Mean()
	case "sum":
		return loss.Sum()
	}
	fail(op, `the reduction is %.100q; it can be "none", "mean" or "sum"`, how)
	return nil
}

// SigmoidFocalLossOptions are the options of [SigmoidFocalLoss].
type SigmoidFocalLossOptions struct {
	Alpha     *float64 // weight of ones, the zeros having 1-Alpha, or -1 for no weights; default 0.25
	Gamma     *float64 // exponent of the share of what is easy; default 2
	Reduction string   // "none", the default, "mean" or "sum"
}

// SigmoidFocalLoss returns the focal loss of logits x and targets of the same shape, which are 0 or 1,
// https://arxiv.org/abs/1708.02002: torchvision.ops.sigmoid_focal_loss(x, targets).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.sigmoid_focal_loss.html
func SigmoidFocalLoss(x, targets *torch.Tensor, options ...SigmoidFocalLossOptions) *torch.Tensor {
	o := torch.Only(options)
	alpha, gamma := 0.25, 2.0
	if o.Alpha != nil {
		alpha = *o.Alpha
	}
	if o.Gamma != nil {
		gamma = *o.Gamma
	}
	check(alpha >= 0 && alpha <= 1 || alpha == -1, "SigmoidFocalLoss", "alpha is %v; it must be from 0 to 1, or -1", alpha)
	return scope(func() *torch.Tensor {
		mix := func(ones, zeros *torch.Tensor) *torch.Tensor { return ones.Add(zeros) }
		p, none := x.Sigmoid(), targets.RSubScalar(1)
		entropy := F.BinaryCrossEntropyWithLogits(x, targets, F.BinaryCrossEntropyWithLogitsOptions{Reduction: "none"})
		loss := entropy.Mul(mix(p.Mul(targets), p.RSubScalar(1).Mul(none)).RSubScalar(1).PowScalar(gamma))
		if alpha >= 0 {
			loss = mix(targets.MulScalar(alpha), none.MulScalar(1-alpha)).Mul(loss)
		}
		return reduce("SigmoidFocalLoss", loss, o.Reduction, false)
	})
}

// BoxLossOptions are the options of [GeneralizedBoxIoULoss], [DistanceBoxIoULoss] and [CompleteBoxIoULoss].
type BoxLossOptions struct {
	Reduction string   // "none", the default, "mean" or "sum"
	Eps       *float64 // keeps divisors from 0; default 1e-7
}

// A matched is a pair of sets of N boxes, the coordinates [N] of both.
type matched struct {
	a, b         []*torch.Tensor
	inter, union *torch.Tensor
}

func match(op string, boxes1, boxes2 *torch.Tensor) matched {
	floats := func(x *torch.Tensor) *torch.Tensor {
		if d := x.DType(); d == torch.Float32 || d == torch.Float64 {
			return x
		}
		return x.ToDType(torch.Float32)
	}
	m := matched{a: columns(op, floats(boxes1), 4), b: columns(op, floats(boxes2), 4)}
	w, h := m.a[2].Minimum(m.b[2]).Sub(m.a[0].Maximum(m.b[0])), m.a[3].Minimum(m.b[3]).Sub(m.a[1].Maximum(m.b[1]))
	overlapping := h.GtScalar(0).LogicalAnd(w.GtScalar(0))
	m.inter = torch.Where(overlapping, w.Mul(h), torch.ZerosLike(m.a[0]))
	area := func(c []*torch.Tensor) *torch.Tensor { return c[2].Sub(c[0]).Mul(c[3].Sub(c[1])) }
	m.union = area(m.a).Add(area(m.b)).Sub(m.inter)
	return m
}

// enclosing returns the sides of the smallest box that contains both.
func (m matched) enclosing() (w, h *torch.Tensor) {
	return m.a[2].Maximum(m.b[2]).Sub(m.a[0].Minimum(m.b[0])), m.a[3].Maximum(m.b[3]).Sub(m.a[1].Minimum(m.b[1]))
}

// distance returns the loss of the distance IoU, and the IoU.
func (m matched) distance(eps float64) (loss, iou *torch.Tensor) {
	iou = m.inter.Div(m.union.AddScalar(eps))
	w, h := m.enclosing()
	diagonal := w.PowScalar(2).Add(h.PowScalar(2)).AddScalar(eps)
	between := func(i int) *torch.Tensor {
		return m.a[i+2].Add(m.a[i]).DivScalar(2).Sub(m.b[i].Add(m.b[i+2]).DivScalar(2)).PowScalar(2)
	}
	return iou.RSubScalar(1).Add(between(0).Add(between(1)).Div(diagonal)), iou
}

// GeneralizedBoxIoULoss returns 1 less the generalized IoU of each box of [N, 4] or [4] with that at the same
// place in boxes2, https://arxiv.org/abs/1902.09630: torchvision.ops.generalized_box_iou_loss(boxes1, boxes2).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.generalized_box_iou_loss.html
func GeneralizedBoxIoULoss(boxes1, boxes2 *torch.Tensor, options ...BoxLossOptions) *torch.Tensor {
	o := torch.Only(options)
	eps := EpsOptions{o.Eps}.eps()
	return scope(func() *torch.Tensor {
		m := match("GeneralizedBoxIoULoss", boxes1, boxes2)
		w, h := m.enclosing()
		whole := w.Mul(h)
		iou := m.inter.Div(m.union.AddScalar(eps)).Sub(whole.Sub(m.union).Div(whole.AddScalar(eps)))
		return reduce("GeneralizedBoxIoULoss", iou.RSubScalar(1), o.Reduction, true)
	})
}

// DistanceBoxIoULoss returns 1 less the distance IoU of each box of [N, 4] or [4] with that at the same place
// in boxes2, https://arxiv.org/abs/1911.08287: torchvision.ops.distance_box_iou_loss(boxes1, boxes2).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.distance_box_iou_loss.html
func DistanceBoxIoULoss(boxes1, boxes2 *torch.Tensor, options ...BoxLossOptions) *torch.Tensor {
	o := torch.Only(options)
	return scope(func() *torch.Tensor {
		loss, _ := match("DistanceBoxIoULoss", boxes1, boxes2).distance(EpsOptions{o.Eps}.eps())
		return reduce("DistanceBoxIoULoss", loss, o.Reduction, true)
	})
}

// CompleteBoxIoULoss returns 1 less the complete IoU of each box of [N, 4] or [4] with that at the same place
// in boxes2, https://arxiv.org/abs/1911.08287: torchvision.ops.complete_box_iou_loss(boxes1, boxes2).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.complete_box_iou_loss.html
func CompleteBoxIoULoss(boxes1, boxes2 *torch.Tensor, options ...BoxLossOptions) *torch.Tensor {
	o := torch.Only(options)
	return scope(func() *torch.Tensor {
		m := match("CompleteBoxIoULoss", boxes1, boxes2)
		loss, iou := m.distance(1e-7) // as in torchvision, whatever Eps is
		angle := func(c []*torch.Tensor) *torch.Tensor { return c[2].Sub(c[0]).Div(c[3].Sub(c[1])).Atan() }
		return reduce("CompleteBoxIoULoss", loss.Add(aspect(angle(m.b).Sub(angle(m.a)), iou, EpsOptions{o.Eps}.eps())), o.Reduction, true)
	})
}
