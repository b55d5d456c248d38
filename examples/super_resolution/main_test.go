package main

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/super_resolution/model"
	"github.com/torchhub/torchhub/torch/nn"
)

// few are arguments for a quick step.
var few = []string{"-upscale_factor", "4", "-batchSize", "2", "-threads", "1", "-lr", "0.001"}

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "upscale_factor", "batchSize", "testBatchSize", "nEpochs", "lr", "accel", "threads", "seed")
	require.EqualError(t, run(t.Context(), io.Discard, nil), "super_resolution: give -upscale_factor, which is 1 or more; -h lists the flags")
}

func TestTrain(t *testing.T) {
	t.Chdir(t.TempDir())
	exampletest.Falls(t, run, 8, few...)
}

// TestSave runs the program to its end, and reads the weights that it writes.
func TestSave(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, made.BSDS300(2, 1)("data"))
	out := exampletest.Output(t, run, append(few, "-data", "data", "-nEpochs", "1")...)
	require.Regexp(t, `^===> Loading datasets
===> Building model
===> Epoch\[1\]\(1/1\): Loss: \S+
===> Epoch 1 Complete: Avg. loss: \d\.\d{4}
===> Avg. PSNR: \d+\.\d{4} dB
Checkpoint saved to model_epoch_1.pth
$`, out)
	require.NoError(t, nn.LoadStateDictFile("model_epoch_1.pth", model.New(4)))
	require.NoError(t, os.WriteFile("data/BSDS300/images/train/10000.jpg", []byte("no picture"), 0o666))
	require.ErrorContains(t, run(t.Context(), io.Discard, append(few, "-data", "data")), "10000.jpg")
}

func TestLive(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, made.BSDS300(16, 2)("data"))
	exampletest.Compare(t, run, "testdata/super_resolution.py", exampletest.CompareOptions{}, append(few, "-data", "data", "-nEpochs", "20")...)
}
