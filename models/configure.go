package models

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch/nn"
)

// families are the classes behind the names: those that need all their arguments.
var families = map[string]func(arguments []byte) (func() nn.Module, error){
	"resnet": ResNetConfig{}.configure,
}

// Families returns the names of the classes that [Configure] takes beside those
// of [Names], in alphabetical order. "resnet" is torchvision's class ResNet.
func Families() []string { return slices.Sorted(maps.Keys(families)) }

// Configure returns what builds a model with other arguments than its entry's,
// an object of JSON: torchvision.models.get_model(name, **arguments). A name is
// one of [Names] or [Families]. The arguments of the ResNet family are
// num_classes, groups, width_per_group, and for "resnet" also block,
// "BasicBlock" or "Bottleneck", and layers, four numbers; both have to be given
// there. Arguments that the model does not have or that do not fit are an error.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.models.get_model.html
func Configure(name string, arguments []byte) (func() nn.Module, error) {
	configure := families[name]
	if configure == nil {
		e, err := Lookup(name)
		if err != nil {
			return nil, err
		}
		configure = e.configure
	}
	if len(bytes.TrimSpace(arguments)) == 0 {
		arguments = []byte("{}")
	}
	build, err := configure(arguments)
	if err != nil {
		return nil, fmt.Errorf("models: %s: %w", name, err)
	}
	return build, nil
}

// What an argument may be, far beyond what anyone trained, so that none of a stranger's fills the memory.
const (
	maxBlocks  = 1000
	maxWidth   = 1 << 16
	maxClasses = 1 << 24
)

// argumentsError says why arguments cannot be read.
func argumentsError(arguments []byte, err error) error {
	const known = "there are block, layers, num_classes, groups and width_per_group"
	var kind *json.UnmarshalTypeError
	switch name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); {
	case unknown:
		return fmt.Errorf("there is no argument %.100s; %s", name, known)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("the argument %s cannot be a %s", kind.Field, kind.Value)
	}
	return fmt.Errorf("the arguments %.100q are no JSON object such as {\"num_classes\": 10}; %s", arguments, known)
}

// configure returns what builds a ResNet of c with some arguments changed. A
// config without layers is that of the class, whose blocks are not to be chosen twice.
func (c ResNetConfig) configure(arguments []byte) (func() nn.Module, error) {
	var a struct {
		Block         *string `json:"block"`
		Layers        []int   `json:"layers"`
		NumClasses    *int    `json:"num_classes"`
		Groups        *int    `json:"groups"`
		WidthPerGroup *int    `json:"width_per_group"`
	}
	d := json.NewDecoder(bytes.NewReader(arguments))
	d.DisallowUnknownFields()
	err := d.Decode(&a)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			return nil, errors.New("something follows the arguments; give one JSON object")
		}
	}
	if err != nil {
		return nil, argumentsError(arguments, err)
	}
	class := c.Layers == [4]int{}
	switch {
	case !class && (a.Block != nil || a.Layers != nil):
		return nil, errors.New("its block and layers are given by its name; take resnet to choose them")
	case class && a.Block == nil:
		return nil, errors.New("block is missing; give BasicBlock or Bottleneck")
	case class && len(a.Layers) != 4:
		return nil, fmt.Errorf("layers has %d numbers; give 4", len(a.Layers))
	}
	if class {
		blocks := map[string]Block{"BasicBlock": BasicBlocks, "Bottleneck": Bottlenecks}
		block, ok := blocks[*a.Block]
		if !ok {
			return nil, fmt.Errorf("block is %.100q; give BasicBlock or Bottleneck", *a.Block)
		}
		c.Block, c.Layers = block, [4]int(a.Layers)
		for _, n := range a.Layers {
			if n < 1 || n > maxBlocks {
				return nil, fmt.Errorf("layers is %v; give numbers from 1 to %d", a.Layers, maxBlocks)
			}
		}
	}
	for _, p := range []struct {
		name  string
		given *int
		limit int
		to    *int
	}{
		{"num_classes", a.NumClasses, maxClasses, &c.NumClasses},
		{"groups", a.Groups, maxWidth, &c.Groups},
		{"width_per_group", a.WidthPerGroup, maxWidth, &c.WidthPerGroup},
	} {
		if p.given == nil {
			continue
		}
		if *p.given < 1 || *p.given > p.limit {
			return nil, fmt.Errorf("%s is %d; give a number from 1 to %d", p.name, *p.given, p.limit)
		}
		*p.to = *p.given
	}
	groups, width := cmp.Or(c.Groups, 1), cmp.Or(c.WidthPerGroup, 64)
	switch {
	case c.Block == BasicBlocks && (groups != 1 || width != 64):
		return nil, errors.New("BasicBlock has one group of width 64; take Bottleneck")
	case groups*width > maxWidth:
		return nil, fmt.Errorf("%d groups of width %d are more than %d channels", groups, width, maxWidth)
	}
	return func() nn.Module { return NewResNet(c) }, nil
}
