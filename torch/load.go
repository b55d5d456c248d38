package torch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/pickle"
	"github.com/torchhub/torchhub/internal/safetensors"
)

// Named is an entry of a [StateDict].
type Named struct {
	Name   string
	Tensor *Tensor
}

// A StateDict is a module's parameters and buffers by name, in order.
//
// https://docs.pytorch.org/tutorials/recipes/recipes/what_is_state_dict.html
type StateDict []Named

// Get returns the tensor of a name, or nil if there is none.
func (s StateDict) Get(name string) *Tensor {
	for _, e := range s {
		if e.Name == name {
			return e.Tensor
		}
	}
	return nil
}

// Free frees all tensors.
func (s StateDict) Free() {
	for _, e := range s {
		e.Tensor.Free()
	}
}

// Errors of [Load], for errors.Is.
var (
	ErrMalformed   = badfile.ErrMalformed   // broken bytes
	ErrUnsupported = badfile.ErrUnsupported // valid, but with a feature that this package does not support
)

// A MalformedError is an [ErrMalformed], for errors.As: the file violates its
// format.
type MalformedError struct {
	Offset int64  // in bytes, in Record, or in the file where Record is empty
	Record string // of a zip file, such as "archive/data.pkl"
	Msg    string
}

// Error returns the place and the kind of the damage.
func (e *MalformedError) Error() string { return (*badfile.MalformedError)(e).Error() }

// Is reports whether target is [ErrMalformed].
func (e *MalformedError) Is(target error) bool { return target == ErrMalformed }

// An UnsupportedError is an [ErrUnsupported], for errors.As: the file is valid,
// but this package does not support a feature of it, or it exceeds a limit.
type UnsupportedError struct {
	Offset  int64  // in bytes, in Record, or in the file where Record is empty
	Record  string // of a zip file, such as "archive/data.pkl"
	Feature string
}

// Error returns the feature and its place in the file.
func (e *UnsupportedError) Error() string { return (*badfile.UnsupportedError)(e).Error() }

// Is reports whether target is [ErrUnsupported].
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

// Load reads a file of torch.save, in the zip layout or in the one before PyTorch
// 1.6: torch.load(path, map_location="cpu", weights_only=True, mmap=True). It
// also reads safetensors files, which it recognizes by their contents. No code in
// the file is run. The file is mapped and tensors use the mapping, so nothing is
// copied and pages are read when they are first used; writing to such a tensor
// does not change the file. The file must not be truncated while the tensors are
// alive.
//
// Dicts become [*Dict], lists []Value, tuples [Tuple], sets [Set], torch.Size [Size],
// bytes []byte, ints beyond 64 bits *big.Int, dtypes [DType], layouts [Layout], a
// storage a 1-d tensor, and the rest is as [Value] says. [Get] reads a value of a Go
// type at a path of keys, and [LoadStateDict] finds a state dict. Tensors that shared
// memory when they were saved share it again, and so do lists and dicts. A list or
// dict that contained itself does so again: package fmt cannot print it.
//
// https://docs.pytorch.org/docs/stable/generated/torch.load.html
func Load(path string, options ...LoadOption) (Value, error) {
	v, err := loadFile(path, loading(options))
	if err != nil {
		return nil, fmt.Errorf("torch: load %s: %w", path, err)
	}
	return v, nil
}

// LoadFrom is [Load] from a stream, which it reads to the end: torch.load(f) with a
// file-like f. The whole file is in memory while it is read, beside the tensors;
// Load needs less memory for a large file.
//
// https://docs.pytorch.org/docs/stable/generated/torch.load.html
func LoadFrom(r io.Reader, options ...LoadOption) (Value, error) {
	v, err := loadStream(r, loading(options))
	if err != nil {
		return nil, fmt.Errorf("torch: load: %w", err)
	}
	return v, nil
}

// A LoadOption is an option of [Load], [LoadFrom] and [LoadStateDict].
type LoadOption interface {
	StateDictOption
	set(*loadOptions)
}

type loadOptions struct {
	limits Limits
	device Device
}

type loadOption func(*loadOptions)

func (f loadOption) set(o *loadOptions)               { f(o) }
func (f loadOption) setStateDict(o *stateDictOptions) { f(&o.loadOptions) }

// WithLimits limits the memory and the nesting of the file while it is read.
func WithLimits(l Limits) LoadOption { return loadOption(func(o *loadOptions) { o.limits = l }) }

// WithMapLocation places all tensors on a device: map_location=d. The default is
// the CPU, whatever device the tensors were saved from.
func WithMapLocation(d Device) LoadOption { return loadOption(func(o *loadOptions) { o.device = d }) }

func loading(options []LoadOption) loadOptions {
	o := loadOptions{device: CPU}
	for _, f := range options {
		f.set(&o)
	}
	return o
}

// Limits limits the memory and the nesting of a file while it is read. A field
// of 0 stands for a default that depends on the file's size, so that a small
// hostile file fails early and in little memory, while files written by Python
// load. Errors name the field whose limit was exceeded.
type Limits struct {
	Memory  int64 // bytes of a checkpoint's values without the elements of tensors; 0 means 64 MiB and 64 for each byte of its pickles, at most 4 GiB
	Inflate int64 // total bytes of decompressed parts; 0 means 32 MiB and 16 for each byte of the file, or another default that the function documents
	Values  int   // values in a checkpoint, each counted wherever it occurs; 0 means 4 Mi, or 1 for each byte of the file
	Depth   int   // of nested containers; 0 means 512, and more than 100,000 means that
}

const maxDepth = 100_000 // of values that recursive functions make

func loadFile(path string, o loadOptions) (Value, error) {
	if err := Init(context.Background()); err != nil {
		return nil, err
	}
	if err := isCheckpoint(path); err != nil {
		return nil, err
	}
	m, err := libtorch.OpenMap(path)
	if err != nil {
		return nil, err
	}
	defer m.Close() // tensors keep the mapping
	return decode(m.Data, m, o)
}

func loadStream(r io.Reader, o loadOptions) (Value, error) {
	if err := Init(context.Background()); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return decode(data, nil, o)
}

// decode makes the value of a file, whose tensors use the mapping m unless it is nil.
func decode(data []byte, m *libtorch.Map, o loadOptions) (v Value, err error) {
	if _, _, err := o.device.c10(); err != nil {
		return nil, err
	}
	var root any
	if safetensors.Is(data) {
		root, err = flat(data)
	} else {
		root, err = pickle.Read(data, pickle.Options{
			MaxMemory: o.limits.Memory, MaxInflate: o.limits.Inflate, MaxNodes: o.limits.Values, MaxDepth: min(o.limits.Depth, maxDepth),
		})
	}
	if err != nil {
		return nil, err
	}
	l := loader{m: m, device: o.device, bases: map[base]*Tensor{}, made: map[any]Value{}}
	defer l.close()
	if err := l.readAhead(root); err != nil {
		return nil, err
	}
	return l.value(root)
}

// isCheckpoint refuses a file that is recognized as another kind, which the error
// names.
func isCheckpoint(path string) error {
	k, err := filekind.OfFile(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err // the caller names the path
		}
		return err
	}
	switch k.Class {
	case filekind.Unknown, filekind.Checkpoint, filekind.Safetensors, filekind.Archive: // a zip may wrap a checkpoint
		return nil
	case filekind.Script:
		k.Advice = "load it with the package torch/jit"
	case filekind.Compiled:
		k.Advice = "load it with the package torch/aoti"
	case filekind.Exported:
		k.Advice = "load it with the package torch/export"
	}
	return &filekind.MismatchError{Kind: k, Want: "a checkpoint"}
}

// flat reads a safetensors file as if torch.save had written it: a dict of tensors, each with a storage of its own.
func flat(data []byte) (any, error) {
	h, err := safetensors.Read(data)
	if err != nil {
		return nil, err
	}
	d := &pickle.Dict{Class: "dict"}
	for _, t := range h.Tensors {
		s := &pickle.Storage{DType: t.DType, Data: data[t.Begin:t.End:t.End], Offset: int64(t.Begin), Key: t.Name}
		d.Keys = append(d.Keys, t.Name)
		d.Values = append(d.Values, &pickle.Tensor{Storage: s, DType: t.DType, Size: t.Shape, Stride: contiguous(t.Shape)})
	}
	return d, nil
}

// contiguous returns the strides of a tensor whose elements are in the order of their indices.
func contiguous(shape []int) []int {
	strides := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= max(shape[i], 1)
	}
	return strides
}

// base is the key of the tensor of a whole storage, of which the checkpoint's tensors are
// views.
type base struct {
	s *pickle.Storage
	d DType
}

type loader struct {
	m      *libtorch.Map // of the file; nil if storages must be copied
	device Device        // of the tensors
	bases  map[base]*Tensor
	made   map[any]Value // of containers, by the pickle package's
}

func (l *loader) close() {
	for _, b := range l.bases {
		b.Free()
	}
}

// readAhead makes the bases of all tensors, on all cores: storages that are not
// aligned in the file, as in most legacy files, must be copied.
func (l *loader) readAhead(root any) error {
	var todo []base
	known := map[base]bool{}
	add := func(s *pickle.Storage, dtype string) {
		d, err := storedAs(dtype)
		if k := (base{s, d}); err == nil && !known[k] {
			known[k] = true
			todo = append(todo, k)
		}
	}
	seen := map[any]bool{} // containers
	var walk func(v any)
	all := func(container any, lists ...[]any) {
		if seen[container] {
			return
		}
		seen[container] = true
		for _, vs := range lists {
			for _, v := range vs {
				walk(v)
			}
		}
	}
	walk = func(v any) {
		switch v := v.(type) {
		case *pickle.Tensor:
			add(v.Storage, v.DType)
			if q := v.Quantizer; q != nil && q.Scales != nil {
				walk(q.Scales)
				walk(q.ZeroPoints)
			}
		case *pickle.Storage:
			add(v, v.DType)
		case *pickle.Sparse:
			for _, p := range v.Parts {
				walk(p)
			}
		case *pickle.Dict:
			all(v, v.Keys, v.Values)
		case *pickle.List:
			all(v, v.Items)
		case *pickle.Set:
			all(v, v.Items)
		case pickle.Tuple:
			if len(v) > 0 {
				all(&v[0], v)
			}
		}
	}
	walk(root)
	made := make([]*Tensor, len(todo))
	errs := make([]error, len(todo))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(len(todo), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(todo); i = int(next.Add(1)) - 1 {
				made[i], errs[i] = l.newBase(todo[i])
			}
		})
	}
	wg.Wait()
	for i, k := range todo {
		l.bases[k] = made[i]
	}
	return errors.Join(errs...)
}

// values makes the values of a list, tuple or set, once.
func (l *loader) values(container any, vs []any) ([]Value, error) {
	if out, ok := l.made[container]; ok {
		return out.([]Value), nil
	}
	out := make([]Value, len(vs))
	l.made[container] = out // it may hold itself
	for i, v := range vs {
		var err error
		if out[i], err = l.value(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (l *loader) value(v any) (Value, error) {
	switch v := v.(type) {
	case int64:
		return int(v), nil
	case *pickle.Tensor:
		return l.tensor(v)
	case *pickle.Dict:
		return l.dict(v)
	case *pickle.List:
		return l.values(v, v.Items)
	case *pickle.Set:
		vs, err := l.values(v, v.Items)
		return Set(vs), err
	case pickle.Tuple:
		if len(v) == 0 {
			return Tuple{}, nil
		}
		vs, err := l.values(&v[0], v)
		return Tuple(vs), err
	case pickle.Size:
		return Size(v), nil
	case pickle.DType:
		return ParseDType(string(v))
	case pickle.Device:
		if v.Index >= 0 {
			return ParseDevice(fmt.Sprintf("%s:%d", v.Type, v.Index))
		}
		return ParseDevice(v.Type)
	case *pickle.Storage:
		return l.storage(v)
	case *pickle.Sparse:
		return l.sparse(v)
	case *pickle.Meta:
		return meta(v)
	case pickle.Layout:
		return layouts[v], nil
	case pickle.QScheme:
		return QScheme(v), nil
	default: // nil, bool, float64, complex128, string, []byte, *big.Int
		return v, nil
	}
}

// dict makes the value of a dict, once.
func (l *loader) dict(v *pickle.Dict) (Value, error) {
	if d, ok := l.made[v]; ok {
		return d, nil
	}
	d := &Dict{Entries: make([]Entry, 0, v.Len()), Class: classes[v.Class]}
	l.made[v] = d // it may hold itself
	for k, e := range v.All() {
		k, err := l.value(k)
		if err != nil {
			return nil, err
		}
		e, err := l.value(e)
		if err != nil {
			return nil, err
		}
		d.Entries = append(d.Entries, Entry{k, e})
	}
	meta, err := l.value(v.Metadata)
	d.Metadata, _ = meta.(*Dict)
	return d, err
}

// classes lists the classes of dicts by the names that checkpoints have for them.
var classes = map[string]DictClass{"dict": PlainDict, "OrderedDict": OrderedDict, "Counter": Counter}

// layouts lists the layouts by the names that checkpoints have for them.
var layouts = map[pickle.Layout]Layout{
	"torch.strided": Strided, "torch.sparse_coo": Sparse, "torch.sparse_csr": SparseCSR, "torch.sparse_csc": SparseCSC,
	"torch.sparse_bsr": SparseBSR, "torch.sparse_bsc": SparseBSC, "torch._mkldnn": Mkldnn, "torch.jagged": Jagged,
}

// dtypeOfFile returns the dtype of a tensor that begins at offset, -1 if that is not known.
func dtypeOfFile(name string, offset int64) (DType, error) {
	d, err := ParseDType(name)
	if err != nil {
		return 0, &badfile.UnsupportedError{Offset: max(offset, 0), Feature: fmt.Sprintf("a tensor of the dtype %s", name)}
	}
	return d, nil
}

// storedAs returns the dtype that the elements of a dtype are stored as: a quantized one's as integers.
func storedAs(dtype string) (DType, error) {
	switch dtype {
	case "quint8":
		return Uint8, nil
	case "qint8":
		return Int8, nil
	case "qint32":
		return Int32, nil
	}
	return ParseDType(dtype)
}

// storage makes a 1-d tensor over a whole storage, of integers if that was a quantized tensor's.
func (l *loader) storage(s *pickle.Storage) (*Tensor, error) {
	if _, err := dtypeOfFile(s.DType, s.Offset); err != nil {
		return nil, err
	}
	d, err := storedAs(s.DType)
	if err != nil {
		return nil, err
	}
	if pickle.Packed(s.DType) > 1 {
		d = Uint8
		if l.bases[base{s, d}], err = l.newBase(base{s, d}); err != nil {
			return nil, err
		}
	}
	return l.strided(d, &pickle.Tensor{Storage: s, DType: s.DType, Size: []int{len(s.Data) / d.Size()}, Stride: []int{1}})
}

var (
	opSparseCOO        = NewOp("aten::sparse_coo_tensor", "indices_size")
	opSparseCompressed = NewOp("aten::sparse_compressed_tensor", "comp_plain_value_size")
	opEmptyStrided     = NewOp("aten::empty_strided", "")
	opEmptyAffine      = NewOp("aten::_empty_affine_quantized", "")
	opEmptyPerChannel  = NewOp("aten::_empty_per_channel_affine_quantized", "")
	opSet              = NewOp("aten::set_", "source_Tensor_storage_offset")
)

// sparse makes a sparse tensor, whose indices libtorch checks.
func (l *loader) sparse(s *pickle.Sparse) (x *Tensor, err error) {
	var c Call
	for _, p := range s.Parts {
		t, err := l.tensor(p)
		if err != nil {
			return nil, err
		}
		defer t.Free()
		c.Tensor(t)
	}
	c.Size(s.Size...)
	d, err := dtypeOfFile(s.Parts[len(s.Parts)-1].DType, -1)
	if err != nil {
		return nil, err
	}
	c.DType(d) // without which compressed ones must be float32
	op := opSparseCOO
	if s.Layout == "torch.sparse_coo" {
		c.None()
	} else {
		op = opSparseCompressed
		c.Layout(layouts[s.Layout])
	}
	c.None()
	c.None()
	if s.Coalesced {
		c.Bool(true)
	}
	err = Try(func() { NoGrad(func() { x = c.One(op) }) })
	if e := (*Error)(nil); errors.As(err, &e) {
		err = &badfile.MalformedError{Offset: max(s.Parts[0].Storage.Offset, 0), Msg: "a sparse tensor: " + e.Msg}
	}
	return x, err
}

// meta makes a tensor without values.
func meta(t *pickle.Meta) (x *Tensor, err error) {
	d, err := dtypeOfFile(t.DType, -1)
	if err != nil {
		return nil, err
	}
	err = Try(func() {
		var c Call
		c.Size(t.Size...)
		c.Ints(t.Stride...)
		c.DType(d)
		c.None()
		c.Device(Meta)
		x = c.One(opEmptyStrided)
		if t.RequiresGrad {
			x.RequireGrad(true)
		}
	})
	return x, err
}

func (l *loader) tensor(t *pickle.Tensor) (*Tensor, error) {
	d, err := dtypeOfFile(t.DType, t.Storage.Offset)
	if err != nil {
		return nil, err
	}
	if t.Quantizer != nil {
		return l.quantized(d, t)
	}
	return l.strided(d, t)
}

func (l *loader) strided(d DType, t *pickle.Tensor) (x *Tensor, err error) {
	b := l.bases[base{t.Storage, d}]
	err = Try(func() {
		NoGrad(func() {
			var c Call
			c.Tensor(b)
			c.Ints(t.Size...)
			c.Ints(t.Stride...)
			c.Int(t.Offset)
			x = c.One(opAsStrided)
			if t.Conj {
				x = x.Then((*Tensor).Conj)
			}
			if t.Neg {
				x = x.Then(negView)
			}
			if t.RequiresGrad && (d.IsFloatingPoint() || d.IsComplex()) {
				x.RequireGrad(true)
			}
		})
	})
	return x, err
}

var opNegView = NewOp("aten::_neg_view", "")

// negView returns a view of x whose values are the negative ones.
func negView(x *Tensor) *Tensor {
	var c Call
	c.Tensor(x)
	return c.One(opNegView)
}

// quantized makes a quantized tensor, whose quantizer libtorch checks.
func (l *loader) quantized(d DType, t *pickle.Tensor) (x *Tensor, err error) {
	q := t.Quantizer
	stored, err := storedAs(t.DType)
	if err != nil {
		return nil, err
	}
	var scales, zeros *Tensor
	size := make([]int, len(t.Size)) // of a tensor without elements, for its storage is replaced
	if q.Scales != nil {
		size[q.Axis] = t.Size[q.Axis]
		if scales, err = l.tensor(q.Scales); err == nil {
			defer scales.Free()
			zeros, err = l.tensor(q.ZeroPoints)
		}
		if err != nil {
			return nil, err
		}
		defer zeros.Free()
	}
	err = Try(func() {
		NoGrad(func() {
			var c Call
			c.Size(size...)
			op := opEmptyAffine
			if scales != nil {
				op = opEmptyPerChannel
				c.Tensor(scales)
				c.Tensor(zeros)
				c.Int(q.Axis)
			}
			c.DType(d)
			c.None() // layout
			c.Device(l.device)
			c.None() // pin_memory
			if scales == nil {
				c.Float(q.Scale)
				c.Int(int(q.ZeroPoint))
			}
			x = c.One(op)
			var set Call
			set.Tensor(x)
			set.Tensor(l.bases[base{t.Storage, stored}])
			set.Int(t.Offset)
			set.Size(t.Size...)
			set.Ints(t.Stride...)
			set.One(opSet).Free()
		})
	})
	if e := (*Error)(nil); errors.As(err, &e) {
		err = &badfile.MalformedError{Offset: max(t.Storage.Offset, 0), Msg: "a quantized tensor: " + e.Msg}
	}
	return x, err
}

func (l *loader) newBase(k base) (*Tensor, error) {
	s := k.s
	if per := pickle.Packed(k.d.String()); per > 1 {
		// libtorch needs a byte for each element, although it packs several into one.
		padded := append(make([]byte, 0, per*len(s.Data)), s.Data...)[:per*len(s.Data)]
		s, k.d = &pickle.Storage{Data: padded, Offset: -1, Key: s.Key}, Uint8
	}
	n := len(s.Data) / k.d.Size()
	bytes := n * k.d.Size()
	var h uint64
	var res libtorch.Result
	var err error
	if l.m != nil && s.Offset >= 0 && n > 0 {
		h, res, err = l.m.Tensor(int(s.Offset), bytes, k.d.scalarType(), n)
	} else {
		h, res, err = libtorch.NewTensor(unsafe.Pointer(unsafe.SliceData(s.Data)), bytes, k.d.scalarType(), []int64{int64(n)})
	}
	if err != nil {
		return nil, fmt.Errorf("storage %q: %w", s.Key, err)
	}
	x := wrap(h, libtorch.Heavy, res.Scope)
	if l.device == CPU {
		return x, nil
	}
	defer x.Free()
	var moved *Tensor
	err = Try(func() { moved = x.To(l.device) })
	return moved, err
}
