// Package categorical is torch.distributions.Categorical.
package categorical

import (
	"github.com/torchhub/torchhub/torch"
)

// A Categorical is a distribution over 0 … K-1.
type Categorical struct{ Probs, logits *torch.Tensor }

// New returns the distribution with probabilities [..., K]: Categorical(probs).
func New(probs *torch.Tensor) *Categorical {
	probs = probs.Div(probs.SumDim(-1, torch.SumOptions{KeepDim: true}))
	const eps = 1.1920928955078125e-07 // torch.finfo(torch.float32).eps
	return &Categorical{probs, probs.Clamp(eps, 1-eps).Log()}
}

// Sample draws one number for each row of the probabilities: m.sample().
func (m *Categorical) Sample() *torch.Tensor { // [...]
	shape := m.Probs.Shape()
	draws := m.Probs.Reshape(-1, m.Probs.Size(-1)).Multinomial(1, torch.MultinomialOptions{Replacement: true})
	return draws.View(shape[:len(shape)-1]...)
}

// LogProb returns the logarithms of the probabilities of values: m.log_prob(value).
func (m *Categorical) LogProb(value *torch.Tensor) *torch.Tensor { // [...] → [...]
	return m.logits.Gather(-1, value.Unsqueeze(-1)).Squeeze(-1)
}
