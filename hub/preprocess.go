package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/transforms"
)

// Preprocess says how a picture becomes a model's input: one of its fields is set.
type Preprocess struct {
	Classification *models.Preset // torchvision's preset ImageClassification
	Transforms     []Step
}

// A Step is a transform of torchvision by its name, with its arguments by theirs.
type Step struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// classification is a preset with the names of torchvision's arguments.
type classification struct {
	ResizeSize    int       `json:"resize_size"`
	CropSize      int       `json:"crop_size"`
	Interpolation string    `json:"interpolation,omitempty"`
	Mean          []float64 `json:"mean,omitempty"`
	Std           []float64 `json:"std,omitempty"`
}

type preprocess struct {
	Classification *classification `json:"classification,omitempty"`
	Transforms     []Step          `json:"transforms,omitempty"`
}

// MarshalJSON writes the field that is set.
func (p Preprocess) MarshalJSON() ([]byte, error) {
	out := preprocess{Transforms: p.Transforms}
	if c := p.Classification; c != nil {
		out.Classification = &classification{c.Resize, c.Crop, c.Interpolation, c.Mean, c.Std}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads a preset, with torchvision's defaults for what it leaves out, or a list of transforms.
func (p *Preprocess) UnmarshalJSON(data []byte) error {
	in := preprocess{}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*p = Preprocess{Transforms: in.Transforms}
	if c := in.Classification; c != nil {
		p.Classification = &models.Preset{Resize: c.ResizeSize, Crop: c.CropSize, Interpolation: c.Interpolation, Mean: c.Mean, Std: c.Std}
		if c.Interpolation == "" {
			p.Classification.Interpolation = string(transforms.Bilinear)
		}
		if c.Mean == nil {
			p.Classification.Mean = []float64{0.485, 0.456, 0.406}
		}
		if c.Std == nil {
			p.Classification.Std = []float64{0.229, 0.224, 0.225}
		}
	}
	return nil
}

// sides is a size of torchvision: an int, a list of it, or height and width.
type sides []int

func (s *sides) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*[]int)(s))
	}
	var n int
	err := json.Unmarshal(data, &n)
	*s = sides{n}
	return err
}

// steps are the transforms that a hubconf.json can name.
var steps = map[string]func(arguments []byte) (transforms.Transform, error){
	"ToTensor": step(func(struct{}) (transforms.Transform, error) { return transforms.ToTensor(), nil }),
	"Resize": step(func(a struct {
		Size          sides                    `json:"size"`
		Interpolation transforms.Interpolation `json:"interpolation"`
		MaxSize       int                      `json:"max_size"`
	}) (transforms.Transform, error) {
		o := transforms.ResizeOptions{Interpolation: a.Interpolation, MaxSize: a.MaxSize}
		switch len(a.Size) {
		case 1:
			return transforms.Resize(a.Size[0], o), nil
		case 2:
			return transforms.ResizeTo(a.Size[0], a.Size[1], o), nil
		}
		return nil, errors.New("size is missing; give the short side, or height and width")
	}),
	"CenterCrop": step(func(a struct {
		Size sides `json:"size"`
	}) (transforms.Transform, error) {
		switch len(a.Size) {
		case 1:
			return transforms.CenterCrop(a.Size[0]), nil
		case 2:
			return transforms.CenterCropTo(a.Size[0], a.Size[1]), nil
		}
		return nil, errors.New("size is missing; give a side, or height and width")
	}),
	"Normalize": step(func(a struct {
		Mean []float64 `json:"mean"`
		Std  []float64 `json:"std"`
	}) (transforms.Transform, error) {
		return transforms.Normalize(a.Mean, a.Std), nil
	}),
}

// step decodes the arguments of a transform and makes it.
func step[A any](make func(A) (transforms.Transform, error)) func([]byte) (transforms.Transform, error) {
	return func(arguments []byte) (t transforms.Transform, err error) {
		var a A
		if len(bytes.TrimSpace(arguments)) > 0 {
			d := json.NewDecoder(bytes.NewReader(arguments))
			d.DisallowUnknownFields()
			if err := d.Decode(&a); err != nil {
				return nil, err
			}
		}
		if terr := trial(func() { t, err = make(a) }); terr != nil {
			return nil, terr
		}
		return t, err
	}
}

// pipeline makes the transforms; nil of nil. Its error begins where a path goes on.
func (p *Preprocess) pipeline() (t *transforms.Pipeline, err error) {
	if p == nil {
		return nil, nil
	}
	if c := p.Classification; c != nil {
		err := trial(func() {
			t = transforms.Classification(c.Resize, c.Crop, transforms.Interpolation(c.Interpolation), c.Mean, c.Std)
		})
		if err != nil {
			return nil, fmt.Errorf(".classification: %w", err)
		}
		return t, nil
	}
	var all []transforms.Transform
	tensors := 0
	for i, s := range p.Transforms {
		make := steps[s.Name]
		if make == nil {
			return nil, fmt.Errorf(".transforms[%d].name: there is no transform %.100q; there are %s", i, s.Name, strings.Join(slices.Sorted(maps.Keys(steps)), ", "))
		}
		t, err := make(s.Arguments)
		if err != nil {
			return nil, fmt.Errorf(".transforms[%d].arguments: %w", i, err)
		}
		if s.Name == "ToTensor" {
			tensors++
		}
		all = append(all, t)
	}
	if tensors != 1 {
		return nil, fmt.Errorf(".transforms: ToTensor is there %d times; give it once", tensors)
	}
	return transforms.Compose(all...), nil
}
