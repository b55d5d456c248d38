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

// transformersConfig holds the fields of transformers' config.json that are
// read here.
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

// imageProcessor holds the fields of a preprocessor_config.json that are read.
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

// processorSize is a size in one of its notations: 224, {"shortest_edge": 224} or {"height": 224, "width": 224}.
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

// processors are the supported image processors, by their names without the common suffix, with the defaults for
// fields missing in their files.
var processors = map[string]struct {
	how    transforms.Interpolation
	size   json.RawMessage
	square bool // a single number is height and width, not the short side
	crops  bool // to crop_size
	normal normal
}{
	"ConvNext": {how: "bicubic", size: json.RawMessage(`384`), normal: unitNormal},
	"ViT":      {how: "bilinear", size: json.RawMessage(`224`), square: true, normal: unitNormal},
	"Bit":      {how: "bicubic", size: json.RawMessage(`224`), crops: true, normal: clipNormal},
	"CLIP":     {how: "bicubic", size: json.RawMessage(`224`), crops: true, normal: clipNormal},
}

// prepareTransformers makes the transforms of a processor as its version for Pillow does them.
//
// https://huggingface.co/docs/transformers/main_classes/image_processor
func (p *plan) prepareTransformers(data []byte) error {
	var c imageProcessor
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	if isFalse(c.DoResize) || isFalse(c.DoRescale) || c.RescaleFactor != nil && math.Abs(*c.RescaleFactor*255-1) > 1e-6 {
		return errUnsupported("pictures that are not resized, or not scaled to [0, 1]")
	}
	kind := c.kind()
	usual, ok := processors[kind]
	if !ok {
		return errUnsupported("the processor %.100q", cmp.Or(c.Type, c.OldType))
	}
	how, err := c.interpolation(usual.how)
	if err != nil {
		return err
	}
	n := normal{c.Mean, c.Std}
	if isFalse(c.DoNormalize) {
		n = normal{[]float64{0, 0, 0}, []float64{1, 1, 1}}
	}
	if n, err = n.or(usual.normal); err != nil {
		return err
	}
	raw := usual.size
	if !isNull(c.Size) {
		raw = c.Size
	}
	size, err := readSize(raw, usual.square)
	if err != nil {
		return err
	}
	resize, crop, err := c.resize(kind, size, how)
	if err == nil && usual.crops {
		crop, err = c.crop()
	}
	if err != nil {
		return err
	}
	p.pre = transforms.Compose(resize, cropOrPad{h: crop.H, w: crop.W, floor: true}, transforms.ToTensor(), transforms.Normalize(n.mean, n.std))
	return nil
}

func isFalse(b *bool) bool { return b != nil && !*b }

// kind returns the processor's name without the common suffix.
func (c *imageProcessor) kind() string {
	kind := cmp.Or(c.Type, c.OldType)
	for _, suffix := range []string{"Fast", "Pil", "ImageProcessor", "FeatureExtractor"} {
		kind = strings.TrimSuffix(kind, suffix)
	}
	return kind
}

// interpolation returns the interpolation of resample, or the default one.
func (c *imageProcessor) interpolation(usual transforms.Interpolation) (transforms.Interpolation, error) {
	if c.Resample == nil {
		return usual, nil
	}
	for name, n := range resamplings {
		if n == *c.Resample {
			return name, nil
		}
	}
	return "", errUnsupported("the resample %d", *c.Resample)
}

// resize returns the transform by which a processor of a kind resizes pictures, and the height and width to
// which it crops them.
func (c *imageProcessor) resize(kind string, size processorSize, how transforms.Interpolation) (transforms.Transform, processorSize, error) {
	o := transforms.ResizeOptions{Interpolation: how}
	square := processorSize{H: size.Short, W: size.Short}
	switch {
	case kind == "ConvNext" && size.Short == 0, kind == "ViT" && size.Short != 0:
		return nil, size, errUnsupported("the size %.100s for the processor %s", c.Size, kind)
	case kind == "ConvNext" && size.Short < 384:
		pct := 224. / 256
		if c.CropPct != nil {
			pct = *c.CropPct
		}
		short := float64(size.Short) / pct
		if !(pct > 0) || short < 1 || short > maxSide {
			return nil, size, fmt.Errorf("the crop_pct %v is out of range", pct)
		}
		return transforms.Resize(int(short), o), square, nil
	case kind == "ConvNext":
		return transforms.ResizeTo(size.Short, size.Short, o), square, nil
	case size.Short > 0:
		return transforms.Resize(size.Short, o), square, nil
	}
	return transforms.ResizeTo(size.H, size.W, o), size, nil
}

// crop returns the height and width of crop_size.
func (c *imageProcessor) crop() (processorSize, error) {
	if isFalse(c.DoCenterCrop) {
		return processorSize{}, errUnsupported("pictures that are not cropped")
	}
	raw := c.CropSize
	if isNull(raw) {
		raw = json.RawMessage(`224`)
	}
	size, err := readSize(raw, true)
	if size.Short > 0 {
		size = processorSize{H: size.Short, W: size.Short}
	}
	return size, err
}
