package distributions

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
)

// TransformedDistribution is the distribution of transformed samples of another one:
// torch.distributions.TransformedDistribution. NewTransformedDistribution makes one.
//
// https://docs.pytorch.org/docs/stable/distributions.html#transformeddistribution
type TransformedDistribution struct {
	core
	Base       Distribution // base_dist
	Transforms []Transform
}

// NewTransformedDistribution returns the distribution of samples of base to which transforms
// are applied one after the other: TransformedDistribution(base, transforms).
//
//	logistic := distributions.NewTransformedDistribution(distributions.NewUniform(0, 1),
//		[]distributions.Transform{distributions.SigmoidTransform{}.Inv(), distributions.AffineTransform{Loc: x, Scale: y}})
//
// https://docs.pytorch.org/docs/stable/distributions.html#transformeddistribution
func NewTransformedDistribution(base Distribution, transforms []Transform, options ...Options) *TransformedDistribution {
	d := new(TransformedDistribution)
	d.transform(d, "TransformedDistribution", base, transforms)
	d.check(torch.Only(options).ValidateArgs)
	return d
}

// transform sets what the distribution has, and is the part of self, of Python's class name.
func (d *TransformedDistribution) transform(self Distribution, name string, base Distribution, transforms []Transform, parameters ...parameter) {
	shape := slices.Concat(base.BatchShape(), base.EventShape())
	eventDim := len(base.EventShape())
	all := ComposeTransform(transforms)
	in, out := all.Domain().EventDim(), all.Codomain().EventDim()
	if len(shape) < in {
		fail(name, "samples of the base have the shape %v; they must have %d dimensions or more", shape, in)
	}
	forward := all.ForwardShape(shape)
	if expanded := all.InverseShape(forward); !slices.Equal(shape, expanded) {
		base = base.Expand(expanded[:len(expanded)-eventDim]...)
	}
	if n := in - eventDim; n > 0 {
		base = NewIndependent(base, n)
	}
	cut := len(forward) - max(out, eventDim+out-in)
	d.Base, d.Transforms = base, transforms
	d.set(self, name, forward[:cut:cut], forward[cut:], parameters...)
}

// expandBase returns the base for another batch shape.
func (d *TransformedDistribution) expandBase(batchShape []int) Distribution {
	shape := ComposeTransform(d.Transforms).InverseShape(slices.Concat(batchShape, d.eventShape))
	return d.Base.Expand(shape[:len(shape)-len(d.Base.EventShape())]...)
}

// expandTo makes n, a part of self, d with another batch shape.
func (d *TransformedDistribution) expandTo(n *TransformedDistribution, self Distribution, batchShape []int, parameters ...parameter) {
	n.Base, n.Transforms = d.expandBase(batchShape), d.Transforms
	n.set(self, d.name, slices.Clone(batchShape), d.eventShape, parameters...)
	n.validate = d.validate
}

// Expand implements [Distribution].
func (d *TransformedDistribution) Expand(batchShape ...int) Distribution {
	n := new(TransformedDistribution)
	d.expandTo(n, n, batchShape)
	return n
}

// Support implements [Distribution].
func (d *TransformedDistribution) Support() constraints.Constraint {
	if len(d.Transforms) == 0 {
		return d.Base.Support()
	}
	return atLeast(d.Transforms[len(d.Transforms)-1].Codomain(), len(d.eventShape))
}

// HasRSample implements [Distribution].
func (d *TransformedDistribution) HasRSample() bool { return d.Base.HasRSample() }

// Sample implements [Distribution].
func (d *TransformedDistribution) Sample(sampleShape ...int) *torch.Tensor {
	return noGrad(func() *torch.Tensor {
		return ComposeTransform(d.Transforms).Forward(d.Base.Sample(sampleShape...))
	})
}

// RSample implements [Distribution].
func (d *TransformedDistribution) RSample(sampleShape ...int) *torch.Tensor {
	return ComposeTransform(d.Transforms).Forward(d.Base.RSample(sampleShape...))
}

// LogProb implements [Distribution].
func (d *TransformedDistribution) LogProb(value *torch.Tensor) *torch.Tensor {
	d.checkValue("LogProb", value)
	eventDim := len(d.eventShape)
	var result *torch.Tensor
	for _, t := range slices.Backward(d.Transforms) {
		x := t.Inverse(value)
		eventDim += t.Domain().EventDim() - t.Codomain().EventDim()
		term := sumRightmost(t.LogAbsDetJacobian(x, value), eventDim-t.Domain().EventDim())
		if result == nil {
			result = term.RSubScalar(0.0)
		} else {
			result = result.Sub(term)
		}
		value = x
	}
	p := sumRightmost(d.Base.LogProb(value), eventDim-len(d.Base.EventShape()))
	if result == nil {
		return p
	}
	return result.Add(p)
}

// monotone turns probabilities around if the transforms are decreasing.
func (d *TransformedDistribution) monotone(p *torch.Tensor) *torch.Tensor {
	sign := signOf(d.Transforms)
	if sign == 1 {
		return p
	}
	return mul(p.SubScalar(0.5), sign).AddScalar(0.5)
}

// CDF implements [Distribution].
func (d *TransformedDistribution) CDF(value *torch.Tensor) *torch.Tensor {
	value = ComposeTransform(d.Transforms).Inverse(value)
	if base, ok := d.Base.(interface {
		checkValue(op string, value *torch.Tensor)
	}); ok && d.validate {
		base.checkValue("CDF", value)
	}
	return d.monotone(d.Base.CDF(value))
}

// ICDF implements [Distribution].
func (d *TransformedDistribution) ICDF(value *torch.Tensor) *torch.Tensor {
	return ComposeTransform(d.Transforms).Forward(d.Base.ICDF(d.monotone(value)))
}
