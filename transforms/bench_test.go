package transforms

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// The benchmarks take turns with Python where TORCHHUB_REFERENCE is set, and
// report the medians and their ratio.
//
//	TORCHHUB_REFERENCE=path/to/python go test -run - -bench . ./transforms

// bench is what Python does in turn.
const bench = `
import base64, io, time, torch
from PIL import Image
from torchvision import transforms as T
torch.set_num_threads(1)

def preset(how):
    return T.Compose([T.Resize(256, T.InterpolationMode(how)), T.CenterCrop(224), T.ToTensor(),
        T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])

def prepare(data, how):
    global jpeg, picture, transform
    jpeg, transform = base64.b64decode(data), preset(how)
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")

def timed(f):
    start = time.perf_counter()
    f()
    return time.perf_counter() - start

def decode():
    return timed(lambda: Image.open(io.BytesIO(jpeg)).convert("RGB"))

def encode():
    return timed(lambda: picture.save(io.BytesIO(), "JPEG"))

def resize():
    return timed(lambda: transform(picture))

class Files(torch.utils.data.Dataset):
    def __init__(self, paths): self.paths, self.transform = paths, preset("bilinear")
    def __len__(self): return len(self.paths)
    def __getitem__(self, i): return self.transform(Image.open(self.paths[i]).convert("RGB"))

def loader(paths, batch, workers):
    """The time between batches, with the workers running: their start is not Go's to save."""
    it = iter(torch.utils.data.DataLoader(Files(paths), batch_size=batch, num_workers=workers, prefetch_factor=2))
    for _ in range(workers): next(it)
    start, n = time.perf_counter(), 0
    for x in it:
        n += x.shape[0]
    return (time.perf_counter() - start) / n
`

// photograph returns a JPEG of w×h pixels with a photograph's frequencies: smooth
// shades, edges and fine grain.
func photograph(tb testing.TB, w, h int, options ...JPEGOptions) []byte {
	rng := rand.New(rand.NewPCG(2, 2))
	type wave struct{ x, y, phase, strength float64 }
	var waves [3][]wave
	for c := range waves {
		for i := range 24 {
			f := math.Exp(float64(i)/4) / 400
			waves[c] = append(waves[c], wave{f * rng.NormFloat64(), f * rng.NormFloat64(), 6 * rng.Float64(), 40 / (1 + float64(i)/3)})
		}
	}
	p := &RGB{Pix: make([]uint8, 3*w*h), W: w, H: h}
	for y := range h {
		for x := range w {
			grain := 4 * rng.NormFloat64()
			for c := range waves {
				v := 128 + grain
				for i, s := range waves[c] {
					a := math.Sin(s.x*float64(x) + s.y*float64(y) + s.phase)
					if i%6 == 0 { // an edge
						a = math.Copysign(0.7, a)
					}
					v += s.strength * a / 2
				}
				p.Pix[3*(y*w+x)+c] = uint8(min(max(v, 0), 255))
			}
		}
	}
	var b bytes.Buffer
	o := torch.Only(options)
	o.Quality = 90
	require.NoError(tb, EncodeJPEG(&b, p, o))
	return b.Bytes()
}

// inTurn runs ours and, unless it is nil, theirs, which returns seconds.
func inTurn(b *testing.B, ours func(), theirs func() float64) {
	ours() // warms up
	if theirs != nil {
		theirs()
	}
	var our, their []float64
	for b.Loop() {
		start := time.Now()
		ours()
		our = append(our, time.Since(start).Seconds())
		if theirs != nil {
			their = append(their, theirs())
		}
	}
	b.ReportMetric(0, "ns/op") // of both together, so it says nothing
	b.ReportMetric(1e3*median(our), "ms")
	if theirs != nil {
		b.ReportMetric(1e3*median(their), "python-ms")
		b.ReportMetric(median(their)/median(our), "times-faster")
	}
}

func median(s []float64) float64 {
	slices.Sort(s)
	return s[len(s)/2]
}

// BenchmarkPreprocess prepares a picture of 1546×1213 pixels as the models' pages
// do, on one thread: decode is from the bytes of a JPEG to pixels, encode back, and those named
// for an interpolation from there to the normalized tensor.
func BenchmarkPreprocess(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	data := photograph(b, 1546, 1213)
	for _, how := range []Interpolation{Bilinear, Bicubic} {
		var p *reference.Process
		theirs := func(f string) func() float64 {
			if p == nil {
				return nil
			}
			return func() (s float64) { p.Call(&s, f); return s }
		}
		if os.Getenv(reference.Variable) != "" {
			p = reference.Start(b, bench)
			p.Call(nil, "prepare", data, how)
		}
		if how == Bilinear {
			decode := func(data []byte) func(b *testing.B) {
				return func(b *testing.B) {
					inTurn(b, func() {
						_, err := Decode(bytes.NewReader(data))
						require.NoError(b, err)
					}, theirs("decode"))
				}
			}
			b.Run("decode", decode(data))
			b.Run("encode", func(b *testing.B) {
				src, err := Decode(bytes.NewReader(data))
				require.NoError(b, err)
				inTurn(b, func() { require.NoError(b, EncodeJPEG(io.Discard, src)) }, theirs("encode"))
			})
			progressive := photograph(b, 1546, 1213, JPEGOptions{Progressive: true})
			if p != nil {
				p.Call(nil, "prepare", progressive, how)
			}
			b.Run("decode-progressive", decode(progressive))
		}
		b.Run(string(how), func(b *testing.B) {
			src, err := Decode(bytes.NewReader(data))
			require.NoError(b, err)
			pipeline := Classification(256, 224, how, mean, std)
			inTurn(b, func() { pipeline.Apply(src).Free() }, theirs("resize"))
		})
	}
}

// BenchmarkBatch prepares files on all cores, as a DataLoader with as many worker processes does.
// The times are those of one picture.
func BenchmarkBatch(b *testing.B) {
	const n, batch = 96, 16
	dir := b.TempDir()
	data := photograph(b, 1546, 1213)
	var paths []string
	for i := range n {
		paths = append(paths, filepath.Join(dir, fmt.Sprint(i, ".jpg")))
		require.NoError(b, os.WriteFile(paths[i], data, 0o644))
	}
	workers := runtime.GOMAXPROCS(0)
	var theirs func() float64
	if os.Getenv(reference.Variable) != "" {
		p := reference.Start(b, bench)
		theirs = func() (s float64) { p.Call(&s, "loader", paths, batch, workers); return s }
	}
	pipeline := Classification(256, 224, Bilinear, mean, std)
	var our, their []float64
	for b.Loop() {
		start := time.Now()
		for i := 0; i < n; i += batch {
			x, err := BatchFiles(context.Background(), pipeline, paths[i:i+batch])
			require.NoError(b, err)
			x.Free()
		}
		our = append(our, time.Since(start).Seconds()/n)
		if theirs != nil {
			their = append(their, theirs())
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(1/median(our), "pictures/s")
	if theirs != nil {
		b.ReportMetric(1/median(their), "python-pictures/s")
		b.ReportMetric(median(their)/median(our), "times-faster")
	}
}
