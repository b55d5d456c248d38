package torch

import (
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/badfile"
)

// A StateDictOption is an option of [LoadStateDict] and [FindStateDict].
// Every [LoadOption] is one too.
type StateDictOption interface{ setStateDict(*stateDictOptions) }

type stateDictOptions struct {
	loadOptions
	key, prefix *string // nil: to be found
	notice      io.Writer
}

type stateDictOption func(*stateDictOptions)

func (f stateDictOption) setStateDict(o *stateDictOptions) { f(o) }

func findingStateDict(options []StateDictOption) stateDictOptions {
	o := stateDictOptions{loadOptions: loading(nil)}
	for _, f := range options {
		f.setStateDict(&o)
	}
	return o
}

// WithKey selects the state dict under a key of the checkpoint, such as "model"
// or, two levels down, "ema.state_dict". An empty key is the checkpoint itself.
func WithKey(key string) StateDictOption {
	return stateDictOption(func(o *stateDictOptions) { o.key = &key })
}

// WithPrefix removes a prefix, such as "module.", from all names. An empty prefix leaves the names as they
// are.
func WithPrefix(prefix string) StateDictOption {
	return stateDictOption(func(o *stateDictOptions) { o.prefix = &prefix })
}

// WithNotice writes one line to w with the key under which a state dict was
// found and the prefix that was removed from its names. The default is to write
// nothing.
func WithNotice(w io.Writer) StateDictOption {
	return stateDictOption(func(o *stateDictOptions) { o.notice = w })
}

// LoadStateDict is [Load] for a file that holds a state dict: a dict of names to
// tensors. If a checkpoint holds one state dict beside other values, as in
// {"epoch": 3, "state_dict": {…}}, it returns that one. If all names begin with a
// prefix of DistributedDataParallel, torch.compile or a similar wrapper, such as
// "module." or "_orig_mod.", it removes the prefix. [WithKey] and [WithPrefix]
// set the key and the prefix. Anything else in the file is a [*StateDictError].
func LoadStateDict(path string, options ...StateDictOption) (StateDict, error) {
	o := findingStateDict(options)
	v, err := loadFile(path, o.loadOptions)
	if err != nil {
		return nil, fmt.Errorf("torch: load %s: %w", path, err)
	}
	s, at, err := FindStateDict(v, options...)
	if e, ok := err.(*StateDictError); ok && len(e.Keys) > 0 {
		return nil, fmt.Errorf("torch: load %s: %w; choose one with WithKey", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("torch: load %s: %w", path, err)
	}
	if text := at.String(); text != "" && o.notice != nil && (o.key == nil || o.prefix == nil) {
		fmt.Fprintf(o.notice, "torch: %s: the state dict is %s\n", path, text)
	}
	return s, nil
}

// A StateDictPlace is the place of a state dict in a checkpoint.
type StateDictPlace struct {
	Key    string // its key; empty for the checkpoint itself
	Prefix string // the prefix of its names
}

// String describes the place, as in `under the key "model", without the prefix "module." of its names`. It is empty for a plain state dict.
func (p StateDictPlace) String() string {
	var parts []string
	if p.Key != "" {
		parts = append(parts, fmt.Sprintf("under the key %.100q", p.Key))
	}
	if p.Prefix != "" {
		parts = append(parts, fmt.Sprintf("without the prefix %.100q of its names", p.Prefix))
	}
	return strings.Join(parts, ", ")
}

// A StateDictError reports why no state dict was found in a checkpoint.
type StateDictError struct {
	Msg  string
	Keys []string // the keys of its state dicts, if one must be chosen
}

// Error returns a description.
func (e *StateDictError) Error() string { return e.Msg }

// Is reports whether target is [ErrUnsupported].
func (e *StateDictError) Is(target error) bool { return target == badfile.ErrUnsupported }

// FindStateDict finds the state dict in a result of [Load], as [LoadStateDict]
// does, and returns its place too. The tensors are shared with v.
func FindStateDict(v Value, options ...StateDictOption) (StateDict, StateDictPlace, error) {
	o := findingStateDict(options)
	s, at, err := o.find(v)
	if err == nil {
		at.Prefix, err = o.cut(s)
	}
	if err != nil {
		return nil, StateDictPlace{}, err
	}
	return s, at, nil
}

// find returns the state dict under the key, or the only state dict.
func (o *stateDictOptions) find(v Value) (StateDict, StateDictPlace, error) {
	if o.key != nil {
		s, err := under(v, *o.key)
		return s, StateDictPlace{Key: *o.key}, err
	}
	all := StateDicts(v)
	if len(all) == 1 {
		return all[0].StateDict, all[0].StateDictPlace, nil
	}
	var keys []string
	for _, s := range all {
		keys = append(keys, s.Key)
	}
	if len(keys) > 0 {
		return nil, StateDictPlace{}, &StateDictError{Msg: "it holds several state dicts, under the keys " + quotedList(keys, " and "), Keys: keys}
	}
	_, err := stateDict(v)
	return nil, StateDictPlace{}, err
}

// cut removes the prefix from the names, in place, and returns it.
func (o *stateDictOptions) cut(s StateDict) (string, error) {
	prefix := ""
	if o.prefix != nil {
		prefix = *o.prefix
	} else {
		prefix = wrapping(s)
	}
	for i, e := range s {
		name, ok := strings.CutPrefix(e.Name, prefix)
		if !ok {
			return "", &StateDictError{Msg: fmt.Sprintf("the name %.100q does not begin with the prefix %.100q", e.Name, prefix)}
		}
		s[i].Name = name
	}
	return prefix, nil
}

// wrappers are the names of the fields in which modules hold the module that they wrap.
var wrappers = []string{"module.", "_orig_mod.", "_fsdp_wrapped_module.", "_forward_module."}

// wrapping returns the prefix that wrapping modules put before all names.
func wrapping(s StateDict) string {
	prefix := ""
	for len(s) > 0 {
		i := slices.IndexFunc(wrappers, func(w string) bool {
			return !slices.ContainsFunc(s, func(e Named) bool { return !strings.HasPrefix(e.Name, prefix+w) })
		})
		if i < 0 {
			break
		}
		prefix += wrappers[i]
	}
	return prefix
}

// A PlacedStateDict is a state dict with its place. Its names are unchanged, and Prefix is empty.
type PlacedStateDict struct {
	StateDict
	StateDictPlace
}

// StateDicts returns all state dicts in a result of [Load]: v itself, or its
// values that are state dicts, or else those one level deeper.
func StateDicts(v Value) []PlacedStateDict {
	if s, err := stateDict(v); err == nil {
		return []PlacedStateDict{{StateDict: s}}
	}
	level := []Entry{{"", v}}
	for range 2 {
		var found []PlacedStateDict
		var next []Entry
		for _, outer := range level {
			d, ok := outer.Value.(*Dict)
			if !ok {
				continue
			}
			for _, e := range d.Entries {
				key, ok := e.Key.(string)
				inner, isDict := e.Value.(*Dict)
				if !ok || !isDict || len(inner.Entries) == 0 {
					continue
				}
				if above := outer.Key.(string); above != "" {
					key = above + "." + key
				}
				next = append(next, Entry{key, inner})
				if s, err := stateDict(inner); err == nil {
					found = append(found, PlacedStateDict{s, StateDictPlace{Key: key}})
				}
			}
		}
		if len(found) > 0 {
			return found
		}
		level = next
	}
	return nil
}

// under returns the state dict under a key, which may be a path with dots.
func under(v Value, key string) (StateDict, error) {
	at, ok := lookup(v, key)
	if !ok {
		e := &StateDictError{Msg: fmt.Sprintf("it has no key %.100q", key)}
		for _, s := range StateDicts(v) {
			if s.Key != "" {
				e.Keys = append(e.Keys, s.Key)
			}
		}
		if len(e.Keys) > 0 {
			e.Msg += "; state dicts are under " + quotedList(e.Keys, " and ")
		}
		return nil, e
	}
	s, err := stateDict(at)
	if err != nil && key != "" {
		return nil, &StateDictError{Msg: fmt.Sprintf("under the key %.100q, %v", key, err)}
	}
	return s, err
}

func lookup(v Value, key string) (Value, bool) {
	if key == "" {
		return v, true
	}
	d, ok := v.(*Dict)
	if !ok {
		return nil, false
	}
	if v, ok := d.Get(key); ok {
		return v, true
	}
	for i := range key {
		if key[i] != '.' {
			continue
		}
		if inner, ok := d.Get(key[:i]); ok {
			if v, ok := lookup(inner, key[i+1:]); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// stateDict returns a value as a state dict, or a description of the value if
// it is none.
func stateDict(v Value) (StateDict, error) {
	d, ok := v.(*Dict)
	if !ok {
		return nil, &StateDictError{Msg: "it holds " + Describe(v) + ", not a state dict"}
	}
	s := make(StateDict, 0, len(d.Entries))
	var odd *Entry
	for i, e := range d.Entries {
		name, isName := e.Key.(string)
		x, isTensor := e.Value.(*Tensor)
		if isName && isTensor {
			s = append(s, Named{name, x})
		} else if packed, ok := packedParams(name, e.Value); isName && ok {
			s = append(s, packed...)
		} else if odd == nil {
			odd = &d.Entries[i]
		}
	}
	switch {
	case odd == nil:
		return s, nil
	case len(s) == 0:
		return nil, &StateDictError{Msg: fmt.Sprintf("it holds no state dict: it is a dict whose key %.100q holds %s", fmt.Sprint(odd.Key), Describe(odd.Value))}
	}
	return nil, &StateDictError{Msg: fmt.Sprintf("it holds no state dict: beside %d tensors, its key %.100q holds %s", len(s), fmt.Sprint(odd.Key), Describe(odd.Value))}
}

// packedParams returns the tensors of a quantized Linear, which its state dict has in a tuple:
// weight and bias. Beside it the state dict has the dtype of the weight, for which there is no tensor.
func packedParams(name string, v Value) (StateDict, bool) {
	prefix, ok := strings.CutSuffix(name, "_packed_params._packed_params")
	if tuple, isTuple := v.(Tuple); ok && isTuple && len(tuple) == 2 {
		weight, hasWeight := tuple[0].(*Tensor)
		bias, hasBias := tuple[1].(*Tensor)
		switch {
		case hasWeight && hasBias:
			return StateDict{{prefix + "_packed_params.weight", weight}, {prefix + "_packed_params.bias", bias}}, true
		case hasWeight && tuple[1] == nil:
			return StateDict{{prefix + "_packed_params.weight", weight}}, true
		}
	}
	_, isDType := v.(DType)
	return nil, isDType && strings.HasSuffix(name, "_packed_params.dtype")
}

// Describe returns the Python type of a value, with an article: "a dict", "a
// tensor".
func Describe(v Value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case *Tensor:
		return "a tensor"
	case *Dict:
		return "a dict"
	case Tuple:
		return "a tuple"
	case Set:
		return "a set"
	case Size:
		return "a torch.Size"
	case DType:
		return "a torch.dtype"
	case Device:
		return "a torch.device"
	case complex128:
		return "a complex"
	case []Value, []*Tensor, []int, []float64, []bool, []string:
		return "a list"
	case string:
		return "a str"
	case []byte:
		return "bytes"
	case int, *big.Int:
		return "an int"
	case bool:
		return "a bool"
	case float64:
		return "a float"
	default:
		return fmt.Sprintf("a %T", v)
	}
}

// quotedList joins names in quotes, the first ten of them.
func quotedList(names []string, last string) string {
	more := ""
	if len(names) > 10 {
		more = fmt.Sprintf(" and %d more", len(names)-10)
		names = names[:10]
	}
	var b strings.Builder
	for i, n := range names {
		switch {
		case i > 0 && i == len(names)-1 && more == "":
			b.WriteString(last)
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.100q", n)
	}
	return b.String() + more
}
