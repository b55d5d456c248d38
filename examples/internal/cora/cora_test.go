package cora

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

// write writes the two files of a graph.
func write(t *testing.T, content, cites string) (dir string) {
	dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cora.content"), []byte(content), 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cora.cites"), []byte(cites), 0o666))
	return dir
}

func TestLoad(t *testing.T) {
	features, labels, adj, err := Load(write(t, "7 1 0 1 Theory\n9 0 0 0 Rules\n8 0 0 1 Theory\n", "7 8\n9 7\n7 8\n"))
	require.NoError(t, err)
	require.Equal(t, []float32{0.5, 0, 0.5, 0, 0, 0, 0, 0, 1}, torch.Data[float32](features))
	require.Equal(t, []int64{1, 0, 1}, torch.Data[int64](labels))
	require.Equal(t, []float32{1, 0, 2, 1, 1, 0, 0, 0, 1}, torch.Data[float32](adj))
}

func TestBadFiles(t *testing.T) {
	for _, c := range [][3]string{
		{"", "1 2\n", "cora.content is empty"},
		{"1 0 A\n2 A\n", "1 2\n", "line 2 has 2 fields, unlike the first"},
		{"1 x A\n", "1 1\n", "cora.content: line 1: "},
		{"1 0 A\n", "1 5\n", "cora.cites: line 1: the papers 1 and 5 are not in cora.content"},
	} {
		_, _, _, err := Load(write(t, c[0], c[1]))
		require.ErrorContains(t, err, c[2])
	}
	_, _, _, err := Load(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}
