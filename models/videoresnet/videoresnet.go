// Package videoresnet holds R3D, MC3 and R(2+1)D, the ResNets of videos: "A Closer Look at
// Spatiotemporal Convolutions for Action Recognition", https://arxiv.org/abs/1711.11248.
package videoresnet

import (
	"cmp"
	"fmt"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Conv is the kind of the convolutions of a stage.
type Conv int

// Kinds of convolutions.
const (
	Conv3D           Conv = iota // 3×3×3: torchvision's Conv3DSimple
	Conv2Plus1D                  // 1×3×3, then 3×1×1
	Conv3DNoTemporal             // 1×3×3
)

// Config has the arguments of torchvision.models.video.resnet.VideoResNet. The zero value is R3D-18.
type Config struct {
	Bottleneck bool    // blocks of three convolutions in place of two
	Convs      [4]Conv // of each stage
	Layers     [4]int  // blocks of each stage, 0 means 2
	Stem2Plus1 bool    // torchvision's R2Plus1dStem
	NumClasses int     `json:"num_classes"` // 0 means 400
}

func init() {
	models.RegisterVariants("A Closer Look at Spatiotemporal Convolutions for Action Recognition", "https://arxiv.org/abs/1711.11248", New, map[string]Config{
		"r3d_18":      {},
		"mc3_18":      {Convs: [4]Conv{Conv3D, Conv3DNoTemporal, Conv3DNoTemporal, Conv3DNoTemporal}},
		"r2plus1d_18": {Convs: [4]Conv{Conv2Plus1D, Conv2Plus1D, Conv2Plus1D, Conv2Plus1D}, Stem2Plus1: true},
	})
}

// VideoResNet is torchvision.models.video.resnet.VideoResNet.
//
// https://docs.pytorch.org/vision/stable/models/video_resnet.html
type VideoResNet struct {
	Stem                           nn.Sequential
	Layer1, Layer2, Layer3, Layer4 nn.Sequential
	AvgPool                        *nn.AdaptiveAvgPool3d `nn:"avgpool"`
	FC                             *nn.Linear
}

// block is a residual block, of two convolutions or, a bottleneck, three.
type block struct {
	Conv1, Conv2, Conv3 nn.Sequential // Conv3 is nil without
	ReLU                *nn.ReLU      `nn:"relu"`
	Downsample          nn.Sequential // nil without
}

// New builds a VideoResNet, initialized as torchvision's is. It panics with a *torch.Error if a
// number is negative.
func New(c Config) *VideoResNet {
	m := &VideoResNet{AvgPool: nn.NewAdaptiveAvgPool3d(1)}
	if c.Stem2Plus1 {
		m.Stem = append(conv(3, 45, []int{1, 7, 7}, []int{1, 2, 2}, true), conv(45, 64, []int{3, 1, 1}, 1, true)...)
	} else {
		m.Stem = conv(3, 64, []int{3, 7, 7}, []int{1, 2, 2}, true)
	}
	in := 64
	for i, stage := range []*nn.Sequential{&m.Layer1, &m.Layer2, &m.Layer3, &m.Layer4} {
		if c.Layers[i] < 0 {
			panic(&torch.Error{Op: "VideoResNet", Msg: fmt.Sprintf("the number of blocks of stage %d is %d", i, c.Layers[i])})
		}
		planes, out := 64<<i, 64<<i*c.expansion()
		for j := range cmp.Or(c.Layers[i], 2) {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			*stage = append(*stage, c.block(c.Convs[i], in, planes, stride))
			in = out
		}
	}
	m.FC = nn.NewLinear(in, cmp.Or(c.NumClasses, 400))
	for _, l := range nn.Modules(m) {
		if l, ok := l.(*nn.Conv3d); ok {
			nn.InitKaimingNormal(l.Weight, nn.InitKaimingOptions{Mode: "fan_out", Nonlinearity: "relu"})
		}
	}
	nn.InitNormal(m.FC.Weight, 0, 0.01)
	nn.InitZeros(m.FC.Bias)
	return m
}

// expansion is the ratio of a block's output channels to its planes.
func (c Config) expansion() int {
	if c.Bottleneck {
		return 4
	}
	return 1
}

func (c Config) block(kind Conv, in, planes, stride int) *block {
	m, out := &block{ReLU: &nn.ReLU{InPlace: true}}, planes*c.expansion()
	// The shortcut comes first, as in torchvision, so that the random numbers are the same.
	if stride != 1 || in != out {
		steps := []int{stride, stride, stride}
		if kind == Conv3DNoTemporal {
			steps[0] = 1
		}
		m.Downsample = conv(in, out, []int{1, 1, 1}, steps, false)
	}
	middle := in * planes * 27 / (in*9 + 3*planes)
	if c.Bottleneck {
		m.Conv1 = conv(in, planes, []int{1, 1, 1}, 1, true)
		m.Conv2 = kind.of(planes, planes, middle, stride, true)
		m.Conv3 = conv(planes, out, []int{1, 1, 1}, 1, false)
	} else {
		m.Conv1 = kind.of(in, planes, middle, stride, true)
		m.Conv2 = kind.of(planes, planes, middle, 1, false)
	}
	return m
}

// of returns a convolution of a kind, with batch normalization and perhaps ReLU.
func (kind Conv) of(in, out, middle, stride int, relu bool) nn.Sequential {
	switch kind {
	case Conv3D:
		return conv(in, out, []int{3, 3, 3}, stride, relu)
	case Conv3DNoTemporal:
		return conv(in, out, []int{1, 3, 3}, []int{1, stride, stride}, relu)
	}
	// The convolution over time is part of the first module, and its normalization is not.
	first := conv(in, middle, []int{1, 3, 3}, []int{1, stride, stride}, true)
	second := conv(middle, out, []int{3, 1, 1}, []int{stride, 1, 1}, relu)
	return append(nn.Sequential{append(first, second[0])}, second[1:]...)
}

// conv returns a convolution that is padded, with batch normalization and perhaps ReLU.
func conv(in, out int, kernel []int, stride torch.Ints, relu bool) nn.Sequential {
	s := nn.Sequential{
		nn.NewConv3d(in, out, kernel, nn.Conv3dOptions{Stride: stride, Padding: []int{kernel[0] / 2, kernel[1] / 2, kernel[2] / 2}, NoBias: true}),
		nn.NewBatchNorm3d(out),
	}
	if relu {
		s = append(s, &nn.ReLU{InPlace: true})
	}
	return s
}

// Forward maps videos x [N, 3, T, H, W] to logits [N, classes].
func (m *VideoResNet) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckVideos("VideoResNet", x, 1, 1)
	x = m.Stem.Forward(x)                                                                             // [N, 64, T, H/2, W/2]
	x = x.Then(m.Layer1.Forward).Then(m.Layer2.Forward).Then(m.Layer3.Forward).Then(m.Layer4.Forward) // [N, C, T/8, H/16, W/16]
	return x.Then(m.AvgPool.Forward).Then((&nn.Flatten{}).Forward).Then(m.FC.Forward)
}

// Forward maps [N, in, T, H, W] to [N, out, T/stride, H/stride, W/stride].
func (m *block) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Conv1.Forward(x).Then(m.Conv2.Forward)
	if m.Conv3 != nil {
		y = y.Then(m.Conv3.Forward)
	}
	if m.Downsample != nil {
		x = m.Downsample.Forward(x)
		defer x.Free()
	}
	return m.ReLU.Forward(y.AddInPlace(x))
}
