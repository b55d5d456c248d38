package hub

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
)

// FuzzHFConfig reads configurations of strangers: config.json, then, after a
// zero byte, preprocessor_config.json or an index of shards.
func FuzzHFConfig(f *testing.F) {
	for _, s := range []string{
		timmResNet18,
		`{"architecture": "resnext101_32x8d", "num_classes": 1000, "num_features": 2048, "pretrained_cfg": {"tag": "fb_wsl_ig1b_ft_in1k", "custom_load": false, "input_size": [3, 224, 224], "fixed_input_size": false, "interpolation": "bilinear", "crop_pct": 0.875, "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "num_classes": 1000, "pool_size": [7, 7], "first_conv": "conv1", "classifier": "fc", "license": "cc-by-nc-4.0"}}`,
		`{"architecture": "resnet50", "labels": ["a"], "num_classes": 1, "crop_mode": "border", "input_size": [3, 7, 9], "model_args": {"stem_type": "deep", "layers": [1, 1, 1, 1]}}`,
		`{"architectures": ["ResNetForImageClassification"], "depths": [3, 4, 6, 3], "downsample_in_bottleneck": false, "downsample_in_first_stage": false, "embedding_size": 64, "hidden_act": "relu", "hidden_sizes": [256, 512, 1024, 2048], "id2label": {"0": "tench", "1": "goldfish"}, "layer_type": "bottleneck", "model_type": "resnet", "num_channels": 3}` + "\x00" +
			`{"crop_pct": 0.875, "do_normalize": true, "do_resize": true, "feature_extractor_type": "ConvNextFeatureExtractor", "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3, "size": 224}`,
		`{"architectures": ["ResNetForImageClassification"], "num_labels": 2}` + "\x00" + `{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 90}, "crop_size": {"height": 80, "width": 80}}`,
		`{}` + "\x00" + `{"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "../../x"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, second, _ := strings.Cut(string(data), "\x00")
		var p *plan
		var err error
		if terr := torch.Try(func() {
			p, err = readHFConfig([]byte(config), func(string) ([]byte, error) { return []byte(second), nil })
		}); terr != nil {
			t.Fatalf("a transform was asked for what it cannot do: %v", terr)
		}
		if err == nil {
			if p.pre == nil || len(p.labels) != p.model.Classes || p.model.Classes > maxClasses {
				t.Fatalf("%+v", p)
			}
			if s, ok := p.preset.(models.ClassificationPreset); ok && (s.Crop < 1 || s.Crop > maxSide || s.Resize < 1 || s.Resize > maxSide) {
				t.Fatalf("%+v", s)
			}
		}
		shards, err := readIndex([]byte(second))
		if err == nil && (len(shards) == 0 || len(shards) > maxShards) {
			t.Fatal(len(shards))
		}
		if p != nil && p.rename != nil {
			p.rename(second)
		}
	})
}

// FuzzLabels reads names of classes: of a text of one name a line and, as JSON,
// of a list or dict as checkpoints hold them.
func FuzzLabels(f *testing.F) {
	for _, s := range []string{
		"cat\ndog\n", "\ufeffcat\r\ndog\r\n\r\n", "cat\rdog", "cat\n\ndog", "\xff\xfec\x00", "\xe9t\xe9", "",
		`["cat", "dog"]`, `{"classes": ["cat", "dog"]}`, `{"meta": {"idx_to_class": {"0": "cat", "1": "dog"}}}`,
		`{"class_to_idx": {"cat": 1, "dog": 0}, "names": ["dog", "cat"]}`, `{"labels": ["a", "a"], "names": ["b"]}`, `{"names": {"0": "1", "1": 0}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if names, err := parseLabels(data); err == nil {
			again, err := parseLabels([]byte(strings.Join(names, "\n")))
			if err != nil || !slices.Equal(names, again) {
				t.Fatalf("%q comes back as %q: %v", names, again, err)
			}
			for _, name := range names {
				if strings.TrimSpace(name) == "" || strings.ContainsAny(name, "\r\n") {
					t.Fatalf("the name %q of %q", name, data)
				}
			}
		} else if strings.ContainsAny(err.Error(), "\r\n") {
			t.Fatalf("%q", err)
		}
		var v any
		if json.Unmarshal(data, &v) != nil {
			return
		}
		for n := range 4 {
			if names := labelsIn(valueOf(v), n); names != nil && len(names) != n {
				t.Fatalf("%d names of %d classes in %s", len(names), n, data)
			}
		}
	})
}

// valueOf returns what a checkpoint would hold in place of a value of JSON.
func valueOf(v any) torch.Value {
	switch v := v.(type) {
	case map[string]any:
		d := &torch.Dict{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			d.Entries = append(d.Entries, torch.Entry{Key: key, Value: valueOf(v[key])})
		}
		return d
	case []any:
		var all []torch.Value
		for _, e := range v {
			all = append(all, valueOf(e))
		}
		return all
	case float64:
		return int(v)
	}
	return v
}
