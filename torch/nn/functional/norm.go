package functional

import "github.com/torchhub/torchhub/torch"

var opBatchNorm = torch.NewOp("aten::batch_norm", "")

// BatchNormOptions are the options of [BatchNorm].
type BatchNormOptions struct {
	Weight, Bias            *torch.Tensor // [C], nil for none
	RunningMean, RunningVar *torch.Tensor // [C], updated while Training, nil for none
	Training                bool          // normalize by the batch's own statistics
	Momentum                *float64      // weight of the batch in the running statistics, default 0.1
	Eps                     *float64      // default 1e-5
}

// BatchNorm normalizes each channel of x [N, C, …]:
// F.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
func BatchNorm(x *torch.Tensor, options ...BatchNormOptions) *torch.Tensor {
	o := torch.Only(options)
	eps := or(o.Eps, 1e-5)
	switch {
	case o.Training && eps <= 0:
		fail("BatchNorm", "Eps is %v; training needs one above 0", eps)
	case eps < 0:
		fail("BatchNorm", "Eps is %v; it must not be negative", eps)
	case o.Training:
		checkValues("BatchNorm", x.Shape())
	}
	var c torch.Call
	c.Tensor(x)
	c.OptTensor(o.Weight)
	c.OptTensor(o.Bias)
	c.OptTensor(o.RunningMean)
	c.OptTensor(o.RunningVar)
	c.Bool(o.Training)
	c.Float(or(o.Momentum, 0.1))
	c.Float(eps)
	c.Bool(true) // torch.backends.cudnn.enabled
	return c.One(opBatchNorm)
}

var opInstanceNorm = torch.NewOp("aten::instance_norm", "")

// InstanceNormOptions are the options of [InstanceNorm].
type InstanceNormOptions struct {
	Weight, Bias            *torch.Tensor // [C], nil for none
	RunningMean, RunningVar *torch.Tensor // [C], nil for none
	UseRunning              bool          // normalize by them: use_input_stats=False
	Momentum                *float64      // weight of the batch in the running statistics, default 0.1
	Eps                     *float64      // default 1e-5
}

// InstanceNorm normalizes each channel of each sample of x [N, C, …]:
// F.instance_norm(x, running_mean, running_var, weight, bias, use_input_stats, momentum, eps).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html
func InstanceNorm(x *torch.Tensor, options ...InstanceNormOptions) *torch.Tensor {
	o := torch.Only(options)
	if !o.UseRunning {
		n := 1
		for i := 2; i < x.Dim(); i++ {
			n *= x.Size(i)
		}
		if n == 1 {
			fail("InstanceNorm", "x %v has one element for each channel; it must have more", x.Shape())
		}
	}
	var c torch.Call
	c.Tensor(x)
	c.OptTensor(o.Weight)
	c.OptTensor(o.Bias)
	c.OptTensor(o.RunningMean)
	c.OptTensor(o.RunningVar)
	c.Bool(!o.UseRunning)
	c.Float(or(o.Momentum, 0.1))
	c.Float(or(o.Eps, 1e-5))
	c.Bool(true) // torch.backends.cudnn.enabled
	return c.One(opInstanceNorm)
}

// LocalResponseNormOptions are the options of [LocalResponseNorm].
type LocalResponseNormOptions struct {
	Alpha *float64 // default 1e-4
	Beta  *float64 // default 0.75
	K     *float64 // default 1
}

// LocalResponseNorm divides each element of x [N, C, …] by a power of the mean of
// the squares in size neighboring channels: F.local_response_norm(x, size, alpha, beta, k).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html
func LocalResponseNorm(x *torch.Tensor, size int, options ...LocalResponseNormOptions) *torch.Tensor {
	o := torch.Only(options)
	if x.Dim() < 3 {
		fail("LocalResponseNorm", "x must have at least 3 dimensions, not %d", x.Dim())
	}
	if x.Numel() == 0 {
		return x
	}
	if size < 1 {
		fail("LocalResponseNorm", "size is %d; it must be at least 1", size)
	}
	square := x.Mul(x)
	var mean *torch.Tensor
	if x.Dim() == 3 {
		mean = AvgPool2d(Pad(square.Unsqueeze(1), []int{0, 0, size / 2, (size - 1) / 2}), []int{size, 1}, AvgPool2dOptions{Stride: 1}).Squeeze(1)
	} else {
		volume := square.View(x.Size(0), 1, x.Size(1), x.Size(2), -1)
		mean = AvgPool3d(Pad(volume, []int{0, 0, 0, 0, size / 2, (size - 1) / 2}), []int{size, 1, 1}, AvgPool3dOptions{Stride: 1}).Squeeze(1).View(x.Shape()...)
	}
	return x.Div(mean.MulScalar(or(o.Alpha, 1e-4)).AddScalar(or(o.K, 1)).PowScalar(or(o.Beta, 0.75)))
}

// NormalizeOptions are the options of [Normalize].
type NormalizeOptions struct {
	P   torch.Number // default 2
	Dim *int         // default 1
	Eps *float64     // the least norm that is divided by, default 1e-12
}

// Normalize divides x by its p-norms along a dimension: F.normalize(x, p, dim, eps).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
func Normalize(x *torch.Tensor, options ...NormalizeOptions) *torch.Tensor {
	o := torch.Only(options)
	p := o.P
	if p == nil {
		p = 2.0
	}
	return x.Div(x.NormDim(p, or(o.Dim, 1), torch.NormOptions{KeepDim: true}).ClampMin(or(o.Eps, 1e-12)).ExpandAs(x))
}
