package aoti

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/torchhub/torchhub/torch"
)

// A treeSpec describes the places of leaves in Python's containers:
// torch.utils._pytree.TreeSpec.
//
// https://github.com/pytorch/pytorch/blob/main/torch/utils/_pytree.py
type treeSpec struct {
	Type     *string         `json:"type"` // nil is a leaf
	Context  json.RawMessage `json:"context"`
	Children []*treeSpec     `json:"children_spec"`
	keys     []torch.Value   // of a dict
}

// parseTreeSpec reads what pytree.treespec_dumps writes: [1, spec].
func parseTreeSpec(text string) (*treeSpec, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal([]byte(text), &parts); err != nil {
		return nil, err
	}
	if len(parts) != 2 || string(parts[0]) != "1" {
		return nil, errors.New("it is described by another protocol than 1")
	}
	var t treeSpec
	if err := json.Unmarshal(parts[1], &t); err != nil {
		return nil, err
	}
	return &t, t.check()
}

func (t *treeSpec) check() error {
	for _, c := range t.Children {
		if c == nil {
			return errors.New("a part of it has no description")
		}
		if err := c.check(); err != nil {
			return err
		}
	}
	if t.Type == nil {
		return nil
	}
	switch *t.Type {
	case "builtins.tuple", "builtins.list", "collections.namedtuple", "collections.deque":
		return nil
	case "builtins.dict", "collections.OrderedDict":
		// a text that is JSON, or the JSON itself
		context := t.Context
		var text string
		if json.Unmarshal(context, &text) == nil {
			context = json.RawMessage(text)
		}
		if err := json.Unmarshal(context, &t.keys); err != nil {
			return err
		}
		if len(t.keys) != len(t.Children) {
			return fmt.Errorf("a dict has %d keys and %d values", len(t.keys), len(t.Children))
		}
		for i, k := range t.keys {
			if f, ok := k.(float64); ok && f == float64(int(f)) {
				t.keys[i] = int(f)
			}
		}
		return nil
	}
	return fmt.Errorf("a %s", *t.Type)
}

// build puts leaves into containers and returns those that are left.
func (t *treeSpec) build(leaves []*torch.Tensor) (torch.Value, []*torch.Tensor, error) {
	if t.Type == nil {
		if len(leaves) == 0 {
			return nil, nil, errors.New("there are fewer outputs than the model announced")
		}
		if leaves[0] == nil {
			return nil, leaves[1:], nil
		}
		return leaves[0], leaves[1:], nil
	}
	items := make([]torch.Value, len(t.Children))
	for i, c := range t.Children {
		var err error
		if items[i], leaves, err = c.build(leaves); err != nil {
			return nil, nil, err
		}
	}
	switch *t.Type {
	case "builtins.tuple", "collections.namedtuple":
		return torch.Tuple(items), leaves, nil
	case "builtins.dict", "collections.OrderedDict":
		d := &torch.Dict{}
		for i, k := range t.keys {
			d.Entries = append(d.Entries, torch.Entry{Key: k, Value: items[i]})
		}
		return d, leaves, nil
	}
	return items, leaves, nil
}

// flatten appends the tensors in a value, in order.
func flatten(to []*torch.Tensor, v torch.Value) []*torch.Tensor {
	switch v := v.(type) {
	case *torch.Tensor:
		return append(to, v)
	case []*torch.Tensor:
		return append(to, v...)
	case []torch.Value:
		for _, e := range v {
			to = flatten(to, e)
		}
	case torch.Tuple:
		for _, e := range v {
			to = flatten(to, e)
		}
	case *torch.Dict:
		if v != nil {
			for _, e := range v.Entries {
				to = flatten(to, e.Value)
			}
		}
	}
	return to
}
