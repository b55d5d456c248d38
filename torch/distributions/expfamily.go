package distributions

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/autograd"
)

// An exponentialFamily has divergences that follow from the derivatives of the logarithm of
// its normalizer: torch.distributions.ExponentialFamily.
type exponentialFamily interface {
	Distribution
	naturalParams() []*torch.Tensor
	logNormalizer(params []*torch.Tensor) *torch.Tensor
}

// familyKL returns the divergence of two distributions of one family.
func familyKL(p, q exponentialFamily) *torch.Tensor {
	var params []*torch.Tensor
	for _, x := range p.naturalParams() {
		params = append(params, x.Detach().RequireGrad(true))
	}
	others := q.naturalParams()
	normalizer := p.logNormalizer(params)
	derivatives := autograd.Grad([]*torch.Tensor{normalizer.Sum()}, params, autograd.GradOptions{CreateGraph: true})
	result := q.logNormalizer(others).Sub(normalizer)
	for i, x := range params {
		result = result.Sub(sumRightmost(others[i].Sub(x).Mul(derivatives[i]), len(q.EventShape())))
	}
	return result
}
