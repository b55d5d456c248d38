package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Configurer returns the Configure of an [Entry] or a [Family] that builds c with some of
// its fields changed by the arguments, as [DecodeArguments] reads them. The function build
// makes the model of a configuration.
func Configurer[C, M any](c C, build func(C) M) func(arguments []byte) (func() any, error) {
	return func(arguments []byte) (func() any, error) {
		c := c
		if err := DecodeArguments(arguments, &c); err != nil {
			return nil, err
		}
		return func() any { return build(c) }, nil
	}
}

// RegisterVariants registers models of torchvision that a function builds: configurations by
// name, with the paper's title and URL. See [Register].
func RegisterVariants[C, M any](title, paper string, build func(C) M, variants map[string]C) {
	for name, c := range variants {
		Register(Entry{
			Name: name, Repo: Vision, Title: title, Paper: paper,
			Build: func() any { return build(c) }, Configure: Configurer(c, build),
		})
	}
}

// DecodeArguments reads an object of JSON into a struct whose fields have the arguments'
// names in tags, for [Family.Configure] and [Entry.Configure]. A field without a name in its
// tag is no argument. Unknown arguments, and numbers out of range, are errors: the tag
// limits gives the least and the greatest number, since arguments may come from an
// untrusted source. The default is 1 to 65536 for ints, 1 to 16777216 for num_classes, and
// 0 to 1 for floats. Empty arguments count as an empty object; null leaves a field as it is.
//
//	type Config struct {
//		NumClasses int      `json:"num_classes"`
//		Dropout    *float64 `json:"dropout"`
//		Alpha      float64  `json:"alpha" limits:"0.01,10"`
//		Blocks     []int
//	}
func DecodeArguments(arguments []byte, into any) error {
	if len(bytes.TrimSpace(arguments)) == 0 {
		return nil
	}
	fields, known := argumentFields(into)
	var given map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(arguments))
	if err := d.Decode(&given); err != nil {
		return fmt.Errorf("the arguments %.100q are not a JSON object such as {\"num_classes\": 10}; %s", arguments, known)
	}
	if _, more := d.Token(); more != io.EOF {
		return errors.New("something follows the arguments; give one JSON object")
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		f, ok := fields[name]
		if !ok {
			return fmt.Errorf("there is no argument %.100q; %s", name, known)
		}
		if string(given[name]) == "null" {
			continue
		}
		f.value.SetZero() // otherwise a slice or a pointer would be written to, which the entry may share
		err := json.Unmarshal(given[name], f.value.Addr().Interface())
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &kind):
			return fmt.Errorf("the argument %s cannot be a %s", name, kind.Value)
		case err != nil:
			return fmt.Errorf("the argument %s is %.100s: %w", name, given[name], err)
		}
		if err := f.check(name, f.value); err != nil {
			return err
		}
	}
	return nil
}

// An argumentField is a field that an argument sets, with its limits.
type argumentField struct {
	value       reflect.Value
	least, most *float64
}

// argumentFields returns the arguments of a struct, and a list of them for messages.
func argumentFields(into any) (fields map[string]argumentField, known string) {
	fields = map[string]argumentField{}
	var names []string
	v := reflect.ValueOf(into).Elem()
	for _, t := range reflect.VisibleFields(v.Type()) {
		name := t.Tag.Get("json")
		if name == "" || name == "-" {
			continue
		}
		f := argumentField{value: v.FieldByIndex(t.Index)}
		limits := t.Tag.Get("limits")
		if limits == "" && name == "num_classes" {
			limits = "1,16777216"
		}
		if least, most, ok := strings.Cut(limits, ","); ok {
			f.least, f.most = parseLimit(t, least), parseLimit(t, most)
		}
		fields[name] = f
		names = append(names, name)
	}
	switch last := len(names) - 1; last {
	case -1:
		return fields, "there are none"
	case 0:
		return fields, "there is " + names[0]
	default:
		return fields, "there are " + strings.Join(names[:last], ", ") + " and " + names[last]
	}
}

func parseLimit(f reflect.StructField, s string) *float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(fmt.Sprintf("models: the limits of field %s are no numbers: %v", f.Name, err))
	}
	return &v
}

// maxElements limits the length of a list.
const maxElements = 1024

// check refuses numbers out of range.
func (f argumentField) check(name string, v reflect.Value) error {
	least, most := 1.0, 65536.0
	switch v.Kind() {
	case reflect.Pointer:
		return f.check(name, v.Elem())
	case reflect.Slice, reflect.Array:
		if v.Len() > maxElements {
			return fmt.Errorf("%s has %d elements; give at most %d", name, v.Len(), maxElements)
		}
		for i := range v.Len() {
			if err := f.check(fmt.Sprintf("element %d of %s", i, name), v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Int:
		v = v.Convert(reflect.TypeFor[float64]())
	case reflect.Float64:
		least, most = 0, 1
	default:
		return nil
	}
	if f.least != nil {
		least, most = *f.least, *f.most
	}
	if n := v.Float(); !(n >= least && n <= most) {
		plain := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
		return fmt.Errorf("%s is %s; give a number from %s to %s", name, plain(n), plain(least), plain(most))
	}
	return nil
}
