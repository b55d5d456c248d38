package models

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/torchhub/torchhub/internal/suggest"
	"github.com/torchhub/torchhub/torch"
)

// Repositories of models, as torch.hub.load names them.
const (
	Vision    = "pytorch/vision"
	WSLImages = "facebookresearch/WSL-Images"

	SemiSupervised = "facebookresearch/semi-supervised-ImageNet1K-models"
)

// An Entry is a model of the registry.
type Entry struct {
	Name    string    // "resnet50"
	Repo    string    // "pytorch/vision"
	Title   string    // of the paper
	Paper   string    // its URL
	Weights []Weights // at least one; nil means torchvision's for this name, which [Register] fills in

	DefaultWeights    string // the name of the default weights; "" means the last ones
	PretrainedWeights string // the name of the weights of pretrained=True; "" means none

	// Build makes the module, initialized as torchvision's, in training mode: any value that
	// nn.StateDict can walk. For Classification it is an nn.Module; for other tasks it has
	// the methods that its package documents.
	Build func() any

	// BuildFor makes the module that published weights fill, where that is not Build's, such as one with an auxiliary
	// classifier; nil means that it is.
	BuildFor func(w *Weights) any

	// ConfigureFor is Configure for the module that published weights fill; nil means that Configure makes it.
	ConfigureFor func(w *Weights, arguments []byte) (func() any, error)

	// Configure returns a function that builds the model with other arguments, see [Configure]; nil means that there are none.
	Configure func(arguments []byte) (func() any, error)

	// Backbone describes the part of the model that can start from weights of another model; nil means that there is none.
	Backbone *Backbone
}

// A Backbone is the part of a model that is another model without its head: what weights_backbone of torchvision's
// functions is for.
type Backbone struct {
	Model   string // the name of the other model, "resnet50"
	Weights string // the name of those of its weights that torchvision takes by default

	// Configure returns a function that builds the whole model with arguments, on a CPU, with weights of the other model
	// in the backbone. The rest is random.
	Configure func(weights torch.StateDict, arguments []byte) (func() any, error)
}

// NewBackbone makes a Backbone. The function configurer returns a [Configurer] of a model with the weights in its backbone.
func NewBackbone(model, weights string, configurer func(torch.StateDict) func(arguments []byte) (func() any, error)) *Backbone {
	return &Backbone{model, weights, func(s torch.StateDict, arguments []byte) (func() any, error) { return configurer(s)(arguments) }}
}

// Task returns the task of the model, which the preset of its weights defines.
func (e *Entry) Task() Task { return e.Default().Preset.Task() }

// Weights describes published parameters of a model.
//
// https://docs.pytorch.org/vision/stable/models.html#table-of-all-available-classification-weights
type Weights struct {
	Name    string  // "IMAGENET1K_V2"
	Enum    string  // the class in torchvision, "ResNet50_Weights"; "" for those of other repositories
	URL     string  // of the state dict; the file's name ends in the first 8 digits of its SHA-256, unless NoHash is set
	NoHash  bool    // the file can only be checked by its own format, as torchvision's four oldest quantized ones
	Preset  Preset  // how inputs are prepared, with the defaults filled in by [Register]
	Classes Classes // the meaning of the outputs; "" if they are not classes
	Metrics Metrics // their quality; empty if it is not published
	Params  int     // number of parameters
	GFLOPs  float64 // multiply-adds of one input, in 10⁹, as torchvision counts them
	MiB     float64 // size of the file
	License string  // empty if only torchvision's own license, BSD-3-Clause, applies
	Recipe  string  // the URL of a description of the training

	MinSize     [2]int   // the height and width of the smallest pictures, in pixels; 0 if it is not published
	MinFrames   int      // the length of the shortest clips; 0 if it is not published
	Keypoints   []string // the names of the key points, in the order of the outputs; nil without
	Backend     string   // of quantized weights: the kernels that they are for, "fbgemm" or "qnnpack"
	Unquantized string   // of quantized weights: those that they were made of, "ResNet50_Weights.IMAGENET1K_V1"
}

// Classes is the name of a set of labels.
type Classes string

// labels holds the sets of labels that were registered in addition to torchvision's.
var labels = struct {
	sync.RWMutex
	of map[Classes][]string
}{of: map[Classes][]string{}}

// RegisterClasses adds a set of labels, in the order of a model's outputs. It panics if the name is
// taken.
func RegisterClasses(c Classes, names []string) {
	labels.Lock()
	defer labels.Unlock()
	if c == "" || c.names() != nil || len(names) == 0 {
		panic(fmt.Sprintf("models: RegisterClasses: the name %q is empty or taken, or there are no labels", c))
	}
	labels.of[c] = slices.Clone(names)
}

// Labels returns the classes' names in the order of a model's outputs:
// weights.meta["categories"]. It is nil if there is no such set.
func (c Classes) Labels() []string {
	labels.RLock()
	defer labels.RUnlock()
	return slices.Clone(c.names())
}

// names returns the labels, while labels is locked.
func (c Classes) names() []string {
	if names := labels.of[c]; names != nil {
		return names
	}
	of, _ := records()
	return of[c]
}

// entries holds the registered models by name.
var entries = struct {
	sync.RWMutex
	of map[string]*Entry
}{of: map[string]*Entry{}}

// Register adds models to those of [Names]. The packages of architectures call it when
// they are imported; models/all imports all of this module. It panics if the name of an
// entry is taken, if the entry lacks a name, Build or weights, if its weights lack a
// preset or are for two tasks, if their classes are not registered by [RegisterClasses], or
// if its default weights are not among them. An entry whose Weights are nil gets those that
// torchvision publishes for its name.
func Register(models ...Entry) {
	entries.Lock()
	defer entries.Unlock()
	for _, e := range models {
		e.fill()
		switch {
		case e.Name == "" || e.Build == nil || len(e.Weights) == 0:
			panic(fmt.Sprintf("models: Register: the entry %q lacks a name, Build or weights", e.Name))
		case entries.of[e.Name] != nil:
			panic(fmt.Sprintf("models: Register: there is a model %q already", e.Name))
		}
		e.Weights = slices.Clone(e.Weights)
		for i := range e.Weights {
			w := &e.Weights[i]
			if w.Preset == nil || w.Preset.Task() != e.Weights[0].Preset.Task() {
				panic(fmt.Sprintf("models: Register: the weights %s of %s lack a preset, or have one of another task", w.Name, e.Name))
			}
			if w.Classes != "" && w.Classes.Labels() == nil {
				panic(fmt.Sprintf("models: Register: the weights %s of %s have the classes %q, which are not registered", w.Name, e.Name, w.Classes))
			}
			w.Preset = w.Preset.WithDefaults()
		}
		for _, name := range []string{e.DefaultWeights, e.PretrainedWeights} {
			if name != "" && !slices.ContainsFunc(e.Weights, func(w Weights) bool { return w.Name == name }) {
				panic(fmt.Sprintf("models: Register: %s has no weights %q, which are its default", e.Name, name))
			}
		}
		entries.of[e.Name] = &e
	}
}

// An UnknownError reports that there is no model of a name.
type UnknownError struct {
	Name string
	Near []string // similar names, the nearest first
}

// Error returns the name and similar names.
func (e *UnknownError) Error() string {
	s := fmt.Sprintf("no model %.100q", e.Name)
	if len(e.Near) > 0 {
		s += "; " + suggest.Mean(e.Near)
	}
	return s
}

// Lookup returns the entry of a name. The error for an unknown name is an [*UnknownError], which suggests similar
// names.
func Lookup(name string) (*Entry, error) {
	entries.RLock()
	e, none := entries.of[name], len(entries.of) == 0
	entries.RUnlock()
	switch {
	case none:
		return nil, errors.New("models: no model is registered; import models/all, which registers all")
	case e == nil:
		return nil, &UnknownError{name, suggest.Near(name, Names(), 3)}
	}
	return e, nil
}

// New builds a model without trained weights: torchvision.models.get_model(name).
// After the same torch.ManualSeed its parameters equal torchvision's. M is the type
// of the module or an interface that it implements, such as nn.Module for classification:
//
//	model, err := models.New[nn.Module]("resnet18")
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.models.get_model.html
func New[M any](name string) (M, error) {
	var none M
	e, err := Lookup(name)
	if err != nil {
		return none, err
	}
	built := e.Build()
	m, ok := built.(M)
	if !ok {
		return none, fmt.Errorf("models: %s is a %T for %s, not a %v", name, built, e.Task(), reflect.TypeFor[M]())
	}
	return m, nil
}
