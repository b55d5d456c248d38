package whole

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzCheck checks damaged files; [hub] tests what passes and what does not.
func FuzzCheck(f *testing.F) {
	for _, name := range []string{"zip_state_dict.pt", "legacy_state_dict.pt"} {
		data, err := os.ReadFile(filepath.Join("../../testdata/checkpoints", name))
		require.NoError(f, err)
		f.Add(data, name)
		f.Add(data[:len(data)/2], name)
	}
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"), "x.safetensors")
	f.Add([]byte(`{"a": [NaN, -Infinity, "}"]}`), "x.json")
	f.Add([]byte{}, "x.json")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		file := filepath.Join(t.TempDir(), "f")
		require.NoError(t, os.WriteFile(file, data, 0o600))
		r, err := os.Open(file)
		require.NoError(t, err)
		defer r.Close()
		_ = Check(r, int64(len(data)), name)
	})
}
