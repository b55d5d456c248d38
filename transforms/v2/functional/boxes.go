package functional

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// ConvertBoundingBoxFormat returns the boxes in another format: convert_bounding_box_format(b, new_format=to).
// It panics with a [*torch.Error] if one of the formats is of rotated boxes and the other is not.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.convert_bounding_box_format.html
func ConvertBoundingBoxFormat(b tv.BoundingBoxes, to tv.BoundingBoxFormat) (out tv.BoundingBoxes) {
	const op = "ConvertBoundingBoxFormat"
	defer named(op, b)
	b.Check("transforms.v2." + op)
	if !to.Valid() {
		fail(op, b, "the new format is %v", to)
	}
	torch.Scope(func() { out = b.With(keep(convert(b.Tensor, b.Format, to, false), b.Tensor)) })
	out.Format = to
	return out
}

// convert is _convert_bounding_box_format. In place it may write to x, and does so as Python does.
func convert(x *torch.Tensor, from, to tv.BoundingBoxFormat, inPlace bool) *torch.Tensor {
	if from == to {
		return x
	}
	if from.Rotated() != to.Rotated() {
		fail("ConvertBoundingBoxFormat", x, "boxes of the format %v cannot become %v: only one of them is rotated", from, to)
	}
	own := func(x *torch.Tensor) *torch.Tensor {
		if inPlace {
			return x
		}
		return x.Clone()
	}
	switch {
	case from == tv.XYWH && to == tv.CXCYWH:
		return xywhToCXCYWH(own(x))
	case from == tv.CXCYWH && to == tv.XYWH:
		return cxcywhToXYWH(x, inPlace)
	}
	switch from {
	case tv.XYWH:
		x = own(x)
		columns(x, 2, torch.End, 1).AddInPlace(columns(x, 0, 2, 1))
	case tv.CXCYWH:
		x = cxcywhToXYXY(x, inPlace)
	case tv.CXCYWHR:
		x = turnCorner(own(x), -1)
	case tv.XYXYXYXY:
		x = cornersToXYWHR(own(x))
	}
	switch to {
	case tv.XYWH:
		x = own(x)
		columns(x, 2, torch.End, 1).SubInPlace(columns(x, 0, 2, 1))
	case tv.CXCYWH:
		x = xyxyToCXCYWH(own(x))
	case tv.CXCYWHR:
		x = turnCorner(own(x), 1)
	case tv.XYXYXYXY:
		x = xywhrToCorners(x)
	}
	return x
}

// halves divides by 2, whole numbers down.
func halves(x *torch.Tensor, by int) *torch.Tensor {
	if x.DType().IsFloatingPoint() {
		return x.DivScalar(by)
	}
	floor := "floor"
	return aten.DivScalarMode(x, by, &floor)
}

func xywhToCXCYWH(x *torch.Tensor) *torch.Tensor {
	columns(x, 0, 2, 1).AddInPlace(halves(columns(x, 2, torch.End, 1), 2))
	return x
}

func cxcywhToXYWH(x *torch.Tensor, inPlace bool) *torch.Tensor {
	original, cast := x, !x.DType().IsFloatingPoint()
	if cast {
		x = x.ToDType(torch.Float32)
	} else if !inPlace {
		x = x.Clone()
	}
	columns(x, 0, 2, 1).SubInPlace(columns(x, 2, torch.End, 1).DivScalar(2))
	if !cast {
		return x
	}
	far := columns(x, 0, 2, 1).Add(columns(x, 2, torch.End, 1)).ToDType(original.DType())
	x = x.ToDType(original.DType())
	columns(x, 2, torch.End, 1).CopyInPlace(far.Sub(columns(x, 0, 2, 1)))
	if inPlace {
		return original.CopyInPlace(x)
	}
	return x
}

func cxcywhToXYXY(x *torch.Tensor, inPlace bool) *torch.Tensor {
	original, cast := x, !x.DType().IsFloatingPoint()
	if cast {
		x = x.ToDType(torch.Float32)
	} else if !inPlace {
		x = x.Clone()
	}
	half := columns(x, 2, torch.End, 1).DivScalar(2)
	near := columns(x, 0, 2, 1).SubInPlace(half)
	columns(x, 2, torch.End, 1).AddInPlace(near)
	if !cast {
		return x
	}
	x = x.ToDType(original.DType())
	if inPlace {
		return original.CopyInPlace(x)
	}
	return x
}

func xyxyToCXCYWH(x *torch.Tensor) *torch.Tensor {
	near, far := columns(x, 0, 2, 1), columns(x, 2, torch.End, 1)
	far.SubInPlace(near)
	near.MulScalarInPlace(2).AddInPlace(far)
	if x.DType().IsFloatingPoint() {
		near.DivScalarInPlace(2)
	} else {
		floor := "floor"
		aten.DivInPlaceScalarMode(near, 2, &floor)
	}
	return x
}

// angle returns the cosine and sine of the last number of a rotated box.
func angle(x *torch.Tensor) (cos, sin *torch.Tensor) {
	r := column(x, 4).MulScalar(math.Pi).DivScalar(180.0)
	return r.Cos(), r.Sin()
}

// turnCorner moves the point of a rotated box from its center to its first
// corner, for a sign of -1, or back, for 1.
func turnCorner(x *torch.Tensor, sign int) *torch.Tensor {
	half := halves(columns(x, 2, -1, 1), -2).AbsInPlace()
	cos, sin := angle(x)
	w, h := column(half, 0), column(half, 1)
	x0, x1 := column(x, 0), column(x, 1)
	if sign < 0 {
		x0.SubInPlace(w.Mul(cos)).SubInPlace(h.Mul(sin))
		x1.AddInPlace(w.Mul(sin)).SubInPlace(h.Mul(cos))
	} else {
		x0.AddInPlace(w.Mul(cos)).AddInPlace(h.Mul(sin))
		x1.SubInPlace(w.Mul(sin)).AddInPlace(h.Mul(cos))
	}
	return x
}

func xywhrToCorners(x *torch.Tensor) *torch.Tensor {
	w, h := column(x, 2), column(x, 3)
	cos, sin := angle(x)
	out := columns(x, 0, 2, 1).Tile(1, 4)
	at := func(i int) *torch.Tensor { return column(out, i) }
	at(2).AddInPlace(w.Mul(cos))
	at(3).SubInPlace(w.Mul(sin))
	at(4).AddInPlace(w.Mul(cos).Add(h.Mul(sin)))
	at(5).SubInPlace(w.Mul(sin).Sub(h.Mul(cos)))
	at(6).AddInPlace(h.Mul(sin))
	at(7).AddInPlace(h.Mul(cos))
	return out
}

func cornersToXYWHR(x *torch.Tensor) *torch.Tensor {
	dtype := x.DType()
	if dtype != torch.Float32 && dtype != torch.Float64 {
		x = x.ToDType(torch.Float32)
	}
	at := func(i int) *torch.Tensor { return column(x, i) }
	r := at(1).Sub(at(3)).Atan2(at(2).Sub(at(0)))
	columns(x, 4, 6, 1).SubInPlace(columns(x, 2, 4, 1))
	columns(x, 2, 4, 1).SubInPlace(columns(x, 0, 2, 1))
	at(2).CopyInPlace(at(2).PowScalar(2).Add(at(3).PowScalar(2)).Sqrt())
	at(3).CopyInPlace(at(4).PowScalar(2).Add(at(5).PowScalar(2)).Sqrt())
	at(4).CopyInPlace(r.DivScalarInPlace(math.Pi).MulInPlace(scalarOf(180.0)))
	return columns(x.ToDType(dtype), 0, 5, 1)
}

// ClampBoundingBoxes clips boxes to the canvas, in the boxes' own clamping mode
// or another: clamp_bounding_boxes(b, clamping_mode=mode).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.clamp_bounding_boxes.html
func ClampBoundingBoxes(b tv.BoundingBoxes, mode ...tv.ClampingMode) (out tv.BoundingBoxes) {
	const op = "ClampBoundingBoxes"
	defer named(op, b)
	b.Check("transforms.v2." + op)
	how := b.ClampingMode
	if len(mode) > 0 {
		how = torch.Only(mode)
	}
	if !how.Valid() {
		fail(op, b, "the clamping mode is %v; want Soft, Hard or NoClamp", how)
	}
	torch.Scope(func() { out = b.With(torch.Keep(clamp(b.Tensor, b.Format, b.CanvasSize, how))) })
	return out
}

func clamp(x *torch.Tensor, format tv.BoundingBoxFormat, canvas [2]int, mode tv.ClampingMode) *torch.Tensor {
	switch {
	case mode == tv.NoClamp:
		return x.Clone()
	case format.Rotated():
		return clampRotated(x, format, canvas, mode)
	}
	dtype := x.DType()
	if dtype.IsFloatingPoint() {
		x = x.Clone()
	} else {
		x = x.ToDType(torch.Float32)
	}
	x = convert(x, format, tv.XYXY, true)
	columns(x, 0, torch.End, 2).ClampInPlace(0, canvas[1])
	columns(x, 1, torch.End, 2).ClampInPlace(0, canvas[0])
	return convert(x, tv.XYXY, format, true).ToDType(dtype)
}

// orderCorners returns the order in which the corners of boxes [N, 8] start at the
// leftmost one, as indices of numbers.
func orderCorners(x *torch.Tensor) *torch.Tensor {
	flat := x.Reshape(-1, 8)
	xs, ys := columns(flat, 0, torch.End, 2), columns(flat, 1, torch.End, 2)
	top := func(v *torch.Tensor) *torch.Tensor {
		m, _ := v.Abs().MaxDim(1, torch.MaxOptions{KeepDim: true})
		return m
	}
	yMax, xMax := top(ys), top(xs)
	_, first := ys.Div(yMax).Add(xs.Div(xMax).MulScalar(100)).MinDim(1)
	order := torch.OnesLike(flat)
	column(order, 0).CopyInPlace(first.MulScalar(2))
	return order.CumsumInPlace(1).RemainderScalarInPlace(8).ToDType(torch.Int64)
}

// edges returns slope and intercept of each edge of boxes [N, 8].
func edges(x *torch.Tensor) (a, b *torch.Tensor) {
	xs, ys := columns(x, 0, torch.End, 2), columns(x, 1, torch.End, 2)
	next := func(v *torch.Tensor) *torch.Tensor { return v.Diff(torch.DiffOptions{Append: columns(v, 0, 1, 1)}) }
	a = next(ys).Div(next(xs))
	return a, ys.Sub(a.Mul(xs))
}

// intersections returns the corners of boxes, [N, 8], from the slopes and intercepts of their edges.
func intersections(a, b *torch.Tensor) *torch.Tensor {
	previous := func(v *torch.Tensor) *torch.Tensor { return v.Diff(torch.DiffOptions{Prepend: columns(v, 3, 4, 1)}) }
	x := previous(b).Neg().Div(previous(a))
	y := a.Mul(x).Add(b)
	return torch.Cat([]*torch.Tensor{x.Unsqueeze(-1), y.Unsqueeze(-1)}, -1).View(a.Size(0), 8)
}

// clampIntercepts moves the edges of boxes so that they start inside the canvas.
func clampIntercepts(x, original *torch.Tensor, canvas [2]int, mode tv.ClampingMode) *torch.Tensor {
	a, b := edges(x)
	as, bs := a.Unbind(-1), b.Unbind(-1)
	a1, a2, a3, a4 := as[0], as[1], as[2], as[3]
	b1, b2, b3, b4 := bs[0], bs[1], bs[2], bs[3]
	_, m := edges(original)
	ms := m.Unbind(-1)
	h, w := canvas[0], canvas[1]
	b1 = b2.ClampTensor(b1, b3).Clamp(0, h)
	b4 = b3.ClampTensor(b2, b4).Clamp(0, h)
	if mode == tv.Hard {
		b1 = b1.Add(b4).DivScalar(2)
		b4 = b1
		b2s := torch.Stack([]*torch.Tensor{
			b1.Mul(a2).Div(a1),
			b3.Mul(a2).Div(a3),
			a1.Sub(a2).MulScalar(w).Add(b1),
			a3.Sub(a2).MulScalar(w).Add(b3),
		}, 1)
		most, _ := b2s.MaxDim(1)
		b2 = most.ClampTensor(nil, b2)
		b3s := torch.Stack([]*torch.Tensor{
			rsub(1, a3.Div(a4)).MulScalar(h).Add(b4.Mul(a3).Div(a4)),
			rsub(1, a3.Div(a2)).MulScalar(h).Add(b2.Mul(a3).Div(a2)),
			a2.Sub(a3).MulScalar(w).Add(b2),
			a4.Sub(a3).MulScalar(w).Add(b4),
		}, 1)
		least, _ := b3s.MinDim(1)
		b3 = least.ClampTensor(b3, nil)
	}
	b1.ClampTensorInPlace(ms[0], ms[2])
	b3.ClampTensorInPlace(ms[0], ms[2])
	b2.ClampTensorInPlace(ms[1], ms[3])
	b4.ClampTensorInPlace(ms[1], ms[3])
	return torch.Stack([]*torch.Tensor{b1, b2, b3, b4}, -1)
}

// clampLeft cuts boxes at the canvas's left edge.
func clampLeft(x, original *torch.Tensor, canvas [2]int, mode tv.ClampingMode) *torch.Tensor {
	shape := x.Shape()
	x, original = x.Reshape(-1, 8), original.Reshape(-1, 8)
	a, _ := edges(x)
	p := x.Unbind(-1)
	x1, y1, x2, y2, x3, y3, x4, y4 := p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]
	caseA := intersections(a, clampIntercepts(x, original, canvas, mode))
	caseB := x.Clone()
	column(caseB, 0).ClampInPlace(0, nil)
	column(caseB, 6).ClampInPlace(0, nil)
	caseC := torch.ZerosLike(caseB)
	isClose := func(a, b *torch.Tensor) *torch.Tensor { return a.IsClose(b, 1e-5, 1e-8) }
	condA := x1.LtScalar(0).BitwiseAnd(caseA.IsNaN().Any(-1).BitwiseNot())
	condB := isClose(y1, y2).BitwiseOr(isClose(y3, y4))
	condC := x1.LeScalar(0).BitwiseAnd(x2.LeScalar(0)).BitwiseAnd(x3.LeScalar(0)).BitwiseAnd(x4.LeScalar(0))
	condC = condC.BitwiseOr(isClose(y1, y4)).BitwiseOr(isClose(y2, y3)).BitwiseOr(condB.BitwiseAnd(isClose(x1, x2)))
	for _, c := range []struct{ cond, boxes *torch.Tensor }{{condA, caseA}, {condB, caseB}, {condC, caseC}} {
		x = torch.Where(c.cond.Unsqueeze(1).Repeat(1, 8), c.boxes.Reshape(-1, 8), x)
	}
	return x.Reshape(shape...)
}

// clampRotated cuts rotated boxes at each side in turn, which is made the left one.
func clampRotated(x *torch.Tensor, format tv.BoundingBoxFormat, canvas [2]int, mode tv.ClampingMode) *torch.Tensor {
	shape := x.Shape()
	out := convert(x.Clone(), format, tv.XYXYXYXY, true).Reshape(-1, 8)
	original := out.Clone()
	turn := func(v *torch.Tensor) {
		xs, ys := columns(v, 0, torch.End, 2), columns(v, 1, torch.End, 2)
		oldX, oldY := xs.Clone(), ys.Clone()
		xs.CopyInPlace(oldY)
		ys.CopyInPlace(rsub(canvas[1], oldX))
	}
	for range 4 {
		order := orderCorners(out)
		out, original = out.Gather(1, order), original.Gather(1, order)
		out = clampLeft(out, original, canvas, mode)
		out, original = out.Gather(1, order), original.Gather(1, order)
		turn(out)
		turn(original)
		canvas = [2]int{canvas[1], canvas[0]}
	}
	return convert(out, tv.XYXYXYXY, format, true).Reshape(shape...)
}

// ClampKeyPoints moves points outside of the canvas to its edge: clamp_keypoints(k).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.clamp_keypoints.html
func ClampKeyPoints(k tv.KeyPoints) (out tv.KeyPoints) {
	const op = "ClampKeyPoints"
	defer named(op, k)
	k.Check("transforms.v2." + op)
	torch.Scope(func() {
		dtype := k.DType()
		x := k.ToDType(torch.Float32)
		if dtype.IsFloatingPoint() {
			x = k.Clone()
		}
		column(x, 0).ClampInPlace(0, k.CanvasSize[1]-1)
		column(x, 1).ClampInPlace(0, k.CanvasSize[0]-1)
		out = k.With(torch.Keep(x.ToDType(dtype)))
	})
	return out
}

// uprightBoxes returns the boxes [..., 8] around parallelograms, with one side along one of theirs.
func uprightBoxes(p *torch.Tensor) *torch.Tensor {
	dtype := p.DType()
	if dtype != torch.Float32 && dtype != torch.Float64 {
		p = p.ToDType(torch.Float32)
	}
	v := p.Unbind(-1)
	x1, y1, x2, y2, x3, y3, x4, y4 := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	cx, cy := x1.Add(x3).DivScalar(2), y1.Add(y3).DivScalar(2)
	wp := x2.Sub(x1).PowScalar(2).Add(y2.Sub(y1).PowScalar(2)).Sqrt()
	hp := x4.Sub(x1).PowScalar(2).Add(y4.Sub(y1).PowScalar(2)).Sqrt()
	r12 := y1.Sub(y2).Atan2(x2.Sub(x1))
	r14 := y1.Sub(y4).Atan2(x4.Sub(x1))
	r := r12.Sub(r14)
	sign := torch.Where(r.GtScalar(math.Pi/2), torch.Scalar(int64(-1)), torch.Scalar(int64(1)))
	cos, sin := r.Cos(), r.Sin()
	w := torch.Where(wp.Lt(hp), wp.Mul(sin), wp.Add(hp.Mul(cos).Mul(sign)))
	h := torch.Where(wp.Gt(hp), hp.Mul(sin), hp.Add(wp.Mul(cos).Mul(sign)))
	r = torch.Where(hp.Gt(wp), r14.AddScalar(math.Pi/2), r12)
	cos, sin = r.Cos(), r.Sin()
	w2, h2 := w.DivScalar(2), h.DivScalar(2)
	wc, ws, hc, hs := w2.Mul(cos), w2.Mul(sin), h2.Mul(cos), h2.Mul(sin)
	out := torch.Stack([]*torch.Tensor{
		cx.Sub(wc).Sub(hs), cy.Sub(hc).Add(ws),
		cx.Add(wc).Sub(hs), cy.Sub(hc).Sub(ws),
		cx.Add(wc).Add(hs), cy.Add(hc).Sub(ws),
		cx.Sub(wc).Add(hs), cy.Add(hc).Add(ws),
	}, -1).Reshape(p.Shape()...)
	return out.ToDType(dtype)
}

// corners returns the four corners of boxes as points [4N, 2]; x is XYXY or XYXYXYXY.
func corners(x *torch.Tensor, rotated bool) *torch.Tensor {
	if !rotated {
		x = x.Index(torch.All, torch.FromSlice([]int64{0, 1, 2, 1, 2, 3, 0, 3}, 4, 2))
	}
	return x.Reshape(-1, 2)
}

// around returns the boxes around the corners [4N, 2]: upright ones for XYXY, along a side for rotated ones.
func around(points *torch.Tensor, rotated bool) *torch.Tensor {
	if rotated {
		return uprightBoxes(points.Reshape(-1, 8))
	}
	low, high := points.Reshape(-1, 4, 2).Aminmax(1)
	return torch.Cat([]*torch.Tensor{low, high}, 1)
}

// pointFormat is the format whose numbers are corners: XYXY, or XYXYXYXY for rotated boxes.
func pointFormat(f tv.BoundingBoxFormat) tv.BoundingBoxFormat {
	if f.Rotated() {
		return tv.XYXYXYXY
	}
	return tv.XYXY
}
