package v2

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	v1 "github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/args"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	F "github.com/torchhub/torchhub/transforms/v2/functional"
)

// What options hold, as in package functional.
type (
	Interpolation = F.Interpolation
	PaddingMode   = F.PaddingMode
)

// A Fill is the value of pixels that come from outside of an image: one number, or
// one for each channel. As an option a nil Fill is the transform's default, and
// one that is not nil but empty, Fill{}, is Python's None.
type Fill = F.Fill

// fills has the Fill of each kind of value: Python's dict of fills by type.
type fills struct {
	all Fill
	of  map[Kind]Fill
}

// newFills returns the fills of options, with a default for no Fill at all.
func newFills(all Fill, of map[Kind]Fill, standard Fill) fills {
	if all == nil && of == nil {
		all = standard
	}
	return fills{all, of}
}

func (f fills) get(v any) Fill {
	fill, ok := f.of[tv.KindOf(v)]
	if !ok {
		if fill, ok = f.of[tv.Other]; !ok {
			fill = f.all
		}
	}
	if len(fill) == 0 {
		return nil
	}
	return fill
}

func (f fills) repr() any {
	switch {
	case f.of != nil || len(f.all) == 0:
		return nil
	case len(f.all) == 1:
		if f.all[0] == math.Trunc(f.all[0]) {
			return int(f.all[0])
		}
		return f.all[0]
	}
	return []float64(f.all)
}

// zeroFill is the default of most transforms.
var zeroFill = Fill{0}

// sizeOf returns the height and width that a size names; one number stands for both.
func sizeOf(op string, size torch.Ints) [2]int {
	s := listOf(op, "size", size)
	if len(s) == 1 {
		s = []int{s[0], s[0]}
	}
	if len(s) != 2 {
		refuse(op, "the size is %v; want a height and a width, or one number for both", size)
	}
	if min(s[0], s[1]) < 1 {
		refuse(op, "the size is %v; want 1 or more", size)
	}
	return [2]int{s[0], s[1]}
}

func listOf(op, name string, v torch.Ints) []int { return args.Ints(args.V2+op, "the "+name, v) }

// checkInterpolation panics where the name is none; "" is a default.
func checkInterpolation(op string, how Interpolation, standard Interpolation) Interpolation {
	if how == "" {
		return standard
	}
	switch how {
	case F.Nearest, F.NearestExact, F.Bilinear, F.Bicubic, F.Box, F.Hamming, F.Lanczos:
		return how
	}
	refuse(op, "no interpolation is called %q; want nearest, nearest-exact, bilinear, bicubic, box, hamming or lanczos", string(how))
	return ""
}

// Floats is a number, a float64 or an int, or a []float64.
type Floats = v1.Floats

// floatsOf returns the numbers of f, nil for nil.
func floatsOf(op, name string, f Floats) []float64 { return args.Floats(args.V2+op, "the "+name, f) }

// rangeOf returns a range of two numbers, or a default for nil.
func rangeOf(op, name string, r []float64, standard [2]float64, low, high float64) [2]float64 {
	if r == nil {
		return standard
	}
	if len(r) != 2 {
		refuse(op, "the %s has %d numbers; want the least and the greatest", name, len(r))
	}
	checkRange(op, name, [2]float64(r), low, high)
	return [2]float64(r)
}

// probability returns the one that is given, or a default.
func probability(op string, p []float64, standard float64) float64 {
	if len(p) > 1 {
		refuse(op, "there are %d probabilities; want one", len(p))
	}
	if len(p) == 1 {
		standard = p[0]
	}
	checkP(op, standard)
	return standard
}

// orP returns the probability of an option, or a default for nil.
func orP(op string, p *float64, standard float64) float64 {
	if p == nil {
		return standard
	}
	checkP(op, *p)
	return *p
}

func checkMode(op string, m PaddingMode) PaddingMode {
	args.PaddingMode(args.V2+op, string(m))
	if m == "" {
		return F.Constant
	}
	return m
}

func checkPadding(op string, padding torch.Ints) []int {
	p := listOf(op, "padding", padding)
	if n := len(p); n != 1 && n != 2 && n != 4 {
		refuse(op, "the padding is %v; want one, two or four numbers", p)
	}
	return p
}

// checkFinite panics where a number is NaN or infinite.
func checkFinite(op, name string, values ...float64) { args.Finite(args.V2+op, "the "+name, values...) }

// checkRange panics where a range is not low to high within limits.
func checkRange(op, name string, r [2]float64, low, high float64) {
	if !(low <= r[0] && r[0] <= r[1] && r[1] <= high) {
		refuse(op, "the %s is %v to %v; want a range from %v to %v that increases", name, r[0], r[1], low, high)
	}
}

func checkCenter(op string, c []float64) []float64 {
	if c != nil && len(c) != 2 {
		refuse(op, "the center has %d numbers; want x and y", len(c))
	}
	checkFinite(op, "center", c...)
	return append([]float64(nil), c...)
}

// angles returns the range of an angle: of one number a, from -a to a.
func angles(op, name string, f Floats, lengths ...int) []float64 {
	return args.Around(args.V2+op, "the "+name, f, lengths...)
}

// through calls a functional with values it takes, and leaves others alone.
func through(functional string, v any, f func(any) any) any {
	if !F.Takes(functional, v) {
		return v
	}
	return f(v)
}

// always makes a transform that is always done and draws nothing.
func always(functional, name string, f func(any) any) Transform {
	return &step[struct{}]{name: name, p: -1, hooks: Hooks[struct{}]{
		Transform: func(v any, _ struct{}) any { return through(functional, v, f) },
	}}
}

// sometimes makes a transform that is done with a probability and draws nothing else.
func sometimes(p float64, functional, name string, f func(any) any) Transform {
	return &step[struct{}]{name: name, p: p, hooks: Hooks[struct{}]{
		Transform: func(v any, _ struct{}) any { return through(functional, v, f) },
	}}
}
