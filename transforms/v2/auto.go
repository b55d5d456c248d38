package v2

import (
	"math"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/transforms/internal/args"
	"github.com/torchhub/torchhub/transforms/internal/policies"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	F "github.com/torchhub/torchhub/transforms/v2/functional"
)

// WarpOptions are the options of warps in the automatic augmentations.
type WarpOptions struct {
	Interpolation Interpolation // "" is Nearest, and Bilinear for AugMix
	Fill          Fill          // nil is none
	FillOf        map[Kind]Fill // for some kinds of values, in place of Fill
}

// An auto is an automatic augmentation of the one image, video or picture of a sample.
type auto struct {
	class, name string
	how         Interpolation
	fill        fills
	run         func(a *auto, v any, g *torch.Generator) any
}

func newAuto(class string, o WarpOptions, standard Interpolation, run func(a *auto, v any, g *torch.Generator) any, attributes ...any) Transform {
	a := &auto{class: class, how: checkInterpolation(class, o.Interpolation, standard), fill: newFills(o.Fill, o.FillOf, nil), run: run}
	a.name = repr(class, append([]any{"interpolation", a.how, "fill", a.fill.repr()}, attributes...)...)
	return a
}

// String returns the transform as Python writes it.
func (a *auto) String() string { return a.name }

// Forward augments the image, video or picture.
func (a *auto) Forward(s *Sample) {
	leaves, flat := s.leaves(), s.Flat()
	chosen := choose(flat, nil)
	at := -1
	for i, v := range flat {
		switch k := tv.KindOf(v); {
		case chosen[i] && (k == tv.ImageKind || k == tv.Picture || k == tv.PureTensor || k == tv.VideoKind):
			if at >= 0 {
				refuse(a.class, "the sample has more than one image, video or picture")
			}
			at = i
		case k == tv.BoxesKind || k == tv.MaskKind || k == tv.KeyPointsKind:
			refuse(a.class, "values of the kind %v are not supported by %s", k, a.class)
		}
	}
	if at < 0 {
		refuse(a.class, "there is no image, video or picture in the sample")
	}
	guard(a.name, flat[at], func() { leaves[at].set(a.run(a, flat[at], s.Generator)) })
}

// A span is the magnitudes of an operation, for so many bins and an image of h×w.
type span func(bins, h, w int) *torch.Tensor

// An operation is one that may be drawn.
type operation struct {
	name   string
	span   span // nil is an operation without magnitudes
	signed bool // the magnitude may be negative too
}

func evenly(from, to float64) span {
	return func(bins, _, _ int) *torch.Tensor { return torch.Linspace(from, to, bins) }
}

func alongWidth(part func(float64) float64) span {
	return func(bins, _, w int) *torch.Tensor { return torch.Linspace(0.0, part(float64(w)), bins) }
}

func alongHeight(part func(float64) float64) span {
	return func(bins, h, _ int) *torch.Tensor { return torch.Linspace(0.0, part(float64(h)), bins) }
}

// fewerBits takes away up to so many bits of from.
func fewerBits(from, away int) span {
	return func(bins, _, _ int) *torch.Tensor {
		taken := torch.Arange(bins).DivScalar(float64(bins-1) / float64(away))
		return aten.RsubScalar(taken, from, 1).Round().ToDType(torch.Int32)
	}
}

// operations returns those of an augmentation, in Python's order: shears to shear,
// translations by part of the side, a rotation to turn, colors to color, and the posterization.
func operations(shear float64, dx, dy span, turn, color float64, posterize span, names ...string) []operation {
	all := map[string]operation{
		"ShearX": {"", evenly(0, shear), true}, "ShearY": {"", evenly(0, shear), true},
		"TranslateX": {"", dx, true}, "TranslateY": {"", dy, true}, "Rotate": {"", evenly(0, turn), true},
		"Brightness": {"", evenly(0, color), true}, "Color": {"", evenly(0, color), true},
		"Contrast": {"", evenly(0, color), true}, "Sharpness": {"", evenly(0, color), true},
		"Posterize": {"", posterize, false}, "Solarize": {"", evenly(1, 0), false},
	}
	var out []operation
	for _, name := range names {
		o := all[name]
		o.name = name
		out = append(out, o)
	}
	return out
}

var (
	geometric = []string{"ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"}
	enhancing = []string{"Brightness", "Color", "Contrast", "Sharpness"}
	leveling  = []string{"Posterize", "Solarize", "AutoContrast", "Equalize"}
)

func join(lists ...[]string) (out []string) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func of331(side float64) float64 { return 150.0 / 331.0 * side }
func third(side float64) float64 { return side / 3.0 }

var (
	autoOps    = operations(0.3, alongWidth(of331), alongHeight(of331), 30, 0.9, fewerBits(8, 4), join(geometric, enhancing, leveling, []string{"Invert"})...)
	randOps    = operations(0.3, alongWidth(of331), alongHeight(of331), 30, 0.9, fewerBits(8, 4), join([]string{"Identity"}, geometric, enhancing, leveling)...)
	trivialOps = operations(0.99, evenly(0, 32), evenly(0, 32), 135, 0.99, fewerBits(8, 6), join([]string{"Identity"}, geometric, enhancing, leveling)...)
	mixOps     = operations(0.3, alongWidth(third), alongHeight(third), 30, 0.9, fewerBits(4, 4), join(geometric, leveling, enhancing)...)
)

// magnitude returns a magnitude of o, the number that which returns, with a sign that is drawn.
func (o operation) magnitude(g *torch.Generator, bins, h, w int, which func() int) float64 {
	if o.span == nil {
		return 0
	}
	var m float64
	torch.Scope(func() {
		all := o.span(bins, h, w)
		m = all.Index(which()).Item()
	})
	if o.signed && uniform32(g) <= 0.5 {
		m *= -1
	}
	return m
}

// apply does an operation.
func (a *auto) apply(v any, name string, m float64) any {
	fill := a.fill.get(v)
	affine := func(by F.AffineMap, center []float64) any {
		by.Scale = 1
		return F.Affine(v, by, F.AffineOptions{Interpolation: a.how, Fill: fill, Center: center})
	}
	switch name {
	case "ShearX":
		return affine(F.AffineMap{Shear: [2]float64{shearAngle(m), 0}}, []float64{0, 0})
	case "ShearY":
		return affine(F.AffineMap{Shear: [2]float64{0, shearAngle(m)}}, []float64{0, 0})
	case "TranslateX":
		return affine(F.AffineMap{Translate: [2]float64{math.Trunc(m), 0}}, nil)
	case "TranslateY":
		return affine(F.AffineMap{Translate: [2]float64{0, math.Trunc(m)}}, nil)
	case "Rotate":
		return F.Rotate(v, m, F.RotateOptions{Interpolation: a.how, Fill: fill})
	case "Brightness":
		return F.AdjustBrightness(v, 1+m)
	case "Color":
		return F.AdjustSaturation(v, 1+m)
	case "Contrast":
		return F.AdjustContrast(v, 1+m)
	case "Sharpness":
		return F.AdjustSharpness(v, 1+m)
	case "Posterize":
		return F.Posterize(v, int(m))
	case "Solarize":
		bound := 255.0
		if x := tv.TensorOf(v); x != nil {
			bound = F.MaxValue(x.DType())
		}
		return F.Solarize(v, bound*m)
	case "AutoContrast":
		return F.Autocontrast(v)
	case "Equalize":
		return F.Equalize(v)
	case "Invert":
		return F.Invert(v)
	}
	return v
}

// shearAngle is math.degrees(math.atan(m)).
func shearAngle(m float64) float64 { return libm.Atan(m) * (180.0 / math.Pi) }

// An AutoAugmentPolicy names the data that a policy of [AutoAugment] was learned on:
// torchvision.transforms.v2.AutoAugmentPolicy.
type AutoAugmentPolicy string

// The policies.
const (
	ImageNet AutoAugmentPolicy = "imagenet"
	CIFAR10  AutoAugmentPolicy = "cifar10"
	SVHN     AutoAugmentPolicy = "svhn"
)

// AutoAugmentOptions are the options of [AutoAugment].
type AutoAugmentOptions struct {
	Policy AutoAugmentPolicy // "" is ImageNet
	WarpOptions
}

// AutoAugment applies one of 25 pairs of operations that were learned on a data set:
// AutoAugment(policy, interpolation, fill). The sample has one image, video or picture.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.AutoAugment.html
func AutoAugment(options ...AutoAugmentOptions) Transform {
	const op = "AutoAugment"
	o := torch.Only(options)
	policy := o.Policy
	if policy == "" {
		policy = ImageNet
	}
	pairs := policies.Of(string(policy))
	if pairs == nil {
		refuse(op, "no policy is called %q; want imagenet, cifar10 or svhn", string(policy))
	}
	byName := map[string]operation{}
	for _, o := range autoOps {
		byName[o.name] = o
	}
	return newAuto(op, o.WarpOptions, F.Nearest, func(a *auto, v any, g *torch.Generator) any {
		h, w := F.GetSize(v)
		for _, s := range pairs[randint(g, 0, len(pairs))] {
			if uniform32(g) <= float32(s.P) {
				m := byName[s.Op].magnitude(g, 10, h, w, func() int { return s.Magnitude })
				v = a.apply(v, s.Op, m)
			}
		}
		return v
	}, "policy", "AutoAugmentPolicy."+map[AutoAugmentPolicy]string{ImageNet: "IMAGENET", CIFAR10: "CIFAR10", SVHN: "SVHN"}[policy])
}

// RandAugmentOptions are the options of [RandAugment].
type RandAugmentOptions struct {
	NumOps           *int // nil is 2
	Magnitude        *int // from 0 to below NumMagnitudeBins; nil is 9
	NumMagnitudeBins int  // 2 or more; 0 is 31
	WarpOptions
}

// RandAugment applies random operations of one magnitude: RandAugment(num_ops, magnitude, …).
// The sample has one image, video or picture.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandAugment.html
func RandAugment(options ...RandAugmentOptions) Transform {
	const op = "RandAugment"
	o := torch.Only(options)
	n, m := 2, 9
	if o.NumOps != nil {
		n = *o.NumOps
	}
	if o.Magnitude != nil {
		m = *o.Magnitude
	}
	bins := binsOf(op, o.NumMagnitudeBins)
	if n < 0 {
		refuse(op, "%d operations are asked for; want 0 or more", n)
	}
	if m < 0 || m >= bins {
		refuse(op, "the magnitude is %d; want 0 to %d", m, bins-1)
	}
	return newAuto(op, o.WarpOptions, F.Nearest, func(a *auto, v any, g *torch.Generator) any {
		h, w := F.GetSize(v)
		for range n {
			o := randOps[randint(g, 0, len(randOps))]
			v = a.apply(v, o.name, o.magnitude(g, bins, h, w, func() int { return m }))
		}
		return v
	}, "num_ops", n, "magnitude", m, "num_magnitude_bins", bins)
}

func binsOf(op string, bins int) int {
	if bins == 0 {
		return 31
	}
	if bins < 2 {
		refuse(op, "there are %d bins of magnitudes; want 2 or more", bins)
	}
	return bins
}

// TrivialAugmentWideOptions are the options of [TrivialAugmentWide].
type TrivialAugmentWideOptions struct {
	NumMagnitudeBins int // 2 or more; 0 is 31
	WarpOptions
}

// TrivialAugmentWide applies one random operation of a random magnitude:
// TrivialAugmentWide(num_magnitude_bins, …). The sample has one image, video or picture.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.TrivialAugmentWide.html
func TrivialAugmentWide(options ...TrivialAugmentWideOptions) Transform {
	const op = "TrivialAugmentWide"
	o := torch.Only(options)
	bins := binsOf(op, o.NumMagnitudeBins)
	return newAuto(op, o.WarpOptions, F.Nearest, func(a *auto, v any, g *torch.Generator) any {
		h, w := F.GetSize(v)
		o := trivialOps[randint(g, 0, len(trivialOps))]
		return a.apply(v, o.name, o.magnitude(g, bins, h, w, func() int { return randint(g, 0, bins) }))
	}, "num_magnitude_bins", bins)
}

// AugMixOptions are the options of [AugMix].
type AugMixOptions struct {
	Severity     int     // of the operations, 1 to 10; 0 is 3
	MixtureWidth int     // the chains that are mixed; 0 is 3
	ChainDepth   int     // the operations of a chain; 0 is a random number from 1 to 3
	Alpha        float64 // of the Dirichlet distribution that is drawn from; 0 is 1
	NoColor      bool    // leave out brightness, color, contrast and sharpness: all_ops=False
	WarpOptions
}

// AugMix mixes an image, video or picture with chains of random operations of it:
// AugMix(severity, mixture_width, chain_depth, alpha, all_ops, …). The sample has one image, video or picture.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.AugMix.html
func AugMix(options ...AugMixOptions) Transform {
	const op = "AugMix"
	o := torch.Only(options)
	m := policies.AugMix{Severity: o.Severity, Width: o.MixtureWidth, Depth: o.ChainDepth, Alpha: o.Alpha}.Checked(args.V2 + op)
	ops := mixOps
	if o.NoColor {
		ops = mixOps[:len(mixOps)-len(enhancing)]
	}
	depth := o.ChainDepth
	if depth <= 0 {
		depth = -1
	}
	return newAuto(op, o.WarpOptions, F.Bilinear, func(a *auto, v any, g *torch.Generator) any {
		h, w := F.GetSize(v)
		x := tv.TensorOf(v)
		if x == nil {
			x = F.ToImage(v).Tensor
		}
		shape := x.Shape()
		want := 4
		if Is[Video](v) {
			want = 5
		}
		full := shape
		for len(full) < want {
			full = append([]int{1}, full...)
		}
		batch := x.Reshape(full...)
		draw := func(low, high int) int { return randint(g, low, high) }
		mix := m.Mix(batch, g, draw, func(operations int) *torch.Tensor {
			var chain any = batch
			for range operations {
				op := ops[draw(0, len(ops))]
				chain = a.apply(chain, op.name, op.magnitude(g, policies.Bins, h, w, func() int { return draw(0, m.Severity) }))
			}
			return chain.(*torch.Tensor)
		})
		mix = mix.Reshape(shape...).ToDType(x.DType())
		if IsPicture(v) {
			return F.ToPILImage(mix, "")
		}
		return tv.Wrap(mix, v)
	}, "severity", m.Severity, "mixture_width", m.Width, "chain_depth", depth, "alpha", m.Alpha, "all_ops", !o.NoColor)
}
