package torch

import (
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// An Op is an operator of libtorch's dispatcher, looked up at its first call.
// If the libtorch in use lacks it, that call panics with an [*Error].
type Op struct {
	name, overload string
	found          atomic.Pointer[libtorch.Op]
}

// NewOp returns the operator with a name and overload of native_functions.yaml: NewOp("aten::add", "Tensor").
// It does not load libtorch.
//
// Arguments of operators in the namespace aten are checked if libtorch does not
// check them. The exceptions are operators whose name begins with an underscore
// and those of other namespaces, such as inductor and mkldnn: as in Python,
// their arguments are trusted, and wrong ones can end the process.
func NewOp(name, overload string) *Op { return &Op{name: name, overload: overload} }

func (o *Op) find() libtorch.Op {
	if op := o.found.Load(); op != nil {
		return *op
	}
	mustInit()
	op, err := libtorch.FindOp(o.name, o.overload)
	if err != nil {
		panic(&Error{Op: o.name, Overload: o.overload, Msg: err.Error(), kind: kindOf(err)})
	}
	o.found.Store(&op)
	return op
}

// Schema returns the operator's signature, such as
// "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor".
func (o *Op) Schema() string { return o.find().Schema() }

// A Call collects the arguments of one call in the order of the schema, then
// makes the call: every op goes through here. The zero value is ready to use.
// Missing arguments at the end take the schema's defaults.
//
//	var c torch.Call
//	c.Tensor(x)
//	c.Tensor(y)
//	return c.One(add)
type Call struct {
	n    int
	buf  [32]uint64
	big  []uint64 // all words, once they outgrow buf
	kept int
	keep [6]*Tensor // the tensors in use, held until the call is over
	more []*Tensor
	gen  *Generator // in use
	err  *Error     // the first mistake among the arguments
}

func (c *Call) put(w uint64) {
	if c.n < len(c.buf) && c.big == nil {
		c.buf[c.n] = w
		c.n++
		return
	}
	c.grow(w)
}

func (c *Call) grow(w uint64) {
	if c.big == nil {
		c.big = append(make([]uint64, 0, 4*len(c.buf)), c.buf[:]...)
	}
	c.big = append(c.big, w)
}

func (c *Call) words() []uint64 {
	if c.big != nil {
		return c.big
	}
	return c.buf[:c.n]
}

// hold acquires a tensor for the call and returns its reference, or 0 for nil.
func (c *Call) hold(x *Tensor) uint64 {
	if x == nil {
		return 0
	}
	if !x.acquire() {
		if c.err == nil {
			c.err = &Error{Msg: ErrFreed.Error(), kind: ErrFreed}
		}
		return 0
	}
	if c.kept < len(c.keep) {
		c.keep[c.kept] = x
		c.kept++
	} else {
		c.more = append(c.more, x)
	}
	return x.h
}

func (c *Call) release() {
	for _, x := range c.keep[:c.kept] {
		x.release()
	}
	for _, x := range c.more {
		x.release()
	}
	runtime.KeepAlive(c.gen)
}

// Tensor adds a Tensor; nil is a mistake.
func (c *Call) Tensor(x *Tensor) {
	if x == nil && c.err == nil {
		c.err = &Error{Msg: ErrNil.Error(), kind: ErrNil}
	}
	c.put(libtorch.Tensor)
	c.put(c.hold(x))
}

// OptTensor adds a Tensor?: nil is None.
func (c *Call) OptTensor(x *Tensor) {
	if x == nil {
		c.None()
		return
	}
	c.Tensor(x)
}

// Tensors adds a Tensor[]: a nil element is a mistake.
func (c *Call) Tensors(xs []*Tensor) {
	if i := slices.Index(xs, nil); i >= 0 && c.err == nil {
		c.err = &Error{Msg: fmt.Sprintf("tensor %d of a list is nil", i), kind: ErrNil}
	}
	c.OptTensors(xs)
}

// OptTensors adds a Tensor?[]: nil elements are None.
func (c *Call) OptTensors(xs []*Tensor) {
	c.put(libtorch.Tensors)
	c.put(uint64(len(xs)))
	for _, x := range xs {
		c.put(c.hold(x))
	}
}

// None adds None.
func (c *Call) None() { c.put(libtorch.None) }

// Default adds the schema's default for this argument.
func (c *Call) Default() { c.put(libtorch.Default) }

// Int adds an int, SymInt or integral Scalar.
func (c *Call) Int(v int) { c.put(libtorch.Int); c.put(uint64(v)) }

// Float adds a float or floating-point Scalar.
func (c *Call) Float(v float64) { c.put(libtorch.Double); c.put(math.Float64bits(v)) }

// Complex adds a complex Scalar.
func (c *Call) Complex(v complex128) {
	c.put(libtorch.Complex)
	c.put(math.Float64bits(real(v)))
	c.put(math.Float64bits(imag(v)))
}

// Bool adds a bool or boolean Scalar.
func (c *Call) Bool(v bool) {
	c.put(libtorch.Bool)
	c.put(word(v))
}

func word(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// DType adds a ScalarType or ScalarType?; the zero value is None.
func (c *Call) DType(d DType) {
	if d == 0 {
		c.None()
		return
	}
	if d > lastDType {
		c.mistake("there is no %v", d) // libtorch looks it up in a table without a check
	}
	c.Int(d.scalarType())
}

// Device adds a Device; the zero value is the default device.
func (c *Call) Device(d Device) {
	typ, index, err := d.c10()
	if err != nil {
		c.mistake("%v", err)
	}
	c.put(libtorch.Device)
	c.put(uint64(typ))
	c.put(uint64(index))
}

// OptDevice adds a Device?; the zero value is None.
func (c *Call) OptDevice(d Device) {
	if d == "" {
		c.None()
		return
	}
	c.Device(d)
}

// Layout adds a Layout.
func (c *Call) Layout(l Layout) {
	if l < Strided || l > Jagged {
		c.mistake("there is no layout %d", l)
	}
	c.Int(int(l))
}

// MemoryFormat adds a MemoryFormat.
func (c *Call) MemoryFormat(f MemoryFormat) {
	if f < ContiguousFormat || f > ChannelsLast3d {
		c.mistake("there is no memory format %d", f)
	}
	c.Int(int(f))
}

// Generator adds a Generator?: nil is None, the default generator.
func (c *Call) Generator(g *Generator) {
	if g == nil {
		c.None()
		return
	}
	if g.g.Word() == 0 {
		c.mistake("the generator was not made by NewGenerator")
	}
	c.put(libtorch.GeneratorTag)
	c.put(g.g.Word())
	c.gen = g
}

// Number adds a Scalar: an int, float64, bool or complex128. A value of another type is a mistake.
func (c *Call) Number(v Number) {
	switch v.(type) {
	case int, int64, float64, bool, complex128:
	default:
		c.mistake("a %T is not a number that libtorch accepts; give an int, float64, bool or complex128", v)
	}
	c.Value(v)
}

// String adds a str.
func (c *Call) String(s string) {
	c.put(libtorch.String)
	c.text(s)
}

// text adds a str without its tag.
func (c *Call) text(s string) {
	c.put(uint64(len(s)))
	for len(s) > 0 {
		var w uint64
		n := min(8, len(s))
		for i := range n {
			w |= uint64(s[i]) << (8 * i)
		}
		c.put(w)
		s = s[n:]
	}
}

// Ints adds an int[] or SymInt[].
func (c *Call) Ints(vs ...int) {
	c.put(libtorch.Ints)
	c.put(uint64(len(vs)))
	for _, v := range vs {
		c.put(uint64(v))
	}
}

// Size adds an int[] that is the size of a tensor.
func (c *Call) Size(size ...int) {
	numel := uint64(1)
	for _, n := range size {
		hi, lo := bits.Mul64(numel, uint64(max(n, 1)))
		if hi > 0 || lo >= 1<<58 { // libtorch multiplies by the bytes of an element, at most 16, without a check
			if c.err == nil {
				c.err = &Error{Msg: fmt.Sprintf("a tensor of size %v is too large for any memory", size), kind: ErrOutOfMemory}
			}
			break
		}
		numel = lo
	}
	c.Ints(size...)
}

// Floats adds a float[].
func (c *Call) Floats(vs ...float64) {
	c.put(libtorch.Doubles)
	c.put(uint64(len(vs)))
	for _, v := range vs {
		c.put(math.Float64bits(v))
	}
}

// Bools adds a bool[].
func (c *Call) Bools(vs ...bool) {
	c.put(libtorch.Bools)
	c.put(uint64(len(vs)))
	for _, v := range vs {
		c.put(word(v))
	}
}

// OptInts adds an int[]?: nil is None.
func (c *Call) OptInts(vs []int) {
	if vs == nil {
		c.None()
		return
	}
	c.Ints(vs...)
}

// OptFloats adds a float[]?: nil is None.
func (c *Call) OptFloats(vs []float64) {
	if vs == nil {
		c.None()
		return
	}
	c.Floats(vs...)
}

// OptNumber adds a Scalar?: nil is None.
func (c *Call) OptNumber(v Number) {
	if v == nil {
		c.None()
		return
	}
	c.Number(v)
}

// Numbers adds a Scalar[].
func (c *Call) Numbers(vs []Number) {
	c.List(len(vs))
	for _, v := range vs {
		c.Number(v)
	}
}

// IntsOf adds an int[n]: an int n times, or a []int as it is. Another type is a mistake.
func (c *Call) IntsOf(v Ints, n int) {
	switch v := v.(type) {
	case int:
		vs := [8]int{v, v, v, v, v, v, v, v}
		c.Ints(vs[:n]...)
	case []int:
		c.Ints(v...)
	default:
		c.mistake("a %T is neither an int nor a []int", v)
		c.None()
	}
}

// IntsOrWord adds an int[n] as [Call.IntsOf] does, or a str.
func (c *Call) IntsOrWord(v any, n int) {
	if s, ok := v.(string); ok {
		c.String(s)
		return
	}
	c.IntsOf(v, n)
}

// OptDims adds an int[]?: an int, a []int, or nil for None. Another type is a mistake.
func (c *Call) OptDims(v Ints) {
	switch v := v.(type) {
	case nil:
		c.None()
	case int:
		c.Ints(v)
	case []int:
		c.Ints(v...)
	default:
		c.mistake("a %T is neither an int nor a []int", v)
	}
}

// OneInt adds an int?: none is None, and more than one is a mistake.
func (c *Call) OneInt(vs []int) {
	switch len(vs) {
	case 0:
		c.None()
	case 1:
		c.Int(vs[0])
	default:
		c.mistake("%d dimensions %v are given; give at most one", len(vs), vs)
	}
}

// Reduction adds the reduction of a loss: "mean", "sum" or "none".
func (c *Call) Reduction(how string) {
	i := slices.Index([]string{"none", "mean", "sum"}, how)
	if i < 0 {
		c.mistake(`the reduction is %q; it can be "mean", "sum" or "none"`, how)
	}
	c.Int(i)
}

// mistake records the first mistake.
func (c *Call) mistake(format string, args ...any) {
	if c.err == nil {
		c.err = &Error{Msg: fmt.Sprintf(format, args...)}
	}
}

// Options adds dtype, layout and device of a new tensor.
func (c *Call) Options(o Options) {
	c.format(o.DType)
	c.Device(o.Device)
}

// OptionsLike adds dtype, layout and device of a tensor that is made like another.
func (c *Call) OptionsLike(o Options) {
	c.format(o.DType)
	c.OptDevice(o.Device)
}

// format adds dtype and layout of a new tensor.
func (c *Call) format(d DType) {
	if d == 0 {
		c.Default()
	} else {
		c.DType(d)
	}
	c.Default()
}

// OptionsOf adds dtype, layout and device of a tensor that is made of another's elements.
func (c *Call) OptionsOf(x *Tensor) {
	if x == nil || c.err != nil {
		c.OptionsLike(Options{})
		return
	}
	c.OptionsLike(Options{DType: x.DType(), Device: x.Device()})
}

// List begins a list of n values; the next n values are its elements.
func (c *Call) List(n int) { c.put(libtorch.List); c.put(uint64(n)) }

// Tuple begins a tuple of n values; the next n values are its elements.
func (c *Call) Tuple(n int) { c.put(libtorch.Tuple); c.put(uint64(n)) }

// Dict begins a dict of n entries; the next 2n values are its keys and values in turn.
func (c *Call) Dict(n int) { c.put(libtorch.Dict); c.put(uint64(n)) }

// tensors describes the arguments for an error text.
func (c *Call) tensors() string {
	var b strings.Builder
	for i, x := range append(c.keep[:c.kept:c.kept], c.more...) {
		if i == 8 {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(x.describe())
	}
	return b.String()
}

// run makes the call. The words of the results are in the first n words of rets if
// they fit, and m makes their tensors. The results are dropped if n is RetsHead.
func (c *Call) run(op *Op, rets []uint64, n int, m *maker) values {
	defer c.release()
	h := op.find()
	if c.err != nil {
		e := c.err
		e.Op, e.Overload, e.Args = op.name, op.overload, c.tensors()
		panic(e)
	}
	collectIfDue()
	b := m.room()
	hs := rets[libtorch.RetsHead:]
	queued := b.drain(hs)
	queued += b.refs.drainBacklog(hs[queued:][:2])
	err := h.Call(c.words(), rets, n, queued)
	if err != nil && kindOf(err) == ErrOutOfMemory && !strings.Contains(h.Schema(), "!)") {
		// Unreachable tensors are freed and the op retried, unless it may have begun to write.
		sweep()
		err = h.Call(c.words(), rets, n, 0)
	}
	if err != nil {
		m.done()
		panic(&Error{Op: op.name, Overload: op.overload, Args: c.tensors(), Msg: messageOf(err), kind: kindOf(err)})
	}
	return returned(rets, m)
}

// Do makes the call and drops its results: for ops in place, whose result is their argument.
func (c *Call) Do(op *Op) {
	var rets [libtorch.RetsHead + 8]uint64
	var m maker
	c.run(op, rets[:], libtorch.RetsHead, &m)
	m.done()
}

// One makes the call and returns its one tensor.
func (c *Call) One(op *Op) *Tensor {
	var rets [libtorch.RetsHead + 8]uint64
	var m maker
	r := c.run(op, rets[:], len(rets), &m)
	x := r.tensor()
	r.done()
	return x
}

// Two makes the call and returns its two tensors.
func (c *Call) Two(op *Op) (*Tensor, *Tensor) {
	var rets [libtorch.RetsHead + 8]uint64
	var m maker
	r := c.run(op, rets[:], len(rets), &m)
	defer r.done()
	return r.tensor(), r.tensor()
}

// Three makes the call and returns its three tensors.
func (c *Call) Three(op *Op) (_, _, _ *Tensor) {
	var rets [libtorch.RetsHead + 16]uint64
	var m maker
	r := c.run(op, rets[:], len(rets), &m)
	defer r.done()
	return r.tensor(), r.tensor(), r.tensor()
}

// Four makes the call and returns its four tensors.
func (c *Call) Four(op *Op) (_, _, _, _ *Tensor) {
	var rets [libtorch.RetsHead + 16]uint64
	var m maker
	r := c.run(op, rets[:], len(rets), &m)
	defer r.done()
	return r.tensor(), r.tensor(), r.tensor(), r.tensor()
}

// Several makes the call and returns its list of tensors.
func (c *Call) Several(op *Op) []*Tensor {
	vs := Result[[]Value](c, op)
	out := make([]*Tensor, len(vs))
	for i, v := range vs {
		out[i], _ = v.(*Tensor)
	}
	return out
}

// Result makes the call and returns its one value, of a type that [Value] lists.
func Result[T any](c *Call, op *Op) T { return c.All(op)[0].(T) }

// All makes the call and returns all its results, each as [Value] describes.
func (c *Call) All(op *Op) []Value {
	var rets [libtorch.RetsHead + 16]uint64
	var m maker
	r := c.run(op, rets[:], len(rets), &m)
	defer r.done()
	var vs []Value
	for r.more() {
		vs = append(vs, r.next())
	}
	return vs
}
