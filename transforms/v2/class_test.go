package v2_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	"github.com/torchhub/torchhub/transforms/v2"
)

type made struct {
	python string
	t      v2.Transform
	sample []any
}

func ptr[T any](v T) *T { return &v }

// fillArg returns a fill as options and in Python: one number, several, or by kind.
func fillArg(r maker) (v2.Fill, map[v2.Kind]v2.Fill, string) {
	n := func() float64 { return float64(r.between(0, 255)) }
	switch r.IntN(4) {
	case 0:
		return nil, nil, "0"
	case 1:
		f := v2.Fill{n()}
		return f, nil, py(f[0])
	case 2:
		f := v2.Fill{n(), n(), n()}
		return nil, map[v2.Kind]v2.Fill{tv.ImageKind: f, tv.Other: {7}}, "{tv_tensors.Image: " + py([]float64(f)) + ", 'others': 7}"
	}
	return v2.Fill{}, nil, "None"
}

func interpolation(r maker, all bool) v2.Interpolation {
	if all {
		return v2.Interpolation(r.pick("nearest", "nearest-exact", "bilinear", "bilinear", "bicubic"))
	}
	return v2.Interpolation(r.pick("nearest", "bilinear"))
}

// without returns the values of a sample that are none of some kinds.
func without(sample []any, kinds ...tv.Kind) (out []any) {
	for _, v := range sample {
		keep := true
		for _, k := range kinds {
			keep = keep && tv.KindOf(v) != k
		}
		if keep {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return sample
	}
	return out
}

func color(r maker) []any {
	r.c = pickOf(r, 3, 3, 1)
	return r.sample()
}

// oneImage returns a sample with one image, video, picture or tensor of bytes.
func oneImage(r maker) []any {
	r.c = pickOf(r, 3, 3, 1)
	r.dtype = []torch.DType{torch.Uint8, torch.Uint8, torch.Uint8, torch.Float32}
	h, w := r.size()
	switch r.IntN(4) {
	case 0:
		return []any{tv.Image{Tensor: r.image(h, w)}, 3}
	case 1:
		return []any{tv.Video{Tensor: r.video(h, w)}}
	case 2:
		return []any{r.picture(h, w), torch.Scalar(int64(1))}
	}
	return []any{r.image(h, w), torch.Scalar(int64(1))}
}

func withP(r maker) (float64, string) {
	p := pickOf(r, 0.5, 1, 1, r.Float64())
	return p, fmt.Sprintf("p=%v", p)
}

// chance is a row of a transform that has a probability and no draws but for it.
func chance(name string, f func(...float64) v2.Transform) func(r maker) made {
	return func(r maker) made {
		p, arg := withP(r)
		return made{"v2." + name + "(" + arg + ")", f(p), color(r)}
	}
}

// classes are rows: each returns, for random arguments, a transform in Python and in Go, and a sample.
var classes = []struct {
	name string
	make func(r maker) made
}{
	{"RandomHorizontalFlip", chance("RandomHorizontalFlip", v2.RandomHorizontalFlip)},
	{"RandomVerticalFlip", chance("RandomVerticalFlip", v2.RandomVerticalFlip)},
	{"RandomGrayscale", chance("RandomGrayscale", v2.RandomGrayscale)},
	{"RandomInvert", chance("RandomInvert", v2.RandomInvert)},
	{"RandomAutocontrast", chance("RandomAutocontrast", v2.RandomAutocontrast)},
	{"RandomEqualize", chance("RandomEqualize", v2.RandomEqualize)},
	{"RandomPosterize", func(r maker) made {
		p, arg := withP(r)
		bits := r.between(0, 8)
		return made{fmt.Sprintf("v2.RandomPosterize(%d, %s)", bits, arg), v2.RandomPosterize(bits, p), color(r)}
	}},
	{"RandomSolarize", func(r maker) made {
		p, arg := withP(r)
		x := threshold(r)
		return made{fmt.Sprintf("v2.RandomSolarize(%s, %s)", py(x), arg), v2.RandomSolarize(x, p), color(r)}
	}},
	{"RandomAdjustSharpness", func(r maker) made {
		p, arg := withP(r)
		x := r.float(0, 3)
		return made{fmt.Sprintf("v2.RandomAdjustSharpness(%v, %s)", x, arg), v2.RandomAdjustSharpness(x, p), color(r)}
	}},
	{"Identity", func(r maker) made { return made{"v2.Identity()", v2.Identity(), r.sample()} }},
	{"Lambda", func(r maker) made {
		return made{"v2.Lambda(lambda x: tv_tensors.wrap(x.flip(-1), like=x), tv_tensors.Image)",
			v2.Lambda(func(x tv.Image) tv.Image { return tv.Image{Tensor: x.Flip(-1)} }), r.sample()}
	}},
	{"Resize", func(r maker) made {
		o := v2.ResizeOptions{Interpolation: interpolation(r, true), NoAntialias: r.IntN(3) == 0}
		tail := fmt.Sprintf("interpolation=%q, antialias=%s)", string(o.Interpolation), py(!o.NoAntialias))
		switch r.IntN(3) {
		case 0:
			n := r.between(1, 60)
			return made{fmt.Sprintf("v2.Resize(%d, ", n) + tail, v2.Resize(n, o), r.sample()}
		case 1:
			o.MaxSize = r.between(10, 60)
			return made{fmt.Sprintf("v2.Resize(None, max_size=%d, ", o.MaxSize) + tail, v2.Resize(nil, o), r.sample()}
		}
		s := []int{r.between(1, 60), r.between(1, 60)}
		return made{fmt.Sprintf("v2.Resize(%s, ", py(s)) + tail, v2.Resize(s, o), r.sample()}
	}},
	{"CenterCrop", func(r maker) made {
		s := []int{r.between(1, 60), r.between(1, 60)}
		return made{"v2.CenterCrop(" + py(s) + ")", v2.CenterCrop(s), r.sample()}
	}},
	{"RandomResizedCrop", func(r maker) made {
		s := []int{r.between(1, 40), r.between(1, 40)}
		o := v2.RandomResizedCropOptions{Interpolation: interpolation(r, true), NoAntialias: r.IntN(3) == 0}
		scale, ratio := []float64{0.08, 1}, []float64{3.0 / 4, 4.0 / 3}
		if r.IntN(2) == 0 {
			scale, ratio = []float64{r.float(0, 0.5), r.float(0.5, 1)}, []float64{r.float(0.2, 1), r.float(1, 4)}
			o.Scale, o.Ratio = scale, ratio
		}
		return made{fmt.Sprintf("v2.RandomResizedCrop(%s, scale=%s, ratio=%s, interpolation=%q, antialias=%s)", py(s), py(scale), py(ratio), string(o.Interpolation), py(!o.NoAntialias)),
			v2.RandomResizedCrop(s, o), r.sample()}
	}},
	{"FiveCrop", func(r maker) made {
		s := []int{r.between(1, 20), r.between(1, 20)}
		return made{"v2.FiveCrop(" + py(s) + ")", v2.FiveCrop(s), without(r.sample(), tv.BoxesKind, tv.MaskKind)}
	}},
	{"TenCrop", func(r maker) made {
		n, vertical := r.between(1, 20), r.IntN(2) == 0
		return made{fmt.Sprintf("v2.TenCrop(%d, %s)", n, py(vertical)), v2.TenCrop(n, v2.TenCropOptions{VerticalFlip: vertical}), without(r.sample(), tv.BoxesKind, tv.MaskKind)}
	}},
	{"Pad", func(r maker) made {
		p := []int{r.between(0, 9), r.between(0, 9), r.between(0, 9), r.between(0, 9)}
		fill, of, arg := fillArg(r)
		o := v2.PadOptions{Fill: fill, FillOf: of}
		mode := "constant"
		if r.IntN(3) == 0 {
			mode = r.pick("edge", "reflect", "symmetric")
			o.PaddingMode = v2.PaddingMode(mode)
		}
		sample := r.sample()
		if mode != "constant" {
			sample = without(sample, tv.BoxesKind, tv.KeyPointsKind)
		}
		return made{fmt.Sprintf("v2.Pad(%s, fill=%s, padding_mode=%q)", py(p), arg, mode), v2.Pad(p, o), sample}
	}},
	{"RandomZoomOut", func(r maker) made {
		p, arg := withP(r)
		fill, of, f := fillArg(r)
		o := v2.RandomZoomOutOptions{Fill: fill, FillOf: of, P: &p}
		side := []float64{1, 4}
		if r.IntN(2) == 0 {
			side = []float64{r.float(1, 1.5), r.float(1.5, 3)}
			o.SideRange = side
		}
		return made{fmt.Sprintf("v2.RandomZoomOut(fill=%s, side_range=%s, %s)", f, py(side), arg), v2.RandomZoomOut(o), r.sample()}
	}},
	{"RandomRotation", func(r maker) made {
		fill, of, f := fillArg(r)
		o := v2.RandomRotationOptions{Fill: fill, FillOf: of, Interpolation: interpolation(r, false), Center: centerFor(r), Expand: r.IntN(2) == 0}
		d := []float64{r.float(-180, 0), r.float(0, 180)}
		var degrees any = d
		arg := py(d)
		if r.IntN(2) == 0 {
			degrees, arg = d[1], py(d[1])
		}
		return made{fmt.Sprintf("v2.RandomRotation(%s, interpolation=%q, expand=%s, center=%s, fill=%s)", arg, string(o.Interpolation), py(o.Expand), py(o.Center), f),
			v2.RandomRotation(degrees, o), r.sample()}
	}},
	{"RandomAffine", func(r maker) made {
		fill, of, f := fillArg(r)
		o := v2.RandomAffineOptions{Fill: fill, FillOf: of, Interpolation: interpolation(r, false), Center: centerFor(r)}
		if r.IntN(2) == 0 {
			o.Translate = []float64{r.Float64(), r.Float64()}
		}
		if r.IntN(2) == 0 {
			o.Scale = []float64{r.float(0.2, 1), r.float(1, 2)}
		}
		shear := "None"
		switch r.IntN(3) {
		case 0:
			s := []float64{-r.float(0, 40), r.float(0, 40), -r.float(0, 40), r.float(0, 40)}
			o.Shear, shear = s, py(s)
		case 1:
			s := r.float(0, 40)
			o.Shear, shear = s, py(s)
		}
		d := r.float(0, 180)
		return made{fmt.Sprintf("v2.RandomAffine(%v, translate=%s, scale=%s, shear=%s, interpolation=%q, fill=%s, center=%s)", d, py(o.Translate), py(o.Scale), shear, string(o.Interpolation), f, py(o.Center)),
			v2.RandomAffine(d, o), r.sample()}
	}},
	{"RandomCrop", func(r maker) made {
		fill, of, f := fillArg(r)
		s := []int{r.between(1, 30), r.between(1, 30)}
		o := v2.RandomCropOptions{PadIfNeeded: r.IntN(2) == 0, Fill: fill, FillOf: of}
		padding := "None"
		if r.IntN(2) == 0 {
			p := make([]int, pickOf(r, 1, 2, 4))
			for i := range p {
				p[i] = r.between(0, 9)
			}
			o.Padding, padding = p, py(p)
		}
		return made{fmt.Sprintf("v2.RandomCrop(%s, padding=%s, pad_if_needed=%s, fill=%s)", py(s), padding, py(o.PadIfNeeded), f), v2.RandomCrop(s, o), r.sample()}
	}},
	{"RandomPerspective", func(r maker) made {
		p, arg := withP(r)
		fill, of, f := fillArg(r)
		d := r.Float64()
		o := v2.RandomPerspectiveOptions{DistortionScale: &d, P: &p, Fill: fill, FillOf: of, Interpolation: interpolation(r, false)}
		return made{fmt.Sprintf("v2.RandomPerspective(%v, %s, interpolation=%q, fill=%s)", d, arg, string(o.Interpolation), f), v2.RandomPerspective(o), r.sample()}
	}},
	{"ElasticTransform", func(r maker) made {
		fill, of, f := fillArg(r)
		a, s := []float64{r.float(0, 80), r.float(0, 80)}, []float64{r.float(0.5, 2), r.float(0.5, 2)}
		o := v2.ElasticTransformOptions{Alpha: a, Sigma: s, Fill: fill, FillOf: of, Interpolation: interpolation(r, false)}
		return made{fmt.Sprintf("v2.ElasticTransform(%s, %s, interpolation=%q, fill=%s)", py(a), py(s), string(o.Interpolation), f), v2.ElasticTransform(o), r.sample()}
	}},
	{"RandomIoUCrop", func(r maker) made {
		h, w := r.between(8, 60), r.between(8, 60)
		sample := []any{tv.Image{Tensor: r.image(h, w)}, r.boxes(h, w, upright...), tv.Mask{Tensor: r.mask(h, w)}}
		if r.IntN(3) == 0 {
			sample[0] = r.picture(h, w)
		}
		if r.IntN(2) == 0 {
			o := v2.RandomIoUCropOptions{MinScale: r.float(0.2, 0.6), MaxScale: r.float(0.6, 1), MinAspectRatio: new(0.3), MaxAspectRatio: 3, SamplerOptions: []float64{0, 0.2, 0.4, 2}, Trials: new(10)}
			return made{fmt.Sprintf("v2.RandomIoUCrop(%v, %v, 0.3, 3, [0, 0.2, 0.4, 2], 10)", o.MinScale, o.MaxScale), v2.RandomIoUCrop(o), sample}
		}
		return made{"v2.RandomIoUCrop()", v2.RandomIoUCrop(), sample}
	}},
	{"ScaleJitter", func(r maker) made {
		target := [2]int{r.between(10, 60), r.between(10, 60)}
		o := v2.ScaleJitterOptions{ResizeOptions: v2.ResizeOptions{Interpolation: interpolation(r, true), NoAntialias: r.IntN(2) == 0}}
		return made{fmt.Sprintf("v2.ScaleJitter((%d, %d), interpolation=%q, antialias=%s)", target[0], target[1], string(o.Interpolation), py(!o.NoAntialias)), v2.ScaleJitter(target, o), r.sample()}
	}},
	{"RandomShortestSize", func(r maker) made {
		s := []int{r.between(5, 20), r.between(5, 40), r.between(5, 60)}
		o := v2.ResizeOptions{Interpolation: interpolation(r, true)}
		longest := "None"
		if r.IntN(2) == 0 {
			o.MaxSize = r.between(10, 60)
			longest = fmt.Sprint(o.MaxSize)
		}
		return made{fmt.Sprintf("v2.RandomShortestSize(%s, max_size=%s, interpolation=%q)", py(s), longest, string(o.Interpolation)), v2.RandomShortestSize(s, o), r.sample()}
	}},
	{"RandomResize", func(r maker) made {
		low := r.between(1, 20)
		high := low + r.between(1, 30)
		return made{fmt.Sprintf("v2.RandomResize(%d, %d)", low, high), v2.RandomResize(low, high), r.sample()}
	}},
	{"ColorJitter", func(r maker) made {
		o := v2.ColorJitterOptions{}
		var args []string
		if r.IntN(4) > 0 {
			b := r.float(0, 1.5)
			o.Brightness, args = b, append(args, fmt.Sprintf("brightness=%v", b))
		}
		if r.IntN(4) > 0 {
			c := []float64{r.float(0, 1), r.float(1, 2)}
			o.Contrast, args = c, append(args, "contrast="+py(c))
		}
		if r.IntN(4) > 0 {
			s := r.float(0, 1)
			o.Saturation, args = s, append(args, fmt.Sprintf("saturation=%v", s))
		}
		if r.IntN(4) > 0 {
			h := r.float(0, 0.5)
			o.Hue, args = h, append(args, fmt.Sprintf("hue=%v", h))
		}
		return made{"v2.ColorJitter(" + strings.Join(args, ", ") + ")", v2.ColorJitter(o), color(r)}
	}},
	{"RandomPhotometricDistort", func(r maker) made {
		p, arg := withP(r)
		return made{"v2.RandomPhotometricDistort(" + arg + ")", v2.RandomPhotometricDistort(v2.RandomPhotometricDistortOptions{P: &p}), color(r)}
	}},
	{"RandomChannelPermutation", func(r maker) made {
		return made{"v2.RandomChannelPermutation()", v2.RandomChannelPermutation(), color(r)}
	}},
	{"Grayscale", func(r maker) made {
		n := pickOf(r, 1, 3)
		return made{fmt.Sprintf("v2.Grayscale(%d)", n), v2.Grayscale(n), color(r)}
	}},
	{"RGB", func(r maker) made { return made{"v2.RGB()", v2.RGB(), color(r)} }},
	{"GaussianBlur", func(r maker) made {
		k := []int{2*r.between(0, 3) + 1, 2*r.between(0, 3) + 1}
		s := []float64{r.float(0.1, 1), r.float(1, 2)}
		return made{fmt.Sprintf("v2.GaussianBlur(%s, %s)", py(k), py(s)), v2.GaussianBlur(k, v2.GaussianBlurOptions{Sigma: s}), r.sample()}
	}},
	{"GaussianNoise", func(r maker) made {
		r.dtype = []torch.DType{torch.Uint8, torch.Float32, torch.Float64}
		o := v2.GaussianNoiseOptions{Mean: r.float(-0.2, 0.2), Sigma: ptr(r.float(0, 0.5)), NoClip: r.IntN(2) == 0}
		return made{fmt.Sprintf("v2.GaussianNoise(%v, %v, %s)", o.Mean, *o.Sigma, py(!o.NoClip)), v2.GaussianNoise(o), without(r.sample(), tv.Picture)}
	}},
	{"RandomErasing", func(r maker) made {
		p, arg := withP(r)
		o := v2.RandomErasingOptions{P: &p}
		value := "0"
		switch r.IntN(3) {
		case 0:
			o.Random, value = true, "'random'"
		case 1:
			o.Value = []float64{r.float(0, 200)}
			value = py(o.Value[0])
		}
		if r.IntN(2) == 0 {
			o.Scale, o.Ratio = []float64{0.1, 0.6}, []float64{0.5, 2}
			arg += ", scale=(0.1, 0.6), ratio=(0.5, 2)"
		}
		return made{"v2.RandomErasing(" + arg + ", value=" + value + ")", v2.RandomErasing(o), color(r)}
	}},
	{"ToImage", func(r maker) made { return made{"v2.ToImage()", v2.ToImage(), r.sample()} }},
	{"ToPureTensor", func(r maker) made { return made{"v2.ToPureTensor()", v2.ToPureTensor(), r.sample()} }},
	{"PILToTensor", func(r maker) made { return made{"v2.PILToTensor()", v2.PILToTensor(), r.sample()} }},
	{"ToTensor", func(r maker) made { return made{"v2.ToTensor()", v2.ToTensor(), r.sample()} }},
	{"ToPILImage", func(r maker) made {
		h, w := r.size()
		r.dtype = []torch.DType{torch.Uint8, torch.Float32, torch.Int16, torch.Int32}
		_, c := r.kind(1, 2, 3, 4)
		d, _ := r.kind(1)
		x := r.pixels(d, c, h, w)
		sample := []any{tv.Image{Tensor: x}}
		if r.IntN(2) == 0 {
			sample[0] = x
		}
		if c == 4 && (d == torch.Uint8 || d == torch.Float32) && r.IntN(2) == 0 {
			return made{"v2.ToPILImage('CMYK')", v2.ToPILImage("CMYK"), sample}
		}
		return made{"v2.ToPILImage()", v2.ToPILImage(), sample}
	}},
	{"ToDtype", func(r maker) made {
		d := pickOf(r, imageDTypes...)
		scale := r.IntN(3) > 0
		if r.IntN(3) == 0 {
			return made{fmt.Sprintf("v2.ToDtype({tv_tensors.Image: torch.%v, tv_tensors.Mask: torch.int64, 'others': None}, %s)", d, py(scale)),
				v2.ToDtypes(map[v2.Kind]torch.DType{tv.ImageKind: d, tv.MaskKind: torch.Int64, tv.Other: 0}, scale), r.sample()}
		}
		return made{fmt.Sprintf("v2.ToDtype(torch.%v, %s)", d, py(scale)), v2.ToDtype(d, scale), r.sample()}
	}},
	{"ConvertImageDtype", func(r maker) made {
		d := pickOf(r, torch.Float32, torch.Float64, torch.Uint8)
		return made{fmt.Sprintf("v2.ConvertImageDtype(torch.%v)", d), v2.ConvertImageDtype(d), r.sample()}
	}},
	{"Normalize", func(r maker) made {
		r.dtype = []torch.DType{torch.Float32, torch.Float64, torch.Float16}
		r.c = 3
		mean, std := []float64{r.Float64(), r.Float64(), r.Float64()}, []float64{r.float(0.1, 1), r.float(0.1, 1), r.float(0.1, 1)}
		return made{"v2.Normalize(" + py(mean) + ", " + py(std) + ")", v2.Normalize(mean, std), without(r.sample(), tv.Picture)}
	}},
	{"LinearTransformation", func(r maker) made {
		n := 3 * 2 * 4
		r.dtype = []torch.DType{torch.Float32, torch.Float64}
		m, v := torch.Arange(n*n).ToDType(torch.Float32).SinInPlace().Reshape(n, n), torch.Arange(n).ToDType(torch.Float32).CosInPlace()
		d, _ := r.kind(3)
		return made{fmt.Sprintf("v2.LinearTransformation(torch.arange(%d).float().sin_().reshape(%d, %d), torch.arange(%d).float().cos_())", n*n, n, n, n),
			v2.LinearTransformation(m, v), []any{tv.Image{Tensor: r.pixels(d, 2, 3, 2, 4)}, tv.Video{Tensor: r.pixels(d, 5, 3, 2, 4)}, 3}}
	}},
	{"UniformTemporalSubsample", func(r maker) made {
		n := r.between(1, 9)
		return made{fmt.Sprintf("v2.UniformTemporalSubsample(%d)", n), v2.UniformTemporalSubsample(n), r.sample()}
	}},
	{"ConvertBoundingBoxFormat", func(r maker) made {
		f := pickOf(r, formats...)
		return made{"v2.ConvertBoundingBoxFormat(" + py(f.String()) + ")", v2.ConvertBoundingBoxFormat(f), r.sample()}
	}},
	{"ClampBoundingBoxes", func(r maker) made {
		if r.IntN(2) == 0 {
			return made{"v2.ClampBoundingBoxes()", v2.ClampBoundingBoxes(), r.sample()}
		}
		return made{"v2.ClampBoundingBoxes('hard')", v2.ClampBoundingBoxes(tv.Hard), r.sample()}
	}},
	{"ClampKeyPoints", func(r maker) made { return made{"v2.ClampKeyPoints()", v2.ClampKeyPoints(), r.sample()} }},
	{"SetClampingMode", func(r maker) made {
		if r.IntN(2) == 0 {
			return made{"v2.SetClampingMode(None)", v2.SetClampingMode(tv.NoClamp), r.sample()}
		}
		return made{"v2.SetClampingMode('hard')", v2.SetClampingMode(tv.Hard), r.sample()}
	}},
	{"SanitizeBoundingBoxes", func(r maker) made {
		h, w := r.between(10, 60), r.between(10, 60)
		b := r.boxes(h, w, formats...)
		n := b.Size(0)
		sample := []any{tv.Image{Tensor: r.image(h, w)}, torch.Arange(n), b, tv.Mask{Tensor: r.pixels(torch.Uint8, pickOf(r, n, n, 2), h, w)}}
		size := r.float(1, 8)
		return made{fmt.Sprintf("v2.SanitizeBoundingBoxes(min_size=%v)", size), v2.SanitizeBoundingBoxes(v2.SanitizeBoundingBoxesOptions{MinSize: size}), sample}
	}},
	{"SanitizeKeyPoints", func(r maker) made {
		h, w := r.size()
		k := r.points(h, w)
		if r.IntN(2) == 0 {
			return made{"v2.SanitizeKeyPoints()", v2.SanitizeKeyPoints(), []any{tv.Image{Tensor: r.image(h, w)}, torch.Arange(k.Size(0)), k}}
		}
		return made{"v2.SanitizeKeyPoints('default')", v2.SanitizeKeyPoints(v2.SanitizeKeyPointsOptions{Labels: []string{"default"}}), []any{tv.Image{Tensor: r.image(h, w)}, torch.Arange(k.Size(0)), k}}
	}},
	{"MixUp", mixRow("MixUp", v2.MixUp)},
	{"CutMix", mixRow("CutMix", v2.CutMix)},
	{"JPEG", func(r maker) made {
		r.dtype = []torch.DType{torch.Uint8}
		low := r.between(1, 60)
		return made{fmt.Sprintf("v2.JPEG((%d, 90))", low), v2.JPEG(low, 90), color(r)}
	}},
	{"AutoAugment", func(r maker) made {
		policy := pickOf(r, v2.ImageNet, v2.CIFAR10, v2.SVHN)
		o := v2.AutoAugmentOptions{Policy: policy, WarpOptions: v2.WarpOptions{Interpolation: interpolation(r, false)}}
		return made{fmt.Sprintf("v2.AutoAugment(v2.AutoAugmentPolicy.%s, interpolation=%q)", strings.ToUpper(string(policy)), string(o.Interpolation)), v2.AutoAugment(o), oneImage(r)}
	}},
	{"RandAugment", func(r maker) made {
		m := r.between(0, 30)
		o := v2.RandAugmentOptions{Magnitude: &m, WarpOptions: v2.WarpOptions{Fill: v2.Fill{9}}}
		return made{fmt.Sprintf("v2.RandAugment(magnitude=%d, fill=9)", m), v2.RandAugment(o), oneImage(r)}
	}},
	{"TrivialAugmentWide", func(r maker) made {
		o := v2.TrivialAugmentWideOptions{WarpOptions: v2.WarpOptions{Interpolation: interpolation(r, false)}}
		return made{fmt.Sprintf("v2.TrivialAugmentWide(interpolation=%q)", string(o.Interpolation)), v2.TrivialAugmentWide(o), oneImage(r)}
	}},
	{"AugMix", func(r maker) made {
		o := v2.AugMixOptions{Severity: r.between(1, 10), NoColor: r.IntN(2) == 0, ChainDepth: pickOf(r, 0, 2)}
		depth := o.ChainDepth
		if depth == 0 {
			depth = -1
		}
		return made{fmt.Sprintf("v2.AugMix(severity=%d, chain_depth=%d, all_ops=%s)", o.Severity, depth, py(!o.NoColor)), v2.AugMix(o), oneImage(r)}
	}},
	{"Compose", func(r maker) made {
		return made{"v2.Compose([v2.RandomHorizontalFlip(), v2.RandomCrop(3, pad_if_needed=True), v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.ToPureTensor()])",
			v2.Compose(v2.RandomHorizontalFlip(), v2.RandomCrop(3, v2.RandomCropOptions{PadIfNeeded: true}), v2.ToImage(), v2.ToDtype(torch.Float32, true), v2.ToPureTensor()), r.sample()}
	}},
	{"RandomApply", func(r maker) made {
		p := r.Float64()
		return made{fmt.Sprintf("v2.RandomApply([v2.CenterCrop(5), v2.RandomVerticalFlip()], p=%v)", p),
			v2.RandomApply([]v2.Transform{v2.CenterCrop(5), v2.RandomVerticalFlip()}, p), r.sample()}
	}},
	{"RandomChoice", func(r maker) made {
		ts := []v2.Transform{v2.CenterCrop(5), v2.RandomVerticalFlip(1), v2.Pad(2)}
		if r.IntN(2) == 0 {
			return made{"v2.RandomChoice([v2.CenterCrop(5), v2.RandomVerticalFlip(1), v2.Pad(2)], p=[1, 0.5, 3])", v2.RandomChoice(ts, 1, 0.5, 3), r.sample()}
		}
		return made{"v2.RandomChoice([v2.CenterCrop(5), v2.RandomVerticalFlip(1), v2.Pad(2)])", v2.RandomChoice(ts), r.sample()}
	}},
	{"RandomOrder", func(r maker) made {
		return made{"v2.RandomOrder([v2.CenterCrop(5), v2.RandomVerticalFlip(), v2.Pad([2, 1])])", v2.RandomOrder(v2.CenterCrop(5), v2.RandomVerticalFlip(), v2.Pad([]int{2, 1})), r.sample()}
	}},
	{"Transform", func(r maker) made { // one of one's own
		t := v2.New("Shift()", v2.Hooks[int]{
			Params: func(flat []any, g *torch.Generator) int {
				return int(torch.Options{DType: torch.Int64}.Empty(1).RandomInPlace(0, 9, torch.RandomOptions{Generator: g}).Item())
			},
			Takes:     v2.Is[tv.Image],
			Transform: func(v any, n int) any { return tv.Image{Tensor: v.(tv.Image).Roll(n, -1)} },
		})
		return made{"type('Shift', (v2.Transform,), {'_transformed_types': (tv_tensors.Image,), 'make_params': lambda self, flat: dict(n=int(torch.randint(9, (1,)))), 'transform': lambda self, x, p: tv_tensors.wrap(x.roll(p['n'], -1), like=x)})()", t, r.sample()}
	}},
}

func mixRow(name string, f func(...v2.MixOptions) v2.Transform) func(r maker) made {
	return func(r maker) made {
		h, w, n := r.between(1, 20), r.between(1, 20), r.between(1, 5)
		alpha := pickOf(r, 1.0, 0.4, 2.5)
		var x any = r.pixels(pickOf(r, torch.Float32, torch.Float64, torch.Float32), n, 3, h, w)
		switch r.IntN(3) {
		case 0:
			x = tv.Image{Tensor: x.(*torch.Tensor)}
		case 1:
			x = tv.Video{Tensor: r.pixels(torch.Float32, n, 2, 3, h, w)}
		}
		if r.IntN(3) == 0 {
			return made{fmt.Sprintf("v2.%s(alpha=%s)", name, py(alpha)), f(v2.MixOptions{Alpha: alpha}), []any{x, r.pixels(torch.Float32, n, 4)}}
		}
		return made{fmt.Sprintf("v2.%s(alpha=%s, num_classes=7)", name, py(alpha)), f(v2.MixOptions{Alpha: alpha, NumClasses: 7}), []any{x, torch.Arange(n)}}
	}
}

// TestClassesEqualPython compares each class, bit for bit, on samples of values of
// all kinds, sizes and dtypes and with random arguments, after the same seed; what Python refuses must be refused.
func TestClassesEqualPython(t *testing.T) {
	p := start(t)
	for _, row := range classes {
		t.Run(row.name, func(t *testing.T) {
			done := 0
			n := trials + largeTrials()
			for seed := range n {
				m := row.make(maker{Rand: rand.New(rand.NewPCG(uint64(seed), 3)), large: seed >= trials})
				if compare(t, p, m, seed) {
					done++
				}
			}
			t.Logf("%d of %d samples were transformed", done, n)
			require.Greater(t, done, trials/8)
		})
	}
}

// compare runs a transform in Go and in Python on one sample and reports whether it was transformed.
func compare(t *testing.T, p live, m made, seed int) bool {
	t.Helper()
	want, raised := p.transform(m.python, seed, m.sample)
	before := pack(m.sample)
	var got []any
	err := seeded(seed, func() { got = v2.Apply(m.t, m.sample) })
	what := fmt.Sprintf("%s, seed %d, %s", m.python, seed, briefs(packAll(m.sample)))
	require.Empty(t, same(before, pack(m.sample), 0), "%s: the sample was changed", what)
	if raised != "" {
		if err == nil {
			t.Errorf("%s: Python raises %s", what, raised)
		}
		return false
	}
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return false
	}
	require.Len(t, got, len(want), what)
	for i := range want {
		if why := same(want[i], pack(got[i]), 0); why != "" {
			t.Errorf("%s: value %d: %s", what, i, why)
		}
	}
	return true
}
