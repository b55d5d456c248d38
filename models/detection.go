package models

import "github.com/torchhub/torchhub/torch"

// DetectionOutput is what a model finds in one picture, by falling score: the dict that torchvision's models return.
type DetectionOutput struct {
	Boxes          *torch.Tensor // [N, 4] as x1, y1, x2, y2, in pixels of the picture
	Labels         *torch.Tensor // [N], int64 classes from 1 on
	Scores         *torch.Tensor // [N], from 0 to 1
	Masks          *torch.Tensor // [N, 1, H, W], the probability that a pixel belongs to the object; nil without
	Keypoints      *torch.Tensor // [N, K, 3] as x, y and visibility; nil without
	KeypointScores *torch.Tensor // [N, K], logits; nil without
}

// DetectionTarget is what there is in one picture, for training: the dict that torchvision's models take.
type DetectionTarget struct {
	Boxes     *torch.Tensor // [N, 4] as x1, y1, x2, y2, in pixels of the picture
	Labels    *torch.Tensor // [N], int64 classes from 1 on
	Masks     *torch.Tensor // [N, H, W], uint8, for Mask R-CNN
	Keypoints *torch.Tensor // [N, K, 3] as x, y and visibility, float32, for Keypoint R-CNN
}

// A Loss is a part of a model's loss with its name in torchvision.
type Loss struct {
	Name  string // "loss_classifier"
	Value *torch.Tensor
}

// A Detector is a module that finds objects. The pictures are [3, H, W] with values from 0 to 1, and may
// differ in size.
type Detector interface {
	// Detect returns what the model finds in each picture, as model(images) does in evaluation. The module must be in
	// evaluation mode, too, see nn.Eval.
	Detect(images []*torch.Tensor) []DetectionOutput
	// Losses returns the parts of the loss for pictures and their targets, as model(images, targets) does while
	// training. Some models draw which boxes they learn from.
	Losses(images []*torch.Tensor, targets []DetectionTarget) []Loss
}
