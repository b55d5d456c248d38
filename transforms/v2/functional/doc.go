// Package functional holds the functionals of torchvision.transforms.v2: each
// applies to an image, a video, a mask, boxes, key points or a picture, each
// with a kernel of its own.
//
// A functional is generic and returns the type of its argument:
//
//	img = functional.Resize(img, []int{256})     // a tvtensors.Image
//	boxes = functional.Resize(boxes, []int{256}) // tvtensors.BoundingBoxes
//
// What it does with one kind is also a function of its own, such as [ResizeMask];
// Python's kernels of boxes take format, canvas and clamping mode as arguments, these take them
// with the boxes.
//
// # Numbers
//
// Tensors are computed by the operators of libtorch that Python calls, in its
// order, and so equal Python's to the last bit. Pictures have the pixels of
// Pillow 13.
//
// # Mistakes
//
// A functional panics with a [*torch.Error] that names it and the value where it
// does not take the value or an argument; [torch.Try] turns that into an error.
// The input is never changed, but by functions whose names end in InPlace.
//
// https://docs.pytorch.org/vision/stable/transforms.html#v2-api-reference-recommended
package functional
