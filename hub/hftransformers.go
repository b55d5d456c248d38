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

// transformersConfig is what is read here of a config.json of transformers.
type transformersConfig struct {
	Architectures []string          `json:"architectures"`
	ModelType     string            `json:"model_type"`
	ID2Label      map[string]string `json:"id2label"`
}

// plan makes a plan of a config.json of transformers.
func (c *transformersConfig) plan(data []byte, more func(file string) ([]byte, error)) (*plan, error) {
	p := &plan{architecture: c.Architectures[0]}
	if err := p.convert(models.FromTransformers, data); err != nil {
		return nil, err
	}
	p.labels = labelsByID(c.ID2Label, p.model.Classes)
	processor, err := more("preprocessor_config.json")
	if err != nil {
		return nil, err
	}
	if err := p.prepareTransformers(processor); err != nil {
		return nil, fmt.Errorf("preprocessor_config.json: %w", err)
	}
	return p, nil
}

// imageProcessor is what is read of a preprocessor_config.json.
type imageProcessor struct {
	Type          string          `json:"image_processor_type"`
	OldType       string          `json:"feature_extractor_type"`
	DoResize      *bool           `json:"do_resize"`
	DoCenterCrop  *bool           `json:"do_center_crop"`
	DoRescale     *bool           `json:"do_rescale"`
	DoNormalize   *bool           `json:"do_normalize"`
	RescaleFactor *float64        `json:"rescale_factor"`
	Size          json.RawMessage `json:"size"`
	CropSize      json.RawMessage `json:"crop_size"`
	CropPct       *float64        `json:"crop_pct"`
	Resample      *int            `json:"resample"`
	Mean          []float64       `json:"image_mean"`
	Std           []float64       `json:"image_std"`
}

// processorSize is a size in one of the ways it is written: 224, {"shortest_edge": 224} or {"height": 224, "width": 224}.
type processorSize struct{ Short, H, W int }

func readSize(raw json.RawMessage, square bool) (s processorSize, err error) {
	var n int
	if json.Unmarshal(raw, &n) == nil {
		s.Short = n
		if square {
			s = processorSize{H: n, W: n}
		}
	} else {
		var d struct {
			Short int `json:"shortest_edge"`
			H     int `json:"height"`
			W     int `json:"width"`
		}
		if err := json.Unmarshal(raw, &d); err != nil {
			return s, err
		}
		s = processorSize{d.Short, d.H, d.W}
	}
	if s.Short > 0 && s.Short <= maxSide && s.H == 0 && s.W == 0 || s.Short == 0 && min(s.H, s.W) > 0 && max(s.H, s.W) <= maxSide {
		return s, nil
	}
	return s, errUnsupported("the size %.100s", raw)
}

// prepareTransformers makes the transforms of a processor as its version for Pillow does them.
//
// https://huggingface.co/docs/transformers/main_classes/image_processor
func (p *plan) prepareTransformers(data []byte) error {
	var c imageProcessor
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	kind := cmp.Or(c.Type, c.OldType)
	for _, suffix := range []string{"Fast", "Pil"} {
		kind = strings.TrimSuffix(kind, suffix)
	}
	kind = strings.TrimSuffix(strings.TrimSuffix(kind, "ImageProcessor"), "FeatureExtractor")
	no := func(b *bool) bool { return b != nil && !*b }
	if no(c.DoResize) || no(c.DoRescale) || c.RescaleFactor != nil && math.Abs(*c.RescaleFactor*255-1) > 1e-6 {
		return errUnsupported("pictures that are not resized, or not scaled to [0, 1]")
	}
	how, square, size, usual := transforms.Interpolation("bicubic"), false, json.RawMessage(`384`), unitNormal
	switch kind {
	case "ConvNext":
	case "ViT":
		how, square, size = "bilinear", true, json.RawMessage(`224`)
	case "Bit", "CLIP":
		size, usual = json.RawMessage(`224`), clipNormal
	default:
		return errUnsupported("the processor %.100q", cmp.Or(c.Type, c.OldType))
	}
	if c.Resample != nil {
		how = ""
		for name, n := range resamplings {
			if n == *c.Resample {
				how = name
			}
		}
		if how == "" {
			return errUnsupported("the resample %d", *c.Resample)
		}
	}
	n := normal{c.Mean, c.Std}
	if no(c.DoNormalize) {
		n = normal{[]float64{0, 0, 0}, []float64{1, 1, 1}}
	}
	n, err := n.or(usual)
	if err != nil {
		return err
	}
	if !isNull(c.Size) {
		size = c.Size
	}
	s, err := readSize(size, square)
	if err != nil {
		return err
	}
	o := transforms.ResizeOptions{Interpolation: how}
	var steps []transforms.Transform
	crop := processorSize{}
	switch {
	case kind == "ConvNext" && s.Short == 0, kind == "ViT" && s.Short != 0:
		return errUnsupported("the size %.100s for the processor %s", size, kind)
	case kind == "ConvNext" && s.Short < 384:
		pct := 224. / 256
		if c.CropPct != nil {
			pct = *c.CropPct
		}
		short := float64(s.Short) / pct
		if !(pct > 0) || short < 1 || short > maxSide {
			return fmt.Errorf("the crop_pct %v is out of range", pct)
		}
		steps = append(steps, transforms.Resize(int(short), o))
		crop = processorSize{H: s.Short, W: s.Short}
	case kind == "ConvNext":
		steps = append(steps, transforms.ResizeTo(s.Short, s.Short, o))
		crop = processorSize{H: s.Short, W: s.Short}
	case s.Short > 0:
		steps = append(steps, transforms.Resize(s.Short, o))
	default:
		steps = append(steps, transforms.ResizeTo(s.H, s.W, o))
		crop = processorSize{H: s.H, W: s.W}
	}
	if kind == "Bit" || kind == "CLIP" {
		if no(c.DoCenterCrop) {
			return errUnsupported("pictures that are not cropped")
		}
		raw := c.CropSize
		if isNull(raw) {
			raw = json.RawMessage(`224`)
		}
		if crop, err = readSize(raw, true); err != nil {
			return err
		}
		if crop.Short > 0 {
			crop = processorSize{H: crop.Short, W: crop.Short}
		}
	}
	steps = append(steps, cropOrPad{h: crop.H, w: crop.W, floor: true}, transforms.ToTensor(), transforms.Normalize(n.mean, n.std))
	p.pre = transforms.Compose(steps...)
	return nil
}
