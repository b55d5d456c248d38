package pickle

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/strictzip"
)

// FuzzScript checks anything as the pickle of a TorchScript archive.
func FuzzScript(f *testing.F) {
	for _, name := range []string{"parts", "containers"} {
		data, err := os.ReadFile(filepath.Join("../../testdata/jit", name+".pt"))
		require.NoError(f, err)
		z, err := strictzip.Open(data)
		require.NoError(f, err)
		require.NoError(f, z.SetRoot())
		pickle, _, err := strictzip.NewReader(1<<20).Read(z, z.Get("data.pkl"), 0)
		require.NoError(f, err)
		require.NoError(f, CheckScript(z, strictzip.NewReader(1<<20), Options{}))
		f.Add(pickle)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := strictzip.Open(pack(entry{name: "a/data.pkl", data: data}, entry{name: "a/constants.pkl", data: []byte("\x80\x02).")}, entry{name: "a/data/0", data: make([]byte, 8)}))
		require.NoError(t, err)
		require.NoError(t, z.SetRoot())
		err = CheckScript(z, strictzip.NewReader(1<<20), Options{MaxNodes: 1 << 16, MaxMemory: 4 << 20})
		var malformed *MalformedError
		var unsupported *UnsupportedError
		require.True(t, err == nil || errors.As(err, &malformed) || errors.As(err, &unsupported), "%v", err)
	})
}
