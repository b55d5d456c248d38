package v2

import (
	"cmp"
	"math"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	F "github.com/torchhub/torchhub/transforms/v2/functional"
)

// RandomHorizontalFlip mirrors left and right with probability p: RandomHorizontalFlip(p). p is 0.5 where none is given.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomHorizontalFlip.html
func RandomHorizontalFlip(p ...float64) Transform {
	const op = "RandomHorizontalFlip"
	chance := probability(op, p, 0.5)
	return sometimes(chance, "HorizontalFlip", repr(op, "p", chance), F.HorizontalFlip[any])
}

// RandomVerticalFlip mirrors top and bottom with probability p: RandomVerticalFlip(p). p is 0.5 where none is given.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomVerticalFlip.html
func RandomVerticalFlip(p ...float64) Transform {
	const op = "RandomVerticalFlip"
	chance := probability(op, p, 0.5)
	return sometimes(chance, "VerticalFlip", repr(op, "p", chance), F.VerticalFlip[any])
}

// ResizeOptions say more about the transforms that resize.
type ResizeOptions struct {
	Interpolation Interpolation // "" is Bilinear
	MaxSize       int           // for [Resize] and [RandomShortestSize]: the limit of the long side; 0 is none
	NoAntialias   bool          // shrink images by Bilinear and Bicubic without it; pictures always have it
}

func (o ResizeOptions) check(op string, limited bool) ResizeOptions {
	o.Interpolation = checkInterpolation(op, o.Interpolation, F.Bilinear)
	if o.MaxSize < 0 || o.MaxSize > 0 && !limited {
		refuse(op, "MaxSize is %d; want 0 here", o.MaxSize)
	}
	return o
}

func (o ResizeOptions) kernel() F.ResizeOptions {
	return F.ResizeOptions{Interpolation: o.Interpolation, MaxSize: o.MaxSize, NoAntialias: o.NoAntialias}
}

// Resize scales to a size: the height and width, one number for the short side, or
// nil, where MaxSize is how long the long side becomes: Resize(size, interpolation, max_size, antialias).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Resize.html
func Resize(size torch.Ints, options ...ResizeOptions) Transform {
	const op = "Resize"
	o := torch.Only(options).check(op, true)
	var s []int
	if size != nil {
		s = listOf(op, "size", size)
	}
	switch {
	case size == nil && o.MaxSize == 0:
		refuse(op, "there is neither a size nor a MaxSize")
	case size != nil && len(s) != 1 && len(s) != 2:
		refuse(op, "the size is %v; want one or two numbers", s)
	case len(s) == 2 && o.MaxSize != 0:
		refuse(op, "MaxSize is %d, but both sides are given already", o.MaxSize)
	case len(s) == 1 && o.MaxSize != 0 && o.MaxSize <= s[0]:
		refuse(op, "MaxSize is %d; want more than the size of the short side, %d", o.MaxSize, s[0])
	}
	for _, n := range s {
		if n < 1 {
			refuse(op, "the size is %v; want 1 or more", s)
		}
	}
	var shown any
	if s != nil {
		shown = s
	}
	name := repr(op, "size", shown, "interpolation", o.Interpolation, "max_size", orNil(o.MaxSize), "antialias", !o.NoAntialias)
	return always(op, name, func(v any) any { return F.Resize(v, s, o.kernel()) })
}

// CenterCrop keeps the center, of a height and width or of one number for both;
// what is smaller is padded with 0: CenterCrop(size).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.CenterCrop.html
func CenterCrop(size torch.Ints) Transform {
	s := sizeOf("CenterCrop", size)
	return always("CenterCrop", repr("CenterCrop", "size", s), func(v any) any { return F.CenterCrop(v, s[:]) })
}

// A cropBox is a part of an image.
type cropBox struct{ top, left, height, width int }

// RandomResizedCropOptions say more about [RandomResizedCrop].
type RandomResizedCropOptions struct {
	Scale         []float64     // least and greatest part of the area; nil is 0.08 to 1
	Ratio         []float64     // least and greatest width by height; nil is 3/4 to 4/3
	Interpolation Interpolation // "" is Bilinear
	NoAntialias   bool          // shrink images by Bilinear and Bicubic without it
}

// RandomResizedCrop crops a random part and resizes it: RandomResizedCrop(size, scale, ratio, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomResizedCrop.html
func RandomResizedCrop(size torch.Ints, options ...RandomResizedCropOptions) Transform {
	const op = "RandomResizedCrop"
	o := torch.Only(options)
	s := sizeOf(op, size)
	scale := rangeOf(op, "scale", o.Scale, [2]float64{0.08, 1}, 0, math.MaxFloat64)
	ratio := rangeOf(op, "ratio", o.Ratio, [2]float64{3.0 / 4.0, 4.0 / 3.0}, math.SmallestNonzeroFloat64, math.MaxFloat64)
	r := ResizeOptions{Interpolation: o.Interpolation, NoAntialias: o.NoAntialias}.check(op, false)
	name := repr(op, "size", s, "scale", scale, "ratio", ratio, "interpolation", r.Interpolation, "antialias", !r.NoAntialias)
	return &step[cropBox]{name: name, p: -1, hooks: Hooks[cropBox]{
		Params: func(flat []any, g *torch.Generator) cropBox {
			h, w := QuerySize(flat)
			return randomArea(g, h, w, scale, ratio)
		},
		Transform: func(v any, b cropBox) any {
			return through("ResizedCrop", v, func(v any) any { return F.ResizedCrop(v, b.top, b.left, b.height, b.width, s[:], r.kernel()) })
		},
	}}
}

func randomArea(g *torch.Generator, height, width int, scale, ratio [2]float64) cropBox {
	area := float64(height * width)
	for range 10 {
		target := area * uniform(g, scale[0], scale[1])
		aspect := expUniform(g, ratio)
		w := int(math.RoundToEven(math.Sqrt(target * aspect)))
		h := int(math.RoundToEven(math.Sqrt(target / aspect)))
		if 0 < w && w <= width && 0 < h && h <= height {
			top := randint(g, 0, height-h+1)
			return cropBox{top, randint(g, 0, width-w+1), h, w}
		}
	}
	if height == 0 {
		refuse("RandomResizedCrop", "the image has no height, so its aspect is unknown")
	}
	w, h := width, height
	switch in := float64(width) / float64(height); {
	case in < ratio[0]:
		h = int(math.RoundToEven(float64(w) / ratio[0]))
	case in > ratio[1]:
		w = int(math.RoundToEven(float64(h) * ratio[1]))
	}
	return cropBox{floorHalf(height - h), floorHalf(width - w), h, w}
}

// floorHalf is Python's n // 2.
func floorHalf(n int) int { return n >> 1 }

// FiveCrop turns an image, video or picture into five: its four corners and its
// center, of a size: FiveCrop(size). As in Python the result is several values in
// the place of one, so a sample needs a field of any or a slice for it. Boxes and masks are refused.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.FiveCrop.html
func FiveCrop(size torch.Ints) Transform {
	s := sizeOf("FiveCrop", size)
	return crops("FiveCrop", repr("FiveCrop", "size", s), func(v any) []any { return F.FiveCrop(v, s[:]) })
}

// TenCropOptions say more about [TenCrop].
type TenCropOptions struct {
	VerticalFlip bool // flip top to bottom, not left to right
}

// TenCrop turns an image, video or picture into ten: those of [FiveCrop] and those
// of it flipped, left to right or, for vertical, top to bottom: TenCrop(size, vertical_flip=vertical).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.TenCrop.html
func TenCrop(size torch.Ints, options ...TenCropOptions) Transform {
	vertical := torch.Only(options).VerticalFlip
	s := sizeOf("TenCrop", size)
	return crops("TenCrop", repr("TenCrop", "size", s, "vertical_flip", vertical), func(v any) []any { return F.TenCrop(v, s[:], vertical) })
}

func crops(class, name string, f func(any) []any) Transform {
	return &step[struct{}]{name: name, p: -1, hooks: Hooks[struct{}]{
		Check: func(flat []any) {
			if HasAny(flat, Is[BoundingBoxes], Is[Mask]) {
				refuse(class, "boxes and masks are not supported by %s", class)
			}
		},
		Transform: func(v any, _ struct{}) any {
			return through(class, v, func(v any) any { return several(f(v)) })
		},
	}}
}

// PadOptions say more about [Pad].
type PadOptions struct {
	Fill        Fill          // nil is 0
	FillOf      map[Kind]Fill // for some kinds of values, in place of Fill
	PaddingMode PaddingMode   // "" is Constant
}

// Pad adds pixels around: padding is one number for all sides, two for left and
// right and for top and bottom, or four for left, top, right and bottom: Pad(padding, fill, padding_mode).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Pad.html
func Pad(padding torch.Ints, options ...PadOptions) Transform {
	const op = "Pad"
	o := torch.Only(options)
	p := checkPadding(op, padding)
	mode := checkMode(op, o.PaddingMode)
	fill := newFills(o.Fill, o.FillOf, zeroFill)
	var shown any = p
	if n, ok := padding.(int); ok {
		shown = n
	}
	name := repr(op, "padding", shown, "fill", fill.repr(), "padding_mode", mode)
	return always(op, name, func(v any) any { return F.Pad(v, p, F.PadOptions{Fill: fill.get(v), PaddingMode: mode}) })
}

// RandomZoomOutOptions say more about [RandomZoomOut].
type RandomZoomOutOptions struct {
	Fill      Fill          // nil is 0
	FillOf    map[Kind]Fill // for some kinds of values, in place of Fill
	SideRange []float64     // how many times larger the canvas becomes, at least and at most; nil is 1 to 4
	P         *float64      // the probability; nil is 0.5
}

// RandomZoomOut puts the image at a random place of a larger canvas, with a
// probability: RandomZoomOut(fill, side_range, p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomZoomOut.html
func RandomZoomOut(options ...RandomZoomOutOptions) Transform {
	const op = "RandomZoomOut"
	o := torch.Only(options)
	p := orP(op, o.P, 0.5)
	side := rangeOf(op, "side range", o.SideRange, [2]float64{1, 4}, 1, math.MaxFloat64)
	fill := newFills(o.Fill, o.FillOf, zeroFill)
	name := repr(op, "p", p, "fill", fill.repr(), "side_range", side)
	return &step[[]int]{name: name, p: p, hooks: Hooks[[]int]{
		Params: func(flat []any, g *torch.Generator) []int {
			h, w := QuerySize(flat)
			// In float32, as Python computes with the tensor it draws.
			r := float32(uniform32(g)*float32(side[1]-side[0])) + float32(side[0])
			cw, ch := int(float32(w)*r), int(float32(h)*r)
			at := rand(g, 2)
			left, top := int(float32(cw-w)*at[0]), int(float32(ch-h)*at[1])
			return []int{left, top, cw - (left + w), ch - (top + h)}
		},
		Transform: func(v any, padding []int) any {
			return through("Pad", v, func(v any) any { return F.Pad(v, padding, F.PadOptions{Fill: fill.get(v)}) })
		},
	}}
}

// RandomRotationOptions say more about [RandomRotation].
type RandomRotationOptions struct {
	Interpolation Interpolation // "" is Nearest
	Expand        bool          // grow so that all of it is seen
	Center        []float64     // x and y of the point that stays; nil is the center
	Fill          Fill          // nil is 0
	FillOf        map[Kind]Fill // for some kinds of values, in place of Fill
}

// RandomRotation turns by a random angle, of degrees from the first to the second
// number, or from -d to d of one: RandomRotation(degrees, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomRotation.html
func RandomRotation(degrees Floats, options ...RandomRotationOptions) Transform {
	const op = "RandomRotation"
	o := torch.Only(options)
	d := angles(op, "angle", degrees, 2)
	how := checkInterpolation(op, o.Interpolation, F.Nearest)
	center := checkCenter(op, o.Center)
	fill := newFills(o.Fill, o.FillOf, zeroFill)
	name := repr(op, "degrees", d, "interpolation", how, "expand", o.Expand, "fill", fill.repr(), "center", listOrNil(center))
	return &step[float64]{name: name, p: -1, hooks: Hooks[float64]{
		Params: func(_ []any, g *torch.Generator) float64 { return uniform(g, d[0], d[1]) },
		Transform: func(v any, angle float64) any {
			return through("Rotate", v, func(v any) any {
				return F.Rotate(v, angle, F.RotateOptions{Interpolation: how, Expand: o.Expand, Center: center, Fill: fill.get(v)})
			})
		},
	}}
}

func listOrNil(v []float64) any {
	if v == nil {
		return nil
	}
	return v
}

// RandomAffineOptions say more about [RandomAffine].
type RandomAffineOptions struct {
	Translate     []float64     // the largest parts of the width and height that it moves by, 0 to 1; nil is not at all
	Scale         []float64     // least and largest scale; nil is 1
	Shear         Floats        // degrees along x, as one number s for -s to s or as two, or four for x and y; nil is none
	Interpolation Interpolation // "" is Nearest
	Fill          Fill          // nil is 0
	FillOf        map[Kind]Fill // for some kinds of values, in place of Fill
	Center        []float64     // x and y of the point that stays; nil is the center
}

// RandomAffine turns, moves, scales and shears at random, by an angle as in
// [RandomRotation]: RandomAffine(degrees, translate, scale, shear, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAffine.html
func RandomAffine(degrees Floats, options ...RandomAffineOptions) Transform {
	const op = "RandomAffine"
	o := torch.Only(options)
	d := angles(op, "angle", degrees, 2)
	if n := len(o.Translate); o.Translate != nil && n != 2 {
		refuse(op, "Translate has %d numbers; want 2", n)
	}
	for _, t := range o.Translate {
		if !(0 <= t && t <= 1) {
			refuse(op, "Translate is %v; want numbers from 0 to 1", o.Translate)
		}
	}
	if n := len(o.Scale); o.Scale != nil && n != 2 {
		refuse(op, "Scale has %d numbers; want 2", n)
	}
	for _, s := range o.Scale {
		if !(s > 0) || math.IsInf(s, 0) {
			refuse(op, "Scale is %v; want numbers above 0", o.Scale)
		}
	}
	var shear []float64
	if o.Shear != nil {
		shear = angles(op, "shear", o.Shear, 2, 4)
	}
	how := checkInterpolation(op, o.Interpolation, F.Nearest)
	center := checkCenter(op, o.Center)
	fill := newFills(o.Fill, o.FillOf, zeroFill)
	pair := func(v []float64) any {
		if v == nil {
			return nil
		}
		return [2]float64(v)
	}
	name := repr(op, "degrees", d, "translate", pair(o.Translate), "scale", pair(o.Scale), "shear", listOrNil(shear),
		"interpolation", how, "fill", fill.repr(), "center", listOrNil(center))
	return &step[F.AffineMap]{name: name, p: -1, hooks: Hooks[F.AffineMap]{
		Params: func(flat []any, g *torch.Generator) F.AffineMap {
			h, w := QuerySize(flat)
			m := F.AffineMap{Angle: uniform(g, d[0], d[1]), Scale: 1}
			if o.Translate != nil {
				for i, side := range []int{w, h} {
					limit := o.Translate[i] * float64(side)
					m.Translate[i] = math.RoundToEven(uniform(g, -limit, limit))
				}
			}
			if o.Scale != nil {
				m.Scale = uniform(g, o.Scale[0], o.Scale[1])
			}
			for i := range len(shear) / 2 {
				m.Shear[i] = uniform(g, shear[2*i], shear[2*i+1])
			}
			return m
		},
		Transform: func(v any, m F.AffineMap) any {
			return through("Affine", v, func(v any) any {
				return F.Affine(v, m, F.AffineOptions{Interpolation: how, Fill: fill.get(v), Center: center})
			})
		},
	}}
}

// RandomCropOptions say more about [RandomCrop].
type RandomCropOptions struct {
	Padding     torch.Ints    // added before cropping, as for [Pad]; nil is none
	PadIfNeeded bool          // pad what is smaller than the crop, on both sides
	Fill        Fill          // nil is 0
	FillOf      map[Kind]Fill // for some kinds of values, in place of Fill
	PaddingMode PaddingMode   // "" is Constant
}

// RandomCrop keeps a random part of a size: RandomCrop(size, padding, pad_if_needed, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomCrop.html
func RandomCrop(size torch.Ints, options ...RandomCropOptions) Transform {
	const op = "RandomCrop"
	o := torch.Only(options)
	s := sizeOf(op, size)
	mode := checkMode(op, o.PaddingMode)
	fill := newFills(o.Fill, o.FillOf, zeroFill)
	var pads [4]int // left, top, right, bottom
	var shown any
	if o.Padding != nil {
		switch p := checkPadding(op, o.Padding); len(p) {
		case 1:
			pads = [4]int{p[0], p[0], p[0], p[0]}
		case 2:
			pads = [4]int{p[0], p[1], p[0], p[1]}
		case 4:
			pads = [4]int(p)
		}
		shown = []int{pads[0], pads[2], pads[1], pads[3]} // in Python's own order
	}
	type params struct {
		crop    bool
		box     cropBox
		padding []int
	}
	name := repr(op, "size", s, "padding", shown, "pad_if_needed", o.PadIfNeeded, "fill", fill.repr(), "padding_mode", mode)
	return &step[params]{name: name, p: -1, hooks: Hooks[params]{
		Params: func(flat []any, g *torch.Generator) params {
			h, w := QuerySize(flat)
			pad := pads
			h, w = h+pad[1]+pad[3], w+pad[0]+pad[2]
			if d := s[0] - h; o.PadIfNeeded && d > 0 {
				pad[1], pad[3], h = pad[1]+d, pad[3]+d, h+2*d
			}
			if d := s[1] - w; o.PadIfNeeded && d > 0 {
				pad[0], pad[2], w = pad[0]+d, pad[2]+d, w+2*d
			}
			if h < s[0] || w < s[1] {
				refuse(op, "the crop of %d×%d is larger than the sample of %d×%d, padding included; see PadIfNeeded", s[0], s[1], h, w)
			}
			p := params{box: cropBox{height: s[0], width: s[1]}}
			if pad != [4]int{} {
				p.padding = pad[:]
			}
			if h > s[0] {
				p.crop, p.box.top = true, randint(g, 0, h-s[0]+1)
			}
			if w > s[1] {
				p.crop, p.box.left = true, randint(g, 0, w-s[1]+1)
			}
			return p
		},
		Transform: func(v any, p params) any {
			if p.padding != nil {
				v = through("Pad", v, func(v any) any { return F.Pad(v, p.padding, F.PadOptions{Fill: fill.get(v), PaddingMode: mode}) })
			}
			if p.crop {
				b := p.box
				v = through("Crop", v, func(v any) any { return F.Crop(v, b.top, b.left, b.height, b.width) })
			}
			return v
		},
	}}
}

// RandomPerspectiveOptions say more about [RandomPerspective].
type RandomPerspectiveOptions struct {
	DistortionScale *float64      // how far the corners move, 0 to 1; nil is 0.5
	P               *float64      // the probability; nil is 0.5
	Interpolation   Interpolation // "" is Bilinear
	Fill            Fill          // nil is 0
	FillOf          map[Kind]Fill // for some kinds of values, in place of Fill
}

// RandomPerspective looks at the image from a random side, with a probability:
// RandomPerspective(distortion_scale, p, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomPerspective.html
func RandomPerspective(options ...RandomPerspectiveOptions) Transform {
	const op = "RandomPerspective"
	o := torch.Only(options)
	p, distortionScale := orP(op, o.P, 0.5), 0.5
	if o.DistortionScale != nil {
		distortionScale = *o.DistortionScale
	}
	if !(0 <= distortionScale && distortionScale <= 1) {
		refuse(op, "the distortion scale is %v; want 0 to 1", distortionScale)
	}
	how := checkInterpolation(op, o.Interpolation, F.Bilinear)
	fill := newFills(o.Fill, o.FillOf, zeroFill)
	name := repr(op, "p", p, "distortion_scale", distortionScale, "interpolation", how, "fill", fill.repr())
	return &step[[]float64]{name: name, p: p, hooks: Hooks[[]float64]{
		Params: func(flat []any, g *torch.Generator) []float64 {
			h, w := QuerySize(flat)
			bh, bw := int(distortionScale*float64(h/2))+1, int(distortionScale*float64(w/2))+1
			point := func(x0, x1, y0, y1 int) [2]int {
				x := randint(g, x0, x1)
				return [2]int{x, randint(g, y0, y1)}
			}
			var end [][2]int
			end = append(end, point(0, bw, 0, bh))
			end = append(end, point(w-bw, w, 0, bh))
			end = append(end, point(w-bw, w, h-bh, h))
			end = append(end, point(0, bw, h-bh, h))
			return F.PerspectiveCoefficients([][2]int{{0, 0}, {w - 1, 0}, {w - 1, h - 1}, {0, h - 1}}, end)
		},
		Transform: func(v any, c []float64) any {
			return through("Perspective", v, func(v any) any {
				return F.Perspective(v, nil, nil, F.PerspectiveOptions{Interpolation: how, Fill: fill.get(v), Coefficients: c})
			})
		},
	}}
}

// ElasticTransformOptions say more about [ElasticTransform].
type ElasticTransformOptions struct {
	Alpha         Floats        // how far pixels move along x and y, or one number for both; nil is 50
	Sigma         Floats        // how smoothly; nil is 5
	Interpolation Interpolation // "" is Bilinear
	Fill          Fill          // nil is 0
	FillOf        map[Kind]Fill // for some kinds of values, in place of Fill
}

// ElasticTransform moves pixels by smooth random displacements: ElasticTransform(alpha, sigma, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ElasticTransform.html
func ElasticTransform(options ...ElasticTransformOptions) Transform {
	const op = "ElasticTransform"
	o := torch.Only(options)
	alpha, sigma := pairOf(op, "Alpha", o.Alpha, 50), pairOf(op, "Sigma", o.Sigma, 5)
	how := checkInterpolation(op, o.Interpolation, F.Bilinear)
	fill := newFills(o.Fill, o.FillOf, zeroFill)
	name := repr(op, "alpha", alpha[:], "sigma", sigma[:], "interpolation", how, "fill", fill.repr())
	return &step[*torch.Tensor]{name: name, p: -1, hooks: Hooks[*torch.Tensor]{
		Params: func(flat []any, g *torch.Generator) *torch.Tensor {
			h, w := QuerySize(flat)
			axis := func(i, size int) *torch.Tensor {
				d := torch.Options{DType: torch.Float32}.Empty(1, 1, h, w).UniformInPlace(0, 1, torch.RandomOptions{Generator: g}).MulScalar(2).SubScalar(1)
				if sigma[i] > 0 {
					k := int(8*sigma[i]+1) | 1
					d = F.GaussianBlurImage(d, k, sigma[:])
				}
				return d.MulScalar(alpha[i]).DivScalar(size)
			}
			var out *torch.Tensor
			torch.Scope(func() {
				dx := axis(0, w)
				out = torch.Keep(torch.Cat([]*torch.Tensor{dx, axis(1, h)}, 1).Permute(0, 2, 3, 1))
			})
			return out
		},
		Transform: func(v any, d *torch.Tensor) any {
			return through("Elastic", v, func(v any) any { return F.Elastic(v, d, F.ElasticOptions{Interpolation: how, Fill: fill.get(v)}) })
		},
	}}
}

// pairOf returns one or two numbers as two, and a default where there are none.
func pairOf(op, name string, f Floats, standard float64) [2]float64 {
	v := floatsOf(op, name, f)
	if v == nil {
		return [2]float64{standard, standard}
	}
	switch len(v) {
	case 1:
		return [2]float64{v[0], v[0]}
	case 2:
		return [2]float64(v)
	}
	refuse(op, "%s has %d numbers; want one or two", name, len(v))
	return [2]float64{}
}

// RandomIoUCropOptions say more about [RandomIoUCrop].
type RandomIoUCropOptions struct {
	MinScale, MaxScale float64   // of the sides; zero is 0.3 and 1
	MinAspectRatio     *float64  // width by height; nil is 0.5
	MaxAspectRatio     float64   // zero is 2
	SamplerOptions     []float64 // the least overlaps that are drawn from, 1 and more for no crop; nil is 0, 0.1, 0.3, 0.5, 0.7, 0.9, 1
	Trials             *int      // for one overlap; nil is 40
}

// RandomIoUCrop crops so that some box overlaps the crop by at least a random
// part; boxes whose centers are outside become 0, which [SanitizeBoundingBoxes]
// removes: RandomIoUCrop(min_scale, …). The sample must hold boxes and an image or picture. Rotated boxes
// cannot be cropped; they pass where the draws choose no crop.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomIoUCrop.html
func RandomIoUCrop(options ...RandomIoUCropOptions) Transform {
	const op = "RandomIoUCrop"
	s := newIoUSampler(op, torch.Only(options))
	name := repr(op, "min_scale", s.scale[0], "max_scale", s.scale[1], "min_aspect_ratio", s.aspect[0],
		"max_aspect_ratio", s.aspect[1], "options", s.overlaps, "trials", s.trials)
	return &step[iouCrop]{name: name, p: -1, hooks: Hooks[iouCrop]{
		Check: func(flat []any) {
			if !HasAll(flat, Is[BoundingBoxes]) || !HasAny(flat, IsPicture, Is[Image], IsPureTensor) {
				refuse(op, "the sample must hold boxes and an image, picture or tensor")
			}
		},
		Params: func(flat []any, g *torch.Generator) iouCrop {
			h, w := QuerySize(flat)
			return s.draw(g, h, w, GetBoundingBoxes(flat))
		},
		Transform: func(v any, c iouCrop) any {
			if c.within == nil {
				return v
			}
			v = through("Crop", v, func(v any) any { return F.Crop(v, c.top, c.left, c.height, c.width) })
			if b, ok := v.(BoundingBoxes); ok {
				return b.With(b.Clone().SetIndex(0, c.within.BitwiseNot()))
			}
			return v
		},
	}}
}

// An iouSampler draws the crops of [RandomIoUCrop].
type iouSampler struct {
	op            string
	scale, aspect [2]float64
	overlaps      []float64
	trials        int
}

// An iouCrop is a crop, and which boxes have their center in it; nil is no crop.
type iouCrop struct {
	cropBox
	within *torch.Tensor
}

// newIoUSampler checks the options and replaces those that are missing by the defaults.
func newIoUSampler(op string, o RandomIoUCropOptions) *iouSampler {
	s := &iouSampler{
		op:       op,
		scale:    [2]float64{cmp.Or(o.MinScale, 0.3), cmp.Or(o.MaxScale, 1)},
		aspect:   [2]float64{0.5, cmp.Or(o.MaxAspectRatio, 2)},
		overlaps: o.SamplerOptions,
		trials:   40,
	}
	if o.MinAspectRatio != nil {
		s.aspect[0] = *o.MinAspectRatio
	}
	if s.overlaps == nil {
		s.overlaps = []float64{0, 0.1, 0.3, 0.5, 0.7, 0.9, 1}
	}
	if o.Trials != nil {
		s.trials = *o.Trials
	}
	checkRange(op, "scale", s.scale, math.SmallestNonzeroFloat64, 1)
	checkRange(op, "aspect ratio", s.aspect, 0, math.MaxFloat64)
	if len(s.overlaps) == 0 || s.trials < 0 {
		refuse(op, "there are no SamplerOptions, or Trials is %d", s.trials)
	}
	checkFinite(op, "sampler options", s.overlaps...)
	return s
}

// draw draws overlaps, and for each of them crops of a sample of h by w until one overlaps a box enough.
func (s *iouSampler) draw(g *torch.Generator, h, w int, b BoundingBoxes) iouCrop {
	var xyxy *torch.Tensor // once a crop was drawn: where none is, boxes may be rotated
	for range 1000 {       // Python goes on for ever
		least := s.overlaps[randint(g, 0, len(s.overlaps))]
		if least >= 1 {
			return iouCrop{}
		}
		for range s.trials {
			c, ok := s.drawBox(g, h, w)
			if !ok {
				continue
			}
			if xyxy == nil {
				if b.Format.Rotated() {
					refuse(s.op, "the boxes are rotated, %v; want upright ones", b.Format)
				}
				xyxy = F.ConvertBoundingBoxFormat(b, tv.XYXY).Tensor
			}
			if within := c.holds(xyxy, least); within != nil {
				return iouCrop{c, within}
			}
		}
	}
	refuse(s.op, "no crop of the sample of %d×%d was found that the SamplerOptions %v allow; add 1 to them", h, w, s.overlaps)
	return iouCrop{}
}

// drawBox draws a crop; ok is false if its aspect ratio is not allowed or it is empty.
func (s *iouSampler) drawBox(g *torch.Generator, h, w int) (c cropBox, ok bool) {
	// In float32, as Python computes with the tensor it draws.
	r := rand(g, 2)
	side := func(size int, r float32) int {
		return int(float32(size) * (float32(float32(s.scale[1]-s.scale[0])*r) + float32(s.scale[0])))
	}
	c.width, c.height = side(w, r[0]), side(h, r[1])
	if c.height == 0 {
		refuse(s.op, "a crop of the height 0 was drawn from a sample of %d×%d; raise MinScale", h, w)
	}
	if aspect := float64(c.width) / float64(c.height); aspect < s.aspect[0] || aspect > s.aspect[1] {
		return c, false
	}
	r = rand(g, 2)
	c.left, c.top = int(float32(w-c.width)*r[0]), int(float32(h-c.height)*r[1])
	return c, c.width > 0
}

// holds says which boxes have their center in c, and nil where none has or none of them overlaps c enough.
func (c cropBox) holds(xyxy *torch.Tensor, least float64) (within *torch.Tensor) {
	left, top, right, bottom := c.left, c.top, c.left+c.width, c.top+c.height
	torch.Scope(func() {
		at := func(i int) *torch.Tensor { return xyxy.Select(-1, i) }
		cx, cy := at(0).Add(at(2)).MulScalar(0.5), at(1).Add(at(3)).MulScalar(0.5)
		in := cx.GtScalar(left).BitwiseAnd(cx.LtScalar(right)).BitwiseAnd(cy.GtScalar(top)).BitwiseAnd(cy.LtScalar(bottom))
		if in.Any().Item() == 0 {
			return
		}
		crop := torch.FromSlice([]int64{int64(left), int64(top), int64(right), int64(bottom)}, 1, 4).ToDType(xyxy.DType()).To(xyxy.Device())
		most := boxIoU(xyxy.Index(in), crop).Max()
		if most.LtScalar(least).Item() != 0 {
			return
		}
		within = torch.Keep(in)
	})
	return within
}

// boxIoU returns the intersection over union of each of the boxes a with each of b, [N, M]: torchvision.ops.box_iou.
func boxIoU(a, b *torch.Tensor) *torch.Tensor {
	up := func(x *torch.Tensor) *torch.Tensor { // against overflow
		switch d := x.DType(); {
		case d.IsFloatingPoint():
			if d == torch.Float32 || d == torch.Float64 {
				return x
			}
			return x.ToDType(torch.Float32)
		case d == torch.Int32 || d == torch.Int64:
			return x
		}
		return x.ToDType(torch.Int32)
	}
	area := func(x *torch.Tensor) *torch.Tensor {
		x = up(x)
		return x.Select(1, 2).Sub(x.Select(1, 0)).Mul(x.Select(1, 3).Sub(x.Select(1, 1)))
	}
	areaA, areaB := area(a), area(b)
	near, far := torch.Slice(0, 2), torch.Slice(2, torch.End)
	lt := a.Index(torch.All, torch.NewAxis, near).Maximum(b.Index(torch.All, near))
	rb := a.Index(torch.All, torch.NewAxis, far).Minimum(b.Index(torch.All, far))
	wh := up(rb.Sub(lt)).Clamp(0, nil)
	inter := wh.Select(2, 0).Mul(wh.Select(2, 1))
	union := areaA.Unsqueeze(1).Add(areaB).Sub(inter)
	return inter.Div(union)
}

// ScaleJitterOptions say more about [ScaleJitter].
type ScaleJitterOptions struct {
	ScaleRange []float64 // the least and the greatest multiple; nil is 0.1 to 2
	ResizeOptions
}

// ScaleJitter resizes to a random multiple of what fits the target's height and
// width: ScaleJitter(target_size, scale_range, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.ScaleJitter.html
func ScaleJitter(targetSize [2]int, options ...ScaleJitterOptions) Transform {
	const op = "ScaleJitter"
	so := torch.Only(options)
	o := so.ResizeOptions.check(op, false)
	scaleRange := rangeOf(op, "scale range", so.ScaleRange, [2]float64{0.1, 2}, math.SmallestNonzeroFloat64, math.MaxFloat64)
	if min(targetSize[0], targetSize[1]) < 1 {
		refuse(op, "the target size is %v; want 1 or more", targetSize)
	}
	name := repr(op, "target_size", targetSize, "scale_range", scaleRange, "interpolation", o.Interpolation, "antialias", !o.NoAntialias)
	return resizer(name, o, func(flat []any, g *torch.Generator) []int {
		h, w := QuerySize(flat)
		// In float32, as Python computes with the tensor it draws.
		scale := float32(uniform32(g)*float32(scaleRange[1]-scaleRange[0])) + float32(scaleRange[0])
		r := float32(min(float64(targetSize[1])/float64(h), float64(targetSize[0])/float64(w))) * scale
		return []int{int(float32(h) * r), int(float32(w) * r)}
	})
}

func resizer(name string, o ResizeOptions, size func([]any, *torch.Generator) []int) Transform {
	k := o.kernel()
	k.MaxSize = 0
	return &step[[]int]{name: name, p: -1, hooks: Hooks[[]int]{
		Params: size,
		Transform: func(v any, size []int) any {
			return through("Resize", v, func(v any) any { return F.Resize(v, size, k) })
		},
	}}
}

// RandomShortestSize resizes so that the short side is one of minSize, and the
// long one no more than MaxSize: RandomShortestSize(min_size, max_size, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomShortestSize.html
func RandomShortestSize(minSize torch.Ints, options ...ResizeOptions) Transform {
	const op = "RandomShortestSize"
	o := torch.Only(options).check(op, true)
	sizes := listOf(op, "least size", minSize)
	if len(sizes) == 0 {
		refuse(op, "there are no sizes")
	}
	for _, s := range sizes {
		if s < 1 {
			refuse(op, "the sizes are %v; want 1 or more", sizes)
		}
	}
	name := repr(op, "min_size", sizes, "max_size", orNil(o.MaxSize), "interpolation", o.Interpolation, "antialias", !o.NoAntialias)
	return resizer(name, o, func(flat []any, g *torch.Generator) []int {
		h, w := QuerySize(flat)
		r := float64(sizes[randint(g, 0, len(sizes))]) / float64(min(h, w))
		if o.MaxSize > 0 {
			r = min(r, float64(o.MaxSize)/float64(max(h, w)))
		}
		return []int{int(float64(h) * r), int(float64(w) * r)}
	})
}

// RandomResize resizes so that the short side is a random number from minSize to
// below maxSize: RandomResize(min_size, max_size, …).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomResize.html
func RandomResize(minSize, maxSize int, options ...ResizeOptions) Transform {
	const op = "RandomResize"
	o := torch.Only(options).check(op, false)
	if minSize < 1 || maxSize <= minSize {
		refuse(op, "the sizes are %d to below %d; want 1 or more, and a range that is not empty", minSize, maxSize)
	}
	name := repr(op, "min_size", minSize, "max_size", maxSize, "interpolation", o.Interpolation, "antialias", !o.NoAntialias)
	return resizer(name, o, func(_ []any, g *torch.Generator) []int { return []int{randint(g, minSize, maxSize)} })
}
