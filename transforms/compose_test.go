package transforms

import (
	"image"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

var (
	mean = []float64{0.485, 0.456, 0.406}
	std  = []float64{0.229, 0.224, 0.225}
)

// A stage is a transform and what the script's compose makes of python.
type stage struct {
	t      Transform
	python []any
}

func steps(ss ...stage) (ts []Transform, python [][]any) {
	python = [][]any{}
	for _, s := range ss {
		ts = append(ts, s.t)
		python = append(python, s.python)
	}
	return ts, python
}

func stepResize(size []int, o ResizeOptions) stage {
	how := o.Interpolation
	if how == "" {
		how = Bilinear
	}
	python := []any{"Resize", size, how, o.MaxSize}
	if len(size) == 1 {
		return stage{Resize(size[0], o), python}
	}
	return stage{ResizeTo(size[0], size[1], o), python}
}

func stepCrop(size ...int) stage {
	python := []any{"CenterCrop", size}
	if len(size) == 1 {
		return stage{CenterCrop(size[0]), python}
	}
	return stage{CenterCropTo(size[0], size[1]), python}
}

func stepToTensor() stage { return stage{ToTensor(), []any{"ToTensor"}} }

func stepNormalize(mean, std []float64) stage {
	return stage{Normalize(mean, std), []any{"Normalize", mean, std}}
}

// oneByOne passes v through the transforms without merging any.
func oneByOne(ts []Transform, v Value) Value {
	for _, t := range ts {
		v = t.Transform(v)
	}
	return v
}

// equalBits fails the test where two lists of numbers differ in any bit.
func equalBits[E float32 | float64](t *testing.T, want, got []E, format string, args ...any) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, v := range want {
		if v != got[i] || math.Signbit(float64(v)) != math.Signbit(float64(got[i])) {
			t.Fatalf("element %d of %d is %v, not %v: "+format, append([]any{i, len(want), got[i], v}, args...)...)
		}
	}
}

// interpolations that torchvision has.
var torchvision = []Interpolation{"", Bicubic, Lanczos, Box, Hamming, Nearest}

func randomSteps(rng *rand.Rand, hows []Interpolation) []stage {
	var ss []stage
	if rng.IntN(8) > 0 {
		o := ResizeOptions{Interpolation: hows[rng.IntN(len(hows))]}
		size := []int{side(rng, 300)}
		switch rng.IntN(3) {
		case 0:
			size = append(size, side(rng, 300))
		case 1:
			o.MaxSize = size[0] + 30 + side(rng, 300) // else the short side may vanish
		}
		ss = append(ss, stepResize(size, o))
	}
	switch rng.IntN(4) {
	case 0:
		ss = append(ss, stepCrop(side(rng, 300), side(rng, 300)))
	case 1, 2:
		ss = append(ss, stepCrop(side(rng, 300)))
	}
	return ss
}

func TestPreprocessingAgainstTorchvision(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(3, 3))
	for i := range 320 {
		w, h := side(rng, 1200), side(rng, 900)
		var ss []stage
		if i < 20 { // the hub's own preprocessing
			w, h = 1+rng.IntN(2000), 1+rng.IntN(1500)
			ss = append(ss, stepResize([]int{256}, ResizeOptions{}), stepCrop(224))
		} else {
			// Neither side may need gigabytes in Python.
			for ss = randomSteps(rng, torchvision); max(w, h)/min(w, h) > 30; {
				w, h = side(rng, 1200), side(rng, 900)
			}
		}
		ss = append(ss, stepToTensor())
		if i%4 > 0 || i < 20 {
			ss = append(ss, stepNormalize(mean, std))
		}
		ts, python := steps(ss...)
		src := noise(rng, w, h)
		var want reference.Array
		p.Call(&want, "preprocess", array(src), python)
		pipeline := Compose(ts...)
		got := pipeline.Apply(src)
		require.Equal(t, want.Shape, got.Shape(), "%d×%d %v", w, h, python)
		require.True(t, got.IsContiguous())
		equalBits(t, reference.Data[float32](want), torch.Data[float32](got), "%d×%d %v", w, h, python)

		again := oneByOne(ts, Value{Image: src}).Tensor
		require.True(t, again.Equal(got), "%d×%d %v: merged and single steps differ", w, h, python)
		if i%20 == 0 {
			var text string
			p.Call(&text, "text", python)
			require.Equal(t, text, pipeline.String())
		}
	}
}

func TestTensorsAgainstTorchvision(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(4, 4))
	dtypes := map[string]torch.DType{"uint8": torch.Uint8, "float32": torch.Float32, "float64": torch.Float64, "float16": torch.Float16, "int32": torch.Int32}
	names := []string{"uint8", "float32", "float64", "float16", "int32"}
	for i := range 60 {
		shape := []int{3, 3 + rng.IntN(80), 3 + rng.IntN(80)}
		if i%3 == 0 {
			shape = append([]int{2}, shape...)
		}
		n := 1
		for _, s := range shape {
			n *= s
		}
		data := noise(rng, n, 1).Pix[:n]
		dtype := names[i%len(names)]
		ss := randomSteps(rng, []Interpolation{"", Bicubic, Nearest})
		if dtypes[dtype].IsFloatingPoint() {
			ss = append(ss, stepNormalize(mean, std))
		}
		ts, python := steps(ss...)
		var want reference.Array
		p.Call(&want, "preprocess_tensor", reference.NewArray(data, shape...), dtype, python)
		x := torch.FromSlice(data, shape...).ToDType(dtypes[dtype])
		got := Compose(ts...).Transform(Value{Tensor: x}).Tensor
		require.Equal(t, dtypes[dtype], got.DType())
		require.Equal(t, want.Shape, got.Shape(), "%v %s %v", shape, dtype, python)
		equalBits(t, reference.Data[float64](want), torch.Data[float64](got.ToDType(torch.Float64)), "%v %s %v", shape, dtype, python)
		require.Equal(t, data, torch.Data[uint8](x.ToDType(torch.Uint8)), "the input has changed")
	}
}

func TestApplyTakesAnyPicture(t *testing.T) {
	src := noise(rand.New(rand.NewPCG(5, 5)), 40, 30)
	whole := image.NewNRGBA(image.Rect(-7, -7, 60, 60))
	for y := range src.H {
		for x := range src.W {
			whole.Set(x, y, src.At(x, y))
		}
	}
	part := whole.SubImage(src.Bounds())
	p := Classification(20, 16, Bicubic, mean, std)
	require.True(t, p.Apply(src).Equal(p.Apply(ToRGB(part))))
	require.ErrorContains(t, torch.Try(func() { p.Apply(part) }), "3 numbers for 4 channels")
}

func TestComposeNests(t *testing.T) {
	src := noise(rand.New(rand.NewPCG(6, 6)), 40, 30)
	called := 0
	count := Func(func(v Value) Value { called++; return v })
	p := Compose(Compose(Resize(20), count), Compose(CenterCrop(16)), count, Compose(), ToTensor(), Normalize(mean[:1], std[:1]))
	require.True(t, p.Apply(src).Equal(Compose(Resize(20), CenterCrop(16), ToTensor(), Normalize(mean[:1], std[:1])).Apply(src)))
	require.Equal(t, 2, called)
	require.Len(t, Compose(Compose(Resize(20)), CenterCrop(16), Compose(ToTensor(), Normalize(mean, std))).plan, 1)
}

func TestThinPictures(t *testing.T) {
	// Resized, these would be gigabytes; the crop keeps little of it.
	for _, size := range [][2]int{{1, 200_000}, {200_000, 1}} {
		src := noise(rand.New(rand.NewPCG(7, 7)), size[0], size[1])
		require.Equal(t, []int{3, 224, 224}, Classification(256, 224, Bilinear, mean, std).Apply(src).Shape())
	}
}

func TestApplyInGoroutines(t *testing.T) {
	src := noise(rand.New(rand.NewPCG(8, 8)), 500, 400)
	p := Classification(256, 224, Bilinear, mean, std)
	want := p.Apply(src)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 3 {
				if !p.Apply(src).Equal(want) {
					t.Error("results differ")
				}
			}
		})
	}
	wg.Wait()
}

func TestMistakes(t *testing.T) {
	src := noise(rand.New(rand.NewPCG(9, 9)), 4, 3)
	tensor := Value{Tensor: torch.FromSlice(make([]uint8, 12), 3, 2, 2)}
	for want, f := range map[string]func(){
		"transforms.Resize: the size is 0; want 1 pixel or more":                                                                                  func() { Resize(0) },
		"transforms.Resize: MaxSize is 256; want more than the size of the short side, 256":                                                       func() { Resize(256, ResizeOptions{MaxSize: 256}) },
		"transforms.Resize: MaxSize is 9, but both sides are given already; leave one out":                                                        func() { ResizeTo(5, 5, ResizeOptions{MaxSize: 9}) },
		"transforms.Resize: the size is [5 -1]; want 1 pixel or more":                                                                             func() { ResizeTo(5, -1) },
		`transforms.Resize: no interpolation is called "cubic"; want nearest, nearest-exact, box, bilinear, hamming, bicubic or lanczos`:          func() { Resize(5, ResizeOptions{Interpolation: "cubic"}) },
		"transforms.CenterCrop: the size is -3×-3 (height × width); want 1 pixel or more each, and not more than 2147483647 together":             func() { CenterCrop(-3) },
		"transforms.Normalize: there are 2 means and 3 stds; want one of each for every channel":                                                  func() { Normalize(mean[:2], std) },
		"transforms.Normalize: there are 0 means and 0 stds; want one of each for every channel":                                                  func() { Normalize(nil, nil) },
		"transforms.Normalize: std[1] is 0, which nothing can be divided by":                                                                      func() { Normalize(mean, []float64{1, 0, 1}) },
		"transforms.Compose: transform 2 of 2 is nil":                                                                                             func() { Compose(ToTensor(), nil) },
		"transforms.Pipeline.Apply(picture of 4×3 pixels): the pipeline ends in no tensor; add ToTensor()":                                        func() { Compose(CenterCropTo(3, 4)).Apply(src) },
		"transforms.ToTensor()(nothing): a picture is needed here; put it before ToTensor()":                                                      func() { Compose(ToTensor()).Apply(nil) },
		"transforms.ToTensor()([3, 2, 2] uint8): a picture is needed here; put it before ToTensor()":                                              func() { ToTensor().Transform(tensor) },
		"transforms.Normalize(mean=[0.5], std=[2.0])(picture of 4×3 pixels): a tensor is needed here; put it behind ToTensor()":                   func() { Compose(Normalize([]float64{0.5}, []float64{2})).Apply(src) },
		"transforms.Normalize(mean=[0.5], std=[2.0])([3, 2, 2] uint8): a floating-point tensor is needed":                                         func() { Normalize([]float64{0.5}, []float64{2}).Transform(tensor) },
		"transforms.Normalize(mean=[0.0, 0.0], std=[1.0, 1.0])([3, 3, 4] float32): there are 2 numbers for 3 channels":                            func() { Compose(ToTensor(), Normalize([]float64{0, 0}, []float64{1, 1})).Apply(src) },
		"transforms.ToTensor()(picture of 2×2 pixels): the picture's Pix holds 11 bytes; want 12":                                                 func() { Compose(ToTensor()).Apply(&RGB{Pix: make([]uint8, 11), W: 2, H: 2}) },
		"transforms.ToTensor()(picture of 0×0 pixels): the picture has no pixels":                                                                 func() { Compose(ToTensor()).Apply(image.NewGray(image.Rect(0, 0, 0, 0))) },
		"transforms.Resize(size=5, interpolation=lanczos, max_size=None, antialias=True)([3, 2, 2] uint8): tensors are resized by bilinear":       func() { Resize(5, ResizeOptions{Interpolation: Lanczos}).Transform(tensor) },
		"transforms.Resize(size=9, interpolation=bilinear, max_size=10, antialias=True)(picture of 100×1 pixels): the sides would become 0 and 1": func() { Resize(9, ResizeOptions{MaxSize: 10}).Transform(Value{Image: pillow.NewRGB(100, 1)}) },
		"transforms.Resize(size=60000, interpolation=bilinear, max_size=None, antialias=True)(picture of 4×3 pixels): the result of 80000×60000 ": func() { Resize(60000).Transform(Value{Image: src}) },
	} {
		var e *torch.Error
		require.ErrorAs(t, torch.Try(f), &e)
		require.ErrorContains(t, e, "torch: "+want)
	}
}
