package nn

import (
	"cmp"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Conv2dOptions are the options of [NewConv2d].
type Conv2dOptions struct {
	Stride   torch.Ints // default 1
	Padding  torch.Ints // zeros added on each side, or "same" or "valid"; default 0
	Dilation torch.Ints // default 1
	Groups   int        // 0 means 1
	NoBias   bool       // bias=False
}

// Conv2d convolves pictures: torch.nn.Conv2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
type Conv2d struct {
	Weight  *torch.Tensor // [out, in/Groups, kH, kW]
	Bias    *torch.Tensor // [out], nil without bias
	Options Conv2dOptions
}

// NewConv2d makes a convolution from in to out channels: nn.Conv2d(in, out,
// kernel). It panics with an *torch.Error if Groups does not divide the
// channels.
func NewConv2d(in, out int, kernel torch.Ints, options ...Conv2dOptions) *Conv2d {
	o := torch.Only(options)
	groups := cmp.Or(o.Groups, 1)
	if groups < 1 || in%groups != 0 || out%groups != 0 {
		fail("Conv2d: %d groups do not divide %d input and %d output channels", groups, in, out)
	}
	size := torch.SizesOf("Conv2d", "kernel", kernel, 2)
	m := &Conv2d{Options: o}
	m.Weight = parameter([]int{out, in / groups, size[0], size[1]}, uniformWeight)
	if !o.NoBias {
		m.Bias = parameter([]int{out}, uniformBias(m.Weight))
	}
	return m
}

// Forward maps x [N, in, H, W] to [N, out, H', W'].
func (m *Conv2d) Forward(x *torch.Tensor) *torch.Tensor {
	o := m.Options
	return F.Conv2d(x, m.Weight, m.Bias, F.Conv2dOptions{Stride: o.Stride, Padding: o.Padding, Dilation: o.Dilation, Groups: o.Groups})
}

// Linear is an affine map: torch.nn.Linear.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
type Linear struct {
	Weight *torch.Tensor // [out, in]
	Bias   *torch.Tensor // [out], nil without bias
}

// LinearOptions are the options of [NewLinear].
type LinearOptions struct {
	NoBias bool // bias=False
}

// NewLinear makes a map from in to out features: nn.Linear(in, out).
func NewLinear(in, out int, options ...LinearOptions) *Linear {
	o := torch.Only(options)
	m := &Linear{Weight: parameter([]int{out, in}, uniformWeight)}
	if !o.NoBias {
		m.Bias = parameter([]int{out}, uniformBias(m.Weight))
	}
	return m
}

// Forward maps x [*, in] to [*, out].
func (m *Linear) Forward(x *torch.Tensor) *torch.Tensor { return F.Linear(x, m.Weight, m.Bias) }

// BatchNorm2dOptions are the options of [NewBatchNorm2d].
type BatchNorm2dOptions struct {
	Eps        *float64 // default 1e-5
	Momentum   *float64 // weight of the batch in the running statistics, default 0.1
	Cumulative bool     // the running statistics are the averages of all batches: momentum=None
}

// BatchNorm2d normalizes each channel by the batch while training and by the
// running statistics otherwise: torch.nn.BatchNorm2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
type BatchNorm2d struct {
	Weight, Bias      *torch.Tensor // [C]
	RunningMean       *torch.Tensor `nn:",buffer"`          // [C]
	RunningVar        *torch.Tensor `nn:",buffer"`          // [C]
	NumBatchesTracked *torch.Tensor `nn:",buffer,optional"` // [] int64
	Options           BatchNorm2dOptions
	Training          bool // true in a new layer
}

func (*BatchNorm2d) stateVersion() int { return 2 }

// NewBatchNorm2d makes a normalization of the given number of channels:
// nn.BatchNorm2d(channels).
func NewBatchNorm2d(channels int, options ...BatchNorm2dOptions) *BatchNorm2d {
	c := []int{channels}
	o := torch.Only(options)
	if o.Cumulative && o.Momentum != nil {
		fail("BatchNorm2d: Cumulative and a Momentum of %v are both given; give one of them", *o.Momentum)
	}
	return &BatchNorm2d{
		Options:           o,
		Weight:            buffer(c, torch.DefaultDType(), 1).RequireGrad(true),
		Bias:              buffer(c, torch.DefaultDType(), 0).RequireGrad(true),
		RunningMean:       buffer(c, torch.DefaultDType(), 0),
		RunningVar:        buffer(c, torch.DefaultDType(), 1),
		NumBatchesTracked: buffer(nil, torch.Int64, 0),
		Training:          true,
	}
}

var opAddScalarIn = torch.NewOp("aten::add_", "Scalar")

// Forward maps x [N, C, H, W] to the same shape.
func (m *BatchNorm2d) Forward(x *torch.Tensor) *torch.Tensor {
	if x.Dim() != 4 {
		fail("BatchNorm2d: x is %v and must be [N, C, H, W]", x.Shape())
	}
	momentum := m.Options.Momentum
	if m.Training {
		var c torch.Call
		c.Tensor(m.NumBatchesTracked)
		c.Int(1)
		c.Do(opAddScalarIn)
		if m.Options.Cumulative {
			momentum = new(1 / m.NumBatchesTracked.Item())
		}
	}
	return F.BatchNorm(x, F.BatchNormOptions{
		Weight: m.Weight, Bias: m.Bias, RunningMean: m.RunningMean, RunningVar: m.RunningVar,
		Training: m.Training, Momentum: momentum, Eps: m.Options.Eps,
	})
}

// ReLU is max(x, 0): torch.nn.ReLU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
type ReLU struct {
	InPlace bool // inplace=True: x itself is changed and returned
}

// Forward maps x to the same shape.
func (m *ReLU) Forward(x *torch.Tensor) *torch.Tensor {
	if m.InPlace {
		return x.ReLUInPlace()
	}
	return x.ReLU()
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

// Forward maps x [N, C, H, W] to [N, C, H', W'].
func (m *MaxPool2d) Forward(x *torch.Tensor) *torch.Tensor {
	return F.MaxPool2d(x, m.Kernel, m.Options)
}

// AdaptiveAvgPool2d averages down to a fixed size: torch.nn.AdaptiveAvgPool2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
type AdaptiveAvgPool2d struct {
	OutputSize torch.Ints
}

// NewAdaptiveAvgPool2d makes a pooling to the given height and width: nn.AdaptiveAvgPool2d(outputSize).
func NewAdaptiveAvgPool2d(outputSize torch.Ints) *AdaptiveAvgPool2d {
	return &AdaptiveAvgPool2d{outputSize}
}

// Forward maps x [N, C, H, W] to [N, C, H', W'].
func (m *AdaptiveAvgPool2d) Forward(x *torch.Tensor) *torch.Tensor {
	return F.AdaptiveAvgPool2d(x, m.OutputSize)
}

// Dropout zeroes elements at random while training: torch.nn.Dropout.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html
type Dropout struct {
	P        float64 // probability, in [0, 1]
	Training bool    // true in a new layer
}

// NewDropout makes a dropout: nn.Dropout(p). It panics with an *torch.Error if p is
// outside of [0, 1].
func NewDropout(p float64) *Dropout {
	if p < 0 || p > 1 {
		fail("Dropout: the probability is %v; it must be between 0 and 1", p)
	}
	return &Dropout{P: p, Training: true}
}

// Forward maps x to the same shape.
func (m *Dropout) Forward(x *torch.Tensor) *torch.Tensor { return F.Dropout(x, m.P, m.Training) }
