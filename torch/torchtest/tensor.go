package torchtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
)

// layouts are those of tensors that can be compared.
var layouts = []torch.Layout{torch.Strided, torch.Jagged, torch.Sparse, torch.SparseCSR, torch.SparseCSC, torch.SparseBSR, torch.SparseBSC}

// A tensorPair is two tensors.
type tensorPair struct {
	actual, expected *torch.Tensor
	rtol, atol       float64
	at               *item
}

func (p tensorPair) item() *item { return p.at }

func (p tensorPair) compare(o *CloseOptions) (err error) {
	torch.NoGrad(func() {
		torch.Scope(func() {
			if err = p.compareProperties(o); err != nil || p.actual.Device() == torch.Meta || p.expected.Device() == torch.Meta {
				return
			}
			p.equalize()
			err = p.compareValues(o.EqualNan)
		})
	})
	return err
}

// compareProperties compares everything but the elements.
func (p tensorPair) compareProperties(o *CloseOptions) error {
	a, e := p.actual, p.expected
	differ := func(name string, actual, expected any) error {
		return p.at.failed(fmt.Sprintf("The values for attribute '%s' do not match: %v != %v.", name, actual, expected))
	}
	quantized := a.IsQuantized()
	switch {
	case !a.SameShape(e):
		return differ("shape", "torch.Size("+repr(a.Shape())+")", "torch.Size("+repr(e.Shape())+")")
	case quantized != e.IsQuantized():
		return differ("is_quantized", repr(quantized), repr(!quantized))
	case quantized && a.QScheme() != e.QScheme():
		return differ("qscheme()", a.QScheme(), e.QScheme())
	case a.Layout() != e.Layout() && !o.NoCheckLayout:
		return differ("layout", a.Layout(), e.Layout())
	case a.Layout() == e.Layout() && a.Layout() == torch.Strided && o.CheckStride && !slices.Equal(a.Strides(), e.Strides()):
		return differ("stride()", tupleText(a.Strides()), tupleText(e.Strides()))
	case !o.NoCheckDevice && a.Device() != e.Device():
		return differ("device", a.Device(), e.Device())
	case !o.NoCheckDType && a.DType() != e.DType():
		return differ("dtype", repr(a.DType()), repr(e.DType()))
	}
	return nil
}

// equalize converts the tensors to one device, dtype and layout.
func (p *tensorPair) equalize() {
	each := func(f func(x *torch.Tensor) *torch.Tensor) { p.actual, p.expected = f(p.actual), f(p.expected) }
	if p.actual.Device() != p.expected.Device() || p.actual.Device().Type() == "mps" {
		each(func(x *torch.Tensor) *torch.Tensor { return x.To(torch.CPU) })
	}
	if a, e := p.actual.DType(), p.expected.DType(); a != e {
		d := promoted(signed(a), signed(e))
		each(func(x *torch.Tensor) *torch.Tensor { return x.ToDType(d) })
	}
	if p.actual.Layout() != p.expected.Layout() {
		each(func(x *torch.Tensor) *torch.Tensor {
			if x.Layout() == torch.Strided {
				return x
			}
			return x.ToDense()
		})
	}
}

// signed returns the dtype that stands for d in promotions, which are not defined for the wider unsigned integers.
func signed(d torch.DType) torch.DType {
	switch d {
	case torch.Uint16, torch.Uint32, torch.Uint64:
		return torch.Int64
	}
	return d
}

var (
	promoteTypes = torch.NewOp("aten::promote_types", "")
	dequantize   = torch.NewOp("aten::dequantize", "self")
	nnz          = torch.NewOp("aten::_nnz", "")
	cooIndices   = torch.NewOp("aten::_indices", "")
	cooValues    = torch.NewOp("aten::_values", "")
)

// promoted returns torch.promote_types(a, e).
func promoted(a, e torch.DType) torch.DType {
	var c torch.Call
	c.DType(a)
	c.DType(e)
	return torch.FromScalarType(torch.Result[int](&c, promoteTypes))
}

// part returns the result of an op of one tensor.
func part(x *torch.Tensor, op *torch.Op) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	return c.One(op)
}

// compressed are the names and the indices of the layouts of compressed sparse tensors.
var compressed = map[torch.Layout]struct {
	name, compressed, plain    string
	compressedIndices, indices func(*torch.Tensor) *torch.Tensor
}{
	torch.SparseCSR: {"CSR", "crow_indices", "col_indices", (*torch.Tensor).CrowIndices, (*torch.Tensor).ColIndices},
	torch.SparseBSR: {"BSR", "crow_indices", "col_indices", (*torch.Tensor).CrowIndices, (*torch.Tensor).ColIndices},
	torch.SparseCSC: {"CSC", "ccol_indices", "row_indices", (*torch.Tensor).CcolIndices, (*torch.Tensor).RowIndices},
	torch.SparseBSC: {"BSC", "ccol_indices", "row_indices", (*torch.Tensor).CcolIndices, (*torch.Tensor).RowIndices},
}

// compareValues compares the elements of tensors of one device, dtype and layout.
func (p tensorPair) compareValues(equalNan bool) error {
	a, e := p.actual, p.expected
	layout, isCompressed := compressed[a.Layout()]
	switch {
	case a.IsQuantized():
		return p.compareElements(part(a, dequantize), part(e, dequantize), p.rtol, p.atol, equalNan, "Quantized "+strings.ToLower(defaultName(a)))
	case a.Layout() == torch.Sparse:
		return p.compareCOO(equalNan)
	case isCompressed:
		if err := p.compareCounts(layout.name); err != nil {
			return err
		}
		d := promoted(layout.compressedIndices(a).DType(), layout.compressedIndices(e).DType())
		for _, i := range []struct {
			name string
			of   func(*torch.Tensor) *torch.Tensor
		}{{layout.compressed, layout.compressedIndices}, {layout.plain, layout.indices}} {
			if err := p.compareElements(i.of(a).ToDType(d), i.of(e).ToDType(d), 0, 0, false, "Sparse "+layout.name+" "+i.name); err != nil {
				return err
			}
		}
		return p.compareElements(a.Values(), e.Values(), p.rtol, p.atol, equalNan, "Sparse "+layout.name+" values")
	case a.Layout() == torch.Jagged:
		return p.compareElements(a.Values(), e.Values(), p.rtol, p.atol, equalNan, defaultName(a))
	case isFloat8(a) && (p.rtol != 0 || p.atol != 0):
		return errors.New("Rtol=" + pyrepr.Float(p.rtol) + " and atol=" + pyrepr.Float(p.atol) + " are not supported for bitwise comparison of low dimensional floats. Please use rtol=0.0 and atol=0.0.")
	}
	return p.compareElements(a, e, p.rtol, p.atol, equalNan, defaultName(a))
}

// isFloat8 reports whether only the equality of x's elements can be tested.
func isFloat8(x *torch.Tensor) bool { return x.DType().IsFloatingPoint() && x.DType().Size() == 1 }

// defaultName returns what messages call a tensor.
func defaultName(x *torch.Tensor) string {
	if x.Dim() == 0 {
		return "Scalars"
	}
	return "Tensor-likes"
}

// compareCounts compares the numbers of specified elements.
func (p tensorPair) compareCounts(format string) error {
	if a, e := countOf(p.actual), countOf(p.expected); a != e {
		return p.at.failed(fmt.Sprintf("The number of specified values in sparse %s tensors does not match: %d != %d", format, a, e))
	}
	return nil
}

func countOf(x *torch.Tensor) int {
	var c torch.Call
	c.Tensor(x)
	return torch.Result[int](&c, nnz)
}

// compareCOO compares the elements of sparse COO tensors.
func (p tensorPair) compareCOO(equalNan bool) error {
	a, e := p.actual, p.expected
	if a.SparseDim() != e.SparseDim() {
		return p.at.failed(fmt.Sprintf("The number of sparse dimensions in sparse COO tensors does not match: %d != %d", a.SparseDim(), e.SparseDim()))
	}
	if err := p.compareCounts("COO"); err != nil {
		return err
	}
	if err := p.compareElements(part(a, cooIndices), part(e, cooIndices), 0, 0, false, "Sparse COO indices"); err != nil {
		return err
	}
	return p.compareElements(part(a, cooValues), part(e, cooValues), p.rtol, p.atol, equalNan, "Sparse COO values")
}

// compareElements compares strided tensors, which the message calls name.
func (p tensorPair) compareElements(a, e *torch.Tensor, rtol, atol float64, equalNan bool, name string) error {
	matches := a.IsClose(e, rtol, atol, torch.IsCloseOptions{EqualNan: equalNan})
	if torch.Item[bool](matches.All()) {
		return nil
	}
	if a.Dim() == 0 {
		return p.at.failed(scalarMessage(name, element(a), element(e), rtol, atol))
	}
	return p.at.failed(tensorMessage(name, a, e, matches, rtol, atol))
}

// tensorMessage returns the message about tensors whose elements do not all match.
func tensorMessage(name string, a, e, matches *torch.Tensor, rtol, atol float64) string {
	n := matches.Numel()
	wrong := n - torch.Item[int](matches.Sum())
	extra := fmt.Sprintf("Mismatched elements: %d / %d (%.1f%%)", wrong, n, 100*(float64(wrong)/float64(n)))
	if isFloat8(a) {
		first := torch.Data[int](matches.LogicalNot().Nonzero().Select(0, 0))
		return name + " are not 'equal'!\n\n" + extra + "\nThe first mismatched element is at index " + tupleText(first) + "."
	}
	shape := matches.Shape()
	a, e, matches = a.Flatten(0), e.Flatten(0), matches.Flatten(0)
	if !a.DType().IsFloatingPoint() && !a.DType().IsComplex() {
		a, e = a.ToDType(torch.Int64), e.ToDType(torch.Int64)
	}
	diffs := a.Sub(e).Abs().MaskedFill(matches, 0)
	ratios := diffs.Div(e.Abs()).MaskedFill(matches, 0)
	return closeMessage(name, extra, greatest(diffs, shape), greatest(ratios, shape), rtol, atol)
}

// greatest returns the greatest element of a 1-d tensor, and its index in a tensor of the shape.
func greatest(x *torch.Tensor, shape []int) difference {
	value, index := x.MaxDim(0)
	i := torch.Item[int](index)
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d], i = i%shape[d], i/shape[d]
	}
	return difference{element(value), at}
}
