package transforms

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/torchhub/torchhub/internal/reference"
)

// BenchmarkPreprocess prepares a picture of 1546×1213 pixels as the models' pages
// do. With TORCHHUB_REFERENCE set it takes turns with torchvision on the same
// pixels, on one thread, and reports the medians and their ratio.
func BenchmarkPreprocess(b *testing.B) {
	src := noise(rand.New(rand.NewPCG(1, 1)), 1546, 1213)
	for _, how := range []Interpolation{Bilinear, Bicubic} {
		b.Run(string(how), func(b *testing.B) {
			_, python := steps(stepResize([]int{256}, ResizeOptions{Interpolation: how}), stepCrop(224), stepToTensor(), stepNormalize(mean, std))
			var p *reference.Process
			if os.Getenv(reference.Variable) != "" {
				p = reference.Start(b, script)
				p.Call(nil, "prepare", array(src), python)
			}
			pipeline := Classification(256, 224, how, mean, std)
			var ours, theirs []float64
			for b.Loop() {
				start := time.Now()
				pipeline.Apply(src).Free()
				ours = append(ours, 1e3*time.Since(start).Seconds())
				if p != nil {
					var s float64
					p.Call(&s, "timed")
					theirs = append(theirs, 1e3*s)
				}
			}
			b.ReportMetric(0, "ns/op") // of both together, so it says nothing
			b.ReportMetric(median(ours), "ms")
			if p != nil {
				b.ReportMetric(median(theirs), "python-ms")
				b.ReportMetric(median(ours)/median(theirs), "time/python")
			}
		})
	}
}

func median(s []float64) float64 {
	slices.Sort(s)
	return s[len(s)/2]
}
