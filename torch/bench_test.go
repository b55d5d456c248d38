package torch_test

import (
	"slices"
	"testing"
	"time"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// BenchmarkOps takes turns with Python in adding two small tensors and in a chain
// of twenty operators on them, and prints the ratios of the medians: with every
// result freed at once, in a scope, and left to the collector.
//
//	TORCHHUB_REFERENCE=path/to/python go test -run - -bench Ops ./torch
func BenchmarkOps(b *testing.B) {
	p := reference.Start(b, `
import time, torch
x, y = torch.ones(4), torch.ones(4)
def chain(z):
    for _ in range(10): z = (z + y).relu()
    return z
def timed(what, n):
    f = {"add": lambda: x + y, "chain": lambda: chain(x)}[what]
    with torch.no_grad():
        start = time.perf_counter()
        for _ in range(n): f()
        return (time.perf_counter() - start) / n
`)
	x, y := torch.Ones(4), torch.Ones(4)
	chain := func(then func(*torch.Tensor, func(*torch.Tensor) *torch.Tensor) *torch.Tensor) *torch.Tensor {
		z := x.Add(y)
		z = then(z, (*torch.Tensor).ReLU)
		for range 9 {
			z = then(z, func(z *torch.Tensor) *torch.Tensor { return z.Add(y) })
			z = then(z, (*torch.Tensor).ReLU)
		}
		return z
	}
	keep := func(z *torch.Tensor, f func(*torch.Tensor) *torch.Tensor) *torch.Tensor { return f(z) }
	for _, c := range []struct {
		name, python string
		f            func()
	}{
		{"add/freed", "add", func() { x.Add(y).Free() }},
		{"add/scope", "add", func() { x.Add(y) }},
		{"add/collected", "add", func() { x.Add(y) }},
		{"chain/freed", "chain", func() { chain((*torch.Tensor).Then).Free() }},
		{"chain/scope", "chain", func() { chain(keep) }},
		{"chain/collected", "chain", func() { chain(keep) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			const n = 2000
			var ours, theirs []float64
			torch.NoGrad(func() {
				for b.Loop() {
					start := time.Now()
					for range n / 50 {
						body := func() {
							for range 50 {
								c.f()
							}
						}
						if c.name[len(c.name)-5:] == "scope" {
							torch.Scope(body)
						} else {
							body()
						}
					}
					ours = append(ours, time.Since(start).Seconds()/n)
					var t float64
					p.Call(&t, "timed", c.python, n)
					theirs = append(theirs, t)
				}
			})
			slices.Sort(ours)
			slices.Sort(theirs)
			t, pt := ours[len(ours)/2], theirs[len(theirs)/2]
			b.ReportMetric(0, "ns/op") // of both together, so it says nothing
			b.ReportMetric(1e6*t, "µs")
			b.ReportMetric(1e6*pt, "python-µs")
			b.ReportMetric(t/pt, "time/python")
		})
	}
}
