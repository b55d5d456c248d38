package nn

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// poolRepr describes windows.
func poolRepr(kernel, stride, padding string) string {
	return fmt.Sprintf("kernel_size=%s, stride=%s, padding=%s", kernel, stride, padding)
}

func maxPoolRepr(kernel torch.Ints, o F.MaxPool2dOptions) string {
	k := ints(kernel, "None")
	return poolRepr(k, ints(o.Stride, k), ints(o.Padding, "0")) + fmt.Sprintf(", dilation=%s, ceil_mode=%s", ints(o.Dilation, "1"), boolean(o.CeilMode))
}

// tuplesRepr describes windows whose sizes are tuples of n dimensions.
func tuplesRepr(op string, kernel, stride, padding torch.Ints, n int) string {
	k := torch.SizesOf(op, "kernel", kernel, n)
	return poolRepr(tuple(k...), tuple(torch.SizesOf(op, "Stride", stride, n, k...)...), tuple(sizesOf(op, "Padding", padding, n, 0)...))
}

// MaxPool1d takes the maximum of each window: torch.nn.MaxPool1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html
type MaxPool1d struct {
	Kernel  torch.Ints
	Options MaxPool1dOptions
}

// MaxPool1dOptions are the options of [NewMaxPool1d], those of [F.MaxPool1d].
type MaxPool1dOptions = F.MaxPool1dOptions

// NewMaxPool1d makes a pooling with windows of the size of kernel: nn.MaxPool1d(kernel).
func NewMaxPool1d(kernel torch.Ints, options ...MaxPool1dOptions) *MaxPool1d {
	return &MaxPool1d{Kernel: kernel, Options: torch.Only(options)}
}

// Forward maps x [N, C, L] or [C, L] to [N, C, L'] or [C, L'].
func (m *MaxPool1d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*MaxPool1d).forward) }

func (m *MaxPool1d) forward(x *torch.Tensor) *torch.Tensor {
	return F.MaxPool1d(x, m.Kernel, m.Options)
}

// ForwardWithIndices also returns the int64 indices of the maxima, which [MaxUnpool1d]
// takes: m(x) of a module with return_indices=True.
func (m *MaxPool1d) ForwardWithIndices(x *torch.Tensor) (values, indices *torch.Tensor) {
	return F.MaxPool1dWithIndices(x, m.Kernel, F.MaxPool1dWithIndicesOptions(m.Options))
}

func (m *MaxPool1d) extraRepr() string {
	return maxPoolRepr(m.Kernel, F.MaxPool2dOptions(m.Options))
}

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

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *MaxPool2d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*MaxPool2d).forward) }

func (m *MaxPool2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.MaxPool2d(x, m.Kernel, m.Options)
}

// ForwardWithIndices also returns the int64 indices of the maxima, which [MaxUnpool2d]
// takes: m(x) of a module with return_indices=True.
func (m *MaxPool2d) ForwardWithIndices(x *torch.Tensor) (values, indices *torch.Tensor) {
	return F.MaxPool2dWithIndices(x, m.Kernel, F.MaxPool2dWithIndicesOptions(m.Options))
}

func (m *MaxPool2d) extraRepr() string {
	return maxPoolRepr(m.Kernel, F.MaxPool2dOptions(m.Options))
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

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *MaxPool3d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*MaxPool3d).forward) }

func (m *MaxPool3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.MaxPool3d(x, m.Kernel, m.Options)
}

// ForwardWithIndices also returns the int64 indices of the maxima, which [MaxUnpool3d]
// takes: m(x) of a module with return_indices=True.
func (m *MaxPool3d) ForwardWithIndices(x *torch.Tensor) (values, indices *torch.Tensor) {
	return F.MaxPool3dWithIndices(x, m.Kernel, F.MaxPool3dWithIndicesOptions(m.Options))
}

func (m *MaxPool3d) extraRepr() string {
	return maxPoolRepr(m.Kernel, F.MaxPool2dOptions(m.Options))
}

// AvgPool1d averages each window: torch.nn.AvgPool1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html
type AvgPool1d struct {
	Kernel  torch.Ints
	Options AvgPool1dOptions
}

// AvgPool1dOptions are the options of [NewAvgPool1d], those of [F.AvgPool1d].
type AvgPool1dOptions = F.AvgPool1dOptions

// NewAvgPool1d makes a pooling with windows of the size of kernel: nn.AvgPool1d(kernel).
func NewAvgPool1d(kernel torch.Ints, options ...AvgPool1dOptions) *AvgPool1d {
	return &AvgPool1d{Kernel: kernel, Options: torch.Only(options)}
}

// Forward maps x [N, C, L] or [C, L] to [N, C, L'] or [C, L'].
func (m *AvgPool1d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*AvgPool1d).forward) }

func (m *AvgPool1d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AvgPool1d(x, m.Kernel, m.Options)
}

func (m *AvgPool1d) extraRepr() string {
	return tuplesRepr("AvgPool1d", m.Kernel, m.Options.Stride, m.Options.Padding, 1)
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

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *AvgPool2d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*AvgPool2d).forward) }

func (m *AvgPool2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AvgPool2d(x, m.Kernel, m.Options)
}

func (m *AvgPool2d) extraRepr() string {
	k := ints(m.Kernel, "None")
	return poolRepr(k, ints(m.Options.Stride, k), ints(m.Options.Padding, "0"))
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

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *AvgPool3d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*AvgPool3d).forward) }

func (m *AvgPool3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AvgPool3d(x, m.Kernel, m.Options)
}

func (m *AvgPool3d) extraRepr() string {
	k := ints(m.Kernel, "None")
	return poolRepr(k, ints(m.Options.Stride, k), ints(m.Options.Padding, "0"))
}
