package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// TestMain runs the program itself where a test has started it.
func TestMain(m *testing.M) {
	if os.Getenv("IMAGENET_TEST_PROGRAM") != "" {
		torch.SetNumThreads(1)
		report = printLoss
		main()
		os.Exit(0)
	}
	report = printLoss
	os.Exit(m.Run())
}

func printLoss(w io.Writer, loss float64) { fmt.Fprintf(w, "Loss: %.9g\n", loss) }

// flags are those of a small model. There are three steps in an epoch.
var flags = []string{"data", "--seed", "3", "-a", "shufflenet_v2_x0_5", "-b", "4", "-j", "2", "-p", "1"}

const script = "testdata/imagenet.py"

// twin is the path of the script, from wherever the test is.
var twin, _ = filepath.Abs(script)

// folder goes to a folder that has pictures.
func folder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, made.ImageFolder(12, 5)("data"))
	threads := torch.NumThreads()
	torch.SetNumThreads(1)
	t.Cleanup(func() { torch.SetNumThreads(threads) })
}

// losses returns the lines with losses that a run prints. The run ends as at Ctrl-C after a line that contains stop.
func losses(t *testing.T, stop string, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		defer w.Close()
		done <- run(ctx, w, append(flags[:len(flags):len(flags)], args...))
	}()
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if stop != "" && strings.Contains(lines.Text(), stop) {
			cancel()
		}
		fmt.Fprintln(&out, lines.Text())
	}
	if err := <-done; stop != "" {
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "--resume checkpoint.pth.tar goes on")
	} else {
		require.NoError(t, err)
	}
	return lossLines(out.String())
}

func lossLines(out string) []string {
	return regexp.MustCompile(`(?m)^Loss: .*`).FindAllString(out, -1)
}

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "workers", "j", "a", "arch", "epochs", "start-epoch", "b", "batch-size", "lr", "learning-rate", "momentum",
		"wd", "weight-decay", "p", "print-freq", "resume", "e", "evaluate", "pretrained", "seed", "gpu", "no-accel", "dummy")
	folder(t)
	for want, args := range map[string][]string{
		`no model "resnet17"`:     {"data", "-a", "resnet17"},
		"no/train: no such":       {"no"},
		"not a checkpoint":        {"data", "-resume", "data/val/n00000000/val_0000.JPEG"},
		"invalid value \"x\" for": {"-gpu", "x"},
	} {
		err := run(t.Context(), io.Discard, args)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
}

// A run that was killed goes on with the losses that it would have had, and one that was stopped by Ctrl-C does so in the
// middle of an epoch.
func TestResume(t *testing.T) {
	folder(t)
	want := losses(t, "", "-epochs", "2")
	require.Len(t, want, 6)
	resume := []string{"-epochs", "2", "-resume", "checkpoint.pth.tar"}

	if runtime.GOOS != "windows" { // which has no signals for processes
		for _, c := range []struct {
			signal os.Signal
			at     string
			left   int
		}{{os.Interrupt, "Epoch: [0][2/3]", 4}, {os.Kill, "Epoch: [1][1/3]", 3}} {
			require.NoError(t, os.Remove("checkpoint.pth.tar"))
			cmd := exec.Command(os.Args[0], append(flags[:len(flags):len(flags)], "-epochs", "2")...)
			cmd.Env = append(os.Environ(), "IMAGENET_TEST_PROGRAM=1")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			var seen []string
			for lines := bufio.NewScanner(out); lines.Scan(); {
				seen = append(seen, lines.Text())
				if strings.HasPrefix(lines.Text(), c.at) {
					require.NoError(t, cmd.Process.Signal(c.signal))
				}
			}
			require.Error(t, cmd.Wait())
			if c.signal == os.Interrupt {
				require.Regexp(t, `^imagenet: stopped after [23] of 3 steps of epoch 0; --resume checkpoint.pth.tar goes on: context canceled\n$`, stderr.String())
				c.left = 6 - len(lossLines(strings.Join(seen, "\n")))
			}
			require.Equal(t, want[6-c.left:], losses(t, "", resume...), c.signal)
		}
	}

	require.Equal(t, want[:4], losses(t, "Epoch: [1][1/3]", "-epochs", "2")[:4])
	c := load(t)
	require.Equal(t, 1, c.Epoch)
	require.Equal(t, want[3+c.Loader.Batches:], losses(t, "", resume...))

	require.Equal(t, want[:3], losses(t, "Test: [1/2]", "-epochs", "2"))
	require.Equal(t, 3, load(t).Loader.Batches)
	require.Equal(t, want[3:], losses(t, "", resume...), "stopped while it evaluates")
}

// load reads the checkpoint.
func load(t *testing.T) checkpoint {
	t.Helper()
	v, err := torch.Load("checkpoint.pth.tar")
	require.NoError(t, err)
	c, err := torch.Get[checkpoint](v)
	require.NoError(t, err)
	return c
}

// The files of the program are those of Python's, in both directions.
func TestResumeLive(t *testing.T) {
	folder(t)
	reference.Python(t)
	want := losses(t, "", "-epochs", "2")

	losses(t, "", "-epochs", "1")
	args := append(flags[:len(flags):len(flags)], "-epochs", "2", "-resume")
	require.Equal(t, want[3:], printed(exampletest.Losses(t, script, 3, append(args, "checkpoint.pth.tar")...)), "Python goes on from Go's")

	python(t, "--epochs", "1", "--checkpoint", "python.pth.tar")
	fromPython := printed(exampletest.Losses(t, script, 3, append(args, "python.pth.tar")...))
	require.Equal(t, fromPython, losses(t, "", "-epochs", "2", "-resume", "python.pth.tar"), "Go goes on from Python's")
}

func printed(losses []float64) (lines []string) {
	for _, v := range losses {
		lines = append(lines, fmt.Sprintf("Loss: %.9g", v))
	}
	return lines
}

// python runs the twin to its end, and returns what it prints.
func python(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(reference.Python(t), append(append([]string{twin}, flags...), args...)...)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, &stderr)
	return string(out)
}

// The lines of progress are Python's, but for the times.
func TestLinesLive(t *testing.T) {
	folder(t)
	want := python(t, "--epochs", "2", "--lines")
	out := exampletest.Output(t, run, append(flags[:len(flags):len(flags)], "-epochs", "2")...)
	require.Regexp(t, `^Using device: cpu\n=> creating model 'shufflenet_v2_x0_5'\nusing CPU, this will be slow\n`, out)
	require.Regexp(t, `(?m)^Epoch: \[0\]\[1/3\]\tTime  *\d+\.\d{3} \( *\d+\.\d{3}\)\tData  *\d+\.\d{3} \( *\d+\.\d{3}\)\tLoss `, out)
	require.Regexp(t, `(?m)^ \*   Acc@1 \d+\.\d{3} Acc@5 \d+\.\d{3}$`, out)
	var got []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "Epoch: ") || strings.HasPrefix(line, "Test: ") || strings.HasPrefix(line, " * ") {
			got = append(got, regexp.MustCompile(`\t(Time|Data)[^\t]*`).ReplaceAllString(strings.Replace(line, " *   ", " * ", 1), ""))
		}
	}
	require.Equal(t, want, strings.Join(got, ""))
}

func TestLive(t *testing.T) {
	for _, workers := range []string{"0", "2"} {
		t.Run(workers, func(t *testing.T) {
			if workers == "0" && !exampletest.Large() {
				t.Skip("a long comparison")
			}
			folder(t)
			require.NoError(t, made.ImageFolder(100, 5)("data"))
			exampletest.Compare(t, run, script, exampletest.CompareOptions{}, "data", "-seed", "3", "-a", "shufflenet_v2_x0_5", "-b", "8", "-j", workers)
		})
	}
}
