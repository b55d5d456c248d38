package pillow

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHostile hands over numbers and pictures that make no sense; errors are fine, panics are not.
func TestHostile(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	number := func() float64 {
		return []float64{0, 1, -1, 0.5, 1e-320, 1e300, -1e300, 1 << 31, 1e9, 32767.9, 255, math.NaN(), math.Inf(1), math.Inf(-1), rng.NormFloat64() * 10}[rng.IntN(15)]
	}
	numbers := func(n int) []float64 {
		f := make([]float64, n)
		for i := range f {
			f[i] = number()
		}
		return f
	}
	integer := func() int {
		return []int{0, 1, -1, 2, 7, -7, 50, math.MaxInt, math.MinInt, math.MaxInt32, 1 << 20}[rng.IntN(11)]
	}
	small := func() int { return []int{0, 1, -1, 2, 7, 30, math.MinInt}[rng.IntN(7)] }
	hows := append([]Interpolation{"", "cubic"}, allFilters...)
	how := func() Interpolation { return hows[rng.IntN(len(hows))] }
	for range 4000 {
		mode := modes[rng.IntN(len(modes))]
		p := New(mode, rng.IntN(6), rng.IntN(6))
		for i := range p.Pix {
			p.Pix[i] = uint8(rng.Uint32())
		}
		switch rng.IntN(4) {
		case 0:
			p.Transparency = []int{integer()}
		case 1:
			p.Alphas = make([]uint8, rng.IntN(300))
		case 2:
			p.Transparency = []int{integer(), integer(), integer()}[:rng.IntN(4)]
		}
		if rng.IntN(2) == 0 {
			p.Palette = &Palette{Mode: []Mode{ModeRGB, ModeRGBA, ModeL, ""}[rng.IntN(4)], Colors: make([]uint8, rng.IntN(1100))}
		}
		q := New(modes[rng.IntN(len(modes))], rng.IntN(6), rng.IntN(6))
		fill := numbers(rng.IntN(5))
		for _, f := range []func() (*Image, error){
			func() (*Image, error) { return p.Convert(modes[rng.IntN(len(modes))]) },
			func() (*Image, error) { return p.Resize(small(), small(), how()) },
			func() (*Image, error) { return p.ResizeBox(small(), small(), how(), [4]float64(numbers(4))) },
			func() (*Image, error) {
				return p.ResizeCrop(small(), small(), how(), rect(small(), small(), small(), small()))
			},
			func() (*Image, error) { return p.Crop(rect(small(), small(), small(), small())) },
			func() (*Image, error) { return p.Crop(image.Rect(integer(), 0, integer(), 0)) },
			func() (*Image, error) {
				return p.Pad(small(), small(), small(), small(), fill, []PadMode{PadConstant, PadEdge, PadReflect, PadSymmetric, ""}[rng.IntN(5)])
			},
			func() (*Image, error) { return p.Transpose(Transpose(rng.IntN(9) - 1)) },
			func() (*Image, error) {
				return p.Transform(small(), small(), Warp(rng.IntN(3)), numbers(6+2*rng.IntN(2)), how(), fill)
			},
			func() (*Image, error) {
				return p.Rotate(number(), RotateOptions{how(), rng.IntN(2) == 0, (*[2]float64)(numbers(2)), fill})
			},
			func() (*Image, error) { return p.Rotate(number(), RotateOptions{Expand: true}) },
			func() (*Image, error) { return AdjustBrightness(p, number()) },
			func() (*Image, error) { return AdjustContrast(p, number()) },
			func() (*Image, error) { return AdjustSaturation(p, number()) },
			func() (*Image, error) { return AdjustSharpness(p, number()) },
			func() (*Image, error) { return AdjustHue(p, number()) },
			func() (*Image, error) { return AdjustGamma(p, number(), number()) },
			func() (*Image, error) { return Grayscale(p, rng.IntN(4)) },
			func() (*Image, error) { return Invert(p) },
			func() (*Image, error) { return Posterize(p, integer()) },
			func() (*Image, error) { return Solarize(p, number()) },
			func() (*Image, error) { return Autocontrast(p) },
			func() (*Image, error) { return Equalize(p) },
			func() (*Image, error) { return Smooth(p) },
			func() (*Image, error) { return p.Point(make([]uint8, 256*rng.IntN(5))) },
			func() (*Image, error) { return Blend(p, q, number()) },
			func() (*Image, error) { return Composite(p, q, New(ModeL, p.W, p.H)) },
			func() (*Image, error) { return Merge(modes[rng.IntN(len(modes))], p, q) },
			func() (*Image, error) { _, err := p.Split(); return p, err },
			func() (*Image, error) { _, err := p.Histogram(); return p, err },
		} {
			r, err := f()
			if err == nil {
				require.NoError(t, r.Check())
			}
		}
	}
}
