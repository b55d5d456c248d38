package v2_test

import (
	"fmt"
	"image"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	"github.com/torchhub/torchhub/transforms/v2"
	F "github.com/torchhub/torchhub/transforms/v2/functional"
)

func ones(shape ...int) *torch.Tensor { return torch.Ones(shape...) }

type inner struct {
	Masks  []v2.Mask
	Named  map[string]any
	Hidden *torch.Tensor `v2:"-"`
	when   time.Time
}

type outer struct {
	Picture image.Image
	Image   v2.Image
	In      *inner
	Labels  *torch.Tensor
	Missing v2.Mask
	Any     any
	Name    string
	Clock   time.Time
}

func TestSamplesOfAnyShape(t *testing.T) {
	s := outer{
		Picture: image.NewGray(image.Rect(0, 0, 8, 6)),
		Image:   tv.Image{Tensor: ones(3, 6, 8)},
		In: &inner{
			Masks:  []v2.Mask{{Tensor: ones(6, 8)}, {Tensor: ones(2, 6, 8)}},
			Named:  map[string]any{"points": tv.NewKeyPoints(ones(1, 2), 6, 8), "a": 3},
			Hidden: ones(3, 6, 8),
			when:   time.Unix(7, 0),
		},
		Labels: ones(2),
		Any:    []any{tv.Image{Tensor: ones(1, 6, 8)}, "x"},
		Name:   "n", Clock: time.Unix(5, 0),
	}
	out := v2.Apply(v2.Resize([]int{3, 4}), s)
	require.Equal(t, image.Rect(0, 0, 4, 3), out.Picture.Bounds())
	require.Equal(t, []int{3, 3, 4}, out.Image.Shape())
	require.Equal(t, []int{3, 4}, out.In.Masks[0].Shape())
	require.Equal(t, []int{2, 3, 4}, out.In.Masks[1].Shape())
	require.Equal(t, [2]int{3, 4}, out.In.Named["points"].(tv.KeyPoints).CanvasSize)
	require.Equal(t, 3, out.In.Named["a"])
	require.Same(t, s.In.Hidden, out.In.Hidden)
	require.Equal(t, s.In.when, out.In.when)
	require.Same(t, s.Labels, out.Labels, "a plain tensor beside an image is left alone")
	require.Nil(t, out.Missing.Tensor)
	require.Equal(t, []int{1, 3, 4}, out.Any.([]any)[0].(v2.Image).Shape())
	require.Equal(t, "n", out.Name)
	require.Equal(t, s.Clock, out.Clock)
	require.Equal(t, []int{6, 8}, s.In.Masks[0].Shape(), "the sample is changed")
	require.NotSame(t, s.In, out.In)
}

func TestPureTensorRule(t *testing.T) {
	crop := v2.CenterCrop(2)
	out := v2.Apply(crop, []any{tv.Mask{Tensor: ones(4, 4)}, ones(3, 4, 4), ones(3, 4, 4)})
	require.Equal(t, []int{2, 2}, out[0].(v2.Mask).Shape())
	require.Equal(t, []int{3, 2, 2}, out[1].(*torch.Tensor).Shape(), "the first plain tensor is the image")
	require.Equal(t, []int{3, 4, 4}, out[2].(*torch.Tensor).Shape())
	require.Equal(t, []int{3, 2, 2}, v2.Apply(crop, ones(3, 4, 4)).Shape())
}

func TestCropsAreSeveral(t *testing.T) {
	out := v2.Convert[[]v2.Image](v2.Compose(v2.FiveCrop(2), v2.Resize(4)), tv.Image{Tensor: ones(3, 5, 5)})
	require.Len(t, out, 5)
	require.Equal(t, []int{3, 4, 4}, out[4].Shape())
	err := torch.Try(func() { v2.Apply(v2.FiveCrop(2), tv.Image{Tensor: ones(3, 5, 5)}) })
	require.ErrorContains(t, err, "call Convert with a type that can")
}

func TestUnchangedIsShared(t *testing.T) {
	s := &outer{Image: tv.Image{Tensor: ones(3, 6, 8)}, Labels: ones(2)}
	require.Same(t, s, v2.Apply(v2.RandomHorizontalFlip(0), s))
	type loop struct{ Next *loop }
	l := &loop{}
	l.Next = l
	require.ErrorContains(t, torch.Try(func() { v2.Apply(v2.Identity(), l) }), "contains itself")
}

func TestLabels(t *testing.T) {
	boxes := tv.NewBoundingBoxes(torch.FromSlice([]float32{0, 0, 4, 4, 1, 1, 1, 1, 0, 0, 9, 9}, 3, 4), tv.XYXY, 8, 8)
	kept := func(x *torch.Tensor) []int64 { return torch.Data[int64](x) }
	numbers := func() *torch.Tensor { return torch.FromSlice([]int64{5, 6, 7}) }

	type tagged struct {
		Boxes v2.BoundingBoxes
		Area  *torch.Tensor `v2:"labels"`
		Crowd *torch.Tensor `v2:"labels"`
		Other *torch.Tensor
	}
	a := v2.Apply(v2.SanitizeBoundingBoxes(), tagged{boxes, numbers(), numbers(), numbers()})
	require.Equal(t, []int64{5}, kept(a.Area))
	require.Equal(t, []int64{5}, kept(a.Crowd))
	require.Equal(t, []int64{5, 6, 7}, kept(a.Other))
	require.Equal(t, []int{1, 4}, a.Boxes.Shape())

	m := v2.Apply(v2.SanitizeBoundingBoxes(), map[string]any{"boxes": boxes, "LABELS": numbers(), "z": numbers()})
	require.Equal(t, []int64{5}, kept(m["LABELS"].(*torch.Tensor)))
	require.Equal(t, []int64{5, 6, 7}, kept(m["z"].(*torch.Tensor)))
	m = v2.Apply(v2.SanitizeBoundingBoxes(v2.SanitizeBoundingBoxesOptions{Labels: []string{"z"}}), map[string]any{"boxes": boxes, "z": numbers()})
	require.Equal(t, []int64{5}, kept(m["z"].(*torch.Tensor)))
	m = v2.Apply(v2.SanitizeBoundingBoxes(v2.SanitizeBoundingBoxesOptions{NoLabels: true}), map[string]any{"boxes": boxes, "z": numbers()})
	require.Equal(t, []int64{5, 6, 7}, kept(m["z"].(*torch.Tensor)))
}

// shifted is a type of one's own.
type shifted struct{ By int }

func TestRegisterKernel(t *testing.T) {
	F.RegisterKernel("HorizontalFlip", func(x shifted, _ ...any) shifted { return shifted{-x.By} })
	F.RegisterKernel("Crop", func(x shifted, args ...any) shifted { return shifted{x.By + args[1].(int)} })
	require.Equal(t, shifted{-3}, F.HorizontalFlip(shifted{3}))
	require.Equal(t, shifted{5}, F.Crop(shifted{3}, 1, 2, 3, 4))
	out := v2.Apply(v2.Compose(v2.RandomHorizontalFlip(1), v2.RandomInvert(1)), []any{shifted{3}, tv.Image{Tensor: ones(3, 4, 4)}})
	require.Equal(t, shifted{-3}, out[0], "what has no kernel passes")
	require.ErrorContains(t, torch.Try(func() { F.Invert(shifted{1}) }), "does not take this type")
	require.ErrorContains(t, torch.Try(func() { F.RegisterKernel("Nonsense", func(x shifted, _ ...any) shifted { return x }) }), `no functional "Nonsense"`)
	require.ErrorContains(t, torch.Try(func() { F.RegisterKernel("Crop", func(x shifted, _ ...any) shifted { return x }) }), "already")
	require.ErrorContains(t, torch.Try(func() { F.RegisterKernel("Crop", func(x tv.Mask, _ ...any) tv.Mask { return x }) }), "tvtensors")
}

func TestQueries(t *testing.T) {
	flat := []any{tv.Image{Tensor: ones(3, 4, 5)}, tv.Mask{Tensor: ones(4, 5)}, 3, "x", ones(1, 4, 5), v2.Video{}}
	require.True(t, v2.HasAny(flat, v2.Is[v2.Mask], v2.Is[v2.KeyPoints]))
	require.True(t, v2.HasAll(flat, v2.Is[v2.Mask], v2.Is[v2.Image], v2.IsPureTensor))
	require.False(t, v2.HasAll(flat, v2.Is[v2.Mask], v2.Is[v2.Video]), "a video without a tensor is not there")
	require.False(t, v2.HasAny(flat, v2.IsPicture))
	require.True(t, v2.CheckType(3, v2.Is[int]))
	require.False(t, v2.IsPureTensor(flat[0]))
	h, w := v2.QuerySize(flat)
	require.Equal(t, [2]int{4, 5}, [2]int{h, w})
	require.ErrorContains(t, torch.Try(func() { v2.QueryCHW(flat) }), "1×4×5, 3×4×5")
	require.ErrorContains(t, torch.Try(func() { v2.QuerySize([]any{1}) }), "there is no image")
	require.ErrorContains(t, torch.Try(func() { v2.GetBoundingBoxes(flat) }), "no bounding boxes")
	require.ErrorContains(t, torch.Try(func() { v2.GetKeyPoints(flat) }), "no key points")
}

// TestMistakes: each must be a *torch.Error that names the transform and what is wrong.
func TestMistakes(t *testing.T) {
	nan := math.NaN()
	boxes := tv.NewBoundingBoxes(ones(1, 4), tv.XYXY, 4, 4)
	img := tv.Image{Tensor: ones(3, 4, 4)}
	for _, row := range []struct {
		f    func()
		want []string
	}{
		{func() { v2.RandomHorizontalFlip(nan) }, []string{"RandomHorizontalFlip", "NaN"}},
		{func() { v2.RandomInvert(1.5) }, []string{"RandomInvert", "1.5"}},
		{func() { v2.RandomCrop(0) }, []string{"RandomCrop", "0"}},
		{func() { v2.Resize([]int{-1, 3}) }, []string{"Resize", "-1"}},
		{func() { v2.Resize([]int{1, 2, 3}) }, []string{"Resize", "[1 2 3]"}},
		{func() { v2.Resize("8") }, []string{"Resize", "string"}},
		{func() { v2.Resize(nil) }, []string{"Resize", "MaxSize"}},
		{func() { v2.Resize(8, v2.ResizeOptions{MaxSize: 7}) }, []string{"Resize", "7", "8"}},
		{func() { v2.Resize(8, v2.ResizeOptions{Interpolation: "cubic"}) }, []string{"Resize", "cubic"}},
		{func() { v2.Pad([]int{1, 2, 3}) }, []string{"Pad", "[1 2 3]"}},
		{func() { v2.Pad(1, v2.PadOptions{PaddingMode: "wrap"}) }, []string{"Pad", "wrap"}},
		{func() { v2.Normalize([]float64{1}, []float64{0}) }, []string{"Normalize", "std[0]"}},
		{func() { v2.Normalize([]float64{nan}, []float64{1}) }, []string{"Normalize", "NaN"}},
		{func() { v2.Normalize(nil, nil) }, []string{"Normalize", "0 means"}},
		{func() { v2.ColorJitter(v2.ColorJitterOptions{Hue: 0.7}) }, []string{"ColorJitter", "hue", "0.7"}},
		{func() { v2.ColorJitter(v2.ColorJitterOptions{Brightness: -1}) }, []string{"ColorJitter", "brightness", "-1"}},
		{func() { v2.RandomRotation(-3) }, []string{"RandomRotation", "-3"}},
		{func() { v2.RandomAffine(3, v2.RandomAffineOptions{Translate: []float64{0, 2}}) }, []string{"RandomAffine", "2"}},
		{func() { v2.RandomAffine(3, v2.RandomAffineOptions{Scale: []float64{0, 2}}) }, []string{"RandomAffine", "Scale"}},
		{func() { v2.RandomAffine(3, v2.RandomAffineOptions{Translate: []float64{}}) }, []string{"RandomAffine", "0 numbers"}},
		{func() { v2.RandomRotation([]float64{3}) }, []string{"RandomRotation", "has 1 numbers"}},
		{func() { v2.ColorJitter(v2.ColorJitterOptions{Hue: []float64{}}) }, []string{"ColorJitter", "the hue is []"}},
		{func() { v2.Resize([]int{}, v2.ResizeOptions{MaxSize: 9}) }, []string{"Resize", "[]"}},
		{func() { v2.GaussianBlur(4) }, []string{"GaussianBlur", "4"}},
		{func() { v2.GaussianBlur(3, v2.GaussianBlurOptions{Sigma: 0}) }, []string{"GaussianBlur", "0"}},
		{func() { v2.RandomErasing(v2.RandomErasingOptions{Scale: []float64{0.5, 2}}) }, []string{"RandomErasing", "2"}},
		{func() { v2.RandomPosterize(9) }, []string{"RandomPosterize", "9"}},
		{func() { v2.JPEG(0, 100) }, []string{"JPEG", "0"}},
		{func() { v2.MixUp(v2.MixOptions{Alpha: -1}) }, []string{"MixUp", "-1"}},
		{func() { v2.AugMix(v2.AugMixOptions{Severity: 11}) }, []string{"AugMix", "11"}},
		{func() { v2.AutoAugment(v2.AutoAugmentOptions{Policy: "mnist"}) }, []string{"AutoAugment", "mnist"}},
		{func() { v2.RandAugment(v2.RandAugmentOptions{Magnitude: ptr(31)}) }, []string{"RandAugment", "31"}},
		{func() { v2.RandomChoice([]v2.Transform{v2.Identity()}, 0) }, []string{"RandomChoice", "0"}},
		{func() { v2.Compose() }, []string{"Compose", "no transforms"}},
		{func() { v2.Compose(nil) }, []string{"Compose", "nil"}},
		{func() { v2.ConvertBoundingBoxFormat(0) }, []string{"ConvertBoundingBoxFormat", "no format"}},
		{func() { v2.SetClampingMode(7) }, []string{"SetClampingMode", "7"}},
		{func() { v2.SanitizeBoundingBoxes(v2.SanitizeBoundingBoxesOptions{MinSize: 0.5}) }, []string{"SanitizeBoundingBoxes", "0.5"}},
		{func() { v2.ToDtype(0, true) }, []string{"ToDtype", "dtype"}},
		{func() { v2.LinearTransformation(ones(2, 3), ones(2)) }, []string{"LinearTransformation", "[2 3]"}},
		{func() { v2.Lambda[any, any](nil) }, []string{"Lambda", "nil"}},

		{func() { v2.Apply(v2.RandomCrop(9), img) }, []string{"RandomCrop(size=(9, 9)", "4×4"}},
		{func() { v2.Apply(v2.FiveCrop(9), img) }, []string{"FiveCrop", "9×9", "4×4"}},
		{func() { v2.Apply(v2.Normalize([]float64{1, 2}, []float64{1, 2}), img) }, []string{"Normalize", "[3, 4, 4]", "2"}},
		{func() { v2.Apply(v2.Grayscale(1), tv.Image{Tensor: ones(4, 4, 4)}) }, []string{"Grayscale", "4 channels"}},
		{func() { v2.Apply(v2.GaussianNoise(), image.Image(image.NewGray(image.Rect(0, 0, 3, 3)))) }, []string{"GaussianNoise", "picture of 3×3"}},
		{func() { v2.Apply(v2.RandomIoUCrop(), img) }, []string{"RandomIoUCrop", "boxes"}},
		{func() {
			rotated := tv.NewBoundingBoxes(ones(1, 5), tv.XYWHR, 4, 4)
			v2.Apply(v2.RandomIoUCrop(v2.RandomIoUCropOptions{SamplerOptions: []float64{1}}), []any{img, rotated})
		}, nil},
		{func() { v2.Apply(v2.ToPILImage("HSV"), any(ones(3, 4, 4).ToDType(torch.Int8))) }, nil},
		{func() { v2.Apply(v2.ToPILImage("HSV"), any(ones(3, 4, 4).ToDType(torch.Int16))) }, []string{"ToPILImage", "int16"}},
		{func() { v2.Apply(v2.MixUp(), []any{ones(2, 3, 4, 4), torch.FromSlice([]int64{1, 2})}) }, []string{"MixUp", "NumClasses"}},
		{func() { v2.Apply(v2.SanitizeBoundingBoxes(), []any{img, 3}) }, []string{"SanitizeBoundingBoxes", "labels"}},
		{func() { v2.Apply(v2.ConvertBoundingBoxFormat(tv.XYWHR), boxes) }, []string{"ConvertBoundingBoxFormat", "XYWHR"}},
		{func() { v2.Apply(v2.Resize(3), tv.BoundingBoxes{Tensor: ones(1, 4), CanvasSize: [2]int{3, 3}}) }, []string{"Resize", "no format"}},
		{func() { v2.Apply(v2.Resize(3), tv.BoundingBoxes{Tensor: ones(1, 5), Format: tv.XYXY}) }, []string{"Resize", "[1, 5]"}},
		{func() { v2.Apply(v2.RandomRotation(10), []any{img, tv.Mask{Tensor: ones(5, 5)}}) }, nil},
		{func() { v2.Apply(v2.RandomCrop(2), []any{img, tv.Mask{Tensor: ones(5, 5)}}) }, []string{"RandomCrop", "4×4", "5×5"}},
		{func() { v2.Apply(v2.AutoAugment(), []any{img, boxes}) }, []string{"AutoAugment", "BoundingBoxes"}},
		{func() { v2.Apply(v2.ToImage(), image.Image(image.NewGray(image.Rect(0, 0, 3, 3)))) }, []string{"Image", "Convert"}},
		{func() { tv.NewBoundingBoxes(torch.FromSlice([]int64{1, 2, 3, 4, 5}), tv.XYWHR, 4, 4) }, []string{"NewBoundingBoxes", "floating"}},
		{func() { F.Equalize(torch.Zeros(3).ToDType(torch.Uint8)) }, []string{"Equalize", "[3] uint8", "want 2 dimensions or more"}},
		{func() { F.JPEG(torch.Zeros(0, 2, 4, 5), 50) }, nil},
		{func() { F.Resize(torch.Zeros(0, 3, 4, 5), 3, F.ResizeOptions{Interpolation: F.Box}) }, nil},
		{func() { F.Resize("x", 3) }, []string{"Resize", "string"}},
		{func() { F.Crop(img, 0, 0, -1, 3) }, []string{"Crop", "-1"}},
	} {
		err := torch.Try(row.f)
		if row.want == nil {
			require.NoError(t, err)
			continue
		}
		require.Error(t, err, fmt.Sprint(row.want))
		for _, w := range row.want {
			require.ErrorContains(t, err, w)
		}
	}
}

// TestBoxesOutsideTheCanvas: they are cut, and gone where nothing is left.
func TestBoxesOutsideTheCanvas(t *testing.T) {
	b := tv.NewBoundingBoxes(torch.FromSlice([]float32{-5, -5, 3, 3, 20, 20, 30, 30}, 2, 4), tv.XYXY, 10, 10)
	out := v2.Apply(v2.ClampBoundingBoxes(), b)
	require.Equal(t, []float32{0, 0, 3, 3, 10, 10, 10, 10}, torch.Data[float32](out.Tensor))
	left := v2.Apply(v2.SanitizeBoundingBoxes(v2.SanitizeBoundingBoxesOptions{NoLabels: true}), out)
	require.Equal(t, []int{1, 4}, left.Shape())
}

// TestManyGoroutines runs transforms at once, each goroutine with its own generator.
func TestManyGoroutines(t *testing.T) {
	tr := v2.Compose(v2.RandomResizedCrop(8), v2.RandomHorizontalFlip(), v2.ColorJitter(v2.ColorJitterOptions{Brightness: 0.4}))
	img := tv.Image{Tensor: torch.Arange(3*16*16).ToDType(torch.Uint8).Reshape(3, 16, 16)}
	run := func() []uint8 {
		g := torch.NewGenerator(torch.CPU).ManualSeed(3)
		var out []uint8
		for range 5 {
			out = append(out, torch.Data[uint8](v2.Apply(tr, img, torch.RandomOptions{Generator: g}).Tensor)...)
		}
		return out
	}
	want := run()
	var wg sync.WaitGroup
	var mu sync.Mutex
	wrong := 0
	for range 8 {
		wg.Go(func() {
			if got := run(); string(got) != string(want) {
				mu.Lock()
				wrong++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Zero(t, wrong)
}

// TestVideosAreImages: the kernels of videos are those of images.
func TestVideosAreImages(t *testing.T) {
	x := torch.Arange(2*3*6*7).ToDType(torch.Uint8).Reshape(2, 3, 6, 7)
	d := torch.Zeros(1, 6, 7, 2)
	square := [][2]int{{0, 0}, {6, 0}, {6, 5}, {0, 5}}
	for i, pair := range [][2]*torch.Tensor{
		{F.AdjustBrightnessImage(x, 2), F.AdjustBrightnessVideo(x, 2)}, {F.AdjustContrastImage(x, 2), F.AdjustContrastVideo(x, 2)},
		{F.AdjustGammaImage(x, 2, 1), F.AdjustGammaVideo(x, 2, 1)}, {F.AdjustHueImage(x, .2), F.AdjustHueVideo(x, .2)},
		{F.AdjustSaturationImage(x, 2), F.AdjustSaturationVideo(x, 2)}, {F.AdjustSharpnessImage(x, 2), F.AdjustSharpnessVideo(x, 2)},
		{F.AutocontrastImage(x), F.AutocontrastVideo(x)}, {F.EqualizeImage(x), F.EqualizeVideo(x)}, {F.InvertImage(x), F.InvertVideo(x)},
		{F.PosterizeImage(x, 2), F.PosterizeVideo(x, 2)}, {F.SolarizeImage(x, 9), F.SolarizeVideo(x, 9)},
		{F.HorizontalFlipImage(x), F.HorizontalFlipVideo(x)}, {F.VerticalFlipImage(x), F.VerticalFlipVideo(x)},
		{F.ResizeImage(x, 4), F.ResizeVideo(x, 4)}, {F.CropImage(x, 1, 1, 2, 3), F.CropVideo(x, 1, 1, 2, 3)},
		{F.CenterCropImage(x, 3), F.CenterCropVideo(x, 3)}, {F.PadImage(x, 3), F.PadVideo(x, 3)},
		{F.ResizedCropImage(x, 1, 1, 2, 3, 4), F.ResizedCropVideo(x, 1, 1, 2, 3, 4)},
		{F.RotateImage(x, 20), F.RotateVideo(x, 20)}, {F.AffineImage(x, F.AffineMap{Scale: 2}), F.AffineVideo(x, F.AffineMap{Scale: 2})},
		{F.PerspectiveImage(x, square, square), F.PerspectiveVideo(x, square, square)}, {F.ElasticImage(x, d), F.ElasticVideo(x, d)},
		{F.GaussianBlurImage(x, 3, nil), F.GaussianBlurVideo(x, 3, nil)}, {F.ToDtypeImage(x, torch.Float32, true), F.ToDtypeVideo(x, torch.Float32, true)},
		{F.EraseImage(x, 1, 1, 2, 2, ones(1)), F.EraseVideo(x, 1, 1, 2, 2, ones(1))}, {F.PermuteChannelsImage(x, []int{2, 0, 1}), F.PermuteChannelsVideo(x, []int{2, 0, 1})},
		{F.FiveCropImage(x, 3)[1], F.FiveCropVideo(x, 3)[1]}, {F.TenCropImage(x, 3, true)[8], F.TenCropVideo(x, 3, true)[8]},
		{F.NormalizeImage(F.ToDtype(x, torch.Float32, false), []float64{1}, []float64{2}), F.NormalizeVideo(F.ToDtype(x, torch.Float32, false), []float64{1}, []float64{2})},
	} {
		require.True(t, pair[0].Equal(pair[1]), "pair %d", i)
	}
}
