// Package s3d holds S3D: "Rethinking Spatiotemporal Feature Learning: Speed-Accuracy Trade-offs in
// Video Classification", https://arxiv.org/abs/1712.04851.
package s3d

import (
	"cmp"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision.models.video.S3D.
type Config struct {
	NumClasses int                          `json:"num_classes"` // 0 means 400
	Dropout    *float64                     `json:"dropout"`     // default 0.2
	Norm       func(channels int) nn.Module // nil means BatchNorm3d with an eps and a momentum of 0.001
}

func init() {
	models.RegisterVariants("Rethinking Spatiotemporal Feature Learning: Speed-Accuracy Trade-offs in Video Classification", "https://arxiv.org/abs/1712.04851",
		New, map[string]Config{"s3d": {}})
}

// S3D is torchvision.models.video.S3D.
//
// https://docs.pytorch.org/vision/stable/models/video_s3d.html
type S3D struct {
	Features   nn.Sequential
	AvgPool    *nn.AvgPool3d `nn:"avgpool"`
	Classifier nn.Sequential
}

// inception joins the channels of four branches.
type inception struct{ Branch0, Branch1, Branch2, Branch3 nn.Sequential }

// New builds an S3D, initialized as torchvision's is.
func New(c Config) *S3D {
	if c.Norm == nil {
		c.Norm = func(channels int) nn.Module {
			return nn.NewBatchNorm3d(channels, nn.BatchNorm3dOptions{Eps: new(0.001), Momentum: new(0.001)})
		}
	}
	pool := func(kernel, stride, padding torch.Ints) nn.Module {
		return nn.NewMaxPool3d(kernel, nn.MaxPool3dOptions{Stride: stride, Padding: padding})
	}
	return &S3D{
		Features: nn.Sequential{
			c.separable(3, 64, 7, 2),
			pool([]int{1, 3, 3}, []int{1, 2, 2}, []int{0, 1, 1}),
			c.conv(64, 64, []int{1, 1, 1}, 1),
			c.separable(64, 192, 3, 1),
			pool([]int{1, 3, 3}, []int{1, 2, 2}, []int{0, 1, 1}),
			c.inception(192, 64, 96, 128, 16, 32, 32),
			c.inception(256, 128, 128, 192, 32, 96, 64),
			pool(3, 2, 1),
			c.inception(480, 192, 96, 208, 16, 48, 64),
			c.inception(512, 160, 112, 224, 24, 64, 64),
			c.inception(512, 128, 128, 256, 24, 64, 64),
			c.inception(512, 112, 144, 288, 32, 64, 64),
			c.inception(528, 256, 160, 320, 32, 128, 128),
			pool(2, 2, 0),
			c.inception(832, 256, 160, 320, 32, 128, 128),
			c.inception(832, 384, 192, 384, 48, 128, 128),
		},
		AvgPool:    nn.NewAvgPool3d([]int{2, 7, 7}, nn.AvgPool3dOptions{Stride: 1}),
		Classifier: nn.Sequential{nn.NewDropout(*cmp.Or(c.Dropout, new(0.2))), nn.NewConv3d(1024, cmp.Or(c.NumClasses, 400), 1)},
	}
}

func (c Config) conv(in, out int, kernel []int, stride torch.Ints) nn.Sequential {
	return ops.NewConv3dNormActivation(in, out, ops.ConvNormActivationOptions{Kernel: kernel, Stride: stride, Norm: c.Norm})
}

// separable returns a convolution over space and one over time.
func (c Config) separable(in, out, kernel, stride int) nn.Sequential {
	return nn.Sequential{c.conv(in, out, []int{1, kernel, kernel}, []int{1, stride, stride}), c.conv(out, out, []int{kernel, 1, 1}, []int{stride, 1, 1})}
}

func (c Config) inception(in, out0, middle1, out1, middle2, out2, out3 int) *inception {
	one := []int{1, 1, 1}
	return &inception{
		Branch0: c.conv(in, out0, one, 1),
		Branch1: nn.Sequential{c.conv(in, middle1, one, 1), c.separable(middle1, out1, 3, 1)},
		Branch2: nn.Sequential{c.conv(in, middle2, one, 1), c.separable(middle2, out2, 3, 1)},
		Branch3: nn.Sequential{nn.NewMaxPool3d(3, nn.MaxPool3dOptions{Stride: 1, Padding: 1}), c.conv(in, out3, one, 1)},
	}
}

// Forward maps videos x [N, 3, T, H, W] to logits [N, classes].
func (m *S3D) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckVideos("S3D", x, 13, 209)
	x = m.Features.Forward(x).Then(m.AvgPool.Forward).Then(m.Classifier.Forward) // [N, classes, T/8 - 1, H/32 - 6, W/32 - 6]
	return x.Then(func(x *torch.Tensor) *torch.Tensor { return x.Mean(2, 3, 4) })
}

// Forward maps [N, in, T, H, W] to [N, out, T, H, W].
func (m *inception) Forward(x *torch.Tensor) *torch.Tensor {
	var parts []*torch.Tensor
	for _, b := range []nn.Sequential{m.Branch0, m.Branch1, m.Branch2, m.Branch3} {
		y := b.Forward(x)
		defer y.Free()
		parts = append(parts, y)
	}
	return torch.Cat(parts, 1)
}
