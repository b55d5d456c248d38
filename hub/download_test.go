package hub

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/fetch"
)

// TestMain makes the test binary a downloader when it is started as a child: URL, file.
func TestMain(m *testing.M) {
	if args := os.Getenv("HUB_TEST_CHILD"); args != "" {
		url, dst, _ := strings.Cut(args, " ")
		if repo, ok := strings.CutPrefix(url, "hf:"); ok { // a repository and a file of it
			if _, err := HFDownload(context.Background(), repo, dst, quick()...); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
		if err := newLoader(quick()).fetch.Download(context.Background(), url, dst, true); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Unsetenv("TORCHHUB_MIRROR")
	os.Exit(m.Run())
}

func child(url, dst string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "HUB_TEST_CHILD="+url+" "+dst)
	return c
}

func quick(more ...Option) []Option {
	return append([]Option{
		WithProgress(nil), WithStallTimeout(5 * time.Second),
		func(o *options) { o.fetch.FirstWait = time.Millisecond },
	}, more...)
}

func content(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	r.Read(b)
	return b
}

func digest(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// files lists a folder.
func files(t *testing.T, dir string) []string {
	es, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := []string{}
	for _, e := range es {
		names = append(names, e.Name())
	}
	return names
}

// hangUp ends the connection as a broken one does.
func hangUp(w http.ResponseWriter) {
	w.(http.Flusher).Flush()
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		c.Close()
	}
}

// flaky serves body with ranges and validators, in parts of at most part
// bytes, after each of which the connection breaks; it counts the bytes.
type flaky struct {
	body     []byte
	part     int
	etag     string
	modified string
	requests atomic.Int64
	sent     atomic.Int64
	ranged   atomic.Int64
	pause    atomic.Int64 // nanoseconds, after each 16 kB
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.requests.Add(1)
	from := 0
	validator := f.etag
	if validator == "" {
		validator = f.modified
	}
	if s, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && r.Header.Get("If-Range") == validator {
		from, _ = strconv.Atoi(strings.TrimSuffix(s, "-"))
	}
	if f.etag != "" {
		w.Header().Set("ETag", f.etag)
	}
	if f.modified != "" {
		w.Header().Set("Last-Modified", f.modified)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(f.body)-from))
	if from > 0 {
		f.ranged.Add(1)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(f.body)-1, len(f.body)))
		w.WriteHeader(http.StatusPartialContent)
	}
	end := len(f.body)
	if f.part > 0 {
		end = min(end, from+f.part)
	}
	for b := f.body[from:end]; len(b) > 0; {
		n, err := w.Write(b[:min(len(b), 16<<10)])
		f.sent.Add(int64(n))
		if err != nil {
			return
		}
		b = b[n:]
		if pause := time.Duration(f.pause.Load()); pause > 0 {
			w.(http.Flusher).Flush()
			time.Sleep(pause)
		}
	}
	if end < len(f.body) {
		hangUp(w)
	}
}

func TestDownload(t *testing.T) {
	body := content(300 << 10)
	name := "net-1.0-" + digest(body)[:8] + ".pth"
	var agent, encoding string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		agent, encoding = r.UserAgent(), r.Header.Get("Accept-Encoding")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
	dir := t.TempDir()
	dst := filepath.Join(dir, name)
	require.NoError(t, DownloadURLToFile(t.Context(), url+"/"+name+"?x=y", dst, quick()...))
	got, err := os.ReadFile(dst)
	require.NoError(t, err)
	require.Equal(t, digest(body), digest(got))
	require.Equal(t, []string{name}, files(t, dir))
	require.Equal(t, "torchhub", agent)
	require.Equal(t, "identity", encoding)
	fi, err := os.Stat(dst)
	require.NoError(t, err)
	ref, err := os.Create(filepath.Join(dir, "ref"))
	require.NoError(t, err)
	refInfo, err := ref.Stat()
	require.NoError(t, err)
	require.Equal(t, refInfo.Mode(), fi.Mode(), "others may read the cache as the umask allows")
}

func TestExisting(t *testing.T) {
	body := content(1000)
	var requests atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.Write(body)
	})
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain.pth")
	require.NoError(t, os.WriteFile(plain, []byte("old"), 0o666))
	require.NoError(t, DownloadURLToFile(t.Context(), url+"/plain.pth", plain, quick()...))
	got, err := os.ReadFile(plain)
	require.NoError(t, err)
	require.Equal(t, body, got, "a file is replaced, as in Python")
	require.EqualValues(t, 1, requests.Load())

	hashed := filepath.Join(dir, "x-"+digest(body)[:10]+".pth")
	require.NoError(t, os.WriteFile(hashed, []byte("old"), 0o666))
	for range 2 {
		require.NoError(t, DownloadURLToFile(t.Context(), url+"/x.pth", hashed, quick()...))
		require.EqualValues(t, 2, requests.Load(), "a file with the right hash is not fetched again")
	}
}

func TestFailures(t *testing.T) {
	body := content(200 << 10)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	hang := func(r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	}
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			http.Error(w, "no", code)
		}
	}
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write(body) })
	soon := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(body)
	z.Close()

	for _, c := range []struct {
		name     string
		h        http.HandlerFunc
		want     []string
		requests int64 // 0: not looked at
		opts     []Option
		keeps    bool // a partial file to go on with
	}{
		{name: "404", h: status(404), want: []string{"404 Not Found", "check the URL"}, requests: 1},
		{name: "410", h: status(410), want: []string{"410 Gone", "check the URL"}, requests: 1},
		{name: "401", h: status(401), want: []string{"401 Unauthorized", "permissions"}, requests: 1},
		{name: "403", h: status(403), want: []string{"403 Forbidden", "permissions"}, requests: 1},
		{name: "403 rate limit", h: status(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", soon), want: []string{"403 Forbidden", "rate limit is used up, try again after"}, requests: 1},
		{name: "429 for long", h: status(429, "Retry-After", "3600"), want: []string{"429 Too Many Requests", "try again after"}, requests: 1},
		{name: "429", h: status(429, "Retry-After", "0"), want: []string{"429 Too Many Requests", "tried 3 times"}, requests: 3},
		{name: "500", h: status(500), want: []string{"500 Internal Server Error", "try again later"}, requests: 3},
		{name: "503", h: status(503), want: []string{"503 Service Unavailable", "tried 3 times"}, requests: 3},
		{name: "408", h: status(408), want: []string{"408 Request Timeout"}, requests: 3},
		{name: "206 unasked", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.WriteHeader(206)
		}, want: []string{"206"}, requests: 1},
		{name: "204", h: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }, want: []string{"204 No Content"}, requests: 1},
		{name: "redirect loop", h: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }, want: []string{"10 redirects"}, requests: 10},
		{name: "redirect to a file", h: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, want: []string{"redirects to file, which is refused"}, requests: 1},
		{name: "too short", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write(body[:100])
			hangUp(w)
		}, want: []string{"the connection broke off after 100 of 1000 bytes", "tried 3 times"}, requests: 3},
		{name: "too short, resumable", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"a"`)
			if r.Header.Get("Range") == "" {
				w.Header().Set("Content-Length", "1000")
				w.Write(body[:100])
			}
			hangUp(w)
		}, want: []string{"tried 3 times"}, keeps: true},
		{name: "chunk broken off", h: func(w http.ResponseWriter, r *http.Request) {
			w.Write(body[:100])
			hangUp(w)
		}, want: []string{"the connection broke off after 100 bytes"}, requests: 3},
		{name: "reset before the answer", h: func(w http.ResponseWriter, r *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			c.Close()
		}, want: []string{"check the network", "TORCHHUB_MIRROR"}},
		{name: "no answer", h: func(w http.ResponseWriter, r *http.Request) { hang(r) }, want: []string{"stopped sending for 30ms"}, requests: 3, opts: []Option{WithStallTimeout(30 * time.Millisecond)}},
		{name: "stall", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write(body[:100])
			w.(http.Flusher).Flush()
			hang(r)
		}, want: []string{"stopped sending for 30ms"}, requests: 3, opts: []Option{WithStallTimeout(30 * time.Millisecond)}},
		{name: "wrong hash", h: func(w http.ResponseWriter, r *http.Request) { w.Write(body[1:]) },
			want: []string{"sha256 is " + digest(body[1:]), "want " + digest(body)[:8]}, requests: 1},
		{name: "portal", h: func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "\n<!DOCTYPE html><html><body>Please sign in</body></html>")
		}, want: []string{"web page", "sign in"}, requests: 1},
		{name: "portal as a file", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			io.WriteString(w, "<html><body>Please sign in</body></html>")
		}, want: []string{"web page"}, requests: 1},
		{name: "JSON", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, ` {"error": "quota exceeded"}`)
		}, want: []string{"a JSON message", "check the URL"}, requests: 1},
		{name: "XML", h: func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code></Error>`)
		}, want: []string{"an XML message"}, requests: 1},
		{name: "LFS pointer", h: func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")
		}, want: []string{"a pointer of Git LFS"}, requests: 1},
		{name: "501", h: status(501), want: []string{"501 Not Implemented"}, requests: 1},
		{name: "brotli", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			w.Write(body)
		}, want: []string{`Content-Encoding "br"`}, requests: 1},
		{name: "gzip cut", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("ETag", `"a"`)
			w.Write(zipped.Bytes()[:zipped.Len()/2])
		}, want: []string{"the connection broke off"}, requests: 3},
		{name: "gzip broken", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(body)
		}, want: []string{"broken gzip"}, requests: 3},
		{name: "over the limit by its length", h: func(w http.ResponseWriter, r *http.Request) { w.Write(body) },
			want: []string{"bigger than the limit of 1.0 KiB"}, requests: 1, opts: []Option{WithMaxSize(1 << 10)}},
		{name: "over the limit without a length", h: func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				w.Write(body)
				w.(http.Flusher).Flush()
			}
		}, want: []string{"bigger than the limit of 400.0 KiB"}, requests: 1, opts: []Option{WithMaxSize(400 << 10)}},
		{name: "endless gzip", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 4 << 10 {
				z.Write(make([]byte, 1<<10))
			}
			z.Close()
		}, want: []string{"bigger than the limit of 1.0 MiB"}, requests: 1, opts: []Option{WithMaxSize(1 << 20)}},
		{name: "no room", h: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(1<<50))
			w.Write(body)
			hangUp(w)
		}, want: []string{"it needs 1048576.0 GiB", "free some"}, requests: 1, opts: []Option{WithMaxSize(1 << 60)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			url := serve(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); c.h(w, r) })
			dir := t.TempDir()
			name := "m-" + digest(body)[:8] + ".pth"
			err := DownloadURLToFile(t.Context(), url+"/"+name, filepath.Join(dir, name), quick(append([]Option{WithRetries(2)}, c.opts...)...)...)
			require.Error(t, err)
			require.True(t, strings.HasPrefix(err.Error(), "hub: fetch "+url+"/"+name+": "), err.Error())
			require.NotContains(t, err.Error(), "\n")
			for _, w := range c.want {
				require.ErrorContains(t, err, w)
			}
			if c.requests > 0 {
				require.Equal(t, c.requests, requests.Load())
			}
			left := []string{}
			if c.keeps {
				left = []string{name + ".partial", name + ".partial.json"}
			}
			require.Equal(t, left, files(t, dir))
			// The next call is not held up by what this one left.
			require.NoError(t, DownloadURLToFile(t.Context(), plain+"/"+name, filepath.Join(dir, name), quick()...))
			require.Equal(t, []string{name}, files(t, dir))
		})
	}
}

func TestErrorTypes(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/x" {
			w.Write([]byte("something else"))
			return
		}
		http.NotFound(w, r)
	})
	dir := t.TempDir()
	var s *StatusError
	require.ErrorAs(t, DownloadURLToFile(t.Context(), url+"/y", filepath.Join(dir, "y"), quick()...), &s)
	require.Equal(t, 404, s.Code)
	var h *HashError
	require.ErrorAs(t, DownloadURLToFile(t.Context(), url+"/x", filepath.Join(dir, "x"), quick(WithSHA256("00"))...), &h)
	require.Equal(t, "00", h.Want)
	require.NoError(t, DownloadURLToFile(t.Context(), url+"/x", filepath.Join(dir, "x-00000000.h"), quick(WithSHA256(""))...))
}

func TestPlaces(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("x")) })
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	for dst, want := range map[string]string{
		filepath.Join(dir, "none", "x"): "there is no folder " + filepath.Join(dir, "none"),
		filepath.Join(file, "x"):        "cannot write in " + file + ": not a directory",
		dir:                             dir + " is a folder",
	} {
		err := DownloadURLToFile(t.Context(), url, dst, quick()...)
		require.ErrorContains(t, err, want)
	}
	_, err := newLoader(quick(WithCacheDir(filepath.Join(file, "sub")))).cached(t.Context(), url+"/x.pth")
	require.ErrorContains(t, err, "cannot make the cache folder")
	_, err = newLoader(quick(WithCacheDir(dir))).cached(t.Context(), url+"/")
	require.ErrorContains(t, err, "names no file")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "x.pth"), 0o777))
	_, err = newLoader(quick(WithCacheDir(dir))).cached(t.Context(), url+"/x.pth")
	require.ErrorContains(t, err, "is not a file; remove it")
	require.Error(t, DownloadURLToFile(t.Context(), "http://127.0.0.1:1/x", filepath.Join(dir, "y"), quick(WithRetries(0))...))
	require.ElementsMatch(t, []string{"file", "x.pth"}, files(t, dir))
}

func TestDowngrade(t *testing.T) {
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("evil")) })
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ok" {
			http.Redirect(w, r, "/there", http.StatusFound)
			return
		}
		if r.URL.Path == "/there" {
			w.Write([]byte("good"))
			return
		}
		http.Redirect(w, r, plain, http.StatusFound)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	dst := filepath.Join(t.TempDir(), "x")
	err := DownloadURLToFile(t.Context(), s.URL+"/bad", dst, quick(WithHTTPClient(s.Client()))...)
	require.ErrorContains(t, err, "redirects from https to http, which is refused")
	require.NoFileExists(t, dst)
	require.NoError(t, DownloadURLToFile(t.Context(), s.URL+"/ok", dst, quick(WithHTTPClient(s.Client()))...))
	require.FileExists(t, dst)

	err = DownloadURLToFile(t.Context(), s.URL+"/ok", dst, quick()...)
	require.ErrorContains(t, err, "check the machine's certificates")

	own := *s.Client()
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return errors.New("my own policy") }
	err = DownloadURLToFile(t.Context(), s.URL+"/ok", dst, quick(WithHTTPClient(&own))...)
	require.ErrorContains(t, err, "my own policy")
}

func TestGzip(t *testing.T) {
	body := content(100 << 10)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(body)
		z.Close()
	})
	dst := filepath.Join(t.TempDir(), "x-"+digest(body)[:16]+".pth")
	require.NoError(t, DownloadURLToFile(t.Context(), url, dst, quick()...))
}

func TestDrip(t *testing.T) {
	body := content(40)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for i := range body {
			w.Write(body[i : i+1])
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	dst := filepath.Join(t.TempDir(), "x")
	require.NoError(t, DownloadURLToFile(t.Context(), url, dst, quick(WithStallTimeout(200*time.Millisecond))...))
	got, err := os.ReadFile(dst)
	require.NoError(t, err)
	require.Equal(t, body, got)
}

func TestResume(t *testing.T) {
	body := content(1 << 20)
	now := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	for _, c := range []struct {
		name  string
		f     *flaky
		works bool
	}{
		{"etag", &flaky{etag: `"v1"`}, true},
		{"date", &flaky{modified: now}, true},
		{"weak etag and date", &flaky{etag: `W/"v1"`}, false},
		{"date of this moment", &flaky{modified: time.Now().UTC().Format(http.TimeFormat)}, false},
		{"nothing", &flaky{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.f.body, c.f.part = body, 100<<10
			dir := t.TempDir()
			dst := filepath.Join(dir, "x-"+digest(body)[:8]+".pth")
			err := DownloadURLToFile(t.Context(), serve(t, c.f.ServeHTTP), dst, quick(WithRetries(2))...)
			if !c.works {
				require.ErrorContains(t, err, "tried 3 times")
				require.Empty(t, files(t, dir))
				require.EqualValues(t, 3, c.f.requests.Load())
				return
			}
			require.NoError(t, err)
			require.EqualValues(t, 11, c.f.requests.Load())
			require.EqualValues(t, len(body), c.f.sent.Load(), "no byte is sent twice")
			require.Len(t, files(t, dir), 1)
		})
	}
}

func TestChanged(t *testing.T) {
	before, after := content(500<<10), content(600<<10)
	for name, second := range map[string]func(w http.ResponseWriter, r *http.Request){
		"by the book": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v2"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(after))
		},
		"If-Range ignored": func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Range")
			w.Header().Set("ETag", `"v2"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(after))
		},
		"no ETag any more": func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Range")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(after))
		},
		"same ETag, other size": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(after))
		},
		"shorter than what we have": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.Header().Set("Content-Range", "bytes */10")
				w.WriteHeader(416)
				return
			}
			w.Write(after)
		},
		"wrong offset": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.Header().Set("ETag", `"v1"`)
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(before)-1, len(before)))
				w.WriteHeader(206)
				w.Write(before)
				return
			}
			w.Write(after)
		},
		"ranges unknown": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v1"`) // the same: the body must still be taken from its first byte
			w.Write(after)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			f := &flaky{body: before, part: 200 << 10, etag: `"v1"`}
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) == 1 {
					f.ServeHTTP(w, r)
					return
				}
				second(w, r)
			})
			dst := filepath.Join(t.TempDir(), "x.pth") // without a hash, a mixture would not be detected
			require.NoError(t, DownloadURLToFile(t.Context(), url, dst, quick()...))
			got, err := os.ReadFile(dst)
			require.NoError(t, err)
			require.Equal(t, digest(after), digest(got))
		})
	}
}

// TestPortalKeepsPartial checks that a sign-in page in the middle does not cost what was there.
func TestPortalKeepsPartial(t *testing.T) {
	body := content(1 << 20)
	f := &flaky{body: body, part: 300 << 10, etag: `"v1"`}
	var portal atomic.Bool
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if portal.Load() {
			io.WriteString(w, "<html>sign in</html>")
			return
		}
		portal.Store(true)
		f.ServeHTTP(w, r)
	})
	dst := filepath.Join(t.TempDir(), "x.pth")
	require.ErrorContains(t, DownloadURLToFile(t.Context(), url, dst, quick()...), "web page")
	f.part = 0
	portal.Store(false)
	require.NoError(t, DownloadURLToFile(t.Context(), url, dst, quick()...))
	require.EqualValues(t, len(body), f.sent.Load())
}

func TestCancel(t *testing.T) {
	body := content(1 << 20)
	f := &flaky{body: body, etag: `"v1"`}
	f.pause.Store(int64(5 * time.Millisecond))
	url := serve(t, f.ServeHTTP)
	dir := t.TempDir()
	dst := filepath.Join(dir, "x-"+digest(body)[:8]+".pth")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := DownloadURLToFile(ctx, url, dst, quick()...)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), 20*time.Second)
	require.Equal(t, []string{filepath.Base(dst) + ".partial", filepath.Base(dst) + ".partial.json"}, files(t, dir))

	gone, cancelGone := context.WithCancel(t.Context())
	cancelGone()
	require.ErrorIs(t, DownloadURLToFile(gone, url, dst, quick()...), context.Canceled)

	f.pause.Store(0)
	require.NoError(t, DownloadURLToFile(t.Context(), url, dst, quick()...))
	require.EqualValues(t, 1, f.ranged.Load())
	require.Equal(t, []string{filepath.Base(dst)}, files(t, dir))
}

// TestPartialOfAnother tries to have partial files taken up that are not parts of this URL's file.
func TestPartialOfAnother(t *testing.T) {
	body := content(1 << 20)
	cut := &flaky{body: body, part: 300 << 10, etag: `"v1"`}
	for name, spoil := range map[string]func(part string){
		"another URL":     func(string) {},
		"no description":  func(part string) { os.Remove(fetch.MetaPath(part)) },
		"half of it":      func(part string) { os.Truncate(fetch.MetaPath(part), 20) },
		"longer than all": func(part string) { os.Truncate(part, 2<<20) },
		"empty":           func(part string) { os.Truncate(part, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			dst := filepath.Join(t.TempDir(), "x.pth")
			require.Error(t, DownloadURLToFile(t.Context(), serve(t, cut.ServeHTTP), dst, quick(WithRetries(0))...))
			require.FileExists(t, dst+".partial")
			spoil(dst + ".partial")
			f := &flaky{body: body, etag: `"v1"`}
			require.NoError(t, DownloadURLToFile(t.Context(), serve(t, f.ServeHTTP), dst, quick()...))
			require.EqualValues(t, 0, f.ranged.Load())
			got, err := os.ReadFile(dst)
			require.NoError(t, err)
			require.Equal(t, digest(body), digest(got))
			require.Len(t, files(t, filepath.Dir(dst)), 1)
		})
	}
}

func TestGoroutines(t *testing.T) {
	for _, name := range []string{"x.pth", "x-" + digest(content(1 << 20))[:8] + ".pth"} {
		f := &flaky{body: content(1 << 20), etag: `"v1"`}
		f.pause.Store(int64(2 * time.Millisecond))
		url := serve(t, f.ServeHTTP)
		dir := t.TempDir()
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				var err error
				if i%2 == 0 {
					err = DownloadURLToFile(t.Context(), url+"/"+name, filepath.Join(dir, name), quick()...)
				} else {
					_, err = newLoader(quick(WithCacheDir(dir))).cached(t.Context(), url+"/"+name)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, f.requests.Load())
		require.Equal(t, []string{name}, files(t, dir))
	}
}

func TestWaiterGivesUp(t *testing.T) {
	f := &flaky{body: content(1 << 20), etag: `"v1"`}
	f.pause.Store(int64(10 * time.Millisecond))
	url := serve(t, f.ServeHTTP)
	dst := filepath.Join(t.TempDir(), "x.pth")
	done := make(chan error)
	go func() { done <- DownloadURLToFile(t.Context(), url, dst, quick()...) }()
	require.Eventually(t, func() bool { return f.sent.Load() > 0 }, 5*time.Second, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, DownloadURLToFile(ctx, url, dst, quick()...), context.DeadlineExceeded)
	require.NoError(t, <-done)
	require.EqualValues(t, 1, f.requests.Load())
}

func TestProcesses(t *testing.T) {
	f := &flaky{body: content(1 << 20), etag: `"v1"`}
	f.pause.Store(int64(10 * time.Millisecond))
	url := serve(t, f.ServeHTTP)
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if out, err := child(url, filepath.Join(dir, "x.pth")).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, f.requests.Load())
	require.EqualValues(t, len(f.body), f.sent.Load())
	require.Equal(t, []string{"x.pth"}, files(t, dir))
}

var kills = flag.Int("kills", 40, "how many processes TestKill kills")

// TestKill kills downloading processes at random moments, some while they start,
// some after a random number of bytes, until all files are there: each is right,
// and for none is more than its size sent again.
func TestKill(t *testing.T) {
	body := content(4 << 20)
	f := &flaky{body: body, etag: `"v1"`}
	f.pause.Store(int64(time.Millisecond))
	s := httptest.NewUnstartedServer(f)
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		c.(*net.TCPConn).SetWriteBuffer(16 << 10) // buffered bytes count as sent
		return ctx
	}
	s.Start()
	defer s.Close()
	r := rand.New(rand.NewPCG(1, uint64(*kills)))
	killed, downloads, most := 0, 0, int64(0)
	for killed < *kills {
		downloads++
		f.sent.Store(0)
		dir := t.TempDir()
		dst := filepath.Join(dir, "x.pth") // no hash in the name: only the bytes decide
		for alive := 0; ; {
			cmd := child(s.URL, dst)
			require.NoError(t, cmd.Start())
			done := make(chan struct{})
			if killed < *kills {
				go kill(cmd, done, moment(r, alive), &f.sent, f.sent.Load()+r.Int64N(600<<10))
			}
			err := cmd.Wait()
			close(done)
			if err == nil {
				break
			}
			killed++
			alive++
			for _, name := range files(t, dir) {
				switch name {
				case "x.pth": // killed with its work done
					got, err := os.ReadFile(dst)
					require.NoError(t, err)
					require.Equal(t, digest(body), digest(got), "half a file under the final name")
				case "x.pth.partial", "x.pth.partial.json":
				default:
					t.Fatalf("there is a file %s", name)
				}
			}
			require.Less(t, killed, *kills+50, "no progress")
		}
		got, err := os.ReadFile(dst)
		require.NoError(t, err)
		require.Equal(t, digest(body), digest(got))
		require.NotContains(t, files(t, dir), "x.pth.partial")
		again := f.sent.Load() - int64(len(body))
		require.LessOrEqual(t, again, int64(len(body)), "bytes sent again")
		most = max(most, again)
	}
	t.Logf("%d kills in %d downloads of %d bytes, %d resumed, at most %d bytes sent again for one", killed, downloads, len(body), f.ranged.Load(), most)
	require.Positive(t, f.ranged.Load())
}

// kill ends a process after a time, or when a number of bytes has been sent.
func kill(cmd *exec.Cmd, done <-chan struct{}, after time.Duration, sent *atomic.Int64, at int64) {
	timer := time.NewTimer(after)
	defer timer.Stop()
	poll := time.NewTicker(200 * time.Microsecond)
	defer poll.Stop()
	for sent.Load() < at {
		select {
		case <-timer.C:
			at = 0
		case <-poll.C:
		case <-done:
			return
		}
	}
	cmd.Process.Kill()
}

// moment returns after what time to kill at the latest: now and then before the download starts.
func moment(r *rand.Rand, n int) time.Duration {
	if n%4 == 0 {
		return time.Duration(r.IntN(60)) * time.Millisecond
	}
	return time.Minute
}

// TestOffline forbids the network.
func TestOffline(t *testing.T) {
	f := &flaky{body: content(1000), etag: `"v1"`}
	url := serve(t, f.ServeHTTP)
	dir := t.TempDir()
	_, err := newLoader(quick(WithCacheDir(dir))).cached(t.Context(), url+"/have.pth")
	require.NoError(t, err)
	check := func(opts ...Option) {
		t.Helper()
		err := DownloadURLToFile(t.Context(), url+"/x.pth", filepath.Join(dir, "x.pth"), quick(opts...)...)
		require.ErrorIs(t, err, ErrOffline)
		require.ErrorContains(t, err, "hub: fetch "+url+"/x.pth: the network is forbidden")
		l := newLoader(quick(append(opts, WithCacheDir(dir))...))
		_, err = l.cached(t.Context(), url+"/have.pth")
		require.NoError(t, err)
		_, err = l.cached(t.Context(), url+"/none.pth")
		require.ErrorIs(t, err, ErrOffline)
		require.NoError(t, DownloadURLToFile(t.Context(), "file://"+filepath.Join(dir, "have.pth"), filepath.Join(dir, "copy"), quick(opts...)...))
		require.NoError(t, os.Remove(filepath.Join(dir, "copy")))
		require.Equal(t, []string{"have.pth"}, files(t, dir))
	}
	check(WithOffline(true))
	for _, v := range []string{"1", "true", "ON", "Yes"} {
		t.Setenv("TORCHHUB_OFFLINE", v)
		check()
	}
	require.EqualValues(t, 1, f.requests.Load())
	require.NoError(t, DownloadURLToFile(t.Context(), url+"/x.pth", filepath.Join(dir, "x.pth"), quick(WithOffline(false))...))
	for _, v := range []string{"", "0", "no", "off"} {
		t.Setenv("TORCHHUB_OFFLINE", v)
		require.NoError(t, DownloadURLToFile(t.Context(), url+"/x.pth", filepath.Join(dir, "x.pth"), quick()...))
	}
}

// TestMirrors lets mirrors fail, one after the other.
func TestMirrors(t *testing.T) {
	body := content(1000)
	name := "x-" + digest(body)[:8] + ".pth"
	var asked []string
	answer := func(server string, h http.HandlerFunc) string {
		return serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, server+r.URL.Path)
			h(w, r)
		})
	}
	none := answer("none", http.NotFound)
	wrong := answer("wrong", func(w http.ResponseWriter, r *http.Request) { w.Write(body[1:]) })
	good := answer("good", func(w http.ResponseWriter, r *http.Request) { w.Write(body) })
	get := func(mirrors ...string) error {
		asked = nil
		t.Setenv("TORCHHUB_MIRROR", strings.Join(mirrors, ","))
		dir := t.TempDir()
		err := DownloadURLToFile(t.Context(), "https://download.pytorch.org/models/"+name, filepath.Join(dir, name), quick(WithRetries(0))...)
		if err != nil {
			require.Empty(t, files(t, dir))
		}
		return err
	}
	require.NoError(t, get(none, " "+wrong+"/a", good+"/b/", "direct"))
	require.Equal(t, []string{"none/models/" + name, "wrong/a/models/" + name, "good/b/models/" + name}, asked)
	require.NoError(t, get(good, none))
	require.Len(t, asked, 1)
	err := get(wrong, none)
	require.ErrorContains(t, err, none+"/models/"+name+": 404 Not Found")
	require.ErrorContains(t, err, "and before it, fetch "+wrong)
	require.ErrorAs(t, err, new(*HashError))
	require.ErrorContains(t, get("nonsense", good), `TORCHHUB_MIRROR has "nonsense"`)
}

// TestProxy sends children through a proxy, with names that only the proxy knows.
func TestProxy(t *testing.T) {
	body := content(100 << 10)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(body) }))
	defer secure.Close()
	var mu sync.Mutex
	var asked []string
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.Host)
		mu.Unlock()
		switch {
		case r.Header.Get("Proxy-Authorization") != "Basic dXNlcjpwYXNz":
			w.WriteHeader(http.StatusProxyAuthRequired)
		case r.Method != http.MethodConnect:
			w.Write(body)
		default:
			to, err := net.Dial("tcp", secure.Listener.Addr().String())
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			w.WriteHeader(http.StatusOK)
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			go func() { io.Copy(to, c); to.Close() }()
			io.Copy(c, to)
			c.Close()
		}
	})
	auth := strings.Replace(proxy, "http://", "http://user:pass@", 1)
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o666))
	for _, c := range []struct{ url, env, asked, fails string }{
		{"http://weights.invalid/x.pth", "HTTP_PROXY=" + auth, "GET weights.invalid", ""},
		{"http://weights.invalid/x.pth", "http_proxy=" + auth, "GET weights.invalid", ""},
		{"https://example.com/x.pth", "HTTPS_PROXY=" + auth, "CONNECT example.com:443", ""},
		{"http://weights.invalid/x.pth", "HTTP_PROXY=" + proxy, "GET weights.invalid", "407 Proxy Authentication Required; the server or a proxy refuses it"},
		{"https://example.com/x.pth", "HTTPS_PROXY=" + proxy, "CONNECT example.com:443", "Proxy Authentication Required"},
		{"http://weights.invalid/x.pth", "HTTP_PROXY=http://127.0.0.1:1", "", "check the network"},
		{"http://weights.invalid/x.pth", "HTTP_PROXY=" + auth + " NO_PROXY=.invalid", "", "weights.invalid"},
	} {
		mu.Lock()
		asked = nil
		mu.Unlock()
		dst := filepath.Join(dir, "x.pth")
		cmd := child(c.url, dst)
		for _, v := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
			cmd.Env = append(cmd.Env, v+"=")
		}
		cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+ca)
		cmd.Env = append(cmd.Env, strings.Fields(c.env)...)
		out, err := cmd.CombinedOutput()
		mu.Lock()
		asked := asked
		mu.Unlock()
		if c.asked != "" {
			require.Contains(t, asked, c.asked, "%s %s: %s", c.url, c.env, out)
		} else {
			require.Empty(t, asked)
		}
		if c.fails != "" {
			require.Error(t, err)
			require.Contains(t, string(out), c.fails)
			require.NotContains(t, string(out), "pass@")
			require.NoFileExists(t, dst)
			continue
		}
		require.NoError(t, err, string(out))
		got, err := os.ReadFile(dst)
		require.NoError(t, err)
		require.Equal(t, digest(body), digest(got))
		require.NoError(t, os.Remove(dst))
	}
}

func TestFileURL(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "a b.pth")
	require.NoError(t, os.WriteFile(src, []byte("weights"), 0o666))
	u := (&url.URL{Scheme: "file", Path: filepath.ToSlash(src)}).String()
	dst := filepath.Join(dir, "dst")
	require.NoError(t, DownloadURLToFile(t.Context(), u, dst, quick()...))
	got, err := os.ReadFile(dst)
	require.NoError(t, err)
	require.Equal(t, "weights", string(got))
	require.ErrorContains(t, DownloadURLToFile(t.Context(), u+"x", dst, quick()...), "no such file or directory; check the path")
	require.ErrorContains(t, DownloadURLToFile(t.Context(), "file://"+dir, dst, quick()...), "not a regular file")
	require.ErrorContains(t, DownloadURLToFile(t.Context(), u, dst, quick(WithSHA256("ffff"))...), "want ffff")
}

func TestProgress(t *testing.T) {
	f := &flaky{body: content(1 << 20), part: 300 << 10, etag: `"v1"`}
	var b bytes.Buffer
	require.NoError(t, DownloadURLToFile(t.Context(), serve(t, f.ServeHTTP), filepath.Join(t.TempDir(), "x.pth"), quick(WithProgress(&b))...))
	require.Contains(t, b.String(), "x.pth")
	require.Contains(t, b.String(), "1.0 MiB / 1.0 MiB")
	require.Contains(t, b.String(), "100 %")
	b.Reset()
	require.Error(t, DownloadURLToFile(t.Context(), serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100000")
		w.Write(make([]byte, 50000))
		hangUp(w)
	}), filepath.Join(t.TempDir(), "x.pth"), quick(WithProgress(&b), WithRetries(0))...))
	require.Contains(t, b.String(), "x.pth")
}

// TestProgressOfSeveral draws several bars below each other.
func TestProgressOfSeveral(t *testing.T) {
	f := &flaky{body: content(400 << 10), etag: `"v1"`}
	f.pause.Store(int64(20 * time.Millisecond))
	url := serve(t, f.ServeHTTP)
	for _, w := range []interface {
		io.Writer
		String() string
	}{&syncBuffer{}, uncomparable{&syncBuffer{}, nil}} {
		dir := t.TempDir()
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				name := fmt.Sprintf("/file%d.pth", i)
				if err := DownloadURLToFile(t.Context(), url+name, dir+name, quick(WithProgress(w))...); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := range 3 {
			require.Contains(t, w.String(), fmt.Sprintf("file%d.pth", i))
		}
		if _, ok := w.(*syncBuffer); ok {
			require.Regexp(t, `(file\d.*%.*\n){3}`, w.String())
			require.NotContains(t, w.String(), "…", "a line was cut")
		}
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// uncomparable cannot be a key of a map.
type uncomparable struct {
	*syncBuffer
	_ []int
}

func ExampleDownloadURLToFile() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	defer s.Close()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	dst := filepath.Join(dir, "hello-2cf24dba.txt") // the first digits of the file's SHA-256
	err = DownloadURLToFile(context.Background(), s.URL+"/hello-2cf24dba.txt", dst)
	b, _ := os.ReadFile(dst)
	fmt.Println(string(b), err)
	// Output: hello <nil>
}

func ExampleWithMaxSize() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	defer s.Close()
	dst := filepath.Join(os.TempDir(), "torchhub-example-too-large.txt")
	err := DownloadURLToFile(context.Background(), s.URL+"/hello.txt", dst, WithMaxSize(4))
	_, missing := os.Stat(dst)
	fmt.Println(err != nil, os.IsNotExist(missing))
	// Output: true true
}

func ExampleWithRetries() {
	busy := true
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if busy {
			busy = false
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "hello")
	}))
	defer s.Close()
	dst := filepath.Join(os.TempDir(), "torchhub-example-retried.txt")
	defer os.Remove(dst)
	err := DownloadURLToFile(context.Background(), s.URL+"/hello.txt", dst, WithRetries(1), WithStallTimeout(10*time.Second))
	b, _ := os.ReadFile(dst)
	fmt.Println(string(b), err)
	// Output: hello <nil>
}
