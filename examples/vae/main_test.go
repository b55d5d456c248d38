package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/transforms"
)

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "batch-size", "epochs", "no-accel", "seed", "log-interval")
}

func TestTrain(t *testing.T) {
	t.Chdir(t.TempDir())
	exampletest.Falls(t, run, 24, "-log-interval", "1")
}

// TestPictures runs the program to its end, and opens the pictures that it writes.
func TestPictures(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.MNIST(64, 32)(dir))
	t.Chdir(t.TempDir())
	out := exampletest.Output(t, run, "-data", dir, "-epochs", "2", "-no-accel")
	require.Regexp(t, `^Using device: cpu\nTrain Epoch: 1 \[0/64 \(0%\)\]\tLoss: [\d.]+\n====> Epoch: 1 Average loss: \d+\.\d{4}\n====> Test set loss: \d+\.\d{4}\nTrain Epoch: 2 `, out)
	for file, size := range map[string][2]int{
		"results/reconstruction_2.png": {8*30 + 2, 2*30 + 2},
		"results/sample_2.png":         {8*30 + 2, 8*30 + 2},
	} {
		img, err := transforms.Open(file)
		require.NoError(t, err)
		require.Equal(t, size, [2]int{img.Bounds().Dx(), img.Bounds().Dy()})
	}
}

func TestLive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.MNIST(640, 130)(dir))
	t.Chdir(t.TempDir())
	exampletest.Compare(t, run, "testdata/vae.py", exampletest.CompareOptions{}, "-data", dir, "-epochs", "20", "-log-interval", "1")
}
