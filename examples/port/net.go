// Package port is a network in Go, which docs/testing.md tests against the same
// network in Python.
package port

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Net is the class Net of testdata/net.py.
type Net struct {
	Conv *nn.Conv2d
	Head *nn.Linear
}

// NewNet returns a network with random weights.
func NewNet() *Net {
	return &Net{
		Conv: nn.NewConv2d(1, 4, 3, nn.Conv2dOptions{Stride: 2}),
		Head: nn.NewLinear(100, 10),
	}
}

// Forward returns the logarithms of the probabilities of 10 classes.
func (m *Net) Forward(x *torch.Tensor) *torch.Tensor { // [N, 1, 12, 12] → [N, 10]
	x = m.Conv.Forward(x).ReLU()
	return m.Head.Forward(x.Flatten(1)).LogSoftmax(1)
}
