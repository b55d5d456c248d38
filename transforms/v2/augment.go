package v2

import (
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten/unchecked"
	nn "github.com/torchhub/torchhub/torch/nn/functional"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	F "github.com/torchhub/torchhub/transforms/v2/functional"
)

// RandomErasingOptions are the options of [RandomErasing].
type RandomErasingOptions struct {
	P       *float64  // the probability; nil is 0.5
	Scale   []float64 // least and greatest part of the area; nil is 0.02 to 0.33
	Ratio   []float64 // least and greatest height by width; nil is 0.3 to 3.3
	Value   []float64 // the value of the erased part, one number or one for each channel; nil is 0
	Random  bool      // normal random numbers in place of Value: value="random"
	InPlace bool      // write to the tensors of the sample
}

// RandomErasing erases a random part of images, videos and pictures with
// a probability: RandomErasing(p, scale, ratio, value).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomErasing.html
func RandomErasing(options ...RandomErasingOptions) Transform {
	const op = "RandomErasing"
	o := torch.Only(options)
	p := orP(op, o.P, 0.5)
	scale := rangeOf(op, "scale", o.Scale, [2]float64{0.02, 0.33}, 0, 1)
	ratio := rangeOf(op, "ratio", o.Ratio, [2]float64{0.3, 3.3}, math.SmallestNonzeroFloat64, math.MaxFloat64)
	if o.Value == nil {
		o.Value = []float64{0}
	}
	var shown any = slices.Clone(o.Value)
	if o.Random {
		shown = nil
	} else if len(o.Value) == 0 {
		refuse(op, "there are no values")
	}
	type params struct {
		i, j, h, w int
		v          *torch.Tensor
	}
	name := repr(op, "p", p, "scale", scale, "ratio", ratio, "value", shown, "inplace", o.InPlace)
	return &step[params]{name: name, p: p, hooks: Hooks[params]{
		Params: func(flat []any, g *torch.Generator) params {
			c, h, w := QueryCHW(flat)
			if n := len(o.Value); !o.Random && n != 1 && n != c {
				refuse(op, "there are %d values for %d channels", n, c)
			}
			area := float64(h * w)
			for range 10 {
				erase := area * uniform(g, scale[0], scale[1])
				aspect := expUniform(g, ratio)
				eh := int(math.RoundToEven(math.Sqrt(erase * aspect)))
				ew := int(math.RoundToEven(math.Sqrt(erase / aspect)))
				if eh >= h || ew >= w {
					continue
				}
				out := params{h: eh, w: ew}
				if o.Random {
					out.v = torch.Options{DType: torch.Float32}.Empty(c, eh, ew).NormalInPlace(0, 1, torch.RandomOptions{Generator: g})
				} else {
					out.v = torch.FromSlice(o.Value, len(o.Value), 1, 1).ToDType(torch.Float32)
				}
				out.i = randint(g, 0, h-eh+1)
				out.j = randint(g, 0, w-ew+1)
				return out
			}
			return params{}
		},
		Transform: func(v any, p params) any {
			if p.v == nil {
				return v
			}
			return through("Erase", v, func(v any) any {
				if o.InPlace && !IsPicture(v) {
					return F.EraseInPlace(v, p.i, p.j, p.h, p.w, p.v)
				}
				return F.Erase(v, p.i, p.j, p.h, p.w, p.v)
			})
		},
	}}
}

// MixOptions are the options of [MixUp] and [CutMix].
type MixOptions struct {
	Alpha      float64 // of the Beta distribution that is drawn from; 0 is 1
	NumClasses int     // of labels that are class indices; not needed for labels that are probabilities
	Labels     string  // the name of the labels' field; "" is as for [SanitizeBoundingBoxes]
}

// A mix is MixUp or CutMix: a transform of a batch and its labels.
type mix struct {
	class string
	o     MixOptions
	name  string
	// draw returns the change of images and their share that remains, from the first draw.
	draw func(flat []any, lam float64, g *torch.Generator) (func(*torch.Tensor) *torch.Tensor, float64)
}

// MixUp mixes each image or video of a batch, [N, C, H, W] or [N, T, C, H, W], with the one before it, and their
// labels [N] or [N, K] likewise: MixUp(alpha, num_classes). The sample holds the batch and the labels.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.MixUp.html
func MixUp(options ...MixOptions) Transform {
	return newMix("MixUp", torch.Only(options), func(_ []any, lam float64, _ *torch.Generator) (func(*torch.Tensor) *torch.Tensor, float64) {
		return func(x *torch.Tensor) *torch.Tensor { return mixed(x, lam) }, lam
	})
}

// mixed returns lam*x + (1-lam) times the ones before.
func mixed(x *torch.Tensor, lam float64) *torch.Tensor {
	return x.Roll(1, 0).MulScalarInPlace(1.0 - lam).AddInPlace(x.MulScalar(lam))
}

// CutMix replaces a random part of each image or video of a batch by that of the
// one before it, and mixes their labels likewise: CutMix(alpha, num_classes). See
// [MixUp].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.CutMix.html
func CutMix(options ...MixOptions) Transform {
	return newMix("CutMix", torch.Only(options), func(flat []any, lam float64, g *torch.Generator) (func(*torch.Tensor) *torch.Tensor, float64) {
		h, w := QuerySize(flat)
		x, y := randint(g, 0, w), randint(g, 0, h)
		r := 0.5 * math.Sqrt(1.0-lam)
		rw, rh := int(r*float64(w)), int(r*float64(h))
		x1, y1 := max(x-rw, 0), max(y-rh, 0)
		x2, y2 := min(x+rw, w), min(y+rh, h)
		rows, cols := torch.Slice(y1, y2), torch.Slice(x1, x2)
		return func(x *torch.Tensor) *torch.Tensor {
			before := x.Roll(1, 0).Index(torch.Ellipsis, rows, cols)
			return x.Clone().SetIndex(before, torch.Ellipsis, rows, cols)
		}, 1.0 - float64((x2-x1)*(y2-y1))/float64(w*h)
	})
}

func newMix(class string, o MixOptions, draw func([]any, float64, *torch.Generator) (func(*torch.Tensor) *torch.Tensor, float64)) Transform {
	if o.Alpha == 0 {
		o.Alpha = 1
	}
	if !(o.Alpha > 0) || math.IsInf(o.Alpha, 0) {
		refuse(class, "alpha is %v; want a number above 0", o.Alpha)
	}
	if o.NumClasses < 0 {
		refuse(class, "there are %d classes; want 1 or more, or 0 for labels that are probabilities", o.NumClasses)
	}
	return &mix{class: class, o: o, draw: draw, name: repr(class, "alpha", o.Alpha, "num_classes", orNil(o.NumClasses))}
}

// String returns the transform as Python writes it.
func (m *mix) String() string { return m.name }

// Forward mixes the batch and its labels.
func (m *mix) Forward(s *Sample) {
	op := m.class
	leaves := s.leaves()
	flat := s.Flat()
	chosen := choose(flat, nil)
	if HasAny(flat, IsPicture, Is[BoundingBoxes], Is[Mask], Is[KeyPoints]) {
		refuse(op, "pictures, boxes, masks and key points are not supported by %s", op)
	}
	at := s.oneLabel(op, leaves, m.o.Labels)
	labels, ok := (*leaves[at].value).(*torch.Tensor)
	if !ok || labels == nil {
		refuse(op, "the labels are a %T; want a tensor", *leaves[at].value)
	}
	switch n := labels.Dim(); {
	case n != 1 && n != 2:
		refuse(op, "the labels have the shape %v; want [N] or [N, K]", labels.Shape())
	case n == 2 && m.o.NumClasses != 0 && labels.Size(1) != m.o.NumClasses:
		refuse(op, "the labels have the shape %v; want [N, %d], as NumClasses says", labels.Shape(), m.o.NumClasses)
	case n == 1 && m.o.NumClasses == 0:
		refuse(op, "the labels are indices, so that NumClasses is needed")
	}
	batch := labels.Size(0)
	var some []any
	for i, yes := range chosen {
		if yes {
			some = append(some, flat[i])
		}
	}
	var f func(*torch.Tensor) *torch.Tensor
	var lam float64
	guard(m.name, nil, func() {
		torch.Scope(func() {
			// Beta(a, a) is the first number of a Dirichlet distribution of two.
			a := torch.FromSlice([]float64{m.o.Alpha, m.o.Alpha}, 1, 2).ToDType(torch.Float32)
			lam = unchecked.SampleDirichlet(a, s.Generator).Select(-1, 0).Item()
		})
		f, lam = m.draw(some, lam, s.Generator)
	})
	out := make([]any, len(flat))
	for i := range flat {
		guard(m.name, flat[i], func() {
			switch {
			case i == at:
				out[i] = m.label(labels, lam)
			case chosen[i] && is(tv.PureTensor, tv.ImageKind, tv.VideoKind)(flat[i]):
				x := tv.TensorOf(flat[i])
				dims := 4
				if Is[Video](flat[i]) {
					dims = 5
				}
				if x.Dim() != dims || x.Size(0) != batch {
					refuse(op, "the batch has the shape %v; want %d dimensions, the first of %d as the labels", x.Shape(), dims, batch)
				}
				var y *torch.Tensor
				torch.Scope(func() { y = torch.Keep(f(x)) })
				out[i] = tv.Wrap(y, flat[i])
			}
		})
	}
	for i, v := range out {
		if v != nil {
			leaves[i].set(v)
		}
	}
}

func (m *mix) label(x *torch.Tensor, lam float64) (out *torch.Tensor) {
	torch.Scope(func() {
		if x.Dim() == 1 {
			x = nn.OneHot(x, m.o.NumClasses)
		}
		if !x.DType().IsFloatingPoint() {
			x = x.ToDType(torch.Float32)
		}
		out = torch.Keep(mixed(x, lam))
	})
	return out
}

// JPEG compresses and decompresses images, videos and pictures with a quality
// drawn from a range, 1 to 100: JPEG((least, most)). Images are uint8, with 1 or 3 channels.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.JPEG.html
func JPEG(least, most int) Transform {
	const op = "JPEG"
	if !(1 <= least && least <= most && most <= 100) {
		refuse(op, "the quality is %d to %d; want a range from 1 to 100 that increases", least, most)
	}
	return &step[int]{name: repr(op, "quality", []int{least, most}), p: -1, hooks: Hooks[int]{
		Params: func(_ []any, g *torch.Generator) int { return randint(g, least, most+1) },
		Transform: func(v any, quality int) any {
			return through(op, v, func(v any) any { return F.JPEG(v, quality) })
		},
	}}
}
