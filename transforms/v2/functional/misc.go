package functional

import (
	"image"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// Normalize subtracts from each channel of a floating-point image or video its
// mean and divides by its std: normalize(x, mean, std). One number does for all channels.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.normalize.html
func Normalize[T any](x T, mean, std []float64) T {
	return call(x, normalizeKernels(mean, std), mean, std)
}

func normalizeKernels(mean, std []float64) kernels {
	return kernels{name: "Normalize", image: func(x *torch.Tensor) *torch.Tensor { return NormalizeImage(x, mean, std) }}
}

// NormalizeInPlace is [Normalize] in x's own memory: normalize(x, mean, std, inplace=True).
func NormalizeInPlace[T any](x T, mean, std []float64) T {
	return call(x, normalizeInPlaceKernels(mean, std), mean, std)
}

func normalizeInPlaceKernels(mean, std []float64) kernels {
	return kernels{name: "Normalize", image: func(x *torch.Tensor) *torch.Tensor {
		m, s := normalizers(x, mean, std)
		return x.SubInPlace(m).DivInPlace(s)
	}}
}

// NormalizeImage is [Normalize] of a tensor [..., C, H, W].
func NormalizeImage(x *torch.Tensor, mean, std []float64) *torch.Tensor {
	m, s := normalizers(x, mean, std)
	return x.Sub(m).DivInPlace(s)
}

// NormalizeVideo is [Normalize] of a tensor [..., T, C, H, W].
func NormalizeVideo(x *torch.Tensor, mean, std []float64) *torch.Tensor {
	return NormalizeImage(x, mean, std)
}

func normalizers(x *torch.Tensor, mean, std []float64) (m, s *torch.Tensor) {
	const op = "Normalize"
	if !x.DType().IsFloatingPoint() {
		fail(op, x, "the tensor is not a floating-point one; put ToDtype(torch.Float32, true) before")
	}
	c, _, _ := chw(op, x)
	for _, n := range []int{len(mean), len(std)} {
		if n != 1 && n != c && c != 1 {
			fail(op, x, "there are %d means and %d stds for %d channels", len(mean), len(std), c)
		}
	}
	for i, v := range std {
		if v == 0 {
			fail(op, x, "std[%d] is 0, which nothing can be divided by", i)
		}
	}
	return floats(mean, x.DType(), x).View(-1, 1, 1), floats(std, x.DType(), x).View(-1, 1, 1)
}

// GaussianBlur blurs an image, video or picture with a kernel of an odd width and
// height, and the standard deviations sigma along x and y: gaussian_blur(x,
// kernel_size, sigma). One number stands for both; no sigma is 0.15 k + 0.35 for a kernel of k.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.gaussian_blur.html
func GaussianBlur[T any](x T, kernelSize torch.Ints, sigma []float64) T {
	return call(x, gaussianBlurKernels(kernelSize, sigma), kernelSize, sigma)
}

func gaussianBlurKernels(kernelSize torch.Ints, sigma []float64) kernels {
	return kernels{
		name:  "GaussianBlur",
		image: func(x *torch.Tensor) *torch.Tensor { return GaussianBlurImage(x, kernelSize, sigma) },
		picture: func(p image.Image) image.Image {
			return throughTensor(p, func(x *torch.Tensor) *torch.Tensor { return GaussianBlurImage(x, kernelSize, sigma) })
		},
	}
}

// GaussianBlurImage is [GaussianBlur] of a tensor [..., C, H, W].
func GaussianBlurImage(x *torch.Tensor, size torch.Ints, sigma []float64) *torch.Tensor {
	const op = "GaussianBlur"
	kernelSize := list(op, x, "kernel size", size)
	c, _, _ := chw(op, x)
	if len(kernelSize) == 1 {
		kernelSize = []int{kernelSize[0], kernelSize[0]}
	}
	if len(kernelSize) != 2 {
		fail(op, x, "the kernel size is %v; want a width and a height", kernelSize)
	}
	for _, k := range kernelSize {
		if k%2 == 0 || k < 0 {
			fail(op, x, "the kernel size is %v; want odd numbers", kernelSize)
		}
	}
	switch len(sigma) {
	case 0:
		for _, k := range kernelSize {
			sigma = append(sigma, float64(float64(k)*0.15)+0.35)
		}
	case 1:
		sigma = []float64{sigma[0], sigma[0]}
	case 2:
	default:
		fail(op, x, "there are %d sigmas; want one or two", len(sigma))
	}
	for _, s := range sigma {
		if !(s > 0) {
			fail(op, x, "sigma is %v; want numbers above 0", sigma)
		}
	}
	if x.Numel() == 0 {
		return x
	}
	shape := x.Shape()
	y := x
	switch n := len(shape); {
	case n == 3:
		y = x.Unsqueeze(0)
	case n > 4:
		y = squash(x)
	}
	dtype := computeDType(x)
	line := func(i int) *torch.Tensor {
		lim := float64(kernelSize[i]-1) / (2.0 * math.Sqrt(2.0))
		x := torch.Options{DType: dtype, Device: x.Device()}.Linspace(-lim, lim, kernelSize[i])
		return x.DivScalar(sigma[i]).PowScalar(2).Neg().Softmax(0)
	}
	lineX := line(0)
	kernel := line(1).Unsqueeze(-1).Mul(lineX).Expand(c, 1, kernelSize[1], kernelSize[0])
	px, py := kernelSize[0]/2, kernelSize[1]/2
	y = F.Conv2d(F.Pad(compute(y), []int{px, px, py, py}, F.PadOptions{Mode: "reflect"}), kernel, nil, F.Conv2dOptions{Groups: c})
	switch n := len(shape); {
	case n == 3:
		y = y.Squeeze(0)
	case n > 4:
		y = y.Reshape(shape...)
	}
	if !x.DType().IsFloatingPoint() {
		y = y.RoundInPlace().ToDType(x.DType())
	}
	return y
}

// GaussianBlurVideo is [GaussianBlur] of a tensor [..., T, C, H, W].
func GaussianBlurVideo(x *torch.Tensor, kernelSize torch.Ints, sigma []float64) *torch.Tensor {
	return GaussianBlurImage(x, kernelSize, sigma)
}

// GaussianNoiseOptions are the options of [GaussianNoise].
type GaussianNoiseOptions struct {
	NoClip    bool             // let values leave [0, 1], or wrap round for uint8
	Generator *torch.Generator // nil is the default generator
}

// GaussianNoise adds normal noise of a mean and a standard deviation to an image
// or video, scaled to [0, 1] if it is uint8: gaussian_noise(x, mean, sigma,
// clip). Pictures are not accepted, as in Python.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.gaussian_noise.html
func GaussianNoise[T any](x T, mean, sigma float64, options ...GaussianNoiseOptions) T {
	return call(x, gaussianNoiseKernels(mean, sigma, options...), mean, sigma)
}

func gaussianNoiseKernels(mean, sigma float64, options ...GaussianNoiseOptions) kernels {
	return kernels{
		name:  "GaussianNoise",
		image: func(x *torch.Tensor) *torch.Tensor { return GaussianNoiseImage(x, mean, sigma, options...) },
		picture: func(p image.Image) image.Image {
			fail("GaussianNoise", p, "noise is not defined for pictures; put ToImage() before")
			return nil
		},
	}
}

// GaussianNoiseImage is [GaussianNoise] of a tensor, floating-point or uint8.
func GaussianNoiseImage(x *torch.Tensor, mean, sigma float64, options ...GaussianNoiseOptions) *torch.Tensor {
	const op = "GaussianNoise"
	o := torch.Only(options)
	if sigma < 0 {
		fail(op, x, "sigma is %v; want 0 or more", sigma)
	}
	randn := func(d torch.DType) *torch.Tensor {
		// torch.randn_like(x, dtype=d) with a generator
		return torch.Options{DType: d}.EmptyLike(x).NormalInPlace(0, 1, torch.RandomOptions{Generator: o.Generator})
	}
	switch d := x.DType(); {
	case d.IsFloatingPoint():
		out := x.Add(randn(d).MulScalar(sigma).AddScalar(mean))
		if !o.NoClip {
			out = out.Clamp(0, 1)
		}
		return out
	case d == torch.Uint8:
		noise := randn(torch.Float32).MulScalar(float64(sigma * 255)).AddScalar(float64(mean * 255)).ToDType(torch.Int16)
		out := x.Add(noise)
		if !o.NoClip {
			out = out.Clamp(0, 255)
		}
		return out.ToDType(torch.Uint8)
	default:
		fail(op, x, "the tensor is %v; want uint8 or a floating-point dtype", d)
		return nil
	}
}

// GaussianNoiseVideo is [GaussianNoise] of a tensor [..., T, C, H, W].
func GaussianNoiseVideo(x *torch.Tensor, mean, sigma float64, options ...GaussianNoiseOptions) *torch.Tensor {
	return GaussianNoiseImage(x, mean, sigma, options...)
}

// ToDtype converts to a dtype: to_dtype(x, dtype, scale). With scale the values of
// an image or video move to the range of the dtype, [0, 1] for floating-point ones.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.to_dtype.html
func ToDtype[T any](x T, dtype torch.DType, scale bool) T {
	return call(x, toDtypeKernels(dtype, scale), dtype, scale)
}

func toDtypeKernels(dtype torch.DType, scale bool) kernels {
	return kernels{
		name:   "ToDtype",
		image:  func(x *torch.Tensor) *torch.Tensor { return ToDtypeImage(x, dtype, scale) },
		mask:   func(x *torch.Tensor) *torch.Tensor { return x.ToDType(dtype) },
		boxes:  func(b tv.BoundingBoxes) tv.BoundingBoxes { return b.With(b.ToDType(dtype)) },
		points: func(k tv.KeyPoints) tv.KeyPoints { return k.With(k.ToDType(dtype)) },
	}
}

// ToDtypeImage is [ToDtype] of a tensor [..., C, H, W].
func ToDtypeImage(x *torch.Tensor, dtype torch.DType, scale bool) *torch.Tensor {
	const op = "ToDtype"
	from := x.DType()
	switch {
	case from == dtype:
		return x
	case !scale:
		return x.ToDType(dtype)
	case from.IsFloatingPoint() && dtype.IsFloatingPoint():
		return x.ToDType(dtype)
	case from.IsFloatingPoint():
		if from == torch.Float32 && (dtype == torch.Int32 || dtype == torch.Int64) || from == torch.Float64 && dtype == torch.Int64 {
			fail(op, x, "%v holds too few whole numbers to be scaled to %v", from, dtype)
		}
		const eps = 1e-3 // so that the top of the range is no wider than the rest
		return x.MulScalar(float64(maxValue(dtype)) + 1.0 - eps).ToDType(dtype)
	case dtype.IsFloatingPoint():
		return x.ToDType(dtype).MulInPlace(scalarOf(1.0 / float64(maxValue(from))))
	}
	in, out := valueBits(op, x, from), valueBits(op, x, dtype)
	switch shift := out - in; {
	case shift < 0 && from == torch.Uint16: // which has no shift
		return x.DivScalar(1 << -shift).ToDType(dtype)
	case shift < 0:
		return aten.BitwiseRightShiftTensorScalar(x, -shift).ToDType(dtype)
	case dtype == torch.Uint16:
		return x.ToDType(dtype).MulScalar(1 << shift)
	default:
		return aten.BitwiseLeftShiftInPlaceTensorScalar(x.ToDType(dtype), shift)
	}
}

// ToDtypeVideo is [ToDtype] of a tensor [..., T, C, H, W].
func ToDtypeVideo(x *torch.Tensor, dtype torch.DType, scale bool) *torch.Tensor {
	return ToDtypeImage(x, dtype, scale)
}

// ConvertImageDtype is the older name of ToDtypeImage(x, dtype, true): convert_image_dtype(x, dtype).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.convert_image_dtype.html
func ConvertImageDtype(x *torch.Tensor, dtype torch.DType) *torch.Tensor {
	return ToDtypeImage(x, dtype, true)
}

// SanitizeOptions define which boxes [SanitizeBoundingBoxes] keeps.
type SanitizeOptions struct {
	MinSize *float64 // the least width and height; nil is 1
	MinArea *float64 // the least area; nil is 1
}

// SanitizeBoundingBoxes drops the boxes that are too small or exceed the canvas, and also returns which are
// kept, a tensor [N] of bools: sanitize_bounding_boxes(boxes, min_size, min_area).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.sanitize_bounding_boxes.html
func SanitizeBoundingBoxes(b tv.BoundingBoxes, options ...SanitizeOptions) (kept tv.BoundingBoxes, valid *torch.Tensor) {
	const op = "SanitizeBoundingBoxes"
	o := torch.Only(options)
	defer named(op, b)
	b.Check("transforms.v2." + op)
	size, area := 1.0, 1.0
	if o.MinSize != nil {
		size = *o.MinSize
	}
	if o.MinArea != nil {
		area = *o.MinArea
	}
	torch.Scope(func() { valid = torch.Keep(sane(b, size, area)) })
	return b.With(b.Index(valid)), valid
}

func sane(b tv.BoundingBoxes, size, area float64) *torch.Tensor {
	to := tv.XYXY
	if b.Format.Rotated() {
		to = tv.XYXYXYXY
	}
	h, w := b.CanvasSize[0], b.CanvasSize[1]
	x := convert(b.Tensor, b.Format, to, false)
	at := func(i int) *torch.Tensor { return column(x, i) }
	var ws, hs *torch.Tensor
	if b.Format.Rotated() {
		length := func(dx, dy *torch.Tensor) *torch.Tensor { return dx.PowScalar(2).Add(dy.PowScalar(2)).Sqrt() }
		ws = length(at(0).Sub(at(2)), at(1).Sub(at(3)))
		hs = length(at(3).Sub(at(5)), at(4).Sub(at(6))) // the indices are torchvision's
	} else {
		ws, hs = at(2).Sub(at(0)), at(3).Sub(at(1))
	}
	valid := ws.GeScalar(size).BitwiseAnd(hs.GeScalar(size)).
		BitwiseAnd(x.GeScalar(0).All(-1)).BitwiseAnd(ws.Mul(hs).GeScalar(area))
	within := func(i, j, limit int) {
		valid.BitwiseAndInPlace(at(i).LeScalar(limit).BitwiseAnd(at(j).LeScalar(limit)))
	}
	within(0, 2, w)
	within(1, 3, h)
	if b.Format.Rotated() {
		within(4, 6, w)
		within(5, 7, h)
	}
	return valid
}

// SanitizeKeyPoints drops the points outside of the canvas, or the groups with
// such points if k has more than two dimensions, and also returns which are kept,
// a tensor [N] of bools: sanitize_keypoints(k).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.sanitize_keypoints.html
func SanitizeKeyPoints(k tv.KeyPoints) (kept tv.KeyPoints, valid *torch.Tensor) {
	const op = "SanitizeKeyPoints"
	defer named(op, k)
	k.Check("transforms.v2." + op)
	torch.Scope(func() {
		x, y := column(k.Tensor, 0), column(k.Tensor, 1)
		v := x.GeScalar(0).BitwiseAnd(x.LtScalar(k.CanvasSize[1])).
			BitwiseAnd(y.GeScalar(0)).BitwiseAnd(y.LtScalar(k.CanvasSize[0]))
		if v.Dim() > 1 {
			v = v.Flatten(1).All(1)
		}
		valid = torch.Keep(v)
	})
	return k.With(k.Index(valid)), valid
}
