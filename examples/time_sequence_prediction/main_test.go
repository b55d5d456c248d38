package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

var small = []string{"-steps=6", "-waves=8", "-length=30", "-future=10"}

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "steps", "waves", "length", "future")
	require.EqualError(t, run(t.Context(), nil, []string{"-waves=3"}), "time_sequence_prediction: 3 waves of the length 100 and predictions of 100 are too little; there must be 4 waves of the length 2 and predictions of 1")
}

func TestPredict(t *testing.T) {
	exampletest.Falls(t, run, 40, small...)
	require.Contains(t, exampletest.Output(t, run, "-steps=1", "-waves=4", "-length=3", "-future=1"), "\ntest loss: ")
}

// TestWavesLive compares the data with those that Python's generate_sine_wave.py makes.
func TestWavesLive(t *testing.T) {
	python := reference.Start(t, `
import numpy as np
def waves(n, length):
    np.random.seed(2)
    x = np.empty((n, length), 'int64')
    x[:] = np.array(range(length)) + np.random.randint(-80, 80, n).reshape(n, 1)
    return np.sin(x / 1.0 / 20).tolist()
`)
	var want [][]float64
	python.Call(&want, "waves", 100, 50)
	for i, row := range generateSineWave(100, 50).Unbind(0) {
		require.InDeltaSlice(t, want[i], torch.Data[float64](row), 1e-15)
	}
}

func TestLossesLive(t *testing.T) {
	exampletest.Compare(t, run, "testdata/time_sequence_prediction.py", exampletest.CompareOptions{Speed: 1.5}, small...)
}
