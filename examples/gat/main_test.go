package main

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
)

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "epochs", "lr", "l2", "dropout-p", "hidden-dim", "val-every", "num-heads", "concat-heads", "no-accel", "dry-run", "seed", "data")
	require.EqualError(t, run(t.Context(), nil, []string{"-concat-heads", "-num-heads=7"}), "gat: hidden-dim is 64 and num-heads 7; with concat-heads it must be a multiple")
}

// TestLearn requires more right topics than the 1 in 7 that are right by chance.
func TestLearn(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.Cora(200, 100)(dir))
	out := exampletest.Output(t, run, "-data", dir, "-epochs", "60", "-hidden-dim=16", "-no-accel")
	require.Regexp(t, `\nEpoch: 0020 \(\d+\.\d{4}s\) Loss_train: 1\.\d+ acc_train: 0\.\d{4} Loss_val: 1\.\d+ acc_val: 0\.\d{4}\n`, out)
	result := regexp.MustCompile(`\nTest set results: loss \d\.\d{4} accuracy (0\.\d{4})\n$`).FindStringSubmatch(out)
	require.Len(t, result, 2, out)
	accuracy, err := strconv.ParseFloat(result[1], 64)
	require.NoError(t, err)
	require.Greater(t, accuracy, 0.3)
}

func TestLossesLive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.Cora(200, 100)(dir))
	exampletest.Compare(t, run, "testdata/gat.py", exampletest.CompareOptions{}, "-data", dir, "-val-every", "1", "-hidden-dim", "16", "-concat-heads")
}
