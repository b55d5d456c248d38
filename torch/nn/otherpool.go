package nn

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// LPPoolOptions are the options of [NewLPPool1d], [NewLPPool2d] and [NewLPPool3d], those of [F.LPPool2d].
type LPPoolOptions = F.LPPoolOptions

// checkNorm refuses the norm 0, and returns others as float64.
func checkNorm(op string, p torch.Number) float64 {
	v := real64(op, "normType", p, 0)
	if v == 0 {
		fail("%s: normType is %v; it must be a number other than 0", op, p)
	}
	return v
}

func lpPoolRepr(p torch.Number, kernel torch.Ints, o LPPoolOptions) string {
	return fmt.Sprintf("norm_type=%s, kernel_size=%s, stride=%s, ceil_mode=%s", number(p, "None"), ints(kernel, "None"), ints(o.Stride, "None"), boolean(o.CeilMode))
}

// LPPool1d takes the p-norm of each window: torch.nn.LPPool1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool1d.html
type LPPool1d struct {
	NormType torch.Number // p
	Kernel   torch.Ints
	Options  LPPoolOptions
}

// NewLPPool1d makes a pooling with windows of the size of kernel: nn.LPPool1d(normType,
// kernel). It panics with a *torch.Error if normType is 0.
func NewLPPool1d(normType torch.Number, kernel torch.Ints, options ...LPPoolOptions) *LPPool1d {
	checkNorm("LPPool1d", normType)
	return &LPPool1d{normType, kernel, torch.Only(options)}
}

// Forward maps x [N, C, L] or [C, L] to [N, C, L'] or [C, L'].
func (m *LPPool1d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*LPPool1d).forward) }

func (m *LPPool1d) forward(x *torch.Tensor) *torch.Tensor {
	return F.LPPool1d(x, checkNorm("LPPool1d", m.NormType), m.Kernel, m.Options)
}

func (m *LPPool1d) extraRepr() string { return lpPoolRepr(m.NormType, m.Kernel, m.Options) }

// LPPool2d takes the p-norm of each window: torch.nn.LPPool2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html
type LPPool2d struct {
	NormType torch.Number // p
	Kernel   torch.Ints
	Options  LPPoolOptions
}

// NewLPPool2d makes a pooling with windows of the size of kernel: nn.LPPool2d(normType,
// kernel). It panics with a *torch.Error if normType is 0.
func NewLPPool2d(normType torch.Number, kernel torch.Ints, options ...LPPoolOptions) *LPPool2d {
	checkNorm("LPPool2d", normType)
	return &LPPool2d{normType, kernel, torch.Only(options)}
}

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *LPPool2d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*LPPool2d).forward) }

func (m *LPPool2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.LPPool2d(x, checkNorm("LPPool2d", m.NormType), m.Kernel, m.Options)
}

func (m *LPPool2d) extraRepr() string { return lpPoolRepr(m.NormType, m.Kernel, m.Options) }

// LPPool3d takes the p-norm of each window: torch.nn.LPPool3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool3d.html
type LPPool3d struct {
	NormType torch.Number // p
	Kernel   torch.Ints
	Options  LPPoolOptions
}

// NewLPPool3d makes a pooling with windows of the size of kernel: nn.LPPool3d(normType,
// kernel). It panics with a *torch.Error if normType is 0.
func NewLPPool3d(normType torch.Number, kernel torch.Ints, options ...LPPoolOptions) *LPPool3d {
	checkNorm("LPPool3d", normType)
	return &LPPool3d{normType, kernel, torch.Only(options)}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *LPPool3d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*LPPool3d).forward) }

func (m *LPPool3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.LPPool3d(x, checkNorm("LPPool3d", m.NormType), m.Kernel, m.Options)
}

func (m *LPPool3d) extraRepr() string { return lpPoolRepr(m.NormType, m.Kernel, m.Options) }

// MaxUnpoolOptions are the options of [NewMaxUnpool1d], [NewMaxUnpool2d] and [NewMaxUnpool3d].
type MaxUnpoolOptions struct {
	Stride  torch.Ints // default the kernel
	Padding torch.Ints // default 0
}

// MaxUnpoolForwardOptions are the options of the methods Forward of [MaxUnpool1d],
// [MaxUnpool2d] and [MaxUnpool3d].
type MaxUnpoolForwardOptions struct {
	OutputSize []int // of the spatial dimensions, or of all; default what the pooling implies
}

func (o MaxUnpoolOptions) functional(f MaxUnpoolForwardOptions) F.MaxUnpoolOptions {
	return F.MaxUnpoolOptions{Stride: o.Stride, Padding: o.Padding, OutputSize: f.OutputSize}
}

// MaxUnpool1d puts maxima back where they were: torch.nn.MaxUnpool1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxUnpool1d.html
type MaxUnpool1d struct {
	Kernel  torch.Ints
	Options MaxUnpoolOptions
}

// NewMaxUnpool1d makes the inverse of [MaxPool1d]: nn.MaxUnpool1d(kernel).
func NewMaxUnpool1d(kernel torch.Ints, options ...MaxUnpoolOptions) *MaxUnpool1d {
	return &MaxUnpool1d{kernel, torch.Only(options)}
}

// Forward maps x [N, C, L] or [C, L], and the indices from
// [MaxPool1d.ForwardWithIndices], to [N, C, L'] or [C, L'], which is 0 elsewhere.
func (m *MaxUnpool1d) Forward(x, indices *torch.Tensor, options ...MaxUnpoolForwardOptions) *torch.Tensor {
	return F.MaxUnpool1d(x, indices, m.Kernel, m.Options.functional(torch.Only(options)))
}

func (m *MaxUnpool1d) extraRepr() string {
	return tuplesRepr("MaxUnpool1d", m.Kernel, m.Options.Stride, m.Options.Padding, 1)
}

// MaxUnpool2d puts maxima back where they were: torch.nn.MaxUnpool2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxUnpool2d.html
type MaxUnpool2d struct {
	Kernel  torch.Ints
	Options MaxUnpoolOptions
}

// NewMaxUnpool2d makes the inverse of [MaxPool2d]: nn.MaxUnpool2d(kernel).
func NewMaxUnpool2d(kernel torch.Ints, options ...MaxUnpoolOptions) *MaxUnpool2d {
	return &MaxUnpool2d{kernel, torch.Only(options)}
}

// Forward maps x [N, C, H, W] or [C, H, W], and the indices from
// [MaxPool2d.ForwardWithIndices], to [N, C, H', W'] or [C, H', W'], which is 0 elsewhere.
func (m *MaxUnpool2d) Forward(x, indices *torch.Tensor, options ...MaxUnpoolForwardOptions) *torch.Tensor {
	return F.MaxUnpool2d(x, indices, m.Kernel, m.Options.functional(torch.Only(options)))
}

func (m *MaxUnpool2d) extraRepr() string {
	return tuplesRepr("MaxUnpool2d", m.Kernel, m.Options.Stride, m.Options.Padding, 2)
}

// MaxUnpool3d puts maxima back where they were: torch.nn.MaxUnpool3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxUnpool3d.html
type MaxUnpool3d struct {
	Kernel  torch.Ints
	Options MaxUnpoolOptions
}

// NewMaxUnpool3d makes the inverse of [MaxPool3d]: nn.MaxUnpool3d(kernel).
func NewMaxUnpool3d(kernel torch.Ints, options ...MaxUnpoolOptions) *MaxUnpool3d {
	return &MaxUnpool3d{kernel, torch.Only(options)}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W], and the indices from
// [MaxPool3d.ForwardWithIndices], to [N, C, D', H', W'] or [C, D', H', W'], which is 0 elsewhere.
func (m *MaxUnpool3d) Forward(x, indices *torch.Tensor, options ...MaxUnpoolForwardOptions) *torch.Tensor {
	return F.MaxUnpool3d(x, indices, m.Kernel, m.Options.functional(torch.Only(options)))
}

func (m *MaxUnpool3d) extraRepr() string {
	return tuplesRepr("MaxUnpool3d", m.Kernel, m.Options.Stride, m.Options.Padding, 3)
}

// FractionalMaxPoolOptions are the options of [NewFractionalMaxPool2d] and
// [NewFractionalMaxPool3d]. Either OutputSize or OutputRatio must be given.
type FractionalMaxPoolOptions struct {
	OutputSize    torch.Ints    // of the spatial dimensions
	OutputRatio   torch.Floats  // of the output's size to the input's, between 0 and 1
	RandomSamples *torch.Tensor // where the windows are, from [0, 1): [N, C, 2 or 3]; nil draws them in each call
}

// checkFractional refuses what PyTorch refuses of a fractional pooling of n dimensions.
func checkFractional(op string, kernel torch.Ints, o FractionalMaxPoolOptions, n int) {
	for _, k := range torch.SizesOf(op, "kernel", kernel, n) {
		if k < 1 {
			fail("%s: the kernel is %v; its sizes must be at least 1", op, kernel)
		}
	}
	if (o.OutputSize == nil) == (o.OutputRatio == nil) {
		fail("%s: either OutputSize or OutputRatio must be given", op)
	}
	if o.OutputSize != nil {
		torch.SizesOf(op, "OutputSize", o.OutputSize, n)
		return
	}
	ratios, ok := o.OutputRatio.([]float64)
	if r, one := o.OutputRatio.(float64); one {
		ratios = []float64{r}
	} else if !ok || len(ratios) != n {
		fail("%s: OutputRatio is %v; it must be a float64 or a []float64 of %d elements", op, o.OutputRatio, n)
	}
	for _, r := range ratios {
		if !(r > 0 && r < 1) {
			fail("%s: OutputRatio is %v; it must be between 0 and 1", op, o.OutputRatio)
		}
	}
}

// FractionalMaxPool2d takes the maximum of windows at random distances, also in
// evaluation: torch.nn.FractionalMaxPool2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool2d.html
type FractionalMaxPool2d struct {
	RandomSamples *torch.Tensor `nn:"_random_samples,buffer"` // nil unless given
	Kernel        torch.Ints
	OutputSize    torch.Ints
	OutputRatio   torch.Floats
}

// NewFractionalMaxPool2d makes a pooling with windows of the size of kernel:
// nn.FractionalMaxPool2d(kernel, output_size=…). It panics with a *torch.Error unless
// either OutputSize or OutputRatio is given.
func NewFractionalMaxPool2d(kernel torch.Ints, options ...FractionalMaxPoolOptions) *FractionalMaxPool2d {
	o := torch.Only(options)
	checkFractional("FractionalMaxPool2d", kernel, o, 2)
	return &FractionalMaxPool2d{o.RandomSamples, kernel, o.OutputSize, o.OutputRatio}
}

// Forward maps x [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'].
func (m *FractionalMaxPool2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*FractionalMaxPool2d).forward)
}

func (m *FractionalMaxPool2d) forward(x *torch.Tensor) *torch.Tensor {
	values, _ := m.ForwardWithIndices(x)
	return values
}

// ForwardWithIndices also returns the int64 indices of the maxima: m(x) of a module with
// return_indices=True.
func (m *FractionalMaxPool2d) ForwardWithIndices(x *torch.Tensor) (values, indices *torch.Tensor) {
	return F.FractionalMaxPool2d(x, m.Kernel, F.FractionalMaxPoolOptions{OutputSize: m.OutputSize, OutputRatio: m.OutputRatio, Samples: m.RandomSamples})
}

// FractionalMaxPool3d takes the maximum of windows at random distances, also in
// evaluation: torch.nn.FractionalMaxPool3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool3d.html
type FractionalMaxPool3d struct {
	RandomSamples *torch.Tensor `nn:"_random_samples,buffer"` // nil unless given
	Kernel        torch.Ints
	OutputSize    torch.Ints
	OutputRatio   torch.Floats
}

// NewFractionalMaxPool3d makes a pooling with windows of the size of kernel:
// nn.FractionalMaxPool3d(kernel, output_size=…). It panics with a *torch.Error unless
// either OutputSize or OutputRatio is given.
func NewFractionalMaxPool3d(kernel torch.Ints, options ...FractionalMaxPoolOptions) *FractionalMaxPool3d {
	o := torch.Only(options)
	checkFractional("FractionalMaxPool3d", kernel, o, 3)
	return &FractionalMaxPool3d{o.RandomSamples, kernel, o.OutputSize, o.OutputRatio}
}

// Forward maps x [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'].
func (m *FractionalMaxPool3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*FractionalMaxPool3d).forward)
}

func (m *FractionalMaxPool3d) forward(x *torch.Tensor) *torch.Tensor {
	values, _ := m.ForwardWithIndices(x)
	return values
}

// ForwardWithIndices also returns the int64 indices of the maxima: m(x) of a module with
// return_indices=True.
func (m *FractionalMaxPool3d) ForwardWithIndices(x *torch.Tensor) (values, indices *torch.Tensor) {
	return F.FractionalMaxPool3d(x, m.Kernel, F.FractionalMaxPoolOptions{OutputSize: m.OutputSize, OutputRatio: m.OutputRatio, Samples: m.RandomSamples})
}
