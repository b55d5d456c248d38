package nn

import (
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Dropout zeroes elements at random while training: torch.nn.Dropout.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html
type Dropout struct {
	P        float64 // probability, in [0, 1]
	Training bool    // true in a new layer
}

// NewDropout makes a dropout: nn.Dropout(p). It panics with a *torch.Error if p is
// outside of [0, 1].
func NewDropout(p float64) *Dropout {
	checkProbability("Dropout", p)
	return &Dropout{P: p, Training: true}
}

// Forward maps x to the same shape. It returns x itself where it changes nothing.
func (m *Dropout) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Dropout).forward) }

func (m *Dropout) forward(x *torch.Tensor) *torch.Tensor {
	if !m.Training {
		return x
	}
	return F.Dropout(x, m.P, true)
}

// Dropout2d zeroes whole channels at random while training: torch.nn.Dropout2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html
type Dropout2d struct {
	P        float64 // probability, in [0, 1]
	Training bool    // true in a new layer
}

// NewDropout2d makes a dropout of channels: nn.Dropout2d(p). It panics with an
// *torch.Error if p is outside of [0, 1].
func NewDropout2d(p float64) *Dropout2d {
	checkProbability("Dropout2d", p)
	return &Dropout2d{P: p, Training: true}
}

// Forward maps x [N, C, H, W] to the same shape.
func (m *Dropout2d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Dropout2d).forward) }

func (m *Dropout2d) forward(x *torch.Tensor) *torch.Tensor { return F.Dropout2d(x, m.P, m.Training) }

func checkProbability(op string, p float64) {
	if !(p >= 0 && p <= 1) {
		fail("%s: the probability is %v; it must be between 0 and 1", op, p)
	}
}
