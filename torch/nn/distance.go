package nn

import (
	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// CosineSimilarity is the cosine of the angle between vectors: torch.nn.CosineSimilarity.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html
type CosineSimilarity struct {
	Dim *int     // of the vectors, default 1
	Eps *float64 // the least norm that is divided by, default 1e-8
}

// Forward maps x1 and x2, broadcast, to their shape without Dim.
func (m *CosineSimilarity) Forward(x1, x2 *torch.Tensor) *torch.Tensor {
	return F.CosineSimilarity(x1, x2, F.CosineSimilarityOptions{Dim: m.Dim, Eps: m.Eps})
}

// PairwiseDistance is the p-norm of the differences of vectors: torch.nn.PairwiseDistance.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html
type PairwiseDistance struct {
	P       *float64 // default 2
	Eps     *float64 // added to the differences, default 1e-6
	KeepDim bool     // the last dimension is kept, with the size 1
}

// Forward maps x1 and x2 [N, D] or [D] to [N] or [].
func (m *PairwiseDistance) Forward(x1, x2 *torch.Tensor) *torch.Tensor {
	return F.PairwiseDistance(x1, x2, F.PairwiseDistanceOptions{P: m.P, Eps: m.Eps, KeepDim: m.KeepDim})
}
