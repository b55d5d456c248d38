package transforms

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
)

// PILToTensor turns a picture into a tensor [C, H, W] of the same numbers, not scaled:
// torchvision.transforms.PILToTensor(). See [functional.PILToTensor] for the dtypes.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.PILToTensor.html
func PILToTensor() Transform {
	return &step{"PILToTensor()", func(v Value) Value { return v.WithTensor(functional.PILToTensor(pictureOf(v))) }}
}

// ToPILImage turns a tensor [C, H, W] or [H, W] into a picture:
// torchvision.transforms.ToPILImage(mode). See [functional.ToPILImage] for the modes.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ToPILImage.html
func ToPILImage(mode ...Mode) Transform {
	text := "ToPILImage()"
	if m := torch.Only(mode); m != "" {
		text = fmt.Sprintf("ToPILImage(mode=%s)", m)
		if m.Bands() == 0 {
			refuse("ToPILImage", "no mode is called %q", m)
		}
	}
	return &step{text, func(v Value) Value { return v.WithImage(functional.ToPILImage(v.Tensor, torch.Only(mode))) }}
}

// ConvertImageDtype converts a tensor to a dtype and its numbers to that dtype's
// range: torchvision.transforms.ConvertImageDtype(dtype).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ConvertImageDtype.html
func ConvertImageDtype(dtype torch.DType) Transform {
	return &step{"ConvertImageDtype()", func(v Value) Value { return functional.ConvertImageDtype(v, dtype) }}
}

// LinearTransformation flattens a tensor [..., C, H, W] to rows of D = C*H*W, subtracts the
// mean [D], and multiplies by the matrix [D, D], to whiten it for instance:
// torchvision.transforms.LinearTransformation(transformation_matrix, mean_vector). The
// tensors must not be freed while the transform is in use.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.LinearTransformation.html
func LinearTransformation(matrix, mean *torch.Tensor) Transform {
	const op = "LinearTransformation"
	switch {
	case matrix == nil || mean == nil:
		refuse(op, "there is no matrix or no mean")
	case matrix.Dim() != 2 || matrix.Size(0) != matrix.Size(1):
		refuse(op, "the matrix is of shape %v; want [D D]", matrix.Shape())
	case mean.Dim() != 1 || mean.Size(0) != matrix.Size(0):
		refuse(op, "the mean is of shape %v; want [%d], as the matrix is of shape %v", mean.Shape(), matrix.Size(0), matrix.Shape())
	case matrix.Device() != mean.Device():
		refuse(op, "the matrix is on %v and the mean on %v", matrix.Device(), mean.Device())
	case matrix.DType() != mean.DType():
		refuse(op, "the matrix is of %v and the mean of %v", matrix.DType(), mean.DType())
	}
	var t *step
	t = &step{fmt.Sprintf("LinearTransformation(transformation_matrix=%v, mean_vector=%v)", matrix.Shape(), mean.Shape()), func(v Value) Value {
		x := v.Tensor
		if x == nil || x.Dim() < 3 {
			fail(t, v, "a tensor [..., C, H, W] is needed here; put it behind ToTensor()")
		}
		n := x.Size(-3) * x.Size(-2) * x.Size(-1)
		if n != matrix.Size(0) {
			fail(t, v, "%d numbers do not fit a matrix of shape %v", n, matrix.Shape())
		}
		if x.Device().Type() != mean.Device().Type() {
			fail(t, v, "the tensor is on %v and the mean on %v", x.Device(), mean.Device())
		}
		var y *torch.Tensor
		torch.Scope(func() {
			flat := x.View(-1, n).Sub(mean)
			y = torch.Keep(flat.MM(matrix.ToDType(flat.DType())).View(x.Shape()...))
		})
		return v.WithTensor(y)
	}}
	return t
}
