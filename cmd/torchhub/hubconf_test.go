package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/builtin"
)

// packed makes a folder with the built-in model as the entry letters.
func packed(t *testing.T) string {
	dir := t.TempDir()
	file := write(t, dir, "letters.pt", builtin.Model())
	labels := write(t, dir, "labels.txt", []byte(strings.Join(builtin.Labels(), "\n")))
	p := builtin.Preset()
	numbers := func(v []float64) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return strings.Trim(string(b), "[]")
	}
	preset, err := json.Marshal(hub.Preprocess{Preset: p})
	require.NoError(t, err)
	require.Contains(t, string(preset), numbers(p.Mean))
	out, errs, status := torchhub(t, nil, "pack", "-o", dir, "--doc", "Letters.", "--license", "BSD-3-Clause", "--labels", labels, "--preprocess", string(preset), "letters", file)
	require.Zero(t, status, errs)
	require.Equal(t, filepath.Join(dir, "hubconf.json")+": letters\n", out)
	return dir
}

func TestPackAndUse(t *testing.T) {
	dir := packed(t)
	out, errs, status := torchhub(t, nil, "validate", dir)
	require.Zero(t, status, errs)
	require.Equal(t, "letters: torchscript\n", out)
	out, _, status = torchhub(t, nil, "list", "--source", "local", dir)
	require.Zero(t, status)
	require.Equal(t, "letters\n", out)
	out, _, status = torchhub(t, nil, "show", "--source", "local", "--repo", dir, "letters")
	require.Zero(t, status)
	require.Contains(t, out, "Letters.\nletters.pt, torchscript, ")
	picture := write(t, t.TempDir(), "g.png", builtin.Picture())
	out, errs, status = torchhub(t, nil, "predict", "--device", "cpu", "--source", "local", "--repo", dir, "-m", "letters", picture)
	require.Zero(t, status, errs)
	require.Contains(t, out, "letter G")
	require.Contains(t, errs, "licensed under BSD-3-Clause")

	// A second entry leaves the first one.
	_, errs, status = torchhub(t, nil, "pack", "-o", dir, "--resize", "32", "--crop", "32", "--url", "https://example.com/models/", "second", filepath.Join(dir, "letters.pt"))
	require.Zero(t, status, errs)
	data, err := os.ReadFile(filepath.Join(dir, "hubconf.json"))
	require.NoError(t, err)
	conf, err := hub.ParseHubconf(data)
	require.NoError(t, err)
	require.Len(t, conf.Entries, 2)
	require.Equal(t, "https://example.com/models/letters.pt", conf.Entries["second"].Artifacts[0].URL)
	require.Equal(t, "labels.txt", conf.Entries["letters"].Labels.File.URL)
	require.Equal(t, models.ClassificationPreset{Resize: 32, Crop: 32}.WithDefaults(), conf.Entries["second"].Preprocess.Preset)

	// A model for another task.
	_, errs, status = torchhub(t, nil, "pack", "-o", dir, "--preprocess", `{"optical_flow": {}}`, "third", filepath.Join(dir, "letters.pt"))
	require.Zero(t, status, errs)
	require.Empty(t, errs)
	_, errs, status = torchhub(t, nil, "predict", "--repo", dir, "-m", "third", picture)
	require.Equal(t, 1, status)
	require.Contains(t, errs, "the number of pictures is 1, and optical flow is from one to another")

	schema, _, status := torchhub(t, nil, "validate", "--schema")
	require.Zero(t, status)
	require.True(t, json.Valid([]byte(schema)))
}

func TestHubconfCommandMistakes(t *testing.T) {
	dir := packed(t)
	file := filepath.Join(dir, "letters.pt")
	elsewhere := write(t, t.TempDir(), "letters.pt", builtin.Model())
	state, err := os.ReadFile("../../testdata/checkpoints/zip_state_dict.pt")
	require.NoError(t, err)
	other := write(t, dir, "state.pth", state)
	text := write(t, dir, "text.pt", []byte("hello"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hubconf.py"), []byte("def m():\n    '''Doc of m.'''\n"), 0o644))
	py := t.TempDir()
	write(t, py, "hubconf.py", []byte("def m():\n    '''Doc of m.'''\n"))
	bad := t.TempDir()
	write(t, bad, "hubconf.json", []byte(`{"hubconf": 1, "entries": {"m": {"artifacts": [{"format": "torchscript", "url": "x.pt", "sha256": "00", "size": 3}]}}}`))
	wrong := t.TempDir()
	_, errs, status := torchhub(t, nil, "pack", "-o", wrong, "m", write(t, wrong, "m.pt", builtin.Model()))
	require.Zero(t, status, errs)
	write(t, wrong, "m.pt", []byte("something else"))
	for name, c := range map[string]struct {
		args   []string
		want   string
		status int
	}{
		"elsewhere":       {[]string{"pack", "-o", dir, "x", elsewhere}, "is not in the folder", 1},
		"no file":         {[]string{"pack", "-o", dir, "x", filepath.Join(dir, "none.pt")}, "no such file", 1},
		"text":            {[]string{"pack", "-o", dir, "x", text}, "it is a text file, not weights", 1},
		"no architecture": {[]string{"pack", "-o", dir, "x", other}, "name the model that it belongs to with --architecture", 2},
		"architecture":    {[]string{"pack", "-o", dir, "--architecture", "resnet5", "x", other}, "did you mean resnet50", 2},
		"arguments":       {[]string{"pack", "-o", dir, "--arguments", "{}", "x", other}, "--arguments needs --architecture", 2},
		"two ways":        {[]string{"pack", "-o", dir, "--preset", "resnet50", "--crop", "3", "x", file}, "exclude each other", 2},
		"half a preset":   {[]string{"pack", "-o", dir, "--crop", "3", "x", file}, "need each other; give both", 2},
		"preset":          {[]string{"pack", "-o", dir, "--preset", "resnet5", "x", file}, "did you mean", 2},
		"name":            {[]string{"pack", "-o", dir, "_x", file}, "_x: the name of an entry begins with", 1},
		"http":            {[]string{"pack", "-o", dir, "--url", "http://example.com", "x", file}, "neither a path nor an https URL", 1},
		"nothing":         {[]string{"pack", "x"}, "the arguments do not fit", 2},
		"no hubconf":      {[]string{"validate", t.TempDir()}, "there is no file", 1},
		"no folder":       {[]string{"validate", filepath.Join(dir, "none")}, "there is no such file or folder", 1},
		"no argument":     {[]string{"validate"}, "name a hubconf.json", 2},
		"field":           {[]string{"validate", filepath.Join(bad, "hubconf.json")}, "entries.m.artifacts[0].sha256", 1},
		"other file":      {[]string{"validate", wrong}, "entries.m.artifacts[0]: ", 1},
		"python":          {[]string{"predict", "--source", "local", "--repo", py, "-m", "m", file}, "torchhub export " + py + " m", 1},
		"untrusted":       {[]string{"list", "nobody/nothing:main"}, "--trust", 1},
		"source":          {[]string{"list", "--source", "gitlab", "x/y"}, `Allowed values: "github" | "local".`, 1},
		"no model":        {[]string{"predict", "--repo", dir, file}, "--repo needs -m", 2},
		"method":          {[]string{"export", "--method", "onnx", py, "m"}, "--method is", 2},
		"input":           {[]string{"export", "--input", "1,x", py, "m"}, "--input is", 2},
		"dtype":           {[]string{"export", "--input", "1:complex64", py, "m"}, "no dtype", 2},
		"order":           {[]string{"export", py, "m", "a=1", "2"}, "stands behind one with a name", 2},
		"export's name":   {[]string{"export", "--name", "../m", py, "m"}, "is not a file name", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, err := os.ReadFile(filepath.Join(dir, "hubconf.json"))
			require.NoError(t, err)
			out, errs, status := torchhub(t, nil, c.args...)
			require.Equal(t, c.status, status, errs)
			require.Contains(t, errs, c.want)
			require.Equal(t, 1, strings.Count(errs, "\n"), errs)
			require.Empty(t, out)
			after, err := os.ReadFile(filepath.Join(dir, "hubconf.json"))
			require.NoError(t, err)
			require.Equal(t, string(before), string(after))
		})
	}
}

const exported = `
dependencies = ["torch"]
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout()
        self.fc = nn.Linear(8, n)

    def forward(self, x):
        return self.fc(self.drop(self.norm(self.conv(x)).relu().mean([2, 3])))

class Odd(Net):
    def forward(self, x, *more, **kw):
        out = super().forward(x)
        return {"out": out, "aux": [out * 2, x.sum().to(torch.float64)]}

class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(50, 4)

    def forward(self, ids, mask):
        return self.e(ids) * mask[..., None], ids.sum()

class Branches(Net):
    def forward(self, x):
        if x.sum() > 0: # which torch.export does not take
            x = x * 2
        return self.fc(self.conv(x).mean([2, 3]))

class Noisy(nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x)

def net(n=5, pretrained=False):
    """A net of n classes."""
    print("noise on stdout")
    assert isinstance(n, int) and isinstance(pretrained, bool)
    return Net(n)

def odd():
    return Odd(3)

def branches():
    return Branches(3)

def words():
    return Words()

def noisy():
    return Noisy()

def number():
    return 3
`

// TestExport makes models for Go with the reference Python.
func TestExport(t *testing.T) {
	python := os.Getenv(reference.Variable)
	if python == "" {
		t.Skip(reference.Variable + " is not set")
	}
	dir, to := t.TempDir(), t.TempDir()
	write(t, dir, "hubconf.py", []byte(exported))
	export := func(args ...string) (string, string, int) {
		return torchhub(t, nil, append([]string{"export", "--python", python, "--source", "local", "-o", to}, args...)...)
	}
	entry := func(name string) hub.Entry {
		data, err := os.ReadFile(filepath.Join(to, "hubconf.json"))
		require.NoError(t, err)
		c, err := hub.ParseHubconf(data)
		require.NoError(t, err)
		return c.Entries[name]
	}
	out, errs, status := export("--input", "2,3,32,32", "--resize", "32", "--crop", "32", dir, "net", "7", "pretrained=True")
	require.Zero(t, status, errs)
	require.Contains(t, out, "net.pt2: net by export")
	require.Contains(t, errs, "noise on stdout")
	e := entry("net")
	require.Equal(t, "A net of n classes.", e.Doc)
	require.Equal(t, hub.Exported, e.Artifacts[0].Format)
	require.Equal(t, []hub.Input{{Shape: []int{2, 3, 32, 32}, DType: "float32"}}, e.Inputs)
	m, err := hub.Load(t.Context(), to, "net", hub.WithSource("local"), hub.WithNotice(nil))
	require.NoError(t, err)
	img, err := openPicture(write(t, t.TempDir(), "p.png", pngOf(t, 50, 40)))
	require.NoError(t, err)
	logits, err := m.Logits(t.Context(), img)
	require.NoError(t, err)
	require.Len(t, logits, 7)
	require.NoError(t, m.Close())

	out, errs, status = export("--input", "2,3,32,32", "--name", "scripted", "--method", "script", dir, "net", "7", "pretrained=True")
	require.Zero(t, status, errs)
	require.Contains(t, out, "scripted.pt: net by script")
	_, errs, status = export("--input", "1,3,16,16", dir, "odd") // a dict of a tensor and a list
	require.Zero(t, status, errs)
	require.Contains(t, entry("odd").Artifacts[0].Doc, "by export of torch")
	_, errs, status = export("--input", "1,3,16,16", dir, "branches")
	require.Zero(t, status, errs)
	require.Contains(t, errs, "it was not exported by export")
	require.Contains(t, entry("branches").Artifacts[0].Doc, "by script of torch")
	_, errs, status = export("--input", "2,6:int64", "--input", "2,6", "--high", "50", "--name", "w", dir, "words")
	require.Zero(t, status, errs)
	require.Len(t, entry("w").Inputs, 2)
	out, errs, status = torchhub(t, nil, "validate", to)
	require.Zero(t, status, errs)
	require.Equal(t, "branches: torchscript\nnet: export\nodd: export\nscripted: torchscript\nw: export\n", out)

	t.Run("aot", func(t *testing.T) {
		home := t.TempDir()
		aot := t.TempDir()
		_, errs, status := torchhub(t, []string{"TORCH_HOME=" + home}, "export", "--python", python, "--source", "local", "-o", aot, "--method", "aot", "--input", "1,3,8,8", dir, "net")
		require.Zero(t, status, errs)
		out, errs, status := torchhub(t, nil, "validate", aot)
		require.Zero(t, status, errs)
		require.Equal(t, "net: aot_inductor\n", out)
		// On another machine, whose list is empty, the native code is not run unasked.
		picture := write(t, t.TempDir(), "p.png", pngOf(t, 8, 8))
		_, errs, status = torchhub(t, nil, "predict", "--device", "cpu", "--source", "local", "--repo", aot, "-m", "net", picture)
		require.Equal(t, 1, status)
		require.Contains(t, errs, "holds native code")
		require.Contains(t, errs, "--native-code")
		list, err := os.ReadFile(filepath.Join(home, "hub", "trusted_native"))
		require.NoError(t, err)
		require.Len(t, strings.TrimSpace(string(list)), 64)
	})

	before, err := os.ReadFile(filepath.Join(to, "hubconf.json"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no model":   {[]string{dir, "number"}, "it gives a builtins.int, and no torch.nn.Module"},
		"no entry":   {[]string{dir, "none"}, "Cannot find callable none in hubconf; there are "},
		"inputs":     {[]string{"--input", "2,3", dir, "net"}, "say what it takes with --input"},
		"argument":   {[]string{dir, "net", "size=3"}, "unexpected keyword argument 'size'"},
		"method":     {[]string{"--method", "script", "--input", "1,3,16,16", dir, "odd"}, "it cannot be exported: script: "},
		"random":     {[]string{"--input", "3", dir, "noisy"}, "differs from Python's by"},
		"no hubconf": {[]string{t.TempDir(), "net"}, "has no hubconf.py"},
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, status := export(c.args...)
			require.Equal(t, 1, status)
			require.Empty(t, out)
			require.Contains(t, errs, c.want)
			require.NotContains(t, errs, "internal error")
			after, err := os.ReadFile(filepath.Join(to, "hubconf.json"))
			require.NoError(t, err)
			require.Equal(t, string(before), string(after))
		})
	}
	names, err := filepath.Glob(filepath.Join(to, ".*"))
	require.NoError(t, err)
	require.Empty(t, names, "nothing is left aside")
}

// gitHub answers as GitHub would for owner/name, whose only branch is main.
type gitHub struct{ hubconf string }

func (g gitHub) RoundTrip(r *http.Request) (*http.Response, error) {
	var body bytes.Buffer
	switch {
	case strings.HasSuffix(r.URL.Path, "/branches"):
		body.WriteString(`[{"name": "main", "commit": {"sha": "0123"}}]`)
	case strings.HasSuffix(r.URL.Path, "/zipball/main"):
		z := zip.NewWriter(&body)
		w, err := z.Create("owner-name-0123/hubconf.py")
		if err != nil {
			return nil, err
		}
		w.Write([]byte(g.hubconf))
		if err := z.Close(); err != nil {
			return nil, err
		}
	case !strings.HasSuffix(r.URL.Path, "/tree/main/"):
		return nil, errors.New("no such page " + r.URL.String())
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(&body), ContentLength: int64(body.Len()), Request: r}, nil
}

// TestRepositoryCommands runs the commands in this process, with a GitHub of its own.
func TestRepositoryCommands(t *testing.T) {
	real := http.DefaultTransport
	http.DefaultTransport = gitHub{exported}
	defer func() { http.DefaultTransport = real }()
	home := t.TempDir()
	t.Setenv("TORCH_HOME", home)
	here := func(args ...string) (string, string, int) {
		var out, errs bytes.Buffer
		status := run(t.Context(), args, strings.NewReader(""), &out, &errs)
		return out.String(), errs.String(), status
	}
	_, errs, status := here("list", "owner/name")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "Untrusted repository. owner_name is not in the list of trusted repositories")
	out, errs, status := here("list", "--trust", "owner/name")
	require.Zero(t, status, errs)
	require.Equal(t, "Branches\nNet\nNoisy\nOdd\nWords\nbranches\nnet\nnoisy\nnumber\nodd\nwords\n", out)
	require.Contains(t, errs, `Downloading: "https://github.com/owner/name/zipball/main"`)
	out, errs, status = here("show", "--repo", "owner/name", "net") // trusted now
	require.Zero(t, status, errs)
	require.Equal(t, "A net of n classes.\n", out)
	require.Equal(t, "Using cache found in "+filepath.Join(home, "hub", "owner_name_main")+"\n", errs)
	_, errs, status = here("predict", "--repo", "owner/name", "-m", "net", "x.png")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "torchhub export owner/name net")

	python := os.Getenv(reference.Variable)
	if python == "" {
		t.Skip(reference.Variable + " is not set")
	}
	to := t.TempDir()
	out, errs, status = here("export", "--python", python, "-o", to, "--input", "1,3,9,9", "owner/name", "net")
	require.Zero(t, status, errs)
	require.Contains(t, out, "net by export")
	data, err := os.ReadFile(filepath.Join(to, "hubconf.json"))
	require.NoError(t, err)
	conf, err := hub.ParseHubconf(data)
	require.NoError(t, err)
	require.Equal(t, "https://github.com/owner/name", conf.Entries["net"].Homepage)
	require.Contains(t, conf.Entries["net"].Artifacts[0].Doc, "from owner/name by export of torch ")
}
