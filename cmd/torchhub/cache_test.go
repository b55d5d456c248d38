package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models/resnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/safetensors"
)

// hfHub answers as the Hugging Face Hub does for one small model, o/n, and says nothing of others.
func hfHub(t *testing.T) (url string) {
	torch.ManualSeed(1)
	net := resnet.New(resnet.Config{Layers: [4]int{1, 1, 1, 1}, NumClasses: 2})
	weights := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, safetensors.SaveFile(nn.StateDict(net), weights, nil))
	tensors, err := os.ReadFile(weights)
	require.NoError(t, err)
	files := map[string][]byte{
		"model.safetensors": tensors,
		"config.json":       []byte(`{"architecture": "resnet18", "model_args": {"layers": [1, 1, 1, 1]}, "label_names": ["cat", "dog"], "num_classes": 2, "pretrained_cfg": {"input_size": [3, 32, 32]}}`),
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		commit := strings.Repeat("a", 40)
		name, ok := strings.CutPrefix(strings.Replace(r.URL.Path, commit, "main", 1), "/o/n/resolve/main/")
		data, there := files[name]
		if !ok || !there {
			w.Header().Set("X-Error-Code", map[bool]string{true: "EntryNotFound", false: "RepoNotFound"}[ok])
			w.WriteHeader(http.StatusNotFound)
			return
		}
		sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...))
		w.Header().Set("X-Repo-Commit", commit)
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestDownloadAndCache(t *testing.T) {
	url := hfHub(t)
	home := t.TempDir()
	env := []string{"TORCH_HOME=" + home, "HF_HOME=" + filepath.Join(home, "hf"), "HF_ENDPOINT=" + url, "HF_HUB_CACHE=", "HF_TOKEN="}
	out, errs, status := torchhub(t, env, "cache", "ls")
	require.Zero(t, status, errs)
	require.Empty(t, out)
	require.Contains(t, errs, "the cache is empty; weights are kept in "+home)

	out, errs, status = torchhub(t, env, "download", "hf:o/n")
	require.Zero(t, status, errs)
	weights := strings.TrimSpace(out)
	require.FileExists(t, weights)
	require.Equal(t, "model.safetensors", filepath.Base(weights))
	picture := write(t, t.TempDir(), "p.png", pngOf(t, 40, 40))
	out, errs, status = torchhub(t, append(env, "TORCHHUB_OFFLINE=1"), "predict", "-m", "hf:o/n", "--device", "cpu", picture)
	require.Zero(t, status, errs)
	require.Contains(t, out, "o/n on cpu")
	require.Regexp(t, `% +(cat|dog)`, out)

	// One fails, the other does not.
	out, errs, status = torchhub(t, env, "download", "hf:o/none", "hf:o/n", "resnet1")
	require.Equal(t, 1, status)
	require.Equal(t, weights+"\n", out)
	require.Contains(t, errs, `torchhub: hf:o/none: fetch `+url+`/o/none/resolve/main/config.json: there is no repository o/none`)
	require.Contains(t, errs, `no model "resnet1"`)
	require.Equal(t, 2, strings.Count(errs, "\n"))

	checkpoints := filepath.Join(home, "hub", "checkpoints")
	require.NoError(t, os.MkdirAll(checkpoints, 0o777))
	sum := sha256.Sum256([]byte("good"))
	good := "good-" + hex.EncodeToString(sum[:4]) + ".pth"
	write(t, checkpoints, good, []byte("good"))
	write(t, checkpoints, "half.pth.partial", []byte("half"))
	out, errs, status = torchhub(t, env, "cache", "ls", "--json")
	require.Zero(t, status, errs)
	var names []string
	for l := range strings.Lines(out) {
		var e struct {
			Kind, Name, Path string
			Size             int64
		}
		require.NoError(t, json.Unmarshal([]byte(l), &e))
		require.NotZero(t, e.Size)
		names = append(names, e.Kind+" "+e.Name)
	}
	require.Equal(t, []string{"hugging face hf:o/n", "weights " + good, "partial half.pth.partial"}, names)

	out, errs, status = torchhub(t, env, "cache", "verify")
	require.Zero(t, status, errs)
	require.Equal(t, "ok\thf:o/n\nok\t"+good+"\nunknown\thalf.pth.partial\n", out)
	write(t, checkpoints, good, []byte("evil"))
	out, errs, status = torchhub(t, env, "cache", "verify", "good*")
	require.Equal(t, 1, status)
	require.Equal(t, "BAD\t"+good+"\n", out)
	require.Contains(t, errs, "it is damaged, remove it")

	out, errs, status = torchhub(t, env, "cache", "rm", "--partial", "--dry-run")
	require.Zero(t, status, errs)
	require.Equal(t, "half.pth.partial\n", out)
	require.Contains(t, errs, "would free 0.0 MiB")
	out, _, _ = torchhub(t, env, "cache", "rm", "--older", "1h")
	require.Empty(t, out)
	out, errs, status = torchhub(t, env, "cache", "rm", "--partial")
	require.Zero(t, status, errs)
	require.Equal(t, "half.pth.partial\n", out)
	out, errs, status = torchhub(t, env, "cache", "rm", "hf:*", good)
	require.Zero(t, status, errs)
	require.Equal(t, "hf:o/n\n"+good+"\n", out)
	require.NoFileExists(t, weights)
	out, _, _ = torchhub(t, env, "cache", "ls", "--json")
	require.Empty(t, out)

	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"download", 2, "the arguments do not fit \"torchhub download MODEL... [flags]\"; see torchhub download --help"},
		{"download --weights x resnet18 resnet34", 2, "--weights goes with one model"},
		{"cache rm", 2, "name what to remove"},
		{"cache rm nothing", 1, `nothing in the cache is called "nothing"`},
		{"cache verify [", 1, `nothing in the cache is called "["`},
		{"predict -m hf:o/none p.png", 1, "there is no repository o/none"},
		{"predict -m hf:o p", 1, "there is no repository o"},
	} {
		out, errs, status := torchhub(t, env, strings.Fields(c.args)...)
		require.Equal(t, c.status, status, c.args)
		require.Empty(t, out)
		require.Contains(t, errs, c.want)
		require.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
	out, _, status = torchhub(t, env, "cache")
	require.Zero(t, status)
	require.Contains(t, out, "verify")
}

// TestDownloadByName fetches an official file from a mirror.
func TestDownloadByName(t *testing.T) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		w.Write([]byte("not the weights"))
	}))
	defer s.Close()
	_, errs, status := torchhub(t, []string{"TORCHHUB_MIRROR=" + s.URL}, "download", "--weights", "IMAGENET1K_V1", "resnet50")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "sha256 is")
	require.Equal(t, []string{"/models/resnet50-0676ba61.pth"}, asked)
	_, errs, status = torchhub(t, []string{"TORCHHUB_MIRROR=" + s.URL, "TORCHHUB_OFFLINE=1"}, "download", "resnext101_32x8d_wsl")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "the network is forbidden")
	require.Len(t, asked, 1)
}
