package nn

import (
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// ReLU is max(x, 0): torch.nn.ReLU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
type ReLU struct {
	InPlace bool // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *ReLU) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*ReLU).forward) }

func (m *ReLU) forward(x *torch.Tensor) *torch.Tensor {
	if m.InPlace {
		return x.ReLUInPlace()
	}
	return x.ReLU()
}

// inPlace calls an operator that changes x, and returns x.
func inPlace(op *torch.Op, x *torch.Tensor, args ...float64) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	for _, v := range args {
		c.Number(v)
	}
	c.Do(op)
	return x
}

var (
	opSiLUIn        = torch.NewOp("aten::silu_", "")
	opHardswishIn   = torch.NewOp("aten::hardswish_", "")
	opHardsigmoidIn = torch.NewOp("aten::hardsigmoid_", "")
	opLeakyReLUIn   = torch.NewOp("aten::leaky_relu_", "")
	opHardtanhIn    = torch.NewOp("aten::hardtanh_", "")
)

// ReLU6 is min(max(x, 0), 6): torch.nn.ReLU6.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU6.html
type ReLU6 struct {
	InPlace bool // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *ReLU6) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*ReLU6).forward) }

func (m *ReLU6) forward(x *torch.Tensor) *torch.Tensor {
	if m.InPlace {
		return inPlace(opHardtanhIn, x, 0, 6)
	}
	return F.ReLU6(x)
}

// SiLU is x·sigmoid(x): torch.nn.SiLU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html
type SiLU struct {
	InPlace bool // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *SiLU) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*SiLU).forward) }

func (m *SiLU) forward(x *torch.Tensor) *torch.Tensor {
	if m.InPlace {
		return inPlace(opSiLUIn, x)
	}
	return F.SiLU(x)
}

// GELU is x·Φ(x): torch.nn.GELU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html
type GELU struct {
	Approximate string // "none" or "tanh"; "" means "none"
}

// Forward maps x to the same shape.
func (m *GELU) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*GELU).forward) }

func (m *GELU) forward(x *torch.Tensor) *torch.Tensor {
	return F.GELU(x, F.GELUOptions{Approximate: m.Approximate})
}

// Hardswish is x·ReLU6(x+3)/6: torch.nn.Hardswish.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardswish.html
type Hardswish struct {
	InPlace bool // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *Hardswish) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Hardswish).forward) }

func (m *Hardswish) forward(x *torch.Tensor) *torch.Tensor {
	if m.InPlace {
		return inPlace(opHardswishIn, x)
	}
	return F.Hardswish(x)
}

// Hardsigmoid is ReLU6(x+3)/6: torch.nn.Hardsigmoid.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html
type Hardsigmoid struct {
	InPlace bool // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *Hardsigmoid) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*Hardsigmoid).forward)
}

func (m *Hardsigmoid) forward(x *torch.Tensor) *torch.Tensor {
	if m.InPlace {
		return inPlace(opHardsigmoidIn, x)
	}
	return F.Hardsigmoid(x)
}

// LeakyReLU is x, or NegativeSlope·x where x is negative: torch.nn.LeakyReLU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
type LeakyReLU struct {
	NegativeSlope *float64 // default 0.01
	InPlace       bool     // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *LeakyReLU) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*LeakyReLU).forward) }

func (m *LeakyReLU) forward(x *torch.Tensor) *torch.Tensor {
	slope := or(m.NegativeSlope, 0.01)
	if m.InPlace {
		return inPlace(opLeakyReLUIn, x, slope)
	}
	return F.LeakyReLU(x, F.LeakyReLUOptions{NegativeSlope: slope})
}

// Sigmoid is 1/(1 + exp(-x)): torch.nn.Sigmoid.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
type Sigmoid struct {
	_ byte // distinguishes two of them
}

// Forward maps x to the same shape.
func (m *Sigmoid) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Sigmoid).forward) }

func (*Sigmoid) forward(x *torch.Tensor) *torch.Tensor { return x.Sigmoid() }

// Tanh is the hyperbolic tangent: torch.nn.Tanh.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html
type Tanh struct {
	_ byte // distinguishes two of them
}

// Forward maps x to the same shape.
func (m *Tanh) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Tanh).forward) }

func (*Tanh) forward(x *torch.Tensor) *torch.Tensor { return x.Tanh() }

// Softmax is exp(x), divided by its sums along a dimension: torch.nn.Softmax.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html
type Softmax struct{ Dim int }

// NewSoftmax makes a softmax along a dimension: nn.Softmax(dim).
func NewSoftmax(dim int) *Softmax { return &Softmax{dim} }

// Forward maps x to the same shape.
func (m *Softmax) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Softmax).forward) }

func (m *Softmax) forward(x *torch.Tensor) *torch.Tensor { return x.Softmax(m.Dim) }
