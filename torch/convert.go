package torch

var (
	opTo      = NewOp("aten::to", "dtype_layout")
	opToDType = NewOp("aten::to", "dtype")
	opSqueeze = NewOp("aten::squeeze", "")
)

// To returns x on a device, a view where it lies there already: x.to(device).
// It panics with an [*Error] where there is no such device.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html
func (x *Tensor) To(d Device) *Tensor {
	var c Call
	c.Tensor(x)
	c.None() // dtype
	c.None() // layout
	c.Device(d)
	return c.One(opTo)
}

// ToDType returns x converted: x.to(dtype).
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html
func (x *Tensor) ToDType(d DType) *Tensor {
	var c Call
	c.Tensor(x)
	c.DType(d)
	return c.One(opToDType)
}

// Squeeze returns x without those of the dims that are of size 1, by default
// without all dimensions of size 1: x.squeeze(dims), as a view.
//
// https://docs.pytorch.org/docs/stable/generated/torch.squeeze.html
func (x *Tensor) Squeeze(dims ...int) *Tensor {
	if len(dims) > 0 {
		return x.SqueezeDims(dims...)
	}
	var c Call
	c.Tensor(x)
	return c.One(opSqueeze)
}
