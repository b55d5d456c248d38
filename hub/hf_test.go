package hub

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	commit1 = "1111111111111111111111111111111111111111"
	commit2 = "2222222222222222222222222222222222222222"
)

// fakeHub imitates the Hugging Face Hub: small files are answered at once, large
// ones by a redirect to storage on another host.
type fakeHub struct {
	*httptest.Server
	storage *httptest.Server

	mu       sync.Mutex
	commit   string            // of main
	tags     map[string]string // other revisions
	files    map[string][]byte // by "owner/name/file"
	large    int               // from how many bytes on a file is large
	gated    bool
	spoil    func(w http.ResponseWriter, r *http.Request) bool // answers in place of the hub
	blob     http.HandlerFunc                                  // answers in place of the storage
	asked    []string                                          // "HEAD /owner/name/resolve/main/file"
	tokens   map[string]bool                                   // Authorization headers that the hub saw
	leaked   atomic.Int64                                      // those that the storage saw
	sent     atomic.Int64                                      // bytes from the storage
	fetched  atomic.Int64                                      // requests to the storage
	pause    atomic.Int64                                      // nanoseconds after each 16 kB
	cutAfter atomic.Int64                                      // break the connection after so many bytes
}

func newFakeHub(t testing.TB, files map[string][]byte) *fakeHub {
	h := &fakeHub{commit: commit1, tags: map[string]string{}, files: files, large: 10_000, tokens: map[string]bool{}}
	h.storage = httptest.NewServer(http.HandlerFunc(h.store)) // first, since serve names it
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(func() { h.CloseClientConnections(); h.Close(); h.storage.CloseClientConnections(); h.storage.Close() })
	t.Setenv("HF_ENDPOINT", h.URL)
	t.Setenv("HF_HOME", t.TempDir())
	for _, v := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TORCHHUB_OFFLINE"} {
		t.Setenv(v, "")
		os.Unsetenv(v) // Python takes an empty one for the working folder
	}
	return h
}

func (h *fakeHub) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, r.Method+" "+r.URL.EscapedPath())
	if a := r.Header.Get("Authorization"); a != "" {
		h.tokens[a] = true
	}
	if h.spoil != nil && h.spoil(w, r) {
		return
	}
	refuse := func(status int, code string) {
		w.Header().Set("X-Error-Code", code)
		w.WriteHeader(status)
	}
	id, rest, ok := strings.Cut(r.URL.EscapedPath()[1:], "/resolve/")
	revision, file, _ := strings.Cut(rest, "/")
	revision, _ = url.PathUnescape(revision)
	file, _ = url.PathUnescape(file)
	known := false
	for name := range h.files {
		known = known || strings.HasPrefix(name, id+"/")
	}
	commit := h.tags[revision]
	switch {
	case revision == "main":
		commit = h.commit
	case revision == commit1 || revision == commit2:
		commit = revision
	}
	data, there := h.files[id+"/"+file]
	if commit == commit2 { // the other commit has other contents
		data = bytes.ToUpper(data)
	}
	switch {
	case !ok || !known:
		refuse(http.StatusUnauthorized, "RepoNotFound")
		return
	case h.gated && r.Header.Get("Authorization") == "":
		refuse(http.StatusUnauthorized, "GatedRepo")
		return
	case h.gated && r.Header.Get("Authorization") != "Bearer hf_good":
		refuse(http.StatusForbidden, "GatedRepo")
		return
	case commit == "":
		refuse(http.StatusNotFound, "RevisionNotFound")
		return
	}
	w.Header().Set("X-Repo-Commit", commit)
	if !there {
		refuse(http.StatusNotFound, "EntryNotFound")
		return
	}
	if len(data) < h.large {
		sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...))
		w.Header().Set("ETag", strconv.Quote(hex.EncodeToString(sum[:])))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		return
	}
	w.Header().Set("X-Linked-Etag", strconv.Quote(digest(data)))
	w.Header().Set("X-Linked-Size", strconv.Itoa(len(data)))
	http.Redirect(w, r, h.storage.URL+"/"+commit+"/"+id+"/"+file+"?signature=secret", http.StatusFound)
}

func (h *fakeHub) store(w http.ResponseWriter, r *http.Request) {
	h.fetched.Add(1)
	if r.Header.Get("Authorization") != "" {
		h.leaked.Add(1)
	}
	if h.blob != nil {
		h.blob(w, r)
		return
	}
	h.mu.Lock()
	commit, name, _ := strings.Cut(r.URL.Path[1:], "/")
	data := h.files[name]
	h.mu.Unlock()
	if commit == commit2 {
		data = bytes.ToUpper(data)
	}
	from := 0
	if s, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		from, _ = strconv.Atoi(strings.TrimSuffix(s, "-"))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)-from))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	left := h.cutAfter.Load()
	for b := data[from:]; len(b) > 0; {
		n, err := w.Write(b[:min(len(b), 16<<10)])
		h.sent.Add(int64(n))
		if err != nil {
			return
		}
		b = b[n:]
		if pause := time.Duration(h.pause.Load()); pause > 0 {
			w.(http.Flusher).Flush()
			time.Sleep(pause)
		}
		if left -= int64(n); h.cutAfter.Load() > 0 && left <= 0 {
			hangUp(w)
			return
		}
	}
}

// requests returns what was asked since the last time.
func (h *fakeHub) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	asked := h.asked
	h.asked = nil
	return asked
}

func hfFiles() map[string][]byte {
	return map[string][]byte{
		"o/n/config.json":       []byte(`{"a": 1}`),
		"o/n/model.safetensors": content(300 << 10),
		"o/n/sub/vocab.txt":     []byte("hello"),
		"lone/config.json":      []byte("{}"),
	}
}

func TestHFDownload(t *testing.T) {
	h := newFakeHub(t, hfFiles())
	t.Setenv("HF_TOKEN", "hf_secret")
	ctx := t.Context()
	get := func(repo, file string) string {
		t.Helper()
		p, err := HFDownload(ctx, repo, file, quick()...)
		require.NoError(t, err)
		got, err := os.ReadFile(p)
		require.NoError(t, err)
		id, revision, _ := strings.Cut(repo, "@")
		want := h.files[strings.TrimPrefix(id, "hf:")+"/"+file]
		if revision == "v2" || revision == commit2 {
			want = bytes.ToUpper(want)
		}
		require.Equal(t, digest(want), digest(got))
		return p
	}
	h.tags["v2"], h.tags["refs/pr/1"] = commit2, commit2
	folder := filepath.Join(HFCacheDir(), "models--o--n")
	p := get("o/n", "config.json")
	require.Equal(t, filepath.Join(folder, "snapshots", commit1, "config.json"), p)
	require.Equal(t, []string{"HEAD /o/n/resolve/main/config.json", "GET /o/n/resolve/main/config.json"}, h.requests())
	link, err := os.Readlink(p)
	require.NoError(t, err)
	sum := sha1.Sum([]byte("blob 8\x00" + `{"a": 1}`))
	require.Equal(t, "../../blobs/"+hex.EncodeToString(sum[:]), link)
	ref, err := os.ReadFile(filepath.Join(folder, "refs", "main"))
	require.NoError(t, err)
	require.Equal(t, commit1, string(ref))

	p = get("hf:o/n@main", "model.safetensors")
	link, err = os.Readlink(p)
	require.NoError(t, err)
	require.Equal(t, "../../blobs/"+digest(h.files["o/n/model.safetensors"]), link)
	require.Equal(t, map[string]bool{"Bearer hf_secret": true}, h.tokens)
	require.Zero(t, h.leaked.Load(), "the token went to another host")
	require.EqualValues(t, 300<<10, h.sent.Load())

	h.requests()
	get("o/n", "model.safetensors")
	require.Equal(t, []string{"HEAD /o/n/resolve/main/model.safetensors"}, h.requests(), "asked whether main moved, and no more")
	get("o/n@"+commit1, "model.safetensors")
	require.Empty(t, h.requests(), "a commit does not move")

	p = get("o/n", "sub/vocab.txt")
	link, _ = os.Readlink(p)
	require.True(t, strings.HasPrefix(link, "../../../blobs/"), link)
	get("o/n@v2", "config.json")
	get("o/n@"+commit2, "sub/vocab.txt")
	_, err = HFDownload(ctx, "o/n@refs/pr/1", "config.json", quick()...)
	require.NoError(t, err)
	require.Contains(t, h.requests(), "HEAD /o/n/resolve/refs%2Fpr%2F1/config.json")
	require.FileExists(t, filepath.Join(folder, "refs", "refs", "pr", "1"))
	get("lone", "config.json")

	// The branch moves.
	h.commit = commit2
	p, err = HFDownload(ctx, "o/n", "sub/vocab.txt", quick()...)
	require.NoError(t, err)
	require.Contains(t, p, commit2)
	ref, _ = os.ReadFile(filepath.Join(folder, "refs", "main"))
	require.Equal(t, commit2, string(ref))

	require.FileExists(t, filepath.Join(HFCacheDir(), "CACHEDIR.TAG"))
	for _, b := range files(t, filepath.Join(folder, "blobs")) {
		require.NotContains(t, b, "incomplete")
	}
	other := t.TempDir()
	p, err = HFDownload(ctx, "o/n", "config.json", quick(WithCacheDir(other))...)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(p, other))
}

// TestHFRedirects follows the Hub's redirects: of a repository that was renamed,
// to its own cache, where only the first answer says which commit it is, and of a
// mirror to another host, which does not get the token.
func TestHFRedirects(t *testing.T) {
	h := newFakeHub(t, hfFiles())
	t.Setenv("HF_TOKEN", "hf_secret")
	h.spoil = func(w http.ResponseWriter, r *http.Request) bool {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/old/name/"); ok {
			http.Redirect(w, r, "/o/n/"+rest, http.StatusTemporaryRedirect)
			return true
		}
		if rest, ok := strings.CutPrefix(r.URL.Path, "/o/cached/resolve/main/"); ok {
			data := h.files["o/n/"+rest]
			w.Header().Set("X-Repo-Commit", commit1)
			w.Header().Set("X-Linked-Etag", strconv.Quote(digest(data)))
			w.Header().Set("X-Linked-Size", strconv.Itoa(len(data)))
			http.Redirect(w, r, "/api/resolve-cache/"+rest, http.StatusTemporaryRedirect)
			return true
		}
		if rest, ok := strings.CutPrefix(r.URL.Path, "/api/resolve-cache/"); ok {
			w.Header().Set("Content-Length", strconv.Itoa(len(h.files["o/n/"+rest])))
			w.Write(h.files["o/n/"+rest])
			return true
		}
		return false
	}
	for _, repo := range []string{"old/name", "o/cached"} {
		for _, file := range []string{"config.json", "model.safetensors"} {
			p, err := HFDownload(t.Context(), repo, file, quick()...)
			require.NoError(t, err, repo)
			got, err := os.ReadFile(p)
			require.NoError(t, err)
			require.Equal(t, digest(h.files["o/n/"+file]), digest(got))
		}
	}
	require.Zero(t, h.leaked.Load())

	var seen []string
	mirror := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		http.Redirect(w, r, h.URL+r.URL.Path, http.StatusFound)
	})
	t.Setenv("HF_ENDPOINT", mirror)
	clear(h.tokens)
	_, err := HFDownload(t.Context(), "o/n", "sub/vocab.txt", quick()...)
	require.NoError(t, err)
	require.Equal(t, []string{"Bearer hf_secret", "Bearer hf_secret"}, seen)
	require.Empty(t, h.tokens)
}

func TestHFOffline(t *testing.T) {
	h := newFakeHub(t, hfFiles())
	ctx := t.Context()
	want, err := HFDownload(ctx, "o/n", "config.json", quick()...)
	require.NoError(t, err)
	_, err = HFDownload(ctx, "o/n", "none.json", quick()...)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "o/n has no such file")
	require.FileExists(t, filepath.Join(HFCacheDir(), "models--o--n", ".no_exist", commit1, "none.json"))
	h.requests()

	check := func(opts ...Option) {
		t.Helper()
		for _, repo := range []string{"o/n", "o/n@" + commit1} {
			p, err := HFDownload(ctx, repo, "config.json", quick(opts...)...)
			require.NoError(t, err)
			require.Equal(t, want, p)
		}
		_, err = HFDownload(ctx, "o/n", "model.safetensors", quick(opts...)...)
		require.ErrorIs(t, err, ErrOffline)
		require.NotErrorIs(t, err, fs.ErrNotExist)
		_, err = HFDownload(ctx, "o/n", "none.json", quick(opts...)...)
		require.ErrorIs(t, err, fs.ErrNotExist)
		_, err = HFDownload(ctx, "o/n@v9", "config.json", quick(opts...)...)
		require.ErrorIs(t, err, ErrOffline)
		require.Empty(t, h.requests())
	}
	check(WithOffline(true))
	for _, v := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TORCHHUB_OFFLINE"} {
		t.Setenv(v, "1")
		check()
		p, err := HFDownload(ctx, "o/n", "sub/vocab.txt", quick(WithOffline(false))...)
		require.NoError(t, err, v)
		os.RemoveAll(p)
		h.requests()
		t.Setenv(v, "")
	}

	// The Hub is down.
	h.spoil = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(503); return true }
	start := time.Now()
	p, err := HFDownload(ctx, "o/n", "config.json", quick(WithRetries(50))...)
	require.NoError(t, err)
	require.Equal(t, want, p)
	require.Len(t, h.requests(), 1, "what is there is not waited for")
	require.Less(t, time.Since(start), 5*time.Second)
	_, err = HFDownload(ctx, "o/n", "model.safetensors", quick(WithRetries(2))...)
	require.ErrorContains(t, err, "503 Service Unavailable; try again later (tried 3 times)")
}

func TestHFRefusals(t *testing.T) {
	h := newFakeHub(t, hfFiles())
	ctx := t.Context()
	say := func(header ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			for i := 1; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			code, _ := strconv.Atoi(header[0])
			w.WriteHeader(code)
			return true
		}
	}
	etag := strconv.Quote(digest([]byte("x")))
	for _, c := range []struct {
		name, repo, file, token string
		gated                   bool
		spoil                   func(http.ResponseWriter, *http.Request) bool
		want                    string
		is                      error
	}{
		{name: "no repository", repo: "o/other", want: "there is no repository o/other, or it is private; check the name, or set HF_TOKEN", is: fs.ErrNotExist},
		{name: "no revision", repo: "o/n@v7", want: "o/n has no revision v7", is: fs.ErrNotExist},
		{name: "no file", file: "x", want: "o/n has no such file", is: fs.ErrNotExist},
		{name: "gated", gated: true, want: "o/n is gated; accept its terms on " + h.URL + "/o/n, then set HF_TOKEN", is: fs.ErrPermission},
		{name: "gated for this token", gated: true, token: "hf_bad", want: "o/n is gated and this token has no access", is: fs.ErrPermission},
		{name: "disabled", spoil: say("403", "X-Error-Message", "Access to this resource is disabled."), want: "access to o/n is disabled", is: fs.ErrPermission},
		{name: "403", spoil: say("403"), want: "403 Forbidden", is: fs.ErrPermission},
		{name: "429", spoil: say("429", "Retry-After", "3600"), want: "429 Too Many Requests; the server's rate limit is used up, try again after"},
		{name: "500", spoil: say("500"), want: "500 Internal Server Error; try again later (tried 3 times)"},
		{name: "portal", spoil: say("200", "Content-Type", "text/html"), want: "names no commit or content; check HF_ENDPOINT"},
		{name: "204", spoil: say("204"), want: "204 No Content"},
		{name: "no ETag", spoil: say("200", "X-Repo-Commit", commit1), want: "names no commit or content"},
		{name: "commit with a path", spoil: say("200", "X-Repo-Commit", "../../../evil", "ETag", etag), want: "names no commit or content"},
		{name: "ETag with a path", spoil: say("200", "X-Repo-Commit", commit1, "ETag", `"../../evil"`), want: "names no commit or content"},
		{name: "ETag of dots", spoil: say("200", "X-Repo-Commit", commit1, "ETag", `".."`), want: "names no commit or content"},
		{name: "loop", spoil: func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
			return true
		}, want: "10 redirects"},
		{name: "bad name", repo: "a/b/c", want: `"a/b/c" is not a repository of the Hugging Face Hub`},
		{name: "dots", repo: "../x", want: "is not a repository"},
		{name: "dashes", repo: "a/b--c", want: "is not a repository"},
		{name: "empty", repo: "hf:", want: "is not a repository"},
		{name: "bad revision", repo: "o/n@../../x", want: "is not a revision"},
		{name: "empty revision", repo: "o/n@", want: "is not a revision"},
		{name: "bad file", file: "../config.json", want: "names no file"},
		{name: "absolute file", file: "/etc/passwd", want: "names no file"},
		{name: "empty file element", file: "a//b", want: "names no file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache := t.TempDir()
			h.mu.Lock()
			h.gated, h.spoil = c.gated, c.spoil
			h.mu.Unlock()
			repo, file := c.repo, c.file
			if repo == "" {
				repo = "o/n"
			}
			if file == "" {
				file = "config.json"
			}
			_, err := HFDownload(ctx, repo, file, quick(WithRetries(2), WithCacheDir(cache), WithHFToken(c.token))...)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
			require.NotContains(t, err.Error(), "hf_bad")
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			filepath.WalkDir(cache, func(p string, d fs.DirEntry, err error) error {
				require.True(t, d.IsDir() || strings.Contains(p, ".no_exist") || strings.Contains(p, "refs"), p)
				return nil
			})
		})
	}
	h.spoil = nil
	h.gated = true
	_, err := HFDownload(ctx, "o/n", "config.json", quick(WithHFToken("hf_good"))...)
	require.NoError(t, err)
}

func TestHFToken(t *testing.T) {
	newFakeHub(t, nil)
	token := func(opts ...Option) string { return newLoader(opts).hfCache().AccessToken() }
	require.Empty(t, token())
	home := os.Getenv("HF_HOME")
	require.NoError(t, os.WriteFile(filepath.Join(home, "token"), []byte("hf_file\n"), 0o600))
	require.Equal(t, "hf_file", token())
	other := filepath.Join(home, "other")
	require.NoError(t, os.WriteFile(other, []byte("hf_other"), 0o600))
	t.Setenv("HF_TOKEN_PATH", other)
	require.Equal(t, "hf_other", token())
	t.Setenv("HUGGING_FACE_HUB_TOKEN", "hf_old")
	require.Equal(t, "hf_old", token())
	t.Setenv("HF_TOKEN", " hf_env ")
	require.Equal(t, "hf_env", token())
	require.Equal(t, "hf_opt", token(WithHFToken("hf_opt")))
	require.Empty(t, token(WithHFToken("")))
	t.Setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
	require.Empty(t, token())
}

func TestHFCacheDir(t *testing.T) {
	home := t.TempDir()
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, home + "/.cache/huggingface/hub"},
		{map[string]string{"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"},
		{map[string]string{"HF_HOME": "~/hf", "XDG_CACHE_HOME": "/x"}, home + "/hf/hub"},
		{map[string]string{"HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/h"}, "/old"},
		{map[string]string{"HF_HUB_CACHE": "$BASE/${SUB}/$NONE", "HUGGINGFACE_HUB_CACHE": "/old", "BASE": "/b", "SUB": "s"}, "/b/s/$NONE"},
	} {
		t.Run(c.want, func(t *testing.T) {
			for _, v := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"} {
				t.Setenv(v, "")
			}
			t.Setenv("HOME", home)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			require.Equal(t, c.want, HFCacheDir())
		})
	}
}

// TestHFResume breaks the storage's connections: no byte is sent twice, though the storage has no ETag.
func TestHFResume(t *testing.T) {
	h := newFakeHub(t, hfFiles())
	h.cutAfter.Store(64 << 10)
	_, err := HFDownload(t.Context(), "o/n", "model.safetensors", quick(WithRetries(0))...)
	require.ErrorContains(t, err, "the connection broke off")
	blobs := filepath.Join(HFCacheDir(), "models--o--n", "blobs")
	require.Equal(t, []string{digest(h.files["o/n/model.safetensors"]) + ".incomplete"}, files(t, blobs))
	p, err := HFDownload(t.Context(), "o/n", "model.safetensors", quick()...)
	require.NoError(t, err)
	require.EqualValues(t, 300<<10, h.sent.Load())
	got, err := os.ReadFile(p)
	require.NoError(t, err)
	require.Equal(t, digest(h.files["o/n/model.safetensors"]), digest(got))
	require.Len(t, files(t, blobs), 1)

	// What another left there is not what it should be.
	h.cutAfter.Store(0)
	cache := t.TempDir()
	blobs = filepath.Join(cache, "models--o--n", "blobs")
	require.NoError(t, os.MkdirAll(blobs, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(blobs, digest(got)+".incomplete"), make([]byte, 1000), 0o666))
	_, err = HFDownload(t.Context(), "o/n", "model.safetensors", quick(WithCacheDir(cache))...)
	require.NoError(t, err)
}

// TestHFStorage lets the storage fail in each way.
func TestHFStorage(t *testing.T) {
	h := newFakeHub(t, hfFiles())
	whole := h.files["o/n/model.safetensors"]
	for name, c := range map[string]struct {
		blob http.HandlerFunc
		want string
	}{
		"other bytes": {func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, len(whole))) }, "want " + digest(whole)},
		"other size": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(whole)-1))
			w.Write(whole[:len(whole)-1])
		}, "the server sends 307199 bytes, where it said 307200 before"},
		"page": {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>sign in</html>") }, "307200"},
		"403":  {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) }, "403 Forbidden"},
		"xml": {func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			io.WriteString(w, `<?xml version="1.0"?><Error><Code>ExpiredToken</Code></Error>`)
		}, "an XML message"},
	} {
		t.Run(name, func(t *testing.T) {
			h.blob = c.blob
			cache := t.TempDir()
			_, err := HFDownload(t.Context(), "o/n", "model.safetensors", quick(WithRetries(1), WithCacheDir(cache))...)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "secret", "a signed URL is a secret")
			require.Empty(t, files(t, filepath.Join(cache, "models--o--n", "blobs")))
			require.NoFileExists(t, filepath.Join(cache, "models--o--n", "snapshots", commit1, "model.safetensors"))
			h.blob = nil
			_, err = HFDownload(t.Context(), "o/n", "model.safetensors", quick(WithCacheDir(cache))...)
			require.NoError(t, err)
		})
	}
}

func TestHFGoroutines(t *testing.T) {
	h := newFakeHub(t, hfFiles())
	h.pause.Store(int64(2 * time.Millisecond))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := HFDownload(t.Context(), "o/n", "model.safetensors", quick()...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, h.fetched.Load())
}

func TestHFProcesses(t *testing.T) {
	h := newFakeHub(t, hfFiles())
	h.pause.Store(int64(10 * time.Millisecond))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if out, err := child("hf:o/n", "model.safetensors").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, h.fetched.Load())
	require.EqualValues(t, 300<<10, h.sent.Load())
}

// TestHFKill kills downloading processes; a blob that has its name is whole, and so is what links to it.
func TestHFKill(t *testing.T) {
	h := newFakeHub(t, map[string][]byte{"o/n/model.safetensors": content(1 << 20)})
	h.pause.Store(int64(2 * time.Millisecond))
	whole := h.files["o/n/model.safetensors"]
	folder := filepath.Join(HFCacheDir(), "models--o--n")
	r := rand.New(rand.NewPCG(5, 6))
	for n := 0; ; n++ {
		cmd := child("hf:o/n", "model.safetensors")
		require.NoError(t, cmd.Start())
		done := make(chan struct{})
		if n < 15 {
			go kill(cmd, done, moment(r, n), &h.sent, h.sent.Load()+1+r.Int64N(100<<10))
		}
		err := cmd.Wait()
		close(done)
		for _, p := range []string{filepath.Join(folder, "blobs", digest(whole)), filepath.Join(folder, "snapshots", commit1, "model.safetensors")} {
			if got, rerr := os.ReadFile(p); rerr == nil {
				require.Equal(t, digest(whole), digest(got))
			} else {
				require.Error(t, err)
			}
		}
		if err == nil {
			t.Logf("%d kills, %d bytes sent of %d", n, h.sent.Load(), len(whole))
			break
		}
		require.Less(t, n, 15)
	}
	require.LessOrEqual(t, h.sent.Load(), int64(2*len(whole)))
	require.Equal(t, []string{digest(whole)}, files(t, filepath.Join(folder, "blobs")))
}
