package nn

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// LocalResponseNormOptions are the options of [NewLocalResponseNorm].
type LocalResponseNormOptions struct {
	Alpha torch.Number // default 1e-4
	Beta  torch.Number // default 0.75
	K     torch.Number // default 1
}

// LocalResponseNorm divides each element by a power of the mean of the squares in
// neighboring channels: torch.nn.LocalResponseNorm.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html
type LocalResponseNorm struct {
	Size    int // the number of channels
	Options LocalResponseNormOptions
}

// NewLocalResponseNorm makes a normalization by a number of channels: nn.LocalResponseNorm(size).
func NewLocalResponseNorm(size int, options ...LocalResponseNormOptions) *LocalResponseNorm {
	return &LocalResponseNorm{size, torch.Only(options)}
}

// Forward maps x [N, C, *] to the same shape.
func (m *LocalResponseNorm) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*LocalResponseNorm).forward)
}

func (m *LocalResponseNorm) forward(x *torch.Tensor) *torch.Tensor {
	alpha, beta, k := m.Options.values("LocalResponseNorm")
	return F.LocalResponseNorm(x, m.Size, F.LocalResponseNormOptions{Alpha: &alpha, Beta: &beta, K: &k})
}

// values returns the numbers.
func (o LocalResponseNormOptions) values(op string) (alpha, beta, k float64) {
	return real64(op, "Alpha", o.Alpha, 1e-4), real64(op, "Beta", o.Beta, 0.75), real64(op, "K", o.K, 1)
}

func (o LocalResponseNormOptions) extraRepr(size int, k string) string {
	return fmt.Sprintf("%d, alpha=%s, beta=%s, k=%s", size, number(o.Alpha, "0.0001"), number(o.Beta, "0.75"), number(o.K, k))
}

func (m *LocalResponseNorm) extraRepr() string { return m.Options.extraRepr(m.Size, "1.0") }

// real64 returns a Number as a float64; nil is the default.
func real64(op, field string, v torch.Number, standard float64) float64 {
	switch v := v.(type) {
	case nil:
		return standard
	case int:
		return float64(v)
	case float64:
		return v
	}
	fail("%s: %s is a %T; it must be a float64 or an int", op, field, v)
	return 0
}

// CrossMapLRN2dOptions are the options of [NewCrossMapLRN2d].
type CrossMapLRN2dOptions LocalResponseNormOptions

// CrossMapLRN2d is [LocalResponseNorm] of pictures, computed from one channel to the next:
// torch.nn.CrossMapLRN2d. It has no second derivative.
//
// https://docs.pytorch.org/docs/stable/nn.html#normalization-layers
type CrossMapLRN2d struct {
	Size    int // the number of channels
	Options CrossMapLRN2dOptions
}

// NewCrossMapLRN2d makes a normalization by a number of channels: nn.CrossMapLRN2d(size).
func NewCrossMapLRN2d(size int, options ...CrossMapLRN2dOptions) *CrossMapLRN2d {
	return &CrossMapLRN2d{size, torch.Only(options)}
}

// Forward maps x [N, C, H, W] to the same shape.
func (m *CrossMapLRN2d) Forward(x *torch.Tensor) *torch.Tensor {
	return hooked(m, x, (*CrossMapLRN2d).forward)
}

func (m *CrossMapLRN2d) extraRepr() string {
	return LocalResponseNormOptions(m.Options).extraRepr(m.Size, "1")
}

func (m *CrossMapLRN2d) forward(x *torch.Tensor) *torch.Tensor {
	const op = "CrossMapLRN2d"
	alpha, beta, k := LocalResponseNormOptions(m.Options).values(op)
	switch {
	case m.Size < 1:
		fail("%s: the size is %d; it must be at least 1", op, m.Size)
	case x.Dim() != 4 || x.Size(1) == 0:
		fail("%s: x is %v and must be [N, C, H, W], of at least 1 channel", op, x.Shape())
	}
	var scale *torch.Tensor
	return autograd.Function{
		Name: op,
		Forward: func(ctx *autograd.Context, in ...*torch.Tensor) []*torch.Tensor {
			var y *torch.Tensor
			torch.Scope(func() {
				scale = windowSums(in[0].PowScalar(2), m.Size)
				scale.MulScalarInPlace(alpha / float64(m.Size)).AddScalarInPlace(k)
				y = scale.PowScalar(-beta).MulInPlace(in[0])
				torch.Keep(scale)
				torch.Keep(y)
			})
			ctx.SaveForBackward(in[0], y)
			return []*torch.Tensor{y}
		},
		Backward: func(ctx *autograd.Context, grads ...*torch.Tensor) []*torch.Tensor {
			saved := ctx.SavedTensors()
			grad := scale.PowScalar(-beta).MulInPlace(grads[0])
			torch.Scope(func() {
				for n := range saved[0].Size(0) {
					ratio := grads[0].Select(0, n).Mul(saved[1].Select(0, n)).DivInPlace(scale.Select(0, n))
					subtractNeighbors(grad.Select(0, n), saved[0].Select(0, n), ratio, m.Size, 2*alpha*beta/float64(m.Size))
				}
			})
			return []*torch.Tensor{grad}
		},
	}.Apply(x)[0]
}

// windowSums returns the sums of size neighboring channels of x [N, C, H, W].
func windowSums(x *torch.Tensor, size int) *torch.Tensor {
	sums := torch.EmptyLike(x)
	channels, ahead := x.Size(1), (size-1)/2+1
	first := sums.Select(1, 0).FillInPlace(0)
	for c := range min(ahead, channels) {
		first.AddInPlace(x.Select(1, c))
	}
	for c := 1; c < channels; c++ {
		sum := sums.Select(1, c).CopyInPlace(sums.Select(1, c-1))
		if c < channels-ahead+1 {
			sum.AddInPlace(x.Select(1, c+ahead-1))
		}
		if c > ahead {
			sum.AddInPlace(x.Select(1, c-ahead), torch.AddOptions{Alpha: -1})
		}
	}
	return sums
}

// subtractNeighbors subtracts x times the sums of ratio in size neighboring channels, times factor, from grad [C, H, W].
func subtractNeighbors(grad, x, ratio *torch.Tensor, size int, factor float64) {
	channels, h, w := ratio.Size(0), ratio.Size(1), ratio.Size(2)
	padded := torch.Options{DType: ratio.DType(), Device: ratio.Device()}.Zeros(channels+size-1, h, w)
	padded.Narrow(0, size-size/2, channels).CopyInPlace(ratio)
	sum := padded.Narrow(0, 0, size-1).Sum(0)
	for c := range channels {
		sum.AddInPlace(padded.Select(0, c+size-1))
		grad.Select(0, c).AddcmulInPlace(x.Select(0, c), sum, torch.AddcmulOptions{Value: -factor})
		sum.AddInPlace(padded.Select(0, c), torch.AddOptions{Alpha: -1})
	}
}
