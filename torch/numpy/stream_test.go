package numpy_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/npy"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/numpy"
)

// Streams have the bytes of files.
func TestStreams(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	all := samples()
	var two bytes.Buffer // arrays one after the other, as NumPy reads them too
	for _, e := range all {
		var b bytes.Buffer
		require.NoError(t, numpy.SaveTo(&b, e.Tensor))
		require.NoError(t, numpy.Save(path, e.Tensor))
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, b.Bytes(), e.Name)
		two.Write(want)
	}
	for _, e := range all {
		x, err := numpy.LoadFrom(&two)
		require.NoError(t, err, e.Name)
		requireEqual(t, e.Tensor, x, e.Name)
	}
	_, err := numpy.LoadFrom(&two)
	require.ErrorIs(t, err, torch.ErrMalformed)

	var b bytes.Buffer
	require.NoError(t, numpy.SaveZipTo(&b, all))
	require.NoError(t, numpy.SaveZip(path, all))
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, b.Bytes())
	got, err := numpy.LoadZipFrom(&b)
	require.NoError(t, err)
	require.Len(t, got, len(all))
	for i, e := range all {
		requireEqual(t, e.Tensor, got[i].Tensor, e.Name)
	}
	_, err = numpy.LoadZipFrom(bytes.NewReader(want[:len(want)/2]))
	require.ErrorIs(t, err, torch.ErrMalformed)
}

// A stream that ends early is malformed, wherever it ends, and takes no memory for what it announces.
func TestTruncatedStreams(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, numpy.SaveTo(&b, torch.Ones(3)))
	for n := range b.Len() {
		_, err := numpy.LoadFrom(bytes.NewReader(b.Bytes()[:n]))
		require.ErrorIs(t, err, torch.ErrMalformed, n)
	}
	head, err := npy.Write("float64", []int{1 << 40})
	require.NoError(t, err)
	_, err = numpy.LoadFrom(bytes.NewReader(head))
	require.ErrorIs(t, err, torch.ErrMalformed)
	broken := errors.New("broken")
	_, err = numpy.LoadFrom(io.MultiReader(bytes.NewReader(head), failing{broken}))
	require.ErrorIs(t, err, broken)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// FuzzLoadFrom reads anything as a stream: an error is typed, and what is read is saved as the same tensor.
func FuzzLoadFrom(f *testing.F) {
	for _, e := range samples() {
		var b bytes.Buffer
		require.NoError(f, numpy.SaveTo(&b, e.Tensor))
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := numpy.LoadFrom(bytes.NewReader(data))
		if err != nil {
			require.True(t, errors.Is(err, torch.ErrMalformed) || errors.Is(err, torch.ErrUnsupported), "%v", err)
			return
		}
		defer x.Free()
		var b bytes.Buffer
		require.NoError(t, numpy.SaveTo(&b, x))
		y, err := numpy.LoadFrom(&b)
		require.NoError(t, err)
		requireEqual(t, x, y, "")
		y.Free()
	})
}

func TestSaveZipSeqFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	broken := errors.New("broken")
	require.ErrorIs(t, numpy.SaveZipSeq(path, func(yield func(torch.Named, error) bool) {
		_ = yield(torch.Named{Name: "a", Tensor: torch.Ones(1)}, nil) && yield(torch.Named{}, broken)
	}), broken)
	_, err := os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist)
}
