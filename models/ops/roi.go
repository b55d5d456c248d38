package ops

import (
	"github.com/torchhub/torchhub/torch"
)

var (
	opRoIAlign   = torch.NewOp("torchvision::roi_align", "")
	opRoIPool    = torch.NewOp("torchvision::roi_pool", "")
	opPSRoIAlign = torch.NewOp("torchvision::ps_roi_align", "")
	opPSRoIPool  = torch.NewOp("torchvision::ps_roi_pool", "")
)

// RoIOptions are the options of [RoIAlign], [RoIPool], [PSRoIAlign] and [PSRoIPool].
type RoIOptions struct {
	SpatialScale  *float64 // of the input to the boxes, default 1
	SamplingRatio int      // of the two that align: points in each direction of a bin; 0 or less means as many as pixels
	Aligned       bool     // of RoIAlign: moves the boxes by half a pixel, to the pixels' centers
}

// pool begins the call of an operator.
func (o RoIOptions) pool(name string, x, boxes *torch.Tensor, outputSize torch.Ints) torch.Call {
	size := torch.SizesOf("ops."+name, "the output size", outputSize, 2)
	scale := 1.0
	if o.SpatialScale != nil {
		scale = *o.SpatialScale
	}
	var c torch.Call
	c.Tensor(x)
	c.Tensor(boxes)
	c.Float(scale)
	c.Int(size[0])
	c.Int(size[1])
	return c
}

// RoIAlign returns the means of bins of each box in a picture, which it samples between pixels,
// https://arxiv.org/abs/1703.06870: torchvision.ops.roi_align(x, boxes, output_size). x is
// [N, C, H, W] and boxes [K, 5] as the index of the picture, x1, y1, x2, y2, see [BoxesToRoIs].
// The result is [K, C, output size]. For boxes on a GPU, the positions of the sampling points are computed on the
// CPU, here and in the other poolings.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.roi_align.html
func RoIAlign(x, boxes *torch.Tensor, outputSize torch.Ints, options ...RoIOptions) *torch.Tensor {
	o := torch.Only(options)
	c := o.pool("RoIAlign", x, boxes, outputSize)
	c.Int(o.SamplingRatio)
	c.Bool(o.Aligned)
	return c.One(opRoIAlign)
}

// RoIPool returns the maxima of bins of each box in a picture, https://arxiv.org/abs/1504.08083:
// torchvision.ops.roi_pool(x, boxes, output_size). The shapes are those of [RoIAlign].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.roi_pool.html
func RoIPool(x, boxes *torch.Tensor, outputSize torch.Ints, options ...RoIOptions) *torch.Tensor {
	c := torch.Only(options).pool("RoIPool", x, boxes, outputSize)
	y, _ := c.Two(opRoIPool)
	return y
}

// PSRoIAlign returns means as [RoIAlign] does, of channels of its own for each bin,
// https://arxiv.org/abs/1711.07264: torchvision.ops.ps_roi_align(x, boxes, output_size). The
// result is [K, C / (height·width), height, width].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.ps_roi_align.html
func PSRoIAlign(x, boxes *torch.Tensor, outputSize torch.Ints, options ...RoIOptions) *torch.Tensor {
	o := torch.Only(options)
	c := o.pool("PSRoIAlign", x, boxes, outputSize)
	c.Int(o.SamplingRatio)
	y, _ := c.Two(opPSRoIAlign)
	return y
}

// PSRoIPool returns the means of the pixels of each bin, of channels of its own for each,
// https://arxiv.org/abs/1605.06409: torchvision.ops.ps_roi_pool(x, boxes, output_size). The
// result is [K, C / (height·width), height, width].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.ps_roi_pool.html
func PSRoIPool(x, boxes *torch.Tensor, outputSize torch.Ints, options ...RoIOptions) *torch.Tensor {
	c := torch.Only(options).pool("PSRoIPool", x, boxes, outputSize)
	y, _ := c.Two(opPSRoIPool)
	return y
}

// BoxesToRoIs returns the boxes [L, 4] of each picture of a batch in one tensor [K, 5], with
// the index of the picture in the first column.
func BoxesToRoIs(boxes []*torch.Tensor) *torch.Tensor {
	check(len(boxes) > 0, "BoxesToRoIs", "there are no boxes; give those of each picture")
	return scope(func() *torch.Tensor {
		all := make([]*torch.Tensor, len(boxes))
		for i, b := range boxes {
			check(b.Dim() == 2 && b.Size(1) == 4, "BoxesToRoIs", "the boxes of picture %d have the shape %v; it must be [L, 4]", i, b.Shape())
			all[i] = torch.Cat([]*torch.Tensor{torch.FullLike(b.Narrow(1, 0, 1), i), b}, 1)
		}
		return torch.Cat(all, 0)
	})
}

// A Feature is a feature map [N, C, H, W] with its name: an item of Python's OrderedDict.
type Feature struct {
	Name string
	X    *torch.Tensor
}

// MultiScaleRoIAlignOptions are the options of [NewMultiScaleRoIAlign].
type MultiScaleRoIAlignOptions struct {
	CanonicalScale int // 0 means 224
	CanonicalLevel int // 0 means 4
}

// MultiScaleRoIAlign is RoIAlign in a pyramid of feature maps, in which larger boxes are pooled
// from coarser ones: torchvision.ops.MultiScaleRoIAlign.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.MultiScaleRoIAlign.html
type MultiScaleRoIAlign struct {
	Names         []string // of the feature maps
	OutputSize    []int
	SamplingRatio int
	Scale, Level  int // boxes of Scale×Scale are pooled from the map that is 2^Level times smaller than the picture
}

// NewMultiScaleRoIAlign makes a MultiScaleRoIAlign(names, output_size, sampling_ratio).
func NewMultiScaleRoIAlign(names []string, outputSize torch.Ints, samplingRatio int, options ...MultiScaleRoIAlignOptions) *MultiScaleRoIAlign {
	o := torch.Only(options)
	m := &MultiScaleRoIAlign{names, torch.SizesOf("ops.MultiScaleRoIAlign", "the output size", outputSize, 2), samplingRatio, 224, 4}
	if o.CanonicalScale != 0 {
		m.Scale = o.CanonicalScale
	}
	if o.CanonicalLevel != 0 {
		m.Level = o.CanonicalLevel
	}
	return m
}
