package torch_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

// dict makes a dict of keys and values by turns.
func dict(kv ...torch.Value) *torch.Dict {
	d := &torch.Dict{}
	for i := 0; i < len(kv); i += 2 {
		d.Entries = append(d.Entries, torch.Entry{Key: kv[i], Value: kv[i+1]})
	}
	return d
}

func TestFindStateDict(t *testing.T) {
	x := torch.Ones(1)
	state := func(prefix string) *torch.Dict { return dict(prefix+"conv.weight", x, prefix+"fc.bias", x) }
	adam := dict("state", dict(0, dict("step", x, "exp_avg", x)), "param_groups", []torch.Value{dict("lr", 0.1)})
	for name, c := range map[string]struct {
		v           torch.Value
		options     []torch.StateDictOption
		key, prefix string
	}{
		"plain":             {v: state("")},
		"state_dict":        {v: dict("epoch", 3, "state_dict", state(""), "optimizer", adam), key: "state_dict"},
		"model_state_dict":  {v: dict("model_state_dict", state(""), "optimizer_state_dict", adam, "loss", 0.5), key: "model_state_dict"},
		"deep":              {v: dict("epoch", 3, "ema", dict("decay", 0.9, "model", state(""))), key: "ema.model"},
		"parallel":          {v: state("module."), prefix: "module."},
		"compiled":          {v: dict("model", state("module._orig_mod.")), key: "model", prefix: "module._orig_mod."},
		"wrapped twice":     {v: state("_orig_mod.module."), prefix: "_orig_mod.module."},
		"no wrapper":        {v: state("modules.")},
		"chosen":            {v: dict("model", state(""), "model_ema", state("")), options: []torch.StateDictOption{torch.WithKey("model_ema")}, key: "model_ema"},
		"chosen path":       {v: dict("a", dict("b.c", state(""))), options: []torch.StateDictOption{torch.WithKey("a.b.c")}, key: "a.b.c"},
		"prefix":            {v: state("backbone."), options: []torch.StateDictOption{torch.WithPrefix("backbone.")}, prefix: "backbone."},
		"prefix to be kept": {v: state("module."), options: []torch.StateDictOption{torch.WithPrefix("")}},
		"empty":             {v: dict()},
	} {
		t.Run(name, func(t *testing.T) {
			s, at, err := torch.FindStateDict(c.v, c.options...)
			require.NoError(t, err)
			require.Equal(t, torch.StateDictPlace{Key: c.key, Prefix: c.prefix}, at)
			if name == "empty" {
				require.Empty(t, s)
				return
			}
			require.Len(t, s, 2)
			if name != "no wrapper" && name != "prefix to be kept" {
				require.Equal(t, "conv.weight", s[0].Name)
			}
		})
	}
	for want, c := range map[string]struct {
		v       torch.Value
		options []torch.StateDictOption
	}{
		`it holds a list, not a state dict`:                                      {v: []torch.Value{1, 2}},
		`it holds None, not a state dict`:                                        {},
		`it holds no state dict: it is a dict whose key "epoch" holds an int`:    {v: dict("epoch", 3)},
		`it holds no state dict: it is a dict whose key "0" holds a tensor`:      {v: dict(0, x)},
		`it holds no state dict: beside 1 tensors, its key "epoch" holds an int`: {v: dict("w", x, "epoch", 3)},
		`it holds several state dicts, under the keys "model" and "model_ema"`:   {v: dict("model", state(""), "epoch", 3, "model_ema", state(""))},
		`it has no key "modle"; state dicts are under "model"`:                   {v: dict("model", state("")), options: []torch.StateDictOption{torch.WithKey("modle")}},
		`under the key "model", it holds an int, not a state dict`:               {v: dict("model", 3), options: []torch.StateDictOption{torch.WithKey("model")}},
		`the name "conv.weight" does not begin with the prefix "module."`:        {v: state(""), options: []torch.StateDictOption{torch.WithPrefix("module.")}},
		`it has no key "x"; state dicts are under "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" and 1 more`: {options: []torch.StateDictOption{torch.WithKey("x")}, v: func() torch.Value {
			d := dict()
			for _, k := range strings.Split("abcdefghijk", "") {
				d.Entries = append(d.Entries, torch.Entry{Key: k, Value: state("")})
			}
			return d
		}()},
	} {
		_, _, err := torch.FindStateDict(c.v, c.options...)
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, torch.ErrUnsupported)
	}
}

func TestLoadOtherFiles(t *testing.T) {
	for file, want := range map[string]string{
		"../testdata/pictures/":                "it is a folder, not a checkpoint",
		"statedict_test.go":                    "it is a text file, not a checkpoint",
		archive:                                "it is a TorchScript archive, not a checkpoint; load it with the package torch/jit",
		filepath.Join(t.TempDir(), "none.pth"): "no such file or directory",
	} {
		_, err := torch.Load(file)
		require.EqualError(t, err, "torch: load "+file+": "+want)
		var notice bytes.Buffer
		_, err = torch.LoadStateDict(file, torch.WithNotice(&notice))
		require.EqualError(t, err, "torch: load "+file+": "+want)
		require.Empty(t, notice.String())
	}
}

// archive is a TorchScript archive, by testdata/gen/jit.py.
const archive = "../testdata/jit/containers.pt"
