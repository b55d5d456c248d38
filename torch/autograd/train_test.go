package autograd_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// TestTrain compares the losses of steps of training with Python's, bit for bit: of the
// networks that BenchmarkTrain times, on one thread.
func TestTrain(t *testing.T) {
	python := reference.Start(t, trainScript)
	torch.Run(func() {
		defer libtorch.SetThreadWidth(libtorch.ThreadWidth())
		libtorch.SetThreadWidth(1)
		for name, n := range map[string]int{"mlp": 50, "cnn": 4} {
			var want []float64
			python.Call(&want, "losses", name, n)
			m := map[string]func() *model{"mlp": newMLP, "cnn": newCNN}[name]()
			for i := range n {
				require.InEpsilon(t, want[i], m.step().Item(), 1e-6, "%s, step %d", name, i) // memory may be aligned otherwise
			}
		}
	})
}

// TestTrainingIsFlat takes many steps of training without freeing a tensor. The memory of
// the process must not grow with them. At first it does: threads that Go started before the
// first use of libtorch have arenas of malloc's, each of which grows until it holds what is
// made between two collections. So the first steps are taken on threads that use all of them.
func TestTrainingIsFlat(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	steps := 4_000
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		steps = 100_000
	}
	resident := func() int {
		b, err := os.ReadFile("/proc/self/statm")
		require.NoError(t, err)
		pages, err := strconv.Atoi(strings.Fields(string(b))[1])
		require.NoError(t, err)
		return pages * os.Getpagesize() >> 20
	}
	m := newMLP()
	for range 8 {
		done := make(chan bool)
		go func() {
			defer close(done)
			runtime.LockOSThread() // and never unlocked, so that the next one gets another thread
			for range 4_000 {
				m.step()
			}
		}()
		<-done
	}
	before, most := resident(), 0
	for i := range steps {
		m.step()
		if i%1000 == 0 {
			most = max(most, resident())
		}
	}
	t.Logf("%d MB, at most %d MB in %d steps", before, most, steps)
	require.Less(t, most, before+32)
}
