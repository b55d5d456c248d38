package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, s)
			return err
		}
	}
	requireFile := func(want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			require.NotContains(t, e.Name(), ".partial")
		}
	}
	require.NoError(t, Write(path, text("one")))
	requireFile("one")
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, Write(path, text("two")))
	requireFile("two")
	st, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm(), "the mode of the old file")

	broken := errors.New("broken")
	require.ErrorIs(t, Write(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	}), broken)
	requireFile("two")
	require.Panics(t, func() { _ = Write(path, func(io.Writer) error { panic("x") }) })
	requireFile("two")

	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink("f", link))
	require.NoError(t, Write(link, text("three")))
	requireFile("three")
	target, err := os.Readlink(link)
	require.NoError(t, err)
	require.Equal(t, "f", target)

	require.NoError(t, Write(os.DevNull, text("four")))
	require.ErrorContains(t, Write(dir, text("five")), "it is a directory")
	require.ErrorIs(t, Write(filepath.Join(dir, "none", "f"), text("six")), os.ErrNotExist)
}
