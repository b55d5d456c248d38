package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/torch"
)

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "epochs", "lr", "no_accel", "seed", "save_model", "save-model", "train_size", "threshold", "test_size", "log-interval")
}

func TestTrain(t *testing.T) {
	exampletest.Falls(t, run, 40, "-log-interval", "1", "-train_size", "100")
}

// TestSave runs the program to its end, and reads the weights that it writes.
func TestSave(t *testing.T) {
	t.Chdir(t.TempDir())
	out := exampletest.Output(t, run, "-epochs", "20", "-train_size", "64", "-test_size", "64", "-log-interval", "12", "-save-model")
	require.Regexp(t, `^training layer: 0\nLoss: [\d.]+\nLoss: [\d.]+\ntraining layer: 1\nLoss: [\d.]+\nLoss: [\d.]+\ntrain error: [\d.e-]+\ntest error: [\d.]+\n$`, out)
	weights, err := torch.LoadStateDict("mnist_ff.pt")
	require.NoError(t, err)
	require.Equal(t, []int{500, 784}, weights.Get("layers.0.weight").Shape())
	require.Len(t, weights, 4)
}

func TestLive(t *testing.T) {
	dir, epochs := t.TempDir(), "12" // of both layers
	if exampletest.Large() {
		epochs = "60"
	}
	require.NoError(t, made.MNIST(200, 1)(dir))
	exampletest.Compare(t, run, "testdata/mnist_forward_forward.py", exampletest.CompareOptions{}, "-data", dir, "-epochs", epochs, "-log-interval", "1")
}
