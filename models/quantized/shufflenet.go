package quantized

import (
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	Q "github.com/torchhub/torchhub/torch/nn/quantized"
)

// ShuffleNetV2 is torchvision's QuantizableShuffleNetV2 after its quantization.
type ShuffleNetV2 struct {
	Conv1                  nn.Sequential
	Stage2, Stage3, Stage4 nn.Sequential
	Conv5                  nn.Sequential
	FC                     *Q.Linear
	Quant                  *Q.Quantize
}

func newShuffleNetV2(channels [5]int, classes int) *ShuffleNetV2 {
	m := &ShuffleNetV2{
		Conv1: nn.Sequential{Q.NewConv2d(3, channels[0], 3, true, nn.Conv2dOptions{Stride: 2, Padding: 1})},
		Quant: Q.NewQuantize(),
	}
	in := channels[0]
	for i, stage := range []*nn.Sequential{&m.Stage2, &m.Stage3, &m.Stage4} {
		out := channels[i+1]
		for j := range []int{4, 8, 4}[i] {
			*stage = append(*stage, newShuffle(in, out, j == 0))
			in = out
		}
	}
	m.Conv5 = nn.Sequential{Q.NewConv2d(in, channels[4], 1, true)}
	m.FC = Q.NewLinear(channels[4], classes)
	return m
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *ShuffleNetV2) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("the quantized ShuffleNet V2", x, 1)
	x = m.Quant.Forward(x).Then(m.Conv1.Forward).Then(nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 2, Padding: 1}).Forward)
	x = x.Then(m.Stage2.Forward).Then(m.Stage3.Forward).Then(m.Stage4.Forward).Then(m.Conv5.Forward) // [N, 1024, H/32, W/32]
	return x.Then(func(x *torch.Tensor) *torch.Tensor { return x.Mean(2, 3) }).Then(m.FC.Forward).Then(Q.Dequantize)
}

// UpgradeState converts the state dict of quantization-aware training.
func (m *ShuffleNetV2) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	Q.ConvertState(m, s, prefix)
}

// shuffle convolves half of the channels, or in the first block of a stage all of them twice, and mixes the halves.
// The names of its convolutions count the normalizations and activations of the model before quantization.
type shuffle struct {
	Branch1 nn.SequentialDict // empty but in the first block of a stage
	Branch2 nn.SequentialDict
	Cat     *Q.Functional
}

func newShuffle(in, out int, first bool) *shuffle {
	m, half, stride := &shuffle{Cat: Q.NewFunctional()}, out/2, 1
	if first {
		stride = 2
		m.Branch1 = nn.SequentialDict{
			{Name: "0", Module: Q.NewConv2d(in, in, 3, false, nn.Conv2dOptions{Stride: 2, Padding: 1, Groups: in})},
			{Name: "2", Module: Q.NewConv2d(in, half, 1, true)},
		}
	} else {
		in = half
	}
	m.Branch2 = nn.SequentialDict{
		{Name: "0", Module: Q.NewConv2d(in, half, 1, true)},
		{Name: "3", Module: Q.NewConv2d(half, half, 3, false, nn.Conv2dOptions{Stride: stride, Padding: 1, Groups: half})},
		{Name: "5", Module: Q.NewConv2d(half, half, 1, true)},
	}
	return m
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *shuffle) Forward(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		var a *torch.Tensor
		if len(m.Branch1) > 0 {
			a = m.Branch1.Forward(x)
		} else {
			halves := x.Chunk(2, torch.ChunkOptions{Dim: 1})
			a, x = halves[0], halves[1]
		}
		y = m.Cat.Cat([]*torch.Tensor{a, m.Branch2.Forward(x)}, 1)
		n, c, h, w := y.Size(0), y.Size(1), y.Size(2), y.Size(3)
		y = torch.Keep(y.View(n, 2, c/2, h, w).Transpose(1, 2).Contiguous().View(n, c, h, w)) // the halves in turns
	})
	return y
}
