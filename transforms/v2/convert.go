package v2

import (
	"fmt"
	"image"
	"slices"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	F "github.com/torchhub/torchhub/transforms/v2/functional"
)

func is(kinds ...Kind) func(any) bool {
	return func(v any) bool { return slices.Contains(kinds, tv.KindOf(v)) }
}

// plain makes a transform of values of some kinds that is always done and draws nothing.
func plain(name string, takes func(any) bool, f func(any) any) Transform {
	return &step[struct{}]{name: name, p: -1, hooks: Hooks[struct{}]{Takes: takes, Transform: func(v any, _ struct{}) any { return f(v) }}}
}

// ToImage makes an [Image] of a picture or plain tensor, without scaling its values: ToImage().
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ToImage.html
func ToImage() Transform {
	return plain("ToImage()", is(tv.PureTensor, tv.Picture), func(v any) any { return F.ToImage(v) })
}

// ToPureTensor makes plain tensors of images, videos, masks, boxes and key points: ToPureTensor().
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ToPureTensor.html
func ToPureTensor() Transform {
	return plain("ToPureTensor()", is(tv.ImageKind, tv.VideoKind, tv.MaskKind, tv.BoxesKind, tv.KeyPointsKind),
		func(v any) any { return tv.TensorOf(v) })
}

// PILToTensor makes a tensor [C, H, W] of a picture, without scaling its values: PILToTensor().
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.PILToTensor.html
func PILToTensor() Transform {
	return plain("PILToTensor()", IsPicture, func(v any) any { return F.PILToTensor(v.(image.Image)) })
}

// ToTensor makes a float32 tensor [C, H, W] in [0, 1] of a picture: ToTensor(), which
// PyTorch advises against; [ToImage] and [ToDtype] give the same result except for
// rounding.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ToTensor.html
func ToTensor() Transform {
	return plain("ToTensor()", IsPicture, func(v any) any { return F.ToTensor(v.(image.Image)) })
}

// ToPILImage makes a picture of an image or plain tensor, in a mode of Pillow
// such as "RGBA", or in the one that its channels and dtype imply: ToPILImage(mode).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ToPILImage.html
func ToPILImage(mode ...string) Transform {
	m := torch.Only(mode)
	switch m {
	case "", "L", "LA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "I", "I;16", "F":
	default:
		refuse("ToPILImage", "no mode of a tensor is called %q", m)
	}
	return plain(repr("ToPILImage", "mode", orNil(m)), is(tv.PureTensor, tv.ImageKind),
		func(v any) any { return F.ToPILImage(tv.TensorOf(v), m) })
}

// ToDtype converts images, videos and plain tensors to a dtype, and with scale
// moves their values to its range, [0, 1] for floating-point ones: ToDtype(dtype, scale).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ToDtype.html
func ToDtype(dtype torch.DType, scale bool) Transform {
	if dtype == 0 {
		refuse("ToDtype", "there is no dtype")
	}
	return plain(repr("ToDtype", "scale", scale), isTensor, func(v any) any {
		if !is(tv.PureTensor, tv.ImageKind, tv.VideoKind)(v) {
			return v
		}
		return F.ToDtype(v, dtype, scale)
	})
}

// isTensor is isinstance(v, torch.Tensor).
func isTensor(v any) bool {
	k := tv.KindOf(v)
	return k != tv.Other && k != tv.Picture
}

// ToDtypes converts each kind of value to a dtype of its own: ToDtype({…}, scale). The kind
// tvtensors.Other stands for all other kinds, and values of a kind with a dtype of 0 are not
// changed. The transform panics on a value of a missing kind if there is no Other.
func ToDtypes(dtypes map[Kind]torch.DType, scale bool) Transform {
	const op = "ToDtype"
	if len(dtypes) == 0 {
		refuse(op, "there are no dtypes")
	}
	of := map[Kind]torch.DType{}
	for k, d := range dtypes {
		of[k] = d
	}
	return plain(repr(op, "scale", scale), isTensor, func(v any) any {
		k := tv.KindOf(v)
		dtype, ok := of[k]
		if !ok {
			if dtype, ok = of[tv.Other]; !ok {
				refuse(op, "there is no dtype for the kind %v; name it, or Other for all that are not named", k)
			}
		}
		if dtype == 0 {
			return v
		}
		return through(op, v, func(v any) any { return F.ToDtype(v, dtype, scale) })
	})
}

// ConvertImageDtype converts to a dtype and scales the values: ConvertImageDtype(dtype),
// the older name of ToDtype(dtype, true); unlike it, it also converts masks, boxes and key points, unscaled.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ConvertImageDtype.html
func ConvertImageDtype(dtype torch.DType) Transform {
	if dtype == 0 {
		refuse("ConvertImageDtype", "there is no dtype")
	}
	return always("ToDtype", "ConvertImageDtype()", func(v any) any { return F.ToDtype(v, dtype, true) })
}

func noPictures(op string) func([]any) {
	return func(flat []any) {
		if HasAny(flat, IsPicture) {
			refuse(op, "pictures are not supported by %s; put ToImage() before it", op)
		}
	}
}

// NormalizeOptions are the options of [Normalize].
type NormalizeOptions struct{ InPlace bool } // write to the tensors of the sample

// Normalize subtracts from each channel of floating-point images and videos its
// mean and divides by its std: Normalize(mean, std). One number does for all channels.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Normalize.html
func Normalize(mean, std []float64, options ...NormalizeOptions) Transform {
	const op = "Normalize"
	o := torch.Only(options)
	if len(mean) == 0 || len(std) == 0 || len(mean) != len(std) && len(mean) != 1 && len(std) != 1 {
		refuse(op, "there are %d means and %d stds; want one of each for every channel", len(mean), len(std))
	}
	checkFinite(op, "mean", mean...)
	checkFinite(op, "std", std...)
	for i, s := range std {
		if s == 0 {
			refuse(op, "std[%d] is 0, which nothing can be divided by", i)
		}
	}
	mean, std = slices.Clone(mean), slices.Clone(std)
	f := F.Normalize[any]
	if o.InPlace {
		f = F.NormalizeInPlace[any]
	}
	return &step[struct{}]{name: repr(op, "mean", mean, "std", std, "inplace", o.InPlace), p: -1, hooks: Hooks[struct{}]{
		Check: noPictures(op),
		Transform: func(v any, _ struct{}) any {
			return through(op, v, func(v any) any { return f(v, mean, std) })
		},
	}}
}

// LinearTransformation subtracts a mean vector [D] from images and videos of D
// = C H W numbers, each as one row, and multiplies them by a matrix [D, D]:
// LinearTransformation(transformation_matrix, mean_vector). Whitening is an
// example.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.LinearTransformation.html
func LinearTransformation(matrix, mean *torch.Tensor) Transform {
	const op = "LinearTransformation"
	if matrix == nil || mean == nil {
		refuse(op, "the matrix or the mean vector is nil")
	}
	switch {
	case matrix.Dim() != 2 || matrix.Size(0) != matrix.Size(1):
		refuse(op, "the matrix has the shape %v; want a square", matrix.Shape())
	case mean.Dim() < 1 || mean.Size(0) != matrix.Size(0):
		refuse(op, "the mean vector has the shape %v; want [%d], as the matrix", mean.Shape(), matrix.Size(0))
	case matrix.Device() != mean.Device():
		refuse(op, "the matrix is on %v and the mean vector on %v", matrix.Device(), mean.Device())
	case matrix.DType() != mean.DType():
		refuse(op, "the matrix is %v and the mean vector %v", matrix.DType(), mean.DType())
	}
	return &step[struct{}]{name: op + "()", p: -1, hooks: Hooks[struct{}]{
		Takes: is(tv.PureTensor, tv.ImageKind, tv.VideoKind),
		Check: noPictures(op),
		Transform: func(v any, _ struct{}) any {
			x := tv.TensorOf(v)
			shape := x.Shape()
			if len(shape) < 3 {
				refuse(op, "the shape %v is not [..., C, H, W]", shape)
			}
			c, h, w := shape[len(shape)-3], shape[len(shape)-2], shape[len(shape)-1]
			n := c * h * w
			if n != matrix.Size(0) {
				refuse(op, "the value has %d×%d×%d numbers; want %d, as the matrix", c, h, w, matrix.Size(0))
			}
			if x.Device() != mean.Device() {
				refuse(op, "the value is on %v and the mean vector on %v", x.Device(), mean.Device())
			}
			var out *torch.Tensor
			torch.Scope(func() {
				flat := x.Reshape(-1, n).Sub(mean)
				out = torch.Keep(flat.MM(matrix.ToDType(flat.DType())).Reshape(shape...))
			})
			return tv.Wrap(out, v)
		},
	}}
}

// GaussianBlurOptions are the options of [GaussianBlur].
type GaussianBlurOptions struct {
	Sigma Floats // the standard deviation, above 0, or the least and the greatest; nil is 0.1 to 2
}

// GaussianBlur blurs images, videos and pictures with a kernel of odd sizes and a
// random sigma: GaussianBlur(kernel_size, sigma).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.GaussianBlur.html
func GaussianBlur(kernelSize torch.Ints, options ...GaussianBlurOptions) Transform {
	const op = "GaussianBlur"
	k := listOf(op, "kernel size", kernelSize)
	if len(k) == 1 {
		k = []int{k[0], k[0]}
	}
	if len(k) != 2 || k[0] < 1 || k[1] < 1 || k[0]%2 == 0 || k[1]%2 == 0 {
		refuse(op, "the kernel size is %v; want one or two odd numbers above 0", k)
	}
	sigma := torch.Only(options).Sigma
	if sigma == nil {
		sigma = []float64{0.1, 2}
	}
	s := pairOf(op, "sigma", sigma, 0)
	if !(0 < s[0] && s[0] <= s[1]) {
		refuse(op, "sigma is %v to %v; want a range above 0 that increases", s[0], s[1])
	}
	name := repr(op, "kernel_size", tuple{k[0], k[1]}, "sigma", s[:])
	return &step[float64]{name: name, p: -1, hooks: Hooks[float64]{
		Params: func(_ []any, g *torch.Generator) float64 { return uniform(g, s[0], s[1]) },
		Transform: func(v any, sigma float64) any {
			return through(op, v, func(v any) any { return F.GaussianBlur(v, k, []float64{sigma, sigma}) })
		},
	}}
}

// GaussianNoiseOptions are the options of [GaussianNoise].
type GaussianNoiseOptions struct {
	Mean   float64
	Sigma  *float64 // nil is 0.1
	NoClip bool     // let values leave [0, 1], or wrap round for uint8
}

// GaussianNoise adds normal noise to images and videos: GaussianNoise(mean, sigma, clip).
// A picture is an [*torch.Error], as in Python.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.GaussianNoise.html
func GaussianNoise(options ...GaussianNoiseOptions) Transform {
	const op = "GaussianNoise"
	o := torch.Only(options)
	sigma := 0.1
	if o.Sigma != nil {
		sigma = *o.Sigma
	}
	checkFinite(op, "mean", o.Mean)
	checkFinite(op, "sigma", sigma)
	if sigma < 0 {
		refuse(op, "sigma is %v; want 0 or more", sigma)
	}
	return &step[*torch.Generator]{name: repr(op, "mean", o.Mean, "sigma", sigma, "clip", !o.NoClip), p: -1, hooks: Hooks[*torch.Generator]{
		Params: func(_ []any, g *torch.Generator) *torch.Generator { return g },
		Transform: func(v any, g *torch.Generator) any {
			return through(op, v, func(v any) any {
				return F.GaussianNoise(v, o.Mean, sigma, F.GaussianNoiseOptions{NoClip: o.NoClip, Generator: g})
			})
		},
	}}
}

// UniformTemporalSubsample keeps frames of videos at equal distances: UniformTemporalSubsample(num_samples).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.UniformTemporalSubsample.html
func UniformTemporalSubsample(frames int) Transform {
	const op = "UniformTemporalSubsample"
	if frames < 1 {
		refuse(op, "%d frames are asked for; want 1 or more", frames)
	}
	return &step[struct{}]{name: repr(op, "num_samples", frames), p: -1, hooks: Hooks[struct{}]{
		Takes: isTensor,
		Transform: func(v any, _ struct{}) any {
			return through(op, v, func(v any) any { return F.UniformTemporalSubsample(v, frames) })
		},
	}}
}

// ConvertBoundingBoxFormat converts boxes to another format: ConvertBoundingBoxFormat(format).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ConvertBoundingBoxFormat.html
func ConvertBoundingBoxFormat(format BoundingBoxFormat) Transform {
	const op = "ConvertBoundingBoxFormat"
	if !format.Valid() {
		refuse(op, "the format is %v", format)
	}
	return plain(fmt.Sprintf("%s(format=%v)", op, format), is(tv.BoxesKind), func(v any) any {
		return F.ConvertBoundingBoxFormat(v.(BoundingBoxes), format)
	})
}

// ClampBoundingBoxes clips boxes to the canvas, in the boxes' own clamping mode
// or another: ClampBoundingBoxes(clamping_mode).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ClampBoundingBoxes.html
func ClampBoundingBoxes(mode ...ClampingMode) Transform {
	const op = "ClampBoundingBoxes"
	var shown any = "auto"
	if len(mode) > 0 {
		m := torch.Only(mode)
		checkClamping(op, m)
		if shown = m; m == tv.NoClamp {
			shown = nil
		}
	}
	mode = slices.Clone(mode)
	return plain(repr(op, "clamping_mode", shown), is(tv.BoxesKind), func(v any) any { return F.ClampBoundingBoxes(v.(BoundingBoxes), mode...) })
}

func checkClamping(op string, m ClampingMode) {
	if !m.Valid() {
		refuse(op, "the clamping mode is %v; want Soft, Hard or NoClamp", m)
	}
}

// ClampKeyPoints moves points outside of the canvas to its edge: ClampKeyPoints().
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ClampKeyPoints.html
func ClampKeyPoints() Transform {
	return plain("ClampKeyPoints()", is(tv.KeyPointsKind), func(v any) any { return F.ClampKeyPoints(v.(KeyPoints)) })
}

// SetClampingMode sets how later transforms treat boxes that exceed the canvas: SetClampingMode(clamping_mode).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.SetClampingMode.html
func SetClampingMode(mode ClampingMode) Transform {
	const op = "SetClampingMode"
	checkClamping(op, mode)
	var shown any = mode
	if mode == tv.NoClamp {
		shown = nil
	}
	return plain(repr(op, "clamping_mode", shown), is(tv.BoxesKind), func(v any) any {
		b := v.(BoundingBoxes)
		b.ClampingMode = mode
		return b
	})
}
