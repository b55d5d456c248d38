package functional

import (
	"image"

	"github.com/torchhub/torchhub/torch"
)

func noPicture(op string, p image.Image) image.Image {
	fail(op, p, "pictures are not taken")
	return nil
}

func pictureDimensions(p any) (c, h, w int) {
	noPicture("GetDimensions", p.(image.Image))
	return
}
func pictureGrayscale(p image.Image, channels int) image.Image { return noPicture("RGBToGrayscale", p) }
func pictureRGB(p image.Image) image.Image                     { return noPicture("GrayscaleToRGB", p) }
func pictureBrightness(p image.Image, f float64) image.Image   { return noPicture("AdjustBrightness", p) }
func pictureSaturation(p image.Image, f float64) image.Image   { return noPicture("AdjustSaturation", p) }
func pictureContrast(p image.Image, f float64) image.Image     { return noPicture("AdjustContrast", p) }
func pictureSharpness(p image.Image, f float64) image.Image    { return noPicture("AdjustSharpness", p) }
func pictureHue(p image.Image, f float64) image.Image          { return noPicture("AdjustHue", p) }
func pictureGamma(p image.Image, gamma, gain float64) image.Image {
	return noPicture("AdjustGamma", p)
}
func picturePosterize(p image.Image, bits int) image.Image         { return noPicture("Posterize", p) }
func pictureSolarize(p image.Image, t float64) image.Image         { return noPicture("Solarize", p) }
func pictureAutocontrast(p image.Image) image.Image                { return noPicture("Autocontrast", p) }
func pictureEqualize(p image.Image) image.Image                    { return noPicture("Equalize", p) }
func pictureInvert(p image.Image) image.Image                      { return noPicture("Invert", p) }
func picturePermute(p image.Image, perm []int) image.Image         { return noPicture("PermuteChannels", p) }
func pictureHFlip(p image.Image) image.Image                       { return noPicture("HorizontalFlip", p) }
func pictureVFlip(p image.Image) image.Image                       { return noPicture("VerticalFlip", p) }
func pictureCenterCrop(p image.Image, size torch.Ints) image.Image { return noPicture("CenterCrop", p) }
func pictureResize(p image.Image, size torch.Ints, o ResizeOptions) image.Image {
	return noPicture("Resize", p)
}
func picturePad(p image.Image, padding torch.Ints, o PadOptions) image.Image {
	return noPicture("Pad", p)
}
func pictureCrop(p image.Image, top, left, height, width int) image.Image {
	return noPicture("Crop", p)
}
func pictureAffine(p image.Image, m AffineMap, o AffineOptions) image.Image {
	return noPicture("Affine", p)
}
func pictureRotate(p image.Image, angle float64, o RotateOptions) image.Image {
	return noPicture("Rotate", p)
}
func picturePerspective(p image.Image, c []float64, o PerspectiveOptions) image.Image {
	return noPicture("Perspective", p)
}
func throughTensor(p image.Image, f func(*torch.Tensor) *torch.Tensor) image.Image {
	return noPicture("throughTensor", p)
}
