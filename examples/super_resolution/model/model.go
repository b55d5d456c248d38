// Package model has the network of the example super_resolution.
package model

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Net enlarges pictures of one channel.
type Net struct {
	Conv1, Conv2, Conv3, Conv4 *nn.Conv2d
	PixelShuffle               *nn.PixelShuffle
}

// New returns a network with random weights.
func New(upscaleFactor int) *Net {
	m := &Net{
		Conv1:        nn.NewConv2d(1, 64, 5, nn.Conv2dOptions{Padding: 2}),
		Conv2:        nn.NewConv2d(64, 64, 3, nn.Conv2dOptions{Padding: 1}),
		Conv3:        nn.NewConv2d(64, 32, 3, nn.Conv2dOptions{Padding: 1}),
		Conv4:        nn.NewConv2d(32, upscaleFactor*upscaleFactor, 3, nn.Conv2dOptions{Padding: 1}),
		PixelShuffle: nn.NewPixelShuffle(upscaleFactor),
	}
	relu := nn.InitOrthogonalOptions{Gain: new(nn.CalculateGain("relu"))}
	nn.InitOrthogonal(m.Conv1.Weight, relu)
	nn.InitOrthogonal(m.Conv2.Weight, relu)
	nn.InitOrthogonal(m.Conv3.Weight, relu)
	nn.InitOrthogonal(m.Conv4.Weight)
	return m
}

// Forward returns pictures whose sides are longer by the upscale factor.
func (m *Net) Forward(x *torch.Tensor) *torch.Tensor { // [N, 1, H, W] → [N, 1, factor*H, factor*W]
	x = m.Conv1.Forward(x).ReLU()
	x = m.Conv2.Forward(x).ReLU()
	x = m.Conv3.Forward(x).ReLU()
	return m.PixelShuffle.Forward(m.Conv4.Forward(x))
}
