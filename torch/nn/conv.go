package nn

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Conv2dOptions are the options of [NewConv2d].
type Conv2dOptions struct {
	Stride      torch.Ints // default 1
	Padding     torch.Ints // added on each side, or "same" or "valid"; default 0
	Dilation    torch.Ints // default 1
	Groups      int        // 0 means 1
	NoBias      bool       // bias=False
	PaddingMode string     // what is added: "zeros", the default, "reflect", "replicate" or "circular"
}

// Conv1dOptions are the options of [NewConv1d].
type Conv1dOptions Conv2dOptions

// Conv3dOptions are the options of [NewConv3d].
type Conv3dOptions Conv2dOptions

func (o Conv2dOptions) functional() F.Conv2dOptions {
	return F.Conv2dOptions{Stride: o.Stride, Padding: o.Padding, Dilation: o.Dilation, Groups: o.Groups}
}

// checkChannels refuses channels that are not divided by the groups.
func checkChannels(op string, in, out, groups int) {
	switch {
	case in < 0 || out < 0:
		fail("%s: there are %d input and %d output channels; their numbers must not be negative", op, in, out)
	case groups < 1 || in%groups != 0 || out%groups != 0:
		fail("%s: %d groups do not divide %d input and %d output channels", op, groups, in, out)
	}
}

// newConv returns the parameters of a convolution of n dimensions.
func (o Conv2dOptions) newConv(op string, in, out int, kernel torch.Ints, n int) (weight, bias *torch.Tensor) {
	groups := cmp.Or(o.Groups, 1)
	checkChannels(op, in, out, groups)
	stride := sizesOf(op, "Stride", o.Stride, n, 1)
	sizesOf(op, "Dilation", o.Dilation, n, 1)
	switch word, ok := o.Padding.(string); {
	case !ok:
		sizesOf(op, "Padding", o.Padding, n, 0)
	case word != "same" && word != "valid":
		fail(`%s: Padding is %q; it must be "same", "valid" or sizes`, op, word)
	case word == "same" && slices.ContainsFunc(stride, func(s int) bool { return s != 1 }):
		fail(`%s: Padding "same" is given with the stride %v; it needs the stride 1`, op, o.Stride)
	}
	switch o.PaddingMode {
	case "", "zeros", "reflect", "replicate", "circular":
	default:
		fail(`%s: PaddingMode is %q; it must be "zeros", "reflect", "replicate" or "circular"`, op, o.PaddingMode)
	}
	return newKernel(op, []int{out, in / groups}, kernel, n, out, o.NoBias)
}

// newKernel returns a weight of channels and a kernel of n dimensions, and its bias.
func newKernel(op string, channels []int, kernel torch.Ints, n, out int, noBias bool) (weight, bias *torch.Tensor) {
	sizes := torch.SizesOf(op, "kernel", kernel, n)
	if slices.ContainsFunc(sizes, func(s int) bool { return s < 0 }) {
		fail("%s: the kernel is %v; its sizes must not be negative", op, kernel)
	}
	weight = parameter(append(channels, sizes...), uniformWeight)
	if !noBias {
		bias = parameter([]int{out}, uniformBias(weight))
	}
	return weight, bias
}

// padded returns x with the padding that the operator of a convolution does not know, and the options for the operator.
func (o Conv2dOptions) padded(op string, x, weight *torch.Tensor) (*torch.Tensor, F.Conv2dOptions) {
	f := o.functional()
	kernel := weight.Shape()[2:]
	n := len(kernel)
	pad := make([]int, 2*n) // from the last dimension on
	switch word, _ := o.Padding.(string); word {
	case "":
		for d, p := range sizesOf(op, "Padding", o.Padding, n, 0) {
			pad[2*(n-1-d)], pad[2*(n-1-d)+1] = p, p
		}
	case "same":
		for d, dilation := range sizesOf(op, "Dilation", o.Dilation, n, 1) {
			total := dilation * (kernel[d] - 1)
			pad[2*(n-1-d)], pad[2*(n-1-d)+1] = total/2, total-total/2
		}
	}
	f.Padding = nil
	return F.Pad(x, pad, F.PadOptions{Mode: o.PaddingMode}), f
}

// convolve maps x by the operator of a convolution.
func (o Conv2dOptions) convolve(op string, x, weight *torch.Tensor, operator func(*torch.Tensor, F.Conv2dOptions) *torch.Tensor) *torch.Tensor {
	if o.PaddingMode == "" || o.PaddingMode == "zeros" {
		return operator(x, o.functional())
	}
	x, f := o.padded(op, x, weight)
	return x.Then(func(x *torch.Tensor) *torch.Tensor { return operator(x, f) })
}

func (o Conv2dOptions) extraRepr(weight *torch.Tensor) string {
	size := weight.Shape()
	kernel := size[2:]
	n := len(kernel)
	groups := cmp.Or(o.Groups, 1)
	s := fmt.Sprintf("%d, %d, kernel_size=%s, stride=%s", size[1]*groups, size[0], tuple(kernel...), tuple(sizesOf("", "", o.Stride, n, 1)...))
	if word, ok := o.Padding.(string); ok {
		s += ", padding=" + word
	} else {
		s += tupleUnless("padding", o.Padding, n, 0)
	}
	s += tupleUnless("dilation", o.Dilation, n, 1)
	s += groupsAndBias(groups, o.NoBias)
	if o.PaddingMode != "" && o.PaddingMode != "zeros" {
		s += ", padding_mode=" + o.PaddingMode
	}
	return s
}

// sizesOf is [torch.SizesOf] with the same default for all n dimensions.
func sizesOf(op, field string, v torch.Ints, n, standard int) []int {
	return torch.SizesOf(op, field, v, n, slices.Repeat([]int{standard}, n)...)
}

// tupleUnless returns ", name=(v, …)", or nothing if all are the default.
func tupleUnless(name string, v torch.Ints, n, standard int) string {
	sizes := sizesOf("", name, v, n, standard)
	if slices.ContainsFunc(sizes, func(s int) bool { return s != standard }) {
		return ", " + name + "=" + tuple(sizes...)
	}
	return ""
}

func groupsAndBias(groups int, noBias bool) (s string) {
	if groups != 1 {
		s += fmt.Sprintf(", groups=%d", groups)
	}
	if noBias {
		s += ", bias=False"
	}
	return s
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
// channels, or if another option is none of those that it can be.
func NewConv1d(in, out int, kernel torch.Ints, options ...Conv1dOptions) *Conv1d {
	o := torch.Only(options)
	w, b := Conv2dOptions(o).newConv("Conv1d", in, out, kernel, 1)
	return &Conv1d{w, b, o}
}

// Forward maps x [N, in, L] or [in, L] to [N, out, L'] or [out, L'].
func (m *Conv1d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Conv1d).forward) }

func (m *Conv1d) forward(x *torch.Tensor) *torch.Tensor {
	return Conv2dOptions(m.Options).convolve("Conv1d", x, m.Weight, func(x *torch.Tensor, o F.Conv2dOptions) *torch.Tensor {
		return F.Conv1d(x, m.Weight, m.Bias, F.Conv1dOptions(o))
	})
}

func (m *Conv1d) extraRepr() string { return Conv2dOptions(m.Options).extraRepr(m.Weight) }

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
// channels, or if another option is none of those that it can be.
func NewConv2d(in, out int, kernel torch.Ints, options ...Conv2dOptions) *Conv2d {
	o := torch.Only(options)
	w, b := o.newConv("Conv2d", in, out, kernel, 2)
	return &Conv2d{w, b, o}
}

// Forward maps x [N, in, H, W] or [in, H, W] to [N, out, H', W'] or [out, H', W'].
func (m *Conv2d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Conv2d).forward) }

func (m *Conv2d) forward(x *torch.Tensor) *torch.Tensor {
	return m.Options.convolve("Conv2d", x, m.Weight, func(x *torch.Tensor, o F.Conv2dOptions) *torch.Tensor {
		return F.Conv2d(x, m.Weight, m.Bias, o)
	})
}

func (m *Conv2d) extraRepr() string { return m.Options.extraRepr(m.Weight) }

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
// channels, or if another option is none of those that it can be.
func NewConv3d(in, out int, kernel torch.Ints, options ...Conv3dOptions) *Conv3d {
	o := torch.Only(options)
	w, b := Conv2dOptions(o).newConv("Conv3d", in, out, kernel, 3)
	return &Conv3d{w, b, o}
}

// Forward maps x [N, in, D, H, W] or [in, D, H, W] to [N, out, D', H', W'] or [out, D', H', W'].
func (m *Conv3d) Forward(x *torch.Tensor) *torch.Tensor { return hooked(m, x, (*Conv3d).forward) }

func (m *Conv3d) forward(x *torch.Tensor) *torch.Tensor {
	return Conv2dOptions(m.Options).convolve("Conv3d", x, m.Weight, func(x *torch.Tensor, o F.Conv2dOptions) *torch.Tensor {
		return F.Conv3d(x, m.Weight, m.Bias, F.Conv3dOptions(o))
	})
}

func (m *Conv3d) extraRepr() string { return Conv2dOptions(m.Options).extraRepr(m.Weight) }
