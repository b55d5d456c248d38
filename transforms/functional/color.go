package functional

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/args"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// adjust is a functional of one factor, which must not be negative for a tensor.
func adjust(op string, v Value, factor float64, onPicture func(*pillow.Image) (*pillow.Image, error), tensor func(*torch.Tensor, float64) *torch.Tensor) Value {
	finite(op, "factor", factor)
	return either(op, v, onPicture, func(x *torch.Tensor) *torch.Tensor {
		if factor < 0 {
			fail(op, v, "the factor is %v; want 0 or more", factor)
		}
		return tensor(x, factor)
	})
}

// AdjustBrightness multiplies a picture or a tensor [..., 1 or 3, H, W] by a factor, 0
// for black, 1 for no change: F.adjust_brightness(img, brightness_factor).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_brightness.html
func AdjustBrightness(v Value, factor float64) Value {
	return adjust("AdjustBrightness", v, factor,
		func(p *pillow.Image) (*pillow.Image, error) { return pillow.AdjustBrightness(p, factor) }, brightnessTensor)
}

// AdjustContrast takes a picture or a tensor [..., 1 or 3, H, W] away from its mean
// gray by a factor, 0 for all gray, 1 for no change: F.adjust_contrast(img, contrast_factor).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_contrast.html
func AdjustContrast(v Value, factor float64) Value {
	return adjust("AdjustContrast", v, factor,
		func(p *pillow.Image) (*pillow.Image, error) { return pillow.AdjustContrast(p, factor) }, contrastTensor)
}

// AdjustSaturation takes a picture or a tensor [..., 1 or 3, H, W] away from its
// gray version by a factor, 0 for black and white, 1 for no change:
// F.adjust_saturation(img, saturation_factor).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_saturation.html
func AdjustSaturation(v Value, factor float64) Value {
	return adjust("AdjustSaturation", v, factor,
		func(p *pillow.Image) (*pillow.Image, error) { return pillow.AdjustSaturation(p, factor) }, saturationTensor)
}

// AdjustSharpness takes a picture or a tensor [..., 1 or 3, H, W] away from its
// smoothed version by a factor, 0 for smooth, 1 for no change: F.adjust_sharpness(img,
// sharpness_factor).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_sharpness.html
func AdjustSharpness(v Value, factor float64) Value {
	return adjust("AdjustSharpness", v, factor,
		func(p *pillow.Image) (*pillow.Image, error) { return pillow.AdjustSharpness(p, factor) }, sharpnessTensor)
}

// AdjustHue turns the colors of a picture or a tensor [..., 1 or 3, H, W] by a
// part of the circle, from -0.5 to 0.5: F.adjust_hue(img, hue_factor). What is gray
// stays as it is.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_hue.html
func AdjustHue(v Value, factor float64) Value {
	const op = "AdjustHue"
	if !(-0.5 <= factor && factor <= 0.5) {
		refuse(op, "the factor is %v; want -0.5 to 0.5", factor)
	}
	return either(op, v,
		func(p *pillow.Image) (*pillow.Image, error) { return pillow.AdjustHue(p, factor) },
		func(x *torch.Tensor) *torch.Tensor { return hueTensor(x, factor) })
}

// AdjustGamma raises a picture or a tensor [..., 1 or 3, H, W], as numbers from 0 to 1, to
// the power gamma and multiplies it by gain: F.adjust_gamma(img, gamma, gain). Python's
// default of gain is 1. A picture of a mode other than RGB is converted to RGB and back.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_gamma.html
func AdjustGamma(v Value, gamma, gain float64) Value {
	const op = "AdjustGamma"
	finite(op, "gamma", gamma)
	finite(op, "gain", gain)
	if gamma < 0 {
		refuse(op, "gamma is %v; want 0 or more", gamma)
	}
	return either(op, v,
		func(p *pillow.Image) (*pillow.Image, error) { return pillow.AdjustGamma(p, gamma, gain) },
		func(x *torch.Tensor) *torch.Tensor { return gammaTensor(x, gamma, gain) })
}

// RGBToGrayscale makes a picture, or a tensor [..., 3, H, W], gray, with 1 or 3 equal
// channels: F.rgb_to_grayscale(img, num_output_channels). A tensor of one channel
// keeps it.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.rgb_to_grayscale.html
func RGBToGrayscale(v Value, channels int) Value {
	const op = "RGBToGrayscale"
	if channels != 1 && channels != 3 {
		refuse(op, "there are to be %d channels; want 1 or 3", channels)
	}
	return either(op, v,
		func(p *pillow.Image) (*pillow.Image, error) { return pillow.Grayscale(p, channels) },
		func(x *torch.Tensor) *torch.Tensor { return grayTensor(x, channels) })
}

// ToGrayscale makes a picture of any mode gray, of mode L for one channel and RGB
// for three: F.to_grayscale(img, num_output_channels).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.to_grayscale.html
func ToGrayscale(v Value, channels int) Value {
	const op = "ToGrayscale"
	picture(op, v)
	return named(op, v, func() Value { return RGBToGrayscale(v, channels) })
}

// Invert turns a picture, or a tensor [..., 1 or 3, H, W], into its negative: F.invert(img).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.invert.html
func Invert(v Value) Value {
	const op = "Invert"
	return either(op, v, pillow.Invert,
		func(x *torch.Tensor) *torch.Tensor { return invertTensor(op, x) })
}

// Posterize keeps the upper bits, 0 to 8, of every channel of a picture of mode L
// or RGB, or of a uint8 tensor [..., 1 or 3, H, W]: F.posterize(img, bits).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.posterize.html
func Posterize(v Value, bits int) Value {
	const op = "Posterize"
	if bits < 0 || bits > 8 {
		refuse(op, "%d bits are to be kept; want 0 to 8", bits)
	}
	return either(op, v,
		func(p *pillow.Image) (*pillow.Image, error) { return pillow.Posterize(p, bits) },
		func(x *torch.Tensor) *torch.Tensor { return posterizeTensor(x, bits) })
}

// Solarize inverts the values that are not below the threshold, in a picture of mode L or RGB or a tensor
// [..., 1 or 3, H, W]: F.solarize(img, threshold). The threshold is an int or a float64, and as in Python a
// tensor of integers is compared with an int in its own dtype, where a number outside of its range wraps
// around: for uint8 -1 is 255, and inverts only white, while -1.0 inverts everything.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.solarize.html
func Solarize(v Value, threshold torch.Number) Value {
	const op = "Solarize"
	level := args.Number(args.Functional+op, "the threshold", threshold)
	return either(op, v,
		func(p *pillow.Image) (*pillow.Image, error) { return pillow.Solarize(p, level) },
		func(x *torch.Tensor) *torch.Tensor { return solarizeTensor(x, threshold) })
}

// Autocontrast stretches each channel of a picture of mode L or RGB, or of a tensor
// [..., 1 or 3, H, W], to the whole range: F.autocontrast(img).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.autocontrast.html
func Autocontrast(v Value) Value {
	return either("Autocontrast", v, pillow.Autocontrast, autocontrastTensor)
}

// Equalize makes the histogram of each channel flat, of a picture of mode L, P or RGB or
// a uint8 tensor [1 or 3, H, W] or [N, 1 or 3, H, W]: F.equalize(img).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.equalize.html
func Equalize(v Value) Value {
	return either("Equalize", v, pillow.Equalize, equalizeTensor)
}
