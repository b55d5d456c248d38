package nn

import (
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// MaxPool2d takes the maximum of each window: torch.nn.MaxPool2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
type MaxPool2d struct {
	Kernel  torch.Ints
	Options MaxPool2dOptions
}

// MaxPool2dOptions are the options of [NewMaxPool2d], those of [F.MaxPool2d].
type MaxPool2dOptions = F.MaxPool2dOptions

// NewMaxPool2d makes a pooling with windows of the size of kernel: nn.MaxPool2d(kernel).
func NewMaxPool2d(kernel torch.Ints, options ...MaxPool2dOptions) *MaxPool2d {
	return &MaxPool2d{Kernel: kernel, Options: torch.Only(options)}
}

// Forward maps x [N, C, H, W] to [N, C, H', W'].
func (m *MaxPool2d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*MaxPool2d).forward) }

func (m *MaxPool2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.MaxPool2d(x, m.Kernel, m.Options)
}

// MaxPool3d takes the maximum of each window: torch.nn.MaxPool3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool3d.html
type MaxPool3d struct {
	Kernel  torch.Ints
	Options MaxPool3dOptions
}

// MaxPool3dOptions are the options of [NewMaxPool3d], those of [F.MaxPool3d].
type MaxPool3dOptions = F.MaxPool3dOptions

// NewMaxPool3d makes a pooling with windows of the size of kernel: nn.MaxPool3d(kernel).
func NewMaxPool3d(kernel torch.Ints, options ...MaxPool3dOptions) *MaxPool3d {
	return &MaxPool3d{Kernel: kernel, Options: torch.Only(options)}
}

// Forward maps x [N, C, D, H, W] to [N, C, D', H', W'].
func (m *MaxPool3d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*MaxPool3d).forward) }

func (m *MaxPool3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.MaxPool3d(x, m.Kernel, m.Options)
}

// AvgPool2d averages each window: torch.nn.AvgPool2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
type AvgPool2d struct {
	Kernel  torch.Ints
	Options AvgPool2dOptions
}

// AvgPool2dOptions are the options of [NewAvgPool2d], those of [F.AvgPool2d].
type AvgPool2dOptions = F.AvgPool2dOptions

// NewAvgPool2d makes a pooling with windows of the size of kernel: nn.AvgPool2d(kernel).
func NewAvgPool2d(kernel torch.Ints, options ...AvgPool2dOptions) *AvgPool2d {
	return &AvgPool2d{Kernel: kernel, Options: torch.Only(options)}
}

// Forward maps x [N, C, H, W] to [N, C, H', W'].
func (m *AvgPool2d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*AvgPool2d).forward) }

func (m *AvgPool2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AvgPool2d(x, m.Kernel, m.Options)
}

// AvgPool3d averages each window: torch.nn.AvgPool3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool3d.html
type AvgPool3d struct {
	Kernel  torch.Ints
	Options AvgPool3dOptions
}

// AvgPool3dOptions are the options of [NewAvgPool3d], those of [F.AvgPool3d].
type AvgPool3dOptions = F.AvgPool3dOptions

// NewAvgPool3d makes a pooling with windows of the size of kernel: nn.AvgPool3d(kernel).
func NewAvgPool3d(kernel torch.Ints, options ...AvgPool3dOptions) *AvgPool3d {
	return &AvgPool3d{Kernel: kernel, Options: torch.Only(options)}
}

// Forward maps x [N, C, D, H, W] to [N, C, D', H', W'].
func (m *AvgPool3d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*AvgPool3d).forward) }

func (m *AvgPool3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AvgPool3d(x, m.Kernel, m.Options)
}

// AdaptiveAvgPool1d averages down to a fixed size: torch.nn.AdaptiveAvgPool1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html
type AdaptiveAvgPool1d struct{ OutputSize torch.Ints }

// NewAdaptiveAvgPool1d makes a pooling to the given length: nn.AdaptiveAvgPool1d(outputSize).
func NewAdaptiveAvgPool1d(outputSize torch.Ints) *AdaptiveAvgPool1d {
	return &AdaptiveAvgPool1d{outputSize}
}

// Forward maps x [N, C, L] to [N, C, L'].
func (m *AdaptiveAvgPool1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*AdaptiveAvgPool1d).forward)
}

func (m *AdaptiveAvgPool1d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AdaptiveAvgPool1d(x, m.OutputSize)
}

// AdaptiveAvgPool2d averages down to a fixed size: torch.nn.AdaptiveAvgPool2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
type AdaptiveAvgPool2d struct{ OutputSize torch.Ints }

// NewAdaptiveAvgPool2d makes a pooling to the given height and width: nn.AdaptiveAvgPool2d(outputSize).
func NewAdaptiveAvgPool2d(outputSize torch.Ints) *AdaptiveAvgPool2d {
	return &AdaptiveAvgPool2d{outputSize}
}

// Forward maps x [N, C, H, W] to [N, C, H', W'].
func (m *AdaptiveAvgPool2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*AdaptiveAvgPool2d).forward)
}

func (m *AdaptiveAvgPool2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AdaptiveAvgPool2d(x, m.OutputSize)
}

// AdaptiveAvgPool3d averages down to a fixed size: torch.nn.AdaptiveAvgPool3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool3d.html
type AdaptiveAvgPool3d struct{ OutputSize torch.Ints }

// NewAdaptiveAvgPool3d makes a pooling to the given depth, height and width: nn.AdaptiveAvgPool3d(outputSize).
func NewAdaptiveAvgPool3d(outputSize torch.Ints) *AdaptiveAvgPool3d {
	return &AdaptiveAvgPool3d{outputSize}
}

// Forward maps x [N, C, D, H, W] to [N, C, D', H', W'].
func (m *AdaptiveAvgPool3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*AdaptiveAvgPool3d).forward)
}

func (m *AdaptiveAvgPool3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AdaptiveAvgPool3d(x, m.OutputSize)
}
