// Package regnet holds RegNet: "Designing Network Design Spaces",
// https://arxiv.org/abs/2003.13678.
package regnet

import (
	"cmp"
	"fmt"
	"math"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision's BlockParams.from_init_params and RegNet.
// The widths of the blocks are those of a line, W0 + WA·i, rounded to steps of the factor
// WM.
type Config struct {
	Depth                int     // the number of blocks
	W0                   int     // a multiple of 8
	WA, WM               float64 // not negative; above 1
	GroupWidth           int     // channels of a group of the 3×3 convolutions
	BottleneckMultiplier float64 `json:"bottleneck_multiplier" limits:"0.01,64"` // ratio of the inner channels to the outer, 0 means 1
	SERatio              float64 // ratio of the squeezed channels to the block's input; 0 means no squeeze and excitation
	StemWidth            int     `json:"stem_width"`  // 0 means 32
	NumClasses           int     `json:"num_classes"` // 0 means 1000
}

func init() {
	variants := map[string]Config{
		"regnet_x_400mf": {Depth: 22, W0: 24, WA: 24.48, WM: 2.54, GroupWidth: 16},
		"regnet_x_800mf": {Depth: 16, W0: 56, WA: 35.73, WM: 2.28, GroupWidth: 16},
		"regnet_x_1_6gf": {Depth: 18, W0: 80, WA: 34.01, WM: 2.25, GroupWidth: 24},
		"regnet_x_3_2gf": {Depth: 25, W0: 88, WA: 26.31, WM: 2.25, GroupWidth: 48},
		"regnet_x_8gf":   {Depth: 23, W0: 80, WA: 49.56, WM: 2.88, GroupWidth: 120},
		"regnet_x_16gf":  {Depth: 22, W0: 216, WA: 55.59, WM: 2.1, GroupWidth: 128},
		"regnet_x_32gf":  {Depth: 23, W0: 320, WA: 69.86, WM: 2.0, GroupWidth: 168},
		"regnet_y_400mf": {Depth: 16, W0: 48, WA: 27.89, WM: 2.09, GroupWidth: 8, SERatio: 0.25},
		"regnet_y_800mf": {Depth: 14, W0: 56, WA: 38.84, WM: 2.4, GroupWidth: 16, SERatio: 0.25},
		"regnet_y_1_6gf": {Depth: 27, W0: 48, WA: 20.71, WM: 2.65, GroupWidth: 24, SERatio: 0.25},
		"regnet_y_3_2gf": {Depth: 21, W0: 80, WA: 42.63, WM: 2.66, GroupWidth: 24, SERatio: 0.25},
		"regnet_y_8gf":   {Depth: 17, W0: 192, WA: 76.82, WM: 2.19, GroupWidth: 56, SERatio: 0.25},
		"regnet_y_16gf":  {Depth: 18, W0: 200, WA: 106.23, WM: 2.48, GroupWidth: 112, SERatio: 0.25},
		"regnet_y_32gf":  {Depth: 20, W0: 232, WA: 115.89, WM: 2.53, GroupWidth: 232, SERatio: 0.25},
		"regnet_y_128gf": {Depth: 27, W0: 456, WA: 160.83, WM: 2.52, GroupWidth: 264, SERatio: 0.25},
	}
	models.RegisterVariants("Designing Network Design Spaces", "https://arxiv.org/abs/2003.13678", New, variants)
}

// RegNet is torchvision.models.RegNet.
//
// https://docs.pytorch.org/vision/stable/models/regnet.html
type RegNet struct {
	Stem        nn.Sequential
	TrunkOutput nn.SequentialDict
	AvgPool     *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	FC          *nn.Linear
}

// A stage is a row of blocks of one width.
type stage struct{ depth, width, groupWidth int }

// stages computes the stages from the parameters of the line.
func (c Config) stages() (all []stage) {
	for i := range c.Depth {
		line := float32(float32(i)*float32(c.WA)) + float32(c.W0)
		step := math.RoundToEven(float64(float32(math.Log(float64(line/float32(c.W0)))) / float32(math.Log(c.WM))))
		width := 8 * int(math.RoundToEven(float64(float32(float64(c.W0)*math.Pow(c.WM, step))/8)))
		if len(all) == 0 || all[len(all)-1].width != width {
			all = append(all, stage{width: width})
		}
		all[len(all)-1].depth++
	}
	for i := range all {
		s := &all[i] // whose width must be made of groups
		inner := int(float64(s.width) * c.BottleneckMultiplier)
		s.groupWidth = min(c.GroupWidth, inner)
		s.width = int(float64(ops.MakeDivisible(float64(inner), s.groupWidth)) / c.BottleneckMultiplier)
	}
	return all
}

// New builds a RegNet, initialized as torchvision's is. It panics with a *torch.Error if the
// parameters of the line are out of range.
func New(c Config) *RegNet {
	c.BottleneckMultiplier = cmp.Or(c.BottleneckMultiplier, 1)
	if !(c.Depth > 0 && c.W0 > 0 && c.W0%8 == 0 && c.WA >= 0 && c.WM > 1 && c.GroupWidth > 0) {
		panic(&torch.Error{Op: "regnet.New", Msg: fmt.Sprintf("%+v describes no RegNet; W0 must be a multiple of 8 and WM above 1", c)})
	}
	in := cmp.Or(c.StemWidth, 32)
	m := &RegNet{Stem: ops.NewConv2dNormActivation(3, in, ops.ConvNormActivationOptions{Stride: 2}), AvgPool: nn.NewAdaptiveAvgPool2d(1)}
	for i, s := range c.stages() {
		var blocks nn.SequentialDict
		for j := range s.depth {
			stride := 1
			if j == 0 {
				stride = 2
			}
			blocks = append(blocks, nn.Child{Name: fmt.Sprintf("block%d-%d", i+1, j), Module: c.block(in, s, stride)})
			in = s.width
		}
		m.TrunkOutput = append(m.TrunkOutput, nn.Child{Name: fmt.Sprint("block", i+1), Module: blocks})
	}
	m.FC = nn.NewLinear(in, cmp.Or(c.NumClasses, 1000))
	for _, m := range nn.Modules(m) {
		switch m := m.(type) {
		case *nn.Conv2d:
			w := m.Weight.Shape()
			nn.InitNormal(m.Weight, 0, math.Sqrt(2/float64(w[2]*w[3]*w[0])))
		case *nn.Linear:
			nn.InitNormal(m.Weight, 0, 0.01)
			nn.InitZeros(m.Bias)
		}
	}
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *RegNet) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("RegNet", x, 1)
	x = m.Stem.Forward(x).Then(m.TrunkOutput.Forward).Then(m.AvgPool.Forward) // [N, C, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.FC.Forward)
}

// block is a residual bottleneck.
type block struct {
	Proj       nn.Sequential `nn:"proj"` // nil without
	F          nn.SequentialDict
	Activation *nn.ReLU
}

func (c Config) block(in int, s stage, stride int) *block {
	m := &block{Activation: &nn.ReLU{InPlace: true}}
	if in != s.width || stride != 1 {
		m.Proj = ops.NewConv2dNormActivation(in, s.width, ops.ConvNormActivationOptions{Kernel: 1, Stride: stride, NoActivation: true})
	}
	inner := int(math.RoundToEven(float64(s.width) * c.BottleneckMultiplier))
	m.F = nn.SequentialDict{
		{Name: "a", Module: ops.NewConv2dNormActivation(in, inner, ops.ConvNormActivationOptions{Kernel: 1})},
		{Name: "b", Module: ops.NewConv2dNormActivation(inner, inner, ops.ConvNormActivationOptions{Stride: stride, Groups: inner / s.groupWidth})},
	}
	if c.SERatio != 0 {
		squeezed := int(math.RoundToEven(c.SERatio * float64(in)))
		m.F = append(m.F, nn.Child{Name: "se", Module: ops.NewSqueezeExcitation(inner, squeezed)})
	}
	m.F = append(m.F, nn.Child{Name: "c", Module: ops.NewConv2dNormActivation(inner, s.width, ops.ConvNormActivationOptions{Kernel: 1, NoActivation: true})})
	return m
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *block) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.F.Forward(x)
	if m.Proj == nil {
		return m.Activation.Forward(y.AddInPlace(x))
	}
	x = m.Proj.Forward(x)
	defer x.Free()
	return m.Activation.Forward(y.AddInPlace(x))
}
