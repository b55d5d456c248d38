package hub

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
)

func TestCache(t *testing.T) {
	h := newFakeHub(t, hfFiles())
	home := t.TempDir()
	t.Setenv("TORCH_HOME", home)
	entries, err := Cache()
	require.NoError(t, err)
	require.Empty(t, entries, "folders that are not there are empty")

	checkpoints := filepath.Join(Dir(), "checkpoints")
	write := func(path string, data []byte) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, data, 0o666))
	}
	body := content(50_000)
	good := "good-" + digest(body)[:8] + ".pth"
	write(filepath.Join(checkpoints, good), body)
	write(filepath.Join(checkpoints, "bad-"+digest(body)[:8]+".pth"), body[1:])
	write(filepath.Join(checkpoints, "plain.pth"), body[:4000])
	var z bytes.Buffer
	zw := zip.NewWriter(&z)
	for _, name := range []string{"a/data.pkl", "a/data/0"} {
		w, err := zw.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		require.NoError(t, err)
		w.Write(body[:1000])
	}
	require.NoError(t, zw.Close())
	write(filepath.Join(checkpoints, "zip.pth"), z.Bytes())
	damaged := bytes.Clone(z.Bytes())
	damaged[200] ^= 1
	write(filepath.Join(checkpoints, "zipbad.pth"), damaged)
	write(filepath.Join(checkpoints, "half.pth.partial"), body[:100])
	write(filepath.Join(checkpoints, "half.pth.partial.json"), []byte("{}"))
	write(filepath.Join(checkpoints, "lost.pth.partial.json"), []byte("{}"))
	write(filepath.Join(Dir(), "pytorch_vision_main", "hubconf.py"), body[:10])
	write(filepath.Join(Dir(), "trusted_list"), []byte("pytorch_vision\n"))
	for _, f := range []string{"config.json", "model.safetensors"} {
		_, err := HFDownload(t.Context(), "o/n", f, quick()...)
		require.NoError(t, err)
	}

	want := []struct {
		kind CacheKind
		name string
		size int64
		bad  string // what Verify says; "?" is ErrUnverifiable
	}{
		{CacheHF, "hf:o/n", 300<<10 + 8 + 40, ""},
		{CacheWeights, good, 50_000, ""},
		{CacheWeights, "bad-" + digest(body)[:8] + ".pth", 49_999, "it is damaged, remove it"},
		{CacheWeights, "plain.pth", 4000, "?"},
		{CacheWeights, "zip.pth", int64(z.Len()), ""},
		{CacheWeights, "zipbad.pth", int64(z.Len()), "checksum"},
		{CachePartial, "half.pth.partial", 100, "?"},
		{CacheRepository, "pytorch_vision_main", 10, "?"},
		{CachePartial, "lost.pth.partial.json", 2, "?"},
	}
	entries, err = Cache()
	require.NoError(t, err)
	require.Len(t, entries, len(want))
	for i, w := range want {
		e := entries[i]
		require.Equal(t, w.kind, e.Kind, e.Name)
		require.Equal(t, w.name, e.Name)
		require.Equal(t, w.size, e.Size, e.Name)
		require.WithinDuration(t, time.Now(), e.Modified, time.Hour)
		err := e.Verify(t.Context())
		switch w.bad {
		case "":
			require.NoError(t, err)
		case "?":
			require.ErrorIs(t, err, ErrUnverifiable)
		default:
			require.ErrorContains(t, err, w.bad)
			require.ErrorContains(t, err, fmt.Sprintf("hub: verify %q", w.name))
		}
	}

	// Damage in the other cache.
	hf := entries[0]
	blob := filepath.Join(hf.Path, "blobs", digest(h.files["o/n/model.safetensors"]))
	require.NoError(t, os.WriteFile(blob, body, 0o666))
	var he *HashError
	require.ErrorAs(t, hf.Verify(t.Context()), &he)
	require.NoError(t, os.Remove(blob))
	require.ErrorContains(t, hf.Verify(t.Context()), "is a link to what is not there")
	p, err := HFDownload(t.Context(), "o/n", "model.safetensors", quick()...)
	require.NoError(t, err, "a link to nothing is mended")
	require.FileExists(t, p)

	// What is being downloaded stays.
	for _, c := range []struct {
		entry CacheEntry
		lock  string
	}{
		{hf, filepath.Join(HFCacheDir(), ".locks", "models--o--n", digest(h.files["o/n/model.safetensors"])+".lock")},
		{entries[6], entries[6].Path},
	} {
		l := flock.New(c.lock)
		ok, err := l.TryLock()
		require.NoError(t, err)
		require.True(t, ok)
		require.ErrorContains(t, c.entry.Remove(), "a download of it is under way")
		require.DirExists(t, filepath.Dir(c.entry.Path))
		require.NoError(t, l.Close())
	}
	for _, e := range entries {
		require.NoError(t, e.Remove(), e.Name)
		require.NoError(t, e.Remove(), "removing twice")
	}
	entries, err = Cache()
	require.NoError(t, err)
	require.Empty(t, entries)
	require.FileExists(t, filepath.Join(Dir(), "trusted_list"))
	require.Empty(t, files(t, checkpoints))
}

func TestCacheElsewhere(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.pth"), []byte("x"), 0o666))
	entries, err := Cache(WithCacheDir(dir))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	_, err = Cache(WithCacheDir(filepath.Join(dir, "x.pth")))
	require.ErrorContains(t, err, "hub: list the cache: ")
}

// A kill between a file's getting its name and the removal of its description leaves the latter alone.
func TestLoneDescription(t *testing.T) {
	f := &flaky{body: content(1000), etag: `"v1"`}
	url := serve(t, f.ServeHTTP)
	dst := filepath.Join(t.TempDir(), "x.pth")
	require.NoError(t, os.WriteFile(dst+".partial.json", []byte(`{"url":"x","etag":"\"v1\"","size":1000}`), 0o666))
	require.NoError(t, DownloadURLToFile(t.Context(), url, dst, quick()...))
	require.Equal(t, []string{"x.pth"}, files(t, filepath.Dir(dst)))
}
