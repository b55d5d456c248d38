// Package pytree reads and writes the descriptions of nested containers that torch.utils._pytree makes.
//
// https://github.com/pytorch/pytorch/blob/main/torch/utils/_pytree.py
package pytree

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/torchhub/torchhub/torch"
)

const (
	maxDepth = 512
	maxNodes = 1 << 20
)

// A Spec describes the places of leaves in Python's containers: torch.utils._pytree.TreeSpec.
type Spec struct {
	Type     *string         `json:"type"` // nil is a leaf
	Context  json.RawMessage `json:"context"`
	Children []*Spec         `json:"children_spec"`

	keys []torch.Value // of a dict
}

// Parse reads what pytree.treespec_dumps writes: [1, spec]. Containers that a program registered, such as transformers'
// outputs, are dicts if they have names for their parts; other types of container are an error.
func Parse(text string) (*Spec, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal([]byte(text), &parts); err != nil {
		return nil, err
	}
	if len(parts) != 2 || string(parts[0]) != "1" {
		return nil, errors.New("it is described by another protocol than 1")
	}
	var t *Spec
	if err := json.Unmarshal(parts[1], &t); err != nil {
		return nil, err
	}
	nodes := maxNodes
	return t, t.check(maxDepth, &nodes)
}

func (t *Spec) check(depth int, nodes *int) error {
	if *nodes--; t == nil || depth == 0 || *nodes < 0 {
		return errors.New("a part of it has no description, or it is nested too deep")
	}
	for _, c := range t.Children {
		if err := c.check(depth-1, nodes); err != nil {
			return err
		}
	}
	if t.Type == nil {
		if len(t.Children) > 0 {
			return errors.New("a leaf of it has parts")
		}
		return nil
	}
	switch *t.Type {
	case tuple, list, namedTuple, deque:
		return nil
	default:
		// a text that is JSON, or the JSON itself
		context := t.Context
		var text string
		if json.Unmarshal(context, &text) == nil {
			context = json.RawMessage(text)
		}
		if err := json.Unmarshal(context, &t.keys); err != nil || len(t.keys) != len(t.Children) && *t.Type != dict {
			return fmt.Errorf("a %.100q, which has no form in Go", *t.Type)
		}
		if len(t.keys) != len(t.Children) {
			return fmt.Errorf("a dict has %d keys and %d values", len(t.keys), len(t.Children))
		}
		for i, k := range t.keys {
			switch k := k.(type) {
			case string, bool:
			case float64:
				if k == float64(int(k)) {
					t.keys[i] = int(k)
				}
			default:
				return fmt.Errorf("a dict has a key of the type %T", k)
			}
		}
		return nil
	}
}

// The types of containers.
const (
	tuple      = "builtins.tuple"
	list       = "builtins.list"
	namedTuple = "collections.namedtuple"
	deque      = "collections.deque"
	dict       = "builtins.dict"
)

func (t *Spec) isDict() bool {
	switch *t.Type {
	case tuple, list, namedTuple, deque:
		return false
	}
	return true
}

// Leaves returns the number of leaves.
func (t *Spec) Leaves() int {
	if t.Type == nil {
		return 1
	}
	n := 0
	for _, c := range t.Children {
		n += c.Leaves()
	}
	return n
}

// Keys returns the keys of a dict.
func (t *Spec) Keys() []torch.Value { return t.keys }

// Build puts leaves into containers, and returns those that are left.
func (t *Spec) Build(leaves []torch.Value) (torch.Value, []torch.Value, error) {
	if t.Type == nil {
		if len(leaves) == 0 {
			return nil, nil, errors.New("there are fewer outputs than the model announced")
		}
		return leaves[0], leaves[1:], nil
	}
	items := make([]torch.Value, len(t.Children))
	for i, c := range t.Children {
		var err error
		if items[i], leaves, err = c.Build(leaves); err != nil {
			return nil, nil, err
		}
	}
	switch *t.Type {
	case tuple, namedTuple:
		return torch.Tuple(items), leaves, nil
	case list, deque:
		return items, leaves, nil
	default:
		d := &torch.Dict{}
		for i, k := range t.keys {
			d.Entries = append(d.Entries, torch.Entry{Key: k, Value: items[i]})
		}
		return d, leaves, nil
	}
}

// Flatten appends the leaves of a value that has the structure of t: lists and tuples stand for each other, and dicts
// have the same keys in any order. The error names the place, which begins with path, as Python writes it.
func (t *Spec) Flatten(to []torch.Value, v torch.Value, path string) ([]torch.Value, error) {
	if t.Type == nil {
		return append(to, v), nil
	}
	if t.isDict() {
		get, n, ok := entries(v)
		if !ok {
			return nil, fmt.Errorf("%s is a %T, and must be a dict", path, v)
		}
		for i, k := range t.keys {
			e, ok := get(k)
			if !ok {
				return nil, fmt.Errorf("%s has no entry %s", path, Key(k))
			}
			var err error
			if to, err = t.Children[i].Flatten(to, e, path+"["+Key(k)+"]"); err != nil {
				return nil, err
			}
		}
		if n != len(t.keys) {
			return nil, fmt.Errorf("%s has %d entries, and must have %d", path, n, len(t.keys))
		}
		return to, nil
	}
	items, ok := itemsOf(v)
	if !ok || len(items) != len(t.Children) {
		if !ok {
			return nil, fmt.Errorf("%s is a %T, and must be a list or tuple of %d", path, v, len(t.Children))
		}
		return nil, fmt.Errorf("%s has %d items, and must have %d", path, len(items), len(t.Children))
	}
	for i, e := range items {
		var err error
		if to, err = t.Children[i].Flatten(to, e, fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return nil, err
		}
	}
	return to, nil
}

// Paths appends the places of the leaves, as Flatten names them.
func (t *Spec) Paths(to []string, path string) []string {
	if t.Type == nil {
		return append(to, path)
	}
	for i, c := range t.Children {
		key := strconv.Itoa(i)
		if i < len(t.keys) {
			key = Key(t.keys[i])
		}
		to = c.Paths(to, path+"["+key+"]")
	}
	return to
}

// Key returns the key of a dict as Python writes it.
func Key(k torch.Value) string {
	if s, ok := k.(string); ok {
		return "'" + s + "'"
	}
	return fmt.Sprint(k)
}

// entries returns a function that finds the entries of a dict, and their number.
func entries(v torch.Value) (get func(k torch.Value) (torch.Value, bool), n int, ok bool) {
	switch v := v.(type) {
	case *torch.Dict:
		if v == nil {
			return nil, 0, false
		}
		return func(k torch.Value) (torch.Value, bool) {
			for _, e := range v.Entries {
				if e.Key == k {
					return e.Value, true
				}
			}
			return nil, false
		}, len(v.Entries), true
	case map[string]torch.Value:
		return func(k torch.Value) (torch.Value, bool) {
			s, _ := k.(string)
			e, ok := v[s]
			return e, ok
		}, len(v), true
	case map[string]*torch.Tensor:
		return func(k torch.Value) (torch.Value, bool) {
			s, _ := k.(string)
			e, ok := v[s]
			return e, ok
		}, len(v), true
	}
	return nil, 0, false
}

func itemsOf(v torch.Value) ([]torch.Value, bool) {
	switch v := v.(type) {
	case []torch.Value:
		return v, true
	case torch.Tuple:
		return v, true
	case []*torch.Tensor:
		return boxed(v), true
	case []int:
		return boxed(v), true
	case torch.Size:
		return boxed(v), true
	case []float64:
		return boxed(v), true
	case []bool:
		return boxed(v), true
	case []string:
		return boxed(v), true
	}
	return nil, false
}

func boxed[T any](list []T) []torch.Value {
	out := make([]torch.Value, len(list))
	for i, e := range list {
		out[i] = e
	}
	return out
}

// Tensors appends the tensors in a value, in order.
func Tensors(to []*torch.Tensor, v torch.Value) []*torch.Tensor {
	switch v := v.(type) {
	case *torch.Tensor:
		return append(to, v)
	case *torch.Dict:
		if v != nil {
			for _, e := range v.Entries {
				to = Tensors(to, e.Value)
			}
		}
	default:
		items, _ := itemsOf(v)
		for _, e := range items {
			to = Tensors(to, e)
		}
	}
	return to
}
