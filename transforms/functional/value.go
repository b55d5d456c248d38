package functional

import (
	"fmt"
	"image"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

// A Value is the input and output of transforms and functionals: a picture,
// until [ToTensor] or [PILToTensor], a tensor from then on, or several of them.
// One of Image, Tensor and Parts is set.
//
// The result of a functional or a transform has the generators of its argument.
// Python has one default generator in each process of a DataLoader; here each
// goroutine can have its own.
type Value struct {
	Image  image.Image
	Tensor *torch.Tensor // [..., C, H, W]
	Parts  []Value       // what FiveCrop and TenCrop return: a tuple in Python

	Generator *torch.Generator // the generator of random transforms; nil is libtorch's default generator, which torch.ManualSeed seeds
	Random    *pyrandom.Random // the generator of RandomChoice and RandomOrder; nil is the default one, which pyrandom.Seed seeds
}

// Floats is a number, a float64 or an int, or a []float64.
type Floats = torch.Floats

// WithImage returns a value of the picture with the generators of v.
func (v Value) WithImage(img image.Image) Value {
	return Value{Image: img, Generator: v.Generator, Random: v.Random}
}

// WithTensor returns a value of the tensor with the generators of v.
func (v Value) WithTensor(x *torch.Tensor) Value {
	return Value{Tensor: x, Generator: v.Generator, Random: v.Random}
}

// WithParts returns a value of several with the generators of v.
func (v Value) WithParts(parts ...Value) Value {
	return Value{Parts: parts, Generator: v.Generator, Random: v.Random}
}

// Map returns a value with f applied to each part of v, or f(v) if v is one
// value: [f(x) for x in v].
func (v Value) Map(f func(Value) Value) Value {
	if v.Parts == nil {
		return f(v)
	}
	parts := make([]Value, len(v.Parts))
	for i, p := range v.Parts {
		parts[i] = f(p)
	}
	return v.WithParts(parts...)
}

// Stack joins the tensors of v's parts along a new first dimension:
// torch.stack(v). It panics with a [*torch.Error] if v has no parts, one of them
// is no tensor, or their shapes differ.
//
// https://docs.pytorch.org/docs/stable/generated/torch.stack.html
func (v Value) Stack() Value {
	tensors := make([]*torch.Tensor, len(v.Parts))
	for i, p := range v.Parts {
		if p.Tensor == nil {
			panic(&torch.Error{Op: "transforms.Value.Stack", Args: p.String(), Msg: fmt.Sprintf("part %d is not a tensor; make it one with Map", i)})
		}
		tensors[i] = p.Tensor
	}
	return v.WithTensor(torch.Stack(tensors, 0))
}

// String describes the value, such as "picture of 640×480 pixels" or "[3, 224, 224] float32".
func (v Value) String() string {
	switch {
	case v.Tensor != nil:
		return strings.ReplaceAll(fmt.Sprint(v.Tensor.Shape()), " ", ", ") + " " + fmt.Sprint(v.Tensor.DType())
	case v.Image != nil:
		b := v.Image.Bounds()
		return fmt.Sprintf("picture of %d×%d pixels", b.Dx(), b.Dy())
	case v.Parts != nil:
		return fmt.Sprintf("%d values", len(v.Parts))
	}
	return "nothing"
}
