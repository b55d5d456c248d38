// Package functional is torchvision.transforms.functional: the functions behind
// the transforms of package transforms, with all parameters in the caller's hand.
// None of them is random. By custom it is imported as TF:
//
//	import TF "github.com/torchhub/torchhub/transforms/functional"
//
// A [Value] is a picture or a tensor. A picture gives the numbers of Pillow 13, a
// tensor [..., C, H, W] those of torchvision's tensor backend; they differ in
// Python too.
//
// Mistakes panic with a [*torch.Error] that names the function and the value;
// [torch.Try] turns it into an error.
//
// https://docs.pytorch.org/vision/stable/transforms.html#functional-transforms
package functional
