package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
)

// small are arguments for a quick step, with files in the folder dir.
func small(dir string) []string {
	return []string{"-embed_size", "32", "-dim_feedforward", "64", "-enc_layers", "1", "-dec_layers", "2", "-attn_heads", "4", "-batch", "16", "-lr", "0.003", "-seed", "1",
		"-log-interval", "1", "-logging_dir", dir, "-data", dir}
}

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "epochs", "e", "src", "tgt", "lr", "batch", "backend", "attn_heads", "enc_layers", "dec_layers", "embed_size", "dim_feedforward", "dropout", "dry_run",
		"inference", "model_path", "logging_dir")
	require.EqualError(t, run(t.Context(), io.Discard, []string{"-inference"}), "-inference needs the weights of a model: give -model_path")
}

// TestTranslates trains on few sentences, and translates one of them by the saved weights.
func TestTranslates(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.Pairs(32, 8)(dir))
	args := append(small(dir), "-dropout", "0")
	out := exampletest.Output(t, run, append(args, "-epochs", "60")...)
	require.Regexp(t, `^Translation task: de -> en\nUsing device: cpu\nEpoch: 1 \[1/2\]\tLoss: \d\.\d+\nEpoch: 1 \[2/2\]\tLoss: \d\.\d+\nNew best model, saving...\nEpoch: 1\n\tTrain loss: `, out)
	require.FileExists(t, filepath.Join(dir, "best.pt"))

	line := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return strings.SplitN(string(text), "\n", 2)[0]
	}
	stdin = strings.NewReader(line("train.de") + "\n\n")
	t.Cleanup(func() { stdin = os.Stdin })
	out = exampletest.Output(t, run, append(args, "-inference", "-model_path", filepath.Join(dir, "last.pt"))...)
	require.Equal(t, "> "+line("train.en")+"\n> > \n", out)
}

func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	require.ErrorIs(t, run(t.Context(), io.Discard, small(dir)), os.ErrNotExist)
	require.NoError(t, made.Pairs(4, 2)(dir))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "val.en"), []byte("one\n"), 0o666))
	require.ErrorContains(t, run(t.Context(), io.Discard, small(dir)), "val has 2 sentences in de and 1 in en; each needs its translation")
}

func TestLive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.Pairs(160, 20)(dir))
	exampletest.Compare(t, run, "testdata/language_translation.py", exampletest.CompareOptions{}, small(dir)...)
}
