package resnet

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/models"
)

// TimmConfig returns the configuration of one of timm's ResNets by the name of
// its architecture, such as "resnet50d" or "seresnext26t_32x4d", and whether there is one.
//
// https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/resnet.py
func TimmConfig(architecture string) (Config, bool) {
	c, ok := timmConfigs[architecture]
	return c, ok
}

func timmConverters() map[string]models.Converter {
	converters := map[string]models.Converter{}
	for name, c := range timmConfigs {
		converters[name] = func(config []byte) (*models.Conversion, error) { return c.fromTimm(name, config) }
	}
	return converters
}

// fromTimm applies the arguments in a config.json of timm to the architecture that it names.
func (c Config) fromTimm(architecture string, config []byte) (*models.Conversion, error) {
	var t struct {
		NumClasses *int                       `json:"num_classes"`
		GlobalPool string                     `json:"global_pool"`
		ModelArgs  map[string]json.RawMessage `json:"model_args"`
		Pretrained struct {
			NumClasses *int `json:"num_classes"`
		} `json:"pretrained_cfg"`
	}
	if err := json.Unmarshal(config, &t); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	if t.GlobalPool != "" && t.GlobalPool != "avg" {
		return nil, unsupported("%s with the global_pool %.100q", architecture, t.GlobalPool)
	}
	c.NumClasses = 1000
	if n := cmp.Or(t.NumClasses, t.Pretrained.NumClasses); n != nil {
		c.NumClasses = *n
	}
	stem, stemWidth := "", c.StemWidth
	for key, value := range t.ModelArgs {
		to := map[string]any{
			"num_classes": &c.NumClasses, "cardinality": &c.Groups, "base_width": &c.WidthPerGroup, "stem_width": &stemWidth, "stem_type": &stem,
			"replace_stem_pool": &c.StemConv, "avg_down": &c.AvgDown, "down_kernel_size": &c.DownKernel, "block_reduce_first": &c.ReduceFirst,
		}[key]
		var err error
		switch {
		case to != nil:
			err = json.Unmarshal(value, to)
		case key == "layers":
			err = four(value, &c.Layers)
		case key == "channels":
			err = four(value, &c.Channels)
		case !timmIgnores(key, string(value)):
			err = unsupported("%s with the argument %.100s = %.100s", architecture, key, value)
		}
		if err != nil {
			return nil, fmt.Errorf("config.json: model_args.%.100s: %w", key, err)
		}
	}
	if _, ok := t.ModelArgs["stem_type"]; ok {
		kinds := map[string]Stem{"": PlainStem, "deep": DeepStem, "deep_tiered": TieredStem}
		if c.Stem, ok = kinds[stem]; !ok {
			return nil, unsupported("%s with the stem_type %.100q", architecture, stem)
		}
	}
	if c.StemWidth = stemWidth; c.Stem == PlainStem {
		c.StemWidth = 0 // timm does not use the width then
	}
	return c.conversion(nil)
}

// timmIgnores reports whether an argument changes nothing in evaluation.
func timmIgnores(key, value string) bool {
	switch key {
	case "drop_rate", "drop_path_rate", "drop_block_rate", "zero_init_last", "pretrained", "pretrained_cfg", "img_size":
		return true
	}
	standard := map[string]string{"in_chans": "3", "output_stride": "32", "global_pool": `"avg"`}[key]
	return value == "null" || standard != "" && value == standard
}

// four reads four numbers.
func four(value json.RawMessage, to *[4]int) error {
	var n []int
	if err := json.Unmarshal(value, &n); err != nil || len(n) != 4 {
		return unsupported("%.100s is not four numbers", value)
	}
	copy(to[:], n)
	return nil
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("unsupported: "+format, args...)
}

// conversion returns the model of a configuration that may come from an untrusted
// source. It refuses numbers that would fill the memory before the weights are seen not
// to fit.
func (c Config) conversion(rename func(string) string) (*models.Conversion, error) {
	if c.NumClasses < 1 || c.NumClasses > maxClasses {
		return nil, unsupported("%d classes; there may be 1 to %d", c.NumClasses, maxClasses)
	}
	d := c.withDefaults()
	if slices.Min(d.Layers[:]) < 1 || slices.Max(d.Layers[:]) > maxBlocks || slices.Min(d.Channels[:]) < 1 || slices.Max(d.Channels[:]) > maxWidth ||
		min(d.Groups, d.WidthPerGroup, d.StemWidth, d.DownKernel, d.ReduceFirst) < 1 || max(d.Groups, d.WidthPerGroup, d.StemWidth) > maxWidth ||
		d.Groups*d.WidthPerGroup > maxWidth || d.DownKernel > 31 || d.ReduceFirst > 64 {
		return nil, errors.New("config.json: a number of the architecture is out of range")
	}
	build := func(classes int) any {
		c := c
		c.NumClasses = classes
		return New(c)
	}
	return &models.Conversion{Build: build, Classes: c.NumClasses, Rename: rename}, nil
}
