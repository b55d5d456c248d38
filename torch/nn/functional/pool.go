package functional

import (
	"math"

	"github.com/torchhub/torchhub/torch"
)

// LPPoolOptions are the options of [LPPool1d], [LPPool2d] and [LPPool3d].
type LPPoolOptions struct {
	Stride   torch.Ints // default the kernel size
	CeilMode bool
}

// LPPool1d returns (Σ x^normType)^(1/normType) of each window of x [N, C, L]:
// F.lp_pool1d(x, norm_type, kernel_size, stride, ceil_mode).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool1d.html
func LPPool1d(x *torch.Tensor, normType float64, kernelSize torch.Ints, options ...LPPoolOptions) *torch.Tensor {
	o := torch.Only(options)
	return lpPool("LPPool1d", x, normType, torch.SizesOf("LPPool1d", "kernelSize", kernelSize, 1),
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
	return lpPool("LPPool2d", x, normType, torch.SizesOf("LPPool2d", "kernelSize", kernelSize, 2),
		func(x *torch.Tensor) *torch.Tensor {
			return MaxPool2d(x, kernelSize, MaxPool2dOptions{Stride: o.Stride, CeilMode: o.CeilMode})
		},
		func(x *torch.Tensor) *torch.Tensor {
			return AvgPool2d(x, kernelSize, AvgPool2dOptions{Stride: o.Stride, CeilMode: o.CeilMode})
		})
}

// LPPool3d returns (Σ x^normType)^(1/normType) of each window of x [N, C, D, H, W]:
// F.lp_pool3d(x, norm_type, kernel_size, stride, ceil_mode).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool3d.html
func LPPool3d(x *torch.Tensor, normType float64, kernelSize torch.Ints, options ...LPPoolOptions) *torch.Tensor {
	o := torch.Only(options)
	return lpPool("LPPool3d", x, normType, torch.SizesOf("LPPool3d", "kernelSize", kernelSize, 3),
		func(x *torch.Tensor) *torch.Tensor {
			return MaxPool3d(x, kernelSize, MaxPool3dOptions{Stride: o.Stride, CeilMode: o.CeilMode})
		},
		func(x *torch.Tensor) *torch.Tensor {
			return AvgPool3d(x, kernelSize, AvgPool3dOptions{Stride: o.Stride, CeilMode: o.CeilMode})
		})
}

func lpPool(op string, x *torch.Tensor, p float64, kernel []int, most, mean func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
	switch {
	case p == 0:
		fail(op, "normType must not be 0")
	case math.IsInf(p, 1):
		return most(x.Abs())
	case math.IsInf(p, -1):
		return most(x.Abs().Neg()).Neg()
	}
	volume := 1
	for _, k := range kernel {
		volume *= k
	}
	m := mean(x.PowScalar(p))
	return m.Sign().Mul(m.Abs().ReLU()).MulScalar(volume).PowScalar(1 / p)
}

var (
	opMaxUnpool2d = torch.NewOp("aten::max_unpool2d", "")
	opMaxUnpool3d = torch.NewOp("aten::max_unpool3d", "")
)

// MaxUnpoolOptions are the options of [MaxUnpool1d], [MaxUnpool2d] and [MaxUnpool3d].
type MaxUnpoolOptions struct {
	Stride     torch.Ints // default the kernel size
	Padding    torch.Ints
	OutputSize []int // of the spatial dimensions, or of all; default what the pooling implies
}

// unpool returns the output's spatial size and the stride and padding by dimension.
func (o MaxUnpoolOptions) unpool(op string, x *torch.Tensor, kernelSize torch.Ints, n int) (size, stride, padding []int) {
	kernel := torch.SizesOf(op, "kernelSize", kernelSize, n)
	stride = torch.SizesOf(op, "Stride", o.Stride, n, kernel...)
	padding = torch.SizesOf(op, "Padding", o.Padding, n, make([]int, n)...)
	given := o.OutputSize
	if len(given) == n+2 {
		given = given[2:]
	}
	if given != nil && len(given) != n {
		fail(op, "OutputSize has %d elements; it must have %d or %d", len(o.OutputSize), n, n+2)
	}
	for d, k := range kernel {
		natural := (x.Size(d-n)-1)*stride[d] + k - 2*padding[d]
		size = append(size, natural)
		if given != nil {
			size[d] = given[d]
			if least, most := natural-stride[d], natural+stride[d]; given[d] <= least || given[d] >= most {
				fail(op, "OutputSize is %v; its element %d must be between %d and %d", o.OutputSize, d, least, most)
			}
		}
		if size[d] < 0 {
			fail(op, "the output would have the size %d", size[d])
		}
	}
	return size, stride, padding
}

// MaxUnpool1d returns zeros [N, C, L'] with the elements of x at the indices that
// [MaxPool1dWithIndices] gave: F.max_unpool1d(x, indices, kernel_size, stride, padding, output_size).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool1d.html
func MaxUnpool1d(x, indices *torch.Tensor, kernelSize torch.Ints, options ...MaxUnpoolOptions) *torch.Tensor {
	size, _, _ := torch.Only(options).unpool("MaxUnpool1d", x, kernelSize, 1)
	return maxUnpool2d(x.Unsqueeze(-1), indices.Unsqueeze(-1), append(size, 1)).Squeeze(-1)
}

// MaxUnpool2d returns zeros [N, C, H', W'] with the elements of x at the indices that
// [MaxPool2dWithIndices] gave: F.max_unpool2d(x, indices, kernel_size, stride, padding, output_size).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html
func MaxUnpool2d(x, indices *torch.Tensor, kernelSize torch.Ints, options ...MaxUnpoolOptions) *torch.Tensor {
	size, _, _ := torch.Only(options).unpool("MaxUnpool2d", x, kernelSize, 2)
	return maxUnpool2d(x, indices, size)
}

func maxUnpool2d(x, indices *torch.Tensor, size []int) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	c.Tensor(indices)
	c.Ints(size...)
	return c.One(opMaxUnpool2d)
}

// MaxUnpool3d returns zeros [N, C, D', H', W'] with the elements of x at the indices that
// [MaxPool3dWithIndices] gave: F.max_unpool3d(x, indices, kernel_size, stride, padding, output_size).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool3d.html
func MaxUnpool3d(x, indices *torch.Tensor, kernelSize torch.Ints, options ...MaxUnpoolOptions) *torch.Tensor {
	size, stride, padding := torch.Only(options).unpool("MaxUnpool3d", x, kernelSize, 3)
	var c torch.Call
	c.Tensor(x)
	c.Tensor(indices)
	c.Ints(size...)
	c.Ints(stride...)
	c.Ints(padding...)
	return c.One(opMaxUnpool3d)
}

var opFractionalMaxPool = map[int]*torch.Op{
	2: torch.NewOp("aten::fractional_max_pool2d", ""),
	3: torch.NewOp("aten::fractional_max_pool3d", ""),
}

// FractionalMaxPoolOptions are the options of [FractionalMaxPool2d] and
// [FractionalMaxPool3d]. OutputSize or OutputRatio must be given.
type FractionalMaxPoolOptions struct {
	OutputSize  torch.Ints    // of the spatial dimensions
	OutputRatio torch.Floats  // of the output's size to the input's
	Samples     *torch.Tensor // where the windows are, random numbers from [0, 1): [N, C, 2 or 3]; nil draws them
}

// FractionalMaxPool2d returns the maximum of each of a number of windows, of
// random distances, of x [N, C, H, W], and its int64 index in the plane:
// F.fractional_max_pool2d(x, kernel_size, output_size, output_ratio, return_indices=True).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool2d.html
func FractionalMaxPool2d(x *torch.Tensor, kernelSize torch.Ints, options ...FractionalMaxPoolOptions) (values, indices *torch.Tensor) {
	return torch.Only(options).pool("FractionalMaxPool2d", x, kernelSize, 2)
}

// FractionalMaxPool3d returns the maximum of each of a number of windows, of
// random distances, of x [N, C, D, H, W], and its int64 index in the volume:
// F.fractional_max_pool3d(x, kernel_size, output_size, output_ratio, return_indices=True).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool3d.html
func FractionalMaxPool3d(x *torch.Tensor, kernelSize torch.Ints, options ...FractionalMaxPoolOptions) (values, indices *torch.Tensor) {
	return torch.Only(options).pool("FractionalMaxPool3d", x, kernelSize, 3)
}

func (o FractionalMaxPoolOptions) pool(op string, x *torch.Tensor, kernelSize torch.Ints, n int) (values, indices *torch.Tensor) {
	var size []int
	switch {
	case o.OutputSize != nil:
		size = torch.SizesOf(op, "OutputSize", o.OutputSize, n)
	case o.OutputRatio != nil:
		for d, ratio := range floats(op, "OutputRatio", o.OutputRatio, n) {
			l := float64(x.Size(d-n)) * ratio
			if !(math.Abs(l) <= math.MaxInt32) {
				fail(op, "OutputRatio %v gives a size of %v", o.OutputRatio, l)
			}
			size = append(size, int(l))
		}
	default:
		fail(op, "OutputSize or OutputRatio must be given")
	}
	samples := o.Samples
	if samples == nil {
		batch := 1
		if x.Dim() != n+1 {
			batch = x.Size(0)
		}
		samples = torch.Options{DType: x.DType(), Device: x.Device()}.Rand(batch, x.Size(-n-1), n)
	}
	var c torch.Call
	c.Tensor(x)
	c.Ints(torch.SizesOf(op, "kernelSize", kernelSize, n)...)
	c.Ints(size...)
	c.Tensor(samples)
	return c.Two(opFractionalMaxPool[n])
}
