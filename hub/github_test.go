package hub

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const someCommit = "0123456789abcdef0123456789abcdef01234567"

// archive makes a zip as GitHub does: all in one folder, and the commit as the comment.
func archive(t *testing.T, top string, files map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	_, err := z.Create(top + "/")
	require.NoError(t, err)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w, err := z.Create(top + "/" + name)
		require.NoError(t, err)
		_, err = io.WriteString(w, files[name])
		require.NoError(t, err)
	}
	require.NoError(t, z.SetComment(someCommit))
	require.NoError(t, z.Close())
	return b.Bytes()
}

// fakeGitHub stands in for github.com and api.github.com.
type fakeGitHub struct {
	mu       sync.Mutex
	requests []string                    // "GET host/path?query token"
	answers  map[string]http.HandlerFunc // by host/path
	server   *httptest.Server
}

func newFakeGitHub(t *testing.T) *fakeGitHub {
	f := &fakeGitHub{answers: map[string]http.HandlerFunc{}}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		key := host + "/" + path
		line := key
		if r.URL.RawQuery != "" {
			line += "?" + r.URL.RawQuery
		}
		if a := r.Header.Get("Authorization"); a != "" {
			line += " " + a
		}
		f.mu.Lock()
		f.requests = append(f.requests, line)
		h := f.answers[key]
		f.mu.Unlock()
		if h == nil {
			http.NotFound(w, r)
			return
		}
		h(w, r)
	}))
	t.Cleanup(f.server.Close)
	t.Setenv("GITHUB_TOKEN", "")
	t.Setenv("TORCH_HUB", "")
	return f
}

// RoundTrip sends what is meant for another host to the server, with the host as the first folder.
func (f *fakeGitHub) RoundTrip(r *http.Request) (*http.Response, error) {
	base, err := url.Parse(f.server.URL)
	if err != nil {
		return nil, err
	}
	c := r.Clone(r.Context())
	c.URL.Scheme, c.URL.Host, c.Host = "http", base.Host, base.Host
	c.URL.Path = "/" + r.URL.Host + r.URL.Path
	c.URL.RawPath = ""
	return http.DefaultTransport.RoundTrip(c)
}

func (f *fakeGitHub) options(more ...Option) []Option {
	return append(quick(WithHTTPClient(&http.Client{Transport: f}), WithNotice(nil), WithRetries(0)), more...)
}

func (f *fakeGitHub) on(path string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[path] = h
}

func (f *fakeGitHub) text(path, body string) {
	f.on(path, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
}

func (f *fakeGitHub) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.requests
	f.requests = nil
	return s
}

// refs serves lists of branches or tags in pages.
func (f *fakeGitHub) refs(path string, pages ...[]string) {
	f.on("api.github.com/repos/"+path, func(w http.ResponseWriter, r *http.Request) {
		n := 0
		fmt.Sscanf(r.URL.Query().Get("page"), "%d", &n)
		list := []map[string]any{}
		if n <= len(pages) {
			for i, name := range pages[n-1] {
				list = append(list, map[string]any{"name": name, "commit": map[string]string{"sha": fmt.Sprintf("%02d%02d%036d", n, i, 7)}})
			}
		}
		json.NewEncoder(w).Encode(list)
	})
}

// repo serves a whole repository with one branch.
func (f *fakeGitHub) repo(t *testing.T, owner, name, branch string, files map[string]string) {
	if branch == "main" {
		f.text("github.com/"+owner+"/"+name+"/tree/main/", "<!DOCTYPE html><html>")
	}
	f.refs(owner+"/"+name+"/branches", []string{branch})
	f.refs(owner + "/" + name + "/tags")
	data := archive(t, owner+"-"+name+"-"+someCommit, files)
	f.on("github.com/"+owner+"/"+name+"/zipball/"+branch, func(w http.ResponseWriter, r *http.Request) { w.Write(data) })
}

func hubHome(t *testing.T) string {
	home := t.TempDir()
	t.Setenv("TORCH_HOME", home)
	return filepath.Join(home, "hub")
}

func TestParseRepo(t *testing.T) {
	for s, want := range map[string]gitRepo{
		"pytorch/vision":              {"pytorch", "vision", ""},
		"pytorch/vision:v0.10.0":      {"pytorch", "vision", "v0.10.0"},
		"o/n:feature/x":               {"o", "n", "feature/x"},
		"o/n:refs/heads/main":         {"o", "n", "refs/heads/main"},
		"o-1/n.m_k-2:a#b%c":           {"o-1", "n.m_k-2", "a#b%c"},
		"o/n:0123456789abcdef":        {"o", "n", "0123456789abcdef"},
		"huggingface/.github:release": {"huggingface", ".github", "release"},
	} {
		got, err := parseRepo(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got)
	}
	for _, s := range []string{"", "x", "a/b/c", "a/b:c:d", "a/b:", "/b", "a/", "a/..", "a/.", "../b", "a/b:..", "a/b:x/../y", "a/b:/x", "a/b:x/",
		"a/b:x y", "a/b:x\x00", "a/b:-x", "a/b:.x", "a/b:x\\y", "a b/c", "a/b?c", "https://github.com/a/b", "a/b:" + strings.Repeat("x", 201), "a/b:a//b", "a/b:~x"} {
		_, err := parseRepo(s)
		require.Error(t, err, s)
	}
	require.Equal(t, "o_n_feature_x", gitRepo{"o", "n", "feature/x"}.folder())
}

func TestRepository(t *testing.T) {
	f := newFakeGitHub(t)
	dir := hubHome(t)
	f.repo(t, "o", "n", "main", map[string]string{"hubconf.py": "x = 1\n", "a/b/c.txt": "deep"})
	var notice bytes.Buffer
	got, err := Repository(t.Context(), "o/n", f.options(WithTrust(TrustAlways), WithNotice(&notice))...)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "o_n_main"), got)
	require.Equal(t, []string{
		"github.com/o/n/tree/main/", "api.github.com/repos/o/n/branches?per_page=100&page=1", "github.com/o/n/zipball/main",
	}, f.seen())
	require.Contains(t, notice.String(), `Downloading: "https://github.com/o/n/zipball/main" to `)
	deep, err := os.ReadFile(filepath.Join(got, "a", "b", "c.txt"))
	require.NoError(t, err)
	require.Equal(t, "deep", string(deep))
	require.Equal(t, []string{"o_n_main", "trusted_list"}, files(t, dir))
	mark, err := os.ReadFile(filepath.Join(got, markerName))
	require.NoError(t, err)
	require.JSONEq(t, `{"repository": "o/n", "ref": "main", "commit": "`+someCommit+`"}`, string(mark))

	notice.Reset()
	_, err = Repository(t.Context(), "o/n:main", f.options(WithNotice(&notice))...)
	require.NoError(t, err)
	require.Empty(t, f.seen(), "a ref in the cache needs no request")
	require.Equal(t, "Using cache found in "+got+"\n", notice.String())

	require.NoError(t, os.WriteFile(filepath.Join(got, "stale"), nil, 0o644))
	_, err = Repository(t.Context(), "o/n:main", f.options(WithForceReload(), WithSkipValidation())...)
	require.NoError(t, err)
	require.Equal(t, []string{"github.com/o/n/zipball/main"}, f.seen())
	require.NoFileExists(t, filepath.Join(got, "stale"))
	require.Equal(t, []string{"o_n_main", "trusted_list"}, files(t, dir))
}

func TestDefaultBranch(t *testing.T) {
	f := newFakeGitHub(t)
	dir := hubHome(t)
	f.repo(t, "o", "old", "master", map[string]string{"hubconf.py": ""})
	got, err := Repository(t.Context(), "o/old", f.options(WithTrust(TrustAlways))...)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "o_old_master"), got)

	f.on("github.com/o/down/tree/main/", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	_, err = Repository(t.Context(), "o/down", f.options(WithTrust(TrustAlways))...)
	require.ErrorContains(t, err, "503")

	f.server.Close() // offline
	got, err = Repository(t.Context(), "o/old", f.options()...)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "o_old_master"), got)
	_, err = Repository(t.Context(), "o/none", f.options(WithTrust(TrustAlways))...)
	require.ErrorContains(t, err, "It looks like there is no internet connection and the repo could not be found in the cache ("+dir+")")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "o_old_main"), 0o755)) // as of Python, without a marker
	got, err = Repository(t.Context(), "o/old", f.options()...)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "o_old_main"), got)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Repository(ctx, "o/old", f.options()...)
	require.ErrorIs(t, err, context.Canceled)
}

func TestValidation(t *testing.T) {
	f := newFakeGitHub(t)
	hubHome(t)
	trust := WithTrust(TrustAlways)
	f.refs("o/n/branches", []string{"b1", "b2"}, []string{"b3"})
	f.refs("o/n/tags", []string{"t1"})
	data := archive(t, "o-n-x", map[string]string{"hubconf.py": ""})
	for _, ref := range []string{"b3", "t1", "0101", "refs/heads/b2", "refs/tags/t1", "forked"} {
		f.on("github.com/o/n/zipball/"+ref, func(w http.ResponseWriter, r *http.Request) { w.Write(data) })
	}
	for ref, want := range map[string][]string{
		"b3":            {"branches?per_page=100&page=1", "branches?per_page=100&page=2"},
		"t1":            {"branches?per_page=100&page=1", "branches?per_page=100&page=2", "branches?per_page=100&page=3", "tags?per_page=100&page=1"},
		"0101":          {"branches?per_page=100&page=1"}, // the start of a commit
		"refs/heads/b2": {"branches?per_page=100&page=1"},
		"refs/tags/t1":  {"tags?per_page=100&page=1"},
	} {
		_, err := Repository(t.Context(), "o/n:"+ref, f.options(trust)...)
		require.NoError(t, err, ref)
		got := f.seen()
		require.Len(t, got, len(want)+1)
		for i, w := range want {
			require.Equal(t, "api.github.com/repos/o/n/"+w, got[i])
		}
	}
	_, err := Repository(t.Context(), "o/n:forked", f.options(trust)...)
	require.ErrorContains(t, err, "Cannot find forked in https://github.com/o/n; if it is a commit of a fork")
	_, err = Repository(t.Context(), "o/n:forked", f.options(trust, WithSkipValidation())...)
	require.NoError(t, err)
	f.seen()

	// A token that GitHub refuses is left out the second time, as in Python.
	f.on("api.github.com/repos/o/tok/branches", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, `[{"name": "x", "commit": {"sha": "ff"}}]`)
	})
	f.on("github.com/o/tok/zipball/x", func(w http.ResponseWriter, r *http.Request) { w.Write(data) })
	t.Setenv("GITHUB_TOKEN", "secret")
	_, err = Repository(t.Context(), "o/tok:x", f.options(trust)...)
	require.NoError(t, err)
	u := "api.github.com/repos/o/tok/branches?per_page=100&page=1"
	require.Equal(t, []string{u + " token secret", u, "github.com/o/tok/zipball/x"}, f.seen())

	// Without one, Python hides the rate limit behind a KeyError.
	t.Setenv("GITHUB_TOKEN", "")
	f.on("api.github.com/repos/o/limit/branches", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", "4000000000")
		w.WriteHeader(http.StatusForbidden)
	})
	_, err = Repository(t.Context(), "o/limit:x", f.options(trust)...)
	require.ErrorContains(t, err, "rate limit is used up, try again after")
	require.ErrorContains(t, err, "GITHUB_TOKEN")
	f.text("api.github.com/repos/o/odd/branches", "<html>")
	_, err = Repository(t.Context(), "o/odd:x", f.options(trust)...)
	require.ErrorContains(t, err, "is not a list of them")
}

func TestAmbiguousRef(t *testing.T) {
	f := newFakeGitHub(t)
	hubHome(t)
	data := archive(t, "o-n-x", map[string]string{"hubconf.py": "# the branch\n"})
	f.on("github.com/o/n/zipball/v1", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusMultipleChoices) })
	f.on("github.com/o/n/zipball/refs/heads/v1", func(w http.ResponseWriter, r *http.Request) { w.Write(data) })
	var notice bytes.Buffer
	dir, err := Repository(t.Context(), "o/n:v1", f.options(WithTrust(TrustAlways), WithSkipValidation(), WithNotice(&notice))...)
	require.NoError(t, err)
	require.Equal(t, "o_n_v1", filepath.Base(dir))
	require.Contains(t, notice.String(), "The ref v1 is ambiguous.")
	require.FileExists(t, filepath.Join(dir, "hubconf.py"))
}

// A ref with digits behind a dash is no hash of the archive, and special characters reach GitHub.
func TestOddRefs(t *testing.T) {
	f := newFakeGitHub(t)
	hubHome(t)
	data := archive(t, "o-n-x", map[string]string{"hubconf.py": ""})
	for _, ref := range []string{"v1-0123456789ab.x", "a#b", "50%25", "é"} {
		f.on("github.com/o/n/zipball/"+ref, func(w http.ResponseWriter, r *http.Request) { w.Write(data) })
		_, err := Repository(t.Context(), "o/n:"+ref, f.options(WithTrust(TrustAlways), WithSkipValidation())...)
		require.NoError(t, err, ref)
	}
}

// a/b_c:d and a/b:c_d have one folder; Python takes one for the other.
func TestFolderOfAnother(t *testing.T) {
	f := newFakeGitHub(t)
	hubHome(t)
	for _, r := range []struct{ name, ref string }{{"b_c", "d"}, {"b", "c_d"}, {"b", "c/d"}} {
		data := archive(t, "x", map[string]string{"hubconf.py": "# " + r.name + ":" + r.ref})
		f.on("github.com/a/"+r.name+"/zipball/"+r.ref, func(w http.ResponseWriter, r *http.Request) { w.Write(data) })
		dir, err := Repository(t.Context(), "a/"+r.name+":"+r.ref, f.options(WithTrust(TrustAlways), WithSkipValidation())...)
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(dir, "hubconf.py"))
		require.NoError(t, err)
		require.Equal(t, "# "+r.name+":"+r.ref, string(got))
	}
}

func TestConcurrentRepository(t *testing.T) {
	f := newFakeGitHub(t)
	dir := hubHome(t)
	f.repo(t, "o", "n", "main", map[string]string{"hubconf.py": "x"})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := Repository(t.Context(), "o/n:main", f.options(WithTrust(TrustAlways), WithSkipValidation())...)
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, []string{"github.com/o/n/zipball/main"}, f.seen())
	require.Equal(t, []string{"o_n_main", "trusted_list"}, files(t, dir))
	list, err := os.ReadFile(filepath.Join(dir, "trusted_list"))
	require.NoError(t, err)
	require.Equal(t, "o_n\n", string(list))
}

func TestTrust(t *testing.T) {
	f := newFakeGitHub(t)
	question := "The repository o_n does not belong to the list of trusted repositories and as such cannot be downloaded. " +
		"Do you trust this repository and wish to add it to the trusted list of repositories (y/N)?"
	for _, owner := range []string{"o", "pytorch", "own_er"} {
		f.repo(t, owner, "n", "main", map[string]string{"hubconf.py": ""})
	}
	for name, c := range map[string]struct {
		repo   string // o/n:main where empty
		trust  Trust
		list   string // before
		folder bool   // whether it is in the cache
		answer string // "-" where nothing may be asked
		want   string // the list after
		err    string
	}{
		"True":                       {trust: TrustAlways, answer: "-", want: "o_n\n"},
		"True, trusted":              {trust: TrustAlways, list: "o_n\n", answer: "-", want: "o_n\n"},
		"True, owner":                {repo: "pytorch/n:main", trust: TrustAlways, answer: "-"},
		"check, listed":              {list: "x_y\n  o_n  \r\n", answer: "-", want: "x_y\n  o_n  \r\n"},
		"check, owner":               {repo: "pytorch/n:main", answer: "-"},
		"check, folder":              {folder: true, answer: "-"},
		"check, y":                   {answer: "y", want: "o_n\n"},
		"check, YES":                 {answer: " YES\n", list: "x_y", want: "x_y\no_n\n"},
		"check, n":                   {answer: "n", err: "Untrusted repository."},
		"check, nothing":             {answer: "\n", err: "Untrusted repository."},
		"check, No":                  {answer: "No", list: "o_nn\n", want: "o_nn\n", err: "Untrusted repository."},
		"check, other":               {answer: "maybe", err: "Unrecognized response maybe."},
		"False, y":                   {trust: TrustAsk, answer: "y", want: "o_n\n"},
		"False, trusted, y":          {trust: TrustAsk, list: "o_n\n", answer: "y", want: "o_n\n"},
		"False, trusted, n":          {trust: TrustAsk, list: "o_n\n", answer: "n", want: "o_n\n", err: "Untrusted repository."},
		"underscore":                 {repo: "own_er/n:main", list: "own_er_n\n", answer: "y", want: "own_er_n\nown_er/n\n"},
		"underscore, trusted":        {repo: "own_er/n:main", list: "own_er/n\n", answer: "-", want: "own_er/n\n"},
		"trusted in its exact words": {list: "o/n\n", answer: "-", want: "o/n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := hubHome(t)
			require.NoError(t, os.MkdirAll(dir, 0o755))
			if c.list != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "trusted_list"), []byte(c.list), 0o644))
			}
			if c.folder {
				require.NoError(t, os.Mkdir(filepath.Join(dir, "o_n_main"), 0o755))
			}
			if c.repo == "" {
				c.repo = "o/n:main"
			}
			asked := 0
			ask := func(_ context.Context, q string) (string, error) {
				asked++
				if c.answer == "-" {
					return "", errors.New("nothing should be asked")
				}
				if c.repo == "o/n:main" {
					require.Equal(t, question, q)
				}
				return c.answer, nil
			}
			_, err := Repository(t.Context(), c.repo, f.options(WithTrust(c.trust), WithPrompt(ask))...)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				require.NoDirExists(t, filepath.Join(dir, "o_n_main"))
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, c.answer != "-", asked == 1)
			list, err := os.ReadFile(filepath.Join(dir, "trusted_list"))
			require.NoError(t, err)
			require.Equal(t, c.want, string(list))
		})
	}
	t.Run("no prompt", func(t *testing.T) {
		hubHome(t)
		f.seen()
		_, err := Repository(t.Context(), "o/n:main", f.options()...)
		require.ErrorIs(t, err, ErrUntrusted)
		require.ErrorContains(t, err, "WithTrust(TrustAlways)")
		require.Empty(t, f.seen(), "nothing is fetched")
	})
}

// Archives that want to write elsewhere or fill the disk.
func TestHostileArchives(t *testing.T) {
	f := newFakeGitHub(t)
	entry := func(z *zip.Writer, name, data string) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		require.NoError(t, err)
		_, err = io.WriteString(w, data)
		require.NoError(t, err)
	}
	link := func(z *zip.Writer, name, to string) {
		h := &zip.FileHeader{Name: name}
		h.SetMode(0o777 | os.ModeSymlink)
		w, err := z.CreateHeader(h)
		require.NoError(t, err)
		io.WriteString(w, to)
	}
	for name, c := range map[string]struct {
		fill func(z *zip.Writer)
		want string
	}{
		"empty":           {func(z *zip.Writer) {}, "it is empty"},
		"absolute":        {func(z *zip.Writer) { entry(z, "/etc/passwd", "") }, "Archive entry has absolute path"},
		"drive":           {func(z *zip.Writer) { entry(z, "C:/x", "") }, "Archive entry has absolute path"},
		"share":           {func(z *zip.Writer) { entry(z, `\\host\x`, "") }, "Archive entry has absolute path"},
		"traversal":       {func(z *zip.Writer) { entry(z, "top/../../x", "") }, "Archive entry contains directory traversal"},
		"inner traversal": {func(z *zip.Writer) { entry(z, "top/a/../x", "") }, "Archive entry contains directory traversal"},
		"backslash":       {func(z *zip.Writer) { entry(z, `top\..\..\x`, "") }, "Archive entry contains directory traversal"},
		"only dots":       {func(z *zip.Writer) { entry(z, "./", "") }, "Archive entry escapes"},
		"nul":             {func(z *zip.Writer) { entry(z, "top/a\x00b", "") }, "Archive entry escapes"},
		"two folders":     {func(z *zip.Writer) { entry(z, "top/a", ""); entry(z, "checkpoints/b.pth", "") }, "outside of the folder"},
		"no folder":       {func(z *zip.Writer) { entry(z, "a", "") }, "outside of the folder"},
		"twice":           {func(z *zip.Writer) { entry(z, "top/a", "1"); entry(z, "top/a", "2") }, "exists"},
		"file and folder": {func(z *zip.Writer) { entry(z, "top/a", "1"); entry(z, "top/a/b", "2") }, "file exists"},
		"through a link":  {func(z *zip.Writer) { link(z, "top/l", "/tmp"); entry(z, "top/l/x", "2") }, "file exists"},
		"bomb":            {func(z *zip.Writer) { entry(z, "top/a", strings.Repeat("\x00", 80<<20)) }, "unpacks to more than"},
		"many files": {func(z *zip.Writer) {
			for i := range maxFiles + 1 {
				_, err := z.CreateRaw(&zip.FileHeader{Name: fmt.Sprint("top/", i)})
				require.NoError(t, err)
			}
		}, "the limit is 100000"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := hubHome(t)
			var b bytes.Buffer
			z := zip.NewWriter(&b)
			c.fill(z)
			require.NoError(t, z.Close())
			f.on("github.com/o/n/zipball/main", func(w http.ResponseWriter, r *http.Request) { w.Write(b.Bytes()) })
			_, err := Repository(t.Context(), "o/n:main", f.options(WithTrust(TrustAlways), WithSkipValidation())...)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
			require.Equal(t, []string{"trusted_list"}, files(t, dir))
			require.Equal(t, []string{"hub"}, files(t, filepath.Dir(dir)))
		})
	}
	for name, body := range map[string]string{"page": "<!DOCTYPE html><html>sign in", "text": "hello"} {
		t.Run(name, func(t *testing.T) {
			dir := hubHome(t)
			f.text("github.com/o/n/zipball/main", body)
			_, err := Repository(t.Context(), "o/n:main", f.options(WithTrust(TrustAlways), WithSkipValidation())...)
			require.Error(t, err)
			require.Equal(t, []string{"trusted_list"}, files(t, dir))
		})
	}
	t.Run("a link is a file", func(t *testing.T) {
		hubHome(t)
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		link(z, "top/l", "/etc/passwd")
		require.NoError(t, z.Close())
		f.on("github.com/o/n/zipball/main", func(w http.ResponseWriter, r *http.Request) { w.Write(b.Bytes()) })
		dir, err := Repository(t.Context(), "o/n:main", f.options(WithTrust(TrustAlways), WithSkipValidation())...)
		require.NoError(t, err)
		fi, err := os.Lstat(filepath.Join(dir, "l"))
		require.NoError(t, err)
		require.True(t, fi.Mode().IsRegular())
	})
}

// answering is a prompt that gives one answer and notes the questions.
func answering(asked *[]string, answer string) func(context.Context, string) (string, error) {
	return func(_ context.Context, question string) (string, error) {
		*asked = append(*asked, question)
		return answer, nil
	}
}
