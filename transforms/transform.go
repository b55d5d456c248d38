package transforms

import (
	"fmt"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/args"
)

// A Value is the input and output of transforms: a picture until [ToTensor], a
// tensor from then on, or several of them. It is [functional.Value].
type Value = functional.Value

// A Transform is one step of a preprocessing. Any number of goroutines may use
// one at once; implementations of other packages should allow that too. A
// Transform panics with a *torch.Error if it does not accept its value.
type Transform interface {
	Transform(Value) Value
}

// A Func is a function as a Transform.
type Func func(Value) Value

// Transform returns f(v).
func (f Func) Transform(v Value) Value { return f(v) }

// String returns the transform as Python writes it.
func (f Func) String() string { return "Lambda()" }

// Lambda makes a transform of a function: torchvision.transforms.Lambda(lambd). The
// usual one after [FiveCrop] and [TenCrop] is
//
//	transforms.Lambda(func(crops transforms.Value) transforms.Value {
//		return crops.Map(transforms.ToTensor().Transform).Stack() // [10, C, H, W]
//	})
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Lambda.html
func Lambda(f func(Value) Value) Transform {
	if f == nil {
		refuse("Lambda", "there is no function")
	}
	return Func(f)
}

// A step is a transform that needs no more than its name and a function.
type step struct {
	text string // as Python writes the transform
	f    func(Value) Value
}

// String returns the transform as Python writes it.
func (s *step) String() string { return s.text }

// Transform applies the step. An error in it names the step.
func (s *step) Transform(v Value) Value {
	return named(s, v, func() Value { return s.f(v) })
}

// fail panics: the transform t does not take the value v.
func fail(t Transform, v Value, format string, a ...any) {
	panic(&torch.Error{Op: "transforms." + name(t), Args: v.String(), Msg: fmt.Sprintf(format, a...)})
}

// mistake panics inside of a transform, which does not take the value v.
func mistake(v Value, format string, a ...any) {
	panic(&torch.Error{Op: args.Functional, Args: v.String(), Msg: fmt.Sprintf(format, a...)})
}

// refuse panics: a constructor's argument is wrong.
func refuse(op, format string, a ...any) { args.Refuse("transforms."+op, format, a...) }

// named calls f, and adds the transform's name and v to a panic of f.
func named(t Transform, v Value, f func() Value) (out Value) {
	args.Named("transforms."+name(t), v, func() { out = f() })
	return out
}

func name(t Transform) string {
	if s, ok := t.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", t)
}

// Floats is a number, a float64 or an int, or a []float64.
type Floats = functional.Floats

// floats returns the numbers of f, nil for nil.
func floats(op, what string, f Floats) []float64 { return args.Floats("transforms."+op, what, f) }

// interval returns the least and the greatest of a []float64 of two, or of standard for nil.
func interval(op, what string, f, standard []float64) []float64 {
	if f == nil {
		return standard
	}
	if f = floats(op, what, f); len(f) != 2 {
		refuse(op, "%s has %d numbers; want the least and the greatest", what, len(f))
	}
	return f
}

// chance returns the probability that a variadic parameter holds, or standard.
func chance(op string, p []float64, standard float64) float64 {
	switch len(p) {
	case 0:
		return standard
	case 1:
		return probability(op, &p[0], standard)
	}
	refuse(op, "there are %d probabilities; want one", len(p))
	return 0
}

func probability(op string, p *float64, standard float64) float64 {
	if p == nil {
		return standard
	}
	if math.IsNaN(*p) {
		refuse(op, "the probability is NaN")
	}
	return *p
}
