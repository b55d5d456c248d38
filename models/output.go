package models

import "github.com/torchhub/torchhub/torch"

// SegmentationOutput is the output of a model for segmentation: the OrderedDict that those of torchvision return.
type SegmentationOutput struct {
	Out *torch.Tensor // the logits of each pixel [N, classes, H, W]
	Aux *torch.Tensor // those of the auxiliary classifier; nil without
}

// A Segmenter is a module for segmentation.
type Segmenter interface {
	// Forward maps pictures [N, 3, H, W] to logits of the same height and width.
	Forward(x *torch.Tensor) *SegmentationOutput
}
