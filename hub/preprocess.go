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
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// A Preprocess defines how the inputs of a model are prepared. Exactly one of
// its fields is set.
type Preprocess struct {
	Preset     models.Preset // that of a task, see [models.Preset]
	Transforms []Step        // of a picture, for classification
}

// Task returns the task that the inputs are prepared for, "" for nil.
func (p *Preprocess) Task() models.Task {
	switch {
	case p == nil:
		return ""
	case p.Preset != nil:
		return p.Preset.Task()
	}
	return models.Classification
}

// A Step is a transform of torchvision, given by its name and by its arguments'
// names.
type Step struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// pipelineOf makes the transforms of a preset. It panics with an [*torch.Error] if its numbers are invalid.
func pipelineOf(p models.Preset) *transforms.Pipeline {
	switch p := p.WithDefaults().(type) {
	case models.ClassificationPreset:
		return transforms.Classification(p.Resize, p.Crop, transforms.Interpolation(p.Interpolation), p.Mean, p.Std)
	case models.SegmentationPreset:
		return transforms.SemanticSegmentation(p.Resize, transforms.Interpolation(p.Interpolation), p.Mean, p.Std)
	case models.DetectionPreset:
		return transforms.ObjectDetection()
	case models.VideoClassificationPreset:
		return transforms.Compose(transforms.VideoClassification(p.Resize, p.Crop, transforms.Interpolation(p.Interpolation), p.Mean, p.Std))
	case models.OpticalFlowPreset:
		return transforms.Compose(transforms.OpticalFlow())
	}
	panic(&torch.Error{Op: "hub.Preprocess", Msg: fmt.Sprintf("there are no transforms for a %T", p)})
}

// MarshalJSON writes the field that is set.
func (p Preprocess) MarshalJSON() ([]byte, error) {
	if p.Preset != nil {
		return json.Marshal(map[models.Task]models.Preset{p.Preset.Task(): p.Preset.WithDefaults()})
	}
	return json.Marshal(map[string][]Step{"transforms": p.Transforms})
}

// UnmarshalJSON reads a preset, with torchvision's defaults for missing fields, or a list of transforms.
func (p *Preprocess) UnmarshalJSON(data []byte) error {
	var in map[models.Task]json.RawMessage
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*p = Preprocess{}
	for kind, value := range in {
		var err error
		if kind == "transforms" {
			err = json.Unmarshal(value, &p.Transforms)
		} else {
			p.Preset, err = models.ReadPreset(kind, value)
		}
		if err != nil {
			return err
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
func step[A any](construct func(A) (transforms.Transform, error)) func([]byte) (transforms.Transform, error) {
	return func(arguments []byte) (t transforms.Transform, err error) {
		var a A
		if len(bytes.TrimSpace(arguments)) > 0 {
			d := json.NewDecoder(bytes.NewReader(arguments))
			d.DisallowUnknownFields()
			if err := d.Decode(&a); err != nil {
				return nil, err
			}
		}
		if terr := trial(func() { t, err = construct(a) }); terr != nil {
			return nil, terr
		}
		return t, err
	}
}

// pipeline makes the transforms; nil for nil. The error begins with the rest of the
// path.
func (p *Preprocess) pipeline() (t *transforms.Pipeline, err error) {
	if p == nil {
		return nil, nil
	}
	if p.Preset != nil {
		if err := trial(func() { t = pipelineOf(p.Preset) }); err != nil {
			return nil, fmt.Errorf(".%s: %w", p.Preset.Task(), err)
		}
		return t, nil
	}
	var all []transforms.Transform
	tensors := 0
	for i, s := range p.Transforms {
		construct := steps[s.Name]
		if construct == nil {
			return nil, fmt.Errorf(".transforms[%d].name: there is no transform %.100q; there are %s", i, s.Name, strings.Join(slices.Sorted(maps.Keys(steps)), ", "))
		}
		t, err := construct(s.Arguments)
		if err != nil {
			return nil, fmt.Errorf(".transforms[%d].arguments: %w", i, err)
		}
		if s.Name == "ToTensor" {
			tensors++
		}
		all = append(all, t)
	}
	switch {
	case tensors == 0:
		return nil, errors.New(".transforms: ToTensor is missing; give it once")
	case tensors > 1:
		return nil, fmt.Errorf(".transforms: ToTensor is there %d times; give it once", tensors)
	}
	return transforms.Compose(all...), nil
}
