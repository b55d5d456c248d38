package main

import (
	"context"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/vgg"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Vgg16 has the parts of a VGG-16 whose outputs are compared. It is not trained.
type Vgg16 struct {
	Slice1, Slice2, Slice3, Slice4 nn.Sequential
}

// NewVgg16 returns a network with these weights: a name, a file, or none for random ones.
func NewVgg16(ctx context.Context, weights string) (*Vgg16, error) {
	var net *vgg.VGG
	if weights == "none" {
		var err error
		if net, err = models.New[*vgg.VGG]("vgg16"); err != nil {
			return nil, err
		}
	} else {
		model, err := hub.Load(ctx, "pytorch/vision", "vgg16", hub.WithWeights(weights))
		if err != nil {
			return nil, err
		}
		net = model.Module().(*vgg.VGG)
	}
	nn.Train(net)
	nn.RequireGrad(net, false)
	f := net.Features
	return &Vgg16{Slice1: f[:4], Slice2: f[4:9], Slice3: f[9:16], Slice4: f[16:23]}, nil
}

// vggOutputs are features of pictures.
type vggOutputs struct {
	relu1_2, relu2_2, relu3_3, relu4_3 *torch.Tensor
}

func (o vggOutputs) all() []*torch.Tensor {
	return []*torch.Tensor{o.relu1_2, o.relu2_2, o.relu3_3, o.relu4_3}
}

// Forward returns the features of pictures that were normalized.
func (m *Vgg16) Forward(x *torch.Tensor) (out vggOutputs) { // [N, 3, H, W]
	out.relu1_2 = m.Slice1.Forward(x)
	out.relu2_2 = m.Slice2.Forward(out.relu1_2)
	out.relu3_3 = m.Slice3.Forward(out.relu2_2)
	out.relu4_3 = m.Slice4.Forward(out.relu3_3)
	return out
}
