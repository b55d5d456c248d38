package nn

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// pads returns the pads of n dimensions, in pairs from the last one on. As in PyTorch, a
// list may have fewer pairs.
func pads(op string, padding torch.Ints, n int) []int {
	switch p := padding.(type) {
	case int:
		return slices.Repeat([]int{p}, 2*n)
	case []int:
		if len(p)%2 != 0 || len(p) > 2*n {
			fail("%s: padding has %d elements; it must have %d, two for each dimension", op, len(p), 2*n)
		}
		return slices.Clone(p)
	}
	fail("%s: padding is a %T; it must be an int or a []int", op, padding)
	return nil
}

// checkPadded refuses an x of other than n spatial dimensions.
func checkPadded(op string, x *torch.Tensor, n int, want string) {
	if d := x.Dim(); d != n+1 && d != n+2 {
		fail("%s: x is %v and must be %s", op, x.Shape(), want)
	}
}

// CircularPad1d pads with the other end: torch.nn.CircularPad1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html
type CircularPad1d struct {
	Padding []int // in pairs from the last dimension on
}

// NewCircularPad1d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.CircularPad1d(padding).
func NewCircularPad1d(padding torch.Ints) *CircularPad1d {
	return &CircularPad1d{pads("CircularPad1d", padding, 1)}
}

// Forward maps x [N, C, L] or [C, L] to [N, C, L'] or [C, L'].
func (m *CircularPad1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*CircularPad1d).forward)
}

func (m *CircularPad1d) forward(x *torch.Tensor) *torch.Tensor {
	checkPadded("CircularPad1d", x, 1, "[N, C, L] or [C, L]")
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "circular"})
}

func (m *CircularPad1d) extraRepr() string { return tuple(m.Padding...) }

// CircularPad2d pads with the other end: torch.nn.CircularPad2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html
type CircularPad2d struct {
	Padding []int // in pairs from the last dimension on
}

// NewCircularPad2d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.CircularPad2d(padding).
func NewCircularPad2d(padding torch.Ints) *CircularPad2d {
	return &CircularPad2d{pads("CircularPad2d", padding, 2)}
}

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *CircularPad2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*CircularPad2d).forward)
}

func (m *CircularPad2d) forward(x *torch.Tensor) *torch.Tensor {
	checkPadded("CircularPad2d", x, 2, "[N, C, H, W] or [C, H, W]")
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "circular"})
}

func (m *CircularPad2d) extraRepr() string { return tuple(m.Padding...) }

// CircularPad3d pads with the other end: torch.nn.CircularPad3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad3d.html
type CircularPad3d struct {
	Padding []int // in pairs from the last dimension on
}

// NewCircularPad3d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.CircularPad3d(padding).
func NewCircularPad3d(padding torch.Ints) *CircularPad3d {
	return &CircularPad3d{pads("CircularPad3d", padding, 3)}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *CircularPad3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*CircularPad3d).forward)
}

func (m *CircularPad3d) forward(x *torch.Tensor) *torch.Tensor {
	checkPadded("CircularPad3d", x, 3, "[N, C, D, H, W] or [C, D, H, W]")
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "circular"})
}

func (m *CircularPad3d) extraRepr() string { return tuple(m.Padding...) }

// ReflectionPad1d pads with the reflection at the border: torch.nn.ReflectionPad1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html
type ReflectionPad1d struct {
	Padding []int // in pairs from the last dimension on
}

// NewReflectionPad1d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.ReflectionPad1d(padding).
func NewReflectionPad1d(padding torch.Ints) *ReflectionPad1d {
	return &ReflectionPad1d{pads("ReflectionPad1d", padding, 1)}
}

// Forward maps x [N, C, L] or [C, L] to [N, C, L'] or [C, L'].
func (m *ReflectionPad1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ReflectionPad1d).forward)
}

func (m *ReflectionPad1d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "reflect"})
}

func (m *ReflectionPad1d) extraRepr() string { return tuple(m.Padding...) }

// ReflectionPad2d pads with the reflection at the border: torch.nn.ReflectionPad2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html
type ReflectionPad2d struct {
	Padding []int // in pairs from the last dimension on
}

// NewReflectionPad2d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.ReflectionPad2d(padding).
func NewReflectionPad2d(padding torch.Ints) *ReflectionPad2d {
	return &ReflectionPad2d{pads("ReflectionPad2d", padding, 2)}
}

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *ReflectionPad2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ReflectionPad2d).forward)
}

func (m *ReflectionPad2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "reflect"})
}

func (m *ReflectionPad2d) extraRepr() string { return tuple(m.Padding...) }

// ReflectionPad3d pads with the reflection at the border: torch.nn.ReflectionPad3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad3d.html
type ReflectionPad3d struct {
	Padding []int // in pairs from the last dimension on
}

// NewReflectionPad3d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.ReflectionPad3d(padding).
func NewReflectionPad3d(padding torch.Ints) *ReflectionPad3d {
	return &ReflectionPad3d{pads("ReflectionPad3d", padding, 3)}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *ReflectionPad3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ReflectionPad3d).forward)
}

func (m *ReflectionPad3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "reflect"})
}

func (m *ReflectionPad3d) extraRepr() string { return tuple(m.Padding...) }

// ReplicationPad1d pads with the border: torch.nn.ReplicationPad1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html
type ReplicationPad1d struct {
	Padding []int // in pairs from the last dimension on
}

// NewReplicationPad1d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.ReplicationPad1d(padding).
func NewReplicationPad1d(padding torch.Ints) *ReplicationPad1d {
	return &ReplicationPad1d{pads("ReplicationPad1d", padding, 1)}
}

// Forward maps x [N, C, L] or [C, L] to [N, C, L'] or [C, L'].
func (m *ReplicationPad1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ReplicationPad1d).forward)
}

func (m *ReplicationPad1d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "replicate"})
}

func (m *ReplicationPad1d) extraRepr() string { return tuple(m.Padding...) }

// ReplicationPad2d pads with the border: torch.nn.ReplicationPad2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html
type ReplicationPad2d struct {
	Padding []int // in pairs from the last dimension on
}

// NewReplicationPad2d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.ReplicationPad2d(padding).
func NewReplicationPad2d(padding torch.Ints) *ReplicationPad2d {
	return &ReplicationPad2d{pads("ReplicationPad2d", padding, 2)}
}

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *ReplicationPad2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ReplicationPad2d).forward)
}

func (m *ReplicationPad2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "replicate"})
}

func (m *ReplicationPad2d) extraRepr() string { return tuple(m.Padding...) }

// ReplicationPad3d pads with the border: torch.nn.ReplicationPad3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad3d.html
type ReplicationPad3d struct {
	Padding []int // in pairs from the last dimension on
}

// NewReplicationPad3d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.ReplicationPad3d(padding).
func NewReplicationPad3d(padding torch.Ints) *ReplicationPad3d {
	return &ReplicationPad3d{pads("ReplicationPad3d", padding, 3)}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *ReplicationPad3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ReplicationPad3d).forward)
}

func (m *ReplicationPad3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "replicate"})
}

func (m *ReplicationPad3d) extraRepr() string { return tuple(m.Padding...) }

// ZeroPad1d pads with zeros, or crops where the padding is negative: torch.nn.ZeroPad1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html
type ZeroPad1d struct {
	Padding []int // in pairs from the last dimension on
}

// NewZeroPad1d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.ZeroPad1d(padding).
func NewZeroPad1d(padding torch.Ints) *ZeroPad1d {
	return &ZeroPad1d{pads("ZeroPad1d", padding, 1)}
}

// Forward maps x [N, C, L] or [C, L] to [N, C, L'] or [C, L'].
func (m *ZeroPad1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ZeroPad1d).forward)
}

func (m *ZeroPad1d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "constant", Value: new(0.0)})
}

func (m *ZeroPad1d) extraRepr() string { return tuple(m.Padding...) }

// ZeroPad2d pads with zeros, or crops where the padding is negative: torch.nn.ZeroPad2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html
type ZeroPad2d struct {
	Padding []int // in pairs from the last dimension on
}

// NewZeroPad2d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.ZeroPad2d(padding).
func NewZeroPad2d(padding torch.Ints) *ZeroPad2d {
	return &ZeroPad2d{pads("ZeroPad2d", padding, 2)}
}

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *ZeroPad2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ZeroPad2d).forward)
}

func (m *ZeroPad2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "constant", Value: new(0.0)})
}

func (m *ZeroPad2d) extraRepr() string { return tuple(m.Padding...) }

// ZeroPad3d pads with zeros, or crops where the padding is negative: torch.nn.ZeroPad3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad3d.html
type ZeroPad3d struct {
	Padding []int // in pairs from the last dimension on
}

// NewZeroPad3d makes a padding, the same on all sides or in pairs from the last dimension
// on: nn.ZeroPad3d(padding).
func NewZeroPad3d(padding torch.Ints) *ZeroPad3d {
	return &ZeroPad3d{pads("ZeroPad3d", padding, 3)}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *ZeroPad3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ZeroPad3d).forward)
}

func (m *ZeroPad3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Pad(x, m.Padding, F.PadOptions{Mode: "constant", Value: new(0.0)})
}

func (m *ZeroPad3d) extraRepr() string { return tuple(m.Padding...) }

// ConstantPad1d pads with a value, or crops where the padding is negative: torch.nn.ConstantPad1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html
type ConstantPad1d struct {
	Padding []int // in pairs from the last dimension on
	Value   torch.Number
}

// NewConstantPad1d makes a padding, the same on all sides or in pairs from the last
// dimension on: nn.ConstantPad1d(padding, value).
func NewConstantPad1d(padding torch.Ints, value torch.Number) *ConstantPad1d {
	return &ConstantPad1d{pads("ConstantPad1d", padding, 1), value}
}

// Forward maps x [N, C, L] or [C, L] to [N, C, L'] or [C, L'].
func (m *ConstantPad1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ConstantPad1d).forward)
}

func (m *ConstantPad1d) forward(x *torch.Tensor) *torch.Tensor {
	return padConstant("ConstantPad1d", x, m.Padding, m.Value)
}

func (m *ConstantPad1d) extraRepr() string { return constantRepr(m.Padding, m.Value) }

// ConstantPad2d pads with a value, or crops where the padding is negative: torch.nn.ConstantPad2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html
type ConstantPad2d struct {
	Padding []int // in pairs from the last dimension on
	Value   torch.Number
}

// NewConstantPad2d makes a padding, the same on all sides or in pairs from the last
// dimension on: nn.ConstantPad2d(padding, value).
func NewConstantPad2d(padding torch.Ints, value torch.Number) *ConstantPad2d {
	return &ConstantPad2d{pads("ConstantPad2d", padding, 2), value}
}

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *ConstantPad2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ConstantPad2d).forward)
}

func (m *ConstantPad2d) forward(x *torch.Tensor) *torch.Tensor {
	return padConstant("ConstantPad2d", x, m.Padding, m.Value)
}

func (m *ConstantPad2d) extraRepr() string { return constantRepr(m.Padding, m.Value) }

// ConstantPad3d pads with a value, or crops where the padding is negative: torch.nn.ConstantPad3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad3d.html
type ConstantPad3d struct {
	Padding []int // in pairs from the last dimension on
	Value   torch.Number
}

// NewConstantPad3d makes a padding, the same on all sides or in pairs from the last
// dimension on: nn.ConstantPad3d(padding, value).
func NewConstantPad3d(padding torch.Ints, value torch.Number) *ConstantPad3d {
	return &ConstantPad3d{pads("ConstantPad3d", padding, 3), value}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *ConstantPad3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ConstantPad3d).forward)
}

func (m *ConstantPad3d) forward(x *torch.Tensor) *torch.Tensor {
	return padConstant("ConstantPad3d", x, m.Padding, m.Value)
}

func (m *ConstantPad3d) extraRepr() string { return constantRepr(m.Padding, m.Value) }

func padConstant(op string, x *torch.Tensor, padding []int, value torch.Number) *torch.Tensor {
	return F.Pad(x, padding, F.PadOptions{Mode: "constant", Value: new(real64(op, "value", value, 0))})
}

func constantRepr(padding []int, value torch.Number) string {
	return fmt.Sprintf("padding=%s, value=%s", tuple(padding...), number(value, "None"))
}
