package nn

import (
	"cmp"
	"fmt"

	"github.com/torchhub/torchhub/internal/pyrepr"
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

func (m *ReLU) extraRepr() string { return inPlaceOnly(m.InPlace) }

// inPlace calls an operator that changes x, and returns x.
func inPlace(op *torch.Op, x *torch.Tensor, args ...torch.Value) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	for _, v := range args {
		c.Value(v)
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

func (m *ReLU6) extraRepr() string { return inPlaceOnly(m.InPlace) }

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

func (m *SiLU) extraRepr() string { return inPlaceOnly(m.InPlace) }

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

func (m *GELU) extraRepr() string {
	return "approximate=" + pyrepr.String(cmp.Or(m.Approximate, "none"))
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

func (m *LeakyReLU) extraRepr() string {
	return "negative_slope=" + float(m.NegativeSlope, 0.01) + andInPlace(m.InPlace)
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

func (m *Softmax) extraRepr() string { return fmt.Sprintf("dim=%d", m.Dim) }

// Softmin is exp(-x), divided by its sums along a dimension: torch.nn.Softmin.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmin.html
type Softmin struct{ Dim int }

// NewSoftmin makes a softmin along a dimension: nn.Softmin(dim).
func NewSoftmin(dim int) *Softmin { return &Softmin{dim} }

// Forward maps x to the same shape.
func (m *Softmin) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Softmin).forward) }

func (m *Softmin) forward(x *torch.Tensor) *torch.Tensor { return F.Softmin(x, m.Dim) }

func (m *Softmin) extraRepr() string { return fmt.Sprintf("dim=%d", m.Dim) }

// LogSoftmax is the logarithm of [Softmax]: torch.nn.LogSoftmax.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
type LogSoftmax struct{ Dim int }

// NewLogSoftmax makes a logarithm of a softmax along a dimension: nn.LogSoftmax(dim).
func NewLogSoftmax(dim int) *LogSoftmax { return &LogSoftmax{dim} }

// Forward maps x to the same shape.
func (m *LogSoftmax) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*LogSoftmax).forward)
}

func (m *LogSoftmax) forward(x *torch.Tensor) *torch.Tensor { return x.LogSoftmax(m.Dim) }

func (m *LogSoftmax) extraRepr() string { return fmt.Sprintf("dim=%d", m.Dim) }

// Softmax2d is [Softmax] along the channels of pictures: torch.nn.Softmax2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html
type Softmax2d struct {
	_ byte // distinguishes two of them
}

// Forward maps x [N, C, H, W] or [C, H, W] to the same shape.
func (m *Softmax2d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Softmax2d).forward) }

func (*Softmax2d) forward(x *torch.Tensor) *torch.Tensor {
	if n := x.Dim(); n != 3 && n != 4 {
		fail("Softmax2d: x is %v and must be [N, C, H, W] or [C, H, W]", x.Shape())
	}
	return x.Softmax(-3)
}

// PReLUOptions are the options of [NewPReLU].
type PReLUOptions struct {
	NumParameters int      // of the weight: 1 or the number of channels; 0 means 1
	Init          *float64 // what the weight starts from, default 0.25
}

// PReLU is x, or a learned multiple of it where x is negative: torch.nn.PReLU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html
type PReLU struct {
	Weight *torch.Tensor // [NumParameters]
}

// NewPReLU makes the function, of one slope unless the options say otherwise: nn.PReLU().
func NewPReLU(options ...PReLUOptions) *PReLU {
	o := torch.Only(options)
	return &PReLU{parameter([]int{cmp.Or(o.NumParameters, 1)}, func(x *torch.Tensor) { x.FillInPlace(or(o.Init, 0.25)) })}
}

// Forward maps x [N, C, *] to the same shape.
func (m *PReLU) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*PReLU).forward) }

func (m *PReLU) forward(x *torch.Tensor) *torch.Tensor { return F.PReLU(x, m.Weight) }

func (m *PReLU) extraRepr() string { return fmt.Sprintf("num_parameters=%d", m.Weight.Size(0)) }

// RReLUOptions are the options of [NewRReLU].
type RReLUOptions struct {
	Lower   torch.Number // the least slope, default 1/8
	Upper   torch.Number // the largest slope, default 1/3
	InPlace bool         // inplace=True: x itself is changed and returned
}

// RReLU is x, or a multiple of it where x is negative, which is random while training:
// torch.nn.RReLU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.RReLU.html
type RReLU struct {
	Options  RReLUOptions
	Training bool // true in a new layer
}

// NewRReLU makes the function: nn.RReLU().
func NewRReLU(options ...RReLUOptions) *RReLU {
	return &RReLU{torch.Only(options), true}
}

// Forward maps x to the same shape.
func (m *RReLU) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*RReLU).forward) }

var opRReLUIn = torch.NewOp("aten::rrelu_", "")

func (m *RReLU) forward(x *torch.Tensor) *torch.Tensor {
	o := m.Options
	if o.InPlace {
		return inPlace(opRReLUIn, x, real64("RReLU", "Lower", o.Lower, 1./8), real64("RReLU", "Upper", o.Upper, 1./3), m.Training)
	}
	return F.RReLU(x, F.RReLUOptions{Lower: o.Lower, Upper: o.Upper, Training: m.Training})
}

func (m *RReLU) extraRepr() string {
	o := m.Options
	return fmt.Sprintf("lower=%s, upper=%s%s", number(o.Lower, "0.125"), number(o.Upper, "0.3333333333333333"), andInPlace(o.InPlace))
}

// ThresholdOptions are the options of [NewThreshold].
type ThresholdOptions struct {
	InPlace bool // inplace=True: x itself is changed and returned
}

// Threshold is x where it is above a threshold, or a value: torch.nn.Threshold.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Threshold.html
type Threshold struct {
	Threshold, Value torch.Number
	Options          ThresholdOptions
}

// NewThreshold makes the function: nn.Threshold(threshold, value).
func NewThreshold(threshold, value torch.Number, options ...ThresholdOptions) *Threshold {
	return &Threshold{threshold, value, torch.Only(options)}
}

// Forward maps x to the same shape.
func (m *Threshold) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Threshold).forward) }

var opThresholdIn = torch.NewOp("aten::threshold_", "")

func (m *Threshold) forward(x *torch.Tensor) *torch.Tensor {
	if m.Options.InPlace {
		return inPlace(opThresholdIn, x, m.Threshold, m.Value)
	}
	return F.Threshold(x, m.Threshold, m.Value)
}

func (m *Threshold) extraRepr() string {
	return fmt.Sprintf("threshold=%s, value=%s%s", number(m.Threshold, "None"), number(m.Value, "None"), andInPlace(m.Options.InPlace))
}

// Hardtanh is x, held to [MinVal, MaxVal]: torch.nn.Hardtanh.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html
type Hardtanh struct {
	MinVal  torch.Number // default -1
	MaxVal  torch.Number // default 1
	InPlace bool         // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape. It panics with a *torch.Error if MaxVal is not above MinVal.
func (m *Hardtanh) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Hardtanh).forward) }

func (m *Hardtanh) forward(x *torch.Tensor) *torch.Tensor {
	lo, hi := real64("Hardtanh", "MinVal", m.MinVal, -1), real64("Hardtanh", "MaxVal", m.MaxVal, 1)
	if hi <= lo {
		fail("Hardtanh: MaxVal is %v and MinVal %v; MaxVal must be above MinVal", hi, lo)
	}
	if m.InPlace {
		return inPlace(opHardtanhIn, x, lo, hi)
	}
	return F.Hardtanh(x, F.HardtanhOptions{MinVal: lo, MaxVal: hi})
}

func (m *Hardtanh) extraRepr() string {
	return fmt.Sprintf("min_val=%s, max_val=%s%s", number(m.MinVal, "-1.0"), number(m.MaxVal, "1.0"), andInPlace(m.InPlace))
}

// GLU is the first half of x along a dimension, times the sigmoid of the second: torch.nn.GLU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html
type GLU struct {
	Dim *int // default -1
}

// Forward halves the dimension.
func (m *GLU) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*GLU).forward) }

func (m *GLU) forward(x *torch.Tensor) *torch.Tensor { return F.GLU(x, F.GLUOptions{Dim: m.Dim}) }

func (m *GLU) extraRepr() string { return fmt.Sprintf("dim=%d", or(m.Dim, -1)) }

// Softplus is log(1 + exp(Beta·x))/Beta: torch.nn.Softplus.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Softplus.html
type Softplus struct {
	Beta      torch.Number // default 1
	Threshold torch.Number // x is returned where Beta·x is above it, default 20
}

// Forward maps x to the same shape.
func (m *Softplus) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Softplus).forward) }

func (m *Softplus) forward(x *torch.Tensor) *torch.Tensor {
	return F.Softplus(x, F.SoftplusOptions{Beta: m.Beta, Threshold: m.Threshold})
}

func (m *Softplus) extraRepr() string {
	return fmt.Sprintf("beta=%s, threshold=%s", number(m.Beta, "1.0"), number(m.Threshold, "20.0"))
}

// ELU is x, or Alpha·(exp(x) - 1) where x is negative: torch.nn.ELU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html
type ELU struct {
	Alpha   torch.Number // default 1
	InPlace bool         // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *ELU) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*ELU).forward) }

var opELUIn = torch.NewOp("aten::elu_", "")

func (m *ELU) forward(x *torch.Tensor) *torch.Tensor {
	if m.InPlace {
		return inPlace(opELUIn, x, real64("ELU", "Alpha", m.Alpha, 1))
	}
	return F.ELU(x, F.ELUOptions{Alpha: m.Alpha})
}

func (m *ELU) extraRepr() string {
	return "alpha=" + number(m.Alpha, "1.0") + andInPlace(m.InPlace)
}

// CELU is max(0, x) + min(0, Alpha·(exp(x/Alpha) - 1)): torch.nn.CELU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.CELU.html
type CELU struct {
	Alpha   torch.Number // default 1
	InPlace bool         // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *CELU) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*CELU).forward) }

var opCELUIn = torch.NewOp("aten::celu_", "")

func (m *CELU) forward(x *torch.Tensor) *torch.Tensor {
	if m.InPlace {
		return inPlace(opCELUIn, x, real64("CELU", "Alpha", m.Alpha, 1))
	}
	return F.CELU(x, F.CELUOptions{Alpha: m.Alpha})
}

func (m *CELU) extraRepr() string {
	return "alpha=" + number(m.Alpha, "1.0") + andInPlace(m.InPlace)
}

// SELU is the scaled ELU of self-normalizing networks: torch.nn.SELU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html
type SELU struct {
	InPlace bool // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *SELU) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*SELU).forward) }

var opSELUIn = torch.NewOp("aten::selu_", "")

func (m *SELU) forward(x *torch.Tensor) *torch.Tensor {
	if m.InPlace {
		return inPlace(opSELUIn, x)
	}
	return F.SELU(x)
}

func (m *SELU) extraRepr() string { return inPlaceOnly(m.InPlace) }

// Mish is x·tanh(softplus(x)): torch.nn.Mish.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Mish.html
type Mish struct {
	InPlace bool // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *Mish) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Mish).forward) }

var opMishIn = torch.NewOp("aten::mish_", "")

func (m *Mish) forward(x *torch.Tensor) *torch.Tensor {
	if m.InPlace {
		return inPlace(opMishIn, x)
	}
	return F.Mish(x)
}

func (m *Mish) extraRepr() string { return inPlaceOnly(m.InPlace) }

// Hardshrink is x, or 0 where |x| is at most Lambd: torch.nn.Hardshrink.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html
type Hardshrink struct {
	Lambd torch.Number // default 0.5
}

// Forward maps x to the same shape.
func (m *Hardshrink) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*Hardshrink).forward)
}

func (m *Hardshrink) forward(x *torch.Tensor) *torch.Tensor {
	return F.Hardshrink(x, F.HardshrinkOptions{Lambd: m.Lambd})
}

func (m *Hardshrink) extraRepr() string { return number(m.Lambd, "0.5") }

// Softshrink is x, moved toward 0 by Lambd: torch.nn.Softshrink.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Softshrink.html
type Softshrink struct {
	Lambd torch.Number // default 0.5
}

// Forward maps x to the same shape.
func (m *Softshrink) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*Softshrink).forward)
}

func (m *Softshrink) forward(x *torch.Tensor) *torch.Tensor {
	return F.Softshrink(x, F.SoftshrinkOptions{Lambd: m.Lambd})
}

func (m *Softshrink) extraRepr() string { return number(m.Lambd, "0.5") }

// LogSigmoid is log(1/(1 + exp(-x))): torch.nn.LogSigmoid.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html
type LogSigmoid struct {
	_ byte // distinguishes two of them
}

// Forward maps x to the same shape.
func (m *LogSigmoid) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*LogSigmoid).forward)
}

func (*LogSigmoid) forward(x *torch.Tensor) *torch.Tensor { return F.LogSigmoid(x) }

// Softsign is x/(1 + |x|): torch.nn.Softsign.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Softsign.html
type Softsign struct {
	_ byte // distinguishes two of them
}

// Forward maps x to the same shape.
func (m *Softsign) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*Softsign).forward)
}

func (*Softsign) forward(x *torch.Tensor) *torch.Tensor { return F.Softsign(x) }

// Tanhshrink is x - tanh(x): torch.nn.Tanhshrink.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html
type Tanhshrink struct {
	_ byte // distinguishes two of them
}

// Forward maps x to the same shape.
func (m *Tanhshrink) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*Tanhshrink).forward)
}

func (*Tanhshrink) forward(x *torch.Tensor) *torch.Tensor { return F.Tanhshrink(x) }
