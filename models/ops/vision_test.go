package ops_test

import (
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func ExampleNMS() {
	boxes := torch.FromSlice([]float32{0, 0, 10, 10, 1, 1, 10, 10, 20, 20, 30, 30}, 3, 4)
	fmt.Println(torch.Data[int64](ops.NMS(boxes, torch.FromSlice([]float32{0.5, 0.9, 0.1}), 0.5)))
	// Output: [1 2]
}

// Tensors of the tests, which both sides draw after the same seed.
const visionScript = `
import torch
from torchvision import ops

torch.set_num_threads(1)
DTYPES = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}

def boxes(n, dtype, size=24.0):
    x = torch.rand(n, 4) * size
    x[:, 2:] = x[:, :2] + x[:, 2:] / 2
    x[::7, 2] = x[::7, 0]
    x[3::11, 3] = x[3::11, 1] - 2
    x[5::13] *= 4
    return x.to(dtype)

def rois(k, n, dtype):
    return torch.cat([torch.randint(0, n, (k, 1)).to(dtype), boxes(k, dtype)], 1)

def evaluate(expression, dtype, inputs):
    torch.manual_seed(5)
    dtype = DTYPES[dtype]
    names = {"torch": torch, "ops": ops, "boxes": boxes, "rois": rois, "dtype": dtype, "nan": float("nan"), "inf": float("inf")}
    v = [eval(i, names) for i in inputs]
    leaves = [x.requires_grad_(True) if g else x for x, g in zip(v, [i.startswith("torch.randn") or i.startswith("boxes(6") for i in inputs])]
    y = eval(expression, {**names, "v": leaves})
    out = [y.detach()]
    if y.requires_grad:
        torch.manual_seed(6)
        y.backward(torch.randn(y.shape).to(y.dtype))
        out += [x.grad for x in leaves if x.grad is not None]
    return [[x.detach() for x in v], out]
`

// visionCases are calls in Python and in Go with the inputs v. Those that are drawn from torch.randn, and boxes(6, …), get gradients.
var visionCases = []struct {
	python string
	g      func(v []*torch.Tensor) *torch.Tensor
	inputs []string
	dtypes string // "", or those that it is for besides float32 and float64
}{
	{"ops.nms(v[0], v[1], 0.3)", func(v []*torch.Tensor) *torch.Tensor { return ops.NMS(v[0], v[1], 0.3) }, []string{"boxes(200, dtype)", "torch.rand(200).mul(20).floor().to(dtype)"}, ""},
	{"ops.nms(v[0], v[1], 0.5)", func(v []*torch.Tensor) *torch.Tensor { return ops.NMS(v[0], v[1], 0.5) },
		[]string{"torch.tensor([[nan, 0, 1, 1], [0, 0, 1, nan], [0, 0, inf, 1], [0, 0, 1, 1], [0, 0, 1, 1]], dtype=dtype)", "torch.tensor([1, nan, 2, 2, inf], dtype=dtype)"}, ""},
	{"ops.nms(v[0], v[1], 0.5)", func(v []*torch.Tensor) *torch.Tensor { return ops.NMS(v[0], v[1], 0.5) }, []string{"torch.zeros(0, 4, dtype=dtype)", "torch.zeros(0, dtype=dtype)"}, ""},
	{"ops.batched_nms(v[0], v[1], v[2], 0.3)", func(v []*torch.Tensor) *torch.Tensor { return ops.BatchedNMS(v[0], v[1], v[2], 0.3) }, []string{"boxes(200, dtype)", "torch.rand(200).to(dtype)", "torch.randint(0, 3, (200,))"}, ""},
	{"ops.batched_nms(v[0], v[1], v[2], 0.3)", func(v []*torch.Tensor) *torch.Tensor { return ops.BatchedNMS(v[0], v[1], v[2], 0.3) }, []string{"boxes(1200, dtype)", "torch.rand(1200).to(dtype)", "torch.randint(0, 3, (1200,))"}, ""},
	{"ops.remove_small_boxes(v[0], 2)", func(v []*torch.Tensor) *torch.Tensor { return ops.RemoveSmallBoxes(v[0], 2) }, []string{"boxes(50, dtype)"}, "float16"},
	{"ops.clip_boxes_to_image(v[0], (20, 9))", func(v []*torch.Tensor) *torch.Tensor { return ops.ClipBoxesToImage(v[0], 20, 9) }, []string{"boxes(6, dtype)"}, "float16"},
	{"ops.box_area(v[0])", func(v []*torch.Tensor) *torch.Tensor { return ops.BoxArea(v[0]) }, []string{"boxes(6, dtype)"}, "float16"},
	{"ops.box_area(v[0], 'cxcywh')", func(v []*torch.Tensor) *torch.Tensor { return ops.BoxArea(v[0], ops.BoxOptions{Format: "cxcywh"}) }, []string{"boxes(5, dtype).short()"}, ""},
	{"ops.box_iou(v[0], v[1])", func(v []*torch.Tensor) *torch.Tensor { return ops.BoxIoU(v[0], v[1]) }, []string{"boxes(6, dtype)", "boxes(9, dtype)"}, "float16"},
	{"ops.box_iou(v[0], v[1], 'xywh')", func(v []*torch.Tensor) *torch.Tensor { return ops.BoxIoU(v[0], v[1], ops.BoxOptions{Format: "xywh"}) }, []string{"boxes(6, dtype).view(2, 3, 4)", "boxes(8, dtype).view(2, 4, 4)"}, ""},
	{"ops.box_iou(v[0], v[1], 'cxcywh')", func(v []*torch.Tensor) *torch.Tensor { return ops.BoxIoU(v[0], v[1], ops.BoxOptions{Format: "cxcywh"}) }, []string{"boxes(6, dtype)", "boxes(9, dtype)"}, ""},
	// In float64: torchvision's corners in float32 are off by so much that an overlap may get lost.
	{"ops.box_iou(v[0], v[1], 'xywhr')", func(v []*torch.Tensor) *torch.Tensor { return ops.BoxIoU(v[0], v[1], ops.BoxOptions{Format: "xywhr"}) },
		[]string{"torch.rand(40, 5, dtype=torch.double) * torch.tensor([20, 20, 30, 30, 360]) + 2", "torch.rand(30, 5, dtype=torch.double) * torch.tensor([20, 20, 30, 30, 360]) + 2"}, ""},
	{"ops.generalized_box_iou(v[0], v[1])", func(v []*torch.Tensor) *torch.Tensor { return ops.GeneralizedBoxIoU(v[0], v[1]) }, []string{"boxes(6, dtype)", "boxes(9, dtype)"}, "float16"},
	{"ops.distance_box_iou(v[0], v[1], 1e-3)", func(v []*torch.Tensor) *torch.Tensor {
		return ops.DistanceBoxIoU(v[0], v[1], ops.EpsOptions{Eps: new(1e-3)})
	}, []string{"boxes(6, dtype)", "boxes(9, dtype)"}, "float16"},
	{"ops.complete_box_iou(v[0], v[1])", func(v []*torch.Tensor) *torch.Tensor { return ops.CompleteBoxIoU(v[0], v[1]) }, []string{"boxes(6, dtype)", "boxes(9, dtype)"}, "float16"},
	{"ops.masks_to_boxes(v[0])", func(v []*torch.Tensor) *torch.Tensor { return ops.MasksToBoxes(v[0]) }, []string{"(torch.rand(9, 5, 6) > 0.9).to(dtype)"}, ""},
	{"ops.masks_to_boxes(v[0])", func(v []*torch.Tensor) *torch.Tensor { return ops.MasksToBoxes(v[0]) }, []string{"torch.zeros(0, 5, 6)"}, ""},
	{"ops.roi_align(v[0], v[1], (3, 2), 0.5, 2)", func(v []*torch.Tensor) *torch.Tensor {
		return ops.RoIAlign(v[0], v[1], []int{3, 2}, ops.RoIOptions{SpatialScale: new(0.5), SamplingRatio: 2})
	}, []string{"torch.randn(2, 5, 12, 11).to(dtype)", "rois(30, 2, dtype)"}, "float16"},
	{"ops.roi_align(v[0], v[1], 3, 1.0, -1, True)", func(v []*torch.Tensor) *torch.Tensor {
		return ops.RoIAlign(v[0], v[1], 3, ops.RoIOptions{Aligned: true})
	}, []string{"torch.randn(2, 3, 20, 11, dtype=dtype)", "rois(30, 2, dtype)"}, ""},
	{"ops.roi_align(v[0], v[1], 3, 1.0, 2)", func(v []*torch.Tensor) *torch.Tensor {
		return ops.RoIAlign(v[0], v[1], 3, ops.RoIOptions{SamplingRatio: 2})
	},
		[]string{"torch.randn(2, 3, 20, 11, dtype=dtype)", "torch.zeros(0, 5, dtype=dtype)"}, ""},
	{"ops.roi_align(v[0], [v[1], v[2]], 3)", func(v []*torch.Tensor) *torch.Tensor { return ops.RoIAlign(v[0], ops.BoxesToRoIs(v[1:]), 3) },
		[]string{"torch.randn(2, 3, 20, 11, dtype=dtype)", "boxes(4, dtype)", "boxes(0, dtype)"}, ""},
	{"ops.roi_pool(v[0], v[1], (3, 2), 0.5)", func(v []*torch.Tensor) *torch.Tensor {
		return ops.RoIPool(v[0], v[1], []int{3, 2}, ops.RoIOptions{SpatialScale: new(0.5)})
	}, []string{"torch.randn(2, 5, 12, 11, dtype=dtype)", "rois(30, 2, dtype)"}, "float16"},
	{"ops.ps_roi_align(v[0], v[1], (3, 2), 0.5, 2)", func(v []*torch.Tensor) *torch.Tensor {
		return ops.PSRoIAlign(v[0], v[1], []int{3, 2}, ops.RoIOptions{SpatialScale: new(0.5), SamplingRatio: 2})
	}, []string{"torch.randn(2, 12, 12, 11, dtype=dtype)", "rois(30, 2, dtype)"}, "float16"},
	{"ops.ps_roi_align(v[0], v[1], 2)", func(v []*torch.Tensor) *torch.Tensor { return ops.PSRoIAlign(v[0], v[1], 2) },
		[]string{"torch.randn(2, 12, 12, 11, dtype=dtype)", "rois(30, 2, dtype)"}, ""},
	{"ops.ps_roi_pool(v[0], v[1], (3, 2), 0.5)", func(v []*torch.Tensor) *torch.Tensor {
		return ops.PSRoIPool(v[0], v[1], []int{3, 2}, ops.RoIOptions{SpatialScale: new(0.5)})
	}, []string{"torch.randn(2, 12, 12, 11, dtype=dtype)", "rois(30, 2, dtype)"}, "float16"},
	{"ops.deform_conv2d(v[0], v[1], v[2], v[3], (2, 1), (1, 0), (1, 2), v[4])", func(v []*torch.Tensor) *torch.Tensor {
		return ops.DeformConv2d(v[0], v[1], v[2], v[3], ops.DeformConv2dOptions{Stride: []int{2, 1}, Padding: []int{1, 0}, Dilation: []int{1, 2}, Mask: v[4]})
	}, []string{"torch.randn(2, 4, 9, 8, dtype=dtype)", "torch.randn(2, 24, 5, 6, dtype=dtype)", "torch.randn(6, 2, 3, 2, dtype=dtype)", "torch.randn(6, dtype=dtype)", "torch.randn(2, 12, 5, 6, dtype=dtype)"}, ""},
	{"ops.deform_conv2d(v[0], v[1] * 3, v[2])", func(v []*torch.Tensor) *torch.Tensor {
		return ops.DeformConv2d(v[0], v[1].MulScalar(3), v[2], nil)
	}, []string{"torch.randn(2, 4, 6, 7, dtype=dtype)", "torch.randn(2, 18, 4, 5, dtype=dtype)", "torch.randn(6, 4, 3, 3, dtype=dtype)"}, ""},
	{"ops.sigmoid_focal_loss(v[0], v[1], reduction='mean')", func(v []*torch.Tensor) *torch.Tensor {
		return ops.SigmoidFocalLoss(v[0], v[1], ops.SigmoidFocalLossOptions{Reduction: "mean"})
	}, []string{"torch.randn(4, 5, dtype=dtype)", "torch.rand(4, 5).round().to(dtype)"}, ""},
	{"ops.sigmoid_focal_loss(v[0], v[1], -1, 1.5)", func(v []*torch.Tensor) *torch.Tensor {
		return ops.SigmoidFocalLoss(v[0], v[1], ops.SigmoidFocalLossOptions{Alpha: new(-1.0), Gamma: new(1.5)})
	}, []string{"torch.randn(4, 5, dtype=dtype)", "torch.rand(4, 5).round().to(dtype)"}, ""},
	{"ops.generalized_box_iou_loss(v[0], v[1])", func(v []*torch.Tensor) *torch.Tensor { return ops.GeneralizedBoxIoULoss(v[0], v[1]) }, []string{"boxes(6, dtype)", "boxes(6, dtype) + 1"}, "float16"},
	{"ops.distance_box_iou_loss(v[0], v[1], 'sum', 1e-3)", func(v []*torch.Tensor) *torch.Tensor {
		return ops.DistanceBoxIoULoss(v[0], v[1], ops.BoxLossOptions{Reduction: "sum", Eps: new(1e-3)})
	}, []string{"boxes(6, dtype)", "boxes(6, dtype) + 1"}, ""},
	{"ops.complete_box_iou_loss(v[0], v[1], 'mean', 1e-3)", func(v []*torch.Tensor) *torch.Tensor {
		return ops.CompleteBoxIoULoss(v[0], v[1], ops.BoxLossOptions{Reduction: "mean", Eps: new(1e-3)})
	}, []string{"boxes(5, dtype)[1:3]", "boxes(5, dtype)[1:3] + 1"}, ""},
	{"ops.complete_box_iou_loss(v[0], v[0], 'mean')", func(v []*torch.Tensor) *torch.Tensor {
		return ops.CompleteBoxIoULoss(v[0], v[0], ops.BoxLossOptions{Reduction: "mean"})
	}, []string{"torch.zeros(0, 4)"}, ""},
}

// TestVisionLive compares results and gradients with torchvision's.
func TestVisionLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, visionScript)
	for _, c := range visionCases {
		for _, d := range []string{"float32", "float64", c.dtypes} {
			if d == "" || d == "float16" && os.Getenv("TORCHHUB_VISION") != "" { // whose sums are in float32
				continue
			}
			message := fmt.Sprint(c.python, " ", c.inputs, " ", d)
			answer := p.Call("evaluate", c.python, d, c.inputs).([]torch.Value)
			var v []*torch.Tensor
			for i, x := range answer[0].([]torch.Value) {
				x := x.(*torch.Tensor)
				if in := c.inputs[i]; len(in) > 10 && in[:11] == "torch.randn" || len(in) > 7 && in[:7] == "boxes(6" {
					x.RequireGrad(true)
				}
				v = append(v, x)
			}
			got := []*torch.Tensor{c.g(v)}
			if got[0].RequiresGrad() {
				torch.ManualSeed(6)
				got[0].Backward(torch.BackwardOptions{Gradient: torch.Randn(got[0].Shape()...).ToDType(got[0].DType())})
				for _, x := range v {
					if g := x.Grad(); g != nil {
						got = append(got, g)
					}
				}
			}
			want := answer[1].([]torch.Value)
			require.Len(t, want, len(got), message)
			for i, w := range want {
				// The kernels of torchvision may be compiled to other instructions; sums in half precision are short of bits.
				o := torchtest.CloseOptions{EqualNan: true}
				require.NoError(t, torchtest.CheckClose(got[i].Detach(), w, o), "%s, result %d", message, i)
			}
		}
	}
}

// TestBoxConvertLive compares all conversions of boxes with torchvision's.
func TestBoxConvertLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, visionScript+`
def convert(source, target, n, integers):
    torch.manual_seed(2)
    x = torch.rand(5, n) * 50
    x = x.int() if integers else x
    return [x, ops.box_convert(x, source, target)]
`)
	for n, formats := range map[int][]string{4: {"xyxy", "xywh", "cxcywh"}, 5: {"xywhr", "cxcywhr", "xyxyxyxy"}} {
		for _, from := range formats {
			for _, to := range formats {
				for _, integers := range []bool{false, true} {
					n := n
					if from == "xyxyxyxy" {
						n = 8
					}
					v := p.Call("convert", from, to, n, integers).([]torch.Value)
					require.NoError(t, torchtest.CheckClose(ops.BoxConvert(v[0].(*torch.Tensor), from, to), v[1]), "%s %s %v", from, to, integers)
				}
			}
		}
	}
}

// TestPyramidLive compares a pyramid of features, its pooling and DropBlock with torchvision's after the same seed.
func TestPyramidLive(t *testing.T) {
	reference.Python(t)
	p := torchtest.Python(t, visionScript+`
from collections import OrderedDict
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

def pyramid(extra, norm):
    torch.manual_seed(3)
    extra = LastLevelMaxPool() if extra == "pool" else LastLevelP6P7(4, 6)
    m = ops.FeaturePyramidNetwork([3, 4], 6, extra, torch.nn.BatchNorm2d if norm else None).eval()
    x = OrderedDict(a=torch.randn(2, 3, 16, 13), b=torch.randn(2, 4, 8, 7))
    with torch.no_grad():
        y = m(x)
        pooled = ops.MultiScaleRoIAlign(["a", "b"], 3, 2, canonical_scale=16)(y, [boxes(30, torch.float32, 64), boxes(2, torch.float32, 64)], [(64, 52), (60, 50)])
        return [[list(i) for i in m.state_dict().items()], [list(i) for i in y.items()], pooled, ops.drop_block2d(x["a"], 0.3, 3), ops.drop_block3d(x["a"][None], 0.3, 3)]
`)
	for _, extra := range []string{"pool", "p6p7"} {
		for _, norm := range []bool{false, true} {
			want := p.Call("pyramid", extra, norm).([]torch.Value)
			torch.ManualSeed(3)
			var last ops.ExtraFPNBlock = ops.LastLevelMaxPool{}
			if extra == "p6p7" {
				last = ops.NewLastLevelP6P7(4, 6)
			}
			o := ops.FeaturePyramidNetworkOptions{Extra: last}
			if norm {
				o.Norm = func(c int) nn.Module { return nn.NewBatchNorm2d(c) }
			}
			m := ops.NewFeaturePyramidNetwork([]int{3, 4}, 6, o)
			nn.Eval(m)
			state := want[0].([]torch.Value)
			for i, e := range nn.StateDict(m) {
				kv := state[i].([]torch.Value)
				require.Equal(t, kv[0], e.Name)
				require.NoError(t, torchtest.CheckClose(e.Tensor.Detach(), kv[1], torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0)}), e.Name)
			}
			require.Len(t, state, len(nn.StateDict(m)))
			x := []ops.Feature{{Name: "a", X: torch.Randn(2, 3, 16, 13)}, {Name: "b", X: torch.Randn(2, 4, 8, 7)}}
			torch.NoGrad(func() {
				y := m.Forward(x)
				require.Len(t, y, len(want[1].([]torch.Value)))
				for i, kv := range want[1].([]torch.Value) {
					require.Equal(t, kv.([]torch.Value)[0], y[i].Name)
					require.NoError(t, torchtest.CheckClose(y[i].X, kv.([]torch.Value)[1]))
				}
				draw := func(n int) *torch.Tensor {
					b := torch.Rand(n, 4).MulScalar(64)
					b.SetIndex(b.Index(torch.All, torch.Slice(0, 2)).Add(b.Index(torch.All, torch.Slice(2, 4)).DivScalar(2)), torch.All, torch.Slice(2, 4))
					b.SetIndex(b.Index(torch.Slice(0, torch.End, 7), 0), torch.Slice(0, torch.End, 7), 2)
					b.SetIndex(b.Index(torch.Slice(3, torch.End, 11), 1).SubScalar(2), torch.Slice(3, torch.End, 11), 3)
					b.Index(torch.Slice(5, torch.End, 13)).MulScalarInPlace(4)
					return b
				}
				pool := ops.NewMultiScaleRoIAlign([]string{"a", "b"}, 3, 2, ops.MultiScaleRoIAlignOptions{CanonicalScale: 16})
				boxes := []*torch.Tensor{draw(30), draw(2)}
				require.NoError(t, torchtest.CheckClose(pool.Forward(y, boxes, []ops.Size{{Height: 64, Width: 52}, {Height: 60, Width: 50}}), want[2], torchtest.CloseOptions{EqualNan: true}))
				require.NoError(t, torchtest.CheckClose(ops.DropBlock2d(x[0].X, 0.3, 3), want[3]))
				require.NoError(t, torchtest.CheckClose(ops.DropBlock3d(x[0].X.Unsqueeze(0), 0.3, 3), want[4]))
			})
		}
	}
}

// TestVisionMistakes calls with arguments that kernels must not trust.
func TestVisionMistakes(t *testing.T) {
	x, nan, inf := torch.Rand(1, 4, 8, 8), float32(math.NaN()), float32(math.Inf(1))
	roi := func(v ...float32) *torch.Tensor { return torch.FromSlice(v, 1, 5) }
	for want, f := range map[string]func(){
		"boxes should have 4 elements in dimension 1, got 3":    func() { ops.NMS(torch.Rand(2, 3), torch.Rand(2), 0.5) },
		"boxes should be a 2d tensor, got 1D":                   func() { ops.NMS(torch.Rand(4), torch.Rand(2), 0.5) },
		"got 2 and 3":                                           func() { ops.NMS(torch.Rand(2, 4), torch.Rand(3), 0.5) },
		"RoI 0 is of picture 1, but the batch has 1":            func() { ops.RoIAlign(x, roi(1, 0, 0, 4, 4), 2) },
		"RoI 0 is of picture -1, but the batch has 1":           func() { ops.RoIPool(x, roi(-1, 0, 0, 4, 4), 2) },
		"RoI 0 is of picture nan, but the batch has 1":          func() { ops.PSRoIPool(x, roi(nan, 0, 0, 4, 4), 2) },
		"a bin of a RoI has 500000000 points":                   func() { ops.RoIAlign(x, roi(0, 0, 0, 1e9, 1e9), 2) },
		"rois must have shape as Tensor[K, 5], not [2, 4]":      func() { ops.RoIAlign(x, torch.Rand(2, 4), 2) },
		"the input must have shape [N, C, H, W], not [4, 8, 8]": func() { ops.RoIAlign(x.Select(0, 0), roi(0, 0, 0, 4, 4), 2) },
		"the output size is 0×2":                                func() { ops.RoIAlign(x, roi(0, 0, 0, 4, 4), []int{0, 2}) },
		"must be a multiple of pooling height * pooling width":  func() { ops.PSRoIAlign(x, roi(0, 0, 0, 4, 4), 3) },
		"has no pixels":    func() { ops.RoIPool(torch.Rand(1, 4, 0, 8), roi(0, 0, 0, 4, 4), 2) },
		"a multiple of 18": func() { ops.DeformConv2d(x, torch.Rand(1, 4, 6, 6), torch.Rand(2, 4, 3, 3), nil) },
		"the offset has the shape [1, 18, 5, 6]; it must be [1, 18, 6, 6]": func() { ops.DeformConv2d(x, torch.Rand(1, 18, 5, 6), torch.Rand(2, 4, 3, 3), nil) },
		"calculated output size too small":                                 func() { ops.DeformConv2d(x, torch.Rand(1, 200, 1, 1), torch.Rand(2, 4, 10, 10), nil) },
		`there is no conversion of "xyxy" to "xywhr"`:                      func() { ops.BoxConvert(torch.Rand(2, 4), "xyxy", "xywhr") },
		"the boxes have the shape [2 3]; the last dimension must be 4":     func() { ops.BoxArea(torch.Rand(2, 3)) },
		`the reduction is "avg"`:                                           func() { ops.SigmoidFocalLoss(x, x, ops.SigmoidFocalLossOptions{Reduction: "avg"}) },
		"the block size is 2; it must be odd":                              func() { ops.DropBlock2d(x, 0.5, 2) },
		"the boxes of picture 1 have the shape [2 5]; it must be [L, 4]":   func() { ops.BoxesToRoIs([]*torch.Tensor{torch.Rand(1, 4), torch.Rand(2, 5)}) },
		"double backwards on roi_align not supported": func() {
			leaf := torch.Rand(1, 4, 8, 8).RequireGrad(true)
			y := ops.RoIAlign(leaf, roi(0, 0, 0, 4, 4), 2)
			g := autograd.Grad([]*torch.Tensor{y.Mul(y).Sum()}, []*torch.Tensor{leaf}, autograd.GradOptions{CreateGraph: true})
			g[0].Sum().Backward()
		},
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
	// Boxes with NaN or infinity pool nothing, or what is inside of the picture.
	for _, r := range []*torch.Tensor{roi(0, nan, nan, nan, nan), roi(0, 0, 0, nan, 4), roi(0, -inf, -inf, inf, inf), roi(0, 1e30, 1e30, -1e30, 3)} {
		for _, f := range []func(x, boxes *torch.Tensor, size torch.Ints, o ...ops.RoIOptions) *torch.Tensor{ops.RoIAlign, ops.RoIPool, ops.PSRoIAlign, ops.PSRoIPool} {
			leaf := x.Clone().RequireGrad(true)
			require.NoError(t, torch.Try(func() { f(leaf, r, 2, ops.RoIOptions{SamplingRatio: 2}).Sum().Backward() }))
		}
	}
	require.Equal(t, []int{0, 4, 2, 2}, ops.RoIAlign(x, torch.Zeros(0, 5), 2).Shape())
}
