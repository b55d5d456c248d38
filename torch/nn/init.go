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

// InitKaimingNormal fills a weight [out, in, …] whose layer is followed by ReLU
// with normally distributed numbers, scaled by the number of outputs:
// nn.init.kaiming_normal_(x, mode="fan_out", nonlinearity="relu").
//
// https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_normal_
func InitKaimingNormal(x *torch.Tensor) {
	_, out := fans(x.Shape())
	initialize(x, func(x *torch.Tensor) { x.NormalInPlace(0, math.Sqrt(2)/math.Sqrt(float64(out))) })
}

// uniformWeight is what Linear and Conv layers start from: kaiming_uniform_(w, a=sqrt(5)).
func uniformWeight(w *torch.Tensor) {
	in, _ := fans(w.Shape())
	if in == 0 {
		return
	}
	a := math.Sqrt(5)
	gain := math.Sqrt(2 / (1 + a*a))
	bound := math.Sqrt(3) * (gain / math.Sqrt(float64(in)))
	w.UniformInPlace(-bound, bound)
}

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
