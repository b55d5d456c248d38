package policies

import (
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten/unchecked"
	"github.com/torchhub/torchhub/transforms/internal/args"
)

// An AugMix holds the numbers of AugMix. Zeros are torchvision's defaults.
type AugMix struct {
	Severity int     // of the operations, 1 to 10
	Width    int     // the number of chains of operations
	Depth    int     // the number of operations of a chain; 0 or less is a random number from 1 to 3
	Alpha    float64 // of the distributions of the weights
}

// Bins is how many magnitudes the operations of AugMix and AutoAugment have.
const Bins = 10

// Checked returns m with its defaults, or panics on behalf of op.
func (m AugMix) Checked(op string) AugMix {
	if m.Severity == 0 {
		m.Severity = 3
	}
	if m.Width == 0 {
		m.Width = 3
	}
	if m.Alpha == 0 {
		m.Alpha = 1
	}
	switch {
	case m.Severity < 1 || m.Severity > Bins:
		args.Refuse(op, "Severity is %d; want 1 to %d", m.Severity, Bins)
	case m.Width < 1:
		args.Refuse(op, "MixtureWidth is %d; want 1 or more", m.Width)
	case !(m.Alpha > 0) || math.IsInf(m.Alpha, 0):
		args.Refuse(op, "Alpha is %v; want a finite number above 0", m.Alpha)
	}
	return m
}

// Mix mixes a batch [N, …] with the results of chains of operations on it. It draws from g, and by randint a
// number from low to below high.
func (m AugMix) Mix(batch *torch.Tensor, g *torch.Generator, randint func(low, high int) int, chain func(operations int) *torch.Tensor) *torch.Tensor {
	n := batch.Size(0)
	each := make([]int, batch.Dim()) // [N, 1, …]
	for i := range each {
		each[i] = 1
	}
	each[0] = n
	dirichlet := func(k int) *torch.Tensor {
		return unchecked.SampleDirichlet(torch.Options{Device: batch.Device()}.Full(m.Alpha, k).Expand(n, -1), g)
	}
	shares := dirichlet(2)
	weights := dirichlet(m.Width).Mul(shares.Select(1, 1).View(n, -1))
	mix := shares.Select(1, 0).View(each...).Mul(batch)
	for i := range m.Width {
		depth := m.Depth
		if depth <= 0 {
			depth = randint(1, 4)
		}
		mix.AddInPlace(weights.Select(1, i).View(each...).Mul(chain(depth)))
	}
	return mix
}
