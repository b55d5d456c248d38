// Package swin holds Swin Transformers: "Swin Transformer: Hierarchical Vision Transformer using
// Shifted Windows", https://arxiv.org/abs/2103.14030, its version 2, and those for videos.
package swin

import (
	"cmp"
	"fmt"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision's SwinTransformer and SwinTransformer3d. The zero value is
// Swin-T, without its stochastic depth of 0.2. Sizes have an element for each of height and width, or
// frames, height and width.
type Config struct {
	PatchSize        []int                        // default 4 × 4, of videos 2 × 4 × 4
	EmbedDim         int                          // features of a patch, 0 means 96
	Depths           []int                        // blocks of each stage, default 2, 2, 6, 2
	Heads            []int                        // of the attention in each stage, default 3, 6, 12, 24
	Window           []int                        // patches in a window, default 7 × 7, of version 2 8 × 8, and of videos 8 × 7 × 7
	MLPRatio         float64                      `json:"mlp_ratio" limits:"0.01,64"` // of the features inside a block's perceptron, 0 means 4
	Dropout          float64                      `json:"dropout"`
	AttentionDropout float64                      `json:"attention_dropout"`
	StochasticDepth  *float64                     // its probability in the last block, default 0.1
	NumClasses       int                          `json:"num_classes"` // 0 means 1000, of videos 400
	Norm             func(features int) nn.Module // nil means LayerNorm
	V2               bool                         // version 2, https://arxiv.org/abs/2111.09883; of pictures only
}

func init() {
	paper := [2]string{"Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", "https://arxiv.org/abs/2103.14030"}
	v2 := [2]string{"Swin Transformer V2: Scaling Up Capacity and Resolution", "https://arxiv.org/abs/2111.09883"}
	video := [2]string{"Video Swin Transformer", "https://arxiv.org/abs/2106.13230"}
	small, base := []int{2, 2, 18, 2}, []int{4, 8, 16, 32}
	models.RegisterVariants(paper[0], paper[1], New, map[string]Config{
		"swin_t": {StochasticDepth: new(0.2)},
		"swin_s": {Depths: small, StochasticDepth: new(0.3)},
		"swin_b": {EmbedDim: 128, Depths: small, Heads: base, StochasticDepth: new(0.5)},
	})
	models.RegisterVariants(v2[0], v2[1], New, map[string]Config{
		"swin_v2_t": {V2: true, StochasticDepth: new(0.2)},
		"swin_v2_s": {V2: true, Depths: small, StochasticDepth: new(0.3)},
		"swin_v2_b": {V2: true, EmbedDim: 128, Depths: small, Heads: base, StochasticDepth: new(0.5)},
	})
	models.RegisterVariants(video[0], video[1], New3d, map[string]Config{
		"swin3d_t": {},
		"swin3d_s": {Depths: small},
		"swin3d_b": {EmbedDim: 128, Depths: small, Heads: base},
	})
}

// SwinTransformer is torchvision.models.SwinTransformer.
//
// https://docs.pytorch.org/vision/stable/models/swin_transformer.html
type SwinTransformer struct {
	Features nn.Sequential // the patches, then stages with mergings in between
	Norm     nn.Module
	AvgPool  *nn.AdaptiveAvgPool2d `nn:"avgpool"`
	Head     *nn.Linear
	patch    []int
}

// SwinTransformer3d is torchvision.models.video.SwinTransformer3d.
//
// https://docs.pytorch.org/vision/stable/models/video_swin_transformer.html
type SwinTransformer3d struct {
	PatchEmbed *patchEmbed
	PosDrop    *nn.Dropout
	Features   nn.Sequential // stages with mergings in between
	Norm       nn.Module
	AvgPool    *nn.AdaptiveAvgPool3d `nn:"avgpool"`
	Head       *nn.Linear
}

// patchEmbed makes patches of a video.
type patchEmbed struct {
	Proj *nn.Conv3d
	Norm nn.Module
	size []int
}

// New builds a SwinTransformer, initialized as torchvision's is. It panics with a *torch.Error if
// the numbers do not fit together.
func New(c Config) *SwinTransformer {
	c = c.withDefaults("SwinTransformer", []int{4, 4}, []int{7, 7})
	patches := nn.Sequential{
		nn.NewConv2d(3, c.EmbedDim, c.PatchSize, nn.Conv2dOptions{Stride: c.PatchSize}),
		ops.NewPermute(0, 2, 3, 1),
		c.Norm(c.EmbedDim),
	}
	m := &SwinTransformer{Features: append(nn.Sequential{patches}, c.stages()...), AvgPool: nn.NewAdaptiveAvgPool2d(1), patch: c.PatchSize}
	m.Norm, m.Head = c.Norm(c.last()), nn.NewLinear(c.last(), cmp.Or(c.NumClasses, 1000))
	initLinear(m)
	return m
}

// New3d builds a SwinTransformer3d, initialized as torchvision's is. It panics with a *torch.Error
// if the numbers do not fit together.
func New3d(c Config) *SwinTransformer3d {
	c = c.withDefaults("SwinTransformer3d", []int{2, 4, 4}, []int{8, 7, 7})
	proj := nn.NewConv3d(3, c.EmbedDim, c.PatchSize, nn.Conv3dOptions{Stride: c.PatchSize})
	m := &SwinTransformer3d{PatchEmbed: &patchEmbed{proj, c.Norm(c.EmbedDim), c.PatchSize}, PosDrop: nn.NewDropout(c.Dropout)}
	m.Features, m.AvgPool = c.stages(), nn.NewAdaptiveAvgPool3d(1)
	m.Norm, m.Head = c.Norm(c.last()), nn.NewLinear(c.last(), cmp.Or(c.NumClasses, 400))
	initLinear(m)
	return m
}

// withDefaults returns c with the defaults filled in, except for NumClasses.
func (c Config) withDefaults(op string, patch, window []int) Config {
	fail := func(format string, args ...any) { panic(&torch.Error{Op: op, Msg: fmt.Sprintf(format, args...)}) }
	dims := len(patch)
	if c.V2 {
		window = []int{8, 8}
	}
	c.EmbedDim, c.MLPRatio, c.StochasticDepth = cmp.Or(c.EmbedDim, 96), cmp.Or(c.MLPRatio, 4), cmp.Or(c.StochasticDepth, new(0.1))
	c.PatchSize, c.Window = given(c.PatchSize, patch...), given(c.Window, window...)
	c.Depths, c.Heads = given(c.Depths, 2, 2, 6, 2), given(c.Heads, 3, 6, 12, 24)
	if c.Norm == nil {
		c.Norm = func(features int) nn.Module { return nn.NewLayerNorm(features) }
	}
	switch {
	case c.V2 && dims == 3:
		fail("there is no version 2 for videos")
	case len(c.PatchSize) != dims || len(c.Window) != dims:
		fail("the patch size %v and the window %v must have %d elements", c.PatchSize, c.Window, dims)
	case len(c.Heads) < len(c.Depths):
		fail("there are %d stages but only %d numbers of heads", len(c.Depths), len(c.Heads))
	}
	for i := range c.Depths {
		if features := c.EmbedDim << i; features%c.Heads[i] != 0 {
			fail("the %d features of stage %d are no multiple of its %d heads", features, i, c.Heads[i])
		}
	}
	return c
}

func given(v []int, standard ...int) []int {
	if v == nil {
		return standard
	}
	return v
}

// last returns the number of features of the last stage.
func (c Config) last() int { return c.EmbedDim << (len(c.Depths) - 1) }

// stages returns the stages with mergings in between.
func (c Config) stages() (s nn.Sequential) {
	total, id := 0, 0
	for _, depth := range c.Depths {
		total += depth
	}
	for i, depth := range c.Depths {
		features, stage := c.EmbedDim<<i, nn.Sequential{}
		for j := range depth {
			shift := make([]int, len(c.Window))
			for k := range shift {
				shift[k] = j % 2 * (c.Window[k] / 2)
			}
			p := *c.StochasticDepth * float64(id) / float64(max(1, total-1))
			stage = append(stage, c.block(features, c.Heads[i], shift, p))
			id++
		}
		if s = append(s, stage); i < len(c.Depths)-1 {
			s = append(s, c.merging(features))
		}
	}
	return s
}

// initLinear initializes all linear layers of a model.
func initLinear(m any) {
	for _, l := range nn.Modules(m) {
		if l, ok := l.(*nn.Linear); ok {
			nn.InitTruncNormal(l.Weight, nn.InitTruncNormalOptions{Std: new(0.02)})
			if l.Bias != nil {
				nn.InitZeros(l.Bias)
			}
		}
	}
}

// Forward maps pictures x [N, 3, H, W] to logits [N, classes].
func (m *SwinTransformer) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckPictures("SwinTransformer", x, max(m.patch[0], m.patch[1]))
	x = m.Features.Forward(x).Then(m.Norm.Forward)                         // [N, H', W', C]
	x = x.Then(ops.NewPermute(0, 3, 1, 2).Forward).Then(m.AvgPool.Forward) // [N, C, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Head.Forward)
}

// Forward maps videos x [N, 3, T, H, W] to logits [N, classes].
func (m *SwinTransformer3d) Forward(x *torch.Tensor) *torch.Tensor {
	models.CheckVideos("SwinTransformer3d", x, 1, 1)
	x = nn.Sequential{m.PatchEmbed}.Forward(x).Then(m.PosDrop.Forward).Then(m.Features.Forward).Then(m.Norm.Forward) // [N, T', H', W', C]
	x = x.Then(ops.NewPermute(0, 4, 1, 2, 3).Forward).Then(m.AvgPool.Forward)                                        // [N, C, 1, 1, 1]
	return x.Then((&nn.Flatten{}).Forward).Then(m.Head.Forward)
}

// Forward maps [N, 3, T, H, W] to patches [N, T', H', W', C].
func (m *patchEmbed) Forward(x *torch.Tensor) *torch.Tensor {
	y := padded(x, padding(x.Shape()[2:], m.size), false)
	if y != x {
		defer y.Free()
	}
	return m.Proj.Forward(y).Then(ops.NewPermute(0, 2, 3, 4, 1).Forward).Then(m.Norm.Forward)
}
