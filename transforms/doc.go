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
// The functions behind them are in package functional; [Classification] and its
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
//	v.Generator, v.Random = transforms.WorkerGenerators(base, worker)
//	x := augment.Transform(v).Tensor
//
// Then any number of goroutines draw independently, as the workers of a PyTorch
// DataLoader do; [Batch] gives its own goroutines such generators.
//
// # Differences from Python
//
// These are mistakes here, and what they are taken for in Python is of no use:
// a probability that is NaN, and factors that are not finite; weights below 0; crops without pixels, and
// pictures without pixels that are to become tensors; several channels of other integers than uint8 for [ToPILImage]; less than two
// magnitudes for the augmentations, and a magnitude below 0.
//
// Tensors of float16 and bfloat16 with more than 32,768 pixels are not rotated, sheared or
// warped: grid_sample would read beyond them, in Python too; make them float32 before.
//
// # Mistakes
//
// A constructor panics with a [*torch.Error] where its arguments cannot be, and a
// transform where it does not take the value it is given; the error names the
// transform and the value. [torch.Try] turns either into an error.
package transforms
