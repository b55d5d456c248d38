// Package v2 is torchvision.transforms.v2: transforms of images, videos, masks,
// bounding boxes and key points together, and of pictures.
//
// A sample is a Go value of any shape; [Apply] finds what to transform in it:
//
//	type Sample struct {
//		Image  v2.Image
//		Boxes  v2.BoundingBoxes
//		Masks  v2.Mask
//		Labels *torch.Tensor
//	}
//	augment := v2.Compose(
//		v2.RandomIoUCrop(),
//		v2.RandomHorizontalFlip(),
//		v2.Resize([]int{640, 640}),
//		v2.SanitizeBoundingBoxes(),
//		v2.ToDtype(torch.Float32, true),
//	)
//	out := v2.Apply(augment, sample) // another Sample; the one given is not changed
//
// One value is a sample too: img = v2.Apply(v2.Resize(256), img). Where a pipeline
// changes types, [Convert] returns the result as another one.
//
// # Numbers
//
// Tensors are computed by the operators of libtorch that Python calls, in its
// order, and pictures have the pixels of Pillow 13, so that results equal those of
// torchvision 0.29 to the last bit. Random transforms draw with the operators that Python calls, in
// its order: after torch.ManualSeed(s) a program augments as the Python program
// does after torch.manual_seed(s).
//
// libtorch chooses some kernels by the number of threads, that of Resize without
// antialias for one, and the processor decides the last bit of others: numbers are Python's
// on the same machine with as many threads.
//
// # Differences from Python
//
// The following are refused here and not in Python:
//
//   - Arguments that Python checks only when it uses them. A constructor refuses them at once, also where chance
//     would never apply the transform: bits outside of 0 to 8, another number of gray channels than 1 and 3,
//     a size below 1 for [Resize] and the transforms like it, a MaxSize that does not go with it, no sizes for [RandomShortestSize], a mode that there is not, ranges of [RandomPhotometricDistort] that are below 0 or not of
//     two numbers, ranges that do not increase, a sharpness below 0, stds of 0 or of another number than the means, a scale below 0, a ratio of 0 and below.
//   - Numbers that are NaN or infinite, and weights below 0.
//   - A size of 0 and below, a target size of [ScaleJitter] likewise, and no frames for [UniformTemporalSubsample]. In Python, [CenterCrop]
//     and [RandomCrop] of a size of 0 or below return an empty image or one of another size.
//   - Sizes that are not integers. In Python the crops and [RandomResizedCrop] cut a size such as 7.5 to 7.
//   - Fewer than two magnitudes for the augmentations, a magnitude that there is not, which Python may never use or
//     counts from the end, a number of operations below 0, and an Alpha of 0 and below or a MixtureWidth below 1 for [AugMix].
//   - Several channels of wider integers than a byte for [ToPILImage], whose bytes Python takes for pixels. It takes two channels
//     and more of uint8 or floating-point numbers and, where a mode is given, of int8 and bool.
//   - Tensors of float16 and bfloat16 with more than 32,768 pixels that are to be rotated, sheared or
//     warped: grid_sample would read beyond them, in Python too. Make them float32 before.
//   - [RandomIoUCrop] of a sample that no crop fits, after 1,000 rounds. Python draws for ever.
//
// A fill is of floats, as Python's transforms convert it.
//
// Python's dictionaries by type are maps by [Kind]; the types are those of package
// tvtensors. A labels_getter is a struct tag or a list of field names, see
// [SanitizeBoundingBoxes]. Warnings are not given. Maps are walked in the order of
// their keys.
//
// # Mistakes
//
// A constructor panics with a [*torch.Error] if its arguments cannot be, and a
// transform where it does not take the sample; the error names the transform and
// the value. [torch.Try] turns either into an error.
//
// https://docs.pytorch.org/vision/stable/transforms.html
package v2
