package transforms

import (
	"image"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// An RGB is a picture of three bytes a pixel, red, green and blue, row by row
// without padding: what Pillow calls the mode RGB. It implements image.Image and
// is opaque.
type RGB = pillow.RGB

// ToRGB returns the pixels of a picture as Pillow's convert("RGB") does. Alpha
// is dropped, not blended; premultiplied alpha is divided out first. Of 16 bits a
// channel the upper 8 count, but 16-bit grey above 255 is white, as in Pillow's
// mode I;16. A picture that is an *RGB already is returned itself.
func ToRGB(img image.Image) *RGB { return pillow.ToRGB(img) }

// An Interpolation says how [Resize] computes a pixel from its neighbours. The
// values are the names of torchvision's InterpolationMode and of Pillow's
// Resampling filters; the empty string is [Bilinear].
type Interpolation = pillow.Interpolation

// Pillow's resampling filters. All but Nearest are widened by the scale when a
// picture shrinks (torchvision's antialias, which pictures always have).
const (
	Nearest  = pillow.Nearest
	Box      = pillow.Box
	Bilinear = pillow.Bilinear // torchvision's default
	Hamming  = pillow.Hamming
	Bicubic  = pillow.Bicubic // a = -0.5
	Lanczos  = pillow.Lanczos // of three lobes
	MKS2013  = pillow.MKS2013 // Magic Kernel Sharp, of 2013 and of 2021; not in torchvision
	MKS2021  = pillow.MKS2021
)
