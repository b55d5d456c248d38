// Package functional holds the operations behind the layers of torch/nn, as
// torch.nn.functional does. By custom it is imported as F:
//
//	import F "github.com/torchhub/torchhub/torch/nn/functional"
//
// Mistakes in shapes, dtypes and options panic with a [*torch.Error].
//
// https://docs.pytorch.org/docs/stable/nn.functional.html
package functional

import "github.com/torchhub/torchhub/torch"

var opBatchNorm = torch.NewOp("aten::batch_norm", "")

// BatchNormOptions are the options of [BatchNorm].
type BatchNormOptions struct {
	Weight, Bias            *torch.Tensor // [C], nil for none
	RunningMean, RunningVar *torch.Tensor // [C], updated while Training, nil for none
	Training                bool          // normalise by the batch's own statistics
	Momentum                *float64      // weight of the batch in the running statistics, default 0.1
	Eps                     *float64      // default 1e-5
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
	c.Float(or(o.Momentum, 0.1))
	c.Float(or(o.Eps, 1e-5))
	c.Bool(true) // torch.backends.cudnn.enabled
	return c.One(opBatchNorm)
}
