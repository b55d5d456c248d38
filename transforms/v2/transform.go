package v2

import (
	"reflect"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/args"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// A Transform changes samples. Any number of goroutines may use one at once;
// implementations of other packages, which [New] makes, should allow that too.
type Transform interface {
	// Forward changes a sample in place: it replaces values, and does not modify them.
	Forward(s *Sample)
	// String returns the transform as Python writes it.
	String() string
}

// Apply passes a sample through a transform and returns another one of its type:
// t(sample). A sample is a value of any type: an image, a picture, a tensor, or a struct,
// pointer, slice, array or map that holds some, at any depth. Structs are traversed by
// their exported fields in order, and maps by their keys in order, as Python traverses
// dictionaries. The sample itself is not changed, and values that no transform changes are
// shared.
//
//	type Sample struct {
//		Image  v2.Image
//		Boxes  v2.BoundingBoxes
//		Labels *torch.Tensor
//	}
//	out := v2.Apply(v2.RandomHorizontalFlip(0.5), Sample{img, boxes, labels})
//
// A field tagged v2:"-" is ignored, and [SanitizeBoundingBoxes] treats one tagged
// v2:"labels" as labels. A nil tensor or picture, and a tvtensor without a tensor, count as
// absent.
//
// As in Python, a plain tensor is transformed only if the sample has no image, video
// or picture, and then only the first one.
//
// Random transforms draw from the generator of the options, which may be the
// goroutine's own, or else from libtorch's default one, which torch.ManualSeed
// seeds.
//
// It panics with a [*torch.Error], which torch.Try turns into an error, if a
// transform does not accept a value or the result does not fit the type: see
// [Convert].
func Apply[T any](t Transform, sample T, options ...torch.RandomOptions) T {
	return Convert[T](t, sample, options...)
}

// Convert passes a sample through a transform, as [Apply] does, and returns the result as a
// value of another type, with the same fields if it is a struct. It is for transforms that
// turn one type into another.
//
//	type Raw struct { Image image.Image; Labels *torch.Tensor }
//	type Ready struct { Image v2.Image; Labels *torch.Tensor }
//	ready := v2.Convert[Ready](v2.ToImage(), raw)
func Convert[Out any](t Transform, sample any, options ...torch.RandomOptions) Out {
	o := torch.Only(options)
	s, n := flatten(sample)
	s.Generator = o.Generator
	t.Forward(s)
	var out Out
	reflect.ValueOf(&out).Elem().Set(n.build(reflect.TypeFor[Out](), ""))
	return out
}

// Hooks are the functions of a transform made by [New], as methods that
// override those of Python's class Transform. All but Transform may be nil.
//
// https://docs.pytorch.org/vision/stable/auto_examples/transforms/plot_custom_transforms.html
type Hooks[P any] struct {
	Takes     func(value any) bool                   // which values are transformed; nil is tensors, tvtensors and pictures
	Check     func(flat []any)                       // check_inputs: panics if it does not accept the sample
	Params    func(flat []any, g *torch.Generator) P // make_params: draws the parameters of one call, from the values to transform
	Transform func(value any, params P) any          // transforms one value
}

// New makes a custom transform. Errors and String use name, such as
// "Blur(radius=3)".
func New[P any](name string, h Hooks[P]) Transform {
	if h.Transform == nil {
		refuse(name, "Hooks.Transform is nil")
	}
	return &step[P]{name: name, hooks: h, p: -1}
}

// A step is a transform of values one by one: Python's class Transform.
type step[P any] struct {
	name  string // as Python writes it
	hooks Hooks[P]
	p     float64 // the probability that it is done; negative is always
}

// String returns the transform as Python writes it.
func (t *step[P]) String() string { return t.name }

// Forward transforms the values that the transform takes.
func (t *step[P]) Forward(s *Sample) {
	leaves := s.leaves()
	flat := make([]any, len(leaves))
	for i, l := range leaves {
		flat[i] = *l.value
	}
	guard(t.name, nil, func() {
		if t.hooks.Check != nil {
			t.hooks.Check(flat)
		}
	})
	if t.p >= 0 && uniform32(s.Generator) >= float32(t.p) {
		return
	}
	chosen := choose(flat, t.hooks.Takes)
	var params P
	if t.hooks.Params != nil {
		var some []any
		for i, yes := range chosen {
			if yes {
				some = append(some, flat[i])
			}
		}
		guard(t.name, nil, func() { params = t.hooks.Params(some, s.Generator) })
	}
	// Nothing is replaced before all is computed.
	out := make([]any, len(flat))
	for i, yes := range chosen {
		if yes {
			guard(t.name, flat[i], func() { out[i] = t.hooks.Transform(flat[i], params) })
		}
	}
	for i, yes := range chosen {
		if yes {
			leaves[i].set(out[i])
		}
	}
}

// tensorsAndPictures reports whether most transforms take a value.
func tensorsAndPictures(v any) bool { return tv.KindOf(v) != tv.Other }

// absent reports whether v is a tensor that is nil.
func absent(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case *torch.Tensor:
		return v == nil
	case Image, Video, Mask, BoundingBoxes, KeyPoints:
		return tv.TensorOf(v) == nil
	}
	return false
}

// choose reports which of the values are transformed: all that the transform takes, but of
// plain tensors only the first, and none if there is an image, video or picture.
func choose(flat []any, takes func(any) bool) []bool {
	if takes == nil {
		takes = tensorsAndPictures
	}
	pure := !HasAny(flat, Is[Image], Is[Video], IsPicture)
	out := make([]bool, len(flat))
	for i, v := range flat {
		if absent(v) || !takes(v) {
			continue
		}
		if tv.KindOf(v) == tv.PureTensor {
			if !pure {
				continue
			}
			pure = false
		}
		out[i] = true
	}
	return out
}

// guard calls f and adds the name of the transform and the value to a panic of f.
func guard(name string, value any, f func()) {
	var describe func() string
	if value != nil {
		describe = func() string { return tv.Describe(value) }
	}
	defer func() { args.Guard(recover(), args.V2+name, describe) }()
	f()
}

// refuse panics: an argument of a constructor, or a sample, is wrong.
func refuse(op, format string, a ...any) { args.Refuse(args.V2+op, format, a...) }

func checkP(op string, p float64) {
	if !(p >= 0 && p <= 1) {
		refuse(op, "the probability is %v; want 0 to 1", p)
	}
}
