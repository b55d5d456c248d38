package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/transforms"
)

// A plan says how a repository's files become a model.
type plan struct {
	architecture string // the repository's name for it
	model        *models.Conversion
	rename       func(string) string // a tensor's name in the file to its name in the model; nil changes none
	pre          *transforms.Pipeline
	preset       models.Preset // pre as a preset; nil if no preset describes it
	labels       []string
	license      string
}

// An errUnsupported reports a model or a preprocessing that is not supported.
func errUnsupported(format string, args ...any) error {
	return fmt.Errorf("unsupported: "+format, args...)
}

// Limits of what a configuration may ask for: far beyond all that is published.
const (
	maxClasses = 1 << 18
	maxSide    = 1 << 14
)

// readHFConfig makes a plan of a config.json, of timm's or of that of transformers, which needs its
// preprocessor_config.json too, which more downloads. The architecture's family reads the other fields.
func readHFConfig(data []byte, more func(file string) ([]byte, error)) (*plan, error) {
	var c struct {
		timmConfig
		transformersConfig
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	switch {
	case c.Architecture != "":
		return c.timmConfig.plan(data)
	case len(c.Architectures) > 0:
		return c.transformersConfig.plan(data, more)
	case c.ModelType != "":
		return nil, errUnsupported("config.json names no architecture, but only the model_type %.100q", c.ModelType)
	}
	return nil, errors.New("config.json names no architecture; it is neither one of timm nor of transformers")
}

// convert finds the model of a plan by the converter of its configuration.
func (p *plan) convert(from func(architecture string, config []byte) (*models.Conversion, error), config []byte) (err error) {
	if p.model, err = from(p.architecture, config); err != nil {
		return err
	}
	if n := p.model.Classes; n < 1 || n > maxClasses {
		return errUnsupported("%d classes; there may be 1 to %d", n, maxClasses)
	}
	p.rename = p.model.Rename
	return nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// numbered returns transformers' names for classes without names.
func numbered(n int) []string {
	labels := make([]string, n)
	for i := range labels {
		labels[i] = "LABEL_" + strconv.Itoa(i)
	}
	return labels
}

// labelsByID returns n labels by their numbers.
func labelsByID(byID map[string]string, n int) []string {
	labels := numbered(n)
	for id, label := range byID {
		if i, err := strconv.Atoi(id); err == nil && i >= 0 && i < n {
			labels[i] = label
		}
	}
	return labels
}

// normal is a mean and a standard deviation of the colors.
type normal struct{ mean, std []float64 }

var (
	imageNetNormal = normal{[]float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225}}
	unitNormal     = normal{[]float64{0.5, 0.5, 0.5}, []float64{0.5, 0.5, 0.5}}
	clipNormal     = normal{[]float64{0.48145466, 0.4578275, 0.40821073}, []float64{0.26862954, 0.26130258, 0.27577711}}
)

// or returns n with missing values from another, or an error if it is invalid.
func (n normal) or(d normal) (normal, error) {
	if len(n.mean) == 0 {
		n.mean = d.mean
	}
	if len(n.std) == 0 {
		n.std = d.std
	}
	if len(n.mean) != 3 || len(n.std) != 3 || slices.ContainsFunc(n.std, func(s float64) bool { return !(s > 0) }) {
		return n, fmt.Errorf("the mean %.100v and the standard deviation %.100v are not three numbers each, above 0", n.mean, n.std)
	}
	return n, nil
}

// resamplings are Pillow's filters and their numbers in it; nearest is both.
var resamplings = map[transforms.Interpolation]int{"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
