package v2_test

import (
	"math/rand/v2"
	"testing"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	"github.com/torchhub/torchhub/transforms/v2"
)

// TestLargeImages compares on large images, where libtorch computes in parts.
func TestLargeImages(t *testing.T) {
	p := start(t)
	for i, row := range []struct {
		python string
		t      v2.Transform
	}{
		{"v2.Resize(256)", v2.Resize(256)},
		{"v2.Resize((333, 444), interpolation='bicubic')", v2.Resize([]int{333, 444}, v2.ResizeOptions{Interpolation: "bicubic"})},
		{"v2.RandomAffine(30, (0.1, 0.1), (0.8, 1.2), interpolation='bilinear')", v2.RandomAffine(30, v2.RandomAffineOptions{
			Translate: []float64{0.1, 0.1}, Scale: []float64{0.8, 1.2}, Interpolation: "bilinear"})},
		{"v2.ColorJitter(0.4, 0.4, 0.4, 0.1)", v2.ColorJitter(v2.ColorJitterOptions{Brightness: 0.4, Contrast: 0.4, Saturation: 0.4, Hue: 0.1})},
		{"v2.RandomPerspective(p=1.0)", v2.RandomPerspective(v2.RandomPerspectiveOptions{P: ptr(1.0)})},
		{"v2.GaussianBlur(5)", v2.GaussianBlur(5)},
	} {
		r := maker{Rand: rand.New(rand.NewPCG(uint64(i), 1)), c: 3}
		h, w := []int{1500, 1213, 300, 2000, 40, 700}[i], []int{2000, 1546, 2000, 150, 1999, 500}[i]
		sample := []any{tv.Image{Tensor: r.pixels(torch.Uint8, 3, h, w)}, r.boxes(h, w, formats...), r.points(h, w)}
		if i == 1 {
			sample[0] = r.picture(h, w)
		}
		compare(t, p, made{row.python, row.t, sample}, i)
	}
}
