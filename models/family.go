package models

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/internal/suggest"
)

// A Family is what the package of an architecture registers in addition to its
// entries: their class, and its names in other libraries.
type Family struct {
	Name string // of the class, in lower case: "resnet"

	// Configure returns a function that builds a module of the class. It takes all arguments, see [Configure].
	Configure func(arguments []byte) (func() any, error)

	// Timm converts models of timm, by their architecture.
	Timm map[string]Converter
	// Transformers converts models of transformers, by their class.
	Transformers map[string]Converter
}

// A Converter reads the config.json of a model of another library. The file is not
// trusted: numbers that are out of range are errors. The error for a configuration
// that the family does not support names the setting.
type Converter func(config []byte) (*Conversion, error)

// A Conversion describes how to build a model of another library.
type Conversion struct {
	Build   func(classes int) any    // makes the module with a number of outputs, in training mode
	Classes int                      // the number of outputs in the configuration, at least 1
	Rename  func(name string) string // maps a tensor's name in the library's files to its name in the module; nil changes none
}

// families holds the registered families, by the names of the classes and of other
// libraries.
var families = struct {
	sync.RWMutex
	of                 map[string]Family
	timm, transformers map[string]Converter
}{of: map[string]Family{}, timm: map[string]Converter{}, transformers: map[string]Converter{}}

// RegisterFamily adds a family. It panics if its name is empty or taken, or if another
// family converts the same name of another library.
func RegisterFamily(f Family) {
	families.Lock()
	defer families.Unlock()
	if _, ok := families.of[f.Name]; ok || f.Name == "" {
		panic(fmt.Sprintf("models: RegisterFamily: the name %q is empty or taken", f.Name))
	}
	for _, l := range []struct {
		whose     string
		all, more map[string]Converter
	}{{"timm's", families.timm, f.Timm}, {"transformers'", families.transformers, f.Transformers}} {
		for name := range l.more {
			if l.all[name] != nil {
				panic(fmt.Sprintf("models: RegisterFamily: two families convert %s %q", l.whose, name))
			}
		}
	}
	families.of[f.Name] = f
	maps.Copy(families.timm, f.Timm)
	maps.Copy(families.transformers, f.Transformers)
}

// Families returns the names of the classes that [Configure] accepts in
// addition to [Names], in alphabetical order. "resnet" is torchvision's class
// ResNet.
func Families() []string {
	families.RLock()
	defer families.RUnlock()
	return slices.Sorted(maps.Keys(families.of))
}

// FromTimm reads the config.json of a model of timm: timm.create_model(architecture, **model_args).
//
// https://huggingface.co/docs/timm/reference/models
func FromTimm(architecture string, config []byte) (*Conversion, error) {
	return convert("timm's", families.timm, architecture, config)
}

// FromTransformers reads the config.json of a model of transformers, by its
// class, such as ResNetForImageClassification.
//
// https://huggingface.co/docs/transformers/main_classes/configuration
func FromTransformers(class string, config []byte) (*Conversion, error) {
	return convert("transformers'", families.transformers, class, config)
}

func convert(whose string, all map[string]Converter, name string, config []byte) (*Conversion, error) {
	families.RLock()
	converter, names := all[name], slices.Sorted(maps.Keys(all))
	families.RUnlock()
	if converter == nil {
		near := ""
		if all := suggest.Near(name, names, 3); len(all) > 0 {
			near = "; there are " + strings.Join(all, ", ")
		}
		return nil, fmt.Errorf("unsupported: its architecture is %s %.100q, which is not implemented in Go%s; make it TorchScript with Python", whose, name, near)
	}
	return converter(config)
}

// Configure returns a function that builds a model with the given arguments, an object of JSON,
// in place of its entry's: torchvision.models.get_model(name, **arguments). The name is one of
// [Names] or [Families]; the package of each family documents its arguments. An unknown argument
// or an invalid value is an error.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.models.get_model.html
func Configure(name string, arguments []byte) (func() any, error) {
	families.RLock()
	configure := families.of[name].Configure
	families.RUnlock()
	if configure == nil {
		e, err := Lookup(name)
		if err != nil {
			return nil, err
		}
		if configure = e.Configure; configure == nil {
			return nil, fmt.Errorf("models: %s takes no arguments", name)
		}
	}
	build, err := configure(arguments)
	if err != nil {
		return nil, fmt.Errorf("models: %s: %w", name, err)
	}
	return build, nil
}
