package functional

import "github.com/torchhub/torchhub/torch"

var (
	opUnfold = torch.NewOp("aten::im2col", "")
	opFold   = torch.NewOp("aten::col2im", "")
)

// UnfoldOptions are the options of [Unfold] and [Fold].
type UnfoldOptions struct {
	Dilation torch.Ints // default 1
	Padding  torch.Ints
	Stride   torch.Ints // default 1
}

// put adds the kernel and the options to a call.
func (o UnfoldOptions) put(c *torch.Call, op string, kernelSize torch.Ints) {
	c.Ints(torch.SizesOf(op, "kernelSize", kernelSize, 2)...)
	c.Ints(torch.SizesOf(op, "Dilation", o.Dilation, 2, 1, 1)...)
	c.Ints(torch.SizesOf(op, "Padding", o.Padding, 2, 0, 0)...)
	c.Ints(torch.SizesOf(op, "Stride", o.Stride, 2, 1, 1)...)
}

// Unfold returns the blocks of x [N, C, H, W] under a sliding kernel [kH, kW]:
// [N, C·kH·kW, blocks]: F.unfold(x, kernel_size, dilation, padding, stride).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
func Unfold(x *torch.Tensor, kernelSize torch.Ints, options ...UnfoldOptions) *torch.Tensor {
	o := torch.Only(options)
	var c torch.Call
	c.Tensor(x)
	o.put(&c, "Unfold", kernelSize)
	return c.One(opUnfold)
}

// Fold adds the blocks x [N, C·kH·kW, blocks] up again, to [N, C, H, W] for an
// outputSize [H, W]: F.fold(x, output_size, kernel_size, dilation, padding, stride).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
func Fold(x *torch.Tensor, outputSize, kernelSize torch.Ints, options ...UnfoldOptions) *torch.Tensor {
	o := torch.Only(options)
	var c torch.Call
	c.Tensor(x)
	c.Ints(torch.SizesOf("Fold", "outputSize", outputSize, 2)...)
	o.put(&c, "Fold", kernelSize)
	return c.One(opFold)
}
