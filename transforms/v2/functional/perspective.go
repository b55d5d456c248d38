package functional

import (
	"image"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/linalg"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// PerspectiveOptions are the options of [Perspective].
type PerspectiveOptions struct {
	Interpolation Interpolation // "" is Bilinear; images take Nearest and Bilinear
	Fill          Fill          // nil is none: the same as 0 but for rounding
	Coefficients  []float64     // the eight numbers of [PerspectiveCoefficients], in place of points
}

// Perspective moves four points, start, each x and y, to four others, end:
// perspective(x, startpoints, endpoints, …). Without points the options hold coefficients.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.perspective.html
func Perspective[T any](x T, start, end [][2]int, options ...PerspectiveOptions) T {
	o := torch.Only(options)
	return call(x, perspectiveKernels(start, end, o), start, end, o)
}

func perspectiveKernels(start, end [][2]int, o PerspectiveOptions) kernels {
	return kernels{
		name:    "Perspective",
		image:   func(x *torch.Tensor) *torch.Tensor { return PerspectiveImage(x, start, end, o) },
		mask:    func(x *torch.Tensor) *torch.Tensor { return PerspectiveMask(x, start, end, o) },
		boxes:   func(b tv.BoundingBoxes) tv.BoundingBoxes { return PerspectiveBoundingBoxes(b, start, end, o) },
		points:  func(k tv.KeyPoints) tv.KeyPoints { return PerspectiveKeyPoints(k, start, end, o) },
		picture: func(p image.Image) image.Image { return picturePerspective(p, coefficients(p, start, end, o), o) },
	}
}

// PerspectiveCoefficients returns the eight numbers a to h of the perspective that
// moves four points, start, to four others, end: a pixel x, y of the result comes from
// ((a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1)). They
// are rounded to float32, as in Python.
func PerspectiveCoefficients(start, end [][2]int) []float64 {
	if len(start) != 4 || len(end) != 4 {
		fail("Perspective", nil, "there are %d start points and %d end points; want four of each", len(start), len(end))
	}
	var a, b []float64
	for i := range start {
		sx, sy, ex, ey := float64(start[i][0]), float64(start[i][1]), float64(end[i][0]), float64(end[i][1])
		a = append(a, ex, ey, 1, 0, 0, 0, -sx*ex, -sx*ey,
			0, 0, 0, ex, ey, 1, -sy*ex, -sy*ey)
		b = append(b, sx, sy)
	}
	var out []float64
	torch.Scope(func() {
		x, _, _, _ := linalg.Lstsq(torch.FromSlice(a, 8, 8), torch.FromSlice(b), linalg.LstsqOptions{Driver: "gels"})
		out = torch.Data[float64](x.ToDType(torch.Float32).ToDType(torch.Float64))
	})
	return out
}

func coefficients(x any, start, end [][2]int, o PerspectiveOptions) []float64 {
	const op = "Perspective"
	switch {
	case o.Coefficients == nil && (start == nil || end == nil):
		fail(op, x, "there are neither points nor coefficients")
	case o.Coefficients == nil:
		return PerspectiveCoefficients(start, end)
	case start != nil && end != nil:
		fail(op, x, "there are both points and coefficients; give one of them")
	case len(o.Coefficients) != 8:
		fail(op, x, "there are %d coefficients; want 8", len(o.Coefficients))
	}
	return o.Coefficients
}

// PerspectiveImage is [Perspective] of a tensor [..., C, H, W].
func PerspectiveImage(x *torch.Tensor, start, end [][2]int, options ...PerspectiveOptions) *torch.Tensor {
	o := torch.Only(options)
	c := coefficients(x, start, end, o)
	how := ResizeOptions{Interpolation: o.Interpolation}.interpolation()
	checkGrid("Perspective", x, how, o.Fill)
	h, w := hw("Perspective", x)
	dtype := computeDType(x)
	row := func(v ...float64) *torch.Tensor { return floats(v, dtype, x).Reshape(1, 2, 3) }
	theta1 := row(c[:6]...)
	theta2 := row(c[6], c[7], 1, c[6], c[7], 1)
	const d = 0.5
	line := func(n int) *torch.Tensor {
		return torch.Options{DType: dtype, Device: x.Device()}.Linspace(d, float64(n)+d-1.0, n)
	}
	base := baseGrid(x, dtype, 3, h, w, line(w), line(h)).View(1, h*w, 3)
	scaled := theta1.Transpose(1, 2).DivInPlace(floats([]float64{0.5 * float64(w), 0.5 * float64(h)}, dtype, x))
	grid := base.BMM(scaled).DivInPlace(base.BMM(theta2.Transpose(1, 2))).SubScalarInPlace(1.0).View(1, h, w, 2)
	return sample(x, grid, how, o.Fill)
}

// PerspectiveVideo is [Perspective] of a tensor [..., T, C, H, W].
func PerspectiveVideo(x *torch.Tensor, start, end [][2]int, options ...PerspectiveOptions) *torch.Tensor {
	return PerspectiveImage(x, start, end, options...)
}

// PerspectiveMask is [Perspective] of a tensor [..., H, W].
func PerspectiveMask(x *torch.Tensor, start, end [][2]int, options ...PerspectiveOptions) *torch.Tensor {
	o := torch.Only(options)
	o.Interpolation = Nearest
	return asImage(x, func(x *torch.Tensor) *torch.Tensor { return PerspectiveImage(x, start, end, o) })
}

// project returns points [N, 2] moved by the inverse of the perspective, in dtype.
func project(x any, points *torch.Tensor, c []float64, dtype torch.DType) *torch.Tensor {
	// The conversions to float64 forbid the fused multiply-add that some processors have.
	mul := func(a, b float64) float64 { return float64(a * b) }
	denom := mul(c[0], c[4]) - mul(c[1], c[3])
	if denom == 0 {
		fail("Perspective", x, "the coefficients %v cannot be inverted", c)
	}
	inv := []float64{
		(c[4] - mul(c[5], c[7])) / denom,
		(-c[1] + mul(c[2], c[7])) / denom,
		(mul(c[1], c[5]) - mul(c[2], c[4])) / denom,
		(-c[3] + mul(c[5], c[6])) / denom,
		(c[0] - mul(c[2], c[6])) / denom,
		(mul(-c[0], c[5]) + mul(c[2], c[3])) / denom,
		(mul(-c[4], c[6]) + mul(c[3], c[7])) / denom,
		(mul(-c[0], c[7]) + mul(c[1], c[6])) / denom,
	}
	theta1 := floats(inv[:6], dtype, points).Reshape(2, 3)
	theta2 := floats([]float64{inv[6], inv[7], 1, inv[6], inv[7], 1}, dtype, points).Reshape(2, 3)
	ones := torch.Options{DType: torch.Float32, Device: points.Device()}.Ones(points.Size(0), 1)
	points = torch.Cat([]*torch.Tensor{points, ones}, -1)
	return points.MatMul(theta1.T()).DivInPlace(points.MatMul(theta2.T()))
}

// PerspectiveKeyPoints is [Perspective] of key points.
func PerspectiveKeyPoints(k tv.KeyPoints, start, end [][2]int, options ...PerspectiveOptions) tv.KeyPoints {
	if k.Numel() == 0 {
		return k
	}
	c := coefficients(k, start, end, torch.Only(options))
	moved := project(k, k.Reshape(-1, 2), c, computeDType(k.Tensor))
	return k.With(moved.ToDType(k.DType()).Reshape(k.Shape()...))
}

// PerspectiveBoundingBoxes is [Perspective] of boxes.
func PerspectiveBoundingBoxes(b tv.BoundingBoxes, start, end [][2]int, options ...PerspectiveOptions) tv.BoundingBoxes {
	if b.Numel() == 0 {
		return b
	}
	c := coefficients(b, start, end, torch.Only(options))
	rotated, to := b.Format.Rotated(), pointFormat(b.Format)
	x := convert(b.Tensor, b.Format, to, false).Reshape(-1, to.Numbers())
	out := around(project(b, corners(x, rotated), c, computeDType(x)), rotated)
	out = clamp(out, to, b.CanvasSize, b.ClampingMode)
	return b.With(convert(out, to, b.Format, true).Reshape(b.Shape()...).ToDType(b.DType()))
}
