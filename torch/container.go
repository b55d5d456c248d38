package torch

import (
	"reflect"
	"slices"
)

// A Tuple is a Python tuple.
type Tuple []Value

// A Set is a Python set, in the order of the file or the program.
type Set []Value

// A Size is a torch.Size in a file. [Tensor.Shape] returns a plain []int, which Size(x.Shape()) converts.
//
// https://docs.pytorch.org/docs/stable/size.html
type Size []int

// A QScheme is a torch.qscheme, by its name in PyTorch: "torch.per_tensor_affine".
type QScheme string

// A Parameter is a tensor that [Save] writes as a torch.nn.Parameter, as Python's
// torch.save writes those in a plain dict or list. Module.state_dict() has no
// parameters but plain tensors, and so has a [StateDict]. [Load] reads a
// parameter as a tensor that requires a gradient.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
type Parameter struct{ *Tensor }

// A Dict is a Python dict: entries in order. The zero value is an empty dict.
type Dict struct {
	Entries  []Entry
	Class    DictClass // its class in a file
	Metadata *Dict     // of an OrderedDict in a file: its attribute _metadata, where Module.state_dict() keeps version numbers
}

// An Entry is a key of a [Dict] and its value.
type Entry struct{ Key, Value Value }

// A DictClass is the Python class of a [Dict] in a file.
type DictClass uint8

// Classes.
const (
	PlainDict   DictClass = iota // dict
	OrderedDict                  // collections.OrderedDict, the class of state dicts
	Counter                      // collections.Counter
)

// String returns Python's name.
func (c DictClass) String() string {
	switch c {
	case OrderedDict:
		return "OrderedDict"
	case Counter:
		return "Counter"
	}
	return "dict"
}

// Get returns the value of a key, or nil and false if there is none.
func (d *Dict) Get(key Value) (Value, bool) {
	if i := d.find(key); i >= 0 {
		return d.Entries[i].Value, true
	}
	return nil, false
}

// Set sets the value of a key, at the end if the key is new: d[key] = value. It
// panics with an [*Error] if d is nil.
func (d *Dict) Set(key, value Value) {
	if d == nil {
		fail("Dict.Set", "the dict is nil")
	}
	if i := d.find(key); i >= 0 {
		d.Entries[i].Value = value
		return
	}
	d.Entries = append(d.Entries, Entry{key, value})
}

// Delete removes a key and its value, and reports whether the key was there: del d[key].
func (d *Dict) Delete(key Value) bool {
	i := d.find(key)
	if i < 0 {
		return false
	}
	d.Entries = slices.Delete(d.Entries, i, i+1)
	return true
}

// find returns the index of a key, or -1.
func (d *Dict) find(key Value) int {
	if d == nil {
		return -1
	}
	simple := key == nil || reflect.TypeOf(key).Comparable()
	return slices.IndexFunc(d.Entries, func(e Entry) bool {
		if simple {
			return e.Key == key
		}
		return reflect.DeepEqual(e.Key, key)
	})
}
