// Package transforms turns pictures into tensors: torchvision.transforms with
// torchvision's names and numbers.
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
// # Numbers
//
// A picture gives the tensor that it gives in Python, to the last bit: with
// torchvision 0.29 on pictures of Pillow 13, opened and converted to RGB. Pillow
// 12 resizes a few pictures differently in the last bit of some pixels: those more
// than twice as high as wide, as a rule, since 13.0 changed the order of its two passes.
//
// Every picture has three channels here, red, green and blue; [ToRGB] makes them
// of any image.Image. A grey picture has three equal channels, where torchvision
// keeps one unless told otherwise.
//
// [Resize], [CenterCrop] and [Normalize] take tensors [..., C, H, W] too, as
// torchvision does; its numbers for a tensor and for a picture of the same pixels
// differ, and so they do here.
//
// # Mistakes
//
// A constructor panics with a [*torch.Error] where its arguments cannot be, and a
// transform where it does not take the value it is given. [torch.Try] turns either
// into an error.
package transforms
