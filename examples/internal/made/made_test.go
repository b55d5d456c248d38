package made_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/internal/reference"
)

func TestMNIST(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	require.NoError(t, made.MNIST(100, 20)(dir))
	require.NoError(t, made.MNIST(100, 20)(again))
	train, err := datasets.NewMNIST(t.Context(), dir)
	require.NoError(t, err)
	test, err := datasets.NewMNIST(t.Context(), again, datasets.WithTest())
	require.NoError(t, err)
	require.Equal(t, 100, train.Len())
	require.Equal(t, 20, test.Len())
	require.NotEqual(t, train.Targets[:20], test.Targets)
	for class := range 10 {
		require.Contains(t, train.Targets, class)
	}
	train2, err := datasets.NewMNIST(t.Context(), again)
	require.NoError(t, err)
	for i := range train.Len() {
		a, _, err := train.Open(i)
		require.NoError(t, err)
		b, _, err := train2.Open(i)
		require.NoError(t, err)
		require.Equal(t, a, b)
	}
}

func TestMNISTLive(t *testing.T) {
	dir := t.TempDir()
	p := reference.Start(t, "from torchvision import datasets")
	require.NoError(t, made.MNIST(30, 20)(dir))
	var got []float64
	p.Call(&got, "lambda d: [len(datasets.MNIST(d)), len(datasets.MNIST(d, train=False)), datasets.MNIST(d).data.float().mean().item()]", dir)
	require.Equal(t, []float64{30, 20}, got[:2])
	require.InDelta(t, 25, got[2], 15, "a digit has about the ink of a written one")
}

func TestRoot(t *testing.T) {
	root, remove, err := made.Root("here", nil)
	require.NoError(t, err)
	require.Equal(t, "here", root)
	remove()

	root, remove, err = made.Root("", made.MNIST(1, 1))
	require.NoError(t, err)
	require.DirExists(t, root)
	remove()
	require.NoDirExists(t, root)

	failed := ""
	_, _, err = made.Root("", func(dir string) error { failed = dir; return os.ErrInvalid })
	require.ErrorIs(t, err, os.ErrInvalid)
	require.NoDirExists(t, failed)
}
