package pillow

import (
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// inside returns the part of a picture that does not start at (0, 0) and whose rows have padding.
func inside[T interface {
	image.Image
	Set(x, y int, c color.Color)
	SubImage(image.Rectangle) image.Image
}](rng *rand.Rand, whole T) image.Image {
	for y := whole.Bounds().Min.Y; y < whole.Bounds().Max.Y; y++ {
		for x := whole.Bounds().Min.X; x < whole.Bounds().Max.X; x++ {
			whole.Set(x, y, color.NRGBA64{uint16(rng.Uint32()), uint16(rng.Uint32()), uint16(rng.Uint32()), uint16(rng.Uint32())})
		}
	}
	return whole.SubImage(image.Rect(-3, 2, 6, 9))
}

func TestFrom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	r := image.Rect(-7, -7, 20, 20)
	colors := color.Palette{color.NRGBA{1, 2, 3, 255}, color.NRGBA{200, 100, 50, 255}, color.NRGBA{0, 0, 0, 128}}
	for _, c := range []struct {
		img  image.Image
		mode Mode
	}{
		{inside(rng, image.NewGray(r)), ModeL},
		{inside(rng, image.NewGray16(r)), ModeI16},
		{inside(rng, image.NewNRGBA(r)), ModeRGBA},
		{inside(rng, image.NewRGBA(r)), ModeRGBA},
		{inside(rng, image.NewNRGBA64(r)), ModeRGBA},
		{inside(rng, image.NewRGBA64(r)), ModeRGBA},
		{inside(rng, image.NewCMYK(r)), ModeCMYK},
		{inside(rng, image.NewPaletted(r, colors)), ModeP},
		{inside(rng, image.NewAlpha(r)), ModeRGBA},
	} {
		p := From(c.img)
		require.Equal(t, c.mode, p.Mode, "%T", c.img)
		require.NoError(t, p.Check())
		require.Equal(t, image.Rect(0, 0, 9, 7), p.Bounds())
		b := c.img.Bounds()
		for y := range p.H {
			for x := range p.W {
				want, got := c.img.At(b.Min.X+x, b.Min.Y+y), p.At(x, y)
				switch c.img.(type) {
				case *image.RGBA: // Pillow divides by alpha in its own way
					w, g := color.NRGBAModel.Convert(want).(color.NRGBA), got.(color.NRGBA)
					require.InDelta(t, w.R, g.R, 1, "%T (%d, %d)", c.img, x, y)
					require.Equal(t, w.A, g.A)
				case *image.NRGBA64:
					w, g := want.(color.NRGBA64), got.(color.NRGBA)
					require.Equal(t, uint8(w.G>>8), g.G)
				case *image.Paletted, *image.Alpha, *image.RGBA64:
					require.Equal(t, color.NRGBAModel.Convert(want), got, "%T (%d, %d)", c.img, x, y)
				default:
					require.Equal(t, want, got, "%T (%d, %d)", c.img, x, y)
				}
			}
		}
		// There and back: the same picture.
		q := From(p.Go())
		require.Equal(t, p, q, "%T", c.img)
	}
	require.Equal(t, ModeRGB, From(NewRGB(2, 3)).Mode)
	require.Equal(t, ModeRGB, From(image.NewYCbCr(r, image.YCbCrSubsampleRatio420)).Mode)
	p := New(ModeLA, 2, 2)
	require.Same(t, p, From(p))

	opaque := image.NewRGBA(r)
	for i := range opaque.Pix {
		opaque.Pix[i] = uint8(i) | uint8(i%4/3*255)
	}
	part := opaque.SubImage(image.Rect(1, 2, 5, 6))
	p = From(part)
	require.Equal(t, ModeRGB, p.Mode)
	require.Equal(t, part.At(2, 3), p.Go().(*RGB).At(1, 1))
}

func TestGoTypes(t *testing.T) {
	for mode, want := range map[Mode]image.Image{
		ModeL: &image.Gray{}, ModeRGB: &RGB{}, ModeRGBA: &image.NRGBA{}, ModeCMYK: &image.CMYK{},
		ModeI16: &image.Gray16{}, ModeP: &image.Paletted{}, ModeLA: &Image{}, ModeI: &Image{}, Mode1: &Image{},
	} {
		require.IsType(t, want, New(mode, 3, 2).Go(), mode)
	}
	p := New(ModeP, 2, 1)
	p.Pix[1] = 7 // beyond the palette
	require.Equal(t, color.NRGBA{0, 0, 0, 255}, p.Go().At(1, 0))
	p.Transparency = []int{7}
	require.Same(t, p, p.Go())
	require.Equal(t, color.NRGBA{0, 0, 0, 0}, p.At(1, 0))
	require.False(t, p.Opaque())
}

func TestAt(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, mode := range modes {
		p := noise(rng, mode, 5, 4)
		for y := -1; y <= 4; y++ {
			for x := -1; x <= 5; x++ {
				c := p.At(x, y)
				require.Equal(t, c, p.ColorModel().Convert(c), "%s", mode)
			}
		}
	}
}

func TestElements(t *testing.T) {
	require.Equal(t, []int32{-5, 1 << 30}, FromInt32s([]int32{-5, 1 << 30}, 1, 2).Int32s())
	require.Equal(t, []float32{-0.5, 3e9}, FromFloat32s([]float32{-0.5, 3e9}, 2, 1).Float32s())
	require.Equal(t, []uint16{1, 65535}, FromUint16s([]uint16{1, 65535}, 2, 1).Uint16s())
}
