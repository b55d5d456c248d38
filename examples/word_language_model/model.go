package main

import (
	"fmt"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// RNNModel is an encoder, a recurrent network and a decoder.
type RNNModel struct {
	Drop    *nn.Dropout
	Encoder *nn.Embedding
	RNN     any // *nn.LSTM, *nn.GRU or *nn.RNN
	Decoder *nn.Linear

	ntoken, nhid, nlayers int
}

// NewRNNModel returns a model of the type "LSTM", "GRU", "RNN_TANH" or "RNN_RELU". The weights of encoder and decoder can be
// tied, as in "Using the Output Embedding to Improve Language Models" (Press & Wolf 2016), https://arxiv.org/abs/1608.05859.
func NewRNNModel(rnnType string, ntoken, ninp, nhid, nlayers int, dropout float64, tieWeights bool) (*RNNModel, error) {
	m := &RNNModel{ntoken: ntoken, nhid: nhid, nlayers: nlayers}
	m.Drop = nn.NewDropout(dropout)
	m.Encoder = nn.NewEmbedding(ntoken, ninp)
	switch rnnType {
	case "LSTM":
		m.RNN = nn.NewLSTM(ninp, nhid, nn.LSTMOptions{NumLayers: nlayers, Dropout: dropout})
	case "GRU":
		m.RNN = nn.NewGRU(ninp, nhid, nn.GRUOptions{NumLayers: nlayers, Dropout: dropout})
	case "RNN_TANH", "RNN_RELU":
		nonlinearity := map[string]string{"RNN_TANH": "tanh", "RNN_RELU": "relu"}[rnnType]
		m.RNN = nn.NewRNN(ninp, nhid, nn.RNNOptions{NumLayers: nlayers, Nonlinearity: nonlinearity, Dropout: dropout})
	default:
		return nil, fmt.Errorf("word_language_model: the model %q is unknown; it can be LSTM, GRU, RNN_TANH, RNN_RELU or Transformer", rnnType)
	}
	m.Decoder = nn.NewLinear(nhid, ntoken)
	if tieWeights {
		if nhid != ninp {
			return nil, fmt.Errorf("word_language_model: nhid is %d and emsize %d; with the flag tied they must be equal", nhid, ninp)
		}
		m.Decoder.Weight = m.Encoder.Weight
	}
	m.initWeights()
	return m, nil
}

func (m *RNNModel) initWeights() {
	const initRange = 0.1
	nn.InitUniform(m.Encoder.Weight, -initRange, initRange)
	nn.InitZeros(m.Decoder.Bias)
	nn.InitUniform(m.Decoder.Weight, -initRange, initRange)
}

// Forward returns the logarithms of the probabilities of the next words, and the hidden state after them.
func (m *RNNModel) Forward(input *torch.Tensor, hidden any) (*torch.Tensor, any) { // [L, N] → [L·N, ntoken]
	emb := m.Drop.Forward(m.Encoder.Forward(input))
	var output *torch.Tensor
	switch rnn := m.RNN.(type) {
	case *nn.LSTM:
		output, hidden = rnn.Forward(emb, hidden.(nn.LSTMState))
	case *nn.GRU:
		output, hidden = rnn.Forward(emb, hidden.(*torch.Tensor))
	case *nn.RNN:
		output, hidden = rnn.Forward(emb, hidden.(*torch.Tensor))
	}
	output = m.Drop.Forward(output)
	decoded := m.Decoder.Forward(output)
	decoded = decoded.View(-1, m.ntoken)
	return F.LogSoftmax(decoded, 1), hidden
}

// initHidden returns the hidden state before the first words.
func (m *RNNModel) initHidden(bsz int) any {
	weight := m.Encoder.Weight
	if _, ok := m.RNN.(*nn.LSTM); ok {
		return nn.LSTMState{H: weight.NewZeros(m.nlayers, bsz, m.nhid),
			C: weight.NewZeros(m.nlayers, bsz, m.nhid)}
	}
	return weight.NewZeros(m.nlayers, bsz, m.nhid)
}

// PositionalEncoding adds sines and cosines that depend on the position of a word.
type PositionalEncoding struct {
	Dropout *nn.Dropout
	PE      *torch.Tensor `nn:"pe,buffer"` // [maxLen, 1, dModel]
}

func NewPositionalEncoding(dModel int, dropout float64, maxLen int) *PositionalEncoding {
	pe := torch.Zeros(maxLen, dModel)
	position := torch.Options{DType: torch.Float32}.Arange(maxLen).Unsqueeze(1)
	divTerm := torch.ArangeStep(0, dModel, 2).ToDType(torch.Float32).MulScalar(-math.Log(10000) / float64(dModel)).Exp()
	pe.SetIndex(position.Mul(divTerm).Sin(), torch.All, torch.Slice(0, torch.End, 2))
	pe.SetIndex(position.Mul(divTerm).Cos(), torch.All, torch.Slice(1, torch.End, 2))
	return &PositionalEncoding{Dropout: nn.NewDropout(dropout), PE: pe.Unsqueeze(0).Transpose(0, 1)}
}

func (m *PositionalEncoding) Forward(x *torch.Tensor) *torch.Tensor { // [L, N, dModel]
	x = x.Add(m.PE.Index(torch.Slice(0, x.Size(0))))
	return m.Dropout.Forward(x)
}

// TransformerModel is an encoder of embeddings with positions, and a decoder.
type TransformerModel struct {
	nn.Transformer // the encoder; the decoder below takes the place of that of the transformer
	Decoder        *nn.Linear
	PosEncoder     *PositionalEncoding
	InputEmb       *nn.Embedding

	srcMask *torch.Tensor
	ninp    int
}

func NewTransformerModel(ntoken, ninp, nhead, nhid, nlayers int, dropout float64) *TransformerModel {
	m := &TransformerModel{ninp: ninp}
	m.Transformer = *nn.NewTransformer(nn.TransformerOptions{DModel: ninp, NHead: nhead, DimFeedforward: nhid, NumEncoderLayers: nlayers})
	m.Transformer.Decoder = nil
	m.PosEncoder = NewPositionalEncoding(ninp, dropout, 5000)
	m.InputEmb = nn.NewEmbedding(ntoken, ninp)
	m.Decoder = nn.NewLinear(ninp, ntoken)
	m.initWeights()
	return m
}

func (m *TransformerModel) generateSquareSubsequentMask(sz int) *torch.Tensor {
	return torch.Ones(sz, sz).Tril().Log()
}

func (m *TransformerModel) initWeights() {
	const initRange = 0.1
	nn.InitUniform(m.InputEmb.Weight, -initRange, initRange)
	nn.InitZeros(m.Decoder.Bias)
	nn.InitUniform(m.Decoder.Weight, -initRange, initRange)
}

// Forward returns the logarithms of the probabilities of the next words. With a mask no position sees those after it.
func (m *TransformerModel) Forward(src *torch.Tensor, hasMask bool) *torch.Tensor { // [L, N] → [L, N, ntoken]
	if hasMask {
		if m.srcMask == nil || m.srcMask.Size(0) != src.Size(0) {
			m.srcMask = m.generateSquareSubsequentMask(src.Size(0)).To(src.Device())
		}
	} else {
		m.srcMask = nil
	}
	src = m.InputEmb.Forward(src).MulScalar(math.Sqrt(float64(m.ninp)))
	src = m.PosEncoder.Forward(src)
	output := m.Encoder.Forward(src, nn.TransformerEncoderForwardOptions{Mask: m.srcMask})
	output = m.Decoder.Forward(output)
	return F.LogSoftmax(output, -1)
}
