package resnet

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// BenchmarkForward takes turns with Python's eager forward of the same model on
// the same input, and prints the ratio of the medians.
//
//	TORCHHUB_REFERENCE=path/to/python go test -run - -bench Forward ./models/resnet
func BenchmarkForward(b *testing.B) {
	p := script(b)
	for _, name := range []string{"resnet50", "resnext101_32x8d"} {
		m, err := models.New[nn.Module](name)
		if err != nil {
			b.Fatal(err)
		}
		nn.Eval(m)
		p.Call(nil, "timed", name, 1, 0)
		for _, batch := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/batch=%d", name, batch), func(b *testing.B) {
				x := torch.Ones(batch, 3, 224, 224)
				forward := func() float64 {
					start := time.Now()
					torch.Run(func() { torch.NoGrad(func() { m.Forward(x).Free() }) })
					return time.Since(start).Seconds()
				}
				python := func() (seconds float64) {
					p.Call(&seconds, "timed", name, batch, 1)
					return seconds
				}
				forward()
				python()
				var ours, theirs []float64
				for b.Loop() {
					ours = append(ours, forward())
					theirs = append(theirs, python())
				}
				t, pt := median(ours), median(theirs)
				b.ReportMetric(0, "ns/op") // of both together, so it says nothing
				b.ReportMetric(1000*t, "ms")
				b.ReportMetric(1000*pt, "python-ms")
				b.ReportMetric(t/pt, "time/python")
			})
		}
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
