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
	exampletest.Flags(t, run, "batch-size", "test-batch-size", "epochs", "lr", "gamma", "accel", "dry-run", "seed", "log-interval", "save-model")
}

func TestTrain(t *testing.T) {
	exampletest.Falls(t, run, 40, "-lr", "1", "-log-interval", "1")
}

// TestSave runs the program to its end, and reads the weights that it writes.
func TestSave(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.MNIST(64, 32)(dir))
	t.Chdir(t.TempDir())
	out := exampletest.Output(t, run, "-data", dir, "-epochs", "2", "-batch-size", "32", "-dry-run", "-save-model")
	require.Regexp(t, `(?s)^Train Epoch: 1 \[0/64 \(0%\)\]\tLoss: 2\.\d+\n\nTest set: Average loss: \d\.\d{4}, Accuracy: \d+/32 \(\d+%\)\n\nTrain Epoch: 2 `, out)
	weights, err := torch.LoadStateDict("mnist_rnn.pt")
	require.NoError(t, err)
	require.NoError(t, nn.LoadStateDict(NewNet(), weights))
}

func TestLive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.MNIST(640, 100)(dir))
	exampletest.Compare(t, run, "testdata/mnist_rnn.py", exampletest.CompareOptions{}, "-data", dir, "-log-interval", "1")
}
