package ops

import (
	"math"
	"slices"
	"strconv"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Forward pools the boxes [L, 4] of each picture from the features: it returns [K, C, output size]
// for the boxes of all pictures. The sizes are those of the pictures that the features were computed from.
func (m *MultiScaleRoIAlign) Forward(features []Feature, boxes []*torch.Tensor, sizes []Size) *torch.Tensor {
	var maps []*torch.Tensor
	for _, f := range features {
		if slices.Contains(m.Names, f.Name) {
			maps = append(maps, f.X)
		}
	}
	check(len(maps) > 0, "MultiScaleRoIAlign", "none of the features has a name of %q", m.Names)
	check(len(sizes) > 0, "MultiScaleRoIAlign", "there are no sizes of pictures")
	height := slices.MaxFunc(sizes, func(a, b Size) int { return a.Height - b.Height }).Height
	scales := make([]float64, len(maps)) // powers of two
	for i, x := range maps {
		scales[i] = math.Exp2(math.RoundToEven(math.Log2(float64(x.Size(-2)) / float64(height))))
	}
	return scope(func() *torch.Tensor {
		rois := BoxesToRoIs(boxes)
		pool := func(i int, rois *torch.Tensor) *torch.Tensor {
			return RoIAlign(maps[i], rois, m.OutputSize, RoIOptions{SpatialScale: &scales[i], SamplingRatio: m.SamplingRatio})
		}
		if len(maps) == 1 {
			return pool(0, rois)
		}
		levels := m.levels(torch.Cat(boxes, 0), scales)
		out := torch.Options{DType: maps[0].DType(), Device: maps[0].Device()}.Zeros(rois.Size(0), maps[0].Size(1), m.OutputSize[0], m.OutputSize[1])
		for i := range maps {
			in := where(levels.EqScalar(i))
			out.SetIndex(pool(i, rois.Index(in)).ToDType(out.DType()), in)
		}
		return out
	})
}

// levels returns the index of each box's feature map: equation 1 of the paper on feature pyramids.
func (m *MultiScaleRoIAlign) levels(boxes *torch.Tensor, scales []float64) *torch.Tensor {
	first, last := int(-math.Log2(scales[0])), int(-math.Log2(scales[len(scales)-1]))
	level := BoxArea(boxes).Sqrt().DivScalar(m.Scale).Log2().AddScalar(m.Level)
	eps := torch.FromSlice([]float64{1e-6}).View().ToDType(level.DType()).To(level.Device())
	return level.Add(eps).Floor().Clamp(first, last).ToDType(torch.Int64).SubScalar(first)
}

// FeaturePyramidNetworkOptions are the options of [NewFeaturePyramidNetwork].
type FeaturePyramidNetworkOptions struct {
	Extra ExtraFPNBlock                // adds feature maps; nil means none
	Norm  func(channels int) nn.Module // nil means none
}

// An ExtraFPNBlock adds coarser feature maps to those of a pyramid, made of them or of its
// inputs: torchvision.ops.feature_pyramid_network.ExtraFPNBlock.
type ExtraFPNBlock interface {
	Extend(pyramid, inputs []Feature) []Feature
}

// FeaturePyramidNetwork adds the coarser of feature maps to the finer ones,
// https://arxiv.org/abs/1612.03144: torchvision.ops.FeaturePyramidNetwork.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.ops.FeaturePyramidNetwork.html
type FeaturePyramidNetwork struct {
	InnerBlocks []nn.Module
	LayerBlocks []nn.Module
	ExtraBlocks ExtraFPNBlock
}

// NewFeaturePyramidNetwork makes a pyramid of maps with the given numbers of channels, from
// the finest on, whose outputs have out channels: FeaturePyramidNetwork(in, out).
func NewFeaturePyramidNetwork(in []int, out int, options ...FeaturePyramidNetworkOptions) *FeaturePyramidNetwork {
	o := torch.Only(options)
	conv := func(in, kernel int) nn.Module {
		s := NewConv2dNormActivation(in, out, ConvNormActivationOptions{Kernel: kernel, Norm: o.Norm, NoNorm: o.Norm == nil, NoActivation: true})
		return s
	}
	m := &FeaturePyramidNetwork{}
	for _, in := range in {
		check(in > 0, "FeaturePyramidNetwork", "a feature map has %d channels", in)
		m.InnerBlocks = append(m.InnerBlocks, conv(in, 1))
		m.LayerBlocks = append(m.LayerBlocks, conv(out, 3))
	}
	for i := range in {
		initConv(m.InnerBlocks[i].(nn.Sequential)[0].(*nn.Conv2d))
	}
	for i := range in {
		initConv(m.LayerBlocks[i].(nn.Sequential)[0].(*nn.Conv2d))
	}
	m.ExtraBlocks = o.Extra
	return m
}

func initConv(c *nn.Conv2d) {
	nn.InitKaimingUniform(c.Weight, nn.InitKaimingOptions{A: 1})
	if c.Bias != nil {
		nn.InitZeros(c.Bias)
	}
}

// StateVersion is the version of the module's part of a state dict.
func (m *FeaturePyramidNetwork) StateVersion() int { return 2 }

// UpgradeState renames the weights of older versions, whose blocks were convolutions.
func (m *FeaturePyramidNetwork) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	for i := range m.InnerBlocks {
		for _, block := range []string{"inner_blocks", "layer_blocks"} {
			for _, name := range []string{"weight", "bias"} {
				at := prefix + block + "." + strconv.Itoa(i) + "."
				if x, ok := s[at+name]; ok {
					delete(s, at+name)
					s[at+"0."+name] = x
				}
			}
		}
	}
}

// Forward maps feature maps [N, C_i, H_i, W_i], from the finest on, to maps [N, out, H_i, W_i]
// of the same names, and those that the extra block adds.
func (m *FeaturePyramidNetwork) Forward(x []Feature) []Feature {
	check(len(x) == len(m.InnerBlocks), "FeaturePyramidNetwork", "there are %d feature maps; there must be %d", len(x), len(m.InnerBlocks))
	out := make([]Feature, len(x))
	var last *torch.Tensor
	for i := len(x) - 1; i >= 0; i-- {
		inner := m.InnerBlocks[i].Forward(x[i].X)
		if last != nil {
			top := F.Interpolate(last, F.InterpolateOptions{Size: inner.Shape()[2:]})
			inner = top.Then(func(top *torch.Tensor) *torch.Tensor { return inner.Add(top) })
		}
		last = inner
		out[i] = Feature{x[i].Name, m.LayerBlocks[i].Forward(last)}
	}
	if m.ExtraBlocks != nil {
		return m.ExtraBlocks.Extend(out, x)
	}
	return out
}

// LastLevelMaxPool adds every second pixel of the coarsest map, as "pool":
// torchvision.ops.feature_pyramid_network.LastLevelMaxPool.
type LastLevelMaxPool struct{}

// Extend returns the pyramid with one more map.
func (LastLevelMaxPool) Extend(pyramid, _ []Feature) []Feature {
	return append(pyramid, Feature{"pool", F.MaxPool2d(pyramid[len(pyramid)-1].X, 1, F.MaxPool2dOptions{Stride: 2})})
}

// LastLevelP6P7 adds the maps "p6" and "p7" by convolutions, as RetinaNet does:
// torchvision.ops.feature_pyramid_network.LastLevelP6P7.
type LastLevelP6P7 struct {
	P6, P7 *nn.Conv2d
	fromP5 bool
}

// NewLastLevelP6P7 makes a LastLevelP6P7(in, out).
func NewLastLevelP6P7(in, out int) *LastLevelP6P7 {
	o := nn.Conv2dOptions{Stride: 2, Padding: 1}
	m := &LastLevelP6P7{nn.NewConv2d(in, out, 3, o), nn.NewConv2d(out, out, 3, o), in == out}
	initConv(m.P6)
	initConv(m.P7)
	return m
}

// Extend returns the pyramid with two more maps.
func (m *LastLevelP6P7) Extend(pyramid, inputs []Feature) []Feature {
	from := inputs
	if m.fromP5 {
		from = pyramid
	}
	p6 := m.P6.Forward(from[len(from)-1].X)
	return append(pyramid, Feature{"p6", p6}, Feature{"p7", p6.ReLU().Then(m.P7.Forward)})
}
