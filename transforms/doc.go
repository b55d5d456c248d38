// Package transforms prepares and augments pictures and tensors:
// torchvision.transforms with torchvision's names and numbers.
//
//	preprocess := transforms.Compose(
//		transforms.Resize(256),
//		transforms.CenterCrop(224),
//		transforms.ToTensor(),
//		transforms.Normalize([]float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225}),
//	)
//	img, err := transforms.Open("dog.jpg")
//	…
//	input := preprocess.Apply(img).Unsqueeze(0) // [1, 3, 224, 224]
//
// New code that augments, or that transforms masks, boxes, key points or videos with the picture, should use package
// transforms/v2, as torchvision recommends; it has all the transforms of this package. This package prepares pictures
// for a model, in one pass (see Speed) and for many pictures at once, and serves ports of programs that use
// torchvision.transforms. Package hub prepares its pictures with it.
//
// The functions behind the transforms are in package functional. [Classification],
// SemanticSegmentation, ObjectDetection, VideoClassification and OpticalFlow are the
// presets of torchvision's published weights.
//
// # Numbers
//
// Results for a picture are the pixels of Pillow 13, and for a tensor [..., C, H, W] those of
// torchvision 0.29's tensor backend, bit for bit. The two differ from each other, as in Python.
// Pillow 12 resizes some pictures, usually those more than twice as high as wide, differently in
// the last bit of some pixels, since 13.0 changed the order of its two passes. Computations that
// libtorch divides among threads may depend on their number in the last bit, as in Python.
//
// A picture has the channels of its mode, as in Python: an *image.Gray is of mode L and has one,
// an *image.NRGBA is of mode RGBA and has four, and an *RGB has three. A [Picture] holds any mode
// of Pillow. [ToRGB] converts any picture to three channels.
//
// [Open] converts to RGB, as the samples of the models' pages do, and [WithMode] keeps the
// mode of the file.
//
// # Speed
//
// [Resize], [CenterCrop], [ToTensor] and [Normalize] in a [Compose] are one pass over the
// pixels that the crop keeps. [Batch] and [BatchFiles] prepare many pictures on all
// cores into one tensor.
//
// # Randomness
//
// Random transforms draw from libtorch's generator in Python's order, so that after
// torch.ManualSeed a program gives the same results as the Python program after
// torch.manual_seed. [RandomChoice] and [RandomOrder] draw from Python's other
// generator, which [pyrandom.Seed] seeds. A [Value] may carry generators of its own:
//
//	v := transforms.Value{Image: img}
//	v.Generator, v.Random = data.WorkerGenerators(base, worker)
//	x := augment.Transform(v).Tensor
//
// Then any number of goroutines draw independently, as the workers of a PyTorch
// DataLoader do; [Batch] gives its own goroutines such generators.
//
// # Differences from Python
//
// The following are refused here and not in Python:
//
//   - Arguments that Python checks only when it uses them. A constructor refuses them at once, even if the transform
//     would never be applied at random: bits outside of 0 to 8, a number of gray channels other than 1 and 3, a size
//     below 1 for [Resize] and an invalid MaxSize, stds of 0, different numbers of stds and means,
//     ranges that do not increase, a scale below 0, a ratio of 0 or below, a DistortionScale below 0, an unknown mode,
//     no transforms for [RandomChoice].
//   - A probability that is NaN, numbers that are not finite, and weights below 0.
//   - Crops of a size of 0 or below, and pictures without pixels as arguments of ToTensor and the like.
//   - Sizes that are not integers. Python truncates 7.5 to 7 for the crops and for
//     [RandomResizedCrop].
//   - A Scale or a Ratio of more than two numbers, of which Python ignores the rest.
//   - Fewer than two magnitudes for the augmentations, a magnitude out of range, which Python may never use or counts
//     from the end, a number of operations below 0, and an Alpha of 0 or below or a MixtureWidth below 1 for [AugMix].
//   - Several channels of integers other than uint8 for [ToPILImage], whose bytes Python interprets as
//     pixels.
//   - Tensors of float16 and bfloat16 with more than 32,768 pixels, if they are rotated, sheared or
//     warped: grid_sample would read beyond them, in Python too. Convert them to float32 first.
//
// # Mistakes
//
// A constructor panics with a *torch.Error if its arguments are invalid, and a
// transform if it does not accept its value; the error names the transform and
// the value. torch.Try turns either into an error.
package transforms
