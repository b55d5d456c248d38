package pillow

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

//go:generate go test -run Goldens . -update

// start runs the script that makes pictures of Pillow, does things to them and takes them apart.
func start(t *testing.T) *reference.Process {
	t.Helper()
	script, err := os.ReadFile("../../../testdata/gen/pillow.py")
	require.NoError(t, err)
	return reference.Start(t, string(script))
}

// A result is a picture that came from Python, or why none did.
type result struct {
	Error        string
	Mode         Mode
	W, H         int
	Pix          reference.Array
	Palette      []any
	Transparency []int
	Alphas       []int
}

// sent is a picture on its way to Python.
func sent(p *Image) map[string]any {
	m := map[string]any{
		"Mode": p.Mode, "W": p.W, "H": p.H, "Pix": reference.NewArray(p.Pix, len(p.Pix)),
		"Palette": nil, "Transparency": p.Transparency, "Alphas": nil,
	}
	if p.Palette != nil {
		m["Palette"] = map[string]any{"Mode": p.Palette.Mode, "Colors": reference.NewArray(p.Palette.Colors, len(p.Palette.Colors))}
	}
	if p.Alphas != nil {
		m["Alphas"] = reference.NewArray(p.Alphas, len(p.Alphas))
	}
	return m
}

var modes = []Mode{Mode1, ModeL, ModeLA, ModeLa, ModeP, ModePA, ModeRGB, ModeRGBA, ModeRGBa, ModeRGBX, ModeCMYK, ModeYCbCr, ModeHSV, ModeI, ModeF, ModeI16}

// noise returns a picture of random pixels, many of them at the ends of their
// range, some of them smooth so that neighbors are alike.
func noise(rng *rand.Rand, mode Mode, w, h int) *Image {
	p := New(mode, w, h)
	smooth := rng.IntN(3) == 0
	put := func(i int, v uint8) {
		if smooth && i >= 4 {
			v = p.Pix[i-mode.BytesPerPixel()%4] + v%5 - 2
		}
		p.Pix[i] = v
	}
	for i := range p.Pix {
		switch v := rng.Uint32(); v >> 30 {
		case 0:
			put(i, 0)
		case 1:
			put(i, 255)
		default:
			put(i, uint8(v))
		}
	}
	switch mode {
	case Mode1:
		for i, v := range p.Pix {
			p.Pix[i] = uint8(int8(v) >> 7)
		}
	case ModeI, ModeF:
		scale := []float64{300, 70000, 1 << 31}[rng.IntN(3)]
		for i := range w * h {
			v := (rng.Float64()*2 - 0.7) * scale
			if rng.IntN(4) == 0 {
				v = []float64{0, 255, 255.5, -1, 1 << 31, -1 << 31, 65535, 127.5}[rng.IntN(8)]
			}
			if mode == ModeI {
				binary.LittleEndian.PutUint32(p.Pix[4*i:], uint32(toInt32(v)))
			} else {
				putFloat(p.Pix[4*i:], float32(v))
			}
		}
	case ModeP, ModePA:
		p.Palette = &Palette{Mode: ModeRGB}
		n := []int{256, 256, 1 + rng.IntN(256)}[rng.IntN(3)]
		if mode == ModeP && rng.IntN(3) == 0 {
			p.Palette.Mode = ModeRGBA
		}
		for range n * p.Palette.Mode.Bands() {
			p.Palette.Colors = append(p.Palette.Colors, uint8(rng.Uint32()))
		}
	case ModeRGBa, ModeLa: // premultiplied pixels are not more than their alpha, as a rule
		if n := mode.Bands(); rng.IntN(2) == 0 {
			for i := range p.Pix {
				p.Pix[i] = min(p.Pix[i], p.Pix[i/n*n+n-1])
			}
		}
	}
	if mode == ModeI16 && rng.IntN(2) == 0 {
		for i := 1; i < len(p.Pix); i += 2 {
			p.Pix[i] &= 1
		}
	}
	return p
}

// seeThrough gives the picture a see-through color where its mode may have one in a file.
func seeThrough(rng *rand.Rand, p *Image) {
	pixel := p.Pix[rng.IntN(p.W*p.H)*p.Mode.BytesPerPixel():]
	switch p.Mode {
	case Mode1, ModeL:
		p.Transparency = []int{int(pixel[0])}
	case ModeI16:
		p.Transparency = []int{int(binary.LittleEndian.Uint16(pixel))}
	case ModeI:
		p.Transparency = []int{int(int32(binary.LittleEndian.Uint32(pixel)))}
	case ModeRGB:
		p.Transparency = []int{int(pixel[0]), int(pixel[1]), int(pixel[2])}
	case ModeP:
		if p.Palette = p.Palette.rgb(); rng.IntN(2) == 0 {
			p.Transparency = []int{int(pixel[0])}
			return
		}
		p.Alphas = make([]uint8, 1+rng.IntN(len(p.Palette.Colors)/3))
		for i := range p.Alphas {
			p.Alphas[i] = uint8(rng.Uint32())
		}
	}
}

// side returns a length from 1 to limit; short ones are as likely as long ones.
func side(rng *rand.Rand, limit int) int {
	return int(math.Exp(rng.Float64() * math.Log(float64(limit)+0.99)))
}

// An operation is done here and in Python.
type operation struct {
	name string // in the script
	args []any
	here func(p *Image) (*Image, error)
}

// agree fails the test unless both sides make the same picture, or both refuse.
func agree(t *testing.T, python *reference.Process, p *Image, o operation) {
	t.Helper()
	before := bytes.Clone(p.Pix)
	var want result
	python.Call(&want, "run", o.name, sent(p), append([]any{}, o.args...))
	got, err := o.here(p)
	what := fmt.Sprintf("%s%v of a %v", o.name, brief(o.args), p)
	if (want.Error == "") != (err == nil) {
		t.Fatalf("%s: Python: %q, here: %v", what, want.Error, err)
	}
	require.True(t, bytes.Equal(before, p.Pix), "%s changed its picture", what)
	if err != nil {
		return
	}
	require.NoError(t, got.Check(), what)
	w, g := want.image(), plain(got)
	require.Equal(t, fmt.Sprint(w.Mode, w.W, w.H), fmt.Sprint(g.Mode, g.W, g.H), what)
	same(t, w.Pix, g.Pix, g, what)
	w.Pix, g.Pix = nil, nil
	require.Equal(t, w, g, what)
}

// image returns the picture that came.
func (r *result) image() *Image {
	p := &Image{Mode: r.Mode, W: r.W, H: r.H, Pix: r.Pix.Data, Transparency: r.Transparency}
	for _, a := range r.Alphas {
		p.Alphas = append(p.Alphas, uint8(a))
	}
	if r.Palette != nil {
		p.Palette = &Palette{Mode: Mode(r.Palette[0].(string))}
		for _, v := range r.Palette[1].([]any) {
			p.Palette.Colors = append(p.Palette.Colors, uint8(v.(float64)))
		}
	}
	return plain(p)
}

// plain returns the picture in the one way to write it: white is 255, and a
// palette is there where the mode has one, and only there.
func plain(p *Image) *Image {
	q := *p
	q.Pix = bytes.Clone(p.Pix)
	switch p.Mode {
	case Mode1:
		for i, v := range q.Pix {
			if v != 0 {
				q.Pix[i] = 255
			}
		}
	case ModeP, ModePA:
		if p.Palette == nil {
			q.Palette = &Palette{Mode: ModeRGB}
		}
	}
	return &q
}

func brief(args []any) string {
	s := fmt.Sprint(args...)
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return "(" + s + ")"
}

// same fails the test where two arrays of bytes differ, without printing them.
func same(t *testing.T, want, got []uint8, p *Image, what string) {
	t.Helper()
	require.Equal(t, len(want), len(got), what)
	n, first := 0, -1
	for i, v := range want {
		if v != got[i] {
			if n++; first < 0 {
				first = i
			}
		}
	}
	if n > 0 {
		b := p.Mode.BytesPerPixel()
		at := first / b
		t.Fatalf("%s: %d of %d bytes differ, first pixel (%d, %d): want %v, got %v", what, n, len(want), at%p.W, at/p.W, want[at*b:at*b+b], got[at*b:at*b+b])
	}
}

var allFilters = []Interpolation{Nearest, Box, Bilinear, Hamming, Bicubic, Lanczos, MKS2013, MKS2021}

// rect is image.Rectangle without sorting, so that it may end before it begins.
func rect(x0, y0, x1, y1 int) image.Rectangle {
	return image.Rectangle{Min: image.Pt(x0, y0), Max: image.Pt(x1, y1)}
}

// fillFor returns a random fill for the mode: none, one number, or one a channel.
func fillFor(rng *rand.Rand, mode Mode) []float64 {
	number := func() float64 {
		return []float64{0, 1, 255, 300, -5, 12.7, float64(rng.IntN(256)), float64(rng.IntN(70000))}[rng.IntN(8)]
	}
	switch rng.IntN(4) {
	case 0:
		return nil
	case 1:
		return []float64{number()}
	case 2:
		if rng.IntN(4) == 0 {
			return []float64{1, 2, 3}
		}
	}
	f := make([]float64, mode.Bands())
	for i := range f {
		f[i] = number()
	}
	return f
}

func anyFill(f []float64) any {
	if f == nil {
		return nil
	}
	return f
}

// operations returns a random operation of each kind for a picture.
func operations(rng *rand.Rand, p *Image) []operation {
	limit := max(80, min(p.W, p.H))
	w, h := side(rng, limit), side(rng, limit)
	switch rng.IntN(8) {
	case 0:
		w = p.W
	case 1:
		h = p.H
	case 2:
		w, h = p.W, p.H
	}
	how := allFilters[rng.IntN(len(allFilters))]
	warpHow := []Interpolation{Nearest, Bilinear, Bicubic}[rng.IntN(3)]
	mode := modes[rng.IntN(len(modes))]
	via := modes[rng.IntN(len(modes)-3)]
	if mode == ModePA && (p.Mode == ModeRGBA || via == ModeRGBA) || p.Mode == ModeRGBA && via == ModePA {
		mode, via = ModeP, ModeRGB // RGBA to PA is left out
	}
	box := [4]float64{rng.Float64() * float64(p.W), rng.Float64() * float64(p.H), 0, 0}
	if rng.IntN(2) == 0 {
		box[0], box[1] = math.Floor(box[0]), math.Floor(box[1])
	}
	box[2], box[3] = box[0]+rng.Float64()*(float64(p.W)-box[0]), box[1]+rng.Float64()*(float64(p.H)-box[1])
	if rng.IntN(2) == 0 {
		box[2], box[3] = math.Ceil(box[2]), math.Ceil(box[3])
	}
	at := func(n int) int { return rng.IntN(3*n+4) - n - 2 }
	r := rect(at(p.W), at(p.H), at(p.W), at(p.H))
	window := rect(at(w), at(h), at(w), at(h))
	pads := [4]int{rng.IntN(9) - 2, rng.IntN(9) - 2, rng.IntN(9) - 2, rng.IntN(9) - 2}
	if rng.IntN(6) == 0 {
		pads = [4]int{rng.IntN(60), rng.IntN(60), -rng.IntN(p.W + 2), rng.IntN(60)}
	}
	padMode := []PadMode{PadConstant, PadEdge, PadReflect, PadSymmetric}[rng.IntN(4)]
	fill := fillFor(rng, p.Mode)
	transpose := Transpose(rng.IntN(7))
	angle := []float64{rng.Float64()*800 - 400, float64(rng.IntN(9)-4) * 90, float64(rng.IntN(720) - 360), float64(rng.IntN(17)-8) * 45}[rng.IntN(4)]
	expand := rng.IntN(2) == 0
	var center *[2]float64
	var pythonCenter any
	if rng.IntN(3) == 0 {
		center = &[2]float64{rng.Float64() * float64(p.W), float64(rng.IntN(p.H + 1))}
		pythonCenter = center[:]
	}
	m := make([]float64, 6)
	for i := range m {
		m[i] = rng.NormFloat64()
	}
	m[2], m[5] = m[2]*float64(p.W), m[5]*float64(p.H)
	switch rng.IntN(6) {
	case 0:
		m[1], m[3] = 0, 0
	case 1:
		m = []float64{1, 0, float64(at(p.W)), 0, 1, float64(at(p.H))}
	case 2:
		m[0], m[4] = m[0]*1e4, m[4]*1e3 // too far for fixed point
	case 3:
		m = []float64{0.5, 0.5, 0, -0.5, 0.5, float64(p.H) / 2}
	}
	coeffs := make([]float64, 8)
	for i := range coeffs {
		coeffs[i] = []float64{1, 0.2, 4, 0.2, 1, 4, 0.01, 0.01}[i] * (rng.NormFloat64()*0.3 + float64((i+1)&1&(i/4+1)))
	}
	coeffs[0], coeffs[4] = 1+rng.NormFloat64()*0.3, 1+rng.NormFloat64()*0.3
	factor := []float64{rng.Float64() * 2, 0, 1, rng.Float64(), rng.Float64() * 20, -rng.Float64(), 0.5, 2}[rng.IntN(8)]
	hue := rng.Float64() - 0.5
	gamma, gain := rng.Float64()*3, 0.5+rng.Float64()
	if rng.IntN(3) == 0 {
		gain = 1
	}
	bits := rng.IntN(10)
	threshold := []float64{float64(rng.IntN(300)), rng.Float64() * 256}[rng.IntN(2)]
	table := make([]uint8, 256*p.Mode.Bands())
	numbers := make([]int, len(table))
	for i := range table {
		table[i] = uint8(rng.Uint32())
		numbers[i] = int(table[i])
	}
	channel := rng.IntN(max(p.Mode.Bands(), 1))
	other := noise(rng, p.Mode, p.W, p.H)
	mask := noise(rng, []Mode{ModeL, Mode1}[rng.IntN(2)], p.W, p.H)
	channels := []int{1, 3}[rng.IntN(2)]
	return []operation{
		{"convert", []any{mode}, func(p *Image) (*Image, error) { return p.Convert(mode) }},
		{"convert_twice", []any{via, mode}, func(p *Image) (*Image, error) {
			q, err := p.Convert(via)
			if err != nil {
				return nil, err
			}
			return q.Convert(mode)
		}},
		{"resize", []any{w, h, how}, func(p *Image) (*Image, error) { return p.Resize(w, h, how) }},
		{"resize_box", []any{w, h, how, box}, func(p *Image) (*Image, error) { return p.ResizeBox(w, h, how, box) }},
		{"resize_crop", []any{w, h, how, []int{window.Min.X, window.Min.Y, window.Max.X, window.Max.Y}}, func(p *Image) (*Image, error) { return p.ResizeCrop(w, h, how, window) }},
		{"crop", []any{r.Min.X, r.Min.Y, r.Max.X, r.Max.Y}, func(p *Image) (*Image, error) { return p.Crop(r) }},
		{"pad", []any{pads, anyFill(fill), padMode}, func(p *Image) (*Image, error) {
			return p.Pad(pads[0], pads[1], pads[2], pads[3], fill, padMode)
		}},
		{"transpose", []any{int(transpose)}, func(p *Image) (*Image, error) { return p.Transpose(transpose) }},
		{"rotate", []any{angle, warpHow, expand, pythonCenter, anyFill(fill)}, func(p *Image) (*Image, error) {
			return p.Rotate(angle, RotateOptions{warpHow, expand, center, fill})
		}},
		{"affine", []any{m, warpHow, anyFill(fill)}, func(p *Image) (*Image, error) {
			return p.Transform(p.W, p.H, Affine, m, warpHow, fill)
		}},
		{"transform", []any{w, h, m, warpHow, anyFill(fill)}, func(p *Image) (*Image, error) {
			return p.Transform(w, h, Affine, m, warpHow, fill)
		}},
		{"perspective", []any{coeffs, warpHow, anyFill(fill)}, func(p *Image) (*Image, error) {
			return p.Transform(p.W, p.H, Perspective, coeffs, warpHow, fill)
		}},
		{"brightness", []any{factor}, func(p *Image) (*Image, error) { return AdjustBrightness(p, factor) }},
		{"contrast", []any{factor}, func(p *Image) (*Image, error) { return AdjustContrast(p, factor) }},
		{"saturation", []any{factor}, func(p *Image) (*Image, error) { return AdjustSaturation(p, factor) }},
		{"sharpness", []any{factor}, func(p *Image) (*Image, error) { return AdjustSharpness(p, factor) }},
		{"hue", []any{hue}, func(p *Image) (*Image, error) { return AdjustHue(p, hue) }},
		{"gamma", []any{gamma, gain}, func(p *Image) (*Image, error) { return AdjustGamma(p, gamma, gain) }},
		{"grayscale", []any{channels}, func(p *Image) (*Image, error) { return Grayscale(p, channels) }},
		{"invert", nil, Invert},
		{"posterize", []any{bits}, func(p *Image) (*Image, error) { return Posterize(p, bits) }},
		{"solarize", []any{threshold}, func(p *Image) (*Image, error) { return Solarize(p, threshold) }},
		{"autocontrast", nil, Autocontrast},
		{"equalize", nil, Equalize},
		{"smooth", nil, Smooth},
		{"point", []any{numbers}, func(p *Image) (*Image, error) { return p.Point(table) }},
		{"split_merge", nil, func(p *Image) (*Image, error) {
			bands, err := p.Split()
			if err != nil {
				return nil, err
			}
			return Merge(p.Mode, bands...)
		}},
		{"channel", []any{channel}, func(p *Image) (*Image, error) {
			bands, err := p.Split()
			if err != nil {
				return nil, err
			}
			return bands[channel], nil
		}},
		{"blend", []any{sent(other), factor}, func(p *Image) (*Image, error) { return Blend(p, other, factor) }},
		{"composite", []any{sent(other), sent(mask)}, func(p *Image) (*Image, error) { return Composite(p, other, mask) }},
	}
}

// sample returns the i-th picture of a mode, and what to do with it.
func sample(mode Mode, i int) (*Image, []operation) {
	rng := rand.New(rand.NewPCG(uint64(i), uint64(len(mode))*1000+uint64(mode[0])))
	p := noise(rng, mode, side(rng, 90), side(rng, 90))
	if i%3 == 0 {
		seeThrough(rng, p)
	}
	return p, operations(rng, p)
}

func TestAgainstPillow(t *testing.T) {
	python := start(t)
	for _, mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			for i := range 16 {
				p, ops := sample(mode, i)
				for _, o := range ops {
					t.Run(fmt.Sprint(o.name, i), func(t *testing.T) { agree(t, python, p, o) })
				}
			}
		})
	}
}

// TestLargeAgainstPillow does the same with pictures that are shared out among
// processors, or very long and thin.
func TestLargeAgainstPillow(t *testing.T) {
	python := start(t)
	for i, mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(77, uint64(i)))
			sizes := [][2]int{{300 + rng.IntN(200), 200 + rng.IntN(200)}, {1 + rng.IntN(3), 3000}}
			if i%2 == 0 {
				sizes[1][0], sizes[1][1] = sizes[1][1], sizes[1][0]
			}
			if mode == ModeRGB {
				sizes = append(sizes, [2]int{1500, 1100})
			}
			for _, s := range sizes {
				p := noise(rng, mode, s[0], s[1])
				for _, o := range operations(rng, p) {
					t.Run(fmt.Sprintf("%s_%dx%d", o.name, s[0], s[1]), func(t *testing.T) { agree(t, python, p, o) })
				}
			}
		})
	}
}

func TestHistogramAgainstPillow(t *testing.T) {
	python := start(t)
	for i := range 80 {
		rng := rand.New(rand.NewPCG(uint64(i), 5))
		mode := modes[i%(len(modes)-1)] // of I;16 Pillow counts bytes
		p := noise(rng, mode, side(rng, 60), side(rng, 60))
		var want []int
		python.Call(&want, "histogram", sent(p))
		got, err := p.Histogram()
		require.NoError(t, err)
		require.Equal(t, want, got, "%v", p)
	}
}

// TestQuantizeAgainstPillow looks for palettes of pictures of few and of many colors.
func TestQuantizeAgainstPillow(t *testing.T) {
	python := start(t)
	rng := rand.New(rand.NewPCG(12, 12))
	for i := range 40 {
		p := noise(rng, ModeRGBA, side(rng, 200), side(rng, 200))
		if mask := uint8(0xff) << rng.IntN(8); i%2 == 0 {
			for j := range p.Pix {
				p.Pix[j] &= mask
			}
		}
		agree(t, python, p, operation{"convert", []any{ModeP}, func(p *Image) (*Image, error) { return p.Convert(ModeP) }})
	}
}
