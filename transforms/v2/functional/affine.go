package functional

import (
	"image"
	"math"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// An AffineMap is the map of pixels of [Affine].
type AffineMap struct {
	Angle     float64    // in degrees, clockwise
	Translate [2]float64 // pixels to the right and down
	Scale     float64    // must be more than 0
	Shear     [2]float64 // in degrees, along x and y
}

// AffineOptions are the options of [Affine].
type AffineOptions struct {
	Interpolation Interpolation // "" is Nearest; images take Nearest and Bilinear
	Fill          Fill          // nil is none: the same as 0 but for rounding
	Center        []float64     // x and y of the point that stays; nil is the center
}

// Affine turns, moves, scales and shears around a point: affine(x, angle,
// translate, scale, shear, …). The size stays.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.affine.html
func Affine[T any](x T, m AffineMap, options ...AffineOptions) T {
	o := torch.Only(options)
	return call(x, affineKernels(m, o), m, o)
}

func affineKernels(m AffineMap, o AffineOptions) kernels {
	return kernels{
		name:    "Affine",
		image:   func(x *torch.Tensor) *torch.Tensor { return AffineImage(x, m, o) },
		mask:    func(x *torch.Tensor) *torch.Tensor { return AffineMask(x, m, o) },
		boxes:   func(b tv.BoundingBoxes) tv.BoundingBoxes { return AffineBoundingBoxes(b, m, o) },
		points:  func(k tv.KeyPoints) tv.KeyPoints { return AffineKeyPoints(k, m, o) },
		picture: func(p image.Image) image.Image { return pictureAffine(p, m, o) },
	}
}

// checkMap panics where a map or its options cannot be.
func checkMap(op string, x any, m AffineMap, center []float64) {
	if !(m.Scale > 0) {
		fail(op, x, "the scale is %v; want more than 0", m.Scale)
	}
	if center != nil && len(center) != 2 {
		fail(op, x, "the center has %d numbers; want x and y", len(center))
	}
}

func radians(degrees float64) float64 { return float64(degrees * (math.Pi / 180.0)) }

// matrix is v2's _get_inverse_affine_matrix, in its order of operations.
func (m AffineMap) matrix(cx, cy float64, inverted bool) [6]float64 {
	// The conversions to float64 forbid the fused multiply-add that some processors have.
	rot, sx, sy := radians(m.Angle), radians(m.Shear[0]), radians(m.Shear[1])
	cosSY, tanSX := libm.Cos(sy), libm.Tan(sx)
	turn := rot - sy
	cxt, cyt := cx+m.Translate[0], cy+m.Translate[1]
	a := libm.Cos(turn) / cosSY
	b := -(float64(a*tanSX) + libm.Sin(rot))
	c := libm.Sin(turn) / cosSY
	d := libm.Cos(rot) - float64(c*tanSX)
	if inverted {
		r := [6]float64{d / m.Scale, -b / m.Scale, 0, -c / m.Scale, a / m.Scale, 0}
		r[2] += cx - float64(r[0]*cxt) - float64(r[1]*cyt)
		r[5] += cy - float64(r[3]*cxt) - float64(r[4]*cyt)
		return r
	}
	r := [6]float64{a * m.Scale, b * m.Scale, 0, c * m.Scale, d * m.Scale, 0}
	r[2] += cxt - float64(r[0]*cx) - float64(r[1]*cy)
	r[5] += cyt - float64(r[3]*cx) - float64(r[4]*cy)
	return r
}

// fromCenter returns a point's offset from the center of w×h, 0 if none is given.
func fromCenter(center []float64, w, h int) (x, y float64) {
	if center == nil {
		return 0, 0
	}
	return center[0] - float64(float64(w)*0.5), center[1] - float64(float64(h)*0.5)
}

// centerOf returns a point, or the center of a canvas if none is given.
func centerOf(center []float64, canvas [2]int) (x, y float64) {
	if center == nil {
		return float64(canvas[1]) * 0.5, float64(canvas[0]) * 0.5
	}
	return center[0], center[1]
}

// checkGrid panics where an image cannot be sampled at a grid so.
func checkGrid(op string, x *torch.Tensor, how Interpolation, fill Fill) {
	c, _, _ := chw(op, x)
	if len(fill) > 1 && len(fill) != c {
		fail(op, x, "the fill has %d numbers for %d channels", len(fill), c)
	}
	checked(how, op, x)
	if how != Nearest && how != Bilinear {
		fail(op, x, "tensors are not sampled by %s; want nearest or bilinear", how)
	}
}

// baseGrid returns the grid [1, h, w, n] of the numbers that x and y run through, and 1 after them.
func baseGrid(x *torch.Tensor, dtype torch.DType, n, h, w int, xs, ys *torch.Tensor) *torch.Tensor {
	grid := torch.Options{DType: dtype, Device: x.Device()}.Empty(1, h, w, n)
	column(grid, 0).CopyInPlace(xs)
	column(grid, 1).CopyInPlace(ys.UnsqueezeInPlace(-1))
	if n > 2 {
		column(grid, 2).FillInPlace(1)
	}
	return grid
}

// affineGrid returns the sources in x of the pixels of an image of oh×ow, for grid_sample.
func affineGrid(x *torch.Tensor, matrix [6]float64, oh, ow int) *torch.Tensor {
	h, w := hw("Affine", x)
	dtype := computeDType(x)
	theta := floats(matrix[:], dtype, x).Reshape(1, 2, 3)
	line := func(n int) *torch.Tensor {
		return torch.Options{DType: torch.Float32, Device: x.Device()}.Linspace((1.0-float64(n))*0.5, (float64(n)-1.0)*0.5, n)
	}
	grid := baseGrid(x, dtype, 3, oh, ow, line(ow), line(oh))
	theta = theta.Transpose(1, 2).DivInPlace(floats([]float64{0.5 * float64(w), 0.5 * float64(h)}, dtype, x))
	return grid.View(1, oh*ow, 3).BMM(theta).View(1, oh, ow, 2)
}

// sample returns x at the places of a grid, and the fill outside of it.
func sample(x, grid *torch.Tensor, how Interpolation, fill Fill) *torch.Tensor {
	shape := x.Shape()
	oh, ow := grid.Size(1), grid.Size(2)
	out := reshaped(shape, 2, oh, ow)
	if x.Numel() == 0 {
		return x.Reshape(out...)
	}
	y := squash(x)
	n := y.Size(0)
	same := x.DType() == grid.DType()
	if !same {
		y = y.ToDType(grid.DType())
	}
	if n > 1 {
		grid = grid.Expand(n, -1, -1, -1)
	}
	if fill != nil {
		mask := torch.Options{DType: y.DType(), Device: x.Device()}.Ones(n, 1, y.Size(2), y.Size(3))
		y = torch.Cat([]*torch.Tensor{y, mask}, 1)
	}
	y = F.GridSample(y, grid, F.GridSampleOptions{Mode: string(how), PaddingMode: "zeros"})
	if fill != nil {
		c := y.Size(1) - 1
		mask := y.Narrow(1, c, 1)
		y = y.Narrow(1, 0, c)
		mask = mask.ExpandAs(y)
		values := floats(fill, y.DType(), x).View(1, -1, 1, 1)
		if how == Nearest {
			y = torch.Where(mask.LtScalar(0.5), values.ExpandAs(y), y)
		} else {
			y = y.SubInPlace(values).MulInPlace(mask).AddInPlace(values)
		}
	}
	if !same {
		y = y.RoundInPlace().ToDType(x.DType())
	}
	return y.Reshape(out...)
}

func nearestUnless(how Interpolation) Interpolation {
	if how == "" {
		return Nearest
	}
	return how
}

// AffineImage is [Affine] of a tensor [..., C, H, W].
func AffineImage(x *torch.Tensor, m AffineMap, options ...AffineOptions) *torch.Tensor {
	o := torch.Only(options)
	how := nearestUnless(o.Interpolation)
	checkMap("Affine", x, m, o.Center)
	checkGrid("Affine", x, how, o.Fill)
	h, w := hw("Affine", x)
	cx, cy := fromCenter(o.Center, w, h)
	return sample(x, affineGrid(x, m.matrix(cx, cy, true), h, w), how, o.Fill)
}

// AffineVideo is [Affine] of a tensor [..., T, C, H, W].
func AffineVideo(x *torch.Tensor, m AffineMap, options ...AffineOptions) *torch.Tensor {
	return AffineImage(x, m, options...)
}

// AffineMask is [Affine] of a tensor [..., H, W].
func AffineMask(x *torch.Tensor, m AffineMap, options ...AffineOptions) *torch.Tensor {
	o := torch.Only(options)
	o.Interpolation = Nearest
	return asImage(x, func(x *torch.Tensor) *torch.Tensor { return AffineImage(x, m, o) })
}

// outputSize returns the height and width that hold all of an h×w image after
// the inverse of a matrix. It computes in float32 by libtorch, as Python does.
func outputSize(matrix [6]float64, h, w int) (int, int) {
	hh, hw := 0.5*float64(h), 0.5*float64(w)
	points := torch.FromSlice([]float64{-hw, -hh, 1, -hw, hh, 1, hw, hh, 1, hw, -hh, 1}, 4, 3).ToDType(torch.Float32)
	theta := torch.FromSlice(matrix[:], 2, 3).ToDType(torch.Float32)
	low, high := points.MatMul(theta.T()).Aminmax(0)
	half := torch.FromSlice([]float64{hw, hh}).ToDType(torch.Float32)
	const tol = 1e-4
	round := func(v *torch.Tensor) *torch.Tensor {
		return v.AddInPlace(half).MulInPlace(scalarOf(1.0 / tol)).TruncInPlace().MulInPlace(scalarOf(tol))
	}
	size := torch.Data[float32](round(high).CeilInPlace().SubInPlace(round(low).FloorInPlace()))
	return int(size[1]), int(size[0])
}

// movePoints returns points [N, 2] after a map, and the canvas that holds the whole of
// the old one where it expands.
func movePoints(op string, x any, points *torch.Tensor, canvas [2]int, m AffineMap, center []float64, expand bool) (moved, offset *torch.Tensor, _ [2]int) {
	checkMap(op, x, m, center)
	dtype := points.DType()
	cx, cy := centerOf(center, canvas)
	forward := m.matrix(cx, cy, false)
	matrix := floats(forward[:], dtype, points).Reshape(2, 3).T()
	ones := torch.Options{DType: dtype, Device: points.Device()}.Ones(points.Size(0), 1)
	moved = torch.Cat([]*torch.Tensor{points, ones}, -1).MatMul(matrix)
	if expand {
		h, w := float64(canvas[0]), float64(canvas[1])
		corners := floats([]float64{0, 0, 1, 0, h, 1, w, h, 1, w, 0, 1}, dtype, points).Reshape(4, 3)
		offset = corners.MatMul(matrix).AminDim(0, torch.AminOptions{KeepDim: true})
		nh, nw := outputSize(m.matrix(cx, cy, true), canvas[0], canvas[1])
		canvas = [2]int{nh, nw}
	}
	return moved, offset, canvas
}

func affinePoints(op string, k tv.KeyPoints, m AffineMap, center []float64, expand bool) tv.KeyPoints {
	if k.Numel() == 0 {
		return k
	}
	shape, dtype := k.Shape(), k.DType()
	moved, offset, canvas := movePoints(op, k, compute(k.Tensor).Reshape(-1, 2), k.CanvasSize, m, center, expand)
	if offset != nil {
		moved.SubInPlace(offset)
	}
	k.CanvasSize = canvas
	return k.With(moved.Reshape(shape...).ToDType(dtype))
}

// AffineKeyPoints is [Affine] of key points.
func AffineKeyPoints(k tv.KeyPoints, m AffineMap, options ...AffineOptions) tv.KeyPoints {
	return affinePoints("Affine", k, m, torch.Only(options).Center, false)
}

func affineBoxes(op string, b tv.BoundingBoxes, m AffineMap, center []float64, expand bool) tv.BoundingBoxes {
	if b.Numel() == 0 {
		return b
	}
	shape, dtype, rotated := b.Shape(), b.DType(), b.Format.Rotated()
	to := pointFormat(b.Format)
	x := compute(b.Tensor)
	if x.DType() == dtype {
		x = x.Clone()
	}
	x = convert(x, b.Format, to, true)
	moved, offset, canvas := movePoints(op, b, corners(x.Reshape(-1, to.Numbers()), rotated), b.CanvasSize, m, center, expand)
	out := around(moved, rotated)
	if offset != nil {
		out.SubInPlace(offset.Repeat(1, to.Numbers()/2))
	}
	out = clamp(out, to, canvas, b.ClampingMode)
	out = convert(out, to, b.Format, true).Reshape(shape...)
	b.CanvasSize = canvas
	return b.With(out.ToDType(dtype))
}

// AffineBoundingBoxes is [Affine] of boxes.
func AffineBoundingBoxes(b tv.BoundingBoxes, m AffineMap, options ...AffineOptions) tv.BoundingBoxes {
	return affineBoxes("Affine", b, m, torch.Only(options).Center, false)
}

// RotateOptions are the options of [Rotate].
type RotateOptions struct {
	Interpolation Interpolation // "" is Nearest; images take Nearest and Bilinear
	Expand        bool          // grow so that all of it is seen
	Center        []float64     // x and y of the point that stays; nil is the center
	Fill          Fill          // nil is none: the same as 0 but for rounding
}

// Rotate turns counter-clockwise by an angle in degrees: rotate(x, angle, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.rotate.html
func Rotate[T any](x T, angle float64, options ...RotateOptions) T {
	o := torch.Only(options)
	return call(x, rotateKernels(angle, o), angle, o)
}

func rotateKernels(angle float64, o RotateOptions) kernels {
	return kernels{
		name:    "Rotate",
		image:   func(x *torch.Tensor) *torch.Tensor { return RotateImage(x, angle, o) },
		mask:    func(x *torch.Tensor) *torch.Tensor { return RotateMask(x, angle, o) },
		boxes:   func(b tv.BoundingBoxes) tv.BoundingBoxes { return RotateBoundingBoxes(b, angle, o) },
		points:  func(k tv.KeyPoints) tv.KeyPoints { return RotateKeyPoints(k, angle, o) },
		picture: func(p image.Image) image.Image { return pictureRotate(p, angle, o) },
	}
}

func rotation(angle float64) AffineMap { return AffineMap{Angle: -angle, Scale: 1} }

// RotateImage is [Rotate] of a tensor [..., C, H, W].
func RotateImage(x *torch.Tensor, angle float64, options ...RotateOptions) *torch.Tensor {
	const op = "Rotate"
	o := torch.Only(options)
	how := nearestUnless(o.Interpolation)
	checkMap(op, x, rotation(angle), o.Center)
	h, w := hw(op, x)
	angle = floorMod(angle, 360)
	if o.Center == nil {
		switch {
		case angle == 0:
			return x.Clone()
		case angle == 180:
			return x.Rot90(2, -2, -1)
		case (o.Expand || h == w) && angle == 90:
			return x.Rot90(1, -2, -1)
		case (o.Expand || h == w) && angle == 270:
			return x.Rot90(3, -2, -1)
		}
	}
	checkGrid(op, x, how, o.Fill)
	cx, cy := fromCenter(o.Center, w, h)
	matrix := rotation(angle).matrix(cx, cy, true)
	oh, ow := h, w
	if o.Expand {
		oh, ow = outputSize(matrix, h, w)
	}
	return sample(x, affineGrid(x, matrix, oh, ow), how, o.Fill)
}

// RotateVideo is [Rotate] of a tensor [..., T, C, H, W].
func RotateVideo(x *torch.Tensor, angle float64, options ...RotateOptions) *torch.Tensor {
	return RotateImage(x, angle, options...)
}

// RotateMask is [Rotate] of a tensor [..., H, W].
func RotateMask(x *torch.Tensor, angle float64, options ...RotateOptions) *torch.Tensor {
	o := torch.Only(options)
	o.Interpolation = Nearest
	return asImage(x, func(x *torch.Tensor) *torch.Tensor { return RotateImage(x, angle, o) })
}

// RotateKeyPoints is [Rotate] of key points.
func RotateKeyPoints(k tv.KeyPoints, angle float64, options ...RotateOptions) tv.KeyPoints {
	o := torch.Only(options)
	return affinePoints("Rotate", k, rotation(angle), o.Center, o.Expand)
}

// RotateBoundingBoxes is [Rotate] of boxes.
func RotateBoundingBoxes(b tv.BoundingBoxes, angle float64, options ...RotateOptions) tv.BoundingBoxes {
	o := torch.Only(options)
	return affineBoxes("Rotate", b, rotation(angle), o.Center, o.Expand)
}
