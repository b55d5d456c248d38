package autograd_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/flat"
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
// the process must not grow with them.
func TestTrainingIsFlat(t *testing.T) {
	steps := 4_000
	if os.Getenv("TORCHHUB_TEST_LARGE") != "" {
		steps = 100_000
	}
	m := newMLP()
	flat.Warm(t, steps, func() { m.step() })
	flat.Check(t, steps, func() { m.step() })
}
