package resnet

import (
	"strings"
	"testing"

	"github.com/torchhub/torchhub/models"
)

// FuzzConvert reads the config.json of a model of timm or transformers, whose architecture comes before a zero byte.
func FuzzConvert(f *testing.F) {
	for _, s := range []string{
		"resnet18\x00" + `{"num_classes": 3, "global_pool": "avg", "pretrained_cfg": {"num_classes": 1000}}`,
		"resnet50\x00" + `{"model_args": {"stem_type": "deep", "stem_width": 32, "layers": [1, 1, 1, 1], "channels": [64, 128, 256, 512], "in_chans": 3}}`,
		"resnext50_32x4d\x00" + `{"model_args": {"cardinality": 16, "base_width": 8, "avg_down": true, "down_kernel_size": 3, "block_reduce_first": 2, "act_layer": null}}`,
		transformersClass + "\x00" + `{"depths": [3, 4, 6, 3], "hidden_sizes": [256, 512, 1024, 2048], "downsample_in_bottleneck": true, "id2label": {"0": "a"}}`,
		transformersClass + "\x00" + `{"layer_type": "basic", "hidden_sizes": null, "depths": null, "num_labels": 4, "embedding_size": 32}`,
		"resnet.encoder.stages.0.layers.1.layer.2.convolution.weight\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		name, config, _ := strings.Cut(string(data), "\x00")
		for _, from := range []func(string, []byte) (*models.Conversion, error){models.FromTimm, models.FromTransformers} {
			if c, err := from(name, []byte(config)); err == nil && (c.Build == nil || c.Classes < 1 || c.Classes > maxClasses) {
				t.Fatalf("%+v", c)
			}
		}
		renameTransformers(name)
	})
}
