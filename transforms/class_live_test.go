package transforms

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
)

// tup writes numbers as a tuple in Python.
func tup(xs []float64) verbatim { return verbatim(tuple(xs)) }

// optional returns numbers, or nil for as often as not.
func (g *gen) optional(low, high float64) []float64 {
	if g.IntN(2) == 0 {
		return nil
	}
	a, b := g.float(low, high), g.float(low, high)
	return []float64{min(a, b), max(a, b)}
}

// keyword adds a keyword argument where the numbers are given.
func keyword(args *[]any, name string, xs []float64, write func([]float64) verbatim) {
	if xs != nil {
		*args = append(*args, verbatim(name+"="+string(write(xs))))
	}
}

// spread draws a Floats: a number, or a range.
func (g *gen) spread(most float64) (Floats, verbatim) {
	if g.IntN(2) == 0 {
		a := g.float(0, most)
		return a, verbatim(py(a))
	}
	a, b := g.float(0, most), g.float(0, most)
	r := []float64{min(a, b), max(a, b)}
	return r, tup(r)
}

func (g *gen) p() float64 { return pick(g, 0, 0.1, 0.5, 0.5, 0.9, 1, g.Float64()) }

func pOnly(name string, f func(...float64) Transform) class {
	return func(g *gen) (string, func() Transform) {
		if g.IntN(4) == 0 {
			return call("T." + name), func() Transform { return f() }
		}
		p := g.p()
		return call("T."+name, p), func() Transform { return f(p) }
	}
}

// square draws a size as classes take it; Python writes it as a tuple.
func (g *gen) square(most int) (torch.Ints, verbatim) {
	if g.IntN(2) == 0 {
		n := g.int(1, most)
		return n, verbatim(fmt.Sprint(n))
	}
	s := []int{g.int(1, most), g.int(1, most)}
	return s, verbatim(integers(s))
}

// fillTuple draws a fill for pictures and tensors of c channels.
func (g *gen) fillTuple() (Floats, verbatim) {
	c, _, _ := g.in.dims()
	switch g.IntN(4) {
	case 0:
		return nil, "0"
	case 1:
		a := g.int(1, 255)
		return a, verbatim(filling(a))
	case 2:
		c = g.int(2, 4)
	}
	var fill []float64
	for range c {
		fill = append(fill, float64(g.int(0, 255)))
	}
	return fill, verbatim(filling(fill))
}

// some draws a few transforms for those that are made of others.
func (g *gen) some() (string, []Transform) {
	all := []struct {
		py  string
		go_ func() Transform
	}{
		{"T.RandomHorizontalFlip()", func() Transform { return RandomHorizontalFlip() }},
		{"T.RandomVerticalFlip(0.7)", func() Transform { return RandomVerticalFlip(0.7) }},
		{"T.CenterCrop(9)", func() Transform { return CenterCrop(9) }},
		{"T.RandomInvert(0.5)", func() Transform { return RandomInvert(0.5) }},
		{"T.Resize((7, 12))", func() Transform { return Resize([]int{7, 12}) }},
		{"T.RandomCrop(5, pad_if_needed=True)", func() Transform { return RandomCrop(5, RandomCropOptions{PadIfNeeded: true}) }},
	}
	text := "["
	var ts []Transform
	for range g.int(1, 5) {
		one := all[g.IntN(len(all))]
		text += one.py + ", "
		ts = append(ts, one.go_())
	}
	return text + "]", ts
}

func (g *gen) corners() Interpolation { return pick(g, Nearest, Bilinear, Bilinear, Bicubic) }

// ToPILImage refuses what Python takes, where the bytes of larger integers would be channels.
const integersAreNoChannels = "the bytes of other integers than uint8 are no channels"

func noChannels(in *input, message string) bool {
	return in.DType != "uint8" && !in.floating() && strings.Contains(message, "make no picture")
}

var classes = []row{
	{name: "Compose", class: func(g *gen) (string, func() Transform) {
		text, ts := g.some()
		return "T.Compose(" + text + ")", func() Transform { return Compose(ts...) }
	}},
	{name: "Lambda", class: func(g *gen) (string, func() Transform) {
		return "T.Lambda(lambda v: TF.hflip(v))", func() Transform { return Lambda(functional.HFlip) }
	}},
	{name: "ToTensor", kinds: "picture", class: func(g *gen) (string, func() Transform) { return "T.ToTensor()", ToTensor }},
	{name: "PILToTensor", kinds: "picture", class: func(g *gen) (string, func() Transform) { return "T.PILToTensor()", PILToTensor }},
	{name: "ToPILImage", kinds: "tensor", uint8: true, class: func(g *gen) (string, func() Transform) {
		if g.IntN(2) == 0 {
			return "T.ToPILImage()", func() Transform { return ToPILImage() }
		}
		m := pick(g, Mode("RGB"), "L", "HSV", "RGBA", "CMYK")
		return call("T.ToPILImage", string(m)), func() Transform { return ToPILImage(m) }
	}, reason: integersAreNoChannels, refuse: noChannels},
	{name: "ConvertImageDtype", kinds: "tensor", class: func(g *gen) (string, func() Transform) {
		d := pick(g, torch.Float32, torch.Uint8, torch.Float64, torch.Int16)
		return "T.ConvertImageDtype(torch." + d.String() + ")", func() Transform { return ConvertImageDtype(d) }
	}},
	{name: "Normalize", kinds: "tensor", class: func(g *gen) (string, func() Transform) {
		c, _, _ := g.in.dims()
		var m, s []float64
		for range pick(g, 1, c) {
			m, s = append(m, g.float(-1, 1)), append(s, g.float(-0.1, 1))
		}
		o := NormalizeOptions{InPlace: g.IntN(2) == 0}
		return call("T.Normalize", m, s, o.InPlace), func() Transform { return Normalize(m, s, o) }
	}},
	{name: "LinearTransformation", kinds: "tensor", silent: true, class: func(g *gen) (string, func() Transform) {
		c, h, w := g.in.dims()
		d := min(c*h*w, 600)
		d2 := pick(g, d, d, d, d+1)
		return fmt.Sprintf("T.LinearTransformation(torch.sin(torch.arange(%d.)).view(%d, %d), torch.cos(torch.arange(%d.)))", d*d, d, d, d2), func() Transform {
			return LinearTransformation(torch.Arange(float64(d*d)).Sin().View(d, d), torch.Arange(float64(d2)).Cos())
		}
	}},
	{name: "Resize", class: func(g *gen) (string, func() Transform) {
		size, text := g.square(60)
		o := ResizeOptions{Interpolation: g.how(), NoAntialias: g.IntN(3) == 0}
		var longest any
		if g.IntN(4) == 0 {
			o.MaxSize = g.int(1, 90)
			longest = o.MaxSize
		}
		return call("T.Resize", text, o.Interpolation, longest, !o.NoAntialias), func() Transform { return Resize(size, o) }
	}},
	{name: "CenterCrop", class: func(g *gen) (string, func() Transform) {
		size, text := g.square(50)
		return call("T.CenterCrop", text), func() Transform { return CenterCrop(size) }
	}},
	{name: "Pad", class: func(g *gen) (string, func() Transform) {
		var p []int
		for range pick(g, 1, 2, 4) {
			p = append(p, g.int(-1, 9))
		}
		var padding torch.Ints = p
		if len(p) == 1 {
			padding = p[0]
		}
		o := PadOptions{PaddingMode: pick(g, "constant", "constant", "edge", "reflect", "symmetric")}
		fill, text := g.fillTuple()
		o.Fill = fill
		return call("T.Pad", verbatim(integers(padding)), text, o.PaddingMode), func() Transform { return Pad(padding, o) }
	}},
	{name: "Grayscale", class: func(g *gen) (string, func() Transform) {
		n := pick(g, 1, 3)
		return call("T.Grayscale", n), func() Transform { return Grayscale(n) }
	}},
	{name: "FiveCrop", class: func(g *gen) (string, func() Transform) {
		size, text := g.square(12)
		return call("T.FiveCrop", text), func() Transform { return FiveCrop(size) }
	}},
	{name: "TenCrop", class: func(g *gen) (string, func() Transform) {
		size, text := g.square(12)
		o := TenCropOptions{VerticalFlip: g.IntN(2) == 0}
		return call("T.TenCrop", text, o.VerticalFlip), func() Transform { return TenCrop(size, o) }
	}},
	{name: "RandomApply", class: func(g *gen) (string, func() Transform) {
		text, ts := g.some()
		p := g.p()
		return "T.RandomApply(" + text + ", p=" + py(p) + ")", func() Transform { return RandomApply(ts, p) }
	}},
	{name: "RandomChoice", class: func(g *gen) (string, func() Transform) {
		text, ts := g.some()
		var p []float64
		if g.IntN(2) == 0 {
			for range ts {
				p = append(p, g.float(0, 2))
			}
		}
		return "T.RandomChoice(" + text + ", p=" + py(p) + ")", func() Transform { return RandomChoice(ts, p...) }
	}},
	{name: "RandomOrder", class: func(g *gen) (string, func() Transform) {
		text, ts := g.some()
		return "T.RandomOrder(" + text + ")", func() Transform { return RandomOrder(ts...) }
	}},
	{name: "RandomCrop", class: func(g *gen) (string, func() Transform) {
		size, text := g.square(20)
		o := RandomCropOptions{PadIfNeeded: g.IntN(2) == 0}
		o.PaddingMode = pick(g, "constant", "constant", "edge", "reflect", "symmetric")
		padding := any(nil)
		if g.IntN(2) == 0 {
			padding = g.int(0, 5)
			o.Padding = padding
		}
		fill, filled := g.fillTuple()
		o.Fill = fill
		return call("T.RandomCrop", text, padding, o.PadIfNeeded, filled, o.PaddingMode), func() Transform { return RandomCrop(size, o) }
	}},
	{name: "RandomHorizontalFlip", class: pOnly("RandomHorizontalFlip", RandomHorizontalFlip)},
	{name: "RandomVerticalFlip", class: pOnly("RandomVerticalFlip", RandomVerticalFlip)},
	{name: "RandomResizedCrop", class: func(g *gen) (string, func() Transform) {
		size, text := g.square(40)
		o := RandomResizedCropOptions{Scale: g.optional(0.01, 1.5), Ratio: g.optional(0.2, 5), Interpolation: g.how(), NoAntialias: g.IntN(3) == 0}
		args := []any{text}
		keyword(&args, "scale", o.Scale, tup)
		keyword(&args, "ratio", o.Ratio, tup)
		args = append(args, verbatim("interpolation=M."+py(o.Interpolation)), verbatim("antialias="+py(!o.NoAntialias)))
		return call("T.RandomResizedCrop", args...), func() Transform { return RandomResizedCrop(size, o) }
	}},
	{name: "ColorJitter", class: func(g *gen) (string, func() Transform) {
		var o ColorJitterOptions
		var args []any
		for _, f := range []struct {
			name string
			to   *Floats
			most float64
		}{{"brightness", &o.Brightness, 2}, {"contrast", &o.Contrast, 2}, {"saturation", &o.Saturation, 2}, {"hue", &o.Hue, 0.52}} {
			if g.IntN(4) != 0 {
				v, text := g.spread(f.most)
				*f.to = v
				args = append(args, verbatim(f.name+"="+string(text)))
			}
		}
		return call("T.ColorJitter", args...), func() Transform { return ColorJitter(o) }
	}},
	{name: "RandomRotation", class: func(g *gen) (string, func() Transform) {
		degrees, text := g.spread(180)
		o := RandomRotationOptions{Interpolation: g.corners(), Expand: g.IntN(2) == 0}
		var center, fill verbatim
		if o.Center, center = g.center(); o.Center != nil {
			center = tup(o.Center)
		}
		o.Fill, fill = g.fillTuple()
		return call("T.RandomRotation", text, o.Interpolation, o.Expand, center, fill), func() Transform { return RandomRotation(degrees, o) }
	}},
	{name: "RandomAffine", class: func(g *gen) (string, func() Transform) {
		degrees, text := g.spread(90)
		o := RandomAffineOptions{Translate: g.optional(0, 1), Scale: g.optional(0.1, 2), Interpolation: g.corners()}
		args := []any{text}
		keyword(&args, "translate", o.Translate, tup)
		keyword(&args, "scale", o.Scale, tup)
		switch g.IntN(3) {
		case 0:
			v, text := g.spread(30)
			o.Shear = v
			args = append(args, verbatim("shear="+string(text)))
		case 1:
			s := append(append([]float64{}, -3, g.float(0, 30)), g.float(-20, 0), 5)
			o.Shear = s
			args = append(args, verbatim("shear="+py(s)))
		}
		var center, fill verbatim
		o.Fill, fill = g.fillTuple()
		if o.Center, center = g.center(); o.Center != nil {
			center = tup(o.Center)
		}
		args = append(args, verbatim("interpolation=M."+py(o.Interpolation)), "fill="+fill, "center="+center)
		return call("T.RandomAffine", args...), func() Transform { return RandomAffine(degrees, o) }
	}},
	{name: "RandomGrayscale", class: pOnly("RandomGrayscale", RandomGrayscale)},
	{name: "RandomPerspective", class: func(g *gen) (string, func() Transform) {
		d, p := g.float(0, 1.2), g.p()
		o := RandomPerspectiveOptions{DistortionScale: &d, P: &p, Interpolation: g.corners()}
		var fill verbatim
		o.Fill, fill = g.fillTuple()
		return call("T.RandomPerspective", d, p, o.Interpolation, fill), func() Transform { return RandomPerspective(o) }
	}},
	{name: "RandomErasing", kinds: "tensor", class: func(g *gen) (string, func() Transform) {
		p := g.p()
		o := RandomErasingOptions{P: &p, Scale: g.optional(0, 1), Ratio: g.optional(0.1, 4), InPlace: g.IntN(2) == 0}
		args := []any{p}
		keyword(&args, "scale", o.Scale, tup)
		keyword(&args, "ratio", o.Ratio, tup)
		if g.IntN(3) == 0 {
			o.Random = true
			args = append(args, verbatim(`value="random"`))
		} else {
			fill, text := g.fillTuple()
			o.Value = fill
			args = append(args, "value="+text)
		}
		args = append(args, verbatim("inplace="+py(o.InPlace)))
		return call("T.RandomErasing", args...), func() Transform { return RandomErasing(o) }
	}},
	{name: "GaussianBlur", class: func(g *gen) (string, func() Transform) {
		k := []int{pick(g, 1, 3, 5), pick(g, 1, 3, 5, 4)}
		if g.IntN(3) == 0 {
			return call("T.GaussianBlur", verbatim(integers(k))), func() Transform { return GaussianBlur(k) }
		}
		sigma, text := g.spread(3)
		return call("T.GaussianBlur", verbatim(integers(k)), text), func() Transform { return GaussianBlur(k, GaussianBlurOptions{Sigma: sigma}) }
	}},
	{name: "RandomInvert", class: pOnly("RandomInvert", RandomInvert)},
	{name: "RandomPosterize", uint8: true, class: func(g *gen) (string, func() Transform) {
		bits, p := g.int(0, 8), g.p()
		return call("T.RandomPosterize", bits, p), func() Transform { return RandomPosterize(bits, p) }
	}},
	{name: "RandomSolarize", class: func(g *gen) (string, func() Transform) {
		a, p := g.threshold(), g.p()
		return call("T.RandomSolarize", a, p), func() Transform { return RandomSolarize(a, p) }
	}},
	{name: "RandomAdjustSharpness", class: func(g *gen) (string, func() Transform) {
		a, p := g.float(-0.1, 3), g.p()
		return call("T.RandomAdjustSharpness", a, p), func() Transform { return RandomAdjustSharpness(a, p) }
	}},
	{name: "RandomAutocontrast", class: pOnly("RandomAutocontrast", RandomAutocontrast)},
	{name: "RandomEqualize", uint8: true, class: pOnly("RandomEqualize", RandomEqualize)},
	{name: "ElasticTransform", class: func(g *gen) (string, func() Transform) {
		a, s := []float64{g.float(0, 90), g.float(0, 90)}, []float64{g.float(-0.1, 2), g.float(-0.1, 2)}
		o := ElasticTransformOptions{Alpha: a, Sigma: s, Interpolation: pick(g, Nearest, Bilinear)}
		fill, text := g.fillTuple()
		o.Fill = fill
		return call("T.ElasticTransform", a, s, o.Interpolation, text), func() Transform { return ElasticTransform(o) }
	}},
	{name: "AutoAugment", uint8: true, class: func(g *gen) (string, func() Transform) {
		o := AutoAugmentOptions{Policy: pick(g, ImageNet, CIFAR10, SVHN), Interpolation: g.corners()}
		fill, text := g.augmentFill()
		o.Fill = fill
		return call("T.AutoAugment", verbatim("AutoAugmentPolicy("+py(string(o.Policy))+")"), o.Interpolation, text), func() Transform { return AutoAugment(o) }
	}},
	{name: "RandAugment", uint8: true, class: func(g *gen) (string, func() Transform) {
		n, bins := g.int(0, 4), g.int(2, 40)
		m := g.IntN(bins)
		o := RandAugmentOptions{NumOps: &n, Magnitude: &m, NumMagnitudeBins: bins, Interpolation: g.corners()}
		fill, text := g.augmentFill()
		o.Fill = fill
		return call("T.RandAugment", n, m, bins, o.Interpolation, text), func() Transform { return RandAugment(o) }
	}},
	{name: "TrivialAugmentWide", uint8: true, class: func(g *gen) (string, func() Transform) {
		o := TrivialAugmentWideOptions{NumMagnitudeBins: g.int(2, 40), Interpolation: g.corners()}
		fill, text := g.augmentFill()
		o.Fill = fill
		return call("T.TrivialAugmentWide", o.NumMagnitudeBins, o.Interpolation, text), func() Transform { return TrivialAugmentWide(o) }
	}},
	{name: "AugMix", uint8: true, class: func(g *gen) (string, func() Transform) {
		o := AugMixOptions{Severity: g.int(1, 10), MixtureWidth: g.int(1, 4), ChainDepth: pick(g, -1, 1, 2, 3), Alpha: g.float(0.2, 2), NoColor: g.IntN(3) == 0, Interpolation: pick(g, Nearest, Bilinear)}
		fill, text := g.augmentFill()
		o.Fill = fill
		return call("T.AugMix", o.Severity, o.MixtureWidth, o.ChainDepth, o.Alpha, !o.NoColor, o.Interpolation, text), func() Transform { return AugMix(o) }
	}},
}

// augmentFill draws the fill of the augmentations, whose default is None.
func (g *gen) augmentFill() (Floats, verbatim) {
	fill, text := g.fillTuple()
	if fill == nil {
		text = "None"
	}
	return fill, text
}

func TestClassesLive(t *testing.T) {
	p := reference.Start(t, judge)
	n := cases("TORCHHUB_TRIALS", 60)
	for i := range classes {
		r := &classes[i]
		t.Run(r.name, func(t *testing.T) { compare(t, p, r, uint64(cases("TORCHHUB_SEED", 2)), n) })
	}
}

// TestNoneMissing fails where torchvision has a class or functional that no row compares.
func TestNoneMissing(t *testing.T) {
	p := reference.Start(t, judge)
	var want struct{ Classes, Functionals []string }
	p.Call(&want, "names")
	require.Len(t, want.Functionals, 36)
	require.Len(t, want.Classes, 41)
	have := map[string]bool{
		"InterpolationMode": true, "AutoAugmentPolicy": true, // enums
	}
	for _, r := range functionals {
		have["functional."+r.name] = true
	}
	for _, r := range classes {
		have[r.name] = true
	}
	for _, name := range want.Functionals {
		require.True(t, have["functional."+name], "no row compares functional.%s", name)
	}
	for _, name := range want.Classes {
		require.True(t, have[name], "no row compares %s", name)
	}
}
