package functional

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// The functions of this file are several operators in PyTorch too.

func fail(op, format string, args ...any) {
	panic(&torch.Error{Op: op, Msg: fmt.Sprintf(format, args...)})
}

// resize are the operators that change the spatial size of [N, C, …], by mode and number of dimensions.
var resize = map[string]map[int]*torch.Op{
	"nearest": {
		3: torch.NewOp("aten::upsample_nearest1d", "vec"),
		4: torch.NewOp("aten::upsample_nearest2d", "vec"),
		5: torch.NewOp("aten::upsample_nearest3d", "vec"),
	},
	"nearest-exact": {
		3: torch.NewOp("aten::_upsample_nearest_exact1d", "vec"),
		4: torch.NewOp("aten::_upsample_nearest_exact2d", "vec"),
		5: torch.NewOp("aten::_upsample_nearest_exact3d", "vec"),
	},
	"linear":    {3: torch.NewOp("aten::upsample_linear1d", "vec")},
	"bilinear":  {4: torch.NewOp("aten::upsample_bilinear2d", "vec")},
	"bicubic":   {4: torch.NewOp("aten::upsample_bicubic2d", "vec")},
	"trilinear": {5: torch.NewOp("aten::upsample_trilinear3d", "vec")},
}

var resizeAntialias = map[string]*torch.Op{
	"bilinear": torch.NewOp("aten::_upsample_bilinear2d_aa", "vec"),
	"bicubic":  torch.NewOp("aten::_upsample_bicubic2d_aa", "vec"),
	"lanczos":  torch.NewOp("aten::_upsample_lanczos2d_aa", "vec"),
}

// InterpolateOptions are the options of [Interpolate].
type InterpolateOptions struct {
	Size                 torch.Ints // of the result; this or ScaleFactor
	ScaleFactor          []float64  // one for each spatial dimension, or one for all
	Mode                 string     // "nearest", the default, "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area", "lanczos"
	AlignCorners         bool       // the centres of the corner pixels stay where they are
	RecomputeScaleFactor bool       // from the size that ScaleFactor gives
	Antialias            bool       // for "bilinear" and "bicubic"; "lanczos" wants it
}

// Interpolate resizes x [N, C, L], [N, C, H, W] or [N, C, D, H, W]:
// F.interpolate(x, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
func Interpolate(x *torch.Tensor, o InterpolateOptions) *torch.Tensor {
	mode := cmp.Or(o.Mode, "nearest")
	n := x.Dim() - 2
	if n < 1 || n > 3 {
		fail("Interpolate", "x must have 3, 4 or 5 dimensions, not %d", n+2)
	}
	var size []int
	switch s := o.Size.(type) {
	case nil:
	case int:
		size = slices.Repeat([]int{s}, n)
	case []int:
		size = s
	default:
		fail("Interpolate", "Size is a %T; it must be an int or []int", s)
	}
	scale := o.ScaleFactor
	if len(scale) == 1 {
		scale = slices.Repeat(scale, n)
	}
	switch {
	case (size == nil) == (scale == nil):
		fail("Interpolate", "one of Size and ScaleFactor must be given")
	case size != nil && len(size) != n:
		fail("Interpolate", "Size has %d elements for %d spatial dimensions", len(size), n)
	case scale != nil && len(scale) != n:
		fail("Interpolate", "ScaleFactor has %d elements for %d spatial dimensions", len(scale), n)
	case o.RecomputeScaleFactor && size != nil:
		fail("Interpolate", "RecomputeScaleFactor has no meaning with a Size")
	}
	nearest := mode == "nearest" || mode == "nearest-exact" || mode == "area"
	if nearest && o.AlignCorners {
		fail("Interpolate", "mode %q has no AlignCorners", mode)
	}
	if scale != nil && (o.RecomputeScaleFactor || mode == "area") {
		for i, s := range scale {
			l := float64(x.Size(i+2)) * s
			if !(math.Abs(l) <= math.MaxInt32) {
				fail("Interpolate", "ScaleFactor %v gives a size of %v", s, l)
			}
			size = append(size, int(l))
		}
		scale = nil
	}
	op := resize[mode][n+2]
	if o.Antialias {
		if op = resizeAntialias[mode]; op == nil || n != 2 {
			fail("Interpolate", "Antialias is for modes bilinear, bicubic and lanczos of [N, C, H, W]")
		}
		if mode == "lanczos" && o.AlignCorners {
			fail("Interpolate", "mode lanczos has no AlignCorners")
		}
	}
	if mode == "area" {
		return [](func(*torch.Tensor, ...int) *torch.Tensor){AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d}[n-1](x, size...)
	}
	if op == nil {
		fail("Interpolate", "there is no mode %q for %d dimensions", mode, n+2)
	}
	var c torch.Call
	c.Tensor(x)
	c.OptInts(size)
	if !nearest {
		c.Bool(o.AlignCorners)
	}
	c.OptFloats(scale)
	return c.One(op)
}

var opGridSampler = torch.NewOp("aten::grid_sampler", "")

// GridSampleOptions are the options of [GridSample].
type GridSampleOptions struct {
	Mode         string // "bilinear", the default, "nearest" or "bicubic"
	PaddingMode  string // "zeros", the default, "border" or "reflection"
	AlignCorners bool   // -1 and 1 are the centres of the corner pixels, not their outer edges
}

// GridSample returns x [N, C, H, W] at the positions grid [N, H', W', 2], from -1
// to 1, x before y: [N, C, H', W']; or the same with depth:
// F.grid_sample(x, grid, mode, padding_mode, align_corners). An x of float16 or
// bfloat16 on the CPU may have 32,768 pixels, and is refused with more: libtorch's
// kernel would read beyond it, as it does in Python.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
func GridSample(x, grid *torch.Tensor, options ...GridSampleOptions) *torch.Tensor {
	o := torch.Only(options)
	var c torch.Call
	c.Tensor(x)
	c.Tensor(grid)
	c.Int(choice("GridSample", "Mode", o.Mode, "bilinear", "nearest", "bicubic"))
	c.Int(choice("GridSample", "PaddingMode", o.PaddingMode, "zeros", "border", "reflection"))
	c.Bool(o.AlignCorners)
	return c.One(opGridSampler)
}

// or returns what p points to, or the default where it is nil.
func or[T any](p *T, standard T) T {
	if p == nil {
		return standard
	}
	return *p
}

// choice returns the number of a word; that of none is 0.
func choice(op, field, word string, words ...string) int {
	if word == "" {
		return 0
	}
	i := slices.Index(words, word)
	if i < 0 {
		fail(op, "%s is %q; it must be one of %q", field, word, words)
	}
	return i
}

// reduce applies the reduction of a loss.
func reduce(op, how string, loss *torch.Tensor) *torch.Tensor {
	switch choice(op, "Reduction", how, "mean", "sum", "none") {
	case 0:
		return loss.Mean()
	case 1:
		return loss.Sum()
	}
	return loss
}

var opInstanceNorm = torch.NewOp("aten::instance_norm", "")

// InstanceNormOptions are the options of [InstanceNorm].
type InstanceNormOptions struct {
	Weight, Bias            *torch.Tensor // [C], nil for none
	RunningMean, RunningVar *torch.Tensor // [C], nil for none
	UseRunning              bool          // normalise by them: use_input_stats=False
	Momentum                *float64      // weight of the batch in the running statistics, default 0.1
	Eps                     *float64      // default 1e-5
}

// InstanceNorm normalises each channel of each sample of x [N, C, …]:
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
// the squares in size neighbouring channels: F.local_response_norm(x, size, alpha, beta, k).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html
func LocalResponseNorm(x *torch.Tensor, size int, options ...LocalResponseNormOptions) *torch.Tensor {
	o := torch.Only(options)
	if x.Dim() < 3 {
		fail("LocalResponseNorm", "x must have at least 3 dimensions, not %d", x.Dim())
	}
	if size < 1 {
		fail("LocalResponseNorm", "size is %d; it must be at least 1", size)
	}
	if x.Numel() == 0 {
		return x
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
	return x.Div(x.NormDims(p, []int{or(o.Dim, 1)}, torch.NormOptions{KeepDim: true}).ClampMin(or(o.Eps, 1e-12)).ExpandAs(x))
}

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
	device := logits.Device()
	like := torch.Options{DType: logits.DType(), Device: &device}
	gumbels := like.Empty(logits.Shape()...).ExponentialInPlace(1).Log().Neg()
	soft := logits.Add(gumbels).DivScalar(or(o.Tau, 1)).Softmax(dim)
	if !o.Hard {
		return soft
	}
	_, index := soft.MaxDim(dim, torch.MaxDimOptions{KeepDim: true})
	return like.Zeros(logits.Shape()...).ScatterValue(dim, index, 1.0).Sub(soft.Detach()).Add(soft)
}

// LPPoolOptions are the options of [LPPool1d] and [LPPool2d].
type LPPoolOptions struct {
	Stride   torch.Ints // default the kernel size
	CeilMode bool
}

// LPPool1d returns (Σ x^normType)^(1/normType) of each window of x [N, C, L]:
// F.lp_pool1d(x, norm_type, kernel_size, stride, ceil_mode).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool1d.html
func LPPool1d(x *torch.Tensor, normType float64, kernelSize int, options ...LPPoolOptions) *torch.Tensor {
	o := torch.Only(options)
	return lpPool("LPPool1d", x, normType, kernelSize,
		func(x *torch.Tensor) *torch.Tensor {
			return MaxPool1d(x, kernelSize, MaxPool1dOptions{Stride: o.Stride, CeilMode: o.CeilMode})
		},
		func(x *torch.Tensor) *torch.Tensor {
			return AvgPool1d(x, kernelSize, AvgPool1dOptions{Stride: o.Stride, CeilMode: o.CeilMode})
		})
}

// LPPool2d returns (Σ x^normType)^(1/normType) of each window of x [N, C, H, W]:
// F.lp_pool2d(x, norm_type, kernel_size, stride, ceil_mode).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool2d.html
func LPPool2d(x *torch.Tensor, normType float64, kernelSize torch.Ints, options ...LPPoolOptions) *torch.Tensor {
	o := torch.Only(options)
	var area int
	switch k := kernelSize.(type) {
	case int:
		area = k * k
	case []int:
		if len(k) != 2 {
			fail("LPPool2d", "kernelSize has %d elements; it must have 2", len(k))
		}
		area = k[0] * k[1]
	default:
		fail("LPPool2d", "kernelSize is a %T; it must be an int or []int", k)
	}
	return lpPool("LPPool2d", x, normType, area,
		func(x *torch.Tensor) *torch.Tensor {
			return MaxPool2d(x, kernelSize, MaxPool2dOptions{Stride: o.Stride, CeilMode: o.CeilMode})
		},
		func(x *torch.Tensor) *torch.Tensor {
			return AvgPool2d(x, kernelSize, AvgPool2dOptions{Stride: o.Stride, CeilMode: o.CeilMode})
		})
}

func lpPool(op string, x *torch.Tensor, p float64, area int, most, mean func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
	switch {
	case p == 0:
		fail(op, "normType must not be 0")
	case math.IsInf(p, 1):
		return most(x.Abs())
	case math.IsInf(p, -1):
		return most(x.Abs().Neg()).Neg()
	}
	m := mean(x.PowScalar(p))
	return m.Sign().Mul(m.Abs().ReLU()).MulScalar(area).PowScalar(1 / p)
}

// MaxUnpool1d returns zeros [N, C, outputSize] with the elements of x at the
// indices that max pooling gave: F.max_unpool1d(x, indices, kernel_size,
// output_size=(outputSize,)).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool1d.html
func MaxUnpool1d(x, indices *torch.Tensor, outputSize int) *torch.Tensor {
	return MaxUnpool2d(x.Unsqueeze(-1), indices.Unsqueeze(-1), []int{outputSize, 1}).Squeeze(-1)
}

var (
	opEmbeddingBag           = torch.NewOp("aten::embedding_bag", "padding_idx")
	opEmbeddingRenormInPlace = torch.NewOp("aten::embedding_renorm_", "")
)

// EmbeddingBagOptions are the options of [EmbeddingBag].
type EmbeddingBagOptions struct {
	Offsets           *torch.Tensor // where each bag begins in indices [n]
	Mode              string        // "mean", the default, "sum" or "max"
	PerSampleWeights  *torch.Tensor // like indices; for "sum"
	IncludeLastOffset bool          // Offsets ends with the end of the last bag
	PaddingIdx        *int          // an index that is left out
	MaxNorm           *float64      // rows of a larger norm are brought down to it, in place
	NormType          *float64      // of MaxNorm, default 2
	ScaleGradByFreq   bool
	Sparse            bool // the weight's gradient is sparse
}

// EmbeddingBag returns the means, sums or maxima of bags of rows of weight [n, d]:
// of each row of indices [B, m], or of indices [m] from each of the offsets [B] on:
// [B, d]: F.embedding_bag(indices, weight, offsets, max_norm, norm_type,
// scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, padding_idx).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
func EmbeddingBag(indices, weight *torch.Tensor, options ...EmbeddingBagOptions) *torch.Tensor {
	o := torch.Only(options)
	// The operator counts from "sum".
	mode := [...]int{1, 0, 2}[choice("EmbeddingBag", "Mode", o.Mode, "mean", "sum", "max")]
	samples, offsets, last := o.PerSampleWeights, o.Offsets, o.IncludeLastOffset
	switch {
	case weight.Dim() != 2:
		fail("EmbeddingBag", "weight must have 2 dimensions, not %d", weight.Dim())
	case samples != nil && !slices.Equal(samples.Shape(), indices.Shape()):
		fail("EmbeddingBag", "PerSampleWeights %v must have the shape of indices %v", samples.Shape(), indices.Shape())
	case samples != nil && mode != 0:
		fail("EmbeddingBag", `PerSampleWeights are for Mode "sum"`)
	case mode == 2 && (o.ScaleGradByFreq || o.Sparse):
		fail("EmbeddingBag", `Mode "max" has no ScaleGradByFreq and no Sparse`)
	case indices.Dim() == 2 && offsets != nil:
		fail("EmbeddingBag", "indices of 2 dimensions are bags already; Offsets must be nil")
	case indices.Dim() == 2:
		if indices.Size(1) == 0 {
			fail("EmbeddingBag", "the bags of indices %v are empty", indices.Shape())
		}
		device := indices.Device()
		offsets = torch.Options{DType: indices.DType(), Device: &device}.ArangeStep(0, indices.Numel(), indices.Size(1))
		last = false
		indices = indices.Reshape(-1)
		if samples != nil {
			samples = samples.Reshape(-1)
		}
	case indices.Dim() != 1 || offsets == nil || offsets.Dim() != 1:
		fail("EmbeddingBag", "indices must have 2 dimensions, or 1 and Offsets as well")
	}
	if o.MaxNorm != nil {
		torch.NoGrad(func() {
			var c torch.Call
			c.Tensor(weight)
			c.Tensor(indices)
			c.Float(*o.MaxNorm)
			c.Float(or(o.NormType, 2))
			c.Do(opEmbeddingRenormInPlace)
		})
	}
	var c torch.Call
	c.Tensor(weight)
	c.Tensor(indices)
	c.Tensor(offsets)
	c.Bool(o.ScaleGradByFreq)
	c.Int(mode)
	c.Bool(o.Sparse)
	c.OptTensor(samples)
	c.Bool(last)
	if o.PaddingIdx != nil {
		c.Int(*o.PaddingIdx)
	} else {
		c.None()
	}
	y, _, _, _ := c.Four(opEmbeddingBag)
	return y
}

// GaussianNLLLossOptions are the options of [GaussianNLLLoss].
type GaussianNLLLossOptions struct {
	Full      bool     // with the constant ½·log(2π)
	Eps       *float64 // the least variance, default 1e-6
	Reduction string   // "mean", the default, "sum" or "none"
}

// GaussianNLLLoss is the negative log likelihood of target under normal
// distributions of mean x and variance variance, which is as large as x or has 1, or
// nothing, as its last size: F.gaussian_nll_loss(x, target, variance, full, eps, reduction).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
func GaussianNLLLoss(x, target, variance *torch.Tensor, options ...GaussianNLLLossOptions) *torch.Tensor {
	o := torch.Only(options)
	if variance.LtScalar(0).Any().Item() != 0 {
		fail("GaussianNLLLoss", "the variance has negative elements")
	}
	if have, want := variance.Shape(), x.Shape(); !slices.Equal(have, want) {
		if len(want) > 0 && slices.Equal(have, want[:len(want)-1]) {
			variance = variance.Unsqueeze(-1)
		} else if sum := 0; len(have) == len(want) {
			for i := range have {
				if have[i] != want[i] {
					sum += have[i]
				}
			}
			if sum != 1 { // one size of 1
				fail("GaussianNLLLoss", "the variance %v does not fit x %v", have, want)
			}
		} else {
			fail("GaussianNLLLoss", "the variance %v does not fit x %v", have, want)
		}
	}
	variance = variance.Clone()
	torch.NoGrad(func() { variance.ClampMinInPlace(or(o.Eps, 1e-6)) })
	loss := variance.Log().Add(x.Sub(target).Square().Div(variance)).MulScalar(0.5)
	if o.Full {
		loss = loss.AddScalar(0.5 * math.Log(2*math.Pi))
	}
	return reduce("GaussianNLLLoss", o.Reduction, loss)
}

// MultilabelSoftMarginLossOptions are the options of [MultilabelSoftMarginLoss].
type MultilabelSoftMarginLossOptions struct {
	Weight    *torch.Tensor // of each class [C]
	Reduction string        // "mean", the default, "sum" or "none"
}

// MultilabelSoftMarginLoss is the mean, over the classes, of the binary cross
// entropies of logits x [N, C] and target [N, C] of 0 and 1:
// F.multilabel_soft_margin_loss(x, target, weight, reduction=…).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html
func MultilabelSoftMarginLoss(x, target *torch.Tensor, options ...MultilabelSoftMarginLossOptions) *torch.Tensor {
	o := torch.Only(options)
	if x.Dim() == 0 {
		fail("MultilabelSoftMarginLoss", "x must have at least 1 dimension")
	}
	loss := target.Mul(LogSigmoid(x)).Add(target.Neg().AddScalar(1).Mul(LogSigmoid(x.Neg()))).Neg()
	if o.Weight != nil {
		loss = loss.Mul(o.Weight)
	}
	last := x.Dim() - 1
	return reduce("MultilabelSoftMarginLoss", o.Reduction, loss.Sum(last).DivScalar(x.Size(last)))
}
