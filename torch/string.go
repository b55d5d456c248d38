package torch

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/torchhub/torchhub/internal/libtorch"
)

// PrintOptions are the options of [SetPrintOptions]. The zero value is PyTorch's defaults.
type PrintOptions struct {
	Precision *int  // digits after the decimal point, default 4
	Threshold *int  // tensors with more elements are summarized, default 1000
	EdgeItems int   // elements at the beginning and at the end of a summarized dimension, 0 means 3
	LineWidth *int  // in characters, default 80
	SciMode   *bool // scientific notation; nil decides by the elements
}

const maxPrecision = 1000

// printing is PrintOptions with the defaults filled in.
type printing struct {
	precision, threshold, edgeItems, lineWidth int
	sciMode                                    *bool
}

var printOptions atomic.Pointer[printing]

func init() { SetPrintOptions() }

// SetPrintOptions sets how tensors are written, for all goroutines:
// torch.set_printoptions. It panics with an [*Error] if a number is negative or
// Precision is above 1000.
//
// https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html
func SetPrintOptions(options ...PrintOptions) {
	o := Only(options)
	p := printing{4, 1000, cmp.Or(o.EdgeItems, 3), 80, o.SciMode}
	for _, f := range []struct {
		to   *int
		from *int
	}{{&p.precision, o.Precision}, {&p.threshold, o.Threshold}, {&p.lineWidth, o.LineWidth}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if n := min(p.precision, p.threshold, p.edgeItems, p.lineWidth); n < 0 {
		fail("SetPrintOptions", fmt.Sprintf("the number %d is negative", n))
	}
	if p.precision > maxPrecision {
		fail("SetPrintOptions", fmt.Sprintf("a precision of %d digits is above %d", p.precision, maxPrecision))
	}
	printOptions.Store(&p)
}

// String returns Python's repr(x). Many elements are summarized, and a device,
// dtype and gradient other than the default ones follow. Elements that libtorch
// cannot read are left out.
//
// https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html
func (x *Tensor) String() string { return x.text(printOptions.Load()) }

func (x *Tensor) text(o *printing) string {
	if x == nil || !x.acquire() {
		return "tensor(" + x.describe() + ")"
	}
	defer x.release()
	prefix := "tensor("
	info := x.info("String")
	layout, dtype, device := Layout(info[libtorch.InfoLayout]), x.DType(), x.Device()
	nested := info[libtorch.InfoFlags]&libtorch.FlagNested != 0
	var shape []int
	if !nested {
		shape = x.Shape()
	}
	size := "size=" + tuple(shape)
	name := "dtype=torch." + dtype.String()
	usual := dtype == Float32 || dtype == Complex64 || dtype == Int64 || dtype == Bool
	var suffixes []string
	add := func(ok bool, s string) {
		if ok {
			suffixes = append(suffixes, s)
		}
	}
	if device != CPU {
		add(true, "device='"+device.String()+"'")
	}
	var text string
	newline := false // before the first suffix
	switch {
	case x.IsQuantized():
		suffixes = append(append(suffixes, size, name), quantization(x)...)
		text = dequantized(x, o, len(prefix))
	case nested:
		prefix = "nested_tensor("
		text = parts(x)
	case layout == Sparse || layout >= SparseCSR && layout <= SparseBSC && layout != Mkldnn:
		newline = layout == Sparse
		add(true, size)
		add(device != Meta, fmt.Sprintf("nnz=%d", nnz(x)))
		add(!usual, name)
		var written []string
		for _, p := range sparseParts[layout] {
			head := p.name + "=tensor("
			written = append(written, head+p.of(x, o, len(prefix)+len(head))+")")
		}
		text = strings.Join(written, ",\n"+strings.Repeat(" ", len(prefix)))
		add(true, "layout="+layout.String())
	case device == Meta:
		text = "..."
		add(true, size)
		add(dtype != Float32, name)
	case x.Numel() == 0:
		text = "[]"
		add(len(shape) != 1, size)
		add(dtype != Float32, name)
	default:
		add(!usual, name)
		if Try(func() { text = contents(x, o, len(prefix)) }) != nil {
			text = "..."
			add(true, size)
		}
		add(layout != Strided, "layout="+layout.String())
	}
	if fn := libtorch.GradFn(x.h); fn != "" {
		add(true, "grad_fn=<"+fn+">")
	} else {
		add(x.RequiresGrad(), "requires_grad=True")
	}

	return joined(prefix, text, suffixes, newline, o.lineWidth)
}

// joined appends the suffixes to a tensor's text, on a new line where they would exceed the width.
func joined(prefix, text string, suffixes []string, newline bool, width int) string {
	text = prefix + text
	last := len(text) - strings.LastIndexByte(text, '\n') + 1
	for _, s := range suffixes {
		if newline || last+len(s)+2 > width {
			newline = false
			text += ",\n" + strings.Repeat(" ", len(prefix)) + s
			last = len(prefix) + len(s)
		} else {
			text += ", " + s
			last += len(s) + 2
		}
	}
	return text + ")"
}

// contents writes the elements of a tensor between brackets, or a scalar.
func contents(x *Tensor, o *printing, indent int) (text string) {
	if x.Numel() == 0 {
		return "[]"
	}
	NoGrad(func() {
		d := x.alias()
		info := d.info("String")
		if Layout(info[libtorch.InfoLayout]) != Strided {
			d = d.Then(func(d *Tensor) *Tensor { return d.ToDense() })
		} else if info[libtorch.InfoFlags]&libtorch.FlagZero != 0 {
			d = d.Then((*Tensor).Clone)
		}
		defer d.Free()
		text = newPrinter(d, o).nested(0, 0, indent)
	})
	return text
}

// parts writes the tensors of a nested tensor, each in one or more lines.
func parts(x *Tensor) (text string) {
	NoGrad(func() {
		var lines []string
		if err := Try(func() {
			for _, part := range x.Unbind(0) {
				lines = append(lines, "  "+strings.ReplaceAll(part.String(), "\n", "\n  "))
				part.Free()
			}
		}); err != nil {
			lines = []string{"  ..."}
		}
		text = "[\n" + strings.Join(lines, ",\n") + "\n]"
	})
	return text
}

// A sparsePart is a tensor of a sparse tensor's representation.
type sparsePart struct {
	name string
	op   *Op
}

func (p sparsePart) of(x *Tensor, o *printing, indent int) (text string) {
	NoGrad(func() {
		var c Call
		c.Tensor(x)
		part := c.One(p.op).Then((*Tensor).Detach) // else autograd reads the strides of x
		defer part.Free()
		text = "..."
		if x.Device() != Meta {
			text = contents(part, o, indent)
		}
		if x.Device() == Meta || part.Numel() == 0 {
			text += ", size=" + tuple(part.Shape())
		}
	})
	return text
}

var (
	crow, ccol = sparsePart{"crow_indices", NewOp("aten::crow_indices", "")}, sparsePart{"ccol_indices", NewOp("aten::ccol_indices", "")}
	col, row   = sparsePart{"col_indices", NewOp("aten::col_indices", "")}, sparsePart{"row_indices", NewOp("aten::row_indices", "")}
	stored     = sparsePart{"values", NewOp("aten::values", "")}
	coalesced  = []sparsePart{{"indices", NewOp("aten::_indices", "")}, {"values", NewOp("aten::_values", "")}} // or not

	sparseParts = map[Layout][]sparsePart{Sparse: coalesced, SparseCSR: {crow, col, stored}, SparseBSR: {crow, col, stored}, SparseCSC: {ccol, row, stored}, SparseBSC: {ccol, row, stored}}

	opNNZ = NewOp("aten::_nnz", "")
)

func nnz(x *Tensor) int {
	if x.Device() == Meta {
		return 0
	}
	var c Call
	c.Tensor(x)
	return Result[int](&c, opNNZ)
}

// tuple writes sizes as Python writes a tuple.
func tuple(v []int) string {
	var parts []string
	for _, n := range v {
		parts = append(parts, strconv.Itoa(n))
	}
	if len(parts) == 1 {
		return "(" + parts[0] + ",)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// A printer holds the elements to write.
type printer struct {
	o         *printing
	shape     []int  // of what is written
	cut       []bool // dimensions that are summarized
	summarize bool
	real      numbers
	imag      *numbers
}

// numbers are elements as text, padded to one width.
type numbers struct {
	text  []string
	width int
}

func newPrinter(x *Tensor, o *printing) *printer {
	p := &printer{o: o, shape: x.Shape(), cut: make([]bool, x.Dim()), summarize: x.Numel() > o.threshold}
	y := x.alias()
	if p.summarize {
		for d, n := range p.shape {
			if n <= 2*o.edgeItems {
				continue
			}
			p.cut[d], p.shape[d] = true, 2*o.edgeItems
			edges := make([]int, 0, 2*o.edgeItems)
			for i := range o.edgeItems {
				edges = append(edges, i)
			}
			for i := range o.edgeItems {
				edges = append(edges, n-o.edgeItems+i)
			}
			indices := make([]any, d+1)
			for i := range d {
				indices[i] = All
			}
			indices[d] = edges
			y = y.Then(func(y *Tensor) *Tensor { return y.Index(indices...) })
		}
	}
	defer y.Free()
	switch d := x.DType(); {
	case d.IsComplex():
		wide := y.ToDType(Complex128).Then((*Tensor).ResolveConj).Then((*Tensor).ViewAsReal)
		defer wide.Free()
		pairs := Data[float64](wide)
		re, im := make([]float64, len(pairs)/2), make([]float64, len(pairs)/2)
		for i := range re {
			re[i], im[i] = pairs[2*i], pairs[2*i+1]
		}
		p.real = floats(re, 0, o)
		imaginary := floats(im, 0, o)
		p.imag = &imaginary
	case d.IsFloatingPoint():
		wide := y.ToDType(Float64)
		defer wide.Free()
		zero := 0.0
		if d == Float8E8M0FNU {
			zero = 0x1p-127 // the format has no zero, and compares this number equal to zero
		}
		p.real = floats(Data[float64](wide), zero, o)
	case d == Bool:
		p.real = padded(texts(Data[bool](y), func(v bool) string {
			if v {
				return "True"
			}
			return "False"
		}), 1)
	case d == Uint64:
		p.real = padded(texts(Data[uint64](y), func(v uint64) string { return strconv.FormatUint(v, 10) }), 1)
	default:
		wide := y.ToDType(Int64)
		defer wide.Free()
		p.real = padded(texts(Data[int64](wide), func(v int64) string { return strconv.FormatInt(v, 10) }), 1)
	}
	return p
}

func texts[E any](vs []E, f func(E) string) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = f(v)
	}
	return out
}

// padded pads texts to the width of the longest of them, and at least to width.
func padded(ts []string, width int) numbers {
	for _, t := range ts {
		width = max(width, len(t))
	}
	for i, t := range ts {
		ts[i] = strings.Repeat(" ", width-len(t)) + t
	}
	return numbers{ts, width}
}

// floats chooses a form for all elements from the finite ones other than zero.
func floats(vs []float64, zero float64, o *printing) numbers {
	least, most := math.Inf(1), 0.0
	whole := true
	var finite []float64
	for _, v := range vs {
		if v == 0 || v == zero || math.IsInf(v, 0) || math.IsNaN(v) {
			continue
		}
		finite = append(finite, v)
		least, most = min(least, math.Abs(v)), max(most, math.Abs(v))
		whole = whole && v == math.Ceil(v)
	}
	scientific := false
	if len(finite) > 0 {
		scientific = most/least > 1000 || most > 1e8 || least < 1e-4
		if o.sciMode != nil {
			scientific = *o.sciMode
		}
	}
	write := func(v float64) string {
		switch {
		case math.IsNaN(v):
			return "nan"
		case math.IsInf(v, 1):
			return "inf"
		case math.IsInf(v, -1):
			return "-inf"
		case scientific:
			return strconv.FormatFloat(v, 'e', o.precision, 64)
		case whole:
			return strconv.FormatFloat(v, 'f', 0, 64) + "."
		}
		return strconv.FormatFloat(v, 'f', o.precision, 64)
	}
	// The width is that of the finite elements; others may be wider.
	width := 1
	for _, v := range finite {
		width = max(width, len(write(v)))
	}
	out := texts(vs, func(v float64) string {
		t := write(v)
		return strings.Repeat(" ", max(0, width-len(t))) + t
	})
	return numbers{out, width}
}

// element writes the element at an index in the order of all elements.
func (p *printer) element(i int) string {
	if p.imag == nil {
		return p.real.text[i]
	}
	im := strings.TrimLeft(p.imag.text[i]+"j", " ")
	if im[0] != '+' && im[0] != '-' {
		im = "+" + im
	}
	return p.real.text[i] + im
}

// nested writes the elements from index at on, of dimension dim and below.
func (p *printer) nested(dim, at, indent int) string {
	rest := len(p.shape) - dim
	switch rest {
	case 0:
		return p.element(at)
	case 1:
		return p.row(at, indent)
	}
	below := 1
	for _, n := range p.shape[dim+1:] {
		below *= n
	}
	var parts []string
	for i := range p.shape[dim] {
		if p.cut[dim] && i == p.o.edgeItems {
			parts = append(parts, "...")
		}
		parts = append(parts, p.nested(dim+1, at+i*below, indent+1))
	}
	return "[" + strings.Join(parts, ","+strings.Repeat("\n", rest-1)+strings.Repeat(" ", indent+1)) + "]"
}

// row writes the last dimension, in lines.
func (p *printer) row(at, indent int) string {
	dim := len(p.shape) - 1
	var parts []string
	for i := range p.shape[dim] {
		if p.cut[dim] && i == p.o.edgeItems {
			parts = append(parts, " ...")
		}
		parts = append(parts, p.element(at+i))
	}
	width := p.real.width + 2
	if p.imag != nil {
		width += p.imag.width + 1
	}
	n := max(1, (p.o.lineWidth-indent)/width)
	var lines []string
	for len(parts) > 0 {
		k := min(n, len(parts))
		lines = append(lines, strings.Join(parts[:k], ", "))
		parts = parts[k:]
	}
	return "[" + strings.Join(lines, ",\n"+strings.Repeat(" ", indent+1)) + "]"
}

// String returns PyTorch's name: "torch.strided".
func (l Layout) String() string {
	names := map[Layout]string{Strided: "strided", Sparse: "sparse_coo", SparseCSR: "sparse_csr", Mkldnn: "_mkldnn", SparseCSC: "sparse_csc", SparseBSR: "sparse_bsr", SparseBSC: "sparse_bsc", Jagged: "jagged"}
	if n, ok := names[l]; ok {
		return "torch." + n
	}
	return fmt.Sprintf("torch.layout(%d)", int8(l))
}
