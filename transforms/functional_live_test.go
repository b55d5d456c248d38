package transforms

import (
	"image"
	"strings"
	"testing"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	TF "github.com/torchhub/torchhub/transforms/functional"
)

// plain is a functional of nothing but the value.
func plain(name string, f func(Value) Value) trial {
	return func(g *gen) (string, func(Value) Value) { return call("TF."+name, x), f }
}

// factor is a functional of a factor from 0 to most, and at times below 0.
func factor(name string, most float64, f func(Value, float64) Value) trial {
	return func(g *gen) (string, func(Value) Value) {
		a := g.float(0, most)
		if g.IntN(20) == 0 {
			a = -a
		}
		return call("TF."+name, x, a), func(v Value) Value { return f(v, a) }
	}
}

// sizes draws a size of one or two numbers, at times none that can be.
func (g *gen) sizes(most int) (any, string) {
	one, two := g.int(1, most), g.int(1, most)
	if g.IntN(25) == 0 {
		one = g.int(-2, 0)
	}
	if g.IntN(2) == 0 {
		return one, py(one)
	}
	return []int{one, two}, py([]int{one, two})
}

// fill draws what to fill with, nil at times.
func (g *gen) filling(channels int) (Floats, verbatim) {
	switch g.IntN(4) {
	case 0:
		return nil, "None"
	case 1:
		a := g.float(0, 255)
		return a, verbatim(py(a))
	case 2:
		channels = g.int(1, 4)
	}
	fill := make([]float64, channels)
	for i := range fill {
		fill[i] = g.float(0, 255)
	}
	return fill, verbatim(py(fill))
}

// threshold draws what solarize compares with: an int does not do what a float of the same value does.
func (g *gen) threshold() torch.Number {
	if g.IntN(2) == 0 {
		return pick(g, g.int(-300, 255), g.int(0, 255), -1, 0, 1, 1<<g.int(8, 62)-g.int(0, 1))
	}
	if g.in.floating() {
		return g.float(-0.1, 1.1)
	}
	return g.float(-1, 270)
}

func (g *gen) how() Interpolation {
	if g.IntN(5) == 0 {
		return pick(g, Box, Hamming, Lanczos, NearestExact)
	}
	return pick(g, Nearest, Bilinear, Bicubic)
}

func (g *gen) center() ([]float64, verbatim) {
	if g.IntN(2) == 0 {
		return nil, "None"
	}
	_, h, w := g.in.dims()
	c := []float64{float64(g.int(0, w)), float64(g.int(-2, h+2))}
	return c, verbatim(py(c))
}

var functionals = []row{
	{name: "get_dimensions", trial: func(g *gen) (string, func(Value) Value) {
		return "torch.tensor(TF.get_dimensions(x))", func(v Value) Value {
			c, h, w := TF.GetDimensions(v)
			return v.WithTensor(torch.FromSlice([]int64{int64(c), int64(h), int64(w)}))
		}
	}},
	{name: "get_image_size", trial: func(g *gen) (string, func(Value) Value) {
		return "torch.tensor(TF.get_image_size(x))", func(v Value) Value {
			w, h := TF.GetImageSize(v)
			return v.WithTensor(torch.FromSlice([]int64{int64(w), int64(h)}))
		}
	}},
	{name: "get_image_num_channels", trial: func(g *gen) (string, func(Value) Value) {
		return "torch.tensor([TF.get_image_num_channels(x)])", func(v Value) Value {
			return v.WithTensor(torch.FromSlice([]int64{int64(TF.GetImageNumChannels(v))}))
		}
	}},
	{name: "to_tensor", kinds: "picture", trial: plain("to_tensor", func(v Value) Value { return v.WithTensor(TF.ToTensor(v.Image)) })},
	{name: "pil_to_tensor", kinds: "picture", trial: plain("pil_to_tensor", func(v Value) Value { return v.WithTensor(TF.PILToTensor(v.Image)) })},
	{name: "to_pil_image", kinds: "tensor", trial: func(g *gen) (string, func(Value) Value) {
		mode := pick(g, "", "", "", "L", "RGB", "YCbCr", "HSV", "RGBA", "CMYK", "RGBX", "LA", "F", "I", "I;16", "1", "P")
		scale := pick(g, 1.0, 1.0, 3.7, -20)
		expr := "x * " + py(scale)
		if !g.in.floating() {
			scale, expr = 1, "x"
		}
		arg := any(mode)
		if mode == "" {
			arg = nil
		}
		return call("TF.to_pil_image", verbatim(expr), arg), func(v Value) Value {
			y := v.Tensor
			if scale != 1 {
				y = y.MulScalar(scale)
			}
			return v.WithImage(TF.ToPILImage(y, Mode(mode)))
		}
	}, reason: integersAreNoChannels, refuse: noChannels},
	{name: "convert_image_dtype", kinds: "tensor", trial: func(g *gen) (string, func(Value) Value) {
		d := pick(g, torch.Uint8, torch.Int8, torch.Int16, torch.Int32, torch.Int64, torch.Float16, torch.Float32, torch.Float64, torch.BFloat16)
		return call("TF.convert_image_dtype", x, verbatim("torch."+d.String())), func(v Value) Value { return TF.ConvertImageDtype(v, d) }
	}},
	{name: "normalize", kinds: "tensor", trial: func(g *gen) (string, func(Value) Value) {
		c, _, _ := g.in.dims()
		n := pick(g, c, c, c, 1, 3)
		var m, s []float64
		for range n {
			m, s = append(m, g.float(-1, 1)), append(s, g.float(-1, 1))
		}
		inPlace := g.IntN(3) == 0
		return call("TF.normalize", x, m, s, inPlace), func(v Value) Value {
			return TF.Normalize(v, m, s, TF.NormalizeOptions{InPlace: inPlace})
		}
	}},
	{name: "resize", trial: func(g *gen) (string, func(Value) Value) {
		size, text := g.sizes(70)
		o := ResizeOptions{Interpolation: g.how(), NoAntialias: g.IntN(3) == 0}
		var longest any
		if g.IntN(4) == 0 {
			o.MaxSize = g.int(1, 90)
			longest = o.MaxSize
		}
		return call("TF.resize", x, verbatim(text), o.Interpolation, longest, !o.NoAntialias), func(v Value) Value { return TF.Resize(v, size, o) }
	}},
	{name: "pad", trial: func(g *gen) (string, func(Value) Value) {
		var p []int
		low := pick(g, 0, 0, -3)
		for range pick(g, 1, 2, 4) {
			p = append(p, g.int(low, 9))
		}
		var padding any = p
		if len(p) == 1 {
			padding = p[0]
		}
		c, _, _ := g.in.dims()
		o := PadOptions{PaddingMode: pick(g, "constant", "constant", "edge", "reflect", "symmetric")}
		fill, text := g.filling(c)
		o.Fill = fill
		return call("TF.pad", x, padding, text, o.PaddingMode), func(v Value) Value { return TF.Pad(v, padding, o) }
	}},
	{name: "crop", trial: func(g *gen) (string, func(Value) Value) {
		_, h, w := g.in.dims()
		t, l, ch, cw := g.int(-5, h+2), g.int(-5, w+2), g.int(0, h+9), g.int(0, w+9)
		return call("TF.crop", x, t, l, ch, cw), func(v Value) Value { return TF.Crop(v, t, l, ch, cw) }
	}},
	{name: "center_crop", trial: func(g *gen) (string, func(Value) Value) {
		size, text := g.sizes(50)
		return call("TF.center_crop", x, verbatim(text)), func(v Value) Value { return TF.CenterCrop(v, size) }
	}, reason: "a negative size is a mistake", refuse: func(_ *input, message string) bool { return strings.Contains(message, "want 0 pixels or more each") }},
	{name: "resized_crop", trial: func(g *gen) (string, func(Value) Value) {
		_, h, w := g.in.dims()
		t, l, ch, cw := g.int(-2, h-1), g.int(-2, w-1), g.int(1, h), g.int(1, w)
		size, text := g.sizes(40)
		o := ResizeOptions{Interpolation: g.how(), NoAntialias: g.IntN(3) == 0}
		return call("TF.resized_crop", x, t, l, ch, cw, verbatim(text), o.Interpolation, !o.NoAntialias), func(v Value) Value {
			return TF.ResizedCrop(v, t, l, ch, cw, size, o)
		}
	}},
	{name: "hflip", trial: plain("hflip", TF.HFlip)},
	{name: "vflip", trial: plain("vflip", TF.VFlip)},
	{name: "five_crop", trial: func(g *gen) (string, func(Value) Value) {
		_, h, w := g.in.dims()
		size := []int{g.int(1, h+1), g.int(1, w)}
		return call("TF.five_crop", x, size), func(v Value) Value { return TF.FiveCrop(v, size) }
	}},
	{name: "ten_crop", trial: func(g *gen) (string, func(Value) Value) {
		_, h, w := g.in.dims()
		size, vertical := g.int(1, min(h, w)+1), g.IntN(2) == 0
		return call("TF.ten_crop", x, size, vertical), func(v Value) Value { return TF.TenCrop(v, size, vertical) }
	}},
	{name: "adjust_brightness", trial: factor("adjust_brightness", 3, TF.AdjustBrightness)},
	{name: "adjust_contrast", trial: factor("adjust_contrast", 3, TF.AdjustContrast)},
	{name: "adjust_saturation", trial: factor("adjust_saturation", 3, TF.AdjustSaturation)},
	{name: "adjust_sharpness", trial: factor("adjust_sharpness", 3, TF.AdjustSharpness)},
	{name: "adjust_hue", trial: func(g *gen) (string, func(Value) Value) {
		a := g.float(-0.51, 0.51)
		return call("TF.adjust_hue", x, a), func(v Value) Value { return TF.AdjustHue(v, a) }
	}},
	{name: "adjust_gamma", trial: func(g *gen) (string, func(Value) Value) {
		gamma, gain := g.float(0, 3), pick(g, 1, 1, g.float(0, 2))
		return call("TF.adjust_gamma", x, gamma, gain), func(v Value) Value { return TF.AdjustGamma(v, gamma, gain) }
	}},
	{name: "rgb_to_grayscale", trial: func(g *gen) (string, func(Value) Value) {
		n := pick(g, 1, 3, 1, 3, 2)
		return call("TF.rgb_to_grayscale", x, n), func(v Value) Value { return TF.RGBToGrayscale(v, n) }
	}},
	{name: "to_grayscale", kinds: "picture", trial: func(g *gen) (string, func(Value) Value) {
		n := pick(g, 1, 3)
		return call("TF.to_grayscale", x, n), func(v Value) Value { return TF.ToGrayscale(v, n) }
	}},
	{name: "invert", trial: plain("invert", TF.Invert)},
	{name: "posterize", uint8: true, trial: func(g *gen) (string, func(Value) Value) {
		n := g.int(0, 9)
		return call("TF.posterize", x, n), func(v Value) Value { return TF.Posterize(v, n) }
	}},
	{name: "solarize", trial: func(g *gen) (string, func(Value) Value) {
		a := g.threshold()
		return call("TF.solarize", x, a), func(v Value) Value { return TF.Solarize(v, a) }
	}},
	{name: "autocontrast", trial: plain("autocontrast", TF.Autocontrast)},
	{name: "equalize", uint8: true, trial: plain("equalize", TF.Equalize)},
	{name: "rotate", trial: func(g *gen) (string, func(Value) Value) {
		angle := pick(g, g.float(-400, 400), g.float(-400, 400), 90, 180, 270, 0, 45)
		o := TF.RotateOptions{Interpolation: g.how(), Expand: g.IntN(2) == 0}
		c, _, _ := g.in.dims()
		var fill, center verbatim
		o.Fill, fill = g.filling(c)
		o.Center, center = g.center()
		return call("TF.rotate", x, angle, o.Interpolation, o.Expand, center, fill), func(v Value) Value { return TF.Rotate(v, angle, o) }
	}},
	{name: "affine", trial: func(g *gen) (string, func(Value) Value) {
		angle, scale := g.float(-200, 200), g.float(-0.05, 2)
		move := [2]float64{float64(g.int(-9, 9)), float64(g.int(-9, 9))}
		shear := [2]float64{g.float(-60, 60), pick(g, 0, g.float(-60, 60))}
		o := TF.AffineOptions{Interpolation: g.how()}
		c, _, _ := g.in.dims()
		var fill, center verbatim
		o.Fill, fill = g.filling(c)
		o.Center, center = g.center()
		return call("TF.affine", x, angle, []int{int(move[0]), int(move[1])}, scale, shear[:], o.Interpolation, fill, center), func(v Value) Value {
			return TF.Affine(v, angle, move, scale, shear, o)
		}
	}},
	{name: "perspective", trial: func(g *gen) (string, func(Value) Value) {
		_, h, w := g.in.dims()
		var start, end [4]image.Point
		text := func(ps [4]image.Point) verbatim {
			s := "["
			for _, p := range ps {
				s += py([]int{p.X, p.Y}) + ", "
			}
			return verbatim(s + "]")
		}
		for i, c := range [4]image.Point{{}, {X: w - 1}, {X: w - 1, Y: h - 1}, {Y: h - 1}} {
			start[i] = c
			end[i] = c.Add(image.Pt(g.int(-w/4, w/4), g.int(-h/4, h/4)))
		}
		o := TF.PerspectiveOptions{Interpolation: g.how()}
		c, _, _ := g.in.dims()
		var fill verbatim
		o.Fill, fill = g.filling(c)
		return call("TF.perspective", x, text(start), text(end), o.Interpolation, fill), func(v Value) Value {
			return TF.Perspective(v, start, end, o)
		}
	}},
	{name: "elastic_transform", trial: func(g *gen) (string, func(Value) Value) {
		_, h, w := g.in.dims()
		o := TF.ElasticOptions{Interpolation: pick(g, Nearest, Bilinear)}
		c, _, _ := g.in.dims()
		var fill verbatim
		o.Fill, fill = g.filling(c)
		if g.IntN(9) == 0 {
			h++
		}
		d := []int{1, h, w, 2}
		return call("TF.elastic_transform", x, verbatim("torch.sin(torch.arange("+py(2*h*w)+") * 0.37).reshape("+py(d)+") * 0.2"), o.Interpolation, fill), func(v Value) Value {
			return TF.ElasticTransform(v, torch.Arange(2*h*w).MulScalar(0.37).Sin().Reshape(d...).MulScalar(0.2), o)
		}
	}},
	{name: "gaussian_blur", trial: func(g *gen) (string, func(Value) Value) {
		k := []int{pick(g, 1, 3, 5, 7), pick(g, 1, 3, 3, 5, 2)}
		var sigma []float64
		for range g.IntN(3) {
			sigma = append(sigma, g.float(-0.05, 3))
		}
		return call("TF.gaussian_blur", x, k, sigma), func(v Value) Value { return TF.GaussianBlur(v, k, sigma...) }
	}},
	{name: "erase", kinds: "tensor", trial: func(g *gen) (string, func(Value) Value) {
		c, h, w := g.in.dims()
		i, j, eh, ew := g.int(0, h-1), g.int(0, w-1), g.int(1, h), g.int(1, w)
		inPlace := g.IntN(3) == 0
		n := pick(g, 1, c)
		return call("TF.erase", x, i, j, eh, ew, verbatim("torch.arange(1., "+py(n+1)+")[:, None, None] / 3"), inPlace), func(v Value) Value {
			return TF.Erase(v, i, j, eh, ew, torch.ArangeStep(1.0, float64(n+1), 1.0).DivScalar(3).View(n, 1, 1), TF.EraseOptions{InPlace: inPlace})
		}
	}},
}

func (in *input) floating() bool {
	d, err := torch.ParseDType(in.DType)
	return err == nil && d.IsFloatingPoint()
}

func TestFunctionalsLive(t *testing.T) {
	p := reference.Start(t, judge)
	n := cases("TORCHHUB_TRIALS", 60)
	for i := range functionals {
		r := &functionals[i]
		t.Run(r.name, func(t *testing.T) { compare(t, p, r, uint64(cases("TORCHHUB_SEED", 1)), n) })
	}
}
