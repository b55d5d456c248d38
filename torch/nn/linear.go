package nn

import (
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Linear is an affine map: torch.nn.Linear.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
type Linear struct {
	Weight *torch.Tensor // [out, in]
	Bias   *torch.Tensor // [out], nil without bias
}

// LinearOptions are the options of [NewLinear].
type LinearOptions struct {
	NoBias bool // bias=False
}

// NewLinear makes a map from in to out features: nn.Linear(in, out).
func NewLinear(in, out int, options ...LinearOptions) *Linear {
	o := torch.Only(options)
	m := &Linear{Weight: parameter([]int{out, in}, uniformWeight)}
	if !o.NoBias {
		m.Bias = parameter([]int{out}, uniformBias(m.Weight))
	}
	return m
}

// Forward maps x [*, in] to [*, out].
func (m *Linear) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Linear).forward) }

func (m *Linear) forward(x *torch.Tensor) *torch.Tensor { return F.Linear(x, m.Weight, m.Bias) }

// Identity returns its input: torch.nn.Identity.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Identity.html
type Identity struct {
	_ byte // distinguishes two of them
}

// Forward returns x itself.
func (m *Identity) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Identity).forward) }

func (*Identity) forward(x *torch.Tensor) *torch.Tensor { return x }

// Flatten joins dimensions: torch.nn.Flatten.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html
type Flatten struct {
	StartDim *int // the first of them, default 1
	EndDim   *int // the last of them, default -1
}

// Forward maps x [N, *] to [N, the product of *], with the default dimensions.
func (m *Flatten) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Flatten).forward) }

func (m *Flatten) forward(x *torch.Tensor) *torch.Tensor {
	return x.Flatten(or(m.StartDim, 1), torch.FlattenOptions{EndDim: m.EndDim})
}

// or returns what p points to, or the default if it is nil.
func or[T any](p *T, standard T) T {
	if p == nil {
		return standard
	}
	return *p
}
