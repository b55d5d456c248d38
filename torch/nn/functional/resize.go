package functional

import (
	"cmp"
	"math"

	"github.com/torchhub/torchhub/torch"
)

// resize are the operators that change the spatial size of [N, C, …], by mode and number of dimensions.
var resize = map[string]map[int]*torch.Op{
	"nearest": {
		3: torch.NewOp("aten::upsample_nearest1d", "vec"),
		4: torch.NewOp("aten::upsample_nearest2d", "vec"),
		5: torch.NewOp("aten::upsample_nearest3d", "vec"),
	},
	"nearest-exact": {
		3: torch.NewOp("aten::_upsample_nearest_exact1d", "vec"),
		4: torch.NewOp("aten::_upsample_nearest_exact2d", "vec"),
		5: torch.NewOp("aten::_upsample_nearest_exact3d", "vec"),
	},
	"linear":    {3: torch.NewOp("aten::upsample_linear1d", "vec")},
	"bilinear":  {4: torch.NewOp("aten::upsample_bilinear2d", "vec")},
	"bicubic":   {4: torch.NewOp("aten::upsample_bicubic2d", "vec")},
	"trilinear": {5: torch.NewOp("aten::upsample_trilinear3d", "vec")},
}

var resizeAntialias = map[string]*torch.Op{
	"bilinear": torch.NewOp("aten::_upsample_bilinear2d_aa", "vec"),
	"bicubic":  torch.NewOp("aten::_upsample_bicubic2d_aa", "vec"),
	"lanczos":  torch.NewOp("aten::_upsample_lanczos2d_aa", "vec"),
}

// InterpolateOptions are the options of [Interpolate].
type InterpolateOptions struct {
	Size                 torch.Ints   // of the result; this or ScaleFactor
	ScaleFactor          torch.Floats // of the result's size to x's
	Mode                 string       // "nearest", the default, "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area", "lanczos"
	AlignCorners         bool         // the centers of the corner pixels stay where they are
	RecomputeScaleFactor bool         // from the size that ScaleFactor gives
	Antialias            bool         // for "bilinear" and "bicubic"; "lanczos" needs it
}

// Interpolate resizes x [N, C, L], [N, C, H, W] or [N, C, D, H, W]:
// F.interpolate(x, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
func Interpolate(x *torch.Tensor, options ...InterpolateOptions) *torch.Tensor {
	o := torch.Only(options)
	mode := cmp.Or(o.Mode, "nearest")
	n := x.Dim() - 2
	if n < 1 || n > 3 {
		fail("Interpolate", "x must have 3, 4 or 5 dimensions, not %d", n+2)
	}
	var size []int
	if o.Size != nil {
		size = torch.SizesOf("Interpolate", "Size", o.Size, n)
	}
	scale := floats("Interpolate", "ScaleFactor", o.ScaleFactor, n)
	switch {
	case (size == nil) == (scale == nil):
		fail("Interpolate", "one of Size and ScaleFactor must be given")
	case o.RecomputeScaleFactor && size != nil:
		fail("Interpolate", "RecomputeScaleFactor has no meaning with a Size")
	}
	nearest := mode == "nearest" || mode == "nearest-exact" || mode == "area"
	if nearest && o.AlignCorners {
		fail("Interpolate", "mode %q has no AlignCorners", mode)
	}
	if scale != nil && (o.RecomputeScaleFactor || mode == "area") {
		for i, s := range scale {
			l := float64(x.Size(i+2)) * s
			if !(math.Abs(l) <= math.MaxInt32) {
				fail("Interpolate", "ScaleFactor %v gives a size of %v", s, l)
			}
			size = append(size, int(l))
		}
		scale = nil
	}
	op := resize[mode][n+2]
	if o.Antialias {
		if op = resizeAntialias[mode]; op == nil || n != 2 {
			fail("Interpolate", "Antialias is for modes bilinear, bicubic and lanczos of [N, C, H, W]")
		}
		if mode == "lanczos" && o.AlignCorners {
			fail("Interpolate", "mode lanczos has no AlignCorners")
		}
	}
	if mode == "area" {
		return [](func(*torch.Tensor, torch.Ints) *torch.Tensor){AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d}[n-1](x, size)
	}
	if op == nil {
		fail("Interpolate", "there is no mode %q for %d dimensions", mode, n+2)
	}
	var c torch.Call
	c.Tensor(x)
	c.OptInts(size)
	if !nearest {
		c.Bool(o.AlignCorners)
	}
	c.OptFloats(scale)
	return c.One(op)
}

var opGridSampler = torch.NewOp("aten::grid_sampler", "")

// GridSampleOptions are the options of [GridSample].
type GridSampleOptions struct {
	Mode         string // "bilinear", the default, "nearest" or "bicubic"
	PaddingMode  string // "zeros", the default, "border" or "reflection"
	AlignCorners bool   // -1 and 1 are the centers of the corner pixels, not their outer edges
}

// GridSample returns x [N, C, H, W] at the positions grid [N, H', W', 2], from -1
// to 1, x before y: [N, C, H', W']; or the same with depth:
// F.grid_sample(x, grid, mode, padding_mode, align_corners). An x of float16 or
// bfloat16 on the CPU may have 32,768 pixels, and is refused with more: libtorch's
// kernel would read beyond it, as it does in Python.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
func GridSample(x, grid *torch.Tensor, options ...GridSampleOptions) *torch.Tensor {
	o := torch.Only(options)
	var c torch.Call
	c.Tensor(x)
	c.Tensor(grid)
	c.Int(choice("GridSample", "Mode", o.Mode, "bilinear", "nearest", "bicubic"))
	c.Int(choice("GridSample", "PaddingMode", o.PaddingMode, "zeros", "border", "reflection"))
	c.Bool(o.AlignCorners)
	return c.One(opGridSampler)
}
