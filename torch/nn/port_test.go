package nn_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// ports are lines of PyTorch programs beside what they are in Go. They are to be
// read aloud: where a line of Go reads worse than it must, the API is wrong.
var ports = []struct {
	python string
	g      func(p port) *torch.Tensor
}{
	{"nn.Conv2d(4, 6, 3)(x)",
		func(p port) *torch.Tensor { return nn.NewConv2d(4, 6, 3).Forward(p.x) }},
	{"nn.Conv2d(4, 6, (3, 5), stride=(2, 1), padding=(4, 2), dilation=(3, 1))(x)",
		func(p port) *torch.Tensor {
			return nn.NewConv2d(4, 6, []int{3, 5}, nn.Conv2dOptions{Stride: []int{2, 1}, Padding: []int{4, 2}, Dilation: []int{3, 1}}).Forward(p.x)
		}},
	{"nn.Conv2d(4, 8, 7, stride=2, padding=3, groups=2, bias=False)(x)",
		func(p port) *torch.Tensor {
			return nn.NewConv2d(4, 8, 7, nn.Conv2dOptions{Stride: 2, Padding: 3, Groups: 2, NoBias: true}).Forward(p.x)
		}},
	{"F.conv2d(x, w, stride=2, padding=(1, 2))",
		func(p port) *torch.Tensor {
			return F.Conv2d(p.x, p.w, nil, F.Conv2dOptions{Stride: 2, Padding: []int{1, 2}})
		}},
	{"F.conv2d(x, w, padding='same', dilation=2)",
		func(p port) *torch.Tensor {
			return F.Conv2d(p.x, p.w, nil, F.Conv2dOptions{Padding: "same", Dilation: 2})
		}},
	{"nn.Conv2d(4, 6, 3, stride=2, padding='valid')(x)",
		func(p port) *torch.Tensor {
			return nn.NewConv2d(4, 6, 3, nn.Conv2dOptions{Stride: 2, Padding: "valid"}).Forward(p.x)
		}},
	{"F.conv_transpose2d(x, w.transpose(0, 1), stride=2, output_padding=1)",
		func(p port) *torch.Tensor {
			return F.ConvTranspose2d(p.x, p.w.Transpose(0, 1), nil, F.ConvTranspose2dOptions{Stride: 2, OutputPadding: 1})
		}},
	{"F.conv1d(x.flatten(2), w.flatten(2), padding=4)",
		func(p port) *torch.Tensor {
			return F.Conv1d(p.x.Flatten(2), p.w.Flatten(2), nil, F.Conv1dOptions{Padding: 4})
		}},
	{"F.max_pool2d(x, 2)",
		func(p port) *torch.Tensor { return F.MaxPool2d(p.x, 2) }},
	{"F.max_pool2d(x, (3, 2), stride=2, padding=1, ceil_mode=True)",
		func(p port) *torch.Tensor {
			return F.MaxPool2d(p.x, []int{3, 2}, F.MaxPool2dOptions{Stride: 2, Padding: 1, CeilMode: true})
		}},
	{"nn.MaxPool2d(kernel_size=(1, 2), stride=(2, 1))(x)",
		func(p port) *torch.Tensor {
			return nn.NewMaxPool2d([]int{1, 2}, nn.MaxPool2dOptions{Stride: []int{2, 1}}).Forward(p.x)
		}},
	{"F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)",
		func(p port) *torch.Tensor {
			return F.AvgPool2d(p.x, 3, F.AvgPool2dOptions{Stride: 1, Padding: 1, ExcludePad: true})
		}},
	{"F.lp_pool1d(x.flatten(2), 2, 3, stride=2)",
		func(p port) *torch.Tensor {
			return F.LPPool1d(p.x.Flatten(2), 2, 3, F.LPPoolOptions{Stride: 2})
		}},
	{"F.adaptive_avg_pool2d(x, 1).flatten(1)",
		func(p port) *torch.Tensor { return F.AdaptiveAvgPool2d(p.x, 1).Flatten(1) }},
	{"nn.AdaptiveAvgPool2d((7, 5))(x)",
		func(p port) *torch.Tensor { return nn.NewAdaptiveAvgPool2d([]int{7, 5}).Forward(p.x) }},
	{"F.unfold(x, 3, padding=1)",
		func(p port) *torch.Tensor { return F.Unfold(p.x, 3, F.UnfoldOptions{Padding: 1}) }},
	{"F.fold(F.unfold(x, (2, 4), stride=(2, 4)), (8, 12), (2, 4), stride=(2, 4))",
		func(p port) *torch.Tensor {
			o := F.UnfoldOptions{Stride: []int{2, 4}}
			return F.Fold(F.Unfold(p.x, []int{2, 4}, o), []int{8, 12}, []int{2, 4}, o)
		}},
	{"F.interpolate(x, scale_factor=2)",
		func(p port) *torch.Tensor { return F.Interpolate(p.x, F.InterpolateOptions{ScaleFactor: 2}) }},
	{"F.interpolate(x, scale_factor=(0.5, 1.5), mode='bilinear', align_corners=False)",
		func(p port) *torch.Tensor {
			return F.Interpolate(p.x, F.InterpolateOptions{ScaleFactor: []float64{0.5, 1.5}, Mode: "bilinear"})
		}},
	{"F.interpolate(x, size=(20, 30), mode='bicubic', antialias=True)",
		func(p port) *torch.Tensor {
			return F.Interpolate(p.x, F.InterpolateOptions{Size: []int{20, 30}, Mode: "bicubic", Antialias: true})
		}},
	{"F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2)",
		func(p port) *torch.Tensor {
			y, indices := F.MaxPool2dWithIndices(p.x, 2)
			return F.MaxUnpool2d(y, indices, 2)
		}},
	{"F.fractional_max_pool2d(x, 2, output_ratio=(0.5, 0.5))",
		func(p port) *torch.Tensor {
			y, _ := F.FractionalMaxPool2d(p.x, 2, F.FractionalMaxPoolOptions{OutputRatio: 0.5})
			return y
		}},
	{"F.pad(x, (1, 2, 3, 0), value=7.)",
		func(p port) *torch.Tensor { return F.Pad(p.x, []int{1, 2, 3, 0}, F.PadOptions{Value: new(7.0)}) }},
	{"x.roll(1, 0)",
		func(p port) *torch.Tensor { return p.x.Roll(1, 0) }},
	{"torch.roll(x, (1, -2), (2, 3)).roll(5)",
		func(p port) *torch.Tensor { return p.x.Roll([]int{1, -2}, 2, 3).Roll(5) }},
}

// A port is what these lines have.
type port struct{ x, w *torch.Tensor }

const portScript = `
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)

def ported(line):
    torch.manual_seed(1)
    x, w = torch.randn(2, 4, 8, 12), torch.randn(6, 4, 3, 3)
    with torch.no_grad():
        return eval(line).contiguous()
`

func TestPorts(t *testing.T) {
	python := reference.Start(t, arrayScript)
	for _, c := range ports {
		var want reference.Array
		python.Call(&want, "ported", c.python)
		torch.ManualSeed(1)
		p := port{torch.Randn(2, 4, 8, 12), torch.Randn(6, 4, 3, 3)}
		var got *torch.Tensor
		torch.NoGrad(func() { got = c.g(p).Contiguous() })
		require.Equal(t, want.Shape, got.Shape(), c.python)
		require.InDeltaSlice(t, reference.Data[float32](want), torch.Data[float32](got), 1e-5, c.python)
	}
}

// A wrong type or number of sizes is a mistake with the name of the field.
func TestBadSizes(t *testing.T) {
	x := torch.Ones(1, 1, 4, 4)
	for want, f := range map[string]func(){
		"Conv2d: kernel is a string; it must be an int or a []int":                         func() { nn.NewConv2d(1, 1, "3") },
		"Conv2d: kernel has 3 elements; it must have 2":                                    func() { nn.NewConv2d(1, 1, []int{1, 2, 3}) },
		"Conv2d: kernel is not given":                                                      func() { nn.NewConv2d(1, 1, nil) },
		"Unfold: Stride is a float64; it must be an int or a []int":                        func() { F.Unfold(x, 2, F.UnfoldOptions{Stride: 1.5}) },
		"Interpolate: ScaleFactor is a []int; it must be a float64, an int or a []float64": func() { F.Interpolate(x, F.InterpolateOptions{ScaleFactor: []int{2}}) },
		"Interpolate: ScaleFactor has 3 elements; it must have 2":                          func() { F.Interpolate(x, F.InterpolateOptions{ScaleFactor: []float64{1, 2, 3}}) },
		"Interpolate: one of Size and ScaleFactor must be given":                           func() { F.Interpolate(x) },
		"padding='same' is not supported for strided convolutions":                         func() { F.Conv2d(x, x, nil, F.Conv2dOptions{Stride: 2, Padding: "same"}) },
		"a string is neither an int nor a []int":                                           func() { F.MaxPool2d(x, "2") },
	} {
		err := torch.Try(f)
		require.Error(t, err, want)
		require.Contains(t, strings.ReplaceAll(err.Error(), "torch: ", ""), want)
	}
}
