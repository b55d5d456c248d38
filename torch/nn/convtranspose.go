package nn

import (
	"cmp"
	"fmt"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// ConvTranspose2dOptions are the options of [NewConvTranspose2d].
type ConvTranspose2dOptions struct {
	Stride        torch.Ints // default 1
	Padding       torch.Ints // default 0
	OutputPadding torch.Ints // added to one side of the output, default 0
	Groups        int        // 0 means 1
	NoBias        bool       // bias=False
	Dilation      torch.Ints // default 1
}

// ConvTranspose1dOptions are the options of [NewConvTranspose1d].
type ConvTranspose1dOptions ConvTranspose2dOptions

// ConvTranspose3dOptions are the options of [NewConvTranspose3d].
type ConvTranspose3dOptions ConvTranspose2dOptions

// newConv returns the parameters of a transposed convolution of n dimensions.
func (o ConvTranspose2dOptions) newConv(op string, in, out int, kernel torch.Ints, n int) (weight, bias *torch.Tensor) {
	groups := cmp.Or(o.Groups, 1)
	checkChannels(op, in, out, groups)
	sizesOf(op, "Stride", o.Stride, n, 1)
	sizesOf(op, "Padding", o.Padding, n, 0)
	sizesOf(op, "OutputPadding", o.OutputPadding, n, 0)
	sizesOf(op, "Dilation", o.Dilation, n, 1)
	return newKernel(op, []int{in, out / groups}, kernel, n, out, o.NoBias)
}

func (o ConvTranspose2dOptions) functional() F.ConvTranspose2dOptions {
	return F.ConvTranspose2dOptions{Stride: o.Stride, Padding: o.Padding, OutputPadding: o.OutputPadding, Groups: o.Groups, Dilation: o.Dilation}
}

// to returns the options whose OutputPadding gives an output of the given size: spatial, or whole.
func (o ConvTranspose2dOptions) to(op string, x, weight *torch.Tensor, outputSize []int) ConvTranspose2dOptions {
	kernel := weight.Shape()[2:]
	n := len(kernel)
	lead := 1 // dimensions that are not spatial
	if x.Dim() == n+2 {
		lead = 2
	}
	if x.Dim() < n+1 {
		fail("%s: x is %v; it must have %d dimensions, or %d without a batch", op, x.Shape(), n+2, n+1)
	}
	size := outputSize
	if len(size) == lead+n {
		size = size[lead:]
	}
	if len(size) != n {
		fail("%s: the output size %v has %d elements; for x %v it must have %d or %d", op, outputSize, len(size), x.Shape(), n, lead+n)
	}
	stride := sizesOf(op, "Stride", o.Stride, n, 1)
	padding := sizesOf(op, "Padding", o.Padding, n, 0)
	dilation := sizesOf(op, "Dilation", o.Dilation, n, 1)
	least, most, extra := make([]int, n), make([]int, n), make([]int, n)
	for d := range n {
		least[d] = (x.Size(lead+d)-1)*stride[d] - 2*padding[d] + dilation[d]*(kernel[d]-1) + 1
		most[d] = least[d] + stride[d] - 1
		extra[d] = size[d] - least[d]
	}
	for d := range n {
		if size[d] < least[d] || size[d] > most[d] {
			fail("%s: the output size is %v; for x %v it must be between %v and %v", op, outputSize, x.Shape(), least, most)
		}
	}
	o.OutputPadding = extra
	return o
}

func (o ConvTranspose2dOptions) extraRepr(weight *torch.Tensor) string {
	size := weight.Shape()
	kernel := size[2:]
	n := len(kernel)
	groups := cmp.Or(o.Groups, 1)
	return fmt.Sprintf("%d, %d, kernel_size=%s, stride=%s", size[0], size[1]*groups, tuple(kernel...), tuple(sizesOf("", "", o.Stride, n, 1)...)) +
		tupleUnless("padding", o.Padding, n, 0) + tupleUnless("dilation", o.Dilation, n, 1) + tupleUnless("output_padding", o.OutputPadding, n, 0) +
		groupsAndBias(groups, o.NoBias)
}

// ConvTranspose1d is the transposed convolution of sequences: torch.nn.ConvTranspose1d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html
type ConvTranspose1d struct {
	Weight  *torch.Tensor // [in, out/Groups, k]
	Bias    *torch.Tensor // [out], nil without bias
	Options ConvTranspose1dOptions
}

// NewConvTranspose1d makes a transposed convolution from in to out channels:
// nn.ConvTranspose1d(in, out, kernel). It panics with a *torch.Error if Groups
// does not divide the channels.
func NewConvTranspose1d(in, out int, kernel torch.Ints, options ...ConvTranspose1dOptions) *ConvTranspose1d {
	o := torch.Only(options)
	w, b := ConvTranspose2dOptions(o).newConv("ConvTranspose1d", in, out, kernel, 1)
	return &ConvTranspose1d{w, b, o}
}

// Forward maps x [N, in, L] or [in, L] to [N, out, L'] or [out, L'].
func (m *ConvTranspose1d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ConvTranspose1d).forward)
}

func (m *ConvTranspose1d) forward(x *torch.Tensor) *torch.Tensor {
	return m.transpose(x, ConvTranspose2dOptions(m.Options))
}

// ForwardTo is [ConvTranspose1d.Forward] with an OutputPadding that gives an output of
// a size, which is spatial or that of the whole output: m(x, output_size). It panics with
// a *torch.Error if no OutputPadding less than Stride does.
func (m *ConvTranspose1d) ForwardTo(x *torch.Tensor, outputSize []int) *torch.Tensor {
	return hooked(m, x, func(m *ConvTranspose1d, x *torch.Tensor) *torch.Tensor {
		return m.transpose(x, ConvTranspose2dOptions(m.Options).to("ConvTranspose1d", x, m.Weight, outputSize))
	})
}

func (m *ConvTranspose1d) transpose(x *torch.Tensor, o ConvTranspose2dOptions) *torch.Tensor {
	return F.ConvTranspose1d(x, m.Weight, m.Bias, F.ConvTranspose1dOptions(o.functional()))
}

func (m *ConvTranspose1d) extraRepr() string {
	return ConvTranspose2dOptions(m.Options).extraRepr(m.Weight)
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
	w, b := o.newConv("ConvTranspose2d", in, out, kernel, 2)
	return &ConvTranspose2d{w, b, o}
}

// Forward maps x [N, in, H, W] or [in, H, W] to [N, out, H', W'] or [out, H', W'].
func (m *ConvTranspose2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ConvTranspose2d).forward)
}

func (m *ConvTranspose2d) forward(x *torch.Tensor) *torch.Tensor {
	return m.transpose(x, m.Options)
}

// ForwardTo is [ConvTranspose2d.Forward] with an OutputPadding that gives an output of
// a size, which is spatial or that of the whole output: m(x, output_size). It panics with
// a *torch.Error if no OutputPadding less than Stride does.
func (m *ConvTranspose2d) ForwardTo(x *torch.Tensor, outputSize []int) *torch.Tensor {
	return hooked(m, x, func(m *ConvTranspose2d, x *torch.Tensor) *torch.Tensor {
		return m.transpose(x, m.Options.to("ConvTranspose2d", x, m.Weight, outputSize))
	})
}

func (m *ConvTranspose2d) transpose(x *torch.Tensor, o ConvTranspose2dOptions) *torch.Tensor {
	return F.ConvTranspose2d(x, m.Weight, m.Bias, o.functional())
}

func (m *ConvTranspose2d) extraRepr() string { return m.Options.extraRepr(m.Weight) }

// ConvTranspose3d is the transposed convolution of volumes: torch.nn.ConvTranspose3d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html
type ConvTranspose3d struct {
	Weight  *torch.Tensor // [in, out/Groups, kD, kH, kW]
	Bias    *torch.Tensor // [out], nil without bias
	Options ConvTranspose3dOptions
}

// NewConvTranspose3d makes a transposed convolution from in to out channels:
// nn.ConvTranspose3d(in, out, kernel). It panics with a *torch.Error if Groups
// does not divide the channels.
func NewConvTranspose3d(in, out int, kernel torch.Ints, options ...ConvTranspose3dOptions) *ConvTranspose3d {
	o := torch.Only(options)
	w, b := ConvTranspose2dOptions(o).newConv("ConvTranspose3d", in, out, kernel, 3)
	return &ConvTranspose3d{w, b, o}
}

// Forward maps x [N, in, D, H, W] or [in, D, H, W] to [N, out, D', H', W'] or [out, D', H', W'].
func (m *ConvTranspose3d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*ConvTranspose3d).forward)
}

func (m *ConvTranspose3d) forward(x *torch.Tensor) *torch.Tensor {
	return m.transpose(x, ConvTranspose2dOptions(m.Options))
}

// ForwardTo is [ConvTranspose3d.Forward] with an OutputPadding that gives an output of
// a size, which is spatial or that of the whole output: m(x, output_size). It panics with
// a *torch.Error if no OutputPadding less than Stride does.
func (m *ConvTranspose3d) ForwardTo(x *torch.Tensor, outputSize []int) *torch.Tensor {
	return hooked(m, x, func(m *ConvTranspose3d, x *torch.Tensor) *torch.Tensor {
		return m.transpose(x, ConvTranspose2dOptions(m.Options).to("ConvTranspose3d", x, m.Weight, outputSize))
	})
}

func (m *ConvTranspose3d) transpose(x *torch.Tensor, o ConvTranspose2dOptions) *torch.Tensor {
	return F.ConvTranspose3d(x, m.Weight, m.Bias, F.ConvTranspose3dOptions(o.functional()))
}

func (m *ConvTranspose3d) extraRepr() string {
	return ConvTranspose2dOptions(m.Options).extraRepr(m.Weight)
}
