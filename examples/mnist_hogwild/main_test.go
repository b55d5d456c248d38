package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "batch-size", "test-batch-size", "epochs", "lr", "momentum", "seed", "log-interval", "num-processes", "cuda", "mps", "save_model", "dry-run")
}

// TestTrain trains by 3 goroutines, whose losses fall together.
func TestTrain(t *testing.T) {
	exampletest.Falls(t, run, 60, "-log-interval", "1", "-lr", "0.05", "-num-processes", "3")
}

// TestSave runs the program to its end, and reads the weights that it writes.
func TestSave(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.MNIST(64, 32)(dir))
	t.Chdir(t.TempDir())
	out := exampletest.Output(t, run, "-data", dir, "-epochs", "1", "-save_model")
	require.Regexp(t, `^[01]\tTrain Epoch: 1 \[0/64 \(0%\)\]\tLoss: 2\.\d+\n[01]\tTrain Epoch.*\n\nTest set: Average loss: \d\.\d{4}, Accuracy: \d+/32 \(\d+%\)\n\n$`, out)
	weights, err := torch.LoadStateDict("MNIST_hogwild.pt")
	require.NoError(t, err)
	require.NoError(t, nn.LoadStateDict(NewNet(), weights))
}

func TestLive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.MNIST(640, 1)(dir))
	exampletest.Compare(t, run, "testdata/mnist_hogwild.py", exampletest.CompareOptions{}, "-data", dir, "-log-interval", "1", "-num-processes", "1")
}
