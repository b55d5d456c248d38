package hub

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/transforms"
)

// timmConfig holds the fields of timm's config.json that are read here.
type timmConfig struct {
	Architecture      string            `json:"architecture"`
	LabelNames        json.RawMessage   `json:"label_names"`
	LabelDescriptions map[string]string `json:"label_descriptions"`
	PretrainedCfg     *pretrainedConfig `json:"pretrained_cfg"`
}

// pretrainedConfig is timm's pretrained_cfg.
type pretrainedConfig struct {
	Tag               string            `json:"tag"`
	InputSize         []int             `json:"input_size"`
	CropPct           float64           `json:"crop_pct"`
	CropMode          string            `json:"crop_mode"`
	Interpolation     string            `json:"interpolation"`
	Mean              []float64         `json:"mean"`
	Std               []float64         `json:"std"`
	NumClasses        *int              `json:"num_classes"`
	License           string            `json:"license"`
	Labels            json.RawMessage   `json:"labels"`
	LabelNames        json.RawMessage   `json:"label_names"`
	LabelDescriptions map[string]string `json:"label_descriptions"`
}

// plan makes a plan of a config.json of timm.
func (c *timmConfig) plan(data []byte) (*plan, error) {
	if c.PretrainedCfg == nil { // timm's older configurations are not nested
		c.PretrainedCfg = new(pretrainedConfig)
		if err := json.Unmarshal(data, c.PretrainedCfg); err != nil {
			return nil, fmt.Errorf("config.json: %w", err)
		}
	}
	t := c.PretrainedCfg
	p := &plan{architecture: c.Architecture, license: t.License}
	err := p.convert(models.FromTimm, data)
	if err != nil {
		return nil, err
	}
	p.rename = func(name string) string {
		name = strings.TrimPrefix(name, "timm_model.") // of transformers' TimmWrapper
		if p.model.Rename != nil {
			name = p.model.Rename(name)
		}
		return name
	}
	if p.labels, err = c.labels(p.model.Classes); err != nil {
		return nil, err
	}
	return p, p.prepareTimm(t)
}

// labels returns the labels' names: the ones in the configuration, or ImageNet's.
func (c *timmConfig) labels(n int) ([]string, error) {
	t := c.PretrainedCfg
	raw, said := c.LabelNames, c.LabelDescriptions
	for _, r := range []json.RawMessage{t.LabelNames, t.Labels} {
		if isNull(raw) {
			raw = r
		}
	}
	if said == nil {
		said = t.LabelDescriptions
	}
	if isNull(raw) {
		if n == 1000 && strings.Contains(t.Tag, "in1k") {
			return models.ImageNet.Labels(), nil
		}
		return numbered(n), nil
	}
	var names []string
	if err := json.Unmarshal(raw, &names); err != nil {
		byID := map[string]string{}
		if err := json.Unmarshal(raw, &byID); err != nil {
			return nil, fmt.Errorf("config.json: label_names: %w", err)
		}
		names = labelsByID(byID, n)
	}
	if len(names) != n {
		return nil, fmt.Errorf("config.json: there are %d label_names for %d classes", len(names), n)
	}
	for i, name := range names {
		names[i] = cmp.Or(said[name], name)
	}
	return names, nil
}

// prepareTimm makes timm's transforms for evaluation:
// timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg)).
//
// https://huggingface.co/docs/timm/reference/data
func (p *plan) prepareTimm(t *pretrainedConfig) error {
	size := t.InputSize
	if len(size) == 0 {
		size = []int{3, 224, 224}
	}
	if len(size) != 3 || size[0] != 3 {
		return errUnsupported("inputs of size %v; want [3, H, W]", size)
	}
	h, w := size[1], size[2]
	pct := cmp.Or(t.CropPct, 0.875)
	scaleH, scaleW := math.Floor(float64(h)/pct), math.Floor(float64(w)/pct)
	if min(h, w) < 1 || !(pct > 0) || min(scaleH, scaleW) < 1 || max(scaleH, scaleW) > maxSide || max(h, w) > maxSide {
		return fmt.Errorf("config.json: the input_size %v and crop_pct %v are out of range", size, pct)
	}
	how := transforms.Interpolation(cmp.Or(t.Interpolation, "bicubic"))
	if _, ok := resamplings[how]; !ok {
		return errUnsupported("the interpolation %.100q", how)
	}
	n, err := normal{t.Mean, t.Std}.or(imageNetNormal)
	if err != nil {
		return fmt.Errorf("config.json: %w", err)
	}
	var steps []transforms.Transform
	sh, sw := int(scaleH), int(scaleW)
	switch mode := cmp.Or(t.CropMode, "center"); mode {
	case "squash":
		steps = append(steps, transforms.ResizeTo(sh, sw, transforms.ResizeOptions{Interpolation: how}), transforms.CenterCropTo(h, w))
	case "border":
		var fill [3]uint8
		for i, m := range n.mean {
			fill[i] = uint8(min(max(math.RoundToEven(255*m), 0), 255))
		}
		steps = append(steps, keepRatio{sh, sw, true, how}, cropOrPad{h: h, w: w, fill: fill})
	default: // timm treats any other value as "center"
		if sh == sw {
			steps = append(steps, transforms.Resize(sh, transforms.ResizeOptions{Interpolation: how}))
		} else {
			steps = append(steps, keepRatio{sh, sw, false, how})
		}
		steps = append(steps, transforms.CenterCropTo(h, w))
	}
	p.pre = transforms.Compose(append(steps, transforms.ToTensor(), transforms.Normalize(n.mean, n.std))...)
	if sh == sw && h == w && t.CropMode != "squash" && t.CropMode != "border" {
		p.preset = models.ClassificationPreset{Resize: sh, Crop: h, Interpolation: string(how), Mean: n.mean, Std: n.std}
	}
	return nil
}
