package ops

import (
	"cmp"
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func fail(op, format string, args ...any) {
	panic(&torch.Error{Op: "ops." + op, Msg: fmt.Sprintf(format, args...)})
}

// ConvNormActivationOptions are the options of [NewConv2dNormActivation] and
// [NewConv3dNormActivation].
type ConvNormActivationOptions struct {
	Kernel       torch.Ints                   // default 3
	Stride       torch.Ints                   // default 1
	Padding      torch.Ints                   // default (Kernel-1)/2·Dilation, which keeps the size
	Groups       int                          // 0 means 1
	Norm         func(channels int) nn.Module // nil means batch normalization
	NoNorm       bool                         // norm_layer=None
	Activation   func() nn.Module             // nil means ReLU, in place
	NoActivation bool                         // activation_layer=None
	Dilation     torch.Ints                   // default 1
	Bias         *bool                        // of the convolution, default NoNorm
}

// build calls conv with the sizes that are given or computed, and adds the norm and the activation.
func (o ConvNormActivationOptions) build(op string, dims, out int, norm func(int) nn.Module, conv func(kernel torch.Ints, c nn.Conv2dOptions) nn.Module) nn.Sequential {
	kernel := torch.SizesOf(op, "Kernel", cmp.Or[torch.Ints](o.Kernel, 3), dims)
	dilation := torch.SizesOf(op, "Dilation", cmp.Or[torch.Ints](o.Dilation, 1), dims)
	if o.Padding == nil {
		padding := make([]int, dims)
		for i, k := range kernel {
			padding[i] = (k - 1) / 2 * dilation[i]
		}
		o.Padding = padding
	}
	bias := o.NoNorm
	if o.Bias != nil {
		bias = *o.Bias
	}
	s := nn.Sequential{conv(kernel, nn.Conv2dOptions{Stride: o.Stride, Padding: o.Padding, Dilation: dilation, Groups: o.Groups, NoBias: !bias})}
	if !o.NoNorm {
		if o.Norm != nil {
			norm = o.Norm
		}
		s = append(s, norm(out))
	}
	switch {
	case o.NoActivation:
	case o.Activation != nil:
		s = append(s, o.Activation())
	default:
		s = append(s, &nn.ReLU{InPlace: true})
	}
	return s
}

// NewConv2dNormActivation makes a convolution of pictures from in to out channels, a
// normalization and an activation: torchvision.ops.Conv2dNormActivation(in, out). Its keys
// are 0, 1 and 2.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.Conv2dNormActivation.html
func NewConv2dNormActivation(in, out int, options ...ConvNormActivationOptions) nn.Sequential {
	norm := func(channels int) nn.Module { return nn.NewBatchNorm2d(channels) }
	return torch.Only(options).build("Conv2dNormActivation", 2, out, norm, func(kernel torch.Ints, c nn.Conv2dOptions) nn.Module {
		return nn.NewConv2d(in, out, kernel, c)
	})
}

// NewConv3dNormActivation makes a convolution of clips from in to out channels, a
// normalization and an activation: torchvision.ops.Conv3dNormActivation(in, out). Its keys
// are 0, 1 and 2.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.Conv3dNormActivation.html
func NewConv3dNormActivation(in, out int, options ...ConvNormActivationOptions) nn.Sequential {
	norm := func(channels int) nn.Module { return nn.NewBatchNorm3d(channels) }
	return torch.Only(options).build("Conv3dNormActivation", 3, out, norm, func(kernel torch.Ints, c nn.Conv2dOptions) nn.Module {
		return nn.NewConv3d(in, out, kernel, nn.Conv3dOptions(c))
	})
}

// SqueezeExcitationOptions are the options of [NewSqueezeExcitation].
type SqueezeExcitationOptions struct {
	Activation      func() nn.Module // nil means ReLU
	ScaleActivation func() nn.Module // nil means Sigmoid
}

// SqueezeExcitation weights each channel of a picture by all channels' means,
// https://arxiv.org/abs/1709.01507: torchvision.ops.SqueezeExcitation.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.SqueezeExcitation.html
type SqueezeExcitation struct {
	AvgPool         *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	FC1, FC2        *nn.Conv2d
	Activation      nn.Module
	ScaleActivation nn.Module
}

// NewSqueezeExcitation makes a weighting of channels by way of squeeze channels:
// SqueezeExcitation(channels, squeeze).
func NewSqueezeExcitation(channels, squeeze int, options ...SqueezeExcitationOptions) *SqueezeExcitation {
	o := torch.Only(options)
	m := &SqueezeExcitation{
		AvgPool:         nn.NewAdaptiveAvgPool2d(1),
		FC1:             nn.NewConv2d(channels, squeeze, 1),
		FC2:             nn.NewConv2d(squeeze, channels, 1),
		Activation:      &nn.ReLU{},
		ScaleActivation: &nn.Sigmoid{},
	}
	if o.Activation != nil {
		m.Activation = o.Activation()
	}
	if o.ScaleActivation != nil {
		m.ScaleActivation = o.ScaleActivation()
	}
	return m
}

// Forward maps [N, C, H, W] to the same shape.
func (m *SqueezeExcitation) Forward(x *torch.Tensor) *torch.Tensor {
	s := m.AvgPool.Forward(x).Then(m.FC1.Forward).Then(m.Activation.Forward).Then(m.FC2.Forward).Then(m.ScaleActivation.Forward) // [N, C, 1, 1]
	return s.Then(x.Mul)
}

// MLPOptions are the options of [NewMLP].
type MLPOptions struct {
	Norm       func(features int) nn.Module // nil means none
	Activation func() nn.Module             // nil means ReLU
	NoBias     bool                         // bias=False
	Dropout    float64                      // probability
}

// NewMLP makes a perceptron of layers with the given numbers of outputs, each
// followed by a norm, an activation and a dropout, except that the last one has only a
// dropout: torchvision.ops.MLP(in, hidden). Its keys are 0, 1, ….
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.MLP.html
func NewMLP(in int, hidden []int, options ...MLPOptions) nn.Sequential {
	o := torch.Only(options)
	if len(hidden) == 0 {
		fail("MLP", "hidden is empty; give at least one number of outputs")
	}
	var s nn.Sequential
	for i, out := range hidden {
		s = append(s, nn.NewLinear(in, out, nn.LinearOptions{NoBias: o.NoBias}))
		if i < len(hidden)-1 {
			if o.Norm != nil {
				s = append(s, o.Norm(out))
			}
			if o.Activation != nil {
				s = append(s, o.Activation())
			} else {
				s = append(s, &nn.ReLU{})
			}
		}
		s = append(s, nn.NewDropout(o.Dropout))
		in = out
	}
	return s
}

// Permute changes the order of dimensions: torchvision.ops.Permute.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.Permute.html
type Permute struct{ Dims []int }

// NewPermute makes a module that returns x.permute(dims): Permute(dims).
func NewPermute(dims ...int) *Permute { return &Permute{dims} }

// Forward returns a view of x.
func (m *Permute) Forward(x *torch.Tensor) *torch.Tensor { return x.Permute(m.Dims...) }

// StochasticDepth zeroes whole residual branches at random while training,
// https://arxiv.org/abs/1603.09382: torchvision.ops.StochasticDepth. A literal with
// Training set is torchvision.ops.stochastic_depth.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.StochasticDepth.html
type StochasticDepth struct {
	P        float64 // probability, in [0, 1]
	Mode     string  // "row" draws for each sample, "batch" for all at once
	Training bool    // true in a new layer
}

// NewStochasticDepth makes a StochasticDepth(p, mode). It panics with a *torch.Error if p
// is outside of [0, 1] or the mode is neither "row" nor "batch".
func NewStochasticDepth(p float64, mode string) *StochasticDepth {
	m := &StochasticDepth{p, mode, true}
	m.check()
	return m
}

func (m *StochasticDepth) check() {
	if !(m.P >= 0 && m.P <= 1) {
		fail("StochasticDepth", "the probability is %v; it must be between 0 and 1", m.P)
	}
	if m.Mode != "row" && m.Mode != "batch" {
		fail("StochasticDepth", `the mode is %.100q; it can be "row" or "batch"`, m.Mode)
	}
}

// Forward maps x [N, *] to the same shape. It returns x itself where it changes nothing.
func (m *StochasticDepth) Forward(x *torch.Tensor) *torch.Tensor {
	m.check()
	if !m.Training || m.P == 0 {
		return x
	}
	size := make([]int, x.Dim())
	for i := range size {
		size[i] = 1
	}
	if m.Mode == "row" {
		size[0] = x.Size(0)
	}
	noise := torch.Options{DType: x.DType(), Device: x.Device()}.Empty(size...).BernoulliInPlace(1 - m.P)
	if m.P < 1 {
		noise.DivScalarInPlace(1 - m.P)
	}
	return noise.Then(x.Mul)
}

// FrozenBatchNorm2dOptions are the options of [NewFrozenBatchNorm2d].
type FrozenBatchNorm2dOptions struct {
	Eps *float64 // default 1e-5
}

// FrozenBatchNorm2d is a batch normalization whose weights and statistics stay as
// they are while training: torchvision.ops.FrozenBatchNorm2d.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.FrozenBatchNorm2d.html
type FrozenBatchNorm2d struct {
	Weight      *torch.Tensor `nn:",buffer"` // [C]
	Bias        *torch.Tensor `nn:",buffer"` // [C]
	RunningMean *torch.Tensor `nn:",buffer"` // [C]
	RunningVar  *torch.Tensor `nn:",buffer"` // [C]
	Eps         float64
}

// NewFrozenBatchNorm2d makes a normalization of the given number of channels:
// FrozenBatchNorm2d(channels).
func NewFrozenBatchNorm2d(channels int, options ...FrozenBatchNorm2dOptions) *FrozenBatchNorm2d {
	eps := 1e-5
	if o := torch.Only(options); o.Eps != nil {
		eps = *o.Eps
	}
	return &FrozenBatchNorm2d{torch.Ones(channels), torch.Zeros(channels), torch.Zeros(channels), torch.Ones(channels), eps}
}

// UpgradeState removes the number of batches of a BatchNorm2d.
func (m *FrozenBatchNorm2d) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	delete(s, prefix+"num_batches_tracked")
}

// Forward maps x [N, C, H, W] to the same shape.
func (m *FrozenBatchNorm2d) Forward(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		scale := m.RunningVar.AddScalar(m.Eps).Rsqrt().Mul(m.Weight)
		shift := m.Bias.Sub(m.RunningMean.Mul(scale))
		y = torch.Keep(x.Mul(scale.View(1, -1, 1, 1)).AddInPlace(shift.View(1, -1, 1, 1)))
	})
	return y
}
