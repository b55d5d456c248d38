// Package exampletest tests the examples: what a run prints, that its losses fall, and that
// they are those of the example's twin in Python.
//
// A loss is what a program prints after "Loss: ", or "Loss_D: " and the like, with 9
// significant digits (%.9g), which are all that a float32 has. The twin prints the same losses and nothing
// else, one per line, as repr does. Both print each loss when the flag log-interval is 1.
package exampletest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"hash/crc32"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// here is the folder of the test's package, where the test may not be any more.
var here, _ = os.Getwd()

// A Program is the function of an example that main calls.
type Program func(ctx context.Context, w io.Writer, args []string) error

// Large reports whether long comparisons are asked for.
func Large() bool { return os.Getenv("TORCHHUB_TEST_LARGE") == "1" }

// Flags checks that -h lists flags with these names, which are those of Python's program,
// and that a bad flag is an error of one sentence: each number of steps and the like that is negative, too. The first is a
// number.
func Flags(t *testing.T, run Program, names ...string) {
	t.Helper()
	var out strings.Builder
	require.ErrorIs(t, run(t.Context(), &out, []string{"-h"}), flag.ErrHelp)
	require.Regexp(t, `^usage: \w+ \[flags\]( \[[A-Z]+\])*\n\n\S.*\.\n\n`, out.String())
	for _, name := range names {
		require.Regexp(t, `(?m)^  -`+regexp.QuoteMeta(name)+`\b`, out.String())
	}
	bad := [][]string{{"--no-such-flag"}, {"-" + names[0] + "=x"}, {"one", "two"}}
	for _, name := range names {
		if regexp.MustCompile(`(?i)(interval|every|freq|batch[-_]?size|epochs|workers|heads?|layers|steps)$`).MatchString(name) {
			bad = append(bad, []string{"-" + name + "=-1"})
		}
	}
	for _, args := range bad {
		out.Reset()
		err := run(t.Context(), &out, args)
		require.Error(t, err, args)
		require.NotContains(t, err.Error(), "\n")
		require.Contains(t, err.Error(), "; -h lists the flags")
		require.Empty(t, out.String())
	}
}

// Output runs a program to its end and returns what it prints.
func Output(t *testing.T, run Program, args ...string) string {
	t.Helper()
	defer oneThread()()
	var out lossWriter
	require.NoError(t, run(t.Context(), &out, args))
	return out.all.String()
}

// oneThread lets libtorch use one thread until restore is called. Small tensors gain nothing from more, and on a busy
// machine the threads wait for each other.
func oneThread() (restore func()) {
	threads := torch.NumThreads()
	torch.SetNumThreads(1)
	return func() { torch.SetNumThreads(threads) }
}

// Train runs a program until it has printed n losses, and returns them.
func Train(t *testing.T, run Program, n int, args ...string) []float64 {
	t.Helper()
	losses, _ := goLosses(t, run, n, args)
	return losses
}

// Falls runs a program until it has printed n losses, and checks that those of the last
// quarter are below those of the first, on average.
func Falls(t *testing.T, run Program, n int, args ...string) {
	t.Helper()
	losses := Train(t, run, n, args...)
	first, last := mean(losses[:n/4]), mean(losses[n-n/4:])
	require.Less(t, last, first, "%v", losses)
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

// CompareOptions are the options of [Compare].
type CompareOptions struct {
	Tolerance float64 // the largest relative difference of losses; 0 means 1e-5
	Speed     float64 // the least ratio of Go's steps per second to Python's; 0 means 1
	Losses    int     // how many losses are compared; 0 means 20, or 100 if TORCHHUB_TEST_LARGE is 1
	Steps     int     // how many steps are timed, which are to take a second; 0 means as many as Losses
}

// Compare runs a program and its twin, the Python file script, with the same arguments and one
// thread each, and compares their losses. It skips the test where there is no Python. If
// TORCHHUB_TEST_LARGE is 1 it also compares the steps per second, by the median of the times
// that a twentieth of the steps takes.
func Compare(t *testing.T, run Program, script string, options CompareOptions, args ...string) {
	t.Helper()
	python := reference.Python(t)
	const days = 3 // in which all programs are compared once
	if own := crc32.ChecksumIEEE([]byte(filepath.Base(script))); !Large() && own%days != uint32(time.Now().YearDay()%days) {
		t.Skip("its losses are compared on another day")
	}
	n := options.Losses
	if n == 0 {
		n = 20
		if Large() {
			n = 100
		}
	}
	tolerance, speed := options.Tolerance, options.Speed
	if tolerance == 0 {
		tolerance = 1e-5
	}
	if speed == 0 {
		speed = 1
	}
	want, wantStep := pythonLosses(t, python, script, n, args)
	got, step := goLosses(t, run, n, args)
	worst := 0.
	for i := range want {
		d := math.Abs(got[i]-want[i]) / max(math.Abs(want[i]), math.SmallestNonzeroFloat64)
		require.LessOrEqual(t, d, tolerance, "loss %d is %v, and Python's is %v", i, got[i], want[i])
		worst = max(worst, d)
	}
	t.Logf("%d losses differ by at most %.1e", n, worst)
	if !Large() {
		return
	}
	var ratios []float64
	if options.Steps == 0 {
		ratios = []float64{wantStep / step}
	}
	for len(ratios) == 0 || len(ratios) < 3 && slices.Max(ratios) < speed { // the machine may have been busy
		_, wantStep = pythonLosses(t, python, script, max(n, options.Steps), args)
		_, step = goLosses(t, run, max(n, options.Steps), args)
		ratios = append(ratios, wantStep/step)
	}
	t.Logf("a step takes %.2f ms, and Python's %.2f ms: %.2f times Python's steps per second", 1000*step, 1000*wantStep, ratios)
	require.GreaterOrEqual(t, slices.Max(ratios), speed, "times Python's steps per second")
}

// Losses returns the losses that a twin prints, and skips the test where there is no Python.
func Losses(t *testing.T, script string, n int, args ...string) []float64 {
	t.Helper()
	losses, _ := pythonLosses(t, reference.Python(t), script, n, args)
	return losses
}

// goLosses returns the first n losses of a program, and the seconds of a step.
func goLosses(t *testing.T, run Program, n int, args []string) ([]float64, float64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer oneThread()()
	w := &lossWriter{n: n, enough: cancel}
	if err := run(ctx, w, args); len(w.losses) < n {
		require.NoError(t, err)
		require.Len(t, w.losses, n, "it ended early")
	} else if err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	return w.losses[:n], w.step()
}

var loss = regexp.MustCompile(`\bLoss(?:_\w+)?: (\S+)`)

// A lossWriter finds the losses in what a program prints, line by line. Goroutines may share it.
type lossWriter struct {
	n      int
	enough func() // is called when there are n losses

	mu     sync.Mutex
	all    strings.Builder
	rest   []byte
	losses []float64
	times  []time.Time // of the lines
}

func (w *lossWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(b)
	w.rest = append(w.rest, b...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		w.rest = rest
		found := loss.FindAllSubmatch(line, -1)
		for _, m := range found {
			v, err := strconv.ParseFloat(string(m[1]), 64)
			if err != nil {
				return 0, err
			}
			w.losses = append(w.losses, v)
		}
		if len(found) > 0 && len(w.losses) <= w.n {
			w.times = append(w.times, time.Now())
		}
		if w.enough != nil && len(w.losses) >= w.n {
			w.enough()
		}
	}
}

// step returns the median of the seconds that a step takes, over runs of a twentieth of the steps: losses of quick steps
// are read from a pipe several at a time.
func (w *lossWriter) step() float64 {
	k := max(1, len(w.times)/20)
	var d []float64
	for i := range len(w.times) - k {
		d = append(d, w.times[i+k].Sub(w.times[i]).Seconds()/float64(k))
	}
	slices.Sort(d)
	if len(d) == 0 {
		return math.NaN()
	}
	return d[len(d)/2]
}

// pythonLosses returns the first n losses of a twin, and the seconds of a step.
func pythonLosses(t *testing.T, python, script string, n int, args []string) ([]float64, float64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, python, append([]string{"-u", filepath.Join(here, script)}, double(args)...)...)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	w := &lossWriter{n: n}
	lines := bufio.NewScanner(stdout)
	for len(w.losses) < n && lines.Scan() {
		w.Write([]byte("Loss: " + strings.ReplaceAll(lines.Text(), " ", " Loss: ") + "\n"))
	}
	cancel()
	err = cmd.Wait()
	if len(w.losses) < n {
		require.FailNow(t, "the twin ended early", "%s %s: %v after %d losses\n%s", script, strings.Join(args, " "), errors.Join(err, lines.Err()), len(w.losses), &stderr)
	}
	return w.losses, w.step()
}

// double returns arguments with two hyphens, as argparse reads them.
func double(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		if len(a) > 2 && a[0] == '-' && a[1] != '-' && (a[1] < '0' || a[1] > '9') {
			out[i] = "-" + a
		}
	}
	return out
}
