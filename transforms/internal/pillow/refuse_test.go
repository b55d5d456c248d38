package pillow

import (
	"image"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRefusals(t *testing.T) {
	rgb, l, f := New(ModeRGB, 4, 3), New(ModeL, 4, 3), New(ModeF, 4, 3)
	call := func(p *Image, err error) error { return err }
	for want, err := range map[string]error{
		"the mode F is not supported; want L or RGB":                                                        call(Autocontrast(f)),
		"the mode F is not supported; want L, P or RGB":                                                     call(Equalize(f)),
		"the number of bits is 0; want 1 to 8":                                                              call(Posterize(l, 0)),
		"the size is 0×5 (width × height); want 1 pixel or more each":                                       call(rgb.Resize(0, 5, Box)),
		"the crop ends before it begins: from (3, 0) to (1, 2)":                                             call(rgb.Crop(rect(3, 0, 1, 2))),
		"the crop has 20000×20000 pixels; want 178956970 at most":                                           call(rgb.Crop(image.Rect(0, 0, 20000, 20000))),
		"a picture of 1073741824×1073741824 pixels would not fit in memory; want 1073741824 pixels at most": call(rgb.Resize(1<<30, 1<<30, Box)),
		"the fill has 2 numbers, but the mode RGB has 3 channels; want one number, or one for each":         call(rgb.Pad(1, 1, 1, 1, []float64{1, 2}, PadConstant)),
		"the fill NaN is out of range":                                                                      call(rgb.Rotate(30, RotateOptions{Fill: []float64{math.NaN()}})),
		"the padding of 9223372036854775807 pixels is out of range":                                         call(rgb.Pad(math.MaxInt, 1, 1, 1, nil, PadConstant)),
		`no padding mode is called "mirror"; want constant, edge, reflect or symmetric`:                     call(rgb.Pad(1, 1, 1, 1, nil, "mirror")),
		"there are no pixels to pad with":                                                                   call(rgb.Pad(-4, 0, 1, 0, nil, PadEdge)),
		`the interpolation "lanczos" cannot be used here; want nearest, bilinear or bicubic`:                call(rgb.Rotate(30, RotateOptions{Interpolation: Lanczos})),
		"the angle is NaN; want a number of degrees":                                                        call(rgb.Rotate(math.NaN(), RotateOptions{})),
		"there are 6 numbers; want 8":                                                                       call(rgb.Transform(4, 3, Perspective, make([]float64, 6), Nearest, nil)),
		"the hue factor is 0.6; want -0.5 to 0.5":                                                           call(AdjustHue(rgb, 0.6)),
		"gamma is -1; want 0 or more":                                                                       call(AdjustGamma(rgb, -1, 1)),
		"gamma 1 and gain 1e+09 map 3 to 3.0117529411764708e+09, which is out of range":                     call(AdjustGamma(rgb, 1, 1e9)),
		"the conversion from L to RGBa is not supported":                                                    call(l.Convert(ModeRGBa)),
		"the conversion from RGBA to PA is not supported; convert to P or RGB":                              call(New(ModeRGBA, 1, 1).Convert(ModePA)),
		`no mode is called "BGR"`:                                                                           call(l.Convert("BGR")),
		"the pictures do not match: picture of 4×3 pixels, mode RGB and picture of 4×3 pixels, mode L":      call(Blend(rgb, l, 0.5)),
		"the table has 256 bytes; want 768 for the mode RGB":                                                call(rgb.Point(make([]uint8, 256))),
		"the picture's Pix holds 3 bytes; want 12":                                                          call((&Image{Mode: ModeL, W: 4, H: 3, Pix: make([]uint8, 3)}).Transpose(Rotate90)),
		"a picture of -4×3 pixels cannot be; want sides of 0 or more":                                       (&Image{Mode: ModeL, W: -4, H: 3}).Check(),
		"channel 1 has 1×1 pixels, and channel 0 has 4×3":                                                   call(Merge(ModeLA, l, New(ModeL, 1, 1))),
		"no transpose has the number 9":                                                                     call(l.Transpose(9)),
	} {
		require.EqualError(t, err, want)
	}
}

// Pictures without pixels pass through everything that takes them in Pillow.
func TestEmpty(t *testing.T) {
	for _, size := range [][2]int{{0, 0}, {0, 3}, {3, 0}} {
		for _, mode := range modes {
			p := New(mode, size[0], size[1])
			for _, q := range []func() (*Image, error){
				func() (*Image, error) { return p.Transpose(Rotate90) },
				func() (*Image, error) { return p.Crop(image.Rect(-1, -1, 2, 2)) },
				func() (*Image, error) { return p.Pad(1, 1, 1, 1, nil, PadConstant) },
				func() (*Image, error) { return p.Transform(2, 2, Affine, []float64{1, 0, 0, 0, 1, 0}, Bilinear, nil) },
			} {
				_, err := q()
				require.NoError(t, err)
			}
			for _, q := range []func() (*Image, error){
				func() (*Image, error) { return AdjustContrast(p, 2) },
				func() (*Image, error) { return Equalize(p) },
				func() (*Image, error) { return Autocontrast(p) },
				func() (*Image, error) { return Smooth(p) },
				func() (*Image, error) { return p.Resize(2, 2, Bilinear) },
				func() (*Image, error) { return p.Pad(1, 1, 1, 1, nil, PadEdge) },
			} {
				require.NotPanics(t, func() { q() })
			}
		}
	}
}
