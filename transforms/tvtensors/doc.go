// Package tvtensors has tensors with types for their meaning,
// torchvision.tv_tensors: an image, a video, a mask, bounding boxes, key points.
// The transforms of transforms/v2 tell them apart by these types.
//
// Each of them embeds the tensor it names, so every op of a tensor can be called
// on it; as in Python the result is then a plain tensor:
//
//	img := tvtensors.NewImage(torch.Rand(3, 480, 640))
//	x := img.MulScalar(2.0) // a *torch.Tensor
//
// A value whose Tensor is nil, such as the zero value, counts as absent;
// transforms ignore it.
//
// https://docs.pytorch.org/vision/stable/tv_tensors.html
package tvtensors
