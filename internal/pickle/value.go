package pickle

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"math/big"
	"math/cmplx"
	"strconv"
)

// Tuple is a Python tuple.
type Tuple []any

// List is a Python list. Lists that were one object in Python are one *List here.
type List struct{ Items []any }

// Set is a Python set or frozenset, in the file's order.
type Set struct {
	Items []any // read only
	index map[any]int
}

// Dict is a Python dict in insertion order.
type Dict struct {
	Class    string // "dict", "OrderedDict" or "Counter"
	Keys     []any  // read only
	Values   []any  // of Keys, in the same order
	Metadata any    // an OrderedDict's attribute _metadata, where nn.Module.state_dict keeps version numbers; nil without one
	index    map[any]int
}

// Size is a torch.Size.
type Size []int

// DType is a torch.dtype by its name in PyTorch without "torch.", such as "float32".
type DType string

// Sparse is a sparse tensor. Its parts are checked one by one; code that builds the tensor must check that
// indices are within Size.
type Sparse struct {
	Layout    Layout
	Parts     []*Tensor // indices and values of sparse_coo, else compressed indices, plain indices and values
	Size      []int
	Coalesced bool // whether it was known to be
}

// Meta is a tensor on the meta device: one without values.
type Meta struct {
	DType        string
	Size, Stride []int
	RequiresGrad bool
}

// QScheme is a torch.qscheme by its name in PyTorch, such as "torch.per_tensor_affine".
type QScheme string

// Layout is a torch.layout by its name in PyTorch, such as "torch.strided".
type Layout string

// Device is a torch.device.
type Device struct {
	Type  string // such as "cpu" or "cuda"
	Index int    // -1 without one
}

// Len returns the number of entries.
func (d *Dict) Len() int { return len(d.Keys) }

// Get returns the value of key and whether there is one. As in Python the keys 1, 1.0 and True are one; an int counts as an int64.
func (d *Dict) Get(key any) (any, bool) {
	if n, ok := key.(int); ok {
		key = int64(n)
	}
	k, ok := hashKey(key)
	if !ok {
		return nil, false
	}
	i, ok := d.index[k]
	if !ok {
		return nil, false
	}
	return d.Values[i], true
}

// All ranges over the entries in order.
func (d *Dict) All() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		for i, k := range d.Keys {
			if !yield(k, d.Values[i]) {
				return
			}
		}
	}
}

// set stores an entry; h is hashKey's of k.
func (d *Dict) set(h, k, v any) {
	if i, ok := d.index[h]; ok {
		d.Values[i] = v
		return
	}
	if d.index == nil {
		d.index = map[any]int{}
	}
	d.index[h] = len(d.Keys)
	d.Keys = append(d.Keys, k)
	d.Values = append(d.Values, v)
}

// add stores a member; h is hashKey's of v.
func (s *Set) add(h, v any) {
	if _, ok := s.index[h]; ok {
		return
	}
	if s.index == nil {
		s.index = map[any]int{}
	}
	s.index[h] = len(s.Items)
	s.Items = append(s.Items, v)
}

// Stand-ins for keys that Go cannot compare.
type (
	bytesKey string
	bigKey   string
	tupleKey string
)

// maxKey bounds a tuple used as a key, in bytes of its stand-in: tuples of shared tuples grow without end.
const maxKey = 4096

// hashKey returns a comparable key for v, equal for two values if Python's == is true, and false if v cannot be a key:
// it is mutable, too long, a NaN, or an object that Python would compare by identity.
func hashKey(v any) (any, bool) {
	switch v := v.(type) {
	case nil, string, int64, DType, Device, Layout, QScheme:
		return v, true
	case bool:
		if v {
			return int64(1), true
		}
		return int64(0), true
	case float64:
		return numberKey(v)
	case complex128:
		if imag(v) == 0 {
			return numberKey(real(v))
		}
		return v, !cmplx.IsNaN(v)
	case *big.Int:
		return bigNumber(v), true
	case []byte:
		return bytesKey(v), true
	case Tuple, Size:
		b, ok := appendKey(nil, v)
		return tupleKey(b), ok
	}
	return nil, false
}

func numberKey(f float64) (any, bool) {
	switch {
	case f != f:
		return nil, false
	case f != math.Trunc(f) || math.IsInf(f, 0):
		return f, true
	case f >= -1<<63 && f < 1<<63:
		return int64(f), true
	}
	n, _ := big.NewFloat(f).Int(nil)
	return bigNumber(n), true
}

func bigNumber(n *big.Int) bigKey {
	return bigKey(append([]byte{byte(n.Sign())}, n.Bytes()...))
}

// appendKey writes v so that no two different values give the same bytes.
func appendKey(b []byte, v any) ([]byte, bool) {
	if len(b) > maxKey {
		return b, false
	}
	switch v := v.(type) {
	case Tuple:
		b = binary.AppendUvarint(append(b, '('), uint64(len(v)))
		for _, e := range v {
			var ok bool
			if b, ok = appendKey(b, e); !ok {
				return b, false
			}
		}
		return b, true
	case Size:
		t := make(Tuple, len(v))
		for i, n := range v {
			t[i] = int64(n)
		}
		return appendKey(b, t)
	}
	k, ok := hashKey(v)
	if !ok {
		return b, false
	}
	var tag byte
	var s string
	switch k := k.(type) {
	case nil:
		tag = 'n'
	case string:
		tag, s = 's', k
	case int64:
		tag, s = 'i', strconv.FormatInt(k, 10)
	case float64:
		tag, s = 'f', strconv.FormatFloat(k, 'g', -1, 64)
	case complex128:
		tag, s = 'c', strconv.FormatComplex(k, 'g', -1, 128)
	case bigKey:
		tag, s = 'i', "x"+string(k)
	case bytesKey:
		tag, s = 'b', string(k)
	case DType:
		tag, s = 'd', string(k)
	case Layout:
		tag, s = 'l', string(k)
	case QScheme:
		tag, s = 'q', string(k)
	case Device:
		tag, s = 'v', k.Type+":"+strconv.Itoa(k.Index)
	}
	b = binary.AppendUvarint(append(b, tag), uint64(len(s)))
	if len(b)+len(s) > maxKey {
		return b, false
	}
	return append(b, s...), true
}

// check walks the result once, without recursion: it refuses too deep nesting, shared containers that would unfold into too many values where
// none holds itself, and values that only a class or function of Python could stand for.
func (m *machine) check(root any) error {
	type frame struct {
		v     any
		next  int
		size  int
		depth int // of the values below v
	}
	type shape struct{ size, depth int } // depth -1 while open
	seen := map[any]shape{}
	stack := []frame{{v: Tuple{root}}}
	for {
		f := &stack[len(stack)-1]
		c, ok := child(f.v, f.next)
		if !ok {
			if id := identity(f.v); id != nil {
				seen[id] = shape{f.size, f.depth}
			}
			stack = stack[:len(stack)-1]
			if len(stack) == 0 {
				return nil
			}
			up := &stack[len(stack)-1]
			up.size += 1 + f.size
			up.depth = max(up.depth, 1+f.depth)
			if up.size > m.MaxNodes {
				return m.unsupported("more than %d values: raise Limits.Values", m.MaxNodes)
			}
			continue
		}
		f.next++
		switch c := c.(type) {
		case nil, bool, int64, *big.Int, float64, complex128, string, []byte, Size, DType, Device, Layout, QScheme, *Tensor, *Storage, *Meta, *Array:
			f.size++
		case Tuple, *List, *Dict, *Set, *Sparse, *scriptObject:
			id := identity(c)
			s, known := seen[id]
			switch {
			case id == nil:
				f.size++
				f.depth = max(f.depth, 1)
			case known && s.depth < 0: // it contains itself
				f.size++
			case known:
				f.size += 1 + s.size
				f.depth = max(f.depth, 1+s.depth)
			default:
				if err := m.spend(costWalk); err != nil {
					return err
				}
				seen[id] = shape{depth: -1}
				stack = append(stack, frame{v: c})
			}
			// the frame for the root's wrapper is no level of its own
			if len(stack)-1 > m.MaxDepth || known && s.depth >= 0 && len(stack)+s.depth > m.MaxDepth {
				return m.unsupported("containers nested deeper than %d: raise Limits.Depth", m.MaxDepth)
			}
		default:
			return m.unsupported("%s as a value", describe(c))
		}
		if f := &stack[len(stack)-1]; f.size > m.MaxNodes {
			return m.unsupported("more than %d values: raise Limits.Values", m.MaxNodes)
		}
	}
}

// identity returns a value that identifies the container v, or nil for an empty tuple.
func identity(v any) any {
	if t, ok := v.(Tuple); ok {
		if len(t) == 0 {
			return nil
		}
		return &t[0]
	}
	return v
}

func child(v any, i int) (any, bool) {
	switch v := v.(type) {
	case Tuple:
		if i < len(v) {
			return v[i], true
		}
	case *List:
		if i < len(v.Items) {
			return v.Items[i], true
		}
	case *Set:
		if i < len(v.Items) {
			return v.Items[i], true
		}
	case *scriptObject:
		switch {
		case i < len(v.args):
			return v.args[i], true
		case i == len(v.args):
			return v.state, true
		}
	case *Sparse:
		if i < len(v.Parts) {
			return v.Parts[i], true
		}
	case *Dict:
		n := len(v.Keys)
		switch {
		case i < n:
			return v.Keys[i], true
		case i < 2*n:
			return v.Values[i-n], true
		case i == 2*n && v.Metadata != nil:
			return v.Metadata, true
		}
	}
	return nil, false
}

// describe names the kind of v for an error, in Python's words.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64, *big.Int:
		return "an int"
	case float64:
		return "a float"
	case complex128:
		return "a complex"
	case string:
		return "a str"
	case []byte:
		return "bytes"
	case Tuple:
		return "a tuple"
	case *List:
		return "a list"
	case *Dict:
		return "a dict"
	case *Set:
		return "a set"
	case *Tensor:
		return "a tensor"
	case *Sparse:
		return "a sparse tensor"
	case *Array:
		return "a NumPy array"
	case *arrayType:
		return "a NumPy dtype"
	case *Meta:
		return "a meta tensor"
	case *Storage, *storageView:
		return "a storage"
	case *scriptObject:
		return "an object"
	case *global:
		return v.name
	}
	return fmt.Sprintf("a %T", v)
}
