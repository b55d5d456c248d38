// Package resnet holds ResNets: "Deep Residual Learning for Image Recognition",
// https://arxiv.org/abs/1512.03385, and the models that share their structure: ResNeXt,
// Wide ResNet, the WSL models, and the variants in timm.
package resnet

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Block is the kind of a ResNet's residual blocks.
type Block int

// Kinds of blocks.
const (
	BasicBlock Block = iota // two 3×3 convolutions
	Bottleneck              // 1×1, 3×3, 1×1, with four times the channels at the end
)

// expansion is the ratio of a block's output channels to its planes.
func (b Block) expansion() int {
	if b == Bottleneck {
		return 4
	}
	return 1
}

// Stem is the kind of a ResNet's first convolutions.
type Stem int

// Kinds of stems.
const (
	PlainStem  Stem = iota // one 7×7 convolution
	DeepStem               // three 3×3 convolutions, of StemWidth, StemWidth and 2·StemWidth channels
	TieredStem             // three 3×3 convolutions, of ¾·StemWidth, StemWidth and 2·StemWidth channels
)

// Attention is the kind of channel attention at the end of each residual block.
type Attention int

// Kinds of attention.
const (
	NoAttention Attention = iota
	SE                    // Squeeze-and-Excitation, https://arxiv.org/abs/1709.01507
	ECA                   // Efficient Channel Attention, https://arxiv.org/abs/1910.03151
)

// AntiAlias is the kind of smoothing before each stride of 2.
type AntiAlias int

// Kinds of smoothing.
const (
	NoAntiAlias AntiAlias = iota
	Blur                  // a binomial filter, https://arxiv.org/abs/1904.11486
	Average               // the mean of 2×2
)

// Config describes a ResNet: the arguments of torchvision.models.resnet.ResNet,
// and after them those of timm.models.resnet.ResNet, whose zero values are
// torchvision's model.
type Config struct {
	Block         Block
	Layers        [4]int // blocks of each stage
	NumClasses    int    // 0 means 1000
	Groups        int    // of the 3×3 convolutions in a Bottleneck, 0 means 1: timm's cardinality
	WidthPerGroup int    // channels of a group in the first stage, 0 means 64: timm's base_width

	// ReplaceStrideWithDilation gives the second, third and fourth stage a dilation in place of the stride, for a
	// Bottleneck.
	ReplaceStrideWithDilation [3]bool
	Norm                      func(channels int) nn.Module // norm_layer; nil means batch normalization

	Stem        Stem      // stem_type
	StemWidth   int       // stem_width, 0 means 64; of a PlainStem, its channels
	StemConv    bool      // replace_stem_pool: a 3×3 convolution in place of the max pooling
	Channels    [4]int    // channels: planes of each stage, 0 means 64, 128, 256, 512
	AvgDown     bool      // avg_down: shortcuts are pooled, not strided
	DownKernel  int       // down_kernel_size, 0 means 1
	ReduceFirst int       // block_reduce_first: divides the width of a block's first convolution, 0 means 1
	StrideFirst bool      // a Bottleneck strides in its first convolution, as in the paper, and not in its 3×3 one
	AntiAlias   AntiAlias // aa_layer
	Attention   Attention // attn_layer
	SERatio     float64   // rd_ratio of SE, 0 means 1/16
}

// A Backbone is a ResNet without its classifier.
type Backbone struct {
	Conv1                          nn.Module // a Conv2d or, for a deep stem, a Sequential
	BN1                            nn.Module
	ReLU                           *nn.ReLU  `nn:"relu"`
	MaxPool                        nn.Module `nn:"maxpool"`
	Layer1, Layer2, Layer3, Layer4 nn.Sequential
}

// ResNet is torchvision.models.resnet.ResNet, and timm.models.resnet.ResNet with
// batch normalization and ReLU.
//
// https://docs.pytorch.org/vision/stable/models/resnet.html
type ResNet struct {
	Backbone
	AvgPool *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	FC      *nn.Linear
}

// New builds a ResNet, initialized as torchvision's is. It panics with an
// [*torch.Error] if a number is negative or, as in torchvision, if Groups or
// WidthPerGroup is set with a BasicBlock.
func New(c Config) *ResNet {
	c = c.withDefaults()
	c.check()
	in := c.StemWidth
	if c.Stem != PlainStem {
		in *= 2
	}
	m := &ResNet{Backbone: Backbone{Conv1: c.stem(in), BN1: c.Norm(in), ReLU: &nn.ReLU{InPlace: true}, MaxPool: c.stemPool(in)}, AvgPool: nn.NewAdaptiveAvgPool2d(1)}
	dilation := 1
	stage := func(i, stride int) nn.Sequential {
		s := make(nn.Sequential, c.Layers[i])
		before := dilation // that of the first block
		if stride > 1 && c.ReplaceStrideWithDilation[i-1] {
			dilation, stride = dilation*stride, 1
		}
		for j := range s {
			s[j] = c.block(in, c.Channels[i], stride, before)
			in, stride, before = c.Channels[i]*c.Block.expansion(), 1, dilation
		}
		return s
	}
	m.Layer1, m.Layer2, m.Layer3, m.Layer4 = stage(0, 1), stage(1, 2), stage(2, 2), stage(3, 2)
	m.FC = nn.NewLinear(in, cmp.Or(c.NumClasses, 1000))
	for _, p := range nn.Parameters(m) {
		if p.Dim() == 4 { // a convolution's weight
			nn.InitKaimingNormal(p, nn.InitKaimingOptions{Mode: "fan_out", Nonlinearity: "relu"})
		}
	}
	return m
}

// withDefaults returns c with the defaults filled in, except for NumClasses.
func (c Config) withDefaults() Config {
	c.Groups, c.WidthPerGroup = cmp.Or(c.Groups, 1), cmp.Or(c.WidthPerGroup, 64)
	c.StemWidth, c.DownKernel, c.ReduceFirst = cmp.Or(c.StemWidth, 64), cmp.Or(c.DownKernel, 1), cmp.Or(c.ReduceFirst, 1)
	c.SERatio = cmp.Or(c.SERatio, 1./16)
	if c.Norm == nil {
		c.Norm = func(channels int) nn.Module { return nn.NewBatchNorm2d(channels) }
	}
	if c.Channels == [4]int{} {
		c.Channels = [4]int{64, 128, 256, 512}
	}
	return c
}

// check refuses a configuration, whose defaults are filled in, that cannot be built.
func (c Config) check() {
	refuse := func(format string, args ...any) {
		panic(&torch.Error{Op: "resnet.New", Msg: fmt.Sprintf(format, args...)})
	}
	if c.Block == BasicBlock && (c.Groups != 1 || c.WidthPerGroup != 64) {
		refuse("a BasicBlock has one group of width 64; use Bottleneck")
	}
	if c.Block == BasicBlock && c.ReplaceStrideWithDilation != [3]bool{} {
		refuse("a BasicBlock has no dilation; use Bottleneck")
	}
	if least := min(c.NumClasses, c.Groups-1, c.WidthPerGroup-1, c.StemWidth-1, c.DownKernel-1, c.ReduceFirst-1, slices.Min(c.Layers[:])-1, slices.Min(c.Channels[:])-1); least < 0 || !(c.SERatio > 0) {
		c.Norm = nil // not to print it
		refuse("a number of %+v is too small", c)
	}
	if c.DownKernel%2 == 0 {
		refuse("DownKernel is %d and must be odd", c.DownKernel)
	}
}

func (c Config) stem(out int) nn.Module {
	if c.Stem == PlainStem {
		return nn.NewConv2d(3, out, 7, nn.Conv2dOptions{Stride: 2, Padding: 3, NoBias: true})
	}
	first := c.StemWidth
	if c.Stem == TieredStem {
		first = 3 * (c.StemWidth / 4)
	}
	return nn.Sequential{
		conv3x3(3, first, 2, 1, 1), c.Norm(first), &nn.ReLU{InPlace: true},
		conv3x3(first, c.StemWidth, 1, 1, 1), c.Norm(c.StemWidth), &nn.ReLU{InPlace: true},
		conv3x3(c.StemWidth, out, 1, 1, 1),
	}
}

// stemPool returns the module that halves the sides of the stem's output.
func (c Config) stemPool(channels int) nn.Module {
	switch {
	case c.StemConv && c.AntiAlias == NoAntiAlias:
		return nn.Sequential{conv3x3(channels, channels, 2, 1, 1), c.Norm(channels), &nn.ReLU{InPlace: true}}
	case c.StemConv:
		return nn.Sequential{conv3x3(channels, channels, 1, 1, 1), c.smooth(), c.Norm(channels), &nn.ReLU{InPlace: true}}
	case c.AntiAlias == Average:
		return c.smooth()
	case c.AntiAlias == Blur:
		return nn.Sequential{nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 1, Padding: 1}), c.smooth()}
	}
	return nn.NewMaxPool2d(3, nn.MaxPool2dOptions{Stride: 2, Padding: 1})
}

func (c Config) smooth() nn.Module {
	if c.AntiAlias == Blur {
		return blurPool{}
	}
	return avgPool{}
}

func (c Config) block(in, planes, stride, dilation int) nn.Module {
	// The shortcut comes first, as in torchvision, so that the random numbers are the
	// same.
	var downsample nn.Module
	out := planes * c.Block.expansion()
	if stride != 1 || in != out {
		downsample = c.shortcut(in, out, stride)
	}
	var aa nn.Module
	convStride := stride
	if c.AntiAlias != NoAntiAlias && stride == 2 {
		aa, convStride = c.smooth(), 1
	}
	if c.Block == Bottleneck {
		return c.bottleneck(in, planes, convStride, dilation, aa, downsample)
	}
	first := planes / c.ReduceFirst
	return &basicBlock{
		Conv1:      conv3x3(in, first, convStride, 1, 1),
		BN1:        c.Norm(first),
		ReLU:       &nn.ReLU{InPlace: true},
		AA:         aa,
		Conv2:      conv3x3(first, planes, 1, 1, 1),
		BN2:        c.Norm(planes),
		SE:         c.attention(out),
		Downsample: downsample,
	}
}

// shortcut fits a block's input to its output.
func (c Config) shortcut(in, out, stride int) nn.Module {
	if c.AvgDown {
		return &avgShortcut{stride: stride, Conv: conv1x1(in, out, 1), BN: c.Norm(out)}
	}
	k := c.DownKernel
	if stride == 1 {
		k = 1
	}
	return nn.Sequential{
		nn.NewConv2d(in, out, k, nn.Conv2dOptions{Stride: stride, Padding: k / 2, NoBias: true}),
		c.Norm(out),
	}
}

// avgShortcut pools, where it strides, and convolves. Its pool is module 0, which has no parameters.
type avgShortcut struct {
	stride int
	Conv   *nn.Conv2d `nn:"1"`
	BN     nn.Module  `nn:"2"`
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *avgShortcut) Forward(x *torch.Tensor) *torch.Tensor {
	if m.stride == 1 {
		return m.Conv.Forward(x).Then(m.BN.Forward)
	}
	return avgPool{ceil: true}.Forward(x).Then(m.Conv.Forward).Then(m.BN.Forward)
}

// Forward maps pictures x [N, 3, H, W] to the features [N, C, H/32, W/32] of the last stage.
func (m *Backbone) Forward(x *torch.Tensor) *torch.Tensor { return m.Stages(x, 4)[0] }

// Stages returns the features of the stages from the first one asked for, which is from 1 to 4, to the
// fourth: those of stage i are [N, C, H/2ⁱ⁺¹, W/2ⁱ⁺¹] unless it has a dilation in place of the stride.
func (m *Backbone) Stages(x *torch.Tensor, first int) []*torch.Tensor {
	x = m.Conv1.Forward(x).Then(m.BN1.Forward).Then(m.ReLU.Forward) // [N, 64, H/2, W/2]
	x = x.Then(m.MaxPool.Forward)                                   // [N, 64, H/4, W/4]
	var out []*torch.Tensor
	for i, s := range []nn.Sequential{m.Layer1, m.Layer2, m.Layer3, m.Layer4} {
		if i < first {
			x = x.Then(s.Forward)
		} else {
			x = s.Forward(x)
		}
		if i+1 >= first {
			out = append(out, x)
		}
	}
	return out
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *ResNet) Forward(x *torch.Tensor) *torch.Tensor {
	return m.Backbone.Forward(x).Then(m.AvgPool.Forward).Then(func(x *torch.Tensor) *torch.Tensor {
		return x.Flatten(1) // [N, C, 1, 1] → [N, C]
	}).Then(m.FC.Forward)
}
