package pickle

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/strictzip"
)

// FuzzRead reads anything: it must return one of the two errors, or a value that is sound.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"*.pt", "hostile/*.pt"} {
		files, err := filepath.Glob(filepath.Join(testdata, pattern))
		require.NoError(f, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(data)
			if z, err := strictzip.Open(data); err == nil && z.SetRoot() == nil {
				if r := z.Get("data.pkl"); r != nil {
					b, _, err := strictzip.NewReader(1<<20).Read(z, r, 0)
					if err == nil {
						f.Add(b)
					}
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzz(t, data)
		// the same bytes as the pickle of an archive whose checksums hold, which a fuzzer would not find
		fuzz(t, checkpoint(string(data), entry{name: "a/data/0", data: make([]byte, 64)}))
	})
}

func fuzz(t *testing.T, data []byte) {
	v, err := Read(data, Options{MaxNodes: 1 << 16, MaxMemory: 4 << 20, MaxInflate: 4 << 20})
	if err != nil {
		var malformed *MalformedError
		var unsupported *UnsupportedError
		require.True(t, errors.As(err, &malformed) || errors.As(err, &unsupported), "%v", err)
		return
	}
	requireSound(t, data, v)
}
