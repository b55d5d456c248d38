package ops

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

var opDeformConv2d = torch.NewOp("torchvision::deform_conv2d", "")

// DeformConv2dOptions are the options of [DeformConv2d] and [NewDeformConv2dLayer].
type DeformConv2dOptions struct {
	Stride, Padding, Dilation torch.Ints    // defaults 1, 0, 1
	Mask                      *torch.Tensor // of DeformConv2d: weights of the points, [N, groups of offsets·kH·kW, oH, oW]
	Groups                    int           // of NewDeformConv2dLayer; 0 means 1
	NoBias                    bool          // of NewDeformConv2dLayer
}

// DeformConv2d is a convolution whose points are moved by offsets,
// https://arxiv.org/abs/1703.06211, with a mask https://arxiv.org/abs/1811.11168:
// torchvision.ops.deform_conv2d(x, offset, weight, bias). x is [N, C, H, W], offset
// [N, 2·groups of offsets·kH·kW, oH, oW], weight [O, C/groups, kH, kW], bias [O] or nil; the result
// is [N, O, oH, oW].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.deform_conv2d.html
func DeformConv2d(x, offset, weight, bias *torch.Tensor, options ...DeformConv2dOptions) *torch.Tensor {
	const op = "ops.DeformConv2d"
	o := torch.Only(options)
	check(x.Dim() == 4 && offset.Dim() == 4 && weight.Dim() == 4 && weight.Size(1) > 0 && weight.Size(2)*weight.Size(3) > 0, "DeformConv2d",
		"the input, the offset and the weight have the shapes %v, %v and %v; they must have four dimensions", x.Shape(), offset.Shape(), weight.Shape())
	each := 2 * weight.Size(2) * weight.Size(3)
	check(offset.Size(1) >= each, "DeformConv2d", "the offset has %d channels; it must have a multiple of %d", offset.Size(1), each)
	like := torch.Options{DType: x.DType(), Device: x.Device()}
	mask := o.Mask
	if mask == nil {
		mask = like.Zeros(x.Size(0), 1)
		defer mask.Free()
	}
	if bias == nil {
		bias = like.Zeros(weight.Size(0))
		defer bias.Free()
	}
	var c torch.Call
	for _, t := range []*torch.Tensor{x, weight, offset, mask, bias} {
		c.Tensor(t)
	}
	for _, v := range [][]int{
		torch.SizesOf(op, "Stride", o.Stride, 2, 1, 1), torch.SizesOf(op, "Padding", o.Padding, 2, 0, 0), torch.SizesOf(op, "Dilation", o.Dilation, 2, 1, 1),
		{x.Size(1) / weight.Size(1), offset.Size(1) / each},
	} {
		c.Int(v[0])
		c.Int(v[1])
	}
	c.Bool(o.Mask != nil)
	return c.One(opDeformConv2d)
}

// A DeformConv2dLayer is a layer with the weights of [DeformConv2d]: torchvision.ops.DeformConv2d.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.DeformConv2d.html
type DeformConv2dLayer struct {
	Weight, Bias *torch.Tensor
	options      DeformConv2dOptions
}

// NewDeformConv2dLayer makes a layer from in to out channels: DeformConv2d(in, out, kernel).
func NewDeformConv2dLayer(in, out int, kernel torch.Ints, options ...DeformConv2dOptions) *DeformConv2dLayer {
	o := torch.Only(options)
	check(o.Mask == nil, "DeformConv2dLayer", "a layer has no mask; pass it to Forward")
	conv := nn.NewConv2d(in, out, kernel, nn.Conv2dOptions{Groups: o.Groups, NoBias: o.NoBias})
	return &DeformConv2dLayer{conv.Weight, conv.Bias, o}
}

// Forward maps x and the offset to [N, out, oH, oW]; the mask may be nil.
func (m *DeformConv2dLayer) Forward(x, offset, mask *torch.Tensor) *torch.Tensor {
	o := m.options
	o.Mask = mask
	return DeformConv2d(x, offset, m.Weight, m.Bias, o)
}

// DropBlockOptions are the options of [DropBlock].
type DropBlockOptions struct {
	InPlace bool
	Eps     *float64 // default 1e-6
}

// DropBlock2d zeroes blocks of blockSize×blockSize pixels of each channel of x [N, C, H, W] at random,
// https://arxiv.org/abs/1810.12890: torchvision.ops.drop_block2d(x, p, block_size). It is for
// training; for use afterwards leave it away.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.drop_block2d.html
func DropBlock2d(x *torch.Tensor, p float64, blockSize int, options ...DropBlockOptions) *torch.Tensor {
	return dropBlock("DropBlock2d", x, p, blockSize, 2, torch.Only(options))
}

// DropBlock3d is [DropBlock2d] of x [N, C, D, H, W]: torchvision.ops.drop_block3d(x, p, block_size).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.drop_block3d.html
func DropBlock3d(x *torch.Tensor, p float64, blockSize int, options ...DropBlockOptions) *torch.Tensor {
	return dropBlock("DropBlock3d", x, p, blockSize, 3, torch.Only(options))
}

func dropBlock(op string, x *torch.Tensor, p float64, block, dims int, o DropBlockOptions) *torch.Tensor {
	check(p >= 0 && p <= 1, op, "the probability is %v; it must be between 0 and 1", p)
	check(x.Dim() == dims+2, op, "the input has the shape %v; it must have %d dimensions", x.Shape(), dims+2)
	if p == 0 {
		return x
	}
	size := x.Shape()
	for _, n := range size[2:] {
		block = min(block, n)
	}
	check(block%2 == 1 && block > 0, op, "the block size is %d; it must be odd", block)
	pixels, places := 1, 1
	for i := range dims {
		pixels *= size[2+i]
		size[2+i] -= block - 1
		places *= size[2+i]
	}
	eps := 1e-6
	if o.Eps != nil {
		eps = *o.Eps
	}
	apply := func() *torch.Tensor {
		gamma := p * float64(pixels) / (math.Pow(float64(block), float64(dims)) * float64(places))
		noise := torch.Options{DType: x.DType(), Device: x.Device()}.Empty(size...).BernoulliInPlace(gamma)
		noise = widen(noise, block, dims).RSubScalar(1)
		scale := noise.Sum().AddScalar(eps).Reciprocal().MulScalar(noise.Numel())
		if o.InPlace {
			return x.MulInPlace(noise).MulInPlace(scale)
		}
		return x.Mul(noise).Mul(scale)
	}
	if o.InPlace {
		torch.Scope(func() { apply() })
		return x
	}
	return scope(apply)
}

// widen makes a block of each one in noise, whose blocks fit into the picture.
func widen(noise *torch.Tensor, block, dims int) *torch.Tensor {
	pad := make([]int, 2*dims)
	for i := range pad {
		pad[i] = block / 2
	}
	noise = F.Pad(noise, pad)
	if dims == 2 {
		return F.MaxPool2d(noise, block, F.MaxPool2dOptions{Stride: 1, Padding: block / 2})
	}
	return F.MaxPool3d(noise, block, F.MaxPool3dOptions{Stride: 1, Padding: block / 2})
}
