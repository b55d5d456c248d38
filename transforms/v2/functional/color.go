package functional

import (
	"image"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/transforms/internal/args"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// RGBToGrayscale makes an image or picture gray, with channels, 1 or 3, that are equal:
// rgb_to_grayscale(x, num_output_channels=channels). Videos are not accepted, as in Python.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.rgb_to_grayscale.html
func RGBToGrayscale[T any](x T, channels int) T {
	return call(x, rgbToGrayscaleKernels(channels), channels)
}

func rgbToGrayscaleKernels(channels int) kernels {
	return kernels{
		name: "RGBToGrayscale", except: of(tv.VideoKind),
		image:   func(x *torch.Tensor) *torch.Tensor { return RGBToGrayscaleImage(x, channels) },
		picture: func(p image.Image) image.Image { return pictureGrayscale(p, channels) },
	}
}

// ToGrayscale is another name of [RGBToGrayscale]: to_grayscale.
func ToGrayscale[T any](x T, channels int) T { return RGBToGrayscale(x, channels) }

// RGBToGrayscaleImage is [RGBToGrayscale] of a tensor [..., 1 or 3, H, W].
func RGBToGrayscaleImage(x *torch.Tensor, channels int) *torch.Tensor {
	if channels != 1 && channels != 3 {
		fail("RGBToGrayscale", x, "%d channels are asked for; want 1 or 3", channels)
	}
	return gray("RGBToGrayscale", x, channels, true)
}

func gray(op string, x *torch.Tensor, channels int, sameDType bool) *torch.Tensor {
	c := colors(op, x)
	if c == 1 {
		if channels == 1 {
			return x.Clone()
		}
		repeats := make([]int, x.Dim())
		for i := range repeats {
			repeats[i] = 1
		}
		repeats[len(repeats)-3] = 3
		return x.Repeat(repeats...)
	}
	rgb := x.Unbind(-3)
	l := rgb[0].MulScalar(0.2989).AddInPlace(rgb[1], torch.AddOptions{Alpha: 0.587}).AddInPlace(rgb[2], torch.AddOptions{Alpha: 0.114})
	l = l.Unsqueeze(-3)
	if sameDType {
		l = l.ToDType(x.DType())
	}
	if channels == 3 {
		l = l.Expand(x.Shape()...)
	}
	return l
}

// GrayscaleToRGB gives a gray image or picture three equal channels and leaves
// others as they are: grayscale_to_rgb(x).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.grayscale_to_rgb.html
func GrayscaleToRGB[T any](x T) T {
	return call(x, grayscaleToRGBKernels())
}

func grayscaleToRGBKernels() kernels {
	return kernels{name: "GrayscaleToRGB", except: of(tv.VideoKind), image: GrayscaleToRGBImage, picture: pictureRGB}
}

// GrayscaleToRGBImage is [GrayscaleToRGB] of a tensor [..., C, H, W].
func GrayscaleToRGBImage(x *torch.Tensor) *torch.Tensor {
	if c, _, _ := chw("GrayscaleToRGB", x); c >= 3 {
		return x
	}
	return gray("GrayscaleToRGB", x, 3, true)
}

// blend returns x*ratio + y*(1-ratio), held to the range of x's dtype.
func blend(x, y *torch.Tensor, ratio float64) *torch.Tensor {
	out := x.MulScalar(ratio).AddInPlace(y, torch.AddOptions{Alpha: 1.0 - ratio}).ClampInPlace(0, maxValue(x.DType()))
	return back(out, x)
}

// back returns y in the dtype of x if that is not a floating-point one.
func back(y, x *torch.Tensor) *torch.Tensor {
	if x.DType().IsFloatingPoint() {
		return y
	}
	return y.ToDType(x.DType())
}

// number returns an int or a float64 as a float64.
func number(op, name string, n torch.Number) float64 {
	return args.Number(args.V2+op, "the "+name, n)
}

// notNegative panics where a factor is negative or NaN.
func notNegative(op string, x any, name string, factor float64) {
	if !(factor >= 0) {
		fail(op, x, "the %s is %v; want 0 or more", name, factor)
	}
}

// AdjustBrightness scales the brightness of an image, video or picture: 0 is black, 1 leaves it:
// adjust_brightness(x, brightness_factor=factor). The factor is an int or a float64. As in Python,
// integers are multiplied by an int in their own dtype, so that large results wrap around: a uint8 of
// 200 times 2 is 144, and times 2.0 it is 255.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.adjust_brightness.html
func AdjustBrightness[T any](x T, factor torch.Number) T {
	return call(x, adjustBrightnessKernels(factor), factor)
}

func adjustBrightnessKernels(factor torch.Number) kernels {
	return kernels{
		name:  "AdjustBrightness",
		image: func(x *torch.Tensor) *torch.Tensor { return AdjustBrightnessImage(x, factor) },
		picture: func(p image.Image) image.Image {
			return pictureBrightness(p, number("AdjustBrightness", "brightness factor", factor))
		},
	}
}

// AdjustBrightnessImage is [AdjustBrightness] of a tensor [..., 1 or 3, H, W].
func AdjustBrightnessImage(x *torch.Tensor, factor torch.Number) *torch.Tensor {
	notNegative("AdjustBrightness", x, "brightness factor", number("AdjustBrightness", "brightness factor", factor))
	colors("AdjustBrightness", x)
	return back(x.MulScalar(factor).ClampInPlace(0, maxValue(x.DType())), x)
}

// AdjustBrightnessVideo is [AdjustBrightness] of a tensor [..., T, 1 or 3, H, W].
func AdjustBrightnessVideo(x *torch.Tensor, factor torch.Number) *torch.Tensor {
	return AdjustBrightnessImage(x, factor)
}

// AdjustSaturation scales the saturation of an image, video or picture: 0 is
// gray, 1 leaves it: adjust_saturation(x, saturation_factor=factor).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.adjust_saturation.html
func AdjustSaturation[T any](x T, factor float64) T {
	return call(x, adjustSaturationKernels(factor), factor)
}

func adjustSaturationKernels(factor float64) kernels {
	return kernels{
		name:    "AdjustSaturation",
		image:   func(x *torch.Tensor) *torch.Tensor { return AdjustSaturationImage(x, factor) },
		picture: func(p image.Image) image.Image { return pictureSaturation(p, factor) },
	}
}

// AdjustSaturationImage is [AdjustSaturation] of a tensor [..., 1 or 3, H, W].
func AdjustSaturationImage(x *torch.Tensor, factor float64) *torch.Tensor {
	notNegative("AdjustSaturation", x, "saturation factor", factor)
	if colors("AdjustSaturation", x) == 1 {
		return x
	}
	g := gray("AdjustSaturation", x, 1, false)
	if !x.DType().IsFloatingPoint() {
		g = g.FloorInPlace()
	}
	return blend(x, g, factor)
}

// AdjustSaturationVideo is [AdjustSaturation] of a tensor [..., T, 1 or 3, H, W].
func AdjustSaturationVideo(x *torch.Tensor, factor float64) *torch.Tensor {
	return AdjustSaturationImage(x, factor)
}

// AdjustContrast scales the contrast of an image, video or picture: 0 is all gray,
// 1 leaves it: adjust_contrast(x, contrast_factor=factor).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.adjust_contrast.html
func AdjustContrast[T any](x T, factor float64) T {
	return call(x, adjustContrastKernels(factor), factor)
}

func adjustContrastKernels(factor float64) kernels {
	return kernels{
		name:    "AdjustContrast",
		image:   func(x *torch.Tensor) *torch.Tensor { return AdjustContrastImage(x, factor) },
		picture: func(p image.Image) image.Image { return pictureContrast(p, factor) },
	}
}

// AdjustContrastImage is [AdjustContrast] of a tensor [..., 1 or 3, H, W].
func AdjustContrastImage(x *torch.Tensor, factor float64) *torch.Tensor {
	notNegative("AdjustContrast", x, "contrast factor", factor)
	var g *torch.Tensor
	if colors("AdjustContrast", x) == 3 {
		g = gray("AdjustContrast", x, 1, false)
		if !x.DType().IsFloatingPoint() {
			g = g.FloorInPlace()
		}
	} else {
		g = compute(x)
	}
	return blend(x, g.MeanDim([]int{-3, -2, -1}, torch.MeanOptions{KeepDim: true}), factor)
}

// AdjustContrastVideo is [AdjustContrast] of a tensor [..., T, 1 or 3, H, W].
func AdjustContrastVideo(x *torch.Tensor, factor float64) *torch.Tensor {
	return AdjustContrastImage(x, factor)
}

// AdjustSharpness scales the sharpness of an image, video or picture: 0 is
// blurred, 1 leaves it: adjust_sharpness(x, sharpness_factor=factor).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.adjust_sharpness.html
func AdjustSharpness[T any](x T, factor float64) T {
	return call(x, adjustSharpnessKernels(factor), factor)
}

func adjustSharpnessKernels(factor float64) kernels {
	return kernels{
		name:    "AdjustSharpness",
		image:   func(x *torch.Tensor) *torch.Tensor { return AdjustSharpnessImage(x, factor) },
		picture: func(p image.Image) image.Image { return pictureSharpness(p, factor) },
	}
}

// AdjustSharpnessImage is [AdjustSharpness] of a tensor [..., 1 or 3, H, W].
func AdjustSharpnessImage(x *torch.Tensor, factor float64) *torch.Tensor {
	c := colors("AdjustSharpness", x)
	_, h, w := chw("AdjustSharpness", x)
	notNegative("AdjustSharpness", x, "sharpness factor", factor)
	if x.Numel() == 0 || h <= 2 || w <= 2 {
		return x
	}
	image := x
	if x.Dim() > 4 {
		image = squash(x)
	}
	dtype := computeDType(x)
	const a, b = 1.0 / 13.0, 5.0 / 13.0
	kernel := floats([]float64{a, a, a, a, b, a, a, a, a}, dtype, x).Reshape(3, 3).Expand(c, 1, 3, 3)
	out := aten.ToDtype(image, dtype, false, true, nil) // a copy
	degenerate := F.Conv2d(out, kernel, nil, F.Conv2dOptions{Groups: c})
	if !x.DType().IsFloatingPoint() {
		degenerate = degenerate.RoundInPlace()
	}
	view := cut(out, 1, -1, 1, -1)
	view.AddInPlace(degenerate.SubInPlace(view), torch.AddOptions{Alpha: 1.0 - factor})
	out = back(out.ClampInPlace(0, maxValue(x.DType())), x)
	if x.Dim() > 4 {
		out = out.Reshape(x.Shape()...)
	}
	return out
}

// AdjustSharpnessVideo is [AdjustSharpness] of a tensor [..., T, 1 or 3, H, W].
func AdjustSharpnessVideo(x *torch.Tensor, factor float64) *torch.Tensor {
	return AdjustSharpnessImage(x, factor)
}

// AdjustHue turns the hue of an image, video or picture by a factor from -0.5 to
// 0.5 of a full turn: adjust_hue(x, hue_factor=factor).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.adjust_hue.html
func AdjustHue[T any](x T, factor float64) T {
	return call(x, adjustHueKernels(factor), factor)
}

func adjustHueKernels(factor float64) kernels {
	return kernels{
		name:    "AdjustHue",
		image:   func(x *torch.Tensor) *torch.Tensor { return AdjustHueImage(x, factor) },
		picture: func(p image.Image) image.Image { return pictureHue(p, factor) },
	}
}

// AdjustHueImage is [AdjustHue] of a tensor [..., 1 or 3, H, W].
func AdjustHueImage(x *torch.Tensor, factor float64) *torch.Tensor {
	if !(-0.5 <= factor && factor <= 0.5) {
		fail("AdjustHue", x, "the hue factor is %v; want -0.5 to 0.5", factor)
	}
	if colors("AdjustHue", x) == 1 || x.Numel() == 0 {
		return x
	}
	hsv := rgbToHSV(ToDtypeImage(x, torch.Float32, true)).Unbind(-3)
	hsv[0].AddScalarInPlace(factor).RemainderScalarInPlace(1.0)
	return ToDtypeImage(hsvToRGB(torch.Stack(hsv, -3)), x.DType(), true)
}

// AdjustHueVideo is [AdjustHue] of a tensor [..., T, 1 or 3, H, W].
func AdjustHueVideo(x *torch.Tensor, factor float64) *torch.Tensor { return AdjustHueImage(x, factor) }

func rgbToHSV(x *torch.Tensor) *torch.Tensor {
	rgb := x.Unbind(-3)
	r, g := rgb[0], rgb[1]
	minc, maxc := x.Aminmax(-3)
	gray := maxc.Eq(minc)
	span := maxc.Sub(minc)
	ones := torch.OnesLike(maxc)
	s := span.Div(torch.Where(gray, ones, maxc))
	divisor := torch.Where(gray, ones, span).UnsqueezeInPlace(-3)
	c := maxc.Unsqueeze(-3).Sub(x).Div(divisor).Unbind(-3)
	rc, gc, bc := c[0], c[1], c[2]
	notR := maxc.Ne(r)
	isG := maxc.Eq(g)
	hg := rc.AddScalar(2.0).SubInPlace(bc).MulInPlace(isG.BitwiseAnd(notR))
	hr := bc.SubInPlace(gc).MulInPlace(notR.BitwiseNot())
	hb := gc.AddScalarInPlace(4.0).SubInPlace(rc).MulInPlace(notR.LogicalAndInPlace(isG.LogicalNotInPlace()))
	h := hr.AddInPlace(hg).AddInPlace(hb)
	h = h.MulInPlace(scalarOf(1.0 / 6.0)).AddScalarInPlace(1.0).FmodScalarInPlace(1.0)
	return torch.Stack([]*torch.Tensor{h, s, maxc}, -3)
}

func hsvToRGB(x *torch.Tensor) *torch.Tensor {
	hsv := x.Unbind(-3)
	h, s, v := hsv[0], hsv[1], hsv[2]
	h6 := h.MulScalar(6)
	i := h6.Floor()
	f := h6.SubInPlace(i)
	i = i.ToDType(torch.Int32)
	sf := s.Mul(f)
	rest := rsub(1.0, s)
	q := rsub(1.0, sf).MulInPlace(v).ClampInPlace(0.0, 1.0)
	t := sf.AddInPlace(rest).MulInPlace(v).ClampInPlace(0.0, 1.0)
	p := rest.MulInPlace(v).ClampInPlace(0.0, 1.0)
	i.RemainderScalarInPlace(6)
	vpqt := torch.Stack([]*torch.Tensor{v, p, q, t}, -3)
	// Which of v, p, q and t each channel takes in each sixth of the circle.
	sel := torch.FromSlice([]int64{0, 2, 1, 1, 3, 0, 3, 0, 0, 2, 1, 1, 1, 1, 3, 0, 0, 2}, 3, 6).To(x.Device()).Index(torch.All, i)
	if sel.Dim() > 3 {
		sel = sel.Movedim(0, -3)
	}
	return vpqt.Gather(-3, sel)
}

// AdjustGamma raises an image, video or picture, scaled to [0, 1], to the power
// gamma and multiplies it by gain: adjust_gamma(x, gamma, gain).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.adjust_gamma.html
func AdjustGamma[T any](x T, gamma, gain float64) T {
	return call(x, adjustGammaKernels(gamma, gain), gamma, gain)
}

func adjustGammaKernels(gamma, gain float64) kernels {
	return kernels{
		name:    "AdjustGamma",
		image:   func(x *torch.Tensor) *torch.Tensor { return AdjustGammaImage(x, gamma, gain) },
		picture: func(p image.Image) image.Image { return pictureGamma(p, gamma, gain) },
	}
}

// AdjustGammaImage is [AdjustGamma] of a tensor [..., C, H, W].
func AdjustGammaImage(x *torch.Tensor, gamma, gain float64) *torch.Tensor {
	notNegative("AdjustGamma", x, "gamma", gamma)
	var out *torch.Tensor
	if x.DType().IsFloatingPoint() {
		out = x.PowScalar(gamma)
	} else {
		out = aten.PowInPlaceScalar(ToDtypeImage(x, torch.Float32, true), gamma)
	}
	if gain != 1.0 {
		out = out.MulInPlace(scalarOf(gain)).ClampInPlace(0.0, 1.0)
	}
	return ToDtypeImage(out, x.DType(), true)
}

// AdjustGammaVideo is [AdjustGamma] of a tensor [..., T, C, H, W].
func AdjustGammaVideo(x *torch.Tensor, gamma, gain float64) *torch.Tensor {
	return AdjustGammaImage(x, gamma, gain)
}

// Posterize keeps the highest bits, 0 to 8, of each channel of an image, video or
// picture: posterize(x, bits).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.posterize.html
func Posterize[T any](x T, bits int) T {
	return call(x, posterizeKernels(bits), bits)
}

func posterizeKernels(bits int) kernels {
	return kernels{
		name:    "Posterize",
		image:   func(x *torch.Tensor) *torch.Tensor { return PosterizeImage(x, bits) },
		picture: func(p image.Image) image.Image { return picturePosterize(p, bits) },
	}
}

// PosterizeImage is [Posterize] of a tensor [..., C, H, W].
func PosterizeImage(x *torch.Tensor, bits int) *torch.Tensor {
	if bits < 0 || bits > 8 {
		fail("Posterize", x, "%d bits are asked for; want 0 to 8", bits)
	}
	if x.DType().IsFloatingPoint() {
		levels := 1 << bits
		return x.MulScalar(levels).FloorInPlace().ClampInPlace(0, levels-1).MulInPlace(scalarOf(1.0 / float64(levels)))
	}
	n := valueBits("Posterize", x, x.DType())
	if bits >= n {
		return x
	}
	return aten.BitwiseAndScalar(x, ((1<<bits)-1)<<(n-bits))
}

// PosterizeVideo is [Posterize] of a tensor [..., T, C, H, W].
func PosterizeVideo(x *torch.Tensor, bits int) *torch.Tensor { return PosterizeImage(x, bits) }

// Solarize inverts the values from threshold on of an image, video or picture: solarize(x,
// threshold). The threshold is an int or a float64. As in Python, integers are compared with an
// int in their own dtype, in which a number out of range wraps around: for uint8 -1 is 255, and
// inverts only white, while -1.0 inverts everything.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.solarize.html
func Solarize[T any](x T, threshold torch.Number) T {
	return call(x, solarizeKernels(threshold), threshold)
}

func solarizeKernels(threshold torch.Number) kernels {
	return kernels{
		name:    "Solarize",
		image:   func(x *torch.Tensor) *torch.Tensor { return SolarizeImage(x, threshold) },
		picture: func(p image.Image) image.Image { return pictureSolarize(p, threshold) },
	}
}

// SolarizeImage is [Solarize] of a tensor [..., C, H, W].
func SolarizeImage(x *torch.Tensor, threshold torch.Number) *torch.Tensor {
	number("Solarize", "threshold", threshold)
	if limit := maxValue(x.DType()); args.Above(threshold, limit) {
		fail("Solarize", x, "the threshold is %v; want %d or less for %v", threshold, limit, x.DType())
	}
	return torch.Where(x.GeScalar(threshold), InvertImage(x), x)
}

// SolarizeVideo is [Solarize] of a tensor [..., T, C, H, W].
func SolarizeVideo(x *torch.Tensor, threshold torch.Number) *torch.Tensor {
	return SolarizeImage(x, threshold)
}

// Autocontrast stretches each channel of an image, video or picture to the whole
// range: autocontrast(x).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.autocontrast.html
func Autocontrast[T any](x T) T {
	return call(x, autocontrastKernels())
}

func autocontrastKernels() kernels {
	return kernels{name: "Autocontrast", image: AutocontrastImage, picture: pictureAutocontrast}
}

// AutocontrastImage is [Autocontrast] of a tensor [..., 1 or 3, H, W].
func AutocontrastImage(x *torch.Tensor) *torch.Tensor {
	colors("Autocontrast", x)
	if x.Numel() == 0 {
		return x
	}
	bound := maxValue(x.DType())
	y := compute(x)
	low := y.AminDim([]int{-2, -1}, torch.AminOptions{KeepDim: true})
	high := y.AmaxDim([]int{-2, -1}, torch.AmaxOptions{KeepDim: true})
	flat := high.Eq(low)
	scale := high.SubInPlace(low).MulInPlace(scalarOf(1.0 / float64(bound)))
	low.MaskedFillInPlace(flat, 0.0)
	scale.MaskedFillInPlace(flat, 1.0)
	return y.Sub(low).DivInPlace(scale).ClampInPlace(0, bound).ToDType(x.DType())
}

// AutocontrastVideo is [Autocontrast] of a tensor [..., T, 1 or 3, H, W].
func AutocontrastVideo(x *torch.Tensor) *torch.Tensor { return AutocontrastImage(x) }

// Equalize evens out the histogram of each channel of an image, video or
// picture: equalize(x).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.equalize.html
func Equalize[T any](x T) T {
	return call(x, equalizeKernels())
}

func equalizeKernels() kernels {
	return kernels{name: "Equalize", image: EqualizeImage, picture: pictureEqualize}
}

// EqualizeImage is [Equalize] of a tensor [..., C, H, W].
func EqualizeImage(x *torch.Tensor) *torch.Tensor {
	if x.Numel() == 0 {
		return x
	}
	image := ToDtypeImage(x, torch.Uint8, true)
	batch := reshaped(image.Shape(), 2)
	flat := image.Flatten(-2).ToDType(torch.Int64)
	o := torch.Options{DType: torch.Int32, Device: x.Device()}
	hist := o.Zeros(append(batch[:len(batch):len(batch)], 256)...)
	hist.ScatterAddInPlace(-1, flat, o.Ones(1).ExpandAs(flat))
	sums := hist.Cumsum(-1) // int64
	last := sums.ArgMax(-1)
	rest := rsub(flat.Size(-1), hist.Gather(-1, last.UnsqueezeInPlace(-1)))
	floor := "floor"
	step := aten.DivInPlaceScalarMode(rest, 255, &floor)
	valid := step.NeScalar(0).UnsqueezeInPlace(-1)
	sums = columns(sums, 0, -1, 1)
	sums.AddInPlace(aten.FloorDivideScalar(step, 2)).DivModeInPlace(step.ClampMinInPlace(1), floor).ClampInPlace(0, 255)
	lut := sums.ToDType(torch.Uint8)
	zero := torch.Options{DType: torch.Uint8, Device: x.Device()}.Zeros(1).Expand(append(batch[:len(batch):len(batch)], 1)...)
	lut = torch.Cat([]*torch.Tensor{zero, lut}, -1)
	return ToDtypeImage(torch.Where(valid, lut.Gather(-1, flat).ViewAs(image), image), x.DType(), true)
}

// EqualizeVideo is [Equalize] of a tensor [..., T, C, H, W].
func EqualizeVideo(x *torch.Tensor) *torch.Tensor { return EqualizeImage(x) }

// Invert turns an image, video or picture into its negative: invert(x).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.invert.html
func Invert[T any](x T) T {
	return call(x, invertKernels())
}

func invertKernels() kernels {
	return kernels{name: "Invert", image: InvertImage, picture: pictureInvert}
}

// InvertImage is [Invert] of a tensor [..., C, H, W].
func InvertImage(x *torch.Tensor) *torch.Tensor {
	switch d := x.DType(); {
	case d.IsFloatingPoint():
		return rsub(1.0, x)
	case d == torch.Uint8:
		return x.BitwiseNot()
	default:
		return aten.BitwiseXorScalar(x, int(uint(1)<<valueBits("Invert", x, d)-1))
	}
}

// InvertVideo is [Invert] of a tensor [..., T, C, H, W].
func InvertVideo(x *torch.Tensor) *torch.Tensor { return InvertImage(x) }

// PermuteChannels puts the channels of an image, video or picture in another
// order: channel i of the result is channel permutation[i]: permute_channels(x, permutation).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.permute_channels.html
func PermuteChannels[T any](x T, permutation []int) T {
	return call(x, permuteChannelsKernels(permutation), permutation)
}

func permuteChannelsKernels(permutation []int) kernels {
	return kernels{
		name:    "PermuteChannels",
		image:   func(x *torch.Tensor) *torch.Tensor { return PermuteChannelsImage(x, permutation) },
		picture: func(p image.Image) image.Image { return picturePermute(p, permutation) },
	}
}

// PermuteChannelsImage is [PermuteChannels] of a tensor [..., C, H, W].
func PermuteChannelsImage(x *torch.Tensor, permutation []int) *torch.Tensor {
	c, _, _ := chw("PermuteChannels", x)
	if len(permutation) != c {
		fail("PermuteChannels", x, "the permutation has %d numbers for %d channels", len(permutation), c)
	}
	if x.Numel() == 0 {
		return x
	}
	return squash(x).Index(torch.All, permutation).Reshape(x.Shape()...)
}

// PermuteChannelsVideo is [PermuteChannels] of a tensor [..., T, C, H, W].
func PermuteChannelsVideo(x *torch.Tensor, permutation []int) *torch.Tensor {
	return PermuteChannelsImage(x, permutation)
}
