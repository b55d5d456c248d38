package hub

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestFull fills a small file system with a body of unknown length, so that only the write can notice.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("a small file system cannot be mounted: ", err)
	}
	defer unix.Unmount(dir, 0)
	body := content(1 << 20)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/chunked" {
			w.(http.Flusher).Flush()
		} else {
			w.Header().Set("Content-Length", "1048576")
		}
		w.Write(body)
	})
	for path, want := range map[string]string{
		"/chunked": "no space left in " + dir + "; free some",
		"/sized":   "it needs 1.0 MiB in " + dir + ", where 256.0 KiB are free; free some",
	} {
		err := DownloadURLToFile(t.Context(), url+path, filepath.Join(dir, "x.pth"), quick()...)
		require.ErrorContains(t, err, want)
		require.Empty(t, files(t, dir))
	}

	require.NoError(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	err := DownloadURLToFile(t.Context(), url+"/sized", filepath.Join(dir, "x.pth"), quick()...)
	require.ErrorContains(t, err, "cannot write in "+dir+": read-only file system; choose another folder")
}
