// Package quantized has layers that compute with 8-bit integers: torch.ao.nn.quantized.
//
// Their tensors are those of a quantized checkpoint, which [nn.LoadStateDict] sets. Inputs and
// outputs are quantized tensors, but for [Quantize], which makes one, and [Dequantize]. The layers are for
// evaluation on the CPU.
//
// https://docs.pytorch.org/docs/stable/quantization-support.html
package quantized

import (
	"cmp"
	"fmt"
	"sync/atomic"

	"github.com/torchhub/torchhub/torch"
	_ "github.com/torchhub/torchhub/torch/jit" // packed weights are objects of TorchScript
	"github.com/torchhub/torchhub/torch/nn"
)

var (
	opQuantize      = torch.NewOp("aten::quantize_per_tensor", "")
	opConv2dPrepack = torch.NewOp("quantized::conv2d_prepack", "")
	opConv2d        = torch.NewOp("quantized::conv2d", "new")
	opConv2dReLU    = torch.NewOp("quantized::conv2d_relu", "new")
	opLinearPrepack = torch.NewOp("quantized::linear_prepack", "")
	opLinear        = torch.NewOp("quantized::linear", "")
	opAdd           = torch.NewOp("quantized::add", "")
	opAddReLU       = torch.NewOp("quantized::add_relu", "")
	opDequantize    = torch.NewOp("aten::dequantize", "self")
	opCat           = torch.NewOp("quantized::cat", "")
	opMul           = torch.NewOp("quantized::mul", "")
	opHardswish     = torch.NewOp("quantized::hardswish", "")
)

// Scale is what the numbers of a quantized tensor mean: (q - ZeroPoint)·Scale.
type Scale struct {
	Scale     *torch.Tensor `nn:",buffer"` // [] or [1]
	ZeroPoint *torch.Tensor `nn:",buffer"` // [] or [1] int64
}

func newScale(size ...int) Scale {
	return Scale{Scale: torch.Ones(size...), ZeroPoint: torch.Options{DType: torch.Int64}.Zeros(size...)}
}

// add adds the scale and the zero point to the arguments of a call.
func (m *Scale) add(c *torch.Call) {
	c.Float(m.Scale.Item())
	c.Int(int(m.ZeroPoint.Item()))
}

// A packer keeps the packed weights of a layer.
type packer struct{ packed atomic.Pointer[packed] }

type packed struct {
	weight *torch.Tensor // that was packed
	value  torch.Value
}

// pack returns the packed weights, for which it calls make if the weight has changed.
func (p *packer) pack(op string, weight *torch.Tensor, make func() torch.Value) torch.Value {
	last := p.packed.Load()
	if last == nil || last.weight != weight {
		if !weight.IsQuantized() {
			panic(&torch.Error{Op: op, Msg: fmt.Sprintf("the weight is %v; load a quantized checkpoint first", weight.DType())})
		}
		last = &packed{weight, make()}
		p.packed.Store(last)
	}
	return last.value
}

// Quantize rounds floats to unsigned 8-bit integers: torch.ao.nn.quantized.Quantize.
//
// https://docs.pytorch.org/docs/stable/generated/torch.ao.nn.quantized.Quantize.html
type Quantize struct{ Scale }

// NewQuantize makes a Quantize whose scale is to be loaded.
func NewQuantize() *Quantize { return &Quantize{newScale(1)} }

// Forward maps a floating-point x to a quint8 tensor of the same shape.
func (m *Quantize) Forward(x *torch.Tensor) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	m.add(&c)
	c.DType(torch.QUint8)
	return c.One(opQuantize)
}

// Dequantize returns the numbers of a quantized tensor as float32: x.dequantize().
//
// https://docs.pytorch.org/docs/stable/generated/torch.dequantize.html
func Dequantize(x *torch.Tensor) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	return c.One(opDequantize)
}

// A Conv2d convolves quantized pictures: torch.ao.nn.quantized.Conv2d, or with ReLU set
// torch.ao.nn.intrinsic.quantized.ConvReLU2d.
//
// https://docs.pytorch.org/docs/stable/generated/torch.ao.nn.quantized.Conv2d.html
type Conv2d struct {
	Weight  *torch.Tensor `nn:",buffer"` // [out, in/Groups, kH, kW] qint8
	Bias    *torch.Tensor `nn:",buffer"` // [out]
	Scale                 // of the output
	Options nn.Conv2dOptions
	ReLU    bool // follows
	packer
}

// NewConv2d makes a convolution from in to out channels, whose weights are to be loaded:
// Conv2d(in, out, kernel). NoBias of the options has no effect.
func NewConv2d(in, out int, kernel torch.Ints, relu bool, options ...nn.Conv2dOptions) *Conv2d {
	o := torch.Only(options)
	size := torch.SizesOf("Conv2d", "kernel", kernel, 2)
	return &Conv2d{
		Weight: torch.Zeros(out, in/cmp.Or(o.Groups, 1), size[0], size[1]), Bias: torch.Zeros(out), Scale: newScale(), Options: o, ReLU: relu,
	}
}

// Forward maps x [N, in, H, W] to [N, out, H', W'].
func (m *Conv2d) Forward(x *torch.Tensor) *torch.Tensor {
	weights := m.pack("Conv2d", m.Weight, func() torch.Value {
		var c torch.Call
		c.Tensor(m.Weight)
		c.OptTensor(m.Bias)
		for _, v := range []struct {
			name     string
			given    torch.Ints
			standard int
		}{{"Stride", m.Options.Stride, 1}, {"Padding", m.Options.Padding, 0}, {"Dilation", m.Options.Dilation, 1}} {
			c.Ints(torch.SizesOf("Conv2d", v.name, v.given, 2, v.standard, v.standard)...)
		}
		c.Int(cmp.Or(m.Options.Groups, 1))
		return torch.Result[torch.Value](&c, opConv2dPrepack)
	})
	op := opConv2d
	if m.ReLU {
		op = opConv2dReLU
	}
	var c torch.Call
	c.Tensor(x)
	c.Value(weights)
	m.add(&c)
	return c.One(op)
}

// A Linear is an affine map of quantized tensors: torch.ao.nn.quantized.Linear.
//
// https://docs.pytorch.org/docs/stable/generated/torch.ao.nn.quantized.Linear.html
type Linear struct {
	Scale               // of the output
	Params LinearParams `nn:"_packed_params"`
	packer
}

// LinearParams are the parameters of a [Linear], which are a tuple in a file.
type LinearParams struct {
	Weight *torch.Tensor `nn:",buffer"` // [out, in] qint8
	Bias   *torch.Tensor `nn:",buffer"` // [out]
}

// NewLinear makes a map from in to out features, whose weights are to be loaded: Linear(in, out).
func NewLinear(in, out int) *Linear {
	return &Linear{Scale: newScale(), Params: LinearParams{torch.Zeros(out, in), torch.Zeros(out)}}
}

// Forward maps x [*, in] to [*, out].
func (m *Linear) Forward(x *torch.Tensor) *torch.Tensor {
	weights := m.pack("Linear", m.Params.Weight, func() torch.Value {
		var c torch.Call
		c.Tensor(m.Params.Weight)
		c.OptTensor(m.Params.Bias)
		return torch.Result[torch.Value](&c, opLinearPrepack)
	})
	var c torch.Call
	c.Tensor(x)
	c.Value(weights)
	m.add(&c)
	return c.One(opLinear)
}

// Functional has operations without weights, whose outputs have a scale: torch.ao.nn.quantized.QFunctional.
//
// https://docs.pytorch.org/docs/stable/generated/torch.ao.nn.quantized.QFunctional.html
type Functional struct{ Scale }

// NewFunctional makes a Functional whose scale is to be loaded.
func NewFunctional() *Functional { return &Functional{newScale()} }

// Add returns x + y.
func (m *Functional) Add(x, y *torch.Tensor) *torch.Tensor { return m.binary(opAdd, x, y) }

// AddReLU returns max(x + y, 0).
func (m *Functional) AddReLU(x, y *torch.Tensor) *torch.Tensor { return m.binary(opAddReLU, x, y) }

func (m *Functional) binary(op *torch.Op, x, y *torch.Tensor) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	c.Tensor(y)
	m.add(&c)
	return c.One(op)
}

// Mul returns x·y.
func (m *Functional) Mul(x, y *torch.Tensor) *torch.Tensor { return m.binary(opMul, x, y) }

// Cat joins tensors along a dimension.
func (m *Functional) Cat(xs []*torch.Tensor, dim int) *torch.Tensor {
	var c torch.Call
	c.Tensors(xs)
	c.Int(dim)
	m.add(&c)
	return c.One(opCat)
}

// Hardswish is x·ReLU6(x+3)/6 of quantized tensors: torch.ao.nn.quantized.Hardswish.
//
// https://docs.pytorch.org/docs/stable/generated/torch.ao.nn.quantized.Hardswish.html
type Hardswish struct{ Scale }

// NewHardswish makes a Hardswish whose scale is to be loaded.
func NewHardswish() *Hardswish { return &Hardswish{newScale()} }

// Forward maps x to the same shape.
func (m *Hardswish) Forward(x *torch.Tensor) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	m.add(&c)
	return c.One(opHardswish)
}
