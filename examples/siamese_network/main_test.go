package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "batch-size", "test-batch-size", "epochs", "lr", "gamma", "no-accel", "dry-run", "seed", "log-interval", "save-model")
}

func TestTrain(t *testing.T) {
	exampletest.Falls(t, run, 32, "-log-interval", "1", "-batch-size", "16")
}

// TestSave runs the program to its end, and reads the weights that it writes.
func TestSave(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.MNIST(64, 80)(dir))
	t.Chdir(t.TempDir())
	out := exampletest.Output(t, run, "-data", dir, "-epochs", "2", "-no-accel", "-batch-size", "32", "-dry-run", "-save-model")
	require.Regexp(t, `(?s)^Using device: cpu\nTrain Epoch: 1 \[0/64 \(0%\)\]\tLoss: \d\.\d+\n\nTest set: Average loss: \d\.\d{4}, Accuracy: \d+/80 \(\d+%\)\n\nTrain Epoch: 2 `, out)
	weights, err := torch.LoadStateDict("siamese_network.pt")
	require.NoError(t, err)
	require.NoError(t, nn.LoadStateDict(NewSiameseNetwork(), weights))
}

// TestOnePicture gives the program a data set in which no pair of the same digit can be drawn.
func TestOnePicture(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.MNIST(10, 80)(dir))
	err := run(t.Context(), io.Discard, []string{"-data", dir, "-no-accel"})
	require.ErrorContains(t, err, "pairs need at least 2 of each digit")
}

func TestLive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.MNIST(160, 80)(dir))
	exampletest.Compare(t, run, "testdata/siamese_network.py", exampletest.CompareOptions{}, "-data", dir, "-batch-size", "16", "-epochs", "40", "-log-interval", "1")
}
