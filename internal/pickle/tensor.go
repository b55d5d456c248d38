package pickle

import (
	"fmt"
	"iter"
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/torchhub/torchhub/internal/badfile"
)

// elements has the size of an element, and of the part of it to which a byte order applies, in bytes.
var elements = map[string]struct{ size, part int }{
	"bool": {1, 1}, "uint8": {1, 1}, "int8": {1, 1},
	"int16": {2, 2}, "uint16": {2, 2}, "int32": {4, 4}, "uint32": {4, 4}, "int64": {8, 8}, "uint64": {8, 8},
	"float16": {2, 2}, "bfloat16": {2, 2}, "float32": {4, 4}, "float64": {8, 8},
	"complex32": {4, 2}, "bcomplex32": {4, 2}, "complex64": {8, 4}, "complex128": {16, 8},
	"float8_e4m3fn": {1, 1}, "float8_e4m3fnuz": {1, 1}, "float8_e5m2": {1, 1}, "float8_e5m2fnuz": {1, 1},
	"float8_e8m0fnu": {1, 1}, "float4_e2m1fn_x2": {1, 1},
	"bits8": {1, 1}, "bits16": {2, 2}, "bits1x8": {1, 1}, "bits2x4": {1, 1}, "bits4x2": {1, 1},
	"uint1": {1, 1}, "uint2": {1, 1}, "uint3": {1, 1}, "uint4": {1, 1}, "uint5": {1, 1}, "uint6": {1, 1}, "uint7": {1, 1},
	"qint8": {1, 1}, "quint8": {1, 1}, "qint32": {4, 4}, "quint4x2": {1, 1}, "quint2x4": {1, 1},
	"int1": {1, 1}, "int2": {1, 1}, "int3": {1, 1}, "int4": {1, 1}, "int5": {1, 1}, "int6": {1, 1}, "int7": {1, 1},
}

// ElementSize returns the bytes of one element of the dtype, or 0 for a dtype that no Tensor has. It is 1 if a byte
// holds several, see [Packed].
func ElementSize(dtype string) int { return elements[dtype].size }

// Packed returns the number of elements of the dtype in a byte: 1 except for quint4x2 and
// quint2x4.
func Packed(dtype string) int {
	switch dtype {
	case "quint4x2":
		return 2
	case "quint2x4":
		return 4
	}
	return 1
}

// elementsIn returns how many elements of a dtype n bytes hold.
func elementsIn(n int, dtype string) int { return n / elements[dtype].size * Packed(dtype) }

// quantized are the dtypes whose tensors have a [Quantizer].
var quantized = map[string]bool{"qint8": true, "quint8": true, "qint32": true, "quint4x2": true, "quint2x4": true}

// Storage is a torch.UntypedStorage: little-endian bytes that tensors share. Tensors that shared memory in Python share one *Storage.
type Storage struct {
	DType  string // the dtype as saved; "uint8" for tensors of dtypes newer than PyTorch 2.0, which have their own
	Data   []byte // read-only if it aliases the input
	Offset int64  // of Data in the input; -1 when Data is memory of its own: turned to little-endian, or inflated
	Key    string // its name in the file

	location string
	untyped  bool
	big      bool // in big-endian order
	part     int  // the size of the parts whose byte order was reversed; 0 if none yet
	size     int  // of Data in bytes, known before Data in the layout before 1.6

	pieces iter.Seq2[[]byte, error] // of what is to be written, in place of Data
}

// Aligned reports whether Data begins at a multiple of its element's size. torch.save's zip layout sees to that, where data itself is
// aligned to 64 bytes; the layout before 1.6 and repacked archives do not.
func (s *Storage) Aligned() bool {
	return len(s.Data) == 0 || uintptr(unsafe.Pointer(&s.Data[0]))%uintptr(elements[s.DType].part) == 0
}

// storageView is a window on a storage, as the layout before 1.6 has them.
type storageView struct {
	*Storage
	start, size int // in bytes
}

// Tensor is a strided torch.Tensor on the CPU. All its elements are within its storage.
type Tensor struct {
	Storage      *Storage
	DType        string
	Offset       int // of the first element in Storage, in elements; 0 for a tensor without elements
	Size, Stride []int
	RequiresGrad bool
	Parameter    bool       // it was an nn.Parameter
	Conj, Neg    bool       // its values are the conjugate, or the negative, of the stored ones
	Quantizer    *Quantizer // of a tensor of a quantized dtype, else nil
}

// A Quantizer defines the values of the integers of a quantized tensor: (integer - zero point) *
// scale.
type Quantizer struct {
	Scheme             QScheme // torch.per_tensor_affine, torch.per_channel_affine or torch.per_channel_affine_float_qparams
	Scale              float64 // of all elements, if the scheme is per tensor
	ZeroPoint          int64
	Axis               int     // the dim in which each index has its own scale and zero point, if the scheme is per channel
	Scales, ZeroPoints *Tensor // of one dim
}

// Numel returns the number of elements.
func (t *Tensor) Numel() int {
	n := 1
	for _, s := range t.Size {
		n *= s
	}
	return n
}

// View returns a tensor over the same storage, whose offset and strides are in its elements: t.as_strided(size, stride, offset).
func (t *Tensor) View(offset int, size, stride []int) (*Tensor, error) {
	stored := elementsIn(len(t.Storage.Data), t.DType)
	if len(size) != len(stride) || len(size) > maxDims || offset < 0 || slices.ContainsFunc(size, negative) || slices.ContainsFunc(stride, negative) ||
		!fits(uint64(offset), size, stride, uint64(stored)) {
		return nil, &MalformedError{Msg: fmt.Sprintf("a view of offset %d, size %v and stride %v exceeds its storage of %d elements", offset, size, stride, stored)}
	}
	v := *t
	v.Offset, v.Size, v.Stride = offset, size, stride
	return &v, nil
}

// Tensors may have no more dims: the same bound as in PyTorch's TensorIterator.
const maxDims = 64

// tensor makes a tensor of a storage or a storageView, whose elements are of dtype.
// Offset and strides are in elements, of the view if there is one.
func (m *machine) tensor(over any, dtype string, offset, size, stride any) (*Tensor, error) {
	v, ok := over.(*storageView)
	if !ok {
		s, ok := over.(*Storage)
		if !ok {
			return nil, m.malformed("a tensor is built over %s, not over a storage", describe(over))
		}
		v = &storageView{Storage: s, size: s.size}
	}
	if err := m.spend(costTensor); err != nil {
		return nil, err
	}
	e, ok := elements[dtype]
	if !ok {
		return nil, m.unsupported("a tensor of dtype %s", dtype)
	}
	sizes, ok1 := ints(size)
	strides, ok2 := ints(stride)
	first, ok3 := offset.(int64)
	if !ok1 || !ok2 || !ok3 {
		return nil, m.malformed("a tensor's offset, size and stride are %s, %s and %s, not an int and two tuples of ints", describe(offset), describe(size), describe(stride))
	}
	if len(sizes) != len(strides) {
		return nil, m.malformed("a tensor has %d sizes but %d strides", len(sizes), len(strides))
	}
	if len(sizes) > maxDims {
		return nil, m.malformed("a tensor has %d dims, more than %d", len(sizes), maxDims)
	}
	if first < 0 || slices.ContainsFunc(sizes, negative) || slices.ContainsFunc(strides, negative) {
		return nil, m.malformed("a tensor has a negative number in its offset %d, size %v or stride %v", first, sizes, strides)
	}
	stored := uint64(elementsIn(v.size, dtype))
	if !fits(uint64(first), sizes, strides, stored) {
		return nil, m.malformed("a tensor of offset %d, size %v and stride %v exceeds its storage of %d elements", first, sizes, strides, stored)
	}
	t := &Tensor{Storage: v.Storage, DType: dtype, Size: sizes, Stride: strides}
	if n := uint64(t.Numel()); n > 0 {
		if v.start%e.size != 0 {
			return nil, m.malformed("a view of storage %q begins at byte %d, within an element of dtype %s", v.Key, v.start, dtype)
		}
		t.Offset = int(first) + elementsIn(v.start, dtype)
		if n > stored && n > 1<<24+64*stored {
			return nil, m.unsupported("a tensor of size %v expanded from %d elements: save a copy of its original", sizes, stored)
		}
	}
	// an UntypedStorage is turned by its tensors' dtype
	if v.big && v.untyped {
		switch v.part {
		case 0:
			v.part = e.part
			if e.part > 1 {
				swap(v.Storage, e.part)
			}
		case e.part:
		default:
			return nil, m.unsupported("a big-endian storage shared by tensors with elements of different sizes")
		}
	}
	return t, nil
}

// ints returns the numbers of a tuple, list or torch.Size as ints.
func ints(v any) ([]int, bool) {
	var items []any
	switch v := v.(type) {
	case Tuple:
		items = v
	case *List:
		items = v.Items
	case Size:
		return slices.Clone(v), true
	default:
		return nil, false
	}
	n := make([]int, len(items))
	for i, x := range items {
		x, ok := x.(int64)
		if !ok || x != int64(int(x)) {
			return nil, false
		}
		n[i] = int(x)
	}
	return n, true
}

func negative(n int) bool { return n < 0 }

// fits reports whether the tensor's elements are below stored and their number does not overflow an int. No
// number is negative.
func fits(offset uint64, size, stride []int, stored uint64) bool {
	n, last := uint64(1), offset
	empty, beyond := false, false
	for i, s := range size {
		if s == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(s))
		if n = lo; hi != 0 || n > math.MaxInt {
			return false
		}
		hi, step := bits.Mul64(uint64(s-1), uint64(stride[i]))
		sum, carry := bits.Add64(last, step, 0)
		last, beyond = sum, beyond || hi|carry != 0
	}
	return empty || !beyond && last < stored
}

// swap turns the bytes of a big-endian storage around, in a copy of its own.
func swap(s *Storage, part int) {
	s.Data = slices.Clone(s.Data)
	s.Offset = -1
	for i := 0; i+part <= len(s.Data); i += part {
		slices.Reverse(s.Data[i : i+part])
	}
}

// storage returns the storage that a persistent id names: ("storage", type, key, location, numel), and in the layout before 1.6
// (view key, offset, numel) or None besides.
func (m *machine) storage(id any) (any, error) {
	t, ok := id.(Tuple)
	if !ok {
		return nil, m.malformed("a persistent id is %s, not a tuple", describe(id))
	}
	if len(t) == 0 {
		return nil, m.malformed("a persistent id is an empty tuple")
	}
	if kind, _ := text(t[0]); kind != "storage" {
		if kind == "module" {
			return nil, m.unsupported("a whole module: save its state_dict instead")
		}
		return nil, m.unsupported("a persistent id of %q: only storages are allowed", badfile.Clip(fmt.Sprint(describe(t[0]), " ", kind)))
	}
	if want := m.file.arity(); len(t) != want {
		return nil, m.malformed("a storage's persistent id has %d parts, not %d", len(t), want)
	}
	kind, ok1 := t[1].(*global)
	key, ok2 := text(t[2])
	location, ok3 := text(t[3])
	numel, ok4 := t[4].(int64)
	if ok1 && kind.storage == "" && m.script {
		return &scriptObject{args: t}, m.spend(costContainer)
	}
	if !ok1 || !ok2 || !ok3 || !ok4 || kind.storage == "" {
		return nil, m.malformed("a storage's persistent id holds %s, %s, %s and %s, not a storage type, two strs and an int", describe(t[1]), describe(t[2]), describe(t[3]), describe(t[4]))
	}
	e := elements[kind.storage]
	hi, size := bits.Mul64(uint64(numel), uint64(e.size))
	if numel < 0 || hi != 0 || size > math.MaxInt {
		return nil, m.malformed("storage %q has %d elements", badfile.Clip(key), numel)
	}
	s := m.storages[key]
	if s == nil {
		if err := m.spend(costTensor + costEntry + len(key)); err != nil {
			return nil, err
		}
		s = &Storage{DType: kind.storage, Key: key, location: location, untyped: kind.untyped, size: int(size)}
		if err := m.file.find(m, s); err != nil {
			return nil, err
		}
		if s.big && !s.untyped {
			if s.part = e.part; e.part > 1 {
				swap(s, e.part)
			}
		}
		m.storages[key] = s
	} else if s.DType != kind.storage || s.big && s.untyped != kind.untyped || s.size != int(size) || s.location != location {
		return nil, m.malformed("storage %q is %d bytes of %s in one place and %d of %s in another, or on two devices", badfile.Clip(key), s.size, s.DType, size, kind.storage)
	}
	if len(t) == 5 || t[5] == nil {
		return s, nil
	}
	return m.view(s, t[5], e.size)
}

// view returns the window that a view's metadata (key, offset, numel) describe, in elements of the storage.
func (m *machine) view(s *Storage, meta any, element int) (any, error) {
	t, ok := meta.(Tuple)
	if !ok || len(t) != 3 {
		return nil, m.malformed("a storage view is described by %s, not by a tuple of three", describe(meta))
	}
	_, ok1 := text(t[0])
	offset, ok2 := t[1].(int64)
	size, ok3 := t[2].(int64)
	if n := int64(s.size / element); !ok1 || !ok2 || !ok3 || offset < 0 || size < 0 || offset > n || size > n-offset {
		return nil, m.malformed("a view exceeds its storage %q of %d elements, or is described by %s, %s and %s, not a str and two ints", badfile.Clip(s.Key), n, describe(t[0]), describe(t[1]), describe(t[2]))
	}
	return &storageView{Storage: s, start: int(offset) * element, size: int(size) * element}, nil
}

// text returns a str, or the bytes that Python 2 called str.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

// NewStorage returns a storage for [Write]: n bytes on a device such as "cpu" or "cuda:0", which pieces yields. The dtype is that of the tensors
// that share it.
func NewStorage(dtype, location string, n int, pieces iter.Seq2[[]byte, error]) *Storage {
	s := &Storage{DType: dtype, Offset: -1, location: location, size: n, pieces: pieces}
	if s.untyped = storageTypes[dtype] == ""; s.untyped {
		s.DType = "uint8"
	}
	return s
}

// bytes yields the bytes of the storage.
func (s *Storage) bytes() iter.Seq2[[]byte, error] {
	if s.pieces != nil {
		return s.pieces
	}
	return func(yield func([]byte, error) bool) { yield(s.Data, nil) }
}
