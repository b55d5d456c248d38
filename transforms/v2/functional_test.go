package v2_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	F "github.com/torchhub/torchhub/transforms/v2/functional"
)

func py(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return fmt.Sprintf("%q", v)
	case F.Interpolation:
		return fmt.Sprintf("%q", string(v))
	case F.Fill:
		if v == nil {
			return "None"
		}
		return py([]float64(v))
	case []int:
		if v == nil {
			return "None"
		}
		return "[" + strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ", "), "[]") + "]"
	case []float64:
		if v == nil {
			return "None"
		}
		var parts []string
		for _, f := range v {
			parts = append(parts, py(f))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case float64:
		s := fmt.Sprintf("%v", v)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	case [][2]int:
		return strings.ReplaceAll(fmt.Sprint(v), " ", ", ")
	}
	return fmt.Sprint(v)
}

// call writes a call in Python.
func pyCall(name string, args ...any) string {
	var parts []string
	for _, a := range args {
		switch a := a.(type) {
		case kw:
			parts = append(parts, a.name+"="+py(a.value))
		default:
			parts = append(parts, py(a))
		}
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

type kw struct {
	name  string
	value any
}

// functionals are rows: each returns, for random arguments, the functional in Python and in Go.
var functionals = []struct {
	name string
	make func(r maker) (python string, f func(any) any)
}{
	{"horizontal_flip", func(r maker) (string, func(any) any) { return "F.horizontal_flip", F.HorizontalFlip[any] }},
	{"vertical_flip", func(r maker) (string, func(any) any) { return "F.vertical_flip", F.VerticalFlip[any] }},
	{"resize", func(r maker) (string, func(any) any) {
		o := F.ResizeOptions{Interpolation: F.Interpolation(r.pick("nearest", "nearest-exact", "bilinear", "bilinear", "bicubic", "lanczos", "box", "hamming")), NoAntialias: r.IntN(4) == 0}
		var size []int
		switch r.IntN(4) {
		case 0:
			size = []int{r.between(1, 70)}
		case 1:
			size = []int{r.between(1, 40)}
			o.MaxSize = size[0] + r.between(1, 60)
		case 2:
			o.MaxSize = r.between(1, 80)
		default:
			size = []int{r.between(1, 70), r.between(1, 70)}
		}
		var longest any
		if o.MaxSize > 0 {
			longest = o.MaxSize
		}
		return lambda(pyCall("F.resize", raw("x"), size, kw{"interpolation", o.Interpolation}, kw{"max_size", longest}, kw{"antialias", !o.NoAntialias})),
			func(v any) any { return F.Resize(v, intsOrNil(size), o) }
	}},
	{"pad", func(r maker) (string, func(any) any) {
		o := F.PadOptions{PaddingMode: F.PaddingMode(r.pick("constant", "constant", "edge", "reflect", "symmetric")), Fill: fillFor(r)}
		p := make([]int, pickOf(r, 1, 2, 4))
		for i := range p {
			p[i] = r.between(0, 5)
			if r.IntN(8) == 0 {
				p[i] = -1
			}
		}
		return lambda(pyCall("F.pad", raw("x"), p, kw{"fill", scalar(o.Fill)}, kw{"padding_mode", string(o.PaddingMode)})),
			func(v any) any { return F.Pad(v, p, o) }
	}},
	{"crop", func(r maker) (string, func(any) any) {
		t, l, h, w := r.between(-10, 40), r.between(-10, 40), r.between(1, 50), r.between(1, 50)
		return lambda(pyCall("F.crop", raw("x"), t, l, h, w)), func(v any) any { return F.Crop(v, t, l, h, w) }
	}},
	{"center_crop", func(r maker) (string, func(any) any) {
		s := []int{r.between(1, 70), r.between(1, 70)}
		return lambda(pyCall("F.center_crop", raw("x"), s)), func(v any) any { return F.CenterCrop(v, s) }
	}},
	{"resized_crop", func(r maker) (string, func(any) any) {
		t, l, h, w := r.between(-3, 10), r.between(-3, 10), r.between(1, 50), r.between(1, 50)
		s := []int{r.between(1, 40), r.between(1, 40)}
		o := F.ResizeOptions{Interpolation: F.Interpolation(r.pick("nearest", "bilinear", "bicubic")), NoAntialias: r.IntN(3) == 0}
		return lambda(pyCall("F.resized_crop", raw("x"), t, l, h, w, s, kw{"interpolation", o.Interpolation}, kw{"antialias", !o.NoAntialias})),
			func(v any) any { return F.ResizedCrop(v, t, l, h, w, s, o) }
	}},
	{"five_crop", func(r maker) (string, func(any) any) {
		s := []int{r.between(1, 30), r.between(1, 30)}
		return lambda(pyCall("F.five_crop", raw("x"), s)), func(v any) any { return F.FiveCrop(v, s) }
	}},
	{"ten_crop", func(r maker) (string, func(any) any) {
		s, vertical := []int{r.between(1, 30)}, r.IntN(2) == 0
		return lambda(pyCall("F.ten_crop", raw("x"), s, vertical)), func(v any) any { return F.TenCrop(v, s, vertical) }
	}},
	{"affine", func(r maker) (string, func(any) any) {
		m := F.AffineMap{Angle: r.float(-200, 200), Translate: [2]float64{float64(r.between(-9, 9)), r.float(-9, 9)}, Scale: r.float(0.3, 2), Shear: [2]float64{r.float(-40, 40), r.float(-40, 40)}}
		o := F.AffineOptions{Interpolation: F.Interpolation(r.pick("nearest", "bilinear", "bicubic")), Fill: fillFor(r), Center: centerFor(r)}
		return lambda(pyCall("F.affine", raw("x"), m.Angle, m.Translate[:], m.Scale, m.Shear[:], kw{"interpolation", o.Interpolation}, kw{"fill", scalar(o.Fill)}, kw{"center", o.Center})),
			func(v any) any { return F.Affine(v, m, o) }
	}},
	{"rotate", func(r maker) (string, func(any) any) {
		angle := pickOf(r, r.float(-400, 400), r.float(-50, 50), 0, 90, 180, 270, -90, 360)
		o := F.RotateOptions{Interpolation: F.Interpolation(r.pick("nearest", "bilinear", "bicubic")), Fill: fillFor(r), Center: centerFor(r), Expand: r.IntN(2) == 0}
		return lambda(pyCall("F.rotate", raw("x"), angle, kw{"interpolation", o.Interpolation}, kw{"expand", o.Expand}, kw{"center", o.Center}, kw{"fill", scalar(o.Fill)})),
			func(v any) any { return F.Rotate(v, angle, o) }
	}},
	{"perspective", func(r maker) (string, func(any) any) {
		start := [][2]int{{0, 0}, {40, 0}, {40, 30}, {0, 30}}
		end := make([][2]int, 4)
		for i, s := range start {
			end[i] = [2]int{s[0] + r.between(-9, 9), s[1] + r.between(-9, 9)}
		}
		o := F.PerspectiveOptions{Interpolation: F.Interpolation(r.pick("nearest", "bilinear", "bicubic")), Fill: fillFor(r)}
		return lambda(pyCall("F.perspective", raw("x"), start, end, kw{"interpolation", o.Interpolation}, kw{"fill", scalar(o.Fill)})),
			func(v any) any { return F.Perspective(v, start, end, o) }
	}},
	{"elastic", func(r maker) (string, func(any) any) {
		o := F.ElasticOptions{Interpolation: F.Interpolation(r.pick("nearest", "bilinear", "bicubic")), Fill: fillFor(r)}
		return lambda("F.elastic(x, torch.rand(1, *F.get_size(x), 2) * 0.3 - 0.1, interpolation=" + py(o.Interpolation) + ", fill=" + py(scalar(o.Fill)) + ")"),
			func(v any) any {
				h, w := F.GetSize(v)
				return F.Elastic(v, torch.Rand(1, h, w, 2).MulScalar(0.3).SubScalar(0.1), o)
			}
	}},
	{"rgb_to_grayscale", func(r maker) (string, func(any) any) {
		n := pickOf(r, 1, 3, 2)
		return lambda(pyCall("F.rgb_to_grayscale", raw("x"), n)), func(v any) any { return F.RGBToGrayscale(v, n) }
	}},
	{"grayscale_to_rgb", func(r maker) (string, func(any) any) { return "F.grayscale_to_rgb", F.GrayscaleToRGB[any] }},
	{"adjust_brightness", func(r maker) (string, func(any) any) {
		x := pickOf[torch.Number](r, r.float(-0.1, 2.5), 0.0, 1.0, 0, 1, r.between(2, 300), -1, int(1)<<r.between(8, 40))
		return lambda(pyCall("F.adjust_brightness", raw("x"), x)), func(v any) any { return F.AdjustBrightness(v, x) }
	}},
	{"adjust_contrast", factorRow("adjust_contrast", F.AdjustContrast[any], -0.1, 2.5)},
	{"adjust_saturation", factorRow("adjust_saturation", F.AdjustSaturation[any], -0.1, 2.5)},
	{"adjust_sharpness", factorRow("adjust_sharpness", F.AdjustSharpness[any], -0.1, 2.5)},
	{"adjust_hue", factorRow("adjust_hue", F.AdjustHue[any], -0.55, 0.55)},
	{"adjust_gamma", func(r maker) (string, func(any) any) {
		gamma, gain := pickOf(r, 0, 1, r.float(0, 3)), pickOf(r, 1, r.float(0, 2))
		return lambda(pyCall("F.adjust_gamma", raw("x"), gamma, gain)), func(v any) any { return F.AdjustGamma(v, gamma, gain) }
	}},
	{"posterize", func(r maker) (string, func(any) any) {
		n := r.between(0, 9)
		return lambda(pyCall("F.posterize", raw("x"), n)), func(v any) any { return F.Posterize(v, n) }
	}},
	{"solarize", func(r maker) (string, func(any) any) {
		t := threshold(r)
		return lambda(pyCall("F.solarize", raw("x"), t)), func(v any) any { return F.Solarize(v, t) }
	}},
	{"autocontrast", func(r maker) (string, func(any) any) { return "F.autocontrast", F.Autocontrast[any] }},
	{"equalize", func(r maker) (string, func(any) any) { return "F.equalize", F.Equalize[any] }},
	{"invert", func(r maker) (string, func(any) any) { return "F.invert", F.Invert[any] }},
	{"permute_channels", func(r maker) (string, func(any) any) {
		p := r.Perm(pickOf(r, 3, 3, 1, 4))
		return lambda(pyCall("F.permute_channels", raw("x"), p)), func(v any) any { return F.PermuteChannels(v, p) }
	}},
	{"normalize", func(r maker) (string, func(any) any) {
		n := pickOf(r, 1, 3)
		mean, std := make([]float64, n), make([]float64, n)
		for i := range mean {
			mean[i], std[i] = r.float(-1, 1), r.float(0.1, 2)
		}
		return lambda(pyCall("F.normalize", raw("x"), mean, std)), func(v any) any { return F.Normalize(v, mean, std) }
	}},
	{"gaussian_blur", func(r maker) (string, func(any) any) {
		k := []int{2*r.between(0, 4) + 1, 2*r.between(0, 4) + 1}
		var sigma []float64
		for range r.IntN(3) {
			sigma = append(sigma, r.float(0.1, 3))
		}
		return lambda(pyCall("F.gaussian_blur", raw("x"), k, sigma)), func(v any) any { return F.GaussianBlur(v, k, sigma) }
	}},
	{"gaussian_noise", func(r maker) (string, func(any) any) {
		mean, sigma, clip := r.float(-0.2, 0.2), r.float(0, 0.5), r.IntN(2) == 0
		return lambda(pyCall("F.gaussian_noise", raw("x"), mean, sigma, clip)),
			func(v any) any { return F.GaussianNoise(v, mean, sigma, F.GaussianNoiseOptions{NoClip: !clip}) }
	}},
	{"to_dtype", func(r maker) (string, func(any) any) {
		d := pickOf(r, imageDTypes...)
		scale := r.IntN(3) > 0
		return lambda("F.to_dtype(x, torch." + d.String() + ", scale=" + py(scale) + ")"), func(v any) any { return F.ToDtype(v, d, scale) }
	}},
	{"erase", func(r maker) (string, func(any) any) {
		i, j, h, w := r.between(0, 20), r.between(0, 20), r.between(0, 20), r.between(0, 20)
		n := pickOf(r, 1, 3)
		values := make([]float64, n)
		for i := range values {
			values[i] = r.float(0, 200)
		}
		return lambda(fmt.Sprintf("F.erase(x, %d, %d, %d, %d, torch.tensor(%s)[:, None, None])", i, j, h, w, py(values))),
			func(v any) any {
				return F.Erase(v, i, j, h, w, torch.FromSlice(values, n, 1, 1).ToDType(torch.Float32))
			}
	}},
	{"uniform_temporal_subsample", func(r maker) (string, func(any) any) {
		n := r.between(1, 9)
		return lambda(pyCall("F.uniform_temporal_subsample", raw("x"), n)), func(v any) any { return F.UniformTemporalSubsample(v, n) }
	}},
	{"jpeg", func(r maker) (string, func(any) any) {
		q := r.between(1, 100)
		return lambda(pyCall("F.jpeg", raw("x"), q)), func(v any) any { return F.JPEG(v, q) }
	}},
	{"to_image", func(r maker) (string, func(any) any) { return "F.to_image", func(v any) any { return F.ToImage(v) } }},
	{"get_dimensions", func(r maker) (string, func(any) any) {
		return "lambda x: torch.tensor(F.get_dimensions(x))", func(v any) any {
			c, h, w := F.GetDimensions(v)
			return torch.FromSlice([]int64{int64(c), int64(h), int64(w)})
		}
	}},
	{"get_num_channels", func(r maker) (string, func(any) any) {
		return "lambda x: torch.tensor(F.get_num_channels(x))", func(v any) any { return torch.Scalar(int64(F.GetNumChannels(v))) }
	}},
	{"get_size", func(r maker) (string, func(any) any) {
		return "lambda x: torch.tensor(F.get_size(x))", func(v any) any {
			h, w := F.GetSize(v)
			return torch.FromSlice([]int64{int64(h), int64(w)})
		}
	}},
	{"get_num_frames", func(r maker) (string, func(any) any) {
		return "lambda x: torch.tensor(F.get_num_frames(x))", func(v any) any { return torch.Scalar(int64(F.GetNumFrames(v))) }
	}},
	{"convert_bounding_box_format", func(r maker) (string, func(any) any) {
		f := pickOf(r, formats...)
		return onlyBoxes("F.convert_bounding_box_format(x, new_format=" + py(f.String()) + ")"), onBoxes(func(b tv.BoundingBoxes) any { return F.ConvertBoundingBoxFormat(b, f) })
	}},
	{"clamp_bounding_boxes", func(r maker) (string, func(any) any) {
		if r.IntN(3) == 0 {
			return onlyBoxes("F.clamp_bounding_boxes(x)"), onBoxes(func(b tv.BoundingBoxes) any { return F.ClampBoundingBoxes(b) })
		}
		m := pickOf(r, tv.Soft, tv.Hard, tv.NoClamp)
		name := py(m.String())
		if m == tv.NoClamp {
			name = "None"
		}
		return onlyBoxes("F.clamp_bounding_boxes(x, clamping_mode=" + name + ")"), onBoxes(func(b tv.BoundingBoxes) any { return F.ClampBoundingBoxes(b, m) })
	}},
	{"sanitize_bounding_boxes", func(r maker) (string, func(any) any) {
		o := F.SanitizeOptions{MinSize: new(r.float(0, 20)), MinArea: new(r.float(0, 50))}
		if r.IntN(4) == 0 {
			o = F.SanitizeOptions{MinSize: new(0.0), MinArea: new(0.0)}
		}
		return onlyBoxes(fmt.Sprintf("list(F.sanitize_bounding_boxes(x, min_size=%v, min_area=%v))", *o.MinSize, *o.MinArea)), onBoxes(func(b tv.BoundingBoxes) any {
			kept, valid := F.SanitizeBoundingBoxes(b, o)
			return []any{kept, valid}
		})
	}},
	{"clamp_keypoints", func(r maker) (string, func(any) any) {
		return "lambda x: F.clamp_keypoints(x) if type(x) is tv_tensors.KeyPoints else {}['no points']", onPoints(func(k tv.KeyPoints) any { return F.ClampKeyPoints(k) })
	}},
	{"sanitize_keypoints", func(r maker) (string, func(any) any) {
		return "lambda x: list(F.sanitize_keypoints(x)) if type(x) is tv_tensors.KeyPoints else {}['no points']", onPoints(func(k tv.KeyPoints) any {
			kept, valid := F.SanitizeKeyPoints(k)
			return []any{kept, valid}
		})
	}},
}

// threshold returns a number that Solarize compares with: its dtype matters.
func threshold(r maker) torch.Number {
	return pickOf[torch.Number](r, r.float(0, 1), r.float(0, 255), -1.0, 256.0, 0, 1, r.between(2, 255), r.between(-600, -1), 128, 1<<r.between(8, 62), 1<<r.between(8, 62)+1)
}

type raw string

func lambda(body string) string { return "lambda x: " + body }

func onlyBoxes(body string) string {
	return "lambda x: " + body + " if type(x) is tv_tensors.BoundingBoxes else {}['no boxes']"
}

func onBoxes(f func(tv.BoundingBoxes) any) func(any) any {
	return func(v any) any {
		b, ok := v.(tv.BoundingBoxes)
		if !ok {
			panic(&torch.Error{Op: "test", Msg: "no boxes"})
		}
		return f(b)
	}
}

func onPoints(f func(tv.KeyPoints) any) func(any) any {
	return func(v any) any {
		k, ok := v.(tv.KeyPoints)
		if !ok {
			panic(&torch.Error{Op: "test", Msg: "no points"})
		}
		return f(k)
	}
}

func factorRow(name string, f func(any, float64) any, low, high float64) func(r maker) (string, func(any) any) {
	return func(r maker) (string, func(any) any) {
		x := pickOf(r, r.float(low, high), r.float(low, high), 0, 1)
		if name == "adjust_hue" && x == 1 {
			x = 0.5
		}
		return lambda(pyCall("F."+name, raw("x"), x)), func(v any) any { return f(v, x) }
	}
}

func fillFor(r maker) F.Fill {
	switch r.IntN(4) {
	case 0:
		return nil
	case 1:
		return F.Fill{0}
	case 2:
		return F.Fill{float64(r.between(0, 255))}
	}
	return F.Fill{float64(r.between(0, 255)), float64(r.between(0, 255)), float64(r.between(0, 255))}
}

// scalar returns a fill as Python's users write it.
func scalar(f F.Fill) any {
	if len(f) == 1 {
		return f[0]
	}
	return f
}

func centerFor(r maker) []float64 {
	if r.IntN(2) == 0 {
		return nil
	}
	return []float64{r.float(0, 50), r.float(0, 50)}
}

func intsOrNil(v []int) any {
	if v == nil {
		return nil
	}
	return v
}

// trials is how many random samples a row is compared on.
const trials = 40

// largeTrials is how many more, on samples as large as photographs.
func largeTrials() int {
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		return 4
	}
	return 0
}

// TestFunctionalsEqualPython compares each functional, bit for bit, on values of
// all kinds, sizes and dtypes and with random arguments; what Python refuses must be refused.
func TestFunctionalsEqualPython(t *testing.T) {
	p := start(t)
	for _, row := range functionals {
		t.Run(row.name, func(t *testing.T) {
			done, refused := 0, 0
			for seed := range trials + largeTrials() {
				r := maker{Rand: rand.New(rand.NewPCG(uint64(seed), 7)), large: seed >= trials}
				expr, f := row.make(r)
				sample := r.sample()
				want := p.functional(expr, seed, sample)
				for i, v := range sample {
					what := fmt.Sprintf("seed %d: %s of %s", seed, expr, brief(pack(v)))
					before := pack(v)
					var got any
					err := seeded(seed, func() { got = f(v) })
					require.Empty(t, same(before, pack(v), 0), "%s changed its input", what)
					if want[i].Error != "" {
						refused++
						if err == nil {
							t.Errorf("%s: Python raises %s", what, want[i].Error)
						}
						continue
					}
					done++
					if err != nil {
						t.Errorf("%s: %v", what, err)
						continue
					}
					if why := same(want[i], pack(got), 0); why != "" {
						t.Errorf("%s: %s", what, why)
					}
				}
			}
			t.Logf("%d values equal, %d refused by both", done, refused)
			require.NotZero(t, done)
		})
	}
}
