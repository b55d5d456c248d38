package nn_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// TestPruneLive compares pruned layers with PyTorch's: masks, keys, outputs and gradients, and what is left of pruning.
func TestPruneLive(t *testing.T) { live(t, pruneLive) }

func pruneLive(t *testing.T, p *torchtest.Interpreter) {
	mask := torch.FromSlice([]bool{true, false, true, false, true, true, true, true, false, true, true, true, true, true, true, false, false, true, true, true}, 4, 5)
	for _, c := range []struct {
		python string
		g      func(m *nn.Linear)
	}{
		{"prune.l1_unstructured(m, 'weight', 3)", func(m *nn.Linear) { nn.PruneL1Unstructured(m, "weight", 3) }},
		{"prune.l1_unstructured(m, 'weight', 0.35, importance_scores=torch.arange(20.).view(4, 5).cos()), prune.l1_unstructured(m, 'weight', 0.2)", func(m *nn.Linear) {
			nn.PruneL1Unstructured(m, "weight", 0.35, nn.PruneOptions{ImportanceScores: torch.Arange(20.0).View(4, 5).Cos()})
			nn.PruneL1Unstructured(m, "weight", 0.2)
		}},
		{"prune.random_unstructured(m, 'weight', 7), prune.random_unstructured(m, 'bias', 0.25), prune.random_unstructured(m, 'weight', 0.5)", func(m *nn.Linear) {
			nn.PruneRandomUnstructured(m, "weight", 7)
			nn.PruneRandomUnstructured(m, "bias", 0.25)
			nn.PruneRandomUnstructured(m, "weight", 0.5)
		}},
		{"prune.ln_structured(m, 'weight', 1, n=2, dim=0), prune.ln_structured(m, 'weight', 0.5, n=float('inf'), dim=-1)", func(m *nn.Linear) {
			nn.PruneLnStructured(m, "weight", 1, 2, 0)
			nn.PruneLnStructured(m, "weight", 0.5, math.Inf(1), -1)
		}},
		{"prune.random_structured(m, 'weight', 2, dim=1), prune.l1_unstructured(m, 'weight', 3), prune.random_structured(m, 'weight', 1, dim=1)", func(m *nn.Linear) {
			nn.PruneRandomStructured(m, "weight", 2, 1)
			nn.PruneL1Unstructured(m, "weight", 3)
			nn.PruneRandomStructured(m, "weight", 1, 1)
		}},
		{"prune.custom_from_mask(m, 'weight', mask), prune.custom_from_mask(m, 'weight', mask.flip(0))", func(m *nn.Linear) {
			nn.PruneCustomFromMask(m, "weight", mask)
			nn.PruneCustomFromMask(m, "weight", mask.Flip(0))
		}},
		{"prune.l1_unstructured(m, 'bias', 1), prune.global_unstructured([(m, 'weight'), (m, 'bias')], prune.L1Unstructured, amount=9)", func(m *nn.Linear) {
			nn.PruneL1Unstructured(m, "bias", 1)
			nn.PruneGlobalUnstructured([]nn.PruneTarget{{Module: m, Name: "weight"}, {Module: m, Name: "bias"}}, nn.L1Unstructured, 9)
		}},
	} {
		want := p.Call("pruned", c.python, mask).([]torch.Value)
		torch.ManualSeed(7)
		m := nn.NewLinear(5, 4)
		c.g(m)
		require.True(t, nn.IsPruned(nn.Sequential{m}))
		sameState(t, m, want[0], c.python)
		x := torch.Randn(3, 5)
		y := m.Forward(x)
		y.PowScalar(2).Sum().Backward()
		require.NoError(t, torchtest.CheckClose(append(detached(y), gradients(m)...), want[1], exactly), c.python)
		require.NoError(t, torchtest.CheckClose(nn.Clone(m).Forward(x).Detach(), y.Detach(), exactly))
		for _, name := range []string{"weight", "bias"} {
			if torch.Try(func() { nn.RemovePruning(m, name) }) != nil {
				require.NotContains(t, names(m), name+"_orig")
			}
		}
		require.False(t, nn.IsPruned(m))
		sameState(t, m, want[2], c.python)
		require.NoError(t, torchtest.CheckClose(m.Forward(x).Detach(), want[3], exactly), c.python)
	}
}

func TestPruneMistakes(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	m := nn.NewLinear(5, 4)
	for want, f := range map[string]func(){
		`PruneL1Unstructured: a *nn.Linear has no parameter "w"`:                           func() { nn.PruneL1Unstructured(m, "w", 1) },
		"the amount is -1; it must be a float64 in [0, 1], or an int that is not negative": func() { nn.PruneRandomUnstructured(m, "weight", -1) },
		"the amount is 1.5; it must be a float64 in [0, 1], or an int":                     func() { nn.PruneL1Unstructured(m, "weight", 1.5) },
		"the amount is 21; there are 20 to prune":                                          func() { nn.PruneL1Unstructured(m, "weight", 21) },
		"the tensor is [4]; structured pruning needs more than one dimension":              func() { nn.PruneLnStructured(m, "bias", 1, 2, 0) },
		"the dimension is 2; it must be in [-2, 1] for a tensor [4 5]":                     func() { nn.PruneRandomStructured(m, "weight", 1, 2) },
		`the mask is [5 4]; "weight" is [4 5]`:                                             func() { nn.PruneCustomFromMask(m, "weight", torch.Ones(5, 4)) },
		`RemovePruning: "weight" of a *nn.Linear is not pruned`:                            func() { nn.RemovePruning(m, "weight") },
		`"weight" of the *nn.Linear has parametrizations`:                                  func() { nn.PruneL1Unstructured(nn.WeightNorm(nn.NewLinear(2, 2)), "weight", 1) },
		`"weight" of the *nn.Linear is pruned`: func() {
			m := nn.NewLinear(2, 2)
			nn.PruneL1Unstructured(m, "weight", 1)
			nn.WeightNorm(m)
		},
	} {
		require.ErrorContains(t, torch.Try(f), want)
	}
	require.Equal(t, []string{"weight", "bias"}, names(m), "a failure changes nothing")
}
