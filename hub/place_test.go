package hub

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLinksStay follows links within the folder of a hubconf.json, and no further.
func TestLinksStay(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "in.pt"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "out.pt"), nil, 0o600))
	require.NoError(t, os.Symlink("in.pt", filepath.Join(dir, "near.pt")))
	require.NoError(t, os.Symlink(filepath.Join(elsewhere, "out.pt"), filepath.Join(dir, "far.pt")))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, "sub")))
	at := place{dir: dir}
	for name, ok := range map[string]bool{"in.pt": true, "near.pt": true, "none.pt": true, "far.pt": false, "sub/out.pt": false} {
		file, _, err := at.resolve(name)
		if ok {
			require.NoError(t, err, name)
			require.Equal(t, filepath.Join(dir, name), file)
			continue
		}
		require.ErrorContains(t, err, "leads out of the folder", name)
	}
}
