package main

import (
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

// BenchmarkPredict measures a whole process, from its start to the labels of
// one picture with the weights of resnext101_32x8d_wsl in the cache, and the same
// in Python: the sample of the model's page. The two take turns, so that noise
// of the machine falls on both. It prints medians and their ratios.
//
//	TORCHHUB_REFERENCE=path/to/python go test -bench Predict -benchtime 7x ./cmd/torchhub
func BenchmarkPredict(b *testing.B) {
	python := os.Getenv(reference.Variable)
	if python == "" {
		b.Skip(reference.Variable + " is not set")
	}
	const model = "resnext101_32x8d_wsl"
	dir := b.TempDir()
	scripts, err := filepath.Abs("../../testdata/gen")
	require.NoError(b, err)
	command := filepath.Join(dir, "torchhub")
	output(b, exec.Command("go", "build", "-o", command, "."))
	photo := filepath.Join(dir, "photo.jpg")
	writePhoto(b, photo, 1546, 1213)

	for _, layout := range []string{"zip", "legacy"} {
		b.Run(layout, func(b *testing.B) {
			home := filepath.Join(dir, layout)
			weights := filepath.Join(home, "hub", "checkpoints", "ig_resnext101_32x8-c38310e5.pth")
			require.NoError(b, os.MkdirAll(filepath.Dir(weights), 0o755))
			args := []string{filepath.Join(scripts, "weights.py"), model, weights}
			if layout == "legacy" {
				args = append(args, "--legacy")
			}
			output(b, exec.Command(python, args...))
			goRun := func() usage {
				c := exec.Command(command, "predict", "-m", model, photo)
				c.Env = append(os.Environ(), "TORCH_HOME="+home)
				return measure(b, c)
			}
			pythonRun := func() usage {
				return measure(b, exec.Command(python, filepath.Join(scripts, "sample.py"), model, weights, photo))
			}
			goRun() // the shim is built, the files are in memory
			pythonRun()
			var ours, theirs []usage
			for b.Loop() {
				ours = append(ours, goRun())
				theirs = append(theirs, pythonRun())
			}
			t, m := median(ours, seconds), median(ours, mebibytes)
			pt, pm := median(theirs, seconds), median(theirs, mebibytes)
			b.ReportMetric(0, "ns/op") // of both together, so it says nothing
			b.ReportMetric(t, "s")
			b.ReportMetric(pt, "python-s")
			b.ReportMetric(t/pt, "time/python")
			b.ReportMetric(m, "MiB")
			b.ReportMetric(pm, "python-MiB")
			b.ReportMetric(m/pm, "memory/python")
		})
	}
}

type usage struct {
	wall time.Duration
	peak int64 // resident, in bytes
}

func seconds(r usage) float64   { return r.wall.Seconds() }
func mebibytes(r usage) float64 { return float64(r.peak) / (1 << 20) }

func median(rs []usage, of func(usage) float64) float64 {
	var v []float64
	for _, r := range rs {
		v = append(v, of(r))
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func measure(b *testing.B, c *exec.Cmd) usage {
	start := time.Now()
	output(b, c)
	wall := time.Since(start)
	used := c.ProcessState.SysUsage().(*syscall.Rusage)
	unit := int64(1 << 10)
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return usage{wall, used.Maxrss * unit}
}

func output(b *testing.B, c *exec.Cmd) {
	b.Helper()
	out, err := c.CombinedOutput()
	require.NoError(b, err, "%s: %s", strings.Join(c.Args, " "), out)
}

// writePhoto makes a JPEG with the detail of a photograph.
func writePhoto(b *testing.B, path string, w, h int) {
	r := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			n := uint8(r.IntN(32))
			img.SetRGBA(x, y, color.RGBA{uint8(x*255/w) ^ n, uint8(y*255/h) + n, uint8((x+y)/8) | n, 255})
		}
	}
	f, err := os.Create(path)
	require.NoError(b, err)
	require.NoError(b, jpeg.Encode(f, img, &jpeg.Options{Quality: 90}))
	require.NoError(b, f.Close())
}
