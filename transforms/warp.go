package transforms

import (
	"fmt"
	"image"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/args"
)

// onTensor returns the fill that torchvision's random warps hand to the tensor
// backend, one number for each channel, and for a picture the fill itself.
func onTensor(v Value, fill []float64) []float64 {
	if v.Tensor == nil || len(fill) > 1 {
		return fill
	}
	x := 0.0
	if len(fill) == 1 {
		x = fill[0]
	}
	out := make([]float64, functional.GetImageNumChannels(v))
	for i := range out {
		out[i] = x
	}
	return out
}

// RandomRotationOptions are the options of [RandomRotation]. The zero value is torchvision's default.
type RandomRotationOptions = functional.RotateOptions

// RandomRotation turns a picture or a tensor [..., C, H, W] of 3 or 4 dimensions by a
// random angle: torchvision.transforms.RandomRotation(degrees, interpolation, expand, center,
// fill). The degrees are a number x, for -x to x, or a []float64 of the least and the greatest.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomRotation.html
func RandomRotation(degrees Floats, options ...RandomRotationOptions) Transform {
	const op = "RandomRotation"
	r := args.Around("transforms."+op, "degrees", degrees, 2)
	ascending(op, "degrees", r)
	o := torch.Only(options)
	interpolation(op, &o.Interpolation, Nearest)
	o.Center = point(op, o.Center)
	fill, color := floats(op, "Fill", o.Fill), filling(o.Fill)
	text := fmt.Sprintf("RandomRotation(degrees=%s, interpolation=%s, expand=%s", list(r), o.Interpolation, boolean(o.Expand))
	if o.Center != nil {
		text += ", center=" + tuple(o.Center)
	}
	return &step{text + ", fill=" + color + ")", func(v Value) Value {
		o := o
		o.Fill = onTensor(v, fill)
		return functional.Rotate(v, between(v, r), o)
	}}
}

// listOf returns a list as [Floats], nil for nil.
func listOf(numbers []float64) Floats {
	if numbers == nil {
		return nil
	}
	return numbers
}

// point returns a copy of the x and y of a point, or nil.
func point(op string, p []float64) []float64 {
	if p = floats(op, "Center", listOf(p)); p != nil && len(p) != 2 {
		refuse(op, "Center has %d numbers; want x and y", len(p))
	}
	return p
}

// ascending panics where a range ends before it begins.
func ascending(op, what string, r []float64) {
	for i := 0; i < len(r); i += 2 {
		if r[i] > r[i+1] {
			refuse(op, "%s is %v; want the least before the greatest", what, r)
		}
	}
}

// RandomAffineOptions are the options of [RandomAffine]. The zero value is torchvision's default.
type RandomAffineOptions struct {
	Translate     []float64     // the greatest translation in x and in y, as fractions, 0 to 1, of the width and the height; nil is none
	Scale         []float64     // the least and the greatest, above 0; nil is 1
	Shear         Floats        // a number x for -x to x along x, or the least and the greatest along x, or those along x and along y; nil is none
	Interpolation Interpolation // Nearest, the default, Bilinear, or Bicubic for pictures
	Fill          Floats        // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
	Center        []float64     // x and y of the center of rotation and shear, from the upper left corner; nil is the picture's center
}

// RandomAffine rotates, moves, scales and shears a picture or a tensor [..., C, H, W] of
// 3 or 4 dimensions at random, and keeps its center: torchvision.transforms.RandomAffine(degrees, translate,
// scale, shear, interpolation, fill, center). The degrees are a number x, for -x to
// x, or a []float64 of the least and the greatest.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomAffine.html
func RandomAffine(degrees Floats, options ...RandomAffineOptions) Transform {
	const op = "RandomAffine"
	r := args.Around("transforms."+op, "degrees", degrees, 2)
	ascending(op, "degrees", r)
	o := torch.Only(options)
	o.Translate = floats(op, "Translate", listOf(o.Translate))
	if o.Translate != nil && len(o.Translate) != 2 {
		refuse(op, "Translate has %d numbers; want those of x and y", len(o.Translate))
	}
	for _, t := range o.Translate {
		if t < 0 || t > 1 {
			refuse(op, "Translate is %v; want 0 to 1", o.Translate)
		}
	}
	o.Scale = interval(op, "Scale", o.Scale, nil)
	if o.Scale != nil && o.Scale[0] <= 0 {
		refuse(op, "Scale is %v; want more than 0", o.Scale)
	}
	ascending(op, "Scale", o.Scale)
	var shear []float64
	if o.Shear != nil {
		shear = args.Around("transforms."+op, "Shear", o.Shear, 2, 4)
		ascending(op, "Shear", shear)
	}
	interpolation(op, &o.Interpolation, Nearest)
	o.Center = point(op, o.Center)
	fill := floats(op, "Fill", o.Fill)
	text := "RandomAffine(degrees=" + list(r)
	for _, part := range []struct {
		name    string
		numbers []float64
		write   func([]float64) string
	}{{"translate", o.Translate, tuple}, {"scale", o.Scale, tuple}, {"shear", shear, list}} {
		if part.numbers != nil {
			text += ", " + part.name + "=" + part.write(part.numbers)
		}
	}
	if o.Interpolation != Nearest {
		text += ", interpolation=" + string(o.Interpolation)
	}
	if c := filling(o.Fill); c != "0" {
		text += ", fill=" + c
	}
	if o.Center != nil {
		text += ", center=" + tuple(o.Center)
	}
	return &step{text + ")", func(v Value) Value {
		_, h, w := functional.GetDimensions(v)
		angle, scale := between(v, r), 1.0
		var move, angles [2]float64
		if o.Translate != nil {
			for i, side := range []int{w, h} {
				most := o.Translate[i] * float64(side)
				move[i] = math.RoundToEven(uniform(v, -most, most))
			}
		}
		if o.Scale != nil {
			scale = between(v, o.Scale)
		}
		for i := range len(shear) / 2 {
			angles[i] = between(v, shear[2*i:])
		}
		return functional.Affine(v, angle, move, scale, angles, functional.AffineOptions{
			Interpolation: o.Interpolation, Fill: onTensor(v, fill), Center: o.Center})
	}}
}

// RandomPerspectiveOptions are the options of [RandomPerspective]. The zero value is torchvision's default.
type RandomPerspectiveOptions struct {
	DistortionScale *float64      // how far the corners move, 0 to 1; nil is 0.5
	P               *float64      // the probability; nil is 0.5
	Interpolation   Interpolation // Nearest, Bilinear, the default, or Bicubic for pictures
	Fill            Floats        // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
}

// RandomPerspective moves the corners of a picture or a tensor [..., C, H, W] of 3 or
// 4 dimensions inwards at random: torchvision.transforms.RandomPerspective(distortion_scale, p,
// interpolation, fill).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomPerspective.html
func RandomPerspective(options ...RandomPerspectiveOptions) Transform {
	const op = "RandomPerspective"
	o := torch.Only(options)
	p, distortion := probability(op, o.P, 0.5), 0.5
	if o.DistortionScale != nil {
		distortion = *o.DistortionScale
	}
	if !(distortion >= 0) || math.IsInf(distortion, 0) {
		refuse(op, "DistortionScale is %v; want 0 to 1", distortion)
	}
	fill := floats(op, "Fill", o.Fill)
	how := functional.PerspectiveOptions{Interpolation: o.Interpolation, Fill: fill}
	interpolation(op, &how.Interpolation, Bilinear)
	return &step{"RandomPerspective(p=" + float(p) + ")", func(v Value) Value {
		_, h, w := functional.GetDimensions(v)
		if !happens(v, p) {
			return v
		}
		dx, dy := int(distortion*float64(w/2)), int(distortion*float64(h/2))
		left := func() int { return randint(v, 0, dx+1) }
		right := func() int { return randint(v, w-dx-1, w) }
		top := func() int { return randint(v, 0, dy+1) }
		bottom := func() int { return randint(v, h-dy-1, h) }
		var end [4]image.Point
		for i, corner := range [4][2]func() int{{left, top}, {right, top}, {right, bottom}, {left, bottom}} {
			end[i].X = corner[0]()
			end[i].Y = corner[1]()
		}
		start := [4]image.Point{{}, {X: w - 1}, {X: w - 1, Y: h - 1}, {Y: h - 1}}
		how := how
		how.Fill = onTensor(v, fill)
		return functional.Perspective(v, start, end, how)
	}}
}

// ElasticTransformOptions are the options of [ElasticTransform]. The zero value is torchvision's default.
type ElasticTransformOptions struct {
	Alpha         Floats        // how far pixels move: a float64, or a []float64 for x and y; as in Python not an int; nil is 50
	Sigma         Floats        // how smoothly they move, likewise; nil is 5
	Interpolation Interpolation // Nearest or Bilinear, the default
	Fill          Floats        // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
}

// ElasticTransform moves every pixel of a picture or a tensor [..., C, H, W] of 3 or 4 dimensions
// by a smooth random displacement: torchvision.transforms.ElasticTransform(alpha, sigma,
// interpolation, fill).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ElasticTransform.html
func ElasticTransform(options ...ElasticTransformOptions) Transform {
	const op = "ElasticTransform"
	o := torch.Only(options)
	alpha, sigma := floatPair(op, "Alpha", o.Alpha, 50), floatPair(op, "Sigma", o.Sigma, 5)
	fill := floats(op, "Fill", o.Fill)
	if fill == nil {
		fill = []float64{0}
	}
	how := functional.ElasticOptions{Interpolation: o.Interpolation, Fill: fill}
	interpolation(op, &how.Interpolation, Bilinear)
	text := fmt.Sprintf("ElasticTransform(alpha=%s, sigma=%s, interpolation=%s, fill=%s)", list(alpha), list(sigma), enum(how.Interpolation), list(fill))
	return &step{text, func(v Value) Value {
		_, h, w := functional.GetDimensions(v)
		move := func(i, side int) *torch.Tensor {
			d := uniforms(v, 1, 1, h, w).MulScalar(2).SubScalar(1)
			if sigma[i] > 0 {
				k := int(8*sigma[i] + 1)
				if k%2 == 0 {
					k++
				}
				d = functional.GaussianBlur(Value{Tensor: d}, k, sigma...).Tensor
			}
			return d.MulScalar(alpha[i]).DivScalar(side)
		}
		var out Value
		torch.Scope(func() {
			dx := move(0, w)
			dy := move(1, h)
			out = functional.ElasticTransform(v, torch.Cat([]*torch.Tensor{dx, dy}, 1).Permute(0, 2, 3, 1), how)
			torch.Keep(out.Tensor)
		})
		return out
	}}
}

// floatPair returns a float64 twice, or two. As in Python an int and a list of one are refused.
func floatPair(op, what string, f Floats, standard float64) []float64 {
	x := floats(op, what, f)
	switch f.(type) {
	case nil:
		return []float64{standard, standard}
	case float64:
		return []float64{x[0], x[0]}
	case []float64:
		if len(x) == 2 {
			return x
		}
	}
	refuse(op, "%s is %v, of type %T; want a float64, or a []float64 of those of x and y", what, f, f)
	return nil
}

// enum writes an interpolation as the member of Python's enum.
func enum(how Interpolation) string {
	for name, member := range map[Interpolation]string{Nearest: "NEAREST", NearestExact: "NEAREST_EXACT", Bilinear: "BILINEAR",
		Bicubic: "BICUBIC", Box: "BOX", Hamming: "HAMMING", Lanczos: "LANCZOS"} {
		if name == how {
			return "InterpolationMode." + member
		}
	}
	return string(how)
}

// GaussianBlurOptions are the options of [GaussianBlur]. The zero value is torchvision's default.
type GaussianBlurOptions struct {
	Sigma Floats // the standard deviation, above 0, or a []float64 of the least and the greatest; nil is 0.1 to 2
}

// GaussianBlur blurs a picture or a tensor [C, H, W] or [N, C, H, W] with a random standard deviation:
// torchvision.transforms.GaussianBlur(kernel_size, sigma). The kernel's size is an odd int or a []int
// of x and y, or of one for both. See [functional.GaussianBlur].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.GaussianBlur.html
func GaussianBlur(kernelSize torch.Ints, options ...GaussianBlurOptions) Transform {
	const op = "GaussianBlur"
	if list, ok := kernelSize.([]int); ok && len(list) == 1 {
		kernelSize = list[0]
	}
	k := args.Kernel("transforms."+op, kernelSize)
	sigma := floats(op, "Sigma", torch.Only(options).Sigma)
	switch _, list := torch.Only(options).Sigma.([]float64); {
	case sigma == nil:
		sigma = []float64{0.1, 2}
	case len(sigma) == 1 && !list:
		sigma = []float64{sigma[0], sigma[0]}
	}
	if len(sigma) != 2 || !(0 < sigma[0] && sigma[0] <= sigma[1]) {
		refuse(op, "Sigma is %v; want a number above 0, or the least and the greatest", sigma)
	}
	return &step{fmt.Sprintf("GaussianBlur(kernel_size=(%d, %d), sigma=%s)", k[0], k[1], tuple(sigma)), func(v Value) Value {
		return functional.GaussianBlur(v, k[:], between(v, sigma))
	}}
}
