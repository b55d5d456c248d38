package transforms

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

// oddP draws a probability, at times none that can be.
func (g *gen) oddP() float64 { return pick(g, 0, 1, 1, 1, 0.5, g.Float64(), -1, 2, 1e-9) }

// oddSize draws a size as classes take it, and how Python writes it.
func (g *gen) oddSize(most int) (torch.Ints, verbatim) {
	side := func() int { return pick(g, 1, 1, 2, g.int(1, most), g.int(1, most), g.int(1, most), most, 3*most) }
	var s []int
	switch g.IntN(16) {
	case 0:
		n := pick(g, 0, -1)
		return n, verbatim(strconv.Itoa(n))
	case 1:
		s = []int{side(), pick(g, 0, -1)}
	case 2:
		s = slices.Repeat([]int{side()}, pick(g, 0, 3, 4))
	case 3, 4:
		s = []int{side()}
	case 5, 6, 7, 8, 9:
		n := side()
		return n, verbatim(strconv.Itoa(n))
	default:
		s = []int{side(), side()}
	}
	return s, verbatim(pick(g, py(s), integers(s)))
}

// oddNumber draws a number of up to most, at times far beyond, negative, or 0.
func (g *gen) oddNumber(most float64) float64 {
	switch g.IntN(10) {
	case 0:
		return 0
	case 1:
		return -g.float(0, most)
	case 2:
		return g.float(0, 1000*most)
	case 3:
		return most
	}
	return g.float(0, most)
}

// oddRange draws a list of numbers: mostly two in order, at times equal ones, in no order, or another number of them.
func (g *gen) oddRange(most float64) []float64 {
	a, b := g.oddNumber(most), g.oddNumber(most)
	switch g.IntN(12) {
	case 0:
		return []float64{a}
	case 1:
		return []float64{a, b, a}[:pick(g, 0, 3)]
	case 2:
		return []float64{a, b}
	case 3, 4:
		return []float64{a, a}
	}
	return []float64{min(a, b), max(a, b)}
}

// oddFloats draws an int, a float64 or a list of them.
func (g *gen) oddFloats(most float64) (Floats, verbatim) {
	switch g.IntN(4) {
	case 0:
		n := pick(g, 0, 1, int(most), -1, 3)
		return n, verbatim(strconv.Itoa(n))
	case 1:
		a := g.oddNumber(most)
		return a, verbatim(py(a))
	}
	r := g.oddRange(most)
	return r, seq(r)
}

// seq writes numbers as a list.
func seq(xs []float64) verbatim { return verbatim(list(xs)) }

// oddPair is oddRange, or nil for the default, which Python does not write.
func (g *gen) oddPair(most float64) []float64 {
	if g.IntN(2) == 0 {
		return nil
	}
	return g.oddRange(most)
}

// oddFill draws what to fill with: nothing, an int, a float64, or a list of any length.
func (g *gen) oddFill() (Floats, verbatim) {
	c, _, _ := g.in.dims()
	n := func() float64 { return float64(pick(g, 0, 1, 255, g.int(0, 255), g.int(0, 255), -1, 256, 100000)) }
	switch g.IntN(9) {
	case 0, 1:
		return nil, "0"
	case 2, 3:
		a := int(n())
		return a, verbatim(strconv.Itoa(a))
	case 4:
		a := pick(g, 0.5, 1.5, 127.5, -0.5)
		return a, verbatim(py(a))
	case 5:
		c = g.int(1, 5)
	}
	fill := make([]float64, c)
	for i := range fill {
		fill[i] = n()
	}
	return fill, verbatim(filling(fill))
}

// oddPadding draws a padding.
func (g *gen) oddPadding() torch.Ints {
	side := func() int { return pick(g, 0, 0, 1, 2, g.int(0, 9), g.int(0, 9), 40, -1, -3) }
	if g.IntN(3) == 0 {
		return side()
	}
	p := make([]int, pick(g, 1, 1, 2, 2, 2, 4, 4, 4, 3, 0))
	for i := range p {
		p[i] = side()
	}
	return p
}

func (g *gen) padding() string {
	return pick(g, "constant", "constant", "edge", "reflect", "symmetric")
}

// oddHow draws any interpolation for a warp, which takes only some of them.
func (g *gen) oddHow() Interpolation {
	if g.IntN(6) == 0 {
		return g.how()
	}
	return g.corners()
}

var oddModes = []Mode{"RGB", "RGB", "L", "1", "P", "PA", "LA", "La", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16", "BGR"}

func oddP(name string, f func(...float64) Transform) class {
	return func(g *gen) (string, func() Transform) {
		p := g.oddP()
		return call("T."+name, p), func() Transform { return f(p) }
	}
}

// odd holds a class for each transform, with arguments at the bounds of what it takes, and beyond them.
var odd []class

func init() { // which odd's own rows refer to
	odd = []class{
		func(g *gen) (string, func() Transform) { return "T.ToTensor()", ToTensor },
		func(g *gen) (string, func() Transform) { return "T.PILToTensor()", PILToTensor },
		func(g *gen) (string, func() Transform) {
			if g.IntN(2) == 0 {
				return "T.ToPILImage()", func() Transform { return ToPILImage() }
			}
			m := pick(g, oddModes...)
			return call("T.ToPILImage", string(m)), func() Transform { return ToPILImage(m) }
		},
		func(g *gen) (string, func() Transform) {
			d := pick(g, torch.Float32, torch.Float32, torch.Uint8, torch.Uint8, torch.Float64, torch.Int8, torch.Int16, torch.Int32, torch.Int64, torch.Float16, torch.BFloat16, torch.Bool)
			return "T.ConvertImageDtype(torch." + d.String() + ")", func() Transform { return ConvertImageDtype(d) }
		},
		func(g *gen) (string, func() Transform) {
			c, _, _ := g.in.dims()
			draw := func(zero float64) (xs []float64) {
				for range pick(g, 1, c, c, c, 3, 0, 2) {
					xs = append(xs, pick(g, g.float(-1, 1), g.float(0.1, 1), zero, 1e-9, 1e30))
				}
				return xs
			}
			m, s := draw(0), draw(pick(g, 0, 1.0, 1))
			o := NormalizeOptions{InPlace: g.IntN(2) == 0}
			return call("T.Normalize", verbatim(list(m)), verbatim(list(s)), o.InPlace), func() Transform { return Normalize(m, s, o) }
		},
		func(g *gen) (string, func() Transform) {
			c, h, w := g.in.dims()
			d := pick(g, min(c*h*w, 400), 1, 3)
			return fmt.Sprintf("T.LinearTransformation(torch.arange(%d.).view(%d, %d), torch.arange(%d.))", d*d, d, d, d), func() Transform {
				return LinearTransformation(torch.Arange(float64(d*d)).View(d, d), torch.Arange(float64(d)))
			}
		},
		func(g *gen) (string, func() Transform) {
			size, text := g.oddSize(40)
			o := ResizeOptions{Interpolation: g.how(), NoAntialias: g.IntN(3) == 0}
			var longest any
			if g.IntN(4) == 0 {
				o.MaxSize = pick(g, 1, g.int(1, 60), g.int(30, 120), -1)
				longest = o.MaxSize
			}
			return call("T.Resize", text, o.Interpolation, longest, !o.NoAntialias), func() Transform { return Resize(size, o) }
		},
		func(g *gen) (string, func() Transform) {
			size, text := g.oddSize(40)
			return call("T.CenterCrop", text), func() Transform { return CenterCrop(size) }
		},
		func(g *gen) (string, func() Transform) {
			p := g.oddPadding()
			o := PadOptions{PaddingMode: g.padding()}
			fill, text := g.oddFill()
			o.Fill = fill
			return call("T.Pad", verbatim(integers(p)), text, o.PaddingMode), func() Transform { return Pad(p, o) }
		},
		func(g *gen) (string, func() Transform) {
			n := pick(g, 1, 3, 1, 3, 2, 0, 4)
			return call("T.Grayscale", n), func() Transform { return Grayscale(n) }
		},
		func(g *gen) (string, func() Transform) {
			size, text := g.oddSize(9)
			return call("T.FiveCrop", text), func() Transform { return FiveCrop(size) }
		},
		func(g *gen) (string, func() Transform) {
			size, text := g.oddSize(9)
			o := TenCropOptions{VerticalFlip: g.IntN(2) == 0}
			return call("T.TenCrop", text, o.VerticalFlip), func() Transform { return TenCrop(size, o) }
		},
		func(g *gen) (string, func() Transform) {
			text, ts := g.oddSome()
			p := g.oddP()
			return call("T.RandomApply", text, p), func() Transform { return RandomApply(all(ts), p) }
		},
		func(g *gen) (string, func() Transform) {
			text, ts := g.oddSome()
			var p []float64
			if g.IntN(2) == 0 {
				for range len(ts) + pick(g, 0, 0, 0, 1) {
					p = append(p, pick(g, 0, 1, g.float(0, 2), 1e-9, 1e9))
				}
			}
			return call("T.RandomChoice", text, p), func() Transform { return RandomChoice(all(ts), p...) }
		},
		func(g *gen) (string, func() Transform) {
			text, ts := g.oddSome()
			return call("T.RandomOrder", text), func() Transform { return RandomOrder(all(ts)...) }
		},
		func(g *gen) (string, func() Transform) {
			size, text := g.oddSize(20)
			o := RandomCropOptions{PadIfNeeded: g.IntN(3) != 0}
			o.PaddingMode = g.padding()
			if g.IntN(2) == 0 {
				o.Padding = g.oddPadding()
			}
			fill, filled := g.oddFill()
			o.Fill = fill
			return call("T.RandomCrop", text, verbatim(integers(o.Padding)), o.PadIfNeeded, filled, o.PaddingMode), func() Transform { return RandomCrop(size, o) }
		},
		oddP("RandomHorizontalFlip", RandomHorizontalFlip),
		oddP("RandomVerticalFlip", RandomVerticalFlip),
		func(g *gen) (string, func() Transform) {
			size, text := g.oddSize(30)
			o := RandomResizedCropOptions{Scale: g.oddPair(1), Ratio: g.oddPair(3), Interpolation: g.how(), NoAntialias: g.IntN(3) == 0}
			args := []any{text}
			keyword(&args, "scale", o.Scale, seq)
			keyword(&args, "ratio", o.Ratio, seq)
			args = append(args, verbatim("interpolation=M."+py(o.Interpolation)), verbatim("antialias="+py(!o.NoAntialias)))
			return call("T.RandomResizedCrop", args...), func() Transform { return RandomResizedCrop(size, o) }
		},
		func(g *gen) (string, func() Transform) {
			var o ColorJitterOptions
			var args []any
			for _, f := range []struct {
				name string
				to   *Floats
				most float64
			}{{"brightness", &o.Brightness, 2}, {"contrast", &o.Contrast, 2}, {"saturation", &o.Saturation, 2}, {"hue", &o.Hue, 0.5}} {
				if g.IntN(3) == 0 {
					v, text := g.oddFloats(f.most)
					*f.to = v
					args = append(args, verbatim(f.name+"="+string(text)))
				}
			}
			return call("T.ColorJitter", args...), func() Transform { return ColorJitter(o) }
		},
		func(g *gen) (string, func() Transform) {
			degrees, text := g.oddFloats(180)
			o := RandomRotationOptions{Interpolation: g.oddHow(), Expand: g.IntN(2) == 0}
			var center, fill verbatim
			if o.Center, center = g.oddCenter(); o.Center != nil {
				center = seq(o.Center)
			}
			o.Fill, fill = g.oddFill()
			return call("T.RandomRotation", text, o.Interpolation, o.Expand, center, fill), func() Transform { return RandomRotation(degrees, o) }
		},
		func(g *gen) (string, func() Transform) {
			degrees, text := g.oddFloats(90)
			o := RandomAffineOptions{Translate: g.oddPair(1), Scale: g.oddPair(2), Interpolation: g.oddHow()}
			args := []any{text}
			keyword(&args, "translate", o.Translate, seq)
			keyword(&args, "scale", o.Scale, seq)
			switch g.IntN(3) {
			case 0:
				v, text := g.oddFloats(30)
				o.Shear = v
				args = append(args, verbatim("shear="+string(text)))
			case 1:
				s := append(g.oddRange(30), g.oddRange(30)...)
				o.Shear = s
				args = append(args, verbatim("shear="+py(s)))
			}
			var center, fill verbatim
			o.Fill, fill = g.oddFill()
			if o.Center, center = g.oddCenter(); o.Center != nil {
				center = seq(o.Center)
			}
			args = append(args, verbatim("interpolation=M."+py(o.Interpolation)), "fill="+fill, "center="+center)
			return call("T.RandomAffine", args...), func() Transform { return RandomAffine(degrees, o) }
		},
		oddP("RandomGrayscale", RandomGrayscale),
		func(g *gen) (string, func() Transform) {
			d, p := pick(g, 0, 1, 0.5, g.Float64(), g.Float64(), -0.5, 1.5, 30), g.oddP()
			o := RandomPerspectiveOptions{DistortionScale: &d, P: &p, Interpolation: g.oddHow()}
			var fill verbatim
			o.Fill, fill = g.oddFill()
			return call("T.RandomPerspective", d, p, o.Interpolation, fill), func() Transform { return RandomPerspective(o) }
		},
		func(g *gen) (string, func() Transform) {
			p := g.oddP()
			o := RandomErasingOptions{P: &p, Scale: g.oddPair(1), Ratio: g.oddPair(3), InPlace: g.IntN(2) == 0}
			args := []any{p}
			keyword(&args, "scale", o.Scale, seq)
			keyword(&args, "ratio", o.Ratio, seq)
			if g.IntN(3) == 0 {
				o.Random = true
				args = append(args, verbatim(`value="random"`))
			} else {
				fill, text := g.oddFill()
				o.Value = fill
				args = append(args, "value="+text)
			}
			args = append(args, verbatim("inplace="+py(o.InPlace)))
			return call("T.RandomErasing", args...), func() Transform { return RandomErasing(o) }
		},
		func(g *gen) (string, func() Transform) {
			k := slices.Repeat([]int{1}, pick(g, 2, 2, 2, 1, 3))
			for i := range k {
				k[i] = pick(g, 1, 1, 3, 3, 5, 7, 23, 4, 0, -1)
			}
			var size torch.Ints = k
			if len(k) == 1 && g.IntN(2) == 0 {
				size = k[0]
			}
			if g.IntN(4) == 0 {
				return call("T.GaussianBlur", verbatim(integers(size))), func() Transform { return GaussianBlur(size) }
			}
			sigma, text := g.oddFloats(3)
			return call("T.GaussianBlur", verbatim(integers(size)), text), func() Transform { return GaussianBlur(size, GaussianBlurOptions{Sigma: sigma}) }
		},
		oddP("RandomInvert", RandomInvert),
		func(g *gen) (string, func() Transform) {
			bits, p := pick(g, g.int(0, 8), 0, 1, 8, -1, 9), g.oddP()
			return call("T.RandomPosterize", bits, p), func() Transform { return RandomPosterize(bits, p) }
		},
		func(g *gen) (string, func() Transform) {
			a, p := g.threshold(), g.oddP()
			return call("T.RandomSolarize", a, p), func() Transform { return RandomSolarize(a, p) }
		},
		func(g *gen) (string, func() Transform) {
			a, p := g.oddNumber(2), g.oddP()
			return call("T.RandomAdjustSharpness", a, p), func() Transform { return RandomAdjustSharpness(a, p) }
		},
		oddP("RandomAutocontrast", RandomAutocontrast),
		oddP("RandomEqualize", RandomEqualize),
		func(g *gen) (string, func() Transform) {
			a, at := g.oddFloats(90)
			s, st := g.oddFloats(1)
			o := ElasticTransformOptions{Alpha: a, Sigma: s, Interpolation: g.oddHow()}
			fill, text := g.oddFill()
			o.Fill = fill
			return call("T.ElasticTransform", at, st, o.Interpolation, text), func() Transform { return ElasticTransform(o) }
		},
		func(g *gen) (string, func() Transform) {
			o := AutoAugmentOptions{Policy: pick(g, ImageNet, CIFAR10, SVHN), Interpolation: g.oddHow()}
			fill, text := g.oddAugmentFill()
			o.Fill = fill
			return call("T.AutoAugment", verbatim("AutoAugmentPolicy("+py(string(o.Policy))+")"), o.Interpolation, text), func() Transform { return AutoAugment(o) }
		},
		func(g *gen) (string, func() Transform) {
			n, bins := pick(g, 0, 1, 2, 3, -1), pick(g, 2, 3, 31, g.int(2, 40), 1)
			m := pick(g, 0, bins-1, g.IntN(bins), bins)
			o := RandAugmentOptions{NumOps: &n, Magnitude: &m, NumMagnitudeBins: bins, Interpolation: g.oddHow()}
			fill, text := g.oddAugmentFill()
			o.Fill = fill
			return call("T.RandAugment", n, m, bins, o.Interpolation, text), func() Transform { return RandAugment(o) }
		},
		func(g *gen) (string, func() Transform) {
			o := TrivialAugmentWideOptions{NumMagnitudeBins: pick(g, 2, 3, 31, g.int(2, 40), 1), Interpolation: g.oddHow()}
			fill, text := g.oddAugmentFill()
			o.Fill = fill
			return call("T.TrivialAugmentWide", o.NumMagnitudeBins, o.Interpolation, text), func() Transform { return TrivialAugmentWide(o) }
		},
		func(g *gen) (string, func() Transform) {
			o := AugMixOptions{Severity: pick(g, 1, 3, 10, g.int(1, 10), 11, -1), MixtureWidth: pick(g, 1, 1, 2, 3), ChainDepth: pick(g, -1, 1, 2, 3),
				Alpha: pick(g, 1, g.float(0.2, 2), 1e-3, 1e3, -1), NoColor: g.IntN(3) == 0, Interpolation: g.oddHow()}
			fill, text := g.oddAugmentFill()
			o.Fill = fill
			return call("T.AugMix", o.Severity, o.MixtureWidth, o.ChainDepth, o.Alpha, !o.NoColor, o.Interpolation, text), func() Transform { return AugMix(o) }
		},
	}
}

func (g *gen) oddAugmentFill() (Floats, verbatim) {
	fill, text := g.oddFill()
	if fill == nil {
		text = "None"
	}
	return fill, text
}

func (g *gen) oddCenter() ([]float64, verbatim) {
	switch g.IntN(6) {
	case 0:
		c := g.oddRange(20)
		return c, verbatim(py(c))
	case 1:
		return []float64{-1e4, 1e4}, "[-1e4, 1e4]"
	}
	return g.center()
}

// oddSome draws a few transforms for those that are made of others.
func (g *gen) oddSome() (verbatim, []func() Transform) {
	var texts []string
	var makes []func() Transform
	for range pick(g, 1, 2, 2, 3, 0) {
		text, f := g.oneOf(6)
		texts, makes = append(texts, text), append(makes, f)
	}
	return verbatim("[" + strings.Join(texts, ", ") + "]"), makes
}

// all makes the transforms.
func all(makes []func() Transform) []Transform {
	ts := make([]Transform, len(makes))
	for i, f := range makes {
		ts[i] = f()
	}
	return ts
}

// oneOf draws a transform, one in rarely with the arguments that [TestClassesLive] tries.
func (g *gen) oneOf(rarely int) (string, func() Transform) {
	if g.IntN(rarely) == 0 {
		return classes[g.IntN(len(classes))].class(g)
	}
	return odd[g.IntN(len(odd))](g)
}

// oddInput draws a picture of any mode or a tensor of any dtype, of one to five dimensions, some of them 0 or 1.
func (g *gen) oddInput() *input {
	side := func() int {
		return pick(g, 1, 2, 3, g.int(1, 8), g.int(8, 40), g.int(8, 40), g.int(8, 40), g.int(40, 90))
	}
	if g.IntN(2) == 0 {
		w, h := side(), side()
		if g.IntN(40) == 0 {
			w = 0
		}
		return g.picture(pick(g, modes...), w, h)
	}
	in := &input{DType: pick(g, "uint8", "uint8", "uint8", "float32", "float32", "float64", "float16", "int8", "int16", "int32", "int64", "bool", "bfloat16")}
	h, w, c := side(), side(), pick(g, 3, 3, 3, 3, 1, 1, 2, 4, 5)
	if g.IntN(30) == 0 {
		w = 0
	}
	switch g.IntN(14) {
	case 0:
		in.Shape = []int{w}
	case 1:
		in.Shape = []int{h, w}
	case 2:
		in.Shape = []int{pick(g, 2, 1, 0), g.int(1, 2), c, min(h, 20), min(w, 20)}
	case 3, 4, 5:
		in.Shape = []int{pick(g, 1, 2, 3, 0), c, h, w}
	default:
		in.Shape = []int{c, h, w}
	}
	if len(in.Shape) > 2 {
		in.Layout = pick(g, "", "", "", "last", "turned", "every")
	}
	g.fill(in)
	return in
}

// now returns an input of a value that a pipeline has come to.
func now(v Value) *input {
	if v.Tensor != nil {
		return &input{DType: v.Tensor.DType().String(), Shape: v.Tensor.Shape(), Data: pix(v)}
	}
	p := pillow.From(v.Image)
	return &input{Mode: string(p.Mode), W: p.W, H: p.H, Data: p.Pix}
}

// alone lists what is refused here alone, by what the error says. Package transforms' documentation says so.
var alone = []string{
	// No pixels.
	"want 1 pixel or more each", "the picture has no pixels",
	// Magnitudes that there are not.
	"NumMagnitudeBins is", "Magnitude is", "NumOps is", "AugMix: Alpha is",
	// Bytes of wider numbers.
	"make no picture",
	// What Python refuses only where it comes to use it, a constructor refuses at once.
	"bits are to be kept", "there are to be [", " means and ", "no mode is called", "there are no transforms to choose from", "Resize: the size is", "DistortionScale is", "MaxSize is", "Scale is", "Ratio is",
	// Numbers that Python does not look at.
	"Scale has", "Ratio has",
}

// pipeline draws a pipeline and an input. Most of the transforms of one take what the ones before them give.
func (g *gen) pipeline() (*input, func(Value) Value) {
	in := g.oddInput()
	in.Seed = int64(g.IntN(1<<40)) - 1<<20
	var texts []string
	var makes []func() Transform
	run := func(v Value) Value {
		return Compose(all(makes)...).Transform(v)
	}
	v := in.value()
	for n, tries := g.int(2, 6), 0; len(texts) < n; tries++ {
		var text string
		var f func() Transform
		if i := len(v.Parts) - 1; i >= 0 {
			text = fmt.Sprintf("T.Lambda(lambda v: v[%d])", i)
			f = func() Transform {
				return Lambda(func(v Value) Value {
					p := v.Parts[i]
					p.Generator, p.Random = v.Generator, v.Random
					return p
				})
			}
		} else {
			g.in = in
			if len(texts) > 0 {
				g.in = now(v)
			}
			if torch.Try(func() { g.in.dims() }) != nil {
				break
			}
			text, f = g.oneOf(3)
		}
		texts, makes = append(texts, text), append(makes, f)
		next := in.value()
		next.Generator, next.Random = torch.NewGenerator(torch.CPU).ManualSeed(in.Seed), pyrandom.New(in.Seed)
		if torch.Try(func() { v = run(next) }) != nil {
			if tries < 20 && g.IntN(4) > 0 {
				texts, makes = texts[:len(texts)-1], makes[:len(makes)-1]
				continue
			}
			break
		}
	}
	in.Made = "T.Compose([" + strings.Join(texts, ", ") + "])"
	return in, run
}

// TestPipelines compares pipelines of random transforms, whose arguments are often odd, with Python: what it
// refuses must be refused, and what it gives must be given, with the same numbers drawn from both generators.
// TORCHHUB_TEST_PIPELINES sets how many there are, TORCHHUB_SEED what they are drawn from.
func TestPipelines(t *testing.T) {
	p := reference.Start(t, judge)
	seed := uint64(cases("TORCHHUB_SEED", 1))
	equal, refused, here := 0, 0, map[string]int{}
	for first, n := 0, cases("TORCHHUB_TEST_PIPELINES", 300); first < n; first += 50 {
		var ins []*input
		var fs []func(Value) Value
		for i := range min(50, n-first) {
			g := &gen{Rand: rand.New(rand.NewPCG(seed, uint64(first+i)))}
			in, f := g.pipeline()
			ins, fs = append(ins, in), append(fs, f)
		}
		var want []verdict
		p.Call(&want, "judge", ins)
		for i, in := range ins {
			v := in.value()
			if i%2 == 0 { // half of them draw from generators of their own
				v.Generator, v.Random = torch.NewGenerator(torch.CPU).ManualSeed(in.Seed), pyrandom.New(in.Seed)
			} else {
				torch.ManualSeed(in.Seed)
				pyrandom.Seed(in.Seed)
			}
			var out Value
			err := torch.Try(func() { out = fs[i](v) })
			problem, w := "", want[i]
			var e *torch.Error
			switch {
			case err != nil && (!errors.As(err, &e) || e.Op == ""):
				problem = "no torch.Error: " + err.Error()
			case err != nil && w.Error != "":
				refused++
			case err != nil:
				at := slices.IndexFunc(alone, func(s string) bool { return strings.Contains(err.Error(), s) })
				if at < 0 {
					problem = "refused: " + err.Error()
					break
				}
				here[alone[at]]++
			case w.Error != "":
				problem = "accepted: " + w.Error
			default:
				if problem = agree(out, w); problem == "" {
					if next := randint(v, 0, 1<<30); next != w.Next {
						problem = "another number of draws from torch's generator"
					} else if next := python(v).Bits(30); next != uint64(w.Random) {
						problem = "another number of draws from Python's generator"
					}
				}
				equal++
			}
			if problem != "" {
				t.Errorf("pipeline %d: %s: %s of %v %dx%d %s%v %s seed %d", first+i, problem, in.Made, in.Mode, in.W, in.H, in.DType, in.Shape, in.Layout, in.Seed)
			}
		}
	}
	t.Logf("%d equal, %d refused by both, here alone: %v", equal, refused, here)
	if os.Getenv("TORCHHUB_TEST_PIPELINES") == "" {
		require.Greater(t, equal, 150)
	}
}
