// Package mvit holds Multiscale Vision Transformers, for videos: "Multiscale Vision Transformers",
// https://arxiv.org/abs/2104.11227, and their version 2, https://arxiv.org/abs/2112.01526.
package mvit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision.models.video.MViT. Without Blocks it is MViT v1 B, without
// its stochastic depth of 0.2.
type Config struct {
	SpatialSize      [2]int `json:"spatial_size" limits:"1,4096"`  // height and width of the videos, 0 means 224
	TemporalSize     int    `json:"temporal_size" limits:"1,4096"` // frames of the videos, 0 means 16
	Blocks           []Block
	ResidualPool     bool                         // add the pooled queries to the output of an attention, as in version 2
	ResidualClass    bool                         // with those of the class token: residual_with_cls_embed
	RelPosEmbed      bool                         `json:"rel_pos_embed"`   // relative positions, as in version 2
	ProjAfterAttn    bool                         `json:"proj_after_attn"` // change the number of channels in the attention, as in version 2
	Dropout          *float64                     `json:"dropout"`         // before the last layer, default 0.5
	AttentionDropout float64                      `json:"attention_dropout"`
	StochasticDepth  float64                      `json:"stochastic_depth_prob"` // its probability in the last block
	NumClasses       int                          `json:"num_classes"`           // 0 means 400
	Norm             func(channels int) nn.Module // nil means LayerNorm with an eps of 1e-6
	PatchKernel      [3]int                       `json:"patch_embed_kernel" limits:"1,64"`  // 0 means 3, 7, 7
	PatchStride      [3]int                       `json:"patch_embed_stride" limits:"1,64"`  // 0 means 2, 4, 4
	PatchPadding     *[3]int                      `json:"patch_embed_padding" limits:"0,64"` // default 1, 3, 3
}

// A Block is torchvision's MSBlockConfig. Without a kernel and a stride there is no pooling.
type Block struct {
	Heads, In, Out    int
	KernelQ, KernelKV []int // of the pooling, over frames, height and width
	StrideQ, StrideKV []int
}

func init() {
	v1, v2 := Config{Blocks: blocks(1), StochasticDepth: 0.2}, Config{Blocks: blocks(2), StochasticDepth: 0.2}
	v2.ResidualPool, v2.RelPosEmbed, v2.ProjAfterAttn = true, true, true
	models.RegisterVariants("Multiscale Vision Transformers", "https://arxiv.org/abs/2104.11227", New, map[string]Config{"mvit_v1_b": v1})
	models.RegisterVariants("MViTv2: Improved Multiscale Vision Transformers for Classification and Detection", "https://arxiv.org/abs/2112.01526",
		New, map[string]Config{"mvit_v2_s": v2})
}

// blocks returns the blocks of MViT v1 B or v2 S.
func blocks(version int) []Block {
	repeat := slices.Repeat[[]int]
	heads := slices.Concat([]int{1, 2, 2}, repeat([]int{4}, 11), []int{8, 8})
	strides := slices.Concat([]int{8, 4, 4}, repeat([]int{2}, 11), []int{1, 1})
	channels := slices.Concat([]int{96, 192, 192}, repeat([]int{384}, 11), []int{768, 768, 768})
	if version == 2 {
		channels = slices.Concat([]int{96, 96, 192, 192}, repeat([]int{384}, 11), []int{768, 768})
	}
	all := make([]Block, 16)
	for i := range all {
		kernel := []int{3, 3, 3}
		all[i] = Block{Heads: heads[i], In: channels[i], Out: channels[i+1], KernelKV: kernel, StrideKV: []int{1, strides[i], strides[i]}}
		switch {
		case i == 1 || i == 3 || i == 14:
			all[i].KernelQ, all[i].StrideQ = kernel, []int{1, 2, 2}
		case version == 2:
			all[i].KernelQ, all[i].StrideQ = kernel, []int{1, 1, 1}
		}
	}
	return all
}

// MViT is torchvision.models.video.MViT.
//
// https://docs.pytorch.org/vision/stable/models/video_mvit.html
type MViT struct {
	ConvProj    *nn.Conv3d
	PosEncoding *posEncoding
	Blocks      []*block
	Norm        nn.Module
	Head        nn.Sequential

	c Config
}

// posEncoding adds the class token and, unless positions are relative, the positions.
type posEncoding struct {
	ClassToken  *torch.Tensor // [C]
	SpatialPos  *torch.Tensor // [H'·W', C], nil without
	TemporalPos *torch.Tensor // [T', C], nil without
	ClassPos    *torch.Tensor // [C], nil without
	size        [3]int        // T', H', W'
}

// New builds an MViT, initialized as torchvision's is. It panics with a *torch.Error if the numbers
// do not fit together.
func New(c Config) *MViT {
	c = c.withDefaults()
	first, last := c.Blocks[0].In, c.Blocks[len(c.Blocks)-1].Out
	m := &MViT{c: c}
	m.ConvProj = nn.NewConv3d(3, first, c.PatchKernel[:], nn.Conv3dOptions{Stride: c.PatchStride[:], Padding: c.PatchPadding[:]})
	size := [3]int{c.TemporalSize, c.SpatialSize[0], c.SpatialSize[1]}
	for i, stride := range c.PatchStride {
		size[i] /= stride
	}
	m.PosEncoding = &posEncoding{ClassToken: parameter(first), size: size}
	if !c.RelPosEmbed {
		m.PosEncoding.SpatialPos, m.PosEncoding.TemporalPos, m.PosEncoding.ClassPos = parameter(size[1]*size[2], first), parameter(size[0], first), parameter(first)
	}
	for i, b := range c.Blocks {
		depth := c.StochasticDepth * float64(i) / float64(max(1, len(c.Blocks)-1))
		m.Blocks = append(m.Blocks, c.block(b, size, depth))
		for i, stride := range b.StrideQ {
			size[i] /= stride
		}
	}
	m.Norm = c.Norm(last)
	m.Head = nn.Sequential{nn.NewDropout(*c.Dropout), nn.NewLinear(last, cmp.Or(c.NumClasses, 400))}
	for _, l := range nn.Modules(m) {
		switch l := l.(type) {
		case *nn.Linear:
			truncNormal(l.Weight)
			nn.InitZeros(l.Bias)
		case *posEncoding:
			for _, p := range nn.Parameters(l) {
				truncNormal(p)
			}
		}
	}
	return m
}

// withDefaults returns c with the defaults filled in, except for NumClasses.
func (c Config) withDefaults() Config {
	if c.Blocks == nil {
		c.Blocks = blocks(1)
	}
	c.SpatialSize = cmp.Or(c.SpatialSize, [2]int{224, 224})
	c.TemporalSize, c.Dropout = cmp.Or(c.TemporalSize, 16), cmp.Or(c.Dropout, new(0.5))
	c.PatchKernel, c.PatchStride = cmp.Or(c.PatchKernel, [3]int{3, 7, 7}), cmp.Or(c.PatchStride, [3]int{2, 4, 4})
	c.PatchPadding = cmp.Or(c.PatchPadding, &[3]int{1, 3, 3})
	if c.Norm == nil {
		c.Norm = func(channels int) nn.Module { return nn.NewLayerNorm(channels, nn.LayerNormOptions{Eps: new(1e-6)}) }
	}
	if len(c.Blocks) == 0 {
		fail("there are no blocks")
	}
	for i, b := range c.Blocks {
		out := b.In
		if c.ProjAfterAttn {
			out = b.Out
		}
		if b.Heads < 1 || out%b.Heads != 0 {
			fail("the %d heads of block %d do not divide its %d channels", b.Heads, i, out)
		}
	}
	return c
}

func fail(format string, args ...any) {
	panic(&torch.Error{Op: "MViT", Msg: fmt.Sprintf(format, args...)})
}

// parameter makes a parameter, which the caller initializes.
func parameter(shape ...int) *torch.Tensor { return torch.Empty(shape...).RequireGrad(true) }

func truncNormal(x *torch.Tensor) {
	nn.InitTruncNormal(x, nn.InitTruncNormalOptions{Std: new(0.02)})
}

// Forward maps videos x [N, 3, TemporalSize, SpatialSize[0], SpatialSize[1]] to logits [N, classes]. It takes
// pictures [N, 3, H, W] as videos of one frame, which TemporalSize must allow.
func (m *MViT) Forward(x *torch.Tensor) *torch.Tensor {
	shape := x.Shape()
	if x.Dim() == 4 {
		x = x.Unsqueeze(2)
		defer x.Free()
	}
	patches := func(i int) bool {
		return (x.Size(2+i)+2*m.c.PatchPadding[i]-m.c.PatchKernel[i])/m.c.PatchStride[i]+1 == m.PosEncoding.size[i]
	}
	switch s := m.c.SpatialSize; {
	case x.Dim() != 5 || x.Size(1) != 3:
		fail("the input is %v; give a batch of videos [N, 3, %d, %d, %d]", shape, m.c.TemporalSize, s[0], s[1])
	case !patches(0):
		fail("the number of frames is %d; give %d", x.Size(2), m.c.TemporalSize)
	case !patches(1) || !patches(2):
		fail("the frames are %d×%d pixels; give %d×%d", x.Size(4), x.Size(3), s[1], s[0])
	}
	x = m.ConvProj.Forward(x).Then(func(x *torch.Tensor) *torch.Tensor {
		return x.Flatten(2).Transpose(1, 2) // [N, T'·H'·W', C]
	}).Then(nn.Sequential{m.PosEncoding}.Forward)
	size := m.PosEncoding.size
	for _, b := range m.Blocks {
		x = x.Then(func(x *torch.Tensor) (y *torch.Tensor) {
			torch.Scope(func() {
				y, size = b.forward(x, size)
				torch.Keep(y)
			})
			return y
		})
	}
	return x.Then(m.Norm.Forward).Then(func(x *torch.Tensor) *torch.Tensor {
		return x.Select(1, 0) // [N, C]
	}).Then(m.Head.Forward)
}

// Forward maps [N, T'·H'·W', C] to [N, 1 + T'·H'·W', C].
func (m *posEncoding) Forward(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		y = torch.Cat([]*torch.Tensor{m.ClassToken.Expand(x.Size(0), -1).Unsqueeze(1), x}, 1)
		if m.SpatialPos != nil {
			patches := m.TemporalPos.RepeatInterleave(m.size[1]*m.size[2], torch.RepeatInterleaveOptions{Dim: new(0)}).Add(m.SpatialPos.Repeat(m.size[0], 1))
			y = y.Add(torch.Cat([]*torch.Tensor{m.ClassPos.Unsqueeze(0), patches}, 0))
		}
		torch.Keep(y)
	})
	return y
}
