package v2

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/args"
	F "github.com/torchhub/torchhub/transforms/v2/functional"
)

// Grayscale makes images and pictures gray, with 1 channel or 3: Grayscale(num_output_channels). Videos are not
// changed, as in Python.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Grayscale.html
func Grayscale(channels ...int) Transform {
	n := 1
	if len(channels) > 0 {
		n = channels[0]
	}
	if len(channels) > 1 || n != 1 && n != 3 {
		refuse("Grayscale", "the channels are %v; want 1 or 3", channels)
	}
	return always("RGBToGrayscale", repr("Grayscale", "num_output_channels", n), func(v any) any { return F.RGBToGrayscale(v, n) })
}

// RandomGrayscale makes images and pictures gray, with as many channels as before,
// with probability p: RandomGrayscale(p). p defaults to 0.1.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomGrayscale.html
func RandomGrayscale(p ...float64) Transform {
	const op = "RandomGrayscale"
	chance := probability(op, p, 0.1)
	return &step[int]{name: repr(op, "p", chance), p: chance, hooks: Hooks[int]{
		Params: func(flat []any, _ *torch.Generator) int {
			c, _, _ := QueryCHW(flat)
			return c
		},
		Transform: func(v any, channels int) any {
			return through("RGBToGrayscale", v, func(v any) any { return F.RGBToGrayscale(v, channels) })
		},
	}}
}

// RGB gives gray images and pictures three channels: RGB().
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RGB.html
func RGB() Transform { return always("GrayscaleToRGB", "RGB()", F.GrayscaleToRGB[any]) }

// adjust calls a functional that takes a factor.
func adjust(functional string, f func(any, float64) any, v any, factor *float64) any {
	if factor == nil {
		return v
	}
	return through(functional, v, func(v any) any { return f(v, *factor) })
}

func brightness(v any, f *float64) any {
	return adjust("AdjustBrightness", func(v any, f float64) any { return F.AdjustBrightness(v, f) }, v, f)
}
func contrast(v any, f *float64) any { return adjust("AdjustContrast", F.AdjustContrast[any], v, f) }
func saturation(v any, f *float64) any {
	return adjust("AdjustSaturation", F.AdjustSaturation[any], v, f)
}
func hue(v any, f *float64) any { return adjust("AdjustHue", F.AdjustHue[any], v, f) }

// ColorJitterOptions are the options of [ColorJitter]. Each is nil for no change, one
// number x for 1-x to 1+x, or -x to x for Hue, or the least and largest factor.
type ColorJitterOptions struct {
	Brightness Floats // factors of 0 or more
	Contrast   Floats // factors of 0 or more
	Saturation Floats // factors of 0 or more
	Hue        Floats // within -0.5 to 0.5
}

// ColorJitter changes brightness, contrast, saturation and hue at random, in a
// random order: ColorJitter(brightness, contrast, saturation, hue).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ColorJitter.html
func ColorJitter(options ...ColorJitterOptions) Transform {
	o := torch.Only(options)
	const op = "ColorJitter"
	jitter := func(what string, f Floats, neutral, low, high float64) []float64 {
		return args.Jitter(args.V2+op, what, f, neutral, low, high)
	}
	ranges := [4][]float64{
		jitter("the brightness", o.Brightness, 1, 0, math.Inf(1)),
		jitter("the contrast", o.Contrast, 1, 0, math.Inf(1)),
		jitter("the saturation", o.Saturation, 1, 0, math.Inf(1)),
		jitter("the hue", o.Hue, 0, -0.5, 0.5),
	}
	type params struct {
		order   []int
		factors [4]*float64
	}
	shown := func(r []float64) any {
		if r == nil {
			return nil
		}
		return [2]float64(r)
	}
	name := repr(op, "brightness", shown(ranges[0]), "contrast", shown(ranges[1]), "saturation", shown(ranges[2]), "hue", shown(ranges[3]))
	adjusts := [4]func(any, *float64) any{brightness, contrast, saturation, hue}
	return &step[params]{name: name, p: -1, hooks: Hooks[params]{
		Params: func(_ []any, g *torch.Generator) params {
			p := params{order: randperm(g, 4)}
			for i, r := range ranges {
				if r != nil {
					f := uniform(g, r[0], r[1])
					p.factors[i] = &f
				}
			}
			return p
		},
		Transform: func(v any, p params) any {
			for _, i := range p.order {
				v = adjusts[i](v, p.factors[i])
			}
			return v
		},
	}}
}

// RandomChannelPermutation puts the channels in a random order: RandomChannelPermutation().
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomChannelPermutation.html
func RandomChannelPermutation() Transform {
	return &step[[]int]{name: "RandomChannelPermutation()", p: -1, hooks: Hooks[[]int]{
		Params: func(flat []any, g *torch.Generator) []int {
			c, _, _ := QueryCHW(flat)
			return randperm(g, c)
		},
		Transform: permute,
	}}
}

func permute(v any, order []int) any {
	return through("PermuteChannels", v, func(v any) any { return F.PermuteChannels(v, order) })
}

// RandomPhotometricDistortOptions are the options of [RandomPhotometricDistort]:
// the least and largest factors.
type RandomPhotometricDistortOptions struct {
	Brightness []float64 // nil is 0.875 to 1.125
	Contrast   []float64 // nil is 0.5 to 1.5
	Saturation []float64 // nil is 0.5 to 1.5
	Hue        []float64 // nil is -0.05 to 0.05
	P          *float64  // the probability of each change; nil is 0.5
}

// RandomPhotometricDistort changes brightness, contrast, saturation, hue and the
// order of the channels, each with a probability, as the paper of SSD does:
// RandomPhotometricDistort(brightness, contrast, saturation, hue, p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomPhotometricDistort.html
func RandomPhotometricDistort(options ...RandomPhotometricDistortOptions) Transform {
	const op = "RandomPhotometricDistort"
	o := torch.Only(options)
	p := 0.5
	if o.P != nil { // which Python compares with and does not check
		p = *o.P
	}
	checkFinite(op, "probability", p)
	ranges := [4][2]float64{
		rangeOf(op, "brightness", o.Brightness, [2]float64{0.875, 1.125}, 0, math.MaxFloat64),
		rangeOf(op, "contrast", o.Contrast, [2]float64{0.5, 1.5}, 0, math.MaxFloat64),
		rangeOf(op, "saturation", o.Saturation, [2]float64{0.5, 1.5}, 0, math.MaxFloat64),
		rangeOf(op, "hue", o.Hue, [2]float64{-0.05, 0.05}, -0.5, 0.5),
	}
	type params struct {
		factors        [4]*float64
		contrastBefore bool
		order          []int
	}
	name := repr(op, "brightness", ranges[0], "contrast", ranges[1], "hue", ranges[3], "saturation", ranges[2], "p", p)
	return &step[params]{name: name, p: -1, hooks: Hooks[params]{
		Params: func(flat []any, g *torch.Generator) params {
			c, _, _ := QueryCHW(flat)
			var out params
			for i, r := range ranges {
				if uniform32(g) < float32(p) {
					f := uniform(g, r[0], r[1])
					out.factors[i] = &f
				}
			}
			out.contrastBefore = uniform32(g) < 0.5
			if uniform32(g) < float32(p) {
				out.order = randperm(g, c)
			}
			return out
		},
		Transform: func(v any, p params) any {
			v = brightness(v, p.factors[0])
			if p.contrastBefore {
				v = contrast(v, p.factors[1])
			}
			v = saturation(v, p.factors[2])
			v = hue(v, p.factors[3])
			if !p.contrastBefore {
				v = contrast(v, p.factors[1])
			}
			if p.order != nil {
				v = permute(v, p.order)
			}
			return v
		},
	}}
}

// RandomEqualize evens out the histogram with probability p: RandomEqualize(p). p defaults to 0.5.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomEqualize.html
func RandomEqualize(p ...float64) Transform {
	const op = "RandomEqualize"
	chance := probability(op, p, 0.5)
	return sometimes(chance, "Equalize", repr(op, "p", chance), F.Equalize[any])
}

// RandomInvert makes a negative with probability p: RandomInvert(p). p defaults to 0.5.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomInvert.html
func RandomInvert(p ...float64) Transform {
	const op = "RandomInvert"
	chance := probability(op, p, 0.5)
	return sometimes(chance, "Invert", repr(op, "p", chance), F.Invert[any])
}

// RandomPosterize keeps the highest bits, 0 to 8, of each channel with probability
// p: RandomPosterize(bits, p). p defaults to 0.5.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomPosterize.html
func RandomPosterize(bits int, p ...float64) Transform {
	const op = "RandomPosterize"
	chance := probability(op, p, 0.5)
	if bits < 0 || bits > 8 {
		refuse(op, "%d bits are asked for; want 0 to 8", bits)
	}
	return sometimes(chance, "Posterize", repr(op, "p", chance, "bits", bits), func(v any) any { return F.Posterize(v, bits) })
}

// RandomSolarize inverts the values from threshold on with probability p:
// RandomSolarize(threshold, p). p defaults to 0.5. The threshold is an int or a
// float64; see [functional.Solarize] for the difference.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomSolarize.html
func RandomSolarize(threshold torch.Number, p ...float64) Transform {
	const op = "RandomSolarize"
	chance := probability(op, p, 0.5)
	args.Number(args.V2+op, "the threshold", threshold)
	return sometimes(chance, "Solarize", repr(op, "p", chance, "threshold", threshold), func(v any) any { return F.Solarize(v, threshold) })
}

// RandomAutocontrast stretches each channel to the whole range with probability p:
// RandomAutocontrast(p). p defaults to 0.5.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAutocontrast.html
func RandomAutocontrast(p ...float64) Transform {
	const op = "RandomAutocontrast"
	chance := probability(op, p, 0.5)
	return sometimes(chance, "Autocontrast", repr(op, "p", chance), F.Autocontrast[any])
}

// RandomAdjustSharpness scales the sharpness by a factor with probability p:
// RandomAdjustSharpness(sharpness_factor, p). p defaults to 0.5.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAdjustSharpness.html
func RandomAdjustSharpness(factor float64, p ...float64) Transform {
	const op = "RandomAdjustSharpness"
	chance := probability(op, p, 0.5)
	if !(factor >= 0) || math.IsInf(factor, 0) {
		refuse(op, "the sharpness factor is %v; want 0 or more", factor)
	}
	return sometimes(chance, "AdjustSharpness", repr(op, "p", chance, "sharpness_factor", factor), func(v any) any { return F.AdjustSharpness(v, factor) })
}
