package functional

import (
	"image"
	"math"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/args"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// RotateOptions are the options of [Rotate]. The zero value is torchvision's default.
type RotateOptions struct {
	Interpolation Interpolation // Nearest, the default, Bilinear, or Bicubic for pictures
	Expand        bool          // make the result large enough to hold all of it
	Center        []float64     // x and y of the fixed point, from the upper left corner; nil is the center
	Fill          Floats        // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
}

// AffineOptions are the options of [Affine]. The zero value is torchvision's default.
type AffineOptions struct {
	Interpolation Interpolation // Nearest, the default, Bilinear, or Bicubic for pictures
	Fill          Floats        // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
	Center        []float64     // x and y that are rotated and sheared about, from the upper left corner; nil is the center
}

// PerspectiveOptions are the options of [Perspective]. The zero value is torchvision's default.
type PerspectiveOptions struct {
	Interpolation Interpolation // Nearest, Bilinear, the default, or Bicubic for pictures
	Fill          Floats        // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
}

// ElasticOptions are the options of [ElasticTransform]. The zero value is torchvision's default.
type ElasticOptions struct {
	Interpolation Interpolation // Nearest or Bilinear, the default
	Fill          Floats        // the value of pixels from outside: a number, or a []float64 of one for each channel; nil is 0
}

// warping checks what the warps have in common, fills in the default and returns the numbers to fill with.
func warping(op string, how *Interpolation, standard Interpolation, fill Floats, center []float64) []float64 {
	if *how == "" {
		*how = standard
	}
	checkInterpolation(op, *how)
	finite(op, "center", center...)
	if center != nil && len(center) != 2 {
		refuse(op, "the center has %d numbers; want x and y", len(center))
	}
	return args.Floats(args.Functional+op, "the fill", fill)
}

// Rotate turns a picture or a tensor [..., C, H, W] of 3 or 4 dimensions by an
// angle in degrees, counter-clockwise: F.rotate(img, angle, interpolation, expand, center, fill).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.rotate.html
func Rotate(v Value, angle float64, options ...RotateOptions) Value {
	const op = "Rotate"
	o := torch.Only(options)
	fill := warping(op, &o.Interpolation, Nearest, o.Fill, o.Center)
	finite(op, "angle", angle)
	return either(op, v,
		func(p *pillow.Image) (*pillow.Image, error) {
			r := pillow.RotateOptions{Interpolation: onPictures(o.Interpolation), Expand: o.Expand, Fill: fill}
			if o.Center != nil {
				r.Center = (*[2]float64)(o.Center)
			}
			return p.Rotate(angle, r)
		},
		func(x *torch.Tensor) *torch.Tensor {
			checkGrid(op, x, o.Interpolation, fill)
			matrix := inverseAffine(fromCenter(x, o.Center), -angle, [2]float64{}, 1, [2]float64{})
			w, h := x.Size(-1), x.Size(-2)
			if o.Expand {
				w, h = expanded(matrix, w, h)
			}
			return affineTensor(x, matrix, w, h, o.Interpolation, fill)
		})
}

// Affine rotates a picture or a tensor [..., C, H, W] of 3 or 4 dimensions by an
// angle in degrees, clockwise, moves it by translate, x and y in pixels, scales it, and shears it by
// two angles, along x and along y: F.affine(img, angle, translate, scale, shear,
// interpolation, fill, center).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.affine.html
func Affine(v Value, angle float64, translate [2]float64, scale float64, shear [2]float64, options ...AffineOptions) Value {
	const op = "Affine"
	o := torch.Only(options)
	fill := warping(op, &o.Interpolation, Nearest, o.Fill, o.Center)
	finite(op, "angle", angle)
	finite(op, "translation", translate[:]...)
	finite(op, "scale", scale)
	finite(op, "shear", shear[:]...)
	if scale <= 0 {
		refuse(op, "the scale is %v; want more than 0", scale)
	}
	return either(op, v,
		func(p *pillow.Image) (*pillow.Image, error) {
			center := [2]float64{float64(p.W) * 0.5, float64(p.H) * 0.5}
			if o.Center != nil {
				center = [2]float64(o.Center)
			}
			matrix := inverseAffine(center, angle, translate, scale, shear)
			return p.Transform(p.W, p.H, pillow.Affine, matrix[:], onPictures(o.Interpolation), fill)
		},
		func(x *torch.Tensor) *torch.Tensor {
			checkGrid(op, x, o.Interpolation, fill)
			matrix := inverseAffine(fromCenter(x, o.Center), angle, translate, scale, shear)
			return affineTensor(x, matrix, x.Size(-1), x.Size(-2), o.Interpolation, fill)
		})
}

// fromCenter returns a point of a tensor relative to its center.
func fromCenter(x *torch.Tensor, point []float64) (c [2]float64) {
	if point == nil {
		return c
	}
	for i := range c {
		c[i] = point[i] - float64(float64(x.Size(-1-i))*0.5)
	}
	return c
}

// inverseAffine is torchvision's _get_inverse_affine_matrix: for the pixels of the
// result, where in the source they lie. The conversions forbid the fused multiply-add.
func inverseAffine(center [2]float64, angle float64, translate [2]float64, scale float64, shear [2]float64) [6]float64 {
	radians := func(degrees float64) float64 { return float64(degrees * (math.Pi / 180)) }
	rot, sx, sy := radians(angle), radians(shear[0]), radians(shear[1])
	cx, cy := center[0], center[1]
	tx, ty := translate[0], translate[1]
	cosine, sine, tangent, cosY := libm.Cos(rot-sy), libm.Sin(rot-sy), libm.Tan(sx), libm.Cos(sy)
	a := cosine / cosY
	b := float64(-cosine*tangent/cosY) - libm.Sin(rot)
	c := sine / cosY
	d := float64(-sine*tangent/cosY) + libm.Cos(rot)
	m := [6]float64{d / scale, -b / scale, 0, -c / scale, a / scale, 0}
	m[2] += float64(m[0]*(-cx-tx)) + float64(m[1]*(-cy-ty))
	m[5] += float64(m[3]*(-cx-tx)) + float64(m[4]*(-cy-ty))
	m[2] += cx
	m[5] += cy
	return m
}

// Perspective warps a picture or a tensor [..., C, H, W] of 3 or 4 dimensions so
// that the four start points move to the end points, each in the order top left,
// top right, bottom right, bottom left: F.perspective(img, startpoints, endpoints,
// interpolation, fill).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.perspective.html
func Perspective(v Value, start, end [4]image.Point, options ...PerspectiveOptions) Value {
	const op = "Perspective"
	o := torch.Only(options)
	fill := warping(op, &o.Interpolation, Bilinear, o.Fill, nil)
	return named(op, v, func() Value {
		c := perspectiveCoefficients(start, end)
		return either(op, v,
			func(p *pillow.Image) (*pillow.Image, error) {
				return p.Transform(p.W, p.H, pillow.Perspective, c[:], onPictures(o.Interpolation), fill)
			},
			func(x *torch.Tensor) *torch.Tensor {
				checkGrid(op, x, o.Interpolation, fill)
				return perspectiveTensor(x, c, o.Interpolation, fill)
			})
	})
}

// ElasticTransform moves every pixel of a picture or a tensor [..., C, H, W] of 3
// or 4 dimensions by a displacement [1, H, W, 2], of x and y in halves of the width and the
// height: F.elastic_transform(img, displacement, interpolation, fill). A picture is computed as a tensor.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.elastic_transform.html
func ElasticTransform(v Value, displacement *torch.Tensor, options ...ElasticOptions) Value {
	const op = "ElasticTransform"
	o := torch.Only(options)
	fill := warping(op, &o.Interpolation, Bilinear, o.Fill, nil)
	return throughTensor(op, v, func(x *torch.Tensor) *torch.Tensor {
		if displacement == nil {
			fail(op, v, "there is no displacement")
		}
		h, w := x.Size(-2), x.Size(-1)
		if d := displacement.Shape(); len(d) != 4 || d[0] != 1 || d[1] != h || d[2] != w || d[3] != 2 {
			fail(op, v, "the displacement's shape is %v; want [1 %d %d 2]", d, h, w)
		}
		return elasticTensor(x, displacement, o.Interpolation, fill)
	})
}

// GaussianBlur blurs a picture or a tensor [C, H, W] or [N, C, H, W] with a kernel
// of odd size: F.gaussian_blur(img, kernel_size, sigma). The size is an int or a []int of x and y;
// sigma is one number, two, of x and y, or none, for 0.15*size + 0.35. The
// borders are mirrored, so half the kernel must be smaller than the picture. A picture is computed as a tensor.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.gaussian_blur.html
func GaussianBlur(v Value, kernelSize torch.Ints, sigma ...float64) Value {
	const op = "GaussianBlur"
	kernel := args.Kernel(args.Functional+op, kernelSize)
	var s [2]float64
	switch len(sigma) {
	case 0:
		for i, k := range kernel {
			s[i] = float64(float64(k)*0.15) + 0.35
		}
	case 1, 2:
		s[0], s[1] = sigma[0], sigma[len(sigma)-1]
	default:
		refuse(op, "sigma has %d numbers; want one, or those of x and y", len(sigma))
	}
	finite(op, "sigma", s[:]...)
	if min(s[0], s[1]) <= 0 {
		refuse(op, "sigma is %v; want more than 0", sigma)
	}
	return throughTensor(op, v, func(x *torch.Tensor) *torch.Tensor { return blurTensor(x, kernel, s) })
}

// throughTensor computes a picture as a tensor, and makes a picture of the same mode of the result.
func throughTensor(op string, v Value, f func(*torch.Tensor) *torch.Tensor) Value {
	if v.Tensor != nil {
		return onTensor(op, v, f)
	}
	p := picture(op, v)
	return named(op, v, func() Value {
		var out *pillow.Image
		torch.Scope(func() { out = toPicture(op, f(pilToTensor(p)), p.Mode) })
		return v.WithImage(Shown(out))
	})
}
