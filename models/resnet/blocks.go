package resnet

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

type basicBlock struct {
	Conv1      *nn.Conv2d
	BN1        nn.Module
	ReLU       *nn.ReLU  `nn:"relu"`
	AA         nn.Module // nil without
	Conv2      *nn.Conv2d
	BN2        nn.Module
	SE         nn.Module // nil without
	Downsample nn.Module // nil without
}

// Forward maps [N, in, H, W] to [N, planes, H/stride, W/stride].
func (m *basicBlock) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Conv1.Forward(x).Then(m.BN1.Forward).Then(m.ReLU.Forward)
	y = maybe(y, m.AA).Then(m.Conv2.Forward).Then(m.BN2.Forward)
	return addShortcut(maybe(y, m.SE), x, m.Downsample).Then(m.ReLU.Forward)
}

type bottleneck struct {
	Conv1      *nn.Conv2d
	BN1        nn.Module
	Conv2      *nn.Conv2d
	BN2        nn.Module
	ReLU       *nn.ReLU  `nn:"relu"`
	AA         nn.Module // nil without
	Conv3      *nn.Conv2d
	BN3        nn.Module
	SE         nn.Module // nil without
	Downsample nn.Module // nil without
}

// bottleneck puts the stride in the 3×3 convolution by default, which torchvision calls ResNet v1.5.
func (c Config) bottleneck(in, planes, stride, dilation int, aa nn.Module, downsample nn.Module) *bottleneck {
	width, out := planes*c.WidthPerGroup/64*c.Groups, planes*Bottleneck.expansion()
	first := width / c.ReduceFirst
	stride1, stride2 := 1, stride
	if c.StrideFirst {
		stride1, stride2 = stride, 1
	}
	return &bottleneck{
		Conv1:      conv1x1(in, first, stride1),
		BN1:        c.Norm(first),
		Conv2:      conv3x3(first, width, stride2, c.Groups, dilation),
		BN2:        c.Norm(width),
		ReLU:       &nn.ReLU{InPlace: true},
		AA:         aa,
		Conv3:      conv1x1(width, out, 1),
		BN3:        c.Norm(out),
		SE:         c.attention(out),
		Downsample: downsample,
	}
}

// Forward maps [N, in, H, W] to [N, 4·planes, H/stride, W/stride].
func (m *bottleneck) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.Conv1.Forward(x).Then(m.BN1.Forward).Then(m.ReLU.Forward)
	y = y.Then(m.Conv2.Forward).Then(m.BN2.Forward).Then(m.ReLU.Forward)
	y = maybe(y, m.AA).Then(m.Conv3.Forward).Then(m.BN3.Forward)
	return addShortcut(maybe(y, m.SE), x, m.Downsample).Then(m.ReLU.Forward)
}

// maybe passes y through a module that may be nil.
func maybe(y *torch.Tensor, m nn.Module) *torch.Tensor {
	if m == nil {
		return y
	}
	return y.Then(m.Forward)
}

// addShortcut returns y + downsample(x), in place of y.
func addShortcut(y, x *torch.Tensor, downsample nn.Module) *torch.Tensor {
	if downsample == nil {
		return y.AddInPlace(x)
	}
	x = downsample.Forward(x)
	defer x.Free()
	return y.AddInPlace(x)
}

func conv3x3(in, out, stride, groups, dilation int) *nn.Conv2d {
	return nn.NewConv2d(in, out, 3, nn.Conv2dOptions{Stride: stride, Padding: dilation, Dilation: dilation, Groups: groups, NoBias: true})
}

func conv1x1(in, out, stride int) *nn.Conv2d {
	return nn.NewConv2d(in, out, 1, nn.Conv2dOptions{Stride: stride, NoBias: true})
}

// attention returns the module that weights channels, or nil for none.
func (c Config) attention(channels int) nn.Module {
	switch c.Attention {
	case SE:
		// To the nearest multiple of 8, at least 8: timm's make_divisible.
		reduced := max(8, int(float64(channels)*c.SERatio+4)/8*8)
		return &squeezeExcite{FC1: nn.NewConv2d(channels, reduced, 1), FC2: nn.NewConv2d(reduced, channels, 1)}
	case ECA:
		k := int((math.Log2(float64(channels)) + 1) / 2)
		k = max(k+1-k%2, 3)
		w := torch.Empty(1, 1, k)
		if w.Device() != torch.Meta {
			bound := 1 / math.Sqrt(float64(k)) // as torch.nn.Conv1d
			w.UniformInPlace(-bound, bound)
		}
		return &channelAttention{Conv: &conv1d{Weight: w.RequireGrad(true)}}
	}
	return nil
}

type squeezeExcite struct{ FC1, FC2 *nn.Conv2d }

// Forward maps [N, C, H, W] to the same shape.
func (m *squeezeExcite) Forward(x *torch.Tensor) *torch.Tensor {
	s := x.MeanDim([]int{2, 3}, torch.MeanOptions{KeepDim: true}) // [N, C, 1, 1]
	s = s.Then(m.FC1.Forward).ReLUInPlace().Then(m.FC2.Forward)
	return weigh(x, s)
}

// weigh returns x times the sigmoid of s, which it frees.
func weigh(x, s *torch.Tensor) *torch.Tensor {
	return s.Then(func(s *torch.Tensor) *torch.Tensor { return s.Sigmoid() }).Then(func(s *torch.Tensor) *torch.Tensor { return x.Mul(s) })
}

// channelAttention convolves over the channels, each with its neighbors.
type channelAttention struct{ Conv *conv1d }

type conv1d struct{ Weight *torch.Tensor } // [1, 1, k]

// Forward maps [N, C, H, W] to the same shape.
func (m *channelAttention) Forward(x *torch.Tensor) *torch.Tensor {
	n, c := x.Size(0), x.Size(1)
	s := x.Mean(2, 3).Then(func(s *torch.Tensor) *torch.Tensor { return s.Reshape(n, 1, c) })
	s = s.Then(func(s *torch.Tensor) *torch.Tensor {
		return F.Conv1d(s, m.Conv.Weight, nil, F.Conv1dOptions{Padding: m.Conv.Weight.Size(2) / 2})
	}).Then(func(s *torch.Tensor) *torch.Tensor { return s.Reshape(n, c, 1, 1) })
	return weigh(x, s)
}

// avgPool averages 2×2, of the pixels that are there: ceil keeps the last of an odd number.
type avgPool struct{ ceil bool }

// Forward maps [N, C, H, W] to [N, C, H/2, W/2].
func (m avgPool) Forward(x *torch.Tensor) *torch.Tensor {
	return F.AvgPool2d(x, 2, F.AvgPool2dOptions{CeilMode: m.ceil, ExcludePad: m.ceil})
}

// blurPool smooths with 1 2 1 both ways, mirrored at the edges: timm's BlurPool2d.
type blurPool struct{}

// Forward maps [N, C, H, W] to [N, C, ⌈H/2⌉, ⌈W/2⌉].
func (blurPool) Forward(x *torch.Tensor) *torch.Tensor {
	c := x.Size(1)
	filter := torch.FromSlice([]float32{1. / 16, 2. / 16, 1. / 16, 2. / 16, 4. / 16, 2. / 16, 1. / 16, 2. / 16, 1. / 16}, 1, 1, 3, 3)
	for _, f := range []func(*torch.Tensor) *torch.Tensor{
		func(f *torch.Tensor) *torch.Tensor { return f.ToDType(x.DType()) },
		func(f *torch.Tensor) *torch.Tensor { return f.To(x.Device()) },
		func(f *torch.Tensor) *torch.Tensor { return f.Expand(c, 1, 3, 3) },
	} {
		filter = filter.Then(f)
	}
	defer filter.Free()
	return F.Pad(x, []int{1, 1, 1, 1}, F.PadOptions{Mode: "reflect"}).Then(func(x *torch.Tensor) *torch.Tensor {
		return F.Conv2d(x, filter, nil, F.Conv2dOptions{Stride: 2, Groups: c})
	})
}
