package torch

var (
	opTo            = NewOp("aten::to", "dtype_layout")
	opToDType       = NewOp("aten::to", "dtype")
	opPinMemory     = NewOp("aten::pin_memory", "")
	opIsPinned      = NewOp("aten::is_pinned", "")
	opSqueeze       = NewOp("aten::squeeze", "")
	opSqueeze1      = NewOp("aten::squeeze", "dim")
	opSqueezeDims   = NewOp("aten::squeeze", "dims")
	opSqueezeIn     = NewOp("aten::squeeze_", "")
	opSqueezeIn1    = NewOp("aten::squeeze_", "dim")
	opSqueezeInDims = NewOp("aten::squeeze_", "dims")
)

// ToOptions are the options of [Tensor.To].
type ToOptions struct {
	DType        DType         // 0 is x's
	NonBlocking  bool          // whether a copy between a GPU and pinned memory may run while Go continues
	Copy         bool          // whether the result is a copy also if x is as asked for
	MemoryFormat *MemoryFormat // nil is torch.PreserveFormat
}

// To returns x on a device, x itself if it is there: x.to(device, dtype,
// memory_format=…). The zero Device is the default device. It panics with an [*Error]
// if there is no such device.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html
func (x *Tensor) To(d Device, options ...ToOptions) *Tensor {
	o := Only(options)
	var c Call
	c.Tensor(x)
	c.DType(o.DType)
	c.None() // layout
	c.Device(d)
	c.None() // pin_memory
	c.Bool(o.NonBlocking)
	c.Bool(o.Copy)
	if o.MemoryFormat != nil {
		c.MemoryFormat(*o.MemoryFormat)
	}
	return c.One(opTo)
}

// ToMemoryFormat returns x with its dimensions in another order in memory, x itself if
// they are: x.to(memory_format=torch.channels_last).
//
//	x = x.ToMemoryFormat(torch.ChannelsLast)
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html
func (x *Tensor) ToMemoryFormat(f MemoryFormat) *Tensor {
	var c Call
	c.Tensor(x)
	for range 4 {
		c.None() // dtype, layout, device, pin_memory
	}
	c.Default() // non_blocking
	c.Default() // copy
	c.MemoryFormat(f)
	return c.One(opTo)
}

// PinMemory returns x, on the CPU, in memory from which copies to a GPU are fast and can
// be [ToOptions.NonBlocking]; x itself if it is: x.pin_memory(). It panics with an
// [*Error] if there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.pin_memory.html
func (x *Tensor) PinMemory() *Tensor {
	var c Call
	c.Tensor(x)
	return c.One(opPinMemory)
}

// IsPinned reports whether x is in memory that [Tensor.PinMemory] makes: x.is_pinned().
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_pinned.html
func (x *Tensor) IsPinned() bool {
	var c Call
	c.Tensor(x)
	return Result[bool](&c, opIsPinned)
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
	var c Call
	c.Tensor(x)
	switch len(dims) {
	case 0:
		return c.One(opSqueeze)
	case 1:
		c.Int(dims[0])
		return c.One(opSqueeze1)
	}
	c.Ints(dims...)
	return c.One(opSqueezeDims)
}

// SqueezeInPlace changes x to the result of [Tensor.Squeeze], and returns x:
// x.squeeze_(dims).
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.squeeze_.html
func (x *Tensor) SqueezeInPlace(dims ...int) *Tensor {
	var c Call
	c.Tensor(x)
	switch len(dims) {
	case 0:
		c.Do(opSqueezeIn)
	case 1:
		c.Int(dims[0])
		c.Do(opSqueezeIn1)
	default:
		c.Ints(dims...)
		c.Do(opSqueezeInDims)
	}
	return x
}
