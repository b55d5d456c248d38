package transforms

import (
	"image"

	"github.com/torchhub/torchhub/torch"
)

// A Pipeline is a sequence of transforms, and a [Transform] itself. It may be
// used by any number of goroutines at once.
type Pipeline struct {
	steps []Transform // as given
	plan  []Transform // the same numbers, with neighbors merged
}

// Compose chains transforms: torchvision.transforms.Compose([t, …]).
//
// Adjacent transforms are fused: before a [CenterCrop], [Resize] computes only the pixels
// that the crop keeps, flips after a Resize or a [RandomResizedCrop] cost nothing, and [ToTensor] and [Normalize] are one table
// look-up for each byte. The results are bit for bit those of the separate transforms.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Compose.html
func Compose(ts ...Transform) *Pipeline {
	p := &Pipeline{steps: append([]Transform{}, ts...)}
	for i, t := range p.steps {
		if t == nil {
			refuse("Compose", "transform %d of %d is nil", i+1, len(ts))
		}
		p.plan = append(p.plan, unfold(t)...)
	}
	p.plan = merge(p.plan)
	return p
}

// unfold returns the steps of t, with pipelines inside it spread out.
func unfold(t Transform) []Transform {
	p, ok := t.(*Pipeline)
	if !ok {
		return []Transform{t}
	}
	var ts []Transform
	for _, t := range p.steps {
		ts = append(ts, unfold(t)...)
	}
	return ts
}

// merge joins the neighbors that can be computed together.
func merge(ts []Transform) []Transform {
	var out []Transform
	for _, t := range ts {
		if n := len(out); n > 0 {
			if both := join(out[n-1], t); both != nil {
				out[n-1] = both
				continue
			}
		}
		out = append(out, t)
	}
	return out
}

// join returns a transform that does both, or nil.
func join(a, b Transform) Transform {
	switch b := b.(type) {
	case *centerCrop:
		if r, ok := a.(*resize); ok {
			return &resizeCrop{r, b}
		}
	case *randomFlip:
		if head, ok := a.(viewer); ok {
			if _, tensor := a.(*fused); !tensor {
				return &flipped{head, b}
			}
		}
	case toTensor:
		if _, tensor := a.(*fused); tensor {
			return nil
		}
		if f := newFused(a, b); f != nil {
			return f
		}
	case *normalize:
		switch a := a.(type) {
		case toTensor:
			if f := newToNormalized(a, b); f != nil {
				return f
			}
		case *fused:
			to, ok := a.tail.(toTensor)
			if !ok {
				return nil
			}
			if n := newToNormalized(to, b); n != nil {
				return newFused(a, n)
			}
		}
	}
	return nil
}

// String returns the pipeline as Python writes it.
func (p *Pipeline) String() string { return block("Compose", p.steps) }

// Transform passes v through all transforms.
func (p *Pipeline) Transform(v Value) Value {
	for _, t := range p.plan {
		v = t.Transform(v)
	}
	return v
}

// Apply passes a picture through all transforms and returns the resulting tensor; with
// [Resize], [CenterCrop], [ToTensor] and [Normalize] it is a contiguous float32 [C, H, W] on
// the CPU. The picture is not changed. If three channels are needed, pass a picture that may
// be gray or transparent through [ToRGB] first.
//
// It panics with a *torch.Error, which torch.Try turns into an error, if a
// transform does not accept its value or the last one does not return a tensor.
func (p *Pipeline) Apply(img image.Image) *torch.Tensor {
	v := p.Transform(Value{Image: img})
	if v.Tensor == nil {
		panic(&torch.Error{Op: "transforms.Pipeline.Apply", Args: v.String(), Msg: "the pipeline ends in no tensor; add ToTensor()"})
	}
	return v.Tensor
}
