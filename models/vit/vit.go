// Package vit holds Vision Transformers: "An Image is Worth 16x16 Words: Transformers for
// Image Recognition at Scale", https://arxiv.org/abs/2010.11929.
package vit

import (
	"cmp"
	"fmt"
	"math"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// Config has the arguments of torchvision.models.VisionTransformer. The zero value is ViT-B/16.
type Config struct {
	ImageSize          int                          `json:"image_size" limits:"1,8192"` // both sides of the pictures, a multiple of PatchSize; 0 means 224
	PatchSize          int                          // both sides of the patches, 0 means 16
	Layers             int                          // 0 means 12
	Heads              int                          // of the attention, 0 means 12
	Hidden             int                          // features of a patch, a multiple of Heads; 0 means 768
	MLP                int                          // features inside a layer's perceptron, 0 means 3072
	Dropout            float64                      `json:"dropout"`
	AttentionDropout   float64                      `json:"attention_dropout"`
	NumClasses         int                          `json:"num_classes"`         // 0 means 1000
	RepresentationSize int                          `json:"representation_size"` // features of a layer before the last one; 0 means that there is none
	Norm               func(features int) nn.Module // nil means LayerNorm with an eps of 1e-6
	ConvStem           []ConvStem                   // convolutions before the patches, https://arxiv.org/abs/2106.14881
}

// A ConvStem is a convolution of the stem: torchvision's ConvStemConfig.
type ConvStem struct {
	Out, Kernel, Stride int
	Norm                func(channels int) nn.Module // nil means batch normalization
	Activation          func() nn.Module             // nil means ReLU
}

func init() {
	for name, c := range map[string]Config{
		"vit_b_16": {},
		"vit_b_32": {PatchSize: 32},
		"vit_l_16": {Layers: 24, Heads: 16, Hidden: 1024, MLP: 4096},
		"vit_l_32": {PatchSize: 32, Layers: 24, Heads: 16, Hidden: 1024, MLP: 4096},
		"vit_h_14": {PatchSize: 14, Layers: 32, Heads: 16, Hidden: 1280, MLP: 5120},
	} {
		trained := func(w *models.Weights) Config { // SWAG's are for larger pictures
			c := c
			c.ImageSize = w.MinSize[0]
			return c
		}
		models.Register(models.Entry{
			Name: name, Repo: models.Vision, Title: "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", Paper: "https://arxiv.org/abs/2010.11929",
			Build: func() any { return New(c) }, Configure: models.Configurer(c, New),
			BuildFor: func(w *models.Weights) any { return New(trained(w)) },
			ConfigureFor: func(w *models.Weights, arguments []byte) (func() any, error) {
				return models.Configurer(trained(w), New)(arguments)
			},
		})
	}
}

// VisionTransformer is torchvision.models.VisionTransformer.
//
// https://docs.pytorch.org/vision/stable/models/vision_transformer.html
type VisionTransformer struct {
	ClassToken *torch.Tensor // [1, 1, Hidden]
	ConvProj   nn.Module     // a Conv2d or, with a ConvStem, a SequentialDict
	Encoder    *encoder
	Heads      nn.SequentialDict
	imageSize  int
}

type encoder struct {
	PosEmbedding *torch.Tensor // [1, patches + 1, Hidden]
	Dropout      *nn.Dropout
	Layers       nn.SequentialDict
	LN           nn.Module
}

type encoderBlock struct {
	LN1           nn.Module `nn:"ln_1"`
	SelfAttention *nn.MultiheadAttention
	Dropout       *nn.Dropout
	LN2           nn.Module `nn:"ln_2"`
	MLP           *mlpBlock
}

// mlpBlock is a perceptron, whose layers had other names in version 1.
type mlpBlock struct{ nn.Sequential }

// New builds a VisionTransformer, initialized as torchvision's is. It panics with a
// *torch.Error if PatchSize does not divide ImageSize, or Heads does not divide Hidden.
func New(c Config) *VisionTransformer {
	c.ImageSize, c.PatchSize = cmp.Or(c.ImageSize, 224), cmp.Or(c.PatchSize, 16)
	c.Layers, c.Heads, c.Hidden, c.MLP = cmp.Or(c.Layers, 12), cmp.Or(c.Heads, 12), cmp.Or(c.Hidden, 768), cmp.Or(c.MLP, 3072)
	if c.ImageSize%c.PatchSize != 0 {
		fail("the image size %d is no multiple of the patch size %d", c.ImageSize, c.PatchSize)
	}
	if c.Norm == nil {
		c.Norm = func(features int) nn.Module { return nn.NewLayerNorm(features, nn.LayerNormOptions{Eps: new(1e-6)}) }
	}
	m := &VisionTransformer{imageSize: c.ImageSize}
	m.ConvProj = c.stem()
	m.ClassToken = torch.Zeros(1, 1, c.Hidden).RequireGrad(true)
	side := c.ImageSize / c.PatchSize
	m.Encoder = &encoder{PosEmbedding: torch.Empty(1, side*side+1, c.Hidden), Dropout: nn.NewDropout(c.Dropout)}
	nn.InitNormal(m.Encoder.PosEmbedding, 0, 0.02)
	m.Encoder.PosEmbedding.RequireGrad(true)
	for i := range c.Layers {
		m.Encoder.Layers = append(m.Encoder.Layers, nn.Child{Name: fmt.Sprint("encoder_layer_", i), Module: c.block()})
	}
	m.Encoder.LN = c.Norm(c.Hidden)
	in := c.Hidden
	if c.RepresentationSize > 0 {
		m.Heads = nn.SequentialDict{{Name: "pre_logits", Module: nn.NewLinear(in, c.RepresentationSize)}, {Name: "act", Module: &nn.Tanh{}}}
		in = c.RepresentationSize
	}
	head := nn.NewLinear(in, cmp.Or(c.NumClasses, 1000))
	m.Heads = append(m.Heads, nn.Child{Name: "head", Module: head})

	switch p := m.ConvProj.(type) {
	case *nn.Conv2d:
		nn.InitTruncNormal(p.Weight, nn.InitTruncNormalOptions{Std: new(math.Sqrt(1 / float64(3*c.PatchSize*c.PatchSize)))})
		nn.InitZeros(p.Bias)
	case nn.SequentialDict:
		last := p.Get("conv_last").(*nn.Conv2d)
		nn.InitNormal(last.Weight, 0, math.Sqrt(2/float64(c.Hidden)))
		nn.InitZeros(last.Bias)
	}
	if p, ok := m.Heads.Get("pre_logits").(*nn.Linear); ok {
		nn.InitTruncNormal(p.Weight, nn.InitTruncNormalOptions{Std: new(math.Sqrt(1 / float64(c.Hidden)))})
		nn.InitZeros(p.Bias)
	}
	nn.InitZeros(head.Weight)
	nn.InitZeros(head.Bias)
	return m
}

func fail(format string, args ...any) {
	panic(&torch.Error{Op: "VisionTransformer", Msg: fmt.Sprintf(format, args...)})
}

// stem maps pictures to patches.
func (c Config) stem() nn.Module {
	if c.ConvStem == nil {
		return nn.NewConv2d(3, c.Hidden, c.PatchSize, nn.Conv2dOptions{Stride: c.PatchSize})
	}
	var s nn.SequentialDict
	in := 3
	for i, l := range c.ConvStem {
		s = append(s, nn.Child{Name: fmt.Sprint("conv_bn_relu_", i), Module: ops.NewConv2dNormActivation(in, l.Out, ops.ConvNormActivationOptions{
			Kernel: l.Kernel, Stride: l.Stride, Norm: l.Norm, Activation: l.Activation,
		})})
		in = l.Out
	}
	return append(s, nn.Child{Name: "conv_last", Module: nn.NewConv2d(in, c.Hidden, 1)})
}

func (c Config) block() *encoderBlock {
	m := &encoderBlock{
		LN1:           c.Norm(c.Hidden),
		SelfAttention: nn.NewMultiheadAttention(c.Hidden, c.Heads, nn.MultiheadAttentionOptions{Dropout: c.AttentionDropout, BatchFirst: true}),
		Dropout:       nn.NewDropout(c.Dropout),
		LN2:           c.Norm(c.Hidden),
		MLP: &mlpBlock{ops.NewMLP(c.Hidden, []int{c.MLP, c.Hidden}, ops.MLPOptions{
			Activation: func() nn.Module { return &nn.GELU{} }, Dropout: c.Dropout,
		})},
	}
	for _, l := range m.MLP.Sequential {
		if l, ok := l.(*nn.Linear); ok {
			nn.InitXavierUniform(l.Weight)
			nn.InitNormal(l.Bias, 0, 1e-6)
		}
	}
	return m
}

// StateVersion returns the version of the block's part of a state dict.
func (*mlpBlock) StateVersion() int { return 2 }

// UpgradeState renames the layers of version 1.
func (*mlpBlock) UpgradeState(s map[string]*torch.Tensor, prefix string) {
	for i := range 2 {
		for _, kind := range []string{"weight", "bias"} {
			old := fmt.Sprintf("%slinear_%d.%s", prefix, i+1, kind)
			if x, ok := s[old]; ok {
				delete(s, old)
				s[fmt.Sprintf("%s%d.%s", prefix, 3*i, kind)] = x
			}
		}
	}
}

// Forward maps pictures x [N, 3, ImageSize, ImageSize] to logits [N, classes].
func (m *VisionTransformer) Forward(x *torch.Tensor) *torch.Tensor {
	if x.Dim() != 4 || x.Size(1) != 3 || x.Size(2) != m.imageSize || x.Size(3) != m.imageSize {
		fail("the input is %v; give a batch of pictures [N, 3, %d, %d]", x.Shape(), m.imageSize, m.imageSize)
	}
	x = m.ConvProj.Forward(x).Then(func(x *torch.Tensor) *torch.Tensor {
		return x.Flatten(2) // [N, Hidden, patches]
	}).Then(func(x *torch.Tensor) *torch.Tensor {
		return x.Permute(0, 2, 1) // [N, patches, Hidden]
	}).Then(func(x *torch.Tensor) *torch.Tensor {
		token := m.ClassToken.Expand(x.Size(0), -1, -1)
		defer token.Free()
		return torch.Cat([]*torch.Tensor{token, x}, 1) // [N, patches + 1, Hidden]
	})
	return x.Then(nn.Sequential{m.Encoder}.Forward).Then(func(x *torch.Tensor) *torch.Tensor {
		return x.Select(1, 0) // [N, Hidden]
	}).Then(m.Heads.Forward)
}

// Forward maps [N, patches + 1, Hidden] to the same shape.
func (m *encoder) Forward(x *torch.Tensor) *torch.Tensor {
	return x.Add(m.PosEmbedding).Then(m.Dropout.Forward).Then(m.Layers.Forward).Then(m.LN.Forward)
}

// Forward maps [N, patches + 1, Hidden] to the same shape.
func (m *encoderBlock) Forward(x *torch.Tensor) *torch.Tensor {
	return ops.Residual(x, m.LN1.Forward, m.attend, m.Dropout.Forward).Then(func(x *torch.Tensor) *torch.Tensor {
		return ops.Residual(x, m.LN2.Forward, nn.Sequential{m.MLP}.Forward)
	})
}

func (m *encoderBlock) attend(x *torch.Tensor) *torch.Tensor {
	y, _ := m.SelfAttention.Forward(x, x, x, nn.MultiheadAttentionForwardOptions{NoWeights: true})
	return y
}
