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
//	out := v2.Apply(augment, sample) // another Sample; sample is not changed
//
// A single value is a sample too: img = v2.Apply(v2.Resize(256), img). For a
// pipeline that changes types, [Convert] returns the result as another type.
//
// # Numbers
//
// Tensors are computed by the operators of libtorch that Python calls, in its order, and pictures
// have the pixels of Pillow 13, so that results equal those of torchvision 0.29 bit for bit. Random
// transforms draw with the operators that Python calls, in its order: after torch.ManualSeed(s) a
// program gives the same results as the Python program after torch.manual_seed(s).
//
// libtorch chooses some kernels by the number of threads, such as that of Resize without
// antialias, and the last bit of others depends on the processor: results equal Python's on
// the same machine with the same number of threads.
//
// # Differences from Python
//
// The following are refused here and not in Python:
//
//   - Arguments that Python checks only when it uses them. A constructor refuses them at once, even if the transform
//     would never be applied at random: bits outside of 0 to 8, a number of gray channels other than 1 and 3, a size
//     below 1 for [Resize] and similar transforms, an invalid MaxSize, no sizes for [RandomShortestSize], an unknown
//     mode, ranges of [RandomPhotometricDistort] that are below 0 or do not have two numbers, ranges that do not
//     increase, a sharpness below 0, stds of 0, different numbers of stds and means, a scale below 0, a ratio of 0 or
//     below.
//   - Numbers that are NaN or infinite, and weights below 0.
//   - A size or a target size of [ScaleJitter] of 0 or below, and no frames for [UniformTemporalSubsample]. In Python,
//     [CenterCrop] and [RandomCrop] of a size of 0 or below return an empty image or one of another size.
//   - Sizes that are not integers. In Python the crops and [RandomResizedCrop] truncate a size such as 7.5
//     to 7.
//   - Fewer than two magnitudes for the augmentations, a magnitude out of range, which Python may never use or counts
//     from the end, a number of operations below 0, and an Alpha of 0 or below or a MixtureWidth below 1 for [AugMix].
//   - Several channels of integers wider than a byte for [ToPILImage], whose bytes Python interprets as pixels. Two or
//     more channels must be of uint8 or floating-point numbers or, with a mode, of int8 or bool.
//   - Tensors of float16 and bfloat16 with more than 32,768 pixels, if they are rotated, sheared or
//     warped: grid_sample would read beyond them, in Python too. Convert them to float32 first.
//   - [RandomIoUCrop] of a sample that no crop fits, after 1,000 rounds. Python draws forever.
//
// A fill has floats, to which Python's transforms convert it too.
//
// Python's dictionaries by type are maps by [Kind]; the types are those of package
// tvtensors. A labels_getter is a struct tag or a list of field names, see
// [SanitizeBoundingBoxes]. There are no warnings. Maps are traversed in the order
// of their keys.
//
// # Mistakes
//
// A constructor panics with a [*torch.Error] if its arguments are invalid, and a
// transform if it does not accept the sample; the error names the transform and
// the value. [torch.Try] turns either into an error.
//
// https://docs.pytorch.org/vision/stable/transforms.html
package v2
