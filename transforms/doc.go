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
// New code that augments, or that transforms masks, boxes, key points or videos with the picture, should use
// package transforms/v2, as torchvision recommends; it has all the transforms of this package. This package is for preparing
// pictures for a model, which it does in one pass (see Speed) and for many pictures at once, and for ports of
// programs that use torchvision.transforms. Package hub prepares its pictures with it.
//
// The functions behind the transforms are in package functional; [Classification] and its
// neighbors are the presets of torchvision's published weights.
//
// # Numbers
//
// A picture gives the pixels of Pillow 13, and a tensor [..., C, H, W] those of
// torchvision 0.29's tensor backend, to the last bit. They differ in Python too.
// Pillow 12 resizes a few pictures differently in the last bit of some pixels: those more
// than twice as high as wide, as a rule, since 13.0 changed the order of its two passes.
// What libtorch splits among threads may depend on their number in the last bit, in Python as here.
//
// A picture has the channels of its mode, as in Python: an *image.Gray is of mode L and
// has one, an *image.NRGBA is RGBA and has four, an *[RGB] three. A [Picture] holds every mode of
// Pillow. [ToRGB] makes three channels of any picture.
//
// [Open] converts to RGB, as the models' pages do, and [WithMode] keeps the mode of the file.
//
// # Speed
//
// [Resize], [CenterCrop], [ToTensor] and [Normalize] in a [Compose] are one pass over the
// pixels that the crop keeps. [Batch] and [BatchFiles] prepare many pictures on all
// cores into one tensor.
//
// # Randomness
//
// Random transforms draw from libtorch's generator in the order of Python, so
// that after [torch.ManualSeed] a program augments as the Python program after
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
//   - Arguments that Python checks only when it uses them. A constructor refuses them at once, also where chance
//     would never apply the transform: bits outside of 0 to 8, another number of gray channels than 1 and 3,
//     a size below 1 for [Resize] and a MaxSize that does not go with it, stds of 0 or of another number than the means, ranges that do not
//     increase, a scale below 0, a ratio of 0 and below, a DistortionScale below 0, a mode that there is not, no transforms for [RandomChoice].
//   - A probability that is NaN, numbers that are not finite, and weights below 0.
//   - Crops without pixels, of a size of 0 and below, and pictures without pixels that are to become tensors.
//   - Sizes that are not integers. Python cuts 7.5 to 7 for the crops and for [RandomResizedCrop].
//   - A Scale or a Ratio of more than two numbers, of which Python ignores the others.
//   - Fewer than two magnitudes for the augmentations, a magnitude that there is not, which Python may never use or
//     counts from the end, a number of operations below 0, and an Alpha of 0 and below or a MixtureWidth below 1 for [AugMix].
//   - Several channels of other integers than uint8 for [ToPILImage], whose bytes Python takes for pixels.
//   - Tensors of float16 and bfloat16 with more than 32,768 pixels that are to be rotated, sheared or
//     warped: grid_sample would read beyond them, in Python too. Make them float32 before.
//
// # Mistakes
//
// A constructor panics with a [*torch.Error] where its arguments cannot be, and a
// transform where it does not take the value it is given; the error names the
// transform and the value. [torch.Try] turns either into an error.
package transforms
