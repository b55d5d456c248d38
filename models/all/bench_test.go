package all

import (
	"slices"
	"testing"
	"time"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

const benchScript = `
import time
import torch
from torchvision import models

built = {}

def constructed(name):
    start = time.perf_counter()
    built.clear()
    built[name] = models.get_model(name, weights=None).eval()
    return time.perf_counter() - start

def timed(name, x):
    with torch.inference_mode():
        start = time.perf_counter()
        built[name](x)
        return time.perf_counter() - start
`

// benched are models of different families, with inputs of the usual sizes.
var benched = []struct {
	name  string
	shape []int
}{
	{"resnet50", []int{1, 3, 224, 224}}, {"vgg16", []int{1, 3, 224, 224}}, {"densenet121", []int{1, 3, 224, 224}}, {"mobilenet_v3_large", []int{1, 3, 224, 224}},
	{"efficientnet_b0", []int{1, 3, 224, 224}}, {"convnext_tiny", []int{1, 3, 224, 224}}, {"vit_b_16", []int{1, 3, 224, 224}}, {"swin_t", []int{1, 3, 224, 224}},
	{"swin_v2_t", []int{1, 3, 256, 256}}, {"maxvit_t", []int{1, 3, 224, 224}}, {"r3d_18", []int{1, 3, 8, 112, 112}}, {"swin3d_t", []int{1, 3, 8, 112, 112}},
}

func seconds(f func()) float64 {
	start := time.Now()
	f()
	return time.Since(start).Seconds()
}

// report reports the least of our and of Python's times, which other work on the machine disturbs the least.
func report(b *testing.B, ours, theirs []float64) {
	t, p := slices.Min(ours), slices.Min(theirs)
	b.ReportMetric(0, "ns/op") // of both together, so it says nothing
	b.ReportMetric(1000*t, "ms")
	b.ReportMetric(1000*p, "python-ms")
	b.ReportMetric(t/p, "time/python")
}

// BenchmarkForward takes turns with Python's eager forward of the same model on the same input.
//
//	OMP_NUM_THREADS=1 TORCHHUB_REFERENCE=path/to/python go test -run - -bench Forward -benchtime 9x ./models/all
func BenchmarkForward(b *testing.B) {
	p := torchtest.Python(b, benchScript)
	for _, c := range benched {
		b.Run(c.name, func(b *testing.B) {
			m, err := models.New[nn.Module](c.name)
			if err != nil {
				b.Fatal(err)
			}
			nn.Eval(m)
			p.Call("constructed", c.name)
			x := torch.Randn(c.shape...)
			forward := func() float64 {
				return seconds(func() { torch.Run(func() { torch.InferenceMode(func() { m.Forward(x).Free() }) }) })
			}
			python := func() float64 { return p.Call("timed", c.name, x).(float64) }
			forward()
			python()
			var ours, theirs []float64
			for b.Loop() {
				ours, theirs = append(ours, forward()), append(theirs, python())
			}
			report(b, ours, theirs)
			nn.StateDict(m).Free()
		})
	}
}

// BenchmarkConstruct compares the construction of a module that weights fill with Python's construction.
//
//	TORCHHUB_REFERENCE=path/to/python go test -run - -bench Construct -benchtime 3x ./models/all
func BenchmarkConstruct(b *testing.B) {
	p := torchtest.Python(b, benchScript)
	for _, c := range benched {
		b.Run(c.name, func(b *testing.B) {
			e, err := models.Lookup(c.name)
			if err != nil {
				b.Fatal(err)
			}
			var ours, theirs []float64
			for b.Loop() {
				ours = append(ours, seconds(func() { onMeta(e, e.Default()) }))
				theirs = append(theirs, p.Call("constructed", c.name).(float64))
			}
			report(b, ours, theirs)
		})
	}
}
