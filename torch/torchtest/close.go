package torchtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/torchhub/torchhub/torch"
)

// CloseOptions are the options of [AssertClose] and [CheckClose].
type CloseOptions struct {
	Rtol          *float64 // relative tolerance; default depends on the dtype. Set both tolerances or neither
	Atol          *float64 // absolute tolerance, likewise
	EqualNan      bool     // two NaNs are close
	NoCheckDevice bool     // tensors may be on different devices: check_device=False
	NoCheckDType  bool     // tensors and numbers may have different types: check_dtype=False
	NoCheckLayout bool     // tensors may have different layouts: check_layout=False
	CheckStride   bool     // strided tensors must have the same strides
	Msg           any      // the message: a string, or a func(string) string that returns it, given PyTorch's; nil is PyTorch's
}

// AssertClose marks the test as failed and returns false if actual and expected
// are not close: torch.testing.assert_close(actual, expected). The test continues, as
// after testify's assert. To stop it, use [CheckClose] with require.NoError.
//
//	torchtest.AssertClose(t, model.Forward(x), want)
//	torchtest.AssertClose(t, y, want, torchtest.CloseOptions{Rtol: new(1e-4), Atol: new(1e-5)})
//
// The two values must be of the same kind:
//
//   - A *torch.Tensor of any dtype and layout. Tensors are close if they have the
//     same shape, device, dtype and layout, and if for all elements
//     |actual - expected| <= atol + rtol * |expected|. Infinities must be equal. Sparse
//     tensors must have the same indices, quantized tensors are dequantized, and of
//     tensors on the device "meta" only the properties are compared.
//   - A Go number of the same type; int and int64 are the same.
//   - A bool or nil, which must be equal.
//   - A slice or array, including [torch.Tuple], of the same length. The elements are compared.
//   - A map, *[torch.Dict] or [torch.StateDict] with the same keys. The values are compared.
//   - A struct, or a pointer to one, of the same type. The exported fields are compared.
//
// The default tolerances are those of the less precise of the two dtypes:
//
//	dtype                                   rtol    atol
//	float16, complex32                      1e-3    1e-5
//	bfloat16                                1.6e-2  1e-5
//	float32, complex64, quantized dtypes    1.3e-6  1e-5
//	float64, complex128                     1e-7    1e-7
//	all others                              0       0
//
// A Go number has the dtype of its type, so a float32 is compared like a tensor of float32.
//
// The message is PyTorch's, with the names of Go's types. It describes the first
// item that is not close, which it names by indices, keys and fields; as in PyTorch,
// it does not name a bool.
//
// https://docs.pytorch.org/docs/stable/testing.html#torch.testing.assert_close
func AssertClose(t testing.TB, actual, expected any, options ...CloseOptions) bool {
	t.Helper()
	if err := CheckClose(actual, expected, options...); err != nil {
		t.Error(err)
		return false
	}
	return true
}

// CheckClose returns nil if actual and expected are close, as described at
// [AssertClose], and otherwise an error whose text is PyTorch's message:
// torch.testing.assert_close(actual, expected).
//
//	require.NoError(t, torchtest.CheckClose(model.Forward(x), want))
//
// https://docs.pytorch.org/docs/stable/testing.html#torch.testing.assert_close
func CheckClose(actual, expected any, options ...CloseOptions) error {
	c := comparison{o: torch.Only(options)}
	switch c.o.Msg.(type) {
	case nil, string, func(string) string:
	default:
		return fmt.Errorf("torchtest: Msg is a %T; it must be a string or a func(string) string", c.o.Msg)
	}
	err := torch.Try(func() {
		if c.err = c.walk(actual, expected, nil); c.err == nil {
			c.err = c.compare()
		}
	})
	if err != nil { // an op does not support the dtype, or a tensor was freed
		where := ""
		if c.at != nil {
			where = " item " + c.at.String()
		}
		return fmt.Errorf("torchtest: compare%s: %w", where, err)
	}
	return c.err
}

// A comparison is one call of CheckClose.
type comparison struct {
	o     CloseOptions
	pairs []pair
	at    *item // the pair at work
	err   error
}

// A pair is two values that can be compared without looking for items in them.
type pair interface {
	// compare returns an error if the values are not close.
	compare(o *CloseOptions) error
	item() *item
}

// An item is the place of a pair in nested values; nil is the whole.
type item struct {
	outer *item
	key   any
	depth int
}

func (i *item) inner(key any) *item {
	depth := 1
	if i != nil {
		depth = i.depth + 1
	}
	return &item{i, key, depth}
}

// String returns Python's subscripts: "['weight'][0]".
func (i *item) String() string {
	if i == nil {
		return ""
	}
	return i.outer.String() + "[" + repr(i.key) + "]"
}

// failed returns the error of a message about an item.
func (i *item) failed(msg string) error {
	if i != nil {
		msg += "\n\nThe failure occurred for item " + i.String()
	}
	return errors.New(msg)
}

// compare compares all pairs, since an op that fails for one of them comes before
// all else, as in Python, and returns the error of the first that is not close.
func (c *comparison) compare() error {
	var first error
	for _, p := range c.pairs {
		c.at = p.item()
		if err := p.compare(&c.o); first == nil {
			first = err
		}
	}
	if first == nil {
		return nil
	}
	switch msg := c.o.Msg.(type) {
	case string:
		return errors.New(msg)
	case func(string) string:
		return errors.New(msg(first.Error()))
	}
	return first
}

const maxDepth = 1000 // of nested values, as Python's recursion limit

// walk lists the pairs in two values. As in Python, errors in the structure come
// before those of values, and Msg does not replace them.
func (c *comparison) walk(actual, expected any, at *item) error {
	c.at = at
	if at != nil && at.depth > maxDepth {
		return errors.New("torchtest: compare: the values are nested deeper than 1000 levels, or contain themselves")
	}
	a, e := viewOf(actual), viewOf(expected)
	switch {
	case a.kind == sequence && e.kind == sequence:
		if a.len() != e.len() {
			return at.failed(fmt.Sprintf("The length of the sequences mismatch: %d != %d", a.len(), e.len()))
		}
		for i := range a.len() {
			if err := c.walk(a.index(i), e.index(i), at.inner(i)); err != nil {
				return err
			}
		}
		return nil
	case a.kind == mapping && e.kind == mapping:
		return c.walkMappings(a.entries(), e.entries(), at)
	case a.kind == record && e.kind == record && a.v.Type() == e.v.Type():
		for _, f := range fields(a.v.Type()) {
			if err := c.walk(a.v.FieldByIndex(f.Index).Interface(), e.v.FieldByIndex(f.Index).Interface(), at.inner(f.Name)); err != nil {
				return err
			}
		}
		return nil
	}
	p, err := c.pairOf(a, e, at)
	c.pairs = append(c.pairs, p)
	return err
}

// walkMappings is walk of two mappings.
func (c *comparison) walkMappings(actual, expected []entry, at *item) error {
	slices.SortStableFunc(actual, compareKeys)
	slices.SortStableFunc(expected, compareKeys)
	of := map[string]any{} // values of expected
	for _, e := range expected {
		of[e.text] = e.value
	}
	var missing, additional []string
	known := map[string]bool{}
	for _, a := range actual {
		known[a.text] = true
		if _, ok := of[a.text]; !ok {
			additional = append(additional, a.text)
		}
	}
	for _, e := range expected {
		if !known[e.text] {
			missing = append(missing, e.text)
		}
	}
	if missing != nil || additional != nil {
		return at.failed(fmt.Sprintf("The keys of the mappings do not match:\nMissing keys in the actual mapping: [%s]\nAdditional keys in the actual mapping: [%s]",
			strings.Join(missing, ", "), strings.Join(additional, ", ")))
	}
	for _, a := range actual {
		if err := c.walk(a.value, of[a.text], at.inner(a.key)); err != nil {
			return err
		}
	}
	return nil
}

// pairOf returns the pair of two values without items.
func (c *comparison) pairOf(a, e view, at *item) (pair, error) {
	switch {
	case a.kind == none || e.kind == none:
		return nonePair{a.given, e.given, at}, nil
	case a.kind == boolean && e.kind == boolean:
		return boolPair{a.v.Bool(), e.v.Bool()}, nil
	case a.kind == numeric && e.kind == numeric:
		p := numberPair{actual: numberOf(a.v), expected: numberOf(e.v), at: at}
		var err error
		p.rtol, p.atol, err = c.tolerances(p.actual.dtype, p.expected.dtype, at)
		return p, err
	case a.kind == tensor && e.kind == tensor:
		p := tensorPair{actual: a.given.(*torch.Tensor), expected: e.given.(*torch.Tensor), at: at}
		for _, x := range []*torch.Tensor{p.actual, p.expected} {
			if !slices.Contains(layouts, x.Layout()) {
				return nil, at.failed(fmt.Sprintf("Unsupported tensor layout %v", x.Layout()))
			}
		}
		var err error
		p.rtol, p.atol, err = c.tolerances(p.actual.DType(), p.expected.DType(), at)
		return p, err
	}
	return nil, at.failed(fmt.Sprintf("No comparison pair was able to handle inputs of type %s and %s.", typeName(a.given), typeName(e.given)))
}

// precisions are the default relative and absolute tolerances; they are 0 for all other dtypes.
var precisions = map[torch.DType][2]float64{
	torch.Float16: {1e-3, 1e-5}, torch.BFloat16: {1.6e-2, 1e-5}, torch.Float32: {1.3e-6, 1e-5}, torch.Float64: {1e-7, 1e-7},
	torch.Complex32: {1e-3, 1e-5}, torch.Complex64: {1.3e-6, 1e-5}, torch.Complex128: {1e-7, 1e-7},
	torch.QUint8: {1.3e-6, 1e-5}, torch.QUint2x4: {1.3e-6, 1e-5}, torch.QUint4x2: {1.3e-6, 1e-5}, torch.QInt8: {1.3e-6, 1e-5}, torch.QInt32: {1.3e-6, 1e-5},
}

// tolerances returns the tolerances for a pair of the dtypes.
func (c *comparison) tolerances(a, e torch.DType, at *item) (rtol, atol float64, err error) {
	o := &c.o
	switch {
	case (o.Rtol == nil) != (o.Atol == nil):
		absent := "rtol"
		if o.Atol == nil {
			absent = "atol"
		}
		return 0, 0, at.failed(fmt.Sprintf("Both 'rtol' and 'atol' must be either specified or omitted, but got no %s.", absent))
	case o.Rtol != nil:
		return *o.Rtol, *o.Atol, nil
	}
	p, q := precisions[a], precisions[e]
	return max(p[0], q[0]), max(p[1], q[1]), nil
}

// A nonePair has at least one nil.
type nonePair struct {
	actual, expected any
	at               *item
}

func (p nonePair) item() *item { return p.at }

func (p nonePair) compare(*CloseOptions) error {
	if isNone(p.actual) && isNone(p.expected) {
		return nil
	}
	return p.at.failed(fmt.Sprintf("None mismatch: %s is not %s", str(p.actual), str(p.expected)))
}

// A boolPair has no item, as in Python, whose message does not name it.
type boolPair struct{ actual, expected bool }

func (p boolPair) item() *item { return nil }

func (p boolPair) compare(*CloseOptions) error {
	if p.actual == p.expected {
		return nil
	}
	return errors.New("Booleans mismatch: " + repr(p.actual) + " is not " + repr(p.expected))
}
