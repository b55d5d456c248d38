package pickle

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/strictzip"
)

// goldens returns the good and the hostile files, and the pickles of those that are archives.
func goldens(f *testing.F) (files, pickles [][]byte) {
	for _, pattern := range []string{"*.pt", "hostile/*.pt"} {
		paths, err := filepath.Glob(filepath.Join(testdata, pattern))
		require.NoError(f, err)
		for _, path := range paths {
			data, err := os.ReadFile(path)
			require.NoError(f, err)
			files = append(files, data)
			z, err := strictzip.Open(data)
			if err != nil || z.SetRoot() != nil || z.Get("data.pkl") == nil {
				continue
			}
			if b, _, err := strictzip.NewReader(1<<20).Read(z, z.Get("data.pkl"), 0); err == nil {
				pickles = append(pickles, b)
			}
		}
	}
	return files, pickles
}

// FuzzRead reads anything as a file: it must return one of the two errors, or a value that is sound.
func FuzzRead(f *testing.F) {
	files, _ := goldens(f)
	for _, data := range files {
		f.Add(data)
	}
	f.Fuzz(fuzz)
}

// FuzzUnpickle reads anything as the pickle of an archive whose checksums hold, which a fuzzer would not find.
func FuzzUnpickle(f *testing.F) {
	_, pickles := goldens(f)
	for _, data := range pickles {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzz(t, checkpoint(string(data), entry{name: "a/data/0", data: make([]byte, 64)}, entry{name: "a/data/1", data: make([]byte, 8)}))
	})
}

// FuzzLegacy reads anything behind the three pickles that open a file of the layout before 1.6.
func FuzzLegacy(f *testing.F) {
	const head = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}."
	files, _ := goldens(f)
	for _, data := range files {
		// what follows the pickle of the platform, which ends with the sizes of types
		if i := bytes.Index(data, []byte("uu.\x80")); i > 0 && !strictzip.Is(data) {
			f.Add(data[i+3:])
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { fuzz(t, []byte(head+string(data))) })
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
