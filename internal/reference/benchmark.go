package reference

import (
	"slices"
	"testing"
	"time"
)

// CompareSteps takes turns with Python in a benchmark: n calls of step, and Python's
// function with the arguments args and n, which takes n steps and returns the seconds of one.
// It reports the medians in microseconds, and their ratio.
func (p *Process) CompareSteps(b *testing.B, n int, step func(), function string, args ...any) {
	b.Helper()
	var ours, theirs []float64
	for b.Loop() {
		start := time.Now()
		for range n {
			step()
		}
		ours = append(ours, time.Since(start).Seconds()/float64(n))
		var t float64
		p.Call(&t, function, append(slices.Clone(args), n)...)
		theirs = append(theirs, t)
	}
	median := func(v []float64) float64 {
		slices.Sort(v)
		return v[len(v)/2]
	}
	b.ReportMetric(0, "ns/op") // of both together, so it says nothing
	b.ReportMetric(1e6*median(ours), "µs")
	b.ReportMetric(1e6*median(theirs), "python-µs")
	b.ReportMetric(median(ours)/median(theirs), "time/python")
}
