package resnet

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/models"
)

const transformersClass = "ResNetForImageClassification"

// fromTransformers reads the config.json of a ResNetForImageClassification.
//
// https://huggingface.co/docs/transformers/model_doc/resnet
func fromTransformers(config []byte) (*models.Conversion, error) {
	t := struct {
		NumChannels            int               `json:"num_channels"`
		EmbeddingSize          int               `json:"embedding_size"`
		HiddenSizes            []int             `json:"hidden_sizes"`
		Depths                 []int             `json:"depths"`
		LayerType              string            `json:"layer_type"`
		HiddenAct              string            `json:"hidden_act"`
		DownsampleFirstStage   bool              `json:"downsample_in_first_stage"`
		DownsampleInBottleneck bool              `json:"downsample_in_bottleneck"`
		ID2Label               map[string]string `json:"id2label"`
		NumLabels              int               `json:"num_labels"`
	}{NumChannels: 3, EmbeddingSize: 64, LayerType: "bottleneck", HiddenAct: "relu", NumLabels: 2} // ResNetConfig's defaults
	if err := json.Unmarshal(config, &t); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	c := Config{Block: Bottleneck, StrideFirst: t.DownsampleInBottleneck, NumClasses: t.NumLabels, StemWidth: t.EmbeddingSize}
	expansion := 4
	switch t.LayerType {
	case "bottleneck":
	case "basic":
		c.Block, expansion = BasicBlock, 1
	default:
		return nil, unsupported("%s with the layer_type %.100q", transformersClass, t.LayerType)
	}
	if t.HiddenSizes == nil {
		t.HiddenSizes = []int{256, 512, 1024, 2048}
	}
	if t.Depths == nil {
		t.Depths = []int{3, 4, 6, 3}
	}
	switch {
	case t.NumChannels != 3:
		return nil, unsupported("%s with pictures of %d channels", transformersClass, t.NumChannels)
	case t.HiddenAct != "relu":
		return nil, unsupported("%s with the hidden_act %.100q", transformersClass, t.HiddenAct)
	case t.DownsampleFirstStage:
		return nil, unsupported("%s with downsample_in_first_stage", transformersClass)
	case len(t.HiddenSizes) != 4 || len(t.Depths) != 4:
		return nil, unsupported("%s with the hidden_sizes %.100v and depths %.100v; there must be four of each", transformersClass, t.HiddenSizes, t.Depths)
	case t.EmbeddingSize < 1:
		return nil, unsupported("%s with the embedding_size %d", transformersClass, t.EmbeddingSize)
	}
	copy(c.Layers[:], t.Depths)
	for i, n := range t.HiddenSizes {
		if n%expansion != 0 || n <= 0 {
			return nil, unsupported("%s with the hidden_sizes %v", transformersClass, t.HiddenSizes)
		}
		c.Channels[i] = n / expansion
	}
	if len(t.ID2Label) > 0 {
		c.NumClasses = len(t.ID2Label)
	}
	return c.conversion(renameTransformers)
}

// renameTransformers returns torchvision's name of a tensor of a
// ResNetForImageClassification: the last convolution of a block is its first, second or third.
func renameTransformers(name string) string {
	part := map[string]string{"convolution": "conv", "normalization": "bn"}
	e := strings.Split(name, ".")
	switch {
	case len(e) == 3 && e[0] == "classifier" && e[1] == "1":
		return "fc." + e[2]
	case len(e) == 5 && strings.HasPrefix(name, "resnet.embedder.embedder.") && part[e[3]] != "":
		return part[e[3]] + "1." + e[4]
	case len(e) < 8 || !strings.HasPrefix(name, "resnet.encoder.stages.") || e[4] != "layers":
		return name
	}
	stage, err := strconv.Atoi(e[3])
	if err != nil {
		return name
	}
	block := fmt.Sprintf("layer%d.%s.", stage+1, e[5])
	switch {
	case e[6] == "shortcut" && e[7] == "convolution" && len(e) == 9:
		return block + "downsample.0." + e[8]
	case e[6] == "shortcut" && e[7] == "normalization" && len(e) == 9:
		return block + "downsample.1." + e[8]
	case e[6] == "layer" && len(e) == 10 && part[e[8]] != "":
		i, err := strconv.Atoi(e[7])
		if err == nil {
			return fmt.Sprintf("%s%s%d.%s", block, part[e[8]], i+1, e[9])
		}
	}
	return name
}
