package nn

import (
	"math"

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
	Nonlinearity string  // what follows: "relu", "leaky_relu", "linear", "sigmoid", "tanh", "selu"; "" means "leaky_relu"
}

// std returns the standard deviation for a weight.
func (o InitKaimingOptions) std(x *torch.Tensor) float64 {
	fan, out := fans(x.Shape())
	switch o.Mode {
	case "", "fan_in":
	case "fan_out":
		fan = out
	default:
		fail("the mode is %q; it can be \"fan_in\" or \"fan_out\"", o.Mode)
	}
	gain := 1.0
	switch o.Nonlinearity {
	case "", "leaky_relu":
		gain = math.Sqrt(2 / (1 + o.A*o.A))
	case "relu":
		gain = math.Sqrt2
	case "tanh":
		gain = 5. / 3
	case "selu":
		gain = 3. / 4
	case "linear", "sigmoid":
	default:
		fail("the nonlinearity is %q; it can be \"relu\", \"leaky_relu\", \"linear\", \"sigmoid\", \"tanh\" or \"selu\"", o.Nonlinearity)
	}
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
		if in > 0 {
			bound := 1 / math.Sqrt(float64(in))
			b.UniformInPlace(-bound, bound)
		}
	}
}
