package main

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// TransformerNet paints pictures, whose values are from 0 to 255.
type TransformerNet struct {
	// Initial convolution layers
	Conv1 *ConvLayer
	In1   *nn.InstanceNorm2d
	Conv2 *ConvLayer
	In2   *nn.InstanceNorm2d
	Conv3 *ConvLayer
	In3   *nn.InstanceNorm2d
	// Residual layers
	Res1, Res2, Res3, Res4, Res5 *ResidualBlock
	// Upsampling Layers
	Deconv1 *UpsampleConvLayer
	In4     *nn.InstanceNorm2d
	Deconv2 *UpsampleConvLayer
	In5     *nn.InstanceNorm2d
	Deconv3 *ConvLayer
}

var affine = nn.InstanceNorm2dOptions{Affine: true}

// NewTransformerNet returns a network with random weights.
func NewTransformerNet() *TransformerNet {
	return &TransformerNet{
		Conv1:   NewConvLayer(3, 32, 9, 1),
		In1:     nn.NewInstanceNorm2d(32, affine),
		Conv2:   NewConvLayer(32, 64, 3, 2),
		In2:     nn.NewInstanceNorm2d(64, affine),
		Conv3:   NewConvLayer(64, 128, 3, 2),
		In3:     nn.NewInstanceNorm2d(128, affine),
		Res1:    NewResidualBlock(128),
		Res2:    NewResidualBlock(128),
		Res3:    NewResidualBlock(128),
		Res4:    NewResidualBlock(128),
		Res5:    NewResidualBlock(128),
		Deconv1: NewUpsampleConvLayer(128, 64, 3, 1, 2),
		In4:     nn.NewInstanceNorm2d(64, affine),
		Deconv2: NewUpsampleConvLayer(64, 32, 3, 1, 2),
		In5:     nn.NewInstanceNorm2d(32, affine),
		Deconv3: NewConvLayer(32, 3, 9, 1),
	}
}

// Forward returns the painted pictures.
func (m *TransformerNet) Forward(x *torch.Tensor) *torch.Tensor { // [N, 3, H, W] → [N, 3, H, W]
	y := m.In1.Forward(m.Conv1.Forward(x)).ReLU()
	y = m.In2.Forward(m.Conv2.Forward(y)).ReLU()
	y = m.In3.Forward(m.Conv3.Forward(y)).ReLU() // [N, 128, H/4, W/4]
	y = m.Res1.Forward(y)
	y = m.Res2.Forward(y)
	y = m.Res3.Forward(y)
	y = m.Res4.Forward(y)
	y = m.Res5.Forward(y)
	y = m.In4.Forward(m.Deconv1.Forward(y)).ReLU()
	y = m.In5.Forward(m.Deconv2.Forward(y)).ReLU()
	return m.Deconv3.Forward(y)
}

// ConvLayer is a convolution that keeps the size.
type ConvLayer struct {
	ReflectionPad *nn.ReflectionPad2d
	Conv2d        *nn.Conv2d
}

// NewConvLayer returns a layer with random weights.
func NewConvLayer(inChannels, outChannels, kernelSize, stride int) *ConvLayer {
	return &ConvLayer{
		ReflectionPad: nn.NewReflectionPad2d(kernelSize / 2),
		Conv2d:        nn.NewConv2d(inChannels, outChannels, kernelSize, nn.Conv2dOptions{Stride: stride}),
	}
}

// Forward pads and convolves.
func (m *ConvLayer) Forward(x *torch.Tensor) *torch.Tensor {
	return m.Conv2d.Forward(m.ReflectionPad.Forward(x))
}

// ResidualBlock was introduced in https://arxiv.org/abs/1512.03385.
type ResidualBlock struct {
	Conv1 *ConvLayer
	In1   *nn.InstanceNorm2d
	Conv2 *ConvLayer
	In2   *nn.InstanceNorm2d
}

// NewResidualBlock returns a block with random weights.
func NewResidualBlock(channels int) *ResidualBlock {
	return &ResidualBlock{
		Conv1: NewConvLayer(channels, channels, 3, 1),
		In1:   nn.NewInstanceNorm2d(channels, affine),
		Conv2: NewConvLayer(channels, channels, 3, 1),
		In2:   nn.NewInstanceNorm2d(channels, affine),
	}
}

// Forward adds what the block computes to x.
func (m *ResidualBlock) Forward(x *torch.Tensor) *torch.Tensor {
	out := m.In1.Forward(m.Conv1.Forward(x)).ReLU()
	out = m.In2.Forward(m.Conv2.Forward(out))
	return out.Add(x)
}

// UpsampleConvLayer enlarges and then convolves, which gives better results than a transposed convolution:
// http://distill.pub/2016/deconv-checkerboard/.
type UpsampleConvLayer struct {
	Upsample      int
	ReflectionPad *nn.ReflectionPad2d
	Conv2d        *nn.Conv2d
}

// NewUpsampleConvLayer returns a layer with random weights.
func NewUpsampleConvLayer(inChannels, outChannels, kernelSize, stride, upsample int) *UpsampleConvLayer {
	return &UpsampleConvLayer{
		Upsample:      upsample,
		ReflectionPad: nn.NewReflectionPad2d(kernelSize / 2),
		Conv2d:        nn.NewConv2d(inChannels, outChannels, kernelSize, nn.Conv2dOptions{Stride: stride}),
	}
}

// Forward enlarges, pads and convolves.
func (m *UpsampleConvLayer) Forward(x *torch.Tensor) *torch.Tensor {
	x = F.Interpolate(x, F.InterpolateOptions{Mode: "nearest", ScaleFactor: m.Upsample})
	return m.Conv2d.Forward(m.ReflectionPad.Forward(x))
}
