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

// FlowOptions are the options of [FlowEstimator].
type FlowOptions struct {
	Updates int // how often the flow is improved, 0 means 12: num_flow_updates
}

// A FlowEstimator is a module for optical flow.
type FlowEstimator interface {
	// Forward estimates how far each pixel of the first pictures [N, 3, H, W], scaled to [-1, 1], moves to the second
	// ones. Each update gives one of the results [N, 2, H, W], by x and y, in pixels. The last one is the best.
	Forward(first, second *torch.Tensor, options ...FlowOptions) []*torch.Tensor
}
