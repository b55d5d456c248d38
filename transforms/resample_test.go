package transforms

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// script answers the live tests: Pillow's and torchvision's numbers.
const script = `
import numpy, time, torch
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import functional as F
torch.set_num_threads(1)

def resize(a, w, h, how):
    return numpy.asarray(Image.fromarray(a).resize((w, h), Image.Resampling[how.upper()]))

def size(v):
    return v[0] if len(v) == 1 else tuple(v)

def compose(steps):
    make = {
        "Resize": lambda s, how, limit: T.Resize(size(s), T.InterpolationMode(how), max_size=limit or None),
        "CenterCrop": lambda s: T.CenterCrop(size(s)),
        "ToTensor": T.ToTensor,
        "Normalize": T.Normalize,
    }
    return T.Compose([make[name](*args) for name, *args in steps])

def preprocess(a, steps):
    return compose(steps)(Image.fromarray(a))

def preprocess_tensor(a, dtype, steps):
    return compose(steps)(torch.from_numpy(a).to(getattr(torch, dtype))).to(torch.float64)

def prepare(a, steps):
    global picture, transform
    picture, transform = Image.fromarray(a), compose(steps)

def timed():
    start = time.perf_counter()
    transform(picture)
    return time.perf_counter() - start

def text(steps):
    return str(compose(steps))
`

var interpolations = []Interpolation{Bilinear, Bicubic, Lanczos, Box, Hamming, Nearest, MKS2013, MKS2021}

// noise returns a picture of random pixels, many of them at the ends of the
// range, where filters overshoot.
func noise(rng *rand.Rand, w, h int) *RGB {
	p := pillow.NewRGB(w, h)
	for i := range p.Pix {
		switch v := rng.Uint32(); v >> 30 {
		case 0:
			p.Pix[i] = 0
		case 1:
			p.Pix[i] = 255
		default:
			p.Pix[i] = uint8(v)
		}
	}
	return p
}

// side returns a length from 1 to limit; short ones are as likely as long ones.
func side(rng *rand.Rand, limit int) int {
	return int(math.Exp(rng.Float64() * math.Log(float64(limit)+0.99)))
}

func array(p *RGB) reference.Array { return reference.NewArray(p.Pix, p.H, p.W, 3) }

func whole(w, h int) image.Rectangle { return image.Rect(0, 0, w, h) }

// same fails the test where two arrays of bytes differ, without printing them.
func same(t *testing.T, want, got []uint8, format string, args ...any) {
	t.Helper()
	require.Len(t, got, len(want))
	n, most := 0, 0
	for i, v := range want {
		if v != got[i] {
			n++
			most = max(most, max(int(v), int(got[i]))-min(int(v), int(got[i])))
		}
	}
	if n > 0 {
		t.Fatalf("%d of %d bytes differ, by up to %d: "+format, append([]any{n, len(want), most}, args...)...)
	}
}

func TestResampleAgainstPillow(t *testing.T) {
	p := reference.Start(t, script)
	rng := rand.New(rand.NewPCG(1, 13))
	var sizes [][4]int
	for range 360 {
		sizes = append(sizes, [4]int{side(rng, 900), side(rng, 700), side(rng, 600), side(rng, 600)})
	}
	for range 40 { // about where the order of the passes changes
		w, h, nw := 1+rng.IntN(300), 1+rng.IntN(300), 1+rng.IntN(300)
		sizes = append(sizes, [4]int{w, h, nw, max(1, h-2*(w-nw)+rng.IntN(3)-1)})
	}
	sizes = append(sizes, [][4]int{
		{2000, 1500, 341, 256}, {1500, 2000, 256, 341}, {1, 1, 7, 5}, {1, 1, 1, 9}, {3000, 1, 256, 256},
		{1, 3000, 256, 256}, {1, 3000, 1, 3}, {3000, 1, 3, 1}, {640, 480, 640, 100}, {640, 480, 100, 480}, {640, 480, 640, 480},
	}...)
	for range interpolations { // so many pixels that a wrong bit in one tap shows
		sizes = append(sizes, [4]int{2000, 1500, 1201, 1033})
	}
	for i, s := range sizes {
		how := interpolations[i%len(interpolations)]
		src := noise(rng, s[0], s[1])
		var want reference.Array
		p.Call(&want, "resize", array(src), s[2], s[3], how)
		got := pillow.Resample(src, s[2], s[3], how, whole(s[2], s[3]))
		same(t, want.Data, got.Pix, "%v %v", s, how)
	}
}

func TestResampleWindow(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range 400 {
		src := noise(rng, side(rng, 200), side(rng, 200))
		w, h := side(rng, 200), side(rng, 200)
		if i%10 == 0 {
			w = src.W
		}
		if i%10 == 1 {
			h = src.H
		}
		x, y := rng.IntN(w), rng.IntN(h)
		r := image.Rect(x, y, x+1+rng.IntN(w-x), y+1+rng.IntN(h-y))
		how := interpolations[rng.IntN(len(interpolations))]
		want := pillow.Resample(src, w, h, how, whole(w, h)).Crop(r)
		same(t, want.Pix, pillow.Resample(src, w, h, how, r).Pix, "%d×%d to %d×%d, %v, %v", src.W, src.H, w, h, r, how)
	}
}

func TestCropStart(t *testing.T) {
	// int(round((in - crop) / 2.0)) in Python
	for in, want := range map[int]int{224: 0, 225: 0, 226: 1, 227: 2, 228: 2, 229: 2, 230: 3, 231: 4, 223: 0, 222: -1, 221: -1, 220: -2} {
		require.Equal(t, want, cropStart(in, 224), in)
	}
}
