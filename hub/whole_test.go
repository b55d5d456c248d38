package hub

import (
	"encoding/binary"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// wholeSamples are whole files of the formats that tell it.
func wholeSamples(t *testing.T) map[string][]byte {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("../testdata/checkpoints", name))
		require.NoError(t, err)
		return b
	}
	header := `{"w":{"dtype":"F32","shape":[100],"data_offsets":[0,400]}}`
	tensors := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	return map[string][]byte{
		"zip.pth": read("zip_state_dict.pt"), "legacy.pth": read("legacy_state_dict.pt"), "big.pt": read("zip_dtypes.pt"),
		"m.safetensors": append(tensors, make([]byte, 400)...),
		"config.json":   []byte("{\"a\": [1, NaN, -Infinity], \"b\": \"}]\"}\n"), "lines.json": []byte("{\"a\": 1}\n{\"a\": 2}\n"), "marked.json": []byte("\xef\xbb\xbf[1]"),
	}
}

// TestCutWithoutLength downloads bodies that end early from servers that do not tell their lengths.
func TestCutWithoutLength(t *testing.T) {
	var body atomic.Value
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush() // so that there is no Content-Length
		w.Write(body.Load().([]byte))
	})
	for name, whole := range wholeSamples(t) {
		dir := t.TempDir()
		dst := filepath.Join(dir, name)
		body.Store(whole)
		require.NoError(t, DownloadURLToFile(t.Context(), url+"/"+name, dst, quick()...), name)
		require.NoError(t, os.Remove(dst))
		for _, n := range []int{len(whole) / 3, len(whole) / 2, len(whole) - 4} {
			if name == "lines.json" && n == len(whole)/2 {
				continue // a line, which is whole
			}
			body.Store(whole[:n])
			err := DownloadURLToFile(t.Context(), url+"/"+name, dst, quick()...)
			require.ErrorContains(t, err, "the download is damaged", "%s: %d of %d", name, n, len(whole))
			require.Empty(t, files(t, dir))
			require.NoError(t, DownloadURLToFile(t.Context(), url+"/"+name, dst, quick(WithSHA256(""))...), "the check is off")
			require.NoError(t, os.Remove(dst))
		}
	}
}

// TestOtherFilesRest resumes from a server that sends another file's rest under the same ETag.
func TestOtherFilesRest(t *testing.T) {
	zipped := wholeSamples(t)["big.pt"]
	other := make([]byte, len(zipped))
	for i := range other {
		other[i] = ^zipped[i]
	}
	spliced := append(append([]byte{}, zipped[:len(zipped)/3]...), other[len(zipped)/3:]...)
	copy(spliced[len(zipped)*2/3:], zipped[len(zipped)*2/3:]) // the directory is right, and what is before it is not
	first := &flaky{body: zipped, part: len(zipped) / 3, etag: `"same"`}
	rest := &flaky{body: spliced, part: len(zipped) / 3, etag: `"same"`}
	var requests atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			first.ServeHTTP(w, r)
		} else {
			rest.ServeHTTP(w, r)
		}
	})
	dir := t.TempDir()
	err := DownloadURLToFile(t.Context(), url+"/big.pt", filepath.Join(dir, "big.pt"), quick()...)
	require.ErrorContains(t, err, "the download is damaged")
	require.NotZero(t, rest.ranged.Load())
	require.Empty(t, files(t, dir))
}

// TestOtherFormatsPass downloads what tells nothing of its length.
func TestOtherFormatsPass(t *testing.T) {
	var body atomic.Value
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write(body.Load().([]byte)) })
	for name, b := range map[string][]byte{"x.bin": content(100), "x.txt": nil, "x.pth": content(1000), "k": []byte("PK"), "utf16.json": []byte("\xff\xfe[\x001\x00]\x00")} {
		body.Store(append([]byte{}, b...))
		require.NoError(t, DownloadURLToFile(t.Context(), url+"/"+name, filepath.Join(t.TempDir(), name), quick()...), name)
	}
}
