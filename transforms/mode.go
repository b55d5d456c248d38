package transforms

import (
	"image"

	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/args"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// Convert converts a picture to another mode, such as "L", "YCbCr" or "HSV": img.convert(mode). The result is an
// *image.Gray, an [*RGB], an *image.NRGBA, an *image.CMYK or, for the modes that Go has no type for, a [*Picture]. It
// panics with a *[torch.Error] if there is no such mode, or if Pillow does not convert to it either.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.convert
func Convert(img image.Image, mode Mode) image.Image {
	p, err := pillow.From(img).Convert(mode)
	if err != nil {
		args.Refuse("transforms.Convert", "%v", err)
	}
	return functional.Shown(p)
}

// Split returns the channels of a picture as pictures of one channel each, of the mode L: img.split().
//
//	ycbcr := transforms.Split(transforms.Convert(img, "YCbCr"))
//	y, cb, cr := ycbcr[0], ycbcr[1], ycbcr[2]
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.split
func Split(img image.Image) []image.Image {
	bands, err := pillow.From(img).Split()
	if err != nil {
		args.Refuse("transforms.Split", "%v", err)
	}
	out := make([]image.Image, len(bands))
	for i, b := range bands {
		out[i] = functional.Shown(b)
	}
	return out
}

// Merge returns the picture of a mode whose channels are pictures of the mode L: Image.merge(mode, bands). It panics with
// a *[torch.Error] if their number is not that of the mode, or if their sizes differ.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.merge
func Merge(mode Mode, bands ...image.Image) image.Image {
	ps := make([]*pillow.Image, len(bands))
	for i, b := range bands {
		ps[i] = pillow.From(b)
	}
	p, err := pillow.Merge(mode, ps...)
	if err != nil {
		args.Refuse("transforms.Merge", "%v", err)
	}
	return functional.Shown(p)
}
