// Package raft holds RAFT, for optical flow: "RAFT: Recurrent All Pairs Field Transforms for Optical
// Flow", https://arxiv.org/abs/2003.12039.
package raft

import (
	"cmp"
	"fmt"
	"math"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// Config describes a RAFT: the arguments of the builders in torchvision.models.optical_flow. The zero
// value is raft_large.
type Config struct {
	FeatureLayers  [5]int   // channels of the encoder of both pictures, 0 means 64, 64, 96, 128, 256
	ContextLayers  [5]int   // channels of the encoder of the first picture, 0 means the same
	Bottleneck     bool     // blocks of three convolutions in place of two, in both encoders
	NoContextNorm  bool     // no batch normalization in the encoder of the first picture
	Levels, Radius int      // of the correlation, 0 means 4
	CorrLayers     []int    // channels of one or two convolutions of the correlation, nil means 256, 192
	FlowLayers     [2]int   // channels of the convolutions of the flow, 0 means 128, 64
	MotionChannels int      // channels of both together, 0 means 128
	Hidden         int      // channels of the hidden state, 0 means 128
	Kernels        [][2]int // of the recurrent units, of which there are one or two; nil means 1 × 5 and 5 × 1
	FlowHidden     int      // channels inside the head, 0 means 256
	NoMask         bool     // resize the flow by interpolation
}

func init() {
	models.RegisterVariants("RAFT: Recurrent All Pairs Field Transforms for Optical Flow", "https://arxiv.org/abs/2003.12039", New, map[string]Config{
		"raft_large": {},
		"raft_small": {
			FeatureLayers: [5]int{32, 32, 64, 96, 128}, ContextLayers: [5]int{32, 32, 64, 96, 160}, Bottleneck: true, NoContextNorm: true, Radius: 3,
			CorrLayers: []int{96}, FlowLayers: [2]int{64, 32}, MotionChannels: 82, Hidden: 96, Kernels: [][2]int{{3, 3}}, FlowHidden: 128, NoMask: true,
		},
	})
}

// RAFT is torchvision.models.optical_flow.RAFT.
//
// https://docs.pytorch.org/vision/stable/models/raft.html
type RAFT struct {
	FeatureEncoder, ContextEncoder *encoder
	UpdateBlock                    *updateBlock
	MaskPredictor                  *maskPredictor // nil without
	levels, radius                 int
}

// New builds a RAFT, initialized as torchvision's is. It panics with a *torch.Error if the numbers do
// not fit together.
func New(c Config) *RAFT {
	c = c.withDefaults()
	instance := func(channels int) nn.Module { return nn.NewInstanceNorm2d(channels) }
	batch := func(channels int) nn.Module { return nn.NewBatchNorm2d(channels) }
	if c.NoContextNorm {
		batch = nil
	}
	m := &RAFT{levels: c.Levels, radius: c.Radius}
	m.FeatureEncoder, m.ContextEncoder = c.encoder(c.FeatureLayers, instance), c.encoder(c.ContextLayers, batch)
	m.UpdateBlock = c.updateBlock()
	if !c.NoMask {
		m.MaskPredictor = &maskPredictor{conv(nil, c.Hidden, 256, 3, 1, true), nn.NewConv2d(256, 8*8*9, 1)}
	}
	return m
}

// withDefaults returns c with the defaults filled in.
func (c Config) withDefaults() Config {
	c.FeatureLayers = cmp.Or(c.FeatureLayers, [5]int{64, 64, 96, 128, 256})
	c.ContextLayers = cmp.Or(c.ContextLayers, c.FeatureLayers)
	c.Levels, c.Radius, c.MotionChannels = cmp.Or(c.Levels, 4), cmp.Or(c.Radius, 4), cmp.Or(c.MotionChannels, 128)
	c.FlowLayers, c.Hidden, c.FlowHidden = cmp.Or(c.FlowLayers, [2]int{128, 64}), cmp.Or(c.Hidden, 128), cmp.Or(c.FlowHidden, 256)
	if c.CorrLayers == nil {
		c.CorrLayers = []int{256, 192}
	}
	if c.Kernels == nil {
		c.Kernels = [][2]int{{1, 5}, {5, 1}}
	}
	switch n, k := len(c.CorrLayers), len(c.Kernels); {
	case n < 1 || n > 2 || k < 1 || k > 2:
		fail("there are %d CorrLayers and %d Kernels; give one or two", n, k)
	case c.ContextLayers[4] <= c.Hidden:
		fail("the %d channels of the context are not more than the %d of the hidden state", c.ContextLayers[4], c.Hidden)
	}
	return c
}

func fail(format string, args ...any) {
	panic(&torch.Error{Op: "RAFT", Msg: fmt.Sprintf(format, args...)})
}

// Forward estimates how far each pixel of the first pictures [N, 3, H, W] moves to the second ones. Each
// update of the flow gives one of the results, of which the last is the best: [N, 2, H, W], by x and y, in
// pixels. Sides must be multiples of 8 and, with the default levels, at least 128.
func (m *RAFT) Forward(first, second *torch.Tensor, options ...models.FlowOptions) (flows []*torch.Tensor) {
	least := 8 * 2 << (m.levels - 1)
	switch s := first.Shape(); {
	case !first.SameShape(second) || len(s) != 4 || s[1] != 3:
		fail("the inputs are %v and %v; give two batches of pictures [N, 3, H, W] of the same shape", s, second.Shape())
	case s[2]%8+s[3]%8 != 0 || min(s[2], s[3]) < least:
		fail("the pictures are %d×%d pixels; give pictures whose sides are multiples of 8 and at least %d", s[3], s[2], least)
	}
	updates := cmp.Or(torch.Only(options).Updates, 12)
	torch.Scope(func() {
		features := torch.Cat([]*torch.Tensor{first, second}, 0).Then(nn.Sequential{m.FeatureEncoder}.Forward).Chunk(2) // [N, C, H/8, W/8]
		pyramid := m.pyramid(features[0], features[1])
		context := nn.Call(m.ContextEncoder, first)
		hidden := m.UpdateBlock.RecurrentBlock.ConvGRU1.ConvZ.Bias.Size(0)
		state := context.Narrow(1, 0, hidden).Tanh()
		context = context.Narrow(1, hidden, context.Size(1)-hidden).ReLU()
		start := grid(first.Size(0), first.Size(2)/8, first.Size(3)/8).To(first.Device())
		at := start
		for range updates {
			torch.Scope(func() {
				at = at.Detach() // gradients do not flow from one update to the one before
				var delta *torch.Tensor
				state, delta = m.UpdateBlock.forward(state, context, m.correlation(pyramid, at), at.Sub(start))
				at = at.Add(delta)
				flow := at.Sub(start)
				if m.MaskPredictor != nil {
					flow = upsample(flow, nn.Call(m.MaskPredictor, state))
				} else {
					flow = F.Interpolate(flow, F.InterpolateOptions{Size: []int{first.Size(2), first.Size(3)}, Mode: "bilinear", AlignCorners: true}).MulScalar(8)
				}
				torch.Keep(state)
				torch.Keep(at)
				flows = append(flows, torch.Keep(flow))
			})
		}
		for _, f := range flows {
			torch.Keep(f)
		}
	})
	return flows
}

// pyramid returns the products of all pairs of features, at several resolutions of the second ones
// [N·H/8·W/8, 1, h, w].
func (m *RAFT) pyramid(first, second *torch.Tensor) []*torch.Tensor {
	n, c, h, w := first.Size(0), first.Size(1), first.Size(2), first.Size(3)
	products := first.Reshape(n, c, h*w).Transpose(1, 2).MatMul(second.Reshape(n, c, h*w))
	all := []*torch.Tensor{products.Then(func(x *torch.Tensor) *torch.Tensor { return x.DivScalar(math.Sqrt(float64(c))) }).Reshape(n*h*w, 1, h, w)}
	for i := range m.levels - 1 {
		all = append(all, F.AvgPool2d(all[i], 2))
	}
	return all
}

// correlation returns the products around the points [N, 2, h, w] in all levels [N, levels·(2·radius + 1)², h, w].
func (m *RAFT) correlation(pyramid []*torch.Tensor, at *torch.Tensor) *torch.Tensor {
	n, h, w, side := at.Size(0), at.Size(2), at.Size(3), 2*m.radius+1
	delta := make([]float32, 0, 2*side*side)
	for i := range side {
		for j := range side {
			delta = append(delta, float32(i-m.radius), float32(j-m.radius))
		}
	}
	around := torch.FromSlice(delta, 1, side, side, 2).To(at.Device())
	center := at.Permute(0, 2, 3, 1).Reshape(n*h*w, 1, 1, 2)
	var levels []*torch.Tensor
	for _, p := range pyramid {
		points := center.Add(around).Unbind(-1)
		scaled := func(x *torch.Tensor, size int) *torch.Tensor {
			return x.MulScalar(2).DivScalar(size - 1).SubScalar(1)
		}
		g := torch.Stack([]*torch.Tensor{scaled(points[0], p.Size(3)), scaled(points[1], p.Size(2))}, -1)
		levels = append(levels, F.GridSample(p, g, F.GridSampleOptions{AlignCorners: true}).View(n, h, w, -1))
		center = center.DivScalar(2)
	}
	return torch.Cat(levels, -1).Permute(0, 3, 1, 2).Contiguous()
}

// grid returns the coordinates of pixels, x and y [n, 2, h, w].
func grid(n, h, w int) *torch.Tensor {
	y, x := make([]float32, 0, h*w), make([]float32, 0, h*w)
	for i := range h {
		for j := range w {
			y, x = append(y, float32(i)), append(x, float32(j))
		}
	}
	return torch.FromSlice(append(x, y...), 1, 2, h, w).Repeat(n, 1, 1, 1)
}

// upsample returns the flow [N, 2, h, w] at eight times the size, each pixel a weighted mean of nine neighbors.
func upsample(flow, mask *torch.Tensor) *torch.Tensor {
	n, h, w := flow.Size(0), flow.Size(2), flow.Size(3)
	mask = mask.View(n, 1, 9, 8, 8, h, w).Softmax(2)
	flow = F.Unfold(flow.MulScalar(8), 3, F.UnfoldOptions{Padding: 1}).View(n, 2, 9, 1, 1, h, w)
	return mask.Mul(flow).Sum(2).Permute(0, 1, 4, 2, 5, 3).Reshape(n, 2, 8*h, 8*w)
}
