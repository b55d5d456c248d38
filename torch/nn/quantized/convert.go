package quantized

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

var (
	opObserve            = torch.NewOp("aten::fused_moving_avg_obs_fake_quant", "")
	opQuantizePerChannel = torch.NewOp("aten::quantize_per_channel", "")
)

// ConvertStateOptions are the options of [ConvertState].
type ConvertStateOptions struct {
	Eps float64 // of the batch normalizations that follow the convolutions, 0 means 1e-5
}

// ConvertState replaces, in a state dict of quantization-aware training, what belongs to the layers of
// this package in m by what they hold, so that nn.LoadStateDict sets them:
//
//	model.load_state_dict(s) # after fuse_modules_qat and prepare_qat
//	torch.ao.quantization.convert(model, inplace=True)
//
// The method UpgradeState of a model calls it with its arguments: the names in s begin with the prefix. Other
// state dicts are left as they are.
//
// The ranges of the numbers are those of get_default_qat_qconfig: for weights that were observed as a
// whole, which is "qnnpack", outputs have 8 bits, and for those observed by channel, which is "fbgemm" or
// "x86", they have 7. It panics with a *torch.Error if shapes do not fit together or an observed minimum is greater than the maximum.
//
// https://docs.pytorch.org/docs/stable/generated/torch.ao.quantization.convert.html
func ConvertState(m any, s map[string]*torch.Tensor, prefix string, options ...ConvertStateOptions) {
	c := &converter{state: s, eps: cmp.Or(torch.Only(options).Eps, 1e-5), most: 255}
	trained := false
	for name, x := range s {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, "weight_fake_quant."+observed+"max_val") {
			trained = true
			if x.Dim() > 0 {
				c.most = 127
			}
		}
	}
	if !trained {
		return
	}
	layers := nn.StateDict(m)
	torch.NoGrad(func() {
		for _, e := range layers {
			if name, ok := strings.CutSuffix(e.Name, "scale"); ok {
				c.weights(prefix+name, layers.Get(name+"_packed_params.weight") != nil)
				c.output(prefix+name, e.Tensor.Shape())
			}
		}
	})
	// Some modules were observed although they have no scale of their own.
	maps.DeleteFunc(s, func(name string, _ *torch.Tensor) bool {
		return strings.HasPrefix(name, prefix) && strings.Contains("."+name, "."+observed)
	})
}

// observed is the name of the module that observes the output of another.
const observed = "activation_post_process."

// A converter converts the tensors of a state dict.
type converter struct {
	state map[string]*torch.Tensor
	eps   float64
	most  int // the greatest value of an output
}

// take removes a tensor from the state dict, and returns it or nil.
func (c *converter) take(name string) *torch.Tensor {
	x := c.state[name]
	delete(c.state, name)
	return x
}

// weights quantizes the weights of a layer, after it has folded the normalization into them.
func (c *converter) weights(prefix string, linear bool) {
	fake := prefix + "weight_fake_quant."
	weight, low, high := c.state[prefix+"weight"], c.state[fake+observed+"min_val"], c.state[fake+observed+"max_val"]
	if weight == nil || low == nil || high == nil {
		return
	}
	weight, bias := c.fold(prefix, weight, c.state[prefix+"bias"])
	eps := c.state[fake+observed+"eps"]
	low, high = low.Clone(), high.Clone() // which the observation changes
	var call torch.Call
	call.Tensor(weight)
	for _, name := range []string{"observer_enabled", "fake_quant_enabled"} {
		on := c.take(fake + name)
		if on == nil {
			on = torch.FromSlice([]int64{1}, 1)
		}
		call.Tensor(on.ToDType(torch.Int64))
	}
	call.Tensor(low)
	call.Tensor(high)
	scales := torch.OnesLike(low.Reshape(-1))
	call.Tensor(scales)
	call.Tensor(scales.ToDType(torch.Int32))
	call.Float(0.01)
	call.Int(-128)
	call.Int(127)
	perChannel := low.Dim() > 0
	if perChannel {
		call.Int(0)
	} else {
		call.Int(-1)
	}
	call.Bool(perChannel)
	call.Bool(true)
	call.One(opObserve).Free()
	scale, zero := parameters(low, high, eps, -128, 127, true)
	packed := ""
	if linear {
		delete(c.state, prefix+"weight")
		delete(c.state, prefix+"bias")
		packed = "_packed_params."
	}
	c.state[prefix+packed+"weight"] = quantize(weight, scale, zero, perChannel)
	if bias != nil {
		c.state[prefix+packed+"bias"] = bias
	}
	c.forget(fake)
}

// fold returns the weight and the bias of a convolution that includes the normalization after it, if there is one.
func (c *converter) fold(prefix string, weight, bias *torch.Tensor) (w, b *torch.Tensor) {
	old := map[string]string{"weight": "gamma", "bias": "beta"} // names before PyTorch 1.6
	norm := func(name string) *torch.Tensor {
		if x := c.take(prefix + "bn." + name); x != nil {
			return x
		}
		return c.take(prefix + cmp.Or(old[name], name))
	}
	variance, mean := norm("running_var"), norm("running_mean")
	if variance == nil || mean == nil {
		return weight, bias
	}
	gamma, beta := norm("weight"), norm("bias")
	norm("num_batches_tracked")
	if gamma == nil || beta == nil {
		fail("%q has the statistics of a normalization, and no weight and bias of it", prefix)
	}
	if bias == nil {
		bias = torch.ZerosLike(mean)
	}
	inverse := variance.AddScalar(c.eps).Rsqrt()
	w = weight.Mul(gamma.Mul(inverse).Reshape(-1, 1, 1, 1))
	return w, bias.Sub(mean).Mul(inverse).Mul(gamma).Add(beta)
}

// output sets the scale and the zero point of the output of a layer, which were observed.
func (c *converter) output(prefix string, shape []int) {
	at := prefix + observed + observed
	low, high := c.state[at+"min_val"], c.state[at+"max_val"]
	if low == nil || high == nil {
		return
	}
	scale, zero := parameters(low, high, c.state[at+"eps"], 0, c.most, false)
	c.state[prefix+"scale"], c.state[prefix+"zero_point"] = scale.Reshape(shape...), zero.Reshape(shape...)
	c.forget(prefix + observed)
}

// forget removes the tensors of a module from the state dict.
func (c *converter) forget(prefix string) {
	maps.DeleteFunc(c.state, func(name string, _ *torch.Tensor) bool { return strings.HasPrefix(name, prefix) })
}

// parameters returns the scales and the zero points, int64, for numbers from low to high: calculate_qparams of an observer.
func parameters(low, high, eps *torch.Tensor, least, most int, symmetric bool) (scale, zero *torch.Tensor) {
	ints := torch.Options{DType: torch.Int64}
	if never := low.Dim() == 0 && low.Item() == math.Inf(1) && high.Item() == math.Inf(-1); never {
		return torch.OnesLike(low), ints.ZerosLike(low)
	}
	if low.Gt(high).Any().Item() != 0 {
		fail("the least observed number, %v, is greater than the greatest, %v", low, high)
	}
	if eps == nil {
		eps = torch.FromSlice([]float32{0x1p-23}, 1)
	}
	low, high = low.Minimum(torch.ZerosLike(low)), high.Maximum(torch.ZerosLike(high))
	if symmetric {
		scale = low.Neg().Maximum(high).DivScalar(float64(most-least) / 2).Maximum(eps)
		return scale, ints.ZerosLike(scale)
	}
	scale = high.Sub(low).DivScalar(float64(most - least)).Maximum(eps)
	zero = low.Div(scale).Round().ToDType(torch.Int32).RSubScalar(least)
	return scale, zero.Clamp(least, most).ToDType(torch.Int64)
}

// quantize rounds weights to qint8.
func quantize(x, scale, zero *torch.Tensor, perChannel bool) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	if perChannel {
		c.Tensor(scale.ToDType(torch.Float64))
		c.Tensor(zero)
		c.Int(0)
		c.DType(torch.QInt8)
		return c.One(opQuantizePerChannel)
	}
	c.Float(scale.Item())
	c.Int(int(zero.Item()))
	c.DType(torch.QInt8)
	return c.One(opQuantize)
}

func fail(format string, args ...any) {
	panic(&torch.Error{Op: "quantized.ConvertState", Msg: fmt.Sprintf(format, args...)})
}
