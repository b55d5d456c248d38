package segmentation

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// width is the number of channels in a DeepLab v3's classifier.
const width = 256

func deepLabHead(in, classes int) nn.Sequential {
	return nn.Sequential{
		newASPP(in, 12, 24, 36),
		nn.NewConv2d(width, width, 3, nn.Conv2dOptions{Padding: 1, NoBias: true}),
		nn.NewBatchNorm2d(width), &nn.ReLU{InPlace: true},
		nn.NewConv2d(width, classes, 1),
	}
}

// aspp is atrous spatial pyramid pooling: convolutions with several dilations, side by side.
type aspp struct {
	Convs   []nn.Module
	Project nn.Sequential
}

func newASPP(in int, rates ...int) *aspp {
	m := &aspp{Convs: []nn.Module{convNormReLU(nn.NewConv2d(in, width, 1, nn.Conv2dOptions{NoBias: true}))}}
	for _, r := range rates {
		m.Convs = append(m.Convs, convNormReLU(nn.NewConv2d(in, width, 3, nn.Conv2dOptions{Padding: r, Dilation: r, NoBias: true})))
	}
	m.Convs = append(m.Convs, &asppPooling{nn.Sequential{
		nn.NewAdaptiveAvgPool2d(1), nn.NewConv2d(in, width, 1, nn.Conv2dOptions{NoBias: true}), nn.NewBatchNorm2d(width), &nn.ReLU{InPlace: true},
	}})
	all := len(m.Convs) * width
	m.Project = append(convNormReLU(nn.NewConv2d(all, width, 1, nn.Conv2dOptions{NoBias: true})), nn.NewDropout(0.5))
	return m
}

func convNormReLU(conv *nn.Conv2d) nn.Sequential {
	return nn.Sequential{conv, nn.NewBatchNorm2d(width), &nn.ReLU{InPlace: true}}
}

// Forward maps [N, in, H, W] to [N, 256, H, W].
func (m *aspp) Forward(x *torch.Tensor) *torch.Tensor {
	parts := make([]*torch.Tensor, len(m.Convs))
	for i, conv := range m.Convs {
		parts[i] = nn.Call(conv, x)
	}
	y := torch.Cat(parts, 1)
	for _, p := range parts {
		p.Free()
	}
	return y.Then(m.Project.Forward)
}

// asppPooling is the mean over all pixels, which a convolution maps.
type asppPooling struct{ nn.Sequential }

// Forward maps [N, in, H, W] to [N, 256, H, W].
func (m *asppPooling) Forward(x *torch.Tensor) *torch.Tensor {
	return enlarge(m.Sequential.Forward(x), x)
}
