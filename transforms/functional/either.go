package functional

import (
	"image"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// picture returns the pixels of v, or panics in the name of op if v is not a
// picture.
func picture(op string, v Value) *pillow.Image {
	switch {
	case v.Parts != nil:
		fail(op, v, "one picture or tensor is needed here; use Value.Map")
	case v.Tensor != nil:
		fail(op, v, "a picture is needed here; put it before ToTensor() or behind ToPILImage()")
	case v.Image == nil:
		fail(op, v, "a picture or a tensor is needed here")
	}
	p := pillow.From(v.Image)
	if err := p.Check(); err != nil {
		fail(op, v, "%v", err)
	}
	return p
}

// either returns v with the result of onPicture for its picture, or of onTensor for its
// tensor.
func either(op string, v Value, onPicture func(*pillow.Image) (*pillow.Image, error), tensor func(*torch.Tensor) *torch.Tensor) Value {
	if v.Tensor != nil {
		return onTensor(op, v, tensor)
	}
	p := picture(op, v)
	q, err := onPicture(p)
	if err != nil {
		fail(op, v, "%v", err)
	}
	if q == p {
		return v
	}
	return v.WithImage(Shown(q))
}

// Shown returns the picture as the type of the standard library for its mode,
// where that costs nothing.
func Shown(p *pillow.Image) image.Image {
	switch p.Mode {
	case pillow.ModeL, pillow.ModeRGB, pillow.ModeRGBA, pillow.ModeCMYK:
		return p.Go()
	}
	return p
}
