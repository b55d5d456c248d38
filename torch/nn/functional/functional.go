// Package functional holds the operations behind the layers of torch/nn, as
// torch.nn.functional does. By custom it is imported as F:
//
//	import F "github.com/torchhub/torchhub/torch/nn/functional"
//
// Mistakes in shapes, dtypes and options panic with a [*torch.Error].
//
// https://docs.pytorch.org/docs/stable/nn.functional.html
package functional

import (
	"cmp"

	"github.com/torchhub/torchhub/torch"
)

var (
	opConv2d            = torch.NewOp("aten::conv2d", "")
	opBatchNorm         = torch.NewOp("aten::batch_norm", "")
	opLinear            = torch.NewOp("aten::linear", "")
	opMaxPool2d         = torch.NewOp("aten::max_pool2d", "")
	opAdaptiveAvgPool2d = torch.NewOp("aten::adaptive_avg_pool2d", "")
	opDropout           = torch.NewOp("aten::dropout", "")
)

// Conv2dOptions are the options of [Conv2d]. They hold for height and width alike.
type Conv2dOptions struct {
	Stride   int // 0 means 1
	Padding  int // zeros added on each side
	Dilation int // 0 means 1
	Groups   int // 0 means 1
}

// Conv2d convolves x [N, C, H, W] with weight [O, C/Groups, kH, kW] and adds
// bias [O] where it is not nil; the result is [N, O, H', W'].
// It is F.conv2d(x, weight, bias, stride, padding, dilation, groups).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
func Conv2d(x, weight, bias *torch.Tensor, o Conv2dOptions) *torch.Tensor {
	stride, dilation := cmp.Or(o.Stride, 1), cmp.Or(o.Dilation, 1)
	var c torch.Call
	c.Tensor(x)
	c.Tensor(weight)
	c.OptTensor(bias)
	c.Ints(stride, stride)
	c.Ints(o.Padding, o.Padding)
	c.Ints(dilation, dilation)
	c.Int(cmp.Or(o.Groups, 1))
	return c.One(opConv2d)
}

// BatchNormOptions are the options of [BatchNorm].
type BatchNormOptions struct {
	Weight, Bias            *torch.Tensor // [C], nil for none
	RunningMean, RunningVar *torch.Tensor // [C], updated while Training, nil for none
	Training                bool          // normalise by the batch's own statistics
	Momentum                float64       // weight of the batch in the running statistics, 0 means 0.1
	Eps                     float64       // 0 means 1e-5
}

// BatchNorm normalises each channel of x [N, C, …]:
// F.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
func BatchNorm(x *torch.Tensor, o BatchNormOptions) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	c.OptTensor(o.Weight)
	c.OptTensor(o.Bias)
	c.OptTensor(o.RunningMean)
	c.OptTensor(o.RunningVar)
	c.Bool(o.Training)
	c.Float(cmp.Or(o.Momentum, 0.1))
	c.Float(cmp.Or(o.Eps, 1e-5))
	c.Bool(true) // torch.backends.cudnn.enabled
	return c.One(opBatchNorm)
}

// Linear returns x [*, in] times weight [out, in] transposed, plus bias [out]
// where it is not nil: F.linear(x, weight, bias), [*, out].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
func Linear(x, weight, bias *torch.Tensor) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	c.Tensor(weight)
	c.OptTensor(bias)
	return c.One(opLinear)
}

// ReLU returns max(x, 0) by element: F.relu(x).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu.html
func ReLU(x *torch.Tensor) *torch.Tensor { return x.ReLU() }

// MaxPool2dOptions are the options of [MaxPool2d]. They hold for height and width alike.
type MaxPool2dOptions struct {
	Stride   int  // 0 means the kernel's size
	Padding  int  // of minus infinity on each side, at most half the kernel
	Dilation int  // 0 means 1
	CeilMode bool // round the output's size up
}

// MaxPool2d takes the maximum of each kernel × kernel window of x [N, C, H, W]:
// F.max_pool2d(x, kernel, stride, padding, dilation, ceil_mode). At most one
// options value may be given.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
func MaxPool2d(x *torch.Tensor, kernel int, options ...MaxPool2dOptions) *torch.Tensor {
	var o MaxPool2dOptions
	if len(options) > 0 {
		o = options[0]
	}
	stride, dilation := cmp.Or(o.Stride, kernel), cmp.Or(o.Dilation, 1)
	var c torch.Call
	c.Tensor(x)
	c.Ints(kernel, kernel)
	c.Ints(stride, stride)
	c.Ints(o.Padding, o.Padding)
	c.Ints(dilation, dilation)
	c.Bool(o.CeilMode)
	return c.One(opMaxPool2d)
}

// AdaptiveAvgPool2d averages x [N, C, H, W] down to [N, C, height, width]:
// F.adaptive_avg_pool2d(x, (height, width)).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html
func AdaptiveAvgPool2d(x *torch.Tensor, height, width int) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	c.Ints(height, width)
	return c.One(opAdaptiveAvgPool2d)
}

// Dropout zeroes elements with probability p, in [0, 1], and scales the others
// by 1/(1-p) while training; otherwise it returns x's values unchanged:
// F.dropout(x, p, training).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
func Dropout(x *torch.Tensor, p float64, training bool) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	c.Float(p)
	c.Bool(training)
	return c.One(opDropout)
}
