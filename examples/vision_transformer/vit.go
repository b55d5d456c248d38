package main

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// patchExtractor cuts pictures into patches.
func patchExtractor(inputData *torch.Tensor, patchSize int) *torch.Tensor { // [N, C, H, W] → [N, patches, C*patchSize²]
	batchSize, height, width := inputData.Size(0), inputData.Size(2), inputData.Size(3)
	if height%patchSize != 0 || width%patchSize != 0 {
		panic(&torch.Error{Op: "patchExtractor", Msg: fmt.Sprintf("input height (%d) and width (%d) must be divisible by patch size (%d)", height, width, patchSize)})
	}

	numPatchesH := height / patchSize
	numPatchesW := width / patchSize
	numPatches := numPatchesH * numPatchesW

	return inputData.Unfold(2, patchSize, patchSize).
		Unfold(3, patchSize, patchSize).
		Permute(0, 2, 3, 1, 4, 5).
		Contiguous().
		View(batchSize, numPatches, -1)
}

// InputEmbedding embeds the patches of pictures, after a class token. As in Python's program, which has one for each
// picture of a batch, all batches have the same size.
type InputEmbedding struct {
	ClassToken       *torch.Tensor // [N, 1, latent]
	PosEmbedding     *torch.Tensor // [N, 1, latent]
	LinearProjection *nn.Linear    `nn:"LinearProjection"`
	PatchSize        int
}

// NewInputEmbedding returns an embedding with random weights.
func NewInputEmbedding(args arguments) *InputEmbedding {
	inputSize := args.patchSize * args.patchSize * args.nChannels
	m := &InputEmbedding{PatchSize: args.patchSize}
	// Linear projection
	m.LinearProjection = nn.NewLinear(inputSize, args.latentSize)
	// Class token
	m.ClassToken = torch.Randn(args.batchSize, 1, args.latentSize).RequireGrad(true)
	// Positional embedding
	m.PosEmbedding = torch.Randn(args.batchSize, 1, args.latentSize).RequireGrad(true)
	return m
}

// Forward embeds pictures.
func (m *InputEmbedding) Forward(inputData *torch.Tensor) *torch.Tensor { // [N, C, H, W] → [N, 1+patches, latent]
	// Patchifying the Image
	patches := patchExtractor(inputData, m.PatchSize)

	linearProjection := m.LinearProjection.Forward(patches)
	n := linearProjection.Size(1)
	linearProjection = torch.Cat([]*torch.Tensor{m.ClassToken, linearProjection}, 1)
	posEmbed := m.PosEmbedding.Index(torch.All, torch.Slice(0, n+1), torch.All)
	return linearProjection.AddInPlace(posEmbed)
}

// EncoderBlock is a layer of the transformer.
type EncoderBlock struct {
	Norm      *nn.LayerNorm
	Attention *nn.MultiheadAttention
	EncMLP    nn.Sequential `nn:"enc_MLP"`
}

// NewEncoderBlock returns a layer with random weights.
func NewEncoderBlock(args arguments) *EncoderBlock {
	return &EncoderBlock{
		Norm:      nn.NewLayerNorm(args.latentSize),
		Attention: nn.NewMultiheadAttention(args.latentSize, args.numHeads, nn.MultiheadAttentionOptions{Dropout: args.dropout}),
		EncMLP: nn.Sequential{
			nn.NewLinear(args.latentSize, args.latentSize*4),
			&nn.GELU{},
			nn.NewDropout(args.dropout),
			nn.NewLinear(args.latentSize*4, args.latentSize),
			nn.NewDropout(args.dropout),
		},
	}
}

// Forward returns the next features of patches. As in Python's program, the attention takes the first dimension for the
// sequence.
func (m *EncoderBlock) Forward(embPatches *torch.Tensor) *torch.Tensor { // [N, 1+patches, latent] → the same
	firstNorm := m.Norm.Forward(embPatches)
	attentionOut, _ := m.Attention.Forward(firstNorm, firstNorm, firstNorm)
	firstAdded := attentionOut.Add(embPatches)
	secondNorm := m.Norm.Forward(firstAdded)
	mlpOut := m.EncMLP.Forward(secondNorm)
	return mlpOut.Add(firstAdded)
}

// ViT is a vision transformer: https://arxiv.org/abs/2010.11929.
type ViT struct {
	Embedding *InputEmbedding
	// Encoder Stack
	Encoders []*EncoderBlock
	MLPHead  nn.Sequential `nn:"MLPHead"`
}

// NewViT returns a transformer with random weights.
func NewViT(args arguments) *ViT {
	m := &ViT{Embedding: NewInputEmbedding(args)}
	for range args.numEncoders {
		m.Encoders = append(m.Encoders, NewEncoderBlock(args))
	}
	m.MLPHead = nn.Sequential{
		nn.NewLayerNorm(args.latentSize),
		nn.NewLinear(args.latentSize, args.latentSize),
		nn.NewLinear(args.latentSize, args.numClasses),
	}
	return m
}

// Forward classifies pictures.
func (m *ViT) Forward(testInput *torch.Tensor) *torch.Tensor { // [N, C, H, W] → [N, classes]
	encOutput := m.Embedding.Forward(testInput)
	for _, encLayer := range m.Encoders {
		encOutput = encLayer.Forward(encOutput)
	}

	classTokenEmbed := encOutput.Index(torch.All, 0)
	return m.MLPHead.Forward(classTokenEmbed)
}
