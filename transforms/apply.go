package transforms

import (
	"math"

	"github.com/torchhub/torchhub/torch"
)

// taken returns a copy of the transforms that a constructor is given.
func taken(op string, ts []Transform) []Transform {
	for i, t := range ts {
		if t == nil {
			refuse(op, "transform %d of %d is nil", i+1, len(ts))
		}
	}
	return append([]Transform{}, ts...)
}

// RandomApply applies all of the transforms with probability p, default 0.5, else none:
// torchvision.transforms.RandomApply(ts, p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomApply.html
func RandomApply(ts []Transform, p ...float64) Transform {
	const op = "RandomApply"
	ts = taken(op, ts)
	chance := chance(op, p, 0.5)
	return &many{block(op, ts, "p="+float(chance)), func(v Value) Value {
		var skip bool
		torch.Scope(func() { skip = uniforms(v, 1).GtScalar(chance).Item() != 0 }) // p < torch.rand(1)
		if skip {
			return v
		}
		for _, t := range ts {
			v = t.Transform(v)
		}
		return v
	}}
}

// RandomOrder applies the transforms in a random order:
// torchvision.transforms.RandomOrder(ts). As in Python it draws from another generator than
// the rest; see [pyrandom.Seed].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomOrder.html
func RandomOrder(ts ...Transform) Transform {
	const op = "RandomOrder"
	ts = taken(op, ts)
	return &many{block(op, ts), func(v Value) Value {
		order := append([]Transform{}, ts...)
		python(v).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, t := range order {
			v = t.Transform(v)
		}
		return v
	}}
}

// RandomChoice applies one of the transforms: torchvision.transforms.RandomChoice(ts, p).
// The weights p, one for each transform, need not add up to 1; without them all
// are equally likely. As in Python it draws from another generator than the rest; see [pyrandom.Seed].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomChoice.html
func RandomChoice(ts []Transform, p ...float64) Transform {
	const op = "RandomChoice"
	ts = taken(op, ts)
	if len(ts) == 0 {
		refuse(op, "there are no transforms to choose from")
	}
	if p = append([]float64(nil), p...); p != nil && len(p) != len(ts) {
		refuse(op, "there are %d weights for %d transforms", len(p), len(ts))
	}
	sum := 0.0
	for _, w := range p {
		if !(w >= 0) {
			refuse(op, "the weights are %v; want 0 or more", p)
		}
		sum += w
	}
	if p != nil && (sum == 0 || math.IsInf(sum, 0)) {
		refuse(op, "the weights are %v; want a finite sum above 0", p)
	}
	return &many{block(op, ts) + "(p=" + none(p, list) + ")", func(v Value) Value {
		return ts[python(v).Choice(len(ts), p)].Transform(v)
	}}
}

// A many is a transform made of others. Their errors name them, so it adds no name.
type many step

// String returns the transform as Python writes it.
func (m *many) String() string { return m.text }

// Transform applies the transforms.
func (m *many) Transform(v Value) Value { return m.f(v) }
