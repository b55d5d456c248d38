package transforms

import (
	"image"

	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// An RGB is a picture with three bytes for each pixel, red, green and blue, row
// by row without padding: Pillow's mode RGB. It implements image.Image and is
// opaque.
type RGB = pillow.RGB

// ToRGB converts a picture as Pillow's convert("RGB") does. Alpha is dropped, not
// blended; premultiplied alpha is divided out first. Of channels of 16 bits the
// upper 8 are used, but 16-bit gray above 255 is white, as in Pillow's mode I;16.
// An *RGB is returned itself.
func ToRGB(img image.Image) *RGB { return pillow.ToRGB(img) }

// An Interpolation is the way in which a pixel is computed from its neighbors.
// It is [functional.Interpolation].
type Interpolation = functional.Interpolation

// The interpolations. When a picture shrinks, the filters of all but Nearest
// and NearestExact are widened by the scale (torchvision's antialias, which is
// always on for pictures).
const (
	Nearest      = functional.Nearest
	NearestExact = functional.NearestExact
	Box          = functional.Box
	Bilinear     = functional.Bilinear
	Hamming      = functional.Hamming
	Bicubic      = functional.Bicubic // a = -0.5
	Lanczos      = functional.Lanczos // of three lobes
	MKS2013      = pillow.MKS2013     // Magic Kernel Sharp, of 2013 and of 2021; Pillow's, not torchvision's
	MKS2021      = pillow.MKS2021
)

// A Picture is a Pillow image of any [Mode]. It implements image.Image.
type Picture = functional.Picture

// A Mode is Pillow's name for the kind of a picture's pixels, such as "L" or "YCbCr".
type Mode = functional.Mode

// rgb returns the pixels of v if it is a picture of mode RGB, else nil.
func rgb(t Transform, v Value) *RGB {
	if v.Image == nil || v.Tensor != nil {
		return nil
	}
	p, ok := v.Image.(*RGB)
	if !ok {
		q := pillow.From(v.Image)
		if q.Mode != pillow.ModeRGB || q.Check() != nil {
			return nil
		}
		p = &RGB{Pix: q.Pix, W: q.W, H: q.H}
	}
	if p.W <= 0 || p.H <= 0 {
		fail(t, v, "the picture has no pixels")
	}
	if len(p.Pix) < 3*p.W*p.H {
		fail(t, v, "the picture's Pix holds %d bytes; want %d", len(p.Pix), 3*p.W*p.H)
	}
	return p
}

// pictureOf returns v's picture. It panics if v is not a picture; [named] adds the
// transform's name.
func pictureOf(v Value) image.Image {
	if v.Image == nil || v.Tensor != nil {
		mistake(v, "a picture is needed here; put it before ToTensor()")
	}
	return v.Image
}
