package functional

import (
	"image"
	"slices"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// ElasticOptions are the options of [Elastic].
type ElasticOptions struct {
	Interpolation Interpolation // "" is Bilinear; images take Nearest, Bilinear and Bicubic
	Fill          Fill          // nil is none: the same as 0 but for rounding
}

// Elastic moves each pixel by a displacement of its own, [1, H, W, 2], in units
// of half the width and half the height: elastic(x, displacement, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.elastic.html
func Elastic[T any](x T, displacement *torch.Tensor, options ...ElasticOptions) T {
	o := torch.Only(options)
	return call(x, elasticKernels(displacement, o), displacement, o)
}

func elasticKernels(displacement *torch.Tensor, o ElasticOptions) kernels {
	return kernels{
		name:   "Elastic",
		image:  func(x *torch.Tensor) *torch.Tensor { return ElasticImage(x, displacement, o) },
		mask:   func(x *torch.Tensor) *torch.Tensor { return ElasticMask(x, displacement, o) },
		boxes:  func(b tv.BoundingBoxes) tv.BoundingBoxes { return ElasticBoundingBoxes(b, displacement) },
		points: func(k tv.KeyPoints) tv.KeyPoints { return ElasticKeyPoints(k, displacement) },
		picture: func(p image.Image) image.Image {
			return throughTensor(p, func(x *torch.Tensor) *torch.Tensor { return ElasticImage(x, displacement, o) })
		},
	}
}

// ElasticTransform is another name of [Elastic]: elastic_transform.
func ElasticTransform[T any](x T, displacement *torch.Tensor, options ...ElasticOptions) T {
	return Elastic(x, displacement, options...)
}

func checkDisplacement(x any, d *torch.Tensor, h, w int) {
	if d == nil {
		fail("Elastic", x, "there is no displacement")
	}
	if want := []int{1, h, w, 2}; !slices.Equal(d.Shape(), want) {
		fail("Elastic", x, "the displacement has the shape %v; want %v", d.Shape(), want)
	}
}

// identityGrid returns the grid of a canvas on which each pixel stays.
func identityGrid(like *torch.Tensor, dtype torch.DType, h, w int) *torch.Tensor {
	if min(h, w) == 0 {
		fail("Elastic", like, "the canvas of %d×%d has no pixels", h, w)
	}
	line := func(n int) *torch.Tensor {
		s := float64(n)
		return torch.Options{DType: dtype, Device: like.Device()}.Linspace((-s+1)/s, (s-1)/s, n)
	}
	return baseGrid(like, dtype, 2, h, w, line(w), line(h))
}

// ElasticImage is [Elastic] of a tensor [..., C, H, W].
func ElasticImage(x, displacement *torch.Tensor, options ...ElasticOptions) *torch.Tensor {
	const op = "Elastic"
	o := torch.Only(options)
	how := ResizeOptions{Interpolation: o.Interpolation}.interpolation()
	if checked(how, op, x); x.Numel() > 0 && how != Nearest && how != Bilinear && how != Bicubic {
		fail(op, x, "images are not sampled by %s; want nearest, bilinear or bicubic", how)
	}
	_, h, w := chw(op, x)
	checkDisplacement(x, displacement, h, w)
	dtype, half := computeDType(x), false
	if half = dtype == torch.Float16 && x.Device() == torch.CPU; half { // which grid_sample does not take
		x, dtype = x.ToDType(torch.Float32), torch.Float32
	}
	grid := identityGrid(x, dtype, h, w).AddInPlace(displacement.To(x.Device()).ToDType(dtype))
	y := sample(x, grid, how, o.Fill)
	if half {
		y = y.ToDType(torch.Float16)
	}
	return y
}

// ElasticVideo is [Elastic] of a tensor [..., T, C, H, W].
func ElasticVideo(x, displacement *torch.Tensor, options ...ElasticOptions) *torch.Tensor {
	return ElasticImage(x, displacement, options...)
}

// ElasticMask is [Elastic] of a tensor [..., H, W].
func ElasticMask(x, displacement *torch.Tensor, options ...ElasticOptions) *torch.Tensor {
	o := torch.Only(options)
	o.Interpolation = Nearest
	return asImage(x, func(x *torch.Tensor) *torch.Tensor { return ElasticImage(x, displacement, o) })
}

// stretch returns points [N, 2] of a canvas where the displacement moves them.
func stretch(points, displacement *torch.Tensor, canvas [2]int) *torch.Tensor {
	dtype := computeDType(points)
	displacement = displacement.To(points.Device()).ToDType(dtype)
	grid := identityGrid(points, dtype, canvas[0], canvas[1]).SubInPlace(displacement)
	at := points.ToDType(torch.Int64)
	x := at.Select(1, 0).Clamp(0, canvas[1]-1)
	y := at.Select(1, 1).Clamp(0, canvas[0]-1)
	size := floats([]float64{float64(canvas[1]), float64(canvas[0])}, dtype, points)
	return grid.Index(0, y, x).AddScalarInPlace(1).MulInPlace(size.MulScalar(0.5)).SubScalarInPlace(0.5)
}

// ElasticKeyPoints is [Elastic] of key points.
func ElasticKeyPoints(k tv.KeyPoints, displacement *torch.Tensor) tv.KeyPoints {
	checkDisplacement(k, displacement, k.CanvasSize[0], k.CanvasSize[1])
	if k.Numel() == 0 {
		return k
	}
	moved := stretch(k.Reshape(-1, 2), displacement, k.CanvasSize)
	return k.With(moved.ToDType(k.DType()).Reshape(k.Shape()...))
}

// ElasticBoundingBoxes is [Elastic] of boxes.
func ElasticBoundingBoxes(b tv.BoundingBoxes, displacement *torch.Tensor) tv.BoundingBoxes {
	checkDisplacement(b, displacement, b.CanvasSize[0], b.CanvasSize[1])
	if b.Numel() == 0 {
		return b
	}
	rotated, to := b.Format.Rotated(), tv.XYXY
	if rotated {
		to = tv.CXCYWHR
	}
	x := convert(b.Clone(), b.Format, to, false).Reshape(-1, to.Numbers())
	var points *torch.Tensor
	if rotated {
		points = columns(x, 0, 2, 1).Reshape(-1, 2)
	} else {
		points = corners(x, false)
	}
	if points.DType().IsFloatingPoint() {
		points = points.Ceil()
	}
	moved := stretch(points, displacement, b.CanvasSize)
	var out *torch.Tensor
	if rotated {
		out = torch.Cat([]*torch.Tensor{moved, columns(x, 2, torch.End, 1)}, 1).ToDType(x.DType())
	} else {
		out = around(moved, false).ToDType(x.DType())
	}
	out = clamp(out, to, b.CanvasSize, b.ClampingMode)
	return b.With(convert(out, to, b.Format, false).Reshape(b.Shape()...))
}
