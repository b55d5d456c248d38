package hub

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// TestOneCacheWithPython lets Python and Go ask for the same files, in both
// orders: the second one downloads nothing.
func TestOneCacheWithPython(t *testing.T) {
	p := reference.Start(t, `
import os, torch

def save(file):
    torch.save({"w": torch.arange(1000.)}, file)

def load(home, url, check_hash):
    os.environ["TORCH_HOME"] = home
    return torch.hub.load_state_dict_from_url(url, check_hash=check_hash, progress=False, weights_only=True)["w"]
`)
	source := filepath.Join(t.TempDir(), "w.pth")
	p.Call(nil, "save", source)
	data, err := os.ReadFile(source)
	require.NoError(t, err)
	f := &flaky{body: data, etag: `"v1"`}
	url := serve(t, f.ServeHTTP)
	for _, name := range []string{"w.pth", "w-" + digest(data)[:8] + ".pth"} {
		hashed := strings.Contains(name, "-")
		home := t.TempDir()
		t.Setenv("TORCH_HOME", home)
		address := url + "/models/" + name + "?download=1"
		fromPython := func() []float32 {
			var a reference.Array
			p.Call(&a, "load", home, address, hashed)
			return reference.Data[float32](a)
		}
		fromGo := func() []float32 {
			s, err := LoadStateDictFromURL(t.Context(), address, quick()...)
			require.NoError(t, err)
			defer s.Free()
			return torch.Data[float32](s.Get("w"))
		}
		for _, order := range [][2]func() []float32{{fromPython, fromGo}, {fromGo, fromPython}} {
			require.NoError(t, os.RemoveAll(filepath.Join(home, "hub")))
			f.requests.Store(0)
			first := order[0]()
			require.EqualValues(t, 1, f.requests.Load())
			require.Equal(t, first, order[1]())
			require.EqualValues(t, 1, f.requests.Load())
			require.Equal(t, []string{name}, files(t, filepath.Join(home, "hub", "checkpoints")))
		}
	}
}

// TestOneHFCacheWithPython does so with huggingface_hub: the contents of a file
// are fetched once, and each understands the other's links, refs and hints.
func TestOneHFCacheWithPython(t *testing.T) {
	hfPython(t) // is it installed?
	h := newFakeHub(t, hfFiles())
	t.Setenv("HF_TOKEN", "hf_secret")
	h.tags["v2"] = commit2
	// The variables are read when the module is imported.
	python := func(cache string) *reference.Process {
		return reference.Start(t, `
import os
os.environ.update(HF_ENDPOINT="`+h.URL+`", HF_HUB_OFFLINE="0", HF_TOKEN="hf_secret", HF_HUB_CACHE="`+cache+`", HF_HUB_DISABLE_TELEMETRY="1")
import huggingface_hub as hub
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

def get(repo, file, revision, offline):
    try:
        return hub.hf_hub_download(repo, file, revision=revision or None, local_files_only=offline)
    except LocalEntryNotFoundError:
        return "not here"
    except EntryNotFoundError:
        return "no such file"

def known(repo, file):
    r = hub.try_to_load_from_cache(repo, file)
    return "none" if r is None else r if isinstance(r, str) else "no such file"

def scan():
    info = hub.scan_cache_dir()
    return [[str(w) for w in info.warnings], sorted([r.repo_id, f.file_name, f.size_on_disk, str(rev.commit_hash), sorted(rev.refs)] for r in info.repos for rev in r.revisions for f in rev.files)]
`)
	}
	gets := func() (n int) {
		for _, r := range h.requests() {
			if strings.HasPrefix(r, "GET") {
				n++
			}
		}
		return n
	}
	for _, order := range []string{"Python first", "Go first"} {
		t.Run(order, func(t *testing.T) {
			cache := filepath.Join(t.TempDir(), "hub")
			p := python(cache)
			opts := quick(WithCacheDir(cache))
			fromGo := func(file, revision string, offline bool) string {
				repo := "o/n"
				if revision != "" {
					repo += "@" + revision
				}
				path, err := HFDownload(t.Context(), repo, file, append(opts, WithOffline(offline))...)
				require.NoError(t, err)
				return path
			}
			fromPython := func(file, revision string, offline bool) (path string) {
				p.Call(&path, "get", "o/n", file, revision, offline)
				return path
			}
			first, second := fromPython, fromGo
			if order == "Go first" {
				first, second = fromGo, fromPython
			}
			h.requests()
			for _, c := range []struct{ file, revision string }{{"config.json", ""}, {"model.safetensors", ""}, {"sub/vocab.txt", "v2"}, {"config.json", commit2}} {
				h.fetched.Store(0)
				path := first(c.file, c.revision, false)
				require.Positive(t, gets()+int(h.fetched.Load()), c)
				h.fetched.Store(0)
				require.Equal(t, path, second(c.file, c.revision, false))
				require.Equal(t, path, second(c.file, c.revision, true), "offline")
				require.Equal(t, path, first(c.file, c.revision, true), "offline")
				require.Zero(t, gets()+int(h.fetched.Load()), "fetched again: %v", c)
			}
			// A file that is not there is remembered by both.
			if order == "Go first" {
				_, err := HFDownload(t.Context(), "o/n", "none.json", opts...)
				require.Error(t, err)
				var got string
				p.Call(&got, "known", "o/n", "none.json")
				require.Equal(t, "no such file", got)
			} else {
				require.Equal(t, "no such file", fromPython("none.json", "", false))
				_, err := HFDownload(t.Context(), "o/n", "none.json", append(opts, WithOffline(true))...)
				require.ErrorContains(t, err, "does not exist")
			}
			var scan []any
			p.Call(&scan, "scan")
			require.Equal(t, []any{[]any{}, []any{
				[]any{"o/n", "config.json", 8., commit1, []any{"main"}},
				[]any{"o/n", "config.json", 8., commit2, []any{"v2"}},
				[]any{"o/n", "model.safetensors", 307200., commit1, []any{"main"}},
				[]any{"o/n", "vocab.txt", 5., commit2, []any{"v2"}},
			}}, scan)
			require.Zero(t, h.leaked.Load())
		})
	}

	t.Run("at once", func(t *testing.T) {
		cache := filepath.Join(t.TempDir(), "hub")
		p := python(cache)
		h.pause.Store(int64(20 * time.Millisecond)) // some 400 ms in all
		defer h.pause.Store(0)
		h.fetched.Store(0)
		var wg sync.WaitGroup
		var fromPython, fromGo string
		var err error
		wg.Go(func() {
			fromGo, err = HFDownload(t.Context(), "o/n", "model.safetensors", quick(WithCacheDir(cache))...)
		})
		p.Call(&fromPython, "get", "o/n", "model.safetensors", "", false)
		wg.Wait()
		require.NoError(t, err)
		require.Equal(t, fromPython, fromGo)
		require.EqualValues(t, 1, h.fetched.Load(), "the lock of either holds the other off")
	})
}
