package raft

import (
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

type norm = func(channels int) nn.Module

// conv returns a convolution with a bias, perhaps a normalization, and perhaps ReLU.
func conv(n norm, in, out int, kernel torch.Ints, stride int, relu bool) nn.Sequential {
	return ops.NewConv2dNormActivation(in, out, ops.ConvNormActivationOptions{
		Kernel: kernel, Stride: stride, Norm: n, NoNorm: n == nil, NoActivation: !relu, Bias: new(true),
	})
}

// encoder maps pictures to features of an eighth of the size.
type encoder struct {
	ConvNormReLU           nn.Sequential `nn:"convnormrelu"`
	Layer1, Layer2, Layer3 nn.Sequential
	Conv                   *nn.Conv2d
}

func (c Config) encoder(layers [5]int, n norm) *encoder {
	m := &encoder{ConvNormReLU: conv(n, 3, layers[0], 7, 2, true)}
	for i, l := range []*nn.Sequential{&m.Layer1, &m.Layer2, &m.Layer3} {
		stride := 2
		if i == 0 {
			stride = 1
		}
		*l = nn.Sequential{c.block(n, layers[i], layers[i+1], stride), c.block(n, layers[i+1], layers[i+1], 1)}
	}
	m.Conv = nn.NewConv2d(layers[3], layers[4], 1)
	for _, l := range nn.Modules(m) {
		if l, ok := l.(*nn.Conv2d); ok {
			nn.InitKaimingNormal(l.Weight, nn.InitKaimingOptions{Mode: "fan_out", Nonlinearity: "relu"})
		}
	}
	return m
}

// Forward maps [N, 3, H, W] to [N, C, H/8, W/8].
func (m *encoder) Forward(x *torch.Tensor) *torch.Tensor {
	return m.ConvNormReLU.Forward(x).Then(m.Layer1.Forward).Then(m.Layer2.Forward).Then(m.Layer3.Forward).Then(m.Conv.Forward)
}

// block is a residual block, of two convolutions or, a bottleneck, three.
type block struct {
	ConvNormReLU1 nn.Sequential `nn:"convnormrelu1"`
	ConvNormReLU2 nn.Sequential `nn:"convnormrelu2"`
	ConvNormReLU3 nn.Sequential `nn:"convnormrelu3"` // nil without
	Downsample    nn.Sequential // nil without
}

func (c Config) block(n norm, in, out, stride int) *block {
	m := &block{}
	if c.Bottleneck {
		m.ConvNormReLU1 = conv(n, in, out/4, 1, 1, true)
		m.ConvNormReLU2 = conv(n, out/4, out/4, 3, stride, true)
		m.ConvNormReLU3 = conv(n, out/4, out, 1, 1, true)
	} else {
		m.ConvNormReLU1 = conv(n, in, out, 3, stride, true)
		m.ConvNormReLU2 = conv(n, out, out, 3, 1, true)
	}
	if stride != 1 {
		m.Downsample = conv(n, in, out, 1, stride, false)
	}
	return m
}

// Forward maps [N, in, H, W] to [N, out, H/stride, W/stride].
func (m *block) Forward(x *torch.Tensor) *torch.Tensor {
	y := m.ConvNormReLU1.Forward(x).Then(m.ConvNormReLU2.Forward)
	if m.ConvNormReLU3 != nil {
		y = y.Then(m.ConvNormReLU3.Forward)
	}
	defer y.Free()
	if m.Downsample != nil {
		x = m.Downsample.Forward(x)
		defer x.Free()
	}
	return x.Add(y).ReLUInPlace()
}

// updateBlock improves a flow.
type updateBlock struct {
	MotionEncoder  *motionEncoder
	RecurrentBlock *recurrentBlock
	FlowHead       *flowHead
}

type motionEncoder struct {
	ConvCorr1 nn.Sequential `nn:"convcorr1"`
	ConvCorr2 nn.Sequential `nn:"convcorr2"` // nil without
	ConvFlow1 nn.Sequential `nn:"convflow1"`
	ConvFlow2 nn.Sequential `nn:"convflow2"`
	Conv      nn.Sequential
}

type recurrentBlock struct {
	ConvGRU1 *convGRU `nn:"convgru1"`
	ConvGRU2 *convGRU `nn:"convgru2"` // nil without
}

type convGRU struct {
	ConvZ *nn.Conv2d `nn:"convz"`
	ConvR *nn.Conv2d `nn:"convr"`
	ConvQ *nn.Conv2d `nn:"convq"`
}

type flowHead struct{ Conv1, Conv2 *nn.Conv2d }

// maskPredictor weights the neighbors of each pixel.
type maskPredictor struct {
	ConvReLU nn.Sequential `nn:"convrelu"`
	Conv     *nn.Conv2d
}

func (c Config) updateBlock() *updateBlock {
	corr := c.Levels * (2*c.Radius + 1) * (2*c.Radius + 1)
	m := &motionEncoder{ConvCorr1: conv(nil, corr, c.CorrLayers[0], 1, 1, true)}
	if len(c.CorrLayers) == 2 {
		m.ConvCorr2 = conv(nil, c.CorrLayers[0], c.CorrLayers[1], 3, 1, true)
	}
	m.ConvFlow1 = conv(nil, 2, c.FlowLayers[0], 7, 1, true)
	m.ConvFlow2 = conv(nil, c.FlowLayers[0], c.FlowLayers[1], 3, 1, true)
	m.Conv = conv(nil, c.CorrLayers[len(c.CorrLayers)-1]+c.FlowLayers[1], c.MotionChannels-2, 3, 1, true)
	gru := func(kernel [2]int) *convGRU {
		in := c.MotionChannels + c.ContextLayers[4] // with the state, which is a part of the context's encoder
		gate := func() *nn.Conv2d {
			return nn.NewConv2d(in, c.Hidden, kernel[:], nn.Conv2dOptions{Padding: []int{kernel[0] / 2, kernel[1] / 2}})
		}
		return &convGRU{gate(), gate(), gate()}
	}
	r := &recurrentBlock{ConvGRU1: gru(c.Kernels[0])}
	if len(c.Kernels) == 2 {
		r.ConvGRU2 = gru(c.Kernels[1])
	}
	three := nn.Conv2dOptions{Padding: 1}
	return &updateBlock{m, r, &flowHead{nn.NewConv2d(c.Hidden, c.FlowHidden, 3, three), nn.NewConv2d(c.FlowHidden, 2, 3, three)}}
}

// forward returns the new state and the change of the flow, of a state, a context, correlations and a flow [N, *, h, w].
func (m *updateBlock) forward(state, context, correlation, flow *torch.Tensor) (newState, delta *torch.Tensor) {
	x := torch.Cat([]*torch.Tensor{context, m.MotionEncoder.forward(flow, correlation)}, 1)
	state = m.RecurrentBlock.ConvGRU1.forward(state, x)
	if m.RecurrentBlock.ConvGRU2 != nil {
		state = m.RecurrentBlock.ConvGRU2.forward(state, x)
	}
	return state, m.FlowHead.Conv1.Forward(state).ReLUInPlace().Then(m.FlowHead.Conv2.Forward)
}

// forward returns features of a flow and of correlations [N, MotionChannels, h, w].
func (m *motionEncoder) forward(flow, correlation *torch.Tensor) *torch.Tensor {
	corr := m.ConvCorr1.Forward(correlation)
	if m.ConvCorr2 != nil {
		corr = corr.Then(m.ConvCorr2.Forward)
	}
	both := torch.Cat([]*torch.Tensor{corr, m.ConvFlow1.Forward(flow).Then(m.ConvFlow2.Forward)}, 1)
	return torch.Cat([]*torch.Tensor{both.Then(m.Conv.Forward), flow}, 1)
}

// forward returns the new state for an input x.
func (m *convGRU) forward(state, x *torch.Tensor) *torch.Tensor {
	both := torch.Cat([]*torch.Tensor{state, x}, 1)
	z, r := m.ConvZ.Forward(both).Sigmoid(), m.ConvR.Forward(both).Sigmoid()
	q := m.ConvQ.Forward(torch.Cat([]*torch.Tensor{r.Mul(state), x}, 1)).Tanh()
	return z.Neg().AddScalar(1).Mul(state).Add(z.Mul(q))
}

// Forward maps a state to weights [N, 8·8·9, h, w].
func (m *maskPredictor) Forward(x *torch.Tensor) *torch.Tensor {
	return m.ConvReLU.Forward(x).Then(m.Conv.Forward).MulScalar(0.25)
}
