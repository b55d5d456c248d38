package models

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/internal/suggest"
	"github.com/torchhub/torchhub/torch/nn"
)

// Repositories of models, as torch.hub.load names them.
const (
	Vision    = "pytorch/vision"
	WSLImages = "facebookresearch/WSL-Images"
)

// An Entry is a model that can be asked for by name.
type Entry struct {
	Name    string           // "resnet50"
	Repo    string           // "pytorch/vision"
	Title   string           // of the paper
	Paper   string           // its URL
	Build   func() nn.Module // makes the module, initialized as torchvision's, in training mode
	Weights []Weights        // from the oldest to the newest; at least one

	// Configure returns what builds the model with other arguments, see [Configure]. Nil takes none.
	Configure func(arguments []byte) (func() nn.Module, error)
}

// Default returns the weights taken where none are named: the newest, torchvision's weights="DEFAULT".
func (e *Entry) Default() *Weights { return &e.Weights[len(e.Weights)-1] }

// Weights are published parameters of a model and all that belongs to them.
//
// https://docs.pytorch.org/vision/stable/models.html#table-of-all-available-classification-weights
type Weights struct {
	Name    string  // "IMAGENET1K_V2"
	URL     string  // of the state dict; the file's name ends in the first 8 digits of its SHA-256
	Preset  Preset  // how pictures are prepared
	Classes Classes // what the outputs mean
	Acc1    float64 // share of ImageNet-1K's validation pictures whose label is the first one, in percent
	Acc5    float64 // whose label is among the first five, in percent
	Params  int     // number of parameters
	GFLOPs  float64 // multiply-adds of one picture, in 10⁹, as torchvision counts them
	MiB     float64 // size of the file
	License string  // empty where torchvision's own, BSD-3-Clause, is all there is
}

// A Preset says how a picture becomes a model's input: resize the short side,
// crop the center, scale to [0, 1], then subtract Mean and divide by Std. It is
// torchvision.transforms.ImageClassification with these numbers.
type Preset struct {
	Resize        int    // of the short side, in pixels
	Crop          int    // of both sides, in pixels
	Interpolation string // "bilinear" or "bicubic"; both with antialias
	Mean, Std     []float64
}

// Classes name a set of labels.
type Classes string

// ImageNet is the 1,000 classes of ImageNet-1K.
const ImageNet Classes = "ImageNet-1K"

//go:embed imagenet.txt
var imageNet string

// Labels returns the classes' names in the order of a model's outputs:
// weights.meta["categories"].
func (c Classes) Labels() []string {
	if c != ImageNet {
		return nil
	}
	return strings.Split(strings.TrimSuffix(imageNet, "\n"), "\n")
}

// entries holds the registered models by name.
var entries = struct {
	sync.RWMutex
	of map[string]*Entry
}{of: map[string]*Entry{}}

// Register adds models to those of [Names]. The packages of architectures call it when
// they are imported; models/all imports all of this module. It panics where an entry lacks a name, Build or
// weights, or its name is taken.
func Register(models ...Entry) {
	entries.Lock()
	defer entries.Unlock()
	for _, e := range models {
		switch {
		case e.Name == "" || e.Build == nil || len(e.Weights) == 0:
			panic(fmt.Sprintf("models: Register: the entry %q lacks a name, Build or weights", e.Name))
		case entries.of[e.Name] != nil:
			panic(fmt.Sprintf("models: Register: there is a model %q already", e.Name))
		}
		entries.of[e.Name] = &e
	}
}

// Names returns the names of all models in alphabetical order: torchvision.models.list_models().
func Names() []string {
	entries.RLock()
	defer entries.RUnlock()
	return slices.Sorted(maps.Keys(entries.of))
}

// An UnknownError says that there is no model of a name.
type UnknownError struct {
	Name string
	Near []string // the names that it may have meant, the nearest first
}

// Error returns the name and those that it may have meant.
func (e *UnknownError) Error() string {
	s := fmt.Sprintf("no model %.100q", e.Name)
	if len(e.Near) > 0 {
		s += "; " + suggest.Mean(e.Near)
	}
	return s
}

// Lookup returns the entry of a name. The error for an unknown one is an [*UnknownError], which suggests the nearest.
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

// New builds a model that has no trained weights: torchvision.models.get_model(name).
// After the same [torch.ManualSeed] its parameters are torchvision's.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.models.get_model.html
func New(name string) (nn.Module, error) {
	e, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	return e.Build(), nil
}
