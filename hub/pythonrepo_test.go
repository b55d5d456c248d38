package hub

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

// pythonHub is torch.hub with github.com on this machine.
func pythonHub(t *testing.T) *reference.Process {
	return reference.Start(t, `
import builtins, os, torch, torch.hub, warnings
from urllib.request import Request, urlopen
warnings.simplefilter("ignore")

def point(base):
    def local(r):
        url, headers = (r.full_url, dict(r.headers)) if isinstance(r, Request) else (r, {})
        return urlopen(Request(base + "/" + url.split("://", 1)[1], headers=headers))
    torch.hub.urlopen = local

def environment(home, token):
    os.environ["TORCH_HOME"] = home
    os.environ.pop("GITHUB_TOKEN", None)
    if token:
        os.environ["GITHUB_TOKEN"] = token

# fetch returns the repository's folder, or the error's text.
def fetch(repo, trust, answer, reload, skip):
    def ask(question):
        asked.append(question)
        return answer
    asked = []
    builtins.input = ask
    try:
        return [torch.hub._get_cache_or_reload(repo, reload, trust, verbose=False, skip_validation=skip), "", asked]
    except Exception as e:
        return ["", type(e).__name__ + ": " + str(e), asked]

def load(repo, model):
    return torch.hub.load(repo, model, verbose=False)

def names(repo):
    return torch.hub.list(repo, verbose=False)

def doc(repo, model):
    return torch.hub.help(repo, model)

def directory(home, xdg, set):
    for k, v in (("TORCH_HOME", home), ("XDG_CACHE_HOME", xdg)):
        os.environ.pop(k, None)
        if v is not None:
            os.environ[k] = v
    torch.hub._hub_dir = None
    if set:
        torch.hub.set_dir(set)
    try:
        return torch.hub.get_dir()
    finally:
        torch.hub._hub_dir = None
        os.environ.pop("XDG_CACHE_HOME", None)
`)
}

// tree lists the files below a folder with their contents, without Go's markers.
func tree(t *testing.T, dir string) map[string]string {
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == markerName || strings.Contains(p, "__pycache__") {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		all[filepath.ToSlash(rel)] = string(data)
		return err
	})
	require.NoError(t, err)
	return all
}

func TestDirIsPythons(t *testing.T) {
	p := pythonHub(t)
	here, err := os.UserHomeDir()
	require.NoError(t, err)
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		home, xdg *string
		set       string
	}{
		{nil, nil, ""}, {text("/th"), nil, ""}, {nil, text("/xdg"), ""}, {text("/th"), text("/xdg"), ""}, {text("~/th"), nil, ""},
		{nil, text("~/x"), ""}, {text("rel/ative"), nil, ""}, {text("/th"), text("/xdg"), "/set"}, {nil, nil, "~/set"}, {text("~"), nil, ""},
	} {
		var want string
		p.Call(&want, "directory", c.home, c.xdg, c.set)
		for name, v := range map[string]*string{"TORCH_HOME": c.home, "XDG_CACHE_HOME": c.xdg} {
			t.Setenv(name, "")
			if v != nil {
				t.Setenv(name, *v)
			}
		}
		t.Setenv("HOME", here)
		SetDir(c.set)
		require.Equal(t, want, Dir(), "%+v", c)
		SetDir("")
	}
}

// TestRepositoryIsPythons lets Python and Go fetch the same repositories with
// caches of their own: the same requests, questions, folders and lists.
func TestRepositoryIsPythons(t *testing.T) {
	p := pythonHub(t)
	f := newFakeGitHub(t)
	p.Call(nil, "point", f.server.URL)
	tree1 := map[string]string{"hubconf.py": "def m():\n    'Doc.'\n    return 3\n", "a/b.txt": "b", "models/x.py": ""}
	f.repo(t, "o", "n", "main", tree1)
	f.repo(t, "o", "old", "master", tree1)
	f.repo(t, "pytorch", "n", "main", tree1)
	f.repo(t, "o", "under_score", "main", tree1)
	f.refs("o/pages/branches", []string{"a", "b"}, []string{"c"})
	f.refs("o/pages/tags", []string{"v1"}, []string{"v2"})
	data := archive(t, "o-pages-1", tree1)
	for _, ref := range []string{"c", "v2", "0100", "feature/x", "fork"} {
		f.on("github.com/o/pages/zipball/"+ref, func(w http.ResponseWriter, r *http.Request) { w.Write(data) })
	}
	f.on("github.com/o/both/zipball/v1", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusMultipleChoices) })
	f.on("github.com/o/both/zipball/refs/heads/v1", func(w http.ResponseWriter, r *http.Request) { w.Write(data) })
	f.on("github.com/o/down/tree/main/", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	f.on("api.github.com/repos/o/tok/branches", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Write([]byte(`[{"name": "x", "commit": {"sha": "ff"}}]`))
	})
	f.on("github.com/o/tok/zipball/x", func(w http.ResponseWriter, r *http.Request) { w.Write(data) })

	trusts := map[Trust]any{TrustCheck: "check", TrustAlways: true, TrustAsk: false}
	for name, c := range map[string]struct {
		repo          string
		trust         Trust
		answer        string
		list          string
		folder        string
		reload, skip  bool
		token         string
		otherRequests bool // Go sends fewer or other ones
	}{
		"main":             {repo: "o/n", trust: TrustAlways},
		"master":           {repo: "o/old", trust: TrustAlways},
		"pinned":           {repo: "o/n:main", trust: TrustAlways},
		"owner":            {repo: "pytorch/n"},
		"asked, y":         {repo: "o/n:main", answer: "y"},
		"asked, Yes":       {repo: "o/n:main", answer: "Yes", list: "a_b\n"},
		"asked, n":         {repo: "o/n:main", answer: "n"},
		"asked, nothing":   {repo: "o/n:main"},
		"asked, other":     {repo: "o/n:main", answer: "what"},
		"listed":           {repo: "o/n:main", list: "x\n o_n \n"},
		"listed, another":  {repo: "o/n:main", list: "o_nn\n"},
		"False, listed":    {repo: "o/n:main", list: "o_n\n", trust: TrustAsk, answer: "y"},
		"False, listed, n": {repo: "o/n:main", list: "o_n\n", trust: TrustAsk, answer: "n"},
		"False":            {repo: "o/n:main", trust: TrustAsk, answer: "y"},
		"folder":           {repo: "o/n:main", folder: "o_n_main"},
		"folder, reload":   {repo: "o/n:main", folder: "o_n_main", reload: true},
		"underscore":       {repo: "o/under_score:main", list: "o_under_score\n"},
		"branch":           {repo: "o/pages:c", trust: TrustAlways},
		"tag":              {repo: "o/pages:v2", trust: TrustAlways},
		"commit":           {repo: "o/pages:0100", trust: TrustAlways},
		"slash":            {repo: "o/pages:feature/x", trust: TrustAlways, skip: true},
		"fork":             {repo: "o/pages:fork", trust: TrustAlways},
		"fork, skipped":    {repo: "o/pages:fork", trust: TrustAlways, skip: true},
		"ambiguous":        {repo: "o/both:v1", trust: TrustAlways, skip: true},
		"no such ref":      {repo: "o/n:none", trust: TrustAlways},
		"no such repo":     {repo: "o/none", trust: TrustAlways, skip: true},
		"server down":      {repo: "o/down", trust: TrustAlways},
		"token":            {repo: "o/n:main", trust: TrustAlways, token: "t0k"},
		"token refused":    {repo: "o/tok:x", trust: TrustAlways, token: "t0k"},
		"no token":         {repo: "o/lost:x", trust: TrustAlways},
		"no repo":          {repo: "o", trust: TrustAlways},
		"too long":         {repo: "o/n/m", trust: TrustAlways},
		"two refs":         {repo: "o/n:a:b", trust: TrustAlways},
	} {
		t.Run(name, func(t *testing.T) {
			prepare := func() string {
				home := t.TempDir()
				hub := filepath.Join(home, "hub")
				require.NoError(t, os.MkdirAll(filepath.Join(hub, c.folder), 0o755))
				if c.list != "" {
					require.NoError(t, os.WriteFile(filepath.Join(hub, "trusted_list"), []byte(c.list), 0o644))
				}
				return home
			}
			f.seen()
			python := prepare()
			var want struct {
				dir, err string
				asked    []string
			}
			var reply []any
			p.Call(nil, "environment", python, c.token)
			p.Call(&reply, "fetch", c.repo, trusts[c.trust], c.answer, c.reload, c.skip)
			want.dir, want.err = reply[0].(string), reply[1].(string)
			for _, q := range reply[2].([]any) {
				want.asked = append(want.asked, q.(string))
			}
			requests := f.seen()

			home := prepare()
			t.Setenv("TORCH_HOME", home)
			t.Setenv("GITHUB_TOKEN", c.token)
			var asked []string
			opts := f.options(WithTrust(c.trust), WithPrompt(answering(&asked, c.answer)))
			if c.reload {
				opts = append(opts, WithForceReload())
			}
			if c.skip {
				opts = append(opts, WithSkipValidation())
			}
			dir, err := Repository(t.Context(), c.repo, opts...)
			require.Equal(t, want.err != "", err != nil, "Python: %s; Go: %v", want.err, err)
			require.Equal(t, want.asked, asked)
			require.Equal(t, requests, f.seen())
			if err == nil {
				require.Equal(t, filepath.Base(want.dir), filepath.Base(dir))
			}
			require.Equal(t, tree(t, python), tree(t, home))
		})
	}
}

// TestOneRepositoryCacheWithPython lets one use what the other has fetched and trusted.
func TestOneRepositoryCacheWithPython(t *testing.T) {
	p := pythonHub(t)
	f := newFakeGitHub(t)
	p.Call(nil, "point", f.server.URL)
	f.repo(t, "o", "n", "main", map[string]string{"hubconf.py": "from math import floor\ndef m():\n    'Doc of m.'\n    return 3\n"})
	noPrompt := func(*testing.T) []Option {
		return f.options(WithPrompt(answering(new([]string), "n")))
	}
	fromGo := func() {
		_, err := Repository(t.Context(), "o/n:main", f.options(WithTrust(TrustAlways))...)
		require.NoError(t, err)
	}
	fromPython := func() {
		var reply []any
		p.Call(&reply, "fetch", "o/n:main", true, "n", false, false)
		require.Empty(t, reply[1])
	}
	for _, first := range []func(){fromGo, fromPython} {
		home := hubHome(t)
		p.Call(nil, "environment", filepath.Dir(home), "")
		first()
		require.Equal(t, 1, strings.Count(strings.Join(f.seen(), "\n"), "zipball"))
		list, err := os.ReadFile(filepath.Join(home, "trusted_list"))
		require.NoError(t, err)
		require.Equal(t, "o_n\n", string(list))

		// Neither asks nor fetches again.
		var three int
		p.Call(&three, "load", "o/n:main", "m")
		require.Equal(t, 3, three)
		var want []string
		p.Call(&want, "names", "o/n:main")
		got, err := List(t.Context(), "o/n:main", noPrompt(t)...)
		require.NoError(t, err)
		require.Equal(t, want, got)
		var doc string
		p.Call(&doc, "doc", "o/n:main", "m")
		text, err := Help(t.Context(), "o/n:main", "m", noPrompt(t)...)
		require.NoError(t, err)
		require.Equal(t, doc, text)
		require.Empty(t, f.seen())

		// The list alone lets the other fetch.
		for _, second := range []func() string{
			func() string {
				var reply []any
				p.Call(&reply, "fetch", "o/n:main", "check", "n", false, false)
				return reply[1].(string)
			},
			func() string {
				_, err := Repository(t.Context(), "o/n:main", noPrompt(t)...)
				if err != nil {
					return err.Error()
				}
				return ""
			},
		} {
			require.NoError(t, os.RemoveAll(filepath.Join(home, "o_n_main")))
			require.Empty(t, second())
			require.True(t, slices.ContainsFunc(f.seen(), func(s string) bool { return strings.Contains(s, "zipball") }))
		}
	}
}
