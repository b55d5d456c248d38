package functional

import "github.com/torchhub/torchhub/torch"

// Softmin is the softmax of -x along a dimension: F.softmin(x, dim).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmin.html
func Softmin(x *torch.Tensor, dim int) *torch.Tensor { return x.Neg().Softmax(dim) }

// Softsign is x / (1 + |x|): F.softsign(x).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softsign.html
func Softsign(x *torch.Tensor) *torch.Tensor { return x.Div(x.Abs().AddScalar(1)) }

// Tanhshrink is x - tanh(x): F.tanhshrink(x).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.tanhshrink.html
func Tanhshrink(x *torch.Tensor) *torch.Tensor { return x.Sub(x.Tanh()) }

// GumbelSoftmaxOptions are the options of [GumbelSoftmax].
type GumbelSoftmaxOptions struct {
	Tau  *float64 // temperature, default 1
	Hard bool     // one-hot, with the gradient of the soft sample
	Dim  *int     // default -1
}

// GumbelSoftmax samples from the Gumbel-Softmax distribution of logits:
// F.gumbel_softmax(logits, tau, hard, dim=dim).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html
func GumbelSoftmax(logits *torch.Tensor, options ...GumbelSoftmaxOptions) *torch.Tensor {
	o := torch.Only(options)
	dim := or(o.Dim, -1)
	like := torch.Options{DType: logits.DType(), Device: logits.Device()}
	gumbels := like.Empty(logits.Shape()...).ExponentialInPlace(1).Log().Neg()
	soft := logits.Add(gumbels).DivScalar(or(o.Tau, 1)).Softmax(dim)
	if !o.Hard {
		return soft
	}
	_, index := soft.MaxDim(dim, torch.MaxOptions{KeepDim: true})
	return like.Zeros(logits.Shape()...).ScatterValue(dim, index, 1.0).Sub(soft.Detach()).Add(soft)
}
