package torch_test

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// BenchmarkOps takes turns with Python, and with a C++ program on the same
// libtorch, in three things that libtorch itself does quickly: to add two small
// tensors, a chain of twenty operators on such, and the inference of a small
// MLP. It prints the ratios of the medians, with every result freed at once, in
// a scope, and left to the collector.
//
//	TORCHHUB_REFERENCE=path/to/python go test -run - -bench Ops ./torch
func BenchmarkOps(b *testing.B) {
	python := reference.Start(b, `
import time, torch
import torch.nn.functional as F
torch.set_num_threads(1)
x, y = torch.ones(4), torch.ones(4)
input, w1, b1, w2, b2 = torch.ones(1, 64), torch.ones(64, 64), torch.ones(64), torch.ones(10, 64), torch.ones(10)
def chain():
    z = x
    for _ in range(10): z = (z + y).relu()
    return z
bodies = {"add": lambda: x + y, "chain": chain, "mlp": lambda: F.linear(F.linear(input, w1, b1).relu(), w2, b2).softmax(1)}
def timed(what, n):
    f = bodies[what]
    with torch.no_grad():
        start = time.perf_counter()
        for _ in range(n): f()
        return (time.perf_counter() - start) / n
`)
	cpp := startOverhead(b)
	x, y := torch.Ones(4), torch.Ones(4)
	input, w1, b1, w2, b2 := torch.Ones(1, 64), torch.Ones(64, 64), torch.Ones(64), torch.Ones(10, 64), torch.Ones(10)

	// Each body is written twice, as one writes it with and without freeing.
	add := func() { x.Add(y) }
	addFreed := func() { x.Add(y).Free() }
	chain := func() {
		z := x
		for range 10 {
			z = z.Add(y).ReLU()
		}
	}
	chainFreed := func() {
		z := x.Add(y).Then((*torch.Tensor).ReLU)
		for range 9 {
			sum := z.Add(y)
			z.Free()
			z = sum.ReLU()
			sum.Free()
		}
		z.Free()
	}
	mlp := func() { F.Linear(F.Linear(input, w1, b1).ReLU(), w2, b2).Softmax(1) }
	mlpFreed := func() {
		h := F.Linear(input, w1, b1).Then((*torch.Tensor).ReLU)
		z := F.Linear(h, w2, b2)
		h.Free()
		p := z.Softmax(1)
		z.Free()
		p.Free()
	}
	scoped := func(f func(), n int) func() {
		return func() {
			torch.Scope(func() {
				for range n {
					f()
				}
			})
		}
	}
	for _, c := range []struct {
		name, what string
		f          func()
		per        int // repetitions in one call of f
		n          int // repetitions timed at once: about a tenth of a second, after which the caches are warm again
	}{
		{"add/freed", "add", addFreed, 1, 200000},
		{"add/scope", "add", scoped(add, 20), 20, 200000},
		{"add/collected", "add", add, 1, 200000},
		{"chain/freed", "chain", chainFreed, 1, 20000},
		{"chain/scope", "chain", scoped(chain, 1), 1, 20000},
		{"chain/collected", "chain", chain, 1, 20000},
		{"mlp/freed", "mlp", mlpFreed, 1, 20000},
		{"mlp/scope", "mlp", scoped(mlp, 1), 1, 20000},
		{"mlp/collected", "mlp", mlp, 1, 20000},
	} {
		b.Run(c.name, func(b *testing.B) {
			var times, pythons, cpps []float64
			torch.NoGrad(func() {
				libtorch.SetThreadWidth(1)
				for b.Loop() {
					start := time.Now()
					for range c.n / c.per {
						c.f()
					}
					times = append(times, time.Since(start).Seconds()/float64(c.n))
					var t float64
					python.Call(&t, "timed", c.what, c.n)
					pythons = append(pythons, t)
					cpps = append(cpps, cpp(c.what, c.n))
				}
			})
			median := func(v []float64) float64 {
				slices.Sort(v)
				return v[len(v)/2]
			}
			t := median(times)
			b.ReportMetric(0, "ns/op") // of all together, so it says nothing
			b.ReportMetric(1e6*t, "µs")
			b.ReportMetric(1e6*median(pythons), "python-µs")
			b.ReportMetric(1e6*median(cpps), "c++-µs")
			b.ReportMetric(t/median(pythons), "time/python")
			b.ReportMetric(t/median(cpps), "time/c++")
		})
	}
}

// startOverhead builds and starts testdata/overhead.cpp.
func startOverhead(b *testing.B) func(what string, n int) float64 {
	b.Helper()
	require.NoError(b, torch.Init(b.Context()))
	lib := libtorch.Loaded()
	exe := filepath.Join(b.TempDir(), "overhead")
	args := []string{"-std=c++20", "-O2", "-w", "testdata/overhead.cpp", "-o", exe}
	for _, i := range lib.Include {
		args = append(args, "-I", i)
	}
	args = append(args, "-L", lib.LibDir, "-ltorch_cpu", "-lc10", "-Wl,-rpath,"+lib.LibDir, "-Wl,--unresolved-symbols=ignore-in-shared-libs")
	out, err := exec.Command("c++", args...).CombinedOutput()
	require.NoError(b, err, string(out))
	cmd := exec.Command(exe)
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	answers, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		in.Close()
		require.NoError(b, cmd.Wait())
	})
	lines := bufio.NewReader(answers)
	return func(what string, n int) float64 {
		fmt.Fprintln(in, what, n)
		line, err := lines.ReadString('\n')
		require.NoError(b, err)
		t, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
		require.NoError(b, err)
		return t
	}
}
