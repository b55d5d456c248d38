package hub

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

// TestExported packs and loads a program of torch.export, which needs no trust.
func TestExported(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile(filepath.Join("..", "torch", "export", "testdata", "net.pt2"))
	require.NoError(t, err)
	file := filepath.Join(dir, "net.pt2")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	format, err := FormatOf(file)
	require.NoError(t, err)
	require.Equal(t, Exported, format)
	require.NoError(t, Pack(t.Context(), dir, "net", Entry{Doc: "A net.", Artifacts: []Artifact{{URL: "net.pt2"}}}, WithNotice(nil)))
	m, err := Load(t.Context(), dir, "net", WithSource("local"), WithNotice(nil))
	require.NoError(t, err)
	y, err := m.Call(t.Context(), torch.Ones(3, 3, 9, 9))
	require.NoError(t, err)
	require.Equal(t, []int{3, 5}, y.(*torch.Tensor).Shape())
	_, err = m.Call(t.Context(), torch.Ones(3, 3, 9))
	require.ErrorContains(t, err, "x has 3 dimensions, and must have 4")
	require.NoError(t, m.Close())

	require.NoError(t, os.WriteFile(file, data[:len(data)-100], 0o600))
	_, err = Load(t.Context(), dir, "net", WithSource("local"), WithNotice(nil))
	require.Error(t, err)
	format, err = FormatOf(filepath.Join("..", "torch", "aoti", "testdata", "exported.pt2"))
	require.NoError(t, err)
	require.Equal(t, Exported, format)
}
