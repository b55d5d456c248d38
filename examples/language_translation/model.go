package main

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// PositionalEncoding adds sines and cosines that depend on the position of a word.
type PositionalEncoding struct {
	Dropout      *nn.Dropout
	PosEmbedding *torch.Tensor `nn:",buffer"` // [maxLen, 1, E]
}

// NewPositionalEncoding returns an encoding of so many positions.
func NewPositionalEncoding(embSize int, dropout float64, maxLen int) *PositionalEncoding {
	den := torch.ArangeStep(0, embSize, 2).Neg().MulScalar(math.Log(10000)).DivScalar(float64(embSize)).Exp()
	pos := torch.ArangeStep(0, maxLen, 1).Reshape(maxLen, 1)
	posEmbedding := torch.Zeros(maxLen, embSize)
	posEmbedding.SetIndex(pos.Mul(den).Sin(), torch.All, torch.Slice(0, torch.End, 2))
	posEmbedding.SetIndex(pos.Mul(den).Cos(), torch.All, torch.Slice(1, torch.End, 2))
	return &PositionalEncoding{Dropout: nn.NewDropout(dropout), PosEmbedding: posEmbedding.Unsqueeze(-2)}
}

// Forward adds the encoding to embeddings.
func (m *PositionalEncoding) Forward(tokenEmbedding *torch.Tensor) *torch.Tensor { // [L, N, E]
	return m.Dropout.Forward(tokenEmbedding.Add(m.PosEmbedding.Index(torch.Slice(0, tokenEmbedding.Size(0)))))
}

// A Translator is a Transformer with embeddings of the words of two languages.
type Translator struct {
	SrcEmbedding, TgtEmbedding *nn.Embedding
	PosEnc                     *PositionalEncoding
	Transformer                *nn.Transformer
	FF                         *nn.Linear `nn:"ff"`
}

// NewTranslator returns a translator with random weights.
func NewTranslator(srcVocabSize, tgtVocabSize int, args arguments) *Translator {
	m := &Translator{
		// The size of the embeddings is that of the Transformer.
		SrcEmbedding: nn.NewEmbedding(srcVocabSize, args.embedSize),
		TgtEmbedding: nn.NewEmbedding(tgtVocabSize, args.embedSize),
		PosEnc:       NewPositionalEncoding(args.embedSize, args.dropout, 5000),
		Transformer: nn.NewTransformer(nn.TransformerOptions{
			DModel: args.embedSize, NHead: args.attnHeads,
			NumEncoderLayers: args.encLayers, NumDecoderLayers: args.decLayers,
			DimFeedforward: args.dimFeedforward, Dropout: &args.dropout,
		}),
		FF: nn.NewLinear(args.embedSize, tgtVocabSize),
	}
	for _, p := range nn.Parameters(m) {
		if p.Dim() > 1 {
			nn.InitXavierUniform(p)
		}
	}
	return m
}

// Forward returns the logits of the word after each of trg.
func (m *Translator) Forward(src, trg, srcMask, tgtMask, srcPaddingMask, tgtPaddingMask, memoryKeyPaddingMask *torch.Tensor) *torch.Tensor { // [S, N], [T, N], … → [T, N, words]
	srcEmb := m.PosEnc.Forward(m.SrcEmbedding.Forward(src))
	tgtEmb := m.PosEnc.Forward(m.TgtEmbedding.Forward(trg))
	outs := m.Transformer.Forward(srcEmb, tgtEmb, nn.TransformerForwardOptions{
		SrcMask: srcMask, TgtMask: tgtMask,
		SrcKeyPaddingMask: srcPaddingMask, TgtKeyPaddingMask: tgtPaddingMask, MemoryKeyPaddingMask: memoryKeyPaddingMask,
	})
	return m.FF.Forward(outs)
}

// Encode returns the features of a sentence.
func (m *Translator) Encode(src, srcMask *torch.Tensor) *torch.Tensor { // [S, N] → [S, N, E]
	embed := m.PosEnc.Forward(m.SrcEmbedding.Forward(src))
	return m.Transformer.Encoder.Forward(embed, nn.TransformerEncoderForwardOptions{Mask: srcMask})
}

// Decode returns the features of the word after each of tgt.
func (m *Translator) Decode(tgt, memory, tgtMask *torch.Tensor) *torch.Tensor { // [T, N] → [T, N, E]
	embed := m.PosEnc.Forward(m.TgtEmbedding.Forward(tgt))
	return m.Transformer.Decoder.Forward(embed, memory, nn.TransformerDecoderForwardOptions{TgtMask: tgtMask})
}

// generateSquareSubsequentMask returns 0 for the positions that a word sees, itself and those before it, and -Inf for the others.
func generateSquareSubsequentMask(size int, device torch.Device) *torch.Tensor { // [size, size]
	return torch.Options{Device: device}.Ones(size, size).Tril().Log()
}

// createMask returns the masks of a batch: the source sees all of itself but the padding.
func createMask(src, tgt *torch.Tensor) (srcMask, tgtMask, srcPaddingMask, tgtPaddingMask *torch.Tensor) {
	n := src.Size(0)
	tgtMask = generateSquareSubsequentMask(tgt.Size(0), tgt.Device())
	srcMask = torch.Options{DType: torch.Bool, Device: src.Device()}.Zeros(n, n)
	srcPaddingMask = src.EqScalar(padID).Transpose(0, 1)
	tgtPaddingMask = tgt.EqScalar(padID).Transpose(0, 1)
	return srcMask, tgtMask, srcPaddingMask, tgtPaddingMask
}
