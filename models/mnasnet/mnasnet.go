// Package mnasnet holds MNASNet: "MnasNet: Platform-Aware Neural Architecture Search for
// Mobile", https://arxiv.org/abs/1807.11626.
package mnasnet

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision.models.MNASNet.
type Config struct {
	Alpha      float64  // scales the numbers of channels, 0 means 1
	NumClasses int      `json:"num_classes"` // 0 means 1000
	Dropout    *float64 `json:"dropout"`     // default 0.2
}

func init() {
	models.RegisterVariants("MnasNet: Platform-Aware Neural Architecture Search for Mobile", "https://arxiv.org/abs/1807.11626", New,
		map[string]Config{"mnasnet0_5": {Alpha: 0.5}, "mnasnet0_75": {Alpha: 0.75}, "mnasnet1_0": {Alpha: 1}, "mnasnet1_3": {Alpha: 1.3}})
}

// MNASNet is torchvision.models.MNASNet.
//
// https://docs.pytorch.org/vision/stable/models/mnasnet.html
type MNASNet struct {
	Layers     nn.Sequential
	Classifier nn.Sequential
	depths     []int
	version    int // 1 with the first stem, whose width is fixed
}

// New builds a MNASNet, initialized as torchvision's is. It panics with a *torch.Error if
// Alpha is negative.
func New(c Config) *MNASNet {
	alpha := cmp.Or(c.Alpha, 1)
	if !(alpha > 0) {
		panic(&torch.Error{Op: "mnasnet.New", Msg: "Alpha is not above 0"})
	}
	m := &MNASNet{version: 2}
	for _, depth := range []float64{32, 16, 24, 40, 80, 96, 192, 320} {
		m.depths = append(m.depths, roundToMultiple(depth*alpha))
	}
	d := m.depths
	m.Layers = append(stem(d[0], d[1], d[2]),
		stack(d[2], d[3], 5, 2, 3, 3),
		stack(d[3], d[4], 5, 2, 6, 3),
		stack(d[4], d[5], 3, 1, 6, 2),
		stack(d[5], d[6], 5, 2, 6, 4),
		stack(d[6], d[7], 3, 1, 6, 1),
	)
	m.Layers = append(m.Layers, conv(d[7], 1280, 1, 1, 1)...)
	m.Layers = append(m.Layers, &nn.ReLU{InPlace: true})
	m.Classifier = nn.Sequential{nn.NewDropout(*cmp.Or(c.Dropout, new(0.2))), nn.NewLinear(1280, cmp.Or(c.NumClasses, 1000))}
	for _, m := range nn.Modules(m) {
		switch m := m.(type) {
		case *nn.Conv2d:
			nn.InitKaimingNormal(m.Weight, nn.InitKaimingOptions{Mode: "fan_out", Nonlinearity: "relu"})
		case *nn.Linear:
			nn.InitKaimingUniform(m.Weight, nn.InitKaimingOptions{Mode: "fan_out", Nonlinearity: "sigmoid"})
			nn.InitZeros(m.Bias)
		}
	}
	return m
}

// roundToMultiple rounds to a multiple of 8 that is not below 0.9·v.
func roundToMultiple(v float64) int {
	n := max(8, int(v+4)/8*8)
	if float64(n) < 0.9*v {
		n += 8
	}
	return n
}

// conv returns a convolution and its normalization, which has the decay of TensorFlow's.
func conv(in, out, kernel, stride, groups int) nn.Sequential {
	return nn.Sequential{
		nn.NewConv2d(in, out, kernel, nn.Conv2dOptions{Padding: kernel / 2, Stride: stride, Groups: groups, NoBias: true}),
		nn.NewBatchNorm2d(out, nn.BatchNorm2dOptions{Momentum: new(1 - float64(0.9997))}),
	}
}

// stem returns the first layers: a convolution, a separable one, and a stack.
func stem(first, second, third int) nn.Sequential {
	s := append(conv(3, first, 3, 2, 1), &nn.ReLU{InPlace: true})
	s = append(append(s, conv(first, first, 3, 1, first)...), &nn.ReLU{InPlace: true})
	return append(append(s, conv(first, second, 1, 1, 1)...), stack(second, third, 3, 2, 3, 3))
}

// stack returns residual blocks, of which the first one strides.
func stack(in, out, kernel, stride, expansion, repeats int) (s nn.Sequential) {
	for range repeats {
		hidden := in * expansion
		b := &residual{add: in == out && stride == 1}
		b.Layers = append(conv(in, hidden, 1, 1, 1), &nn.ReLU{InPlace: true})
		b.Layers = append(append(b.Layers, conv(hidden, hidden, kernel, stride, hidden)...), &nn.ReLU{InPlace: true})
		b.Layers = append(b.Layers, conv(hidden, out, 1, 1, 1)...)
		s = append(s, b)
		in, stride = out, 1
	}
	return s
}

// StateVersion returns the version of the layers: 1 for those of a checkpoint whose stem has a fixed width, else 2.
func (m *MNASNet) StateVersion() int { return m.version }

// UpgradeState takes the layers of version 1, which differ in shapes alone, where the state dict has them.
func (m *MNASNet) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	first, second := s[prefix+"layers.0.weight"], s[prefix+"layers.6.weight"]
	if first == nil || second == nil || first.Dim() != 4 || second.Dim() != 4 || first.Size(0) != 32 || second.Size(0) != 16 || m.depths[0] == 32 && m.depths[1] == 16 {
		return
	}
	torch.WithDevice(nn.Parameters(m)[0].Device(), func() { copy(m.Layers, stem(32, 16, m.depths[2])) })
	m.version = 1
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *MNASNet) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("MNASNet", x, 1)
	x = m.Layers.Forward(x) // [N, 1280, H/32, W/32]
	return x.Then(func(x *torch.Tensor) *torch.Tensor { return x.Mean(2, 3) }).Then(m.Classifier.Forward)
}

// residual expands the channels, convolves each, and reduces them.
type residual struct {
	Layers nn.Sequential
	add    bool // adds the input
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *residual) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Layers.Forward(x)
	if m.add {
		y.AddInPlace(x)
	}
	return y
}
