// Package maxvit holds MaxViT: "MaxViT: Multi-Axis Vision Transformer", https://arxiv.org/abs/2204.01697.
package maxvit

import (
	"cmp"
	"fmt"
	"math"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision.models.maxvit.MaxVit. The zero value is MaxViT-T.
type Config struct {
	InputSize        [2]int                       `json:"input_size" limits:"1,8192"` // height and width of the pictures, 0 means 224
	StemChannels     int                          // 0 means 64
	PartitionSize    int                          // both sides of windows and grids, 0 means 7
	Channels         []int                        // of each block, multiples of HeadDim; nil means 64, 128, 256, 512
	Layers           []int                        // of each block, nil means 2, 2, 5, 2
	HeadDim          int                          // features of each head of the attention, 0 means 32
	StochasticDepth  *float64                     // its probability in the last layer, default 0.2
	Norm             func(channels int) nn.Module // of the convolutions, nil means BatchNorm2d with an eps of 0.001 and a momentum of 0.01
	Activation       func() nn.Module             // nil means GELU
	SqueezeRatio     float64                      `json:"squeeze_ratio" limits:"0.01,64"`   // of the channels in SqueezeExcitation to a layer's, 0 means 0.25
	ExpansionRatio   float64                      `json:"expansion_ratio" limits:"0.01,64"` // of the channels in MBConv to a layer's, 0 means 4
	MLPRatio         int                          `json:"mlp_ratio" limits:"1,64"`          // of the features inside a perceptron, 0 means 4
	MLPDropout       float64                      `json:"mlp_dropout"`
	AttentionDropout float64                      `json:"attention_dropout"`
	NumClasses       int                          `json:"num_classes"` // 0 means 1000
}

func init() {
	models.RegisterVariants("MaxViT: Multi-Axis Vision Transformer", "https://arxiv.org/abs/2204.01697", New, map[string]Config{"maxvit_t": {}})
}

// MaxVit is torchvision.models.maxvit.MaxVit.
//
// https://docs.pytorch.org/vision/stable/models/maxvit.html
type MaxVit struct {
	Stem       nn.Sequential
	Blocks     []*block
	Classifier nn.Sequential
	size       [2]int
}

// block is a list of layers, each an MBConv, an attention in windows and one over a grid.
type block struct{ Layers []*layer }

type layer struct{ Layers nn.SequentialDict }

// New builds a MaxVit, initialized as torchvision's is. It panics with a *torch.Error if the numbers
// do not fit together.
func New(c Config) *MaxVit {
	c = c.withDefaults()
	m := &MaxVit{size: c.InputSize}
	m.Stem = nn.Sequential{
		c.conv(3, c.StemChannels, ops.ConvNormActivationOptions{Stride: 2}),
		ops.NewConv2dNormActivation(c.StemChannels, c.StemChannels, ops.ConvNormActivationOptions{NoNorm: true, NoActivation: true}),
	}
	total, id := 0, 0
	for _, n := range c.Layers {
		total += n
	}
	in, side := c.StemChannels, half(c.InputSize[0])
	for i, out := range c.Channels {
		if side = half(side); side%c.PartitionSize != 0 || out%c.HeadDim != 0 {
			fail("pictures of %v with %d channels in block %d cannot be partitioned by %d, in heads of %d features", c.InputSize, out, i, c.PartitionSize, c.HeadDim)
		}
		b := &block{}
		for j := range c.Layers[i] {
			p := *c.StochasticDepth
			if id < total-1 {
				p = float64(id) * (p / float64(total-1))
			} else if total == 1 {
				p = 0
			}
			stride := 1
			if j == 0 {
				stride = 2
			}
			b.Layers = append(b.Layers, &layer{nn.SequentialDict{
				{Name: "MBconv", Module: c.mbConv(in, out, stride, p)},
				{Name: "window_attention", Module: c.attention(out, c.PartitionSize, false, p)},
				{Name: "grid_attention", Module: c.attention(out, side/c.PartitionSize, true, p)},
			}})
			in = out
			id++
		}
		m.Blocks = append(m.Blocks, b)
	}
	m.Classifier = nn.Sequential{
		nn.NewAdaptiveAvgPool2d(1), &nn.Flatten{}, nn.NewLayerNorm(in), nn.NewLinear(in, in), &nn.Tanh{},
		nn.NewLinear(in, cmp.Or(c.NumClasses, 1000), nn.LinearOptions{NoBias: true}),
	}
	m.initialize()
	return m
}

func (m *MaxVit) initialize() {
	initialize := func(weight, bias *torch.Tensor) {
		nn.InitNormal(weight, 0, 0.02)
		if bias != nil {
			nn.InitZeros(bias)
		}
	}
	for _, l := range nn.Modules(m) {
		switch l := l.(type) {
		case *nn.Conv2d:
			initialize(l.Weight, l.Bias)
		case *nn.Linear:
			initialize(l.Weight, l.Bias)
		}
	}
}

func fail(format string, args ...any) {
	panic(&torch.Error{Op: "MaxVit", Msg: fmt.Sprintf(format, args...)})
}

// half returns the side of the output of a layer that strides.
func half(side int) int { return (side-1)/2 + 1 }

// withDefaults returns c with the defaults filled in, except for NumClasses.
func (c Config) withDefaults() Config {
	if c.InputSize == [2]int{} {
		c.InputSize = [2]int{224, 224}
	}
	if c.Channels == nil {
		c.Channels = []int{64, 128, 256, 512}
	}
	if c.Layers == nil {
		c.Layers = []int{2, 2, 5, 2}
	}
	switch {
	case c.InputSize[0] != c.InputSize[1]:
		fail("the input size is %v; give a square", c.InputSize)
	case len(c.Layers) != len(c.Channels):
		fail("there are %d numbers of channels and %d numbers of layers", len(c.Channels), len(c.Layers))
	}
	c.StemChannels, c.PartitionSize, c.HeadDim = cmp.Or(c.StemChannels, 64), cmp.Or(c.PartitionSize, 7), cmp.Or(c.HeadDim, 32)
	c.SqueezeRatio, c.ExpansionRatio, c.MLPRatio = cmp.Or(c.SqueezeRatio, 0.25), cmp.Or(c.ExpansionRatio, 4), cmp.Or(c.MLPRatio, 4)
	c.StochasticDepth = cmp.Or(c.StochasticDepth, new(0.2))
	if c.Norm == nil {
		c.Norm = func(channels int) nn.Module {
			return nn.NewBatchNorm2d(channels, nn.BatchNorm2dOptions{Eps: new(0.001), Momentum: new(0.01)})
		}
	}
	if c.Activation == nil {
		c.Activation = func() nn.Module { return &nn.GELU{} }
	}
	return c
}

func (c Config) conv(in, out int, o ops.ConvNormActivationOptions) nn.Sequential {
	o.Norm, o.Activation = c.Norm, c.Activation
	return ops.NewConv2dNormActivation(in, out, o)
}

// mbConv is an inverted bottleneck.
type mbConv struct {
	Proj            nn.Sequential // nil without
	StochasticDepth *ops.StochasticDepth
	Layers          nn.SequentialDict
}

func (c Config) mbConv(in, out, stride int, depth float64) *mbConv {
	m := &mbConv{StochasticDepth: ops.NewStochasticDepth(depth, "row")}
	if stride == 2 {
		m.Proj = nn.Sequential{nn.NewAvgPool2d(3, nn.AvgPool2dOptions{Stride: 2, Padding: 1})}
	}
	if stride != 1 || in != out {
		m.Proj = append(m.Proj, nn.NewConv2d(in, out, 1))
	}
	middle := int(float64(out) * c.ExpansionRatio)
	m.Layers = nn.SequentialDict{
		{Name: "pre_norm", Module: c.Norm(in)},
		{Name: "conv_a", Module: c.conv(in, middle, ops.ConvNormActivationOptions{Kernel: 1})},
		{Name: "conv_b", Module: c.conv(middle, middle, ops.ConvNormActivationOptions{Stride: stride, Groups: middle})},
		{Name: "squeeze_excitation", Module: ops.NewSqueezeExcitation(middle, int(float64(out)*c.SqueezeRatio), ops.SqueezeExcitationOptions{
			Activation: func() nn.Module { return &nn.SiLU{} },
		})},
		{Name: "conv_c", Module: nn.NewConv2d(middle, out, 1)},
	}
	return m
}

// partitionAttention attends within windows of p × p, or over a grid of such windows.
type partitionAttention struct {
	AttnLayer, MLPLayer nn.Sequential
	StochasticDropout   *ops.StochasticDepth
	p                   int
	grid                bool
}

func (c Config) attention(channels, p int, grid bool, depth float64) *partitionAttention {
	attention := nn.Sequential{nn.NewLayerNorm(channels), newRelativeAttention(channels, c.HeadDim, c.PartitionSize), nn.NewDropout(c.AttentionDropout)}
	mlp := nn.Sequential{
		nn.NewLayerNorm(channels), nn.NewLinear(channels, channels*c.MLPRatio), c.Activation(),
		nn.NewLinear(channels*c.MLPRatio, channels), nn.NewDropout(c.MLPDropout),
	}
	return &partitionAttention{attention, mlp, ops.NewStochasticDepth(depth, "row"), p, grid}
}

// relativeAttention is an attention with a bias for each difference of positions.
type relativeAttention struct {
	RelativePositionBiasTable *torch.Tensor // [(2·side - 1)², heads]
	RelativePositionIndex     *torch.Tensor `nn:",buffer"` // [side², side²]
	ToQKV, Merge              *nn.Linear
	heads                     int
}

func newRelativeAttention(features, head, side int) *relativeAttention {
	m := &relativeAttention{ToQKV: nn.NewLinear(features, 3*features), Merge: nn.NewLinear(features, features), heads: features / head}
	m.RelativePositionBiasTable = torch.Empty((2*side-1)*(2*side-1), m.heads).RequireGrad(true)
	m.RelativePositionIndex = ops.RelativePositionIndex(side, side)
	nn.InitTruncNormal(m.RelativePositionBiasTable, nn.InitTruncNormalOptions{Std: new(0.02)})
	return m
}

// Forward maps pictures x [N, 3, H, W] of InputSize to logits [N, classes].
func (m *MaxVit) Forward(x *torch.Tensor) *torch.Tensor {
	if x.Dim() != 4 || x.Size(1) != 3 || half(x.Size(2)) != half(m.size[0]) || half(x.Size(3)) != half(m.size[1]) {
		fail("the input is %v; give a batch of pictures [N, 3, %d, %d]", x.Shape(), m.size[0], m.size[1])
	}
	x = m.Stem.Forward(x) // [N, C, H/2, W/2]
	for _, b := range m.Blocks {
		for _, l := range b.Layers {
			x = x.Then(nn.Sequential{l}.Forward)
		}
	}
	return x.Then(m.Classifier.Forward)
}

// Forward maps [N, C, H, W] to [N, out, H/stride, W/stride].
func (m *layer) Forward(x *torch.Tensor) *torch.Tensor { return m.Layers.Forward(x) }

// Forward maps [N, C, H, W] to [N, out, H/stride, W/stride].
func (m *mbConv) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Layers.Forward(x).Then(nn.Sequential{m.StochasticDepth}.Forward)
	defer y.Free()
	if m.Proj != nil {
		x = m.Proj.Forward(x)
		defer x.Free()
	}
	return x.Add(y)
}

// Forward maps [N, C, H, W] to the same shape.
func (m *partitionAttention) Forward(x *torch.Tensor) (y *torch.Tensor) {
	n, c, h, w, p := x.Size(0), x.Size(1), x.Size(2), x.Size(3), m.p
	swap := func(x *torch.Tensor) *torch.Tensor {
		if m.grid {
			return x.Transpose(1, 2)
		}
		return x
	}
	torch.Scope(func() {
		x := swap(x.Reshape(n, c, h/p, p, w/p, p).Permute(0, 2, 4, 3, 5, 1).Reshape(n, h/p*(w/p), p*p, c)) // [N, groups, positions, C]
		x = ops.Residual(x, m.AttnLayer.Forward, nn.Sequential{m.StochasticDropout}.Forward)
		x = x.Then(func(x *torch.Tensor) *torch.Tensor {
			return ops.Residual(x, m.MLPLayer.Forward, nn.Sequential{m.StochasticDropout}.Forward)
		})
		y = torch.Keep(swap(x).Reshape(n, h/p, w/p, p, p, c).Permute(0, 5, 1, 3, 2, 4).Reshape(n, c, h, w))
	})
	return y
}

// Forward maps x [N, groups, positions, C] to the same shape.
func (m *relativeAttention) Forward(x *torch.Tensor) (y *torch.Tensor) {
	n, groups, positions, c := x.Size(0), x.Size(1), x.Size(2), x.Size(3)
	torch.Scope(func() {
		heads := func(x *torch.Tensor) *torch.Tensor {
			return x.Reshape(n, groups, positions, m.heads, c/m.heads).Permute(0, 1, 3, 2, 4)
		}
		qkv := m.ToQKV.Forward(x).Chunk(3, torch.ChunkOptions{Dim: -1})
		q, k, v := heads(qkv[0]), heads(qkv[1]).MulScalar(math.Pow(float64(c), -0.5)), heads(qkv[2])
		bias := m.RelativePositionBiasTable.IndexSelect(0, m.RelativePositionIndex.View(-1)).View(positions, positions, -1).Permute(2, 0, 1).Contiguous()
		a := q.MatMul(k.Transpose(-2, -1)).Then(func(a *torch.Tensor) *torch.Tensor {
			return a.Add(bias) // [N, groups, heads, positions, positions]
		}).Then(func(a *torch.Tensor) *torch.Tensor {
			return a.Softmax(-1)
		}).Then(func(a *torch.Tensor) *torch.Tensor {
			return a.MatMul(v)
		})
		y = torch.Keep(m.Merge.Forward(a.Permute(0, 1, 3, 2, 4).Reshape(n, groups, positions, c)))
	})
	return y
}
