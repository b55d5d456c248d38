// Package shufflenet holds ShuffleNet V2: "ShuffleNet V2: Practical Guidelines for Efficient
// CNN Architecture Design", https://arxiv.org/abs/1807.11164.
package shufflenet

import (
	"cmp"
	"fmt"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision.models.ShuffleNetV2.
type Config struct {
	Repeats    [3]int // blocks of each stage, 0 means 4, 8 and 4
	Channels   [5]int // of the first convolution, the stages and the last one; 0 means those of shufflenet_v2_x1_0
	NumClasses int    `json:"num_classes"` // 0 means 1000
}

func init() {
	models.RegisterVariants("ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", "https://arxiv.org/abs/1807.11164", New, map[string]Config{
		"shufflenet_v2_x0_5": {Channels: [5]int{24, 48, 96, 192, 1024}},
		"shufflenet_v2_x1_0": {Channels: [5]int{24, 116, 232, 464, 1024}},
		"shufflenet_v2_x1_5": {Channels: [5]int{24, 176, 352, 704, 1024}},
		"shufflenet_v2_x2_0": {Channels: [5]int{24, 244, 488, 976, 2048}},
	})
}

// ShuffleNetV2 is torchvision.models.ShuffleNetV2.
//
// https://docs.pytorch.org/vision/stable/models/shufflenetv2.html
type ShuffleNetV2 struct {
	Conv1                  nn.Sequential
	MaxPool                *nn.MaxPool2d `nn:"maxpool"`
	Stage2, Stage3, Stage4 nn.Sequential
	Conv5                  nn.Sequential
	FC                     *nn.Linear
}

// New builds a ShuffleNet V2, initialized as torchvision's is. It panics with a *torch.Error
// if a stage has an odd number of channels.
func New(c Config) *ShuffleNetV2 {
	if c.Repeats == [3]int{} {
		c.Repeats = [3]int{4, 8, 4}
	}
	if c.Channels == [5]int{} {
		c.Channels = [5]int{24, 116, 232, 464, 1024}
	}
	m := &ShuffleNetV2{Conv1: convReLU(3, c.Channels[0], 3, 2), MaxPool: nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 2, Padding: 1})}
	in := c.Channels[0]
	for i, stage := range []*nn.Sequential{&m.Stage2, &m.Stage3, &m.Stage4} {
		out := c.Channels[i+1]
		if out%2 != 0 {
			panic(&torch.Error{Op: "shufflenet.New", Msg: fmt.Sprintf("a stage has %d channels; give an even number", out)})
		}
		for j := range c.Repeats[i] {
			*stage = append(*stage, newBlock(in, out, j == 0))
			in = out
		}
	}
	m.Conv5 = convReLU(in, c.Channels[4], 1, 1)
	m.FC = nn.NewLinear(c.Channels[4], cmp.Or(c.NumClasses, 1000))
	return m
}

func conv(in, out, kernel, stride, groups int) nn.Sequential {
	return nn.Sequential{
		nn.NewConv2d(in, out, kernel, nn.Conv2dOptions{Stride: stride, Padding: kernel / 2, Groups: groups, NoBias: true}),
		nn.NewBatchNorm2d(out),
	}
}

func convReLU(in, out, kernel, stride int) nn.Sequential {
	return append(conv(in, out, kernel, stride, 1), &nn.ReLU{InPlace: true})
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *ShuffleNetV2) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("ShuffleNet V2", x, 1)
	x = m.Conv1.Forward(x).Then(m.MaxPool.Forward)                             // [N, 24, H/4, W/4]
	x = x.Then(m.Stage2.Forward).Then(m.Stage3.Forward).Then(m.Stage4.Forward) // [N, C, H/32, W/32]
	x = x.Then(m.Conv5.Forward)                                                // [N, 1024, H/32, W/32]
	return x.Then(func(x *torch.Tensor) *torch.Tensor { return x.Mean(2, 3) }).Then(m.FC.Forward)
}

// block convolves half of the channels, or in the first block of a stage all of them twice, and mixes the halves.
type block struct {
	Branch1 nn.Sequential // empty but in the first block of a stage
	Branch2 nn.Sequential
}

func newBlock(in, out int, first bool) *block {
	m, half, stride := &block{}, out/2, 1
	if first {
		stride = 2
		m.Branch1 = append(conv(in, in, 3, stride, in), convReLU(in, half, 1, 1)...)
	} else {
		in = half
	}
	m.Branch2 = append(convReLU(in, half, 1, 1), conv(half, half, 3, stride, half)...)
	m.Branch2 = append(m.Branch2, convReLU(half, half, 1, 1)...)
	return m
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *block) Forward(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		var a *torch.Tensor
		if len(m.Branch1) > 0 {
			a = m.Branch1.Forward(x)
		} else {
			halves := x.Chunk(2, torch.ChunkOptions{Dim: 1})
			a, x = halves[0], halves[1]
		}
		y = torch.Cat([]*torch.Tensor{a, m.Branch2.Forward(x)}, 1)
		y = y.Unflatten(1, 2, y.Size(1)/2).Transpose(1, 2).Flatten(1, torch.FlattenOptions{EndDim: new(2)}) // the halves in turns
		torch.Keep(y)
	})
	return y
}
