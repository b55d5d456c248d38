package strictzip

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/internal/badfile"
)

const testdata = "../../testdata/checkpoints"

// pack makes an archive of one folder, of records stored and deflated.
func pack(t testing.TB) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, name := range []string{"root/a", "root/sub/b", "root/c"} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: []uint16{zip.Store, zip.Deflate, zip.Store}[i]})
		require.NoError(t, err)
		_, err = io.WriteString(f, name+name+name)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestOpen(t *testing.T) {
	data := pack(t)
	z, err := Open(data)
	require.NoError(t, err)
	require.NoError(t, z.SetRoot())
	require.Equal(t, "root/", z.Root)
	names := map[string]bool{}
	for n := range z.Names() {
		names[n] = true
	}
	require.Equal(t, map[string]bool{"a": true, "sub/b": true, "c": true}, names)
	require.Nil(t, z.Get("root/a"))
	r := NewReader(100)
	for _, rec := range z.Records {
		b, off, err := r.Checked(z, rec, 0)
		require.NoError(t, err)
		require.Equal(t, rec.Name+rec.Name+rec.Name, string(b))
		require.Equal(t, rec.Deflated, off < 0)
		if off >= 0 {
			require.Same(t, &data[off], &b[0])
		}
	}
	_, _, err = NewReader(29).Read(z, z.Get("sub/b"), 0)
	require.ErrorIs(t, err, badfile.ErrUnsupported)

	bad := bytes.Clone(data)
	bad[bytes.Index(bad, []byte("root/croot/c"))+6] ^= 1
	z, err = Open(bad)
	require.NoError(t, err)
	require.NoError(t, z.SetRoot())
	_, _, err = r.Checked(z, z.Get("c"), 0)
	require.ErrorIs(t, err, badfile.ErrMalformed)
	require.ErrorIs(t, z.VerifyAll([]*Record{z.Get("a"), z.Get("c")}), badfile.ErrMalformed)
	r.SkipCRC = true
	_, _, err = r.Checked(z, z.Get("c"), 0)
	require.NoError(t, err)
}

// FuzzOpen opens anything: it must be refused by one of the two errors, or be an archive whose records are disjoint, and of which archive/zip
// sees the same.
func FuzzOpen(f *testing.F) {
	f.Add(pack(f))
	for _, pattern := range []string{"zip_*.pt", "hostile/zip*.pt"} {
		files, err := filepath.Glob(filepath.Join(testdata, pattern))
		require.NoError(f, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(data)
		}
	}
	known := func(t *testing.T, err error) {
		require.True(t, errors.Is(err, badfile.ErrMalformed) || errors.Is(err, badfile.ErrUnsupported), "%v", err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := Open(data)
		if err != nil {
			known(t, err)
			return
		}
		other, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		require.NoError(t, err)
		byName := map[string]*zip.File{}
		for _, e := range other.File {
			byName[e.Name] = e
		}
		used := make([]bool, len(data))
		r := NewReader(1 << 20)
		for _, rec := range z.Records {
			for i := rec.Header; i < rec.at+rec.packed; i++ {
				require.False(t, used[i], "records overlap at %d", i)
				used[i] = true
			}
			e := byName[rec.Name]
			require.NotNil(t, e)
			require.Equal(t, uint64(rec.Size), e.UncompressedSize64)
			b, off, err := r.Checked(z, rec, 0)
			if err != nil {
				known(t, err)
				continue
			}
			require.Len(t, b, rec.Size)
			if off >= 0 {
				at, err := e.DataOffset()
				require.NoError(t, err)
				require.Equal(t, off, at)
			}
		}
		if err := z.SetRoot(); err != nil {
			known(t, err)
		}
	})
}
