package draw

import (
	"image"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
)

// ToImage turns a tensor [C, H, W] of 1 to 4 channels, or [H, W], into a picture, as
// [functional.ToPILImage] does: bytes are taken as they are, and floating-point
// numbers times 255 without a fraction. One channel gives an *image.Gray, three a
// *transforms.RGB, four an *image.NRGBA.
//
// It panics with a [*torch.Error] if the tensor is not so.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.to_pil_image.html
func ToImage(x *torch.Tensor) image.Image { return functional.ToPILImage(x) }
