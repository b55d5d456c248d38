package draw

import (
	"image/color"

	"github.com/torchhub/torchhub/torch"
)

// MaskOptions are the options of [DrawSegmentationMasks]. The zero value is torchvision's default.
type MaskOptions struct {
	Alpha       float64       // 0 is 0.8; 1 hides the picture below
	Transparent bool          // Alpha is 0: the masks are not seen
	Colors      []color.Color // one for each mask, or one for all; none is torchvision's palette
}

// DrawSegmentationMasks draws masks, bool [N, H, W] or [H, W], on a picture [3, H, W] and
// returns a picture of its dtype on its device:
// torchvision.utils.draw_segmentation_masks(image, masks, alpha, colors). Where
// masks overlap, it is black.
//
// If there are no masks, it returns the picture itself. It panics with a
// *torch.Error if the picture, the masks or the options are invalid.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.utils.draw_segmentation_masks.html
func DrawSegmentationMasks(image, masks *torch.Tensor, options ...MaskOptions) *torch.Tensor {
	const op = "DrawSegmentationMasks"
	o := torch.Only(options)
	checkPicture(op, image, false)
	switch {
	case masks.Dim() != 2 && masks.Dim() != 3:
		refuseTensor(op, masks, "the masks' shape is [H, W] or [N, H, W]")
	case masks.DType() != torch.Bool:
		refuseTensor(op, masks, "the masks' dtype is bool")
	case masks.Size(-2) != image.Size(-2) || masks.Size(-1) != image.Size(-1):
		refuseTensor(op, masks, "the masks are not of the picture's height and width, %d×%d", image.Size(-2), image.Size(-1))
	case !(0 <= o.Alpha && o.Alpha <= 1):
		refuse(op, "Alpha is %v; want 0 to 1", o.Alpha)
	}
	if o.Alpha == 0 && !o.Transparent {
		o.Alpha = 0.8
	}
	if masks.Dim() == 3 && masks.Size(0) == 0 {
		return image
	}
	var out *torch.Tensor
	torch.NoGrad(func() { torch.Scope(func() { out = torch.Keep(overlay(image, masks, o)) }) })
	return out
}

func overlay(image, masks *torch.Tensor, o MaskOptions) *torch.Tensor {
	if masks.Dim() == 2 {
		masks = masks.Unsqueeze(0)
	}
	n, dtype := masks.Size(0), image.DType()
	// Python divides the numbers of its palette in float32, and given ones in float64.
	scale := func(v uint8) float64 {
		switch {
		case !dtype.IsFloatingPoint():
			return float64(v)
		case len(o.Colors) == 0:
			return float64(float32(v) / 255)
		}
		return float64(v) / 255
	}
	over := image
	for i, c := range colorsFor("DrawSegmentationMasks", "Colors", o.Colors, n, palette(n)) {
		ink := torch.FromSlice([]float64{scale(c.R), scale(c.G), scale(c.B)}, 3, 1, 1)
		over = torch.Where(masks.Select(0, i), ink.ToDType(dtype).To(image.Device()), over)
	}
	over = over.MaskedFill(masks.Sum(0).GtScalar(1), 0)
	return image.MulScalar(1 - o.Alpha).Add(over.MulScalar(o.Alpha)).ToDType(dtype)
}
