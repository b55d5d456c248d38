package models

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Sets of labels.
const (
	ImageNet    Classes = "ImageNet-1K"  // the 1,000 classes of ImageNet-1K
	VOC         Classes = "Pascal VOC"   // background and the 20 classes of Pascal VOC
	COCO        Classes = "COCO"         // background and the classes of COCO by their numbers, up to 90; those that have none are "N/A"
	COCOPerson  Classes = "COCO person"  // "no person" and "person"
	Kinetics400 Classes = "Kinetics-400" // the 400 actions of Kinetics-400
)

// weightsFile is written by testdata/gen/records.py from torchvision.
//
//go:embed weights.json
var weightsFile []byte

// A record is what torchvision publishes of the weights of a model.
type record struct {
	Enum       string
	Default    string
	Pretrained string
	Weights    []weightsRecord
}

type weightsRecord struct {
	Name, URL, License, Recipe string
	Preset                     map[Task]json.RawMessage
	Classes                    Classes
	Metrics                    Metrics
	Params                     int
	GFLOPs, MiB                float64
	MinSize                    [2]int `json:"min_size"`
	MinFrames                  int    `json:"min_frames"`
	NoHash                     bool   `json:"no_hash"`
	Keypoints                  []string
	Backend, Unquantized       string
}

// records returns torchvision's sets of labels, and its records by the names of the models.
var records = sync.OnceValues(func() (map[Classes][]string, map[string]record) {
	var f struct {
		Classes map[Classes][]string
		Models  map[string]record
	}
	if err := json.Unmarshal(weightsFile, &f); err != nil {
		panic(fmt.Sprintf("models: weights.json: %v", err))
	}
	return f.Classes, f.Models
})

// weights returns the weights of a record.
func (r record) weights() []Weights {
	var out []Weights
	for _, w := range r.Weights {
		all := Weights{
			Name: w.Name, Enum: r.Enum, URL: w.URL, NoHash: w.NoHash, Classes: w.Classes, Metrics: w.Metrics, Params: w.Params, GFLOPs: w.GFLOPs, MiB: w.MiB,
			License: w.License, Recipe: w.Recipe, MinSize: w.MinSize, MinFrames: w.MinFrames, Keypoints: w.Keypoints, Backend: w.Backend, Unquantized: w.Unquantized,
		}
		for task, arguments := range w.Preset {
			var err error
			if all.Preset, err = ReadPreset(task, arguments); err != nil {
				panic(fmt.Sprintf("models: weights.json: %s.%s: %v", r.Enum, w.Name, err))
			}
		}
		out = append(out, all)
	}
	return out
}

// fill adds torchvision's record of the weights to an entry that has none.
func (e *Entry) fill() {
	_, all := records()
	if r, ok := all[e.Name]; ok && e.Weights == nil {
		e.Weights, e.DefaultWeights, e.PretrainedWeights = r.weights(), r.Default, r.Pretrained
	}
}

// WeightsOf returns all weights of a model: torchvision.models.get_model_weights(name).
// The models are those of [Names] and, although they cannot be built, all other models of
// torchvision. The error for an unknown name is an [*UnknownError].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.models.get_model_weights.html
func WeightsOf(name string) ([]Weights, error) {
	e, err := Lookup(name)
	if err == nil {
		return slices.Clone(e.Weights), nil
	}
	if _, all := records(); all[name].Weights != nil {
		return all[name].weights(), nil
	}
	return nil, err
}

// Default returns the default weights, usually the newest: torchvision's weights="DEFAULT".
func (e *Entry) Default() *Weights {
	for i := range e.Weights {
		if e.Weights[i].Name == e.DefaultWeights {
			return &e.Weights[i]
		}
	}
	return &e.Weights[len(e.Weights)-1]
}

// Find returns weights by their name: "IMAGENET1K_V2", or "ResNet50_Weights.IMAGENET1K_V2" as
// torchvision.models.get_weight names them. "DEFAULT" is [Entry.Default], and "pretrained" the
// weights of pretrained=True in torchvision before version 0.13, which are usually the oldest. The
// error for another name lists the names.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.models.get_weight.html
func (e *Entry) Find(name string) (*Weights, error) {
	short := name
	if enum, of, ok := strings.Cut(name, "."); ok && enum == e.Weights[0].Enum {
		short = of
	}
	switch short {
	case "DEFAULT":
		return e.Default(), nil
	case "pretrained":
		short = e.PretrainedWeights
	}
	var names []string
	for i := range e.Weights {
		if w := &e.Weights[i]; w.Name == short {
			return w, nil
		}
		names = append(names, e.Weights[i].Name)
	}
	return nil, fmt.Errorf("%s has no weights %.100q; there are DEFAULT, %s", e.Name, name, strings.Join(names, ", "))
}
