package functional

import "github.com/torchhub/torchhub/transforms/internal/pillow"

// An Interpolation is the way in which a pixel is computed from its neighbors:
// torchvision.transforms.InterpolationMode, whose values are these strings. The
// empty string is the default of the function it is given to.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.InterpolationMode.html
type Interpolation = pillow.Interpolation

// The interpolations. Pictures take all of them for [Resize], and Nearest,
// Bilinear and Bicubic elsewhere; tensors take Nearest and Bilinear, for
// [Resize] NearestExact and Bicubic too.
const (
	Nearest                    = pillow.Nearest
	NearestExact Interpolation = "nearest-exact" // for pictures the same as Nearest
	Box                        = pillow.Box
	Bilinear                   = pillow.Bilinear
	Hamming                    = pillow.Hamming
	Bicubic                    = pillow.Bicubic
	Lanczos                    = pillow.Lanczos
)

// onPictures returns Pillow's filter for an interpolation.
func onPictures(how Interpolation) Interpolation {
	if how == NearestExact {
		return Nearest
	}
	return how
}

func checkInterpolation(op string, how Interpolation) {
	if !onPictures(how).Valid() {
		refuse(op, "no interpolation is called %q; want nearest, nearest-exact, box, bilinear, hamming, bicubic or lanczos", how)
	}
}
