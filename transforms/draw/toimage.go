package draw

import (
	"image"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// ToImage turns a tensor [C, H, W] or [H, W] into a picture:
// torchvision.transforms.functional.to_pil_image(x). Bytes are taken as they are, and
// floating-point numbers times 255 without a fraction. One channel gives an
// *image.Gray, three a [*transforms.RGB], four an *image.NRGBA.
//
// It panics with a [*torch.Error] where the tensor is not so.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.to_pil_image.html
func ToImage(x *torch.Tensor) image.Image {
	const op = "ToImage"
	dims := x.Dim()
	switch {
	case dims != 2 && dims != 3:
		refuseTensor(op, x, "a picture's shape is [C, H, W] or [H, W]")
	case x.DType() != torch.Uint8 && !x.DType().IsFloatingPoint():
		refuseTensor(op, x, "a picture's dtype is uint8 or floating-point")
	case x.Numel() == 0:
		refuseTensor(op, x, "the picture has no pixels")
	}
	channels := 1
	if dims == 3 {
		channels = x.Size(0)
	}
	w, h := x.Size(dims-1), x.Size(dims-2)
	var pix []uint8
	torch.NoGrad(func() {
		torch.Scope(func() {
			y := x
			if dims == 2 {
				y = y.Unsqueeze(0)
			}
			if y.DType() != torch.Uint8 {
				y = y.MulScalar(255).ToDType(torch.Uint8)
			}
			pix = torch.Data[uint8](y.Permute(1, 2, 0).To(torch.CPU).Contiguous())
		})
	})
	r := image.Rect(0, 0, w, h)
	switch channels {
	case 1:
		return &image.Gray{Pix: pix, Stride: w, Rect: r}
	case 3:
		return &transforms.RGB{Pix: pix, W: w, H: h}
	case 4:
		return &image.NRGBA{Pix: pix, Stride: 4 * w, Rect: r}
	}
	refuseTensor(op, x, "a picture has 1, 3 or 4 channels")
	return nil
}
