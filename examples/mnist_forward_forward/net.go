package main

import (
	"context"
	"fmt"
	"io"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
)

// Net is layers that are trained one after the other.
type Net struct {
	Layers []*Layer
}

// NewNet returns layers with so many features from one to the next.
func NewNet(args arguments, device torch.Device, dims ...int) *Net {
	net := new(Net)
	for d := range len(dims) - 1 {
		net.Layers = append(net.Layers, NewLayer(args, device, dims[d], dims[d+1]))
	}
	return net
}

// Predict returns the labels with which the layers find the pictures best.
func (m *Net) Predict(x *torch.Tensor) *torch.Tensor { // [N, 784] → [N]
	var perLabel []*torch.Tensor
	torch.NoGrad(func() {
		for label := range 10 {
			h := overlay(x, label)
			goodness := torch.Zeros(x.Size(0)).To(x.Device())
			for _, layer := range m.Layers {
				h = layer.Forward(h)
				goodness = goodness.Add(h.PowScalar(2).Mean(1))
			}
			perLabel = append(perLabel, goodness.Unsqueeze(1))
		}
	})
	return torch.Cat(perLabel, 1).ArgMax(1)
}

// Train trains the layers on right and wrong pictures.
func (m *Net) Train(ctx context.Context, w io.Writer, pos, neg *torch.Tensor) (err error) { // [N, 784], [N, 784]
	for i, layer := range m.Layers {
		fmt.Fprintln(w, "training layer:", i)
		if pos, neg, err = layer.Train(ctx, w, pos, neg); err != nil {
			return err
		}
	}
	return nil
}

// A Layer is a nn.Linear that is trained by itself.
type Layer struct {
	nn.Linear
	opt  *optim.Optimizer
	args arguments
}

// NewLayer returns a layer with random weights.
func NewLayer(args arguments, device torch.Device, in, out int) *Layer {
	m := &Layer{Linear: *nn.NewLinear(in, out), args: args}
	nn.To(m, device)
	m.opt = optim.NewAdam(nn.Parameters(m), optim.AdamOptions{LR: args.lr})
	return m
}

// Forward multiplies the directions of the inputs by the weights.
func (m *Layer) Forward(x *torch.Tensor) *torch.Tensor { // [N, in] → [N, out]
	direction := x.Div(x.NormDim(2, 1, torch.NormOptions{KeepDim: true}).AddScalar(1e-4))
	return direction.MM(m.Weight.T()).Add(m.Bias.Unsqueeze(0)).ReLU()
}

// Train makes the mean of the squares of the outputs large for right and small for wrong inputs. It returns the outputs.
func (m *Layer) Train(ctx context.Context, w io.Writer, pos, neg *torch.Tensor) (yPos, yNeg *torch.Tensor, err error) {
	for i := range m.args.epochs {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		gPos := m.Forward(pos).PowScalar(2).Mean(1) // [N]
		gNeg := m.Forward(neg).PowScalar(2).Mean(1)
		loss := torch.Cat([]*torch.Tensor{
			gPos.Neg().AddScalar(m.args.threshold),
			gNeg.SubScalar(m.args.threshold),
		}, 0).Exp().Log1p().Mean()
		m.opt.ZeroGrad()
		loss.Backward()
		m.opt.Step()
		if i%m.args.logInterval == 0 {
			fmt.Fprintf(w, "Loss: %.9g\n", loss.Item())
		}
	}
	return m.Forward(pos).Detach(), m.Forward(neg).Detach(), nil
}
