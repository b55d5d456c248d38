package distributions

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten/unchecked"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// A Distribution is a batch of probability distributions: torch.distributions.Distribution.
// Methods that PyTorch does not have for a distribution panic with a [*torch.Error] that is a
// [torch.ErrNotImplemented]. Several goroutines can use a distribution at once.
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.distribution.Distribution
type Distribution interface {
	BatchShape() []int // the shape of the batch: batch_shape
	EventShape() []int // the shape of one sample: event_shape

	// Support is the set of the values that samples have.
	Support() constraints.Constraint

	// Expand returns the distribution with another batch shape, to which the parameters
	// are expanded: expand(batch_shape).
	Expand(batchShape ...int) Distribution

	// Sample draws samples, of the shape sampleShape + BatchShape + EventShape. No
	// gradients flow through them: sample(sample_shape).
	Sample(sampleShape ...int) *torch.Tensor

	// RSample draws samples through which gradients flow to the parameters:
	// rsample(sample_shape). HasRSample reports whether there are such samples.
	RSample(sampleShape ...int) *torch.Tensor
	HasRSample() bool

	// LogProb returns the logarithm of the density or probability at value, for each
	// sample and distribution of the batch: log_prob(value). It panics with an
	// [*torch.Error] if the value is not in the support.
	LogProb(value *torch.Tensor) *torch.Tensor

	CDF(value *torch.Tensor) *torch.Tensor  // the probability of at most value: cdf(value)
	ICDF(value *torch.Tensor) *torch.Tensor // the inverse of CDF: icdf(value)

	Entropy() *torch.Tensor    // in nats, of the shape BatchShape
	Perplexity() *torch.Tensor // exp(Entropy())
	Mean() *torch.Tensor       // of the shape BatchShape + EventShape, as are the following
	Mode() *torch.Tensor
	Variance() *torch.Tensor
	StdDev() *torch.Tensor

	String() string // Python's repr
}

// Options are the options of the functions that make a distribution and have no others.
type Options struct {
	// ValidateArgs is whether parameters and values are checked, which takes time. The
	// default is true, or what [SetDefaultValidateArgs] sets.
	ValidateArgs *bool
}

var validateNone atomic.Bool

// SetDefaultValidateArgs sets whether distributions made from now on check their parameters
// and values: Distribution.set_default_validate_args(on).
//
// https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.distribution.Distribution.set_default_validate_args
func SetDefaultValidateArgs(on bool) { validateNone.Store(!on) }

// A core is what all distributions have.
type core struct {
	self                   Distribution // of which this is a part
	name                   string       // of Python's class
	batchShape, eventShape []int
	parameters             []parameter // in the order of Python's arg_constraints
	validate               bool
}

// A parameter of a distribution.
type parameter struct {
	name       string
	constraint constraints.Constraint
	value      *torch.Tensor
	lazy       *lazy // instead of the value, of one that may not be computed yet
	isProperty bool  // computed by Python, and so not a part of its repr
}

func given(name string, c constraints.Constraint, x *torch.Tensor) parameter {
	return parameter{name: name, constraint: c, value: x}
}

func property(name string, c constraints.Constraint, x *torch.Tensor) parameter {
	return parameter{name: name, constraint: c, value: x, isProperty: true}
}

// get returns the value, or nil if it is not computed yet.
func (p parameter) get() *torch.Tensor {
	if p.lazy != nil {
		return p.lazy.value()
	}
	return p.value
}

// set sets what a distribution has.
func (d *core) set(self Distribution, name string, batchShape, eventShape []int, parameters ...parameter) {
	d.self, d.name, d.batchShape, d.eventShape, d.parameters = self, name, batchShape, eventShape, parameters
}

// check checks the parameters, unless options say that nothing is checked.
func (d *core) check(validateArgs *bool) {
	d.validate = !validateNone.Load()
	if validateArgs != nil {
		d.validate = *validateArgs
	}
	if !d.validate {
		return
	}
	for _, p := range d.parameters {
		x := p.get()
		if x == nil {
			continue
		}
		if why := violation(p.constraint, x); why != "" {
			fail(d.name, "%s, of shape %v, %s", p.name, x.Shape(), why)
		}
	}
}

// violation describes how values are not as they must be.
func violation(c constraints.Constraint, x *torch.Tensor) string {
	ok := c.Check(x)
	if torch.Item[bool](unchecked.IsAllTrue(ok)) {
		return ""
	}
	why := "must satisfy " + c.String()
	if c.EventDim() > 0 || !ok.SameShape(x) || x.DType().IsComplex() {
		return why
	}
	bad := x.Detach().MaskedSelect(ok.LogicalNot()).Select(0, 0)
	return why + ", which " + describe(bad) + " does not"
}

// checkValue checks an argument of a method.
func (d *core) checkValue(op string, value *torch.Tensor) {
	if !d.validate {
		return
	}
	shape, event := value.Shape(), d.eventShape
	if n := len(shape) - len(event); n < 0 || !slices.Equal(shape[n:], event) {
		fail(d.name+"."+op, "value has the shape %v; its last sizes must be %v", shape, event)
	}
	want := d.extended()
	for i := range min(len(shape), len(want)) {
		a, b := shape[len(shape)-1-i], want[len(want)-1-i]
		if a != b && a != 1 && b != 1 {
			fail(d.name+"."+op, "value has the shape %v, which cannot be broadcast with %v", shape, want)
		}
	}
	if why := violation(d.self.Support(), value); why != "" {
		fail(d.name+"."+op, "value, of shape %v, %s", shape, why)
	}
}

// extended returns the shape of samples.
func (d *core) extended(sampleShape ...int) []int {
	return slices.Concat(sampleShape, d.batchShape, d.eventShape)
}

// BatchShape implements [Distribution].
func (d *core) BatchShape() []int { return slices.Clone(d.batchShape) }

// EventShape implements [Distribution].
func (d *core) EventShape() []int { return slices.Clone(d.eventShape) }

// HasRSample implements [Distribution].
func (d *core) HasRSample() bool { return false }

// Sample implements [Distribution].
func (d *core) Sample(sampleShape ...int) *torch.Tensor {
	return noGrad(func() *torch.Tensor { return d.self.RSample(sampleShape...) })
}

// RSample implements [Distribution].
func (d *core) RSample(...int) *torch.Tensor { return d.none("RSample") }

// CDF implements [Distribution].
func (d *core) CDF(*torch.Tensor) *torch.Tensor { return d.none("CDF") }

// ICDF implements [Distribution].
func (d *core) ICDF(*torch.Tensor) *torch.Tensor { return d.none("ICDF") }

// Entropy implements [Distribution].
func (d *core) Entropy() *torch.Tensor { return d.none("Entropy") }

// Perplexity implements [Distribution].
func (d *core) Perplexity() *torch.Tensor { return d.self.Entropy().Exp() }

// Mean implements [Distribution].
func (d *core) Mean() *torch.Tensor { return d.none("Mean") }

// Mode implements [Distribution].
func (d *core) Mode() *torch.Tensor { return d.none("Mode") }

// Variance implements [Distribution].
func (d *core) Variance() *torch.Tensor { return d.none("Variance") }

// StdDev implements [Distribution].
func (d *core) StdDev() *torch.Tensor { return d.self.Variance().Sqrt() }

func (d *core) none(method string) *torch.Tensor {
	notImplemented(d.name, "PyTorch has no %s for this distribution", method)
	return nil
}

// String returns Python's repr.
func (d *core) String() string {
	var parts []string
	for _, p := range d.parameters {
		if x := p.get(); x != nil && !p.isProperty {
			parts = append(parts, p.name+": "+describe(x))
		}
	}
	return d.name + "(" + strings.Join(parts, ", ") + ")"
}

// describe returns the element of a tensor that has one, and else the shape.
func describe(x *torch.Tensor) string {
	switch {
	case x.Numel() != 1:
		sizes := make([]string, x.Dim())
		for i, n := range x.Shape() {
			sizes[i] = strconv.Itoa(n)
		}
		return "torch.Size([" + strings.Join(sizes, ", ") + "])"
	case x.Dim() > 0:
		return x.String()
	case x.DType().IsFloatingPoint():
		return pyrepr.Float(x.Item())
	}
	return strconv.Itoa(torch.Item[int](x))
}

// noGrad calls f without recording.
func noGrad(f func() *torch.Tensor) (x *torch.Tensor) {
	torch.NoGrad(func() { x = f() })
	return x
}
