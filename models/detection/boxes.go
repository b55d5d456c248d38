package detection

import (
	"math"

	"github.com/torchhub/torchhub/torch"
)

// A coder expresses boxes relative to others: BoxCoder. Its elements are the weights of x, y, width and height.
type coder [4]float64

// middle returns the sizes and the centers of boxes [N, 4], each [N].
func middle(boxes *torch.Tensor) (w, h, x, y *torch.Tensor) {
	c := boxes.Unbind(1)
	w, h = c[2].Sub(c[0]), c[3].Sub(c[1])
	return w, h, c[0].Add(w.MulScalar(0.5)), c[1].Add(h.MulScalar(0.5))
}

// encode returns boxes [N, 4] relative to anchors [N, 4].
func (c coder) encode(boxes, anchors *torch.Tensor) *torch.Tensor {
	aw, ah, ax, ay := middle(anchors)
	w, h, x, y := middle(boxes)
	return torch.Stack([]*torch.Tensor{
		x.Sub(ax).MulScalar(c[0]).Div(aw), y.Sub(ay).MulScalar(c[1]).Div(ah),
		w.Div(aw).Log().MulScalar(c[2]), h.Div(ah).Log().MulScalar(c[3]),
	}, 1)
}

// decode returns the boxes [N, 4·K] of codes [N, 4·K] relative to anchors [N, 4].
func (c coder) decode(codes, anchors *torch.Tensor) *torch.Tensor {
	w, h, x, y := middle(anchors.ToDType(codes.DType()))
	code := func(i int) *torch.Tensor { return codes.SliceDim(1, i, torch.End, 4).DivScalar(c[i]) }
	column := func(x *torch.Tensor) *torch.Tensor { return x.Unsqueeze(1) }
	largest := math.Log(1000. / 16)
	cx, cy := code(0).Mul(column(w)).Add(column(x)), code(1).Mul(column(h)).Add(column(y))
	hw := code(2).ClampMax(largest).Exp().Mul(column(w)).MulScalar(0.5)
	hh := code(3).ClampMax(largest).Exp().Mul(column(h)).MulScalar(0.5)
	return torch.Stack([]*torch.Tensor{cx.Sub(hw), cy.Sub(hh), cx.Add(hw), cy.Add(hh)}, 2).Flatten(1)
}

// Results of a matcher besides indices.
const (
	background = -1
	between    = -2
)

// A matcher assigns boxes to targets by their IoU: Matcher.
type matcher struct {
	high, low float64
	all       bool // each target gets its best boxes, even if they are bad
}

// match returns the index of the target for each box, background or between, for an IoU [targets, boxes].
func (m matcher) match(iou *torch.Tensor) *torch.Tensor {
	if iou.Size(1) == 0 {
		fail("no proposal boxes available for one of the pictures during training")
	}
	best, index := iou.MaxDim(0)
	matches := index.MaskedFill(best.LtScalar(m.low), background)
	matches = matches.MaskedFill(best.GeScalar(m.low).LogicalAnd(best.LtScalar(m.high)), between)
	if !m.all {
		return matches
	}
	highest, _ := iou.MaxDim(1)
	return torch.Where(iou.Eq(highest.Unsqueeze(1)).Any(0), index, matches)
}

// A sampler draws the boxes to learn from: BalancedPositiveNegativeSampler.
type sampler struct {
	size     int     // for each picture
	positive float64 // share, at most
}

// sample returns the indices of boxes with positive labels and with the label 0, in ascending order.
func (s sampler) sample(labels *torch.Tensor) (positive, negative *torch.Tensor) {
	draw := func(from *torch.Tensor, n int) *torch.Tensor {
		drawn := torch.Options{Device: from.Device()}.RandPerm(from.Numel()).Narrow(0, 0, n)
		sorted, _ := from.Index(drawn).Sort()
		return sorted
	}
	positive, negative = where(labels.GeScalar(1)), where(labels.EqScalar(0))
	n := min(positive.Numel(), int(float64(s.size)*s.positive))
	return draw(positive, n), draw(negative, min(negative.Numel(), s.size-n))
}

// anchors are the boxes around each pixel of feature maps: AnchorGenerator.
type anchors struct {
	sizes  [][]float32 // of each map
	ratios []float32   // of height to width
}

// perPixel returns the number of boxes around each pixel.
func (a anchors) perPixel() int { return len(a.sizes[0]) * len(a.ratios) }

// forward returns the boxes [H·W·A, 4] of each map, for pictures of a batch.
func (a anchors) forward(b batch, maps []*torch.Tensor) []*torch.Tensor {
	if len(maps) != len(a.sizes) {
		fail("there are %d feature maps and sizes of anchors for %d", len(maps), len(a.sizes))
	}
	all := make([]*torch.Tensor, len(maps))
	for i, m := range maps {
		o := torch.Options{DType: m.DType(), Device: m.Device()}
		var base []float32
		for _, r := range a.ratios {
			h := float32(math.Sqrt(float64(r)))
			for _, s := range a.sizes[i] {
				x := float32(math.RoundToEven(float64(float32(1/h) * s / 2)))
				y := float32(math.RoundToEven(float64(h * s / 2)))
				base = append(base, -x, -y, x, y)
			}
		}
		h, w := m.Size(2), m.Size(3)
		ys := o.Arange(h).MulScalar(b.x.Size(2)/h).View(h, 1).Expand(h, w)
		xs := o.Arange(w).MulScalar(b.x.Size(3)/w).View(1, w).Expand(h, w)
		shifts := torch.Stack([]*torch.Tensor{xs, ys, xs, ys}, 2).View(-1, 1, 4)
		all[i] = shifts.Add(torch.FromSlice(base, 1, len(base)/4, 4).To(m.Device()).ToDType(m.DType())).Reshape(-1, 4)
	}
	return all
}
