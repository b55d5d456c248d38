package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// dict makes a dict of keys and values by turns.
func dict(kv ...torch.Value) *torch.Dict {
	d := &torch.Dict{}
	for i := 0; i < len(kv); i += 2 {
		d.Entries = append(d.Entries, torch.Entry{Key: kv[i], Value: kv[i+1]})
	}
	return d
}

// stateOf is the state dict of a resnet18, with a prefix before each name.
func stateOf(t *testing.T, arguments, prefix string, more ...torch.Value) *torch.Dict {
	build, err := models.Configure("resnet18", []byte(arguments))
	require.NoError(t, err)
	m, err := meta(build)
	require.NoError(t, err)
	d := dict(more...)
	for _, e := range nn.StateDict(m) {
		d.Entries = append(d.Entries, torch.Entry{Key: prefix + e.Name, Value: e.Tensor})
	}
	return d
}

func resnet18(t *testing.T) target {
	e, err := findRegistered("", "resnet18")
	require.NoError(t, err)
	to, err := newLoader(nil).target("resnet18", e, &e.Artifacts[0], true)
	require.NoError(t, err)
	to.classes = 1000
	return to
}

// TestFill fills a model from checkpoints as programs that train models write them.
func TestFill(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	x := torch.Ones(1)
	names := []torch.Value{"a", "b", "c"}
	three := `{"num_classes": 3}`
	for name, c := range map[string]struct {
		v           torch.Value
		key, prefix string
		given       [2]*string // the key and the prefix
		left        int
		classes     int
		labels      []string
	}{
		"plain":           {v: stateOf(t, "", "")},
		"training":        {v: dict("epoch", 3, "state_dict", stateOf(t, "", "module."), "best_acc1", 0.5, "optimizer", dict("state", dict(0, dict("exp_avg", x)))), key: "state_dict", prefix: "module."},
		"compiled":        {v: dict("model", stateOf(t, "", "module._orig_mod."), "optimizer", dict()), key: "model", prefix: "module._orig_mod."},
		"lightning":       {v: dict("pytorch-lightning_version", "2.0", "state_dict", stateOf(t, "", "model.", "criterion.weight", x)), key: "state_dict", prefix: "model.", left: 1},
		"average":         {v: dict("model_ema", stateOf(t, "", "module.", "n_averaged", x)), key: "model_ema", prefix: "module.", left: 1},
		"chosen key":      {v: dict("model", stateOf(t, "", ""), "model_ema", stateOf(t, "", "module.")), given: [2]*string{new("model_ema"), nil}, key: "model_ema", prefix: "module."},
		"chosen prefix":   {v: stateOf(t, "", "teacher.", flat(stateOf(t, "", "student."))...), given: [2]*string{nil, new("student.")}, prefix: "student.", left: 122},
		"ten classes":     {v: stateOf(t, `{"num_classes": 10}`, ""), classes: 10},
		"a list of names": {v: dict("model", stateOf(t, three, ""), "classes", names), key: "model", classes: 3, labels: []string{"a", "b", "c"}},
		"names to index":  {v: dict("state_dict", stateOf(t, three, ""), "class_to_idx", dict("c", 2, "a", 0, "b", 1)), key: "state_dict", classes: 3, labels: []string{"a", "b", "c"}},
		"index to names":  {v: dict("model", stateOf(t, three, ""), "meta", dict("id2label", dict("1", "b", "0", "a", "2", "c"))), key: "model", classes: 3, labels: []string{"a", "b", "c"}},
		"other names":     {v: dict("model", stateOf(t, three, ""), "classes", []torch.Value{"a", "b"}), key: "model", classes: 3},
	} {
		t.Run(name, func(t *testing.T) {
			to := resnet18(t)
			to.key, to.prefix = c.given[0], c.given[1]
			f, err := to.fill(c.v)
			require.NoError(t, err)
			require.Equal(t, torch.StateDictPlace{Key: c.key, Prefix: c.prefix}, f.place)
			require.Len(t, f.left, c.left)
			require.Equal(t, c.classes, f.classes)
			require.Equal(t, c.labels, f.labels)
			if c.classes > 0 {
				require.JSONEq(t, fmt.Sprintf(`{"num_classes": %d}`, c.classes), string(f.arguments))
				require.Equal(t, c.classes, nn.StateDict(f.module).Get("fc.weight").Size(0))
			}
		})
	}
}

func TestFillMistakes(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	other, err := models.New[nn.Module]("resnet50")
	require.NoError(t, err)
	fifty := dict()
	for _, e := range nn.StateDict(other) {
		fifty.Entries = append(fifty.Entries, torch.Entry{Key: e.Name, Value: e.Tensor})
	}
	for want, c := range map[string]struct {
		v    torch.Value
		help string
	}{
		`f: it holds 2 state dicts that fit resnet18 equally well, under the keys "model" and "model_ema"`: {dict("model", stateOf(t, "", ""), "model_ema", stateOf(t, "", "module.")), "choose one with WithKey"},
		`f: its names fit resnet18 equally well with the prefixes "student." and "teacher."`:               {stateOf(t, "", "teacher.", flat(stateOf(t, "", "student."))...), "choose one with WithPrefix"},
		`it is a checkpoint of resnet50`:      {fifty, ""},
		`it is a checkpoint of another model`: {dict("features.0.weight", torch.Ones(2)), ""},
		`f: the state dict does not fit the module: of the wrong shape "conv1.weight" [2] for [64, 3, 7, 7]`: {with(stateOf(t, "", ""), "conv1.weight", torch.Ones(2)), "give the arguments of the model with WithArguments"},
		`it holds no state dict: it is a dict whose key "epoch" holds an int`:                                {dict("epoch", 3), ""},
	} {
		_, err := resnet18(t).fill(c.v)
		var w *WeightsError
		if require.Error(t, err); strings.HasPrefix(want, "f: ") {
			require.ErrorAs(t, err, &w)
			w.File = "f"
		}
		require.ErrorContains(t, err, want)
		require.Equal(t, c.help, advice(err))
	}
}

// TestGivenCheckpoints loads checkpoints of Python by WithWeights.
func TestGivenCheckpoints(t *testing.T) {
	p := python(t)
	dir := t.TempDir()
	t.Setenv("TORCH_HOME", dir)
	ten := "{**s, 'fc.weight': s['fc.weight'][:10], 'fc.bias': s['fc.bias'][:10]}"
	for name, c := range map[string]struct {
		change  string
		options []Option
		notices []string
		labels  []string // nil: the entry's
	}{
		"training": {change: "lambda s: {'epoch': 3, 'state_dict': {'module.' + k: v for k, v in s.items()}, 'optimizer': {'state': {0: {'exp_avg': torch.ones(3)}}, 'param_groups': [{'lr': 0.1}]}}",
			notices: []string{`under the key "state_dict", without the prefix "module." of its names`}},
		"ten":       {change: "lambda s: " + ten, notices: []string{"has 10 classes in", "without names"}, labels: []string{}},
		"named":     {change: "lambda s: {'model': " + ten + ", 'classes': list('abcdefghij')}", notices: []string{"named by the checkpoint"}, labels: strings.Split("abcdefghij", "")},
		"labels":    {change: "lambda s: " + ten, options: []Option{WithLabels(strings.Split("ABCDEFGHIJ", ""))}, notices: []string{"has 10 classes in"}, labels: strings.Split("ABCDEFGHIJ", "")},
		"arguments": {change: "lambda s: " + ten, options: []Option{WithArguments(`{"num_classes": 10}`), WithLabels(strings.Split("ABCDEFGHIJ", ""))}, labels: strings.Split("ABCDEFGHIJ", "")},
	} {
		file := filepath.Join(dir, name+".pth")
		p.Call(nil, "save", "resnet18", file, "zip", c.change)
		var notice bytes.Buffer
		m, err := Load(t.Context(), "", "resnet18", append(c.options, WithWeights(file), WithNotice(&notice))...)
		require.NoError(t, err, name)
		for _, n := range c.notices {
			require.Contains(t, notice.String(), n)
		}
		if len(c.notices) == 0 {
			require.Empty(t, notice.String())
		}
		switch {
		case c.labels == nil:
			require.Len(t, m.Labels(), 1000)
		case len(c.labels) == 0:
			require.Nil(t, m.Labels())
		default:
			require.Equal(t, c.labels, m.Labels())
		}
		top, err := m.Classify(t.Context(), image.NewGray(image.Rect(0, 0, 50, 50)), 1)
		require.NoError(t, err)
		require.Len(t, top, 1)
		require.NoError(t, m.Close())
		require.NoError(t, os.Remove(file))
	}
}

// flat returns the keys and values of a dict by turns.
func flat(d *torch.Dict) []torch.Value {
	var out []torch.Value
	for _, e := range d.Entries {
		out = append(out, e.Key, e.Value)
	}
	return out
}

// with returns a dict with another value for a key.
func with(d *torch.Dict, key string, v torch.Value) *torch.Dict {
	for i := range d.Entries {
		if d.Entries[i].Key == key {
			d.Entries[i].Value = v
		}
	}
	return d
}

func TestReadLabels(t *testing.T) {
	file := filepath.Join(t.TempDir(), "labels.txt")
	for text, want := range map[string]any{
		"a\nb\n":                    []string{"a", "b"},
		"\ufeffa\r\nb":              []string{"a", "b"},
		"a\rb\r":                    []string{"a", "b"},
		"a b\n c\n\n\n":             []string{"a b", " c"},
		"a\n\nb\n":                  "line 2 is empty",
		"":                          "it is an empty file, not a text of one name a line",
		"\ufeff":                    "line 1 is empty",
		"\ufeff\ufeff":              "line 1 is empty",
		"\xff\xfea\x00\n\x00":       "it is UTF-16; save it as UTF-8",
		"caf\xe9\n":                 "it is not UTF-8; save it as such",
		"\x89PNG\r\n\x1a\n\x00\x00": "it is a PNG picture, not a text of one name a line",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		got, err := ReadLabels(file)
		if want, ok := want.(string); ok {
			require.ErrorContains(t, err, file+": "+want)
			continue
		}
		require.NoError(t, err, "%q", text)
		require.Equal(t, want, got)
	}
}

func TestWithClasses(t *testing.T) {
	build := withClasses(func(a []byte) (func() any, error) { return models.Configure("resnet18", a) }, json.RawMessage(`{"num_classes": 7}`))
	_, arguments, err := build(3)
	require.NoError(t, err)
	require.JSONEq(t, `{"num_classes": 3}`, string(arguments))
	_, _, err = build(-1)
	require.ErrorContains(t, err, "num_classes is -1")
}

// TestNewHead loads a model for other classes than its weights'.
func TestNewHead(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	torch.ManualSeed(1)
	whole, err := models.New[nn.Module]("squeezenet1_1")
	require.NoError(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "whole.pth")
	require.NoError(t, nn.SaveStateDict(file, whole))
	var notice bytes.Buffer
	load := func(file string, options ...Option) (*Model, error) {
		return Load(t.Context(), "", "squeezenet1_1", append(options, WithWeights(file), WithNotice(&notice))...)
	}
	torch.ManualSeed(2)
	m, err := load(file, WithNumClasses(7), WithLabels([]string{"a", "b", "c", "d", "e", "f", "g"}))
	require.NoError(t, err)
	defer m.Close()
	require.Contains(t, notice.String(), "squeezenet1_1 has new tensors for 7 classes, which are to be trained: classifier.1.weight, classifier.1.bias")
	old := nn.StateDict(whole)
	for _, e := range nn.StateDict(m.Module()) {
		want := old.Get(e.Name)
		if strings.HasPrefix(e.Name, "classifier.") {
			require.Equal(t, 7, e.Tensor.Size(0))
			require.NotEqual(t, torch.Meta, e.Tensor.Device())
			continue
		}
		require.Equal(t, torch.Data[float32](want.Detach()), torch.Data[float32](e.Tensor.Detach()), e.Name)
	}
	top, err := m.Classify(t.Context(), noise(40, 40), 3)
	require.NoError(t, err)
	require.Len(t, top, 3)
	require.NotEmpty(t, top[0].Name)

	script := filepath.Join("..", "models", "builtin", "model.pt")
	for want, c := range map[string]struct {
		file string
		n    int
	}{"the number of classes is 0": {file, 0}, "is a program": {script, 3}} {
		_, err := load(c.file, WithNumClasses(c.n))
		require.ErrorContains(t, err, want)
	}
}

// plain and trained are a model before and after an auxiliary layer is added.
type plain struct{ FC *nn.Linear }

type trained struct {
	plain
	Aux *nn.Linear
}

// TestFileOfPublishedModule loads files into the module that they fit: that of Build, or that of published weights.
func TestFileOfPublishedModule(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	before := func() any { return &plain{nn.NewLinear(2, 3)} }
	after := func() any { return &trained{plain{nn.NewLinear(2, 3)}, nn.NewLinear(2, 3)} }
	models.Register(models.Entry{
		Name: "toy_published", Repo: "testowner/published", Title: "Toy", Paper: "https://example.com/toy", Build: before,
		BuildFor: func(*models.Weights) any { return after() },
		Weights:  []models.Weights{{Name: "V1", URL: "https://example.com/toy-01234567.pth", Preset: models.DetectionPreset{}}},
	})
	for _, m := range []any{before(), after(), &trained{plain{nn.NewLinear(2, 4)}, nn.NewLinear(2, 4)}} {
		file := filepath.Join(t.TempDir(), "w.pth")
		require.NoError(t, nn.SaveStateDict(file, m))
		got, err := Load(t.Context(), "testowner/published", "toy_published", WithWeights(file), WithNotice(nil))
		if want := nn.StateDict(m); want[0].Tensor.Size(0) == 3 {
			require.NoError(t, err)
			require.IsType(t, m, got.Module())
			require.Equal(t, torch.Data[float32](want[0].Tensor.Detach()), torch.Data[float32](nn.StateDict(got.Module())[0].Tensor.Detach()))
			continue
		}
		require.ErrorContains(t, err, "the state dict does not fit the module")
	}
}
