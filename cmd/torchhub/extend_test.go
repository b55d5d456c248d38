package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/safetensors"
)

// toy is an architecture in one file. %s is the URL of its weights.
const toy = `// Package toy holds an architecture that tells toys apart.
package toy

import (
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func init() {
	models.RegisterClasses("toys", []string{"ball", "bear", "kite"})
	models.Register(models.Entry{
		Name: "toy", Repo: "example/toys", Title: "Toys", Paper: "https://example.com/toys",
		Build: func() any { return &Toy{FC: nn.NewLinear(3*4*4, 3)} },
		Weights: []models.Weights{{Name: "V1", URL: %q, Preset: models.ClassificationPreset{Resize: 4, Crop: 4}, Classes: "toys", Params: 147}},
	})
}

// Toy is a linear classifier.
type Toy struct{ FC *nn.Linear }

// Forward maps pictures x [N, 3, 4, 4] to logits [N, 3].
func (m *Toy) Forward(x *torch.Tensor) *torch.Tensor { return m.FC.Forward(x.Flatten(1)) }
`

// toySource is a kind of repositories in one file: "toy:SCALE" holds one model, whose logits are SCALE times the means of the colors.
const toySource = `package hub

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
)

var toySource = sourceKind{
	is:     func(repo string) bool { return strings.HasPrefix(repo, "toy:") },
	single: true,
	open: func(_ context.Context, _ *loader, repo string) (source, error) {
		scale, err := strconv.ParseFloat(strings.TrimPrefix(repo, "toy:"), 64)
		return toyRepository(scale), err
	},
}

type toyRepository float64

func (r toyRepository) names() ([]string, error) { return nil, fmt.Errorf("it has one model") }

func (r toyRepository) help(context.Context, *loader, string) (string, error) {
	return fmt.Sprintf("Scales by %g.\n", float64(r)), nil
}

func (r toyRepository) files(context.Context, *loader, string) ([]string, error) { return nil, nil }

func (r toyRepository) load(ctx context.Context, l *loader, _ string) (*Model, error) {
	if err := initialize(ctx, l.device); err != nil {
		return nil, err
	}
	m := &Model{name: "toy source", module: &scaled{float64(r)}, labels: []string{"red", "green", "blue"},
		steps: &Preprocess{Preset: models.ClassificationPreset{Resize: 4, Crop: 4}}}
	return m.start(l.device)
}

type scaled struct{ by float64 }

func (s *scaled) Forward(x *torch.Tensor) *torch.Tensor { return x.Mean(2, 3).MulScalar(s.by) }
`

// toyFormat is a format in one file: a text file with a scale behind the word toy.
const toyFormat = `package hub

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/torchhub/torchhub/internal/filekind"
)

var toyFormat = format{
	name: "toy",
	is: func(_ filekind.Kind, file string) bool {
		text, err := head(file, 4)
		return err == nil && text == "toy "
	},
	load: func(_ context.Context, _ *loader, m *Model, f modelFile) (*filled, error) {
		text, err := os.ReadFile(f.path)
		if err != nil {
			return nil, err
		}
		var s scaled
		if _, err := fmt.Fscanf(strings.NewReader(string(text)), "toy %g", &s.by); err != nil {
			return nil, err
		}
		m.module = &s
		return nil, nil
	},
}
`

// TestExtend adds an architecture to the module, one new file and one line in
// models/all, a kind of repositories and a format, each one new file in hub and a
// row of its table, and runs models of them by the command. The module is not copied to a folder: an
// overlay gives the go command a copy that differs in these files alone, so that it
// compiles only what depends on them.
func TestExtend(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the command")
	}
	dir := t.TempDir()
	weights := toyWeights(t, dir)
	m := module{}
	m.add(t, "models/toy/toy.go", fmt.Sprintf(toy, (&url.URL{Scheme: "file", Path: filepath.ToSlash(weights)}).String()))
	m.change(t, "models/all/all.go", func(s string) string {
		return s + "\nimport _ \"github.com/torchhub/torchhub/models/toy\"\n"
	})
	m.add(t, "hub/toysource.go", toySource)
	m.change(t, "hub/source.go", func(s string) string {
		return strings.Replace(s, "	hfSource,\n", "	toySource,\n	hfSource,\n", 1)
	})
	m.add(t, "hub/toyformat.go", toyFormat)
	m.change(t, "hub/format.go", func(s string) string {
		return strings.Replace(s, "	&torchScriptFormat,\n", "	&toyFormat,\n	&torchScriptFormat,\n", 1)
	})
	torchhub := m.build(t)

	picture := filepath.Join(dir, "g.png")
	require.NoError(t, os.WriteFile(picture, builtin.Picture(), 0o666))
	var p prediction
	require.NoError(t, json.Unmarshal([]byte(torchhub("predict", "-m", "toy", "--json", picture)), &p))
	require.Equal(t, "toy", p.Model)
	require.Equal(t, []string{"kite", "ball", "bear"}, names(p.Top))
	require.Contains(t, torchhub("list"), "\ntoy ")
	require.Contains(t, torchhub("show", "toy"), "3 of toys\n")
	require.Equal(t, "toy\n", torchhub("list", "example/toys"))

	require.NoError(t, json.Unmarshal([]byte(torchhub("predict", "-m", "toy:1000", "--json", picture)), &p))
	require.Equal(t, "toy source", p.Model)
	first := names(p.Top)
	require.NoError(t, json.Unmarshal([]byte(torchhub("predict", "-m", "toy:-1000", "--json", picture)), &p))
	slices.Reverse(first)
	require.Equal(t, first, names(p.Top))
	require.Equal(t, "Scales by 2.\n", torchhub("show", "toy:2"))

	scale := filepath.Join(dir, "scale.toy")
	require.NoError(t, os.WriteFile(scale, []byte("toy 1000\n"), 0o666))
	require.NoError(t, json.Unmarshal([]byte(torchhub("predict", "-m", "toy", "--weights", scale, "--json", picture)), &p))
	require.Equal(t, "toy", p.Model)
	require.Len(t, p.Top, 3)
	require.NotEqual(t, []string{"kite", "ball", "bear"}, names(p.Top), "the architecture's weights were not loaded")
}

// toyWeights writes a state dict of the toy, for which each picture is a kite, and returns its path.
func toyWeights(t *testing.T, dir string) string {
	file := filepath.Join(dir, "toy.safetensors")
	require.NoError(t, safetensors.SaveFile(torch.StateDict{
		{Name: "fc.weight", Tensor: torch.Zeros(3, 48)},
		{Name: "fc.bias", Tensor: torch.FromSlice([]float32{1, 0, 2}, 3)},
	}, file, nil))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	sum := sha256.Sum256(data)
	named := filepath.Join(dir, fmt.Sprintf("toy-%x.safetensors", sum[:4]))
	require.NoError(t, os.Rename(file, named))
	return named
}

func names(labels []hub.Label) []string {
	var all []string
	for _, l := range labels {
		all = append(all, l.Name)
	}
	return all
}

// A module is a copy of this one in which the files of these paths have another text.
type module map[string]string

// add adds a file, which must be new.
func (m module) add(t *testing.T, path, text string) {
	require.NoFileExists(t, filepath.Join("../..", filepath.FromSlash(path)))
	m[path] = text
}

// change gives a file another text.
func (m module) change(t *testing.T, path string, edit func(string) string) {
	text, err := os.ReadFile(filepath.Join("../..", filepath.FromSlash(path)))
	require.NoError(t, err)
	m[path] = edit(string(text))
}

// build builds the command of the copy, and returns what runs it for its output.
func (m module) build(t *testing.T) func(args ...string) string {
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range m {
		file := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o666))
		overlay.Replace[filepath.Join(root, filepath.FromSlash(path))] = file
	}
	data, err := json.Marshal(overlay)
	require.NoError(t, err)
	file := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(file, data, 0o666))
	command := filepath.Join(dir, "torchhub")
	out, err := exec.Command("go", "build", "-overlay", file, "-o", command, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	home := t.TempDir()
	return func(args ...string) string {
		c := exec.Command(command, args...)
		c.Env = append(os.Environ(), "TORCH_HOME="+home)
		var errs bytes.Buffer
		c.Stderr = &errs
		out, err := c.Output()
		require.NoError(t, err, "%q: %s", args, errs.String())
		return string(out)
	}
}
