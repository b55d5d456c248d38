package segmentation

import (
	"fmt"

	"github.com/torchhub/torchhub/models/mobilenet"
	"github.com/torchhub/torchhub/models/resnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// A BackboneName is the name of a backbone's architecture.
type BackboneName string

// The backbones of torchvision's models.
const (
	ResNet50         BackboneName = "resnet50"
	ResNet101        BackboneName = "resnet101"
	MobileNetV3Large BackboneName = "mobilenet_v3_large"
)

// A Backbone computes the features of pictures.
type Backbone interface {
	nn.Module
	// Features maps pictures [N, 3, H, W] to the last features, and to those before them that an auxiliary or
	// low-level classifier reads.
	Features(x *torch.Tensor) (low, last *torch.Tensor)
}

// backbone returns a backbone and the numbers of channels of its features. The weights are those of the network that it
// is a part of; nil without.
func backbone(name BackboneName, weights torch.StateDict) (b Backbone, low, last int) {
	c := resnet.Config{Block: resnet.Bottleneck, ReplaceStrideWithDilation: [3]bool{false, true, true}}
	switch name {
	case ResNet50, "":
		c.Layers = [4]int{3, 4, 6, 3}
	case ResNet101:
		c.Layers = [4]int{3, 4, 23, 3}
	case MobileNetV3Large:
		return newMobileNet(weights)
	default:
		panic(&torch.Error{Op: "segmentation", Msg: fmt.Sprintf("there is no backbone %.100q", name)})
	}
	net := resnet.New(c)
	load(net, weights)
	return &resNet{&net.Backbone}, 1024, 2048
}

// load fills a network with weights, if there are any.
func load(network any, weights torch.StateDict) {
	if weights == nil {
		return
	}
	if err := nn.LoadStateDict(network, weights); err != nil {
		panic(&torch.Error{Op: "segmentation", Msg: fmt.Sprintf("the weights of the backbone: %v", err)})
	}
}

// resNet is a ResNet whose last two stages are dilated.
type resNet struct{ *resnet.Backbone }

// Features returns the features of the last two stages, [N, 1024, H/8, W/8] and [N, 2048, H/8, W/8].
func (m *resNet) Features(x *torch.Tensor) (low, last *torch.Tensor) {
	y := m.Stages(x, 3)
	return y[0], y[1]
}

// mobileNet is the features of a MobileNet v3 whose last stage is dilated.
type mobileNet struct {
	nn.Sequential
	low int // the number of the module whose output is the low features
}

func newMobileNet(weights torch.StateDict) (b Backbone, low, last int) {
	net := mobilenet.NewV3(mobilenet.ConfigV3{Dilated: true})
	load(net, weights)
	m := &mobileNet{Sequential: net.Features}
	var strided []int
	for i, block := range m.Sequential {
		if block, ok := block.(*mobilenet.InvertedResidual); ok && block.Strided {
			strided = append(strided, i)
		}
	}
	m.low = strided[len(strided)-3] // C2 in the paper
	last = m.Sequential[len(m.Sequential)-1].(nn.Sequential)[0].(*nn.Conv2d).Weight.Size(0)
	return m, m.Sequential[m.low].(*mobilenet.InvertedResidual).OutChannels, last
}

// Features returns the features [N, 40, H/8, W/8] and [N, 960, H/16, W/16].
func (m *mobileNet) Features(x *torch.Tensor) (low, last *torch.Tensor) {
	low = m.Sequential[:m.low+1].Forward(x)
	return low, m.Sequential[m.low+1:].Forward(low)
}
