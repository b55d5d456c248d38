package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/safetensors"
	"github.com/torchhub/torchhub/transforms"
)

// letters is the entry of the built-in model, with its file called name.
func letters(name string) Entry {
	return Entry{
		Doc: "Letters.", License: "BSD-3-Clause",
		Artifacts:  []Artifact{{Format: TorchScript, URL: name, SHA256: digest(builtin.Model()), Size: int64(len(builtin.Model()))}},
		Preprocess: &Preprocess{Preset: builtin.Preset()},
		Labels:     &Labels{Names: builtin.Labels()},
	}
}

func hubconf(t *testing.T, entries map[string]Entry) string {
	data, err := json.MarshalIndent(Hubconf{Version: 1, Entries: entries}, "", "  ")
	require.NoError(t, err)
	_, err = ParseHubconf(data)
	require.NoError(t, err)
	return string(data)
}

// classifies runs a model of letters on its picture.
func classifies(t *testing.T, m *Model) {
	t.Helper()
	top, err := m.Classify(t.Context(), letterG(t), 1)
	require.NoError(t, err)
	require.Equal(t, "letter G", top[0].Name)
	require.NoError(t, m.Close())
}

func TestHubconfMistakes(t *testing.T) {
	base := func() map[string]any {
		return map[string]any{"hubconf": 1, "entries": map[string]any{"m": map[string]any{
			"artifacts": []any{map[string]any{"format": "torchscript", "url": "a/m.pt", "sha256": strings.Repeat("0", 64), "size": 1}},
		}}}
	}
	entry := func(c map[string]any) map[string]any { return c["entries"].(map[string]any)["m"].(map[string]any) }
	artifact := func(c map[string]any) map[string]any { return entry(c)["artifacts"].([]any)[0].(map[string]any) }
	object := func(s string) any {
		var v any
		require.NoError(t, json.Unmarshal([]byte(s), &v))
		return v
	}
	data, err := json.Marshal(base())
	require.NoError(t, err)
	_, err = ParseHubconf(data)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(c map[string]any)
		want   string
	}{
		"version":           {func(c map[string]any) { c["hubconf"] = 2 }, "hubconf: value must be 1"},
		"no version":        {func(c map[string]any) { delete(c, "hubconf") }, "missing property 'hubconf'"},
		"unknown":           {func(c map[string]any) { c["models"] = 1 }, "additional properties 'models' not allowed"},
		"case":              {func(c map[string]any) { entry(c)["Doc"] = "" }, "entries.m: additional properties 'Doc' not allowed"},
		"no entries":        {func(c map[string]any) { c["entries"] = map[string]any{} }, "entries: "},
		"entry's name":      {func(c map[string]any) { c["entries"].(map[string]any)["_m"] = entry(c) }, "'_m' does not match"},
		"no artifacts":      {func(c map[string]any) { entry(c)["artifacts"] = []any{} }, "entries.m.artifacts: "},
		"format":            {func(c map[string]any) { artifact(c)["format"] = "onnx" }, "entries.m.artifacts[0].format: value must be one of"},
		"hash":              {func(c map[string]any) { artifact(c)["sha256"] = strings.Repeat("A", 64) }, "entries.m.artifacts[0].sha256: "},
		"no hash":           {func(c map[string]any) { delete(artifact(c), "sha256") }, "entries.m.artifacts[0]: missing property 'sha256'"},
		"size":              {func(c map[string]any) { artifact(c)["size"] = 0 }, "entries.m.artifacts[0].size: "},
		"text for size":     {func(c map[string]any) { artifact(c)["size"] = "1" }, "entries.m.artifacts[0].size: got string, want"},
		"parent":            {func(c map[string]any) { artifact(c)["url"] = "../m.pt" }, "entries.m.artifacts[0].url: \"../m.pt\" is not a path below"},
		"inner parent":      {func(c map[string]any) { artifact(c)["url"] = "a/../../m.pt" }, "artifacts[0].url: "},
		"absolute":          {func(c map[string]any) { artifact(c)["url"] = "/etc/passwd" }, "artifacts[0].url: "},
		"backslash":         {func(c map[string]any) { artifact(c)["url"] = `a\..\m.pt` }, "artifacts[0].url: "},
		"http":              {func(c map[string]any) { artifact(c)["url"] = "http://example.com/m.pt" }, "neither a path nor an https URL"},
		"file":              {func(c map[string]any) { artifact(c)["url"] = "file:///etc/m.pt" }, "neither a path nor an https URL"},
		"file of localhost": {func(c map[string]any) { artifact(c)["url"] = "file://localhost/etc/m.pt" }, "neither a path nor an https URL"},
		"labels' file URL": {func(c map[string]any) {
			entry(c)["labels"] = object(`{"url": "file:///etc/l", "sha256": "` + strings.Repeat("0", 64) + `", "size": 3}`)
		}, "entries.m.labels.url: "},
		"ftp":                {func(c map[string]any) { artifact(c)["url"] = "ftp://example.com/m.pt" }, "neither a path nor an https URL"},
		"host only":          {func(c map[string]any) { artifact(c)["url"] = "//example.com/m.pt" }, "neither a path nor an https URL"},
		"no file":            {func(c map[string]any) { artifact(c)["url"] = "https://example.com/" }, "names no file"},
		"device":             {func(c map[string]any) { artifact(c)["device"] = "tpu" }, "artifacts[0].device: "},
		"needs architecture": {func(c map[string]any) { artifact(c)["format"] = "state_dict" }, "missing property 'architecture'"},
		"needs none":         {func(c map[string]any) { artifact(c)["architecture"] = object(`{"name": "resnet18"}`) }, "artifacts[0].architecture: "},
		"architecture": {func(c map[string]any) {
			artifact(c)["format"], artifact(c)["architecture"] = "safetensors", object(`{"name": "resnet5"}`)
		}, "entries.m.artifacts[0].architecture: no model \"resnet5\"; did you mean"},
		"arguments": {func(c map[string]any) {
			artifact(c)["format"], artifact(c)["architecture"] = "safetensors", object(`{"name": "resnet18", "arguments": {"num_classes": -1}}`)
		}, "entries.m.artifacts[0].architecture: num_classes is -1"},
		"two names": {func(c map[string]any) {
			a := artifact(c)
			a["name"] = "x"
			entry(c)["artifacts"] = []any{a, a}
		}, "entries.m.artifacts[1].name: \"x\" comes twice"},
		"labels":      {func(c map[string]any) { entry(c)["labels"] = "CIFAR" }, "entries.m.labels"},
		"empty label": {func(c map[string]any) { entry(c)["labels"] = []any{"a", ""} }, "entries.m.labels"},
		"labels' file": {func(c map[string]any) {
			entry(c)["labels"] = object(`{"url": "../l", "sha256": "` + strings.Repeat("0", 64) + `", "size": 3}`)
		}, "entries.m.labels.url: "},
		"preprocess": {func(c map[string]any) { entry(c)["preprocess"] = object(`{}`) }, "entries.m.preprocess: "},
		"two ways": {func(c map[string]any) {
			entry(c)["preprocess"] = object(`{"transforms": [{"name": "ToTensor"}], "classification": {"resize_size": 1, "crop_size": 1}}`)
		}, "entries.m.preprocess: "},
		"transform": {func(c map[string]any) {
			entry(c)["preprocess"] = object(`{"transforms": [{"name": "Lambda"}, {"name": "ToTensor"}]}`)
		}, "entries.m.preprocess.transforms[0].name: there is no transform \"Lambda\"; there are CenterCrop, "},
		"its argument": {func(c map[string]any) {
			entry(c)["preprocess"] = object(`{"transforms": [{"name": "Resize", "arguments": {"size": [1, 2, 3]}}]}`)
		}, "entries.m.preprocess.transforms[0].arguments.size"},
		"another's": {func(c map[string]any) {
			entry(c)["preprocess"] = object(`{"transforms": [{"name": "CenterCrop", "arguments": {"size": 3, "mean": 1}}]}`)
		}, "entries.m.preprocess.transforms[0].arguments: additional properties 'mean'"},
		"no arguments": {func(c map[string]any) { entry(c)["preprocess"] = object(`{"transforms": [{"name": "Resize"}]}`) }, "entries.m.preprocess.transforms[0]: missing property 'arguments'"},
		"std": {func(c map[string]any) {
			entry(c)["preprocess"] = object(`{"transforms": [{"name": "ToTensor"}, {"name": "Normalize", "arguments": {"mean": [0], "std": [0]}}]}`)
		}, "entries.m.preprocess.transforms[1].arguments: "},
		"max_size": {func(c map[string]any) {
			entry(c)["preprocess"] = object(`{"transforms": [{"name": "Resize", "arguments": {"size": 30, "max_size": 20}}]}`)
		}, "entries.m.preprocess.transforms[0].arguments: "},
		"no tensor": {func(c map[string]any) {
			entry(c)["preprocess"] = object(`{"transforms": [{"name": "CenterCrop", "arguments": {"size": 3}}]}`)
		}, "entries.m.preprocess.transforms: ToTensor is missing; give it once"},
		"crop": {func(c map[string]any) {
			entry(c)["preprocess"] = object(`{"classification": {"resize_size": 256, "crop_size": 0}}`)
		}, "entries.m.preprocess.classification.crop_size: "},
		"required":       {func(c map[string]any) { entry(c)["requires"] = object(`{"libtorch": "new"}`) }, "entries.m.requires.libtorch: "},
		"control":        {func(c map[string]any) { entry(c)["license"] = "a\x1b[31m" }, "entries.m.license: "},
		"long text":      {func(c map[string]any) { entry(c)["doc"] = strings.Repeat("x", 20001) }, "entries.m.doc: "},
		"page":           {func(c map[string]any) { entry(c)["homepage"] = "javascript:alert(1)" }, "entries.m.homepage: "},
		"shape":          {func(c map[string]any) { entry(c)["inputs"] = object(`[{"shape": [1, -3], "dtype": "float32"}]`) }, "entries.m.inputs[0].shape[1]: "},
		"many artifacts": {func(c map[string]any) { entry(c)["artifacts"] = make([]any, 101) }, "entries.m.artifacts: "},
	} {
		t.Run(name, func(t *testing.T) {
			conf := base()
			c.change(conf)
			data, err := json.Marshal(conf)
			require.NoError(t, err)
			_, err = ParseHubconf(data)
			require.ErrorContains(t, err, c.want)
			require.True(t, strings.HasPrefix(err.Error(), "hub: hubconf.json: "))
			require.NotContains(t, err.Error(), "\n")
		})
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":      {"", "it is not JSON"},
		"cut":        {`{"hubconf": 1, "entries": {`, "it is not JSON"},
		"text":       {"hello", "it is not JSON"},
		"comma":      {`{"hubconf": 1,}`, "it is not JSON"},
		"more":       {string(data) + "{}", "something follows"},
		"twice":      {`{"hubconf": 1, "entries": {"m": {"doc": "a", "doc": "b"}}}`, `entries.m: the field "doc" comes twice`},
		"twice deep": {`{"hubconf": 1, "entries": {"m": {"artifacts": [{}, {"url": 1, "url": 2}]}}}`, `entries.m.artifacts[1]: the field "url" comes twice`},
		"nameless":   {`{"": 1}`, "a field has no name"},
		"deep":       {strings.Repeat("[", 10000), "nested more than 32 deep"},
		"latin":      {"{\"a\": \"\xe9\"}", "it is not UTF-8"},
		"array":      {"[]", "got array, want object"},
		"null":       {"null", "got null, want object"},
	} {
		_, err := ParseHubconf([]byte(c.text))
		require.ErrorContains(t, err, c.want, name)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestLoadLocal(t *testing.T) {
	hubHome(t)
	dir := t.TempDir()
	other := letters("models/letters.pt")
	other.Preprocess = &Preprocess{Transforms: []Step{
		{Name: "Resize", Arguments: json.RawMessage(fmt.Sprint(`{"size": `, builtin.Preset().Resize, `, "interpolation": "`, builtin.Preset().Interpolation, `"}`))},
		{Name: "CenterCrop", Arguments: json.RawMessage(fmt.Sprintf(`{"size": [%d, %[1]d]}`, builtin.Preset().Crop))},
		{Name: "ToTensor"},
		{Name: "Normalize", Arguments: func() json.RawMessage {
			b, err := json.Marshal(map[string]any{"mean": builtin.Preset().Mean, "std": builtin.Preset().Std})
			require.NoError(t, err)
			return b
		}()},
	}}
	list := strings.Join(builtin.Labels(), "\r\n") + "\r\n"
	other.Labels = &Labels{File: &File{URL: "labels.txt", SHA256: digest([]byte(list)), Size: int64(len(list))}}
	bare := letters("models/letters.pt")
	bare.Preprocess, bare.Labels = nil, nil
	writeTree(t, dir, map[string]string{
		"models/letters.pt": string(builtin.Model()), "labels.txt": list,
		"hubconf.json": hubconf(t, map[string]Entry{"letters": letters("models/letters.pt"), "other": other, "bare": bare}),
	})
	local := []Option{WithSource("local"), WithNotice(nil)}
	names, err := List(t.Context(), dir, local...)
	require.NoError(t, err)
	require.Equal(t, []string{"bare", "letters", "other"}, names)
	text, err := Help(t.Context(), dir, "letters", local...)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("Letters.\nletters.pt, torchscript, %s, license BSD-3-Clause\n", terminal.Size(int64(len(builtin.Model())))), text)
	m, err := Load(t.Context(), dir, "letters", local...)
	require.NoError(t, err)
	require.Equal(t, "letters", m.Name())
	require.Equal(t, builtin.Preset(), m.Preset())
	want, err := m.Logits(t.Context(), letterG(t))
	require.NoError(t, err)
	classifies(t, m)
	m, err = Load(t.Context(), dir, "other", local...)
	require.NoError(t, err)
	require.Equal(t, builtin.Labels(), m.Labels())
	require.Zero(t, m.Preset())
	got, err := m.Logits(t.Context(), letterG(t))
	require.NoError(t, err)
	require.Equal(t, want, got)
	classifies(t, m)

	m, err = Load(t.Context(), dir, "bare", local...)
	require.NoError(t, err)
	_, err = m.Classify(t.Context(), letterG(t), 1)
	require.ErrorContains(t, err, "does not say how pictures are prepared")
	require.Nil(t, m.Preprocess())
	c := builtin.Preset().Crop
	y, err := m.Call(t.Context(), torch.Zeros(1, 3, c, c))
	require.NoError(t, err)
	require.Equal(t, []int{1, len(builtin.Labels())}, y.(*torch.Tensor).Shape())
	_, err = m.Call(t.Context(), torch.Zeros(1, 2, c, c))
	require.Error(t, err)
	require.NoError(t, m.Close())
	_, err = m.Call(t.Context(), torch.Zeros(1, 3, c, c))
	require.ErrorIs(t, err, torch.ErrClosed)

	_, err = Load(t.Context(), dir, "none", local...)
	require.ErrorContains(t, err, "Cannot find callable none in hubconf.json of "+dir+"; there are bare, letters, other")
	_, err = Load(t.Context(), dir, "letters", append(local, WithWeights(filepath.Join(dir, "labels.txt")))...)
	require.ErrorContains(t, err, "it is a text file, not weights")

	writeTree(t, dir, map[string]string{"hubconf.py": "def more(): pass\nVALUE = 1\n"})
	_, err = Load(t.Context(), dir, "more", local...)
	require.ErrorContains(t, err, "torchhub export "+dir+" more")
	_, err = Load(t.Context(), dir, "VALUE", local...)
	require.ErrorContains(t, err, "Cannot find callable VALUE in hubconf.json")

	script := filepath.Join(dir, "models", "letters.pt")
	flipped := []byte(strings.Replace(string(builtin.Model()), "PK", "KP", 1))
	require.NoError(t, os.WriteFile(script, flipped, 0o644))
	_, err = Load(t.Context(), dir, "letters", local...)
	require.ErrorContains(t, err, "sha256 is "+digest(flipped)+", want "+digest(builtin.Model()))
	require.NoError(t, os.WriteFile(script, flipped[1:], 0o644))
	_, err = Load(t.Context(), dir, "letters", local...)
	require.ErrorContains(t, err, fmt.Sprintf("has %d bytes, want %d", len(flipped)-1, len(flipped)))
	require.NoError(t, os.WriteFile(script, []byte("version https://git-lfs.github.com/spec/v1\noid sha256:1\n"), 0o644))
	_, err = Load(t.Context(), dir, "letters", local...)
	require.ErrorContains(t, err, "Git LFS")
	require.NoError(t, os.Remove(script))
	_, err = Load(t.Context(), dir, "letters", local...)
	require.ErrorContains(t, err, "there is no file "+script)
}

func TestLoadFromGitHub(t *testing.T) {
	f := newFakeGitHub(t)
	home := hubHome(t)
	entry := letters("letters.pt")
	entry.Artifacts = append(entry.Artifacts, entry.Artifacts[0])
	entry.Artifacts[0].Name, entry.Artifacts[0].URL = "release", "https://github.com/o/n/releases/download/v1/weights.pt"
	entry.Artifacts[1].Name = "tree"
	f.repo(t, "o", "n", "main", map[string]string{"hubconf.json": hubconf(t, map[string]Entry{"letters": entry}), "letters.pt": string(builtin.Model())})
	f.text("github.com/o/n/releases/download/v1/weights.pt", string(builtin.Model()))
	m, err := Load(t.Context(), "o/n", "letters", f.options(WithTrust(TrustAlways))...)
	require.NoError(t, err)
	classifies(t, m)
	require.Contains(t, f.seen(), "github.com/o/n/releases/download/v1/weights.pt")
	file := filepath.Join(home, "checkpoints", "weights-"+digest(builtin.Model())[:8]+".pt")
	require.FileExists(t, file)

	m, err = Load(t.Context(), "o/n:main", "letters", f.options()...)
	require.NoError(t, err)
	classifies(t, m)
	require.Empty(t, f.seen(), "all of it is in the cache")
	m, err = Load(t.Context(), "o/n:main", "letters", f.options(WithWeights("tree"))...)
	require.NoError(t, err)
	classifies(t, m)

	// What somebody changed in the cache is not what is loaded.
	require.NoError(t, os.WriteFile(file, []byte("something else"), 0o644))
	m, err = Load(t.Context(), "o/n:main", "letters", f.options()...)
	require.NoError(t, err)
	classifies(t, m)
	require.Equal(t, []string{"github.com/o/n/releases/download/v1/weights.pt"}, f.seen())

	f.text("github.com/o/n/releases/download/v1/weights.pt", "something else")
	require.NoError(t, os.Remove(file))
	_, err = Load(t.Context(), "o/n:main", "letters", f.options()...)
	require.ErrorAs(t, err, new(*HashError))
	require.NoFileExists(t, file)
}

func TestLoadFromURL(t *testing.T) {
	f := newFakeGitHub(t)
	home := hubHome(t)
	f.text("example.com/models/hubconf.json", hubconf(t, map[string]Entry{"letters": letters("sub/letters.pt")}))
	f.text("example.com/models/sub/letters.pt", string(builtin.Model()))
	_, err := Load(t.Context(), "https://example.com/models", "letters", f.options(WithPrompt(no))...)
	require.ErrorIs(t, err, ErrUntrusted)
	require.Empty(t, f.seen())
	for _, u := range []string{"https://example.com/models", "https://example.com/models/", "https://example.com/models/hubconf.json?token=x"} {
		m, err := Load(t.Context(), u, "letters", f.options(WithTrust(TrustAlways))...)
		require.NoError(t, err, u)
		classifies(t, m)
	}
	list, err := os.ReadFile(filepath.Join(home, "trusted_list"))
	require.NoError(t, err)
	require.Equal(t, "https://example.com/models/hubconf.json\n", string(list))
	f.text("example.com/models/hubconf.json", hubconf(t, map[string]Entry{"newer": letters("sub/letters.pt")}))
	names, err := List(t.Context(), "https://example.com/models", f.options()...)
	require.NoError(t, err)
	require.Equal(t, []string{"newer"}, names)
	f.on("example.com/gone/hubconf.json", http.NotFound)
	_, err = List(t.Context(), "https://example.com/gone", f.options(WithTrust(TrustAlways))...)
	require.ErrorContains(t, err, "404")
	_, err = List(t.Context(), "https://github.com/o/n.git", f.options()...)
	require.ErrorContains(t, err, "give the repository as o/n")
	_, err = List(t.Context(), "http://example.com/models", f.options(WithTrust(TrustAlways))...)
	require.ErrorContains(t, err, "not an https URL")

	// A stranger's file may not name this machine's.
	f.text("example.com/spy/hubconf.json", hubconf(t, map[string]Entry{"m": letters("http://127.0.0.1:80/x.pt")}))
	_, err = Load(t.Context(), "https://example.com/spy", "m", f.options(WithTrust(TrustAlways))...)
	require.ErrorContains(t, err, "is a server of this machine")
	f.server.Close()
	names, err = List(t.Context(), "https://example.com/models", f.options()...)
	require.NoError(t, err, "the last one is taken where there is no network")
	require.Equal(t, []string{"newer"}, names)
}

func TestRequirements(t *testing.T) {
	dir := t.TempDir()
	conf := map[string]Entry{}
	for name, change := range map[string]func(e *Entry){
		"cuda": func(e *Entry) { e.Artifacts[0].Device = "cuda" },
		"new":  func(e *Entry) { e.Requires = &Requires{Libtorch: "99.1"} },
		"old":  func(e *Entry) { e.Requires = &Requires{Libtorch: "2.0"} },
		"first": func(e *Entry) {
			e.Artifacts = append(e.Artifacts, e.Artifacts[0], e.Artifacts[0])
			e.Artifacts[0].Device = "cuda"
			e.Artifacts[1].Requires = &Requires{Libtorch: "99"}
		},
	} {
		e := letters("letters.pt")
		change(&e)
		conf[name] = e
	}
	writeTree(t, dir, map[string]string{"letters.pt": string(builtin.Model()), "hubconf.json": hubconf(t, conf)})
	local := []Option{WithSource("local"), WithNotice(nil)}
	_, err := Load(t.Context(), dir, "cuda", local...)
	require.ErrorContains(t, err, "runs on cuda only")
	_, err = Load(t.Context(), dir, "new", local...)
	require.ErrorContains(t, err, "it needs libtorch 99.1, and "+torch.Version()+" is in use")
	for _, name := range []string{"old", "first"} {
		m, err := Load(t.Context(), dir, name, local...)
		require.NoError(t, err)
		classifies(t, m)
	}
	for _, c := range []struct {
		have, want string
		older      bool
	}{
		{"2.15.0+cpu", "2.15", false}, {"2.9.1", "2.15", true}, {"2.15.0", "2.15.1", true}, {"3.0", "2.99.99", false},
		{"1.2.3-rc1", "1.2.3", false}, {"2.15.0a0", "2.15.0", false}, {"1.0", "", false},
	} {
		require.Equal(t, c.older, older(c.have, c.want), "%+v", c)
	}
}

func TestRegister(t *testing.T) {
	e := letters("file:///" + strings.TrimPrefix(filepath.ToSlash(filepath.Join(t.TempDir(), "letters.pt")), "/"))
	require.NoError(t, os.WriteFile(strings.TrimPrefix(e.Artifacts[0].URL, "file://"), builtin.Model(), 0o644))
	hubHome(t)
	t.Cleanup(func() {
		registry.Lock()
		defer registry.Unlock()
		delete(registry.repos, "testowner/registered")
	})
	Register("TestOwner/registered", "letters", e)
	names, err := List(t.Context(), "testowner/Registered:any")
	require.NoError(t, err)
	require.Equal(t, []string{"letters"}, names)
	for _, repo := range []string{"TestOwner/registered", "", "testowner/registered:v1"} {
		m, err := Load(t.Context(), repo, "letters", quick(WithNotice(nil))...)
		require.NoError(t, err)
		classifies(t, m)
	}
	_, err = Load(t.Context(), "TestOwner/registered", "resnet18")
	require.ErrorContains(t, err, "TestOwner/registered has no such model; it is one of pytorch/vision")
	// The package is passed over where GitHub is asked for.
	_, err = Load(t.Context(), "TestOwner/registered:main", "letters", WithSource("github"), WithPrompt(no))
	require.ErrorIs(t, err, ErrUntrusted)

	bad := func(change func(e *Entry)) Entry {
		e := letters("https://example.com/letters.pt")
		change(&e)
		return e
	}
	for _, c := range []struct {
		repo, name string
		e          Entry
		want       string
	}{
		{"TestOwner/registered", "letters", e, "it is registered already"},
		{"TestOwner", "letters", e, "is not a repository"},
		{"TestOwner/x:v1", "letters", e, "has a ref"},
		{"TestOwner/x", "", e, "name is empty"},
		{"TestOwner/x", "a", Entry{}, "there are no artifacts"},
		{"TestOwner/x", "a", letters("letters.pt"), "is not a URL"},
		{"TestOwner/x", "a", letters("http://example.com/letters.pt"), "neither a path nor an https URL"},
		{"TestOwner/x", "a", bad(func(e *Entry) { e.Artifacts[0].SHA256 = "" }), "is not a SHA-256"},
		{"TestOwner/x", "a", bad(func(e *Entry) { e.Artifacts[0].Format = StateDict }), "architecture"},
		{"TestOwner/x", "a", bad(func(e *Entry) { e.Preprocess = &Preprocess{Preset: models.ClassificationPreset{}} }), "preprocess.classification"},
	} {
		var e *torch.Error
		require.ErrorAs(t, torch.Try(func() { Register(c.repo, c.name, c.e) }), &e)
		require.Contains(t, e.Msg, c.want)
	}
}

// State dicts fill the architecture that the hubconf.json names, with its
// arguments, and give Python's numbers.
func TestArchitectures(t *testing.T) {
	p := reference.Start(t, `
import torch
from torchvision.models.resnet import ResNet, BasicBlock, Bottleneck
from torchvision import models
made = {}
def save(name, file, wrapped=False):
    torch.manual_seed(3)
    m = {"own": lambda: ResNet(Bottleneck, [1, 1, 1, 1], num_classes=7, groups=2, width_per_group=32),
         "changed": lambda: models.resnet18(num_classes=5)}[name]().eval()
    made[name] = m
    if file.endswith(".safetensors"):
        from safetensors.torch import save_file
        save_file(m.state_dict(), file)
    elif wrapped:
        s = {"module." + k: v for k, v in m.state_dict().items()}
        torch.save({"epoch": 3, "model_state": s, "optimizer": {"lr": [1.0, torch.ones(3)]}}, file)
    else:
        torch.save(m.state_dict(), file)
def run(name):
    torch.manual_seed(4)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        return [x, made[name](x)]
`)
	hubHome(t)
	dir := t.TempDir()
	conf := map[string]Entry{}
	for name, a := range map[string]Architecture{
		"own":     {"resnet", json.RawMessage(`{"block": "Bottleneck", "layers": [1, 1, 1, 1], "num_classes": 7, "groups": 2, "width_per_group": 32}`)},
		"changed": {"resnet18", json.RawMessage(`{"num_classes": 5}`)},
	} {
		file := filepath.Join(dir, name+".pth")
		p.Call(nil, "save", name, file)
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		conf[name] = Entry{Artifacts: []Artifact{{Format: StateDict, URL: name + ".pth", SHA256: digest(data), Size: int64(len(data)), Architecture: &a}}}
		if name == "own" { // once more, inside of a checkpoint
			p.Call(nil, "save", name, filepath.Join(dir, "training.pth"), true)
			data, err := os.ReadFile(filepath.Join(dir, "training.pth"))
			require.NoError(t, err)
			in := Artifact{Name: "right", Format: StateDict, URL: "training.pth", SHA256: digest(data), Size: int64(len(data)), Architecture: &a, Key: "model_state", Prefix: "module."}
			key, prefix, none := in, in, in
			key.Name, key.Key = "key", "optimizer"
			none.Name, none.Key = "none", "ema"
			prefix.Name, prefix.Prefix = "prefix", "model."
			conf["training"] = Entry{Artifacts: []Artifact{in, key, prefix, none}}
		}
	}
	writeTree(t, dir, map[string]string{"hubconf.json": hubconf(t, conf)})
	for weights, want := range map[string]string{"key": "it holds no state dict", "none": `it has no key "ema"`, "prefix": `none of its names begins with the prefix "model."`} {
		_, err := Load(t.Context(), dir, "training", WithSource("local"), WithWeights(weights))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "damaged")
	}
	for name := range conf {
		m, err := Load(t.Context(), dir, name, WithSource("local"))
		require.NoError(t, err)
		var want [2]reference.Array
		p.Call(&want, "run", strings.Replace(name, "training", "own", 1))
		torch.NoGrad(func() {
			x := torch.FromSlice(reference.Data[float32](want[0]), want[0].Shape...)
			y := m.Forward(x)
			require.Equal(t, want[1].Shape, y.Shape())
			near(t, reference.Data[float32](want[1]), torch.Data[float32](y))
		})
		require.NoError(t, m.Close())
	}
}

func FuzzHubconf(f *testing.F) {
	with := func(p models.Preset) Entry {
		e := letters("letters.pt")
		e.Preprocess = &Preprocess{Preset: p}
		return e
	}
	for _, e := range []map[string]Entry{
		{"letters": letters("letters.pt")},
		{"segmentation": with(models.SegmentationPreset{Resize: 520}), "detection": with(models.DetectionPreset{}), "flow": with(models.OpticalFlowPreset{}),
			"video": with(models.VideoClassificationPreset{Resize: []int{128, 171}, Crop: []int{112, 112}})},
		{"a": {Artifacts: []Artifact{{
			Format: StateDict, URL: "https://example.com/a-0123456789.pth", SHA256: strings.Repeat("1", 64), Size: 5,
			Architecture: &Architecture{"resnet50", json.RawMessage(`{"num_classes": 3}`)},
		}}, Labels: &Labels{Set: models.ImageNet}, Inputs: []Input{{[]int{1, 3, 224, 224}, "float32"}}}},
	} {
		data, err := json.Marshal(Hubconf{Version: 1, Entries: e})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseHubconf(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q", err)
			}
			return
		}
		again, err := json.Marshal(c)
		if err == nil {
			_, err = ParseHubconf(again)
		}
		if err != nil {
			t.Fatalf("what was read does not come back: %v\n%s", err, again)
		}
		for _, e := range c.Entries {
			e.help()
			for _, a := range e.Artifacts {
				at := &url.URL{Scheme: "https", Host: "example.com", Path: "/base/hubconf.json"}
				if _, raw, err := (place{url: at}).resolve(a.URL); err == nil && !strings.HasPrefix(raw, "https://") {
					t.Fatalf("%q is %s", a.URL, raw)
				}
				if file, _, err := (place{dir: "/base"}).resolve(a.URL); err == nil && file != "" && !strings.HasPrefix(file, "/base/") {
					t.Fatalf("%q is %s", a.URL, file)
				}
			}
		}
	})
}

func letterG(t *testing.T) image.Image {
	img, err := transforms.Decode(bytes.NewReader(builtin.Picture()))
	require.NoError(t, err)
	return img
}

func TestSafetensorsArtifact(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	hubHome(t)
	dir := t.TempDir()
	arguments := json.RawMessage(`{"block": "BasicBlock", "layers": [1, 1, 1, 1], "num_classes": 3}`)
	build, err := models.Configure("resnet", arguments)
	require.NoError(t, err)
	torch.ManualSeed(1)
	made := build().(nn.Module)
	nn.Eval(made)
	require.NoError(t, safetensors.SaveFile(nn.StateDict(made), filepath.Join(dir, "m.safetensors"), nil))
	err = Pack(t.Context(), dir, "m", Entry{Artifacts: []Artifact{{URL: "m.safetensors", Architecture: &Architecture{"resnet", arguments}}}})
	require.NoError(t, err)
	conf, err := Validate(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, Safetensors, conf.Entries["m"].Artifacts[0].Format)
	m, err := Load(t.Context(), dir, "m", WithSource("local"))
	require.NoError(t, err)
	torch.NoGrad(func() {
		x := torch.Ones(1, 3, 40, 40)
		require.Equal(t, torch.Data[float32](made.Forward(x)), torch.Data[float32](m.Forward(x)))
	})
	require.NoError(t, m.Close())
	conf.Entries["m"].Artifacts[0].Architecture.Name = "resnet50"
	conf.Entries["m"].Artifacts[0].Architecture.Arguments = nil
	writeTree(t, dir, map[string]string{"hubconf.json": hubconf(t, conf.Entries)})
	_, err = Validate(t.Context(), dir)
	require.ErrorContains(t, err, "entries.m.artifacts[0]: ")
	require.ErrorContains(t, err, "missing")
}

// Native code runs only where it is trusted by itself.
func TestNativeCode(t *testing.T) {
	home := hubHome(t)
	dir := t.TempDir()
	native := zipped(t, "m/data/aotinductor/model/x.so", "no library", "m/archive_format", "pt2")
	writeTree(t, dir, map[string]string{"native.pt2": string(native), "letters.pt": string(builtin.Model())})
	both := letters("letters.pt")
	package2 := Artifact{URL: "native.pt2"}
	both.Artifacts = []Artifact{package2, {URL: "letters.pt"}}
	only := Entry{Artifacts: []Artifact{package2}}
	require.NoError(t, Pack(t.Context(), dir, "both", both))
	require.NoError(t, Pack(t.Context(), dir, "only", only))
	var asked []string
	load := func(name string, answer string, opts ...Option) error {
		asked = nil
		m, err := Load(t.Context(), dir, name, append([]Option{WithSource("local"), WithNotice(nil), WithPrompt(answering(&asked, answer))}, opts...)...)
		if err == nil {
			m.Close()
		}
		return err
	}
	require.NoError(t, load("both", "n"), "the other artifact is taken")
	require.Empty(t, asked)
	require.ErrorIs(t, load("only", "n"), ErrUntrusted)
	require.Len(t, asked, 1)
	require.Contains(t, asked[0], "holds native code, which runs with all your rights (sha256 "+digest(native)+")")
	require.ErrorIs(t, load("only", ""), ErrUntrusted)
	require.ErrorIs(t, load("only", "", WithTrust(TrustAlways)), ErrUntrusted, "to trust the repository is not enough")
	require.ErrorIs(t, load("only", "n", WithWeights(filepath.Join(dir, "native.pt2"))), ErrUntrusted, "nor to name the file")
	_, err := os.Stat(filepath.Join(home, "trusted_native"))
	if err == nil {
		list, err := os.ReadFile(filepath.Join(home, "trusted_native"))
		require.NoError(t, err)
		require.Empty(t, list)
	}
	err = load("only", "y") // this one is no package that could run
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrUntrusted)
	list, err := os.ReadFile(filepath.Join(home, "trusted_native"))
	require.NoError(t, err)
	require.Equal(t, digest(native)+"\n", string(list))
	require.NotErrorIs(t, load("only", "n"), ErrUntrusted)
	require.Empty(t, asked, "it is remembered")
	require.ErrorIs(t, load("only", "n", WithNativeCode(TrustAsk)), ErrUntrusted)
	require.Len(t, asked, 1)
	require.NoError(t, os.Remove(filepath.Join(home, "trusted_native")))
	require.NotErrorIs(t, load("only", "n", WithNativeCode(TrustAlways)), ErrUntrusted)
	require.Empty(t, asked)
}

// TorchScript of a URL given as weights runs only where it is trusted by itself.
func TestTrustOfScripts(t *testing.T) {
	home := hubHome(t)
	script := builtin.Model()
	at := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write(script) }) + "/other.pt?token=secret"
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{"letters.pt": string(script)})
	require.NoError(t, Pack(t.Context(), dir, "m", letters("letters.pt")))
	var asked []string
	load := func(answer string, opts ...Option) error {
		asked = nil
		m, err := Load(t.Context(), dir, "m", append([]Option{WithSource("local"), WithNotice(nil), WithPrompt(answering(&asked, answer))}, opts...)...)
		if err == nil {
			classifies(t, m)
			m.Close()
		}
		return err
	}
	require.NoError(t, load("n"), "an entry's own artifact is trusted with its repository")
	require.NoError(t, load("n", WithWeights(filepath.Join(dir, "letters.pt"))), "a local file is trusted")
	require.NoError(t, load("n", WithWeights("file://"+filepath.ToSlash(filepath.Join(dir, "letters.pt")))))
	require.Empty(t, asked)
	err := load("n", WithWeights(at))
	require.ErrorIs(t, err, ErrUntrusted)
	require.ErrorContains(t, err, "/other.pt is a program, which is not trusted; pass WithTrust(TrustAlways)")
	require.NotContains(t, err.Error()+asked[0], "secret")
	require.Len(t, asked, 1)
	require.Contains(t, asked[0], "/other.pt is a program, which runs in this process (sha256 "+digest(script)+")")
	require.ErrorIs(t, load("", WithWeights(at), WithNativeCode(TrustAlways)), ErrUntrusted)
	require.NoError(t, load("y", WithWeights(at)))
	list, err := os.ReadFile(filepath.Join(home, "trusted_scripts"))
	require.NoError(t, err)
	require.Equal(t, digest(script)+"\n", string(list))
	require.NoError(t, load("n", WithWeights(at)))
	require.Empty(t, asked, "it is remembered")
	require.ErrorIs(t, load("n", WithWeights(at), WithTrust(TrustAsk)), ErrUntrusted)
	require.NoError(t, os.Remove(filepath.Join(home, "trusted_scripts")))
	require.NoError(t, load("n", WithWeights(at), WithTrust(TrustAlways)))
	require.Empty(t, asked)
}

// A repository of the Hugging Face Hub is read as tensors, so that a program in it is refused and not run.
func TestHFRunsNoScript(t *testing.T) {
	newFakeHub(t, map[string][]byte{"o/script/config.json": []byte(timmResNet18), "o/script/pytorch_model.bin": builtin.Model()})
	_, err := Load(t.Context(), "hf:o/script", "", quick(WithNotice(nil))...)
	require.ErrorContains(t, err, "TorchScript")
	at := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write(builtin.Model()) }) + "/other.pt"
	_, err = Load(t.Context(), "hf:o/script", "", quick(WithNotice(nil), WithWeights(at))...)
	require.ErrorContains(t, err, "TorchScript")
}

// TestOnlyPython asks folders for models that only a hubconf.py has.
func TestOnlyPython(t *testing.T) {
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{"hubconf.py": "def m():\n    'Makes m.'\n"})
	got, err := List(t.Context(), dir, WithSource("local"))
	require.NoError(t, err)
	require.Equal(t, []string{"m"}, got)
	text, err := Help(t.Context(), dir, "m", WithSource("LOCAL"))
	require.NoError(t, err)
	require.Equal(t, "Makes m.", text)
	_, err = Load(t.Context(), dir, "m", WithSource("local"))
	require.ErrorContains(t, err, "torchhub export "+dir+" m")
	_, err = Load(t.Context(), dir, "none", WithSource("local"))
	require.ErrorContains(t, err, "Cannot find callable none in hubconf")
	_, err = List(t.Context(), t.TempDir(), WithSource("local"))
	require.ErrorContains(t, err, "has no hubconf.json and no hubconf.py")
	_, err = List(t.Context(), dir, WithSource("gitlab"))
	require.ErrorContains(t, err, `Unknown source: "gitlab". Allowed values: "github" | "local".`)
}

func writeTree(t *testing.T, dir string, files map[string]string) {
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte(text), 0o644))
	}
}

// TestSchemaNamesFormats compares the formats of the schema with those there are.
func TestSchemaNamesFormats(t *testing.T) {
	var schema struct {
		Defs struct {
			Artifact struct {
				Properties struct {
					Format struct {
						Enum []Format `json:"enum"`
					} `json:"format"`
				} `json:"properties"`
				If struct {
					Properties struct {
						Format struct {
							Enum []Format `json:"enum"`
						} `json:"format"`
					} `json:"properties"`
				} `json:"if"`
			} `json:"artifact"`
		} `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(HubconfSchema, &schema))
	var all, fill []Format
	for _, row := range formats {
		all = append(all, row.name)
		if row.stateDict {
			fill = append(fill, row.name)
		}
	}
	require.ElementsMatch(t, all, schema.Defs.Artifact.Properties.Format.Enum)
	require.ElementsMatch(t, fill, schema.Defs.Artifact.If.Properties.Format.Enum)
}
