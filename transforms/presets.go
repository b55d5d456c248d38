package transforms

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
)

// What torchvision prepares the input of its published weights by:
// torchvision/transforms/_presets.py.

// Classification returns the preprocessing of torchvision's classifiers: resize the
// short side, crop the center, scale to [0, 1], normalize. It equals
// torchvision.transforms._presets.ImageClassification with these numbers, on
// pictures and on tensors [C, H, W] and [N, C, H, W], except that the result for a
// picture is contiguous.
func Classification(resize, crop int, how Interpolation, mean, std []float64) *Pipeline {
	return Compose(
		Resize(resize, ResizeOptions{Interpolation: how}),
		CenterCrop(crop),
		toTensor{preset: true},
		Normalize(mean, std),
	)
}

// ObjectDetection returns the preprocessing of torchvision's detectors: scale to
// [0, 1]. It equals torchvision.transforms._presets.ObjectDetection.
func ObjectDetection() *Pipeline { return Compose(toTensor{preset: true}) }

// SemanticSegmentation returns the preprocessing of torchvision's segmentation
// models: resize the short side, unless resize is 0, scale to [0, 1], normalize. It equals
// torchvision.transforms._presets.SemanticSegmentation with these numbers.
func SemanticSegmentation(resize int, how Interpolation, mean, std []float64) *Pipeline {
	ts := []Transform{toTensor{preset: true}, Normalize(mean, std)}
	if resize != 0 {
		ts = append([]Transform{Resize(resize, ResizeOptions{Interpolation: how})}, ts...)
	}
	return Compose(ts...)
}

// VideoClassification returns the preprocessing of torchvision's video models:
// resize the frames, crop their center, scale to [0, 1], normalize. It takes a
// tensor [T, C, H, W] or [N, T, C, H, W] and returns [C, T, H, W] or [N, C, T, H, W]. The sizes are
// ints or []ints of height and width. It equals
// torchvision.transforms._presets.VideoClassification with these numbers, and so resizes without antialias.
func VideoClassification(resize, crop torch.Ints, how Interpolation, mean, std []float64) Transform {
	const op = "VideoClassification"
	h, w := area(op, crop)
	frames := []Transform{Resize(resize, ResizeOptions{Interpolation: how, NoAntialias: true}), CenterCrop(crop), toTensor{preset: true}, Normalize(mean, std)}
	return &step{fmt.Sprintf("VideoClassification(crop_size=[%d, %d], resize_size=%s, mean=%s, std=%s)", h, w, integers(resize), list(mean), list(std)), func(v Value) Value {
		x := v.Tensor
		if x == nil || x.Dim() != 4 && x.Dim() != 5 {
			mistake(v, "a tensor [T, C, H, W] or [N, T, C, H, W] is needed here")
		}
		var out *torch.Tensor
		torch.Scope(func() {
			y := x
			if x.Dim() == 4 {
				y = x.Unsqueeze(0)
			}
			n, t, c := y.Size(0), y.Size(1), y.Size(2)
			f := v.WithTensor(y.View(-1, c, y.Size(3), y.Size(4)))
			for _, s := range frames {
				f = s.Transform(f)
			}
			y = f.Tensor.View(n, t, c, h, w).Permute(0, 2, 1, 3, 4)
			if x.Dim() == 4 {
				y = y.Squeeze(0)
			}
			out = torch.Keep(y)
		})
		return v.WithTensor(out)
	}}
}

// OpticalFlow returns the preprocessing of torchvision's optical flow models: scale
// to [-1, 1]. It takes a value of two parts, the two pictures or tensors, and
// returns a value of two contiguous tensors. It equals
// torchvision.transforms._presets.OpticalFlow.
func OpticalFlow() Transform {
	half := []float64{0.5, 0.5, 0.5}
	one := Compose(toTensor{preset: true}, Normalize(half, half))
	return &step{"OpticalFlow()", func(v Value) Value {
		if len(v.Parts) != 2 {
			mistake(v, "a value of two parts is needed here, the two pictures")
		}
		return v.Map(func(v Value) Value {
			v = one.Transform(v)
			return v.WithTensor(v.Tensor.Contiguous())
		})
	}}
}
