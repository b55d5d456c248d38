package draw

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/colornames"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

const script = `
import numpy as np, torch, warnings
from PIL import Image, ImageColor
from torchvision import utils
from torchvision.transforms import functional as F
torch.set_num_threads(1)
warnings.simplefilter("ignore")

def tensor(a, dtype):
    return torch.from_numpy(a).to(getattr(torch, dtype))

def picture(a, dtype):
    x = torch.from_numpy(a)
    return x if dtype == "uint8" else (x.to(torch.float64) / 255).to(getattr(torch, dtype))

def out(x):
    return x.to(torch.float64) if x.is_floating_point() else x

def colors(c):
    return None if c is None else [tuple(v) for v in c]

def boxes(a, dtype, b, kind, c, fill, width):
    return out(utils.draw_bounding_boxes(picture(a, dtype), tensor(b, kind), colors=colors(c), fill=fill, width=width))

def masks(a, dtype, m, alpha, c):
    return out(utils.draw_segmentation_masks(picture(a, dtype), torch.from_numpy(m), alpha=alpha, colors=colors(c)))

def keypoints(a, dtype, k, kind, pairs, c, radius, width, vis):
    return out(utils.draw_keypoints(picture(a, dtype), tensor(k, kind), connectivity=pairs, colors=None if c is None else tuple(c), radius=radius, width=width, visibility=None if vis is None else torch.from_numpy(vis)))

def grid(a, dtype, nrow, padding, normalize, value_range, each, pad):
    return out(utils.make_grid(tensor(a, dtype), nrow=nrow, padding=padding, normalize=normalize, value_range=None if value_range is None else tuple(value_range), scale_each=each, pad_value=pad))

def saved(a, path, theirs):
    utils.save_image(torch.from_numpy(a), theirs)
    return np.array_equal(np.array(Image.open(path)), np.array(Image.open(theirs)))

def image(a, dtype):
    return np.array(F.to_pil_image(tensor(a, dtype)))

def flow(a):
    return utils.flow_to_image(torch.from_numpy(a))

def getrgb(s):
    try:
        return list(ImageColor.getrgb(s))
    except ValueError:
        return None

names = lambda: list(ImageColor.colormap)
`

// pixels returns a random picture [c, h, w] as bytes and as a tensor of a dtype.
func pixels(rng *rand.Rand, c, h, w int, dtype torch.DType) (reference.Array, *torch.Tensor) {
	pix := make([]uint8, c*h*w)
	for i := range pix {
		pix[i] = uint8(rng.Uint32())
	}
	a := reference.NewArray(pix, c, h, w)
	x := torch.FromSlice(pix, c, h, w)
	if dtype != torch.Uint8 {
		x = x.ToDType(torch.Float64).DivScalar(255).ToDType(dtype)
	}
	return a, x
}

// same fails the test where a tensor differs from Python's in one bit.
func same(t *testing.T, want reference.Array, got *torch.Tensor, format string, args ...any) {
	t.Helper()
	what := fmt.Sprintf(format, args...)
	require.Equal(t, want.Shape, got.Shape(), what)
	if got.DType().IsFloatingPoint() {
		got = got.ToDType(torch.Float64)
		equal(t, reference.Data[float64](want), torch.Data[float64](got.Contiguous()), what)
		return
	}
	equal(t, want.Data, torch.Data[uint8](got.Contiguous()), what)
}

func equal[E comparable](t *testing.T, want, got []E, what string) {
	t.Helper()
	n, first := 0, -1
	for i := range want {
		if want[i] != got[i] && (want[i] == want[i] || got[i] == got[i]) {
			if n++; first < 0 {
				first = i
			}
		}
	}
	if n > 0 {
		t.Fatalf("%s: %d of %d differ, first [%d]: want %v, got %v", what, n, len(want), first, want[first], got[first])
	}
}

var dtypes = []torch.DType{torch.Uint8, torch.Float32, torch.Float64, torch.Float16, torch.BFloat16}

// ink returns colors for n things, as Go and Python take them; nil at times.
func inks(rng *rand.Rand, n int) ([]color.Color, any) {
	if rng.IntN(3) == 0 {
		return nil, nil
	}
	var ours []color.Color
	var theirs [][3]uint8
	for range n {
		c := [3]uint8{uint8(rng.Uint32()), uint8(rng.Uint32()), uint8(rng.Uint32())}
		ours = append(ours, color.NRGBA{c[0], c[1], c[2], 255})
		theirs = append(theirs, c)
	}
	return ours, numbers(theirs)
}

func numbers(colors [][3]uint8) (out [][]int) {
	for _, c := range colors {
		out = append(out, []int{int(c[0]), int(c[1]), int(c[2])})
	}
	return out
}

func TestBoundingBoxes(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(6, 1))
	for i := range 500 {
		dtype := dtypes[rng.IntN(len(dtypes))]
		c, h, w := 1+2*rng.IntN(2), 1+rng.IntN(70), 1+rng.IntN(70)
		a, x := pixels(rng, c, h, w, dtype)
		n, sides := 1+rng.IntN(4), 4*(1+i%2)
		b := make([]float64, 0, n*sides)
		place := func(size int) float64 {
			v := float64(rng.IntN(size*2)-size/2) + 0.5*float64(rng.IntN(2))
			if rng.IntN(20) == 0 {
				v *= 1000
			}
			return v
		}
		for range n {
			if sides == 4 {
				x0, y0, x1, y1 := place(w), place(h), place(w), place(h)
				b = append(b, min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
				continue
			}
			for j := range 8 {
				b = append(b, place([2]int{w, h}[j%2]))
				if j >= 2 && rng.IntN(4) == 0 { // level and upright sides
					b[len(b)-1] = b[len(b)-3]
				}
			}
		}
		kind := []torch.DType{torch.Int64, torch.Float32}[rng.IntN(2)]
		o := BoxOptions{Fill: rng.IntN(2) == 0, Width: rng.IntN(7)}
		var theirs any
		o.Colors, theirs = inks(rng, n)
		var want reference.Array
		p.Call(&want, "boxes", a, dtype.String(), reference.NewArray(b, n, sides), kind.String(), theirs, o.Fill, max(o.Width, 1))
		got := DrawBoundingBoxes(x, torch.FromSlice(b, n, sides).ToDType(kind), o)
		same(t, want, got, "%d×%d×%d %v, boxes %v, %+v", c, h, w, dtype, b, o)
	}
}

func TestSegmentationMasks(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(6, 2))
	for range 200 {
		dtype := dtypes[rng.IntN(len(dtypes))]
		h, w, n := 1+rng.IntN(40), 1+rng.IntN(40), 1+rng.IntN(4)
		a, x := pixels(rng, 3, h, w, dtype)
		m := make([]bool, n*h*w)
		for i := range m {
			m[i] = rng.IntN(3) == 0
		}
		shape := []int{n, h, w}
		if n == 1 {
			shape = shape[1:]
		}
		o := MaskOptions{Alpha: rng.Float64()}
		var theirs any
		o.Colors, theirs = inks(rng, n)
		var want reference.Array
		p.Call(&want, "masks", a, dtype.String(), reference.NewArray(m, shape...), o.Alpha, theirs)
		same(t, want, DrawSegmentationMasks(x, torch.FromSlice(m, shape...), o), "%d×%d %v %+v", h, w, dtype, o)
	}
}

func TestKeypoints(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(6, 3))
	for range 300 {
		dtype := dtypes[rng.IntN(len(dtypes))]
		h, w, n, k := 1+rng.IntN(80), 1+rng.IntN(80), rng.IntN(3), 1+rng.IntN(6)
		a, x := pixels(rng, 3, h, w, dtype)
		points := make([]float64, n*k*2)
		for i := range points {
			size := []int{w, h}[i%2]
			points[i] = float64(rng.IntN(size*2)-size/2) + rng.Float64()
		}
		kind := []torch.DType{torch.Int64, torch.Float32}[rng.IntN(2)]
		o := KeypointOptions{Radius: rng.IntN(12), Width: rng.IntN(9)}
		for range rng.IntN(5) {
			o.Connectivity = append(o.Connectivity, [2]int{rng.IntN(2*k) - k, rng.IntN(2*k) - k})
		}
		ours, theirs := inks(rng, 1)
		var ink any
		if ours != nil {
			o.Color, ink = ours[0], theirs.([][]int)[0]
		}
		var shown any
		if rng.IntN(2) == 0 {
			v := make([]bool, n*k)
			for i := range v {
				v[i] = rng.IntN(3) > 0
			}
			shown, o.Visibility = reference.NewArray(v, n, k), torch.FromSlice(v, n, k)
		}
		radius, width := o.Radius, o.Width
		if radius == 0 {
			radius = 2
		}
		if width == 0 {
			width = 3
		}
		var want reference.Array
		p.Call(&want, "keypoints", a, dtype.String(), reference.NewArray(points, n, k, 2), kind.String(), o.Connectivity, ink, radius, width, shown)
		same(t, want, DrawKeypoints(x, torch.FromSlice(points, n, k, 2).ToDType(kind), o), "%d×%d %v %v %+v", h, w, dtype, points, o)
	}
}

func TestMakeGrid(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(6, 4))
	for i := range 200 {
		dims := 2 + rng.IntN(3)
		shape := []int{1 + rng.IntN(9), 1 + rng.IntN(4), 1 + rng.IntN(9), 1 + rng.IntN(9)}[4-dims:]
		n := 1
		for _, s := range shape {
			n *= s
		}
		v := make([]float64, n)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		dtype := []torch.DType{torch.Float32, torch.Float64, torch.Uint8, torch.Float16}[i%4]
		if dtype == torch.Uint8 {
			for i := range v {
				v[i] = float64(rng.IntN(256))
			}
		}
		o := GridOptions{NRow: rng.IntN(5), Padding: new(rng.IntN(4)), PadValue: float64(rng.IntN(3)), Normalize: dtype != torch.Uint8 && rng.IntN(2) == 0, ScaleEach: rng.IntN(2) == 0}
		if rng.IntN(2) == 0 {
			o.ValueRange = &[2]float64{-0.5, 1.25}
		}
		nrow := o.NRow
		if nrow == 0 {
			nrow = 8
		}
		var want reference.Array
		p.Call(&want, "grid", reference.NewArray(v, shape...), dtype.String(), nrow, o.Padding, o.Normalize, o.ValueRange, o.ScaleEach, o.PadValue)
		same(t, want, MakeGrid(torch.FromSlice(v, shape...).ToDType(dtype), o), "%v %v %+v", shape, dtype, o)
	}
}

func TestSaveImage(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(6, 5))
	for _, shape := range [][]int{{5, 3, 7, 9}, {1, 1, 4, 4}, {3, 8, 5}, {6, 7}, {2, 4, 3, 3}} {
		n := 1
		for _, s := range shape {
			n *= s
		}
		v := make([]float32, n)
		for i := range v {
			v[i] = rng.Float32()*1.4 - 0.2
		}
		path := filepath.Join(t.TempDir(), "ours.png")
		require.NoError(t, SaveImage(torch.FromSlice(v, shape...), path))
		var ok bool
		p.Call(&ok, "saved", reference.NewArray(v, shape...), path, filepath.Join(t.TempDir(), "theirs.png"))
		require.True(t, ok, shape)
	}
	require.ErrorContains(t, SaveImage(torch.Zeros(3, 2, 2), filepath.Join(t.TempDir(), "a.xyz")), `the extension is ".xyz"`)
}

func TestToImage(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(6, 6))
	for _, shape := range [][]int{{3, 5, 7}, {1, 5, 7}, {4, 5, 7}, {5, 7}} {
		for _, dtype := range dtypes[:3] {
			n := 1
			for _, s := range shape {
				n *= s
			}
			v := make([]float64, n)
			for i := range v {
				v[i] = rng.Float64()
				if dtype == torch.Uint8 {
					v[i] *= 255
				}
			}
			var want reference.Array
			p.Call(&want, "image", reference.NewArray(v, shape...), dtype.String())
			var got []uint8
			switch m := ToImage(torch.FromSlice(v, shape...).ToDType(dtype)).(type) {
			case *image.Gray:
				got = m.Pix
			case *transforms.RGB:
				got = m.Pix
			case *image.NRGBA:
				got = m.Pix
			}
			require.Equal(t, want.Data, got, "%v %v", shape, dtype)
		}
	}
}

func TestFlowToImage(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(6, 7))
	for i := range 60 {
		shape := []int{1 + rng.IntN(3), 2, 1 + rng.IntN(60), 1 + rng.IntN(60)}[i%2:]
		n := 1
		for _, s := range shape {
			n *= s
		}
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64() * math.Exp(4*rng.Float64()))
			if rng.IntN(9) == 0 {
				v[i] = 0
			}
		}
		var want reference.Array
		if i%2 == 1 { // shape[0] is 2
			shape = append([]int{2}, shape[1:]...)
		}
		p.Call(&want, "flow", reference.NewArray(v, shape...))
		same(t, want, FlowToImage(torch.FromSlice(v, shape...)), "%v", shape)
	}
	// A standstill.
	var want reference.Array
	p.Call(&want, "flow", reference.NewArray(make([]float32, 8), 2, 2, 2))
	same(t, want, FlowToImage(torch.Zeros(2, 2, 2)), "zeros")
}

func TestColors(t *testing.T) {
	p := reference.Start(t, script)
	var texts []string
	p.Call(&texts, "names")
	require.GreaterOrEqual(t, len(texts), len(colornames.Names))
	texts = append(texts, "RED", "#F80", "#f80c", "#ff8800", "#ff8800cc", "rgb(1,2,3)", "rgb( 1 , 2 , 255 )", "rgb(10%,20%,99%)",
		"rgba(1,2,3,4)", "rgba(1,2,3)", "rgb(1,2,3,4)", "hsl(0,100%,50%)", "hsl(210.5,33.3%,70%)", "hsv(120,50%,50%)", "hsb(359,1%,99%)",
		"hsl(400, 10%, 20%)", "hsv(720,50%,50%)", "hsv(30,0%,50%)", "hsl(30,0%,50%)", "", "#12", "#12345", "redd", "rgb(1,2)", "rgb (1,2,3)", "rgb(-1,2,3)", "hsl(1%,2%,3%)")
	rng := rand.New(rand.NewPCG(6, 8))
	for range 300 {
		texts = append(texts, fmt.Sprintf([]string{"hsl(%d,%d%%,%d%%)", "hsv(%d,%d%%,%d%%)"}[rng.IntN(2)], rng.IntN(400), rng.IntN(101), rng.IntN(101)))
	}
	for _, s := range texts {
		var want []int
		p.Call(&want, "getrgb", s)
		c, err := ParseColor(s)
		if want == nil {
			require.Error(t, err, s)
			continue
		}
		require.NoError(t, err, s)
		if len(want) == 3 {
			want = append(want, 255)
		}
		require.Equal(t, want, []int{int(c.R), int(c.G), int(c.B), int(c.A)}, s)
	}
}

// TestLabels checks what of a label's picture does not depend on the font.
func TestLabels(t *testing.T) {
	x := torch.Options{DType: torch.Uint8}.Zeros(3, 60, 120)
	boxes := torch.FromSlice([]int64{10, 10, 100, 50}, 1, 4)
	red := color.NRGBA{255, 0, 0, 255}
	plain := torch.Data[uint8](DrawBoundingBoxes(x, boxes, BoxOptions{Colors: []color.Color{red}}).Contiguous())
	o := BoxOptions{Colors: []color.Color{red}, Labels: []string{"dog\n0.9"}}
	labeled := torch.Data[uint8](DrawBoundingBoxes(x, boxes, o).Contiguous())
	r := image.Rectangle{}
	for i, v := range labeled[:60*120] {
		if v != plain[i] {
			r = r.Union(image.Rect(i%120, i/120, i%120+1, i/120+1))
		}
	}
	require.True(t, r.In(image.Rect(12, 12, 40, 40)) && r.Dy() > 12 && r.Dx() > 12, r) // two lines behind the outline and a margin
	o.FillLabels = true
	filled := DrawBoundingBoxes(x, boxes, o)
	b := DefaultFont().bounds(point{12, 12}, o.Labels[0])
	require.EqualValues(t, 255, filled.Select(0, 0).Select(0, b.Min.Y-1).Select(0, b.Max.X).Item(), "the background")
	path := filepath.Join(t.TempDir(), "font.ttf")
	require.NoError(t, os.WriteFile(path, []byte("no font"), 0o644))
	_, err := OpenFont(path, 12)
	require.ErrorContains(t, err, path)
	_, err = OpenFont(path, -1)
	require.ErrorContains(t, err, "the size is -1")
}

func TestMistakes(t *testing.T) {
	x := torch.Zeros(3, 4, 5)
	red := []color.Color{Color("red"), Color("red")}
	for want, f := range map[string]func(){
		"draw.DrawBoundingBoxes([1 3 4 5] float32): a picture's shape": func() { DrawBoundingBoxes(torch.Zeros(1, 3, 4, 5), torch.Zeros(1, 4)) },
		"1 or 3 channels":               func() { DrawBoundingBoxes(torch.Zeros(2, 4, 5), torch.Zeros(1, 4)) },
		"dtype is uint8":                func() { DrawBoundingBoxes(torch.Zeros(3, 4, 5).ToDType(torch.Int64), torch.Zeros(1, 4)) },
		"[N, 4] or [N, 8]":              func() { DrawBoundingBoxes(x, torch.Zeros(1, 5)) },
		"want (xmin, ymin, xmax, ymax)": func() { DrawBoundingBoxes(x, torch.FromSlice([]float32{3, 0, 1, 1}, 1, 4)) },
		"2 labels for 1 boxes":          func() { DrawBoundingBoxes(x, torch.Zeros(1, 4), BoxOptions{Labels: []string{"a", "b"}}) },
		"Width is -1":                   func() { DrawBoundingBoxes(x, torch.Zeros(1, 4), BoxOptions{Width: -1}) },
		"2 Colors for 3":                func() { DrawBoundingBoxes(x, torch.Zeros(3, 4), BoxOptions{Colors: red}) },
		"a coordinate is":               func() { DrawBoundingBoxes(x, torch.FromSlice([]float64{0, 0, 1, 1e12}, 1, 4)) },
		"masks' dtype is bool":          func() { DrawSegmentationMasks(x, torch.Zeros(4, 5)) },
		"height and width, 4×5":         func() { DrawSegmentationMasks(x, torch.Zeros(4, 4).ToDType(torch.Bool)) },
		"Alpha is NaN": func() {
			DrawSegmentationMasks(x, torch.Zeros(4, 5).ToDType(torch.Bool), MaskOptions{Alpha: math.NaN()})
		},
		"[N, K, 2]":                    func() { DrawKeypoints(x, torch.Zeros(1, 2)) },
		"there are 2 keypoints":        func() { DrawKeypoints(x, torch.Zeros(1, 2, 2), KeypointOptions{Connectivity: [][2]int{{0, 2}}}) },
		"Visibility's shape is [1, 2]": func() { DrawKeypoints(x, torch.Zeros(1, 2, 2), KeypointOptions{Visibility: torch.Zeros(1, 3)}) },
		"the pictures' shape is":       func() { MakeGrid(torch.Zeros(5)) },
		"NRow is -1":                   func() { MakeGrid(x, GridOptions{NRow: -1}) },
		"the flow's shape":             func() { FlowToImage(x) },
		"the flow's dtype":             func() { FlowToImage(torch.Zeros(2, 4, 5).ToDType(torch.Float64)) },
		"1, 3 or 4":                    func() { SaveImage(torch.Zeros(5, 4, 5), "a.png") },
		`no color is called "nope"`:    func() { Color("nope") },
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
	require.Same(t, x, DrawBoundingBoxes(x, torch.Zeros(0, 4)))
	require.Same(t, x, DrawSegmentationMasks(x, torch.Zeros(0, 4, 5).ToDType(torch.Bool)))
}
