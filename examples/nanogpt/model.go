package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/torch/optim"
)

// GPTConfig is the size of a GPT.
type GPTConfig struct {
	BlockSize, VocabSize, NLayer, NHead, NEmbd int
	Dropout                                    float64
	Bias                                       bool // of linear layers and normalizations
}

// CausalSelfAttention is attention to the positions before.
type CausalSelfAttention struct {
	CAttn, CProj *nn.Linear
	ResidDropout *nn.Dropout

	nHead, nEmbd int
	dropout      float64
	Training     bool
}

func NewCausalSelfAttention(config GPTConfig) *CausalSelfAttention {
	return &CausalSelfAttention{
		// key, query and value of all heads
		CAttn: nn.NewLinear(config.NEmbd, 3*config.NEmbd, nn.LinearOptions{NoBias: !config.Bias}),
		// projection of the output
		CProj:        nn.NewLinear(config.NEmbd, config.NEmbd, nn.LinearOptions{NoBias: !config.Bias}),
		ResidDropout: nn.NewDropout(config.Dropout),
		nHead:        config.NHead,
		nEmbd:        config.NEmbd,
		dropout:      config.Dropout,
		Training:     true,
	}
}

func (m *CausalSelfAttention) Forward(x *torch.Tensor) *torch.Tensor { // [B, T, C]
	b, t, c := x.Size(0), x.Size(1), x.Size(2)

	qkv := m.CAttn.Forward(x).Split(m.nEmbd, torch.SplitOptions{Dim: 2})
	q, k, v := qkv[0], qkv[1], qkv[2]
	k = k.View(b, t, m.nHead, c/m.nHead).Transpose(1, 2) // [B, heads, T, C/heads]
	q = q.View(b, t, m.nHead, c/m.nHead).Transpose(1, 2)
	v = v.View(b, t, m.nHead, c/m.nHead).Transpose(1, 2)

	dropout := 0.
	if m.Training {
		dropout = m.dropout
	}
	y := F.ScaledDotProductAttention(q, k, v, F.ScaledDotProductAttentionOptions{DropoutP: dropout, IsCausal: true})
	y = y.Transpose(1, 2).Contiguous().View(b, t, c)

	return m.ResidDropout.Forward(m.CProj.Forward(y))
}

// MLP is two linear layers with a GELU between them.
type MLP struct {
	CFC     *nn.Linear `nn:"c_fc"`
	GELU    *nn.GELU
	CProj   *nn.Linear
	Dropout *nn.Dropout
}

func NewMLP(config GPTConfig) *MLP {
	return &MLP{
		CFC:     nn.NewLinear(config.NEmbd, 4*config.NEmbd, nn.LinearOptions{NoBias: !config.Bias}),
		GELU:    &nn.GELU{},
		CProj:   nn.NewLinear(4*config.NEmbd, config.NEmbd, nn.LinearOptions{NoBias: !config.Bias}),
		Dropout: nn.NewDropout(config.Dropout),
	}
}

func (m *MLP) Forward(x *torch.Tensor) *torch.Tensor { // [B, T, C]
	x = m.CFC.Forward(x)
	x = m.GELU.Forward(x)
	x = m.CProj.Forward(x)
	x = m.Dropout.Forward(x)
	return x
}

// Block is a layer of a GPT.
type Block struct {
	LN1  *nn.LayerNorm `nn:"ln_1"`
	Attn *CausalSelfAttention
	LN2  *nn.LayerNorm `nn:"ln_2"`
	MLP  *MLP
}

func NewBlock(config GPTConfig) *Block {
	return &Block{
		LN1:  nn.NewLayerNorm(config.NEmbd, nn.LayerNormOptions{NoBias: !config.Bias}),
		Attn: NewCausalSelfAttention(config),
		LN2:  nn.NewLayerNorm(config.NEmbd, nn.LayerNormOptions{NoBias: !config.Bias}),
		MLP:  NewMLP(config),
	}
}

func (m *Block) Forward(x *torch.Tensor) *torch.Tensor { // [B, T, C]
	x = x.Add(m.Attn.Forward(m.LN1.Forward(x)))
	x = x.Add(m.MLP.Forward(m.LN2.Forward(x)))
	return x
}

// Transformer is a GPT without its last layer.
type Transformer struct {
	WTE, WPE *nn.Embedding // of tokens and of positions
	Drop     *nn.Dropout
	H        []*Block
	LNF      *nn.LayerNorm `nn:"ln_f"`
}

func (m *Transformer) Forward(idx *torch.Tensor) *torch.Tensor { // [B, T] → [B, T, C]
	pos := torch.Options{Device: idx.Device()}.Arange(idx.Size(1))
	tokEmb := m.WTE.Forward(idx)
	posEmb := m.WPE.Forward(pos)
	x := m.Drop.Forward(tokEmb.Add(posEmb))
	for _, block := range m.H {
		x = block.Forward(x)
	}
	return m.LNF.Forward(x)
}

// GPT predicts the next token.
type GPT struct {
	Transformer *Transformer
	LMHead      *nn.Linear

	config GPTConfig
}

func NewGPT(config GPTConfig) *GPT {
	m := &GPT{config: config}
	m.Transformer = &Transformer{
		WTE:  nn.NewEmbedding(config.VocabSize, config.NEmbd),
		WPE:  nn.NewEmbedding(config.BlockSize, config.NEmbd),
		Drop: nn.NewDropout(config.Dropout),
	}
	for range config.NLayer {
		m.Transformer.H = append(m.Transformer.H, NewBlock(config))
	}
	m.Transformer.LNF = nn.NewLayerNorm(config.NEmbd, nn.LayerNormOptions{NoBias: !config.Bias})
	m.LMHead = nn.NewLinear(config.NEmbd, config.VocabSize, nn.LinearOptions{NoBias: true})
	m.Transformer.WTE.Weight = m.LMHead.Weight // "Using the Output Embedding to Improve Language Models"

	nn.Apply(m, initWeights)
	// Projections onto the residual path begin smaller, as in the paper of GPT-2.
	for _, p := range nn.NamedParameters(m) {
		if strings.HasSuffix(p.Name, "c_proj.weight") {
			nn.InitNormal(p.Tensor, 0, 0.02/math.Sqrt(2*float64(config.NLayer)))
		}
	}
	return m
}

func initWeights(module any) {
	switch m := module.(type) {
	case *nn.Linear:
		nn.InitNormal(m.Weight, 0, 0.02)
		if m.Bias != nil {
			nn.InitZeros(m.Bias)
		}
	case *nn.Embedding:
		nn.InitNormal(m.Weight, 0, 0.02)
	}
}

// numParams returns the number of parameters, without those of the positions.
func (m *GPT) numParams() int {
	n := 0
	for _, p := range nn.Parameters(m) {
		n += p.Numel()
	}
	return n - m.Transformer.WPE.Weight.Numel()
}

// Forward returns the logits and, given targets, the loss. Without targets the logits are those of the last position.
func (m *GPT) Forward(idx, targets *torch.Tensor) (logits, loss *torch.Tensor) { // [B, T] → [B, T, vocab]
	x := m.Transformer.Forward(idx)
	if targets != nil {
		logits = m.LMHead.Forward(x)
		loss = F.CrossEntropy(logits.View(-1, logits.Size(-1)), targets.View(-1), F.CrossEntropyOptions{IgnoreIndex: new(-1)})
		return logits, loss
	}
	return m.LMHead.Forward(x.Index(torch.All, []int{-1}, torch.All)), nil
}

// configureOptimizers returns AdamW, with weight decay for matrices only.
func (m *GPT) configureOptimizers(w io.Writer, weightDecay, learningRate float64, betas []float64, fused bool) *optim.Optimizer {
	var decayParams, nodecayParams []*torch.Tensor
	numDecay, numNodecay := 0, 0
	for _, p := range nn.Parameters(m) {
		if p.Dim() >= 2 {
			decayParams = append(decayParams, p)
			numDecay += p.Numel()
		} else {
			nodecayParams = append(nodecayParams, p)
			numNodecay += p.Numel()
		}
	}
	fmt.Fprintf(w, "num decayed parameter tensors: %d, with %d parameters\n", len(decayParams), numDecay)
	fmt.Fprintf(w, "num non-decayed parameter tensors: %d, with %d parameters\n", len(nodecayParams), numNodecay)
	optimGroups := []optim.Group{
		{Params: decayParams, Options: optim.AdamWOptions{WeightDecay: weightDecay}},
		{Params: nodecayParams, Options: optim.AdamWOptions{WeightDecay: 0.0}},
	}
	return optim.NewAdamW(optimGroups, optim.AdamWOptions{LR: learningRate, Betas: betas, Fused: &fused})
}

// generate appends tokens to idx [B, T]. Each is drawn from the topK most likely ones.
func (m *GPT) generate(idx *torch.Tensor, maxNewTokens int, temperature float64, topK int) *torch.Tensor {
	torch.NoGrad(func() {
		for range maxNewTokens {
			idxCond := idx
			if idx.Size(1) > m.config.BlockSize {
				idxCond = idx.Index(torch.All, torch.Slice(-m.config.BlockSize, torch.End))
			}
			logits, _ := m.Forward(idxCond, nil)
			logits = logits.Index(torch.All, -1, torch.All).DivScalar(temperature)
			v, _ := logits.TopK(min(topK, logits.Size(-1)), -1)
			logits.SetIndex(math.Inf(-1), logits.Lt(v.Index(torch.All, []int{-1})))
			probs := F.Softmax(logits, -1)
			idxNext := probs.Multinomial(1)
			idx = torch.Cat([]*torch.Tensor{idx, idxNext}, 1)
		}
	})
	return idx
}
