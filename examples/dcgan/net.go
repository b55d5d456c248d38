package main

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// weightsInit gives the layers the weights of the paper.
func weightsInit(m any) {
	switch m := m.(type) {
	case *nn.Conv2d:
		nn.InitNormal(m.Weight, 0, 0.02)
	case *nn.ConvTranspose2d:
		nn.InitNormal(m.Weight, 0, 0.02)
	case *nn.BatchNorm2d:
		nn.InitNormal(m.Weight, 1, 0.02)
		nn.InitZeros(m.Bias)
	}
}

// A Generator draws pictures.
type Generator struct {
	Main nn.Sequential
}

// NewGenerator returns a generator of pictures with nc channels from vectors with nz elements.
func NewGenerator(nz, ngf, nc int) *Generator {
	up := func(in, out, stride, padding int) *nn.ConvTranspose2d {
		return nn.NewConvTranspose2d(in, out, 4, nn.ConvTranspose2dOptions{Stride: stride, Padding: padding, NoBias: true})
	}
	return &Generator{nn.Sequential{
		up(nz, ngf*8, 1, 0),
		nn.NewBatchNorm2d(ngf * 8),
		&nn.ReLU{InPlace: true}, // [N, ngf*8, 4, 4]
		up(ngf*8, ngf*4, 2, 1),
		nn.NewBatchNorm2d(ngf * 4),
		&nn.ReLU{InPlace: true}, // [N, ngf*4, 8, 8]
		up(ngf*4, ngf*2, 2, 1),
		nn.NewBatchNorm2d(ngf * 2),
		&nn.ReLU{InPlace: true}, // [N, ngf*2, 16, 16]
		up(ngf*2, ngf, 2, 1),
		nn.NewBatchNorm2d(ngf),
		&nn.ReLU{InPlace: true}, // [N, ngf, 32, 32]
		up(ngf, nc, 2, 1),
		&nn.Tanh{}, // [N, nc, 64, 64]
	}}
}

// Forward returns pictures from -1 to 1.
func (m *Generator) Forward(x *torch.Tensor) *torch.Tensor { // [N, nz, 1, 1] → [N, nc, 64, 64]
	return m.Main.Forward(x)
}

// A Discriminator tells real pictures from drawn ones.
type Discriminator struct {
	Main nn.Sequential
}

// NewDiscriminator returns a discriminator of pictures with nc channels.
func NewDiscriminator(ndf, nc int) *Discriminator {
	down := func(in, out, stride, padding int) *nn.Conv2d {
		return nn.NewConv2d(in, out, 4, nn.Conv2dOptions{Stride: stride, Padding: padding, NoBias: true})
	}
	leaky := func() *nn.LeakyReLU { return &nn.LeakyReLU{NegativeSlope: new(0.2), InPlace: true} }
	return &Discriminator{nn.Sequential{
		down(nc, ndf, 2, 1),
		leaky(), // [N, ndf, 32, 32]
		down(ndf, ndf*2, 2, 1),
		nn.NewBatchNorm2d(ndf * 2),
		leaky(), // [N, ndf*2, 16, 16]
		down(ndf*2, ndf*4, 2, 1),
		nn.NewBatchNorm2d(ndf * 4),
		leaky(), // [N, ndf*4, 8, 8]
		down(ndf*4, ndf*8, 2, 1),
		nn.NewBatchNorm2d(ndf * 8),
		leaky(), // [N, ndf*8, 4, 4]
		down(ndf*8, 1, 1, 0),
		&nn.Sigmoid{},
	}}
}

// Forward returns the probabilities that pictures are real.
func (m *Discriminator) Forward(x *torch.Tensor) *torch.Tensor { // [N, nc, 64, 64] → [N]
	return m.Main.Forward(x).View(-1, 1).Squeeze(1)
}
