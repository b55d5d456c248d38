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

func (o Conv2dOptions) functional() F.Conv2dOptions {
	return F.Conv2dOptions{Stride: o.Stride, Padding: o.Padding, Dilation: o.Dilation, Groups: o.Groups}
}

// Conv1dOptions are the options of [NewConv1d].
type Conv1dOptions Conv2dOptions

// Conv3dOptions are the options of [NewConv3d].
type Conv3dOptions Conv2dOptions

// newConv returns the parameters of a convolution; the first two sizes of its weight are first and second/groups.
func newConv(op string, in, out, groups int, transposed bool, kernel []int, noBias bool) (weight, bias *torch.Tensor) {
	groups = cmp.Or(groups, 1)
	if groups < 1 || in%groups != 0 || out%groups != 0 {
		fail("%s: %d groups do not divide %d input and %d output channels", op, groups, in, out)
	}
	first, second := out, in
	if transposed {
		first, second = in, out
	}
	weight = parameter(append([]int{first, second / groups}, kernel...), uniformWeight)
	if !noBias {
		bias = parameter([]int{out}, uniformBias(weight))
	}
	return weight, bias
}

// Conv1d convolves sequences: torch.nn.Conv1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
type Conv1d struct {
	Weight  *torch.Tensor // [out, in/Groups, k]
	Bias    *torch.Tensor // [out], nil without bias
	Options Conv1dOptions
}

// NewConv1d makes a convolution from in to out channels: nn.Conv1d(in, out,
// kernel). It panics with a *torch.Error if Groups does not divide the
// channels.
func NewConv1d(in, out int, kernel torch.Ints, options ...Conv1dOptions) *Conv1d {
	o := torch.Only(options)
	w, b := newConv("Conv1d", in, out, o.Groups, false, torch.SizesOf("Conv1d", "kernel", kernel, 1), o.NoBias)
	return &Conv1d{w, b, o}
}

// Forward maps x [N, in, L] to [N, out, L'].
func (m *Conv1d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Conv1d).forward) }

func (m *Conv1d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Conv1d(x, m.Weight, m.Bias, F.Conv1dOptions(Conv2dOptions(m.Options).functional()))
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
// kernel). It panics with a *torch.Error if Groups does not divide the
// channels.
func NewConv2d(in, out int, kernel torch.Ints, options ...Conv2dOptions) *Conv2d {
	o := torch.Only(options)
	w, b := newConv("Conv2d", in, out, o.Groups, false, torch.SizesOf("Conv2d", "kernel", kernel, 2), o.NoBias)
	return &Conv2d{w, b, o}
}

// Forward maps x [N, in, H, W] to [N, out, H', W'].
func (m *Conv2d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Conv2d).forward) }

func (m *Conv2d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Conv2d(x, m.Weight, m.Bias, m.Options.functional())
}

// Conv3d convolves volumes, such as clips of video: torch.nn.Conv3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv3d.html
type Conv3d struct {
	Weight  *torch.Tensor // [out, in/Groups, kD, kH, kW]
	Bias    *torch.Tensor // [out], nil without bias
	Options Conv3dOptions
}

// NewConv3d makes a convolution from in to out channels: nn.Conv3d(in, out,
// kernel). It panics with a *torch.Error if Groups does not divide the
// channels.
func NewConv3d(in, out int, kernel torch.Ints, options ...Conv3dOptions) *Conv3d {
	o := torch.Only(options)
	w, b := newConv("Conv3d", in, out, o.Groups, false, torch.SizesOf("Conv3d", "kernel", kernel, 3), o.NoBias)
	return &Conv3d{w, b, o}
}

// Forward maps x [N, in, D, H, W] to [N, out, D', H', W'].
func (m *Conv3d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Conv3d).forward) }

func (m *Conv3d) forward(x *torch.Tensor) *torch.Tensor {
	return F.Conv3d(x, m.Weight, m.Bias, F.Conv3dOptions(Conv2dOptions(m.Options).functional()))
}

// ConvTranspose2dOptions are the options of [NewConvTranspose2d].
type ConvTranspose2dOptions struct {
	Stride        torch.Ints // default 1
	Padding       torch.Ints // default 0
	OutputPadding torch.Ints // added to one side of the output, default 0
	Groups        int        // 0 means 1
	NoBias        bool       // bias=False
	Dilation      torch.Ints // default 1
}

// ConvTranspose2d is the transposed convolution of pictures: torch.nn.ConvTranspose2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
type ConvTranspose2d struct {
	Weight  *torch.Tensor // [in, out/Groups, kH, kW]
	Bias    *torch.Tensor // [out], nil without bias
	Options ConvTranspose2dOptions
}

// NewConvTranspose2d makes a transposed convolution from in to out channels:
// nn.ConvTranspose2d(in, out, kernel). It panics with a *torch.Error if Groups
// does not divide the channels.
func NewConvTranspose2d(in, out int, kernel torch.Ints, options ...ConvTranspose2dOptions) *ConvTranspose2d {
	o := torch.Only(options)
	w, b := newConv("ConvTranspose2d", in, out, o.Groups, true, torch.SizesOf("ConvTranspose2d", "kernel", kernel, 2), o.NoBias)
	return &ConvTranspose2d{w, b, o}
}

// Forward maps x [N, in, H, W] to [N, out, H', W'].
func (m *ConvTranspose2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ConvTranspose2d).forward)
}

func (m *ConvTranspose2d) forward(x *torch.Tensor) *torch.Tensor {
	o := m.Options
	return F.ConvTranspose2d(x, m.Weight, m.Bias, F.ConvTranspose2dOptions{
		Stride: o.Stride, Padding: o.Padding, OutputPadding: o.OutputPadding, Groups: o.Groups, Dilation: o.Dilation,
	})
}
