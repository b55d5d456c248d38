package functional

import (
	"image"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// ToImage makes an image of a picture or plain tensor, without scaling its
// values: to_image(x). It panics with a [*torch.Error] if x is neither.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.to_image.html
func ToImage(x any) tv.Image {
	defer named("ToImage", x)
	switch x := x.(type) {
	case *torch.Tensor:
		return tv.NewImage(x)
	case image.Image:
		return tv.NewImage(PILToTensor(x))
	}
	if t := tv.TensorOf(x); t != nil {
		return tv.NewImage(t)
	}
	fail("ToImage", x, "this is neither a tensor nor a picture")
	return tv.Image{}
}
