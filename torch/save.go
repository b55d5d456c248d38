package torch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"reflect"
	"unsafe"

	"github.com/torchhub/torchhub/internal/atomicfile"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/pickle"
)

// Save writes a value to a file, for torch.load with weights_only=True and for
// [Load]: torch.save(v, path). The bytes are those that Python writes, apart from an
// id in the file.
//
//	err := torch.Save("checkpoint.pt", map[string]any{
//		"epoch": 3, "model": nn.StateDict(net), "losses": []float64{0.7, 0.4},
//	})
//
// A tensor may be on any device, and dense, quantized or sparse. Tensors that share
// memory share it again when they are loaded: all of that memory is written, once.
// So a small view of a large tensor takes as much space as the tensor; save a clone to
// avoid that. A tensor, slice, map or *Dict that occurs more than once is written
// once. No memory is allocated for a copy; tensors on other devices are copied in
// pieces.
//
// Values become what [Load] reads as such: numbers, bools, strings and nil, []byte as
// bytes, other slices and arrays as lists, maps as dicts in the order of their keys,
// [*Dict], [Tuple], [Set], [Size], [DType], [Device], [Layout], [QScheme] and *big.Int.
// A [StateDict] becomes what Module.state_dict() returns: an OrderedDict of tensors
// without gradients. A struct becomes a dict of its exported fields, with the keys under
// which [Get] reads it. A pointer to one of these types becomes what it points to, or None.
// Functions, channels, modules and structs without exported fields are errors, and so is
// what torch.load with weights_only=True does not read: nested tensors, tuples that
// contain themselves, and ints of more than 2039 bits.
//
// The file is created, or replaced, atomically: it has the name path only once it is
// complete and on the disk. No other goroutine may write to the tensors meanwhile.
//
// https://docs.pytorch.org/docs/stable/generated/torch.save.html
func Save(path string, v Value) error {
	err := atomicfile.Write(path, func(w io.Writer) error { return save(w, pickle.RootOf(path), v) })
	if err != nil {
		return fmt.Errorf("torch: save %s: %w", path, err)
	}
	return nil
}

// SaveTo is [Save] to a stream: torch.save(v, w). If it returns an error, a part of
// the file may have been written.
//
// https://docs.pytorch.org/docs/stable/generated/torch.save.html
func SaveTo(w io.Writer, v Value) error {
	if err := save(w, pickle.RootOf(""), v); err != nil {
		return fmt.Errorf("torch: save: %w", err)
	}
	return nil
}

func save(w io.Writer, root string, v Value) error {
	s := newSaver()
	defer s.close()
	tree, err := s.value(v, 0)
	if err != nil {
		return err
	}
	return pickle.Write(w, root, tree)
}

// A saver turns values into those of package pickle.
type saver struct {
	made     map[identity]any // by the container or tensor that it stands for
	storages map[uint64]*pickle.Storage
	held     []*Tensor // the memory of the storages
}

// An identity tells whether two values are one object of Python: it is an address
// with a type, and for slices a length.
type identity struct {
	at     unsafe.Pointer
	n      int
	typ    reflect.Type
	detach bool // of a tensor: without its gradient
}

func newSaver() *saver {
	return &saver{made: map[identity]any{}, storages: map[uint64]*pickle.Storage{}}
}

func (s *saver) close() {
	for _, x := range s.held {
		x.Free()
	}
}

// A placeError is an error about a value within another.
type placeError struct {
	place string // as in Python: ["optimizer"][0]
	err   error
}

func (e *placeError) Error() string { return e.place + ": " + e.err.Error() }
func (e *placeError) Unwrap() error { return e.err }

// placed adds a key or an index to the place of an error.
func placed(key any, err error) error {
	place := fmt.Sprintf("[%v]", key)
	if name, ok := key.(string); ok {
		place = fmt.Sprintf("[%.100q]", name)
	}
	if e, ok := err.(*placeError); ok {
		const most = 400 // bytes
		if len(e.place) > most {
			e.place = "…"
		}
		return &placeError{place + e.place, e.err}
	}
	return &placeError{place, err}
}

func (s *saver) value(v Value, depth int) (any, error) {
	if depth++; depth > maxDepth {
		return nil, fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	switch v := v.(type) {
	case nil, bool, string, float64, complex128, []byte:
		return v, nil
	case int:
		return int64(v), nil
	case *big.Int:
		if v == nil {
			return nil, nil
		}
		return v, nil
	case *Tensor:
		return s.tensor(v, false)
	case Parameter:
		return s.parameter(v)
	case StateDict:
		return s.stateDict(v)
	case *Dict:
		return s.dict(v, depth)
	case Tuple:
		t := make(pickle.Tuple, len(v))
		if old, ok := s.known(reflect.ValueOf(v), t); ok {
			return old, nil
		}
		return t, s.fill(t, reflect.ValueOf(v), depth)
	case Set:
		members := make([]any, len(v))
		if err := s.fill(members, reflect.ValueOf(v), depth); err != nil {
			return nil, err
		}
		return pickle.NewSet(members)
	case Size:
		return pickle.Size(v), nil
	case DType, Device, Layout, QScheme:
		return constant(v)
	}
	return s.reflected(v, depth)
}

// reflected is value by the kind of a type.
func (s *saver) reflected(v Value, depth int) (any, error) {
	if f, ok := v.(interface{ Float32() float32 }); ok { // F16 and the like, which are integers to package reflect
		return float64(f.Float32()), nil
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Pointer:
		if r.IsNil() {
			return nil, nil
		}
		if r.Elem().Kind() == reflect.Struct {
			return s.fields(r, depth)
		}
		return s.value(r.Elem().Interface(), depth)
	case reflect.Bool:
		return r.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return new(big.Int).SetUint64(r.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return r.Float(), nil
	case reflect.Complex64, reflect.Complex128:
		return r.Complex(), nil
	case reflect.String:
		return r.String(), nil
	case reflect.Slice:
		if r.Type().Elem() == reflect.TypeFor[byte]() {
			return r.Bytes(), nil
		}
		l := &pickle.List{Items: make([]any, r.Len())}
		if old, ok := s.known(r, l); ok {
			return old, nil
		}
		return l, s.fill(l.Items, r, depth)
	case reflect.Array:
		l := &pickle.List{Items: make([]any, r.Len())}
		return l, s.fill(l.Items, r, depth)
	case reflect.Map:
		d := &pickle.Dict{Class: "dict"}
		if old, ok := s.known(r, d); ok {
			return old, nil
		}
		for _, k := range sortedKeys(r) {
			if err := s.entry(d, k.Interface(), r.MapIndex(k).Interface(), depth); err != nil {
				return nil, err
			}
		}
		return d, nil
	case reflect.Struct:
		return s.fields(r, depth)
	}
	return nil, fmt.Errorf("a %T cannot be saved", v)
}

// known returns what stands for a slice or map that occurred before. Otherwise it
// notes that made will.
func (s *saver) known(r reflect.Value, made any) (any, bool) {
	if r.Len() == 0 {
		return nil, false
	}
	id := identity{at: r.UnsafePointer(), n: r.Len(), typ: r.Type()}
	if old, ok := s.made[id]; ok {
		return old, true
	}
	s.made[id] = made
	return nil, false
}

// fields makes a dict of a struct, or of the struct that r points to.
func (s *saver) fields(r reflect.Value, depth int) (any, error) {
	d := &pickle.Dict{Class: "dict"}
	typ := r.Type()
	if r.Kind() == reflect.Pointer {
		id := identity{at: r.UnsafePointer(), typ: typ}
		if old, ok := s.made[id]; ok {
			return old, nil
		}
		s.made[id] = d
		r = r.Elem()
	}
	if _, ok := typ.MethodByName("Forward"); ok {
		return nil, fmt.Errorf("a %v cannot be saved, since it is a module; save its state dict", typ)
	}
	keys := 0
	for key, f := range keyedFields(r) {
		keys++
		if err := s.entry(d, key.name, f.Interface(), depth); err != nil {
			return nil, err
		}
	}
	if keys == 0 {
		return nil, fmt.Errorf("a %v cannot be saved, since it has no exported fields; save what it stands for", typ)
	}
	return d, nil
}

// fill makes the elements of a slice or array.
func (s *saver) fill(to []any, from reflect.Value, depth int) (err error) {
	for i := range to {
		if to[i], err = s.value(from.Index(i).Interface(), depth); err != nil {
			return placed(i, err)
		}
	}
	return nil
}

func (s *saver) entry(d *pickle.Dict, key, v Value, depth int) error {
	k, err := s.value(key, depth)
	if err != nil {
		return placed(key, err)
	}
	e, err := s.value(v, depth)
	if err != nil {
		return placed(key, err)
	}
	return d.SetEntry(k, e)
}

func (s *saver) dict(v *Dict, depth int) (any, error) {
	d := &pickle.Dict{Class: "dict"}
	if v == nil {
		return d, nil
	}
	id := identity{at: unsafe.Pointer(v)}
	if old, ok := s.made[id]; ok {
		return old, nil
	}
	s.made[id] = d
	d.Class = v.Class.String()
	for _, e := range v.Entries {
		if err := s.entry(d, e.Key, e.Value, depth); err != nil {
			return nil, err
		}
	}
	if v.Metadata != nil && v.Class == OrderedDict {
		m, err := s.dict(v.Metadata, depth)
		if err != nil {
			return nil, placed("_metadata", err)
		}
		d.Metadata = m
	}
	return d, nil
}

// stateDict makes an OrderedDict, since a StateDict is one.
func (s *saver) stateDict(v StateDict) (any, error) {
	d := &pickle.Dict{Class: "OrderedDict"}
	for _, e := range v {
		x, err := s.tensor(e.Tensor, true)
		if err != nil {
			return nil, placed(e.Name, err)
		}
		if err := d.SetEntry(e.Name, x); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (s *saver) parameter(p Parameter) (any, error) {
	id := identity{at: unsafe.Pointer(p.Tensor), typ: reflect.TypeFor[Parameter]()}
	if old, ok := s.made[id]; ok {
		return old, nil
	}
	x, err := s.tensor(p.Tensor, false)
	if err != nil {
		return nil, err
	}
	t, ok := x.(*pickle.Tensor)
	if !ok {
		return nil, errors.New("a Parameter must be dense and have values; save its Tensor")
	}
	v := *t
	v.Parameter = true
	s.made[id] = &v
	return &v, nil
}

// constant returns what stands for a value that has a name in PyTorch.
func constant(v Value) (any, error) {
	switch v := v.(type) {
	case DType:
		if v.Size() > 0 {
			return pickle.DType(v.String()), nil
		}
	case Layout:
		name := pickle.Layout(v.String())
		if _, ok := layouts[name]; ok {
			return name, nil
		}
	case QScheme:
		if pickle.IsQScheme(string(v)) {
			return pickle.QScheme(v), nil
		}
	case Device:
		typ, index, err := v.c10()
		return pickle.Device{Type: deviceOf(typ, index).Type(), Index: index}, err
	}
	return nil, fmt.Errorf("there is no %T %v", v, v)
}

var (
	opIsConj      = NewOp("aten::is_conj", "")
	opIsNeg       = NewOp("aten::is_neg", "")
	opQScheme     = NewOp("aten::qscheme", "")
	opQScale      = NewOp("aten::q_scale", "")
	opQZeroPoint  = NewOp("aten::q_zero_point", "")
	opQScales     = NewOp("aten::q_per_channel_scales", "")
	opQZeroPoints = NewOp("aten::q_per_channel_zero_points", "")
	opQAxis       = NewOp("aten::q_per_channel_axis", "")
)

// ask returns the result of an op of one tensor.
func ask[T any](x *Tensor, op *Op) T {
	var c Call
	c.Tensor(x)
	return Result[T](&c, op)
}

// tensor makes what stands for a tensor, without its gradient if detach is set.
func (s *saver) tensor(x *Tensor, detach bool) (v any, err error) {
	if x == nil {
		return nil, nil
	}
	if err := Init(context.Background()); err != nil {
		return nil, err
	}
	id := identity{at: unsafe.Pointer(x), detach: detach}
	if old, ok := s.made[id]; ok {
		return old, nil
	}
	failed := Try(func() {
		NoGrad(func() { v, err = s.describe(x, detach) })
	})
	if err = cmp.Or(failed, err); err != nil {
		return nil, err
	}
	s.made[id] = v
	return v, nil
}

var errNested = errors.New("a nested tensor cannot be saved, since torch.load with weights_only=True does not read it; save its parts")

// describe makes what stands for a tensor. It panics with an *Error if libtorch
// cannot describe the tensor.
func (s *saver) describe(x *Tensor, detach bool) (any, error) {
	info := x.info("Save")
	grad := !detach && info[libtorch.InfoFlags]&libtorch.FlagRequiresGrad != 0
	layout, d := Layout(info[libtorch.InfoLayout]), FromScalarType(int(info[libtorch.InfoDType]))
	switch {
	case info[libtorch.InfoFlags]&libtorch.FlagNested != 0:
		return nil, errNested
	case d.Size() == 0:
		return nil, fmt.Errorf("a tensor of the dtype %v cannot be saved", d)
	case deviceOf(int(info[libtorch.InfoDevice]), -1) == Meta:
		return &pickle.Meta{DType: d.String(), Size: x.Shape(), Stride: x.Strides(), RequiresGrad: grad}, nil
	case sparseParts[layout] != nil:
		return s.sparse(x, layout)
	case layout != Strided:
		return nil, fmt.Errorf("a tensor of the layout %v cannot be saved; convert it with ToDense", layout)
	case info[libtorch.InfoFlags]&libtorch.FlagZero != 0:
		y := x.Clone()
		s.held = append(s.held, y)
		return s.describe(y, !grad)
	}
	storage, err := s.storage(x)
	if err != nil {
		return nil, err
	}
	n := int(info[libtorch.InfoDim])
	sizes := ints(info[libtorch.InfoSizes:][:2*n])
	t := &pickle.Tensor{Storage: storage, DType: d.String(), Offset: int(info[libtorch.InfoOffset]), Size: sizes[:n], Stride: sizes[n:], RequiresGrad: grad}
	if d.IsQuantized() {
		t.Quantizer, err = s.quantizer(x)
	} else {
		t.Conj, t.Neg = d.IsComplex() && ask[bool](x, opIsConj), ask[bool](x, opIsNeg)
	}
	return t, err
}

func (s *saver) sparse(x *Tensor, layout Layout) (any, error) {
	v := &pickle.Sparse{Layout: pickle.Layout(layout.String()), Size: x.Shape()}
	for _, part := range sparseParts[layout] {
		p, err := s.part(x, part.op)
		if err != nil {
			return nil, err
		}
		v.Parts = append(v.Parts, p)
	}
	if layout == Sparse {
		v.Coalesced = ask[bool](x, opIsCoalesced)
	}
	return v, nil
}

// part makes what stands for a tensor that an op returns.
func (s *saver) part(x *Tensor, op *Op) (*pickle.Tensor, error) {
	y := ask[*Tensor](x, op)
	s.held = append(s.held, y)
	v, err := s.describe(y, true)
	if err != nil {
		return nil, err
	}
	return v.(*pickle.Tensor), nil
}

func (s *saver) quantizer(x *Tensor) (*pickle.Quantizer, error) {
	const perTensor = 0 // c10::kPerTensorAffine
	if ask[int](x, opQScheme) == perTensor {
		return &pickle.Quantizer{Scheme: "torch.per_tensor_affine", Scale: ask[float64](x, opQScale), ZeroPoint: int64(ask[int](x, opQZeroPoint))}, nil
	}
	scales, err := s.part(x, opQScales)
	if err != nil {
		return nil, err
	}
	zeros, err := s.part(x, opQZeroPoints)
	return &pickle.Quantizer{Scheme: "torch.per_channel_affine", Axis: ask[int](x, opQAxis), Scales: scales, ZeroPoints: zeros}, err
}

// storage returns what stands for the memory of a tensor, which other tensors may share.
func (s *saver) storage(x *Tensor) (st *pickle.Storage, err error) {
	var bytes *Tensor
	var id uint64
	x.use("Save", func(h uint64) {
		var b uint64
		var res libtorch.Result
		if b, id, res, err = libtorch.TensorStorage(h); err == nil {
			bytes = wrap(b, libtorch.Heavy, res.Scope)
		}
	})
	if err != nil {
		return nil, err
	}
	s.held = append(s.held, bytes) // which also keeps another tensor from having the id
	if st, ok := s.storages[id]; ok {
		return st, nil
	}
	d := x.DType().String()
	if per := pickle.Packed(d); per > 1 && x.IsContiguous() && bytes.Numel() == (x.Numel()+per-1)/per*per {
		bytes = bytes.Narrow(0, 0, bytes.Numel()/per) // the rest is what newBase adds
		s.held = append(s.held, bytes)
	}
	st = pickle.NewStorage(d, x.Device().String(), bytes.Numel(), piecesOf(bytes))
	s.storages[id] = st
	return st, nil
}

// piecesOf yields the bytes of a 1-d tensor of bytes, which is contiguous.
func piecesOf(x *Tensor) iter.Seq2[[]byte, error] {
	if x.Device() != CPU {
		return elements(x)
	}
	return func(yield func([]byte, error) bool) { WithData(x, func(b []byte) { yield(b, nil) }) }
}
