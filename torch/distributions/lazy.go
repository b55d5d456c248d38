package distributions

import (
	"sync"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions/constraints"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// A lazy tensor is computed when it is first needed.
type lazy struct {
	mu sync.Mutex
	x  *torch.Tensor
}

func (l *lazy) value() *torch.Tensor {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.x
}

// get returns the tensor, which f computes. It lives as long as the distribution, beyond the
// scope of the caller, and autograd records it also if the caller needs no gradient.
func (l *lazy) get(f func() *torch.Tensor) *torch.Tensor {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.x == nil {
		torch.EnableGrad(func() { l.x = f() })
		engine.Unscope(l.x)
	}
	return l.x
}

// odds are the parameters probs and logits, of which one is given and the other computed.
type odds struct {
	probs, logits lazy
	param         *torch.Tensor // the one that is given
	isBinary      bool          // of two events, of which the parameter describes one
	isClamped     bool          // whether the probabilities are kept from 0 and 1
}

// setProbs gives the probabilities.
func (o *odds) setProbs(x *torch.Tensor) { o.probs.x, o.param = x, x }

// setLogits gives the logits.
func (o *odds) setLogits(x *torch.Tensor) { o.logits.x, o.param = x, x }

// expandFrom gives those of other parameters, expanded.
func (o *odds) expandFrom(from *odds, shape ...int) {
	o.isBinary, o.isClamped = from.isBinary, from.isClamped
	if x := from.probs.value(); x != nil {
		o.setProbs(x.Expand(shape...))
	}
	if x := from.logits.value(); x != nil {
		o.setLogits(x.Expand(shape...))
	}
}

// Probs returns the probabilities, computed from the logits if those are given: probs.
func (o *odds) Probs() *torch.Tensor {
	return o.probs.get(func() *torch.Tensor {
		switch logits := o.logits.value(); {
		case o.isClamped:
			return clampProbs(logits.Sigmoid())
		case o.isBinary:
			return logits.Sigmoid()
		default:
			return logits.Softmax(-1)
		}
	})
}

// Logits returns the logarithms of the odds or, of a categorical distribution, of the
// probabilities, computed from the probabilities if those are given: logits.
func (o *odds) Logits() *torch.Tensor {
	return o.logits.get(func() *torch.Tensor {
		p := clampProbs(o.probs.value())
		if o.isBinary {
			return p.Log().Sub(p.Neg().Log1p())
		}
		return p.Log()
	})
}

// binaryParameters are those of a distribution of binary odds.
func (o *odds) binaryParameters() []parameter {
	return []parameter{
		{name: "probs", constraint: constraints.UnitInterval, lazy: &o.probs},
		{name: "logits", constraint: constraints.Real, lazy: &o.logits},
	}
}

// categoricalParameters are those of a categorical distribution.
func (o *odds) categoricalParameters() []parameter {
	return []parameter{
		{name: "probs", constraint: constraints.Simplex, lazy: &o.probs},
		{name: "logits", constraint: constraints.RealVector, lazy: &o.logits},
	}
}

// setBinary gives the one of two parameters that is not nil, broadcast with others, which
// it returns.
func (o *odds) setBinary(op string, probs, logits TensorOrNumber, others ...named) []*torch.Tensor {
	o.isBinary = true
	if isNil(probs) == isNil(logits) {
		fail(op, "give either probs or Logits, and not both")
	}
	last := named{"probs", probs}
	if isNil(probs) {
		last = named{"Logits", logits}
	}
	x := broadcast(op, append(others, last)...)
	n := len(x) - 1
	if isNil(probs) {
		o.setLogits(x[n])
	} else {
		o.setProbs(x[n])
	}
	return x[:n]
}

// clampProbs keeps probabilities from 0 and 1.
func clampProbs(p *torch.Tensor) *torch.Tensor {
	e := eps(p)
	return p.Clamp(e, 1-e)
}
