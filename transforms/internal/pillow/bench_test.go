package pillow

import (
	"image"
	"math/rand/v2"
	"testing"
)

// BenchmarkPillow measures the functions on a photo's size, 1546×1213 pixels.
func BenchmarkPillow(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	rgb, rgba := noise(rng, ModeRGB, 1546, 1213), noise(rng, ModeRGBA, 1546, 1213)
	wave := []float64{0.9, 0.1, 3, -0.1, 0.9, 100}
	bend := []float64{0.9, 0.1, 3, -0.1, 0.9, 100, 1e-5, 1e-5}
	for _, c := range []struct {
		name string
		f    func() (*Image, error)
	}{
		{"ResizeCrop/bilinear", func() (*Image, error) { return rgb.ResizeCrop(326, 256, Bilinear, image.Rect(51, 16, 275, 240)) }},
		{"ResizeCrop/bicubic", func() (*Image, error) { return rgb.ResizeCrop(326, 256, Bicubic, image.Rect(51, 16, 275, 240)) }},
		{"Resize/RGBA", func() (*Image, error) { return rgba.Resize(326, 256, Bilinear) }},
		{"Resize/up", func() (*Image, error) { return rgb.Resize(2000, 1600, Bicubic) }},
		{"Resize/nearest", func() (*Image, error) { return rgb.Resize(2000, 1600, Nearest) }},
		{"FlipLeftRight", func() (*Image, error) { return rgb.Transpose(FlipLeftRight) }},
		{"Rotate90", func() (*Image, error) { return rgb.Transpose(Rotate90) }},
		{"Affine/nearest", func() (*Image, error) { return rgb.Transform(1546, 1213, Affine, wave, Nearest, nil) }},
		{"Affine/bilinear", func() (*Image, error) { return rgb.Transform(1546, 1213, Affine, wave, Bilinear, nil) }},
		{"Affine/bicubic", func() (*Image, error) { return rgb.Transform(1546, 1213, Affine, wave, Bicubic, nil) }},
		{"Perspective/bilinear", func() (*Image, error) { return rgb.Transform(1546, 1213, Perspective, bend, Bilinear, nil) }},
		{"AdjustBrightness", func() (*Image, error) { return AdjustBrightness(rgb, 1.3) }},
		{"AdjustContrast", func() (*Image, error) { return AdjustContrast(rgb, 0.7) }},
		{"AdjustSaturation", func() (*Image, error) { return AdjustSaturation(rgb, 1.3) }},
		{"AdjustSharpness", func() (*Image, error) { return AdjustSharpness(rgb, 1.3) }},
		{"AdjustHue", func() (*Image, error) { return AdjustHue(rgb, 0.2) }},
		{"AdjustGamma", func() (*Image, error) { return AdjustGamma(rgb, 1.2, 1) }},
		{"Equalize", func() (*Image, error) { return Equalize(rgb) }},
		{"Autocontrast", func() (*Image, error) { return Autocontrast(rgb) }},
		{"Invert", func() (*Image, error) { return Invert(rgb) }},
		{"Convert/L", func() (*Image, error) { return rgb.Convert(ModeL) }},
		{"Convert/P", func() (*Image, error) { return rgb.Convert(ModeP) }},
		{"Convert/RGBA", func() (*Image, error) { return rgb.Convert(ModeRGBA) }},
		{"Convert/HSV", func() (*Image, error) { return rgb.Convert(ModeHSV) }},
		{"Convert/RGB", func() (*Image, error) { return rgba.Convert(ModeRGB) }},
		{"Pad", func() (*Image, error) { return rgb.Pad(40, 40, 40, 40, nil, PadReflect) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
