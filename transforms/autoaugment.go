package transforms

import (
	"fmt"
	"math"
	"strings"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/policies"
)

// An AutoAugmentPolicy names the data that a policy of [AutoAugment] was learned on:
// torchvision.transforms.AutoAugmentPolicy. The empty string is [ImageNet].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.AutoAugmentPolicy.html
type AutoAugmentPolicy string

// The policies.
const (
	ImageNet AutoAugmentPolicy = "imagenet"
	CIFAR10  AutoAugmentPolicy = "cifar10"
	SVHN     AutoAugmentPolicy = "svhn"
)

// An augmentation is an operation of the policies, of a magnitude.
type augmentation func(v Value, magnitude float64, how Interpolation, fill []float64) Value

// augmentations are the operations by name.
var augmentations = map[string]augmentation{
	"ShearX":     shearing(0),
	"ShearY":     shearing(1),
	"TranslateX": moving(0),
	"TranslateY": moving(1),
	"Rotate": func(v Value, m float64, how Interpolation, fill []float64) Value {
		return functional.Rotate(v, m, functional.RotateOptions{Interpolation: how, Fill: fill})
	},
	"Brightness":   by(func(v Value, m float64) Value { return functional.AdjustBrightness(v, 1+m) }),
	"Color":        by(func(v Value, m float64) Value { return functional.AdjustSaturation(v, 1+m) }),
	"Contrast":     by(func(v Value, m float64) Value { return functional.AdjustContrast(v, 1+m) }),
	"Sharpness":    by(func(v Value, m float64) Value { return functional.AdjustSharpness(v, 1+m) }),
	"Posterize":    by(func(v Value, m float64) Value { return functional.Posterize(v, int(m)) }),
	"Solarize":     by(func(v Value, m float64) Value { return functional.Solarize(v, m) }),
	"AutoContrast": by(func(v Value, _ float64) Value { return functional.Autocontrast(v) }),
	"Equalize":     by(func(v Value, _ float64) Value { return functional.Equalize(v) }),
	"Invert":       by(func(v Value, _ float64) Value { return functional.Invert(v) }),
	"Identity":     by(func(v Value, _ float64) Value { return v }),
}

func by(f func(Value, float64) Value) augmentation {
	return func(v Value, m float64, _ Interpolation, _ []float64) Value { return f(v, m) }
}

func shearing(axis int) augmentation {
	return func(v Value, m float64, how Interpolation, fill []float64) Value {
		var angles [2]float64
		angles[axis] = libm.Atan(m) * (180 / math.Pi)
		return functional.Affine(v, 0, [2]float64{}, 1, angles, functional.AffineOptions{Interpolation: how, Fill: fill, Center: []float64{0, 0}})
	}
}

func moving(axis int) augmentation {
	return func(v Value, m float64, how Interpolation, fill []float64) Value {
		var by [2]float64
		by[axis] = math.Trunc(m)
		return functional.Affine(v, 0, by, 1, [2]float64{}, functional.AffineOptions{Interpolation: how, Fill: fill})
	}
}

// A choice is an operation that may be drawn, and the magnitudes that it may have.
type choice struct {
	name       string
	magnitudes magnitudes
	signed     bool // the magnitude may be negative too
}

// magnitudes returns the magnitudes of so many bins, for a picture of h×w pixels; nil for an operation without.
type magnitudes func(bins, h, w int) *torch.Tensor

// evenly spaces magnitudes from one number to another.
func evenly(from, to float64) magnitudes {
	return func(bins, _, _ int) *torch.Tensor { return onCPU.Linspace(from, to, bins) }
}

// alongW and alongH space them from 0 to a part of a side.
func alongW(part func(side float64) float64) magnitudes {
	return func(bins, _, w int) *torch.Tensor { return onCPU.Linspace(0.0, part(float64(w)), bins) }
}

func alongH(part func(side float64) float64) magnitudes {
	return func(bins, h, _ int) *torch.Tensor { return onCPU.Linspace(0.0, part(float64(h)), bins) }
}

// bits takes up to so many bits away from a number of them.
func bits(from, away int) magnitudes {
	return func(bins, _, _ int) *torch.Tensor {
		return aten.RsubScalar(onCPU.Arange(bins).DivScalar(float64(bins-1)/float64(away)).Round().ToDType(torch.Int32), from, 1)
	}
}

// space lists the operations of AutoAugment, RandAugment and AugMix, with the names in their order.
func space(part func(side float64) float64, posterize magnitudes, names string) []choice {
	all := map[string]choice{
		"ShearX": {"", evenly(0, 0.3), true}, "ShearY": {"", evenly(0, 0.3), true},
		"TranslateX": {"", alongW(part), true}, "TranslateY": {"", alongH(part), true},
		"Rotate":     {"", evenly(0, 30), true},
		"Brightness": {"", evenly(0, 0.9), true}, "Color": {"", evenly(0, 0.9), true},
		"Contrast": {"", evenly(0, 0.9), true}, "Sharpness": {"", evenly(0, 0.9), true},
		"Posterize": {"", posterize, false}, "Solarize": {"", evenly(255, 0), false},
	}
	var out []choice
	for _, name := range strings.Fields(names) {
		c := all[name]
		c.name = name
		out = append(out, c)
	}
	return out
}

const (
	geometric = "ShearX ShearY TranslateX TranslateY Rotate "
	colors    = "Brightness Color Contrast Sharpness "
	leveling  = "Posterize Solarize AutoContrast Equalize "
)

var (
	part150of331 = func(side float64) float64 { return 150.0 / 331.0 * side }
	autoSpace    = space(part150of331, bits(8, 4), geometric+colors+leveling+"Invert")
	randSpace    = space(part150of331, bits(8, 4), "Identity "+geometric+colors+leveling)
	mixSpace     = space(func(side float64) float64 { return side / 3 }, bits(4, 4), geometric+leveling+colors)
	wideSpace    = func() []choice {
		wide := map[string]magnitudes{
			"ShearX": evenly(0, 0.99), "ShearY": evenly(0, 0.99), "TranslateX": evenly(0, 32), "TranslateY": evenly(0, 32),
			"Rotate": evenly(0, 135), "Brightness": evenly(0, 0.99), "Color": evenly(0, 0.99), "Contrast": evenly(0, 0.99),
			"Sharpness": evenly(0, 0.99), "Posterize": bits(8, 6),
		}
		out := append([]choice{}, randSpace...)
		for i, c := range out {
			if m := wide[c.name]; m != nil {
				out[i].magnitudes = m
			}
		}
		return out
	}()
)

// magnitude returns the one of that index.
func (c choice) magnitude(index, bins, h, w int) (m float64) {
	torch.Scope(func() { m = c.magnitudes(bins, h, w).Select(0, index).Item() })
	return m
}

// augment has the options that the augmentations share.
type augment struct {
	how  Interpolation
	fill []float64
	text string // of fill, as Python writes it
}

func newAugment(op string, how, standard Interpolation, fill Floats) augment {
	interpolation(op, &how, standard)
	a := augment{how, floats(op, "Fill", fill), "None"}
	if a.fill != nil {
		a.text = filling(fill)
	}
	return a
}

// apply applies an operation.
func (a augment) apply(v Value, name string, magnitude float64) Value {
	return augmentations[name](v, magnitude, a.how, a.fill)
}

// AutoAugmentOptions are the options of [AutoAugment]. The zero value is torchvision's default.
type AutoAugmentOptions struct {
	Policy        AutoAugmentPolicy // "" is ImageNet
	Interpolation Interpolation     // Nearest, the default, Bilinear, or Bicubic for pictures
	Fill          Floats            // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
}

// AutoAugment applies a random pair of operations of a learned policy to a picture of
// mode L or RGB or a uint8 tensor [..., 1 or 3, H, W] of 3 or 4 dimensions:
// torchvision.transforms.AutoAugment(policy, interpolation, fill). The paper is
// https://arxiv.org/abs/1805.09501.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.AutoAugment.html
func AutoAugment(options ...AutoAugmentOptions) Transform {
	const op = "AutoAugment"
	o := torch.Only(options)
	if o.Policy == "" {
		o.Policy = ImageNet
	}
	policies := autoPolicies[o.Policy]
	if policies == nil {
		refuse(op, "no policy is called %q; want imagenet, cifar10 or svhn", o.Policy)
	}
	a := newAugment(op, o.Interpolation, Nearest, o.Fill)
	text := fmt.Sprintf("AutoAugment(policy=AutoAugmentPolicy.%s, fill=%s)", strings.ToUpper(string(o.Policy)), a.text)
	return &step{text, func(v Value) Value {
		_, h, w := functional.GetDimensions(v)
		pair := policies[randint(v, 0, len(policies))]
		var applies [2]bool
		var signs [2]float64
		torch.Scope(func() {
			chances := uniforms(v, 2)
			for i, sign := range torch.Data[int64](randints(v, 0, 2, 2)) {
				applies[i] = chances.Select(0, i).LeScalar(pair[i].p).Item() != 0
				signs[i] = float64(2*sign - 1)
			}
		})
		for i, s := range pair {
			if !applies[i] {
				continue
			}
			m := 0.0
			if c := s.choice; c.magnitudes != nil && s.magnitude >= 0 {
				m = c.magnitude(s.magnitude, 10, h, w)
				if c.signed {
					m *= signs[i]
				}
			}
			v = a.apply(v, s.choice.name, m)
		}
		return v
	}}
}

// A sub is half of a pair of a policy.
type sub struct {
	choice    choice
	p         float64
	magnitude int // of 10; -1 for an operation without
}

// RandAugmentOptions are the options of [RandAugment]. The zero value is torchvision's default.
type RandAugmentOptions struct {
	NumOps           *int          // how many operations are applied; nil is 2
	Magnitude        *int          // of each; nil is 9
	NumMagnitudeBins int           // how many magnitudes there are, 2 or more; 0 is 31
	Interpolation    Interpolation // Nearest, the default, Bilinear, or Bicubic for pictures
	Fill             Floats        // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
}

// RandAugment applies random operations of one magnitude to a picture of mode L or
// RGB or a uint8 tensor [..., 1 or 3, H, W] of 3 or 4 dimensions:
// torchvision.transforms.RandAugment(num_ops, magnitude, num_magnitude_bins,
// interpolation, fill). The paper is https://arxiv.org/abs/1909.13719.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandAugment.html
func RandAugment(options ...RandAugmentOptions) Transform {
	const op = "RandAugment"
	o := torch.Only(options)
	ops, magnitude, bins := 2, 9, binsOf(op, o.NumMagnitudeBins)
	if o.NumOps != nil {
		ops = *o.NumOps
	}
	if o.Magnitude != nil {
		magnitude = *o.Magnitude
	}
	if ops < 0 {
		refuse(op, "NumOps is %d; want 0 or more", ops)
	}
	if magnitude < 0 || magnitude >= bins {
		refuse(op, "Magnitude is %d; want 0 to %d, as there are %d", magnitude, bins-1, bins)
	}
	a := newAugment(op, o.Interpolation, Nearest, o.Fill)
	text := fmt.Sprintf("RandAugment(num_ops=%d, magnitude=%d, num_magnitude_bins=%d, interpolation=%s, fill=%s)", ops, magnitude, bins, enum(a.how), a.text)
	return &step{text, func(v Value) Value {
		_, h, w := functional.GetDimensions(v)
		for range ops {
			c := randSpace[randint(v, 0, len(randSpace))]
			m := 0.0
			if c.magnitudes != nil {
				m = c.magnitude(magnitude, bins, h, w)
			}
			v = a.apply(v, c.name, c.sign(v, m))
		}
		return v
	}}
}

// sign negates the magnitude of an operation with a sign at random.
func (c choice) sign(v Value, m float64) float64 {
	if c.signed && randint(v, 0, 2) != 0 {
		return -m
	}
	return m
}

func binsOf(op string, bins int) int {
	if bins == 0 {
		return 31
	}
	if bins < 2 {
		refuse(op, "NumMagnitudeBins is %d; want 2 or more, since Posterize divides by one less", bins)
	}
	return bins
}

// TrivialAugmentWideOptions are the options of [TrivialAugmentWide]. The zero value is torchvision's default.
type TrivialAugmentWideOptions struct {
	NumMagnitudeBins int           // how many magnitudes there are, 2 or more; 0 is 31
	Interpolation    Interpolation // Nearest, the default, Bilinear, or Bicubic for pictures
	Fill             Floats        // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
}

// TrivialAugmentWide applies a random operation of a random magnitude to a picture
// of mode L or RGB or a uint8 tensor [..., 1 or 3, H, W] of 3 or 4 dimensions:
// torchvision.transforms.TrivialAugmentWide(num_magnitude_bins, interpolation, fill).
// The paper is https://arxiv.org/abs/2103.10158.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.TrivialAugmentWide.html
func TrivialAugmentWide(options ...TrivialAugmentWideOptions) Transform {
	const op = "TrivialAugmentWide"
	o := torch.Only(options)
	bins := binsOf(op, o.NumMagnitudeBins)
	a := newAugment(op, o.Interpolation, Nearest, o.Fill)
	text := fmt.Sprintf("TrivialAugmentWide(num_magnitude_bins=%d, interpolation=%s, fill=%s)", bins, enum(a.how), a.text)
	return &step{text, func(v Value) Value {
		_, h, w := functional.GetDimensions(v)
		c := wideSpace[randint(v, 0, len(wideSpace))]
		m := 0.0
		if c.magnitudes != nil {
			m = c.magnitude(randint(v, 0, bins), bins, h, w)
		}
		return a.apply(v, c.name, c.sign(v, m))
	}}
}

// AugMixOptions are the options of [AugMix]. The zero value is torchvision's default.
type AugMixOptions struct {
	Severity      int           // of the operations, 1 to 10; 0 is 3
	MixtureWidth  int           // the number of chains of operations; 0 is 3
	ChainDepth    int           // the number of operations of a chain; 0 or less is a random number from 1 to 3
	Alpha         float64       // of the distributions of the weights; 0 is 1
	NoColor       bool          // leave out brightness, color, contrast and sharpness: all_ops=False
	Interpolation Interpolation // Nearest or Bilinear, the default
	Fill          Floats        // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
}

// AugMix mixes a picture of mode L or RGB or a uint8 tensor [..., 1 or 3, H, W] of 3 or
// 4 dimensions with the results of random chains of operations on it:
// torchvision.transforms.AugMix(severity, mixture_width, chain_depth, alpha, all_ops,
// interpolation, fill). A picture is computed as a tensor. The paper is
// https://arxiv.org/abs/1912.02781.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.AugMix.html
func AugMix(options ...AugMixOptions) Transform {
	const op = "AugMix"
	o := torch.Only(options)
	m := policies.AugMix{Severity: o.Severity, Width: o.MixtureWidth, Depth: o.ChainDepth, Alpha: o.Alpha}.Checked("transforms." + op)
	depth := "-1"
	if o.ChainDepth != 0 {
		depth = fmt.Sprint(o.ChainDepth)
	}
	a := newAugment(op, o.Interpolation, Bilinear, o.Fill)
	choices := mixSpace
	if o.NoColor {
		choices = mixSpace[:9]
	}
	text := fmt.Sprintf("AugMix(severity=%d, mixture_width=%d, chain_depth=%s, alpha=%s, all_ops=%s, interpolation=%s, fill=%s)",
		m.Severity, m.Width, depth, float(m.Alpha), boolean(!o.NoColor), enum(a.how), a.text)
	mixed := func(v Value, x *torch.Tensor) *torch.Tensor {
		_, h, w := functional.GetDimensions(v)
		shape := x.Shape()
		batch := x
		if n := 4 - x.Dim(); n > 0 {
			batch = x.View(append([]int{1, 1}[:n:n], shape...)...)
		}
		draw := func(low, high int) int { return randint(v, low, high) }
		mix := m.Mix(batch, v.Generator, draw, func(operations int) *torch.Tensor {
			aug := v.WithTensor(batch)
			for range operations {
				c := choices[draw(0, len(choices))]
				magnitude := 0.0
				if c.magnitudes != nil {
					magnitude = c.magnitude(draw(0, m.Severity), policies.Bins, h, w)
				}
				aug = a.apply(aug, c.name, c.sign(v, magnitude))
			}
			return aug.Tensor
		})
		return mix.View(shape...).ToDType(x.DType())
	}
	return &step{text, func(v Value) Value {
		var out Value
		torch.Scope(func() {
			if v.Tensor != nil {
				out = v.WithTensor(torch.Keep(mixed(v, v.Tensor)))
				return
			}
			out = v.WithImage(functional.ToPILImage(mixed(v, functional.PILToTensor(pictureOf(v)))))
		})
		return out
	}}
}
