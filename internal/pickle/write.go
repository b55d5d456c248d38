package pickle

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/badfile"
)

// A pickler writes a pickle of protocol 2, the opcodes that Python's pickle module writes. Its memo numbers the objects that
// may be named again: by address, or by value if Python has only one of them.
type pickler struct {
	out   []byte
	memo  map[any]uint32 // numbers in the order of the memo; some have no key
	count uint32

	open     map[any]bool // tuples, sets and counters that are being written
	keys     map[*Storage]string
	storages []*Storage // that are still to be written, in order
}

// Keys of the memo besides addresses and strings.
type (
	globalKey   string               // a class, a function, or a value with a name of its own
	keyOf       struct{ s *Storage } // the key of a storage: in Python, a string of its own
	addressOf   struct{ p *byte }    // of bytes
	firstNumber struct{ p *int }     // of a torch.Size
)

func (p *pickler) dump(v any) error {
	p.op(opProto, 2)
	err := p.value(v)
	p.op(opStop)
	return err
}

func (p *pickler) op(b ...byte) { p.out = append(p.out, b...) }

// put gives the object that was written last the next number; a nil key cannot be found again.
func (p *pickler) put(key any) {
	if p.count < 256 {
		p.op(opBinPut, byte(p.count))
	} else {
		p.op(opLongBinPut)
		p.out = le.AppendUint32(p.out, p.count)
	}
	if key != nil {
		p.memo[key] = p.count
	}
	p.count++
}

// get writes a reference to an object, if it was written before.
func (p *pickler) get(key any) bool {
	n, ok := p.memo[key]
	switch {
	case !ok:
		return false
	case n < 256:
		p.op(opBinGet, byte(n))
	default:
		p.op(opLongBinGet)
		p.out = le.AppendUint32(p.out, n)
	}
	return true
}

func (p *pickler) value(v any) error {
	switch v := v.(type) {
	case nil:
		p.op(opNone)
	case bool:
		p.bool(v)
	case int64:
		return p.int(v)
	case int:
		return p.int(int64(v))
	case *big.Int:
		return p.long(v)
	case float64:
		p.float(v)
	case complex128:
		p.global("__builtin__ complex")
		p.float(real(v))
		p.float(imag(v))
		p.op(opTuple2)
		p.put(nil)
		p.reduce(nil)
	case string:
		return p.str(v, v)
	case []byte:
		return p.bytes(v)
	case Tuple:
		return p.tuple(v)
	case *List:
		if !p.get(v) {
			p.op(opEmptyList)
			p.put(v)
			return p.items(v.Items)
		}
	case *Set:
		return p.wrapped(v, "__builtin__ set", func() error {
			p.op(opEmptyList)
			p.put(nil)
			return p.items(v.Items)
		})
	case *Dict:
		return p.dict(v)
	case Size:
		p.size(v)
	case DType:
		p.global("torch " + string(v))
	case QScheme:
		p.global(strings.Replace(string(v), ".", " ", 1))
	case Layout:
		p.layout(v)
	case Device:
		return p.device(v)
	case *Storage:
		return p.storage(v, v.DType, v.untyped)
	case *Tensor:
		return p.tensor(v)
	case *Sparse:
		return p.sparse(v)
	case *Meta:
		p.meta(v)
	default:
		return fmt.Errorf("a %T cannot be saved", v)
	}
	return nil
}

func (p *pickler) bool(v bool) {
	if v {
		p.op(opNewTrue)
	} else {
		p.op(opNewFalse)
	}
}

func (p *pickler) float(v float64) {
	p.op(opBinFloat)
	bits := math.Float64bits(v)
	for i := 56; i >= 0; i -= 8 {
		p.op(byte(bits >> i))
	}
}

func (p *pickler) int(n int64) error {
	switch {
	case n >= 0 && n < 1<<8:
		p.op(opBinInt1, byte(n))
	case n >= 0 && n < 1<<16:
		p.op(opBinInt2, byte(n), byte(n>>8))
	case n == int64(int32(n)):
		p.op(opBinInt)
		p.out = le.AppendUint32(p.out, uint32(n))
	default:
		return p.long(big.NewInt(n))
	}
	return nil
}

// long writes a number in two's complement, in no more bytes than it takes.
func (p *pickler) long(n *big.Int) error {
	if n.IsInt64() && n.Int64() == int64(int32(n.Int64())) {
		return p.int(n.Int64())
	}
	negative := n.Sign() < 0
	if negative {
		n = new(big.Int).Not(n)
	}
	b := make([]byte, n.BitLen()/8+1)
	n.FillBytes(b)
	slices.Reverse(b)
	if negative {
		for i := range b {
			b[i] = ^b[i]
		}
	}
	if len(b) > math.MaxUint8 {
		return fmt.Errorf("an int of %d bits cannot be saved; torch.load with weights_only=True reads up to %d", n.BitLen(), math.MaxUint8*8-1)
	}
	p.op(opLong1, byte(len(b)))
	p.out = append(p.out, b...)
	return nil
}

// str writes a string whose key in the memo is key.
func (p *pickler) str(s string, key any) error {
	if key != nil && p.get(key) {
		return nil
	}
	if !validText([]byte(s)) {
		return fmt.Errorf("the string %.100q cannot be saved, since it is not UTF-8; save it as bytes", s)
	}
	if len(s) > math.MaxUint32 {
		return fmt.Errorf("a string of %d bytes cannot be saved; the longest has 4 GiB", len(s))
	}
	p.op(opBinUnicode)
	p.out = append(le.AppendUint32(p.out, uint32(len(s))), s...)
	p.put(key)
	return nil
}

// text is str for a text of this package.
func (p *pickler) text(s string) { _ = p.str(s, s) }

func (p *pickler) bytes(v []byte) error {
	var key any
	if len(v) > 0 {
		if key = (addressOf{&v[0]}); p.get(key) {
			return nil
		}
	}
	p.global("_codecs encode")
	s := make([]rune, len(v))
	for i, b := range v {
		s[i] = rune(b)
	}
	if err := p.str(string(s), nil); err != nil {
		return err
	}
	p.text("latin1")
	p.op(opTuple2)
	p.put(nil)
	p.reduce(key)
	return nil
}

// global writes a name with its module, with a blank between them.
func (p *pickler) global(name string) {
	if !p.get(globalKey(name)) {
		p.op(opGlobal)
		p.out = append(p.out, strings.Replace(name, " ", "\n", 1)+"\n"...)
		p.put(globalKey(name))
	}
}

// reduce writes the call of a function with a tuple.
func (p *pickler) reduce(key any) {
	p.op(opReduce)
	p.put(key)
}

const batch = 1000 // items after one mark

func (p *pickler) items(vs []any) error {
	if len(vs) == 1 {
		err := p.value(vs[0])
		p.op(opAppend)
		return err
	}
	for part := range slices.Chunk(vs, batch) {
		p.op(opMark)
		for _, v := range part {
			if err := p.value(v); err != nil {
				return err
			}
		}
		p.op(opAppends)
	}
	return nil
}

func (p *pickler) tuple(v Tuple) error {
	if len(v) == 0 {
		p.op(opEmptyTuple)
		return nil
	}
	id := identity(v)
	if p.get(id) {
		return nil
	}
	return p.once(id, func() error {
		if len(v) > 3 {
			p.op(opMark)
		}
		for _, e := range v {
			if err := p.value(e); err != nil {
				return err
			}
		}
		p.closeTuple(len(v), id)
		return nil
	})
}

// closeTuple ends a tuple of n values, before which there is a mark if they are more than three.
func (p *pickler) closeTuple(n int, key any) {
	if n > 3 {
		p.op(opTuple)
	} else {
		p.op([]byte{opEmptyTuple, opTuple1, opTuple2, opTuple3}[n])
	}
	p.put(key)
}

// ints writes a tuple of ints.
func (p *pickler) ints(vs []int) {
	if len(vs) == 0 {
		p.op(opEmptyTuple)
		return
	}
	if len(vs) > 3 {
		p.op(opMark)
	}
	for _, n := range vs {
		_ = p.int(int64(n))
	}
	p.closeTuple(len(vs), nil)
}

// once writes an object that is not in the memo before it is complete, so that it must not contain itself.
func (p *pickler) once(id any, write func() error) error {
	if p.open[id] {
		return errors.New("a tuple, set or Counter that contains itself cannot be saved; torch.load with weights_only=True cannot read it")
	}
	p.open[id] = true
	defer delete(p.open, id)
	return write()
}

// wrapped writes the call of a class with one argument.
func (p *pickler) wrapped(v any, class string, argument func() error) error {
	if p.get(v) {
		return nil
	}
	return p.once(v, func() error {
		p.global(class)
		err := argument()
		p.op(opTuple1)
		p.put(nil)
		p.reduce(v)
		return err
	})
}

func (p *pickler) dict(d *Dict) error {
	switch d.Class {
	case "OrderedDict":
		if p.get(d) {
			return nil
		}
		p.ordered(d)
		if err := p.entries(d, d.Len() == 1); err != nil {
			return err
		}
		if d.Metadata == nil {
			return nil
		}
		p.op(opEmptyDict)
		p.put(nil)
		p.text("_metadata")
		err := p.value(d.Metadata)
		p.op(opSetItem, opBuild)
		return err
	case "Counter":
		return p.wrapped(d, "collections Counter", func() error { return p.plain(d, nil) })
	}
	if p.get(d) {
		return nil
	}
	return p.plain(d, d)
}

// ordered writes an empty OrderedDict.
func (p *pickler) ordered(key any) {
	p.global("collections OrderedDict")
	p.op(opEmptyTuple)
	p.reduce(key)
}

// plain writes a dict that has the key in the memo.
func (p *pickler) plain(d *Dict, key any) error {
	p.op(opEmptyDict)
	p.put(key)
	err := p.entries(d, d.Len() == 1)
	if err == nil && d.Len() > 0 && d.Len()%batch == 0 { // Python asks for more after a full batch
		p.op(opMark, opSetItems)
	}
	return err
}

// entries writes the entries of a dict in batches.
func (p *pickler) entries(d *Dict, single bool) error {
	for i := 0; i < d.Len(); {
		n := min(d.Len()-i, batch)
		alone := single || n == 1 && d.Class == "OrderedDict" // whose last entry needs no mark
		if !alone {
			p.op(opMark)
		}
		for range n {
			if err := errors.Join(p.value(d.Keys[i]), p.value(d.Values[i])); err != nil {
				return err
			}
			i++
		}
		if alone {
			p.op(opSetItem)
		} else {
			p.op(opSetItems)
		}
	}
	return nil
}

func (p *pickler) size(v Size) {
	var key any
	if len(v) > 0 {
		if key = (firstNumber{&v[0]}); p.get(key) {
			return
		}
	}
	p.global("torch Size")
	p.ints(v)
	p.op(opTuple1)
	p.put(nil)
	p.reduce(key)
}

func (p *pickler) layout(v Layout) {
	if p.get(v) {
		return
	}
	p.global("torch.serialization _get_layout")
	_ = p.str(string(v), nil)
	p.op(opTuple1)
	p.put(nil)
	p.reduce(v)
}

func (p *pickler) device(v Device) error {
	p.global("torch device")
	if err := p.str(v.Type, nil); err != nil {
		return err
	}
	if v.Index >= 0 {
		_ = p.int(int64(v.Index))
		p.op(opTuple2)
	} else {
		p.op(opTuple1)
	}
	p.put(nil)
	p.reduce(nil)
	return nil
}

// storage writes the persistent id of a storage, as one of a dtype.
func (p *pickler) storage(s *Storage, dtype string, untyped bool) error {
	if untyped {
		dtype = "uint8"
	}
	if s.DType != dtype {
		return fmt.Errorf("tensors of the dtypes %s and %s that share memory cannot be saved; save a copy of one of them", s.DType, dtype)
	}
	key, ok := p.keys[s]
	if !ok {
		key = strconv.Itoa(len(p.keys))
		p.keys[s] = key
		p.storages = append(p.storages, s)
	}
	class := "torch.storage UntypedStorage"
	if !untyped {
		class = "torch " + storageTypes[dtype]
	}
	p.op(opMark)
	p.text("storage")
	p.global(class)
	_ = p.str(key, keyOf{s})
	p.text(s.location)
	_ = p.int(int64(s.size / ElementSize(dtype)))
	p.op(opTuple)
	p.put(nil)
	p.op(opBinPersID)
	return nil
}

func (p *pickler) tensor(t *Tensor) error {
	if p.get(t) {
		return nil
	}
	if t.Parameter {
		p.global("torch._utils _rebuild_parameter")
		data := *t
		data.Parameter, data.RequiresGrad = false, false
		if err := p.tensor(&data); err != nil {
			return err
		}
		p.bool(t.RequiresGrad)
		p.ordered(nil)
		p.op(opTuple3)
		p.put(nil)
		p.reduce(t)
		return nil
	}
	typed := storageTypes[t.DType] != ""
	switch {
	case t.Quantizer != nil:
		p.global("torch._utils _rebuild_qtensor")
	case typed:
		p.global("torch._utils _rebuild_tensor_v2")
	default:
		p.global("torch._utils _rebuild_tensor_v3")
	}
	p.op(opMark)
	if err := p.storage(t.Storage, t.DType, !typed); err != nil {
		return err
	}
	_ = p.int(int64(t.Offset))
	p.ints(t.Size)
	p.ints(t.Stride)
	if t.Quantizer != nil {
		if err := p.quantizer(t.Quantizer); err != nil {
			return err
		}
	}
	p.bool(t.RequiresGrad)
	p.ordered(nil) // of hooks
	if !typed {
		p.global("torch " + t.DType)
	}
	p.bits(t)
	p.op(opTuple)
	p.put(nil)
	p.reduce(t)
	return nil
}

// bits writes the dict of the bits that a tensor has, unless it has none.
func (p *pickler) bits(t *Tensor) {
	if !t.Conj && !t.Neg {
		return
	}
	p.op(opEmptyDict)
	p.put(nil)
	both := t.Conj && t.Neg
	if both {
		p.op(opMark)
	}
	for _, b := range []struct {
		name string
		set  bool
	}{{"neg", t.Neg}, {"conj", t.Conj}} {
		if b.set {
			_ = p.str(b.name, nil)
			p.bool(true)
		}
	}
	if both {
		p.op(opSetItems)
	} else {
		p.op(opSetItem)
	}
}

func (p *pickler) quantizer(q *Quantizer) error {
	if q.Scales == nil {
		p.global(strings.Replace(string(q.Scheme), ".", " ", 1))
		p.float(q.Scale)
		_ = p.int(q.ZeroPoint)
		p.closeTuple(3, nil)
		return nil
	}
	p.op(opMark)
	p.global("torch per_channel_affine") // also of zero points that are floats, by which a reader knows them
	if err := errors.Join(p.tensor(q.Scales), p.tensor(q.ZeroPoints)); err != nil {
		return err
	}
	_ = p.int(int64(q.Axis))
	p.closeTuple(4, nil)
	return nil
}

func (p *pickler) sparse(s *Sparse) error {
	if p.get(s) {
		return nil
	}
	p.global("torch._utils _rebuild_sparse_tensor")
	p.layout(s.Layout)
	p.op(opMark)
	for _, part := range s.Parts {
		if err := p.tensor(part); err != nil {
			return err
		}
	}
	p.size(s.Size)
	if s.Layout == "torch.sparse_coo" {
		p.bool(s.Coalesced)
	}
	p.op(opTuple)
	p.put(nil)
	p.op(opTuple2)
	p.put(nil)
	p.reduce(s)
	return nil
}

func (p *pickler) meta(t *Meta) {
	if p.get(t) {
		return
	}
	p.global("torch._utils _rebuild_meta_tensor_no_storage")
	p.op(opMark)
	p.global("torch " + t.DType)
	p.ints(t.Size)
	p.ints(t.Stride)
	p.bool(t.RequiresGrad)
	p.op(opTuple)
	p.put(nil)
	p.reduce(t)
}

// SetEntry sets a key of a dict that is made for [Write].
func (d *Dict) SetEntry(key, value any) error {
	k, ok := hashKey(key)
	if !ok {
		return fmt.Errorf("%s cannot be a key of a dict", describe(key))
	}
	if _, ok := d.index[k]; ok {
		return fmt.Errorf("a dict has the key %s twice", badfile.Clip(fmt.Sprint(key)))
	}
	d.set(k, key, value)
	return nil
}

// NewSet returns a set of members.
func NewSet(members []any) (*Set, error) {
	s := &Set{}
	for _, v := range members {
		k, ok := hashKey(v)
		if !ok {
			return nil, fmt.Errorf("%s cannot be a member of a set", describe(v))
		}
		s.add(k, v)
	}
	return s, nil
}
