package detection

import (
	"strconv"

	"github.com/torchhub/torchhub/models/mobilenet"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/models/resnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// features is the number of channels of a pyramid's maps.
const features = 256

// A Backbone computes feature maps of several sizes, from the finest on: BackboneWithFPN.
type Backbone struct {
	Body body
	FPN  *ops.FeaturePyramidNetwork `nn:"fpn"`
}

// A body computes the features that a pyramid is made of.
type body interface {
	stages(x *torch.Tensor) []*torch.Tensor
}

// Forward maps pictures [N, 3, H, W] to features [N, 256, H_i, W_i].
func (m *Backbone) Forward(x *torch.Tensor) []ops.Feature {
	var all []ops.Feature
	for i, x := range m.Body.stages(x) {
		all = append(all, ops.Feature{Name: strconv.Itoa(i), X: x})
	}
	return m.FPN.Forward(all)
}

type resNet struct {
	*resnet.Backbone
	from int
}

func (m resNet) stages(x *torch.Tensor) []*torch.Tensor { return m.Stages(x, m.from) }

// pretrained says how a backbone starts. The zero value is not trained.
type pretrained struct {
	on      bool
	layers  int             // the number of layers that are trained on
	eps     float64         // of frozen batch normalization
	weights torch.StateDict // of the network that the backbone is a part of; nil without
}

// newPretrained returns how a backbone starts that has trained weights, given or to be loaded.
func newPretrained(on bool, layers *int, eps float64, weights torch.StateDict) pretrained {
	if weights != nil {
		on, eps = true, 1e-5
	}
	return pretrained{on, or(layers, 3), eps, weights}
}

// load fills the network with the weights, if there are any.
func (p pretrained) load(network any) {
	if p.weights == nil {
		return
	}
	if err := nn.LoadStateDict(network, p.weights); err != nil {
		fail("the weights of the backbone: %v", err)
	}
}

func (p pretrained) norm() func(channels int) nn.Module {
	if !p.on {
		return nil
	}
	return func(channels int) nn.Module {
		return ops.NewFrozenBatchNorm2d(channels, ops.FrozenBatchNorm2dOptions{Eps: &p.eps})
	}
}

// newResNet50 returns a ResNet-50 with a pyramid of its stages, from 1 to 4.
func newResNet50(p pretrained, norm func(int) nn.Module, from int, extra func() ops.ExtraFPNBlock, pyramid func(int) nn.Module) *Backbone {
	net := resnet.New(resnet.Config{Block: resnet.Bottleneck, Layers: [4]int{3, 4, 6, 3}, Norm: norm})
	p.load(net)
	b := &net.Backbone
	if p.on {
		stages := []any{b.Layer4, b.Layer3, b.Layer2, b.Layer1, []nn.Module{b.Conv1}, []nn.Module{b.BN1}}
		if p.layers > 5 {
			fail("a ResNet has 5 layers that can be trained, not %d", p.layers)
		}
		if p.layers < 5 {
			freeze(stages[p.layers:]...)
		}
	}
	in := []int{256, 512, 1024, 2048}[from-1:]
	return &Backbone{resNet{b, from}, ops.NewFeaturePyramidNetwork(in, features, ops.FeaturePyramidNetworkOptions{Extra: extra(), Norm: pyramid})}
}

// mobileNet is a MobileNet V3 of which two stages are taken.
type mobileNet struct {
	nn.Sequential
	middle int
}

func (m mobileNet) stages(x *torch.Tensor) []*torch.Tensor {
	x = m.Sequential[:m.middle+1].Forward(x)
	return []*torch.Tensor{x, m.Sequential[m.middle+1:].Forward(x)}
}

// newMobileNet returns a MobileNet V3 with a pyramid of its last two stages.
func newMobileNet(p pretrained, norm func(int) nn.Module) *Backbone {
	if norm == nil {
		norm = batchNorm
	}
	net := mobilenet.NewV3(mobilenet.ConfigV3{Norm: norm})
	p.load(net)
	f := net.Features
	if p.on {
		freeze(f[:mobileNetStages(f, p.layers)])
	}
	middle := mobileNetStages(f, 2)
	in := []int{f[middle].(*mobilenet.InvertedResidual).OutChannels, 960}
	return &Backbone{mobileNet{f, middle}, ops.NewFeaturePyramidNetwork(in, features, ops.FeaturePyramidNetworkOptions{Extra: maxPool()})}
}

func maxPool() ops.ExtraFPNBlock { return ops.LastLevelMaxPool{} }

// maps returns the tensors of features.
func maps(f []ops.Feature) []*torch.Tensor {
	all := make([]*torch.Tensor, len(f))
	for i := range f {
		all[i] = f[i].X
	}
	return all
}
