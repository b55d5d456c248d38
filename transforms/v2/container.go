package v2

import (
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
)

// A list of transforms, and how one after the other is run.
type container struct {
	name string
	ts   []Transform
	run  func(s *Sample, ts []Transform)
	text string // the result of String; "" stands for a line for each transform
}

func newContainer(name string, ts []Transform, run func(*Sample, []Transform)) *container {
	if len(ts) == 0 {
		refuse(name, "there are no transforms")
	}
	for i, t := range ts {
		if t == nil {
			refuse(name, "transform %d of %d is nil", i+1, len(ts))
		}
	}
	return &container{name: name, ts: slices.Clone(ts), run: run}
}

// Forward runs the transforms.
func (c *container) Forward(s *Sample) { c.run(s, c.ts) }

// String returns the transform as Python writes it.
func (c *container) String() string {
	if c.text != "" {
		return c.text
	}
	var b strings.Builder
	b.WriteString(c.name + "(\n")
	for _, t := range c.ts {
		b.WriteString("      " + strings.ReplaceAll(t.String(), "\n", "\n  ") + "\n")
	}
	b.WriteString(")")
	return b.String()
}

func inOrder(s *Sample, ts []Transform) {
	for _, t := range ts {
		t.Forward(s)
	}
}

// Compose runs transforms one after the other: torchvision.transforms.v2.Compose([t, …]).
// It panics with a [*torch.Error] if there are none.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Compose.html
func Compose(ts ...Transform) Transform { return newContainer("Compose", ts, inOrder) }

// RandomApply runs all of the transforms, one after the other, with probability p,
// 0.5 by default, and none otherwise: RandomApply([t, …], p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomApply.html
func RandomApply(ts []Transform, p ...float64) Transform {
	chance := probability("RandomApply", p, 0.5)
	return newContainer("RandomApply", ts, func(s *Sample, ts []Transform) {
		if uniform32(s.Generator) >= float32(chance) {
			return
		}
		inOrder(s, ts)
	})
}

// RandomChoice runs one of the transforms, each with a weight of p, or of 1 where
// there is none: RandomChoice([t, …], p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomChoice.html
func RandomChoice(ts []Transform, p ...float64) Transform {
	const op = "RandomChoice"
	if p == nil {
		p = slices.Repeat([]float64{1}, len(ts))
	}
	if len(p) != len(ts) {
		refuse(op, "there are %d weights for %d transforms", len(p), len(ts))
	}
	total := 0.0
	for i, w := range p {
		if !(w >= 0) {
			refuse(op, "weight %d is %v; want 0 or more", i, w)
		}
		total += w
	}
	checkFinite(op, "sum of the weights", total)
	if total == 0 && len(ts) > 0 {
		refuse(op, "the weights are all 0")
	}
	weights := make([]float64, len(p))
	for i, w := range p {
		weights[i] = w / total
	}
	c := newContainer(op, ts, func(s *Sample, ts []Transform) {
		var i int
		torch.Scope(func() {
			i = int(aten.Multinomial(torch.FromSlice(weights).ToDType(torch.Float32), 1, false, s.Generator).Item())
		})
		ts[i].Forward(s)
	})
	c.text = repr(op, "transforms", ts, "p", weights)
	return c
}

// RandomOrder runs all of the transforms in a random order: RandomOrder([t, …]).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomOrder.html
func RandomOrder(ts ...Transform) Transform {
	c := newContainer("RandomOrder", ts, func(s *Sample, ts []Transform) {
		for _, i := range randperm(s.Generator, len(ts)) {
			ts[i].Forward(s)
		}
	})
	c.text = repr("RandomOrder", "transforms", ts)
	return c
}

// Identity leaves samples as they are: Identity().
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Identity.html
func Identity() Transform {
	return &step[struct{}]{name: "Identity()", p: -1, hooks: Hooks[struct{}]{Transform: func(v any, _ struct{}) any { return v }}}
}

// Lambda calls f with each value of type In; as for all transforms, with plain
// tensors only if the sample has no image, video or picture, and then only with the
// first one. If In is any, it is called with values of every type: Lambda(f, In).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Lambda.html
func Lambda[In, Out any](f func(In) Out) Transform {
	if f == nil {
		refuse("Lambda", "the function is nil")
	}
	return &step[struct{}]{name: "Lambda()", p: -1, hooks: Hooks[struct{}]{
		Takes: func(any) bool { return true },
		Transform: func(v any, _ struct{}) any {
			if in, ok := v.(In); ok {
				return f(in)
			}
			return v
		},
	}}
}
