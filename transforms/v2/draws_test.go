package v2_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	"github.com/torchhub/torchhub/transforms/v2"
)

// random lists the transforms that draw, and a sample on which each draw shows.
var random = []struct {
	python string
	t      v2.Transform
	sample func() []any
}{
	{"v2.RandomHorizontalFlip(0.5)", v2.RandomHorizontalFlip(), boxAndImage},
	{"v2.RandomVerticalFlip(0.3)", v2.RandomVerticalFlip(0.3), boxAndImage},
	{"v2.RandomGrayscale(0.4)", v2.RandomGrayscale(0.4), small},
	{"v2.RandomInvert(0.6)", v2.RandomInvert(0.6), small},
	{"v2.RandomPosterize(2, 0.5)", v2.RandomPosterize(2), small},
	{"v2.RandomSolarize(100, 0.5)", v2.RandomSolarize(100), small},
	{"v2.RandomAdjustSharpness(2, 0.5)", v2.RandomAdjustSharpness(2), larger},
	{"v2.RandomAutocontrast(0.5)", v2.RandomAutocontrast(), small},
	{"v2.RandomEqualize(0.5)", v2.RandomEqualize(), larger},
	{"v2.RandomResizedCrop(4)", v2.RandomResizedCrop(4), boxAndImage},
	{"v2.RandomZoomOut()", v2.RandomZoomOut(), boxAndImage},
	{"v2.RandomRotation(30)", v2.RandomRotation(30), boxAndImage},
	{"v2.RandomAffine(30, (0.2, 0.3), (0.5, 1.5), (-10, 10, -5, 5))", v2.RandomAffine(30, v2.RandomAffineOptions{
		Translate: []float64{0.2, 0.3}, Scale: []float64{0.5, 1.5}, Shear: []float64{-10, 10, -5, 5}}), boxAndImage},
	{"v2.RandomCrop((5, 4))", v2.RandomCrop([]int{5, 4}), boxAndImage},
	{"v2.RandomPerspective(0.5)", v2.RandomPerspective(), boxAndImage},
	{"v2.ElasticTransform(50.0, 1.0)", v2.ElasticTransform(v2.ElasticTransformOptions{Sigma: 1}), boxAndImage},
	{"v2.RandomIoUCrop()", v2.RandomIoUCrop(), boxAndImage},
	{"v2.ScaleJitter((30, 30))", v2.ScaleJitter([2]int{30, 30}), boxAndImage},
	{"v2.RandomShortestSize([3, 5, 7, 9])", v2.RandomShortestSize([]int{3, 5, 7, 9}), boxAndImage},
	{"v2.RandomResize(3, 20)", v2.RandomResize(3, 20), boxAndImage},
	{"v2.ColorJitter(0.5, 0.5, 0.5, 0.2)", v2.ColorJitter(v2.ColorJitterOptions{Brightness: 0.5, Contrast: 0.5, Saturation: 0.5, Hue: 0.2}), small},
	{"v2.RandomPhotometricDistort()", v2.RandomPhotometricDistort(), small},
	{"v2.RandomChannelPermutation()", v2.RandomChannelPermutation(), small},
	{"v2.GaussianBlur(3)", v2.GaussianBlur(3), small},
	{"v2.GaussianNoise()", v2.GaussianNoise(), small},
	{"v2.RandomErasing(0.5)", v2.RandomErasing(), small},
	{"v2.RandomErasing(0.5, value='random')", v2.RandomErasing(v2.RandomErasingOptions{Random: true}), small},
	{"v2.AutoAugment()", v2.AutoAugment(), small},
	{"v2.RandAugment()", v2.RandAugment(), small},
	{"v2.TrivialAugmentWide()", v2.TrivialAugmentWide(), small},
	{"v2.AugMix()", v2.AugMix(), small},
	{"v2.MixUp(num_classes=3)", v2.MixUp(v2.MixOptions{NumClasses: 3}), batch},
	{"v2.CutMix(num_classes=3)", v2.CutMix(v2.MixOptions{NumClasses: 3}), batch},
	{"v2.RandomApply([v2.CenterCrop(3)], 0.4)", v2.RandomApply([]v2.Transform{v2.CenterCrop(3)}, 0.4), small},
	{"v2.RandomChoice([v2.CenterCrop(3), v2.CenterCrop(4), v2.Pad(1)], [0.2, 0.3, 0.5])", v2.RandomChoice([]v2.Transform{v2.CenterCrop(3), v2.CenterCrop(4), v2.Pad(1)}, 0.2, 0.3, 0.5), small},
	{"v2.RandomOrder([v2.CenterCrop(3), v2.Pad(1), v2.RandomInvert(1)])", v2.RandomOrder(v2.CenterCrop(3), v2.Pad(1), v2.RandomInvert(1)), small},
}

func small() []any {
	x := torch.Arange(3*6*7).MulScalar(2).ToDType(torch.Uint8).Reshape(3, 6, 7)
	return []any{tv.Image{Tensor: x}}
}

// larger has more pixels than levels.
func larger() []any {
	x := torch.Arange(3 * 20 * 20).ToDType(torch.Float32).SinInPlace().MulScalar(100.0).AddScalar(110.0)
	return []any{tv.Image{Tensor: x.ToDType(torch.Uint8).Reshape(3, 20, 20)}}
}

func boxAndImage() []any {
	x := torch.Arange(3*8*9).ToDType(torch.Uint8).Reshape(3, 8, 9)
	b := torch.FromSlice([]float32{1, 1, 4, 5, 3, 2, 8, 7}, 2, 4)
	return []any{tv.Image{Tensor: x}, tv.NewBoundingBoxes(b, tv.XYXY, 8, 9)}
}

func batch() []any {
	x := torch.Arange(2*3*5*6).ToDType(torch.Float32).Reshape(2, 3, 5, 6)
	return []any{x, torch.FromSlice([]int64{0, 2})}
}

// digest returns what the function of this name returns in Python.
func digest(sample []any) string {
	h := sha256.New()
	for _, v := range sample {
		a := pack(v).Array
		h.Write([]byte(strings.Trim(fmt.Sprint(a.Shape), "[]") + ";"))
		h.Write(a.Data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TestDraws compares a thousand calls after one seed: each must give what it gives in Python.
func TestDraws(t *testing.T) {
	const n = 1000
	for i, row := range random {
		t.Run(row.python, func(t *testing.T) {
			sample := row.sample()
			p := start(t)
			var want []string
			p.Call(&want, "draws", row.python, i, n, packAll(sample))
			got := make([]string, n)
			require.NoError(t, seeded(i, func() {
				for j := range got {
					got[j] = digest(v2.Apply(row.t, sample))
				}
			}))
			require.Equal(t, want, got)
			seen := map[string]bool{}
			for _, d := range got {
				seen[d] = true
			}
			require.Greater(t, len(seen), 1, "nothing random shows")
		})
	}
}

// TestGenerator draws from a generator of one's own what the default one gives after the same seed.
func TestGenerator(t *testing.T) {
	for i, row := range random {
		sample := row.sample()
		torch.ManualSeed(int64(i))
		want := pack(v2.Apply(row.t, sample))
		g := torch.NewGenerator(torch.CPU).ManualSeed(int64(i))
		torch.ManualSeed(99)
		got := pack(v2.Apply(row.t, sample, torch.RandomOptions{Generator: g}))
		require.Empty(t, same(want, got, 0), row.python)
	}
}
