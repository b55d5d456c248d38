package transforms

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
)

// A Value is what transforms take and return: a picture until [ToTensor], a
// tensor from then on, or several of them. It is [functional.Value].
type Value = functional.Value

// A Transform is one step of a preprocessing. The ones of this package may be
// used by any number of goroutines at once, and so should others be. Where a
// value is not of its kind, a Transform panics with a [*torch.Error].
type Transform interface {
	Transform(Value) Value
}

// A Func is a function as a Transform: torchvision.transforms.Lambda.
type Func func(Value) Value

// Transform returns f(v).
func (f Func) Transform(v Value) Value { return f(v) }

// picture returns the pixels of v, or panics on behalf of the transform t.
func picture(t Transform, v Value) *RGB {
	if v.Image == nil {
		fail(t, v, "a picture is needed here; put it before ToTensor()")
	}
	p := ToRGB(v.Image)
	if p.W <= 0 || p.H <= 0 {
		fail(t, v, "the picture has no pixels")
	}
	if len(p.Pix) < 3*p.W*p.H {
		fail(t, v, "the picture's Pix holds %d bytes; want %d", len(p.Pix), 3*p.W*p.H)
	}
	return p
}

// tensor returns v's tensor [..., C, H, W], or panics on behalf of the transform t.
func tensor(t Transform, v Value) *torch.Tensor {
	if v.Tensor == nil {
		fail(t, v, "a tensor is needed here; put it behind ToTensor()")
	}
	if v.Tensor.Dim() < 3 {
		fail(t, v, "the tensor's shape is not [..., C, H, W]")
	}
	return v.Tensor
}

// fail panics: the transform t does not take the value v.
func fail(t Transform, v Value, format string, args ...any) {
	panic(&torch.Error{Op: "transforms." + name(t), Args: v.String(), Msg: fmt.Sprintf(format, args...)})
}

// refuse panics: a constructor's argument is wrong.
func refuse(op, format string, args ...any) {
	panic(&torch.Error{Op: "transforms." + op, Msg: fmt.Sprintf(format, args...)})
}

func name(t Transform) string {
	if s, ok := t.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", t)
}
