package nn

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// KeepSize, in the output size of an adaptive pooling, keeps the size of the input: None
// in Python's tuple.
//
//	nn.NewAdaptiveAvgPool2d([]int{7, nn.KeepSize}) // nn.AdaptiveAvgPool2d((7, None))
const KeepSize = math.MinInt

// kept returns an output size of n dimensions with those of x in the place of [KeepSize].
func kept(op string, x *torch.Tensor, outputSize torch.Ints, n int) torch.Ints {
	size := torch.SizesOf(op, "outputSize", outputSize, n)
	out := make([]int, n)
	for d, s := range size {
		if out[d] = s; s == KeepSize {
			if x.Dim() <= n {
				fail("%s: x is %v; it must have at least %d dimensions", op, x.Shape(), n+1)
			}
			out[d] = x.Size(d - n)
		}
	}
	return out
}

// AdaptiveAvgPool1d averages down to a fixed size: torch.nn.AdaptiveAvgPool1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html
type AdaptiveAvgPool1d struct{ OutputSize torch.Ints }

// NewAdaptiveAvgPool1d makes a pooling to the given length, which may be [KeepSize]:
// nn.AdaptiveAvgPool1d(outputSize).
func NewAdaptiveAvgPool1d(outputSize torch.Ints) *AdaptiveAvgPool1d {
	return &AdaptiveAvgPool1d{outputSize}
}

// Forward maps x [N, C, L] or [C, L] to [N, C, L'] or [C, L'].
func (m *AdaptiveAvgPool1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*AdaptiveAvgPool1d).forward)
}

func (m *AdaptiveAvgPool1d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AdaptiveAvgPool1d(x, kept("AdaptiveAvgPool1d", x, m.OutputSize, 1))
}

func (m *AdaptiveAvgPool1d) extraRepr() string { return "output_size=" + ints(m.OutputSize, "None") }

// AdaptiveAvgPool2d averages down to a fixed size: torch.nn.AdaptiveAvgPool2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
type AdaptiveAvgPool2d struct{ OutputSize torch.Ints }

// NewAdaptiveAvgPool2d makes a pooling to the given height and width, which may be [KeepSize]:
// nn.AdaptiveAvgPool2d(outputSize).
func NewAdaptiveAvgPool2d(outputSize torch.Ints) *AdaptiveAvgPool2d {
	return &AdaptiveAvgPool2d{outputSize}
}

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *AdaptiveAvgPool2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*AdaptiveAvgPool2d).forward)
}

func (m *AdaptiveAvgPool2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AdaptiveAvgPool2d(x, kept("AdaptiveAvgPool2d", x, m.OutputSize, 2))
}

func (m *AdaptiveAvgPool2d) extraRepr() string { return "output_size=" + ints(m.OutputSize, "None") }

// AdaptiveAvgPool3d averages down to a fixed size: torch.nn.AdaptiveAvgPool3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool3d.html
type AdaptiveAvgPool3d struct{ OutputSize torch.Ints }

// NewAdaptiveAvgPool3d makes a pooling to the given depth, height and width, which may be [KeepSize]:
// nn.AdaptiveAvgPool3d(outputSize).
func NewAdaptiveAvgPool3d(outputSize torch.Ints) *AdaptiveAvgPool3d {
	return &AdaptiveAvgPool3d{outputSize}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *AdaptiveAvgPool3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*AdaptiveAvgPool3d).forward)
}

func (m *AdaptiveAvgPool3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.AdaptiveAvgPool3d(x, kept("AdaptiveAvgPool3d", x, m.OutputSize, 3))
}

func (m *AdaptiveAvgPool3d) extraRepr() string { return "output_size=" + ints(m.OutputSize, "None") }

// AdaptiveMaxPool1d takes maxima down to a fixed size: torch.nn.AdaptiveMaxPool1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html
type AdaptiveMaxPool1d struct{ OutputSize torch.Ints }

// NewAdaptiveMaxPool1d makes a pooling to the given length, which may be [KeepSize]:
// nn.AdaptiveMaxPool1d(outputSize).
func NewAdaptiveMaxPool1d(outputSize torch.Ints) *AdaptiveMaxPool1d {
	return &AdaptiveMaxPool1d{outputSize}
}

// Forward maps x [N, C, L] or [C, L] to [N, C, L'] or [C, L'].
func (m *AdaptiveMaxPool1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*AdaptiveMaxPool1d).forward)
}

func (m *AdaptiveMaxPool1d) forward(x *torch.Tensor) *torch.Tensor {
	values, _ := m.ForwardWithIndices(x)
	return values
}

// ForwardWithIndices also returns the int64 indices of the maxima: m(x) of a module with
// return_indices=True.
func (m *AdaptiveMaxPool1d) ForwardWithIndices(x *torch.Tensor) (values, indices *torch.Tensor) {
	return F.AdaptiveMaxPool1d(x, kept("AdaptiveMaxPool1d", x, m.OutputSize, 1))
}

func (m *AdaptiveMaxPool1d) extraRepr() string { return "output_size=" + ints(m.OutputSize, "None") }

// AdaptiveMaxPool2d takes maxima down to a fixed size: torch.nn.AdaptiveMaxPool2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html
type AdaptiveMaxPool2d struct{ OutputSize torch.Ints }

// NewAdaptiveMaxPool2d makes a pooling to the given height and width, which may be [KeepSize]:
// nn.AdaptiveMaxPool2d(outputSize).
func NewAdaptiveMaxPool2d(outputSize torch.Ints) *AdaptiveMaxPool2d {
	return &AdaptiveMaxPool2d{outputSize}
}

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *AdaptiveMaxPool2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*AdaptiveMaxPool2d).forward)
}

func (m *AdaptiveMaxPool2d) forward(x *torch.Tensor) *torch.Tensor {
	values, _ := m.ForwardWithIndices(x)
	return values
}

// ForwardWithIndices also returns the int64 indices of the maxima: m(x) of a module with
// return_indices=True.
func (m *AdaptiveMaxPool2d) ForwardWithIndices(x *torch.Tensor) (values, indices *torch.Tensor) {
	return F.AdaptiveMaxPool2d(x, kept("AdaptiveMaxPool2d", x, m.OutputSize, 2))
}

func (m *AdaptiveMaxPool2d) extraRepr() string { return "output_size=" + ints(m.OutputSize, "None") }

// AdaptiveMaxPool3d takes maxima down to a fixed size: torch.nn.AdaptiveMaxPool3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool3d.html
type AdaptiveMaxPool3d struct{ OutputSize torch.Ints }

// NewAdaptiveMaxPool3d makes a pooling to the given depth, height and width, which may be [KeepSize]:
// nn.AdaptiveMaxPool3d(outputSize).
func NewAdaptiveMaxPool3d(outputSize torch.Ints) *AdaptiveMaxPool3d {
	return &AdaptiveMaxPool3d{outputSize}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *AdaptiveMaxPool3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*AdaptiveMaxPool3d).forward)
}

func (m *AdaptiveMaxPool3d) forward(x *torch.Tensor) *torch.Tensor {
	values, _ := m.ForwardWithIndices(x)
	return values
}

// ForwardWithIndices also returns the int64 indices of the maxima: m(x) of a module with
// return_indices=True.
func (m *AdaptiveMaxPool3d) ForwardWithIndices(x *torch.Tensor) (values, indices *torch.Tensor) {
	return F.AdaptiveMaxPool3d(x, kept("AdaptiveMaxPool3d", x, m.OutputSize, 3))
}

func (m *AdaptiveMaxPool3d) extraRepr() string { return "output_size=" + ints(m.OutputSize, "None") }
