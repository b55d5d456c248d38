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

// few are arguments for a quick step.
var few = []string{"-latent-size", "48", "-num-heads", "4", "-num-encoders", "2", "-img-size", "64", "-seed", "1", "-lr", "0.001", "-log-interval", "1"}

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "patch-size", "no-cuda", "latent-size", "n-channels", "num-heads", "num-encoders", "dropout", "img-size", "num-classes", "epochs",
		"lr", "weight-decay", "batch-size", "dry-run")
	require.EqualError(t, run(t.Context(), io.Discard, append(few, "-img-size", "60")), "torch: patchExtractor: input height (60) and width (60) must be divisible by patch size (16)")
}

// TestSave runs the program to its end, and reads the weights that it writes.
func TestSave(t *testing.T) {
	t.Chdir(t.TempDir())
	out := exampletest.Output(t, run, append(few, "-epochs", "1")...)
	require.Regexp(t, `^EPOCH\[TRAIN\]1/1 \[1/25\]\tLoss: \S+\n(.*\n){24}Saved Best Weights\nTraining Loss : \d\.\d+\nValid Loss : \d\.\d+\n$`, out)
	weights, err := torch.LoadStateDict("best-weights.pt")
	require.NoError(t, err)
	require.NotNil(t, weights.Get("encoders.1.enc_MLP.3.weight"))
	require.NoError(t, nn.LoadStateDict(NewViT(arguments{patchSize: 16, latentSize: 48, nChannels: 3, numHeads: 4, numEncoders: 2, numClasses: 10, batchSize: 4}), weights))
}

func TestLive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.CIFAR10(200, 20)(dir))
	t.Chdir(t.TempDir())
	drawn = true
	exampletest.Compare(t, run, "testdata/vision_transformer.py", exampletest.CompareOptions{}, append(few, "-data", dir)...)
}
