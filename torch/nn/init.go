package nn

import (
	"cmp"
	"math"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// parameter makes a parameter and initializes it, unless it is on the meta device.
func parameter(shape []int, init func(*torch.Tensor)) *torch.Tensor {
	x := torch.Empty(shape...)
	initialize(x, init)
	return x.RequireGrad(true)
}

// buffer makes a tensor that is not trained, filled with a value.
func buffer(shape []int, d torch.DType, value float64) *torch.Tensor {
	x := torch.Options{DType: d}.Empty(shape...)
	initialize(x, func(x *torch.Tensor) { x.FillInPlace(value) })
	return x
}

func initialize(x *torch.Tensor, init func(*torch.Tensor)) {
	if x.Device() != torch.Meta {
		torch.NoGrad(func() { init(x) })
	}
}

// fans returns the numbers of inputs and outputs of a weight [out, in, …].
func fans(shape []int) (in, out int) {
	if len(shape) < 2 {
		fail("a weight of shape %v has no fan; it needs two dimensions", shape)
	}
	field := 1
	for _, n := range shape[2:] {
		field *= n
	}
	return shape[1] * field, shape[0] * field
}

// InitConstant fills x: nn.init.constant_(x, value).
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.constant_
func InitConstant(x *torch.Tensor, value float64) {
	initialize(x, func(x *torch.Tensor) { x.FillInPlace(value) })
}

// InitZeros fills x with zeros: nn.init.zeros_(x).
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.zeros_
func InitZeros(x *torch.Tensor) { InitConstant(x, 0) }

// InitOnes fills x with ones: nn.init.ones_(x).
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.ones_
func InitOnes(x *torch.Tensor) { InitConstant(x, 1) }

// InitNormal fills x with normally distributed numbers: nn.init.normal_(x, mean, std).
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.normal_
func InitNormal(x *torch.Tensor, mean, std float64) {
	initialize(x, func(x *torch.Tensor) { x.NormalInPlace(mean, std) })
}

// InitUniform fills x with uniformly distributed numbers of [from, to): nn.init.uniform_(x, from, to).
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.uniform_
func InitUniform(x *torch.Tensor, from, to float64) {
	initialize(x, func(x *torch.Tensor) { x.UniformInPlace(from, to) })
}

// InitTruncNormalOptions are the options of [InitTruncNormal].
type InitTruncNormalOptions struct {
	Mean float64
	Std  *float64 // default 1
	A    *float64 // the least number, default -2
	B    *float64 // the largest number, default 2
}

// InitTruncNormal fills x with normally distributed numbers of [A, B]:
// nn.init.trunc_normal_(x, mean, std, a, b). They are those of PyTorch 2.15, which
// draws again what is outside; older versions draw other numbers.
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_
func InitTruncNormal(x *torch.Tensor, options ...InitTruncNormalOptions) {
	o := torch.Only(options)
	mean, std, a, b := o.Mean, or(o.Std, 1), or(o.A, -2), or(o.B, 2)
	cdf := func(v float64) float64 { return (1 + math.Erf((v-mean)/std/math.Sqrt2)) / 2 }
	initialize(x, func(x *torch.Tensor) {
		torch.Scope(func() {
			if cdf(b)-cdf(a) > 0.3 {
				rejectNormal(x, mean, std, a, b)
			} else {
				rejectUniform(x, mean, std, a, b)
			}
		})
	})
}

// rejectNormal draws normally distributed numbers until all are in [a, b].
func rejectNormal(x *torch.Tensor, mean, std, a, b float64) {
	x.NormalInPlace(mean, std)
	bounds := torch.FromSlice([]float64{a, b}).ToDType(x.DType())
	lo, hi := bounds.Select(0, 0).Item(), bounds.Select(0, 1).Item()
	result := x
	for {
		outside := result.LtScalar(lo).LogicalOr(result.GtScalar(hi))
		if outside.Any().Item() == 0 {
			break
		}
		result = torch.Where(outside, torch.EmptyLike(x).NormalInPlace(mean, std), result)
	}
	if result != x {
		x.CopyInPlace(result)
	}
}

// rejectUniform draws uniformly distributed numbers of [a, b], each of which it
// accepts with a probability proportional to its density.
func rejectUniform(x *torch.Tensor, mean, std, a, b float64) {
	peak := (max(a, min(mean, b)) - mean) / std
	draw := torch.EmptyLike(x)
	rejected := func(numbers *torch.Tensor) *torch.Tensor {
		density := numbers.SubScalar(mean).DivScalar(std).PowScalar(2).MulScalar(-0.5).SubScalar(-0.5 * (peak * peak))
		return draw.UniformInPlace(0, 1).LogInPlace().Gt(density)
	}
	x.UniformInPlace(a, b)
	pending, result := rejected(x), x
	for pending.Any().Item() != 0 {
		numbers := torch.EmptyLike(x).UniformInPlace(a, b)
		result = torch.Where(pending, numbers, result)
		pending = torch.Where(pending, rejected(numbers), pending)
	}
	if result != x {
		x.CopyInPlace(result)
	}
}

// InitXavierOptions are the options of [InitXavierUniform] and [InitXavierNormal].
type InitXavierOptions struct {
	Gain *float64 // default 1
}

// std returns the standard deviation for a weight.
func (o InitXavierOptions) std(x *torch.Tensor) float64 {
	in, out := fans(x.Shape())
	return or(o.Gain, 1) * math.Sqrt(2/float64(in+out))
}

// InitXavierUniform fills a weight [out, in, …] with uniformly distributed numbers,
// scaled by the numbers of inputs and outputs: nn.init.xavier_uniform_(x, gain).
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_uniform_
func InitXavierUniform(x *torch.Tensor, options ...InitXavierOptions) {
	a := math.Sqrt(3) * torch.Only(options).std(x)
	InitUniform(x, -a, a)
}

// InitXavierNormal fills a weight [out, in, …] with normally distributed numbers,
// scaled by the numbers of inputs and outputs: nn.init.xavier_normal_(x, gain).
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_normal_
func InitXavierNormal(x *torch.Tensor, options ...InitXavierOptions) {
	InitNormal(x, 0, torch.Only(options).std(x))
}

// InitKaimingOptions are the options of [InitKaimingUniform] and [InitKaimingNormal].
type InitKaimingOptions struct {
	A            float64 // the negative slope of leaky_relu
	Mode         string  // "fan_in" or "fan_out", the number that scales; "" means "fan_in"
	Nonlinearity string  // what follows, one of the names that [CalculateGain] knows; "" means "leaky_relu"
}

// std returns the standard deviation for a weight.
func (o InitKaimingOptions) std(x *torch.Tensor) float64 {
	fan, out := fans(x.Shape())
	switch strings.ToLower(o.Mode) {
	case "", "fan_in":
	case "fan_out":
		fan = out
	default:
		fail("the mode is %q; it can be \"fan_in\" or \"fan_out\"", o.Mode)
	}
	gain := CalculateGain(cmp.Or(o.Nonlinearity, "leaky_relu"), CalculateGainOptions{Param: o.A})
	return gain / math.Sqrt(float64(fan))
}

// InitKaimingUniform fills a weight [out, in, …] with uniformly distributed numbers,
// scaled by the number of inputs or outputs: nn.init.kaiming_uniform_(x, a, mode, nonlinearity).
// A tensor without elements is left as it is.
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_uniform_
func InitKaimingUniform(x *torch.Tensor, options ...InitKaimingOptions) {
	o := torch.Only(options)
	if x.Numel() > 0 {
		a := math.Sqrt(3) * o.std(x)
		InitUniform(x, -a, a)
	}
}

// InitKaimingNormal fills a weight [out, in, …] with normally distributed numbers,
// scaled by the number of inputs or outputs: nn.init.kaiming_normal_(x, a, mode, nonlinearity).
// A tensor without elements is left as it is.
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_normal_
func InitKaimingNormal(x *torch.Tensor, options ...InitKaimingOptions) {
	o := torch.Only(options)
	if x.Numel() > 0 {
		InitNormal(x, 0, o.std(x))
	}
}

// uniformWeight is what Linear and Conv layers start from.
func uniformWeight(w *torch.Tensor) { InitKaimingUniform(w, InitKaimingOptions{A: math.Sqrt(5)}) }

// uniformBias fills the bias that goes with a weight.
func uniformBias(w *torch.Tensor) func(*torch.Tensor) {
	in, _ := fans(w.Shape())
	return func(b *torch.Tensor) {
		bound := 0.0
		if in > 0 {
			bound = 1 / math.Sqrt(float64(in))
		}
		b.UniformInPlace(-bound, bound)
	}
}

// CalculateGainOptions are the options of [CalculateGain].
type CalculateGainOptions struct {
	Param torch.Number // the negative slope of leaky_relu, default 0.01
}

// CalculateGain returns the factor by which a weight before a nonlinearity is scaled:
// nn.init.calculate_gain(nonlinearity, param). The nonlinearity is "linear", the name of a
// convolution such as "conv2d" or "conv_transpose2d", "sigmoid", "tanh", "relu",
// "leaky_relu" or "selu"; others panic with a *torch.Error.
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain
func CalculateGain(nonlinearity string, options ...CalculateGainOptions) float64 {
	o := torch.Only(options)
	switch nonlinearity {
	case "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid":
		return 1
	case "tanh":
		return 5. / 3
	case "relu":
		return math.Sqrt2
	case "leaky_relu":
		slope := real64("CalculateGain", "Param", o.Param, 0.01)
		return math.Sqrt(2 / (1 + float64(slope*slope)))
	case "selu":
		return 3. / 4
	}
	fail("the nonlinearity is %q; it can be \"linear\", a convolution such as \"conv2d\", \"sigmoid\", \"tanh\", \"relu\", \"leaky_relu\" or \"selu\"", nonlinearity)
	return 0
}

// InitEye fills a matrix with the identity: nn.init.eye_(x).
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.eye_
func InitEye(x *torch.Tensor) {
	if x.Dim() != 2 {
		fail("InitEye: x is %v; it must have 2 dimensions", x.Shape())
	}
	initialize(x, func(x *torch.Tensor) {
		x.CopyInPlace(torch.Options{DType: x.DType(), Device: x.Device()}.EyeOf(x.Size(0), x.Size(1)))
	})
}

// InitDiracOptions are the options of [InitDirac].
type InitDiracOptions struct {
	Groups int // of the convolution; 0 means 1
}

// InitDirac fills the weight of a convolution so that it keeps its inputs, as many as it
// can: nn.init.dirac_(x, groups).
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.dirac_
func InitDirac(x *torch.Tensor, options ...InitDiracOptions) {
	groups := cmp.Or(torch.Only(options).Groups, 1)
	size := x.Shape()
	switch {
	case len(size) < 3 || len(size) > 5:
		fail("InitDirac: x is %v; it must have 3, 4 or 5 dimensions", size)
	case groups < 1 || size[0]%groups != 0:
		fail("InitDirac: %d groups do not divide the first size of x %v", groups, size)
	}
	out := size[0] / groups
	center := make([]any, len(size))
	for d := 2; d < len(size); d++ {
		center[d] = size[d] / 2
	}
	initialize(x, func(x *torch.Tensor) {
		x.FillInPlace(0)
		for g := range groups {
			for d := range min(out, size[1]) {
				center[0], center[1] = g*out+d, d
				x.SetIndex(1, center...)
			}
		}
	})
}

// InitOrthogonalOptions are the options of [InitOrthogonal].
type InitOrthogonalOptions struct {
	Gain *float64 // default 1
}

var opQR = torch.NewOp("aten::linalg_qr", "")

// InitOrthogonal fills x, taken as a matrix of x.Size(0) rows, with a random orthogonal
// one: nn.init.orthogonal_(x, gain). A tensor without elements is left as it is.
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.orthogonal_
func InitOrthogonal(x *torch.Tensor, options ...InitOrthogonalOptions) {
	o := torch.Only(options)
	if x.Dim() < 2 {
		fail("InitOrthogonal: x is %v; it must have at least 2 dimensions", x.Shape())
	}
	if x.Numel() == 0 {
		return
	}
	rows := x.Size(0)
	cols := x.Numel() / rows
	initialize(x, func(x *torch.Tensor) {
		flat := torch.Options{DType: x.DType(), Device: x.Device()}.Empty(rows, cols).NormalInPlace(0, 1)
		if rows < cols {
			flat = flat.T()
		}
		var c torch.Call
		c.Tensor(flat)
		q, r := c.Two(opQR)
		q.MulInPlace(r.Diag().Sign())
		if rows < cols {
			q = q.T()
		}
		x.ViewAs(q).CopyInPlace(q)
		x.MulScalarInPlace(or(o.Gain, 1))
	})
}

// InitSparseOptions are the options of [InitSparse].
type InitSparseOptions struct {
	Std *float64 // of the numbers that are not 0, default 0.01
}

// InitSparse fills a matrix with normally distributed numbers, and sets a fraction of each
// column to 0: nn.init.sparse_(x, sparsity, std).
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.sparse_
func InitSparse(x *torch.Tensor, sparsity float64, options ...InitSparseOptions) {
	o := torch.Only(options)
	if x.Dim() != 2 {
		fail("InitSparse: x is %v; it must have 2 dimensions", x.Shape())
	}
	rows, cols := x.Size(0), x.Size(1)
	zeros := math.Ceil(sparsity * float64(rows))
	if !(zeros >= 0 && zeros <= float64(rows)) {
		fail("InitSparse: the sparsity is %v; it must be between 0 and 1", sparsity)
	}
	initialize(x, func(x *torch.Tensor) {
		x.NormalInPlace(0, or(o.Std, 0.01))
		for col := range cols {
			x.Select(1, col).IndexFillInPlace(0, torch.RandPerm(rows).Narrow(0, 0, int(zeros)).To(x.Device()), 0)
		}
	})
}
