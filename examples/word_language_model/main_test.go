package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
)

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "emsize", "data", "model", "nhid", "nlayers", "lr", "clip", "epochs", "batch_size", "bptt", "dropout", "tied", "seed", "log-interval", "save", "nhead", "dry-run", "accel", "use-optimizer")
	exampletest.Flags(t, runGenerate, "words", "data", "checkpoint", "outf", "seed", "temperature", "log-interval", "accel")
}

// small has the flags of a small model, apart from its type.
func small(dir string) []string {
	return []string{"-emsize=32", "-nhid=32", "-batch_size=8", "-bptt=10", "-log-interval=1", "-save=" + filepath.Join(dir, "model.pt")}
}

var models = []string{"LSTM", "GRU", "RNN_TANH", "RNN_RELU", "Transformer"}

// TestGenerate trains a model of each type, and writes words with it.
func TestGenerate(t *testing.T) {
	for _, model := range models {
		dir := t.TempDir()
		lr := "-lr=5"
		if model == "Transformer" {
			lr = "-lr=1"
		}
		out := exampletest.Output(t, run, append(small(dir), "-model="+model, "-epochs=1", lr)...)
		require.Regexp(t, `\n\| end of epoch   1 \| time: +\d+\.\d\ds \| valid loss  [1-5]\.\d\d \| valid ppl +\d+\.\d\d\n`, out, model)
		require.Regexp(t, `\n\| End of training \| test loss  [1-5]\.\d\d \| test ppl +\d+\.\d\d\n=+\n$`, out, model)

		words := filepath.Join(dir, "words.txt")
		out = exampletest.Output(t, run, "generate", "-checkpoint="+filepath.Join(dir, "model.pt"), "-outf="+words, "-words=40", "-log-interval=20")
		require.Equal(t, "| Generated 0/40 words\n| Generated 20/40 words\n", out, model)
		text, err := os.ReadFile(words)
		require.NoError(t, err)
		lines := strings.Split(string(text), "\n")
		require.Len(t, lines, 3, model)
		require.Len(t, strings.Fields(lines[1]), 20, model)
	}
}

func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	for args, want := range map[string]string{
		"-model=CNN":                            `word_language_model: the model "CNN" is unknown; it can be LSTM, GRU, RNN_TANH, RNN_RELU or Transformer`,
		"-tied -nhid=100":                       "word_language_model: nhid is 100 and emsize 200; with the flag tied they must be equal",
		"-data=" + dir:                          filepath.Join(dir, "train.txt"),
		"generate -temperature=0":               "generate: the temperature is 0; it must be 0.001 or more",
		"generate -checkpoint=" + dir + "/m.pt": "m.pt",
	} {
		require.ErrorContains(t, run(t.Context(), &strings.Builder{}, strings.Fields(args)), want)
	}
}

func TestLossesLive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.Corpus(400, 20, 20)(dir))
	compared := []string{"LSTM", "Transformer"}
	if exampletest.Large() {
		compared = models
	}
	for _, model := range compared {
		t.Run(model, func(t *testing.T) {
			exampletest.Compare(t, run, "testdata/word_language_model.py", exampletest.CompareOptions{}, append(small(dir), "-data="+dir, "-model="+model, "-lr=1")...)
		})
	}
	t.Run("tied", func(t *testing.T) {
		exampletest.Compare(t, run, "testdata/word_language_model.py", exampletest.CompareOptions{}, append(small(dir), "-data="+dir, "-tied", "-use-optimizer", "-lr=0.01", "-nlayers=1", "-dropout=0")...)
	})
}
