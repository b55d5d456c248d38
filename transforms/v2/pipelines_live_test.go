package v2_test

import (
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	"github.com/torchhub/torchhub/transforms/v2"
)

// A stage draws a transform for a sample of h×w pixels: how Python makes it, and Go.
type stage func(r maker, h, w int) (python string, f func() v2.Transform)

// oddP draws a probability, at times none that can be.
func (r maker) oddP() float64 { return pickOf(r, 0, 1, 1, 1, 0.5, r.Float64(), -1, 2, 1e-9) }

// oddSize draws a size as classes take it, and how Python writes it.
func (r maker) oddSize(most int) (torch.Ints, string) {
	side := func() int {
		return pickOf(r, 1, 1, 2, r.between(1, most), r.between(1, most), r.between(1, most), most, 3*most)
	}
	var s []int
	switch r.IntN(16) {
	case 0:
		n := pickOf(r, 0, -1)
		return n, strconv.Itoa(n)
	case 1:
		s = []int{side(), pickOf(r, 0, -1)}
	case 2:
		s = slices.Repeat([]int{side()}, pickOf(r, 0, 3, 4))
	case 3, 4:
		s = []int{side()}
	case 5, 6, 7, 8:
		n := side()
		return n, strconv.Itoa(n)
	default:
		s = []int{side(), side()}
	}
	return s, py(s)
}

// oddNumber draws a number of up to most, at times far beyond, negative, or 0.
func (r maker) oddNumber(most float64) float64 {
	switch r.IntN(10) {
	case 0:
		return 0
	case 1:
		return -r.float(0, most)
	case 2:
		return r.float(0, 1000*most)
	case 3:
		return most
	}
	return r.float(0, most)
}

// oddRange draws a list of numbers: mostly two in order, at times equal ones, in no order, or another number of them.
func (r maker) oddRange(most float64) []float64 {
	a, b := r.oddNumber(most), r.oddNumber(most)
	switch r.IntN(12) {
	case 0:
		return []float64{a}
	case 1:
		return []float64{a, b, a}[:pickOf(r, 0, 3)]
	case 2:
		return []float64{a, b}
	case 3, 4:
		return []float64{a, a}
	}
	return []float64{min(a, b), max(a, b)}
}

// oddFloats draws an int, a float64 or a list of them.
func (r maker) oddFloats(most float64) (v2.Floats, string) {
	switch r.IntN(4) {
	case 0:
		n := pickOf(r, 0, 1, int(most), -1, 3)
		return n, strconv.Itoa(n)
	case 1:
		a := r.oddNumber(most)
		return a, py(a)
	}
	x := r.oddRange(most)
	return x, py(x)
}

// oddPair is oddRange, or nil for the default, with the keyword argument in Python, which nil leaves out.
func (r maker) oddPair(name string, most float64) ([]float64, string) {
	if r.IntN(2) == 0 {
		return nil, ""
	}
	x := r.oddRange(most)
	return x, ", " + name + "=" + py(x)
}

// oddFill draws what to fill with, and how Python writes it.
func (r maker) oddFill() (v2.Fill, map[v2.Kind]v2.Fill, string) {
	n := func() float64 {
		return float64(pickOf(r, 0, 1, 255, r.between(0, 255), r.between(0, 255), -1, 256, 100000))
	}
	several := make(v2.Fill, pickOf(r, 3, 3, 3, 1, 2, 4, 5))
	for i := range several {
		several[i] = n()
	}
	list := py([]float64(several))
	if len(several) == 1 {
		list = py(several[0])
	}
	switch r.IntN(7) {
	case 0, 1:
		return nil, nil, "0"
	case 2:
		f := v2.Fill{pickOf(r, n(), n(), 0.5, -0.5, 127.5)}
		return f, nil, py(f[0])
	case 3:
		return v2.Fill{}, nil, "None"
	case 4:
		return nil, map[v2.Kind]v2.Fill{tv.ImageKind: several, tv.Other: {7}}, "{tv_tensors.Image: " + list + ", 'others': 7.0}"
	case 5:
		return nil, map[v2.Kind]v2.Fill{tv.MaskKind: {1}, tv.Picture: several, tv.Other: {}}, "{tv_tensors.Mask: 1.0, PIL.Image.Image: " + list + ", 'others': None}"
	}
	return several, nil, list
}

// oddPadding draws a padding.
func (r maker) oddPadding() (torch.Ints, string) {
	side := func() int { return pickOf(r, 0, 0, 1, 2, r.between(0, 9), r.between(0, 9), 40, -1, -3) }
	if r.IntN(3) == 0 {
		n := side()
		return n, strconv.Itoa(n)
	}
	p := make([]int, pickOf(r, 1, 1, 2, 2, 2, 4, 4, 4, 3, 0))
	for i := range p {
		p[i] = side()
	}
	return p, py(p)
}

// oddHow draws any interpolation.
func (r maker) oddHow() v2.Interpolation {
	return v2.Interpolation(r.pick("nearest", "bilinear", "bilinear", "bicubic", "nearest-exact", "box", "hamming", "lanczos"))
}

// warpHow draws one, mostly one for warps, which take only some.
func (r maker) warpHow() v2.Interpolation {
	if r.IntN(8) == 0 {
		return r.oddHow()
	}
	return v2.Interpolation(r.pick("nearest", "bilinear", "bilinear", "bicubic"))
}

func (r maker) paddingMode() v2.PaddingMode {
	return v2.PaddingMode(r.pick("constant", "constant", "constant", "edge", "reflect", "symmetric"))
}

func (r maker) oddCenter(h, w int) []float64 {
	switch r.IntN(6) {
	case 0:
		return r.oddRange(20)
	case 1:
		return []float64{-1e4, 1e4}
	case 2, 3:
		return []float64{r.float(0, float64(w)), r.float(-2, float64(h))}
	}
	return nil
}

func oddChance(name string, f func(...float64) v2.Transform) stage {
	return func(r maker, _, _ int) (string, func() v2.Transform) {
		p := r.oddP()
		return fmt.Sprintf("v2.%s(%s)", name, py(p)), func() v2.Transform { return f(p) }
	}
}

func always(python string, f func() v2.Transform) stage {
	return func(maker, int, int) (string, func() v2.Transform) { return python, f }
}

var modes = []string{"RGB", "RGB", "L", "1", "P", "PA", "LA", "La", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "I", "F", "I;16", "BGR"}

var odd []stage

func init() { // some rows refer to odd
	odd = slices.Concat(oddGeometry, oddColors, oddOthers, []stage{
		func(r maker, h, w int) (string, func() v2.Transform) {
			text, ts := r.oddSome(h, w)
			p := r.oddP()
			return fmt.Sprintf("v2.RandomApply(%s, %s)", text, py(p)), func() v2.Transform { return v2.RandomApply(all(ts), p) }
		},
		func(r maker, h, w int) (string, func() v2.Transform) {
			text, ts := r.oddSome(h, w)
			var p []float64
			if r.IntN(2) == 0 {
				for range len(ts) + pickOf(r, 0, 0, 0, 1) {
					p = append(p, pickOf(r, 0, 1, r.float(0, 2), 1e-9, 1e9))
				}
			}
			return fmt.Sprintf("v2.RandomChoice(%s, %s)", text, py(p)), func() v2.Transform { return v2.RandomChoice(all(ts), p...) }
		},
		func(r maker, h, w int) (string, func() v2.Transform) {
			text, ts := r.oddSome(h, w)
			return fmt.Sprintf("v2.RandomOrder(%s)", text), func() v2.Transform { return v2.RandomOrder(all(ts)...) }
		},
	})
}

// oddSome draws a few transforms for those that are made of others.
func (r maker) oddSome(h, w int) (string, []func() v2.Transform) {
	var texts []string
	var makes []func() v2.Transform
	for range pickOf(r, 1, 2, 2, 3, 0) {
		text, f := odd[r.IntN(len(odd))](r, h, w)
		texts, makes = append(texts, text), append(makes, f)
	}
	return "[" + strings.Join(texts, ", ") + "]", makes
}

// all makes the transforms.
func all(makes []func() v2.Transform) []v2.Transform {
	ts := make([]v2.Transform, len(makes))
	for i, f := range makes {
		ts[i] = f()
	}
	return ts
}

var oddGeometry = []stage{
	oddChance("RandomHorizontalFlip", v2.RandomHorizontalFlip),
	oddChance("RandomVerticalFlip", v2.RandomVerticalFlip),
	func(r maker, _, _ int) (string, func() v2.Transform) {
		size, text := r.oddSize(40)
		o := v2.ResizeOptions{Interpolation: r.oddHow(), NoAntialias: r.IntN(3) == 0}
		if r.IntN(8) == 0 {
			size, text = nil, "None"
		}
		longest := "None"
		if r.IntN(3) == 0 {
			o.MaxSize = pickOf(r, 1, r.between(1, 60), r.between(30, 120), -1)
			longest = strconv.Itoa(o.MaxSize)
		}
		return fmt.Sprintf("v2.Resize(%s, %s, %s, %s)", text, py(o.Interpolation), longest, py(!o.NoAntialias)), func() v2.Transform { return v2.Resize(size, o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		size, text := r.oddSize(40)
		return "v2.CenterCrop(" + text + ")", func() v2.Transform { return v2.CenterCrop(size) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		size, text := r.oddSize(30)
		o := v2.RandomResizedCropOptions{Interpolation: r.oddHow(), NoAntialias: r.IntN(3) == 0}
		var scale, ratio string
		o.Scale, scale = r.oddPair("scale", 1)
		o.Ratio, ratio = r.oddPair("ratio", 3)
		return fmt.Sprintf("v2.RandomResizedCrop(%s%s%s, interpolation=%s, antialias=%s)", text, scale, ratio, py(o.Interpolation), py(!o.NoAntialias)),
			func() v2.Transform { return v2.RandomResizedCrop(size, o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		size, text := r.oddSize(9)
		if r.IntN(2) == 0 {
			return "v2.FiveCrop(" + text + ")", func() v2.Transform { return v2.FiveCrop(size) }
		}
		vertical := r.IntN(2) == 0
		return fmt.Sprintf("v2.TenCrop(%s, %s)", text, py(vertical)), func() v2.Transform { return v2.TenCrop(size, v2.TenCropOptions{VerticalFlip: vertical}) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		p, text := r.oddPadding()
		fill, of, filling := r.oddFill()
		o := v2.PadOptions{Fill: fill, FillOf: of, PaddingMode: r.paddingMode()}
		return fmt.Sprintf("v2.Pad(%s, %s, %s)", text, filling, py(string(o.PaddingMode))), func() v2.Transform { return v2.Pad(p, o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		fill, of, filling := r.oddFill()
		p := r.oddP()
		o := v2.RandomZoomOutOptions{Fill: fill, FillOf: of, P: &p}
		text := ""
		if r.IntN(2) == 0 {
			o.SideRange = pickOf(r, []float64{1, 1}, []float64{1, r.float(1, 3)}, []float64{0.5, 2}, []float64{2, 1}, []float64{1}, []float64{2, 2})
			text = ", side_range=" + py(o.SideRange)
		}
		return fmt.Sprintf("v2.RandomZoomOut(%s%s, p=%s)", filling, text, py(p)), func() v2.Transform { return v2.RandomZoomOut(o) }
	},
	func(r maker, h, w int) (string, func() v2.Transform) {
		degrees, text := r.oddFloats(180)
		fill, of, filling := r.oddFill()
		o := v2.RandomRotationOptions{Interpolation: r.warpHow(), Expand: r.IntN(2) == 0, Center: r.oddCenter(h, w), Fill: fill, FillOf: of}
		return fmt.Sprintf("v2.RandomRotation(%s, %s, %s, %s, %s)", text, py(o.Interpolation), py(o.Expand), py(o.Center), filling), func() v2.Transform { return v2.RandomRotation(degrees, o) }
	},
	func(r maker, h, w int) (string, func() v2.Transform) {
		degrees, text := r.oddFloats(90)
		fill, of, filling := r.oddFill()
		o := v2.RandomAffineOptions{Interpolation: r.warpHow(), Center: r.oddCenter(h, w), Fill: fill, FillOf: of}
		var translate, scale, shear string
		o.Translate, translate = r.oddPair("translate", 1)
		o.Scale, scale = r.oddPair("scale", 2)
		switch r.IntN(3) {
		case 0:
			o.Shear, shear = r.oddFloats(30)
			shear = ", shear=" + shear
		case 1:
			s := append(r.oddRange(30), r.oddRange(30)...)
			o.Shear, shear = s, ", shear="+py(s)
		}
		return fmt.Sprintf("v2.RandomAffine(%s%s%s%s, interpolation=%s, fill=%s, center=%s)", text, translate, scale, shear, py(o.Interpolation), filling, py(o.Center)),
			func() v2.Transform { return v2.RandomAffine(degrees, o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		size, text := r.oddSize(20)
		fill, of, filling := r.oddFill()
		o := v2.RandomCropOptions{PadIfNeeded: r.IntN(3) != 0, Fill: fill, FillOf: of, PaddingMode: r.paddingMode()}
		padding := "None"
		if r.IntN(2) == 0 {
			o.Padding, padding = r.oddPadding()
		}
		return fmt.Sprintf("v2.RandomCrop(%s, %s, %s, %s, %s)", text, padding, py(o.PadIfNeeded), filling, py(string(o.PaddingMode))), func() v2.Transform { return v2.RandomCrop(size, o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		d, p := pickOf(r, 0, 1, 0.5, r.Float64(), r.Float64(), -0.5, 1.5), r.oddP()
		fill, of, filling := r.oddFill()
		o := v2.RandomPerspectiveOptions{DistortionScale: &d, P: &p, Interpolation: r.warpHow(), Fill: fill, FillOf: of}
		return fmt.Sprintf("v2.RandomPerspective(%s, %s, %s, %s)", py(d), py(p), py(o.Interpolation), filling), func() v2.Transform { return v2.RandomPerspective(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		a, alpha := r.oddFloats(90)
		s, sigma := r.oddFloats(1)
		fill, of, filling := r.oddFill()
		o := v2.ElasticTransformOptions{Alpha: a, Sigma: s, Interpolation: r.warpHow(), Fill: fill, FillOf: of}
		return fmt.Sprintf("v2.ElasticTransform(%s, %s, %s, %s)", alpha, sigma, py(o.Interpolation), filling), func() v2.Transform { return v2.ElasticTransform(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		o := v2.RandomIoUCropOptions{MinScale: pickOf(r, 0.3, r.Float64(), 1), MaxScale: pickOf(r, 1, r.Float64()), MinAspectRatio: ptr(pickOf(r, 0.5, 0, r.Float64())),
			MaxAspectRatio: pickOf(r, 2, r.float(0.5, 4), 1e9), SamplerOptions: pickOf(r, []float64{0, 0.5, 1}, []float64{1}, []float64{-1, 2}), Trials: ptr(pickOf(r, 40, 1, 0))}
		return fmt.Sprintf("v2.RandomIoUCrop(%s, %s, %s, %s, %s, %d)", py(o.MinScale), py(o.MaxScale), py(*o.MinAspectRatio), py(o.MaxAspectRatio), py(o.SamplerOptions), *o.Trials),
			func() v2.Transform { return v2.RandomIoUCrop(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		target := [2]int{pickOf(r, 1, r.between(1, 60), r.between(10, 60), 0), r.between(1, 60)}
		o := v2.ScaleJitterOptions{ResizeOptions: v2.ResizeOptions{Interpolation: r.oddHow(), NoAntialias: r.IntN(2) == 0}}
		text := ""
		if r.IntN(2) == 0 {
			o.ScaleRange = pickOf(r, []float64{1, 1}, []float64{0.1, r.float(0.1, 3)}, []float64{0, 1}, []float64{2, 1}, []float64{0.01, 0.02})
			text = ", scale_range=" + py(o.ScaleRange)
		}
		return fmt.Sprintf("v2.ScaleJitter((%d, %d)%s, interpolation=%s, antialias=%s)", target[0], target[1], text, py(o.Interpolation), py(!o.NoAntialias)), func() v2.Transform { return v2.ScaleJitter(target, o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		sizes := make([]int, pickOf(r, 1, 2, 3, 0))
		for i := range sizes {
			sizes[i] = pickOf(r, 1, r.between(1, 60), r.between(1, 60), 0, -1)
		}
		o := v2.ResizeOptions{Interpolation: r.oddHow()}
		longest := "None"
		if r.IntN(2) == 0 {
			o.MaxSize = pickOf(r, 1, r.between(1, 60), r.between(30, 120), -1)
			longest = strconv.Itoa(o.MaxSize)
		}
		return fmt.Sprintf("v2.RandomShortestSize(%s, max_size=%s, interpolation=%s)", py(sizes), longest, py(o.Interpolation)), func() v2.Transform { return v2.RandomShortestSize(sizes, o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		low := pickOf(r, 1, r.between(1, 40), 0, -2)
		high := low + pickOf(r, 1, r.between(1, 30), 0, -1)
		o := v2.ResizeOptions{Interpolation: r.oddHow(), NoAntialias: r.IntN(2) == 0}
		return fmt.Sprintf("v2.RandomResize(%d, %d, %s, %s)", low, high, py(o.Interpolation), py(!o.NoAntialias)), func() v2.Transform { return v2.RandomResize(low, high, o) }
	},
}

var oddColors = []stage{
	oddChance("RandomGrayscale", v2.RandomGrayscale),
	oddChance("RandomInvert", v2.RandomInvert),
	oddChance("RandomAutocontrast", v2.RandomAutocontrast),
	oddChance("RandomEqualize", v2.RandomEqualize),
	func(r maker, _, _ int) (string, func() v2.Transform) {
		bits, p := pickOf(r, r.between(0, 8), 0, 1, 8, -1, 9), r.oddP()
		return fmt.Sprintf("v2.RandomPosterize(%d, %s)", bits, py(p)), func() v2.Transform { return v2.RandomPosterize(bits, p) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		a, p := threshold(r), r.oddP()
		return fmt.Sprintf("v2.RandomSolarize(%s, %s)", py(a), py(p)), func() v2.Transform { return v2.RandomSolarize(a, p) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		a, p := r.oddNumber(2), r.oddP()
		return fmt.Sprintf("v2.RandomAdjustSharpness(%s, %s)", py(a), py(p)), func() v2.Transform { return v2.RandomAdjustSharpness(a, p) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		n := pickOf(r, 1, 3, 1, 3, 2, 0, 4)
		return fmt.Sprintf("v2.Grayscale(%d)", n), func() v2.Transform { return v2.Grayscale(n) }
	},
	always("v2.RGB()", v2.RGB),
	always("v2.RandomChannelPermutation()", v2.RandomChannelPermutation),
	func(r maker, _, _ int) (string, func() v2.Transform) {
		var o v2.ColorJitterOptions
		var args []string
		for _, f := range []struct {
			name string
			to   *v2.Floats
			most float64
		}{{"brightness", &o.Brightness, 2}, {"contrast", &o.Contrast, 2}, {"saturation", &o.Saturation, 2}, {"hue", &o.Hue, 0.5}} {
			if r.IntN(3) == 0 {
				v, text := r.oddFloats(f.most)
				*f.to = v
				args = append(args, f.name+"="+text)
			}
		}
		return "v2.ColorJitter(" + strings.Join(args, ", ") + ")", func() v2.Transform { return v2.ColorJitter(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		p := r.oddP()
		o := v2.RandomPhotometricDistortOptions{P: &p}
		var b, c, s, h string
		o.Brightness, b = r.oddPair("brightness", 2)
		o.Contrast, c = r.oddPair("contrast", 2)
		o.Saturation, s = r.oddPair("saturation", 2)
		o.Hue, h = r.oddPair("hue", 0.5)
		return fmt.Sprintf("v2.RandomPhotometricDistort(p=%s%s%s%s%s)", py(p), b, c, s, h), func() v2.Transform { return v2.RandomPhotometricDistort(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		o := v2.AutoAugmentOptions{Policy: pickOf(r, v2.ImageNet, v2.CIFAR10, v2.SVHN)}
		var warp string
		o.WarpOptions, warp = r.oddWarp()
		return fmt.Sprintf("v2.AutoAugment(v2.AutoAugmentPolicy.%s, %s)", strings.ToUpper(string(o.Policy)), warp), func() v2.Transform { return v2.AutoAugment(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		n, bins := pickOf(r, 0, 1, 2, 3, -1), pickOf(r, 2, 3, 31, r.between(2, 40), 1)
		m := pickOf(r, 0, bins-1, r.IntN(bins), bins)
		o := v2.RandAugmentOptions{NumOps: &n, Magnitude: &m, NumMagnitudeBins: bins}
		var warp string
		o.WarpOptions, warp = r.oddWarp()
		return fmt.Sprintf("v2.RandAugment(%d, %d, %d, %s)", n, m, bins, warp), func() v2.Transform { return v2.RandAugment(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		o := v2.TrivialAugmentWideOptions{NumMagnitudeBins: pickOf(r, 2, 3, 31, r.between(2, 40), 1)}
		var warp string
		o.WarpOptions, warp = r.oddWarp()
		return fmt.Sprintf("v2.TrivialAugmentWide(%d, %s)", o.NumMagnitudeBins, warp), func() v2.Transform { return v2.TrivialAugmentWide(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		o := v2.AugMixOptions{Severity: pickOf(r, 1, 3, 10, r.between(1, 10), 11, -1), MixtureWidth: pickOf(r, 1, 1, 2, 3), ChainDepth: pickOf(r, -1, 1, 2, 3),
			Alpha: pickOf(r, 1, r.float(0.2, 2), 1e-3, 1e3, -1), NoColor: r.IntN(3) == 0}
		var warp string
		o.WarpOptions, warp = r.oddWarp()
		return fmt.Sprintf("v2.AugMix(%d, %d, %d, %s, %s, %s)", o.Severity, o.MixtureWidth, o.ChainDepth, py(o.Alpha), py(!o.NoColor), warp), func() v2.Transform { return v2.AugMix(o) }
	},
}

func (r maker) oddWarp() (v2.WarpOptions, string) {
	fill, of, filling := r.oddFill()
	o := v2.WarpOptions{Interpolation: r.warpHow(), Fill: fill, FillOf: of}
	if fill == nil && of == nil {
		filling = "None"
	}
	return o, py(o.Interpolation) + ", " + filling
}

var oddOthers = []stage{
	func(r maker, _, _ int) (string, func() v2.Transform) {
		k := slices.Repeat([]int{1}, pickOf(r, 2, 2, 2, 1, 3))
		for i := range k {
			k[i] = pickOf(r, 1, 1, 3, 3, 5, 7, 23, 4, 0, -1)
		}
		if r.IntN(4) == 0 {
			return "v2.GaussianBlur(" + py(k) + ")", func() v2.Transform { return v2.GaussianBlur(k) }
		}
		sigma, text := r.oddFloats(3)
		return "v2.GaussianBlur(" + py(k) + ", " + text + ")", func() v2.Transform { return v2.GaussianBlur(k, v2.GaussianBlurOptions{Sigma: sigma}) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		o := v2.GaussianNoiseOptions{Mean: r.oddNumber(0.5), Sigma: ptr(r.oddNumber(0.5)), NoClip: r.IntN(2) == 0}
		return fmt.Sprintf("v2.GaussianNoise(%s, %s, %s)", py(o.Mean), py(*o.Sigma), py(!o.NoClip)), func() v2.Transform { return v2.GaussianNoise(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		p := r.oddP()
		o := v2.RandomErasingOptions{P: &p}
		var scale, ratio string
		o.Scale, scale = r.oddPair("scale", 1)
		o.Ratio, ratio = r.oddPair("ratio", 3)
		value := "0"
		switch r.IntN(3) {
		case 0:
			o.Random, value = true, "'random'"
		case 1:
			o.Value = r.oddRange(200)
			value = py(o.Value)
		}
		return fmt.Sprintf("v2.RandomErasing(%s%s%s, value=%s)", py(p), scale, ratio, value), func() v2.Transform { return v2.RandomErasing(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		alpha := pickOf(r, 1, r.float(0.2, 2), 1e-3, 1e3, -1)
		o := v2.MixOptions{Alpha: alpha, NumClasses: pickOf(r, 0, 7, 7, 2)}
		classes := "None"
		if o.NumClasses > 0 {
			classes = strconv.Itoa(o.NumClasses)
		}
		if r.IntN(2) == 0 {
			return fmt.Sprintf("v2.MixUp(alpha=%s, num_classes=%s)", py(alpha), classes), func() v2.Transform { return v2.MixUp(o) }
		}
		return fmt.Sprintf("v2.CutMix(alpha=%s, num_classes=%s)", py(alpha), classes), func() v2.Transform { return v2.CutMix(o) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		low := pickOf(r, 1, r.between(1, 100), 0, 50)
		high := pickOf(r, 100, low, 101, low-1)
		return fmt.Sprintf("v2.JPEG((%d, %d))", low, high), func() v2.Transform { return v2.JPEG(low, high) }
	},
	always("v2.Identity()", v2.Identity),
	always("v2.ToImage()", v2.ToImage),
	always("v2.ToPureTensor()", v2.ToPureTensor),
	always("v2.PILToTensor()", v2.PILToTensor),
	always("v2.ToTensor()", v2.ToTensor),
	func(r maker, _, _ int) (string, func() v2.Transform) {
		if r.IntN(2) == 0 {
			return "v2.ToPILImage()", func() v2.Transform { return v2.ToPILImage() }
		}
		m := pickOf(r, modes...)
		return "v2.ToPILImage(" + py(m) + ")", func() v2.Transform { return v2.ToPILImage(m) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		d, scale := pickOf(r, imageDTypes...), r.IntN(3) > 0
		switch r.IntN(4) {
		case 0:
			return fmt.Sprintf("v2.ToDtype({tv_tensors.Image: torch.%v, tv_tensors.Mask: torch.int64, 'others': None}, %s)", d, py(scale)),
				func() v2.Transform {
					return v2.ToDtypes(map[v2.Kind]torch.DType{tv.ImageKind: d, tv.MaskKind: torch.Int64, tv.Other: 0}, scale)
				}
		case 1:
			return fmt.Sprintf("v2.ToDtype({tv_tensors.Image: torch.%v, torch.Tensor: torch.float32}, %s)", d, py(scale)),
				func() v2.Transform {
					return v2.ToDtypes(map[v2.Kind]torch.DType{tv.ImageKind: d, tv.PureTensor: torch.Float32}, scale)
				}
		}
		return fmt.Sprintf("v2.ToDtype(torch.%v, %s)", d, py(scale)), func() v2.Transform { return v2.ToDtype(d, scale) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		d := pickOf(r, imageDTypes...)
		return fmt.Sprintf("v2.ConvertImageDtype(torch.%v)", d), func() v2.Transform { return v2.ConvertImageDtype(d) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		draw := func(zero float64) []float64 {
			x := []float64{}
			for range pickOf(r, 1, 3, 3, 3, 1, 0, 2) {
				x = append(x, pickOf(r, r.float(-1, 1), r.float(0.1, 1), zero, 1e-9, 1e30))
			}
			return x
		}
		m, s := draw(0), draw(pickOf(r, 0, 1.0, 1))
		return "v2.Normalize(" + py(m) + ", " + py(s) + ")", func() v2.Transform { return v2.Normalize(m, s) }
	},
	func(r maker, h, w int) (string, func() v2.Transform) {
		n := pickOf(r, min(3*h*w, 400), 1, 3)
		return fmt.Sprintf("v2.LinearTransformation(torch.arange(%d.).reshape(%d, %d), torch.arange(%d.))", n*n, n, n, n), func() v2.Transform {
			return v2.LinearTransformation(torch.Arange(float64(n*n)).Reshape(n, n), torch.Arange(float64(n)))
		}
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		n := pickOf(r, 1, 2, 3, r.between(1, 20), 0)
		return fmt.Sprintf("v2.UniformTemporalSubsample(%d)", n), func() v2.Transform { return v2.UniformTemporalSubsample(n) }
	},
	func(r maker, _, _ int) (string, func() v2.Transform) {
		f := pickOf(r, formats...)
		return "v2.ConvertBoundingBoxFormat(" + py(f.String()) + ")", func() v2.Transform { return v2.ConvertBoundingBoxFormat(f) }
	},
	always("v2.ClampBoundingBoxes()", func() v2.Transform { return v2.ClampBoundingBoxes() }),
	always("v2.ClampBoundingBoxes('hard')", func() v2.Transform { return v2.ClampBoundingBoxes(tv.Hard) }),
	always("v2.ClampBoundingBoxes(None)", func() v2.Transform { return v2.ClampBoundingBoxes(tv.NoClamp) }),
	always("v2.ClampKeyPoints()", v2.ClampKeyPoints),
	always("v2.SetClampingMode('hard')", func() v2.Transform { return v2.SetClampingMode(tv.Hard) }),
	always("v2.SetClampingMode(None)", func() v2.Transform { return v2.SetClampingMode(tv.NoClamp) }),
	func(r maker, _, _ int) (string, func() v2.Transform) {
		o := v2.SanitizeBoundingBoxesOptions{MinSize: pickOf(r, 1, r.float(1, 8), 0.5, 100), MinArea: pickOf(r, 1, r.float(1, 60), 0.5, 1e6), NoLabels: r.IntN(3) > 0}
		labels := "'default'"
		if o.NoLabels {
			labels = "None"
		}
		return fmt.Sprintf("v2.SanitizeBoundingBoxes(%s, %s, %s)", py(o.MinSize), py(o.MinArea), labels), func() v2.Transform { return v2.SanitizeBoundingBoxes(o) }
	},
	always("v2.SanitizeKeyPoints()", func() v2.Transform { return v2.SanitizeKeyPoints() }),
	always("v2.SanitizeKeyPoints('default')", func() v2.Transform {
		return v2.SanitizeKeyPoints(v2.SanitizeKeyPointsOptions{Labels: []string{"default"}})
	}),
}

// oddSample draws a sample: of all kinds, one value of any shape, boxes with labels, or a batch with labels.
func (r maker) oddSample() []any {
	h, w := r.size()
	switch r.IntN(8) {
	case 0:
		shape := pickOf(r, []int{}, []int{w}, []int{h, w}, []int{h, w}, []int{r.between(1, 3), 2, 3, h, w}, []int{3, h, 0}, []int{0, 3, h, w})
		d, _ := r.kind(3)
		x := r.pixels(d, shape...)
		if r.IntN(2) == 0 && len(shape) > 2 {
			return []any{tv.Image{Tensor: x}}
		}
		return []any{x}
	case 1, 2:
		b := r.boxes(h, w, formats...)
		n := b.Size(0)
		return []any{pickOf(r, any(tv.Image{Tensor: r.image(h, w)}), any(r.picture(h, w))), torch.Arange(n), b, tv.Mask{Tensor: r.pixels(torch.Uint8, pickOf(r, n, n, 2), h, w)}}
	case 3:
		n := r.between(1, 4)
		d, c := r.kind(3, 3, 1)
		x := pickOf(r, any(tv.Image{Tensor: r.pixels(d, n, c, h, w)}), any(r.pixels(d, n, c, h, w)), any(tv.Video{Tensor: r.pixels(d, n, 2, c, h, w)}))
		return []any{x, pickOf(r, torch.Arange(n), r.pixels(torch.Float32, n, 7))}
	case 4, 5:
		return oneImage(r)
	case 6:
		return color(r)
	}
	return r.sample()
}

// sides returns the height and width of the first value that has some.
func sides(sample []any) (h, w int) {
	for _, v := range sample {
		switch v := v.(type) {
		case []any:
			if h, w = sides(v); h > 0 {
				return h, w
			}
		case image.Image:
			return v.Bounds().Dy(), v.Bounds().Dx()
		default:
			if x := tv.TensorOf(v); x != nil && x.Dim() >= 2 {
				return x.Size(-2), x.Size(-1)
			}
		}
	}
	return 1, 1
}

// alone lists what is refused here alone, by what the error says. Package v2's documentation says so.
var alone = []string{
	// No pixels, and no frames.
	"want 1 or more", "frames are asked for",
	// Magnitudes that there are not.
	"bins of magnitudes", "the magnitude is", "operations are asked for", "AugMix: Alpha is",
	// Bytes of wider numbers.
	"make no picture",
	// What Python refuses only where it comes to use it, a constructor refuses at once.
	"bits are asked for", "the channels are", "that increases", "no mode of a tensor is called", "MaxSize is", "there are no sizes", " means and ", "which nothing can be divided by", "want the least and the greatest", "the sharpness factor is",
}

// pipeline draws a sample and a pipeline. Most of the transforms of one take what the ones before them give.
func (r maker) pipeline(seed int) (sample []any, python string, run func() []any) {
	sample = r.oddSample()
	var texts []string
	var makes []func() v2.Transform
	run = func() []any { return v2.Apply(v2.Compose(all(makes)...), sample) }
	now := sample
	for n, tries := r.between(2, 6), 0; len(texts) < n; tries++ {
		h, w := sides(now)
		text, f := odd[r.IntN(len(odd))](r, h, w)
		texts, makes = append(texts, text), append(makes, f)
		if seeded(seed, func() { now = run() }) != nil {
			if tries < 20 && r.IntN(4) > 0 {
				texts, makes = texts[:len(texts)-1], makes[:len(makes)-1]
				continue
			}
			break
		}
	}
	return sample, "v2.Compose([" + strings.Join(texts, ", ") + "])", run
}

func number(name string, standard int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return standard
}

// TestPipelines compares pipelines of random transforms, whose arguments are often odd, with Python: what it
// refuses must be refused, and what it gives must be given, with the same numbers drawn from the generator.
// TORCHHUB_TEST_PIPELINES sets how many there are, TORCHHUB_SEED what they are drawn from.
func TestPipelines(t *testing.T) {
	p := start(t)
	first := uint64(number("TORCHHUB_SEED", 1))
	equal, refused, here := 0, 0, map[string]int{}
	for seed := range number("TORCHHUB_TEST_PIPELINES", 300) {
		sample, python, run := maker{Rand: rand.New(rand.NewPCG(first, uint64(seed)))}.pipeline(seed)
		var want struct {
			Out   []packed
			Next  int
			Error string
		}
		p.Call(&want, "pipeline", python, seed, packAll(sample))
		before := pack(sample)
		var got []any
		next := 0
		err := seeded(seed, func() {
			got = run()
			next = int(torch.RandInt(0, 1<<30, 1).Item())
		})
		problem := same(before, pack(sample), 0)
		if problem != "" {
			problem = "the sample was changed: " + problem
		}
		var e *torch.Error
		switch {
		case problem != "":
		case err != nil && (!errors.As(err, &e) || e.Op == ""):
			problem = "no torch.Error: " + err.Error()
		case err != nil && want.Error != "":
			refused++
		case err != nil:
			at := slices.IndexFunc(alone, func(s string) bool { return strings.Contains(err.Error(), s) })
			if at < 0 {
				problem = "refused: " + err.Error()
				break
			}
			here[alone[at]]++
		case want.Error != "":
			problem = "accepted: " + want.Error
		default:
			equal++
			problem = same(packed{Kind: "several", Several: want.Out}, pack(got), 0)
			if problem == "" && next != want.Next {
				problem = "another number of draws"
			}
		}
		if problem != "" {
			t.Errorf("pipeline %d: %s: %s of %s", seed, problem, python, briefs(packAll(sample)))
		}
	}
	t.Logf("%d equal, %d refused by both, here alone: %v", equal, refused, here)
	if os.Getenv("TORCHHUB_TEST_PIPELINES") == "" {
		require.Greater(t, equal, 120)
	}
}
