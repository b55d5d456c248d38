package transforms

import (
	"fmt"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/args"
)

// Grayscale makes a picture, or a tensor [..., 3, H, W], gray, with one channel or
// three equal ones: torchvision.transforms.Grayscale(num_output_channels). The default is one.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Grayscale.html
func Grayscale(channels ...int) Transform {
	n := 1
	if len(channels) > 0 {
		n = channels[0]
	}
	if n != 1 && n != 3 || len(channels) > 1 {
		refuse("Grayscale", "there are to be %v channels; want 1 or 3", channels)
	}
	return &step{fmt.Sprintf("Grayscale(num_output_channels=%d)", n), func(v Value) Value {
		return functional.RGBToGrayscale(v, n)
	}}
}

// RandomGrayscale makes a picture, or a tensor [..., 1 or 3, H, W], gray with probability
// p, default 0.1, without changing the number of channels:
// torchvision.transforms.RandomGrayscale(p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomGrayscale.html
func RandomGrayscale(p ...float64) Transform {
	c := chance("RandomGrayscale", p, 0.1)
	return &step{"RandomGrayscale(p=" + float(c) + ")", func(v Value) Value {
		channels := functional.GetImageNumChannels(v)
		if !happens(v, c) {
			return v
		}
		return functional.RGBToGrayscale(v, channels)
	}}
}

// ColorJitterOptions are the ranges of [ColorJitter]. A number x stands for a
// factor from max(0, 1-x) to 1+x or, for the hue, an offset from -x to x; a
// []float64 has the least and the greatest. A property whose field is nil is
// not changed.
type ColorJitterOptions struct {
	Brightness Floats // 0 or more
	Contrast   Floats // 0 or more
	Saturation Floats // 0 or more
	Hue        Floats // a number up to 0.5; or from -0.5 to 0.5
}

// ColorJitter changes brightness, contrast, saturation and hue of a picture or a
// tensor [..., 1 or 3, H, W] by random factors, in random order:
// torchvision.transforms.ColorJitter(brightness, contrast, saturation, hue).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ColorJitter.html
func ColorJitter(options ...ColorJitterOptions) Transform {
	o := torch.Only(options)
	const op = "ColorJitter"
	jitter := func(what string, f Floats, neutral, low, high float64) []float64 {
		return args.Jitter("transforms."+op, what, f, neutral, low, high)
	}
	jitters := []struct {
		apply func(Value, float64) Value
		r     []float64
	}{
		{functional.AdjustBrightness, jitter("Brightness", o.Brightness, 1, 0, math.Inf(1))},
		{functional.AdjustContrast, jitter("Contrast", o.Contrast, 1, 0, math.Inf(1))},
		{functional.AdjustSaturation, jitter("Saturation", o.Saturation, 1, 0, math.Inf(1))},
		{functional.AdjustHue, jitter("Hue", o.Hue, 0, -0.5, 0.5)},
	}
	text := fmt.Sprintf("ColorJitter(brightness=%s, contrast=%s, saturation=%s, hue=%s)", none(jitters[0].r, tuple),
		none(jitters[1].r, tuple), none(jitters[2].r, tuple), none(jitters[3].r, tuple))
	return &step{text, func(v Value) Value {
		order := randperm(v, len(jitters))
		var factors [4]float64
		for i, j := range jitters {
			if j.r != nil {
				factors[i] = between(v, j.r)
			}
		}
		for _, i := range order {
			if j := jitters[i]; j.r != nil {
				v = j.apply(v, factors[i])
			}
		}
		return v
	}}
}

// sometimes applies f with a probability, drawn as torchvision's newer transforms do it.
func sometimes(text string, p float64, f func(Value) Value) Transform {
	return &step{text, func(v Value) Value {
		if !happensExactly(v, p) {
			return v
		}
		return f(v)
	}}
}

// RandomInvert turns a picture, or a tensor [..., 1 or 3, H, W], into its negative
// with probability p, default 0.5: torchvision.transforms.RandomInvert(p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomInvert.html
func RandomInvert(p ...float64) Transform {
	c := chance("RandomInvert", p, 0.5)
	return sometimes("RandomInvert(p="+float(c)+")", c, functional.Invert)
}

// RandomPosterize keeps the upper bits, 0 to 8, of every channel of a picture of mode L or
// RGB, or of a uint8 tensor [..., 1 or 3, H, W], with probability p, default 0.5:
// torchvision.transforms.RandomPosterize(bits, p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomPosterize.html
func RandomPosterize(bits int, p ...float64) Transform {
	const op = "RandomPosterize"
	if bits < 0 || bits > 8 {
		refuse(op, "%d bits are to be kept; want 0 to 8", bits)
	}
	c := chance(op, p, 0.5)
	return sometimes(fmt.Sprintf("RandomPosterize(bits=%d,p=%s)", bits, float(c)), c, func(v Value) Value {
		return functional.Posterize(v, bits)
	})
}

// RandomSolarize inverts the values that are not below the threshold, in a picture of mode L or
// RGB or a tensor [..., 1 or 3, H, W], with probability p, default 0.5:
// torchvision.transforms.RandomSolarize(threshold, p). The threshold is an int or a float64; see
// functional.Solarize for the difference.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomSolarize.html
func RandomSolarize(threshold torch.Number, p ...float64) Transform {
	const op = "RandomSolarize"
	args.Number("transforms."+op, "the threshold", threshold)
	c := chance(op, p, 0.5)
	return sometimes(fmt.Sprintf("RandomSolarize(threshold=%s,p=%s)", number(threshold), float(c)), c, func(v Value) Value {
		return functional.Solarize(v, threshold)
	})
}

// RandomAdjustSharpness adjusts the sharpness of a picture or a tensor [..., 1 or 3, H, W] by
// a factor, 0 for smooth, 1 for no change, with probability p, default 0.5:
// torchvision.transforms.RandomAdjustSharpness(sharpness_factor, p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomAdjustSharpness.html
func RandomAdjustSharpness(factor float64, p ...float64) Transform {
	const op = "RandomAdjustSharpness"
	floats(op, "the factor", factor)
	c := chance(op, p, 0.5)
	return sometimes(fmt.Sprintf("RandomAdjustSharpness(sharpness_factor=%s,p=%s)", float(factor), float(c)), c, func(v Value) Value {
		return functional.AdjustSharpness(v, factor)
	})
}

// RandomAutocontrast stretches each channel of a picture of mode L or RGB, or of a tensor
// [..., 1 or 3, H, W], to the whole range with probability p,
// default 0.5: torchvision.transforms.RandomAutocontrast(p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomAutocontrast.html
func RandomAutocontrast(p ...float64) Transform {
	c := chance("RandomAutocontrast", p, 0.5)
	return sometimes("RandomAutocontrast(p="+float(c)+")", c, functional.Autocontrast)
}

// RandomEqualize equalizes the histogram of each channel of a picture of mode L, P or
// RGB or a uint8 tensor [1 or 3, H, W] or [N, 1 or 3, H, W], with probability p,
// default 0.5: torchvision.transforms.RandomEqualize(p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomEqualize.html
func RandomEqualize(p ...float64) Transform {
	c := chance("RandomEqualize", p, 0.5)
	return sometimes("RandomEqualize(p="+float(c)+")", c, functional.Equalize)
}

// RandomHorizontalFlip mirrors a picture or a tensor [..., H, W] left to right with
// probability p, default 0.5: torchvision.transforms.RandomHorizontalFlip(p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomHorizontalFlip.html
func RandomHorizontalFlip(p ...float64) Transform {
	return &randomFlip{p: chance("RandomHorizontalFlip", p, 0.5)}
}

// RandomVerticalFlip turns a picture or a tensor [..., H, W] upside down with
// probability p, default 0.5: torchvision.transforms.RandomVerticalFlip(p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomVerticalFlip.html
func RandomVerticalFlip(p ...float64) Transform {
	return &randomFlip{p: chance("RandomVerticalFlip", p, 0.5), vertical: true}
}
